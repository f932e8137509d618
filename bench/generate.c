/* Plausible months of a platform, from a seed: providers, stores that close or are suspended, bindings that begin on any day, end
 * and come back (also within six months, also with another provider), people who pass the exam, and figures of every store and
 * day with seasons, weekends, shopping festivals and a trend, of which some are delivered wrong at first and corrected within ten
 * days. Written as what the API takes; bench/load brings it there, and plan.json, written last, says in which order.
 *
 *	build/bench_generate [OPTION...] DIR
 *	--seed N (1)  --providers N (5000)  --stores N (50000)
 *	--from YYYY-MM-01 (2023-07-01)  --months N (3): in which stores are bound, closed and so on
 *	--history N (3): for so many months before there are figures as well
 *	--nights-from DAY: from that day on a file a night, before it one a month (all by month)
 *	--corrected PERMILLE (10): of the store-days, how many are corrected
 *
 * The same arguments give the same bytes anywhere, and by night and by month the same facts arrive. In C, because nine million
 * rows take Python a minute. */
#include "base/buf.h"
#include "base/civil.h"
#include "bench/months.h"
#include "model/rules/credit_code.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FLUSH_BYTES = 1 << 20, PATH_BYTES = 4096, STORES_MAX = 99999999, MONTHS_MAX = 120 };

static struct {
	struct months m;
	int32_t figures_from, nights_from;
	const char *dir;
	struct shop *shops;
} all = {.m = {.seed = 1, .providers = 5000, .stores = 50000, .corrected = 10}, .nights_from = NEVER};

/* ---- files ---- */

struct sink {
	FILE *file;
	struct buf text;
	char path[PATH_BYTES];
};

static void fail(const char *path)
{
	fprintf(stderr, "bench_generate: %s: %s\n", path, strerror(errno));
	exit(EXIT_FAILURE);
}

static void sink_flush(struct sink *s)
{
	if (s->text.failed || fwrite(s->text.data, 1, s->text.len, s->file) != s->text.len)
		fail(s->path);
	buf_reset(&s->text);
}

static struct sink sink_open(const char *name, const char *header)
{
	struct sink s = {.text = BUF_INIT(2 * FLUSH_BYTES)};
	if (snprintf(s.path, sizeof s.path, "%s/%s", all.dir, name) >= (int)sizeof s.path)
		errno = ENAMETOOLONG;
	else
		s.file = fopen(s.path, "wb");
	if (!s.file)
		fail(s.path);
	buf_puts(&s.text, header);
	return s;
}

static void sink_row_done(struct sink *s)
{
	buf_putc(&s->text, '\n');
	if (s->text.len >= FLUSH_BYTES)
		sink_flush(s);
}

static void sink_close(struct sink *s)
{
	sink_flush(s);
	if (fclose(s->file) != 0)
		fail(s->path);
	buf_free(&s->text);
}

/* NEVER, and what comes after the last day and so is not known on it: nothing. */
static void put_day(struct sink *s, int32_t on)
{
	char text[CIVIL_TEXT];
	if (on <= all.m.last)
		buf_puts(&s->text, civil_text(on, text));
}

static void put_store(struct sink *s, int32_t store)
{
	char digits[] = "s-00000000";
	for (int at = sizeof digits - 2; store; store /= 10)
		digits[at--] = (char)('0' + store % 10);
	buf_add(&s->text, digits, sizeof digits - 1);
}

static void put_credit_code(struct sink *s, int32_t provider)
{
	char code[CREDIT_CODE_LENGTH + 1];
	snprintf(code, sizeof code, "91420106%09d", provider % 1000000000);
	code[CREDIT_CODE_LENGTH - 1] = credit_code_check_character(code);
	code[CREDIT_CODE_LENGTH] = '\0';
	buf_puts(&s->text, code);
}

/* ---- providers, and who passed the exam ---- */

static void write_providers(void)
{
	struct sink s = sink_open("providers.ndjson", "");
	for (int32_t p = 0; p < all.m.providers; p++) {
		buf_puts(&s.text, "{\"credit_code\":\"");
		put_credit_code(&s, p);
		buf_printf(
		        &s.text,
		        "\",\"name\":\"古玩服务商 %d\",\"service_categories\":[\"practical_assistance\"%s],\"region\":\"%s\","
		        "\"industry\":\"antiques_art\",\"main_category\":\"%s\"}",
		        p, p % 3 ? "" : ",\"mall\"", provider_place(&all.m, p)->region, provider_category(&all.m, p));
		sink_row_done(&s);
	}
	sink_close(&s);
}

static void write_exam_passes(void)
{
	struct sink s = sink_open("exam_passes.csv", "credit_code,person_id,passed_on\n");
	int32_t passed_on[PEOPLE_MAX];
	for (int32_t p = 0; p < all.m.providers; p++) {
		int people = provider_passes(&all.m, p, passed_on);
		for (int i = 0; i < people; i++) {
			if (passed_on[i] > all.m.last)
				continue;
			put_credit_code(&s, p);
			buf_printf(&s.text, ",p-%d-%d,", p, i);
			put_day(&s, passed_on[i]);
			sink_row_done(&s);
		}
	}
	sink_close(&s);
}

/* ---- stores and bindings, as they are known on the last day ---- */

static void put_version(struct sink *out, int32_t store, const char *status, int32_t valid_from)
{
	const struct shop *s = &all.shops[store];
	const struct place *home = provider_place(&all.m, s->provider);
	if (valid_from > all.m.last)
		return;
	put_store(out, store);
	buf_printf(&out->text, ",古玩店 %d,%s,%s,%s,%s,%s,", store, s->elsewhere ? "440103" : home->county,
	           s->elsewhere && !s->ships_from_there ? "440103;440304" : home->county,
	           s->other_industry ? "jewelry" : "antiques_art",
	           s->other_category ? "other" : provider_category(&all.m, s->provider), status);
	put_day(out, valid_from);
	sink_row_done(out);
}

static void write_stores(void)
{
	struct sink out = sink_open("stores.csv",
	                            "store_id,name,registered_region,ship_from_regions,industry,category,status,valid_from\n");
	for (int32_t i = 0; i < all.m.stores; i++) {
		put_version(&out, i, "normal", all.m.first - 1000);
		put_version(&out, i, "suspended", all.shops[i].suspended_from);
		put_version(&out, i, "normal", all.shops[i].suspended_to);
		put_version(&out, i, "closing", all.shops[i].closing_from);
		put_version(&out, i, "closed", all.shops[i].closed_from);
	}
	sink_close(&out);
}

static void write_bindings(void)
{
	struct sink out = sink_open("bindings.csv", "credit_code,store_id,bound_on,unbound_on\n");
	struct bound bindings[BINDINGS_MAX];
	for (int32_t i = 0; i < all.m.stores; i++) {
		int n = shop_bindings(&all.m, i, &all.shops[i], bindings);
		for (int k = 0; k < n && bindings[k].from <= all.m.last; k++) {
			put_credit_code(&out, bindings[k].provider);
			buf_putc(&out.text, ',');
			put_store(&out, i);
			buf_putc(&out.text, ',');
			put_day(&out, bindings[k].from);
			buf_putc(&out.text, ',');
			put_day(&out, bindings[k].until);
			sink_row_done(&out);
		}
	}
	sink_close(&out);
}

/* ---- figures ---- */

static void put_figure(struct sink *out, int32_t store, const char *day, struct figure f)
{
	put_store(out, store);
	buf_putc(&out->text, ',');
	buf_add(&out->text, day, CIVIL_TEXT - 1);
	buf_putc(&out->text, ',');
	buf_int(&out->text, f.orders);
	buf_putc(&out->text, ',');
	buf_int(&out->text, f.gmv_fen);
	sink_row_done(out);
}

/* What the platform has said about a day by the evening of `through`; of a day before `from`, only what it corrects from then on. */
static void put_figures_of(struct sink *out, int32_t on, int32_t from, int32_t through)
{
	int64_t mood = mood_of(on);
	char day[CIVIL_TEXT];
	civil_text(on, day);
	for (int32_t store = 0; store < all.m.stores; store++) {
		const struct shop *s = &all.shops[store];
		int32_t final_on = corrected_on(&all.m, store, on);
		if (on < from && (final_on < from || final_on > through))
			continue;
		struct figure f = figure_of(&all.m, store, s, on, mood);
		if (final_on != NEVER && final_on > through)
			f = first_figure(&all.m, store, s, on, f);
		put_figure(out, store, day, f);
	}
}

static void write_figures(struct sink *plan, int32_t from, int32_t through, bool whole_month)
{
	char name[64], day[CIVIL_TEXT];
	snprintf(name, sizeof name, "store_days-%.*s.csv", whole_month ? 7 : 10, civil_text(from, day));
	struct sink out = sink_open(name, "store_id,day,orders,gmv_fen\n");
	int32_t oldest = from - LAG_DAYS > all.figures_from ? from - LAG_DAYS : all.figures_from;
	for (int32_t on = oldest; on <= through; on++)
		put_figures_of(&out, on, from, through);
	sink_close(&out);
	buf_printf(&plan->text, "%s\n  {\"file\": \"%s\", \"complete_through\": \"%s\"}", from == all.figures_from ? "" : ",",
	           name, civil_text(through, day));
}

static int32_t next_month(int32_t on)
{
	int year, month, dom;
	civil_split(on, &year, &month, &dom);
	return on - dom + 1 + civil_month_days(year, month);
}

static void write_all(void)
{
	char first[CIVIL_TEXT], last[CIVIL_TEXT], done[PATH_BYTES];
	struct sink plan = sink_open("plan.new", "");
	write_providers();
	write_stores();
	write_bindings();
	write_exam_passes();
	buf_printf(&plan.text, "{\"first_day\": \"%s\", \"last_day\": \"%s\", \"store_days\": [",
	           civil_text(all.m.first, first), civil_text(all.m.last, last));
	for (int32_t from = all.figures_from, until; from <= all.m.last; from = until) {
		until = from >= all.nights_from ? from + 1 : next_month(from);
		if (from < all.nights_from && until > all.nights_from)
			until = all.nights_from;
		write_figures(&plan, from, until - 1, from < all.nights_from && until == next_month(from));
	}
	buf_puts(&plan.text, "]}\n");
	sink_close(&plan);
	snprintf(done, sizeof done, "%s/plan.json", all.dir);
	if (rename(plan.path, done) != 0)
		fail(done);
}

/* ---- arguments ---- */

static void usage(void)
{
	fprintf(stderr,
	        "Usage: bench_generate [--seed N] [--providers N] [--stores N] [--from YYYY-MM-01] [--months N] [--history N]\n"
	        "       [--nights-from YYYY-MM-DD] [--corrected PERMILLE] DIR\n");
	exit(2);
}

static int64_t number(const char *text, int64_t low, int64_t high)
{
	char *end = NULL;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || *end || end == text || n < low || n > high)
		usage();
	return n;
}

static int32_t months = 3, history = 3;

static void read_option(const char *name, const char *value)
{
	if (strcmp(name, "--seed") == 0)
		all.m.seed = (uint64_t)number(value, 0, INT64_MAX);
	else if (strcmp(name, "--providers") == 0)
		all.m.providers = (int32_t)number(value, 1, STORES_MAX);
	else if (strcmp(name, "--stores") == 0)
		all.m.stores = (int32_t)number(value, 1, STORES_MAX);
	else if (strcmp(name, "--months") == 0)
		months = (int32_t)number(value, 1, MONTHS_MAX);
	else if (strcmp(name, "--history") == 0)
		history = (int32_t)number(value, 0, MONTHS_MAX);
	else if (strcmp(name, "--corrected") == 0)
		all.m.corrected = (int32_t)number(value, 0, 1000);
	else if (!((strcmp(name, "--from") == 0 && civil_parse(value, &all.m.first)) ||
	           (strcmp(name, "--nights-from") == 0 && civil_parse(value, &all.nights_from))))
		usage();
}

static void read_arguments(int argc, char **argv)
{
	int at = 1, year, month, dom;
	all.m.first = civil_days(2023, 7, 1);
	for (; at + 1 < argc && argv[at][0] == '-'; at += 2)
		read_option(argv[at], argv[at + 1]);
	civil_split(all.m.first, &year, &month, &dom);
	if (at != argc - 1 || argv[at][0] == '-' || dom != 1)
		usage();
	all.dir = argv[at];
	all.m.last = all.m.first - 1;
	for (int i = 0; i < months; i++)
		all.m.last = next_month(all.m.last + 1) - 1;
	all.figures_from = all.m.first;
	for (int i = 0; i < history; i++) {
		civil_split(all.figures_from - 1, &year, &month, &dom);
		all.figures_from -= dom;
	}
}

int main(int argc, char **argv)
{
	read_arguments(argc, argv);
	if (mkdir(all.dir, 0777) != 0 && errno != EEXIST)
		fail(all.dir);
	all.shops = calloc((size_t)all.m.stores, sizeof *all.shops);
	if (!all.shops)
		fail("shops");
	for (int32_t i = 0; i < all.m.stores; i++)
		all.shops[i] = shop_of(&all.m, i);
	write_all();
	free(all.shops);
	return EXIT_SUCCESS;
}
