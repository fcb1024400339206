/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vlan_conf.h: a <vlan>, which NICs, networks and portgroups can have
 */

#pragma once

#include <glib.h>

/* Not every room that knows VLANs sees libxml2. */
struct _xmlNode;

typedef struct {
    guint id;
    gboolean native;                /* nativeMode='…' is set */
} virTeamingVlanTag;

typedef struct {
    GArray *tags;                   /* of virTeamingVlanTag */
    gboolean trunk;                 /* written, or more than one tag */
} virTeamingVlan;

virTeamingVlan *virTeamingVlanParse(const struct _xmlNode *node,
                                    char **why);
void virTeamingVlanFree(virTeamingVlan *vlan);
