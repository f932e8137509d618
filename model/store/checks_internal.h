/* What the checks' files share; nobody else includes this. */
#ifndef ASSAY_MODEL_STORE_CHECKS_INTERNAL_H
#define ASSAY_MODEL_STORE_CHECKS_INTERNAL_H

#include "model/store/checks.h"

/* One that is wrong, and why. */
void check_wrong(struct check_report *r, const char *what, const char *why);

/* What one statement tells: how many were looked at in its first row, then what is wrong with which. */
enum db_status check_by_sql(struct db *db, const struct statement *st, struct check_report *r);

#endif
