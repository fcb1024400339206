/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming.c: the command people type
 */

#include "virt-teaming.h"

#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/virterror.h>

/*
 * Theory of operation
 *
 * virt-teaming is one program with one file per subcommand. This file finds the
 * subcommand and holds what all of them do alike: read options, connect to libvirt,
 * complain, print JSON, and colour words on a terminal. A subcommand gets its own
 * name as argv[0], as a program would, and returns the exit status.
 */

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} virTeamingCmd;

static const virTeamingCmd virTeamingCmds[] = {
    { "check", virTeamingCmdCheck, "say what is wrong with a domain's teaming" },
    { "argv", virTeamingCmdArgv, "print the QEMU arguments of a domain's pairs" },
    { "pool", virTeamingCmdPool, "list the VFs of a network: free, used by whom, why not" },
    { "probe", virTeamingCmdProbe, "find out whether a NIC can carry failover pairs" },
    { "move", virTeamingCmdMove, "move a guest's frames to its standby, and back to its VF" },
    { "status", virTeamingCmdStatus, "which path carries a guest's frames, and why" },
};


/**
 * virTeamingCmdIsTerminal:
 * @stream: standard output or error
 *
 * Returns: whether it is a terminal, and one that knows control sequences: Emacs reads findings
 *          from one that does not.
 */
gboolean
virTeamingCmdIsTerminal(FILE *stream)
{
    return isatty(fileno(stream)) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}


/* Asked once for each of the two streams: a line has several words. */
static gboolean
virTeamingCmdIsColoured(FILE *stream)
{
    static int coloured[2] = { -1, -1 };
    int *known = &coloured[stream == stderr];
    const char *noColor = g_getenv("NO_COLOR");

    /* An empty one does not count: no-color.org. */
    if (*known < 0)
        *known = virTeamingCmdIsTerminal(stream) && !(noColor && *noColor);
    return *known;
}


/**
 * virTeamingCmdPrint:
 * @stream: where to
 * @style: applied if @stream is a terminal and NO_COLOR says nothing
 * @format: printf style, and its arguments
 */
void
virTeamingCmdPrint(FILE *stream,
                   virTeamingCmdStyle style,
                   const char *format,
                   ...)
{
    const char *code = "";
    va_list ap;
    gboolean colour = virTeamingCmdIsColoured(stream);

    switch (style) {
    case VIR_TEAMING_CMD_STYLE_ERROR:
        code = "\033[1;31m";
        break;
    case VIR_TEAMING_CMD_STYLE_WARNING:
        code = "\033[1;35m";
        break;
    case VIR_TEAMING_CMD_STYLE_NOTE:
        code = "\033[1;36m";
        break;
    case VIR_TEAMING_CMD_STYLE_BOLD:
        code = "\033[1m";
        break;
    case VIR_TEAMING_CMD_STYLE_DIM:
        code = "\033[2m";
        break;
    }

    if (colour)
        fputs(code, stream);
    va_start(ap, format);
    vfprintf(stream, format, ap);
    va_end(ap);
    if (colour)
        fputs("\033[0m", stream);
}


/**
 * virTeamingCmdPrintJson:
 * @node: what to print, indented, on standard output
 */
void
virTeamingCmdPrintJson(JsonNode *node)
{
    g_autofree char *text = json_to_string(node, TRUE);
    /* The name of a file is of any bytes, JSON is of UTF-8. */
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    puts(valid);
}


/**
 * virTeamingCmdFail:
 * @error: why it can't be done
 *
 * Prints @error as one line on standard error.
 *
 * Returns: VIR_TEAMING_CMD_FAILED, so that a subcommand can return it on.
 */
int
virTeamingCmdFail(const GError *error)
{
    fflush(stdout);
    fputs("virt-teaming: ", stderr);
    virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_ERROR, "error:");
    fprintf(stderr, " %s\n", error->message);
    return VIR_TEAMING_CMD_FAILED;
}


/**
 * virTeamingCmdParse:
 * @argc: as the subcommand got it
 * @argv: as the subcommand got it
 * @parameters: of the usage line: "FILE…"
 * @description: what the subcommand does, for --help
 * @entries: the subcommand's own options, or NULL
 * @options: filled, but for @local; freed with virTeamingCmdOptionsClear
 *
 * Reads --connect, --format and @entries. --help prints and ends the program.
 *
 * Returns: what is left, the words without a dash (g_strfreev), or NULL after a
 * complaint on standard error.
 */
char **
virTeamingCmdParse(int argc,
                   char **argv,
                   const char *parameters,
                   const char *description,
                   const GOptionEntry *entries,
                   virTeamingCmdOptions *options)
{
    g_autofree char *format = NULL;
    g_autofree char *prgname = g_strdup_printf("virt-teaming %s", argv[0]);
    g_auto(GStrv) words = g_new0(char *, argc + 1);
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    g_autoptr(GError) error = NULL;
    g_auto(virTeamingCmdOptions) given = { 0 };
    const GOptionEntry common[] = {
        { "connect", 'c', options->local ? G_OPTION_FLAG_HIDDEN : 0, G_OPTION_ARG_STRING,
          &given.connect, "libvirt to ask, as in virsh", "URI" },
        { "format", 0, 0, G_OPTION_ARG_STRING, &format, "text (default) or json", "FORMAT" },
        { NULL },
    };

    for (int i = 0; i < argc; i++)
        words[i] = g_strdup(i == 0 ? prgname : argv[i]);

    g_option_context_set_summary(context, description);
    if (entries)
        g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    if (!g_option_context_parse_strv(context, &words, &error)) {
        virTeamingCmdFail(error);
        return NULL;
    }
    if (options->local && given.connect) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "%s is about the host that it runs on; run it on the one that you mean, instead "
                    "of --connect", argv[0]);
        virTeamingCmdFail(error);
        return NULL;
    }
    if (format && strcmp(format, "json") != 0 && strcmp(format, "text") != 0) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "--format is 'text' or 'json', not '%s'", format);
        virTeamingCmdFail(error);
        return NULL;
    }

    /* GLib leaves it there if what comes after it begins with a dash. */
    for (char **word = words; *word; word++) {
        if (strcmp(*word, "--") == 0) {
            g_free(*word);
            memmove(word, word + 1, (g_strv_length(word + 1) + 1) * sizeof(*word));
            break;
        }
    }

    given.json = g_strcmp0(format, "json") == 0;
    options->connect = g_steal_pointer(&given.connect);
    options->json = given.json;
    return g_strdupv(words[0] ? words + 1 : words);
}


void
virTeamingCmdOptionsClear(virTeamingCmdOptions *options)
{
    g_clear_pointer(&options->connect, g_free);
}


/* Errors are reported once, by virTeamingCmdFail; libvirt would print them as well. */
static void
virTeamingCmdQuietLibvirt(void *opaque,
                          virErrorPtr error)
{
}


/**
 * virTeamingCmdGetOtherHost:
 * @conn: a connection
 *
 * Returns: (transfer full) (nullable): the name of the host that @conn goes to; NULL if it
 *          is the one that we run on, whose kernel can be asked too.
 */
char *
virTeamingCmdGetOtherHost(virConnectPtr conn)
{
    char *uri = virConnectGetURI(conn);
    g_autoptr(GUri) parsed = uri ? g_uri_parse(uri, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = parsed ? g_uri_get_host(parsed) : NULL;

    free(uri);
    /* libvirt's test driver has a host of its own. */
    if (parsed && strcmp(g_uri_get_scheme(parsed), "test") == 0)
        return g_strdup("test");
    if (!host || !*host || strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
        strcmp(host, "::1") == 0 || strcmp(host, g_get_host_name()) == 0)
        return NULL;
    return g_strdup(host);
}


/**
 * virTeamingCmdSetLibvirtError:
 * @error: set to VIR_TEAMING_ERROR_LIBVIRT
 * @format: what was being done, printf style; libvirt's own words are put behind it
 */
void
virTeamingCmdSetLibvirtError(GError **error,
                             const char *format,
                             ...)
{
    g_autofree char *what = NULL;
    const char *why = virGetLastErrorMessage();
    va_list ap;

    va_start(ap, format);
    what = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_LIBVIRT, "%s: %s", what, why);
}


/* What libvirt wants to know of who we are, its auth.conf says. */
static int
virTeamingCmdIsAsked(virConnectCredentialPtr credentials G_GNUC_UNUSED,
                     unsigned int ncredentials G_GNUC_UNUSED,
                     void *opaque G_GNUC_UNUSED)
{
    return -1;
}


/**
 * virTeamingCmdConnect:
 * @uri: of libvirt, or NULL for libvirt's own default
 * @writable: FALSE for a connection that can only look
 * @error: set to VIR_TEAMING_ERROR_LIBVIRT
 *
 * Returns: (transfer full): the connection, or NULL.
 */
virConnectPtr
virTeamingCmdConnect(const char *uri,
                     gboolean writable,
                     GError **error)
{
    static int asked[] = { VIR_CRED_AUTHNAME, VIR_CRED_PASSPHRASE };
    virConnectAuth auth = { asked, G_N_ELEMENTS(asked), virTeamingCmdIsAsked, NULL };
    virConnectPtr conn;

    virSetErrorFunc(NULL, virTeamingCmdQuietLibvirt);
    conn = virConnectOpenAuth(uri, &auth, writable ? 0 : VIR_CONNECT_RO);
    if (!conn)
        virTeamingCmdSetLibvirtError(error, "can't connect to libvirt at '%s'",
                                     uri ? uri : "the default URI");
    return conn;
}


/**
 * virTeamingCmdLookup:
 * @conn: to libvirt
 * @name: name, UUID or id of a domain
 * @error: set to VIR_TEAMING_ERROR_LIBVIRT
 *
 * Returns: (transfer full): the domain, or NULL.
 */
virDomainPtr
virTeamingCmdLookup(virConnectPtr conn,
                    const char *name,
                    GError **error)
{
    virDomainPtr domain = NULL;
    guint64 id;

    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT, &id, NULL))
        domain = virDomainLookupByID(conn, id);
    if (!domain && strlen(name) == VIR_UUID_STRING_BUFLEN - 1)
        domain = virDomainLookupByUUIDString(conn, name);
    if (!domain)
        domain = virDomainLookupByName(conn, name);
    if (!domain)
        virTeamingCmdSetLibvirtError(error, "no such file or domain '%s'", name);
    return domain;
}


/**
 * virTeamingCmdIsFile:
 * @name: what a person typed for a file or a domain
 *
 * Returns: whether it is a file: "-", something that exists, or looks like a file.
 */
gboolean
virTeamingCmdIsFile(const char *name)
{
    return strcmp(name, "-") == 0 || strchr(name, '/') || g_str_has_suffix(name, ".xml") ||
        access(name, F_OK) == 0;
}


/**
 * virTeamingCmdGetDomain:
 * @domain: of libvirt
 * @name: for messages
 * @error: set to VIR_TEAMING_ERROR_LIBVIRT or _INVALID
 *
 * Returns: (transfer full): the domain; of a running one, from its live XML. NULL on error.
 */
virTeamingDomain *
virTeamingCmdGetDomain(virDomainPtr domain,
                       const char *name,
                       GError **error)
{
    g_autofree char *xml = virDomainGetXMLDesc(domain, 0);

    if (!xml) {
        virTeamingCmdSetLibvirtError(error, "can't get the XML of domain '%s'", name);
        return NULL;
    }
    return virTeamingDomainParse(xml, -1, name, error);
}


/**
 * virTeamingCmdReadDomain:
 * @options: --connect says which libvirt to ask
 * @name: a file, "-" for standard input, or else a domain that libvirt knows
 * @error: set as by virTeamingDomainParseFile, or to VIR_TEAMING_ERROR_LIBVIRT
 *
 * Returns: (transfer full): the domain; of a running one, its live XML. NULL on error.
 */
virTeamingDomain *
virTeamingCmdReadDomain(const virTeamingCmdOptions *options,
                        const char *name,
                        GError **error)
{
    g_autoptr(virConnect) conn = NULL;
    g_autoptr(virDomain) domain = NULL;

    if (virTeamingCmdIsFile(name))
        return virTeamingDomainParseFile(name, error);
    if (!(conn = virTeamingCmdConnect(options->connect, FALSE, error)) ||
        !(domain = virTeamingCmdLookup(conn, name, error)))
        return NULL;
    return virTeamingCmdGetDomain(domain, name, error);
}


static void
virTeamingCmdUsage(FILE *stream)
{
    fputs("Usage: virt-teaming COMMAND [OPTION…] [ARGUMENT…]\n\n"
          "Look at SR-IOV failover pairs of libvirt domains, and move them.\n\n", stream);
    for (size_t i = 0; i < G_N_ELEMENTS(virTeamingCmds); i++)
        fprintf(stream, "  %-8s %s\n", virTeamingCmds[i].name, virTeamingCmds[i].summary);
    fputs("\n'virt-teaming COMMAND --help' tells more. Exit status: 0 fine, 1 something is\n"
          "wrong with what was looked at, 2 could not look.\n", stream);
}


/* Has whoever reads what we print had enough, as 'head'? GIO has us live on after that. */
static gboolean
virTeamingCmdIsUnread(void)
{
    struct pollfd out = { STDOUT_FILENO, 0, 0 };

    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}


int
main(int argc,
     char **argv)
{
    g_autoptr(GError) error = NULL;

    setlocale(LC_ALL, "");

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        virTeamingCmdUsage(stdout);
        return VIR_TEAMING_CMD_OK;
    }
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("virt-teaming " VIR_TEAMING_VERSION);
        return VIR_TEAMING_CMD_OK;
    }
    if (argc < 2) {
        virTeamingCmdUsage(stderr);
        return VIR_TEAMING_CMD_FAILED;
    }

    for (size_t i = 0; i < G_N_ELEMENTS(virTeamingCmds); i++) {
        if (strcmp(argv[1], virTeamingCmds[i].name) == 0) {
            int status = virTeamingCmds[i].run(argc - 1, argv + 1);

            /* A full disk or a closed pipe must not look like a clean bill of health. */
            if (fflush(stdout) != 0 || ferror(stdout)) {
                if (virTeamingCmdIsUnread())
                    return VIR_TEAMING_CMD_FAILED;
                g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                            "can't write to standard output");
                return virTeamingCmdFail(error);
            }
            return status;
        }
    }

    g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "no command '%s'; 'virt-teaming --help' lists them", argv[1]);
    return virTeamingCmdFail(error);
}
