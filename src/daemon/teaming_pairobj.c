/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_pairobj.c: one failover pair on this host: what we know of it, what we did for it
 */

/*
 * Theory of operation
 *
 * Settling a pair is one motion: look at the kernel, ask the sequencer what should be,
 * journal what is about to be done, do it. It is called whenever something may have
 * changed on the host, and costs a dozen netlink requests when nothing has; so what is told of
 * the pair is first held against what was wanted of the host last. A daemon that starts again
 * after a crash has only to settle each journalled pair once more.
 *
 * There are two other ways in which the host is changed, where a look at it first would take too
 * long: parking the VF of a guest that arrives, and hurrying, while a guest is stopped. Each takes
 * steps that settling would take, and settling follows.
 *
 * Glancing is the cheap part of looking, done every few milliseconds around a change:
 * the VF's Bus Master Enable bit and its vectors.
 */

#include "teaming_pairobj.h"

#include <string.h>
#include <unistd.h>

#include "nic_traits.h"
#include "teaming_datapath.h"
#include "teaming_error.h"
#include "teaming_journal.h"
#include "teaming_wiring.h"

#define VIR_TEAMING_PAIR_RETRY_MS 1000
#define VIR_TEAMING_PAIR_REREAD_MS 500


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
    pair->ear = -1;
    pair->wire = VIR_TEAMING_WIRE_HERE;
    virTeamingPolicyInit(&pair->policy);
    g_queue_init(&pair->history);
    pair->vlans = g_array_new(FALSE, FALSE, sizeof(guint16));
    pair->tags = g_array_new(FALSE, FALSE, sizeof(guint16));
    return pair;
}


static gpointer
virTeamingPairObjCloseEar(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
    return NULL;
}


/* Stops listening to the other host. Linux takes its time to close what listens, when the guest
 * may have just begun to run; nobody need wait for it. */
void
virTeamingPairObjUnlisten(virTeamingPairObj *pair)
{
    GThread *thread;

    g_clear_handle_id(&pair->earSource, g_source_remove);
    if (pair->ear < 0)
        return;
    if ((thread = g_thread_try_new("close", virTeamingPairObjCloseEar,
                                   GINT_TO_POINTER(pair->ear), NULL)))
        g_thread_unref(thread);
    else
        close(pair->ear);
    pair->ear = -1;
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
    g_free(pair->noteProblem);
    g_free(pair->findings);
    g_free(pair->aborted);
    g_free(pair->unhideProblem);
    g_free(pair->pciProblem);
    g_free(pair->problem);
    g_free(pair->lack);
    g_free(pair->remark);
    g_array_unref(pair->vlans);
    g_array_unref(pair->tags);
    g_queue_clear_full(&pair->history, (GDestroyNotify)virTeamingPairChangeFree);
    if (pair->holdFd >= 0)
        close(pair->holdFd);
    virTeamingPairObjUnlisten(pair);
    virTeamingPciHandleFree(pair->pciHandle);
    g_free(pair);
}


/* The guest's VF is at @address. If it is another one than before, so is its VLAN: that in which it
 * was caught, or one that is not known yet. */
static void
virTeamingPairObjTakeAddress(virTeamingPairObj *pair,
                             const virTeamingPciAddress *address)
{
    if (pair->hasCaught && virTeamingPciAddressEqual(&pair->caught, address)) {
        pair->vfVlan = pair->caughtVlan;
        pair->vfQos = pair->caughtQos;
        pair->vfService = pair->caughtService;
    } else if (!virTeamingPciAddressEqual(&pair->vf, address)) {
        pair->vfVlan = pair->vfQos = 0;
        pair->vfService = FALSE;
    }
    pair->vf = *address;
}


static void
virTeamingPairObjAdoptVf(virTeamingPairObj *pair,
                         const virTeamingPciAddress *address)
{
    virTeamingPairObjTakeAddress(pair, address);
    pair->hasVf = TRUE;
    pair->sought = FALSE;
    pair->stale = TRUE;
    pair->traitsKnown = FALSE;
    pair->pci = (virTeamingPciState) { .driver = "" };
    pair->masterSince = 0;
    pair->readySince = 0;
    g_clear_pointer(&pair->pciHandle, virTeamingPciHandleFree);
}


/* What libvirt calls the standby's tap; NULL: it has not told. */
void
virTeamingPairObjSetTap(virTeamingPairObj *pair,
                        const char *name)
{
    if (!name || g_str_equal(name, pair->tap))
        return;
    g_strlcpy(pair->tap, name, sizeof(pair->tap));
    pair->stale = TRUE;
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
    virTeamingPciDevice device;

    if (pair->hasVf && virTeamingPciAddressEqual(&pair->vf, address))
        return;
    virTeamingPairObjForgetVf(pair);
    if (virTeamingKernelVfLocate(kernel, address, pair->pf, &pair->vfIndex, NULL)) {
        virTeamingPairObjAdoptVf(pair, address);
    } else if (!virTeamingKernelPciGetDevice(kernel, address, &device, NULL) ||
               device.physfn[0]) {
        virTeamingPairObjTakeAddress(pair, address);
        pair->sought = TRUE;
    }
}


/**
 * virTeamingPairObjForgetVf:
 * @pair: a pair whose VF libvirt has plugged, or tried to
 *
 * From a pool it need not be the one that the guest had, and that one may be somebody else's
 * by now. Which it is, libvirt has to be asked.
 */
void
virTeamingPairObjForgetVf(virTeamingPairObj *pair)
{
    pair->hasVf = FALSE;
    pair->sought = FALSE;
}


/* Has another guest than @pair's the VF at @address, as far as one can tell? One that drives it has;
 * and before @pair's is here so has one whose QEMU has opened it. One that can't be looked at may be
 * had. */
static gboolean
virTeamingPairObjIsOfAnother(const virTeamingPairObj *pair,
                             virTeamingKernel *kernel,
                             const virTeamingPciAddress *address)
{
    g_autoptr(GError) error = NULL;
    virTeamingPciState pci;

    if (!virTeamingKernelPciGetState(kernel, address, &pci, &error))
        return g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY);
    return virTeamingPciDriverIsVfio(pci.driver) &&
        (pci.busMaster || (pair->guest == VIR_TEAMING_GUEST_INCOMING && pci.enabled));
}


/* Finds the VF of @pf that libvirt has given @pair's MAC, for it to be plugged. One that a guest has
 * already is another's, in another network. */
static gboolean
virTeamingPairObjFindGiven(const virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           const char *pf,
                           virTeamingVf *ret)
{
    g_autoptr(GArray) vfs = NULL;

    if (!virTeamingKernelVfFind(kernel, pf, &pair->mac, ret, NULL))
        return FALSE;
    if (!virTeamingPairObjIsOfAnother(pair, kernel, &ret->address))
        return TRUE;
    vfs = virTeamingKernelVfList(kernel, pf, NULL);
    for (guint i = 0; vfs && i < vfs->len; i++) {
        *ret = g_array_index(vfs, virTeamingVf, i);
        if (virTeamingMacEqual(&ret->mac, &pair->mac) &&
            !virTeamingPairObjIsOfAnother(pair, kernel, &ret->address))
            return TRUE;
    }
    return FALSE;
}


/**
 * virTeamingPairObjLocateVf:
 * @pair: a pair whose VF is not known yet, and which its guest does not drive yet
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
    virTeamingVf vf;

    if (!virTeamingPairObjFindGiven(pair, kernel, pf, &vf))
        return FALSE;
    g_strlcpy(pair->pf, pf, sizeof(pair->pf));
    pair->vfIndex = vf.index;
    virTeamingPairObjAdoptVf(pair, &vf.address);
    return TRUE;
}


/* Which NIC is it, and what does that one do? Asked once for each VF. */
static void
virTeamingPairObjLearnTraits(virTeamingPairObj *pair,
                             virTeamingKernel *kernel)
{
    if (pair->hasVf && !pair->traitsKnown)
        pair->traitsKnown = virTeamingNicTraitsFind(kernel, pair->pf, NULL, &pair->traits);
}


/* Is there reason to read all of the VF's state? As cheap as one can ask: it is asked every
 * few milliseconds, and the answer is nearly always no. That another driver has the VF now
 * is not in its bits, and not urgent. */
static gboolean
virTeamingPairObjPciMoved(virTeamingPairObj *pair,
                          virTeamingKernel *kernel,
                          gint64 now)
{
    gboolean busMaster;
    guint vectors;

    if (!pair->hasVf)
        return pair->pci.driver[0] != '\0';
    if (now - pair->pciReadAt >= VIR_TEAMING_PAIR_REREAD_MS * 1000)
        return TRUE;
    if (!pair->pciHandle)
        pair->pciHandle = virTeamingKernelPciOpen(kernel, &pair->vf, NULL);
    if (pair->pciHandle &&
        virTeamingPciHandleRead(pair->pciHandle, &busMaster, &vectors, NULL))
        return busMaster != pair->pci.busMaster || vectors != pair->pci.vectors;
    /* Gone, or made anew under the same address. */
    g_clear_pointer(&pair->pciHandle, virTeamingPciHandleFree);
    return TRUE;
}


/**
 * virTeamingPairObjReadPci:
 *
 * Reads all of the VF's state. If it can't be asked now (too many files are open), what is known
 * of it stands; a VF that has gone, or does not answer, nobody reads.
 *
 * Returns: whether it differs from what was read last in a way that may matter.
 */
static gboolean
virTeamingPairObjReadPci(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         gint64 now)
{
    const virTeamingPciState before = pair->pci;
    const gboolean known = !pair->pciProblem;
    g_autoptr(GError) error = NULL;

    pair->pciReadAt = now;
    g_clear_pointer(&pair->pciProblem, g_free);
    pair->pci = (virTeamingPciState) { .driver = "" };
    if (pair->hasVf && !virTeamingKernelPciGetState(kernel, &pair->vf, &pair->pci, &error)) {
        pair->pciProblem = g_strdup(error->message);
        if (g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY))
            pair->pci = before;
    }
    /* While libvirt hands the VF over, the host's own driver may set the bit. */
    if (!virTeamingPciDriverIsVfio(pair->pci.driver)) {
        pair->pci.busMaster = FALSE;
        pair->pci.vectors = 0;
    }
    /* QEMU has given it back: what it asked of the guest is over and done with. What libvirt
     * asked stands. */
    if (pair->pci.busMaster && !before.busMaster && pair->phase != VIR_TEAMING_PHASE_LAST &&
        !pair->takenBack)
        pair->ejectLate = FALSE;
    return known != !pair->pciProblem || !g_str_equal(pair->pci.driver, before.driver) ||
        pair->pci.busMaster != before.busMaster ||
        (pair->pci.vectors > 0) != (before.vectors > 0) ||
        (pair->pci.vectors >= 2) != (before.vectors >= 2);
}


/* Since when the VF has been a bus master, and since when it has been read. */
static void
virTeamingPairObjKeepTime(virTeamingPairObj *pair,
                          gint64 now)
{
    virTeamingObserved seen;

    if (!pair->pci.busMaster)
        pair->masterSince = 0;
    else if (!pair->masterSince)
        pair->masterSince = now;

    virTeamingPairObjObserve(pair, now, &seen);
    if (!virTeamingFailoverReads(&seen))
        pair->readySince = 0;
    else if (!pair->readySince)
        pair->readySince = now;
}


/**
 * virTeamingPairObjGlance:
 * @pair: the pair
 * @kernel: the host
 * @now: monotonic microseconds
 *
 * Returns: whether the VF's bits have changed in a way that may matter, or the phase has
 *          with time.
 */
gboolean
virTeamingPairObjGlance(virTeamingPairObj *pair,
                        virTeamingKernel *kernel,
                        gint64 now)
{
    const gboolean changed = virTeamingPairObjPciMoved(pair, kernel, now) &&
        virTeamingPairObjReadPci(pair, kernel, now);
    virTeamingObserved seen;

    virTeamingPairObjKeepTime(pair, now);
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
        .handedOver = pair->heard == VIR_TEAMING_HEARD_STOPPED,
        .negotiated = pair->negotiated,
        .askedOut = pair->askedOut ||
            (pair->move == VIR_TEAMING_MOVE_OUT && !pair->unplugged),
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
        .apart = pair->apart,
        .traits = pair->traits,
    };
    /* To the PF, which is not where the standby's frames come by. */
    if (pair->apart)
        ret->traits.copies = FALSE;
}


/**
 * virTeamingPairObjIsAlone:
 *
 * Returns: whether @pair is a standby that has had no VF here, and of which nobody knows how
 *          it gets one.
 */
gboolean
virTeamingPairObjIsAlone(const virTeamingPairObj *pair)
{
    return !pair->hasVf && !pair->sought && !pair->unplugged && !pair->plugXml &&
        pair->move == VIR_TEAMING_MOVE_NONE;
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
    g_autoptr(GError) error = NULL;
    virTeamingLink tap;

    return pair->guest != VIR_TEAMING_GUEST_GONE &&
        (virTeamingPairObjFindTap(pair, kernel, &tap, &error) || error);
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
    const char *words[8] = { NULL };
    guint n = 0;

    if (pair->problem)
        words[n++] = pair->problem;
    if (pair->remark)
        words[n++] = pair->remark;
    if (pair->plugProblem)
        words[n++] = pair->plugProblem;
    if (pair->aborted)
        words[n++] = pair->aborted;
    if (pair->unhideProblem)
        words[n++] = pair->unhideProblem;
    if (pair->noteProblem)
        words[n++] = pair->noteProblem;
    if (pair->findings)
        words[n++] = pair->findings;
    return n ? g_strjoinv("; ", (char **)words) : NULL;
}


const char *
virTeamingMoveToString(virTeamingMove move)
{
    static const char *const names[VIR_TEAMING_MOVE_LAST] = {
        [VIR_TEAMING_MOVE_NONE] = "",
        [VIR_TEAMING_MOVE_OUT] = "to-standby",
        [VIR_TEAMING_MOVE_STANDBY] = "on-standby",
    };

    return names[move];
}


/**
 * virTeamingPairObjExplain:
 *
 * Returns: why @pair is in its phase, for a person.
 */
const char *
virTeamingPairObjExplain(const virTeamingPairObj *pair)
{
    if (pair->phase == VIR_TEAMING_PHASE_LAST)
        return "";
    if (pair->guest == VIR_TEAMING_GUEST_HERE) {
        if (pair->move == VIR_TEAMING_MOVE_STANDBY)
            return "moved here by 'virt-teaming move', until it is moved back to a VF";
        if (pair->move == VIR_TEAMING_MOVE_OUT)
            return "the guest was asked to let its VF go by 'virt-teaming move'";
        if (pair->hidden)
            return "QEMU keeps the VF back since a migration was taken back at its last step, "
                "and is made to show it again";
    }
    if (pair->unplugged)
        return pair->postcopy ?
            "the guest's VF is plugged by libvirt when all of the guest's memory has arrived" :
            "the guest's VF is about to be plugged by libvirt";
    return virTeamingPhaseExplain(pair->phase);
}


/* QEMU does not keep the VF back, or not any more. */
void
virTeamingPairObjUnhide(virTeamingPairObj *pair)
{
    pair->hidden = FALSE;
    pair->completed = FALSE;
    pair->unhides = 0;
    pair->unhideAt = 0;
    g_clear_pointer(&pair->unhideProblem, g_free);
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
 * @found: its VF was found this moment, and has the MAC
 *
 * The one step that can't wait for a look at all the rest: while the VF has the MAC of
 * a guest that runs elsewhere, what this host's peers send to the guest goes nowhere.
 * What fails here is found again, and reported, by virTeamingPairObjSettle().
 */
void
virTeamingPairObjPark(virTeamingPairObj *pair,
                      virTeamingKernel *kernel,
                      gboolean found)
{
    const virTeamingDatapath parked = { .vf = VIR_TEAMING_VF_ZERO };
    virTeamingVfFilter vf;

    if (pair->guest != VIR_TEAMING_GUEST_INCOMING || pair->negotiated ||
        pair->heard == VIR_TEAMING_HEARD_STOPPED || !pair->parked || !pair->hasVf ||
        pair->traits.answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] == VIR_TEAMING_ANSWER_NO ||
        (!found &&
         (!virTeamingPairObjLookVf(pair, kernel, &parked, &vf, NULL) || vf == parked.vf)) ||
        !virTeamingPairObjTake(pair, kernel, VIR_TEAMING_STEP_VF_ZERO, NULL, NULL))
        return;
    g_message("domain '%s', %s: %s at once", pair->domain, pair->standbyAlias,
              virTeamingStepToString(VIR_TEAMING_STEP_VF_ZERO));
}


/**
 * virTeamingPairObjCatch:
 * @pair: a pair whose guest may be given a VF: by us, or by its owner
 * @kernel: the host
 * @pf: a PF of which a VF may be it
 * @statedir: directory of the journal
 * @now: monotonic microseconds
 *
 * Between libvirt's giving a VF the MAC and its guest's driving it lie some 0.5 s or more, in
 * which a NIC that does not copy gives it the guest's frames. So that is parked at once. That it
 * is @pair's, libvirt says later; if it does not, virTeamingPairObjUncatch() lets go of it.
 */
void
virTeamingPairObjCatch(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       const char *pf,
                       const char *statedir,
                       gint64 now)
{
    virTeamingNicTraits traits;
    virTeamingVf vf;
    virTeamingObserved seen;

    if (pair->guest != VIR_TEAMING_GUEST_HERE || pair->move == VIR_TEAMING_MOVE_OUT ||
        (pair->hasVf && !pair->plugging) || pair->hasCaught ||
        pair->pci.busMaster || !virTeamingPairObjFindGiven(pair, kernel, pf, &vf) ||
        vf.vlan == VIR_TEAMING_PARK_VLAN ||
        virTeamingPciAddressEqual(&vf.address, &pair->spared) ||
        !virTeamingNicTraitsFind(kernel, pf, NULL, &traits))
        return;
    virTeamingPairObjObserve(pair, 0, &seen);
    seen.hasVf = TRUE;
    seen.unplugged = seen.busMaster = FALSE;
    seen.traits = traits;
    seen.traits.copies &= !pair->apart && !pair->foreign;
    if (virTeamingFailoverDesire(VIR_TEAMING_PHASE_SHOWN, &seen).vf != VIR_TEAMING_VF_VLAN)
        return;
    pair->parked = TRUE;
    pair->hasCaught = TRUE;
    pair->caught = vf.address;
    pair->caughtVlan = vf.vlan;
    pair->caughtQos = vf.qos;
    pair->caughtService = vf.serviceVlan;
    pair->caughtAt = now;
    virTeamingJournalSave(pair, statedir, NULL);
    if (!virTeamingKernelVfSetVlan(kernel, pf, vf.index, VIR_TEAMING_PARK_VLAN, 0, FALSE,
                                   NULL))
        return;
    virTeamingPairObjRemember(pair, pair->phase, virTeamingStepToString(VIR_TEAMING_STEP_VF_VLAN));
    g_message("domain '%s', %s: %s at once", pair->domain, pair->standbyAlias,
              virTeamingStepToString(VIR_TEAMING_STEP_VF_VLAN));
}


/* Lets go of a VF that was caught, if one is. It is not caught again. */
void
virTeamingPairObjLetGo(virTeamingPairObj *pair,
                       virTeamingKernel *kernel)
{
    char pf[IF_NAMESIZE];
    virTeamingVf vf;
    guint index;

    if (!pair->hasCaught)
        return;
    pair->hasCaught = FALSE;
    pair->spared = pair->caught;
    if (virTeamingKernelVfLocate(kernel, &pair->caught, pf, &index, NULL) &&
        virTeamingKernelVfGet(kernel, pf, index, &vf, NULL) &&
        vf.vlan == VIR_TEAMING_PARK_VLAN)
        virTeamingKernelVfSetVlan(kernel, pf, index, pair->caughtVlan, pair->caughtQos,
                                  pair->caughtService, NULL);
    if (!pair->hasVf)
        pair->parked = FALSE;
}


/* Lets go of a VF that was caught, if libvirt does not say within some time that it is @pair's. */
void
virTeamingPairObjUncatch(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         const char *statedir,
                         gint64 now)
{
    if (!pair->hasCaught)
        return;
    if (pair->hasVf && virTeamingPciAddressEqual(&pair->vf, &pair->caught))
        pair->hasCaught = FALSE;
    else if (!pair->plugging && now - pair->caughtAt >= VIR_TEAMING_PAIR_CAUGHT_MS * 1000)
        virTeamingPairObjLetGo(pair, kernel);
    else
        return;
    virTeamingJournalSave(pair, statedir, NULL);
}


/* Is @pair's guest stopped, or not here yet? Nobody drives its VF then. */
static gboolean
virTeamingPairObjIsStill(const virTeamingPairObj *pair)
{
    return pair->guest == VIR_TEAMING_GUEST_INCOMING || pair->guest == VIR_TEAMING_GUEST_DEPARTING;
}


/* Has @pair looked at when it is @due, if it was not to be sooner. */
void
virTeamingPairObjLookBy(virTeamingPairObj *pair,
                        gint64 due)
{
    if (!pair->lookAt || due < pair->lookAt)
        pair->lookAt = due;
}


/**
 * virTeamingPairObjKeep:
 * @pair: a pair that was told something, and is settled
 * @statedir: directory of the journal
 * @now: monotonic microseconds
 *
 * Journals what was told; when the guest does not wait for this host, if it does.
 */
void
virTeamingPairObjKeep(virTeamingPairObj *pair,
                      const char *statedir,
                      gint64 now)
{
    if (virTeamingPairObjIsStill(pair))
        virTeamingPairObjLookBy(pair, now + VIR_TEAMING_PAIR_ECHO_MS * 1000);
    else
        virTeamingJournalSave(pair, statedir, NULL);
}


/**
 * virTeamingPairObjIsSettled:
 * @pair: a pair that was told something
 * @kernel: the host
 * @now: monotonic microseconds
 *
 * Returns: whether what is known of @pair and its VF now wants of the host what it wanted when
 *          @pair was settled last. What others change on the host is not looked at.
 */
gboolean
virTeamingPairObjIsSettled(virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           gint64 now)
{
    /* What a guest does with its VF that is stopped was seen when it stopped. */
    const gboolean still = pair->guest == VIR_TEAMING_GUEST_INCOMING ||
        (pair->guest == VIR_TEAMING_GUEST_DEPARTING && pair->phase == VIR_TEAMING_PHASE_DEPARTED);
    const gboolean changed = !still && virTeamingPairObjGlance(pair, kernel, now);
    virTeamingObserved seen;
    virTeamingDatapath wanted;

    virTeamingPairObjObserve(pair, now, &seen);
    wanted = virTeamingFailoverDesire(virTeamingFailoverPhase(&seen), &seen);
    return !changed && !pair->stale && !pair->sought && !pair->hidden && !pair->problem &&
        !pair->tapGoneAt && memcmp(&wanted, &pair->wanted, sizeof(wanted)) == 0;
}


/* Keeps that the host is as @desired. Returns: whether that says all that there is to know: where
 * something is missing, or is not ours, it does not. */
static gboolean
virTeamingPairObjReached(virTeamingPairObj *pair,
                         const virTeamingDatapath *desired)
{
    pair->reached = *desired;
    return pair->bridged && pair->uplink[0] && pair->vlans->len > 0 &&
        (desired->fdb == VIR_TEAMING_FDB_STANDBY || desired->fdb == VIR_TEAMING_FDB_UPLINK ||
         desired->fdb == VIR_TEAMING_FDB_BOTH);
}


/* Which row of the table applies to @pair now. @desired: set to what it should be on this host. */
static virTeamingPhase
virTeamingPairObjWant(virTeamingPairObj *pair,
                      gint64 now,
                      virTeamingDatapath *desired)
{
    virTeamingObserved seen;
    virTeamingPhase phase;

    virTeamingPairObjObserve(pair, now, &seen);
    phase = virTeamingFailoverPhase(&seen);
    pair->wanted = *desired = virTeamingFailoverDesire(phase, &seen);
    /* A VF that is not in a guest's hands is libvirt's: it may have given it back. */
    if (pair->guest != VIR_TEAMING_GUEST_INCOMING && pair->guest != VIR_TEAMING_GUEST_GONE &&
        !virTeamingPciDriverIsVfio(pair->pci.driver))
        desired->vf = VIR_TEAMING_VF_KEEP;
    return phase;
}


/**
 * virTeamingPairObjIsRestless:
 *
 * Returns: whether @pair has changed so often that its guest must be playing with its VF. It is
 *          looked at less closely then, or the host would have no time for anything else. A guest
 *          that does so while its memory is copied ends its migration.
 */
gboolean
virTeamingPairObjIsRestless(const virTeamingPairObj *pair,
                            gint64 now)
{
    return pair->changes >= VIR_TEAMING_PAIR_CHANGES && !pair->migrating &&
        now - pair->changesSince < VIR_TEAMING_PAIR_CHANGES_MS * 1000;
}


/* Counts a change of @pair. */
static void
virTeamingPairObjCountChange(virTeamingPairObj *pair,
                             gint64 now)
{
    if (now - pair->changesSince >= VIR_TEAMING_PAIR_CHANGES_MS * 1000) {
        pair->changesSince = now;
        pair->changes = 0;
    }
    if (++pair->changes == VIR_TEAMING_PAIR_CHANGES)
        g_warning("domain '%s', %s: its VF comes and goes all the time; it is looked at less "
                  "closely until that is over", pair->domain, pair->standbyAlias);
}


/* Takes the steps of @plan, and keeps which in @pair's history. @phase: the row that wants them. */
static void
virTeamingPairObjTakeAll(virTeamingPairObj *pair,
                         virTeamingKernel *kernel,
                         virTeamingPhase phase,
                         const virTeamingStep *plan,
                         guint nsteps,
                         const GArray *entries,
                         gint64 now,
                         GError **error)
{
    g_autoptr(GString) steps = g_string_new(NULL);
    g_autoptr(GError) first = NULL;

    virTeamingPairObjTakePlan(pair, kernel, plan, nsteps, entries, steps, &first);
    if (nsteps > 0)
        pair->steppedAt = now;

    if (phase != pair->phase || (nsteps > 0 && !pair->problem)) {
        virTeamingPairObjRemember(pair, phase, steps->str);
        g_message("domain '%s', %s: %s%s%s%s%s", pair->domain, pair->standbyAlias,
                  pair->phase == VIR_TEAMING_PHASE_LAST ? "" :
                  virTeamingPhaseToString(pair->phase),
                  pair->phase == VIR_TEAMING_PHASE_LAST ? "" : " -> ",
                  virTeamingPhaseToString(phase), steps->len ? ": " : "", steps->str);
        pair->changedAt = now;
        virTeamingPairObjCountChange(pair, now);
    }
    pair->phase = phase;
    if (first)
        g_propagate_error(error, g_steal_pointer(&first));
}


/**
 * virTeamingPairObjHurry:
 * @pair: a pair that was told something of which it is not settled
 * @kernel: the host
 * @statedir: directory of the journal
 * @now: monotonic microseconds
 *
 * A guest that is stopped to run elsewhere waits for whatever the two hosts do meanwhile, and
 * to look at the host takes longer than to change it. So the steps are taken from what the host
 * was when @pair was settled last, and it is looked at VIR_TEAMING_PAIR_ECHO_MS later.
 *
 * Returns: FALSE if that is not possible, or has not worked: @pair is to be settled then.
 */
gboolean
virTeamingPairObjHurry(virTeamingPairObj *pair,
                       virTeamingKernel *kernel,
                       const char *statedir,
                       gint64 now)
{
    virTeamingDatapath desired;
    const virTeamingPhase phase = virTeamingPairObjWant(pair, now, &desired);
    virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
    g_autoptr(GArray) entries = NULL;
    g_autoptr(GError) error = NULL;
    guint nsteps;

    if (!pair->known || pair->stale || pair->problem || pair->pci.busMaster ||
        (phase != VIR_TEAMING_PHASE_LANDING && phase != VIR_TEAMING_PHASE_DEPARTED &&
         !(phase == VIR_TEAMING_PHASE_STANDBY && pair->phase == VIR_TEAMING_PHASE_LANDING)))
        return FALSE;

    pair->reached.wire = pair->wire;
    nsteps = virTeamingFailoverPlan(&pair->reached, &desired, plan);
    for (guint i = 0; i < nsteps; i++)
        virTeamingPairObjPromise(pair, plan[i]);
    if (!pair->foretold && !virTeamingJournalSave(pair, statedir, NULL))
        return FALSE;

    entries = virTeamingPairObjRecall(pair);
    virTeamingPairObjTakeAll(pair, kernel, phase, plan, nsteps, entries, now, &error);
    pair->known = !error && virTeamingPairObjReached(pair, &desired);
    virTeamingPairObjLookBy(pair, now + VIR_TEAMING_PAIR_ECHO_MS * 1000);
    return !error;
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
    virTeamingPhase phase;
    virTeamingDatapath desired;
    virTeamingDatapath actual;
    virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
    g_autoptr(GArray) entries = NULL;
    g_autofree char *fault = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) journalError = NULL;
    gboolean apart;
    guint nsteps;

    if (pair->sought) {
        const virTeamingPciAddress vf = pair->vf;

        virTeamingPairObjSetVf(pair, kernel, &vf);
    }
    pair->settledAt = now;
    pair->stale = FALSE;
    pair->known = FALSE;
    if (pair->againAt && pair->againAt <= now) {
        pair->againAt = 0;
        if (pair->guest == VIR_TEAMING_GUEST_HERE)
            pair->wire = VIR_TEAMING_WIRE_AWAY;
    }
    pair->lookAt = pair->againAt;
    virTeamingPairObjLearnTraits(pair, kernel);
    virTeamingPairObjReadPci(pair, kernel, now);
    virTeamingPairObjKeepTime(pair, now);
    phase = virTeamingPairObjWant(pair, now, &desired);

    apart = pair->apart;
    pair->blind = !virTeamingPairObjLook(pair, kernel, &desired, &entries, &actual, &error);
    if (!pair->blind && pair->apart != apart) {
        phase = virTeamingPairObjWant(pair, now, &desired);
        g_clear_pointer(&entries, g_array_unref);
        pair->blind = !virTeamingPairObjLook(pair, kernel, &desired, &entries, &actual, &error);
    }
    if (pair->blind) {
        virTeamingPairObjSetProblem(pair, error->message, now);
        return FALSE;
    }

    /* A driver that probed while there was no MAC has drawn one of its own, and never
     * pairs: only we set none, and, unless the owner has it so, only a daemon that died lets a
     * guest find it. Where there is none, a PF takes the MAC that the guest has drawn
     * (igb_set_vf_mac_filter() and E1000_VF_SET_MAC_ADDR in
     * drivers/net/ethernet/intel/igb/igb_main.c). */
    if (pair->guest == VIR_TEAMING_GUEST_HERE && pair->pci.busMaster &&
        pair->policy.parking != VIR_TEAMING_PARKING_ZERO &&
        (actual.vf == VIR_TEAMING_VF_ZERO ||
         (actual.vf == VIR_TEAMING_VF_OTHER && pair->parked)))
        pair->unplugged = pair->nameless = TRUE;
    /* Nothing is parked, whatever was foretold. */
    if (pair->guest == VIR_TEAMING_GUEST_HERE && actual.vf == VIR_TEAMING_VF_PAIR)
        pair->parked = FALSE;
    /* Else, what the guest reads has been plugged, if only libvirt did not live to say so. */
    if (pair->unplugged && !pair->nameless && actual.vf == VIR_TEAMING_VF_PAIR &&
        (phase == VIR_TEAMING_PHASE_SETTLING || phase == VIR_TEAMING_PHASE_DRIVING)) {
        pair->unplugged = FALSE;
        g_clear_pointer(&pair->plugProblem, g_free);
    }

    /* The guest drives it, whoever gave it back. */
    if (pair->guest == VIR_TEAMING_GUEST_HERE && pair->pci.busMaster) {
        virTeamingPairObjUnhide(pair);
        if (pair->move == VIR_TEAMING_MOVE_STANDBY)
            pair->move = VIR_TEAMING_MOVE_NONE;
    }

    nsteps = virTeamingFailoverPlan(&actual, &desired, plan);
    for (guint i = 0; i < nsteps; i++)
        virTeamingPairObjPromise(pair, plan[i]);
    pair->foretold = virTeamingPairObjIsStill(pair) ||
        phase == VIR_TEAMING_PHASE_LEAVING || phase == VIR_TEAMING_PHASE_RELEASED;
    /* Without a journal a crash would leave something behind; but the guest's path is worth
     * more than that. */
    virTeamingJournalSave(pair, statedir, &journalError);

    virTeamingPairObjTakeAll(pair, kernel, phase, plan, nsteps, entries, now, &error);
    if (phase == VIR_TEAMING_PHASE_SETTLING || phase == VIR_TEAMING_PHASE_DRIVING)
        pair->arrivedAt = 0;
    if (!error && !journalError && pair->cutOff)
        fault = g_strdup_printf("'%s' and '%s' are in no VLAN of '%s' in common: without its VF "
                                "the guest is cut off; see 'bridge vlan'", pair->tap,
                                pair->uplink, pair->bridge);
    virTeamingPairObjSetProblem(pair, error ? error->message :
                                journalError ? journalError->message :
                                fault ? fault : pair->lack, now);

    /* What has been undone need not be undone again. */
    if (nsteps > 0)
        virTeamingJournalSave(pair, statedir, NULL);
    pair->known = !error && !pair->problem && virTeamingPairObjReached(pair, &desired);
    return !error;
}
