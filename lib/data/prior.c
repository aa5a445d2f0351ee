/* SPDX-License-Identifier: MIT */
#include "data/prior.h"

#include <math.h>

void mb_prior_ends(const struct mb_param *param, double *low, double *high)
{
	double extend = param->type == MB_PARAM_INT ? 0.5 : 0;

	*low = param->log ? log10(param->min - extend) : param->min - extend;
	*high = param->log ? log10(param->max + extend) : param->max + extend;
}

double mb_prior_place(const struct mb_param *param, double u)
{
	const struct mb_prior *prior = &param->prior;
	double low, high, z;

	if (prior->kind == MB_PRIOR_NONE)
		return u;
	if (prior->kind == MB_PRIOR_BETA)
		return mb_beta_quantile(prior->a, prior->b, u);
	mb_prior_ends(param, &low, &high);
	z = mb_truncated_quantile((low - prior->a) / prior->b, (high - prior->a) / prior->b, u);
	return (prior->a + prior->b * z - low) / (high - low);
}

double mb_prior_share(const struct mb_param *param, double place)
{
	const struct mb_prior *prior = &param->prior;
	double low, high;

	if (prior->kind == MB_PRIOR_NONE)
		return place;
	if (prior->kind == MB_PRIOR_BETA)
		return mb_beta_cdf(prior->a, prior->b, place);
	mb_prior_ends(param, &low, &high);
	return mb_truncated_cdf((low - prior->a) / prior->b, (high - prior->a) / prior->b,
				(low + place * (high - low) - prior->a) / prior->b);
}
