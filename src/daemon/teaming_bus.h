/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_bus.h: what the daemon answers over D-Bus
 */

#pragma once

#include <gio/gio.h>

#include "teaming_bus_names.h"
#include "teaming_driver.h"

typedef struct _virTeamingBus virTeamingBus;

virTeamingBus *virTeamingBusNew(const char *socket,
                                virTeamingDriver *driver,
                                GError **error);
void virTeamingBusFree(virTeamingBus *bus);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingBus, virTeamingBusFree)
