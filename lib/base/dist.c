/* SPDX-License-Identifier: MIT */
#include "base/dist.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SQRT_2 1.41421356237309504880
#define SQRT_2PI 2.50662827463100050242

/* An interval so narrow in standard deviations has a flat density, and the difference of two probabilities no digits. */
#define FLAT 1e-5

double mb_normal_cdf(double z)
{
	return 0.5 * erfc(-z / SQRT_2);
}

/* For p <= 1/2: the rational guess 26.2.23 of Abramowitz and Stegun (1964), good to 4.5e-4, and two steps of Halley's. */
static double lower_quantile(double p)
{
	double t = sqrt(-2 * log(p));
	double z = (2.515517 + t * (0.802853 + t * 0.010328)) /
			   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;

	for (int step = 0; step < 2; step++) {
		double off = (mb_normal_cdf(z) - p) * SQRT_2PI * exp(z * z / 2);

		z -= off / (1 + z * off / 2);
	}
	return z;
}

double mb_normal_quantile(double p)
{
	if (p <= 0)
		return -INFINITY;
	if (p >= 1)
		return INFINITY;
	if (p < 1e-300) /* exp(z * z / 2) is beyond a double; nothing here needs such a tail to the last digit */
		p = 1e-300;
	return p <= 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);
}

double mb_normal_between(double low, double high)
{
	if (low > 0) /* both in the upper tail, where cdf has no digits left */
		return mb_normal_cdf(-low) - mb_normal_cdf(-high);
	return mb_normal_cdf(high) - mb_normal_cdf(low);
}

static double within(double x, double low, double high)
{
	return x > low ? (x < high ? x : high) : low;
}

double mb_truncated_quantile(double low, double high, double u)
{
	double z, p;

	if (!(high - low > FLAT))
		return within(low + u * (high - low), low, high);
	p = mb_normal_cdf(low) + u * mb_normal_between(low, high);
	if (low > 0 || p > 0.5)
		z = -mb_normal_quantile(mb_normal_cdf(-high) + (1 - u) * mb_normal_between(low, high));
	else
		z = mb_normal_quantile(p);
	return within(z, low, high);
}

double mb_truncated_cdf(double low, double high, double z)
{
	z = within(z, low, high);
	if (!(high - low > FLAT))
		return high > low ? (z - low) / (high - low) : 0;
	if (z > 0)
		return 1 - mb_normal_between(z, high) / mb_normal_between(low, high);
	return mb_normal_between(low, z) / mb_normal_between(low, high);
}

/* The continued fraction 8.17.22 of the Digital Library of Mathematical Functions by Lentz' method; it converges fast
 * for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), h = d;

	for (int m = 1; m < 2000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double factor;

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		h *= d * c;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		factor = d * c;
		h *= factor;
		if (fabs(factor - 1) < 1e-16)
			break;
	}
	return h;
}

double mb_beta_cdf(double a, double b, double x)
{
	double front;
	int sign;

	if (!(x > 0))
		return 0;
	if (x >= 1)
		return 1;
	front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* Bisection over the bits of x, which are ordered as the numbers from 0 on are: exact for tiny x too. */
double mb_beta_quantile(double a, double b, double p)
{
	double one = 1, x;
	uint64_t low = 0, high;

	if (!(p > 0))
		return 0;
	if (p >= 1)
		return 1;
	memcpy(&high, &one, sizeof high);
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(&x, &middle, sizeof x);
		if (mb_beta_cdf(a, b, x) >= p)
			high = middle;
		else
			low = middle;
	}
	memcpy(&x, &high, sizeof x);
	return x;
}
