/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network_conf.c: a libvirt <network>, as far as it concerns pairs
 */

#include "network_conf.h"

#include <string.h>

#include "teaming_error.h"
#include "teaming_xml.h"

static void
virTeamingPortgroupFree(gpointer opaque)
{
    virTeamingPortgroup *portgroup = opaque;

    g_free(portgroup->name);
    virTeamingVlanFree(portgroup->vlan);
    g_free(portgroup->virtualport);
    g_free(portgroup);
}


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
    virTeamingVlanFree(network->vlan);
    g_free(network->virtualport);
    g_ptr_array_unref(network->portgroups);
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
            /* libvirt writes all four parts, and takes less. */
            if (!virTeamingXmlParseAddress(node, 1, &address)) {
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


/* The <vlan> in @node, the network or a portgroup, to *@ret, which stays NULL if it has none. */
static gboolean
virTeamingNetworkVlanParse(const virTeamingNetwork *network,
                           const xmlNode *node,
                           virTeamingVlan **ret,
                           GError **error)
{
    const xmlNode *vlan = virTeamingXmlGetChild(node, "vlan");
    g_autofree char *why = NULL;

    if (!vlan)
        return TRUE;
    *ret = virTeamingVlanParse(vlan, &why);
    if (!why)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "%s:%d: %s", network->file, virTeamingXmlGetLine(vlan), why);
    return FALSE;
}


static gboolean
virTeamingNetworkPortgroupParse(virTeamingNetwork *network,
                                const xmlNode *node,
                                GError **error)
{
    virTeamingPortgroup *portgroup = g_new0(virTeamingPortgroup, 1);

    g_ptr_array_add(network->portgroups, portgroup);
    portgroup->name = g_strdup(virTeamingXmlPeekProp(node, "name"));
    portgroup->isDefault = g_strcmp0(virTeamingXmlPeekProp(node, "default"), "yes") == 0;
    portgroup->virtualport =
        g_strdup(virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "virtualport"), "type"));
    portgroup->bandwidth = virTeamingXmlGetChild(node, "bandwidth") != NULL;
    return virTeamingNetworkVlanParse(network, node, &portgroup->vlan, error);
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
    const xmlNode *root;
    const char *connections;
    guint64 count;

    if (!doc)
        return NULL;

    network = g_new0(virTeamingNetwork, 1);
    network->file = g_strdup(file);
    network->pfs = g_ptr_array_new_with_free_func(g_free);
    network->vfs = g_array_new(FALSE, FALSE, sizeof(virTeamingPciAddress));
    network->portgroups = g_ptr_array_new_with_free_func(virTeamingPortgroupFree);
    root = xmlDocGetRootElement(doc);
    connections = virTeamingXmlPeekProp(root, "connections");
    if (connections && g_ascii_string_to_unsigned(connections, 10, 0, G_MAXUINT, &count, NULL))
        network->connections = count;

    if (!virTeamingNetworkVlanParse(network, root, &network->vlan, error))
        return NULL;
    network->virtualport =
        g_strdup(virTeamingXmlPeekProp(virTeamingXmlGetChild(root, "virtualport"), "type"));

    for (const xmlNode *node = root->children; node; node = node->next) {
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
        } else if (virTeamingXmlIs(node, "portgroup")) {
            if (!virTeamingNetworkPortgroupParse(network, node, error))
                return NULL;
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


/**
 * virTeamingNetworkFindPortgroup:
 * @network: a network
 * @name: (nullable): as a NIC names it; NULL: it names none
 *
 * Returns: (nullable): the portgroup that the NIC is in; libvirt takes a name that is not there
 *          for no portgroup at all.
 */
const virTeamingPortgroup *
virTeamingNetworkFindPortgroup(const virTeamingNetwork *network,
                               const char *name)
{
    for (guint i = 0; i < network->portgroups->len; i++) {
        const virTeamingPortgroup *portgroup = network->portgroups->pdata[i];

        if (name ? g_strcmp0(portgroup->name, name) == 0 : portgroup->isDefault)
            return portgroup;
    }
    return NULL;
}


/**
 * virTeamingNetworkGetVlan:
 * @network: a network
 * @portgroup: (nullable): as virTeamingNetworkFindPortgroup() takes it
 *
 * Source: libvirt 9.0 and 11.3, networkAllocatePort() in src/network/bridge_driver.c.
 *
 * Returns: (nullable): the VLAN of a NIC on @network that has none of its own.
 */
const virTeamingVlan *
virTeamingNetworkGetVlan(const virTeamingNetwork *network,
                         const char *portgroup)
{
    const virTeamingPortgroup *found = virTeamingNetworkFindPortgroup(network, portgroup);

    return found && found->vlan ? found->vlan : network->vlan;
}


/**
 * virTeamingNetworkGetVirtualport:
 * @network: a network
 * @portgroup: (nullable): as virTeamingNetworkFindPortgroup() takes it
 *
 * Source: libvirt 9.0 and 11.3, virNetDevVPortProfileMerge3() in
 * src/util/virnetdevvportprofile.c: what a NIC, its network and its portgroup say is merged,
 * and must not contradict.
 *
 * Returns: (nullable): the type of the virtual port of a NIC on @network that does not say.
 */
const char *
virTeamingNetworkGetVirtualport(const virTeamingNetwork *network,
                                const char *portgroup)
{
    const virTeamingPortgroup *found = virTeamingNetworkFindPortgroup(network, portgroup);

    return found && found->virtualport ? found->virtualport : network->virtualport;
}
