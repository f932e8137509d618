/* server/positions: what a read by somebody must see, in the order in which things can come about. */
#include "server/positions.h"

#include "tests/support/check_main.h"

enum { ALICE = 1, BOB = 2, EVERY_PLACE = 100000 };

START_TEST(nothing_was_written)
{
	struct positions *p = positions_new();
	ck_assert_uint_eq(positions_of(p, ALICE), 0);
	positions_free(p);
}
END_TEST

START_TEST(the_furthest_counts)
{
	struct positions *p = positions_new();
	positions_wrote(p, ALICE, 100);
	positions_wrote(p, ALICE, 90);
	ck_assert_uint_eq(positions_of(p, ALICE), 100);
	ck_assert_uint_eq(positions_of(p, BOB), 0);
	positions_free(p);
}
END_TEST

/* However many they are, nobody is asked for less than they need. */
START_TEST(who_shares_a_place_is_asked_for_more)
{
	struct positions *p = positions_new();
	for (uint64_t actor = 0; actor < EVERY_PLACE; actor++)
		positions_wrote(p, actor, 1000 + actor);
	for (uint64_t actor = 0; actor < EVERY_PLACE; actor++)
		ck_assert_uint_ge(positions_of(p, actor), 1000 + actor);
	positions_free(p);
}
END_TEST

/* A question that was put before the write of unknown position says nothing of it. */
START_TEST(unknown_until_asked_afterwards)
{
	struct positions *p = positions_new();
	positions_wrote(p, ALICE, 100);
	uint64_t before = positions_ask(p);
	positions_unknown(p, ALICE);
	uint64_t after = positions_ask(p);
	ck_assert_uint_gt(positions_of(p, ALICE), UINT64_C(1) << 62);
	positions_asked(p, before, 150);
	ck_assert_uint_gt(positions_of(p, ALICE), UINT64_C(1) << 62);
	positions_wrote(p, ALICE, 160);
	ck_assert_uint_gt(positions_of(p, ALICE), UINT64_C(1) << 62);
	positions_asked(p, after, 200);
	ck_assert_uint_eq(positions_of(p, ALICE), 200);
	positions_free(p);
}
END_TEST

START_TEST(each_unknown_one_has_its_own_question)
{
	struct positions *p = positions_new();
	positions_unknown(p, ALICE);
	uint64_t first = positions_ask(p);
	positions_unknown(p, BOB);
	positions_asked(p, first, 200);
	ck_assert_uint_eq(positions_of(p, ALICE), 200);
	ck_assert_uint_gt(positions_of(p, BOB), UINT64_C(1) << 62);
	positions_asked(p, positions_ask(p), 300);
	ck_assert_uint_eq(positions_of(p, BOB), 300);
	ck_assert_uint_eq(positions_of(p, ALICE), 200);
	positions_asked(p, positions_ask(p), 400);
	ck_assert_uint_eq(positions_of(p, BOB), 300);
	positions_free(p);
}
END_TEST

START_TEST(as_text)
{
	static const uint64_t some[] = {
	        0, 1, 0xffffffff, UINT64_C(0x100000000), UINT64_C(0x16B374D848), UINT64_C(0x7fffffffffffffff)};
	static const char *const texts[] = {"0/0", "0/1", "0/FFFFFFFF", "1/0", "16/B374D848", "7FFFFFFF/FFFFFFFF"};
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		char text[POSITION_TEXT];
		uint64_t read = 77;
		position_text(some[i], text);
		ck_assert_str_eq(text, texts[i]);
		ck_assert(position_read(text, &read));
		ck_assert_uint_eq(read, some[i]);
	}
}
END_TEST

START_TEST(no_position)
{
	static const char *const texts[] = {"",     "/",     "1",           "1/",          "/1",         "1/2/3",
	                                    "x/1",  "1/x",   "123456789/0", "0/123456789", "80000000/0", "-1/0",
	                                    "+1/0", "0x1/0", " 1/0",        "1/0 "};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint64_t read;
		ck_assert_msg(!position_read(texts[i], &read), "%s", texts[i]);
	}
}
END_TEST

CHECK_MAIN("server/positions", nothing_was_written, the_furthest_counts, who_shares_a_place_is_asked_for_more,
           unknown_until_asked_afterwards, each_unknown_one_has_its_own_question, as_text, no_position)
