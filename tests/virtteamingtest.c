/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtteamingtest.c: what people see of virt-teaming check and argv, and of virtteamingd itself
 */

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

/*
 * The command itself is run. Where it asks libvirt, that is libvirt's test driver with the
 * domains and networks of virtteamingdata/host.xml.
 */

static const char *program;

typedef struct {
    int status;
    char *out;
    char *err;
} Result;


static void
resultClear(Result *result)
{
    g_free(result->out);
    g_free(result->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, resultClear)


static char *
dataPath(const char *name)
{
    return g_test_build_filename(G_TEST_DIST, name, NULL);
}


static void
runOnce(const char *const *argv,
        const char *input,
        Result *result)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
        G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);

    g_assert_no_error(error);
    g_subprocess_communicate_utf8(process, input, NULL, &result->out, &result->err, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    result->status = g_subprocess_get_exit_status(process);
}


/* Runs virt-teaming with the words of @line; "@NAME" is a file beside this test. */
static void
run(const char *line,
    const char *input,
    Result *result)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(program));
    for (char **word = words; *word; word++) {
        const char *at = strchr(*word, '@');

        if (at) {
            g_autofree char *path = dataPath(at + 1);

            g_ptr_array_add(argv, g_strdup_printf("%.*s%s", (int)(at - *word), *word, path));
        } else if (**word) {
            g_ptr_array_add(argv, g_strdup(*word));
        }
    }
    g_ptr_array_add(argv, NULL);
    runOnce((const char *const *)argv->pdata, input, result);
    /* LeakSanitizer itself falls over a thread of libvirt's that ends while it looks. */
    for (guint i = 0; i < 3 && strstr(result->err, "LeakSanitizer has encountered"); i++) {
        resultClear(result);
        runOnce((const char *const *)argv->pdata, input, result);
    }
}


/*
 * Arguments, exit status, and something that is said on each stream ("" is nothing at all)
 */
typedef struct {
    const char *name;
    const char *arguments;
    int status;
    const char *out;
    const char *err;
} Case;

#define RULES "@teamingxmldata/rules/"
#define HOST "test://@virtteamingdata/host.xml"

static const Case cases[] = {
    { "nothing", "", 2, "", "Usage:" },
    { "help", "--help", 0, "virt-teaming COMMAND", "" },
    { "version", "--version", 0, "virt-teaming ", "" },
    { "unknown-command", "chekc", 2, "", "no command 'chekc'" },
    { "unknown-option", "check --frob x.xml", 2, "", "--frob" },
    { "unknown-format", "check --format yaml x.xml", 2, "", "not 'yaml'" },
    { "check-help", "check --help", 0, "FILE|DOMAIN", "" },
    { "check-nothing", "check", 2, "", "at least one FILE" },
    { "check-fine", "check " RULES "mac-unequal-just.xml", 0, "1 pair, nothing to complain about",
      "" },
    { "check-none", "check @teamingxmldata/domains/lxc.xml", 0, "no teaming", "" },
    { "check-error", "check " RULES "mac-unequal-trip.xml", 1,
      ".xml:37: error: 52:54:00:6d:90:02, but the persistent NIC on line 28 has "
      "52:54:00:6d:90:01 [mac-unequal]\n    hint: ", "" },
    { "check-warning", "check " RULES "boot-on-vf-trip.xml", 0, "warning: ", "" },
    { "check-note", "check " RULES "transient-named-trip.xml", 0, "note: ", "" },
    { "check-several", "check " RULES "boot-on-vf-trip.xml " RULES "mac-unequal-trip.xml", 1,
      "[mac-unequal]", "" },
    { "check-one-of-several-fails", "check nix.xml " RULES "mac-unequal-trip.xml", 2,
      "[mac-unequal]", "nix.xml: can't read it" },
    { "check-missing", "check /nonexistent.xml", 2, "", "can't read it: No such file" },
    { "check-directory", "check /", 2, "", "can't read it: Is a directory" },
    { "check-endless", "check /dev/zero", 2, "", "longer than 4 MiB" },
    { "check-network-file", "check --network @teamingxmldata/networks/lan.xml "
      RULES "network-not-pool-trip.xml", 1, "[network-not-pool]", "" },
    { "check-bad-network-file", "check --network " RULES "mac-unequal-trip.xml "
      RULES "mac-unequal-just.xml", 2, "", "the root element is <domain>, not <network>" },
    { "check-bad-config", "check --config @virtteamingtest.c " RULES "mac-unequal-just.xml", 2, "",
      "virtteamingtest.c: " },
    { "check-no-config", "check --config /nonexistent.conf " RULES "mac-unequal-just.xml", 2, "",
      "/nonexistent.conf: No such file" },
    { "check-no-libvirt", "check --connect qemu+unix:///system?socket=/nonexistent x", 2, "",
      "can't connect to libvirt at" },
    { "check-no-domain", "check --connect " HOST " nobody", 2, "", "no such file or domain" },
    { "check-domain", "check --connect " HOST " good", 0, "good: 1 pair", "" },
    { "check-domain-uuid", "check --connect " HOST " 8f4b5f3c-7f4e-4d0e-9d3b-1c2f6a3b0d11", 0,
      "1 pair", "" },
    { "check-domain-networks", "check --connect " HOST " bad", 1,
      "network 'lan' is of mode 'bridge', not 'hostdev' [network-not-pool]", "" },
    { "check-file-against-host", "check --connect " HOST " " RULES "network-missing-trip.xml", 1,
      "this host has no network 'lam' [network-missing]", "" },
    { "list-rules", "check --list-rules", 0, "mac-unequal\n-----------\n", "" },
    { "argv", "argv @qemuxml2argvdata/bridge-hostdev.xml", 0, "\"failover_pair_id\":\"ua-net\"",
      "" },
    { "argv-none", "argv @teamingxmldata/domains/lxc.xml", 0, "", "" },
    { "argv-refused", "argv " RULES "persistent-not-virtio-trip.xml", 2, "", "libvirt refuses" },
    { "check-dashes", "check -- --nix.xml", 2, "", "--nix.xml: can't read it: No such file" },
    { "argv-dashes", "argv -- --nix.xml", 2, "", "--nix.xml: can't read it: No such file" },
    { "move-not-utf8", "move guest\xff --to vf --state-dir /nonexistent", 2, "", "is of UTF-8" },
    { "argv-two", "argv a.xml b.xml", 2, "", "one FILE or DOMAIN\n" },
    { "move-nobody", "move --to vf", 2, "", "move takes one DOMAIN" },
    { "move-two", "move --to vf a b", 2, "", "move takes one DOMAIN" },
    { "move-nowhere", "move guest", 2, "", "move needs --to standby or --to vf\n" },
    { "move-elsewhere", "move guest --to b", 2, "", "--to standby or --to vf, not 'b'" },
    { "move-timeout", "move guest --to vf --timeout -1", 2, "", "a number of seconds, not -1" },
    { "move-no-daemon", "move guest --to vf --state-dir /nonexistent", 2, "", "is it running?" },
    { "argv-domain", "argv --connect " HOST " good", 0, "VF-OF-vfpool", "" },
};


static void
assertSays(const char *text,
           const char *what)
{
    if (*what)
        g_assert_nonnull(strstr(text, what));
}


static void
testCase(gconstpointer opaque)
{
    const Case *c = opaque;
    g_auto(Result) result = { 0 };

    run(c->arguments, NULL, &result);
    g_test_message("%s%s", result.out, result.err);
    g_assert_cmpint(result.status, ==, c->status);
    assertSays(result.out, c->out);
    assertSays(result.err, c->err);
    if (c->status == 2) {
        /* One line, but for the usage. */
        if (!strstr(c->err, "Usage"))
            g_assert_cmpint(strcspn(result.err, "\n"), ==, strlen(result.err) - 1);
    }
    /* No colours where there is no terminal. */
    g_assert_null(strchr(result.out, '\033'));
    g_assert_null(strchr(result.err, '\033'));
}


/* What is about the host that it runs on offers no other, nor passes one over. */
static void
testConnectRefused(void)
{
    static const char *const commands[] = { "move guest --to vf", "probe pf0", "status" };

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *help = g_strconcat(commands[i], " --help", NULL);
        g_autofree char *elsewhere = g_strconcat(commands[i], " --connect " HOST, NULL);
        g_auto(Result) helped = { 0 };
        g_auto(Result) refused = { 0 };

        run(help, NULL, &helped);
        g_assert_cmpint(helped.status, ==, 0);
        g_assert_null(strstr(helped.out, "--connect"));
        run(elsewhere, NULL, &refused);
        g_assert_cmpint(refused.status, ==, 2);
        g_assert_nonnull(strstr(refused.err, "run it on the one that you mean"));
    }
}


/* What the shell completes has names that others have chosen; none is run. */
static void
testCompletion(void)
{
    static const char script[] =
        "virsh() { printf '%s\\n' '$(echo${IFS}run)' guest other; }\n"
        "program=$3; virt-teaming() { \"$program\" \"$@\"; }\n"
        "source \"$1\" && COMP_WORDS=(virt-teaming status \"$2\") COMP_CWORD=2\n"
        "_virt_teaming\n"
        "echo \"${COMPREPLY[@]}\"\n";
    static const char *const words[][2] = {
        { "", "$(echo${IFS}run) guest other\n" },
        { "g", "guest\n" },
        { "--f", "--format\n" },
    };
    g_autofree char *path = dataPath("../data/virt-teaming.bash-completion");

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        const char *argv[] = { "bash", "-c", script, "bash", path, words[i][0], program, NULL };
        g_auto(Result) result = { 0 };

        runOnce(argv, NULL, &result);
        g_assert_cmpstr(result.err, ==, "");
        g_assert_cmpstr(result.out, ==, words[i][1]);
    }
}


/* The shape of check's JSON is what scripts rely on. */
static void
testJson(void)
{
    g_auto(Result) result = { 0 };
    g_autoptr(JsonNode) node = NULL;
    JsonObject *root;
    JsonObject *finding;

    run("check --format json " RULES "mac-unequal-trip.xml", NULL, &result);
    g_assert_cmpint(result.status, ==, 1);
    node = json_from_string(result.out, NULL);
    g_assert_nonnull(node);
    root = json_node_get_object(node);
    g_assert_true(g_str_has_suffix(json_object_get_string_member(root, "file"), "-trip.xml"));
    g_assert_cmpstr(json_object_get_string_member(root, "domain"), ==, "mac-unequal-trip");
    g_assert_cmpint(json_array_get_length(json_object_get_array_member(root, "findings")), ==, 1);
    finding = json_array_get_object_element(json_object_get_array_member(root, "findings"), 0);
    g_assert_cmpstr(json_object_get_string_member(finding, "rule"), ==, "mac-unequal");
    g_assert_cmpstr(json_object_get_string_member(finding, "severity"), ==, "error");
    g_assert_cmpint(json_object_get_int_member(finding, "line"), ==, 37);
    g_assert_cmpstr(json_object_get_string_member(finding, "element"), ==,
                    "/domain/devices/interface[2]/mac");
    g_assert_true(json_object_has_member(finding, "message"));
    g_assert_true(json_object_has_member(finding, "hint"));
}


/* Also if the name of the file is of no text. */
static void
testJsonNotUtf8(void)
{
    g_autofree char *dir = g_dir_make_tmp("virtteamingtest-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a\xff.xml", NULL);
    const char *argv[] = { program, "check", "--format", "json", path, NULL };
    g_auto(Result) result = { 0 };
    g_autoptr(JsonNode) node = NULL;

    g_assert_true(g_file_set_contents(path, "<domain type='lxc'/>", -1, NULL));
    runOnce(argv, NULL, &result);
    g_unlink(path);
    g_rmdir(dir);
    g_assert_true(g_utf8_validate(result.out, -1, NULL));
    node = json_from_string(result.out, NULL);
    g_assert_nonnull(node);
}


/* Of several, an array, whatever becomes of each. */
static void
testJsonSeveral(void)
{
    g_auto(Result) result = { 0 };
    g_autoptr(JsonNode) node = NULL;

    run("check --format json nix.xml " RULES "mac-unequal-just.xml", NULL, &result);
    g_assert_cmpint(result.status, ==, 2);
    node = json_from_string(result.out, NULL);
    g_assert_nonnull(node);
    g_assert_cmpint(json_array_get_length(json_node_get_array(node)), ==, 1);
}


static void
testStandardInput(void)
{
    g_auto(Result) result = { 0 };

    run("check -", "<domain type='kvm'><devices><interface type='bridge'>\n"
        "<teaming type='both'/></interface></devices></domain>", &result);
    g_assert_cmpint(result.status, ==, 1);
    g_assert_nonnull(strstr(result.out, "-:2: error: there is no teaming type 'both'"));
}


/* A clean bill of health that could not be written is none. */
static void
testFullDisk(void)
{
    g_autofree char *path = dataPath("teamingxmldata/domains/lxc.xml");
    g_autofree char *command = g_strdup_printf("sh -c '%s check %s > /dev/full'", program, path);
    g_autofree char *err = NULL;
    int status = 0;

    g_assert_true(g_spawn_command_line_sync(command, NULL, &err, &status, NULL));
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    g_assert_nonnull(strstr(err, "can't write"));
}


/* 'head' has had enough: no clean bill of health either, but that is no news to anybody. */
static void
testPipeClosed(void)
{
    g_autofree char *script = g_strdup_printf(
        "trap '' PIPE; { sleep 0.3; %s check --list-rules; echo status $? >&2; } | true", program);
    const char *argv[] = { "sh", "-c", script, NULL };
    g_auto(Result) result = { 0 };

    runOnce(argv, NULL, &result);
    g_assert_cmpstr(result.err, ==, "status 2\n");
}


/* On a terminal, which script(1) makes; but not on one that would print the codes. */
static void
testColours(void)
{
    static const struct {
        const char *environment;
        gboolean coloured;
    } terminals[] = {
        { "TERM=xterm", TRUE },
        { "TERM=xterm NO_COLOR=", TRUE },
        { "TERM=xterm NO_COLOR=1", FALSE },
        { "TERM=dumb", FALSE },
    };
    g_autofree char *script = g_find_program_in_path("script");
    g_autofree char *path = dataPath("teamingxmldata/rules/boot-on-vf-trip.xml");

    if (!script) {
        g_test_skip("there is no script(1)");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(terminals); i++) {
        g_autofree char *command =
            g_strdup_printf("env -u NO_COLOR %s %s -qec '%s check %s' /dev/null",
                            terminals[i].environment, script, program, path);
        const char *argv[] = { "sh", "-c", command, NULL };
        g_auto(Result) result = { 0 };

        runOnce(argv, NULL, &result);
        g_test_message("%s", command);
        g_assert_nonnull(strstr(result.out, "boot-on-vf"));
        g_assert_cmpint(strchr(result.out, '\033') != NULL, ==, terminals[i].coloured);
    }
}


static void
testHugeFile(void)
{
    g_autofree char *path = NULL;
    g_autofree char *arguments = NULL;
    g_auto(Result) result = { 0 };
    int fd = g_file_open_tmp("virtteamingtest-XXXXXX", &path, NULL);

    g_assert_cmpint(ftruncate(fd, 100 * 1000 * 1000), ==, 0);
    close(fd);
    arguments = g_strdup_printf("check %s", path);
    run(arguments, NULL, &result);
    g_unlink(path);
    g_assert_cmpint(result.status, ==, 2);
    g_assert_cmpstr(result.out, ==, "");
    g_assert_nonnull(strstr(result.err, "longer than 4 MiB"));
}


/* A link has other names, too, which sysfs does not know. */
static void
testAlternativeName(void)
{
    static const char *const commands[] = {
        "ip link add dev pf0 type veth peer name far0",
        "ip link property add dev pf0 altname front",
    };
    g_auto(Result) result = { 0 };

    if (unshare(CLONE_NEWNET) < 0) {
        g_test_skip("only root can make links");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        int status = 0;

        g_assert_true(g_spawn_command_line_sync(commands[i], NULL, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
    }
    run("probe front --peer pf0", NULL, &result);
    g_assert_cmpint(result.status, ==, 2);
    g_assert_nonnull(strstr(result.err, "another interface than the PF itself"));
}


/* ---- the daemon ---- */

/* One that finds no libvirt and no pairs, and what it talks to; they are told apart from this
 * host's own by the directory in which all of them are. */
typedef struct {
    char *dir;
    char *socket;                   /* of the message bus */
    GSubprocess *bus;               /* NULL: it is not there */
    GSubprocess *daemon;
    GSocket *libvirt;               /* takes calls and answers none; NULL: it is not there */
    GSocket *notify;                /* where systemd wants to hear from the daemon */
    GDBusConnection *systemd;       /* as which somebody is on the bus; NULL: there is none */
    const char *libvirtd;           /* what that says of libvirtd.service */
} Service;


/* A test that fails takes along what it has started. */
static void
dieWithParent(gpointer opaque)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}


static GSubprocessLauncher *
newLauncher(void)
{
    GSubprocessLauncher *launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE);

    g_subprocess_launcher_set_child_setup(launcher, dieWithParent, NULL, NULL);
    return launcher;
}


static void
serviceStartBus(Service *service)
{
    g_autoptr(GSubprocessLauncher) launcher = newLauncher();
    g_autofree char *config = g_build_filename(service->dir, "bus.conf", NULL);
    g_autofree char *option = g_strconcat("--config-file=", config, NULL);
    g_autofree char *text = g_strdup_printf(
        "<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>"
        "<policy context='default'><allow send_destination='*'/><allow receive_sender='*'/>"
        "<allow own='*'/><allow user='*'/></policy></busconfig>", service->socket);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(config, text, -1, &error);
    g_assert_no_error(error);
    service->bus = g_subprocess_launcher_spawn(launcher, &error, "dbus-daemon", "--nofork",
                                               "--nosyslog", option, NULL);
    g_assert_no_error(error);
    for (guint i = 0; i < 1000 && !g_file_test(service->socket, G_FILE_TEST_EXISTS); i++)
        g_usleep(10 * 1000);
}


static GSocket *
serviceBind(Service *service,
            const char *name,
            GSocketType type)
{
    g_autofree char *path = g_build_filename(service->dir, name, NULL);
    g_autoptr(GSocketAddress) at = g_unix_socket_address_new(path);
    g_autoptr(GError) error = NULL;
    GSocket *socket = g_socket_new(G_SOCKET_FAMILY_UNIX, type, G_SOCKET_PROTOCOL_DEFAULT, &error);

    g_assert_no_error(error);
    g_assert_true(g_socket_bind(socket, at, TRUE, NULL));
    g_socket_set_timeout(socket, 20);
    return socket;
}


/* It dies, without a word. */
static void
serviceKillBus(Service *service)
{
    g_subprocess_force_exit(service->bus);
    g_assert_true(g_subprocess_wait(service->bus, NULL, NULL));
    g_clear_object(&service->bus);
    g_unlink(service->socket);
}


/* What systemd says: libvirtd.socket listens, and there is no virtqemud. */
static GVariant *
serviceUnitState(GDBusConnection *connection,
                 const char *sender,
                 const char *path,
                 const char *interface,
                 const char *property,
                 GError **error,
                 gpointer opaque)
{
    const Service *service = opaque;

    g_assert_cmpstr(property, ==, "ActiveState");
    return g_variant_new_string(g_str_has_suffix(path, "/libvirtd_2esocket") ? "active" :
                                g_str_has_suffix(path, "/libvirtd_2eservice") ?
                                service->libvirtd : "inactive");
}


static void
serviceStartSystemd(Service *service)
{
    static const char *const units[] = {
        "virtqemud_2esocket", "virtqemud_2eservice", "libvirtd_2esocket", "libvirtd_2eservice",
    };
    static const GDBusInterfaceVTable vtable = { .get_property = serviceUnitState };
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(
        "<node><interface name='org.freedesktop.systemd1.Unit'>"
        "<property name='ActiveState' type='s' access='read'/></interface></node>", &error);
    g_autofree char *address = g_strconcat("unix:path=", service->socket, NULL);
    g_autoptr(GVariant) answer = NULL;

    g_assert_no_error(error);
    service->libvirtd = "deactivating";
    /* The socket is there a moment before the bus listens. */
    for (guint i = 0; i < 1000 && !service->systemd; i++) {
        g_clear_error(&error);
        service->systemd = g_dbus_connection_new_for_address_sync(
            address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL, &error);
        g_usleep(10 * 1000);
    }
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autofree char *path = g_strconcat("/org/freedesktop/systemd1/unit/", units[i], NULL);

        g_dbus_connection_register_object(service->systemd, path, node->interfaces[0], &vtable,
                                          service, NULL, &error);
        g_assert_no_error(error);
    }
    answer = g_dbus_connection_call_sync(
        service->systemd, "org.freedesktop.DBus", "/org/freedesktop/DBus",
        "org.freedesktop.DBus", "RequestName",
        g_variant_new("(su)", "org.freedesktop.systemd1", 0), G_VARIANT_TYPE("(u)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    g_assert_no_error(error);
}


/* @opaque: "mute": libvirt is there, and answers nobody; "stopped": also, systemd has it stopped. */
static void
serviceSetUp(Service *service,
             gconstpointer opaque)
{
    g_autoptr(GSubprocessLauncher) launcher = newLauncher();
    g_autofree char *libvirt = NULL;
    g_autofree char *uri = NULL;
    g_autofree char *address = NULL;
    g_autofree char *notify = NULL;
    g_autoptr(GError) error = NULL;

    service->dir = g_dir_make_tmp("virtteamingtest-XXXXXX", &error);
    g_assert_no_error(error);
    service->socket = g_build_filename(service->dir, "system-bus", NULL);
    serviceStartBus(service);
    address = g_strconcat("unix:path=", service->socket, NULL);
    g_subprocess_launcher_setenv(launcher, "DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
    libvirt = g_build_filename(service->dir, "libvirt", NULL);
    if (opaque) {
        service->libvirt = serviceBind(service, "libvirt", G_SOCKET_TYPE_STREAM);
        g_assert_true(g_socket_listen(service->libvirt, NULL));
    }
    if (g_strcmp0(opaque, "stopped") == 0)
        serviceStartSystemd(service);
    notify = g_build_filename(service->dir, "notify", NULL);
    service->notify = serviceBind(service, "notify", G_SOCKET_TYPE_DATAGRAM);
    g_subprocess_launcher_setenv(launcher, "NOTIFY_SOCKET", notify, TRUE);
    uri = g_strconcat("qemu+unix:///system?socket=", libvirt, NULL);
    service->daemon = g_subprocess_launcher_spawn(
        launcher, &error, g_getenv("VIR_TEAMING_TEST_DAEMON"), "--state-dir", service->dir,
        "--connect", uri, NULL);
    g_assert_no_error(error);
}


static void
serviceTearDown(Service *service,
                gconstpointer opaque)
{
    g_autofree char *command = g_strconcat("rm -rf ", service->dir, NULL);

    g_subprocess_send_signal(service->daemon, SIGTERM);
    g_assert_true(g_subprocess_wait(service->daemon, NULL, NULL));
    g_assert_true(g_subprocess_get_if_exited(service->daemon));
    g_assert_cmpint(g_subprocess_get_exit_status(service->daemon), ==, 0);
    g_object_unref(service->daemon);
    g_clear_object(&service->libvirt);
    g_clear_object(&service->notify);
    g_clear_object(&service->systemd);
    if (service->bus)
        serviceKillBus(service);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(service->socket);
    g_free(service->dir);
}


/* Connects to the socket @name: of a message bus, if there is an @owner of names there. */
static GDBusConnection *
serviceConnect(Service *service,
               const char *name,
               const char *owner)
{
    g_autofree char *address = g_strconcat("unix:path=", service->dir, "/", name, NULL);

    return g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
        (owner ? G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION : G_DBUS_CONNECTION_FLAGS_NONE),
        NULL, NULL, NULL);
}


/* Does the daemon answer, on the socket @name, to whoever asks for @owner there? */
static gboolean
serviceAnswers(Service *service,
               const char *name,
               const char *owner)
{
    g_autoptr(GDBusConnection) connection = serviceConnect(service, name, owner);
    g_autoptr(GVariant) answer = NULL;

    if (connection)
        answer = g_dbus_connection_call_sync(connection, owner, "/org/virtteaming",
                                             "org.virtteaming.Host1", "GetPairs", NULL,
                                             G_VARIANT_TYPE("(aa{sv})"),
                                             G_DBUS_CALL_FLAGS_NO_AUTO_START, 10000, NULL, NULL);
    return answer != NULL;
}


static void
serviceAwait(Service *service,
             const char *name,
             const char *owner)
{
    const gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!serviceAnswers(service, name, owner)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(20 * 1000);
    }
}


/* Whoever starts it is told when it can be called, and not before. */
static void
testReady(Service *service,
          gconstpointer opaque)
{
    g_autofree char *hook = g_build_filename(service->dir, "hook", NULL);
    char text[64] = "";

    g_assert_cmpint(g_socket_receive(service->notify, text, sizeof(text) - 1, NULL, NULL), >, 0);
    g_assert_cmpstr(text, ==, "READY=1");
    g_assert_true(serviceAnswers(service, "bus", NULL));
    g_assert_true(g_file_test(hook, G_FILE_TEST_EXISTS));
}


/* What only a person can mend has a status of its own, for which it is not started again. */
static void
testNotUnderstood(Service *service,
                  gconstpointer opaque)
{
    g_autofree char *config = dataPath("virtteamingtest.c");
    const char *daemon = g_getenv("VIR_TEAMING_TEST_DAEMON");
    const char *configured[] = { daemon, "--config", config, "--state-dir", service->dir, NULL };
    const char *optioned[] = { daemon, "--frób", NULL };
    const char *second[] = { daemon, "--state-dir", service->dir, NULL };
    g_auto(Result) badConfig = { 0 };
    g_auto(Result) badOption = { 0 };
    g_auto(Result) busy = { 0 };

    runOnce(configured, NULL, &badConfig);
    g_assert_cmpint(badConfig.status, ==, 78);
    g_assert_nonnull(strstr(badConfig.err, "virtteamingtest.c: "));
    runOnce(optioned, NULL, &badOption);
    g_assert_cmpint(badOption.status, ==, 78);
    g_assert_nonnull(strstr(badOption.err, "--frób"));
    serviceAwait(service, "bus", NULL);
    runOnce(second, NULL, &busy);
    g_assert_cmpint(busy.status, ==, 2);
}


/* A message bus that dies takes nothing along, and its successor gets the name. */
static void
testBusDies(Service *service,
            gconstpointer opaque)
{
    serviceAwait(service, "bus", NULL);
    serviceAwait(service, "system-bus", "org.virtteaming");
    for (guint i = 0; i < 2; i++) {
        serviceKillBus(service);
        g_usleep(500 * 1000);
        g_assert_true(serviceAnswers(service, "bus", NULL));
        serviceStartBus(service);
        serviceAwait(service, "system-bus", "org.virtteaming");
        g_assert_true(serviceAnswers(service, "bus", NULL));
    }
}


/* Who asks for one by its directory gets no answer from another, as the host's own is on the bus. */
static void
testStateDir(Service *service,
             gconstpointer opaque)
{
    g_autofree char *bus = g_strconcat("DBUS_SYSTEM_BUS_ADDRESS=unix:path=", service->socket, NULL);
    const char *argv[] = { "env", bus, program, "status", "--state-dir", "/nonexistent", NULL };
    g_auto(Result) result = { 0 };

    serviceAwait(service, "system-bus", "org.virtteaming");
    runOnce(argv, NULL, &result);
    g_assert_cmpint(result.status, ==, 2);
    g_assert_nonnull(strstr(result.err, "cannot reach virtteamingd at /nonexistent/bus"));
}


/* One that hangs is not waited for. */
static void
testHangs(Service *service,
          gconstpointer opaque)
{
    const char *argv[] = { program, "status", "--state-dir", service->dir, NULL };
    const gint64 since = g_get_monotonic_time();
    g_auto(Result) result = { 0 };

    serviceAwait(service, "bus", NULL);
    g_subprocess_send_signal(service->daemon, SIGSTOP);
    runOnce(argv, NULL, &result);
    g_subprocess_send_signal(service->daemon, SIGCONT);
    g_assert_cmpint(result.status, ==, 2);
    g_assert_nonnull(strstr(result.err, "virtteamingd does not answer at"));
    g_assert_cmpint(g_get_monotonic_time() - since, <, 25 * G_USEC_PER_SEC);
}


/* A libvirt that hangs is told of, and whoever ends the daemon need not wait for it. */
static void
testLibvirtMute(Service *service,
                gconstpointer opaque)
{
    g_autofree char *bus = g_build_filename(service->dir, "bus", NULL);
    g_autofree char *hook = g_build_filename(service->dir, "hook", NULL);
    const char *argv[] = { program, "status", "--state-dir", service->dir, NULL };
    g_auto(Result) result = { 0 };
    g_autoptr(GSocket) call = NULL;
    gint64 since;

    serviceAwait(service, "bus", NULL);
    call = g_socket_accept(service->libvirt, NULL, NULL);
    g_assert_nonnull(call);
    runOnce(argv, NULL, &result);
    g_assert_cmpint(result.status, ==, 1);
    g_assert_nonnull(strstr(result.err, "has not answered yet"));
    since = g_get_monotonic_time();
    g_subprocess_send_signal(service->daemon, SIGTERM);
    while (g_subprocess_get_identifier(service->daemon) &&
           g_get_monotonic_time() - since < 8 * G_USEC_PER_SEC) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(10 * 1000);
    }
    /* It would not hang up. */
    g_clear_object(&call);
    g_assert_null(g_subprocess_get_identifier(service->daemon));
    g_assert_false(g_file_test(bus, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(hook, G_FILE_TEST_EXISTS));
}


/* Somebody calls libvirt within @seconds, while systemd answers. */
static gboolean
serviceCalls(Service *service,
             guint seconds)
{
    const gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

    while (!(g_socket_condition_check(service->libvirt, G_IO_IN) & G_IO_IN)) {
        if (g_get_monotonic_time() > until)
            return FALSE;
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    return TRUE;
}


/* A libvirt that was stopped is not started by being called, and heard again when it runs. */
static void
testLibvirtStopped(Service *service,
                   gconstpointer opaque)
{
    const char *argv[] = { program, "status", "--state-dir", service->dir, NULL };
    g_auto(Result) result = { 0 };

    g_assert_false(serviceCalls(service, 3));
    service->libvirtd = "inactive";
    g_assert_false(serviceCalls(service, 3));
    runOnce(argv, NULL, &result);
    g_assert_cmpint(result.status, ==, 1);
    g_assert_nonnull(strstr(result.err, "libvirt is stopped, and virtteamingd does not start it"));
    service->libvirtd = "active";
    g_assert_true(serviceCalls(service, 10));
}


/* No client keeps a property that changes without a word: GDBusProxy, for one, would. */
static void
testIntrospection(Service *service,
                  gconstpointer opaque)
{
    static const struct {
        const char *property;
        const char *emits;
    } properties[] = {
        { "Version", "const" },
        { "HookHeard", "true" },
        { "LibvirtProblem", "true" },
    };
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(GDBusNodeInfo) node = NULL;
    g_autoptr(GVariant) answer = NULL;
    g_autoptr(GError) error = NULL;
    GDBusInterfaceInfo *interface;
    const char *xml;

    serviceAwait(service, "bus", NULL);
    connection = serviceConnect(service, "bus", NULL);
    g_assert_nonnull(connection);
    answer = g_dbus_connection_call_sync(connection, NULL, "/org/virtteaming",
                                         "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
                                         G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NONE, 10000,
                                         NULL, &error);
    g_assert_no_error(error);
    g_variant_get(answer, "(&s)", &xml);
    node = g_dbus_node_info_new_for_xml(xml, &error);
    g_assert_no_error(error);
    interface = g_dbus_node_info_lookup_interface(node, "org.virtteaming.Host1");
    g_assert_nonnull(interface);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++) {
        GDBusPropertyInfo *info =
            g_dbus_interface_info_lookup_property(interface, properties[i].property);

        g_assert_nonnull(info);
        g_assert_cmpstr(g_dbus_annotation_info_lookup(
                            info->annotations,
                            "org.freedesktop.DBus.Property.EmitsChangedSignal"), ==,
                        properties[i].emits);
    }
    g_assert_null(interface->properties[G_N_ELEMENTS(properties)]);
}


/* A daemon knows what the one before it has heard, unless that was released. */
static void
testHookHeard(Service *service,
              gconstpointer opaque)
{
    const char *status[] = { program, "status", "--format", "json", "--state-dir", service->dir,
                             NULL };
    g_autofree char *empty = g_build_filename(service->dir, "other", NULL);
    g_autofree char *released = g_build_filename(empty, "hook-heard", NULL);
    g_autofree char *heard = g_build_filename(service->dir, "hook-heard", NULL);
    const char *release[] = { g_getenv("VIR_TEAMING_TEST_DAEMON"), "--release", "--state-dir",
                              empty, NULL };
    g_auto(Result) before = { 0 };
    g_auto(Result) after = { 0 };
    g_auto(Result) done = { 0 };

    serviceAwait(service, "bus", NULL);
    runOnce(status, NULL, &before);
    g_assert_nonnull(strstr(before.out, "\"hook-heard\" : false"));
    g_assert_true(g_file_set_contents(heard, "", 0, NULL));
    runOnce(status, NULL, &after);
    g_assert_nonnull(strstr(after.out, "\"hook-heard\" : true"));

    g_assert_cmpint(g_mkdir(empty, 0700), ==, 0);
    g_assert_true(g_file_set_contents(released, "", 0, NULL));
    runOnce(release, NULL, &done);
    g_assert_cmpint(done.status, ==, 0);
    g_assert_false(g_file_test(released, G_FILE_TEST_EXISTS));
}


static void
hearSignal(GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *signal,
           GVariant *arguments,
           gpointer opaque)
{
    g_autofree char *text = g_variant_print(arguments, FALSE);

    g_string_append_printf(opaque, "%s.%s%s\n", interface, signal, text);
}


/* As libvirt's hook calls it, for the domain "good", but called @name. */
static void
serviceCallHook(Service *service,
                const char *call,
                const char *name)
{
    g_autofree char *path = g_build_filename(service->dir, "hook", NULL);
    g_autofree char *domain = dataPath("virtteamingdata/domain-good.xml");
    g_autofree char *xml = NULL;
    g_autofree char *request = NULL;
    g_auto(GStrv) parts = NULL;
    g_autoptr(GSocketAddress) at = g_unix_socket_address_new(path);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_DEFAULT, NULL);
    char answer[4] = "";

    g_assert_true(g_file_get_contents(domain, &xml, NULL, NULL));
    parts = g_strsplit(xml, ">good<", 2);
    g_assert_nonnull(parts[1]);
    request = g_strconcat(call, parts[0], ">", name, "<", parts[1], NULL);
    g_assert_true(g_socket_connect(socket, at, NULL, NULL));
    g_assert_cmpint(g_socket_send(socket, request, strlen(request), NULL, NULL), ==,
                    strlen(request));
    g_assert_true(g_socket_shutdown(socket, FALSE, TRUE, NULL));
    g_assert_cmpint(g_socket_receive(socket, answer, sizeof(answer) - 1, NULL, NULL), ==, 3);
    g_assert_cmpstr(answer, ==, "ok\n");
}


/* What is answered otherwise than before is told, in both places, and nothing when nothing is. */
static void
testSignals(Service *service,
            gconstpointer opaque)
{
    static const char *const places[][2] = {
        { "bus", NULL }, { "system-bus", "org.virtteaming" },
    };
    GDBusConnection *connections[G_N_ELEMENTS(places)];
    GString *heard[G_N_ELEMENTS(places)];
    gint64 quietSince = g_get_monotonic_time();
    const gint64 until = quietSince + 30 * G_USEC_PER_SEC;
    gsize length = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        serviceAwait(service, places[i][0], places[i][1]);
        heard[i] = g_string_new(NULL);
        connections[i] = serviceConnect(service, places[i][0], places[i][1]);
        g_assert_nonnull(connections[i]);
        g_dbus_connection_signal_subscribe(connections[i], NULL, NULL, NULL, "/org/virtteaming",
                                           NULL, G_DBUS_SIGNAL_FLAGS_NONE, hearSignal, heard[i],
                                           NULL);
        g_assert_true(g_dbus_connection_flush_sync(connections[i], NULL, NULL));
    }
    serviceAwait(service, "system-bus", "org.virtteaming");
    serviceCallHook(service, "start\nbegin\n", "good");

    /* It takes some looks until it is known what the pair lacks here. */
    while (g_get_monotonic_time() - quietSince < 3 * G_USEC_PER_SEC) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(10 * 1000);
        if (heard[0]->len + heard[1]->len == length)
            continue;
        length = heard[0]->len + heard[1]->len;
        quietSince = g_get_monotonic_time();
    }
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_assert_nonnull(strstr(heard[i]->str, "org.virtteaming.Host1.PairsChanged()\n"));
        g_assert_nonnull(strstr(heard[i]->str, "org.freedesktop.DBus.Properties.PropertiesChanged"
                                "('org.virtteaming.Host1', {"));
        g_assert_nonnull(strstr(heard[i]->str, "'HookHeard': <true>"));
        g_string_free(heard[i], TRUE);
        g_object_unref(connections[i]);
    }
}


/* A column begins where its title does, whatever letters are before it. */
static void
testTable(Service *service,
          gconstpointer opaque)
{
    const char *argv[] = { program, "status", "--state-dir", service->dir, NULL };
    g_auto(Result) result = { 0 };
    const char *title;
    const char *row;

    serviceAwait(service, "bus", NULL);
    serviceCallHook(service, "start\nbegin\n", "gäst");
    runOnce(argv, NULL, &result);
    title = strstr(result.out, "STANDBY");
    row = strstr(result.out, "gäst ");
    g_assert_true(title && row && strstr(row, "ua-net"));
    g_assert_cmpint(g_utf8_pointer_to_offset(row, strstr(row, "ua-net")), ==,
                    g_utf8_pointer_to_offset(result.out, title));
}


/* Nothing is taken back under a daemon's feet. */
static void
testReleaseRefused(Service *service,
                   gconstpointer opaque)
{
    const char *argv[] = { g_getenv("VIR_TEAMING_TEST_DAEMON"), "--release", "--state-dir",
                           service->dir, NULL };
    g_auto(Result) refused = { 0 };
    g_auto(Result) nothing = { 0 };

    serviceAwait(service, "bus", NULL);
    runOnce(argv, NULL, &refused);
    g_assert_cmpint(refused.status, ==, 2);
    g_assert_nonnull(strstr(refused.err, "another virtteamingd uses"));
    g_assert_true(serviceAnswers(service, "bus", NULL));

    argv[3] = "/nonexistent/virt-teaming";
    runOnce(argv, NULL, &nothing);
    g_assert_cmpint(nothing.status, ==, 0);
    g_assert_cmpstr(nothing.err, ==, "");
    g_assert_false(g_file_test("/nonexistent", G_FILE_TEST_EXISTS));
}


int
main(int argc,
     char **argv)
{
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_test_init(&argc, &argv, NULL);
    program = g_getenv("VIR_TEAMING_TEST_PROGRAM");
    g_assert_nonnull(program);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *test = g_strdup_printf("/virt-teaming/%s", cases[i].name);

        g_test_add_data_func(test, &cases[i], testCase);
    }
    g_test_add_func("/virt-teaming/connect-refused", testConnectRefused);
    g_test_add_func("/virt-teaming/completion", testCompletion);
    g_test_add_func("/virt-teaming/json", testJson);
    g_test_add_func("/virt-teaming/json-not-utf8", testJsonNotUtf8);
    g_test_add_func("/virt-teaming/json-several", testJsonSeveral);
    g_test_add_func("/virt-teaming/standard-input", testStandardInput);
    g_test_add_func("/virt-teaming/full-disk", testFullDisk);
    g_test_add_func("/virt-teaming/pipe-closed", testPipeClosed);
    g_test_add_func("/virt-teaming/colours", testColours);
    g_test_add_func("/virt-teaming/huge-file", testHugeFile);
    g_test_add("/virtteamingd/ready", Service, NULL, serviceSetUp, testReady, serviceTearDown);
    g_test_add("/virtteamingd/not-understood", Service, NULL, serviceSetUp, testNotUnderstood,
               serviceTearDown);
    g_test_add("/virtteamingd/bus-dies", Service, NULL, serviceSetUp, testBusDies,
               serviceTearDown);
    g_test_add("/virtteamingd/state-dir", Service, NULL, serviceSetUp, testStateDir,
               serviceTearDown);
    g_test_add("/virtteamingd/hangs", Service, NULL, serviceSetUp, testHangs, serviceTearDown);
    g_test_add("/virtteamingd/libvirt-mute", Service, "mute", serviceSetUp, testLibvirtMute,
               serviceTearDown);
    g_test_add("/virtteamingd/libvirt-stopped", Service, "stopped", serviceSetUp,
               testLibvirtStopped, serviceTearDown);
    g_test_add("/virtteamingd/introspection", Service, NULL, serviceSetUp, testIntrospection,
               serviceTearDown);
    g_test_add("/virtteamingd/hook-heard", Service, NULL, serviceSetUp, testHookHeard,
               serviceTearDown);
    g_test_add("/virtteamingd/signals", Service, NULL, serviceSetUp, testSignals,
               serviceTearDown);
    g_test_add("/virtteamingd/table", Service, NULL, serviceSetUp, testTable, serviceTearDown);
    g_test_add("/virtteamingd/release-refused", Service, NULL, serviceSetUp, testReleaseRefused,
               serviceTearDown);
    /* The last, for it leaves the host's network. */
    g_test_add_func("/virt-teaming-probe/alternative-name", testAlternativeName);
    return g_test_run();
}
