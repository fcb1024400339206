/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel.c: what the kernel offers: PCI functions, links, VFs, bridge FDB
 */

/*
 * Theory of operation
 *
 * The rest of virt-teaming looks at the host and changes it through the functions of
 * this file only. Each checks its arguments and hands over to one of two
 * implementations: teaming_kernel_real.c, which speaks sysfs and rtnetlink, or
 * teaming_kernel_fake.c, a model in memory. What both need stands here, so that they
 * cannot differ in it: the wording and the codes of errors, and the way in which
 * notifications are collected before anybody is told.
 *
 * Whoever looks at many guests in one turn would have the kernel tell all VFs of their PF, and all
 * of their bridge's FDB, once for each: an answer is a walk over all. So in a turn, what is asked
 * again and again is asked for as a whole, and kept until something is changed or the turn ends.
 *
 * A kernel belongs to one thread. Outputs are filled on success only.
 */

#include "teaming_kernel_priv.h"

#include <errno.h>
#include <string.h>

#include "teaming_error.h"

/* More changes than that at once are told as "anything may have changed". */
#define VIR_TEAMING_KERNEL_MAX_CHANGES 256

/* Linux's ENOTSUPP is not meant to leave it, and some drivers let it. */
#define VIR_TEAMING_ENOTSUPP 524

/* One guest asks for its own so often, at most, before it has something changed. */
#define VIR_TEAMING_KERNEL_ASKS 3

typedef struct {
    char ifname[IF_NAMESIZE];
    gboolean hasMac;
    virTeamingMac mac;
} virTeamingKernelChange;

typedef struct {
    guint asked;                    /* for parts of it, in this turn */
    GArray *list;                   /* as a whole; NULL: not known */
} virTeamingKernelKept;


void
virTeamingKernelInit(virTeamingKernel *kernel,
                     const virTeamingKernelOps *ops)
{
    kernel->ops = ops;
    kernel->changes = g_array_new(FALSE, TRUE, sizeof(virTeamingKernelChange));
}


/*
 * A driver that can't do a thing says EOPNOTSUPP, or EINVAL as be_set_vf_mac() to a zero MAC
 * (drivers/net/ethernet/emulex/benet/be_main.c), or EADDRNOTAVAIL, as most do to such a MAC of
 * a link's own, or ENOTSUPP as bnxt_set_vf_vlan()
 * (drivers/net/ethernet/broadcom/bnxt/bnxt_sriov.c). That a table is full (ENOMEM of
 * ixgbe_ndo_fdb_add()) or a VF is reset (EAGAIN, EBUSY) tells nothing of what a NIC can do. That
 * nothing more can be opened (EMFILE, ENFILE) tells nothing of what was to be.
 */
static virTeamingErrorCode
virTeamingKernelErrorCode(int err)
{
    switch (err) {
    case ENODEV:
    case ENOENT:
    case ENXIO:
    case ESRCH:
        return VIR_TEAMING_ERROR_NOT_FOUND;
    case EPERM:
    case EACCES:
        return VIR_TEAMING_ERROR_ACCESS;
    case EOPNOTSUPP:
    case VIR_TEAMING_ENOTSUPP:
    case ENOSYS:
    case EPROTONOSUPPORT:
    case EINVAL:
    case EADDRNOTAVAIL:
        return VIR_TEAMING_ERROR_UNSUPPORTED;
    case EBUSY:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return VIR_TEAMING_ERROR_BUSY;
    default:
        return VIR_TEAMING_ERROR_SYSTEM;
    }
}


/**
 * virTeamingKernelKeepWords:
 * @kernel: the kernel
 * @words: what it said itself, about the errno that an implementation is about to return; NULL:
 *         nothing
 */
void
virTeamingKernelKeepWords(virTeamingKernel *kernel,
                          const char *words)
{
    g_free(kernel->words);
    kernel->words = g_strdup(words);
}


/*
 * Ends what an implementation was asked for. @err: what it returned; @format: what was being done,
 * and to which object: "set the MAC of …". Returns: whether @err is none; else @error is set.
 */
static gboolean G_GNUC_PRINTF(4, 5)
virTeamingKernelEnd(virTeamingKernel *kernel,
                    int err,
                    GError **error,
                    const char *format,
                    ...)
{
    const virTeamingErrorCode code = virTeamingKernelErrorCode(err);
    g_autofree char *words = g_steal_pointer(&kernel->words);
    g_autofree char *what = NULL;
    va_list args;

    if (err == 0)
        return TRUE;
    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);

    g_set_error(error, VIR_TEAMING_ERROR, code, "cannot %s: %s%s%s%s%s",
                what, g_strerror(err),
                words ? " (" : "", words ? words : "", words ? ")" : "",
                code == VIR_TEAMING_ERROR_ACCESS ?
                "; run it as root or with CAP_NET_ADMIN and CAP_NET_RAW" : "");
    return FALSE;
}


/**
 * virTeamingKernelChanged:
 * @kernel: the kernel
 * @ifname: what changed, or NULL: something was lost
 * @mac: of an FDB change, or NULL
 *
 * Keeps a change, once, for the next virTeamingKernelDeliver().
 */
void
virTeamingKernelChanged(virTeamingKernel *kernel,
                        const char *ifname,
                        const virTeamingMac *mac)
{
    virTeamingKernelChange change;

    if (!ifname || kernel->changes->len >= VIR_TEAMING_KERNEL_MAX_CHANGES)
        kernel->changesLost = TRUE;
    if (kernel->changesLost)
        return;

    memset(&change, 0, sizeof(change));     /* padding too: it is compared as bytes */
    g_strlcpy(change.ifname, ifname, sizeof(change.ifname));
    change.hasMac = mac != NULL;
    if (mac)
        change.mac = *mac;
    for (guint i = 0; i < kernel->changes->len; i++) {
        if (memcmp(&g_array_index(kernel->changes, virTeamingKernelChange, i),
                   &change, sizeof(change)) == 0)
            return;
    }
    g_array_append_val(kernel->changes, change);
}


/**
 * virTeamingKernelDeliver:
 * @kernel: the kernel
 *
 * Tells the watcher, if there still is one, of what was kept. Changes that it makes
 * itself while it is told are kept for the next time.
 */
void
virTeamingKernelDeliver(virTeamingKernel *kernel)
{
    g_autoptr(GArray) changes = g_steal_pointer(&kernel->changes);
    gboolean lost = kernel->changesLost;

    kernel->changes = g_array_new(FALSE, TRUE, sizeof(virTeamingKernelChange));
    kernel->changesLost = FALSE;

    if (lost) {
        if (kernel->notify)
            kernel->notify(NULL, NULL, kernel->opaque);
        return;
    }
    for (guint i = 0; i < changes->len; i++) {
        virTeamingKernelChange *change = &g_array_index(changes, virTeamingKernelChange, i);

        if (kernel->notify)
            kernel->notify(change->ifname, change->hasMac ? &change->mac : NULL, kernel->opaque);
    }
}


/* Everything that takes the name of a link from outside passes here. */
static gboolean
virTeamingKernelCheckName(const char *ifname,
                          GError **error)
{
    if (*ifname && strlen(ifname) < IF_NAMESIZE &&
        !strchr(ifname, '/') && strcmp(ifname, ".") != 0 && strcmp(ifname, "..") != 0)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "'%s' cannot be the name of a network interface", ifname);
    return FALSE;
}


static gboolean
virTeamingKernelCheckVlan(guint vlan,
                          GError **error)
{
    if (vlan <= 4094)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "%u is no VLAN: they go from 1 to 4094, and 0 is none", vlan);
    return FALSE;
}


static gboolean
virTeamingKernelCheckFdbEntry(const virTeamingFdbEntry *entry,
                              GError **error)
{
    gboolean self = (entry->flags & VIR_TEAMING_FDB_SELF) != 0;
    gboolean master = (entry->flags & VIR_TEAMING_FDB_MASTER) != 0;

    if (!virTeamingKernelCheckName(entry->dev, error) ||
        !virTeamingKernelCheckVlan(entry->vlan, error))
        return FALSE;
    if (self == master) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "an FDB entry on '%s' must be either its own or its bridge's", entry->dev);
        return FALSE;
    }
    if (self && entry->vlan) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "an entry of the filter of '%s' itself cannot have a VLAN", entry->dev);
        return FALSE;
    }
    if (master && (entry->flags & VIR_TEAMING_FDB_LOCAL) &&
        (entry->flags & (VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY))) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "an FDB entry on '%s' cannot be local and also static or sticky", entry->dev);
        return FALSE;
    }
    return TRUE;
}


void
virTeamingKernelFree(virTeamingKernel *kernel)
{
    if (!kernel)
        return;
    g_array_unref(kernel->changes);
    g_free(kernel->words);
    kernel->ops->free(kernel);
}


static void
virTeamingKernelKeptFree(virTeamingKernelKept *kept)
{
    if (kept->list)
        g_array_unref(kept->list);
    g_free(kept);
}


/**
 * virTeamingKernelBeginTurn:
 * @kernel: the kernel
 *
 * From now on a list that is asked for again and again may be told as it was before, as long as
 * nothing of its kind is changed through @kernel. Turns may be nested; each is ended by
 * virTeamingKernelEndTurn(), before anybody waits for anything.
 */
void
virTeamingKernelBeginTurn(virTeamingKernel *kernel)
{
    kernel->turns++;
}


void
virTeamingKernelEndTurn(virTeamingKernel *kernel)
{
    if (--kernel->turns > 0)
        return;
    for (guint i = 0; i < VIR_TEAMING_KERNEL_KINDS; i++)
        g_clear_pointer(&kernel->kept[i], g_hash_table_unref);
}


/* Something of that kind is about to be changed. */
static void
virTeamingKernelForget(virTeamingKernel *kernel,
                       virTeamingKernelKind kind)
{
    if (kernel->kept[kind])
        g_hash_table_remove_all(kernel->kept[kind]);
}


static GArray *
virTeamingKernelListAll(virTeamingKernel *kernel,
                        virTeamingKernelKind kind,
                        const char *of)
{
    static const guint sizes[VIR_TEAMING_KERNEL_KINDS] = {
        [VIR_TEAMING_KERNEL_LINKS] = sizeof(virTeamingLink),
        [VIR_TEAMING_KERNEL_VFS] = sizeof(virTeamingVf),
        [VIR_TEAMING_KERNEL_FDB] = sizeof(virTeamingFdbEntry),
    };
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizes[kind]);
    const int err = kind == VIR_TEAMING_KERNEL_LINKS ? kernel->ops->linkList(kernel, list) :
        kind == VIR_TEAMING_KERNEL_VFS ? kernel->ops->vfList(kernel, of, NULL, -1, list) :
        kernel->ops->fdbList(kernel, of, NULL, list);

    return virTeamingKernelEnd(kernel, err, NULL, "list all") ? g_steal_pointer(&list) : NULL;
}


/* The whole list of @kind that @of has, if it is worth to be had: (transfer none) (nullable). */
static GArray *
virTeamingKernelKeep(virTeamingKernel *kernel,
                     virTeamingKernelKind kind,
                     const char *of)
{
    virTeamingKernelKept *kept;

    if (kernel->turns == 0)
        return NULL;
    if (!kernel->kept[kind])
        kernel->kept[kind] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                   (GDestroyNotify)virTeamingKernelKeptFree);
    if (!(kept = g_hash_table_lookup(kernel->kept[kind], of))) {
        kept = g_new0(virTeamingKernelKept, 1);
        g_hash_table_insert(kernel->kept[kind], g_strdup(of), kept);
    }
    if (kept->list || ++kept->asked <= VIR_TEAMING_KERNEL_ASKS)
        return kept->list;
    /* What can't be told as a whole may be in part, or why not. */
    kept->list = virTeamingKernelListAll(kernel, kind, of);
    return kept->list;
}


/* The VFs of @pf: all, the one of index @only (-1: any), or those of @mac (NULL: any). */
static GArray *
virTeamingKernelSelectVfs(virTeamingKernel *kernel,
                          const char *pf,
                          const virTeamingMac *mac,
                          gint only,
                          GError **error)
{
    const GArray *all = virTeamingKernelKeep(kernel, VIR_TEAMING_KERNEL_VFS, pf);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(virTeamingVf));

    if (!all && !virTeamingKernelEnd(kernel, kernel->ops->vfList(kernel, pf, mac, only, list),
                                     error, "list the VFs of '%s'", pf))
        return NULL;
    for (guint i = 0; all && i < all->len; i++) {
        const virTeamingVf *vf = &g_array_index(all, virTeamingVf, i);

        if ((only < 0 || vf->index == only) && (!mac || virTeamingMacEqual(mac, &vf->mac)))
            g_array_append_vals(list, vf, 1);
    }
    return g_steal_pointer(&list);
}


/**
 * virTeamingPciDriverIsVfio:
 * @driver: name of a PCI function's driver; "" for none
 *
 * Some NICs' VFs have one of their own beside vfio-pci, as mlx5_vfio_pci (drivers/vfio/pci in
 * Linux).
 *
 * Returns: whether a function with it is a guest's, or may be.
 */
gboolean
virTeamingPciDriverIsVfio(const char *driver)
{
    return strstr(driver, "vfio") != NULL;
}


/**
 * virTeamingPciDeviceFindUser:
 * @device: a NIC's function
 *
 * A driver of the host, and no network interface here: DPDK's drivers (igb_uio,
 * uio_pci_generic) make none, and a container's is not seen here.
 *
 * Returns: (transfer full) (nullable): who may use @device in that way and how to end that, in
 *          words; NULL: nobody does.
 */
char *
virTeamingPciDeviceFindUser(const virTeamingPciDevice *device)
{
    char address[VIR_TEAMING_PCI_STRING_LEN];

    if (!device->driver[0] || device->netdev[0] || virTeamingPciDriverIsVfio(device->driver))
        return NULL;
    return g_strdup_printf("a program or a container may have it (driver %s, and no network "
                           "interface here); if none does: echo %s > "
                           "/sys/bus/pci/drivers/%s/unbind", device->driver,
                           virTeamingPciAddressFormat(&device->address, address),
                           device->driver);
}


/**
 * virTeamingKernelPciGetState:
 * @kernel: the kernel
 * @address: a PCI function of this host
 * @ret: its state now
 *
 * Who looks again and again uses virTeamingKernelPciOpen(), which costs less.
 *
 * Returns: FALSE with NOT_FOUND if there is no such function, with SYSTEM if it does
 * not answer, with BUSY if that can't be asked now.
 */
gboolean
virTeamingKernelPciGetState(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            virTeamingPciState *ret,
                            GError **error)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    return virTeamingKernelEnd(kernel, kernel->ops->pciGetState(kernel, address, ret), error,
                               "look at PCI function %s",
                               virTeamingPciAddressFormat(address, buf));
}


/**
 * virTeamingKernelPciGetDevice:
 * @kernel: the kernel
 * @address: a PCI function of this host
 * @ret: what it is and whom it belongs to
 *
 * Returns: FALSE with NOT_FOUND if there is no such function.
 */
gboolean
virTeamingKernelPciGetDevice(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             virTeamingPciDevice *ret,
                             GError **error)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    return virTeamingKernelEnd(kernel, kernel->ops->pciGetDevice(kernel, address, ret), error,
                               "look at PCI function %s",
                               virTeamingPciAddressFormat(address, buf));
}


/**
 * virTeamingKernelPciHold:
 * @kernel: the kernel
 * @address: a PCI function that is bound to vfio-pci
 * @error: set to BUSY if someone else has it already, to NOT_FOUND if there is no such
 *         function or it is in no IOMMU group that vfio has
 *
 * Keeps others from using the function through vfio. The device of its IOMMU group admits
 * one opener at a time (Linux, drivers/vfio/group.c), so QEMU's attempt fails at once.
 * The kernel ends the hold with this process at the latest.
 *
 * Returns: a file descriptor; the hold lasts until it is closed. -1 on error.
 */
int
virTeamingKernelPciHold(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address,
                        GError **error)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    int fd;

    return virTeamingKernelEnd(kernel, kernel->ops->pciHold(kernel, address, &fd), error,
                               "keep PCI function %s from others",
                               virTeamingPciAddressFormat(address, buf)) ? fd : -1;
}


/**
 * virTeamingKernelPciListGroup:
 * @kernel: the kernel
 * @address: a PCI function of this host
 *
 * Functions of one IOMMU group cannot be kept apart: a group is given to a guest as a
 * whole, or not at all.
 *
 * Returns: all functions in the IOMMU group of @address, itself and bridges included,
 * as virTeamingPciAddress in ascending order; empty if it is in none; NULL with
 * NOT_FOUND if there is no such function. Free with g_array_unref().
 */
GArray *
virTeamingKernelPciListGroup(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(virTeamingPciAddress));
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    return virTeamingKernelEnd(kernel, kernel->ops->pciListGroup(kernel, address, list), error,
                               "look at the IOMMU group of PCI function %s",
                               virTeamingPciAddressFormat(address, buf)) ?
        g_steal_pointer(&list) : NULL;
}


/**
 * virTeamingKernelPciOpen:
 * @kernel: the kernel, which must outlive the handle
 * @address: a PCI function of this host
 *
 * Returns: a handle for virTeamingPciHandleRead(), or NULL with NOT_FOUND if there is
 * no such function. Free with virTeamingPciHandleFree().
 */
virTeamingPciHandle *
virTeamingKernelPciOpen(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address,
                        GError **error)
{
    virTeamingPciHandle *handle;
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    if (!virTeamingKernelEnd(kernel, kernel->ops->pciOpen(kernel, address, &handle), error,
                             "open the configuration space of PCI function %s",
                             virTeamingPciAddressFormat(address, buf)))
        return NULL;
    handle->kernel = kernel;
    handle->address = *address;
    return handle;
}


/**
 * virTeamingPciHandleRead:
 * @handle: an open PCI function
 * @busMaster: as in virTeamingPciState
 * @vectors: as in virTeamingPciState
 *
 * Returns: FALSE with NOT_FOUND if the function has gone since it was opened (also if
 * one with the same address has come back: open it anew), with SYSTEM if it does not
 * answer.
 */
gboolean
virTeamingPciHandleRead(virTeamingPciHandle *handle,
                        gboolean *busMaster,
                        guint *vectors,
                        GError **error)
{
    virTeamingKernel *kernel = handle->kernel;
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    return virTeamingKernelEnd(kernel, kernel->ops->pciHandleRead(handle, busMaster, vectors),
                               error, "read the command register of PCI function %s",
                               virTeamingPciAddressFormat(&handle->address, buf));
}


void
virTeamingPciHandleFree(virTeamingPciHandle *handle)
{
    if (handle)
        handle->kernel->ops->pciHandleFree(handle);
}


/**
 * virTeamingKernelLinkGet:
 * @kernel: the kernel
 * @ifname: name of a link
 * @ret: the link
 *
 * Returns: FALSE with NOT_FOUND if there is none of that name.
 */
gboolean
virTeamingKernelLinkGet(virTeamingKernel *kernel,
                        const char *ifname,
                        virTeamingLink *ret,
                        GError **error)
{
    return virTeamingKernelCheckName(ifname, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->linkGet(kernel, ifname, ret), error,
                            "look at network interface '%s'", ifname);
}


/**
 * virTeamingKernelLinkList:
 * @kernel: the kernel
 *
 * Returns: all links, as virTeamingLink. Free with g_array_unref().
 */
GArray *
virTeamingKernelLinkList(virTeamingKernel *kernel,
                         GError **error)
{
    GArray *all = virTeamingKernelKeep(kernel, VIR_TEAMING_KERNEL_LINKS, "");
    g_autoptr(GArray) list = all ? g_array_ref(all) :
        g_array_new(FALSE, FALSE, sizeof(virTeamingLink));

    return all || virTeamingKernelEnd(kernel, kernel->ops->linkList(kernel, list), error,
                                      "list the network interfaces") ?
        g_steal_pointer(&list) : NULL;
}


static gboolean
virTeamingKernelLinkSetPort(virTeamingKernel *kernel,
                            const char *port,
                            virTeamingKernelSwitch what,
                            gboolean on,
                            GError **error)
{
    virTeamingKernelForget(kernel, VIR_TEAMING_KERNEL_LINKS);
    return virTeamingKernelCheckName(port, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->linkSetPort(kernel, port, what, on), error,
                            "switch %s %s on bridge port '%s'",
                            what == VIR_TEAMING_KERNEL_LEARNING ? "learning" : "flooding",
                            on ? "on" : "off", port);
}


/**
 * virTeamingKernelLinkSetLearning:
 * @kernel: the kernel
 * @port: a bridge port
 * @learning: whether its bridge learns the source addresses of frames it sends
 *
 * Returns: FALSE with UNSUPPORTED if @port is not a port of a bridge.
 */
gboolean
virTeamingKernelLinkSetLearning(virTeamingKernel *kernel,
                                const char *port,
                                gboolean learning,
                                GError **error)
{
    return virTeamingKernelLinkSetPort(kernel, port, VIR_TEAMING_KERNEL_LEARNING, learning, error);
}


/**
 * virTeamingKernelLinkSetFlooding:
 * @kernel: the kernel
 * @port: a bridge port
 * @flooding: whether its bridge sends frames there that are for all, or for many
 *
 * What is for a MAC that the bridge does not know is not meant. (BR_BCAST_FLOOD and
 * BR_MCAST_FLOOD in net/bridge/br_forward.c)
 *
 * Returns: FALSE with UNSUPPORTED if @port is not a port of a bridge.
 */
gboolean
virTeamingKernelLinkSetFlooding(virTeamingKernel *kernel,
                                const char *port,
                                gboolean flooding,
                                GError **error)
{
    return virTeamingKernelLinkSetPort(kernel, port, VIR_TEAMING_KERNEL_FLOODING, flooding, error);
}


/**
 * virTeamingKernelLinkSetMode:
 * @kernel: the kernel
 * @macvtap: a macvtap
 * @mode: VEPA or BRIDGE
 *
 * Decides what becomes of a frame that another macvtap or macvlan on the same link sends to
 * this one; those from the wire come in either way. (macvlan_queue_xmit() in
 * drivers/net/macvlan.c)
 *
 * Returns: FALSE with UNSUPPORTED if @macvtap is none.
 */
gboolean
virTeamingKernelLinkSetMode(virTeamingKernel *kernel,
                            const char *macvtap,
                            virTeamingMacvtapMode mode,
                            GError **error)
{
    virTeamingKernelForget(kernel, VIR_TEAMING_KERNEL_LINKS);
    return virTeamingKernelCheckName(macvtap, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->linkSetMode(kernel, macvtap, mode), error,
                            "change the mode of macvtap '%s'", macvtap);
}


/**
 * virTeamingKernelLinkFindUser:
 * @kernel: the kernel
 * @link: one of its links
 *
 * Finds out who of the host would miss @link if it went. That it is up says nothing: systems
 * take up what they find.
 *
 * Returns: (transfer full) (nullable): who uses @link and how to end that, in words ("it has
 *          the address …; ip addr flush …"); NULL: nobody does.
 */
char *
virTeamingKernelLinkFindUser(virTeamingKernel *kernel,
                             const virTeamingLink *link)
{
    g_autoptr(GArray) links = NULL;
    g_autofree char *address = NULL;

    if (link->master[0])
        return g_strdup_printf("it is a port of '%s'; ip link set dev %s nomaster", link->master,
                               link->name);
    links = virTeamingKernelLinkList(kernel, NULL);
    for (guint i = 0; links && i < links->len; i++) {
        const virTeamingLink *upper = &g_array_index(links, virTeamingLink, i);

        if (strcmp(upper->lower, link->name) == 0)
            return g_strdup_printf("'%s' is on top of it; take that away", upper->name);
    }
    if ((address = kernel->ops->linkFindAddress(kernel, link->name)))
        return g_strdup_printf("it has the address %s; ip addr flush dev %s", address, link->name);
    return NULL;
}


/**
 * virTeamingKernelVlanList:
 * @kernel: the kernel
 * @port: a port of a bridge
 *
 * The VLANs whose frames the bridge takes from the port and sends to it, tagged or not. They
 * count only while the bridge filters VLANs (virTeamingLink), but exist all the same: a port
 * is in VLAN 1 unless somebody configured another. Whoever adds an FDB entry to a bridge that
 * filters names one of them: without a VLAN, Linux would add one in each of the port's, and on
 * a trunk these are thousands. (br_fdb_add() in net/bridge/br_fdb.c)
 *
 * Asked by RTM_GETVLAN (Linux 5.6), which tells of one port, in ranges; RTM_GETLINK of family
 * AF_BRIDGE tells of all ports of all bridges. (br_vlan_rtm_dump() in net/bridge/br_vlan.c)
 *
 * Returns: them, as virTeamingPortVlan, in ascending order; NULL with UNSUPPORTED if @port is
 * no port of a bridge, or if bridges know no VLANs here (CONFIG_BRIDGE_VLAN_FILTERING). Free
 * with g_array_unref().
 */
GArray *
virTeamingKernelVlanList(virTeamingKernel *kernel,
                         const char *port,
                         GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(virTeamingPortVlan));

    return virTeamingKernelCheckName(port, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->vlanList(kernel, port, list), error,
                            "list the VLANs of bridge port '%s'", port) ?
        g_steal_pointer(&list) : NULL;
}


/**
 * virTeamingKernelVfList:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 *
 * Returns: its VFs by index, as virTeamingVf; empty if VFs are off or @pf has none.
 * Free with g_array_unref().
 */
GArray *
virTeamingKernelVfList(virTeamingKernel *kernel,
                       const char *pf,
                       GError **error)
{
    return virTeamingKernelCheckName(pf, error) ?
        virTeamingKernelSelectVfs(kernel, pf, NULL, -1, error) : NULL;
}


/**
 * virTeamingKernelVfGet:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 * @index: of the VF, from 0
 * @ret: the VF
 *
 * Returns: FALSE with NOT_FOUND if there is no such PF or VF.
 */
gboolean
virTeamingKernelVfGet(virTeamingKernel *kernel,
                      const char *pf,
                      guint index,
                      virTeamingVf *ret,
                      GError **error)
{
    g_autoptr(GArray) vfs = NULL;

    if (!virTeamingKernelCheckName(pf, error) ||
        !(vfs = virTeamingKernelSelectVfs(kernel, pf, NULL, index, error)))
        return FALSE;
    if (vfs->len == 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "'%s' has no VF %u", pf, index);
        return FALSE;
    }
    *ret = g_array_index(vfs, virTeamingVf, 0);
    return TRUE;
}


/**
 * virTeamingKernelVfFind:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 * @mac: the admin MAC
 * @ret: the VF
 *
 * Cheaper than to look for it in virTeamingKernelVfList().
 *
 * Returns: FALSE with NOT_FOUND if there is no such PF, or no VF of it has @mac.
 */
gboolean
virTeamingKernelVfFind(virTeamingKernel *kernel,
                       const char *pf,
                       const virTeamingMac *mac,
                       virTeamingVf *ret,
                       GError **error)
{
    g_autoptr(GArray) vfs = NULL;
    char buf[VIR_TEAMING_MAC_STRING_LEN];

    if (!virTeamingKernelCheckName(pf, error) ||
        !(vfs = virTeamingKernelSelectVfs(kernel, pf, mac, -1, error)))
        return FALSE;
    if (vfs->len == 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "no VF of '%s' has MAC %s", pf, virTeamingMacFormat(mac, buf));
        return FALSE;
    }
    *ret = g_array_index(vfs, virTeamingVf, 0);
    return TRUE;
}


/**
 * virTeamingKernelVfSetMac:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 * @index: of the VF, from 0
 * @mac: the new admin MAC; all zero takes it away, where the NIC's driver admits that
 *
 * Leaves the VF's VLAN and everything else as it is.
 *
 * Returns: FALSE with UNSUPPORTED if @pf is not a PF; what a driver says about an index
 * out of range is its own affair (most: UNSUPPORTED, "Invalid argument").
 */
gboolean
virTeamingKernelVfSetMac(virTeamingKernel *kernel,
                         const char *pf,
                         guint index,
                         const virTeamingMac *mac,
                         GError **error)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];

    if (!virTeamingKernelCheckName(pf, error))
        return FALSE;
    if (virTeamingMacIsMulticast(mac)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s is a multicast address and cannot be the MAC of VF %u of '%s'",
                    virTeamingMacFormat(mac, buf), index, pf);
        return FALSE;
    }
    virTeamingKernelForget(kernel, VIR_TEAMING_KERNEL_VFS);
    return virTeamingKernelEnd(kernel, kernel->ops->vfSetMac(kernel, pf, index, mac), error,
                               "set MAC %s of VF %u of '%s'", virTeamingMacFormat(mac, buf), index,
                               pf);
}


/**
 * virTeamingKernelVfSetVlan:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 * @index: of the VF, from 0
 * @vlan: 1 to 4094, or 0: none
 * @qos: 802.1p priority, 0 to 7
 * @service: the VLAN is one of 802.1ad, which few drivers take; else of 802.1Q
 *
 * Returns: FALSE as virTeamingKernelVfSetMac() does.
 */
gboolean
virTeamingKernelVfSetVlan(virTeamingKernel *kernel,
                          const char *pf,
                          guint index,
                          guint vlan,
                          guint qos,
                          gboolean service,
                          GError **error)
{
    if (!virTeamingKernelCheckName(pf, error) || !virTeamingKernelCheckVlan(vlan, error))
        return FALSE;
    if (qos > 7) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%u is no VLAN priority: they go from 0 to 7", qos);
        return FALSE;
    }
    virTeamingKernelForget(kernel, VIR_TEAMING_KERNEL_VFS);
    return virTeamingKernelEnd(kernel,
                               kernel->ops->vfSetVlan(kernel, pf, index, vlan, qos, service), error,
                               "set VLAN %u of VF %u of '%s'", vlan, index, pf);
}


/**
 * virTeamingKernelVfLocate:
 * @kernel: the kernel
 * @address: a VF of this host
 * @pf: filled with the name of its PF's netdev
 * @index: its index there
 *
 * Returns: FALSE with NOT_FOUND if @address does not exist or is no VF, or if its PF
 * has no netdev here.
 */
gboolean
virTeamingKernelVfLocate(virTeamingKernel *kernel,
                         const virTeamingPciAddress *address,
                         char pf[IF_NAMESIZE],
                         guint *index,
                         GError **error)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    return virTeamingKernelEnd(kernel, kernel->ops->vfLocate(kernel, address, pf, index), error,
                               "find the PF of PCI function %s",
                               virTeamingPciAddressFormat(address, buf));
}


/**
 * virTeamingKernelPfHasRepresentors:
 * @kernel: the kernel
 * @pf: name of a PF's netdev
 *
 * In switchdev mode each VF has a representor, a port of the switch in the NIC (Linux,
 * Documentation/networking/representors.rst). A switch ID alone does not tell: ice gives one to
 * a PF in any mode (ice_devlink_create_pf_port()).
 *
 * Returns: whether there are such ports of @pf's switch. A PF without VFs has none in any mode.
 */
gboolean
virTeamingKernelPfHasRepresentors(virTeamingKernel *kernel,
                                  const char *pf)
{
    return kernel->ops->pfHasRepresentors(kernel, pf);
}


/**
 * virTeamingKernelFdbList:
 * @kernel: the kernel
 * @dev: a bridge, with all its ports, or one link
 * @mac: the one address that is wanted, or NULL: all
 *
 * Of a link: entries of its bridge that point to it, and those of its own filter. The
 * kernel walks the bridge's whole FDB for that; see virTeamingKernelFdbGet(). One that was
 * added without a VLAN is often there twice, see virTeamingKernelFdbAdd().
 *
 * Returns: the entries, as virTeamingFdbEntry; empty if there are none. Free with
 * g_array_unref().
 */
GArray *
virTeamingKernelFdbList(virTeamingKernel *kernel,
                        const char *dev,
                        const virTeamingMac *mac,
                        GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(virTeamingFdbEntry));
    const GArray *all;

    if (!virTeamingKernelCheckName(dev, error))
        return NULL;
    all = virTeamingKernelKeep(kernel, VIR_TEAMING_KERNEL_FDB, dev);
    if (!all && !virTeamingKernelEnd(kernel, kernel->ops->fdbList(kernel, dev, mac, list), error,
                                     "list the FDB entries of '%s'", dev))
        return NULL;
    for (guint i = 0; all && i < all->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(all, virTeamingFdbEntry, i);

        if (!mac || virTeamingMacEqual(mac, &entry->mac))
            g_array_append_vals(list, entry, 1);
    }
    return g_steal_pointer(&list);
}


/**
 * virTeamingKernelFdbGet:
 * @kernel: the kernel
 * @dev: a bridge, or any of its ports
 * @mac: a guest's MAC, say
 * @vlan: the VLAN to look in, 0 in a bridge without VLAN filtering
 * @ret: the bridge's entry; its dev is the port that gets the frames
 *
 * Cheap: one lookup in the bridge's table.
 *
 * Returns: FALSE with NOT_FOUND if the bridge has no entry, so that it floods, or if
 * there is no @dev; with UNSUPPORTED if @dev is neither a bridge nor a port of one.
 */
gboolean
virTeamingKernelFdbGet(virTeamingKernel *kernel,
                       const char *dev,
                       const virTeamingMac *mac,
                       guint vlan,
                       virTeamingFdbEntry *ret,
                       GError **error)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];
    int err;

    if (!virTeamingKernelCheckName(dev, error) || !virTeamingKernelCheckVlan(vlan, error))
        return FALSE;
    err = kernel->ops->fdbGet(kernel, dev, mac, vlan, ret);
    if (err == ENOENT)
        virTeamingKernelKeepWords(kernel, "the bridge has no entry for it");
    else if (err == EOPNOTSUPP)
        virTeamingKernelKeepWords(kernel, "that is neither a bridge nor a port of one");
    return virTeamingKernelEnd(kernel, err, error, "look up %s in the FDB of '%s'",
                               virTeamingMacFormat(mac, buf), dev);
}


/* @what, @where: "add", "to", or the like. */
static gboolean
virTeamingKernelFdbChange(virTeamingKernel *kernel,
                          const virTeamingFdbEntry *entry,
                          int (*change)(virTeamingKernel *kernel,
                                        const virTeamingFdbEntry *entry),
                          const char *what,
                          const char *where,
                          GError **error)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];

    virTeamingKernelForget(kernel, VIR_TEAMING_KERNEL_FDB);
    return virTeamingKernelCheckFdbEntry(entry, error) &&
        virTeamingKernelEnd(kernel, change(kernel, entry), error, "%s FDB entry %s %s %s'%s'",
                            what, virTeamingMacFormat(&entry->mac, buf), where,
                            entry->flags & VIR_TEAMING_FDB_SELF ? "" : "bridge port ",
                            entry->dev);
}


/**
 * virTeamingKernelFdbAdd:
 * @kernel: the kernel
 * @entry: the entry; exactly one of SELF and MASTER is set. Entries of a link's own
 *         filter never age, whatever the other flags say, and read back as LOCAL
 *
 * A bridge has one entry for a MAC and a VLAN: this replaces it, on whichever port it
 * was. To add what is there already succeeds. Without a VLAN, Linux adds the entry in VLAN
 * 0, which counts while the bridge does not filter VLANs, and also in each VLAN that the
 * port is in: VLAN 1 unless somebody configured another, also without filtering. The same
 * goes for virTeamingKernelFdbDel(). (br_fdb_add() in net/bridge/br_fdb.c)
 *
 * Returns: FALSE with UNSUPPORTED if MASTER is asked for and @entry's dev is not a port.
 */
gboolean
virTeamingKernelFdbAdd(virTeamingKernel *kernel,
                       const virTeamingFdbEntry *entry,
                       GError **error)
{
    return virTeamingKernelFdbChange(kernel, entry, kernel->ops->fdbAdd, "add", "to", error);
}


/**
 * virTeamingKernelFdbDel:
 * @kernel: the kernel
 * @entry: as for virTeamingKernelFdbAdd(); STATIC, LOCAL and STICKY don't matter
 *
 * Takes the entry away if it is on that very dev; to delete what is not there succeeds. An
 * entry in a VLAN that the port is no longer in leads nowhere, and Linux deletes it only
 * together with all others of that port and VLAN (6.0).
 *
 * Returns: FALSE with NOT_FOUND if @entry's dev doesn't exist, with UNSUPPORTED if MASTER
 * is asked for and it is not a port.
 */
gboolean
virTeamingKernelFdbDel(virTeamingKernel *kernel,
                       const virTeamingFdbEntry *entry,
                       GError **error)
{
    return virTeamingKernelFdbChange(kernel, entry, kernel->ops->fdbDel, "delete", "of", error);
}


/**
 * virTeamingKernelFrameSend:
 * @kernel: the kernel
 * @ifname: a link of Ethernet
 * @frame: a whole frame, from its destination on
 * @size: octets of @frame
 *
 * Has the link send a frame: to the wire, as if it came from the bridge that the link is a
 * port of, or from the host itself.
 *
 * Returns: FALSE with NOT_FOUND if there is no such link, with SYSTEM if it is down.
 */
gboolean
virTeamingKernelFrameSend(virTeamingKernel *kernel,
                          const char *ifname,
                          const guint8 *frame,
                          gsize size,
                          GError **error)
{
    return virTeamingKernelCheckName(ifname, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->frameSend(kernel, ifname, frame, size), error,
                            "send a frame by '%s'", ifname);
}


/**
 * virTeamingKernelFrameListen:
 * @kernel: the kernel
 * @ifname: a link of Ethernet, also one that is the port of a bridge
 * @source: MAC that the frames come from
 * @type: their Ethertype
 *
 * Frames that the link receives from now on can be read, one by each read(), without the tag
 * of a VLAN that they may have had. All that is to be read of others is nothing. The link itself
 * is not changed: what it does not receive, nobody reads.
 *
 * To close the descriptor takes some milliseconds: Linux waits until no CPU is at a frame
 * for it (packet_release() in net/packet/af_packet.c).
 *
 * Returns: a file descriptor that does not block; -1 with NOT_FOUND if there is no such link.
 */
int
virTeamingKernelFrameListen(virTeamingKernel *kernel,
                            const char *ifname,
                            const virTeamingMac *source,
                            guint16 type,
                            GError **error)
{
    int fd;

    return virTeamingKernelCheckName(ifname, error) &&
        virTeamingKernelEnd(kernel, kernel->ops->frameListen(kernel, ifname, source, type, &fd),
                            error, "listen to frames on '%s'", ifname) ? fd : -1;
}


/**
 * virTeamingKernelWatch:
 * @kernel: the kernel
 * @notify: who is told of changes from now on, instead of whoever was; NULL: nobody
 * @opaque: for @notify
 *
 * @notify is called from the GMainContext that is the thread's default at the first call.
 *
 * Returns: FALSE if notifications cannot be had.
 */
gboolean
virTeamingKernelWatch(virTeamingKernel *kernel,
                      virTeamingKernelNotify notify,
                      gpointer opaque,
                      GError **error)
{
    if (notify && !kernel->watching) {
        if (!virTeamingKernelEnd(kernel, kernel->ops->watch(kernel), error,
                                 "ask the kernel for notifications about links"))
            return FALSE;
        kernel->watching = TRUE;
    }
    kernel->notify = notify;
    kernel->opaque = opaque;
    return TRUE;
}
