/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nodedev_conf.h: a libvirt node <device>, as far as it tells a VF from other devices
 */

#pragma once

#include "teaming_validate.h"

gboolean virTeamingNodeDeviceParse(const char *xml,
                                   const char *file,
                                   virTeamingHostDevice *ret,
                                   GError **error);
