/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_command.h: a pair's NICs as arguments for QEMU
 */

#pragma once

#include <json-glib/json-glib.h>

#include "teaming_conf.h"
#include "teaming_validate.h"

/**
 * virTeamingQemuArg: one option for QEMU with its properties
 * @option: "-netdev" or "-device"
 * @props: what libvirt writes behind it, in libvirt's order
 * @nic: the NIC that it is for
 */
typedef struct {
    const char *option;
    JsonObject *props;
    const virTeamingNic *nic;
} virTeamingQemuArg;

GPtrArray *virTeamingQemuCommandBuild(const virTeamingDomain *domain,
                                      GError **error);
char *virTeamingQemuArgFormat(const virTeamingQemuArg *arg);

/**
 * virTeamingQemuAsk:
 * @command: a QMP command
 * @opaque: as given
 * @error: set if QEMU could not be asked; not if it answered with an error
 *
 * Returns: (transfer full): QEMU's answer, or NULL.
 */
typedef char *(*virTeamingQemuAsk)(const char *command,
                                   gpointer opaque,
                                   GError **error);

gboolean virTeamingQemuCompareCommand(const virTeamingDomain *domain,
                                      const char *const *argv,
                                      GPtrArray *findings,
                                      GError **error);
gboolean virTeamingQemuCompareMonitor(const virTeamingDomain *domain,
                                      virTeamingQemuAsk ask,
                                      gpointer opaque,
                                      GPtrArray *findings,
                                      GError **error);
