/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_systemd.c: what systemd is told
 */

#include "teaming_systemd.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>


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
