/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_systemd.c: what systemd is told, and asked
 */

#include "teaming_systemd.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

#define VIR_TEAMING_SYSTEMD_ANSWERS_MS 2000


/**
 * virTeamingSystemdReady:
 *
 * Tells systemd that the daemon can be called now, if systemd has started it and wants to know
 * (sd_notify(3): a datagram to the socket in NOTIFY_SOCKET, "@" for an abstract one). That it can't
 * be told ends nothing: systemd says itself that it has waited in vain.
 */
void
virTeamingSystemdReady(void)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    const char ready[] = "READY=1";
    g_autoptr(GSocketAddress) address = NULL;
    g_autoptr(GSocket) socket = NULL;

    if (!path)
        return;
    address = *path == '@' ?
        g_unix_socket_address_new_with_type(path + 1, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT) :
        g_unix_socket_address_new(path);
    socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM,
                          G_SOCKET_PROTOCOL_DEFAULT, NULL);
    if (socket)
        g_socket_send_to(socket, address, ready, strlen(ready), NULL, NULL);
}


/* Returns: (transfer full): the ActiveState of a unit (its name as in object paths), or NULL. */
static char *
virTeamingSystemdAsk(GDBusConnection *bus,
                     const char *unit)
{
    g_autofree char *path = g_strconcat("/org/freedesktop/systemd1/unit/", unit, NULL);
    g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
        bus, "org.freedesktop.systemd1", path, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", "org.freedesktop.systemd1.Unit", "ActiveState"),
        G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, VIR_TEAMING_SYSTEMD_ANSWERS_MS,
        NULL, NULL);
    g_autoptr(GVariant) state = NULL;

    if (!answer)
        return NULL;
    g_variant_get(answer, "(v)", &state);
    return g_variant_dup_string(state, NULL);
}


/**
 * virTeamingSystemdHoldsLibvirt:
 *
 * Waits for systemd: for threads.
 *
 * Returns: whether libvirt's daemon does not run while systemd listens in its place
 * (systemd.socket(5)), so that to connect would start it. While the service is being stopped that
 * is so, too: systemd looks for who has come meanwhile when it has ended (socket_enter_listening()
 * in src/core/socket.c). FALSE if nobody can tell.
 */
gboolean
virTeamingSystemdHoldsLibvirt(void)
{
    /* A host runs one or the other, never both. */
    static const char *const units[][2] = {
        { "virtqemud_2esocket", "virtqemud_2eservice" },
        { "libvirtd_2esocket", "libvirtd_2eservice" },
    };
    static const char *const stopped[] = { "inactive", "failed", "deactivating", NULL };
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
    g_autoptr(GDBusConnection) bus = NULL;

    if (address)
        bus = g_dbus_connection_new_for_address_sync(
            address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL, NULL);
    for (gsize i = 0; bus && i < G_N_ELEMENTS(units); i++) {
        g_autofree char *listening = virTeamingSystemdAsk(bus, units[i][0]);

        if (g_strcmp0(listening, "active") == 0) {
            g_autofree char *service = virTeamingSystemdAsk(bus, units[i][1]);

            return service && g_strv_contains(stopped, service);
        }
    }
    return FALSE;
}
