/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_event.h: the QMP events that matter to a failover pair
 */

#pragma once

#include <glib.h>

typedef enum {
    VIR_TEAMING_QEMU_EVENT_OTHER,   /* of no interest here */
    VIR_TEAMING_QEMU_EVENT_NEGOTIATED,
    VIR_TEAMING_QEMU_EVENT_ASKED_OUT,
    VIR_TEAMING_QEMU_EVENT_DELETED,
    VIR_TEAMING_QEMU_EVENT_STOPPED,
    VIR_TEAMING_QEMU_EVENT_RESUMED,
    VIR_TEAMING_QEMU_EVENT_RESET,
    VIR_TEAMING_QEMU_EVENT_MIGRATION_WAITING,   /* for a guest to let a VF go */
    VIR_TEAMING_QEMU_EVENT_MIGRATION_ACTIVE,
    VIR_TEAMING_QEMU_EVENT_MIGRATION_POSTCOPY,
    VIR_TEAMING_QEMU_EVENT_MIGRATION_COMPLETED,
    VIR_TEAMING_QEMU_EVENT_MIGRATION_FAILED,    /* or cancelled, or being cancelled */
} virTeamingQemuEventType;

typedef struct {
    virTeamingQemuEventType type;
    char *device;                   /* id of the device, for those that name one */
} virTeamingQemuEvent;

gboolean virTeamingQemuEventParse(const char *name,
                                  const char *details,
                                  virTeamingQemuEvent *ret,
                                  GError **error);
void virTeamingQemuEventClear(virTeamingQemuEvent *event);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingQemuEvent, virTeamingQemuEventClear)
