#include "model/store/import_cells.h"

#include "base/civil.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "model/rules/credit_code.h"
#include "model/rules/policy.h"

#include <stdio.h>
#include <string.h>

#define COUNT_MAX INT64_C(9007199254740991) /* 2^53-1 */

enum { ID_MAX = 64, NAME_MAX_CHARACTERS = 200, WORD_MAX = 64, STATUS_MAX = 16 };

void cell_fault_set(struct cell_fault *fault, enum code code, const char *arg0, const char *arg1)
{
	fault->code = code;
	fault->nargs = arg1 ? 2 : arg0 ? 1 : 0;
	for (size_t i = 0; i < fault->nargs; i++)
		snprintf(fault->args[i], sizeof fault->args[i], "%s", i ? arg1 : arg0);
}

static bool bad(struct cell_fault *fault, enum code code, const char *arg0, const char *arg1)
{
	cell_fault_set(fault, code, arg0, arg1);
	return false;
}

void cell_fault_quote(struct cell_fault *fault, enum code code, const char *p, size_t len, const char *arg1)
{
	char quoted[IMPORT_ERROR_VALUE_MAX];
	size_t n = 0;
	while (n < len) {
		size_t step = utf8_char(p + n, len - n);
		if (step == 0 || n + step >= sizeof quoted)
			break;
		n += step;
	}
	memcpy(quoted, p, n);
	quoted[n] = '\0';
	cell_fault_set(fault, code, quoted, arg1);
}

static bool bad_value(struct cell_fault *fault, enum code code, const char *p, size_t len, const char *arg1)
{
	cell_fault_quote(fault, code, p, len, arg1);
	return false;
}

static bool bad_length(struct cell_fault *fault, size_t max)
{
	char limit[24];
	snprintf(limit, sizeof limit, "%zu", max);
	return bad(fault, CODE_TOO_LONG, limit, NULL);
}

static bool has_control(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return true;
	return false;
}

static bool text_cell(struct cell *out, const char *p, size_t len, size_t max, struct cell_fault *fault)
{
	if (has_control(p, len))
		return bad(fault, CODE_WRONG_FORMAT, "text without control characters", NULL);
	if (len > max && utf8_count(p, len) > max)
		return bad_length(fault, max);
	out->type = CELL_TEXT;
	out->p = p;
	out->len = len;
	return true;
}

static bool is_word(const char *p, size_t len)
{
	if (len > WORD_MAX || *p < 'a' || *p > 'z')
		return false;
	for (size_t i = 1; i < len; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') || p[i] == '_'))
			return false;
	return true;
}

static bool word_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	if (!is_word(p, len))
		return bad(fault, CODE_WRONG_FORMAT, "a-z, 0-9 and _, a letter first, at most 64", NULL);
	return text_cell(out, p, len, WORD_MAX, fault);
}

static bool region_of(const char *p, size_t len, region *out)
{
	char code[REGION_TEXT];
	if (len != REGION_TEXT - 1)
		return false;
	memcpy(code, p, len);
	code[len] = '\0';
	return region_parse(code, out);
}

static bool bad_region(struct cell_fault *fault)
{
	return bad(fault, CODE_WRONG_FORMAT, "a GB/T 2260 region code, six digits", NULL);
}

static bool region_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	region ignored;
	return region_of(p, len, &ignored) ? text_cell(out, p, len, len, fault) : bad_region(fault);
}

static bool add_region(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	if (out->region_count == IMPORT_REGIONS_MAX)
		return bad_length(fault, IMPORT_REGIONS_MAX);
	return region_of(p, len, &out->regions[out->region_count++]) || bad_region(fault);
}

static bool regions_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	const char *end = p + len;
	out->type = CELL_REGIONS;
	out->region_count = 0;
	while (len) {
		const char *semicolon = memchr(p, ';', (size_t)(end - p));
		const char *stop = semicolon ? semicolon : end;
		if (!add_region(out, p, (size_t)(stop - p), fault))
			return false;
		if (!semicolon)
			break;
		p = semicolon + 1;
	}
	return true;
}

static bool status_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	char word[STATUS_MAX];
	enum store_status ignored;
	if (len < sizeof word) {
		memcpy(word, p, len);
		word[len] = '\0';
		if (store_status_by_name(word, &ignored))
			return text_cell(out, p, len, len, fault);
	}
	return bad_value(fault, CODE_INVALID_VALUE, p, len, "normal, suspended, closing, closed");
}

static bool credit_code_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	char code[CREDIT_CODE_LENGTH + 1];
	if (len != CREDIT_CODE_LENGTH)
		return bad(fault, CODE_WRONG_FORMAT, "GB 32100, 18 characters", NULL);
	memcpy(code, p, len);
	code[len] = '\0';
	switch (credit_code_check(code)) {
	case CREDIT_CODE_OK:
		return text_cell(out, p, len, len, fault);
	case CREDIT_CODE_BAD_CHECK:
		return bad(fault, CODE_BAD_CHECK_CHARACTER, code, NULL);
	case CREDIT_CODE_BAD_FORMAT:
		break;
	}
	return bad(fault, CODE_WRONG_FORMAT, "GB 32100, 18 characters", NULL);
}

static bool day_cell(struct cell *out, enum column_kind kind, const char *p, size_t len, const struct cell_limits *limits,
                     struct cell_fault *fault)
{
	int32_t d;
	if (!civil_parse_n(p, len, &d))
		return bad_value(fault, CODE_INVALID_DAY, p, len, NULL);
	if (kind == COLUMN_PAST_DAY && d > limits->last_day) {
		char today[DAY_TEXT];
		return bad_value(fault, CODE_DAY_IN_FUTURE, p, len, day_text(limits->today, today));
	}
	if (kind == COLUMN_PAST_DAY && limits->first_day != DAY_NONE && d < limits->first_day) {
		char first[DAY_TEXT];
		return bad_value(fault, CODE_DAY_PUT_AWAY, p, len, day_text(limits->first_day, first));
	}
	out->type = CELL_DAY;
	out->n = d;
	return true;
}

static bool bad_count(struct cell_fault *fault)
{
	return bad(fault, CODE_NUMBER_OUT_OF_RANGE, "0", "9007199254740991");
}

static bool count_cell(struct cell *out, const char *p, size_t len, struct cell_fault *fault)
{
	out->type = CELL_INT;
	switch (decimal_parse_n(p, len, 0, COUNT_MAX, &out->n)) {
	case DECIMAL_OK:
		return true;
	case DECIMAL_OUT_OF_RANGE:
		return bad_count(fault);
	case DECIMAL_MALFORMED:
		break;
	}
	return bad(fault, CODE_WRONG_TYPE, "an integer", NULL);
}

bool cell_of_text(struct cell *out, enum column_kind kind, const char *p, size_t len, const struct cell_limits *limits,
                  struct cell_fault *fault)
{
	if (len == 0 && kind == COLUMN_DAY_OR_NONE) {
		out->type = CELL_NONE;
		return true;
	}
	if (len == 0 && kind != COLUMN_REGIONS)
		return bad(fault, CODE_MISSING, NULL, NULL);
	switch (kind) {
	case COLUMN_ID:
		return text_cell(out, p, len, ID_MAX, fault);
	case COLUMN_NAME:
		return text_cell(out, p, len, NAME_MAX_CHARACTERS, fault);
	case COLUMN_WORD:
		return word_cell(out, p, len, fault);
	case COLUMN_REGION:
		return region_cell(out, p, len, fault);
	case COLUMN_REGIONS:
		return regions_cell(out, p, len, fault);
	case COLUMN_STATUS:
		return status_cell(out, p, len, fault);
	case COLUMN_CREDIT_CODE:
		return credit_code_cell(out, p, len, fault);
	case COLUMN_DAY:
	case COLUMN_DAY_OR_NONE:
	case COLUMN_PAST_DAY:
		return day_cell(out, kind, p, len, limits, fault);
	case COLUMN_COUNT:
		return count_cell(out, p, len, fault);
	}
	return false;
}

static bool regions_of_json(struct cell *out, const json_t *value, struct cell_fault *fault)
{
	size_t i;
	json_t *item;
	if (!json_is_array(value))
		return bad(fault, CODE_WRONG_TYPE, "an array of strings", NULL);
	out->type = CELL_REGIONS;
	out->region_count = 0;
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return bad(fault, CODE_WRONG_TYPE, "an array of strings", NULL);
		if (!add_region(out, json_string_value(item), json_string_length(item), fault))
			return false;
	}
	return true;
}

static bool count_of_json(struct cell *out, const json_t *value, struct cell_fault *fault)
{
	if (!json_is_integer(value))
		return bad(fault, CODE_WRONG_TYPE, "an integer", NULL);
	out->type = CELL_INT;
	out->n = json_integer_value(value);
	return (out->n >= 0 && out->n <= COUNT_MAX) || bad_count(fault);
}

bool cell_of_json(struct cell *out, enum column_kind kind, const json_t *value, const struct cell_limits *limits,
                  struct cell_fault *fault)
{
	if (kind == COLUMN_DAY_OR_NONE && (!value || json_is_null(value))) {
		out->type = CELL_NONE;
		return true;
	}
	if (!value)
		return bad(fault, CODE_MISSING, NULL, NULL);
	if (kind == COLUMN_REGIONS)
		return regions_of_json(out, value, fault);
	if (kind == COLUMN_COUNT)
		return count_of_json(out, value, fault);
	if (!json_is_string(value))
		return bad(fault, CODE_WRONG_TYPE, "a string", NULL);
	if (kind == COLUMN_DAY_OR_NONE && json_string_length(value) == 0)
		return bad(fault, CODE_INVALID_DAY, "", NULL);
	return cell_of_text(out, kind, json_string_value(value), json_string_length(value), limits, fault);
}
