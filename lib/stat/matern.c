/* SPDX-License-Identifier: MIT */
#include "stat/matern.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "stat/wide.h"

#define ROOT_5 2.23606797749978969641

MB_WIDE static void add_number(double *restrict s, const double *restrict x, size_t n, double at, double weight)
{
	for (size_t i = 0; i < n; i++)
		s[i] += weight * ((x[i] - at) * (x[i] - at));
}

MB_WIDE static void add_category(double *restrict s, const double *restrict x, size_t n, double at, double weight)
{
	for (size_t i = 0; i < n; i++)
		s[i] += x[i] != at ? weight : 0;
}

void mb_matern_distance(const double *x, size_t n, size_t ld, size_t dims, const unsigned char *category,
			const double *weight, const double *point, double *s)
{
	memset(s, 0, n * sizeof *s);
	for (size_t j = 0; j < dims; j++)
		(category[j] ? add_category : add_number)(s, x + j * ld, n, point[j], weight[j]);
}

/* exp(-x) for x >= 0, without a branch or a call, so that loops over it are vectorised: 2^k times the series to the 13th
 * power on half an octave about 0 (Cody and Waite 1980), within 2 units in the last place; 0 beyond exp(-700). */
static inline double exp_minus(double x)
{
	const double magic = 0x1.8p52, log2 = 0x1.62e42fefa39efp-1, high = 0x1.62e42fefap-1, low = 0x1.cf79abc9e3b39p-40;
	double y = x < 700 ? -x : -700, shifted = y * (1 / log2) + magic, k = shifted - magic;
	double r = y - k * high - k * low, p = 1.0 / 6227020800;
	int64_t bits, power;

	p = p * r + 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	p = p * r + 0.5;
	p = p * r + 1;
	p = p * r + 1;
	memcpy(&bits, &p, sizeof bits);
	memcpy(&power, &shifted, sizeof power); /* k is in its low bits */
	bits += (int64_t)((uint64_t)power << 52);
	memcpy(&p, &bits, sizeof p);
	return p;
}

MB_WIDE static void values(double *restrict s, size_t n, double amplitude)
{
	for (size_t i = 0; i < n; i++) {
		double t = ROOT_5 * sqrt(s[i]);

		s[i] = amplitude * (1 + t + t * t * (1.0 / 3)) * exp_minus(t);
	}
}

MB_WIDE static void values_and_slopes(double *restrict s, double *restrict slope, size_t n, double amplitude)
{
	for (size_t i = 0; i < n; i++) {
		double t = ROOT_5 * sqrt(s[i]), e = amplitude * exp_minus(t);

		slope[i] = -5.0 / 6 * (1 + t) * e;
		s[i] = (1 + t + t * t * (1.0 / 3)) * e;
	}
}

void mb_matern_values(double *s, double *slope, size_t n, double amplitude)
{
	if (slope)
		values_and_slopes(s, slope, n, amplitude);
	else
		values(s, n, amplitude);
}

MB_WIDE void mb_matern_part(const double *restrict x, size_t n, int category, double at, double *restrict d)
{
	for (size_t i = 0; i < n; i++)
		d[i] = category ? x[i] != at : (x[i] - at) * (x[i] - at);
}
