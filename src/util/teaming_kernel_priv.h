/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel_priv.h: what the two implementations of virTeamingKernel share
 */

#pragma once

#include "teaming_kernel.h"

/* One member for each public function; arguments are valid when these are called. */
typedef struct {
    void (*free)(virTeamingKernel *kernel);

    gboolean (*pciGetState)(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            virTeamingPciState *ret,
                            GError **error);
    gboolean (*pciGetDevice)(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             virTeamingPciDevice *ret,
                             GError **error);
    GArray *(*pciListGroup)(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            GError **error);
    int (*pciHold)(virTeamingKernel *kernel,
                   const virTeamingPciAddress *address,
                   GError **error);
    virTeamingPciHandle *(*pciOpen)(virTeamingKernel *kernel,
                                    const virTeamingPciAddress *address,
                                    GError **error);
    gboolean (*pciHandleRead)(virTeamingPciHandle *handle,
                              gboolean *busMaster,
                              guint *vectors,
                              GError **error);
    void (*pciHandleFree)(virTeamingPciHandle *handle);

    gboolean (*linkGet)(virTeamingKernel *kernel,
                        const char *ifname,
                        virTeamingLink *ret,
                        GError **error);
    GArray *(*linkList)(virTeamingKernel *kernel,
                        GError **error);
    gboolean (*linkSetLearning)(virTeamingKernel *kernel,
                                const char *port,
                                gboolean learning,
                                GError **error);

    gboolean (*linkSetFlooding)(virTeamingKernel *kernel,
                                const char *port,
                                gboolean flooding,
                                GError **error);

    gboolean (*linkSetMode)(virTeamingKernel *kernel,
                            const char *macvtap,
                            virTeamingMacvtapMode mode,
                            GError **error);

    /* (transfer full) (nullable): an address of the host on the link, but no link-local one */
    char *(*linkFindAddress)(virTeamingKernel *kernel,
                             const char *ifname);

    GArray *(*vlanList)(virTeamingKernel *kernel,
                        const char *port,
                        GError **error);

    /* @mac: that of the VFs that are wanted, or NULL; @only: index of the one, or -1 */
    GArray *(*vfList)(virTeamingKernel *kernel,
                      const char *pf,
                      const virTeamingMac *mac,
                      gint only,
                      GError **error);
    gboolean (*vfSetMac)(virTeamingKernel *kernel,
                         const char *pf,
                         guint index,
                         const virTeamingMac *mac,
                         GError **error);
    gboolean (*vfSetVlan)(virTeamingKernel *kernel,
                          const char *pf,
                          guint index,
                          guint vlan,
                          guint qos,
                          GError **error);
    gboolean (*vfLocate)(virTeamingKernel *kernel,
                         const virTeamingPciAddress *address,
                         char pf[IF_NAMESIZE],
                         guint *index,
                         GError **error);
    gboolean (*pfHasRepresentors)(virTeamingKernel *kernel,
                                  const char *pf);

    GArray *(*fdbList)(virTeamingKernel *kernel,
                       const char *dev,
                       const virTeamingMac *mac,
                       GError **error);
    gboolean (*fdbGet)(virTeamingKernel *kernel,
                       const char *dev,
                       const virTeamingMac *mac,
                       guint vlan,
                       virTeamingFdbEntry *ret,
                       GError **error);
    gboolean (*fdbAdd)(virTeamingKernel *kernel,
                       const virTeamingFdbEntry *entry,
                       GError **error);
    gboolean (*fdbDel)(virTeamingKernel *kernel,
                       const virTeamingFdbEntry *entry,
                       GError **error);

    gboolean (*frameSend)(virTeamingKernel *kernel,
                          const char *ifname,
                          const guint8 *frame,
                          gsize size,
                          GError **error);
    int (*frameListen)(virTeamingKernel *kernel,
                       const char *ifname,
                       const virTeamingMac *source,
                       guint16 type,
                       GError **error);

    /* Begins to feed virTeamingKernelChanged(); called once. */
    gboolean (*watch)(virTeamingKernel *kernel,
                      GError **error);
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

void virTeamingKernelSetError(GError **error,
                              int err,
                              const char *words,
                              const char *format,
                              ...) G_GNUC_PRINTF(4, 5);
