/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_settings.c: what is wrong with the settings of a pair's NICs
 */

#include "teaming_validate_priv.h"

#include <string.h>

/*
 * Theory of operation
 *
 * VLANs, virtual ports, filters, bandwidth, MTUs and queues: what libvirt refuses only when it
 * starts the domain, and what the guest would notice when its frames change from one NIC to the
 * other. A NIC that has no setting of its own has that of its portgroup or its network, if the
 * host's networks are known.
 */

/* In which way a standby is connected to its segment, as far as libvirt tells ways apart. */
typedef enum {
    VIR_TEAMING_CONNECTION_UNKNOWN,         /* or not at all, which was reported */
    VIR_TEAMING_CONNECTION_BRIDGE,
    VIR_TEAMING_CONNECTION_MACVTAP,
    VIR_TEAMING_CONNECTION_PASSTHROUGH,     /* a macvtap that has a link for itself */
    VIR_TEAMING_CONNECTION_OTHER,
} virTeamingConnection;


/*
 * Whether libvirt reads <filterref> of @nic at all.
 *
 * Source: libvirt 9.0 and 11.3, virDomainNetDefParseXML() in src/conf/domain_conf.c.
 */
static gboolean
virTeamingNicTakesFilter(const virTeamingNic *nic)
{
    return nic->type == VIR_TEAMING_NIC_BRIDGE || nic->type == VIR_TEAMING_NIC_NETWORK ||
        nic->type == VIR_TEAMING_NIC_ETHERNET;
}


static const virTeamingNetwork *
virTeamingCheckNetwork(const virTeamingCheck *check,
                       const virTeamingNic *nic)
{
    const virTeamingHostNetwork *network = NULL;

    if (check->host && check->host->networks && nic->network)
        network = g_hash_table_lookup(check->host->networks, nic->network);
    return network ? network->conf : NULL;
}


/*
 * The VLAN of @nic, or else of its portgroup or its network, in *@ret; NULL: none.
 *
 * Returns: whether it is known. In XML of a running domain, each NIC has its own.
 */
static gboolean
virTeamingCheckFindVlan(const virTeamingCheck *check,
                        const virTeamingNic *nic,
                        const virTeamingVlan **ret)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);

    *ret = NULL;
    if (nic->vlan && nic->vlan->tags->len > 0)
        *ret = nic->vlan;
    else if (check->domain->live || nic->type != VIR_TEAMING_NIC_NETWORK)
        return TRUE;
    else if (network)
        *ret = virTeamingNetworkGetVlan(network, nic->portgroup);
    return *ret || network;
}


/* As text; NULL if it is none: VLAN 0 stands for no tag. */
static char *
virTeamingVlanToString(const virTeamingVlan *vlan)
{
    GString *out;

    if (!vlan || (!vlan->trunk && g_array_index(vlan->tags, virTeamingVlanTag, 0).id == 0))
        return NULL;
    out = g_string_new(NULL);
    for (guint i = 0; i < vlan->tags->len; i++) {
        const virTeamingVlanTag *tag = &g_array_index(vlan->tags, virTeamingVlanTag, i);

        g_string_append_printf(out, "%s%u%s", i ? ", " : "", tag->id,
                               tag->native ? " (native)" : "");
    }
    return g_string_free(out, FALSE);
}


/* Whether @nic is one that libvirt is yet to start: what runs was not refused. */
static gboolean
virTeamingCheckIsToStart(const virTeamingCheck *check,
                         const virTeamingNic *nic,
                         virTeamingRole role)
{
    return nic->role == role && !virTeamingNicIsPlain(nic) && !check->domain->live;
}


/* The type of @nic's virtual port, its network's and its portgroup's counted; NULL: none. */
static const char *
virTeamingCheckVirtualport(const virTeamingCheck *check,
                           const virTeamingNic *nic)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);

    if (nic->virtualport || !network)
        return nic->virtualport;
    return virTeamingNetworkGetVirtualport(network, nic->portgroup);
}


/*
 * What libvirt finds in a transient NIC only when it starts the domain. A network that is no
 * pool was reported, and one that is not known must be a pool.
 *
 * Source: libvirt 9.0 and 11.3, virDomainActualNetDefValidate() in src/conf/domain_validate.c,
 * qemuDomainValidateActualNetDef() in src/qemu/qemu_domain.c, virHostdevSetNetConfig() and
 * virHostdevNetConfigVirtPortProfile() in src/hypervisor/virhostdev.c, and
 * virNetDevSetNetConfig() in src/util/virnetdev.c.
 */
static void
virTeamingCheckVfSettings(virTeamingCheck *check,
                          const virTeamingNic *nic)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);
    const char *port = virTeamingCheckVirtualport(check, nic);
    const virTeamingVlan *vlan;
    gboolean pooled = nic->type == VIR_TEAMING_NIC_NETWORK;

    if (!virTeamingCheckIsToStart(check, nic, VIR_TEAMING_ROLE_TRANSIENT) ||
        (!pooled && nic->type != VIR_TEAMING_NIC_HOSTDEV) ||
        (network && !virTeamingNetworkIsPool(network)))
        return;

    if (nic->bandwidth)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_BANDWIDTH, "libvirt can't limit a VF's bandwidth");
    if (nic->filter && virTeamingNicTakesFilter(nic))
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_FILTERREF, "libvirt can't filter a VF, by '%s'",
                         nic->filter);
    if (nic->isolated == VIR_TEAMING_SWITCH_ON)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_PORT, "libvirt can't isolate a VF");
    /* Of other models, and of type 'hostdev', it does not read them. */
    if (pooled && virTeamingNicIsVirtio(nic) && nic->driver.queues > 1)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_DRIVER, "libvirt can't give a VF %u queues",
                         nic->driver.queues);
    virTeamingCheckFindVlan(check, nic, &vlan);
    if (port && vlan)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_VLAN,
                         "a VF with a virtual port (%s) can't be put into a VLAN", port);
    else if (port && strcmp(port, "802.1Qbh") != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_VIRTUALPORT,
                         "a VF's virtual port can't be of type '%s'", port);
    else if (vlan && vlan->trunk)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_VLAN, "a VF can't be a trunk");
}


static virTeamingConnection
virTeamingCheckConnection(const virTeamingCheck *check,
                          const virTeamingNic *nic)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);
    const char *forward;

    switch (nic->type) {
    case VIR_TEAMING_NIC_BRIDGE:
        return VIR_TEAMING_CONNECTION_BRIDGE;
    case VIR_TEAMING_NIC_DIRECT:
        return g_strcmp0(nic->mode, "passthrough") == 0 ? VIR_TEAMING_CONNECTION_PASSTHROUGH :
            VIR_TEAMING_CONNECTION_MACVTAP;
    case VIR_TEAMING_NIC_ETHERNET:
    case VIR_TEAMING_NIC_VHOSTUSER:
    case VIR_TEAMING_NIC_VDPA:
        return VIR_TEAMING_CONNECTION_OTHER;
    case VIR_TEAMING_NIC_NETWORK:
        break;
    case VIR_TEAMING_NIC_UNKNOWN:
    case VIR_TEAMING_NIC_USER:
    case VIR_TEAMING_NIC_SERVER:
    case VIR_TEAMING_NIC_CLIENT:
    case VIR_TEAMING_NIC_MCAST:
    case VIR_TEAMING_NIC_INTERNAL:
    case VIR_TEAMING_NIC_HOSTDEV:
    case VIR_TEAMING_NIC_UDP:
    case VIR_TEAMING_NIC_NULL:
    case VIR_TEAMING_NIC_VDS:
    case VIR_TEAMING_NIC_PLAIN_HOSTDEV:
        return VIR_TEAMING_CONNECTION_UNKNOWN;
    }

    if (!network || virTeamingNetworkIsPool(network))
        return VIR_TEAMING_CONNECTION_UNKNOWN;
    forward = network->forward ? network->forward : "";
    if (strcmp(forward, "bridge") == 0 && network->bridge)
        return VIR_TEAMING_CONNECTION_BRIDGE;
    if (strcmp(forward, "passthrough") == 0)
        return VIR_TEAMING_CONNECTION_PASSTHROUGH;
    if (strcmp(forward, "bridge") == 0 || strcmp(forward, "private") == 0 ||
        strcmp(forward, "vepa") == 0)
        return VIR_TEAMING_CONNECTION_MACVTAP;
    return VIR_TEAMING_CONNECTION_OTHER;
}


/* Whether libvirt starts no domain with @nic's filter. */
static gboolean
virTeamingCheckFilterIsRefused(const virTeamingCheck *check,
                               const virTeamingNic *nic)
{
    virTeamingConnection connection = virTeamingCheckConnection(check, nic);

    return nic->filter && virTeamingNicTakesFilter(nic) &&
        (virTeamingCheckVirtualport(check, nic) ||
         connection == VIR_TEAMING_CONNECTION_MACVTAP ||
         connection == VIR_TEAMING_CONNECTION_PASSTHROUGH);
}


/*
 * What libvirt finds in a persistent NIC only when it starts the domain. A VLAN that comes from
 * its network was found when the network was defined.
 *
 * Source: libvirt 9.0 and 11.3, virDomainActualNetDefValidate() in src/conf/domain_validate.c
 * and qemuDomainValidateActualNetDef() in src/qemu/qemu_domain.c; NEWS of 11.0.0.
 */
static void
virTeamingCheckStandbySettings(virTeamingCheck *check,
                               const virTeamingNic *nic)
{
    virTeamingConnection connection = virTeamingCheckConnection(check, nic);
    const char *port = virTeamingCheckVirtualport(check, nic);

    if (!virTeamingCheckIsToStart(check, nic, VIR_TEAMING_ROLE_PERSISTENT))
        return;

    if (virTeamingCheckFilterIsRefused(check, nic))
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_FILTERREF, "libvirt can't filter %s, by '%s'",
                         port ? "a NIC with a virtual port" : "a macvtap", nic->filter);
    if (!nic->vlan || nic->vlan->tags->len == 0 ||
        connection == VIR_TEAMING_CONNECTION_UNKNOWN ||
        connection == VIR_TEAMING_CONNECTION_PASSTHROUGH)
        return;
    if (connection != VIR_TEAMING_CONNECTION_BRIDGE)
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_VLAN, "libvirt can't put %s into a VLAN",
                         connection == VIR_TEAMING_CONNECTION_MACVTAP ? "a macvtap" :
                         "what is not in a bridge");
    else if (!port)
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_VLAN_NEW, nic, VIR_TEAMING_ELEMENT_VLAN,
                         "libvirt before 11.0 can't put a port of a Linux bridge into a VLAN");
    else if (strcmp(port, "openvswitch") != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_SETTING_REFUSED, nic,
                         VIR_TEAMING_ELEMENT_VIRTUALPORT,
                         "a virtual port in a bridge can't be of type '%s'", port);
}


static void
virTeamingCheckSwitch(virTeamingCheck *check,
                      const virTeamingNic *nic)
{
    if (nic->role == VIR_TEAMING_ROLE_PERSISTENT && !virTeamingNicIsPlain(nic) &&
        g_strcmp0(virTeamingCheckVirtualport(check, nic), "openvswitch") == 0)
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_OPENVSWITCH, nic,
                         VIR_TEAMING_ELEMENT_VIRTUALPORT,
                         "the standby is a port of Open vSwitch, whose entries nobody moves");
}


/*
 * Source: libvirt 9.0 and 11.3, qemuDomainNetSupportsMTU() in src/qemu/qemu_domain.c. Of a NIC
 * of type 'network' it learns too late what it will be.
 */
static void
virTeamingCheckMtu(virTeamingCheck *check,
                   const virTeamingNic *nic)
{
    if (virTeamingNicHasRole(nic) && nic->mtu && !check->domain->live &&
        (nic->type == VIR_TEAMING_NIC_HOSTDEV || nic->type == VIR_TEAMING_NIC_DIRECT ||
         nic->type == VIR_TEAMING_NIC_VDPA))
        virTeamingReport(check, VIR_TEAMING_RULE_MTU_REFUSED, nic, VIR_TEAMING_ELEMENT_MTU,
                         "an interface of type '%s' can't have an <mtu>", nic->typeName);
}


/* What is said of the VLANs of a pair, if that of the VF is known and was not refused. */
static void
virTeamingCheckVlans(virTeamingCheck *check,
                     const virTeamingNic *vf,
                     const virTeamingNic *standby)
{
    const virTeamingVlan *vfs;
    const virTeamingVlan *standbys;
    g_autofree char *vfVlan = NULL;
    g_autofree char *standbyVlan = NULL;

    if (!virTeamingCheckFindVlan(check, vf, &vfs) ||
        (vfs && (vfs->trunk || virTeamingCheckVirtualport(check, vf))))
        return;
    virTeamingCheckFindVlan(check, standby, &standbys);
    vfVlan = virTeamingVlanToString(vfs);
    standbyVlan = virTeamingVlanToString(standbys);
    if (standbyVlan && g_strcmp0(vfVlan, standbyVlan) != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_VLAN_DIFFERS, vf, VIR_TEAMING_ELEMENT_VLAN,
                         "the VF is in VLAN %s, the standby on line %d in %s",
                         vfVlan ? vfVlan : "none", standby->line, standbyVlan);
    else if (vfVlan && !standbyVlan)
        virTeamingReport(check, VIR_TEAMING_RULE_VLAN_ON_VF_ONLY, vf, VIR_TEAMING_ELEMENT_VLAN,
                         "the VF is in VLAN %s, the standby on line %d does not say", vfVlan,
                         standby->line);
}


/* Whether @nic has a limit of its own or of its portgroup. */
static gboolean
virTeamingCheckHasBandwidth(const virTeamingCheck *check,
                            const virTeamingNic *nic)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);
    const virTeamingPortgroup *portgroup = network ?
        virTeamingNetworkFindPortgroup(network, nic->portgroup) : NULL;

    return nic->bandwidth || (portgroup && portgroup->bandwidth);
}


/* What is said of a pair's filters and its isolation, if the domain can start with them. */
static void
virTeamingCheckFilters(virTeamingCheck *check,
                       const virTeamingNic *vf,
                       const virTeamingNic *standby)
{
    const virTeamingNic *const nics[] = { vf, standby };

    for (gsize i = 0; i < G_N_ELEMENTS(nics); i++) {
        if (nics[i]->filter && !virTeamingNicTakesFilter(nics[i]))
            virTeamingReport(check, VIR_TEAMING_RULE_FILTER_ONE_SIDED, nics[i],
                             VIR_TEAMING_ELEMENT_FILTERREF,
                             "'%s' filters nothing: libvirt does not read it on an interface of "
                             "type '%s'", nics[i]->filter, nics[i]->typeName);
    }
    if (standby->filter && virTeamingNicTakesFilter(standby) &&
        !virTeamingCheckFilterIsRefused(check, standby))
        virTeamingReport(check, VIR_TEAMING_RULE_FILTER_ONE_SIDED, standby,
                         VIR_TEAMING_ELEMENT_FILTERREF, "only the standby is filtered, by '%s'",
                         standby->filter);
    if (standby->isolated == VIR_TEAMING_SWITCH_ON)
        virTeamingReport(check, VIR_TEAMING_RULE_FILTER_ONE_SIDED, standby,
                         VIR_TEAMING_ELEMENT_PORT,
                         "only the standby is isolated from other such ports of its bridge");
}


static guint
virTeamingCheckGetMtu(const virTeamingCheck *check,
                      const virTeamingNic *nic)
{
    const virTeamingNetwork *network = virTeamingCheckNetwork(check, nic);

    return nic->mtu ? nic->mtu : network ? network->mtu : 0;
}


/* What the guest would notice when its frames change from one NIC to the other. */
static void
virTeamingCheckPair(virTeamingCheck *check,
                    const virTeamingNic *vf)
{
    const virTeamingNic *standby = g_hash_table_lookup(check->partner, vf);
    guint vfMtu;
    guint standbyMtu;

    if (!standby || standby->role != VIR_TEAMING_ROLE_PERSISTENT)
        return;

    virTeamingCheckVlans(check, vf, standby);
    vfMtu = virTeamingCheckGetMtu(check, vf);
    standbyMtu = virTeamingCheckGetMtu(check, standby);
    if (vfMtu && standbyMtu && vfMtu != standbyMtu &&
        (vf->type != VIR_TEAMING_NIC_HOSTDEV || check->domain->live))
        virTeamingReport(check, VIR_TEAMING_RULE_MTU_DIFFERS, vf, VIR_TEAMING_ELEMENT_MTU,
                         "the VF's MTU is %u, that of the standby on line %d is %u", vfMtu,
                         standby->line, standbyMtu);

    if (virTeamingCheckHasBandwidth(check, standby))
        virTeamingReport(check, VIR_TEAMING_RULE_BANDWIDTH_ONE_SIDED, standby,
                         VIR_TEAMING_ELEMENT_BANDWIDTH, "only the standby has a bandwidth limit");
    virTeamingCheckFilters(check, vf, standby);

    if (vf->trustGuestRxFilters == VIR_TEAMING_SWITCH_ON &&
        standby->trustGuestRxFilters != VIR_TEAMING_SWITCH_ON)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_FEATURE_LOST, vf, VIR_TEAMING_ELEMENT_NIC,
                         "the guest may set filters on the VF, not on the standby");
    if (g_strcmp0(vf->virtualport, "802.1Qbh") == 0 &&
        g_strcmp0(virTeamingCheckVirtualport(check, standby), vf->virtualport) != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_VF_FEATURE_LOST, vf,
                         VIR_TEAMING_ELEMENT_VIRTUALPORT,
                         "the VF's virtual port (%s) is not the standby's", vf->virtualport);
}


/**
 * virTeamingCheckSettings:
 * @check: grows by findings
 * @nic: one of its domain's NICs
 *
 * Judges how @nic is set; if it is a VF, beside its standby.
 */
void
virTeamingCheckSettings(virTeamingCheck *check,
                        const virTeamingNic *nic)
{
    virTeamingCheckVfSettings(check, nic);
    virTeamingCheckStandbySettings(check, nic);
    virTeamingCheckSwitch(check, nic);
    virTeamingCheckMtu(check, nic);
    virTeamingCheckPair(check, nic);
}
