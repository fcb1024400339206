/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_pairobj.h: one failover pair on this host: what we know of it, what we did for it
 */

#pragma once

#include "qemu_failover.h"
#include "teaming_kernel.h"
#include "teaming_policy.h"

/* An unused VLAN, in which a VF of a NIC that does not copy waits for its driver. */
#define VIR_TEAMING_PARK_VLAN 4094

#define VIR_TEAMING_PAIR_HISTORY 16

/* One transition, for people who ask what happened. */
typedef struct {
    gint64 realtime;                /* microseconds since 1970 */
    virTeamingPhase phase;
    char *steps;
} virTeamingPairChange;

/**
 * virTeamingPairObj: a pair of a domain that runs here, or is about to.
 *
 * Everything up to and including the undo list is in the journal; the rest is observed.
 */
typedef struct {
    /* Who it is. */
    char *uuid;
    char *domain;
    char *standbyAlias;
    char *primaryAlias;
    virTeamingMac mac;

    /* Where it is; empty until known. */
    char tap[IF_NAMESIZE];
    char uplink[IF_NAMESIZE];
    char pf[IF_NAMESIZE];
    gboolean hasVf;
    virTeamingPciAddress vf;
    guint vfIndex;

    /* What QEMU and libvirt have told. */
    virTeamingGuest guest;
    gboolean started;               /* libvirt has begun to start its QEMU here */
    gboolean negotiated;
    gboolean askedOut;
    gboolean migrating;             /* an outgoing migration is under way */
    gboolean ejectLate;             /* a migration ended before the guest let the VF go */
    gboolean defer;                 /* the VF is to be kept from QEMU until it runs */
    gboolean unplugged;             /* QEMU has no VF; libvirt is to plug it */
    char *plugXml;                  /* what to plug: as the domain brought it along */

    /* What was done and must be undone: the undo list. */
    gboolean selfAdded;             /* MAC in the filter of @uplink */
    gboolean fdbAdded;              /* entry of ours in the bridge */
    gboolean learningOff;           /* learning from @tap switched off */
    gboolean parked;                /* VF's MAC zeroed, or VLAN changed */
    guint vfVlan;                   /* the VF's VLAN and priority before it was parked */
    guint vfQos;                    /* in ours */

    /* What was observed last, and when things began (monotonic microseconds). */
    virTeamingPhase phase;
    virTeamingPciState pci;
    virTeamingNicTraits traits;
    gboolean traitsKnown;
    char bridge[IF_NAMESIZE];
    virTeamingPolicy policy;
    gboolean waiting;               /* QEMU waited for the VF, but has not said that it asked */
    gint64 askedAt;                 /* when QEMU asked for the VF, or began to wait */
    gint64 masterSince;
    gint64 readySince;
    gint64 changedAt;
    int holdFd;                     /* -1: not held */
    gboolean plugging;              /* libvirt is at it */
    gint64 plugAt;                  /* not before */
    char *plugProblem;              /* why it could not, last time */
    char *findings;                 /* what the rules say of its domain, or NULL */
    char *aborted;                  /* why we gave its last migration up, or NULL */
    gint64 abortAt;                 /* not before */
    gboolean postcopy;              /* runs here, and its memory still arrives */
    char *problem;                  /* why it is not as it should be, or NULL */
    gint64 retryAt;                 /* if there is a problem: when to try again */
    char *journalled;               /* text that the journal holds */
    GQueue history;                 /* of virTeamingPairChange, newest first */
} virTeamingPairObj;

virTeamingPairObj *virTeamingPairObjNew(const char *uuid,
                                        const char *domain,
                                        const virTeamingMac *mac);
void virTeamingPairObjFree(virTeamingPairObj *pair);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingPairObj, virTeamingPairObjFree)

gboolean virTeamingPairObjLocateVf(virTeamingPairObj *pair,
                                   virTeamingKernel *kernel,
                                   const char *pf);
void virTeamingPairObjSetVf(virTeamingPairObj *pair,
                            virTeamingKernel *kernel,
                            const virTeamingPciAddress *address);
gboolean virTeamingPairObjGlance(virTeamingPairObj *pair,
                                 virTeamingKernel *kernel,
                                 gint64 now);
void virTeamingPairObjPark(virTeamingPairObj *pair,
                           virTeamingKernel *kernel);
gboolean virTeamingPairObjSettle(virTeamingPairObj *pair,
                                 virTeamingKernel *kernel,
                                 const char *statedir,
                                 gint64 now);
gboolean virTeamingPairObjIsHere(const virTeamingPairObj *pair,
                                 virTeamingKernel *kernel);
char *virTeamingPairObjGetProblem(const virTeamingPairObj *pair);
void virTeamingPairObjObserve(const virTeamingPairObj *pair,
                              gint64 now,
                              virTeamingObserved *ret);
