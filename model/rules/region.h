/* Regions: GB/T 2260 codes, six digits in three levels (province, prefecture, county). A code whose last pairs are 00 stands
 * for a whole level and covers every code below it. */
#ifndef ASSAY_MODEL_RULES_REGION_H
#define ASSAY_MODEL_RULES_REGION_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t region; /* the six digits as a number: 110000 .. 829999 */

#define REGION_NONE ((region)0) /* "not known"; covered by nothing and covers nothing */

enum { REGION_TEXT = 7 };

/* Exactly six digits, a province that GB/T 2260 has, and no county without its prefecture (420001). False: *out is left. */
bool region_parse(const char *text, region *out);
const char *region_text(region r, char out[REGION_TEXT]); /* returns out */
/* 420000 covers 42xxxx, 360200 covers 3602xx, 420106 covers itself only. */
bool region_covers(region approved, region code);

#endif
