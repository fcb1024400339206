/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_probe.c: find out, without any guest, whether a NIC can carry a failover pair
 */

/*
 * Theory of operation
 *
 * A VF that nobody uses is given a MAC that nobody has, frames for that MAC are sent,
 * and it is seen where they arrive. That is done in three parts:
 *
 *  - nobody drives the VF and it has no MAC: the ground truth. What the PF does not get
 *    now cannot be said to be taken away by a VF later.
 *  - a driver of the host stands in for the guest's: does the VF keep its MAC, get its
 *    frames, lose them when the MAC is zero or in an unused VLAN, and how soon.
 *  - nobody drives the VF any more, as while a guest boots or migrates: does the PF, that
 *    is the standby, get the frames all the same.
 *
 * Frames come from the wire if there is a peer. Else the PF sends them, and what only a
 * peer can tell stays unknown.
 *
 * Arrivals are counted in bursts. All or nearly all is yes, none is no; what is in between
 * is asked again, and if it stays so, not known: a NIC that serves other guests meanwhile
 * may lose a frame, and that must not turn into a verdict. After each change the burst
 * waits until the change should be in force, which is twice what the slowest took when
 * that was measured.
 *
 * How the VF was is on file before it is touched (nic_journal.c), and is put back by one
 * function, whether all went well, a step failed, a signal came, or a later probe
 * finds the file of one that was killed. Between any two steps the probe may be stopped, and
 * before each change it is seen whether the VF is another's by now, which ends the probe. The
 * file is forgotten if the VF is no more, and if somebody uses it by now: then it is left as it
 * is, and that is said. Whatever else keeps it from being put back keeps the file.
 */

#include "nic_probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nic_journal.h"
#include "teaming_error.h"

/* The VLAN in which the daemon parks VFs, too: the last one that may be used. */
#define VIR_TEAMING_NIC_PROBE_VLAN 4094

#define VIR_TEAMING_NIC_PROBE_FRAMES 12     /* in a burst */
#define VIR_TEAMING_NIC_PROBE_TRIES 3       /* bursts, when one is unclear */
#define VIR_TEAMING_NIC_PROBE_ROUNDS 7      /* in which a change is timed */

/* Milliseconds. */
#define VIR_TEAMING_NIC_PROBE_SPACE 2       /* between frames of a burst */
#define VIR_TEAMING_NIC_PROBE_FLIGHT 50     /* the longest that a frame is on its way */
#define VIR_TEAMING_NIC_PROBE_SETTLE 100    /* until a change is in force, if not measured */
#define VIR_TEAMING_NIC_PROBE_CHANGE 3000   /* a change that takes longer never comes */
#define VIR_TEAMING_NIC_PROBE_CARRIER 10000 /* a VF without carrier by then gets none */
#define VIR_TEAMING_NIC_PROBE_RETURN 5000   /* a netdev that is not back by then is another's */

typedef struct {
    const virTeamingNicProbe *probe;
    virTeamingNicJournal was;
    virTeamingNicVerdict *verdict;
    virTeamingNicEnd source;        /* who sends: the peer, or without one the PF */
    virTeamingMac mac;              /* that the frames are for */
    virTeamingMac off;              /* that empties the VF: zero, or if it must, another */
    guint settleMs;
    guint tag;                      /* of the last frame */
    GArray *arrivals;
    virTeamingNicAnswer got[VIR_TEAMING_NIC_END_LAST];  /* by the last burst */

    /* Parts of answers. */
    virTeamingNicAnswer pfGets;     /* frames from the wire while no VF has their MAC */
    virTeamingNicAnswer peerGets;   /* frames that the PF sends then */
    virTeamingNicAnswer copied;     /* while a driver reads the VF */
    virTeamingNicAnswer leaked;     /* into a VF with a driver, in an unused VLAN */

    gboolean carrier;               /* the VF that was taken has it */
} virTeamingNicProbing;


/* ---- small steps ---- */

static gboolean
virTeamingNicProbeGoOn(const virTeamingNicProbing *p,
                       GError **error)
{
    if (!p->probe->stop || !*p->probe->stop)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                "interrupted; '%s' and its VFs are as they were", p->probe->pf);
    return FALSE;
}


/*
 * Has somebody else taken the VF? It may well have no netdev here while it is the probe's,
 * which takes it to a namespace of its own, but then its driver is the one that it had.
 */
static gboolean
virTeamingNicProbeIsTaken(const virTeamingNicJournal *was,
                          const virTeamingPciDevice *device)
{
    return virTeamingPciDriverIsVfio(device->driver) ||
        (device->driver[0] && !device->netdev[0] && was->driver[0] &&
         !g_str_equal(device->driver, was->driver));
}


/* May the VF be changed? Not if the probe was stopped, nor if the VF is another's by now. */
static gboolean
virTeamingNicProbeHolds(const virTeamingNicProbing *p,
                        GError **error)
{
    virTeamingPciDevice device;

    if (!virTeamingNicProbeGoOn(p, error) ||
        !virTeamingKernelPciGetDevice(p->probe->kernel, &p->was.vf.address, &device, error))
        return FALSE;
    if (!virTeamingNicProbeIsTaken(&p->was, &device))
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                "VF %u of '%s' was taken meanwhile (driver %s), so what was seen is worth "
                "nothing; probe again while no domain is started that may take it",
                p->was.vf.index, p->probe->pf, device.driver);
    return FALSE;
}


static void
virTeamingNicProbeSay(const virTeamingNicProbe *probe,
                      const char *words)
{
    if (probe->progress)
        probe->progress(words);
}


static void
virTeamingNicProbeTell(const virTeamingNicProbe *probe,
                       const char *words)
{
    if (probe->notice)
        probe->notice(words);
}


static void
virTeamingNicProbeAnswer(virTeamingNicProbing *p,
                         virTeamingNicTrait trait,
                         virTeamingNicAnswer answer)
{
    p->verdict->answers[trait] = answer;
}


/* Both must be so. */
static virTeamingNicAnswer
virTeamingNicProbeBoth(virTeamingNicAnswer a,
                       virTeamingNicAnswer b)
{
    if (a == VIR_TEAMING_ANSWER_NO || b == VIR_TEAMING_ANSWER_NO)
        return VIR_TEAMING_ANSWER_NO;
    return a == b ? a : VIR_TEAMING_ANSWER_UNKNOWN;
}


static virTeamingNicAnswer
virTeamingNicProbeNot(virTeamingNicAnswer answer)
{
    switch (answer) {
    case VIR_TEAMING_ANSWER_YES:
        return VIR_TEAMING_ANSWER_NO;
    case VIR_TEAMING_ANSWER_NO:
        return VIR_TEAMING_ANSWER_YES;
    case VIR_TEAMING_ANSWER_UNKNOWN:
        break;
    }
    return VIR_TEAMING_ANSWER_UNKNOWN;
}


/* Waits, in slices, so that it can be stopped; what arrives is in p->arrivals. */
static gboolean
virTeamingNicProbeReceive(virTeamingNicProbing *p,
                          guint ms,
                          GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;

    for (; ms > 0; ms -= MIN(ms, 20)) {
        if (!virTeamingNicProbeGoOn(p, error) ||
            !wire->ops->receive(wire, MIN(ms, 20), p->arrivals, error))
            return FALSE;
    }
    return TRUE;
}


static gboolean
virTeamingNicProbeSend(virTeamingNicProbing *p,
                       virTeamingNicEnd from,
                       GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;

    return wire->ops->send(wire, from, &p->mac, ++p->tag, error) &&
        virTeamingNicProbeReceive(p, VIR_TEAMING_NIC_PROBE_SPACE, error);
}


/* How many of the frames sent after @tag have arrived at @end; one that came twice is one. */
static guint
virTeamingNicProbeCount(const virTeamingNicProbing *p,
                        virTeamingNicEnd end,
                        guint tag)
{
    guint64 seen = 0;
    guint count = 0;

    for (guint i = 0; i < p->arrivals->len; i++) {
        const virTeamingNicArrival *arrival =
            &g_array_index(p->arrivals, virTeamingNicArrival, i);

        if (arrival->end == end && arrival->tag > tag && arrival->tag <= p->tag)
            seen |= G_GUINT64_CONSTANT(1) << (arrival->tag - tag - 1);
    }
    for (; seen; seen &= seen - 1)
        count++;
    return count;
}


/* Lets what was changed come into force, sends a burst, and fills p->got. */
static gboolean
virTeamingNicProbeBurst(virTeamingNicProbing *p,
                        virTeamingNicEnd from,
                        GError **error)
{
    if (!virTeamingNicProbeReceive(p, p->settleMs, error))
        return FALSE;

    for (guint try = 0; try < VIR_TEAMING_NIC_PROBE_TRIES; try++) {
        const guint before = p->tag;
        gboolean clear = TRUE;

        g_array_set_size(p->arrivals, 0);
        for (guint i = 0; i < VIR_TEAMING_NIC_PROBE_FRAMES; i++) {
            if (!virTeamingNicProbeSend(p, from, error))
                return FALSE;
        }
        if (!virTeamingNicProbeReceive(p, VIR_TEAMING_NIC_PROBE_FLIGHT, error))
            return FALSE;

        for (virTeamingNicEnd end = 0; end < VIR_TEAMING_NIC_END_LAST; end++) {
            guint count = virTeamingNicProbeCount(p, end, before);

            p->got[end] = count == 0 ? VIR_TEAMING_ANSWER_NO :
                count * 4 >= VIR_TEAMING_NIC_PROBE_FRAMES * 3 ? VIR_TEAMING_ANSWER_YES :
                VIR_TEAMING_ANSWER_UNKNOWN;
            clear = clear && p->got[end] != VIR_TEAMING_ANSWER_UNKNOWN;
        }
        if (clear)
            break;
    }
    return TRUE;
}


/*
 * Sends until the VF gets a frame. *@took: from @since until that frame was sent, in
 * microseconds of the wire's clock; -1: it got none.
 */
static gboolean
virTeamingNicProbeAwaitFrames(virTeamingNicProbing *p,
                              gint64 since,
                              gint64 *took,
                              GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gint64));
    const guint before = p->tag;
    gint64 now;

    *took = -1;
    g_array_set_size(p->arrivals, 0);
    while (*took < 0 &&
           (now = wire->ops->now(wire)) < since + VIR_TEAMING_NIC_PROBE_CHANGE * 1000) {
        g_array_append_val(times, now);
        if (!virTeamingNicProbeSend(p, p->source, error))
            return FALSE;
        /* It may have been on its way while others were sent. */
        for (guint i = 0; i < p->arrivals->len && *took < 0; i++) {
            const virTeamingNicArrival *arrival =
                &g_array_index(p->arrivals, virTeamingNicArrival, i);

            if (arrival->end == VIR_TEAMING_NIC_END_VF && arrival->tag > before)
                *took = g_array_index(times, gint64, arrival->tag - before - 1) - since;
        }
    }
    return TRUE;
}


/*
 * Sends until a frame does not arrive at the VF. *@took: from @since until that one was
 * sent; -1: all arrived.
 */
static gboolean
virTeamingNicProbeAwaitSilence(virTeamingNicProbing *p,
                               gint64 since,
                               gint64 *took,
                               GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;
    gint64 now;

    *took = -1;
    while (*took < 0 &&
           (now = wire->ops->now(wire)) < since + VIR_TEAMING_NIC_PROBE_CHANGE * 1000) {
        const guint before = p->tag;

        g_array_set_size(p->arrivals, 0);
        if (!virTeamingNicProbeSend(p, p->source, error))
            return FALSE;
        if (virTeamingNicProbeCount(p, VIR_TEAMING_NIC_END_VF, before) > 0)
            continue;
        if (!virTeamingNicProbeReceive(p, VIR_TEAMING_NIC_PROBE_FLIGHT, error))
            return FALSE;
        if (virTeamingNicProbeCount(p, VIR_TEAMING_NIC_END_VF, before) == 0)
            *took = now - since;
    }
    return TRUE;
}


/*
 * Is it an answer that something could not be done? Else it failed, be it for want of room or of
 * time, and the probe fails with it.
 */
static gboolean
virTeamingNicProbeTolerate(GError **reason,
                           GError **error)
{
    if (!g_error_matches(*reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(reason));
        return FALSE;
    }
    g_debug("%s", (*reason)->message);
    return TRUE;
}


static gboolean
virTeamingNicProbeSetMac(virTeamingNicProbing *p,
                         const virTeamingMac *mac,
                         GError **error)
{
    return virTeamingNicProbeHolds(p, error) &&
        virTeamingKernelVfSetMac(p->probe->kernel, p->probe->pf, p->was.vf.index, mac, error);
}


/* Puts the VF into the unused VLAN. *@done: FALSE if it can't be. */
static gboolean
virTeamingNicProbePark(virTeamingNicProbing *p,
                       gboolean *done,
                       GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!virTeamingNicProbeHolds(p, error))
        return FALSE;
    *done = virTeamingKernelVfSetVlan(p->probe->kernel, p->probe->pf, p->was.vf.index,
                                      VIR_TEAMING_NIC_PROBE_VLAN, 0, FALSE, &reason);
    if (*done)
        return TRUE;
    if (!virTeamingNicProbeTolerate(&reason, error))
        return FALSE;
    virTeamingNicProbeAnswer(p, VIR_TEAMING_TRAIT_VLAN_PARKS, VIR_TEAMING_ANSWER_NO);
    virTeamingNicProbeAnswer(p, VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL, VIR_TEAMING_ANSWER_NO);
    return TRUE;
}


/* Takes the VF out of any VLAN. */
static gboolean
virTeamingNicProbeUnpark(virTeamingNicProbing *p,
                         GError **error)
{
    return virTeamingNicProbeHolds(p, error) &&
        virTeamingKernelVfSetVlan(p->probe->kernel, p->probe->pf, p->was.vf.index, 0, 0, FALSE,
                                  error);
}


/* Takes @mac out of the own filter of @pf. */
static gboolean
virTeamingNicProbeForgetMac(const virTeamingNicProbe *probe,
                            const char *pf,
                            const virTeamingMac *mac,
                            GError **error)
{
    virTeamingFdbEntry entry = { .mac = *mac, .flags = VIR_TEAMING_FDB_SELF };

    g_strlcpy(entry.dev, pf, sizeof(entry.dev));
    return virTeamingKernelFdbDel(probe->kernel, &entry, error);
}


/* Puts the MAC into the PF's own filter. *@done: FALSE if that takes none. */
static gboolean
virTeamingNicProbeShare(virTeamingNicProbing *p,
                        gboolean *done,
                        GError **error)
{
    virTeamingFdbEntry entry = { .mac = p->mac, .flags = VIR_TEAMING_FDB_SELF };
    g_autoptr(GError) reason = NULL;

    if (!virTeamingNicProbeGoOn(p, error))
        return FALSE;
    g_strlcpy(entry.dev, p->probe->pf, sizeof(entry.dev));
    *done = virTeamingKernelFdbAdd(p->probe->kernel, &entry, &reason);
    return *done || virTeamingNicProbeTolerate(&reason, error);
}


static gboolean
virTeamingNicProbeUnshare(virTeamingNicProbing *p,
                          GError **error)
{
    return virTeamingNicProbeGoOn(p, error) &&
        virTeamingNicProbeForgetMac(p->probe, p->probe->pf, &p->mac, error);
}


static gboolean
virTeamingNicProbeUnbind(virTeamingNicProbing *p,
                         GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;

    if (!virTeamingNicProbeHolds(p, error))
        return FALSE;
    wire->ops->drop(wire);
    return wire->ops->unbind(wire, &p->was.vf.address, error);
}


/* ---- the three parts ---- */

/* From now on another MAC that nobody has empties the VF, since zero does not. */
static gboolean
virTeamingNicProbeRefuseZero(virTeamingNicProbing *p,
                             GError **error)
{
    virTeamingNicProbeAnswer(p, VIR_TEAMING_TRAIT_ACCEPTS_ZERO, VIR_TEAMING_ANSWER_NO);
    p->off = p->mac;
    p->off.addr[5] ^= 1;
    return virTeamingNicProbeSetMac(p, &p->off, error);
}


static gboolean
virTeamingNicProbeEmpty(virTeamingNicProbing *p,
                        GError **error)
{
    const virTeamingNicProbe *probe = p->probe;
    g_autoptr(GError) reason = NULL;
    virTeamingVf vf;

    if (!virTeamingNicProbeSetMac(p, &p->mac, error) || !virTeamingNicProbeHolds(p, error))
        return FALSE;
    if (!virTeamingKernelVfSetMac(probe->kernel, probe->pf, p->was.vf.index, &p->off, &reason))
        return virTeamingNicProbeTolerate(&reason, error) && virTeamingNicProbeRefuseZero(p, error);
    if (!virTeamingKernelVfGet(probe->kernel, probe->pf, p->was.vf.index, &vf, error))
        return FALSE;
    /* That it is accepted is no answer yet: what the VF then gets, a peer can tell later. */
    return virTeamingMacIsZero(&vf.mac) || virTeamingNicProbeRefuseZero(p, error);
}


/* *@pass: whether frames go between the peer and the PF, either way. */
static gboolean
virTeamingNicProbePass(virTeamingNicProbing *p,
                       gboolean *pass,
                       GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;
    const gint64 end = wire->ops->now(wire) + VIR_TEAMING_NIC_PROBE_CHANGE * 1000;

    /* How soon the last change is in force is not known yet. */
    do {
        if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
            return FALSE;
        p->pfGets = p->got[VIR_TEAMING_NIC_END_PF];
    } while (p->pfGets != VIR_TEAMING_ANSWER_YES && wire->ops->now(wire) < end);
    if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PF, error))
        return FALSE;
    p->peerGets = p->got[VIR_TEAMING_NIC_END_PEER];
    *pass = p->pfGets == VIR_TEAMING_ANSWER_YES || p->peerGets == VIR_TEAMING_ANSWER_YES;
    return TRUE;
}


/* Nobody drives the VF and it has no MAC: where do frames go without a VF? */
static gboolean
virTeamingNicProbeGround(virTeamingNicProbing *p,
                         GError **error)
{
    const virTeamingNicProbe *probe = p->probe;
    gboolean good;

    virTeamingNicProbeSay(probe, "how frames go while no VF has their MAC");
    if (!virTeamingNicProbeUnbind(p, error) ||
        (p->was.vf.vlan && !virTeamingNicProbeUnpark(p, error)) ||
        !virTeamingNicProbeEmpty(p, error))
        return FALSE;
    if (!probe->peer)
        return TRUE;

    if (!virTeamingNicProbePass(p, &good, error))
        return FALSE;
    /* Or does the VF still have the MAC, despite the zero? */
    if (!good && virTeamingMacIsZero(&p->off) &&
        (!virTeamingNicProbeRefuseZero(p, error) || !virTeamingNicProbePass(p, &good, error)))
        return FALSE;
    if (good)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                "frames do not pass between '%s' and '%s'; --peer wants an interface that is "
                "cabled to the same switch, in the same VLAN, as the PF", probe->peer, probe->pf);
    return FALSE;
}


/* Binds a driver to the VF, which holds the MAC, and takes the VF. */
static gboolean
virTeamingNicProbeDrive(virTeamingNicProbing *p,
                        GError **error)
{
    const virTeamingNicProbe *probe = p->probe;
    virTeamingNicWire *wire = probe->wire;
    const virTeamingPciAddress *address = &p->was.vf.address;
    virTeamingPciDevice device;
    virTeamingMac mac;

    if (!virTeamingNicProbeSetMac(p, &p->mac, error) ||
        !virTeamingNicProbeReceive(p, p->settleMs, error) ||
        !wire->ops->bind(wire, address, p->was.driver[0] ? p->was.driver : NULL, error) ||
        !virTeamingNicProbeHolds(p, error) ||
        !virTeamingKernelPciGetDevice(probe->kernel, address, &device, error) ||
        !wire->ops->take(wire, address, &mac, error))
        return FALSE;

    g_free(p->verdict->vfDriver);
    p->verdict->vfDriver = g_strdup(device.driver);
    virTeamingNicProbeAnswer(p, VIR_TEAMING_TRAIT_KEEPS_MAC,
                             virTeamingMacEqual(&mac, &p->mac) ?
                             VIR_TEAMING_ANSWER_YES : VIR_TEAMING_ANSWER_NO);

    for (guint waited = 0; !(p->carrier = wire->ops->ready(wire)) &&
         waited < VIR_TEAMING_NIC_PROBE_CARRIER; waited += 20) {
        if (!virTeamingNicProbeReceive(p, 20, error))
            return FALSE;
    }
    return TRUE;
}


static gint
virTeamingNicProbeCompareTimes(gconstpointer a,
                               gconstpointer b)
{
    const gint64 x = *(const gint64 *)a;
    const gint64 y = *(const gint64 *)b;

    return (x > y) - (x < y);
}


/* Empties the VF, which gets frames, and sees when they stop. *@took: -1: they do not. */
static gboolean
virTeamingNicProbeTimeOff(virTeamingNicProbing *p,
                          gboolean *shared,
                          gint64 *took,
                          GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;
    const gint64 since = wire->ops->now(wire);

    if (!virTeamingNicProbeSetMac(p, &p->off, error) ||
        !virTeamingNicProbeAwaitSilence(p, since, took, error))
        return FALSE;
    if (*took >= 0 || *shared)
        return TRUE;
    /* Frames that no filter knows may go to any VF that hears multicast, as with the
     * 82576 of QEMU while its PF is promiscuous. So let the PF's filter know them. */
    return virTeamingNicProbeShare(p, shared, error) &&
        (!*shared ||
         virTeamingNicProbeAwaitSilence(p, wire->ops->now(wire), took, error));
}


/*
 * Times changes of the MAC under a driver, and learns how long to wait for one. *@done:
 * FALSE if the VF does not follow.
 */
static gboolean
virTeamingNicProbeTime(virTeamingNicProbing *p,
                       gboolean *done,
                       GError **error)
{
    virTeamingNicWire *wire = p->probe->wire;
    gint64 times[VIR_TEAMING_NIC_PROBE_ROUNDS];
    gint64 slowest = 0;
    gboolean shared = FALSE;

    *done = TRUE;
    virTeamingNicProbeSay(p->probe, "how soon a change of its MAC is in force");
    for (guint i = 0; i < VIR_TEAMING_NIC_PROBE_ROUNDS && *done; i++) {
        gint64 since;
        gint64 off;

        if (!virTeamingNicProbeTimeOff(p, &shared, &off, error))
            return FALSE;
        since = wire->ops->now(wire);
        if (!virTeamingNicProbeSetMac(p, &p->mac, error) ||
            !virTeamingNicProbeAwaitFrames(p, since, &times[i], error))
            return FALSE;
        *done = off >= 0 && times[i] >= 0;
        slowest = MAX(slowest, MAX(off, times[i]));
    }
    if (shared && !virTeamingNicProbeUnshare(p, error))
        return FALSE;
    if (!*done)
        return TRUE;

    qsort(times, G_N_ELEMENTS(times), sizeof(times[0]), virTeamingNicProbeCompareTimes);
    p->verdict->changeUs = times[G_N_ELEMENTS(times) / 2];
    p->verdict->changeMaxUs = times[G_N_ELEMENTS(times) - 1];
    p->settleMs = MAX(p->settleMs, 2 * slowest / 1000);
    return TRUE;
}


/* Who gets a frame from the wire for a MAC that PF and VF hold, while a driver reads the VF? */
static gboolean
virTeamingNicProbeAskCopied(virTeamingNicProbing *p,
                            GError **error)
{
    gboolean shared;

    virTeamingNicProbeSay(p->probe, "who gets what PF and VF both have the MAC of");
    if (!virTeamingNicProbeShare(p, &shared, error) ||
        !virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
        return FALSE;
    p->copied = !shared ? VIR_TEAMING_ANSWER_NO :
        virTeamingNicProbeBoth(p->got[VIR_TEAMING_NIC_END_PF], p->got[VIR_TEAMING_NIC_END_VF]);
    return virTeamingNicProbeUnshare(p, error);
}


/* What does a VF with a driver get while it is in an unused VLAN? */
static gboolean
virTeamingNicProbeAskParked(virTeamingNicProbing *p,
                            GError **error)
{
    gboolean parked;

    virTeamingNicProbeSay(p->probe, "what a VF in an unused VLAN gets");
    if (!virTeamingNicProbePark(p, &parked, error))
        return FALSE;
    if (!parked)
        return TRUE;
    if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PF, error))
        return FALSE;
    if (p->got[VIR_TEAMING_NIC_END_VF] == VIR_TEAMING_ANSWER_YES)
        virTeamingNicProbeAnswer(p, VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL, VIR_TEAMING_ANSWER_NO);
    if (p->probe->peer) {
        if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
            return FALSE;
        p->leaked = p->got[VIR_TEAMING_NIC_END_VF];
    }
    return virTeamingNicProbeUnpark(p, error);
}


/* A driver of the host stands in for the guest's. */
static gboolean
virTeamingNicProbeDriven(virTeamingNicProbing *p,
                         GError **error)
{
    const virTeamingNicProbe *probe = p->probe;
    virTeamingNicAnswer *answers = p->verdict->answers;
    gboolean follows;
    gint64 took;

    virTeamingNicProbeSay(probe, "what a VF with a driver gets");
    if (!virTeamingNicProbeDrive(p, error) ||
        !virTeamingNicProbeAwaitFrames(p, probe->wire->ops->now(probe->wire), &took, error))
        return FALSE;
    if (took < 0 && !p->carrier) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "VF %u of '%s' has no carrier, so it gets nothing; ip link set dev %s vf %u "
                    "state auto", p->was.vf.index, probe->pf, probe->pf, p->was.vf.index);
        return FALSE;
    }
    if (took < 0) {
        /* With a MAC of its own the driver wants other frames, and that MAC is to blame. And not
         * every NIC hands on to a VF what the PF sends, which says nothing of the wire. */
        if (probe->peer && answers[VIR_TEAMING_TRAIT_KEEPS_MAC] == VIR_TEAMING_ANSWER_YES)
            answers[VIR_TEAMING_TRAIT_STEERS] = VIR_TEAMING_ANSWER_NO;
        return TRUE;
    }
    answers[VIR_TEAMING_TRAIT_STEERS] = VIR_TEAMING_ANSWER_YES;

    if (!virTeamingNicProbeTime(p, &follows, error))
        return FALSE;
    /* A driver that sees a new MAC only when it is loaded is loaded again. */
    if (!follows && (!virTeamingNicProbeUnbind(p, error) || !virTeamingNicProbeDrive(p, error)))
        return FALSE;
    return (!probe->peer || virTeamingNicProbeAskCopied(p, error)) &&
        virTeamingNicProbeAskParked(p, error);
}


/* Nobody drives the VF any more, which has the MAC: what does the PF get? */
static gboolean
virTeamingNicProbeIdle(virTeamingNicProbing *p,
                       GError **error)
{
    const virTeamingNicAnswer *pf = &p->got[VIR_TEAMING_NIC_END_PF];
    virTeamingNicAnswer *answers = p->verdict->answers;
    gboolean parked;
    gboolean shared;

    virTeamingNicProbeSay(p->probe, "what the PF gets while nobody drives the VF");
    if (!virTeamingNicProbeUnbind(p, error) ||
        !virTeamingNicProbeSetMac(p, &p->off, error) ||
        !virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
        return FALSE;
    if (p->pfGets == VIR_TEAMING_ANSWER_YES &&
        answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] != VIR_TEAMING_ANSWER_NO)
        answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] = *pf;

    if (!virTeamingNicProbeSetMac(p, &p->mac, error) ||
        !virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
        return FALSE;
    if (p->pfGets == VIR_TEAMING_ANSWER_YES)
        answers[VIR_TEAMING_TRAIT_STEERS_EARLY] = virTeamingNicProbeNot(*pf);

    if (!virTeamingNicProbePark(p, &parked, error))
        return FALSE;
    if (parked && p->peerGets == VIR_TEAMING_ANSWER_YES) {
        /* Before the PF holds the MAC too, which would keep these frames by itself. */
        if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PF, error))
            return FALSE;
        if (answers[VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL] == VIR_TEAMING_ANSWER_UNKNOWN)
            answers[VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL] = p->got[VIR_TEAMING_NIC_END_PEER];
    }

    if (!virTeamingNicProbeShare(p, &shared, error))
        return FALSE;
    if (parked) {
        if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
            return FALSE;
        answers[VIR_TEAMING_TRAIT_VLAN_PARKS] =
            virTeamingNicProbeBoth(virTeamingNicProbeNot(p->leaked), *pf);
        if (!virTeamingNicProbeUnpark(p, error))
            return FALSE;
    }

    if (!virTeamingNicProbeBurst(p, VIR_TEAMING_NIC_END_PEER, error))
        return FALSE;
    answers[VIR_TEAMING_TRAIT_COPIES] =
        virTeamingNicProbeBoth(p->copied, shared ? *pf : VIR_TEAMING_ANSWER_NO);
    return TRUE;
}


/* ---- before and after ---- */

/*
 * Why the VF must not be touched, and what to do about it; NULL: it may be. @link: its netdev,
 * if it has one.
 */
static char *
virTeamingNicProbeObject(const virTeamingNicProbe *probe,
                         const virTeamingPciDevice *device,
                         const virTeamingLink *link)
{
    if (virTeamingPciDriverIsVfio(device->driver))
        return g_strdup_printf("a guest may have it (driver %s); if none does: "
                               "virsh nodedev-reattach", device->driver);
    if (!device->driver[0])
        return NULL;
    return device->netdev[0] ? virTeamingKernelLinkFindUser(probe->kernel, link) :
        virTeamingPciDeviceFindUser(device);
}


/* Looks at a VF and its netdev. *@objection: as virTeamingNicProbeObject() has it. */
static gboolean
virTeamingNicProbeLook(const virTeamingNicProbe *probe,
                       const virTeamingPciAddress *vf,
                       virTeamingPciDevice *device,
                       virTeamingLink *link,
                       char **objection,
                       GError **error)
{
    memset(link, 0, sizeof(*link));
    if (!virTeamingKernelPciGetDevice(probe->kernel, vf, device, error) ||
        (device->netdev[0] &&
         !virTeamingKernelLinkGet(probe->kernel, device->netdev, link, error)))
        return FALSE;
    *objection = virTeamingNicProbeObject(probe, device, link);
    return TRUE;
}


/* Finds a VF that nobody uses: the last one, since libvirt hands out the first. */
static gboolean
virTeamingNicProbeChoose(const virTeamingNicProbe *probe,
                         virTeamingNicJournal *was,
                         GError **error)
{
    g_autoptr(GArray) vfs = virTeamingKernelVfList(probe->kernel, probe->pf, error);
    g_autoptr(GString) why = g_string_new(NULL);

    if (!vfs)
        return FALSE;
    if (vfs->len == 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "'%s' has no VFs; write a number to /sys/class/net/%s/device/sriov_numvfs",
                    probe->pf, probe->pf);
        return FALSE;
    }
    for (guint i = vfs->len; i-- > 0;) {
        const virTeamingVf *vf = &g_array_index(vfs, virTeamingVf, i);
        g_autofree char *objection = NULL;
        virTeamingPciDevice device;
        virTeamingLink link;

        if (!virTeamingNicProbeLook(probe, &vf->address, &device, &link, &objection, error))
            return FALSE;
        if (objection) {
            g_string_append_printf(why, "\n  VF %u: %s", vf->index, objection);
            continue;
        }
        /* The driver that is taken from it must be had again. */
        if (!virTeamingNicWireMayBind(&device, error))
            return FALSE;
        memset(was, 0, sizeof(*was));
        was->vf = *vf;
        was->netdevMac = link.mac;
        was->mtu = link.mtu;
        was->up = link.up;
        g_strlcpy(was->pf, probe->pf, sizeof(was->pf));
        g_strlcpy(was->driver, device.driver, sizeof(was->driver));
        g_strlcpy(was->netdev, device.netdev, sizeof(was->netdev));
        return TRUE;
    }
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                "'%s' has no VF that nobody uses:%s", probe->pf, why->str);
    return FALSE;
}


static gboolean
virTeamingNicProbeCheckLink(const virTeamingNicProbe *probe,
                            const char *ifname,
                            GError **error)
{
    virTeamingLink link;

    if (!virTeamingKernelLinkGet(probe->kernel, ifname, &link, error))
        return FALSE;
    if (!link.up) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "'%s' is off; ip link set dev %s up", ifname, ifname);
        return FALSE;
    }
    if (!link.running) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "'%s' has no carrier; look at its cable and at the switch", ifname);
        return FALSE;
    }
    return TRUE;
}


/* Keeps the first of several errors. */
static void
virTeamingNicProbeKeepError(GError **error,
                            GError *reason)
{
    if (!reason)
        return;
    if (*error)
        g_error_free(reason);
    else
        *error = reason;
}


/*
 * Waits for the netdev of the VF. A probe that was killed may have had it in its namespace, from
 * which it returns some time after the process has ended (cleanup_net() in
 * net/core/net_namespace.c, which is queued).
 */
static void
virTeamingNicProbeAwaitReturn(const virTeamingNicProbe *probe,
                              const virTeamingPciAddress *vf)
{
    virTeamingNicWire *wire = probe->wire;
    g_autoptr(GArray) arrivals = g_array_new(FALSE, FALSE, sizeof(virTeamingNicArrival));

    for (guint waited = 0; waited < VIR_TEAMING_NIC_PROBE_RETURN; waited += 20) {
        virTeamingPciDevice device;
        virTeamingLink link;

        if (!virTeamingKernelPciGetDevice(probe->kernel, vf, &device, NULL) ||
            !device.driver[0] || virTeamingPciDriverIsVfio(device.driver) ||
            (device.netdev[0] &&
             virTeamingKernelLinkGet(probe->kernel, device.netdev, &link, NULL)))
            return;
        /* Only time is wanted: what the sockets say does not matter. */
        wire->ops->receive(wire, 20, arrivals, NULL);
    }
}


/*
 * Finds the VF again, and under which name and index its PF has it now: into @was. *@there: FALSE
 * if it is no more. *@user: who has it by now, if somebody does. @killed: the probe that changed
 * it is no more, either.
 */
static gboolean
virTeamingNicProbeFindAgain(const virTeamingNicProbe *probe,
                            virTeamingNicJournal *was,
                            gboolean killed,
                            gboolean *there,
                            char **user,
                            GError **error)
{
    const virTeamingPciAddress address = was->vf.address;
    g_autoptr(GError) reason = NULL;
    virTeamingPciDevice device;
    virTeamingLink link;

    if (killed)
        virTeamingNicProbeAwaitReturn(probe, &address);
    *there = virTeamingKernelPciGetDevice(probe->kernel, &address, &device, &reason);
    if (!*there && g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
        return TRUE;
    if (!*there) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if ((killed || virTeamingNicProbeIsTaken(was, &device)) &&
        !virTeamingNicProbeLook(probe, &address, &device, &link, user, error))
        return FALSE;
    /* If it has its name still: with mlx4, a PF has two, one for each port. */
    return (virTeamingKernelLinkGet(probe->kernel, was->pf, &link, NULL) &&
            g_str_equal(link.pci, device.physfn)) ||
        virTeamingKernelVfLocate(probe->kernel, &address, was->pf, &was->vf.index, error);
}


/* Says that the VF, which @user has, is not put back, and what it was. */
static void
virTeamingNicProbeLeave(const virTeamingNicProbe *probe,
                        const virTeamingNicJournal *was,
                        const char *user)
{
    char mac[VIR_TEAMING_MAC_STRING_LEN];
    g_autofree char *words =
        g_strdup_printf("VF %u of '%s' is in use by now and stays as it is: %s. Before it was "
                        "probed it had MAC %s and VLAN %u", was->vf.index, was->pf, user,
                        virTeamingMacFormat(&was->vf.mac, mac), was->vf.vlan);

    virTeamingNicProbeTell(probe, words);
}


/*
 * Gives the VF its MAC back. None may be what the NIC has before anybody sets one, and refuses
 * to be given: then the VF gets what libvirt gives it in that case, too (altZeroMAC in its
 * src/util/virnetdev.c), and that is said.
 */
static gboolean
virTeamingNicProbeRestoreMac(const virTeamingNicProbe *probe,
                             const virTeamingNicJournal *was,
                             GError **error)
{
    const virTeamingMac substitute = { { 0x02 } };
    g_autoptr(GError) reason = NULL;
    g_autofree char *words = NULL;
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    if (virTeamingKernelVfSetMac(probe->kernel, was->pf, was->vf.index, &was->vf.mac, &reason))
        return TRUE;
    if (!virTeamingMacIsZero(&was->vf.mac) ||
        !g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (!virTeamingKernelVfSetMac(probe->kernel, was->pf, was->vf.index, &substitute, error))
        return FALSE;
    words = g_strdup_printf("VF %u of '%s' had no MAC before it was probed, and the NIC does not "
                            "take one away: it has %s now, which libvirt gives for none, too",
                            was->vf.index, was->pf, virTeamingMacFormat(&substitute, mac));
    virTeamingNicProbeTell(probe, words);
    return TRUE;
}


/* Gives the VF, which has no driver, its MAC and VLAN back. */
static gboolean
virTeamingNicProbeRestoreFilter(const virTeamingNicProbe *probe,
                                const virTeamingNicJournal *was,
                                GError **error)
{
    g_autoptr(GError) reason = NULL;
    virTeamingVf vf;

    if (!virTeamingKernelVfGet(probe->kernel, was->pf, was->vf.index, &vf, &reason)) {
        /* A VF that a driver can't tell of now is left out (rtnl_fill_vfinfo() in
         * net/core/rtnetlink.c): with ice and i40e while the VF is reset, with bnx2x while the
         * PF is down. */
        if (g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                        "%s now; if '%s' is off: ip link set dev %s up", reason->message,
                        was->pf, was->pf);
        else
            g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    /* What is right already may be what this NIC can't change. */
    return ((vf.vlan == was->vf.vlan && vf.qos == was->vf.qos &&
             vf.serviceVlan == was->vf.serviceVlan) ||
            virTeamingKernelVfSetVlan(probe->kernel, was->pf, was->vf.index, was->vf.vlan,
                                      was->vf.qos, was->vf.serviceVlan, error)) &&
        (virTeamingMacEqual(&vf.mac, &was->vf.mac) ||
         virTeamingNicProbeRestoreMac(probe, was, error));
}


/* Puts the VF back, as far as it can. Adds to @first what went wrong. */
static void
virTeamingNicProbeRestoreVf(const virTeamingNicProbe *probe,
                            const virTeamingNicJournal *was,
                            GError **first)
{
    virTeamingNicWire *wire = probe->wire;
    GError *reason = NULL;

    /* Without a driver first: the driver reads the MAC when it is bound. What a guest has taken
     * this moment keeps its filter, too; the next time it is seen that somebody has it. */
    if (!wire->ops->unbind(wire, &was->vf.address, &reason)) {
        const gboolean busy = g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY);

        virTeamingNicProbeKeepError(first, g_steal_pointer(&reason));
        if (busy)
            return;
    }
    virTeamingNicProbeRestoreFilter(probe, was, &reason);
    virTeamingNicProbeKeepError(first, g_steal_pointer(&reason));
    if (was->driver[0] &&
        wire->ops->bind(wire, &was->vf.address, was->driver, &reason) && was->netdev[0])
        wire->ops->settle(wire, &was->vf.address, was->netdev, &was->netdevMac, was->mtu,
                          was->up, &reason);
    virTeamingNicProbeKeepError(first, g_steal_pointer(&reason));
}


/*
 * Puts back all that @journal says, as far as it can, and only then forgets it. @killed: it is
 * that of a probe which is no more.
 */
static gboolean
virTeamingNicProbeRestore(const virTeamingNicProbe *probe,
                          const virTeamingNicJournal *journal,
                          gboolean killed,
                          GError **error)
{
    virTeamingNicJournal was = *journal;
    g_autofree char *path = virTeamingNicJournalPath(probe->rundir);
    g_autofree char *user = NULL;
    g_autoptr(GError) first = NULL;
    GError *reason = NULL;
    gboolean there;

    probe->wire->ops->drop(probe->wire);
    if (virTeamingNicProbeFindAgain(probe, &was, killed, &there, &user, &first)) {
        /* Without the VF its PF is known by name only. If it has another now, all that stays
         * is a MAC in its filter that nobody has. */
        if (!virTeamingNicProbeForgetMac(probe, was.pf, &was.mac, &reason) && !there &&
            g_error_matches(reason, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
            g_clear_error(&reason);
        virTeamingNicProbeKeepError(&first, g_steal_pointer(&reason));
        if (user)
            virTeamingNicProbeLeave(probe, &was, user);
        else if (there)
            virTeamingNicProbeRestoreVf(probe, &was, &first);
    }

    if (!first)
        return virTeamingNicJournalRemove(probe->rundir, error);
    g_set_error(error, first->domain, first->code,
                "%s; so VF %u of '%s' is not as it was, which the next 'virt-teaming probe' "
                "tries again to mend; to leave it so, remove %s", first->message,
                was.vf.index, was.pf, path);
    return FALSE;
}


static gboolean
virTeamingNicProbeRecoverLocked(const virTeamingNicProbe *probe,
                                GError **error)
{
    virTeamingNicJournal was;
    gboolean found;

    if (!virTeamingNicJournalLoad(&was, probe->rundir, &found, error))
        return FALSE;
    if (!found)
        return TRUE;
    virTeamingNicProbeSay(probe, "putting back what an earlier probe, which was killed, left");
    return virTeamingNicProbeRestore(probe, &was, TRUE, error);
}


/**
 * virTeamingNicProbeRecover:
 * @probe: of which only the kernel, the wire, the directory and whom to tell are used
 * @error: set to BUSY if another probe runs, else as the kernel says
 *
 * Puts back what an earlier probe has left, of whichever PF, if one was killed. What somebody
 * uses by now stays as it is.
 *
 * Returns: whether there is nothing left to put back.
 */
gboolean
virTeamingNicProbeRecover(const virTeamingNicProbe *probe,
                          GError **error)
{
    int lock = virTeamingNicJournalLock(probe->rundir, error);
    gboolean good = lock >= 0 && virTeamingNicProbeRecoverLocked(probe, error);

    if (lock >= 0)
        close(lock);
    return good;
}


/* Fills in how the verdict came about. */
static void
virTeamingNicProbeSign(virTeamingNicProbing *p)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    char address[VIR_TEAMING_PCI_STRING_LEN];
    struct utsname system;

    p->verdict->vf = g_strdup(virTeamingPciAddressFormat(&p->was.vf.address, address));
    p->verdict->peer = g_strdup(p->probe->peer);
    p->verdict->date = g_date_time_format_iso8601(now);
    if (uname(&system) == 0)
        p->verdict->kernel = g_strdup(system.release);
}


/* Runs the probe while the lock is held. */
static virTeamingNicVerdict *
virTeamingNicProbeRunLocked(const virTeamingNicProbe *probe,
                            GError **error)
{
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autoptr(GArray) arrivals = g_array_new(FALSE, FALSE, sizeof(virTeamingNicArrival));
    g_autoptr(GError) left = NULL;
    virTeamingNicIdentity identity;
    virTeamingNicProbing p = {
        .probe = probe,
        .source = probe->peer ? VIR_TEAMING_NIC_END_PEER : VIR_TEAMING_NIC_END_PF,
        .mac = { { 0x02, 0x88, 0xb5 } },
        .settleMs = VIR_TEAMING_NIC_PROBE_SETTLE,
        .arrivals = arrivals,
    };
    gboolean good;

    if (!virTeamingNicProbeRecoverLocked(probe, error) ||
        !virTeamingNicIdentityRead(probe->kernel, probe->pf, &identity, error) ||
        !virTeamingNicProbeCheckLink(probe, probe->pf, error) ||
        (probe->peer && !virTeamingNicProbeCheckLink(probe, probe->peer, error)) ||
        !virTeamingNicProbeChoose(probe, &p.was, error))
        return NULL;

    for (gsize i = 3; i < sizeof(p.mac.addr); i++)
        p.mac.addr[i] = g_random_int_range(0, 256);
    p.was.mac = p.mac;
    verdict = p.verdict = virTeamingNicVerdictNew(&identity);
    virTeamingNicProbeSign(&p);

    if (!virTeamingNicJournalSave(&p.was, probe->rundir, error))
        return NULL;
    good = virTeamingNicProbeGround(&p, error) &&
        virTeamingNicProbeDriven(&p, error) &&
        (!probe->peer || virTeamingNicProbeIdle(&p, error)) &&
        virTeamingNicProbeHolds(&p, error);
    if (!virTeamingNicProbeRestore(probe, &p.was, FALSE, &left)) {
        /* What is left behind matters more than why. */
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&left));
        return NULL;
    }
    return good ? g_steal_pointer(&verdict) : NULL;
}


/**
 * virTeamingNicProbeRun:
 * @probe: what to probe, and how
 * @error: set to NOT_FOUND if there is no such PF or it has no VFs, to BUSY if all VFs are in use,
 *         another probe runs or it was stopped, to UNSUPPORTED if the NIC or the wire
 *         can't be probed, else as the kernel says
 *
 * Takes some seconds. Afterwards all is as it was, unless @error says otherwise.
 *
 * Returns: (transfer full): what was found, or NULL.
 */
virTeamingNicVerdict *
virTeamingNicProbeRun(const virTeamingNicProbe *probe,
                      GError **error)
{
    int lock = virTeamingNicJournalLock(probe->rundir, error);
    virTeamingNicVerdict *verdict;

    if (lock < 0)
        return NULL;
    verdict = virTeamingNicProbeRunLocked(probe, error);
    close(lock);
    return verdict;
}
