/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_conf.h: the teaming pairs of a domain, out of its XML and back
 */

#pragma once

#include "teaming_addr.h"
#include "teaming_policy.h"
#include "vlan_conf.h"

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

/* on|off or yes|no, or nothing said */
typedef enum {
    VIR_TEAMING_SWITCH_ABSENT = 0,
    VIR_TEAMING_SWITCH_ON,
    VIR_TEAMING_SWITCH_OFF,
} virTeamingSwitch;

/* Elements of a NIC that a finding can be about. */
typedef enum {
    VIR_TEAMING_ELEMENT_NIC = 0,    /* the <interface> or <hostdev> itself */
    VIR_TEAMING_ELEMENT_TEAMING,
    VIR_TEAMING_ELEMENT_MAC,
    VIR_TEAMING_ELEMENT_SOURCE,
    VIR_TEAMING_ELEMENT_ALIAS,
    VIR_TEAMING_ELEMENT_MODEL,
    VIR_TEAMING_ELEMENT_DRIVER,
    VIR_TEAMING_ELEMENT_ADDRESS,
    VIR_TEAMING_ELEMENT_LINK,
    VIR_TEAMING_ELEMENT_VLAN,
    VIR_TEAMING_ELEMENT_MTU,
    VIR_TEAMING_ELEMENT_BOOT,
    VIR_TEAMING_ELEMENT_BANDWIDTH,
    VIR_TEAMING_ELEMENT_FILTERREF,
    VIR_TEAMING_ELEMENT_VIRTUALPORT,
    VIR_TEAMING_ELEMENT_PORT,
    VIR_TEAMING_ELEMENT_LAST
} virTeamingNicElement;

/* <driver> of a virtio NIC with its <host> and <guest>, as QEMU's properties need it. */
typedef struct {
    char *name;                     /* "vhost", "qemu"; of a hostdev: "vfio", "kvm" */
    char *txmode;
    guint queues;
    guint rxQueueSize;
    guint txQueueSize;
    virTeamingSwitch ioeventfd;
    virTeamingSwitch eventIdx;
    virTeamingSwitch rss;
    virTeamingSwitch rssHashReport;
    virTeamingSwitch iommu;
    virTeamingSwitch ats;
    virTeamingSwitch packed;
    virTeamingSwitch pagePerVq;
    virTeamingSwitch hostCsum;
    virTeamingSwitch hostGso;
    virTeamingSwitch hostTso4;
    virTeamingSwitch hostTso6;
    virTeamingSwitch hostEcn;
    virTeamingSwitch hostUfo;
    virTeamingSwitch hostMrgRxbuf;
    virTeamingSwitch guestCsum;
    virTeamingSwitch guestTso4;
    virTeamingSwitch guestTso6;
    virTeamingSwitch guestEcn;
    virTeamingSwitch guestUfo;
    virTeamingSwitch iommufd;       /* of a hostdev; libvirt knows it since 12.1 */
} virTeamingVirtioOptions;

/**
 * virTeamingNic: one <interface>, or one <hostdev> with <teaming>.
 *
 * Strings are NULL and numbers 0 where the XML says nothing. The type is that of the
 * XML: in live XML, libvirt writes type='hostdev' for a NIC that it took from a
 * hostdev network.
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

    int lines[VIR_TEAMING_ELEMENT_LAST];    /* of the elements in it; 0: not there */
    guint index;                    /* from 1, among the elements of the same name */
    char *id;                       /* QEMU's: the alias, or the one libvirt will give */
    char *typeName;                 /* <interface type='…'> as written */
    char *mode;                     /* <source mode='…'/> of direct; mode of <hostdev> */
    char *sourceType;               /* of the host's device: "pci", "usb", … */
    virTeamingSwitch trustGuestRxFilters;
    virTeamingVirtioOptions driver;
    guint64 sndbuf;                 /* bytes; ULLONG_MAX: nothing said */
    char *filter;                   /* <filterref filter='…'/> */
    char *virtualport;              /* <virtualport type='…'> */
    gboolean bandwidth;
    virTeamingSwitch isolated;      /* <port isolated='…'/> */
    virTeamingVlan *vlan;           /* or NULL */
    guint mtu;                      /* bytes */
    guint bootOrder;
    virTeamingSwitch romEnabled;
    virTeamingSwitch romBar;
    char *romFile;
    guint acpiIndex;
    char *addressType;              /* <address type='…'/>, in the guest */
    gboolean hasAddress;            /* and it is of type pci, and complete */
    virTeamingPciAddress address;
    virTeamingSwitch multifunction;
} virTeamingNic;

/* One transient NIC and the persistent one it names. */
typedef struct {
    const virTeamingNic *persistent;
    const virTeamingNic *transient;
} virTeamingPair;

/* <controller type='pci'>: a bus that NICs can sit on. */
typedef struct {
    int line;
    guint index;
    char *model;                    /* "pcie-root", "pcie-root-port", … */
    char *alias;
    gboolean hotplugOff;            /* <target hotplug='off'/> */
} virTeamingController;

/* Something that sits at a PCI address of the guest. */
typedef struct {
    int line;
    char element[16];               /* its name, cut short */
    virTeamingPciAddress address;
} virTeamingSlotUse;

/* A device that is none of the NICs and has an alias of its own, which libvirt keeps. */
typedef struct {
    int line;
    char *element;                  /* its name */
    char *alias;
} virTeamingAliasUse;

/* Something that keeps a domain from being migrated, teaming or not. */
typedef struct {
    int line;
    char *element;                  /* path */
    char *what;
} virTeamingObstacle;

/* Something that was written and can't be understood. */
typedef struct {
    int line;
    char *element;                  /* path */
    char *message;
    char *hint;                     /* or NULL */
    gboolean policy;                /* in our metadata; otherwise in libvirt's XML */
    const virTeamingNic *nic;       /* in this NIC, or NULL */
} virTeamingProblem;

typedef struct {
    char *file;                     /* for messages */
    char *type;                     /* <domain type='…'>: "kvm", "qemu", "xen", … */
    char *name;
    char *uuid;
    GPtrArray *nics;                /* of virTeamingNic, in document order */
    GPtrArray *pairs;               /* of virTeamingPair; only the whole ones */

    gboolean live;                  /* <domain id='…'>: XML of a running domain */
    int id;
    int line;
    char *arch;
    char *machine;
    int osTypeLine;
    gboolean acpi;                  /* <features><acpi/></features> */
    guint64 memory;                 /* KiB */
    guint64 hardLimit;              /* KiB; 0: none */
    int hardLimitLine;
    gboolean iommufd;               /* <iommufd enabled='yes'/>, for devices that don't say */
    guint bootNetwork;              /* place of <boot dev='network'/>, from 1; 0: none */
    GPtrArray *controllers;         /* of virTeamingController */
    const virTeamingController *buses[256];     /* the same, by index */

    virTeamingPolicy policy;        /* what @policy.set says was written, no defaults */
    int policyLine;                 /* 0: no <policy> */

    /* Seen in passing; not written back. */
    gboolean placed;                /* it has a place in cgroups, or a security label: a domain
                                     * that runs is given both, and they are sent along */
    int iommuLine;                  /* an <iommu> under which QEMU plugs no VF; 0: none */
    const char *iommu;              /* which that is, in words */
    guint counted;                  /* devices of the host that libvirt names by counting */
    GPtrArray *moved;               /* of virTeamingMovedPair: pairs without a VF on purpose */
    GArray *slots;                  /* of virTeamingSlotUse, every device of the guest */
    GPtrArray *aliases;             /* of virTeamingAliasUse */
    GPtrArray *obstacles;           /* of virTeamingObstacle */
    GPtrArray *problems;            /* of virTeamingProblem */
} virTeamingDomain;

virTeamingDomain *virTeamingDomainParse(const char *xml,
                                        gssize len,
                                        const char *file,
                                        GError **error);
virTeamingDomain *virTeamingDomainParseFile(const char *path,
                                            GError **error);
void virTeamingDomainFree(virTeamingDomain *domain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingDomain, virTeamingDomainFree)

char *virTeamingDomainFormat(const virTeamingDomain *domain);
void virTeamingDomainGetPolicy(const virTeamingDomain *domain,
                               const virTeamingPolicy *host,
                               virTeamingPolicy *ret);

char *virTeamingNicGetPath(const virTeamingNic *nic,
                           const char *below);
const char *virTeamingNicElementToString(virTeamingNicElement element);
gboolean virTeamingNicIsVirtio(const virTeamingNic *nic);
gboolean virTeamingDomainIsX86(const virTeamingDomain *domain);
gboolean virTeamingAliasIsKept(const char *alias);
