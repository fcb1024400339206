/*
 * teaming_vfio.c: keeping a VF's vfio group for a while
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "teaming_vfio.h"

#include <errno.h>
#include <fcntl.h>

#include "teaming_error.h"

/**
 * virTeamingVfioHold:
 * @iommuGroup: number of the VF's IOMMU group
 * @error: set to VIR_TEAMING_ERROR_BUSY if someone else has it, or to why it can't be
 *         opened
 *
 * A group's device admits one opener at a time (Linux, drivers/vfio/group.c), so while
 * it is held here, QEMU's attempt to use the VF fails at once. The kernel ends the hold
 * with the process at the latest.
 *
 * Returns: a file descriptor; the hold lasts until it is closed. -1 on error.
 */
int
virTeamingVfioHold(gint iommuGroup,
                   GError **error)
{
    g_autofree char *path = g_strdup_printf("/dev/vfio/%d", iommuGroup);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        g_set_error(error, VIR_TEAMING_ERROR,
                    errno == EBUSY ? VIR_TEAMING_ERROR_BUSY : VIR_TEAMING_ERROR_SYSTEM,
                    "cannot keep IOMMU group %d from QEMU until the guest runs here: %s: %s",
                    iommuGroup, path, g_strerror(errno));
    return fd;
}
