/* The client's side of a WebSocket (RFC 6455), written out, without blocking: as quick as can be, so that the load is
 * never what is measured. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/* Bytes that grow. */
struct bytes {
    char *data;
    size_t size, room;
};

struct websocket {
    int fd;                  /* -1: there is none */
    bool is_open;            /* the handshake is done */
    bool is_closing;         /* we have sent a close frame */
    bool wants_write;        /* the socket was full, and `epoll` tells when it is not */
    int failure;             /* the `errno` that a write has met */
    unsigned close_code;     /* as the server said it; 0 if it did not */
    struct bytes rest;       /* the beginning of a frame that is not at its end yet */
    struct bytes out;        /* what the socket did not take yet */
};

/* What a websocket tells its owner. */
void on_open(struct websocket *ws);
void on_payload(struct websocket *ws, const char *payload, size_t size);
void on_end(struct websocket *ws, const char *why);

/* Begin to connect to 127.0.0.1; `receive_buffer` is for SO_RCVBUF, 0 leaves it as it is. */
void ws_connect(struct websocket *ws, unsigned port, const char *path, int receive_buffer);
/* Take in what has arrived; at most one `recv`. */
void ws_receive(struct websocket *ws);
/* Queue a frame; `ws_flush` sends it. */
void ws_send(struct websocket *ws, enum opcode opcode, const char *payload, size_t size);
void ws_flush(struct websocket *ws);
void ws_close(struct websocket *ws, unsigned code);
/* Let go of the socket at once. */
void ws_drop(struct websocket *ws);

void bytes_add(struct bytes *bytes, const void *data, size_t size);

#endif
