/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-pool.c: the VFs of hostdev networks: free, used by whom, why not
 */

#include "virt-teaming.h"

#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "sriov_pool.h"

/*
 * Theory of operation
 *
 * libvirt says which networks there are and which domains run; sriov_pool.c does the
 * rest. The VFs are looked at in this host's kernel, so libvirt must be this host's too.
 */

/* ---- what libvirt knows ---- */

static gboolean
virTeamingPoolCheckHost(virConnectPtr conn,
                        GError **error)
{
    g_autofree char *host = virTeamingCmdGetOtherHost(conn);

    if (!host)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                "can't look at the VFs of another host; run 'virt-teaming pool' on '%s'", host);
    return FALSE;
}


/* Who has which PCI function, among the domains that run. */
static GPtrArray *
virTeamingPoolReadUsers(virConnectPtr conn,
                        GError **error)
{
    g_autoptr(GPtrArray) users = virTeamingPoolUsersNew();
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    gboolean good = count >= 0;

    if (!good)
        virTeamingCmdSetLibvirtError(error, "can't list the domains that run");
    for (int i = 0; i < count; i++) {
        char *xml = good ? virDomainGetXMLDesc(domains[i], 0) : NULL;

        if (xml) {
            good = virTeamingPoolUsersParse(users, xml, -1, virDomainGetName(domains[i]), error);
        } else if (good && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) {
            /* One that ended meanwhile has no VF any more. */
            virTeamingCmdSetLibvirtError(error, "can't get the XML of domain '%s'",
                                         virDomainGetName(domains[i]));
            good = FALSE;
        }
        free(xml);
        virDomainFree(domains[i]);
    }
    free(domains);
    return good ? g_steal_pointer(&users) : NULL;
}


static virNetworkPtr
virTeamingPoolLookup(virConnectPtr conn,
                     const char *name,
                     GError **error)
{
    virNetworkPtr network = NULL;

    if (strlen(name) == VIR_UUID_STRING_BUFLEN - 1)
        network = virNetworkLookupByUUIDString(conn, name);
    if (!network)
        network = virNetworkLookupByName(conn, name);
    if (!network)
        virTeamingCmdSetLibvirtError(error, "no such network '%s'", name);
    return network;
}


/*
 * Looks at one network. *@ret is its pool, or NULL if it is none of VFs and was not asked
 * for by name (@named).
 */
static gboolean
virTeamingPoolReadNetwork(virNetworkPtr network,
                          gboolean named,
                          virTeamingKernel *kernel,
                          const GPtrArray *users,
                          virTeamingPool **ret,
                          GError **error)
{
    const char *name = virNetworkGetName(network);
    g_autoptr(virTeamingNetwork) def = NULL;
    char *xml = virNetworkGetXMLDesc(network, 0);

    /* One that went after it was listed is none. */
    if (!xml && !named && virGetLastErrorCode() == VIR_ERR_NO_NETWORK) {
        *ret = NULL;
        return TRUE;
    }
    if (!xml) {
        virTeamingCmdSetLibvirtError(error, "can't get the XML of network '%s'", name);
        return FALSE;
    }
    def = virTeamingNetworkParse(xml, -1, name, error);
    free(xml);
    if (!def)
        return FALSE;
    if (!named && !virTeamingNetworkIsPool(def)) {
        *ret = NULL;
        return TRUE;
    }
    if (!(*ret = virTeamingPoolNew(def, kernel, users, error)))
        return FALSE;
    if (virNetworkIsActive(network) == 0)
        g_ptr_array_add((*ret)->notes,
                        g_strdup_printf("the network is not active: 'virsh net-start %s'", name));
    return TRUE;
}


/* The pool of the network called @name, or for NULL those of all networks that are one. */
static GPtrArray *
virTeamingPoolReadAll(virConnectPtr conn,
                      const char *name,
                      virTeamingKernel *kernel,
                      const GPtrArray *users,
                      GError **error)
{
    g_autoptr(GPtrArray) pools =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPoolFree);
    virTeamingPool *pool = NULL;
    virNetworkPtr *networks = NULL;
    gboolean good;
    int count;

    if (name) {
        g_autoptr(virNetwork) network = virTeamingPoolLookup(conn, name, error);

        if (!network ||
            !virTeamingPoolReadNetwork(network, TRUE, kernel, users, &pool, error))
            return NULL;
        g_ptr_array_add(pools, pool);
        return g_steal_pointer(&pools);
    }

    count = virConnectListAllNetworks(conn, &networks, 0);
    good = count >= 0;
    if (!good)
        virTeamingCmdSetLibvirtError(error, "can't list the networks");
    for (int i = 0; i < count; i++) {
        good = good &&
            virTeamingPoolReadNetwork(networks[i], FALSE, kernel, users, &pool, error);
        if (good && pool)
            g_ptr_array_add(pools, pool);
        virNetworkFree(networks[i]);
    }
    free(networks);
    return good ? g_steal_pointer(&pools) : NULL;
}


/* ---- as text ---- */

typedef struct {
    gboolean finding;               /* stands out */
    char **cells;
} virTeamingPoolRow;


static void
virTeamingPoolRowFree(virTeamingPoolRow *row)
{
    g_strfreev(row->cells);
    g_free(row);
}


/* Adds a row of the strings up to NULL; an empty one is shown as "-". */
static void G_GNUC_NULL_TERMINATED
virTeamingPoolAddRow(GPtrArray *rows,
                     gboolean finding,
                     ...)
{
    virTeamingPoolRow *row = g_new0(virTeamingPoolRow, 1);
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    const char *cell;
    va_list args;

    va_start(args, finding);
    while ((cell = va_arg(args, const char *)))
        g_ptr_array_add(cells, g_strdup(*cell ? cell : "-"));
    va_end(args);
    g_ptr_array_add(cells, NULL);
    row->finding = finding;
    row->cells = (char **)g_ptr_array_free(g_steal_pointer(&cells), FALSE);
    g_ptr_array_add(rows, row);
}


/* Prints @rows, of which the first is the heading, in columns. */
static void
virTeamingPoolPrintTable(const GPtrArray *rows)
{
    const virTeamingPoolRow *head = rows->pdata[0];
    guint columns = g_strv_length(head->cells);
    g_autofree int *widths = g_new0(int, columns);

    for (guint i = 0; i < rows->len; i++) {
        const virTeamingPoolRow *row = rows->pdata[i];

        for (guint j = 0; j < columns; j++)
            widths[j] = MAX(widths[j], (int)strlen(row->cells[j]));
    }
    for (guint i = 0; i < rows->len; i++) {
        const virTeamingPoolRow *row = rows->pdata[i];
        g_autoptr(GString) line = g_string_new(" ");

        for (guint j = 0; j < columns; j++)
            g_string_append_printf(line, " %-*s", j + 1 < columns ? widths[j] + 1 : 0,
                                   row->cells[j]);
        if (i == 0)
            virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_DIM, "%s", line->str);
        else if (row->finding)
            virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_WARNING, "%s", line->str);
        else
            fputs(line->str, stdout);
        putchar('\n');
    }
}


static void
virTeamingPoolPrintPfs(const virTeamingPool *pool)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPoolRowFree);

    virTeamingPoolAddRow(rows, FALSE, "PF", "ADDRESS", "DRIVER", "MAC", "LINK", "MTU", "PORT OF",
                         "VFS", NULL);
    for (guint i = 0; i < pool->pfs->len; i++) {
        const virTeamingPoolPf *pf = pool->pfs->pdata[i];
        g_autofree char *mtu = g_strdup_printf("%u", pf->mtu);
        g_autofree char *vfs = g_strdup_printf("%u of %u", pf->vfsEnabled, pf->vfsTotal);
        char mac[VIR_TEAMING_MAC_STRING_LEN];

        if (pf->present)
            virTeamingPoolAddRow(rows, FALSE, pf->name, pf->pci, pf->driver,
                                 virTeamingMacFormat(&pf->mac, mac),
                                 !pf->up ? "down" : pf->running ? "up" : "no carrier",
                                 mtu, pf->master, vfs, NULL);
        else
            virTeamingPoolAddRow(rows, TRUE, pf->name, "", "", "", "missing", "", "", "", NULL);
    }
    virTeamingPoolPrintTable(rows);
}


static void
virTeamingPoolPrintVfs(const virTeamingPool *pool)
{
    g_autoptr(GPtrArray) rows =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPoolRowFree);

    virTeamingPoolAddRow(rows, FALSE, "PF", "VF", "ADDRESS", "DRIVER", "GROUP", "NETDEV", "MAC",
                         "VLAN", "STATE", NULL);
    for (guint i = 0; i < pool->vfs->len; i++) {
        const virTeamingPoolVf *vf = pool->vfs->pdata[i];
        gboolean located = vf->pf[0] != '\0';
        g_autofree char *index = g_strdup_printf("%u", vf->index);
        g_autofree char *group = g_strdup_printf("%d", vf->iommuGroup);
        g_autofree char *vlan = g_strdup_printf("%u", vf->vlan);
        g_autoptr(GString) state = g_string_new(virTeamingPoolVfStateToString(vf->state));
        gboolean noMac = virTeamingMacIsZero(&vf->mac);
        char address[VIR_TEAMING_PCI_STRING_LEN];
        char mac[VIR_TEAMING_MAC_STRING_LEN];

        if (vf->domain)
            g_string_append_printf(state, " by %s", vf->domain);
        if (vf->alias)
            g_string_append_printf(state, " as %s", vf->alias);
        if (vf->why)
            g_string_append_printf(state, ": %s", vf->why);
        virTeamingPoolAddRow(rows, vf->state == VIR_TEAMING_POOL_VF_UNUSABLE,
                             vf->pf, located ? index : "",
                             virTeamingPciAddressFormat(&vf->address, address), vf->driver,
                             vf->iommuGroup >= 0 ? group : "", vf->netdev,
                             noMac ? "" : virTeamingMacFormat(&vf->mac, mac),
                             vf->vlan ? vlan : "", state->str, NULL);
    }
    virTeamingPoolPrintTable(rows);
}


static void
virTeamingPoolPrint(const virTeamingPool *pool)
{
    virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "%s", pool->network);
    printf(": %u VFs, %u free, %u used, %u unusable\n", pool->vfs->len,
           virTeamingPoolCount(pool, VIR_TEAMING_POOL_VF_FREE),
           virTeamingPoolCount(pool, VIR_TEAMING_POOL_VF_USED),
           virTeamingPoolCount(pool, VIR_TEAMING_POOL_VF_UNUSABLE));
    if (pool->pfs->len) {
        putchar('\n');
        virTeamingPoolPrintPfs(pool);
    }
    if (pool->vfs->len) {
        putchar('\n');
        virTeamingPoolPrintVfs(pool);
    }
    if (pool->notes->len)
        putchar('\n');
    for (guint i = 0; i < pool->notes->len; i++) {
        fputs("  ", stdout);
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_WARNING, "warning:");
        printf(" %s\n", (const char *)pool->notes->pdata[i]);
    }
}


/* ---- as JSON ---- */

/* A member that is null if @value is NULL or "". */
static void
virTeamingPoolSetString(JsonObject *object,
                        const char *name,
                        const char *value)
{
    json_object_set_string_member(object, name, value && *value ? value : NULL);
}


/* A member that is null unless @known. */
static void
virTeamingPoolSetInt(JsonObject *object,
                     const char *name,
                     gboolean known,
                     gint64 value)
{
    if (known)
        json_object_set_int_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}


static JsonObject *
virTeamingPoolFormatPf(const virTeamingPoolPf *pf)
{
    JsonObject *object = json_object_new();
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    virTeamingPoolSetString(object, "name", pf->name);
    json_object_set_boolean_member(object, "present", pf->present);
    if (!pf->present)
        return object;
    virTeamingPoolSetString(object, "address", pf->pci);
    virTeamingPoolSetString(object, "driver", pf->driver);
    virTeamingPoolSetString(object, "mac", virTeamingMacFormat(&pf->mac, mac));
    json_object_set_boolean_member(object, "up", pf->up);
    json_object_set_boolean_member(object, "carrier", pf->running);
    json_object_set_int_member(object, "mtu", pf->mtu);
    virTeamingPoolSetString(object, "master", pf->master);
    json_object_set_int_member(object, "vfsEnabled", pf->vfsEnabled);
    json_object_set_int_member(object, "vfsTotal", pf->vfsTotal);
    return object;
}


static JsonObject *
virTeamingPoolFormatVf(const virTeamingPoolVf *vf)
{
    JsonObject *object = json_object_new();
    char address[VIR_TEAMING_PCI_STRING_LEN];
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    virTeamingPoolSetString(object, "pf", vf->pf);
    virTeamingPoolSetInt(object, "index", vf->pf[0] != '\0', vf->index);
    virTeamingPoolSetString(object, "address", virTeamingPciAddressFormat(&vf->address, address));
    virTeamingPoolSetString(object, "driver", vf->driver);
    virTeamingPoolSetInt(object, "iommuGroup", vf->iommuGroup >= 0, vf->iommuGroup);
    virTeamingPoolSetString(object, "netdev", vf->netdev);
    virTeamingPoolSetString(object, "mac", virTeamingMacIsZero(&vf->mac) ? NULL :
                            virTeamingMacFormat(&vf->mac, mac));
    virTeamingPoolSetInt(object, "vlan", vf->vlan != 0, vf->vlan);
    virTeamingPoolSetString(object, "state", virTeamingPoolVfStateToString(vf->state));
    virTeamingPoolSetString(object, "domain", vf->domain);
    virTeamingPoolSetString(object, "alias", vf->alias);
    virTeamingPoolSetString(object, "reason", vf->why);
    return object;
}


static JsonObject *
virTeamingPoolFormat(const virTeamingPool *pool)
{
    JsonObject *object = json_object_new();
    JsonArray *pfs = json_array_new();
    JsonArray *vfs = json_array_new();
    JsonArray *warnings = json_array_new();

    for (guint i = 0; i < pool->pfs->len; i++)
        json_array_add_object_element(pfs, virTeamingPoolFormatPf(pool->pfs->pdata[i]));
    for (guint i = 0; i < pool->vfs->len; i++)
        json_array_add_object_element(vfs, virTeamingPoolFormatVf(pool->vfs->pdata[i]));
    for (guint i = 0; i < pool->notes->len; i++)
        json_array_add_string_element(warnings, pool->notes->pdata[i]);
    virTeamingPoolSetString(object, "network", pool->network);
    json_object_set_array_member(object, "pfs", pfs);
    json_object_set_array_member(object, "vfs", vfs);
    json_object_set_array_member(object, "warnings", warnings);
    return object;
}


static void
virTeamingPoolPrintJson(const GPtrArray *pools)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < pools->len; i++)
        json_array_add_object_element(array, virTeamingPoolFormat(pools->pdata[i]));
    json_object_set_array_member(object, "pools", array);
    virTeamingCmdPrintJson(root);
}


/* ---- the subcommand ---- */

/**
 * virTeamingCmdPool:
 * @argc: number of words
 * @argv: "pool", options and perhaps the name or UUID of a network
 *
 * Returns: a virTeamingCmdExit.
 */
int
virTeamingCmdPool(int argc,
                  char **argv)
{
    g_auto(virTeamingCmdOptions) options = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) conn = NULL;
    g_autoptr(virTeamingKernel) kernel = NULL;
    g_autoptr(GPtrArray) users = NULL;
    g_autoptr(GPtrArray) pools = NULL;
    gboolean findings = FALSE;
    g_auto(GStrv) words =
        virTeamingCmdParse(argc, argv, "[NETWORK]",
                           "List the VFs of a hostdev network of this host, or of all of them:\n"
                           "which are free, which domain uses which, and which can't be used, why.",
                           NULL, &options);

    if (!words)
        return VIR_TEAMING_CMD_FAILED;
    if (g_strv_length(words) > 1) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "pool takes one NETWORK at most");
        return virTeamingCmdFail(error);
    }

    if (!(conn = virTeamingCmdConnect(options.connect, FALSE, &error)) ||
        !virTeamingPoolCheckHost(conn, &error) ||
        !(kernel = virTeamingKernelNew(NULL, &error)) ||
        !(users = virTeamingPoolReadUsers(conn, &error)) ||
        !(pools = virTeamingPoolReadAll(conn, words[0], kernel, users, &error)))
        return virTeamingCmdFail(error);

    if (options.json)
        virTeamingPoolPrintJson(pools);
    else if (pools->len == 0)
        puts("no network has forward mode 'hostdev'");
    for (guint i = 0; i < pools->len; i++) {
        const virTeamingPool *pool = pools->pdata[i];

        if (!options.json) {
            if (i > 0)
                putchar('\n');
            virTeamingPoolPrint(pool);
        }
        if (pool->notes->len || virTeamingPoolCount(pool, VIR_TEAMING_POOL_VF_UNUSABLE))
            findings = TRUE;
    }
    return findings ? VIR_TEAMING_CMD_FINDINGS : VIR_TEAMING_CMD_OK;
}
