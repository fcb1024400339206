/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_wiring.c: how a pair's standby reaches the wire on this host
 */

/*
 * Theory of operation
 *
 * Nothing says which NIC carries the standby's frames: it is found out, by the standby's tap,
 * the bridge that it is a port of, and the port of that bridge that belongs to the VF's NIC: is
 * it, or is above it, as a VLAN or a bond. What was found is looked at again each time, for links
 * are renamed, moved and deleted. Linux hands the filter entries of a VLAN or a bond down to the
 * NICs that count, so the port is all that need be told (vlan_dev_set_rx_mode() in
 * net/8021q/vlan_dev.c, bond_set_rx_mode() in drivers/net/bonding/bond_main.c).
 *
 * The standby may be apart from the VF: reach the network by another port of it. Then the bridge
 * has one other NIC for an uplink, or a bond in which another NIC is active. No NIC sees what the
 * other one gets, so none can copy, and the network has to be told of each change between the two.
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

#include "teaming_wiring.h"

#include <string.h>

#include "teaming_error.h"

/* A guest that ends takes its tap along; that it has ended is told a little later. */
#define VIR_TEAMING_PAIR_TAP_MS 3000

/* So many VLANs in one another; Linux itself allows eight links (MAX_NEST_DEV in
 * include/linux/netdevice.h). */
#define VIR_TEAMING_PAIR_LAYERS 8


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


/* Finds the link below the VLANs that @link is, if it is one. @vlan: set to the tag on the wire. */
static gboolean
virTeamingLinkDescend(virTeamingKernel *kernel,
                      const virTeamingLink *link,
                      virTeamingLink *ret,
                      guint *vlan)
{
    *ret = *link;
    *vlan = 0;
    for (guint i = 0; g_str_equal(ret->kind, "vlan"); i++) {
        const virTeamingLink upper = *ret;

        *vlan = upper.vlan;
        if (i == VIR_TEAMING_PAIR_LAYERS ||
            !virTeamingKernelLinkGet(kernel, upper.lower, ret, NULL))
            return FALSE;
    }
    return TRUE;
}


/* Is @link a NIC that has VFs? Where a pair has none yet, it will get it from such a one. */
static gboolean
virTeamingLinkHasVfs(virTeamingKernel *kernel,
                     const virTeamingLink *link)
{
    virTeamingPciAddress address;
    virTeamingPciDevice device;

    return virTeamingPciAddressParse(link->pci, &address) &&
        virTeamingKernelPciGetDevice(kernel, &address, &device, NULL) &&
        (device.vfsTotal > 0 || device.physfn[0]);
}


/* Is @link the NIC of which @pf is the PF; or, if no PF is known yet, one that may be? */
static gboolean
virTeamingLinkMayBeOfPf(virTeamingKernel *kernel,
                        const virTeamingLink *link,
                        const char *pf)
{
    return pf[0] ? virTeamingLinkIsOfPf(kernel, link, pf) : virTeamingLinkHasVfs(kernel, link);
}


/* Finds the port of @bond that is the NIC of which @pf is the PF. @shared: set to whether there
 * are others that receive. To list all links takes a while, so it is done only if it must be. */
static gboolean
virTeamingBondFindPort(virTeamingKernel *kernel,
                       const virTeamingLink *bond,
                       const char *pf,
                       virTeamingLink *ret,
                       gboolean *shared)
{
    g_autoptr(GArray) links = NULL;
    gboolean found = pf[0] && virTeamingKernelLinkGet(kernel, pf, ret, NULL) &&
        g_str_equal(ret->master, bond->name);

    *shared = FALSE;
    if (!found || bond->spreads)
        links = virTeamingKernelLinkList(kernel, NULL);
    for (guint i = 0; links && i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);

        if (!g_str_equal(link->master, bond->name))
            continue;
        if (virTeamingLinkMayBeOfPf(kernel, link, pf)) {
            *ret = *link;
            found = TRUE;
        } else if (bond->spreads && link->up && link->running) {
            *shared = TRUE;
        }
    }
    return found;
}


/**
 * virTeamingPairObjTrace:
 * @pair: a pair of which is filled what stands under its uplink
 * @kernel: the host
 * @uplink: that, or what may become it
 *
 * Returns: whether a NIC is there, the VF's or another (@pair->foreign); if it has no VF yet, one
 *          that has VFs, or another.
 */
static gboolean
virTeamingPairObjTrace(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       const virTeamingLink *uplink)
{
    virTeamingLink bottom;
    virTeamingLink nic;
    gboolean isBond;
    gboolean found;
    gboolean shared = FALSE;

    pair->onVf = pair->foreign = pair->apart = pair->spreads = FALSE;
    if (!virTeamingLinkDescend(kernel, uplink, &bottom, &pair->uplinkVlan))
        return FALSE;
    isBond = g_str_equal(bottom.kind, "bond");
    nic = bottom;
    found = isBond ? virTeamingBondFindPort(kernel, &bottom, pair->pf, &nic, &shared) :
        virTeamingLinkMayBeOfPf(kernel, &bottom, pair->pf);
    if (!found && !isBond && bottom.kind[0])
        return FALSE;

    g_strlcpy(pair->bottom, bottom.name, sizeof(pair->bottom));
    g_strlcpy(pair->wireNic, isBond && bottom.active[0] ? bottom.active : nic.name,
              sizeof(pair->wireNic));
    pair->onVf = found && pair->pf[0] && !g_str_equal(nic.name, pair->pf);
    pair->foreign = !found;
    pair->apart = pair->pf[0] && (pair->foreign || !g_str_equal(pair->wireNic, nic.name));
    pair->spreads = found && pair->pf[0] && shared;
    return TRUE;
}


/* The PF may have been renamed, or be back after its driver was away; its VF's PCI address
 * is the same. Returns: whether the VF is there. */
gboolean
virTeamingPairObjFollowPf(virTeamingPairObj *pair,
                          virTeamingKernel *kernel)
{
    char pf[IF_NAMESIZE];
    guint index;

    if (!pair->pf[0] || !virTeamingKernelVfLocate(kernel, &pair->vf, pf, &index, NULL))
        return FALSE;
    g_strlcpy(pair->pf, pf, sizeof(pair->pf));
    pair->vfIndex = index;
    return TRUE;
}


/* virTeamingKernelLinkGet(); that there is none is no @error. */
static gboolean
virTeamingLinkFind(virTeamingKernel *kernel,
                   const char *name,
                   virTeamingLink *ret,
                   GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!name[0])
        return FALSE;
    if (virTeamingKernelLinkGet(kernel, name, ret, &reason))
        return TRUE;
    if (!g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
}


/* Is @link the tap that libvirt made for @pair's standby? It makes its MAC of the guest's, with
 * another first byte. */
static gboolean
virTeamingLinkIsTapOf(const virTeamingLink *link,
                      const virTeamingPairObj *pair)
{
    virTeamingMac mac = pair->mac;

    mac.addr[0] = mac.addr[0] == 0xfe ? 0xfa : 0xfe;
    return g_str_equal(link->kind, "tun") && virTeamingMacEqual(&link->mac, &mac);
}


/* The standby's tap, whatever its name. */
static gboolean
virTeamingPairObjSearchTap(const virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           virTeamingLink *ret,
                           GError **error)
{
    g_autoptr(GArray) links = virTeamingKernelLinkList(kernel, error);

    for (guint i = 0; links && i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);

        if (virTeamingLinkIsTapOf(link, pair)) {
            *ret = *link;
            return TRUE;
        }
    }
    return FALSE;
}


/* The standby's tap, by the name that libvirt gave it unless somebody has renamed it; then
 * that name may even be another's. That there is none is no @error. */
gboolean
virTeamingPairObjFindTap(const virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         virTeamingLink *ret,
                         GError **error)
{
    g_autoptr(GError) reason = NULL;
    const gboolean named = virTeamingLinkFind(kernel, pair->tap, ret, &reason);

    if (named && (virTeamingLinkIsTapOf(ret, pair) || !g_str_equal(ret->kind, "tun")))
        return TRUE;
    if (!reason && pair->tap[0] && virTeamingPairObjSearchTap(pair, kernel, ret, &reason))
        return TRUE;
    if (reason)
        g_propagate_error(error, g_steal_pointer(&reason));
    /* One whose MAC was set by somebody else. */
    return !reason && named;
}


/* Is there a Linux bridge @name (not a bond, not an OVS)? @known is one that is. */
gboolean
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
    return pair->traits.keepsVfMacs && pair->onVf;
}


/* Takes the MAC from the uplink's own list. From a VF that can't do that, the PF can take it
 * over, and drop it, which is needed only when the guest is no longer here: until then both
 * may have it. The uplink's list comes last, so that a crash in between is made up for. */
gboolean
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


/* Takes what we put on an uplink away from it, before another becomes the uplink. Returns: FALSE
 * if what there is could not be listed. */
static gboolean
virTeamingPairObjLeaveUplink(virTeamingPairObj *pair,
                             virTeamingKernel *kernel,
                             GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GArray) entries = virTeamingKernelFdbList(kernel, pair->uplink, &pair->mac,
                                                        &reason);
    virTeamingLink uplink;

    if (!entries && !g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (virTeamingKernelLinkGet(kernel, pair->uplink, &uplink, NULL))
        virTeamingPairObjTrace(pair, kernel, &uplink);
    if (pair->selfAdded && virTeamingPairObjCloseUplink(pair, kernel, NULL))
        pair->selfAdded = FALSE;
    for (guint i = 0; pair->fdbAdded && entries && i < entries->len; i++) {
        const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, i);

        if (entry->flags & VIR_TEAMING_FDB_STICKY)
            virTeamingKernelFdbDel(kernel, entry, NULL);
    }
    return TRUE;
}


/* Among @links, finds the port by which the bridge that @tap is in reaches the wire: one above the
 * VF's NIC, or else the only one above another, unless it was the VF's before: that was taken
 * away, and the other need not lead to the same network. Before there is a tap, the only one above
 * the VF's NIC, in whichever bridge. Returns: (nullable): that one. */
static const virTeamingLink *
virTeamingPairObjChooseUplink(virTeamingPairObj *pair,
                              virTeamingKernel *kernel,
                              const virTeamingLink *tap,
                              const GArray *links)
{
    const virTeamingLink *own = NULL;
    const virTeamingLink *other = NULL;
    guint owns = 0;
    guint others = 0;

    for (guint i = 0; i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);

        if (!virTeamingLinkIsBridge(kernel, link->master, tap ? tap->master : "") ||
            (tap && !g_str_equal(link->master, tap->master)) ||
            !virTeamingPairObjTrace(pair, kernel, link))
            continue;
        if (pair->foreign) {
            other = link;
            others++;
        } else if (!owns++) {
            own = link;
        }
    }
    if (own && (tap || owns == 1))
        return own;
    return tap && others == 1 && !pair->hadUplink ? other : NULL;
}


/**
 * virTeamingPairObjResolve:
 * @pair: the pair
 * @kernel: the host
 * @tap: its standby; NULL: it is not made yet, or in nothing yet
 * @error: set to what the kernel said
 *
 * Finds the bridge and its uplink, by the standby's tap or, before libvirt has made
 * that, by the VF's PF. A pair that came here on its standby never had a VF here: a NIC in
 * the bridge it is. What is still true of the last time is kept. The uplink of a macvtap is what
 * it sits on.
 */
gboolean
virTeamingPairObjResolve(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         const virTeamingLink *tap,
                         GError **error)
{
    g_autoptr(GArray) links = NULL;
    g_autoptr(GError) reason = NULL;
    const virTeamingLink *chosen = NULL;
    virTeamingLink uplink;
    virTeamingLink former;
    const gboolean elsewhere = tap && !pair->macvtap && !pair->bridged;
    gboolean holds = FALSE;

    if (virTeamingLinkFind(kernel, pair->uplink, &uplink, &reason))
        holds = virTeamingPairObjTrace(pair, kernel, &uplink) && !elsewhere &&
            (pair->macvtap ? g_str_equal(uplink.name, tap->lower) :
             uplink.master[0] && (!tap || g_str_equal(uplink.master, tap->master)));
    if (reason) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (holds && g_str_equal(pair->uplinkFor, pair->pf)) {
        g_strlcpy(pair->bridge, pair->macvtap ? "" : uplink.master, sizeof(pair->bridge));
        return TRUE;
    }

    /* A PF that was renamed is none of another NIC. */
    virTeamingPairObjFollowPf(pair, kernel);
    if (pair->hadUplink && !g_str_equal(pair->uplinkFor, pair->pf) &&
        virTeamingKernelLinkGet(kernel, pair->uplinkFor, &former, NULL))
        pair->hadUplink = FALSE;
    if (pair->macvtap) {
        chosen = virTeamingKernelLinkGet(kernel, tap->lower, &uplink, NULL) ? &uplink : NULL;
    } else if (!elsewhere && (pair->pf[0] || tap)) {
        if (!(links = virTeamingKernelLinkList(kernel, error)))
            return FALSE;
        chosen = virTeamingPairObjChooseUplink(pair, kernel, tap, links);
    }
    if (pair->uplink[0] && (!holds || !chosen || !g_str_equal(chosen->name, pair->uplink)) &&
        !virTeamingPairObjLeaveUplink(pair, kernel, error))
        return FALSE;
    g_strlcpy(pair->uplinkFor, pair->pf, sizeof(pair->uplinkFor));
    if (!chosen || !virTeamingPairObjTrace(pair, kernel, chosen)) {
        pair->uplink[0] = pair->bottom[0] = pair->bridge[0] = '\0';
        pair->foreign = pair->apart = pair->spreads = FALSE;
        return TRUE;
    }
    pair->hadUplink |= pair->pf[0] && !pair->foreign;
    g_strlcpy(pair->uplink, chosen->name, sizeof(pair->uplink));
    g_strlcpy(pair->bridge, pair->macvtap ? "" : chosen->master, sizeof(pair->bridge));
    return TRUE;
}


/**
 * virTeamingPairObjSearch:
 * @pair: a pair of which only the MAC is known, and that all may have to be undone
 * @kernel: the host
 *
 * Finds on the host what a damaged journal would have said: whether the guest is here, its
 * VF unless that has no MAC, and on which uplink there is something of ours.
 */
void
virTeamingPairObjSearch(virTeamingPairObj *pair,
                        virTeamingKernel *kernel)
{
    g_autoptr(GArray) links = virTeamingKernelLinkList(kernel, NULL);
    virTeamingLink tap;

    pair->started = TRUE;
    pair->negotiated = TRUE;
    if (virTeamingPairObjSearchTap(pair, kernel, &tap, NULL)) {
        pair->guest = VIR_TEAMING_GUEST_HERE;
        g_strlcpy(pair->tap, tap.name, sizeof(pair->tap));
    }
    for (guint i = 0; links && i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);
        g_autoptr(GArray) entries = NULL;
        virTeamingVf vf;

        if (link->pci[0] && !pair->hasVf &&
            virTeamingKernelVfFind(kernel, link->name, &pair->mac, &vf, NULL))
            virTeamingPairObjSetVf(pair, kernel, &vf.address);
        /* What is set on a bond, its ports have, too. */
        if (pair->uplink[0] || !virTeamingLinkIsBridge(kernel, link->master, "") ||
            !virTeamingPairObjTrace(pair, kernel, link) ||
            !(entries = virTeamingKernelFdbList(kernel, link->name, &pair->mac, NULL)))
            continue;
        for (guint j = 0; j < entries->len; j++) {
            const virTeamingFdbEntry *entry = &g_array_index(entries, virTeamingFdbEntry, j);

            if (entry->flags & (VIR_TEAMING_FDB_SELF | VIR_TEAMING_FDB_STICKY))
                g_strlcpy(pair->uplink, link->name, sizeof(pair->uplink));
        }
    }
}


/**
 * virTeamingPairObjTakeUp:
 * @pair: a pair as the journal has it
 * @kernel: the host
 *
 * Finds it on the host as that is now.
 */
void
virTeamingPairObjTakeUp(virTeamingPairObj *pair,
                        virTeamingKernel *kernel)
{
    const virTeamingPciAddress vf = pair->vf;

    if (!pair->journalled) {
        virTeamingPairObjSearch(pair, kernel);
    } else if (pair->hasVf) {
        /* Numbers and names may have changed; the PCI address has not. */
        pair->hasVf = FALSE;
        virTeamingPairObjSetVf(pair, kernel, &vf);
    }
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

    if (!pair->uplink[0])
        return g_strdup("no uplink: the NIC's filter for the VF is all that is set");
    if (pair->macvtap)
        g_string_append_printf(text, "macvtap on %s", pair->uplink);
    else
        g_string_append_printf(text, "bridge %s, uplink %s", pair->bridge, pair->uplink);
    if (!g_str_equal(pair->wireNic, pair->uplink))
        g_string_append_printf(text, " over %s", pair->wireNic);
    if (pair->apart)
        g_string_append_printf(text, " (%s, not the NIC of the VF)",
                               pair->foreign ? "always" : "now");
    if (virTeamingPairObjUplinkKeeps(pair))
        g_string_append(text, " (a VF whose list of MACs fills up with every change, for its "
                        "driver can't clear it: better put the PF there)");
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


/**
 * virTeamingPairObjLookVlans:
 * @pair: the pair, resolved
 * @kernel: the host
 * @bridge: its bridge, or ""
 * @error: set to what the kernel said
 *
 * Finds in which VLANs the bridge needs entries: 0, if it filters none; else those that both
 * tap and uplink are in. And how they leave by the uplink.
 */
gboolean
virTeamingPairObjLookVlans(virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           const char *bridge,
                           GError **error)
{
    const guint16 none = 0;
    virTeamingLink link = { .vlanFiltering = FALSE };
    g_autoptr(GArray) ofTap = NULL;
    g_autoptr(GArray) ofUplink = NULL;

    g_array_set_size(pair->vlans, 0);
    g_array_set_size(pair->tags, 0);
    pair->cutOff = FALSE;
    pair->filtersVlans = bridge[0] && virTeamingKernelLinkGet(kernel, bridge, &link, NULL) &&
        link.vlanFiltering;
    if (!pair->filtersVlans) {
        g_array_append_val(pair->vlans, none);
        g_array_append_val(pair->tags, none);
        return TRUE;
    }
    if (!pair->bridged)
        return TRUE;
    if (!(ofTap = virTeamingKernelVlanList(kernel, pair->tap, error)) ||
        (pair->uplink[0] && !(ofUplink = virTeamingKernelVlanList(kernel, pair->uplink, error))))
        return FALSE;
    if (!ofUplink)
        ofUplink = g_array_ref(ofTap);
    for (guint i = 0, j = 0; i < ofTap->len && j < ofUplink->len;) {
        const guint16 a = g_array_index(ofTap, virTeamingPortVlan, i).id;
        const virTeamingPortVlan b = g_array_index(ofUplink, virTeamingPortVlan, j);

        if (a == b.id) {
            g_array_append_val(pair->vlans, b.id);
            g_array_append_val(pair->tags, b.tag);
        }
        i += a <= b.id;
        j += b.id <= a;
    }
    pair->cutOff = pair->vlans->len == 0 && pair->uplink[0];
    return TRUE;
}


/* Why the two ways to a guest that runs here are not in one network, for people, as far as this
 * host can tell; NULL if they are. @pair: of which the VF and the VLANs have been looked at. A
 * guest whose VF is in none may be a trunk. */
char *
virTeamingPairObjFindSplit(const virTeamingPairObj *pair)
{
    gboolean joined = pair->vfVlan == pair->uplinkVlan;
    g_autofree char *vf = NULL;
    g_autofree char *uplink = NULL;

    if (pair->guest != VIR_TEAMING_GUEST_HERE || !pair->uplink[0])
        return NULL;
    if (pair->filtersVlans)
        joined = pair->uplinkVlan || !pair->vfVlan || pair->tags->len == 0;
    for (guint i = 0; pair->filtersVlans && !joined && i < pair->tags->len; i++)
        joined = g_array_index(pair->tags, guint16, i) == pair->vfVlan;
    if (joined || pair->foreign)
        return NULL;
    vf = pair->vfVlan ? g_strdup_printf("in VLAN %u", pair->vfVlan) : g_strdup("in no VLAN");
    uplink = pair->filtersVlans ? g_strdup("not in that") :
        pair->uplinkVlan ? g_strdup_printf("in VLAN %u", pair->uplinkVlan) :
        g_strdup("in none");
    return g_strdup_printf("the VF is %s, and the standby's uplink '%s' %s: they are not in one "
                           "network; see <vlan> of the VF's interface or network", vf,
                           pair->uplink, uplink);
}


/* What keeps the network's frames from the VF, though not from the standby, for people; NULL if
 * nothing does. */
char *
virTeamingPairObjFindRemark(const virTeamingPairObj *pair)
{
    if (pair->guest != VIR_TEAMING_GUEST_HERE || !pair->uplink[0] || !pair->spreads)
        return NULL;
    return g_strdup_printf("the bond '%s' uses all its ports, and what the network sends by others "
                           "than %s's does not reach the VF; let it use one at a time (mode "
                           "active-backup)", pair->bottom, pair->pf);
}


/* What the host lacks for a guest that runs here to be seen, and to be reached by its
 * standby, for people; NULL if nothing. @tap: NULL if it is not there. */
char *
virTeamingPairObjFindLack(const virTeamingPairObj *pair,
                          virTeamingKernel *kernel,
                          const virTeamingLink *tap)
{
    g_autoptr(GError) error = NULL;
    virTeamingLink uplink;
    char pf[IF_NAMESIZE];
    guint index;

    if (pair->sought && !virTeamingKernelVfLocate(kernel, &pair->vf, pf, &index, &error))
        return g_strdup_printf("nothing is done about the guest's VF: %s", error->message);
    if (pair->hasVf && pair->pciProblem && pair->guest != VIR_TEAMING_GUEST_GONE)
        return g_strdup_printf("whether the guest reads its VF is not known: %s",
                               pair->pciProblem);
    if (pair->guest != VIR_TEAMING_GUEST_HERE || !pair->tap[0])
        return NULL;
    if (!tap)
        return g_get_monotonic_time() - pair->tapGoneAt < VIR_TEAMING_PAIR_TAP_MS * 1000 ? NULL :
            g_strdup_printf("the standby's tap '%s' is not there: the guest has no path but its "
                            "VF", pair->tap);
    /* What other switches (Open vSwitch) do with it, nobody knows here. */
    if (!pair->bridged)
        return g_str_equal(tap->kind, "tun") && !tap->master[0] ?
            g_strdup_printf("the standby's tap '%s' is in no bridge: the guest has no path but "
                            "its VF", pair->tap) : NULL;
    if (!tap->up)
        return g_strdup_printf("the standby's tap '%s' is down", pair->tap);
    if (!pair->uplink[0])
        return pair->pf[0] ?
            g_strdup_printf("bridge '%s' has no uplink of %s's NIC: what comes from the wire does "
                            "not reach the guest's standby", tap->master, pair->pf) : NULL;
    if (virTeamingKernelLinkGet(kernel, pair->uplink, &uplink, NULL) &&
        !(uplink.up && uplink.running))
        return g_strdup_printf("uplink '%s' of bridge '%s' %s", pair->uplink, tap->master,
                               uplink.up ? "has no carrier" : "is down");
    return NULL;
}
