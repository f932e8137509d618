/* The tables that the API's description is held against: routes and codes, as tab-separated lines. */
#include "base/faults.h"
#include "cli/cli.h"
#include "handlers/routes.h"

#include <stdio.h>

static void print_roles(unsigned roles)
{
	static const char *const names[] = {"admin", "operator", "feed", "partner", "auditor"};
	if (roles == ROLES_PUBLIC)
		printf("public");
	for (unsigned i = 0, said = 0; roles && i < 5; i++)
		if ((roles | ROLE_ADMIN) & 1U << i)
			printf("%s%s", said++ ? "," : "", names[i]);
}

int cmd_routes(int argc, char **argv)
{
	static const char *const bodies[] = {"none", "json", "stream"};
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < operations_len; i++) {
		const struct operation *op = &operations[i];
		printf("%s\t%s\t%s\t", op->method, op->path, op->id);
		print_roles(op->roles);
		printf("\t%s\t%s\t%s\n", bodies[op->body], op->key_required ? "key_required" : "", op->query ? op->query : "");
	}
	return EXIT_DONE;
}

int cmd_codes(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	static const struct {
		const char *kind, *title_en, *title_zh, *detail_en, *detail_zh;
	} texts[] = {
	        {0},
#define PROBLEM(name, status, title_en, title_zh, detail_en, detail_zh) {"problem", title_en, title_zh, detail_en, detail_zh},
#define FAULT(name, detail_en, detail_zh) {"fault", "", "", detail_en, detail_zh},
#define NOTE(name, detail_en, detail_zh) {"note", "", "", detail_en, detail_zh},
#include "base/catalogue.def"
#undef PROBLEM
#undef FAULT
	};
	for (int code = CODE_NONE + 1; code < CODE_COUNT; code++) {
		printf("%s\t%d\t%s\t%s\t%s\t%s\t%s\n", code_name((enum code)code), code_status((enum code)code), texts[code].kind,
		       texts[code].title_en, texts[code].title_zh, texts[code].detail_en, texts[code].detail_zh);
	}
	return EXIT_DONE;
}
