/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_driver_priv.h: what the files that make up virTeamingDriver share
 */

#pragma once

#include "teaming_conf.h"
#include "teaming_driver.h"

struct _virTeamingDriver {
    virTeamingKernel *kernel;
    char *statedir;
    GPtrArray *pairs;               /* of virTeamingPairObj */
    char **pfs;                     /* links that may be PFs, when a guest was last expected */
    guint events;                   /* seen, of all domains */
    GHashTable *serials;            /* domain's uuid -> @events when its last one was */
    guint forgotten;                /* the same, of those that are not in there any more */
    virTeamingPolicy policy;        /* of this host */
    GHashTable *networks;           /* as in virTeamingHost; NULL: not known */
    char *verdicts;                 /* directory; NULL: the usual one */
    gboolean cgroups;               /* hosts like this one have them */
    virTeamingDriverAsk ask;        /* NULL: there is no libvirt to ask */
    virTeamingDriverAskNetworks askNetworks;
    virTeamingDriverPlug plug;
    virTeamingDriverAbort abort;
    virTeamingDriverUnhide unhide;
    virTeamingDriverNote note;
    gpointer libvirt;
    guint timer;
    gint64 ranAt;                   /* all pairs were looked at; monotonic microseconds */
    gint64 strangersAt;             /* a link of no pair has changed; 0: none has */
    char *libvirtProblem;
};

/* teaming_driver.c */
virTeamingPairObj *virTeamingDriverNext(const virTeamingDriver *driver,
                                        const char *uuid,
                                        guint *i);
void virTeamingDriverAskAbout(virTeamingDriver *driver,
                              const char *uuid,
                              gboolean resync);
void virTeamingDriverSettleDomain(virTeamingDriver *driver,
                                  const char *uuid,
                                  gboolean anew);
void virTeamingDriverAdvance(virTeamingDriver *driver,
                             const char *uuid);
virTeamingPairObj *virTeamingDriverFind(virTeamingDriver *driver,
                                        const char *uuid,
                                        const virTeamingMac *mac);
void virTeamingDriverListPfs(virTeamingDriver *driver);

/* teaming_domain.c */
virTeamingPolicy virTeamingDriverPolicy(const virTeamingDriver *driver,
                                        const virTeamingDomain *domain);
const virTeamingNic *virTeamingDomainFindStandby(const virTeamingDomain *domain,
                                                 const virTeamingPairObj *pair);
gboolean virTeamingDomainHasPair(const virTeamingDomain *domain,
                                 const virTeamingPairObj *pair);
void virTeamingDriverTakeAll(virTeamingDriver *driver,
                             const virTeamingDomain *domain,
                             virTeamingActivity activity,
                             gboolean news);
void virTeamingDriverKeepDevices(virTeamingDriver *driver,
                                 const virTeamingDomain *domain,
                                 const char *xml);

/* teaming_hook.c */
void virTeamingDriverReview(virTeamingDriver *driver,
                            const virTeamingDomain *domain);

/* teaming_hotplug.c */
void virTeamingDriverAskFor(virTeamingDriver *driver,
                            virTeamingPairObj *pair,
                            gint64 now);
void virTeamingDriverGiveUp(virTeamingDriver *driver,
                            virTeamingPairObj *pair,
                            gint64 now,
                            char *why);
void virTeamingDriverGuard(virTeamingDriver *driver,
                           virTeamingPairObj *pair,
                           gint64 now);
