#include "model/store/array_param.h"

#include <string.h>

struct array_param array_param(void)
{
	return (struct array_param){.text = BUF_INIT(ARRAY_PARAM_MAX)};
}

static void begin_item(struct array_param *a)
{
	buf_putc(&a->text, a->text.len ? ',' : '{');
}

void array_int(struct array_param *a, int64_t v)
{
	begin_item(a);
	buf_int(&a->text, v);
}

void array_bool(struct array_param *a, bool v)
{
	begin_item(a);
	buf_putc(&a->text, v ? 't' : 'f');
}

void array_text(struct array_param *a, const char *s)
{
	begin_item(a);
	if (!s) {
		buf_puts(&a->text, "NULL");
		return;
	}
	buf_putc(&a->text, '"');
	for (size_t plain; *s; s += plain) {
		plain = strcspn(s, "\"\\");
		buf_add(&a->text, s, plain);
		if (s[plain]) {
			buf_putc(&a->text, '\\');
			buf_putc(&a->text, s[plain++]);
		}
	}
	buf_putc(&a->text, '"');
}

const char *array_done(struct array_param *a)
{
	buf_puts(&a->text, a->text.len ? "}" : "{}");
	return a->text.failed ? NULL : a->text.data;
}

void array_free(struct array_param *a)
{
	buf_free(&a->text);
}
