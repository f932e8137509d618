#include "model/rules/credit_code.h"

#include <stdbool.h>
#include <string.h>

enum { BASE = 31, BODY = CREDIT_CODE_LENGTH - 1, REGION_FROM = 2, REGION_TO = 8, WEIGHT = 3 };

static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/* The character's place in the alphabet, or -1. */
static int value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

char credit_code_check_character(const char *first17)
{
	int sum = 0;
	int weight = 1; /* of place i: 3^(i-1) mod 31 */

	for (int i = 0; i < BODY; i++) {
		int value = value_of(first17[i]);

		if (value < 0 || (i >= REGION_FROM && i < REGION_TO && value > 9))
			return '\0';
		sum += value * weight;
		weight = weight * WEIGHT % BASE;
	}
	return alphabet[(BASE - sum % BASE) % BASE];
}

enum credit_code_verdict credit_code_check(const char *text)
{
	char wanted = credit_code_check_character(text);

	if (wanted == '\0' || value_of(text[BODY]) < 0 || text[CREDIT_CODE_LENGTH] != '\0')
		return CREDIT_CODE_BAD_FORMAT;
	return text[BODY] == wanted ? CREDIT_CODE_OK : CREDIT_CODE_BAD_CHECK;
}
