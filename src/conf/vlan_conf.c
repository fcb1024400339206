/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vlan_conf.c: a <vlan>, which NICs, networks and portgroups can have
 */

#include "vlan_conf.h"

#include <string.h>

#include "teaming_xml.h"

/**
 * virTeamingVlanParse:
 * @node: a <vlan>
 * @bad: filled with the first <tag> without a number from 0 to 4095; NULL: there is none
 *
 * Source: libvirt 9.0 and 11.3, virNetDevVlanParse() in src/conf/netdev_vlan_conf.c.
 *
 * Returns: (transfer full): what can be understood of @node.
 */
virTeamingVlan *
virTeamingVlanParse(const xmlNode *node,
                    const xmlNode **bad)
{
    virTeamingVlan *vlan = g_new0(virTeamingVlan, 1);
    const char *trunk = virTeamingXmlPeekProp(node, "trunk");

    *bad = NULL;
    vlan->tags = g_array_new(FALSE, TRUE, sizeof(virTeamingVlanTag));
    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *text = virTeamingXmlPeekProp(child, "id");
        virTeamingVlanTag tag = { 0 };
        guint64 id;

        if (!virTeamingXmlIs(child, "tag"))
            continue;
        if (!text || !g_ascii_string_to_unsigned(text, 10, 0, 4095, &id, NULL)) {
            *bad = *bad ? *bad : child;
            continue;
        }
        tag.id = id;
        tag.native = virTeamingXmlPeekProp(child, "nativeMode") != NULL;
        g_array_append_val(vlan->tags, tag);
    }
    vlan->trunk = vlan->tags->len > 1 || (trunk && g_ascii_strcasecmp(trunk, "yes") == 0);
    return vlan;
}


/**
 * virTeamingVlanFree:
 * @vlan: (nullable): freed with all that is in it
 */
void
virTeamingVlanFree(virTeamingVlan *vlan)
{
    if (!vlan)
        return;
    g_array_unref(vlan->tags);
    g_free(vlan);
}
