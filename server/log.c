#include "server/log.h"

#include "base/json_write.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 16 * 1024 };

static _Atomic int least = LOG_INFO;

void log_set_level(enum log_level level) { atomic_store(&least, (int)level); }
bool log_wants(enum log_level level) { return (int)level >= atomic_load(&least); }

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	return names[level];
}

/* "2026-11-23T18:15:09." of the second it is: made once a second a thread, since every request logs. */
static const char *second_text(time_t second)
{
	static _Thread_local time_t made_of = -1;
	static _Thread_local char text[32];
	if (second != made_of) {
		struct tm utc;
		gmtime_r(&second, &utc);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
		made_of = second;
	}
	return text;
}

void log_begin(struct buf *out, enum log_level level, const char *message)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	long ms = now.tv_nsec / 1000000;
	const char digits[] = {(char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z'};
	buf_puts(out, "{\"at\":\"");
	buf_puts(out, second_text(now.tv_sec));
	buf_add(out, digits, sizeof digits);
	buf_puts(out, "\",\"level\":\"");
	buf_puts(out, level_name(level));
	buf_puts(out, "\",\"message\":\"");
	buf_puts(out, message);
	buf_putc(out, '"');
}

void log_write(const struct buf *lines)
{
	size_t done = 0;
	while (done < lines->len) {
		ssize_t n = write(STDERR_FILENO, lines->data + done, lines->len - done);
		if (n <= 0)
			return; /* nowhere left to say it */
		done += (size_t)n;
	}
}

void log_line(enum log_level level, const char *message, ...)
{
	if (!log_wants(level))
		return;
	struct buf line = BUF_INIT(LOG_LINE_MAX);
	log_begin(&line, level, message);
	va_list args;
	va_start(args, message);
	for (const char *name = va_arg(args, const char *); name; name = va_arg(args, const char *)) {
		const char *value = va_arg(args, const char *);
		struct json_writer w = json_writer_on(&line);
		buf_printf(&line, ",\"%s\":", name);
		jw_string(&w, value);
	}
	va_end(args);
	buf_puts(&line, "}\n");
	log_write(&line);
	buf_free(&line);
}
