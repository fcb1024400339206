/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network_conf.h: a libvirt <network>, as far as a pool of VFs goes
 */

#pragma once

#include "teaming_addr.h"

/**
 * virTeamingNetwork:
 * @forward: <forward mode='…'>, or NULL (isolated)
 * @pfs: names of <forward><pf dev='…'/>, of char *
 * @vfs: addresses of <forward><address type='pci' …/>, of virTeamingPciAddress
 * @vlan: the one <vlan><tag id='…'/>, 0 if none
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
    guint vlan;
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

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingNetwork, virTeamingNetworkFree)
