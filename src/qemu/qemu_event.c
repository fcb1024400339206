/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_event.c: the QMP events that matter to a failover pair
 */

/*
 * Theory of operation
 *
 * libvirt hands every QMP event on, also those that it acts upon itself, as a name and
 * the text of the event's "data". Events are hints: they are not replayed to a late
 * listener, and FAILOVER_NEGOTIATED comes once per write of the feature word, also from
 * a driver that declines afterwards (QEMU, hw/net/virtio-net.c). They say when to look
 * and what QEMU has been asked for; what the guest does is read from the VF.
 */

#include "qemu_event.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "teaming_error.h"

static const struct {
    const char *name;
    virTeamingQemuEventType type;
    const char *device;             /* member of "data" that names the device */
} events[] = {
    { "FAILOVER_NEGOTIATED", VIR_TEAMING_QEMU_EVENT_NEGOTIATED, "device-id" },
    { "UNPLUG_PRIMARY", VIR_TEAMING_QEMU_EVENT_ASKED_OUT, "device-id" },
    { "DEVICE_DELETED", VIR_TEAMING_QEMU_EVENT_DELETED, "device" },
    { "STOP", VIR_TEAMING_QEMU_EVENT_STOPPED, NULL },
    { "RESUME", VIR_TEAMING_QEMU_EVENT_RESUMED, NULL },
    { "RESET", VIR_TEAMING_QEMU_EVENT_RESET, NULL },
};

/* MigrationStatus in QEMU's qapi/migration.json; those left out change nothing here. */
static const struct {
    const char *status;
    virTeamingQemuEventType type;
} statuses[] = {
    { "wait-unplug", VIR_TEAMING_QEMU_EVENT_MIGRATION_WAITING },
    { "active", VIR_TEAMING_QEMU_EVENT_MIGRATION_ACTIVE },
    { "pre-switchover", VIR_TEAMING_QEMU_EVENT_MIGRATION_ACTIVE },
    { "device", VIR_TEAMING_QEMU_EVENT_MIGRATION_ACTIVE },
    { "postcopy-active", VIR_TEAMING_QEMU_EVENT_MIGRATION_POSTCOPY },
    { "completed", VIR_TEAMING_QEMU_EVENT_MIGRATION_COMPLETED },
    { "cancelling", VIR_TEAMING_QEMU_EVENT_MIGRATION_FAILED },
    { "cancelled", VIR_TEAMING_QEMU_EVENT_MIGRATION_FAILED },
    { "failed", VIR_TEAMING_QEMU_EVENT_MIGRATION_FAILED },
};


static virTeamingQemuEventType
virTeamingQemuEventFromStatus(const char *status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (g_strcmp0(statuses[i].status, status) == 0)
            return statuses[i].type;
    }
    return VIR_TEAMING_QEMU_EVENT_OTHER;
}


/**
 * virTeamingQemuEventParse:
 * @name: the event's name
 * @details: its "data" as JSON text, or NULL if it has none
 * @ret: filled on success only; free with virTeamingQemuEventClear()
 * @error: set to VIR_TEAMING_ERROR_INVALID if @details is not what QEMU documents
 *
 * An event of no interest is no error: its type is VIR_TEAMING_QEMU_EVENT_OTHER.
 *
 * Returns: whether @ret was filled.
 */
gboolean
virTeamingQemuEventParse(const char *name,
                         const char *details,
                         virTeamingQemuEvent *ret,
                         GError **error)
{
    const gboolean migration = g_str_equal(name, "MIGRATION");
    virTeamingQemuEvent event = { VIR_TEAMING_QEMU_EVENT_OTHER, NULL };
    const char *member = migration ? "status" : NULL;
    const char *value = NULL;
    g_autoptr(JsonNode) root = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        if (g_str_equal(events[i].name, name)) {
            event.type = events[i].type;
            member = events[i].device;
        }
    }
    if (!member) {
        *ret = event;
        return TRUE;
    }

    root = json_from_string(details ? details : "", error);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        value = json_object_get_string_member_with_default(json_node_get_object(root),
                                                           member, NULL);
    /* A device without an id has been deleted, too: QEMU leaves the member out. */
    if (!value && event.type != VIR_TEAMING_QEMU_EVENT_DELETED) {
        g_clear_error(error);
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "QMP event %s has no string \"%s\" in its data: %s",
                    name, member, details ? details : "(none)");
        return FALSE;
    }
    g_clear_error(error);

    if (migration)
        event.type = virTeamingQemuEventFromStatus(value);
    else
        event.device = g_strdup(value);
    *ret = event;
    return TRUE;
}


void
virTeamingQemuEventClear(virTeamingQemuEvent *event)
{
    g_clear_pointer(&event->device, g_free);
}
