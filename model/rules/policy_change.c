#include "model/rules/policy_change.h"

#include "base/json_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MAX = 1024 * 1024, STEP_MAX = 256, INDEX_DIGITS = 3 };

struct change {
	const char *pointer;
	json_t *value;
};

struct changing {
	struct change changes[POLICY_CHANGES_MAX];
	size_t count;
	const char *pointer; /* of the list */
	struct faults *faults;
};

/* ---- reading ---- */

static bool read_change(struct changing *c, size_t i, const json_t *json)
{
	struct change *change = &c->changes[c->count++];
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"pointer", FIELD_STRING, &change->pointer, .required = true},
	        {"value", FIELD_ANY, &change->value, .required = true},
	};

	return json_fields(json, json_pointer_at(at, sizeof at, c->pointer, i), fields, sizeof fields / sizeof fields[0],
	                   c->faults);
}

static bool read_changes(struct changing *c, const json_t *list)
{
	bool ok = true;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) ok = read_change(c, i, item) && ok;
	return ok;
}

/* ---- changing ---- */

static bool refuse(const struct changing *c, size_t i, enum code code, const char *arg)
{
	char item[FAULT_TEXT_MAX];
	char at[FAULT_TEXT_MAX];

	(void)json_pointer_at(item, sizeof item, c->pointer, i);
	faults_add(c->faults, json_pointer(at, sizeof at, item, "pointer"), code, arg, NULL);
	return false;
}

/* The next step of a pointer, unescaped; moves *at past it. False: it is malformed, or too long to be of a policy. */
static bool next_step(const char **at, char step[STEP_MAX])
{
	const char *p = *at + 1; /* past the '/' */
	size_t n = 0;

	for (; *p && *p != '/'; p++) {
		char c = *p;

		if (c == '~') {
			if (p[1] != '0' && p[1] != '1')
				return false;
			c = *++p == '0' ? '~' : '/';
		}
		if (n + 1 == STEP_MAX)
			return false;
		step[n++] = c;
	}
	step[n] = '\0';
	*at = p;
	return true;
}

/* An index without leading zeros; SIZE_MAX for what is none. */
static size_t index_of(const char *step)
{
	size_t n = strspn(step, "0123456789");

	if (n == 0 || n > INDEX_DIGITS || step[n] || (step[0] == '0' && n > 1))
		return SIZE_MAX;
	return (size_t)strtoul(step, NULL, 10);
}

static json_t *member(const json_t *in, const char *step)
{
	return json_is_array(in) ? json_array_get(in, index_of(step)) : json_object_get(in, step);
}

/* False: there is no such place. */
static bool set(json_t *in, const char *step, json_t *value /* taken */)
{
	if (json_is_object(in))
		return json_object_set_new(in, step, value) == 0;
	if (json_is_array(in) && index_of(step) < json_array_size(in))
		return json_array_set_new(in, index_of(step), value) == 0;
	json_decref(value);
	return false;
}

static bool make(const struct changing *c, size_t i, json_t *document)
{
	const char *at = c->changes[i].pointer;
	char step[STEP_MAX];

	if (*at != '/')
		return refuse(c, i, CODE_WRONG_FORMAT, "RFC 6901, /...");
	for (json_t *in = document;; in = member(in, step)) {
		if (!in)
			return refuse(c, i, CODE_UNKNOWN_MEMBER, NULL);
		if (!next_step(&at, step))
			return refuse(c, i, CODE_WRONG_FORMAT, "RFC 6901, /...");
		if (!*at)
			return set(in, step, json_deep_copy(c->changes[i].value)) || refuse(c, i, CODE_UNKNOWN_MEMBER, NULL);
	}
}

/* ---- what the reader of policies says, at the change that it is about ---- */

static bool is_within(const char *pointer, const char *of)
{
	size_t n = strlen(of);

	return strncmp(pointer, of, n) == 0 && (pointer[n] == '\0' || pointer[n] == '/');
}

static void tell(const struct changing *c, const struct fault *f)
{
	char item[FAULT_TEXT_MAX];
	char at[2 * FAULT_TEXT_MAX];
	size_t length = 0;

	(void)snprintf(at, sizeof at, "%s", c->pointer); /* of none of them alone */
	for (size_t i = 0; i < c->count; i++) {
		const char *of = c->changes[i].pointer;

		if (!is_within(f->pointer, of) || strlen(of) < length)
			continue;
		length = strlen(of);
		(void)json_pointer_at(item, sizeof item, c->pointer, i);
		(void)snprintf(at, sizeof at, "%s/value%s", item, f->pointer + length);
	}
	faults_add(c->faults, at, f->code, f->args[0], f->args[1], f->args[2], NULL);
}

static struct policy *read_changed(const struct changing *c, json_t *document)
{
	struct faults found = {0};
	struct policy *policy = policy_read(document, "", &found);

	for (size_t i = 0; i < found.len; i++)
		tell(c, &found.items[i]);
	faults_free(&found);
	return policy;
}

static json_t *document_of(const struct policy *p)
{
	struct buf text = BUF_INIT(DOCUMENT_MAX);

	policy_json(&text, p);
	json_t *document = text.failed ? NULL : json_loads(text.data, 0, NULL);
	buf_free(&text);
	return document;
}

struct policy *policy_changed(const struct policy *base, const json_t *changes, const char *pointer, struct faults *faults)
{
	struct changing c = {.pointer = pointer, .faults = faults};
	struct policy *policy = NULL;
	char most[16];

	if (json_array_size(changes) > POLICY_CHANGES_MAX) {
		(void)snprintf(most, sizeof most, "%d", POLICY_CHANGES_MAX);
		faults_add(faults, pointer, CODE_TOO_LONG, most, NULL);
		return NULL;
	}
	if (!read_changes(&c, changes))
		return NULL;
	json_t *document = document_of(base);
	bool made = document != NULL;
	for (size_t i = 0; document && i < c.count; i++)
		made = make(&c, i, document) && made;
	if (made)
		policy = read_changed(&c, document);
	json_decref(document);
	return policy;
}
