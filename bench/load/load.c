/* The load of the benchmark: very many WebSocket readers, and senders among them, in one thread.
 *
 * It knows no chat: options say how to join and how a text is said; the texts carry marks (marks.h) by which every delivery
 * is counted and checked. It takes commands as lines on stdin and answers each with a line of JSON:
 *
 *     open N [BYTES]        N more connections join (with an SO_RCVBUF of so many bytes)
 *     say N one             N messages, each when all readers have the one before; by the first connection
 *     say N flight W        N messages by the first S connections (--senders), W of them not yet heard by their senders;
 *                           with --rooms by the sender of one room after the other
 *     say N pace R          N messages by the first S connections, each of which says R in a second
 *     aside N               the last N connections are checked, but neither waited for nor timed
 *     deaf                  these stop reading
 *     hear                  they read again, or come back (--resume), until they have everything
 *     churn R SECONDS       R connections a second go, and as many come
 *     wait SECONDS
 *
 * By hand, against a server on port 8765:
 *
 *     (echo open 500; echo say 200 one; echo say 2000 flight 64) | .cache/bench/load --port 8765 --path /ws \
 *         --hello '{"type":"join","user":"r%d"}' --joined '"type":"welcome"' \
 *         --say '{"type":"chat","text":"%m","key":"%k"}'
 *
 * In options %d is the connection's number, %r that of its room (--rooms; each has one sender and as many readers as the
 * others), %m a text with its mark, %k a key, %i the last id heard, %e the epoch. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "connections.h"
#include "marks.h"
#include "options.h"
#include "saying.h"

enum { EVENTS = 1024, OPENING_AT_MOST = 64, STALL_SECONDS = 60 };

/* The command that is being done. */
static enum { NOTHING, OPENING, SAYING, DEAFENING, HEARING, CHURNING, WAITING } doing;
static uint64_t begun_ns, ends_ns, moved_ns;
static double begun_cpu, churn_rate;
static int wanted;
static unsigned come;

static double cpu_seconds(void)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
}

static void begin(int what, double seconds)
{
    doing = what;
    begun_ns = moved_ns = now_ns();
    ends_ns = begun_ns + (uint64_t)(seconds * 1e9);
    begun_cpu = cpu_seconds();
}

static void begin_opening(int more, int receive_buffer)
{
    begin(OPENING, 0);
    wanted = count + more;
    connections_room(wanted);
    for (int i = count; i < wanted; i++)
        connections[i]->receive_buffer = receive_buffer;
}

static void set_aside(int how_many)
{
    aside = how_many;
    for (int i = 0; i < count; i++)
        connections[i]->reader.is_aside = i >= count - aside;
    begin(WAITING, 0);
}

static void begin_hearing(void)
{
    begin(HEARING, 0);
    books_begin((unsigned)(count - aside));
    came_back = last_close_code = 0;
    for (int i = count - aside; i < count; i++)
        watch(connections[i], EPOLL_CTL_ADD);
}

static void obey(const char *line)
{
    int number = 0;
    double value = 0;
    char how[16];
    if (sscanf(line, "open %d %lf", &number, &value) >= 1) {
        begin_opening(number, (int)value);
    } else if (sscanf(line, "say %d %15s %lf", &number, how, &value) >= 2) {
        begin(SAYING, 0);
        saying_begin((unsigned)number, how, value);
    } else if (sscanf(line, "aside %d", &number) == 1) {
        set_aside(number);
    } else if (!strcmp(line, "deaf")) {
        begin(DEAFENING, 0);
    } else if (!strcmp(line, "hear")) {
        begin_hearing();
    } else if (sscanf(line, "churn %lf %lf", &churn_rate, &value) == 2) {
        gone = come = 0;
        begin(CHURNING, value);
    } else if (sscanf(line, "wait %lf", &value) == 1) {
        begin(WAITING, value);
    } else {
        die("there is no such command");
    }
}

/* What a command has still to do at each turn of the loop, and whether it is done. */

static bool is_open_done(void)
{
    while (count < wanted && opening < OPENING_AT_MOST)
        come_in(connections[count++]);
    return joined == wanted;
}

/* Who stops reading has all that was said so far: so what it hears later is what it has missed. */
static bool is_deaf(void)
{
    for (int i = count - aside; i < count; i++)
        if (!has_all(&connections[i]->reader))
            return false;
    for (int i = count - aside; i < count; i++) {
        connections[i]->state = DEAF;
        watch(connections[i], EPOLL_CTL_DEL);
    }
    return true;
}

static bool is_missed_heard(void)
{
    bool all = true;
    for (int i = count - aside; i < count; i++) {
        struct connection *c = connections[i];
        if (c->state == GONE && opening < OPENING_AT_MOST)
            connect_again(c);
        all = all && c->state == DEAF && has_all(&c->reader);
    }
    if (!all)
        return false;
    for (int i = count - aside; i < count; i++)
        connections[i]->state = JOINED;
    return true;
}

static bool is_churned(uint64_t now)
{
    bool is_over = now >= ends_ns;
    while (!is_over && come < (double)(now - begun_ns) / 1e9 * churn_rate) {
        struct connection *c = connections[come++ % (unsigned)count];
        if (c->state != JOINED)
            die("the server is too slow for so many comings and goings");
        c->state = LEAVING;
        joined--;
        ws_close(&c->ws, 1000);
        flush(c);
    }
    return is_over && joined == count;
}

static bool is_done(uint64_t now)
{
    switch (doing) {
    case NOTHING: return false;
    case OPENING: return is_open_done();
    case SAYING: return is_all_heard();
    case DEAFENING: return is_deaf();
    case HEARING: return is_missed_heard();
    case CHURNING: return is_churned(now);
    case WAITING: return now >= ends_ns;
    }
    return false;
}

static void answer(void)
{
    double seconds = (double)(now_ns() - begun_ns) / 1e9, cpu = cpu_seconds() - begun_cpu;
    switch (doing) {
    case OPENING:
        printf("{\"did\": \"open\", \"connections\": %d", joined);
        break;
    case SAYING:
        printf("{\"did\": \"say\", \"messages\": %u, \"p50_us\": %.1f, \"p99_us\": %.1f, \"most_us\": %.1f",
               messages_said(), latency_us(0.5), latency_us(0.99), latency_us(1));
        break;
    case HEARING:
        printf("{\"did\": \"hear\", \"came_back\": %u, \"close_code\": %u", came_back, last_close_code);
        break;
    case CHURNING:
        printf("{\"did\": \"churn\", \"gone\": %u, \"come\": %u", gone, come);
        break;
    default:
        printf("{\"did\": \"wait\"");
    }
    if (doing == SAYING || doing == HEARING)
        printf(", \"deliveries\": %" PRIu64, books.deliveries);
    printf(", \"faults\": %" PRIu64 ", \"seconds\": %.3f, \"load_cpu\": %.3f}\n", books.faults, seconds, cpu);
    doing = NOTHING;
}

static void check_moving(uint64_t now)
{
    bool should_move = doing == OPENING || doing == SAYING || doing == DEAFENING || doing == HEARING;
    if (has_moved || !should_move)
        moved_ns = now;
    has_moved = false;
    if (now - moved_ns > (uint64_t)STALL_SECONDS * 1000000000u) {
        fprintf(stderr, "load: nothing has moved for %d s: %d of %d connections have joined, %u messages are said, "
                "%" PRIu64 " have reached all\n", STALL_SECONDS, joined, wanted, messages_said(), books.complete);
        exit(1);
    }
}

/* The next line of stdin, if there is one; at its end, the load ends. */
static char *next_line(void)
{
    static char lines[4096], line[4096];
    static size_t size;
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char *end;
    while (!(end = memchr(lines, '\n', size))) {
        if (poll(&in, 1, 0) == 0)
            return NULL;
        ssize_t got = read(0, lines + size, sizeof lines - size);
        if (got <= 0)
            exit(0);
        size += (size_t)got;
    }
    size_t taken = (size_t)(end - lines) + 1;
    memcpy(line, lines, taken);
    line[taken - 1] = '\0';
    memmove(lines, lines + taken, size -= taken);
    return line;
}

/* Who waits for its turn must not disturb the one whose turn it is: so it sleeps until there is a line, once. */
static void await_line(int events_of)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = &doing};
    if (epoll_ctl(events_of, EPOLL_CTL_MOD, 0, &event))
        epoll_ctl(events_of, EPOLL_CTL_ADD, 0, &event);
}

static void turn(int events_of)
{
    struct epoll_event events[EVENTS];
    /* Who comes and goes by the clock looks at it often. */
    int patience_ms = doing == CHURNING || doing == OPENING ? 1 : doing == WAITING ? 10 : 100;
    int found = epoll_wait(events_of, events, EVENTS, patience_ms);
    for (int i = 0; i < found; i++) {
        struct connection *c = events[i].data.ptr;
        if (events[i].data.ptr == &doing)
            continue;
        if (!c) {
            say_due();
            continue;
        }
        if (c->ws.fd >= 0 && events[i].events & EPOLLOUT)
            flush(c);
        if (c->ws.fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT)
            ws_receive(&c->ws);
        /* What is said because of what was heard goes out in one write, as in a good client. */
        flush(c);
        flush(connections[0]);
        if (c->state == GONE && doing == CHURNING)
            come_in(c);
    }
    uint64_t now = now_ns();
    check_moving(now);
    if (is_done(now))
        answer();
}

static void too_long(int signal)
{
    static const char words[] = "load: it takes longer than --most allows\n";
    (void)signal;
    if (write(2, words, sizeof words - 1) < 0)
        _exit(2);
    _exit(1);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct epoll_event on_time = {.events = EPOLLIN, .data.ptr = NULL};
    int events_of = epoll_create1(EPOLL_CLOEXEC);

    take_options(argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* if who started it is gone, nobody would stop it */
    signal(SIGALRM, too_long);
    alarm(option.most_seconds);
    setvbuf(stdout, NULL, _IOLBF, 0);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    connections_begin(events_of);
    saying_prepare();
    epoll_ctl(events_of, EPOLL_CTL_ADD, saying_timer(), &on_time);
    for (;;) {
        if (doing == NOTHING) {
            char *line = next_line();
            if (line)
                obey(line);
            else
                await_line(events_of);
        }
        turn(events_of);
    }
}
