/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_policy.c: how one domain wants its pairs treated
 */

#include "teaming_policy.h"

#include <string.h>

#include "teaming_error.h"

/*
 * Theory of operation
 *
 * A setting has one name, and one table below knows its values. Everybody who deals
 * with settings asks that table: the attributes of <policy> in a domain's metadata,
 * the keys of the host's configuration file, and the writer. What holds for a domain
 * is built in three layers, each over the one before: what is built in, what the
 * host's file says, what the domain says.
 */

typedef struct {
    const char *name;
    gsize offset;
    const char *const *words;   /* values in the order of the enum; NULL: seconds */
} virTeamingSetting;

static const char *const onUnplugTimeoutWords[] = { "abort", "wait", NULL };
static const char *const parkingWords[] = { "auto", "zero", "vlan", NULL };
static const char *const plugWords[] = { "auto", "deferred", "stock", NULL };
static const char *const preallocWords[] = { "no", "yes", NULL };
static const char *const postcopyWords[] = { "refuse", "allow", NULL };

/* In the order of virTeamingPolicy's members: the index is the bit in @set. */
static const virTeamingSetting virTeamingSettings[] = {
    { "unplugTimeout", G_STRUCT_OFFSET(virTeamingPolicy, unplugTimeout), NULL },
    { "onUnplugTimeout", G_STRUCT_OFFSET(virTeamingPolicy, onUnplugTimeout),
      onUnplugTimeoutWords },
    { "parking", G_STRUCT_OFFSET(virTeamingPolicy, parking), parkingWords },
    { "plug", G_STRUCT_OFFSET(virTeamingPolicy, plug), plugWords },
    { "prealloc", G_STRUCT_OFFSET(virTeamingPolicy, prealloc), preallocWords },
    { "postcopy", G_STRUCT_OFFSET(virTeamingPolicy, postcopy), postcopyWords },
};

#define VIR_TEAMING_UNPLUG_TIMEOUT_DEFAULT 30
#define VIR_TEAMING_UNPLUG_TIMEOUT_MAX (24 * 60 * 60)


/* Enums and gboolean are as wide as a guint, so one way of access serves all members. */
static guint *
virTeamingSettingGet(const virTeamingPolicy *policy,
                     const virTeamingSetting *setting)
{
    G_STATIC_ASSERT(sizeof(virTeamingPlug) == sizeof(guint));
    G_STATIC_ASSERT(sizeof(gboolean) == sizeof(guint));

    return (guint *)((char *)policy + setting->offset);
}


/* How many letters differ, more or less: enough to find the word that was meant. */
static guint
virTeamingWordDistance(const char *a,
                       const char *b)
{
    guint row[32];
    gsize lena = strlen(a);
    gsize lenb = strlen(b);

    if (lena >= G_N_ELEMENTS(row) || lenb >= G_N_ELEMENTS(row))
        return G_MAXUINT;
    for (gsize j = 0; j <= lenb; j++)
        row[j] = j;
    for (gsize i = 1; i <= lena; i++) {
        guint diagonal = row[0];

        row[0] = i;
        for (gsize j = 1; j <= lenb; j++) {
            guint changed = diagonal +
                (g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]));

            diagonal = row[j];
            row[j] = MIN(MIN(row[j], row[j - 1]) + 1, changed);
        }
    }
    return row[lenb];
}


static char *
virTeamingSettingSuggest(const char *name)
{
    g_autoptr(GString) all = g_string_new("the settings are ");
    const char *best = NULL;
    guint distance = 4;

    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingSettings); i++) {
        guint d = virTeamingWordDistance(name, virTeamingSettings[i].name);

        if (d < distance) {
            distance = d;
            best = virTeamingSettings[i].name;
        }
        g_string_append_printf(all, "%s%s", i ? ", " : "", virTeamingSettings[i].name);
    }
    return best ? g_strdup_printf("did you mean '%s'?", best) : g_strdup(all->str);
}


/**
 * virTeamingPolicyInit:
 * @policy: becomes what is built in
 */
void
virTeamingPolicyInit(virTeamingPolicy *policy)
{
    *policy = (virTeamingPolicy) {
        .unplugTimeout = VIR_TEAMING_UNPLUG_TIMEOUT_DEFAULT,
        /* It takes no memory that pinning would not take: see teaming_migrate.c. */
        .prealloc = TRUE,
    };
}


/**
 * virTeamingPolicySet:
 * @policy: changed on success only
 * @name: of the setting
 * @value: as a person wrote it
 * @hint: (out) (optional): on failure, how to mend it (g_free)
 * @error: set to VIR_TEAMING_ERROR_INVALID
 *
 * Returns: whether there is such a setting, and it can have that value.
 */
gboolean
virTeamingPolicySet(virTeamingPolicy *policy,
                    const char *name,
                    const char *value,
                    char **hint,
                    GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingSettings); i++) {
        const virTeamingSetting *setting = &virTeamingSettings[i];
        guint64 number;

        if (strcmp(setting->name, name) != 0)
            continue;

        if (setting->words) {
            for (number = 0; setting->words[number]; number++) {
                if (strcmp(setting->words[number], value) == 0)
                    break;
            }
            if (!setting->words[number]) {
                g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                            "setting '%s' can't be '%s'", name, value);
                if (hint) {
                    g_autofree char *words = g_strjoinv("', '", (char **)setting->words);

                    *hint = g_strdup_printf("it can be '%s'", words);
                }
                return FALSE;
            }
        } else if (!g_ascii_string_to_unsigned(value, 10, 1, VIR_TEAMING_UNPLUG_TIMEOUT_MAX,
                                               &number, NULL)) {
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "setting '%s' can't be '%s'", name, value);
            if (hint)
                *hint = g_strdup_printf("it is a number of seconds from 1 to %d",
                                        VIR_TEAMING_UNPLUG_TIMEOUT_MAX);
            return FALSE;
        }

        *virTeamingSettingGet(policy, setting) = number;
        policy->set |= 1u << i;
        return TRUE;
    }

    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                "there is no setting '%s'", name);
    if (hint)
        *hint = virTeamingSettingSuggest(name);
    return FALSE;
}


/**
 * virTeamingPolicyMerge:
 * @policy: takes every setting that was written in @over
 * @over: wins
 */
void
virTeamingPolicyMerge(virTeamingPolicy *policy,
                      const virTeamingPolicy *over)
{
    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingSettings); i++) {
        if (over->set & 1u << i)
            *virTeamingSettingGet(policy, &virTeamingSettings[i]) =
                *virTeamingSettingGet(over, &virTeamingSettings[i]);
    }
    policy->set |= over->set;
}


/**
 * virTeamingPolicyLoad:
 * @policy: becomes what is built in, and what the file says over it; on success only
 * @path: the file, or NULL for VIR_TEAMING_POLICY_FILE, which need not exist
 * @error: set to VIR_TEAMING_ERROR_INVALID, with the file's name and a hint, or _ACCESS
 *
 * Returns: whether the file says nothing that is not understood.
 */
gboolean
virTeamingPolicyLoad(virTeamingPolicy *policy,
                     const char *path,
                     GError **error)
{
    g_autoptr(GKeyFile) keyfile = g_key_file_new();
    g_autoptr(GError) local = NULL;
    g_auto(GStrv) groups = NULL;
    g_auto(GStrv) keys = NULL;
    const char *file = path ? path : VIR_TEAMING_POLICY_FILE;
    virTeamingPolicy loaded;

    virTeamingPolicyInit(&loaded);

    if (!g_key_file_load_from_file(keyfile, file, G_KEY_FILE_NONE, &local)) {
        if (!path && g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            *policy = loaded;
            return TRUE;
        }
        g_set_error(error, VIR_TEAMING_ERROR,
                    g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_ACCES) ?
                    VIR_TEAMING_ERROR_ACCESS : VIR_TEAMING_ERROR_INVALID,
                    "%s: %s", file, local->message);
        return FALSE;
    }

    groups = g_key_file_get_groups(keyfile, NULL);
    for (char **group = groups; *group; group++) {
        if (strcmp(*group, VIR_TEAMING_POLICY_GROUP) != 0) {
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "%s: there is no group [%s]; settings are in [%s]",
                        file, *group, VIR_TEAMING_POLICY_GROUP);
            return FALSE;
        }
    }

    keys = g_key_file_get_keys(keyfile, VIR_TEAMING_POLICY_GROUP, NULL, NULL);
    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_value(keyfile, VIR_TEAMING_POLICY_GROUP,
                                                      *key, NULL);
        g_autofree char *hint = NULL;
        g_autoptr(GError) bad = NULL;

        if (!virTeamingPolicySet(&loaded, *key, value ? value : "", &hint, &bad)) {
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "%s: %s; %s", file, bad->message, hint);
            return FALSE;
        }
    }

    *policy = loaded;
    return TRUE;
}


/**
 * virTeamingPolicyFormat:
 * @policy: whose written settings to write
 * @out: grows by the attributes, each with a blank before it
 */
void
virTeamingPolicyFormat(const virTeamingPolicy *policy,
                       GString *out)
{
    for (gsize i = 0; i < G_N_ELEMENTS(virTeamingSettings); i++) {
        const virTeamingSetting *setting = &virTeamingSettings[i];
        guint value = *virTeamingSettingGet(policy, setting);

        if (!(policy->set & 1u << i))
            continue;
        if (setting->words)
            g_string_append_printf(out, " %s='%s'", setting->name, setting->words[value]);
        else
            g_string_append_printf(out, " %s='%u'", setting->name, value);
    }
}
