/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hooktest.c: the hook as libvirt calls it, with a daemon in every state, and the daemon's side
 */

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

#include "teaming_hookserver.h"
#include "teaming_kernel_fake.h"

#define PAIR_XML "<domain><devices><interface><teaming type='persistent'/></interface></devices></domain>"

/* What stands at the other end of the socket. */
typedef struct {
    char *dir;
    char *path;
    GSocket *socket;
    const char *answer;             /* NULL: none; the connection is kept open */
    GThread *thread;
    GString *heard;
    char *remembered;               /* there once a call was heard */
} Daemon;

typedef struct {
    int status;
    char *out;
    char *err;
    double seconds;
} Outcome;


static void
outcomeClear(Outcome *outcome)
{
    g_free(outcome->out);
    g_free(outcome->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcomeClear)


static void
daemonSetUp(Daemon *daemon,
            gconstpointer opaque)
{
    daemon->dir = g_dir_make_tmp("virt-teaming-hook-XXXXXX", NULL);
    daemon->path = g_build_filename(daemon->dir, "hook", NULL);
    daemon->remembered = g_build_filename(daemon->dir, "hook-heard", NULL);
    daemon->heard = g_string_new(NULL);
}


static void
daemonTearDown(Daemon *daemon,
               gconstpointer opaque)
{
    if (daemon->thread)
        g_thread_join(daemon->thread);
    g_clear_object(&daemon->socket);
    g_unlink(daemon->path);
    g_unlink(daemon->remembered);
    g_rmdir(daemon->dir);
    g_free(daemon->remembered);
    g_free(daemon->path);
    g_free(daemon->dir);
    g_string_free(daemon->heard, TRUE);
}


/* Answers one call. */
static gpointer
daemonServe(gpointer opaque)
{
    Daemon *daemon = opaque;
    g_autoptr(GSocket) call = g_socket_accept(daemon->socket, NULL, NULL);
    char buf[4096];
    gssize n;

    while ((n = g_socket_receive(call, buf, sizeof(buf), NULL, NULL)) > 0)
        g_string_append_len(daemon->heard, buf, n);
    g_socket_send(call, daemon->answer, strlen(daemon->answer), NULL, NULL);
    return NULL;
}


/* @answer: NULL for a daemon that listens and does nothing more. */
static void
daemonStart(Daemon *daemon,
            const char *answer,
            int backlog)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(daemon->path);
    g_autoptr(GError) error = NULL;

    daemon->answer = answer;
    daemon->socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, &error);
    g_assert_no_error(error);
    g_socket_set_listen_backlog(daemon->socket, backlog);
    g_socket_bind(daemon->socket, address, TRUE, &error);
    g_assert_no_error(error);
    g_socket_listen(daemon->socket, &error);
    g_assert_no_error(error);
    if (answer)
        daemon->thread = g_thread_new("daemon", daemonServe, daemon);
}


static GSubprocess *
hookSpawn(Daemon *daemon,
          const char *const *argv)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
        G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GError) error = NULL;
    GSubprocess *hook;

    g_subprocess_launcher_setenv(launcher, "VIRT_TEAMING_HOOK_SOCKET", daemon->path, TRUE);
    hook = g_subprocess_launcher_spawnv(launcher, argv, &error);
    g_assert_no_error(error);
    return hook;
}


static void
hookRun(Daemon *daemon,
        const char *const *argv,
        const char *xml,
        Outcome *outcome)
{
    g_autoptr(GTimer) timer = g_timer_new();
    g_autoptr(GSubprocess) hook = hookSpawn(daemon, argv);
    g_autoptr(GError) error = NULL;

    g_subprocess_communicate_utf8(hook, xml, NULL, &outcome->out, &outcome->err, &error);
    g_assert_no_error(error);
    outcome->seconds = g_timer_elapsed(timer, NULL);
    g_assert_true(g_subprocess_get_if_exited(hook));
    outcome->status = g_subprocess_get_exit_status(hook);
}


static void
hookCall(Daemon *daemon,
         const char *operation,
         const char *xml,
         Outcome *outcome)
{
    const char *argv[] = { VIR_TEAMING_TEST_HOOK, "guest", operation, "begin", "-", NULL };

    hookRun(daemon, argv, xml, outcome);
}


/* One line, or none. */
static void
assertLine(const char *text)
{
    const char *newline = strchr(text, '\n');

    g_assert_true(!newline || !newline[1]);
}


static void
testNoPair(Daemon *daemon,
           gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, NULL, 5);
    hookCall(daemon, "start", "<domain><devices/></domain>", &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.out, ==, "");
    g_assert_cmpstr(outcome.err, ==, "");
    g_assert_cmpfloat(outcome.seconds, <, 2);
}


static void
testNoDaemon(Daemon *daemon,
             gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    hookCall(daemon, "start", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.out, ==, "");
    g_assert_nonnull(strstr(outcome.err, "no answer from virtteamingd"));
    assertLine(outcome.err);
}


static void
testAnswers(Daemon *daemon,
            gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, "ok\n<domain>changed</domain>\n", 5);
    hookCall(daemon, "migrate", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.out, ==, "<domain>changed</domain>\n");
    g_assert_cmpstr(outcome.err, ==, "");
    g_thread_join(g_steal_pointer(&daemon->thread));
    g_assert_cmpstr(daemon->heard->str, ==, "migrate\nbegin\n" PAIR_XML);
}


/* Why a guest is released is told, too, if libvirt says so. */
static void
testReason(Daemon *daemon,
           gconstpointer opaque)
{
    const char *argv[] = { VIR_TEAMING_TEST_HOOK, "guest", "release", "end", opaque, NULL };
    g_autofree char *expected = g_strdup_printf("release\nend%s\n" PAIR_XML,
                                                *(const char *)opaque ? " migrated" : "");
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, "ok\n", 5);
    hookRun(daemon, argv, PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_thread_join(g_steal_pointer(&daemon->thread));
    g_assert_cmpstr(daemon->heard->str, ==, expected);
}


static void
testRefuses(Daemon *daemon,
            gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, "refuse\nno VF is free", 5);
    hookCall(daemon, "migrate", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 1);
    g_assert_cmpstr(outcome.out, ==, "");
    g_assert_cmpstr(outcome.err, ==, "virt-teaming: domain 'guest': no VF is free\n");
}


/* What it would stop else is a start, or even a guest that runs. */
static void
testRefusesMigrationsOnly(Daemon *daemon,
                          gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, "refuse\nthe XML can't be read", 5);
    hookCall(daemon, "reconnect", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.out, ==, "");
    g_assert_cmpstr(outcome.err, ==, "virt-teaming: domain 'guest': the XML can't be read\n");
}


static void
testSlowXml(Daemon *daemon,
            gconstpointer opaque)
{
    const char *argv[] = { VIR_TEAMING_TEST_HOOK, "guest", "reconnect", "begin", "-", NULL };
    g_autoptr(GSubprocess) hook = hookSpawn(daemon, argv);
    g_autoptr(GTimer) timer = g_timer_new();

    /* Its standard input stays open. */
    g_assert_true(g_subprocess_wait(hook, NULL, NULL));
    g_assert_cmpint(g_subprocess_get_exit_status(hook), ==, 0);
    g_assert_cmpfloat(g_timer_elapsed(timer, NULL), <, 9.5);
}


static void
testGarbled(Daemon *daemon,
            gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    daemonStart(daemon, "what?", 5);
    hookCall(daemon, "start", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.out, ==, "");
}


/* A daemon that was stopped: whoever comes is let go, also when the backlog is full. */
static void
testHangs(Daemon *daemon,
          gconstpointer opaque)
{
    const char *argv[] = { VIR_TEAMING_TEST_HOOK, "guest", "start", "begin", "-", NULL };
    GSubprocess *hooks[6];
    g_autoptr(GTimer) timer = g_timer_new();

    daemonStart(daemon, NULL, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        GOutputStream *in;

        hooks[i] = hookSpawn(daemon, argv);
        in = g_subprocess_get_stdin_pipe(hooks[i]);
        g_output_stream_write_all(in, PAIR_XML, strlen(PAIR_XML), NULL, NULL, NULL);
        g_output_stream_close(in, NULL, NULL);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_assert_true(g_subprocess_wait(hooks[i], NULL, NULL));
        g_assert_cmpint(g_subprocess_get_exit_status(hooks[i]), ==, 0);
        g_object_unref(hooks[i]);
    }
    /* It says 5 s; a loaded machine may make more of it, but never another round. */
    g_assert_cmpfloat(g_timer_elapsed(timer, NULL), <, 9.5);
}


static void
testNonsense(Daemon *daemon,
             gconstpointer opaque)
{
    static const char *const calls[][6] = {
        { VIR_TEAMING_TEST_HOOK, NULL },
        { VIR_TEAMING_TEST_HOOK, "guest", "start", NULL },
        { VIR_TEAMING_TEST_HOOK, "guest", "st art", "begin", "-", NULL },
        { VIR_TEAMING_TEST_HOOK, "guest", "start\n", "begin", "-", NULL },
        { VIR_TEAMING_TEST_HOOK, "guest", "", "begin", "-", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_auto(Outcome) outcome = { 0 };

        /* It is gone before it would read. */
        hookRun(daemon, calls[i], NULL, &outcome);
        g_assert_cmpint(outcome.status, ==, 2);
        g_assert_cmpstr(outcome.out, ==, "");
        assertLine(outcome.err);
    }
}


/* Operations that libvirt may have one day are none of our business. */
static void
testUnknownOperation(Daemon *daemon,
                     gconstpointer opaque)
{
    g_auto(Outcome) outcome = { 0 };

    hookCall(daemon, "teleport", PAIR_XML, &outcome);
    g_assert_cmpint(outcome.status, ==, 0);
    g_assert_cmpstr(outcome.err, ==, "");
}


/* Whoever has a text for the daemon, or none, and waits for what it says. */
typedef struct {
    const char *path;
    const char *request;
    char *answer;
    gboolean done;
} Caller;


static gpointer
callerRun(gpointer opaque)
{
    Caller *caller = opaque;
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(caller->path);
    g_autoptr(GSocket) call = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                           G_SOCKET_PROTOCOL_DEFAULT, NULL);
    g_autoptr(GString) heard = g_string_new(NULL);
    char buf[4096];
    gssize n;

    g_assert_true(g_socket_connect(call, address, NULL, NULL));
    if (*caller->request)
        g_socket_send(call, caller->request, strlen(caller->request), NULL, NULL);
    g_socket_shutdown(call, FALSE, TRUE, NULL);
    while ((n = g_socket_receive(call, buf, sizeof(buf), NULL, NULL)) > 0)
        g_string_append_len(heard, buf, n);
    caller->answer = g_strdup(heard->str);
    g_atomic_int_set(&caller->done, TRUE);
    g_main_context_wakeup(NULL);
    return NULL;
}


/* What the daemon itself says to calls that no hook would make, and that it lives on. */
static void
testServer(Daemon *daemon,
           gconstpointer opaque)
{
    static const struct {
        const char *request;
        const char *answer;
        gboolean whole;
    } calls[] = {
        { "", "" },
        { "migrate", "ok\n" },
        { "migrate\n", "ok\n" },
        { "migrate\nbegin", "ok\n" },
        { "\n\n", "ok\n", TRUE },
        { "migrate\nbegin\n<domain type='kvm'><name>guest</name>"
          "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid></domain>", "ok\n", TRUE },
    };
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNewFake();
    g_autoptr(virTeamingDriver) driver = NULL;
    g_autoptr(GSocketService) server = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingPolicy policy;

    virTeamingPolicyInit(&policy);
    driver = virTeamingDriverNew(kernel, daemon->dir, &policy, &error);
    g_assert_no_error(error);
    server = virTeamingHookServerNew(daemon->path, driver, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        Caller caller = { .path = daemon->path, .request = calls[i].request };
        GThread *thread = g_thread_new("caller", callerRun, &caller);

        while (!g_atomic_int_get(&caller.done))
            g_main_context_iteration(NULL, TRUE);
        g_thread_join(thread);
        g_assert_cmpstr(caller.answer, ==, calls[i].answer);
        g_free(caller.answer);
        g_assert_cmpint(g_file_test(daemon->remembered, G_FILE_TEST_EXISTS), ==, calls[i].whole);
    }
    g_socket_service_stop(server);
}


int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Daemon *daemon, gconstpointer opaque);
        gconstpointer data;
    } tests[] = {
        { "/hook/no-pair", testNoPair },
        { "/hook/no-daemon", testNoDaemon },
        { "/hook/answers", testAnswers },
        { "/hook/reason", testReason, "migrated" },
        { "/hook/no-reason", testReason, "" },
        { "/hook/refuses", testRefuses },
        { "/hook/refuses-migrations-only", testRefusesMigrationsOnly },
        { "/hook/slow-xml", testSlowXml },
        { "/hook/garbled", testGarbled },
        { "/hook/hangs", testHangs },
        { "/hook/nonsense", testNonsense },
        { "/hook/unknown-operation", testUnknownOperation },
        { "/hook/server", testServer },
    };

    g_test_init(&argc, &argv, NULL);
    /* What is passed over is warned of; that is no failure of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Daemon, tests[i].data, daemonSetUp, tests[i].test,
                   daemonTearDown);
    return g_test_run();
}
