/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-host.h: how subcommands reach the daemon of this host
 */

#pragma once

#include <gio/gio.h>

#include "virt-teaming.h"

/* A way to virtteamingd. */
typedef struct {
    GDBusConnection *connection;
    const char *name;               /* on a message bus; NULL on the daemon's own socket */
} virTeamingCmdDaemon;

gboolean virTeamingCmdReachDaemon(const char *statedir,
                                  virTeamingCmdDaemon *daemon,
                                  GError **error);
void virTeamingCmdDaemonClear(virTeamingCmdDaemon *daemon);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingCmdDaemon, virTeamingCmdDaemonClear)

GVariant *virTeamingCmdAskDaemon(const virTeamingCmdDaemon *daemon,
                                 const char *interface,
                                 const char *method,
                                 GVariant *parameters,
                                 const char *type,
                                 GError **error);
const char *virTeamingCmdPairGet(GVariant *pair,
                                 const char *key);
GVariant *virTeamingCmdFilterPairs(GVariant *pairs,
                                   const char *domain,
                                   const char *standby);
