// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// A plugin's library connects as it always does; here its connect() and getaddrinfo() are the program's own, which the
// loader finds first. The host dials where that was granted and hands over the connected socket, which takes the place
// of the library's.

#define _GNU_SOURCE
#include "connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner.h"

#define NAMES_MOST 64
#define NAME_SIZE 256
/* Addresses that stand for names, 127.127.0.1 and on: the host looks the name up. */
#define FIRST_STAND_IN 0x7f7f0001u

static int goes_through_host;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char names[NAMES_MOST][NAME_SIZE];
static unsigned name_count;

void connect_through_host(void) { goes_through_host = 1; }

/* Asks for a connection: a descriptor, or -errno. */
static int dial(const char *host, unsigned port) {
    char packet[NAME_SIZE + 8];
    int size = snprintf(packet, sizeof packet, "%u %s", port, host), error = EIO;
    struct iovec part = {&error, sizeof error};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    pthread_mutex_lock(&lock);
    ssize_t count = send(RUNNER_DIAL, packet, (size_t)size, MSG_NOSIGNAL);
    if (count == size) count = recvmsg(RUNNER_DIAL, &message, MSG_CMSG_CLOEXEC);
    pthread_mutex_unlock(&lock);
    if (count != sizeof error) return -EIO;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (error != 0 || head == NULL || head->cmsg_type != SCM_RIGHTS) return error ? -error : -EIO;
    int made;
    memcpy(&made, CMSG_DATA(head), sizeof made);
    return made;
}

/* What was set on the library's socket holds for the one that takes its place. */
static void take_over(int from, int to) {
    const int options[][2] = {{SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, TCP_NODELAY}};
    for (unsigned i = 0; i < 2; i++) {
        int value = 0;
        socklen_t size = sizeof value;
        if (getsockopt(from, options[i][0], options[i][1], &value, &size) == 0)
            setsockopt(to, options[i][0], options[i][1], &value, size);
    }
    fcntl(to, F_SETFL, fcntl(from, F_GETFL) & O_NONBLOCK);
}

static int replace(int socket, const char *host, unsigned port) {
    int made = dial(host, port);
    if (made < 0) {
        errno = -made;
        return -1;
    }
    int closes = fcntl(socket, F_GETFD) & FD_CLOEXEC;
    take_over(socket, made);
    int failed = dup3(made, socket, closes ? O_CLOEXEC : 0) < 0;
    close(made);
    return failed ? -1 : 0;
}

__attribute__((visibility("default"))) int connect(int socket, const struct sockaddr *address, socklen_t size) {
    char host[NAME_SIZE];
    if (goes_through_host && address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        unsigned index = ntohl(four->sin_addr.s_addr) - FIRST_STAND_IN;
        pthread_mutex_lock(&lock);
        if (index < name_count) strcpy(host, names[index]);
        pthread_mutex_unlock(&lock);
        if (index >= name_count) inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        return replace(socket, host, ntohs(four->sin_port));
    }
    if (goes_through_host && address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        return replace(socket, host, ntohs(six->sin6_port));
    }
    return (int)syscall(SYS_connect, socket, address, size);
}

/* The address that stands for a name; 0 where there are too many names. */
static in_addr_t stand_in(const char *name) {
    in_addr_t address = 0;
    pthread_mutex_lock(&lock);
    unsigned index = 0;
    while (index < name_count && strcmp(names[index], name) != 0) index++;
    if (index == name_count && name_count < NAMES_MOST && strlen(name) < NAME_SIZE) strcpy(names[name_count++], name);
    if (index < name_count) address = htonl(FIRST_STAND_IN + index);
    pthread_mutex_unlock(&lock);
    return address;
}

/* One stream address, in the one piece of memory that freeaddrinfo() expects. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **result) {
    struct {
        struct addrinfo info;
        union {
            struct sockaddr_in four;
            struct sockaddr_in6 six;
        } address;
    } *made = calloc(1, sizeof *made);
    if (made == NULL) return EAI_MEMORY;
    unsigned long port = service ? strtoul(service, NULL, 10) : 0;
    int is_six = name != NULL && inet_pton(AF_INET6, name, &made->address.six.sin6_addr) == 1;
    if (is_six) {
        made->address.six.sin6_family = AF_INET6;
        made->address.six.sin6_port = htons((uint16_t)port);
    } else {
        struct in_addr *four = &made->address.four.sin_addr;
        if (name == NULL || (inet_pton(AF_INET, name, four) != 1 && (four->s_addr = stand_in(name)) == 0)) {
            free(made);
            return EAI_NONAME;
        }
        made->address.four.sin_family = AF_INET;
        made->address.four.sin_port = htons((uint16_t)port);
    }
    made->info = (struct addrinfo){.ai_family = is_six ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_protocol = IPPROTO_TCP,
                                   .ai_flags = hints ? hints->ai_flags : 0,
                                   .ai_addrlen = is_six ? sizeof made->address.six : sizeof made->address.four,
                                   .ai_addr = (struct sockaddr *)&made->address};
    *result = &made->info;
    return 0;
}
