/* The admission checks on a snapshot of the database: shared by submitting and approving. */
#ifndef ASSAY_HANDLERS_ADMISSION_SNAPSHOT_H
#define ASSAY_HANDLERS_ADMISSION_SNAPSHOT_H

#include "model/rules/admission.h"
#include "server/request.h"

/* Makes every check on the row of an ADMISSION_* statement with these documents ([{"kind",...},...]). True: all are met, and
 * *checks is their JSON text (from request_alloc()). False: the refusal is staged. `own`: the row is of an open application, which
 * does not stand in its own way. */
bool admission_passes(struct request *rq, const struct rows *rows, const json_t *documents, bool own, const char **checks);

#endif
