/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel_fake.h: the host that virTeamingKernelNewFake() pretends to be
 */

#pragma once

#include "teaming_kernel.h"

/*
 * What stands here is what the rest of the world does to the host: devices come and go,
 * libvirt programs a VF, a guest's driver sets the bus-master bit, frames pass a bridge.
 * Nothing of it is recorded; the watcher is notified of what a real kernel notifies.
 */

void virTeamingFakeSetLink(virTeamingKernel *kernel,
                           const virTeamingLink *link);
void virTeamingFakeRemoveLink(virTeamingKernel *kernel,
                              const char *ifname);

void virTeamingFakeSetAddress(virTeamingKernel *kernel,
                              const char *ifname,
                              const char *address);

void virTeamingFakeSetSwitchdev(virTeamingKernel *kernel,
                                const char *pf);

void virTeamingFakeSetVlans(virTeamingKernel *kernel,
                            const char *port,
                            const guint16 *vlans);

void virTeamingFakeRenameLink(virTeamingKernel *kernel,
                              const char *ifname,
                              const char *name);

void virTeamingFakeSetPci(virTeamingKernel *kernel,
                          const virTeamingPciDevice *device);
void virTeamingFakeRemovePci(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address);
void virTeamingFakeSetPciState(virTeamingKernel *kernel,
                               const virTeamingPciAddress *address,
                               gboolean busMaster,
                               guint vectors);
void virTeamingFakeSetPciOpen(virTeamingKernel *kernel,
                              const virTeamingPciAddress *address,
                              gboolean open);
void virTeamingFakeSetDriver(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             const char *driver);

void virTeamingFakeSetVf(virTeamingKernel *kernel,
                         const char *pf,
                         const virTeamingVf *vf);

void virTeamingFakeFrame(virTeamingKernel *kernel,
                         const char *ifname,
                         const guint8 *frame,
                         gsize size);

void virTeamingFakeReceive(virTeamingKernel *kernel,
                           const char *port,
                           const virTeamingMac *source,
                           guint vlan);

void virTeamingFakeTearLists(virTeamingKernel *kernel,
                             gboolean torn);

void virTeamingFakeLoseNotifications(virTeamingKernel *kernel);

/* What was asked of the kernel, and how it is made to refuse. */

void virTeamingFakeFail(virTeamingKernel *kernel,
                        const char *op,
                        guint nth,
                        int err);

typedef void (*virTeamingFakeDied)(gpointer opaque);

void virTeamingFakeDie(virTeamingKernel *kernel,
                       guint nth,
                       gboolean late,
                       virTeamingFakeDied died,
                       gpointer opaque);
char *virTeamingFakeTakeLog(virTeamingKernel *kernel);
