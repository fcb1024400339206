/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teamingschematest.c: teaming.rng says of teaming what libvirt's own schema says
 */

#include <string.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "teaming_error.h"
#include "teaming_policy.h"

/*
 * Theory of operation
 *
 * Fragments with <teaming>, right and wrong, are put where it may and may not stand, in a
 * domain that libvirt's schema accepts without them. Three grammars judge each: libvirt's,
 * as it is installed; ours, alone; and libvirt's with ours included, its own definition of
 * "teaming" taken out. All three must agree.
 */

static xmlRelaxNG *ours;
static xmlRelaxNG *libvirts;    /* NULL if not installed */
static xmlRelaxNG *both;

static const char *
libvirtSchemas(void)
{
    const char *dir = g_getenv("VIR_TEAMING_TEST_LIBVIRT_SCHEMAS");

    return dir ? dir : "/usr/share/libvirt/schemas";
}


static void
quiet(void *opaque,
      const char *format,
      ...)
{
}


static xmlRelaxNG *
load(const char *path)
{
    xmlRelaxNGParserCtxt *ctxt = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = xmlRelaxNGParse(ctxt);

    xmlRelaxNGFreeParserCtxt(ctxt);
    return schema;
}


static gboolean
isValid(xmlRelaxNG *schema,
        const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, strlen(xml), NULL, NULL, XML_PARSE_NONET);
    xmlRelaxNGValidCtxt *ctxt = xmlRelaxNGNewValidCtxt(schema);
    gboolean valid;

    g_assert_nonnull(doc);
    xmlRelaxNGSetValidErrors(ctxt, quiet, quiet, NULL);
    valid = xmlRelaxNGValidateDoc(ctxt, doc) == 0;
    xmlRelaxNGFreeValidCtxt(ctxt);
    xmlFreeDoc(doc);
    return valid;
}


/* libvirt's schemas in a directory of our own, with our definitions in place of its. */
static xmlRelaxNG *
loadBoth(const char *oursPath)
{
    g_autofree char *dir = g_dir_make_tmp("teamingschematest-XXXXXX", NULL);
    g_autofree char *common = g_build_filename(dir, "domaincommon.rng", NULL);
    g_autofree char *start = g_build_filename(dir, "domain.rng", NULL);
    g_autofree char *rm = g_strdup_printf("rm -rf '%s'", dir);
    g_autofree char *include = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GDir) entries = g_dir_open(libvirtSchemas(), 0, NULL);
    g_autoptr(GString) changed = NULL;
    const char *name;
    char *begin;
    char *end;
    xmlRelaxNG *schema;

    while ((name = g_dir_read_name(entries))) {
        g_autofree char *from = g_build_filename(libvirtSchemas(), name, NULL);
        g_autofree char *to = g_build_filename(dir, name, NULL);
        g_autofree char *content = NULL;
        gsize len;

        g_assert_true(g_file_get_contents(from, &content, &len, NULL));
        g_assert_true(g_file_set_contents(to, content, len, NULL));
    }

    g_assert_true(g_file_get_contents(common, &text, NULL, NULL));
    begin = strstr(text, "<define name=\"teaming\">");
    g_assert_nonnull(begin);
    end = strstr(begin, "</define>") + strlen("</define>");
    include = g_strdup_printf("<include href=\"%s\"><start combine=\"choice\"><notAllowed/>"
                              "</start></include>", oursPath);
    changed = g_string_new_len(text, begin - text);
    g_string_append(changed, include);
    g_string_append(changed, end);
    g_string_replace(changed, "<ref name=\"customElement\"/>",
                     "<choice><ref name=\"teamingPolicy\"/><ref name=\"customElement\"/></choice>",
                     0);
    g_assert_true(g_file_set_contents(common, changed->str, -1, NULL));

    schema = load(start);
    g_spawn_command_line_sync(rm, NULL, NULL, NULL, NULL);
    return schema;
}


/*
 * Fragments and places
 */

static const char *const fragments[] = {
    "",
    "<teaming type='persistent'/>",
    "<teaming type='transient' persistent='ua-net'/>",
    "<teaming persistent='ua-net' type='transient'/>",
    "<teaming type='transient' persistent='net0'/>",
    "<teaming type='transient' persistent='a.b_c-1'/>",
    "<teaming type='transient'/>",
    "<teaming type='transient' persistent=''/>",
    "<teaming type='transient' persistent='ua net'/>",
    "<teaming type='transient' persistent='ua/net'/>",
    "<teaming type='persistent' persistent='ua-net'/>",
    "<teaming type='both'/>",
    "<teaming type='Persistent'/>",
    "<teaming type=''/>",
    "<teaming/>",
    "<teaming persistent='ua-net'/>",
    "<teaming type='persistent' more='x'/>",
    "<teaming type='persistent'> </teaming>",
    "<teaming type='persistent'>text</teaming>",
    "<teaming type='persistent'><more/></teaming>",
    "<teaming type='persistent'/><teaming type='persistent'/>",
    "<teaming type='persistent'/><teaming type='transient' persistent='ua-net'/>",
};

/* Each %s is where a fragment goes. */
static const char *const places[] = {
    "<interface type='bridge'><source bridge='br0'/>%s</interface>",
    "<interface type='bridge'>%s<source bridge='br0'/><model type='virtio'/></interface>",
    "<interface type='network'><source network='n'/>%s</interface>",
    "<interface type='direct'><source dev='lan0'/>%s</interface>",
    "<interface type='ethernet'>%s</interface>",
    "<interface type='user'>%s</interface>",
    "<interface type='vhostuser'><source type='unix' path='/x' mode='client'/>"
    "<model type='virtio'/>%s</interface>",
    "<interface type='server'><source port='1'/>%s</interface>",
    "<interface type='client'><source address='192.0.2.1' port='1'/>%s</interface>",
    "<interface type='mcast'><source address='230.0.0.1' port='1'/>%s</interface>",
    "<interface type='internal'><source name='n'/>%s</interface>",
    "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/>%s</interface>",
    "<interface type='hostdev'><source><address type='pci' domain='0' bus='1' slot='1' "
    "function='0'/></source>%s</interface>",
    "<interface type='hostdev' managed='yes'><source><address type='pci' domain='0' bus='1' "
    "slot='1' function='0'/></source>%s<alias name='ua-x'/></interface>",
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='1' "
    "function='0'/></source>%s</hostdev>",
    "<hostdev type='pci' managed='yes'><source><address domain='0' bus='1' slot='1' "
    "function='0'/></source>%s<rom bar='off'/></hostdev>",
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0xbeef'/>"
    "</source>%s</hostdev>",
    "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host0'/>"
    "<address bus='0' target='0' unit='0'/></source>%s</hostdev>",
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
    "<address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>%s</hostdev>",
    "<hostdev mode='capabilities' type='misc'><source><char>/dev/input/event3</char></source>%s"
    "</hostdev>",
    "<disk type='file' device='disk'><source file='/x'/><target dev='vda'/>%s</disk>",
    "<controller type='usb' index='0'>%s</controller>",
    "<memballoon model='virtio'>%s</memballoon>",
    "<interface type='bridge'><source bridge='br0'>%s</source></interface>",
    "%s",
};


static void
testTeaming(gconstpointer opaque)
{
    const char *place = opaque;

    if (!libvirts) {
        g_test_skip("libvirt's schemas are not installed");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(fragments); i++) {
        g_auto(GStrv) halves = g_strsplit(place, "%s", 2);
        g_autofree char *xml =
            g_strdup_printf("<domain type='kvm'><name>x</name><memory>1</memory><os><type>hvm"
                            "</type></os><devices>%s%s%s</devices></domain>",
                            halves[0], fragments[i], halves[1]);
        gboolean theirs = isValid(libvirts, xml);

        g_test_message("%s: %s", fragments[i], theirs ? "valid" : "not valid");
        /* Without a fragment, the place itself must be all right. */
        if (i == 0)
            g_assert_true(theirs);
        g_assert_cmpint(isValid(ours, xml), ==, theirs);
        g_assert_cmpint(isValid(both, xml), ==, theirs);
    }
}


/* Whatever else there is in a domain, ours leaves it alone. */
static void
testFiles(void)
{
    static const char *const dirs[] = {
        "qemuxml2argvdata", "teamingxmldata/rules", "teamingxmldata/domains",
    };
    guint judged = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *dir = g_test_build_filename(G_TEST_DIST, dirs[i], NULL);
        g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
        const char *name;

        while ((name = g_dir_read_name(entries))) {
            g_autofree char *path = g_build_filename(dir, name, NULL);
            g_autofree char *xml = NULL;

            if (!g_str_has_suffix(name, ".xml"))
                continue;
            g_assert_true(g_file_get_contents(path, &xml, NULL, NULL));
            g_test_message("%s", name);
            /* libvirt's knows nothing of our settings. */
            if (strstr(name, "policy-unknown-trip"))
                g_assert_false(isValid(ours, xml));
            else if (libvirts && isValid(libvirts, xml))
                g_assert_true(isValid(ours, xml));
            judged++;
        }
    }
    g_assert_cmpuint(judged, >, 100);
}


/* The grammar and the table in teaming_policy.c know the same settings and values. */
static void
testPolicy(void)
{
    static const char *const names[] = {
        "unplugTimeout", "onUnplugTimeout", "parking", "plug", "prealloc", "postcopy",
        "standbyLink", "unplugtimeout", "none",
    };
    static const char *const values[] = {
        "0", "1", "86400", "86401", "-1", "x", "abort", "wait", "migrate", "refuse", "up",
        "down-while-vf", "auto", "zero", "vlan", "deferred", "stock", "yes", "no", "allow", "",
        "ABORT",
    };
    guint valid = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(values); j++) {
            g_autofree char *xml =
                g_strdup_printf("<domain type='kvm'><name>x</name><metadata><p:policy xmlns:p='"
                                VIR_TEAMING_XMLNS "' %s='%s'/></metadata><memory>1</memory><os>"
                                "<type>hvm</type></os></domain>", names[i], values[j]);
            virTeamingPolicy policy;
            gboolean known;

            virTeamingPolicyInit(&policy);
            known = virTeamingPolicySet(&policy, names[i], values[j], NULL, NULL);
            g_test_message("%s='%s'", names[i], values[j]);
            g_assert_cmpint(isValid(ours, xml), ==, known);
            if (both && known)
                g_assert_true(isValid(both, xml));
            valid += known;
        }
    }
    /* Two numbers, and all words of the five other settings. */
    g_assert_cmpuint(valid, ==, 2 + 12);
}


static void
testPolicyPlace(void)
{
    static const struct {
        const char *metadata;
        gboolean valid;
    } cases[] = {
        { "", TRUE },
        { "<t:policy xmlns:t='" VIR_TEAMING_XMLNS "'/>", TRUE },
        { "<t:policy xmlns:t='" VIR_TEAMING_XMLNS "'><t:more/></t:policy>", FALSE },
        { "<t:other xmlns:t='" VIR_TEAMING_XMLNS "'/>", FALSE },
        { "<o:policy xmlns:o='urn:other' unplugTimeout='x'><teaming/></o:policy>", TRUE },
        { "<o:a xmlns:o='urn:other'/><t:policy xmlns:t='" VIR_TEAMING_XMLNS "'/>", TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain type='kvm'><name>x</name><metadata>%s</metadata></domain>",
                            cases[i].metadata);

        g_test_message("%s", cases[i].metadata);
        g_assert_cmpint(isValid(ours, xml), ==, cases[i].valid);
    }
}


int
main(int argc,
     char **argv)
{
    g_autofree char *theirPath = NULL;
    g_autofree char *ourPath = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    theirPath = g_build_filename(libvirtSchemas(), "domain.rng", NULL);
    ourPath = g_test_build_filename(G_TEST_DIST, "..", "src", "conf", "schemas", "teaming.rng",
                                    NULL);
    ours = load(ourPath);
    g_assert_nonnull(ours);
    if (g_file_test(theirPath, G_FILE_TEST_EXISTS)) {
        libvirts = load(theirPath);
        g_assert_nonnull(libvirts);
        both = loadBoth(ourPath);
        g_assert_nonnull(both);
    }

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *test = g_strdup_printf("/schema/teaming/%zu", i);

        g_test_add_data_func(test, places[i], testTeaming);
    }
    g_test_add_func("/schema/files", testFiles);
    g_test_add_func("/schema/policy", testPolicy);
    g_test_add_func("/schema/policy-place", testPolicyPlace);
    status = g_test_run();
    xmlRelaxNGFree(ours);
    xmlRelaxNGFree(libvirts);
    xmlRelaxNGFree(both);
    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return status;
}
