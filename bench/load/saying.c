/* Saying: one at a time, so many in flight, or each sender at a pace of its own. */
#include "saying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "connections.h"
#include "marks.h"
#include "need.h"
#include "options.h"

static const uint64_t SECOND = 1000000000u;

static enum { ONE, FLIGHT, PACE } manner;
static unsigned to_say, said, turns;
static double pace;
static uint64_t begun_ns;
static int timer;
static double *moments;      /* each sender's own within a period, 0..1 */
static unsigned *order;      /* the senders by their moments */

static int by_moment(const void *a, const void *b)
{
    double one = moments[*(const unsigned *)a], other = moments[*(const unsigned *)b];
    return (one > other) - (one < other);
}

void saying_prepare(void)
{
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    senders_begin(option.senders);
    order = need(calloc(option.senders, sizeof *order));
    moments = need(calloc(option.senders, sizeof *moments));
    srandom(20251119); /* by chance, but the same in every run */
    for (unsigned i = 0; i < option.senders; i++) {
        order[i] = i;
        moments[i] = (double)random() / ((double)RAND_MAX + 1.0);
    }
    qsort(order, option.senders, sizeof *order, by_moment);
}

int saying_timer(void)
{
    return timer;
}

static void say(unsigned sender, uint64_t at_ns)
{
    char text[TEXT_BYTES + 1] = "", key[32];
    snprintf(key, sizeof key, "k%u-%u", sender, text_of(sender, at_ns, text));
    say_filled(connections[sender], text, key);
    said++;
}

static void say_next(unsigned sender)
{
    if (said < to_say)
        say(sender, now_ns());
}

/* The moment at which a message is due. */
static uint64_t due_ns(unsigned message)
{
    double periods = message / option.senders + moments[order[message % option.senders]];
    return begun_ns + (uint64_t)(periods / pace * 1e9);
}

static void set_timer(void)
{
    uint64_t due = said < to_say ? due_ns(said) : 0;
    struct itimerspec at = {.it_value = {.tv_sec = (time_t)(due / SECOND), .tv_nsec = (long)(due % SECOND)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void say_due(void)
{
    uint64_t times, now = now_ns();
    if (read(timer, &times, sizeof times) < 0)
        return;
    while (said < to_say && due_ns(said) <= now) {
        unsigned sender = order[said % option.senders];
        /* The mark says when it was due: a load that is late must not make the server look quick. */
        say(sender, due_ns(said));
        flush(connections[sender]);
    }
    set_timer();
}

void saying_begin(unsigned messages, const char *how, double value)
{
    if (count < (int)option.senders || !option.say)
        die("say: there are not so many senders, or no --say");
    if ((unsigned)(count - aside) % option.rooms)
        die("say: the rooms have not as many readers each");
    books_begin((unsigned)(count - aside) / option.rooms);
    begun_ns = now_ns();
    to_say = messages;
    said = 0;
    if (!strcmp(how, "one")) {
        manner = ONE;
        say_next(0);
    } else if (!strcmp(how, "flight")) {
        manner = FLIGHT;
        for (unsigned i = 0; i < (unsigned)value; i++)
            say_next(turns++ % option.senders);
    } else if (!strcmp(how, "pace") && value > 0) {
        manner = PACE;
        pace = value;
        set_timer();
    } else {
        die("say: one, flight W or pace R");
    }
    for (unsigned i = 0; i < option.senders; i++)
        flush(connections[i]);
}

void say_more(unsigned sender, unsigned own_heard, bool is_complete)
{
    if (manner == FLIGHT)
        for (unsigned i = 0; i < own_heard; i++) {
            if (option.rooms > 1)
                sender = turns++ % option.senders;
            say_next(sender);
            if (option.rooms > 1)
                flush(connections[sender]);
        }
    else if (manner == ONE && is_complete)
        say_next(0);
}

bool is_all_heard(void)
{
    return books.complete >= to_say;
}

unsigned messages_said(void)
{
    return said;
}
