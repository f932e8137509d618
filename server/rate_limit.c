/* A bucket is one instant: when it will be full again (the generic cell rate algorithm). A bucket that is full is the same as
 * none, so a place whose instant has passed is free, and nothing has to be cleaned up. */
#include "server/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>

enum { SETS = 256, WAYS = 16, NS_A_US = 1000, NS_A_SECOND = 1000000000 };

struct bucket {
	uint64_t id;
	int64_t full_ns;
};

struct set {
	pthread_mutex_t lock;
	struct bucket ways[WAYS];
};

struct rate_limits {
	struct set sets[SETS];
};

struct rate_limits *rate_limits_new(void)
{
	struct rate_limits *limits = calloc(1, sizeof *limits);
	for (int i = 0; limits && i < SETS; i++)
		pthread_mutex_init(&limits->sets[i].lock, NULL); /* with no attributes it does not fail on Linux */
	return limits;
}

void rate_limits_free(struct rate_limits *limits)
{
	for (int i = 0; limits && i < SETS; i++)
		pthread_mutex_destroy(&limits->sets[i].lock);
	free(limits);
}

/* The caller's bucket, else the place of the one that is nearest to full: should all places of a set be in use at once, whoever
 * it belonged to gets some tokens too many. */
static struct bucket *bucket_of(struct set *set, uint64_t id)
{
	struct bucket *fullest = &set->ways[0];
	for (int i = 0; i < WAYS; i++) {
		struct bucket *one = &set->ways[i];
		if (one->id == id)
			return one;
		if (one->full_ns < fullest->full_ns)
			fullest = one;
	}
	*fullest = (struct bucket){.id = id};
	return fullest;
}

static int64_t take(struct bucket *bucket, unsigned per_second, int64_t now_ns)
{
	int64_t token_ns = NS_A_SECOND / per_second, depth_ns = token_ns * per_second * RATE_BURST_SECONDS;
	int64_t full_ns = (bucket->full_ns > now_ns ? bucket->full_ns : now_ns) + token_ns;
	if (full_ns - now_ns > depth_ns)
		return full_ns - now_ns - depth_ns;
	bucket->full_ns = full_ns;
	return 0;
}

int64_t rate_limits_take(struct rate_limits *limits, uint64_t id, unsigned per_second, int64_t now_us)
{
	struct set *set = &limits->sets[id % SETS];
	pthread_mutex_lock(&set->lock);
	int64_t wait_ns = take(bucket_of(set, id), per_second, now_us * NS_A_US);
	pthread_mutex_unlock(&set->lock);
	return (wait_ns + NS_A_US - 1) / NS_A_US;
}
