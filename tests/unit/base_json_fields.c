/* base/json_read: a tree to C values by a table; every problem, each with its pointer. */
#include "base/civil.h"
#include "base/json_read.h"

#include "tests/support/check_main.h"

#include <string.h>

struct values {
	const char *name;
	int64_t count;
	bool flag;
	int32_t day;
	json_t *object;
	json_t *array;
	json_t *any;
	bool has_name;
	bool has_count;
};

static const struct values untouched = {.name = "untouched", .count = -1, .day = -1};

/* Reads text by the table; "pointer code args; ..." of the faults. */
static char *read_by(const char *text, const struct field *fields, size_t n, json_t **tree)
{
	struct faults faults = {0};
	struct buf out = BUF_INIT(10000);
	bool ok;

	ck_assert_int_eq(json_read(text, strlen(text), 0, tree, &faults), JSON_OK);
	ok = json_fields(*tree, "/p", fields, n, &faults);
	ck_assert(ok == !faults_any(&faults));
	for (size_t i = 0; i < faults.len; i++) {
		buf_printf(&out, "%s%s %s", i ? "; " : "", faults.items[i].pointer, code_name(faults.items[i].code));
		for (size_t k = 0; k < FAULT_ARGS && faults.items[i].args[k]; k++)
			buf_printf(&out, " %s", faults.items[i].args[k]);
	}
	faults_free(&faults);
	return buf_take(&out);
}

static void expect(const char *text, const struct field *fields, size_t n, const char *wanted)
{
	json_t *tree = NULL;
	char *got = read_by(text, fields, n, &tree);

	ck_assert_msg(strcmp(got, wanted) == 0, "%s\n gives '%s'\nwanted '%s'", text, got, wanted);
	free(got);
	json_decref(tree);
}

START_TEST(values_of_every_kind)
{
	struct values v = untouched;
	const struct field fields[] = {
	        {"name", FIELD_STRING, &v.name, .required = true, .present = &v.has_name},
	        {"count", FIELD_INT, &v.count, .required = true, .present = &v.has_count},
	        {"flag", FIELD_BOOL, &v.flag, .required = true},
	        {"day", FIELD_DAY, &v.day, .required = true},
	        {"object", FIELD_OBJECT, &v.object, .required = true},
	        {"array", FIELD_ARRAY, &v.array, .required = true},
	        {"any", FIELD_ANY, &v.any, .required = true},
	};
	json_t *tree = NULL;
	char *got = read_by("{\"any\":null,\"name\":\"中\",\"count\":-9223372036854775808,\"flag\":true,\"day\":\"2023-04-26\","
	                    "\"object\":{\"x\":1},\"array\":[1,2]}",
	                    fields, 7, &tree);

	ck_assert_str_eq(got, "");
	ck_assert_str_eq(v.name, "中");
	ck_assert_int_eq(v.count, INT64_MIN);
	ck_assert(v.flag && v.has_name && v.has_count);
	ck_assert_int_eq(v.day, civil_days(2023, 4, 26));
	ck_assert_uint_eq(json_object_size(v.object), 1);
	ck_assert_uint_eq(json_array_size(v.array), 2);
	ck_assert(json_is_null(v.any));
	free(got);
	json_decref(tree);
}
END_TEST

START_TEST(wrong_types_are_all_told)
{
	struct values v = untouched;
	const struct field fields[] = {
	        {"name", FIELD_STRING, &v.name, .required = false},     {"count", FIELD_INT, &v.count, .required = false},
	        {"flag", FIELD_BOOL, &v.flag, .required = false},       {"day", FIELD_DAY, &v.day, .required = false},
	        {"object", FIELD_OBJECT, &v.object, .required = false}, {"array", FIELD_ARRAY, &v.array, .required = false},
	        {"any", FIELD_ANY, &v.any, .required = false},
	};

	expect("{\"name\":1,\"count\":\"1\",\"flag\":1,\"day\":1,\"object\":[],\"array\":{},\"any\":0}", fields, 7,
	       "/p/name wrong_type string; /p/count wrong_type integer; /p/flag wrong_type boolean; /p/day wrong_type string; "
	       "/p/object wrong_type object; /p/array wrong_type array");
	expect("{\"name\":null,\"count\":null,\"flag\":null,\"day\":null,\"object\":null,\"array\":null}", fields, 7,
	       "/p/name wrong_type string; /p/count wrong_type integer; /p/flag wrong_type boolean; /p/day wrong_type string; "
	       "/p/object wrong_type object; /p/array wrong_type array");
	ck_assert_str_eq(v.name, "untouched");
	ck_assert_int_eq(v.count, -1);
	expect("[]", fields, 7, "/p wrong_type object");
	expect("5", fields, 7, "/p wrong_type object");
	expect("null", fields, 0, "/p wrong_type object");
}
END_TEST

START_TEST(a_real_is_no_integer)
{
	struct values v = untouched;
	const struct field fields[] = {{"count", FIELD_INT, &v.count, .required = false}};

	expect("{\"count\":5.0}", fields, 1, "/p/count wrong_type integer");
	expect("{\"count\":1e3}", fields, 1, "/p/count wrong_type integer");
	expect("{\"count\":true}", fields, 1, "/p/count wrong_type integer");
	ck_assert_int_eq(v.count, -1);
	expect("{\"count\":-0}", fields, 1, "");
	ck_assert_int_eq(v.count, 0);
}
END_TEST

START_TEST(absent_null_and_there)
{
	struct values v = untouched;
	const struct field fields[] = {
	        {"name", FIELD_STRING, &v.name, .required = true, .nullable = true, .present = &v.has_name},
	        {"count", FIELD_INT, &v.count, .present = &v.has_count},
	};

	v.has_name = v.has_count = true;
	expect("{}", fields, 2, "/p/name missing");
	ck_assert(!v.has_name && !v.has_count);
	expect("{\"name\":null}", fields, 2, "");
	ck_assert(!v.has_name);
	ck_assert_str_eq(v.name, "untouched");
	v.has_count = true;
	expect("{\"name\":null,\"count\":null}", fields, 2, "/p/count wrong_type integer");
	ck_assert(!v.has_count);
	expect("{\"name\":null,\"count\":7}", fields, 2, "");
	ck_assert(v.has_count);
	ck_assert_int_eq(v.count, 7);
}
END_TEST

START_TEST(bounds_are_inclusive)
{
	struct values v = untouched;
	const struct field number[] = {{"n", FIELD_INT, &v.count, .min = -3, .max = 12}};
	const struct field months[] = {{"n", FIELD_INT, &v.count, .min = 0, .max = 5}};
	const struct field list[] = {{"a", FIELD_ARRAY, &v.array, .min = 1, .max = 2}};

	expect("{\"n\":-3}", number, 1, "");
	expect("{\"n\":12}", number, 1, "");
	expect("{\"n\":-4}", number, 1, "/p/n number_out_of_range -3 12");
	expect("{\"n\":13}", number, 1, "/p/n number_out_of_range -3 12");
	expect("{\"n\":-1}", months, 1, "/p/n number_out_of_range 0 5");
	expect("{\"a\":[]}", list, 1, "/p/a too_short 1");
	expect("{\"a\":[1]}", list, 1, "");
	expect("{\"a\":[1,2]}", list, 1, "");
	expect("{\"a\":[1,2,3]}", list, 1, "/p/a too_long 2");
}
END_TEST

START_TEST(strings_are_counted_in_code_points)
{
	struct values v = untouched;
	const struct field bounded[] = {{"s", FIELD_STRING, &v.name, .min = 2, .max = 3}};
	const struct field maybe_empty[] = {{"s", FIELD_STRING, &v.name, .min = 0, .max = 3}};
	const struct field plain[] = {{"s", FIELD_STRING, &v.name, .required = false}};

	expect("{\"s\":\"中\"}", bounded, 1, "/p/s too_short 2");
	expect("{\"s\":\"中文\"}", bounded, 1, "");
	expect("{\"s\":\"中文😀\"}", bounded, 1, "");
	expect("{\"s\":\"中文ab\"}", bounded, 1, "/p/s too_long 3");
	expect("{\"s\":\"\"}", maybe_empty, 1, "");
	expect("{\"s\":\"\"}", plain, 1, "/p/s too_short 1");
	for (int extra = 0; extra < 2; extra++) {
		struct buf text = BUF_INIT(10000);

		buf_printf(&text, "{\"s\":\"%*s\"}", FIELD_STRING_MAX + extra, "x");
		expect(text.data, plain, 1, extra ? "/p/s too_long 1000" : "");
		buf_free(&text);
	}
}
END_TEST

START_TEST(days_are_real_and_in_range)
{
	struct values v = untouched;
	const struct field fields[] = {{"d", FIELD_DAY, &v.day, .required = false}};

	expect("{\"d\":\"2024-02-29\"}", fields, 1, "");
	expect("{\"d\":\"2023-02-29\"}", fields, 1, "/p/d invalid_day 2023-02-29");
	expect("{\"d\":\"2023-4-1\"}", fields, 1, "/p/d invalid_day 2023-4-1");
	expect("{\"d\":\"\"}", fields, 1, "/p/d invalid_day ");
	expect("{\"d\":\"1989-12-31\"}", fields, 1, "/p/d invalid_day 1989-12-31");
}
END_TEST

START_TEST(unknown_members_are_told_beside_the_rest)
{
	struct values v = untouched;
	const struct field fields[] = {{"a", FIELD_INT, &v.count, .required = true}};

	expect("{\"x/y\":1,\"A\":2,\"a\":\"3\",\"\":4}", fields, 1,
	       "/p/a wrong_type integer; /p/x~1y unknown_member; /p/A unknown_member; /p/ unknown_member");
	expect("{\"x\":1}", NULL, 0, "/p/x unknown_member");
	expect("{}", NULL, 0, "");
}
END_TEST

CHECK_MAIN("base/json_fields", values_of_every_kind, wrong_types_are_all_told, a_real_is_no_integer, absent_null_and_there,
           bounds_are_inclusive, strings_are_counted_in_code_points, days_are_real_and_in_range,
           unknown_members_are_told_beside_the_rest)
