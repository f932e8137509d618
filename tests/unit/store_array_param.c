/* model/store/array_param: what could not be made is never an array of nothing. */
#include "model/store/array_param.h"

#include "tests/support/check_main.h"

START_TEST(items_of_each_kind)
{
	struct array_param ints = array_param(), texts = array_param(), none = array_param();
	array_int(&ints, -1);
	array_int(&ints, 2);
	array_text(&texts, "a\"b");
	array_text(&texts, NULL);
	ck_assert_str_eq(array_done(&ints), "{-1,2}");
	ck_assert_str_eq(array_done(&texts), "{\"a\\\"b\",NULL}");
	ck_assert_str_eq(array_done(&none), "{}");
	array_free(&ints);
	array_free(&texts);
	array_free(&none);
}
END_TEST

START_TEST(what_did_not_fit_is_no_array)
{
	struct array_param ids = array_param();
	ids.text.max = 8; /* as if there were no more memory */
	array_text(&ids, "s-1");
	array_text(&ids, "s-2");
	ck_assert_str_eq(array_done(&ids), "out of memory");
	array_free(&ids);
}
END_TEST

CHECK_MAIN("model/store/array_param", items_of_each_kind, what_did_not_fit_is_no_array)
