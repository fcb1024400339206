/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sriov_pool.c: the VFs of a hostdev network: free, used by whom, unusable and why
 */

/*
 * Theory of operation
 *
 * A network with forward mode 'hostdev' is a list of VFs, given as a PF, all of whose VFs
 * are meant, or as PCI addresses. libvirt keeps no list of what is free: it takes the
 * first VF that it has not given to a domain itself, and finds out later, when it binds
 * vfio-pci or when QEMU starts, that this one cannot work. So a pool is looked at here
 * with three questions:
 *
 * - who has it? The users come from the live XML of the domains, which is handed in;
 * - could a guest have it? It needs an IOMMU group without strangers in it, and vfio-pci
 *   must be bound or libvirt must be allowed to bind it (managed='yes');
 * - would anyone miss it? A VF whose interface on the host has an address, or is a port of a
 *   bridge (the standby path of a pair may run over a spare VF), would be torn out; and so would
 *   one that a container or DPDK has. That it is up is nothing: many systems take up all that
 *   they find.
 *
 * The inventory is a snapshot. Nothing is changed.
 */

#include "sriov_pool.h"

#include <string.h>

#include "teaming_error.h"
#include "teaming_xml.h"

/* PCI Code and ID Assignment: base class 06, subclass 04, PCI-to-PCI bridge. */
#define VIR_TEAMING_PCI_CLASS_BRIDGE 0x0604

/* What a pool is made of. */
typedef struct {
    virTeamingPool *pool;           /* that it becomes */
    const virTeamingNetwork *network;
    virTeamingKernel *kernel;
    const GPtrArray *users;         /* of virTeamingPoolUser; NULL: none */
} virTeamingPoolLook;


static void
virTeamingPoolUserFree(virTeamingPoolUser *user)
{
    g_free(user->domain);
    g_free(user->alias);
    g_free(user);
}


/**
 * virTeamingPoolUsersNew:
 *
 * Returns: an empty list of virTeamingPoolUser. Free with g_ptr_array_unref().
 */
GPtrArray *
virTeamingPoolUsersNew(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPoolUserFree);
}


/* The address in <source><address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/>. */
static gboolean
virTeamingPoolUserParseSource(const xmlNode *source,
                              virTeamingPciAddress *ret)
{
    const xmlNode *address = virTeamingXmlGetChild(source, "address");
    const char *type = virTeamingXmlPeekProp(address, "type");

    return (!type || strcmp(type, "pci") == 0) && virTeamingXmlParseAddress(address, 4, ret);
}


/**
 * virTeamingPoolUsersParse:
 * @users: what is found is appended
 * @xml: a domain's live XML
 * @len: its length in bytes, or -1 if it ends with a NUL
 * @file: name for messages
 *
 * Every <interface> and <hostdev> with a PCI function of the host counts, whether or not
 * it has <teaming>: a VF is gone from the pool either way.
 *
 * Returns: FALSE with INVALID if @xml is not a domain's.
 */
gboolean
virTeamingPoolUsersParse(GPtrArray *users,
                         const char *xml,
                         gssize len,
                         const char *file,
                         GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, len, file, "domain", error);
    const xmlNode *root;
    const xmlNode *devices;

    if (!doc)
        return FALSE;
    root = xmlDocGetRootElement(doc);
    devices = virTeamingXmlGetChild(root, "devices");
    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        virTeamingPciAddress address;
        virTeamingPoolUser *user;

        if ((!virTeamingXmlIs(node, "interface") && !virTeamingXmlIs(node, "hostdev")) ||
            !virTeamingPoolUserParseSource(virTeamingXmlGetChild(node, "source"), &address))
            continue;
        user = g_new0(virTeamingPoolUser, 1);
        user->domain = virTeamingXmlGetText(virTeamingXmlGetChild(root, "name"));
        user->alias = g_strdup(virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "alias"), "name"));
        user->address = address;
        g_ptr_array_add(users, user);
    }
    return TRUE;
}


static void
virTeamingPoolVfFree(virTeamingPoolVf *vf)
{
    g_free(vf->domain);
    g_free(vf->alias);
    g_free(vf->why);
    g_free(vf);
}


void
virTeamingPoolFree(virTeamingPool *pool)
{
    if (!pool)
        return;
    g_free(pool->network);
    g_ptr_array_unref(pool->pfs);
    g_ptr_array_unref(pool->vfs);
    g_ptr_array_unref(pool->notes);
    g_free(pool);
}


static void G_GNUC_PRINTF(2, 3)
virTeamingPoolNote(virTeamingPool *pool,
                   const char *format,
                   ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(pool->notes, g_strdup_vprintf(format, args));
    va_end(args);
}


static void
virTeamingPoolNotePf(virTeamingPool *pool,
                     const virTeamingPoolPf *pf)
{
    const char *name = pf->name;

    if (!pf->present)
        virTeamingPoolNote(pool, "there is no network interface '%s' on this host: correct <pf> "
                           "in the network, or find out why its driver is not there", name);
    else if (pf->vfsTotal == 0)
        virTeamingPoolNote(pool, "'%s' has no SR-IOV: it is not a PF, or SR-IOV is switched off "
                           "in the firmware", name);
    else if (pf->vfsEnabled == 0)
        virTeamingPoolNote(pool, "'%s' has no VFs now, but could have %u: write how many into "
                           "/sys/class/net/%s/device/sriov_numvfs", name, pf->vfsTotal, name);
    else if (!pf->up)
        virTeamingPoolNote(pool, "'%s' is down, and with it the link of its VFs: "
                           "'ip link set dev %s up'", name, name);
    else if (!pf->running)
        virTeamingPoolNote(pool, "'%s' has no carrier: is the cable plugged in?", name);
}


/*
 * Looks at the PF called @name, unless that was done already. *@ret belongs to the pool. Only
 * what keeps us from looking is an error; what we see is a note.
 */
static gboolean
virTeamingPoolAddPf(const virTeamingPoolLook *look,
                    const char *name,
                    virTeamingPoolPf **ret,
                    GError **error)
{
    virTeamingPool *pool = look->pool;
    virTeamingKernel *kernel = look->kernel;
    g_autofree virTeamingPoolPf *pf = g_new0(virTeamingPoolPf, 1);
    g_autoptr(GError) missing = NULL;
    virTeamingPciAddress address;
    virTeamingPciDevice device;
    virTeamingLink link;

    for (guint i = 0; i < pool->pfs->len; i++) {
        *ret = pool->pfs->pdata[i];
        if (strcmp((*ret)->name, name) == 0)
            return TRUE;
    }

    g_strlcpy(pf->name, name, sizeof(pf->name));
    if (virTeamingKernelLinkGet(kernel, name, &link, &missing)) {
        pf->present = TRUE;
        /* @name may have been an alternative one, which sysfs does not know. */
        g_strlcpy(pf->name, link.name, sizeof(pf->name));
        g_strlcpy(pf->pci, link.pci, sizeof(pf->pci));
        g_strlcpy(pf->master, link.master, sizeof(pf->master));
        pf->mac = link.mac;
        pf->up = link.up;
        pf->running = link.running;
        pf->mtu = link.mtu;
        if (virTeamingPciAddressParse(link.pci, &address)) {
            if (!virTeamingKernelPciGetDevice(kernel, &address, &device, error))
                return FALSE;
            g_strlcpy(pf->driver, device.driver, sizeof(pf->driver));
            pf->vfsEnabled = device.vfsEnabled;
            pf->vfsTotal = device.vfsTotal;
        }
    } else if (!g_error_matches(missing, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return FALSE;
    }
    virTeamingPoolNotePf(pool, pf);
    if (virTeamingKernelPfHasRepresentors(kernel, pf->name))
        virTeamingPoolNote(pool, "'%s' is in switchdev mode, where a VF's MAC steers no frames: "
                           "devlink dev eswitch set pci/%s mode legacy", pf->name, pf->pci);
    *ret = g_steal_pointer(&pf);
    g_ptr_array_add(pool->pfs, *ret);
    return TRUE;
}


/*
 * The functions that share @vf's IOMMU group with it, as text, or NULL if there are none.
 * Bridges on the way don't count: vfio admits them in a group.
 */
static gboolean
virTeamingPoolFindStrangers(virTeamingKernel *kernel,
                            const virTeamingPciDevice *vf,
                            char **ret,
                            GError **error)
{
    g_autoptr(GArray) group = virTeamingKernelPciListGroup(kernel, &vf->address, error);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!group)
        return FALSE;
    for (guint i = 0; i < group->len; i++) {
        virTeamingPciAddress *address = &g_array_index(group, virTeamingPciAddress, i);
        char buf[VIR_TEAMING_PCI_STRING_LEN];
        virTeamingPciDevice device;

        if (virTeamingPciAddressEqual(address, &vf->address))
            continue;
        if (!virTeamingKernelPciGetDevice(kernel, address, &device, error))
            return FALSE;
        if (device.classCode >> 8 != VIR_TEAMING_PCI_CLASS_BRIDGE)
            g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                   virTeamingPciAddressFormat(address, buf));
    }
    *ret = text->len ? g_strdup(text->str) : NULL;
    return TRUE;
}


/* What keeps a guest from having @vf, in *@ret; NULL if nothing does. */
static gboolean
virTeamingPoolFindFault(const virTeamingPoolLook *look,
                        const virTeamingPciDevice *vf,
                        char **ret,
                        GError **error)
{
    g_autofree char *strangers = NULL;
    g_autofree char *user = NULL;
    g_autoptr(GError) missing = NULL;
    virTeamingLink link;

    if (vf->iommuGroup < 0) {
        *ret = g_strdup("it is in no IOMMU group");
        return TRUE;
    }
    if (!virTeamingPoolFindStrangers(look->kernel, vf, &strangers, error))
        return FALSE;
    if (strangers) {
        *ret = g_strdup_printf("IOMMU group %d holds %s, too, and can only be given away whole",
                               vf->iommuGroup, strangers);
        return TRUE;
    }
    /* Besides vfio-pci there are drivers of vendors: mlx5_vfio_pci, … */
    if (!look->network->managed && !virTeamingPciDriverIsVfio(vf->driver)) {
        *ret = g_strdup_printf("%s is bound to it; vfio-pci must be, since the network does not "
                               "say managed='yes'",
                               vf->driver[0] ? vf->driver : "no driver");
        return TRUE;
    }
    if ((*ret = virTeamingPciDeviceFindUser(vf)))
        return TRUE;
    if (vf->netdev[0]) {
        if (!virTeamingKernelLinkGet(look->kernel, vf->netdev, &link, &missing)) {
            /* It has gone this moment, and nobody uses what is not there. */
            if (g_error_matches(missing, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&missing));
            return FALSE;
        }
        user = virTeamingKernelLinkFindUser(look->kernel, &link);
    }
    *ret = user ? g_strdup_printf("the host itself uses '%s': %s", vf->netdev, user) : NULL;
    return TRUE;
}


/*
 * Adds the VF at @address. @pf and @settings (its index, MAC and VLAN there) are NULL if
 * it belongs to no PF that is here.
 */
static gboolean
virTeamingPoolAddVf(const virTeamingPoolLook *look,
                    const virTeamingPciAddress *address,
                    const char *pf,
                    const virTeamingVf *settings,
                    GError **error)
{
    virTeamingPoolVf *vf = g_new0(virTeamingPoolVf, 1);
    g_autoptr(GError) missing = NULL;
    virTeamingPciDevice device;

    g_ptr_array_add(look->pool->vfs, vf);
    vf->address = *address;
    vf->iommuGroup = -1;
    if (settings) {
        g_strlcpy(vf->pf, pf, sizeof(vf->pf));
        vf->index = settings->index;
        vf->mac = settings->mac;
        vf->vlan = settings->vlan;
    }

    if (virTeamingKernelPciGetDevice(look->kernel, address, &device, &missing)) {
        g_strlcpy(vf->driver, device.driver, sizeof(vf->driver));
        g_strlcpy(vf->netdev, device.netdev, sizeof(vf->netdev));
        vf->iommuGroup = device.iommuGroup;
        if (!device.physfn[0])
            vf->why = g_strdup("it is not a VF, and libvirt takes only VFs for an <interface>");
        else if (!virTeamingPoolFindFault(look, &device, &vf->why, error))
            return FALSE;
    } else if (g_error_matches(missing, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
        vf->why = g_strdup("there is nothing at this PCI address; are the VFs switched on?");
    } else {
        g_propagate_error(error, g_steal_pointer(&missing));
        return FALSE;
    }

    vf->state = vf->why ? VIR_TEAMING_POOL_VF_UNUSABLE : VIR_TEAMING_POOL_VF_FREE;
    for (guint i = 0; look->users && i < look->users->len; i++) {
        const virTeamingPoolUser *user = look->users->pdata[i];

        if (virTeamingPciAddressEqual(&user->address, address)) {
            vf->state = VIR_TEAMING_POOL_VF_USED;
            vf->domain = g_strdup(user->domain);
            vf->alias = g_strdup(user->alias);
            g_clear_pointer(&vf->why, g_free);
            break;
        }
    }
    return TRUE;
}


/* All VFs of the PF called @name. */
static gboolean
virTeamingPoolAddVfsOfPf(const virTeamingPoolLook *look,
                         const char *name,
                         GError **error)
{
    g_autoptr(GArray) vfs = NULL;
    virTeamingPoolPf *pf;

    if (!virTeamingPoolAddPf(look, name, &pf, error))
        return FALSE;
    if (!pf->present || pf->vfsEnabled == 0)
        return TRUE;
    if (!(vfs = virTeamingKernelVfList(look->kernel, pf->name, error)))
        return FALSE;
    for (guint i = 0; i < vfs->len; i++) {
        virTeamingVf *vf = &g_array_index(vfs, virTeamingVf, i);

        if (!virTeamingPoolAddVf(look, &vf->address, pf->name, vf, error))
            return FALSE;
    }
    return TRUE;
}


/* The one VF at @address, and its PF, if it is here; unless it was added with its PF. */
static gboolean
virTeamingPoolAddVfByAddress(const virTeamingPoolLook *look,
                             const virTeamingPciAddress *address,
                             GError **error)
{
    const GPtrArray *vfs = look->pool->vfs;
    g_autoptr(GError) missing = NULL;
    char name[IF_NAMESIZE];
    virTeamingPoolPf *pf;
    virTeamingVf vf;
    guint index;

    for (guint i = 0; i < vfs->len; i++) {
        if (virTeamingPciAddressEqual(&((virTeamingPoolVf *)vfs->pdata[i])->address, address))
            return TRUE;
    }
    if (virTeamingKernelVfLocate(look->kernel, address, name, &index, &missing))
        return virTeamingPoolAddPf(look, name, &pf, error) &&
            virTeamingKernelVfGet(look->kernel, name, index, &vf, error) &&
            virTeamingPoolAddVf(look, address, name, &vf, error);
    if (g_error_matches(missing, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
        return virTeamingPoolAddVf(look, address, NULL, NULL, error);
    g_propagate_error(error, g_steal_pointer(&missing));
    return FALSE;
}


/* If no VF at all is in an IOMMU group, the cause is not in the VFs. */
static void
virTeamingPoolNoteIommu(virTeamingPool *pool)
{
    for (guint i = 0; i < pool->vfs->len; i++) {
        const virTeamingPoolVf *vf = pool->vfs->pdata[i];

        if (vf->iommuGroup >= 0 || !vf->pf[0])
            return;
    }
    if (pool->vfs->len)
        virTeamingPoolNote(pool, "the IOMMU is off: switch it on in the firmware (VT-d, AMD-Vi), "
                           "and on Intel boot with intel_iommu=on");
}


/**
 * virTeamingPoolNew:
 * @network: a hostdev network
 * @kernel: the host
 * @users: of virTeamingPoolUser, see virTeamingPoolUsersParse(); NULL: none
 *
 * Returns: the inventory, or NULL with INVALID if @network is none of VFs, and as the
 * functions of virTeamingKernel do if the host can't be looked at. Free with
 * virTeamingPoolFree().
 */
virTeamingPool *
virTeamingPoolNew(const virTeamingNetwork *network,
                  virTeamingKernel *kernel,
                  const GPtrArray *users,
                  GError **error)
{
    g_autoptr(virTeamingPool) pool = NULL;
    virTeamingPoolLook look = { .network = network, .kernel = kernel, .users = users };

    if (!virTeamingNetworkIsPool(network)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "network '%s' has no VFs: its forward mode is not 'hostdev'", network->name);
        return NULL;
    }

    look.pool = pool = g_new0(virTeamingPool, 1);
    pool->network = g_strdup(network->name);
    pool->pfs = g_ptr_array_new_with_free_func(g_free);
    pool->vfs = g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPoolVfFree);
    pool->notes = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < network->pfs->len; i++) {
        if (!virTeamingPoolAddVfsOfPf(&look, network->pfs->pdata[i], error))
            return NULL;
    }
    for (guint i = 0; i < network->vfs->len; i++) {
        if (!virTeamingPoolAddVfByAddress(&look, &g_array_index(network->vfs,
                                                                virTeamingPciAddress, i), error))
            return NULL;
    }
    if (network->pfs->len + network->vfs->len == 0)
        virTeamingPoolNote(pool, "the network names neither a <pf> nor an <address>");
    virTeamingPoolNoteIommu(pool);
    return g_steal_pointer(&pool);
}


/**
 * virTeamingPoolCount:
 * @pool: an inventory
 * @state: which VFs
 *
 * Returns: how many of them there are.
 */
guint
virTeamingPoolCount(const virTeamingPool *pool,
                    virTeamingPoolVfState state)
{
    guint count = 0;

    for (guint i = 0; i < pool->vfs->len; i++) {
        if (((const virTeamingPoolVf *)pool->vfs->pdata[i])->state == state)
            count++;
    }
    return count;
}


/**
 * virTeamingPoolVfStateToString:
 * @state: of a VF
 *
 * Returns: one lower-case word, for people and for JSON.
 */
const char *
virTeamingPoolVfStateToString(virTeamingPoolVfState state)
{
    switch (state) {
    case VIR_TEAMING_POOL_VF_FREE:
        return "free";
    case VIR_TEAMING_POOL_VF_USED:
        return "used";
    case VIR_TEAMING_POOL_VF_UNUSABLE:
        return "unusable";
    }
    return "";
}
