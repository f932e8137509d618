/* base/gunzip: whole, cut, damaged, in several members, in any chunking. */
#include "base/gunzip.h"

#include "base/buf.h"
#include "tests/support/check_main.h"

#include <string.h>
#include <zlib.h>

/* Appends one gzip member of these bytes. */
static void add_member(struct buf *out, const void *p, size_t n)
{
	z_stream z = {0};

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	uLong bound = deflateBound(&z, n);

	ck_assert(buf_reserve(out, bound));
	z.next_in = (Bytef *)(size_t)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)bound;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
}

/* Unpacks in pieces of `step` through a window of `window` bytes. The answer is the first that is not OK, or the end's. */
static enum gunzip_status unpack(const char *in, size_t n, size_t step, size_t window, struct buf *out)
{
	struct gunzip *g = gunzip_new();
	enum gunzip_status status = GUNZIP_OK;
	char *room = malloc(window);

	ck_assert(g && room);
	for (size_t i = 0; i < n && status == GUNZIP_OK; i += step) {
		size_t got = 1;

		gunzip_feed(g, in + i, n - i < step ? n - i : step);
		while (status == GUNZIP_OK && got) {
			status = gunzip_read(g, room, window, &got);
			if (got > window)
				ck_abort_msg("more than there is room for");
			buf_add(out, room, got);
		}
	}
	if (status == GUNZIP_OK)
		status = gunzip_end(g);
	else
		ck_assert_int_eq(gunzip_end(g), status);
	free(room);
	gunzip_free(g);
	return status;
}

static const char sample[] = "store_id,day,orders,gmv_fen\ns-1,2023-04-03,120,356000\ns-2,2023-04-03,7,90\n";
enum { SAMPLE = sizeof sample - 1 };

START_TEST(members_one_after_another_in_any_chunking)
{
	struct buf in = BUF_INIT(10000);
	struct buf out = BUF_INIT(10000);

	add_member(&in, sample, 20);
	add_member(&in, "", 0);
	add_member(&in, sample + 20, SAMPLE - 20);
	for (size_t step = 1; step <= in.len; step++) {
		for (size_t window = 1; window <= SAMPLE + 1; window += 9) {
			buf_reset(&out);
			if (unpack(in.data, in.len, step, window, &out) != GUNZIP_OK)
				ck_abort_msg("step %zu, window %zu", step, window);
			ck_assert_str_eq(out.data, sample);
		}
	}
	buf_free(&in);
	buf_free(&out);
}
END_TEST

START_TEST(every_cut_is_told)
{
	struct buf in = BUF_INIT(10000);
	struct buf out = BUF_INIT(10000);
	size_t first;

	add_member(&in, sample, 20);
	first = in.len;
	add_member(&in, sample + 20, SAMPLE - 20);
	for (size_t n = 0; n < in.len; n++) {
		enum gunzip_status wanted = n == first ? GUNZIP_OK : GUNZIP_TRUNCATED;

		ck_assert_int_eq(unpack(in.data, n, 1000, 64, &out), wanted);
		ck_assert_int_eq(unpack(in.data, n, 1, 64, &out), wanted);
		buf_reset(&out);
	}
	buf_free(&in);
	buf_free(&out);
}
END_TEST

/* No damaged byte goes through as other text: the checksum and the length at the end of a member see to it. Header bytes that
 * carry no text (time, system) may change. */
START_TEST(every_flipped_bit_is_harmless_or_told)
{
	struct buf in = BUF_INIT(10000);
	struct buf out = BUF_INIT(100000);
	size_t refused = 0;

	add_member(&in, sample, SAMPLE);
	for (size_t bit = 0; bit < in.len * 8; bit++) {
		in.data[bit / 8] = (char)(in.data[bit / 8] ^ 1 << bit % 8);
		buf_reset(&out);
		if (unpack(in.data, in.len, 10, 50, &out) == GUNZIP_OK)
			ck_assert(out.len == SAMPLE && memcmp(out.data, sample, SAMPLE) == 0);
		else
			refused++;
		in.data[bit / 8] = (char)(in.data[bit / 8] ^ 1 << bit % 8);
	}
	ck_assert_uint_ge(refused, (in.len - 10) * 8);
	buf_free(&in);
	buf_free(&out);
}
END_TEST

START_TEST(what_is_no_gzip_is_corrupt)
{
	struct buf out = BUF_INIT(10000);
	struct buf in = BUF_INIT(10000);
	Bytef zlib_form[200];
	uLongf zlib_len = sizeof zlib_form;

	ck_assert_int_eq(unpack("a,b\n1,2\n", 8, 8, 64, &out), GUNZIP_CORRUPT);
	ck_assert_int_eq(compress(zlib_form, &zlib_len, (const Bytef *)sample, SAMPLE), Z_OK);
	ck_assert_int_eq(unpack((const char *)zlib_form, zlib_len, 8, 64, &out), GUNZIP_CORRUPT);
	add_member(&in, sample, SAMPLE);
	buf_puts(&in, "trailing");
	ck_assert_int_eq(unpack(in.data, in.len, 8, 64, &out), GUNZIP_CORRUPT);
	ck_assert_int_eq(unpack("", 0, 8, 64, &out), GUNZIP_TRUNCATED);
	buf_free(&in);
	buf_free(&out);
}
END_TEST

START_TEST(a_bomb_streams_through_a_small_window)
{
	enum { SIZE = 20000000, WINDOW = 1000 };
	struct buf in = BUF_INIT(2 * (size_t)SIZE);
	char *zeros = calloc(1, SIZE);
	struct gunzip *g = gunzip_new();
	char window[WINDOW];
	size_t total = 0;
	size_t got = 1;

	ck_assert(g && zeros);
	add_member(&in, zeros, SIZE);
	ck_assert_uint_lt(in.len, SIZE / 900);
	gunzip_feed(g, in.data, in.len);
	while (got) {
		if (gunzip_read(g, window, sizeof window, &got) != GUNZIP_OK || got > WINDOW)
			ck_abort();
		total += got;
	}
	ck_assert_uint_eq(total, SIZE);
	ck_assert_int_eq(gunzip_end(g), GUNZIP_OK);
	gunzip_free(g);
	gunzip_free(NULL);
	free(zeros);
	buf_free(&in);
}
END_TEST

CHECK_MAIN("base/gunzip", members_one_after_another_in_any_chunking, every_cut_is_told, every_flipped_bit_is_harmless_or_told,
           what_is_no_gzip_is_corrupt, a_bomb_streams_through_a_small_window)
