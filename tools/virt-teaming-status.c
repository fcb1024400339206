/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-status.c: which path carries a guest's frames, and why
 */

#include <gio/gio.h>
#include <string.h>

#include "teaming_bus_names.h"
#include "virt-teaming-host.h"

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


static gboolean
virTeamingStatusFetch(const char *statedir,
                      virTeamingStatus *status,
                      GError **error)
{
    g_auto(virTeamingCmdDaemon) daemon = { 0 };
    g_autoptr(GVariant) pairs = NULL;
    g_autoptr(GVariant) properties = NULL;
    g_autoptr(GVariant) dict = NULL;

    if (!virTeamingCmdReachDaemon(statedir, &daemon, error) ||
        !(pairs = virTeamingCmdAskDaemon(&daemon, NULL, "GetPairs", NULL, "(aa{sv})", error)) ||
        !(properties = virTeamingCmdAskDaemon(&daemon, "org.freedesktop.DBus.Properties",
                                              "GetAll",
                                              g_variant_new("(s)", VIR_TEAMING_BUS_INTERFACE),
                                              "(a{sv})", error)))
        return FALSE;

    status->pairs = g_variant_get_child_value(pairs, 0);
    dict = g_variant_get_child_value(properties, 0);
    g_variant_lookup(dict, "HookHeard", "b", &status->hookHeard);
    g_variant_lookup(dict, "LibvirtProblem", "s", &status->libvirtProblem);
    return TRUE;
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
                            (int)g_utf8_strlen(virTeamingCmdPairGet(pair, columns[i]), -1));
        g_variant_unref(pair);
    }

    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "%-*s  ", widths[i], titles[i]);
    virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "WHY\n");

    g_variant_iter_init(&iter, status->pairs);
    while ((pair = g_variant_iter_next_value(&iter))) {
        const char *problem = virTeamingCmdPairGet(pair, "problem");

        for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
            const char *text = virTeamingCmdPairGet(pair, columns[i]);

            text = *text ? text : "-";
            /* printf() would count bytes. */
            printf("%s%*s  ", text, widths[i] - (int)g_utf8_strlen(text, -1), "");
        }
        puts(virTeamingCmdPairGet(pair, "why"));
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
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

    json_object_set_member(object, "pairs", json_gvariant_serialize(status->pairs));
    json_object_set_boolean_member(object, "hook-heard", status->hookHeard);
    json_object_set_string_member(object, "libvirt-problem", status->libvirtProblem);
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
        findings |= *virTeamingCmdPairGet(pair, "problem") != '\0';
        g_variant_unref(pair);
    }
    if (status->libvirtProblem && *status->libvirtProblem) {
        virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_WARNING, "warning:");
        fprintf(stderr, " %s\n", status->libvirtProblem);
        findings = TRUE;
    }
    if (!status->hookHeard && g_variant_n_children(status->pairs) > 0) {
        virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_NOTE, "note:");
        fputs(" libvirt has not called the hook yet; libvirtd (or virtqemud) looks for hooks "
              "only when it starts: restart it, guests run on\n", stderr);
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
        { NULL },
    };
    g_auto(virTeamingCmdOptions) options = { .local = TRUE };
    g_auto(virTeamingStatus) status = { 0 };
    g_auto(GStrv) words = virTeamingCmdParse(
        argc, argv, "[DOMAIN]", "Says which path carries the frames of each pair on this host, and "
        "why; for one\nDOMAIN (name or UUID) also what happened lately.",
        entries, &options);
    g_autoptr(GError) error = NULL;

    if (!words)
        return VIR_TEAMING_CMD_FAILED;
    if (words[0] && words[1]) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "status takes one DOMAIN, or none for all");
        return virTeamingCmdFail(error);
    }
    if (!virTeamingStatusFetch(statedir, &status, &error))
        return virTeamingCmdFail(error);

    status.pairs = virTeamingCmdFilterPairs(status.pairs, words[0], NULL);
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
