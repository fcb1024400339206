/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_monitor.c: the connection to libvirt: its events, and what it answers
 */

/*
 * Theory of operation
 *
 * Events come in on the main loop, where libvirt-glib delivers them. Questions may take
 * long (a domain's lock, a daemon that is being restarted) and must not be asked from
 * an event's callback, so they are asked by one thread of their own, one after another
 * (what takes long by nature, plugging, by others), and their answers are handed back to
 * the main loop. The main loop never waits for libvirt: the watch over a VF goes on
 * whatever libvirtd does.
 *
 * libvirt's networks are asked for when there is a connection, and again when one of them
 * has changed. Between the event and the answer the driver knows none, rather than old ones. Of
 * libvirt's modular daemons, virtqemud has a connection to virtnetworkd for each of its clients,
 * and does not open it again when virtnetworkd was restarted (remoteOpenConn() in
 * src/remote/remote_daemon_dispatch.c): what helps is to be a new client.
 *
 * About a domain of which libvirt can't say what it is doing (its QEMU hangs: libvirt itself waits
 * for it, VIR_JOB_WAIT_TIME in src/conf/virdomainjob.c) it is asked again, and about no other, less
 * and less often, and not by the thread that asks about the others. Nor is one by that thread that
 * is being started: until it is, libvirt has whoever asks wait. While a domain arrives it does so,
 * too; but what it is doing then its state says, and for that nobody waits.
 *
 * Events are registered for before the first question, and every answer says how many
 * events had come before it was asked for. So nothing falls between the two.
 */

#include "teaming_monitor.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "teaming_migrate.h"
#include "teaming_systemd.h"
#include "teaming_validate.h"

#define VIR_TEAMING_MONITOR_RECONNECT_S 1
#define VIR_TEAMING_MONITOR_DOUBT_S 1
#define VIR_TEAMING_MONITOR_DOUBT_MAX_S 30
/* libvirt waits 30 s for a QEMU that does not answer, and asks it twice. */
#define VIR_TEAMING_MONITOR_PENDING_S 90
#define VIR_TEAMING_MONITOR_KEEPALIVE_S 5
#define VIR_TEAMING_MONITOR_UNPLUG_POLL_MS 50
#define VIR_TEAMING_MONITOR_UNPLUG_POLLS 200
/* A host that boots starts its networks one after another. */
#define VIR_TEAMING_MONITOR_NETWORKS_MS 50
/* To connect anew only for them; what else may keep libvirt from listing them need not pass. */
#define VIR_TEAMING_MONITOR_REOPEN_S 60
/* A guest that runs again needs the host more than we need to know what we mostly know. */
#define VIR_TEAMING_MONITOR_RESUMED_MS 1000
/* Every write to it fails. */
#define VIR_TEAMING_MONITOR_NOWHERE "/dev/full"

/* Those that virTeamingQemuEventParse() knows: libvirtd need not send the others. */
#define VIR_TEAMING_MONITOR_EVENTS \
    "^(FAILOVER_NEGOTIATED|UNPLUG_PRIMARY|DEVICE_DELETED|STOP|RESUME|RESET|MIGRATION)$"

/* Kinds of events of domains that are listened to. */
#define VIR_TEAMING_MONITOR_KINDS 3

struct _virTeamingMonitor {
    char *uri;
    virTeamingDriver *driver;       /* main loop only */
    GThreadPool *thread;
    GThreadPool *doubtful;          /* asks about domains that hang, or are being started */
    GThreadPool *worker;            /* for what takes long: plugging */
    GThreadPool *urgent;            /* for what can't wait behind that: giving up */
    int events[VIR_TEAMING_MONITOR_KINDS];  /* @thread only: what @conn tells, by libvirt's ids */
    guint nevents;
    int qemu;                       /* the same, of QEMU; -1: nothing */
    int networks;                   /* and of changes of networks */
    gint64 reopenedAt;              /* @thread only: for the networks; 0: never */
    GMutex lock;
    virConnectPtr conn;             /* under @lock; NULL while there is none */
    virConnectPtr former;           /* the same; of no use any more, and not yet closed */
    guint reconnect;                /* main loop only */
    guint askNetworks;              /* main loop only: a timer */
    guint networksSerial;           /* main loop only: changes heard of */
    GHashTable *resumed;            /* main loop only: uuids to ask about soon */
    guint askResumed;               /* main loop only: a timer */
    GHashTable *doubts;             /* main loop only: uuid -> virTeamingDoubt */
    char *problem;                  /* main loop only: the last one, told once */
    gboolean closing;
};

/* A question (@incoming: about one that arrives; @strange: about one that has no pair; @patient: it
 * may take long); without @uuid: connect if need be, and tell
 * about all domains; with @alias: plug @xml in its place, or, without @xml, ask the guest for
 * it; with @abort: give its migration up; with @unhide: let one fail; with @note: have it
 * carry @xml along; with @networks: tell about the networks. */
typedef struct {
    char *uuid;
    guint serial;
    gboolean resync;
    gboolean incoming;
    gboolean strange;
    gboolean patient;
    virTeamingMac mac;
    char *alias;
    char *xml;
    gboolean absent;                /* nothing has to go from its place first */
    gboolean abort;
    gboolean unhide;
    gboolean note;
    gboolean networks;
} virTeamingQuestion;

/* An answer, on its way to the main loop. */
typedef struct {
    virTeamingMonitor *monitor;
    virTeamingSnapshot *snapshot;
    char **inventory;
    gboolean networksAsked;
    guint serial;                   /* of the question about all domains, or networks */
    GHashTable *networks;           /* as in virTeamingHost; NULL: libvirt can't say */
    char *problem;                  /* with libvirt, or with plugging */
    virTeamingQuestion *plug;       /* what was to be plugged, unplugged, unhidden or noted */
    gboolean busy;                  /* and could not, now */
    gboolean unsure;                /* libvirt could not say of @snapshot's domain; @problem: why */
    gboolean dead;                  /* nor will it, by this connection */
} virTeamingAnswer;

/* A domain of which libvirt could not say what it is doing. */
typedef struct {
    virTeamingMonitor *monitor;
    char *uuid;
    gboolean resync;
    guint seconds;                  /* to wait the next time */
    guint timer;                    /* 0: it was asked about */
    gint64 askedAt;                 /* and has not been answered; 0: it has */
} virTeamingDoubt;

static void virTeamingMonitorAsk(const char *uuid,
                                 gboolean resync,
                                 gpointer opaque);
static void virTeamingMonitorAskNetworks(gpointer opaque);
static gboolean virTeamingMonitorNetworksDue(gpointer opaque);
static gboolean virTeamingMonitorResumedDue(gpointer opaque);
static gboolean virTeamingMonitorReconnect(gpointer opaque);


static void
virTeamingQuestionFree(virTeamingQuestion *question)
{
    if (!question)
        return;
    g_free(question->uuid);
    g_free(question->alias);
    g_free(question->xml);
    g_free(question);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingQuestion, virTeamingQuestionFree)


static void
virTeamingDoubtFree(virTeamingDoubt *doubt)
{
    g_clear_handle_id(&doubt->timer, g_source_remove);
    g_free(doubt->uuid);
    g_free(doubt);
}


static virConnectPtr
virTeamingMonitorGetConn(virTeamingMonitor *monitor)
{
    virConnectPtr conn;

    g_mutex_lock(&monitor->lock);
    if ((conn = monitor->conn))
        virConnectRef(conn);
    g_mutex_unlock(&monitor->lock);
    return conn;
}


/* @conn is of no use any more. What it holds is let go by virTeamingMonitorDrop(): from within its
 * own callback that can't be. */
static void
virTeamingMonitorForgetConn(virTeamingMonitor *monitor,
                            virConnectPtr conn)
{
    g_mutex_lock(&monitor->lock);
    if (monitor->conn == conn)
        monitor->former = g_steal_pointer(&monitor->conn);
    g_mutex_unlock(&monitor->lock);
}


/* Main loop: asks about all domains again, or connects first, in a while. */
static void
virTeamingMonitorAskLater(virTeamingMonitor *monitor)
{
    if (!monitor->reconnect)
        monitor->reconnect = g_timeout_add_seconds(VIR_TEAMING_MONITOR_RECONNECT_S,
                                                   virTeamingMonitorReconnect, monitor);
}


static gboolean
virTeamingMonitorDoubtDue(gpointer opaque)
{
    virTeamingDoubt *doubt = opaque;

    doubt->timer = 0;
    virTeamingMonitorAsk(doubt->uuid, doubt->resync, doubt->monitor);
    return G_SOURCE_REMOVE;
}


/* Main loop: asks about the domain of which @answer could not say, in a while. */
static void
virTeamingMonitorDoubt(virTeamingMonitor *monitor,
                       const virTeamingAnswer *answer)
{
    const char *uuid = answer->snapshot->uuid;
    virTeamingDoubt *doubt = g_hash_table_lookup(monitor->doubts, uuid);

    if (!doubt) {
        g_warning("domain %s: libvirt cannot say what it is doing: %s; trying again", uuid,
                  answer->problem);
        doubt = g_new0(virTeamingDoubt, 1);
        doubt->monitor = monitor;
        doubt->uuid = g_strdup(uuid);
        doubt->seconds = VIR_TEAMING_MONITOR_DOUBT_S;
        g_hash_table_insert(monitor->doubts, doubt->uuid, doubt);
    }
    doubt->resync |= answer->snapshot->resync;
    doubt->askedAt = 0;
    if (doubt->timer)
        return;
    doubt->timer = g_timeout_add_seconds(doubt->seconds, virTeamingMonitorDoubtDue, doubt);
    doubt->seconds = MIN(2 * doubt->seconds, VIR_TEAMING_MONITOR_DOUBT_MAX_S);
}


/* Main loop: hands an answer to the driver. */
static gboolean
virTeamingMonitorDeliver(gpointer opaque)
{
    g_autofree virTeamingAnswer *answer = opaque;
    virTeamingMonitor *monitor = answer->monitor;

    if (!monitor->closing && answer->plug && answer->plug->unhide) {
        virTeamingDriverTellUnhide(monitor->driver, answer->plug->uuid, answer->problem);
    } else if (!monitor->closing && answer->plug && answer->plug->note) {
        virTeamingDriverTellNote(monitor->driver, answer->plug->uuid, answer->problem);
    } else if (!monitor->closing && answer->plug && !answer->plug->xml) {
        virTeamingDriverTellUnplug(monitor->driver, answer->plug->uuid, &answer->plug->mac,
                                   answer->problem);
    } else if (!monitor->closing && answer->busy) {
        virTeamingDriverTellBusy(monitor->driver, answer->plug->uuid, &answer->plug->mac);
    } else if (!monitor->closing && answer->plug) {
        virTeamingDriverTellPlug(monitor->driver, answer->plug->uuid, &answer->plug->mac,
                                 answer->problem);
    } else if (!monitor->closing && answer->unsure) {
        if (answer->dead)
            virTeamingMonitorAskLater(monitor);
        else
            virTeamingMonitorDoubt(monitor, answer);
    } else if (!monitor->closing && answer->networksAsked) {
        /* If one has changed since, the next answer is on its way. */
        if (answer->serial == monitor->networksSerial)
            virTeamingDriverTellNetworks(monitor->driver, g_steal_pointer(&answer->networks));
    } else if (!monitor->closing) {
        virTeamingDriverTellLibvirt(monitor->driver, answer->problem);
        if (answer->problem) {
            virTeamingDriverTellNetworks(monitor->driver, NULL);
            if (g_strcmp0(answer->problem, monitor->problem) != 0)
                g_warning("%s; trying again", answer->problem);
            virTeamingMonitorAskLater(monitor);
        }
        g_free(monitor->problem);
        monitor->problem = g_strdup(answer->problem);
        if (answer->inventory) {
            virTeamingDriverTellInventory(monitor->driver,
                                          (const char *const *)answer->inventory,
                                          answer->serial);
            g_hash_table_remove_all(monitor->doubts);
            /* First: the rules are applied to the domains. */
            virTeamingMonitorAskNetworks(monitor);
            for (char **uuid = answer->inventory; *uuid; uuid++)
                virTeamingMonitorAsk(*uuid, TRUE, monitor);
        }
        if (answer->snapshot) {
            g_hash_table_remove(monitor->doubts, answer->snapshot->uuid);
            virTeamingDriverTellSnapshot(monitor->driver, answer->snapshot);
        }
    }
    virTeamingSnapshotFree(answer->snapshot);
    g_strfreev(answer->inventory);
    g_clear_pointer(&answer->networks, g_hash_table_unref);
    virTeamingQuestionFree(answer->plug);
    g_free(answer->problem);
    return G_SOURCE_REMOVE;
}


static void
virTeamingMonitorAnswer(virTeamingMonitor *monitor,
                        virTeamingAnswer what)
{
    virTeamingAnswer *answer = g_new0(virTeamingAnswer, 1);

    *answer = what;
    answer->monitor = monitor;
    g_idle_add_full(G_PRIORITY_DEFAULT, virTeamingMonitorDeliver, answer, NULL);
}


/* Is the domain sending its memory away (or to a file), or waiting for it? In @snapshot,
 * activity and copied are set. Returns: FALSE if libvirt can't say. */
static gboolean
virTeamingDomainGetActivity(virDomainPtr domain,
                            virTeamingSnapshot *snapshot)
{
    virTypedParameterPtr params = NULL;
    int nparams = 0;
    int type = VIR_DOMAIN_JOB_NONE;
    int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    unsigned long long total = 0;
    unsigned long long disks = 0;
    unsigned long long rounds;
    unsigned long long sent = 0;
    gboolean stopped;
    gboolean handedOver;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return FALSE;
    /* Of a domain that only arrives libvirt tells no statistics. */
    if (virDomainGetJobStats(domain, &type, &params, &nparams, 0) < 0 &&
        virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID &&
        virGetLastErrorCode() != VIR_ERR_OPERATION_UNSUPPORTED)
        return FALSE;
    stopped = state == VIR_DOMAIN_PAUSED &&
        (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_SAVE ||
         reason == VIR_DOMAIN_PAUSED_DUMP || reason == VIR_DOMAIN_PAUSED_SNAPSHOT);
    /* It runs elsewhere, whatever becomes of its memory; a libvirtd that was restarted has no
     * figures (qemuProcessRestoreMigrationJob() in src/qemu/qemu_process.c). */
    handedOver = state == VIR_DOMAIN_PAUSED &&
        (reason == VIR_DOMAIN_PAUSED_POSTCOPY || reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);

    if (type != VIR_DOMAIN_JOB_NONE) {
        virTypedParamsGetInt(params, nparams, VIR_DOMAIN_JOB_OPERATION, &operation);
        virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_MEMORY_TOTAL, &total);
        virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_DATA_PROCESSED, &sent);
        virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_DISK_TOTAL, &disks);
        /* Where it has QEMU dump memory without a migration (virsh dump --memory-only), libvirt
         * counts no rounds (qemuDomainDumpJobDataToParams() in src/qemu/qemu_domainjob.c). */
        if (operation == VIR_DOMAIN_JOB_OPERATION_DUMP &&
            virTypedParamsGetULLong(params, nparams, VIR_DOMAIN_JOB_MEMORY_ITERATION,
                                    &rounds) != 1)
            operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;
    }
    virTypedParamsFree(params, nparams);

    if (operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT)
        snapshot->copied = sent;
    switch (operation) {
    case VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT:
    case VIR_DOMAIN_JOB_OPERATION_SAVE:
    case VIR_DOMAIN_JOB_OPERATION_DUMP:
    case VIR_DOMAIN_JOB_OPERATION_SNAPSHOT:
        /* QEMU counts memory from when it has stopped waiting for the VF; but disks are copied
         * before it begins. */
        snapshot->activity = handedOver ? VIR_TEAMING_ACTIVITY_DEPARTING :
            total == 0 && disks > 0 ? VIR_TEAMING_ACTIVITY_PREPARING :
            total == 0 ? VIR_TEAMING_ACTIVITY_UNPLUGGING :
            stopped ? VIR_TEAMING_ACTIVITY_DEPARTING : VIR_TEAMING_ACTIVITY_OUTGOING;
        break;
    case VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN:
    case VIR_DOMAIN_JOB_OPERATION_RESTORE:
        snapshot->activity = VIR_TEAMING_ACTIVITY_INCOMING;
        break;
    default:
        snapshot->activity = state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION ?
            VIR_TEAMING_ACTIVITY_INCOMING : VIR_TEAMING_ACTIVITY_RUNNING;
    }
    return TRUE;
}


/* Thread: what of @domain is in @snapshot. Returns: FALSE if libvirt can't say; why is libvirt's
 * last error. */
static gboolean
virTeamingDomainGetSnapshot(virDomainPtr domain,
                            virTeamingSnapshot *snapshot)
{
    const int active = virDomainIsActive(domain);
    int state;
    int reason;

    if (active <= 0)
        return active == 0;
    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return FALSE;
    /* Its job goes on until all of its memory is here, and lets no other in; of a post-copy that
     * has failed that may be never. */
    snapshot->postcopy = state == VIR_DOMAIN_RUNNING &&
        (reason == VIR_DOMAIN_RUNNING_POSTCOPY || reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED);
    if (snapshot->postcopy) {
        snapshot->activity = VIR_TEAMING_ACTIVITY_RUNNING;
        return TRUE;
    }
    /* libvirt's strings are from malloc(), and so are GLib's. */
    snapshot->migratable = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_MIGRATABLE);
    snapshot->xml = virDomainGetXMLDesc(domain, 0);
    return snapshot->xml && virTeamingDomainGetActivity(domain, snapshot);
}


/* Thread: is there nothing to be told of @domain now? Of one that still arrives there is no news,
 * and for its XML libvirt would let us wait until it is here: no other job is let in (its
 * qemuMigrationJobStart()). One that has no pair is told of again when it runs. */
static gboolean
virTeamingQuestionIsIdle(const virTeamingQuestion *question,
                         virDomainPtr domain,
                         gboolean *starts)
{
    int state;
    int reason;

    *starts = FALSE;
    if (virDomainGetState(domain, &state, &reason, 0) < 0 || state != VIR_DOMAIN_PAUSED)
        return FALSE;
    *starts = reason == VIR_DOMAIN_PAUSED_STARTING_UP;
    return question->incoming ||
        (question->strange && (*starts || reason == VIR_DOMAIN_PAUSED_MIGRATION));
}


/* Thread: looks one domain up. If libvirt can't say, as when its daemon goes away at this
 * moment, that is no answer: a guest that runs must not be taken for gone. Returns: FALSE if that
 * would take long, and was not done. */
static gboolean
virTeamingMonitorSnapshot(virTeamingMonitor *monitor,
                          virConnectPtr conn,
                          const virTeamingQuestion *question)
{
    g_autoptr(virTeamingSnapshot) snapshot = g_new0(virTeamingSnapshot, 1);
    virDomainPtr domain = virDomainLookupByUUIDString(conn, question->uuid);
    gboolean starts = FALSE;
    gboolean idle;
    char *problem = NULL;

    idle = domain && virTeamingQuestionIsIdle(question, domain, &starts);
    if (idle || (starts && !question->patient)) {
        virDomainFree(domain);
        return idle;
    }

    snapshot->uuid = g_strdup(question->uuid);
    snapshot->serial = question->serial;
    snapshot->resync = question->resync;
    snapshot->activity = VIR_TEAMING_ACTIVITY_INACTIVE;
    snapshot->copied = -1;
    if ((!domain || !virTeamingDomainGetSnapshot(domain, snapshot)) &&
        virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        problem = g_strdup(virGetLastErrorMessage());
    if (domain)
        virDomainFree(domain);
    virTeamingMonitorAnswer(monitor, (virTeamingAnswer) {
        .snapshot = g_steal_pointer(&snapshot),
        .problem = problem,
        .unsure = problem != NULL,
        .dead = problem && virConnectIsAlive(conn) != 1,
    });
    return TRUE;
}


/* Thread: which domains are active? */
static char **
virTeamingMonitorInventory(virConnectPtr conn)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    virDomainPtr *domains = NULL;
    int n = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    if (n < 0)
        return NULL;
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];

        if (virDomainGetUUIDString(domains[i], uuid) == 0)
            g_strv_builder_add(builder, uuid);
        virDomainFree(domains[i]);
    }
    free(domains);
    return g_strv_builder_end(builder);
}


/**
 * virTeamingMonitorNetworks:
 *
 * Thread: which networks are there? Half an answer would be worse than none: a network
 * that is not in it would be taken for one that this host does not have. @lost: set to why, if
 * libvirt answers, but does not reach them.
 *
 * Returns: as in virTeamingHost; NULL if libvirt can't say.
 */
static GHashTable *
virTeamingMonitorNetworks(virConnectPtr conn,
                          char **lost)
{
    g_auto(virTeamingHost) host = { NULL };
    virNetworkPtr *networks = NULL;
    int n = virConnectListAllNetworks(conn, &networks, 0);
    gboolean good = n >= 0;

    if (n < 0 && virGetLastErrorCode() != VIR_ERR_ACCESS_DENIED &&
        virGetLastErrorCode() != VIR_ERR_NO_SUPPORT) {
        g_autofree char *why = g_strdup(virGetLastErrorMessage());

        if (virConnectIsAlive(conn) == 1)
            *lost = g_steal_pointer(&why);
    }
    virTeamingHostInit(&host);
    for (int i = 0; i < n; i++) {
        char *xml = good ? virNetworkGetXMLDesc(networks[i], 0) : NULL;
        g_autoptr(GError) error = NULL;
        virTeamingNetwork *network;

        if (xml && (network = virTeamingNetworkParse(xml, -1, virNetworkGetName(networks[i]),
                                                     &error))) {
            /* Changes with every guest, without an event; libvirt itself counts. */
            network->connections = 0;
            virTeamingHostAddNetwork(&host, network, virNetworkIsActive(networks[i]) == 1);
        } else if (xml) {
            g_warning("network %s; the rules about networks are not applied", error->message);
            good = FALSE;
        } else if (good) {
            good = virGetLastErrorCode() == VIR_ERR_NO_NETWORK;
        }
        free(xml);
        virNetworkFree(networks[i]);
    }
    free(networks);
    return good ? g_steal_pointer(&host.networks) : NULL;
}


static void
virTeamingMonitorQemuEvent(virConnectPtr conn,
                           virDomainPtr domain,
                           const char *name,
                           long long seconds,
                           unsigned int micros,
                           const char *details,
                           void *opaque)
{
    virTeamingMonitor *monitor = opaque;
    g_auto(virTeamingQemuEvent) event = { 0 };
    g_autoptr(GError) error = NULL;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(domain, uuid) < 0)
        return;
    g_debug("domain %s: %s %s", uuid, name, details ? details : "");
    if (!virTeamingQemuEventParse(name, details, &event, &error))
        g_warning("domain %s: %s", uuid, error->message);
    else
        virTeamingDriverTellEvent(monitor->driver, uuid, &event);
}


static int
virTeamingMonitorLifecycle(virConnectPtr conn,
                           virDomainPtr domain,
                           int event,
                           int detail,
                           void *opaque)
{
    virTeamingMonitor *monitor = opaque;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (monitor->closing ||
        (event != VIR_DOMAIN_EVENT_STARTED && event != VIR_DOMAIN_EVENT_RESUMED &&
         event != VIR_DOMAIN_EVENT_STOPPED && event != VIR_DOMAIN_EVENT_CRASHED) ||
        virDomainGetUUIDString(domain, uuid) < 0)
        return 0;
    g_debug("domain %s: libvirt's event %d, %d", uuid, event, detail);
    if (event != VIR_DOMAIN_EVENT_RESUMED || virTeamingDriverIsGroping(monitor->driver, uuid)) {
        virTeamingMonitorAsk(uuid, FALSE, monitor);
        return 0;
    }
    g_hash_table_add(monitor->resumed, g_strdup(uuid));
    if (!monitor->askResumed)
        monitor->askResumed = g_timeout_add(VIR_TEAMING_MONITOR_RESUMED_MS,
                                            virTeamingMonitorResumedDue, monitor);
    return 0;
}


static void
virTeamingMonitorDevice(virConnectPtr conn,
                        virDomainPtr domain,
                        const char *alias,
                        void *opaque)
{
    virTeamingMonitor *monitor = opaque;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (monitor->closing || virDomainGetUUIDString(domain, uuid) < 0)
        return;
    g_debug("domain %s: %s has come or gone", uuid, alias);
    if (!virTeamingDriverIsPlugging(monitor->driver, uuid))
        virTeamingMonitorAsk(uuid, FALSE, monitor);
}


/* Main loop: a network came, went, was started or stopped. */
static void
virTeamingMonitorNetwork(virConnectPtr conn,
                         virNetworkPtr network,
                         int event,
                         int detail,
                         void *opaque)
{
    virTeamingMonitor *monitor = opaque;

    if (monitor->closing)
        return;
    monitor->networksSerial++;
    virTeamingDriverTellNetworks(monitor->driver, NULL);
    if (!monitor->askNetworks)
        monitor->askNetworks = g_timeout_add(VIR_TEAMING_MONITOR_NETWORKS_MS,
                                             virTeamingMonitorNetworksDue, monitor);
}


/* Main loop: libvirtd went away. Guests run on, and so does the watch over their VFs. */
static void
virTeamingMonitorClosed(virConnectPtr conn,
                        int reason,
                        void *opaque)
{
    virTeamingMonitor *monitor = opaque;

    virTeamingMonitorForgetConn(monitor, conn);
    virTeamingMonitorAnswer(monitor, (virTeamingAnswer) {
        .problem = g_strdup_printf("libvirt at '%s' closed the connection", monitor->uri),
    });
}


/* Thread: while somebody listens to it a connection stays open. */
static void
virTeamingMonitorUnlisten(virTeamingMonitor *monitor,
                          virConnectPtr conn)
{
    while (monitor->nevents > 0)
        virConnectDomainEventDeregisterAny(conn, monitor->events[--monitor->nevents]);
    if (monitor->qemu >= 0)
        virConnectDomainQemuMonitorEventDeregister(conn, monitor->qemu);
    if (monitor->networks >= 0)
        virConnectNetworkEventDeregisterAny(conn, monitor->networks);
    monitor->qemu = monitor->networks = -1;
    virConnectUnregisterCloseCallback(conn, virTeamingMonitorClosed);
}


/* Thread: closes a connection that was forgotten, if one was. */
static void
virTeamingMonitorDrop(virTeamingMonitor *monitor)
{
    virConnectPtr former;

    g_mutex_lock(&monitor->lock);
    former = g_steal_pointer(&monitor->former);
    g_mutex_unlock(&monitor->lock);
    if (!former)
        return;
    virTeamingMonitorUnlisten(monitor, former);
    virConnectClose(former);
}


/* Thread: has @conn tell what we listen to: all of it, or nothing. Returns: NULL, or what went
 * wrong. */
static char *
virTeamingMonitorListen(virTeamingMonitor *monitor,
                        virConnectPtr conn)
{
    static const struct {
        int id;
        virConnectDomainEventGenericCallback callback;
    } events[VIR_TEAMING_MONITOR_KINDS] = {
        { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(virTeamingMonitorLifecycle) },
        { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(virTeamingMonitorDevice) },
        { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(virTeamingMonitorDevice) },
    };
    guint n = 0;
    char *problem;

    monitor->nevents = 0;
    monitor->qemu = monitor->networks = -1;
    if (virConnectSetKeepAlive(conn, VIR_TEAMING_MONITOR_KEEPALIVE_S, 3) >= 0 &&
        virConnectRegisterCloseCallback(conn, virTeamingMonitorClosed, monitor, NULL) >= 0)
        monitor->qemu = virConnectDomainQemuMonitorEventRegister(
            conn, NULL, VIR_TEAMING_MONITOR_EVENTS, virTeamingMonitorQemuEvent,
            monitor, NULL, VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX);
    while (monitor->qemu >= 0 && n < G_N_ELEMENTS(events) &&
           (monitor->events[n] = virConnectDomainEventRegisterAny(conn, NULL, events[n].id,
                                                                  events[n].callback, monitor,
                                                                  NULL)) >= 0)
        monitor->nevents = ++n;
    if (n == G_N_ELEMENTS(events))
        return NULL;

    problem = g_strdup_printf("cannot listen to libvirt at '%s': %s", monitor->uri,
                              virGetLastErrorMessage());
    virTeamingMonitorUnlisten(monitor, conn);
    return problem;
}


/* libvirt wants to know who we are, and finds no answer in its auth.conf; nobody is here who could
 * be asked. Without this function it would not look there (remoteAuthSASL() in
 * src/remote/remote_driver.c). */
static int
virTeamingMonitorIsAsked(virConnectCredentialPtr credentials G_GNUC_UNUSED,
                         unsigned int ncredentials G_GNUC_UNUSED,
                         void *opaque)
{
    *(gboolean *)opaque = TRUE;
    return -1;
}


/* Thread: connects. Returns: NULL, or what went wrong. */
static char *
virTeamingMonitorConnect(virTeamingMonitor *monitor)
{
    static int asked[] = { VIR_CRED_AUTHNAME, VIR_CRED_PASSPHRASE };
    gboolean unanswered = FALSE;
    virConnectAuth auth = { asked, G_N_ELEMENTS(asked), virTeamingMonitorIsAsked, &unanswered };
    virConnectPtr conn;
    char *problem;

    virTeamingMonitorDrop(monitor);
    /* Who has stopped it means it. */
    if (virTeamingSystemdHoldsLibvirt())
        return g_strdup("libvirt is stopped, and virtteamingd does not start it; it connects when "
                        "libvirt runs ('systemctl start libvirtd', or virtqemud)");
    if (!(conn = virConnectOpenAuth(monitor->uri, &auth, 0)))
        return g_strdup_printf("cannot connect to libvirt at '%s': %s%s",
                               monitor->uri, unanswered ? "it wants to know who connects, and "
                               "libvirt's auth.conf has no answer" : virGetLastErrorMessage(),
                               unanswered || virGetLastErrorCode() == VIR_ERR_AUTH_FAILED ?
                               "; see AUTHENTICATION in virtteamingd(8)" : "");
    if ((problem = virTeamingMonitorListen(monitor, conn))) {
        virConnectClose(conn);
        return problem;
    }

    /* Without it, libvirt's networks stay unknown: see virTeamingMonitorWork(). */
    monitor->networks =
        virConnectNetworkEventRegisterAny(conn, NULL, VIR_NETWORK_EVENT_ID_LIFECYCLE,
                                          VIR_NETWORK_EVENT_CALLBACK(virTeamingMonitorNetwork),
                                          monitor, NULL);

    g_mutex_lock(&monitor->lock);
    monitor->conn = conn;
    g_mutex_unlock(&monitor->lock);
    g_message("listening to libvirt at '%s'", monitor->uri);
    return NULL;
}


/* Thread: is the device @alias still in the live domain? A definition may have it, too. */
static gboolean
virTeamingDomainHasDevice(virDomainPtr domain,
                          const char *alias)
{
    char *xml = virDomainIsActive(domain) == 1 ? virDomainGetXMLDesc(domain, 0) : NULL;
    g_autofree char *needle = g_strdup_printf("<alias name='%s'/>", alias);
    gboolean found = xml && strstr(xml, needle);

    free(xml);
    return found;
}


/* Thread: is @domain on its way to elsewhere, or to a file? As long as libvirt is at that, from
 * before the other host is prepared, it lets nobody plug, but has him wait for half a minute
 * (virDomainObjBeginJobInternal() in src/conf/virdomainjob.c). */
static gboolean
virTeamingDomainIsBusy(virDomainPtr domain)
{
    virTeamingSnapshot snapshot = { .activity = VIR_TEAMING_ACTIVITY_RUNNING };

    return virTeamingDomainGetActivity(domain, &snapshot) &&
        snapshot.activity != VIR_TEAMING_ACTIVITY_RUNNING &&
        snapshot.activity != VIR_TEAMING_ACTIVITY_INCOMING;
}


/* Thread: rids @domain of the device @alias. It mostly is there, and to ask first costs a look at all
 * of the domain. Returns: (transfer full): NULL, or why it is still there. */
static char *
virTeamingDomainTakeAway(virDomainPtr domain,
                         const char *alias)
{
    g_autofree char *refused = NULL;

    if (virDomainDetachDeviceAlias(domain, alias, VIR_DOMAIN_AFFECT_LIVE) < 0)
        refused = g_strdup(virGetLastErrorMessage());
    for (guint i = 0; virTeamingDomainHasDevice(domain, alias); i++) {
        if (refused)
            return g_steal_pointer(&refused);
        if (i == VIR_TEAMING_MONITOR_UNPLUG_POLLS)
            return g_strdup_printf("the guest did not let it go within %u s", i *
                                   VIR_TEAMING_MONITOR_UNPLUG_POLL_MS / 1000);
        g_usleep(VIR_TEAMING_MONITOR_UNPLUG_POLL_MS * 1000);
    }
    return NULL;
}


/* Thread: attaches the device @xml. What was plugged since its last one had gone may have that
 * one's place; then it gets another. On failure why is libvirt's last error. */
static int
virTeamingDomainAttach(virDomainPtr domain,
                       const char *xml)
{
    g_autofree char *unplaced = NULL;

    if (virDomainAttachDeviceFlags(domain, xml, VIR_DOMAIN_AFFECT_LIVE) == 0)
        return 0;
    /* "Attempted double use of PCI Address" */
    if (virGetLastErrorCode() != VIR_ERR_XML_ERROR ||
        !(unplaced = virTeamingDeviceUnplace(xml, NULL)))
        return -1;
    return virDomainAttachDeviceFlags(domain, unplaced, VIR_DOMAIN_AFFECT_LIVE);
}


/**
 * virTeamingMonitorPlug:
 * @busy: set if libvirt lets nobody plug now; nothing was done then
 *
 * Thread: plugs a VF into a running guest. What libvirt still lists under the alias goes
 * first: of a VF that was kept from QEMU, QEMU knows nothing, and libvirt lets it go at
 * once; one that the guest has is given the time that a guest takes.
 *
 * Returns: NULL, or what went wrong.
 */
static char *
virTeamingMonitorPlug(virConnectPtr conn,
                      const virTeamingQuestion *question,
                      gboolean *busy)
{
    virDomainPtr domain = virDomainLookupByUUIDString(conn, question->uuid);
    g_autofree char *refused = NULL;
    char *problem = NULL;

    if (!domain)
        return g_strdup_printf("cannot plug %s: %s", question->alias,
                               virGetLastErrorMessage());

    /* Somebody who waits for libvirt keeps others from being plugged. */
    if ((*busy = virTeamingDomainIsBusy(domain))) {
        virDomainFree(domain);
        return NULL;
    }

    if (!question->absent)
        refused = virTeamingDomainTakeAway(domain, question->alias);
    if (refused)
        problem = g_strdup_printf("cannot take %s away before it is plugged anew: %s",
                                  question->alias, refused);
    else if (virTeamingDomainAttach(domain, question->xml) < 0)
        problem = g_strdup_printf("libvirt cannot plug %s: %s", question->alias,
                                  virGetLastErrorMessage());
    virDomainFree(domain);
    return problem;
}


/**
 * virTeamingMonitorUnplug:
 *
 * Thread: has the guest asked for its VF. It may take its time; that it has let go is told
 * by an event.
 *
 * Returns: NULL, also if the domain has no such device; or what went wrong.
 */
static char *
virTeamingMonitorUnplug(virConnectPtr conn,
                        const virTeamingQuestion *question)
{
    virDomainPtr domain = virDomainLookupByUUIDString(conn, question->uuid);
    char *problem = NULL;

    if (!domain ||
        (virTeamingDomainHasDevice(domain, question->alias) &&
         virDomainDetachDeviceAlias(domain, question->alias, VIR_DOMAIN_AFFECT_LIVE) < 0))
        problem = g_strdup_printf("libvirt cannot unplug %s: %s", question->alias,
                                  virGetLastErrorMessage());
    if (domain)
        virDomainFree(domain);
    return problem;
}


/**
 * virTeamingMonitorUnhide:
 *
 * Thread: has libvirt dump the guest's memory, while it runs, to where nothing can be
 * written. To QEMU that is a migration; it asks nothing of a guest whose VF is hidden,
 * fails at the first mebibyte of memory, and shows the VF again.
 *
 * Returns: how it failed.
 */
static char *
virTeamingMonitorUnhide(virConnectPtr conn,
                        const char *uuid)
{
    virDomainPtr domain;
    char *problem = NULL;
    GStatBuf info;

    /* libvirt would make it, and fill it. */
    if (g_stat(VIR_TEAMING_MONITOR_NOWHERE, &info) < 0 || !S_ISCHR(info.st_mode))
        return g_strdup("this host has no device " VIR_TEAMING_MONITOR_NOWHERE);

    domain = virDomainLookupByUUIDString(conn, uuid);
    /* If that fails, QEMU shows the VF by itself; what has waited for it would ask the guest for
     * it. */
    if (domain && virTeamingDomainIsBusy(domain))
        problem = g_strdup("libvirt: the domain is migrating, or being saved");
    else if (!domain || virDomainCoreDumpWithFormat(domain, VIR_TEAMING_MONITOR_NOWHERE,
                                                    VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
                                                    VIR_DUMP_LIVE) < 0)
        problem = g_strdup_printf("libvirt: %s", virGetLastErrorMessage());
    if (domain)
        virDomainFree(domain);
    return problem ? problem :
        g_strdup("libvirt claims to have written to " VIR_TEAMING_MONITOR_NOWHERE);
}


/* Thread: puts @xml into the running domain's metadata, or takes what is there away. Returns:
 * NULL, also if there is no such domain any more; or what went wrong. */
static char *
virTeamingMonitorNote(virConnectPtr conn,
                      const virTeamingQuestion *question)
{
    virDomainPtr domain = conn ? virDomainLookupByUUIDString(conn, question->uuid) : NULL;
    const gboolean busy = domain && virTeamingDomainIsBusy(domain);
    char *problem = NULL;

    if (!domain || busy ||
        virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, question->xml, "vtmoved",
                             VIR_TEAMING_MOVED_XMLNS, VIR_DOMAIN_AFFECT_LIVE) < 0)
        problem = g_strdup_printf("cannot have the domain carry along which of its pairs are "
                                  "without their VFs, so a host that it migrates to would not "
                                  "know: %s", busy ? "it is migrating, or being saved" :
                                  conn ? virGetLastErrorMessage() : "libvirt cannot be reached");
    if (conn && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        g_clear_pointer(&problem, g_free);
    if (domain)
        virDomainFree(domain);
    return problem;
}


/* Thread: virsh domjobabort. If it fails, the job has ended by itself. */
static void
virTeamingMonitorAbort(virConnectPtr conn,
                       const char *uuid)
{
    virDomainPtr domain = virDomainLookupByUUIDString(conn, uuid);

    if (!domain || virDomainAbortJob(domain) < 0)
        g_warning("domain %s: cannot give its migration up: %s", uuid,
                  virGetLastErrorMessage());
    if (domain)
        virDomainFree(domain);
}


/* Thread: has @conn ended, which does not reach the networks (@why), and another one be opened in a
 * while, unless that was so lately. Returns: whether it has. */
static gboolean
virTeamingMonitorReopen(virTeamingMonitor *monitor,
                        virConnectPtr conn,
                        const char *why)
{
    const gint64 now = g_get_monotonic_time();

    if (monitor->reopenedAt &&
        now - monitor->reopenedAt < VIR_TEAMING_MONITOR_REOPEN_S * G_USEC_PER_SEC)
        return FALSE;
    monitor->reopenedAt = now;
    virTeamingMonitorAnswer(monitor, (virTeamingAnswer) {
        .problem = g_strdup_printf("libvirt at '%s' cannot list its networks: %s", monitor->uri,
                                   why),
    });
    virTeamingMonitorForgetConn(monitor, conn);
    virTeamingMonitorDrop(monitor);
    return TRUE;
}


static void
virTeamingMonitorWork(gpointer data,
                      gpointer opaque)
{
    g_autoptr(virTeamingQuestion) question = data;
    virTeamingMonitor *monitor = opaque;
    virConnectPtr conn = virTeamingMonitorGetConn(monitor);
    virTeamingAnswer answer = { .serial = question->serial };
    g_autofree char *lost = NULL;

    if (question->abort && conn) {
        virTeamingMonitorAbort(conn, question->uuid);
    } else if (question->note) {
        answer.problem = virTeamingMonitorNote(conn, question);
        answer.plug = g_steal_pointer(&question);
        virTeamingMonitorAnswer(monitor, answer);
    } else if (question->networks) {
        answer.networksAsked = TRUE;
        answer.networks = conn && monitor->networks >= 0 ?
            virTeamingMonitorNetworks(conn, &lost) : NULL;
        if (!lost || !virTeamingMonitorReopen(monitor, conn, lost))
            virTeamingMonitorAnswer(monitor, answer);
    } else if (question->alias || question->unhide) {
        answer.problem =
            !conn ? g_strdup("libvirt, which plugs VFs and takes them out, cannot be reached") :
            question->unhide ? virTeamingMonitorUnhide(conn, question->uuid) :
            question->xml ? virTeamingMonitorPlug(conn, question, &answer.busy) :
            virTeamingMonitorUnplug(conn, question);
        answer.plug = g_steal_pointer(&question);
        virTeamingMonitorAnswer(monitor, answer);
    } else if (question->uuid && conn) {
        if (!virTeamingMonitorSnapshot(monitor, conn, question)) {
            question->patient = TRUE;
            g_thread_pool_push(monitor->doubtful, g_steal_pointer(&question), NULL);
        }
    } else if (!question->uuid) {
        if (!conn) {
            answer.problem = virTeamingMonitorConnect(monitor);
            conn = virTeamingMonitorGetConn(monitor);
        }
        answer.inventory = conn ? virTeamingMonitorInventory(conn) : NULL;
        if (conn && !answer.inventory) {
            answer.problem = g_strdup_printf("cannot list the domains of '%s': %s",
                                             monitor->uri, virGetLastErrorMessage());
            /* That it was closed may have been told before it was ours to forget. */
            if (virConnectIsAlive(conn) != 1)
                virTeamingMonitorForgetConn(monitor, conn);
        }
        virTeamingMonitorAnswer(monitor, answer);
    }
    if (conn)
        virConnectClose(conn);
}


/* Main loop: asks @what of the threads for what takes long. */
static void
virTeamingMonitorPush(GThreadPool *pool,
                      virTeamingQuestion what)
{
    virTeamingQuestion *question = g_new0(virTeamingQuestion, 1);

    *question = what;
    g_thread_pool_push(pool, question, NULL);
}


/* Main loop; see virTeamingDriverPlug. */
static void
virTeamingMonitorAskPlug(const char *uuid,
                         const virTeamingMac *mac,
                         const char *alias,
                         const char *xml,
                         gboolean absent,
                         gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    virTeamingMonitorPush(monitor->worker, (virTeamingQuestion) {
        .uuid = g_strdup(uuid),
        .mac = *mac,
        .alias = g_strdup(alias),
        .xml = g_strdup(xml),
        .absent = absent,
    });
}


/* Main loop; see virTeamingDriverAbort. */
static void
virTeamingMonitorAskAbort(const char *uuid,
                          gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    virTeamingMonitorPush(monitor->urgent, (virTeamingQuestion) {
        .uuid = g_strdup(uuid),
        .abort = TRUE,
    });
}


/* Main loop; see virTeamingDriverUnhide. */
static void
virTeamingMonitorAskUnhide(const char *uuid,
                           gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    virTeamingMonitorPush(monitor->worker, (virTeamingQuestion) {
        .uuid = g_strdup(uuid),
        .unhide = TRUE,
    });
}


/* Main loop; see virTeamingDriverNote. */
static void
virTeamingMonitorAskNote(const char *uuid,
                         const char *xml,
                         gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    virTeamingMonitorPush(monitor->worker, (virTeamingQuestion) {
        .uuid = g_strdup(uuid),
        .xml = g_strdup(xml),
        .note = TRUE,
    });
}


/* Main loop; see virTeamingDriverAsk. Unanswered while there is no connection: with a
 * new one, all domains are asked about. */
static void
virTeamingMonitorAsk(const char *uuid,
                     gboolean resync,
                     gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;
    virTeamingDoubt *doubt = uuid ? g_hash_table_lookup(monitor->doubts, uuid) : NULL;
    const gint64 now = g_get_monotonic_time();
    virTeamingQuestion *question;

    /* One that hangs is asked about by one thread, and once at a time: there would be more
     * questions than answers. Some are not answered at all, so that is not for ever. */
    if (doubt) {
        doubt->resync |= resync;
        if (doubt->askedAt && now - doubt->askedAt < VIR_TEAMING_MONITOR_PENDING_S * G_USEC_PER_SEC)
            return;
        doubt->askedAt = now;
    }
    question = g_new0(virTeamingQuestion, 1);
    g_debug("asking libvirt about %s%s%s", uuid ? "domain " : "all domains", uuid ? uuid : "",
            resync ? ", anew" : "");
    question->uuid = g_strdup(uuid);
    question->serial = virTeamingDriverSerial(monitor->driver, uuid);
    question->resync = resync;
    question->incoming = uuid && virTeamingDriverIsIncoming(monitor->driver, uuid);
    question->strange = uuid && !virTeamingDriverHas(monitor->driver, uuid);
    g_thread_pool_push(doubt ? monitor->doubtful : monitor->thread, question, NULL);
}


/* Main loop; see virTeamingDriverAskNetworks. */
static void
virTeamingMonitorAskNetworks(gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;
    virTeamingQuestion *question = g_new0(virTeamingQuestion, 1);

    question->networks = TRUE;
    question->serial = monitor->networksSerial;
    g_thread_pool_push(monitor->thread, question, NULL);
}


static gboolean
virTeamingMonitorNetworksDue(gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    monitor->askNetworks = 0;
    virTeamingMonitorAskNetworks(monitor);
    return G_SOURCE_REMOVE;
}


static gboolean
virTeamingMonitorResumedDue(gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;
    GHashTableIter iter;
    gpointer uuid;

    monitor->askResumed = 0;
    g_hash_table_iter_init(&iter, monitor->resumed);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        if (!virTeamingDriverIsPlugging(monitor->driver, uuid))
            virTeamingMonitorAsk(uuid, FALSE, monitor);
        g_hash_table_iter_remove(&iter);
    }
    return G_SOURCE_REMOVE;
}


static gboolean
virTeamingMonitorReconnect(gpointer opaque)
{
    virTeamingMonitor *monitor = opaque;

    monitor->reconnect = 0;
    virTeamingMonitorAsk(NULL, TRUE, monitor);
    return G_SOURCE_REMOVE;
}


/**
 * virTeamingMonitorNew:
 * @uri: of libvirt's QEMU driver
 * @driver: told what libvirt says; must outlive the monitor
 *
 * Connects in the background, and again whenever the connection is lost.
 * gvir_event_register() must have been called.
 *
 * Returns: the monitor; free with virTeamingMonitorFree().
 */
virTeamingMonitor *
virTeamingMonitorNew(const char *uri,
                     virTeamingDriver *driver)
{
    virTeamingMonitor *monitor = g_new0(virTeamingMonitor, 1);
    g_autofree char *unheard = g_strdup_printf("libvirt at '%s' has not answered yet", uri);

    monitor->uri = g_strdup(uri);
    monitor->driver = driver;
    g_mutex_init(&monitor->lock);
    monitor->resumed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    monitor->doubts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                            (GDestroyNotify)virTeamingDoubtFree);
    monitor->thread = g_thread_pool_new(virTeamingMonitorWork, monitor, 1, FALSE, NULL);
    monitor->doubtful = g_thread_pool_new(virTeamingMonitorWork, monitor, 1, FALSE, NULL);
    monitor->worker = g_thread_pool_new(virTeamingMonitorWork, monitor, 2, FALSE, NULL);
    /* libvirtd answers five questions of a connection at a time, and no more. */
    monitor->urgent = g_thread_pool_new(virTeamingMonitorWork, monitor, 1, FALSE, NULL);
    virTeamingDriverSetLibvirt(driver, virTeamingMonitorAsk, virTeamingMonitorAskNetworks,
                               virTeamingMonitorAskPlug, virTeamingMonitorAskAbort,
                               virTeamingMonitorAskUnhide, virTeamingMonitorAskNote, monitor);
    /* One that hangs may never do. */
    virTeamingDriverTellLibvirt(driver, unheard);
    virTeamingMonitorAsk(NULL, TRUE, monitor);
    return monitor;
}


/* Ends the connection, if libvirt lets it; answers under way are dropped. */
void
virTeamingMonitorFree(virTeamingMonitor *monitor)
{
    if (!monitor)
        return;
    monitor->closing = TRUE;
    virTeamingDriverSetLibvirt(monitor->driver, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    g_clear_handle_id(&monitor->reconnect, g_source_remove);
    g_clear_handle_id(&monitor->askNetworks, g_source_remove);
    g_clear_handle_id(&monitor->askResumed, g_source_remove);
    g_hash_table_remove_all(monitor->doubts);
    g_thread_pool_free(monitor->thread, TRUE, TRUE);
    g_thread_pool_free(monitor->doubtful, TRUE, TRUE);
    g_thread_pool_free(monitor->worker, TRUE, TRUE);
    g_thread_pool_free(monitor->urgent, TRUE, TRUE);
    virTeamingMonitorDrop(monitor);
    if (monitor->conn) {
        virConnectUnregisterCloseCallback(monitor->conn, virTeamingMonitorClosed);
        virConnectClose(monitor->conn);
    }
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_hash_table_unref(monitor->resumed);
    g_hash_table_unref(monitor->doubts);
    g_mutex_clear(&monitor->lock);
    g_free(monitor->uri);
    g_free(monitor->problem);
    g_free(monitor);
}
