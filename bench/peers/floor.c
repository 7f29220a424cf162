/* A peer of the benchmark: the floor. Epoll, and one `send` for each reader of what one `recv` has brought.
 *
 * It does what no server can do without and nothing else: no JSON, no names, no slow readers, no pings. If it is given a file,
 * it appends what it has received to that and syncs it, before it sends it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEMBERS_AT_MOST = 20000, RECEIVE_BYTES = 1 << 16, EVENTS = 256 };

/* What a member has sent and is not whole yet. */
struct member {
    int fd;
    int place;
    int has_joined;
    size_t size;
    unsigned char bytes[RECEIVE_BYTES];
};

static struct member *members[MEMBERS_AT_MOST];
static int count;
static int history = -1;

/* The load always sends the key that RFC 6455 has as its example (section 1.3); so this is the answer. */
static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x06joined";

static void send_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            poll(&room, 1, -1);
            continue;
        }
        if (sent < 0)
            return; /* it is gone; its end is read later */
        at += sent;
        size -= (size_t)sent;
    }
}

/* Append to the history, and wait until it is on disk. */
static void store(const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t written = write(history, at, size);
        if (written < 0) {
            perror("floor");
            exit(1);
        }
        at += written;
        size -= (size_t)written;
    }
    if (fdatasync(history)) {
        perror("floor");
        exit(1);
    }
}

static void leave(struct member *member)
{
    close(member->fd);
    members[member->place] = members[--count];
    members[member->place]->place = member->place;
    free(member);
}

/* Turn the whole frames of a member into frames for the readers. Returns how many bytes there are for them; -1: it goes. */
static ssize_t take_frames(struct member *member, unsigned char *out)
{
    size_t taken = 0, made = 0;
    while (member->size - taken >= 6) {
        unsigned char *frame = member->bytes + taken, *payload = frame + 6, *mask = frame + 2;
        size_t length = frame[1] & 127, head = 2;
        if (length == 126 && member->size - taken >= 8) {
            length = (size_t)frame[2] << 8 | frame[3];
            payload += 2, mask += 2, head += 2;
        } else if (length > 125) {
            break;
        }
        if (member->size - taken < head + 4 + length)
            break;
        if ((frame[0] & 15) == 8)
            return -1;
        memcpy(out + made, frame, head);
        out[made + 1] &= 127;
        made += head;
        for (size_t i = 0; i < length; i++)
            out[made++] = payload[i] ^ mask[i & 3];
        taken += head + 4 + length;
    }
    memmove(member->bytes, member->bytes + taken, member->size -= taken);
    return (ssize_t)made;
}

static void serve(struct member *member)
{
    static unsigned char out[RECEIVE_BYTES];
    ssize_t got = recv(member->fd, member->bytes + member->size, sizeof member->bytes - member->size, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        leave(member);
        return;
    }
    member->size += (size_t)got;
    if (!member->has_joined) {
        if (member->size >= 4 && !memcmp(member->bytes + member->size - 4, "\r\n\r\n", 4)) {
            member->has_joined = 1;
            member->size = 0;
            send_all(member->fd, answer, sizeof answer - 1);
        }
        return;
    }
    ssize_t size = take_frames(member, out);
    if (size < 0) {
        leave(member);
        return;
    }
    if (size > 0 && history >= 0)
        store(out, (size_t)size);
    for (int i = 0; size > 0 && i < count; i++)
        send_all(members[i]->fd, out, (size_t)size);
}

int main(int arguments, char **argument)
{
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1, epoll = epoll_create1(0), listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (arguments > 1 && (history = open(argument[1], O_CREAT | O_WRONLY | O_APPEND, 0600)) < 0) {
        perror("floor");
        return 1;
    }
    if (bind(listening, (struct sockaddr *)&address, size) || listen(listening, 2048)
        || getsockname(listening, (struct sockaddr *)&address, &size)) {
        perror("floor");
        return 1;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int found = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr) {
                serve(events[i].data.ptr);
                continue;
            }
            int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
            struct member *member = fd < 0 || count == MEMBERS_AT_MOST ? NULL : calloc(1, sizeof *member);
            if (!member) {
                close(fd);
                continue;
            }
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            member->fd = fd;
            member->place = count;
            members[count++] = member;
            event.data.ptr = member;
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
