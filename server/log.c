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

void log_begin(struct buf *out, enum log_level level, const char *message)
{
	struct timespec now;
	struct tm utc;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	buf_printf(out, "{\"at\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"level\":\"%s\",\"message\":\"%s\"", utc.tm_year + 1900,
	           utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000, level_name(level), message);
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
