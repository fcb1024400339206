/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_driver.h: all failover pairs of this host, and what moves them
 */

#pragma once

#include "teaming_pairevent.h"
#include "teaming_policy.h"

typedef struct _virTeamingDriver virTeamingDriver;

/**
 * virTeamingSnapshot:
 * @uuid: of the domain
 * @xml: its live XML; NULL if it is not active, or if libvirt would keep us waiting for it
 * @migratable: the form of it that names the pools its VFs came from, or NULL
 * @activity: what it is doing
 * @copied: bytes that it has sent to another host so far; -1 if it sends none
 * @postcopy: it runs here, and its memory still arrives
 * @serial: what virTeamingDriverSerial() was when libvirt was asked
 * @resync: events may have been missed before it: @activity is news
 */
typedef struct {
    char *uuid;
    char *xml;
    char *migratable;
    virTeamingActivity activity;
    gint64 copied;
    gboolean postcopy;
    guint serial;
    gboolean resync;
} virTeamingSnapshot;

/* Asks libvirt about the domain @uuid (NULL: about all); the answer is handed to
 * virTeamingDriverTellSnapshot() later, from the main loop. */
typedef void (*virTeamingDriverAsk)(const char *uuid,
                                    gboolean resync,
                                    gpointer opaque);

/* Has libvirt unplug what may be left of a domain's VF, unless it is @absent (then @alias may be
 * another device's by now), and plug @xml. The outcome is handed to virTeamingDriverTellPlug()
 * later, from the main loop, or to virTeamingDriverTellBusy(). Without @xml, it has libvirt ask
 * the guest for its VF, and whether it was asked is handed to virTeamingDriverTellUnplug(). */
typedef void (*virTeamingDriverPlug)(const char *uuid,
                                     const virTeamingMac *mac,
                                     const char *alias,
                                     const char *xml,
                                     gboolean absent,
                                     gpointer opaque);

/* Asks libvirt for its networks; the answer is handed to virTeamingDriverTellNetworks()
 * later, from the main loop. */
typedef void (*virTeamingDriverAskNetworks)(gpointer opaque);

/* Has libvirt give up the migration of domain @uuid that is under way. */
typedef void (*virTeamingDriverAbort)(const char *uuid,
                                      gpointer opaque);

/* Has QEMU begin, and fail, an outgoing migration of domain @uuid to nowhere. */
typedef void (*virTeamingDriverUnhide)(const char *uuid,
                                       gpointer opaque);

/* Has libvirt keep @xml, or NULL for nothing, in the running domain @uuid's metadata, under
 * VIR_TEAMING_MOVED_XMLNS: it goes where the domain goes. The outcome is handed to
 * virTeamingDriverTellNote() later, from the main loop. */
typedef void (*virTeamingDriverNote)(const char *uuid,
                                     const char *xml,
                                     gpointer opaque);

virTeamingDriver *virTeamingDriverNew(virTeamingKernel *kernel,
                                      const char *statedir,
                                      const virTeamingPolicy *policy,
                                      GError **error);
void virTeamingDriverSave(virTeamingDriver *driver);
void virTeamingDriverFree(virTeamingDriver *driver);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingDriver, virTeamingDriverFree)

void virTeamingDriverSetLibvirt(virTeamingDriver *driver,
                                virTeamingDriverAsk ask,
                                virTeamingDriverAskNetworks askNetworks,
                                virTeamingDriverPlug plug,
                                virTeamingDriverAbort abort,
                                virTeamingDriverUnhide unhide,
                                virTeamingDriverNote note,
                                gpointer opaque);
void virTeamingDriverSetVerdicts(virTeamingDriver *driver,
                                 const char *dir);
void virTeamingDriverSetCgroups(virTeamingDriver *driver,
                                gboolean cgroups);
guint virTeamingDriverSerial(const virTeamingDriver *driver,
                             const char *uuid);
gboolean virTeamingDriverHas(const virTeamingDriver *driver,
                             const char *uuid);
gboolean virTeamingDriverIsPlugging(const virTeamingDriver *driver,
                                    const char *uuid);
gboolean virTeamingDriverIsGroping(const virTeamingDriver *driver,
                                   const char *uuid);
gboolean virTeamingDriverIsIncoming(const virTeamingDriver *driver,
                                    const char *uuid);

void virTeamingDriverTellEvent(virTeamingDriver *driver,
                               const char *uuid,
                               const virTeamingQemuEvent *event);
void virTeamingDriverTellSnapshot(virTeamingDriver *driver,
                                  const virTeamingSnapshot *snapshot);
void virTeamingDriverTellInventory(virTeamingDriver *driver,
                                   const char *const *uuids,
                                   guint serial);
void virTeamingDriverTellLibvirt(virTeamingDriver *driver,
                                 const char *problem);
void virTeamingDriverTellNetworks(virTeamingDriver *driver,
                                  GHashTable *networks);
void virTeamingDriverTellPlug(virTeamingDriver *driver,
                              const char *uuid,
                              const virTeamingMac *mac,
                              const char *problem);
void virTeamingDriverTellBusy(virTeamingDriver *driver,
                              const char *uuid,
                              const virTeamingMac *mac);
void virTeamingDriverTellUnplug(virTeamingDriver *driver,
                                const char *uuid,
                                const virTeamingMac *mac,
                                const char *problem);
void virTeamingDriverTellUnhide(virTeamingDriver *driver,
                                const char *uuid,
                                const char *outcome);
void virTeamingDriverTellNote(virTeamingDriver *driver,
                              const char *uuid,
                              const char *problem);
gboolean virTeamingDriverTellHook(virTeamingDriver *driver,
                                  const char *operation,
                                  const char *suboperation,
                                  const char *xml,
                                  char **ret,
                                  GError **error);

gboolean virTeamingDriverMove(virTeamingDriver *driver,
                              const char *domain,
                              const char *standby,
                              gboolean toVf,
                              GError **error);

void virTeamingDriverRun(virTeamingDriver *driver,
                         gint64 now);
gint64 virTeamingDriverNextRun(const virTeamingDriver *driver,
                               gint64 now);

const GPtrArray *virTeamingDriverPairs(const virTeamingDriver *driver);
const char *virTeamingDriverLibvirtProblem(const virTeamingDriver *driver);

void virTeamingSnapshotFree(virTeamingSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingSnapshot, virTeamingSnapshotFree)
