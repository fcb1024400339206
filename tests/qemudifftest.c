/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemudifftest.c: the real QEMU driver of libvirt writes the arguments that we say
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "nicvalues.h"
#include "qemu_command.h"

/*
 * Theory of operation
 *
 * What docs/rules.rst says of libvirt is held against it: of the domains in
 * teamingxmldata/rules/ it must accept and refuse what the rules say, and of the values in
 * nicvalues.h what that says.
 *
 * Each domain of qemuxml2argvdata/ goes to libvirt twice.
 *
 * The VFs go through domxml-to-native. That call turns every <interface> into a plain
 * tap and (in 9.0) crashes on one of type hostdev, so the VFs are written as plain
 * <hostdev>, for which libvirt uses the same code.
 *
 * The standbys are started: the domain's emulator is a script that stands in for QEMU,
 * answers libvirt's questions with the real one, but when it is to run the guest writes
 * down its arguments and stops. VFs are left out, because there are none here. Standbys that
 * libvirt refuses only when it starts the domain are tried in the same way.
 *
 * Our side reads the very XML that libvirt got. Bridges and links are made in a network
 * namespace of the test's own.
 *
 * Another generation of libvirt than the installed one is used by unpacking its packages
 * (libvirt0, libvirt-daemon-driver-qemu, libvirt-common) somewhere, and letting
 * LD_LIBRARY_PATH and LIBVIRT_DRIVER_DIR name its libraries and connection drivers.
 *
 * VIR_TEAMING_TEST_URI names another libvirt than the one in this process (which is
 * qemu:///embed, without a daemon): a hypervisor of the lab, for example. It must run on
 * the same machine, have br0 and lan0, and see the test's directory.
 */

static char *scratch;           /* a directory, for as long as the test runs */
static virConnectPtr conn;

/* For the leak sanitizer: what libvirt has read of a <vlan> that it refuses it does not free. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:virNetDevVlanParse\n";
}


/* The first child element of that name. */
static xmlNode *
child(xmlNode *node,
      const char *name)
{
    for (xmlNode *c = node ? node->children : NULL; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0)
            return c;
    }
    return NULL;
}


static void
drop(xmlNode *node)
{
    if (!node)
        return;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}


static gboolean
hasProp(xmlNode *node,
        const char *name,
        const char *value)
{
    xmlChar *is = node ? xmlGetProp(node, BAD_CAST name) : NULL;
    gboolean same = is && strcmp((const char *)is, value) == 0;

    xmlFree(is);
    return same;
}


/* Writes a VF as a plain <hostdev>; one of a network gets an address, by its @number. */
static void
makePlain(xmlNode *node,
          guint number)
{
    static const char *const without[] = { "mac", "model", "driver", "vlan", "link" };
    xmlNode *source = child(node, "source");
    xmlNode *address = child(source, "address");
    xmlChar *iommufd = child(node, "driver") ? xmlGetProp(child(node, "driver"),
                                                          BAD_CAST "iommufd") : NULL;
    xmlNode *driver;
    char function[] = { '0' + number, 0 };

    for (gsize i = 0; i < G_N_ELEMENTS(without); i++)
        drop(child(node, without[i]));
    if (!address) {
        xmlUnsetProp(source, BAD_CAST "network");
        address = xmlNewChild(source, NULL, BAD_CAST "address", NULL);
        xmlSetProp(address, BAD_CAST "domain", BAD_CAST "0x0000");
        xmlSetProp(address, BAD_CAST "bus", BAD_CAST "0x81");
        xmlSetProp(address, BAD_CAST "slot", BAD_CAST "0x1f");
        xmlSetProp(address, BAD_CAST "function", BAD_CAST function);
    }
    xmlUnsetProp(address, BAD_CAST "type");
    /* Else libvirt looks for vfio on this machine. */
    driver = xmlNewChild(node, NULL, BAD_CAST "driver", NULL);
    xmlSetProp(driver, BAD_CAST "name", BAD_CAST "vfio");
    if (iommufd)
        xmlSetProp(driver, BAD_CAST "iommufd", iommufd);
    xmlFree(iommufd);
    xmlNodeSetName(node, BAD_CAST "hostdev");
    xmlSetProp(node, BAD_CAST "mode", BAD_CAST "subsystem");
    xmlSetProp(node, BAD_CAST "type", BAD_CAST "pci");
}


static void
makeStandby(xmlNode *node)
{
    xmlNode *driver = child(node, "driver");

    if (hasProp(node, "type", "network") || hasProp(node, "type", "bridge")) {
        xmlSetProp(node, BAD_CAST "type", BAD_CAST "bridge");
        xmlUnsetProp(child(node, "source"), BAD_CAST "network");
        xmlSetProp(child(node, "source"), BAD_CAST "bridge", BAD_CAST "br0");
    }
    if (driver && g_access("/dev/vhost-net", R_OK | W_OK) != 0)
        xmlUnsetProp(driver, BAD_CAST "name");
}


/*
 * The domain in @path as libvirt can take it here, with its VFs or with its standbys only.
 * @emulator is filled with the one that the domain asks for.
 */
static char *
prepare(const char *path,
        gboolean vfs,
        char **emulator)
{
    xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNode *devices = child(root, "devices");
    xmlNode *next;
    xmlChar *text = NULL;
    g_autofree char *wrapper = NULL;
    g_autofree char *base = NULL;
    struct utsname machine;
    guint number = 0;
    char *xml;
    int len;

    text = xmlNodeGetContent(child(devices, "emulator"));
    *emulator = g_strdup((const char *)text);
    xmlFree(text);
    base = g_path_get_basename(*emulator);
    wrapper = g_build_filename(scratch, base, NULL);
    xmlNodeSetContent(child(devices, "emulator"), BAD_CAST wrapper);

    uname(&machine);
    if (hasProp(root, "type", "kvm") &&
        (g_access("/dev/kvm", R_OK | W_OK) != 0 ||
         !hasProp(child(child(root, "os"), "type"), "arch", machine.machine)))
        xmlSetProp(root, BAD_CAST "type", BAD_CAST "qemu");
    xmlUnsetProp(root, BAD_CAST "id");
    for (xmlNode *node = devices->children; node; node = next) {
        gboolean transient = hasProp(child(node, "teaming"), "type", "transient");

        next = node->next;
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)node->name, "hostdev") == 0 && (!transient || !vfs))
            drop(node);
        else if (transient && vfs)
            makePlain(node, number++);
        else if (transient)
            drop(node);
        else if (strcmp((const char *)node->name, "interface") == 0)
            makeStandby(node);
    }

    xmlDocDumpMemory(doc, &text, &len);
    xml = g_strndup((const char *)text, len);
    xmlFree(text);
    xmlFreeDoc(doc);
    return xml;
}


/* In $PATH, so that a QEMU that is not installed where the domain says can be used too. */
static char *
findEmulator(const char *emulator)
{
    g_autofree char *base = g_path_get_basename(emulator);

    return g_find_program_in_path(base);
}


static void
writeWrapper(const char *emulator)
{
    g_autofree char *base = g_path_get_basename(emulator);
    g_autofree char *path = g_build_filename(scratch, base, NULL);
    g_autofree char *script =
        g_strdup_printf("#!/bin/sh\n"
                        "case \" $* \" in *\" guest=\"*)\n"
                        "    printf '%%s\\n' \"$@\" > '%s/arguments'\n"
                        "    exit 1;;\n"
                        "esac\n"
                        "exec '%s' \"$@\"\n", scratch, emulator);
    g_autoptr(GError) error = NULL;

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    g_file_set_contents(path, script, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}


/* The properties behind @option whose id is @id. */
static JsonNode *
findProps(char **words,
          const char *option,
          const char *id)
{
    for (; words[0] && words[1]; words++) {
        g_autoptr(JsonNode) node = NULL;

        if (strcmp(words[0], option) != 0 || words[1][0] != '{')
            continue;
        node = json_from_string(words[1], NULL);
        g_assert_nonnull(node);
        if (g_strcmp0(json_object_get_string_member_with_default(json_node_get_object(node), "id",
                                                                 ""), id) == 0)
            return g_steal_pointer(&node);
    }
    return NULL;
}


static guint
countFds(JsonObject *props,
         const char *one,
         const char *many)
{
    g_auto(GStrv) fds = NULL;

    if (json_object_has_member(props, one))
        return 1;
    if (!json_object_has_member(props, many))
        return 0;
    fds = g_strsplit(json_object_get_string_member(props, many), ":", -1);
    return g_strv_length(fds);
}


/* Descriptors differ by nature: their number counts. vhost needs the host's module. */
static void
compareNetdev(JsonObject *ours,
              JsonObject *theirs)
{
    g_assert_cmpstr(json_object_get_string_member(theirs, "type"), ==,
                    json_object_get_string_member(ours, "type"));
    g_assert_cmpuint(countFds(theirs, "fd", "fds"), ==, countFds(ours, "fd", "fds"));
    g_assert_cmpint(json_object_get_int_member_with_default(theirs, "sndbuf", -1), ==,
                    json_object_get_int_member_with_default(ours, "sndbuf", -1));
    if (g_access("/dev/vhost-net", R_OK | W_OK) == 0)
        g_assert_cmpuint(countFds(theirs, "vhostfd", "vhostfds"), ==,
                         countFds(ours, "vhostfd", "vhostfds"));
}


/* The same properties in the same order; where the XML has no address, libvirt adds one. */
static void
compareDevice(JsonObject *ours,
              JsonObject *theirs)
{
    g_autoptr(JsonNode) a = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(JsonNode) b = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *texta = NULL;
    g_autofree char *textb = NULL;

    if (!json_object_has_member(ours, "addr")) {
        json_object_remove_member(theirs, "bus");
        json_object_remove_member(theirs, "addr");
    }
    /* A VF has none before it is started, and here none is. */
    if (json_object_has_member(ours, "iommufd"))
        json_object_remove_member(ours, "fd");
    json_node_set_object(a, ours);
    json_node_set_object(b, theirs);
    texta = json_to_string(a, FALSE);
    textb = json_to_string(b, FALSE);
    g_assert_cmpstr(texta, ==, textb);
}


static guint
compare(const char *xml,
        char **words,
        virTeamingRole role)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParse(xml, -1, "xml", &error);
    g_autoptr(GPtrArray) args = NULL;
    guint compared = 0;

    g_assert_no_error(error);
    args = virTeamingQemuCommandBuild(domain, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        g_autoptr(JsonNode) theirs = NULL;

        if (arg->nic->role != role)
            continue;
        theirs = findProps(words, arg->option,
                           json_object_get_string_member(arg->props, "id"));
        g_assert_nonnull(theirs);
        if (strcmp(arg->option, "-netdev") == 0)
            compareNetdev(arg->props, json_node_get_object(theirs));
        else
            compareDevice(arg->props, json_node_get_object(theirs));
        compared++;
    }
    return compared;
}


static gboolean
skipWithout(const char *emulator)
{
    g_autofree char *found = findEmulator(emulator);
    g_autofree char *why = NULL;

    if (found) {
        writeWrapper(found);
        return FALSE;
    }
    why = g_strdup_printf("%s is not installed", emulator);
    g_test_skip(why);
    return TRUE;
}


static void
testPrimary(gconstpointer opaque)
{
    g_autofree char *emulator = NULL;
    g_autofree char *xml = prepare(opaque, TRUE, &emulator);
    g_autofree char *native = NULL;
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) error = NULL;
    unsigned long version = 0;

    if (skipWithout(emulator))
        return;
    virConnectGetLibVersion(conn, &version);
    if (strstr(xml, "iommufd") &&
        (version < 12001000 || g_access("/dev/iommu", F_OK) != 0)) {
        g_test_skip("iommufd wants libvirt 12.1 and a kernel that has it");
        return;
    }
    native = virConnectDomainXMLToNative(conn, "qemu-argv", xml, 0);
    if (!native)
        g_test_message("%s", virGetLastErrorMessage());
    g_assert_nonnull(native);
    g_shell_parse_argv(native, NULL, &words, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(compare(xml, words, VIR_TEAMING_ROLE_TRANSIENT), >, 0);
}


static void
testStandby(gconstpointer opaque)
{
    g_autofree char *emulator = NULL;
    g_autofree char *xml = prepare(opaque, FALSE, &emulator);
    g_autofree char *path = g_build_filename(scratch, "arguments", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (skipWithout(emulator))
        return;
    /* It removes the macvtap through the netlink service that only a daemon starts. */
    if (strstr(xml, "type=\"direct\"") && !g_getenv("VIR_TEAMING_TEST_URI")) {
        g_test_skip("libvirt's embedded driver crashes on type='direct'");
        return;
    }
    g_unlink(path);
    g_assert_null(virDomainCreateXML(conn, xml, 0));
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_test_message("%s", virGetLastErrorMessage());
        g_test_fail();
        return;
    }
    words = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(compare(xml, words, VIR_TEAMING_ROLE_PERSISTENT), >, 0);
}


/*
 * What the rules say of libvirt is so: it refuses, or it accepts, the domain that breaks
 * the rule. A rule that says neither is not asked about.
 */
static void
testRule(gconstpointer opaque)
{
    const virTeamingRule *rule = virTeamingRuleGet(GPOINTER_TO_INT(opaque));
    g_autofree char *name = g_strconcat(rule->id, "-trip.xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "rules", name,
                                                  NULL);
    gboolean refuses = strstr(rule->why, "libvirt refuses the domain") != NULL;
    g_autofree char *xml = NULL;
    unsigned long version = 0;
    virDomainPtr domain;

    g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
    if (g_access("/usr/bin/qemu-system-x86_64", X_OK) != 0 ||
        g_access("/dev/kvm", R_OK | W_OK) != 0) {
        g_test_skip("/usr/bin/qemu-system-x86_64 or KVM is not here");
        return;
    }
    virConnectGetLibVersion(conn, &version);
    /* What 11.3 refuses to start, 12.9 refuses to define. */
    if (GPOINTER_TO_INT(opaque) == VIR_TEAMING_RULE_STANDBY_SETTING_REFUSED && version > 12000000)
        refuses = TRUE;
    domain = virDomainDefineXML(conn, xml);
    if (!domain)
        g_test_message("libvirt: %s", virGetLastErrorMessage());
    g_assert_cmpint(refuses, ==, domain == NULL);
    if (domain) {
        virDomainUndefine(domain);
        virDomainFree(domain);
    }
}


/* @xml, of all its interfaces only the one that is number @n, from 0; NULL: it has no such. */
static char *
keepOne(const char *xml,
        guint n)
{
    xmlDoc *doc = xmlReadMemory(xml, strlen(xml), NULL, NULL, XML_PARSE_NONET);
    xmlNode *next;
    xmlChar *text = NULL;
    char *one = NULL;
    guint seen = 0;
    int len;

    for (xmlNode *node = child(xmlDocGetRootElement(doc), "devices")->children; node; node = next) {
        next = node->next;
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "interface") == 0 &&
            seen++ != n)
            drop(node);
    }
    if (n < seen) {
        xmlDocDumpMemory(doc, &text, &len);
        one = g_strndup((const char *)text, len);
        xmlFree(text);
    }
    xmlFreeDoc(doc);
    return one;
}


/* What only a start shows: libvirt refuses each of the standbys that break the rule. */
static void
testStart(gconstpointer opaque)
{
    virTeamingRuleId rule = GPOINTER_TO_INT(opaque);
    g_autofree char *name = g_strconcat(virTeamingRuleGet(rule)->id, "-trip.xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "rules", name,
                                                  NULL);
    g_autofree char *emulator = NULL;
    g_autofree char *xml = prepare(path, FALSE, &emulator);
    unsigned long version = 0;
    guint started = 0;
    char *next;

    if (skipWithout(emulator))
        return;
    virConnectGetLibVersion(conn, &version);
    for (guint i = 0; (next = keepOne(xml, i)); i++) {
        g_autofree char *one = next;
        gboolean refuses = rule != VIR_TEAMING_RULE_STANDBY_VLAN_NEW || version < 11000000;

        /* See testStandby(). */
        if (strstr(one, "type=\"direct\"") && !g_getenv("VIR_TEAMING_TEST_URI"))
            continue;
        g_assert_null(virDomainCreateXML(conn, one, 0));
        g_test_message("libvirt: %s", virGetLastErrorMessage());
        g_assert_cmpint(virGetLastErrorCode() == VIR_ERR_CONFIG_UNSUPPORTED, ==, refuses);
        started++;
    }
    g_assert_cmpuint(started, >, 0);
}


/* A domain of which no rule says that it can't work is one that libvirt accepts. */
static void
testJust(gconstpointer opaque)
{
    g_autofree char *name = g_strconcat(virTeamingRuleGet(GPOINTER_TO_INT(opaque))->id,
                                        "-just.xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "rules", name,
                                                  NULL);
    g_autofree char *emulator = NULL;
    g_autofree char *xml = NULL;
    virDomainPtr domain;

    g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
    emulator = g_strdup(strstr(xml, "aarch64") ? "/usr/bin/qemu-system-aarch64" :
                        "/usr/bin/qemu-system-x86_64");
    if (g_access(emulator, X_OK) != 0 || g_access("/dev/kvm", R_OK | W_OK) != 0) {
        g_autofree char *why = g_strdup_printf("%s or KVM is not here", emulator);

        g_test_skip(why);
        return;
    }
    domain = virDomainDefineXML(conn, xml);
    if (!domain)
        g_test_message("libvirt: %s", virGetLastErrorMessage());
    g_assert_nonnull(domain);
    virDomainUndefine(domain);
    virDomainFree(domain);
}


/* Where libvirt may put a VF into a port with hotplug off, it does. */
static void
testPortChosen(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "rules",
                                                  "guest-port-chosen-trip.xml", NULL);
    g_autofree char *xml = NULL;
    g_autofree char *defined = NULL;
    g_autoptr(virTeamingDomain) parsed = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    virDomainPtr domain;
    gboolean found = FALSE;

    g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
    if (g_access("/usr/bin/qemu-system-x86_64", X_OK) != 0 ||
        g_access("/dev/kvm", R_OK | W_OK) != 0) {
        g_test_skip("/usr/bin/qemu-system-x86_64 or KVM is not here");
        return;
    }
    domain = virDomainDefineXML(conn, xml);
    g_assert_nonnull(domain);
    defined = virDomainGetXMLDesc(domain, 0);
    virDomainUndefine(domain);
    virDomainFree(domain);
    parsed = virTeamingDomainParse(defined, -1, "defined.xml", NULL);
    findings = virTeamingDomainValidate(parsed, NULL, NULL);
    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];

        found |= finding->rule == VIR_TEAMING_RULE_GUEST_BUS_NO_HOTPLUG;
    }
    g_assert_true(found);
}


/* Of what can be written into the NICs of a pair, libvirt refuses what nicvalues.h says. */
static void
testValues(void)
{
    if (g_access("/usr/bin/qemu-system-x86_64", X_OK) != 0 ||
        g_access("/dev/kvm", R_OK | W_OK) != 0) {
        g_test_skip("/usr/bin/qemu-system-x86_64 or KVM is not here");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(nicValues); i++) {
        virDomainPtr domain = virDomainDefineXML(conn, nicValues[i].xml);

        if ((domain == NULL) != nicValues[i].refused)
            g_test_message("%s: %s", nicValues[i].xml,
                           domain ? "accepted" : virGetLastErrorMessage());
        g_assert_cmpint(domain == NULL, ==, nicValues[i].refused);
        if (domain) {
            virDomainUndefine(domain);
            virDomainFree(domain);
        }
    }
}


static void
addRules(void)
{
    static const virTeamingRuleId ofStart[] = {
        VIR_TEAMING_RULE_STANDBY_SETTING_REFUSED, VIR_TEAMING_RULE_STANDBY_VLAN_NEW,
    };

    for (virTeamingRuleId i = 0; i < VIR_TEAMING_RULE_LAST; i++) {
        const virTeamingRule *rule = virTeamingRuleGet(i);
        g_autofree char *test = g_strdup_printf("/qemudiff/rule/%s", rule->id);

        if (strstr(rule->why, "libvirt refuses the domain") ||
            strstr(rule->why, "libvirt accepts"))
            g_test_add_data_func(test, GINT_TO_POINTER(i), testRule);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ofStart); i++) {
        g_autofree char *test = g_strdup_printf("/qemudiff/start/%s",
                                                virTeamingRuleGet(ofStart[i])->id);

        g_test_add_data_func(test, GINT_TO_POINTER(ofStart[i]), testStart);
    }
    for (virTeamingRuleId i = 0; i < VIR_TEAMING_RULE_LAST; i++) {
        g_autofree char *test = g_strdup_printf("/qemudiff/just/%s", virTeamingRuleGet(i)->id);

        g_test_add_data_func(test, GINT_TO_POINTER(i), testJust);
    }
}


static void
run(const char *command)
{
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (!g_spawn_command_line_sync(command, NULL, NULL, &status, &error) || status != 0)
        g_printerr("# '%s' failed%s%s\n", command, error ? ": " : "", error ? error->message : "");
}


static void
quiet(void *opaque,
      virErrorPtr error)
{
}


/* Opens libvirt's driver in this process, on a configuration that asks for no privileges. */
static virConnectPtr
openLibvirt(void)
{
    static const char conf[] =
        "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\n"
        "namespaces = []\ncgroup_controllers = []\nsecurity_driver = \"none\"\n"
        "stdio_handler = \"file\"\n";
    const char *uri = g_getenv("VIR_TEAMING_TEST_URI");
    g_autofree char *etc = g_build_filename(scratch, "root", "etc", NULL);
    g_autofree char *file = g_build_filename(etc, "qemu.conf", NULL);
    g_autofree char *embed = g_strdup_printf("qemu:///embed?root=%s/root", scratch);

    virSetErrorFunc(NULL, quiet);
    if (uri)
        return virConnectOpen(uri);

    g_mkdir_with_parents(etc, 0755);
    g_file_set_contents(file, conf, -1, NULL);
    if (unshare(CLONE_NEWNET) != 0)
        g_printerr("# no network namespace: %s\n", g_strerror(errno));
    run("ip link add br0 type bridge");
    run("ip link set br0 up");
    run("ip link add lan0 type bridge");
    run("ip link set lan0 up");
    virEventRegisterDefaultImpl();
    return virConnectOpen(embed);
}


static gpointer
runEvents(gpointer opaque)
{
    while (virEventRunDefaultImpl() == 0)
        continue;
    return NULL;
}


static void
testNoLibvirt(void)
{
    g_autofree char *why = g_strdup_printf("libvirt's QEMU driver can't be opened: %s",
                                           virGetLastErrorMessage());

    g_test_skip(why);
}


static void
addTests(const char *dir,
         const char *kind,
         GTestDataFunc func,
         GPtrArray *paths)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    g_assert_nonnull(entries);
    while ((name = g_dir_read_name(entries))) {
        g_autofree char *test = NULL;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        test = g_strdup_printf("/qemudiff/%s/%.*s", kind, (int)(strlen(name) - 4), name);
        g_ptr_array_add(paths, g_build_filename(dir, name, NULL));
        g_test_add_data_func(test, paths->pdata[paths->len - 1], func);
    }
}


static int
runTests(int argc,
         char **argv)
{
    g_autofree char *dir = NULL;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    unsigned long version = 0;
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", NULL);
    if (!(conn = openLibvirt())) {
        g_test_add_func("/qemudiff/open", testNoLibvirt);
        return g_test_run();
    }
    g_thread_unref(g_thread_new("events", runEvents, NULL));
    virConnectGetLibVersion(conn, &version);
    g_test_message("libvirt %lu.%lu.%lu", version / 1000000, version / 1000 % 1000,
                   version % 1000);

    addTests(dir, "primary", testPrimary, paths);
    addTests(dir, "standby", testStandby, paths);
    addRules();
    g_test_add_func("/qemudiff/port-chosen", testPortChosen);
    g_test_add_func("/qemudiff/values", testValues);
    status = g_test_run();
    virConnectClose(conn);
    return status;
}


/*
 * libvirt runs the QEMU that it asks for its abilities as a daemon and waits until it is
 * gone. In a container nobody may reap it, and libvirt waits in vain; so this parent does.
 */
int
main(int argc,
     char **argv)
{
    pid_t tests;
    pid_t gone;
    int status = 0;
    g_autofree char *command = NULL;

    scratch = g_dir_make_tmp("qemudifftest-XXXXXX", NULL);
    g_assert_nonnull(scratch);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    tests = fork();
    if (tests == 0)
        exit(runTests(argc, argv));
    while ((gone = waitpid(-1, &status, 0)) != tests) {
        if (gone < 0 && errno != EINTR)
            break;
    }
    if (WIFSIGNALED(status))
        g_print("Bail out! ended by signal %d\n", WTERMSIG(status));
    command = g_strdup_printf("rm -rf '%s'", scratch);
    run(command);
    g_free(scratch);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
