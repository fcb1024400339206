/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_hookserver.h: the socket on which libvirt's hook hands its calls over
 */

#pragma once

#include <gio/gio.h>

#include "teaming_driver.h"

GSocketService *virTeamingHookServerNew(const char *path,
                                        virTeamingDriver *driver,
                                        GError **error);
