/* What several operations read from their input in the same way, and the lists and refusals that they share. */
#ifndef ASSAY_HANDLERS_INPUT_H
#define ASSAY_HANDLERS_INPUT_H

#include "base/json_read.h"
#include "server/request.h"

/* A list of faults that frees itself at the end of its scope. */
#define FAULTS_HERE(name) __attribute__((cleanup(faults_free))) struct faults name = {0}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Each adds a fault at the pointer when the value, which may be NULL (absent), is not of the form. */
void check_word(const char *value, const char *pointer, struct faults *f); /* an industry, a category: a-z, 0-9, _ */
void check_region(const char *value, const char *pointer, struct faults *f); /* GB/T 2260 */
void check_sha256(const char *value, const char *pointer, struct faults *f); /* 64 lower-case hex digits */
/* 1..2 service categories, none twice. `array` may be NULL. */
void check_service_categories(const json_t *array, const char *pointer, struct faults *f);
/* [{"kind","name","sha256","uri"},...], at most DOCUMENTS_MAX of them (the caller's field says so). `array` may be NULL. */
enum { DOCUMENTS_MAX = 50 };
void check_documents(const json_t *array, const char *pointer, struct faults *f);
/* {"name","phone","email"}, each optional or null. `contact` may be NULL or null. */
void check_contact(const json_t *contact, const char *pointer, struct faults *f);

/* The query's days `from` and `through` as they stand there, NULL when absent: checked, and that they are in order. */
void query_span(struct request *rq, const char **from, const char **through, struct faults *f);

/* Whose things alone a caller may see, for statements that ask it: a partner's provider ("", which no id is, while it has none),
 * or NULL: anybody's. */
const char *whose_alone(const struct request *rq);

/* A refusal with up to three arguments, ended by NULL, kept under the idempotency key. */
void refuse(struct request *rq, enum code code, ...) __attribute__((sentinel));

/* A copy of the request's body, with the path's `id` added under `name`: what a write takes. */
json_t *args_with_id(const struct request *rq, const char *name);

/* The tags of If-Match as a write takes them: an array of them without their quotes; null for `*`, and when there is none. NULL with a
 * fault when it is malformed. */
json_t *if_match_read(const struct request *rq, struct faults *f);
/* The same where it must be there; false: it is not, and the reply is staged. */
bool if_match_required(struct request *rq, json_t **tags, struct faults *f);

/* A JSON string that holds the JSON: its members keep their order on the way through jsonb. */
json_t *json_as_text(const json_t *json);

/* Whose things a list shows: a partner's key sees its own provider's ("": nobody's while it has none), every other key all (NULL). */
const char *list_whose(const struct request *rq);

/* A page of something of the provider in the path. 404 when there is none that the caller may see. The statement takes: $1 the
 * provider, $2 after, $3 limit + 1, then the filters (each may be NULL). */
void list_of_provider(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                      struct faults *f);
/* A page of a statement that takes: $1 after, $2 limit + 1, then the filters. */
void list_of_all(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                 struct faults *f);
void page_reply(struct request *rq, const struct rows *rows); /* the last phase of a list begun by one of them */

/* Parameters of the list that list_of_provider() prepared, kept with the request: for handlers that have a phase of their own
 * before it. */
struct listing {
	struct page page;
	const struct statement *list;
	const char *params[STATEMENT_PARAMS_MAX];
	size_t nparams;
};
struct listing *listing_of_provider(struct request *rq, const struct statement *list, const char *const *filters,
                                    size_t nfilters, struct faults *f); /* NULL: a reply is staged */
/* The same for a list of what is below the path's `id`, which is the statement's first parameter: of what else
 * than a provider. */
struct listing *listing_below(struct request *rq, const struct statement *list, const char *const *filters, size_t nfilters,
                              struct faults *f);

#endif
