/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_migrate.h: the XML of a domain that arrives: what to change, what to keep
 */

#pragma once

#include <glib.h>

/* Namespace of what a running domain carries along of VFs that it is without. */
#define VIR_TEAMING_MOVED_XMLNS "https://virt-teaming.org/xmlns/moved/1.0"

/* A pair that is on its standby because somebody wants it there, or has no VF to be had. */
typedef struct {
    char *standby;                  /* alias */
    char *primary;                  /* alias that its VF had */
    char *device;                   /* XML with which to plug it again */
    gboolean plug;                  /* it is to have one as soon as there is one */
} virTeamingMovedPair;

virTeamingMovedPair *virTeamingMovedPairNew(const char *standby,
                                            const char *primary,
                                            const char *device,
                                            gboolean plug);
void virTeamingMovedPairFree(virTeamingMovedPair *moved);
char *virTeamingMovedPairsFormat(const GPtrArray *pairs);

char *virTeamingDeviceUnplace(const char *xml,
                              GError **error);
char *virTeamingDomainPreallocate(const char *xml,
                                  GError **error);
char *virTeamingDomainDumpTransient(const char *xml,
                                    const char *persistent,
                                    GError **error);
