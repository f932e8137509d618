/* A standing as JSON, in the caller's language. */
#include "model/rules/standing.h"

enum { MESSAGE_MAX = ADMISSION_MISSING + 1024 };

static void write_message(struct json_writer *w, enum code text, enum lang lang, const char *const args[FAULT_ARGS])
{
	struct buf message = BUF_INIT(MESSAGE_MAX);

	code_detail(&message, text, lang, args, FAULT_ARGS);
	jw_key(w, "message");
	jw_string_n(w, message.data ? message.data : "", message.len);
	w->out->failed = w->out->failed || message.failed;
	buf_free(&message);
}

static void write_note(struct json_writer *w, const struct standing_note *n, enum lang lang)
{
	const char *const args[FAULT_ARGS] = {n->borrowed ? n->borrowed : n->args[0], n->args[1], n->args[2]};

	write_message(w, n->text, lang, args);
}

static void write_day(struct json_writer *w, const char *key, day d)
{
	char text[DAY_TEXT];

	if (d == DAY_NONE)
		jw_knull(w, key);
	else
		jw_kstring(w, key, day_text(d, text));
}

void standing_reasons_json(struct json_writer *w, const struct standing *s, enum lang lang)
{
	jw_array(w);
	for (size_t i = 0; i < s->reason_count; i++) {
		jw_object(w);
		jw_kstring(w, "code", s->reasons[i].code);
		jw_kstring(w, "clause", s->reasons[i].clause);
		write_note(w, &s->reasons[i], lang);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_due(struct json_writer *w, const struct standing_due *due, enum lang lang)
{
	jw_object(w);
	jw_kstring(w, "code", due->note.code);
	jw_kstring(w, "clause", due->note.clause);
	jw_kstring(w, "what", due->what);
	if (due->counted)
		jw_kint(w, "missing", due->missing);
	else
		jw_knull(w, "missing");
	write_day(w, "by", due->by);
	jw_kstring(w, "alternative", due->alternative);
	if (due->check)
		write_message(w, due->check->detail, lang, due->check->args);
	else
		write_note(w, &due->note, lang);
	jw_object_end(w);
}

static void write_dues(struct json_writer *w, const char *key, const struct standing_due *due, size_t n, enum lang lang)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		write_due(w, &due[i], lang);
	jw_array_end(w);
}

void standing_requirements_json(struct json_writer *w, const struct standing *s, enum lang lang)
{
	jw_object(w);
	write_dues(w, "currently_due", s->currently_due, s->currently_due_count, lang);
	write_dues(w, "eventually_due", s->eventually_due, s->eventually_due_count, lang);
	jw_object_end(w);
}

void standing_next_events_json(struct json_writer *w, const struct standing *s, enum lang lang)
{
	jw_array(w);
	for (size_t i = 0; i < s->event_count; i++) {
		jw_object(w);
		jw_kstring(w, "code", s->events[i].note.code);
		write_day(w, "on", s->events[i].on);
		jw_kstring(w, "clause", s->events[i].note.clause);
		write_note(w, &s->events[i].note, lang);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void standing_deposit_json(struct json_writer *w, const struct standing_facts *f, const struct standing *s)
{
	jw_object(w);
	if (s->deposit_configured)
		jw_kint(w, "required_fen", s->deposit_required_fen);
	else
		jw_knull(w, "required_fen");
	jw_kint(w, "balance_fen", f->balance_fen);
	jw_kint(w, "held_fen", f->held_fen);
	if (s->deposit_configured)
		jw_kint(w, "shortfall_fen", s->deposit_shortfall_fen);
	else
		jw_knull(w, "shortfall_fen");
	write_day(w, "due_on", s->deposit_due_on);
	jw_kbool(w, "overdue", s->deposit_overdue);
	jw_object_end(w);
}
