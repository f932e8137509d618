/* What /metrics tells, in Prometheus' text format. Counters are a loop's own, written without locks, added up when read. */
#ifndef ASSAY_SERVER_METRICS_H
#define ASSAY_SERVER_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>
#include <stddef.h>

struct operation;

enum { LATENCY_BUCKETS = 12, OPERATIONS_MAX = 96 };

struct operation_counts {
	_Atomic unsigned long long by_class[6]; /* [2]: 2xx ...; [0]: not answered */
	_Atomic unsigned long long buckets[LATENCY_BUCKETS];
	_Atomic unsigned long long micros;
};

struct loop_counts {
	struct operation_counts operations[OPERATIONS_MAX + 1]; /* the last: what matched no operation */
	_Atomic unsigned long long connections_cut;             /* for being too slow */
	_Atomic unsigned long long rate_limited;                /* requests answered 429 for their caller's rate */
	_Atomic long active;                                    /* requests under way */
};

void metrics_count(struct operation_counts *counts, int status, long long micros);
void metrics_operations(struct buf *out, struct loop_counts *const *loops, size_t loops_len, const struct operation *operations,
                        size_t operations_len);
void metrics_gauge(struct buf *out, const char *name, const char *help, const char *labels, long long value);

#endif
