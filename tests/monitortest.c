/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * monitortest.c: how libvirt is asked, when it does not answer
 */

/*
 * What is asked is libvirt's test driver, with the domains of virtteamingdata/host.xml. What that
 * can't do, or does too well, is done by functions of the same name here: the linker takes them.
 */

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "teaming_kernel_fake.h"
#include "teaming_monitor.h"

/* Of the domain that hangs, and of all others. */
static gint asked[2];
static gint hangs;                  /* how often it will do so */
static gint stuck;                  /* it does not even answer that */
static gint listed;                 /* how often it was asked for networks */
static gint unlisted;               /* how many more times it can't say */
static gint leaves;                 /* the other one is on its way to another host */
static gint sent;                   /* libvirt has figures of that */
static gint states[2];              /* what they do, and why, if not run; as @asked */
static gint reasons[2];
static gint detached;               /* how often a device was taken out */
static gint kept;                   /* the guest keeps it, and time flies */
static gint gone;                   /* how many more times the domain is found not to run */
static gint attached;               /* and one plugged; the first @occupied times it is refused */
static gint occupied;
static gint dumped;                 /* how often memory was to be dumped */
static gint listening;              /* to how many kinds of events of domains */
static virConnectCloseFunc closed;  /* told that the last connection was, with @closedOpaque */
static void *closedOpaque;
static virConnectPtr last;


int
virConnectSetKeepAlive(virConnectPtr conn,
                       int interval,
                       unsigned int count)
{
    return 0;
}


int
virConnectDomainQemuMonitorEventRegister(virConnectPtr conn,
                                         virDomainPtr domain,
                                         const char *event,
                                         virConnectDomainQemuMonitorEventCallback callback,
                                         void *opaque,
                                         virFreeCallback freecb,
                                         unsigned int flags)
{
    return 1;
}


int
virConnectDomainEventRegisterAny(virConnectPtr conn,
                                 virDomainPtr domain,
                                 int event,
                                 virConnectDomainEventGenericCallback callback,
                                 void *opaque,
                                 virFreeCallback freecb)
{
    typeof(virConnectDomainEventRegisterAny) *real =
        (typeof(real))dlsym(RTLD_NEXT, "virConnectDomainEventRegisterAny");

    g_atomic_int_inc(&listening);
    return real(conn, domain, event, callback, opaque, freecb);
}


int
virConnectDomainEventDeregisterAny(virConnectPtr conn,
                                   int id)
{
    typeof(virConnectDomainEventDeregisterAny) *real =
        (typeof(real))dlsym(RTLD_NEXT, "virConnectDomainEventDeregisterAny");

    g_atomic_int_add(&listening, -1);
    return real(conn, id);
}


int
virConnectRegisterCloseCallback(virConnectPtr conn,
                                virConnectCloseFunc callback,
                                void *opaque,
                                virFreeCallback freecb)
{
    last = conn;
    closedOpaque = opaque;
    closed = callback;
    return 0;
}


int
virDomainGetJobStats(virDomainPtr domain,
                     int *type,
                     virTypedParameterPtr *params,
                     int *nparams,
                     unsigned int flags)
{
    const gboolean hanging = g_str_equal(virDomainGetName(domain), "bad");

    g_atomic_int_inc(&asked[!hanging]);
    while (hanging && g_atomic_int_get(&stuck))
        g_usleep(1000);
    /* Libvirt's own words for it take longer; any error will do. */
    if (hanging && g_atomic_int_add(&hangs, -1) > 0)
        return virDomainGetMaxVcpus(NULL);
    *type = VIR_DOMAIN_JOB_NONE;
    if (!hanging && g_atomic_int_get(&leaves)) {
        int max = 0;

        *type = VIR_DOMAIN_JOB_UNBOUNDED;
        virTypedParamsAddInt(params, nparams, &max, VIR_DOMAIN_JOB_OPERATION,
                             VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
        if (g_atomic_int_get(&sent))
            virTypedParamsAddULLong(params, nparams, &max, VIR_DOMAIN_JOB_MEMORY_TOTAL, 1 << 30);
    }
    return 0;
}


int
virDomainGetState(virDomainPtr domain,
                  int *state,
                  int *reason,
                  unsigned int flags)
{
    const guint which = !g_str_equal(virDomainGetName(domain), "bad");
    const gint set = g_atomic_int_get(&states[which]);

    *state = set ? set : VIR_DOMAIN_RUNNING;
    if (reason)
        *reason = set ? g_atomic_int_get(&reasons[which]) : VIR_DOMAIN_RUNNING_BOOTED;
    return 0;
}


int
virDomainDetachDeviceAlias(virDomainPtr domain,
                           const char *alias,
                           unsigned int flags)
{
    g_atomic_int_inc(&detached);
    /* There is none of that name. */
    return g_atomic_int_get(&kept) ? 0 : virDomainGetMaxVcpus(NULL);
}


int
virDomainIsActive(virDomainPtr domain)
{
    typeof(virDomainIsActive) *real = (typeof(real))dlsym(RTLD_NEXT, "virDomainIsActive");

    if (g_atomic_int_get(&gone) > 0 && g_atomic_int_add(&gone, -1) > 0)
        return 0;
    return real(domain);
}


void
g_usleep(gulong us)
{
    usleep(g_atomic_int_get(&kept) ? MIN(us, 1000) : us);
}


int
virDomainAttachDeviceFlags(virDomainPtr domain,
                           const char *xml,
                           unsigned int flags)
{
    /* Without its place, the second time. */
    g_assert_cmpint(g_atomic_int_add(&attached, 1), ==, strstr(xml, "bus='0x02'") ? 0 : 1);
    if (g_atomic_int_add(&occupied, -1) > 0) {
        /* Any XML error will do. */
        virDomainDefineXML(virDomainGetConnect(domain), "<none/>");
        return -1;
    }
    return 0;
}


int
virDomainCoreDumpWithFormat(virDomainPtr domain,
                            const char *to,
                            unsigned int format,
                            unsigned int flags)
{
    g_atomic_int_inc(&dumped);
    /* Any error will do. */
    return virDomainGetMaxVcpus(NULL);
}


/* libvirt's daemon for networks was restarted, or is not there. */
int
virConnectListAllNetworks(virConnectPtr conn,
                          virNetworkPtr **networks,
                          unsigned int flags)
{
    g_atomic_int_inc(&listed);
    if (g_atomic_int_get(&unlisted) > 0 && g_atomic_int_add(&unlisted, -1) > 0)
        return virDomainGetMaxVcpus(NULL);
    *networks = g_new0(virNetworkPtr, 1);
    return 0;
}


static void
hush(void *opaque,
     virErrorPtr error)
{
}


static void
spin(guint ms)
{
    const gint64 until = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < until) {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        g_usleep(1000);
    }
}


/* Until the domain that hangs was asked about @n times. */
static void
await(gint n)
{
    for (guint i = 0; i < 1000 && g_atomic_int_get(&asked[0]) < n; i++)
        spin(10);
    spin(100);
    g_assert_cmpint(g_atomic_int_get(&asked[0]), ==, n);
}


typedef struct {
    char *uri;
    char *statedir;
    virTeamingKernel *kernel;
    virTeamingDriver *driver;
    virTeamingMonitor *monitor;
} Host;


/* A daemon that has asked about all domains; for the one that hangs libvirt can't say anything the
 * first @data times. */
static void
hostSetUp(Host *host,
          gconstpointer data)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "virtteamingdata", "host.xml", NULL);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autoptr(GError) error = NULL;
    virTeamingPolicy policy;

    asked[0] = asked[1] = 0;
    g_atomic_int_set(&hangs, GPOINTER_TO_INT(data));
    host->uri = g_strconcat("test://", absolute, NULL);
    host->statedir = g_dir_make_tmp("monitortest-XXXXXX", NULL);
    host->kernel = virTeamingKernelNewFake();
    virTeamingPolicyInit(&policy);
    host->driver = virTeamingDriverNew(host->kernel, host->statedir, &policy, &error);
    g_assert_no_error(error);
    host->monitor = virTeamingMonitorNew(host->uri, host->driver);
    await(1);
}


static void
hostTearDown(Host *host,
             gconstpointer data)
{
    g_autofree char *command = g_strconcat("rm -rf ", host->statedir, NULL);

    virTeamingMonitorFree(host->monitor);
    virTeamingDriverFree(host->driver);
    virTeamingKernelFree(host->kernel);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(host->statedir);
    g_free(host->uri);
}


/* What libvirt says of domain @name. */
static char *
hostDescribe(Host *host,
             const char *name)
{
    virConnectPtr conn = virConnectOpen(host->uri);
    virDomainPtr domain = virDomainLookupByName(conn, name);
    char *xml = virDomainGetXMLDesc(domain, 0);

    g_assert_nonnull(xml);
    virDomainFree(domain);
    virConnectClose(conn);
    return xml;
}


static void
hostTellHook(Host *host,
             const char *operation,
             const char *xml)
{
    g_autofree char *print = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(virTeamingDriverTellHook(host->driver, operation, "begin", xml, &print,
                                           &error));
    g_assert_no_error(error);
}


/* Something of the domain is new, and it has to be asked about. */
static void
hostTell(Host *host,
         const char *xml)
{
    hostTellHook(host, "attach", xml);
}


/* From now on the domain that hangs, or (@which: 1) all others, are so; VIR_DOMAIN_NOSTATE: run. */
static void
hostSetState(guint which,
             gint state,
             gint reason)
{
    g_atomic_int_set(&reasons[which], reason);
    g_atomic_int_set(&states[which], state);
}


/* Of whom libvirt can't say it is asked again, and of nobody else. */
static void
testDoubt(Host *host,
          gconstpointer data)
{
    const guint pairs = virTeamingDriverPairs(host->driver)->len;

    g_assert_null(virTeamingDriverLibvirtProblem(host->driver));
    g_assert_cmpuint(pairs, >, 0);

    /* After some 1 s, and 2 s more. */
    await(2);
    spin(600);
    g_assert_cmpint(asked[0], ==, 2);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, pairs);
    await(3);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, >, pairs);
    /* And that was that. */
    spin(1200);
    g_assert_cmpint(asked[0], ==, 3);
    g_assert_cmpint(asked[1], ==, 1);
}


/* However much is new of a domain that hangs, it is asked about once, and others meanwhile. */
static void
testStuck(Host *host,
          gconstpointer data)
{
    g_autofree char *bad = hostDescribe(host, "bad");
    g_autofree char *good = hostDescribe(host, "good");

    g_atomic_int_set(&stuck, 1);
    for (guint i = 0; i < 10; i++) {
        hostTell(host, bad);
        spin(10);
    }
    await(2);
    g_assert_cmpint(asked[1], ==, 1);
    hostTell(host, good);
    spin(500);
    g_assert_cmpint(asked[1], ==, 2);
    g_assert_cmpint(asked[0], ==, 2);
    g_atomic_int_set(&stuck, 0);
    spin(500);
}


/* A guest is refused, since it needs a network that is not there: the networks are asked for. */
static void
hostRefuse(Host *host)
{
    static const char xml[] =
        "<domain type='kvm'><name>x</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>"
        "<os><type machine='q35'>hvm</type></os><features><acpi/></features><devices>"
        "<interface type='network'>"
        "<mac address='52:54:00:12:34:56'/><source network='nowhere'/><model type='virtio'/>"
        "<teaming type='persistent'/><alias name='ua-x'/></interface></devices></domain>";
    g_autofree char *print = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(virTeamingDriverTellHook(host->driver, "migrate", "begin", xml, &print, &error));
    g_assert_nonnull(error);
}


/* Where libvirt does not find its networks any more, it does when it is connected to anew. */
static void
testNetworksLost(Host *host,
                 gconstpointer data)
{
    const gint before = g_atomic_int_get(&listed);

    g_atomic_int_set(&unlisted, 1);
    hostRefuse(host);
    spin(200);
    g_assert_nonnull(virTeamingDriverLibvirtProblem(host->driver));
    g_assert_nonnull(strstr(virTeamingDriverLibvirtProblem(host->driver), "cannot list its net"));
    spin(2000);
    g_assert_null(virTeamingDriverLibvirtProblem(host->driver));
    g_assert_cmpint(g_atomic_int_get(&listed), ==, before + 2);
    /* They are known again. */
    hostRefuse(host);
    spin(200);
}


/* If it does not, it is left in peace. */
static void
testNetworksNeverFound(Host *host,
                       gconstpointer data)
{
    const gint before = g_atomic_int_get(&listed);

    g_atomic_int_set(&unlisted, 1000);
    hostRefuse(host);
    spin(4500);
    g_assert_cmpint(g_atomic_int_get(&listed), ==, before + 2);
    g_assert_null(virTeamingDriverLibvirtProblem(host->driver));
    g_atomic_int_set(&unlisted, 0);
}


/* The pair of the domain that does not hang. */
static virTeamingPairObj *
hostPair(Host *host)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);
    virTeamingPairObj *pair = pairs->pdata[0];

    return g_str_equal(pair->domain, "good") ? pair : pairs->pdata[1];
}


/* It is to have a VF plugged in place of @alias. */
static virTeamingPairObj *
hostNeed(Host *host,
         const char *alias,
         gboolean absent)
{
    static const char xml[] = "<interface type='network'><source network='vfpool'/>"
        "<address type='pci' bus='0x02'/></interface>";
    virTeamingPairObj *pair = hostPair(host);

    g_assert_cmpint(pair->guest, ==, VIR_TEAMING_GUEST_HERE);
    g_free(pair->primaryAlias);
    pair->primaryAlias = g_strdup(alias);
    g_free(pair->plugXml);
    pair->plugXml = g_strdup(xml);
    pair->unplugged = TRUE;
    pair->absent = absent;
    pair->plugAt = 0;
    g_atomic_int_set(&detached, 0);
    g_atomic_int_set(&attached, 0);
    virTeamingDriverRun(host->driver, g_get_monotonic_time());
    g_assert_true(pair->plugging);
    for (guint i = 0; i < 50 && pair->plugging; i++)
        spin(100);
    spin(200);
    g_assert_false(pair->plugging);
    return pair;
}


/* While libvirt is at a migration nobody waits for it: it is tried again, and nothing is said. */
static void
testBusy(Host *host,
         gconstpointer data)
{
    virTeamingPairObj *pair;

    g_atomic_int_set(&leaves, 1);
    pair = hostNeed(host, "ua-none", TRUE);
    g_atomic_int_set(&leaves, 0);
    g_assert_cmpint(attached, ==, 0);
    g_assert_cmpint(detached, ==, 0);
    g_assert_null(pair->plugProblem);

    /* By a name that it once had another device may be taken out. */
    pair = hostNeed(host, "ua-none", TRUE);
    g_assert_cmpint(attached, ==, 1);
    g_assert_cmpint(detached, ==, 0);
    g_assert_false(pair->unplugged);
    hostNeed(host, "ua-none", FALSE);
    g_assert_cmpint(attached, ==, 1);
    g_assert_cmpint(detached, ==, 1);
}


/* What the guest does not let go is not plugged a second time, and why is said; but of one that has
 * ended nothing is awaited. */
static void
testKept(Host *host,
         gconstpointer data)
{
    virTeamingPairObj *pair;

    g_atomic_int_set(&kept, 1);
    pair = hostNeed(host, "ua-net", FALSE);
    g_assert_cmpint(detached, ==, 1);
    g_assert_cmpint(attached, ==, 0);
    g_assert_nonnull(strstr(pair->plugProblem, "did not let it go within 10 s"));
    g_atomic_int_set(&gone, 1);
    hostNeed(host, "ua-net", FALSE);
    g_assert_cmpint(attached, ==, 1);
    g_atomic_int_set(&kept, 0);
}


/* A migration to nowhere must not wait for one that goes elsewhere: after that it may be the one
 * that the guest loses its VF to. */
static void
testHiddenBusy(Host *host,
               gconstpointer data)
{
    virTeamingPairObj *pair = hostPair(host);

    for (gint busy = 1; busy >= 0; busy--) {
        g_atomic_int_set(&leaves, busy);
        pair->hidden = TRUE;
        pair->unhideAt = 0;
        virTeamingDriverRun(host->driver, g_get_monotonic_time());
        spin(300);
        g_assert_cmpint(g_atomic_int_get(&dumped), ==, !busy);
        g_assert_nonnull(pair->unhideProblem);
        g_assert_true(!strstr(pair->unhideProblem, "is migrating") == !busy);
    }
}


/* libvirtd is restarted, again and again: what the connection held that it closed is let go. */
static void
testRestarted(Host *host,
              gconstpointer data)
{
    const gint kinds = g_atomic_int_get(&listening);

    g_assert_cmpint(kinds, >, 0);
    for (guint i = 0; i < 2; i++) {
        closed(last, VIR_CONNECT_CLOSE_REASON_EOF, closedOpaque);
        /* Not for a time: on a busy machine it would be connected again. */
        while (!virTeamingDriverLibvirtProblem(host->driver))
            g_main_context_iteration(NULL, TRUE);
        for (guint j = 0; j < 300 && virTeamingDriverLibvirtProblem(host->driver); j++)
            spin(10);
        g_assert_null(virTeamingDriverLibvirtProblem(host->driver));
        g_assert_cmpint(g_atomic_int_get(&listening), ==, kinds);
    }
}


/* Something else has the place in the guest that the VF had: it gets another. */
static void
testOccupied(Host *host,
             gconstpointer data)
{
    virTeamingPairObj *pair;

    g_atomic_int_set(&occupied, 1);
    pair = hostNeed(host, "ua-none", TRUE);
    g_assert_cmpint(attached, ==, 2);
    g_assert_false(pair->unplugged);
    /* That was not why. */
    g_atomic_int_set(&occupied, 2);
    pair = hostNeed(host, "ua-none", FALSE);
    g_assert_cmpint(attached, ==, 2);
    g_assert_true(pair->unplugged);
    g_assert_nonnull(pair->plugProblem);
    g_atomic_int_set(&occupied, 0);
}


/* A guest that runs elsewhere, where its memory can't be had any more, does not run here, whether
 * libvirt has figures of the migration or was restarted. */
static void
testPostcopyFailed(Host *host,
                   gconstpointer data)
{
    g_autofree char *good = hostDescribe(host, "good");

    g_atomic_int_set(&leaves, 1);
    hostSetState(1, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
    for (guint i = 0; i < 2; i++) {
        g_atomic_int_set(&sent, i);
        hostTellHook(host, "reconnect", good);
        spin(300);
        g_assert_cmpint(hostPair(host)->guest, ==, VIR_TEAMING_GUEST_DEPARTING);
    }
    hostSetState(1, VIR_DOMAIN_NOSTATE, 0);
    g_atomic_int_set(&leaves, 0);
}


/* While memory follows a guest libvirt would have us wait: that it runs, and that, is known without.
 * @data: libvirt knows that it was in vain. */
static void
testPostcopy(Host *host,
             gconstpointer data)
{
    g_autofree char *good = hostDescribe(host, "good");
    virTeamingPairObj *pair = hostPair(host);

    pair->guest = VIR_TEAMING_GUEST_INCOMING;
    hostSetState(1, VIR_DOMAIN_RUNNING, data ? VIR_DOMAIN_RUNNING_POSTCOPY_FAILED :
                 VIR_DOMAIN_RUNNING_POSTCOPY);
    hostTellHook(host, "attach", good);
    spin(300);
    g_assert_cmpint(asked[1], ==, 1);
    g_assert_cmpint(pair->guest, ==, VIR_TEAMING_GUEST_HERE);
    g_assert_true(pair->postcopy);
    hostSetState(1, VIR_DOMAIN_NOSTATE, 0);
    hostTellHook(host, "attach", good);
    spin(300);
    g_assert_cmpint(asked[1], ==, 2);
    g_assert_false(pair->postcopy);
}


/* A domain that has no pair is not asked about while it arrives, or is being started. */
static void
testStranger(Host *host,
             gconstpointer data)
{
    g_autofree char *good = hostDescribe(host, "good");
    const gint why[] = { VIR_DOMAIN_PAUSED_MIGRATION, VIR_DOMAIN_PAUSED_STARTING_UP,
                         VIR_DOMAIN_PAUSED_USER };

    virTeamingDriverTellInventory(host->driver, (const char *const []) { NULL }, G_MAXUINT);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(why); i++) {
        hostSetState(1, VIR_DOMAIN_PAUSED, why[i]);
        hostTell(host, good);
        spin(200);
        g_assert_cmpint(asked[1], ==, i < 2 ? 1 : 2);
    }
    hostSetState(1, VIR_DOMAIN_NOSTATE, 0);
}


/* Until a domain has been started libvirt lets nobody ask about it: others are, meanwhile. */
static void
testStarting(Host *host,
             gconstpointer data)
{
    g_autofree char *bad = hostDescribe(host, "bad");
    g_autofree char *good = hostDescribe(host, "good");

    g_atomic_int_set(&stuck, 1);
    hostSetState(0, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP);
    hostTell(host, bad);
    spin(100);
    hostTell(host, good);
    spin(300);
    g_assert_cmpint(asked[0], ==, 2);
    g_assert_cmpint(asked[1], ==, 2);
    hostSetState(0, VIR_DOMAIN_NOSTATE, 0);
    g_atomic_int_set(&stuck, 0);
    spin(100);
}


int
main(int argc, char **argv)
{
    /* This host's libvirt may be stopped: no matter. */
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
    g_test_init(&argc, &argv, NULL);
    /* That libvirt can't say is warned of; that is no failure of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    gvir_init(NULL, NULL);
    gvir_event_register();
    virSetErrorFunc(NULL, hush);
    g_test_add("/monitor/doubt", Host, GINT_TO_POINTER(2), hostSetUp, testDoubt, hostTearDown);
    g_test_add("/monitor/stuck", Host, GINT_TO_POINTER(1), hostSetUp, testStuck, hostTearDown);
    g_test_add("/monitor/networks-lost", Host, NULL, hostSetUp, testNetworksLost, hostTearDown);
    g_test_add("/monitor/networks-never-found", Host, NULL, hostSetUp, testNetworksNeverFound,
               hostTearDown);
    g_test_add("/monitor/postcopy", Host, NULL, hostSetUp, testPostcopy, hostTearDown);
    g_test_add("/monitor/postcopy-in-vain", Host, GINT_TO_POINTER(1), hostSetUp, testPostcopy,
               hostTearDown);
    g_test_add("/monitor/stranger", Host, NULL, hostSetUp, testStranger, hostTearDown);
    g_test_add("/monitor/starting", Host, NULL, hostSetUp, testStarting, hostTearDown);
    g_test_add("/monitor/postcopy-failed", Host, NULL, hostSetUp, testPostcopyFailed,
               hostTearDown);
    g_test_add("/monitor/restarted", Host, NULL, hostSetUp, testRestarted, hostTearDown);
    g_test_add("/monitor/busy", Host, NULL, hostSetUp, testBusy, hostTearDown);
    g_test_add("/monitor/kept", Host, NULL, hostSetUp, testKept, hostTearDown);
    g_test_add("/monitor/hidden-busy", Host, NULL, hostSetUp, testHiddenBusy, hostTearDown);
    g_test_add("/monitor/occupied", Host, NULL, hostSetUp, testOccupied, hostTearDown);
    return g_test_run();
}
