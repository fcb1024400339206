/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vlan_conf.c: a <vlan>, which NICs, networks and portgroups can have
 */

#include "vlan_conf.h"

#include <string.h>

#include "teaming_xml.h"

/* Why libvirt refuses the tags of @vlan together, or beside @trunk as written, to be freed; NULL:
 * it does not. */
static char *
virTeamingVlanFindFault(const virTeamingVlan *vlan,
                        const char *trunk)
{
    guint natives = 0;

    for (guint i = 0; i < vlan->tags->len; i++)
        natives += g_array_index(vlan->tags, virTeamingVlanTag, i).native;
    if (vlan->tags->len == 0)
        return g_strdup("a VLAN without a tag");
    if (natives > 1)
        return g_strdup("a VLAN with two native tags");
    if (!trunk || g_ascii_strcasecmp(trunk, "yes") == 0)
        return NULL;
    if (g_ascii_strcasecmp(trunk, "no") != 0)
        return g_strdup_printf("a VLAN's trunk is 'yes' or 'no', not '%s'", trunk);
    if (natives || vlan->tags->len > 1)
        return g_strdup("trunk='no' on a VLAN with several tags or a native one");
    return NULL;
}


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
        if (!*why && native && strcmp(native, "tagged") != 0 && strcmp(native, "untagged") != 0)
            *why = g_strdup_printf("a VLAN's nativeMode is 'tagged' or 'untagged', not '%s'",
                                   native);
        tag.id = id;
        g_array_append_val(vlan->tags, tag);
    }
    if (!*why)
        *why = virTeamingVlanFindFault(vlan, trunk);
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
