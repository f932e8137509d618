#include "server/lane.h"

#include <string.h>

enum op_end op_end_of(const char *sqlstate)
{
	if (!sqlstate || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0 || strcmp(sqlstate, "25006") == 0)
		return OP_UNAVAILABLE; /* connection, shutdown, or a server that has become read-only */
	if (strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "40001") == 0 ||
	    strcmp(sqlstate, "40P01") == 0 || strncmp(sqlstate, "53", 2) == 0)
		return OP_OVERLOADED; /* timed out, locked out, or out of resources: nothing happened */
	return OP_FAILED;
}

bool op_worth_retrying(const char *sqlstate)
{
	return sqlstate && (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}
