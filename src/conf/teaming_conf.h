/*
 * teaming_conf.h: the teaming pairs of a domain, out of its XML and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "teaming_addr.h"

/* <interface type='…'>; plain <hostdev> is VIR_TEAMING_NIC_PLAIN_HOSTDEV. */
typedef enum {
    VIR_TEAMING_NIC_UNKNOWN = 0,
    VIR_TEAMING_NIC_USER,
    VIR_TEAMING_NIC_ETHERNET,
    VIR_TEAMING_NIC_VHOSTUSER,
    VIR_TEAMING_NIC_SERVER,
    VIR_TEAMING_NIC_CLIENT,
    VIR_TEAMING_NIC_MCAST,
    VIR_TEAMING_NIC_NETWORK,
    VIR_TEAMING_NIC_BRIDGE,
    VIR_TEAMING_NIC_INTERNAL,
    VIR_TEAMING_NIC_DIRECT,
    VIR_TEAMING_NIC_HOSTDEV,
    VIR_TEAMING_NIC_UDP,
    VIR_TEAMING_NIC_VDPA,
    VIR_TEAMING_NIC_NULL,
    VIR_TEAMING_NIC_VDS,
    VIR_TEAMING_NIC_PLAIN_HOSTDEV,
} virTeamingNicType;

typedef enum {
    VIR_TEAMING_ROLE_NONE = 0,      /* no <teaming> */
    VIR_TEAMING_ROLE_PERSISTENT,
    VIR_TEAMING_ROLE_TRANSIENT,
    VIR_TEAMING_ROLE_UNKNOWN,       /* <teaming type='…'/> with a word of no meaning */
} virTeamingRole;

/**
 * virTeamingNic: one <interface>, or one <hostdev> with <teaming>.
 *
 * Strings are NULL where the XML says nothing. The type is that of the XML: in live
 * XML, libvirt writes type='hostdev' for a NIC that it took from a hostdev network.
 */
typedef struct {
    virTeamingNicType type;
    int line;                       /* of the element, in the text that was parsed */
    virTeamingRole role;
    int teamingLine;
    char *teamingType;              /* as written */
    char *persistent;               /* transient: alias of its persistent NIC */
    char *alias;
    gboolean hasMac;
    virTeamingMac mac;
    char *network;                  /* <source network='…'/> */
    char *portgroup;
    char *bridge;                   /* <source bridge='…'/>; live also of a network */
    char *dev;                      /* <source dev='…'/> */
    char *target;                   /* <target dev='…'/>: the tap */
    char *model;
    gboolean hasSource;             /* <source><address type='pci' …/></source> */
    virTeamingPciAddress source;    /* the VF on the host */
    gboolean managed;
    gboolean linkDown;              /* <link state='down'/> */
    /* conf may add: guest address, vlan, mtu, … */
} virTeamingNic;

/* One transient NIC and the persistent one it names. */
typedef struct {
    const virTeamingNic *persistent;
    const virTeamingNic *transient;
} virTeamingPair;

typedef struct {
    char *file;                     /* for messages */
    char *type;                     /* <domain type='…'>: "kvm", "qemu", "xen", … */
    char *name;
    char *uuid;
    GPtrArray *nics;                /* of virTeamingNic, in document order */
    GPtrArray *pairs;               /* of virTeamingPair; only the whole ones */
} virTeamingDomain;

virTeamingDomain *virTeamingDomainParse(const char *xml,
                                        gssize len,
                                        const char *file,
                                        GError **error);
virTeamingDomain *virTeamingDomainParseFile(const char *path,
                                            GError **error);
void virTeamingDomainFree(virTeamingDomain *domain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingDomain, virTeamingDomainFree)
