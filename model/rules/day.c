#include "model/rules/day.h"

#include "base/civil.h"

#include <assert.h>

static_assert(DAY_MIN == CIVIL_MIN && DAY_MAX == CIVIL_MAX && (int)DAY_TEXT == (int)CIVIL_TEXT, "one range of days");

enum { MONTHS_OF_YEAR = 12 };

day day_of(int year, int month, int dom)
{
	assert(month >= 1 && month <= MONTHS_OF_YEAR && dom >= 1 && dom <= civil_month_days(year, month));
	return civil_days(year, month, dom);
}

void day_split(day d, int *year, int *month, int *dom)
{
	civil_split(d, year, month, dom);
}

bool day_parse(const char *text, day *out)
{
	return civil_parse(text, out);
}

const char *day_text(day d, char out[DAY_TEXT])
{
	return civil_text(d, out);
}

day day_month_start(day d)
{
	int year;
	int month;
	int dom;

	civil_split(d, &year, &month, &dom);
	return d - (dom - 1);
}

day day_month_end(day d)
{
	return day_next_month_start(d) - 1;
}

day day_add_months(day d, int n)
{
	int year;
	int month;
	int dom;

	civil_split(d, &year, &month, &dom);
	int months = year * MONTHS_OF_YEAR + (month - 1) + n; /* since year 0, which is far before any day here */
	year = months / MONTHS_OF_YEAR;
	month = months % MONTHS_OF_YEAR + 1;
	int last = civil_month_days(year, month);
	return civil_days(year, month, dom < last ? dom : last);
}

day day_first_on_or_after(day d)
{
	return day_is_month_start(d) ? d : day_next_month_start(d);
}

day day_next_month_start(day d)
{
	return day_add_months(day_month_start(d), 1);
}

bool day_is_month_start(day d)
{
	return day_month_start(d) == d;
}
