/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_pairobj.c: one failover pair on this host: what we know of it, what we did for it
 */

/*
 * Theory of operation
 *
 * Settling a pair is one motion: look at the kernel, ask the sequencer what should be,
 * journal what is about to be done, do it. It is called whenever something may have
 * changed, and costs a handful of netlink requests when nothing has. There is no other
 * way in which the host is changed, so a daemon that starts again after a crash has only to
 * settle each journalled pair once more.
 *
 * Glancing is the cheap part of looking, done every few milliseconds around a change:
 * the VF's Bus Master Enable bit and its vectors.
 *
 * A bridge that filters VLANs has an entry for a MAC in each, so what is said of "the entry"
 * holds in every VLAN of the tap that the uplink is in, too: the guest's frames come and go
 * in these and in no others. The uplink may be in thousands. Entries of ours in another VLAN
 * (the tap was moved) go with the next change. The filters of the NIC (the VF's MAC, the
 * uplink's list) know no VLAN: which VLANs the uplink takes, the bridge tells the NIC.
 *
 * A standby that is a macvtap on the uplink has no bridge. The kernel itself has its MAC in
 * the uplink's list while it is up, and libvirt takes it up when the guest is about to run.
 * That is where the sequencer wants it most of the time; what is left to do is to take it
 * off where it would be in the way, and put it back. What other macvtaps on the uplink send to
 * the guest, the kernel hands to the standby directly if that is in mode "bridge", and to
 * the NIC if it is in mode "vepa": so the mode takes the place of the bridge's entry. There
 * is no third mode in which both get it.
 */

#include "teaming_pairobj.h"

#include <string.h>
#include <unistd.h>

#include "nic_traits.h"
#include "teaming_error.h"
#include "teaming_journal.h"

#define VIR_TEAMING_PAIR_RETRY_MS 1000
/* In more VLANs than that, a bridge's entries are listed, not looked up. */
#define VIR_TEAMING_PAIR_LOOKUPS 8


virTeamingPairObj *
virTeamingPairObjNew(const char *uuid,
                     const char *domain,
                     const virTeamingMac *mac)
{
    virTeamingPairObj *pair = g_new0(virTeamingPairObj, 1);

    pair->uuid = g_strdup(uuid);
    pair->domain = g_strdup(domain);
    if (mac)
        pair->mac = *mac;
    pair->phase = VIR_TEAMING_PHASE_LAST;
    pair->holdFd = -1;
    virTeamingPolicyInit(&pair->policy);
    g_queue_init(&pair->history);
    pair->vlans = g_array_new(FALSE, FALSE, sizeof(guint16));
    return pair;
}


static void
virTeamingPairChangeFree(virTeamingPairChange *change)
{
    g_free(change->steps);
    g_free(change);
}


void
virTeamingPairObjFree(virTeamingPairObj *pair)
{
    if (!pair)
        return;
    g_free(pair->uuid);
    g_free(pair->domain);
    g_free(pair->standbyAlias);
    g_free(pair->primaryAlias);
    g_free(pair->plugXml);
    g_free(pair->plugProblem);
    g_free(pair->findings);
    g_free(pair->aborted);
    g_free(pair->problem);
    g_free(pair->journalled);
    g_array_unref(pair->vlans);
    g_queue_clear_full(&pair->history, (GDestroyNotify)virTeamingPairChangeFree);
    if (pair->holdFd >= 0)
        close(pair->holdFd);
    g_free(pair);
}


static void
virTeamingPairObjAdoptVf(virTeamingPairObj *pair,
                         const virTeamingPciAddress *address)
{
    pair->vf = *address;
    pair->hasVf = TRUE;
    pair->traitsKnown = FALSE;
    pair->masterSince = 0;
    pair->readySince = 0;
}


/**
 * virTeamingPairObjSetVf:
 * @pair: the pair
 * @kernel: the host
 * @address: the VF that libvirt has taken for @pair
 *
 * If the address is that of no VF (a whole NIC was assigned), @pair has no VF that
 * could be watched or parked.
 */
void
virTeamingPairObjSetVf(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       const virTeamingPciAddress *address)
{
    if (pair->hasVf && virTeamingPciAddressEqual(&pair->vf, address))
        return;
    pair->hasVf = FALSE;
    if (virTeamingKernelVfLocate(kernel, address, pair->pf, &pair->vfIndex, NULL))
        virTeamingPairObjAdoptVf(pair, address);
}


/**
 * virTeamingPairObjLocateVf:
 * @pair: a pair whose VF is not known yet
 * @kernel: the host
 * @pf: a PF on which it may be
 *
 * libvirt gives a VF the guest's MAC before it tells anybody which one it took. From
 * then on this host's peers lose the guest, so this is kept short.
 *
 * Returns: whether the VF was found on @pf.
 */
gboolean
virTeamingPairObjLocateVf(virTeamingPairObj *pair,
                          virTeamingKernel *kernel,
                          const char *pf)
{
    g_autoptr(GArray) vfs = virTeamingKernelVfList(kernel, pf, NULL);

    for (guint i = 0; vfs && i < vfs->len; i++) {
        const virTeamingVf *vf = &g_array_index(vfs, virTeamingVf, i);

        if (virTeamingMacEqual(&vf->mac, &pair->mac)) {
            g_strlcpy(pair->pf, pf, sizeof(pair->pf));
            pair->vfIndex = vf->index;
            virTeamingPairObjAdoptVf(pair, &vf->address);
            return TRUE;
        }
    }
    return FALSE;
}


/* Which NIC is it, and what does that one do? Asked once for each VF. */
static void
virTeamingPairObjLearnTraits(virTeamingPairObj *pair,
                             virTeamingKernel *kernel)
{
    if (pair->hasVf && !pair->traitsKnown)
        pair->traitsKnown = virTeamingNicTraitsFind(kernel, pair->pf, NULL, &pair->traits);
}


/* Is @link the NIC of which @pf is the PF: the PF itself, or a VF that the host keeps? */
static gboolean
virTeamingLinkIsOfPf(virTeamingKernel *kernel,
                     const virTeamingLink *link,
                     const char *pf)
{
    virTeamingPciAddress address;
    char linkPf[IF_NAMESIZE];
    guint index;

    if (g_str_equal(link->name, pf))
        return TRUE;
    return virTeamingPciAddressParse(link->pci, &address) &&
        virTeamingKernelVfLocate(kernel, &address, linkPf, &index, NULL) &&
        g_str_equal(linkPf, pf);
}


/* Is there a Linux bridge @name (not a bond, not an OVS)? @known is one that is. */
static gboolean
virTeamingLinkIsBridge(virTeamingKernel *kernel,
                       const char *name,
                       const char *known)
{
    virTeamingLink link;

    return name[0] &&
        (g_str_equal(name, known) ||
         (virTeamingKernelLinkGet(kernel, name, &link, NULL) &&
          g_str_equal(link.kind, "bridge")));
}


/* Is the uplink a VF that can't take a MAC from its list again? */
static gboolean
virTeamingPairObjUplinkKeeps(const virTeamingPairObj *pair)
{
    return pair->traits.keepsVfMacs && !g_str_equal(pair->uplink, pair->pf);
}


/* Takes the MAC from the uplink's own list. From a VF that can't do that, the PF can take it
 * over, and drop it, which is needed only when the guest is no longer here: until then both
 * may have it. The uplink's list comes last, so that a crash in between is made up for. */
static gboolean
virTeamingPairObjCloseUplink(const virTeamingPairObj *pair,
                             virTeamingKernel *kernel,
                             GError **error)
{
    virTeamingFdbEntry self = { .mac = pair->mac, .flags = VIR_TEAMING_FDB_SELF };

    if (virTeamingPairObjUplinkKeeps(pair) && pair->guest != VIR_TEAMING_GUEST_HERE) {
        g_strlcpy(self.dev, pair->pf, sizeof(self.dev));
        if (!virTeamingKernelFdbAdd(kernel, &self, error) ||
            !virTeamingKernelFdbDel(kernel, &self, error))
            return FALSE;
    }
    g_strlcpy(self.dev, pair->uplink, sizeof(self.dev));
    return virTeamingKernelFdbDel(kernel, &self, error);
}


/* Takes what we put on an uplink away from it, before another becomes the uplink. */
static void
virTeamingPairObjLeaveUplink(virTeamingPairObj *pair,
                             virTeamingKernel *kernel)
{
    g_autoptr(GArray) entries = virTeamingKernelFdbList(kernel, pair->uplink, &pair->mac, NULL);

    if (pair->selfAdded && virTeamingPairObjCloseUplink(pair, kernel, NULL))
        pair->selfAdded = FALSE;
    for (guint i = 0; pair->fdbAdded && entries && i < entries->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, i);

        if (entry->flags & VIR_TEAMING_FDB_STICKY)
            virTeamingKernelFdbDel(kernel, entry, NULL);
    }
}


/**
 * virTeamingPairObjResolve:
 *
 * Finds the bridge and its uplink, by the standby's tap or, before libvirt has made
 * that, by the VF's PF. What is still true of the last time is kept. The uplink of a macvtap
 * is what it sits on.
 */
static void
virTeamingPairObjResolve(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         const virTeamingLink *tap)
{
    g_autoptr(GArray) links = NULL;
    virTeamingLink uplink;

    if (pair->macvtap) {
        pair->bridge[0] = '\0';
        if (g_str_equal(pair->uplink, tap->lower))
            return;
        if (pair->uplink[0])
            virTeamingPairObjLeaveUplink(pair, kernel);
        pair->uplink[0] = '\0';
        if (virTeamingKernelLinkGet(kernel, tap->lower, &uplink, NULL) &&
            virTeamingLinkIsOfPf(kernel, &uplink, pair->pf))
            g_strlcpy(pair->uplink, tap->lower, sizeof(pair->uplink));
        return;
    }

    if (pair->uplink[0] && virTeamingKernelLinkGet(kernel, pair->uplink, &uplink, NULL) &&
        uplink.master[0] && (!tap || g_str_equal(uplink.master, tap->master))) {
        g_strlcpy(pair->bridge, uplink.master, sizeof(pair->bridge));
        return;
    }

    if (pair->uplink[0])
        virTeamingPairObjLeaveUplink(pair, kernel);
    pair->uplink[0] = '\0';
    pair->bridge[0] = '\0';
    if (pair->pf[0] == '\0' || !(links = virTeamingKernelLinkList(kernel, NULL)))
        return;
    for (guint i = 0; i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);

        if (virTeamingLinkIsBridge(kernel, link->master, tap ? tap->master : "") &&
            (!tap || g_str_equal(link->master, tap->master)) &&
            virTeamingLinkIsOfPf(kernel, link, pair->pf)) {
            g_strlcpy(pair->uplink, link->name, sizeof(pair->uplink));
            g_strlcpy(pair->bridge, link->master, sizeof(pair->bridge));
            return;
        }
    }
}


/**
 * virTeamingPairObjGlance:
 * @pair: the pair
 * @kernel: the host
 * @now: monotonic microseconds
 *
 * Returns: whether the VF's bits have changed in a way that may matter.
 */
gboolean
virTeamingPairObjGlance(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        gint64 now)
{
    virTeamingPciState pci = { .driver = "" };
    virTeamingObserved seen;
    gboolean changed;

    /* While libvirt hands the VF over, the host's own driver may set the bit. */
    if (pair->hasVf &&
        (!virTeamingKernelPciGetState(kernel, &pair->vf, &pci, NULL) ||
         !strstr(pci.driver, "vfio"))) {
        pci.busMaster = FALSE;
        pci.vectors = 0;
    }

    changed = pci.busMaster != pair->pci.busMaster ||
        (pci.vectors > 0) != (pair->pci.vectors > 0) ||
        (pci.vectors >= 2) != (pair->pci.vectors >= 2);
    pair->pci = pci;

    if (!pci.busMaster)
        pair->masterSince = 0;
    else if (!pair->masterSince)
        pair->masterSince = now;

    virTeamingPairObjObserve(pair, now, &seen);
    if (!virTeamingFailoverReads(&seen))
        pair->readySince = 0;
    else if (!pair->readySince)
        pair->readySince = now;

    virTeamingPairObjObserve(pair, now, &seen);
    return changed || virTeamingFailoverPhase(&seen) != pair->phase;
}


/**
 * virTeamingPairObjObserve:
 * @pair: the pair, after virTeamingPairObjGlance()
 * @now: monotonic microseconds
 * @ret: filled with what the sequencer is to be handed
 */
void
virTeamingPairObjObserve(const virTeamingPairObj *pair,
                         gint64 now,
                         virTeamingObserved *ret)
{
    *ret = (virTeamingObserved) {
        .guest = pair->guest,
        .negotiated = pair->negotiated,
        .askedOut = pair->askedOut,
        .hasVf = pair->hasVf,
        .busMaster = pair->pci.busMaster,
        .vectors = pair->pci.vectors,
        .masterMs = pair->masterSince ? (now - pair->masterSince) / 1000 : 0,
        .readyMs = pair->readySince ? (now - pair->readySince) / 1000 : 0,
        /* Before that, libvirt has not bound the VF to vfio yet. */
        .defer = pair->defer && pair->started,
        .unplugged = pair->unplugged,
        .parking = pair->policy.parking == VIR_TEAMING_PARKING_ZERO ? VIR_TEAMING_PARK_ZERO :
            pair->policy.parking == VIR_TEAMING_PARKING_VLAN ? VIR_TEAMING_PARK_VLAN :
            VIR_TEAMING_PARK_AUTO,
        .traits = pair->traits,
    };
}


/**
 * virTeamingPairObjIsHere:
 *
 * Returns: whether the guest's QEMU still runs on this host, as far as one can tell
 *          without libvirt: its tap goes with it.
 */
gboolean
virTeamingPairObjIsHere(const virTeamingPairObj *pair,
                        virTeamingKernel *kernel)
{
    virTeamingLink tap;

    return pair->guest != VIR_TEAMING_GUEST_GONE && pair->tap[0] &&
        virTeamingKernelLinkGet(kernel, pair->tap, &tap, NULL);
}


/**
 * virTeamingPairObjGetProblem:
 *
 * Returns: (transfer full): what a person should know is wrong with @pair; NULL if
 *          nothing is.
 */
char *
virTeamingPairObjGetProblem(const virTeamingPairObj *pair)
{
    const char *words[5] = { NULL };
    guint n = 0;

    if (pair->problem)
        words[n++] = pair->problem;
    if (pair->plugProblem)
        words[n++] = pair->plugProblem;
    if (pair->aborted)
        words[n++] = pair->aborted;
    if (pair->findings)
        words[n++] = pair->findings;
    return n ? g_strjoinv("; ", (char **)words) : NULL;
}


/**
 * virTeamingPairObjGetWiring:
 *
 * Returns: (transfer full): how the standby reaches the wire, for people.
 */
char *
virTeamingPairObjGetWiring(const virTeamingPairObj *pair)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (pair->macvtap && pair->uplink[0])
        return g_strdup_printf("macvtap on %s", pair->uplink);
    if (!pair->uplink[0])
        return g_strdup("no uplink of the VF's NIC: its filter for the VF is all that is set");
    g_string_append_printf(text, "bridge %s, uplink %s%s", pair->bridge, pair->uplink,
                           virTeamingPairObjUplinkKeeps(pair) ?
                           " (a VF whose list of MACs fills up with every change, for its driver "
                           "can't clear it: better put the PF there)" : "");
    for (guint i = 0; pair->filtersVlans && i < pair->vlans->len; i++) {
        g_string_append_printf(text, "%s%u", i ? ", " : ", VLAN ",
                               g_array_index(pair->vlans, guint16, i));
        if (i == VIR_TEAMING_PAIR_LOOKUPS) {
            g_string_append(text, ", …");
            break;
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}


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


/**
 * virTeamingPairObjLookVlans:
 * @pair: the pair, resolved
 * @kernel: the host
 * @bridge: its bridge, or ""
 * @hasTap: whether the standby's tap is in the bridge
 * @error: set to what the kernel said
 *
 * Finds in which VLANs the bridge needs entries: 0, if it filters none; else those that both
 * tap and uplink are in.
 */
static gboolean
virTeamingPairObjLookVlans(virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           const char *bridge,
                           gboolean hasTap,
                           GError **error)
{
    const guint16 none = 0;
    virTeamingLink link = { .vlanFiltering = FALSE };
    g_autoptr(GArray) ofTap = NULL;
    g_autoptr(GArray) ofUplink = NULL;

    g_array_set_size(pair->vlans, 0);
    pair->cutOff = FALSE;
    pair->filtersVlans = bridge[0] && virTeamingKernelLinkGet(kernel, bridge, &link, NULL) &&
        link.vlanFiltering;
    if (!pair->filtersVlans) {
        g_array_append_val(pair->vlans, none);
        return TRUE;
    }
    if (!hasTap)
        return TRUE;
    if (!(ofTap = virTeamingKernelVlanList(kernel, pair->tap, error)) ||
        (pair->uplink[0] && !(ofUplink = virTeamingKernelVlanList(kernel, pair->uplink, error))))
        return FALSE;
    if (!ofUplink)
        ofUplink = g_array_ref(ofTap);
    for (guint i = 0, j = 0; i < ofTap->len && j < ofUplink->len;) {
        const guint16 a = g_array_index(ofTap, guint16, i);
        const guint16 b = g_array_index(ofUplink, guint16, j);

        if (a == b)
            g_array_append_val(pair->vlans, a);
        i += a <= b;
        j += b <= a;
    }
    pair->cutOff = pair->vlans->len == 0 && pair->uplink[0];
    return TRUE;
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
        virTeamingFdbEntry entry;
        g_autoptr(GError) reason = NULL;

        if (virTeamingKernelFdbGet(kernel, bridge, &pair->mac,
                                   g_array_index(pair->vlans, guint16, i), &entry, &reason)) {
            if (!g_str_equal(entry.dev, pair->uplink))
                g_array_append_val(entries, entry);
        } else if (!g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
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
 * Returns: whether the uplink's own filter takes the MAC, if it matters.
 */
static gboolean
virTeamingPairObjLookSelf(const virTeamingPairObj *pair,
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
    if (pair->macvtap && pair->guest == VIR_TEAMING_GUEST_HERE && pair->traits.copies)
        desired->self |= self;
    /* A filter entry that somebody else made stays his. */
    return self && (pair->macvtap || desired->self || pair->selfAdded);
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


/* What the NIC holds for the VF, if it matters. */
static gboolean
virTeamingPairObjLookVf(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        const virTeamingDatapath *desired,
                        virTeamingVfFilter *ret,
                        GError **error)
{
    virTeamingVf vf;

    *ret = VIR_TEAMING_VF_KEEP;
    if (desired->vf == VIR_TEAMING_VF_KEEP ||
        (desired->vf == VIR_TEAMING_VF_FORGET && !pair->parked))
        return TRUE;
    if (!virTeamingKernelVfGet(kernel, pair->pf, pair->vfIndex, &vf, error))
        return FALSE;
    if (vf.vlan != VIR_TEAMING_PARK_VLAN) {
        pair->vfVlan = vf.vlan;
        pair->vfQos = vf.qos;
    }
    *ret = virTeamingPairObjReadVf(pair, &vf);
    return TRUE;
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
static gboolean
virTeamingPairObjLook(virTeamingPairObj *pair,
                      virTeamingKernel *kernel,
                      virTeamingDatapath *desired,
                      GArray **entries,
                      virTeamingDatapath *ret,
                      GError **error)
{
    virTeamingLink tap = { .name = "" };
    const gboolean hasTap = pair->tap[0] &&
        virTeamingKernelLinkGet(kernel, pair->tap, &tap, NULL) &&
        virTeamingLinkIsBridge(kernel, tap.master, pair->bridge);
    const char *bridge;
    g_autoptr(GArray) own = NULL;
    g_autoptr(GArray) found = NULL;

    pair->macvtap = g_str_equal(tap.kind, "macvtap");
    ret->hold = pair->holdFd >= 0;
    if (!virTeamingPairObjLookVf(pair, kernel, desired, &ret->vf, error))
        return FALSE;

    virTeamingPairObjResolve(pair, kernel, hasTap || pair->macvtap ? &tap : NULL);
    bridge = pair->bridge[0] ? pair->bridge : hasTap ? tap.master : "";
    if (!virTeamingPairObjLookVlans(pair, kernel, bridge, hasTap, error) ||
        (pair->uplink[0] &&
         !(own = virTeamingKernelFdbList(kernel, pair->uplink, &pair->mac, error))))
        return FALSE;

    ret->learning = hasTap ? tap.learning : TRUE;
    if (!hasTap)
        desired->learning = TRUE;
    /* A host whose owner switched learning off wants it so. */
    if (desired->learning && !pair->learningOff)
        ret->learning = TRUE;

    if (!(found = virTeamingPairObjLookFdb(pair, kernel, bridge, own, error)))
        return FALSE;
    if ((desired->fdb == VIR_TEAMING_FDB_STANDBY && !hasTap && !pair->macvtap) ||
        (desired->fdb == VIR_TEAMING_FDB_UPLINK && !pair->uplink[0]) ||
        pair->vlans->len == 0)
        desired->fdb = VIR_TEAMING_FDB_FORGET;
    ret->fdb = virTeamingPairObjReadFdb(pair, found, desired->fdb);
    if (pair->macvtap)
        virTeamingPairObjLookMode(pair, &tap, desired, ret);
    ret->self = virTeamingPairObjLookSelf(pair, &tap, own, desired);

    *entries = g_steal_pointer(&found);
    return TRUE;
}


/* Notes in the undo list what @step is about to leave behind. */
static void
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
    case VIR_TEAMING_STEP_FDB_STANDBY:
    case VIR_TEAMING_STEP_FDB_UPLINK:
        pair->fdbAdded = TRUE;
        break;
    case VIR_TEAMING_STEP_VF_ZERO:
    case VIR_TEAMING_STEP_VF_VLAN:
        pair->parked = TRUE;
        break;
    case VIR_TEAMING_STEP_HOLD:
    case VIR_TEAMING_STEP_VF_PAIR:
    case VIR_TEAMING_STEP_FDB_BOTH:
    case VIR_TEAMING_STEP_FDB_FORGET:
    case VIR_TEAMING_STEP_SELF_DEL:
    case VIR_TEAMING_STEP_LEARNING_ON:
    case VIR_TEAMING_STEP_UNHOLD:
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
    pair->fdbAdded = FALSE;
    return TRUE;
}


/* Takes the VF out of our VLAN, if it is there. */
static gboolean
virTeamingPairObjUnparkVlan(virTeamingPairObj *pair,
                            virTeamingKernel *kernel,
                            GError **error)
{
    virTeamingVf vf;

    if (!virTeamingKernelVfGet(kernel, pair->pf, pair->vfIndex, &vf, error))
        return FALSE;
    return vf.vlan != VIR_TEAMING_PARK_VLAN ||
        virTeamingKernelVfSetVlan(kernel, pair->pf, pair->vfIndex, pair->vfVlan,
                                  pair->vfQos, error);
}


static gboolean
virTeamingPairObjUnpark(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        GError **error)
{
    if (!virTeamingKernelVfSetMac(kernel, pair->pf, pair->vfIndex, &pair->mac, error) ||
        !virTeamingPairObjUnparkVlan(pair, kernel, error))
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


static gboolean
virTeamingPairObjTake(virTeamingPairObj *pair,
                      virTeamingKernel *kernel,
                      virTeamingStep step,
                      const GArray *entries,
                      GError **error)
{
    static const virTeamingMac zero;
    virTeamingFdbEntry self = { .mac = pair->mac, .flags = VIR_TEAMING_FDB_SELF };

    g_strlcpy(self.dev, pair->uplink, sizeof(self.dev));

    switch (step) {
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
            virTeamingPairObjUnparkVlan(pair, kernel, error);
    case VIR_TEAMING_STEP_VF_FORGET:
        return virTeamingPairObjUnparkVlan(pair, kernel, error);
    case VIR_TEAMING_STEP_VF_VLAN:
        /* The VLAN first: the MAC must not be open for a moment. */
        return virTeamingKernelVfSetVlan(kernel, pair->pf, pair->vfIndex,
                                         VIR_TEAMING_PARK_VLAN, 0, error) &&
            virTeamingKernelVfSetMac(kernel, pair->pf, pair->vfIndex, &pair->mac, error);
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


/* Does @step close a path that the guest may need if the plan failed before it? */
static gboolean
virTeamingStepCloses(virTeamingStep step,
                     virTeamingGuest guest)
{
    return guest == VIR_TEAMING_GUEST_HERE &&
        (step == VIR_TEAMING_STEP_VF_ZERO || step == VIR_TEAMING_STEP_VF_VLAN ||
         step == VIR_TEAMING_STEP_SELF_DEL);
}


static void
virTeamingPairObjRemember(virTeamingPairObj *pair,
                          virTeamingPhase phase,
                          const char *steps)
{
    virTeamingPairChange *change = g_new0(virTeamingPairChange, 1);

    change->realtime = g_get_real_time();
    change->phase = phase;
    change->steps = g_strdup(steps);
    g_queue_push_head(&pair->history, change);
    if (g_queue_get_length(&pair->history) > VIR_TEAMING_PAIR_HISTORY)
        virTeamingPairChangeFree(g_queue_pop_tail(&pair->history));
}


/* Keeps why the pair is not as it should be, and says so once. */
static void
virTeamingPairObjSetProblem(virTeamingPairObj *pair,
                            const char *problem,
                            gint64 now)
{
    pair->retryAt = now + VIR_TEAMING_PAIR_RETRY_MS * 1000;
    if (g_strcmp0(pair->problem, problem) == 0)
        return;
    if (problem)
        g_warning("domain '%s', %s: %s", pair->domain, pair->standbyAlias, problem);
    g_free(pair->problem);
    pair->problem = g_strdup(problem);
}


/**
 * virTeamingPairObjPark:
 * @pair: a pair which has promised to park
 * @kernel: the host
 *
 * The one step that can't wait for a look at all the rest: while the VF has the MAC of
 * a guest that runs elsewhere, what this host's peers send to the guest goes nowhere.
 * What fails here is found again, and reported, by virTeamingPairObjSettle().
 */
void
virTeamingPairObjPark(virTeamingPairObj *pair,
                      virTeamingKernel *kernel)
{
    const virTeamingDatapath parked = { .vf = VIR_TEAMING_VF_ZERO };
    virTeamingVfFilter vf;

    if (pair->guest != VIR_TEAMING_GUEST_INCOMING || pair->negotiated ||
        !pair->parked || !pair->hasVf ||
        pair->traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] == VIR_TEAMING_ANSWER_NO ||
        !virTeamingPairObjLookVf(pair, kernel, &parked, &vf, NULL) || vf == parked.vf ||
        !virTeamingPairObjTake(pair, kernel, VIR_TEAMING_STEP_VF_ZERO, NULL, NULL))
        return;
    g_message("domain '%s', %s: %s at once", pair->domain, pair->standbyAlias,
              virTeamingStepToString(VIR_TEAMING_STEP_VF_ZERO));
}


/**
 * virTeamingPairObjSettle:
 * @pair: the pair
 * @kernel: the host
 * @statedir: directory of the journal
 * @now: monotonic microseconds
 *
 * Brings @pair on this host to what it should be. What could not be done is in
 * @pair->problem.
 *
 * Returns: whether all is as it should be.
 */
gboolean
virTeamingPairObjSettle(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        const char *statedir,
                        gint64 now)
{
    virTeamingObserved seen;
    virTeamingPhase phase;
    virTeamingDatapath desired;
    virTeamingDatapath actual;
    virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
    g_autoptr(GArray) entries = NULL;
    g_autoptr(GString) steps = g_string_new(NULL);
    g_autofree char *fault = NULL;
    g_autoptr(GError) error = NULL;
    guint nsteps;

    virTeamingPairObjLearnTraits(pair, kernel);
    virTeamingPairObjGlance(pair, kernel, now);
    virTeamingPairObjObserve(pair, now, &seen);
    phase = virTeamingFailoverPhase(&seen);
    desired = virTeamingFailoverDesire(phase, &seen);
    /* A VF that is not in a guest's hands is libvirt's: it may have given it back. */
    if (pair->guest != VIR_TEAMING_GUEST_INCOMING && pair->guest != VIR_TEAMING_GUEST_GONE &&
        !strstr(pair->pci.driver, "vfio"))
        desired.vf = VIR_TEAMING_VF_KEEP;

    if (!virTeamingPairObjLook(pair, kernel, &desired, &entries, &actual, &error)) {
        virTeamingPairObjSetProblem(pair, error->message, now);
        return FALSE;
    }

    /* A driver that probed while there was no MAC has drawn one of its own, and never
     * pairs: only we set none, and only a daemon that died lets a guest find it. */
    if (pair->guest == VIR_TEAMING_GUEST_HERE && pair->pci.busMaster &&
        actual.vf == VIR_TEAMING_VF_ZERO)
        pair->unplugged = TRUE;

    nsteps = virTeamingFailoverPlan(&actual, &desired, plan);
    for (guint i = 0; i < nsteps; i++)
        virTeamingPairObjPromise(pair, plan[i]);
    if (!virTeamingJournalSave(pair, statedir, &error)) {
        /* Without a journal we may still mend, but not change what a crash would leave. */
        virTeamingPairObjSetProblem(pair, error->message, now);
        return FALSE;
    }

    for (guint i = 0; i < nsteps; i++) {
        g_autoptr(GError) reason = NULL;

        if (error && virTeamingStepCloses(plan[i], pair->guest))
            continue;
        g_string_append_printf(steps, "%s%s", steps->len ? " " : "",
                               virTeamingStepToString(plan[i]));
        if (!virTeamingPairObjTake(pair, kernel, plan[i], entries, &reason)) {
            g_string_append(steps, "(failed)");
            if (!error)
                error = g_steal_pointer(&reason);
        }
    }

    if (phase != pair->phase || (nsteps > 0 && !pair->problem)) {
        g_message("domain '%s', %s: %s%s%s%s%s", pair->domain, pair->standbyAlias,
                  pair->phase == VIR_TEAMING_PHASE_LAST ? "" :
                  virTeamingPhaseToString(pair->phase),
                  pair->phase == VIR_TEAMING_PHASE_LAST ? "" : " -> ",
                  virTeamingPhaseToString(phase), steps->len ? ": " : "", steps->str);
        virTeamingPairObjRemember(pair, phase, steps->str);
        pair->changedAt = now;
    }
    pair->phase = phase;
    if (!error && pair->cutOff)
        fault = g_strdup_printf("'%s' and '%s' are in no VLAN of '%s' in common: without its VF "
                                "the guest is cut off; see 'bridge vlan'", pair->tap,
                                pair->uplink, pair->bridge);
    virTeamingPairObjSetProblem(pair, error ? error->message : fault, now);

    /* What has been undone need not be undone again. */
    if (nsteps > 0)
        virTeamingJournalSave(pair, statedir, NULL);
    return !error;
}
