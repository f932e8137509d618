#include "base/json_read.h"

#include "base/json_locate.h"
#include "base/json_memory.h"
#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_TEXT = 24, POINTER_TEXT = FAULT_TEXT_MAX };

/* ---- bytes to tree ---- */

/* The first byte that opens a nesting deeper than `max`; len when none does. jansson recurses, so this comes first. Strings
 * are skipped the way every JSON reader does; on bytes that are not JSON it may count too much, never too little. */
static size_t too_deep_at(const char *data, size_t len, unsigned max)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (depth++ == max)
				return i;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return len;
}

/* Adds a fault at the value or member that byte `at` belongs to. */
static void fault_at(struct faults *faults, const char *data, size_t len, size_t at, enum code code, const char *arg0,
                     const char *arg1)
{
	char pointer[POINTER_TEXT];

	faults_add(faults, json_locate(data, len, at, pointer, sizeof pointer), code, arg0, arg1, NULL);
}

static void add_malformed(struct faults *faults, const char *data, size_t len, const json_error_t *error)
{
	size_t at = error->position > 0 ? (size_t)error->position - 1 : 0;
	struct json_place place = json_place_of(data, len, at);
	char line[NUMBER_TEXT];
	char column[NUMBER_TEXT];

	(void)snprintf(line, sizeof line, "%zu", place.line);
	(void)snprintf(column, sizeof column, "%zu", place.column);
	faults_add(faults, "", CODE_INVALID_JSON, error->text, line, column, NULL);
}

static void add_too_deep(struct faults *faults, const char *data, size_t len, size_t at, unsigned max)
{
	char text[NUMBER_TEXT];

	(void)snprintf(text, sizeof text, "%u", max);
	fault_at(faults, data, len, at, CODE_TOO_DEEP, text, NULL);
}

static void add_number_out_of_range(struct faults *faults, const char *data, size_t len, size_t at)
{
	char low[NUMBER_TEXT];
	char high[NUMBER_TEXT];

	(void)snprintf(low, sizeof low, "%" PRId64, INT64_MIN);
	(void)snprintf(high, sizeof high, "%" PRId64, INT64_MAX);
	fault_at(faults, data, len, at, CODE_NUMBER_OUT_OF_RANGE, low, high);
}

/* Why jansson stopped. A lone surrogate escape is JSON by its grammar but no Unicode text; jansson calls it a syntax error. */
static enum json_verdict judge_error(const char *data, size_t len, const json_error_t *error, struct faults *faults)
{
	static const char surrogate[] = "invalid Unicode";
	size_t at = error->position > 0 ? (size_t)error->position - 1 : 0;

	if (json_memory_ran_out())
		return JSON_NO_MEMORY;
	switch (json_error_code(error)) {
	case json_error_null_character:
	case json_error_null_byte_in_key:
	case json_error_invalid_utf8:
		fault_at(faults, data, len, at, CODE_BAD_ENCODING, NULL, NULL);
		return JSON_REFUSED;
	case json_error_numeric_overflow:
		add_number_out_of_range(faults, data, len, at);
		return JSON_REFUSED;
	default:
		if (strncmp(error->text, surrogate, sizeof surrogate - 1) == 0) {
			fault_at(faults, data, len, at, CODE_BAD_ENCODING, NULL, NULL);
			return JSON_REFUSED;
		}
		add_malformed(faults, data, len, error);
		return JSON_MALFORMED;
	}
}

/* jansson stops at the first duplicate. Whether the rest is JSON at all comes first; if it is, every duplicate is told. */
static enum json_verdict judge_duplicates(const char *data, size_t len, struct faults *faults)
{
	json_error_t error = {0};
	json_t *tree = json_loadb(data, len, JSON_DECODE_ANY, &error);

	if (!tree)
		return judge_error(data, len, &error, faults);
	json_decref(tree);
	return json_duplicates(data, len, faults) ? JSON_REFUSED : JSON_NO_MEMORY;
}

static enum json_verdict parse(const char *data, size_t len, json_t **out, struct faults *faults)
{
	json_error_t error = {0};

	*out = json_loadb(data, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (*out && !json_memory_ran_out())
		return JSON_OK;
	if (*out) { /* jansson goes on without a character of a string that it found no room for */
		json_decref(*out);
		*out = NULL;
		return JSON_NO_MEMORY;
	}
	if (json_error_code(&error) == json_error_duplicate_key)
		return judge_duplicates(data, len, faults);
	return judge_error(data, len, &error, faults);
}

enum json_verdict json_read(const char *data, size_t len, unsigned depth_max, json_t **out, struct faults *faults)
{
	unsigned max = depth_max ? depth_max : JSON_DEPTH_MAX;
	size_t at;

	assert(max <= JSON_DEPTH_MAX);
	*out = NULL;
	at = too_deep_at(data, len, max);
	if (at < len) {
		add_too_deep(faults, data, len, at, max);
		return JSON_REFUSED;
	}
	if (utf8_check(data, len, &at) == UTF8_INVALID) {
		fault_at(faults, data, len, at, CODE_BAD_ENCODING, NULL, NULL);
		return JSON_REFUSED;
	}
	json_memory_watch();
	return parse(data, len, out, faults);
}
