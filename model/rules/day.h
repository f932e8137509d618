/* Civil days in Asia/Shanghai, as the count of days since 1970-01-01; months; the calendar arithmetic of the rule.
 * No clock here: today is always an argument. */
#ifndef ASSAY_MODEL_RULES_DAY_H
#define ASSAY_MODEL_RULES_DAY_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t day; /* days since 1970-01-01 */

#define DAY_NONE INT32_MAX /* "no such day", e.g. a binding that has not ended; later than every day */

/* The range that input may use: 1990-01-01 .. 2199-12-31. */
#define DAY_MIN ((day)7305)
#define DAY_MAX ((day)84005)

enum { DAY_TEXT = 11 };

day day_of(int year, int month, int dom);                  /* a real date (asserted) */
void day_split(day d, int *year, int *month, int *dom);
bool day_parse(const char *text, day *out);                /* exactly YYYY-MM-DD, a real date within DAY_MIN..DAY_MAX */
const char *day_text(day d, char out[DAY_TEXT]);           /* returns out */
day day_month_start(day d);                                /* the 1st of d's month */
day day_month_end(day d);                                  /* the last day of d's month */
/* The same day of the month n months later (earlier when negative), clamped to that month's last day: 31 Aug - 6 = 28/29 Feb. */
day day_add_months(day d, int n);
day day_first_on_or_after(day d);                          /* the first 1st on or after d (3.2) */
day day_next_month_start(day d);                           /* the first 1st after d */
bool day_is_month_start(day d);

#endif
