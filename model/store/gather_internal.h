/* What the gatherer's files share; nobody else includes this. */
#ifndef ASSAY_MODEL_STORE_GATHER_INTERNAL_H
#define ASSAY_MODEL_STORE_GATHER_INTERNAL_H

#include "model/store/arena.h"
#include "model/store/gather.h"
#include "model/store/origins.h"

struct gather_work {
	struct gathered out; /* what the caller gets: first member */
	struct arena arena;
	bool every_store, by_days; /* see struct gather_want */
	day watermark; /* DAY_NONE: no figures yet. The roll-up has the months that ended by then */
	struct evaluation_store *stores; /* of all periods, period by period */
	size_t *period_of;               /* beside stores: the index of its period */
	size_t store_count;
	struct origins origins; /* noted when imports are wanted */
};

static inline day gather_evaluated_on(const struct gathered_period *p)
{
	return p->input.as_of < p->end ? p->input.as_of : p->end;
}

/* Columns of a result that are always there, as the SQL casts them. */
int64_t gather_int(const PGresult *res, int row, int column);
day gather_day(const PGresult *res, int row, int column); /* sent as days since 1970-01-01; NULL is DAY_NONE */

enum db_status gather_bindings(struct db *db, struct gather_work *w);
enum db_status gather_attributes(struct db *db, struct gather_work *w);
enum db_status gather_months(struct db *db, struct gather_work *w);
enum db_status gather_days(struct db *db, struct gather_work *w);
enum db_status gather_exam_passes(struct db *db, struct gather_work *w);
enum db_status gather_imports(struct db *db, struct gather_work *w);

#endif
