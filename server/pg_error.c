#include "server/pg_error.h"

#include <stdio.h>
#include <string.h>

/* Appends; what does not fit is left out. */
static void add(char out[PG_ERROR_TEXT], const char *before, const char *text, size_t len)
{
	size_t used = strlen(out);
	snprintf(out + used, PG_ERROR_TEXT - used, "%s%.*s", before, (int)len, text);
}

/* "invalid input syntax for type date: "13800000000"" and the like: from the colon on it is the value. */
static size_t message_len(const char *sqlstate, const char *message)
{
	const char *value = sqlstate && strncmp(sqlstate, "22", 2) == 0 ? strstr(message, ": \"") : NULL;
	return value ? (size_t)(value - message) : strlen(message);
}

static void add_functions(char out[PG_ERROR_TEXT], const char *context)
{
	while (context && *context) {
		size_t len = strcspn(context, "\n");
		if (strncmp(context, "PL/pgSQL function", 17) == 0 || strncmp(context, "SQL function", 12) == 0)
			add(out, "; in ", context, len);
		context += len + (context[len] == '\n');
	}
}

void pg_error_text(const PGresult *res, char out[PG_ERROR_TEXT])
{
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *table = PQresultErrorField(res, PG_DIAG_TABLE_NAME);
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	const char *position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
	out[0] = '\0';
	if (!message) /* libpq's own: of the connection, not of data */
		message = PQresultErrorMessage(res);
	add(out, "", message, message_len(PQresultErrorField(res, PG_DIAG_SQLSTATE), message));
	if (table)
		add(out, "; table ", table, strlen(table));
	if (constraint)
		add(out, "; constraint ", constraint, strlen(constraint));
	if (position)
		add(out, "; at character ", position, strlen(position));
	add_functions(out, PQresultErrorField(res, PG_DIAG_CONTEXT));
}
