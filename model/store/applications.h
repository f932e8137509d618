/* Reads of applications, and the snapshot on which an admission is decided. */
#ifndef ASSAY_MODEL_STORE_APPLICATIONS_H
#define ASSAY_MODEL_STORE_APPLICATIONS_H

#include "server/statement.h"

extern const struct statement APPLICATION_BY_ID; /* by_keys: id; provider_id, body, etag */
/* $1 provider, $2 after, $3 limit+1, $4 status or NULL. Columns: cursor, body. */
extern const struct statement APPLICATION_LIST;

/* What the admission checks look at, from one instant. Days are days since 1970-01-01. */
enum admission_column {
	ADMISSION_PROVIDER,
	ADMISSION_VERSION, /* the provider's: the write takes place only if it is still this one */
	ADMISSION_STATUS, /* the provider's */
	ADMISSION_INDUSTRY, /* the provider's */
	ADMISSION_SERVICE_CATEGORIES, /* joined by ',' */
	ADMISSION_REAPPLY_FROM, /* or NULL, as the cause: 'revoked' or 'trial_failed' */
	ADMISSION_REAPPLY_CAUSE,
	ADMISSION_WAIVER, /* id of the waiver that lifts that cool-down today, or NULL, as its last day */
	ADMISSION_WAIVER_EXPIRES_ON,
	ADMISSION_OPEN_APPLICATION, /* submitted and not decided on, or NULL */
	ADMISSION_TODAY,
	ADMISSION_TODAY_TEXT,
	ADMISSION_POLICY, /* 'id@version' of the published policy that applies, or NULL */
	ADMISSION_POLICY_INDUSTRY,
	ADMISSION_POLICY_DOCUMENT, /* its JSON */
	ADMISSION_APPLICATION_STATUS, /* of ADMISSION_OF_APPLICATION; else NULL */
	ADMISSION_DOCUMENTS /* its documents, JSON; else NULL */
};
/* $1 provider, $2 'id@version' or NULL: the one for the provider's industry today. One row, or none. */
extern const struct statement ADMISSION_OF_PROVIDER;
/* $1 application. One row, or none. */
extern const struct statement ADMISSION_OF_APPLICATION;

#endif
