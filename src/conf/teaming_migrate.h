/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_migrate.h: the XML of a domain that arrives: what to change, what to keep
 */

#pragma once

#include <glib.h>

/* Namespace of what a running domain carries along of VFs that it was moved away from. */
#define VIR_TEAMING_MOVED_XMLNS "https://virt-teaming.org/xmlns/moved/1.0"

/* A pair that is on its standby because somebody wants it there. */
typedef struct {
    char *standby;                  /* alias */
    char *primary;                  /* alias that its VF had */
    char *device;                   /* XML with which to plug it again */
} virTeamingMovedPair;

virTeamingMovedPair *virTeamingMovedPairNew(const char *standby,
                                            const char *primary,
                                            const char *device);
void virTeamingMovedPairFree(virTeamingMovedPair *moved);
char *virTeamingMovedPairsFormat(const GPtrArray *pairs);

char *virTeamingDomainPreallocate(const char *xml,
                                  GError **error);
char *virTeamingDomainDumpTransient(const char *xml,
                                    const char *persistent,
                                    GError **error);
