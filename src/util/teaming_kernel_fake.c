/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel_fake.c: virTeamingKernel as a model of a host in memory, for tests
 */

/*
 * Theory of operation
 *
 * Four tables: links, PCI functions, VFs by PF, and FDB entries. Questions are answered
 * out of them and orders change them, with the errors that Linux gives in the same case;
 * tests/kerneltest.c holds the fake to that by running on both. Each order that succeeds
 * is recorded as one line of text, so that a test can compare what was done, in order,
 * with what should have been. Failures are injected by the name of the function and
 * change nothing.
 *
 * Notifications come from the main loop, later than the change, as from a real kernel.
 *
 * Left out: ageing, and entries that a bridge holds for the addresses of its ports. A port is
 * in no VLAN until a test says so; then an entry that names no VLAN is in each of them, too.
 */

#include "teaming_kernel_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "teaming_kernel_priv.h"

/* Names of the functions, for virTeamingFakeFail(): without "virTeamingKernel". */
static const char * const virTeamingFakeOps[] = {
    "PciGetState", "PciGetDevice", "PciListGroup", "PciHold", "PciOpen", "PciHandleRead",
    "LinkGet", "LinkList", "LinkSetLearning", "LinkSetFlooding", "LinkSetMode", "VlanList",
    "VfList", "VfGet", "VfSetMac", "VfSetVlan", "VfLocate",
    "FdbList", "FdbGet", "FdbAdd", "FdbDel", "FrameSend", "FrameListen",
    "Watch", NULL
};

/* Those of them that change something. */
static const char * const virTeamingFakeOrders[] = {
    "PciHold", "LinkSetLearning", "LinkSetFlooding", "LinkSetMode", "VfSetMac", "VfSetVlan",
    "FdbAdd", "FdbDel", "FrameSend", NULL
};

typedef struct {
    const char *op;
    guint countdown;                /* 1: the next call; 0: every call */
    int err;
} virTeamingFakeFailure;

typedef struct {
    virTeamingPciDevice device;
    gboolean busMaster;
    guint vectors;
    gboolean open;                  /* a QEMU has it */
    guint generation;               /* of the function that sits at this address */
} virTeamingFakePci;

typedef struct {
    char pf[IF_NAMESIZE];
    virTeamingVf vf;
} virTeamingFakeVf;

typedef struct {
    char port[IF_NAMESIZE];
    virTeamingPortVlan vlan;
} virTeamingFakeVlan;

/* Somebody who listens to frames, until he closes his end. */
typedef struct {
    char ifname[IF_NAMESIZE];
    virTeamingMac source;
    guint16 type;
    int fd;
} virTeamingFakeListener;

typedef struct {
    virTeamingKernel parent;
    GArray *links;                  /* of virTeamingLink */
    GArray *pci;                    /* of virTeamingFakePci */
    GArray *vfs;                    /* of virTeamingFakeVf */
    GArray *vlans;                  /* of virTeamingFakeVlan, in ascending order per port */
    GHashTable *addresses;          /* of the host on its links, by their names */
    GHashTable *switches;           /* names of PFs in switchdev mode */
    GArray *fdb;                    /* of virTeamingFdbEntry */
    gboolean torn;                  /* lists of @fdb lack entries */
    GArray *listeners;              /* of virTeamingFakeListener */
    GArray *failures;               /* of virTeamingFakeFailure */
    GString *log;
    guint dieIn;                    /* orders until who gives them is dead; 0: lives on */
    gboolean dead;
    gboolean dieLate;               /* the last order is still carried out */
    virTeamingFakeDied died;
    gpointer diedOpaque;
    int lastIfindex;
    guint lastGeneration;
    GMainContext *context;          /* of the watcher; NULL: nobody watches */
    GSource *idle;                  /* a delivery that is under way, or NULL */
} virTeamingKernelFake;

typedef struct {
    virTeamingPciHandle parent;
    guint generation;
} virTeamingPciHandleFake;


/* ---- the model ---- */

static virTeamingLink *
virTeamingFakeFindLink(virTeamingKernelFake *fake,
                       const char *ifname)
{
    for (guint i = 0; i < fake->links->len; i++) {
        virTeamingLink *link = &g_array_index(fake->links, virTeamingLink, i);

        if (strcmp(link->name, ifname) == 0)
            return link;
    }
    return NULL;
}


static virTeamingFakePci *
virTeamingFakeFindPci(virTeamingKernelFake *fake,
                      const virTeamingPciAddress *address)
{
    for (guint i = 0; i < fake->pci->len; i++) {
        virTeamingFakePci *pci = &g_array_index(fake->pci, virTeamingFakePci, i);

        if (virTeamingPciAddressEqual(&pci->device.address, address))
            return pci;
    }
    return NULL;
}


/* VF @index of @pf, or any VF of @pf for -1; NULL if there is none. */
static virTeamingVf *
virTeamingFakeFindVf(virTeamingKernelFake *fake,
                     const char *pf,
                     gint index)
{
    for (guint i = 0; i < fake->vfs->len; i++) {
        virTeamingFakeVf *vf = &g_array_index(fake->vfs, virTeamingFakeVf, i);

        if (strcmp(vf->pf, pf) == 0 && (index < 0 || vf->vf.index == index))
            return &vf->vf;
    }
    return NULL;
}


/* The bridge that @ifname is a port of, or NULL. */
static virTeamingLink *
virTeamingFakeFindBridge(virTeamingKernelFake *fake,
                         const char *ifname)
{
    virTeamingLink *port = virTeamingFakeFindLink(fake, ifname);
    virTeamingLink *bridge = port ? virTeamingFakeFindLink(fake, port->master) : NULL;

    return bridge && strcmp(bridge->kind, "bridge") == 0 ? bridge : NULL;
}


/*
 * Index in fake->fdb of the entry that is in @entry's place: of the same bridge, or of
 * the same link if it is SELF. G_MAXUINT if there is none.
 */
static guint
virTeamingFakeFindFdb(virTeamingKernelFake *fake,
                      const virTeamingFdbEntry *entry)
{
    virTeamingLink *bridge = virTeamingFakeFindBridge(fake, entry->dev);

    for (guint i = 0; i < fake->fdb->len; i++) {
        virTeamingFdbEntry *other = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if (!virTeamingMacEqual(&other->mac, &entry->mac) || other->vlan != entry->vlan ||
            (other->flags & VIR_TEAMING_FDB_SELF) != (entry->flags & VIR_TEAMING_FDB_SELF))
            continue;
        if (entry->flags & VIR_TEAMING_FDB_SELF ?
            strcmp(other->dev, entry->dev) == 0 :
            bridge && virTeamingFakeFindBridge(fake, other->dev) == bridge)
            return i;
    }
    return G_MAXUINT;
}


static gboolean
virTeamingFakeIdle(gpointer opaque)
{
    virTeamingKernelFake *fake = opaque;

    g_clear_pointer(&fake->idle, g_source_unref);
    virTeamingKernelDeliver(&fake->parent);
    return G_SOURCE_REMOVE;
}


static void
virTeamingFakeChanged(virTeamingKernelFake *fake,
                      const char *ifname,
                      const virTeamingMac *mac)
{
    if (!fake->context)
        return;
    virTeamingKernelChanged(&fake->parent, ifname, mac);
    if (!fake->idle) {
        fake->idle = g_idle_source_new();
        g_source_set_priority(fake->idle, G_PRIORITY_DEFAULT);
        g_source_set_callback(fake->idle, virTeamingFakeIdle, fake, NULL);
        g_source_attach(fake->idle, fake->context);
    }
}


static void
virTeamingFakeDropVlans(virTeamingKernelFake *fake,
                        const char *port)
{
    for (guint i = fake->vlans->len; i-- > 0;) {
        if (strcmp(g_array_index(fake->vlans, virTeamingFakeVlan, i).port, port) == 0)
            g_array_remove_index(fake->vlans, i);
    }
}


/* What a port loses when it leaves its bridge. */
static void
virTeamingFakeDropPort(virTeamingKernelFake *fake,
                       const char *ifname)
{
    for (guint i = fake->fdb->len; i-- > 0;) {
        if (strcmp(g_array_index(fake->fdb, virTeamingFdbEntry, i).dev, ifname) == 0)
            g_array_remove_index(fake->fdb, i);
    }
    virTeamingFakeDropVlans(fake, ifname);
}


/* ---- what the rest of the world does ---- */

/**
 * virTeamingFakeSetLink:
 * @kernel: a fake
 * @link: a link that appears, or that is like this from now on; an ifindex of 0 is
 *        filled in
 *
 * A port that leaves its bridge takes its FDB entries and VLANs along.
 */
void
virTeamingFakeSetLink(virTeamingKernel *kernel,
                      const virTeamingLink *link)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *there = virTeamingFakeFindLink(fake, link->name);
    int ifindex = link->ifindex;

    if (there && strcmp(there->master, link->master) != 0)
        virTeamingFakeDropPort(fake, link->name);
    if (ifindex == 0)
        ifindex = there ? there->ifindex : ++fake->lastIfindex;
    if (!there) {
        g_array_set_size(fake->links, fake->links->len + 1);
        there = &g_array_index(fake->links, virTeamingLink, fake->links->len - 1);
    }
    *there = *link;
    there->ifindex = ifindex;
    virTeamingFakeChanged(fake, link->name, NULL);
}


void
virTeamingFakeRemoveLink(virTeamingKernel *kernel,
                         const char *ifname)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    virTeamingFakeDropPort(fake, ifname);
    for (guint i = fake->links->len; i-- > 0;) {
        virTeamingLink *link = &g_array_index(fake->links, virTeamingLink, i);

        if (strcmp(link->master, ifname) == 0)
            link->master[0] = '\0';
        if (strcmp(link->name, ifname) == 0)
            g_array_remove_index(fake->links, i);
    }
    virTeamingFakeChanged(fake, ifname, NULL);
}


/**
 * virTeamingFakeSetAddress:
 * @kernel: a fake
 * @ifname: one of its links
 * @address: (nullable): that the host has there from now on; NULL: none
 */
void
virTeamingFakeSetAddress(virTeamingKernel *kernel,
                         const char *ifname,
                         const char *address)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    if (address)
        g_hash_table_replace(fake->addresses, g_strdup(ifname), g_strdup(address));
    else
        g_hash_table_remove(fake->addresses, ifname);
}


/**
 * virTeamingFakeSetSwitchdev:
 * @kernel: a fake
 * @pf: one of its PFs, whose VFs have representors from now on
 */
void
virTeamingFakeSetSwitchdev(virTeamingKernel *kernel,
                           const char *pf)
{
    g_hash_table_add(((virTeamingKernelFake *)kernel)->switches, g_strdup(pf));
}


/**
 * virTeamingFakeSetVlans:
 * @kernel: a fake
 * @port: a bridge port
 * @vlans: the VLANs it is in from now on, ascending, 0-terminated; tagged, but for VLAN 1, in
 *         which Linux puts a new port
 *
 * FDB entries in VLANs that it leaves stay, as static ones do on Linux.
 */
void
virTeamingFakeSetVlans(virTeamingKernel *kernel,
                       const char *port,
                       const guint16 *vlans)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    g_return_if_fail(virTeamingFakeFindBridge(fake, port));
    virTeamingFakeDropVlans(fake, port);
    for (; *vlans; vlans++) {
        virTeamingFakeVlan vlan = { .vlan = { *vlans, *vlans == 1 ? 0 : *vlans } };

        g_strlcpy(vlan.port, port, sizeof(vlan.port));
        g_array_append_val(fake->vlans, vlan);
    }
    virTeamingFakeChanged(fake, port, NULL);
}


/**
 * virTeamingFakeRenameLink:
 * @kernel: a fake
 * @ifname: a link, which is a port or an uplink, and no bridge
 * @name: what it is called from now on; that is all a real kernel tells, too
 */
void
virTeamingFakeRenameLink(virTeamingKernel *kernel,
                         const char *ifname,
                         const char *name)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *link = virTeamingFakeFindLink(fake, ifname);

    g_return_if_fail(link);
    g_strlcpy(link->name, name, sizeof(link->name));
    for (guint i = 0; i < fake->fdb->len; i++) {
        virTeamingFdbEntry *entry = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if (strcmp(entry->dev, ifname) == 0)
            g_strlcpy(entry->dev, name, sizeof(entry->dev));
    }
    for (guint i = 0; i < fake->vfs->len; i++) {
        virTeamingFakeVf *vf = &g_array_index(fake->vfs, virTeamingFakeVf, i);

        if (strcmp(vf->pf, ifname) == 0)
            g_strlcpy(vf->pf, name, sizeof(vf->pf));
    }
    virTeamingFakeChanged(fake, name, NULL);
}


/**
 * virTeamingFakeSetPci:
 * @kernel: a fake
 * @device: a PCI function that appears, with its bus-master bit clear, or that is like
 *          this from now on
 */
void
virTeamingFakeSetPci(virTeamingKernel *kernel,
                     const virTeamingPciDevice *device)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingFakePci *there = virTeamingFakeFindPci(fake, &device->address);

    if (there) {
        there->device = *device;
    } else {
        virTeamingFakePci pci = { .device = *device, .generation = ++fake->lastGeneration };

        g_array_append_val(fake->pci, pci);
    }
}


void
virTeamingFakeRemovePci(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    for (guint i = fake->pci->len; i-- > 0;) {
        virTeamingFakePci *pci = &g_array_index(fake->pci, virTeamingFakePci, i);

        if (virTeamingPciAddressEqual(&pci->device.address, address))
            g_array_remove_index(fake->pci, i);
    }
    for (guint i = fake->vfs->len; i-- > 0;) {
        virTeamingFakeVf *vf = &g_array_index(fake->vfs, virTeamingFakeVf, i);

        if (virTeamingPciAddressEqual(&vf->vf.address, address)) {
            virTeamingFakeChanged(fake, vf->pf, NULL);
            g_array_remove_index(fake->vfs, i);
        }
    }
}


/**
 * virTeamingFakeSetPciState:
 * @kernel: a fake
 * @address: a function that was set up with virTeamingFakeSetPci()
 * @busMaster: its driver, or the guest's, has switched bus mastering on
 * @vectors: interrupt vectors it uses
 */
void
virTeamingFakeSetPciState(virTeamingKernel *kernel,
                          const virTeamingPciAddress *address,
                          gboolean busMaster,
                          guint vectors)
{
    virTeamingFakePci *pci = virTeamingFakeFindPci((virTeamingKernelFake *)kernel, address);

    g_return_if_fail(pci);
    pci->busMaster = busMaster;
    pci->vectors = vectors;
    pci->open |= busMaster;
}


/* As if a QEMU had opened the function through vfio, or closed it. */
void
virTeamingFakeSetPciOpen(virTeamingKernel *kernel,
                         const virTeamingPciAddress *address,
                         gboolean open)
{
    virTeamingFakePci *pci = virTeamingFakeFindPci((virTeamingKernelFake *)kernel, address);

    g_return_if_fail(pci);
    pci->open = open;
}


void
virTeamingFakeSetDriver(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address,
                        const char *driver)
{
    virTeamingFakePci *pci = virTeamingFakeFindPci((virTeamingKernelFake *)kernel, address);

    g_return_if_fail(pci);
    g_strlcpy(pci->device.driver, driver, sizeof(pci->device.driver));
    pci->open = FALSE;
}


/**
 * virTeamingFakeSetVf:
 * @kernel: a fake
 * @pf: name of a link
 * @vf: a VF of @pf that appears, or that somebody else has set like this
 */
void
virTeamingFakeSetVf(virTeamingKernel *kernel,
                    const char *pf,
                    const virTeamingVf *vf)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingVf *there = virTeamingFakeFindVf(fake, pf, vf->index);

    if (there) {
        *there = *vf;
    } else {
        virTeamingFakeVf added = { .vf = *vf };

        g_strlcpy(added.pf, pf, sizeof(added.pf));
        g_array_append_val(fake->vfs, added);
    }
    virTeamingFakeChanged(fake, pf, NULL);
}


/**
 * virTeamingFakeFrame:
 * @kernel: a fake
 * @ifname: a link
 * @frame: a frame without a tag that comes in there
 * @size: octets of @frame
 *
 * Those that listen to it get it; the bridge does not learn of it.
 */
void
virTeamingFakeFrame(virTeamingKernel *kernel,
                    const char *ifname,
                    const guint8 *frame,
                    gsize size)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    struct ethhdr header;

    g_return_if_fail(size >= ETH_ZLEN);
    memcpy(&header, frame, sizeof(header));
    for (guint i = fake->listeners->len; i-- > 0;) {
        virTeamingFakeListener *listener = &g_array_index(fake->listeners,
                                                          virTeamingFakeListener, i);

        if (strcmp(listener->ifname, ifname) != 0 ||
            memcmp(listener->source.addr, header.h_source, sizeof(header.h_source)) != 0 ||
            header.h_proto != g_htons(listener->type) ||
            send(listener->fd, frame, size, MSG_NOSIGNAL) == (ssize_t)size || errno != EPIPE)
            continue;
        close(listener->fd);
        g_array_remove_index(fake->listeners, i);
    }
}


/**
 * virTeamingFakeReceive:
 * @kernel: a fake
 * @port: a bridge port
 * @source: source address of a frame that comes in there
 * @vlan: the VLAN it is in, or 0
 *
 * The bridge learns, as Linux does: even a static entry moves, unless it is sticky.
 */
void
virTeamingFakeReceive(virTeamingKernel *kernel,
                      const char *port,
                      const virTeamingMac *source,
                      guint vlan)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *link = virTeamingFakeFindLink(fake, port);
    virTeamingFdbEntry entry = {
        .mac = *source,
        .vlan = vlan,
        .flags = VIR_TEAMING_FDB_MASTER,
    };
    guint i;

    g_return_if_fail(link && virTeamingFakeFindBridge(fake, port));
    if (!link->learning)
        return;

    g_strlcpy(entry.dev, port, sizeof(entry.dev));
    i = virTeamingFakeFindFdb(fake, &entry);
    if (i == G_MAXUINT) {
        g_array_append_val(fake->fdb, entry);
    } else {
        virTeamingFdbEntry *there = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if ((there->flags & (VIR_TEAMING_FDB_STICKY | VIR_TEAMING_FDB_LOCAL)) ||
            strcmp(there->dev, port) == 0)
            return;
        g_strlcpy(there->dev, port, sizeof(there->dev));
    }
    virTeamingFakeChanged(fake, port, source);
}


/**
 * virTeamingFakeTearLists:
 * @kernel: a fake
 * @torn: whether lists of FDB entries lack all that there is, from now on, as those of a real
 *        kernel may lack one while others come and go
 */
void
virTeamingFakeTearLists(virTeamingKernel *kernel,
                        gboolean torn)
{
    ((virTeamingKernelFake *)kernel)->torn = torn;
}


/**
 * virTeamingFakeLoseNotifications:
 * @kernel: a fake
 *
 * As if the kernel had had more to tell than the watcher's socket holds.
 */
void
virTeamingFakeLoseNotifications(virTeamingKernel *kernel)
{
    virTeamingFakeChanged((virTeamingKernelFake *)kernel, NULL, NULL);
}


/**
 * virTeamingFakeFail:
 * @kernel: a fake
 * @op: name of a function without "virTeamingKernel": "VfSetMac"; reads of a handle are
 *      "PciHandleRead"
 * @nth: which call fails, counted from now on, 1 being the next; 0: all of them
 * @err: with which errno; 0: none fails any more
 *
 * May be called several times for one @op, to let several calls fail.
 */
void
virTeamingFakeFail(virTeamingKernel *kernel,
                   const char *op,
                   guint nth,
                   int err)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingFakeFailure failure = { .op = g_intern_string(op), .countdown = nth, .err = err };

    g_return_if_fail(g_strv_contains(virTeamingFakeOps, op));
    if (err) {
        g_array_append_val(fake->failures, failure);
        return;
    }
    for (guint i = fake->failures->len; i-- > 0;) {
        if (g_array_index(fake->failures, virTeamingFakeFailure, i).op == failure.op)
            g_array_remove_index(fake->failures, i);
    }
}


/**
 * virTeamingFakeDie:
 * @kernel: a fake
 * @nth: at which order, counted from now on, whoever gives orders dies; 0: lives (again)
 * @late: that order is still carried out
 * @died: called then, before it
 * @opaque: handed to @died
 *
 * The process that uses the kernel can't die in a test. But from then on what it orders is
 * not done: what is left is what would be, if with it the test throws away what else it does.
 */
void
virTeamingFakeDie(virTeamingKernel *kernel,
                  guint nth,
                  gboolean late,
                  virTeamingFakeDied died,
                  gpointer opaque)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    fake->dieIn = nth;
    fake->dead = FALSE;
    fake->dieLate = late;
    fake->died = died;
    fake->diedOpaque = opaque;
}


/**
 * virTeamingFakeTakeLog:
 * @kernel: a fake
 *
 * Returns: one line for each order that has succeeded since the last call of this, for
 * example "VfSetMac eth1 3 52:54:00:00:00:01" or "FdbAdd tap0 52:54:00:00:00:01 master
 * static sticky"; "" if there was none. Free with g_free().
 */
char *
virTeamingFakeTakeLog(virTeamingKernel *kernel)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    char *log = g_string_free(fake->log, FALSE);

    fake->log = g_string_new(NULL);
    return log;
}


/* ---- the interface ---- */

/* Counts a call of @op. Returns: the errno with which it is to fail, or 0. */
static int
virTeamingFakeEnter(virTeamingKernelFake *fake,
                    const char *op)
{
    int err = 0;

    if (g_strv_contains(virTeamingFakeOrders, op)) {
        if (fake->dead)
            return EIO;
        if (fake->dieIn && --fake->dieIn == 0) {
            fake->dead = TRUE;
            fake->died(fake->diedOpaque);
            if (!fake->dieLate)
                return EIO;
        }
    }
    for (guint i = fake->failures->len; i-- > 0;) {
        virTeamingFakeFailure *failure = &g_array_index(fake->failures, virTeamingFakeFailure, i);

        if (strcmp(failure->op, op) != 0)
            continue;
        if (failure->countdown == 0) {
            err = failure->err;
        } else if (--failure->countdown == 0) {
            err = failure->err;
            g_array_remove_index(fake->failures, i);
        }
    }
    return err;
}


/* As virTeamingFakeEnter(), for a question about the function at @address. */
static int
virTeamingFakeEnterPci(virTeamingKernelFake *fake,
                       const char *op,
                       const virTeamingPciAddress *address,
                       virTeamingFakePci **ret)
{
    int err = virTeamingFakeEnter(fake, op);

    *ret = virTeamingFakeFindPci(fake, address);
    return !err && !*ret ? ENODEV : err;
}


/* As virTeamingFakeEnter(), of the link @ifname. @ret: (nullable): filled with it. */
static int
virTeamingFakeEnterLink(virTeamingKernelFake *fake,
                        const char *op,
                        const char *ifname,
                        virTeamingLink **ret)
{
    int err = virTeamingFakeEnter(fake, op);
    virTeamingLink *link = virTeamingFakeFindLink(fake, ifname);

    if (ret)
        *ret = link;
    return !err && !link ? ENODEV : err;
}


/* Likewise, of what must be a port of a bridge. */
static int
virTeamingFakeEnterPort(virTeamingKernelFake *fake,
                        const char *op,
                        const char *port,
                        virTeamingLink **ret)
{
    int err = virTeamingFakeEnterLink(fake, op, port, ret);

    return !err && !virTeamingFakeFindBridge(fake, port) ? EOPNOTSUPP : err;
}


static int
virTeamingKernelFakePciGetState(virTeamingKernel *kernel,
                                const virTeamingPciAddress *address,
                                virTeamingPciState *ret)
{
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci((virTeamingKernelFake *)kernel, "PciGetState", address, &pci);

    if (err)
        return err;
    g_strlcpy(ret->driver, pci->device.driver, sizeof(ret->driver));
    ret->busMaster = pci->busMaster;
    ret->vectors = pci->vectors;
    ret->enabled = pci->open;
    return 0;
}


static int
virTeamingKernelFakePciGetDevice(virTeamingKernel *kernel,
                                 const virTeamingPciAddress *address,
                                 virTeamingPciDevice *ret)
{
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci((virTeamingKernelFake *)kernel, "PciGetDevice", address,
                                     &pci);

    if (!err)
        *ret = pci->device;
    return err;
}


static gint
virTeamingFakeComparePci(gconstpointer a,
                         gconstpointer b)
{
    char bufA[VIR_TEAMING_PCI_STRING_LEN];
    char bufB[VIR_TEAMING_PCI_STRING_LEN];

    return strcmp(virTeamingPciAddressFormat(a, bufA), virTeamingPciAddressFormat(b, bufB));
}


static int
virTeamingKernelFakePciListGroup(virTeamingKernel *kernel,
                                 const virTeamingPciAddress *address,
                                 GArray *list)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci(fake, "PciListGroup", address, &pci);

    if (err)
        return err;
    for (guint i = 0; pci->device.iommuGroup >= 0 && i < fake->pci->len; i++) {
        virTeamingPciDevice *other = &g_array_index(fake->pci, virTeamingFakePci, i).device;

        if (other->iommuGroup == pci->device.iommuGroup)
            g_array_append_val(list, other->address);
    }
    g_array_sort(list, virTeamingFakeComparePci);
    return 0;
}


static int
virTeamingKernelFakePciHold(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            int *fd)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci(fake, "PciHold", address, &pci);

    if (err || pci->open)
        return err ? err : EBUSY;
    g_string_append_printf(fake->log, "PciHold %s\n", virTeamingPciAddressFormat(address, buf));
    *fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return 0;
}


static int
virTeamingKernelFakePciOpen(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            virTeamingPciHandle **ret)
{
    virTeamingPciHandleFake *handle;
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci((virTeamingKernelFake *)kernel, "PciOpen", address, &pci);

    if (err)
        return err;
    handle = g_new0(virTeamingPciHandleFake, 1);
    handle->generation = pci->generation;
    *ret = &handle->parent;
    return 0;
}


static int
virTeamingKernelFakePciHandleRead(virTeamingPciHandle *handle,
                                  gboolean *busMaster,
                                  guint *vectors)
{
    virTeamingFakePci *pci;
    int err = virTeamingFakeEnterPci((virTeamingKernelFake *)handle->kernel, "PciHandleRead",
                                     &handle->address, &pci);

    if (err)
        return err;
    if (pci->generation != ((virTeamingPciHandleFake *)handle)->generation)
        return ENODEV;
    *busMaster = pci->busMaster;
    *vectors = pci->vectors;
    return 0;
}


static void
virTeamingKernelFakePciHandleFree(virTeamingPciHandle *handle)
{
    g_free(handle);
}


static int
virTeamingKernelFakeLinkGet(virTeamingKernel *kernel,
                            const char *ifname,
                            virTeamingLink *ret)
{
    virTeamingLink *link;
    int err = virTeamingFakeEnterLink((virTeamingKernelFake *)kernel, "LinkGet", ifname, &link);

    if (!err)
        *ret = *link;
    return err;
}


static int
virTeamingKernelFakeLinkList(virTeamingKernel *kernel,
                             GArray *list)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    g_array_append_vals(list, fake->links->data, fake->links->len);
    return virTeamingFakeEnter(fake, "LinkList");
}


static int
virTeamingKernelFakeLinkSetPort(virTeamingKernel *kernel,
                                const char *port,
                                virTeamingKernelSwitch what,
                                gboolean on)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    const char *op = what == VIR_TEAMING_KERNEL_LEARNING ? "LinkSetLearning" : "LinkSetFlooding";
    virTeamingLink *link;
    int err = virTeamingFakeEnterPort(fake, op, port, &link);

    if (err)
        return err;
    if (what == VIR_TEAMING_KERNEL_LEARNING)
        link->learning = on;
    else
        link->flooding = on;
    g_string_append_printf(fake->log, "%s %s %s\n", op, port, on ? "on" : "off");
    virTeamingFakeChanged(fake, port, NULL);
    return 0;
}


static int
virTeamingKernelFakeLinkSetMode(virTeamingKernel *kernel,
                                const char *macvtap,
                                virTeamingMacvtapMode mode)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *link;
    int err = virTeamingFakeEnterLink(fake, "LinkSetMode", macvtap, &link);

    if (!err && strcmp(link->kind, "macvtap") != 0)
        err = EOPNOTSUPP;
    if (err)
        return err;
    link->mode = mode;
    g_string_append_printf(fake->log, "LinkSetMode %s %s\n", macvtap,
                           mode == VIR_TEAMING_MACVTAP_VEPA ? "vepa" : "bridge");
    virTeamingFakeChanged(fake, macvtap, NULL);
    return 0;
}


static char *
virTeamingKernelFakeLinkFindAddress(virTeamingKernel *kernel,
                                    const char *ifname)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    return g_strdup(g_hash_table_lookup(fake->addresses, ifname));
}


static gboolean
virTeamingKernelFakePfHasRepresentors(virTeamingKernel *kernel,
                                      const char *pf)
{
    return g_hash_table_contains(((virTeamingKernelFake *)kernel)->switches, pf);
}


static int
virTeamingKernelFakeVlanList(virTeamingKernel *kernel,
                             const char *port,
                             GArray *list)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    for (guint i = 0; i < fake->vlans->len; i++) {
        virTeamingFakeVlan *vlan = &g_array_index(fake->vlans, virTeamingFakeVlan, i);

        if (strcmp(vlan->port, port) == 0)
            g_array_append_val(list, vlan->vlan);
    }
    return virTeamingFakeEnterPort(fake, "VlanList", port, NULL);
}


static gint
virTeamingFakeCompareVf(gconstpointer a,
                        gconstpointer b)
{
    return (gint)((const virTeamingVf *)a)->index - (gint)((const virTeamingVf *)b)->index;
}


static int
virTeamingKernelFakeVfList(virTeamingKernel *kernel,
                           const char *pf,
                           const virTeamingMac *mac,
                           gint only,
                           GArray *list)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    for (guint i = 0; i < fake->vfs->len; i++) {
        virTeamingFakeVf *vf = &g_array_index(fake->vfs, virTeamingFakeVf, i);

        if (strcmp(vf->pf, pf) == 0 && (only < 0 || vf->vf.index == only) &&
            (!mac || virTeamingMacEqual(mac, &vf->vf.mac)))
            g_array_append_val(list, vf->vf);
    }
    g_array_sort(list, virTeamingFakeCompareVf);
    return virTeamingFakeEnterLink(fake, only < 0 ? "VfList" : "VfGet", pf, NULL);
}


/* What every order for a VF begins with. */
static int
virTeamingFakeEnterVf(virTeamingKernelFake *fake,
                      const char *op,
                      const char *pf,
                      guint index,
                      virTeamingVf **ret)
{
    int err = virTeamingFakeEnterLink(fake, op, pf, NULL);

    *ret = virTeamingFakeFindVf(fake, pf, index);
    if (err || *ret)
        return err;
    return virTeamingFakeFindVf(fake, pf, -1) ? EINVAL : EOPNOTSUPP;
}


static int
virTeamingKernelFakeVfSetMac(virTeamingKernel *kernel,
                             const char *pf,
                             guint index,
                             const virTeamingMac *mac)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    char buf[VIR_TEAMING_MAC_STRING_LEN];
    virTeamingVf *vf;
    int err = virTeamingFakeEnterVf(fake, "VfSetMac", pf, index, &vf);

    if (err)
        return err;
    vf->mac = *mac;
    g_string_append_printf(fake->log, "VfSetMac %s %u %s\n", pf, index,
                           virTeamingMacFormat(mac, buf));
    virTeamingFakeChanged(fake, pf, NULL);
    return 0;
}


static int
virTeamingKernelFakeVfSetVlan(virTeamingKernel *kernel,
                              const char *pf,
                              guint index,
                              guint vlan,
                              guint qos,
                              gboolean service)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingVf *vf;
    int err = virTeamingFakeEnterVf(fake, "VfSetVlan", pf, index, &vf);

    if (err)
        return err;
    vf->vlan = vlan;
    vf->qos = qos;
    vf->serviceVlan = service;
    g_string_append_printf(fake->log, "VfSetVlan %s %u %u", pf, index, vlan);
    if (qos)
        g_string_append_printf(fake->log, " qos %u", qos);
    if (service)
        g_string_append(fake->log, " 802.1ad");
    g_string_append_c(fake->log, '\n');
    virTeamingFakeChanged(fake, pf, NULL);
    return 0;
}


static int
virTeamingKernelFakeVfLocate(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             char pf[IF_NAMESIZE],
                             guint *index)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    int err = virTeamingFakeEnter(fake, "VfLocate");

    for (guint i = 0; !err && i < fake->vfs->len; i++) {
        virTeamingFakeVf *vf = &g_array_index(fake->vfs, virTeamingFakeVf, i);

        if (virTeamingPciAddressEqual(&vf->vf.address, address) &&
            virTeamingFakeFindLink(fake, vf->pf)) {
            g_strlcpy(pf, vf->pf, IF_NAMESIZE);
            *index = vf->vf.index;
            return 0;
        }
    }
    return err ? err : ENOENT;
}


static int
virTeamingKernelFakeFdbList(virTeamingKernel *kernel,
                            const char *dev,
                            const virTeamingMac *mac,
                            GArray *list)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *link;
    int err = virTeamingFakeEnterLink(fake, "FdbList", dev, &link);

    for (guint i = 0; !err && !fake->torn && i < fake->fdb->len; i++) {
        virTeamingFdbEntry *entry = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if ((!mac || virTeamingMacEqual(mac, &entry->mac)) &&
            (strcmp(entry->dev, dev) == 0 || virTeamingFakeFindBridge(fake, entry->dev) == link))
            g_array_append_val(list, *entry);
    }
    return err;
}


static int
virTeamingKernelFakeFdbGet(virTeamingKernel *kernel,
                           const char *dev,
                           const virTeamingMac *mac,
                           guint vlan,
                           virTeamingFdbEntry *ret)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *bridge = virTeamingFakeFindBridge(fake, dev);
    virTeamingLink *link;
    int err = virTeamingFakeEnterLink(fake, "FdbGet", dev, &link);

    if (!err && !bridge && strcmp(link->kind, "bridge") != 0)
        err = EOPNOTSUPP;
    if (!bridge)
        bridge = link;
    for (guint i = 0; !err && i < fake->fdb->len; i++) {
        virTeamingFdbEntry *entry = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if ((entry->flags & VIR_TEAMING_FDB_MASTER) && entry->vlan == vlan &&
            virTeamingMacEqual(&entry->mac, mac) &&
            virTeamingFakeFindBridge(fake, entry->dev) == bridge) {
            *ret = *entry;
            return 0;
        }
    }
    return err ? err : ENOENT;
}


static void
virTeamingFakeLogFdb(virTeamingKernelFake *fake,
                     const char *op,
                     const virTeamingFdbEntry *entry,
                     gboolean full)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];

    g_string_append_printf(fake->log, "%s %s %s", op, entry->dev,
                           virTeamingMacFormat(&entry->mac, buf));
    if (entry->vlan)
        g_string_append_printf(fake->log, " vlan %u", entry->vlan);
    if (entry->flags & VIR_TEAMING_FDB_SELF)
        g_string_append(fake->log, " self");
    if (entry->flags & VIR_TEAMING_FDB_MASTER)
        g_string_append(fake->log, " master");
    if (full && (entry->flags & VIR_TEAMING_FDB_MASTER)) {
        if (entry->flags & VIR_TEAMING_FDB_STATIC)
            g_string_append(fake->log, " static");
        if (entry->flags & VIR_TEAMING_FDB_LOCAL)
            g_string_append(fake->log, " local");
        if (entry->flags & VIR_TEAMING_FDB_STICKY)
            g_string_append(fake->log, " sticky");
    }
    g_string_append_c(fake->log, '\n');
}


/* Puts @entry in its place. */
static void
virTeamingFakePutFdb(virTeamingKernelFake *fake,
                     const virTeamingFdbEntry *entry)
{
    guint i = virTeamingFakeFindFdb(fake, entry);

    if (i == G_MAXUINT) {
        g_array_append_val(fake->fdb, *entry);
    } else {
        virTeamingFdbEntry *there = &g_array_index(fake->fdb, virTeamingFdbEntry, i);

        if (there->flags == entry->flags && strcmp(there->dev, entry->dev) == 0)
            return;
        *there = *entry;
    }
    virTeamingFakeChanged(fake, entry->dev, &entry->mac);
}


static void
virTeamingFakeTakeFdb(virTeamingKernelFake *fake,
                      const virTeamingFdbEntry *entry)
{
    guint i = virTeamingFakeFindFdb(fake, entry);

    if (i == G_MAXUINT ||
        strcmp(g_array_index(fake->fdb, virTeamingFdbEntry, i).dev, entry->dev) != 0)
        return;
    g_array_remove_index(fake->fdb, i);
    virTeamingFakeChanged(fake, entry->dev, &entry->mac);
}


/* Has @change done to @entry and, if it is a bridge's and in no VLAN, in each VLAN of its port. */
static void
virTeamingFakeChangeFdb(virTeamingKernelFake *fake,
                        const virTeamingFdbEntry *entry,
                        void (*change)(virTeamingKernelFake *fake,
                                       const virTeamingFdbEntry *entry))
{
    virTeamingFdbEntry one = *entry;

    change(fake, entry);
    for (guint i = 0; !entry->vlan && (entry->flags & VIR_TEAMING_FDB_MASTER) &&
         i < fake->vlans->len; i++) {
        const virTeamingFakeVlan *vlan = &g_array_index(fake->vlans, virTeamingFakeVlan, i);

        if (strcmp(vlan->port, entry->dev) != 0)
            continue;
        one.vlan = vlan->vlan.id;
        change(fake, &one);
    }
}


static gboolean
virTeamingFakeHasVlan(virTeamingKernelFake *fake,
                      const char *port,
                      guint id)
{
    for (guint i = 0; i < fake->vlans->len; i++) {
        const virTeamingFakeVlan *vlan = &g_array_index(fake->vlans, virTeamingFakeVlan, i);

        if (strcmp(vlan->port, port) == 0 && vlan->vlan.id == id)
            return TRUE;
    }
    return FALSE;
}


/* What every order for an FDB entry begins with. */
static int
virTeamingFakeEnterFdb(virTeamingKernelFake *fake,
                       const char *op,
                       const virTeamingFdbEntry *entry)
{
    return entry->flags & VIR_TEAMING_FDB_MASTER ?
        virTeamingFakeEnterPort(fake, op, entry->dev, NULL) :
        virTeamingFakeEnterLink(fake, op, entry->dev, NULL);
}


static int
virTeamingKernelFakeFdbAdd(virTeamingKernel *kernel,
                           const virTeamingFdbEntry *entry)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingFdbEntry added = *entry;
    int err = virTeamingFakeEnterFdb(fake, "FdbAdd", entry);

    if (!err && entry->vlan && !virTeamingFakeHasVlan(fake, entry->dev, entry->vlan))
        err = EINVAL;
    if (err)
        return err;
    if (entry->flags & VIR_TEAMING_FDB_SELF)
        added.flags = VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_LOCAL;
    virTeamingFakeLogFdb(fake, "FdbAdd", entry, TRUE);
    virTeamingFakeChangeFdb(fake, &added, virTeamingFakePutFdb);
    return 0;
}


static int
virTeamingKernelFakeFdbDel(virTeamingKernel *kernel,
                           const virTeamingFdbEntry *entry)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    int err = virTeamingFakeEnterFdb(fake, "FdbDel", entry);

    if (err)
        return err;
    virTeamingFakeLogFdb(fake, "FdbDel", entry, FALSE);
    virTeamingFakeChangeFdb(fake, entry, virTeamingFakeTakeFdb);
    return 0;
}


static int
virTeamingKernelFakeFrameSend(virTeamingKernel *kernel,
                              const char *ifname,
                              const guint8 *frame,
                              gsize size)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingLink *link;
    int err = virTeamingFakeEnterLink(fake, "FrameSend", ifname, &link);
    gsize at = G_STRUCT_OFFSET(struct ethhdr, h_proto);

    g_return_val_if_fail(size >= ETH_ZLEN, EINVAL);
    if (err)
        return err;
    if (!link->up)
        return ENETDOWN;
    g_string_append_printf(fake->log, "FrameSend %s", ifname);
    if (frame[at] == 0x81 && frame[at + 1] == 0) {
        g_string_append_printf(fake->log, " vlan %u", frame[at + 2] << 8 | frame[at + 3]);
        at += 4;
    }
    /* And what people can read of it. */
    g_string_append_printf(fake->log, " type %02x%02x%s%.*s\n", frame[at], frame[at + 1],
                           frame[at + 2] ? " " : "", (int)(size - at - 2), frame + at + 2);
    return 0;
}


static int
virTeamingKernelFakeFrameListen(virTeamingKernel *kernel,
                                const char *ifname,
                                const virTeamingMac *source,
                                guint16 type,
                                int *fd)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    virTeamingFakeListener listener = { .source = *source, .type = type };
    int err = virTeamingFakeEnterLink(fake, "FrameListen", ifname, NULL);
    int ends[2];

    if (err)
        return err;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return errno;
    g_strlcpy(listener.ifname, ifname, sizeof(listener.ifname));
    listener.fd = ends[0];
    g_array_append_val(fake->listeners, listener);
    *fd = ends[1];
    return 0;
}


static int
virTeamingKernelFakeWatch(virTeamingKernel *kernel)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;
    int err = virTeamingFakeEnter(fake, "Watch");

    if (!err)
        fake->context = g_main_context_ref_thread_default();
    return err;
}


static void
virTeamingKernelFakeFree(virTeamingKernel *kernel)
{
    virTeamingKernelFake *fake = (virTeamingKernelFake *)kernel;

    if (fake->idle) {
        g_source_destroy(fake->idle);
        g_source_unref(fake->idle);
    }
    g_clear_pointer(&fake->context, g_main_context_unref);
    g_array_unref(fake->links);
    g_array_unref(fake->pci);
    g_array_unref(fake->vfs);
    g_array_unref(fake->vlans);
    g_hash_table_unref(fake->addresses);
    g_hash_table_unref(fake->switches);
    g_array_unref(fake->fdb);
    for (guint i = 0; i < fake->listeners->len; i++)
        close(g_array_index(fake->listeners, virTeamingFakeListener, i).fd);
    g_array_unref(fake->listeners);
    g_array_unref(fake->failures);
    g_string_free(fake->log, TRUE);
    g_free(fake);
}


static const virTeamingKernelOps virTeamingKernelFakeOps = {
    .free = virTeamingKernelFakeFree,
    .pciGetState = virTeamingKernelFakePciGetState,
    .pciGetDevice = virTeamingKernelFakePciGetDevice,
    .pciListGroup = virTeamingKernelFakePciListGroup,
    .pciHold = virTeamingKernelFakePciHold,
    .pciOpen = virTeamingKernelFakePciOpen,
    .pciHandleRead = virTeamingKernelFakePciHandleRead,
    .pciHandleFree = virTeamingKernelFakePciHandleFree,
    .linkGet = virTeamingKernelFakeLinkGet,
    .linkList = virTeamingKernelFakeLinkList,
    .linkSetPort = virTeamingKernelFakeLinkSetPort,
    .linkSetMode = virTeamingKernelFakeLinkSetMode,
    .linkFindAddress = virTeamingKernelFakeLinkFindAddress,
    .vlanList = virTeamingKernelFakeVlanList,
    .vfList = virTeamingKernelFakeVfList,
    .vfSetMac = virTeamingKernelFakeVfSetMac,
    .vfSetVlan = virTeamingKernelFakeVfSetVlan,
    .vfLocate = virTeamingKernelFakeVfLocate,
    .pfHasRepresentors = virTeamingKernelFakePfHasRepresentors,
    .fdbList = virTeamingKernelFakeFdbList,
    .fdbGet = virTeamingKernelFakeFdbGet,
    .fdbAdd = virTeamingKernelFakeFdbAdd,
    .fdbDel = virTeamingKernelFakeFdbDel,
    .frameSend = virTeamingKernelFakeFrameSend,
    .frameListen = virTeamingKernelFakeFrameListen,
    .watch = virTeamingKernelFakeWatch,
};


/**
 * virTeamingKernelNewFake:
 *
 * Returns: a kernel of an empty host; see teaming_kernel_fake.h. Free with
 * virTeamingKernelFree().
 */
virTeamingKernel *
virTeamingKernelNewFake(void)
{
    virTeamingKernelFake *fake = g_new0(virTeamingKernelFake, 1);

    virTeamingKernelInit(&fake->parent, &virTeamingKernelFakeOps);
    fake->links = g_array_new(FALSE, TRUE, sizeof(virTeamingLink));
    fake->pci = g_array_new(FALSE, TRUE, sizeof(virTeamingFakePci));
    fake->vfs = g_array_new(FALSE, TRUE, sizeof(virTeamingFakeVf));
    fake->vlans = g_array_new(FALSE, TRUE, sizeof(virTeamingFakeVlan));
    fake->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fake->switches = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->fdb = g_array_new(FALSE, TRUE, sizeof(virTeamingFdbEntry));
    fake->listeners = g_array_new(FALSE, TRUE, sizeof(virTeamingFakeListener));
    fake->failures = g_array_new(FALSE, TRUE, sizeof(virTeamingFakeFailure));
    fake->log = g_string_new(NULL);
    return &fake->parent;
}
