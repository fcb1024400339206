/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_hotplug.c: what only libvirt can do for a pair
 */

/*
 * Theory of operation
 *
 * It plugs a VF, takes one out for a person who wants the pair on its standby, makes QEMU show one
 * that it keeps back after a migration that it thinks has worked, keeps with a domain what another
 * host must know of it, and gives up a migration that can't end well. It is asked when that is due,
 * and again when it has failed. Its answer comes later, and what it says of a domain meanwhile is
 * of what will soon not be so.
 */

#include "teaming_driver_priv.h"

#include "teaming_error.h"
#include "teaming_journal.h"
#include "teaming_migrate.h"

#define VIR_TEAMING_DRIVER_REPLUG_MS 5000
/* A guest that has not begun to drive a VF by then may have no driver. */
#define VIR_TEAMING_DRIVER_PROBE_MS 3000
#define VIR_TEAMING_DRIVER_REABORT_MS 5000
/* A guest that stood still when it was asked for its VF can't answer; it may be about to go on. */
#define VIR_TEAMING_DRIVER_STILL_MS 1500
/* It works at once or not at all. */
#define VIR_TEAMING_DRIVER_UNHIDE_AGAIN_MS (20 * 1000)
#define VIR_TEAMING_DRIVER_UNHIDES 5


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
    /* A daemon that is started anew is not to ask again: QEMU refuses that for a while
     * (qmp_device_del() in system/qdev-monitor.c), and the move would be given up. */
    virTeamingJournalSave(pair, driver->statedir, NULL);
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
 * and to one that goes nowhere nothing else happens. It does so with all of a guest's VFs: a
 * second one would ask the guest for what the first has just shown. */
static void
virTeamingDriverUnhidePair(virTeamingDriver *driver,
                           virTeamingPairObj *pair,
                           gint64 now)
{
    virTeamingPairObj *other;

    if (!pair->hidden || pair->guest != VIR_TEAMING_GUEST_HERE || pair->migrating ||
        now < pair->unhideAt || pair->unhides >= VIR_TEAMING_DRIVER_UNHIDES || !driver->unhide)
        return;
    for (guint i = 0; (other = virTeamingDriverNext(driver, pair->uuid, &i));) {
        other->unhides++;
        /* And not again before libvirt has answered. */
        other->unhideAt = G_MAXINT64;
    }
    driver->unhide(pair->uuid, driver->libvirt);
}


/* Has libvirt do for @pair what is due, and what only libvirt can do. */
void
virTeamingDriverAskFor(virTeamingDriver *driver,
                       virTeamingPairObj *pair,
                       gint64 now)
{
    virTeamingDriverTakeOut(driver, pair, now);
    virTeamingDriverPlugPair(driver, pair, now);
    virTeamingDriverUnhidePair(driver, pair, now);
    virTeamingDriverNotePair(driver, pair, now);
}


/* Gives the migration up that @pair's guest is in, and keeps why. */
void
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
void
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


/* The pair of domain @uuid that waits for libvirt's answer about its VF; NULL: that was of a guest
 * that has gone, and this is the next one. */
static virTeamingPairObj *
virTeamingDriverFindWaiting(virTeamingDriver *driver,
                            const char *uuid,
                            const virTeamingMac *mac)
{
    virTeamingPairObj *pair = virTeamingDriverFind(driver, uuid, mac);

    return pair && pair->plugging ? pair : NULL;
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
    virTeamingPairObj *pair = virTeamingDriverFindWaiting(driver, uuid, mac);

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
    /* As after a request that was made: it is not known what will come of it, so libvirt is asked. */
    virTeamingDriverTellUnplug(driver, uuid, mac, NULL);
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
    virTeamingPairObj *pair = virTeamingDriverFindWaiting(driver, uuid, mac);

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
        pair->unhideAt = g_get_monotonic_time() + VIR_TEAMING_DRIVER_UNHIDE_AGAIN_MS * 1000;
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
