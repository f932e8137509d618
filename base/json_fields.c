/* A tree to C values, by a table. */
#include "base/civil.h"
#include "base/json_read.h"
#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_TEXT = 24, POINTER_TEXT = FAULT_TEXT_MAX };

/* One member on its way: what the table says of it, and where its faults go. */
struct member {
	const struct field *field;
	const char *pointer;
	struct faults *faults;
};

static bool wrong_type(const struct member *m, const char *wanted)
{
	faults_add(m->faults, m->pointer, CODE_WRONG_TYPE, wanted, NULL);
	return false;
}

static bool in_range(const struct member *m, int64_t v)
{
	const struct field *f = m->field;
	char low[NUMBER_TEXT];
	char high[NUMBER_TEXT];

	if ((f->min == 0 && f->max == 0) || (v >= f->min && v <= f->max))
		return true;
	(void)snprintf(low, sizeof low, "%" PRId64, f->min);
	(void)snprintf(high, sizeof high, "%" PRId64, f->max);
	faults_add(m->faults, m->pointer, CODE_NUMBER_OUT_OF_RANGE, low, high, NULL);
	return false;
}

static bool has_length(const struct member *m, size_t n, int64_t min, int64_t max)
{
	char bound[NUMBER_TEXT];

	if ((int64_t)n < min) {
		(void)snprintf(bound, sizeof bound, "%" PRId64, min);
		faults_add(m->faults, m->pointer, CODE_TOO_SHORT, bound, NULL);
		return false;
	}
	if ((int64_t)n > max) {
		(void)snprintf(bound, sizeof bound, "%" PRId64, max);
		faults_add(m->faults, m->pointer, CODE_TOO_LONG, bound, NULL);
		return false;
	}
	return true;
}

static bool take_string(const struct member *m, const json_t *v)
{
	const struct field *f = m->field;
	bool unbounded = f->min == 0 && f->max == 0;
	const char *text = json_string_value(v);

	if (!text)
		return wrong_type(m, "string");
	if (!has_length(m, utf8_count(text, json_string_length(v)), unbounded ? 1 : f->min,
	                unbounded ? FIELD_STRING_MAX : f->max))
		return false;
	*(const char **)f->out = text;
	return true;
}

static bool take_int(const struct member *m, const json_t *v)
{
	if (!json_is_integer(v))
		return wrong_type(m, "integer");
	if (!in_range(m, json_integer_value(v)))
		return false;
	*(int64_t *)m->field->out = json_integer_value(v);
	return true;
}

static bool take_bool(const struct member *m, const json_t *v)
{
	if (!json_is_boolean(v))
		return wrong_type(m, "boolean");
	*(bool *)m->field->out = json_is_true(v);
	return true;
}

static bool take_day(const struct member *m, const json_t *v)
{
	const char *text = json_string_value(v);

	if (!text)
		return wrong_type(m, "string");
	if (civil_parse(text, m->field->out))
		return true;
	faults_add(m->faults, m->pointer, CODE_INVALID_DAY, text, NULL);
	return false;
}

static bool take_object(const struct member *m, json_t *v)
{
	if (!json_is_object(v))
		return wrong_type(m, "object");
	*(json_t **)m->field->out = v;
	return true;
}

static bool take_array(const struct member *m, json_t *v)
{
	const struct field *f = m->field;

	if (!json_is_array(v))
		return wrong_type(m, "array");
	if ((f->min || f->max) && !has_length(m, json_array_size(v), f->min, f->max))
		return false;
	*(json_t **)f->out = v;
	return true;
}

static bool take_value(const struct member *m, json_t *v)
{
	switch (m->field->kind) {
	case FIELD_STRING:
		return take_string(m, v);
	case FIELD_INT:
		return take_int(m, v);
	case FIELD_BOOL:
		return take_bool(m, v);
	case FIELD_DAY:
		return take_day(m, v);
	case FIELD_OBJECT:
		return take_object(m, v);
	case FIELD_ARRAY:
		return take_array(m, v);
	case FIELD_ANY:
		*(json_t **)m->field->out = v;
		return true;
	}
	assert(false); /* a kind that does not exist */
	return false;
}

static bool take_member(const struct member *m, json_t *v)
{
	const struct field *f = m->field;
	bool absent = !v || (json_is_null(v) && f->nullable);

	if (f->present)
		*f->present = false;
	if (!v && f->required) {
		faults_add(m->faults, m->pointer, CODE_MISSING, NULL);
		return false;
	}
	if (absent)
		return true;
	if (!take_value(m, v))
		return false;
	if (f->present)
		*f->present = true;
	return true;
}

static bool is_known(const char *name, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool refuse_unknown(const json_t *obj, const char *pointer, const struct field *fields, size_t n, struct faults *faults)
{
	char at[POINTER_TEXT];
	bool ok = true;

	/* jansson's iterator takes no const object, though it changes nothing */
	for (void *it = json_object_iter((json_t *)obj); it; it = json_object_iter_next((json_t *)obj, it)) {
		const char *name = json_object_iter_key(it);

		if (is_known(name, fields, n))
			continue;
		faults_add(faults, json_pointer(at, sizeof at, pointer, name), CODE_UNKNOWN_MEMBER, NULL);
		ok = false;
	}
	return ok;
}

bool json_fields(const json_t *obj, const char *pointer, const struct field *fields, size_t n, struct faults *faults)
{
	char at[POINTER_TEXT];
	bool ok = true;

	if (!json_is_object(obj)) {
		faults_add(faults, pointer, CODE_WRONG_TYPE, "object", NULL);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		struct member m = {.field = &fields[i], .pointer = at, .faults = faults};

		(void)json_pointer(at, sizeof at, pointer, fields[i].name);
		ok = take_member(&m, json_object_get(obj, fields[i].name)) && ok;
	}
	return refuse_unknown(obj, pointer, fields, n, faults) && ok;
}

/* RFC 6901, 3: "~0" and "~1". */
static char escaped(char c)
{
	return c == '~' ? '0' : '1';
}

const char *json_pointer(char *out, size_t size, const char *pointer, const char *name)
{
	size_t at = 0;

	assert(size > 0);
	while (*pointer && at + 1 < size)
		out[at++] = *pointer++;
	if (at + 1 < size)
		out[at++] = '/';
	for (; *name && at + 1 < size; name++) {
		bool special = *name == '~' || *name == '/';

		if (special && at + 2 >= size)
			break;
		if (special)
			out[at++] = '~';
		out[at++] = special ? escaped(*name) : *name;
	}
	out[at] = '\0';
	return out;
}

const char *json_pointer_at(char *out, size_t size, const char *pointer, size_t index)
{
	(void)snprintf(out, size, "%s/%zu", pointer, index);
	return out;
}
