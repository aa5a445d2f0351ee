/* SPDX-License-Identifier: MIT
 *
 * The small pieces of base: text, errors, hashes, lines, files, identity, time.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/* A fresh folder, removed with all that is in it when the test program ends. */
static const char *folder(void)
{
	static char path[64];

	if (!path[0]) {
		snprintf(path, sizeof path, "/tmp/mb-test-XXXXXX");
		if (!mkdtemp(path))
			abort();
	}
	return path;
}

static char *in_folder(const char *name)
{
	return mb_path_join(folder(), name);
}

__attribute__((destructor)) static void remove_folder(void)
{
	static const char *const names[] = {"a", "b", "big", "a/b/c", "a/b", "a", "file"};

	for (size_t i = 0; i < MB_COUNT(names); i++) {
		char *path = in_folder(names[i]);

		if (unlink(path) < 0)
			rmdir(path);
		free(path);
	}
	rmdir(folder());
}

/* ---- text and errors ---- */

TEST(growing_text)
{
	struct mb_str str = {0};
	char *taken;

	mb_str_adds(&str, "");
	CHECK_TEXT(str.at, "");
	for (int i = 0; i < 10000; i++)
		mb_str_addf(&str, "%d,", i);
	CHECK_INT(str.n, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5);
	CHECK_INT(strlen(str.at), str.n);
	CHECK_TEXT(str.at + str.n - 5, "9999,");
	mb_str_clear(&str);
	CHECK_TEXT(str.at, "");
	mb_str_add(&str, "a\0b", 3);
	CHECK_INT(str.n, 3);
	CHECK(!memcmp(str.at, "a\0b", 4));
	taken = mb_str_take(&str);
	CHECK(!memcmp(taken, "a\0b", 4) && !str.at && !str.n);
	free(taken);
	taken = mb_str_take(&str); /* never NULL */
	CHECK_TEXT(taken, "");
	free(taken);
	taken = mb_textf("%s-%03d", "x", 7);
	CHECK_TEXT(taken, "x-007");
	free(taken);
}

TEST(nearest_word)
{
	static const char *const words[] = {"learning_rate", "batch_size", "beta1", "beta2", "x", "seed", NULL};

	CHECK_TEXT(mb_nearest("learning_rat", words), "learning_rate");
	CHECK_TEXT(mb_nearest("learningrate", words), "learning_rate");
	CHECK_TEXT(mb_nearest("learnign_rate", words), "learning_rate");
	CHECK_TEXT(mb_nearest("batchsize", words), "batch_size");
	CHECK_TEXT(mb_nearest("beta2", words), "beta2");
	CHECK_TEXT(mb_nearest("sed", words), "seed");
	CHECK(!mb_nearest("optimizer", words));
	CHECK(!mb_nearest("q", words)); /* nothing in common with x */
	CHECK(!mb_nearest("", words));
	CHECK(!mb_nearest("a_name_that_is_far_longer_than_any_of_the_sixty_three_characters_here", words));
	CHECK(!mb_nearest("x", (const char *const[]){NULL}));
}

TEST(errors)
{
	struct mb_err err;
	struct mb_errs errs = {0};
	char text[2100], big[3000];

	CHECK_INT(mb_err_set(&err, MB_EXIT_USAGE, "exp.yaml:3", "seed: %d is not >= 0", -1), -1);
	CHECK_TEXT(mb_err_text(&err, text, sizeof text), "exp.yaml:3: seed: -1 is not >= 0");
	CHECK_INT(mb_err_hint(&err, "leave it out"), -1);
	CHECK_TEXT(mb_err_text(&err, text, sizeof text), "exp.yaml:3: seed: -1 is not >= 0 (leave it out)");
	CHECK_INT(mb_errs_add(&errs, &err), -1);
	errno = ENOENT;
	CHECK_INT(mb_err_errno(&err, "a/b", NULL), -1);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK_TEXT(mb_err_text(&err, text, sizeof text), "a/b: No such file or directory"); /* and no hint left over */
	errno = EACCES;
	mb_err_errno(&err, NULL, "open");
	CHECK_TEXT(mb_err_text(&err, text, sizeof text), "open: Permission denied");
	memset(big, 'y', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	mb_err_set(&err, MB_EXIT_USAGE, big, "%s", big); /* cut, not overrun */
	mb_err_hint(&err, "%s", big);
	mb_err_text(&err, text, sizeof text);
	mb_err_text(&err, text, 10);
	CHECK_TEXT(text, "yyyyyyyyy");
	mb_errs_add(&errs, &err);
	CHECK_INT(errs.n, 2);
	CHECK_TEXT(errs.at[0].hint, "leave it out");
	mb_errs_release(&errs);
	CHECK(!errs.at && !errs.n);
}

/* ---- hashes ---- */

/* SplitMix64 from state 0, the published first outputs of the generator (also those of Java's SplittableRandom). */
TEST(mix_is_splitmix64)
{
	CHECK(mb_hash_mix(0) == 0xE220A8397B1DCDAFu);
	CHECK(mb_hash_mix(0x9E3779B97F4A7C15u) == 0x6E789E6AA1B965F4u);
	CHECK(mb_hash_mix(0x9E3779B97F4A7C15u * 2) == 0x06C45D188009454Fu);
}

TEST(digests_see_every_bit_and_length)
{
	struct mb_hashset seen = {0};
	unsigned char bytes[200] = {0};
	size_t count = 0, all = 0;

	for (size_t n = 0; n <= sizeof bytes; n++) { /* zeros of each length */
		count += mb_hashset_add(&seen, mb_hash_bytes(bytes, n, 0));
		all++;
	}
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		count += mb_hashset_add(&seen, mb_hash_bytes(bytes, sizeof bytes, 0));
		bytes[bit / 8] ^= 1 << bit % 8;
		all++;
	}
	for (uint64_t seed = 1; seed < 100; seed++, all++)
		count += mb_hashset_add(&seen, mb_hash_bytes(bytes, sizeof bytes, seed));
	CHECK_INT(count, all);
	for (size_t i = 0; i < 65; i++) { /* blocks of eight words that trade places */
		memset(bytes, 0, sizeof bytes);
		bytes[i] = 1;
		bytes[i + 64] = 2;
		count += mb_hashset_add(&seen, mb_hash_bytes(bytes, sizeof bytes, 0));
		bytes[i] = 2;
		bytes[i + 64] = 1;
		count += mb_hashset_add(&seen, mb_hash_bytes(bytes, sizeof bytes, 0));
		all += 2;
	}
	CHECK_INT(count, all);
	mb_hashset_release(&seen);
}

TEST(half_the_bits_of_a_digest_change)
{
	unsigned char bytes[100] = {0};
	uint64_t before = mb_hash_bytes(bytes, sizeof bytes, 3);
	unsigned changed = 0;

	for (size_t bit = 0; bit < 800; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		changed += (unsigned)__builtin_popcountll(mb_hash_bytes(bytes, sizeof bytes, 3) ^ before);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	CHECK_NEAR(changed / 800.0, 32, 5 * 4 / sqrt(800)); /* binomial: standard deviation 4 each */
}

TEST(a_set_of_keys)
{
	enum { SEED = 9, N = 100000, RANGE = 50000 };
	unsigned char *have = mb_alloc(RANGE);
	struct mb_hashset set = {0};
	struct mb_rng rng;
	size_t n = 0;

	printf("# seed %d\n", SEED);
	mb_rng_init(&rng, SEED, 0, MB_RNG_SUGGEST);
	CHECK(!mb_hashset_has(&set, 0) && !mb_hashset_has(&set, 5));
	for (int i = 0; i < N; i++) {
		uint64_t key = mb_rng_below(&rng, RANGE); /* 0 among them */

		CHECK_INT(mb_hashset_has(&set, key), have[key]);
		CHECK_INT(mb_hashset_add(&set, key), !have[key]);
		n += !have[key];
		have[key] = 1;
	}
	CHECK_INT(set.n + (size_t)set.has_zero, n);
	for (uint64_t key = 0; key < RANGE; key++)
		CHECK_INT(mb_hashset_has(&set, key), have[key]);
	CHECK(!mb_hashset_has(&set, UINT64_MAX));
	CHECK(mb_hashset_add(&set, UINT64_MAX) && !mb_hashset_add(&set, UINT64_MAX));
	free(have);
	mb_hashset_release(&set);
	CHECK(!mb_hashset_has(&set, 1));
}

/* ---- lines ---- */

/* Writes `text` to a pipe in pieces of `piece` bytes from a child; the reading end. */
static int feed(const char *text, size_t n, size_t piece)
{
	int ends[2];

	if (pipe(ends) < 0)
		abort();
	fflush(stdout);
	if (fork() == 0) {
		close(ends[0]);
		for (size_t at = 0; at < n; at += piece)
			if (mb_write_all(ends[1], text + at, piece < n - at ? piece : n - at) < 0)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

TEST(lines_as_they_come)
{
	static const char text[] = "one\n\ntwo\0x\n  three \r\nlast";
	static const struct {
		const char *text;
		size_t n;
	} want[] = {{"one", 3}, {"", 0}, {"two\0x", 5}, {"  three \r", 9}, {"last", 4}};

	for (size_t piece = 1; piece < sizeof text; piece++) {
		struct mb_lines lines;
		struct mb_line line;

		mb_lines_init(&lines, feed(text, sizeof text - 1, piece));
		for (size_t i = 0; i < MB_COUNT(want); i++) {
			CHECK_INT(mb_lines_next(&lines, &line), MB_LINE);
			CHECK_INT(line.n, want[i].n);
			CHECK(!memcmp(line.text, want[i].text, want[i].n + 1)); /* with its NUL */
			CHECK_INT(line.number, i + 1);
			CHECK_INT(line.whole, i + 1 < MB_COUNT(want));
		}
		CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_END);
		CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_END);
		close(lines.fd);
		mb_lines_release(&lines);
		wait(NULL);
	}
}

TEST(no_lines_and_a_last_newline)
{
	static const char *const texts[] = {"", "\n", "a\n"};

	for (int i = 0; i < 3; i++) {
		struct mb_lines lines;
		struct mb_line line;

		mb_lines_init(&lines, feed(texts[i], strlen(texts[i]), 1));
		if (i) {
			CHECK_INT(mb_lines_next(&lines, &line), MB_LINE);
			CHECK_INT(line.n, i - 1);
			CHECK(line.whole);
		}
		CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_END);
		close(lines.fd);
		mb_lines_release(&lines);
		wait(NULL);
	}
}

TEST(many_and_very_long_lines)
{
	enum { N = 300 };
	struct mb_str text = {0};
	struct mb_lines lines;
	struct mb_line line;

	for (int i = 0; i < N; i++) { /* up to 450 kB, across several reads */
		for (int k = 0; k < i * i * 5; k++)
			mb_str_add(&text, &"abcdefghijklmnop"[(i + k) & 15], 1);
		mb_str_adds(&text, "\n");
	}
	mb_lines_init(&lines, feed(text.at, text.n, 1 << 20));
	for (int i = 0; i < N; i++) {
		int wrong = 0;

		CHECK_INT(mb_lines_next(&lines, &line), MB_LINE);
		CHECK_INT(line.n, i * i * 5);
		CHECK_INT(line.number, i + 1);
		for (int k = 0; k < i * i * 5 && line.n == (size_t)(i * i * 5); k++)
			wrong += line.text[k] != "abcdefghijklmnop"[(i + k) & 15];
		CHECK_INT(wrong, 0);
	}
	CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_END);
	close(lines.fd);
	mb_lines_release(&lines);
	mb_str_release(&text);
	wait(NULL);
}

TEST(lines_without_blocking)
{
	struct mb_lines lines;
	struct mb_line line;
	int ends[2];

	CHECK_INT(pipe2(ends, O_NONBLOCK), 0);
	mb_lines_init(&lines, ends[0]);
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE_NONE);
	CHECK_INT(mb_lines_fill(&lines), MB_LINE_NONE);
	CHECK_INT(mb_write_all(ends[1], "ab", 2), 0);
	CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_NONE);
	CHECK_INT(mb_write_all(ends[1], "c\nd\ne", 5), 0);
	CHECK_INT(mb_lines_fill(&lines), MB_LINE);
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE);
	CHECK_TEXT(line.text, "abc");
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE);
	CHECK_TEXT(line.text, "d");
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE_NONE);
	close(ends[1]);
	CHECK_INT(mb_lines_fill(&lines), MB_LINE_END);
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE);
	CHECK_TEXT(line.text, "e");
	CHECK(!line.whole);
	CHECK_INT(mb_lines_buffered(&lines, &line), MB_LINE_END);
	close(ends[0]);
	mb_lines_release(&lines);

	mb_lines_init(&lines, -1);
	CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_ERROR);
	CHECK_INT(lines.error, EBADF);
	CHECK_INT(mb_lines_next(&lines, &line), MB_LINE_ERROR);
	mb_lines_release(&lines);
}

/* ---- files ---- */

TEST(reading_files)
{
	char *path = in_folder("a");
	struct mb_str text = {0};
	struct mb_err err;

	CHECK_INT(mb_file_read(path, 0, &text, &err), -1);
	CHECK_INT(err.code, MB_EXIT_SYSTEM);
	CHECK_TEXT(err.where, path);
	CHECK_TEXT(err.what, "No such file or directory");
	CHECK_INT(mb_file_read(folder(), 0, &text, &err), -1);
	CHECK_TEXT(err.what, "Is a directory");
	mb_str_clear(&text);
	CHECK_INT(mb_file_replace(path, "0123456789", 10, 0, &err), 0);
	mb_str_adds(&text, "> ");
	CHECK_INT(mb_file_read(path, 10, &text, &err), 0);
	CHECK_TEXT(text.at, "> 0123456789");
	mb_str_clear(&text);
	CHECK_INT(mb_file_read(path, 9, &text, &err), -1);
	CHECK_TEXT(err.what, "larger than 9 bytes");
	mb_str_clear(&text);
	CHECK_INT(mb_file_replace(path, "", 0, 1, &err), 0);
	CHECK_INT(mb_file_read(path, 0, &text, &err), 0);
	CHECK_TEXT(text.at, "");
	mb_str_release(&text);
	CHECK_INT(mb_file_read("/dev/null", 0, &text, &err), 0);
	CHECK_TEXT(text.at, ""); /* even when nothing was read */
	mb_str_release(&text);
	unlink(path);
	free(path);
}

/* A reader never sees a file half written, nor none at all, and nothing is left over. */
TEST(replacing_is_atomic)
{
	enum { N = 100000, ROUNDS = 200 };
	char *path = in_folder("big"), *bytes = mb_alloc(N);
	struct mb_str text = {0};
	struct mb_err err;
	int child, bad = 0, letters = 0;
	char seen = 0;

	memset(bytes, 'A', N);
	CHECK_INT(mb_file_replace(path, bytes, N, 0, &err), 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		for (int i = 0; i < ROUNDS; i++) {
			memset(bytes, 'A' + i % 26, N);
			if (mb_file_replace(path, bytes, N, 0, &err) < 0)
				_exit(1);
		}
		_exit(0);
	}
	do {
		mb_str_clear(&text);
		if (mb_file_read(path, 0, &text, &err) < 0 || text.n != N || text.at[0] != text.at[N - 1])
			bad++;
		else if (text.at[0] != seen)
			letters++, seen = text.at[0];
	} while (waitpid(child, NULL, WNOHANG) == 0);
	CHECK_INT(bad, 0);
	CHECK(letters > 1);
	unlink(path);
	free(path);
	free(bytes);
	mb_str_release(&text);
}

TEST(replacing_where_it_cannot_be)
{
	struct mb_err err;
	char *path = in_folder("a");

	CHECK_INT(mb_file_replace("/proc/nonexistent/file", "x", 1, 0, &err), -1);
	CHECK(strstr(err.where, "/proc/nonexistent/file") && err.code == MB_EXIT_SYSTEM);
	CHECK_INT(mkdir(path, 0777), 0);
	CHECK_INT(mb_file_replace(path, "x", 1, 0, &err), -1); /* a folder is in the way */
	CHECK_TEXT(err.where, path);
	CHECK_INT(rmdir(path), 0);
	CHECK_INT(mb_write_all(-1, "x", 1), -1);
	CHECK_INT(mb_write_all(-1, "x", 0), 0);
	rmdir(folder());
	CHECK_INT(mkdir(folder(), 0777), 0); /* it was empty: no temporary file stayed behind */
	free(path);
}

TEST(writing_waits_for_a_slow_reader)
{
	enum { N = 1 << 20 };
	char *bytes = mb_alloc(N);
	int ends[2], child, status;

	CHECK_INT(pipe2(ends, O_NONBLOCK), 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		char chunk[4096];
		ssize_t got, sum = 0;

		close(ends[1]);
		fcntl(ends[0], F_SETFL, 0);
		usleep(50000);
		while ((got = read(ends[0], chunk, sizeof chunk)) > 0)
			sum += got;
		_exit(sum != N);
	}
	close(ends[0]);
	CHECK_INT(mb_write_all(ends[1], bytes, N), 0);
	close(ends[1]);
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	free(bytes);
}

TEST(folders_and_paths)
{
	char *path = in_folder("a/b/c"), *slash = in_folder("a/b/"), *file = in_folder("file"), *below;
	static const char *const dirs[][2] = {{"a/b.c", "a"}, {"b.c", "."}, {"/b", "/"}, {"/a/b", "/a"}, {"./x", "."}};
	static const char *const joins[][3] = {{"dir", "name", "dir/name"}, {"dir/", "name", "dir/name"},
					       {".", "name", "name"}, {"dir", "/abs", "/abs"}, {"/", "x", "/x"}};
	struct stat stat_of;
	struct mb_err err;

	CHECK_INT(mb_mkdirs(path, &err), 0);
	CHECK(stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode));
	CHECK_INT(mb_mkdirs(path, &err), 0); /* already there */
	CHECK_INT(mb_mkdirs(slash, &err), 0);
	CHECK_INT(mb_mkdirs("/", &err), 0);
	CHECK_INT(mb_mkdirs(".", &err), 0);
	CHECK_INT(mb_mkdirs("", &err), -1);
	CHECK_INT(mb_file_replace(file, "x", 1, 0, &err), 0);
	CHECK_INT(mb_mkdirs(file, &err), -1); /* a file is in the way */
	CHECK_TEXT(err.where, file);
	below = mb_path_join(file, "x");
	CHECK_INT(mb_mkdirs(below, &err), -1);
	for (size_t i = 0; i < MB_COUNT(dirs); i++) {
		char *dir = mb_path_dir(dirs[i][0]);

		CHECK_TEXT(dir, dirs[i][1]);
		free(dir);
	}
	for (size_t i = 0; i < MB_COUNT(joins); i++) {
		char *joined = mb_path_join(joins[i][0], joins[i][1]);

		CHECK_TEXT(joined, joins[i][2]);
		free(joined);
	}
	CHECK_TEXT(mb_path_name("a/b.c"), "b.c");
	CHECK_TEXT(mb_path_name("b.c"), "b.c");
	free(path);
	free(slash);
	free(file);
	free(below);
}

/* ---- who and when ---- */

TEST(identity)
{
	struct mb_ident self, other;
	struct mb_err err;
	int child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	CHECK_INT(mb_ident_self(&self, &err), 0);
	CHECK_INT(self.pid, getpid());
	CHECK_INT(strlen(self.boot_id), 36);
	CHECK(self.host[0] && self.pid_ns && self.start_ticks > 0);
	CHECK(mb_ident_equal(&self, &self) && mb_ident_visible(&self, &self) && mb_ident_alive(&self));

	other = self;
	other.start_ticks++; /* the pid was given to another process */
	CHECK(!mb_ident_alive(&other) && !mb_ident_equal(&self, &other) && mb_ident_visible(&self, &other));
	other = self;
	other.pid_ns++;
	CHECK(!mb_ident_visible(&self, &other));
	other = self;
	other.host[0] ^= 1;
	CHECK(!mb_ident_visible(&self, &other));
	other = self;
	other.boot_id[0] ^= 1;
	CHECK(!mb_ident_visible(&self, &other));
	other = self;
	other.pid = 1 << 30;
	CHECK(!mb_ident_alive(&other));

	other = self;
	other.pid = child;
	for (other.start_ticks = self.start_ticks; other.start_ticks < self.start_ticks + 1000; other.start_ticks++)
		if (mb_ident_alive(&other))
			break;
	CHECK(mb_ident_alive(&other));
	kill(child, SIGSTOP);
	CHECK(mb_ident_alive(&other)); /* stopped is alive */
	kill(child, SIGKILL);
	usleep(20000);
	CHECK(!mb_ident_alive(&other)); /* a zombie is not */
	waitpid(child, NULL, 0);
	CHECK(!mb_ident_alive(&other));
}

TEST(clocks)
{
	double now = mb_clock_now_s(), start = mb_clock_monotonic_s(), cpu = mb_clock_cpu_s();

	CHECK_NEAR(now, (double)time(NULL), 2);
	usleep(20000);
	CHECK(mb_clock_monotonic_s() - start >= 0.02);
	CHECK_NEAR(mb_clock_now_s() - now, mb_clock_monotonic_s() - start, 0.005);
	CHECK(mb_clock_cpu_s() - cpu < 0.015);
}

TEST_MAIN
