/* Imports: bytes in, facts in the database and a report out. The one engine of POST /v1/imports and of `assayd import`.
 *
 *     bytes -> gunzip -> CSV or NDJSON rows -> checks per column -> binary COPY into a staging table, as they arrive
 *           -> one transaction under the facts lock: checks against the database, merge, watermark, events, audit
 *
 * Memory does not grow with the body. Nothing is applied before all of it was read, and then all or nothing (`atomic`), or all
 * good rows (`per_row`), in that one transaction. While it runs the import is a row of the table `import`, with its progress,
 * that every instance can read. */
#ifndef ASSAY_MODEL_STORE_IMPORT_H
#define ASSAY_MODEL_STORE_IMPORT_H

#include "base/sha256.h"
#include "model/rules/day.h"
#include "model/store/import_errors.h"
#include "model/store/import_kinds.h"
#include "server/db.h"

#include <stdint.h>

enum { IMPORT_ID_MAX = 64 };

struct import_counts {
	int64_t received, inserted, changed, unchanged, rejected;
};

struct import_progress {
	int64_t bytes; /* of the body, as it is sent */
	int64_t rows;
	int64_t rejected;
	bool applying; /* all of it was read; the merge runs */
};

enum import_outcome {
	IMPORT_APPLIED,
	IMPORT_REJECTED, /* rows or the header are bad; nothing was applied */
	IMPORT_TOO_EARLY, /* complete_through is a day that is not over yet, see `today`; nothing was read */
	IMPORT_CUT, /* the source ended early, or `stopping`: nothing was applied */
	IMPORT_BAD_GZIP, /* nothing was applied */
	IMPORT_UNAVAILABLE, /* the database is; whether it was applied is not known only if the commit itself was cut off */
	IMPORT_BUSY, /* other transactions stood in the way, again and again: nothing was applied */
	IMPORT_FAILED /* our fault; logged */
};

struct import_report {
	enum import_outcome outcome;
	char import_id[IMPORT_ID_MAX];
	struct import_counts rows;
	int64_t bytes;
	char sha256[SHA256_HEX]; /* of the body, once it was read whole; "" before */
	day today;
	char watermark[DAY_TEXT]; /* "" while there is none */
	char *body; /* the import as callers see it (JSON); when applied or rejected */
	struct import_errors errors; /* the first of them, in the order of the file */
};

struct import_options {
	enum import_kind kind;
	bool per_row;
	bool ndjson; /* else CSV */
	bool gzip; /* said by the sender; found by its first bytes all the same */
	bool dry_run; /* everything is checked and counted, nothing is kept */
	day complete_through; /* DAY_NONE: not said */
	const char *created_by;
	const char *ctx; /* JSON for the audit log: request_id, key_id, key_name */
	const char *database_url; /* for the second connection that day facts take */

	/* Blocks until there are bytes: > 0 so many; 0 the end; -1 cut off. */
	long (*read)(void *arg, void *out, size_t size);
	void *read_arg;
	/* True: leave off, before the transaction that applies commits. Asked while the merge waits and works; may be NULL. */
	bool (*stopping)(void *arg);
	void *stopping_arg;
	/* Called now and then; may be NULL. */
	void (*progress)(void *arg, const struct import_progress *p);
	void *progress_arg;
	/* Called at the end of the transaction that applies or rejects, with outcome, counts and body known, so that what it writes
	 * commits with it. May be called again when the transaction is tried again. Not for dry runs. May be NULL. */
	enum db_status (*decided)(void *arg, struct db *tx, const struct import_report *report);
	void *decided_arg;
};

/* Runs one import on `db`, whose session must not be inside a transaction. The report is always filled in. */
void import_run(struct db *db, const struct import_options *o, struct import_report *report);
void import_report_free(struct import_report *report);

/* Marks the imports that a killed process left behind as failed. At start, and now and then; every instance may. `db` must not
 * be running an import itself. */
enum db_status import_sweep(struct db *db) __attribute__((warn_unused_result));

#endif
