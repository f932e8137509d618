#include "model/store/origins.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 256 };

/* Room for one item more in a list that doubles. */
static bool grow(struct origins *o, void **list, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return true;
	size_t larger = *cap ? *cap * 2 : SLOTS_MIN;
	void *moved = reallocarray(*list, larger, size);
	o->failed = o->failed || !moved;
	if (!moved)
		return false;
	*list = moved;
	*cap = larger;
	return true;
}

/* FNV-1a. */
static uint64_t hash(enum document_source source, const char *id, int64_t seq)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)source;
	for (; id && *id; id++)
		h = (h ^ (uint8_t)*id) * UINT64_C(1099511628211);
	return (h ^ (uint64_t)seq) * UINT64_C(1099511628211);
}

static bool same(const struct origin *a, enum document_source source, const char *id, int64_t seq)
{
	return a->source == source && a->seq == seq && (id ? a->id && strcmp(a->id, id) == 0 : !a->id);
}

/* Where it is, or the empty slot where it belongs. */
static size_t *slot_of(const struct origins *o, enum document_source source, const char *id, int64_t seq)
{
	size_t at = hash(source, id, seq) % o->slot_count;
	while (o->slots[at] && !same(&o->items[o->slots[at] - 1], source, id, seq))
		at = (at + 1) % o->slot_count;
	return &o->slots[at];
}

/* At most half of the slots are taken. */
static bool make_slots(struct origins *o)
{
	if (o->count * 2 < o->slot_count)
		return true;
	size_t larger = o->slot_count ? o->slot_count * 2 : SLOTS_MIN;
	free(o->slots);
	o->slots = calloc(larger, sizeof *o->slots);
	o->slot_count = o->slots ? larger : 0;
	o->failed = o->failed || !o->slots;
	for (size_t i = 0; o->slots && i < o->count; i++)
		*slot_of(o, o->items[i].source, o->items[i].id, o->items[i].seq) = i + 1;
	return o->slots;
}

/* Its index; made when it is new. False: out of memory. */
static bool find(struct origins *o, enum document_source source, const char *id, int64_t seq, size_t *index)
{
	if (!make_slots(o))
		return false;
	size_t *slot = slot_of(o, source, id, seq);
	if (!*slot) {
		char *copy = id ? strdup(id) : NULL;
		if ((id && !copy) || !grow(o, (void **)&o->items, &o->cap, o->count, sizeof *o->items)) {
			free(copy);
			o->failed = true;
			return false;
		}
		o->items[o->count] = (struct origin){.source = source, .id = copy, .seq = seq, .last_period = SIZE_MAX};
		*slot = ++o->count;
	}
	*index = *slot - 1;
	return true;
}

static void note(struct origins *o, enum document_source source, size_t period, const char *id, int64_t seq)
{
	size_t index;
	if (!o->wanted || o->failed || !find(o, source, id, seq, &index) || o->items[index].last_period == period)
		return;
	if (!grow(o, (void **)&o->uses, &o->use_cap, o->use_count, sizeof *o->uses))
		return;
	o->items[index].last_period = period;
	o->uses[o->use_count++] = (struct origin_use){period, index};
}

void origins_note(struct origins *o, enum document_source source, size_t period, const char *import_id)
{
	note(o, source, period, import_id, 0);
}

void origins_note_seq(struct origins *o, size_t period, int64_t seq)
{
	note(o, SOURCE_STORE_DAYS, period, NULL, seq);
}

void origins_note_month(struct origins *o, size_t period, day month)
{
	if (!o->wanted)
		return;
	for (size_t i = o->month_count; i > 0 && o->months[i - 1].period == period; i--)
		if (o->months[i - 1].month == month)
			return;
	if (grow(o, (void **)&o->months, &o->month_cap, o->month_count, sizeof *o->months))
		o->months[o->month_count++] = (struct origin_month){period, month};
}

void origins_free(struct origins *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->items[i].id);
	free(o->items);
	free(o->slots);
	free(o->uses);
	free(o->months);
	*o = (struct origins){.wanted = o->wanted};
}
