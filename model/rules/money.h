/* Figures are exact integers: money in fen (1 CNY = 100 fen), and counts. Never a float. */
#ifndef ASSAY_MODEL_RULES_MONEY_H
#define ASSAY_MODEL_RULES_MONEY_H

#include <stdint.h>

typedef int64_t fen;

/* The most that one figure of the input may be (one day's orders or GMV, a threshold, a ledger entry): 2^53 - 1, so that
 * every JSON reader can hold it. Sums may go up to INT64_MAX; a sum beyond is refused, never wrapped. */
#define FIGURE_MAX INT64_C(9007199254740991)

/* A whole month's total: 31 days of the most. */
#define MONTH_FIGURE_MAX (31 * FIGURE_MAX)

enum { FEN_TEXT = 32 };

const char *fen_text(fen v, char out[FEN_TEXT]); /* v >= 0, in yuan for people: "31,700.00"; returns out */

#endif
