/* SPDX-License-Identifier: MIT
 *
 * The built-in data set: the ten digits as strokes, moved, scaled, slanted, of varying thickness and ink, in noise.
 * Made for tests that must not depend on files: small, quick, and neither trivial nor hopeless for a small network.
 * Drawn with nothing but the four operations and square roots, so every machine gets the same bytes.
 */
#include <math.h>
#include <string.h>

#include "nn/images.h"

enum { DIGITS = 10, SIDE = 28, N_TRAIN = 2000, N_TEST = 500, FINE = 64, MAX_POINTS = 12 };

/* Strokes in a box of 100 × 100, y downwards; a negative x lifts the pen. */
static const signed char glyphs[DIGITS][MAX_POINTS][2] = {
	{{50, 5}, {80, 20}, {85, 50}, {80, 80}, {50, 95}, {20, 80}, {15, 50}, {20, 20}, {50, 5}, {-1, 0}},
	{{30, 25}, {55, 5}, {55, 95}, {-1, 0}, {35, 95}, {75, 95}, {-1, 0}},
	{{18, 25}, {35, 8}, {65, 8}, {80, 28}, {65, 52}, {18, 95}, {85, 95}, {-1, 0}},
	{{20, 10}, {75, 10}, {45, 42}, {75, 52}, {80, 75}, {55, 95}, {18, 85}, {-1, 0}},
	{{70, 95}, {70, 5}, {15, 65}, {88, 65}, {-1, 0}},
	{{80, 6}, {28, 6}, {22, 45}, {60, 40}, {82, 62}, {70, 90}, {18, 92}, {-1, 0}},
	{{72, 6}, {38, 30}, {18, 65}, {35, 94}, {68, 92}, {82, 68}, {60, 48}, {22, 62}, {-1, 0}},
	{{15, 8}, {85, 8}, {45, 95}, {-1, 0}, {35, 50}, {75, 50}, {-1, 0}},
	{{50, 48}, {22, 28}, {50, 5}, {78, 28}, {50, 48}, {18, 74}, {50, 96}, {82, 74}, {50, 48}, {-1, 0}},
	{{78, 38}, {48, 52}, {20, 32}, {42, 6}, {74, 12}, {78, 38}, {70, 75}, {40, 96}, {-1, 0}},
};

static float segment_distance(float x, float y, const signed char a[2], const signed char b[2])
{
	float ax = (float)a[0] / 100, ay = (float)a[1] / 100;
	float dx = (float)b[0] / 100 - ax, dy = (float)b[1] / 100 - ay;
	float t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);

	t = t < 0 ? 0 : t > 1 ? 1 : t;
	x -= ax + t * dx;
	y -= ay + t * dy;
	return sqrtf(x * x + y * y);
}

/* far[v][u]: distance to the nearest stroke of the point (u, v), in 1/255 of the box, at most 255. */
static void draw_map(const signed char glyph[MAX_POINTS][2], uint8_t far[FINE][FINE])
{
	for (int v = 0; v < FINE; v++)
		for (int u = 0; u < FINE; u++) {
			float x = ((float)u + 0.5f) / FINE, y = ((float)v + 0.5f) / FINE, best = 1;

			for (int i = 0; i + 1 < MAX_POINTS; i++) {
				float d;

				if (glyph[i][0] < 0 || glyph[i + 1][0] <= 0)
					continue;
				d = segment_distance(x, y, glyph[i], glyph[i + 1]);
				best = d < best ? d : best;
			}
			far[v][u] = (uint8_t)(best * 255);
		}
}

static float between(struct mb_rng *rng, float low, float high)
{
	return low + (high - low) * (float)mb_rng_unit(rng);
}

/* How one image is bent out of its glyph: pixel (x, y) shows the point (u, v) of the map, in 1/65536 of its cells.
 * Ink falls off with the distance from the stroke (ramp), and each pixel gets its own noise. */
static void draw_image(struct mb_rng *rng, const uint8_t far[FINE][FINE], uint8_t *image)
{
	const float width = between(rng, 15, 20), height = between(rng, 17, 22), slant = between(rng, -0.25f, 0.25f);
	const float x0 = SIDE / 2.0f + between(rng, -1.3f, 1.3f), y0 = SIDE / 2.0f + between(rng, -1.3f, 1.3f);
	const int blurred = mb_rng_below(rng, 6) == 0; /* these few keep any network from being perfect */
	const float thick = between(rng, 1.6f, 2.5f), ink = blurred ? between(rng, 30, 90) : between(rng, 215, 255);
	const int noise = (int)(blurred ? between(rng, 250, 500) : between(rng, 20, 90));
	const int right = (int)(65536 * FINE / width);
	uint8_t ramp[256];
	uint32_t bits = 0;

	for (int d = 0; d < 256; d++) {
		float level = thick + 0.5f - (float)d / 255 * (width + height) / 2;

		ramp[d] = (uint8_t)((level < 0 ? 0 : level > 1 ? 1 : level) * ink);
	}
	for (int y = 0; y < SIDE; y++) {
		const float down = ((float)y + 0.5f - y0) / height;
		const int v = (int)((down + 0.5f) * FINE + FINE) - FINE;
		int u = (int)(65536 * FINE * ((0.5f - x0) / width + slant * down + 0.5f));

		for (int x = 0; x < SIDE; x++, u += right) {
			int level = 0;

			if (v >= 0 && v < FINE && u >= 0 && u < FINE * 65536)
				level = ramp[far[v][u / 65536]];
			bits = x % 4 ? bits >> 8 : mb_rng_u32(rng);
			level += noise * ((int)(bits & 255) - 128) / 256;
			image[y * SIDE + x] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
		}
	}
}

static void draw_part(const uint8_t maps[DIGITS][FINE][FINE], uint64_t first, size_t n, uint8_t *images,
		      uint16_t *labels)
{
	for (size_t i = 0; i < n; i++) {
		struct mb_rng rng;

		mb_rng_init(&rng, 0, first + i, MB_RNG_DIGITS);
		labels[i] = (uint16_t)(i % DIGITS);
		draw_image(&rng, maps[labels[i]], images + i * SIDE * SIDE);
	}
}

int mb_digits_draw(struct mb_dataset *set, struct mb_err *err)
{
	static uint8_t maps[DIGITS][FINE][FINE]; /* the same whoever draws it */
	struct mb_images to;

	set->rows = set->cols = SIDE;
	set->n_train = N_TRAIN;
	set->n_test = N_TEST;
	if (mb_images_new(set, &to, err) < 0)
		return -1;
	for (int c = 0; c < DIGITS; c++)
		draw_map(glyphs[c], maps[c]);
	draw_part(maps, 0, N_TRAIN, to.train_x, to.train_y);
	draw_part(maps, N_TRAIN, N_TEST, to.test_x, to.test_y);
	mb_images_seal(set);
	return 0;
}
