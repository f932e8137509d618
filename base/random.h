/* Unpredictable bytes, from libcrypto's generator: keys, secrets, ids that must not be guessed. */
#ifndef ASSAY_BASE_RANDOM_H
#define ASSAY_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

bool random_bytes(void *out, size_t n) __attribute__((warn_unused_result)); /* false: there is no entropy; use nothing of out */

#endif
