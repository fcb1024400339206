/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel_priv.h: what the two implementations of virTeamingKernel share
 */

#pragma once

#include "teaming_kernel.h"

/* What a bridge does with its port, or does not. */
typedef enum {
    VIR_TEAMING_KERNEL_LEARNING,
    VIR_TEAMING_KERNEL_FLOODING,
} virTeamingKernelSwitch;

/*
 * What an implementation does, and does not word: each returns 0, or the errno with which the
 * kernel refused; what it has said beside that is kept with virTeamingKernelKeepWords().
 * Arguments are valid when these are called; lists are handed in empty.
 */
typedef struct {
    void (*free)(virTeamingKernel *kernel);

    int (*pciGetState)(virTeamingKernel *kernel,
                       const virTeamingPciAddress *address,
                       virTeamingPciState *ret);
    int (*pciGetDevice)(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address,
                        virTeamingPciDevice *ret);
    int (*pciListGroup)(virTeamingKernel *kernel,
                        const virTeamingPciAddress *address,
                        GArray *list);
    int (*pciHold)(virTeamingKernel *kernel,
                   const virTeamingPciAddress *address,
                   int *fd);
    int (*pciOpen)(virTeamingKernel *kernel,
                   const virTeamingPciAddress *address,
                   virTeamingPciHandle **ret);
    int (*pciHandleRead)(virTeamingPciHandle *handle,
                         gboolean *busMaster,
                         guint *vectors);
    void (*pciHandleFree)(virTeamingPciHandle *handle);

    int (*linkGet)(virTeamingKernel *kernel,
                   const char *ifname,
                   virTeamingLink *ret);
    int (*linkList)(virTeamingKernel *kernel,
                    GArray *list);
    int (*linkSetPort)(virTeamingKernel *kernel,
                       const char *port,
                       virTeamingKernelSwitch what,
                       gboolean on);
    int (*linkSetMode)(virTeamingKernel *kernel,
                       const char *macvtap,
                       virTeamingMacvtapMode mode);
    /* (transfer full) (nullable): an address of the host on the link, but no link-local one */
    char *(*linkFindAddress)(virTeamingKernel *kernel,
                             const char *ifname);

    int (*vlanList)(virTeamingKernel *kernel,
                    const char *port,
                    GArray *list);

    /* @mac: that of the VFs that are wanted, or NULL; @only: index of the one, or -1 */
    int (*vfList)(virTeamingKernel *kernel,
                  const char *pf,
                  const virTeamingMac *mac,
                  gint only,
                  GArray *list);
    int (*vfSetMac)(virTeamingKernel *kernel,
                    const char *pf,
                    guint index,
                    const virTeamingMac *mac);
    int (*vfSetVlan)(virTeamingKernel *kernel,
                     const char *pf,
                     guint index,
                     guint vlan,
                     guint qos,
                     gboolean service);
    int (*vfLocate)(virTeamingKernel *kernel,
                    const virTeamingPciAddress *address,
                    char pf[IF_NAMESIZE],
                    guint *index);
    gboolean (*pfHasRepresentors)(virTeamingKernel *kernel,
                                  const char *pf);

    int (*fdbList)(virTeamingKernel *kernel,
                   const char *dev,
                   const virTeamingMac *mac,
                   GArray *list);
    int (*fdbGet)(virTeamingKernel *kernel,
                  const char *dev,
                  const virTeamingMac *mac,
                  guint vlan,
                  virTeamingFdbEntry *ret);
    int (*fdbAdd)(virTeamingKernel *kernel,
                  const virTeamingFdbEntry *entry);
    int (*fdbDel)(virTeamingKernel *kernel,
                  const virTeamingFdbEntry *entry);

    int (*frameSend)(virTeamingKernel *kernel,
                     const char *ifname,
                     const guint8 *frame,
                     gsize size);
    int (*frameListen)(virTeamingKernel *kernel,
                       const char *ifname,
                       const virTeamingMac *source,
                       guint16 type,
                       int *fd);

    /* Begins to feed virTeamingKernelChanged(); called once. */
    int (*watch)(virTeamingKernel *kernel);
} virTeamingKernelOps;

/* What there are lists of. */
typedef enum {
    VIR_TEAMING_KERNEL_LINKS,
    VIR_TEAMING_KERNEL_VFS,
    VIR_TEAMING_KERNEL_FDB,
    VIR_TEAMING_KERNEL_KINDS
} virTeamingKernelKind;

struct _virTeamingKernel {
    const virTeamingKernelOps *ops;
    char *words;                    /* the kernel's, about the last errno, or NULL */
    virTeamingKernelNotify notify;  /* NULL: nobody watches */
    gpointer opaque;
    gboolean watching;              /* ops->watch() has succeeded */
    GArray *changes;                /* of virTeamingKernelChange, not yet notified */
    gboolean changesLost;
    guint turns;                    /* begun and not ended */
    GHashTable *kept[VIR_TEAMING_KERNEL_KINDS];     /* of virTeamingKernelKept */
};

struct _virTeamingPciHandle {
    virTeamingKernel *kernel;
    virTeamingPciAddress address;
};

void virTeamingKernelInit(virTeamingKernel *kernel,
                          const virTeamingKernelOps *ops);

void virTeamingKernelChanged(virTeamingKernel *kernel,
                             const char *ifname,
                             const virTeamingMac *mac);
void virTeamingKernelDeliver(virTeamingKernel *kernel);

void virTeamingKernelKeepWords(virTeamingKernel *kernel,
                               const char *words);
