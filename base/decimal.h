/* Whole numbers in text, strictly: an optional minus and digits; no plus, no blanks, no needless zero before ("007", "-0"). */
#ifndef ASSAY_BASE_DECIMAL_H
#define ASSAY_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decimal_verdict {
	DECIMAL_OK,
	DECIMAL_MALFORMED,
	DECIMAL_OUT_OF_RANGE /* a number, but not within min..max */
};

/* *out is set only when the answer is DECIMAL_OK. */
enum decimal_verdict decimal_parse_n(const char *text, size_t n, int64_t min, int64_t max, int64_t *out)
        __attribute__((warn_unused_result));

#endif
