/* The query string, strictly: known names, each once, percent-decoded to valid UTF-8 without U+0000. */
#include "base/civil.h"
#include "base/utf8.h"
#include "server/request_internal.h"

#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *percent_decode(struct request *rq, const char *text, size_t len, bool plus_is_blank)
{
	char *out = request_alloc(rq, len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			out[n++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
			continue;
		}
		int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
		int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
		if (high < 0 || low < 0)
			return NULL;
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	out[n] = '\0';
	return utf8_check(out, n, NULL) == UTF8_OK ? out : NULL;
}

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; at && *at;) {
		size_t n = strcspn(at, " ");
		if (n == len && strncmp(at, word, n) == 0)
			return true;
		at += n + strspn(at + n, " ");
	}
	return false;
}

static bool known(const struct request *rq, const char *name)
{
	if (strcmp(rq->operation->method, "POST") == 0 && strcmp(name, "dry_run") == 0)
		return true;
	return word_in(rq->operation->query, name);
}

static void read_pair(struct request *rq, const char *pair, size_t len, struct faults *faults)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	char *name = percent_decode(rq, pair, name_len, true);
	char *value = equals ? percent_decode(rq, equals + 1, len - name_len - 1, true) : request_printf(rq, "%s", "");
	if (!name || !value)
		faults_add(faults, name ? name : "", CODE_BAD_ENCODING, NULL);
	else if (!known(rq, name))
		faults_add(faults, name, CODE_UNKNOWN_PARAMETER, NULL);
	else if (request_query(rq, name))
		faults_add(faults, name, CODE_DUPLICATE_PARAMETER, NULL);
	else if (rq->query_len < QUERY_MAX)
		rq->query[rq->query_len++] = (struct name_value){name, value};
}

/* Every problem at once: what every list takes is checked here, so that it is told along with an unknown name. */
static void check_page(struct request *rq, struct faults *faults)
{
	struct page page;
	if (word_in(rq->operation->query, "limit"))
		(void)request_page(rq, &page, faults);
}

static void read_dry_run(struct request *rq, struct faults *faults)
{
	static const char *const words[] = {"true", "false", NULL};
	const char *word;
	if (strcmp(rq->operation->method, "POST") == 0 && request_query_word(rq, "dry_run", words, &word, faults))
		rq->dry_run = strcmp(word, "true") == 0;
}

bool query_read(struct request *rq)
{
	struct faults faults = {0};
	const char *at = strchr(rq->uri, '?');
	for (at = at ? at + 1 : ""; *at;) {
		size_t len = strcspn(at, "&");
		if (len)
			read_pair(rq, at, len, &faults);
		at += len + (at[len] == '&');
	}
	read_dry_run(rq, &faults);
	check_page(rq, &faults);
	bool ok = !faults_any(&faults);
	if (!ok)
		reply_faults(rq, &faults);
	faults_free(&faults);
	return ok;
}

const char *request_query(const struct request *rq, const char *name)
{
	for (int i = 0; i < rq->query_len; i++)
		if (strcmp(rq->query[i].name, name) == 0)
			return rq->query[i].value;
	return NULL;
}

bool request_query_day(struct request *rq, const char *name, int32_t *out, struct faults *f)
{
	const char *text = request_query(rq, name);
	if (!text)
		return false;
	if (civil_parse(text, out))
		return true;
	faults_add(f, name, CODE_INVALID_DAY, text, NULL);
	return false;
}

bool request_query_word(struct request *rq, const char *name, const char *const *words, const char **out, struct faults *f)
{
	const char *text = request_query(rq, name);
	if (!text)
		return false;
	struct buf list = BUF_INIT(1000);
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = words[i];
			buf_free(&list);
			return true;
		}
		buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
	}
	faults_add(f, name, CODE_INVALID_VALUE, text, list.data, NULL);
	buf_free(&list);
	return false;
}
