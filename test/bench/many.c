/* SPDX-License-Identifier: MIT
 *
 * Searches of textbook problems with constraints, with several objectives, and of a space that fails in half its volume;
 * what peers_many.py does with Optuna and pymoo, in the same words. heldout: problems and seeds that nothing was chosen
 * on.
 *
 *   many constraints|objectives|failures|heldout ALGORITHM SEEDS [PROBLEM]
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unit/many_search.h"

#include "bench/many_problems.h"

#include "stat/stat.h"

/* ---- the runs ---- */

enum { MOST_BUDGET = 500, MOST_METRICS = 8 };

struct outcome {
	double bad;        /* share that fails or breaks a constraint, from `late` on */
	double best;       /* of what does not; NaN: nothing */
	double far, near;  /* hypervolumes */
};

static char *text_of(const struct problem *problem)
{
	struct mb_str text = {0};

	mb_str_adds(&text, problem->parameters ? problem->parameters : "parameters:\n");
	for (size_t i = 0; i < problem->dims && !problem->parameters; i++)
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
		double luck = (double)(mb_hash_mix(seed * 1000 + (uint64_t)i) >> 11) / 9007199254740992.0;
		int good = problem->value(many->x, f) && luck >= problem->crashes, ran = good;

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
	double mean = n ? 0 : NAN, square = 0;

	for (int i = 0; i < n; i++)
		mean += values[i] / n;
	for (int i = 0; i < n; i++)
		square += (values[i] - mean) * (values[i] - mean) / n;
	*error = sqrt(square / n);
	return mean;
}

static void report(const struct problem *problem, const char *algorithm, int seeds, uint64_t first)
{
	int fails = problem->objectives == 1 && !problem->constraints, found = 0;
	int budget = problem->objectives > 1 ? 100 : 60, late = fails ? 20 : 30;
	double bad[256], best[256], far[256], near[256], error, mean, start = mb_clock_cpu_s();

	for (int i = 0; i < seeds; i++) {
		struct outcome outcome = run(problem, algorithm, budget, late, first + (uint64_t)i);

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
		printf(" +- %.5f median %9.5f without any %d", error, mb_summary_of(best, (size_t)found).median,
		       seeds - found);
	}
	printf("  (%.1f ms a suggestion)\n", 1e3 * (mb_clock_cpu_s() - start) / seeds / budget);
}

static const struct {
	const char *name;
	const struct problem *problems;
	uint64_t first; /* seed */
} benches[] = {
	{"constraints", constraints, 1000}, {"objectives", objectives, 1000},        {"failures", failures, 1000},
	{"heldout", heldout_constraints, 5000}, {"heldout", heldout_failures, 5000},
};

int main(int argc, char **argv)
{
	int seeds;

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	seeds = (int)strtol(argv[3], NULL, 10);
	for (size_t i = 0; i < MB_COUNT(benches); i++)
		for (const struct problem *problem = benches[i].problems; problem->name; problem++)
			if (!strcmp(argv[1], benches[i].name) && (argc < 5 || !strcmp(argv[4], problem->name)) && seeds > 0 &&
			    seeds <= 256)
				report(problem, argv[2], seeds, benches[i].first);
	return 0;
}
