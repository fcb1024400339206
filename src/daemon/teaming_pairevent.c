/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_pairevent.c: what QEMU's events and libvirt's word mean for a pair
 */

/*
 * Theory of operation
 *
 * Here a pair learns where its guest is, and what was asked of it. Nothing of the host is
 * looked at or changed, and nothing is decided: what was learnt is observed by the next
 * settling (teaming_pairobj.c) and handed to the sequencer. Events may be lost, doubled or
 * late, and libvirt's word overtaken by them; so each sets what it says, whatever was before.
 */

#include "teaming_pairevent.h"

/* A guest that runs again has its own lost time to make up for, and QEMU the last of its memory
 * to touch. While a VF is plugged the guest waits for QEMU's lock now and then: at once, that
 * would come on top of the blackout, and be felt as one. */
#define VIR_TEAMING_PAIR_AWAKE_MS 250
/* QEMU opens a VF in the same breath in which it says that the guest may have one
 * (virtio_net_set_features() in hw/net/virtio-net.c). To look whether it has is to open it. */
#define VIR_TEAMING_PAIR_OPENED_MS 2000
/* A guest that is booting when it arrives has finished by then. */
#define VIR_TEAMING_PAIR_ARRIVED_MS (5 * 60 * 1000)
/* So long the other host may take to allocate a guest's memory up front. */
#define VIR_TEAMING_PAIR_PREPARE_MS (5 * 60 * 1000)
/* libvirt may be busy with the domain for a while. */
#define VIR_TEAMING_PAIR_UNHIDE_MS 1000


/* The guest is back after QEMU had taken it for gone (hw/net/virtio-net.c): QEMU shows a VF
 * again that it has taken for a migration when that fails, and this one has not. */
static void
virTeamingPairObjHide(virTeamingPairObj *pair)
{
    pair->hidden = pair->hasVf && !pair->unplugged;
    pair->completed = FALSE;
    pair->askedOut = FALSE;
    pair->migrating = FALSE;
    pair->waiting = FALSE;
    pair->unhides = 0;
    pair->unhideAt = g_get_monotonic_time() + VIR_TEAMING_PAIR_UNHIDE_MS * 1000;
    if (pair->hidden)
        g_warning("domain '%s', %s: back after its migration had completed; QEMU keeps its VF "
                  "%s from it until it is made to show it again", pair->domain,
                  pair->standbyAlias, pair->primaryAlias);
}


/* The guest was to go on elsewhere, and does here. The host that has waited for it may have told
 * the network so when this one had told it already that it comes back: who is heard last counts.
 * By then that host has given up. */
static void
virTeamingPairObjReturn(virTeamingPairObj *pair)
{
    if (pair->guest != VIR_TEAMING_GUEST_DEPARTING)
        return;
    pair->guest = VIR_TEAMING_GUEST_HERE;
    pair->againAt = g_get_monotonic_time() + VIR_TEAMING_PAIR_ECHO_MS * 1000;
}


/* If the guest was on its way here, it runs. What was kept from QEMU until now is libvirt's to
 * plug; if nothing was, QEMU was told to open the VF, whether that was heard or not. */
static void
virTeamingPairObjArrive(virTeamingPairObj *pair)
{
    const gint64 now = g_get_monotonic_time();

    virTeamingPairObjReturn(pair);
    if (pair->guest == VIR_TEAMING_GUEST_INCOMING) {
        /* What it did not bring along, whoever plugs it takes out again as he likes. */
        pair->arrivedAt = pair->hasVf ? now : 0;
        pair->negotiated = TRUE;
        pair->unplugged |= pair->holdFd >= 0;
        pair->plugAt = now + VIR_TEAMING_PAIR_AWAKE_MS * 1000;
        pair->opening = !pair->unplugged;
        pair->openAt = now + VIR_TEAMING_PAIR_OPENED_MS * 1000;
        pair->defer = FALSE;
        pair->deaf = FALSE;
        pair->heard = VIR_TEAMING_HEARD_NOTHING;
    }
    pair->guest = VIR_TEAMING_GUEST_HERE;
}


/* The guest is to come here, from where it runs now. */
static void
virTeamingPairObjExpect(virTeamingPairObj *pair)
{
    pair->askedOut = pair->migrating = pair->ejectLate = pair->unplugged = FALSE;
    pair->heard = VIR_TEAMING_HEARD_NOTHING;
    pair->wire = VIR_TEAMING_WIRE_AWAY;
}


/* The guest goes on, here, or begins to. */
static void
virTeamingPairObjResume(virTeamingPairObj *pair)
{
    if (pair->completed)
        virTeamingPairObjHide(pair);
    virTeamingPairObjArrive(pair);
}


/* Is it only supposed, and not heard, that QEMU has asked the guest for its VF? */
static gboolean
virTeamingPairObjIsSupposed(const virTeamingPairObj *pair)
{
    return pair->askedOut && pair->askedAt > g_get_monotonic_time();
}


/**
 * virTeamingPairObjIsContradicted:
 * @pair: the pair
 * @activity: what its domain does, as libvirt says; no event has come since it was asked
 *
 * Where a migration is thought to be and none is, its end was not heard; or what libvirt was at
 * never came to be one, and QEMU had nothing to say.
 *
 * Returns: whether @activity is news, though nobody knows that an event was missed.
 */
gboolean
virTeamingPairObjIsContradicted(const virTeamingPairObj *pair,
                                virTeamingActivity activity)
{
    if (pair->guest != VIR_TEAMING_GUEST_HERE)
        return FALSE;
    if (activity == VIR_TEAMING_ACTIVITY_RUNNING)
        return pair->migrating || pair->askedOut || pair->waiting;
    return activity == VIR_TEAMING_ACTIVITY_PREPARING &&
        (pair->migrating || virTeamingPairObjIsSupposed(pair));
}


/**
 * virTeamingPairObjSetActivity:
 * @pair: the pair
 * @news: no event has told better
 * @activity: what its domain does, as libvirt says
 *
 * Takes libvirt's word if it is @news. A guest that libvirt says runs here has arrived, event or
 * not.
 */
void
virTeamingPairObjSetActivity(virTeamingPairObj *pair,
                             gboolean news,
                             virTeamingActivity activity)
{
    const gboolean asked = pair->askedOut && !virTeamingPairObjIsSupposed(pair);

    if (!news && (pair->guest != VIR_TEAMING_GUEST_INCOMING ||
                  activity != VIR_TEAMING_ACTIVITY_RUNNING))
        return;
    pair->deaf = FALSE;
    switch (activity) {
    case VIR_TEAMING_ACTIVITY_INACTIVE:
        pair->guest = VIR_TEAMING_GUEST_GONE;
        return;
    case VIR_TEAMING_ACTIVITY_INCOMING:
        pair->started = TRUE;
        /* A libvirtd that was restarted may not know any more which way one was going. */
        if (pair->guest == VIR_TEAMING_GUEST_DEPARTING)
            return;
        /* It may have gone and come back, or have failed to come and be trying again. */
        pair->negotiated = FALSE;
        if (pair->guest != VIR_TEAMING_GUEST_INCOMING)
            virTeamingPairObjExpect(pair);
        pair->guest = VIR_TEAMING_GUEST_INCOMING;
        return;
    case VIR_TEAMING_ACTIVITY_RUNNING:
        /* What ended the migration was not heard: it may well have completed. */
        pair->completed |= pair->guest == VIR_TEAMING_GUEST_DEPARTING ||
            (asked && !pair->pci.busMaster);
        virTeamingPairObjResume(pair);
        pair->waiting = FALSE;
        pair->ejectLate |= asked && pair->pci.busMaster;
        pair->askedOut = FALSE;
        pair->migrating = FALSE;
        return;
    case VIR_TEAMING_ACTIVITY_PREPARING:
        /* That may take hours, or be over: what was heard counts, what was supposed does not. */
        virTeamingPairObjArrive(pair);
        pair->askedOut &= !virTeamingPairObjIsSupposed(pair);
        pair->migrating = FALSE;
        return;
    case VIR_TEAMING_ACTIVITY_UNPLUGGING:
        /* It may be that libvirt still prepares the other host, and nobody has been asked. */
        if (!pair->askedOut || !pair->askedAt)
            pair->askedAt = g_get_monotonic_time() + VIR_TEAMING_PAIR_PREPARE_MS * 1000;
        virTeamingPairObjArrive(pair);
        pair->askedOut = TRUE;
        pair->migrating = FALSE;
        return;
    case VIR_TEAMING_ACTIVITY_OUTGOING:
    case VIR_TEAMING_ACTIVITY_DEPARTING:
        virTeamingPairObjArrive(pair);
        if (activity == VIR_TEAMING_ACTIVITY_DEPARTING)
            pair->guest = VIR_TEAMING_GUEST_DEPARTING;
        pair->askedOut = TRUE;
        pair->migrating = TRUE;
        return;
    }
}


/**
 * virTeamingPairObjLoseVf:
 * @pair: the pair
 *
 * The VF has left the guest for good: it is libvirt's, which takes the MAC away again. One
 * that was asked for in vain is to come back. So is one that the guest has never read since it
 * came here: a guest that was booting when it was asked, on the other host, has brought the
 * request along in the state of its hotplug controller, and follows it now.
 */
void
virTeamingPairObjLoseVf(virTeamingPairObj *pair)
{
    const gint64 now = g_get_monotonic_time();

    virTeamingPairObjForgetVf(pair);
    pair->letGoAt = now;
    pair->unplugged |= pair->ejectLate ||
        (pair->arrivedAt && now - pair->arrivedAt < VIR_TEAMING_PAIR_ARRIVED_MS * 1000);
    pair->ejectLate = FALSE;
    pair->takenBack = FALSE;
    pair->arrivedAt = 0;
}


/**
 * virTeamingPairObjMoved:
 * @pair: a pair on its way to its standby
 *
 * The VF that was asked for has left the guest.
 */
void
virTeamingPairObjMoved(virTeamingPairObj *pair)
{
    pair->move = VIR_TEAMING_MOVE_STANDBY;
    pair->takingOut = FALSE;
    pair->unplugged = FALSE;
    pair->ejectLate = FALSE;
    pair->arrivedAt = 0;
    virTeamingPairObjLoseVf(pair);
    pair->letGoAt = 0;
    g_message("domain '%s', %s: moved to its standby", pair->domain, pair->standbyAlias);
}


/**
 * virTeamingPairObjMiss:
 * @pair: the pair
 *
 * libvirt says that the domain is not active. One that is only expected is not yet.
 */
void
virTeamingPairObjMiss(virTeamingPairObj *pair)
{
    if (pair->guest != VIR_TEAMING_GUEST_INCOMING || pair->started)
        pair->guest = VIR_TEAMING_GUEST_GONE;
}


/**
 * virTeamingPairObjTellNotice:
 * @pair: the pair that @notice is of
 * @notice: what another host has said
 *
 * Returns: FALSE if that is nothing to @pair, or was known.
 */
gboolean
virTeamingPairObjTellNotice(virTeamingPairObj *pair,
                            const virTeamingNotice *notice)
{
    const gboolean landing = pair->heard == VIR_TEAMING_HEARD_STOPPED;
    const gboolean known = notice->runs ? !landing && !pair->negotiated : landing;

    if (pair->guest != VIR_TEAMING_GUEST_INCOMING)
        return FALSE;
    pair->heard = notice->runs ? VIR_TEAMING_HEARD_RUNS : VIR_TEAMING_HEARD_STOPPED;
    if (notice->runs) {
        /* Its migration has failed, and the network was told so. */
        pair->negotiated = FALSE;
        pair->wire = VIR_TEAMING_WIRE_AWAY;
    }
    return !known;
}


/**
 * virTeamingPairObjTellEvent:
 * @pair: a pair of the domain that @event is of
 * @event: what QEMU said
 * @now: monotonic microseconds
 *
 * Returns: FALSE if that is nothing to @pair, or was known.
 */
gboolean
virTeamingPairObjTellEvent(virTeamingPairObj *pair,
                           const virTeamingQemuEvent *event,
                           gint64 now)
{
    /* QEMU here may have all of a guest that goes on where it was nonetheless. */
    const gboolean negotiated = pair->heard != VIR_TEAMING_HEARD_RUNS;
    gboolean known = FALSE;

    switch (event->type) {
    case VIR_TEAMING_QEMU_EVENT_NEGOTIATED:
        if (g_strcmp0(event->device, pair->standbyAlias) != 0)
            return FALSE;
        known = pair->opening && pair->negotiated == negotiated;
        pair->negotiated = negotiated;
        pair->opening = TRUE;
        pair->openAt = now + VIR_TEAMING_PAIR_OPENED_MS * 1000;
        break;
    case VIR_TEAMING_QEMU_EVENT_ASKED_OUT:
        if (g_strcmp0(event->device, pair->primaryAlias) != 0)
            return FALSE;
        pair->askedOut = TRUE;
        pair->askedAt = now;
        /* What libvirt has asked of the guest, for a move, stands. */
        pair->ejectLate = pair->takenBack;
        virTeamingPairObjUnhide(pair);
        g_clear_pointer(&pair->aborted, g_free);
        break;
    case VIR_TEAMING_QEMU_EVENT_MIGRATION_POSTCOPY:
        pair->postcopy = pair->guest == VIR_TEAMING_GUEST_INCOMING ||
            (pair->guest == VIR_TEAMING_GUEST_HERE && !pair->migrating);
        break;
    case VIR_TEAMING_QEMU_EVENT_MIGRATION_WAITING:
        /* Refused by a slot that its owner's detach keeps busy, QEMU waits for that. */
        if (pair->guest == VIR_TEAMING_GUEST_HERE && pair->hasVf && !pair->askedOut) {
            pair->waiting = TRUE;
            pair->askedAt = now;
        }
        break;
    case VIR_TEAMING_QEMU_EVENT_MIGRATION_ACTIVE:
        if (pair->guest != VIR_TEAMING_GUEST_HERE || pair->migrating)
            return FALSE;
        pair->migrating = TRUE;
        break;
    case VIR_TEAMING_QEMU_EVENT_MIGRATION_FAILED:
        /* QEMU plugs the primary again, and says nothing. But what it asked of the guest
         * it can't take back: a guest that does it now loses the device for good. If QEMU
         * was refused, it takes the VF for unplugged all the same, and plugs what is there:
         * to native hotplug a surprise removal. But what its owner detaches stays away, and
         * what it has let go in time and found again, after a reset, it keeps. */
        pair->ejectLate |= pair->pci.busMaster &&
            (pair->askedOut ? !pair->migrating : pair->migrating && !pair->waiting);
        pair->waiting = FALSE;
        virTeamingPairObjUnhide(pair);
        pair->askedOut = FALSE;
        pair->migrating = FALSE;
        pair->postcopy = FALSE;
        virTeamingPairObjReturn(pair);
        break;
    case VIR_TEAMING_QEMU_EVENT_STOPPED:
        pair->stoppedAt = now;
        /* One that has yet to let its VF go was suspended: it is not going anywhere. */
        if (pair->guest == VIR_TEAMING_GUEST_HERE &&
            (pair->migrating || (pair->askedOut && !pair->pci.busMaster)))
            pair->guest = VIR_TEAMING_GUEST_DEPARTING;
        break;
    case VIR_TEAMING_QEMU_EVENT_RESUMED:
        pair->stoppedAt = 0;
        virTeamingPairObjResume(pair);
        break;
    case VIR_TEAMING_QEMU_EVENT_MIGRATION_COMPLETED:
        pair->completed = pair->guest == VIR_TEAMING_GUEST_DEPARTING || pair->migrating;
        pair->postcopy = FALSE;
        /* It may have been stopped long before. */
        if (pair->migrating && pair->guest == VIR_TEAMING_GUEST_HERE)
            pair->guest = VIR_TEAMING_GUEST_DEPARTING;
        break;
    case VIR_TEAMING_QEMU_EVENT_DELETED:
        /* A part of a device has no name, nor has the VF of a standby that has none. And where
         * libvirt knows of none, it may have given the name to another one. */
        if (!event->device || g_strcmp0(event->device, pair->primaryAlias) != 0 ||
            (pair->absent && !pair->plugging))
            return FALSE;
        if (pair->move == VIR_TEAMING_MOVE_OUT)
            virTeamingPairObjMoved(pair);
        else
            virTeamingPairObjLoseVf(pair);
        break;
    case VIR_TEAMING_QEMU_EVENT_RESET:
        break;
    case VIR_TEAMING_QEMU_EVENT_OTHER:
        return FALSE;
    }
    return !known;
}
