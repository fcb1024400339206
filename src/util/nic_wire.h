/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_wire.h: raw frames into and out of a NIC, and VFs that come and go
 */

#pragma once

#include "teaming_kernel.h"

/*
 * What a probe of a NIC needs beside virTeamingKernel. The real one sends frames and
 * moves VFs; tests bring one of their own, which models a NIC.
 */
typedef struct _virTeamingNicWire virTeamingNicWire;

/**
 * virTeamingNicEnd: where a frame begins or ends
 * @VIR_TEAMING_NIC_END_PEER: the other end of the wire
 * @VIR_TEAMING_NIC_END_PF: the host's side of the NIC
 * @VIR_TEAMING_NIC_END_VF: the VF, once it is taken; it only receives
 */
typedef enum {
    VIR_TEAMING_NIC_END_PEER,
    VIR_TEAMING_NIC_END_PF,
    VIR_TEAMING_NIC_END_VF,
    VIR_TEAMING_NIC_END_LAST
} virTeamingNicEnd;

typedef struct {
    virTeamingNicEnd end;
    guint tag;                      /* as sent */
} virTeamingNicArrival;

/**
 * virTeamingNicWireOps:
 * @free: lets go of all that is held; changes nothing that outlives the process
 * @now: microseconds of a clock that does not jump
 * @unbind: takes the driver away from @vf, if it has one; fails with BUSY if a guest may have it
 * @bind: gives @vf the driver @driver; NULL: the one that the system would choose
 * @take: moves the netdev of @vf out of everyone's way and switches it on. @mac: the
 *        address that its driver has given it
 * @ready: whether the VF that was taken has carrier
 * @drop: forgets the VF that was taken, before it is unbound
 * @settle: the netdev of @vf, which its driver has made anew, is as it was: its name,
 *          address, MTU (0: that does not matter), and whether it is up
 * @send: sends a frame to @to. @tag: comes back with the arrival
 * @receive: waits @ms milliseconds and appends to @arrivals, of virTeamingNicArrival,
 *           what has come in
 */
typedef struct {
    void (*free)(virTeamingNicWire *wire);
    gint64 (*now)(virTeamingNicWire *wire);
    gboolean (*unbind)(virTeamingNicWire *wire,
                       const virTeamingPciAddress *vf,
                       GError **error);
    gboolean (*bind)(virTeamingNicWire *wire,
                     const virTeamingPciAddress *vf,
                     const char *driver,
                     GError **error);
    gboolean (*take)(virTeamingNicWire *wire,
                     const virTeamingPciAddress *vf,
                     virTeamingMac *mac,
                     GError **error);
    gboolean (*ready)(virTeamingNicWire *wire);
    void (*drop)(virTeamingNicWire *wire);
    gboolean (*settle)(virTeamingNicWire *wire,
                       const virTeamingPciAddress *vf,
                       const char *name,
                       const virTeamingMac *mac,
                       guint mtu,
                       gboolean up,
                       GError **error);
    gboolean (*send)(virTeamingNicWire *wire,
                     virTeamingNicEnd from,
                     const virTeamingMac *to,
                     guint tag,
                     GError **error);
    gboolean (*receive)(virTeamingNicWire *wire,
                        guint ms,
                        GArray *arrivals,
                        GError **error);
} virTeamingNicWireOps;

struct _virTeamingNicWire {
    const virTeamingNicWireOps *ops;
};

gboolean virTeamingNicWireMayBind(const virTeamingPciDevice *vf,
                                  GError **error);
virTeamingNicWire *virTeamingNicWireNew(virTeamingKernel *kernel,
                                        const char *pf,
                                        const char *peer,
                                        GError **error);
void virTeamingNicWireFree(virTeamingNicWire *wire);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingNicWire, virTeamingNicWireFree)
