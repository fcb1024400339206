/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-hook.c: hands a call of libvirt's QEMU hook over to virtteamingd
 */

/*
 * Theory of operation
 *
 * libvirt runs this for every domain, at every step of its life, and waits for it, so it
 * is plain libc, gone in a millisecond if the domain has no <teaming>, and never takes
 * longer than HOOK_TIMEOUT_MS in all, whatever state the daemon is in: a connection to
 * one that is stopped is not waited for either. A daemon that does not run or does not
 * answer, or XML that does not come or that it can't read, is no reason to stop a guest:
 * libvirt goes on as if there were no hook. Were it told to fail, it would not start the
 * guest, and at "reconnect" it would kill one that runs (docs/hooks.rst). Only the daemon's
 * own "refuse" of a migration ends with a status other than zero, and a call that is none
 * of libvirt's.
 *
 * The call and its answer are described in src/daemon/teaming_hookserver.c, libvirt's
 * side in its docs/hooks.rst: NAME OPERATION SUBOPERATION EXTRA, and the domain's XML on
 * standard input.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HOOK_TIMEOUT_MS 5000
#define HOOK_MAX_BYTES (16 * 1024 * 1024)

typedef struct {
    char *data;                     /* always followed by a NUL */
    size_t len;
} virTeamingHookText;


/* Milliseconds on a clock that nobody sets. */
static long
virTeamingHookNow(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


/* Reads @fd to its end. Returns: 0, or an errno; ETIMEDOUT at @deadline. */
static int
virTeamingHookReadAll(int fd,
                      long deadline,
                      virTeamingHookText *text)
{
    size_t size = 0;

    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        long left = deadline - virTeamingHookNow();
        ssize_t n;

        if (text->len + 1 >= size) {
            char *more = realloc(text->data, size = size ? size * 2 : 32768);

            if (!more)
                return ENOMEM;
            text->data = more;
        }
        if (left <= 0 || poll(&pfd, 1, left) == 0)
            return ETIMEDOUT;
        n = read(fd, text->data + text->len, size - text->len - 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return errno;
        text->len += n;
        text->data[text->len] = '\0';
        if (n == 0)
            return 0;
        if (text->len > HOOK_MAX_BYTES)
            return EFBIG;
    }
}


static int
virTeamingHookWriteAll(int fd,
                       long deadline,
                       const char *data,
                       size_t len)
{
    while (len > 0) {
        struct pollfd pfd = { .fd = fd, .events = POLLOUT };
        long left = deadline - virTeamingHookNow();
        ssize_t n;

        if (left <= 0 || poll(&pfd, 1, left) == 0)
            return ETIMEDOUT;
        n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return errno;
        data += n;
        len -= n;
    }
    return 0;
}


/* Returns: 0 with the daemon's answer in @answer, or an errno. */
static int
virTeamingHookCall(const char *operation,
                   const char *suboperation,
                   const char *extra,
                   const virTeamingHookText *xml,
                   long deadline,
                   virTeamingHookText *answer)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv("VIRT_TEAMING_HOOK_SOCKET");
    char head[128];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int err;

    if (fd < 0)
        return errno;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s",
             path ? path : VIR_TEAMING_HOOK_PATH);
    snprintf(head, sizeof(head), "%s\n%s%s%s\n", operation, suboperation,
             *extra ? " " : "", extra);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        err = errno;
    else if ((err = virTeamingHookWriteAll(fd, deadline, head, strlen(head))) == 0 &&
             (err = virTeamingHookWriteAll(fd, deadline, xml->data, xml->len)) == 0 &&
             shutdown(fd, SHUT_WR) == 0)
        err = virTeamingHookReadAll(fd, deadline, answer);
    close(fd);
    return err;
}


/* A word as libvirt uses them; anything else did not come from libvirt. */
static bool
virTeamingHookIsWord(const char *word)
{
    return *word && strlen(word) < 32 &&
        strspn(word, "abcdefghijklmnopqrstuvwxyz-") == strlen(word);
}


int
main(int argc, char **argv)
{
    /* "prepare" comes before there is a VF; all others change or tell something. */
    static const char *const operations[] = {
        "migrate", "restore", "start", "started", "stopped", "release",
        "reconnect", "attach", NULL
    };
    const long deadline = virTeamingHookNow() + HOOK_TIMEOUT_MS;
    virTeamingHookText xml = { 0 };
    virTeamingHookText answer = { 0 };
    bool concerned = false;
    int status = 0;
    int err;

    if (argc != 5 || !virTeamingHookIsWord(argv[2]) || !virTeamingHookIsWord(argv[3])) {
        fprintf(stderr, "virt-teaming-hook: libvirt calls this as NAME OPERATION "
                "SUBOPERATION EXTRA, with the domain's XML on standard input\n");
        return 2;
    }
    if ((err = virTeamingHookReadAll(STDIN_FILENO, deadline, &xml)) != 0) {
        fprintf(stderr, "virt-teaming-hook: domain '%s', %s: cannot read its XML (%s); libvirt "
                "goes on without virtteamingd\n", argv[1], argv[2], strerror(err));
        free(xml.data);
        return 0;
    }

    for (size_t i = 0; operations[i]; i++)
        concerned |= strcmp(argv[2], operations[i]) == 0;
    if (!concerned || !strstr(xml.data, "<teaming")) {
        free(xml.data);
        return 0;
    }

    /* Only of one that has ended libvirt says more: why. */
    err = virTeamingHookCall(argv[2], argv[3], strcmp(argv[2], "release") == 0 &&
                             virTeamingHookIsWord(argv[4]) ? argv[4] : "", &xml, deadline,
                             &answer);
    if (err == 0 && answer.len >= 3 && strncmp(answer.data, "ok\n", 3) == 0) {
        fputs(answer.data + 3, stdout);
        status = fflush(stdout) == 0 ? 0 : 2;
    } else if (err == 0 && answer.len >= 7 && strncmp(answer.data, "refuse\n", 7) == 0) {
        fprintf(stderr, "virt-teaming: domain '%s': %s\n", argv[1], answer.data + 7);
        status = strcmp(argv[2], "migrate") == 0;
    } else {
        fprintf(stderr, "virt-teaming-hook: domain '%s', %s: no answer from virtteamingd "
                "(%s); libvirt goes on without it\n", argv[1], argv[2],
                err ? strerror(err) : "it hung up");
    }
    free(xml.data);
    free(answer.data);
    return status;
}
