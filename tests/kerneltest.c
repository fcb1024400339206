/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kerneltest.c: the contract of virTeamingKernel, on the fake and on the real kernel
 */

/*
 * Every test gets an empty host of its own. For the fake that is a new model. For the
 * real kernel it is a new network namespace, from which nothing leads outside, and an
 * empty directory in the place of sysfs. The host*() functions furnish either; what is
 * expected then stands in one function for both.
 *
 * VFs cannot be made out of nothing. Tests that set them run on the real kernel only if
 * the environment names a PF with at least one unused VF: VIR_TEAMING_TEST_PF=eth1.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "teaming_error.h"
#include "teaming_frame.h"
#include "teaming_kernel_fake.h"

typedef struct {
    gboolean fake;
    const char *pf;                 /* the PF that a VF test may use, or NULL */
    virTeamingKernel *kernel;
    char *sysfs;                    /* real: the directory that stands for it */
    GHashTable *taps;               /* real: what holds a tap open, by its name */
    GString *told;                  /* what the watcher has been told */
} Host;

static int homeNamespace = -1;

#define MAC(...) (&(virTeamingMac){ .addr = { __VA_ARGS__ } })
#define VLANS(...) ((const guint16[]){ __VA_ARGS__, 0 })

static const virTeamingMac guest = { .addr = { 0x52, 0x54, 0x00, 0x01, 0x02, 0x03 } };
static const virTeamingMac other = { .addr = { 0x52, 0x54, 0x00, 0x01, 0x02, 0x04 } };
static const virTeamingPciAddress pfAddress = { .bus = 1 };
static const virTeamingPciAddress vfAddress = { .bus = 1, .slot = 0x10 };
static const virTeamingPciAddress vfAddress2 = { .bus = 1, .slot = 0x10, .function = 2 };
static const virTeamingPciAddress nowhere = { .bus = 0xff, .slot = 0x1f, .function = 7 };


/* ---- furnishing a host ---- */

static void G_GNUC_PRINTF(1, 2)
run(const char *format,
    ...)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *command = NULL;
    g_autofree char *complaint = NULL;
    va_list args;
    int status;

    va_start(args, format);
    command = g_strdup_vprintf(format, args);
    va_end(args);
    g_spawn_command_line_sync(command, NULL, &complaint, &status, &error);
    g_assert_no_error(error);
    if (status)
        g_error("%s: %s", command, complaint);
}


static void
hostPutFile(Host *host,
            const char *path,
            const void *data,
            gssize len)
{
    g_autofree char *full = g_build_filename(host->sysfs, path, NULL);
    g_autofree char *dir = g_path_get_dirname(full);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
    g_file_set_contents(full, data, len, &error);
    g_assert_no_error(error);
}


static void
hostPutLink(Host *host,
            const char *path,
            const char *target)
{
    g_autofree char *full = g_build_filename(host->sysfs, path, NULL);
    g_autofree char *dir = g_path_get_dirname(full);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
    unlink(full);
    g_assert_cmpint(symlink(target, full), ==, 0);
}


/* A tap has a carrier, and is there, as long as somebody holds it open, as QEMU would. */
static int
openTap(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        g_error("cannot make the tap '%s': %s", name, g_strerror(errno));
    return fd;
}


static void
closeTap(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
}


static void
hostAddLink(Host *host,
            const char *name,
            const char *kind)
{
    virTeamingLink link = { .mtu = 1500 };

    if (host->fake) {
        g_strlcpy(link.name, name, sizeof(link.name));
        g_strlcpy(link.kind, kind, sizeof(link.kind));
        virTeamingFakeSetLink(host->kernel, &link);
    } else if (strcmp(kind, "tun") == 0) {
        g_hash_table_insert(host->taps, g_strdup(name), GINT_TO_POINTER(openTap(name)));
    } else {
        run("ip link add dev %s type %s", name, kind);
    }
}


static void
hostDelLink(Host *host,
            const char *name)
{
    if (host->fake)
        virTeamingFakeRemoveLink(host->kernel, name);
    else if (!g_hash_table_remove(host->taps, name))
        run("ip link del dev %s", name);
}


/* As a port of @bridge, or of none for NULL. */
static void
hostSetMaster(Host *host,
              const char *name,
              const char *bridge)
{
    virTeamingLink link;

    if (host->fake) {
        g_assert_true(virTeamingKernelLinkGet(host->kernel, name, &link, NULL));
        g_strlcpy(link.master, bridge ? bridge : "", sizeof(link.master));
        link.learning = link.flooding = bridge != NULL;
        virTeamingFakeSetLink(host->kernel, &link);
    } else if (bridge) {
        run("ip link set dev %s master %s", name, bridge);
    } else {
        run("ip link set dev %s nomaster", name);
    }
}


static void
hostSetUp(Host *host,
          const char *name)
{
    virTeamingLink link;

    if (host->fake) {
        g_assert_true(virTeamingKernelLinkGet(host->kernel, name, &link, NULL));
        link.up = TRUE;
        link.running = TRUE;
        virTeamingFakeSetLink(host->kernel, &link);
        return;
    }
    run("ip link set dev %s up", name);
    if (g_str_has_prefix(name, "tun"))
        run("ip link set dev %s-end up", name);
}


/* The fake has @link from now on, and the real kernel what @command makes; not every kernel can. */
static gboolean
hostTryLink(Host *host,
            const virTeamingLink *link,
            const char *command)
{
    int status = -1;

    if (host->fake) {
        virTeamingFakeSetLink(host->kernel, link);
        return TRUE;
    }
    g_spawn_command_line_sync(command, NULL, NULL, &status, NULL);
    if (status != 0)
        g_test_skip("this kernel has no such links, or no bridges with VLAN filtering");
    return status == 0;
}


/* Bridges may be built into a kernel without VLANs (CONFIG_BRIDGE_VLAN_FILTERING). */
static gboolean
hostFiltersVlans(Host *host,
                 const char *bridge)
{
    g_autofree char *command = g_strdup_printf("ip link set dev %s type bridge vlan_filtering 1",
                                               bridge);
    virTeamingLink link;

    g_assert_true(virTeamingKernelLinkGet(host->kernel, bridge, &link, NULL));
    link.vlanFiltering = TRUE;
    return hostTryLink(host, &link, command);
}


/* @port is in these VLANs, ascending, 0-terminated, and in no others. Tagged, but for VLAN 1, as
 * Linux has it on a new port. */
static void
hostSetVlans(Host *host,
             const char *port,
             const guint16 *vlans)
{
    if (host->fake) {
        virTeamingFakeSetVlans(host->kernel, port, vlans);
        return;
    }
    run("bridge vlan del dev %s vid 1-4094", port);
    for (; *vlans; vlans++)
        run("bridge vlan add dev %s vid %u%s", port, *vlans,
            *vlans == 1 ? " pvid untagged" : "");
}


/* The guest behind the tap @port sends a frame. */
static void
hostReceive(Host *host,
            const char *port,
            const virTeamingMac *source)
{
    guint8 frame[ETH_ZLEN] = { 0x52, 0x54, 0x00, 0xff, 0xff, 0xff };
    int fd;

    if (host->fake) {
        virTeamingFakeReceive(host->kernel, port, source, 0);
        return;
    }
    memcpy(frame + ETH_ALEN, source->addr, ETH_ALEN);
    frame[12] = 0x88;               /* ethertype 88b5: for experiments */
    frame[13] = 0xb5;
    fd = GPOINTER_TO_INT(g_hash_table_lookup(host->taps, port));
    g_assert_cmpint(write(fd, frame, sizeof(frame)), ==, (gssize)sizeof(frame));
}


static void
hostSetPciState(Host *host,
                const virTeamingPciAddress *address,
                gboolean busMaster,
                guint vectors)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    guint8 config[64] = { 0x86, 0x80, 0xca, 0x10, busMaster ? 0x06 : 0x02, 0x04, 0x10 };
    g_autofree char *base = NULL;
    g_autofree char *path = NULL;
    int fd;

    if (host->fake) {
        virTeamingFakeSetPciState(host->kernel, address, busMaster, vectors);
        return;
    }
    base = g_strdup_printf("%s/bus/pci/devices/%s", host->sysfs,
                           virTeamingPciAddressFormat(address, buf));
    path = g_strdup_printf("%s/config", base);
    /* In place, since the file of a real sysfs does not change its identity either. */
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    g_assert_cmpint(write(fd, config, sizeof(config)), ==, (gssize)sizeof(config));
    close(fd);
    if (busMaster) {
        g_autofree char *enable = g_strdup_printf("bus/pci/devices/%s/enable", buf);

        hostPutFile(host, enable, "1\n", -1);
    }
    run("rm -rf %s/msi_irqs", base);
    for (guint i = 0; i < vectors; i++) {
        g_autofree char *irq = g_strdup_printf("bus/pci/devices/%s/msi_irqs/%u", buf, 24 + i);

        hostPutFile(host, irq, "msix\n", -1);
    }
}


/* A PCI function; for a VF, @index tells which one of its PF it is. */
static void
hostAddPci(Host *host,
           const virTeamingPciDevice *device,
           guint index)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    g_autofree char *base = NULL;

    virTeamingPciAddressFormat(&device->address, buf);
    if (host->fake) {
        virTeamingFakeSetPci(host->kernel, device);
        if (device->physfn[0]) {
            virTeamingVf vf = { .index = index, .address = device->address };
            virTeamingPciAddress physfn;
            virTeamingPciDevice pf;

            g_assert_true(virTeamingPciAddressParse(device->physfn, &physfn));
            g_assert_true(virTeamingKernelPciGetDevice(host->kernel, &physfn, &pf, NULL));
            virTeamingFakeSetVf(host->kernel, pf.netdev, &vf);
        }
        return;
    }

    base = g_strdup_printf("bus/pci/devices/%s", buf);
#define PUT(what, path, ...) \
    do { \
        g_autofree char *full = g_strdup_printf("%s/" path, base); \
        g_autofree char *text = g_strdup_printf(__VA_ARGS__); \
        what(host, full, text PUT_LENGTH_##what); \
    } while (0)
#define PUT_LENGTH_hostPutFile , -1
#define PUT_LENGTH_hostPutLink
    PUT(hostPutFile, "class", "0x%06x\n", device->classCode);
    if (device->driver[0])
        PUT(hostPutLink, "driver", "../../../../bus/pci/drivers/%s", device->driver);
    if (device->netdev[0]) {
        g_autofree char *net = g_strdup_printf("%s/net/%s/ifindex", base, device->netdev);
        g_autofree char *link = g_strdup_printf("class/net/%s/device", device->netdev);
        g_autofree char *target = g_strdup_printf("../../../%s", base);

        hostPutFile(host, net, "2\n", -1);
        hostPutLink(host, link, target);
    }
    if (device->iommuGroup >= 0) {
        g_autofree char *member = g_strdup_printf("kernel/iommu_groups/%d/devices/%s",
                                                  device->iommuGroup, buf);
        g_autofree char *target = g_strdup_printf("../../../../%s", base);

        PUT(hostPutLink, "iommu_group", "../../../../kernel/iommu_groups/%d", device->iommuGroup);
        hostPutLink(host, member, target);
    }
    if (device->vfsTotal) {
        PUT(hostPutFile, "sriov_totalvfs", "%u\n", device->vfsTotal);
        PUT(hostPutFile, "sriov_numvfs", "%u\n", device->vfsEnabled);
    }
    if (device->physfn[0]) {
        g_autofree char *virtfn = g_strdup_printf("bus/pci/devices/%s/virtfn%u",
                                                  device->physfn, index);
        g_autofree char *target = g_strdup_printf("../%s", buf);

        hostPutLink(host, virtfn, target);
        PUT(hostPutLink, "physfn", "../%s", device->physfn);
        PUT(hostPutFile, "physfn/sriov_drivers_autoprobe", "%d\n", !device->noDriver);
    }
    hostSetPciState(host, &device->address, FALSE, 0);
}


/* A PF "eth1" with two VFs in groups of their own; the netdev itself is not there. */
static void
hostAddNic(Host *host)
{
    virTeamingPciDevice pf = {
        .address = pfAddress, .classCode = 0x020000, .iommuGroup = 10,
        .driver = "igb", .netdev = "eth1", .vfsEnabled = 2, .vfsTotal = 7,
    };
    virTeamingPciDevice vf = {
        .address = vfAddress, .classCode = 0x020000, .iommuGroup = 11,
        .driver = "vfio-pci", .physfn = "0000:01:00.0", .noDriver = TRUE,
    };
    virTeamingPciDevice vf2 = {
        .address = vfAddress2, .classCode = 0x020000, .iommuGroup = 12,
        .driver = "igbvf", .physfn = "0000:01:00.0", .netdev = "eth1v1", .noDriver = TRUE,
    };

    hostAddPci(host, &pf, 0);
    hostAddPci(host, &vf, 0);
    hostAddPci(host, &vf2, 1);
}


/* Bridge br0 with the ports tap0 and tap1, all up. */
static void
hostAddBridge(Host *host)
{
    hostAddLink(host, "br0", "bridge");
    hostAddLink(host, "tap0", "tun");
    hostAddLink(host, "tap1", "tun");
    hostSetMaster(host, "tap0", "br0");
    hostSetMaster(host, "tap1", "br0");
    hostSetUp(host, "tap0");
    hostSetUp(host, "tap1");
    hostSetUp(host, "br0");
}


static void
hostSetup(Host *host,
          gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    host->fake = strcmp(data, "fake") == 0;
    host->told = g_string_new(NULL);
    if (host->fake) {
        host->kernel = virTeamingKernelNewFake();
        return;
    }
    if (unshare(CLONE_NEWNET) < 0)
        g_error("cannot make a network namespace: %s", g_strerror(errno));
    host->taps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, closeTap);
    host->sysfs = g_dir_make_tmp("kerneltest-XXXXXX", &error);
    g_assert_no_error(error);
    host->kernel = virTeamingKernelNew(host->sysfs, &error);
    g_assert_no_error(error);
}


static void
hostTeardown(Host *host,
             gconstpointer data)
{
    virTeamingKernelFree(host->kernel);
    if (host->sysfs)
        run("rm -rf %s", host->sysfs);
    g_free(host->sysfs);
    g_clear_pointer(&host->taps, g_hash_table_unref);
    g_string_free(host->told, TRUE);
}


/* As hostSetup(), with a PF: a model of one, or the real one that the environment names. */
static void
hostSetupPf(Host *host,
            gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    host->fake = strcmp(data, "fake") == 0;
    host->told = g_string_new(NULL);
    if (host->fake) {
        host->kernel = virTeamingKernelNewFake();
        host->pf = "eth1";
        hostAddNic(host);
        hostAddLink(host, "eth1", "");
        return;
    }
    host->pf = g_getenv("VIR_TEAMING_TEST_PF");
    g_assert_cmpint(setns(homeNamespace, CLONE_NEWNET), ==, 0);
    host->kernel = virTeamingKernelNew(NULL, &error);
    g_assert_no_error(error);
}


/* ---- helpers of the tests ---- */

#define assertFails(call, errorCode) \
    do { \
        g_autoptr(GError) theError = NULL; \
        GError **error = &theError; \
        g_assert_false(call); \
        g_assert_error(theError, VIR_TEAMING_ERROR, errorCode); \
        g_test_message("%s", theError->message); \
    } while (0)

#define assertWorks(call) \
    do { \
        g_autoptr(GError) theError = NULL; \
        GError **error = &theError; \
        gboolean works = (call) ? TRUE : FALSE; \
        g_assert_no_error(theError); \
        g_assert_true(works); \
    } while (0)


static virTeamingFdbEntry
fdbEntry(const char *dev,
         const virTeamingMac *mac,
         guint flags)
{
    virTeamingFdbEntry entry = { .mac = *mac, .flags = flags };

    g_strlcpy(entry.dev, dev, sizeof(entry.dev));
    return entry;
}


static void
fdbAdd(Host *host,
       const char *dev,
       const virTeamingMac *mac,
       guint flags)
{
    virTeamingFdbEntry entry = fdbEntry(dev, mac, flags);

    assertWorks(virTeamingKernelFdbAdd(host->kernel, &entry, error));
}


static void
fdbDel(Host *host,
       const char *dev,
       const virTeamingMac *mac,
       guint flags)
{
    virTeamingFdbEntry entry = fdbEntry(dev, mac, flags);

    assertWorks(virTeamingKernelFdbDel(host->kernel, &entry, error));
}


/* What br0 knows of @mac: "tap0", "tap0 static sticky", or "nothing". */
static char *
fdbShow(Host *host,
        const virTeamingMac *mac)
{
    g_autoptr(GError) error = NULL;
    virTeamingFdbEntry entry;

    if (!virTeamingKernelFdbGet(host->kernel, "br0", mac, 0, &entry, &error)) {
        g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND);
        return g_strdup("nothing");
    }
    g_assert_true(virTeamingMacEqual(mac, &entry.mac));
    g_assert_true(entry.flags & VIR_TEAMING_FDB_MASTER);
    return g_strdup_printf("%s%s%s%s", entry.dev,
                           entry.flags & VIR_TEAMING_FDB_STATIC ? " static" : "",
                           entry.flags & VIR_TEAMING_FDB_LOCAL ? " local" : "",
                           entry.flags & VIR_TEAMING_FDB_STICKY ? " sticky" : "");
}


#define assertFdb(mac, expected) \
    do { \
        g_autofree char *shown = fdbShow(host, mac); \
        g_assert_cmpstr(shown, ==, expected); \
    } while (0)


/*
 * How many entries of @dev for @mac there are with just these @flags. Those in VLANs don't
 * count: a kernel whose bridges know VLANs repeats each entry in the ports' default VLAN.
 */
static guint
fdbCount(Host *host,
         const char *dev,
         const virTeamingMac *mac,
         guint flags)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) list = virTeamingKernelFdbList(host->kernel, dev, mac, &error);
    guint count = 0;

    g_assert_no_error(error);
    for (guint i = 0; i < list->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(list, virTeamingFdbEntry, i);

        if (entry->flags == flags && entry->vlan == 0)
            count++;
    }
    return count;
}


static void
noteChange(const char *ifname,
           const virTeamingMac *mac,
           gpointer opaque)
{
    Host *host = opaque;
    char buf[VIR_TEAMING_MAC_STRING_LEN];

    g_string_append_printf(host->told, "%s%s%s;", ifname ? ifname : "anything",
                           mac ? " " : "", mac ? virTeamingMacFormat(mac, buf) : "");
}


/* Lets the watcher be told, and forgets what it was told before. */
static const char *
hear(Host *host)
{
    g_string_truncate(host->told, 0);
    for (guint i = 0; i < 20; i++) {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        g_usleep(1000);
    }
    return host->told->str;
}


/* A new bridge finds its state only by and by: what is told but for that. */
static const char *
hearPorts(Host *host)
{
    hear(host);
    g_string_replace(host->told, "br0;", "", 0);
    return host->told->str;
}


#define assertTold(what) \
    do { \
        const char *told = hear(host); \
        if (!strstr(told, what)) \
            g_error("not told of '%s', but of '%s'", what, told); \
    } while (0)


/* ---- PCI ---- */

static void
testPciState(Host *host,
             gconstpointer data)
{
    virTeamingPciState state;

    hostAddNic(host);
    assertWorks(virTeamingKernelPciGetState(host->kernel, &vfAddress, &state, error));
    g_assert_cmpstr(state.driver, ==, "vfio-pci");
    g_assert_false(state.busMaster);
    g_assert_cmpuint(state.vectors, ==, 0);

    g_assert_false(state.enabled);

    hostSetPciState(host, &vfAddress, TRUE, 3);
    assertWorks(virTeamingKernelPciGetState(host->kernel, &vfAddress, &state, error));
    g_assert_true(state.busMaster);
    g_assert_cmpuint(state.vectors, ==, 3);
    g_assert_true(state.enabled);

    /* Who has it open need not drive it. */
    hostSetPciState(host, &vfAddress, FALSE, 0);
    assertWorks(virTeamingKernelPciGetState(host->kernel, &vfAddress, &state, error));
    g_assert_true(state.enabled);
}


static void
testPciHandle(Host *host,
              gconstpointer data)
{
    g_autoptr(virTeamingPciHandle) handle = NULL;
    gboolean busMaster;
    guint vectors;

    hostAddNic(host);
    assertWorks(handle = virTeamingKernelPciOpen(host->kernel, &vfAddress, error));
    for (guint i = 0; i < 4; i++) {
        hostSetPciState(host, &vfAddress, i & 1, i * 40);
        assertWorks(virTeamingPciHandleRead(handle, &busMaster, &vectors, error));
        g_assert_cmpint(busMaster, ==, i & 1);
        g_assert_cmpuint(vectors, ==, i * 40);
    }
}


/* Not shown with the real kernel: a file that was removed can still be read elsewhere. */
static void
testPciHandleOfOneThatWent(Host *host,
                           gconstpointer data)
{
    g_autoptr(virTeamingPciHandle) handle = NULL;
    gboolean busMaster = 2;
    guint vectors = 99;

    hostAddNic(host);
    assertWorks(handle = virTeamingKernelPciOpen(host->kernel, &vfAddress, error));
    virTeamingFakeRemovePci(host->kernel, &vfAddress);
    assertFails(virTeamingPciHandleRead(handle, &busMaster, &vectors, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    hostAddNic(host);
    assertFails(virTeamingPciHandleRead(handle, &busMaster, &vectors, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    g_assert_cmpint(busMaster, ==, 2);
    g_assert_cmpuint(vectors, ==, 99);
}


/* Only here: the fake has no configuration space that could read as all ones. */
static void
testPciThatDoesNotAnswer(Host *host,
                         gconstpointer data)
{
    virTeamingPciState state = { .vectors = 99 };
    guint8 ones[64];

    hostAddNic(host);
    memset(ones, 0xff, sizeof(ones));
    hostPutFile(host, "bus/pci/devices/0000:01:10.0/config", ones, sizeof(ones));
    assertFails(virTeamingKernelPciGetState(host->kernel, &vfAddress, &state, error),
                VIR_TEAMING_ERROR_SYSTEM);
    hostPutFile(host, "bus/pci/devices/0000:01:10.0/config", ones, 4);
    assertFails(virTeamingKernelPciGetState(host->kernel, &vfAddress, &state, error),
                VIR_TEAMING_ERROR_SYSTEM);
    g_assert_cmpuint(state.vectors, ==, 99);
}


static void
testPciDevice(Host *host,
              gconstpointer data)
{
    virTeamingPciDevice device;

    hostAddNic(host);
    assertWorks(virTeamingKernelPciGetDevice(host->kernel, &pfAddress, &device, error));
    g_assert_true(virTeamingPciAddressEqual(&device.address, &pfAddress));
    g_assert_cmphex(device.classCode, ==, 0x020000);
    g_assert_cmpint(device.iommuGroup, ==, 10);
    g_assert_cmpstr(device.driver, ==, "igb");
    g_assert_cmpstr(device.physfn, ==, "");
    g_assert_cmpstr(device.netdev, ==, "eth1");
    g_assert_cmpuint(device.vfsEnabled, ==, 2);
    g_assert_cmpuint(device.vfsTotal, ==, 7);
    g_assert_false(device.noDriver);

    assertWorks(virTeamingKernelPciGetDevice(host->kernel, &vfAddress, &device, error));
    g_assert_cmpstr(device.driver, ==, "vfio-pci");
    g_assert_cmpstr(device.physfn, ==, "0000:01:00.0");
    g_assert_true(device.noDriver);
    g_assert_cmpstr(device.netdev, ==, "");
    g_assert_cmpuint(device.vfsTotal, ==, 0);
}


static void
testPciDeviceBare(Host *host,
                  gconstpointer data)
{
    virTeamingPciDevice bare = { .address = vfAddress, .classCode = 0x020000, .iommuGroup = -1 };
    virTeamingPciDevice device;
    g_autoptr(GArray) group = NULL;

    hostAddPci(host, &bare, 0);
    assertWorks(virTeamingKernelPciGetDevice(host->kernel, &vfAddress, &device, error));
    g_assert_cmpint(device.iommuGroup, ==, -1);
    g_assert_cmpstr(device.driver, ==, "");
    assertWorks(group = virTeamingKernelPciListGroup(host->kernel, &vfAddress, error));
    g_assert_cmpuint(group->len, ==, 0);
}


static void
testPciGroup(Host *host,
             gconstpointer data)
{
    virTeamingPciDevice neighbour = {
        .address = { .bus = 1, .slot = 2 }, .classCode = 0x030000, .iommuGroup = 11,
    };
    g_autoptr(GArray) group = NULL;

    hostAddNic(host);
    hostAddPci(host, &neighbour, 0);
    assertWorks(group = virTeamingKernelPciListGroup(host->kernel, &vfAddress, error));
    g_assert_cmpuint(group->len, ==, 2);
    g_assert_true(virTeamingPciAddressEqual(&g_array_index(group, virTeamingPciAddress, 0),
                                            &neighbour.address));
    g_assert_true(virTeamingPciAddressEqual(&g_array_index(group, virTeamingPciAddress, 1),
                                            &vfAddress));
}


static void
testPciMissing(Host *host,
               gconstpointer data)
{
    virTeamingPciState state;
    virTeamingPciDevice device;
    char pf[IF_NAMESIZE] = "untouched";
    guint index = 99;

    assertFails(virTeamingKernelPciGetState(host->kernel, &nowhere, &state, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelPciGetDevice(host->kernel, &nowhere, &device, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelPciListGroup(host->kernel, &nowhere, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelPciOpen(host->kernel, &nowhere, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfLocate(host->kernel, &nowhere, pf, &index, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    g_assert_cmpstr(pf, ==, "untouched");
    g_assert_cmpuint(index, ==, 99);
}


static void
testVfLocate(Host *host,
             gconstpointer data)
{
    char pf[IF_NAMESIZE];
    guint index;

    hostAddNic(host);
    if (host->fake)
        hostAddLink(host, "eth1", "");
    assertWorks(virTeamingKernelVfLocate(host->kernel, &vfAddress2, pf, &index, error));
    g_assert_cmpstr(pf, ==, "eth1");
    g_assert_cmpuint(index, ==, 1);
    assertFails(virTeamingKernelVfLocate(host->kernel, &pfAddress, pf, &index, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
}


/* The switch of a NIC shows its ports beside the PF; the fake has no such switch. */
static void
testVfLocateBesideRepresentors(Host *host,
                               gconstpointer data)
{
    char pf[IF_NAMESIZE];
    guint index;

    hostAddNic(host);
    hostPutFile(host, "bus/pci/devices/0000:01:00.0/net/eth1/phys_port_name", "p0\n", -1);
    hostPutFile(host, "bus/pci/devices/0000:01:00.0/net/eth0/phys_port_name", "pf0vf1\n", -1);
    assertWorks(virTeamingKernelVfLocate(host->kernel, &vfAddress, pf, &index, error));
    g_assert_cmpstr(pf, ==, "eth1");
    g_assert_cmpuint(index, ==, 0);

    run("rm -r %s/bus/pci/devices/0000:01:00.0/net/eth1", host->sysfs);
    assertFails(virTeamingKernelVfLocate(host->kernel, &vfAddress, pf, &index, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
}


static void
hostPutPort(Host *host,
            const char *netdev,
            const char *switchId,
            const char *name)
{
    g_autofree char *id = g_strdup_printf("class/net/%s/phys_switch_id", netdev);
    g_autofree char *port = g_strdup_printf("class/net/%s/phys_port_name", netdev);

    hostPutFile(host, id, switchId, -1);
    hostPutFile(host, port, name, -1);
}


/* Only a representor of the PF's own switch tells the mode. */
static void
testPfRepresentors(Host *host,
                   gconstpointer data)
{
    hostAddNic(host);
    g_assert_false(virTeamingKernelPfHasRepresentors(host->kernel, "eth1"));
    if (!host->fake) {
        hostPutPort(host, "eth1", "0a0b\n", "p0\n");
        hostPutPort(host, "eth2", "0a0b\n", "p1\n");
        hostPutPort(host, "eth9", "0c0d\n", "pf0vf0\n");
        hostPutFile(host, "class/net/eth3/phys_port_name", "pf0vf0\n", -1);
        g_assert_false(virTeamingKernelPfHasRepresentors(host->kernel, "eth1"));
        g_assert_false(virTeamingKernelPfHasRepresentors(host->kernel, "eth3"));
        hostPutPort(host, "eth0", "0a0b\n", "pf0vf1\n");
    } else {
        virTeamingFakeSetSwitchdev(host->kernel, "eth1");
    }
    g_assert_true(virTeamingKernelPfHasRepresentors(host->kernel, "eth1"));
    g_assert_false(virTeamingKernelPfHasRepresentors(host->kernel, "eth7"));
}


/* ---- links ---- */

static void
testLinkGet(Host *host,
            gconstpointer data)
{
    virTeamingLink bridge;
    virTeamingLink port;

    hostAddBridge(host);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "br0", &bridge, error));
    g_assert_cmpstr(bridge.name, ==, "br0");
    g_assert_cmpstr(bridge.kind, ==, "bridge");
    g_assert_cmpstr(bridge.master, ==, "");
    g_assert_true(bridge.up);
    g_assert_false(bridge.vlanFiltering);

    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &port, error));
    g_assert_cmpint(port.ifindex, !=, bridge.ifindex);
    g_assert_cmpstr(port.kind, ==, "tun");
    g_assert_cmpstr(port.master, ==, "br0");
    g_assert_cmpstr(port.pci, ==, "");
    g_assert_cmpuint(port.mtu, ==, 1500);
    g_assert_true(port.up);
    g_assert_true(port.running);
    g_assert_true(port.learning);

    hostSetMaster(host, "tap0", NULL);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &port, error));
    g_assert_cmpstr(port.master, ==, "");
    g_assert_false(port.learning);
}


static void
testLinkList(Host *host,
             gconstpointer data)
{
    g_autoptr(GArray) list = NULL;
    guint seen = 0;

    hostAddBridge(host);
    assertWorks(list = virTeamingKernelLinkList(host->kernel, error));
    for (guint i = 0; i < list->len; i++) {
        virTeamingLink *link = &g_array_index(list, virTeamingLink, i);

        if (strcmp(link->name, "br0") == 0) {
            g_assert_cmpstr(link->master, ==, "");
            seen |= 1;
        } else if (strcmp(link->name, "tap0") == 0) {
            g_assert_cmpstr(link->master, ==, "br0");
            g_assert_true(link->learning);
            seen |= 2;
        } else if (strcmp(link->name, "tap1") == 0) {
            g_assert_cmpstr(link->master, ==, "br0");
            seen |= 4;
        }
    }
    g_assert_cmphex(seen, ==, 7);
}


/* What only the real kernel can be asked for: the rest of a link's particulars. */
static void
testLinkParticulars(Host *host,
                    gconstpointer data)
{
    virTeamingLink link;

    hostAddNic(host);
    run("ip tuntap add dev eth1 mode tap");
    run("ip link set dev eth1 address 52:54:00:01:02:03 mtu 9000");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "eth1", &link, error));
    g_assert_true(virTeamingMacEqual(&link.mac, &guest));
    g_assert_cmpuint(link.mtu, ==, 9000);
    g_assert_false(link.up);
    g_assert_false(link.running);
    g_assert_cmpstr(link.pci, ==, "0000:01:00.0");

    run("ip link set dev eth1 up");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "eth1", &link, error));
    g_assert_true(link.up);
    g_assert_false(link.running);

    run("ip link property add dev eth1 altname enp1s0f0np0");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "enp1s0f0np0", &link, error));
    g_assert_cmpstr(link.name, ==, "eth1");
}


/* What is merely up, nobody uses. */
static void
testLinkUser(Host *host,
             gconstpointer data)
{
    virTeamingLink upper = { .name = "macvtap0", .kind = "macvtap", .lower = "tap9" };
    virTeamingLink link;
    char *user;

    hostAddBridge(host);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &link, error));
    user = virTeamingKernelLinkFindUser(host->kernel, &link);
    g_assert_cmpstr(user, ==, "it is a port of 'br0'; ip link set dev tap0 nomaster");
    g_free(user);

    hostAddLink(host, "tap9", "tun");
    hostSetUp(host, "tap9");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap9", &link, error));
    g_assert_null(virTeamingKernelLinkFindUser(host->kernel, &link));

    if (host->fake)
        virTeamingFakeSetAddress(host->kernel, "tap9", "192.0.2.1");
    else
        run("ip address add 192.0.2.1/24 dev tap9");
    user = virTeamingKernelLinkFindUser(host->kernel, &link);
    g_assert_cmpstr(user, ==, "it has the address 192.0.2.1; ip addr flush dev tap9");
    g_free(user);

    if (host->fake)
        virTeamingFakeSetLink(host->kernel, &upper);
    else
        run("ip link add dev macvtap0 link tap9 type macvtap mode bridge");
    user = virTeamingKernelLinkFindUser(host->kernel, &link);
    g_assert_cmpstr(user, ==, "'macvtap0' is on top of it; take that away");
    g_free(user);
}


/* An entry in the filter of @upper is one of @lower's, too. The fake has no such depth. */
static void
hostExpectHandedDown(Host *host,
                     const char *upper,
                     const char *lower)
{
    virTeamingFdbEntry self = { .flags = VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_STATIC };
    gboolean found = FALSE;

    g_strlcpy(self.dev, upper, sizeof(self.dev));
    g_assert_true(virTeamingMacParse("52:54:00:01:02:03", &self.mac));
    assertWorks(virTeamingKernelFdbAdd(host->kernel, &self, error));
    for (guint i = 0; i < 2; i++) {
        const char *dev = i ? lower : upper;
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) entries = virTeamingKernelFdbList(host->kernel, dev, &self.mac, &error);

        g_assert_no_error(error);
        found = FALSE;
        for (guint j = 0; j < entries->len; j++)
            found |= !!(g_array_index(entries, virTeamingFdbEntry, j).flags &
                        VIR_TEAMING_FDB_SELF);
        g_assert_true(found || (i && host->fake));
    }
    assertWorks(virTeamingKernelFdbDel(host->kernel, &self, error));
}


static void
testVlanLink(Host *host,
             gconstpointer data)
{
    virTeamingLink link = { .name = "tap9.100", .kind = "vlan", .lower = "tap9", .vlan = 100 };

    hostAddLink(host, "tap9", "tun");
    hostSetUp(host, "tap9");
    if (!hostTryLink(host, &link, "ip link add link tap9 name tap9.100 type vlan id 100"))
        return;
    hostSetUp(host, "tap9.100");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap9.100", &link, error));
    g_assert_cmpstr(link.kind, ==, "vlan");
    g_assert_cmpstr(link.lower, ==, "tap9");
    g_assert_cmpuint(link.vlan, ==, 100);
    hostExpectHandedDown(host, "tap9.100", "tap9");
}


static void
testBondLink(Host *host,
             gconstpointer data)
{
    virTeamingLink link = { .name = "lag9", .kind = "bond", .spreads = TRUE };
    virTeamingLink port = { .name = "tap9", .kind = "tun", .master = "lag9", .up = TRUE };

    if (!hostTryLink(host, &link, "ip link add lag9 type bond mode balance-xor"))
        return;
    assertWorks(virTeamingKernelLinkGet(host->kernel, "lag9", &link, error));
    g_assert_cmpstr(link.kind, ==, "bond");
    g_assert_true(link.spreads);
    g_assert_cmpstr(link.active, ==, "");

    hostAddLink(host, "tap9", "tun");
    if (host->fake) {
        link.spreads = FALSE;
        g_strlcpy(link.active, "tap9", sizeof(link.active));
        virTeamingFakeSetLink(host->kernel, &link);
        virTeamingFakeSetLink(host->kernel, &port);
    } else {
        run("ip link set dev lag9 type bond mode active-backup");
        run("ip link set dev tap9 master lag9");
        run("ip link set dev lag9 up");
    }
    assertWorks(virTeamingKernelLinkGet(host->kernel, "lag9", &link, error));
    g_assert_false(link.spreads);
    g_assert_cmpstr(link.active, ==, "tap9");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap9", &port, error));
    g_assert_cmpstr(port.master, ==, "lag9");
    hostExpectHandedDown(host, "lag9", "tap9");
}


static void
testMacvtapMode(Host *host,
                gconstpointer data)
{
    virTeamingLink link = { .name = "macvtap0", .kind = "macvtap", .lower = "tap9",
                            .mode = VIR_TEAMING_MACVTAP_BRIDGE };

    hostAddLink(host, "tap9", "tun");
    if (host->fake)
        virTeamingFakeSetLink(host->kernel, &link);
    else
        run("ip link add dev macvtap0 link tap9 type macvtap mode bridge");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "macvtap0", &link, error));
    g_assert_cmpstr(link.kind, ==, "macvtap");
    g_assert_cmpstr(link.lower, ==, "tap9");
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_BRIDGE);
    assertWorks(virTeamingKernelLinkSetMode(host->kernel, "macvtap0", VIR_TEAMING_MACVTAP_VEPA,
                                            error));
    assertWorks(virTeamingKernelLinkGet(host->kernel, "macvtap0", &link, error));
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_VEPA);
    assertWorks(virTeamingKernelLinkSetMode(host->kernel, "macvtap0", VIR_TEAMING_MACVTAP_BRIDGE,
                                            error));
    assertWorks(virTeamingKernelLinkGet(host->kernel, "macvtap0", &link, error));
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_BRIDGE);

    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap9", &link, error));
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_OTHER);
    assertFails(virTeamingKernelLinkSetMode(host->kernel, "tap9", VIR_TEAMING_MACVTAP_VEPA,
                                            error), VIR_TEAMING_ERROR_UNSUPPORTED);
}


/* The kernel itself has a macvtap's MAC in the filter of what it sits on, while it is up;
 * others may take it off and put it back meanwhile. */
static void
testMacvtapSelf(Host *host,
                gconstpointer data)
{
    const guint self = VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_LOCAL;

    hostAddLink(host, "tap9", "tun");
    run("ip link add dev macvtap0 link tap9 address 52:54:00:01:02:03 type macvtap mode bridge");
    run("ip link set dev tap9 up");
    g_assert_cmpuint(fdbCount(host, "tap9", &guest, self), ==, 0);
    run("ip link set dev macvtap0 up");
    g_assert_cmpuint(fdbCount(host, "tap9", &guest, self), ==, 1);
    fdbDel(host, "tap9", &guest, VIR_TEAMING_FDB_SELF);
    g_assert_cmpuint(fdbCount(host, "tap9", &guest, self), ==, 0);
    fdbAdd(host, "tap9", &guest, VIR_TEAMING_FDB_SELF);
    g_assert_cmpuint(fdbCount(host, "tap9", &guest, self), ==, 1);
    run("ip link set dev macvtap0 down");
    g_assert_cmpuint(fdbCount(host, "tap9", &guest, self), ==, 0);
}


static void
testLinkMissing(Host *host,
                gconstpointer data)
{
    virTeamingFdbEntry entry = fdbEntry("gone", &guest, VIR_TEAMING_FDB_MASTER);
    virTeamingLink link;
    virTeamingVf vf;

    assertFails(virTeamingKernelLinkGet(host->kernel, "gone", &link, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelLinkSetLearning(host->kernel, "gone", FALSE, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelLinkSetMode(host->kernel, "gone", VIR_TEAMING_MACVTAP_VEPA,
                                            error), VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVlanList(host->kernel, "gone", error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfList(host->kernel, "gone", error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfGet(host->kernel, "gone", 0, &vf, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfSetMac(host->kernel, "gone", 0, &guest, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfSetVlan(host->kernel, "gone", 0, 1, 0, FALSE, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelFdbList(host->kernel, "gone", NULL, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelFdbGet(host->kernel, "gone", &guest, 0, &entry, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelFdbDel(host->kernel, &entry, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
}


static void
testNonsense(Host *host,
             gconstpointer data)
{
    static const char * const names[] = { "", ".", "..", "a/b", "sixteen-letters!" };
    virTeamingFdbEntry entry = fdbEntry("tap0", &guest, 0);
    virTeamingLink link;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        assertFails(virTeamingKernelLinkGet(host->kernel, names[i], &link, error),
                    VIR_TEAMING_ERROR_INVALID);

    assertFails(virTeamingKernelVfSetMac(host->kernel, "eth1", 0, MAC(1, 0, 0x5e, 0, 0, 1), error),
                VIR_TEAMING_ERROR_INVALID);
    assertFails(virTeamingKernelVfSetVlan(host->kernel, "eth1", 0, 4095, 0, FALSE, error),
                VIR_TEAMING_ERROR_INVALID);
    assertFails(virTeamingKernelVfSetVlan(host->kernel, "eth1", 0, 1, 8, FALSE, error),
                VIR_TEAMING_ERROR_INVALID);

    hostAddBridge(host);
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error), VIR_TEAMING_ERROR_INVALID);
    entry.flags = VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_MASTER;
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error), VIR_TEAMING_ERROR_INVALID);
    entry.flags = VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_LOCAL | VIR_TEAMING_FDB_STICKY;
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error), VIR_TEAMING_ERROR_INVALID);
    entry.flags = VIR_TEAMING_FDB_MASTER;
    entry.vlan = 4095;
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error), VIR_TEAMING_ERROR_INVALID);
    entry.flags = VIR_TEAMING_FDB_SELF;
    entry.vlan = 1;
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error), VIR_TEAMING_ERROR_INVALID);
}


static void
testLearning(Host *host,
             gconstpointer data)
{
    virTeamingLink link;

    hostAddBridge(host);
    assertWorks(virTeamingKernelLinkSetLearning(host->kernel, "tap0", FALSE, error));
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &link, error));
    g_assert_false(link.learning);
    g_assert_cmpstr(link.master, ==, "br0");
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap1", &link, error));
    g_assert_true(link.learning);

    hostReceive(host, "tap0", &guest);
    assertFdb(&guest, "nothing");
    hostReceive(host, "tap1", &guest);
    assertFdb(&guest, "tap1");

    assertWorks(virTeamingKernelLinkSetLearning(host->kernel, "tap0", TRUE, error));
    hostReceive(host, "tap0", &guest);
    assertFdb(&guest, "tap0");

    hostSetMaster(host, "tap0", NULL);
    assertFails(virTeamingKernelLinkSetLearning(host->kernel, "tap0", FALSE, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


static void
testFlooding(Host *host,
             gconstpointer data)
{
    virTeamingLink link;

    hostAddBridge(host);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &link, error));
    g_assert_true(link.flooding);
    assertWorks(virTeamingKernelLinkSetFlooding(host->kernel, "tap0", FALSE, error));
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &link, error));
    g_assert_true(!link.flooding && link.learning);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap1", &link, error));
    g_assert_true(link.flooding);
    assertWorks(virTeamingKernelLinkSetFlooding(host->kernel, "tap0", TRUE, error));
    assertWorks(virTeamingKernelLinkGet(host->kernel, "tap0", &link, error));
    g_assert_true(link.flooding);

    hostSetMaster(host, "tap0", NULL);
    assertFails(virTeamingKernelLinkSetFlooding(host->kernel, "tap0", FALSE, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
    assertFails(virTeamingKernelLinkSetFlooding(host->kernel, "gone", FALSE, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
}


/* ---- FDB ---- */

static void
testFdbLearnt(Host *host,
              gconstpointer data)
{
    hostAddBridge(host);
    assertFdb(&guest, "nothing");
    hostReceive(host, "tap0", &guest);
    assertFdb(&guest, "tap0");
    hostReceive(host, "tap1", &guest);
    assertFdb(&guest, "tap1");
    g_assert_cmpuint(fdbCount(host, "br0", &guest, VIR_TEAMING_FDB_MASTER), ==, 1);
}


static void
testFdbStaticMovesUnlessSticky(Host *host,
                               gconstpointer data)
{
    hostAddBridge(host);
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    assertFdb(&guest, "tap0 static");
    hostReceive(host, "tap1", &guest);
    assertFdb(&guest, "tap1 static");

    fdbAdd(host, "tap0", &guest,
           VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY);
    assertFdb(&guest, "tap0 static sticky");
    hostReceive(host, "tap1", &guest);
    assertFdb(&guest, "tap0 static sticky");
}


static void
testFdbAddReplaces(Host *host,
                   gconstpointer data)
{
    hostAddBridge(host);
    hostReceive(host, "tap0", &guest);
    for (guint i = 0; i < 2; i++) {
        fdbAdd(host, "tap1", &guest,
               VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY);
        assertFdb(&guest, "tap1 static sticky");
    }
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    assertFdb(&guest, "tap0");
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_LOCAL);
    assertFdb(&guest, "tap0 local");
    assertFdb(&other, "nothing");
}


static void
testFdbDel(Host *host,
           gconstpointer data)
{
    hostAddBridge(host);
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    fdbDel(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER);
    assertFdb(&guest, "tap0 static");
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    assertFdb(&guest, "nothing");
    hostReceive(host, "tap0", &guest);
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    assertFdb(&guest, "nothing");
}


static void
testFdbSelf(Host *host,
            gconstpointer data)
{
    const guint self = VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_LOCAL;

    hostAddBridge(host);
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_SELF);
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_SELF);
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_STATIC);
    g_assert_cmpuint(fdbCount(host, "tap0", &guest, self), ==, 1);
    g_assert_cmpuint(fdbCount(host, "br0", &guest, self), ==, 1);
    g_assert_cmpuint(fdbCount(host, "tap1", &guest, self), ==, 0);
    assertFdb(&guest, "nothing");

    fdbAdd(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_SELF);
    g_assert_cmpuint(fdbCount(host, "tap0", &guest, self), ==, 0);
    assertFdb(&guest, "tap1 static");
}


static void
testFdbList(Host *host,
            gconstpointer data)
{
    const guint fixed = VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC;

    hostAddBridge(host);
    hostAddLink(host, "br9", "bridge");
    hostAddLink(host, "tap9", "tun");
    hostSetMaster(host, "tap9", "br9");
    fdbAdd(host, "tap0", &guest, fixed);
    fdbAdd(host, "tap1", &other, fixed);
    fdbAdd(host, "tap9", &guest, fixed);

    g_assert_cmpuint(fdbCount(host, "br0", NULL, fixed), ==, 2);
    g_assert_cmpuint(fdbCount(host, "br0", &guest, fixed), ==, 1);
    g_assert_cmpuint(fdbCount(host, "tap0", NULL, fixed), ==, 1);
    g_assert_cmpuint(fdbCount(host, "tap0", &other, fixed), ==, 0);
    g_assert_cmpuint(fdbCount(host, "br9", NULL, fixed), ==, 1);
    hostSetMaster(host, "tap1", NULL);
    g_assert_cmpuint(fdbCount(host, "br0", NULL, fixed), ==, 1);
    hostSetMaster(host, "tap1", "br0");
    g_assert_cmpuint(fdbCount(host, "br0", NULL, fixed), ==, 1);
}


static void
testFdbGetByPort(Host *host,
                 gconstpointer data)
{
    virTeamingFdbEntry entry;

    hostAddBridge(host);
    hostAddLink(host, "tap9", "tun");
    fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    assertWorks(virTeamingKernelFdbGet(host->kernel, "tap1", &guest, 0, &entry, error));
    g_assert_cmpstr(entry.dev, ==, "tap0");
    assertFails(virTeamingKernelFdbGet(host->kernel, "tap9", &guest, 0, &entry, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


static void
testFdbOffBridge(Host *host,
                 gconstpointer data)
{
    virTeamingFdbEntry entry = fdbEntry("tap9", &guest, VIR_TEAMING_FDB_MASTER);

    hostAddLink(host, "tap9", "tun");
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
    assertFails(virTeamingKernelFdbDel(host->kernel, &entry, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


static void
testFdbVlan(Host *host,
            gconstpointer data)
{
    virTeamingFdbEntry entry = fdbEntry("tap0", &guest,
                                        VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    virTeamingFdbEntry found;
    virTeamingLink link;

    hostAddBridge(host);
    if (!hostFiltersVlans(host, "br0"))
        return;
    assertWorks(virTeamingKernelLinkGet(host->kernel, "br0", &link, error));
    g_assert_true(link.vlanFiltering);
    hostSetVlans(host, "tap0", VLANS(7));
    entry.vlan = 8;
    assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
    entry.vlan = 7;
    assertWorks(virTeamingKernelFdbAdd(host->kernel, &entry, error));
    assertWorks(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 7, &found, error));
    g_assert_cmpuint(found.vlan, ==, 7);
    assertFdb(&guest, "nothing");
    assertWorks(virTeamingKernelFdbDel(host->kernel, &entry, error));
    assertFails(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 7, &found, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
}


/* Without a VLAN an entry is in all of its port's; those that it leaves keep theirs. */
static void
testFdbEveryVlan(Host *host,
                 gconstpointer data)
{
    virTeamingFdbEntry entry = fdbEntry("tap0", &guest, VIR_TEAMING_FDB_MASTER |
                                        VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY);
    virTeamingFdbEntry found;

    hostAddBridge(host);
    if (!hostFiltersVlans(host, "br0"))
        return;
    hostSetVlans(host, "tap0", VLANS(7, 9));
    assertWorks(virTeamingKernelFdbAdd(host->kernel, &entry, error));
    assertFdb(&guest, "tap0 static sticky");
    assertWorks(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 7, &found, error));
    assertWorks(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 9, &found, error));
    assertWorks(virTeamingKernelFdbDel(host->kernel, &entry, error));
    assertFdb(&guest, "nothing");
    assertWorks(virTeamingKernelFdbAdd(host->kernel, &entry, error));

    hostSetVlans(host, "tap0", VLANS(9));
    assertWorks(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 7, &found, error));
    assertWorks(virTeamingKernelFdbDel(host->kernel, &found, error));
    assertFails(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 7, &found, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertWorks(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 9, &found, error));
    assertWorks(virTeamingKernelFdbDel(host->kernel, &entry, error));
    assertFails(virTeamingKernelFdbGet(host->kernel, "br0", &guest, 9, &found, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFdb(&guest, "nothing");
}


static void
testVlanList(Host *host,
             gconstpointer data)
{
    g_autoptr(GArray) vlans = NULL;
    /* Where a new port is, frames have no tag. */
    const virTeamingPortVlan some[] = { { 1, 0 }, { 7, 7 }, { 8, 8 }, { 9, 9 }, { 4094, 4094 } };
    guint16 many[1002];

    for (guint i = 0; i < 1001; i++)
        many[i] = i + 100;
    many[1001] = 0;

    hostAddBridge(host);
    if (!hostFiltersVlans(host, "br0"))
        return;
    hostSetVlans(host, "tap0", VLANS(1, 7, 8, 9, 4094));
    assertWorks(vlans = virTeamingKernelVlanList(host->kernel, "tap0", error));
    g_assert_cmpmem(vlans->data, vlans->len * sizeof(virTeamingPortVlan), some, sizeof(some));
    g_clear_pointer(&vlans, g_array_unref);

    if (host->fake) {
        hostSetVlans(host, "tap1", many);
    } else {
        run("bridge vlan del dev tap1 vid 1");
        run("bridge vlan add dev tap1 vid 100-1100");
    }
    assertWorks(vlans = virTeamingKernelVlanList(host->kernel, "tap1", error));
    g_assert_cmpuint(vlans->len, ==, 1001);
    for (guint i = 0; i < vlans->len; i++)
        g_assert_cmpuint(g_array_index(vlans, virTeamingPortVlan, i).id, ==, many[i]);
    g_clear_pointer(&vlans, g_array_unref);

    hostSetVlans(host, "tap0", VLANS(0));
    assertWorks(vlans = virTeamingKernelVlanList(host->kernel, "tap0", error));
    g_assert_cmpuint(vlans->len, ==, 0);
    hostSetMaster(host, "tap0", NULL);
    assertFails(virTeamingKernelVlanList(host->kernel, "tap0", error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


/* ---- frames ---- */

/* What was sent by a link as it comes to the other end: of a fake what is logged, else what is
 * read from the tap. */
static void
hostAssertSent(Host *host,
               const char *tap,
               const guint8 *frame,
               gsize size)
{
    guint8 got[VIR_TEAMING_FRAME_MAX];

    if (host->fake) {
        g_autofree char *log = virTeamingFakeTakeLog(host->kernel);
        g_autofree char *want = g_strdup_printf("FrameSend %s type 88b5 ", tap);

        g_assert_true(g_str_has_prefix(log, want));
        return;
    }
    for (guint tries = 0; tries < 50; tries++) {
        struct pollfd poller = {
            .fd = GPOINTER_TO_INT(g_hash_table_lookup(host->taps, tap)), .events = POLLIN,
        };

        g_assert_cmpint(poll(&poller, 1, 5000), ==, 1);
        /* Linux itself has things to say, too. */
        if (read(poller.fd, got, sizeof(got)) == (ssize_t)size && memcmp(got, frame, size) == 0)
            return;
    }
    g_assert_not_reached();
}


/* A frame comes in on @tap. */
static void
hostPass(Host *host,
            const char *tap,
         const guint8 *frame,
         gsize size)
{
    if (host->fake)
        virTeamingFakeFrame(host->kernel, tap, frame, size);
    else
        g_assert_cmpint(write(GPOINTER_TO_INT(g_hash_table_lookup(host->taps, tap)), frame, size),
                        ==, size);
}


static void
testFrames(Host *host,
           gconstpointer data)
{
    virTeamingNotice notice = { .mac = guest, .uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809" };
    guint8 frame[VIR_TEAMING_FRAME_MAX];
    guint8 got[VIR_TEAMING_FRAME_MAX];
    gsize size = virTeamingFrameNotice(&notice, 0, frame);
    int ear;

    hostAddBridge(host);
    assertFails(virTeamingKernelFrameSend(host->kernel, "gone", frame, size, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelFrameListen(host->kernel, "gone", &guest,
                                            VIR_TEAMING_FRAME_ETHERTYPE, error) >= 0,
                VIR_TEAMING_ERROR_NOT_FOUND);
    hostAddLink(host, "dark0", "tun");
    assertFails(virTeamingKernelFrameSend(host->kernel, "dark0", frame, size, error),
                VIR_TEAMING_ERROR_SYSTEM);

    assertWorks((ear = virTeamingKernelFrameListen(host->kernel, "tap0", &guest,
                                                   VIR_TEAMING_FRAME_ETHERTYPE, error)) >= 0);
    if (host->fake)
        g_free(virTeamingFakeTakeLog(host->kernel));
    assertWorks(virTeamingKernelFrameSend(host->kernel, "tap0", frame, size, error));
    hostAssertSent(host, "tap0", frame, size);
    /* What was sent is not heard, nor what comes in elsewhere, from others or of another kind. */
    hostPass(host, "tap1", frame, size);
    notice.mac = other;
    hostPass(host, "tap0", frame, virTeamingFrameNotice(&notice, 0, frame));
    hostPass(host, "tap0", frame, virTeamingFrameAnnounce(&guest, 0, frame));
    g_assert_cmpint(read(ear, got, sizeof(got)), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);

    /* A bridge has it all the same. */
    notice.mac = guest;
    size = virTeamingFrameNotice(&notice, 0, frame);
    hostPass(host, "tap0", frame, size);
    g_assert_cmpint(read(ear, got, sizeof(got)), ==, size);
    g_assert_cmpmem(got, size, frame, size);
    if (!host->fake)
        hostAssertSent(host, "tap1", frame, size);
    hostPass(host, "tap0", frame, size);
    close(ear);
    hostPass(host, "tap0", frame, size);
}


/* ---- VFs ---- */

static void
testVfOfWhatIsNoPf(Host *host,
                   gconstpointer data)
{
    g_autoptr(GArray) vfs = NULL;
    virTeamingVf vf;

    hostAddLink(host, "tap9", "tun");
    assertWorks(vfs = virTeamingKernelVfList(host->kernel, "tap9", error));
    g_assert_cmpuint(vfs->len, ==, 0);
    assertFails(virTeamingKernelVfGet(host->kernel, "tap9", 0, &vf, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfSetMac(host->kernel, "tap9", 0, &guest, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
    assertFails(virTeamingKernelVfSetVlan(host->kernel, "tap9", 0, 1, 0, FALSE, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
    assertFails(virTeamingKernelVfSetVlan(host->kernel, "tap9", 0, 1, 0, TRUE, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


static void
testVfSet(Host *host,
          gconstpointer data)
{
    static const virTeamingMac zero;
    virTeamingVf before;
    virTeamingVf vf;
    g_autoptr(GError) refused = NULL;
    char pf[IF_NAMESIZE];
    guint index;

    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &before, error));
    assertWorks(virTeamingKernelVfLocate(host->kernel, &before.address, pf, &index, error));
    g_assert_cmpstr(pf, ==, host->pf);
    g_assert_cmpuint(index, ==, 0);

    /* Each order changes one thing and leaves the others. */
    assertWorks(virTeamingKernelVfSetVlan(host->kernel, host->pf, 0, 100, 3, FALSE, error));
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &guest, error));
    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &vf, error));
    g_assert_true(virTeamingMacEqual(&vf.mac, &guest));
    g_assert_cmpuint(vf.vlan, ==, 100);
    g_assert_cmpuint(vf.qos, ==, 3);
    g_assert_false(vf.serviceVlan);
    g_assert_cmpint(vf.trust, ==, before.trust);
    g_assert_cmpint(vf.spoofchk, ==, before.spoofchk);
    /* Few drivers take one of 802.1ad. */
    if (virTeamingKernelVfSetVlan(host->kernel, host->pf, 0, 101, 2, TRUE, &refused)) {
        assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &vf, error));
        g_assert_cmpuint(vf.vlan, ==, 101);
        g_assert_cmpuint(vf.qos, ==, 2);
        g_assert_true(vf.serviceVlan);
    } else {
        g_assert_false(host->fake);
        g_assert_error(refused, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED);
    }
    assertWorks(virTeamingKernelVfSetVlan(host->kernel, host->pf, 0, 0, 0, FALSE, error));
    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &vf, error));
    g_assert_true(virTeamingMacEqual(&vf.mac, &guest));
    g_assert_cmpuint(vf.vlan, ==, 0);
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &zero, error));
    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &vf, error));
    g_assert_true(virTeamingMacIsZero(&vf.mac));

    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &before.mac, error));
    assertWorks(virTeamingKernelVfSetVlan(host->kernel, host->pf, 0, before.vlan, before.qos,
                                          before.serviceVlan, error));
}


static void
testVfList(Host *host,
           gconstpointer data)
{
    g_autoptr(GArray) vfs = NULL;
    virTeamingVf vf;

    assertWorks(vfs = virTeamingKernelVfList(host->kernel, host->pf, error));
    g_assert_cmpuint(vfs->len, >, 0);
    for (guint i = 0; i < vfs->len; i++) {
        virTeamingVf *listed = &g_array_index(vfs, virTeamingVf, i);

        g_assert_cmpuint(listed->index, ==, i);
        assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, i, &vf, error));
        g_assert_true(virTeamingPciAddressEqual(&vf.address, &listed->address));
        g_assert_true(virTeamingMacEqual(&vf.mac, &listed->mac));
    }
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, vfs->len - 1, &guest, error));
    assertWorks(virTeamingKernelVfFind(host->kernel, host->pf, &guest, &vf, error));
    g_assert_cmpuint(vf.index, ==, vfs->len - 1);
    g_assert_true(virTeamingPciAddressEqual(
        &vf.address, &g_array_index(vfs, virTeamingVf, vf.index).address));
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, vf.index,
                                         &g_array_index(vfs, virTeamingVf, vf.index).mac, error));
    assertFails(virTeamingKernelVfFind(host->kernel, host->pf, &guest, &vf, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfFind(host->kernel, "gone", &guest, &vf, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfGet(host->kernel, host->pf, vfs->len, &vf, error),
                VIR_TEAMING_ERROR_NOT_FOUND);
    assertFails(virTeamingKernelVfSetMac(host->kernel, host->pf, 200, &guest, error),
                VIR_TEAMING_ERROR_UNSUPPORTED);
}


static void
testVfWatch(Host *host,
            gconstpointer data)
{
    g_autofree char *expected = g_strdup_printf("%s;", host->pf);
    virTeamingVf before;

    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &before, error));
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &guest, error));
    assertTold(expected);
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &before.mac, error));
}


/* ---- notifications ---- */

static void
testWatch(Host *host,
          gconstpointer data)
{
    hostAddBridge(host);
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    for (guint i = 0; i < 50 && *hear(host); i++)
        continue;
    g_assert_cmpstr(hearPorts(host), ==, "");

    hostAddLink(host, "tap9", "tun");
    assertTold("tap9;");
    hostSetMaster(host, "tap9", "br0");
    assertTold("tap9;");
    hostReceive(host, "tap0", &guest);
    assertTold("tap0 52:54:00:01:02:03;");
    fdbAdd(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    assertTold("tap1 52:54:00:01:02:03;");
    fdbDel(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER);
    assertTold("tap1 52:54:00:01:02:03;");
    fdbAdd(host, "tap1", &other, VIR_TEAMING_FDB_SELF);
    assertTold("tap1 52:54:00:01:02:04;");
    assertWorks(virTeamingKernelLinkSetLearning(host->kernel, "tap0", FALSE, error));
    assertTold("tap0;");
    hostDelLink(host, "tap9");
    assertTold("tap9;");

    assertWorks(virTeamingKernelWatch(host->kernel, NULL, NULL, error));
    hostDelLink(host, "br0");
    g_assert_cmpstr(hear(host), ==, "");
}


static void
testWatchCoalesces(Host *host,
                   gconstpointer data)
{
    hostAddBridge(host);
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    hear(host);
    for (guint i = 0; i < 20; i++) {
        fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
        fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    }
    g_assert_cmpstr(hearPorts(host), ==, "tap0 52:54:00:01:02:03;");
}


/* Some thousand notifications are too many for it. */
#define SMALL_BUFFER (200 * 1024)


/* The largest buffer of this process's netlink sockets, in bytes as the kernel counts. @size: what
 * they have from now on, at most; 0: what they had. */
static int
resizeBuffers(int size)
{
    int largest = 0;

    for (int fd = 0; fd < 1024; fd++) {
        socklen_t length = sizeof(int);
        int domain = 0;
        int had = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
            domain != AF_NETLINK || getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &had, &length) < 0)
            continue;
        largest = MAX(largest, had);
        if (size)
            g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), ==, 0);
    }
    return largest;
}


/* The buffer for notifications may be larger than what anybody is granted. */
static void
testWatchBuffer(Host *host,
                gconstpointer data)
{
    const int size = 4096;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const gboolean granted = setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0;

    close(fd);
    if (!granted) {
        g_test_skip("only root outside of a user namespace is granted that");
        return;
    }
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    g_assert_cmpint(resizeBuffers(0), ==, 2 * 8 * 1024 * 1024);
}


/* So many that the socket's buffer runs over, which the kernel reports in its own way. */
static void
testWatchOverflows(Host *host,
                   gconstpointer data)
{
    hostAddBridge(host);
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    resizeBuffers(SMALL_BUFFER);
    hear(host);
    for (guint i = 0; i < 4000; i++) {
        fdbAdd(host, "tap0", MAC(0x52, 0x54, 0, 0, i >> 8, i),
               VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    }
    assertTold("anything;");
    fdbAdd(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    g_assert_cmpstr(hearPorts(host), ==, "tap1 52:54:00:01:02:03;");
}


#define STORM_S 20

/* Ever new MACs in a bridge, as fast as they can be had, until told to stop; but it ends. */
typedef struct {
    const char *sysfs;
    gint stop;
} Storm;

typedef struct {
    guint ticks;
    guint losses;
} Weather;


static gpointer
stormRun(gpointer opaque)
{
    Storm *storm = opaque;
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNew(storm->sysfs, NULL);
    const gint64 until = g_get_monotonic_time() + STORM_S * G_USEC_PER_SEC;

    for (guint i = 0; !g_atomic_int_get(&storm->stop) && g_get_monotonic_time() < until; i++) {
        virTeamingFdbEntry entry = fdbEntry("tap0", MAC(0x52, 0x54, 0, i >> 16, i >> 8, i),
                                            VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);

        virTeamingKernelFdbAdd(kernel, &entry, NULL);
        virTeamingKernelFdbDel(kernel, &entry, NULL);
    }
    return NULL;
}


/* Takes its time, as who watches does. */
static void
endureChange(const char *ifname,
             const virTeamingMac *mac,
             gpointer opaque)
{
    ((Weather *)opaque)->losses += !ifname;
    g_usleep(100);
}


static gboolean
countTick(gpointer opaque)
{
    ((Weather *)opaque)->ticks++;
    return G_SOURCE_CONTINUE;
}


/* Whatever else is in the main loop has its turn. */
static void
testWatchStorm(Host *host,
               gconstpointer data)
{
    Storm storm = { .sysfs = host->sysfs };
    Weather weather = { 0 };
    GThread *thread;
    gint64 until;
    guint tick;

    hostAddBridge(host);
    assertWorks(virTeamingKernelWatch(host->kernel, endureChange, &weather, error));
    hear(host);
    thread = g_thread_new("storm", stormRun, &storm);
    tick = g_timeout_add(10, countTick, &weather);
    until = g_get_monotonic_time() + STORM_S * G_USEC_PER_SEC / 2;
    while (weather.ticks < 10) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_main_context_iteration(NULL, FALSE);
    }
    g_atomic_int_set(&storm.stop, TRUE);
    g_thread_join(thread);
    g_source_remove(tick);

    /* And it is over. */
    hear(host);
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    hear(host);
    fdbAdd(host, "tap1", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    g_assert_cmpstr(hearPorts(host), ==, "tap1 52:54:00:01:02:03;");
}


/* That all must be looked at is said at once, but not again and again; and that it must at last. */
static void
testWatchLosses(Host *host,
                gconstpointer data)
{
    Weather weather = { 0 };
    gint64 began;
    guint most;

    hostAddBridge(host);
    assertWorks(virTeamingKernelWatch(host->kernel, endureChange, &weather, error));
    resizeBuffers(SMALL_BUFFER);
    hear(host);
    began = g_get_monotonic_time();
    for (guint i = 0; i < 30; i++) {
        const guint before = weather.losses;

        for (guint j = 0; j < 1500; j++) {
            fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
            fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
        }
        while (g_main_context_iteration(NULL, FALSE))
            ;
        if (i == 0)
            g_assert_cmpuint(weather.losses, ==, before + 1);
    }
    most = (g_get_monotonic_time() - began) / (100 * 1000) + 1;
    g_test_message("%u losses of 30 told, in %u ms", weather.losses, most * 100);
    g_assert_cmpuint(weather.losses, <=, most);
    g_usleep(100 * 1000);
    most = weather.losses;
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(weather.losses, <=, most + 1);
    most = weather.losses;
    g_usleep(100 * 1000);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(weather.losses, ==, most);
}


/* ---- turns ---- */

/* More often than what is kept in a turn is asked for in parts. */
#define OFTEN 6


/* In a turn, what is asked for again and again is what it is; what was changed is at once. */
static void
testTurn(Host *host,
         gconstpointer data)
{
    hostAddBridge(host);
    fdbAdd(host, "tap1", MAC(2, 0, 0, 0, 0, 1), VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
    virTeamingKernelBeginTurn(host->kernel);
    for (guint i = 0; i < 2 * OFTEN; i++) {
        g_autoptr(GArray) links = NULL;
        g_autoptr(GArray) entries = NULL;
        g_autoptr(GError) reason = NULL;

        /* A turn within a turn ends nothing. */
        virTeamingKernelBeginTurn(host->kernel);
        if (i == OFTEN) {
            fdbAdd(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC);
            assertWorks(virTeamingKernelLinkSetLearning(host->kernel, "tap0", FALSE, error));
        }
        entries = virTeamingKernelFdbList(host->kernel, "tap0", &guest, &reason);
        g_assert_no_error(reason);
        g_assert_true((entries->len > 0) == (i >= OFTEN));
        for (guint j = 0; j < entries->len; j++)
            g_assert_true(virTeamingMacEqual(&g_array_index(entries, virTeamingFdbEntry, j).mac,
                                             &guest));
        links = virTeamingKernelLinkList(host->kernel, &reason);
        g_assert_no_error(reason);
        for (guint j = 0; j < links->len; j++) {
            const virTeamingLink *link = &g_array_index(links, virTeamingLink, j);

            g_assert_true(!g_str_equal(link->name, "tap0") || link->learning == (i < OFTEN));
        }
        virTeamingKernelEndTurn(host->kernel);
    }
    virTeamingKernelEndTurn(host->kernel);
}


static void
testTurnOfVfs(Host *host,
              gconstpointer data)
{
    virTeamingVf before;
    virTeamingVf vf;

    assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &before, error));
    virTeamingKernelBeginTurn(host->kernel);
    for (guint i = 0; i < 2 * OFTEN; i++) {
        if (i == OFTEN)
            assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &guest, error));
        assertWorks(virTeamingKernelVfGet(host->kernel, host->pf, 0, &vf, error));
        g_assert_true(virTeamingMacEqual(&vf.mac, i < OFTEN ? &before.mac : &guest));
        g_assert_true(virTeamingPciAddressEqual(&vf.address, &before.address));
        assertFails(virTeamingKernelVfGet(host->kernel, host->pf, 1000, &vf, error),
                    VIR_TEAMING_ERROR_NOT_FOUND);
        if (i >= OFTEN)
            assertWorks(virTeamingKernelVfFind(host->kernel, host->pf, &guest, &vf, error));
    }
    virTeamingKernelEndTurn(host->kernel);
    assertWorks(virTeamingKernelVfSetMac(host->kernel, host->pf, 0, &before.mac, error));
}


/* ---- refusals ---- */

/* Runs in a child: gives all capabilities away and tries. */
static void
tryWithoutCapabilities(Host *host)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    virTeamingFdbEntry entry = fdbEntry("tap0", &guest, VIR_TEAMING_FDB_MASTER);
    g_autoptr(GError) error = NULL;

    if (syscall(SYS_capset, &header, none) < 0 ||
        virTeamingKernelFdbAdd(host->kernel, &entry, &error) ||
        !g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_ACCESS) ||
        !strstr(error->message, "CAP_NET_ADMIN") || !strstr(error->message, "tap0"))
        _exit(1);
    _exit(0);
}


static void
testAccess(Host *host,
           gconstpointer data)
{
    virTeamingFdbEntry entry = fdbEntry("tap0", &guest, VIR_TEAMING_FDB_MASTER);
    int status;
    pid_t pid;

    hostAddBridge(host);
    if (host->fake) {
        virTeamingFakeFail(host->kernel, "FdbAdd", 1, EPERM);
        assertFails(virTeamingKernelFdbAdd(host->kernel, &entry, error),
                    VIR_TEAMING_ERROR_ACCESS);
    } else {
        pid = fork();
        if (pid == 0)
            tryWithoutCapabilities(host);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        g_assert_cmpint(status, ==, 0);
    }
    assertFdb(&guest, "nothing");
    assertWorks(virTeamingKernelFdbAdd(host->kernel, &entry, error));
}


/* ---- what the fake has on top ---- */

static void
testFakeFailures(Host *host,
                 gconstpointer data)
{
    virTeamingVf vf;
    virTeamingLink link;

    virTeamingFakeFail(host->kernel, "VfSetMac", 2, EBUSY);
    assertWorks(virTeamingKernelVfSetMac(host->kernel, "eth1", 0, &guest, error));
    assertFails(virTeamingKernelVfSetMac(host->kernel, "eth1", 0, &other, error),
                VIR_TEAMING_ERROR_BUSY);
    assertWorks(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, error));
    g_assert_true(virTeamingMacEqual(&vf.mac, &guest));
    assertWorks(virTeamingKernelVfSetMac(host->kernel, "eth1", 0, &other, error));

    virTeamingFakeFail(host->kernel, "LinkGet", 0, EIO);
    for (guint i = 0; i < 3; i++)
        assertFails(virTeamingKernelLinkGet(host->kernel, "eth1", &link, error),
                    VIR_TEAMING_ERROR_SYSTEM);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    assertWorks(virTeamingKernelLinkGet(host->kernel, "eth1", &link, error));
}


/* What a driver can't do, and what it can't do now. */
static void
testFakeRefusals(Host *host,
                 gconstpointer data)
{
    static const int refusals[] = { EOPNOTSUPP, EINVAL, EADDRNOTAVAIL, 524 };
    static const int failures[] = { ENOMEM, ENOSPC, EBUSY, EAGAIN, EIO, EPERM, ENODEV };

    for (guint i = 0; i < G_N_ELEMENTS(refusals) + G_N_ELEMENTS(failures); i++) {
        const gboolean refused = i < G_N_ELEMENTS(refusals);
        g_autoptr(GError) error = NULL;

        virTeamingFakeFail(host->kernel, "VfSetMac", 1,
                           refused ? refusals[i] : failures[i - G_N_ELEMENTS(refusals)]);
        g_assert_false(virTeamingKernelVfSetMac(host->kernel, "eth1", 0, &guest, &error));
        g_assert_cmpint(g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED),
                        ==, refused);
    }
}


static void
testFakeLog(Host *host,
            gconstpointer data)
{
    g_autofree char *log = NULL;
    g_autofree char *rest = NULL;

    hostAddBridge(host);
    assertWorks(virTeamingKernelVfSetMac(host->kernel, "eth1", 1, &guest, error));
    assertWorks(virTeamingKernelVfSetVlan(host->kernel, "eth1", 1, 7, 0, FALSE, error));
    assertWorks(virTeamingKernelVfSetVlan(host->kernel, "eth1", 1, 7, 2, TRUE, error));
    assertWorks(virTeamingKernelLinkSetLearning(host->kernel, "tap0", FALSE, error));
    fdbAdd(host, "tap0", &guest,
           VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY);
    fdbAdd(host, "eth1", &guest, VIR_TEAMING_FDB_SELF);
    fdbDel(host, "tap0", &guest, VIR_TEAMING_FDB_MASTER);
    virTeamingFakeFail(host->kernel, "FdbDel", 0, EIO);
    assertFails(virTeamingKernelFdbDel(host->kernel,
                                       &(virTeamingFdbEntry){
                                           .dev = "eth1", .mac = guest,
                                           .flags = VIR_TEAMING_FDB_SELF,
                                       }, error),
                VIR_TEAMING_ERROR_SYSTEM);

    log = virTeamingFakeTakeLog(host->kernel);
    g_assert_cmpstr(log, ==,
                    "VfSetMac eth1 1 52:54:00:01:02:03\n"
                    "VfSetVlan eth1 1 7\n"
                    "VfSetVlan eth1 1 7 qos 2 802.1ad\n"
                    "LinkSetLearning tap0 off\n"
                    "FdbAdd tap0 52:54:00:01:02:03 master static sticky\n"
                    "FdbAdd eth1 52:54:00:01:02:03 self\n"
                    "FdbDel tap0 52:54:00:01:02:03 master\n");
    rest = virTeamingFakeTakeLog(host->kernel);
    g_assert_cmpstr(rest, ==, "");
}


static void
testFakeLosesNotifications(Host *host,
                           gconstpointer data)
{
    assertWorks(virTeamingKernelWatch(host->kernel, noteChange, host, error));
    virTeamingFakeLoseNotifications(host->kernel);
    g_assert_cmpstr(hear(host), ==, "anything;");
}


/* Becomes root of a user namespace, for whoever is not root anyway. */
static void
becomeRoot(void)
{
    g_autofree char *map = g_strdup_printf("0 %u 1\n", getuid());
    g_autoptr(GError) error = NULL;

    if (geteuid() == 0)
        return;
    if (unshare(CLONE_NEWUSER) < 0)
        g_error("needs root, or a user namespace of its own: %s", g_strerror(errno));
    g_file_set_contents_full("/proc/self/uid_map", map, -1, G_FILE_SET_CONTENTS_NONE, 0644, &error);
    g_assert_no_error(error);
}


int
main(int argc,
     char **argv)
{
    becomeRoot();
    homeNamespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    g_test_init(&argc, &argv, NULL);

#define ON(host, name, setup, test) \
    g_test_add("/" host "/" name, Host, host, setup, test, hostTeardown)
#define ON_BOTH(name, test) \
    do { \
        ON("fake", name, hostSetup, test); \
        ON("real", name, hostSetup, test); \
    } while (0)
#define ON_PF(name, test) \
    do { \
        ON("fake", name, hostSetupPf, test); \
        if (g_getenv("VIR_TEAMING_TEST_PF")) \
            ON("real", name, hostSetupPf, test); \
    } while (0)

    ON_BOTH("pci/state", testPciState);
    ON_BOTH("pci/handle", testPciHandle);
    ON("fake", "pci/handle-of-one-that-went", hostSetup, testPciHandleOfOneThatWent);
    ON("real", "pci/one-that-does-not-answer", hostSetup, testPciThatDoesNotAnswer);
    ON_BOTH("pci/device", testPciDevice);
    ON_BOTH("pci/device-bare", testPciDeviceBare);
    ON_BOTH("pci/group", testPciGroup);
    ON_BOTH("pci/missing", testPciMissing);
    ON_BOTH("vf/locate", testVfLocate);
    ON("real", "vf/locate-beside-representors", hostSetup, testVfLocateBesideRepresentors);
    ON_BOTH("pf/representors", testPfRepresentors);
    ON_BOTH("link/get", testLinkGet);
    ON_BOTH("link/list", testLinkList);
    ON("real", "link/particulars", hostSetup, testLinkParticulars);
    ON_BOTH("link/user", testLinkUser);
    ON_BOTH("link/vlan", testVlanLink);
    ON_BOTH("link/bond", testBondLink);
    ON_BOTH("link/macvtap-mode", testMacvtapMode);
    ON("real", "link/macvtap-self", hostSetup, testMacvtapSelf);
    ON_BOTH("link/missing", testLinkMissing);
    ON_BOTH("link/learning", testLearning);
    ON_BOTH("link/flooding", testFlooding);
    ON_BOTH("nonsense", testNonsense);
    ON_BOTH("fdb/learnt", testFdbLearnt);
    ON_BOTH("fdb/static-moves-unless-sticky", testFdbStaticMovesUnlessSticky);
    ON_BOTH("fdb/add-replaces", testFdbAddReplaces);
    ON_BOTH("fdb/del", testFdbDel);
    ON_BOTH("fdb/self", testFdbSelf);
    ON_BOTH("fdb/list", testFdbList);
    ON_BOTH("fdb/get-by-port", testFdbGetByPort);
    ON_BOTH("fdb/off-bridge", testFdbOffBridge);
    ON_BOTH("fdb/vlan", testFdbVlan);
    ON_BOTH("fdb/every-vlan", testFdbEveryVlan);
    ON_BOTH("vlan/list", testVlanList);
    ON_BOTH("frames", testFrames);
    ON_BOTH("vf/of-what-is-no-pf", testVfOfWhatIsNoPf);
    ON_PF("vf/set", testVfSet);
    ON_PF("vf/list", testVfList);
    ON_PF("vf/watch", testVfWatch);
    ON_BOTH("watch/all-kinds", testWatch);
    ON_BOTH("watch/coalesces", testWatchCoalesces);
    ON_BOTH("watch/overflows", testWatchOverflows);
    ON("real", "watch/buffer", hostSetup, testWatchBuffer);
    ON("real", "watch/storm", hostSetup, testWatchStorm);
    ON("real", "watch/losses", hostSetup, testWatchLosses);
    ON_BOTH("turn", testTurn);
    ON_PF("turn/of-vfs", testTurnOfVfs);
    ON_BOTH("access", testAccess);
    ON("fake", "failures", hostSetupPf, testFakeFailures);
    ON("fake", "refusals", hostSetupPf, testFakeRefusals);
    ON("fake", "log", hostSetupPf, testFakeLog);
    ON("fake", "loses-notifications", hostSetup, testFakeLosesNotifications);
    return g_test_run();
}
