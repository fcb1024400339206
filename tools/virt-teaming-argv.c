/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-argv.c: the QEMU arguments of a domain's pairs
 */

#include "virt-teaming.h"

#include <string.h>

#include "qemu_command.h"
#include "teaming_conf.h"

static void
virTeamingArgvPrintJson(const virTeamingDomain *domain,
                        GPtrArray *args)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
    JsonArray *arguments = json_array_new();

    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        JsonObject *argument = json_object_new();

        json_object_set_string_member(argument, "option", arg->option);
        json_object_set_object_member(argument, "value", json_object_ref(arg->props));
        json_array_add_object_element(arguments, argument);
    }
    json_object_set_string_member(object, "file", domain->file);
    json_object_set_string_member(object, "domain", domain->name);
    json_object_set_array_member(object, "arguments", arguments);
    virTeamingCmdPrintJson(root);
}


/**
 * virTeamingCmdArgv:
 * @argc: number of words
 * @argv: "argv", options and one FILE
 *
 * Returns: a virTeamingCmdExit.
 */
int
virTeamingCmdArgv(int argc,
                  char **argv)
{
    g_auto(virTeamingCmdOptions) options = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = NULL;
    g_autoptr(GPtrArray) args = NULL;
    g_auto(GStrv) files =
        virTeamingCmdParse(argc, argv, "FILE|DOMAIN",
                           "Print the -netdev and -device arguments of a domain's pairs, as "
                           "libvirt would\nwrite them. What only a running guest has is a word in "
                           "capitals.",
                           NULL, &options);

    if (!files)
        return VIR_TEAMING_CMD_FAILED;
    if (g_strv_length(files) != 1) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "argv takes one FILE or DOMAIN");
        return virTeamingCmdFail(error);
    }

    if (!(domain = virTeamingCmdReadDomain(&options, files[0], &error)) ||
        !(args = virTeamingQemuCommandBuild(domain, &error)))
        return virTeamingCmdFail(error);

    if (options.json) {
        virTeamingArgvPrintJson(domain, args);
        return VIR_TEAMING_CMD_OK;
    }
    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        g_autofree char *value = virTeamingQemuArgFormat(arg);
        g_autofree char *quoted = g_shell_quote(value);

        printf("%s %s%s\n", arg->option, quoted, i + 1 < args->len ? " \\" : "");
    }
    return VIR_TEAMING_CMD_OK;
}
