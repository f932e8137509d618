#include "handlers/instant.h"

#include "base/civil.h"

#include <string.h>

/* Reads two digits of at most `max` and the character after them. */
static bool two(const char **at, int max, char after)
{
	const char *p = *at;
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	if ((p[0] - '0') * 10 + (p[1] - '0') > max || (after && p[2] != after))
		return false;
	*at = p + (after ? 3 : 2);
	return true;
}

bool instant_valid(const char *text)
{
	int32_t day;
	if (strlen(text) < 20 || strlen(text) > 40 || !civil_parse_n(text, 10, &day) || text[10] != 'T')
		return false;
	const char *at = text + 11;
	if (!two(&at, 23, ':') || !two(&at, 59, ':') || !two(&at, 59, '\0'))
		return false;
	if (*at == '.') {
		size_t digits = strspn(at + 1, "0123456789");
		if (digits < 1 || digits > 6)
			return false;
		at += 1 + digits;
	}
	return strcmp(at, "Z") == 0;
}
