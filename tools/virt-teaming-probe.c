/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-probe.c: find out whether a NIC can carry a failover pair
 */

#include "virt-teaming.h"

#include <signal.h>
#include <string.h>

#include "nic_probe.h"

/*
 * Theory of operation
 *
 * nic_probe.c asks the questions, nic_verdict.c judges and keeps the answers. This file
 * hands on signals, so that the probe puts back what it has changed, and prints.
 */

static volatile sig_atomic_t virTeamingProbeStop;


static void
virTeamingProbeOnSignal(int number)
{
    virTeamingProbeStop = 1;
}


static void
virTeamingProbeCatchSignals(void)
{
    const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
    struct sigaction action = { .sa_handler = virTeamingProbeOnSignal };

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction old;

        /* What nohup, or the shell of a job in the background, have it ignore, stays ignored. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    /* Whoever reads what we print may go; the NIC must be put back all the same. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}


static void
virTeamingProbeProgress(const char *words)
{
    virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_DIM, "probing: %s\n", words);
}


/* Said in any format: whoever reads JSON reads standard output. */
static void
virTeamingProbeNotice(const char *words)
{
    virTeamingCmdPrint(stderr, VIR_TEAMING_CMD_STYLE_WARNING, "warning:");
    fprintf(stderr, " %s\n", words);
}


/* ---- as text ---- */

/* Of the form "8086:10c9, firmware 1.2", as far as it is known. */
static char *
virTeamingProbeDescribe(const virTeamingNicIdentity *identity)
{
    g_autoptr(GString) text = g_string_new(identity->device);

    if (identity->firmware[0])
        g_string_append_printf(text, "%sfirmware %s", text->len ? ", " : "", identity->firmware);
    return g_string_free(g_steal_pointer(&text), FALSE);
}


static void
virTeamingProbePrintRow(int width,
                        const char *question,
                        gboolean finding,
                        const char *answer,
                        const char *meaning)
{
    printf("  %-*s  ", width, question);
    if (finding)
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_WARNING, "%-9s", answer);
    else
        printf("%-9s", answer);
    printf("%s%s\n", *meaning ? "  " : "", meaning);
}


static gboolean
virTeamingProbeIsComplete(const virTeamingNicVerdict *verdict)
{
    for (virTeamingNicTrait t = 0; t < VIR_TEAMING_TRAIT_LAST; t++) {
        if (verdict->answers[t] == VIR_TEAMING_ANSWER_UNKNOWN)
            return FALSE;
    }
    return TRUE;
}


static void
virTeamingProbePrint(const virTeamingNicVerdict *verdict,
                     const char *pf,
                     const char *path)
{
    static const char change[] = "a change of its MAC is in force after";
    g_autofree char *nic = virTeamingProbeDescribe(&verdict->identity);
    g_autofree char *why = virTeamingNicVerdictObject(verdict);
    int width = strlen(change);

    for (virTeamingNicTrait t = 0; t < VIR_TEAMING_TRAIT_LAST; t++)
        width = MAX(width, (int)strlen(virTeamingNicTraitGet(t)->question));

    virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_BOLD, "%s", pf);
    printf(": %s, %s%s%s%s\n", verdict->identity.pci, verdict->identity.driver,
           *nic ? " (" : "", nic, *nic ? ")" : "");
    printf("tried on VF %s with %s, frames from %s\n\n", verdict->vf, verdict->vfDriver,
           verdict->peer ? verdict->peer : "the PF; --peer asks from the wire");

    virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_DIM, "  %-*s  %-9s  %s\n", width,
                       "QUESTION", "ANSWER", "WHAT IT MEANS FOR A PAIR");
    for (virTeamingNicTrait t = 0; t < VIR_TEAMING_TRAIT_LAST; t++) {
        const virTeamingNicTraitInfo *info = virTeamingNicTraitGet(t);
        const virTeamingNicAnswer answer = verdict->answers[t];

        virTeamingProbePrintRow(width, info->question, info->bad == answer && info->bad,
                                virTeamingNicAnswerToString(answer), info->meaning[answer]);
    }
    if (verdict->changeUs >= 0) {
        g_autofree char *usual = g_strdup_printf("%.1f ms", verdict->changeUs / 1000.0);
        g_autofree char *most = g_strdup_printf("at most %.1f ms in this probe",
                                                verdict->changeMaxUs / 1000.0);

        virTeamingProbePrintRow(width, change, FALSE, usual, most);
    } else {
        virTeamingProbePrintRow(width, change, FALSE, "not known", "");
    }

    putchar('\n');
    if (why) {
        virTeamingCmdPrint(stdout, VIR_TEAMING_CMD_STYLE_ERROR, "not safe:");
        printf(" %s\n", why);
    } else if (!virTeamingProbeIsComplete(verdict)) {
        puts("nothing speaks against it, but not everything is known");
    } else {
        puts("fit for pairs");
    }
    printf("stored in %s\n", path);
}


/* ---- the subcommand ---- */

static gboolean
virTeamingProbeRun(const char *pf,
                   const char *peer,
                   gboolean quiet,
                   virTeamingNicVerdict **ret,
                   GError **error)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNew(NULL, error);
    g_autoptr(virTeamingNicWire) wire = NULL;
    virTeamingNicProbe probe = {
        .kernel = kernel,
        .rundir = VIR_TEAMING_RUNSTATEDIR,
        .stop = &virTeamingProbeStop,
        .progress = quiet ? NULL : virTeamingProbeProgress,
        .notice = virTeamingProbeNotice,
    };
    virTeamingLink link;
    virTeamingLink far;

    /* A wrong name is better complained about by the kernel than by a socket; and sysfs knows no
     * alternative ones. */
    if (!kernel || !virTeamingKernelLinkGet(kernel, pf, &link, error) ||
        (peer && !virTeamingKernelLinkGet(kernel, peer, &far, error)))
        return FALSE;
    if (peer && far.ifindex == link.ifindex) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "--peer wants another interface than the PF itself");
        return FALSE;
    }
    probe.pf = link.name;
    probe.peer = peer ? far.name : NULL;
    if (!(wire = virTeamingNicWireNew(kernel, probe.pf, probe.peer, error)))
        return FALSE;
    probe.wire = wire;
    virTeamingProbeCatchSignals();
    return (*ret = virTeamingNicProbeRun(&probe, error)) != NULL;
}


/**
 * virTeamingCmdProbe:
 * @argc: number of words
 * @argv: "probe", options and the name of a PF
 *
 * Returns: a virTeamingCmdExit; VIR_TEAMING_CMD_FINDINGS if the NIC can't carry a pair.
 */
int
virTeamingCmdProbe(int argc,
                   char **argv)
{
    g_auto(virTeamingCmdOptions) options = { .local = TRUE };
    g_autofree char *peer = NULL;
    g_autofree char *dir = NULL;
    g_autofree char *path = NULL;
    g_autofree char *why = NULL;
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autoptr(virTeamingNicVerdict) older = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        { "peer", 'p', 0, G_OPTION_ARG_STRING, &peer,
          "an interface of this host at the other end of the PF's wire", "IFACE" },
        { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &dir,
          "where the verdict is kept (" VIR_TEAMING_NIC_VERDICT_DIR ")", "DIR" },
        { NULL },
    };
    g_auto(GStrv) words =
        virTeamingCmdParse(argc, argv, "PF",
                           "Find out whether a NIC can carry failover pairs, and store the answer for\n"
                           "virtteamingd. Takes an idle VF and some seconds; puts all back.",
                           entries, &options);

    if (!words)
        return VIR_TEAMING_CMD_FAILED;
    if (g_strv_length(words) != 1) {
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "probe takes the name of one PF");
        return virTeamingCmdFail(error);
    }

    if (!virTeamingProbeRun(words[0], peer, options.json, &verdict, &error))
        return virTeamingCmdFail(error);
    if (!peer && (older = virTeamingNicVerdictLoad(&verdict->identity, dir, NULL)))
        virTeamingNicVerdictInherit(verdict, older);
    if (!virTeamingNicVerdictSave(verdict, dir, &error))
        return virTeamingCmdFail(error);
    path = virTeamingNicVerdictPath(&verdict->identity, dir);
    why = virTeamingNicVerdictObject(verdict);
    if (options.json) {
        g_autoptr(JsonNode) root = virTeamingNicVerdictFormat(verdict);

        virTeamingCmdPrintJson(root);
    } else {
        virTeamingProbePrint(verdict, words[0], path);
    }
    return why ? VIR_TEAMING_CMD_FINDINGS : VIR_TEAMING_CMD_OK;
}
