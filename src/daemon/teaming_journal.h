/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_journal.h: what must survive the daemon: one small file per pair
 */

#pragma once

#include "teaming_pairobj.h"

gboolean virTeamingJournalSave(virTeamingPairObj *pair,
                               const char *statedir,
                               GError **error);
gboolean virTeamingJournalRemove(virTeamingPairObj *pair,
                                 const char *statedir,
                                 GError **error);
GPtrArray *virTeamingJournalLoad(const char *statedir,
                                 GError **error);
