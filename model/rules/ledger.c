#include "model/rules/ledger.h"

#include <string.h>

const char *const LEDGER_KIND_WORDS[] = {"payment", "top_up", "deduction", "deduction_reversal", "refund", NULL};

/* A deduction says which violation it is for, and a reversal which deduction it takes back; its amount is that deduction's. */
static const struct ledger_kind kinds[] = {
        {.name = "payment",
         .amount = LEDGER_REQUIRED,
         .external_reference = LEDGER_REQUIRED,
         .reason = LEDGER_OPTIONAL,
         .money_in = true},
        {.name = "top_up",
         .amount = LEDGER_REQUIRED,
         .external_reference = LEDGER_REQUIRED,
         .reason = LEDGER_OPTIONAL,
         .money_in = true},
        {.name = "deduction",
         .amount = LEDGER_REQUIRED,
         .external_reference = LEDGER_OPTIONAL,
         .reason = LEDGER_REQUIRED,
         .reference = LEDGER_REQUIRED},
        {.name = "deduction_reversal",
         .amount = LEDGER_OPTIONAL,
         .external_reference = LEDGER_OPTIONAL,
         .reason = LEDGER_OPTIONAL,
         .reverses = LEDGER_REQUIRED},
};

const struct ledger_kind *ledger_kind_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
