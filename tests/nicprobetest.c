/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nicprobetest.c: what 'virt-teaming probe' finds out of NICs that behave differently
 */

/*
 * The NIC is a model: it is told on the fake kernel which MAC and VLAN its VF has and
 * delivers frames by a few rules, of which each test bends some. Time is the model's own.
 * Whatever changes something is counted, so that a test can stop, fail or kill the
 * probe at each of these steps in turn and look at what is left behind.
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nic_journal.h"
#include "nic_probe.h"
#include "teaming_error.h"
#include "teaming_kernel_fake.h"
#include "teaming_kernel_priv.h"

/* PCI domains this high are not on any machine: its sysfs must not be found. */
#define PF_PCI "fffe:01:00.0"
#define VF_PCI "fffe:01:10.2"

typedef enum {
    NOTHING,
    STOP,                           /* a signal comes */
    FAIL,                           /* this step fails */
    KILL,                           /* nothing works from this step on */
} Accident;

/* How a NIC differs from an 82576, as which it is set up if all is zero. */
typedef struct {
    gboolean late;                  /* steers when a driver is there, not before */
    gboolean exclusive;             /* PF and VF hold a MAC: only the VF gets its frames */
    gboolean refusesZero;
    gboolean deafToZero;            /* takes the zero MAC, and goes on as before */
    gboolean leaks;                 /* a VF in a VLAN gets what is in none */
    gboolean noVlans;
    gboolean parksLocal;            /* a VF in a VLAN does not hold back what the PF sends */
    gboolean randomMac;             /* the VF's driver does not ask for its MAC */
    gboolean neverSteers;
    gboolean notLocal;              /* nothing goes from the PF to a VF */
    gboolean noCarrier;             /* the VF never tells that it has it */
    gboolean stray;                 /* what no filter knows goes to a VF with a driver */
    gboolean noSelf;                /* the PF takes no second MAC */
    guint delayMs;                  /* until a change is in force */
    guint lossPercent;
    gboolean cut;                   /* the wire is */
    gboolean receiveFails;
} Nic;

typedef struct {
    gint64 from;                    /* in force from then on */
    virTeamingMac mac;
    guint vlan;
} Filter;

typedef struct {
    virTeamingNicWire parent;
    virTeamingKernel *kernel;
    const virTeamingKernelOps *kernelOps;
    Nic nic;
    gint64 now;
    GArray *filters;                /* of Filter, oldest first */
    GArray *flying;                 /* of virTeamingNicArrival */
    gboolean taken;
    virTeamingLink hidden;          /* netdev of the VF that was taken; name "": none */
    gint64 returnAt;                /* when it is seen again; 0: when the VF is bound anew */
    const char *pf;                 /* what the PF is called by now */
    gboolean silent;                /* the PF tells nothing of VF 1 */
    guint takenAt;                  /* with this frame somebody takes the VF */
    const char *taker;              /* his driver */
    guint takenAtUnbind;            /* a guest takes the VF when its driver is to be taken */
    guint unbinds;
    GString *notices;
    guint sent;
    guint steps;
    guint often;
    guint accidentAt;
    Accident accident;
    sig_atomic_t stop;
    char *rundir;
} Rig;

static Rig *rig;                    /* of the test that runs */


/* Counts a step. Returns: whether it may be taken. */
static gboolean
step(GError **error)
{
    gboolean due = ++rig->steps == rig->accidentAt;

    switch (rig->accident) {
    case NOTHING:
        return TRUE;
    case STOP:
        rig->stop |= due;
        return TRUE;
    case FAIL:
        break;
    case KILL:
        due = rig->steps >= rig->accidentAt;
        break;
    }
    if (due)
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM, "accident");
    return !due;
}


/* As step(), for what is done a hundred times: some of them will do. */
static gboolean
stepOften(GError **error)
{
    return ++rig->often % 8 != 0 || step(error);
}


/* ---- the kernel's side of the NIC ---- */

/* What VF 1 has been given, whether the PF tells of it or not. */
static virTeamingVf
getConfig(void)
{
    g_autoptr(GArray) vfs = g_array_new(FALSE, FALSE, sizeof(virTeamingVf));

    g_assert_cmpint(rig->kernelOps->vfList(rig->kernel, rig->pf, NULL, 1, vfs), ==, 0);
    g_assert_cmpuint(vfs->len, ==, 1);
    return g_array_index(vfs, virTeamingVf, 0);
}


static void
changed(void)
{
    Filter filter = { .from = rig->now + rig->nic.delayMs * 1000 };
    const virTeamingVf vf = getConfig();

    if (rig->nic.deafToZero && virTeamingMacIsZero(&vf.mac))
        return;
    filter.mac = vf.mac;
    filter.vlan = vf.vlan;
    g_array_append_val(rig->filters, filter);
}


static int
nicVfList(virTeamingKernel *kernel,
          const char *pf,
          const virTeamingMac *mac,
          gint only,
          GArray *list)
{
    int err = rig->kernelOps->vfList(kernel, pf, mac, only, list);

    for (guint i = 0; rig->silent && i < list->len; i++) {
        if (g_array_index(list, virTeamingVf, i).index == 1)
            g_array_remove_index(list, i--);
    }
    return err;
}


static int
nicVfSetMac(virTeamingKernel *kernel,
            const char *pf,
            guint index,
            const virTeamingMac *mac)
{
    int err;

    if (rig->nic.refusesZero && virTeamingMacIsZero(mac))
        return EINVAL;
    if (!step(NULL))
        return EIO;
    if (!(err = rig->kernelOps->vfSetMac(kernel, pf, index, mac)))
        changed();
    return err;
}


static int
nicVfSetVlan(virTeamingKernel *kernel,
             const char *pf,
             guint index,
             guint vlan,
             guint qos,
             gboolean service)
{
    int err;

    if (rig->nic.noVlans)
        return EOPNOTSUPP;
    if (!step(NULL))
        return EIO;
    if (!(err = rig->kernelOps->vfSetVlan(kernel, pf, index, vlan, qos, service)))
        changed();
    return err;
}


static int
nicFdbAdd(virTeamingKernel *kernel,
          const virTeamingFdbEntry *entry)
{
    if (rig->nic.noSelf)
        return EOPNOTSUPP;
    return step(NULL) ? rig->kernelOps->fdbAdd(kernel, entry) : EIO;
}


static int
nicFdbDel(virTeamingKernel *kernel,
          const virTeamingFdbEntry *entry)
{
    return step(NULL) ? rig->kernelOps->fdbDel(kernel, entry) : EIO;
}


/* ---- the wire ---- */

static virTeamingPciDevice
getVf(void)
{
    virTeamingPciAddress address;
    virTeamingPciDevice device;

    g_assert_true(virTeamingPciAddressParse(VF_PCI, &address));
    g_assert_true(virTeamingKernelPciGetDevice(rig->kernel, &address, &device, NULL));
    return device;
}


static void
setNetdev(const char *driver,
          const char *netdev,
          const virTeamingMac *mac,
          gboolean up)
{
    virTeamingPciDevice device = getVf();
    virTeamingLink link = { .pci = VF_PCI, .up = up, .mtu = 1500 };

    if (device.netdev[0])
        virTeamingFakeRemoveLink(rig->kernel, device.netdev);
    rig->hidden.name[0] = '\0';
    g_strlcpy(device.driver, driver, sizeof(device.driver));
    g_strlcpy(device.netdev, netdev, sizeof(device.netdev));
    virTeamingFakeSetPci(rig->kernel, &device);
    if (!*netdev)
        return;
    g_strlcpy(link.name, netdev, sizeof(link.name));
    link.mac = *mac;
    virTeamingFakeSetLink(rig->kernel, &link);
}


static void
wireFree(virTeamingNicWire *wire)
{
}


static gint64
wireNow(virTeamingNicWire *wire)
{
    return rig->now;
}


static gboolean
wireUnbind(virTeamingNicWire *wire,
           const virTeamingPciAddress *vf,
           GError **error)
{
    if (!step(error))
        return FALSE;
    if (++rig->unbinds == rig->takenAtUnbind) {
        setNetdev("vfio-pci", "", NULL, FALSE);
        g_free(virTeamingFakeTakeLog(rig->kernel));
    }
    if (virTeamingPciDriverIsVfio(getVf().driver)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY, "a guest may have it");
        return FALSE;
    }
    setNetdev("", "", NULL, FALSE);
    return TRUE;
}


static gboolean
wireBind(virTeamingNicWire *wire,
         const virTeamingPciAddress *vf,
         const char *driver,
         GError **error)
{
    const virTeamingMac random = { { 0x0a, 1, 2, 3, 4, 5 } };
    virTeamingVf config;

    if (!step(error))
        return FALSE;
    if (getVf().driver[0])
        return TRUE;
    config = getConfig();
    setNetdev(driver ? driver : "igbvf", "new0",
              rig->nic.randomMac || virTeamingMacIsZero(&config.mac) ? &random : &config.mac,
              FALSE);
    return TRUE;
}


static gboolean
wireTake(virTeamingNicWire *wire,
         const virTeamingPciAddress *vf,
         virTeamingMac *mac,
         GError **error)
{
    virTeamingPciDevice device = getVf();
    virTeamingLink link;

    if (!step(error))
        return FALSE;
    g_assert_true(virTeamingKernelLinkGet(rig->kernel, device.netdev, &link, NULL));
    *mac = link.mac;
    rig->taken = TRUE;
    /* In another network namespace, sysfs and netlink do not show it here. */
    setNetdev(device.driver, "", NULL, FALSE);
    rig->hidden = link;
    return TRUE;
}


static gboolean
wireReady(virTeamingNicWire *wire)
{
    return rig->now % 7 != 0 && !rig->nic.noCarrier;
}


static void
wireDrop(virTeamingNicWire *wire)
{
    rig->taken = FALSE;
}


static gboolean
wireSettle(virTeamingNicWire *wire,
           const virTeamingPciAddress *vf,
           const char *name,
           const virTeamingMac *mac,
           guint mtu,
           gboolean up,
           GError **error)
{
    virTeamingLink link;

    if (!step(error))
        return FALSE;
    setNetdev(getVf().driver, name, mac, up);
    g_assert_true(virTeamingKernelLinkGet(rig->kernel, name, &link, NULL));
    link.mtu = mtu;
    virTeamingFakeSetLink(rig->kernel, &link);
    return TRUE;
}


static void
deliver(virTeamingNicEnd end,
        guint tag)
{
    virTeamingNicArrival arrival = { end, tag };

    g_array_append_val(rig->flying, arrival);
}


/* The NIC: who gets a frame for @to? */
static gboolean
wireSend(virTeamingNicWire *wire,
         virTeamingNicEnd from,
         const virTeamingMac *to,
         guint tag,
         GError **error)
{
    const Nic *nic = &rig->nic;
    g_autoptr(GArray) entries = virTeamingKernelFdbList(rig->kernel, rig->pf, to, NULL);
    const gboolean pfHas = entries->len > 0;
    Filter filter = { 0 };
    gboolean vfHas;
    gboolean vfGets;

    if (!stepOften(error))
        return FALSE;
    if (rig->sent + 1 == rig->takenAt) {
        setNetdev(rig->taker, "", NULL, FALSE);
        g_free(virTeamingFakeTakeLog(rig->kernel));
    }
    for (guint i = 0; i < rig->filters->len; i++) {
        if (g_array_index(rig->filters, Filter, i).from <= rig->now)
            filter = g_array_index(rig->filters, Filter, i);
    }
    vfHas = virTeamingMacEqual(&filter.mac, to) && !nic->neverSteers && !nic->randomMac &&
        (rig->taken || !nic->late);
    vfGets = vfHas && (filter.vlan == 0 || nic->leaks);
    if (nic->stray && rig->taken && !vfHas && !pfHas)
        vfGets = TRUE;
    rig->sent++;
    if (rig->sent * nic->lossPercent / 100 != (rig->sent - 1) * nic->lossPercent / 100)
        return TRUE;

    if (from == VIR_TEAMING_NIC_END_PEER) {
        if (nic->cut)
            return TRUE;
        if (vfGets && rig->taken)
            deliver(VIR_TEAMING_NIC_END_VF, tag);
        if (!vfGets || (pfHas && !nic->exclusive))
            deliver(VIR_TEAMING_NIC_END_PF, tag);
    } else if (vfGets && rig->taken && !nic->notLocal) {
        deliver(VIR_TEAMING_NIC_END_VF, tag);
    } else if (!nic->cut && !pfHas && (!vfHas || (filter.vlan && nic->parksLocal))) {
        deliver(VIR_TEAMING_NIC_END_PEER, tag);
    }
    return TRUE;
}


static gboolean
wireReceive(virTeamingNicWire *wire,
            guint ms,
            GArray *arrivals,
            GError **error)
{
    g_assert_cmpuint(ms, >, 0);
    if (rig->nic.receiveFails) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot receive frames: no buffers");
        return FALSE;
    }
    if (!stepOften(error))
        return FALSE;
    rig->now += ms * 1000;
    if (rig->hidden.name[0] && rig->returnAt && rig->now >= rig->returnAt) {
        const virTeamingLink back = rig->hidden;

        setNetdev(getVf().driver, back.name, &back.mac, FALSE);
    }
    g_array_append_vals(arrivals, rig->flying->data, rig->flying->len);
    g_array_set_size(rig->flying, 0);
    return TRUE;
}


static const virTeamingNicWireOps wireOps = {
    .free = wireFree,
    .now = wireNow,
    .unbind = wireUnbind,
    .bind = wireBind,
    .take = wireTake,
    .ready = wireReady,
    .drop = wireDrop,
    .settle = wireSettle,
    .send = wireSend,
    .receive = wireReceive,
};


/* ---- the host ---- */

static void
addPci(const char *pci,
       const char *driver,
       const char *netdev)
{
    virTeamingPciDevice device = { .classCode = 0x020000, .iommuGroup = -1 };
    virTeamingLink link = { .up = TRUE, .running = TRUE, .mtu = 9000 };

    g_assert_true(virTeamingPciAddressParse(pci, &device.address));
    g_strlcpy(device.driver, driver, sizeof(device.driver));
    g_strlcpy(device.netdev, netdev, sizeof(device.netdev));
    if (!g_str_equal(pci, PF_PCI))
        g_strlcpy(device.physfn, PF_PCI, sizeof(device.physfn));
    virTeamingFakeSetPci(rig->kernel, &device);
    if (*netdev) {
        g_strlcpy(link.name, netdev, sizeof(link.name));
        g_strlcpy(link.pci, pci, sizeof(link.pci));
        g_assert_true(virTeamingMacParse("0a:00:00:00:00:07", &link.mac));
        virTeamingFakeSetLink(rig->kernel, &link);
    }
}


static void
addVf(guint index,
      const char *pci,
      const char *driver,
      const char *netdev)
{
    virTeamingVf vf = { .index = index, .vlan = 12, .qos = 3, .serviceVlan = TRUE, .trust = -1,
                        .spoofchk = -1 };

    addPci(pci, driver, netdev);
    g_assert_true(virTeamingPciAddressParse(pci, &vf.address));
    g_assert_true(virTeamingMacParse("0a:00:00:00:00:07", &vf.mac));
    if (rig->nic.noVlans)
        vf.vlan = vf.qos = vf.serviceVlan = 0;
    virTeamingFakeSetVf(rig->kernel, "pf0", &vf);
}


/* A host with a NIC of which VF 0 is a guest's and VF 1 is idle. */
static Rig *
rigNew(const Nic *nic)
{
    static virTeamingKernelOps ops;
    virTeamingLink peer = { .name = "far0", .up = TRUE, .running = TRUE };

    rig = g_new0(Rig, 1);
    rig->parent.ops = &wireOps;
    rig->kernel = virTeamingKernelNewFake();
    rig->nic = *nic;
    rig->filters = g_array_new(FALSE, FALSE, sizeof(Filter));
    rig->flying = g_array_new(FALSE, FALSE, sizeof(virTeamingNicArrival));
    rig->pf = "pf0";
    rig->notices = g_string_new(NULL);
    rig->rundir = g_dir_make_tmp("nicprobeXXXXXX", NULL);
    addPci(PF_PCI, "igb", "pf0");
    virTeamingFakeSetLink(rig->kernel, &peer);
    addVf(0, "fffe:01:10.0", "vfio-pci", "");
    addVf(1, VF_PCI, "igbvf", "vf1");

    rig->kernelOps = rig->kernel->ops;
    ops = *rig->kernelOps;
    ops.vfList = nicVfList;
    ops.vfSetMac = nicVfSetMac;
    ops.vfSetVlan = nicVfSetVlan;
    ops.fdbAdd = nicFdbAdd;
    ops.fdbDel = nicFdbDel;
    rig->kernel->ops = &ops;
    return rig;
}


static void
removeDir(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        g_unlink(file);
    }
    g_rmdir(path);
}


static void
rigFree(Rig *ended)
{
    removeDir(ended->rundir);
    virTeamingKernelFree(ended->kernel);
    g_array_unref(ended->filters);
    g_array_unref(ended->flying);
    g_string_free(ended->notices, TRUE);
    g_free(ended->rundir);
    g_free(ended);
    rig = NULL;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rigFree)


/* All of the host that a probe may touch, as text. */
static char *
describe(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GArray) entries = virTeamingKernelFdbList(rig->kernel, rig->pf, NULL, NULL);
    g_autoptr(GArray) vfs = virTeamingKernelVfList(rig->kernel, rig->pf, NULL);
    g_autofree char *journal = g_build_filename(rig->rundir, "nic-probe.json", NULL);

    for (guint i = 0; i < vfs->len; i++) {
        const virTeamingVf *vf = &g_array_index(vfs, virTeamingVf, i);
        char mac[VIR_TEAMING_MAC_STRING_LEN];
        virTeamingPciDevice device;
        virTeamingLink link;

        g_assert_true(virTeamingKernelPciGetDevice(rig->kernel, &vf->address, &device, NULL));
        g_string_append_printf(text, "vf%u %s %u/%u/%d '%s'", i,
                               virTeamingMacFormat(&vf->mac, mac), vf->vlan, vf->qos,
                               vf->serviceVlan, device.driver);
        if (virTeamingKernelLinkGet(rig->kernel, device.netdev, &link, NULL))
            g_string_append_printf(text, " %s %s mtu=%u up=%d", link.name,
                                   virTeamingMacFormat(&link.mac, mac), link.mtu, link.up);
        g_string_append_c(text, '\n');
    }
    g_string_append_printf(text, "fdb %u journal %d taken %d\n", entries->len,
                           g_file_test(journal, G_FILE_TEST_EXISTS), rig->taken);
    return g_string_free(g_steal_pointer(&text), FALSE);
}


static void
notice(const char *words)
{
    g_string_append(rig->notices, words);
}


static virTeamingNicProbe
getProbe(gboolean peer)
{
    return (virTeamingNicProbe){
        .kernel = rig->kernel,
        .wire = &rig->parent,
        .pf = "pf0",
        .peer = peer ? "far0" : NULL,
        .rundir = rig->rundir,
        .stop = &rig->stop,
        .notice = notice,
    };
}


/* The answers as letters, in the order of virTeamingNicTrait: y, n and ?. */
static char *
spell(const virTeamingNicAnswer *answers)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (virTeamingNicTrait t = 0; t < VIR_TEAMING_TRAIT_LAST; t++)
        g_string_append_c(text, "?yn"[answers[t]]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}


/* ---- what is found ---- */

typedef struct {
    const char *name;
    Nic nic;
    gboolean alone;                 /* without a peer */
    /* steers, keeps MAC, zero, early, copies, parks, parks local */
    const char *answers;
    gint64 leastUs;                 /* a change takes; -1: not known */
    const char *reason;             /* why it is not safe; NULL: it is */
} FindTest;

static const FindTest finds[] = {
    { "as-an-82576", { 0 }, FALSE, "yyyyyyn", 0, NULL },
    { "as-an-82576/without-a-peer", { 0 }, TRUE, "yy?????", 0, NULL },
    { "strays-go-to-a-vf", { .stray = TRUE }, FALSE, "yyyyyyn", 0, NULL },
    { "steers-early-and-does-not-copy", { .exclusive = TRUE }, FALSE, "yyyynyn", 0, NULL },
    { "steers-late", { .late = TRUE, .exclusive = TRUE }, FALSE, "yyynnyy", 0, NULL },
    { "parks-local", { .parksLocal = TRUE }, FALSE, "yyyyyyy", 0, NULL },
    { "refuses-zero", { .refusesZero = TRUE }, FALSE, "yynyyyn", 0, "zero MAC" },
    { "refuses-zero/steers-late", { .refusesZero = TRUE, .late = TRUE }, FALSE, "yynnyyy", 0,
      NULL },
    { "refuses-zero/without-a-peer", { .refusesZero = TRUE }, TRUE, "yyn????", 0, "zero MAC" },
    { "deaf-to-zero", { .deafToZero = TRUE }, FALSE, "yynyyyn", 0, "zero MAC" },
    { "deaf-to-zero/without-a-peer", { .deafToZero = TRUE }, TRUE, "yy?????", -1, NULL },
    { "vlan-leaks/copies", { .leaks = TRUE }, FALSE, "yyyyynn", 0, NULL },
    { "vlan-leaks/does-not-copy", { .leaks = TRUE, .exclusive = TRUE }, FALSE, "yyyynnn", 0,
      "nor does an unused VLAN" },
    { "vlan-leaks/without-a-peer", { .leaks = TRUE }, TRUE, "yy????n", 0, NULL },
    { "no-vlans", { .noVlans = TRUE }, FALSE, "yyyyynn", 0, NULL },
    { "no-vlans/does-not-copy", { .noVlans = TRUE, .exclusive = TRUE }, FALSE, "yyyynnn", 0,
      "nor does an unused VLAN" },
    { "no-second-mac", { .noSelf = TRUE }, FALSE, "yyyynyn", 0, NULL },
    { "random-mac", { .randomMac = TRUE }, FALSE, "?nyn??y", -1, "another MAC" },
    { "never-steers", { .neverSteers = TRUE }, FALSE, "nyyn??y", -1, "do not reach the VF" },
    { "never-steers/without-a-peer", { .neverSteers = TRUE }, TRUE, "?y?????", -1, NULL },
    { "not-from-the-pf", { .notLocal = TRUE }, FALSE, "yyyyyyn", 0, NULL },
    { "not-from-the-pf/without-a-peer", { .notLocal = TRUE }, TRUE, "?y?????", -1, NULL },
    { "tells-no-carrier", { .noCarrier = TRUE }, FALSE, "yyyyyyn", 0, NULL },
    { "slow", { .delayMs = 400 }, FALSE, "yyyyyyn", 400 * 1000, NULL },
    { "slow/does-not-copy", { .delayMs = 400, .exclusive = TRUE }, FALSE, "yyyynyn", 400 * 1000,
      NULL },
    { "loses-some", { .lossPercent = 10 }, FALSE, "yyyyyyn", 0, NULL },
};


static void
testFind(gconstpointer opaque)
{
    const FindTest *test = opaque;
    g_autoptr(Rig) mine G_GNUC_UNUSED = rigNew(&test->nic);
    g_autofree char *before = describe();
    g_autofree char *after = NULL;
    g_autofree char *answers = NULL;
    g_autofree char *reason = NULL;
    virTeamingNicProbe probe = getProbe(!test->alone);
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingNicVerdict) verdict = virTeamingNicProbeRun(&probe, &error);

    g_assert_no_error(error);
    g_assert_nonnull(verdict);
    answers = spell(verdict->answers);
    g_assert_cmpstr(answers, ==, test->answers);

    if (test->leastUs < 0) {
        g_assert_cmpint(verdict->changeUs, ==, -1);
    } else {
        g_assert_cmpint(verdict->changeUs, >=, test->leastUs);
        g_assert_cmpint(verdict->changeMaxUs, <=, test->leastUs + 10000);
    }

    reason = virTeamingNicVerdictObject(verdict);
    if (test->reason) {
        g_assert_nonnull(reason);
        g_assert_nonnull(strstr(reason, test->reason));
    } else {
        g_assert_cmpstr(reason, ==, NULL);
    }

    after = describe();
    g_assert_cmpstr(after, ==, before);
}


/* ---- what is left behind ---- */

/* The process of the probe has ended, and some time after it its namespace. */
static void
endProcess(void)
{
    rig->accident = NOTHING;
    rig->stop = 0;
    rig->taken = FALSE;
    rig->returnAt = rig->now + 300 * 1000;
}


/* Lets @accident happen at each step in turn; returns how many steps there are. */
static guint
testAccidents(Accident accident,
              gboolean recover)
{
    const Nic nic = { 0 };
    gboolean ended = FALSE;
    guint at;

    for (at = 1; !ended; at++) {
        g_autoptr(Rig) mine = rigNew(&nic);
        g_autofree char *before = describe();
        g_autofree char *after = NULL;
        virTeamingNicProbe probe = getProbe(TRUE);
        g_autoptr(GError) error = NULL;
        g_autoptr(virTeamingNicVerdict) verdict = NULL;

        mine->accident = accident;
        mine->accidentAt = at;
        verdict = virTeamingNicProbeRun(&probe, &error);
        ended = mine->steps < at;
        /* A signal may come while all is put back already. */
        g_assert_true(!verdict == !!error);
        g_assert_true(verdict || !ended);
        g_assert_true(accident == STOP || !verdict || ended);

        if (recover)
            endProcess();
        if (recover)
            g_assert_true(virTeamingNicProbeRecover(&probe, NULL));
        after = describe();
        g_assert_cmpstr(after, ==, before);
    }
    return at;
}


static void
testStopped(void)
{
    g_assert_cmpuint(testAccidents(STOP, FALSE), >, 50);
}


/* What fails once is tried again by the next probe, if the first could not undo it. */
static void
testFailed(void)
{
    g_assert_cmpuint(testAccidents(FAIL, TRUE), >, 50);
}


static void
testKilled(void)
{
    g_assert_cmpuint(testAccidents(KILL, TRUE), >, 50);
}


/* What fails, but is no refusal, is not taken for what the NIC can't do. */
static void
testNoRoom(void)
{
    static const struct {
        const char *op;
        guint nth;
        int err;
    } failures[] = {
        { "VfSetMac", 2, ENOMEM },      /* to zero */
        { "VfSetVlan", 2, EBUSY },      /* to the unused one */
        { "FdbAdd", 1, ENOMEM },
        { "FdbAdd", 2, ENOSPC },
    };
    const Nic nic = { 0 };

    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(Rig) mine = rigNew(&nic);
        g_autofree char *before = describe();
        g_autofree char *after = NULL;
        virTeamingNicProbe probe = getProbe(TRUE);
        g_autoptr(GError) error = NULL;

        virTeamingFakeFail(mine->kernel, failures[i].op, failures[i].nth, failures[i].err);
        g_assert_null(virTeamingNicProbeRun(&probe, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, g_strerror(failures[i].err)));
        after = describe();
        g_assert_cmpstr(after, ==, before);
    }
}


/* A probe of @nic has no answer, and leaves all as it was. */
static void
expectFailure(const Nic *nic,
              virTeamingErrorCode code,
              const char *says)
{
    g_autoptr(Rig) mine G_GNUC_UNUSED = rigNew(nic);
    g_autofree char *before = describe();
    g_autofree char *after = NULL;
    virTeamingNicProbe probe = getProbe(TRUE);
    g_autoptr(GError) error = NULL;

    g_assert_null(virTeamingNicProbeRun(&probe, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, (gint)code);
    g_assert_nonnull(strstr(error->message, says));
    after = describe();
    g_assert_cmpstr(after, ==, before);
}


static void
testReceiveFails(void)
{
    const Nic nic = { .receiveFails = TRUE };

    expectFailure(&nic, VIR_TEAMING_ERROR_SYSTEM, "no buffers");
}


static void
testWireCut(void)
{
    const Nic nic = { .cut = TRUE };

    expectFailure(&nic, VIR_TEAMING_ERROR_UNSUPPORTED, "'far0' and 'pf0'");
}


/* Somebody has switched it off, or the NIC has a switch of its own that is. */
static void
testVfWithoutCarrier(void)
{
    const Nic nic = { .neverSteers = TRUE, .noCarrier = TRUE };

    expectFailure(&nic, VIR_TEAMING_ERROR_UNSUPPORTED, "ip link set dev pf0 vf 1 state auto");
}


static void
hideFromHost(void)
{
    setNetdev("igbvf", "", NULL, FALSE);
}


static void
giveToGuest(void)
{
    setNetdev("vfio-pci", "", NULL, FALSE);
}


static void
giveToOtherGuest(void)
{
    setNetdev("mlx5_vfio_pci", "", NULL, FALSE);
}


static void
giveToProgram(void)
{
    setNetdev("igb_uio", "", NULL, FALSE);
}


static void
giveAddress(void)
{
    const virTeamingMac mac = { { 0x0a, 1, 2, 3, 4, 5 } };

    setNetdev("igbvf", "busy0", &mac, TRUE);
    virTeamingFakeSetAddress(rig->kernel, "busy0", "192.0.2.1");
}


static void
makePort(void)
{
    const virTeamingLink link = { .name = "vf1", .master = "br0", .pci = VF_PCI };

    setNetdev("igbvf", "vf1", &link.mac, TRUE);
    virTeamingFakeSetLink(rig->kernel, &link);
}


static void
renamePf(void)
{
    virTeamingFakeRenameLink(rig->kernel, "pf0", "ens1");
    rig->pf = "ens1";
}


static void
swapPfs(void)
{
    const virTeamingLink other = { .name = "pf0", .pci = "fffe:02:00.0" };

    renamePf();
    virTeamingFakeSetLink(rig->kernel, &other);
}


static void
removeVf(void)
{
    const virTeamingPciAddress address = getVf().address;

    setNetdev("", "", NULL, FALSE);
    virTeamingFakeRemovePci(rig->kernel, &address);
}


static void
silenceVf(void)
{
    rig->silent = TRUE;
}


static void
restoreVf(void)
{
    rig->silent = FALSE;
}


static void
removePf(void)
{
    virTeamingFakeRemoveLink(rig->kernel, "pf0");
}


static void
removeNic(void)
{
    removeVf();
    removePf();
}


static void
restorePf(void)
{
    const virTeamingLink link = { .name = "pf0", .pci = PF_PCI, .up = TRUE, .running = TRUE };

    virTeamingFakeSetLink(rig->kernel, &link);
}


typedef struct {
    const char *name;
    void (*meanwhile)(void);        /* after a probe was killed, before the next */
    const char *user;               /* who has the VF since; NULL: nobody */
    const char *problem;            /* why the next can't put it back; NULL: it can */
    void (*mend)(void);
} RecoverTest;

static const RecoverTest recovers[] = {
    { "guest", giveToGuest, "a guest may have it (driver vfio-pci)" },
    { "guest/other-driver", giveToOtherGuest, "a guest may have it (driver mlx5_vfio_pci)" },
    { "program", giveToProgram, "driver igb_uio, and no network interface here" },
    { "container", hideFromHost, "driver igbvf, and no network interface here" },
    { "address", giveAddress, "it has the address 192.0.2.1" },
    { "bridge-port", makePort, "it is a port of 'br0'" },
    { "pf-renamed", renamePf },
    { "pf-renamed/name-taken", swapPfs },
    { "vf-gone", removeVf },
    { "nic-gone", removeNic },
    { "vf-not-told-of", silenceVf, NULL, "'pf0' has no VF 1 now", restoreVf },
    { "pf-gone", removePf, NULL, "find the PF of PCI function " VF_PCI, restorePf },
};


/* The host does not stand still between a probe that was killed, at any step, and the next. */
static void
testRecover(gconstpointer opaque)
{
    const RecoverTest *test = opaque;
    const Nic nic = { 0 };
    gboolean ended = FALSE;

    for (guint at = 1; !ended; at++) {
        g_autoptr(Rig) mine = rigNew(&nic);
        g_autofree char *before = describe();
        g_autofree char *after = NULL;
        g_autofree char *journal = virTeamingNicJournalPath(mine->rundir);
        g_autofree char *log = NULL;
        g_autoptr(GArray) entries = NULL;
        virTeamingNicProbe probe = getProbe(TRUE);
        g_autoptr(virTeamingNicVerdict) verdict = NULL;
        g_autoptr(GError) error = NULL;
        const virTeamingPciAddress vf = getVf().address;
        virTeamingPciDevice device;

        mine->accident = KILL;
        mine->accidentAt = at;
        verdict = virTeamingNicProbeRun(&probe, NULL);
        ended = verdict != NULL;
        if (ended)
            continue;
        endProcess();
        test->meanwhile();
        g_free(virTeamingFakeTakeLog(mine->kernel));

        if (test->problem) {
            g_assert_false(virTeamingNicProbeRecover(&probe, &error));
            g_assert_nonnull(error);
            if (!strstr(error->message, test->problem) || !strstr(error->message, journal))
                g_error("'%s' does not say '%s' and '%s'", error->message, test->problem,
                        journal);
            g_assert_true(g_file_test(journal, G_FILE_TEST_EXISTS));
            test->mend();
        }
        g_clear_error(&error);
        g_assert_true(virTeamingNicProbeRecover(&probe, &error));
        g_assert_no_error(error);
        g_assert_false(g_file_test(journal, G_FILE_TEST_EXISTS));
        entries = virTeamingKernelFdbList(mine->kernel, mine->pf, NULL, NULL);
        g_assert_cmpuint(entries ? entries->len : 0, ==, 0);

        if (test->user) {
            log = virTeamingFakeTakeLog(mine->kernel);
            g_assert_null(strstr(log, "VfSet"));
            g_assert_nonnull(strstr(mine->notices->str, test->user));
            g_assert_nonnull(strstr(mine->notices->str, "MAC 0a:00:00:00:00:07 and VLAN 12"));
        } else {
            g_assert_cmpstr(mine->notices->str, ==, "");
        }
        if (!test->user && virTeamingKernelPciGetDevice(mine->kernel, &vf, &device, NULL)) {
            after = describe();
            g_assert_cmpstr(after, ==, before);
        }
    }
}


/* Also to a probe that lives: it leaves the VF alone from then on, and has no answers. */
static void
testTakenMeanwhile(void)
{
    static const char * const takers[] = { "vfio-pci", "mlx5_vfio_pci", "igb_uio" };
    const Nic nic = { 0 };

    for (guint i = 0; i < G_N_ELEMENTS(takers) * 2; i++) {
        const gboolean peer = i % 2;
        gboolean ended = FALSE;
        guint at;

        for (at = 1; !ended; at++) {
            g_autoptr(Rig) mine = rigNew(&nic);
            g_autofree char *log = NULL;
            virTeamingNicProbe probe = getProbe(peer);
            g_autoptr(virTeamingNicVerdict) verdict = NULL;
            g_autoptr(GError) error = NULL;

            mine->taker = takers[i / 2];
            mine->takenAt = at;
            verdict = virTeamingNicProbeRun(&probe, &error);
            ended = mine->sent < at;
            g_assert_true(ended == !!verdict);
            if (ended)
                continue;
            g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY);
            g_assert_nonnull(strstr(error->message, "VF 1 of 'pf0' was taken meanwhile"));
            log = virTeamingFakeTakeLog(mine->kernel);
            g_assert_null(strstr(log, "VfSet"));
            g_assert_cmpstr(getVf().driver, ==, mine->taker);
            g_assert_nonnull(strstr(mine->notices->str, mine->taker));
            g_assert_true(virTeamingNicProbeRecover(&probe, NULL));
            g_assert_cmpstr(getVf().driver, ==, mine->taker);
        }
        g_assert_cmpuint(at, >, 20);
    }
}


/* Between the last look and the change: what the wire refuses then is not changed, either. */
static void
testTakenAtLast(void)
{
    const Nic nic = { 0 };

    for (guint at = 1; at <= 3; at++) {
        g_autoptr(Rig) mine = rigNew(&nic);
        g_autofree char *log = NULL;
        virTeamingNicProbe probe = getProbe(TRUE);
        g_autoptr(GError) error = NULL;

        mine->takenAtUnbind = at;
        g_assert_null(virTeamingNicProbeRun(&probe, &error));
        g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY);
        log = virTeamingFakeTakeLog(mine->kernel);
        g_assert_null(strstr(log, "VfSet"));
        g_clear_error(&error);
        g_assert_true(virTeamingNicProbeRecover(&probe, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(getVf().driver, ==, "vfio-pci");
    }
}


/* A VF without a driver gets one to be tried, and has none afterwards. */
static void
testNoDriver(void)
{
    const Nic nic = { 0 };
    g_autoptr(Rig) mine G_GNUC_UNUSED = rigNew(&nic);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    virTeamingNicProbe probe = getProbe(TRUE);
    g_autoptr(virTeamingNicVerdict) verdict = NULL;

    setNetdev("", "", NULL, FALSE);
    before = describe();
    verdict = virTeamingNicProbeRun(&probe, NULL);
    g_assert_nonnull(verdict);
    g_assert_cmpstr(verdict->vfDriver, ==, "igbvf");
    g_assert_cmpstr(verdict->vf, ==, VF_PCI);
    after = describe();
    g_assert_cmpstr(after, ==, before);
}


/*
 * A VF that nobody has given a MAC yet. Where the NIC does not take one away it gets the one that
 * libvirt gives it then, and the answers are worth as much.
 */
static void
testNoMac(void)
{
    for (guint refuses = 0; refuses < 2; refuses++) {
        const Nic nic = { .refusesZero = refuses };
        const virTeamingMac substitute = { { 0x02 } };
        g_autoptr(Rig) mine = rigNew(&nic);
        virTeamingVf vf = getConfig();
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;
        virTeamingNicProbe probe = getProbe(TRUE);
        g_autoptr(virTeamingNicVerdict) verdict = NULL;
        g_autoptr(GError) error = NULL;

        memset(&vf.mac, 0, sizeof(vf.mac));
        virTeamingFakeSetVf(mine->kernel, "pf0", &vf);
        before = describe();
        verdict = virTeamingNicProbeRun(&probe, &error);
        g_assert_no_error(error);
        g_assert_nonnull(verdict);
        if (refuses) {
            const virTeamingVf now = getConfig();

            g_assert_true(virTeamingMacEqual(&now.mac, &substitute));
            g_assert_nonnull(strstr(mine->notices->str, "VF 1 of 'pf0' had no MAC"));
            g_assert_nonnull(strstr(mine->notices->str, "it has 02:00:00:00:00:00 now"));
            virTeamingFakeSetVf(mine->kernel, "pf0", &vf);
        }
        after = describe();
        g_assert_cmpstr(after, ==, before);
    }
}


/* ---- what is refused ---- */

static void
assertRefused(int code,
              const char *words)
{
    virTeamingNicProbe probe = getProbe(TRUE);
    g_autoptr(GError) error = NULL;

    g_free(virTeamingFakeTakeLog(rig->kernel));
    g_assert_null(virTeamingNicProbeRun(&probe, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, code);
    if (!strstr(error->message, words))
        g_error("'%s' does not say '%s'", error->message, words);
    g_assert_cmpuint(rig->steps, ==, 0);
}


/* As docs/how-it-works.rst recommends where all VFs are for guests. */
static void
testNoAutoprobe(void)
{
    static const char * const drivers[] = { "", "igbvf" };
    const Nic nic = { 0 };
    g_autoptr(Rig) mine = rigNew(&nic);

    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++) {
        virTeamingPciDevice device;

        setNetdev(drivers[i], *drivers[i] ? "vf1" : "", &(virTeamingMac){ { 0x0a } }, TRUE);
        device = getVf();
        device.noDriver = TRUE;
        virTeamingFakeSetPci(mine->kernel, &device);
        assertRefused(VIR_TEAMING_ERROR_UNSUPPORTED, "for the time of the probe: echo 1 > "
                      "/sys/bus/pci/devices/" PF_PCI "/sriov_drivers_autoprobe");
    }
}


static void
testRefused(void)
{
    const Nic nic = { 0 };
    g_autoptr(Rig) mine = rigNew(&nic);
    virTeamingMac mac = { { 0x0a, 0, 0, 0, 0, 7 } };
    virTeamingLink link = { .name = "vf1", .master = "br0", .pci = VF_PCI };
    int lock;

    setNetdev("igbvf", "busy0", &mac, TRUE);
    virTeamingFakeSetAddress(mine->kernel, "busy0", "192.0.2.1");
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 1: it has the address 192.0.2.1");
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 0: a guest may have it");
    setNetdev("igbvf", "vf1", &mac, TRUE);
    virTeamingFakeSetLink(mine->kernel, &link);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "ip link set dev vf1 nomaster");
    setNetdev("vfio-pci", "", NULL, FALSE);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 1: a guest may have it (driver vfio-pci); if none "
                  "does: virsh nodedev-reattach");
    setNetdev("mlx5_vfio_pci", "", NULL, FALSE);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 1: a guest may have it (driver mlx5_vfio_pci)");
    setNetdev("igb_uio", "", NULL, FALSE);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 1: a program or a container may have it (driver "
                  "igb_uio, and no network interface here); if none does: echo " VF_PCI
                  " > /sys/bus/pci/drivers/igb_uio/unbind");
    setNetdev("igbvf", "", NULL, FALSE);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "VF 1: a program or a container may have it (driver "
                  "igbvf");
    setNetdev("igbvf", "vf1", &mac, TRUE);

    link = (virTeamingLink){ .name = "far0" };
    virTeamingFakeSetLink(mine->kernel, &link);
    assertRefused(VIR_TEAMING_ERROR_UNSUPPORTED, "ip link set dev far0 up");
    link.up = TRUE;
    virTeamingFakeSetLink(mine->kernel, &link);
    assertRefused(VIR_TEAMING_ERROR_UNSUPPORTED, "no carrier");
    virTeamingFakeRemoveLink(mine->kernel, "far0");
    assertRefused(VIR_TEAMING_ERROR_NOT_FOUND, "far0");

    lock = virTeamingNicJournalLock(mine->rundir, NULL);
    assertRefused(VIR_TEAMING_ERROR_BUSY, "another probe");
    g_close(lock, NULL);
}


/* ---- the verdict on file ---- */

static void
testVerdict(void)
{
    const Nic nic = { 0 };
    g_autoptr(Rig) mine = rigNew(&nic);
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autoptr(virTeamingNicVerdict) again = NULL;
    g_autofree char *text = NULL;
    g_autofree char *textAgain = NULL;
    g_autofree char *path = NULL;
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(JsonNode) nodeAgain = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingNicIdentity identity;
    virTeamingNicIdentity other;
    virTeamingNicProbe probe = getProbe(TRUE);

    g_assert_true(virTeamingNicIdentityRead(mine->kernel, "pf0", &identity, NULL));
    g_assert_null(virTeamingNicVerdictLoad(&identity, mine->rundir, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND);
    g_clear_error(&error);

    verdict = virTeamingNicProbeRun(&probe, NULL);
    g_assert_true(virTeamingNicVerdictSave(verdict, mine->rundir, &error));
    g_assert_no_error(error);
    again = virTeamingNicVerdictLoad(&identity, mine->rundir, &error);
    g_assert_no_error(error);
    node = virTeamingNicVerdictFormat(verdict);
    nodeAgain = virTeamingNicVerdictFormat(again);
    text = json_to_string(node, TRUE);
    textAgain = json_to_string(nodeAgain, TRUE);
    g_assert_cmpstr(text, ==, textAgain);

    other = identity;
    g_strlcpy(other.firmware, "9.9", sizeof(other.firmware));
    g_assert_null(virTeamingNicVerdictLoad(&other, mine->rundir, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND);
    g_clear_error(&error);
    other = identity;
    g_strlcpy(other.device, "15b3:1017", sizeof(other.device));
    g_assert_null(virTeamingNicVerdictLoad(&other, mine->rundir, NULL));
    other = identity;
    g_strlcpy(other.driver, "ixgbe", sizeof(other.driver));
    g_assert_null(virTeamingNicVerdictLoad(&other, mine->rundir, NULL));

    path = virTeamingNicVerdictPath(&identity, mine->rundir);
    g_assert_true(g_file_set_contents(path, "[ \"no verdict\" ]", -1, NULL));
    g_assert_null(virTeamingNicVerdictLoad(&identity, mine->rundir, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
}


/* A probe without a peer does not void what one with a peer has found. */
static void
testInherit(void)
{
    const Nic nic = { 0 };
    g_autoptr(Rig) mine G_GNUC_UNUSED = rigNew(&nic);
    virTeamingNicProbe with = getProbe(TRUE);
    virTeamingNicProbe without = getProbe(FALSE);
    g_autoptr(virTeamingNicVerdict) older = virTeamingNicProbeRun(&with, NULL);
    g_autoptr(virTeamingNicVerdict) newer = virTeamingNicProbeRun(&without, NULL);
    g_autofree char *kernel = g_steal_pointer(&older->kernel);
    g_autofree char *foreign = NULL;
    g_autofree char *inherited = NULL;

    older->answers[VIR_TEAMING_TRAIT_STEERS] = VIR_TEAMING_ANSWER_NO;
    older->kernel = g_strdup("2.4.0");
    virTeamingNicVerdictInherit(newer, older);
    foreign = spell(newer->answers);
    g_assert_cmpstr(foreign, ==, "yy?????");

    g_free(older->kernel);
    older->kernel = g_steal_pointer(&kernel);
    virTeamingNicVerdictInherit(newer, older);
    inherited = spell(newer->answers);
    g_assert_cmpstr(inherited, ==, "yyyyyyn");
}


/* Nor does it take back what speaks against a NIC: without a peer, that is not even seen. */
static void
testInheritUnsafe(void)
{
    const Nic nic = { .deafToZero = TRUE };
    g_autoptr(Rig) mine G_GNUC_UNUSED = rigNew(&nic);
    virTeamingNicProbe with = getProbe(TRUE);
    virTeamingNicProbe without = getProbe(FALSE);
    g_autoptr(virTeamingNicVerdict) older = virTeamingNicProbeRun(&with, NULL);
    g_autoptr(virTeamingNicVerdict) newer = virTeamingNicProbeRun(&without, NULL);
    g_autofree char *reason = NULL;

    virTeamingNicVerdictInherit(newer, older);
    reason = virTeamingNicVerdictObject(newer);
    g_assert_nonnull(reason);
    g_assert_nonnull(strstr(reason, "zero MAC"));
}


/* What was measured wins over the table, which wins over what is safe on all. */
static void
testTraits(void)
{
    const Nic nic = { 0 };
    g_autoptr(Rig) mine = rigNew(&nic);
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autofree char *objection = NULL;
    virTeamingNicIdentity identity;
    virTeamingNicTraits traits;
    virTeamingPciAddress pf;

    g_assert_true(virTeamingPciAddressParse(PF_PCI, &pf));
    g_assert_true(virTeamingNicTraitsFind(mine->kernel, "pf0", mine->rundir, &traits));
    g_assert_true(traits.copies);
    g_assert_cmpint(traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO], ==,
                    VIR_TEAMING_ANSWER_UNKNOWN);

    g_assert_true(virTeamingNicIdentityRead(mine->kernel, "pf0", &identity, NULL));
    verdict = virTeamingNicVerdictNew(&identity);
    verdict->answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] = VIR_TEAMING_ANSWER_YES;
    g_assert_true(virTeamingNicVerdictSave(verdict, mine->rundir, NULL));
    g_assert_true(virTeamingNicTraitsFind(mine->kernel, "pf0", mine->rundir, &traits));
    g_assert_true(traits.copies);
    g_assert_cmpint(traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO], ==, VIR_TEAMING_ANSWER_YES);

    verdict->answers[VIR_TEAMING_TRAIT_COPIES] = VIR_TEAMING_ANSWER_NO;
    g_assert_true(virTeamingNicVerdictSave(verdict, mine->rundir, NULL));
    g_assert_true(virTeamingNicTraitsFind(mine->kernel, "pf0", mine->rundir, &traits));
    g_assert_false(traits.copies);

    g_assert_null(virTeamingNicVerdictFindObjection(mine->kernel, "pf0", mine->rundir));
    verdict->answers[VIR_TEAMING_TRAIT_KEEPS_MAC] = VIR_TEAMING_ANSWER_NO;
    g_assert_true(virTeamingNicVerdictSave(verdict, mine->rundir, NULL));
    objection = virTeamingNicVerdictFindObjection(mine->kernel, "pf0", mine->rundir);
    g_assert_nonnull(objection);
    g_assert_null(virTeamingNicVerdictFindObjection(mine->kernel, "gone0", mine->rundir));

    /* Another NIC in the slot: nothing is known of it. */
    virTeamingFakeSetDriver(mine->kernel, &pf, "unheard-of");
    g_assert_true(virTeamingNicTraitsFind(mine->kernel, "pf0", mine->rundir, &traits));
    g_assert_false(traits.copies);
    g_assert_cmpint(traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO], ==,
                    VIR_TEAMING_ANSWER_UNKNOWN);

    g_assert_false(virTeamingNicTraitsFind(mine->kernel, "gone0", mine->rundir, &traits));
}


/* ---- the real wire ---- */

static void
run(const char *command)
{
    g_autoptr(GError) error = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, &status, &error));
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}


/* Sends three frames from @from; returns how many arrive at the PF's and the peer's end. */
static void
assertArrive(virTeamingNicWire *wire,
             virTeamingNicEnd from,
             guint pf,
             guint peer)
{
    const virTeamingMac to = { { 0x02, 0x88, 0xb5, 1, 2, 3 } };
    g_autoptr(GArray) arrivals = g_array_new(FALSE, FALSE, sizeof(virTeamingNicArrival));
    guint counts[VIR_TEAMING_NIC_END_LAST] = { 0 };

    for (guint tag = 7; tag < 10; tag++)
        g_assert_true(wire->ops->send(wire, from, &to, tag, NULL));
    g_assert_true(wire->ops->receive(wire, 50, arrivals, NULL));
    for (guint i = 0; i < arrivals->len; i++) {
        const virTeamingNicArrival *arrival =
            &g_array_index(arrivals, virTeamingNicArrival, i);

        g_assert_cmpuint(arrival->tag, ==, 7 + counts[arrival->end]++);
    }
    g_assert_cmpuint(counts[VIR_TEAMING_NIC_END_PF], ==, pf);
    g_assert_cmpuint(counts[VIR_TEAMING_NIC_END_PEER], ==, peer);
}


/* A cable of the kernel's, one end of which is a bridge port as a PF is. */
static void
testWire(void)
{
    g_autoptr(virTeamingKernel) kernel = NULL;
    g_autoptr(virTeamingNicWire) wire = NULL;
    g_autoptr(virTeamingNicWire) other = NULL;
    g_autoptr(GError) error = NULL;

    if (unshare(CLONE_NEWNET) < 0) {
        g_test_skip("only root can send frames");
        return;
    }
    run("ip link add dev pf0 type veth peer name far0");
    run("ip link add dev br0 type bridge");
    run("ip link set dev pf0 master br0 up");
    run("ip link set dev far0 up");
    run("ip link set dev br0 up");
    kernel = virTeamingKernelNew(NULL, &error);
    g_assert_no_error(error);
    g_assert_null(virTeamingNicWireNew(kernel, "gone0", NULL, &error));
    g_assert_nonnull(strstr(error->message, "'gone0'"));
    g_clear_error(&error);

    wire = virTeamingNicWireNew(kernel, "pf0", "far0", &error);
    g_assert_no_error(error);
    /* Frames of another probe are not ours. */
    other = virTeamingNicWireNew(kernel, "pf0", "far0", &error);
    g_assert_no_error(error);
    g_assert_true(other->ops->send(other, VIR_TEAMING_NIC_END_PEER, &(virTeamingMac){ { 2 } }, 1,
                                   &error));
    assertArrive(wire, VIR_TEAMING_NIC_END_PEER, 3, 0);
    assertArrive(wire, VIR_TEAMING_NIC_END_PF, 0, 3);
}


/* A link of the kernel's plays the netdev of a VF, of which the fake kernel tells. */
static void
testWireVf(void)
{
    const Nic nic = { 0 };
    const virTeamingMac mac = { { 0x0a, 0, 0, 0, 0, 7 } };
    g_autoptr(Rig) mine = rigNew(&nic);
    g_autoptr(virTeamingKernel) kernel = NULL;
    g_autoptr(virTeamingNicWire) wire = NULL;
    g_autoptr(GError) error = NULL;
    const virTeamingPciAddress address = getVf().address;
    struct rlimit limit;
    struct rlimit none;
    virTeamingLink link;
    virTeamingMac taken;
    int next;

    if (unshare(CLONE_NEWNET) < 0) {
        g_test_skip("only root can change links");
        return;
    }
    run("ip link add dev new0 type veth peer name far0");
    run("ip link set dev new0 up");
    setNetdev("igbvf", "new0", &mac, TRUE);
    kernel = virTeamingKernelNew(NULL, &error);
    g_assert_no_error(error);
    wire = virTeamingNicWireNew(mine->kernel, "far0", NULL, &error);
    g_assert_no_error(error);

    /* What a guest may have is not taken from it. */
    setNetdev("vfio-pci", "", NULL, FALSE);
    g_assert_false(wire->ops->unbind(wire, &address, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY);
    g_clear_error(&error);
    setNetdev("igbvf", "new0", &mac, TRUE);

    /* No descriptor is left for the namespace. */
    next = dup(STDIN_FILENO);
    g_assert_cmpint(next, >=, 0);
    g_assert_true(g_close(next, NULL));
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    none = limit;
    none.rlim_cur = next;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    g_assert_false(wire->ops->take(wire, &address, &taken, &error));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM);
    g_assert_nonnull(strstr(error->message, "namespace"));
    g_clear_error(&error);

    /* It is renamed between our look and the move. */
    run("ip link add dev vf1 type veth peer name far1");
    g_assert_true(virTeamingKernelLinkGet(kernel, "vf1", &link, &error));
    run("ip link set dev vf1 name ens1v0");
    virTeamingPciAddressFormat(&address, link.pci);
    setNetdev("igbvf", "vf1", &mac, FALSE);
    virTeamingFakeSetLink(mine->kernel, &link);
    g_assert_true(wire->ops->take(wire, &address, &taken, &error));
    g_assert_no_error(error);
    g_assert_false(virTeamingKernelLinkGet(kernel, "ens1v0", &link, NULL));
    wire->ops->drop(wire);
    setNetdev("igbvf", "new0", &mac, TRUE);

    /* It is up under its new name already. */
    g_assert_true(wire->ops->settle(wire, &address, "old0", &mac, 1400, TRUE, &error));
    g_assert_no_error(error);
    g_assert_true(virTeamingKernelLinkGet(kernel, "old0", &link, &error));
    g_assert_no_error(error);
    g_assert_true(link.up);
    g_assert_cmpuint(link.mtu, ==, 1400);
}


int
main(int argc,
     char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(finds); i++) {
        g_autofree char *name = g_strconcat("/nicprobe/find/", finds[i].name, NULL);

        g_test_add_data_func(name, &finds[i], testFind);
    }
    g_test_add_func("/nicprobe/undo/stopped-at-each-step", testStopped);
    g_test_add_func("/nicprobe/undo/failed-at-each-step", testFailed);
    g_test_add_func("/nicprobe/undo/killed-at-each-step", testKilled);
    for (gsize i = 0; i < G_N_ELEMENTS(recovers); i++) {
        g_autofree char *name = g_strconcat("/nicprobe/recover/", recovers[i].name, NULL);

        g_test_add_data_func(name, &recovers[i], testRecover);
    }
    g_test_add_func("/nicprobe/undo/taken-meanwhile", testTakenMeanwhile);
    g_test_add_func("/nicprobe/undo/taken-at-last", testTakenAtLast);
    g_test_add_func("/nicprobe/undo/no-room", testNoRoom);
    g_test_add_func("/nicprobe/undo/receive-fails", testReceiveFails);
    g_test_add_func("/nicprobe/undo/wire-cut", testWireCut);
    g_test_add_func("/nicprobe/undo/vf-without-carrier", testVfWithoutCarrier);
    g_test_add_func("/nicprobe/undo/no-driver", testNoDriver);
    g_test_add_func("/nicprobe/undo/no-mac", testNoMac);
    g_test_add_func("/nicprobe/refused", testRefused);
    g_test_add_func("/nicprobe/no-autoprobe", testNoAutoprobe);
    g_test_add_func("/nicprobe/verdict", testVerdict);
    g_test_add_func("/nicprobe/inherit", testInherit);
    g_test_add_func("/nicprobe/inherit-unsafe", testInheritUnsafe);
    g_test_add_func("/nicprobe/traits", testTraits);
    /* The last, for they leave the host's network. */
    g_test_add_func("/nicprobe/wire", testWire);
    g_test_add_func("/nicprobe/wire-vf", testWireVf);
    return g_test_run();
}
