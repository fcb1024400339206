/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teamingruletest.c: each rule says what it should, and is silent where it should
 */

#include <string.h>

#include "qemu_command.h"
#include "teaming_validate.h"

/*
 * Every rule has three files in teamingxmldata/rules/:
 *
 *   RULE-trip.xml  a domain that breaks the rule
 *   RULE-trip.out  all that is said of it, with line, element and hint
 *   RULE-just.xml  a domain that just does not break it, nor any other that is an error
 *
 * A new rule is a row in teaming_rules.h, a place in teaming_validate.c, and these files;
 * VIR_TEAMING_TEST_REGENERATE=1 writes the .out and docs/rules.rst.
 */

static char *
dataPath(const char *kind,
         const char *stem,
         const char *end)
{
    g_autofree char *name = g_strconcat(stem, end, NULL);

    return g_test_build_filename(G_TEST_DIST, "teamingxmldata", kind, name, NULL);
}


static void
assertSameAsFile(const char *actual,
                 const char *path)
{
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    if (g_getenv("VIR_TEAMING_TEST_REGENERATE")) {
        g_file_set_contents(path, actual, -1, &error);
        g_assert_no_error(error);
    }
    g_file_get_contents(path, &expected, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(actual, ==, expected);
}


/* The host that rules about networks and devices are tested with. */
static void
fillHost(virTeamingHost *host)
{
    static const char *const names[] = {
        "default", "empty-vfpool", "full-vfpool", "lan", "listed-vfpool", "lost-vfpool",
        "renamed-vfpool", "stopped-vfpool", "switched-vfpool", "unfit-vfpool", "vfpool",
    };
    static const virTeamingHostDevice devices[] = {
        { .address = { .bus = 0x81, .slot = 1 }, .vf = TRUE, .nic = TRUE },
        { .address = { .bus = 0x81, .slot = 2 }, .vf = TRUE, .nic = TRUE, .pf = "pf0" },
        { .address = { .bus = 0x81, .slot = 9 }, .vf = FALSE, .nic = TRUE },
    };
    static const struct {
        const char *name;
        virTeamingHostPf pf;
    } pfs[] = {
        { "pf0", { .present = TRUE } },
        { "pf7", { .present = TRUE, .unfit = (char *)"this is only a test" } },
        { "pf8", { .present = TRUE, .switchdev = TRUE } },
        { "pf9", { .present = FALSE } },
    };

    virTeamingHostInit(host);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = dataPath("networks", names[i], ".xml");
        g_autoptr(GError) error = NULL;
        virTeamingNetwork *network = virTeamingNetworkParseFile(path, &error);

        g_assert_no_error(error);
        virTeamingHostAddNetwork(host, network, !g_str_has_prefix(names[i], "stopped"));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
        virTeamingHostAddDevice(host, &devices[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(pfs); i++)
        virTeamingHostAddPf(host, pfs[i].name, &pfs[i].pf);
}


/* A QEMU that was given what live-differs-just.xml says, all but the standby's failover. */
static const char *const forgetful[] = {
    "qemu-system-x86_64", "-device",
    "{\"driver\":\"virtio-net-pci\",\"netdev\":\"hostua-net\",\"id\":\"ua-net\","
    "\"mac\":\"52:54:00:6d:90:01\",\"bus\":\"pci.1\",\"addr\":\"0x0\"}",
    "-device",
    "{\"driver\":\"vfio-pci\",\"host\":\"0000:81:02.3\",\"id\":\"hostdev0\","
    "\"failover_pair_id\":\"ua-net\",\"bus\":\"pci.2\",\"addr\":\"0x0\"}",
    NULL,
};
static const char *const faithful[] = {
    "qemu-system-x86_64", "-device",
    "{\"driver\":\"virtio-net-pci\",\"failover\":true,\"netdev\":\"hostua-net\",\"id\":\"ua-net\","
    "\"mac\":\"52:54:00:6d:90:01\",\"bus\":\"pci.1\",\"addr\":\"0x0\"}",
    "-device",
    "{\"driver\":\"vfio-pci\",\"host\":\"0000:81:02.3\",\"id\":\"hostdev0\","
    "\"failover_pair_id\":\"ua-net\",\"bus\":\"pci.2\",\"addr\":\"0x0\"}",
    NULL,
};


/* A QEMU's monitor; @opaque says whether it shows the VF. */
static char *
answer(const char *command,
       gpointer opaque,
       GError **error)
{
    static const char *const values[][2] = {
        { "\"type\"", "\"x\"" }, { "\"failover\"", "true" }, { "\"mac\"", "\"52:54:00:6d:90:01\"" },
        { "\"netdev\"", "\"hostua-net\"" }, { "\"host\"", "\"0000:81:02.3\"" },
        { "\"failover_pair_id\"", "\"ua-net\"" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        if (strstr(command, "hostdev0") && !opaque)
            break;
        if (strstr(command, values[i][0]))
            return g_strdup_printf("{\"return\":%s}", values[i][1]);
    }
    return g_strdup("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}");
}


static GPtrArray *
findAll(const char *path,
        virTeamingRuleId rule,
        gboolean trip)
{
    gboolean needsHost = virTeamingRuleIsOfHost(rule) || rule == VIR_TEAMING_RULE_TRANSIENT_NOT_VF;
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    g_auto(virTeamingHost) host = { NULL, NULL };
    GPtrArray *findings;

    g_assert_no_error(error);
    if (needsHost)
        fillHost(&host);
    findings = virTeamingDomainValidate(domain, needsHost ? &host : NULL, NULL);
    if (rule == VIR_TEAMING_RULE_LIVE_DIFFERS)
        g_assert_true(virTeamingQemuCompareCommand(domain, trip ? forgetful : faithful, findings,
                                                   &error));
    if (rule == VIR_TEAMING_RULE_LIVE_HIDDEN)
        g_assert_true(virTeamingQemuCompareMonitor(domain, answer, GINT_TO_POINTER(!trip),
                                                   findings, &error));
    g_assert_no_error(error);
    return findings;
}


static void
testTrip(gconstpointer opaque)
{
    virTeamingRuleId rule = GPOINTER_TO_INT(opaque);
    const char *id = virTeamingRuleGet(rule)->id;
    g_autofree char *xml = dataPath("rules", id, "-trip.xml");
    g_autofree char *out = dataPath("rules", id, "-trip.out");
    g_autoptr(GPtrArray) findings = findAll(xml, rule, TRUE);
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean tripped = FALSE;

    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        const virTeamingRule *row = virTeamingRuleGet(finding->rule);

        tripped |= finding->rule == rule;
        g_assert_cmpint(finding->line, >, 0);
        g_assert_true(g_str_has_prefix(finding->element, "/domain"));
        g_string_append_printf(text, "%d: %s: %s [%s]\n    element: %s\n    hint: %s\n",
                               finding->line, virTeamingSeverityToString(row->severity),
                               finding->message, row->id, finding->element, finding->hint);
    }
    g_assert_true(tripped);
    assertSameAsFile(text->str, out);
}


static void
testJust(gconstpointer opaque)
{
    virTeamingRuleId rule = GPOINTER_TO_INT(opaque);
    g_autofree char *xml = dataPath("rules", virTeamingRuleGet(rule)->id, "-just.xml");
    g_autoptr(GPtrArray) findings = findAll(xml, rule, FALSE);

    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        virTeamingSeverity severity = virTeamingRuleGet(finding->rule)->severity;

        g_test_message("%s", finding->message);
        g_assert_cmpint(finding->rule, !=, rule);
        g_assert_cmpint(severity, !=, VIR_TEAMING_SEVERITY_ERROR);
    }
}


static void
testIdentifiers(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (virTeamingRuleId i = 0; i < VIR_TEAMING_RULE_LAST; i++) {
        const virTeamingRule *rule = virTeamingRuleGet(i);

        g_assert_true(g_hash_table_add(seen, (gpointer)rule->id));
        g_assert_true(rule->id[strspn(rule->id, "abcdefghijklmnopqrstuvwxyz-")] == '\0');
        g_assert_true(*rule->summary && *rule->why && *rule->hint);
        g_assert_true(virTeamingRuleIsOfHost(i) || !g_str_has_prefix(rule->id, "network-"));
    }
}


/* The documentation is what the table prints. */
static void
testDocumentation(void)
{
    g_autofree char *text = virTeamingRulesFormat();
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "docs", "rules.rst", NULL);

    assertSameAsFile(text, path);
}


int
main(int argc,
     char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (virTeamingRuleId i = 0; i < VIR_TEAMING_RULE_LAST; i++) {
        g_autofree char *trip = g_strdup_printf("/rule/%s/trip", virTeamingRuleGet(i)->id);
        g_autofree char *just = g_strdup_printf("/rule/%s/just", virTeamingRuleGet(i)->id);

        g_test_add_data_func(trip, GINT_TO_POINTER(i), testTrip);
        g_test_add_data_func(just, GINT_TO_POINTER(i), testJust);
    }
    g_test_add_func("/rules/identifiers", testIdentifiers);
    g_test_add_func("/rules/documentation", testDocumentation);
    return g_test_run();
}
