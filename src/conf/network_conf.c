/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network_conf.c: a libvirt <network>, as far as a pool of VFs goes
 */

#include "network_conf.h"

#include <string.h>

#include "teaming_error.h"
#include "teaming_xml.h"

/**
 * virTeamingNetworkFree:
 * @network: (nullable): freed with all that is in it
 */
void
virTeamingNetworkFree(virTeamingNetwork *network)
{
    if (!network)
        return;
    g_free(network->file);
    g_free(network->name);
    g_free(network->uuid);
    g_free(network->bridge);
    g_free(network->forward);
    g_ptr_array_unref(network->pfs);
    g_array_unref(network->vfs);
    g_free(network);
}


static gboolean
virTeamingNetworkForwardParse(virTeamingNetwork *network,
                              const xmlNode *forward,
                              GError **error)
{
    const char *mode = virTeamingXmlPeekProp(forward, "mode");
    const char *dev = virTeamingXmlPeekProp(forward, "dev");

    /* Without a mode, libvirt forwards with NAT. */
    network->forward = g_strdup(mode ? mode : "nat");
    network->managed = g_strcmp0(virTeamingXmlPeekProp(forward, "managed"), "yes") == 0;

    for (const xmlNode *node = forward->children; node; node = node->next) {
        if (virTeamingXmlIs(node, "pf")) {
            const char *pf = virTeamingXmlPeekProp(node, "dev");

            if (!pf || !*pf) {
                g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                            "%s:%d: <pf> without a dev", network->file,
                            virTeamingXmlGetLine(node));
                return FALSE;
            }
            g_ptr_array_add(network->pfs, g_strdup(pf));
        } else if (virTeamingXmlIs(node, "address")) {
            virTeamingPciAddress address;
            const char *type = virTeamingXmlPeekProp(node, "type");

            if (type && strcmp(type, "pci") != 0)
                continue;
            /* An address of a pool says all four parts. */
            if (!virTeamingXmlParseAddress(node, 4, &address)) {
                g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                            "%s:%d: <address> is not the PCI address of a device",
                            network->file, virTeamingXmlGetLine(node));
                return FALSE;
            }
            g_array_append_val(network->vfs, address);
        }
    }
    /* In other modes dev is the way out, as the only <interface> would be. */
    if (dev && strcmp(network->forward, "hostdev") == 0 && network->pfs->len == 0)
        g_ptr_array_add(network->pfs, g_strdup(dev));
    return TRUE;
}


/**
 * virTeamingNetworkParse:
 * @xml: a <network>
 * @len: its length in bytes, or -1 if it ends with a NUL
 * @file: name for messages
 * @error: set to VIR_TEAMING_ERROR_INVALID, in one line that begins with @file
 *
 * Returns: (transfer full): the network, or NULL.
 */
virTeamingNetwork *
virTeamingNetworkParse(const char *xml,
                       gssize len,
                       const char *file,
                       GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, len, file, "network", error);
    g_autoptr(virTeamingNetwork) network = NULL;
    gboolean bridged = FALSE;
    const char *connections;
    guint64 count;

    if (!doc)
        return NULL;

    network = g_new0(virTeamingNetwork, 1);
    network->file = g_strdup(file);
    network->pfs = g_ptr_array_new_with_free_func(g_free);
    network->vfs = g_array_new(FALSE, FALSE, sizeof(virTeamingPciAddress));
    connections = virTeamingXmlPeekProp(xmlDocGetRootElement(doc), "connections");
    if (connections && g_ascii_string_to_unsigned(connections, 10, 0, G_MAXUINT, &count, NULL))
        network->connections = count;

    for (const xmlNode *node = xmlDocGetRootElement(doc)->children; node; node = node->next) {
        if (virTeamingXmlIs(node, "name") && !network->name) {
            network->name = virTeamingXmlGetText(node);
        } else if (virTeamingXmlIs(node, "uuid") && !network->uuid) {
            network->uuid = virTeamingXmlGetText(node);
        } else if (virTeamingXmlIs(node, "bridge") && !bridged) {
            network->bridge = g_strdup(virTeamingXmlPeekProp(node, "name"));
            bridged = TRUE;
        } else if (virTeamingXmlIs(node, "forward") && !network->forward) {
            if (!virTeamingNetworkForwardParse(network, node, error))
                return NULL;
        } else if (virTeamingXmlIs(node, "mtu")) {
            const char *size = virTeamingXmlPeekProp(node, "size");
            guint64 mtu;

            if (size && g_ascii_string_to_unsigned(size, 10, 1, G_MAXUINT16, &mtu, NULL))
                network->mtu = mtu;
        } else if (virTeamingXmlIs(node, "vlan")) {
            const xmlNode *tag = virTeamingXmlGetChild(node, "tag");
            const char *id = virTeamingXmlPeekProp(tag, "id");
            guint64 vlan;

            if (!id || !g_ascii_string_to_unsigned(id, 10, 0, 4095, &vlan, NULL)) {
                g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                            "%s:%d: <vlan> without a tag from 0 to 4095", file,
                            virTeamingXmlGetLine(node));
                return NULL;
            }
            network->vlan = vlan;
        }
    }

    if (!network->name || !*network->name) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s: the network has no name", file);
        return NULL;
    }
    return g_steal_pointer(&network);
}


/**
 * virTeamingNetworkParseFile:
 * @path: a file, or "-" for standard input
 * @error: set as by virTeamingNetworkParse, or to VIR_TEAMING_ERROR_NOT_FOUND, _ACCESS or
 *         _SYSTEM
 *
 * Returns: (transfer full): the network, or NULL.
 */
virTeamingNetwork *
virTeamingNetworkParseFile(const char *path,
                           GError **error)
{
    gsize len = 0;
    g_autofree char *xml = virTeamingXmlReadFile(path, &len, error);

    return xml ? virTeamingNetworkParse(xml, len, path, error) : NULL;
}


/**
 * virTeamingNetworkIsPool:
 * @network: a network
 *
 * Returns: whether a NIC on it becomes a device of the host.
 */
gboolean
virTeamingNetworkIsPool(const virTeamingNetwork *network)
{
    return g_strcmp0(network->forward, "hostdev") == 0;
}
