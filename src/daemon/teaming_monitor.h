/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_monitor.h: the connection to libvirt: its events, and what it answers
 */

#pragma once

#include "teaming_driver.h"

typedef struct _virTeamingMonitor virTeamingMonitor;

virTeamingMonitor *virTeamingMonitorNew(const char *uri,
                                        virTeamingDriver *driver);
void virTeamingMonitorFree(virTeamingMonitor *monitor);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingMonitor, virTeamingMonitorFree)
