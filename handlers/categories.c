#include "handlers/categories.h"

#include "model/rules/policy.h"

#include <string.h>

unsigned categories_of(const char *joined)
{
	unsigned bits = 0;
	for (size_t len; *joined; joined += len + (joined[len] == ',')) {
		len = strcspn(joined, ",");
		for (int c = 0; c < SERVICE_CATEGORIES; c++) {
			const char *name = service_category_name((enum service_category)c);
			if (strlen(name) == len && strncmp(name, joined, len) == 0)
				bits |= 1u << c;
		}
	}
	return bits;
}
