/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemuxml2argvtest.c: the QEMU arguments of a domain's pairs are what they should be
 */

#include <string.h>

#include "qemu_command.h"

/*
 * Every qemuxml2argvdata/NAME.xml has a NAME.args beside it. To add a case, write the XML,
 * run this test with VIR_TEAMING_TEST_REGENERATE=1, and read what it wrote.
 */

static char *
formatArguments(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParseFile(path, &error);
    g_autoptr(GPtrArray) args = NULL;
    GString *out = g_string_new(NULL);

    g_assert_no_error(error);
    args = virTeamingQemuCommandBuild(domain, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < args->len; i++) {
        const virTeamingQemuArg *arg = args->pdata[i];
        g_autofree char *value = virTeamingQemuArgFormat(arg);

        g_string_append_printf(out, "%s '%s'\n", arg->option, value);
    }
    return g_string_free(out, FALSE);
}


static void
testArguments(gconstpointer opaque)
{
    const char *path = opaque;
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".xml"));
    g_autofree char *argsPath = g_strconcat(stem, ".args", NULL);
    g_autofree char *actual = formatArguments(path);
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    if (g_getenv("VIR_TEAMING_TEST_REGENERATE")) {
        g_file_set_contents(argsPath, actual, -1, &error);
        g_assert_no_error(error);
    }
    g_file_get_contents(argsPath, &expected, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(actual, ==, expected);
}


/* What libvirt refuses gets no arguments, and the message says where to look. */
static void
testRefused(void)
{
    static const char *const refused[] = {
        "<domain type='kvm'><devices><interface type='bridge'><model type='e1000e'/>"
        "<teaming type='persistent'/></interface></devices></domain>",
        "<domain type='kvm'><devices><interface type='bridge'>"
        "<teaming type='transient' persistent='ua-x'/></interface></devices></domain>",
        "<domain type='kvm'><devices><interface type='bridge'>"
        "<teaming type='both'/></interface></devices></domain>",
        "<domain type='kvm'><devices><interface type='bridge'><model type='virtio'/>"
        "<driver queues='4294967295'/><teaming type='persistent'/></interface></devices></domain>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(virTeamingDomain) domain = virTeamingDomainParse(refused[i], -1, "x.xml",
                                                                   &error);
        g_autoptr(GPtrArray) args = NULL;

        g_assert_no_error(error);
        args = virTeamingQemuCommandBuild(domain, &error);
        g_assert_null(args);
        g_assert_nonnull(error);
        g_assert_true(g_str_has_prefix(error->message, "x.xml:1: "));
    }
}


int
main(int argc,
     char **argv)
{
    g_autofree char *dir = NULL;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) entries = NULL;
    const char *name;

    g_test_init(&argc, &argv, NULL);
    dir = g_test_build_filename(G_TEST_DIST, "qemuxml2argvdata", NULL);
    entries = g_dir_open(dir, 0, NULL);
    g_assert_nonnull(entries);

    while ((name = g_dir_read_name(entries))) {
        g_autofree char *test = NULL;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        test = g_strdup_printf("/qemuxml2argv/%.*s", (int)(strlen(name) - 4), name);
        g_ptr_array_add(paths, g_build_filename(dir, name, NULL));
        g_test_add_data_func(test, paths->pdata[paths->len - 1], testArguments);
    }
    g_test_add_func("/qemuxml2argv-refused", testRefused);
    return g_test_run();
}
