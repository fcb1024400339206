/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network_conf.h: a libvirt <network>, as far as it concerns pairs
 */

#pragma once

#include "teaming_addr.h"
#include "vlan_conf.h"

/* What the NICs get that name it; or, if it is the default, those that name none. */
typedef struct {
    char *name;
    gboolean isDefault;
    virTeamingVlan *vlan;           /* or NULL */
    char *virtualport;              /* type, or NULL */
    gboolean bandwidth;
} virTeamingPortgroup;

/**
 * virTeamingNetwork:
 * @forward: <forward mode='…'>, or NULL (isolated)
 * @pfs: names of <forward><pf dev='…'/>, of char *
 * @vfs: addresses of <forward><address type='pci' …/>, of virTeamingPciAddress
 * @vlan: the network's own, or NULL
 * @virtualport: <virtualport type='…'>, or NULL
 * @portgroups: of virTeamingPortgroup
 * @mtu: <mtu size='…'/> in bytes, 0 if none
 * @connections: live XML: how many NICs of guests are on it now
 */
typedef struct {
    char *file;
    char *name;
    char *uuid;
    char *bridge;
    char *forward;
    gboolean managed;
    GPtrArray *pfs;
    GArray *vfs;
    virTeamingVlan *vlan;
    char *virtualport;
    GPtrArray *portgroups;
    guint mtu;
    guint connections;
} virTeamingNetwork;

virTeamingNetwork *virTeamingNetworkParse(const char *xml,
                                          gssize len,
                                          const char *file,
                                          GError **error);
virTeamingNetwork *virTeamingNetworkParseFile(const char *path,
                                              GError **error);
void virTeamingNetworkFree(virTeamingNetwork *network);
gboolean virTeamingNetworkIsPool(const virTeamingNetwork *network);
const virTeamingPortgroup *virTeamingNetworkFindPortgroup(const virTeamingNetwork *network,
                                                          const char *name);
const virTeamingVlan *virTeamingNetworkGetVlan(const virTeamingNetwork *network,
                                               const char *portgroup);
const char *virTeamingNetworkGetVirtualport(const virTeamingNetwork *network,
                                            const char *portgroup);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingNetwork, virTeamingNetworkFree)
