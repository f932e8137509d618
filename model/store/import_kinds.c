#include "model/store/import_kinds.h"

#include <string.h>

const char *const import_kind_names[IMPORT_KINDS + 1] = {"stores", "bindings", "store_days", "exam_passes", NULL};

static const struct import_form forms[IMPORT_KINDS] = {
        [IMPORT_STORES] = {.name = "stores",
                           .columns = {{"store_id", COLUMN_ID},
                                       {"name", COLUMN_NAME},
                                       {"registered_region", COLUMN_REGION},
                                       {"ship_from_regions", COLUMN_REGIONS},
                                       {"industry", COLUMN_WORD},
                                       {"category", COLUMN_WORD},
                                       {"status", COLUMN_STATUS},
                                       {"valid_from", COLUMN_DAY}},
                           .column_count = 8},
        [IMPORT_BINDINGS] = {.name = "bindings",
                             .columns = {{"credit_code", COLUMN_CREDIT_CODE},
                                         {"store_id", COLUMN_ID},
                                         {"bound_on", COLUMN_DAY},
                                         {"unbound_on", COLUMN_DAY_OR_NONE}},
                             .column_count = 4},
        [IMPORT_STORE_DAYS] = {.name = "store_days",
                               .columns = {{"store_id", COLUMN_ID},
                                           {"day", COLUMN_PAST_DAY},
                                           {"orders", COLUMN_COUNT},
                                           {"gmv_fen", COLUMN_COUNT}},
                               .column_count = 4},
        [IMPORT_EXAM_PASSES] = {.name = "exam_passes",
                                .columns = {{"credit_code", COLUMN_CREDIT_CODE},
                                            {"person_id", COLUMN_ID},
                                            {"passed_on", COLUMN_DAY}},
                                .column_count = 3},
};

const struct import_form *import_form_of(enum import_kind kind)
{
	return &forms[kind];
}

bool import_kind_by_name(const char *name, enum import_kind *out)
{
	for (int i = 0; i < IMPORT_KINDS; i++) {
		if (strcmp(import_kind_names[i], name) == 0) {
			*out = (enum import_kind)i;
			return true;
		}
	}
	return false;
}
