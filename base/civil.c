#include "base/civil.h"

#include <assert.h>
#include <string.h>

/* The year is taken to begin in March, so that the leap day comes last and the days before each month are a straight line.
 * An era is 400 years, 146097 days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
enum { ERA_DAYS = 146097, EPOCH_FROM_0000_03_01 = 719468 };

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int civil_month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	assert(month >= 1 && month <= 12);
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int32_t civil_days(int year, int month, int dom)
{
	assert(year >= 1 && year <= 9999 && dom >= 1 && dom <= civil_month_days(year, month));

	int y = month <= 2 ? year - 1 : year;
	int era = y / 400;
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dom - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int32_t)(era * ERA_DAYS + day_of_era - EPOCH_FROM_0000_03_01);
}

void civil_split(int32_t days, int *year, int *month, int *dom)
{
	int z = days + EPOCH_FROM_0000_03_01;

	assert(z >= 0); /* years before 0000-03-01 are no days of ours */

	int era = z / ERA_DAYS;
	int day_of_era = z - era * ERA_DAYS;
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int march_month = (5 * day_of_year + 2) / 153;

	*dom = day_of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

/* The number that n decimal digits say, or -1. */
static int digits(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

bool civil_parse_n(const char *text, size_t n, int32_t *out)
{
	if (n != CIVIL_TEXT - 1 || text[4] != '-' || text[7] != '-')
		return false;

	int year = digits(text, 4);
	int month = digits(text + 5, 2);
	int dom = digits(text + 8, 2);

	if (year < 1 || month < 1 || month > 12 || dom < 1 || dom > civil_month_days(year, month))
		return false;

	int32_t days = civil_days(year, month, dom);

	if (days < CIVIL_MIN || days > CIVIL_MAX)
		return false;
	*out = days;
	return true;
}

bool civil_parse(const char *text, int32_t *out)
{
	return text && civil_parse_n(text, strnlen(text, CIVIL_TEXT), out);
}

static void put_digits(char *p, int n, int v)
{
	for (int i = n - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
}

const char *civil_text(int32_t days, char out[CIVIL_TEXT])
{
	int year;
	int month;
	int dom;

	civil_split(days, &year, &month, &dom);
	assert(year >= 0 && year <= 9999);
	put_digits(out, 4, year);
	out[4] = '-';
	put_digits(out + 5, 2, month);
	out[7] = '-';
	put_digits(out + 8, 2, dom);
	out[10] = '\0';
	return out;
}
