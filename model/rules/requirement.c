#include "model/rules/requirement.h"

#include "base/json_read.h"
#include "model/rules/money.h"
#include "model/rules/words.h"

#include <assert.h>

enum { NAME_MAX_CHARS = 64, CLAUSE_MAX_CHARS = 20 };

static const char *const measure_names[MEASURES] = {
        [MEASURE_NEW_STORES] = "new_stores",
        [MEASURE_NEW_STORE_GMV_FEN] = "new_store_gmv_fen",
        [MEASURE_FIRST_MONTH_ORDERS] = "first_month_orders",
        [MEASURE_MONTHLY_ORDER_GROWTH] = "monthly_order_growth",
        [MEASURE_EXAM_PASSES] = "exam_passes",
};

const char *measure_name(enum measure m)
{
	return measure_names[m];
}

bool measure_by_name(const char *name, enum measure *out)
{
	int index = word_index(measure_names, MEASURES, name);

	if (index >= 0)
		*out = (enum measure)index;
	return index >= 0;
}

/* ---- reading ---- */

struct reading {
	struct requirement *out;
	struct faults *faults;
	bool full; /* more nodes than are allowed: said once */
};

static bool read_node(struct reading *r, const json_t *json, const char *pointer, unsigned depth);

static bool read_criterion(const json_t *json, const char *pointer, struct node *node, struct faults *faults)
{
	const char *measure = json_string_value(json_object_get(json, "measure"));
	int known = measure ? word_index(measure_names, MEASURES, measure) : -1;
	/* of an unknown measure we cannot tell: take the form it has */
	bool in_bps = known < 0 ? json_object_get(json, "at_least_bps") != NULL : known == MEASURE_MONTHLY_ORDER_GROWTH;
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"name", FIELD_STRING, &node->name, .min = 1, .max = NAME_MAX_CHARS},
	        {"measure", FIELD_STRING, &measure, .required = true},
	        {"clause", FIELD_STRING, &node->clause, .required = true, .min = 1, .max = CLAUSE_MAX_CHARS},
	        {in_bps ? "at_least_bps" : "at_least", FIELD_INT, &node->at_least, .required = true, .min = 0,
	         .max = in_bps ? GROWTH_BPS_MAX : FIGURE_MAX},
	};
	bool ok = json_fields(json, pointer, fields, sizeof fields / sizeof fields[0], faults);

	node->kind = NODE_CRITERION;
	if (measure && known < 0) {
		(void)word_read(measure, json_pointer(at, sizeof at, pointer, "measure"), measure_names, MEASURES, faults);
		return false;
	}
	if (ok)
		node->measure = (enum measure)known;
	return ok;
}

static bool read_members(struct reading *r, const json_t *members, const char *pointer, unsigned depth)
{
	char at[FAULT_TEXT_MAX];
	bool ok = true;
	size_t i;
	json_t *member;

	json_array_foreach(members, i, member)
	{
		if (r->full)
			return false;
		ok = read_node(r, member, json_pointer_at(at, sizeof at, pointer, i), depth) && ok;
	}
	return ok;
}

static bool read_group(struct reading *r, const json_t *json, const char *pointer, struct node *node, unsigned depth)
{
	const char *word = node->kind == NODE_ALL ? "all" : "any";
	json_t *members = NULL;
	char at[FAULT_TEXT_MAX];
	const struct field fields[] = {
	        {"name", FIELD_STRING, &node->name, .min = 1, .max = NAME_MAX_CHARS},
	        {word, FIELD_ARRAY, &members, .required = true, .min = 1, .max = INT64_MAX},
	};
	bool ok = json_fields(json, pointer, fields, sizeof fields / sizeof fields[0], r->faults);

	return members && read_members(r, members, json_pointer(at, sizeof at, pointer, word), depth + 1) && ok;
}

static bool refuse(struct reading *r, const char *pointer, enum code code, const char *arg)
{
	faults_add(r->faults, pointer, code, arg, NULL);
	return false;
}

static bool read_node(struct reading *r, const json_t *json, const char *pointer, unsigned depth)
{
	struct node *node = &r->out->nodes[r->out->len];
	bool ok;

	if (depth > REQUIREMENT_DEPTH)
		return refuse(r, pointer, CODE_TOO_DEEP, "8");
	if (r->out->len == REQUIREMENT_NODES) {
		r->full = true;
		return refuse(r, pointer, CODE_TOO_LONG, "64");
	}
	if (!json_is_object(json))
		return refuse(r, pointer, CODE_WRONG_TYPE, "object");
	r->out->len++;
	if (json_object_get(json, "measure")) {
		ok = read_criterion(json, pointer, node, r->faults);
	} else if (json_object_get(json, "all") || json_object_get(json, "any")) {
		node->kind = json_object_get(json, "all") ? NODE_ALL : NODE_ANY;
		ok = read_group(r, json, pointer, node, depth);
	} else {
		return refuse(r, pointer, CODE_WRONG_FORMAT, "all | any | measure");
	}
	node->end = (uint8_t)r->out->len;
	return ok;
}

static_assert(REQUIREMENT_DEPTH == 8 && REQUIREMENT_NODES == 64, "the limits that the faults name");

bool requirement_read(const json_t *json, const char *pointer, struct requirement *out, struct faults *faults)
{
	struct reading r = {.out = out, .faults = faults};

	*out = (struct requirement){0};
	return read_node(&r, json, pointer, 1);
}

/* ---- writing ---- */

void requirement_write_at(struct json_writer *w, const struct requirement *r, size_t at)
{
	const struct node *node = &r->nodes[at];

	jw_object(w);
	if (node->name)
		jw_kstring(w, "name", node->name);
	if (node->kind == NODE_CRITERION) {
		jw_kstring(w, "measure", measure_name(node->measure));
		jw_kint(w, node->measure == MEASURE_MONTHLY_ORDER_GROWTH ? "at_least_bps" : "at_least", node->at_least);
		jw_kstring(w, "clause", node->clause);
	} else {
		jw_key(w, node->kind == NODE_ALL ? "all" : "any");
		jw_array(w);
		for (size_t child = at + 1; child < node->end; child = r->nodes[child].end)
			requirement_write_at(w, r, child);
		jw_array_end(w);
	}
	jw_object_end(w);
}

void requirement_write(struct json_writer *w, const struct requirement *r)
{
	requirement_write_at(w, r, 0);
}
