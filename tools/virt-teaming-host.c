/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-host.c: how subcommands reach the daemon of this host
 */

#include <gio/gio.h>

#include "teaming_bus_names.h"
#include "virt-teaming-host.h"

#define VIR_TEAMING_HOST_TIMEOUT_MS 5000


static gboolean
virTeamingCmdGiveUp(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_REMOVE;
}


static void
virTeamingCmdConnected(GObject *source G_GNUC_UNUSED,
                       GAsyncResult *result,
                       gpointer opaque)
{
    *(GAsyncResult **)opaque = g_object_ref(result);
}


/* As g_dbus_connection_new_for_address_sync(), which waits for ever for a daemon that hangs. */
static GDBusConnection *
virTeamingCmdConnectBus(const char *address,
                        GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GAsyncResult) result = NULL;
    guint timer = g_timeout_add(VIR_TEAMING_HOST_TIMEOUT_MS, virTeamingCmdGiveUp, cancellable);

    g_dbus_connection_new_for_address(address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                                      NULL, cancellable, virTeamingCmdConnected, &result);
    while (!result)
        g_main_context_iteration(NULL, TRUE);
    if (!g_cancellable_is_cancelled(cancellable))
        g_source_remove(timer);
    return g_dbus_connection_new_for_address_finish(result, error);
}


/**
 * virTeamingCmdReachDaemon:
 * @statedir: where virtteamingd has its sockets; NULL for the usual place
 * @daemon: filled on success; free with virTeamingCmdDaemonClear()
 * @error: set to VIR_TEAMING_ERROR_NOT_FOUND
 *
 * The daemon's private socket first, which needs no message bus; else the system bus. With @statedir
 * the socket alone: on the bus there is the host's own daemon, which is not the one that is meant.
 *
 * Returns: whether there is something to send a question to.
 */
gboolean
virTeamingCmdReachDaemon(const char *statedir,
                         virTeamingCmdDaemon *daemon,
                         GError **error)
{
    g_autofree char *socket = g_build_filename(statedir ? statedir : VIR_TEAMING_RUNSTATEDIR,
                                               VIR_TEAMING_BUS_SOCKET, NULL);
    g_autofree char *escaped = g_dbus_address_escape_value(socket);
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    g_autoptr(GError) reason = NULL;

    daemon->name = NULL;
    daemon->connection = virTeamingCmdConnectBus(address, &reason);
    if (daemon->connection)
        return TRUE;
    if (g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "virtteamingd does not answer at %s; it hangs, or is stopped: see 'systemctl "
                    "status virtteamingd'", socket);
        return FALSE;
    }

    if (!statedir) {
        daemon->name = VIR_TEAMING_BUS_NAME;
        daemon->connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
    }
    if (!daemon->connection)
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "cannot reach virtteamingd at %s: %s; is it running?",
                    socket, reason->message);
    return daemon->connection != NULL;
}


void
virTeamingCmdDaemonClear(virTeamingCmdDaemon *daemon)
{
    g_clear_object(&daemon->connection);
}


/**
 * virTeamingCmdAskDaemon:
 * @daemon: see virTeamingCmdReachDaemon()
 * @interface: D-Bus interface of @method; NULL for the daemon's own
 * @method: what to ask
 * @parameters: (nullable): floating, or NULL for none
 * @type: of the reply
 * @error: set to VIR_TEAMING_ERROR_NOT_FOUND if there is no answer, to
 *         VIR_TEAMING_ERROR_UNSUPPORTED if it is that the daemon will not, and why
 *
 * Returns: (transfer full): the reply, or NULL.
 */
GVariant *
virTeamingCmdAskDaemon(const virTeamingCmdDaemon *daemon,
                       const char *interface,
                       const char *method,
                       GVariant *parameters,
                       const char *type,
                       GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *remote = NULL;
    GVariant *reply = g_dbus_connection_call_sync(
        daemon->connection, daemon->name, VIR_TEAMING_BUS_PATH,
        interface ? interface : VIR_TEAMING_BUS_INTERFACE, method, parameters,
        G_VARIANT_TYPE(type), G_DBUS_CALL_FLAGS_NO_AUTO_START,
        VIR_TEAMING_HOST_TIMEOUT_MS, NULL, &reason);

    if (reply)
        return reply;
    remote = g_dbus_error_get_remote_error(reason);
    g_dbus_error_strip_remote_error(reason);
    if (remote && g_str_has_prefix(remote, VIR_TEAMING_BUS_ERROR "."))
        g_set_error_literal(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                            reason->message);
    else if (g_strcmp0(remote, "org.freedesktop.DBus.Error.AccessDenied") == 0)
        /* See org.virtteaming.conf: the group may look. */
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_ACCESS,
                    "virtteamingd takes %s from root%s only", method,
                    g_str_equal(method, "Move") ? "" : " and the group libvirt");
    else
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "virtteamingd does not answer: %s; is it running?", reason->message);
    return NULL;
}


/* Returns: the string @key of a pair as GetPairs() gives it, "" if it is not there. */
const char *
virTeamingCmdPairGet(GVariant *pair,
                     const char *key)
{
    const char *value = "";

    g_variant_lookup(pair, key, "&s", &value);
    return value;
}


/**
 * virTeamingCmdFilterPairs:
 * @pairs: (transfer full): as GetPairs() gives them
 * @domain: name or UUID; NULL for all
 * @standby: alias of the standby; NULL for all
 *
 * Returns: (transfer full): those of @pairs that are meant.
 */
GVariant *
virTeamingCmdFilterPairs(GVariant *pairs,
                         const char *domain,
                         const char *standby)
{
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    GVariantIter iter;
    GVariant *pair;

    g_variant_iter_init(&iter, pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        if ((!domain || g_str_equal(virTeamingCmdPairGet(pair, "domain"), domain) ||
             g_ascii_strcasecmp(virTeamingCmdPairGet(pair, "uuid"), domain) == 0) &&
            (!standby || g_str_equal(virTeamingCmdPairGet(pair, "standby"), standby)))
            g_variant_builder_add_value(&builder, pair);
        g_variant_unref(pair);
    }
    g_variant_unref(pairs);
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}
