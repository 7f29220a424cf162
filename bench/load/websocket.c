/* A WebSocket client: handshake, masked frames out, frames in, however the socket cuts them. */
#define _GNU_SOURCE
#include "websocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "need.h"

/* One buffer for all sockets: a page of Besedka's history and a whole buffer of nats-server fit in. */
enum { RECEIVE_BYTES = 4 << 20, HEADER_BYTES_AT_MOST = 14, CONTROL_BYTES_AT_MOST = 125 };
static char received[RECEIVE_BYTES];

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = 2 * (bytes->size + size);
        bytes->data = need(realloc(bytes->data, bytes->room));
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void ws_connect(struct websocket *ws, unsigned port, const char *path, int receive_buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    char request[512];

    *ws = (struct websocket){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ws->fd < 0) {
        on_end(ws, strerror(errno));
        return;
    }
    setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer)
        setsockopt(ws->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(ws->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
        on_end(ws, strerror(errno));
        return;
    }
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        path, port);
    bytes_add(&ws->out, request, (size_t)size);
}

void ws_drop(struct websocket *ws)
{
    if (ws->fd >= 0)
        close(ws->fd);
    ws->fd = -1;
    bytes_free(&ws->rest);
    bytes_free(&ws->out);
}

void ws_flush(struct websocket *ws)
{
    size_t sent = 0;
    while (sent < ws->out.size) {
        ssize_t taken = send(ws->fd, ws->out.data + sent, ws->out.size - sent, MSG_NOSIGNAL);
        if (taken < 0) {
            if (errno != EAGAIN)
                ws->failure = errno; /* told of when it is read */
            break;
        }
        sent += (size_t)taken;
    }
    memmove(ws->out.data, ws->out.data + sent, ws->out.size - sent);
    ws->out.size -= sent;
}

void ws_send(struct websocket *ws, enum opcode opcode, const char *payload, size_t size)
{
    static uint32_t chance = 2463534242u;
    unsigned char header[HEADER_BYTES_AT_MOST], *mask;
    size_t header_bytes = 2;

    chance ^= chance << 13, chance ^= chance >> 17, chance ^= chance << 5;
    header[0] = (unsigned char)(0x80 | opcode);
    if (size < 126) {
        header[1] = (unsigned char)(0x80 | size);
    } else if (size < 65536) {
        header[1] = 0x80 | 126;
        header[2] = (unsigned char)(size >> 8);
        header[3] = (unsigned char)size;
        header_bytes = 4;
    } else {
        fputs("load: no frame is that long\n", stderr);
        exit(1);
    }
    mask = header + header_bytes;
    memcpy(mask, &chance, 4);
    bytes_add(&ws->out, header, header_bytes + 4);
    bytes_add(&ws->out, payload, size);
    char *masked = ws->out.data + ws->out.size - size;
    for (size_t i = 0; i < size; i++)
        masked[i] = (char)(masked[i] ^ (char)mask[i & 3]);
}

void ws_close(struct websocket *ws, unsigned code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    ws_send(ws, CLOSE, payload, sizeof payload);
    ws->is_closing = true;
}

/* The answer to the handshake. Returns how many bytes it took; 0 if it is not there in whole. */
static size_t take_handshake(struct websocket *ws, const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    char line[64];
    if (!end)
        return 0;
    if (size < 12 || memcmp(bytes, "HTTP/1.1 101", 12)) {
        snprintf(line, sizeof line, "the handshake was answered by: %.*s", 24, bytes);
        on_end(ws, line);
        return 0;
    }
    ws->is_open = true;
    on_open(ws);
    return (size_t)(end - bytes) + 4;
}

/* One frame from the server. Returns how many bytes it took; 0 if it is not there in whole. */
static size_t take_frame(struct websocket *ws, const char *bytes, size_t size)
{
    const unsigned char *head = (const unsigned char *)bytes;
    size_t header = 2, length;
    if (size < 2)
        return 0;
    length = head[1] & 127;
    if (length == 126)
        header = 4;
    else if (length == 127)
        header = 10;
    if (size < header)
        return 0;
    if (header > 2) {
        length = 0;
        for (size_t i = 2; i < header; i++)
            length = length << 8 | head[i];
    }
    if (head[0] & 0x70 || head[1] & 0x80 || length > RECEIVE_BYTES / 2) {
        on_end(ws, "a frame that no server may send, or a giant one");
        return 0;
    }
    if (size < header + length)
        return 0;

    const char *payload = bytes + header;
    enum opcode opcode = head[0] & 15;
    if (opcode == PING && length <= CONTROL_BYTES_AT_MOST) {
        ws_send(ws, PONG, payload, length);
        ws_flush(ws);
    } else if (opcode == CLOSE) {
        ws->close_code = length < 2 ? 1005 : (unsigned)(unsigned char)payload[0] << 8 | (unsigned char)payload[1];
        if (!ws->is_closing)
            ws_close(ws, 1000);
        ws_flush(ws);
        shutdown(ws->fd, SHUT_WR);
    } else if (opcode <= BINARY) {
        on_payload(ws, payload, length);
    }
    return header + length;
}

void ws_receive(struct websocket *ws)
{
    size_t size = ws->rest.size, taken = 0;
    if (size)
        memcpy(received, ws->rest.data, size);
    ssize_t got = recv(ws->fd, received + size, sizeof received - size, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        int failure = got ? errno : ws->failure;
        on_end(ws, failure ? strerror(failure) : "the server has ended the connection");
        return;
    }
    size += (size_t)got;
    while (ws->fd >= 0) {
        size_t part = ws->is_open ? take_frame(ws, received + taken, size - taken)
                                  : take_handshake(ws, received + taken, size - taken);
        if (!part)
            break;
        taken += part;
    }
    if (ws->fd < 0)
        return;
    ws->rest.size = 0;
    bytes_add(&ws->rest, received + taken, size - taken);
    if (!ws->rest.size)
        bytes_free(&ws->rest);
}
