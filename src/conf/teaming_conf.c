/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_conf.c: the teaming pairs of a domain, out of its XML and back
 */

#include "teaming_conf.h"

#include <string.h>

#include "teaming_error.h"
#include "teaming_migrate.h"
#include "teaming_xml.h"

/*
 * Theory of operation
 *
 * One walk over the tree fills a flat model of what teaming depends on: the NICs, the
 * PCI buses they sit on, the machine, memory limits, and our policy. Everything else
 * in the domain is left alone: reading must succeed on whatever libvirt can produce,
 * for any architecture and hypervisor.
 *
 * A NIC's many small settings are rows of one table: where in the XML, of what kind,
 * where in the struct. Reader and writer both walk that table, so they cannot differ,
 * and a new setting is one new row.
 *
 * Reading never judges. What can't be understood (an unknown setting, a MAC that is
 * none) is put on a list of problems and else treated as not written; what makes no
 * sense is found by teaming_validate.c.
 *
 * Every step is linear in the size of the document: names and addresses are looked up
 * in hash tables or small fixed arrays.
 */

typedef enum {
    VIR_TEAMING_FIELD_STRING,
    VIR_TEAMING_FIELD_UINT,
    VIR_TEAMING_FIELD_NONZERO,      /* guint, which libvirt takes from 1 on */
    VIR_TEAMING_FIELD_REQUIRED,     /* the same, and it must be there */
    VIR_TEAMING_FIELD_RING,         /* guint, a power of two or 0 */
    VIR_TEAMING_FIELD_SIZE,         /* guint64; text of the element; ULLONG_MAX: none */
    VIR_TEAMING_FIELD_ON_OFF,
    VIR_TEAMING_FIELD_YES_NO,
    VIR_TEAMING_FIELD_IS_YES,       /* gboolean */
    VIR_TEAMING_FIELD_IS_DOWN,      /* gboolean */
    VIR_TEAMING_FIELD_PRESENT,      /* gboolean: there is such an element */
} virTeamingFieldKind;

typedef struct {
    const char *element;            /* "": the NIC's own */
    const char *child;              /* of @element, or NULL */
    const char *attribute;
    virTeamingFieldKind kind;
    gsize offset;
    const char *const *words;       /* of a string: all that libvirt takes; NULL: any */
} virTeamingField;

#define FIELD(element, child, attribute, kind, member) \
    { element, child, attribute, VIR_TEAMING_FIELD_ ## kind, \
      G_STRUCT_OFFSET(virTeamingNic, member), NULL }
#define WORDS(element, child, attribute, member, words) \
    { element, child, attribute, VIR_TEAMING_FIELD_STRING, \
      G_STRUCT_OFFSET(virTeamingNic, member), words }

/*
 * Source: libvirt 9.0 and 11.3, virDomainNetVirtioTxMode and virDomainDeviceAddressType in
 * src/conf, virNetDevVPort in src/util/virnetdevvportprofile.c.
 */
static const char *const virTeamingTxmodes[] = { "iothread", "timer", NULL };
static const char *const virTeamingVirtualports[] = {
    "802.1Qbg", "802.1Qbh", "openvswitch", "midonet", NULL
};
/* The last one leaves a device out of the guest, which only a <hostdev> can be. */
static const char *const virTeamingAddressTypes[] = {
    "pci", "drive", "virtio-serial", "ccid", "usb", "spapr-vio", "virtio-s390", "ccw",
    "virtio-mmio", "isa", "dimm", "unassigned", NULL
};

/* Rows of one element stand together; the writer relies on it. */
static const virTeamingField virTeamingInterfaceFields[] = {
    FIELD("", NULL, "type", STRING, typeName),
    FIELD("", NULL, "managed", IS_YES, managed),
    FIELD("", NULL, "trustGuestRxFilters", YES_NO, trustGuestRxFilters),
    FIELD("source", NULL, "network", STRING, network),
    FIELD("source", NULL, "portgroup", STRING, portgroup),
    FIELD("source", NULL, "bridge", STRING, bridge),
    FIELD("source", NULL, "dev", STRING, dev),
    FIELD("source", NULL, "mode", STRING, mode),
    FIELD("source", "address", "type", STRING, sourceType),
    WORDS("virtualport", NULL, "type", virtualport, virTeamingVirtualports),
    FIELD("bandwidth", NULL, NULL, PRESENT, bandwidth),
    FIELD("port", NULL, "isolated", YES_NO, isolated),
    FIELD("target", NULL, "dev", STRING, target),
    FIELD("model", NULL, "type", STRING, model),
    FIELD("driver", NULL, "name", STRING, driver.name),
    WORDS("driver", NULL, "txmode", driver.txmode, virTeamingTxmodes),
    FIELD("driver", NULL, "ioeventfd", ON_OFF, driver.ioeventfd),
    FIELD("driver", NULL, "event_idx", ON_OFF, driver.eventIdx),
    FIELD("driver", NULL, "queues", UINT, driver.queues),
    FIELD("driver", NULL, "rx_queue_size", RING, driver.rxQueueSize),
    FIELD("driver", NULL, "tx_queue_size", RING, driver.txQueueSize),
    FIELD("driver", NULL, "rss", ON_OFF, driver.rss),
    FIELD("driver", NULL, "rss_hash_report", ON_OFF, driver.rssHashReport),
    FIELD("driver", NULL, "iommu", ON_OFF, driver.iommu),
    FIELD("driver", NULL, "ats", ON_OFF, driver.ats),
    FIELD("driver", NULL, "packed", ON_OFF, driver.packed),
    FIELD("driver", NULL, "page_per_vq", ON_OFF, driver.pagePerVq),
    FIELD("driver", NULL, "iommufd", YES_NO, driver.iommufd),
    FIELD("driver", "host", "csum", ON_OFF, driver.hostCsum),
    FIELD("driver", "host", "gso", ON_OFF, driver.hostGso),
    FIELD("driver", "host", "tso4", ON_OFF, driver.hostTso4),
    FIELD("driver", "host", "tso6", ON_OFF, driver.hostTso6),
    FIELD("driver", "host", "ecn", ON_OFF, driver.hostEcn),
    FIELD("driver", "host", "ufo", ON_OFF, driver.hostUfo),
    FIELD("driver", "host", "mrg_rxbuf", ON_OFF, driver.hostMrgRxbuf),
    FIELD("driver", "guest", "csum", ON_OFF, driver.guestCsum),
    FIELD("driver", "guest", "tso4", ON_OFF, driver.guestTso4),
    FIELD("driver", "guest", "tso6", ON_OFF, driver.guestTso6),
    FIELD("driver", "guest", "ecn", ON_OFF, driver.guestEcn),
    FIELD("driver", "guest", "ufo", ON_OFF, driver.guestUfo),
    FIELD("filterref", NULL, "filter", STRING, filter),
    FIELD("tune", "sndbuf", NULL, SIZE, sndbuf),
    FIELD("link", NULL, "state", IS_DOWN, linkDown),
    FIELD("mtu", NULL, "size", UINT, mtu),
    FIELD("boot", NULL, "order", REQUIRED, bootOrder),
    FIELD("rom", NULL, "enabled", YES_NO, romEnabled),
    FIELD("rom", NULL, "bar", ON_OFF, romBar),
    FIELD("rom", NULL, "file", STRING, romFile),
    FIELD("acpi", NULL, "index", NONZERO, acpiIndex),
    FIELD("alias", NULL, "name", STRING, alias),
    WORDS("address", NULL, "type", addressType, virTeamingAddressTypes),
    FIELD("address", NULL, "multifunction", ON_OFF, multifunction),
};

static const virTeamingField virTeamingHostdevFields[] = {
    FIELD("", NULL, "mode", STRING, mode),
    FIELD("", NULL, "type", STRING, sourceType),
    FIELD("", NULL, "managed", IS_YES, managed),
    FIELD("driver", NULL, "name", STRING, driver.name),
    FIELD("driver", NULL, "iommufd", YES_NO, driver.iommufd),
    FIELD("boot", NULL, "order", REQUIRED, bootOrder),
    FIELD("rom", NULL, "enabled", YES_NO, romEnabled),
    FIELD("rom", NULL, "bar", ON_OFF, romBar),
    FIELD("rom", NULL, "file", STRING, romFile),
    FIELD("acpi", NULL, "index", NONZERO, acpiIndex),
    FIELD("alias", NULL, "name", STRING, alias),
    WORDS("address", NULL, "type", addressType, virTeamingAddressTypes),
    FIELD("address", NULL, "multifunction", ON_OFF, multifunction),
};

/* In the order of virTeamingNicType. */
static const char *const virTeamingNicTypeNames[] = {
    "", "user", "ethernet", "vhostuser", "server", "client", "mcast", "network", "bridge",
    "internal", "direct", "hostdev", "udp", "vdpa", "null", "vds",
};

/* In the order of virTeamingNicElement. */
static const char *const virTeamingNicElementNames[] = {
    NULL, "teaming", "mac", "source", "alias", "model", "driver", "address", "link", "vlan",
    "mtu", "boot", "bandwidth", "filterref", "virtualport", "port",
};

G_STATIC_ASSERT(G_N_ELEMENTS(virTeamingNicElementNames) == VIR_TEAMING_ELEMENT_LAST);


static void
virTeamingNicFree(gpointer opaque)
{
    virTeamingNic *nic = opaque;

    g_free(nic->teamingType);
    g_free(nic->persistent);
    g_free(nic->alias);
    g_free(nic->network);
    g_free(nic->portgroup);
    g_free(nic->bridge);
    g_free(nic->dev);
    g_free(nic->target);
    g_free(nic->model);
    g_free(nic->id);
    g_free(nic->typeName);
    g_free(nic->mode);
    g_free(nic->sourceType);
    g_free(nic->driver.name);
    g_free(nic->driver.txmode);
    g_free(nic->filter);
    g_free(nic->virtualport);
    virTeamingVlanFree(nic->vlan);
    g_free(nic->romFile);
    g_free(nic->addressType);
    g_free(nic);
}


static void
virTeamingControllerFree(gpointer opaque)
{
    virTeamingController *controller = opaque;

    g_free(controller->model);
    g_free(controller->alias);
    g_free(controller);
}


static void
virTeamingAliasUseFree(gpointer opaque)
{
    virTeamingAliasUse *use = opaque;

    g_free(use->element);
    g_free(use->alias);
    g_free(use);
}


static void
virTeamingObstacleFree(gpointer opaque)
{
    virTeamingObstacle *obstacle = opaque;

    g_free(obstacle->element);
    g_free(obstacle->what);
    g_free(obstacle);
}


static void
virTeamingProblemFree(gpointer opaque)
{
    virTeamingProblem *problem = opaque;

    g_free(problem->element);
    g_free(problem->message);
    g_free(problem->hint);
    g_free(problem);
}


/**
 * virTeamingDomainFree:
 * @domain: (nullable): freed with all that is in it
 */
void
virTeamingDomainFree(virTeamingDomain *domain)
{
    if (!domain)
        return;
    g_free(domain->file);
    g_free(domain->type);
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->arch);
    g_free(domain->machine);
    g_ptr_array_unref(domain->nics);
    g_ptr_array_unref(domain->pairs);
    g_ptr_array_unref(domain->controllers);
    g_ptr_array_unref(domain->moved);
    g_array_unref(domain->slots);
    g_ptr_array_unref(domain->aliases);
    g_ptr_array_unref(domain->obstacles);
    g_ptr_array_unref(domain->problems);
    g_free(domain);
}


/**
 * virTeamingNicGetPath:
 * @nic: a NIC of a domain
 * @below: name of an element in it, or NULL for the NIC itself
 *
 * Returns: (transfer full): an XPath to it, for messages.
 */
char *
virTeamingNicGetPath(const virTeamingNic *nic,
                     const char *below)
{
    return g_strdup_printf("/domain/devices/%s[%u]%s%s",
                           nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV ?
                           "hostdev" : "interface",
                           nic->index, below ? "/" : "", below ? below : "");
}


/* Name of @element in the XML, or NULL for the NIC itself. */
const char *
virTeamingNicElementToString(virTeamingNicElement element)
{
    return virTeamingNicElementNames[element];
}


/**
 * virTeamingAliasIsKept:
 * @alias: as a person wrote it
 *
 * Returns: whether libvirt keeps @alias when the domain is defined.
 *
 * Source: libvirt 9.0 and 11.3, USER_ALIAS_PREFIX and USER_ALIAS_CHARS in
 * src/conf/domain_conf.c.
 */
gboolean
virTeamingAliasIsKept(const char *alias)
{
    return g_str_has_prefix(alias, "ua-") &&
        alias[strspn(alias, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-")] == '\0';
}


/**
 * virTeamingNicIsVirtio:
 * @nic: a NIC
 *
 * Returns: whether its model is one of libvirt's three spellings of virtio-net.
 */
gboolean
virTeamingNicIsVirtio(const virTeamingNic *nic)
{
    return g_strcmp0(nic->model, "virtio") == 0 ||
        g_strcmp0(nic->model, "virtio-transitional") == 0 ||
        g_strcmp0(nic->model, "virtio-non-transitional") == 0;
}


/**
 * virTeamingDomainIsX86:
 * @domain: a domain
 *
 * Returns: whether it is an x86, as one is of which the XML does not say.
 */
gboolean
virTeamingDomainIsX86(const virTeamingDomain *domain)
{
    return !domain->arch || strcmp(domain->arch, "x86_64") == 0 ||
        strcmp(domain->arch, "i686") == 0;
}


static virTeamingProblem *
virTeamingDomainAddProblem(virTeamingDomain *domain,
                           int line,
                           char *element,
                           const char *format,
                           ...) G_GNUC_PRINTF(4, 5);

/* Takes @element over. */
static virTeamingProblem *
virTeamingDomainAddProblem(virTeamingDomain *domain,
                           int line,
                           char *element,
                           const char *format,
                           ...)
{
    virTeamingProblem *problem = g_new0(virTeamingProblem, 1);
    va_list ap;

    problem->line = line;
    problem->element = element;
    va_start(ap, format);
    problem->message = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_ptr_array_add(domain->problems, problem);
    return problem;
}


/* The same, of something in @nic. */
#define virTeamingNicAddProblem(domain, nic_, line, below, ...) \
    (virTeamingDomainAddProblem(domain, line, virTeamingNicGetPath(nic_, below), \
                                __VA_ARGS__)->nic = (nic_))


/* Takes @element and @what over. */
static void
virTeamingDomainAddObstacle(virTeamingDomain *domain,
                            const xmlNode *node,
                            char *element,
                            char *what)
{
    virTeamingObstacle *obstacle = g_new0(virTeamingObstacle, 1);

    obstacle->line = virTeamingXmlGetLine(node);
    obstacle->element = element;
    obstacle->what = what;
    g_ptr_array_add(domain->obstacles, obstacle);
}


/* As libvirt reads a MAC: six numbers of one or two digits, and colons. */
static gboolean
virTeamingMacAttributeParse(const char *str,
                            virTeamingMac *ret)
{
    virTeamingMac mac;

    for (gsize i = 0; i < sizeof(mac.addr); i++) {
        int high = g_ascii_xdigit_value(*str);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(str[1]);

        if (high < 0)
            return FALSE;
        mac.addr[i] = low < 0 ? high : high << 4 | low;
        str += low < 0 ? 1 : 2;
        if (*str++ != (i < sizeof(mac.addr) - 1 ? ':' : '\0'))
            return FALSE;
    }
    *ret = mac;
    return TRUE;
}


static void
virTeamingFieldParse(virTeamingDomain *domain,
                     virTeamingNic *nic,
                     const virTeamingField *field,
                     const xmlNode *element)
{
    char *member = (char *)nic + field->offset;
    g_autofree char *inside = field->attribute ? NULL : virTeamingXmlGetText(element);
    const char *text = inside ? inside : virTeamingXmlPeekProp(element, field->attribute);
    gboolean understood = TRUE;
    guint64 number;

    if (!text && field->kind == VIR_TEAMING_FIELD_REQUIRED)
        text = "";
    if (!text)
        return;

    switch (field->kind) {
    case VIR_TEAMING_FIELD_STRING:
        /* The first of two elements counts, as for libvirt. */
        if (!*(char **)member)
            *(char **)member = g_strdup(text);
        understood = !field->words || g_strv_contains(field->words, text);
        break;

    case VIR_TEAMING_FIELD_UINT:
    case VIR_TEAMING_FIELD_NONZERO:
    case VIR_TEAMING_FIELD_REQUIRED:
    case VIR_TEAMING_FIELD_RING:
        if ((understood = virTeamingXmlParseNumber(text, 10, G_MAXUINT, &number) &&
             (number || (field->kind != VIR_TEAMING_FIELD_NONZERO &&
                         field->kind != VIR_TEAMING_FIELD_REQUIRED)) &&
             (!(number & (number - 1)) || field->kind != VIR_TEAMING_FIELD_RING)))
            *(guint *)member = number;
        break;

    case VIR_TEAMING_FIELD_SIZE:
        if ((understood = virTeamingXmlParseNumber(text, 10, G_MAXUINT64, &number)))
            *(guint64 *)member = number;
        break;

    case VIR_TEAMING_FIELD_ON_OFF:
        if (strcmp(text, "on") == 0)
            *(virTeamingSwitch *)member = VIR_TEAMING_SWITCH_ON;
        else if (strcmp(text, "off") == 0)
            *(virTeamingSwitch *)member = VIR_TEAMING_SWITCH_OFF;
        else
            understood = FALSE;
        break;

    case VIR_TEAMING_FIELD_YES_NO:
        if (strcmp(text, "yes") == 0)
            *(virTeamingSwitch *)member = VIR_TEAMING_SWITCH_ON;
        else if (strcmp(text, "no") == 0)
            *(virTeamingSwitch *)member = VIR_TEAMING_SWITCH_OFF;
        else
            understood = FALSE;
        break;

    case VIR_TEAMING_FIELD_IS_YES:
        *(gboolean *)member = strcmp(text, "yes") == 0;
        break;

    case VIR_TEAMING_FIELD_IS_DOWN:
        *(gboolean *)member = strcmp(text, "down") == 0;
        understood = *(gboolean *)member || strcmp(text, "up") == 0;
        break;

    case VIR_TEAMING_FIELD_PRESENT:
        *(gboolean *)member = TRUE;
        break;
    }

    if (!understood) {
        g_autofree char *below = g_strdup_printf("%s%s%s", field->element,
                                                 field->child ? "/" : "",
                                                 field->child ? field->child : "");

        virTeamingNicAddProblem(domain, nic, virTeamingXmlGetLine(element),
                                *below ? below : NULL, "%s%s%s can't be '%s'", below,
                                *below && field->attribute ? " " : "",
                                field->attribute ? field->attribute : "", text);
    }
}


/* Reads all that the table says of element @name, which is a child of the NIC. */
static void
virTeamingFieldsParse(virTeamingDomain *domain,
                      virTeamingNic *nic,
                      const virTeamingField *fields,
                      gsize nfields,
                      const char *name,
                      const xmlNode *element)
{
    for (gsize i = 0; i < nfields; i++) {
        const virTeamingField *field = &fields[i];
        const xmlNode *where = element;

        /* Most rows are told apart by the first letter, and this is where time goes. */
        if (*field->element != *name || strcmp(field->element, name) != 0)
            continue;
        if (field->child)
            where = virTeamingXmlGetChild(element, field->child);
        if (where)
            virTeamingFieldParse(domain, nic, field, where);
    }
}


static void
virTeamingNicVlanParse(virTeamingDomain *domain,
                       virTeamingNic *nic,
                       const xmlNode *node)
{
    g_autofree char *why = NULL;

    if (nic->vlan)
        return;
    nic->vlan = virTeamingVlanParse(node, &why);
    if (why)
        virTeamingNicAddProblem(domain, nic, virTeamingXmlGetLine(node), "vlan", "%s", why);
}


static void
virTeamingTeamingParse(virTeamingNic *nic,
                       const xmlNode *node)
{
    const char *type = virTeamingXmlPeekProp(node, "type");
    const char *persistent = virTeamingXmlPeekProp(node, "persistent");

    /* libvirt takes the first, and takes one without attributes for none at all. */
    if (nic->role != VIR_TEAMING_ROLE_NONE)
        return;
    nic->teamingLine = virTeamingXmlGetLine(node);
    /* An empty attribute is, for libvirt, none: virXPathString() in src/util/virxml.c. */
    nic->teamingType = g_strdup(type && *type ? type : NULL);
    nic->persistent = g_strdup(persistent && *persistent ? persistent : NULL);

    if (g_strcmp0(nic->teamingType, "persistent") == 0)
        nic->role = VIR_TEAMING_ROLE_PERSISTENT;
    else if (g_strcmp0(nic->teamingType, "transient") == 0)
        nic->role = VIR_TEAMING_ROLE_TRANSIENT;
    else
        nic->role = VIR_TEAMING_ROLE_UNKNOWN;
}


/*
 * Whether libvirt makes @nic a virtio NIC if it has no model. Of a domain that names no machine,
 * that depends on the version.
 *
 * Source: libvirt 9.0 and 11.3, qemuDomainDefaultNetModel() and qemuDomainDeviceNetDefPostParse()
 * in src/qemu. 9.0 does not know LoongArch, and refuses a vhostuser without a model, in plain words.
 */
static gboolean
virTeamingDomainDefaultsToVirtio(const virTeamingDomain *domain,
                                 const virTeamingNic *nic)
{
    const char *arch = domain->arch ? domain->arch : "x86_64";
    gboolean virt = g_strcmp0(domain->machine, "virt") == 0 ||
        (domain->machine && g_str_has_prefix(domain->machine, "virt-"));

    return nic->type == VIR_TEAMING_NIC_VDPA || nic->type == VIR_TEAMING_NIC_VHOSTUSER ||
        g_str_has_prefix(arch, "s390") ||
        (virt && (strcmp(arch, "aarch64") == 0 || g_str_has_prefix(arch, "arm") ||
                  g_str_has_prefix(arch, "riscv") || strcmp(arch, "loongarch64") == 0));
}


/*
 * Makes a virtio NIC of @nic, which has no model. What is virtio's own in <driver>, libvirt has not
 * read then: it goes by the model that is written.
 *
 * Source: libvirt 9.0 and 11.3, virDomainNetDefParseXML() and, of the four that it reads in any case,
 * virDomainVirtioOptionsParseXML() in src/conf/domain_conf.c.
 */
static void
virTeamingNicDefaultToVirtio(virTeamingNic *nic)
{
    const virTeamingVirtioOptions read = {
        .iommu = nic->driver.iommu,
        .ats = nic->driver.ats,
        .packed = nic->driver.packed,
        .pagePerVq = nic->driver.pagePerVq,
    };

    nic->model = g_strdup("virtio");
    g_free(nic->driver.name);
    g_free(nic->driver.txmode);
    nic->driver = read;
}


/* Where @nic sits in the guest, out of its own <address>. */
static void
virTeamingNicAddressParse(virTeamingDomain *domain,
                          virTeamingNic *nic,
                          const xmlNode *node)
{
    gboolean plain = nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV;
    int line = virTeamingXmlGetLine(node);
    virTeamingPciAddress address;

    if (!nic->addressType)
        virTeamingNicAddProblem(domain, nic, line, "address", "the guest's address has no type");
    else if (!plain && strcmp(nic->addressType, "unassigned") == 0)
        virTeamingNicAddProblem(domain, nic, line, "address",
                                "only a <hostdev> can be 'unassigned'");
    if (g_strcmp0(nic->addressType, "pci") != 0 || nic->hasAddress)
        return;
    if (!virTeamingXmlParseAddress(node, 0, &address) || address.domain) {
        virTeamingNicAddProblem(domain, nic, line, "address",
                                "not a PCI address that a guest can have: domain 0, bus up to "
                                "0xff, slot up to 0x1f, function up to 7");
    } else if (address.bus || address.slot) {
        /* To libvirt, zeros say that there is none yet: virPCIDeviceAddressIsEmpty(). */
        nic->address = address;
        nic->hasAddress = TRUE;
    }
}


/* Source: libvirt 9.0 and 11.3, virDomainNetDefParseXML() in src/conf/domain_conf.c. */
static gboolean
virTeamingNicTakesVirtualport(const virTeamingNic *nic)
{
    return nic->type == VIR_TEAMING_NIC_NETWORK || nic->type == VIR_TEAMING_NIC_BRIDGE ||
        nic->type == VIR_TEAMING_NIC_DIRECT || nic->type == VIR_TEAMING_NIC_HOSTDEV;
}


/* What libvirt misses in a NIC, as it is to be written; NULL: nothing. */
static const char *
virTeamingNicFindMissing(const virTeamingNic *nic)
{
    if (nic->type == VIR_TEAMING_NIC_NETWORK && !nic->network)
        return "<source network='…'/>";
    if (nic->type == VIR_TEAMING_NIC_BRIDGE && !nic->bridge)
        return "<source bridge='…'/>";
    if ((nic->type == VIR_TEAMING_NIC_DIRECT || nic->type == VIR_TEAMING_NIC_VDPA) && !nic->dev)
        return "<source dev='…'/>";
    if (nic->type == VIR_TEAMING_NIC_HOSTDEV && !nic->sourceType)
        return "<source> with <address type='pci' …/>";
    if (nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV && !nic->lines[VIR_TEAMING_ELEMENT_SOURCE])
        return "<source> with <address …/>";
    /* What a NIC of a network does not say, the network may. */
    if (nic->lines[VIR_TEAMING_ELEMENT_VIRTUALPORT] && !nic->virtualport &&
        nic->type != VIR_TEAMING_NIC_NETWORK && virTeamingNicTakesVirtualport(nic))
        return "type in its <virtualport>";
    return NULL;
}


static virTeamingNic *
virTeamingNicParse(virTeamingDomain *domain,
                   const xmlNode *node,
                   guint index)
{
    virTeamingNic *nic = g_new0(virTeamingNic, 1);
    gboolean plain = virTeamingXmlIs(node, "hostdev");
    const virTeamingField *fields = plain ? virTeamingHostdevFields :
        virTeamingInterfaceFields;
    gsize nfields = plain ? G_N_ELEMENTS(virTeamingHostdevFields) :
        G_N_ELEMENTS(virTeamingInterfaceFields);
    const char *missing;

    nic->line = virTeamingXmlGetLine(node);
    nic->lines[VIR_TEAMING_ELEMENT_NIC] = nic->line;
    nic->index = index;
    nic->type = plain ? VIR_TEAMING_NIC_PLAIN_HOSTDEV : VIR_TEAMING_NIC_UNKNOWN;
    nic->sndbuf = G_MAXUINT64;
    virTeamingFieldsParse(domain, nic, fields, nfields, "", node);
    if (!plain) {
        const char *typeName = nic->typeName ? nic->typeName : "user";

        for (gsize i = 1; i < G_N_ELEMENTS(virTeamingNicTypeNames); i++) {
            if (strcmp(virTeamingNicTypeNames[i], typeName) == 0)
                nic->type = i;
        }
    }

    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *text;

        if (child->type != XML_ELEMENT_NODE || child->ns)
            continue;
        virTeamingFieldsParse(domain, nic, fields, nfields, (const char *)child->name, child);
        for (gsize i = 1; i < G_N_ELEMENTS(virTeamingNicElementNames); i++) {
            if (*virTeamingNicElementNames[i] == *(const char *)child->name &&
                !nic->lines[i] && virTeamingXmlIs(child, virTeamingNicElementNames[i]))
                nic->lines[i] = virTeamingXmlGetLine(child);
        }

        if (virTeamingXmlIs(child, "teaming")) {
            virTeamingTeamingParse(nic, child);
        } else if (virTeamingXmlIs(child, "vlan")) {
            virTeamingNicVlanParse(domain, nic, child);
        } else if (virTeamingXmlIs(child, "mac") &&
                   (text = virTeamingXmlPeekProp(child, "address"))) {
            if (virTeamingMacAttributeParse(text, &nic->mac))
                nic->hasMac = TRUE;
            else
                virTeamingNicAddProblem(domain, nic, virTeamingXmlGetLine(child), "mac",
                                        "'%s' is not a MAC address", text);
        } else if (virTeamingXmlIs(child, "source")) {
            const xmlNode *address = virTeamingXmlGetChild(child, "address");

            /* A plain <hostdev> names the type on itself, an <interface> here. */
            if (address && (plain ? g_strcmp0(nic->sourceType, "pci") == 0 :
                            g_strcmp0(nic->sourceType, "pci") == 0 ||
                            !nic->sourceType)) {
                nic->hasSource = virTeamingXmlParseAddress(address, 1, &nic->source);
                if (!nic->hasSource)
                    virTeamingNicAddProblem(domain, nic, virTeamingXmlGetLine(address),
                                            "source/address",
                                            "not the PCI address of a device");
            }
        } else if (virTeamingXmlIs(child, "address")) {
            virTeamingNicAddressParse(domain, nic, child);
        }
    }
    if (nic->romEnabled == VIR_TEAMING_SWITCH_OFF && (nic->romBar || nic->romFile))
        virTeamingNicAddProblem(domain, nic, nic->line, "rom",
                                "a ROM that is not enabled can't have a bar or a file");
    if ((missing = virTeamingNicFindMissing(nic)))
        virTeamingNicAddProblem(domain, nic, nic->line, NULL, "the NIC has no %s", missing);
    if (!plain && nic->lines[VIR_TEAMING_ELEMENT_VIRTUALPORT] &&
        !virTeamingNicTakesVirtualport(nic))
        virTeamingNicAddProblem(domain, nic, nic->lines[VIR_TEAMING_ELEMENT_VIRTUALPORT],
                                "virtualport", "a NIC of type '%s' has no virtual port",
                                nic->typeName ? nic->typeName : "user");
    if (!plain && !nic->model && nic->role == VIR_TEAMING_ROLE_PERSISTENT &&
        virTeamingDomainDefaultsToVirtio(domain, nic))
        virTeamingNicDefaultToVirtio(nic);
    /* libvirt compares it in either case, and writes it in small letters. */
    for (char *letter = nic->model; letter && *letter; letter++)
        *letter = g_ascii_tolower(*letter);
    return nic;
}


/*
 * The devices that QEMU migrates with no guest, told by one attribute.
 *
 * Source: QEMU 7.2 and 10.0.2, 'unmigratable' in the devices' VMStateDescription: what 10.0.2 has
 * was given to it, and 'migrate' refused. Of the host's TPM: tpm_passthrough_startup_tpm().
 */
static const struct {
    const char *element;
    const char *child;              /* of @element, or NULL */
    const char *attribute;
    const char *value;
    const char *what;
} virTeamingUnmigratable[] = {
    { "iommu", NULL, "model", "amd", "an AMD IOMMU" },
    { "crypto", NULL, "model", "virtio", "a virtio crypto device" },
    { "sound", NULL, "model", "virtio", "a virtio sound device" },
    { "sound", NULL, "model", "usb", "a USB sound device" },
    { "input", NULL, "type", "passthrough", "an input device of the host" },
    { "interface", "model", "type", "usb-net", "a USB NIC" },
    { "serial", "target", "type", "usb-serial", "a USB serial port" },
    { "tpm", "backend", "type", "passthrough", "the host's own TPM" },
};


/* Whether the device is kept from migrating by libvirt or QEMU, and in which words. */
static char *
virTeamingObstacleFind(const xmlNode *node)
{
    const char *type = virTeamingXmlPeekProp(node, "type");
    const char *mode = virTeamingXmlPeekProp(node, "mode");

    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingUnmigratable); i++) {
        const char *name = virTeamingUnmigratable[i].child;
        const xmlNode *where = name ? virTeamingXmlGetChild(node, name) : node;

        if (virTeamingXmlIs(node, virTeamingUnmigratable[i].element) &&
            g_strcmp0(virTeamingXmlPeekProp(where, virTeamingUnmigratable[i].attribute),
                      virTeamingUnmigratable[i].value) == 0)
            return g_strdup(virTeamingUnmigratable[i].what);
    }

    if (virTeamingXmlIs(node, "hostdev")) {
        const char *role = virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "teaming"), "type");
        const char *address = virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "address"),
                                                    "type");

        if (g_strcmp0(mode, "capabilities") == 0)
            return g_strdup("a host device with mode='capabilities'");
        /* libvirt asks QEMU of 6.0 or newer itself, and that keeps no scsi-generic from it. */
        if (g_strcmp0(type, "usb") == 0 || g_strcmp0(type, "scsi") == 0 ||
            g_strcmp0(role, "transient") == 0 || g_strcmp0(address, "unassigned") == 0)
            return NULL;
        /* QEMU asks vfio of each: vfio_migration_realize() in hw/vfio/migration.c. */
        if (g_strcmp0(type, "pci") == 0 || g_strcmp0(type, "mdev") == 0)
            return g_strdup_printf("a host device of type '%s', which migrates only if its "
                                   "driver can", type);
        return g_strdup_printf("a host device of type '%s' that no migration unplugs",
                               type ? type : "");
    }
    if (virTeamingXmlIs(node, "interface")) {
        if (g_strcmp0(type, "hostdev") == 0 && !virTeamingXmlGetChild(node, "teaming"))
            return g_strdup("a host's NIC without <teaming>, which migrates only if its driver "
                            "can");
        if (g_strcmp0(type, "vdpa") == 0)
            return g_strdup("a vDPA device, which older libvirt does not migrate");
    } else if (virTeamingXmlIs(node, "shmem")) {
        if (g_strcmp0(virTeamingXmlPeekProp(node, "role"), "master") != 0)
            return g_strdup("shared memory whose role is not 'master'");
    } else if (virTeamingXmlIs(node, "filesystem")) {
        const xmlNode *driver = virTeamingXmlGetChild(node, "driver");
        const char *name = virTeamingXmlPeekProp(driver, "type");

        /* libvirt 9.0 refuses; 11.3 asks whether virtiofsd says "migrate-precopy" of itself,
         * or believes the one who has started it: qemuMigrationSrcIsAllowed(). */
        if (g_strcmp0(name, "virtiofs") == 0)
            return g_strdup("a virtiofs file system, which older libvirt does not migrate, and "
                            "newer only if its virtiofsd can");
        if (!type || strcmp(type, "mount") == 0)
            return g_strdup("a 9p file system, which can't migrate while it is mounted");
    } else if (virTeamingXmlIs(node, "disk")) {
        if (virTeamingXmlGetChild(node, "transient"))
            return g_strdup("a transient disk");
    } else if (virTeamingXmlIs(node, "video")) {
        const xmlNode *model = virTeamingXmlGetChild(node, "model");

        /* virtio_gpu_base_device_realize() in hw/display/virtio-gpu-base.c */
        if (g_strcmp0(virTeamingXmlPeekProp(model, "type"), "virtio") == 0 &&
            g_strcmp0(virTeamingXmlPeekProp(virTeamingXmlGetChild(model, "acceleration"),
                                            "accel3d"), "yes") == 0)
            return g_strdup("a virtio GPU with 3D acceleration");
    }
    return NULL;
}


/* Of a controller that is not numbered yet. */
#define VIR_TEAMING_INDEX_NONE G_MAXUINT


static void
virTeamingControllerParse(virTeamingDomain *domain,
                          const xmlNode *node)
{
    virTeamingController *controller;
    const char *index = virTeamingXmlPeekProp(node, "index");
    guint64 number = VIR_TEAMING_INDEX_NONE;

    if (g_strcmp0(virTeamingXmlPeekProp(node, "type"), "pci") != 0)
        return;

    controller = g_new0(virTeamingController, 1);
    controller->line = virTeamingXmlGetLine(node);
    if (index && !virTeamingXmlParseNumber(index, 10, VIR_TEAMING_INDEX_NONE - 1, &number))
        virTeamingDomainAddProblem(domain, controller->line,
                                   g_strdup("/domain/devices/controller"),
                                   "controller index can't be '%s'", index);
    controller->index = number;
    controller->model = g_strdup(virTeamingXmlPeekProp(node, "model"));
    controller->alias = g_strdup(virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "alias"),
                                                       "name"));
    controller->hotplugOff =
        g_strcmp0(virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "target"), "hotplug"),
                  "off") == 0;
    if (number < G_N_ELEMENTS(domain->buses) && !domain->buses[number])
        domain->buses[number] = controller;
    g_ptr_array_add(domain->controllers, controller);
}


/*
 * Gives every PCI controller without an index the lowest that is free, in order.
 *
 * Source: libvirt 9.0 and 11.3, virDomainControllerFindUnusedIndex() in src/conf/domain_conf.c.
 */
static void
virTeamingDomainNumberBuses(virTeamingDomain *domain)
{
    guint next = 0;

    for (guint i = 0; i < domain->controllers->len; i++) {
        virTeamingController *controller = domain->controllers->pdata[i];

        if (controller->index != VIR_TEAMING_INDEX_NONE)
            continue;
        while (next < G_N_ELEMENTS(domain->buses) && domain->buses[next])
            next++;
        if (next < G_N_ELEMENTS(domain->buses))
            domain->buses[next] = controller;
        controller->index = next++;
    }
}


static void
virTeamingSlotParse(virTeamingDomain *domain,
                    const xmlNode *node)
{
    const xmlNode *address = virTeamingXmlGetChild(node, "address");
    virTeamingSlotUse use = { .line = virTeamingXmlGetLine(node) };

    if (g_strcmp0(virTeamingXmlPeekProp(address, "type"), "pci") != 0 ||
        !virTeamingXmlParseAddress(address, 1, &use.address))
        return;
    g_strlcpy(use.element, (const char *)node->name, sizeof(use.element));
    g_array_append_val(domain->slots, use);
}


/*
 * Keeps the alias of a device that is no NIC of the model.
 *
 * Source: libvirt 9.0 and 11.3, virDomainDeviceInfoIterateFlags() in src/conf/domain_conf.c:
 * some elements are no devices that QEMU knows by an id.
 */
static void
virTeamingAliasParse(virTeamingDomain *domain,
                     const xmlNode *node)
{
    static const char *const without[] = { "emulator", "graphics", "audio", "lease" };
    const char *alias = virTeamingXmlPeekProp(virTeamingXmlGetChild(node, "alias"), "name");
    virTeamingAliasUse *use;

    if (!alias || !virTeamingAliasIsKept(alias))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(without); i++) {
        if (virTeamingXmlIs(node, without[i]))
            return;
    }
    use = g_new0(virTeamingAliasUse, 1);
    use->line = virTeamingXmlGetLine(node);
    use->element = g_strdup((const char *)node->name);
    use->alias = g_strdup(alias);
    g_ptr_array_add(domain->aliases, use);
}


/*
 * Gives every NIC the name that QEMU will know it by. In XML of a running domain that is
 * the alias. Otherwise libvirt keeps only aliases that begin with "ua-"; the others get
 * netN or hostdevN, in order, NICs before plain host devices. @hostdevs has an entry for
 * each <hostdev>: its NIC, or NULL.
 *
 * Source: libvirt 9.0 and 11.3, src/qemu/qemu_alias.c.
 */
static void
virTeamingDomainAssignIds(virTeamingDomain *domain,
                          GPtrArray *hostdevs)
{
    guint nets = 0;
    guint hosts = 0;

    for (guint i = 0; i < domain->nics->len + hostdevs->len; i++) {
        gboolean isHostdev = i >= domain->nics->len;
        virTeamingNic *nic = isHostdev ? hostdevs->pdata[i - domain->nics->len] :
            domain->nics->pdata[i];

        if (!nic) {
            hosts++;
            domain->counted++;
            continue;
        }
        if (!isHostdev && nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV)
            continue;

        if (nic->alias && (domain->live || virTeamingAliasIsKept(nic->alias)))
            nic->id = g_strdup(nic->alias);
        else if (isHostdev || nic->type == VIR_TEAMING_NIC_HOSTDEV ||
                 nic->role == VIR_TEAMING_ROLE_TRANSIENT)
            nic->id = g_strdup_printf("hostdev%u", hosts++);
        else
            nic->id = g_strdup_printf("net%u", nets++);
        if (g_str_has_prefix(nic->id, "hostdev"))
            domain->counted++;
    }
}


static void
virTeamingDomainFindPairs(virTeamingDomain *domain)
{
    g_autoptr(GHashTable) byId = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < domain->nics->len; i++) {
        virTeamingNic *nic = domain->nics->pdata[i];

        if (nic->role == VIR_TEAMING_ROLE_PERSISTENT)
            g_hash_table_insert(byId, nic->id, nic);
    }
    for (guint i = 0; i < domain->nics->len; i++) {
        virTeamingNic *nic = domain->nics->pdata[i];
        virTeamingNic *other;
        virTeamingPair *pair;

        if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || !nic->persistent ||
            !(other = g_hash_table_lookup(byId, nic->persistent)))
            continue;
        /* QEMU attaches one primary to a standby and no second. */
        if (!g_hash_table_add(taken, other))
            continue;
        pair = g_new(virTeamingPair, 1);
        pair->persistent = other;
        pair->transient = nic;
        g_ptr_array_add(domain->pairs, pair);
    }
}


/*
 * What @node, an IOMMU of the guest, is in words, if QEMU plugs no VF under it; or NULL.
 *
 * Source: QEMU 10.0.2, vtd_iommu_notify_flag_changed() in hw/i386/intel_iommu.c and
 * smmuv3_notify_flag_changed() in hw/arm/smmuv3.c. What libvirt knows since 11.10 is not judged: an
 * SMMUv3 of one bus only, or one of the host's.
 */
static const char *
virTeamingIommuFind(const xmlNode *node)
{
    const char *model = virTeamingXmlPeekProp(node, "model");
    const xmlNode *driver = virTeamingXmlGetChild(node, "driver");

    if (g_strcmp0(model, "intel") == 0 &&
        g_strcmp0(virTeamingXmlPeekProp(driver, "caching_mode"), "on") != 0)
        return "an Intel IOMMU without caching mode";
    if (g_strcmp0(model, "smmuv3") == 0 && !virTeamingXmlPeekProp(driver, "pciBus") &&
        !virTeamingXmlPeekProp(driver, "accel"))
        return "an SMMUv3";
    return NULL;
}


static void
virTeamingDevicesParse(virTeamingDomain *domain,
                       const xmlNode *devices)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) hostdevs = g_ptr_array_new();

    for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        const char *iommu;
        guint index;
        char *what;

        if (node->type != XML_ELEMENT_NODE || node->ns)
            continue;
        index = GPOINTER_TO_UINT(g_hash_table_lookup(counts, node->name)) + 1;
        g_hash_table_insert(counts, (gpointer)node->name, GUINT_TO_POINTER(index));

        virTeamingSlotParse(domain, node);
        if (virTeamingXmlIs(node, "iommu") && (iommu = virTeamingIommuFind(node))) {
            domain->iommuLine = virTeamingXmlGetLine(node);
            domain->iommu = iommu;
        }
        if ((what = virTeamingObstacleFind(node)))
            virTeamingDomainAddObstacle(domain, node,
                                        g_strdup_printf("/domain/devices/%s[%u]",
                                                        (const char *)node->name, index), what);

        if (virTeamingXmlIs(node, "interface")) {
            g_ptr_array_add(domain->nics, virTeamingNicParse(domain, node, index));
            continue;
        }
        if (virTeamingXmlIs(node, "hostdev") && virTeamingXmlGetChild(node, "teaming")) {
            g_ptr_array_add(domain->nics, virTeamingNicParse(domain, node, index));
            g_ptr_array_add(hostdevs, domain->nics->pdata[domain->nics->len - 1]);
            continue;
        }
        virTeamingAliasParse(domain, node);
        if (virTeamingXmlIs(node, "controller")) {
            virTeamingControllerParse(domain, node);
        } else if (virTeamingXmlIs(node, "hostdev")) {
            const xmlNode *alias = virTeamingXmlGetChild(node, "alias");
            const char *name = virTeamingXmlPeekProp(alias, "name");

            if (!name || !virTeamingAliasIsKept(name))
                g_ptr_array_add(hostdevs, NULL);
        }
    }

    virTeamingDomainNumberBuses(domain);
    virTeamingDomainAssignIds(domain, hostdevs);
    virTeamingDomainFindPairs(domain);
}


/*
 * The most that libvirt takes, for the guest's memory and for its limit, in bytes; the same in
 * every unit, so that what was read in one can be written in another.
 *
 * Source: libvirt 9.0 and 11.3, virDomainParseMemory() and virDomainParseMemoryLimit() in
 * src/conf/domain_conf.c.
 */
#define VIR_TEAMING_MEMORY_MAX (((G_GUINT64_CONSTANT(1) << 53) - 1) * 1024)

/*
 * How many bytes @unit is, 0 if libvirt does not know it: k, KiB, KB and so on to EB, in any case.
 *
 * Source: libvirt 9.0 and 11.3, virScaleInteger() in src/util/virutil.c.
 */
static guint64
virTeamingUnitParse(const char *unit)
{
    static const char letters[] = "kmgtpe";
    const char *letter = strchr(letters, g_ascii_tolower(*unit));
    guint64 base = 1024;
    guint64 bytes = 1;

    if (!*unit)
        return 1024;
    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
        g_ascii_strcasecmp(unit, "bytes") == 0)
        return 1;
    if (g_ascii_strcasecmp(unit + 1, "b") == 0)
        base = 1000;
    else if (unit[1] && g_ascii_strcasecmp(unit + 1, "ib") != 0)
        return 0;
    if (!letter)
        return 0;
    for (const char *l = letters; l <= letter; l++)
        bytes *= base;
    return bytes;
}


/* A size with a unit, as libvirt scales it, in KiB rounded up. */
static guint64
virTeamingMemoryParse(virTeamingDomain *domain,
                      const xmlNode *node)
{
    const char *unit = virTeamingXmlPeekProp(node, "unit");
    g_autofree char *text = virTeamingXmlGetText(node);
    guint64 bytes = virTeamingUnitParse(unit ? unit : "");
    guint64 value;

    if (bytes && virTeamingXmlParseNumber(text, 10, VIR_TEAMING_MEMORY_MAX / bytes, &value))
        return (value * bytes + 1023) / 1024;
    virTeamingDomainAddProblem(domain, virTeamingXmlGetLine(node),
                               g_strdup_printf("/domain/%s", (const char *)node->name),
                               "'%s%s%s' is not an amount of memory",
                               g_strdelimit(text, "\n\t\r", ' '), unit ? " " : "",
                               unit ? unit : "");
    return 0;
}


static void
virTeamingOsParse(virTeamingDomain *domain,
                  const xmlNode *node)
{
    guint place = 0;

    for (const xmlNode *child = node->children; child; child = child->next) {
        if (virTeamingXmlIs(child, "type")) {
            domain->osTypeLine = virTeamingXmlGetLine(child);
            g_free(domain->arch);
            g_free(domain->machine);
            domain->arch = g_strdup(virTeamingXmlPeekProp(child, "arch"));
            domain->machine = g_strdup(virTeamingXmlPeekProp(child, "machine"));
        } else if (virTeamingXmlIs(child, "boot")) {
            place++;
            if (g_strcmp0(virTeamingXmlPeekProp(child, "dev"), "network") == 0)
                domain->bootNetwork = place;
        }
    }
}


/* Whether @node is an element in the namespace @href. */
static gboolean
virTeamingXmlIsOf(const xmlNode *node,
                  const char *href)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
        g_strcmp0((const char *)node->ns->href, href) == 0;
}


/* A <pair> in <moved>, as virTeamingMovedPairsFormat() writes it; others are not understood. */
static void
virTeamingMovedPairParse(virTeamingDomain *domain,
                         const xmlNode *node)
{
    const char *standby = virTeamingXmlPeekProp(node, "standby");
    const char *primary = virTeamingXmlPeekProp(node, "primary");
    g_autofree char *device = virTeamingXmlGetText(node);

    if (virTeamingXmlIsOf(node, VIR_TEAMING_MOVED_XMLNS) &&
        strcmp((const char *)node->name, "pair") == 0 && standby && primary)
        g_ptr_array_add(domain->moved, virTeamingMovedPairNew(
            standby, primary, device,
            g_strcmp0(virTeamingXmlPeekProp(node, "plug"), "yes") == 0));
}


static void
virTeamingMetadataParse(virTeamingDomain *domain,
                        const xmlNode *metadata)
{
    for (const xmlNode *node = metadata->children; node; node = node->next) {
        if (virTeamingXmlIsOf(node, VIR_TEAMING_MOVED_XMLNS) &&
            strcmp((const char *)node->name, "moved") == 0) {
            for (const xmlNode *child = node->children; child; child = child->next)
                virTeamingMovedPairParse(domain, child);
        }
        if (!virTeamingXmlIsOf(node, VIR_TEAMING_XMLNS))
            continue;
        if (strcmp((const char *)node->name, "policy") != 0) {
            virTeamingProblem *problem =
                virTeamingDomainAddProblem(domain, virTeamingXmlGetLine(node),
                                           g_strdup("/domain/metadata"),
                                           "there is no element <%s> in our namespace",
                                           (const char *)node->name);

            problem->hint = g_strdup("settings are attributes of <policy>");
            problem->policy = TRUE;
            continue;
        }

        domain->policyLine = virTeamingXmlGetLine(node);
        for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
            g_autoptr(GError) error = NULL;
            const char *value = attr->children ? (const char *)attr->children->content : "";
            char *hint = NULL;

            if (!virTeamingPolicySet(&domain->policy, (const char *)attr->name, value,
                                     &hint, &error)) {
                virTeamingProblem *problem =
                    virTeamingDomainAddProblem(domain, domain->policyLine,
                                               g_strdup("/domain/metadata/policy"),
                                               "%s", error->message);

                problem->hint = hint;
                problem->policy = TRUE;
            }
        }
    }
}


/* Whether @clock says how fast the guest's TSC is. */
static gboolean
virTeamingClockHasTscFrequency(const xmlNode *clock)
{
    for (const xmlNode *timer = clock ? clock->children : NULL; timer; timer = timer->next) {
        if (virTeamingXmlIs(timer, "timer") && virTeamingXmlPeekProp(timer, "frequency") &&
            g_strcmp0(virTeamingXmlPeekProp(timer, "name"), "tsc") == 0)
            return TRUE;
    }
    return FALSE;
}


/* Whether @cpu has all that the host's has, what can't migrate, too. Of an x86, that is an
 * invariant TSC; on others, QEMU knows no such difference. */
static gboolean
virTeamingCpuIsUnmigratable(const virTeamingDomain *domain,
                            const xmlNode *cpu)
{
    const char *mode = virTeamingXmlPeekProp(cpu, "mode");

    return (g_strcmp0(mode, "host-passthrough") == 0 || g_strcmp0(mode, "maximum") == 0) &&
        g_strcmp0(virTeamingXmlPeekProp(cpu, "migratable"), "off") == 0 &&
        g_strcmp0(domain->type, "qemu") != 0 && virTeamingDomainIsX86(domain);
}


/*
 * QEMU does not migrate an invariant TSC whose frequency is not fixed.
 *
 * Source: QEMU 7.2 and 10.0, invtsc_mig_blocker in target/i386/kvm/kvm.c; what migratable='off'
 * adds is unmigratable_flags in target/i386/cpu.c. libvirt 9.0 and 11.3,
 * qemuMigrationSrcIsAllowed() in src/qemu/qemu_migration.c.
 */
static void
virTeamingCpuFindObstacle(virTeamingDomain *domain,
                          const xmlNode *cpu)
{
    gboolean off = virTeamingCpuIsUnmigratable(domain, cpu);
    const xmlNode *feature = NULL;

    for (const xmlNode *child = cpu->children; child && !feature; child = child->next) {
        if (virTeamingXmlIs(child, "feature") &&
            g_strcmp0(virTeamingXmlPeekProp(child, "name"), "invtsc") == 0)
            feature = child;
    }
    if (feature) {
        const char *policy = virTeamingXmlPeekProp(feature, "policy");

        if (!policy || strcmp(policy, "require") == 0 || strcmp(policy, "force") == 0) {
            virTeamingDomainAddObstacle(domain, feature, g_strdup("/domain/cpu/feature"),
                                        g_strdup("an invariant TSC without a fixed frequency"));
            return;
        }
        off = off && strcmp(policy, "optional") == 0;
    }
    if (off)
        virTeamingDomainAddObstacle(domain, cpu, g_strdup("/domain/cpu"),
                                    g_strdup("a CPU with migratable='off', and so the host's "
                                             "invariant TSC, without a fixed frequency"));
}


/* Settings outside <devices> that keep a domain from migrating. */
static void
virTeamingDomainFindObstacles(virTeamingDomain *domain,
                              const xmlNode *root)
{
    const xmlNode *security = virTeamingXmlGetChild(root, "launchSecurity");
    const char *type = virTeamingXmlPeekProp(security, "type");
    const xmlNode *cpu = virTeamingXmlGetChild(root, "cpu");
    const xmlNode *hyperv = virTeamingXmlGetChild(virTeamingXmlGetChild(root, "features"),
                                                  "hyperv");

    if (cpu && !virTeamingClockHasTscFrequency(virTeamingXmlGetChild(root, "clock")))
        virTeamingCpuFindObstacle(domain, cpu);
    /* hyperv_init_vcpu() in target/i386/kvm/kvm.c */
    if (g_strcmp0(virTeamingXmlPeekProp(hyperv, "mode"), "passthrough") == 0)
        virTeamingDomainAddObstacle(domain, hyperv, g_strdup("/domain/features/hyperv"),
                                    g_strdup("whatever of Hyper-V the host's KVM has"));
    if (type && g_str_has_prefix(type, "sev"))
        virTeamingDomainAddObstacle(domain, security, g_strdup("/domain/launchSecurity"),
                                    g_strdup("memory encrypted by SEV"));
}


/**
 * virTeamingDomainParse:
 * @xml: a <domain>: inactive, live or migratable
 * @len: its length in bytes, or -1 if it ends with a NUL
 * @file: name for messages
 * @error: set to VIR_TEAMING_ERROR_INVALID, in one line that begins with @file, if @xml
 *         is not well-formed, not a domain, or not what libvirt could have written
 *
 * Returns: (transfer full): what teaming depends on, or NULL.
 */
virTeamingDomain *
virTeamingDomainParse(const char *xml,
                      gssize len,
                      const char *file,
                      GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, len, file, "domain", error);
    virTeamingDomain *domain;
    const xmlNode *root;
    const xmlNode *devices = NULL;
    const char *id;
    guint64 number;

    if (!doc)
        return NULL;

    root = xmlDocGetRootElement(doc);
    domain = g_new0(virTeamingDomain, 1);
    domain->nics = g_ptr_array_new_with_free_func(virTeamingNicFree);
    domain->pairs = g_ptr_array_new_with_free_func(g_free);
    domain->controllers = g_ptr_array_new_with_free_func(virTeamingControllerFree);
    domain->moved = g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingMovedPairFree);
    domain->slots = g_array_new(FALSE, FALSE, sizeof(virTeamingSlotUse));
    domain->aliases = g_ptr_array_new_with_free_func(virTeamingAliasUseFree);
    domain->obstacles = g_ptr_array_new_with_free_func(virTeamingObstacleFree);
    domain->problems = g_ptr_array_new_with_free_func(virTeamingProblemFree);
    domain->file = g_strdup(file);
    domain->line = virTeamingXmlGetLine(root);
    domain->type = g_strdup(virTeamingXmlPeekProp(root, "type"));
    virTeamingPolicyInit(&domain->policy);

    domain->id = -1;
    if ((id = virTeamingXmlPeekProp(root, "id")) &&
        g_ascii_string_to_unsigned(id, 10, 0, G_MAXINT, &number, NULL)) {
        domain->id = number;
        domain->live = TRUE;
    }

    for (const xmlNode *node = root->children; node; node = node->next) {
        if (virTeamingXmlIs(node, "name") && !domain->name) {
            domain->name = virTeamingXmlGetText(node);
        } else if (virTeamingXmlIs(node, "uuid") && !domain->uuid) {
            domain->uuid = virTeamingXmlGetText(node);
        } else if (virTeamingXmlIs(node, "memory")) {
            domain->memory = virTeamingMemoryParse(domain, node);
        } else if (virTeamingXmlIs(node, "memtune")) {
            const xmlNode *limit = virTeamingXmlGetChild(node, "hard_limit");

            if (limit) {
                domain->hardLimit = virTeamingMemoryParse(domain, limit);
                domain->hardLimitLine = virTeamingXmlGetLine(limit);
            }
        } else if (virTeamingXmlIs(node, "iommufd")) {
            domain->iommufd = g_strcmp0(virTeamingXmlPeekProp(node, "enabled"), "yes") == 0;
        } else if (virTeamingXmlIs(node, "os")) {
            virTeamingOsParse(domain, node);
        } else if (virTeamingXmlIs(node, "features")) {
            domain->acpi |= virTeamingXmlGetChild(node, "acpi") != NULL;
        } else if (virTeamingXmlIs(node, "resource")) {
            domain->placed |= virTeamingXmlGetChild(node, "partition") != NULL;
        } else if (virTeamingXmlIs(node, "seclabel")) {
            domain->placed = TRUE;
        } else if (virTeamingXmlIs(node, "metadata")) {
            virTeamingMetadataParse(domain, node);
        } else if (virTeamingXmlIs(node, "devices") && !devices) {
            devices = node;
        }
    }
    virTeamingDomainFindObstacles(domain, root);
    virTeamingDevicesParse(domain, devices);
    return domain;
}


/**
 * virTeamingDomainParseFile:
 * @path: a file, or "-" for standard input
 * @error: set as by virTeamingDomainParse, or to VIR_TEAMING_ERROR_NOT_FOUND, _ACCESS or
 *         _SYSTEM
 *
 * Returns: (transfer full): what teaming depends on, or NULL.
 */
virTeamingDomain *
virTeamingDomainParseFile(const char *path,
                          GError **error)
{
    gsize len = 0;
    g_autofree char *xml = virTeamingXmlReadFile(path, &len, error);

    return xml ? virTeamingDomainParse(xml, len, path, error) : NULL;
}


/**
 * virTeamingDomainGetPolicy:
 * @domain: a domain
 * @host: the host's defaults, from virTeamingPolicyLoad, or NULL for what is built in
 * @ret: filled with what holds for @domain
 */
void
virTeamingDomainGetPolicy(const virTeamingDomain *domain,
                          const virTeamingPolicy *host,
                          virTeamingPolicy *ret)
{
    if (host)
        *ret = *host;
    else
        virTeamingPolicyInit(ret);
    virTeamingPolicyMerge(ret, &domain->policy);
}


/*
 * The writer
 */

static void
virTeamingAttributeFormat(GString *out,
                          const char *name,
                          const char *value)
{
    if (!value)
        return;
    g_string_append_printf(out, " %s='", name);
    virTeamingXmlAppendEscaped(out, value);
    g_string_append_c(out, '\'');
}


static void
virTeamingFieldFormat(GString *out,
                      const virTeamingNic *nic,
                      const virTeamingField *field)
{
    const char *member = (const char *)nic + field->offset;

    switch (field->kind) {
    case VIR_TEAMING_FIELD_STRING:
        virTeamingAttributeFormat(out, field->attribute, *(char *const *)member);
        break;
    case VIR_TEAMING_FIELD_UINT:
    case VIR_TEAMING_FIELD_NONZERO:
    case VIR_TEAMING_FIELD_REQUIRED:
    case VIR_TEAMING_FIELD_RING:
        if (*(const guint *)member)
            g_string_append_printf(out, " %s='%u'", field->attribute, *(const guint *)member);
        break;
    case VIR_TEAMING_FIELD_ON_OFF:
        if (*(const virTeamingSwitch *)member)
            g_string_append_printf(out, " %s='%s'", field->attribute,
                                   *(const virTeamingSwitch *)member == VIR_TEAMING_SWITCH_ON ?
                                   "on" : "off");
        break;
    case VIR_TEAMING_FIELD_YES_NO:
        if (*(const virTeamingSwitch *)member)
            g_string_append_printf(out, " %s='%s'", field->attribute,
                                   *(const virTeamingSwitch *)member == VIR_TEAMING_SWITCH_ON ?
                                   "yes" : "no");
        break;
    case VIR_TEAMING_FIELD_IS_YES:
        if (*(const gboolean *)member)
            g_string_append_printf(out, " %s='yes'", field->attribute);
        break;
    case VIR_TEAMING_FIELD_IS_DOWN:
        if (*(const gboolean *)member)
            g_string_append_printf(out, " %s='down'", field->attribute);
        break;
    case VIR_TEAMING_FIELD_PRESENT:
    case VIR_TEAMING_FIELD_SIZE:
        /* Not attributes. */
        break;
    }
}


static void
virTeamingAddressFormat(GString *out,
                        const virTeamingPciAddress *address)
{
    g_string_append_printf(out, " domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'",
                           address->domain, address->bus, address->slot, address->function);
}


/* What an element has beside the attributes in the table. */
static void
virTeamingElementFormatRest(GString *out,
                            GString *children,
                            const virTeamingNic *nic,
                            const char *element,
                            const char *child)
{
    gboolean isSource = strcmp(element, "source") == 0;

    if (isSource && child && nic->hasSource)
        virTeamingAddressFormat(out, &nic->source);
    if (!child && strcmp(element, "address") == 0 && nic->hasAddress)
        virTeamingAddressFormat(out, &nic->address);
    if (child && strcmp(child, "sndbuf") == 0 && nic->sndbuf != G_MAXUINT64)
        g_string_append_printf(children, "%" G_GUINT64_FORMAT, nic->sndbuf);
}


/* Writes the element that the rows from *@i on are about, and moves *@i past them. */
static void
virTeamingElementFormat(GString *out,
                        const virTeamingNic *nic,
                        const virTeamingField *fields,
                        gsize nfields,
                        gsize *i)
{
    const char *element = fields[*i].element;
    g_autoptr(GString) attributes = g_string_new(NULL);
    g_autoptr(GString) children = g_string_new(NULL);
    gboolean present = FALSE;

    for (; *i < nfields && strcmp(fields[*i].element, element) == 0 && !fields[*i].child; ++*i) {
        if (fields[*i].kind == VIR_TEAMING_FIELD_PRESENT)
            present = *(const gboolean *)((const char *)nic + fields[*i].offset);
        virTeamingFieldFormat(attributes, nic, &fields[*i]);
    }
    virTeamingElementFormatRest(attributes, children, nic, element, NULL);

    while (*i < nfields && strcmp(fields[*i].element, element) == 0) {
        const char *child = fields[*i].child;
        g_autoptr(GString) inner = g_string_new(NULL);
        g_autoptr(GString) text = g_string_new(NULL);

        for (; *i < nfields && strcmp(fields[*i].element, element) == 0 &&
             g_strcmp0(fields[*i].child, child) == 0; ++*i)
            virTeamingFieldFormat(inner, nic, &fields[*i]);
        virTeamingElementFormatRest(inner, text, nic, element, child);
        if (text->len)
            g_string_append_printf(children, "<%s%s>%s</%s>", child, inner->str, text->str, child);
        else if (inner->len)
            g_string_append_printf(children, "<%s%s/>", child, inner->str);
    }

    if (children->len)
        g_string_append_printf(out, "      <%s%s>%s</%s>\n", element, attributes->str,
                               children->str, element);
    else if (attributes->len || present)
        g_string_append_printf(out, "      <%s%s/>\n", element, attributes->str);
}


static void
virTeamingNicFormat(GString *out,
                    const virTeamingNic *nic)
{
    gboolean plain = nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV;
    const char *name = plain ? "hostdev" : "interface";
    const virTeamingField *fields = plain ? virTeamingHostdevFields :
        virTeamingInterfaceFields;
    gsize nfields = plain ? G_N_ELEMENTS(virTeamingHostdevFields) :
        G_N_ELEMENTS(virTeamingInterfaceFields);
    char buf[VIR_TEAMING_MAC_STRING_LEN];
    gsize i = 0;

    g_string_append_printf(out, "    <%s", name);
    for (; !*fields[i].element; i++)
        virTeamingFieldFormat(out, nic, &fields[i]);
    g_string_append(out, ">\n");

    if (nic->hasMac)
        g_string_append_printf(out, "      <mac address='%s'/>\n",
                               virTeamingMacFormat(&nic->mac, buf));
    if (plain && nic->hasSource) {
        g_string_append(out, "      <source><address");
        virTeamingAddressFormat(out, &nic->source);
        g_string_append(out, "/></source>\n");
    }
    while (i < nfields)
        virTeamingElementFormat(out, nic, fields, nfields, &i);
    if (nic->vlan) {
        g_string_append_printf(out, "      <vlan%s>", nic->vlan->trunk ? " trunk='yes'" : "");
        for (guint t = 0; t < nic->vlan->tags->len; t++) {
            const virTeamingVlanTag *tag = &g_array_index(nic->vlan->tags, virTeamingVlanTag, t);

            g_string_append_printf(out, "<tag id='%u'%s/>", tag->id,
                                   tag->native ? " nativeMode='untagged'" : "");
        }
        g_string_append(out, "</vlan>\n");
    }
    if (nic->role != VIR_TEAMING_ROLE_NONE) {
        g_string_append(out, "      <teaming");
        virTeamingAttributeFormat(out, "type", nic->teamingType);
        virTeamingAttributeFormat(out, "persistent", nic->persistent);
        g_string_append(out, "/>\n");
    }
    g_string_append_printf(out, "    </%s>\n", name);
}


static void
virTeamingTextFormat(GString *out,
                     const char *name,
                     const char *text)
{
    if (!text)
        return;
    g_string_append_printf(out, "  <%s>", name);
    virTeamingXmlAppendEscaped(out, text);
    g_string_append_printf(out, "</%s>\n", name);
}


/**
 * virTeamingDomainFormat:
 * @domain: a domain
 *
 * Returns: (transfer full): a <domain> with what the model holds of it and nothing else.
 * Parsed, it gives the same model again, but for lines and what was seen in passing.
 */
char *
virTeamingDomainFormat(const virTeamingDomain *domain)
{
    GString *out = g_string_new("<domain");

    virTeamingAttributeFormat(out, "type", domain->type);
    if (domain->live)
        g_string_append_printf(out, " id='%d'", domain->id);
    g_string_append(out, ">\n");
    virTeamingTextFormat(out, "name", domain->name);
    virTeamingTextFormat(out, "uuid", domain->uuid);
    if (domain->policyLine) {
        g_string_append(out, "  <metadata>\n    <teaming:policy xmlns:teaming='"
                        VIR_TEAMING_XMLNS "'");
        virTeamingPolicyFormat(&domain->policy, out);
        g_string_append(out, "/>\n  </metadata>\n");
    }
    if (domain->memory)
        g_string_append_printf(out, "  <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>\n",
                               domain->memory);
    if (domain->hardLimit)
        g_string_append_printf(out, "  <memtune><hard_limit unit='KiB'>%" G_GUINT64_FORMAT
                               "</hard_limit></memtune>\n", domain->hardLimit);
    if (domain->iommufd)
        g_string_append(out, "  <iommufd enabled='yes'/>\n");
    if (domain->osTypeLine || domain->bootNetwork) {
        g_string_append(out, "  <os>\n");
        if (domain->osTypeLine) {
            g_string_append(out, "    <type");
            virTeamingAttributeFormat(out, "arch", domain->arch);
            virTeamingAttributeFormat(out, "machine", domain->machine);
            g_string_append(out, ">hvm</type>\n");
        }
        for (guint place = 1; place <= domain->bootNetwork; place++)
            g_string_append_printf(out, "    <boot dev='%s'/>\n",
                                   place == domain->bootNetwork ? "network" : "hd");
        g_string_append(out, "  </os>\n");
    }
    if (domain->acpi)
        g_string_append(out, "  <features><acpi/></features>\n");
    g_string_append(out, "  <devices>\n");
    for (guint i = 0; i < domain->controllers->len; i++) {
        const virTeamingController *controller = domain->controllers->pdata[i];

        g_string_append_printf(out, "    <controller type='pci' index='%u'", controller->index);
        virTeamingAttributeFormat(out, "model", controller->model);
        g_string_append(out, ">");
        if (controller->hotplugOff)
            g_string_append(out, "<target hotplug='off'/>");
        if (controller->alias) {
            g_string_append(out, "<alias");
            virTeamingAttributeFormat(out, "name", controller->alias);
            g_string_append(out, "/>");
        }
        g_string_append(out, "</controller>\n");
    }
    for (guint i = 0; i < domain->nics->len; i++)
        virTeamingNicFormat(out, domain->nics->pdata[i]);
    g_string_append(out, "  </devices>\n</domain>\n");
    return g_string_free(out, FALSE);
}
