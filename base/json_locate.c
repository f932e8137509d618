#include "base/json_locate.h"

#include "base/json_read.h"

#include <stdio.h>

/* A walk over the tokens of a JSON text that keeps the path to where it stands. It does not judge the grammar: jansson does. */
struct level {
	bool is_object;
	bool name_next; /* of an object: the next string is a member's name */
	size_t index; /* of an array */
	json_t *name; /* of an object: the current member's, a string; owned; NULL before the first, or when it is not text */
	json_t *seen; /* of an object, when hunting duplicates: the names so far; owned */
};

struct walk {
	const char *data;
	size_t len;
	unsigned depth;
	struct level levels[JSON_DEPTH_MAX];
	struct json_place place; /* of the byte at `placed`; moves forward only, so that many duplicates cost one pass */
	size_t placed;
};

static void pop(struct walk *w)
{
	struct level *top;

	if (w->depth == 0)
		return;
	top = &w->levels[--w->depth];
	json_decref(top->name);
	json_decref(top->seen);
}

static void push(struct walk *w, bool is_object)
{
	if (w->depth < JSON_DEPTH_MAX)
		w->levels[w->depth++] = (struct level){.is_object = is_object, .name_next = is_object};
}

static void comma(struct walk *w)
{
	struct level *top = w->depth ? &w->levels[w->depth - 1] : NULL;

	if (!top)
		return;
	if (top->is_object)
		top->name_next = true;
	else
		top->index++;
}

/* The offset after the string that begins at i; len when it does not end. */
static size_t string_end(const struct walk *w, size_t i)
{
	for (i++; i < w->len; i++) {
		if (w->data[i] == '\\')
			i++;
		else if (w->data[i] == '"')
			return i + 1;
	}
	return w->len;
}

/* Takes the string [from, to) as the current member's name. False, and no name, when it is not text or there is no memory. */
static bool take_name(struct walk *w, size_t from, size_t to)
{
	struct level *top = &w->levels[w->depth - 1];

	json_decref(top->name);
	top->name = json_loadb(w->data + from, to - from, JSON_DECODE_ANY, NULL);
	top->name_next = false;
	return top->name != NULL;
}

static bool at_name(const struct walk *w)
{
	return w->depth && w->levels[w->depth - 1].name_next;
}

/* Takes what begins at byte i, a string excepted. */
static void punctuation(struct walk *w, char c)
{
	switch (c) {
	case '{':
		push(w, true);
		break;
	case '[':
		push(w, false);
		break;
	case '}':
	case ']':
		pop(w);
		break;
	case ',':
		comma(w);
		break;
	default: /* white space, colons, numbers, words */
		break;
	}
}

static const char *walk_pointer(const struct walk *w, char *out, size_t size)
{
	struct buf text = BUF_INIT(size);
	char step[FAULT_TEXT_MAX];

	for (unsigned i = 0; i < w->depth; i++) {
		const struct level *it = &w->levels[i];

		if (!it->is_object)
			(void)json_pointer_at(step, sizeof step, "", it->index);
		else if (it->name)
			(void)json_pointer(step, sizeof step, "", json_string_value(it->name));
		else
			break;
		buf_puts(&text, step);
	}
	(void)snprintf(out, size, "%s", text.data ? text.data : "");
	buf_free(&text);
	return out;
}

static void walk_end(struct walk *w)
{
	while (w->depth)
		pop(w);
}

const char *json_locate(const char *data, size_t len, size_t at, char *out, size_t size)
{
	struct walk w = {.data = data, .len = len};

	for (size_t i = 0; i < at && i < len;) {
		if (data[i] != '"') {
			punctuation(&w, data[i++]);
			continue;
		}
		size_t end = string_end(&w, i);

		if (at_name(&w))
			(void)take_name(&w, i, end); /* without a name: the object's own pointer */
		i = end;
	}
	(void)walk_pointer(&w, out, size);
	walk_end(&w);
	return out;
}

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

static void place_step(struct json_place *place, char c)
{
	if (c == '\n') {
		place->line++;
		place->column = 1;
	} else if (!is_tail(c)) {
		place->column++;
	}
}

struct json_place json_place_of(const char *data, size_t len, size_t at)
{
	struct json_place place = {.line = 1, .column = 1};

	while (at > 0 && at < len && is_tail(data[at])) /* inside a character: where it begins */
		at--;
	for (size_t i = 0; i < at && i < len; i++)
		place_step(&place, data[i]);
	return place;
}

static void add_duplicate(struct walk *w, size_t at, struct faults *faults)
{
	char pointer[FAULT_TEXT_MAX];
	char line[24];
	char column[24];

	while (w->placed < at)
		place_step(&w->place, w->data[w->placed++]);
	(void)snprintf(line, sizeof line, "%zu", w->place.line);
	(void)snprintf(column, sizeof column, "%zu", w->place.column);
	faults_add(faults, walk_pointer(w, pointer, sizeof pointer), CODE_DUPLICATE_MEMBER, line, column, NULL);
}

/* Takes the member's name at [from, to) and tells when its object had it before. False when out of memory. */
static bool check_name(struct walk *w, size_t from, size_t to, struct faults *faults)
{
	struct level *top = &w->levels[w->depth - 1];
	const char *name;

	if (!take_name(w, from, to))
		return false;
	if (!top->seen)
		top->seen = json_object();
	name = json_string_value(top->name);
	if (json_object_get(top->seen, name)) {
		add_duplicate(w, from, faults);
		return true;
	}
	return json_object_set_new(top->seen, name, json_true()) == 0;
}

bool json_duplicates(const char *data, size_t len, struct faults *faults)
{
	struct walk w = {.data = data, .len = len, .place = {.line = 1, .column = 1}};
	bool ok = true;

	for (size_t i = 0; i < len && ok;) {
		if (data[i] != '"') {
			punctuation(&w, data[i++]);
			continue;
		}
		size_t end = string_end(&w, i);

		if (at_name(&w))
			ok = check_name(&w, i, end, faults);
		i = end;
	}
	walk_end(&w);
	return ok;
}
