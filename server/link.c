#include "server/link.h"

#include "server/conninfo.h"
#include "server/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { CONNECT_TIMEOUT_MS = 5000, CONNECT_TIMEOUT_OF_SEVERAL_MS = 2000 };

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

struct link {
	struct source source; /* first: the poll hands it back */
	struct poll *poll;
	const struct link_owner *calls;
	void *owner;
	struct conninfo *to;
	unsigned first_host; /* that the next attempt begins with */
	bool of_replica;
	unsigned epoch;      /* conninfo_primary_epoch() when this one began */
	bool took_writes;    /* the server, when it was connected */
	char *application_name, *options;
	PGconn *pg;
	enum link_state state;
	unsigned failures; /* in a row */
	int64_t retry_at_ms;
	int64_t give_up_at_ms;
	bool said_down;
	const struct statement *prepared[LINK_PREPARED_MAX];
	int prepared_len;
};

static void link_ready(struct source *source, uint32_t events);

static struct link *make(struct poll *poll, struct conninfo *to, const char *application_name, const char *options,
                         const struct link_owner *calls, void *owner)
{
	struct link *l = calloc(1, sizeof *l);
	if (!l) {
		conninfo_free(to);
		return NULL;
	}
	l->source = (struct source){.ready = link_ready, .fd = -1};
	l->poll = poll;
	l->calls = calls;
	l->owner = owner;
	l->to = to;
	l->application_name = strdup(application_name);
	l->options = strdup(options);
	if (l->to && l->application_name && l->options)
		return l;
	link_free(l);
	return NULL;
}

struct link *link_new(struct poll *poll, const char *url, const char *application_name, const char *options,
                      const struct link_owner *calls, void *owner)
{
	return make(poll, conninfo_new(url, TO_PRIMARY), application_name, options, calls, owner);
}

struct link *link_to_replicas(struct poll *poll, const char *url, const char *application_name, const char *options,
                              const struct link_owner *calls, void *owner)
{
	struct link *l = make(poll, conninfo_new(url, TO_REPLICA), application_name, options, calls, owner);
	if (l) {
		l->of_replica = true;
		l->first_host = (unsigned)random();
	}
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	poll_forget(l->poll, &l->source);
	PQfinish(l->pg);
	conninfo_free(l->to);
	free(l->application_name);
	free(l->options);
	free(l);
}

PGconn *link_pg(struct link *l) { return l->state == LINK_UP ? l->pg : NULL; }

bool link_prepared(const struct link *l, const struct statement *st)
{
	for (int i = 0; i < l->prepared_len; i++)
		if (l->prepared[i] == st)
			return true;
	return false;
}

void link_set_prepared(struct link *l, const struct statement *st)
{
	assert(l->prepared_len < LINK_PREPARED_MAX);
	if (!link_prepared(l, st))
		l->prepared[l->prepared_len++] = st;
}

void link_lost(struct link *l)
{
	bool was_up = l->state == LINK_UP;
	if (l->state == LINK_DOWN)
		return;
	if (!was_up)
		l->first_host++; /* the one that it began with may be what kept it */
	if (!l->said_down)
		log_line(LOG_WARN, "database connection lost", "link", l->application_name, "why", PQerrorMessage(l->pg), NULL);
	l->said_down = true;
	poll_forget(l->poll, &l->source);
	PQfinish(l->pg);
	l->pg = NULL;
	l->state = LINK_DOWN;
	l->prepared_len = 0;
	unsigned shift = l->failures < 6 ? l->failures : 6;
	int64_t pause = (int64_t)LINK_BACKOFF_MIN_MS << shift;
	if (pause > LINK_BACKOFF_MAX_MS)
		pause = LINK_BACKOFF_MAX_MS;
	l->failures++;
	l->retry_at_ms = now_ms() + pause / 2 + random() % (pause / 2 + 1);
	if (was_up)
		l->calls->down(l->owner);
}

static bool watch(struct link *l, uint32_t events)
{
	if (poll_watch(l->poll, &l->source, PQsocket(l->pg), events))
		return true;
	link_lost(l);
	return false;
}

static void connected(struct link *l)
{
	if (PQsetnonblocking(l->pg, 1) != 0 || !watch(l, EPOLLIN)) {
		link_lost(l);
		return;
	}
	l->state = LINK_UP;
	l->took_writes = conninfo_takes_writes(l->pg);
	l->failures = 0;
	if (l->said_down)
		log_line(LOG_INFO, "database connection is back", "link", l->application_name, NULL);
	l->said_down = false;
	l->calls->up(l->owner);
}

static void connect_step(struct link *l)
{
	PostgresPollingStatusType step = PQconnectPoll(l->pg);
	/* libpq may have closed one socket and opened another under the same number */
	if (l->source.fd >= 0)
		poll_forget(l->poll, &l->source);
	switch (step) {
	case PGRES_POLLING_READING:
		watch(l, EPOLLIN);
		break;
	case PGRES_POLLING_WRITING:
		watch(l, EPOLLOUT);
		break;
	case PGRES_POLLING_OK:
		connected(l);
		break;
	default:
		link_lost(l);
	}
}

static void start(struct link *l)
{
	struct conninfo_words words;
	l->state = LINK_CONNECTING;
	l->epoch = conninfo_primary_epoch();
	l->give_up_at_ms = now_ms() + (conninfo_hosts(l->to) > 1 ? CONNECT_TIMEOUT_OF_SEVERAL_MS : CONNECT_TIMEOUT_MS);
	l->pg = conninfo_words(l->to, l->first_host, l->application_name, l->options, &words)
	                ? PQconnectStartParams(words.names, words.values, 1)
	                : NULL;
	if (!l->pg || PQstatus(l->pg) == CONNECTION_BAD) {
		link_lost(l);
		return;
	}
	watch(l, EPOLLOUT);
}

void link_refused_write(struct link *l)
{
	if (l->took_writes)
		conninfo_primary_moved(); /* this one goes with all the others, at the next tick */
	else
		link_lost(l);
}

void link_other_host(struct link *l)
{
	l->first_host++;
	link_lost(l);
}

/* The primary has moved since it was made. */
static bool outlived(const struct link *l)
{
	return l->state == LINK_UP && !l->of_replica && l->epoch != conninfo_primary_epoch();
}

void link_tick(struct link *l, int64_t now)
{
	if (l->state == LINK_DOWN && now >= l->retry_at_ms)
		start(l);
	else if ((l->state == LINK_CONNECTING && now >= l->give_up_at_ms) || outlived(l))
		link_lost(l);
}

void link_flush(struct link *l)
{
	if (l->state != LINK_UP)
		return;
	int left = PQflush(l->pg);
	if (left < 0)
		link_lost(l);
	else
		watch(l, left ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void link_ready(struct source *source, uint32_t events)
{
	struct link *l = (struct link *)source;
	if (l->state == LINK_CONNECTING) {
		connect_step(l);
		return;
	}
	if (!PQconsumeInput(l->pg)) {
		link_lost(l);
		return;
	}
	if (events & EPOLLOUT)
		link_flush(l);
	if (l->state == LINK_UP)
		l->calls->input(l->owner);
}
