/* The route table: every operation there is. A test holds it against openapi.yaml. */
#ifndef ASSAY_HANDLERS_ROUTES_H
#define ASSAY_HANDLERS_ROUTES_H

#include "server/request.h"

extern const struct operation operations[];
extern const size_t operations_len;

#endif
