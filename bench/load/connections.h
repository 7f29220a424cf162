/* All connections of the load: how they join, go, come back; what they hear and say. */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "marks.h"
#include "websocket.h"

enum { EPOCH_BYTES = 64 };

enum state { GONE, JOINING, JOINED, DEAF, LEAVING };

struct connection {
    struct websocket ws;     /* the first member: a websocket's owner is found by its address */
    struct reader reader;
    enum state state;
    unsigned number;         /* of all connections that there have been */
    int place;               /* among those that there are; the first are the senders */
    int receive_buffer;
    uint64_t last_id;        /* of what it has heard; it comes back with it */
    char epoch[EPOCH_BYTES];
};

extern struct connection **connections;

/* How many there are, have joined, are aside (the last ones), and are on their way in. */
extern int count, joined, aside, opening;
extern unsigned gone, came_back, last_close_code;

/* Since the loop last looked, somebody has joined or heard something. */
extern bool has_moved;

void connections_begin(int epoll);
void connections_room(int for_how_many);
/* A newcomer, in its place. */
void come_in(struct connection *c);
/* The same one, once more. */
void connect_again(struct connection *c);
void watch(struct connection *c, int how);
void flush(struct connection *c);
void say_filled(struct connection *c, const char *text, const char *key);

#endif
