/* The one writer of problems (RFC 9457). Handlers reply with reply_problem() and its like; this is for an answer that is kept
 * as bytes. */
#ifndef ASSAY_SERVER_PROBLEM_H
#define ASSAY_SERVER_PROBLEM_H

#include "base/faults.h"

struct problem {
	enum code code;
	const char *const *args;
	size_t nargs;
	const struct faults *errors;
	const char *errors_json; /* instead of `errors`: already rendered */
	const char *extra_json;  /* an object whose members are added */
	const char *request_id;
	enum lang lang;
};

/* Appends it, in its language. */
void problem_json(struct buf *out, const struct problem *p);

#endif
