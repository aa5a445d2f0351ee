/* SPDX-License-Identifier: MIT
 *
 * The room `data`: the experiment file, the search space, the record and the log. Stands on base alone.
 */
#ifndef MB_DATA_DATA_H
#define MB_DATA_DATA_H

#include "data/experiment.h"
#include "data/feasible.h"
#include "data/holder.h"
#include "data/holders.h"
#include "data/json.h"
#include "data/ladder.h"
#include "data/log.h"
#include "data/record.h"
#include "data/space.h"
#include "data/yaml.h"

#endif
