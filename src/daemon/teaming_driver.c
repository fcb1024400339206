/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_driver.c: all failover pairs of this host, and what moves them
 */

/*
 * Theory of operation
 *
 * News comes from four sides: libvirt's hooks, QEMU's events, libvirt's answers when it
 * is asked, and the kernel. Each is turned into a fact of a pair, and a pair of which that wants
 * something else is settled at once. None is waited for: a missed event is made up for by the
 * VF's own bits, by the next answer of libvirt, and by a look at every pair once a second.
 *
 * Hooks are special in one way: libvirt waits for them. So what must be done before
 * QEMU runs (a MAC parked, for a guest that is only arriving) is done within the
 * hook's call; and a hook must never ask libvirt, which would wait for itself. So what
 * the rules must know of libvirt's networks is asked for beforehand, and forgotten as soon
 * as it may have changed: a rule that knows nothing refuses nothing.
 *
 * What only libvirt can do it is asked for when it is due, and again when it has failed: to
 * plug a VF, to take one out for a person who wants the pair on its standby, to make QEMU
 * show one that it keeps back after a migration that it thinks has worked.
 *
 * The driver has one timer, which counts from the last look at all pairs, whatever is told in
 * between: a busy bridge tells of its entries without end. Around a change it looks at the VF as
 * closely as the sequencer says, but not more often than every VIR_TEAMING_DRIVER_WATCH_MS; a
 * change that does not end (a guest that never lets its VF go, or has no driver for it) is
 * watched at leisure after VIR_TEAMING_DRIVER_PATIENCE_MS. When nothing changes, it looks once a
 * second: a guest that unloads its VF driver tells nobody else.
 */

#include "teaming_driver.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "teaming_conf.h"
#include "teaming_datapath.h"
#include "teaming_error.h"
#include "teaming_host.h"
#include "teaming_journal.h"
#include "teaming_migrate.h"
#include "teaming_pairevent.h"
#include "teaming_wiring.h"

#define VIR_TEAMING_DRIVER_WATCH_MS 2
#define VIR_TEAMING_DRIVER_LEISURE_MS 50
#define VIR_TEAMING_DRIVER_PATIENCE_MS (30 * 1000)
#define VIR_TEAMING_DRIVER_IDLE_MS 1000
#define VIR_TEAMING_DRIVER_REPLUG_MS 5000
#define VIR_TEAMING_DRIVER_CATCH_MS 10
/* A guest that has not begun to drive a VF by then may have no driver. */
#define VIR_TEAMING_DRIVER_PROBE_MS 3000
#define VIR_TEAMING_DRIVER_REABORT_MS 5000
/* A guest that stood still when it was asked for its VF can't answer; it may be about to go on. */
#define VIR_TEAMING_DRIVER_STILL_MS 1500
/* A migration that sends nothing for so long has lost the other host. TCP would notice, too,
 * but after a quarter of an hour. */
#define VIR_TEAMING_DRIVER_STALL_MS (30 * 1000)
#define VIR_TEAMING_DRIVER_PROGRESS_MS 5000
/* It works at once or not at all. */
#define VIR_TEAMING_DRIVER_UNHIDE_AGAIN_MS (20 * 1000)
#define VIR_TEAMING_DRIVER_UNHIDES 5
/* From the migrate hook to the start hook libvirt needs some 100 ms. */
#define VIR_TEAMING_DRIVER_EXPECT_MS (5 * 60 * 1000)
/* Frames that are read before others have their turn. */
#define VIR_TEAMING_DRIVER_NOTICES 16
/* The kernel removes a VF that it has asked back as soon as QEMU has closed it. */
#define VIR_TEAMING_DRIVER_REMOVE_MS 3000

struct _virTeamingDriver {
    virTeamingKernel *kernel;
    char *statedir;
    GPtrArray *pairs;               /* of virTeamingPairObj */
    char **pfs;                     /* links that may be PFs, when a guest was last expected */
    GHashTable *serials;            /* domain's uuid -> events seen */
    virTeamingPolicy policy;        /* of this host */
    GHashTable *networks;           /* as in virTeamingHost; NULL: not known */
    char *verdicts;                 /* directory; NULL: the usual one */
    gboolean cgroups;               /* hosts like this one have them */
    virTeamingDriverAsk ask;        /* NULL: there is no libvirt to ask */
    virTeamingDriverAskNetworks askNetworks;
    virTeamingDriverPlug plug;
    virTeamingDriverAbort abort;
    virTeamingDriverUnhide unhide;
    virTeamingDriverNote note;
    gpointer libvirt;
    guint timer;
    gint64 ranAt;                   /* all pairs were looked at; monotonic microseconds */
    gint64 strangersAt;             /* a link of no pair has changed; 0: none has */
    gboolean hookHeard;
    char *libvirtProblem;
};

static void virTeamingDriverArm(virTeamingDriver *driver);
static void virTeamingDriverAdvance(virTeamingDriver *driver,
                                    const char *uuid);
static void virTeamingDriverUpdate(virTeamingDriver *driver,
                                   virTeamingPairObj *pair,
                                   gint64 now);
static void virTeamingDriverGiveUp(virTeamingDriver *driver,
                                   virTeamingPairObj *pair,
                                   gint64 now,
                                   char *why);
static void virTeamingDriverReview(virTeamingDriver *driver,
                                   const virTeamingDomain *domain);


/* The next pair of domain @uuid from place *@i on, or NULL; *@i moves behind it. */
static virTeamingPairObj *
virTeamingDriverNext(const virTeamingDriver *driver,
                     const char *uuid,
                     guint *i)
{
    while (*i < driver->pairs->len) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, (*i)++);

        if (g_str_equal(pair->uuid, uuid))
            return pair;
    }
    return NULL;
}


/* Is there a pair, or a standby alone, of domain @uuid? */
static gboolean
virTeamingDriverHas(const virTeamingDriver *driver,
                    const char *uuid)
{
    guint i = 0;

    return virTeamingDriverNext(driver, uuid, &i) != NULL;
}


static void
virTeamingDriverAskAbout(virTeamingDriver *driver,
                         const char *uuid,
                         gboolean resync)
{
    if (driver->ask)
        driver->ask(uuid, resync, driver->libvirt);
}


/* Has libvirt ask the guest for its VF, once what it gets then has its path. */
static void
virTeamingDriverTakeOut(virTeamingDriver *driver,
                        virTeamingPairObj *pair,
                        gint64 now)
{
    if (pair->move != VIR_TEAMING_MOVE_OUT || pair->takingOut || pair->problem ||
        pair->guest != VIR_TEAMING_GUEST_HERE || !driver->plug || !pair->primaryAlias)
        return;
    pair->takingOut = TRUE;
    pair->plugging = TRUE;
    pair->askedAt = now;
    driver->plug(pair->uuid, &pair->mac, pair->primaryAlias, NULL, FALSE, driver->libvirt);
}


/**
 * virTeamingDriverIsPlugging:
 * @driver: the driver
 * @uuid: a domain
 *
 * Returns: whether libvirt is at a VF of @uuid, for us: what it says of it meanwhile is of no
 *          use, and it is asked when that is over.
 */
gboolean
virTeamingDriverIsPlugging(const virTeamingDriver *driver,
                           const char *uuid)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (pair->plugging)
            return TRUE;
    }
    return FALSE;
}


/* Is the guest of @uuid yet to read from a VF that it was given a moment ago? */
static gboolean
virTeamingDriverIsProbing(const virTeamingDriver *driver,
                          const char *uuid,
                          gint64 now)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (pair->hasVf && pair->pluggedAt && pair->phase != VIR_TEAMING_PHASE_SETTLING &&
            pair->phase != VIR_TEAMING_PHASE_DRIVING &&
            now - pair->pluggedAt < VIR_TEAMING_DRIVER_PROBE_MS * 1000)
            return TRUE;
    }
    return FALSE;
}


/* Is @pair's guest to have a VF plugged, sooner or later? */
static gboolean
virTeamingPairObjIsToPlug(const virTeamingPairObj *pair)
{
    return pair->unplugged && pair->guest == VIR_TEAMING_GUEST_HERE &&
        pair->move == VIR_TEAMING_MOVE_NONE && !pair->migrating && !pair->postcopy &&
        pair->primaryAlias && pair->plugXml;
}


/* Is libvirt at a VF of @uuid, or will it be? */
static gboolean
virTeamingDriverHasMore(const virTeamingDriver *driver,
                        const char *uuid)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (virTeamingPairObjIsToPlug(pair))
            return TRUE;
    }
    return virTeamingDriverIsPlugging(driver, uuid);
}


/* Has libvirt plug the VF of a guest that runs here without one, not too often, and one after
 * the other: at once, its pairs would take each other's VFs from the pool. And not before the
 * guest reads from the one before: until then it looks at that one's configuration space, and
 * programs its MSI-X table, by way of QEMU; but QEMU opens the next one meanwhile, and resets it
 * twice (vfio_pci_core_enable() of Linux, vfio_pci_reset() in hw/vfio/pci.c), each 100 ms
 * (pcie_flr()), for which the guest would stand still. As it looks at one VF after the other, the
 * last is hardly later for it. */
static void
virTeamingDriverPlugPair(virTeamingDriver *driver,
                         virTeamingPairObj *pair,
                         gint64 now)
{
    if (!virTeamingPairObjIsToPlug(pair) || now < pair->plugAt || !driver->plug ||
        virTeamingDriverIsPlugging(driver, pair->uuid) ||
        virTeamingDriverIsProbing(driver, pair->uuid, now))
        return;
    virTeamingJournalSave(pair, driver->statedir, NULL);
    pair->plugging = TRUE;
    pair->plugAt = now + VIR_TEAMING_DRIVER_REPLUG_MS * 1000;
    driver->plug(pair->uuid, &pair->mac, pair->primaryAlias, pair->plugXml, pair->absent,
                 driver->libvirt);
}


/* Has @pair's VF left its domain, by a move or because there is none to be had, and not come
 * back? */
static gboolean
virTeamingPairObjIsAway(const virTeamingPairObj *pair)
{
    return pair->move == VIR_TEAMING_MOVE_STANDBY || (pair->absent && pair->unplugged);
}


/* Has @pair's domain carry along which of its pairs are without their VFs, how to plug them, and
 * whether that is to be done: elsewhere nobody else would know. */
static void
virTeamingDriverNotePair(virTeamingDriver *driver,
                         const virTeamingPairObj *pair,
                         gint64 now)
{
    g_autoptr(GPtrArray) moved = NULL;
    g_autofree char *xml = NULL;
    virTeamingPairObj *other;

    if ((pair->noted == virTeamingPairObjIsAway(pair) && !pair->noteAt) || now < pair->noteAt ||
        pair->guest != VIR_TEAMING_GUEST_HERE || pair->migrating || pair->askedOut ||
        !driver->note)
        return;
    moved = g_ptr_array_new_with_free_func((GDestroyNotify)virTeamingMovedPairFree);
    for (guint i = 0; (other = virTeamingDriverNext(driver, pair->uuid, &i));) {
        other->noted = virTeamingPairObjIsAway(other);
        other->noteAt = 0;
        if (other->noted && other->primaryAlias && other->plugXml)
            g_ptr_array_add(moved, virTeamingMovedPairNew(
                other->standbyAlias, other->primaryAlias, other->plugXml, other->unplugged));
    }
    xml = virTeamingMovedPairsFormat(moved);
    driver->note(pair->uuid, xml, driver->libvirt);
}


/* Has QEMU show a VF to its guest that it keeps back: a migration that fails makes it do so,
 * and to one that goes nowhere nothing else happens. */
static void
virTeamingDriverUnhidePair(virTeamingDriver *driver,
                           virTeamingPairObj *pair,
                           gint64 now)
{
    if (!pair->hidden || pair->guest != VIR_TEAMING_GUEST_HERE || pair->migrating ||
        now < pair->unhideAt || pair->unhides >= VIR_TEAMING_DRIVER_UNHIDES || !driver->unhide)
        return;
    pair->unhides++;
    pair->unhideAt = now + VIR_TEAMING_DRIVER_UNHIDE_AGAIN_MS * 1000;
    driver->unhide(pair->uuid, driver->libvirt);
}


/* Another host has said something of the guest of the pair whose ear @fd is. */
static gboolean
virTeamingDriverHearNotice(gint fd,
                           GIOCondition condition,
                           gpointer opaque)
{
    virTeamingDriver *driver = opaque;
    const gint64 now = g_get_monotonic_time();
    guint8 frame[2 * VIR_TEAMING_FRAME_MAX];
    virTeamingPairObj *pair = NULL;
    virTeamingNotice notice;
    gboolean told = FALSE;
    ssize_t size = 0;

    for (guint i = 0; i < driver->pairs->len && !pair; i++) {
        pair = g_ptr_array_index(driver->pairs, i);
        if (pair->ear != fd)
            pair = NULL;
    }
    g_return_val_if_fail(pair, G_SOURCE_REMOVE);

    /* Whoever sends more at once is no host. */
    for (guint i = 0; i < VIR_TEAMING_DRIVER_NOTICES; i++) {
        if ((size = read(fd, frame, sizeof(frame))) <= 0)
            break;
        if (virTeamingFrameParseNotice(frame, size, &notice) &&
            virTeamingMacEqual(&notice.mac, &pair->mac) && g_str_equal(notice.uuid, pair->uuid))
            told |= virTeamingPairObjTellNotice(pair, &notice);
    }
    /* That the link has gone down is told so, once. */
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        g_debug("domain '%s', %s: '%s': %s", pair->domain, pair->standbyAlias, pair->earAt,
                g_strerror(errno));
    if (told) {
        virTeamingDriverAdvance(driver, pair->uuid);
        pair->changedAt = now;
        virTeamingDriverUpdate(driver, pair, now);
        virTeamingDriverArm(driver);
    }
    return G_SOURCE_CONTINUE;
}


/* Has libvirt do for @pair what is due, and what only libvirt can do. */
static void
virTeamingDriverTend(virTeamingDriver *driver,
                     virTeamingPairObj *pair,
                     gint64 now)
{
    if (pair->ear >= 0 && !pair->earSource)
        pair->earSource = g_unix_fd_add_full(G_PRIORITY_HIGH, pair->ear, G_IO_IN,
                                             virTeamingDriverHearNotice, driver, NULL);
    virTeamingDriverTakeOut(driver, pair, now);
    virTeamingDriverPlugPair(driver, pair, now);
    virTeamingDriverUnhidePair(driver, pair, now);
    virTeamingDriverNotePair(driver, pair, now);
}


/* Settles @pair, and forgets it once its guest has gone and nothing of ours is left.
 * Returns: whether @pair is still there. */
static gboolean
virTeamingDriverSettle(virTeamingDriver *driver,
                       virTeamingPairObj *pair,
                       gint64 now)
{
    g_autoptr(GError) error = NULL;

    if (!virTeamingPairObjSettle(pair, driver->kernel, driver->statedir, now) ||
        pair->guest != VIR_TEAMING_GUEST_GONE) {
        virTeamingDriverTend(driver, pair, now);
        return TRUE;
    }

    virTeamingPairObjGiveMacBack(pair, driver->kernel);
    if (!virTeamingJournalRemove(pair, driver->statedir, &error))
        g_warning("%s", error->message);
    g_ptr_array_remove(driver->pairs, pair);
    return FALSE;
}


/* Settles @pair if something else is wanted of it now: to look at the host takes a while, which
 * the guest may feel. Where a guest is stopped, it is not looked at before it is changed,
 * either. */
static void
virTeamingDriverUpdate(virTeamingDriver *driver,
                       virTeamingPairObj *pair,
                       gint64 now)
{
    if (virTeamingPairObjIsSettled(pair, driver->kernel, now)) {
        virTeamingPairObjKeep(pair, driver->statedir, now);
    } else if (!virTeamingPairObjHurry(pair, driver->kernel, driver->statedir, now)) {
        virTeamingDriverSettle(driver, pair, now);
        return;
    }
    virTeamingDriverTend(driver, pair, now);
}


/* Settles the pairs of domain @uuid (NULL: all); if not @anew, only those that need it. */
static void
virTeamingDriverSettleDomain(virTeamingDriver *driver,
                             const char *uuid,
                             gboolean anew)
{
    gint64 now = g_get_monotonic_time();

    for (guint i = driver->pairs->len; i-- > 0;) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (uuid && !g_str_equal(pair->uuid, uuid))
            continue;
        if (anew)
            virTeamingDriverSettle(driver, pair, now);
        else
            virTeamingDriverUpdate(driver, pair, now);
    }
    virTeamingDriverArm(driver);
}


/* Is @pair concerned by news of @ifname, if not NULL, and there of @mac, if not NULL? */
static gboolean
virTeamingPairObjIsConcerned(const virTeamingPairObj *pair,
                             const char *ifname,
                             const virTeamingMac *mac)
{
    if (!ifname)
        return TRUE;
    if (mac)
        return virTeamingMacEqual(mac, &pair->mac);
    return g_str_equal(ifname, pair->pf) || g_str_equal(ifname, pair->uplink) ||
        g_str_equal(ifname, pair->bottom) || g_str_equal(ifname, pair->bridge) ||
        g_str_equal(ifname, pair->tap);
}


/* Is it news of a link that may be a PF? As long as it is not known which are, each may. */
static gboolean
virTeamingDriverIsOfPf(const virTeamingDriver *driver,
                       const char *ifname,
                       const virTeamingMac *mac)
{
    return ifname && !mac &&
        (!driver->pfs || g_strv_contains((const char *const *)driver->pfs, ifname));
}


/* News of a host to which @pair's guest comes. Urgent is only that libvirt gives its MAC to a VF;
 * of what else QEMU and libvirt do meanwhile there is much. Returns: whether it concerned @pair. */
static gboolean
virTeamingDriverHearIncoming(virTeamingDriver *driver,
                             virTeamingPairObj *pair,
                             const char *ifname,
                             const virTeamingMac *mac)
{
    /* While libvirt takes a VF many links change; only a PF is worth a look. A standby that comes
     * alone is given none. */
    const gboolean found = !pair->hasVf && pair->parked &&
        virTeamingDriverIsOfPf(driver, ifname, mac) &&
        virTeamingPairObjLocateVf(pair, driver->kernel, ifname);

    if (!found && !virTeamingPairObjIsConcerned(pair, ifname, mac))
        return FALSE;
    if (found || !ifname || (!mac && g_str_equal(ifname, pair->pf)))
        virTeamingPairObjPark(pair, driver->kernel, found);
    return TRUE;
}


static void
virTeamingDriverNotified(const char *ifname,
                         const virTeamingMac *mac,
                         gpointer opaque)
{
    virTeamingDriver *driver = opaque;
    gint64 now = g_get_monotonic_time();

    /* It may be one of ours that was renamed, or has become an uplink. There can be many of
     * them while libvirt starts a guest, so that is looked into at leisure. */
    if (ifname && !mac && !driver->strangersAt)
        driver->strangersAt = now;

    /* In the order in which libvirt takes VFs for a guest's pairs, and nothing else before. */
    for (guint i = 0; i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (pair->guest == VIR_TEAMING_GUEST_INCOMING &&
            virTeamingDriverHearIncoming(driver, pair, ifname, mac) && !pair->lookAt)
            pair->lookAt = now + VIR_TEAMING_DRIVER_IDLE_MS * 1000;
        /* libvirt sets the VF's VLAN just after its MAC. */
        else if (pair->guest == VIR_TEAMING_GUEST_HERE && !pair->catchAt &&
                 (!pair->hasVf || pair->plugging) && virTeamingDriverIsOfPf(driver, ifname, mac))
            pair->catchAt = now + VIR_TEAMING_DRIVER_CATCH_MS * 1000;
    }
    /* The kernel tells us of our own steps, too, and of those that libvirt takes for us, and does
     * not say whose they are. To look at the host each time would take longer than the steps, and
     * the guest may be stopped. */
    for (guint i = driver->pairs->len; i-- > 0;) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);
        gboolean busy;
        gint64 due;

        if (pair->guest == VIR_TEAMING_GUEST_INCOMING ||
            !virTeamingPairObjIsConcerned(pair, ifname, mac))
            continue;
        busy = pair->guest == VIR_TEAMING_GUEST_DEPARTING ||
            virTeamingDriverIsPlugging(driver, pair->uuid);
        due = VIR_TEAMING_PAIR_ECHO_MS * 1000 + (busy ? now : pair->steppedAt);
        if (due <= now)
            virTeamingDriverSettle(driver, pair, now);
        else
            virTeamingPairObjLookBy(pair, due);
    }
    virTeamingDriverArm(driver);
}


/**
 * virTeamingDriverNew:
 * @kernel: the host; must outlive the driver
 * @statedir: directory of the journal; must exist
 * @policy: what holds for domains that don't say otherwise
 * @error: set if the journal or the kernel can't be read
 *
 * Takes up what the journal says an earlier run has left, and settles it.
 *
 * Returns: the driver; free with virTeamingDriverFree(), which leaves host and journal
 *          as they are: guests go on without us.
 */
virTeamingDriver *
virTeamingDriverNew(virTeamingKernel *kernel,
                    const char *statedir,
                    const virTeamingPolicy *policy,
                    GError **error)
{
    g_autoptr(virTeamingDriver) driver = g_new0(virTeamingDriver, 1);
    const gint64 now = g_get_monotonic_time();

    driver->kernel = kernel;
    driver->policy = *policy;
    driver->statedir = g_strdup(statedir);
    driver->serials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!(driver->pairs = virTeamingJournalLoad(statedir, error)) ||
        !virTeamingKernelWatch(kernel, virTeamingDriverNotified, driver, error))
        return NULL;

    for (guint i = 0; i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        /* Of what was going on we know that it still may, not since when. */
        pair->changedAt = pair->openAt = now;
        pair->askedAt = pair->askedOut || pair->move == VIR_TEAMING_MOVE_OUT ? now : 0;
        virTeamingPairObjTakeUp(pair, kernel);
        if (pair->started && pair->tap[0] && !virTeamingPairObjIsHere(pair, kernel))
            pair->guest = VIR_TEAMING_GUEST_GONE;
    }
    driver->ranAt = now;
    virTeamingDriverSettleDomain(driver, NULL, TRUE);
    return g_steal_pointer(&driver);
}


/**
 * virTeamingDriverSave:
 * @driver: a driver that is about to be freed
 *
 * Journals what had no time to be.
 */
void
virTeamingDriverSave(virTeamingDriver *driver)
{
    for (guint i = 0; i < driver->pairs->len; i++) {
        g_autoptr(GError) error = NULL;

        if (!virTeamingJournalSave(driver->pairs->pdata[i], driver->statedir, &error))
            g_warning("%s", error->message);
    }
}


void
virTeamingDriverFree(virTeamingDriver *driver)
{
    if (!driver)
        return;
    g_clear_handle_id(&driver->timer, g_source_remove);
    g_clear_pointer(&driver->pairs, g_ptr_array_unref);
    g_clear_pointer(&driver->serials, g_hash_table_unref);
    g_clear_pointer(&driver->networks, g_hash_table_unref);
    g_free(driver->verdicts);
    g_strfreev(driver->pfs);
    g_free(driver->statedir);
    g_free(driver->libvirtProblem);
    g_free(driver);
}


/* How to reach libvirt; NULL for not at all. */
void
virTeamingDriverSetLibvirt(virTeamingDriver *driver,
                           virTeamingDriverAsk ask,
                           virTeamingDriverAskNetworks askNetworks,
                           virTeamingDriverPlug plug,
                           virTeamingDriverAbort abort,
                           virTeamingDriverUnhide unhide,
                           virTeamingDriverNote note,
                           gpointer opaque)
{
    driver->ask = ask;
    driver->askNetworks = askNetworks;
    driver->plug = plug;
    driver->abort = abort;
    driver->unhide = unhide;
    driver->note = note;
    driver->libvirt = opaque;
}


/* Where verdicts on NICs are, for tests. */
void
virTeamingDriverSetVerdicts(virTeamingDriver *driver,
                            const char *dir)
{
    g_free(driver->verdicts);
    driver->verdicts = g_strdup(dir);
}


/* Whether libvirt places what it runs in cgroups, here and on hosts that guests come from. */
void
virTeamingDriverSetCgroups(virTeamingDriver *driver,
                           gboolean cgroups)
{
    driver->cgroups = cgroups;
}


/**
 * virTeamingDriverSerial:
 *
 * Returns: how many events of domain @uuid have been told. An answer of libvirt is
 *          news only if no event came after the question.
 */
guint
virTeamingDriverSerial(const virTeamingDriver *driver,
                       const char *uuid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(driver->serials, uuid));
}


/**
 * virTeamingDriverIsIncoming:
 * @driver: the driver
 * @uuid: a domain
 *
 * Returns: whether @uuid is known to be arriving here: libvirt need not be asked that, which
 *          answers some questions about such a domain only when it has arrived.
 */
gboolean
virTeamingDriverIsIncoming(const virTeamingDriver *driver,
                           const char *uuid)
{
    guint i = 0;
    const virTeamingPairObj *pair = virTeamingDriverNext(driver, uuid, &i);

    return pair && pair->guest == VIR_TEAMING_GUEST_INCOMING;
}


/**
 * virTeamingDriverIsGroping:
 * @driver: the driver
 * @uuid: a domain
 *
 * Returns: whether libvirt has yet to say where pairs of @uuid are: one that runs has no path
 *          then, or its guest is about to find a VF without a MAC.
 */
gboolean
virTeamingDriverIsGroping(const virTeamingDriver *driver,
                          const char *uuid)
{
    const virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (!pair->tap[0] || (!pair->hasVf && pair->parked))
            return TRUE;
    }
    return FALSE;
}


static void
virTeamingDriverAdvance(virTeamingDriver *driver,
                        const char *uuid)
{
    g_hash_table_insert(driver->serials, g_strdup(uuid),
                        GUINT_TO_POINTER(virTeamingDriverSerial(driver, uuid) + 1));
}


static virTeamingPairObj *
virTeamingDriverFind(virTeamingDriver *driver,
                     const char *uuid,
                     const virTeamingMac *mac)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (virTeamingMacEqual(&pair->mac, mac))
            return pair;
    }
    return NULL;
}


static virTeamingPolicy
virTeamingDriverPolicy(const virTeamingDriver *driver,
                       const virTeamingDomain *domain)
{
    virTeamingPolicy policy;

    virTeamingDomainGetPolicy(domain, &driver->policy, &policy);
    return policy;
}


/* The NIC of @domain that is @pair's standby, or NULL. */
static const virTeamingNic *
virTeamingDomainFindStandby(const virTeamingDomain *domain,
                            const virTeamingPairObj *pair)
{
    for (guint i = 0; i < domain->nics->len; i++) {
        const virTeamingNic *nic = g_ptr_array_index(domain->nics, i);

        if (nic->role == VIR_TEAMING_ROLE_PERSISTENT && nic->hasMac &&
            virTeamingMacEqual(&nic->mac, &pair->mac))
            return nic;
    }
    return NULL;
}


/* Does @pair's standby bring a VF along, as @domain says? */
static gboolean
virTeamingDomainHasPair(const virTeamingDomain *domain,
                        const virTeamingPairObj *pair)
{
    for (guint i = 0; i < domain->pairs->len; i++) {
        const virTeamingPair *def = g_ptr_array_index(domain->pairs, i);

        if (virTeamingMacEqual(&def->persistent->mac, &pair->mac))
            return TRUE;
    }
    return FALSE;
}


/* Keeps whether libvirt lists a VF for @pair. Where it had none, who has @found one need not have
 * been us: it is not plugged anew, which would take it out first. While we are at it what libvirt
 * says is of no use. */
static void
virTeamingDriverTakePresence(virTeamingPairObj *pair,
                             gboolean found)
{
    if (pair->plugging)
        return;
    if (pair->absent && found) {
        pair->unplugged = pair->nameless = FALSE;
        g_clear_pointer(&pair->plugProblem, g_free);
    }
    pair->absent = !found;
}


/* Makes or updates the pair objects of @domain. A standby whose VF was detached is still
 * looked after: its guest has no other path. */
static void
virTeamingDriverTakeDomain(virTeamingDriver *driver,
                           const virTeamingDomain *domain,
                           virTeamingActivity activity,
                           gboolean news)
{
    const virTeamingPolicy policy = virTeamingDriverPolicy(driver, domain);
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
        const virTeamingNic *standby = virTeamingDomainFindStandby(domain, pair);
        const gboolean found = virTeamingDomainHasPair(domain, pair);

        virTeamingDriverTakePresence(pair, found);
        if (!found && pair->move == VIR_TEAMING_MOVE_OUT)
            virTeamingPairObjMoved(pair);
        else if (!found && !pair->unplugged && (pair->hasVf || pair->sought || pair->ejectLate))
            virTeamingPairObjLoseVf(pair);
        if (!found && !standby) {
            pair->guest = VIR_TEAMING_GUEST_GONE;
        } else if (!found) {
            if (news || (pair->guest == VIR_TEAMING_GUEST_INCOMING &&
                         activity == VIR_TEAMING_ACTIVITY_RUNNING))
                virTeamingPairObjSetActivity(pair, activity);
            pair->policy = policy;
            g_free(pair->domain);
            pair->domain = g_strdup(domain->name);
            g_free(pair->standbyAlias);
            pair->standbyAlias = g_strdup(standby->id);
            virTeamingPairObjSetTap(pair, standby->target);
        }
    }

    for (guint i = 0; i < domain->pairs->len; i++) {
        const virTeamingPair *def = g_ptr_array_index(domain->pairs, i);
        gboolean fresh;

        pair = virTeamingDriverFind(driver, domain->uuid, &def->persistent->mac);
        fresh = !pair;
        if (fresh) {
            pair = virTeamingPairObjNew(domain->uuid, domain->name, &def->persistent->mac);
            pair->changedAt = g_get_monotonic_time();
            g_ptr_array_add(driver->pairs, pair);
            /* A guest that runs may have been shown its VF; no harm if not. */
            pair->negotiated = activity == VIR_TEAMING_ACTIVITY_RUNNING;
        }
        /* A guest that libvirt says runs here has arrived, event or not. */
        if (fresh || news || (pair->guest == VIR_TEAMING_GUEST_INCOMING &&
                              activity == VIR_TEAMING_ACTIVITY_RUNNING))
            virTeamingPairObjSetActivity(pair, activity);
        pair->policy = policy;

        g_free(pair->domain);
        pair->domain = g_strdup(domain->name);
        g_free(pair->standbyAlias);
        /* libvirt takes an alias that is not its owner's from a domain that comes here, and
         * makes it anew, by counting. */
        pair->standbyAlias = g_strdup(def->persistent->id);
        if (def->transient->alias) {
            g_free(pair->primaryAlias);
            pair->primaryAlias = g_strdup(def->transient->alias);
        }
        virTeamingPairObjSetTap(pair, def->persistent->target);
        if (def->transient->hasSource)
            virTeamingPairObjSetVf(pair, driver->kernel, &def->transient->source);
        if (def->transient->type == VIR_TEAMING_NIC_PLAIN_HOSTDEV)
            virTeamingPairObjKeepMac(pair, driver->kernel);
    }
}


/* Makes a pair object of @nic of @domain, if it is a standby and has none. */
static virTeamingPairObj *
virTeamingDriverTakeStandby(virTeamingDriver *driver,
                            const virTeamingDomain *domain,
                            const virTeamingNic *nic,
                            virTeamingActivity activity)
{
    virTeamingPairObj *pair;

    if (nic->role != VIR_TEAMING_ROLE_PERSISTENT || !nic->hasMac ||
        virTeamingDriverFind(driver, domain->uuid, &nic->mac))
        return NULL;
    pair = virTeamingPairObjNew(domain->uuid, domain->name, &nic->mac);
    pair->changedAt = g_get_monotonic_time();
    pair->standbyAlias = g_strdup(nic->id);
    pair->negotiated = activity == VIR_TEAMING_ACTIVITY_RUNNING;
    pair->absent = TRUE;
    pair->policy = virTeamingDriverPolicy(driver, domain);
    virTeamingPairObjSetTap(pair, nic->target);
    virTeamingPairObjSetActivity(pair, activity);
    g_ptr_array_add(driver->pairs, pair);
    return pair;
}


/* Makes pair objects of those standbys of @domain that are without their VFs, and what they were
 * on another host, as the domain itself says. */
static void
virTeamingDriverTakeMoved(virTeamingDriver *driver,
                          const virTeamingDomain *domain,
                          virTeamingActivity activity)
{
    for (guint i = 0; i < domain->moved->len; i++) {
        const virTeamingMovedPair *moved = g_ptr_array_index(domain->moved, i);

        for (guint j = 0; j < domain->nics->len; j++) {
            const virTeamingNic *nic = g_ptr_array_index(domain->nics, j);
            virTeamingPairObj *pair;

            if (g_strcmp0(nic->id, moved->standby) != 0 || !nic->hasMac)
                continue;
            /* One that still arrives may have tried before, and been something else then. */
            if (!(pair = virTeamingDriverTakeStandby(driver, domain, nic, activity)) &&
                (!(pair = virTeamingDriverFind(driver, domain->uuid, &nic->mac)) ||
                 pair->guest != VIR_TEAMING_GUEST_INCOMING || !pair->absent))
                continue;
            g_free(pair->primaryAlias);
            pair->primaryAlias = g_strdup(moved->primary);
            g_free(pair->plugXml);
            pair->plugXml = g_strdup(moved->device);
            pair->unplugged = moved->plug;
            pair->move = moved->plug ? VIR_TEAMING_MOVE_NONE : VIR_TEAMING_MOVE_STANDBY;
            pair->noted = TRUE;
        }
    }
}


/* Makes pair objects of those standbys of @domain that have no VF. Who manages the guest may have
 * taken it out before a migration, to plug another one when that is over: oVirt does
 * (MigrateVmCommand.java in ovirt-engine), and whoever would not rely on QEMU for it. */
static void
virTeamingDriverTakeStandbys(virTeamingDriver *driver,
                             const virTeamingDomain *domain,
                             virTeamingActivity activity)
{
    for (guint i = 0; i < domain->nics->len; i++)
        virTeamingDriverTakeStandby(driver, domain, g_ptr_array_index(domain->nics, i), activity);
}


/* Takes up what @domain has: pairs, and standbys whose VF was taken out, here or elsewhere. */
static void
virTeamingDriverTakeAll(virTeamingDriver *driver,
                        const virTeamingDomain *domain,
                        virTeamingActivity activity,
                        gboolean news)
{
    virTeamingDriverTakeDomain(driver, domain, activity, news);
    virTeamingDriverTakeMoved(driver, domain, activity);
    virTeamingDriverTakeStandbys(driver, domain, activity);
}


/* Keeps the elements of @domain's VFs, so that they can be plugged when they have gone. */
static void
virTeamingDriverKeepDevices(virTeamingDriver *driver,
                            const virTeamingDomain *domain,
                            const char *xml)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
        char *device = virTeamingDomainDumpTransient(xml, pair->standbyAlias, NULL);

        if (device) {
            g_free(pair->plugXml);
            pair->plugXml = device;
        }
    }
}


/* Does the migration of @pair's guest go on? @copied: as in virTeamingSnapshot. */
static void
virTeamingDriverNoteProgress(virTeamingDriver *driver,
                             virTeamingPairObj *pair,
                             gint64 copied)
{
    const gint64 now = g_get_monotonic_time();

    if (!pair->migrating || pair->guest != VIR_TEAMING_GUEST_HERE || copied < 0 ||
        copied != pair->copied || !pair->copiedAt) {
        pair->copied = copied;
        pair->copiedAt = now;
    } else if (now - pair->copiedAt >= VIR_TEAMING_DRIVER_STALL_MS * 1000 &&
               now >= pair->abortAt) {
        virTeamingDriverGiveUp(driver, pair, now, g_strdup_printf(
            "migration given up: nothing could be sent for %u s; is the other host there?",
            VIR_TEAMING_DRIVER_STALL_MS / 1000));
    }
}


/**
 * virTeamingDriverTellSnapshot:
 * @driver: the driver
 * @snapshot: libvirt's answer about one domain
 */
void
virTeamingDriverTellSnapshot(virTeamingDriver *driver,
                             const virTeamingSnapshot *snapshot)
{
    g_autoptr(virTeamingDomain) domain = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingPairObj *pair;
    gboolean news = snapshot->resync;

    if (snapshot->serial != virTeamingDriverSerial(driver, snapshot->uuid)) {
        virTeamingDriverAskAbout(driver, snapshot->uuid, snapshot->resync);
        return;
    }

    if (snapshot->activity == VIR_TEAMING_ACTIVITY_INACTIVE) {
        for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
            virTeamingPairObjMiss(pair);
    } else {
        domain = virTeamingDomainParse(snapshot->xml, -1, snapshot->uuid, &error);
        if (!domain) {
            g_warning("%s", error->message);
            return;
        }
        for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
            news |= virTeamingPairObjIsContradicted(pair, snapshot->activity);
        virTeamingDriverTakeAll(driver, domain, snapshot->activity, news);
        for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
            pair->postcopy &= snapshot->postcopy || !news;
        if (snapshot->migratable)
            virTeamingDriverKeepDevices(driver, domain, snapshot->migratable);
    }
    virTeamingDriverSettleDomain(driver, snapshot->uuid, FALSE);
    for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
        virTeamingDriverNoteProgress(driver, pair, snapshot->copied);

    /* What the rules say is in no journal. Of a pair that we are at they say what will soon not
     * be so. */
    for (guint i = 0; domain && (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));) {
        if (!pair->reviewed && !pair->unplugged && !pair->plugging &&
            pair->move == VIR_TEAMING_MOVE_NONE && pair->hasVf)
            virTeamingDriverReview(driver, domain);
    }
}


/**
 * virTeamingDriverTellInventory:
 * @driver: the driver
 * @uuids: all domains that are active, NULL-terminated
 *
 * Pairs of other domains are gone, unless they are only expected.
 */
void
virTeamingDriverTellInventory(virTeamingDriver *driver,
                              const char *const *uuids)
{
    for (guint i = 0; i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (!g_strv_contains(uuids, pair->uuid))
            virTeamingPairObjMiss(pair);
    }
    virTeamingDriverSettleDomain(driver, NULL, TRUE);
}


/* Gives the migration up that @pair's guest is in, and keeps why. */
static void
virTeamingDriverGiveUp(virTeamingDriver *driver,
                       virTeamingPairObj *pair,
                       gint64 now,
                       char *why)
{
    g_free(pair->aborted);
    pair->aborted = why;
    pair->abortAt = now + VIR_TEAMING_DRIVER_REABORT_MS * 1000;
    g_warning("domain '%s', %s: %s", pair->domain, pair->standbyAlias, why);
    if (driver->abort)
        driver->abort(pair->uuid, driver->libvirt);
}


/* Ends the move of @pair to its standby, and keeps why. A guest that lets its VF go after
 * all gets it again. */
static void
virTeamingDriverTakeBack(virTeamingDriver *driver,
                         virTeamingPairObj *pair,
                         char *why)
{
    g_free(pair->aborted);
    pair->aborted = why;
    pair->move = VIR_TEAMING_MOVE_NONE;
    pair->takingOut = FALSE;
    pair->ejectLate = pair->takenBack = !pair->unplugged;
    pair->changedAt = g_get_monotonic_time();
    g_warning("domain '%s', %s: %s", pair->domain, pair->standbyAlias, why);
}


/**
 * virTeamingDriverGuard:
 *
 * Ends a migration that can't end well: one that waits for a guest which does not let its
 * VF go (QEMU would wait for ever; in its firmware a guest does not even drive it), and one
 * whose memory is being copied while the VF may still write to it (QEMU,
 * hw/net/virtio-net.c: if the unplug request itself fails, it warns and goes on). At the
 * switchover is not too late for the latter: libvirt has QEMU wait for it there. And one that
 * has begun while a VF is plugged anew: between its going and coming libvirt knows of none, and
 * would carry a domain without it. Not so if it had none before, and the domain says so: libvirt
 * plugs it before that begins, or not at all.
 */
static void
virTeamingDriverGuard(virTeamingDriver *driver,
                      virTeamingPairObj *pair,
                      gint64 now)
{
    const gint64 timeout = (gint64)pair->policy.unplugTimeout * G_USEC_PER_SEC;
    const gboolean still = pair->stoppedAt && pair->stoppedAt <= pair->askedAt;
    const gint64 patience = still ? MIN(timeout, VIR_TEAMING_DRIVER_STILL_MS * 1000) : timeout;

    if (pair->move == VIR_TEAMING_MOVE_OUT && now - pair->askedAt >= timeout)
        virTeamingDriverTakeBack(driver, pair, pair->problem ?
            g_strdup_printf("move to the standby given up: %s", pair->problem) :
            g_strdup_printf("move to the standby given up: the guest did not let its VF %s go "
                            "within %u s; does it handle PCI hot-unplug? unplugTimeout in the "
                            "domain's policy sets the time", pair->primaryAlias,
                            pair->policy.unplugTimeout));
    /* A libvirtd that was restarted has cancelled the migration: that is how the VF came back. */
    if ((pair->guest != VIR_TEAMING_GUEST_HERE && pair->guest != VIR_TEAMING_GUEST_DEPARTING) ||
        pair->deaf || now < pair->abortAt)
        return;
    if (pair->migrating && pair->pci.busMaster) {
        virTeamingDriverGiveUp(driver, pair, now, g_strdup_printf(
            "migration given up: the guest's memory was being copied while its VF %s still "
            "could write to it; the guest did not take the unplug request, or was reset: try "
            "again when it is quiet", pair->primaryAlias));
    } else if (pair->migrating && pair->unplugged && pair->plugging && !pair->takingOut &&
               !(pair->absent && pair->noted)) {
        virTeamingDriverGiveUp(driver, pair, now, g_strdup_printf(
            "migration given up: it began while the VF %s was being plugged, and would have "
            "left it behind: try again when the pair is whole", pair->primaryAlias));
    } else if ((pair->askedOut || pair->waiting) && !pair->migrating && pair->primaryAlias &&
               pair->policy.onUnplugTimeout == VIR_TEAMING_ON_UNPLUG_TIMEOUT_ABORT &&
               pair->askedAt && now - pair->askedAt >= patience) {
        virTeamingDriverGiveUp(driver, pair, now, still ?
            g_strdup_printf("migration given up: the guest is stopped and cannot let its VF %s go; "
                            "migrate it with --live, or move it to its standby first "
                            "('virt-teaming move')", pair->primaryAlias) :
            g_strdup_printf("migration given up: the guest did not let its VF %s go within %u s; "
                            "does it handle PCI hot-unplug? unplugTimeout in the domain's policy "
                            "sets the time", pair->primaryAlias, pair->policy.unplugTimeout));
    }
}


/**
 * virTeamingDriverTellEvent:
 * @driver: the driver
 * @uuid: the domain that the event is of
 * @event: what QEMU said
 */
void
virTeamingDriverTellEvent(virTeamingDriver *driver,
                          const char *uuid,
                          const virTeamingQemuEvent *event)
{
    gboolean concerned = FALSE;
    gint64 now = g_get_monotonic_time();
    virTeamingPairObj *pair;

    if (event->type == VIR_TEAMING_QEMU_EVENT_OTHER)
        return;
    virTeamingDriverAdvance(driver, uuid);

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        pair->told = virTeamingPairObjTellEvent(pair, event, now);
        pair->changedAt = now;
        /* What there is to know was told, and the guest may need the host. */
        pair->askAt = now + VIR_TEAMING_DRIVER_PROGRESS_MS * 1000;
        concerned = TRUE;
    }
    if (!concerned)
        return;

    /* Most of what QEMU tells, it tells of one pair after the other. */
    for (guint i = driver->pairs->len; i-- > 0;) {
        pair = g_ptr_array_index(driver->pairs, i);
        if (!pair->told)
            continue;
        pair->told = FALSE;
        virTeamingDriverUpdate(driver, pair, now);
    }
    virTeamingDriverArm(driver);
    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));)
        virTeamingDriverGuard(driver, pair, now);
    /* The VF may have been unplugged for good. */
    if (event->type == VIR_TEAMING_QEMU_EVENT_DELETED &&
        !virTeamingDriverIsPlugging(driver, uuid))
        virTeamingDriverAskAbout(driver, uuid, FALSE);
}


/* Keeps what is wrong with the connection to libvirt, NULL if nothing, for status. */
void
virTeamingDriverTellLibvirt(virTeamingDriver *driver,
                            const char *problem)
{
    g_free(driver->libvirtProblem);
    driver->libvirtProblem = g_strdup(problem);
    for (guint i = 0; problem && i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        pair->deaf = TRUE;
        pair->stoppedAt = 0;
    }
}


/**
 * virTeamingDriverTellNetworks:
 * @driver: the driver
 * @networks: (transfer full) (nullable): all of libvirt's, as in virTeamingHost; NULL if
 *            they are not known, or not any more
 */
void
virTeamingDriverTellNetworks(virTeamingDriver *driver,
                             GHashTable *networks)
{
    g_clear_pointer(&driver->networks, g_hash_table_unref);
    driver->networks = networks;
}


/* What the rules say of @domain on this host. */
static GPtrArray *
virTeamingDriverValidate(virTeamingDriver *driver,
                         const virTeamingDomain *domain)
{
    g_auto(virTeamingHost) host = { NULL };

    virTeamingHostInit(&host);
    g_clear_pointer(&host.networks, g_hash_table_unref);
    if (driver->networks)
        host.networks = g_hash_table_ref(driver->networks);
    virTeamingHostLook(&host, domain, driver->kernel, driver->verdicts);
    return virTeamingDomainValidate(domain, &host, &driver->policy);
}


/* May @domain come here? It is known to work where it is, so only what is wrong with this
 * host refuses it. */
static gboolean
virTeamingDriverAdmit(virTeamingDriver *driver,
                      const virTeamingDomain *domain,
                      GError **error)
{
    g_autoptr(GPtrArray) findings = virTeamingDriverValidate(driver, domain);

    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        const virTeamingRule *rule = virTeamingRuleGet(finding->rule);
        g_autofree char *text = NULL;

        if (rule->severity != VIR_TEAMING_SEVERITY_ERROR || !virTeamingRuleIsOfHost(finding->rule))
            continue;
        text = g_strdup_printf("%s [%s]; %s", finding->message, rule->id, finding->hint);
        g_strdelimit(text, "\r\n", ' ');
        g_warning("domain '%s': its migration to this host is refused: %s", domain->name, text);
        g_set_error_literal(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED, text);
        /* Should libvirt have failed to tell what was mended, the next try will know. */
        if (driver->askNetworks)
            driver->askNetworks(driver->libvirt);
        return FALSE;
    }
    return TRUE;
}


/*
 * Does only @domain's definition come here (virsh migrate --offline)? What a hook then prints is
 * defined for good (qemuMigrationDstPersist() in src/qemu/qemu_migration.c), and nobody arrives.
 * The hook is not told. But of a domain that runs, libvirt sends where in cgroups it is
 * (virDomainCgroupInitCgroup() in src/hypervisor/domain_cgroup.c; qemuInitCgroup() before 8.0),
 * which it fills in when the domain is started. Other marks do not get so far: ids, aliases and
 * indices are not read from XML that is received.
 *
 * If in doubt it runs: as on hosts without cgroups.
 */
static gboolean
virTeamingDriverIsDefinition(const virTeamingDriver *driver,
                             const virTeamingDomain *domain)
{
    return driver->cgroups && !domain->placed && !domain->live;
}


/* Says, once, what is wrong with @domain, which is about to run here, and keeps it with its
 * pairs. Stock libvirt would start it, and so do we. */
static void
virTeamingDriverReview(virTeamingDriver *driver,
                       const virTeamingDomain *domain)
{
    g_autoptr(GPtrArray) findings = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    virTeamingPairObj *pair;

    findings = virTeamingDriverValidate(driver, domain);
    for (guint i = 0; i < findings->len; i++) {
        const virTeamingFinding *finding = findings->pdata[i];
        const virTeamingRule *rule = virTeamingRuleGet(finding->rule);

        if (rule->severity == VIR_TEAMING_SEVERITY_NOTE)
            continue;
        /* A warning says that something may not be as it was meant; nothing need be wrong. */
        if (rule->severity == VIR_TEAMING_SEVERITY_ERROR)
            g_string_append_printf(text, "%s%s [%s]", text->len ? "; " : "", finding->message,
                                   rule->id);
        g_warning("domain '%s': %s [%s]; %s", domain->name, finding->message, rule->id,
                  finding->hint);
    }
    for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
        pair->reviewed = TRUE;
        g_free(pair->findings);
        pair->findings = text->len ? g_strdup(text->str) : NULL;
    }
}


/* Which links can a VF be looked for on? Asked while there is time. */
static void
virTeamingDriverListPfs(virTeamingDriver *driver)
{
    g_autoptr(GArray) links = virTeamingKernelLinkList(driver->kernel, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; links && i < links->len; i++) {
        const virTeamingLink *link = &g_array_index(links, virTeamingLink, i);
        virTeamingPciAddress address;
        virTeamingPciDevice device;

        if (virTeamingPciAddressParse(link->pci, &address) &&
            virTeamingKernelPciGetDevice(driver->kernel, &address, &device, NULL) &&
            device.physfn[0] == '\0')
            g_strv_builder_add(builder, link->name);
    }
    g_clear_pointer(&driver->pfs, g_strfreev);
    if (links)
        driver->pfs = g_strv_builder_end(builder);
}


/* The pairs of @domain are about to arrive: from another host, or from a file. */
static void
virTeamingDriverExpect(virTeamingDriver *driver,
                       const virTeamingDomain *domain,
                       const char *xml)
{
    const virTeamingPolicy policy = virTeamingDriverPolicy(driver, domain);
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
        pair->started = FALSE;
        pair->heard = VIR_TEAMING_HEARD_NOTHING;
        pair->negotiated = pair->opening = FALSE;
        pair->wire = VIR_TEAMING_WIRE_AWAY;
        pair->askedOut = FALSE;
        pair->unplugged = FALSE;
        pair->nameless = FALSE;
        pair->ejectLate = FALSE;
        virTeamingPairObjUnhide(pair);
        if (!virTeamingDomainHasPair(domain, pair))
            continue;
        pair->defer = policy.plug != VIR_TEAMING_PLUG_STOCK;
        /* Promised, and journalled, before there is a VF: see virTeamingPairObjPark(). */
        pair->parked = TRUE;
    }
    virTeamingDriverListPfs(driver);
    virTeamingDriverKeepDevices(driver, domain, xml);
}


/* A guest that has gone elsewhere may come back before its QEMU here has ended: to its pairs that
 * is as if it had. libvirt calls the migrate hook before it waits for that. */
static void
virTeamingDriverSeeOff(virTeamingDriver *driver,
                       const char *uuid)
{
    virTeamingPairObj *pair;
    gboolean gone = FALSE;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (pair->guest == VIR_TEAMING_GUEST_DEPARTING && pair->completed) {
            pair->guest = VIR_TEAMING_GUEST_GONE;
            gone = TRUE;
        }
    }
    if (gone)
        virTeamingDriverSettleDomain(driver, uuid, TRUE);
}


/* Does one of the domain's pairs have a guest that runs on this very host? */
static gboolean
virTeamingDriverIsHere(virTeamingDriver *driver,
                       const char *uuid)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (pair->guest != VIR_TEAMING_GUEST_INCOMING &&
            virTeamingPairObjIsHere(pair, driver->kernel))
            return TRUE;
    }
    return FALSE;
}


/**
 * virTeamingDriverTellPlug:
 * @driver: the driver
 * @uuid: the domain
 * @mac: the pair's
 * @problem: why libvirt could not plug the VF; NULL if it has
 *
 * After a failure the guest goes on with its standby, and it is tried again.
 */
void
virTeamingDriverTellPlug(virTeamingDriver *driver,
                         const char *uuid,
                         const virTeamingMac *mac,
                         const char *problem)
{
    virTeamingPairObj *pair = virTeamingDriverFind(driver, uuid, mac);

    if (!pair)
        return;
    if (problem && g_strcmp0(problem, pair->plugProblem) != 0)
        g_warning("domain '%s', %s: %s; trying again", pair->domain, pair->standbyAlias,
                  problem);
    g_free(pair->plugProblem);
    pair->plugProblem = g_strdup(problem);
    pair->plugging = FALSE;
    virTeamingPairObjForgetVf(pair);
    /* It has the MAC: to ask libvirt takes far longer, and is felt by a guest that looks at its
     * new VF. That is done when the last is plugged. */
    if (!problem && pair->pf[0])
        virTeamingPairObjLocateVf(pair, driver->kernel, pair->pf);
    pair->unplugged = problem != NULL;
    pair->absent &= pair->unplugged;
    pair->nameless &= pair->unplugged;
    pair->negotiated = TRUE;
    pair->changedAt = g_get_monotonic_time();
    pair->pluggedAt = problem ? 0 : pair->changedAt;
    virTeamingDriverSettleDomain(driver, uuid, FALSE);
    /* If its guest has gone meanwhile, it has, too. */
    pair = virTeamingDriverFind(driver, uuid, mac);
    if (pair && (!pair->hasVf || !virTeamingDriverHasMore(driver, uuid)))
        virTeamingDriverAskAbout(driver, uuid, FALSE);
}


/**
 * virTeamingDriverTellBusy:
 * @driver: the driver
 * @uuid: the domain
 * @mac: the pair's
 *
 * Its VF could not be plugged, for libvirt is at something that lets nobody do so, as a migration.
 * Nothing is wrong with that, and nothing was done.
 */
void
virTeamingDriverTellBusy(virTeamingDriver *driver,
                         const char *uuid,
                         const virTeamingMac *mac)
{
    virTeamingPairObj *pair = virTeamingDriverFind(driver, uuid, mac);

    if (!pair)
        return;
    pair->plugging = FALSE;
    virTeamingDriverSettleDomain(driver, uuid, FALSE);
    virTeamingDriverAskAbout(driver, uuid, FALSE);
}


/**
 * virTeamingDriverTellUnplug:
 * @driver: the driver
 * @uuid: the domain
 * @mac: the pair's
 * @problem: why libvirt could not ask the guest for its VF; NULL if it has
 *
 * That the VF has gone is told by QEMU, or found in libvirt's next answer.
 */
void
virTeamingDriverTellUnplug(virTeamingDriver *driver,
                           const char *uuid,
                           const virTeamingMac *mac,
                           const char *problem)
{
    virTeamingPairObj *pair = virTeamingDriverFind(driver, uuid, mac);

    if (!pair)
        return;
    pair->plugging = FALSE;
    if (problem && pair->move == VIR_TEAMING_MOVE_OUT)
        virTeamingDriverTakeBack(driver, pair,
                                 g_strdup_printf("move to the standby given up: %s", problem));
    virTeamingDriverSettleDomain(driver, uuid, FALSE);
    virTeamingDriverAskAbout(driver, uuid, FALSE);
}


/**
 * virTeamingDriverTellUnhide:
 * @driver: the driver
 * @uuid: the domain
 * @outcome: how libvirt says that the migration to nowhere has failed
 *
 * If it was QEMU's, that it has failed was an event, and all is well.
 */
void
virTeamingDriverTellUnhide(virTeamingDriver *driver,
                           const char *uuid,
                           const char *outcome)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (!pair->hidden)
            continue;
        g_free(pair->unhideProblem);
        pair->unhideProblem = g_strdup_printf(
            "QEMU keeps the VF %s from the guest, which was taken back after its migration had "
            "completed, and could not be made to show it again (%s); %s", pair->primaryAlias,
            outcome, pair->unhides < VIR_TEAMING_DRIVER_UNHIDES ? "trying again" :
            "it lives on its standby until it is shut down and started, or migrated");
        g_warning("domain '%s', %s: %s", pair->domain, pair->standbyAlias, pair->unhideProblem);
    }
}


/**
 * virTeamingDriverTellNote:
 * @driver: the driver
 * @uuid: the domain
 * @problem: why libvirt could not have it carry along which of its pairs are without their VFs;
 *           NULL if it has
 *
 * It is tried again: where the domain migrates to meanwhile, nobody would know.
 */
void
virTeamingDriverTellNote(virTeamingDriver *driver,
                         const char *uuid,
                         const char *problem)
{
    const gint64 now = g_get_monotonic_time();
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (problem && g_strcmp0(problem, pair->noteProblem) != 0)
            g_warning("domain '%s', %s: %s; trying again", pair->domain, pair->standbyAlias,
                      problem);
        g_free(pair->noteProblem);
        pair->noteProblem = g_strdup(problem);
        if (!problem)
            continue;
        pair->noteAt = now + VIR_TEAMING_DRIVER_REPLUG_MS * 1000;
        /* A daemon that is started anew is to know. */
        pair->noted &= !virTeamingPairObjIsAway(pair);
        virTeamingJournalSave(pair, driver->statedir, NULL);
    }
}


/* May the frames of @pair be moved by hand now? */
static gboolean
virTeamingDriverMayMove(const virTeamingPairObj *pair,
                        gboolean toVf,
                        GError **error)
{
    virTeamingErrorCode code = VIR_TEAMING_ERROR_BUSY;
    const char *why = NULL;

    if (pair->guest != VIR_TEAMING_GUEST_HERE || pair->migrating || pair->askedOut ||
        pair->postcopy) {
        why = "the guest is migrating; try again when that is over";
    } else if (toVf && pair->move == VIR_TEAMING_MOVE_OUT) {
        why = "it is being moved to its standby; try again when it is there";
    } else if (!toVf && pair->plugging && pair->move == VIR_TEAMING_MOVE_NONE) {
        why = "libvirt is plugging its VF; try again when that is over";
    } else if (!toVf && pair->hidden) {
        why = "QEMU keeps its VF back since a migration was taken back at its last step, so it "
            "is on its standby; try again when it has its VF";
    } else if ((!pair->plugXml || !pair->primaryAlias) &&
               (toVf ? !pair->hasVf : pair->move == VIR_TEAMING_MOVE_NONE)) {
        code = VIR_TEAMING_ERROR_UNSUPPORTED;
        why = toVf ? "it is not known here which VF it had; plug one by 'virsh attach-device'" :
            "libvirt has not told how its VF could be plugged again";
    }
    if (!why)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, code, "domain '%s', %s: cannot be moved to its %s: %s",
                pair->domain, pair->standbyAlias, toVf ? "VF" : "standby", why);
    return FALSE;
}


/**
 * virTeamingDriverMove:
 * @driver: the driver
 * @domain: name or UUID
 * @standby: alias of the pair's standby; NULL or empty for all pairs of @domain
 * @toVf: to the VF; otherwise to the standby
 * @error: set to VIR_TEAMING_ERROR_NOT_FOUND, _BUSY or _UNSUPPORTED, which says why not
 *
 * Begins to move the frames of pairs, without a migration. A pair that is there already, or
 * on its way, is left alone. On the way to the standby both paths are opened before libvirt
 * is asked; it ends on the standby, or as if nothing had been asked for, with the reason as
 * the pair's problem. On the way to the VF it is tried until it works.
 *
 * Returns: whether all of them are there or on their way.
 */
gboolean
virTeamingDriverMove(virTeamingDriver *driver,
                     const char *domain,
                     const char *standby,
                     gboolean toVf,
                     GError **error)
{
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    g_autoptr(GPtrArray) alone = g_ptr_array_new();
    g_autofree char *uuid = NULL;

    for (guint i = 0; i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if ((g_str_equal(pair->domain, domain) || !g_ascii_strcasecmp(pair->uuid, domain)) &&
            (!standby || !*standby || g_strcmp0(pair->standbyAlias, standby) == 0))
            g_ptr_array_add(virTeamingPairObjIsAlone(pair) ? alone : chosen, pair);
    }
    /* What never had a VF here is on its standby, and does not keep the others from moving. */
    if (chosen->len == 0 && alone->len > 0 && !toVf)
        return TRUE;
    if (chosen->len == 0)
        g_ptr_array_extend(chosen, alone, NULL, NULL);
    if (chosen->len == 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                    standby && *standby ? "domain '%s' has no failover pair '%s' on this host" :
                    "domain '%s' has no failover pair on this host", domain, standby);
        return FALSE;
    }
    for (guint i = 0; i < chosen->len; i++) {
        if (!virTeamingDriverMayMove(chosen->pdata[i], toVf, error))
            return FALSE;
    }

    for (guint i = 0; i < chosen->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(chosen, i);
        const gboolean hasVf = pair->hasVf || pair->unplugged;

        if (toVf ? hasVf && pair->move == VIR_TEAMING_MOVE_NONE :
            pair->move != VIR_TEAMING_MOVE_NONE)
            continue;
        g_message("domain '%s', %s: to be moved to its %s", pair->domain, pair->standbyAlias,
                  toVf ? "VF" : "standby");
        g_clear_pointer(&pair->aborted, g_free);
        g_clear_pointer(&pair->plugProblem, g_free);
        pair->ejectLate = FALSE;
        pair->takingOut = FALSE;
        pair->changedAt = pair->askedAt = g_get_monotonic_time();
        pair->plugAt = 0;
        pair->unplugged |= toVf && !pair->hasVf;
        pair->move = toVf ? VIR_TEAMING_MOVE_NONE : VIR_TEAMING_MOVE_OUT;
        /* What the domain does not have the guest need not be asked for, and by that name it may
         * be asked for another's. */
        if (!toVf && pair->absent)
            virTeamingPairObjMoved(pair);
        /* What the domain carries along says whether it is to be plugged. */
        if (pair->noted)
            pair->noteAt = pair->changedAt;
        g_free(uuid);
        uuid = g_strdup(pair->uuid);
    }
    if (uuid)
        virTeamingDriverSettleDomain(driver, uuid, TRUE);
    return TRUE;
}


/**
 * virTeamingDriverTellHook:
 * @driver: the driver
 * @operation: as libvirt's qemu hook gets it: "migrate", "start", …
 * @suboperation: "begin", "end", "-", or, of a "release", "end" and why, as "end migrated"
 * @xml: the domain, as libvirt gave it to the hook
 * @ret: set to what the hook shall print, NULL for nothing
 * @error: set if libvirt should not go on
 *
 * When it returns, all that must be done before libvirt goes on has been done, and what
 * speaks against it has been logged.
 *
 * Returns: whether libvirt may go on.
 */
gboolean
virTeamingDriverTellHook(virTeamingDriver *driver,
                         const char *operation,
                         const char *suboperation,
                         const char *xml,
                         char **ret,
                         GError **error)
{
    const gboolean begin = g_strcmp0(suboperation, "begin") == 0;
    const gboolean migrate = g_str_equal(operation, "migrate");
    const gboolean stopped = g_str_equal(operation, "stopped");
    gboolean arriving = FALSE;
    g_autoptr(GError) unread = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParse(xml, -1, "hook", &unread);
    virTeamingPairObj *pair;

    *ret = NULL;
    /* What libvirt can read and we can't is no reason to stop a guest. */
    if (!domain || !domain->uuid) {
        g_warning("hook %s: %s; libvirt goes on without us", operation,
                  unread ? unread->message : "the domain's XML has no <uuid>");
        return TRUE;
    }
    driver->hookHeard = TRUE;
    virTeamingDriverAdvance(driver, domain->uuid);

    if (migrate || g_str_equal(operation, "restore")) {
        virTeamingDriverSeeOff(driver, domain->uuid);
        /* libvirt calls the hook before it finds that a guest can't arrive where it is. */
        if (virTeamingDriverIsHere(driver, domain->uuid))
            return TRUE;
        if (migrate && virTeamingDriverIsDefinition(driver, domain))
            return TRUE;
        if (migrate && !virTeamingDriverAdmit(driver, domain, error))
            return FALSE;
        /* Saved memory is an arrival, too: the VF is plugged while it is loaded. */
        virTeamingDriverTakeAll(driver, domain, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
        virTeamingDriverExpect(driver, domain, xml);
        /* A standby that comes alone is given a VF later. */
        if (virTeamingDriverPolicy(driver, domain).prealloc &&
            virTeamingDriverHas(driver, domain->uuid))
            *ret = virTeamingDomainPreallocate(xml, NULL);
    } else if (g_str_equal(operation, "start") && begin) {
        /* Nothing but a migrate or restore before it makes a start an arrival. */
        for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
            if (pair->guest == VIR_TEAMING_GUEST_INCOMING) {
                arriving = TRUE;
            } else if (virTeamingDomainFindStandby(domain, pair)) {
                pair->guest = VIR_TEAMING_GUEST_HERE;
                pair->askedOut = FALSE;
                pair->migrating = FALSE;
            }
        }
        virTeamingDriverTakeAll(driver, domain, arriving ? VIR_TEAMING_ACTIVITY_INCOMING :
                                VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
        /* Should we have been away when a migrate hook was called, only libvirt can tell. */
        if (!arriving)
            virTeamingDriverAskAbout(driver, domain->uuid, TRUE);
        for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
            pair->started = TRUE;
            pair->heard = VIR_TEAMING_HEARD_NOTHING;
            pair->negotiated = pair->opening = FALSE;
        }
    } else if (stopped || g_str_equal(operation, "release")) {
        /* That may be of the QEMU that a guest has left which comes back. One that did not get as
         * far as "start" is released for another reason. */
        const gboolean former = stopped || g_strcmp0(suboperation, "end migrated") == 0;

        for (guint i = 0; (pair = virTeamingDriverNext(driver, domain->uuid, &i));) {
            if (!former || pair->guest != VIR_TEAMING_GUEST_INCOMING || pair->started)
                pair->guest = VIR_TEAMING_GUEST_GONE;
        }
    } else if (g_str_equal(operation, "started") || g_str_equal(operation, "attach")) {
        virTeamingDriverAskAbout(driver, domain->uuid, FALSE);
    } else if (g_str_equal(operation, "reconnect")) {
        virTeamingDriverAskAbout(driver, domain->uuid, TRUE);
    }

    virTeamingDriverSettleDomain(driver, domain->uuid, TRUE);
    /* The guest's frames come first. */
    if (begin && g_str_equal(operation, "start"))
        virTeamingDriverReview(driver, domain);
    return TRUE;
}


/* Is it to be found out whether QEMU has opened @pair's VF? Not while it may let it go. */
static gboolean
virTeamingPairObjIsOpening(const virTeamingPairObj *pair)
{
    return pair->opening && pair->guest == VIR_TEAMING_GUEST_HERE && !pair->migrating &&
        !pair->askedOut && !pair->plugging && pair->move == VIR_TEAMING_MOVE_NONE;
}


/**
 * virTeamingDriverNextRun:
 * @driver: the driver
 * @now: monotonic microseconds
 *
 * Returns: microseconds from @now after which virTeamingDriverRun() should be called, 0 if that
 *          is due; -1 if there is nothing to look at.
 */
gint64
virTeamingDriverNextRun(const virTeamingDriver *driver,
                        gint64 now)
{
    gint64 next = G_MAXINT64;

    for (guint i = 0; i < driver->pairs->len; i++) {
        const virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);
        virTeamingObserved seen;
        gint64 look;

        virTeamingPairObjObserve(pair, driver->ranAt, &seen);
        look = virTeamingFailoverNextLook(pair->phase, &seen);
        if (look < 0 || virTeamingPairObjIsRestless(pair, now))
            look = VIR_TEAMING_DRIVER_IDLE_MS;
        else if (pair->phase != VIR_TEAMING_PHASE_DRIVING &&
                 now - pair->changedAt > VIR_TEAMING_DRIVER_PATIENCE_MS * 1000)
            look = MAX(look, pair->migrating || pair->askedOut ?
                       VIR_TEAMING_DRIVER_LEISURE_MS : VIR_TEAMING_DRIVER_IDLE_MS);
        else
            look = MAX(look, VIR_TEAMING_DRIVER_WATCH_MS);
        next = MIN(next, driver->ranAt + look * 1000);
        if (pair->unplugged && !pair->plugging && pair->plugAt > now)
            next = MIN(next, pair->plugAt);
        if (pair->lookAt)
            next = MIN(next, pair->lookAt);
        if (virTeamingPairObjIsOpening(pair))
            next = MIN(next, pair->openAt);
        if (pair->catchAt)
            next = MIN(next, pair->catchAt);
    }
    return next == G_MAXINT64 ? -1 : MAX(next - now, 0);
}


/* A VF that was unplugged for good was taken away by its owner (virsh detach-device) or by
 * the host: whoever unbinds the PF's driver or rewrites sriov_numvfs has vfio ask QEMU for it,
 * and it vanishes. Then the guest is to have one again as soon as there is one. Returns:
 * whether that is news. */
static gboolean
virTeamingDriverMissVf(virTeamingDriver *driver,
                       virTeamingPairObj *pair,
                       gint64 now)
{
    virTeamingPciDevice device;

    if (!pair->letGoAt)
        return FALSE;
    if (virTeamingKernelPciGetDevice(driver->kernel, &pair->vf, &device, NULL)) {
        if (now - pair->letGoAt > VIR_TEAMING_DRIVER_REMOVE_MS * 1000)
            pair->letGoAt = 0;
        return FALSE;
    }
    g_message("domain '%s', %s: its VF was taken away by the host", pair->domain,
              pair->standbyAlias);
    pair->letGoAt = 0;
    pair->unplugged = TRUE;
    return TRUE;
}


/* Has QEMU failed to open @pair's VF? Only its log says so, and the guest has no VF then. It may
 * just not be allowed to: libvirt's AppArmor driver does not know of a VF that is taken from a
 * pool, for it reads the domain as it was defined (src/security/virt-aa-helper.c), but it does
 * allow what libvirt plugs. Returns: whether that is news. */
static gboolean
virTeamingDriverMissOpening(virTeamingDriver *driver,
                            virTeamingPairObj *pair,
                            gint64 now)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    int fd;

    if (!virTeamingPairObjIsOpening(pair) || now < pair->openAt)
        return FALSE;
    pair->opening = FALSE;
    if (!pair->hasVf || pair->pci.busMaster || pair->unplugged ||
        (fd = virTeamingKernelPciHold(driver->kernel, &pair->vf, NULL)) < 0)
        return FALSE;
    close(fd);
    g_warning("domain '%s', %s: QEMU could not open its VF %s (see QEMU's log of the domain); "
              "having libvirt plug it", pair->domain, pair->standbyAlias,
              virTeamingPciAddressFormat(&pair->vf, buf));
    pair->unplugged = TRUE;
    return TRUE;
}


/* Looks whether libvirt has given a VF @pair's MAC, if something was told of a PF. */
static void
virTeamingDriverCatch(virTeamingDriver *driver,
                      virTeamingPairObj *pair,
                      gint64 now)
{
    virTeamingPairObjUncatch(pair, driver->kernel, now);
    if (!pair->catchAt || now < pair->catchAt)
        return;
    pair->catchAt = 0;
    if (!driver->pfs)
        virTeamingDriverListPfs(driver);
    for (char **pf = driver->pfs; pf && *pf; pf++)
        virTeamingPairObjCatch(pair, driver->kernel, *pf, driver->statedir, now);
}


/* Looks at the VF of @pair, if it is time. Returns: whether it is news. */
static gboolean
virTeamingDriverWatch(virTeamingDriver *driver,
                      virTeamingPairObj *pair,
                      gint64 now)
{
    virTeamingObserved seen;
    gint64 look;
    gint64 rest = 0;

    virTeamingPairObjObserve(pair, now, &seen);
    look = virTeamingFailoverNextLook(pair->phase, &seen);
    /* Others may be watched more closely. Nothing comes of what it would see while the kernel does
     * not answer. */
    if (virTeamingPairObjIsRestless(pair, now))
        rest = VIR_TEAMING_DRIVER_IDLE_MS;
    else if (look < 0 || look == VIR_TEAMING_FAILOVER_CALM_MS || pair->blind)
        rest = VIR_TEAMING_FAILOVER_CALM_MS;
    if (now - pair->watchedAt < rest * 1000)
        return FALSE;
    pair->watchedAt = now;
    return virTeamingPairObjGlance(pair, driver->kernel, now);
}


/**
 * virTeamingDriverRun:
 * @driver: the driver
 * @now: monotonic microseconds
 *
 * Looks at all pairs, and settles those that have changed or are not as they should be.
 */
void
virTeamingDriverRun(virTeamingDriver *driver,
                    gint64 now)
{
    const gint64 began = g_get_monotonic_time();
    const gboolean strangers = driver->strangersAt &&
        now - driver->strangersAt >= VIR_TEAMING_DRIVER_IDLE_MS * 1000;

    if (strangers)
        driver->strangersAt = 0;
    for (guint i = driver->pairs->len; i-- > 0;) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (pair->guest == VIR_TEAMING_GUEST_INCOMING && !pair->started &&
            now - pair->changedAt > VIR_TEAMING_DRIVER_EXPECT_MS * 1000)
            pair->guest = VIR_TEAMING_GUEST_GONE;

        virTeamingDriverCatch(driver, pair, now);
        virTeamingDriverGuard(driver, pair, now);
        if ((pair->migrating || pair->askedOut || pair->waiting) &&
            pair->guest == VIR_TEAMING_GUEST_HERE && now >= pair->askAt) {
            pair->askAt = now + VIR_TEAMING_DRIVER_PROGRESS_MS * 1000;
            virTeamingDriverAskAbout(driver, pair->uuid, FALSE);
        }
        if (virTeamingDriverMissVf(driver, pair, now) ||
            virTeamingDriverMissOpening(driver, pair, now) ||
            virTeamingDriverWatch(driver, pair, now) || strangers ||
            (pair->lookAt && now >= pair->lookAt) ||
            ((pair->problem || pair->tapGoneAt) && now >= pair->retryAt))
            virTeamingDriverSettle(driver, pair, now);
        else
            virTeamingDriverTend(driver, pair, now);
    }
    /* However long that took, others have their turn before the next. */
    driver->ranAt = now + g_get_monotonic_time() - began;
}


static gboolean
virTeamingDriverTimeout(gpointer opaque)
{
    virTeamingDriver *driver = opaque;

    driver->timer = 0;
    virTeamingDriverRun(driver, g_get_monotonic_time());
    virTeamingDriverArm(driver);
    return G_SOURCE_REMOVE;
}


/* Sets the one timer to when the next look is due. */
static void
virTeamingDriverArm(virTeamingDriver *driver)
{
    gint64 next = virTeamingDriverNextRun(driver, g_get_monotonic_time());

    g_clear_handle_id(&driver->timer, g_source_remove);
    /* Rounded up: not to be there a moment before it is due. */
    if (next >= 0)
        driver->timer = g_timeout_add_full(G_PRIORITY_HIGH, (next + 999) / 1000,
                                           virTeamingDriverTimeout, driver, NULL);
}


const GPtrArray *
virTeamingDriverPairs(const virTeamingDriver *driver)
{
    return driver->pairs;
}


gboolean
virTeamingDriverHookHeard(const virTeamingDriver *driver)
{
    return driver->hookHeard;
}


const char *
virTeamingDriverLibvirtProblem(const virTeamingDriver *driver)
{
    return driver->libvirtProblem;
}


void
virTeamingSnapshotFree(virTeamingSnapshot *snapshot)
{
    if (!snapshot)
        return;
    g_free(snapshot->uuid);
    g_free(snapshot->xml);
    g_free(snapshot->migratable);
    g_free(snapshot);
}
