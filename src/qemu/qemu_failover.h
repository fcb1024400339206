/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_failover.h: the sequencer: what should be of one failover pair, and how to get there
 */

#pragma once

#include <glib.h>

#include "nic_traits.h"

/* Times in milliseconds, see the theory of operation in qemu_failover.c. */
#define VIR_TEAMING_FAILOVER_READY_MS 500
#define VIR_TEAMING_FAILOVER_LINGER_MS 500
#define VIR_TEAMING_FAILOVER_NEAR_MS 10
#define VIR_TEAMING_FAILOVER_EASY_MS 20
#define VIR_TEAMING_FAILOVER_CALM_MS 50

/* Where the guest is, as far as this host is concerned. */
typedef enum {
    VIR_TEAMING_GUEST_GONE,         /* no QEMU for it here */
    VIR_TEAMING_GUEST_INCOMING,     /* a QEMU here waits for it: it runs elsewhere */
    VIR_TEAMING_GUEST_HERE,         /* runs here, or is suspended here */
    VIR_TEAMING_GUEST_DEPARTING,    /* stopped here so that it can run elsewhere */
} virTeamingGuest;

typedef enum {
    VIR_TEAMING_PARK_AUTO,          /* as the NIC's traits say */
    VIR_TEAMING_PARK_ZERO,
    VIR_TEAMING_PARK_VLAN,
} virTeamingParkingWay;

/**
 * virTeamingObserved: everything that the decision about a pair rests on
 * @guest: where the guest is
 * @handedOver: the host that it runs on has said that it was stopped there to run elsewhere
 * @negotiated: QEMU has said, since the guest came here, that the guest's virtio
 *              driver took STANDBY: the VF is, or is about to be, shown to it
 * @askedOut: QEMU has asked the guest to let the VF go, and has not given up since
 * @hasVf: the pair's VF on this host is known
 * @busMaster: the VF's Bus Master Enable bit, if it is bound to a driver for guests
 * @vectors: the VF's interrupt vectors in use, likewise
 * @masterMs: for how long @busMaster has been set, 0 if it is not
 * @readyMs: for how long the guest's driver has been seen to read, 0 if it does not
 * @defer: the VF is to be plugged only when the guest runs here
 * @unplugged: the VF was kept from QEMU, and libvirt has yet to plug it
 * @parking: how a VF that nobody reads is parked while its guest is here
 * @apart: the standby reaches the network by another port of it than the VF
 * @traits: what the NIC can do for the two of them
 */
typedef struct {
    virTeamingGuest guest;
    gboolean handedOver;
    gboolean negotiated;
    gboolean askedOut;
    gboolean hasVf;
    gboolean busMaster;
    guint vectors;
    gint64 masterMs;
    gint64 readyMs;
    gboolean defer;
    gboolean unplugged;
    virTeamingParkingWay parking;
    gboolean apart;
    virTeamingNicTraits traits;
} virTeamingObserved;

/* The rows of the table. */
typedef enum {
    VIR_TEAMING_PHASE_GONE,
    VIR_TEAMING_PHASE_ARRIVING,     /* runs elsewhere, expected here */
    VIR_TEAMING_PHASE_LANDING,      /* runs nowhere, is about to run here */
    VIR_TEAMING_PHASE_STANDBY,      /* runs here, has no VF */
    VIR_TEAMING_PHASE_SHOWN,        /* has a VF that its driver does not read yet */
    VIR_TEAMING_PHASE_SETTLING,     /* has just begun to read the VF */
    VIR_TEAMING_PHASE_DRIVING,      /* the VF carries */
    VIR_TEAMING_PHASE_LEAVING,      /* asked to let the VF go, still reads it */
    VIR_TEAMING_PHASE_RELEASED,     /* has let the VF go */
    VIR_TEAMING_PHASE_DEPARTED,     /* stopped here, about to run elsewhere */
    VIR_TEAMING_PHASE_LAST
} virTeamingPhase;

/* What the NIC holds for the VF. */
typedef enum {
    VIR_TEAMING_VF_KEEP,            /* whatever it is: libvirt's business */
    VIR_TEAMING_VF_FORGET,          /* the same, but no VLAN of ours */
    VIR_TEAMING_VF_PAIR,            /* the pair's MAC, no VLAN of ours */
    VIR_TEAMING_VF_ZERO,            /* parked: no MAC */
    VIR_TEAMING_VF_VLAN,            /* parked: the pair's MAC in an unused VLAN */
    VIR_TEAMING_VF_OTHER,           /* observed only: none of these */
} virTeamingVfFilter;

/* Where the bridge sends the pair's MAC. */
typedef enum {
    VIR_TEAMING_FDB_FORGET,         /* nothing of ours there, and not to the standby */
    VIR_TEAMING_FDB_STANDBY,        /* pinned to the standby's tap */
    VIR_TEAMING_FDB_UPLINK,         /* pinned to the uplink */
    VIR_TEAMING_FDB_BOTH,           /* no entry: the bridge floods to both */
    VIR_TEAMING_FDB_LEARNT_STANDBY, /* observed only: learnt, on the standby's tap */
    VIR_TEAMING_FDB_LEARNT_UPLINK,  /* observed only: learnt, on the uplink */
    VIR_TEAMING_FDB_ELSEWHERE,      /* observed only: on a third port, or not ours */
} virTeamingFdbPath;

/* What the network was told last of where the guest is. */
typedef enum {
    VIR_TEAMING_WIRE_KEEP,          /* nothing to tell; as what is: not known */
    VIR_TEAMING_WIRE_HERE,          /* where the standby is reached */
    VIR_TEAMING_WIRE_VF,            /* here, by the VF's NIC, which is another */
    VIR_TEAMING_WIRE_AWAY,          /* not here, not any more, or nothing at all */
} virTeamingWire;

/* What is, or should be, of one pair on one host. */
typedef struct {
    virTeamingVfFilter vf;
    gboolean self;                  /* the uplink's own filter takes the pair's MAC */
    virTeamingFdbPath fdb;
    gboolean learning;              /* the bridge learns from the standby's tap */
    gboolean flooding;              /* it sends broadcast and multicast there */
    gboolean hold;                  /* the VF's vfio group is kept from QEMU */
    virTeamingWire wire;
    gboolean listen;                /* for what the guest's other host says */
} virTeamingDatapath;

typedef enum {
    VIR_TEAMING_STEP_HAND_OVER,
    VIR_TEAMING_STEP_HOLD,
    VIR_TEAMING_STEP_LISTEN,
    VIR_TEAMING_STEP_VF_PAIR,
    VIR_TEAMING_STEP_SELF_ADD,
    VIR_TEAMING_STEP_LEARNING_OFF,
    VIR_TEAMING_STEP_FLOODING_OFF,
    VIR_TEAMING_STEP_FDB_STANDBY,
    VIR_TEAMING_STEP_FDB_UPLINK,
    VIR_TEAMING_STEP_FDB_BOTH,
    VIR_TEAMING_STEP_FDB_FORGET,
    VIR_TEAMING_STEP_ANNOUNCE,
    VIR_TEAMING_STEP_ANNOUNCE_VF,
    VIR_TEAMING_STEP_VF_ZERO,
    VIR_TEAMING_STEP_VF_VLAN,
    VIR_TEAMING_STEP_VF_FORGET,
    VIR_TEAMING_STEP_SELF_DEL,
    VIR_TEAMING_STEP_LEARNING_ON,
    VIR_TEAMING_STEP_FLOODING_ON,
    VIR_TEAMING_STEP_UNHOLD,
    VIR_TEAMING_STEP_UNLISTEN,
    VIR_TEAMING_STEP_LAST
} virTeamingStep;

/* Enough for any plan: at most one step per field of virTeamingDatapath. */
#define VIR_TEAMING_PLAN_MAX 8

virTeamingPhase virTeamingFailoverPhase(const virTeamingObserved *seen);
virTeamingDatapath virTeamingFailoverDesire(virTeamingPhase phase,
                                            const virTeamingObserved *seen);
guint virTeamingFailoverPlan(const virTeamingDatapath *actual,
                             const virTeamingDatapath *desired,
                             virTeamingStep plan[VIR_TEAMING_PLAN_MAX]);
gboolean virTeamingFailoverFdbHolds(virTeamingFdbPath actual,
                                    virTeamingFdbPath desired);
gboolean virTeamingFailoverReads(const virTeamingObserved *seen);
gint64 virTeamingFailoverNextLook(virTeamingPhase phase,
                                  const virTeamingObserved *seen);

const char *virTeamingPhaseToString(virTeamingPhase phase);
const char *virTeamingPhaseExplain(virTeamingPhase phase);
const char *virTeamingPhasePath(virTeamingPhase phase);
const char *virTeamingStepToString(virTeamingStep step);
