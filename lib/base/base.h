/* SPDX-License-Identifier: MIT
 *
 * The room `base`: what every program needs and no hyperparameter knows of. It calls nothing but the C library.
 */
#ifndef MB_BASE_BASE_H
#define MB_BASE_BASE_H

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/cores.h"
#include "base/dist.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ident.h"
#include "base/lines.h"
#include "base/lock.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/rng.h"
#include "base/str.h"

#endif
