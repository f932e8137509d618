/* The glue to libmicrohttpd: one daemon a loop, on a socket of its own with SO_REUSEPORT. */
#ifndef ASSAY_SERVER_HTTP_H
#define ASSAY_SERVER_HTTP_H

#include <stdbool.h>

struct loop;
struct MHD_Daemon;

struct http_settings {
	unsigned connections, connections_per_address; /* of this loop; one more is told so */
	unsigned idle_seconds;                         /* a connection without traffic is closed */
};

struct MHD_Daemon *http_start(struct loop *loop, int listen_fd, const struct http_settings *settings);

#endif
