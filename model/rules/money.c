#include "model/rules/money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FEN_PER_YUAN = 100, GROUP = 3 };

const char *fen_text(fen v, char out[FEN_TEXT])
{
	char digits[FEN_TEXT];
	size_t at = 0;

	assert(v >= 0);
	int length = snprintf(digits, sizeof digits, "%" PRId64, v / FEN_PER_YUAN);
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % GROUP == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	(void)snprintf(out + at, FEN_TEXT - at, ".%02" PRId64, v % FEN_PER_YUAN);
	return out;
}
