/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_error.h: the one way in which virt-teaming reports errors
 */

#pragma once

#include <glib.h>

#define VIR_TEAMING_ERROR (virTeamingErrorQuark())

GQuark virTeamingErrorQuark(void);

/**
 * virTeamingErrorCode:
 * @VIR_TEAMING_ERROR_INVALID: what a person wrote is malformed or contradicts itself
 * @VIR_TEAMING_ERROR_NOT_FOUND: the named object does not exist on this host
 * @VIR_TEAMING_ERROR_ACCESS: the object exists, and this process may not touch it
 * @VIR_TEAMING_ERROR_UNSUPPORTED: kernel, NIC, QEMU or libvirt can't do this, or not so
 * @VIR_TEAMING_ERROR_BUSY: someone else holds the object; trying again later may help
 * @VIR_TEAMING_ERROR_SYSTEM: the kernel refused for another reason
 * @VIR_TEAMING_ERROR_LIBVIRT: libvirt refused; the message carries its own words
 *
 * Messages say what was being done, to which object, why it failed, and, where
 * there is one, what the person can do.
 */
typedef enum {
    VIR_TEAMING_ERROR_INVALID,
    VIR_TEAMING_ERROR_NOT_FOUND,
    VIR_TEAMING_ERROR_ACCESS,
    VIR_TEAMING_ERROR_UNSUPPORTED,
    VIR_TEAMING_ERROR_BUSY,
    VIR_TEAMING_ERROR_SYSTEM,
    VIR_TEAMING_ERROR_LIBVIRT,
} virTeamingErrorCode;
