#include "base/decimal.h"

/* The digits as a negative number, which reaches further than the positive ones do; false when it is below INT64_MIN. */
static bool negated(const char *digits, size_t n, int64_t *out)
{
	int64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digits[i] - '0', &v))
			return false;
	}
	*out = v;
	return true;
}

static bool is_number(const char *digits, size_t n, bool minus)
{
	for (size_t i = 0; i < n; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	if (n == 0)
		return false;
	return digits[0] != '0' || (n == 1 && !minus);
}

enum decimal_verdict decimal_parse_n(const char *text, size_t n, int64_t min, int64_t max, int64_t *out)
{
	bool minus = n > 0 && text[0] == '-';
	int64_t v;

	if (!is_number(text + minus, n - minus, minus))
		return DECIMAL_MALFORMED;
	if (!negated(text + minus, n - minus, &v) || (!minus && __builtin_sub_overflow(0, v, &v)))
		return DECIMAL_OUT_OF_RANGE;
	if (v < min || v > max)
		return DECIMAL_OUT_OF_RANGE;
	*out = v;
	return DECIMAL_OK;
}
