/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_command.c: a pair's NICs as arguments for QEMU
 */

#include "qemu_command.h"

#include <string.h>

#include "teaming_error.h"

/*
 * Theory of operation
 *
 * libvirt's QEMU driver writes a virtio NIC as a -netdev and a -device, and a device
 * of the host as a -device alone, each in JSON. A pair differs from any other two
 * NICs in one property on each side: "failover" on the standby, "failover_pair_id",
 * with the standby's id, on the primary. This file says what libvirt would write for
 * a given XML, property by property and in the same order, so that what QEMU gets can
 * be known before a guest starts, and compared with what it got when one runs.
 *
 * Two things exist only while a guest runs, and get a word in capitals instead: the
 * file descriptors of tap and vhost and of a VF that goes by iommufd (TAPFD, VHOSTFD, VFIOFD),
 * and the VF that libvirt will take from a network (VF-OF-…). Guest addresses are libvirt's to
 * assign: of XML that has none, the arguments have none.
 *
 * Source: libvirt 9.0.0 and 11.3.0, src/qemu/qemu_command.c, qemu_alias.c, qemu_process.c
 * and qemu_interface.c; the two do not differ in what is written here. Both write JSON
 * for QEMU >= 6.2. Of iommufd, libvirt 12.5.0's tests/qemuxmlconfdata/iommufd.x86_64-latest.args:
 * there is one for the whole domain, and a VF that goes by it is named by its descriptor alone.
 */

/* Of virtio; taps have fewer. There is a word for each, so there must be an end. */
#define VIR_TEAMING_QUEUES_MAX 1024

#define VIR_TEAMING_QEMU_VFIO_FD "VFIOFD"


static void
virTeamingPropsAddSwitch(JsonObject *props,
                         const char *name,
                         virTeamingSwitch value)
{
    if (value != VIR_TEAMING_SWITCH_ABSENT)
        json_object_set_boolean_member(props, name, value == VIR_TEAMING_SWITCH_ON);
}


static void
virTeamingPropsAddUint(JsonObject *props,
                       const char *name,
                       guint value)
{
    if (value)
        json_object_set_int_member(props, name, value);
}


static void
virTeamingPropsAddString(JsonObject *props,
                         const char *name,
                         const char *value)
{
    if (value)
        json_object_set_string_member(props, name, value);
}


/* PREFIX, or PREFIX0:PREFIX1:… for more than one queue, where libvirt writes numbers. */
static void
virTeamingPropsAddFds(JsonObject *props,
                      const char *one,
                      const char *many,
                      const char *prefix,
                      guint queues)
{
    g_autoptr(GString) fds = g_string_new(prefix);

    if (queues > 1) {
        g_string_truncate(fds, 0);
        for (guint i = 0; i < queues; i++)
            g_string_append_printf(fds, "%s%s%u", i ? ":" : "", prefix, i);
    }
    json_object_set_string_member(props, queues > 1 ? many : one, fds->str);
}


/* How QEMU calls the bus that sits on controller @index. */
static char *
virTeamingQemuBusName(const virTeamingDomain *domain,
                      guint index)
{
    const virTeamingController *controller = domain->buses[index];
    const char *model = controller ? controller->model : NULL;
    gboolean rootComplex = g_strcmp0(model, "pcie-root") == 0;

    if (!controller && index == 0)
        rootComplex = domain->machine &&
            (strstr(domain->machine, "q35") || g_str_has_prefix(domain->machine, "virt"));
    if (rootComplex)
        return g_strdup_printf("pcie.%u", index);
    if (g_strcmp0(model, "pci-root") == 0 && index == 0)
        return g_strdup("pci.0");
    if (controller && controller->alias &&
        (domain->live || g_str_has_prefix(controller->alias, "ua-")))
        return g_strdup(controller->alias);
    return g_strdup_printf("pci.%u", index);
}


static void
virTeamingPropsAddAddress(JsonObject *props,
                          const virTeamingDomain *domain,
                          const virTeamingNic *nic)
{
    g_autofree char *bus = NULL;
    g_autofree char *addr = NULL;

    if (!nic->hasAddress)
        return;

    bus = virTeamingQemuBusName(domain, nic->address.bus);
    if (nic->address.function)
        addr = g_strdup_printf("0x%x.0x%x", nic->address.slot, nic->address.function);
    else
        addr = g_strdup_printf("0x%x", nic->address.slot);
    json_object_set_string_member(props, "bus", bus);
    virTeamingPropsAddSwitch(props, "multifunction", nic->multifunction);
    json_object_set_string_member(props, "addr", addr);
    virTeamingPropsAddUint(props, "acpi-index", nic->acpiIndex);
}


static void
virTeamingPropsAddRom(JsonObject *props,
                      const virTeamingNic *nic)
{
    if (nic->romEnabled == VIR_TEAMING_SWITCH_OFF) {
        json_object_set_string_member(props, "romfile", "");
        return;
    }
    if (nic->romBar != VIR_TEAMING_SWITCH_ABSENT)
        json_object_set_int_member(props, "rombar", nic->romBar == VIR_TEAMING_SWITCH_ON);
    virTeamingPropsAddString(props, "romfile", nic->romFile);
}


/* <boot order='N'/>, or the place of <boot dev='network'/>, which is the first NIC's. */
static guint
virTeamingQemuBootIndex(const virTeamingDomain *domain,
                        const virTeamingNic *nic)
{
    if (nic->bootOrder)
        return nic->bootOrder;
    if (nic->type != VIR_TEAMING_NIC_PLAIN_HOSTDEV && nic->index == 1)
        return domain->bootNetwork;
    return 0;
}


static const char *
virTeamingQemuVirtioDriver(const virTeamingDomain *domain,
                           const virTeamingNic *nic)
{
    const char *type = nic->addressType;

    if (!type && g_strcmp0(domain->arch, "s390x") == 0)
        type = "ccw";
    if (g_strcmp0(type, "ccw") == 0)
        return "virtio-net-ccw";
    if (g_strcmp0(type, "virtio-mmio") == 0)
        return "virtio-net-device";
    if (strcmp(nic->model, "virtio-transitional") == 0)
        return "virtio-net-pci-transitional";
    if (strcmp(nic->model, "virtio-non-transitional") == 0)
        return "virtio-net-pci-non-transitional";
    return "virtio-net-pci";
}


static JsonObject *
virTeamingQemuStandbyBuild(const virTeamingDomain *domain,
                           const virTeamingNic *nic)
{
    const virTeamingVirtioOptions *driver = &nic->driver;
    JsonObject *props = json_object_new();
    g_autofree char *netdev = g_strdup_printf("host%s", nic->id);
    const char *model = virTeamingQemuVirtioDriver(domain, nic);
    gboolean ccw = strcmp(model, "virtio-net-ccw") == 0;
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    json_object_set_string_member(props, "driver", model);
    virTeamingPropsAddSwitch(props, "iommu_platform", driver->iommu);
    virTeamingPropsAddSwitch(props, "ats", driver->ats);
    virTeamingPropsAddSwitch(props, "packed", driver->packed);
    virTeamingPropsAddSwitch(props, "page-per-vq", driver->pagePerVq);
    if (g_strcmp0(driver->txmode, "iothread") == 0)
        json_object_set_string_member(props, "tx", "bh");
    else if (g_strcmp0(driver->txmode, "timer") == 0)
        json_object_set_string_member(props, "tx", "timer");
    virTeamingPropsAddSwitch(props, "ioeventfd", driver->ioeventfd);
    virTeamingPropsAddSwitch(props, "event_idx", driver->eventIdx);
    virTeamingPropsAddSwitch(props, "csum", driver->hostCsum);
    virTeamingPropsAddSwitch(props, "gso", driver->hostGso);
    virTeamingPropsAddSwitch(props, "host_tso4", driver->hostTso4);
    virTeamingPropsAddSwitch(props, "host_tso6", driver->hostTso6);
    virTeamingPropsAddSwitch(props, "host_ecn", driver->hostEcn);
    virTeamingPropsAddSwitch(props, "host_ufo", driver->hostUfo);
    virTeamingPropsAddSwitch(props, "mrg_rxbuf", driver->hostMrgRxbuf);
    virTeamingPropsAddSwitch(props, "guest_csum", driver->guestCsum);
    virTeamingPropsAddSwitch(props, "guest_tso4", driver->guestTso4);
    virTeamingPropsAddSwitch(props, "guest_tso6", driver->guestTso6);
    virTeamingPropsAddSwitch(props, "guest_ecn", driver->guestEcn);
    virTeamingPropsAddSwitch(props, "guest_ufo", driver->guestUfo);
    if (driver->queues > 1) {
        json_object_set_boolean_member(props, "mq", TRUE);
        /* One for each direction of each queue, one for control, one for changes. */
        if (!ccw)
            json_object_set_int_member(props, "vectors", 2 * (gint64)driver->queues + 2);
    }
    virTeamingPropsAddUint(props, "rx_queue_size", driver->rxQueueSize);
    virTeamingPropsAddUint(props, "tx_queue_size", driver->txQueueSize);
    virTeamingPropsAddSwitch(props, "rss", driver->rss);
    virTeamingPropsAddSwitch(props, "hash", driver->rssHashReport);
    virTeamingPropsAddUint(props, "host_mtu", nic->mtu);
    if (nic->role == VIR_TEAMING_ROLE_PERSISTENT)
        json_object_set_boolean_member(props, "failover", TRUE);
    json_object_set_string_member(props, "netdev", netdev);
    json_object_set_string_member(props, "id", nic->id);
    if (nic->hasMac)
        json_object_set_string_member(props, "mac", virTeamingMacFormat(&nic->mac, mac));
    virTeamingPropsAddUint(props, "bootindex", virTeamingQemuBootIndex(domain, nic));
    virTeamingPropsAddAddress(props, domain, nic);
    virTeamingPropsAddRom(props, nic);
    return props;
}


static JsonObject *
virTeamingQemuPrimaryBuild(const virTeamingDomain *domain,
                           const virTeamingNic *nic)
{
    JsonObject *props = json_object_new();
    g_autofree char *unknown = g_strdup_printf("VF-OF-%s", nic->network ? nic->network : "?");
    const gboolean iommufd = nic->driver.iommufd == VIR_TEAMING_SWITCH_ABSENT ?
        domain->iommufd : nic->driver.iommufd == VIR_TEAMING_SWITCH_ON;
    char host[VIR_TEAMING_PCI_STRING_LEN];

    json_object_set_string_member(props, "driver", "vfio-pci");
    if (!iommufd)
        json_object_set_string_member(props, "host", nic->hasSource ?
                                      virTeamingPciAddressFormat(&nic->source, host) : unknown);
    json_object_set_string_member(props, "id", nic->id);
    virTeamingPropsAddUint(props, "bootindex", virTeamingQemuBootIndex(domain, nic));
    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT)
        virTeamingPropsAddString(props, "failover_pair_id", nic->persistent);
    if (iommufd) {
        json_object_set_string_member(props, "iommufd", "iommufd0");
        json_object_set_string_member(props, "fd", VIR_TEAMING_QEMU_VFIO_FD);
    }
    virTeamingPropsAddAddress(props, domain, nic);
    virTeamingPropsAddRom(props, nic);
    return props;
}


/* Returns: (transfer full): what libvirt writes behind -device for @nic, which has a role in a pair;
 * NULL with INVALID if libvirt would refuse it. */
static JsonObject *
virTeamingQemuDeviceBuild(const virTeamingDomain *domain,
                          const virTeamingNic *nic,
                          GError **error)
{
    if (nic->role == VIR_TEAMING_ROLE_TRANSIENT &&
        (nic->type == VIR_TEAMING_NIC_HOSTDEV || nic->type == VIR_TEAMING_NIC_NETWORK ||
         nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV))
        return virTeamingQemuPrimaryBuild(domain, nic);
    if (nic->role == VIR_TEAMING_ROLE_PERSISTENT && virTeamingNicIsVirtio(nic))
        return virTeamingQemuStandbyBuild(domain, nic);

    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "%s:%d: libvirt refuses this NIC, so QEMU gets no arguments; "
                "'virt-teaming check' says why", domain->file, nic->line);
    return NULL;
}


/* Returns: (transfer full): what libvirt writes behind -netdev for @nic, a persistent one; NULL with
 * UNSUPPORTED for a type that has no netdev here, with INVALID for more queues than there can be. */
static JsonObject *
virTeamingQemuNetdevBuild(const virTeamingDomain *domain,
                          const virTeamingNic *nic,
                          GError **error)
{
    g_autoptr(JsonObject) props = json_object_new();
    g_autofree char *id = g_strdup_printf("host%s", nic->id);
    g_autofree char *chardev = g_strdup_printf("char%s", nic->id);

    if (nic->driver.queues > VIR_TEAMING_QUEUES_MAX) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s:%d: no NIC has %u queues", domain->file, nic->line, nic->driver.queues);
        return NULL;
    }

    switch (nic->type) {
    case VIR_TEAMING_NIC_BRIDGE:
    case VIR_TEAMING_NIC_NETWORK:
    case VIR_TEAMING_NIC_DIRECT:
    case VIR_TEAMING_NIC_ETHERNET:
        json_object_set_string_member(props, "type", "tap");
        virTeamingPropsAddFds(props, "fd", "fds", "TAPFD", nic->driver.queues);
        if (g_strcmp0(domain->type, "kvm") == 0 &&
            g_strcmp0(nic->driver.name, "qemu") != 0) {
            json_object_set_boolean_member(props, "vhost", TRUE);
            virTeamingPropsAddFds(props, "vhostfd", "vhostfds", "VHOSTFD",
                                  nic->driver.queues);
        }
        if (nic->sndbuf != G_MAXUINT64)
            json_object_set_int_member(props, "sndbuf", nic->sndbuf);
        break;

    case VIR_TEAMING_NIC_USER:
    case VIR_TEAMING_NIC_INTERNAL:
        json_object_set_string_member(props, "type", "user");
        break;

    case VIR_TEAMING_NIC_VHOSTUSER:
        json_object_set_string_member(props, "type", "vhost-user");
        json_object_set_string_member(props, "chardev", chardev);
        if (nic->driver.queues > 1)
            json_object_set_int_member(props, "queues", nic->driver.queues);
        break;

    case VIR_TEAMING_NIC_VDPA:
        json_object_set_string_member(props, "type", "vhost-vdpa");
        json_object_set_string_member(props, "vhostdev", "VDPAFD");
        if (nic->driver.queues > 1)
            json_object_set_int_member(props, "queues", nic->driver.queues);
        break;

    case VIR_TEAMING_NIC_UNKNOWN:
    case VIR_TEAMING_NIC_SERVER:
    case VIR_TEAMING_NIC_CLIENT:
    case VIR_TEAMING_NIC_MCAST:
    case VIR_TEAMING_NIC_HOSTDEV:
    case VIR_TEAMING_NIC_UDP:
    case VIR_TEAMING_NIC_NULL:
    case VIR_TEAMING_NIC_VDS:
    case VIR_TEAMING_NIC_PLAIN_HOSTDEV:
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "%s:%d: a persistent NIC of type '%s' can't reach the VF's segment, "
                    "so its arguments are not written", domain->file, nic->line,
                    nic->typeName ? nic->typeName : "hostdev");
        return NULL;
    }

    json_object_set_string_member(props, "id", id);
    return g_steal_pointer(&props);
}


static void
virTeamingQemuArgFree(gpointer opaque)
{
    virTeamingQemuArg *arg = opaque;

    json_object_unref(arg->props);
    g_free(arg);
}


static gboolean
virTeamingQemuArgAdd(GPtrArray *args,
                     const char *option,
                     const virTeamingNic *nic,
                     JsonObject *props)
{
    virTeamingQemuArg *arg;

    if (!props)
        return FALSE;
    arg = g_new(virTeamingQemuArg, 1);
    arg->option = option;
    arg->props = props;
    arg->nic = nic;
    g_ptr_array_add(args, arg);
    return TRUE;
}


/**
 * virTeamingQemuCommandBuild:
 * @domain: a domain
 * @error: set to VIR_TEAMING_ERROR_INVALID or VIR_TEAMING_ERROR_UNSUPPORTED
 *
 * Returns: (transfer full): of virTeamingQemuArg, the arguments of every NIC that has a
 * role in a pair, in the order of libvirt's command line: persistent ones, then NICs of
 * the host, then plain host devices. They refer to @domain. NULL on error.
 */
GPtrArray *
virTeamingQemuCommandBuild(const virTeamingDomain *domain,
                           GError **error)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(virTeamingQemuArgFree);

    for (int round = 0; round < 3; round++) {
        for (guint i = 0; i < domain->nics->len; i++) {
            const virTeamingNic *nic = domain->nics->pdata[i];
            gboolean persistent = nic->role == VIR_TEAMING_ROLE_PERSISTENT;
            int mine = persistent ? 0 : nic->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV ? 2 : 1;

            /* What is unassigned, libvirt keeps from QEMU (qemuBuildHostdevCommandLine()). */
            if (nic->role == VIR_TEAMING_ROLE_NONE || mine != round ||
                (mine == 2 && g_strcmp0(nic->addressType, "unassigned") == 0))
                continue;
            if (persistent &&
                !virTeamingQemuArgAdd(args, "-netdev", nic,
                                      virTeamingQemuNetdevBuild(domain, nic, error)))
                return NULL;
            if (!virTeamingQemuArgAdd(args, "-device", nic,
                                      virTeamingQemuDeviceBuild(domain, nic, error)))
                return NULL;
        }
    }
    return g_steal_pointer(&args);
}


/**
 * virTeamingQemuArgFormat:
 * @arg: an argument
 *
 * Returns: (transfer full): its properties as JSON, as they stand on QEMU's command line.
 */
char *
virTeamingQemuArgFormat(const virTeamingQemuArg *arg)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, arg->props);
    return json_to_string(node, FALSE);
}


/*
 * What a running QEMU was given
 */

/* A property as text, so that 5, "5" and "0x5" are told apart only where QEMU does. */
static char *
virTeamingPropsGetText(JsonObject *props,
                       const char *name)
{
    JsonNode *node = json_object_get_member(props, name);

    if (!node)
        return NULL;
    return json_node_get_value_type(node) == G_TYPE_STRING ?
        json_node_dup_string(node) : json_to_string(node, FALSE);
}


static void
virTeamingQemuCompareProps(const virTeamingNic *nic,
                           JsonObject *promised,
                           JsonObject *given,
                           GPtrArray *findings)
{
    g_autoptr(GList) names = json_object_get_members(promised);

    for (GList *l = names; l; l = l->next) {
        g_autofree char *want = virTeamingPropsGetText(promised, l->data);
        g_autofree char *got = virTeamingPropsGetText(given, l->data);

        if (g_strcmp0(want, got) == 0 || g_str_has_prefix(want, "VF-OF-") ||
            g_str_equal(want, VIR_TEAMING_QEMU_VFIO_FD))
            continue;
        g_ptr_array_add(findings,
                        virTeamingFindingNew(VIR_TEAMING_RULE_LIVE_DIFFERS, nic->line,
                                             virTeamingNicGetPath(nic, NULL),
                                             "'%s' of the running QEMU has %s=%s, the XML means %s",
                                             nic->id, (char *)l->data, got ? got : "(nothing)",
                                             want));
    }
}


/* Was a VF plugged in the place of the one that QEMU was started with? A pool gives what is free. */
static gboolean
virTeamingQemuIsAnotherVf(JsonObject *promised,
                          JsonObject *given)
{
    g_autofree char *want = virTeamingPropsGetText(promised, "host");
    g_autofree char *got = virTeamingPropsGetText(given, "host");

    return want && got && !g_str_has_prefix(want, "VF-OF-") && !g_str_equal(want, got);
}


/**
 * virTeamingQemuCompareCommand:
 * @domain: a running domain, from its live XML
 * @argv: the command line of its QEMU, ended by NULL
 * @findings: (element-type virTeamingFinding): grows by what differs
 * @error: set as by virTeamingQemuCommandBuild
 *
 * A NIC that is not on the command line was plugged later, and so was a VF that is another than
 * there; of these nothing is known here.
 *
 * Returns: whether it could be compared.
 */
gboolean
virTeamingQemuCompareCommand(const virTeamingDomain *domain,
                             const char *const *argv,
                             GPtrArray *findings,
                             GError **error)
{
    g_autoptr(GPtrArray) args = virTeamingQemuCommandBuild(domain, error);
    g_autoptr(GHashTable) given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                        (GDestroyNotify)json_node_unref);

    if (!args)
        return FALSE;

    for (; argv[0] && argv[1]; argv++) {
        JsonNode *node;

        if (strcmp(argv[0], "-device") != 0 || argv[1][0] != '{' ||
            !(node = json_from_string(argv[1], NULL)))
            continue;
        if (JSON_NODE_HOLDS_OBJECT(node) &&
            json_object_has_member(json_node_get_object(node), "id"))
            g_hash_table_replace(given,
                                 virTeamingPropsGetText(json_node_get_object(node), "id"), node);
        else
            json_node_unref(node);
    }

    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        JsonNode *node = g_hash_table_lookup(given, arg->nic->id);

        if (node && strcmp(arg->option, "-device") == 0 &&
            !virTeamingQemuIsAnotherVf(arg->props, json_node_get_object(node)))
            virTeamingQemuCompareProps(arg->nic, arg->props, json_node_get_object(node),
                                       findings);
    }
    return TRUE;
}


/* One property of a device, as text; NULL without @error: no such device or property. */
static char *
virTeamingQemuGetProperty(const char *id,
                          const char *property,
                          virTeamingQemuAsk ask,
                          gpointer opaque,
                          GError **error)
{
    g_autofree char *command =
        g_strdup_printf("{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
                        "\"/machine/peripheral/%s\",\"property\":\"%s\"}}", id, property);
    g_autofree char *answer = ask(command, opaque, error);
    g_autoptr(JsonNode) node = NULL;

    if (!answer)
        return NULL;
    if (!(node = json_from_string(answer, NULL)) || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "QEMU's answer to '%s' is not understood", command);
        return NULL;
    }
    return virTeamingPropsGetText(json_node_get_object(node), "return");
}


/**
 * virTeamingQemuCompareMonitor:
 * @domain: a running domain, from its live XML
 * @ask: gives a QMP command to its QEMU
 * @opaque: for @ask
 * @findings: (element-type virTeamingFinding): grows by what differs
 * @error: set if QEMU could not be asked, or as by virTeamingQemuCommandBuild
 *
 * Returns: whether it could be compared.
 */
gboolean
virTeamingQemuCompareMonitor(const virTeamingDomain *domain,
                             virTeamingQemuAsk ask,
                             gpointer opaque,
                             GPtrArray *findings,
                             GError **error)
{
    static const char *const properties[] = { "failover", "failover_pair_id", "mac", "host",
        "netdev", "host_mtu" };
    g_autoptr(GPtrArray) args = virTeamingQemuCommandBuild(domain, error);

    if (!args)
        return FALSE;

    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        g_autoptr(JsonObject) promised = json_object_new();
        g_autoptr(JsonObject) given = json_object_new();
        g_autofree char *type = NULL;
        g_autoptr(GError) local = NULL;

        if (strcmp(arg->option, "-device") != 0)
            continue;
        type = virTeamingQemuGetProperty(arg->nic->id, "type", ask, opaque, &local);
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (!type) {
            gboolean vf = arg->nic->role == VIR_TEAMING_ROLE_TRANSIENT;

            g_ptr_array_add(findings,
                            virTeamingFindingNew(vf ? VIR_TEAMING_RULE_LIVE_HIDDEN :
                                                 VIR_TEAMING_RULE_LIVE_DIFFERS,
                                                 arg->nic->line,
                                                 virTeamingNicGetPath(arg->nic, NULL),
                                                 "the running QEMU has no device '%s'%s",
                                                 arg->nic->id, vf ? " now" : ""));
            continue;
        }
        for (gsize p = 0; p < G_N_ELEMENTS(properties); p++) {
            g_autofree char *got = NULL;
            JsonNode *want = json_object_get_member(arg->props, properties[p]);

            if (!want)
                continue;
            got = virTeamingQemuGetProperty(arg->nic->id, properties[p], ask, opaque, &local);
            if (local) {
                g_propagate_error(error, g_steal_pointer(&local));
                return FALSE;
            }
            json_object_set_member(promised, properties[p], json_node_copy(want));
            if (got)
                json_object_set_string_member(given, properties[p], got);
        }
        virTeamingQemuCompareProps(arg->nic, promised, given, findings);
    }
    return TRUE;
}
