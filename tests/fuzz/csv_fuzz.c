/* What imports stream: CSV, NDJSON and gzip. However the bytes are cut into pieces, the same rows come out. The first byte says
 * how they are cut, the rest is the text. */
#include "base/csv.h"
#include "base/gunzip.h"
#include "base/json_tree.h"
#include "base/ndjson.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MUST(condition)                                                                                                        \
	do {                                                                                                                   \
		if (!(condition))                                                                                              \
			abort();                                                                                               \
	} while (0)

enum { OUT_MAX = 16 * 1024 * 1024, UNPACKED_MAX = 1024 * 1024 };

/* The lengths of the pieces: from a seed, mostly small. */
struct cuts {
	uint32_t state;
};

static size_t next_piece(struct cuts *cuts, size_t left)
{
	size_t size;

	cuts->state = cuts->state * 1664525 + 1013904223;
	size = (cuts->state >> 24) % ((cuts->state >> 16 & 3) ? 4 : 100) + 1;
	return size < left ? size : left;
}

static bool csv_row(void *arg, const struct csv_row *row)
{
	struct buf *out = arg;

	MUST((row->fault == CSV_SOUND) == (row->fields != NULL));
	buf_printf(out, "%lu %d %d %zu %zu:", (unsigned long)row->line, row->is_header, (int)row->fault, row->column, row->n);
	for (size_t i = 0; row->fields && i < row->n; i++) {
		MUST(utf8_check(row->fields[i].p, row->fields[i].len, NULL) == UTF8_OK);
		buf_printf(out, "%zu ", row->fields[i].len);
		buf_add(out, row->fields[i].p, row->fields[i].len);
	}
	buf_putc(out, '\n');
	return true;
}

static bool ndjson_row(void *arg, const struct ndjson_row *row)
{
	struct buf *out = arg;
	struct json_writer w = json_writer_on(out);

	MUST((row->value == NULL) == faults_any(row->faults));
	buf_printf(out, "%lu ", (unsigned long)row->line);
	jw_tree(&w, row->value);
	faults_json(out, row->faults, LANG_EN);
	buf_putc(out, '\n');
	return true;
}

static struct buf csv_rows(const char *text, size_t n, struct cuts *cuts)
{
	struct buf out = BUF_INIT(OUT_MAX);
	struct csv *c = csv_new(csv_row, &out);

	MUST(c);
	for (size_t at = 0, piece; at < n; at += piece) {
		piece = cuts ? next_piece(cuts, n - at) : n;
		MUST(csv_feed(c, text + at, piece) == CSV_GO_ON);
	}
	MUST(csv_end(c) == CSV_GO_ON);
	csv_free(c);
	return out;
}

static struct buf ndjson_rows(const char *text, size_t n, struct cuts *cuts)
{
	struct buf out = BUF_INIT(OUT_MAX);
	struct ndjson *r = ndjson_new(ndjson_row, &out);

	MUST(r);
	for (size_t at = 0, piece; at < n; at += piece) {
		piece = cuts ? next_piece(cuts, n - at) : n;
		MUST(ndjson_feed(r, text + at, piece) == NDJSON_GO_ON);
	}
	MUST(ndjson_end(r) == NDJSON_GO_ON);
	ndjson_free(r);
	return out;
}

/* Unpacks through a window; the verdict is the last byte. What is more than UNPACKED_MAX is left: the verdict is then 'm'. */
static struct buf unpacked(const char *data, size_t n, struct cuts *cuts)
{
	struct buf out = BUF_INIT(OUT_MAX);
	struct gunzip *g = gunzip_new();
	enum gunzip_status status = GUNZIP_OK;
	char window[4096];

	MUST(g);
	for (size_t at = 0, piece; at < n && status == GUNZIP_OK && out.len <= UNPACKED_MAX; at += piece) {
		size_t got = 1;

		piece = cuts ? next_piece(cuts, n - at) : n;
		gunzip_feed(g, data + at, piece);
		while (status == GUNZIP_OK && got && out.len <= UNPACKED_MAX) {
			size_t room = cuts ? next_piece(cuts, sizeof window) : sizeof window;

			status = gunzip_read(g, window, room, &got);
			MUST(got <= room);
			buf_add(&out, window, got);
		}
	}
	if (out.len > UNPACKED_MAX) {
		out.len = UNPACKED_MAX;
		buf_putc(&out, 'm');
	} else {
		buf_putc(&out, (char)('0' + (int)(status == GUNZIP_OK ? gunzip_end(g) : status)));
	}
	gunzip_free(g);
	return out;
}

typedef struct buf (*reader)(const char *text, size_t n, struct cuts *cuts);

static void must_agree(reader read, const char *text, size_t n, unsigned seed)
{
	struct cuts cuts = {seed};
	struct buf whole = read(text, n, NULL);
	struct buf cut = read(text, n, &cuts);

	MUST(!whole.failed && !cut.failed);
	MUST(whole.len == cut.len && (whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0));
	buf_free(&whole);
	buf_free(&cut);
}

/* What zlib packed comes out as it was. */
static void pack_and_unpack(const char *text, size_t n, unsigned seed)
{
	struct cuts cuts = {seed};
	z_stream z = {0};
	struct buf packed = BUF_INIT(OUT_MAX);
	struct buf out;

	MUST(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	MUST(buf_reserve(&packed, deflateBound(&z, n)));
	z.next_in = (Bytef *)(size_t)text;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)packed.data;
	z.avail_out = (uInt)packed.cap;
	MUST(deflate(&z, Z_FINISH) == Z_STREAM_END && deflateEnd(&z) == Z_OK);
	out = unpacked(packed.data, z.total_out, &cuts);
	MUST(out.len == n + 1 && out.data[n] == '0' && memcmp(out.data, text, n) == 0);
	buf_free(&packed);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size); /* libFuzzer has no header that declares it */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	must_agree(csv_rows, text, size - 1, data[0]);
	must_agree(ndjson_rows, text, size - 1, data[0]);
	must_agree(unpacked, text, size - 1, data[0]);
	pack_and_unpack(text, size - 1, data[0]);
	return 0;
}
