/* SPDX-License-Identifier: MIT
 *
 * The Gaussian process against a case computed by hand, against the textbook formulas with an explicit inverse, and its
 * gradients against differences.
 */
#include <stdlib.h>

#include "base/base.h"
#include "check.h"
#include "stat/stat.h"

enum { DIMS = 4, N = 23 };

static const unsigned char category[DIMS] = {0, 0, 1, 0};

/* k of the definition, not of the code under test. */
static double matern(const double *a, const double *b, const double *theta)
{
	double s = 0;

	for (size_t j = 0; j < DIMS; j++) {
		double l = exp(theta[j]), d = category[j] ? a[j] != b[j] : (a[j] - b[j]) * (a[j] - b[j]);

		s += d / (l * l);
	}
	return exp(theta[DIMS]) * (1 + sqrt(5 * s) + 5 * s / 3) * exp(-sqrt(5 * s));
}

struct sample {
	double row[N][DIMS], y[N], noise[N], theta[DIMS + 2];
	struct mb_gp gp;
};

static void sample_init(struct sample *sample, size_t spare)
{
	struct mb_rng rng;

	mb_rng_init(&rng, 5, 0, MB_RNG_DIGITS);
	mb_gp_init(&sample->gp, DIMS, category, N + spare);
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < DIMS; j++)
			sample->row[i][j] = category[j] ? (double)mb_rng_below(&rng, 3) : mb_rng_unit(&rng);
		sample->y[i] = sin(6 * sample->row[i][0]) + sample->row[i][1] + 0.5 * sample->row[i][2] +
			       0.1 * mb_rng_normal(&rng);
		sample->noise[i] = i % 3 ? 0 : 0.01 * (double)i;
		mb_gp_add(&sample->gp, sample->row[i], sample->y[i], sample->noise[i]);
	}
	for (size_t j = 0; j < DIMS; j++)
		sample->theta[j] = 0.3 * (double)j - 0.8;
	sample->theta[DIMS] = 0.4;
	sample->theta[DIMS + 1] = -4;
}

/* The inverse by Gauss and Jordan, and the log of the determinant. */
static double invert(double a[N][N], double inverse[N][N])
{
	double log_det = 0;

	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			inverse[i][j] = i == j;
	for (size_t i = 0; i < N; i++) {
		double pivot = a[i][i];

		log_det += log(pivot);
		for (size_t j = 0; j < N; j++) {
			a[i][j] /= pivot;
			inverse[i][j] /= pivot;
		}
		for (size_t k = 0; k < N; k++) {
			double times = a[k][i];

			for (size_t j = 0; k != i && j < N; j++) {
				a[k][j] -= times * a[i][j];
				inverse[k][j] -= times * inverse[i][j];
			}
		}
	}
	return log_det;
}

struct textbook {
	double inverse[N][N], log_det, mean, alpha[N];
};

static void textbook_init(struct textbook *book, const struct sample *sample)
{
	double k[N][N], ones = 0, y = 0;

	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			k[i][j] = matern(sample->row[i], sample->row[j], sample->theta) +
				  (i == j ? exp(sample->theta[DIMS + 1]) + MB_GP_JITTER + sample->noise[i] : 0);
	book->log_det = invert(k, book->inverse);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) {
			ones += book->inverse[i][j];
			y += book->inverse[i][j] * sample->y[j];
		}
	book->mean = y / ones;
	for (size_t i = 0; i < N; i++) {
		book->alpha[i] = 0;
		for (size_t j = 0; j < N; j++)
			book->alpha[i] += book->inverse[i][j] * (sample->y[j] - book->mean);
	}
}

TEST(two_points_by_hand)
{
	/* Amplitude 1, noise 0 but for the jitter, l = 1, the points 0 and 1 with y = 1 and -1: by symmetry the mean is 0. With
	 * k = k(1) = (1 + sqrt 5 + 5/3) exp(-sqrt 5), alpha = +-1 / (1 + e - k), e the jitter. */
	double theta[3] = {0, 0, -80}, k = (1 + sqrt(5) + 5.0 / 3) * exp(-sqrt(5)), e = MB_GP_JITTER, mean[3], variance[3];
	double half = (1 + sqrt(5) / 2 + 5.0 / 12) * exp(-sqrt(5) / 2);
	double rows[3] = {0, 0.5, 1}, low = 1 + e - k, high = 1 + e + k;
	unsigned char number = 0;
	struct mb_gp gp;

	mb_gp_init(&gp, 1, &number, 2);
	mb_gp_add(&gp, &rows[0], 1, 0);
	mb_gp_add(&gp, &rows[2], -1, 0);
	CHECK_INT(mb_gp_condition(&gp, theta), 0);
	mb_gp_predict(&gp, rows, 3, mean, variance);
	CHECK_NEAR(gp.mean, 0, 1e-15);
	CHECK_NEAR(mean[0], (1 - k) / low, 1e-12);
	CHECK_NEAR(mean[1], 0, 1e-12);
	CHECK_NEAR(mean[2], -(1 - k) / low, 1e-12);
	CHECK_NEAR(variance[1], 1 - 2 * half * half / high, 1e-12);
	CHECK_NEAR(mb_gp_likelihood(&gp, theta, NULL), -1 / low - 0.5 * log(low * high) - log(2 * acos(-1)), 1e-12);
	mb_gp_release(&gp);
}

TEST(posterior_and_likelihood_are_the_textbooks)
{
	double rows[70][DIMS], mean[70], variance[70], square = 0;
	struct sample sample;
	struct textbook book;
	struct mb_rng rng;

	sample_init(&sample, 0);
	textbook_init(&book, &sample);
	for (size_t i = 0; i < N; i++)
		square += (sample.y[i] - book.mean) * book.alpha[i];
	CHECK_NEAR(mb_gp_likelihood(&sample.gp, sample.theta, NULL),
		   -0.5 * square - 0.5 * book.log_det - 0.5 * N * log(2 * acos(-1)), 1e-8);

	mb_rng_init(&rng, 6, 0, MB_RNG_DIGITS);
	for (size_t b = 0; b < 70; b++)
		for (size_t j = 0; j < DIMS; j++)
			rows[b][j] = category[j] ? (double)mb_rng_below(&rng, 3) : mb_rng_unit(&rng);
	CHECK_INT(mb_gp_condition(&sample.gp, sample.theta), 0);
	mb_gp_predict(&sample.gp, rows[0], 70, mean, variance);
	for (size_t b = 0; b < 70; b++) {
		double want = book.mean, less = 0, k[N];

		for (size_t i = 0; i < N; i++) {
			k[i] = matern(rows[b], sample.row[i], sample.theta);
			want += k[i] * book.alpha[i];
		}
		for (size_t i = 0; i < N; i++)
			for (size_t j = 0; j < N; j++)
				less += k[i] * book.inverse[i][j] * k[j];
		CHECK_NEAR(mean[b], want, 1e-8);
		CHECK_NEAR(variance[b], exp(sample.theta[DIMS]) - less, 1e-8);
	}
	mb_gp_release(&sample.gp);
}

TEST(gradient_of_the_likelihood_is_that_of_differences)
{
	double gradient[DIMS + 2], theta[DIMS + 2], step = 1e-5;
	struct sample sample;

	sample_init(&sample, 0);
	mb_gp_likelihood(&sample.gp, sample.theta, gradient);
	for (size_t j = 0; j < DIMS + 2; j++) {
		double ahead, behind;

		memcpy(theta, sample.theta, sizeof theta);
		theta[j] += step;
		ahead = mb_gp_likelihood(&sample.gp, theta, NULL);
		theta[j] -= 2 * step;
		behind = mb_gp_likelihood(&sample.gp, theta, NULL);
		CHECK_NEAR(gradient[j], (ahead - behind) / (2 * step), 1e-6 * (1 + fabs(gradient[j])));
	}
	mb_gp_release(&sample.gp);
}

TEST(gradient_of_the_posterior_is_that_of_differences)
{
	double row[DIMS] = {0.31, 0.62, 1, 0.44}, by_mean[DIMS], by_variance[DIMS], mean, variance, step = 1e-5;
	struct sample sample;

	sample_init(&sample, 0);
	CHECK_INT(mb_gp_condition(&sample.gp, sample.theta), 0);
	mb_gp_predict_gradient(&sample.gp, row, &mean, &variance, by_mean, by_variance);
	for (size_t j = 0; j < DIMS; j++) {
		double at[2], spread[2], moved[2][DIMS];

		memcpy(moved[0], row, sizeof row);
		memcpy(moved[1], row, sizeof row);
		moved[0][j] -= category[j] ? 0 : step;
		moved[1][j] += category[j] ? 0 : step;
		mb_gp_predict(&sample.gp, moved[0], 2, at, spread);
		CHECK_NEAR(by_mean[j], (at[1] - at[0]) / (2 * step), 1e-6);
		CHECK_NEAR(by_variance[j], (spread[1] - spread[0]) / (2 * step), 1e-6);
	}
	mb_gp_predict(&sample.gp, row, 1, by_mean, by_variance);
	CHECK_NEAR(mean, by_mean[0], 1e-12);
	CHECK_NEAR(variance, by_variance[0], 1e-12);
	mb_gp_release(&sample.gp);
}

TEST(a_row_appended_gives_the_bits_of_conditioning_anew)
{
	double rows[2][DIMS] = {{0.1, 0.2, 0, 0.3}, {0.9, 0.4, 2, 0.8}}, mean[2][2], variance[2][2];
	struct sample sample;
	struct mb_gp *gp = &sample.gp;

	sample_init(&sample, 1);
	gp->n = N - 5;
	CHECK_INT(mb_gp_condition(gp, sample.theta), 0);
	for (size_t i = N - 5; i < N; i++)
		CHECK_INT(mb_gp_append(gp, sample.row[i], sample.y[i], sample.noise[i]), 0);
	mb_gp_predict(gp, rows[0], 2, mean[0], variance[0]);
	CHECK_INT(mb_gp_condition(gp, sample.theta), 0);
	CHECK_INT(gp->n, N);
	mb_gp_predict(gp, rows[0], 2, mean[1], variance[1]);
	CHECK(!memcmp(mean[0], mean[1], sizeof mean[0]));
	CHECK(!memcmp(variance[0], variance[1], sizeof variance[0]));

	/* The believer: means stay, the variance there is gone but for the noise. */
	CHECK_INT(mb_gp_believe(gp, rows[0]), 0);
	mb_gp_predict(gp, rows[0], 2, mean[1], variance[1]);
	CHECK_NEAR(mean[1][0], mean[0][0], 1e-9);
	CHECK_NEAR(mean[1][1], mean[0][1], 1e-9);
	CHECK(variance[1][0] < exp(sample.theta[DIMS + 1]) * 1.001 && variance[0][0] > 2 * variance[1][0]);
	mb_gp_release(gp);
}

TEST(the_fit_ends_where_the_gradient_of_the_posterior_is_zero)
{
	double theta[DIMS + 2], gradient[DIMS + 2], start, found;
	struct sample sample;

	sample_init(&sample, 0);
	mb_gp_start(DIMS, theta);
	start = mb_gp_fit(&sample.gp, &mb_gp_low_noise, theta, 0);
	found = mb_gp_fit(&sample.gp, &mb_gp_low_noise, theta, 200);
	CHECK(found < start - 1);
	mb_gp_likelihood(&sample.gp, theta, gradient);
	for (size_t j = 0; j < DIMS; j++)
		CHECK_NEAR(gradient[j], 0.2 * (exp(2 * theta[j]) - exp(-2 * theta[j])), 1e-3);
	CHECK_NEAR(gradient[DIMS], theta[DIMS], 1e-3);
	CHECK_NEAR(gradient[DIMS + 1], theta[DIMS + 1] + 8, 1e-3);
	mb_gp_release(&sample.gp);
}

TEST(a_singular_covariance_is_told)
{
	double row[DIMS] = {0.5, 0.5, 0, 0.5}, theta[DIMS + 2] = {0, 0, 0, 0, 40, -80};
	struct mb_gp gp;

	mb_gp_init(&gp, DIMS, category, 3);
	mb_gp_add(&gp, row, 1, 0);
	CHECK_INT(mb_gp_condition(&gp, theta), 0);
	CHECK_INT(mb_gp_append(&gp, row, 1, 0), -1);
	CHECK_INT(gp.n, 1);
	mb_gp_add(&gp, row, 1, 0);
	CHECK(mb_gp_likelihood(&gp, theta, NULL) == -INFINITY);
	mb_gp_release(&gp);
}

TEST_MAIN
