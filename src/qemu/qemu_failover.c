/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_failover.c: the sequencer: what should be of one failover pair, and how to get there
 */

/*
 * Theory of operation
 *
 * A pair is a standby (virtio, behind a tap in a bridge) and a primary (a VF of
 * the NIC that is the bridge's uplink), both with one MAC. Three switches on the host
 * decide who gets the guest's inbound frames: the VF's filter in the NIC, the
 * uplink's own filter, and the bridge's entry for the MAC. They are set from what
 * is observed, by three pure functions:
 *
 *   phase   = Phase(observed)          which row of the table applies
 *   desired = Desire(phase, observed)  the row
 *   steps   = Plan(actual, desired)    what differs, in an order that loses nothing
 *
 * Nothing is remembered here. Who executes may die between any two steps: the next
 * one observes, plans what is left and ends in the same state.
 *
 * The truth about who reads is the VF's Bus Master Enable bit: without it the VF
 * cannot write a frame to the guest's memory, and Linux clears it whenever a driver
 * lets its device go. The interrupt vectors say a little more closely when the driver
 * reads: they appear some 40 ms after the bit rises and go some 100 ms before it
 * falls. Fewer than two, with the bit set, may be a driver that needs no more, or one
 * that got stuck on its way up. On a NIC that copies nothing need be decided: both paths
 * get the frames for as long as it lasts. On another, such a driver counts as reading
 * VIR_TEAMING_FAILOVER_READY_MS after the bit has risen.
 *
 * Linux's net_failover drops what arrives on the standby while it has a primary and
 * the other way round, so while a change is under way both paths get every frame and
 * the guest picks. On a NIC that copies (traits) this holds for frames from the wire
 * too: VF and uplink both hold the MAC. On others, the VF alone takes them until
 * its driver has gone. Where the two are apart, the network sends to one of them only, and is told
 * to which with each change. The guest may have no time for twice the frames, so a change is
 * taken for over VIR_TEAMING_FAILOVER_LINGER_MS after the driver has its vectors: it gets
 * them in ndo_open, after which net_failover has a primary (drivers/net/net_failover.c); in an
 * emulated guest that took 50 ms.
 *
 * While the guest runs nowhere its frames need not be lost: the tap on the host to which it
 * goes keeps what comes (500 frames, TUN_READQ_SIZE in drivers/net/tun.c), and QEMU reads it when
 * the guest runs. It would keep what is for all, too, for as long as the memory is copied, and
 * have no room left; so that is not sent there before. When the guest has been stopped, the
 * host that it leaves tells the others so, at once; the one that waits for it opens the
 * standby's path and has the network send there. Who misses that learns it from QEMU, when the
 * last of the guest has come. A host on which it goes on after all has the network come back.
 *
 * What a VF holds while nobody reads it:
 *  - its guest is not here: no MAC at all. The NIC's internal switch would otherwise
 *    deliver what this host's own peers send to the guest to the VF, instead of the
 *    wire; a VLAN does not prevent that on every NIC.
 *  - its guest is here and may probe it at any moment: the pair's MAC, which Linux's
 *    VF drivers read once, at probe. Zero then would make the guest draw a random
 *    MAC and never pair. If the NIC copies, that harms nobody. If it does not, the MAC
 *    is put in an unused VLAN, which untagged frames do not enter. Who knows the NIC
 *    better may choose (@parking).
 *  - its guest has gone, or libvirt has yet to plug it: what libvirt gave it.
 *
 * What was measured on the NIC (@traits.answers) rules out what does not hold there: no zero
 * where it does not empty a VF, no VLAN where it does not keep frames from one. And a VF that
 * takes nothing before it is driven needs no parking. What was not measured is taken to hold
 * as on most: a step that the NIC refuses is reported.
 */

#include "qemu_failover.h"


/**
 * virTeamingFailoverReads:
 * @seen: what was observed; only the VF's bits are looked at
 *
 * Returns: whether the guest's driver is taken to read frames from the VF.
 */
gboolean
virTeamingFailoverReads(const virTeamingObserved *seen)
{
    return seen->hasVf && seen->busMaster &&
        (seen->vectors >= 2 ||
         (!seen->traits.copies && seen->masterMs >= VIR_TEAMING_FAILOVER_READY_MS));
}


/**
 * virTeamingFailoverPhase:
 * @seen: what was observed of a pair
 *
 * Returns: the row of the table that applies.
 */
virTeamingPhase
virTeamingFailoverPhase(const virTeamingObserved *seen)
{
    switch (seen->guest) {
    case VIR_TEAMING_GUEST_GONE:
        return VIR_TEAMING_PHASE_GONE;
    case VIR_TEAMING_GUEST_INCOMING:
        /* With its virtio state the guest's memory is here: the source is stopped, whether
         * that was heard or not. */
        return seen->negotiated || seen->handedOver ?
            VIR_TEAMING_PHASE_LANDING : VIR_TEAMING_PHASE_ARRIVING;
    case VIR_TEAMING_GUEST_DEPARTING:
        return VIR_TEAMING_PHASE_DEPARTED;
    case VIR_TEAMING_GUEST_HERE:
        break;
    }

    if (seen->askedOut) {
        /* Vectors go before the bit does: the driver has stopped reading by then. */
        if (virTeamingFailoverReads(seen) && seen->vectors > 0)
            return VIR_TEAMING_PHASE_LEAVING;
        return VIR_TEAMING_PHASE_RELEASED;
    }
    if (virTeamingFailoverReads(seen)) {
        return seen->readyMs < VIR_TEAMING_FAILOVER_LINGER_MS ?
            VIR_TEAMING_PHASE_SETTLING : VIR_TEAMING_PHASE_DRIVING;
    }
    if (seen->hasVf && !seen->unplugged && (seen->negotiated || seen->busMaster))
        return VIR_TEAMING_PHASE_SHOWN;
    return VIR_TEAMING_PHASE_STANDBY;
}


/* Was @trait measured, and is it not so? */
static gboolean
virTeamingFailoverLacks(const virTeamingObserved *seen,
                        virTeamingNicTrait trait)
{
    return seen->traits.answers[trait] == VIR_TEAMING_ANSWER_NO;
}


/* What a VF holds that its guest, which is here, may probe but does not read. */
static virTeamingVfFilter
virTeamingFailoverIdle(const virTeamingObserved *seen)
{
    const gboolean zero = !virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_ACCEPTS_ZERO);
    const gboolean vlan = !virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_VLAN_PARKS);

    if (seen->parking == VIR_TEAMING_PARK_ZERO && zero)
        return VIR_TEAMING_VF_ZERO;
    if (seen->parking == VIR_TEAMING_PARK_VLAN && vlan)
        return VIR_TEAMING_VF_VLAN;
    if (seen->traits.copies || !vlan ||
        virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_STEERS_EARLY))
        return VIR_TEAMING_VF_PAIR;
    return VIR_TEAMING_VF_VLAN;
}


/* What a VF holds whose guest is not here. */
static virTeamingVfFilter
virTeamingFailoverAway(const virTeamingObserved *seen)
{
    if (!virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_ACCEPTS_ZERO))
        return VIR_TEAMING_VF_ZERO;
    if (virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_STEERS_EARLY))
        return VIR_TEAMING_VF_PAIR;
    return virTeamingFailoverLacks(seen, VIR_TEAMING_TRAIT_VLAN_PARKS) ?
        VIR_TEAMING_VF_ZERO : VIR_TEAMING_VF_VLAN;
}


/**
 * virTeamingFailoverDesire:
 * @phase: the row
 * @seen: what was observed
 *
 * Returns: what should be of the pair on this host.
 */
virTeamingDatapath
virTeamingFailoverDesire(virTeamingPhase phase,
                         const virTeamingObserved *seen)
{
    const gboolean copies = seen->traits.copies;
    const virTeamingVfFilter idle = virTeamingFailoverIdle(seen);
    const virTeamingWire byVf = seen->apart ? VIR_TEAMING_WIRE_VF : VIR_TEAMING_WIRE_HERE;
    virTeamingDatapath want = { .learning = TRUE, .flooding = TRUE,
                                .wire = VIR_TEAMING_WIRE_HERE };

    switch (phase) {
    case VIR_TEAMING_PHASE_GONE:
        want.vf = VIR_TEAMING_VF_FORGET;
        want.fdb = VIR_TEAMING_FDB_FORGET;
        want.wire = VIR_TEAMING_WIRE_KEEP;
        break;
    case VIR_TEAMING_PHASE_ARRIVING:
        want.vf = virTeamingFailoverAway(seen);
        want.fdb = VIR_TEAMING_FDB_UPLINK;
        want.hold = seen->defer;
        want.wire = VIR_TEAMING_WIRE_KEEP;
        want.flooding = FALSE;
        want.listen = TRUE;
        break;
    case VIR_TEAMING_PHASE_LANDING:
        want.vf = seen->defer ? virTeamingFailoverAway(seen) : idle;
        want.self = TRUE;
        want.fdb = VIR_TEAMING_FDB_STANDBY;
        want.hold = seen->defer;
        want.listen = TRUE;
        break;
    case VIR_TEAMING_PHASE_STANDBY:
    case VIR_TEAMING_PHASE_SHOWN:
        /* libvirt sets the MAC when it plugs: a zero that nobody is shown may stay. */
        want.vf = seen->unplugged ? VIR_TEAMING_VF_KEEP : idle;
        want.self = TRUE;
        /* The driver is coming up, and will read before we see that it does. */
        want.fdb = phase == VIR_TEAMING_PHASE_SHOWN && seen->busMaster ?
            VIR_TEAMING_FDB_BOTH : VIR_TEAMING_FDB_STANDBY;
        want.learning = want.fdb == VIR_TEAMING_FDB_STANDBY;
        break;
    case VIR_TEAMING_PHASE_SETTLING:
        want.vf = VIR_TEAMING_VF_PAIR;
        want.self = copies;
        want.fdb = VIR_TEAMING_FDB_BOTH;
        want.learning = FALSE;
        want.wire = byVf;
        break;
    case VIR_TEAMING_PHASE_DRIVING:
        want.vf = VIR_TEAMING_VF_PAIR;
        want.fdb = VIR_TEAMING_FDB_UPLINK;
        want.wire = byVf;
        break;
    case VIR_TEAMING_PHASE_LEAVING:
        want.vf = VIR_TEAMING_VF_PAIR;
        want.self = copies;
        want.fdb = VIR_TEAMING_FDB_BOTH;
        want.learning = FALSE;
        want.wire = byVf;
        break;
    case VIR_TEAMING_PHASE_RELEASED:
        /* The driver's last act is to register its MAC once more, so nothing may be
         * parked before the bit is clear. */
        want.vf = seen->busMaster ? VIR_TEAMING_VF_PAIR : idle;
        want.self = TRUE;
        want.fdb = VIR_TEAMING_FDB_STANDBY;
        break;
    case VIR_TEAMING_PHASE_DEPARTED:
        want.vf = virTeamingFailoverAway(seen);
        want.fdb = VIR_TEAMING_FDB_FORGET;
        want.wire = VIR_TEAMING_WIRE_AWAY;
        break;
    case VIR_TEAMING_PHASE_LAST:
        g_assert_not_reached();
    }

    if (!seen->hasVf)
        want.vf = VIR_TEAMING_VF_KEEP;
    return want;
}


/**
 * virTeamingFailoverFdbHolds:
 *
 * Returns: whether @actual is as good as @desired, so that nothing need be done.
 */
gboolean
virTeamingFailoverFdbHolds(virTeamingFdbPath actual,
                           virTeamingFdbPath desired)
{
    /* Once we have nothing there, what the bridge learns on its own is its affair,
     * except that the standby is not the way to a guest that is not here. */
    if (desired == VIR_TEAMING_FDB_FORGET)
        return actual == VIR_TEAMING_FDB_FORGET ||
            actual == VIR_TEAMING_FDB_BOTH ||
            actual == VIR_TEAMING_FDB_LEARNT_UPLINK ||
            actual == VIR_TEAMING_FDB_ELSEWHERE;
    return actual == desired;
}


/**
 * virTeamingFailoverPlan:
 * @actual: what is
 * @desired: what should be
 * @plan: filled with the steps from one to the other
 *
 * The order is make before break: what opens a path comes first (the VF's MAC, the
 * uplink's filter), then the bridge's choice, then the network is told, then what closes a
 * path. Only where the guest does not run here the VF is closed first: it takes frames from
 * everybody else. And before all else the other host is told that the guest is its now.
 * Each step can be done twice without harm.
 *
 * Returns: the number of steps; 0 if @actual is as desired.
 */
guint
virTeamingFailoverPlan(const virTeamingDatapath *actual,
                       const virTeamingDatapath *desired,
                       virTeamingStep plan[VIR_TEAMING_PLAN_MAX])
{
    const gboolean vfDiffers = desired->vf != VIR_TEAMING_VF_KEEP &&
        desired->vf != VIR_TEAMING_VF_FORGET && actual->vf != desired->vf;
    const gboolean zero = vfDiffers && desired->vf == VIR_TEAMING_VF_ZERO;
    const gboolean away = desired->fdb != VIR_TEAMING_FDB_STANDBY;
    guint n = 0;

    if (desired->wire == VIR_TEAMING_WIRE_AWAY && actual->wire != VIR_TEAMING_WIRE_AWAY)
        plan[n++] = VIR_TEAMING_STEP_HAND_OVER;
    if (zero && away)
        plan[n++] = VIR_TEAMING_STEP_VF_ZERO;
    if (desired->hold && !actual->hold)
        plan[n++] = VIR_TEAMING_STEP_HOLD;
    if (desired->listen && !actual->listen)
        plan[n++] = VIR_TEAMING_STEP_LISTEN;
    if (vfDiffers && desired->vf == VIR_TEAMING_VF_PAIR)
        plan[n++] = VIR_TEAMING_STEP_VF_PAIR;
    if (desired->self && !actual->self)
        plan[n++] = VIR_TEAMING_STEP_SELF_ADD;
    if (!desired->learning && actual->learning)
        plan[n++] = VIR_TEAMING_STEP_LEARNING_OFF;
    if (!desired->flooding && actual->flooding)
        plan[n++] = VIR_TEAMING_STEP_FLOODING_OFF;

    if (!virTeamingFailoverFdbHolds(actual->fdb, desired->fdb)) {
        switch (desired->fdb) {
        case VIR_TEAMING_FDB_STANDBY:
            plan[n++] = VIR_TEAMING_STEP_FDB_STANDBY;
            break;
        case VIR_TEAMING_FDB_UPLINK:
            plan[n++] = VIR_TEAMING_STEP_FDB_UPLINK;
            break;
        case VIR_TEAMING_FDB_BOTH:
            plan[n++] = VIR_TEAMING_STEP_FDB_BOTH;
            break;
        case VIR_TEAMING_FDB_FORGET:
            plan[n++] = VIR_TEAMING_STEP_FDB_FORGET;
            break;
        case VIR_TEAMING_FDB_LEARNT_STANDBY:
        case VIR_TEAMING_FDB_LEARNT_UPLINK:
        case VIR_TEAMING_FDB_ELSEWHERE:
            g_assert_not_reached();
        }
    }

    if (desired->wire == VIR_TEAMING_WIRE_HERE && actual->wire != VIR_TEAMING_WIRE_HERE)
        plan[n++] = VIR_TEAMING_STEP_ANNOUNCE;
    if (desired->wire == VIR_TEAMING_WIRE_VF && actual->wire != VIR_TEAMING_WIRE_VF)
        plan[n++] = VIR_TEAMING_STEP_ANNOUNCE_VF;

    if (zero && !away)
        plan[n++] = VIR_TEAMING_STEP_VF_ZERO;
    if (vfDiffers && desired->vf == VIR_TEAMING_VF_VLAN)
        plan[n++] = VIR_TEAMING_STEP_VF_VLAN;
    if (desired->vf == VIR_TEAMING_VF_FORGET && actual->vf == VIR_TEAMING_VF_VLAN)
        plan[n++] = VIR_TEAMING_STEP_VF_FORGET;
    if (!desired->self && actual->self)
        plan[n++] = VIR_TEAMING_STEP_SELF_DEL;
    if (desired->learning && !actual->learning)
        plan[n++] = VIR_TEAMING_STEP_LEARNING_ON;
    if (desired->flooding && !actual->flooding)
        plan[n++] = VIR_TEAMING_STEP_FLOODING_ON;
    if (!desired->hold && actual->hold)
        plan[n++] = VIR_TEAMING_STEP_UNHOLD;
    if (!desired->listen && actual->listen)
        plan[n++] = VIR_TEAMING_STEP_UNLISTEN;
    return n;
}


/**
 * virTeamingFailoverNextLook:
 * @phase: the row that applies
 * @seen: what was observed
 *
 * Events tell when most changes begin. Two things come without one: the VF's bit and
 * vectors, and time itself. On a NIC that copies the bit alone matters, for once it is set both
 * paths get all frames, and its driver takes tens of milliseconds from there to reading. To look
 * more closely than that keeps the host from its guest, which has a VF to bring up. When the owner
 * has a VF taken out of a guest, that is told when it is over: until it is seen, what comes for the
 * guest is lost, so a VF that is read is looked at for as long as it is.
 *
 * Returns: milliseconds after which to look at the VF again, 0 for as closely as one
 *          can, -1 if an event will tell.
 */
gint64
virTeamingFailoverNextLook(virTeamingPhase phase,
                           const virTeamingObserved *seen)
{
    switch (phase) {
    case VIR_TEAMING_PHASE_LEAVING:
    case VIR_TEAMING_PHASE_SHOWN:
        return !seen->traits.copies ? 0 :
            seen->busMaster ? VIR_TEAMING_FAILOVER_EASY_MS : VIR_TEAMING_FAILOVER_NEAR_MS;
    case VIR_TEAMING_PHASE_LANDING:
        /* Kept from QEMU, it can't change, nor before QEMU is told to open it. */
        return seen->defer || !seen->negotiated ? -1 : 0;
    case VIR_TEAMING_PHASE_RELEASED:
        return seen->busMaster ? 0 : -1;
    case VIR_TEAMING_PHASE_SETTLING:
        return seen->readyMs < VIR_TEAMING_FAILOVER_LINGER_MS ?
            VIR_TEAMING_FAILOVER_LINGER_MS - seen->readyMs : VIR_TEAMING_FAILOVER_EASY_MS;
    case VIR_TEAMING_PHASE_DRIVING:
        return VIR_TEAMING_FAILOVER_CALM_MS;
    case VIR_TEAMING_PHASE_GONE:
    case VIR_TEAMING_PHASE_ARRIVING:
    case VIR_TEAMING_PHASE_STANDBY:
    case VIR_TEAMING_PHASE_DEPARTED:
    case VIR_TEAMING_PHASE_LAST:
        break;
    }
    return -1;
}


/* What people read of a row: its name, the path that carries, and why. */
static const struct {
    const char *name;
    const char *path;
    const char *why;
} phases[VIR_TEAMING_PHASE_LAST] = {
    [VIR_TEAMING_PHASE_GONE] = {
        "gone", "none", "the guest is not on this host" },
    [VIR_TEAMING_PHASE_ARRIVING] = {
        "arriving", "none", "the guest is migrating here and still runs on the other host" },
    [VIR_TEAMING_PHASE_LANDING] = {
        "landing", "standby", "the guest is stopped on the other host and about to run here" },
    [VIR_TEAMING_PHASE_STANDBY] = {
        "standby", "standby", "the guest has not been shown its VF" },
    [VIR_TEAMING_PHASE_SHOWN] = {
        "shown", "standby", "the guest has its VF, and no driver of it reads from it" },
    [VIR_TEAMING_PHASE_SETTLING] = {
        "settling", "both", "the guest's driver has just begun to read from the VF" },
    [VIR_TEAMING_PHASE_DRIVING] = {
        "driving", "vf", "the guest's driver reads from the VF" },
    [VIR_TEAMING_PHASE_LEAVING] = {
        "leaving", "both", "the guest was asked to let its VF go and still reads from it" },
    [VIR_TEAMING_PHASE_RELEASED] = {
        "released", "standby", "the guest has let its VF go for a migration" },
    [VIR_TEAMING_PHASE_DEPARTED] = {
        "departed", "none", "the guest is stopped here and about to run on the other host" },
};


const char *
virTeamingPhaseToString(virTeamingPhase phase)
{
    return phases[phase].name;
}


/* Returns: which path carries the guest's frames: "vf", "standby", "both" or "none". */
const char *
virTeamingPhasePath(virTeamingPhase phase)
{
    return phases[phase].path;
}


const char *
virTeamingPhaseExplain(virTeamingPhase phase)
{
    return phases[phase].why;
}


const char *
virTeamingStepToString(virTeamingStep step)
{
    static const char *const names[VIR_TEAMING_STEP_LAST] = {
        [VIR_TEAMING_STEP_HAND_OVER] = "hand-over",
        [VIR_TEAMING_STEP_HOLD] = "hold-vf",
        [VIR_TEAMING_STEP_LISTEN] = "listen",
        [VIR_TEAMING_STEP_VF_PAIR] = "vf-mac-pair",
        [VIR_TEAMING_STEP_SELF_ADD] = "uplink-filter-add",
        [VIR_TEAMING_STEP_LEARNING_OFF] = "standby-learning-off",
        [VIR_TEAMING_STEP_FLOODING_OFF] = "standby-flooding-off",
        [VIR_TEAMING_STEP_FDB_STANDBY] = "fdb-to-standby",
        [VIR_TEAMING_STEP_FDB_UPLINK] = "fdb-to-uplink",
        [VIR_TEAMING_STEP_FDB_BOTH] = "fdb-to-both",
        [VIR_TEAMING_STEP_FDB_FORGET] = "fdb-forget",
        [VIR_TEAMING_STEP_ANNOUNCE] = "announce",
        [VIR_TEAMING_STEP_ANNOUNCE_VF] = "announce-by-vf",
        [VIR_TEAMING_STEP_VF_ZERO] = "vf-mac-zero",
        [VIR_TEAMING_STEP_VF_VLAN] = "vf-vlan-park",
        [VIR_TEAMING_STEP_VF_FORGET] = "vf-vlan-back",
        [VIR_TEAMING_STEP_SELF_DEL] = "uplink-filter-del",
        [VIR_TEAMING_STEP_LEARNING_ON] = "standby-learning-on",
        [VIR_TEAMING_STEP_FLOODING_ON] = "standby-flooding-on",
        [VIR_TEAMING_STEP_UNHOLD] = "unhold-vf",
        [VIR_TEAMING_STEP_UNLISTEN] = "unlisten",
    };

    return names[step];
}
