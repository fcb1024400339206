/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_host.h: what the rules need to know of this very host
 */

#pragma once

#include "teaming_kernel.h"
#include "teaming_validate.h"

void virTeamingHostLook(virTeamingHost *host,
                        const virTeamingDomain *domain,
                        virTeamingKernel *kernel,
                        const char *verdicts);
