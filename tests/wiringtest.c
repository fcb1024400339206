/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wiringtest.c: one pair on hosts that are wired in different ways
 */

/*
 * A pair is settled by hand, phase after phase, on a fake kernel: a bridge with VLANs, a VF
 * as the bridge's uplink, a macvtap without a bridge, NICs that copy and NICs that don't. What
 * is expected is what the kernel was told, in order. In the end nothing of ours is left.
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "teaming_journal.h"
#include "teaming_kernel_fake.h"
#include "teaming_wiring.h"
#include "teaming_pairobj.h"

#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define MAC "52:54:00:12:34:56"
#define VLANS(...) ((const guint16[]){ __VA_ARGS__, 0 })

/* What is logged of frames: that the guest was stopped here, and that it runs here. @vlan: as in
 * the log. */
#define TOLD_AWAY(vlan) \
    "FrameSend eth1" vlan " type 88b5 virt-teaming 1 stopped " UUID "\n"
#define TOLD_BACK(vlan) \
    "FrameSend eth1" vlan " type 8035\n" \
    "FrameSend eth1" vlan " type 88b5 virt-teaming 1 runs " UUID "\n"

/* Looked up one by one, and listed. */
static const guint16 few[] = { 100, 200, 0 };
static const guint16 many[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 0 };

typedef struct {
    virTeamingKernel *kernel;
    virTeamingPairObj *pair;
    char *statedir;
    gint64 now;
} Host;


/* ---- furnishing a host ---- */

static void
hostAddLink(Host *host,
            const char *name,
            const char *kind,
            const char *on,
            const char *pci)
{
    virTeamingLink link = { .up = TRUE, .running = TRUE, .mtu = 1500, .learning = TRUE,
                            .flooding = TRUE };

    g_strlcpy(link.name, name, sizeof(link.name));
    g_strlcpy(link.kind, kind, sizeof(link.kind));
    g_strlcpy(g_str_equal(kind, "macvtap") ? link.lower : link.master, on, sizeof(link.master));
    g_strlcpy(link.pci, pci, sizeof(link.pci));
    virTeamingFakeSetLink(host->kernel, &link);
}


static void
hostSetFiltering(Host *host,
                 gboolean on)
{
    virTeamingLink link = { .name = "br0", .kind = "bridge", .up = TRUE, .vlanFiltering = on };

    virTeamingFakeSetLink(host->kernel, &link);
}


static void
hostAddPci(Host *host,
           const char *address,
           const char *driver,
           const char *netdev)
{
    virTeamingPciDevice device = { .classCode = 0x020000, .iommuGroup = 17 };

    g_assert_true(virTeamingPciAddressParse(address, &device.address));
    g_strlcpy(device.driver, driver, sizeof(device.driver));
    g_strlcpy(device.physfn, g_str_equal(netdev, "eth1") ? "" : "0000:01:00.0",
              sizeof(device.physfn));
    g_strlcpy(device.netdev, netdev, sizeof(device.netdev));
    virTeamingFakeSetPci(host->kernel, &device);
}


static void
hostSetVf(Host *host,
          guint index,
          const char *address,
          const char *mac)
{
    virTeamingVf vf = { .index = index, .trust = -1, .spoofchk = 1 };

    g_assert_true(virTeamingPciAddressParse(address, &vf.address));
    g_assert_true(virTeamingMacParse(mac, &vf.mac));
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
}


/* A pair that is about to run on a PF with two VFs, of which it has the first. */
static void
hostSetUp(Host *host,
          gconstpointer copies)
{
    g_autoptr(GError) error = NULL;
    virTeamingPciAddress vf;
    virTeamingMac mac;

    host->statedir = g_dir_make_tmp("virt-teaming-XXXXXX", &error);
    g_assert_no_error(error);
    host->now = G_USEC_PER_SEC;
    host->kernel = virTeamingKernelNewFake();
    hostAddPci(host, "0000:01:00.0", GPOINTER_TO_INT(copies) ? "igb" : "unheard-of", "eth1");
    hostAddPci(host, "0000:01:10.0", "vfio-pci", "");
    hostAddPci(host, "0000:01:10.6", "igbvf", "eth1v3");
    hostAddLink(host, "eth1", "", "", "0000:01:00.0");
    hostAddLink(host, "eth1v3", "", "", "0000:01:10.6");
    hostSetVf(host, 0, "0000:01:10.0", MAC);
    hostSetVf(host, 3, "0000:01:10.6", "00:00:00:00:00:00");

    g_assert_true(virTeamingMacParse(MAC, &mac));
    g_assert_true(virTeamingPciAddressParse("0000:01:10.0", &vf));
    host->pair = virTeamingPairObjNew(UUID, "guest", &mac);
    host->pair->standbyAlias = g_strdup("ua-net0");
    host->pair->primaryAlias = g_strdup("hostdev0");
    host->pair->started = TRUE;
    host->pair->guest = VIR_TEAMING_GUEST_HERE;
    virTeamingPairObjSetVf(host->pair, host->kernel, &vf);
    g_assert_true(host->pair->hasVf);
}


static void
hostExpect(Host *host,
           const char *expected)
{
    g_autofree char *log = virTeamingFakeTakeLog(host->kernel);

    g_assert_cmpstr(log, ==, expected);
}


static void
hostExpectProblem(Host *host,
                  const char *expected)
{
    g_autofree char *problem = virTeamingPairObjGetProblem(host->pair);

    if (!expected)
        g_assert_null(problem);
    else if (!problem || !strstr(problem, expected))
        g_error("'%s' is not said of the pair, but '%s'", expected, problem);
}


static void
hostExpectWiring(Host *host,
                 const char *expected)
{
    g_autofree char *wiring = virTeamingPairObjGetWiring(host->pair);

    g_assert_cmpstr(wiring, ==, expected);
}


static gboolean
hostSettle(Host *host)
{
    return virTeamingPairObjSettle(host->pair, host->kernel, host->statedir, host->now);
}


/* The guest ends, and its tap with it; what is ours goes. */
static void
hostTearDown(Host *host,
             gconstpointer copies)
{
    static const char *const links[] = { "br0", "eth1", "eth1v3", "eth2", "bond0", "eth1.100",
                                         "bond0.100" };
    g_autoptr(GError) error = NULL;

    host->pair->guest = VIR_TEAMING_GUEST_GONE;
    virTeamingFakeRemoveLink(host->kernel, host->pair->tap);
    g_assert_true(hostSettle(host));
    for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autoptr(GArray) left = virTeamingKernelFdbList(host->kernel, links[i],
                                                         &host->pair->mac, NULL);

        /* What the bridge has learnt by itself is its own. */
        for (guint j = 0; left && j < left->len; j++)
            g_assert_cmphex(g_array_index(left, virTeamingFdbEntry, j).flags, ==,
                            VIR_TEAMING_FDB_MASTER);
    }
    g_assert_false(host->pair->selfAdded);
    g_assert_true(virTeamingJournalRemove(host->pair, host->statedir, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_rmdir(host->statedir), ==, 0);
    g_free(host->statedir);
    virTeamingPairObjFree(host->pair);
    virTeamingKernelFree(host->kernel);
}


/* ---- what a guest does ---- */

static void
guestReads(Host *host,
           guint vectors)
{
    virTeamingFakeSetPciState(host->kernel, &host->pair->vf, vectors > 0, vectors);
    g_assert_true(hostSettle(host));
}


static void
guestDrives(Host *host)
{
    host->pair->negotiated = TRUE;
    guestReads(host, 3);
    host->now += VIR_TEAMING_FAILOVER_LINGER_MS * 1000;
    g_assert_true(hostSettle(host));
    g_assert_cmpint(host->pair->phase, ==, VIR_TEAMING_PHASE_DRIVING);
}


static void
guestIsAskedOut(Host *host)
{
    host->pair->askedOut = TRUE;
    g_assert_true(hostSettle(host));
    g_assert_cmpint(host->pair->phase, ==, VIR_TEAMING_PHASE_LEAVING);
}


/* The daemon dies, and one that knows the journal alone takes over. */
static void
hostRestart(Host *host)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) pairs = virTeamingJournalLoad(host->statedir, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(pairs->len, ==, 1);
    virTeamingPairObjFree(host->pair);
    host->pair = g_ptr_array_steal_index(pairs, 0);
}


/* ---- a bridge that filters VLANs ---- */

/* The guest in @vlans, the uplink in those, in 1 and in 300; the bridge filters. */
static void
hostAddTrunk(Host *host,
             const guint16 *vlans)
{
    GArray *trunk = g_array_new(TRUE, FALSE, sizeof(guint16));
    const guint16 first = 1;
    const guint16 last = 300;

    g_array_append_val(trunk, first);
    for (const guint16 *vlan = vlans; *vlan; vlan++)
        g_array_append_val(trunk, *vlan);
    g_array_append_val(trunk, last);

    hostAddLink(host, "br0", "bridge", "", "");
    hostSetFiltering(host, TRUE);
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    virTeamingFakeSetVlans(host->kernel, "eth1", (const guint16 *)trunk->data);
    virTeamingFakeSetVlans(host->kernel, "vnet0", vlans);
    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
    g_array_unref(trunk);
}


static void
testVlans(Host *host,
          gconstpointer copies)
{
    hostAddTrunk(host, few);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " vlan 100 master static sticky\n"
               "FdbAdd vnet0 " MAC " vlan 200 master static sticky\n");
    hostExpectWiring(host, "bridge br0, uplink eth1, VLAN 100, 200");
    g_assert_true(hostSettle(host));
    hostExpect(host, "");

    host->pair->negotiated = TRUE;
    guestReads(host, 3);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " vlan 100 master\n"
               "FdbDel vnet0 " MAC " vlan 200 master\n");
    /* One VLAN is enough to be mended. */
    virTeamingFakeReceive(host->kernel, "eth1", &host->pair->mac, 200);
    g_assert_true(hostSettle(host));
    hostExpect(host, "FdbDel eth1 " MAC " vlan 200 master\n");

    guestDrives(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " vlan 100 master static sticky\n"
               "FdbAdd eth1 " MAC " vlan 200 master static sticky\n"
               "FdbDel eth1 " MAC " self\n"
               "LinkSetLearning vnet0 on\n");
    guestIsAskedOut(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth1 " MAC " vlan 100 master\n"
               "FdbDel eth1 " MAC " vlan 200 master\n");
}


/* A guest that is a trunk itself. */
static void
testManyVlans(Host *host,
              gconstpointer copies)
{
    g_autoptr(GArray) entries = NULL;

    hostAddTrunk(host, many);
    g_assert_true(hostSettle(host));
    guestDrives(host);
    entries = virTeamingKernelFdbList(host->kernel, "eth1", &host->pair->mac, NULL);
    g_assert_cmpuint(entries->len, ==, G_N_ELEMENTS(many) - 1);
    for (guint i = 0; i < entries->len; i++)
        g_assert_cmpuint(g_array_index(entries, virTeamingFdbEntry, i).vlan, ==, many[i]);
    hostExpectWiring(host, "bridge br0, uplink eth1, VLAN 2, 3, 5, 7, 11, 13, 17, 19, 23, …");
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_assert_true(hostSettle(host));
    hostExpect(host, "");
}


/* The guest's owner moves it to another VLAN while it runs. */
static void
testOtherVlan(Host *host,
              gconstpointer copies)
{
    hostAddTrunk(host, few);
    virTeamingFakeSetVlans(host->kernel, "vnet0", VLANS(100));
    g_assert_true(hostSettle(host));
    guestDrives(host);
    g_free(virTeamingFakeTakeLog(host->kernel));

    virTeamingFakeSetVlans(host->kernel, "vnet0", VLANS(200));
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " vlan 100 master\n"
               "FdbAdd eth1 " MAC " vlan 200 master static sticky\n");
    /* The entry is in a VLAN that its port has left. */
    virTeamingFakeSetVlans(host->kernel, "eth1", VLANS(1, 100));
    virTeamingFakeSetVlans(host->kernel, "vnet0", VLANS(100));
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " vlan 200 master\n"
               "FdbAdd eth1 " MAC " vlan 100 master static sticky\n");
}


static void
testNoCommonVlan(Host *host,
                 gconstpointer copies)
{
    hostAddTrunk(host, few);
    virTeamingFakeSetVlans(host->kernel, "vnet0", VLANS(999));
    hostSettle(host);
    hostExpect(host, "FdbAdd eth1 " MAC " self\n");
    hostExpectProblem(host, "cut off");
    virTeamingFakeSetVlans(host->kernel, "vnet0", VLANS(300, 999));
    g_assert_true(hostSettle(host));
    hostExpect(host, "FdbAdd vnet0 " MAC " vlan 300 master static sticky\n");
    hostExpectProblem(host, NULL);
}


/* Filtering is switched on, and off again, while the guest runs. */
static void
testFilteringSwitched(Host *host,
                      gconstpointer copies)
{
    hostAddTrunk(host, few);
    hostSetFiltering(host, FALSE);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
    guestDrives(host);
    g_free(virTeamingFakeTakeLog(host->kernel));

    hostSetFiltering(host, TRUE);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " master\n"
               "FdbDel eth1 " MAC " vlan 1 master\n"
               "FdbDel eth1 " MAC " vlan 300 master\n"
               "FdbAdd eth1 " MAC " vlan 100 master static sticky\n"
               "FdbAdd eth1 " MAC " vlan 200 master static sticky\n");
    hostSetFiltering(host, FALSE);
    g_assert_true(hostSettle(host));
    hostExpect(host, "FdbAdd eth1 " MAC " master static sticky\n");
}


/* Before libvirt has made the tap, nobody knows the guest's VLANs. */
static void
testArriveInVlan(Host *host,
                 gconstpointer copies)
{
    hostAddTrunk(host, few);
    host->pair->guest = VIR_TEAMING_GUEST_INCOMING;
    host->pair->tap[0] = '\0';
    g_assert_true(hostSettle(host));
    hostExpect(host, "VfSetMac eth1 0 00:00:00:00:00:00\n");
    hostExpectProblem(host, NULL);

    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " vlan 100 master static sticky\n"
               "FdbAdd eth1 " MAC " vlan 200 master static sticky\n");
    /* Its owner wants none there, and gets none afterwards. */
    host->pair->floodingOff = FALSE;
    host->pair->heard = VIR_TEAMING_HEARD_STOPPED;
    host->pair->wire = VIR_TEAMING_WIRE_AWAY;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "VfSetMac eth1 0 " MAC "\n"
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " vlan 100 master static sticky\n"
               "FdbAdd vnet0 " MAC " vlan 200 master static sticky\n"
               "FrameSend eth1 vlan 100 type 8035\n"
               "FrameSend eth1 vlan 200 type 8035\n");
}


/* What was promised before a crash is found again, in whichever VLAN. */
static void
testRestartInVlan(Host *host,
                  gconstpointer copies)
{
    hostAddTrunk(host, few);
    g_assert_true(hostSettle(host));
    guestDrives(host);
    virTeamingFakeFail(host->kernel, "FdbDel", 2, EPERM);
    host->pair->askedOut = TRUE;
    g_assert_false(hostSettle(host));
    hostExpectProblem(host, "cannot delete FDB entry");
    hostRestart(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_assert_true(hostSettle(host));
    /* What the network was told last is not known any more. */
    hostExpect(host,
               "FdbDel eth1 " MAC " vlan 200 master\n"
               TOLD_BACK(" vlan 100") TOLD_BACK(" vlan 200"));

    /* It ends while nobody looks, and the tap is gone when somebody does. */
    virTeamingFakeSetPciState(host->kernel, &host->pair->vf, FALSE, 0);
    host->pair->askedOut = FALSE;
    g_assert_true(hostSettle(host));
    hostRestart(host);
}


/* The tap changes bridges: on the old uplink nothing is left. */
static void
testOtherBridge(Host *host,
                gconstpointer copies)
{
    hostAddTrunk(host, few);
    g_assert_true(hostSettle(host));
    guestDrives(host);
    hostAddLink(host, "br1", "bridge", "", "");
    hostAddLink(host, "eth1v3", "", "br1", "0000:01:10.6");
    hostAddLink(host, "vnet0", "tun", "br1", "");
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " vlan 100 master\n"
               "FdbDel eth1 " MAC " vlan 200 master\n"
               "FdbAdd eth1v3 " MAC " master static sticky\n");
    g_assert_cmpstr(host->pair->uplink, ==, "eth1v3");
}


/* ---- a VF as the bridge's uplink ---- */

static void
hostAddVfUplink(Host *host)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "eth1v3", "", "br0", "0000:01:10.6");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
}


static void
testVfUplink(Host *host,
             gconstpointer copies)
{
    hostAddVfUplink(host);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1v3 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetVlan eth1 0 4094\n");
    hostExpectWiring(host, "bridge br0, uplink eth1v3");
    guestDrives(host);
    hostExpect(host,
               "VfSetVlan eth1 0 0\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1v3 " MAC " self\n"
               "FdbAdd eth1v3 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    guestIsAskedOut(host);
    guestReads(host, 0);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth1v3 " MAC " master\n"
               "FdbAdd eth1v3 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetVlan eth1 0 4094\n"
               "LinkSetLearning vnet0 on\n");
}


/* With igb, the VF's list is rid of a MAC by way of the PF, once the guest has left. */
static void
testVfUplinkOfIgb(Host *host,
                  gconstpointer copies)
{
    hostAddVfUplink(host);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1v3 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
    guestDrives(host);
    guestIsAskedOut(host);
    guestReads(host, 0);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbAdd eth1v3 " MAC " master static sticky\n"
               "FdbDel eth1v3 " MAC " self\n"
               "LinkSetLearning vnet0 on\n"
               "FdbAdd eth1v3 " MAC " self\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth1v3 " MAC " master\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    host->pair->guest = VIR_TEAMING_GUEST_DEPARTING;
    /* Taken over by the PF, and no further. */
    virTeamingFakeFail(host->kernel, "FdbDel", 2, EIO);
    g_assert_false(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostRestart(host);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbDel eth1 " MAC " self\n"
               "FdbDel eth1v3 " MAC " self\n");
}


/* ---- an uplink above the NIC, or above another ---- */

static void
hostAddUpper(Host *host,
             const char *name,
             guint vlan,
             const char *lower,
             const char *master)
{
    virTeamingLink link = { .kind = "vlan", .vlan = vlan, .up = TRUE, .running = TRUE,
                            .mtu = 1500 };

    g_strlcpy(link.name, name, sizeof(link.name));
    g_strlcpy(link.lower, lower, sizeof(link.lower));
    g_strlcpy(link.master, master, sizeof(link.master));
    virTeamingFakeSetLink(host->kernel, &link);
}


/* A bond of eth1 and eth2; @active: NULL if it uses both. */
static void
hostAddBond(Host *host,
            const char *master,
            const char *active)
{
    virTeamingLink link = { .name = "bond0", .kind = "bond", .up = TRUE, .running = TRUE,
                            .mtu = 1500, .spreads = !active };

    g_strlcpy(link.master, master, sizeof(link.master));
    if (active)
        g_strlcpy(link.active, active, sizeof(link.active));
    virTeamingFakeSetLink(host->kernel, &link);
    hostAddLink(host, "eth1", "", "bond0", "0000:01:00.0");
    hostAddLink(host, "eth2", "", "bond0", "");
}


static void
hostAddBridge(Host *host)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
}


static void
hostSetVfVlan(Host *host,
              guint vlan)
{
    virTeamingVf vf;

    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    vf.vlan = vlan;
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
}


/* The PF and another one exchange their names: the VF is followed, and its namesake left alone. */
static void
testPfsSwapped(Host *host,
               gconstpointer copies)
{
    virTeamingVf stranger = { .index = 0, .trust = -1, .spoofchk = 1, .vlan = 7 };

    hostAddBridge(host);
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostAddLink(host, "eth2", "", "", "0000:02:00.0");
    g_assert_true(virTeamingPciAddressParse("0000:02:10.0", &stranger.address));
    virTeamingFakeSetVf(host->kernel, "eth2", &stranger);
    guestDrives(host);
    g_free(virTeamingFakeTakeLog(host->kernel));

    virTeamingFakeRenameLink(host->kernel, "eth1", "eth9");
    virTeamingFakeRenameLink(host->kernel, "eth2", "eth1");
    virTeamingFakeRenameLink(host->kernel, "eth9", "eth2");
    guestReads(host, 0);
    hostExpect(host,
               "FdbAdd eth2 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetVlan eth2 0 4094\n");
    guestReads(host, 3);
    hostExpect(host,
               "VfSetVlan eth2 0 0\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth2 " MAC " self\n");
}


/* A list of the kernel's lacks what is ours: it is undone all the same. */
static void
testTornList(Host *host,
             gconstpointer copies)
{
    hostAddBridge(host);
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeTearLists(host->kernel, TRUE);
    guestDrives(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n"
               "LinkSetLearning vnet0 on\n");
    g_assert_true(hostSettle(host));
    hostExpect(host, "");
    host->pair->guest = VIR_TEAMING_GUEST_GONE;
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    g_assert_true(hostSettle(host));
    hostExpect(host, "FdbDel eth1 " MAC " master\n");
    virTeamingFakeTearLists(host->kernel, FALSE);
}


/* Where it can't be listed what is ours on an uplink, that stays the uplink until it can. */
static void
testUnlistedUplink(Host *host,
                   gconstpointer copies)
{
    hostAddBridge(host);
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostAddLink(host, "br1", "bridge", "", "");
    guestDrives(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostAddLink(host, "vnet0", "tun", "br1", "");
    hostAddLink(host, "eth1v3", "", "br1", "0000:01:10.6");
    virTeamingFakeFail(host->kernel, "FdbList", 0, EBUSY);
    g_assert_false(hostSettle(host));
    hostExpect(host, "");
    virTeamingFakeFail(host->kernel, "FdbList", 0, 0);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " master\n"
               "FdbAdd eth1v3 " MAC " master static sticky\n");
}


/* What a pair does from its start to the guest's being asked for the VF, and having let it go,
 * with @uplink above a NIC that copies. */
static void
hostExpectLife(Host *host,
               const char *uplink)
{
    g_autofree char *opened = g_strdup_printf("FdbAdd %s " MAC " self\n", uplink);
    g_autofree char *closed = g_strdup_printf("FdbDel %s " MAC " self\n", uplink);
    g_autofree char *pinned = g_strdup_printf("FdbAdd %s " MAC " master static sticky\n", uplink);
    g_autofree char *loosed = g_strdup_printf("FdbDel %s " MAC " master\n", uplink);
    g_autofree char *start = g_strconcat(opened, "FdbAdd vnet0 " MAC " master static sticky\n",
                                         NULL);
    g_autofree char *drive = g_strconcat("LinkSetLearning vnet0 off\n"
                                         "FdbDel vnet0 " MAC " master\n",
                                         pinned, closed, "LinkSetLearning vnet0 on\n", NULL);
    g_autofree char *leave = g_strconcat(opened, "LinkSetLearning vnet0 off\n", loosed, NULL);

    g_assert_true(hostSettle(host));
    hostExpect(host, start);
    guestDrives(host);
    hostExpect(host, drive);
    guestIsAskedOut(host);
    hostExpect(host, leave);
    guestReads(host, 0);
    hostExpect(host, "FdbAdd vnet0 " MAC " master static sticky\n"
                     "LinkSetLearning vnet0 on\n");
    hostExpectProblem(host, NULL);
}


static void
testVlanOnPf(Host *host,
             gconstpointer copies)
{
    hostAddBridge(host);
    hostAddUpper(host, "eth1.100", 100, "eth1", "br0");
    hostSetVfVlan(host, 100);
    hostExpectLife(host, "eth1.100");
    hostExpectWiring(host, "bridge br0, uplink eth1.100 over eth1");

    /* A daemon that begins with the journal undoes it all the same. */
    hostRestart(host);
    host->pair->guest = VIR_TEAMING_GUEST_DEPARTING;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1.100 " MAC " self\n");
}


/* The VF is in another VLAN than the standby, or in none, or the standby is. */
static void
testVlanOfVf(Host *host,
             gconstpointer copies)
{
    hostAddBridge(host);
    hostAddUpper(host, "eth1.100", 100, "eth1", "br0");
    hostSettle(host);
    hostExpectProblem(host, "the VF is in no VLAN, and the standby's uplink 'eth1.100' in VLAN 100");
    hostSetVfVlan(host, 200);
    hostSettle(host);
    hostExpectProblem(host, "the VF is in VLAN 200, and the standby's uplink 'eth1.100' in VLAN");
    hostSetVfVlan(host, 100);
    hostSettle(host);
    hostExpectProblem(host, NULL);

    virTeamingFakeRemoveLink(host->kernel, "eth1.100");
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostSettle(host);
    hostExpectProblem(host, "the VF is in VLAN 100, and the standby's uplink 'eth1' in none");
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* Where the bridge filters, the VF has to be in one of the standby's; in none, as a trunk. */
static void
testVlanOfVfAtTrunk(Host *host,
                    gconstpointer copies)
{
    hostAddTrunk(host, few);
    hostSettle(host);
    hostExpectProblem(host, NULL);
    hostSetVfVlan(host, 200);
    hostSettle(host);
    hostExpectProblem(host, NULL);
    hostSetVfVlan(host, 300);
    hostSettle(host);
    hostExpectProblem(host, "the VF is in VLAN 300, and the standby's uplink 'eth1' not in that");
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* Before there is a tap, nobody knows in which of several bridges the guest will be. */
static void
testBridgesOnPf(Host *host,
                gconstpointer copies)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "br1", "bridge", "", "");
    hostAddUpper(host, "eth1.100", 100, "eth1", "br0");
    hostAddUpper(host, "eth1.200", 200, "eth1", "br1");
    hostSetVfVlan(host, 200);
    host->pair->guest = VIR_TEAMING_GUEST_INCOMING;
    g_assert_true(hostSettle(host));
    g_assert_cmpstr(host->pair->uplink, ==, "");

    hostAddLink(host, "vnet0", "tun", "br1", "");
    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
    g_assert_true(hostSettle(host));
    g_assert_cmpstr(host->pair->uplink, ==, "eth1.200");
    g_assert_cmpstr(host->pair->bridge, ==, "br1");
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* The VF's NIC is the one that the bond uses: as without a bond. */
static void
testBond(Host *host,
         gconstpointer copies)
{
    hostAddBridge(host);
    hostAddBond(host, "br0", "eth1");
    hostExpectLife(host, "bond0");
    hostExpectWiring(host, "bridge br0, uplink bond0 over eth1");
}


static void
testVlanOnBond(Host *host,
               gconstpointer copies)
{
    hostAddBridge(host);
    hostAddBond(host, "", "eth1");
    hostAddUpper(host, "bond0.100", 100, "bond0", "br0");
    hostSetVfVlan(host, 100);
    hostExpectLife(host, "bond0.100");
    hostExpectWiring(host, "bridge br0, uplink bond0.100 over eth1");
}


/* The bond goes over to its other NIC, and back. The network has to be told of each change, since
 * it is another of its ports. */
static void
testBondFailsOver(Host *host,
                  gconstpointer copies)
{
    hostAddBridge(host);
    hostAddBond(host, "br0", "eth2");
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd bond0 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetVlan eth1 0 4094\n");
    hostExpectWiring(host, "bridge br0, uplink bond0 over eth2 (now, not the NIC of the VF)");
    guestDrives(host);
    hostExpect(host,
               "VfSetVlan eth1 0 0\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FrameSend eth1 type 8035\n"
               "FdbDel bond0 " MAC " self\n"
               "FdbAdd bond0 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");

    /* To the guest it is all the same. */
    hostAddBond(host, "br0", "eth1");
    g_assert_true(hostSettle(host));
    hostExpect(host, "FrameSend bond0 type 8035\n");
    hostAddBond(host, "br0", "eth2");
    g_assert_true(hostSettle(host));
    hostExpect(host, "FrameSend eth1 type 8035\n");
    hostAddBond(host, "br0", "");
    g_assert_true(hostSettle(host));
    hostExpect(host, "FrameSend bond0 type 8035\n");
    hostAddBond(host, "br0", "eth2");
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));

    guestIsAskedOut(host);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel bond0 " MAC " master\n");
    guestReads(host, 0);
    hostExpect(host,
               "FdbAdd bond0 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "FrameSend bond0 type 8035\n"
               "VfSetVlan eth1 0 4094\n"
               "LinkSetLearning vnet0 on\n");
    hostExpectProblem(host, NULL);
}


/* A bond that uses all its NICs gets what is the VF's by the wrong ones, if it has others. */
static void
testBondSpreads(Host *host,
                gconstpointer copies)
{
    virTeamingLink other = { .name = "eth2", .master = "bond0", .up = TRUE };

    hostAddBridge(host);
    hostAddBond(host, "br0", NULL);
    hostSettle(host);
    hostExpectProblem(host, "the bond 'bond0' uses all its ports");
    virTeamingFakeSetLink(host->kernel, &other);
    hostSettle(host);
    hostExpectProblem(host, NULL);
    hostExpectWiring(host, "bridge br0, uplink bond0 over eth1");
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* The VF's NIC is for VFs alone, and the bridge has one of its own. */
static void
testOtherNic(Host *host,
             gconstpointer copies)
{
    hostAddBridge(host);
    hostAddLink(host, "eth2", "", "br0", "");
    hostSetVfVlan(host, 100);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth2 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetVlan eth1 0 4094\n");
    hostExpectWiring(host, "bridge br0, uplink eth2 (always, not the NIC of the VF)");
    guestDrives(host);
    hostExpect(host,
               "VfSetVlan eth1 0 100\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FrameSend eth1 vlan 100 type 8035\n"
               "FdbDel eth2 " MAC " self\n"
               "FdbAdd eth2 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    /* What the network was told by a daemon before this one is not known: it is told again. */
    virTeamingFakeSetPciState(host->kernel, &host->pair->vf, FALSE, 0);
    hostRestart(host);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth2 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "FrameSend eth2 type 8035\n"
               "VfSetVlan eth1 0 4094\n");
    guestReads(host, 3);
    hostExpect(host,
               "VfSetVlan eth1 0 100\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FrameSend eth1 vlan 100 type 8035\n"
               "FdbDel eth2 " MAC " self\n");
    guestDrives(host);
    hostExpect(host,
               "FdbAdd eth2 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    guestIsAskedOut(host);
    guestReads(host, 0);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth2 " MAC " master\n"
               "FdbAdd eth2 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "FrameSend eth2 type 8035\n"
               "VfSetVlan eth1 0 4094\n"
               "LinkSetLearning vnet0 on\n");
    hostExpectProblem(host, NULL);

    host->pair->guest = VIR_TEAMING_GUEST_DEPARTING;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FrameSend eth2 type 88b5 virt-teaming 1 stopped " UUID "\n"
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "VfSetVlan eth1 0 100\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth2 " MAC " self\n");
    /* It stays, after all: who has heard that it does not, is told. */
    host->pair->guest = VIR_TEAMING_GUEST_HERE;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth2 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "FrameSend eth2 type 8035\n"
               "FrameSend eth2 type 88b5 virt-teaming 1 runs " UUID "\n"
               "VfSetVlan eth1 0 4094\n"
               "VfSetMac eth1 0 " MAC "\n");
}


/* Which of two it is, nobody knows; nor whether the one that is left leads to the same network. */
static void
testOtherNics(Host *host,
              gconstpointer copies)
{
    hostAddBridge(host);
    hostAddLink(host, "eth2", "", "br0", "");
    hostAddLink(host, "eth3", "", "br0", "");
    hostSettle(host);
    hostExpectProblem(host, "bridge 'br0' has no uplink of eth1's NIC");
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostSettle(host);
    hostExpectProblem(host, NULL);
    hostExpectWiring(host, "bridge br0, uplink eth1");
    hostAddLink(host, "eth1", "", "", "0000:01:00.0");
    virTeamingFakeRemoveLink(host->kernel, "eth3");
    hostSettle(host);
    hostExpectProblem(host, "bridge 'br0' has no uplink of eth1's NIC");
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* The guest is given a VF of another NIC: its standby goes on as before. */
static void
testVfOfOtherNic(Host *host,
                 gconstpointer copies)
{
    virTeamingVf vf = { .index = 0, .trust = -1, .spoofchk = 1 };
    virTeamingPciDevice device = { .classCode = 0x020000, .iommuGroup = 18, .driver = "vfio-pci",
                                   .physfn = "0000:02:00.0" };

    hostAddBridge(host);
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));

    hostAddLink(host, "eth2", "", "", "0000:02:00.0");
    g_assert_true(virTeamingPciAddressParse("0000:02:10.0", &vf.address));
    device.address = vf.address;
    vf.mac = host->pair->mac;
    virTeamingFakeSetPci(host->kernel, &device);
    virTeamingFakeSetVf(host->kernel, "eth2", &vf);
    virTeamingPairObjSetVf(host->pair, host->kernel, &vf.address);
    /* Even if it can't be looked for at once. */
    virTeamingFakeFail(host->kernel, "LinkList", 1, EBUSY);
    g_assert_false(hostSettle(host));
    g_assert_true(hostSettle(host));
    hostExpect(host, "VfSetVlan eth2 0 4094\n");
    hostExpectWiring(host, "bridge br0, uplink eth1 (always, not the NIC of the VF)");
    hostExpectProblem(host, NULL);
}


/* Of a pair of which the journal was damaged, what it left on a bond is found. */
static void
testSearchOnBond(Host *host,
                 gconstpointer copies)
{
    virTeamingFdbEntry self = { .dev = "eth1", .flags = VIR_TEAMING_FDB_SELF };

    hostAddBridge(host);
    hostAddBond(host, "", "eth1");
    hostAddUpper(host, "bond0.100", 100, "bond0", "br0");
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));
    host->pair->uplink[0] = '\0';
    host->pair->hasVf = FALSE;
    /* Linux hands it down to the ports. */
    self.mac = host->pair->mac;
    g_assert_true(virTeamingKernelFdbAdd(host->kernel, &self, NULL));
    virTeamingPairObjSearch(host->pair, host->kernel);
    g_assert_true(virTeamingKernelFdbDel(host->kernel, &self, NULL));
    g_assert_cmpstr(host->pair->uplink, ==, "bond0.100");
    g_assert_true(host->pair->hasVf);
}


static void
testMacvtapOnVlan(Host *host,
                  gconstpointer copies)
{
    virTeamingLink link = { .name = "macvtap0", .kind = "macvtap", .lower = "eth1.100",
                            .up = TRUE, .running = TRUE, .mode = VIR_TEAMING_MACVTAP_BRIDGE };
    virTeamingFdbEntry self = { .dev = "eth1.100", .mac = host->pair->mac,
                                .flags = VIR_TEAMING_FDB_SELF };

    hostAddUpper(host, "eth1.100", 100, "eth1", "");
    virTeamingFakeSetLink(host->kernel, &link);
    virTeamingKernelFdbAdd(host->kernel, &self, NULL);
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_strlcpy(host->pair->tap, "macvtap0", sizeof(host->pair->tap));
    hostSetVfVlan(host, 100);
    g_assert_true(hostSettle(host));
    hostExpect(host, "");
    hostExpectWiring(host, "macvtap on eth1.100 over eth1");
    hostExpectProblem(host, NULL);
    guestDrives(host);
    hostExpect(host, "LinkSetMode macvtap0 vepa\n");
    virTeamingKernelFdbDel(host->kernel, &self, NULL);
}


/* ---- a macvtap on the PF ---- */

/* libvirt takes the macvtap up, or down; the kernel sets the PF's filter. */
static void
hostSetMacvtap(Host *host,
               gboolean up)
{
    virTeamingFdbEntry self = { .dev = "eth1", .mac = host->pair->mac,
                                .flags = VIR_TEAMING_FDB_SELF };
    virTeamingLink link = { .name = "macvtap0", .kind = "macvtap", .lower = "eth1",
                            .mode = VIR_TEAMING_MACVTAP_BRIDGE };

    virTeamingKernelLinkGet(host->kernel, "macvtap0", &link, NULL);
    link.up = up;
    virTeamingFakeSetLink(host->kernel, &link);
    if (up)
        virTeamingKernelFdbAdd(host->kernel, &self, NULL);
    else
        virTeamingKernelFdbDel(host->kernel, &self, NULL);
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_strlcpy(host->pair->tap, "macvtap0", sizeof(host->pair->tap));
}


static void
testMacvtap(Host *host,
            gconstpointer copies)
{
    hostSetMacvtap(host, TRUE);
    g_assert_true(hostSettle(host));
    hostExpect(host, "");
    hostExpectWiring(host, "macvtap on eth1");
    guestDrives(host);
    hostExpect(host, "LinkSetMode macvtap0 vepa\n");
    guestIsAskedOut(host);
    hostExpect(host, "");
    guestReads(host, 0);
    hostExpect(host, "LinkSetMode macvtap0 bridge\n");

    /* Where it runs from now on, this host's peers must find it. */
    host->pair->guest = VIR_TEAMING_GUEST_DEPARTING;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               TOLD_AWAY("")
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "LinkSetMode macvtap0 vepa\n"
               "FdbDel eth1 " MAC " self\n");
    /* It stays, after all. */
    host->pair->guest = VIR_TEAMING_GUEST_HERE;
    host->pair->askedOut = FALSE;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "VfSetMac eth1 0 " MAC "\n"
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetMode macvtap0 bridge\n"
               TOLD_BACK(""));
    hostSetMacvtap(host, FALSE);
}


/* What its owner wants of it, stays. */
static void
testMacvtapVepa(Host *host,
                gconstpointer copies)
{
    virTeamingLink link = { .name = "macvtap0", .kind = "macvtap", .lower = "eth1",
                            .mode = VIR_TEAMING_MACVTAP_VEPA };

    virTeamingFakeSetLink(host->kernel, &link);
    hostSetMacvtap(host, TRUE);
    g_assert_true(hostSettle(host));
    guestDrives(host);
    guestIsAskedOut(host);
    guestReads(host, 0);
    hostExpect(host, "");
    hostSetMacvtap(host, FALSE);
}


/* Where the NIC does not copy, the PF must not have the MAC while the VF is read. */
static void
testMacvtapWithoutCopies(Host *host,
                         gconstpointer copies)
{
    hostSetMacvtap(host, TRUE);
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "VfSetVlan eth1 0 4094\n");
    guestDrives(host);
    hostExpect(host,
               "VfSetVlan eth1 0 0\n"
               "LinkSetMode macvtap0 vepa\n"
               "FdbDel eth1 " MAC " self\n");
    guestIsAskedOut(host);
    hostExpect(host, "");
    guestReads(host, 0);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetMode macvtap0 bridge\n"
               "VfSetVlan eth1 0 4094\n");
    hostSetMacvtap(host, FALSE);
    host->pair->guest = VIR_TEAMING_GUEST_DEPARTING;
    g_assert_true(hostSettle(host));
}


/* libvirt takes the macvtap up when the guest is about to run, not before. */
static void
testMacvtapArrives(Host *host,
                   gconstpointer copies)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "eth1v3", "", "br0", "0000:01:10.6");
    host->pair->guest = VIR_TEAMING_GUEST_INCOMING;
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));

    /* There is a bridge with an uplink, but it is not this guest's. */
    hostSetMacvtap(host, FALSE);
    g_assert_true(hostSettle(host));
    hostExpect(host, "FdbDel eth1v3 " MAC " master\n");
    host->pair->negotiated = TRUE;
    g_assert_true(hostSettle(host));
    hostExpect(host, "VfSetMac eth1 0 " MAC "\n");
    hostSetMacvtap(host, TRUE);
    g_assert_true(hostSettle(host));
    host->pair->guest = VIR_TEAMING_GUEST_HERE;
    g_assert_true(hostSettle(host));
    hostExpect(host, "");
    guestDrives(host);
    hostExpect(host, "LinkSetMode macvtap0 vepa\n");
    hostSetMacvtap(host, FALSE);
}


/* ---- what was measured on the NIC ---- */

/* A NIC that keeps its MAC: the VF is parked in a VLAN, whoever it waits for. */
static void
testNoZero(Host *host,
           gconstpointer copies)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    host->pair->traitsKnown = TRUE;
    host->pair->traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] = VIR_TEAMING_ANSWER_NO;
    host->pair->guest = VIR_TEAMING_GUEST_INCOMING;
    host->pair->parked = TRUE;
    virTeamingPairObjPark(host->pair, host->kernel, FALSE);
    hostExpect(host, "");
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1 " MAC " master static sticky\n"
               "VfSetVlan eth1 0 4094\n");
    /* Should the daemon die, and the guest not come: it was foretold. */
    host->pair->parked = FALSE;
    g_assert_true(virTeamingJournalSave(host->pair, host->statedir, NULL));
    hostRestart(host);
    host->pair->guest = VIR_TEAMING_GUEST_GONE;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbDel eth1 " MAC " master\n"
               "VfSetVlan eth1 0 0\n"
               "FdbDel eth1 " MAC " self\n");
}


/* A NIC that gives a VF nothing before it is driven: nothing need be parked. */
static void
testNotEarly(Host *host,
             gconstpointer copies)
{
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    g_strlcpy(host->pair->tap, "vnet0", sizeof(host->pair->tap));
    host->pair->traitsKnown = TRUE;
    host->pair->traits.answers[VIR_TEAMING_TRAIT_STEERS_EARLY] = VIR_TEAMING_ANSWER_NO;
    g_assert_true(hostSettle(host));
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
}


/* ---- long lives ---- */

static const char *const ops[] = {
    "LinkGet", "VlanList", "VfGet", "VfSetMac", "VfSetVlan", "FdbList", "FdbGet", "FdbAdd",
    "FdbDel", "LinkSetLearning", "LinkSetFlooding", "LinkSetMode", "FrameSend", "FrameListen",
};

/* Something that can happen to a pair on any host: of the guest, the kernel or the owner. */
static void
lifeTake(Host *host)
{
    const guint16 *const vlans[] = { VLANS(100), few, VLANS(1, 999), many };
    virTeamingPairObj *pair = host->pair;
    const gboolean filters = pair->filtersVlans;

    switch (g_test_rand_int_range(0, 10)) {
    case 0:
        virTeamingFakeSetPciState(host->kernel, &pair->vf, TRUE, g_test_rand_int_range(0, 4));
        break;
    case 1:
        virTeamingFakeSetPciState(host->kernel, &pair->vf, FALSE, 0);
        break;
    case 2:
        pair->askedOut = !pair->askedOut;
        break;
    case 3:
        pair->negotiated = !pair->negotiated;
        break;
    case 4:
        pair->guest = g_test_rand_int_range(VIR_TEAMING_GUEST_INCOMING,
                                            VIR_TEAMING_GUEST_DEPARTING + 1);
        break;
    case 5:
        host->now += g_test_rand_int_range(0, 3) * G_USEC_PER_SEC;
        break;
    case 6:
        virTeamingFakeFail(host->kernel, ops[g_test_rand_int_range(0, G_N_ELEMENTS(ops))],
                           g_test_rand_int_range(1, 4), EIO);
        break;
    case 7:
        if (filters)
            virTeamingFakeSetVlans(host->kernel, pair->tap,
                                   vlans[g_test_rand_int_range(0, G_N_ELEMENTS(vlans))]);
        break;
    case 8:
        if (pair->uplink[0] && pair->bridge[0])
            virTeamingFakeReceive(host->kernel, pair->uplink, &pair->mac, filters ? 100 : 0);
        break;
    case 9:
        hostRestart(host);
        break;
    }
}


/* All faults are over. What must hold of a guest that runs here, holds. */
static void
lifeCheck(Host *host)
{
    virTeamingPairObj *pair = host->pair;
    g_autoptr(GArray) entries = NULL;
    gboolean self = FALSE;
    gboolean reads;
    virTeamingVf vf;

    for (guint i = 0; i < G_N_ELEMENTS(ops); i++)
        virTeamingFakeFail(host->kernel, ops[i], 0, 0);
    pair->guest = VIR_TEAMING_GUEST_HERE;
    g_assert_true(hostSettle(host));
    /* Of a VF that its guest found without a MAC: libvirt plugs it anew, with one. */
    if (pair->unplugged)
        hostSetVf(host, 0, "0000:01:10.0", MAC);
    pair->unplugged = FALSE;
    g_assert_true(hostSettle(host));
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_assert_true(hostSettle(host));
    hostExpect(host, "");

    reads = pair->phase == VIR_TEAMING_PHASE_DRIVING || pair->phase == VIR_TEAMING_PHASE_SETTLING ||
        pair->phase == VIR_TEAMING_PHASE_LEAVING;
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_true(virTeamingMacEqual(&vf.mac, &pair->mac));
    g_assert_true(!reads || vf.vlan == 0);

    g_assert_cmpstr(pair->uplink, !=, "");
    entries = virTeamingKernelFdbList(host->kernel, pair->uplink, &pair->mac, NULL);
    for (guint i = 0; i < entries->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, i);

        self |= !!(entry->flags & VIR_TEAMING_FDB_SELF);
        g_assert_false(!reads && entry->flags & VIR_TEAMING_FDB_STICKY);
    }
    g_assert_true(reads || self);
    if (pair->macvtap) {
        virTeamingLink tap;

        g_assert_true(virTeamingKernelLinkGet(host->kernel, pair->tap, &tap, NULL));
        g_assert_cmpint(tap.mode, ==, reads ?
                        VIR_TEAMING_MACVTAP_VEPA : VIR_TEAMING_MACVTAP_BRIDGE);
        return;
    }
    for (guint i = 0; i < pair->vlans->len; i++) {
        virTeamingFdbEntry entry;
        const gboolean there =
            virTeamingKernelFdbGet(host->kernel, pair->bridge, &pair->mac,
                                   g_array_index(pair->vlans, guint16, i), &entry, NULL);

        if (pair->phase == VIR_TEAMING_PHASE_DRIVING)
            g_assert_true(there && g_str_equal(entry.dev, pair->uplink));
        else if (!reads && !pair->pci.busMaster)
            g_assert_true(there && g_str_equal(entry.dev, pair->tap));
        else
            g_assert_false(reads && there);
    }
}


static void
testLives(Host *host,
          gconstpointer copies)
{
    g_assert_true(hostSettle(host));
    for (guint i = 0; i < 1000; i++) {
        lifeTake(host);
        hostSettle(host);
        if (g_test_rand_int_range(0, 8) == 0)
            lifeCheck(host);
    }
    lifeCheck(host);
}


static void
testVlanLives(Host *host,
              gconstpointer copies)
{
    hostAddTrunk(host, few);
    testLives(host, copies);
}


static void
testVfUplinkLives(Host *host,
                  gconstpointer copies)
{
    hostAddVfUplink(host);
    testLives(host, copies);
}


static void
testVlanOnBondLives(Host *host,
                    gconstpointer copies)
{
    hostAddBridge(host);
    hostAddBond(host, "", "eth1");
    hostAddUpper(host, "bond0.100", 100, "bond0", "br0");
    testLives(host, copies);
}


static void
testOtherNicLives(Host *host,
                  gconstpointer copies)
{
    hostAddBridge(host);
    hostAddLink(host, "eth2", "", "br0", "");
    testLives(host, copies);
}


static void
testMacvtapLives(Host *host,
                 gconstpointer copies)
{
    hostSetMacvtap(host, TRUE);
    testLives(host, copies);
    hostSetMacvtap(host, FALSE);
}


int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Host *host, gconstpointer copies);
        gboolean copies;
    } tests[] = {
        { "/wiring/vlans", testVlans, TRUE },
        { "/wiring/vlans/many", testManyVlans, TRUE },
        { "/wiring/vlans/other", testOtherVlan, TRUE },
        { "/wiring/vlans/none-in-common", testNoCommonVlan, TRUE },
        { "/wiring/vlans/filtering-switched", testFilteringSwitched, TRUE },
        { "/wiring/vlans/arrive", testArriveInVlan, TRUE },
        { "/wiring/vlans/restart", testRestartInVlan, TRUE },
        { "/wiring/vlans/other-bridge", testOtherBridge, TRUE },
        { "/wiring/pfs-swapped", testPfsSwapped, FALSE },
        { "/wiring/torn-list", testTornList, TRUE },
        { "/wiring/unlisted-uplink", testUnlistedUplink, TRUE },
        { "/wiring/vf-uplink", testVfUplink, FALSE },
        { "/wiring/vf-uplink/igb", testVfUplinkOfIgb, TRUE },
        { "/wiring/above/vlan", testVlanOnPf, TRUE },
        { "/wiring/above/vlan/of-vf", testVlanOfVf, TRUE },
        { "/wiring/above/vlan/of-vf-at-trunk", testVlanOfVfAtTrunk, TRUE },
        { "/wiring/above/vlan/bridges", testBridgesOnPf, TRUE },
        { "/wiring/above/bond", testBond, TRUE },
        { "/wiring/above/bond/vlan", testVlanOnBond, TRUE },
        { "/wiring/above/bond/fails-over", testBondFailsOver, TRUE },
        { "/wiring/above/bond/spreads", testBondSpreads, TRUE },
        { "/wiring/above/bond/search", testSearchOnBond, TRUE },
        { "/wiring/above/other-nic", testOtherNic, TRUE },
        { "/wiring/above/other-nics", testOtherNics, TRUE },
        { "/wiring/above/vf-of-other-nic", testVfOfOtherNic, TRUE },
        { "/wiring/macvtap", testMacvtap, TRUE },
        { "/wiring/macvtap/vlan", testMacvtapOnVlan, TRUE },
        { "/wiring/macvtap/without-copies", testMacvtapWithoutCopies, FALSE },
        { "/wiring/macvtap/arrives", testMacvtapArrives, TRUE },
        { "/wiring/macvtap/vepa", testMacvtapVepa, TRUE },
        { "/wiring/nic/no-zero", testNoZero, FALSE },
        { "/wiring/nic/not-early", testNotEarly, FALSE },
        { "/wiring/lives/vlans", testVlanLives, TRUE },
        { "/wiring/lives/vlans-without-copies", testVlanLives, FALSE },
        { "/wiring/lives/vf-uplink", testVfUplinkLives, TRUE },
        { "/wiring/lives/vf-uplink-without-copies", testVfUplinkLives, FALSE },
        { "/wiring/lives/vlan-on-bond", testVlanOnBondLives, TRUE },
        { "/wiring/lives/other-nic", testOtherNicLives, TRUE },
        { "/wiring/lives/macvtap", testMacvtapLives, TRUE },
        { "/wiring/lives/macvtap-without-copies", testMacvtapLives, FALSE },
    };

    /* Thousands of journals: not to a disk. GLib looks at this once. */
    if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR))
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    /* Refusals are warned of; that is no failure of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Host, GINT_TO_POINTER(tests[i].copies), hostSetUp,
                   tests[i].test, hostTearDown);
    return g_test_run();
}
