/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reaction-bench.c: from the edge of a VF's Bus Master bit to the filters moved
 *
 *   reaction-bench VF TAP [EDGES]
 *
 * Plays a guest whose driver comes and goes: a thread sets and clears the Bus Master
 * Enable bit of VF, a free one that vfio-pci has, by its configuration space, at moments of its
 * own choice, while the daemon's own code watches it in this process on the real kernel, as
 * the primary of a pair whose standby is TAP, a port of the PF's bridge. What is measured
 * ends when the last netlink request of the transition has been answered. Counted by
 * themselves: until the first of these requests is made, and the time spent in them.
 *
 * Prints one JSON object; times in microseconds. Changes the host: for a lab only.
 */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "teaming_driver.h"
#include "teaming_kernel_priv.h"

#define UUID "6d1f6f5e-0000-4000-8000-0000000000be"
#define MAC "02:72:00:00:be:00"
#define COMMAND 4                   /* offset of the command register: PCI 3.0, 6.2.2 */
#define BUS_MASTER 4
/* At least that between two edges: closer ones would be taken for play, and looked at less. */
#define QUIET_US (VIR_TEAMING_PAIR_CHANGES_MS * 1000 / VIR_TEAMING_PAIR_CHANGES * 5 / 4)
#define RANDOM_US 60000

static gint64 edge;                 /* when the last one was: monotonic, atomic */
static gint64 netlinkUs;            /* spent in requests in this turn of the main loop */
static gint64 firstAt;              /* when the first of them began */
static const virTeamingKernelOps *realOps;

#define TIMED(call) \
    const gint64 began = g_get_monotonic_time(); \
    int ret = realOps->call; \
    netlinkUs += g_get_monotonic_time() - began; \
    firstAt = firstAt ? firstAt : began; \
    return ret


static int
timedLinkGet(virTeamingKernel *kernel, const char *ifname, virTeamingLink *link)
{
    TIMED(linkGet(kernel, ifname, link));
}


static int
timedLinkSetPort(virTeamingKernel *kernel, const char *port, virTeamingKernelSwitch what,
                 gboolean on)
{
    TIMED(linkSetPort(kernel, port, what, on));
}


static int
timedVfList(virTeamingKernel *kernel, const char *pf, const virTeamingMac *mac, gint only,
            GArray *list)
{
    TIMED(vfList(kernel, pf, mac, only, list));
}


static int
timedVfSetMac(virTeamingKernel *kernel, const char *pf, guint index, const virTeamingMac *mac)
{
    TIMED(vfSetMac(kernel, pf, index, mac));
}


static int
timedFdbList(virTeamingKernel *kernel, const char *dev, const virTeamingMac *mac, GArray *list)
{
    TIMED(fdbList(kernel, dev, mac, list));
}


static int
timedFdbAdd(virTeamingKernel *kernel, const virTeamingFdbEntry *entry)
{
    TIMED(fdbAdd(kernel, entry));
}


static int
timedFdbDel(virTeamingKernel *kernel, const virTeamingFdbEntry *entry)
{
    TIMED(fdbDel(kernel, entry));
}


typedef struct {
    char *config;                   /* path of the VF's configuration space */
    guint edges;
    gint done;                      /* atomic */
} Guest;


/* Thread: the guest's driver comes and goes. */
static gpointer
guestRun(gpointer opaque)
{
    Guest *guest = opaque;
    int fd = open(guest->config, O_RDWR | O_CLOEXEC);

    for (guint i = 0; fd >= 0 && i < guest->edges; i++) {
        guint16 command;

        g_usleep(QUIET_US + g_random_int_range(0, RANDOM_US));
        if (pread(fd, &command, sizeof(command), COMMAND) != sizeof(command))
            break;
        command = GUINT16_TO_LE(GUINT16_FROM_LE(command) ^ BUS_MASTER);
        __atomic_store_n(&edge, g_get_monotonic_time(), __ATOMIC_SEQ_CST);
        if (pwrite(fd, &command, sizeof(command), COMMAND) != sizeof(command))
            break;
    }
    if (fd >= 0)
        close(fd);
    g_usleep(QUIET_US);
    g_atomic_int_set(&guest->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}


static int
compare(gconstpointer a, gconstpointer b)
{
    const gint64 x = *(const gint64 *)a;
    const gint64 y = *(const gint64 *)b;

    return (x > y) - (x < y);
}


static void
printTimes(const char *name, GArray *times, const char *after)
{
    static const struct { const char *name; guint permille; } points[] = {
        { "min", 0 }, { "median", 500 }, { "p90", 900 }, { "p99", 990 }, { "max", 1000 },
    };

    g_array_sort(times, compare);
    g_print("\"%s\": {", name);
    for (guint i = 0; i < G_N_ELEMENTS(points); i++)
        g_print("%s\"%s\": %" G_GINT64_FORMAT, i ? ", " : "", points[i].name,
                g_array_index(times, gint64, (times->len - 1) * points[i].permille / 1000));
    g_print("}%s", after);
}


/* Runs the daemon's loop; notes what each edge took. Returns: whether all were seen. */
static gboolean
measure(virTeamingDriver *driver, Guest *guest)
{
    g_autoptr(GArray) totals = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) netlink = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) noticed = g_array_new(FALSE, FALSE, sizeof(gint64));
    const virTeamingPairObj *pair = g_ptr_array_index(virTeamingDriverPairs(driver), 0);
    const gint64 offset = g_get_real_time() - g_get_monotonic_time();
    g_autoptr(GThread) thread = NULL;
    gpointer last = g_queue_peek_head((GQueue *)&pair->history);
    gint64 seen = 0;

    thread = g_thread_new("guest", guestRun, guest);
    while (!g_atomic_int_get(&guest->done)) {
        const virTeamingPairChange *change;
        gint64 when;

        netlinkUs = 0;
        firstAt = 0;
        g_main_context_iteration(NULL, TRUE);
        change = g_queue_peek_head((GQueue *)&pair->history);
        when = __atomic_load_n(&edge, __ATOMIC_SEQ_CST);
        if (change == last || !when)
            continue;
        last = (gpointer)change;
        if (when != seen && change->steps[0]) {
            gint64 total = change->realtime - offset - when;

            gint64 first = firstAt - when;

            g_array_append_val(totals, total);
            g_array_append_val(noticed, first);
            g_array_append_val(netlink, netlinkUs);
            seen = when;
        }
    }
    g_thread_join(g_steal_pointer(&thread));

    if (totals->len == 0)
        return FALSE;
    g_print("{\"edges\": %u, \"seen\": %u, ", guest->edges, totals->len);
    printTimes("total_us", totals, ", ");
    printTimes("noticed_us", noticed, ", ");
    printTimes("netlink_us", netlink, "}\n");
    return totals->len == guest->edges;
}


int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    virTeamingPolicy policy;
    virTeamingPciAddress address;
    virTeamingKernelOps timed;
    /* Not atoi(): from glibc 2.38 on that is a symbol that the lab's hypervisors do not have. */
    Guest guest = { .edges = argc > 3 ? (guint)g_ascii_strtoull(argv[3], NULL, 10) : 200 };
    virTeamingSnapshot snapshot = { .activity = VIR_TEAMING_ACTIVITY_RUNNING, .resync = TRUE };
    virTeamingKernel *kernel;
    virTeamingDriver *driver;
    gboolean good;
    g_autofree char *statedir = g_dir_make_tmp("virt-teaming-bench-XXXXXX", &error);

    if (argc < 3 || guest.edges == 0 || !virTeamingPciAddressParse(argv[1], &address)) {
        g_printerr("usage: reaction-bench VF TAP [EDGES]\n");
        return 2;
    }
    virTeamingPolicyInit(&policy);
    if (!statedir || !(kernel = virTeamingKernelNew(NULL, &error)) ||
        !(driver = virTeamingDriverNew(kernel, statedir, &policy, &error))) {
        g_printerr("reaction-bench: %s\n", error->message);
        return 2;
    }
    realOps = kernel->ops;
    timed = *realOps;
    timed.linkGet = timedLinkGet;
    timed.linkSetPort = timedLinkSetPort;
    timed.vfList = timedVfList;
    timed.vfSetMac = timedVfSetMac;
    timed.fdbList = timedFdbList;
    timed.fdbAdd = timedFdbAdd;
    timed.fdbDel = timedFdbDel;
    kernel->ops = &timed;

    guest.config = g_strdup_printf("/sys/bus/pci/devices/%s/config", argv[1]);
    snapshot.uuid = g_strdup(UUID);
    snapshot.xml = g_strdup_printf(
        "<domain type='kvm'><name>bench</name><uuid>" UUID "</uuid>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
        "<features><acpi/></features><devices>"
        "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
        "<target dev='%s'/><model type='virtio'/><teaming type='persistent'/>"
        "<alias name='ua-net0'/></interface>"
        "<interface type='hostdev'><mac address='" MAC "'/><driver name='vfio'/><source>"
        "<address type='pci' domain='%#x' bus='%#x' slot='%#x' function='%#x'/></source>"
        "<teaming type='transient' persistent='ua-net0'/><alias name='hostdev0'/></interface>"
        "</devices></domain>", argv[2], address.domain, address.bus, address.slot,
        address.function);
    virTeamingDriverTellSnapshot(driver, &snapshot);
    good = virTeamingDriverPairs(driver)->len == 1 && measure(driver, &guest);
    if (!good)
        g_printerr("reaction-bench: not all edges were seen: is %s bound to vfio-pci, and %s "
                   "a port of the bridge?\n", argv[1], argv[2]);

    snapshot.activity = VIR_TEAMING_ACTIVITY_INACTIVE;
    g_clear_pointer(&snapshot.xml, g_free);
    virTeamingDriverTellSnapshot(driver, &snapshot);
    virTeamingDriverFree(driver);
    kernel->ops = realOps;
    virTeamingKernelFree(kernel);
    g_rmdir(statedir);
    g_free(snapshot.uuid);
    g_free(guest.config);
    return good ? 0 : 1;
}
