/* The partitions of store_day: a month each, made before figures for it come in, and put away when nothing can need them any more.
 * A month that is put away keeps its table; nothing is ever dropped. */
#ifndef ASSAY_MODEL_STORE_PARTITIONS_H
#define ASSAY_MODEL_STORE_PARTITIONS_H

#include "model/rules/day.h"
#include "server/db.h"

enum { PARTITIONS_AHEAD = 3, PARTITIONS_AHEAD_MAX = 120, PARTITION_BECAUSE = 200 };

struct partition_moved {
	char month[DAY_TEXT]; /* its first day; empty: there was none to move */
	long long rows;
	char because[PARTITION_BECAUSE]; /* why it stays where it is; empty: it was moved */
};

enum db_status partitions_ahead(struct db *db, int months, long long *made) __attribute__((warn_unused_result));
enum db_status partition_detach_oldest(struct db *db, const char *before, struct partition_moved *out)
        __attribute__((warn_unused_result));
enum db_status partition_attach_newest(struct db *db, struct partition_moved *out) __attribute__((warn_unused_result));
/* Columns: month (YYYY-MM), table, attached or detached, rows, bytes, why it cannot be put away. */
enum db_status partitions_list(struct db *db, PGresult **out) __attribute__((warn_unused_result));

#endif
