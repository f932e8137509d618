/* The files in the binary are found by name, whole, and in order. */
#include "server/embedded.h"
#include "tests/support/check_main.h"

#include <stdio.h>
#include <string.h>

START_TEST(every_file_is_found_by_its_path)
{
	size_t count = 0;
	const struct embedded_file *files = embedded_list(&count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_eq(embedded_find(files[i].path), &files[i]);
		ck_assert_int_eq(files[i].data[files[i].size], 0);
		if (i > 0)
			ck_assert_int_lt(strcmp(files[i - 1].path, files[i].path), 0);
	}
	ck_assert_ptr_null(embedded_find(""));
	ck_assert_ptr_null(embedded_find("migrations/no-such-file.sql"));
	ck_assert_ptr_null(embedded_find("~"));
}
END_TEST

START_TEST(the_bytes_are_the_files)
{
	size_t count = 0;
	const struct embedded_file *files = embedded_list(&count);
	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		char path[4096];
		ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, files[i].path), sizeof(path));
		FILE *f = fopen(path, "rb");
		ck_assert_ptr_nonnull(f);
		for (size_t at = 0; at < files[i].size; at++)
			ck_assert_int_eq(fgetc(f), files[i].data[at]);
		ck_assert_int_eq(fgetc(f), EOF);
		ck_assert_int_eq(fclose(f), 0);
	}
}
END_TEST

CHECK_MAIN("embedded", every_file_is_found_by_its_path, the_bytes_are_the_files)
