/* SPDX-License-Identifier: MIT */
#include "stat/ei.h"

#include <math.h>

#include "base/base.h"

#define LOG_ROOT_2PI 0.91893853320467274178
#define ROOT_2PI 2.50662827463100050242
#define TAIL 5 /* beyond it the fraction, with this many terms exact to the last digits */

enum { TERMS = 40 };

/* c(t) = 1 / (t + 2 / (t + 3 / (t + …))), t >= TAIL. */
static double fraction(double t)
{
	double c = t;

	for (int k = TERMS; k > 1; k--)
		c = t + k / c;
	return 1 / c;
}

static double density(double z)
{
	return exp(-0.5 * z * z) / ROOT_2PI;
}

double mb_log_h(double z)
{
	double c;

	if (z > -TAIL)
		return log(density(z) + z * mb_normal_cdf(z));
	c = fraction(-z);
	return -0.5 * z * z - LOG_ROOT_2PI + log(c / (c - z));
}

double mb_log_normal_cdf(double z)
{
	if (z > 0)
		return log1p(-mb_normal_cdf(-z));
	if (z > -TAIL)
		return log(mb_normal_cdf(z));
	return -0.5 * z * z - LOG_ROOT_2PI - log(fraction(-z) - z);
}

double mb_log_normal_cdf_gradient(double z)
{
	return z > -TAIL ? density(z) / mb_normal_cdf(z) : fraction(-z) - z;
}

double mb_log_ei(double mean, double sd, double target)
{
	return log(sd) + mb_log_h((target - mean) / sd);
}

double mb_log_ei_gradient(double mean, double sd, double target, double *by_mean, double *by_sd)
{
	double z = (target - mean) / sd, c, h;

	/* d EI / d mean = -Phi, d EI / d sd = phi */
	if (z > -TAIL) {
		h = density(z) + z * mb_normal_cdf(z);
		*by_mean = -mb_normal_cdf(z) / (sd * h);
		*by_sd = density(z) / (sd * h);
		return log(sd) + log(h);
	}
	c = fraction(-z);
	*by_mean = -1 / (sd * c);
	*by_sd = (c - z) / (sd * c);
	return log(sd) + mb_log_h(z);
}
