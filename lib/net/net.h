/* SPDX-License-Identifier: MIT
 *
 * The room `net`: requests to a service elsewhere. Stands on base.
 */
#ifndef MB_NET_NET_H
#define MB_NET_NET_H

#include "net/backoff.h"
#include "net/http.h"

#endif
