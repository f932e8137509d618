/* Where a document says something else than what it evaluates to. */
#include "model/rules/document_internal.h"

#include "base/json_read.h"

#include <stdlib.h>

enum { LONGEST = FAULT_TEXT_MAX };

/* A value as it is shown: scalars whole, what has members by its kind. NULL: there is none. */
static char *shown(const json_t *value)
{
	struct buf text = BUF_INIT(LONGEST);

	if (json_is_object(value))
		buf_puts(&text, "{...}");
	else if (json_is_array(value))
		buf_puts(&text, "[...]");
	else if (!value)
		buf_puts(&text, "-");
	else
		return json_dumps(value, JSON_ENCODE_ANY);
	return buf_take(&text);
}

static bool differ(const json_t *said, const json_t *found, const char *pointer, struct faults *faults)
{
	char *a = shown(said);
	char *b = shown(found);

	faults_add(faults, pointer, CODE_DOCUMENT_DIFFERS, a ? a : "?", b ? b : "?", NULL);
	free(a);
	free(b);
	return false;
}

static bool agrees(const json_t *said, const json_t *found, const char *pointer, struct faults *faults);

static bool objects_agree(const json_t *said, const json_t *found, const char *pointer, struct faults *faults)
{
	char at[FAULT_TEXT_MAX];
	bool ok = true;

	/* jansson's iterator takes no const object, though it changes nothing */
	for (void *it = json_object_iter((json_t *)said); it; it = json_object_iter_next((json_t *)said, it)) {
		const char *key = json_object_iter_key(it);

		ok = agrees(json_object_iter_value(it), json_object_get(found, key), json_pointer(at, sizeof at, pointer, key),
		            faults) &&
		     ok;
	}
	for (void *it = json_object_iter((json_t *)found); it; it = json_object_iter_next((json_t *)found, it)) {
		const char *key = json_object_iter_key(it);

		if (!json_object_get(said, key))
			ok = differ(NULL, json_object_iter_value(it), json_pointer(at, sizeof at, pointer, key), faults);
	}
	return ok;
}

static bool arrays_agree(const json_t *said, const json_t *found, const char *pointer, struct faults *faults)
{
	char at[FAULT_TEXT_MAX];
	size_t longer = json_array_size(said) > json_array_size(found) ? json_array_size(said) : json_array_size(found);
	bool ok = true;

	for (size_t i = 0; i < longer; i++)
		ok = agrees(json_array_get(said, i), json_array_get(found, i), json_pointer_at(at, sizeof at, pointer, i),
		            faults) &&
		     ok;
	return ok;
}

/* No deeper than the reader let either of them be. */
static bool agrees(const json_t *said, const json_t *found, const char *pointer, struct faults *faults)
{
	if (json_is_object(said) && json_is_object(found))
		return objects_agree(said, found, pointer, faults);
	if (json_is_array(said) && json_is_array(found))
		return arrays_agree(said, found, pointer, faults);
	return (said && found && json_equal(said, found)) || differ(said, found, pointer, faults);
}

bool document_agrees(const json_t *said, const json_t *found, struct faults *faults)
{
	return agrees(said, found, "", faults);
}
