/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_datapath.c: what is of a pair's switches on this host, and the steps that change it
 */

/*
 * Theory of operation
 *
 * The sequencer speaks of three switches and a hold; here its words are read off the kernel,
 * and its steps are taken. A step is promised in the pair's undo list before it is taken, and
 * can be taken twice. What does not exist on this host (no tap yet, no uplink) is taken out
 * of what is desired, so that there is always something to agree on.
 */

#include "teaming_datapath.h"

#include <string.h>
#include <unistd.h>

#include "teaming_error.h"
#include "teaming_frame.h"
#include "teaming_wiring.h"


/* Which of the sequencer's words fits what the NIC holds for the VF. */
static virTeamingVfFilter
virTeamingPairObjReadVf(const virTeamingPairObj *pair,
                        const virTeamingVf *vf)
{
    if (pair->guest == VIR_TEAMING_GUEST_GONE)
        return pair->parked && vf->vlan == VIR_TEAMING_PARK_VLAN ?
            VIR_TEAMING_VF_VLAN : VIR_TEAMING_VF_FORGET;
    if (virTeamingMacIsZero(&vf->mac))
        return VIR_TEAMING_VF_ZERO;
    if (!virTeamingMacEqual(&vf->mac, &pair->mac))
        return VIR_TEAMING_VF_OTHER;
    return vf->vlan == VIR_TEAMING_PARK_VLAN ? VIR_TEAMING_VF_VLAN : VIR_TEAMING_VF_PAIR;
}


static gboolean
virTeamingPairObjHasVlan(const virTeamingPairObj *pair,
                         guint vlan)
{
    for (guint i = 0; i < pair->vlans->len; i++) {
        if (g_array_index(pair->vlans, guint16, i) == vlan)
            return TRUE;
    }
    return FALSE;
}


/* Is @entry ours and in a VLAN in which the guest is not, or not any more? A bridge that does
 * not filter VLANs has entries in them all the same, which mean nothing. */
static gboolean
virTeamingPairObjIsStale(const virTeamingPairObj *pair,
                         const virTeamingFdbEntry *entry)
{
    return pair->filtersVlans && entry->flags & VIR_TEAMING_FDB_STICKY &&
        !virTeamingPairObjHasVlan(pair, entry->vlan);
}


/* Where the bridge sends the MAC in @vlan. */
static virTeamingFdbPath
virTeamingPairObjReadFdbVlan(const virTeamingPairObj *pair,
                             const GArray *entries,
                             guint vlan)
{
    const guint pinned = VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY;

    for (guint i = 0; i < entries->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, i);
        const gboolean ours = (entry->flags & pinned) == pinned;

        if (!(entry->flags & VIR_TEAMING_FDB_MASTER) || entry->vlan != vlan)
            continue;
        if (g_str_equal(entry->dev, pair->tap))
            return ours ? VIR_TEAMING_FDB_STANDBY : VIR_TEAMING_FDB_LEARNT_STANDBY;
        if (g_str_equal(entry->dev, pair->uplink))
            return ours ? VIR_TEAMING_FDB_UPLINK : VIR_TEAMING_FDB_LEARNT_UPLINK;
        return VIR_TEAMING_FDB_ELSEWHERE;
    }
    return VIR_TEAMING_FDB_BOTH;
}


/* Where the bridge sends the MAC: in all VLANs as desired, or else in one that is not. */
static virTeamingFdbPath
virTeamingPairObjReadFdb(const virTeamingPairObj *pair,
                         const GArray *entries,
                         virTeamingFdbPath desired)
{
    virTeamingFdbPath path = VIR_TEAMING_FDB_BOTH;

    for (guint i = 0; i < entries->len; i++) {
        if (virTeamingPairObjIsStale(pair, &g_array_index(entries, virTeamingFdbEntry, i)))
            return desired == VIR_TEAMING_FDB_FORGET ?
                VIR_TEAMING_FDB_UPLINK : VIR_TEAMING_FDB_ELSEWHERE;
    }
    for (guint i = 0; i < pair->vlans->len; i++) {
        path = virTeamingPairObjReadFdbVlan(pair, entries,
                                            g_array_index(pair->vlans, guint16, i));
        if (!virTeamingFailoverFdbHolds(path, desired))
            break;
    }
    return path;
}


/* Looks up the bridge's entries for the MAC: those that lead to the uplink, which @own has
 * already, and what else there is in the VLANs that count. With few VLANs, a lookup in each
 * costs less than a walk over all of a bridge's entries. @bridge: "" if there is none. */
static GArray *
virTeamingPairObjLookFdb(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         const char *bridge,
                         const GArray *own,
                         GError **error)
{
    g_autoptr(GArray) entries = NULL;

    if (bridge[0] && pair->vlans->len > VIR_TEAMING_PAIR_LOOKUPS)
        return virTeamingKernelFdbList(kernel, bridge, &pair->mac, error);

    entries = own ? g_array_copy((GArray *)own) :
        g_array_new(FALSE, FALSE, sizeof(virTeamingFdbEntry));
    for (guint i = 0; bridge[0] && i < pair->vlans->len; i++) {
        const guint16 vlan = g_array_index(pair->vlans, guint16, i);
        virTeamingFdbEntry entry;
        g_autoptr(GError) reason = NULL;

        if (virTeamingPairObjReadFdbVlan(pair, entries, vlan) != VIR_TEAMING_FDB_BOTH)
            continue;
        if (virTeamingKernelFdbGet(kernel, bridge, &pair->mac, vlan, &entry, &reason))
            g_array_append_val(entries, entry);
        else if (!g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
    }
    return g_steal_pointer(&entries);
}


/**
 * virTeamingPairObjLookSelf:
 * @pair: the pair, resolved
 * @tap: the standby, if it is a macvtap
 * @own: entries of the uplink
 * @desired: what should be; a macvtap that is not up is left alone
 *
 * A list of the kernel's may lack an entry: of an address list that changes between two parts of a
 * dump Linux says nothing (ndo_dflt_fdb_dump() in net/core/rtnetlink.c goes on by number). So what
 * is ours is taken to be there until it was deleted.
 *
 * Returns: whether the uplink's own filter takes the MAC, if it matters.
 */
static gboolean
virTeamingPairObjLookSelf(virTeamingPairObj *pair,
                          const virTeamingLink *tap,
                          const GArray *own,
                          virTeamingDatapath *desired)
{
    gboolean self = FALSE;

    for (guint i = 0; own && i < own->len; i++)
        self |= !!(g_array_index(own, virTeamingFdbEntry, i).flags & VIR_TEAMING_FDB_SELF);
    if (!own)
        desired->self = FALSE;
    if (pair->macvtap && !tap->up)
        desired->self = FALSE;
    /* Both may have the MAC, unless that keeps the frames from the VF, or from another host. */
    if (pair->macvtap && pair->guest == VIR_TEAMING_GUEST_HERE && pair->traits.copies &&
        !pair->apart)
        desired->self |= self;
    /* A filter entry that somebody else made stays his. */
    return desired->self ? self : own && (pair->selfAdded || (self && pair->macvtap));
}


/* As an entry in a bridge, what the mode of a macvtap means. One that somebody else chose, or
 * that means nothing since it is not up, stays as it is. */
static void
virTeamingPairObjLookMode(const virTeamingPairObj *pair,
                          const virTeamingLink *tap,
                          virTeamingDatapath *desired,
                          virTeamingDatapath *ret)
{
    const gboolean ours = tap->mode == VIR_TEAMING_MACVTAP_BRIDGE ||
        (tap->mode == VIR_TEAMING_MACVTAP_VEPA && pair->fdbAdded);
    const gboolean standby = desired->fdb == VIR_TEAMING_FDB_STANDBY ||
        (desired->fdb == VIR_TEAMING_FDB_BOTH && !pair->readySince);

    ret->fdb = tap->mode == VIR_TEAMING_MACVTAP_BRIDGE ?
        VIR_TEAMING_FDB_STANDBY : VIR_TEAMING_FDB_UPLINK;
    desired->fdb = !ours || !tap->up || !pair->uplink[0] ? ret->fdb :
        standby ? VIR_TEAMING_FDB_STANDBY : VIR_TEAMING_FDB_UPLINK;
}


/* What the NIC holds for the VF. PFs may have got other names, even one another's: a VF of that
 * number at another address is a stranger's. */
static gboolean
virTeamingPairObjGetVf(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       virTeamingVf *ret,
                       GError **error)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    if (virTeamingKernelVfGet(kernel, pair->pf, pair->vfIndex, ret, NULL) &&
        virTeamingPciAddressEqual(&ret->address, &pair->vf))
        return TRUE;
    virTeamingPairObjFollowPf(pair, kernel);
    if (!virTeamingKernelVfGet(kernel, pair->pf, pair->vfIndex, ret, error))
        return FALSE;
    if (virTeamingPciAddressEqual(&ret->address, &pair->vf))
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                "VF %u of '%s' is no longer %s, the guest's", pair->vfIndex, pair->pf,
                virTeamingPciAddressFormat(&pair->vf, buf));
    return FALSE;
}


/* What the NIC holds for the VF, in the words of the sequencer, if it matters. */
gboolean
virTeamingPairObjLookVf(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        const virTeamingDatapath *desired,
                        virTeamingVfFilter *ret,
                        GError **error)
{
    g_autoptr(GError) reason = NULL;
    virTeamingVf vf;

    *ret = VIR_TEAMING_VF_KEEP;
    if (desired->vf == VIR_TEAMING_VF_KEEP ||
        (desired->vf == VIR_TEAMING_VF_FORGET && !pair->parked))
        return TRUE;
    if (!virTeamingPairObjGetVf(pair, kernel, &vf, &reason)) {
        /* Where there is no VF any more, there is nothing to set or undo. */
        if (!virTeamingPairObjFollowPf(pair, kernel)) {
            *ret = desired->vf;
            return TRUE;
        }
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (vf.vlan != VIR_TEAMING_PARK_VLAN) {
        pair->vfVlan = vf.vlan;
        pair->vfQos = vf.qos;
        pair->vfService = vf.serviceVlan;
    }
    *ret = virTeamingPairObjReadVf(pair, &vf);
    /* The VF of a guest that is expected holds its MAC when libvirt has taken it, which it does
     * not if another guest has it. Until then it is none of ours. */
    if (*ret == VIR_TEAMING_VF_OTHER && pair->guest == VIR_TEAMING_GUEST_INCOMING)
        *ret = desired->vf;
    return TRUE;
}


/* Finds the standby's tap, whatever its name. @ret: left alone if there is none. Returns: FALSE on
 * error, which that is not. */
static gboolean
virTeamingPairObjLookTap(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         virTeamingLink *ret,
                         GError **error)
{
    g_autoptr(GError) reason = NULL;
    const gboolean isThere = virTeamingPairObjFindTap(pair, kernel, ret, &reason);

    if (reason) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (isThere) {
        g_strlcpy(pair->tap, ret->name, sizeof(pair->tap));
        pair->tapGoneAt = 0;
    } else if (!pair->tapGoneAt && pair->tap[0]) {
        pair->tapGoneAt = g_get_monotonic_time();
    }
    pair->macvtap = isThere && g_str_equal(ret->kind, "macvtap");
    pair->bridged = isThere && virTeamingLinkIsBridge(kernel, ret->master, pair->bridge);
    return TRUE;
}


/* What the bridge does with @tap, if that is in one. A host whose owner has switched something off
 * wants it so. */
static void
virTeamingPairObjLookPort(const virTeamingPairObj *pair,
                          const virTeamingLink *tap,
                          virTeamingDatapath *desired,
                          virTeamingDatapath *ret)
{
    if (!pair->bridged)
        desired->learning = TRUE;
    ret->learning = !pair->bridged || tap->learning ||
        (desired->learning && !pair->learningOff);
    ret->flooding = (pair->bridged ? tap->flooding : desired->flooding) ||
        (desired->flooding && !pair->floodingOff);
}


/**
 * virTeamingPairObjLook:
 * @pair: the pair
 * @kernel: the host
 * @desired: what should be; what does not exist on this host (no tap yet, no uplink)
 *           is taken out of it
 * @entries: set to those FDB entries of the pair's MAC that matter
 * @ret: filled with what is
 * @error: set to what the kernel said
 *
 * Returns: whether @ret was filled.
 */
gboolean
virTeamingPairObjLook(virTeamingPairObj *pair,
                      virTeamingKernel *kernel,
                      virTeamingDatapath *desired,
                      GArray **entries,
                      virTeamingDatapath *ret,
                      GError **error)
{
    virTeamingLink tap = { .name = "" };
    const char *bridge;
    g_autoptr(GArray) own = NULL;
    g_autoptr(GArray) found = NULL;

    ret->hold = pair->holdFd >= 0;
    /* A tap that is in something else than a Linux bridge has no uplink that is known. */
    if (!virTeamingPairObjLookTap(pair, kernel, &tap, error) ||
        !virTeamingPairObjLookVf(pair, kernel, desired, &ret->vf, error) ||
        !virTeamingPairObjResolve(pair, kernel, pair->macvtap || tap.master[0] ? &tap : NULL,
                                  error))
        return FALSE;
    /* Of a daemon before this one it is not known; with one way to the guest there is no choice. */
    if (pair->wire == VIR_TEAMING_WIRE_KEEP && !pair->apart)
        pair->wire = VIR_TEAMING_WIRE_HERE;
    ret->wire = pair->wire;
    g_free(pair->remark);
    pair->remark = virTeamingPairObjFindRemark(pair);
    g_free(pair->lack);
    pair->lack = virTeamingPairObjFindLack(pair, kernel, tap.name[0] ? &tap : NULL);
    bridge = pair->bridge[0] ? pair->bridge : pair->bridged ? tap.master : "";
    if (!virTeamingPairObjLookVlans(pair, kernel, bridge, error) ||
        (pair->uplink[0] &&
         !(own = virTeamingKernelFdbList(kernel, pair->uplink, &pair->mac, error))))
        return FALSE;
    if (!pair->lack && ret->vf != VIR_TEAMING_VF_KEEP)
        pair->lack = virTeamingPairObjFindSplit(pair);

    virTeamingPairObjLookPort(pair, &tap, desired, ret);
    if (!(found = virTeamingPairObjLookFdb(pair, kernel, bridge, own, error)))
        return FALSE;
    if ((desired->fdb == VIR_TEAMING_FDB_STANDBY && !pair->bridged && !pair->macvtap) ||
        (desired->fdb == VIR_TEAMING_FDB_UPLINK && !pair->uplink[0]) ||
        pair->vlans->len == 0)
        desired->fdb = VIR_TEAMING_FDB_FORGET;
    ret->fdb = virTeamingPairObjReadFdb(pair, found, desired->fdb);
    if (pair->macvtap)
        virTeamingPairObjLookMode(pair, &tap, desired, ret);
    ret->self = virTeamingPairObjLookSelf(pair, &tap, own, desired);

    /* Only a tap that is up keeps frames for its guest. A macvtap is not, before the guest runs. */
    if (!pair->uplink[0] || pair->vlans->len == 0 ||
        (pair->guest == VIR_TEAMING_GUEST_INCOMING && !(pair->bridged && tap.up)))
        desired->wire = VIR_TEAMING_WIRE_KEEP;
    if (!pair->uplink[0] || pair->macvtap)
        desired->listen = FALSE;
    ret->listen = pair->ear >= 0 &&
        (!desired->listen || g_str_equal(pair->earAt, pair->uplink));

    *entries = g_steal_pointer(&found);
    return TRUE;
}


/* Notes in the undo list what @step is about to leave behind. */
void
virTeamingPairObjPromise(virTeamingPairObj *pair,
                         virTeamingStep step)
{
    switch (step) {
    case VIR_TEAMING_STEP_SELF_ADD:
        pair->selfAdded = TRUE;
        break;
    case VIR_TEAMING_STEP_LEARNING_OFF:
        pair->learningOff = TRUE;
        break;
    case VIR_TEAMING_STEP_FLOODING_OFF:
        pair->floodingOff = TRUE;
        break;
    case VIR_TEAMING_STEP_FDB_STANDBY:
    case VIR_TEAMING_STEP_FDB_UPLINK:
        pair->fdbAdded = TRUE;
        break;
    case VIR_TEAMING_STEP_VF_ZERO:
    case VIR_TEAMING_STEP_VF_VLAN:
        pair->parked = TRUE;
        break;
    case VIR_TEAMING_STEP_HAND_OVER:
    case VIR_TEAMING_STEP_HOLD:
    case VIR_TEAMING_STEP_LISTEN:
    case VIR_TEAMING_STEP_VF_PAIR:
    case VIR_TEAMING_STEP_FDB_BOTH:
    case VIR_TEAMING_STEP_FDB_FORGET:
    case VIR_TEAMING_STEP_ANNOUNCE:
    case VIR_TEAMING_STEP_ANNOUNCE_VF:
    case VIR_TEAMING_STEP_SELF_DEL:
    case VIR_TEAMING_STEP_LEARNING_ON:
    case VIR_TEAMING_STEP_FLOODING_ON:
    case VIR_TEAMING_STEP_UNHOLD:
    case VIR_TEAMING_STEP_UNLISTEN:
    case VIR_TEAMING_STEP_VF_FORGET:
    case VIR_TEAMING_STEP_LAST:
        break;
    }
}


/* Pins the MAC to @dev, tap or uplink, in all VLANs that count; elsewhere nothing of ours
 * stays. */
static gboolean
virTeamingPairObjPin(virTeamingPairObj *pair,
                     virTeamingKernel *kernel,
                     const char *dev,
                     const GArray *entries,
                     GError **error)
{
    virTeamingFdbEntry entry = {
        .mac = pair->mac,
        .flags = VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY,
    };

    if (pair->macvtap)
        return virTeamingKernelLinkSetMode(kernel, pair->tap, dev == pair->tap ?
                                           VIR_TEAMING_MACVTAP_BRIDGE :
                                           VIR_TEAMING_MACVTAP_VEPA, error);

    /* Before the first is added: one in no VLAN takes the others along when it goes. */
    for (guint i = 0; i < entries->len; i++) {
        const virTeamingFdbEntry *there = &g_array_index(entries, virTeamingFdbEntry, i);

        if (virTeamingPairObjIsStale(pair, there) &&
            !virTeamingKernelFdbDel(kernel, there, error))
            return FALSE;
    }
    g_strlcpy(entry.dev, dev, sizeof(entry.dev));
    for (guint i = 0; i < pair->vlans->len; i++) {
        entry.vlan = g_array_index(pair->vlans, guint16, i);
        if (!virTeamingKernelFdbAdd(kernel, &entry, error))
            return FALSE;
    }
    return TRUE;
}


/* Deletes the bridge's entries of the MAC: all of them, or those that lead to the
 * standby or were pinned by us. */
static gboolean
virTeamingPairObjUnpin(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       const GArray *entries,
                       gboolean all,
                       GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, i);

        if (!(entry->flags & VIR_TEAMING_FDB_MASTER) || entry->flags & VIR_TEAMING_FDB_LOCAL)
            continue;
        if (!all && !(entry->flags & VIR_TEAMING_FDB_STICKY) &&
            !g_str_equal(entry->dev, pair->tap))
            continue;
        if (!virTeamingKernelFdbDel(kernel, entry, error))
            return FALSE;
    }
    /* From both paths the way goes on to one, when there may be no time to journal it. */
    if (!all)
        pair->fdbAdded = FALSE;
    return TRUE;
}


/**
 * virTeamingPairObjRecall:
 * @pair: a pair of which is known what is
 *
 * Returns: the FDB entries that virTeamingPairObjLook() would find, if nobody else has made any.
 */
GArray *
virTeamingPairObjRecall(const virTeamingPairObj *pair)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(virTeamingFdbEntry));
    virTeamingFdbEntry entry = {
        .mac = pair->mac,
        .flags = VIR_TEAMING_FDB_MASTER | VIR_TEAMING_FDB_STATIC | VIR_TEAMING_FDB_STICKY,
    };

    g_strlcpy(entry.dev, pair->reached.fdb == VIR_TEAMING_FDB_STANDBY ? pair->tap : pair->uplink,
              sizeof(entry.dev));
    for (guint i = 0; pair->reached.fdb != VIR_TEAMING_FDB_BOTH && i < pair->vlans->len; i++) {
        entry.vlan = g_array_index(pair->vlans, guint16, i);
        g_array_append_val(entries, entry);
    }
    return entries;
}


/* Takes the VF, which is as @vf says, out of our VLAN, if it is there. */
static gboolean
virTeamingPairObjUnparkVlan(virTeamingPairObj *pair,
                            virTeamingKernel *kernel,
                            const virTeamingVf *vf,
                            GError **error)
{
    return vf->vlan != VIR_TEAMING_PARK_VLAN ||
        virTeamingKernelVfSetVlan(kernel, pair->pf, pair->vfIndex, pair->vfVlan,
                                  pair->vfQos, pair->vfService, error);
}


/* Gives the VF, which is as @vf says, the pair's MAC, if it has another: there are PF drivers
 * that reset a VF whenever they are given one for it (i40e_ndo_set_vf_mac() in
 * drivers/net/ethernet/intel/i40e/i40e_virtchnl_pf.c). */
static gboolean
virTeamingPairObjNameVf(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        const virTeamingVf *vf,
                        GError **error)
{
    return virTeamingMacEqual(&vf->mac, &pair->mac) ||
        virTeamingKernelVfSetMac(kernel, pair->pf, pair->vfIndex, &pair->mac, error);
}


static gboolean
virTeamingPairObjUnpark(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        GError **error)
{
    virTeamingVf vf;

    if (!virTeamingPairObjGetVf(pair, kernel, &vf, error) ||
        !virTeamingPairObjNameVf(pair, kernel, &vf, error) ||
        !virTeamingPairObjUnparkVlan(pair, kernel, &vf, error))
        return FALSE;
    pair->parked = FALSE;
    return TRUE;
}


/* Keeps the VF from QEMU. If QEMU was faster, or there is no vfio group to keep, the VF is
 * plugged as stock libvirt does it, inside the blackout: worse, but no failure. */
static gboolean
virTeamingPairObjHold(virTeamingPairObj *pair,
                      virTeamingKernel *kernel)
{
    g_autoptr(GError) error = NULL;

    if ((pair->holdFd = virTeamingKernelPciHold(kernel, &pair->vf, &error)) < 0) {
        g_message("domain '%s', %s: %s; QEMU plugs it itself", pair->domain,
                  pair->standbyAlias, error->message);
        pair->defer = FALSE;
    }
    return TRUE;
}


/* Listens to the host that the guest comes from. Without that, QEMU tells when it has come. */
static gboolean
virTeamingPairObjListen(virTeamingPairObj *pair,
                        virTeamingKernel *kernel)
{
    g_autoptr(GError) error = NULL;

    virTeamingPairObjUnlisten(pair);
    pair->notices = 0;
    g_strlcpy(pair->earAt, pair->uplink, sizeof(pair->earAt));
    if ((pair->ear = virTeamingKernelFrameListen(kernel, pair->uplink, &pair->mac,
                                                 VIR_TEAMING_FRAME_ETHERTYPE, &error)) < 0)
        g_message("domain '%s', %s: %s", pair->domain, pair->standbyAlias, error->message);
    return TRUE;
}


/* Says by the uplink, in the VLANs that count, @runs or not: to the other host, whether the guest
 * is to run there now; and to the network, if it is to run here, to send its frames here. A trunk
 * of very many VLANs is left to what the guest sends. */
static gboolean
virTeamingPairObjTellWire(virTeamingPairObj *pair,
                          virTeamingKernel *kernel,
                          virTeamingWire wire,
                          GError **error)
{
    virTeamingNotice notice = { .mac = pair->mac, .runs = wire == VIR_TEAMING_WIRE_HERE };
    guint8 frame[VIR_TEAMING_FRAME_MAX];
    gsize size;

    g_strlcpy(notice.uuid, pair->uuid, sizeof(notice.uuid));
    for (guint i = 0; i < MIN(pair->tags->len, VIR_TEAMING_PAIR_LOOKUPS); i++) {
        const guint16 tag = g_array_index(pair->tags, guint16, i);

        if (notice.runs) {
            size = virTeamingFrameAnnounce(&pair->mac, tag, frame);
            if (!virTeamingKernelFrameSend(kernel, pair->uplink, frame, size, error))
                return FALSE;
        }
        /* Nobody waits for a guest that is about to run where it was to go, nor must be told that
         * it runs where he has not heard that it does not. */
        if (pair->guest == VIR_TEAMING_GUEST_INCOMING ||
            (notice.runs && pair->wire != VIR_TEAMING_WIRE_AWAY))
            continue;
        size = virTeamingFrameNotice(&notice, tag, frame);
        if (!virTeamingKernelFrameSend(kernel, pair->uplink, frame, size, error))
            return FALSE;
    }
    pair->wire = wire;
    return TRUE;
}


/* Has the network send the guest's frames to the VF's NIC, which the standby is not reached by. */
static gboolean
virTeamingPairObjTellVf(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        GError **error)
{
    guint8 frame[VIR_TEAMING_FRAME_MAX];
    const gsize size = virTeamingFrameAnnounce(&pair->mac, pair->vfVlan, frame);

    if (!virTeamingKernelFrameSend(kernel, pair->pf, frame, size, error))
        return FALSE;
    pair->wire = VIR_TEAMING_WIRE_VF;
    return TRUE;
}


/**
 * virTeamingPairObjKeepMac:
 * @pair: a pair whose VF is a plain <hostdev>
 * @kernel: the host
 *
 * Of such a VF libvirt neither sets the MAC nor puts it back. So what it has before our first
 * step is kept. When it is parked already, by a daemon that did not do so, that is not known.
 */
void
virTeamingPairObjKeepMac(virTeamingPairObj *pair,
                         virTeamingKernel *kernel)
{
    virTeamingVf vf;

    if (!pair->hasVf || pair->parked ||
        (pair->macKept && virTeamingPciAddressEqual(&pair->keptVf, &pair->vf)) ||
        !virTeamingPairObjGetVf(pair, kernel, &vf, NULL))
        return;
    pair->macKept = TRUE;
    pair->keptVf = pair->vf;
    pair->keptMac = vf.mac;
}


/**
 * virTeamingPairObjGiveMacBack:
 * @pair: a pair whose guest has gone
 * @kernel: the host
 *
 * Gives a VF the MAC that it had before us. One that has another than ours is somebody else's by
 * now. Not every NIC takes a MAC of zeros, which one that was never set may have: then ours stays.
 */
void
virTeamingPairObjGiveMacBack(virTeamingPairObj *pair,
                             virTeamingKernel *kernel)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    char pf[IF_NAMESIZE];
    g_autoptr(GError) error = NULL;
    virTeamingVf vf;
    guint index;

    if (!pair->macKept)
        return;
    pair->macKept = FALSE;
    if (!virTeamingKernelVfLocate(kernel, &pair->keptVf, pf, &index, NULL) ||
        !virTeamingKernelVfGet(kernel, pf, index, &vf, NULL) ||
        virTeamingMacEqual(&vf.mac, &pair->keptMac) ||
        (!virTeamingMacIsZero(&vf.mac) && !virTeamingMacEqual(&vf.mac, &pair->mac)))
        return;
    if (!virTeamingKernelVfSetMac(kernel, pf, index, &pair->keptMac, &error))
        g_warning("domain '%s', %s: its VF %s keeps the MAC that it had for the guest: %s",
                  pair->domain, pair->standbyAlias,
                  virTeamingPciAddressFormat(&pair->keptVf, buf), error->message);
}


gboolean
virTeamingPairObjTake(virTeamingPairObj *pair,
                      virTeamingKernel *kernel,
                      virTeamingStep step,
                      const GArray *entries,
                      GError **error)
{
    static const virTeamingMac zero;
    virTeamingFdbEntry self = { .mac = pair->mac, .flags = VIR_TEAMING_FDB_SELF };
    virTeamingVf vf;

    g_strlcpy(self.dev, pair->uplink, sizeof(self.dev));

    switch (step) {
    case VIR_TEAMING_STEP_HAND_OVER:
        return virTeamingPairObjTellWire(pair, kernel, VIR_TEAMING_WIRE_AWAY, error);
    case VIR_TEAMING_STEP_ANNOUNCE:
        return virTeamingPairObjTellWire(pair, kernel, VIR_TEAMING_WIRE_HERE, error);
    case VIR_TEAMING_STEP_ANNOUNCE_VF:
        return virTeamingPairObjTellVf(pair, kernel, error);
    case VIR_TEAMING_STEP_LISTEN:
        return virTeamingPairObjListen(pair, kernel);
    case VIR_TEAMING_STEP_UNLISTEN:
        virTeamingPairObjUnlisten(pair);
        return TRUE;
    case VIR_TEAMING_STEP_HOLD:
        return virTeamingPairObjHold(pair, kernel);
    case VIR_TEAMING_STEP_UNHOLD:
        close(pair->holdFd);
        pair->holdFd = -1;
        return TRUE;
    case VIR_TEAMING_STEP_VF_PAIR:
        return virTeamingPairObjUnpark(pair, kernel, error);
    case VIR_TEAMING_STEP_VF_ZERO:
        return virTeamingKernelVfSetMac(kernel, pair->pf, pair->vfIndex, &zero, error) &&
            virTeamingPairObjGetVf(pair, kernel, &vf, error) &&
            virTeamingPairObjUnparkVlan(pair, kernel, &vf, error);
    case VIR_TEAMING_STEP_VF_FORGET:
        return virTeamingPairObjGetVf(pair, kernel, &vf, error) &&
            virTeamingPairObjUnparkVlan(pair, kernel, &vf, error);
    case VIR_TEAMING_STEP_VF_VLAN:
        /* The VLAN first: the MAC must not be open for a moment. */
        return virTeamingKernelVfSetVlan(kernel, pair->pf, pair->vfIndex,
                                         VIR_TEAMING_PARK_VLAN, 0, FALSE, error) &&
            virTeamingPairObjGetVf(pair, kernel, &vf, error) &&
            virTeamingPairObjNameVf(pair, kernel, &vf, error);
    case VIR_TEAMING_STEP_SELF_ADD:
        self.flags |= VIR_TEAMING_FDB_STATIC;
        return virTeamingKernelFdbAdd(kernel, &self, error);
    case VIR_TEAMING_STEP_SELF_DEL:
        if (!virTeamingPairObjCloseUplink(pair, kernel, error))
            return FALSE;
        pair->selfAdded = FALSE;
        return TRUE;
    case VIR_TEAMING_STEP_LEARNING_OFF:
        return virTeamingKernelLinkSetLearning(kernel, pair->tap, FALSE, error);
    case VIR_TEAMING_STEP_LEARNING_ON:
        if (!virTeamingKernelLinkSetLearning(kernel, pair->tap, TRUE, error))
            return FALSE;
        pair->learningOff = FALSE;
        return TRUE;
    case VIR_TEAMING_STEP_FLOODING_OFF:
        return virTeamingKernelLinkSetFlooding(kernel, pair->tap, FALSE, error);
    case VIR_TEAMING_STEP_FLOODING_ON:
        if (!virTeamingKernelLinkSetFlooding(kernel, pair->tap, TRUE, error))
            return FALSE;
        pair->floodingOff = FALSE;
        return TRUE;
    case VIR_TEAMING_STEP_FDB_STANDBY:
        return virTeamingPairObjPin(pair, kernel, pair->tap, entries, error);
    case VIR_TEAMING_STEP_FDB_UPLINK:
        return virTeamingPairObjPin(pair, kernel, pair->uplink, entries, error);
    case VIR_TEAMING_STEP_FDB_BOTH:
        return virTeamingPairObjUnpin(pair, kernel, entries, TRUE, error);
    case VIR_TEAMING_STEP_FDB_FORGET:
        return virTeamingPairObjUnpin(pair, kernel, entries, FALSE, error);
    case VIR_TEAMING_STEP_LAST:
        break;
    }
    g_assert_not_reached();
}


/* Does @step close a path that the guest may need if the plan failed before it? A VF is
 * parked only when nobody reads it: that closes none. */
static gboolean
virTeamingStepCloses(virTeamingStep step,
                     virTeamingGuest guest)
{
    return guest == VIR_TEAMING_GUEST_HERE && step == VIR_TEAMING_STEP_SELF_DEL;
}


/**
 * virTeamingPairObjTakePlan:
 * @pair: the pair
 * @kernel: the host
 * @plan: @nsteps steps
 * @nsteps: how many
 * @entries: as virTeamingPairObjLook() has found them
 * @taken: what was tried is appended, in words
 * @error: set to what went wrong first
 *
 * Takes the steps in order. What fails keeps no other from being taken, but one that would close a
 * path while the guest needs it.
 *
 * Returns: whether all were taken.
 */
gboolean
virTeamingPairObjTakePlan(virTeamingPairObj *pair,
                          virTeamingKernel *kernel,
                          const virTeamingStep *plan,
                          guint nsteps,
                          const GArray *entries,
                          GString *taken,
                          GError **error)
{
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < nsteps; i++) {
        g_autoptr(GError) reason = NULL;

        if (first && virTeamingStepCloses(plan[i], pair->guest))
            continue;
        g_string_append_printf(taken, "%s%s", taken->len ? " " : "",
                               virTeamingStepToString(plan[i]));
        if (!virTeamingPairObjTake(pair, kernel, plan[i], entries, &reason)) {
            g_string_append(taken, "(failed)");
            if (!first)
                first = g_steal_pointer(&reason);
        }
    }
    if (!first)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}
