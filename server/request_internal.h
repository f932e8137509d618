/* What a request is made of: for the files of server/ only. Handlers see server/request.h. */
#ifndef ASSAY_SERVER_REQUEST_INTERNAL_H
#define ASSAY_SERVER_REQUEST_INTERNAL_H

#include "base/buf.h"
#include "base/sha256.h"
#include "server/cors.h"
#include "server/lane.h"
#include "server/positions.h"
#include "server/problem.h"
#include "server/request.h"
#include "server/upload_internal.h"
#include "server/worker.h"

#include <microhttpd.h>

struct loop;
struct visitor;

enum {
	URI_MAX = 4096,
	PARAMS_MAX = 4,       /* placeholders in one path template */
	QUERY_MAX = 16,       /* query parameters of one request */
	REPLY_HEADERS_MAX = 12,
	ON_END_MAX = 8,
	BODY_MAX_DEFAULT = 64 * 1024,
	REQUEST_ID_MAX = 128,
	ARENA_FIRST = 3072,   /* bytes inside the request itself */
	ARENA_MAX = 64 * 1024 * 1024,
	AGAIN_MAX = 5
};

/* Where a request is. Only http.c moves it on. */
enum stage {
	STAGE_HEAD,    /* libmicrohttpd has not shown it to us yet */
	STAGE_AUTH,    /* suspended in the first call, until the key was looked up */
	STAGE_BODY,    /* its body arrives (perhaps none) */
	STAGE_RUNNING, /* its body is here whole; a phase was begun */
	STAGE_SENDING  /* the reply is libmicrohttpd's */
};

struct name_value {
	const char *name, *value;
};

struct arena_block;

struct reply {
	bool staged;
	int status;
	enum code code; /* of a problem; for the log and the metrics */
	const char *content_type;
	const void *bytes;
	size_t len;
	enum MHD_ResponseMemoryMode memory;
	struct name_value headers[REPLY_HEADERS_MAX];
	int headers_len;
	const char *etag; /* quoted */
	bool close;       /* the connection cannot be used again */
};

struct request {
	struct lane_op op; /* first: a lane hands it back */
	struct mail done_mail, room_mail;
	struct loop *loop;
	struct MHD_Connection *conn; /* NULL once libmicrohttpd let go of it */
	struct visitor *visitor;
	struct request *prev, *next; /* the loop's requests */
	enum stage stage;
	bool suspended, held, op_pending, in_worker, said, has_body, waits_room; /* held: waits, but is not suspended */
	bool wrote;       /* or may have */
	bool on_replica;  /* the statement under way is */
	bool off_replica; /* a replica had no answer: the primary is asked from now on */
	bool positioning; /* its answer waits for the position of what it wrote */
	uint64_t actor;   /* a hash of who calls */
	uint64_t needed;  /* the position that what it reads must include, of what the caller said: Assay-Position */
	int64_t began_us, handled_us, op_since_ms;

	const char *uri;    /* as sent */
	const char *path;   /* the part before the query */
	const char *method;
	const struct operation *operation;
	struct name_value params[PARAMS_MAX];
	int params_len;
	struct name_value query[QUERY_MAX];
	int query_len;
	const char *id;
	const char *traceparent;
	const char *origin; /* of the page that asks, if it is one that may */
	const char *idempotency_key;
	enum lang lang;
	bool dry_run;
	struct caller caller;
	unsigned char key_hash[SHA256_BYTES];
	char key_hex[SHA256_HEX];

	struct buf body; /* of BODY_JSON */
	uint64_t body_bytes, dropped;
	json_t *json;
	struct upload *upload;

	void *state;
	rows_fn then;
	void (*work)(struct worker *w, struct request *rq);
	const char *params_of_op[STATEMENT_PARAMS_MAX];
	const char *params_of_batch[STATEMENT_PARAMS_MAX];
	const char *write_op;
	json_t *write_args;
	unsigned again;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} on_end[ON_END_MAX];
	int on_end_len;

	struct reply reply;

	struct arena_block *arena; /* blocks after the first */
	size_t arena_total, first_used;
	_Alignas(16) char first[ARENA_FIRST];
};

/* request.c */
struct request *request_new(struct loop *loop, const char *uri); /* NULL when out of memory */
void request_free(struct request *rq);
char *request_copy(struct request *rq, const char *text, size_t len);
void request_run_handler(struct request *rq); /* the first phase, with the body parsed */

/* request_work.c */
void request_work_init(struct request *rq); /* of a new one: where its mail from a worker goes */

/* route.c */
struct route_table;
struct route_table *route_table_new(const struct operation *operations, size_t len);
void route_table_free(struct route_table *table);
/* Finds the operation and its parameters, or stages 404 or 405. */
bool route_find(const struct route_table *table, struct request *rq);
/* "GET, HEAD, POST": what the path has; NULL when there is no such path. From request_alloc(). */
const char *route_methods(const struct route_table *table, struct request *rq);

/* query.c */
bool query_read(struct request *rq); /* false: a problem is staged */
/* From request_alloc(); NULL when it is no valid encoding of UTF-8 without U+0000. */
char *percent_decode(struct request *rq, const char *text, size_t len, bool plus_is_blank);

/* head.c */
const char *request_id_make(struct request *rq);
/* What is checked before a body is taken; false: a problem is staged */
bool head_read(struct request *rq);
bool head_check(struct request *rq);

/* auth.c */
struct auth_config {
	const struct statement *by_hash, *key_used; /* see struct service_config */
	const unsigned char *pepper;                /* PEPPER_BYTES that hashes are keyed with */
	const struct jwt *jwt;            /* NULL: sign-on tokens are not taken */
	unsigned jwt_per_second;          /* requests that the bearer of one may send; 0: no limit */
	struct rate_limits *limits;       /* of all loops */
};
struct auth_cache;
struct auth_cache *auth_cache_new(const struct auth_config *config);
void auth_cache_free(struct auth_cache *cache);
enum auth {
	AUTH_OK,
	AUTH_WAIT,   /* looked up; http_wake() follows, with the caller known or a problem staged */
	AUTH_REFUSED /* a problem is staged */
};
enum auth auth_begin(struct request *rq, struct auth_cache *cache);

/* cors.c */
void cors_read(struct request *rq, const struct cors *cors); /* sets rq->origin */
/* A browser's question before a request of a page elsewhere: true, and the answer is staged. */
bool cors_preflight(struct request *rq);
void cors_answer(const struct request *rq, struct MHD_Response *response); /* what every answer says where origins are configured */

/* read_your_writes.c: replicas, where they are configured */
bool replica_takes(struct request *rq);                                                     /* the statement in rq->op is on its way */
bool replica_failed(struct request *rq, enum op_end end, const struct rows *rows); /* it came back: the primary has to be asked */
void request_replied(struct request *rq); /* a reply is staged: it is sent, with the position of what was written if something was */
void position_lost(struct request *rq);   /* nobody will say what the position was */
void position_late(struct request *rq, int64_t now); /* waits no longer than is reasonable */

/* say_now.c: the staged reply, written past libmicrohttpd while the body is still arriving; and the end of the connection */
void say_now(struct request *rq);
void hang_up(struct request *rq);

/* http.c */
void http_wake(struct request *rq); /* a reply was staged or room was made: let libmicrohttpd go on */

/* loop.c: what a request needs of its loop */
struct read_lane *loop_reads(struct loop *loop);
struct write_lanes *loop_writes(struct loop *loop);
struct replica *loop_replica(struct loop *loop);     /* NULL: none is configured */
struct positions *loop_positions(struct loop *loop); /* likewise */
struct poll *loop_poll(struct loop *loop);
struct route_table *loop_routes(struct loop *loop);
struct auth_cache *loop_auth(struct loop *loop);
const struct cors *loop_cors(const struct loop *loop); /* NULL: no origin is configured */
bool loop_stopping(const struct loop *loop);
void loop_add_request(struct loop *loop, struct request *rq);
void loop_remove_request(struct loop *loop, struct request *rq);
/* A connection and when it last had no request under way; so that one which sends its next request line a byte at a time is cut
 * like one that sends its body so. */
struct visitor {
	struct MHD_Connection *conn;
	struct visitor *prev, *next; /* the loop's connections */
	int64_t idle_since_ms;       /* 0: a request is under way */
	unsigned char address[16];   /* IPv4: its four bytes, and zeroes */
	enum code refused_with;      /* one connection too many: every request on it is answered so; CODE_NONE: it is welcome */
};
struct visitors *loop_visitors(struct loop *loop);
void loop_daemon_due(struct loop *loop); /* libmicrohttpd has something to do */
void loop_held(struct loop *loop, int change); /* requests that wait without being suspended */
void loop_log_request(struct loop *loop, const struct request *rq, const struct reply *reply /* what it was answered; all 0: nothing */);

/* visitor.c */
struct visitors {
	struct visitor *first;
	unsigned len, max, max_per_address;
	int64_t idle_ms;
};
void visitors_add(struct visitors *all, struct visitor *visitor);
bool visitors_remove(struct visitors *all, struct visitor *visitor); /* true: it was full */
unsigned visitors_cut_idle(struct visitors *all, int64_t now); /* how many were cut */
int connection_fd(struct MHD_Connection *conn);                /* -1: none */
/* The other side has closed and all it sent was read. libmicrohttpd 0.9.75 does not see that when the end came together with the
 * last bytes: it reads less than it has room for and waits for an event that was there already. */
bool peer_gone(int fd);

/* problem.c */
void reply_problem_rendered(struct request *rq, const struct problem *p);

#endif
