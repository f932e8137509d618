/* model/store's memory and parameters: the arena's bound and alignment, array literals as PostgreSQL reads them, and evidence that
 * replays. */
#include "model/store/arena.h"
#include "model/store/array_param.h"
#include "model/store/decisions.h"

#include "tests/support/check_main.h"

#include <stdint.h>
#include <string.h>

START_TEST(an_arena_gives_zeroed_aligned_memory_up_to_its_bound)
{
	struct arena a = ARENA_INIT(1000000);
	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_take(&a, n, 7);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n * 7; i++)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xff, n * 7);
	}
	ck_assert_ptr_nonnull(arena_take(&a, 200000, 1)); /* more than a block */
	ck_assert_ptr_null(arena_take(&a, 1000000, 1));
	ck_assert(a.failed);
	ck_assert_ptr_null(arena_take(&a, 1, 1)); /* it stays so */
	arena_free(&a);
	ck_assert_str_eq(arena_text(&a, "again"), "again");
	ck_assert_ptr_null(arena_text(&a, NULL));
	ck_assert(!a.failed);
	arena_free(&a);
}
END_TEST

START_TEST(an_arena_refuses_what_overflows)
{
	struct arena a = ARENA_INIT(SIZE_MAX);
	ck_assert_ptr_null(arena_take(&a, SIZE_MAX / 2, 3));
	ck_assert(a.failed);
	arena_free(&a);
}
END_TEST

START_TEST(array_literals)
{
	struct array_param texts = array_param(), numbers = array_param(), flags = array_param(), none = array_param();
	array_text(&texts, "s-1");
	array_text(&texts, "a\"b\\c,{}");
	array_text(&texts, "");
	array_text(&texts, "NULL");
	array_text(&texts, NULL);
	ck_assert_str_eq(array_done(&texts), "{\"s-1\",\"a\\\"b\\\\c,{}\",\"\",\"NULL\",NULL}");
	array_int(&numbers, INT64_MIN);
	array_int(&numbers, 7);
	ck_assert_str_eq(array_done(&numbers), "{-9223372036854775808,7}");
	array_bool(&flags, true);
	array_bool(&flags, false);
	ck_assert_str_eq(array_done(&flags), "{t,f}");
	ck_assert_str_eq(array_done(&none), "{}");
	array_free(&texts);
	array_free(&numbers);
	array_free(&flags);
	array_free(&none);
}
END_TEST

START_TEST(evidence_that_cannot_be_read_does_not_replay)
{
	static const char *const bad[] = {"", "{}", "[1", "{\"policies\":[\"antiques-art@2023-04-26\"]}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct replay r;
		ck_assert(!replay_decision(bad[i], strlen(bad[i]), "{}", &r));
		ck_assert(!r.identical);
		replay_free(&r);
	}
}
END_TEST

CHECK_MAIN("store/memory", an_arena_gives_zeroed_aligned_memory_up_to_its_bound, an_arena_refuses_what_overflows, array_literals,
           evidence_that_cannot_be_read_does_not_replay)
