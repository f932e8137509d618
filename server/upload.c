#include "server/upload_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct upload {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	char *ring;          /* UPLOAD_BUFFER_BYTES */
	size_t start, len;   /* what is in it */
	bool complete;       /* the body has arrived whole */
	bool aborted;        /* it never will */
	bool dropping;       /* the worker wants no more of it */
	bool loop_waits;     /* the loop suspended the connection until there is room */
	void (*room)(void *arg);
	void *arg;
};

struct upload *upload_new(void (*room)(void *arg), void *arg)
{
	struct upload *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	u->ring = malloc(UPLOAD_BUFFER_BYTES);
	if (!u->ring) {
		free(u);
		return NULL;
	}
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->filled, NULL);
	u->room = room;
	u->arg = arg;
	return u;
}

void upload_free(struct upload *u)
{
	if (!u)
		return;
	pthread_cond_destroy(&u->filled);
	pthread_mutex_destroy(&u->lock);
	free(u->ring);
	free(u);
}

/* At most two runs: to the ring's end, and from its beginning. */
static size_t ring_put(struct upload *u, const char *data, size_t n)
{
	size_t room = UPLOAD_BUFFER_BYTES - u->len;
	size_t put = n < room ? n : room;
	size_t at = (u->start + u->len) % UPLOAD_BUFFER_BYTES;
	size_t first = UPLOAD_BUFFER_BYTES - at < put ? UPLOAD_BUFFER_BYTES - at : put;
	memcpy(u->ring + at, data, first);
	memcpy(u->ring, data + first, put - first);
	u->len += put;
	return put;
}

size_t upload_put(struct upload *u, const char *data, size_t n)
{
	pthread_mutex_lock(&u->lock);
	size_t put = u->dropping ? n : ring_put(u, data, n);
	u->loop_waits = put < n;
	pthread_cond_signal(&u->filled);
	pthread_mutex_unlock(&u->lock);
	return put;
}

static void set_flag(struct upload *u, bool *flag)
{
	pthread_mutex_lock(&u->lock);
	*flag = true;
	pthread_cond_signal(&u->filled);
	pthread_mutex_unlock(&u->lock);
}

void upload_complete(struct upload *u) { set_flag(u, &u->complete); }
void upload_abort(struct upload *u) { set_flag(u, &u->aborted); }

/* Under lock. Tells the loop, once, that there is room again. */
static void tell_room(struct upload *u)
{
	if (!u->loop_waits)
		return;
	u->loop_waits = false;
	u->room(u->arg);
}

long upload_read(struct upload *u, void *out, size_t size)
{
	pthread_mutex_lock(&u->lock);
	while (!u->len && !u->complete && !u->aborted)
		pthread_cond_wait(&u->filled, &u->lock);
	if (u->aborted) {
		pthread_mutex_unlock(&u->lock);
		return -1;
	}
	size_t n = u->len < size ? u->len : size;
	size_t first = UPLOAD_BUFFER_BYTES - u->start < n ? UPLOAD_BUFFER_BYTES - u->start : n;
	memcpy(out, u->ring + u->start, first);
	memcpy((char *)out + first, u->ring, n - first);
	u->start = (u->start + n) % UPLOAD_BUFFER_BYTES;
	u->len -= n;
	if (u->len <= UPLOAD_BUFFER_BYTES / 2)
		tell_room(u);
	pthread_mutex_unlock(&u->lock);
	return (long)n;
}

void upload_drop_rest(struct upload *u)
{
	pthread_mutex_lock(&u->lock);
	u->dropping = true;
	u->len = 0;
	tell_room(u);
	pthread_mutex_unlock(&u->lock);
}

void upload_drain(struct upload *u)
{
	char scratch[16 * 1024];
	while (upload_read(u, scratch, sizeof scratch) > 0)
		;
}
