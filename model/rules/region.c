#include "model/rules/region.h"

#include <stddef.h>

enum { PROVINCE = 10000, PREFECTURE = 100, DIGITS = 6 };

/* The provinces of GB/T 2260: its first digit is the part of the country. */
static bool is_province(region pair)
{
	static const signed char last[] = {[1] = 5, [2] = 3, [3] = 7, [4] = 6, [5] = 4, [6] = 5, [7] = 1, [8] = 2};
	region part = pair / 10;
	region within = pair % 10;

	if (part == 5)
		return within <= last[5]; /* 50 is Chongqing */
	return part >= 1 && part <= 8 && within >= 1 && within <= last[part];
}

bool region_parse(const char *text, region *out)
{
	region code = 0;

	for (size_t i = 0; i < DIGITS; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		code = code * 10 + (text[i] - '0');
	}
	if (text[DIGITS] != '\0' || !is_province(code / PROVINCE))
		return false;
	if (code / PREFECTURE % 100 == 0 && code % PREFECTURE != 0)
		return false; /* a county of no prefecture */
	*out = code;
	return true;
}

const char *region_text(region r, char out[REGION_TEXT])
{
	for (int i = DIGITS - 1; i >= 0; i--) {
		out[i] = (char)('0' + r % 10);
		r /= 10;
	}
	out[DIGITS] = '\0';
	return out;
}

bool region_covers(region approved, region code)
{
	if (approved == REGION_NONE || code == REGION_NONE)
		return false;
	if (approved % PROVINCE == 0)
		return code / PROVINCE == approved / PROVINCE;
	if (approved % PREFECTURE == 0)
		return code / PREFECTURE == approved / PREFECTURE;
	return code == approved;
}
