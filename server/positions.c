#include "server/positions.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 8192 };

/* A place holds a position, or, with this bit, how many questions had been put when a write of unknown position ended. No log gets
 * so long that a position has the bit. */
static const uint64_t UNKNOWN = (uint64_t)1 << 63;

struct positions {
	_Atomic uint64_t questions;
	_Atomic uint64_t marked,
	        cleared; /* how often a place was made unknown, and of those how many surely are not any more */
	_Atomic uint64_t places[PLACES];
};

struct positions *positions_new(void)
{
	return calloc(1, sizeof(struct positions));
}
void positions_free(struct positions *p)
{
	free(p);
}

uint64_t positions_of(const struct positions *p, uint64_t actor)
{
	return p->places[actor % PLACES];
}

static void raise_to(_Atomic uint64_t *place, uint64_t value)
{
	uint64_t seen = *place;
	while (seen < value && !atomic_compare_exchange_weak(place, &seen, value))
		;
}

void positions_wrote(struct positions *p, uint64_t actor, uint64_t position)
{
	raise_to(&p->places[actor % PLACES], position);
}

void positions_unknown(struct positions *p, uint64_t actor)
{
	raise_to(&p->places[actor % PLACES], UNKNOWN | p->questions);
	p->marked++; /* after it can be found: who looks because of this finds it */
}

uint64_t positions_ask(struct positions *p)
{
	return ++p->questions;
}

void positions_asked(struct positions *p, uint64_t question, uint64_t position)
{
	uint64_t marked = p->marked;
	if (p->cleared >= marked)
		return;
	bool left = false;
	for (int i = 0; i < PLACES; i++) {
		uint64_t seen = p->places[i];
		if (!(seen & UNKNOWN))
			continue;
		left = (seen & ~UNKNOWN) >= question || !atomic_compare_exchange_strong(&p->places[i], &seen, position) || left;
	}
	if (!left)
		raise_to(&p->cleared, marked);
}

void position_text(uint64_t position, char out[POSITION_TEXT])
{
	snprintf(out, POSITION_TEXT, "%" PRIX64 "/%" PRIX64, position >> 32, position & 0xffffffff);
}

static bool hex_part(const char **at, char end, uint64_t *out)
{
	size_t len = strspn(*at, "0123456789ABCDEFabcdef");
	if (len < 1 || len > 8 || (*at)[len] != end)
		return false;
	*out = strtoull(*at, NULL, 16);
	*at += len + (end != '\0');
	return true;
}

bool position_read(const char *text, uint64_t *out)
{
	uint64_t high, low;
	if (!hex_part(&text, '/', &high) || !hex_part(&text, '\0', &low) || (high >> 31))
		return false;
	*out = high << 32 | low;
	return true;
}
