/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent.c: runs commands in a hypervisor of the lab
 *
 * A login shell over the network costs an emulated processor seconds of
 * cryptography; this costs a fork. Only for the lab: it asks for no password,
 * and listens on an address that exists in the lab's own namespaces alone.
 *
 *   agent serve ADDRESS PORT            in the hypervisor (may be its init)
 *   agent run [-t SECONDS] [-w SECONDS] [-n] ADDRESS PORT COMMAND [ARG]...
 *
 * Either way of the connection carries frames: a type (one byte), a length
 * (four bytes, network order), the bytes.
 */

#ifndef _GNU_SOURCE
# define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_COMMAND = 'C', /* to the agent: the arguments, each with its NUL */
    FRAME_INPUT = 'I',   /* to the agent: standard input; empty: its end */
    FRAME_OUTPUT = 'O',
    FRAME_ERROR = 'E',
    FRAME_STATUS = 'S',  /* from the agent: the exit status, one byte */
};

/* Exit statuses of "run" itself, as of timeout(1) and ssh(1). */
enum {
    STATUS_TIMEOUT = 124,
    STATUS_BROKEN = 255,
};

#define FRAME_MAX 65536

/**
 * writeAll:
 *
 * Returns 0, or -1 with errno set.
 */
static int
writeAll(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN) {
                struct pollfd p = { .fd = fd, .events = POLLOUT };

                poll(&p, 1, -1);
                continue;
            }
            return -1;
        }
        at += done;
        len -= done;
    }
    return 0;
}

/**
 * readAll:
 *
 * Returns 0, or -1 at an error or the stream's end.
 */
static int
readAll(int fd, void *data, size_t len)
{
    char *at = data;

    while (len > 0) {
        ssize_t done = read(fd, at, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        at += done;
        len -= done;
    }
    return 0;
}

static int
frameSend(int fd, char type, const void *data, uint32_t len)
{
    char frame[5 + FRAME_MAX];
    uint32_t n = htonl(len);

    frame[0] = type;
    memcpy(frame + 1, &n, 4);
    if (len > 0)
        memcpy(frame + 5, data, len);
    return writeAll(fd, frame, 5 + len);
}

/**
 * frameReceive:
 * @data: room for FRAME_MAX bytes and a NUL
 *
 * Returns 0, or -1 when the other side is gone or talks nonsense.
 */
static int
frameReceive(int fd, char *type, char *data, uint32_t *len)
{
    char head[5];
    uint32_t n;

    if (readAll(fd, head, sizeof(head)) < 0)
        return -1;
    memcpy(&n, head + 1, 4);
    *type = head[0];
    *len = ntohl(n);
    if (*len > FRAME_MAX || readAll(fd, data, *len) < 0)
        return -1;
    data[*len] = '\0';
    return 0;
}

/**
 * pass:
 *
 * Sends what can be read from @from as frames of @type.
 *
 * Returns false when there is nothing more to come.
 */
static bool
pass(int from, int to, char type)
{
    char data[FRAME_MAX];
    ssize_t got = read(from, data, sizeof(data));

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return false;
    return frameSend(to, type, data, got) == 0;
}

/**
 * serveOne:
 *
 * Runs the one command that a connection brings. The command is the leader of
 * a process group, which is killed when the other side goes away; what it left
 * in the background on purpose (setsid) is not.
 */
static void
serveOne(int fd)
{
    static char data[FRAME_MAX + 1];
    int in[2], out[2], err[2];
    char *argv[1024];
    size_t argc = 0;
    char type;
    uint32_t len;
    pid_t pid;
    bool ended = false;
    struct pollfd p[3];
    int status = 0;
    sigset_t none;

    if (frameReceive(fd, &type, data, &len) < 0 || type != FRAME_COMMAND)
        return;
    for (char *at = data; at < data + len && argc < 1023; at += strlen(at) + 1)
        argv[argc++] = at;
    argv[argc] = NULL;
    if (argc == 0 || pipe(in) < 0 || pipe(out) < 0 || pipe(err) < 0)
        return;

    /* Not vfork: the child changes its signals and descriptors. */
    pid = fork();
    if (pid < 0)
        return;
    if (pid == 0) {
        setsid();
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        for (int i = 3; i < 32; i++)
            close(i);
        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(argv[0], argv);
        dprintf(2, "%s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);

    p[0] = (struct pollfd) { .fd = fd, .events = POLLIN };
    p[1] = (struct pollfd) { .fd = out[0], .events = POLLIN };
    p[2] = (struct pollfd) { .fd = err[0], .events = POLLIN };
    while (!ended) {
        siginfo_t info = { 0 };

        /* The command's end counts, not its output's: a daemon that it
         * started may hold that open. SIGCHLD is blocked but for here, so
         * that it always interrupts. */
        sigemptyset(&none);
        if (ppoll(p, 3, NULL, &none) < 0) {
            if (errno != EINTR)
                break;
            p[0].revents = p[1].revents = p[2].revents = 0;
        }
        if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == pid)
            ended = true;
        if (p[1].fd >= 0 && p[1].revents && !pass(out[0], fd, FRAME_OUTPUT))
            p[1].fd = -1;
        if (p[2].fd >= 0 && p[2].revents && !pass(err[0], fd, FRAME_ERROR))
            p[2].fd = -1;
        if (p[0].revents) {
            if (frameReceive(fd, &type, data, &len) < 0) {
                kill(-pid, SIGKILL);
                break;
            }
            if (type == FRAME_INPUT && in[1] >= 0 &&
                (len == 0 || writeAll(in[1], data, len) < 0)) {
                close(in[1]);
                in[1] = -1;
            }
        }
    }
    for (int i = 1; i <= 2; i++) {
        char more[FRAME_MAX];
        ssize_t got;
        int from = i == 1 ? out[0] : err[0];

        while (ended && (got = read(from, more, sizeof(more))) > 0)
            frameSend(fd, i == 1 ? FRAME_OUTPUT : FRAME_ERROR, more, got);
    }
    waitpid(pid, &status, 0);
    data[0] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    frameSend(fd, FRAME_STATUS, data, 1);
}

static void
wake(int sig)
{
    (void)sig;
}

static int
serve(const struct sockaddr_in *addr)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
        listen(fd, 16) < 0) {
        perror("agent: cannot listen");
        return 1;
    }
    /* As init it also inherits orphans: ignored, they leave no zombies. */
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int con = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (con < 0)
            continue;
        if (fork() == 0) {
            struct sigaction sa = { .sa_handler = wake };
            sigset_t chld;

            setsockopt(con, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            sigemptyset(&chld);
            sigaddset(&chld, SIGCHLD);
            sigprocmask(SIG_BLOCK, &chld, NULL);
            sigaction(SIGCHLD, &sa, NULL);
            serveOne(con);
            _exit(0);
        }
        close(con);
    }
}

/**
 * reach:
 * @wait: seconds to go on trying
 *
 * Returns a connected socket or -1.
 */
static int
reach(const struct sockaddr_in *addr, int wait)
{
    struct timeval tv = { .tv_sec = 2 };
    time_t end = time(NULL) + wait;

    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int one = 1;

        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
        if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0) {
            tv.tv_sec = 0;
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
            return fd;
        }
        close(fd);
        if (time(NULL) >= end)
            return -1;
        usleep(100000);
    }
}

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/**
 * run:
 * @timeout: seconds, 0 for none
 * @input: pass standard input on
 *
 * Returns the command's exit status.
 */
static int
run(int fd, char **argv, int timeout, bool input)
{
    static char data[FRAME_MAX + 1];
    size_t len = 0;
    double end = now() + timeout;
    struct pollfd p[2];

    for (; *argv; argv++) {
        size_t n = strlen(*argv) + 1;

        if (len + n > FRAME_MAX) {
            fprintf(stderr, "agent: the command is longer than %d bytes\n", FRAME_MAX);
            return STATUS_BROKEN;
        }
        memcpy(data + len, *argv, n);
        len += n;
    }
    frameSend(fd, FRAME_COMMAND, data, len);
    if (!input)
        frameSend(fd, FRAME_INPUT, NULL, 0);

    p[0] = (struct pollfd) { .fd = fd, .events = POLLIN };
    p[1] = (struct pollfd) { .fd = input ? 0 : -1, .events = POLLIN };
    for (;;) {
        int left = -1;
        char type;
        uint32_t got;

        if (timeout > 0) {
            left = (end - now()) * 1000;
            if (left <= 0) {
                fprintf(stderr, "agent: the command did not end within %d s: killed\n",
                        timeout);
                return STATUS_TIMEOUT;
            }
        }
        if (poll(p, 2, left) < 0 && errno != EINTR)
            return STATUS_BROKEN;
        if (p[1].fd >= 0 && p[1].revents && !pass(0, fd, FRAME_INPUT)) {
            frameSend(fd, FRAME_INPUT, NULL, 0);
            p[1].fd = -1;
        }
        if (!p[0].revents)
            continue;
        if (frameReceive(fd, &type, data, &got) < 0) {
            fprintf(stderr, "agent: the hypervisor went away during the command\n");
            return STATUS_BROKEN;
        }
        switch (type) {
        case FRAME_OUTPUT:
            writeAll(1, data, got);
            break;
        case FRAME_ERROR:
            writeAll(2, data, got);
            break;
        case FRAME_STATUS:
            return (unsigned char)data[0];
        }
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    const char *mode = argc > 1 ? argv[1] : "";
    int timeout = 0;
    int wait = 0;
    bool input = true;
    int opt;
    int fd;

    optind = 2;
    while ((opt = getopt(argc, argv, "+t:w:n")) != -1) {
        switch (opt) {
        case 't':
            timeout = atoi(optarg);
            break;
        case 'w':
            wait = atoi(optarg);
            break;
        case 'n':
            input = false;
            break;
        default:
            return 2;
        }
    }
    if (argc < optind + 2 || inet_pton(AF_INET, argv[optind], &addr.sin_addr) != 1) {
        fprintf(stderr, "usage: agent serve ADDRESS PORT\n"
                "       agent run [-t SECONDS] [-w SECONDS] [-n] ADDRESS PORT COMMAND...\n");
        return 2;
    }
    addr.sin_port = htons(atoi(argv[optind + 1]));
    if (strcmp(mode, "serve") == 0)
        return serve(&addr);
    if (strcmp(mode, "run") != 0 || argc < optind + 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    fd = reach(&addr, wait);
    if (fd < 0) {
        fprintf(stderr, "agent: %s does not answer: is the hypervisor up?\n", argv[optind]);
        return STATUS_BROKEN;
    }
    return run(fd, argv + optind + 2, timeout, input);
}
