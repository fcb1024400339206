/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_systemd.h: what systemd is told, and asked
 */

#pragma once

#include <glib.h>

void virTeamingSystemdReady(void);
gboolean virTeamingSystemdHoldsLibvirt(void);
