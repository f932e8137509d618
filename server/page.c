/* Lists: limit and cursor in, {"data", "next_cursor"} and Link out. */
#include "base/base64url.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "server/request_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200, CURSOR_BYTES_MAX = 300, PAGE_BYTES_MAX = 32 * 1024 * 1024 };

static bool read_limit(const char *text, int *limit)
{
	char *end;
	long value = strtol(text, &end, 10);
	if (!*text || *end || text[0] < '0' || text[0] > '9' || value < 1 || value > LIMIT_MAX)
		return false;
	*limit = (int)value;
	return true;
}

bool request_page(struct request *rq, struct page *page, struct faults *f)
{
	const char *limit = request_query(rq, "limit"), *cursor = request_query(rq, "cursor");
	size_t had = f->total;
	*page = (struct page){.limit = LIMIT_DEFAULT, .known_at = request_query(rq, "known_at")};
	if (limit && !read_limit(limit, &page->limit))
		faults_add(f, "limit", CODE_NUMBER_OUT_OF_RANGE, "1", "200", NULL);
	if (cursor) {
		char *after = request_alloc(rq, CURSOR_BYTES_MAX + 1);
		size_t len;
		if (base64url_decode(cursor, strlen(cursor), after, CURSOR_BYTES_MAX, &len) && len && strlen(after) == len && utf8_check(after, len, NULL) == UTF8_OK)
			page->after = after;
		else
			faults_add(f, "cursor", CODE_WRONG_FORMAT, "next_cursor", NULL);
	}
	return f->total == had;
}

static void put_encoded(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c))
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void link_header(struct request *rq, const char *cursor)
{
	struct buf link = BUF_INIT(2 * URI_MAX + 512);
	buf_printf(&link, "<%s?", rq->path);
	for (int i = 0; i < rq->query_len; i++) {
		if (strcmp(rq->query[i].name, "cursor") == 0)
			continue;
		put_encoded(&link, rq->query[i].name);
		buf_putc(&link, '=');
		put_encoded(&link, rq->query[i].value);
		buf_putc(&link, '&');
	}
	buf_printf(&link, "cursor=%s>; rel=\"next\"", cursor);
	if (!link.failed)
		reply_header(rq, "Link", link.data);
	buf_free(&link);
}

void reply_page(struct request *rq, const struct page *page, const struct rows *rows)
{
	struct buf body = BUF_INIT(PAGE_BYTES_MAX);
	struct json_writer w = json_writer_on(&body);
	int shown = rows->count < page->limit ? rows->count : page->limit;
	jw_object(&w);
	jw_key(&w, "data");
	jw_array(&w);
	for (int i = 0; i < shown; i++)
		jw_raw(&w, rows_text(rows, i, 1), strlen(rows_text(rows, i, 1)));
	jw_array_end(&w);
	if (rows->count > page->limit) {
		const char *last = rows_text(rows, shown - 1, 0);
		char cursor[BASE64URL_TEXT(CURSOR_BYTES_MAX)];
		base64url_encode(last, strnlen(last, CURSOR_BYTES_MAX), cursor);
		link_header(rq, cursor);
		jw_kstring(&w, "next_cursor", cursor);
	} else {
		jw_knull(&w, "next_cursor");
	}
	if (page->known_at)
		jw_kstring(&w, "known_at", page->known_at);
	jw_object_end(&w);
	reply_json(rq, 200, &body);
}
