/* A decision's document, read again: the documents of tests/golden, whatever has become of the evaluator since they were written, give
 * themselves; and what is changed in one of them is found. */
#include "model/rules/document.h"
#include "tests/unit/rules_support.h"

#include <dirent.h>

enum { STEP = 13 };

static char *file_text(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct buf text = BUF_INIT(1 << 24);
	size_t n;

	ck_assert_msg(in != NULL, "%s", path);
	while (buf_reserve(&text, 4096) && (n = fread(text.data + text.len, 1, 4096, in)) > 0)
		text.len += n;
	(void)fclose(in);
	ck_assert(!text.failed);
	buf_puts(&text, "");
	return kept(buf_take(&text));
}

static json_t *parsed(const char *text)
{
	struct faults faults = {0};
	json_t *json = NULL;

	ck_assert_int_eq(json_read(text, strlen(text), JSON_DEPTH_MAX, &json, &faults), JSON_OK);
	return kept(json);
}

/* What it evaluates to, or what is wrong with it. */
static const char *answered(json_t *json)
{
	struct faults faults = {0};
	struct buf out = BUF_INIT(1 << 24);
	const char *text =
	        evaluation_answer(json, &(struct evaluating){0}, &out, &faults) ? kept(buf_take(&out)) : faults_text(&faults);

	faults_free(&faults);
	buf_free(&out);
	return text;
}

static const char *golden(const char *name)
{
	char path[600];

	(void)snprintf(path, sizeof path, "%s/tests/golden/%s", SOURCE_DIR, name);
	return file_text(path);
}

START_TEST(every_golden_document_gives_itself)
{
	DIR *dir = opendir(SOURCE_DIR "/tests/golden");
	int found = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (!strstr(entry->d_name, ".json"))
			continue;
		const char *text = golden(entry->d_name);
		ck_assert_msg(strcmp(answered(parsed(text)), text) == 0, "%s: %.500s", entry->d_name, answered(parsed(text)));
		found++;
	}
	(void)closedir(dir);
	ck_assert_int_ge(found, 2);
}
END_TEST

START_TEST(what_differs_is_said_in_its_order)
{
	static const struct {
		const char *path, *value, *said;
	} cases[] = {
	        {"outcome", "'not_met'", "document_differs /outcome"},
	        {"outcome", "1", "document_differs /outcome"},
	        {"final", "false", "document_differs /final"},
	        {"period/end", NULL, "document_differs /period/end"},
	        {"policies/0/policy", "{}", "document_differs /policies/0/policy"},
	        {"policies/0/measures/new_stores", "3.0", "document_differs /policies/0/measures/new_stores"},
	        {"sentences/0", NULL,
	         "document_differs /sentences/0/at\ndocument_differs /sentences/0/en\ndocument_differs /sentences/0/zh\n"},
	        {"sentences/0/zh", "''", "document_differs /sentences/0/zh"},
	        {"sentences", NULL, "missing /sentences"},
	        {"note", "1", "unknown_member /note"},
	        {"clock/today", "1", "unknown_member /clock/today"},
	        {"clock/watermark", "7", "wrong_type /clock/watermark"},
	        {"imports/stores", NULL, "missing /imports/stores"},
	        {"imports/stores/0/import_id", "''", "too_short /imports/stores/0/import_id"},
	        {"request/stores/0/status", "'open'", "invalid_value /request/stores/0/status"},
	        {"request/policies/0", "'antiques-art@2023-04-26'", "unknown_policy /request/policies/0"},
	        {"request", "[]", "wrong_type /request"},
	        {"format", "'assay-decision/0'", "unknown_edition /format"},
	        {"engine", "'x'", "unknown_edition /engine"},
	        {"format", NULL, "missing /format"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *json = parsed(golden("decision-1-trial.json"));

		put(json, cases[i].path, cases[i].value ? json_of("%s", cases[i].value) : NULL);
		ck_assert_msg(strncmp(answered(json), cases[i].said, strlen(cases[i].said)) == 0, "%s: %.500s", cases[i].path, answered(json));
	}
}
END_TEST

/* Whichever byte is changed (every STEP-th here): it is no JSON any more, or refused, or it is one that the rest depends on, and the
 * document is then another that evaluates to itself - whose hash is not the decision's. */
START_TEST(no_byte_can_be_changed_unnoticed)
{
	const char *text = golden("decision-1-trial.json");
	size_t len = strlen(text);
	size_t request = (size_t)(strstr(text, "\"clock\":") - text); /* what follows is what it rests on */

	for (size_t i = 0; i < len; i += STEP) {
		static const char others[] = "1 \"x";
		struct faults faults = {0};
		json_t *json = NULL;
		struct buf out = BUF_INIT(1 << 24);
		char *changed = strdup(text);

		changed[i] = others[i / STEP % (sizeof others - 1)];
		if (changed[i] != text[i] && json_read(changed, len, JSON_DEPTH_MAX, &json, &faults) == JSON_OK &&
		    evaluation_answer(json, &(struct evaluating){0}, &out, &faults)) {
			ck_assert_msg(i >= request, "byte %zu of %s", i, changed);
			ck_assert_msg(out.len == len && memcmp(out.data, changed, len) == 0, "byte %zu", i);
		}
		json_decref(json);
		faults_free(&faults);
		buf_free(&out);
		free(changed);
	}
}
END_TEST

/* More differences than are kept are counted all the same. */
START_TEST(many_differences)
{
	json_t *json = parsed(golden("decision-1-trial.json"));
	struct faults faults = {.max = 3};
	struct buf out = BUF_INIT(1 << 24);

	put(json, "request/stores", json_of("[]"));
	ck_assert(!evaluation_answer(json, &(struct evaluating){0}, &out, &faults));
	ck_assert_uint_eq(faults.len, 3);
	ck_assert_uint_gt(faults.total, 10);
	buf_free(&out);
	faults_free(&faults);
}
END_TEST

CHECK_MAIN("rules/document", every_golden_document_gives_itself, what_differs_is_said_in_its_order,
           no_byte_can_be_changed_unnoticed, many_differences)
