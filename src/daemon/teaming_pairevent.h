/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_pairevent.h: what QEMU's events and libvirt's word mean for a pair
 */

#pragma once

#include "qemu_event.h"
#include "teaming_frame.h"
#include "teaming_pairobj.h"

/* What libvirt says a domain is doing. */
typedef enum {
    VIR_TEAMING_ACTIVITY_INACTIVE,
    VIR_TEAMING_ACTIVITY_RUNNING,
    VIR_TEAMING_ACTIVITY_INCOMING,  /* waits for its memory to arrive */
    VIR_TEAMING_ACTIVITY_PREPARING, /* runs, is to go, but its disks are copied first */
    VIR_TEAMING_ACTIVITY_UNPLUGGING, /* runs, is to go, nothing has been copied yet */
    VIR_TEAMING_ACTIVITY_OUTGOING,  /* runs, its memory is being copied away */
    VIR_TEAMING_ACTIVITY_DEPARTING, /* is stopped, at the end of that */
} virTeamingActivity;

gboolean virTeamingPairObjIsContradicted(const virTeamingPairObj *pair,
                                         virTeamingActivity activity);
gboolean virTeamingPairObjTellEvent(virTeamingPairObj *pair,
                                    const virTeamingQemuEvent *event,
                                    gint64 now);
gboolean virTeamingPairObjTellNotice(virTeamingPairObj *pair,
                                     const virTeamingNotice *notice);
void virTeamingPairObjSetActivity(virTeamingPairObj *pair,
                                  gboolean news,
                                  virTeamingActivity activity);
void virTeamingPairObjMiss(virTeamingPairObj *pair);
void virTeamingPairObjLoseVf(virTeamingPairObj *pair);
void virTeamingPairObjMoved(virTeamingPairObj *pair);
