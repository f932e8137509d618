/* Finds the operation for a method and a path. Templates are compiled once, into segments of literals and placeholders; one
 * segment may hold several, as in "{id}@{version}". */
#include "base/buf.h"
#include "server/request_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_MAX = 8 };

struct segment {
	const char *text; /* of the template */
	size_t len;
	bool plain; /* no placeholder */
};

struct route {
	const struct operation *operation;
	struct segment segments[SEGMENTS_MAX];
	int len;
};

struct route_table {
	struct route *routes;
	size_t len;
};

static int split(const char *path, struct segment *out)
{
	int n = 0;
	while (*path == '/') {
		size_t len = strcspn(path + 1, "/");
		if (n == SEGMENTS_MAX)
			return -1;
		out[n++] = (struct segment){path + 1, len, memchr(path + 1, '{', len) == NULL};
		path += 1 + len;
	}
	return *path ? -1 : n;
}

struct route_table *route_table_new(const struct operation *operations, size_t len)
{
	struct route_table *table = calloc(1, sizeof *table);
	if (!table)
		return NULL;
	table->routes = calloc(len, sizeof *table->routes);
	if (!table->routes) {
		free(table);
		return NULL;
	}
	table->len = len;
	for (size_t i = 0; i < len; i++) {
		table->routes[i].operation = &operations[i];
		table->routes[i].len = split(operations[i].path, table->routes[i].segments);
		assert(table->routes[i].len > 0);
	}
	return table;
}

void route_table_free(struct route_table *table)
{
	if (!table)
		return;
	free(table->routes);
	free(table);
}

static bool add_param(struct request *rq, const char *name, size_t name_len, const char *value, size_t len)
{
	assert(rq->params_len < PARAMS_MAX);
	if (!len)
		return false;
	rq->params[rq->params_len++] = (struct name_value){request_copy(rq, name, name_len), request_copy(rq, value, len)};
	return true;
}

/* `{id}@{version}` against `antiques-art@2023-04-26` (or `antiques-art%402023-04-26`, which says the same): each placeholder takes
 * up to the literal that follows it. */
static bool match_placeholders(struct request *rq, const struct segment *want, const struct segment *got)
{
	const char *g = percent_decode(rq, got->text, got->len, false);
	if (!g)
		return false;
	const char *w = want->text, *w_end = w + want->len, *g_end = g + strlen(g);
	while (w < w_end) {
		if (*w != '{') {
			if (g == g_end || *w++ != *g++)
				return false;
			continue;
		}
		const char *name = w + 1;
		const char *close = memchr(w, '}', (size_t)(w_end - w));
		assert(close);
		w = close + 1;
		const char *stop = w == w_end ? g_end : memchr(g, *w, (size_t)(g_end - g));
		if (!stop || !add_param(rq, name, (size_t)(close - name), g, (size_t)(stop - g)))
			return false;
		g = stop;
	}
	return g == g_end;
}

static bool match(struct request *rq, const struct route *route, const struct segment *got, int len)
{
	if (route->len != len)
		return false;
	for (int i = 0; i < len; i++) {
		const struct segment *want = &route->segments[i];
		if (want->plain && (want->len != got[i].len || memcmp(want->text, got[i].text, want->len) != 0))
			return false;
	}
	rq->params_len = 0;
	for (int i = 0; i < len; i++)
		if (!route->segments[i].plain && !match_placeholders(rq, &route->segments[i], &got[i]))
			return false;
	return true;
}

static bool same_method(const char *of_route, const char *of_request)
{
	return strcmp(of_route, of_request) == 0 || (strcmp(of_route, "GET") == 0 && strcmp(of_request, "HEAD") == 0);
}

static void add_allowed(struct buf *allow, const char *method)
{
	if (allow->len)
		buf_puts(allow, ", ");
	buf_puts(allow, method);
	if (strcmp(method, "GET") == 0)
		buf_puts(allow, ", HEAD");
}

const char *route_methods(const struct route_table *table, struct request *rq)
{
	struct segment got[SEGMENTS_MAX];
	struct buf allow = BUF_INIT(200);
	int len = split(rq->path, got);
	for (size_t i = 0; len > 0 && i < table->len; i++)
		if (match(rq, &table->routes[i], got, len))
			add_allowed(&allow, table->routes[i].operation->method);
	const char *methods = allow.len ? request_copy(rq, allow.data, allow.len) : NULL;
	buf_free(&allow);
	return methods;
}

bool route_find(const struct route_table *table, struct request *rq)
{
	struct segment got[SEGMENTS_MAX];
	int len = split(rq->path, got);
	for (size_t i = 0; len > 0 && i < table->len; i++) {
		const struct route *route = &table->routes[i];
		if (same_method(route->operation->method, rq->method) && match(rq, route, got, len)) {
			rq->operation = route->operation;
			return true;
		}
	}
	const char *methods = route_methods(table, rq);
	if (methods) {
		reply_header(rq, "Allow", methods);
		reply_problem(rq, CODE_METHOD_NOT_ALLOWED, &rq->method, 1);
	} else {
		reply_not_found(rq);
	}
	return false;
}
