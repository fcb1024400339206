/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel.h: what the kernel offers: PCI functions, links, VFs, bridge FDB
 */

#pragma once

#include <net/if.h>

#include "teaming_addr.h"

/*
 * One interface, two implementations: the real one speaks sysfs and rtnetlink,
 * the fake one keeps a small model of a host in memory, records every change and
 * fails where it is told to. One test suite runs on both.
 *
 * Nothing here knows of teaming, libvirt or migrations.
 */
typedef struct _virTeamingKernel virTeamingKernel;

/**
 * virTeamingPciState:
 * @driver: name of the host's driver that is bound, or ""
 * @busMaster: Bus Master Enable, bit 2 of the command register. Through vfio-pci
 *             it is the bit that the guest's driver sets and clears
 * @vectors: interrupt vectors in use (entries of msi_irqs/)
 * @enabled: @driver has enabled it. vfio-pci does while somebody has it open
 *           (vfio_pci_core_enable() in drivers/vfio/pci/vfio_pci_core.c)
 */
typedef struct {
    char driver[32];
    gboolean busMaster;
    guint vectors;
    gboolean enabled;
} virTeamingPciState;

typedef struct {
    virTeamingPciAddress address;
    guint32 classCode;              /* 0x020000: Ethernet; 0x0604xx: a bridge */
    gint iommuGroup;                /* -1: none */
    char driver[32];
    char physfn[VIR_TEAMING_PCI_STRING_LEN];    /* "" if not a VF */
    char netdev[IF_NAMESIZE];       /* the host's own netdev of this function, or "" */
    guint vfsEnabled;               /* PFs: sriov_numvfs */
    guint vfsTotal;                 /* PFs: sriov_totalvfs; 0: not a PF */
    gboolean noDriver;              /* VFs: Linux binds none (sriov_drivers_autoprobe of the PF) */
} virTeamingPciDevice;

/* A PCI function kept open, for whoever looks at it every few milliseconds. */
typedef struct _virTeamingPciHandle virTeamingPciHandle;

/**
 * virTeamingMacvtapMode:
 * @VIR_TEAMING_MACVTAP_OTHER: no macvtap, or one in a mode that is not told apart here
 * @VIR_TEAMING_MACVTAP_VEPA: what others on the same link send to it goes out of the link
 * @VIR_TEAMING_MACVTAP_BRIDGE: they hand it over directly, if they are in this mode, too
 */
typedef enum {
    VIR_TEAMING_MACVTAP_OTHER,
    VIR_TEAMING_MACVTAP_VEPA,
    VIR_TEAMING_MACVTAP_BRIDGE,
} virTeamingMacvtapMode;

typedef struct {
    int ifindex;
    char name[IF_NAMESIZE];
    char kind[16];                  /* "bridge", "tun", "veth", …; "" for hardware */
    char master[IF_NAMESIZE];       /* bridge (or bond, …) it is a port of, or "" */
    char lower[IF_NAMESIZE];        /* macvtap, VLAN, …: link that it sits on, or "" */
    guint vlan;                     /* VLANs: its number */
    gboolean spreads;               /* bonds: all ports receive */
    char active[IF_NAMESIZE];       /* bonds: of others, the port that does, or "" */
    virTeamingMac mac;
    gboolean up;                    /* IFF_UP */
    gboolean running;               /* carrier */
    guint mtu;
    gboolean learning;              /* bridge ports: does the bridge learn from it */
    gboolean flooding;              /* bridge ports: does it send broadcast and multicast there */
    gboolean vlanFiltering;         /* bridges: vlan_filtering is on */
    virTeamingMacvtapMode mode;
    char pci[VIR_TEAMING_PCI_STRING_LEN];   /* PCI function behind it, or "" */
} virTeamingLink;

typedef struct {
    guint index;
    virTeamingPciAddress address;
    virTeamingMac mac;              /* admin MAC; all zero: none */
    guint vlan;                     /* 0: none */
    guint qos;
    gboolean serviceVlan;           /* it is one of 802.1ad; bnxt has them and does not say so */
    gint trust;                     /* 0, 1, or -1: driver does not say */
    gint spoofchk;                  /* same */
} virTeamingVf;

/**
 * virTeamingPortVlan: a VLAN that a bridge port is in
 * @id: its number
 * @tag: what its frames are tagged with that the bridge sends to the port: @id, or 0 for none
 */
typedef struct {
    guint16 id;
    guint16 tag;
} virTeamingPortVlan;

/**
 * virTeamingFdbFlags:
 * @VIR_TEAMING_FDB_SELF: entry of the device's own filter (NTF_SELF)
 * @VIR_TEAMING_FDB_MASTER: entry of the bridge that the device is a port of
 * @VIR_TEAMING_FDB_STATIC: does not age (NUD_NOARP)
 * @VIR_TEAMING_FDB_LOCAL: address of the bridge itself (NUD_PERMANENT)
 * @VIR_TEAMING_FDB_STICKY: does not move when the MAC is seen on another port
 *
 * Neither STATIC nor LOCAL: learnt.
 */
typedef enum {
    VIR_TEAMING_FDB_SELF   = 1 << 0,
    VIR_TEAMING_FDB_MASTER = 1 << 1,
    VIR_TEAMING_FDB_STATIC = 1 << 2,
    VIR_TEAMING_FDB_LOCAL  = 1 << 3,
    VIR_TEAMING_FDB_STICKY = 1 << 4,
} virTeamingFdbFlags;

typedef struct {
    char dev[IF_NAMESIZE];
    virTeamingMac mac;
    guint vlan;                     /* 0: none */
    guint flags;                    /* virTeamingFdbFlags */
} virTeamingFdbEntry;

virTeamingKernel *virTeamingKernelNew(const char *sysfs,
                                      GError **error);
/* For tests; its model of a host is filled through teaming_kernel_fake.h. */
virTeamingKernel *virTeamingKernelNewFake(void);
void virTeamingKernelFree(virTeamingKernel *kernel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingKernel, virTeamingKernelFree)

void virTeamingKernelBeginTurn(virTeamingKernel *kernel);
void virTeamingKernelEndTurn(virTeamingKernel *kernel);

gboolean virTeamingPciDriverIsVfio(const char *driver);
char *virTeamingPciDeviceFindUser(const virTeamingPciDevice *device);
gboolean virTeamingKernelPciGetState(virTeamingKernel *kernel,
                                     const virTeamingPciAddress *address,
                                     virTeamingPciState *ret,
                                     GError **error);
gboolean virTeamingKernelPciGetDevice(virTeamingKernel *kernel,
                                      const virTeamingPciAddress *address,
                                      virTeamingPciDevice *ret,
                                      GError **error);
GArray *virTeamingKernelPciListGroup(virTeamingKernel *kernel,
                                     const virTeamingPciAddress *address,
                                     GError **error);

virTeamingPciHandle *virTeamingKernelPciOpen(virTeamingKernel *kernel,
                                             const virTeamingPciAddress *address,
                                             GError **error);
gboolean virTeamingPciHandleRead(virTeamingPciHandle *handle,
                                 gboolean *busMaster,
                                 guint *vectors,
                                 GError **error);
void virTeamingPciHandleFree(virTeamingPciHandle *handle);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingPciHandle, virTeamingPciHandleFree)

int virTeamingKernelPciHold(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            GError **error);

gboolean virTeamingKernelLinkGet(virTeamingKernel *kernel,
                                 const char *ifname,
                                 virTeamingLink *ret,
                                 GError **error);
GArray *virTeamingKernelLinkList(virTeamingKernel *kernel,
                                 GError **error);
gboolean virTeamingKernelLinkSetLearning(virTeamingKernel *kernel,
                                         const char *port,
                                         gboolean learning,
                                         GError **error);
gboolean virTeamingKernelLinkSetFlooding(virTeamingKernel *kernel,
                                         const char *port,
                                         gboolean flooding,
                                         GError **error);
gboolean virTeamingKernelLinkSetMode(virTeamingKernel *kernel,
                                     const char *macvtap,
                                     virTeamingMacvtapMode mode,
                                     GError **error);

char *virTeamingKernelLinkFindUser(virTeamingKernel *kernel,
                                   const virTeamingLink *link);

GArray *virTeamingKernelVlanList(virTeamingKernel *kernel,
                                 const char *port,
                                 GError **error);

GArray *virTeamingKernelVfList(virTeamingKernel *kernel,
                               const char *pf,
                               GError **error);
gboolean virTeamingKernelVfGet(virTeamingKernel *kernel,
                               const char *pf,
                               guint index,
                               virTeamingVf *ret,
                               GError **error);
gboolean virTeamingKernelVfFind(virTeamingKernel *kernel,
                                const char *pf,
                                const virTeamingMac *mac,
                                virTeamingVf *ret,
                                GError **error);
gboolean virTeamingKernelVfSetMac(virTeamingKernel *kernel,
                                  const char *pf,
                                  guint index,
                                  const virTeamingMac *mac,
                                  GError **error);
gboolean virTeamingKernelVfSetVlan(virTeamingKernel *kernel,
                                   const char *pf,
                                   guint index,
                                   guint vlan,
                                   guint qos,
                                   gboolean service,
                                   GError **error);
gboolean virTeamingKernelVfLocate(virTeamingKernel *kernel,
                                  const virTeamingPciAddress *address,
                                  char pf[IF_NAMESIZE],
                                  guint *index,
                                  GError **error);
gboolean virTeamingKernelPfHasRepresentors(virTeamingKernel *kernel,
                                           const char *pf);

GArray *virTeamingKernelFdbList(virTeamingKernel *kernel,
                                const char *dev,
                                const virTeamingMac *mac,
                                GError **error);
gboolean virTeamingKernelFdbGet(virTeamingKernel *kernel,
                                const char *dev,
                                const virTeamingMac *mac,
                                guint vlan,
                                virTeamingFdbEntry *ret,
                                GError **error);
gboolean virTeamingKernelFdbAdd(virTeamingKernel *kernel,
                                const virTeamingFdbEntry *entry,
                                GError **error);
gboolean virTeamingKernelFdbDel(virTeamingKernel *kernel,
                                const virTeamingFdbEntry *entry,
                                GError **error);

gboolean virTeamingKernelFrameSend(virTeamingKernel *kernel,
                                   const char *ifname,
                                   const guint8 *frame,
                                   gsize size,
                                   GError **error);
int virTeamingKernelFrameListen(virTeamingKernel *kernel,
                                const char *ifname,
                                const virTeamingMac *source,
                                guint16 type,
                                GError **error);

/**
 * virTeamingKernelNotify:
 * @ifname: the link, the bridge port or the PF that changed; NULL: notifications
 *          were lost or too many to tell apart, so anything may have changed
 * @mac: of an FDB change, else NULL
 * @opaque: as given to virTeamingKernelWatch()
 *
 * Something changed; look again. Coalesced: many changes may come as one call. What
 * this process changes is notified too. Must not free the kernel.
 */
typedef void (*virTeamingKernelNotify)(const char *ifname,
                                       const virTeamingMac *mac,
                                       gpointer opaque);

gboolean virTeamingKernelWatch(virTeamingKernel *kernel,
                               virTeamingKernelNotify notify,
                               gpointer opaque,
                               GError **error);
