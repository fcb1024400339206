/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_hook.c: what libvirt's qemu hook tells, and asks
 */

/*
 * Theory of operation
 *
 * Hooks are special in one way: libvirt waits for them. So what must be done before
 * QEMU runs (a MAC parked, for a guest that is only arriving) is done within the
 * hook's call; and a hook must never ask libvirt, which would wait for itself. So what
 * the rules must know of libvirt's networks is asked for beforehand, and forgotten as soon
 * as it may have changed: a rule that knows nothing refuses nothing.
 */

#include "teaming_driver_priv.h"

#include "teaming_error.h"
#include "teaming_host.h"
#include "teaming_migrate.h"


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
void
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


/* @domain is about to come here, from another host if @migrate, or from a file. @ret is set to XML
 * that libvirt shall use in place of @xml, if any. Returns: whether it may come. */
static gboolean
virTeamingDriverArrive(virTeamingDriver *driver,
                       const virTeamingDomain *domain,
                       const char *xml,
                       gboolean migrate,
                       char **ret,
                       GError **error)
{
    virTeamingDriverSeeOff(driver, domain->uuid);
    /* libvirt calls the hook before it finds that a guest can't arrive where it is. */
    if (virTeamingDriverIsHere(driver, domain->uuid) ||
        (migrate && virTeamingDriverIsDefinition(driver, domain)))
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
    virTeamingDriverSettleDomain(driver, domain->uuid, TRUE);
    return TRUE;
}


/* QEMU of @domain is about to be started, for a guest that arrives or a new one. */
static void
virTeamingDriverStart(virTeamingDriver *driver,
                      const virTeamingDomain *domain)
{
    gboolean arriving = FALSE;
    virTeamingPairObj *pair;

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
    virTeamingDriverSettleDomain(driver, domain->uuid, TRUE);
    /* The guest's frames come first. */
    virTeamingDriverReview(driver, domain);
}


/* A QEMU of domain @uuid has ended. If @former, it may be the one that a guest has left which comes
 * back; one that did not get as far as "start" is released for another reason. */
static void
virTeamingDriverEnd(virTeamingDriver *driver,
                    const char *uuid,
                    gboolean former)
{
    virTeamingPairObj *pair;

    for (guint i = 0; (pair = virTeamingDriverNext(driver, uuid, &i));) {
        if (!former || pair->guest != VIR_TEAMING_GUEST_INCOMING || pair->started)
            pair->guest = VIR_TEAMING_GUEST_GONE;
    }
    virTeamingDriverSettleDomain(driver, uuid, TRUE);
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
    const gboolean migrate = g_str_equal(operation, "migrate");
    const gboolean stopped = g_str_equal(operation, "stopped");
    g_autoptr(GError) unread = NULL;
    g_autoptr(virTeamingDomain) domain = virTeamingDomainParse(xml, -1, "hook", &unread);

    *ret = NULL;
    /* What libvirt can read and we can't is no reason to stop a guest. */
    if (!domain || !domain->uuid) {
        g_warning("hook %s: %s; libvirt goes on without us", operation,
                  unread ? unread->message : "the domain's XML has no <uuid>");
        return TRUE;
    }
    virTeamingDriverAdvance(driver, domain->uuid);

    if (migrate || g_str_equal(operation, "restore"))
        return virTeamingDriverArrive(driver, domain, xml, migrate, ret, error);

    if (g_str_equal(operation, "start") && g_strcmp0(suboperation, "begin") == 0) {
        virTeamingDriverStart(driver, domain);
    } else if (stopped || g_str_equal(operation, "release")) {
        virTeamingDriverEnd(driver, domain->uuid,
                            stopped || g_strcmp0(suboperation, "end migrated") == 0);
    } else {
        if (g_str_equal(operation, "started") || g_str_equal(operation, "attach"))
            virTeamingDriverAskAbout(driver, domain->uuid, FALSE);
        else if (g_str_equal(operation, "reconnect"))
            virTeamingDriverAskAbout(driver, domain->uuid, TRUE);
        virTeamingDriverSettleDomain(driver, domain->uuid, TRUE);
    }
    return TRUE;
}
