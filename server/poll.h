/* What an event loop waits on: an epoll set for libmicrohttpd's descriptor, the database sockets and a wake-up descriptor.
 * A poll belongs to one thread; other threads reach it by poll_post() only. */
#ifndef ASSAY_SERVER_POLL_H
#define ASSAY_SERVER_POLL_H

#include <stdbool.h>
#include <stdint.h>

/* Something the loop watches. `ready` runs on the loop's thread. */
struct source {
	void (*ready)(struct source *source, uint32_t events);
	int fd;          /* -1: not watched */
	uint32_t events; /* what it is watched for now */
};

struct poll;
struct poll *poll_new(void); /* NULL: no descriptors left or no memory */
void poll_free(struct poll *p);
/* Watches source->fd for `events`; call again to change them. False when the kernel refuses. */
bool poll_watch(struct poll *p, struct source *source, int fd, uint32_t events) __attribute__((warn_unused_result));
void poll_forget(struct poll *p, struct source *source);
/* Waits up to timeout_ms and runs what is ready. */
void poll_run(struct poll *p, int timeout_ms);

/* Messages from other threads, in order. A node is owned by whoever posts it until `run` is called with it. */
struct mail {
	struct mail *next;
	void (*run)(struct mail *mail);
};
void poll_post(struct poll *p, struct mail *mail); /* from any thread */

int64_t now_ms(void); /* monotonic */
int64_t now_us(void);

#endif
