/* base/json_write, base/json_tree: the same calls give the same bytes, and they are JSON. */
#include "base/json_write.h"

#include "base/json_read.h"
#include "base/json_tree.h"
#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

START_TEST(commas_and_nesting)
{
	struct buf b = BUF_INIT(1000);
	struct json_writer w = json_writer_on(&b);

	jw_object(&w);
	jw_kstring(&w, "s", "x");
	jw_kstring(&w, "none", NULL);
	jw_kint(&w, "i", -5);
	jw_kbool(&w, "t", true);
	jw_kbool(&w, "f", false);
	jw_knull(&w, "n");
	jw_kraw(&w, "raw", "[1, 2]");
	jw_kraw(&w, "noraw", NULL);
	jw_key(&w, "a");
	jw_array(&w);
	jw_int(&w, 1);
	jw_object(&w);
	jw_object_end(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_string_n(&w, "ab", 1);
	jw_null(&w);
	jw_raw(&w, "{}", 2);
	jw_bool(&w, true);
	jw_array_end(&w);
	jw_object_end(&w);
	ck_assert_uint_eq(w.depth, 0);
	ck_assert_str_eq(b.data, "{\"s\":\"x\",\"none\":null,\"i\":-5,\"t\":true,\"f\":false,\"n\":null,\"raw\":[1, 2],"
	                         "\"noraw\":null,\"a\":[1,{},[],\"a\",null,{},true]}");
	buf_free(&b);
}
END_TEST

START_TEST(control_characters_quotes_and_backslashes_are_escaped_and_nothing_else)
{
	static const char text[] = "\0\x01\b\t\n\f\r\x1f \"\\/\x7f<é中😀>";
	struct buf b = BUF_INIT(1000);
	struct json_writer w = json_writer_on(&b);

	jw_string_n(&w, text, sizeof text - 1);
	ck_assert_str_eq(b.data, "\"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f \\\"\\\\/\x7f<é中😀>\"");
	buf_free(&b);
}
END_TEST

/* At every place of a text longer than what is looked at at once, between neighbours of each kind. */
START_TEST(every_character_is_read_back_as_it_was)
{
	static const char *const around[] = {"aaaaaaaaaaaaaaaaa", "\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f",
	                                     "\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"", "éééééééé!"};
	for (unsigned i = 0; i < sizeof around / sizeof *around; i++) {
		for (int c = 1; c < 0x80; c++) {
			for (size_t at = 0; at <= strlen(around[i]); at += i == 3 ? 2 : 1) {
				struct buf b = BUF_INIT(1000);
				struct json_writer w = json_writer_on(&b);
				char text[64];
				json_t *tree;

				snprintf(text, sizeof text, "%.*s%c%s", (int)at, around[i], c, around[i] + at);
				jw_array(&w);
				jw_string(&w, text);
				jw_array_end(&w);
				tree = json_loadb(b.data, b.len, 0, NULL);
				ck_assert_str_eq(json_string_value(json_array_get(tree, 0)), text);
				json_decref(tree);
				buf_free(&b);
			}
		}
	}
}
END_TEST

START_TEST(the_deepest_nesting)
{
	struct buf b = BUF_INIT(1000);
	struct json_writer w = json_writer_on(&b);

	for (int i = 0; i < JSON_WRITE_DEPTH; i++)
		jw_array(&w);
	for (int i = 0; i < JSON_WRITE_DEPTH; i++)
		jw_array_end(&w);
	ck_assert_uint_eq(b.len, 2 * (size_t)JSON_WRITE_DEPTH);
	buf_free(&b);
}
END_TEST

START_TEST(a_full_buffer_fails_and_is_told)
{
	struct buf b = BUF_INIT(10);
	struct json_writer w = json_writer_on(&b);

	jw_array(&w);
	for (int i = 0; i < 10; i++)
		jw_int(&w, i);
	jw_array_end(&w);
	ck_assert(b.failed);
	buf_free(&b);
}
END_TEST

START_TEST(a_tree_keeps_its_order_and_every_type)
{
	static const char text[] = "{\"z\":[1,-0.5,1e300,true,false,null,\"\\u0001\\\"\"],\"a\":{},\"m\":9223372036854775807,"
	                           "\"三\":{\"b\":[],\"a\":0}}";
	static const char wanted[] = "{\"z\":[1,-0.5,1.0000000000000001e300,true,false,null,\"\\u0001\\\"\"],\"a\":{},"
	                             "\"m\":9223372036854775807,\"三\":{\"b\":[],\"a\":0}}";
	struct faults faults = {0};
	struct buf b = BUF_INIT(1000);
	struct json_writer w = json_writer_on(&b);
	json_t *tree;

	ck_assert_int_eq(json_read(text, sizeof text - 1, 0, &tree, &faults), JSON_OK);
	jw_tree(&w, tree);
	ck_assert_str_eq(b.data, wanted);
	buf_reset(&b);
	jw_tree(&w, NULL);
	ck_assert_str_eq(b.data, "null");
	buf_free(&b);
	json_decref(tree);
}
END_TEST

CHECK_MAIN("base/json_write", commas_and_nesting, control_characters_quotes_and_backslashes_are_escaped_and_nothing_else,
           every_character_is_read_back_as_it_was, the_deepest_nesting, a_full_buffer_fails_and_is_told,
           a_tree_keeps_its_order_and_every_type)
