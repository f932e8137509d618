/* base64url without padding (RFC 4648, 5): for cursors and keys. One text for the same bytes, and no other is accepted. */
#ifndef ASSAY_BASE_BASE64URL_H
#define ASSAY_BASE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#define BASE64URL_TEXT(n) (((n)*4 + 2) / 3 + 1) /* what n bytes take as text, with its NUL */
#define BASE64URL_BYTES(n) ((n) / 4 * 3 + 2) /* the most bytes that n digits can hold */

void base64url_encode(const void *p, size_t n, char *out); /* BASE64URL_TEXT(n) bytes */

/* False, and *len untouched, for any byte that is no digit ('=' included), a length that none has, digits whose spare bits are
 * not zero, or more bytes than `size`. */
bool base64url_decode(const char *text, size_t n, void *out, size_t size, size_t *len) __attribute__((warn_unused_result));

#endif
