/* The audit log: read, sealed into its chain, and checked for tampering. The SQL is in migrations/functions/015-audit.sql. */
#ifndef ASSAY_MODEL_STORE_AUDIT_H
#define ASSAY_MODEL_STORE_AUDIT_H

#include "base/faults.h"
#include "base/sha256.h"
#include "server/db.h"

#include <stdint.h>

/* $1 after, $2 limit+1, $3 subject, $4 provider, $5 actor, $6 action, $7 from and $8 to (instants; to is not included), each of
 * which may be NULL. Columns: cursor, body. Newest first. */
extern const struct statement AUDIT_LIST;

/* A link of the chain: all that was sealed up to it can be checked by whoever remembers it. Position 0: nothing is sealed. */
struct audit_head {
	int64_t position;
	char sha256[SHA256_HEX];
};

/* "12:9f86d0..."; false when it is not of that form. */
bool audit_head_read(const char *text, struct audit_head *out);

/* Appends what was committed to the chain, in pieces of a transaction each, and tells where it ends. One at a time does that,
 * across all instances: the first waits for its turn; the other leaves it to whoever is at it, with *head as it was. */
enum db_status audit_seal(struct db *db, struct audit_head *head) __attribute__((warn_unused_result));
enum db_status audit_try_seal(struct db *db, bool (*stopping)(void *arg), void *arg, struct audit_head *head)
        __attribute__((warn_unused_result));

enum { AUDIT_ID_MAX = 40, AUDIT_CURSOR_MAX = 40 };

struct audit_problem {
	enum code code; /* CODE_AUDIT_... */
	char audit_id[AUDIT_ID_MAX]; /* "" when it is not about an entry */
	int64_t position, through; /* of the chain; 0 when it is not about a link */
};
void audit_problem_text(struct buf *out, const struct audit_problem *p, enum lang lang);

/* Seals, then walks the chain and the log, in pieces: its time grows with their length, its memory does not. */
struct audit_check {
	const struct audit_head *remembered; /* must be in the chain still; NULL: none */
	int64_t deadline_ms; /* monotonic_ms(); 0: none. Looked at between pieces */
	bool (*stopping)(void *arg); /* may be NULL */
	void (*found)(void *arg, const struct audit_problem *p);
	void *arg;
	char cursor[AUDIT_CURSOR_MAX]; /* in: "" or what an earlier call left off with; out: "" when all was looked at */

	/* what came of it */
	int64_t links, entries; /* looked at by this call */
	int64_t waiting; /* of these entries, committed since it sealed */
	int64_t problems;
	struct audit_head head;
};
enum db_status audit_check(struct db *db, struct audit_check *c) __attribute__((warn_unused_result));
/* Whether `cursor` is one. */
bool audit_cursor_valid(const char *cursor);

#endif
