#include "model/store/gaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void write_gap(struct buf *out, const struct criterion_gap *g)
{
	buf_printf(out, "%s %lld %lld ", measure_name(g->measure), (long long)g->at_least, (long long)g->gap);
	if (g->month == DAY_NONE)
		buf_putc(out, '-');
	else
		buf_int(out, g->month);
	buf_printf(out, " %zu %lld ", strlen(g->clause), g->alternative ? (long long)strlen(g->alternative) : -1LL);
	buf_puts(out, g->clause);
	buf_putc(out, ' ');
	buf_puts(out, g->alternative ? g->alternative : "");
	buf_putc(out, '\n');
}

void gaps_write(struct buf *out, day evaluated_on, const struct criterion_gap *gaps, size_t n)
{
	buf_int(out, evaluated_on);
	buf_putc(out, '\n');
	for (size_t i = 0; i < n; i++)
		write_gap(out, &gaps[i]);
}

/* A number and the character after it. */
static bool number(char **at, char after, long long *out)
{
	char *end;
	errno = 0;
	*out = strtoll(*at, &end, 10);
	if (end == *at || *end != after || errno)
		return false;
	*at = end + 1;
	return true;
}

/* `len` bytes and the character after them, which becomes the string's end. */
static bool string(char **at, const char *end, long long len, char after, const char **out)
{
	if (len < 0 || len >= end - *at || (*at)[len] != after)
		return false;
	*out = *at;
	(*at)[len] = '\0';
	*at += len + 1;
	return true;
}

static bool month(char **at, day *out)
{
	long long value;
	if (strncmp(*at, "- ", 2) == 0) {
		*out = DAY_NONE;
		*at += 2;
		return true;
	}
	if (!number(at, ' ', &value) || value < INT32_MIN || value > INT32_MAX)
		return false;
	*out = (day)value;
	return true;
}

static bool read_gap(char **at, const char *end, struct criterion_gap *g)
{
	long long at_least, gap, clause_len, alternative_len;
	char *name = *at, *blank = strchr(name, ' ');
	if (!blank)
		return false;
	*blank = '\0';
	*at = blank + 1;
	if (!measure_by_name(name, &g->measure) || !number(at, ' ', &at_least) || !number(at, ' ', &gap) ||
	    !month(at, &g->month) || !number(at, ' ', &clause_len) || !number(at, ' ', &alternative_len))
		return false;
	g->at_least = at_least;
	g->gap = gap;
	if (!string(at, end, clause_len, ' ', &g->clause) ||
	    !string(at, end, alternative_len < 0 ? 0 : alternative_len, '\n', &g->alternative))
		return false;
	if (alternative_len < 0)
		g->alternative = NULL;
	return true;
}

bool gaps_read(char *text, day *evaluated_on, struct criterion_gap gaps[REQUIREMENT_NODES], size_t *n)
{
	char *at = text;
	const char *end = text + strlen(text);
	long long on;
	if (!number(&at, '\n', &on) || on < INT32_MIN || on > INT32_MAX)
		return false;
	*evaluated_on = (day)on;
	for (*n = 0; at < end; (*n)++)
		if (*n == REQUIREMENT_NODES || !read_gap(&at, end, &gaps[*n]))
			return false;
	return true;
}
