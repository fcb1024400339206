/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-move.c: a guest's frames to its standby and back, without a migration
 */

#include <string.h>

#include "virt-teaming-host.h"

/*
 * Theory of operation
 *
 * The daemon begins, and says at once if it will not. Then its pairs are looked at until all
 * that are meant are there, or one can't come: a guest that keeps its VF makes the daemon take
 * the move back. What is tried again and again (a VF that can't be plugged) is waited for as
 * long as the caller wants; the daemon goes on when we have given up.
 */

#define VIR_TEAMING_MOVE_TIMEOUT_S 60
#define VIR_TEAMING_MOVE_LOOK_MS 200

typedef enum {
    VIR_TEAMING_MOVED_YES,
    VIR_TEAMING_MOVED_NOT_YET,
    VIR_TEAMING_MOVED_NO,           /* nor will it be */
} virTeamingMoved;


/* Is @pair a standby that never had a VF? It is on its standby, and no other place is meant. */
static gboolean
virTeamingMoveIsAlone(GVariant *pair)
{
    gboolean alone = FALSE;

    g_variant_lookup(pair, "alone", "b", &alone);
    return alone;
}


static virTeamingMoved
virTeamingMoveJudge(GVariant *pair,
                    gboolean toVf)
{
    const char *move = virTeamingCmdPairGet(pair, "move");

    if (virTeamingMoveIsAlone(pair))
        return VIR_TEAMING_MOVED_YES;
    if (toVf)
        return g_str_equal(virTeamingCmdPairGet(pair, "phase"), "driving") ?
            VIR_TEAMING_MOVED_YES : VIR_TEAMING_MOVED_NOT_YET;
    if (g_str_equal(move, "on-standby"))
        return VIR_TEAMING_MOVED_YES;
    return g_str_equal(move, "to-standby") ? VIR_TEAMING_MOVED_NOT_YET : VIR_TEAMING_MOVED_NO;
}


/* Returns: (transfer full) (nullable): the first of @pairs that is not there, and in @ret
 * how far all of them are: as far as the one that is farthest from it. */
static GVariant *
virTeamingMoveSurvey(GVariant *pairs,
                     gboolean toVf,
                     virTeamingMoved *ret)
{
    GVariant *worst = NULL;

    *ret = VIR_TEAMING_MOVED_YES;
    for (gsize i = 0; i < g_variant_n_children(pairs); i++) {
        g_autoptr(GVariant) pair = g_variant_get_child_value(pairs, i);
        virTeamingMoved moved = virTeamingMoveJudge(pair, toVf);

        if (moved > *ret) {
            *ret = moved;
            g_clear_pointer(&worst, g_variant_unref);
            worst = g_steal_pointer(&pair);
        }
    }
    return worst;
}


/* Why @pair is not where it should be. */
static const char *
virTeamingMoveWhy(GVariant *pair)
{
    static const char *const keys[] = { "given-up", "problem", "why" };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (*virTeamingCmdPairGet(pair, keys[i]))
            return virTeamingCmdPairGet(pair, keys[i]);
    }
    return "it is not known why";
}


/* One line that is written over, for who waits at a terminal. */
static void
virTeamingMoveProgress(GVariant *pair,
                       gint64 seconds)
{
    if (!virTeamingCmdIsTerminal(stderr))
        return;
    if (pair)
        fprintf(stderr, "\r\033[K%s: %s: %s, %d s", virTeamingCmdPairGet(pair, "domain"),
                virTeamingCmdPairGet(pair, "standby"), virTeamingCmdPairGet(pair, "phase"),
                (int)seconds);
    else
        fputs("\r\033[K", stderr);
    fflush(stderr);
}


static void
virTeamingMovePrintJson(GVariant *pairs,
                        gboolean toVf,
                        gboolean done,
                        const char *why,
                        gint64 elapsed)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);

    json_object_set_string_member(object, "to", toVf ? "vf" : "standby");
    json_object_set_boolean_member(object, "done", done);
    json_object_set_string_member(object, "reason", why);
    json_object_set_double_member(object, "seconds", elapsed / (double)G_USEC_PER_SEC);
    json_object_set_member(object, "pairs", json_gvariant_serialize(pairs));
    virTeamingCmdPrintJson(node);
}


static void
virTeamingMovePrint(GVariant *pairs,
                    gboolean toVf)
{
    for (gsize i = 0; i < g_variant_n_children(pairs); i++) {
        g_autoptr(GVariant) pair = g_variant_get_child_value(pairs, i);
        const virTeamingMoved moved = virTeamingMoveJudge(pair, toVf);

        printf("%s: %s ", virTeamingCmdPairGet(pair, "domain"),
               virTeamingCmdPairGet(pair, "standby"));
        if (virTeamingMoveIsAlone(pair) && toVf)
            puts("stays on its standby: it has had no VF here");
        else if (moved == VIR_TEAMING_MOVED_YES && toVf)
            printf("is on its VF %s\n", virTeamingCmdPairGet(pair, "vf"));
        else if (moved == VIR_TEAMING_MOVED_YES)
            puts("is on its standby");
        else
            printf("is not on its %s%s: %s\n", toVf ? "VF" : "standby",
                   moved == VIR_TEAMING_MOVED_NOT_YET ? " yet" : "", virTeamingMoveWhy(pair));
    }
}


/* Waits until @domain's pairs are where they should be. Returns: the exit status. */
static int
virTeamingMoveWait(const virTeamingCmdDaemon *daemon,
                   const char *domain,
                   const char *standby,
                   gboolean toVf,
                   int timeout,
                   gboolean json)
{
    const gint64 began = g_get_monotonic_time();

    while (TRUE) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) reply = virTeamingCmdAskDaemon(daemon, NULL, "GetPairs", NULL,
                                                           "(aa{sv})", &error);
        const gint64 elapsed = g_get_monotonic_time() - began;
        g_autoptr(GVariant) pairs = NULL;
        g_autoptr(GVariant) worst = NULL;
        virTeamingMoved moved;

        if (reply) {
            pairs = virTeamingCmdFilterPairs(g_variant_get_child_value(reply, 0), domain,
                                             standby);
            if (g_variant_n_children(pairs) == 0)
                g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                            "domain '%s' has left this host meanwhile", domain);
        }
        if (error) {
            virTeamingMoveProgress(NULL, 0);
            return virTeamingCmdFail(error);
        }

        worst = virTeamingMoveSurvey(pairs, toVf, &moved);
        if (moved == VIR_TEAMING_MOVED_NOT_YET && elapsed < (gint64)timeout * G_USEC_PER_SEC) {
            virTeamingMoveProgress(worst, elapsed / G_USEC_PER_SEC);
            g_usleep(VIR_TEAMING_MOVE_LOOK_MS * 1000);
            continue;
        }

        virTeamingMoveProgress(NULL, 0);
        if (json)
            virTeamingMovePrintJson(pairs, toVf, !worst, worst ? virTeamingMoveWhy(worst) : "",
                                    elapsed);
        else
            virTeamingMovePrint(pairs, toVf);
        if (moved == VIR_TEAMING_MOVED_NOT_YET) {
            fflush(stdout);
            fprintf(stderr, "virt-teaming: waited %d s; virtteamingd goes on, see 'virt-teaming "
                    "status'\n", (int)(elapsed / G_USEC_PER_SEC));
        }
        return worst ? VIR_TEAMING_CMD_FINDINGS : VIR_TEAMING_CMD_OK;
    }
}


int
virTeamingCmdMove(int argc,
                  char **argv)
{
    g_autofree char *statedir = NULL;
    g_autofree char *to = NULL;
    g_autofree char *standby = NULL;
    int timeout = VIR_TEAMING_MOVE_TIMEOUT_S;
    const GOptionEntry entries[] = {
        { "to", 't', 0, G_OPTION_ARG_STRING, &to, "where to", "standby|vf" },
        { "pair", 'p', 0, G_OPTION_ARG_STRING, &standby,
          "this one of the domain's pairs only: alias of its standby", "ALIAS" },
        { "timeout", 0, 0, G_OPTION_ARG_INT, &timeout,
          "how long to wait for it (default: 60)", "SECONDS" },
        { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &statedir,
          "where virtteamingd has its sockets (default: " VIR_TEAMING_RUNSTATEDIR ")", "DIR" },
        { NULL },
    };
    g_auto(virTeamingCmdOptions) options = { .local = TRUE };
    g_auto(virTeamingCmdDaemon) daemon = { 0 };
    g_auto(GStrv) words = virTeamingCmdParse(
        argc, argv, "DOMAIN", "Moves the frames of a running guest (name or UUID) from its VF "
        "to its standby, for\nwork on the NIC, or back to a VF, without a migration.",
        entries, &options);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GError) error = NULL;

    if (!words)
        return VIR_TEAMING_CMD_FAILED;
    if (!words[0] || words[1])
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "move takes one DOMAIN");
    else if (!g_utf8_validate(words[0], -1, NULL))
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "the name of a DOMAIN is of UTF-8, and this is not");
    else if (g_strcmp0(to, "standby") != 0 && g_strcmp0(to, "vf") != 0)
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "move needs --to standby or --to vf%s%s%s", to ? ", not '" : "",
                    to ? to : "", to ? "'" : "");
    else if (timeout < 0)
        g_set_error(&error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "--timeout is a number of seconds, not %d", timeout);
    if (error || !virTeamingCmdReachDaemon(statedir, &daemon, &error) ||
        !(reply = virTeamingCmdAskDaemon(&daemon, NULL, "Move",
                                         g_variant_new("(sss)", words[0],
                                                       standby ? standby : "", to),
                                         "()", &error)))
        return virTeamingCmdFail(error);
    return virTeamingMoveWait(&daemon, words[0], standby, g_str_equal(to, "vf"), timeout,
                              options.json);
}
