#include "server/metrics.h"

#include "server/request.h"

static const long long bounds_us[LATENCY_BUCKETS] = {100,   250,   500,    1000,   2500,    5000,
                                                     10000, 50000, 100000, 500000, 1000000, 10000000};

/* Only the loop's own thread writes, so no locked instruction is needed. */
static void add(_Atomic unsigned long long *counter, unsigned long long n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

void metrics_count(struct operation_counts *counts, int status, long long micros)
{
	add(&counts->by_class[status / 100 % 6], 1);
	add(&counts->micros, (unsigned long long)micros);
	for (int i = 0; i < LATENCY_BUCKETS; i++) {
		if (micros <= bounds_us[i]) {
			add(&counts->buckets[i], 1);
			return;
		}
	}
}

struct total {
	unsigned long long by_class[6], buckets[LATENCY_BUCKETS], micros, all;
};

static struct total sum(struct loop_counts *const *loops, size_t len, size_t operation)
{
	struct total t = {0};
	for (size_t l = 0; l < len; l++) {
		struct operation_counts *c = &loops[l]->operations[operation];
		for (int i = 0; i < 6; i++) {
			unsigned long long n = atomic_load_explicit(&c->by_class[i], memory_order_relaxed);
			t.by_class[i] += n;
			t.all += n;
		}
		for (int i = 0; i < LATENCY_BUCKETS; i++)
			t.buckets[i] += atomic_load_explicit(&c->buckets[i], memory_order_relaxed);
		t.micros += atomic_load_explicit(&c->micros, memory_order_relaxed);
	}
	return t;
}

static void histogram(struct buf *out, const char *operation, const struct total *t)
{
	unsigned long long below = 0;
	for (int i = 0; i < LATENCY_BUCKETS; i++) {
		below += t->buckets[i];
		buf_printf(out, "assay_request_seconds_bucket{operation=\"%s\",le=\"%g\"} %llu\n", operation, (double)bounds_us[i] / 1e6, below);
	}
	buf_printf(out, "assay_request_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n", operation, t->all);
	buf_printf(out, "assay_request_seconds_sum{operation=\"%s\"} %.6f\n", operation, (double)t->micros / 1e6);
	buf_printf(out, "assay_request_seconds_count{operation=\"%s\"} %llu\n", operation, t->all);
}

void metrics_operations(struct buf *out, struct loop_counts *const *loops, size_t loops_len, const struct operation *operations,
                        size_t operations_len)
{
	static const char *const classes[6] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	buf_puts(out, "# HELP assay_requests_total Requests ended, by operation and class of status.\n# TYPE assay_requests_total counter\n");
	for (size_t op = 0; op <= operations_len; op++) {
		const char *name = op < operations_len ? operations[op].id : "none";
		struct total t = sum(loops, loops_len, op < operations_len ? op : OPERATIONS_MAX);
		for (int i = 0; i < 6; i++)
			if (t.by_class[i])
				buf_printf(out, "assay_requests_total{operation=\"%s\",status=\"%s\"} %llu\n", name, classes[i], t.by_class[i]);
	}
	buf_puts(out, "# HELP assay_request_seconds Time from the request line to the last byte of the answer.\n"
	              "# TYPE assay_request_seconds histogram\n");
	for (size_t op = 0; op < operations_len; op++) {
		struct total t = sum(loops, loops_len, op);
		if (t.all)
			histogram(out, operations[op].id, &t);
	}
}

void metrics_gauge(struct buf *out, const char *name, const char *help, const char *labels, long long value)
{
	if (help)
		buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	buf_printf(out, "%s%s %lld\n", name, labels, value);
}
