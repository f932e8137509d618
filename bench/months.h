/* What happens in made-up months on a made-up platform: pure functions of a seed and of what they are asked about, so that no
 * order of asking changes an answer. Whole numbers only. bench/generate.c writes it to files. */
#ifndef ASSAY_BENCH_MONTHS_H
#define ASSAY_BENCH_MONTHS_H

#include <stdbool.h>
#include <stdint.h>

enum { NEVER = INT32_MAX, LAG_DAYS = 10, BINDINGS_MAX = 3, PEOPLE_MAX = 5 };

struct months {
	uint64_t seed;
	int32_t providers, stores;
	int32_t first, last; /* the days in which stores are bound, closed and so on */
	int32_t corrected; /* permille of the store-days */
};

/* ---- providers ---- */

struct place {
	const char *region, *county;
};

const struct place *provider_place(const struct months *m, int32_t provider);
const char *provider_category(const struct months *m, int32_t provider);
/* The days on which its people passed the exam; how many they are. */
int provider_passes(const struct months *m, int32_t provider, int32_t passed_on[PEOPLE_MAX]);

/* ---- stores ---- */

struct shop {
	int32_t provider;
	bool elsewhere, ships_from_there; /* registered outside the provider's region; ships from within it all the same */
	bool other_industry, other_category;
	int32_t suspended_from, suspended_to, closing_from, closed_from; /* or NEVER */
	int64_t pace; /* orders in a thousand days */
	int64_t price_fen;
	int64_t trend; /* permille a month */
};

struct shop shop_of(const struct months *m, int32_t store);

struct bound {
	int32_t provider, from, until; /* until may be NEVER, or after the last day */
};

/* In the order of their days; how many. */
int shop_bindings(const struct months *m, int32_t store, const struct shop *s, struct bound out[BINDINGS_MAX]);

/* ---- figures ---- */

struct figure {
	int64_t orders, gmv_fen;
};

int64_t mood_of(int32_t on); /* what all stores have in common on a day: seasons, weekends, festivals; permille */
struct figure figure_of(const struct months *m, int32_t store, const struct shop *s, int32_t on, int64_t mood);
/* The day, at most LAG_DAYS later, on which the last word about a store's day arrives; NEVER: the first one was it. */
int32_t corrected_on(const struct months *m, int32_t store, int32_t on);
/* What was said at first of a figure that is corrected later: with orders that came back. */
struct figure first_figure(const struct months *m, int32_t store, const struct shop *s, int32_t on, struct figure f);

#endif
