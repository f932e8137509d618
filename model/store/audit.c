#include "model/store/audit.h"

#include "model/store/close.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEAL_PIECE = 10000, CHECK_PIECE = 5000, NUMBER_MAX = 24 };

const struct statement AUDIT_LIST = {
        .name = "audit_list",
        .sql = "select cursor, body from audit_list($1, $2::integer, $3, $4, $5, $6, $7::timestamptz, $8::timestamptz)",
        .params = 8,
        .slow = true,
};

static const struct statement SEAL_MORE = {
        .name = "audit_seal_more",
        .sql = "select more, position, encode(sha256, 'hex') from audit_seal_more($1::integer, $2::boolean)",
        .params = 2,
};

static const struct statement CHECK_LINKS = {
        .name = "audit_check_links",
        .sql = "select looked_at, came_to, encode(came_to_sha256, 'hex'), code, position, through, audit_id"
               " from audit_check_links($1::bigint, decode($2, 'hex'), $3::bigint, $4::integer)",
        .params = 4,
};

static const struct statement CHECK_ENTRIES = {
        .name = "audit_check_entries",
        .sql = "select looked_at, came_to, waiting, audit_id from audit_check_entries($1::bigint, $2::integer)",
        .params = 2,
};

static const struct statement LINK_AT = {
        .name = "audit_link_at",
        .sql = "select encode(sha256, 'hex') from audit_chain where position = $1::bigint",
        .params = 1,
};

/* Links that the seal knows nothing of: beyond where it says the chain ends, or before its beginning. */
static const struct statement STRAY_LINKS = {
        .name = "audit_stray_links",
        .sql = "select position from audit_chain where position > (select position from audit_seal) or position < 1 limit 1",
};

bool audit_head_read(const char *text, struct audit_head *out)
{
	char *end;
	if (*text < '1' || *text > '9')
		return false;
	long long position = strtoll(text, &end, 10);
	if (end - text > 18 || *end != ':' || strlen(end + 1) != 64 || strspn(end + 1, "0123456789abcdef") != 64)
		return false;
	out->position = position;
	memcpy(out->sha256, end + 1, SHA256_HEX);
	return true;
}

static int64_t int_at(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

static const char *number(int64_t v, char text[NUMBER_MAX])
{
	snprintf(text, NUMBER_MAX, "%" PRId64, v);
	return text;
}

/* ---- sealing ---- */

static enum db_status seal_piece(struct db *db, bool wait, bool *more, struct audit_head *head)
{
	char most[NUMBER_MAX];
	PGresult *res = NULL;
	enum db_status status = db_run(db, &SEAL_MORE, (const char *const[]){number(SEAL_PIECE, most), wait ? "t" : "f"}, &res);
	*more = false;
	if (status == DB_OK && !PQgetisnull(res, 0, 1)) {
		*more = PQgetvalue(res, 0, 0)[0] == 't';
		head->position = int_at(res, 0, 1);
		snprintf(head->sha256, sizeof head->sha256, "%s", PQgetvalue(res, 0, 2));
	}
	PQclear(res);
	return status;
}

enum db_status audit_seal(struct db *db, struct audit_head *head)
{
	bool more = true;
	enum db_status status = DB_OK;
	while (more && status == DB_OK)
		status = seal_piece(db, true, &more, head);
	return status;
}

enum db_status audit_try_seal(struct db *db, bool (*stopping)(void *arg), void *arg, struct audit_head *head)
{
	bool more = true;
	enum db_status status = DB_OK;
	while (more && status == DB_OK && !stopping(arg))
		status = seal_piece(db, false, &more, head);
	return status;
}

/* ---- checking ---- */

void audit_problem_text(struct buf *out, const struct audit_problem *p, enum lang lang)
{
	char position[NUMBER_MAX], through[NUMBER_MAX];
	const char *args[2];
	size_t n = 0;
	if (*p->audit_id)
		args[n++] = p->audit_id;
	if (p->position || p->through)
		args[n++] = number(p->position, position);
	if (n < 2 && p->through)
		args[n++] = number(p->through, through);
	code_detail(out, p->code, lang, args, n);
}

static void report(struct audit_check *c, const struct audit_problem *p)
{
	c->problems++;
	c->found(c->arg, p);
}

static bool must_pause(const struct audit_check *c)
{
	return (c->stopping && c->stopping(c->arg)) || (c->deadline_ms && monotonic_ms() >= c->deadline_ms);
}

/* The hash of the link at `position`; of the one before the first, zeros; "" when there is none. */
static enum db_status link_at(struct db *db, int64_t position, char sha256[SHA256_HEX])
{
	char text[NUMBER_MAX];
	PGresult *res = NULL;
	if (position == 0) {
		memset(sha256, '0', SHA256_HEX - 1);
		sha256[SHA256_HEX - 1] = '\0';
		return DB_OK;
	}
	enum db_status status = db_run(db, &LINK_AT, (const char *const[]){number(position, text)}, &res);
	snprintf(sha256, SHA256_HEX, "%s", status == DB_OK && PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
	PQclear(res);
	return status;
}

static enum db_status links_piece(struct db *db, struct audit_check *c, struct audit_head *at, int64_t *n)
{
	char behind[NUMBER_MAX], until[NUMBER_MAX], most[NUMBER_MAX];
	const char *const params[] = {number(at->position, behind), *at->sha256 ? at->sha256 : NULL,
	                              number(c->head.position, until), number(CHECK_PIECE, most)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CHECK_LINKS, params, &res);
	*n = status == DB_OK ? int_at(res, 0, 0) : 0;
	for (int row = 0; *n && row < PQntuples(res) && !PQgetisnull(res, row, 3); row++) {
		struct audit_problem p = {.code = code_by_name(PQgetvalue(res, row, 3)),
		                          .position = int_at(res, row, 4),
		                          .through = int_at(res, row, 5)};
		snprintf(p.audit_id, sizeof p.audit_id, "%s", PQgetvalue(res, row, 6));
		report(c, &p);
	}
	if (*n) {
		at->position = int_at(res, 0, 1);
		snprintf(at->sha256, sizeof at->sha256, "%s", PQgetvalue(res, 0, 2));
		c->links += *n;
	}
	PQclear(res);
	return status;
}

/* The chain must end as the seal says that it does. */
static enum db_status check_end(struct db *db, struct audit_check *c, const struct audit_head *at)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, &STRAY_LINKS, NULL, &res);
	if (status != DB_OK)
		return status;
	if (at->position < c->head.position)
		report(c, &(struct audit_problem){
		                  .code = CODE_AUDIT_CHAIN_CUT, .position = at->position, .through = c->head.position});
	else if (strcmp(at->sha256, c->head.sha256) != 0 || PQntuples(res))
		report(c, &(struct audit_problem){.code = CODE_AUDIT_HEAD_DIFFERS, .position = c->head.position});
	PQclear(res);
	return DB_OK;
}

static enum db_status check_remembered(struct db *db, struct audit_check *c)
{
	char sha256[SHA256_HEX];
	if (!c->remembered)
		return DB_OK;
	enum db_status status = link_at(db, c->remembered->position, sha256);
	if (status == DB_OK && strcmp(sha256, c->remembered->sha256) != 0)
		report(c, &(struct audit_problem){.code = CODE_AUDIT_HEAD_UNKNOWN, .position = c->remembered->position});
	return status;
}

static enum db_status check_links(struct db *db, struct audit_check *c)
{
	struct audit_head at = {.position = *c->cursor ? strtoll(c->cursor + 1, NULL, 10) : 0};
	if (at.position < 0 || at.position > c->head.position)
		at.position = 0;
	enum db_status status = link_at(db, at.position, at.sha256);
	int64_t n = 1;
	while (status == DB_OK && n && at.position < c->head.position) {
		if (c->links && must_pause(c)) {
			snprintf(c->cursor, sizeof c->cursor, "l%" PRId64, at.position);
			return DB_OK;
		}
		status = links_piece(db, c, &at, &n);
	}
	if (status == DB_OK)
		status = check_end(db, c, &at);
	if (status == DB_OK)
		status = check_remembered(db, c);
	snprintf(c->cursor, sizeof c->cursor, "e%" PRId64, INT64_MIN);
	return status;
}

static enum db_status entries_piece(struct db *db, struct audit_check *c, int64_t *at, int64_t *n)
{
	char behind[NUMBER_MAX], most[NUMBER_MAX];
	const char *const params[] = {number(*at, behind), number(CHECK_PIECE, most)};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &CHECK_ENTRIES, params, &res);
	*n = status == DB_OK ? int_at(res, 0, 0) : 0;
	for (int row = 0; *n && row < PQntuples(res) && !PQgetisnull(res, row, 3); row++) {
		struct audit_problem p = {.code = CODE_AUDIT_ENTRY_NOT_SEALED};
		snprintf(p.audit_id, sizeof p.audit_id, "%s", PQgetvalue(res, row, 3));
		report(c, &p);
	}
	if (*n) {
		*at = int_at(res, 0, 1);
		c->entries += *n;
		c->waiting += int_at(res, 0, 2);
	}
	PQclear(res);
	return status;
}

static enum db_status check_entries(struct db *db, struct audit_check *c)
{
	int64_t at = strtoll(c->cursor + 1, NULL, 10), n = 0;
	enum db_status status = DB_OK;
	do {
		if (c->links + c->entries && must_pause(c)) {
			snprintf(c->cursor, sizeof c->cursor, "e%" PRId64, at);
			return DB_OK;
		}
		status = entries_piece(db, c, &at, &n);
	} while (status == DB_OK && n);
	c->cursor[0] = '\0';
	return status;
}

enum db_status audit_check(struct db *db, struct audit_check *c)
{
	assert(!*c->cursor || audit_cursor_valid(c->cursor));
	c->links = c->entries = c->waiting = c->problems = 0;
	enum db_status status = audit_seal(db, &c->head);
	if (status == DB_OK && *c->cursor != 'e')
		status = check_links(db, c);
	if (status == DB_OK && *c->cursor == 'e')
		status = check_entries(db, c);
	return status;
}

bool audit_cursor_valid(const char *cursor)
{
	size_t digits = *cursor ? strspn(cursor + 1, "-0123456789") : 0;
	return (*cursor == 'l' || *cursor == 'e') && digits >= 1 && digits <= 20 && cursor[1 + digits] == '\0';
}
