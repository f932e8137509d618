#include "server/statement.h"

#include <stdlib.h>

const char *rows_text(const struct rows *r, int row, int column)
{
	if (PQgetisnull(r->pg, r->first + row, column))
		return NULL;
	return PQgetvalue(r->pg, r->first + row, column);
}

long long rows_int(const struct rows *r, int row, int column)
{
	const char *text = rows_text(r, row, column);
	return text ? strtoll(text, NULL, 10) : 0;
}

bool rows_bool(const struct rows *r, int row, int column)
{
	const char *text = rows_text(r, row, column);
	return text && text[0] == 't';
}
