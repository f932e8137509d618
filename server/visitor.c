/* The connections of a loop: how many, from where, and how long without a request. libmicrohttpd's own limits lie a little
 * higher, so that one too many can be told so. */
#include "server/request_internal.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { LEFT_ASKED_MS = 500 };

int connection_fd(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info ? info->connect_fd : -1;
}

static void read_address(struct visitor *visitor)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(visitor->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	if (address && address->sa_family == AF_INET)
		memcpy(visitor->address, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	else if (address && address->sa_family == AF_INET6)
		memcpy(visitor->address, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
}

static bool too_many_from(const struct visitors *all, const struct visitor *visitor)
{
	unsigned n = 0;
	if (all->len <= all->max_per_address)
		return false;
	for (const struct visitor *v = all->first; v; v = v->next)
		n += memcmp(v->address, visitor->address, sizeof v->address) == 0;
	return n > all->max_per_address;
}

void visitors_add(struct visitors *all, struct visitor *visitor)
{
	read_address(visitor);
	visitor->idle_since_ms = now_ms();
	visitor->next = all->first;
	if (visitor->next)
		visitor->next->prev = visitor;
	all->first = visitor;
	all->len++;
	if (all->len > all->max)
		visitor->refused_with = CODE_OVERLOADED;
	else if (too_many_from(all, visitor))
		visitor->refused_with = CODE_TOO_MANY_REQUESTS;
}

bool visitors_remove(struct visitors *all, struct visitor *visitor)
{
	if (visitor->prev)
		visitor->prev->next = visitor->next;
	else
		all->first = visitor->next;
	if (visitor->next)
		visitor->next->prev = visitor->prev;
	return all->len-- >= all->max;
}

bool peer_gone(int fd)
{
	char byte;
	return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether it left is asked while its silence is young; a departure after that, libmicrohttpd sees by itself. */
static bool has_left(const struct visitor *visitor, int64_t now)
{
	return now - visitor->idle_since_ms <= LEFT_ASKED_MS && peer_gone(connection_fd(visitor->conn));
}

unsigned visitors_cut_idle(struct visitors *all, int64_t now)
{
	unsigned cut = 0;
	for (struct visitor *visitor = all->first; visitor; visitor = visitor->next) {
		if (!visitor->idle_since_ms || (now - visitor->idle_since_ms <= all->idle_ms && !has_left(visitor, now)))
			continue;
		int fd = connection_fd(visitor->conn);
		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
		visitor->idle_since_ms = now; /* once */
		cut++;
	}
	return cut;
}
