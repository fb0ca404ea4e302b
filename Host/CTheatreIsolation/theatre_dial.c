// TheatreOS
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "theatre_dial.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int theatre_dial_next(int socket, char name[THEATRE_DIAL_NAME], uint16_t *port) {
    char packet[THEATRE_DIAL_NAME + 8];
    ssize_t size;
    do {
        size = recv(socket, packet, sizeof packet - 1, 0);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) return 0;
    packet[size] = 0;
    unsigned number = 0;
    int used = 0;
    if (sscanf(packet, "%5u %n", &number, &used) != 1 || used == 0 || number == 0 || number > UINT16_MAX) return -1;
    size_t length = strlen(packet + used);
    if (length == 0 || length >= THEATRE_DIAL_NAME) return -1;
    memcpy(name, packet + used, length + 1);
    *port = (uint16_t)number;
    return 1;
}

static int connect_one(const struct addrinfo *address, int milliseconds) {
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return -errno;
    int error = connect(made, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        struct pollfd ready = {.fd = made, .events = POLLOUT};
        socklen_t size = sizeof error;
        error = ETIMEDOUT;
        if (poll(&ready, 1, milliseconds) == 1) getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return made;
    close(made);
    return -error;
}

int theatre_dial_connect(const char *name, uint16_t port, int milliseconds) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(name, service, &hints, &found) != 0) return -EHOSTUNREACH;
    int made = -EHOSTUNREACH;
    for (struct addrinfo *one = found; one != NULL && made < 0; one = one->ai_next) made = connect_one(one, milliseconds);
    freeaddrinfo(found);
    return made;
}

void theatre_dial_answer(int socket, int descriptor, int error) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {&error, sizeof error};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    }
    /* Where the instance is gone meanwhile there is nobody to answer. */
    (void)sendmsg(socket, &message, MSG_NOSIGNAL);
    if (descriptor >= 0) close(descriptor);
}
