#include "server/poll.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_A_TURN = 64 };

struct poll {
	int epoll_fd;
	struct source wake;
	pthread_mutex_t lock;
	struct mail *first, **last; /* under lock */
};

int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t now_ms(void) { return now_us() / 1000; }

static void drop_wakeups(struct source *wake, uint32_t events)
{
	(void)events;
	uint64_t count;
	while (read(wake->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

struct poll *poll_new(void)
{
	struct poll *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	p->wake = (struct source){.ready = drop_wakeups, .fd = -1};
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->epoll_fd >= 0 && wake_fd >= 0 && poll_watch(p, &p->wake, wake_fd, EPOLLIN))
		return p;
	if (wake_fd >= 0)
		close(wake_fd);
	p->wake.fd = -1;
	poll_free(p);
	return NULL;
}

void poll_free(struct poll *p)
{
	if (!p)
		return;
	if (p->wake.fd >= 0)
		close(p->wake.fd);
	if (p->epoll_fd >= 0)
		close(p->epoll_fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool poll_watch(struct poll *p, struct source *source, int fd, uint32_t events)
{
	if (source->fd == fd && source->events == events)
		return true;
	if (source->fd >= 0 && source->fd != fd)
		poll_forget(p, source);
	struct epoll_event event = {.events = events, .data.ptr = source};
	int op = source->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (epoll_ctl(p->epoll_fd, op, fd, &event) != 0)
		return false;
	source->fd = fd;
	source->events = events;
	return true;
}

void poll_forget(struct poll *p, struct source *source)
{
	if (source->fd < 0)
		return;
	epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL); /* fails when the descriptor is closed already: it is gone then */
	source->fd = -1;
	source->events = 0;
}

void poll_post(struct poll *p, struct mail *mail)
{
	mail->next = NULL;
	pthread_mutex_lock(&p->lock);
	bool was_empty = p->first == NULL;
	*p->last = mail;
	p->last = &mail->next;
	pthread_mutex_unlock(&p->lock);
	if (!was_empty)
		return;
	uint64_t one = 1;
	while (write(p->wake.fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void run_mail(struct poll *p)
{
	pthread_mutex_lock(&p->lock);
	struct mail *mail = p->first;
	p->first = NULL;
	p->last = &p->first;
	pthread_mutex_unlock(&p->lock);
	while (mail) {
		struct mail *next = mail->next;
		mail->run(mail);
		mail = next;
	}
}

void poll_run(struct poll *p, int timeout_ms)
{
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(p->epoll_fd, events, EVENTS_A_TURN, timeout_ms);
	assert(n >= 0 || errno == EINTR);
	for (int i = 0; i < n; i++) {
		struct source *source = events[i].data.ptr;
		if (source->fd >= 0) /* not forgotten by one that ran before it in this turn */
			source->ready(source, events[i].events);
	}
	run_mail(p);
}
