#include "cli/cli.h"

#include "base/buf.h"
#include "model/store/migrate.h"
#include "model/store/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

static void tell(const char *line) { fprintf(stderr, "%s\n", line); }

static bool read_file(const char *path, struct buf *out)
{
	char piece[16 * 1024];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
		buf_add(out, piece, n);
	bool ok = !ferror(file) && !out->failed;
	if (file != stdin)
		fclose(file);
	if (!ok)
		fprintf(stderr, "%s: cannot be read, or is longer than %d bytes\n", path, FILE_BYTES_MAX);
	return ok;
}

static bool publish(const struct settings *settings, const struct buf *text)
{
	struct database *database = database_open(settings);
	struct db *db = database ? db_open(database_url(database)) : NULL;
	bool ok = db && migrate(db, tell) && setup_policy(db, text->data, text->len, tell);
	if (ok)
		printf("Published.\n");
	db_close(db);
	database_close(database);
	return ok;
}

int cmd_policy(int argc, char **argv)
{
	struct settings settings;
	struct buf text = BUF_INIT(FILE_BYTES_MAX);
	bool publishes = argc == 3 && strcmp(argv[1], "publish") == 0;
	if (!publishes && (argc != 3 || strcmp(argv[1], "check") != 0)) {
		fprintf(stderr, "Usage: assayd policy publish FILE | assayd policy check FILE\n");
		return EXIT_USAGE;
	}
	bool ok = settings_read(&settings, stderr) && read_file(argv[2], &text);
	if (ok && publishes) {
		ok = publish(&settings, &text);
	} else if (ok) {
		ok = setup_policy_check(text.data, text.len, tell);
		if (ok)
			printf("Nothing is wrong with it.\n");
	}
	buf_free(&text);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
