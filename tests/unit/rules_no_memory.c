/* Every allocation of the rules fails once, one after the other: each is noticed, told as what it is, and nothing leaks.
 * The sanitizers bring an allocator of their own; with them only the last run, in which nothing fails, is made. */
#include "model/rules/document.h"
#include "tests/unit/rules_support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_ALLOCATOR 0
#else
#define OWN_ALLOCATOR 1
#endif
#else
#define OWN_ALLOCATOR 1
#endif

static long until_failure; /* the n-th allocation from now fails; 0: none does */
static bool failed;
static struct faults faults;
static long live; /* allocations not freed, since counting began */

#if OWN_ALLOCATOR
/* glibc's own, behind the names that are replaced here. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static bool fails(void)
{
	if (until_failure == 0 || --until_failure > 0)
		return false;
	failed = true;
	return true;
}

void *malloc(size_t size)
{
	void *p = fails() ? NULL : __libc_malloc(size);

	live += p != NULL;
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __libc_calloc(n, size);

	live += p != NULL;
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p = fails() ? NULL : __libc_realloc(old, size);

	live += p != NULL && old == NULL;
	return p;
}

void free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}
#endif

static json_t *request_to_read(void)
{
	json_t *request = trial_request("2023-06-30");

	add_stores(request, 3);
	put(request, "stores/0/bindings",
	    json_of("[{'by': 'self', 'bound_on': '2023-05-01'},"
	            " {'by': 'other', 'bound_on': '2023-01-01', 'unbound_on': '2023-01-05'}]"));
	put(request, "stores/1/days",
	    json_of("[{'day': '2023-05-02', 'orders': 1, 'gmv_fen': 1},"
	            " {'day': '2023-05-01', 'orders': 1, 'gmv_fen': 1}]"));
	return request;
}

/* From request to answer, and to a document and what that evaluates to. False: something could not be allocated, and each step
 * says so in its way. Nothing is asserted meanwhile: Check allocates, too. */
static bool run(json_t *request, struct buf *answer, struct buf *document)
{
	struct buf first = BUF_INIT(1 << 20);
	json_t *json = NULL;
	bool ok = evaluation_answer(request, &(struct evaluating){0}, answer, &faults) &&
	          evaluation_answer(request, &(struct evaluating){.as_document = true}, &first, &faults) &&
	          json_read(first.data, first.len, JSON_DEPTH_MAX, &json, &faults) == JSON_OK &&
	          evaluation_answer(json, &(struct evaluating){0}, document, &faults);

	json_decref(json);
	buf_free(&first);
	return ok;
}

START_TEST(every_allocation_may_fail)
{
	json_t *request = request_to_read();
	struct buf whole[2] = {BUF_INIT(1 << 20), BUF_INIT(1 << 20)};
	long failures = 0;

	ck_assert(run(request, &whole[0], &whole[1]));

	for (long n = OWN_ALLOCATOR ? 1 : 0;; n++) {
		struct buf answer = BUF_INIT(1 << 20);
		struct buf document = BUF_INIT(1 << 20);

		live = 0;
		failed = false;
		until_failure = n;
		bool ok = run(request, &answer, &document);
		until_failure = 0;
		ck_assert(ok || failed);
		ck_assert_msg(!faults_any(&faults), "no memory is no fault of the request: %s", faults_text(&faults));
		if (ok) { /* also where qsort() did without the memory it asked for */
			ck_assert_str_eq(answer.data, whole[0].data);
			ck_assert_str_eq(document.data, whole[1].data);
		}
		buf_free(&answer);
		buf_free(&document);
		ck_assert_int_eq(live, 0);
		if (!failed)
			break;
		failures += !ok;
	}
	buf_free(&whole[0]);
	buf_free(&whole[1]);
	ck_assert_int_ge(failures, OWN_ALLOCATOR ? 12 : 0);
}
END_TEST

CHECK_MAIN("rules_no_memory", every_allocation_may_fail)
