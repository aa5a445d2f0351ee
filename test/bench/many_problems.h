/* SPDX-License-Identifier: MIT
 *
 * The problems of many.c: textbook ones that weights were chosen on, and as heldout_* ones that none was. Each stands
 * in peers_many.py too.
 */
#ifndef MB_BENCH_MANY_PROBLEMS_H
#define MB_BENCH_MANY_PROBLEMS_H

#include <math.h>
#include <stddef.h>

struct problem {
	const char *name;
	size_t dims, objectives, constraints;
	double low[10], high[10];
	int (*value)(const double *x, double *f); /* objectives, then constraints (<= 0 holds); 0: it fails */
	double crashes;                           /* share of trials that fail wherever they are */
	const char *parameters;                   /* the section, where not all are numbers from low to high */
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

/* ---- held out: constraints ---- */

/* The welded beam of K. M. Ragsdell and D. T. Phillips (1976); the optimum is 1.7249. */
static int beam(const double *x, double *f)
{
	double h = x[0], l = x[1], t = x[2], b = x[3], half_sum = (h + t) / 2, load = 6000, length = 14;
	double r = sqrt(l * l / 4 + half_sum * half_sum), j = 2 * M_SQRT2 * h * l * (l * l / 12 + half_sum * half_sum);
	double direct = load / (M_SQRT2 * h * l), twist = load * (length + l / 2) * r / j;

	f[0] = 1.10471 * h * h * l + 0.04811 * t * b * (14 + l);
	f[1] = sqrt(direct * direct + direct * twist * l / r + twist * twist) - 13600;
	f[2] = 6 * load * length / (b * t * t) - 30000;
	f[3] = h - b;
	f[4] = 0.10471 * h * h + 0.04811 * t * b * (14 + l) - 5;
	f[5] = 4 * load * pow(length, 3) / (30e6 * pow(t, 3) * b) - 0.25;
	f[6] = load - 4.013 * 30e6 * t * pow(b, 3) / 6 / (length * length) * (1 - t / (2 * length) * sqrt(30e6 / 48e6));
	return 1;
}

/* The pressure vessel of E. Sandgren (1990): two plates in sixteenths of an inch; the optimum is 6059.7. */
static int vessel(const double *x, double *f)
{
	double shell = x[0] / 16, head = x[1] / 16, r = x[2], l = x[3];

	f[0] = 0.6224 * shell * r * l + 1.7781 * head * r * r + 3.1661 * shell * shell * l + 19.84 * shell * shell * r;
	f[1] = 0.0193 * r - shell;
	f[2] = 0.00954 * r - head;
	f[3] = 1296000 - M_PI * r * r * l - 4 * M_PI * r * r * r / 3;
	return 1;
}

/* g06 and g08 of J. J. Liang and others, CEC 2006; the optima are -6961.8 and -.095825. */
static int g06(const double *x, double *f)
{
	f[0] = pow(x[0] - 10, 3) + pow(x[1] - 20, 3);
	f[1] = 100 - pow(x[0] - 5, 2) - pow(x[1] - 5, 2);
	f[2] = pow(x[0] - 6, 2) + pow(x[1] - 5, 2) - 82.81;
	return 1;
}

static int g08(const double *x, double *f)
{
	f[0] = -pow(sin(2 * M_PI * x[0]), 3) * sin(2 * M_PI * x[1]) / (pow(x[0], 3) * (x[0] + x[1]));
	f[1] = x[0] * x[0] - x[1] + 1;
	f[2] = 1 - x[0] + pow(x[1] - 4, 2);
	return 1;
}

/* The price of a cantilever (1 m, 5 kN) of steel, aluminium or titanium, solid or a box of a tenth of its height. */
static int cantilever(const double *x, double *f)
{
	static const double price[] = {7850 * 1, 2700 * 3, 4430 * 20};
	static const double strength[] = {250e6, 270e6, 880e6}, stiffness[] = {200e9, 70e9, 114e9};
	int material = (int)x[0], box = (int)x[1];
	double w = x[2] / 1e3, h = x[3] / 1e3, wi = box ? w - h / 5 : 0, hi = box ? 0.8 * h : 0, inertia;

	wi = wi > 0 ? wi : 0;
	inertia = (w * h * h * h - wi * hi * hi * hi) / 12;
	f[0] = price[material] * (w * h - wi * hi) + (box ? 10 : 0);
	f[1] = log(5000 * h / (2 * inertia) / strength[material]);
	f[2] = log(5000 / (3 * stiffness[material] * inertia) / 0.004);
	return 1;
}

/* ---- held out: failures ---- */

static double far_from(const double *x, const double *centre, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (x[i] - centre[i]) * (x[i] - centre[i]);
	return sqrt(sum);
}

/* What succeeds is a ball of half the volume; the best lies .02 within it. */
static int ball3(const double *x, double *f)
{
	static const double middle[] = {0.5, 0.5, 0.5}, best[] = {0.8857, 0.3072, 0.6928};

	f[0] = far_from(x, best, 3);
	return far_from(x, middle, 3) <= 0.4924;
}

/* As ball3, but it would be best still .05 beyond: .05 is what can be reached. */
static int ball4(const double *x, double *f)
{
	static const double middle[] = {0.5, 0.5, 0.5, 0.5}, best[] = {0.8662, 0.1338, 0.6831, 0.7747};

	f[0] = far_from(x, best, 4);
	return far_from(x, middle, 4) <= 0.5642;
}

/* Half of a cube, and one of four kinds always fails. The best, 0, lies .05 within. */
static int kinds(const double *x, double *f)
{
	static const double best[] = {0.3, 0.8, 0.45, 0.55}, worse[] = {0.3, 0, 0, 0.1};
	int kind = (int)x[4];

	f[0] = far_from(x, best, 4) + worse[kind];
	return x[0] + x[1] + x[2] + x[3] >= 2 && kind != 2;
}

/* F. H. Branin (1972), less its optimum. */
static int branin(const double *x, double *f)
{
	double a = x[1] - 5.1 / (4 * M_PI * M_PI) * x[0] * x[0] + 5 / M_PI * x[0] - 6;

	f[0] = a * a + 10 * (1 - 1 / (8 * M_PI)) * cos(x[0]) + 10 - 0.397887;
	return 1;
}

/* J. K. Hartman (1973) in six dimensions, less its optimum. */
static int hartmann6(const double *x, double *f)
{
	static const double c[] = {1, 1.2, 3, 3.2};
	static const double a[4][6] = {{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8},
				       {17, 8, 0.05, 10, 0.1, 14}};
	static const double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
				       {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
				       {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665},
				       {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};

	f[0] = 3.32237;
	for (int i = 0; i < 4; i++) {
		double sum = 0;

		for (int j = 0; j < 6; j++)
			sum += a[i][j] * (x[j] - p[i][j]) * (x[j] - p[i][j]);
		f[0] -= c[i] * exp(-sum);
	}
	return 1;
}

/* D. H. Ackley (1987), its optimum off the middle. */
static int ackley(const double *x, double *f)
{
	double square = 0, wave = 0;

	for (int i = 0; i < 4; i++) {
		square += (x[i] - 1) * (x[i] - 1) / 4;
		wave += cos(2 * M_PI * (x[i] - 1)) / 4;
	}
	f[0] = 20 - 20 * exp(-0.2 * sqrt(square)) + exp(1) - exp(wave);
	return 1;
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

static const struct problem heldout_constraints[] = {
	{"beam", 4, 1, 6, {0.125, 0.1, 0.1, 0.1}, {2, 10, 10, 2}, beam},
	{"vessel", 4, 1, 3, {0}, {0}, vessel,
	 .parameters = "parameters:\n"
		       "  - {name: x0, type: int, bounds: {min: 1, max: 99}}\n"
		       "  - {name: x1, type: int, bounds: {min: 1, max: 99}}\n"
		       "  - {name: x2, type: double, bounds: {min: 10, max: 200}}\n"
		       "  - {name: x3, type: double, bounds: {min: 10, max: 200}}\n"},
	{"g06", 2, 1, 2, {13, 0}, {100, 100}, g06},
	{"g08", 2, 1, 2, {0.001, 0.001}, {10, 10}, g08},
	{"cantilever", 4, 1, 2, {0}, {0}, cantilever,
	 .parameters = "parameters:\n"
		       "  - {name: x0, type: categorical, categorical_values: [0, 1, 2]}\n"
		       "  - {name: x1, type: categorical, categorical_values: [0, 1]}\n"
		       "  - {name: x2, type: int, bounds: {min: 10, max: 150}}\n"
		       "  - {name: x3, type: double, bounds: {min: 10, max: 200}}\n"},
	{0},
};

static const struct problem heldout_failures[] = {
	{"ball3", 3, 1, 0, UNIT10, ball3},
	{"ball4", 4, 1, 0, UNIT10, ball4},
	{"kinds", 5, 1, 0, UNIT10, kinds,
	 .parameters = "parameters:\n"
		       "  - {name: x0, type: double, bounds: {min: 0, max: 1}}\n"
		       "  - {name: x1, type: double, bounds: {min: 0, max: 1}}\n"
		       "  - {name: x2, type: double, bounds: {min: 0, max: 1}}\n"
		       "  - {name: x3, type: double, bounds: {min: 0, max: 1}}\n"
		       "  - {name: x4, type: categorical, categorical_values: [0, 1, 2, 3]}\n"},
	{"branin", 2, 1, 0, {-5, 0}, {10, 15}, branin},
	{"branin5", 2, 1, 0, {-5, 0}, {10, 15}, branin, .crashes = 0.05},
	{"ackley", 4, 1, 0, {-4, -4, -4, -4}, {4, 4, 4, 4}, ackley},
	{"ackley5", 4, 1, 0, {-4, -4, -4, -4}, {4, 4, 4, 4}, ackley, .crashes = 0.05},
	{"hartmann6", 6, 1, 0, UNIT10, hartmann6},
	{"hartmann65", 6, 1, 0, UNIT10, hartmann6, .crashes = 0.05},
	{0},
};

#endif
