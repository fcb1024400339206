/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_domain.c: the pairs that a domain has
 */

/*
 * Theory of operation
 *
 * A domain's XML, from a hook or from libvirt's answer, says which pairs it has, and where on
 * this host they are. Each pair's object is made of the first that names it, and lasts until its
 * guest has gone: what XML does not say any more (a VF that was detached) is still looked after,
 * for its guest has no other path. Nothing of the host is changed here.
 */

#include "teaming_driver_priv.h"

#include "teaming_datapath.h"
#include "teaming_migrate.h"


virTeamingPolicy
virTeamingDriverPolicy(const virTeamingDriver *driver,
                       const virTeamingDomain *domain)
{
    virTeamingPolicy policy;

    virTeamingDomainGetPolicy(domain, &driver->policy, &policy);
    return policy;
}


/* The NIC of @domain that is @pair's standby, or NULL. */
const virTeamingNic *
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
gboolean
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


/* The VLAN that libvirt puts @nic's VF into; 0: none. */
static guint
virTeamingNicGetVlan(const virTeamingNic *nic)
{
    return nic->vlan && !nic->vlan->trunk && nic->vlan->tags->len == 1 ?
        g_array_index(nic->vlan->tags, virTeamingVlanTag, 0).id : 0;
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
            virTeamingPairObjSetActivity(pair, news, activity);
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
        virTeamingPairObjSetActivity(pair, fresh || news, activity);
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
        /* Of a VF that is parked in ours the NIC does not tell it, nor may the journal. */
        if (!pair->vfVlan)
            pair->vfVlan = virTeamingNicGetVlan(def->transient);
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
    virTeamingPairObjSetActivity(pair, TRUE, activity);
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
void
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
void
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
