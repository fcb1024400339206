/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_datapath.h: what is of a pair's switches on this host, and the steps that change it
 */

#pragma once

#include "teaming_pairobj.h"

gboolean virTeamingPairObjLookVf(virTeamingPairObj *pair,
                                 virTeamingKernel *kernel,
                                 const virTeamingDatapath *desired,
                                 virTeamingVfFilter *ret,
                                 GError **error);
gboolean virTeamingPairObjLook(virTeamingPairObj *pair,
                               virTeamingKernel *kernel,
                               virTeamingDatapath *desired,
                               GArray **entries,
                               virTeamingDatapath *ret,
                               GError **error);
GArray *virTeamingPairObjRecall(const virTeamingPairObj *pair);
void virTeamingPairObjPromise(virTeamingPairObj *pair,
                              virTeamingStep step);
void virTeamingPairObjKeepMac(virTeamingPairObj *pair,
                              virTeamingKernel *kernel);
void virTeamingPairObjGiveMacBack(virTeamingPairObj *pair,
                                  virTeamingKernel *kernel);
gboolean virTeamingPairObjTake(virTeamingPairObj *pair,
                               virTeamingKernel *kernel,
                               virTeamingStep step,
                               const GArray *entries,
                               GError **error);
gboolean virTeamingPairObjTakePlan(virTeamingPairObj *pair,
                                   virTeamingKernel *kernel,
                                   const virTeamingStep *plan,
                                   guint nsteps,
                                   const GArray *entries,
                                   GString *taken,
                                   GError **error);
