#include "server/conninfo.h"

#include "server/poll.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum list { HOST, HOSTADDR, PORT, LISTS };
static const char *const list_names[LISTS] = {"host", "hostaddr", "port"};

struct conninfo {
	char *url;
	enum conninfo_to to;
	char *lists[LISTS]; /* "a,b,c" as the string has them; NULL: not in it */
	char *turned[LISTS]; /* "b,c,a" */
	char *own_options, *options;
	int hosts;
};

enum { MOVES_APART_MS = 1000 }; /* several connections find out at the same time */

static bool says_on(PGconn *pg, const char *parameter)
{
	const char *value = PQparameterStatus(pg, parameter);
	return value && strcmp(value, "on") == 0;
}

bool conninfo_takes_writes(PGconn *pg)
{
	return !says_on(pg, "in_hot_standby") && !says_on(pg, "default_transaction_read_only");
}

static _Atomic unsigned epoch;
static _Atomic int64_t moved_ms;

void conninfo_primary_moved(void)
{
	int64_t last = moved_ms, now = now_ms();
	if ((!last || now - last >= MOVES_APART_MS) && atomic_compare_exchange_strong(&moved_ms, &last, now))
		epoch++;
}

unsigned conninfo_primary_epoch(void)
{
	return epoch;
}

/* What holds where the string says nothing: a peer that is gone without a word is noticed within seconds. */
static const char *const defaults[][2] = {
        {"connect_timeout", "5"},     {"tcp_user_timeout", "10000"}, {"keepalives_idle", "10"},
        {"keepalives_interval", "5"}, {"keepalives_count", "2"},
};
enum { DEFAULTS = sizeof defaults / sizeof defaults[0] };

static int entries(const char *list)
{
	int n = 1;
	for (; list && *list; list++)
		n += *list == ',';
	return list ? n : 0;
}

/* False: out of memory. A string that libpq does not understand has no parts; connecting says what is wrong with it. */
static bool read_parts(struct conninfo *c)
{
	PQconninfoOption *parsed = PQconninfoParse(c->url, NULL);
	bool ok = true;
	for (const PQconninfoOption *o = parsed; o && o->keyword; o++) {
		if (!o->val || !*o->val)
			continue;
		char **into = strcmp(o->keyword, "options") == 0 ? &c->own_options : NULL;
		for (int i = 0; i < LISTS; i++)
			if (strcmp(o->keyword, list_names[i]) == 0)
				into = &c->lists[i];
		if (into)
			ok = (*into = strdup(o->val)) && ok;
	}
	PQconninfoFree(parsed);
	return ok;
}

struct conninfo *conninfo_new(const char *url, enum conninfo_to to)
{
	struct conninfo *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->to = to;
	c->url = strdup(url);
	if (!c->url || !read_parts(c)) {
		conninfo_free(c);
		return NULL;
	}
	int hosts = entries(c->lists[HOST]), addresses = entries(c->lists[HOSTADDR]);
	c->hosts = hosts > addresses ? hosts : addresses;
	if (c->hosts < 1)
		c->hosts = 1;
	return c;
}

void conninfo_free(struct conninfo *c)
{
	if (!c)
		return;
	for (int i = 0; i < LISTS; i++) {
		free(c->lists[i]);
		free(c->turned[i]);
	}
	free(c->own_options);
	free(c->options);
	free(c->url);
	free(c);
}

int conninfo_hosts(const struct conninfo *c)
{
	return c->hosts;
}

/* "a,b,c" to "b,c,a" for n = 1. */
static char *turned(const char *list, unsigned n)
{
	const char *head = list;
	while (n--)
		head = strchr(head, ',') + 1;
	size_t len = strlen(list), before = (size_t)(head - list);
	char *out = malloc(len + 2);
	if (!out || !before)
		return out ? memcpy(out, list, len + 1) : NULL;
	memcpy(out, head, len - before);
	out[len - before] = ',';
	memcpy(out + len - before + 1, list, before - 1);
	out[len] = '\0';
	return out;
}

static char *joined(const char *a, const char *b)
{
	size_t size = strlen(a) + strlen(b) + 2;
	char *out = malloc(size);
	if (out)
		snprintf(out, size, "%s%s%s", a, *a && *b ? " " : "", b);
	return out;
}

static void add(struct conninfo_words *words, int *n, const char *name, const char *value)
{
	words->names[*n] = name;
	words->values[*n] = value;
	++*n;
}

bool conninfo_words(struct conninfo *c, unsigned first, const char *application_name, const char *options,
                    struct conninfo_words *out)
{
	int n = 0;
	*out = (struct conninfo_words){0};
	for (int i = 0; i < DEFAULTS; i++)
		add(out, &n, defaults[i][0], defaults[i][1]);
	if (c->to == TO_PRIMARY && c->hosts > 1)
		add(out, &n, "target_session_attrs", "read-write");
	add(out, &n, "dbname", c->url); /* what stands before it gives way to what is in it, what comes after replaces it */
	for (int i = 0; i < LISTS; i++) {
		if (c->hosts == 1 || entries(c->lists[i]) != c->hosts)
			continue; /* one port may be that of every host */
		free(c->turned[i]);
		c->turned[i] = turned(c->lists[i], first % (unsigned)c->hosts);
		if (!c->turned[i])
			return false;
		add(out, &n, list_names[i], c->turned[i]);
	}
	free(c->options);
	c->options = joined(c->own_options ? c->own_options : "", options ? options : "");
	add(out, &n, "options", c->options);
	add(out, &n, "application_name", application_name);
	add(out, &n, "client_encoding", "UTF8");
	return c->options != NULL;
}
