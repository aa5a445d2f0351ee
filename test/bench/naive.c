/* SPDX-License-Identifier: MIT
 *
 * The mark that the trainer is measured against: one epoch of the default job (48,000 images of 28×28, batches of
 * 512, Adam with L2) as one would first write it with OpenBLAS. Images resident as float; gather the batch's rows,
 * sgemm, bias and ReLU, sgemm, softmax, sgemm back, Adam. Uses nothing of mb, and is compiled with the same flags.
 *
 *     naive [HIDDEN]...          prints "HIDDEN MILLISECONDS", CPU time of the best of 5 epochs
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 48000, INPUTS = 784, CLASSES = 10, BATCH = 512, EPOCHS = 5, NO = 111, TR = 112 };

static void (*sgemm)(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
		     const float *b, int ldb, float beta, float *c, int ldc);

static void gemm(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float *c)
{
	sgemm(101, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, c, n);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static float *numbers(size_t n)
{
	float *at = calloc(n, sizeof *at);

	if (!at)
		exit(4);
	return at;
}

static void adam(float *p, const float *g, float *m, float *v, int n, int t)
{
	float c1 = 1 - powf(0.9f, (float)t), c2 = 1 - powf(0.999f, (float)t);

	for (int i = 0; i < n; i++) {
		float d = g[i] + 1e-6f * p[i];

		m[i] = 0.9f * m[i] + 0.1f * d;
		v[i] = 0.999f * v[i] + 0.001f * d * d;
		p[i] -= 1e-3f * (m[i] / c1) / (sqrtf(v[i] / c2) + 1e-8f);
	}
}

struct net {
	int hidden, t;
	float *x, *h, *z, *dh;                /* the batch */
	float *w1, *b1, *w2, *b2;             /* in one block: param */
	float *param, *grad, *m, *v;
	int n;
};

static double step(struct net *s, const float *images, const unsigned char *labels, const int *order, int rows)
{
	int hidden = s->hidden, w1 = INPUTS * hidden, w2 = w1 + hidden, b2 = w2 + hidden * CLASSES;
	double loss = 0;

	for (int i = 0; i < rows; i++)
		memcpy(s->x + (size_t)i * INPUTS, images + (size_t)order[i] * INPUTS, INPUTS * sizeof(float));
	gemm(NO, NO, rows, hidden, INPUTS, s->x, INPUTS, s->param, hidden, s->h);
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < hidden; j++) {
			float a = s->h[i * hidden + j] + s->param[w1 + j];

			s->h[i * hidden + j] = a > 0 ? a : 0;
		}
	gemm(NO, NO, rows, CLASSES, hidden, s->h, hidden, s->param + w2, CLASSES, s->z);
	for (int i = 0; i < rows; i++) {
		float *z = s->z + i * CLASSES, top = -1e30f, sum = 0;

		for (int c = 0; c < CLASSES; c++) {
			z[c] += s->param[b2 + c];
			top = z[c] > top ? z[c] : top;
		}
		for (int c = 0; c < CLASSES; c++)
			sum += z[c] = expf(z[c] - top);
		loss -= log(z[labels[order[i]]] / sum);
		for (int c = 0; c < CLASSES; c++)
			z[c] = (z[c] / sum - (c == labels[order[i]])) / (float)rows;
	}
	gemm(TR, NO, hidden, CLASSES, rows, s->h, hidden, s->z, CLASSES, s->grad + w2);
	gemm(NO, TR, rows, hidden, CLASSES, s->z, CLASSES, s->param + w2, CLASSES, s->dh);
	memset(s->grad + w1, 0, (size_t)hidden * sizeof(float));
	memset(s->grad + b2, 0, CLASSES * sizeof(float));
	for (int i = 0; i < rows; i++) {
		for (int c = 0; c < CLASSES; c++)
			s->grad[b2 + c] += s->z[i * CLASSES + c];
		for (int j = 0; j < hidden; j++) {
			if (!(s->h[i * hidden + j] > 0))
				s->dh[i * hidden + j] = 0;
			s->grad[w1 + j] += s->dh[i * hidden + j];
		}
	}
	gemm(TR, NO, INPUTS, hidden, rows, s->x, INPUTS, s->dh, hidden, s->grad);
	adam(s->param, s->grad, s->m, s->v, s->n, ++s->t);
	return loss;
}

static double best_epoch_ms(int hidden, const float *images, const unsigned char *labels, int *order)
{
	struct net s = {.hidden = hidden, .n = INPUTS * hidden + hidden + hidden * CLASSES + CLASSES};
	double best = 1e30;

	s.x = numbers((size_t)BATCH * INPUTS), s.h = numbers((size_t)BATCH * (size_t)hidden);
	s.dh = numbers((size_t)BATCH * (size_t)hidden), s.z = numbers(BATCH * CLASSES);
	s.param = numbers((size_t)s.n), s.grad = numbers((size_t)s.n), s.m = numbers((size_t)s.n);
	s.v = numbers((size_t)s.n);
	for (int i = 0; i < s.n; i++)
		s.param[i] = ((float)rand() / (float)RAND_MAX - 0.5f) / 14;
	for (int e = 0; e < EPOCHS; e++) {
		double start = cpu_ms(), took;

		for (int i = N - 1; i > 0; i--) {
			int j = rand() % (i + 1), held = order[i];

			order[i] = order[j];
			order[j] = held;
		}
		for (int at = 0; at < N; at += BATCH)
			step(&s, images, labels, order + at, N - at < BATCH ? N - at : BATCH);
		took = cpu_ms() - start;
		best = took < best ? took : best;
	}
	free(s.x), free(s.h), free(s.dh), free(s.z), free(s.param), free(s.grad), free(s.m), free(s.v);
	return best;
}

int main(int argc, char **argv)
{
	float *images = numbers((size_t)N * INPUTS);
	unsigned char *labels = calloc(N, 1);
	int *order = calloc(N, sizeof *order);
	void *blas, *found;

	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	blas = dlopen("libopenblas.so.0", RTLD_NOW);
	found = blas ? dlsym(blas, "cblas_sgemm") : NULL;
	if (!found || !labels || !order) {
		fputs("naive: OpenBLAS is needed: apt-get install libopenblas0\n", stderr);
		return 4;
	}
	memcpy(&sgemm, &found, sizeof sgemm);
	for (int i = 0; i < N; i++) {
		order[i] = i;
		labels[i] = (unsigned char)(i % CLASSES);
		for (int j = 0; j < INPUTS; j++)
			images[(size_t)i * INPUTS + j] = rand() % 2 ? (float)(rand() % 256) / 255 : 0;
	}
	for (int i = 1; i < (argc > 1 ? argc : 2); i++) {
		int hidden = argc > 1 ? (int)strtol(argv[i], NULL, 10) : 15;

		if (hidden > 0)
			printf("%d %.1f\n", hidden, best_epoch_ms(hidden, images, labels, order));
	}
	free(images), free(labels), free(order);
	return 0;
}
