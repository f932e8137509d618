/* Civil dates of the proleptic Gregorian calendar as the count of days since 1970-01-01, and their one text form. Pure
 * arithmetic: no clock, no time zone. */
#ifndef ASSAY_BASE_CIVIL_H
#define ASSAY_BASE_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The range that input may use: 1990-01-01 .. 2199-12-31. */
#define CIVIL_MIN ((int32_t)7305)
#define CIVIL_MAX ((int32_t)84005)

enum { CIVIL_TEXT = 11 };

int civil_month_days(int year, int month); /* 28..31; month 1..12 */
int32_t civil_days(int year, int month, int dom); /* a real date; year 1..9999 */
void civil_split(int32_t days, int *year, int *month, int *dom);

/* Exactly n = 10 bytes YYYY-MM-DD, a real date within CIVIL_MIN..CIVIL_MAX; else false and *out is as it was. */
bool civil_parse_n(const char *text, size_t n, int32_t *out);
bool civil_parse(const char *text, int32_t *out); /* the same of a whole string; NULL is not a day */
const char *civil_text(int32_t days, char out[CIVIL_TEXT]); /* a day of years 0..9999; returns out */

#endif
