/* Connections: the handlers of what websockets tell, and the frames that are made of the options. */
#define _GNU_SOURCE
#include "connections.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "need.h"
#include "options.h"
#include "saying.h"

struct connection **connections;
int count, joined, aside, opening;
unsigned gone, came_back, last_close_code;
bool has_moved;
static int events_of;
static unsigned numbers;

void connections_begin(int epoll)
{
    events_of = epoll;
}

void connections_room(int for_how_many)
{
    connections = need(realloc(connections, (size_t)for_how_many * sizeof *connections));
    for (int i = count; i < for_how_many; i++) {
        connections[i] = need(calloc(1, sizeof **connections));
        connections[i]->ws.fd = -1;
        connections[i]->place = i;
    }
}

static struct connection *owner(struct websocket *ws)
{
    return (struct connection *)ws;
}

void watch(struct connection *c, int how)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (c->ws.out.size)
        event.events |= EPOLLOUT;
    c->ws.wants_write = c->ws.out.size > 0;
    epoll_ctl(events_of, how, c->ws.fd, &event);
}

void flush(struct connection *c)
{
    if (c->ws.out.size)
        ws_flush(&c->ws);
    if ((c->ws.out.size > 0) != c->ws.wants_write)
        watch(c, EPOLL_CTL_MOD);
}

/* Queue what an option says, with its parts filled in. */
static void send_filled(struct connection *c, const char *form, const char *text, const char *key)
{
    static struct bytes frame;
    char part[32];
    frame.size = 0;
    for (const char *at = form; *at; at++) {
        const char *with = NULL;
        if (*at == '%') {
            switch (at[1]) {
            case 'd': snprintf(part, sizeof part, "%u", c->number); with = part; break;
            case 'r': snprintf(part, sizeof part, "%u", (unsigned)c->place % option.rooms); with = part; break;
            case 'i': snprintf(part, sizeof part, "%" PRIu64, c->last_id); with = part; break;
            case 'e': with = c->epoch; break;
            case 'm': with = text; break;
            case 'k': with = key; break;
            }
        }
        if (with) {
            bytes_add(&frame, with, strlen(with));
            at++;
        } else {
            bytes_add(&frame, at, 1);
        }
    }
    ws_send(&c->ws, option.opcode, frame.data, frame.size);
}

void say_filled(struct connection *c, const char *text, const char *key)
{
    send_filled(c, option.say, text, key);
}

void connect_again(struct connection *c)
{
    opening++;
    c->state = JOINING;
    ws_connect(&c->ws, option.port, option.path, c->receive_buffer);
    if (c->ws.fd >= 0)
        watch(c, EPOLL_CTL_ADD);
}

void come_in(struct connection *c)
{
    reader_begin(&c->reader);
    c->number = numbers++;
    c->last_id = 0;
    c->epoch[0] = '\0';
    connect_again(c);
}

static void has_joined(struct connection *c)
{
    opening--;
    has_moved = true;
    if (c->reader.is_aside) {
        came_back++;
        c->state = DEAF; /* until it has all that it has missed */
    } else {
        joined++;
        c->state = JOINED;
    }
}

void on_open(struct websocket *ws)
{
    struct connection *c = owner(ws);
    const char *hello = c->reader.is_aside ? option.resume : option.hello;
    if (hello)
        send_filled(c, hello, "", "");
    if (!option.joined)
        has_joined(c);
}

void on_end(struct websocket *ws, const char *why)
{
    struct connection *c = owner(ws);
    char line[160];
    ws_drop(ws);
    if (c->state == LEAVING) {
        gone++;
        c->state = GONE;
    } else if (c->state == DEAF && option.resume) {
        last_close_code = ws->close_code;
        c->state = GONE;
    } else {
        snprintf(line, sizeof line, "connection %u was lost%s (close code %u): %s", c->number,
                 c->state == JOINING ? " before it had joined" : "", ws->close_code, why);
        die(line);
    }
}

/* The number behind a name in a JSON object. */
static bool field(const char *payload, size_t size, const char *name, uint64_t *value)
{
    const char *at = memmem(payload, size, name, strlen(name));
    if (!at)
        return false;
    *value = strtoull(at + strlen(name), NULL, 10); /* it ends within the object, which has a `}` behind it */
    return true;
}

/* The epoch in a frame of Besedka, if there is one. */
static void follow_epoch(struct connection *c, const char *payload, size_t size)
{
    static const char name[] = "\"epoch\":\"";
    const char *at = memmem(payload, size, name, sizeof name - 1);
    size_t i = 0;
    if (!at)
        return;
    for (at += sizeof name - 1; at < payload + size && *at != '"' && i < EPOCH_BYTES - 1; at++)
        c->epoch[i++] = *at;
    c->epoch[i] = '\0';
}

/* Follow the ids of Besedka's frames; `marks` is how many messages there are in this one. */
static void follow_ids(struct connection *c, const char *payload, size_t size, unsigned marks)
{
    static const char welcome[] = "{\"type\":\"welcome\"";
    uint64_t id;
    if (marks && field(payload, size, "\"first\":", &id)) {
        c->last_id = id + marks - 1;
    } else if (marks && field(payload, size, "\"id\":", &id)) {
        c->last_id = id;
    } else if (size > sizeof welcome && !memcmp(payload, welcome, sizeof welcome - 1)) {
        follow_epoch(c, payload, size);
        if (!c->reader.is_aside && field(payload, size, "\"head\":", &id))
            c->last_id = id;
    }
}

static bool begins_with(const char *payload, size_t size, const char *begin)
{
    return begin && size >= strlen(begin) && !memcmp(payload, begin, strlen(begin));
}

void on_payload(struct websocket *ws, const char *payload, size_t size)
{
    struct connection *c = owner(ws);
    unsigned own_heard = 0;
    uint64_t complete = books.complete;

    if (begins_with(payload, size, option.refusal)) {
        fprintf(stderr, "load: refused: %.*s\n", (int)(size < 300 ? size : 300), payload);
        exit(1);
    }
    if (begins_with(payload, size, option.ping) && size == strlen(option.ping)) {
        ws_send(ws, option.opcode, option.pong, strlen(option.pong));
        return;
    }
    if (c->state == JOINING && option.joined && memmem(payload, size, option.joined, strlen(option.joined)))
        has_joined(c);
    unsigned marks = hear(&c->reader, c->place < (int)option.senders ? c->place : -1, payload, size, &own_heard);
    has_moved = has_moved || marks;
    if (option.resume)
        follow_ids(c, payload, size, marks);
    say_more((unsigned)c->place, own_heard, books.complete > complete);
}
