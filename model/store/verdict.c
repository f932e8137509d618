#include "model/store/verdict.h"

#include "model/rules/document.h"
#include "model/rules/forecast.h"
#include "model/store/gaps.h"
#include "server/log.h"

static bool unreadable(const struct gathered_period *p, const char *why)
{
	log_line(LOG_ERROR, "a period cannot be judged", "period_id", p->period_id, "why", why, NULL);
	return false;
}

static const char *failure(enum evaluation_status status)
{
	switch (status) {
	case EVALUATION_OK:
		break;
	case EVALUATION_INVALID:
		return "its facts contradict each other";
	case EVALUATION_OUT_OF_RANGE:
		return "its figures exceed what 64 bits hold";
	case EVALUATION_NO_MEMORY:
		return "out of memory";
	}
	return "unknown";
}

static void write_gaps(const struct evaluation *e, struct buf *out)
{
	struct criterion_gap gaps[REQUIREMENT_NODES];
	gaps_write(out, e->evaluated_on, gaps, evaluation_gaps(e, gaps));
}

static void write_forecast(const struct evaluation *e, struct verdict *out)
{
	struct forecast f;
	forecast_make(e, &f);
	forecast_json(&out->forecast, &f);
	out->missing_bps = f.missing_bps;
}

static void write_bytes(const struct gathered_period *p, const struct evaluation *e, enum verdict_form form, struct verdict *out)
{
	if (form == VERDICT_OUTCOME)
		return;
	evaluation_json(&out->progress, &p->input, e, EVALUATION_WITHOUT_STORES);
	write_gaps(e, &out->gaps);
	if (form == VERDICT_PROGRESS) {
		write_forecast(e, out);
		return;
	}
	document_json(&out->document, &p->input, e, &p->origin);
	sha256_hex(out->document.data, out->document.len, out->sha256);
}

bool verdict_of(const struct gathered_period *p, enum verdict_form form, struct verdict *out)
{
	*out = (struct verdict){.document = BUF_INIT(VERDICT_BYTES_MAX),
	                        .progress = BUF_INIT(VERDICT_BYTES_MAX),
	                        .gaps = BUF_INIT(VERDICT_BYTES_MAX),
	                        .forecast = BUF_INIT(VERDICT_BYTES_MAX)};
	if (p->unreadable)
		return unreadable(p, p->unreadable);
	struct evaluation e;
	enum evaluation_status status = evaluate(&p->input, &e);
	if (status != EVALUATION_OK)
		return unreadable(p, failure(status));
	out->met = e.met;
	write_bytes(p, &e, form, out);
	evaluation_free(&e);
	if (out->document.failed || out->progress.failed || out->gaps.failed || out->forecast.failed)
		return unreadable(p, "its document exceeds the bound, or out of memory");
	return true;
}

void verdict_free(struct verdict *v)
{
	buf_free(&v->document);
	buf_free(&v->progress);
	buf_free(&v->gaps);
	buf_free(&v->forecast);
}
