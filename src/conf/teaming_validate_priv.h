/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_validate_priv.h: what the rules of a domain's teaming share
 */

#pragma once

#include "teaming_validate.h"

/* One domain that is checked, the index of it, and what was found so far. */
typedef struct {
    const virTeamingDomain *domain;
    const virTeamingHost *host;
    virTeamingPolicy policy;
    GHashTable *byId;           /* char * -> virTeamingNic */
    GHashTable *byAlias;        /* char * -> virTeamingNic; of those not kept */
    GHashTable *others;         /* alias -> virTeamingAliasUse: devices that are no NICs */
    GHashTable *partner;        /* transient virTeamingNic -> the one it refers to */
    GHashTable *referred;       /* virTeamingNic -> first transient that refers to it */
    GHashTable *moved;          /* aliases of standbys that have no VF on purpose */
    guint unresolved;           /* NICs that may refer to any persistent one */
    GHashTable *needed;         /* name of a network -> VFs that NICs so far need of it */
    GHashTable *slots;          /* domain, bus, slot as one number -> how many devices */
    gboolean pcie;
    GPtrArray *findings;
} virTeamingCheck;

virTeamingFinding *virTeamingReport(virTeamingCheck *check,
                                    virTeamingRuleId rule,
                                    const virTeamingNic *nic,
                                    virTeamingNicElement element,
                                    const char *format,
                                    ...) G_GNUC_PRINTF(5, 6);
gboolean virTeamingNicHasRole(const virTeamingNic *nic);
gboolean virTeamingNicIsPlain(const virTeamingNic *nic);

/* In teaming_settings.c: */
void virTeamingCheckSettings(virTeamingCheck *check,
                             const virTeamingNic *nic);
