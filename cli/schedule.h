/* The clockwork of a running service: every few seconds the daily job is done when its day has come, runs and imports that a
 * killed process left are taken up or put away, and old idempotency keys are dropped; every second the audit log is sealed, and a
 * simulation that was asked for is begun. Any number of instances may tick. */
#ifndef ASSAY_CLI_SCHEDULE_H
#define ASSAY_CLI_SCHEDULE_H

#include <stdbool.h>

bool schedule_start(const char *database_url) __attribute__((warn_unused_result));
void schedule_stop(void); /* waits for the chunk at hand */

#endif
