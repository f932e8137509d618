/* Any bytes as JSON: judged without harm, as jansson judges them; what is read is taken by a table, and written and read again
 * it is the same. */
#include "base/json_read.h"
#include "base/json_tree.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                        \
	do {                                                                                                                   \
		if (!(condition))                                                                                              \
			abort();                                                                                               \
	} while (0)

enum { TEXT_MAX = 16 * 1024 * 1024 };

/* Every kind of field, each once required and once not. */
static void take_fields(const json_t *tree)
{
	const char *name = NULL;
	int64_t amount = 0;
	bool dry_run = false;
	int32_t day = 0;
	json_t *contact = NULL;
	json_t *documents = NULL;
	json_t *any = NULL;
	bool has_name = true;
	bool has_day = true;
	const struct field fields[] = {
	        {"name", FIELD_STRING, &name, .required = true, .present = &has_name, .min = 1, .max = 20},
	        {"amount_fen", FIELD_INT, &amount, .required = true, .min = -5, .max = 2000000},
	        {"dry_run", FIELD_BOOL, &dry_run, .required = false},
	        {"effective_on", FIELD_DAY, &day, .nullable = true, .present = &has_day},
	        {"contact", FIELD_OBJECT, &contact, .nullable = true},
	        {"documents", FIELD_ARRAY, &documents, .required = true, .max = 3},
	        {"policy", FIELD_ANY, &any, .required = false},
	};
	struct faults faults = {.max = 5};
	struct buf out = BUF_INIT(TEXT_MAX);

	if (json_fields(tree, "/body", fields, sizeof fields / sizeof fields[0], &faults)) {
		MUST(!faults_any(&faults));
		MUST(has_name && name && strlen(name) >= 1 && amount >= -5 && amount <= 2000000);
		MUST(json_is_array(documents) && json_array_size(documents) <= 3);
		MUST(!has_day || (day >= 7305 && day <= 84005));
		MUST(!contact || json_is_object(contact));
	} else {
		MUST(faults_any(&faults) && faults.len <= 5);
	}
	faults_json(&out, &faults, LANG_ZH);
	MUST(!out.failed);
	faults_free(&faults);
	buf_free(&out);
}

static struct buf written(const json_t *tree)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct json_writer w = json_writer_on(&out);

	jw_tree(&w, tree);
	MUST(!out.failed);
	return out;
}

static void write_and_read(const json_t *tree)
{
	struct faults faults = {0};
	json_t *again = NULL;
	struct buf first = written(tree);

	MUST(json_read(first.data, first.len, 0, &again, &faults) == JSON_OK);
	MUST(json_equal(tree, again));
	struct buf second = written(again);

	MUST(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_free(&first);
	buf_free(&second);
	json_decref(again);
}

/* What is wrong is said in JSON that can be read. */
static void check_refusal(const struct faults *faults)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	json_t *list;

	MUST(faults_any(faults) && faults->len > 0);
	faults_json(&out, faults, LANG_EN);
	MUST(!out.failed);
	list = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_array_size(list) == faults->len);
	json_decref(list);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size); /* libFuzzer has no header that declares it */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data;
	struct faults faults = {0};
	json_t *tree = NULL;
	enum json_verdict verdict = json_read(text, size, 0, &tree, &faults);

	MUST(verdict != JSON_NO_MEMORY && (tree != NULL) == (verdict == JSON_OK));
	if (tree) {
		MUST(!faults_any(&faults));
		take_fields(tree);
		write_and_read(tree);
	} else {
		check_refusal(&faults);
		if (faults.items[0].code != CODE_TOO_DEEP)
			MUST(!json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL));
	}
	json_decref(tree);
	faults_free(&faults);
	return 0;
}
