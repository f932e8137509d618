#include "model/store/array_param.h"

#include "base/array_literal.h"

struct array_param array_param(void)
{
	return (struct array_param){.text = BUF_INIT(ARRAY_PARAM_MAX)};
}

void array_int(struct array_param *a, int64_t v)
{
	array_literal_item(&a->text);
	buf_int(&a->text, v);
}

void array_bool(struct array_param *a, bool v)
{
	array_literal_item(&a->text);
	buf_putc(&a->text, v ? 't' : 'f');
}

void array_text(struct array_param *a, const char *s)
{
	array_literal_text(&a->text, s);
}

const char *array_done(struct array_param *a)
{
	array_literal_end(&a->text);
	return a->text.failed ? "out of memory" : a->text.data;
}

void array_free(struct array_param *a)
{
	buf_free(&a->text);
}
