/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_journal.c: what must survive the daemon: one small file per pair
 */

/*
 * Theory of operation
 *
 * A pair's file says where the pair is, what QEMU has told (events are not replayed) and
 * what we are about to have done (the undo list). It is written before the first step of
 * a plan is taken, and again when a step has been undone. So after a crash it names
 * everything that may be there, and perhaps a thing that is not: every undo is idempotent.
 *
 * While a guest is stopped to run elsewhere there is no time to write. What its pairs may leave
 * behind then is foretold before it stops; what was told meanwhile is written soon after.
 *
 * A file is replaced as a whole, by rename: a reader finds the old one or the new one.
 * The directory is under /run: after a reboot there is nothing left to undo.
 *
 * A file that can't be read or makes no sense does not come from a crash, and yet there it
 * is: from a full or broken disk, from a daemon of another version, from a person. Its name
 * still says whose it was, and that something may be left on the host, which is to be
 * searched for it then. The file itself is set aside for a person to look at.
 */

#include "teaming_journal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "teaming_error.h"

#define VIR_TEAMING_JOURNAL_SUFFIX ".pair"
#define VIR_TEAMING_JOURNAL_ASIDE ".bad"
/* To be raised when a member no longer means what it meant. */
#define VIR_TEAMING_JOURNAL_VERSION 1

/* Members are stored by one table, so that saving and loading can't differ. */
typedef enum {
    FIELD_STRING,                   /* char * */
    FIELD_NAME,                     /* char[IF_NAMESIZE] */
    FIELD_BOOLEAN,
    FIELD_UINT,                     /* guint, or an enum */
    FIELD_MAC,
    FIELD_PCI,
} virTeamingJournalType;

#define FIELD(member, type) { #member, type, G_STRUCT_OFFSET(virTeamingPairObj, member) }

static const struct {
    const char *name;
    virTeamingJournalType type;
    gsize offset;
} fields[] = {
    FIELD(uuid, FIELD_STRING),
    FIELD(domain, FIELD_STRING),
    FIELD(standbyAlias, FIELD_STRING),
    FIELD(primaryAlias, FIELD_STRING),
    FIELD(mac, FIELD_MAC),
    FIELD(tap, FIELD_NAME),
    FIELD(uplink, FIELD_NAME),
    FIELD(pf, FIELD_NAME),
    FIELD(hasVf, FIELD_BOOLEAN),
    FIELD(vf, FIELD_PCI),
    FIELD(vfIndex, FIELD_UINT),
    FIELD(guest, FIELD_UINT),
    FIELD(started, FIELD_BOOLEAN),
    FIELD(negotiated, FIELD_BOOLEAN),
    FIELD(opening, FIELD_BOOLEAN),
    FIELD(postcopy, FIELD_BOOLEAN),
    FIELD(askedOut, FIELD_BOOLEAN),
    FIELD(migrating, FIELD_BOOLEAN),
    FIELD(ejectLate, FIELD_BOOLEAN),
    FIELD(defer, FIELD_BOOLEAN),
    FIELD(unplugged, FIELD_BOOLEAN),
    FIELD(nameless, FIELD_BOOLEAN),
    FIELD(absent, FIELD_BOOLEAN),
    FIELD(move, FIELD_UINT),
    FIELD(takingOut, FIELD_BOOLEAN),
    FIELD(takenBack, FIELD_BOOLEAN),
    FIELD(noted, FIELD_BOOLEAN),
    FIELD(completed, FIELD_BOOLEAN),
    FIELD(hidden, FIELD_BOOLEAN),
    FIELD(foretold, FIELD_BOOLEAN),
    FIELD(plugXml, FIELD_STRING),
    FIELD(selfAdded, FIELD_BOOLEAN),
    FIELD(fdbAdded, FIELD_BOOLEAN),
    FIELD(learningOff, FIELD_BOOLEAN),
    FIELD(floodingOff, FIELD_BOOLEAN),
    FIELD(parked, FIELD_BOOLEAN),
    FIELD(vfVlan, FIELD_UINT),
    FIELD(vfQos, FIELD_UINT),
    FIELD(vfService, FIELD_BOOLEAN),
    FIELD(macKept, FIELD_BOOLEAN),
    FIELD(keptVf, FIELD_PCI),
    FIELD(keptMac, FIELD_MAC),
    FIELD(hasCaught, FIELD_BOOLEAN),
    FIELD(caught, FIELD_PCI),
    FIELD(caughtVlan, FIELD_UINT),
    FIELD(caughtQos, FIELD_UINT),
    FIELD(caughtService, FIELD_BOOLEAN),
};


static char *
virTeamingJournalPath(const virTeamingPairObj *pair,
                      const char *statedir)
{
    char mac[VIR_TEAMING_MAC_STRING_LEN];
    g_autofree char *name = g_strconcat(pair->uuid, "-",
                                        virTeamingMacFormat(&pair->mac, mac),
                                        VIR_TEAMING_JOURNAL_SUFFIX, NULL);

    return g_build_filename(statedir, name, NULL);
}


static char *
virTeamingJournalFormat(const virTeamingPairObj *pair)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "version", VIR_TEAMING_JOURNAL_VERSION);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const void *member = G_STRUCT_MEMBER_P(pair, fields[i].offset);
        char buf[MAX(VIR_TEAMING_MAC_STRING_LEN, VIR_TEAMING_PCI_STRING_LEN)];

        switch (fields[i].type) {
        case FIELD_STRING:
            json_object_set_string_member(object, fields[i].name, *(char *const *)member);
            break;
        case FIELD_NAME:
            json_object_set_string_member(object, fields[i].name, member);
            break;
        case FIELD_BOOLEAN:
            json_object_set_boolean_member(object, fields[i].name,
                                           *(const gboolean *)member);
            break;
        case FIELD_UINT:
            json_object_set_int_member(object, fields[i].name, *(const guint *)member);
            break;
        case FIELD_MAC:
            json_object_set_string_member(object, fields[i].name,
                                          virTeamingMacFormat(member, buf));
            break;
        case FIELD_PCI:
            json_object_set_string_member(object, fields[i].name,
                                          virTeamingPciAddressFormat(member, buf));
            break;
        }
    }
    json_node_set_object(node, object);
    return json_to_string(node, TRUE);
}


static guint64
virTeamingJournalMix(guint64 digest,
                     const void *data,
                     gsize size)
{
    const guint8 *bytes = data;

    for (gsize i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * G_GUINT64_CONSTANT(0x100000001b3);
    return digest;
}


/**
 * virTeamingJournalDigest:
 *
 * Sums up (FNV-1a) what virTeamingJournalFormat() would say, at a fraction of its price: it is
 * asked for at each look at a pair, and mostly there is nothing new to write.
 *
 * Returns: a number other than 0.
 */
static guint64
virTeamingJournalDigest(const virTeamingPairObj *pair)
{
    guint64 digest = G_GUINT64_CONSTANT(0xcbf29ce484222325);

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const void *member = G_STRUCT_MEMBER_P(pair, fields[i].offset);
        const char *text = member;

        switch (fields[i].type) {
        case FIELD_STRING:
            text = *(char *const *)member;
            G_GNUC_FALLTHROUGH;
        case FIELD_NAME:
            digest = virTeamingJournalMix(digest, text ? text : "", text ? strlen(text) + 1 : 0);
            break;
        case FIELD_BOOLEAN:
        case FIELD_UINT:
            digest = virTeamingJournalMix(digest, member, sizeof(guint));
            break;
        case FIELD_MAC:
            digest = virTeamingJournalMix(digest, member, sizeof(virTeamingMac));
            break;
        case FIELD_PCI: {
            const virTeamingPciAddress *address = member;
            const guint32 numbers[] = { address->domain, address->bus, address->slot,
                                        address->function };

            digest = virTeamingJournalMix(digest, numbers, sizeof(numbers));
            break;
        }
        }
    }
    return digest ? digest : 1;
}


/* Reads one member; what is missing or of another type stays as it is. */
static gboolean
virTeamingJournalParseField(JsonObject *object,
                            gsize i,
                            virTeamingPairObj *pair)
{
    void *member = G_STRUCT_MEMBER_P(pair, fields[i].offset);
    JsonNode *node = json_object_get_member(object, fields[i].name);
    const char *text;

    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return FALSE;

    switch (fields[i].type) {
    case FIELD_BOOLEAN:
        *(gboolean *)member = json_node_get_boolean(node);
        return TRUE;
    case FIELD_UINT:
        *(guint *)member = json_node_get_int(node);
        return TRUE;
    case FIELD_STRING:
    case FIELD_NAME:
    case FIELD_MAC:
    case FIELD_PCI:
        break;
    }

    if (!(text = json_node_get_string(node)))
        return FALSE;
    if (fields[i].type == FIELD_STRING) {
        g_free(*(char **)member);
        *(char **)member = g_strdup(text);
        return TRUE;
    }
    if (fields[i].type == FIELD_MAC)
        return virTeamingMacParse(text, member);
    if (fields[i].type == FIELD_PCI)
        return virTeamingPciAddressParse(text, member);
    return g_strlcpy(member, text, IF_NAMESIZE) < IF_NAMESIZE;
}


static virTeamingPairObj *
virTeamingJournalParse(const char *text)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    g_autoptr(virTeamingPairObj) pair = NULL;
    JsonObject *object;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return NULL;

    object = json_node_get_object(node);
    if (json_object_get_int_member_with_default(object, "version", 0) !=
        VIR_TEAMING_JOURNAL_VERSION)
        return NULL;
    pair = virTeamingPairObjNew(NULL, NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        virTeamingJournalParseField(object, i, pair);

    if (!pair->uuid || !pair->domain || virTeamingMacIsZero(&pair->mac) ||
        pair->guest > VIR_TEAMING_GUEST_DEPARTING || pair->move >= VIR_TEAMING_MOVE_LAST)
        return NULL;
    return g_steal_pointer(&pair);
}


/**
 * virTeamingJournalSave:
 * @pair: the pair
 * @statedir: directory of the journal
 * @error: set to VIR_TEAMING_ERROR_SYSTEM if the file can't be written
 *
 * Writes @pair's file unless it says all that already.
 *
 * Returns: whether the journal now says what @pair is.
 */
gboolean
virTeamingJournalSave(virTeamingPairObj *pair,
                      const char *statedir,
                      GError **error)
{
    const guint64 digest = virTeamingJournalDigest(pair);
    g_autofree char *text = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) reason = NULL;

    if (digest == pair->journalled)
        return TRUE;

    text = virTeamingJournalFormat(pair);
    path = virTeamingJournalPath(pair, statedir);
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT,
                                  0600, &reason)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot journal domain '%s' before it is changed: %s",
                    pair->domain, reason->message);
        return FALSE;
    }
    pair->journalled = digest;
    return TRUE;
}


/* Forgets @pair: there is nothing left to undo. */
gboolean
virTeamingJournalRemove(virTeamingPairObj *pair,
                        const char *statedir,
                        GError **error)
{
    g_autofree char *path = virTeamingJournalPath(pair, statedir);

    pair->journalled = 0;
    if (g_unlink(path) < 0 && errno != ENOENT) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot remove %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}


/* What the name of a damaged file says: whose it was, and that anything may be left. */
static virTeamingPairObj *
virTeamingJournalGuess(const char *name)
{
    const gsize uuidLen = 36;
    g_autofree char *uuid = g_strndup(name, uuidLen);
    g_autofree char *macText = NULL;
    virTeamingPairObj *pair;
    virTeamingMac mac;

    if (!g_uuid_string_is_valid(uuid) || name[uuidLen] != '-')
        return NULL;
    macText = g_strndup(name + uuidLen + 1, strcspn(name + uuidLen + 1, "."));
    if (!virTeamingMacParse(macText, &mac))
        return NULL;
    pair = virTeamingPairObjNew(uuid, uuid, &mac);
    pair->standbyAlias = g_steal_pointer(&macText);
    pair->selfAdded = pair->fdbAdded = pair->parked = TRUE;
    pair->learningOff = pair->floodingOff = TRUE;
    return pair;
}


/* Reads the file @name. Returns: its pair; NULL if it is not a pair's file. */
static virTeamingPairObj *
virTeamingJournalLoadFile(const char *statedir,
                          const char *name)
{
    g_autofree char *path = g_build_filename(statedir, name, NULL);
    g_autofree char *aside = g_strconcat(path, VIR_TEAMING_JOURNAL_ASIDE, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingPairObj *pair;

    if (g_file_get_contents(path, &text, NULL, &error) &&
        (pair = virTeamingJournalParse(text))) {
        pair->journalled = virTeamingJournalDigest(pair);
        pair->selfAdded |= pair->foretold;
        pair->parked |= pair->foretold && pair->hasVf;
        /* What the network was told is not kept; to tell it twice does no harm. */
        pair->wire = pair->foretold || pair->guest != VIR_TEAMING_GUEST_HERE ?
            VIR_TEAMING_WIRE_AWAY : VIR_TEAMING_WIRE_KEEP;
        return pair;
    }
    if (!(pair = virTeamingJournalGuess(name))) {
        g_warning("%s is not a journal of ours and was left alone", path);
        return NULL;
    }
    g_warning("the journal %s is damaged or of another version%s%s: the host is searched for "
              "what it may have said; it is kept as %s", path, error ? ": " : "",
              error ? error->message : "", aside);
    if (g_rename(path, aside) < 0)
        g_warning("cannot rename %s: %s", path, g_strerror(errno));
    return pair;
}


/**
 * virTeamingJournalLoad:
 * @statedir: directory of the journal
 * @error: set to VIR_TEAMING_ERROR_SYSTEM if it can't be read
 *
 * Of a pair whose file is damaged only uuid and MAC are known, and that all may have to be
 * undone; its "journalled" is 0. See virTeamingPairObjSearch().
 *
 * Returns: the pairs, of virTeamingPairObj; free with g_ptr_array_unref(). NULL on error.
 */
GPtrArray *
virTeamingJournalLoad(const char *statedir,
                      GError **error)
{
    g_autoptr(GPtrArray) pairs =
        g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingPairObjFree);
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) dir = g_dir_open(statedir, 0, &reason);
    const char *name;

    if (!dir) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot read the journal: %s", reason->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir))) {
        virTeamingPairObj *pair;

        if (g_str_has_suffix(name, VIR_TEAMING_JOURNAL_SUFFIX) &&
            (pair = virTeamingJournalLoadFile(statedir, name)))
            g_ptr_array_add(pairs, pair);
    }
    return g_steal_pointer(&pairs);
}
