/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_release.c: a host is left to stock libvirt
 */

/*
 * Theory of operation
 *
 * While a daemon may come back, what it did for guests that run stays. When the package is removed,
 * nobody will: an entry that pins a guest to its VF would cut it off in its next migration. So
 * what the journal names is taken back, without libvirt, and guests have what it alone would have
 * given them. As everywhere, what is wanted is written down, and the sequencer finds the steps.
 */

#include "teaming_release.h"

#include "nic_traits.h"
#include "teaming_datapath.h"
#include "teaming_journal.h"
#include "teaming_wiring.h"


/* What should be of a pair on this host when nobody looks after it: what stock libvirt would have
 * it. The VF of a guest that is here has its MAC; what reads it or not is the guest's affair. */
static virTeamingDatapath
virTeamingPairObjStock(const virTeamingPairObj *pair)
{
    virTeamingDatapath want = {
        .fdb = VIR_TEAMING_FDB_FORGET,
        .learning = TRUE,
        .flooding = TRUE,
        .wire = VIR_TEAMING_WIRE_KEEP,
    };

    /* One that is not in a guest's hands is libvirt's: only our VLAN is not. */
    want.vf = !pair->hasVf ? VIR_TEAMING_VF_KEEP :
        pair->guest == VIR_TEAMING_GUEST_HERE && virTeamingPciDriverIsVfio(pair->pci.driver) ?
        VIR_TEAMING_VF_PAIR : VIR_TEAMING_VF_FORGET;
    /* Linux has a macvtap's MAC in the filter of what it sits on. */
    if (pair->guest == VIR_TEAMING_GUEST_HERE && pair->macvtap) {
        want.fdb = VIR_TEAMING_FDB_STANDBY;
        want.self = TRUE;
    }
    return want;
}


/* Takes all back that was done for @pair, as the journal has it. */
static gboolean
virTeamingPairObjRelease(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         GError **error)
{
    virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
    g_autoptr(GArray) entries = NULL;
    g_autoptr(GString) steps = g_string_new(NULL);
    virTeamingDatapath desired;
    virTeamingDatapath actual;
    virTeamingLink tap;
    gboolean released;
    guint nsteps;

    virTeamingPairObjTakeUp(pair, kernel);
    virTeamingPairObjLetGo(pair, kernel);
    pair->guest = virTeamingPairObjIsHere(pair, kernel) ?
        VIR_TEAMING_GUEST_HERE : VIR_TEAMING_GUEST_GONE;
    pair->macvtap = virTeamingPairObjFindTap(pair, kernel, &tap, NULL) &&
        g_str_equal(tap.kind, "macvtap");
    if (pair->hasVf && !virTeamingKernelPciGetState(kernel, &pair->vf, &pair->pci, NULL))
        pair->pci.driver[0] = '\0';
    /* How an entry goes from the uplink's filter depends on the NIC. */
    if (pair->hasVf)
        virTeamingNicTraitsFind(kernel, pair->pf, NULL, &pair->traits);

    desired = virTeamingPairObjStock(pair);
    if (!virTeamingPairObjLook(pair, kernel, &desired, &entries, &actual, error))
        return FALSE;
    /* With another MAC it may be another guest's. */
    if (actual.vf == VIR_TEAMING_VF_OTHER)
        desired.vf = VIR_TEAMING_VF_KEEP;
    nsteps = virTeamingFailoverPlan(&actual, &desired, plan);
    released = virTeamingPairObjTakePlan(pair, kernel, plan, nsteps, entries, steps, error);
    if (pair->guest == VIR_TEAMING_GUEST_GONE)
        virTeamingPairObjGiveMacBack(pair, kernel);
    g_message("domain '%s', %s: released: %s", pair->domain, pair->standbyAlias,
              nsteps ? steps->str : "nothing to take back");
    return released;
}


/**
 * virTeamingPairsRelease:
 * @kernel: the host
 * @statedir: directory of the journal; no driver may use it
 * @error: set to what could not be taken back first
 *
 * Leaves the host as if there had never been a driver: what was done for guests that have gone
 * is undone, and guests that run here have what stock libvirt would have given them. What it has
 * released it forgets; the journal of the rest stays.
 *
 * Returns: whether nothing is left.
 */
gboolean
virTeamingPairsRelease(virTeamingKernel *kernel,
                       const char *statedir,
                       GError **error)
{
    g_autoptr(GPtrArray) pairs = virTeamingJournalLoad(statedir, error);
    g_autoptr(GError) first = NULL;

    if (!pairs)
        return FALSE;
    for (guint i = 0; i < pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(pairs, i);
        g_autoptr(GError) reason = NULL;

        if (virTeamingPairObjRelease(pair, kernel, &reason) &&
            virTeamingJournalRemove(pair, statedir, &reason))
            continue;
        g_warning("domain '%s', %s: %s", pair->domain, pair->standbyAlias, reason->message);
        if (!first)
            first = g_steal_pointer(&reason);
    }
    if (!first)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}
