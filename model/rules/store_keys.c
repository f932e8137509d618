#include "model/rules/store_keys.h"

#include "base/json_read.h"

#include <stdlib.h>

static int by_from(const void *a, const void *b)
{
	const struct store_key *x = a;
	const struct store_key *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void sort_keys(struct store_key *keys, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (by_from(&keys[i - 1], &keys[i]) > 0) {
			qsort(keys, n, sizeof *keys, by_from);
			return;
		}
	}
}

bool store_keys_differ(struct store_key *keys, size_t n, const char *pointer, struct faults *faults)
{
	char at[FAULT_TEXT_MAX];
	char earlier[FAULT_TEXT_MAX];
	bool ok = true;

	sort_keys(keys, n);
	for (size_t i = 1; i < n; i++) {
		if (keys[i].from != keys[i - 1].from)
			continue;
		faults_add(faults, json_pointer_at(at, sizeof at, pointer, keys[i].index), CODE_GIVEN_TWICE,
		           json_pointer_at(earlier, sizeof earlier, pointer, keys[i - 1].index), NULL);
		ok = false;
	}
	return ok;
}

bool store_keys_apart(struct store_key *keys, size_t n, const char *pointer, struct faults *faults)
{
	char at[FAULT_TEXT_MAX];
	char other[FAULT_TEXT_MAX];
	bool ok = true;
	size_t furthest = 0;

	sort_keys(keys, n);
	for (size_t i = 1; i < n; i++) {
		if (keys[i].from < keys[furthest].to) {
			faults_add(faults, json_pointer_at(at, sizeof at, pointer, keys[i].index), CODE_OVERLAPS,
			           json_pointer_at(other, sizeof other, pointer, keys[furthest].index), NULL);
			ok = false;
		}
		if (keys[i].to > keys[furthest].to)
			furthest = i;
	}
	return ok;
}

static int by_from_alone(const void *a, const void *b)
{
	const struct store_key *x = a;
	const struct store_key *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

const struct store_key *store_keys_find(const struct store_key *keys, size_t n, day from)
{
	const struct store_key wanted = {.from = from};

	return bsearch(&wanted, keys, n, sizeof wanted, by_from_alone);
}
