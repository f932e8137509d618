/* How far in the primary's log (WAL) each caller's last write is, so that a read of theirs is never answered by a replica that has
 * not come so far. One table of the process: the loops share it.
 *
 * It keeps no names: callers share a place by a hash, and a place keeps the furthest. Two that share one are asked for no less than
 * they need. */
#ifndef ASSAY_SERVER_POSITIONS_H
#define ASSAY_SERVER_POSITIONS_H

#include <stdbool.h>
#include <stdint.h>

struct positions;
struct positions *positions_new(void); /* NULL: out of memory */
void positions_free(struct positions *p);

/* What a read by this actor must see at least. One whose last write has an unknown position needs more than any replica has. */
uint64_t positions_of(const struct positions *p, uint64_t actor);
void positions_wrote(struct positions *p, uint64_t actor, uint64_t position);

/* They may have written, and nobody can say how far that is: until the primary was asked how far it is, and the question was put after
 * this. */
void positions_unknown(struct positions *p, uint64_t actor);
uint64_t positions_ask(struct positions *p); /* the number of a question that is put now */
void positions_asked(struct positions *p, uint64_t question, uint64_t position); /* and its answer */

/* "16/B374D848", as PostgreSQL writes it. */
enum { POSITION_TEXT = 24 };
void position_text(uint64_t position, char out[POSITION_TEXT]);
bool position_read(const char *text, uint64_t *out);

#endif
