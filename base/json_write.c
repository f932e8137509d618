#include "base/json_write.h"

#include <assert.h>
#include <string.h>

struct json_writer json_writer_on(struct buf *out)
{
	return (struct json_writer){.out = out};
}

/* Before every value: the comma that separates it from the one before, unless a key has just been written. */
static void separate(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		return;
	if (!w->first[w->depth - 1])
		buf_putc(w->out, ',');
	w->first[w->depth - 1] = false;
}

static void open_with(struct json_writer *w, char c)
{
	separate(w);
	assert(w->depth < JSON_WRITE_DEPTH);
	w->first[w->depth++] = true;
	buf_putc(w->out, c);
}

static void close_with(struct json_writer *w, char c)
{
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	buf_putc(w->out, c);
}

void jw_object(struct json_writer *w)
{
	open_with(w, '{');
}

void jw_object_end(struct json_writer *w)
{
	close_with(w, '}');
}

void jw_array(struct json_writer *w)
{
	open_with(w, '[');
}

void jw_array_end(struct json_writer *w)
{
	close_with(w, ']');
}

static bool must_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Whether one of eight bytes must be escaped, all looked at at once: (b - n) & ~b has its high bit set where the byte b is less than n
 * (n up to 128), and a byte borrows from its neighbour only where that is so. */
static bool any_must_escape(const char *s)
{
	const uint64_t ones = 0x0101010101010101, highs = ones << 7;
	uint64_t x;
	memcpy(&x, s, sizeof x);
	uint64_t quotes = x ^ (ones * '"'), slashes = x ^ (ones * '\\'); /* zero, where it is one */
	return (((x - ones * 0x20) & ~x) | ((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes)) & highs;
}

/* How many bytes there are before the first that must be escaped. */
static size_t plain(const char *s, size_t n)
{
	size_t i = 0;
	while (n - i >= 8 && !any_must_escape(s + i))
		i += 8;
	while (i < n && !must_escape((unsigned char)s[i]))
		i++;
	return i;
}

static void escape(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	/* clang-format off */
	static const char letter[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	/* clang-format on */
	char text[6] = {'\\', (char)c, '0', '0'};

	if (c >= 0x20) {
		buf_add(out, text, 2);
	} else if (letter[c]) {
		text[1] = letter[c];
		buf_add(out, text, 2);
	} else {
		text[1] = 'u';
		text[4] = hex[c >> 4];
		text[5] = hex[c & 15];
		buf_add(out, text, 6);
	}
}

static void quote(struct buf *out, const char *s, size_t n)
{
	buf_putc(out, '"');
	for (size_t at = 0; at < n;) {
		size_t run = plain(s + at, n - at);
		buf_add(out, s + at, run);
		at += run;
		if (at < n)
			escape(out, (unsigned char)s[at++]);
	}
	buf_putc(out, '"');
}

void jw_key(struct json_writer *w, const char *key)
{
	assert(w->depth > 0 && !w->after_key);
	separate(w);
	quote(w->out, key, strlen(key));
	buf_putc(w->out, ':');
	w->after_key = true;
}

void jw_string_n(struct json_writer *w, const char *s, size_t n)
{
	separate(w);
	quote(w->out, s, n);
}

void jw_string(struct json_writer *w, const char *s)
{
	if (s)
		jw_string_n(w, s, strlen(s));
	else
		jw_null(w);
}

void jw_int(struct json_writer *w, int64_t v)
{
	separate(w);
	buf_int(w->out, v);
}

void jw_bool(struct json_writer *w, bool v)
{
	separate(w);
	buf_puts(w->out, v ? "true" : "false");
}

void jw_null(struct json_writer *w)
{
	separate(w);
	buf_puts(w->out, "null");
}

void jw_raw(struct json_writer *w, const char *json, size_t n)
{
	separate(w);
	buf_add(w->out, json, n);
}

void jw_kstring(struct json_writer *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_string(w, s);
}

void jw_kint(struct json_writer *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void jw_kbool(struct json_writer *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_knull(struct json_writer *w, const char *key)
{
	jw_key(w, key);
	jw_null(w);
}

void jw_kraw(struct json_writer *w, const char *key, const char *json)
{
	jw_key(w, key);
	if (json)
		jw_raw(w, json, strlen(json));
	else
		jw_null(w);
}
