/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-status.c: which path carries a guest's frames, and why
 */

#include <gio/gio.h>
#include <string.h>

#include "teaming_bus_names.h"
#include "virt-teaming.h"

#define VIR_TEAMING_STATUS_TIMEOUT_MS 5000

/* What the daemon says of itself and of its pairs. */
typedef struct {
    GVariant *pairs;                /* aa{sv} */
    gboolean hookHeard;
    char *libvirtProblem;
} virTeamingStatus;


static void
virTeamingStatusClear(virTeamingStatus *status)
{
    g_clear_pointer(&status->pairs, g_variant_unref);
    g_clear_pointer(&status->libvirtProblem, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingStatus, virTeamingStatusClear)


/* The daemon's private socket first, which needs no message bus; else the system bus. */
static GDBusConnection *
virTeamingStatusConnect(const char *statedir,
                        const char **name,
                        GError **error)
{
    g_autofree char *socket = g_build_filename(statedir, VIR_TEAMING_BUS_SOCKET, NULL);
    g_autofree char *escaped = g_dbus_address_escape_value(socket);
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    g_autoptr(GError) reason = NULL;
    GDBusConnection *connection;

    *name = NULL;
    connection = g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, &reason);
    if (connection)
        return connection;

    *name = VIR_TEAMING_BUS_NAME;
    connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
    if (!connection)
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "cannot reach virtteamingd at %s: %s; is it running?",
                    socket, reason->message);
    return connection;
}


static GVariant *
virTeamingStatusCall(GDBusConnection *connection,
                     const char *name,
                     const char *interface,
                     const char *method,
                     GVariant *parameters,
                     const char *type,
                     GError **error)
{
    g_autoptr(GError) reason = NULL;
    GVariant *reply = g_dbus_connection_call_sync(
        connection, name, VIR_TEAMING_BUS_PATH, interface, method, parameters,
        G_VARIANT_TYPE(type), G_DBUS_CALL_FLAGS_NO_AUTO_START,
        VIR_TEAMING_STATUS_TIMEOUT_MS, NULL, &reason);

    if (!reply) {
        g_dbus_error_strip_remote_error(reason);
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "virtteamingd does not answer: %s; is it running?", reason->message);
    }
    return reply;
}


static gboolean
virTeamingStatusFetch(const char *statedir,
                      virTeamingStatus *status,
                      GError **error)
{
    const char *name;
    g_autoptr(GDBusConnection) connection = virTeamingStatusConnect(statedir, &name, error);
    g_autoptr(GVariant) pairs = NULL;
    g_autoptr(GVariant) properties = NULL;
    g_autoptr(GVariant) dict = NULL;

    if (!connection ||
        !(pairs = virTeamingStatusCall(connection, name, VIR_TEAMING_BUS_INTERFACE,
                                       "GetPairs", NULL, "(aa{sv})", error)) ||
        !(properties = virTeamingStatusCall(connection, name,
                                            "org.freedesktop.DBus.Properties", "GetAll",
                                            g_variant_new("(s)", VIR_TEAMING_BUS_INTERFACE),
                                            "(a{sv})", error)))
        return FALSE;

    status->pairs = g_variant_get_child_value(pairs, 0);
    dict = g_variant_get_child_value(properties, 0);
    g_variant_lookup(dict, "HookHeard", "b", &status->hookHeard);
    g_variant_lookup(dict, "LibvirtProblem", "s", &status->libvirtProblem);
    return TRUE;
}


static const char *
virTeamingStatusGet(GVariant *pair,
                    const char *key)
{
    const char *value = "";

    g_variant_lookup(pair, key, "&s", &value);
    return value;
}


/* Drops the pairs of other domains. @domain is a name or a UUID; NULL keeps all. */
static void
virTeamingStatusFilter(virTeamingStatus *status,
                       const char *domain)
{
    g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    GVariantIter iter;
    GVariant *pair;

    g_variant_iter_init(&iter, status->pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        if (!domain || g_str_equal(virTeamingStatusGet(pair, "domain"), domain) ||
            g_ascii_strcasecmp(virTeamingStatusGet(pair, "uuid"), domain) == 0)
            g_variant_builder_add_value(&builder, pair);
        g_variant_unref(pair);
    }
    g_variant_unref(status->pairs);
    status->pairs = g_variant_ref_sink(g_variant_builder_end(&builder));
}


static void
virTeamingStatusPrintHistory(GVariant *pair)
{
    g_autoptr(GVariantIter) iter = NULL;
    gint64 realtime;
    const char *phase;
    const char *steps;

    if (!g_variant_lookup(pair, "history", "a(xss)", &iter))
        return;
    while (g_variant_iter_next(iter, "(x&s&s)", &realtime, &phase, &steps)) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(realtime / G_USEC_PER_SEC);
        g_autofree char *clock = g_date_time_format(time, "%F %T");

        printf("    %s.%03d  %-9s %s\n", clock,
               (int)(realtime / 1000 % 1000), phase, steps);
    }
}


static void
virTeamingStatusPrint(const virTeamingStatus *status,
                      gboolean history)
{
    static const char *const columns[] = { "domain", "standby", "vf", "pf", "path", "phase" };
    static const char *const titles[] = { "DOMAIN", "STANDBY", "VF", "PF", "PATH", "PHASE" };
    int widths[G_N_ELEMENTS(columns)];
    GVariantIter iter;
    GVariant *pair;

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        widths[i] = strlen(titles[i]);
    g_variant_iter_init(&iter, status->pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
            widths[i] = MAX(widths[i],
                            (int)g_utf8_strlen(virTeamingStatusGet(pair, columns[i]), -1));
        g_variant_unref(pair);
    }

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "%-*s  ", widths[i], titles[i]);
    virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "WHY\n");

    g_variant_iter_init(&iter, status->pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        const char *problem = virTeamingStatusGet(pair, "problem");

        for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
            const char *text = virTeamingStatusGet(pair, columns[i]);

            printf("%-*s  ", widths[i], *text ? text : "-");
        }
        puts(virTeamingStatusGet(pair, "why"));
        if (*problem) {
            virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_WARNING, "    problem:");
            printf(" %s\n", problem);
        }
        if (history)
            virTeamingStatusPrintHistory(pair);
        g_variant_unref(pair);
    }
}


static void
virTeamingStatusPrintJson(const virTeamingStatus *status)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_member(object, "pairs", json_gvariant_serialize(status->pairs));
    json_object_set_boolean_member(object, "hook-heard", status->hookHeard);
    json_object_set_string_member(object, "libvirt-problem", status->libvirtProblem);
    json_node_set_object(node, object);
    virTeamingCmdPrintJson(node);
}


/* Returns: whether something is wrong, after a word about it on standard error. */
static gboolean
virTeamingStatusComplain(const virTeamingStatus *status)
{
    gboolean findings = FALSE;
    GVariantIter iter;
    GVariant *pair;

    g_variant_iter_init(&iter, status->pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        findings |= *virTeamingStatusGet(pair, "problem") != '\0';
        g_variant_unref(pair);
    }
    if (status->libvirtProblem && *status->libvirtProblem) {
        virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_WARNING, "warning:");
        fprintf(stderr, " %s\n", status->libvirtProblem);
        findings = TRUE;
    }
    if (!status->hookHeard && g_variant_n_children(status->pairs) > 0) {
        virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_NOTE, "note:");
        fputs(" libvirt has not called the hook since virtteamingd started; libvirtd looks "
              "for hooks only when it starts itself\n", stderr);
    }
    return findings;
}


int
virTeamingCmdStatus(int argc,
                    char **argv)
{
    g_autofree char *statedir = NULL;
    const GOptionEntry entries[] = {
        { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &statedir,
          "where virtteamingd has its sockets (default: " VIR_TEAMING_RUNSTATEDIR ")", "DIR" },
        G_OPTION_ENTRY_NULL,
    };
    g_auto(virTeamingCmdOptions) options = { 0 };
    g_auto(virTeamingStatus) status = { 0 };
    g_auto(GStrv) words = virTeamingCmdParse(
        argc, argv, "[DOMAIN]", "Says which path carries the frames of each pair on this "
        "host, and why; for one DOMAIN (name or UUID) also what happened lately.",
        entries, &options);
    g_autoptr(GError) error = NULL;

    if (!words)
        return VIR_TEAMING_CMD_FAILED;
    if (options.connect) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "status asks the virtteamingd of this host, whatever libvirt it listens "
                    "to; run it there instead of --connect");
        return virTeamingCmdFail(error);
    }
    if (words[0] && words[1]) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "status takes one DOMAIN, or none for all");
        return virTeamingCmdFail(error);
    }
    if (!virTeamingStatusFetch(statedir ? statedir : VIR_TEAMING_RUNSTATEDIR,
                               &status, &error))
        return virTeamingCmdFail(error);

    virTeamingStatusFilter(&status, words[0]);
    if (words[0] && g_variant_n_children(status.pairs) == 0) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "domain '%s' has no failover pair on this host", words[0]);
        return virTeamingCmdFail(error);
    }

    if (options.json)
        virTeamingStatusPrintJson(&status);
    else if (g_variant_n_children(status.pairs) > 0)
        virTeamingStatusPrint(&status, words[0] != NULL);
    else
        puts("no failover pairs on this host");
    fflush(stdout);
    return virTeamingStatusComplain(&status) ?
        VIR_TEAMING_CMD_FINDINGS : VIR_TEAMING_CMD_OK;
}
