/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "opt/algorithm.h"
#include "opt/cmaes.h"

struct mb_cache *mb_cache_new(void)
{
	return mb_alloc(sizeof(struct mb_cache));
}

void mb_cache_free(struct mb_cache *cache)
{
	if (cache)
		mb_cmaes_free(cache->cmaes);
	free(cache);
}
