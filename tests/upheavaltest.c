/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * upheavaltest.c: the daemon on a real kernel that refuses
 */

/*
 * What every refusal at every step leads to is shown on the fake kernel, in drivertest.c.
 * Here the real one refuses, in a network namespace of the test's own: it has to say so in
 * the way that the fake one says it. A VF can't be made out of nothing: the guest's is said by
 * a tree in the place of sysfs to be in the host's hands, so that the pair is on its standby.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "teaming_driver.h"

#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define MAC "52:54:00:12:34:56"
#define PCI "sys/bus/pci/devices/"

static const char domainXml[] =
    "<domain type='kvm'><name>guest</name><uuid>" UUID "</uuid>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
    "<features><acpi/></features><devices>"
    "<interface type='bridge'><mac address='" MAC "'/><source bridge='lan'/>"
    "<target dev='vnet0'/><model type='virtio'/><teaming type='persistent'/>"
    "<alias name='ua-net0'/></interface>"
    "<interface type='hostdev' managed='yes'><mac address='" MAC "'/>"
    "<source><address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
    "<model type='virtio'/><teaming type='transient' persistent='ua-net0'/>"
    "<alias name='hostdev0'/></interface></devices></domain>";

typedef struct {
    char *dir;                      /* journal and sysfs are in it */
    char *statedir;
    virTeamingKernel *kernel;
    virTeamingDriver *driver;
    int tap;
    gint64 ahead;
} Host;


static void
run(const char *command)
{
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_command_line_sync(command, NULL, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}


/* Makes a file of sysfs that holds @text; for "->" before it, a link to that. */
static void
hostPut(Host *host,
        const char *path,
        const char *text)
{
    g_autofree char *full = g_build_filename(host->dir, path, NULL);
    g_autofree char *dir = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
    if (g_str_has_prefix(text, "->"))
        g_assert_cmpint(symlink(text + 2, full), ==, 0);
    else
        g_assert_true(g_file_set_contents(full, text, -1, NULL));
}


static void
hostHook(Host *host,
         const char *operation)
{
    g_autofree char *print = NULL;
    g_autoptr(GError) error = NULL;

    virTeamingDriverTellHook(host->driver, operation, "begin", domainXml, &print, &error);
    g_assert_no_error(error);
}


/* Two seconds pass, and what the kernel has told is heard. */
static void
hostWait(Host *host)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
    host->ahead += 2 * G_USEC_PER_SEC;
    virTeamingDriverRun(host->driver, g_get_monotonic_time() + host->ahead);
}


static void
hostMakeUplink(void)
{
    run("ip link add dev pf9 type veth peer name wire9");
    run("ip link set dev pf9 up master lan");
    run("ip link set dev wire9 up");
}


/* A bridge with an uplink, and a guest on its standby. */
static void
hostSetUp(Host *host,
          gconstpointer opaque)
{
    struct ifreq request = { .ifr_name = "vnet0", .ifr_flags = IFF_TAP | IFF_NO_PI };
    g_autofree char *sysfs = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingPolicy policy;

    g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
    host->dir = g_dir_make_tmp("upheavaltest-XXXXXX", &error);
    g_assert_no_error(error);
    host->statedir = g_build_filename(host->dir, "state", NULL);
    g_assert_cmpint(g_mkdir(host->statedir, 0700), ==, 0);
    sysfs = g_build_filename(host->dir, "sys", NULL);
    hostPut(host, PCI "0000:01:00.0/net/pf9/address", "");
    hostPut(host, PCI "0000:01:00.0/virtfn0", "->../0000:01:10.0");
    hostPut(host, PCI "0000:01:10.0/class", "0x020000");
    hostPut(host, PCI "0000:01:10.0/config", "no guest drives it");
    hostPut(host, PCI "0000:01:10.0/physfn", "->../0000:01:00.0");
    hostPut(host, PCI "0000:01:10.0/driver", "->../../drivers/igbvf");

    run("ip link add dev lan type bridge");
    run("ip link set dev lan up");
    hostMakeUplink();
    host->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    g_assert_cmpint(ioctl(host->tap, TUNSETIFF, &request), ==, 0);
    run("ip link set dev vnet0 up master lan");

    virTeamingPolicyInit(&policy);
    host->kernel = virTeamingKernelNew(sysfs, &error);
    g_assert_no_error(error);
    host->driver = virTeamingDriverNew(host->kernel, host->statedir, &policy, &error);
    g_assert_no_error(error);
}


static void
hostTearDown(Host *host,
             gconstpointer opaque)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", host->dir);

    virTeamingDriverFree(host->driver);
    virTeamingKernelFree(host->kernel);
    close(host->tap);
    run(command);
    g_free(host->statedir);
    g_free(host->dir);
}


/* Returns: what status says is wrong with the only pair. */
static char *
hostProblem(Host *host)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);

    g_assert_cmpuint(pairs->len, ==, 1);
    return virTeamingPairObjGetProblem(pairs->pdata[0]);
}


static void
hostExpectProblem(Host *host,
                  const char *words)
{
    g_autofree char *problem = hostProblem(host);

    if (!words)
        g_assert_cmpstr(problem, ==, NULL);
    else if (!problem || !strstr(problem, words))
        g_error("no '%s' in '%s'", words, problem);
}


/* Where the MAC is: "vnet0 pf9(self) ", say. */
static void
hostExpectFdb(Host *host,
              const char *expected)
{
    static const char *const links[] = { "vnet0", "pf9" };
    g_autoptr(GString) found = g_string_new(NULL);
    virTeamingMac mac;

    g_assert_true(virTeamingMacParse(MAC, &mac));
    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autoptr(GArray) entries = virTeamingKernelFdbList(host->kernel, links[i], &mac, NULL);
        gboolean self = FALSE;
        gboolean master = FALSE;

        for (guint j = 0; entries && j < entries->len; j++) {
            const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, j);

            self |= !!(entry->flags & VIR_TEAMING_FDB_SELF);
            master |= !!(entry->flags & VIR_TEAMING_FDB_MASTER);
        }
        g_string_append_printf(found, "%s%s", master ? links[i] : "", master ? " " : "");
        g_string_append_printf(found, "%s%s", self ? links[i] : "", self ? "(self) " : "");
    }
    g_assert_cmpstr(found->str, ==, expected);
}


/* Gives the right to change links away, or takes it back. */
static void
setCapable(gboolean capable)
{
    static struct __user_cap_data_struct all[2];
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];

    if (!all[0].permitted)
        g_assert_cmpint(syscall(SYS_capget, &header, all), ==, 0);
    memcpy(data, all, sizeof(data));
    if (!capable)
        data[CAP_NET_ADMIN / 32].effective &= ~(1u << (CAP_NET_ADMIN % 32));
    g_assert_cmpint(syscall(SYS_capset, &header, data), ==, 0);
}


/* EPERM: at a start, and when a guest has gone. */
static void
testNotPermitted(Host *host,
                 gconstpointer opaque)
{
    setCapable(FALSE);
    hostHook(host, "start");
    hostExpectFdb(host, "");
    hostExpectProblem(host, "Operation not permitted");
    setCapable(TRUE);
    hostWait(host);
    hostExpectProblem(host, NULL);
    hostExpectFdb(host, "vnet0 pf9(self) ");

    setCapable(FALSE);
    hostHook(host, "release");
    hostWait(host);
    hostExpectFdb(host, "vnet0 pf9(self) ");
    hostExpectProblem(host, "Operation not permitted");
    setCapable(TRUE);
    hostWait(host);
    hostExpectFdb(host, "");
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 0);
}


/* ENODEV: links go under the daemon's hands, and come back. */
static void
testLinksGone(Host *host,
              gconstpointer opaque)
{
    hostHook(host, "start");
    hostExpectFdb(host, "vnet0 pf9(self) ");
    run("ip link del dev pf9");
    hostWait(host);
    hostExpectFdb(host, "vnet0 ");
    hostExpectProblem(host, "bridge 'lan' has no uplink of pf9's NIC");
    hostMakeUplink();
    hostWait(host);
    hostExpectProblem(host, NULL);
    hostExpectFdb(host, "vnet0 pf9(self) ");

    run("ip link del dev lan");
    hostWait(host);
    hostExpectFdb(host, "");
    hostExpectProblem(host, "the standby's tap 'vnet0' is in no bridge");
    run("ip link add dev lan type bridge");
    run("ip link set dev lan up");
    run("ip link set dev pf9 master lan");
    run("ip link set dev vnet0 master lan");
    hostWait(host);
    hostExpectProblem(host, NULL);
    hostExpectFdb(host, "vnet0 pf9(self) ");

    /* All goes at once, as when a host is taken down; no journal stays. */
    run("ip link del dev lan");
    run("ip link del dev pf9");
    close(host->tap);
    host->tap = -1;
    hostHook(host, "release");
    hostWait(host);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 0);
    g_assert_cmpint(g_rmdir(host->statedir), ==, 0);
}


int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Refusals are warned of; that is no failure of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    if (geteuid() != 0) {
        g_print("1..0 # SKIP network namespaces need root\n");
        return 0;
    }
    g_test_add("/upheaval/not-permitted", Host, NULL, hostSetUp, testNotPermitted, hostTearDown);
    g_test_add("/upheaval/links-gone", Host, NULL, hostSetUp, testLinksGone, hostTearDown);
    return g_test_run();
}
