/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_error.c: the one way in which virt-teaming reports errors
 */

#include "teaming_error.h"

GQuark
virTeamingErrorQuark(void)
{
    return g_quark_from_static_string("virt-teaming-error");
}
