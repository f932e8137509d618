/* Files that the binary carries: migrations, the API's description, the reference page. Which ones: CMakeLists.txt.
 *
 * Everything is static: nothing to free, the same in every thread. One zero byte follows the data, outside `size`, so that
 * text may be used as a C string. */
#ifndef ASSAY_SERVER_EMBEDDED_H
#define ASSAY_SERVER_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *path; /* from the project's root: "migrations/0001-providers.sql" */
	const unsigned char *data;
	size_t size; /* bytes */
};

const struct embedded_file *embedded_find(const char *path); /* NULL when there is none */
const struct embedded_file *embedded_list(size_t *count);    /* all of them, in strcmp() order of their paths */

#endif
