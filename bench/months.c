#include "bench/months.h"

#include "base/civil.h"

#include <stddef.h>

/* ---- chance ---- */

enum what {
	PLACE,
	CATEGORY,
	PASSES,
	OWNER,
	SITE,
	KIND,
	PACE,
	STAR,
	PRICE,
	TREND,
	FATE,
	BEGIN,
	BEFORE,
	LEAVES,
	BACK,
	ORDERS,
	AMOUNT,
	LAG,
	FIRST
};

static uint64_t draw(const struct months *m, enum what what, int64_t a, int64_t b)
{
	uint64_t x = m->seed + (uint64_t)what * 0x9e3779b97f4a7c15 + (uint64_t)a * 0xd1b54a32d192ed03 +
	             (uint64_t)b * 0x8cb92ba72f3d8dd7;
	for (int i = 0; i < 2; i++) { /* splitmix64's finish, twice: neighbours have nothing in common */
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
		x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
		x ^= x >> 31;
	}
	return x;
}

static int32_t between(const struct months *m, enum what what, int64_t a, int64_t b, int32_t low, int32_t high)
{
	return low + (int32_t)(draw(m, what, a, b) % (uint64_t)(high - low + 1));
}

static bool chance(const struct months *m, enum what what, int64_t a, int64_t b, int32_t permille)
{
	return between(m, what, a, b, 0, 999) < permille;
}

/* ---- providers ---- */

static const struct place places[] = {
        {"420000", "420106"}, {"360200", "360203"}, {"410000", "410183"}, {"350500", "350526"}, {"110000", "110105"}};
static const char *const categories[] = {"antiques_art", "porcelain", "calligraphy", "jade"};
enum { PLACES = sizeof places / sizeof places[0], CATEGORIES = sizeof categories / sizeof categories[0] };

const struct place *provider_place(const struct months *m, int32_t provider)
{
	return &places[between(m, PLACE, provider, 0, 0, PLACES - 1)];
}

const char *provider_category(const struct months *m, int32_t provider)
{
	return categories[between(m, CATEGORY, provider, 0, 0, CATEGORIES - 1)];
}

int provider_passes(const struct months *m, int32_t provider, int32_t passed_on[PEOPLE_MAX])
{
	int people = chance(m, PASSES, provider, 0, 850) ? between(m, PASSES, provider, 1, 2, PEOPLE_MAX)
	                                                 : between(m, PASSES, provider, 2, 0, 1);
	for (int i = 0; i < people; i++)
		passed_on[i] = m->first + between(m, PASSES, provider, 3 + i, -60, 80);
	return people;
}

/* ---- stores ---- */

/* Under half of the providers have most of the stores. */
static int32_t owner_of(const struct months *m, int32_t store)
{
	int32_t active = (int32_t)(((int64_t)m->providers * 45 + 99) / 100);
	if (active == m->providers || chance(m, OWNER, store, 0, 810))
		return between(m, OWNER, store, 1, 0, active - 1);
	return between(m, OWNER, store, 2, active, m->providers - 1);
}

struct shop shop_of(const struct months *m, int32_t store)
{
	struct shop s = {
	        .provider = owner_of(m, store),
	        .elsewhere = chance(m, SITE, store, 0, 200),
	        .ships_from_there = chance(m, SITE, store, 1, 500),
	        .other_industry = chance(m, KIND, store, 0, 100),
	        .other_category = chance(m, KIND, store, 1, 300),
	        .suspended_from = NEVER,
	        .suspended_to = NEVER,
	        .closing_from = NEVER,
	        .closed_from = NEVER,
	        .pace = between(m, PACE, store, 0, 100, 1500),
	        .price_fen = between(m, PRICE, store, 0, 1000, 15000),
	        .trend = between(m, TREND, store, 0, -40, 160),
	};
	s.pace *= chance(m, STAR, store, 0, 20) ? 50 : chance(m, STAR, store, 1, 150) ? 8 : 1;
	int32_t on = m->first + between(m, FATE, store, 1, 1, m->last - m->first);
	int32_t days = between(m, FATE, store, 2, 7, 30);
	int32_t fate = between(m, FATE, store, 0, 0, 999);
	if (fate < 60) {
		s.closing_from = on;
		s.closed_from = on + days;
	} else if (fate < 90) {
		s.suspended_from = on;
		s.suspended_to = on + days;
	}
	return s;
}

/* On any day: some long before, most in the first half of the months, the rest in the second. */
static int32_t bound_on(const struct months *m, int32_t store)
{
	int32_t days = m->last - m->first + 1;
	int32_t when = between(m, BEGIN, store, 0, 0, 999);
	if (when < 150)
		return m->first - between(m, BEGIN, store, 1, 30, 700);
	if (when < 750)
		return m->first + between(m, BEGIN, store, 1, 0, (days - 1) / 2);
	return m->first + between(m, BEGIN, store, 1, days / 2, days - 1);
}

int shop_bindings(const struct months *m, int32_t store, const struct shop *s, struct bound out[BINDINGS_MAX])
{
	int n = 0;
	struct bound now = {s->provider, bound_on(m, store), NEVER};
	int32_t before = between(m, BEFORE, store, 0, 0, 999);
	if (before < 100) { /* it was bound before: to the same provider, or it moves here from another */
		int32_t ended = now.from - between(m, BEFORE, store, 1, 1, 400);
		int32_t with = before < 60 ? s->provider : between(m, BEFORE, store, 2, 0, m->providers - 1);
		out[n++] = (struct bound){with, ended - between(m, BEFORE, store, 3, 10, 200), ended};
	}
	if (chance(m, LEAVES, store, 0, 100))
		now.until = now.from + between(m, LEAVES, store, 1, 1, 120);
	out[n++] = now;
	if (now.until != NEVER && chance(m, BACK, store, 0, 500))
		out[n++] = (struct bound){s->provider, now.until + between(m, BACK, store, 1, 1, 300), NEVER};
	return n;
}

/* ---- figures ---- */

static const int64_t seasons[] = {900, 600, 950, 1000, 1050, 1350, 900, 950, 1050, 1000, 1600, 1150}; /* permille, by month */
static const int64_t weekdays[] = {900, 950, 1100, 1250, 1200, 900, 900}; /* from Thursday, 1970-01-01's */
static const struct {
	int month, dom, times;
} festivals[] = {{6, 18, 3}, {11, 11, 4}, {12, 12, 2}};

int64_t mood_of(int32_t on)
{
	int year, month, dom;
	civil_split(on, &year, &month, &dom);
	int64_t mood = seasons[month - 1] * weekdays[on % 7] / 1000;
	for (size_t i = 0; i < sizeof festivals / sizeof festivals[0]; i++)
		if (festivals[i].month == month && festivals[i].dom == dom)
			mood *= festivals[i].times;
	return mood;
}

struct figure figure_of(const struct months *m, int32_t store, const struct shop *s, int32_t on, int64_t mood)
{
	if (on >= s->closed_from || (on >= s->suspended_from && on < s->suspended_to))
		return (struct figure){0};
	int64_t trend = 1000 + s->trend * (on - m->first) / 30;
	int64_t pace = s->pace * mood / 1000 * (trend > 100 ? trend : 100) / 1000 / (on >= s->closing_from ? 2 : 1);
	int64_t orders = (pace * between(m, ORDERS, store, 2 * (int64_t)on, 500, 1500) / 1000 +
	                  between(m, ORDERS, store, 2 * (int64_t)on + 1, 0, 999)) /
	                 1000;
	return (struct figure){orders, orders * s->price_fen * between(m, AMOUNT, store, on, 700, 1300) / 1000};
}

int32_t corrected_on(const struct months *m, int32_t store, int32_t on)
{
	if (!chance(m, LAG, store, 2 * (int64_t)on, m->corrected))
		return NEVER;
	return on + between(m, LAG, store, 2 * (int64_t)on + 1, 1, LAG_DAYS);
}

struct figure first_figure(const struct months *m, int32_t store, const struct shop *s, int32_t on, struct figure f)
{
	int64_t returned = 1 + f.orders * between(m, FIRST, store, on, 0, 200) / 1000;
	return (struct figure){f.orders + returned, f.gmv_fen + returned * s->price_fen};
}
