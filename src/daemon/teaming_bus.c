/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_bus.c: what the daemon answers over D-Bus
 */

/*
 * Theory of operation
 *
 * One object, served in two places: on a private socket, which needs no message bus and
 * takes only who runs the daemon (root), and on the system bus where there is one, whose
 * policy says who may ask. Nothing in the driver waits for either. That something is answered
 * otherwise than a second ago is told in both.
 *
 * The connection to the system bus is one of our own: with the one that g_bus_get() shares, GLib
 * ends the process when the bus goes away. And g_bus_own_name() would not connect again
 * (on_connection_disconnected() in gio/gdbusnameowning.c). So whenever there is no bus, or not our
 * name on it, all of it is tried anew, less and less often.
 */

#include "teaming_bus.h"

#include <glib/gstdio.h>

#include "teaming_error.h"
#include "teaming_wiring.h"

#define VIR_TEAMING_BUS_RETRY_S 1
#define VIR_TEAMING_BUS_RETRY_MAX_S 30

/* So long after a change it is told, at most: a migration is some twenty of them. */
#define VIR_TEAMING_BUS_COMPARE_S 1

struct _virTeamingBus {
    virTeamingDriver *driver;
    guint compare;                  /* a timer */
    char *summary;                  /* of what was answered about pairs when it ran */
    gboolean heard;                 /* likewise, HookHeard */
    char *problem;                  /* likewise, LibvirtProblem */
    char *hookHeard;                /* path: it is there if the hook was heard */
    GDBusNodeInfo *node;
    GDBusServer *server;
    GPtrArray *connections;         /* of the private socket */
    GDBusConnection *system;        /* NULL: there is no system bus, or not yet */
    GCancellable *connecting;       /* to it; NULL: nobody does */
    guint name;                     /* on it; 0: not asked for */
    guint retry;                    /* a timer */
    guint retrySeconds;             /* that it takes the next time */
};


static GVariant *
virTeamingBusFormatHistory(const virTeamingPairObj *pair)
{
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(xss)"));

    for (GList *item = pair->history.head; item; item = item->next) {
        const virTeamingPairChange *change = item->data;

        g_variant_builder_add(&builder, "(xss)", change->realtime,
                              virTeamingPhaseToString(change->phase), change->steps);
    }
    return g_variant_builder_end(&builder);
}


static void
virTeamingBusAddString(GVariantBuilder *builder,
                       const char *key,
                       const char *value)
{
    g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(value ? value : ""));
}


static GVariant *
virTeamingBusFormatPair(const virTeamingPairObj *pair)
{
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    const gboolean known = pair->phase != VIR_TEAMING_PHASE_LAST;
    g_autofree char *problem = virTeamingPairObjGetProblem(pair);
    g_autofree char *wiring = virTeamingPairObjGetWiring(pair);
    char mac[VIR_TEAMING_MAC_STRING_LEN];
    char vf[VIR_TEAMING_PCI_STRING_LEN] = "";

    if (pair->hasVf)
        virTeamingPciAddressFormat(&pair->vf, vf);
    virTeamingBusAddString(&builder, "domain", pair->domain);
    virTeamingBusAddString(&builder, "uuid", pair->uuid);
    virTeamingBusAddString(&builder, "standby", pair->standbyAlias);
    virTeamingBusAddString(&builder, "primary", pair->primaryAlias);
    virTeamingBusAddString(&builder, "mac", virTeamingMacFormat(&pair->mac, mac));
    virTeamingBusAddString(&builder, "tap", pair->tap);
    virTeamingBusAddString(&builder, "bridge", pair->bridge);
    virTeamingBusAddString(&builder, "uplink", pair->uplink);
    virTeamingBusAddString(&builder, "wiring", wiring);
    virTeamingBusAddString(&builder, "pf", pair->pf);
    virTeamingBusAddString(&builder, "vf", vf);
    g_variant_builder_add(&builder, "{sv}", "vf-index",
                          g_variant_new_int32(pair->hasVf ? (gint32)pair->vfIndex : -1));
    virTeamingBusAddString(&builder, "phase",
                           known ? virTeamingPhaseToString(pair->phase) : "unknown");
    virTeamingBusAddString(&builder, "path",
                           known ? virTeamingPhasePath(pair->phase) : "unknown");
    virTeamingBusAddString(&builder, "why", virTeamingPairObjExplain(pair));
    g_variant_builder_add(&builder, "{sv}", "bus-master",
                          g_variant_new_boolean(pair->pci.busMaster));
    g_variant_builder_add(&builder, "{sv}", "vectors",
                          g_variant_new_uint32(pair->pci.vectors));
    g_variant_builder_add(&builder, "{sv}", "plugging",
                          g_variant_new_boolean(pair->unplugged));
    g_variant_builder_add(&builder, "{sv}", "alone",
                          g_variant_new_boolean(virTeamingPairObjIsAlone(pair)));
    virTeamingBusAddString(&builder, "move", virTeamingMoveToString(pair->move));
    virTeamingBusAddString(&builder, "given-up", pair->aborted);
    virTeamingBusAddString(&builder, "problem", problem);
    g_variant_builder_add(&builder, "{sv}", "history", virTeamingBusFormatHistory(pair));
    return g_variant_builder_end(&builder);
}


/* What a client is told is ours, and not GLib's name for our error domain. */
static void
virTeamingBusReturnError(GDBusMethodInvocation *invocation,
                         const GError *error)
{
    const char *name = VIR_TEAMING_BUS_ERROR ".Failed";

    if (g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND))
        name = VIR_TEAMING_BUS_ERROR ".NotFound";
    else if (g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY))
        name = VIR_TEAMING_BUS_ERROR ".Busy";
    g_dbus_method_invocation_return_dbus_error(invocation, name, error->message);
}


static void
virTeamingBusMove(virTeamingBus *bus,
                  GVariant *parameters,
                  GDBusMethodInvocation *invocation)
{
    g_autoptr(GError) error = NULL;
    const char *domain;
    const char *standby;
    const char *to;

    g_variant_get(parameters, "(&s&s&s)", &domain, &standby, &to);
    if (!g_str_equal(to, "standby") && !g_str_equal(to, "vf"))
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "a pair is moved to 'standby' or 'vf', not to '%s'", to);
    if (error || !virTeamingDriverMove(bus->driver, domain, standby, g_str_equal(to, "vf"),
                                       &error))
        virTeamingBusReturnError(invocation, error);
    else
        g_dbus_method_invocation_return_value(invocation, NULL);
}


/* Returns: (transfer floating): what GetPairs() answers. */
static GVariant *
virTeamingBusFormatPairs(const virTeamingBus *bus)
{
    const GPtrArray *pairs = virTeamingDriverPairs(bus->driver);
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));

    for (guint i = 0; i < pairs->len; i++)
        g_variant_builder_add_value(&builder, virTeamingBusFormatPair(pairs->pdata[i]));
    return g_variant_new("(aa{sv})", &builder);
}


static void
virTeamingBusCall(GDBusConnection *connection,
                  const char *sender,
                  const char *path,
                  const char *interface,
                  const char *method,
                  GVariant *parameters,
                  GDBusMethodInvocation *invocation,
                  gpointer opaque)
{
    virTeamingBus *bus = opaque;

    if (g_str_equal(method, "Move"))
        virTeamingBusMove(bus, parameters, invocation);
    else
        g_dbus_method_invocation_return_value(invocation, virTeamingBusFormatPairs(bus));
}


static GVariant *
virTeamingBusGet(GDBusConnection *connection,
                 const char *sender,
                 const char *path,
                 const char *interface,
                 const char *property,
                 GError **error,
                 gpointer opaque)
{
    virTeamingBus *bus = opaque;
    const char *problem = virTeamingDriverLibvirtProblem(bus->driver);

    if (g_str_equal(property, "HookHeard"))
        return g_variant_new_boolean(g_file_test(bus->hookHeard, G_FILE_TEST_EXISTS));
    if (g_str_equal(property, "LibvirtProblem"))
        return g_variant_new_string(problem ? problem : "");
    return g_variant_new_string(VIR_TEAMING_VERSION);
}


static const GDBusInterfaceVTable vtable = {
    .method_call = virTeamingBusCall,
    .get_property = virTeamingBusGet,
};


/* Tells all who listen; whether anybody does is not known. */
static void
virTeamingBusEmit(virTeamingBus *bus,
                  const char *interface,
                  const char *signal,
                  GVariant *arguments)
{
    g_autoptr(GVariant) sunk = arguments ? g_variant_ref_sink(arguments) : NULL;

    if (bus->system)
        g_dbus_connection_emit_signal(bus->system, NULL, VIR_TEAMING_BUS_PATH, interface, signal,
                                      sunk, NULL);
    for (guint i = 0; i < bus->connections->len; i++)
        g_dbus_connection_emit_signal(bus->connections->pdata[i], NULL, VIR_TEAMING_BUS_PATH,
                                      interface, signal, sunk, NULL);
}


static void
virTeamingBusEmitProperty(virTeamingBus *bus,
                          const char *name)
{
    g_auto(GVariantBuilder) changed = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    g_variant_builder_add(&changed, "{sv}", name,
                          virTeamingBusGet(NULL, NULL, NULL, NULL, name, NULL, bus));
    virTeamingBusEmit(bus, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                      g_variant_new("(sa{sv}as)", VIR_TEAMING_BUS_INTERFACE, &changed, NULL));
}


/* Returns: (transfer full): text that differs if GetPairs() answers otherwise, but that takes a
 * hundredth of the time: frames wait for it, each second. */
static char *
virTeamingBusSummarize(const virTeamingBus *bus)
{
    const GPtrArray *pairs = virTeamingDriverPairs(bus->driver);
    GString *summary = g_string_new(NULL);

    for (guint i = 0; i < pairs->len; i++) {
        const virTeamingPairObj *pair = g_ptr_array_index(pairs, i);
        const virTeamingPairChange *last = pair->history.head ? pair->history.head->data : NULL;
        g_autofree char *problem = virTeamingPairObjGetProblem(pair);
        g_autofree char *wiring = virTeamingPairObjGetWiring(pair);

        g_string_append_printf(
            summary, "%s %s %s %s %s %s %s %s %s %d %d %d %d %u %d %d %" G_GINT64_FORMAT
            " %s\n%s\n%s\n", pair->uuid, pair->domain, pair->standbyAlias, pair->primaryAlias,
            pair->tap, pair->bridge, pair->uplink, wiring, pair->pf,
            pair->hasVf ? (int)pair->vfIndex : -1, (int)pair->phase, (int)pair->move,
            pair->pci.busMaster, pair->pci.vectors, pair->unplugged,
            virTeamingPairObjIsAlone(pair), last ? last->realtime : 0,
            virTeamingPairObjExplain(pair), pair->aborted, problem);
    }
    return g_string_free(summary, FALSE);
}


/* Tells what would be answered otherwise than when this was called last. What may change is in many
 * places, and may change many times in a moment. */
static gboolean
virTeamingBusCompare(gpointer opaque)
{
    virTeamingBus *bus = opaque;
    g_autofree char *summary = g_steal_pointer(&bus->summary);
    g_autofree char *problem = g_steal_pointer(&bus->problem);
    const gboolean heard = bus->heard;

    bus->summary = virTeamingBusSummarize(bus);
    bus->problem = g_strdup(virTeamingDriverLibvirtProblem(bus->driver));
    bus->heard = g_file_test(bus->hookHeard, G_FILE_TEST_EXISTS);
    if (!summary)
        return G_SOURCE_CONTINUE;

    if (g_strcmp0(problem, bus->problem) != 0)
        virTeamingBusEmitProperty(bus, "LibvirtProblem");
    if (heard != bus->heard)
        virTeamingBusEmitProperty(bus, "HookHeard");
    if (!g_str_equal(summary, bus->summary))
        virTeamingBusEmit(bus, VIR_TEAMING_BUS_INTERFACE, "PairsChanged", NULL);
    return G_SOURCE_CONTINUE;
}


static gboolean
virTeamingBusExport(virTeamingBus *bus,
                    GDBusConnection *connection)
{
    g_autoptr(GError) error = NULL;

    if (g_dbus_connection_register_object(connection, VIR_TEAMING_BUS_PATH,
                                          bus->node->interfaces[0], &vtable,
                                          bus, NULL, &error) > 0)
        return TRUE;
    g_warning("cannot serve a D-Bus connection: %s", error->message);
    return FALSE;
}


static void
virTeamingBusClosed(GDBusConnection *connection,
                    gboolean byPeer,
                    GError *error,
                    gpointer opaque)
{
    virTeamingBus *bus = opaque;

    g_ptr_array_remove(bus->connections, connection);
}


static gboolean
virTeamingBusIncoming(GDBusServer *server,
                      GDBusConnection *connection,
                      gpointer opaque)
{
    virTeamingBus *bus = opaque;

    if (!virTeamingBusExport(bus, connection))
        return FALSE;
    g_ptr_array_add(bus->connections, g_object_ref(connection));
    g_signal_connect(connection, "closed", G_CALLBACK(virTeamingBusClosed), bus);
    return TRUE;
}


static gboolean virTeamingBusJoin(gpointer opaque);


/* No system bus, or no right to the name: the private socket is there all the same. */
static void
virTeamingBusRetry(virTeamingBus *bus)
{
    if (bus->retry)
        return;
    bus->retry = g_timeout_add_seconds(bus->retrySeconds, virTeamingBusJoin, bus);
    bus->retrySeconds = MIN(2 * bus->retrySeconds, VIR_TEAMING_BUS_RETRY_MAX_S);
}


static void
virTeamingBusNameAcquired(GDBusConnection *connection,
                          const char *name,
                          gpointer opaque)
{
    virTeamingBus *bus = opaque;

    g_info("on the system bus as %s", name);
    bus->retrySeconds = VIR_TEAMING_BUS_RETRY_S;
    g_clear_handle_id(&bus->retry, g_source_remove);
}


/* That of a bus which goes away is lost, too, if it was had. */
static void
virTeamingBusNameLost(GDBusConnection *connection,
                      const char *name,
                      gpointer opaque)
{
    g_info("not on the system bus as %s", name);
    virTeamingBusRetry(opaque);
}


static void
virTeamingBusLost(GDBusConnection *connection,
                  gboolean byPeer,
                  GError *error,
                  gpointer opaque)
{
    g_info("the system bus has gone away");
    virTeamingBusRetry(opaque);
}


/* Gives up what there is of the system bus. */
static void
virTeamingBusLeave(virTeamingBus *bus)
{
    g_clear_handle_id(&bus->retry, g_source_remove);
    g_clear_handle_id(&bus->name, g_bus_unown_name);
    if (bus->connecting)
        g_cancellable_cancel(bus->connecting);
    g_clear_object(&bus->connecting);
    if (bus->system)
        g_signal_handlers_disconnect_by_func(bus->system, virTeamingBusLost, bus);
    g_clear_object(&bus->system);
}


static void
virTeamingBusJoined(GObject *source,
                    GAsyncResult *result,
                    gpointer opaque)
{
    virTeamingBus *bus = opaque;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_for_address_finish(result, &error);

    /* Who has cancelled it is not waiting, nor may be there any more. */
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    g_clear_object(&bus->connecting);
    if (!connection) {
        g_info("no system bus: %s", error->message);
        virTeamingBusRetry(bus);
        return;
    }
    bus->system = connection;
    g_signal_connect(connection, "closed", G_CALLBACK(virTeamingBusLost), bus);
    if (g_dbus_connection_is_closed(connection) || !virTeamingBusExport(bus, connection)) {
        virTeamingBusRetry(bus);
        return;
    }
    /* In no queue: to leave one, g_bus_unown_name() would wait for the bus. */
    bus->name = g_bus_own_name_on_connection(connection, VIR_TEAMING_BUS_NAME,
                                             G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                             virTeamingBusNameAcquired, virTeamingBusNameLost,
                                             bus, NULL);
}


/* Connects to the system bus, anew if there was one. */
static gboolean
virTeamingBusJoin(gpointer opaque)
{
    virTeamingBus *bus = opaque;
    g_autofree char *address = NULL;
    g_autoptr(GError) error = NULL;

    bus->retry = 0;
    virTeamingBusLeave(bus);
    if (!(address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, &error))) {
        g_info("no system bus: %s", error->message);
        virTeamingBusRetry(bus);
        return G_SOURCE_REMOVE;
    }
    bus->connecting = g_cancellable_new();
    g_dbus_connection_new_for_address(address,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                      G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                      NULL, bus->connecting, virTeamingBusJoined, bus);
    return G_SOURCE_REMOVE;
}


static void
virTeamingBusDrop(gpointer opaque)
{
    GDBusConnection *connection = opaque;

    g_signal_handlers_disconnect_matched(connection, G_SIGNAL_MATCH_FUNC, 0, 0, NULL,
                                         virTeamingBusClosed, NULL);
    g_object_unref(connection);
}


/**
 * virTeamingBusNew:
 * @socket: path of the private socket, in the state directory
 * @driver: asked for what is answered; must outlive the bus
 * @error: set if the private socket can't be made
 *
 * Returns: the bus; free with virTeamingBusFree().
 */
virTeamingBus *
virTeamingBusNew(const char *socket,
                 virTeamingDriver *driver,
                 GError **error)
{
    g_autoptr(virTeamingBus) bus = g_new0(virTeamingBus, 1);
    g_autofree char *escaped = g_dbus_address_escape_value(socket);
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    g_autofree char *guid = g_dbus_generate_guid();
    g_autofree char *statedir = g_path_get_dirname(socket);

    bus->driver = driver;
    bus->hookHeard = g_build_filename(statedir, VIR_TEAMING_HOOK_HEARD, NULL);
    bus->connections = g_ptr_array_new_with_free_func(virTeamingBusDrop);
    bus->node = g_dbus_node_info_new_for_xml(VIR_TEAMING_BUS_XML, error);
    if (!bus->node)
        return NULL;

    g_unlink(socket);
    bus->server = g_dbus_server_new_sync(
        address, G_DBUS_SERVER_FLAGS_AUTHENTICATION_REQUIRE_SAME_USER,
        guid, NULL, NULL, error);
    if (!bus->server) {
        g_prefix_error(error, "cannot listen at %s: ", socket);
        return NULL;
    }
    g_signal_connect(bus->server, "new-connection", G_CALLBACK(virTeamingBusIncoming), bus);
    g_dbus_server_start(bus->server);

    virTeamingBusCompare(bus);
    bus->compare = g_timeout_add_seconds(VIR_TEAMING_BUS_COMPARE_S, virTeamingBusCompare, bus);
    bus->retrySeconds = VIR_TEAMING_BUS_RETRY_S;
    virTeamingBusJoin(bus);
    return g_steal_pointer(&bus);
}


void
virTeamingBusFree(virTeamingBus *bus)
{
    if (!bus)
        return;
    virTeamingBusLeave(bus);
    g_clear_handle_id(&bus->compare, g_source_remove);
    g_free(bus->summary);
    g_free(bus->problem);
    if (bus->server)
        g_dbus_server_stop(bus->server);
    g_clear_object(&bus->server);
    g_ptr_array_unref(bus->connections);
    g_clear_pointer(&bus->node, g_dbus_node_info_unref);
    g_free(bus->hookHeard);
    g_free(bus);
}
