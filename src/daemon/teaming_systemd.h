/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_systemd.h: what systemd is told
 */

#pragma once

void virTeamingSystemdReady(void);
