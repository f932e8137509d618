/* What the gatherer's files share; nobody else includes this. */
#ifndef ASSAY_MODEL_STORE_GATHER_INTERNAL_H
#define ASSAY_MODEL_STORE_GATHER_INTERNAL_H

#include "model/store/arena.h"
#include "model/store/array_param.h"
#include "model/store/gather.h"
#include "model/store/origins.h"

struct gather_work {
	struct gathered out; /* what the caller gets: first member */
	struct arena arena;
	bool every_store, by_days; /* see struct gather_want */
	day watermark; /* DAY_NONE: no figures yet. The roll-up has the months that ended by then */
	struct evaluation_store *stores; /* of all periods, period by period */
	size_t *period_of; /* beside stores: the index of its period */
	size_t store_count;
	struct origins origins; /* noted when imports are wanted */
};

static inline day gather_evaluated_on(const struct gathered_period *p)
{
	return p->input.as_of < p->end ? p->input.as_of : p->end;
}

/* Columns of a result in the binary format that are always there: integer or bigint, and boolean. Text is as it is. */
int64_t gather_int(const PGresult *res, int row, int column);
bool gather_bool(const PGresult *res, int row, int column);
day gather_day(const PGresult *res, int row, int column); /* sent as days since 1970-01-01; NULL is DAY_NONE */

/* The parameters of a statement over spans of days of stores: (k, store_id, first, last), the last one or two left out by some. */
struct gather_spans {
	struct array_param index, ids, first, last;
};

struct gather_spans gather_spans(void);
void gather_spans_add(struct gather_spans *s, size_t k, const char *id, day first, day last);
void gather_spans_free(struct gather_spans *s);
/* Runs it with as many of them as it takes, and frees them. */
enum db_status gather_spans_run(struct db *db, const struct statement *st, struct gather_spans *s, PGresult **res);

enum db_status gather_bindings(struct db *db, struct gather_work *w);
enum db_status gather_attributes(struct db *db, struct gather_work *w);
enum db_status gather_figures(struct db *db, struct gather_work *w);
enum db_status gather_exam_passes(struct db *db, struct gather_work *w);
enum db_status gather_imports(struct db *db, struct gather_work *w);

#endif
