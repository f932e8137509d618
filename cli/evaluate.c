/* assayd evaluate [--document] FILE: the same function as POST /v1/evaluations. Of a decision's document it prints exactly that, so that
 * sha256sum can check it, or says what differs. Policies that are given whole need no database. */
#include "base/json_read.h"
#include "cli/cli.h"
#include "model/rules/document.h"
#include "model/store/policy_cache.h"
#include "model/store/verdict.h"

#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 * 1024 };

static bool read_all(FILE *in, struct buf *out)
{
	size_t n = 0;
	while (buf_reserve(out, READ_BYTES) && (n = fread(out->data + out->len, 1, READ_BYTES, in)) > 0)
		out->len += n;
	return !out->failed && !ferror(in);
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	bool ok = in && read_all(in, out);
	if (!ok)
		fprintf(stderr, "assayd evaluate: %s cannot be read\n", path);
	if (in && in != stdin)
		fclose(in);
	return ok;
}

static void print_faults(const struct faults *f)
{
	for (size_t i = 0; i < f->len; i++) {
		struct buf detail = BUF_INIT(4096);
		const struct fault *one = &f->items[i];
		const char *const args[] = {one->args[0], one->args[1], one->args[2]};
		code_detail(&detail, one->code, LANG_EN, args, FAULT_ARGS);
		fprintf(stderr, "%s: %s\n", *one->pointer ? one->pointer : "(the file)", detail.data ? detail.data : "");
		buf_free(&detail);
	}
	if (f->total > f->len)
		fprintf(stderr, "and %zu more\n", f->total - f->len);
	if (!f->total)
		fprintf(stderr, "assayd evaluate: out of memory\n");
}

/* Policies by reference come from the database that the settings name. One that it does not have stays unknown: a fault. */
static bool fetch_policies(const json_t *json)
{
	const char *refs[EVALUATION_POLICIES];
	struct settings settings;
	size_t n = evaluation_policy_refs(json, refs);
	if (!n)
		return true;
	if (!settings_read(&settings, stderr))
		return false;
	struct database *database = database_open(&settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool ok = db;
	for (size_t i = 0; ok && i < n; i++) {
		const struct policy *p;
		ok = policy_cache_get(db, refs[i], &p) == DB_OK;
	}
	db_close(db);
	database_close(database);
	return ok;
}

static const struct policy *find_policy(void *arg, const char *ref)
{
	(void)arg;
	return policy_cache_peek(ref);
}

static bool evaluate_json(json_t *json, bool as_document, struct buf *out)
{
	const struct policy_source source = {.find = find_policy};
	const struct evaluating how = {.source = &source, .as_document = as_document};
	struct faults faults = {0};
	bool ok = evaluation_answer(json, &how, out, &faults);
	if (!ok)
		print_faults(&faults);
	faults_free(&faults);
	return ok;
}

static bool parse(const struct buf *in, json_t **json)
{
	struct faults faults = {0};
	bool ok = json_read(in->len ? in->data : "", in->len, JSON_DEPTH_MAX, json, &faults) == JSON_OK;
	if (!ok)
		print_faults(&faults);
	faults_free(&faults);
	return ok;
}

int cmd_evaluate(int argc, char **argv)
{
	bool as_document = argc == 3 && strcmp(argv[1], "--document") == 0;
	if (argc != (as_document ? 3 : 2)) {
		fprintf(stderr, "Usage: assayd evaluate [--document] FILE (- for standard input)\n");
		return EXIT_USAGE;
	}
	struct buf in = BUF_INIT(VERDICT_BYTES_MAX), out = BUF_INIT(VERDICT_BYTES_MAX);
	json_t *json = NULL;
	bool ok = read_file(argv[argc - 1], &in) && parse(&in, &json) && fetch_policies(json) && evaluate_json(json, as_document, &out);
	if (ok)
		ok = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	json_decref(json);
	buf_free(&in);
	buf_free(&out);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
