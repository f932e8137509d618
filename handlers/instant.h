/* Instants in input: RFC 3339 in UTC, e.g. 2027-01-01T00:00:00.5Z, as openapi.yaml has them. No leap second: nothing here
 * needs one. */
#ifndef ASSAY_HANDLERS_INSTANT_H
#define ASSAY_HANDLERS_INSTANT_H

#include <stdbool.h>

bool instant_valid(const char *text);

#endif
