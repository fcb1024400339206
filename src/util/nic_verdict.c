/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_verdict.c: what 'virt-teaming probe' has found out of a NIC, on file
 */

/*
 * Theory of operation
 *
 * A verdict is a JSON file named after the PF's PCI address. It holds who the NIC is,
 * how it was asked, and one answer per question. Whether the NIC may carry a pair is not
 * on file as such: it follows from the answers by virTeamingNicVerdictObject(), so
 * that a later virt-teaming judges an old measurement by its own rules. (The file
 * says it too, for people and other programs.)
 *
 * A slot may get another card, and a card another firmware: a verdict is believed only
 * if driver, ids and firmware are those of the NIC that is there now. A new kernel may
 * bring a driver that behaves otherwise; its release is on file but not compared, since
 * then every security update would void all verdicts. The documentation asks to probe
 * again when a NIC's driver changes.
 */

#include "nic_verdict.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "teaming_error.h"

static const virTeamingNicTraitInfo questions[VIR_TEAMING_TRAIT_LAST] = {
    [VIR_TEAMING_TRAIT_STEERS] = {
        "steers", "a VF that is up gets the frames for its MAC", VIR_TEAMING_ANSWER_NO, {
            "",
            "a guest is reached by its VF",
            "a guest is never reached by its VF" } },
    [VIR_TEAMING_TRAIT_KEEPS_MAC] = {
        "keepsMac", "the VF's driver takes the MAC that the PF set", VIR_TEAMING_ANSWER_NO, {
            "",
            "the VF pairs with its standby",
            "the VF never pairs with its standby" } },
    [VIR_TEAMING_TRAIT_ACCEPTS_ZERO] = {
        "acceptsZero", "a zero MAC empties a VF", VIR_TEAMING_ANSWER_NO, {
            "taken for yes",
            "a VF whose guest is elsewhere takes nothing",
            "a VF takes frames of a guest that is elsewhere" } },
    [VIR_TEAMING_TRAIT_STEERS_EARLY] = {
        "steersEarly", "frames go to a VF that nobody drives", VIR_TEAMING_ANSWER_UNKNOWN, {
            "",
            "the PF must hold the MAC too, or the VF be parked",
            "the standby has them until a driver reads the VF" } },
    [VIR_TEAMING_TRAIT_COPIES] = {
        "copies", "a MAC that PF and VF hold reaches both", VIR_TEAMING_ANSWER_UNKNOWN, {
            "taken for no, unless the driver is known",
            "both paths are open while a guest switches",
            "the VF is parked in a VLAN until it is read" } },
    [VIR_TEAMING_TRAIT_VLAN_PARKS] = {
        "vlanParks", "VLAN parking holds for frames from the wire", VIR_TEAMING_ANSWER_NO, {
            "",
            "the standby has them while the VF waits",
            "the standby has them only if they are copied" } },
    [VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL] = {
        "vlanParksLocal", "VLAN parking holds for frames that the PF sends",
        VIR_TEAMING_ANSWER_UNKNOWN, {
            "",
            "this host reaches a guest that is elsewhere",
            "a VF whose guest is elsewhere needs the zero MAC" } },
};

/* The strings of a verdict, by one table, so that saving and loading can't differ. */
#define FIELD(name, member) { name, G_STRUCT_OFFSET(virTeamingNicVerdict, member) }

static const struct {
    const char *name;
    gsize offset;
} fields[] = {
    FIELD("vf", vf),
    FIELD("vfDriver", vfDriver),
    FIELD("peer", peer),
    FIELD("kernel", kernel),
    FIELD("date", date),
};


/* Returns: (transfer none): what people and programs read of @question. */
const virTeamingNicTraitInfo *
virTeamingNicTraitGet(virTeamingNicTrait question)
{
    return &questions[question];
}


const char *
virTeamingNicAnswerToString(virTeamingNicAnswer answer)
{
    switch (answer) {
    case VIR_TEAMING_ANSWER_UNKNOWN:
        return "not known";
    case VIR_TEAMING_ANSWER_YES:
        return "yes";
    case VIR_TEAMING_ANSWER_NO:
        return "no";
    }
    return NULL;
}


/* ---- who the NIC is ---- */

/* "vendor:device" out of two files of a PCI function, or "". */
static void
virTeamingNicReadIds(const char *pci,
                     const char *vendor,
                     const char *device,
                     char ret[10])
{
    const char *names[] = { vendor, device };
    guint64 ids[2];

    ret[0] = '\0';
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename("/sys/bus/pci/devices", pci, names[i], NULL);
        g_autofree char *text = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
            return;
        ids[i] = g_ascii_strtoull(text, NULL, 16);
    }
    g_snprintf(ret, 10, "%04x:%04x", (guint16)ids[0], (guint16)ids[1]);
}


/* The firmware's version as the driver tells it (ethtool -i), or "". */
static void
virTeamingNicReadFirmware(const char *pf,
                          char ret[32])
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    struct ifreq request = { .ifr_data = (void *)&info };
    /* Any socket will do, and virtteamingd's unit admits no AF_INET. */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ret[0] = '\0';
    g_strlcpy(request.ifr_name, pf, sizeof(request.ifr_name));
    if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0)
        g_strlcpy(ret, info.fw_version, 32);
    if (fd >= 0)
        close(fd);
}


/**
 * virTeamingNicIdentityRead:
 * @kernel: the kernel
 * @pf: name of the PF
 * @ret: filled
 * @error: set to NOT_FOUND if there is no such link, to UNSUPPORTED if it is no PCI
 *         function
 *
 * Returns: whether @pf could be looked at.
 */
gboolean
virTeamingNicIdentityRead(virTeamingKernel *kernel,
                          const char *pf,
                          virTeamingNicIdentity *ret,
                          GError **error)
{
    virTeamingNicIdentity identity = { 0 };
    virTeamingPciAddress address;
    virTeamingPciDevice device;
    virTeamingLink link;

    if (!virTeamingKernelLinkGet(kernel, pf, &link, error))
        return FALSE;
    if (!virTeamingPciAddressParse(link.pci, &address)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "'%s' is not a PCI function, so it has no VFs", pf);
        return FALSE;
    }
    if (!virTeamingKernelPciGetDevice(kernel, &address, &device, error))
        return FALSE;

    g_strlcpy(identity.pci, link.pci, sizeof(identity.pci));
    g_strlcpy(identity.driver, device.driver, sizeof(identity.driver));
    virTeamingNicReadIds(link.pci, "vendor", "device", identity.device);
    virTeamingNicReadIds(link.pci, "subsystem_vendor", "subsystem_device",
                         identity.subsystem);
    virTeamingNicReadFirmware(pf, identity.firmware);
    *ret = identity;
    return TRUE;
}


/* ---- the verdict ---- */

/**
 * virTeamingNicVerdictNew:
 * @identity: of the NIC
 *
 * Returns: (transfer full): a verdict in which nothing is known yet.
 */
virTeamingNicVerdict *
virTeamingNicVerdictNew(const virTeamingNicIdentity *identity)
{
    virTeamingNicVerdict *verdict = g_new0(virTeamingNicVerdict, 1);

    verdict->identity = *identity;
    verdict->changeUs = verdict->changeMaxUs = -1;
    return verdict;
}


void
virTeamingNicVerdictFree(virTeamingNicVerdict *verdict)
{
    if (!verdict)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_free(G_STRUCT_MEMBER(char *, verdict, fields[i].offset));
    g_free(verdict);
}


/**
 * virTeamingNicVerdictInherit:
 * @verdict: a new verdict
 * @older: one on the same NIC, from before
 *
 * A probe without a peer must not make us forget what one with a peer has found: what
 * @verdict does not know is taken from @older, if that was of the same kernel.
 */
void
virTeamingNicVerdictInherit(virTeamingNicVerdict *verdict,
                            const virTeamingNicVerdict *older)
{
    if (g_strcmp0(verdict->kernel, older->kernel) != 0)
        return;
    for (virTeamingNicTrait t = 0; t < VIR_TEAMING_TRAIT_LAST; t++) {
        if (verdict->answers[t] == VIR_TEAMING_ANSWER_UNKNOWN)
            verdict->answers[t] = older->answers[t];
    }
}


/**
 * virTeamingNicVerdictObject:
 * @verdict: a verdict
 *
 * What is not known is not held against a NIC: the daemon then does what is safe on all.
 *
 * Returns: (transfer full) (nullable): why the NIC cannot carry a pair safely; NULL if
 *          nothing speaks against it.
 */
char *
virTeamingNicVerdictObject(const virTeamingNicVerdict *verdict)
{
    const virTeamingNicAnswer *answers = verdict->answers;

    if (answers[VIR_TEAMING_TRAIT_KEEPS_MAC] == VIR_TEAMING_ANSWER_NO)
        return g_strdup("the VF's driver takes another MAC than the PF has set, so in a guest "
                        "the VF never pairs with its standby");
    if (answers[VIR_TEAMING_TRAIT_STEERS] == VIR_TEAMING_ANSWER_NO)
        return g_strdup("frames for the MAC that the PF has set do not reach the VF, so a guest "
                        "that switches to it loses its network");
    if (answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] == VIR_TEAMING_ANSWER_NO &&
        answers[VIR_TEAMING_TRAIT_STEERS_EARLY] != VIR_TEAMING_ANSWER_NO)
        return g_strdup("a zero MAC does not empty a VF, so the VF swallows what this host sends "
                        "to a guest that is still, or already, on another host");
    if (answers[VIR_TEAMING_TRAIT_STEERS_EARLY] == VIR_TEAMING_ANSWER_YES &&
        answers[VIR_TEAMING_TRAIT_COPIES] == VIR_TEAMING_ANSWER_NO &&
        answers[VIR_TEAMING_TRAIT_VLAN_PARKS] == VIR_TEAMING_ANSWER_NO)
        return g_strdup("the VF takes a guest's frames before the guest's driver reads it: they "
                        "are neither copied to the PF nor does an unused VLAN park the VF");
    return NULL;
}


/* A member that is null if @value is NULL or "". */
static void
virTeamingNicSetString(JsonObject *object,
                       const char *name,
                       const char *value)
{
    if (value && *value)
        json_object_set_string_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}


/**
 * virTeamingNicVerdictFormat:
 * @verdict: a verdict
 *
 * Returns: (transfer full): it as JSON: an answer is true, false or null; times are in
 *          microseconds.
 */
JsonNode *
virTeamingNicVerdictFormat(const virTeamingNicVerdict *verdict)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonObject *answers = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *why = virTeamingNicVerdictObject(verdict);

    virTeamingNicSetString(object, "pci", verdict->identity.pci);
    virTeamingNicSetString(object, "driver", verdict->identity.driver);
    virTeamingNicSetString(object, "device", verdict->identity.device);
    virTeamingNicSetString(object, "subsystem", verdict->identity.subsystem);
    virTeamingNicSetString(object, "firmware", verdict->identity.firmware);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        virTeamingNicSetString(object, fields[i].name,
                               G_STRUCT_MEMBER(char *, verdict, fields[i].offset));
    for (virTeamingNicTrait q = 0; q < VIR_TEAMING_TRAIT_LAST; q++) {
        if (verdict->answers[q] == VIR_TEAMING_ANSWER_UNKNOWN)
            json_object_set_null_member(answers, questions[q].id);
        else
            json_object_set_boolean_member(answers, questions[q].id,
                                           verdict->answers[q] == VIR_TEAMING_ANSWER_YES);
    }
    json_object_set_object_member(object, "answers", answers);
    if (verdict->changeUs >= 0) {
        json_object_set_int_member(object, "changeUs", verdict->changeUs);
        json_object_set_int_member(object, "changeMaxUs", verdict->changeMaxUs);
    } else {
        json_object_set_null_member(object, "changeUs");
        json_object_set_null_member(object, "changeMaxUs");
    }
    json_object_set_boolean_member(object, "safe", !why);
    virTeamingNicSetString(object, "reason", why);
    json_node_set_object(node, object);
    return node;
}


/**
 * virTeamingNicVerdictPath:
 * @identity: of a NIC
 * @dir: directory of verdicts, or NULL for VIR_TEAMING_NIC_VERDICT_DIR
 *
 * Returns: (transfer full): the file in which its verdict is, if there is one.
 */
char *
virTeamingNicVerdictPath(const virTeamingNicIdentity *identity,
                         const char *dir)
{
    g_autofree char *name = g_strconcat(identity->pci, ".json", NULL);

    return g_build_filename(dir ? dir : VIR_TEAMING_NIC_VERDICT_DIR, name, NULL);
}


/**
 * virTeamingNicVerdictSave:
 * @verdict: a verdict
 * @dir: directory of verdicts, made if it is not there; NULL: VIR_TEAMING_NIC_VERDICT_DIR
 * @error: set to SYSTEM if the file can't be written
 *
 * Returns: whether the verdict is on file.
 */
gboolean
virTeamingNicVerdictSave(const virTeamingNicVerdict *verdict,
                         const char *dir,
                         GError **error)
{
    g_autofree char *path = virTeamingNicVerdictPath(&verdict->identity, dir);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(JsonNode) node = virTeamingNicVerdictFormat(verdict);
    g_autofree char *text = json_to_string(node, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    g_autoptr(GError) reason = NULL;

    if (g_mkdir_with_parents(parent, 0755) < 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot make the directory %s: %s", parent, g_strerror(errno));
        return FALSE;
    }
    if (!g_file_set_contents_full(path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
                                  &reason)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot store the verdict on the NIC: %s", reason->message);
        return FALSE;
    }
    return TRUE;
}


/* The string @name of @object, or NULL. */
static const char *
virTeamingNicGetString(JsonObject *object,
                       const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}


/* Is what @object says of the NIC true of @identity? */
static gboolean
virTeamingNicIdentityMatches(const virTeamingNicIdentity *identity,
                             JsonObject *object)
{
    const struct {
        const char *name;
        const char *value;
    } marks[] = {
        { "pci", identity->pci },
        { "driver", identity->driver },
        { "device", identity->device },
        { "subsystem", identity->subsystem },
        { "firmware", identity->firmware },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        const char *value = virTeamingNicGetString(object, marks[i].name);

        if (strcmp(value ? value : "", marks[i].value) != 0)
            return FALSE;
    }
    return TRUE;
}


/* The number @name of @object, or -1. */
static gint64
virTeamingNicGetInt(JsonObject *object,
                    const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;
}


static virTeamingNicVerdict *
virTeamingNicVerdictParse(const virTeamingNicIdentity *identity,
                          JsonObject *object)
{
    virTeamingNicVerdict *verdict = virTeamingNicVerdictNew(identity);
    JsonNode *node = json_object_get_member(object, "answers");
    JsonObject *answers = node && JSON_NODE_HOLDS_OBJECT(node) ?
        json_node_get_object(node) : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        G_STRUCT_MEMBER(char *, verdict, fields[i].offset) =
            g_strdup(virTeamingNicGetString(object, fields[i].name));
    for (virTeamingNicTrait q = 0; answers && q < VIR_TEAMING_TRAIT_LAST; q++) {
        node = json_object_get_member(answers, questions[q].id);
        if (node && JSON_NODE_HOLDS_VALUE(node) &&
            json_node_get_value_type(node) == G_TYPE_BOOLEAN)
            verdict->answers[q] = json_node_get_boolean(node) ?
                VIR_TEAMING_ANSWER_YES : VIR_TEAMING_ANSWER_NO;
    }
    verdict->changeUs = virTeamingNicGetInt(object, "changeUs");
    verdict->changeMaxUs = virTeamingNicGetInt(object, "changeMaxUs");
    return verdict;
}


/**
 * virTeamingNicVerdictLoad:
 * @identity: of the NIC that is there now
 * @dir: directory of verdicts, or NULL for VIR_TEAMING_NIC_VERDICT_DIR
 * @error: set to NOT_FOUND if there is none, or only one of another NIC or firmware; to
 *         INVALID if it makes no sense, to SYSTEM if it can't be read
 *
 * Returns: (transfer full): the verdict, or NULL.
 */
virTeamingNicVerdict *
virTeamingNicVerdictLoad(const virTeamingNicIdentity *identity,
                         const char *dir,
                         GError **error)
{
    g_autofree char *path = virTeamingNicVerdictPath(identity, dir);
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) root = NULL;
    g_autoptr(GError) reason = NULL;

    if (!g_file_get_contents(path, &text, NULL, &reason)) {
        gboolean missing = g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT);

        g_set_error(error, VIR_TEAMING_ERROR,
                    missing ? VIR_TEAMING_ERROR_NOT_FOUND : VIR_TEAMING_ERROR_SYSTEM,
                    "cannot read the verdict on NIC %s: %s", identity->pci, reason->message);
        return NULL;
    }
    root = json_from_string(text, NULL);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s is not a verdict on a NIC; 'virt-teaming probe' makes a new one", path);
        return NULL;
    }
    if (!virTeamingNicIdentityMatches(identity, json_node_get_object(root))) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    "the verdict in %s is on another NIC, driver or firmware; "
                    "'virt-teaming probe' makes a new one", path);
        return NULL;
    }
    return virTeamingNicVerdictParse(identity, json_node_get_object(root));
}


/**
 * virTeamingNicVerdictFindObjection:
 * @kernel: the kernel
 * @pf: name of the PF
 * @dir: directory of verdicts, or NULL for VIR_TEAMING_NIC_VERDICT_DIR
 *
 * Returns: (transfer full) (nullable): why a verdict on file says that @pf cannot carry a
 *          pair safely; NULL if none does.
 */
char *
virTeamingNicVerdictFindObjection(virTeamingKernel *kernel,
                                  const char *pf,
                                  const char *dir)
{
    virTeamingNicIdentity identity;
    g_autoptr(virTeamingNicVerdict) verdict = NULL;

    if (!virTeamingNicIdentityRead(kernel, pf, &identity, NULL) ||
        !(verdict = virTeamingNicVerdictLoad(&identity, dir, NULL)))
        return NULL;
    return virTeamingNicVerdictObject(verdict);
}
