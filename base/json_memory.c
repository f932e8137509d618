#include "base/json_memory.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

static _Thread_local bool ran_out;

static void *watched_malloc(size_t n)
{
	void *p = malloc(n);

	if (!p)
		ran_out = true;
	return p;
}

static void install(void)
{
	json_set_alloc_funcs(watched_malloc, free); /* what was allocated before came from malloc() too */
}

void json_memory_watch(void)
{
	static pthread_once_t installed = PTHREAD_ONCE_INIT;

	(void)pthread_once(&installed, install);
	ran_out = false;
}

bool json_memory_ran_out(void)
{
	return ran_out;
}
