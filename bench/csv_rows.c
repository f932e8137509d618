/* How many rows of day facts one core reads: base/csv alone, and with the day and the numbers parsed as an import does. The
 * text is in memory and fed in pieces of 64 KiB. Best of five; fails below the floor given as the argument, in rows a second.
 *
 *	cc -O2 -D_GNU_SOURCE -I. bench/csv_rows.c base/{csv,csv_fault,buf,utf8,faults,json_write,decimal,civil}.c -o csv_rows
 *	./csv_rows 5000000
 */
#include "base/buf.h"
#include "base/civil.h"
#include "base/csv.h"
#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 5000000, STORES = 50000, ROUNDS = 5, PIECE = 64 * 1024 };

struct tally {
	bool parses;
	uint64_t rows, bad, sum;
};

static bool parse(const struct csv_field *f, uint64_t *sum)
{
	int32_t day;
	int64_t orders;
	int64_t gmv_fen;

	if (!civil_parse_n(f[1].p, f[1].len, &day) || decimal_parse_n(f[2].p, f[2].len, 0, INT64_MAX, &orders) != DECIMAL_OK ||
	    decimal_parse_n(f[3].p, f[3].len, 0, INT64_MAX, &gmv_fen) != DECIMAL_OK)
		return false;
	*sum += (uint64_t)day + (uint64_t)orders + (uint64_t)gmv_fen;
	return true;
}

static bool count(void *arg, const struct csv_row *row)
{
	struct tally *t = arg;

	if (row->is_header)
		return true;
	t->rows++;
	if (row->fault || (t->parses && !parse(row->fields, &t->sum)))
		t->bad++;
	return true;
}

static struct buf day_facts(bool quoted)
{
	struct buf text = BUF_INIT((size_t)1 << 31);
	const char *q = quoted ? "\"" : "";

	buf_puts(&text, "store_id,day,orders,gmv_fen\n");
	for (unsigned i = 0; i < ROWS; i++)
		buf_printf(&text, "%ss-%07u%s,2023-%02u-%02u,%u,%u\n", q, i % STORES, q, i % 12 + 1, i % 28 + 1, i % 1000,
		           i * 37 % 10000000);
	return text;
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Rows a second, or 0 when a row was lost. */
static double rate(const struct buf *text, bool parses)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct tally t = {.parses = parses};
		struct csv *c = csv_new(count, &t);
		double from = seconds();
		bool ok = c != NULL;

		for (size_t at = 0; ok && at < text->len; at += PIECE)
			ok = csv_feed(c, text->data + at, text->len - at < PIECE ? text->len - at : PIECE) == CSV_GO_ON;
		ok = ok && csv_end(c) == CSV_GO_ON && t.rows == ROWS && t.bad == 0;
		csv_free(c);
		if (!ok)
			return 0;
		double now = ROWS / (seconds() - from);

		best = now > best ? now : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	double floor = argc > 1 ? strtod(argv[1], NULL) : 0;
	double worst = 1e18;

	for (int i = 0; i < 4; i++) {
		bool quoted = i & 1;
		bool parses = i & 2;
		struct buf text = day_facts(quoted);
		double rows = text.failed ? 0 : rate(&text, parses);

		printf("%s%s: %.1f million rows/s, %.0f MB/s\n", quoted ? "one field quoted" : "plain",
		       parses ? ", values parsed" : "", rows / 1e6, rows / ROWS * (double)text.len / 1e6);
		worst = rows < worst ? rows : worst;
		buf_free(&text);
	}
	return worst > 0 && worst >= floor ? EXIT_SUCCESS : EXIT_FAILURE;
}
