/* Strict UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef ASSAY_BASE_UTF8_H
#define ASSAY_BASE_UTF8_H

#include <stddef.h>

enum utf8_verdict {
	UTF8_OK,
	UTF8_INVALID, /* not UTF-8, from `*at` on */
	UTF8_NUL /* UTF-8, but U+0000 stands at `*at`; PostgreSQL's text cannot hold it */
};

/* Judges n bytes up to the first fault; its offset goes to *at (n when there is none). `at` may be NULL. */
enum utf8_verdict utf8_check(const char *p, size_t n, size_t *at);

/* Length in bytes of the one character at p: 1..4, or 0 when the bytes there (at most n) are not one. U+0000 is one. */
size_t utf8_char(const char *p, size_t n);

/* How many code points valid UTF-8 has. */
size_t utf8_count(const char *p, size_t n);

#endif
