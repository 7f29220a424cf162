/* The marks that texts carry, and the books that are kept of them.
 *
 * A mark is `~s<sender>#<number>@<monotonic ns>~`. Whatever a server wraps around a text, and however it cuts its frames,
 * the bytes of the mark come through; so every delivery of every server can be counted and checked in the same way. */
#ifndef MARKS_H
#define MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_BYTES = 45, MARK_BYTES_AT_MOST = 64 };

/* What one reader has heard so far. */
struct reader {
    uint32_t *next;          /* for each sender the number that must come next */
    uint64_t heard;          /* marks that were right */
    uint64_t came_ns;        /* marks said before that are history that it was shown, not deliveries */
    bool is_aside;           /* its hearing is not waited for, and not timed */
    char mark[MARK_BYTES_AT_MOST]; /* a mark that is not at its end yet */
    unsigned mark_bytes;
};

/* What all readers together have heard since `books_begin`; faults are never forgotten. */
struct books {
    uint64_t deliveries;
    uint64_t faults;         /* gaps, doubles, wrong order, marks that nobody said */
    uint64_t complete;       /* messages that all hearing readers have */
    uint64_t *latencies;     /* ns, one for each complete message */
    size_t latencies_room;
};
extern struct books books;

uint64_t now_ns(void);
void senders_begin(unsigned count);
void reader_begin(struct reader *reader);
void books_begin(unsigned hearing);

/* Write the next text of a sender: its mark, padded to TEXT_BYTES. */
unsigned text_of(unsigned sender, uint64_t at_ns, char *text);

/* Look through the payload of a frame; `own` is the reader's number as a sender, or -1.
 * Returns how many marks there were, and in `own_heard` how many of its own. */
unsigned hear(struct reader *reader, int own, const char *bytes, size_t size, unsigned *own_heard);

/* Whether a reader has heard all that was said since it came. */
bool has_all(const struct reader *reader);

/* The latency that a part of the messages (0..1) did not exceed, in microseconds; sorts the latencies. */
double latency_us(double part);

#endif
