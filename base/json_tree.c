#include "base/json_tree.h"

/* Text of a real that reads as the same real: 17 digits always do. */
static void write_real(struct json_writer *w, const json_t *value)
{
	char text[40];
	size_t n = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

	if (n == 0 || n > sizeof text)
		w->out->failed = true;
	else
		jw_raw(w, text, n);
}

static void write_object(struct json_writer *w, const json_t *value)
{
	jw_object(w);
	/* jansson's iterator takes no const object, though it changes nothing */
	for (void *it = json_object_iter((json_t *)value); it; it = json_object_iter_next((json_t *)value, it))
		jw_ktree(w, json_object_iter_key(it), json_object_iter_value(it));
	jw_object_end(w);
}

static void write_array(struct json_writer *w, const json_t *value)
{
	jw_array(w);
	for (size_t i = 0; i < json_array_size(value); i++)
		jw_tree(w, json_array_get(value, i));
	jw_array_end(w);
}

void jw_tree(struct json_writer *w, const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_OBJECT:
		write_object(w, value);
		break;
	case JSON_ARRAY:
		write_array(w, value);
		break;
	case JSON_STRING:
		jw_string_n(w, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		jw_int(w, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(w, value);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		jw_bool(w, json_is_true(value));
		break;
	case JSON_NULL:
		jw_null(w);
		break;
	}
}

void jw_ktree(struct json_writer *w, const char *key, const json_t *value)
{
	jw_key(w, key);
	jw_tree(w, value);
}
