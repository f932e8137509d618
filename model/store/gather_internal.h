/* What the gatherer's files share; nobody else includes this. */
#ifndef ASSAY_MODEL_STORE_GATHER_INTERNAL_H
#define ASSAY_MODEL_STORE_GATHER_INTERNAL_H

#include "model/store/arena.h"
#include "model/store/array_param.h"
#include "model/store/gather.h"
#include "model/store/origins.h"

struct wanted_days; /* gather_figures.c */

struct gather_work {
	struct gathered out; /* what the caller gets: first member */
	struct arena arena;
	bool every_store, by_days; /* see struct gather_want */
	day watermark; /* DAY_NONE: no figures yet. The roll-up has the months that ended by then */
	struct evaluation_store *stores; /* of all periods, period by period */
	size_t *period_of; /* beside stores: the index of its period */
	size_t store_count;
	struct origins origins; /* noted when imports are wanted */
	struct wanted_days *wanted; /* from gather_read_months() to gather_days() */
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
enum { GATHER_SPANS_PARAMS = 4 };
void gather_spans_params(struct gather_spans *s, const char *params[GATHER_SPANS_PARAMS]); /* borrowed from it */

enum db_status gather_bindings(struct db *db, struct gather_work *w);

/* What the stores that are bound were, turned over and sold, and who passed exams: what to ask, for each, and its result read. */
extern const struct statement GATHER_MONTHS, GATHER_ATTRIBUTES, GATHER_EXAM_PASSES;
void gather_want_months(const struct gather_work *w, struct gather_spans *s);
void gather_want_attributes(const struct gather_work *w, struct gather_spans *s);
void gather_want_exam_passes(const struct gather_work *w, struct gather_spans *s);
void gather_read_months(struct gather_work *w, const PGresult *res);
void gather_read_attributes(struct gather_work *w, const PGresult *res);
void gather_read_exam_passes(struct gather_work *w, const PGresult *res);
/* After the months: the days, of which those that do not lie with them are read. */
enum db_status gather_days(struct db *db, struct gather_work *w);
void wanted_days_free(struct wanted_days *wanted);

enum db_status gather_imports(struct db *db, struct gather_work *w);

#endif
