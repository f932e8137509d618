#include "model/rules/words.h"

#include "base/json_read.h"

#include <string.h>

enum { LIST_TEXT = 256, WORD_MAX = 64 };

bool word_valid(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= WORD_MAX && text[n] == '\0' && text[0] >= 'a' && text[0] <= 'z';
}

int word_index(const char *const *words, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(words[i], name) == 0)
			return i;
	}
	return -1;
}

int word_read(const char *name, const char *pointer, const char *const *words, int n, struct faults *faults)
{
	int index = word_index(words, n, name);

	if (index < 0) {
		struct buf list = BUF_INIT(LIST_TEXT);

		for (int i = 0; i < n; i++) {
			buf_puts(&list, i ? ", " : "");
			buf_puts(&list, words[i]);
		}
		faults_add(faults, pointer, CODE_INVALID_VALUE, name, list.data ? list.data : "", NULL);
		buf_free(&list);
	}
	return index;
}

bool word_set_read(const json_t *array, const char *pointer, const char *const *words, int n, unsigned *bits,
                   struct faults *faults)
{
	char at[FAULT_TEXT_MAX];
	size_t i;
	json_t *item;
	bool ok = true;

	*bits = 0;
	json_array_foreach(array, i, item)
	{
		int index;

		(void)json_pointer_at(at, sizeof at, pointer, i);
		if (!json_is_string(item)) {
			faults_add(faults, at, CODE_WRONG_TYPE, "string", NULL);
			ok = false;
			continue;
		}
		index = word_read(json_string_value(item), at, words, n, faults);
		if (index >= 0 && (*bits & 1U << index)) {
			faults_add(faults, at, CODE_DUPLICATE, json_string_value(item), NULL);
			index = -1;
		}
		if (index < 0)
			ok = false;
		else
			*bits |= 1U << index;
	}
	return ok;
}
