/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_validate.c: what is wrong with a domain's teaming
 */

#include "teaming_validate_priv.h"

#include <string.h>

#include "teaming_migrate.h"

/*
 * Theory of operation
 *
 * The rules look at the model and at nothing else: what is known of a host is handed in,
 * and what is not known is not judged. Each rule is one row in teaming_rules.h and one
 * place below that reports it.
 *
 * First an index is made: NICs by the name that QEMU will know them by and by the alias
 * that was written, how often each slot of the guest is used, whom each transient NIC
 * refers to. With it every check looks at one NIC, or at one transient NIC and the one it
 * refers to, so the whole is linear in the number of NICs. One cause gives one finding:
 * what is only its consequence is left out.
 *
 * A domain without <teaming> has no findings (but for a wrong setting of ours): the rest
 * of it is not our business.
 *
 * What the two NICs are set to (VLANs, filters, MTUs and the like) is judged in
 * teaming_settings.c.
 */

static const virTeamingRule virTeamingRules[] = {
#define RULE(symbol, id, severity, summary, why, hint) \
    { id, VIR_TEAMING_SEVERITY_ ## severity, summary, why, hint },
    VIR_TEAMING_RULES
#undef RULE
};


/**
 * virTeamingRuleGet:
 * @id: which
 *
 * Returns: its row in the table.
 */
const virTeamingRule *
virTeamingRuleGet(virTeamingRuleId id)
{
    return &virTeamingRules[id];
}


/**
 * virTeamingRuleIsOfHost:
 * @id: which
 *
 * Returns: whether it is about the host's networks and their NICs rather than about the
 *          domain: one host may refuse what another runs.
 */
gboolean
virTeamingRuleIsOfHost(virTeamingRuleId id)
{
    static const virTeamingRuleId ofHost[] = {
        VIR_TEAMING_RULE_NETWORK_MISSING,
        VIR_TEAMING_RULE_NETWORK_INACTIVE,
        VIR_TEAMING_RULE_NETWORK_NOT_POOL,
        VIR_TEAMING_RULE_NETWORK_POOL_EMPTY,
        VIR_TEAMING_RULE_NETWORK_POOL_EXHAUSTED,
        VIR_TEAMING_RULE_NETWORK_POOL_FOR_STANDBY,
        VIR_TEAMING_RULE_NETWORK_OTHER_SEGMENT,
        VIR_TEAMING_RULE_NETWORK_PF_MISSING,
        VIR_TEAMING_RULE_NIC_UNFIT,
        VIR_TEAMING_RULE_PF_SWITCHDEV,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ofHost); i++) {
        if (ofHost[i] == id)
            return TRUE;
    }
    return FALSE;
}


const char *
virTeamingSeverityToString(virTeamingSeverity severity)
{
    switch (severity) {
    case VIR_TEAMING_SEVERITY_ERROR:
        return "error";
    case VIR_TEAMING_SEVERITY_WARNING:
        return "warning";
    case VIR_TEAMING_SEVERITY_NOTE:
        return "note";
    }
    return "?";
}


/**
 * virTeamingRulesFormat:
 *
 * Returns: (transfer full): the page of the documentation that lists all rules.
 */
char *
virTeamingRulesFormat(void)
{
    GString *out = g_string_new(".. SPDX-License-Identifier: LGPL-2.1-or-later\n"
                                ".. Made by 'virt-teaming check --list-rules'; a test compares.\n"
                                "\n"
                                "=====================\n"
                                "Rules of virt-teaming\n"
                                "=====================\n"
                                "\n"
                                "``virt-teaming check`` reports these. An *error* cannot work, a "
                                "*warning* will hurt, a\n"
                                "*note* is good to know. Identifiers are stable.\n"
                                "\n"
                                ".. contents::\n");

    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingRules); i++) {
        const virTeamingRule *rule = &virTeamingRules[i];
        g_autofree char *bar = g_strnfill(strlen(rule->id), '-');

        g_string_append_printf(out, "\n%s\n%s\n\n**%s**: %s.\n\n%s\n\n*Mend it:* %s.\n",
                               rule->id, bar, virTeamingSeverityToString(rule->severity),
                               rule->summary, rule->why, rule->hint);
    }
    return g_string_free(out, FALSE);
}


static void
virTeamingHostNetworkFree(gpointer opaque)
{
    virTeamingHostNetwork *network = opaque;

    virTeamingNetworkFree(network->conf);
    g_free(network);
}


static void
virTeamingHostPfFree(gpointer opaque)
{
    virTeamingHostPf *pf = opaque;

    g_free(pf->unfit);
    g_free(pf);
}


/**
 * virTeamingHostInit:
 * @host: becomes a host that is known to have nothing
 */
void
virTeamingHostInit(virTeamingHost *host)
{
    host->networks = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                           virTeamingHostNetworkFree);
    host->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    host->pfs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, virTeamingHostPfFree);
}


void
virTeamingHostClear(virTeamingHost *host)
{
    g_clear_pointer(&host->networks, g_hash_table_unref);
    g_clear_pointer(&host->devices, g_hash_table_unref);
    g_clear_pointer(&host->pfs, g_hash_table_unref);
}


/**
 * virTeamingHostAddNetwork:
 * @host: a host
 * @network: (transfer full): one of its networks
 * @active: whether it is started
 */
void
virTeamingHostAddNetwork(virTeamingHost *host,
                         virTeamingNetwork *network,
                         gboolean active)
{
    virTeamingHostNetwork *entry = g_new(virTeamingHostNetwork, 1);

    entry->conf = network;
    entry->active = active;
    g_hash_table_replace(host->networks, network->name, entry);
}


/**
 * virTeamingHostAddDevice:
 * @host: a host
 * @device: one of its PCI functions; copied
 */
void
virTeamingHostAddDevice(virTeamingHost *host,
                        const virTeamingHostDevice *device)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];

    g_hash_table_replace(host->devices,
                         g_strdup(virTeamingPciAddressFormat(&device->address, buf)),
                         g_memdup2(device, sizeof(*device)));
}


/**
 * virTeamingHostAddPf:
 * @host: a host
 * @name: of a network interface, as a network's <pf> gives it
 * @pf: what is known of it; copied
 */
void
virTeamingHostAddPf(virTeamingHost *host,
                    const char *name,
                    const virTeamingHostPf *pf)
{
    virTeamingHostPf *entry = g_memdup2(pf, sizeof(*pf));

    entry->unfit = g_strdup(pf->unfit);
    g_hash_table_replace(host->pfs, g_strdup(name), entry);
}


void
virTeamingFindingFree(virTeamingFinding *finding)
{
    g_free(finding->element);
    g_free(finding->message);
    g_free(finding->hint);
    g_free(finding);
}


static virTeamingFinding *
virTeamingFindingNewV(virTeamingRuleId rule,
                      int line,
                      char *element,
                      const char *format,
                      va_list ap) G_GNUC_PRINTF(4, 0);

static virTeamingFinding *
virTeamingFindingNewV(virTeamingRuleId rule,
                      int line,
                      char *element,
                      const char *format,
                      va_list ap)
{
    virTeamingFinding *finding = g_new(virTeamingFinding, 1);

    finding->rule = rule;
    finding->line = line;
    finding->element = element;
    finding->message = g_strdup_vprintf(format, ap);
    finding->hint = g_strdup(virTeamingRules[rule].hint);
    return finding;
}


/**
 * virTeamingFindingNew:
 * @rule: which rule
 * @line: of @element
 * @element: (transfer full): an XPath
 * @format: the message, printf style
 *
 * Returns: (transfer full): a finding with the rule's hint.
 */
virTeamingFinding *
virTeamingFindingNew(virTeamingRuleId rule,
                     int line,
                     char *element,
                     const char *format,
                     ...)
{
    virTeamingFinding *finding;
    va_list ap;

    va_start(ap, format);
    finding = virTeamingFindingNewV(rule, line, element, format, ap);
    va_end(ap);
    return finding;
}


/* Takes @hint over, which is better than the rule's. */
static void
virTeamingFindingSetHint(virTeamingFinding *finding,
                         char *hint)
{
    g_free(finding->hint);
    finding->hint = hint;
}


/* Reports about @element of @nic, or about @nic itself if it has no such element. Returns:
 * (transfer none): the finding. */
virTeamingFinding *
virTeamingReport(virTeamingCheck *check,
                 virTeamingRuleId rule,
                 const virTeamingNic *nic,
                 virTeamingNicElement element,
                 const char *format,
                 ...)
{
    const char *below = nic->lines[element] ? virTeamingNicElementToString(element) : NULL;
    virTeamingFinding *finding;
    va_list ap;

    va_start(ap, format);
    finding = virTeamingFindingNewV(rule, nic->lines[element] ? nic->lines[element] : nic->line,
                                    virTeamingNicGetPath(nic, below), format, ap);
    va_end(ap);
    g_ptr_array_add(check->findings, finding);
    return finding;
}


/* What to call @nic in a message: "the NIC 'ua-x'", or its id if the alias is not its own. */
static const char *
virTeamingNicName(const virTeamingNic *nic)
{
    return nic->alias ? nic->alias : nic->id;
}


gboolean
virTeamingNicHasRole(const virTeamingNic *nic)
{
    return nic->role != VIR_TEAMING_ROLE_NONE;
}


gboolean
virTeamingNicIsPlain(const virTeamingNic *nic)
{
    return nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV;
}


/* A MAC of zeros is, for libvirt, none. */
static gboolean
virTeamingNicHasMac(const virTeamingNic *nic)
{
    return nic->hasMac && !virTeamingMacIsZero(&nic->mac);
}


static gpointer
virTeamingSlotKey(const virTeamingPciAddress *address)
{
    return GSIZE_TO_POINTER((gsize)address->domain << 13 | address->bus << 5 | address->slot);
}


/* libvirt's test driver has domains of a type of its own, and stands in for any other. */
static gboolean
virTeamingDomainIsQemu(const virTeamingDomain *domain)
{
    return g_strcmp0(domain->type, "kvm") == 0 || g_strcmp0(domain->type, "qemu") == 0 ||
        g_strcmp0(domain->type, "test") == 0;
}


/* Whether the machine has PCI Express, as far as names and controllers tell. */
static gboolean
virTeamingDomainHasPcie(const virTeamingDomain *domain)
{
    static const char *const without[] = { "pc", "isapc", "pseries", "s390", "xen", "microvm" };
    const char *arch = domain->arch ? domain->arch : "x86_64";

    if (domain->buses[0] && domain->buses[0]->model)
        return strcmp(domain->buses[0]->model, "pcie-root") == 0;
    if (g_str_has_prefix(arch, "s390"))
        return FALSE;
    /* Of x86, libvirt's default is still "pc". */
    if (!domain->machine)
        return !virTeamingDomainIsX86(domain);
    if (strstr(domain->machine, "q35"))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(without); i++) {
        if (g_str_has_prefix(domain->machine, without[i]))
            return FALSE;
    }
    return TRUE;
}


static void
virTeamingCheckIndex(virTeamingCheck *check)
{
    const virTeamingDomain *domain = check->domain;

    for (guint i = 0; i < domain->nics->len; i++) {
        virTeamingNic *nic = domain->nics->pdata[i];

        if (!g_hash_table_contains(check->byId, nic->id))
            g_hash_table_insert(check->byId, nic->id, nic);
        if (nic->alias && strcmp(nic->alias, nic->id) != 0)
            g_hash_table_insert(check->byAlias, nic->alias, nic);
    }
    for (guint i = 0; i < domain->moved->len; i++) {
        const virTeamingMovedPair *moved = domain->moved->pdata[i];

        g_hash_table_add(check->moved, moved->standby);
    }
    for (guint i = 0; i < domain->aliases->len; i++) {
        virTeamingAliasUse *use = domain->aliases->pdata[i];

        g_hash_table_insert(check->others, use->alias, use);
    }
    for (guint i = 0; i < domain->nics->len; i++) {
        virTeamingNic *nic = domain->nics->pdata[i];
        virTeamingNic *other;

        if (nic->role == VIR_TEAMING_ROLE_NONE ||
            (nic->role == VIR_TEAMING_ROLE_PERSISTENT && !virTeamingNicIsPlain(nic)))
            continue;
        if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || !nic->persistent ||
            (!(other = g_hash_table_lookup(check->byId, nic->persistent)) &&
             !(other = g_hash_table_lookup(check->byAlias, nic->persistent))) ||
            other == nic) {
            check->unresolved++;
            continue;
        }
        g_hash_table_insert(check->partner, nic, other);
        if (!g_hash_table_contains(check->referred, other))
            g_hash_table_insert(check->referred, other, nic);
    }
    for (guint i = 0; i < domain->slots->len; i++) {
        const virTeamingSlotUse *use = &g_array_index(domain->slots, virTeamingSlotUse, i);
        gpointer key = virTeamingSlotKey(&use->address);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(check->slots, key));

        g_hash_table_insert(check->slots, key, GUINT_TO_POINTER(count + 1));
    }
}


/* What libvirt itself says of <teaming>, one NIC at a time. */
static void
virTeamingCheckRole(virTeamingCheck *check,
                    const virTeamingNic *nic)
{
    gboolean plain = virTeamingNicIsPlain(nic);

    switch (nic->role) {
    case VIR_TEAMING_ROLE_NONE:
        break;

    case VIR_TEAMING_ROLE_UNKNOWN:
        virTeamingReport(check, VIR_TEAMING_RULE_TEAMING_TYPE_UNKNOWN, nic,
                         VIR_TEAMING_ELEMENT_TEAMING, nic->teamingType ?
                         "there is no teaming type '%s'" : nic->persistent ?
                         "<teaming> has no type%s" :
                         "<teaming> has no type, and libvirt drops it%s",
                         nic->teamingType ? nic->teamingType : "");
        break;

    case VIR_TEAMING_ROLE_PERSISTENT:
        if (plain) {
            virTeamingReport(check, VIR_TEAMING_RULE_HOSTDEV_NOT_TRANSIENT, nic,
                             VIR_TEAMING_ELEMENT_TEAMING,
                             "a host device can't be 'persistent'");
            break;
        }
        if (nic->persistent)
            virTeamingReport(check, VIR_TEAMING_RULE_PERSISTENT_NAMES_SOMEBODY, nic,
                             VIR_TEAMING_ELEMENT_TEAMING,
                             "this NIC is persistent and names '%s'", nic->persistent);
        if (!virTeamingNicIsVirtio(nic))
            virTeamingReport(check, VIR_TEAMING_RULE_PERSISTENT_NOT_VIRTIO, nic,
                             VIR_TEAMING_ELEMENT_MODEL, nic->model ?
                             "the persistent NIC is a '%s', not 'virtio'" :
                             "the persistent NIC does not say that it is 'virtio'%s",
                             nic->model ? nic->model : "");
        break;

    case VIR_TEAMING_ROLE_TRANSIENT:
        if (!nic->persistent)
            virTeamingReport(check, plain ? VIR_TEAMING_RULE_HOSTDEV_NAMES_NOBODY :
                             VIR_TEAMING_RULE_TRANSIENT_NAMES_NOBODY, nic,
                             VIR_TEAMING_ELEMENT_TEAMING,
                             "does not say whose transient partner it is");
        if (!plain && nic->type != VIR_TEAMING_NIC_HOSTDEV &&
            nic->type != VIR_TEAMING_NIC_NETWORK)
            virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_NOT_HOSTDEV, nic,
                             VIR_TEAMING_ELEMENT_NIC,
                             "a transient NIC of type '%s' is no device of the host",
                             nic->typeName ? nic->typeName : "user");
        break;
    }

    if (plain && (g_strcmp0(nic->mode, "capabilities") == 0 ||
                  g_strcmp0(nic->sourceType, "pci") != 0))
        virTeamingReport(check, VIR_TEAMING_RULE_HOSTDEV_NOT_PCI, nic, VIR_TEAMING_ELEMENT_NIC,
                         "a host device of type '%s' can't be in a pair",
                         nic->sourceType ? nic->sourceType : "");
    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT && nic->type == VIR_TEAMING_NIC_HOSTDEV &&
        nic->sourceType && strcmp(nic->sourceType, "pci") != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_NOT_PCI, nic,
                         VIR_TEAMING_ELEMENT_SOURCE,
                         "the transient NIC is a '%s' device of the host, not 'pci'",
                         nic->sourceType);
    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT && nic->driver.name &&
        (plain || nic->type == VIR_TEAMING_NIC_HOSTDEV) &&
        strcmp(nic->driver.name, "vfio") != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_NOT_VFIO, nic,
                         VIR_TEAMING_ELEMENT_DRIVER,
                         "the device is assigned by '%s', not by 'vfio'", nic->driver.name);
}


/*
 * A <driver> of virtio that names no back end of a tap: before libvirt knows what a NIC of a
 * network will be, it reads it by the model. Four settings it reads of any model, and refuses.
 *
 * Source: libvirt 9.0 and 11.3, virDomainNetDefParseXML() in src/conf/domain_conf.c and
 * virDomainNetDefValidate() in src/conf/domain_validate.c.
 */
static void
virTeamingCheckDriver(virTeamingCheck *check,
                      const virTeamingNic *nic)
{
    static const char *const backends[] = { "qemu", "vhost", NULL };
    const virTeamingVirtioOptions *driver = &nic->driver;
    virTeamingFinding *finding;

    if (!virTeamingNicHasRole(nic) || virTeamingNicIsPlain(nic))
        return;
    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT && !virTeamingNicIsVirtio(nic) &&
        (driver->iommu || driver->ats || driver->packed || driver->pagePerVq)) {
        finding = virTeamingReport(check, VIR_TEAMING_RULE_MALFORMED_VALUE, nic,
                                   VIR_TEAMING_ELEMENT_DRIVER,
                                   "only of model 'virtio' has a <driver> 'iommu', 'ats', "
                                   "'packed' or 'page_per_vq'");
        virTeamingFindingSetHint(finding, g_strdup("take them out: a VF has none of these"));
    }
    if (nic->type == VIR_TEAMING_NIC_HOSTDEV || !virTeamingNicIsVirtio(nic) ||
        !driver->name || g_strv_contains(backends, driver->name))
        return;
    finding = virTeamingReport(check, VIR_TEAMING_RULE_MALFORMED_VALUE, nic,
                               VIR_TEAMING_ELEMENT_DRIVER,
                               "a NIC of model '%s' has the driver 'vhost' or 'qemu', not '%s'",
                               nic->model, driver->name);
    virTeamingFindingSetHint(finding, g_strdup_printf("take name='%s' out", driver->name));
}


/*
 * Whether a transient NIC will have the same name when it is plugged again. Of what is plugged,
 * libvirt drops an alias that is not a person's.
 *
 * Source: libvirt 9.0 and 11.3, qemuAssignDeviceHostdevAlias() in src/qemu/qemu_alias.c; QEMU
 * 10.0.2, failover_hide_primary_device() in hw/net/virtio-net.c.
 */
static void
virTeamingCheckCounted(virTeamingCheck *check,
                       const virTeamingNic *nic)
{
    virTeamingFinding *finding;

    if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || virTeamingAliasIsKept(nic->id) ||
        check->domain->counted < 2)
        return;
    finding = virTeamingReport(
        check, VIR_TEAMING_RULE_TRANSIENT_COUNTED, nic, VIR_TEAMING_ELEMENT_ALIAS,
        "the VF is '%s', the name that libvirt gives it by counting devices of the host; plugged "
        "again, it may get another, which QEMU refuses", nic->id);
    virTeamingFindingSetHint(finding, g_strdup_printf(
        "give the transient NIC <alias name='%s-vf'/>; it is used from the next start on",
        nic->persistent && virTeamingAliasIsKept(nic->persistent) ? nic->persistent : "ua-NAME"));
}


static void
virTeamingCheckAlias(virTeamingCheck *check,
                     const virTeamingNic *nic)
{
    const virTeamingNic *first = g_hash_table_lookup(check->byId, nic->id);
    const virTeamingAliasUse *other = g_hash_table_lookup(check->others, nic->id);

    if (first != nic && (virTeamingNicHasRole(nic) || virTeamingNicHasRole(first)))
        virTeamingReport(check, VIR_TEAMING_RULE_ALIAS_DUPLICATE, nic,
                         VIR_TEAMING_ELEMENT_ALIAS, "another device has the alias '%s' already",
                         nic->id);
    else if (other && virTeamingNicHasRole(nic))
        virTeamingReport(check, VIR_TEAMING_RULE_ALIAS_DUPLICATE, nic,
                         VIR_TEAMING_ELEMENT_ALIAS, "the <%s> on line %d has the alias '%s', too",
                         other->element, other->line, nic->id);
    virTeamingCheckCounted(check, nic);

    /* In XML of a running domain every device has its alias. */
    if (nic->role != VIR_TEAMING_ROLE_PERSISTENT || check->domain->live)
        return;
    if (nic->alias && strcmp(nic->alias, nic->id) != 0)
        virTeamingReport(check, VIR_TEAMING_RULE_ALIAS_NOT_KEPT, nic, VIR_TEAMING_ELEMENT_ALIAS,
                         "libvirt will drop the alias '%s'", nic->alias);
    else if (!nic->alias && !g_hash_table_contains(check->referred, nic))
        virTeamingReport(check, VIR_TEAMING_RULE_ALIAS_MISSING, nic, VIR_TEAMING_ELEMENT_NIC,
                         "the persistent NIC has no alias that a transient one could name");
}


/* Whom a transient NIC refers to. */
static void
virTeamingCheckReference(virTeamingCheck *check,
                         const virTeamingNic *nic)
{
    const virTeamingNic *other = g_hash_table_lookup(check->partner, nic);

    if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || !nic->persistent)
        return;

    if (strcmp(nic->persistent, nic->id) == 0 || g_strcmp0(nic->persistent, nic->alias) == 0) {
        virTeamingReport(check, VIR_TEAMING_RULE_REFERENCE_SELF, nic,
                         VIR_TEAMING_ELEMENT_TEAMING, "'%s' names itself", nic->persistent);
        return;
    }
    if (!other) {
        virTeamingReport(check, VIR_TEAMING_RULE_REFERENCE_DANGLING, nic,
                         VIR_TEAMING_ELEMENT_TEAMING, "no NIC has the alias '%s'",
                         nic->persistent);
        return;
    }
    if (other->role != VIR_TEAMING_ROLE_PERSISTENT) {
        /* If it has a type that does not exist, it was meant to be. */
        if (other->role == VIR_TEAMING_ROLE_UNKNOWN)
            return;
        virTeamingReport(check, VIR_TEAMING_RULE_REFERENCE_NOT_PERSISTENT, nic,
                         VIR_TEAMING_ELEMENT_TEAMING, "'%s' (line %d) is not persistent",
                         nic->persistent, other->line);
        return;
    }
    if (!check->domain->live && strcmp(other->id, nic->persistent) == 0 &&
        !virTeamingAliasIsKept(other->id))
        virTeamingReport(check, VIR_TEAMING_RULE_REFERENCE_BY_POSITION, nic,
                         VIR_TEAMING_ELEMENT_TEAMING,
                         "'%s' is not an alias; libvirt will give that name by counting NICs",
                         nic->persistent);
    if (g_hash_table_lookup(check->referred, other) != nic) {
        const virTeamingNic *first = g_hash_table_lookup(check->referred, other);

        virTeamingReport(check, VIR_TEAMING_RULE_SEVERAL_TRANSIENTS, nic,
                         VIR_TEAMING_ELEMENT_TEAMING,
                         "'%s' has a transient partner already, on line %d",
                         nic->persistent, first->line);
    }
}


static void
virTeamingCheckStandby(virTeamingCheck *check,
                       const virTeamingNic *nic)
{
    gboolean reaches = FALSE;

    if (nic->role != VIR_TEAMING_ROLE_PERSISTENT || virTeamingNicIsPlain(nic))
        return;

    switch (nic->type) {
    case VIR_TEAMING_NIC_ETHERNET:
    case VIR_TEAMING_NIC_VHOSTUSER:
    case VIR_TEAMING_NIC_NETWORK:
    case VIR_TEAMING_NIC_BRIDGE:
    case VIR_TEAMING_NIC_DIRECT:
    case VIR_TEAMING_NIC_VDPA:
        reaches = TRUE;
        break;
    case VIR_TEAMING_NIC_UNKNOWN:
    case VIR_TEAMING_NIC_USER:
    case VIR_TEAMING_NIC_SERVER:
    case VIR_TEAMING_NIC_CLIENT:
    case VIR_TEAMING_NIC_MCAST:
    case VIR_TEAMING_NIC_INTERNAL:
    case VIR_TEAMING_NIC_HOSTDEV:
    case VIR_TEAMING_NIC_UDP:
    case VIR_TEAMING_NIC_NULL:
    case VIR_TEAMING_NIC_VDS:
    case VIR_TEAMING_NIC_PLAIN_HOSTDEV:
        break;
    }
    if (!reaches)
        virTeamingReport(check, VIR_TEAMING_RULE_PERSISTENT_TYPE, nic, VIR_TEAMING_ELEMENT_NIC,
                         "a NIC of type '%s' can't stand in for a VF",
                         nic->typeName ? nic->typeName : "user");

    /* One that nobody can name was reported as such; so was who did not name it right. */
    if (!g_hash_table_contains(check->referred, nic) && !check->unresolved &&
        !g_hash_table_contains(check->moved, nic->id) &&
        (check->domain->live || (nic->alias && strcmp(nic->alias, nic->id) == 0)))
        virTeamingReport(check, VIR_TEAMING_RULE_PERSISTENT_ALONE, nic,
                         VIR_TEAMING_ELEMENT_TEAMING, "no transient NIC names '%s'",
                         virTeamingNicName(nic));

    if (nic->linkDown)
        virTeamingReport(check, VIR_TEAMING_RULE_STANDBY_LINK_DOWN, nic,
                         VIR_TEAMING_ELEMENT_LINK,
                         "the standby's link is down");
}


static void
virTeamingCheckMac(virTeamingCheck *check,
                   const virTeamingNic *nic,
                   GHashTable *macs)
{
    const virTeamingNic *other = g_hash_table_lookup(check->partner, nic);
    const virTeamingNic *owner = other ? other : nic;
    const virTeamingNic *first;
    char mac[VIR_TEAMING_MAC_STRING_LEN];
    char mac2[VIR_TEAMING_MAC_STRING_LEN];

    if (virTeamingNicIsPlain(nic)) {
        if (nic->role == VIR_TEAMING_ROLE_TRANSIENT)
            virTeamingReport(check, VIR_TEAMING_RULE_MAC_OF_HOSTDEV, nic,
                             VIR_TEAMING_ELEMENT_NIC,
                             "libvirt will not set the MAC of this VF");
        return;
    }
    if (!virTeamingNicHasMac(nic)) {
        if ((nic->role == VIR_TEAMING_ROLE_PERSISTENT ||
             nic->role == VIR_TEAMING_ROLE_TRANSIENT) && !nic->lines[VIR_TEAMING_ELEMENT_MAC])
            virTeamingReport(check, VIR_TEAMING_RULE_MAC_MISSING, nic, VIR_TEAMING_ELEMENT_NIC,
                             "no MAC; libvirt will make one up, and another for the partner");
        else if (virTeamingNicHasRole(nic) && nic->hasMac)
            virTeamingReport(check, VIR_TEAMING_RULE_MAC_MISSING, nic, VIR_TEAMING_ELEMENT_MAC,
                             "a MAC of zeros is none; libvirt will make one up, and another for "
                             "the partner");
        return;
    }

    virTeamingMacFormat(&nic->mac, mac);
    if (virTeamingNicHasRole(nic) && virTeamingMacIsMulticast(&nic->mac))
        virTeamingReport(check, VIR_TEAMING_RULE_MAC_MULTICAST, nic, VIR_TEAMING_ELEMENT_MAC,
                         "%s is a multicast address", mac);

    if (other && !virTeamingNicIsPlain(other) && virTeamingNicHasMac(other) &&
        !virTeamingMacEqual(&nic->mac, &other->mac))
        virTeamingReport(check, VIR_TEAMING_RULE_MAC_UNEQUAL, nic, VIR_TEAMING_ELEMENT_MAC,
                         "%s, but the persistent NIC on line %d has %s", mac, other->line,
                         virTeamingMacFormat(&other->mac, mac2));

    /* Whose pair it is in is not known, and its reference or its type was reported. */
    if ((nic->role == VIR_TEAMING_ROLE_TRANSIENT || nic->role == VIR_TEAMING_ROLE_UNKNOWN) &&
        !other)
        return;
    /* The table holds, of each MAC, the persistent NIC of its first pair. */
    first = g_hash_table_lookup(macs, mac);
    if (!first)
        g_hash_table_insert(macs, g_strdup(mac), (gpointer)owner);
    else if (first != owner && (virTeamingNicHasRole(nic) || virTeamingNicHasRole(first)))
        virTeamingReport(check, VIR_TEAMING_RULE_MAC_SHARED, nic, VIR_TEAMING_ELEMENT_MAC,
                         "%s is already used by the NIC or pair on line %d", mac, first->line);
}


/* A VF that has no place in the guest yet: will libvirt choose a bad one? It goes by the model of a
 * network's NIC (11.3, qemuDomainDeviceCalculatePCIConnectFlags() in qemu_domain_address.c). */
static void
virTeamingCheckGuestModel(virTeamingCheck *check,
                          const virTeamingNic *nic)
{
    static const char *const express[] = { "virtio", "virtio-non-transitional", "e1000e", "igb",
                                           NULL };

    if (nic->type == VIR_TEAMING_NIC_NETWORK && nic->model && !g_strv_contains(express, nic->model))
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_MODEL_CONVENTIONAL, nic,
                         VIR_TEAMING_ELEMENT_MODEL,
                         "libvirt will put a NIC of model '%s' on a conventional PCI bus",
                         nic->model);
}


static gboolean
virTeamingControllerIsPort(const virTeamingController *controller)
{
    return g_strcmp0(controller->model, "pcie-root-port") == 0 ||
        g_strcmp0(controller->model, "pcie-switch-downstream-port") == 0;
}


/* The same: will it choose a port that takes no hotplug? It makes no difference between them
 * (9.0 and 11.3, virDomainPCIAddressGetNextAddr() in src/conf/domain_addr.c). */
static void
virTeamingCheckGuestPort(virTeamingCheck *check,
                         const virTeamingNic *nic)
{
    for (guint i = 0; i < check->domain->controllers->len; i++) {
        const virTeamingController *port = check->domain->controllers->pdata[i];
        virTeamingPciAddress address = { .bus = port->index };

        if (!port->hotplugOff || !virTeamingControllerIsPort(port) ||
            g_hash_table_contains(check->slots, virTeamingSlotKey(&address)))
            continue;
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_PORT_CHOSEN, nic, VIR_TEAMING_ELEMENT_NIC,
                         "libvirt may put the VF into bus %u (line %d), which has hotplug off",
                         port->index, port->line);
        return;
    }
}


/* Source: libvirt 9.0 and 11.3, virDomainPCIAddressBusSetModel() in src/conf/domain_addr.c. */
static void
virTeamingCheckSlot(virTeamingCheck *check,
                    const virTeamingNic *nic)
{
    const virTeamingController *port = nic->hasAddress ?
        check->domain->buses[nic->address.bus] : NULL;

    if (virTeamingNicHasRole(nic) && port && nic->address.slot &&
        virTeamingControllerIsPort(port))
        virTeamingReport(check, VIR_TEAMING_RULE_MALFORMED_VALUE, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS,
                         "bus %u is a port, which has slot 0 only, not %u", nic->address.bus,
                         nic->address.slot);
}


/* Where the VF sits in the guest. */
static void
virTeamingCheckGuestAddress(virTeamingCheck *check,
                            const virTeamingNic *nic)
{
    const virTeamingDomain *domain = check->domain;
    const virTeamingController *controller;
    const virTeamingNic *other = g_hash_table_lookup(check->partner, nic);
    const char *model;
    gboolean root;

    if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || !check->pcie)
        return;
    /* Of an <interface>, libvirt refuses it. */
    if (virTeamingNicIsPlain(nic) && g_strcmp0(nic->addressType, "unassigned") == 0) {
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_UNASSIGNED, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "the VF is not given to the guest");
        return;
    }
    if (!nic->hasAddress) {
        virTeamingCheckGuestModel(check, nic);
        virTeamingCheckGuestPort(check, nic);
        return;
    }

    controller = domain->buses[nic->address.bus];
    model = controller && controller->model ? controller->model : "";
    root = strcmp(model, "pcie-root") == 0 || strcmp(model, "pcie-expander-bus") == 0 ||
        strcmp(model, "pcie-switch-upstream-port") == 0 || (!controller && !nic->address.bus);

    if (root)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_BUS_ROOT_COMPLEX, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS,
                         "bus %u is %s; the VF can't be plugged there", nic->address.bus,
                         *model ? model : "the root complex");
    else if (strcmp(model, "pci-root") == 0 || strcmp(model, "pci-bridge") == 0 ||
             strcmp(model, "pci-expander-bus") == 0 ||
             strcmp(model, "dmi-to-pci-bridge") == 0 ||
             strcmp(model, "pcie-to-pci-bridge") == 0)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_BUS_CONVENTIONAL, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "bus %u is a %s, which is not PCI Express",
                         nic->address.bus, model);
    else if (controller && controller->hotplugOff)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_BUS_NO_HOTPLUG, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS,
                         "bus %u (line %d) has hotplug off", nic->address.bus, controller->line);

    if (other && other->hasAddress && other->address.domain == nic->address.domain &&
        other->address.bus == nic->address.bus && other->address.slot == nic->address.slot)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_SLOT_SHARED, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "bus %u, slot %u is its standby's own slot",
                         nic->address.bus, nic->address.slot);
    else if (GPOINTER_TO_UINT(g_hash_table_lookup(check->slots,
                                                  virTeamingSlotKey(&nic->address))) > 1)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_SLOT_SHARED, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "bus %u, slot %u has another device too",
                         nic->address.bus, nic->address.slot);

    if (nic->address.function)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_FUNCTION, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "the VF is function %u in the guest",
                         nic->address.function);
    if (nic->multifunction == VIR_TEAMING_SWITCH_ON)
        virTeamingReport(check, VIR_TEAMING_RULE_GUEST_MULTIFUNCTION, nic,
                         VIR_TEAMING_ELEMENT_ADDRESS, "the VF's slot is multifunction");
}


/* The PF that @nic's VF is, or will be, one of; @network: which says so, or NULL. */
static void
virTeamingCheckPf(virTeamingCheck *check,
                  const virTeamingNic *nic,
                  const char *network,
                  const char *name)
{
    const virTeamingHostPf *pf = check->host->pfs ?
        g_hash_table_lookup(check->host->pfs, name) : NULL;

    if (pf && !pf->present && network)
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_PF_MISSING, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "this host has no interface '%s', which "
                         "network '%s' takes its VFs from", name, network);
    if (pf && pf->unfit)
        virTeamingReport(check, VIR_TEAMING_RULE_NIC_UNFIT, nic, VIR_TEAMING_ELEMENT_SOURCE,
                         "a VF of NIC '%s' can't be in a pair: %s", name, pf->unfit);
    if (pf && pf->switchdev)
        virTeamingReport(check, VIR_TEAMING_RULE_PF_SWITCHDEV, nic, VIR_TEAMING_ELEMENT_SOURCE,
                         "NIC '%s' is in switchdev mode: its VFs have representors", name);
}


/* The PFs of those VFs that libvirt says a pool has, each once. Returns: whether one is known. */
static gboolean
virTeamingCheckPfsOfVfs(virTeamingCheck *check,
                        const virTeamingNic *nic,
                        const virTeamingNetwork *network)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; check->host->devices && i < network->vfs->len; i++) {
        char address[VIR_TEAMING_PCI_STRING_LEN];
        const virTeamingHostDevice *device =
            g_hash_table_lookup(check->host->devices, virTeamingPciAddressFormat(
                &g_array_index(network->vfs, virTeamingPciAddress, i), address));

        if (device && device->pf[0] && g_hash_table_add(seen, (gpointer)device->pf))
            virTeamingCheckPf(check, nic, NULL, device->pf);
    }
    return g_hash_table_size(seen) > 0;
}


/* The VF on its host. */
static void
virTeamingCheckSource(virTeamingCheck *check,
                      const virTeamingNic *nic)
{
    const virTeamingHostDevice *device = NULL;
    char address[VIR_TEAMING_PCI_STRING_LEN];

    if (nic->role != VIR_TEAMING_ROLE_TRANSIENT || !nic->hasSource)
        return;
    virTeamingPciAddressFormat(&nic->source, address);

    /* A running domain's XML does not tell a named VF from one that a network gave. */
    if (!check->domain->live) {
        virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_NAMED, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "the VF is %s on every host", address);
        if (!nic->managed)
            virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_UNMANAGED, nic,
                             VIR_TEAMING_ELEMENT_NIC, "managed='yes' is not written");
    }

    if (check->host && check->host->devices)
        device = g_hash_table_lookup(check->host->devices, address);
    if (device && (!device->vf || !device->nic))
        virTeamingReport(check, VIR_TEAMING_RULE_TRANSIENT_NOT_VF, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "%s on this host is %s", address,
                         device->nic ? "a NIC, but not a VF" : "no Ethernet NIC");
    else if (device && device->pf[0])
        virTeamingCheckPf(check, nic, NULL, device->pf);
}


/* Whether the pool has a VF for @nic as well; libvirt lists them once it is started. */
static void
virTeamingCheckPool(virTeamingCheck *check,
                    const virTeamingNic *nic,
                    const virTeamingHostNetwork *pool)
{
    guint needed = GPOINTER_TO_UINT(g_hash_table_lookup(check->needed, nic->network)) + 1;
    guint total = pool->conf->vfs->len;
    guint used = MIN(pool->conf->connections, total);

    g_hash_table_insert(check->needed, nic->network, GUINT_TO_POINTER(needed));
    /* A running domain is among those that use them. */
    if (pool->active && total && !check->domain->live && needed > total - used)
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_POOL_EXHAUSTED, nic,
                         VIR_TEAMING_ELEMENT_SOURCE,
                         "VFs of network '%s': %u, in use: %u, needed by this domain: %u",
                         nic->network, total, used, needed);
}


static void
virTeamingCheckNetworks(virTeamingCheck *check,
                        const virTeamingNic *nic)
{
    const virTeamingHostNetwork *entry;
    const virTeamingNetwork *network;
    const char *forward;

    if (!check->host || !check->host->networks || !virTeamingNicHasRole(nic) ||
        nic->type != VIR_TEAMING_NIC_NETWORK || !nic->network)
        return;

    entry = g_hash_table_lookup(check->host->networks, nic->network);
    if (!entry) {
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_MISSING, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "this host has no network '%s'",
                         nic->network);
        return;
    }
    network = entry->conf;
    if (!entry->active)
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_INACTIVE, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "network '%s' is not started on this host",
                         nic->network);

    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT) {
        if (!virTeamingNetworkIsPool(network))
            virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_NOT_POOL, nic,
                             VIR_TEAMING_ELEMENT_SOURCE, "network '%s' is of mode '%s', not "
                             "'hostdev'", nic->network,
                             network->forward ? network->forward : "isolated");
        else if (network->pfs->len == 0 && network->vfs->len == 0)
            virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_POOL_EMPTY, nic,
                             VIR_TEAMING_ELEMENT_SOURCE, "network '%s' names no PF and no VF",
                             nic->network);
        else
            virTeamingCheckPool(check, nic, entry);
        /* It is from those that libvirt takes one, whatever their PF was called when it listed
         * them (networkCreateInterfacePool() in src/network/bridge_driver.c). */
        if (virTeamingCheckPfsOfVfs(check, nic, network))
            return;
        for (guint i = 0; i < network->pfs->len; i++)
            virTeamingCheckPf(check, nic, nic->network, network->pfs->pdata[i]);
        return;
    }

    forward = network->forward ? network->forward : "isolated";
    if (virTeamingNetworkIsPool(network))
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_POOL_FOR_STANDBY, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "network '%s' gives VFs, not taps",
                         nic->network);
    else if (strcmp(forward, "nat") == 0 || strcmp(forward, "route") == 0 ||
             strcmp(forward, "open") == 0 || strcmp(forward, "isolated") == 0)
        virTeamingReport(check, VIR_TEAMING_RULE_NETWORK_OTHER_SEGMENT, nic,
                         VIR_TEAMING_ELEMENT_SOURCE, "network '%s' is of mode '%s'",
                         nic->network, forward);
}


static void
virTeamingCheckBoot(virTeamingCheck *check,
                    const virTeamingNic *nic)
{
    if (nic->role != VIR_TEAMING_ROLE_TRANSIENT)
        return;
    if (nic->bootOrder)
        virTeamingReport(check, VIR_TEAMING_RULE_BOOT_ON_VF, nic, VIR_TEAMING_ELEMENT_BOOT,
                         "the VF is number %u to boot from", nic->bootOrder);
    else if (check->domain->bootNetwork && !virTeamingNicIsPlain(nic) && nic->index == 1)
        virTeamingReport(check, VIR_TEAMING_RULE_BOOT_ON_VF, nic, VIR_TEAMING_ELEMENT_NIC,
                         "<boot dev='network'/> means the first NIC, which is the VF");
}


/* What is said once of the whole domain, which has a transient NIC. */
static void
virTeamingCheckDomain(virTeamingCheck *check)
{
    const virTeamingDomain *domain = check->domain;

    if (!check->pcie)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_MACHINE_WITHOUT_PCIE,
                                             domain->osTypeLine ? domain->osTypeLine :
                                             domain->line, g_strdup("/domain/os/type"),
                                             "machine '%s' (%s) has no PCI Express",
                                             domain->machine ? domain->machine : "pc",
                                             domain->arch ? domain->arch : "x86_64"));
    else if (virTeamingDomainIsX86(domain) && !domain->acpi)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_GUEST_WITHOUT_ACPI, domain->line,
                                             g_strdup("/domain"), "the domain has no <acpi/>"));

    if (domain->hardLimit && domain->hardLimit < domain->memory)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_MEMORY_LIMIT_TOO_LOW,
                                             domain->hardLimitLine,
                                             g_strdup("/domain/memtune/hard_limit"),
                                             "the limit is %" G_GUINT64_FORMAT " KiB, the "
                                             "guest's memory %" G_GUINT64_FORMAT " KiB",
                                             domain->hardLimit, domain->memory));
    else if (domain->hardLimit && domain->hardLimit - domain->memory < 1024 * 1024)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_MEMORY_LIMIT_TIGHT,
                                             domain->hardLimitLine,
                                             g_strdup("/domain/memtune/hard_limit"),
                                             "the limit leaves %" G_GUINT64_FORMAT " KiB beyond "
                                             "the guest's memory",
                                             domain->hardLimit - domain->memory));

    if (check->policy.postcopy == VIR_TEAMING_POSTCOPY_ALLOW)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_POSTCOPY,
                                             domain->policyLine ? domain->policyLine :
                                             domain->line, g_strdup("/domain/metadata/policy"),
                                             "this domain may be migrated with post-copy"));

    if (domain->iommuLine)
        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_IOMMU_NOT_CACHING, domain->iommuLine,
                                             g_strdup("/domain/devices/iommu"),
                                             "QEMU plugs no VF under %s", domain->iommu));
    for (guint i = 0; i < domain->obstacles->len; i++) {
        const virTeamingObstacle *obstacle = domain->obstacles->pdata[i];

        g_ptr_array_add(check->findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_UNMIGRATABLE, obstacle->line,
                                             g_strdup(obstacle->element), "the domain has %s",
                                             obstacle->what));
    }
}


static void
virTeamingCheckProblems(virTeamingCheck *check,
                        gboolean teaming)
{
    for (guint i = 0; i < check->domain->problems->len; i++) {
        const virTeamingProblem *problem = check->domain->problems->pdata[i];
        virTeamingFinding *finding;

        if (!problem->policy &&
            (!teaming || (problem->nic && !virTeamingNicHasRole(problem->nic))))
            continue;
        finding = virTeamingFindingNew(problem->policy ? VIR_TEAMING_RULE_POLICY_UNKNOWN :
                                       VIR_TEAMING_RULE_MALFORMED_VALUE, problem->line,
                                       g_strdup(problem->element), "%s", problem->message);
        if (problem->hint)
            virTeamingFindingSetHint(finding, g_strdup(problem->hint));
        g_ptr_array_add(check->findings, finding);
    }
}


static gint
virTeamingFindingCompare(gconstpointer a,
                         gconstpointer b)
{
    const virTeamingFinding *x = *(virTeamingFinding *const *)a;
    const virTeamingFinding *y = *(virTeamingFinding *const *)b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (int)x->rule - (int)y->rule;
}


/**
 * virTeamingDomainValidate:
 * @domain: a domain
 * @host: (nullable): what is known of the host that it is to run on
 * @defaults: (nullable): the host's policy; NULL for what is built in
 *
 * Returns: (transfer full): of virTeamingFinding, by line; empty if all is well. It can
 * outlive @domain.
 */
GPtrArray *
virTeamingDomainValidate(const virTeamingDomain *domain,
                         const virTeamingHost *host,
                         const virTeamingPolicy *defaults)
{
    g_autoptr(GHashTable) byId = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) byAlias = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) others = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) partner = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) referred = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) moved = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) needed = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) slots = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) macs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const virTeamingNic *teaming = NULL;
    gboolean transient = FALSE;
    virTeamingCheck check = {
        .domain = domain,
        .host = host,
        .byId = byId,
        .byAlias = byAlias,
        .others = others,
        .partner = partner,
        .referred = referred,
        .moved = moved,
        .needed = needed,
        .slots = slots,
        .pcie = virTeamingDomainHasPcie(domain),
        .findings = g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingFindingFree),
    };

    virTeamingDomainGetPolicy(domain, defaults, &check.policy);
    for (guint i = 0; i < domain->nics->len; i++) {
        const virTeamingNic *nic = domain->nics->pdata[i];

        if (!teaming && virTeamingNicHasRole(nic))
            teaming = nic;
        transient |= nic->role == VIR_TEAMING_ROLE_TRANSIENT;
    }
    virTeamingCheckProblems(&check, teaming != NULL);
    if (!teaming) {
        /* Nothing of the rest is ours. */
    } else if (!virTeamingDomainIsQemu(domain)) {
        g_ptr_array_add(check.findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_DOMAIN_TYPE, domain->line,
                                             g_strdup("/domain"),
                                             "a domain of type '%s' can't have failover pairs",
                                             domain->type ? domain->type : ""));
    } else {
        virTeamingCheckIndex(&check);
        if (transient)
            virTeamingCheckDomain(&check);
        for (guint i = 0; i < domain->nics->len; i++) {
            const virTeamingNic *nic = domain->nics->pdata[i];

            virTeamingCheckRole(&check, nic);
            virTeamingCheckDriver(&check, nic);
            virTeamingCheckAlias(&check, nic);
            virTeamingCheckReference(&check, nic);
            virTeamingCheckStandby(&check, nic);
            virTeamingCheckMac(&check, nic, macs);
            virTeamingCheckSlot(&check, nic);
            virTeamingCheckGuestAddress(&check, nic);
            virTeamingCheckSource(&check, nic);
            virTeamingCheckNetworks(&check, nic);
            virTeamingCheckSettings(&check, nic);
            virTeamingCheckBoot(&check, nic);
        }
    }
    g_ptr_array_sort(check.findings, virTeamingFindingCompare);
    return check.findings;
}
