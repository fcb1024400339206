/*
 * teaming_vfio.h: keeping a VF's vfio group for a while
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

int virTeamingVfioHold(gint iommuGroup,
                       GError **error);
