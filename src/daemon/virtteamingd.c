/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtteamingd.c: keeps the failover pairs of this host on the path that works
 */

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/virterror.h>
#include <locale.h>
#include <mntent.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "teaming_bus.h"
#include "teaming_error.h"
#include "teaming_hookserver.h"
#include "teaming_monitor.h"
#include "teaming_release.h"
#include "teaming_systemd.h"

/* For what libvirt was asked and has not answered, when the daemon is to end. */
#define VIR_TEAMING_DAEMON_ANSWERS_S 2


static gboolean
virTeamingDaemonQuit(gpointer opaque)
{
    g_main_loop_quit(opaque);
    return G_SOURCE_CONTINUE;
}


/* libvirt does not answer: what it was asked goes on there, and the next daemon sees what came of
 * it. All that is ours is in the journal. */
static void
virTeamingDaemonAbandon(int number G_GNUC_UNUSED)
{
    _exit(0);
}


/* libvirt would print its errors to stderr, beside ours that say the same. */
static void
virTeamingDaemonSilence(void *opaque,
                        virErrorPtr error)
{
}


/* One daemon a host: two would fight over each pair. The kernel drops the lock with us. */
static int
virTeamingDaemonLock(const char *statedir,
                     GError **error)
{
    g_autofree char *path = g_build_filename(statedir, "lock", NULL);
    int fd;

    if (g_mkdir_with_parents(statedir, 0700) < 0 ||
        (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot use the state directory %s: %s; run as root, or give "
                    "another one with --state-dir", statedir, g_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                    "another virtteamingd uses %s; stop it first", statedir);
        close(fd);
        return -1;
    }
    return fd;
}


/* Has the host cgroups that libvirt can use? As in virCgroupAvailable() of src/util/vircgroup.c. */
static gboolean
virTeamingDaemonHasCgroups(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    const struct mntent *entry;
    gboolean found = FALSE;

    while (mounts && !found && (entry = getmntent(mounts))) {
        g_autofree char *path = g_build_filename(entry->mnt_dir, "cgroup.controllers", NULL);
        g_autofree char *controllers = NULL;

        found = strcmp(entry->mnt_type, "cgroup") == 0 ||
            (strcmp(entry->mnt_type, "cgroup2") == 0 &&
             g_file_get_contents(path, &controllers, NULL, NULL) && *controllers);
    }
    if (mounts)
        endmntent(mounts);
    return found;
}


static gboolean
virTeamingDaemonRun(const char *uri,
                    const char *statedir,
                    const virTeamingPolicy *policy,
                    GError **error)
{
    g_autofree char *hookPath = g_build_filename(statedir, VIR_TEAMING_HOOK_SOCKET, NULL);
    g_autofree char *busPath = g_build_filename(statedir, VIR_TEAMING_BUS_SOCKET, NULL);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(virTeamingKernel) kernel = NULL;
    g_autoptr(virTeamingDriver) driver = NULL;
    g_autoptr(GSocketService) hookServer = NULL;
    g_autoptr(virTeamingBus) bus = NULL;
    g_autoptr(virTeamingMonitor) monitor = NULL;

    if (!(kernel = virTeamingKernelNew(NULL, error)) ||
        !(driver = virTeamingDriverNew(kernel, statedir, policy, error)) ||
        !(hookServer = virTeamingHookServerNew(hookPath, driver, error)) ||
        !(bus = virTeamingBusNew(busPath, driver, error)))
        return FALSE;
    virTeamingDriverSetCgroups(driver, virTeamingDaemonHasCgroups());
    monitor = virTeamingMonitorNew(uri, driver);

    g_unix_signal_add(SIGTERM, virTeamingDaemonQuit, loop);
    g_unix_signal_add(SIGINT, virTeamingDaemonQuit, loop);
    virTeamingSystemdReady();
    g_main_loop_run(loop);

    g_socket_service_stop(hookServer);
    g_unlink(hookPath);
    g_clear_pointer(&bus, virTeamingBusFree);
    virTeamingDriverSave(driver);
    /* A call may take libvirt more than a minute; until the next daemon is here, hooks find none. */
    signal(SIGALRM, virTeamingDaemonAbandon);
    alarm(VIR_TEAMING_DAEMON_ANSWERS_S);
    return TRUE;
}


/* Takes back what daemons before us have done, for guests that are to do without one. */
static gboolean
virTeamingDaemonRelease(const char *statedir,
                        GError **error)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNew(NULL, error);
    g_autofree char *heard = g_build_filename(statedir, VIR_TEAMING_HOOK_HEARD, NULL);

    /* Until there is a daemon again, libvirt may be started without the hook. */
    g_unlink(heard);
    return kernel && virTeamingPairsRelease(kernel, statedir, error);
}


int
main(int argc, char **argv)
{
    g_autofree char *uri = NULL;
    g_autofree char *statedir = NULL;
    g_autofree char *config = NULL;
    gboolean release = FALSE;
    gboolean version = FALSE;
    gboolean done;
    const GOptionEntry options[] = {
        { "connect", 'c', 0, G_OPTION_ARG_STRING, &uri,
          "libvirt's QEMU driver (default: qemu:///system)", "URI" },
        { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &statedir,
          "Journal and sockets (default: " VIR_TEAMING_RUNSTATEDIR ")", "DIR" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &config,
          "Defaults for domains (default: " VIR_TEAMING_POLICY_FILE ")", "FILE" },
        { "release", 0, 0, G_OPTION_ARG_NONE, &release,
          "Leave guests as libvirt alone would have them, and exit", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL },
        { NULL }
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- keeps failover pairs on the path that works");
    g_autoptr(GError) error = NULL;
    virTeamingPolicy policy;
    int lock;

    /* GLib prints '?' for what is not ASCII otherwise. */
    setlocale(LC_CTYPE, "");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        g_printerr("virtteamingd: %s\n", error ? error->message : "it takes no arguments");
        return EX_CONFIG;
    }
    if (version) {
        g_print("virtteamingd %s\n", VIR_TEAMING_VERSION);
        return 0;
    }
    if (!uri)
        uri = g_strdup("qemu:///system");
    if (!statedir)
        statedir = g_strdup(VIR_TEAMING_RUNSTATEDIR);
    /* Where there never was a daemon, there is nothing to take back. */
    if (release && !g_file_test(statedir, G_FILE_TEST_EXISTS))
        return 0;

    /* A status of its own: it does not help to start the daemon again. See its unit. */
    if (!release && !virTeamingPolicyLoad(&policy, config, &error)) {
        g_printerr("virtteamingd: %s\n", error->message);
        return EX_CONFIG;
    }
    if ((lock = virTeamingDaemonLock(statedir, &error)) < 0) {
        g_printerr("virtteamingd: %s\n", error->message);
        return 2;
    }

    gvir_init(NULL, NULL);
    gvir_event_register();
    virSetErrorFunc(NULL, virTeamingDaemonSilence);

    done = release ? virTeamingDaemonRelease(statedir, &error) :
        virTeamingDaemonRun(uri, statedir, &policy, &error);
    if (!done)
        g_printerr("virtteamingd: %s\n", error->message);
    close(lock);
    return done ? 0 : 2;
}
