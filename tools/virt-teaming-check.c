/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-check.c: say what is wrong with a domain's teaming
 */

#include "virt-teaming.h"

#include <string.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "nodedev_conf.h"
#include "qemu_command.h"
#include "teaming_host.h"
#include "teaming_validate.h"

typedef struct {
    virTeamingCmdOptions common;
    char **networks;            /* files */
    char *config;
    gboolean monitor;
    gboolean listRules;
} virTeamingCheckOptions;


static void
virTeamingCheckOptionsClear(virTeamingCheckOptions *options)
{
    virTeamingCmdOptionsClear(&options->common);
    g_clear_pointer(&options->networks, g_strfreev);
    g_clear_pointer(&options->config, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingCheckOptions, virTeamingCheckOptionsClear)


static gboolean
virTeamingCheckReadNetworks(char **files,
                            virTeamingHost *host,
                            GError **error)
{
    for (; *files; files++) {
        virTeamingNetwork *network = virTeamingNetworkParseFile(*files, error);

        if (!network)
            return FALSE;
        virTeamingHostAddNetwork(host, network, TRUE);
    }
    return TRUE;
}


/* Whether libvirt said that there is no such thing, which is an answer. */
static gboolean
virTeamingCheckIsMissing(void)
{
    int code = virGetLastErrorCode();

    return code == VIR_ERR_NO_NETWORK || code == VIR_ERR_NO_NODE_DEVICE;
}


static gboolean
virTeamingCheckAskNetwork(virConnectPtr conn,
                          const char *name,
                          virTeamingHost *host,
                          GError **error)
{
    g_autoptr(virNetwork) net = NULL;
    g_autofree char *xml = NULL;
    virTeamingNetwork *network;

    if (g_hash_table_contains(host->networks, name))
        return TRUE;
    if (!(net = virNetworkLookupByName(conn, name))) {
        if (virTeamingCheckIsMissing())
            return TRUE;
        virTeamingCmdSetLibvirtError(error, "can't ask for network '%s'", name);
        return FALSE;
    }
    if (!(xml = virNetworkGetXMLDesc(net, 0))) {
        virTeamingCmdSetLibvirtError(error, "can't get the XML of network '%s'", name);
        return FALSE;
    }
    if (!(network = virTeamingNetworkParse(xml, -1, name, error)))
        return FALSE;
    virTeamingHostAddNetwork(host, network, virNetworkIsActive(net) == 1);
    return TRUE;
}


static gboolean
virTeamingCheckAskDevice(virConnectPtr conn,
                         const virTeamingPciAddress *address,
                         virTeamingHost *host,
                         GError **error)
{
    g_autofree char *name = g_strdup_printf("pci_%04x_%02x_%02x_%x", address->domain,
                                            address->bus, address->slot, address->function);
    g_autoptr(virNodeDevice) dev = virNodeDeviceLookupByName(conn, name);
    g_autofree char *xml = NULL;
    virTeamingHostDevice device;

    /* One that is not there, or in use by a guest and its name gone, is not judged. */
    if (!dev)
        return TRUE;
    if (!(xml = virNodeDeviceGetXMLDesc(dev, 0))) {
        virTeamingCmdSetLibvirtError(error, "can't get the XML of device '%s'", name);
        return FALSE;
    }
    if (!virTeamingNodeDeviceParse(xml, name, &device, error))
        return FALSE;
    virTeamingHostAddDevice(host, &device);
    return TRUE;
}


/* Asks the host for what @domain refers to: libvirt, and of this host the kernel too. */
static gboolean
virTeamingCheckAskHost(virConnectPtr conn,
                       const virTeamingDomain *domain,
                       virTeamingHost *host,
                       GError **error)
{
    g_autofree char *elsewhere = virTeamingCmdGetOtherHost(conn);
    g_autoptr(virTeamingKernel) kernel = NULL;

    for (guint i = 0; i < domain->nics->len; i++) {
        const virTeamingNic *nic = domain->nics->pdata[i];

        if (nic->role == VIR_TEAMING_ROLE_NONE)
            continue;
        if (nic->type == VIR_TEAMING_NIC_NETWORK && nic->network &&
            !virTeamingCheckAskNetwork(conn, nic->network, host, error))
            return FALSE;
        if (nic->hasSource && !virTeamingCheckAskDevice(conn, &nic->source, host, error))
            return FALSE;
    }
    if (!elsewhere && (kernel = virTeamingKernelNew(NULL, NULL)))
        virTeamingHostLook(host, domain, kernel, NULL);
    return TRUE;
}


/* The command line of the process that runs the domain with @uuid, or NULL. */
static char **
virTeamingCheckFindQemu(const char *uuid)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    const char *pid;

    while (proc && (pid = g_dir_read_name(proc))) {
        g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
        g_autofree char *text = NULL;
        g_autoptr(GPtrArray) words = NULL;
        gsize len = 0;
        gboolean mine = FALSE;

        if (!g_ascii_isdigit(*pid) || !g_file_get_contents(path, &text, &len, NULL) || !len)
            continue;
        words = g_ptr_array_new_with_free_func(g_free);
        for (char *p = text; p < text + len; p += strlen(p) + 1) {
            if (words->len && strcmp(words->pdata[words->len - 1], "-uuid") == 0)
                mine |= g_ascii_strcasecmp(p, uuid) == 0;
            g_ptr_array_add(words, g_strdup(p));
        }
        if (mine) {
            g_ptr_array_add(words, NULL);
            return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
        }
    }
    return NULL;
}


static char *
virTeamingCheckAskQemu(const char *command,
                       gpointer opaque,
                       GError **error)
{
    char *answer = NULL;

    if (virDomainQemuMonitorCommand(opaque, command, &answer, 0) < 0) {
        virTeamingCmdSetLibvirtError(error, "can't ask the running QEMU");
        return NULL;
    }
    return answer;
}


/* Compares what the running QEMU was given with what the live XML promises. */
static gboolean
virTeamingCheckLive(virDomainPtr dom,
                    const virTeamingDomain *domain,
                    gboolean monitor,
                    GPtrArray *findings,
                    GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    g_auto(GStrv) argv = NULL;

    if (domain->pairs->len == 0)
        return TRUE;
    if (monitor)
        return virTeamingQemuCompareMonitor(domain, virTeamingCheckAskQemu, dom, findings,
                                            error);

    if (virDomainGetUUIDString(dom, uuid) < 0) {
        virTeamingCmdSetLibvirtError(error, "can't get the domain's UUID");
        return FALSE;
    }
    if (!(argv = virTeamingCheckFindQemu(uuid))) {
        fputs("virt-teaming: ", stderr);
        virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_NOTE, "note:");
        fprintf(stderr, " %s: its QEMU is not on this machine, so what it was given is not "
                "compared; --monitor asks QEMU itself\n", domain->file);
        return TRUE;
    }
    return virTeamingQemuCompareCommand(domain, (const char *const *)argv, findings, error);
}


/*
 * Reads one domain, and what is known of the host and the running QEMU.
 *
 * Returns: the findings, or NULL.
 */
static GPtrArray *
virTeamingCheckOne(const virTeamingCheckOptions *options,
                   const char *name,
                   const virTeamingPolicy *defaults,
                   virTeamingDomain **ret,
                   GError **error)
{
    g_autoptr(virConnect) conn = NULL;
    g_autoptr(virDomain) dom = NULL;
    g_autoptr(virTeamingDomain) domain = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    g_auto(virTeamingHost) host = { NULL, NULL };
    gboolean file = virTeamingCmdIsFile(name);

    if (options->networks || options->common.connect || !file)
        virTeamingHostInit(&host);
    if (options->networks && !virTeamingCheckReadNetworks(options->networks, &host, error))
        return NULL;

    if (options->common.connect || !file) {
        conn = virTeamingCmdConnect(options->common.connect, options->monitor, error);
        if (!conn)
            return NULL;
    }
    if (file) {
        domain = virTeamingDomainParseFile(name, error);
    } else {
        if (!(dom = virTeamingCmdLookup(conn, name, error)))
            return NULL;
        domain = virTeamingCmdGetDomain(dom, name, error);
    }
    if (!domain)
        return NULL;

    if (conn && !virTeamingCheckAskHost(conn, domain, &host, error))
        return NULL;
    findings = virTeamingDomainValidate(domain, host.networks ? &host : NULL, defaults);
    if (dom && domain->live &&
        !virTeamingCheckLive(dom, domain, options->monitor, findings, error))
        return NULL;

    *ret = g_steal_pointer(&domain);
    return g_steal_pointer(&findings);
}


static void
virTeamingCheckPrintText(const virTeamingDomain *domain,
                         GPtrArray *findings)
{
    gboolean teaming = FALSE;

    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        const virTeamingRule *rule = virTeamingRuleGet(finding->rule);
        virTeamingCmdStyle style = VIR_TEAMING_CMD_STYLE_NOTE;

        switch (rule->severity) {
        case VIR_TEAMING_SEVERITY_ERROR:
            style = VIR_TEAMING_CMD_STYLE_ERROR;
            break;
        case VIR_TEAMING_SEVERITY_WARNING:
            style = VIR_TEAMING_CMD_STYLE_WARNING;
            break;
        case VIR_TEAMING_SEVERITY_NOTE:
            break;
        }
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "%s:%d:", domain->file,
                           finding->line);
        putchar(' ');
        virTeamingCmdPrint(stdout, style, "%s:", virTeamingSeverityToString(rule->severity));
        printf(" %s [%s]\n", finding->message, rule->id);
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_DIM, "    hint: %s\n", finding->hint);
    }

    if (findings->len)
        return;
    for (guint i = 0; i < domain->nics->len; i++)
        teaming |= ((virTeamingNic *)domain->nics->pdata[i])->role != VIR_TEAMING_ROLE_NONE;
    if (!teaming)
        printf("%s: no teaming\n", domain->file);
    else
        printf("%s: %u %s, nothing to complain about\n", domain->file, domain->pairs->len,
               domain->pairs->len == 1 ? "pair" : "pairs");
}


static JsonObject *
virTeamingCheckFormat(const virTeamingDomain *domain,
                      GPtrArray *findings)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        const virTeamingRule *rule = virTeamingRuleGet(finding->rule);
        JsonObject *one = json_object_new();

        json_object_set_string_member(one, "rule", rule->id);
        json_object_set_string_member(one, "severity", virTeamingSeverityToString(rule->severity));
        json_object_set_int_member(one, "line", finding->line);
        json_object_set_string_member(one, "element", finding->element);
        json_object_set_string_member(one, "message", finding->message);
        json_object_set_string_member(one, "hint", finding->hint);
        json_array_add_object_element(array, one);
    }
    json_object_set_string_member(object, "file", domain->file);
    json_object_set_string_member(object, "domain", domain->name);
    json_object_set_int_member(object, "pairs", domain->pairs->len);
    json_object_set_array_member(object, "findings", array);
    return object;
}


/* All rules, for people as the page of the documentation. */
static int
virTeamingCheckListRules(gboolean json)
{
    g_autoptr(JsonArray) array = json_array_new();
    g_autoptr(JsonNode) root = json_node_init_array(json_node_alloc(), array);

    if (!json) {
        g_autofree char *text = virTeamingRulesFormat();

        fputs(text, stdout);
        return VIR_TEAMING_CMD_OK;
    }

    for (virTeamingRuleId i = 0; i < VIR_TEAMING_RULE_LAST; i++) {
        const virTeamingRule *rule = virTeamingRuleGet(i);
        JsonObject *one = json_object_new();

        json_object_set_string_member(one, "rule", rule->id);
        json_object_set_string_member(one, "severity", virTeamingSeverityToString(rule->severity));
        json_object_set_string_member(one, "summary", rule->summary);
        json_object_set_string_member(one, "why", rule->why);
        json_object_set_string_member(one, "hint", rule->hint);
        json_array_add_object_element(array, one);
    }
    virTeamingCmdPrintJson(root);
    return VIR_TEAMING_CMD_OK;
}


static int
virTeamingCheckAll(const virTeamingCheckOptions *options,
                   char **names,
                   const virTeamingPolicy *defaults)
{
    g_autoptr(JsonArray) checked = json_array_new();
    gboolean several = names[0] && names[1];
    int status = VIR_TEAMING_CMD_OK;

    for (; *names; names++) {
        g_autoptr(virTeamingDomain) domain = NULL;
        g_autoptr(GPtrArray) findings = NULL;
        g_autoptr(GError) error = NULL;

        if (!(findings = virTeamingCheckOne(options, *names, defaults, &domain, &error))) {
            status = virTeamingCmdFail(error);
            continue;
        }
        for (guint i = 0; i < findings->len; i++) {
            const virTeamingFinding *finding = findings->pdata[i];

            if (virTeamingRuleGet(finding->rule)->severity == VIR_TEAMING_SEVERITY_ERROR &&
                status == VIR_TEAMING_CMD_OK)
                status = VIR_TEAMING_CMD_FINDINGS;
        }
        if (options->common.json)
            json_array_add_object_element(checked, virTeamingCheckFormat(domain, findings));
        else
            virTeamingCheckPrintText(domain, findings);
    }

    if (options->common.json && (several || json_array_get_length(checked) > 0)) {
        g_autoptr(JsonNode) root = several ? json_node_init_array(json_node_alloc(), checked) :
            json_array_dup_element(checked, 0);

        virTeamingCmdPrintJson(root);
    }
    return status;
}


/**
 * virTeamingCmdCheck:
 * @argc: number of words
 * @argv: "check", options, files and domains
 *
 * Returns: a virTeamingCmdExit; VIR_TEAMING_CMD_FINDINGS if any finding is an error.
 */
int
virTeamingCmdCheck(int argc,
                   char **argv)
{
    g_auto(virTeamingCheckOptions) options = { 0 };
    const GOptionEntry entries[] = {
        { "network", 'n', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.networks,
          "a network that the host has; may be repeated", "FILE" },
        { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config,
          "the host's defaults (" VIR_TEAMING_POLICY_FILE ")", "FILE" },
        { "monitor", 0, 0, G_OPTION_ARG_NONE, &options.monitor,
          "ask the running QEMU itself; libvirt marks the domain as tainted", NULL },
        { "list-rules", 0, 0, G_OPTION_ARG_NONE, &options.listRules, "list all rules", NULL },
        { NULL },
    };
    g_auto(GStrv) names =
        virTeamingCmdParse(argc, argv, "FILE|DOMAIN…",
                           "Say what is wrong with the teaming of domains. For a DOMAIN, or with "
                           "--connect, the\nnetworks and devices of that host are looked at too; of "
                           "a running domain also what\nits QEMU was given.",
                           entries, &options.common);
    g_autoptr(GError) error = NULL;
    virTeamingPolicy defaults;

    if (!names)
        return VIR_TEAMING_CMD_FAILED;
    if (options.listRules)
        return virTeamingCheckListRules(options.common.json);
    if (!*names) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "check takes at least one FILE or DOMAIN");
        return virTeamingCmdFail(error);
    }
    if (!virTeamingPolicyLoad(&defaults, options.config, &error))
        return virTeamingCmdFail(error);
    return virTeamingCheckAll(&options, names, &defaults);
}
