/* Structured logs: one JSON object a line on stderr. Never a secret: no Authorization header, no body, no contact data.
 *
 *   log_line(LOG_INFO, "listening", "address", "127.0.0.1:8080", NULL);
 */
#ifndef ASSAY_SERVER_LOG_H
#define ASSAY_SERVER_LOG_H

#include "base/buf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* Pairs of strings (name, value; a NULL value is written as null) ended by a NULL name. */
void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));

/* For lines made in bulk: begins a line in `out`, to be completed by the caller with jw_* members of its own writer. */
void log_begin(struct buf *out, enum log_level level, const char *message);
void log_write(const struct buf *lines); /* whole lines, one write */

#endif
