#include "base/array_literal.h"

#include <string.h>

void array_literal_item(struct buf *out)
{
	buf_putc(out, out->len ? ',' : '{');
}

void array_literal_text(struct buf *out, const char *s)
{
	array_literal_item(out);
	if (!s) {
		buf_puts(out, "NULL");
		return;
	}
	buf_putc(out, '"');
	for (size_t plain; *s; s += plain) {
		plain = strcspn(s, "\"\\");
		buf_add(out, s, plain);
		if (s[plain]) {
			buf_putc(out, '\\');
			buf_putc(out, s[plain++]);
		}
	}
	buf_putc(out, '"');
}

void array_literal_end(struct buf *out)
{
	buf_puts(out, out->len ? "}" : "{}");
}
