/* SPDX-License-Identifier: MIT
 *
 * Initial weights, by layer, from the trial's seed.
 *
 *     pytorch         weights and biases uniform in ±1/√fan_in (torch.nn.Linear's default)
 *     he_normal       normal, deviation √(2/fan_in)             (He et al., ICCV 2015, equation 10); "he" is the same
 *     he_uniform      uniform in ±√(6/fan_in)
 *     glorot_normal   normal, deviation √(2/(fan_in + fan_out))   (Glorot and Bengio, AISTATS 2010, equation 16)
 *     glorot_uniform  uniform in ±√(6/(fan_in + fan_out)); "glorot" is the same
 *
 * Biases are zero in all but the first.
 */
#ifndef MB_NN_INIT_H
#define MB_NN_INIT_H

#include <stddef.h>
#include <stdint.h>

enum mb_init {
	MB_INIT_PYTORCH,
	MB_INIT_HE_NORMAL,
	MB_INIT_HE_UNIFORM,
	MB_INIT_GLOROT_NORMAL,
	MB_INIT_GLOROT_UNIFORM,
	MB_INIT_HE,
	MB_INIT_GLOROT
};

extern const char *const mb_init_names[]; /* in the enum's order, NULL-terminated */

struct mb_mlp;

/* Sets all weights and biases; gamma and running variance to 1, beta and running mean to 0. */
void mb_init_mlp(struct mb_mlp *net, enum mb_init init, uint64_t seed);

#endif
