/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_journal.h: what a probe of a NIC must put back, on file while it runs
 */

#pragma once

#include "teaming_kernel.h"

/* How a VF was before it was touched, and what the probe may have left elsewhere. */
typedef struct {
    char pf[IF_NAMESIZE];
    virTeamingVf vf;
    char driver[32];                /* "": none */
    char netdev[IF_NAMESIZE];       /* "": none; then the next three don't count */
    virTeamingMac netdevMac;
    guint mtu;                      /* 0: not known */
    gboolean up;
    virTeamingMac mac;              /* which the PF's own filter may hold */
} virTeamingNicJournal;

char *virTeamingNicJournalPath(const char *rundir);
int virTeamingNicJournalLock(const char *rundir,
                             GError **error);
gboolean virTeamingNicJournalSave(const virTeamingNicJournal *journal,
                                  const char *rundir,
                                  GError **error);
gboolean virTeamingNicJournalLoad(virTeamingNicJournal *ret,
                                  const char *rundir,
                                  gboolean *found,
                                  GError **error);
gboolean virTeamingNicJournalRemove(const char *rundir,
                                    GError **error);
