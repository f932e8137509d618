#include "server/replica.h"

#include "server/log.h"

#include <stdlib.h>
#include <string.h>

enum {
	POINT_LANES = 1, /* reads by key */
	SLOW_LANES = 2, /* lists and the like, which must not hold up those */
	LANES = POINT_LANES + SLOW_LANES,
	SLOW_BUSY = 8, /* statements under way on a slow lane: beyond, the primary takes them */
	SLOW_TIMEOUT_MS = WRITE_TIMEOUT_MS, /* as for the same statement on the primary */
	ASK_MS = 100,
	SAMPLES = 1024,
	OTHER_HOST_MS = 5000, /* a host of several that is of no use for so long is left */
	SILENT_MS =
	        1000, /* beyond what a statement may take: who has not answered by then hangs, and what it has is asked elsewhere */
	MARK_BYTES = 160
};

const char *const replica_why_names[REPLICA_WHYS] = {"", "unavailable", "lagging", "behind", "busy", "failed", "empty"};

/* How far the primary's log is on disk, and so all that was acknowledged; where commits do not wait for the disk, how far it is at
 * all. And which line of history it is, and whether the mark that says so is in the database. No row values on a standby. */
static const struct statement PRIMARY_AT = {
        .name = "replica_primary_at",
        .sql = "select p.at - '0/0', s.system_identifier || '/' || current_database() || '/' || m.mark,"
               " m.timeline = ('x' || left(pg_walfile_name(p.at), 8))::bit(32)::integer"
               " from primary_line m, pg_control_system() s,"
               " (select case when current_setting('synchronous_commit') = 'off' then pg_current_wal_insert_lsn()"
               " else pg_current_wal_flush_lsn() end where not pg_is_in_recovery()) p(at)",
};
static const struct statement REPLICA_AT = {
        .name = "replica_at",
        .sql = "select pg_last_wal_replay_lsn() - '0/0', s.system_identifier || '/' || current_database() || '/' || m.mark"
               " from primary_line m, pg_control_system() s where pg_is_in_recovery()",
};
static const struct statement MARK_PRIMARY = {.name = "replica_mark_primary", .sql = "select primary_line_mark()"};

/* A question that is put again and again. */
struct question {
	struct lane_op op; /* first: a lane hands it back */
	struct replica *replica;
	bool asked; /* and not answered yet */
	int64_t asked_ms;
};

/* A connection to a replica. */
struct follower {
	struct question at;
	struct read_lane *lane;
	int timeout_ms; /* of a statement */
	unsigned connection; /* of the lane, that the following was learnt on */
	char mark[MARK_BYTES]; /* empty: it is no replica */
	uint64_t replayed; /* at least */
	int64_t covered_ms; /* it has all that was committed until then; 0: not known */
	int64_t useful_ms; /* when it last was, or was connected anew */
};

struct sample {
	int64_t asked_ms;
	uint64_t position;
};

struct replica {
	struct replica_config config;
	struct read_lane *primary;
	struct write_lanes *writes;
	struct question at, marking;
	uint64_t question; /* positions_ask() of the one under way */
	char mark[MARK_BYTES];
	unsigned connection; /* of the primary's lane, that the mark was read on */
	struct sample samples[SAMPLES]; /* a ring */
	unsigned samples_len; /* ever taken */
	struct follower followers[LANES];
	struct replica_stats stats;
};

/* ---- how fresh ---- */

static bool follows(const struct replica *r, const struct follower *f)
{
	return r->mark[0] && r->connection == read_lane_connection(r->primary) &&
	       f->connection == read_lane_connection(f->lane) && strcmp(f->mark, r->mark) == 0;
}

/* The newest moment of the primary's that it has the whole of. */
static void cover(const struct replica *r, struct follower *f)
{
	if (!follows(r, f)) {
		f->covered_ms = 0;
		return;
	}
	unsigned oldest = r->samples_len > SAMPLES ? r->samples_len - SAMPLES : 0;
	for (unsigned i = r->samples_len; i-- > oldest;) {
		const struct sample *s = &r->samples[i % SAMPLES];
		if (s->asked_ms <= f->covered_ms)
			return;
		if (s->position <= f->replayed) {
			f->covered_ms = s->asked_ms;
			return;
		}
	}
}

static bool fresh(const struct replica *r, const struct follower *f, int64_t now)
{
	return f->covered_ms && now - f->covered_ms <= r->config.lag_ms;
}

/* ---- asking ---- */

static bool put(struct question *q, bool (*submit)(struct replica *, struct question *))
{
	if (q->asked)
		return false;
	q->asked_ms = now_ms();
	q->asked = submit(q->replica, q);
	return q->asked;
}

static void primary_answered(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	struct question *q = (struct question *)op;
	struct replica *r = q->replica;
	q->asked = false;
	const char *mark = end == OP_OK && rows->count == 1 ? rows_text(rows, 0, 1) : NULL;
	if (!mark || strlen(mark) >= MARK_BYTES)
		return;
	if (strcmp(mark, r->mark) !=
	    0) { /* another primary, or it was marked anew: what was learnt of the one before is void */
		snprintf(r->mark, sizeof r->mark, "%s", mark);
		r->samples_len = 0;
		for (int i = 0; i < LANES; i++)
			r->followers[i].covered_ms = 0;
	}
	r->connection = read_lane_connection(r->primary);
	uint64_t position = (uint64_t)rows_int(rows, 0, 0);
	positions_asked(r->config.positions, r->question, position);
	if (!rows_bool(rows, 0, 2)) {
		r->mark[0] = '\0'; /* not before the mark tells this line of history from that before */
		if (!r->marking.asked)
			r->marking.asked = write_lanes_submit(r->writes, &r->marking.op) == OP_OK;
		return;
	}
	r->samples[r->samples_len++ % SAMPLES] = (struct sample){q->asked_ms, position};
	for (int i = 0; i < LANES; i++)
		cover(r, &r->followers[i]);
}

static void marked(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	(void)rows;
	(void)end; /* seen in the next answer, or tried again */
	((struct question *)op)->asked = false;
}

static void follower_answered(struct lane_op *op, enum op_end end, const struct rows *rows)
{
	struct follower *f = (struct follower *)op;
	struct replica *r = f->at.replica;
	f->at.asked = false;
	if (end != OP_OK)
		return;
	const char *mark = rows->count == 1 ? rows_text(rows, 0, 1) : NULL;
	bool known = mark && strlen(mark) < MARK_BYTES;
	if (f->connection != read_lane_connection(f->lane))
		f->covered_ms = 0; /* perhaps another host */
	f->connection = read_lane_connection(f->lane);
	snprintf(f->mark, sizeof f->mark, "%s", known ? mark : "");
	f->replayed = known ? (uint64_t)rows_int(rows, 0, 0) : 0;
	cover(r, f);
}

static bool ask_primary(struct replica *r, struct question *q)
{
	r->question = positions_ask(r->config.positions);
	return read_lane_submit(r->primary, &q->op) == OP_OK;
}

static bool ask_follower(struct replica *r, struct question *q)
{
	(void)r;
	return read_lane_submit(((struct follower *)q)->lane, &q->op) == OP_OK;
}

/* ---- reads ---- */

static struct follower *follower_for(struct replica *r, const struct statement *st)
{
	struct follower *best = &r->followers[st->slow ? POINT_LANES : 0];
	for (int i = POINT_LANES + 1; st->slow && i < LANES; i++)
		if (read_lane_busy(r->followers[i].lane) < read_lane_busy(best->lane))
			best = &r->followers[i];
	return best;
}

static enum replica_why try(struct replica *r, struct follower *f, struct lane_op *op, uint64_t needed)
{
	if (!follows(r, f))
		return REPLICA_DOWN;
	if (!fresh(r, f, now_ms()))
		return REPLICA_LAGS;
	if (f->replayed < needed) {
		put(&f->at, ask_follower); /* it may be there by now: for the next one */
		return REPLICA_BEHIND;
	}
	if (op->st->slow && read_lane_busy(f->lane) >= SLOW_BUSY)
		return REPLICA_BUSY;
	switch (read_lane_submit(f->lane, op)) {
	case OP_OK:
		return REPLICA_OK;
	case OP_OVERLOADED:
		return REPLICA_BUSY;
	default:
		return REPLICA_DOWN;
	}
}

bool replica_submit(struct replica *r, struct lane_op *op, uint64_t needed)
{
	enum replica_why why = try(r, follower_for(r, op->st), op, needed);
	if (why != REPLICA_OK)
		r->stats.declined[why]++;
	return why == REPLICA_OK;
}

void replica_answered(struct replica *r, enum replica_why how)
{
	if (how == REPLICA_OK)
		r->stats.reads++;
	else
		r->stats.declined[how]++;
}

/* ---- turning ---- */

void replica_flush(struct replica *r)
{
	for (int i = 0; i < LANES; i++)
		read_lane_flush(r->followers[i].lane);
}

static void tick_follower(struct replica *r, struct follower *f, int64_t now)
{
	read_lane_tick(f->lane, now);
	if (!read_lane_stats(f->lane)->connected) {
		f->useful_ms = now;
		return;
	}
	if (follows(r, f) && fresh(r, f, now))
		f->useful_ms = now;
	bool silent = f->at.asked && now - f->at.asked_ms > f->timeout_ms + SILENT_MS;
	if (silent || now - f->useful_ms > OTHER_HOST_MS) {
		f->useful_ms = now;
		read_lane_other_host(f->lane);
	} else if (now - f->at.asked_ms >= ASK_MS) {
		put(&f->at, ask_follower);
	}
}

void replica_tick(struct replica *r, int64_t now)
{
	int connections = 0;
	for (int i = 0; i < LANES; i++) {
		tick_follower(r, &r->followers[i], now);
		connections += read_lane_stats(r->followers[i].lane)->connected;
	}
	if (now - r->at.asked_ms >= ASK_MS)
		put(&r->at, ask_primary);
	r->stats.connections = connections;
	r->stats.covered_ms = follows(r, &r->followers[0]) ? r->followers[0].covered_ms : 0;
}

const struct replica_stats *replica_stats(const struct replica *r)
{
	return &r->stats;
}

/* ---- life ---- */

static void question(struct question *q, struct replica *r, const struct statement *st,
                     void (*done)(struct lane_op *op, enum op_end end, const struct rows *rows))
{
	q->replica = r;
	q->op = (struct lane_op){.st = st, .done = done};
}

struct replica *replica_new(struct poll *poll, const struct replica_config *config, struct read_lane *primary,
                            struct write_lanes *writes)
{
	struct replica *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->config = *config;
	r->primary = primary;
	r->writes = writes;
	question(&r->at, r, &PRIMARY_AT, primary_answered);
	question(&r->marking, r, &MARK_PRIMARY, marked);
	for (int i = 0; i < LANES; i++) {
		struct follower *f = &r->followers[i];
		question(&f->at, r, &REPLICA_AT, follower_answered);
		f->timeout_ms = i < POINT_LANES ? READ_TIMEOUT_MS : SLOW_TIMEOUT_MS;
		f->lane = read_lane_to_replicas(poll, config->url, f->timeout_ms);
		if (!f->lane) {
			replica_free(r);
			return NULL;
		}
	}
	return r;
}

void replica_free(struct replica *r)
{
	if (!r)
		return;
	for (int i = 0; i < LANES; i++)
		read_lane_free(r->followers[i].lane);
	free(r);
}
