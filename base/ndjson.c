#include "base/ndjson.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT = 24, MARK_BYTES = 3 };

struct ndjson {
	ndjson_row_fn fn;
	void *arg;
	enum ndjson_status status;
	uint64_t line; /* the one at hand */
	bool too_long; /* its bytes are no longer kept */
	struct buf carry; /* what earlier calls brought of it */
};

struct ndjson *ndjson_new(ndjson_row_fn fn, void *arg)
{
	struct ndjson *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->fn = fn;
	r->arg = arg;
	r->line = 1;
	r->carry = BUF_INIT(NDJSON_LINE_MAX + MARK_BYTES + 1); /* and the CR of its line end */
	return r;
}

void ndjson_free(struct ndjson *r)
{
	if (!r)
		return;
	buf_free(&r->carry);
	free(r);
}

static bool is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	}
	return true;
}

/* json_read() counts lines from the text it is given, which is one line: says which one. False when out of memory. */
static bool set_line(struct faults *faults, uint64_t line)
{
	for (size_t i = 0; i < faults->len; i++) {
		struct fault *it = &faults->items[i];
		char text[NUMBER_TEXT];
		char **arg = it->code == CODE_INVALID_JSON       ? &it->args[1]
		             : it->code == CODE_DUPLICATE_MEMBER ? &it->args[0]
		                                                 : NULL;

		if (!arg)
			continue;
		(void)snprintf(text, sizeof text, "%" PRIu64, line);
		free(*arg);
		*arg = strdup(text);
		if (!*arg)
			return false;
	}
	return true;
}

static void add_too_long(struct faults *faults)
{
	char bound[NUMBER_TEXT];

	(void)snprintf(bound, sizeof bound, "%d", NDJSON_LINE_MAX);
	faults_add(faults, "", CODE_ROW_TOO_LONG, bound, NULL);
}

static void emit(struct ndjson *r, const char *p, size_t n)
{
	struct faults faults = {0};
	struct ndjson_row row = {.line = r->line, .faults = &faults};

	if (r->too_long)
		add_too_long(&faults);
	else if (json_read(p, n, 0, &row.value, &faults) == JSON_NO_MEMORY || !set_line(&faults, r->line))
		r->status = NDJSON_NO_MEMORY;
	if (r->status == NDJSON_GO_ON && !r->fn(r->arg, &row))
		r->status = NDJSON_STOPPED;
	json_decref(row.value);
	faults_free(&faults);
}

/* The bytes of a whole line, without its line feed. */
static void take_line(struct ndjson *r, const char *p, size_t n, bool ended_by_lf)
{
	if (r->line == 1 && n >= MARK_BYTES && memcmp(p, "\xEF\xBB\xBF", MARK_BYTES) == 0) {
		p += MARK_BYTES;
		n -= MARK_BYTES;
	}
	if (ended_by_lf && n && p[n - 1] == '\r')
		n--;
	if (n > NDJSON_LINE_MAX)
		r->too_long = true;
	if (r->too_long || !is_blank(p, n))
		emit(r, p, n);
	r->line++;
	r->too_long = false;
	buf_reset(&r->carry);
}

static void keep(struct ndjson *r, const char *p, size_t n)
{
	if (r->too_long)
		return;
	if (n > r->carry.max - r->carry.len) {
		r->too_long = true;
		buf_reset(&r->carry);
		return;
	}
	buf_add(&r->carry, p, n);
	if (r->carry.failed)
		r->status = NDJSON_NO_MEMORY;
}

static void take_carried(struct ndjson *r, bool ended_by_lf)
{
	take_line(r, r->carry.data ? r->carry.data : "", r->carry.len, ended_by_lf);
}

enum ndjson_status ndjson_feed(struct ndjson *r, const char *p, size_t n)
{
	while (r->status == NDJSON_GO_ON && n) {
		const char *lf = memchr(p, '\n', n);
		size_t len = lf ? (size_t)(lf - p) : n;

		if (lf && !r->carry.len && !r->too_long) {
			take_line(r, p, len, true);
		} else {
			keep(r, p, len);
			if (lf && r->status == NDJSON_GO_ON)
				take_carried(r, true);
		}
		len += lf != NULL;
		p += len;
		n -= len;
	}
	return r->status;
}

enum ndjson_status ndjson_end(struct ndjson *r)
{
	if (r->status == NDJSON_GO_ON && (r->carry.len || r->too_long))
		take_carried(r, false);
	return r->status;
}
