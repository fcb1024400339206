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
 * @why: filled with why libvirt refuses it, to be freed; NULL: it does not
 *
 * Source: libvirt 9.0 and 11.3, virNetDevVlanParse() in src/conf/netdev_vlan_conf.c.
 *
 * Returns: (transfer full): what can be understood of @node.
 */
virTeamingVlan *
virTeamingVlanParse(const xmlNode *node,
                    char **why)
{
    virTeamingVlan *vlan = g_new0(virTeamingVlan, 1);
    const char *trunk = virTeamingXmlPeekProp(node, "trunk");
    gboolean says = trunk && g_ascii_strcasecmp(trunk, "yes") == 0;
    guint natives = 0;

    *why = NULL;
    vlan->tags = g_array_new(FALSE, TRUE, sizeof(virTeamingVlanTag));
    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *text = virTeamingXmlPeekProp(child, "id");
        const char *native = virTeamingXmlPeekProp(child, "nativeMode");
        virTeamingVlanTag tag = { .native = native != NULL };
        guint64 id;

        if (!virTeamingXmlIs(child, "tag"))
            continue;
        if (!text || !virTeamingXmlParseNumber(text, 10, 4095, &id)) {
            if (!*why)
                *why = g_strdup_printf("a VLAN tag is a number from 0 to 4095, not '%s'",
                                       text ? text : "");
            continue;
        }
        if (native && strcmp(native, "tagged") != 0 && strcmp(native, "untagged") != 0 && !*why)
            *why = g_strdup_printf("a VLAN's nativeMode is 'tagged' or 'untagged', not '%s'",
                                   native);
        natives += tag.native;
        tag.id = id;
        g_array_append_val(vlan->tags, tag);
    }
    if (!*why && vlan->tags->len == 0)
        *why = g_strdup("a VLAN without a tag");
    else if (!*why && natives > 1)
        *why = g_strdup("a VLAN with two native tags");
    else if (!*why && trunk && !says && g_ascii_strcasecmp(trunk, "no") != 0)
        *why = g_strdup_printf("a VLAN's trunk is 'yes' or 'no', not '%s'", trunk);
    else if (!*why && trunk && !says && (natives || vlan->tags->len > 1))
        *why = g_strdup("a VLAN with several tags or a native one is a trunk: trunk='no' can't be");
    vlan->trunk = vlan->tags->len > 1 || says;
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
