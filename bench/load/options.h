/* What the load is told on its command line: how to join a server, and how to say something there. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "websocket.h"

struct options {
    unsigned port, senders, rooms, most_seconds;
    const char *path;
    const char *hello, *joined; /* said after the handshake; what is in the answer to it */
    const char *say;
    const char *resume;         /* said instead of hello by those who come back */
    const char *ping, *pong;    /* a frame, and what it must be answered by */
    const char *refusal;        /* what a frame begins with that must not come */
    enum opcode opcode;
};
extern struct options option;

void take_options(int argc, char **argv);
void die(const char *what);

#endif
