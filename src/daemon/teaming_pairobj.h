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

/* For as long what the kernel tells may be of our own steps, and what was done for a guest that is
 * stopped waits to be looked at and journalled. Longer than a guest is stopped for a switchover. */
#define VIR_TEAMING_PAIR_ECHO_MS 1000

/* A migration and what may go wrong with it changes a pair some ten times in as many seconds. */
#define VIR_TEAMING_PAIR_CHANGES 40
#define VIR_TEAMING_PAIR_CHANGES_MS 10000

/* For libvirt to plug a VF, and to say so. */
#define VIR_TEAMING_PAIR_CAUGHT_MS 10000

/* Where a person wants a pair's frames, apart from migrations. */
typedef enum {
    VIR_TEAMING_MOVE_NONE,          /* on the VF, if the guest reads it */
    VIR_TEAMING_MOVE_OUT,           /* on the standby: the guest is being asked for its VF */
    VIR_TEAMING_MOVE_STANDBY,       /* on the standby, where they are and shall stay */
    VIR_TEAMING_MOVE_LAST
} virTeamingMove;

/* What another host has said last of a guest that is to come here. */
typedef enum {
    VIR_TEAMING_HEARD_NOTHING,
    VIR_TEAMING_HEARD_STOPPED,      /* it was stopped there, to run here */
    VIR_TEAMING_HEARD_RUNS,         /* it goes on there: QEMU's is not the last word */
} virTeamingHeard;

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
    gboolean opening;               /* QEMU was to open the VF then; not known if it has */
    gboolean postcopy;              /* runs here, and its memory still arrives */
    gboolean askedOut;
    gboolean migrating;             /* an outgoing migration is under way */
    gboolean ejectLate;             /* a migration ended before the guest let the VF go */
    gboolean defer;                 /* the VF is to be kept from QEMU until it runs */
    gboolean unplugged;             /* QEMU has no VF; libvirt is to plug it */
    gboolean nameless;              /* it has one, but the guest found it without a MAC */
    gboolean absent;                /* its domain has no VF for it, as libvirt said last */
    virTeamingMove move;
    gboolean takingOut;             /* libvirt was asked to take the VF out, for @move */
    gboolean takenBack;             /* a move was, before the guest let the VF go */
    gboolean noted;                 /* the domain carries along that it is without its VF */
    gint64 noteAt;                  /* that could not be had: when to try again; or 0 */
    char *noteProblem;              /* and why */
    gboolean completed;             /* an outgoing migration has, as far as QEMU goes */
    gboolean hidden;                /* after which it runs here: QEMU keeps its VF back */
    gboolean foretold;              /* it may leave or come, and then be in a hurry */
    char *plugXml;                  /* what to plug: as the domain brought it along */

    /* What was done and must be undone: the undo list. */
    gboolean selfAdded;             /* MAC in the filter of @uplink */
    gboolean fdbAdded;              /* entry of ours in the bridge */
    gboolean learningOff;           /* learning from @tap switched off */
    gboolean floodingOff;           /* broadcast and multicast to @tap */
    gboolean parked;                /* VF's MAC zeroed, or VLAN changed */
    guint vfVlan;                   /* the VF's VLAN and priority before it was parked */
    guint vfQos;                    /* in ours */
    gboolean vfService;             /* one of 802.1ad */
    gboolean macKept;               /* libvirt does not look after the MAC of @keptVf */
    virTeamingPciAddress keptVf;
    virTeamingMac keptMac;          /* which it had before us */
    gboolean hasCaught;             /* @caught is parked, and nobody knows yet whose it is */
    virTeamingPciAddress caught;
    guint caughtVlan;               /* the same of that */
    guint caughtQos;
    gboolean caughtService;

    /* What was observed last, and when things began (monotonic microseconds). */
    virTeamingPhase phase;
    virTeamingDatapath wanted;      /* by the sequencer, of this host */
    gboolean stale;                 /* by then @vf or @tap was another one */
    gboolean known;                 /* then all that it needs was there; @reached is what is */
    virTeamingDatapath reached;
    gint64 settledAt;               /* when the host was looked at last */
    gint64 steppedAt;               /* when a step was taken */
    gint64 lookAt;                  /* when to settle it anew; 0: when something is told */
    gboolean told;                  /* something, of which it is not settled yet */
    virTeamingPciState pci;
    char *pciProblem;               /* why that is not known, or not any more; NULL: it is */
    virTeamingPciHandle *pciHandle; /* of @vf, for those that look often; NULL: not open */
    gint64 pciReadAt;               /* when @pci was read in full */
    gint64 watchedAt;               /* when its bits were looked at, with nothing told */
    virTeamingNicTraits traits;
    gboolean traitsKnown;
    char bridge[IF_NAMESIZE];
    gboolean bridged;               /* the standby's tap is in it */
    gboolean macvtap;               /* the standby sits on @uplink; there is no bridge */
    char bottom[IF_NAMESIZE];       /* below the VLANs of @uplink: itself, a NIC or a bond */
    char wireNic[IF_NAMESIZE];      /* that which carries for @bottom now */
    guint uplinkVlan;               /* in which its frames are on the wire; 0: none */
    gboolean onVf;                  /* it is a VF, or above one */
    gboolean foreign;               /* it is above other NICs than the VF's */
    gboolean hadUplink;             /* one above the VF's NIC it once had */
    char uplinkFor[IF_NAMESIZE];    /* @pf when @uplink was chosen */
    gboolean apart;                 /* another port of the network sees its frames */
    gboolean spreads;               /* and so do several: @bottom is a bond that uses them all */
    gboolean filtersVlans;          /* @bridge does */
    GArray *vlans;                  /* of guint16: where @bridge needs entries for the MAC */
    GArray *tags;                   /* of guint16, of each: that of its frames on @uplink, or 0 */
    gboolean cutOff;                /* it filters, and there is none */
    gboolean sought;                /* @vf is the guest's, but its PF is not found */
    virTeamingPolicy policy;
    gboolean deaf;                  /* libvirt was away: what QEMU said then was not heard */
    gboolean waiting;               /* QEMU waited for the VF, but has not said that it asked */
    gint64 askedAt;                 /* when QEMU asked for the VF, or began to wait */
    gint64 stoppedAt;               /* since when the guest stands still, as heard; 0: it runs */
    gint64 masterSince;
    gint64 readySince;
    gint64 changedAt;
    gint64 changesSince;            /* @changes are counted */
    guint changes;
    int holdFd;                     /* -1: not held */
    virTeamingWire wire;            /* what the network was told last */
    virTeamingHeard heard;
    int ear;                        /* hears what the other host says; -1: it does not */
    char earAt[IF_NAMESIZE];        /* on this link */
    guint earSource;                /* who reads from it; 0: nobody */
    guint notices;                  /* frames that it has heard */
    gboolean plugging;              /* libvirt is at it, or at taking the VF out */
    gint64 plugAt;                  /* not before */
    gint64 pluggedAt;               /* when libvirt had plugged its VF; 0: it has not */
    char *plugProblem;              /* why it could not, last time */
    char *aborted;                  /* why we gave its last migration or move up, or NULL */
    gint64 abortAt;                 /* not before */
    gint64 copied;                  /* what had been sent of it when libvirt was asked last */
    gint64 copiedAt;                /* since when it is that much */
    gint64 askAt;                   /* when to ask again */
    gboolean reviewed;              /* its domain, by the rules */
    char *findings;                 /* what they say of it, or NULL */
    guint unhides;                  /* how often QEMU was made to show a hidden VF */
    gint64 unhideAt;                /* not before */
    char *unhideProblem;            /* why that can't work, or NULL */
    char *problem;                  /* why it is not as it should be, or NULL */
    char *lack;                     /* what the host lacks for its standby, or NULL */
    char *remark;                   /* what keeps frames from its VF, but not from that */
    gint64 tapGoneAt;               /* when its tap was not there any more; 0: it is */
    gint64 retryAt;                 /* if there is a problem: when to try again */
    gboolean blind;                 /* the host could not be looked at */
    gint64 catchAt;                 /* when to look if a VF was given its MAC; 0: not */
    gint64 caughtAt;                /* when @caught was */
    virTeamingPciAddress spared;    /* it was caught, and is not @pair's: not again */
    gint64 arrivedAt;               /* when it came here, until it reads its VF; 0: it has */
    gint64 openAt;                  /* if @opening: when that will be known */
    gint64 againAt;                 /* when to tell the network once more; 0: not */
    gint64 letGoAt;                 /* when its VF was unplugged for good; 0: it is known why */
    guint64 journalled;             /* digest of what the journal says; 0: nothing */
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
void virTeamingPairObjUnlisten(virTeamingPairObj *pair);
void virTeamingPairObjForgetVf(virTeamingPairObj *pair);
void virTeamingPairObjSetTap(virTeamingPairObj *pair,
                             const char *name);
void virTeamingPairObjSetVf(virTeamingPairObj *pair,
                            virTeamingKernel *kernel,
                            const virTeamingPciAddress *address);
gboolean virTeamingPairObjGlance(virTeamingPairObj *pair,
                                 virTeamingKernel *kernel,
                                 gint64 now);
void virTeamingPairObjPark(virTeamingPairObj *pair,
                           virTeamingKernel *kernel,
                           gboolean found);
void virTeamingPairObjCatch(virTeamingPairObj *pair,
                            virTeamingKernel *kernel,
                            const char *pf,
                            const char *statedir,
                            gint64 now);
void virTeamingPairObjLetGo(virTeamingPairObj *pair,
                            virTeamingKernel *kernel);
void virTeamingPairObjUncatch(virTeamingPairObj *pair,
                              virTeamingKernel *kernel,
                              const char *statedir,
                              gint64 now);
gboolean virTeamingPairObjIsRestless(const virTeamingPairObj *pair,
                                     gint64 now);
gboolean virTeamingPairObjIsSettled(virTeamingPairObj *pair,
                                    virTeamingKernel *kernel,
                                    gint64 now);
void virTeamingPairObjLookBy(virTeamingPairObj *pair,
                             gint64 due);
void virTeamingPairObjKeep(virTeamingPairObj *pair,
                           const char *statedir,
                           gint64 now);
gboolean virTeamingPairObjHurry(virTeamingPairObj *pair,
                                virTeamingKernel *kernel,
                                const char *statedir,
                                gint64 now);
gboolean virTeamingPairObjSettle(virTeamingPairObj *pair,
                                 virTeamingKernel *kernel,
                                 const char *statedir,
                                 gint64 now);
gboolean virTeamingPairObjIsAlone(const virTeamingPairObj *pair);
gboolean virTeamingPairObjIsHere(const virTeamingPairObj *pair,
                                 virTeamingKernel *kernel);
char *virTeamingPairObjGetProblem(const virTeamingPairObj *pair);
const char *virTeamingPairObjExplain(const virTeamingPairObj *pair);
const char *virTeamingMoveToString(virTeamingMove move);
void virTeamingPairObjUnhide(virTeamingPairObj *pair);
void virTeamingPairObjObserve(const virTeamingPairObj *pair,
                              gint64 now,
                              virTeamingObserved *ret);
