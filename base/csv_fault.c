#include "base/csv.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24 };

void csv_fault_add(struct faults *faults, const char *pointer, const struct csv_row *row)
{
	char n[NUMBER_TEXT];
	char bound[NUMBER_TEXT];

	(void)snprintf(n, sizeof n, "%zu", row->n);
	switch (row->fault) {
	case CSV_SOUND:
		return;
	case CSV_ROW_TOO_LONG:
		(void)snprintf(bound, sizeof bound, "%d", CSV_ROW_MAX);
		faults_add(faults, pointer, CODE_ROW_TOO_LONG, bound, NULL);
		return;
	case CSV_COLUMN_LIMIT:
		(void)snprintf(bound, sizeof bound, "%d", CSV_COLUMNS_MAX);
		faults_add(faults, pointer, CODE_COLUMN_LIMIT, n, bound, NULL);
		return;
	case CSV_COLUMN_COUNT:
		(void)snprintf(bound, sizeof bound, "%zu", row->wanted);
		faults_add(faults, pointer, row->n < row->wanted ? CODE_TOO_FEW_COLUMNS : CODE_TOO_MANY_COLUMNS, n, bound,
		           NULL);
		return;
	case CSV_STRAY_QUOTE:
		faults_add(faults, pointer, CODE_STRAY_QUOTE, NULL);
		return;
	case CSV_UNCLOSED_QUOTE:
		faults_add(faults, pointer, CODE_UNCLOSED_QUOTE, NULL);
		return;
	case CSV_STRAY_RETURN:
		faults_add(faults, pointer, CODE_STRAY_RETURN, NULL);
		return;
	case CSV_BAD_ENCODING:
		faults_add(faults, pointer, CODE_BAD_ENCODING, NULL);
		return;
	}
}
