/* Marks: written, found in payloads, and checked: for each reader and sender the numbers must go up by exactly one. */
#include "marks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "need.h"

enum { FAULTS_SHOWN_AT_MOST = 5 };

/* What one sender has said. */
struct sender {
    uint32_t said;
    uint32_t *heard_by;      /* for each of its messages, how many hearing readers have it */
    size_t room;
};

struct books books;
static struct sender *senders;
static unsigned sender_count, hearing_readers;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void senders_begin(unsigned count)
{
    sender_count = count;
    senders = need(calloc(count, sizeof *senders));
}

void reader_begin(struct reader *reader)
{
    reader->next = need(realloc(reader->next, sender_count * sizeof *reader->next));
    for (unsigned i = 0; i < sender_count; i++)
        reader->next[i] = senders[i].said;
    reader->heard = 0;
    reader->came_ns = now_ns();
    reader->mark_bytes = 0;
    reader->is_aside = false;
}

void books_begin(unsigned hearing)
{
    hearing_readers = hearing;
    books.deliveries = books.complete = 0;
}

unsigned text_of(unsigned sender, uint64_t at_ns, char *text)
{
    struct sender *from = &senders[sender];
    if (from->said == from->room) {
        from->room = from->room ? 2 * from->room : 1024;
        from->heard_by = need(realloc(from->heard_by, from->room * sizeof *from->heard_by));
    }
    from->heard_by[from->said] = 0;
    int size = snprintf(text, TEXT_BYTES + 1, "~s%u#%u@%" PRIu64 "~", sender, from->said, at_ns);
    memset(text + size, '.', (size_t)(TEXT_BYTES - size));
    return from->said++;
}

static void fault(const char *what, unsigned sender, unsigned number, unsigned wanted)
{
    if (++books.faults <= FAULTS_SHOWN_AT_MOST)
        fprintf(stderr, "load: %s: sender %u, message %u where %u was due\n", what, sender, number, wanted);
}

/* One number, and the character that must stand behind it; NULL if it is not so. */
static const char *number(const char *text, char end, uint64_t *value)
{
    const char *start = text;
    for (*value = 0; *text >= '0' && *text <= '9'; text++)
        *value = *value * 10 + (uint64_t)(*text - '0');
    return text > start && *text == end ? text + 1 : NULL;
}

static void complete(uint64_t said_ns, uint64_t heard_ns)
{
    if (books.complete == books.latencies_room) {
        books.latencies_room = books.latencies_room ? 2 * books.latencies_room : 4096;
        books.latencies = need(realloc(books.latencies, books.latencies_room * sizeof *books.latencies));
    }
    books.latencies[books.complete++] = heard_ns - said_ns;
}

/* Enter a mark into the books. */
static void enter(struct reader *reader, unsigned sender, unsigned message, uint64_t said_ns, uint64_t heard_ns)
{
    unsigned *next = &reader->next[sender];
    if (message >= senders[sender].said) {
        fault("nobody said this", sender, message, *next);
        return;
    }
    if (message < *next) {
        fault("doubled, or late", sender, message, *next);
        return;
    }
    if (message > *next)
        fault("a gap", sender, message, *next);
    *next = message + 1;
    reader->heard++;
    books.deliveries++;
    if (!reader->is_aside && ++senders[sender].heard_by[message] == hearing_readers)
        complete(said_ns, heard_ns);
}

/* Take one mark, without its tildes, ended by a NUL. False: it is none. */
static bool take(struct reader *reader, const char *mark, int own, unsigned *own_heard, uint64_t heard_ns)
{
    uint64_t sender, message, said_ns;
    const char *rest = mark[0] == 's' ? number(mark + 1, '#', &sender) : NULL;
    rest = rest ? number(rest, '@', &message) : NULL;
    rest = rest ? number(rest, '\0', &said_ns) : NULL;
    if (!rest || sender >= sender_count)
        return false;
    if (said_ns < reader->came_ns)
        return true;
    *own_heard += (int)sender == own;
    enter(reader, (unsigned)sender, (unsigned)message, said_ns, heard_ns);
    return true;
}

unsigned hear(struct reader *reader, int own, const char *bytes, size_t size, unsigned *own_heard)
{
    const char *at = bytes, *end = bytes + size;
    unsigned found = 0;
    uint64_t heard_ns = now_ns();
    while (at < end) {
        if (!reader->mark_bytes) {
            at = memchr(at, '~', (size_t)(end - at));
            if (!at)
                break;
            reader->mark[reader->mark_bytes++] = *at++;
        }
        while (at < end && *at != '~' && reader->mark_bytes < MARK_BYTES_AT_MOST - 1)
            reader->mark[reader->mark_bytes++] = *at++;
        if (at == end)
            break;
        reader->mark[reader->mark_bytes] = '\0';
        reader->mark_bytes = 0;
        if (*at == '~' && take(reader, reader->mark + 1, own, own_heard, heard_ns)) {
            at++; /* else this tilde may begin a mark */
            found++;
        }
    }
    return found;
}

bool has_all(const struct reader *reader)
{
    for (unsigned i = 0; i < sender_count; i++)
        if (reader->next[i] != senders[i].said)
            return false;
    return true;
}

static int ascending(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

double latency_us(double part)
{
    if (!books.complete)
        return 0;
    qsort(books.latencies, books.complete, sizeof *books.latencies, ascending);
    size_t at = (size_t)(part * (double)(books.complete - 1) + 0.5);
    return (double)books.latencies[at] / 1000.0;
}
