/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemuqmptest.c: the real QEMU takes our arguments, and its devices have the properties
 */

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include <gio/gio.h>

#include "qemu_command.h"

/*
 * Theory of operation
 *
 * A QEMU without a guest is started with the arguments of a domain's pairs, and asked over
 * QMP what became of them. Two things are different from a real start. A standby's -netdev
 * is a hub port, because there is no tap here. And the VF is hidden: QEMU keeps a primary
 * back, host device and all, until a guest's driver has asked for failover; so that it is
 * not among QEMU's devices is what shows that failover_pair_id was understood.
 */

typedef struct {
    GSubprocess *process;
    GDataInputStream *out;
    GOutputStream *in;
} Qemu;


static void
qemuStop(Qemu *qemu)
{
    g_subprocess_force_exit(qemu->process);
    g_subprocess_wait(qemu->process, NULL, NULL);
    g_clear_object(&qemu->out);
    g_clear_object(&qemu->process);
}


/* The next answer; events are passed over. NULL if QEMU is gone. */
static JsonNode *
qemuAnswer(Qemu *qemu)
{
    for (;;) {
        g_autofree char *line = g_data_input_stream_read_line(qemu->out, NULL, NULL, NULL);
        g_autoptr(JsonNode) node = NULL;

        if (!line)
            return NULL;
        if (!(node = json_from_string(line, NULL)))
            continue;
        if (!json_object_has_member(json_node_get_object(node), "event"))
            return g_steal_pointer(&node);
    }
}


static JsonNode *
qemuAsk(Qemu *qemu,
        const char *command)
{
    g_output_stream_write_all(qemu->in, command, strlen(command), NULL, NULL, NULL);
    return qemuAnswer(qemu);
}


/* A property of a device, or NULL if there is no such device or property. */
static JsonNode *
qemuGet(Qemu *qemu,
        const char *id,
        const char *property)
{
    g_autofree char *command =
        g_strdup_printf("{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
                        "\"/machine/peripheral/%s\",\"property\":\"%s\"}}\n", id, property);
    g_autoptr(JsonNode) answer = qemuAsk(qemu, command);
    JsonNode *value;

    g_assert_nonnull(answer);
    value = json_object_get_member(json_node_get_object(answer), "return");
    return value ? json_node_copy(value) : NULL;
}


static void
addNetdev(GPtrArray *words,
          const virTeamingQemuArg *arg)
{
    g_ptr_array_add(words, g_strdup("-netdev"));
    g_ptr_array_add(words, g_strdup_printf("{\"type\":\"hubport\",\"hubid\":0,\"id\":\"%s\"}",
                                           json_object_get_string_member(arg->props, "id")));
}


/* Root ports for the buses pci.1 to pci.4 that the domains have. */
static void
addPorts(GPtrArray *words)
{
    for (guint i = 1; i <= 4; i++) {
        g_ptr_array_add(words, g_strdup("-device"));
        g_ptr_array_add(words, g_strdup_printf("pcie-root-port,id=pci.%u,chassis=%u,bus=pcie.0,"
                                               "multifunction=on,addr=0x1.0x%x", i, i, i - 1));
    }
}


/* A test that fails must not leave its QEMU behind. */
static void
dieWithTest(gpointer opaque)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}


static gboolean
qemuStart(Qemu *qemu,
          GPtrArray *args)
{
    static const char *const first[] = {
        "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-nodefaults", "-display", "none",
        "-S", "-m", "64", "-qmp", "stdio", NULL,
    };
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GSubprocessLauncher) launcher = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) greeting = NULL;
    g_autoptr(JsonNode) ready = NULL;

    for (gsize i = 0; first[i]; i++)
        g_ptr_array_add(words, g_strdup(first[i]));
    addPorts(words);
    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];

        if (strcmp(arg->option, "-netdev") == 0) {
            addNetdev(words, arg);
        } else {
            g_ptr_array_add(words, g_strdup(arg->option));
            g_ptr_array_add(words, virTeamingQemuArgFormat(arg));
        }
    }
    g_ptr_array_add(words, NULL);

    launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE |
                                         G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    g_subprocess_launcher_set_child_setup(launcher, dieWithTest, NULL, NULL);
    qemu->process = g_subprocess_launcher_spawnv(launcher, (const char *const *)words->pdata,
                                                 &error);
    g_assert_no_error(error);
    qemu->out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(qemu->process));
    qemu->in = g_subprocess_get_stdin_pipe(qemu->process);
    greeting = qemuAnswer(qemu);
    if (!greeting)
        return FALSE;
    ready = qemuAsk(qemu, "{\"execute\":\"qmp_capabilities\"}\n");
    return ready != NULL;
}


static void
checkStandby(Qemu *qemu,
             const virTeamingQemuArg *arg)
{
    /* Not properties of the object, or given back in another form. */
    static const char *const notRead[] = { "driver", "id", "bus", "addr", "multifunction",
        "bootindex", "romfile" };
    g_autoptr(GList) names = json_object_get_members(arg->props);

    for (GList *l = names; l; l = l->next) {
        g_autoptr(JsonNode) value = NULL;

        if (g_strv_contains(notRead, l->data))
            continue;
        value = qemuGet(qemu, arg->nic->id, l->data);
        g_test_message("%s.%s", arg->nic->id, (char *)l->data);
        g_assert_nonnull(value);
        g_assert_true(json_node_equal(value, json_object_get_member(arg->props, l->data)));
    }
}


static void
testHold(gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(opaque, &error);
    g_autoptr(GPtrArray) args = NULL;
    Qemu qemu = { NULL, NULL, NULL };

    g_assert_no_error(error);
    args = virTeamingQemuCommandBuild(domain, &error);
    g_assert_no_error(error);
    g_assert_true(qemuStart(&qemu, args));

    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];

        if (strcmp(arg->option, "-netdev") == 0)
            continue;
        if (arg->nic->role == VIR_TEAMING_ROLE_PERSISTENT) {
            checkStandby(&qemu, arg);
        } else {
            g_autoptr(JsonNode) type = qemuGet(&qemu, arg->nic->id, "type");

            g_assert_null(type);
        }
    }
    qemuStop(&qemu);
}


static char *
askQemu(const char *command,
        gpointer opaque,
        GError **error)
{
    g_autofree char *line = g_strconcat(command, "\n", NULL);
    g_autoptr(JsonNode) answer = qemuAsk(opaque, line);

    g_assert_nonnull(answer);
    return json_to_string(answer, FALSE);
}


/* The command line of the running QEMU, as the kernel has it. */
static char **
readCommand(Qemu *qemu)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/cmdline",
                                            g_subprocess_get_identifier(qemu->process));
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *text = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    for (char *p = text; p < text + len; p += strlen(p) + 1)
        g_ptr_array_add(words, g_strdup(p));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}


static void
assertFindings(GPtrArray *findings,
               virTeamingRuleId rule,
               guint count)
{
    g_assert_cmpuint(findings->len, ==, count);
    for (guint i = 0; i < count; i++) {
        const virTeamingFinding *finding = findings->pdata[i];

        g_test_message("%s", finding->message);
        g_assert_cmpint(finding->rule, ==, rule);
    }
    g_ptr_array_set_size(findings, 0);
}


/* A VF that was taken out and plugged again may be another one, in another place. */
static void
testLivePlugged(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", "live.xml",
                                                  NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    g_autoptr(GPtrArray) findings =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingFindingFree);
    const char *const hosts[] = { "0000:81:02.3", "0000:81:02.4" };

    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *device = g_strdup_printf(
            "{\"driver\":\"vfio-pci\",\"host\":\"%s\",\"id\":\"hostdev0\","
            "\"failover_pair_id\":\"ua-net\",\"bus\":\"pci.77\",\"addr\":\"0x0\"}", hosts[i]);
        const char *argv[] = { "-device", device, NULL };

        g_assert_true(virTeamingQemuCompareCommand(domain, argv, findings, &error));
        assertFindings(findings, VIR_TEAMING_RULE_LIVE_DIFFERS, i == 0);
    }
}


/* A running QEMU is compared with the XML of which it was started, and with another. */
static void
testLive(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", "mtu.xml",
                                                  NULL);
    g_autofree char *xml = NULL;
    g_autofree char *promise = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    g_autoptr(virTeamingDomain) other = NULL;
    g_autoptr(GPtrArray) args = NULL;
    g_autoptr(GPtrArray) findings =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingFindingFree);
    g_auto(GStrv) command = NULL;
    GString *changed;
    Qemu qemu = { NULL, NULL, NULL };

    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
    changed = g_string_new(xml);
    g_string_replace(changed, "9000", "1500", 0);
    promise = g_string_free(changed, FALSE);
    other = virTeamingDomainParse(promise, -1, "other.xml", &error);
    g_assert_no_error(error);

    args = virTeamingQemuCommandBuild(domain, &error);
    g_assert_true(qemuStart(&qemu, args));
    command = readCommand(&qemu);

    g_assert_true(virTeamingQemuCompareCommand(domain, (const char *const *)command, findings,
                                               &error));
    assertFindings(findings, VIR_TEAMING_RULE_LIVE_DIFFERS, 0);
    g_assert_true(virTeamingQemuCompareCommand(other, (const char *const *)command, findings,
                                               &error));
    assertFindings(findings, VIR_TEAMING_RULE_LIVE_DIFFERS, 1);

    /* There is no guest that could have asked for its VF. */
    g_assert_true(virTeamingQemuCompareMonitor(domain, askQemu, &qemu, findings, &error));
    assertFindings(findings, VIR_TEAMING_RULE_LIVE_HIDDEN, 1);
    g_assert_true(virTeamingQemuCompareMonitor(other, askQemu, &qemu, findings, &error));
    g_assert_cmpuint(findings->len, ==, 2);
    g_ptr_array_remove_index(findings, 1);
    assertFindings(findings, VIR_TEAMING_RULE_LIVE_DIFFERS, 1);
    qemuStop(&qemu);
}


/* What the rules call an error because QEMU stops at once: it does. */
static void
testStops(gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParse(opaque, -1, "xml", &error);
    g_autoptr(GPtrArray) args = NULL;
    Qemu qemu = { NULL, NULL, NULL };

    g_assert_no_error(error);
    args = virTeamingQemuCommandBuild(domain, &error);
    g_assert_no_error(error);
    g_assert_false(qemuStart(&qemu, args));
    qemuStop(&qemu);
}


static const char rootComplex[] =
    "<domain type='qemu'><os><type machine='q35'>hvm</type></os><devices>"
    "<controller type='pci' index='0' model='pcie-root'/>"
    "<interface type='user'><model type='virtio'/><teaming type='persistent'/>"
    "<alias name='ua-net'/><address type='pci' bus='1' slot='0'/></interface>"
    "<hostdev mode='subsystem' type='pci'><source><address bus='0x81' slot='1'/></source>"
    "<teaming type='transient' persistent='ua-net'/><alias name='ua-vf'/>"
    "<address type='pci' bus='0' slot='8'/></hostdev></devices></domain>";


int
main(int argc,
     char **argv)
{
    static const char *const cases[] = {
        "bridge-hostdev", "bridge-plain-hostdev", "user-plain-hostdev", "mtu", "vhost-queues",
        "driver-options", "txmode-timer", "several-pairs", "virtio-non-transitional", "rom-off",
        "acpi-index", "boot-order",
    };
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");

    g_test_init(&argc, &argv, NULL);
    if (!qemu) {
        g_print("1..0 # SKIP qemu-system-x86_64 is not installed\n");
        return 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *test = g_strdup_printf("/qemuqmp/hold/%s", cases[i]);
        g_autofree char *file = g_strconcat(cases[i], ".xml", NULL);

        g_ptr_array_add(paths, g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", file, NULL));
        g_test_add_data_func(test, paths->pdata[i], testHold);
    }
    g_test_add_func("/qemuqmp/live", testLive);
    g_test_add_func("/qemuqmp/live-plugged", testLivePlugged);
    g_test_add_data_func("/qemuqmp/stops/root-complex", rootComplex, testStops);
    return g_test_run();
}
