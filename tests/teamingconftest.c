/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teamingconftest.c: XML in, model out, XML again
 */

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "network_conf.h"
#include "nicvalues.h"
#include "nodedev_conf.h"
#include "teaming_error.h"
#include "teaming_migrate.h"
#include "teaming_validate.h"

#define MIB (1024 * 1024)


static virTeamingDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    virTeamingDomain *domain = virTeamingDomainParse(xml, -1, "x.xml", &error);

    g_assert_no_error(error);
    return domain;
}


/*
 * Lossless
 */

static void
assertSameVlan(const virTeamingVlan *a,
               const virTeamingVlan *b)
{
    g_assert_cmpint(!a, ==, !b);
    if (!a)
        return;
    g_assert_cmpint(a->trunk, ==, b->trunk);
    g_assert_cmpuint(a->tags->len, ==, b->tags->len);
    for (guint i = 0; i < a->tags->len; i++) {
        const virTeamingVlanTag *x = &g_array_index(a->tags, virTeamingVlanTag, i);
        const virTeamingVlanTag *y = &g_array_index(b->tags, virTeamingVlanTag, i);

        g_assert_cmpuint(x->id, ==, y->id);
        g_assert_cmpint(x->native, ==, y->native);
    }
}


/*
 * What the table of fields does not cover is compared one by one; what it does, reader and
 * writer take from the same row, and two texts being equal tells the rest.
 */
static void
assertSameNic(const virTeamingNic *a,
              const virTeamingNic *b)
{
    g_assert_cmpint(a->type, ==, b->type);
    g_assert_cmpint(a->role, ==, b->role);
    g_assert_cmpstr(a->teamingType, ==, b->teamingType);
    g_assert_cmpstr(a->persistent, ==, b->persistent);
    g_assert_cmpstr(a->alias, ==, b->alias);
    g_assert_cmpstr(a->id, ==, b->id);
    g_assert_cmpint(a->hasMac, ==, b->hasMac);
    g_assert_true(virTeamingMacEqual(&a->mac, &b->mac));
    g_assert_cmpint(a->hasSource, ==, b->hasSource);
    g_assert_true(virTeamingPciAddressEqual(&a->source, &b->source));
    g_assert_cmpint(a->hasAddress, ==, b->hasAddress);
    g_assert_true(virTeamingPciAddressEqual(&a->address, &b->address));
    g_assert_cmpint(a->multifunction, ==, b->multifunction);
    g_assert_cmpstr(a->network, ==, b->network);
    g_assert_cmpstr(a->bridge, ==, b->bridge);
    g_assert_cmpstr(a->dev, ==, b->dev);
    g_assert_cmpstr(a->target, ==, b->target);
    g_assert_cmpstr(a->model, ==, b->model);
    g_assert_cmpint(a->managed, ==, b->managed);
    g_assert_cmpint(a->linkDown, ==, b->linkDown);
    g_assert_cmpint(a->bandwidth, ==, b->bandwidth);
    g_assert_cmpint(a->isolated, ==, b->isolated);
    g_assert_cmpint(a->sndbuf, ==, b->sndbuf);
    assertSameVlan(a->vlan, b->vlan);
    g_assert_cmpmem(&a->driver.queues, sizeof(a->driver) - G_STRUCT_OFFSET(virTeamingVirtioOptions,
                                                                           queues),
                    &b->driver.queues, sizeof(b->driver) - G_STRUCT_OFFSET(virTeamingVirtioOptions,
                                                                           queues));
}


static void
assertSameDomain(const virTeamingDomain *a,
                 const virTeamingDomain *b)
{
    g_assert_cmpstr(a->type, ==, b->type);
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpstr(a->uuid, ==, b->uuid);
    g_assert_cmpint(a->live, ==, b->live);
    g_assert_cmpint(a->id, ==, b->id);
    g_assert_cmpstr(a->arch, ==, b->arch);
    g_assert_cmpstr(a->machine, ==, b->machine);
    g_assert_cmpuint(a->memory, ==, b->memory);
    g_assert_cmpuint(a->hardLimit, ==, b->hardLimit);
    g_assert_cmpint(a->iommufd, ==, b->iommufd);
    g_assert_cmpuint(a->bootNetwork, ==, b->bootNetwork);
    g_assert_cmpint(a->acpi, ==, b->acpi);
    g_assert_cmpmem(&a->policy, sizeof(a->policy), &b->policy, sizeof(b->policy));

    g_assert_cmpuint(a->controllers->len, ==, b->controllers->len);
    for (guint i = 0; i < a->controllers->len; i++) {
        const virTeamingController *x = a->controllers->pdata[i];
        const virTeamingController *y = b->controllers->pdata[i];

        g_assert_cmpuint(x->index, ==, y->index);
        g_assert_cmpstr(x->model, ==, y->model);
        g_assert_cmpstr(x->alias, ==, y->alias);
        g_assert_cmpint(x->hotplugOff, ==, y->hotplugOff);
    }
    g_assert_cmpuint(a->nics->len, ==, b->nics->len);
    for (guint i = 0; i < a->nics->len; i++)
        assertSameNic(a->nics->pdata[i], b->nics->pdata[i]);
    g_assert_cmpuint(a->pairs->len, ==, b->pairs->len);
}


static void
assertLossless(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) first = virTeamingDomainParseFile(path, &error);
    g_autoptr(virTeamingDomain) second = NULL;
    g_autofree char *text = NULL;
    g_autofree char *again = NULL;

    g_assert_no_error(error);
    text = virTeamingDomainFormat(first);
    second = parse(text);
    again = virTeamingDomainFormat(second);
    g_assert_cmpstr(text, ==, again);
    assertSameDomain(first, second);
}


/* Every .xml in a directory; returns how many. */
static guint
forEachFile(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;
    guint count = 0;

    g_assert_nonnull(entries);
    while ((name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        g_test_message("%s", name);
        assertLossless(path);
        count++;
    }
    return count;
}


static void
testLossless(void)
{
    static const char *const dirs[] = {
        "qemuxml2argvdata", "teamingxmldata/rules", "teamingxmldata/domains",
    };
    const char *more = g_getenv("VIR_TEAMING_TEST_XMLDIR");

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *dir = g_test_build_filename(G_TEST_DIST, dirs[i], NULL);

        g_assert_cmpuint(forEachFile(dir), >, 0);
    }
    /* Any directory of domains: of libvirt's own tests, for example. */
    if (more)
        g_assert_cmpuint(forEachFile(more), >, 0);
}


/*
 * What is in the model
 */

static void
testInactive(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata",
                                                  "bridge-hostdev.xml", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    const virTeamingPair *pair;
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    g_assert_no_error(error);
    g_assert_cmpstr(domain->name, ==, "bridge-hostdev");
    g_assert_cmpstr(domain->type, ==, "kvm");
    g_assert_false(domain->live);
    g_assert_cmpuint(domain->nics->len, ==, 2);
    g_assert_cmpuint(domain->pairs->len, ==, 1);
    pair = domain->pairs->pdata[0];
    g_assert_cmpstr(pair->persistent->alias, ==, "ua-net");
    g_assert_cmpstr(pair->persistent->bridge, ==, "br0");
    g_assert_cmpint(pair->transient->type, ==, VIR_TEAMING_NIC_HOSTDEV);
    g_assert_true(pair->transient->managed);
    g_assert_true(pair->transient->hasSource);
    g_assert_cmpstr(virTeamingPciAddressFormat(&pair->transient->source, buf), ==,
                    "0000:81:01.0");
    g_assert_cmpint(pair->transient->line, ==, 33);
    g_assert_cmpint(pair->transient->teamingLine, ==, 38);
}


static void
testLive(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", "live.xml",
                                                  NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    const virTeamingPair *pair;

    g_assert_no_error(error);
    g_assert_true(domain->live);
    g_assert_cmpint(domain->id, ==, 7);
    g_assert_cmpuint(domain->pairs->len, ==, 1);
    pair = domain->pairs->pdata[0];
    g_assert_cmpstr(pair->persistent->network, ==, "lan");
    g_assert_cmpstr(pair->persistent->bridge, ==, "virbr5");
    g_assert_cmpstr(pair->persistent->target, ==, "vnet3");
    g_assert_cmpstr(pair->transient->alias, ==, "hostdev0");
    g_assert_cmpuint(pair->transient->source.function, ==, 3);
}


/* Only whole pairs are pairs. */
static void
testPairs(void)
{
    static const struct {
        const char *file;
        guint pairs;
    } cases[] = {
        { "reference-dangling-trip.xml", 0 }, { "reference-self-trip.xml", 0 },
        { "reference-not-persistent-trip.xml", 0 }, { "several-transients-trip.xml", 1 },
        { "several-transients-just.xml", 2 }, { "alias-not-kept-trip.xml", 0 },
        { "reference-by-position-trip.xml", 1 }, { "persistent-alone-trip.xml", 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "rules",
                                                      cases[i].file, NULL);
        g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, NULL);

        g_assert_nonnull(domain);
        g_assert_cmpuint(domain->pairs->len, ==, cases[i].pairs);
    }
}


/* XML's own escapes, in and out. */
static void
testEscapes(void)
{
    g_autoptr(virTeamingDomain) domain =
        parse("<domain type='kvm'><name>a&amp;b&lt;&#99;</name><devices><interface type='bridge'>"
              "<source bridge='it&apos;s &#38; &quot;mine&quot;&#10;two'/></interface></devices>"
              "</domain>");
    const virTeamingNic *nic = domain->nics->pdata[0];
    g_autofree char *text = virTeamingDomainFormat(domain);
    g_autoptr(virTeamingDomain) again = parse(text);

    g_assert_cmpstr(domain->name, ==, "a&b<c");
    g_assert_cmpstr(nic->bridge, ==, "it's & \"mine\"\ntwo");
    assertSameDomain(domain, again);
}


/* libxml2's tree knows no line beyond 65535. */
static void
testManyLines(void)
{
    g_autoptr(GString) xml = g_string_new("<domain type='kvm'>\n<devices>\n");
    g_autoptr(virTeamingDomain) domain = NULL;
    const virTeamingNic *nic;

    for (guint i = 0; i < 100000; i++)
        g_string_append_c(xml, '\n');
    g_string_append(xml, "<interface type='bridge'>\n<teaming type='persistent'/>\n"
                    "</interface></devices></domain>");
    domain = parse(xml->str);
    nic = domain->nics->pdata[0];
    g_assert_cmpint(nic->line, ==, 100003);
    g_assert_cmpint(nic->teamingLine, ==, 100004);
}


static void
testMemory(void)
{
    static const struct {
        const char *xml;
        guint64 kib;
    } cases[] = {
        { "<memory>1024</memory>", 1024 }, { "<memory unit='KiB'>\n 7</memory>", 7 },
        { "<memory>+7</memory>", 7 }, { "<memory>7 </memory>", 0 },
        { "<memory unit='b'>1025</memory>", 2 }, { "<memory unit='MB'>1</memory>", 977 },
        { "<memory unit='MiB'>512</memory>", 512 * 1024 },
        { "<memory unit='G'>2</memory>", 2 * MIB },
        { "<memory unit='TiB'>1</memory>", G_GUINT64_CONSTANT(1) << 30 },
        { "<memory unit='byte'>1024</memory>", 1 }, { "<memory unit='BYTES'>1024</memory>", 1 },
        { "<memory unit='m'>3</memory>", 3 * 1024 }, { "<memory unit='kb'>1024</memory>", 1000 },
        { "<memory unit='pib'>2</memory>", G_GUINT64_CONSTANT(2) << 40 },
        { "<memory unit='EiB'>7</memory>", G_GUINT64_CONSTANT(7) << 50 },
        { "<memory unit='EiB'>8</memory>", 0 },
        { "<memory unit='EB'>9</memory>", G_GUINT64_CONSTANT(8789062500000000) },
        { "<memory unit='PB'>9223</memory>", G_GUINT64_CONSTANT(9006835937500000) },
        { "<memory unit='PB'>9224</memory>", 0 },
        { "<memory unit='GiB'><!-- was 4 -->8</memory>", 8 * MIB },
        { "<memory unit='GiB'>1<!-- just --></memory>", MIB },
        { "<memory unit='MiB'>1<!-- in two -->2</memory>", 12 * 1024 },
        { "<memory unit='GiB'><![CDATA[2]]></memory>", 2 * MIB },
        { "<memory unit='ZiB'>1</memory>", 0 }, { "<memory unit='bit'>1</memory>", 0 },
        { "<memory unit='iB'>1</memory>", 0 }, { "<memory unit='kibi'>1</memory>", 0 },
        { "<memory unit=''>5</memory>", 5 },
        { "<memory unit='parsec'>1</memory>", 0 }, { "<memory>much</memory>", 0 },
        { "<memory unit='TiB'>99999999999</memory>", 0 }, { "<memory/>", 0 },
        { "<memory unit='b'>18446744073709551615</memory>", 0 },
        { "<memory unit='b'>9223372036854775807</memory>", 0 },
        { "<memory unit='b'>9223372036854774784</memory>", (G_GUINT64_CONSTANT(1) << 53) - 1 },
        { "<memory unit='KiB'>9007199254740991</memory>", (G_GUINT64_CONSTANT(1) << 53) - 1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain>%s</domain>", cases[i].xml);
        g_autoptr(virTeamingDomain) domain = parse(xml);

        g_assert_cmpuint(domain->memory, ==, cases[i].kib);
        g_assert_cmpuint(domain->problems->len, ==, cases[i].kib ? 0 : 1);
    }
}


/* What a VF is plugged with, where something else has its place. */
static void
testUnplace(void)
{
    static const char source[] = "<source><address type=\"pci\" bus=\"0x01\"/></source>";
    g_autoptr(GError) error = NULL;
    g_autofree char *placed = g_strdup_printf(
        "<interface type=\"hostdev\">%s<address type=\"pci\" bus=\"0x02\"/></interface>", source);
    g_autofree char *bare = g_strdup_printf("<interface type=\"hostdev\">%s</interface>", source);
    g_autofree char *unplaced = virTeamingDeviceUnplace(placed, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(unplaced, ==, bare);
    g_assert_null(virTeamingDeviceUnplace(bare, &error));
    g_assert_no_error(error);
    g_assert_null(virTeamingDeviceUnplace("", &error));
    g_assert_no_error(error);
    g_assert_null(virTeamingDeviceUnplace("<interface>", &error));
    g_assert_nonnull(error);
}


/* What the daemon has a domain carry along, whoever gave it which prefix. */
static void
testMoved(void)
{
    g_autoptr(virTeamingDomain) domain =
        parse("<domain><metadata><a:moved xmlns:a='" VIR_TEAMING_MOVED_XMLNS "'>"
              "<a:pair standby='ua-1' primary='ua-vf1'>&lt;hostdev/&gt;</a:pair>"
              "<pair standby='ua-2' primary='ua-vf2'/><a:other standby='ua-3' primary='ua-vf3'/>"
              "<a:pair standby='ua-6' primary='ua-vf6' plug='yes'/>"
              "<a:pair standby='ua-4'/></a:moved>"
              "<moved><pair standby='ua-5' primary='ua-vf5'/></moved></metadata></domain>");
    const virTeamingMovedPair *moved;

    g_assert_cmpuint(domain->moved->len, ==, 2);
    moved = domain->moved->pdata[0];
    g_assert_cmpstr(moved->standby, ==, "ua-1");
    g_assert_cmpstr(moved->primary, ==, "ua-vf1");
    g_assert_cmpstr(moved->device, ==, "<hostdev/>");
    g_assert_false(moved->plug);
    moved = domain->moved->pdata[1];
    g_assert_true(moved->plug);
    g_assert_cmpuint(domain->problems->len, ==, 0);
}


/* What the domain on the destination is made of; NULL if the hook has nothing to say. */
static char *
preallocate(const char *xml)
{
    g_autoptr(GError) error = NULL;
    char *changed = virTeamingDomainPreallocate(xml, &error);

    g_assert_no_error(error);
    return changed;
}


static void
testPreallocate(void)
{
    static const char *const bare[] = {
        "<domain type='kvm'><name>g</name><devices/></domain>",
        "<domain type='kvm'><name>g</name><memoryBacking/><devices/></domain>",
        "<domain type='kvm'><name>g</name><memoryBacking><allocation/></memoryBacking></domain>",
        "<domain type='kvm'><name>g</name><memoryBacking><allocation threads='2'/>"
        "</memoryBacking></domain>",
        "<domain type='kvm'><name>g</name><memoryBacking><locked/></memoryBacking></domain>",
        /* Not the domain's own. */
        "<domain type='kvm'><name>g</name><metadata><memoryBacking>"
        "<allocation mode='ondemand'/></memoryBacking></metadata></domain>",
    };
    static const char *const said[] = {
        "<domain><memoryBacking><allocation mode='immediate'/></memoryBacking></domain>",
        "<domain><memoryBacking><allocation mode='ondemand'/></memoryBacking></domain>",
        "<domain><memoryBacking><allocation threads='2' mode='ondemand'/></memoryBacking></domain>",
    };
    static const char *const none[] = { "", "no XML", "<domain>", "<network/>" };

    for (gsize i = 0; i < G_N_ELEMENTS(bare); i++) {
        g_autofree char *changed = preallocate(bare[i]);
        g_autofree char *again = NULL;

        g_assert_nonnull(changed);
        g_assert_nonnull(strstr(changed, "mode=\"immediate\""));
        g_assert_nonnull(strstr(changed, "<name>g</name>"));
        g_assert_cmpint(strstr(bare[i], "<locked/>") != NULL, ==,
                        strstr(changed, "<locked/>") != NULL);
        g_assert_cmpint(strstr(bare[i], "threads") != NULL, ==,
                        strstr(changed, "threads=\"2\"") != NULL);
        /* It is where it is looked for, and once. */
        again = preallocate(changed);
        g_assert_null(again);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        g_autofree char *changed = preallocate(said[i]);

        g_assert_null(changed);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(virTeamingDomainPreallocate(none[i], &error));
        g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
    }
}


/* Controllers without an index fill the gaps that those with one leave. */
static void
testBuses(void)
{
    g_autoptr(virTeamingDomain) domain =
        parse("<domain><devices><controller type='pci' model='pcie-root'/>"
              "<controller type='pci' model='pcie-root-port'/><controller type='usb'/>"
              "<controller type='pci' index='1' model='pcie-root-port'/>"
              "<controller type='pci' model='pcie-root-port'/>"
              "<controller type='pci' index='4' model='pcie-to-pci-bridge'/>"
              "<controller type='pci' model='pcie-root-port'/>"
              "<controller type='pci' index='+255' model='pcie-root-port'/></devices></domain>");
    static const guint expected[] = { 0, 2, 1, 3, 4, 5, 255 };

    g_assert_cmpuint(domain->controllers->len, ==, G_N_ELEMENTS(expected));
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        const virTeamingController *controller = domain->controllers->pdata[i];

        g_assert_cmpuint(controller->index, ==, expected[i]);
        g_assert_true(domain->buses[expected[i]] == controller);
    }
    g_assert_cmpuint(domain->problems->len, ==, 0);
}


/* A standby without a model is virtio where libvirt makes it so. */
static void
testDefaultModel(void)
{
    static const struct {
        const char *os;             /* attributes */
        const char *type;
        gboolean virtio;
    } cases[] = {
        { "arch='x86_64' machine='q35'", "bridge", FALSE }, { "", "bridge", FALSE },
        { "arch='x86_64' machine='q35'", "vdpa", TRUE },
        { "arch='x86_64' machine='q35'", "vhostuser", TRUE },
        { "arch='aarch64' machine='virt'", "bridge", TRUE },
        { "arch='aarch64' machine='virt-7.2'", "bridge", TRUE },
        { "arch='armv7l' machine='virt'", "bridge", TRUE },
        { "arch='aarch64'", "bridge", FALSE },
        { "arch='aarch64' machine='vexpress-a15'", "bridge", FALSE },
        { "arch='riscv64' machine='virt'", "bridge", TRUE },
        { "arch='loongarch64' machine='virt'", "bridge", TRUE },
        { "arch='s390x' machine='s390-ccw-virtio'", "bridge", TRUE },
        { "arch='s390x'", "bridge", TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain><os><type %s>hvm</type></os><devices><interface type='%s'>"
                            "<teaming type='persistent'/></interface></devices></domain>",
                            cases[i].os, cases[i].type);
        g_autoptr(virTeamingDomain) domain = parse(xml);

        g_assert_cmpint(virTeamingNicIsVirtio(domain->nics->pdata[0]), ==, cases[i].virtio);
    }
}


/* Of a standby that says no model, libvirt has read next to nothing in <driver>. */
static void
testDefaultModelDriver(void)
{
    static const char driver[] = "<driver name='qemu' txmode='timer' queues='4' packed='on'>"
        "<host csum='off'/></driver>";

    for (guint written = 0; written < 2; written++) {
        g_autofree char *xml =
            g_strdup_printf("<domain><devices><interface type='vdpa'>%s%s<teaming "
                            "type='persistent'/></interface></devices></domain>", driver,
                            written ? "<model type='virtio'/>" : "");
        g_autoptr(virTeamingDomain) domain = parse(xml);
        const virTeamingNic *nic = domain->nics->pdata[0];

        g_assert_cmpstr(nic->driver.name, ==, written ? "qemu" : NULL);
        g_assert_cmpstr(nic->driver.txmode, ==, written ? "timer" : NULL);
        g_assert_cmpuint(nic->driver.queues, ==, written ? 4 : 0);
        g_assert_cmpint(nic->driver.hostCsum, ==, written ? VIR_TEAMING_SWITCH_OFF :
                        VIR_TEAMING_SWITCH_ABSENT);
        g_assert_cmpint(nic->driver.packed, ==, VIR_TEAMING_SWITCH_ON);
    }
}


/* A VF whose <teaming> has no type gets one finding, which says what becomes of it. */
static void
testUntyped(void)
{
    static const struct {
        const char *xml;
        const char *message;
    } cases[] = {
        { "<teaming/>", "<teaming> has no type, and libvirt drops it" },
        { "<teaming type=''/>", "<teaming> has no type, and libvirt drops it" },
        { "<teaming persistent='ua-net'/>", "<teaming> has no type" },
        { "<teaming type='x' persistent='ua-net'/>", "there is no teaming type 'x'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf(NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("")
                                              "<interface type='network'>%s"
                                              "<mac address='52:54:00:6d:90:01'/>"
                                              "<source network='vfpool'/></interface>"),
                            cases[i].xml);
        g_autoptr(virTeamingDomain) domain = parse(xml);
        g_autoptr(GPtrArray) findings = virTeamingDomainValidate(domain, NULL, NULL);
        const virTeamingFinding *finding = findings->pdata[0];

        g_assert_cmpuint(findings->len, ==, 1);
        g_assert_cmpint(finding->rule, ==, VIR_TEAMING_RULE_TEAMING_TYPE_UNKNOWN);
        g_assert_cmpstr(finding->message, ==, cases[i].message);
    }
}


/* A value that libvirt refuses is found, in one finding that stands alone, and no other. */
static void
testValues(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(nicValues); i++) {
        g_autoptr(virTeamingDomain) domain = parse(nicValues[i].xml);
        g_autoptr(GPtrArray) findings = virTeamingDomainValidate(domain, NULL, NULL);
        guint malformed = 0;

        for (guint j = 0; j < findings->len; j++) {
            const virTeamingFinding *finding = findings->pdata[j];

            malformed += finding->rule == VIR_TEAMING_RULE_MALFORMED_VALUE;
        }
        if (malformed != nicValues[i].refused)
            g_test_message("%s", nicValues[i].xml);
        g_assert_cmpuint(malformed, ==, nicValues[i].refused);
    }
}


/* A CPU that can't migrate is no obstacle if it can after all. */
static void
testObstacles(void)
{
    static const struct {
        const char *xml;
        const char *element;        /* that keeps the domain from migrating, or NULL */
    } cases[] = {
        { "<cpu mode='host-passthrough'/>", NULL },
        { "<cpu mode='host-passthrough' migratable='on'/>", NULL },
        { "<cpu mode='host-passthrough' migratable='off'/>", "/domain/cpu" },
        { "<cpu mode='maximum' migratable='off'/>", "/domain/cpu" },
        { "<cpu mode='host-passthrough' migratable='off'/>"
          "<os><type arch='aarch64' machine='virt'>hvm</type></os>", NULL },
        { "<cpu mode='host-passthrough' migratable='off'/>"
          "<clock><timer name='hpet'/><timer name='tsc' frequency='2000000000'/></clock>", NULL },
        { "<cpu mode='host-passthrough' migratable='off'/><clock><timer name='tsc'/></clock>",
          "/domain/cpu" },
        { "<cpu mode='host-passthrough' migratable='off'><feature policy='disable' "
          "name='invtsc'/></cpu>", NULL },
        { "<cpu mode='host-passthrough' migratable='off'><feature policy='require' "
          "name='invtsc'/></cpu>", "/domain/cpu/feature" },
        { "<cpu mode='host-passthrough' migratable='off'><feature policy='disable' "
          "name='avx'/></cpu>", "/domain/cpu" },
        { "<cpu mode='host-model'><feature name='avx'/><feature name='invtsc'/></cpu>",
          "/domain/cpu/feature" },
        { "<launchSecurity type='sev'/>", "/domain/launchSecurity" },
        { "<features><acpi/><hyperv mode='custom'/></features>", NULL },
        { "<features><hyperv mode='passthrough'/></features>", "/domain/features/hyperv" },
        { "<devices><filesystem/><filesystem type='ram'/></devices>",
          "/domain/devices/filesystem[1]" },
        { "<devices><filesystem type='ram'/><filesystem type='mount'><driver type='virtiofs'/>"
          "</filesystem></devices>", "/domain/devices/filesystem[2]" },
        { "<devices><iommu model='intel'/><iommu model='amd'/></devices>",
          "/domain/devices/iommu[2]" },
        { "<devices><crypto model='virtio' type='qemu'/></devices>", "/domain/devices/crypto[1]" },
        { "<devices><sound model='ich9'/><sound model='virtio'/></devices>",
          "/domain/devices/sound[2]" },
        { "<devices><sound model='usb'/></devices>", "/domain/devices/sound[1]" },
        { "<devices><input type='tablet'/><input type='evdev'/><input type='passthrough'/>"
          "</devices>", "/domain/devices/input[3]" },
        { "<devices><interface><model type='usb-net'/></interface></devices>",
          "/domain/devices/interface[1]" },
        { "<devices><serial/><serial><target type='usb-serial'/></serial></devices>",
          "/domain/devices/serial[2]" },
        { "<devices><tpm><backend type='emulator'/></tpm></devices>", NULL },
        { "<devices><tpm><backend type='passthrough'/></tpm></devices>",
          "/domain/devices/tpm[1]" },
        { "<devices><video><model type='virtio'/></video><video><model type='virtio'>"
          "<acceleration accel3d='yes'/></model></video></devices>", "/domain/devices/video[2]" },
        { "<devices><hostdev type='mdev'/></devices>", "/domain/devices/hostdev[1]" },
        { "<devices><hostdev type='pci'><address type='pci'/></hostdev></devices>",
          "/domain/devices/hostdev[1]" },
        { "<devices><hostdev type='pci'><address type='unassigned'/></hostdev></devices>", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain type='kvm'>%s</domain>", cases[i].xml);
        g_autoptr(virTeamingDomain) domain = parse(xml);

        g_test_message("%s", cases[i].xml);
        g_assert_cmpuint(domain->obstacles->len, ==, cases[i].element ? 1 : 0);
        if (cases[i].element)
            g_assert_cmpstr(((virTeamingObstacle *)domain->obstacles->pdata[0])->element, ==,
                            cases[i].element);
    }
}


/* Under which IOMMU of the guest no VF can be plugged. */
static void
testIommus(void)
{
    static const struct {
        const char *xml;
        const char *which;
    } cases[] = {
        { "<iommu model='intel'/>", "an Intel IOMMU without caching mode" },
        { "<iommu model='intel'><driver caching_mode='off'/></iommu>",
          "an Intel IOMMU without caching mode" },
        { "<iommu model='intel'><driver caching_mode='on'/></iommu>", NULL },
        { "<iommu model='smmuv3'/>", "an SMMUv3" }, { "<iommu model='virtio'/>", NULL },
        { "<iommu model='smmuv3'><driver pciBus='1'/></iommu>", NULL },
        { "<iommu model='smmuv3'><driver pciBus='1' accel='on'/></iommu>", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain><devices>%s</devices></domain>",
                                               cases[i].xml);
        g_autoptr(virTeamingDomain) domain = parse(xml);

        g_assert_cmpstr(domain->iommu, ==, cases[i].which);
        g_assert_cmpint(domain->iommuLine, ==, cases[i].which ? 1 : 0);
    }
}


/* Of other hypervisors and machines: no teaming, or why there can't be. */
static void
testOthers(void)
{
    static const struct {
        const char *file;
        const char *rule;           /* the one error, or NULL */
    } cases[] = {
        { "lxc.xml", NULL }, { "xen.xml", NULL }, { "xen-teaming.xml", "domain-type" },
        { "s390x.xml", NULL }, { "s390x-teaming.xml", "machine-without-pcie" },
        { "ppc64le.xml", NULL }, { "ppc64le-teaming.xml", "machine-without-pcie" },
        { "aarch64-teaming.xml", NULL }, { "riscv64-teaming.xml", NULL },
        { "no-devices.xml", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_test_build_filename(G_TEST_DIST, "teamingxmldata", "domains",
                                                      cases[i].file, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
        g_autoptr(GPtrArray) findings = NULL;

        g_test_message("%s", cases[i].file);
        g_assert_no_error(error);
        findings = virTeamingDomainValidate(domain, NULL, NULL);
        g_assert_cmpuint(findings->len, ==, cases[i].rule ? 1 : 0);
        if (cases[i].rule) {
            const virTeamingFinding *finding = findings->pdata[0];

            g_assert_cmpstr(virTeamingRuleGet(finding->rule)->id, ==, cases[i].rule);
        }
    }
}


/*
 * Policy
 */

static void
testPolicyLayers(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autoptr(virTeamingDomain) domain =
        parse("<domain><metadata><p:policy xmlns:p='" VIR_TEAMING_XMLNS "' unplugTimeout='5' "
              "parking='vlan'/><policy xmlns='urn:other' unplugTimeout='9'/>"
              "</metadata></domain>");
    virTeamingPolicy host;
    virTeamingPolicy policy;
    int fd = g_file_open_tmp("teamingconf-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(path, "[policy]\nunplugTimeout=60\npostcopy=allow\nplug=stock\n", -1,
                        &error);
    g_assert_no_error(error);
    g_assert_true(virTeamingPolicyLoad(&host, path, &error));
    g_assert_no_error(error);
    g_unlink(path);

    virTeamingDomainGetPolicy(domain, &host, &policy);
    g_assert_cmpuint(policy.unplugTimeout, ==, 5);
    g_assert_cmpint(policy.parking, ==, VIR_TEAMING_PARKING_VLAN);
    g_assert_cmpint(policy.postcopy, ==, VIR_TEAMING_POSTCOPY_ALLOW);
    g_assert_cmpint(policy.plug, ==, VIR_TEAMING_PLUG_STOCK);
    g_assert_cmpint(policy.onUnplugTimeout, ==, VIR_TEAMING_ON_UNPLUG_TIMEOUT_ABORT);

    virTeamingDomainGetPolicy(domain, NULL, &policy);
    g_assert_cmpint(policy.postcopy, ==, VIR_TEAMING_POSTCOPY_REFUSE);

    /* Whoever names a file means it. */
    g_assert_false(virTeamingPolicyLoad(&host, "/nonexistent/virt-teaming.conf", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/virt-teaming.conf: No such file"));
}


static void
testPolicyRefused(void)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        { "[policy]\nunplugTimout=60\n", "did you mean 'unplugTimeout'?" },
        { "[policy]\nUNPLUGTIMEOUT=60\n", "did you mean 'unplugTimeout'?" },
        { "[policy]\nx=60\n", "the settings are unplugTimeout, onUnplugTimeout" },
        { "[policy]\nparking=garage\n", "it can be 'auto', 'zero', 'vlan'" },
        { "[policy]\nunplugTimeout=0\n", "seconds from 1 to 86400" },
        { "[policy]\nunplugTimeout=-3\n", "seconds from 1 to 86400" },
        { "[Policy]\n", "settings are in [policy]" },
        { "nonsense\n", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = NULL;
        virTeamingPolicy policy = { .unplugTimeout = 77 };
        int fd = g_file_open_tmp("teamingconf-XXXXXX", &path, NULL);

        close(fd);
        g_file_set_contents(path, cases[i].text, -1, NULL);
        g_assert_false(virTeamingPolicyLoad(&policy, path, &error));
        g_unlink(path);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_nonnull(strstr(error->message, path));
        g_assert_null(strchr(error->message, '\n'));
        g_assert_cmpuint(policy.unplugTimeout, ==, 77);
    }
}


/*
 * Bad input: one clear line, and soon
 */

static char *
repeat(const char *before,
       const char *what,
       gsize times,
       const char *after)
{
    GString *out = g_string_new(before);

    for (gsize i = 0; i < times; i++)
        g_string_append(out, what);
    g_string_append(out, after);
    return g_string_free(out, FALSE);
}


static char *
manyAttributes(void)
{
    GString *out = g_string_new("<domain");

    for (guint i = 0; out->len < 3 * MIB; i++)
        g_string_append_printf(out, " a%u=''", i);
    g_string_append(out, "/>");
    return g_string_free(out, FALSE);
}


static char *
manyNamespaces(void)
{
    GString *out = g_string_new("<domain>");

    for (guint i = 0; i < 100; i++) {
        g_string_append(out, "<a");
        for (guint j = 0; j < 100; j++)
            g_string_append_printf(out, " xmlns:n%u_%u='u'", i, j);
        g_string_append_c(out, '>');
    }
    for (guint i = 0; i < 100; i++)
        g_string_append(out, "</a>");
    g_string_append(out, "</domain>");
    return g_string_free(out, FALSE);
}


static char *
noise(void)
{
    char *out = g_malloc(MIB);
    GRand *random = g_rand_new_with_seed(3);

    for (guint i = 0; i < MIB; i++)
        out[i] = g_rand_int_range(random, 1, 256);
    out[MIB - 1] = '\0';
    g_rand_free(random);
    return out;
}


static void
assertRefused(char *text,
              gssize len,
              const char *says)
{
    g_autofree char *xml = text;
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();
    virTeamingDomain *domain = virTeamingDomainParse(xml, len, "x.xml", &error);

    g_assert_null(domain);
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
    g_test_message("%s (%" G_GINT64_FORMAT " ms)", error->message,
                   (g_get_monotonic_time() - start) / 1000);
    g_assert_true(g_str_has_prefix(error->message, "x.xml:"));
    g_assert_nonnull(strstr(error->message, says));
    g_assert_null(strchr(error->message, '\n'));
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
}


static void
testRefused(void)
{
    assertRefused(g_strdup(""), -1, "not well-formed");
    assertRefused(g_strdup("nonsense"), -1, "not well-formed");
    assertRefused(g_strdup("<domain>"), -1, "not well-formed");
    assertRefused(g_strdup("<domain></network>"), -1, "x.xml:1: not well-formed");
    assertRefused(g_strdup("<domain>\n\n<a b=c/></domain>"), -1, "x.xml:3: not well-formed");
    assertRefused(g_strdup("<domain>&nbsp;</domain>"), -1, "nbsp");
    assertRefused(g_strdup("<network/>"), -1, "the root element is <network>, not <domain>");
    assertRefused(g_strdup("<d:domain xmlns:d='urn:x'/>"), -1, "of some namespace");
    assertRefused(g_strndup("<domain>\0</domain>", 18), 18, "byte 9 is not UTF-8");
    assertRefused(g_strdup("<domain>\xff</domain>"), -1, "byte 9 is not UTF-8");
    assertRefused(noise(), -1, "not UTF-8");
    assertRefused(repeat("<domain>", " ", 5 * MIB, "</domain>"), -1, "longer than 4 MiB");
    assertRefused(repeat("<domain>", "<a>", 100000, ""), -1, "nested deeper");
    assertRefused(repeat("<domain>", "<a/>", 600000, "</domain>"), -1, "more elements");
    assertRefused(manyAttributes(), -1, "more than 128 attributes");
    assertRefused(manyNamespaces(), -1, "more elements or namespaces");
}


static void
testEntities(void)
{
    GString *bomb = g_string_new("<?xml version='1.0'?>\n<!DOCTYPE domain [\n"
                                 "<!ENTITY e0 'aaaaaaaaaaaaaaaa'>\n");

    for (guint i = 1; i < 30; i++) {
        g_string_append_printf(bomb, "<!ENTITY e%u '", i);
        for (guint j = 0; j < 10; j++)
            g_string_append_printf(bomb, "&e%u;", i - 1);
        g_string_append(bomb, "'>\n");
    }
    g_string_append(bomb, "]>\n<domain>&e29;</domain>");
    assertRefused(g_string_free(bomb, FALSE), -1, "DOCTYPE");
    assertRefused(g_strdup("<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                           "<domain><name>&x;</name></domain>"), -1, "DOCTYPE");
    assertRefused(g_strdup("<!DOCTYPE domain SYSTEM 'http://192.0.2.1/x.dtd'><domain/>"), -1,
                  "DOCTYPE");
    assertRefused(g_strdup("<!DOCTYPE domain><domain/>"), -1, "DOCTYPE");
}


static void
testUnreadable(void)
{
    static const struct {
        const char *path;
        virTeamingErrorCode code;
    } cases[] = {
        { "/nonexistent/x.xml", VIR_TEAMING_ERROR_NOT_FOUND },
        { "/dev/null/x.xml", VIR_TEAMING_ERROR_NOT_FOUND },
        { "/", VIR_TEAMING_ERROR_SYSTEM },
        { "/dev/zero", VIR_TEAMING_ERROR_INVALID },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        virTeamingDomain *domain = virTeamingDomainParseFile(cases[i].path, &error);

        g_assert_null(domain);
        g_assert_error(error, VIR_TEAMING_ERROR, (int)cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, cases[i].path));
    }
}


/* A sparse file of 100 MB is not read to its end. */
static void
testHuge(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("teamingconf-XXXXXX", &path, NULL);
    gint64 start = g_get_monotonic_time();

    g_assert_cmpint(ftruncate(fd, 100 * 1000 * 1000), ==, 0);
    close(fd);
    g_assert_null(virTeamingDomainParseFile(path, &error));
    g_unlink(path);
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
}


/*
 * Networks and devices
 */

static void
testNetwork(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingNetwork) network =
        virTeamingNetworkParse("<network>\n<name>p</name><uuid>u</uuid>"
                               "<forward mode='hostdev' managed='yes'><pf dev='eth0'/>"
                               "<interface dev='eth1'/>"
                               "<address type='pci' domain='0' bus='0x81' slot='16' function='1'/>"
                               "<address type='pci' bus='0x81' slot='17'/>"
                               "</forward><vlan><tag id='42'/></vlan><mtu size='9000'/></network>",
                               -1, "net.xml", &error);
    const virTeamingPciAddress *vf;

    g_assert_no_error(error);
    g_assert_true(virTeamingNetworkIsPool(network));
    g_assert_true(network->managed);
    g_assert_cmpuint(network->pfs->len, ==, 1);
    g_assert_cmpstr(network->pfs->pdata[0], ==, "eth0");
    g_assert_cmpuint(network->vfs->len, ==, 2);
    vf = &g_array_index(network->vfs, virTeamingPciAddress, 0);
    g_assert_cmpuint(vf->slot, ==, 16);
    vf = &g_array_index(network->vfs, virTeamingPciAddress, 1);
    g_assert_cmpuint(vf->bus, ==, 0x81);
    g_assert_cmpuint(vf->function, ==, 0);
    g_assert_cmpuint(network->vlan->tags->len, ==, 1);
    g_assert_cmpuint(g_array_index(network->vlan->tags, virTeamingVlanTag, 0).id, ==, 42);
    g_assert_true(virTeamingNetworkGetVlan(network, NULL) == network->vlan);
    g_assert_null(virTeamingNetworkGetVirtualport(network, NULL));
    g_assert_cmpuint(network->mtu, ==, 9000);
}


/*
 * A NIC's own VLAN wins over its portgroup's, and that over its network's; and what a NIC can
 * have depends on what its network makes of it.
 */
static void
testPairOnNetworks(void)
{
    static const char *const networks[] = {
        "<network><name>pool</name><forward mode='hostdev'><pf dev='eth0'/></forward>"
        "<vlan><tag id='10'/></vlan><portgroup name='none'/>"
        "<portgroup name='red'><vlan><tag id='20'/></vlan></portgroup>"
        "<portgroup name='zero'><vlan><tag id='0'/></vlan></portgroup>"
        "<portgroup name='both'><vlan><tag id='10'/><tag id='20'/></vlan></portgroup></network>",
        "<network><name>qbg</name><forward mode='hostdev'><pf dev='eth0'/></forward>"
        "<virtualport type='802.1Qbg'/></network>",
        "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/>"
        "<virtualport type='openvswitch'/>"
        "<portgroup name='red'><vlan><tag id='10'/></vlan></portgroup>"
        "<portgroup name='any' default='yes'><vlan><tag id='20'/></vlan></portgroup>"
        "<portgroup name='slow'><bandwidth><inbound average='1'/></bandwidth></portgroup>"
        "</network>",
        "<network><name>plain</name><forward mode='bridge'/><bridge name='br0'/></network>",
        "<network><name>macvtap</name><forward mode='bridge'><interface dev='eth0'/></forward>"
        "</network>",
    };
    static const struct {
        const char *standby;        /* what else is in the NIC's element */
        const char *vf;
        gboolean known;             /* are the host's networks? */
        const char *rule;           /* the one finding beside that on 'lan', or NULL */
    } cases[] = {
        { "<source network='lan'/>", "<source network='pool'/>", TRUE, "vlan-differs" },
        { "<source network='lan' portgroup='red'/>", "<source network='pool'/>", TRUE, NULL },
        { "<source network='lan' portgroup='red'/>", "<source network='pool' portgroup='red'/>",
          TRUE, "vlan-differs" },
        { "<source network='lan'/>", "<source network='pool' portgroup='red'/>", TRUE, NULL },
        { "<source network='lan' portgroup='red'/>", "<source network='pool' portgroup='none'/>",
          TRUE, NULL },
        { "<source network='lan' portgroup='gone'/>", "<source network='pool' portgroup='gone'/>",
          TRUE, "vlan-on-vf-only" },
        { "<source network='lan' portgroup='gone'/>", "<source network='pool' portgroup='zero'/>",
          TRUE, NULL },
        { "<source network='lan'/><vlan><tag id='10'/></vlan>", "<source network='pool'/>", TRUE,
          NULL },
        { "<source network='lan'/>", "<source network='pool'/><vlan><tag id='20'/></vlan>", TRUE,
          NULL },
        { "<source network='lan' portgroup='slow'/>",
          "<source network='pool' portgroup='zero'/>", TRUE, "bandwidth-one-sided" },
        { "<source network='plain'/><vlan><tag id='10'/></vlan>", "<source network='pool'/>",
          TRUE, "standby-vlan-new" },
        { "<source network='macvtap'/><vlan><tag id='10'/></vlan>", "<source network='pool'/>",
          TRUE, "standby-setting-refused" },
        { "<source network='macvtap'/><filterref filter='f'/>",
          "<source network='pool' portgroup='zero'/>", TRUE, "standby-setting-refused" },
        { "<source network='lan'/><filterref filter='f'/>",
          "<source network='pool' portgroup='red'/>", TRUE, "standby-setting-refused" },
        { "<source network='plain'/><filterref filter='f'/>",
          "<source network='pool' portgroup='zero'/>", TRUE, "filter-one-sided" },
        { "<source network='plain'/>", "<source network='pool' portgroup='both'/>", TRUE,
          "vf-setting-refused" },
        { "<source network='plain'/>", "<source network='qbg'/>", TRUE, "vf-setting-refused" },
        { "<source network='plain'/>", "<source network='plain'/><bandwidth/>", TRUE,
          "network-not-pool" },
        { "<source network='plain'/>", "<source network='pool'/><bandwidth/>", FALSE,
          "vf-setting-refused" },
        /* What is not known is not judged. */
        { "<source network='lan' portgroup='red'/>", "<source network='pool' portgroup='blue'/>",
          FALSE, NULL },
        { "<source network='lan'/><vlan><tag id='10'/></vlan>", "<source network='pool'/>", FALSE,
          NULL },
        { "<source network='lan'/>", "<source network='pool'/><vlan><tag id='10'/></vlan>", FALSE,
          "vlan-on-vf-only" },
        { "<source network='lan'/><vlan><tag id='10'/></vlan>",
          "<source network='pool'/><vlan><tag id='20'/></vlan>", FALSE, "vlan-differs" },
        { "<source network='lan'/><filterref filter='f'/>", "<source network='pool'/>", FALSE,
          "filter-one-sided" },
    };
    g_auto(virTeamingHost) host = { NULL };

    virTeamingHostInit(&host);
    for (gsize i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autoptr(GError) error = NULL;
        virTeamingNetwork *network = virTeamingNetworkParse(networks[i], -1, "net.xml", &error);

        g_assert_no_error(error);
        virTeamingHostAddNetwork(&host, network, TRUE);
    }

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain type='kvm'><os><type machine='q35'>hvm</type></os>"
                            "<features><acpi/></features><devices>"
                            "<interface type='network'><mac address='52:54:00:6d:90:01'/>%s"
                            "<model type='virtio'/><teaming type='persistent'/>"
                            "<alias name='ua-net'/></interface>"
                            "<interface type='network'><mac address='52:54:00:6d:90:01'/>%s"
                            "<teaming type='transient' persistent='ua-net'/></interface>"
                            "</devices></domain>", cases[i].standby, cases[i].vf);
        g_autoptr(virTeamingDomain) domain = parse(xml);
        g_autoptr(GPtrArray) findings =
            virTeamingDomainValidate(domain, cases[i].known ? &host : NULL, NULL);
        gboolean switched = FALSE;

        g_test_message("%s %s", cases[i].standby, cases[i].vf);
        for (guint j = 0; j < findings->len; j++)
            g_test_message("%s", ((virTeamingFinding *)findings->pdata[j])->message);
        for (guint j = findings->len; j > 0; j--) {
            const virTeamingFinding *finding = findings->pdata[j - 1];

            if (finding->rule == VIR_TEAMING_RULE_STANDBY_OPENVSWITCH) {
                g_ptr_array_remove_index(findings, j - 1);
                switched = TRUE;
            }
        }
        g_assert_cmpint(switched, ==, cases[i].known && strstr(cases[i].standby, "'lan'") != NULL);
        g_assert_cmpuint(findings->len, ==, cases[i].rule ? 1 : 0);
        if (cases[i].rule) {
            const virTeamingFinding *finding = findings->pdata[0];

            g_assert_cmpstr(virTeamingRuleGet(finding->rule)->id, ==, cases[i].rule);
        }
    }
}


static void
testNetworkRefused(void)
{
    static const char *const cases[] = {
        "<network/>", "<network><name/></network>", "<domain/>", "",
        "<network><name>n</name><vlan/></network>",
        "<network><name>n</name><vlan><tag id='4096'/></vlan></network>",
        "<network><name>n</name><portgroup name='p'><vlan><tag/></vlan></portgroup></network>",
        "<network><name>n</name><forward mode='hostdev'><pf/></forward></network>",
        "<network><name>n</name><forward mode='hostdev'><address type='pci' domain='0' bus='0' "
        "slot='0x20' function='0'/></forward></network>",
        "<network><name>n</name><forward mode='hostdev'><address type='pci'/></forward>"
        "</network>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        virTeamingNetwork *network = virTeamingNetworkParse(cases[i], -1, "net.xml", &error);

        g_assert_null(network);
        g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, "net.xml:"));
    }
}


static void
testNodeDevice(void)
{
    static const char vf[] =
        "<device><name>pci_0000_81_10_1</name><capability type='pci'><class>0x020000</class>"
        "<domain>0</domain><bus>129</bus><slot>16</slot><function>1</function>"
        "<capability type='phys_function'><address domain='0' bus='0x81' slot='0' function='0'/>"
        "</capability></capability></device>";
    static const char infiniband[] =
        "<device><capability type='pci'><class>0x020700</class><domain>0</domain><bus>129</bus>"
        "<slot>16</slot><function>2</function><capability type='phys_function'/></capability>"
        "</device>";
    static const char gpu[] =
        "<device><capability type='pci'><class>0x030000</class><domain>0</domain><bus>1</bus>"
        "<slot>0</slot><function>0</function></capability></device>";
    g_autoptr(GError) error = NULL;
    virTeamingHostDevice device;

    g_assert_true(virTeamingNodeDeviceParse(vf, "x", &device, &error));
    g_assert_true(device.vf);
    g_assert_true(device.nic);
    g_assert_cmpuint(device.address.bus, ==, 0x81);
    g_assert_true(virTeamingNodeDeviceParse(infiniband, "x", &device, &error));
    g_assert_true(device.vf);
    g_assert_false(device.nic);
    g_assert_true(virTeamingNodeDeviceParse(gpu, "x", &device, &error));
    g_assert_false(device.vf);
    g_assert_false(device.nic);
    g_assert_false(virTeamingNodeDeviceParse("<device/>", "x", &device, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
}


/* What this thread has worked, whatever else the machine does: in microseconds. */
static gint64
cpuTime(void)
{
    struct timespec now;

    g_assert_cmpint(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), ==, 0);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}


/* Four times the interfaces take about four times the work. */
static void
testLinear(void)
{
    gint64 took[2] = { G_MAXINT64, G_MAXINT64 };

    for (guint round = 0; round < 6; round++) {
        guint nics = round % 2 ? 4000 : 1000;
        g_autoptr(GString) xml = g_string_new("<domain type='kvm'><os><type machine='q35'>hvm"
                                              "</type></os><features><acpi/></features><devices>");
        g_autoptr(virTeamingDomain) domain = NULL;
        g_autoptr(GPtrArray) findings = NULL;
        gint64 start;

        for (guint i = 0; i < nics / 2; i++)
            g_string_append_printf(xml, "<interface type='bridge'><mac address='52:54:00:%02x:%02x:"
                                   "01'/><source bridge='br0'/><model type='virtio'/><teaming "
                                   "type='persistent'/><alias name='ua-s%u'/></interface>"
                                   "<interface type='network'><mac address='52:54:00:%02x:%02x:"
                                   "01'/><source network='p'/><teaming type='transient' "
                                   "persistent='ua-s%u'/><alias name='ua-p%u'/></interface>",
                                   i >> 8, i & 0xff, i, i >> 8, i & 0xff, i, i);
        g_string_append(xml, "</devices></domain>");
        start = cpuTime();
        domain = parse(xml->str);
        findings = virTeamingDomainValidate(domain, NULL, NULL);
        took[round % 2] = MIN(took[round % 2], cpuTime() - start);
        g_assert_cmpuint(findings->len, ==, 0);
        g_assert_cmpuint(domain->pairs->len, ==, nics / 2);
    }
    g_test_message("1000 NICs: %" G_GINT64_FORMAT " us, 4000: %" G_GINT64_FORMAT " us",
                   took[0], took[1]);
    /* Sixteen times would be quadratic. */
    g_assert_cmpint(took[1], <, 10 * took[0]);
}


int
main(int argc,
     char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain/lossless", testLossless);
    g_test_add_func("/domain/inactive", testInactive);
    g_test_add_func("/domain/live", testLive);
    g_test_add_func("/domain/pairs", testPairs);
    g_test_add_func("/domain/escapes", testEscapes);
    g_test_add_func("/domain/many-lines", testManyLines);
    g_test_add_func("/domain/memory", testMemory);
    g_test_add_func("/domain/moved", testMoved);
    g_test_add_func("/domain/unplace", testUnplace);
    g_test_add_func("/domain/preallocate", testPreallocate);
    g_test_add_func("/domain/buses", testBuses);
    g_test_add_func("/domain/default-model", testDefaultModel);
    g_test_add_func("/domain/default-model/driver", testDefaultModelDriver);
    g_test_add_func("/domain/untyped", testUntyped);
    g_test_add_func("/domain/values", testValues);
    g_test_add_func("/domain/obstacles", testObstacles);
    g_test_add_func("/domain/iommus", testIommus);
    g_test_add_func("/domain/others", testOthers);
    g_test_add_func("/domain/linear", testLinear);
    g_test_add_func("/policy/layers", testPolicyLayers);
    g_test_add_func("/policy/refused", testPolicyRefused);
    g_test_add_func("/bad/refused", testRefused);
    g_test_add_func("/bad/entities", testEntities);
    g_test_add_func("/bad/unreadable", testUnreadable);
    g_test_add_func("/bad/huge", testHuge);
    g_test_add_func("/network/parse", testNetwork);
    g_test_add_func("/network/pair", testPairOnNetworks);
    g_test_add_func("/network/refused", testNetworkRefused);
    g_test_add_func("/nodedev/parse", testNodeDevice);
    return g_test_run();
}
