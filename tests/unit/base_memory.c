/* Every allocation of base made to fail, one after another: nothing leaks (a sanitizer build sees to that), nothing is half
 * done, and the failure is told. The sources are compiled into this file with an allocator that can fail. */
#include "base/csv.h"
#include "base/faults.h"
#include "base/json_memory.h"
#include "base/json_read.h"
#include "base/json_tree.h"
#include "base/ndjson.h"

#include "tests/support/check_main.h"

#include <stdlib.h>
#include <string.h>

static long fails_at; /* the how-manieth allocation from now on fails, and only that; 0: none */
static long allocations;

static bool fails(void)
{
	return ++allocations == fails_at;
}

static void *failing_malloc(size_t n)
{
	return fails() ? NULL : malloc(n);
}

static void *failing_calloc(size_t n, size_t size)
{
	return fails() ? NULL : calloc(n, size);
}

static void *failing_realloc(void *p, size_t n)
{
	return fails() ? NULL : realloc(p, n);
}

static char *failing_strdup(const char *s)
{
	return fails() ? NULL : strdup(s);
}

#define malloc failing_malloc
#define calloc failing_calloc
#define realloc failing_realloc
#undef strdup
#define strdup failing_strdup
/* The sources below are one file here: what two of them call the same is told apart. */
#include "base/buf.c"
#include "base/faults.c"
#define emit csv_emit
#define keep csv_keep
#define MARK_BYTES CSV_MARK_BYTES
#include "base/csv.c"
#undef emit
#undef keep
#undef MARK_BYTES
#include "base/json_memory.c"
#include "base/ndjson.c"
#undef malloc
#undef calloc
#undef realloc
#undef strdup

/* Runs a scenario once for each allocation that it makes, failing that one; then without a failure. The scenario checks by
 * itself what must hold, and returns whether it was told of a failure. */
static void fail_each(bool (*scenario)(void))
{
	long told = 0;
	long n = 0;

	json_memory_watch(); /* jansson allocates through the file above from here on */
	for (bool more = true; more;) {
		fails_at = ++n;
		allocations = 0;
		bool failed = scenario();

		more = allocations >= n;
		told += failed;
		if (!more)
			ck_assert_msg(!failed, "told of a failure that was none");
	}
	fails_at = 0;
	ck_assert_int_gt(n, 1);
	ck_assert_int_gt(told, 0);
}

static bool appending(void)
{
	struct buf b = BUF_INIT(10000);
	size_t before = 0;

	for (int i = 0; i < 100 && !b.failed; i++) {
		before = b.len;
		buf_printf(&b, "%d,", i * 1000);
	}
	bool failed = b.failed;

	ck_assert_uint_eq(b.len, failed ? before : 587);
	char *text = buf_take(&b);

	ck_assert((text == NULL) == failed);
	free(text);
	return failed;
}

START_TEST(buf_fails_whole)
{
	fail_each(appending);
}
END_TEST

static bool listing(void)
{
	struct faults f = {0};
	struct buf out = BUF_INIT(100000);

	for (int i = 0; i < 10; i++)
		faults_add(&f, "/a", CODE_NUMBER_OUT_OF_RANGE, "1", "2", NULL);
	ck_assert_uint_eq(f.total, 10);
	bool failed = f.len < 10;

	for (size_t i = 0; i < f.len; i++)
		ck_assert(f.items[i].pointer && f.items[i].args[0] && f.items[i].args[1]);
	faults_json(&out, &f, LANG_EN);
	failed = failed || out.failed;
	buf_free(&out);
	faults_free(&f);
	return failed;
}

START_TEST(faults_count_what_they_cannot_keep)
{
	fail_each(listing);
}
END_TEST

static enum json_verdict read_text(const char *text, bool *kept)
{
	struct faults f = {0};
	json_t *tree = NULL;
	enum json_verdict verdict = json_read(text, strlen(text), 0, &tree, &f);

	ck_assert((tree != NULL) == (verdict == JSON_OK));
	ck_assert(verdict == JSON_OK || verdict == JSON_NO_MEMORY || faults_any(&f));
	*kept = f.len == f.total;
	json_decref(tree);
	faults_free(&f);
	return verdict;
}

static bool reading_json(void)
{
	bool kept;
	enum json_verdict verdict = read_text("{\"a\":[1,2.5,\"text\",{\"b\":null}],\"c\":{\"d\":\"\\u00e9\"}}", &kept);

	ck_assert(verdict == JSON_OK || verdict == JSON_NO_MEMORY);
	return verdict == JSON_NO_MEMORY;
}

/* A refusal may lose its words to a failure, never become acceptance. */
static bool refusing_json(void)
{
	bool kept;
	enum json_verdict verdict = read_text("{\"a\":[1,{\"b\":1,\"b\":2}],\"a\":3}", &kept);

	ck_assert(verdict == JSON_REFUSED || verdict == JSON_NO_MEMORY);
	return verdict == JSON_NO_MEMORY || !kept;
}

START_TEST(json_is_read_refused_or_told_to_be_too_much)
{
	fail_each(reading_json);
	fail_each(refusing_json);
}
END_TEST

static bool take_fields(void)
{
	struct faults f = {0};
	json_t *tree = json_loads("{\"a\":\"x\",\"b\":1}", 0, NULL);
	int64_t a = 0;
	const struct field fields[] = {{"a", FIELD_INT, &a, .required = true}};
	bool failed = !tree;

	if (tree) {
		ck_assert(!json_fields(tree, "", fields, 1, &f));
		ck_assert_uint_eq(f.total, 2);
		failed = f.len < 2;
	}
	json_decref(tree);
	faults_free(&f);
	return failed;
}

START_TEST(fields_stay_refused)
{
	fail_each(take_fields);
}
END_TEST

static bool writing_a_tree(void)
{
	json_t *tree = json_loads("{\"a\":[1,0.1,\"x\",true],\"b\":{}}", 0, NULL);
	struct buf out = BUF_INIT(1000);
	struct json_writer w = json_writer_on(&out);
	bool failed = !tree;

	if (tree) {
		jw_tree(&w, tree);
		failed = out.failed;
		ck_assert(failed || strcmp(out.data, "{\"a\":[1,0.10000000000000001,\"x\",true],\"b\":{}}") == 0);
	}
	json_decref(tree);
	buf_free(&out);
	return failed;
}

START_TEST(a_tree_is_written_whole_or_failed)
{
	fail_each(writing_a_tree);
}
END_TEST

static bool count_row(void *arg, const struct csv_row *row)
{
	ck_assert_int_eq(row->fault, CSV_SOUND);
	++*(size_t *)arg;
	return true;
}

static bool reading_csv(void)
{
	size_t rows = 0;
	struct csv *c = csv_new(count_row, &rows);
	enum csv_status status = CSV_GO_ON;

	if (!c)
		return true;
	for (int i = 0; i < 40 && status == CSV_GO_ON; i++) {
		status = csv_feed(c, "\"a \"\"quoted\"\" fie", 17);
		if (status == CSV_GO_ON)
			status = csv_feed(c, "ld, that is cut\",plain\n\"x\"\"y\",z\n", 32);
	}
	ck_assert_int_ne(status, CSV_STOPPED);
	if (status == CSV_GO_ON)
		status = csv_end(c);
	if (status == CSV_GO_ON)
		ck_assert_uint_eq(rows, 80);
	else
		ck_assert_int_eq(csv_end(c), CSV_NO_MEMORY);
	csv_free(c);
	return status != CSV_GO_ON;
}

START_TEST(csv_loses_no_row_silently)
{
	fail_each(reading_csv);
}
END_TEST

static bool count_value(void *arg, const struct ndjson_row *row)
{
	size_t *good_and_bad = arg;

	++good_and_bad[row->value == NULL];
	return true;
}

static bool reading_ndjson(void)
{
	size_t good_and_bad[2] = {0};
	struct ndjson *r = ndjson_new(count_value, good_and_bad);
	enum ndjson_status status = NDJSON_GO_ON;

	if (!r)
		return true;
	for (int i = 0; i < 3 && status == NDJSON_GO_ON; i++) {
		status = ndjson_feed(r, "{\"a\":[1", 7);
		if (status == NDJSON_GO_ON)
			status = ndjson_feed(r, "]}\n{\"a\":1,\"a\":2}\n{\n", 19);
	}
	ck_assert_int_ne(status, NDJSON_STOPPED);
	if (status == NDJSON_GO_ON)
		status = ndjson_end(r);
	ck_assert_uint_le(good_and_bad[0], 3);
	if (status == NDJSON_GO_ON)
		ck_assert(good_and_bad[0] == 3 && good_and_bad[1] == 6);
	ndjson_free(r);
	return status != NDJSON_GO_ON;
}

START_TEST(ndjson_loses_no_line_silently)
{
	fail_each(reading_ndjson);
}
END_TEST

CHECK_MAIN("base/memory", buf_fails_whole, faults_count_what_they_cannot_keep, json_is_read_refused_or_told_to_be_too_much,
           fields_stay_refused, a_tree_is_written_whole_or_failed, csv_loses_no_row_silently, ndjson_loses_no_line_silently)
