/* SPDX-License-Identifier: MIT
 *
 * Searches of textbook problems with constraints, with several objectives, and of a space that fails in half its volume;
 * what peers_many.py does with Optuna and pymoo, in the same words.
 *
 *   many constraints|objectives|failures ALGORITHM SEEDS [PROBLEM]
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unit/many_search.h"

#include "stat/stat.h"

struct problem {
	const char *name;
	size_t dims, objectives, constraints;
	double low[10], high[10];
	int (*value)(const double *x, double *f); /* objectives, then constraints (<= 0 holds); 0: it fails */
};

/* ---- constraints ---- */

/* J. R. Gardner and others, ICML 2014, section 5.1: two problems in the plane. */
static int gardner1(const double *x, double *f)
{
	f[0] = cos(2 * x[0]) * cos(x[1]) + sin(x[0]);
	f[1] = cos(x[0] + x[1]) - 0.5;
	return 1;
}

static int gardner2(const double *x, double *f)
{
	f[0] = sin(x[0]) + x[1];
	f[1] = sin(x[0]) * sin(x[1]) + 0.95;
	return 1;
}

/* R. B. Gramacy and others, Technometrics 58 (2016), section 2.2; the optimum is .5998. */
static int gramacy(const double *x, double *f)
{
	f[0] = x[0] + x[1];
	f[1] = 1.5 - x[0] - 2 * x[1] - 0.5 * sin(2 * M_PI * (x[0] * x[0] - 2 * x[1]));
	f[2] = x[0] * x[0] + x[1] * x[1] - 1.5;
	return 1;
}

/* The spring of A. D. Belegundu (1982) and J. S. Arora (1989); the optimum is .012665. */
static int spring(const double *x, double *f)
{
	double d = x[0], w = x[1], n = x[2];

	f[0] = (n + 2) * w * d * d;
	f[1] = 1 - w * w * w * n / (71785 * d * d * d * d);
	f[2] = (4 * w * w - d * w) / (12566 * (w * d * d * d - d * d * d * d)) + 1 / (5108 * d * d) - 1;
	f[3] = 1 - 140.45 * d / (w * w * n);
	f[4] = (d + w) / 1.5 - 1;
	return 1;
}

/* ---- objectives: E. Zitzler, K. Deb and L. Thiele (2000); K. Deb and others (2002) ---- */

static double zdt_g(const double *x)
{
	double sum = 0;

	for (int i = 1; i < 10; i++)
		sum += x[i];
	return 1 + sum;
}

static int zdt1(const double *x, double *f)
{
	double g = zdt_g(x);

	f[0] = x[0];
	f[1] = g * (1 - sqrt(x[0] / g));
	return 1;
}

static int zdt2(const double *x, double *f)
{
	double g = zdt_g(x);

	f[0] = x[0];
	f[1] = g * (1 - x[0] / g * x[0] / g);
	return 1;
}

static int zdt3(const double *x, double *f)
{
	double g = zdt_g(x);

	f[0] = x[0];
	f[1] = g * (1 - sqrt(x[0] / g) - x[0] / g * sin(10 * M_PI * x[0]));
	return 1;
}

static int dtlz2(const double *x, double *f)
{
	double g = 0, a = x[0] * M_PI / 2, b = x[1] * M_PI / 2;

	for (int i = 2; i < 7; i++)
		g += (x[i] - 0.5) * (x[i] - 0.5);
	f[0] = (1 + g) * cos(a) * cos(b);
	f[1] = (1 + g) * cos(a) * sin(b);
	f[2] = (1 + g) * sin(a);
	return 1;
}

/* ---- failures: half the square fails, beyond a line and within a circle; the optimum lies .02 from both ---- */

static int half(const double *x, double *f)
{
	f[0] = hypot(x[0] - 0.5, x[1] - 0.32);
	return x[0] + x[1] >= 0.8 && hypot(x[0] - 0.6, x[1] - 0.56) >= 0.24;
}

#define UNIT10 {0}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}

static const struct problem constraints[] = {
	{"gardner1", 2, 1, 1, {0, 0}, {6, 6}, gardner1},
	{"gardner2", 2, 1, 1, {0, 0}, {6, 6}, gardner2},
	{"gramacy", 2, 1, 2, {0, 0}, {1, 1}, gramacy},
	{"spring", 3, 1, 4, {0.05, 0.25, 2}, {2, 1.3, 15}, spring},
	{0},
};

static const struct problem objectives[] = {
	{"zdt1", 10, 2, 0, UNIT10, zdt1}, {"zdt2", 10, 2, 0, UNIT10, zdt2}, {"zdt3", 10, 2, 0, UNIT10, zdt3},
	{"dtlz2", 7, 3, 0, UNIT10, dtlz2}, {0},
};

static const struct problem failures[] = {{"half", 2, 1, 0, UNIT10, half}, {0}};

/* ---- the runs ---- */

enum { MOST_BUDGET = 500, MOST_METRICS = 6 };

struct outcome {
	double bad;        /* share that fails or breaks a constraint, from `late` on */
	double best;       /* of what does not; NaN: nothing */
	double far, near;  /* hypervolumes */
};

static char *text_of(const struct problem *problem)
{
	struct mb_str text = {0};

	mb_str_adds(&text, "parameters:\n");
	for (size_t i = 0; i < problem->dims; i++)
		mb_str_addf(&text, "  - {name: x%zu, type: double, bounds: {min: %g, max: %g}}\n", i, problem->low[i],
			    problem->high[i]);
	mb_str_adds(&text, "metrics:\n");
	for (size_t k = 0; k < problem->objectives; k++)
		mb_str_addf(&text, "  - {name: f%zu, objective: minimize}\n", k);
	for (size_t k = 0; k < problem->constraints; k++)
		mb_str_addf(&text, "  - {name: c%zu, objective: minimize, strategy: constraint, threshold: 0}\n", k);
	return text.at;
}

static struct outcome run(const struct problem *problem, const char *algorithm, int budget, int late, uint64_t seed)
{
	static const double far[][3] = {{11, 11}, {2.5, 2.5, 2.5}}, near[][3] = {{1.1, 1.1}, {1.1, 1.1, 1.1}};
	static double points[MOST_BUDGET * 3];
	struct outcome outcome = {.best = NAN};
	char *text = text_of(problem);
	struct many *many = many_new(text, budget, seed);
	size_t m = problem->objectives;

	for (int i = 0; i < budget && many_next(many, algorithm) == 0; i++) {
		double f[MOST_METRICS];
		int good = problem->value(many->x, f), ran = good;

		for (size_t k = m; k < m + problem->constraints && ran; k++)
			good &= f[k] <= 0;
		many_tell(many, ran ? f : NULL);
		for (size_t k = 0; k < m; k++)
			points[(size_t)i * m + k] = f[k];
		outcome.bad += !good && i >= late;
		if (good && !(outcome.best <= f[0]))
			outcome.best = f[0];
	}
	outcome.bad /= budget - late;
	if (m > 1) {
		outcome.far = mb_hypervolume(points, (size_t)budget, m, far[m - 2]);
		outcome.near = mb_hypervolume(points, (size_t)budget, m, near[m - 2]);
	}
	many_free(many);
	free(text);
	return outcome;
}

static double mean_of(const double *values, int n, double *error)
{
	double mean = 0, square = 0;

	for (int i = 0; i < n; i++)
		mean += values[i] / n;
	for (int i = 0; i < n; i++)
		square += (values[i] - mean) * (values[i] - mean) / n;
	*error = sqrt(square / n);
	return mean;
}

static void report(const char *bench, const struct problem *problem, const char *algorithm, int seeds)
{
	int budget = !strcmp(bench, "objectives") ? 100 : 60, late = !strcmp(bench, "failures") ? 20 : 30, found = 0;
	double bad[256], best[256], far[256], near[256], error, mean, start = mb_clock_cpu_s();

	for (int i = 0; i < seeds; i++) {
		struct outcome outcome = run(problem, algorithm, budget, late, 1000 + (uint64_t)i);

		bad[i] = outcome.bad;
		far[i] = outcome.far;
		near[i] = outcome.near;
		if (!isnan(outcome.best))
			best[found++] = outcome.best;
	}
	if (problem->objectives > 1) {
		mean = mean_of(far, seeds, &error);
		printf("%-10s %-16s far   %10.4f +- %.4f\n", problem->name, algorithm, mean, error);
		mean = mean_of(near, seeds, &error);
		printf("%-10s %-16s near  %10.4f +- %.4f", problem->name, algorithm, mean, error);
	} else {
		mean = mean_of(bad, seeds, &error);
		printf("%-10s %-16s bad after %d %5.1f %%  best mean %9.5f", problem->name, algorithm, late, 100 * mean,
		       mean_of(best, found, &error));
		printf(" median %9.5f without any %d", mb_summary_of(best, (size_t)found).median, seeds - found);
	}
	printf("  (%.1f ms a suggestion)\n", 1e3 * (mb_clock_cpu_s() - start) / seeds / budget);
}

int main(int argc, char **argv)
{
	const struct problem *problem;
	int seeds;

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	seeds = (int)strtol(argv[3], NULL, 10);
	problem = !strcmp(argv[1], "constraints") ? constraints : !strcmp(argv[1], "objectives") ? objectives : failures;
	for (; problem->name && seeds > 0 && seeds <= 256; problem++)
		if (argc < 5 || !strcmp(argv[4], problem->name))
			report(argv[1], problem, argv[2], seeds);
	return 0;
}
