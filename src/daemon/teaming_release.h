/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_release.h: a host is left to stock libvirt
 */

#pragma once

#include "teaming_kernel.h"

gboolean virTeamingPairsRelease(virTeamingKernel *kernel,
                                const char *statedir,
                                GError **error);
