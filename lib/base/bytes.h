/* SPDX-License-Identifier: MIT
 *
 * Amounts of memory as people write them: "512M", "1.5 GB", "2GiB". The units are those of GNU's tools: kB, MB, GB,
 * TB are powers of 1000; K, M, G, T and KiB, MiB, GiB, TiB powers of 1024; no unit is bytes.
 */
#ifndef MB_BASE_BYTES_H
#define MB_BASE_BYTES_H

#include <stdint.h>

#define MB_BYTES_TEXT 32

/* 0, or -1 when it is no amount from 1 byte to 2^62. Blanks before the unit and the case of letters do not matter. */
int mb_bytes_parse(const char *text, int64_t *bytes);

/* "1 GB", "1.25 GiB": at most three digits after the point, in powers of 1024 where that is a shorter text; returns
 * text. */
char *mb_bytes_print(int64_t bytes, char text[MB_BYTES_TEXT]);

/* "1.2 GB": one digit after the point, in the kind of units in which mb_bytes_print shows `like`; returns text. */
char *mb_bytes_round(int64_t bytes, int64_t like, char text[MB_BYTES_TEXT]);

#endif
