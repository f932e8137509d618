#include "model/rules/policy_compare.h"

#include "base/json_read.h"
#include "model/rules/policy_value.h"

#include <stdio.h>
#include <string.h>

enum { POINTER_MAX = 512, LABEL_MAX = 1024 };

struct comparing {
	struct json_writer w;
	enum lang lang;
	size_t found;
};

/* A difference up to its values, "from" and "to", which come next. */
static void begin(struct comparing *c, const char *pointer, const char *change)
{
	c->found++;
	jw_object(&c->w);
	jw_kstring(&c->w, "pointer", pointer);
	jw_kstring(&c->w, "change", change);
}

static void end(struct comparing *c, enum code code, const char *a, const char *b, const char *d)
{
	struct buf detail = BUF_INIT(LABEL_MAX * 4);

	code_detail(&detail, code, c->lang, (const char *const[]){a, b, d}, 3);
	jw_kstring(&c->w, "detail", said_text(&detail));
	jw_object_end(&c->w);
	buf_free(&detail);
}

/* `label`: what the sentence is about, where it does not say so itself; may be NULL. */
static void compare(struct comparing *c, const char *pointer, enum code code, const char *label, struct value from,
                    struct value to)
{
	if (value_same(&from, &to))
		return;
	struct buf was = value_said(&from, c->lang);
	struct buf is = value_said(&to, c->lang);
	begin(c, pointer, "changed");
	value_write(&c->w, "from", &from);
	value_write(&c->w, "to", &to);
	end(c, code, said_text(&was), said_text(&is), label);
	buf_free(&was);
	buf_free(&is);
}

/* ---- the requirement trees ---- */

/* A node in its tree: where it is, and what it is called in sentences ("trial / metric_1"). */
struct spot {
	const struct requirement *tree;
	size_t at;
	char pointer[POINTER_MAX];
};

struct pair {
	struct spot from, to;
	char label[LABEL_MAX];
};

static const struct node *node_of(const struct spot *s)
{
	return &s->tree->nodes[s->at];
}

static enum code measure_label(enum measure m)
{
	static const enum code labels[MEASURES] = {
	        [MEASURE_NEW_STORES] = CODE_MEASURE_NEW_STORES,
	        [MEASURE_NEW_STORE_GMV_FEN] = CODE_MEASURE_NEW_STORE_GMV,
	        [MEASURE_FIRST_MONTH_ORDERS] = CODE_MEASURE_FIRST_MONTH_ORDERS,
	        [MEASURE_MONTHLY_ORDER_GROWTH] = CODE_MEASURE_ORDER_GROWTH,
	        [MEASURE_EXAM_PASSES] = CODE_MEASURE_EXAM_PASSES,
	};
	return labels[m];
}

static struct value threshold(const struct node *node)
{
	static const enum value_kind kinds[MEASURES] = {
	        [MEASURE_NEW_STORES] = VALUE_INT,         [MEASURE_NEW_STORE_GMV_FEN] = VALUE_MONEY,
	        [MEASURE_FIRST_MONTH_ORDERS] = VALUE_INT, [MEASURE_MONTHLY_ORDER_GROWTH] = VALUE_BPS,
	        [MEASURE_EXAM_PASSES] = VALUE_INT,
	};
	return value_number(kinds[node->measure], node->at_least);
}

/* The label of a node inside a group that is labelled `of`. */
static void label_node(const struct comparing *c, const char *of, const struct node *node, char out[LABEL_MAX])
{
	struct buf measure = BUF_INIT(LABEL_MAX);

	if (node->kind == NODE_CRITERION)
		measure = said(c->lang, measure_label(node->measure), NULL, NULL);
	const char *own = node->name ? node->name : node->kind == NODE_CRITERION ? said_text(&measure) : NULL;
	(void)snprintf(out, LABEL_MAX, own ? "%s / %s" : "%s", of, own);
	buf_free(&measure);
}

static struct spot child_of(const struct spot *group, size_t at, size_t index)
{
	struct spot child = {.tree = group->tree, .at = at};
	char list[POINTER_MAX];

	(void)json_pointer(list, sizeof list, group->pointer, node_of(group)->kind == NODE_ALL ? "all" : "any");
	(void)json_pointer_at(child.pointer, sizeof child.pointer, list, index);
	return child;
}

/* A node that only one of them has. */
static void one_sided(struct comparing *c, const struct spot *s, const char *label, bool added)
{
	const struct node *node = node_of(s);
	struct value at_least = node->kind == NODE_CRITERION ? threshold(node) : value_text("");
	struct buf needed = value_said(&at_least, c->lang);
	bool group = node->kind != NODE_CRITERION;

	begin(c, s->pointer, added ? "added" : "removed");
	jw_key(&c->w, "from");
	if (added)
		jw_null(&c->w);
	else
		requirement_write_at(&c->w, s->tree, s->at);
	jw_key(&c->w, "to");
	if (added)
		requirement_write_at(&c->w, s->tree, s->at);
	else
		jw_null(&c->w);
	if (group)
		end(c, added ? CODE_POLICY_GROUP_ADDED : CODE_POLICY_GROUP_REMOVED, label, NULL, NULL);
	else
		end(c, added ? CODE_POLICY_CRITERION_ADDED : CODE_POLICY_CRITERION_REMOVED, label, said_text(&needed), NULL);
	buf_free(&needed);
}

struct children {
	size_t at[REQUIREMENT_NODES];
	bool paired[REQUIREMENT_NODES];
	size_t count;
};

static struct children children_of(const struct spot *group)
{
	struct children list = {.count = 0};

	for (size_t at = group->at + 1; at < node_of(group)->end; at = group->tree->nodes[at].end)
		list.at[list.count++] = at;
	return list;
}

/* The same thing in two trees: a criterion of one measure, a group of one name (or both have none). */
static bool corresponds(const struct node *a, const struct node *b)
{
	if (a->kind == NODE_CRITERION || b->kind == NODE_CRITERION)
		return a->kind == b->kind && a->measure == b->measure;
	return a->name && b->name ? strcmp(a->name, b->name) == 0 : !a->name && !b->name;
}

static void write_order(struct comparing *c, const char *key, const struct spot *group, const struct children *list)
{
	char label[LABEL_MAX];

	jw_key(&c->w, key);
	jw_array(&c->w);
	for (size_t i = 0; i < list->count; i++) {
		label_node(c, "", &group->tree->nodes[list->at[i]], label);
		jw_string(&c->w, label[0] == ' ' ? label + 3 : label); /* without the " / " before it */
	}
	jw_array_end(&c->w);
}

static void compare_nodes(struct comparing *c, const struct pair *p);

static void compare_members(struct comparing *c, const struct pair *p)
{
	struct children from = children_of(&p->from);
	struct children to = children_of(&p->to);
	size_t last = 0;
	bool reordered = false;

	for (size_t i = 0; i < to.count; i++) {
		const struct node *node = &p->to.tree->nodes[to.at[i]];
		size_t k = 0;
		struct pair child = {.to = child_of(&p->to, to.at[i], i)};

		while (k < from.count && (from.paired[k] || !corresponds(&p->from.tree->nodes[from.at[k]], node)))
			k++;
		label_node(c, p->label, node, child.label);
		if (k == from.count) {
			one_sided(c, &child.to, child.label, true);
			continue;
		}
		from.paired[k] = true;
		reordered = reordered || k < last;
		last = k;
		child.from = child_of(&p->from, from.at[k], k);
		compare_nodes(c, &child);
	}
	for (size_t k = 0; k < from.count; k++) {
		struct spot gone = child_of(&p->from, from.at[k], k);
		char label[LABEL_MAX];

		label_node(c, p->label, node_of(&gone), label);
		if (!from.paired[k])
			one_sided(c, &gone, label, false);
	}
	if (reordered) {
		begin(c, p->to.pointer, "reordered");
		write_order(c, "from", &p->from, &from);
		write_order(c, "to", &p->to, &to);
		end(c, CODE_POLICY_ORDER_DIFFERS, p->label, NULL, NULL);
	}
}

static void compare_criteria(struct comparing *c, const struct pair *p)
{
	const struct node *from = node_of(&p->from);
	const struct node *to = node_of(&p->to);
	bool bps = to->measure == MEASURE_MONTHLY_ORDER_GROWTH;
	char at[POINTER_MAX];

	compare(c, json_pointer(at, sizeof at, p->to.pointer, bps ? "at_least_bps" : "at_least"), CODE_POLICY_THRESHOLD_DIFFERS,
	        p->label, threshold(from), threshold(to));
	compare(c, json_pointer(at, sizeof at, p->to.pointer, "clause"), CODE_POLICY_CLAUSE_DIFFERS, p->label,
	        value_text(from->clause), value_text(to->clause));
}

static struct value name_value(const struct node *node)
{
	return node->name ? value_text(node->name) : value_number(VALUE_UNSET, 0);
}

static void compare_nodes(struct comparing *c, const struct pair *p)
{
	const struct node *from = node_of(&p->from);
	const struct node *to = node_of(&p->to);
	char at[POINTER_MAX];

	compare(c, json_pointer(at, sizeof at, p->to.pointer, "name"), CODE_POLICY_NAME_DIFFERS, p->label, name_value(from),
	        name_value(to));
	if (to->kind == NODE_CRITERION) {
		compare_criteria(c, p);
		return;
	}
	if (from->kind != to->kind)
		compare(c, p->to.pointer, to->kind == NODE_ALL ? CODE_POLICY_ALL_NEEDED : CODE_POLICY_ANY_SUFFICES, p->label,
		        value_text(from->kind == NODE_ALL ? "all" : "any"), value_text(to->kind == NODE_ALL ? "all" : "any"));
	compare_members(c, p);
}

static void compare_stage(struct comparing *c, const struct policy *from, const struct policy *to, enum stage s)
{
	struct buf stage = said(c->lang, s == STAGE_TRIAL ? CODE_STAGE_TRIAL : CODE_STAGE_REGULAR, NULL, NULL);
	struct pair root = {.from = {.tree = &from->stages[s].requires}, .to = {.tree = &to->stages[s].requires}};
	char at[POINTER_MAX];

	(void)snprintf(root.label, sizeof root.label, "%s", said_text(&stage));
	(void)snprintf(root.to.pointer, sizeof root.to.pointer, "/%s/requires", stage_name(s));
	memcpy(root.from.pointer, root.to.pointer, sizeof root.from.pointer);
	(void)snprintf(at, sizeof at, "/%s/months", stage_name(s));
	compare(c, at, CODE_POLICY_MONTHS_DIFFER, root.label, value_number(VALUE_INT, from->stages[s].months),
	        value_number(VALUE_INT, to->stages[s].months));
	if ((node_of(&root.from)->kind == NODE_CRITERION) == (node_of(&root.to)->kind == NODE_CRITERION) &&
	    (node_of(&root.to)->kind != NODE_CRITERION || corresponds(node_of(&root.from), node_of(&root.to)))) {
		compare_nodes(c, &root);
	} else {
		one_sided(c, &root.to, root.label, true);
		one_sided(c, &root.from, root.label, false);
	}
	buf_free(&stage);
}

/* ---- the other members ---- */

static const char *category(int i)
{
	return service_category_name((enum service_category)i);
}

static const char *status(int i)
{
	return store_status_name((enum store_status)i);
}

static void compare_admission(struct comparing *c, const struct admission_policy *a, const struct admission_policy *b)
{
	compare(c, "/admission/service_categories", CODE_POLICY_SERVICE_CATEGORIES_DIFFER, NULL,
	        value_bits(a->service_categories, category, SERVICE_CATEGORIES),
	        value_bits(b->service_categories, category, SERVICE_CATEGORIES));
	compare(c, "/admission/deposit_fen", CODE_POLICY_DEPOSIT_DIFFERS, NULL,
	        value_optional(a->deposit_configured, VALUE_MONEY, a->deposit_fen),
	        value_optional(b->deposit_configured, VALUE_MONEY, b->deposit_fen));
	compare(c, "/admission/documents", CODE_POLICY_DOCUMENTS_DIFFER, NULL, value_documents(a), value_documents(b));
	compare(c, "/admission/reapply_cooldown_days", CODE_POLICY_REAPPLY_DIFFERS, NULL,
	        value_number(VALUE_INT, a->reapply_cooldown_days), value_number(VALUE_INT, b->reapply_cooldown_days));
	compare(c, "/admission/trial_failed_cooldown_days", CODE_POLICY_TRIAL_FAILED_DIFFERS, NULL,
	        value_number(VALUE_INT, a->trial_failed_cooldown_days), value_number(VALUE_INT, b->trial_failed_cooldown_days));
	compare(c, "/admission/deposit_due_days", CODE_POLICY_DEPOSIT_DUE_DIFFERS, NULL,
	        value_optional(a->deposit_due_configured, VALUE_INT, a->deposit_due_days),
	        value_optional(b->deposit_due_configured, VALUE_INT, b->deposit_due_days));
	compare(c, "/admission/refund_request_days", CODE_POLICY_REFUND_REQUEST_DIFFERS, NULL,
	        value_optional(a->refund_request_configured, VALUE_INT, a->refund_request_days),
	        value_optional(b->refund_request_configured, VALUE_INT, b->refund_request_days));
}

static void compare_counting(struct comparing *c, const struct counting_policy *a, const struct counting_policy *b)
{
	compare(c, "/counting/repeat_window_months", CODE_POLICY_REPEAT_WINDOW_DIFFERS, NULL,
	        value_number(VALUE_INT, a->repeat_window_months), value_number(VALUE_INT, b->repeat_window_months));
	compare(c, "/counting/repeat_scope", CODE_POLICY_REPEAT_SCOPE_DIFFERS, NULL,
	        value_text(repeat_scope_name(a->repeat_scope)), value_text(repeat_scope_name(b->repeat_scope)));
	compare(c, "/counting/store_statuses", CODE_POLICY_STORE_STATUSES_DIFFER, NULL,
	        value_bits(a->store_statuses, status, STORE_STATUSES), value_bits(b->store_statuses, status, STORE_STATUSES));
	compare(c, "/counting/require_bound_at_evaluation", CODE_POLICY_REQUIRE_BOUND_DIFFERS, NULL,
	        value_number(VALUE_BOOL, a->require_bound_at_evaluation),
	        value_number(VALUE_BOOL, b->require_bound_at_evaluation));
	compare(c, "/counting/gmv_window", CODE_POLICY_GMV_WINDOW_DIFFERS, NULL, value_text(gmv_window_name(a->gmv_window)),
	        value_text(gmv_window_name(b->gmv_window)));
}

static void compare_limit(struct comparing *c, const char *pointer, enum code code, const struct days_limit *a, const struct days_limit *b)
{
	compare(c, pointer, code, NULL, value_optional(a->configured, VALUE_INT, a->days),
	        value_optional(b->configured, VALUE_INT, b->days));
}

static void compare_decisions(struct comparing *c, const struct decisions_policy *a, const struct decisions_policy *b)
{
	compare_limit(c, "/decisions/reopen_days", CODE_POLICY_REOPEN_DIFFERS, &a->reopen, &b->reopen);
	compare_limit(c, "/decisions/appeal_days", CODE_POLICY_APPEAL_DIFFERS, &a->appeal, &b->appeal);
	compare_limit(c, "/decisions/appeal_answer_days", CODE_POLICY_APPEAL_ANSWER_DIFFERS, &a->appeal_answer, &b->appeal_answer);
}

static void compare_head(struct comparing *c, const struct policy *a, const struct policy *b)
{
	char was[DAY_TEXT];
	char is[DAY_TEXT];

	compare(c, "/effective_from", CODE_POLICY_EFFECTIVE_FROM_DIFFERS, NULL, value_text(day_text(a->effective_from, was)),
	        value_text(day_text(b->effective_from, is)));
	compare(c, "/industry", CODE_POLICY_INDUSTRY_DIFFERS, NULL, value_text(a->industry), value_text(b->industry));
	compare(c, "/example", b->example ? CODE_POLICY_IS_EXAMPLE_NOW : CODE_POLICY_NO_EXAMPLE_NOW, NULL,
	        value_number(VALUE_BOOL, a->example), value_number(VALUE_BOOL, b->example));
}

size_t policy_compare(struct buf *out, const struct policy *from, const struct policy *to, enum lang lang)
{
	struct comparing c = {.w = json_writer_on(out), .lang = lang};

	jw_array(&c.w);
	compare_head(&c, from, to);
	compare_admission(&c, &from->admission, &to->admission);
	compare_counting(&c, &from->counting, &to->counting);
	compare_decisions(&c, &from->decisions, &to->decisions);
	for (int s = 0; s < STAGES; s++)
		compare_stage(&c, from, to, (enum stage)s);
	jw_array_end(&c.w);
	return c.found;
}
