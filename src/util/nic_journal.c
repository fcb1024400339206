/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_journal.c: what a probe of a NIC must put back, on file while it runs
 */

/*
 * Theory of operation
 *
 * One file, since one probe runs at a time on a host: a lock sees to that. It is written
 * before the first change and removed when all is as it was, or has gone, or is another's by
 * now. A probe that finds one was preceded by one that was killed or that failed, and puts back
 * what that one could not. The directory is under /run: a reboot undoes all that a probe does.
 */

#include "nic_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "teaming_error.h"

#define VIR_TEAMING_NIC_JOURNAL_FILE "nic-probe.json"
#define VIR_TEAMING_NIC_JOURNAL_LOCK "nic-probe.lock"


/**
 * virTeamingNicJournalPath:
 * @rundir: directory of the journal
 *
 * Returns: (transfer full): the file, which a person may remove to leave things as they are.
 */
char *
virTeamingNicJournalPath(const char *rundir)
{
    return g_build_filename(rundir, VIR_TEAMING_NIC_JOURNAL_FILE, NULL);
}


/**
 * virTeamingNicJournalLock:
 * @rundir: directory of the journal, made if it is not there
 * @error: set to BUSY if another probe runs, else to SYSTEM or ACCESS
 *
 * Returns: a file descriptor that holds the lock until it is closed, or -1.
 */
int
virTeamingNicJournalLock(const char *rundir,
                         GError **error)
{
    g_autofree char *path = g_build_filename(rundir, VIR_TEAMING_NIC_JOURNAL_LOCK, NULL);
    int fd = -1;

    if (g_mkdir_with_parents(rundir, 0755) < 0 ||
        (fd = g_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
        g_set_error(error, VIR_TEAMING_ERROR,
                    errno == EACCES ? VIR_TEAMING_ERROR_ACCESS : VIR_TEAMING_ERROR_SYSTEM,
                    "cannot open %s: %s%s", path, g_strerror(errno),
                    errno == EACCES ? "; run it as root" : "");
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                    "another probe runs on this host; wait until it has ended");
        close(fd);
        return -1;
    }
    return fd;
}


/**
 * virTeamingNicJournalSave:
 * @journal: how it was
 * @rundir: directory of the journal
 * @error: set to SYSTEM if the file can't be written
 *
 * Returns: whether the journal is on file.
 */
gboolean
virTeamingNicJournalSave(const virTeamingNicJournal *journal,
                         const char *rundir,
                         GError **error)
{
    g_autofree char *path = virTeamingNicJournalPath(rundir);
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    g_autoptr(GError) reason = NULL;
    char address[VIR_TEAMING_PCI_STRING_LEN];
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    json_object_set_string_member(object, "pf", journal->pf);
    json_object_set_string_member(object, "vf",
                                  virTeamingPciAddressFormat(&journal->vf.address, address));
    json_object_set_int_member(object, "index", journal->vf.index);
    json_object_set_string_member(object, "vfMac", virTeamingMacFormat(&journal->vf.mac, mac));
    json_object_set_int_member(object, "vlan", journal->vf.vlan);
    json_object_set_int_member(object, "qos", journal->vf.qos);
    json_object_set_boolean_member(object, "serviceVlan", journal->vf.serviceVlan);
    json_object_set_string_member(object, "driver", journal->driver);
    json_object_set_string_member(object, "netdev", journal->netdev);
    json_object_set_string_member(object, "netdevMac",
                                  virTeamingMacFormat(&journal->netdevMac, mac));
    json_object_set_int_member(object, "mtu", journal->mtu);
    json_object_set_boolean_member(object, "up", journal->up);
    json_object_set_string_member(object, "mac", virTeamingMacFormat(&journal->mac, mac));
    json_node_set_object(node, object);
    text = json_to_string(node, TRUE);

    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &reason)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot note how VF %u of '%s' was before it is changed: %s",
                    journal->vf.index, journal->pf, reason->message);
        return FALSE;
    }
    return TRUE;
}


/* Reads the string @name of @object; "" if there is none. */
static const char *
virTeamingNicJournalGet(JsonObject *object,
                        const char *name)
{
    return json_object_get_string_member_with_default(object, name, "");
}


static gboolean
virTeamingNicJournalParse(virTeamingNicJournal *ret,
                          const char *text)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    JsonObject *object;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    object = json_node_get_object(node);
    memset(ret, 0, sizeof(*ret));
    ret->vf.index = json_object_get_int_member_with_default(object, "index", 0);
    ret->vf.vlan = json_object_get_int_member_with_default(object, "vlan", 0);
    ret->vf.qos = json_object_get_int_member_with_default(object, "qos", 0);
    ret->vf.serviceVlan =
        json_object_get_boolean_member_with_default(object, "serviceVlan", FALSE);
    ret->mtu = json_object_get_int_member_with_default(object, "mtu", 0);
    ret->up = json_object_get_boolean_member_with_default(object, "up", FALSE);
    g_strlcpy(ret->pf, virTeamingNicJournalGet(object, "pf"), sizeof(ret->pf));
    g_strlcpy(ret->driver, virTeamingNicJournalGet(object, "driver"), sizeof(ret->driver));
    g_strlcpy(ret->netdev, virTeamingNicJournalGet(object, "netdev"), sizeof(ret->netdev));
    return ret->pf[0] &&
        virTeamingPciAddressParse(virTeamingNicJournalGet(object, "vf"), &ret->vf.address) &&
        virTeamingMacParse(virTeamingNicJournalGet(object, "vfMac"), &ret->vf.mac) &&
        virTeamingMacParse(virTeamingNicJournalGet(object, "netdevMac"), &ret->netdevMac) &&
        virTeamingMacParse(virTeamingNicJournalGet(object, "mac"), &ret->mac);
}


/**
 * virTeamingNicJournalLoad:
 * @ret: filled if there is a journal
 * @rundir: directory of the journal
 * @found: set to whether there is one
 * @error: set to SYSTEM if it can't be read, to INVALID if it makes no sense
 *
 * Returns: FALSE on error.
 */
gboolean
virTeamingNicJournalLoad(virTeamingNicJournal *ret,
                         const char *rundir,
                         gboolean *found,
                         GError **error)
{
    g_autofree char *path = virTeamingNicJournalPath(rundir);
    g_autofree char *text = NULL;
    g_autoptr(GError) reason = NULL;

    *found = FALSE;
    if (!g_file_get_contents(path, &text, NULL, &reason)) {
        if (g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return TRUE;
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot read what an earlier probe has left: %s", reason->message);
        return FALSE;
    }
    if (!virTeamingNicJournalParse(ret, text)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s is not what a probe leaves; look at it, and remove it", path);
        return FALSE;
    }
    *found = TRUE;
    return TRUE;
}


/**
 * virTeamingNicJournalRemove:
 * @rundir: directory of the journal
 * @error: set to SYSTEM if the file can't be removed
 *
 * Nothing is left to put back. To remove what is not there succeeds.
 *
 * Returns: whether there is no journal any more.
 */
gboolean
virTeamingNicJournalRemove(const char *rundir,
                           GError **error)
{
    g_autofree char *path = virTeamingNicJournalPath(rundir);

    if (g_unlink(path) < 0 && errno != ENOENT) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot remove %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}
