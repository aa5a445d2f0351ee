/* SPDX-License-Identifier: MIT
 *
 * The room `stat`: numerical statistics that know nothing of experiments. Stands on base and data.
 */
#ifndef MB_STAT_STAT_H
#define MB_STAT_STAT_H

#include "stat/classify.h"
#include "stat/ehvi.h"
#include "stat/cma.h"
#include "stat/ei.h"
#include "stat/gp.h"
#include "stat/lbfgs.h"
#include "stat/linalg.h"
#include "stat/matern.h"
#include "stat/pareto.h"
#include "stat/parzen.h"
#include "stat/sobol.h"
#include "stat/standard.h"
#include "stat/summary.h"

#endif
