/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * meter.c: counts the frames that a guest loses, each way, from several places
 *
 * One process outside holds a socket in each of several network namespaces
 * (the vantages), so that all vantages share one clock. It sends each of them
 * a numbered probe every interval; the guest notes in a bitmap which arrived.
 * The bitmap lives in the guest's memory, so it migrates with it, and is
 * fetched at the end. Meanwhile the guest sends numbered ticks to each vantage,
 * whose arrival is noted outside; or, when asked to be silent, nothing at all.
 *
 *   meter --guest ADDRESS:PORT --vantage NAME=NAMESPACE-FILE... [options]
 *   meter command --guest ... --vantage ... COMMAND
 *   meter guest ADDRESS PORT            in the guest
 *   meter watch                         in the guest: tell of its interfaces
 *
 * libc only and linked static, because the guest has nothing but busybox.
 */

#ifndef _GNU_SOURCE
# define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x56544c4dU
#define MAX_FRAMES (1U << 20)
#define MAX_VANTAGES 8
#define MAX_STREAMS 16
#define MAX_MARKS 64
#define CHUNK 1024
#define WATCH_LINE 512
#define WATCH_REST_MS 2000
#define MS 1000000LL
#define SECOND 1000000000LL

typedef enum {
    TYPE_PROBE = 1, /* to the guest: count me */
    TYPE_TICK,      /* from the guest, of its own accord */
    TYPE_ECHO,      /* from the guest: an answer to a probe */
    TYPE_STOP,      /* to the guest: tick no more */
    TYPE_FETCH,     /* to the guest: which probes arrived? */
    TYPE_BITMAP,    /* from the guest: these */
    TYPE_COMMAND,   /* to the guest: run this */
    TYPE_RESULT,    /* from the guest: what it printed */
} Type;

enum {
    FLAG_TICKS = 1 << 0,
    FLAG_ECHO = 1 << 1,
};

/* All fields in network order. */
typedef struct {
    uint32_t magic;
    uint8_t type;
    uint8_t vantage;
    uint16_t flags; /* of a result: the exit status */
    uint32_t session;
    uint32_t seq;   /* of a fetch and its answer: offset into the bitmap */
    uint32_t interval_us;
    uint32_t duration_ms;
    uint32_t duplicates;
    uint32_t ticks;
    uint64_t time;  /* the sender's clock, returned in an echo */
} Head;

typedef struct {
    Head head;
    char data[CHUNK + 1];
} Frame;

static int64_t
clockNow(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "meter: ");
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

static bool
bitGet(const uint8_t *bits, uint32_t n)
{
    return bits[n / 8] & (1 << (n % 8));
}

static void
bitSet(uint8_t *bits, uint32_t n)
{
    bits[n / 8] |= 1 << (n % 8);
}

/*
 * The guest's half
 */

/* One vantage of one session, as the guest sees it. */
typedef struct {
    uint32_t session; /* in network order, as it came */
    uint8_t vantage;
    uint64_t used;
    struct sockaddr_in peer;
    uint8_t *bits;
    uint32_t duplicates;
    uint32_t ticks;
    int64_t interval;
    int64_t due; /* of the next tick; 0: none */
    int64_t end;
} Stream;

/**
 * streamFind:
 *
 * Finds the stream of a frame, or makes one in the place of the stream that
 * has not been used for longest.
 */
static Stream *
streamFind(Stream *streams, const Head *head, bool make)
{
    static uint64_t uses;
    Stream *oldest = streams;
    uint8_t *bits;

    for (Stream *s = streams; s < streams + MAX_STREAMS; s++) {
        if (s->bits && s->session == head->session && s->vantage == head->vantage) {
            s->used = ++uses;
            return s;
        }
        if (s->used < oldest->used)
            oldest = s;
    }
    if (!make)
        return NULL;
    bits = oldest->bits ? oldest->bits : malloc(MAX_FRAMES / 8);
    if (!bits)
        return NULL;
    memset(bits, 0, MAX_FRAMES / 8);
    *oldest = (Stream) {
        .session = head->session, .vantage = head->vantage,
        .used = ++uses, .bits = bits,
    };
    return oldest;
}

/**
 * sessionKnown:
 *
 * A guest that knows the session can say that nothing came from a vantage it
 * never heard of. One that was started again in between can't.
 */
static bool
sessionKnown(const Stream *streams, uint32_t session)
{
    for (const Stream *s = streams; s < streams + MAX_STREAMS; s++) {
        if (s->bits && s->session == session)
            return true;
    }
    return false;
}

/**
 * commandRun:
 *
 * Runs a command in a child, which also sends the result: ticks must not wait.
 * A request that is repeated, since its answer got lost, runs nothing again.
 */
static void
commandRun(int fd, const struct sockaddr_in *peer, Frame *frame, size_t len)
{
    char path[64];
    FILE *f;
    int status;
    size_t got = 0;

    snprintf(path, sizeof(path), "/run/meter.command.%08x", ntohl(frame->head.session));
    if (access(path, F_OK) == 0 && (f = fopen(path, "r"))) {
        got = fread(frame, 1, sizeof(*frame), f);
        fclose(f);
        if (got > 0)
            sendto(fd, frame, got, 0, (const struct sockaddr *)peer, sizeof(*peer));
        return;
    }
    f = fopen(path, "w");
    if (!f || fork() != 0) {
        if (f)
            fclose(f);
        return;
    }

    signal(SIGCHLD, SIG_DFL);
    frame->data[len - sizeof(Head)] = '\0';
    {
        char line[CHUNK + 16];
        FILE *p;

        snprintf(line, sizeof(line), "{ %s\n} 2>&1", frame->data);
        p = popen(line, "r");
        if (p)
            got = fread(frame->data, 1, CHUNK, p);
        status = p ? pclose(p) : -1;
    }
    frame->head.type = TYPE_RESULT;
    frame->head.flags = htons(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
    fwrite(frame, 1, sizeof(Head) + got, f);
    fclose(f);
    sendto(fd, frame, sizeof(Head) + got, 0, (const struct sockaddr *)peer, sizeof(*peer));
    _exit(0);
}

/**
 * guestReceive:
 *
 * Deals with one frame that arrived in the guest.
 */
static void
guestReceive(int fd, Stream *streams, const struct sockaddr_in *peer,
             Frame *frame, size_t len)
{
    Head *head = &frame->head;
    uint32_t seq = ntohl(head->seq);
    Stream *s;

    switch (head->type) {
    case TYPE_PROBE:
        s = streamFind(streams, head, true);
        if (!s || seq >= MAX_FRAMES)
            return;
        s->peer = *peer;
        if (bitGet(s->bits, seq))
            s->duplicates++;
        bitSet(s->bits, seq);
        if (s->end == 0) {
            int64_t now = clockNow(CLOCK_MONOTONIC);

            s->end = now + ntohl(head->duration_ms) * MS;
            s->interval = ntohl(head->interval_us) * 1000LL;
            if ((ntohs(head->flags) & FLAG_TICKS) && s->interval > 0)
                s->due = now;
        }
        if (ntohs(head->flags) & FLAG_ECHO) {
            head->type = TYPE_ECHO;
            sendto(fd, head, sizeof(*head), 0, (const struct sockaddr *)peer, sizeof(*peer));
        }
        break;
    case TYPE_STOP:
        s = streamFind(streams, head, false);
        if (s)
            s->due = 0;
        break;
    case TYPE_FETCH:
        if (seq > MAX_FRAMES / 8 - CHUNK || !sessionKnown(streams, head->session))
            return;
        s = streamFind(streams, head, false);
        head->type = TYPE_BITMAP;
        head->duplicates = htonl(s ? s->duplicates : 0);
        head->ticks = htonl(s ? s->ticks : 0);
        if (s)
            memcpy(frame->data, s->bits + seq, CHUNK);
        else
            memset(frame->data, 0, CHUNK);
        sendto(fd, frame, sizeof(Head) + CHUNK, 0, (const struct sockaddr *)peer,
               sizeof(*peer));
        break;
    case TYPE_COMMAND:
        commandRun(fd, peer, frame, len);
        break;
    }
}

static int
udpSocket(const char *address, int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* For a process that gets no CPU for a second: what the socket drops was not lost on the way. */
    int size = 1 << 22;

    if (fd < 0)
        fail("cannot make a UDP socket: %s", strerror(errno));
    if (address && inet_pton(AF_INET, address, &addr.sin_addr) != 1)
        fail("'%s' is no IPv4 address", address);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        fail("cannot bind UDP %s:%d: %s", address ? address : "*", port, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return fd;
}

static int __attribute__((noreturn))
guestMain(const char *address, int port)
{
    static Stream streams[MAX_STREAMS];
    int fd = udpSocket(address, port);

    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int64_t now = clockNow(CLOCK_MONOTONIC);
        int64_t next = INT64_MAX;
        struct pollfd p = { .fd = fd, .events = POLLIN };
        struct timespec wait;

        for (Stream *s = streams; s < streams + MAX_STREAMS; s++) {
            if (s->due && now >= s->end)
                s->due = 0;
            if (s->due && now >= s->due) {
                Head tick = {
                    .magic = htonl(MAGIC), .type = TYPE_TICK, .vantage = s->vantage,
                    .session = s->session, .seq = htonl(s->ticks++),
                    .time = htobe64(now),
                };

                sendto(fd, &tick, sizeof(tick), 0, (struct sockaddr *)&s->peer,
                       sizeof(s->peer));
                /* On one raster for all, to wake once for all of them; ticks
                 * that were missed are not made up for. */
                s->due = (now / s->interval + 1) * s->interval;
            }
            if (s->due && s->due < next)
                next = s->due;
        }
        wait.tv_sec = next > now ? (next - now) / SECOND : 0;
        wait.tv_nsec = next > now ? (next - now) % SECOND : 0;
        if (ppoll(&p, 1, next == INT64_MAX ? NULL : &wait, NULL) <= 0)
            continue;
        for (int i = 0; i < 32; i++) {
            Frame frame;
            struct sockaddr_in peer;
            socklen_t size = sizeof(peer);
            ssize_t len = recvfrom(fd, &frame, sizeof(Head) + CHUNK, MSG_DONTWAIT,
                                   (struct sockaddr *)&peer, &size);

            if (len < 0)
                break;
            if (len >= (ssize_t)sizeof(Head) && ntohl(frame.head.magic) == MAGIC)
                guestReceive(fd, streams, &peer, &frame, len);
        }
    }
}

/**
 * watchPrint:
 * @h: what netlink tells of an interface
 * @line: room for it on one line
 *
 * Returns: whether there is something to tell.
 */
static bool
watchPrint(struct nlmsghdr *h,
           char line[WATCH_LINE])
{
    struct ifinfomsg *info = NLMSG_DATA(h);
    int len = IFLA_PAYLOAD(h);
    char name[64] = "?", link[256], path[128];
    const unsigned char *mac = NULL;
    const char *driver = "-";
    int master = 0, carrier = 0;
    ssize_t got;

    for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
        switch (a->rta_type) {
        case IFLA_IFNAME:
            snprintf(name, sizeof(name), "%s", (char *)RTA_DATA(a));
            break;
        case IFLA_ADDRESS:
            if (RTA_PAYLOAD(a) == 6)
                mac = RTA_DATA(a);
            break;
        case IFLA_MASTER:
            master = *(int *)RTA_DATA(a);
            break;
        case IFLA_CARRIER:
            carrier = *(unsigned char *)RTA_DATA(a);
            break;
        }
    }
    if (!mac || (info->ifi_flags & 8 /* IFF_LOOPBACK */))
        return false;
    if (h->nlmsg_type == RTM_DELLINK) {
        snprintf(line, WATCH_LINE, "gone %s\n", name);
        return true;
    }
    snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", name);
    got = readlink(path, link, sizeof(link) - 1);
    if (got > 0) {
        link[got] = '\0';
        driver = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
    }
    snprintf(line, WATCH_LINE,
             "%s %s %02x:%02x:%02x:%02x:%02x:%02x driver=%s %s carrier=%d\n",
             master ? "slave" : "link", name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
             driver, info->ifi_flags & 1 /* IFF_UP */ ? "up" : "down", carrier);
    return true;
}

/*
 * Standard output is told at once, standard error when the interfaces have been at rest: it is
 * the serial console, of which each character is a trip to QEMU, which can't be made while QEMU
 * opens a VF; a guest that prints then would stand still, for being watched.
 */
static int __attribute__((noreturn))
watchMain(void)
{
    struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    static char buffer[65536], kept[65536];
    size_t size = 0;

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        fail("cannot listen to netlink: %s", strerror(errno));
    setlinebuf(stdout);
    for (;;) {
        struct pollfd news = { .fd = fd, .events = POLLIN };
        int len;

        if (size > sizeof(kept) - WATCH_LINE ||
            (size > 0 && poll(&news, 1, WATCH_REST_MS) == 0)) {
            fwrite(kept, 1, size, stderr);
            size = 0;
        }
        len = recv(fd, buffer, sizeof(buffer), 0);
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; len > 0 && NLMSG_OK(h, len);
             h = NLMSG_NEXT(h, len)) {
            char line[WATCH_LINE];

            if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
                !watchPrint(h, line))
                continue;
            fputs(line, stdout);
            if (size <= sizeof(kept) - WATCH_LINE)
                size += snprintf(kept + size, WATCH_LINE, "lab: %.*s", WATCH_LINE - 6, line);
        }
    }
}

/*
 * The half outside
 */

typedef struct {
    uint32_t seq;
    int64_t time;
} Arrival;

typedef struct {
    const char *name;
    int fd;
    uint8_t *bits;      /* probes that arrived in the guest */
    bool fetched;
    uint32_t duplicates;
    uint32_t ticks;     /* that the guest says it has sent */
    Arrival *arrivals;  /* of ticks */
    uint32_t arrived;
    int64_t *echoes;    /* round trip per probe; 0: none */
} Vantage;

typedef struct {
    char name[64];
    int64_t time;
} Mark;

typedef struct {
    Vantage vantages[MAX_VANTAGES];
    int nvantages;
    struct sockaddr_in guest;
    uint32_t session;
    int64_t interval;   /* ns */
    int64_t duration;   /* ns */
    int64_t linger;     /* ns */
    int64_t fetch;      /* ns */
    int64_t jitter;     /* ns; what is late by less is no gap */
    int64_t zero;       /* CLOCK_REALTIME, ns */
    bool ticks;
    bool echo;
    bool raw;
    int64_t *sent;      /* when each probe went out; one time for all vantages */
    uint32_t nsent;
    uint32_t max;
    Mark marks[MAX_MARKS];
    int nmarks;
    bool stdin_open;
    char line[256];
    size_t line_len;
} Meter;

static volatile sig_atomic_t stopped;
static volatile int64_t signal_zero;

static void
onSignal(int sig)
{
    if (sig == SIGUSR1)
        signal_zero = clockNow(CLOCK_REALTIME);
    else
        stopped = 1;
}

static void
vantageOpen(Meter *m, char *spec)
{
    char *path = strchr(spec, '=');
    Vantage *v = &m->vantages[m->nvantages];
    int one = 1;
    int own, ns;

    if (!path || m->nvantages == MAX_VANTAGES)
        fail("--vantage %s: want NAME=NAMESPACE-FILE, at most %d times", spec, MAX_VANTAGES);
    *path++ = '\0';
    own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0)
        fail("cannot open network namespace %s of vantage %s: %s (is the lab up?)",
             path, spec, strerror(errno));
    if (setns(ns, CLONE_NEWNET) < 0)
        fail("cannot enter network namespace %s: %s (are you root?)", path, strerror(errno));
    v->name = spec;
    v->fd = udpSocket(NULL, 0);
    if (own < 0 || setns(own, CLONE_NEWNET) < 0)
        fail("cannot come back from namespace %s: %s", path, strerror(errno));
    setsockopt(v->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
    close(ns);
    close(own);
    m->nvantages++;
}

static void
headInit(const Meter *m, Head *head, Type type, int vantage, uint32_t seq)
{
    *head = (Head) {
        .magic = htonl(MAGIC), .type = type, .vantage = vantage,
        .flags = htons((m->ticks ? FLAG_TICKS : 0) | (m->echo ? FLAG_ECHO : 0)),
        .session = htonl(m->session), .seq = htonl(seq),
        .interval_us = htonl(m->interval / 1000),
        .duration_ms = htonl(m->duration / MS),
        .time = htobe64(clockNow(CLOCK_REALTIME)),
    };
}

static void
sendTo(Meter *m, int vantage, const void *data, size_t len)
{
    /* What can't be sent is lost, which is what is counted here. */
    if (sendto(m->vantages[vantage].fd, data, len, 0, (struct sockaddr *)&m->guest,
               sizeof(m->guest)) < 0)
        return;
}

/**
 * frameTake:
 *
 * Reads one frame and when the kernel received it.
 *
 * Returns its length, or -1 when there is none for this session.
 */
static ssize_t
frameTake(Meter *m, Vantage *v, Frame *frame, int64_t *when)
{
    char control[256];
    struct iovec iov = { frame, sizeof(Head) + CHUNK };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof(control),
    };
    ssize_t len = recvmsg(v->fd, &msg, MSG_DONTWAIT);

    if (len < 0)
        return -1;
    *when = clockNow(CLOCK_REALTIME);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            *when = ts.tv_sec * SECOND + ts.tv_nsec;
        }
    }
    if (len < (ssize_t)sizeof(Head) || ntohl(frame->head.magic) != MAGIC ||
        ntohl(frame->head.session) != m->session)
        return 0;
    return len;
}

static void
outsideReceive(Meter *m, Vantage *v)
{
    Frame frame;
    int64_t when;
    ssize_t len;

    while ((len = frameTake(m, v, &frame, &when)) >= 0) {
        uint32_t seq = ntohl(frame.head.seq);

        if (len == 0)
            continue;
        if (frame.head.type == TYPE_TICK && v->arrived < 2 * m->max) {
            v->arrivals[v->arrived++] = (Arrival) { seq, when };
        } else if (frame.head.type == TYPE_ECHO && seq < m->nsent && !v->echoes[seq]) {
            v->echoes[seq] = when - (int64_t)be64toh(frame.head.time);
        } else if (frame.head.type == TYPE_BITMAP && len == sizeof(Head) + CHUNK &&
                   frame.head.vantage < m->nvantages && seq <= MAX_FRAMES / 8 - CHUNK) {
            Vantage *of = &m->vantages[frame.head.vantage];

            memcpy(of->bits + seq, frame.data, CHUNK);
            of->duplicates = ntohl(frame.head.duplicates);
            of->ticks = ntohl(frame.head.ticks);
            of->fetched = true;
        }
    }
}

/**
 * stdinRead:
 *
 * Takes "zero [NS]", "mark NAME [NS]" and "stop" from standard input; NS is
 * CLOCK_REALTIME in nanoseconds, by default now.
 */
static void
stdinRead(Meter *m)
{
    char data[256];
    ssize_t got = read(0, data, sizeof(data));

    if (got <= 0) {
        m->stdin_open = false;
        return;
    }
    for (ssize_t i = 0; i < got; i++) {
        char name[64] = "";
        long long ns = 0;

        if (data[i] != '\n') {
            if (m->line_len < sizeof(m->line) - 1)
                m->line[m->line_len++] = data[i];
            continue;
        }
        m->line[m->line_len] = '\0';
        m->line_len = 0;
        if (sscanf(m->line, "mark %63s %lld", name, &ns) >= 1 && m->nmarks < MAX_MARKS) {
            m->marks[m->nmarks].time = ns ? ns : clockNow(CLOCK_REALTIME);
            memcpy(m->marks[m->nmarks++].name, name, sizeof(name));
        } else if (strncmp(m->line, "zero", 4) == 0) {
            m->zero = sscanf(m->line, "zero %lld", &ns) == 1 ? ns : clockNow(CLOCK_REALTIME);
        } else if (strcmp(m->line, "stop") == 0) {
            stopped = 1;
        }
    }
}

/**
 * outsideWait:
 *
 * Receives until @until (CLOCK_MONOTONIC).
 */
static void
outsideWait(Meter *m, int64_t until)
{
    struct pollfd p[MAX_VANTAGES + 1];

    for (;;) {
        int64_t left = until - clockNow(CLOCK_MONOTONIC);
        struct timespec ts;

        if (left <= 0)
            return;
        ts.tv_sec = left / SECOND;
        ts.tv_nsec = left % SECOND;
        for (int i = 0; i < m->nvantages; i++)
            p[i] = (struct pollfd) { .fd = m->vantages[i].fd, .events = POLLIN };
        p[m->nvantages] = (struct pollfd) { .fd = m->stdin_open ? 0 : -1, .events = POLLIN };
        if (ppoll(p, m->nvantages + 1, &ts, NULL) <= 0)
            continue;
        for (int i = 0; i < m->nvantages; i++) {
            if (p[i].revents)
                outsideReceive(m, &m->vantages[i]);
        }
        if (p[m->nvantages].revents)
            stdinRead(m);
    }
}

/**
 * measure:
 *
 * Sends the probes, then asks the guest what became of them.
 */
static void
measure(Meter *m)
{
    int64_t start = clockNow(CLOCK_MONOTONIC);
    int64_t next = start;
    uint32_t chunks;

    while (!stopped && m->nsent < m->max && next - start < m->duration) {
        outsideWait(m, next);
        m->sent[m->nsent] = clockNow(CLOCK_REALTIME);
        m->nsent++;
        for (int i = 0; i < m->nvantages; i++) {
            Head head;

            headInit(m, &head, TYPE_PROBE, i, m->nsent - 1);
            sendTo(m, i, &head, sizeof(head));
        }
        next += m->interval;
    }
    outsideWait(m, clockNow(CLOCK_MONOTONIC) + m->linger);
    if (signal_zero)
        m->zero = signal_zero;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < m->nvantages; i++) {
            Head head;

            headInit(m, &head, TYPE_STOP, i, 0);
            for (int via = 0; via < m->nvantages; via++)
                sendTo(m, via, &head, sizeof(head));
        }
        outsideWait(m, clockNow(CLOCK_MONOTONIC) + 20 * MS);
    }

    /* Any vantage can fetch for any other: one of them may be cut off. */
    chunks = (m->nsent / 8 + CHUNK) / CHUNK;
    for (int i = 0; i < m->nvantages; i++) {
        Vantage *v = &m->vantages[i];

        for (uint32_t c = 0; c < chunks; c++) {
            int64_t end = clockNow(CLOCK_MONOTONIC) + m->fetch;

            v->fetched = false;
            for (int via = i; !v->fetched && clockNow(CLOCK_MONOTONIC) < end; via++) {
                Head head;

                headInit(m, &head, TYPE_FETCH, i, c * CHUNK);
                sendTo(m, via % m->nvantages, &head, sizeof(head));
                for (int n = 0; n < 50 && !v->fetched; n++)
                    outsideWait(m, clockNow(CLOCK_MONOTONIC) + 5 * MS);
            }
            if (!v->fetched) {
                /* One that never heard of this vantage answers nothing. */
                break;
            }
        }
    }
}

static double
relative(const Meter *m, int64_t time)
{
    return (time - m->zero) / 1e6;
}

static void
printGap(FILE *out, bool *first, double start, double end, uint32_t lost)
{
    fprintf(out, "%s{\"start_ms\": %.1f, \"end_ms\": %.1f, \"lost\": %u}",
            *first ? "" : ", ", start, end, lost);
    *first = false;
}

/**
 * printToGuest:
 *
 * A gap lasts from the first lost probe to the next one that arrived.
 */
static void
printToGuest(const Meter *m, const Vantage *v, FILE *out)
{
    uint32_t lost = 0;
    double longest = 0;
    bool first = true;

    if (!v->fetched)
        fprintf(stderr, "meter: the guest did not tell vantage %s what arrived: "
                "all probes from there count as lost\n", v->name);
    fprintf(out, "\"to_guest\": {\"fetched\": %s, \"sent\": %u, \"duplicates\": %u, \"gaps\": [",
            v->fetched ? "true" : "false", m->nsent, v->duplicates);
    for (uint32_t i = 0; i < m->nsent; i++) {
        uint32_t from = i;
        double start, end;

        while (i < m->nsent && !bitGet(v->bits, i))
            i++;
        if (i == from)
            continue;
        start = relative(m, m->sent[from]);
        end = i < m->nsent ? relative(m, m->sent[i]) :
              relative(m, m->sent[i - 1] + m->interval);
        lost += i - from;
        if (end - start > longest)
            longest = end - start;
        printGap(out, &first, start, end, i - from);
    }
    fprintf(out, "], \"lost\": %u, \"longest_gap_ms\": %.1f", lost, longest);
    if (m->raw) {
        fprintf(out, ", \"lost_ms\": [");
        first = true;
        for (uint32_t i = 0; i < m->nsent; i++) {
            if (!bitGet(v->bits, i)) {
                fprintf(out, "%s%.1f", first ? "" : ", ", relative(m, m->sent[i]));
                first = false;
            }
        }
        fputc(']', out);
    }
    fputc('}', out);
}

/**
 * printFromGuest:
 *
 * Here a gap is a silence: while a guest is stopped, it has nothing to lose.
 */
static void
printFromGuest(const Meter *m, const Vantage *v, FILE *out)
{
    uint8_t *seen = calloc(1, MAX_FRAMES / 8);
    uint32_t received = 0, duplicates = 0, sent = v->ticks;
    double longest = 0;
    bool first = true;
    int64_t last = 0;
    uint32_t last_seq = 0;

    if (!seen)
        fail("out of memory");
    fprintf(out, "\"from_guest\": {\"gaps\": [");
    for (uint32_t i = 0; i < v->arrived; i++) {
        const Arrival *a = &v->arrivals[i];

        if (a->seq >= MAX_FRAMES)
            continue;
        if (bitGet(seen, a->seq)) {
            duplicates++;
            continue;
        }
        bitSet(seen, a->seq);
        received++;
        if (a->seq >= sent)
            sent = a->seq + 1;
        if (last && a->time - last > m->interval + m->jitter) {
            double start = relative(m, last + m->interval);
            double end = relative(m, a->time);

            if (end - start > longest)
                longest = end - start;
            printGap(out, &first, start, end, a->seq > last_seq ? a->seq - last_seq - 1 : 0);
        }
        last = a->time;
        last_seq = a->seq;
    }
    fprintf(out, "], \"sent\": %u, \"lost\": %u, \"duplicates\": %u, \"longest_gap_ms\": %.1f",
            sent, sent - received, duplicates, longest);
    if (m->raw) {
        fprintf(out, ", \"arrived_ms\": [");
        for (uint32_t i = 0; i < v->arrived; i++)
            fprintf(out, "%s%.1f", i ? ", " : "", relative(m, v->arrivals[i].time));
        fputc(']', out);
    }
    fputc('}', out);
    free(seen);
}

static int
compareTimes(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void
printEcho(const Meter *m, const Vantage *v, FILE *out)
{
    int64_t *sorted = calloc(m->nsent + 1, sizeof(*sorted));
    uint32_t n = 0;

    if (!sorted)
        fail("out of memory");
    for (uint32_t i = 0; i < m->nsent; i++) {
        if (v->echoes[i])
            sorted[n++] = v->echoes[i];
    }
    qsort(sorted, n, sizeof(*sorted), compareTimes);
    fprintf(out, "\"echo\": {\"sent\": %u, \"lost\": %u, \"rtt_median_ms\": %.2f, "
            "\"rtt_max_ms\": %.2f", m->nsent, m->nsent - n,
            n ? sorted[n / 2] / 1e6 : 0, n ? sorted[n - 1] / 1e6 : 0);
    if (m->raw) {
        fprintf(out, ", \"rtt_ms\": [");
        for (uint32_t i = 0; i < m->nsent; i++)
            fprintf(out, "%s%.2f", i ? ", " : "", v->echoes[i] ? v->echoes[i] / 1e6 : -1);
        fputc(']', out);
    }
    fputc('}', out);
    free(sorted);
}

static void
print(const Meter *m, FILE *out)
{
    fprintf(out, "{\"interval_ms\": %.3f, \"zero_ns\": %lld, \"start_ms\": %.1f, "
            "\"end_ms\": %.1f, \"silent\": %s, \"marks\": {", m->interval / 1e6,
            (long long)m->zero, relative(m, m->sent[0]),
            relative(m, m->sent[m->nsent ? m->nsent - 1 : 0]), m->ticks ? "false" : "true");
    for (int i = 0; i < m->nmarks; i++)
        fprintf(out, "%s\"%s\": %.1f", i ? ", " : "", m->marks[i].name,
                relative(m, m->marks[i].time));
    fprintf(out, "}, \"vantages\": [\n");
    for (int i = 0; i < m->nvantages; i++) {
        const Vantage *v = &m->vantages[i];

        fprintf(out, "  {\"name\": \"%s\",\n   ", v->name);
        printToGuest(m, v, out);
        if (m->ticks) {
            fprintf(out, ",\n   ");
            printFromGuest(m, v, out);
        }
        if (m->echo) {
            fprintf(out, ",\n   ");
            printEcho(m, v, out);
        }
        fprintf(out, "}%s\n", i + 1 < m->nvantages ? "," : "");
    }
    fprintf(out, "]}\n");
}

/**
 * command:
 * @timeout: ns
 *
 * Runs a command in the guest, from whichever vantage gets through.
 *
 * Returns its exit status, or 255 when the guest does not answer.
 */
static int
command(Meter *m, const char *line, int64_t timeout)
{
    int64_t end = clockNow(CLOCK_MONOTONIC) + timeout;
    Frame frame;

    if (strlen(line) >= CHUNK)
        fail("the command is longer than %d bytes", CHUNK - 1);
    while (!stopped && clockNow(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < m->nvantages; i++) {
            headInit(m, &frame.head, TYPE_COMMAND, i, 0);
            strcpy(frame.data, line);
            sendTo(m, i, &frame, sizeof(Head) + strlen(line));
        }
        for (int n = 0; n < 50; n++) {
            struct timespec ts = { .tv_nsec = 10 * MS };

            nanosleep(&ts, NULL);
            for (int i = 0; i < m->nvantages; i++) {
                int64_t when;
                ssize_t len;

                while ((len = frameTake(m, &m->vantages[i], &frame, &when)) >= 0) {
                    if (len == 0 || frame.head.type != TYPE_RESULT)
                        continue;
                    fwrite(frame.data, 1, len - sizeof(Head), stdout);
                    return ntohs(frame.head.flags);
                }
            }
        }
    }
    fprintf(stderr, "meter: the guest did not answer within %lld s\n",
            (long long)(timeout / SECOND));
    return 255;
}

static void
usage(FILE *out)
{
    fprintf(out,
            "usage: meter [command] --guest ADDRESS:PORT --vantage NAME=NAMESPACE-FILE...\n"
            "  --interval MS     between probes, and between ticks (10)\n"
            "  --duration S      stop then at the latest (60)\n"
            "  --silent          the guest sends nothing\n"
            "  --echo            the guest also answers each probe\n"
            "  --zero NS         CLOCK_REALTIME that times are relative to (the start)\n"
            "  --linger MS       wait for late frames (1000)\n"
            "  --fetch S         try that long to fetch the guest's bitmap (10)\n"
            "  --jitter MS       ticks late by less are no gap (30)\n"
            "  --raw             also print each frame\n"
            "  --output FILE     instead of standard output\n"
            "  --timeout S       of a command (10)\n"
            "While it runs, standard input takes 'zero [NS]', 'mark NAME [NS]' and 'stop';\n"
            "SIGUSR1 is 'zero', SIGTERM and SIGINT are 'stop'. Prints 'ready' on standard\n"
            "error when the first probe goes out.\n");
}

static double
number(const char *text, double min, double max)
{
    char *end;
    double d = strtod(text, &end);

    if (*end || end == text || d < min || d > max)
        fail("'%s' is no number from %g to %g", text, min, max);
    return d;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        { "guest", required_argument, NULL, 'g' },
        { "vantage", required_argument, NULL, 'v' },
        { "interval", required_argument, NULL, 'i' },
        { "duration", required_argument, NULL, 'd' },
        { "silent", no_argument, NULL, 's' },
        { "echo", no_argument, NULL, 'e' },
        { "zero", required_argument, NULL, 'z' },
        { "linger", required_argument, NULL, 'l' },
        { "fetch", required_argument, NULL, 'f' },
        { "jitter", required_argument, NULL, 'j' },
        { "raw", no_argument, NULL, 'r' },
        { "output", required_argument, NULL, 'o' },
        { "timeout", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static Meter m = {
        .interval = 10 * MS, .duration = 60 * SECOND, .linger = SECOND,
        .fetch = 10 * SECOND, .jitter = 30 * MS, .ticks = true, .stdin_open = true,
    };
    struct sigaction sa = { .sa_handler = onSignal };
    struct sched_param sp = { .sched_priority = 10 };
    int64_t timeout = 10 * SECOND;
    FILE *out = stdout;
    bool is_command = false;
    char *colon;
    int opt;

    if (argc == 4 && strcmp(argv[1], "guest") == 0)
        guestMain(argv[2], atoi(argv[3]));
    if (argc == 2 && strcmp(argv[1], "watch") == 0)
        watchMain();
    if (argc > 1 && strcmp(argv[1], "command") == 0) {
        is_command = true;
        argv++;
        argc--;
    }
    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (opt) {
        case 'g':
            colon = strchr(optarg, ':');
            if (!colon)
                fail("--guest %s: want ADDRESS:PORT", optarg);
            *colon = '\0';
            m.guest.sin_family = AF_INET;
            m.guest.sin_port = htons(number(colon + 1, 1, 65535));
            if (inet_pton(AF_INET, optarg, &m.guest.sin_addr) != 1)
                fail("--guest: '%s' is no IPv4 address", optarg);
            break;
        case 'v':
            vantageOpen(&m, optarg);
            break;
        case 'i':
            m.interval = number(optarg, 0.1, 10000) * MS;
            break;
        case 'd':
            m.duration = number(optarg, 0.1, 3600) * SECOND;
            break;
        case 's':
            m.ticks = false;
            break;
        case 'e':
            m.echo = true;
            break;
        case 'z':
            m.zero = strtoll(optarg, NULL, 10);
            break;
        case 'l':
            m.linger = number(optarg, 0, 60000) * MS;
            break;
        case 'f':
            m.fetch = number(optarg, 0, 600) * SECOND;
            break;
        case 'j':
            m.jitter = number(optarg, 0, 10000) * MS;
            break;
        case 'r':
            m.raw = true;
            break;
        case 'o':
            out = fopen(optarg, "we");
            if (!out)
                fail("cannot write %s: %s", optarg, strerror(errno));
            break;
        case 't':
            timeout = number(optarg, 0.1, 3600) * SECOND;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (!m.guest.sin_family || m.nvantages == 0)
        fail("want --guest and at least one --vantage: see --help");
    m.session = clockNow(CLOCK_REALTIME) ^ getpid();
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    if (is_command) {
        if (argc != optind + 1)
            fail("want one command");
        return command(&m, argv[optind], timeout);
    }
    if (argc != optind)
        fail("'%s' is one argument too many: see --help", argv[optind]);

    if (m.duration / m.interval >= MAX_FRAMES)
        fail("more than %u probes: a longer --interval or a shorter --duration, please",
             MAX_FRAMES);
    m.max = m.duration / m.interval + 1;
    m.sent = calloc(m.max, sizeof(*m.sent));
    for (int i = 0; i < m.nvantages; i++) {
        Vantage *v = &m.vantages[i];

        v->bits = calloc(1, MAX_FRAMES / 8);
        v->arrivals = calloc(2 * m.max, sizeof(*v->arrivals));
        v->echoes = calloc(m.max, sizeof(*v->echoes));
        if (!m.sent || !v->bits || !v->arrivals || !v->echoes)
            fail("out of memory");
    }
    /* Probes must go out in time, however busy the emulation is. */
    sched_setscheduler(0, SCHED_FIFO, &sp);
    mlockall(MCL_CURRENT);
    if (!m.zero)
        m.zero = clockNow(CLOCK_REALTIME);
    fprintf(stderr, "ready\n");
    measure(&m);
    print(&m, out);
    if (fclose(out) != 0)
        fail("could not write the result: %s", strerror(errno));
    return 0;
}
