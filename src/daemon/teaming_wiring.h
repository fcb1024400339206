/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_wiring.h: how a pair's standby reaches the wire on this host
 */

#pragma once

#include "teaming_pairobj.h"

/* In more VLANs than that, a bridge's entries are listed, not looked up. */
#define VIR_TEAMING_PAIR_LOOKUPS 8

gboolean virTeamingPairObjFollowPf(virTeamingPairObj *pair,
                                   virTeamingKernel *kernel);
gboolean virTeamingPairObjFindTap(const virTeamingPairObj *pair,
                                  virTeamingKernel *kernel,
                                  virTeamingLink *ret,
                                  GError **error);
gboolean virTeamingLinkIsBridge(virTeamingKernel *kernel,
                                const char *name,
                                const char *known);
gboolean virTeamingPairObjCloseUplink(const virTeamingPairObj *pair,
                                      virTeamingKernel *kernel,
                                      GError **error);
gboolean virTeamingPairObjResolve(virTeamingPairObj *pair,
                                  virTeamingKernel *kernel,
                                  const virTeamingLink *tap,
                                  GError **error);
void virTeamingPairObjTakeUp(virTeamingPairObj *pair,
                             virTeamingKernel *kernel);
void virTeamingPairObjSearch(virTeamingPairObj *pair,
                             virTeamingKernel *kernel);
char *virTeamingPairObjGetWiring(const virTeamingPairObj *pair);
gboolean virTeamingPairObjLookVlans(virTeamingPairObj *pair,
                                    virTeamingKernel *kernel,
                                    const char *bridge,
                                    GError **error);
char *virTeamingPairObjFindSplit(const virTeamingPairObj *pair);
char *virTeamingPairObjFindRemark(const virTeamingPairObj *pair);
char *virTeamingPairObjFindLack(const virTeamingPairObj *pair,
                                virTeamingKernel *kernel,
                                const virTeamingLink *tap);
