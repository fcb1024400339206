/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_driver.c: all failover pairs of this host, and what moves them
 */

/*
 * Theory of operation
 *
 * News comes from four sides: libvirt's hooks (teaming_hook.c), QEMU's events, libvirt's answers
 * when it is asked (teaming_domain.c), and the kernel. Each is turned into a fact of a pair, and a
 * pair of which that wants something else is settled at once. None is waited for: a missed event is
 * made up for by the VF's own bits, by the next answer of libvirt, and by a look at every pair once
 * a second. What only libvirt can do it is asked for when that is due (teaming_hotplug.c).
 *
 * The driver has one timer, which counts from the last look at all pairs, whatever is told in
 * between: a busy bridge tells of its entries without end. Around a change it looks at the VF as
 * closely as the sequencer says, but not more often than every VIR_TEAMING_DRIVER_WATCH_MS; a
 * change that does not end (a guest that never lets its VF go, or has no driver for it) is
 * watched at leisure after VIR_TEAMING_DRIVER_PATIENCE_MS. When nothing changes, it looks once a
 * second: a guest that unloads its VF driver tells nobody else.
 */

#include "teaming_driver_priv.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "teaming_datapath.h"
#include "teaming_journal.h"
#include "teaming_wiring.h"

#define VIR_TEAMING_DRIVER_WATCH_MS 2
#define VIR_TEAMING_DRIVER_LEISURE_MS 50
#define VIR_TEAMING_DRIVER_PATIENCE_MS (30 * 1000)
#define VIR_TEAMING_DRIVER_IDLE_MS 1000
#define VIR_TEAMING_DRIVER_CATCH_MS 10
/* A migration that sends nothing for so long has lost the other host. TCP would notice, too,
 * but after a quarter of an hour. */
#define VIR_TEAMING_DRIVER_STALL_MS (30 * 1000)
#define VIR_TEAMING_DRIVER_PROGRESS_MS 5000
/* From the migrate hook to the start hook libvirt needs some 100 ms. */
#define VIR_TEAMING_DRIVER_EXPECT_MS (5 * 60 * 1000)
/* Frames that are read before others have their turn. */
#define VIR_TEAMING_DRIVER_NOTICES 16
/* Hosts send fewer of one guest on its way: "stopped", "runs" and that again, in eight VLANs each,
 * and a switchover that failed may be tried anew. */
#define VIR_TEAMING_DRIVER_NOTICES_MAX 64
/* The kernel removes a VF that it has asked back as soon as QEMU has closed it. */
#define VIR_TEAMING_DRIVER_REMOVE_MS 3000

static void virTeamingDriverArm(virTeamingDriver *driver);
static void virTeamingDriverUpdate(virTeamingDriver *driver,
                                   virTeamingPairObj *pair,
                                   gint64 now);


/* The next pair of domain @uuid from place *@i on, or NULL; *@i moves behind it. */
virTeamingPairObj *
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


/* Returns: whether there is a pair, or a standby alone, of domain @uuid. */
gboolean
virTeamingDriverHas(const virTeamingDriver *driver,
                    const char *uuid)
{
    guint i = 0;

    return virTeamingDriverNext(driver, uuid, &i) != NULL;
}


void
virTeamingDriverAskAbout(virTeamingDriver *driver,
                         const char *uuid,
                         gboolean resync)
{
    if (driver->ask)
        driver->ask(uuid, resync, driver->libvirt);
}


/* Another host has said something of the guest of the pair whose ear @fd is. Or the guest itself
 * has, which may send from its MAC, and goes on as long as it likes: what it says is acted upon
 * before all other guests have their turn. */
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
        pair->notices++;
        if (virTeamingFrameParseNotice(frame, size, &notice) &&
            virTeamingMacEqual(&notice.mac, &pair->mac) && g_str_equal(notice.uuid, pair->uuid))
            told |= virTeamingPairObjTellNotice(pair, &notice);
    }
    /* That the link has gone down is told so, once. */
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        g_debug("domain '%s', %s: '%s': %s", pair->domain, pair->standbyAlias, pair->earAt,
                g_strerror(errno));
    if (pair->notices >= VIR_TEAMING_DRIVER_NOTICES_MAX) {
        g_warning("domain '%s', %s: more is said on '%s' of where it runs than hosts say; nobody "
                  "listens any more", pair->domain, pair->standbyAlias, pair->earAt);
        g_clear_handle_id(&pair->earSource, g_source_remove);
    }
    if (told) {
        virTeamingDriverAdvance(driver, pair->uuid);
        pair->changedAt = now;
        virTeamingDriverUpdate(driver, pair, now);
        virTeamingDriverArm(driver);
    }
    return G_SOURCE_CONTINUE;
}


/* Listens for @pair, and has libvirt do for it what is due. */
static void
virTeamingDriverTend(virTeamingDriver *driver,
                     virTeamingPairObj *pair,
                     gint64 now)
{
    if (pair->ear >= 0 && !pair->earSource &&
        pair->notices < VIR_TEAMING_DRIVER_NOTICES_MAX)
        pair->earSource = g_unix_fd_add_full(G_PRIORITY_HIGH, pair->ear, G_IO_IN,
                                             virTeamingDriverHearNotice, driver, NULL);
    virTeamingDriverAskFor(driver, pair, now);
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

    virTeamingPairObjLetGo(pair, driver->kernel);
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
void
virTeamingDriverSettleDomain(virTeamingDriver *driver,
                             const char *uuid,
                             gboolean anew)
{
    gint64 now = g_get_monotonic_time();

    virTeamingKernelBeginTurn(driver->kernel);
    for (guint i = driver->pairs->len; i-- > 0;) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (uuid && !g_str_equal(pair->uuid, uuid))
            continue;
        if (anew)
            virTeamingDriverSettle(driver, pair, now);
        else
            virTeamingDriverUpdate(driver, pair, now);
    }
    virTeamingKernelEndTurn(driver->kernel);
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


/* Is it news of a link that may be a PF? As long as it is not known which are, each may; and so
 * may what was lost (@ifname is NULL). */
static gboolean
virTeamingDriverIsOfPf(const virTeamingDriver *driver,
                       const char *ifname,
                       const virTeamingMac *mac)
{
    return !mac &&
        (!ifname || !driver->pfs || g_strv_contains((const char *const *)driver->pfs, ifname));
}


/* Looks for @pair's VF on the PF @ifname; if NULL, on all. */
static gboolean
virTeamingDriverLocateVf(const virTeamingDriver *driver,
                         virTeamingPairObj *pair,
                         const char *ifname)
{
    if (ifname)
        return virTeamingPairObjLocateVf(pair, driver->kernel, ifname);
    for (char **pf = driver->pfs; pf && *pf; pf++) {
        if (virTeamingPairObjLocateVf(pair, driver->kernel, *pf))
            return TRUE;
    }
    return FALSE;
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
        virTeamingDriverLocateVf(driver, pair, ifname);

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
    virTeamingKernelBeginTurn(driver->kernel);
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
        /* Who sends from its MAC by two ports in turn, of whichever bridge, has that told without
         * end. */
        if (mac)
            due = MAX(due, pair->settledAt + VIR_TEAMING_DRIVER_LEISURE_MS * 1000);
        if (due <= now)
            virTeamingDriverSettle(driver, pair, now);
        else
            virTeamingPairObjLookBy(pair, due);
    }
    virTeamingKernelEndTurn(driver->kernel);
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
        pair->changedAt = pair->openAt = pair->caughtAt = now;
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
 * Returns: a number that is another one after each event of domain @uuid; if NULL, of any. An
 *          answer of libvirt is news only if no event came after the question.
 */
guint
virTeamingDriverSerial(const virTeamingDriver *driver,
                       const char *uuid)
{
    gpointer serial;

    if (!uuid)
        return driver->events;
    return g_hash_table_lookup_extended(driver->serials, uuid, NULL, &serial) ?
        GPOINTER_TO_UINT(serial) : driver->forgotten;
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


void
virTeamingDriverAdvance(virTeamingDriver *driver,
                        const char *uuid)
{
    g_hash_table_insert(driver->serials, g_strdup(uuid), GUINT_TO_POINTER(++driver->events));
}


/* Forgets domain @uuid, which is not active, if it has no pair. What libvirt was asked about it, or
 * about another that is not known, is asked anew then, which does no harm. */
static void
virTeamingDriverForget(virTeamingDriver *driver,
                       const char *uuid)
{
    if (!virTeamingDriverHas(driver, uuid) && g_hash_table_remove(driver->serials, uuid))
        driver->forgotten = ++driver->events;
}


virTeamingPairObj *
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
        if (snapshot->xml &&
            !(domain = virTeamingDomainParse(snapshot->xml, -1, snapshot->uuid, &error))) {
            g_warning("%s", error->message);
            return;
        }
        for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
            news |= virTeamingPairObjIsContradicted(pair, snapshot->activity);
        if (domain) {
            virTeamingDriverTakeAll(driver, domain, snapshot->activity, news);
        } else {
            for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
                virTeamingPairObjSetActivity(pair, news, snapshot->activity);
        }
        /* Before it runs, libvirt does not know; of the end it tells by an event of its own, at
         * which it is asked (qemuMigrationDstComplete() in src/qemu/qemu_migration.c). */
        if (snapshot->activity != VIR_TEAMING_ACTIVITY_INCOMING) {
            for (guint i = 0; (pair = virTeamingDriverNext(driver, snapshot->uuid, &i));)
                pair->postcopy = snapshot->postcopy;
        }
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
    if (snapshot->activity == VIR_TEAMING_ACTIVITY_INACTIVE)
        virTeamingDriverForget(driver, snapshot->uuid);
}


/**
 * virTeamingDriverTellInventory:
 * @driver: the driver
 * @uuids: all domains that are active, NULL-terminated
 * @serial: what virTeamingDriverSerial() of all was when libvirt was asked
 *
 * Pairs of other domains are gone, unless they are only expected. One of which there was an event
 * after the question may have been started since: about that libvirt is asked.
 */
void
virTeamingDriverTellInventory(virTeamingDriver *driver,
                              const char *const *uuids,
                              guint serial)
{
    g_autofree gpointer *known = NULL;
    guint n;

    for (guint i = 0; i < driver->pairs->len; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(driver->pairs, i);

        if (g_strv_contains(uuids, pair->uuid))
            continue;
        if (GPOINTER_TO_UINT(g_hash_table_lookup(driver->serials, pair->uuid)) > serial)
            virTeamingDriverAskAbout(driver, pair->uuid, TRUE);
        else
            virTeamingPairObjMiss(pair);
    }
    virTeamingDriverSettleDomain(driver, NULL, TRUE);
    known = g_hash_table_get_keys_as_array(driver->serials, &n);
    for (guint i = 0; i < n; i++) {
        if (!g_strv_contains(uuids, known[i]))
            virTeamingDriverForget(driver, known[i]);
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
    gboolean news = FALSE;
    gint64 now = g_get_monotonic_time();
    virTeamingPairObj *pair;

    if (event->type == VIR_TEAMING_QEMU_EVENT_OTHER)
        return;
    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        pair->told = virTeamingPairObjTellEvent(pair, event, now);
        news |= pair->told;
        concerned = TRUE;
    }
    /* A guest may have it said without end; no answer of libvirt would be news. */
    if (event->type == VIR_TEAMING_QEMU_EVENT_NEGOTIATED && concerned && !news)
        return;
    virTeamingDriverAdvance(driver, uuid);

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        pair->changedAt = now;
        /* What there is to know was told, and the guest may need the host. */
        pair->askAt = now + VIR_TEAMING_DRIVER_PROGRESS_MS * 1000;
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


/* Which links can a VF be looked for on? Asked while there is time. */
void
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


/* Is it to be found out whether QEMU has opened @pair's VF? Not while it may let it go. */
static gboolean
virTeamingPairObjIsOpening(const virTeamingPairObj *pair)
{
    return pair->opening && pair->guest == VIR_TEAMING_GUEST_HERE && !pair->migrating &&
        !pair->askedOut && !pair->plugging && pair->move == VIR_TEAMING_MOVE_NONE;
}


/* For how many milliseconds a guest that plays with its VF is let alone; 0: it does not. One that
 * was asked for it is not to lose frames for long if it lets it go. */
static gint64
virTeamingPairObjRest(const virTeamingPairObj *pair,
                      gint64 now)
{
    return !virTeamingPairObjIsRestless(pair, now) ? 0 :
        pair->askedOut ? VIR_TEAMING_DRIVER_LEISURE_MS : VIR_TEAMING_DRIVER_IDLE_MS;
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
        const gint64 rest = virTeamingPairObjRest(pair, now);
        virTeamingObserved seen;
        gint64 look;

        virTeamingPairObjObserve(pair, driver->ranAt, &seen);
        look = virTeamingFailoverNextLook(pair->phase, &seen);
        if (look < 0 || rest)
            look = rest ? rest : VIR_TEAMING_DRIVER_IDLE_MS;
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
    virTeamingPairObjUncatch(pair, driver->kernel, driver->statedir, now);
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
    gint64 rest = virTeamingPairObjRest(pair, now);

    virTeamingPairObjObserve(pair, now, &seen);
    look = virTeamingFailoverNextLook(pair->phase, &seen);
    /* Others may be watched more closely. Nothing comes of what it would see while the kernel does
     * not answer. */
    if (!rest && (look < 0 || look == VIR_TEAMING_FAILOVER_CALM_MS || pair->blind))
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
    virTeamingKernelBeginTurn(driver->kernel);
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
    virTeamingKernelEndTurn(driver->kernel);
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
