/* Service categories as the database joins them. */
#ifndef ASSAY_HANDLERS_CATEGORIES_H
#define ASSAY_HANDLERS_CATEGORIES_H

/* Bits 1u << enum service_category of "practical_assistance,mall". */
unsigned categories_of(const char *joined);

#endif
