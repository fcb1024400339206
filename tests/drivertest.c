/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * drivertest.c: what the daemon does to a host, told by hooks, events and libvirt
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "nic_verdict.h"
#include "teaming_bus.h"
#include "teaming_driver_priv.h"
#include "teaming_frame.h"
#include "teaming_kernel_fake.h"
#include "teaming_migrate.h"
#include "teaming_release.h"
#include "teaming_validate.h"

#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define MAC "52:54:00:12:34:56"

/* What is logged of frames: that the guest was stopped here, that it is here, both paths told. */
#define TOLD_AWAY "FrameSend eth1 type 88b5 virt-teaming 1 stopped " UUID "\n"
#define TOLD_HERE "FrameSend eth1 type 8035\n"
#define TOLD_BACK TOLD_HERE "FrameSend eth1 type 88b5 virt-teaming 1 runs " UUID "\n"

/* A host with a bridge br0, its uplink eth1, and two VFs; the guest has the first. */
typedef struct {
    virTeamingKernel *kernel;
    virTeamingDriver *driver;
    char *statedir;
    virTeamingMac mac;
    virTeamingPciAddress vf;
    virTeamingPolicy policy;
    gint64 ahead;                   /* microseconds that the test's clock is ahead */
    guint plugged;                  /* how often libvirt was asked to plug, and what */
    char *plugXml;
    gboolean absent;                /* and that nothing had to go first */
    virTeamingMac plugging;         /* whose VF libvirt was asked for last */
    guint unplugged;                /* to ask the guest for its VF */
    guint unhidden;                 /* to have QEMU show it again */
    char *note;                     /* what the domain carries along */
    guint aborted;
    guint networksAsked;
    gint64 copied;                  /* what libvirt says has been sent */
    gboolean postcopy;              /* and that memory still arrives */
    guint asked;                    /* how often libvirt was asked what a domain is doing */
    guint resynced;                 /* and to be believed whatever events have told */
} Host;

#define DOMAIN "<domain type='kvm'><name>guest</name><uuid>" UUID "</uuid>" \
    "<os><type arch='x86_64' machine='q35'>hvm</type></os>" \
    "<features><acpi/></features><devices>"

static const char domainXml[] = DOMAIN
    "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
    "<target dev='vnet0'/><model type='virtio'/><teaming type='persistent'/>"
    "<alias name='ua-net0'/></interface>"
    "<interface type='hostdev' managed='yes'><mac address='" MAC "'/>"
    "<driver name='vfio'/><source><address type='pci' domain='0x0000' bus='0x01' "
    "slot='0x10' function='0x0'/></source><model type='virtio'/>"
    "<teaming type='transient' persistent='ua-net0'/><alias name='hostdev0'/></interface>"
    "</devices></domain>";

/* Its VF has gone. */
static const char standbyXml[] = DOMAIN
    "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
    "<target dev='vnet0'/><model type='virtio'/><teaming type='persistent'/>"
    "<alias name='ua-net0'/></interface></devices></domain>";

/* As the migrate hook gets it: no tap yet, and no VF taken from the pool. */
static const char arrivingXml[] = DOMAIN
    "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
    "<model type='virtio'/><teaming type='persistent'/>"
    "<alias name='ua-net0'/></interface>"
    "<interface type='network'><mac address='" MAC "'/><source network='sriov0'/>"
    "<model type='virtio'/><teaming type='transient' persistent='ua-net0'/></interface>"
    "</devices></domain>";


static void
hostAddLink(Host *host,
            const char *name,
            const char *kind,
            const char *master,
            const char *pci)
{
    virTeamingLink link = { .up = TRUE, .running = TRUE, .mtu = 1500, .learning = TRUE,
                            .flooding = TRUE };

    g_strlcpy(link.name, name, sizeof(link.name));
    g_strlcpy(link.kind, kind, sizeof(link.kind));
    g_strlcpy(link.master, master, sizeof(link.master));
    g_strlcpy(link.pci, pci, sizeof(link.pci));
    virTeamingFakeSetLink(host->kernel, &link);
}


/* libvirt (or its absence) gives VF 0 this MAC. */
static void
hostSetVfMac(Host *host,
             const char *mac)
{
    virTeamingVf vf = { .index = 0, .address = host->vf, .trust = -1, .spoofchk = 1 };

    g_assert_true(virTeamingMacParse(mac, &vf.mac));
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
}


static void
hostAddPci(Host *host,
           const char *address,
           const char *driver,
           const char *physfn,
           const char *netdev)
{
    virTeamingPciDevice device = { .classCode = 0x020000, .iommuGroup = 17 };

    g_assert_true(virTeamingPciAddressParse(address, &device.address));
    g_strlcpy(device.driver, driver, sizeof(device.driver));
    g_strlcpy(device.physfn, physfn, sizeof(device.physfn));
    g_strlcpy(device.netdev, netdev, sizeof(device.netdev));
    virTeamingFakeSetPci(host->kernel, &device);
}


static void
hostPlug(const char *uuid,
         const virTeamingMac *mac,
         const char *alias,
         const char *xml,
         gboolean absent,
         gpointer opaque)
{
    Host *host = opaque;

    g_assert_cmpstr(uuid, ==, UUID);
    g_assert_cmpstr(alias, ==, virTeamingMacEqual(mac, &host->mac) ? "hostdev0" : "hostdev1");
    host->plugging = *mac;
    if (!xml) {
        host->unplugged++;
        return;
    }
    host->plugged++;
    host->absent = absent;
    g_free(host->plugXml);
    host->plugXml = g_strdup(xml);
}


static void
hostAbort(const char *uuid,
          gpointer opaque)
{
    ((Host *)opaque)->aborted++;
}


static void
hostAsk(const char *uuid,
        gboolean resync,
        gpointer opaque)
{
    ((Host *)opaque)->asked++;
    ((Host *)opaque)->resynced += resync;
}


static void
hostUnhide(const char *uuid,
           gpointer opaque)
{
    g_assert_cmpstr(uuid, ==, UUID);
    ((Host *)opaque)->unhidden++;
}


static void
hostNote(const char *uuid,
         const char *xml,
         gpointer opaque)
{
    Host *host = opaque;

    g_assert_cmpstr(uuid, ==, UUID);
    g_free(host->note);
    host->note = g_strdup(xml);
}


static void
hostAskNetworks(gpointer opaque)
{
    ((Host *)opaque)->networksAsked++;
}


static void
hostSetUp(Host *host,
          gconstpointer opaque)
{
    g_autoptr(GError) error = NULL;

    host->statedir = g_dir_make_tmp("virt-teaming-XXXXXX", &error);
    g_assert_no_error(error);
    virTeamingPolicyInit(&host->policy);
    host->kernel = virTeamingKernelNewFake();
    g_assert_true(virTeamingMacParse(MAC, &host->mac));
    g_assert_true(virTeamingPciAddressParse("0000:01:10.0", &host->vf));

    hostAddPci(host, "0000:01:00.0", "igb", "", "eth1");
    hostAddPci(host, "0000:01:10.0", "vfio-pci", "0000:01:00.0", "");
    hostAddLink(host, "br0", "bridge", "", "");
    hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
    hostSetVfMac(host, "00:00:00:00:00:00");

    host->driver = virTeamingDriverNew(host->kernel, host->statedir, &host->policy, &error);
    g_assert_no_error(error);
    virTeamingDriverSetLibvirt(host->driver, NULL, hostAskNetworks, hostPlug, hostAbort,
                               hostUnhide, hostNote, host);
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* From now on libvirt can be asked what a domain is doing; it does not answer. */
static void
hostCountAsked(Host *host)
{
    virTeamingDriverSetLibvirt(host->driver, hostAsk, hostAskNetworks, hostPlug, hostAbort,
                               hostUnhide, hostNote, host);
}


static void
hostTearDown(Host *host,
             gconstpointer opaque)
{
    g_autoptr(GDir) dir = g_dir_open(host->statedir, 0, NULL);
    const char *name;

    virTeamingDriverFree(host->driver);
    virTeamingKernelFree(host->kernel);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(host->statedir, name, NULL);

        g_unlink(path);
    }
    g_rmdir(host->statedir);
    g_free(host->statedir);
    g_free(host->plugXml);
    g_free(host->note);
}


/* The daemon dies, without a word, and another one starts. */
static void
hostRestart(Host *host)
{
    g_autoptr(GError) error = NULL;

    virTeamingDriverFree(host->driver);
    host->driver = NULL;
    host->driver = virTeamingDriverNew(host->kernel, host->statedir, &host->policy, &error);
    g_assert_no_error(error);
    virTeamingDriverSetLibvirt(host->driver, NULL, hostAskNetworks, hostPlug, hostAbort,
                               hostUnhide, hostNote, host);
}


/* The daemon is stopped in good order, as by its upgrade, and another one starts. */
static void
hostUpgrade(Host *host)
{
    virTeamingDriverSave(host->driver);
    hostRestart(host);
}


static void
hostHook(Host *host,
         const char *operation,
         const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *print = NULL;

    g_assert_true(virTeamingDriverTellHook(host->driver, operation, "begin", xml,
                                           &print, &error));
    g_assert_no_error(error);
}


static void
hostEvent(Host *host,
          const char *name,
          const char *details)
{
    g_auto(virTeamingQemuEvent) event = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(virTeamingQemuEventParse(name, details, &event, &error));
    g_assert_no_error(error);
    virTeamingDriverTellEvent(host->driver, UUID, &event);
}


/* Another host says something of the guest of domain @uuid. */
static void
hostNotice(Host *host,
           const char *uuid,
           gboolean runs)
{
    virTeamingNotice notice = { .mac = host->mac, .runs = runs };
    guint8 frame[VIR_TEAMING_FRAME_MAX];

    g_strlcpy(notice.uuid, uuid, sizeof(notice.uuid));
    virTeamingFakeFrame(host->kernel, "eth1", frame, virTeamingFrameNotice(&notice, 0, frame));
    while (g_main_context_iteration(NULL, FALSE))
        ;
}


static void
hostTellXml(Host *host,
            const char *xml,
            virTeamingActivity activity,
            gboolean resync)
{
    virTeamingSnapshot snapshot = {
        .uuid = (char *)UUID,
        .migratable = (char *)(xml == domainXml ? arrivingXml : xml),
        .xml = (char *)xml,
        .activity = activity,
        .copied = host->copied,
        .postcopy = host->postcopy,
        .serial = virTeamingDriverSerial(host->driver, UUID),
        .resync = resync,
    };

    virTeamingDriverTellSnapshot(host->driver, &snapshot);
}


static void
hostSnapshot(Host *host,
             virTeamingActivity activity,
             gboolean resync)
{
    hostTellXml(host, activity == VIR_TEAMING_ACTIVITY_INACTIVE || host->postcopy ? NULL :
                domainXml, activity, resync);
}


static void
hostWait(Host *host,
         guint ms)
{
    host->ahead += ms * 1000;
    virTeamingDriverRun(host->driver, g_get_monotonic_time() + host->ahead);
}


/* The guest's driver takes the VF up, or lets it go; the watch sees it. */
static void
hostGuest(Host *host,
          gboolean busMaster,
          guint vectors)
{
    virTeamingFakeSetPciState(host->kernel, &host->vf, busMaster, vectors);
    hostWait(host, 50);
}


/* What the kernel tells is heard, and looked into when it may be no echo of the driver's own. */
static void
hostSpin(Host *host)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
    hostWait(host, 1000);
}


/* The guest runs on this host; its VF, if it was kept from QEMU, is plugged once it had the
 * time to come to itself. */
static void
hostResume(Host *host)
{
    const guint plugged = host->plugged;

    hostEvent(host, "RESUME", NULL);
    g_assert_cmpuint(host->plugged, ==, plugged);
    /* And it does not wait for an idle look. */
    g_assert_cmpint(virTeamingDriverNextRun(host->driver, g_get_monotonic_time()), <=,
                    250 * 1000);
    hostWait(host, 250);
}


/* libvirt has plugged the VF, and answers the question which it has become. */
static void
hostPlugged(Host *host)
{
    virTeamingFakeSetDriver(host->kernel, &host->vf, "vfio-pci");
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, TRUE);
    hostSetVfMac(host, MAC);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, NULL);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
}


static void
hostExpect(Host *host,
           const char *expected)
{
    g_autofree char *log = virTeamingFakeTakeLog(host->kernel);

    g_assert_cmpstr(log, ==, expected);
}


static virTeamingPairObj *
hostPair(Host *host)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);

    g_assert_cmpuint(pairs->len, ==, 1);
    return pairs->pdata[0];
}


static virTeamingPhase
hostPhase(Host *host)
{
    return hostPair(host)->phase;
}


static void
hostExpectProblem(Host *host,
                  const char *expected)
{
    g_autofree char *problem = virTeamingPairObjGetProblem(hostPair(host));

    g_assert_cmpstr(problem, ==, expected);
}


/* The guest's driver reads from the VF, and for long enough that this carries. */
static void
hostRead(Host *host)
{
    hostGuest(host, TRUE, 3);
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
}


/* Nothing of ours is left: no FDB entry, learning as it was, no file in the journal. */
static void
hostExpectClean(Host *host)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) bridged = virTeamingKernelFdbList(host->kernel, "br0",
                                                        &host->mac, &error);
    g_autoptr(GArray) own = virTeamingKernelFdbList(host->kernel, "eth1",
                                                    &host->mac, &error);
    g_autoptr(GDir) dir = g_dir_open(host->statedir, 0, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(bridged->len, ==, 0);
    g_assert_cmpuint(own->len, ==, 0);
    g_assert_null(g_dir_read_name(dir));
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 0);
}


static void
hostBoot(Host *host)
{
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    hostHook(host, "start", domainXml);
}


/* libvirt prepares for a guest that comes from elsewhere. */
static void
hostArrive(Host *host)
{
    hostHook(host, "migrate", arrivingXml);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    hostHook(host, "start", domainXml);
}


/* It has come, with its driver, and runs. */
static void
hostLand(Host *host)
{
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
}


static void
hostDrive(Host *host)
{
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRead(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* The guest has let its VF go, and its memory is being copied. */
static void
hostCopy(Host *host)
{
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
}


/* It is stopped, to run elsewhere, and all of it is taken away here. */
static void
hostLeave(Host *host)
{
    hostEvent(host, "STOP", NULL);
    hostExpect(host,
               TOLD_AWAY
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
}


static void
hostStop(Host *host)
{
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostSetVfMac(host, "00:00:00:00:00:00");
    hostHook(host, "release", domainXml);
}


static void
testBoot(Host *host,
         gconstpointer opaque)
{
    hostBoot(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");

    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpect(host, "");
    hostGuest(host, TRUE, 0);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n");
    hostGuest(host, TRUE, 3);
    hostExpect(host, "");

    hostWait(host, 2000);
    hostExpect(host,
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n"
               "LinkSetLearning vnet0 on\n");
    hostWait(host, 60000);
    hostExpect(host, "");
}


static void
testLeave(Host *host,
          gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth1 " MAC " master\n");
    /* What the bridge learns meanwhile must not decide. */
    virTeamingFakeReceive(host->kernel, "eth1", &host->mac, 0);
    hostSpin(host);
    hostExpect(host, "FdbDel eth1 " MAC " master\n");

    hostGuest(host, TRUE, 0);
    hostExpect(host,
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostExpect(host, "");

    hostLeave(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostStop(host);
    hostExpect(host, "");
    hostExpectClean(host);
}


static void
testCancel(Host *host,
           gconstpointer opaque)
{
    hostCopy(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* The destination's last step fails after the source has stopped. */
static void
testFailAfterStop(Host *host,
                  gconstpointer opaque)
{
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "MIGRATION", "{\"status\":\"failed\"}");
    hostExpect(host,
               "VfSetMac eth1 0 " MAC "\n"
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_BACK);
    /* The host that it did not get to may have had its say in between. */
    hostWait(host, 1000);
    hostExpect(host, TOLD_BACK);
    hostWait(host, 5000);
    hostExpect(host, "");
}


/* It comes back, and is stopped again before the network has been told twice. */
static void
testStopAfterFail(Host *host,
                  gconstpointer opaque)
{
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"failed\"}");
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_free(virTeamingFakeTakeLog(host->kernel));
    /* In the same moment in which that is due, and with the host to be looked at. */
    hostPair(host)->againAt = g_get_monotonic_time();
    hostPair(host)->stale = TRUE;
    hostLeave(host);
    hostWait(host, 5000);
    hostExpect(host, "");
}


static void
testArrive(Host *host,
           gconstpointer opaque)
{
    host->policy.plug = VIR_TEAMING_PLUG_STOCK;
    hostRestart(host);
    hostHook(host, "migrate", arrivingXml);
    hostExpect(host, "");

    /* libvirt takes a VF, and says which one only later. */
    hostSetVfMac(host, MAC);
    hostSpin(host);
    hostExpect(host,
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "FdbAdd eth1 " MAC " master static sticky\n");

    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", domainXml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostSetVfMac(host, MAC);
    hostSpin(host);
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "VfSetMac eth1 0 00:00:00:00:00:00\n");

    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpect(host,
               "VfSetMac eth1 0 " MAC "\n"
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    hostEvent(host, "RESUME", NULL);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* The guest has booted, and is ready for a VF; libvirt has told how one is plugged. */
static void
hostNegotiate(Host *host)
{
    hostBoot(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
}


/* QEMU was not let at the VF when the guest was ready for it: libvirt plugs it. */
static void
testRefused(Host *host,
            gconstpointer opaque)
{
    hostNegotiate(host);
    /* To look is to open it, which QEMU may be about to do. */
    hostWait(host, 1900);
    g_assert_cmpuint(host->plugged, ==, 0);
    g_assert_cmpint(virTeamingDriverNextRun(host->driver, g_get_monotonic_time() + host->ahead),
                    <=, 100 * 1000);
    hostWait(host, 200);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_nonnull(strstr(host->plugXml, "<source network=\"sriov0\"/>"));
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    hostPlugged(host);
    hostRead(host);

    /* It is tried once for each time that the guest is ready. */
    hostGuest(host, FALSE, 0);
    hostWait(host, 60000);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* QEMU has the VF, and the guest no driver for it: that is the guest's affair. */
static void
testNotRefused(Host *host,
               gconstpointer opaque)
{
    hostNegotiate(host);
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, TRUE);
    hostWait(host, 60000);
    g_assert_cmpuint(host->plugged, ==, 0);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
}


/* The daemon was not there for long enough to see that QEMU was not let at the VF. */
static void
testRefusedMeanwhile(Host *host,
                     gconstpointer opaque)
{
    hostNegotiate(host);
    hostRestart(host);
    hostWait(host, 2000);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* Nor for the migrate hook: the guest is taken for one that has booted here, until libvirt says
 * that it only arrives. It is here without its VF then, too. */
static void
testRefusedArriving(Host *host,
                    gconstpointer opaque)
{
    hostNegotiate(host);
    hostWait(host, 2000);
    g_assert_cmpuint(host->plugged, ==, 1);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "it is not here yet");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 2);
}


/* The VF is kept from QEMU until the guest runs, and then plugged as it was brought. */
static void
testArriveDeferred(Host *host,
                   gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    hostExpect(host,
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "PciHold 0000:01:10.0\n"
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " master static sticky\n");

    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    g_assert_true(virTeamingDriverIsIncoming(host->driver, UUID));
    /* What QEMU can't open need not be watched, once what was done has been looked at. */
    hostWait(host, 250);
    hostExpect(host, "");
    g_assert_cmpint(virTeamingDriverNextRun(host->driver, g_get_monotonic_time() + host->ahead),
                    >, 50 * 1000);
    hostResume(host);
    g_assert_false(virTeamingDriverIsIncoming(host->driver, UUID));
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_nonnull(strstr(host->plugXml, "<source network=\"sriov0\"/>"));

    /* It fails, and is tried again, but not at once. */
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "no VF is free");
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostWait(host, 10000);
    g_assert_cmpuint(host->plugged, ==, 2);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);

    /* It brought the other host's request to let its VF go along, and follows it now. */
    hostPlugged(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostWait(host, 10000);
    g_assert_cmpuint(host->plugged, ==, 3);

    hostPlugged(host);
    hostRead(host);

    /* What it lets go then, it was told to by its owner. */
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostWait(host, 10000);
    g_assert_cmpuint(host->plugged, ==, 3);
    hostStop(host);
    hostExpectClean(host);
}


/* The other host says that the guest was stopped there: what comes for it is kept by its tap, and
 * the network is told to send it. When QEMU says that the guest has come, that is done already. */
static void
testHandedOver(Host *host,
               gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    g_free(virTeamingFakeTakeLog(host->kernel));

    /* Said of another guest, or that it runs on: nothing new. */
    hostNotice(host, "00000000-edaf-9455-926a-d65c16db1809", FALSE);
    hostNotice(host, UUID, TRUE);
    hostExpect(host, "");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);

    hostNotice(host, UUID, FALSE);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LANDING);
    hostNotice(host, UUID, FALSE);
    hostWait(host, 2000);
    hostExpect(host, "");

    /* It goes on where it was, and is stopped there once more. */
    hostNotice(host, UUID, TRUE);
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostNotice(host, UUID, FALSE);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");

    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_assert_cmpuint(host->plugged, ==, 1);
    /* Nobody listens any more. */
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostNotice(host, UUID, TRUE);
    hostNotice(host, UUID, FALSE);
    hostExpect(host, "");
    g_assert_cmpint(hostPair(host)->ear, <, 0);
    hostStop(host);
    hostExpectClean(host);
}


/* The migration fails although QEMU had the guest's state: it goes on where it was. */
static void
testHandedOverInVain(Host *host,
                     gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    hostNotice(host, UUID, FALSE);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostNotice(host, UUID, TRUE);
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n");
    hostStop(host);
    hostExpectClean(host);
}


/* The source takes it back when QEMU here has been sent the last of it, and is about to say so: the
 * network must not be told that it is here, unless it runs after all. */
static void
testHandedOverAndRecalled(Host *host,
                          gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    hostNotice(host, UUID, FALSE);
    hostNotice(host, UUID, TRUE);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostWait(host, 2000);
    hostExpect(host, "");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostStop(host);
    hostExpectClean(host);

    /* The first of the two notices was not heard. What was said of that migration is not held
     * against the next one. */
    hostArrive(host);
    hostSpin(host);
    hostNotice(host, UUID, TRUE);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LANDING);

    hostNotice(host, UUID, TRUE);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostResume(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_BACK
               "LinkSetFlooding vnet0 on\n");
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);
    hostExpectClean(host);
}


/* A daemon that was not there may have missed that the guest went on elsewhere. */
static void
testHandedOverToDead(Host *host,
                     gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    hostNotice(host, UUID, FALSE);
    hostWait(host, 2000);
    hostUpgrade(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    /* It listens, too. */
    hostWait(host, 0);
    hostNotice(host, UUID, FALSE);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
}


/* A guest on its way may say of itself, by turns and without end, that it is stopped and that it
 * runs. Then nobody listens, until it comes the next time; it arrives all the same. */
static void
testHandedOverAndShouted(Host *host,
                         gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    for (guint i = 0; i < 100; i++)
        hostNotice(host, UUID, i % 2);
    g_assert_cmpuint(hostPair(host)->notices, <, 100);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostNotice(host, UUID, FALSE);
    hostNotice(host, UUID, TRUE);
    hostWait(host, 1000);
    hostNotice(host, UUID, FALSE);
    hostExpect(host, "");
    hostResume(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);
    hostExpectClean(host);

    hostArrive(host);
    hostSpin(host);
    hostNotice(host, UUID, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LANDING);
    hostStop(host);
    hostExpectClean(host);
}


/* Neither to listen nor to tell is what a migration depends on. */
static void
testHandedOverUnheard(Host *host,
                      gconstpointer opaque)
{
    virTeamingFakeFail(host->kernel, "FrameListen", 0, EPERM);
    hostArrive(host);
    hostSpin(host);
    hostExpectProblem(host, NULL);
    hostNotice(host, UUID, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "FrameSend", 1, ENOBUFS);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "LinkSetFlooding vnet0 on\n"
               TOLD_HERE);
    hostExpectProblem(host, NULL);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);
    hostExpectClean(host);

    /* Where it leaves. */
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, FALSE);
    hostCopy(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "FrameSend", 0, ENETDOWN);
    hostEvent(host, "STOP", NULL);
    hostExpect(host,
               "VfSetMac eth1 0 00:00:00:00:00:00\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    hostExpectProblem(host, "cannot send a frame by 'eth1': Network is down");
    virTeamingFakeFail(host->kernel, "FrameSend", 0, 0);
    hostWait(host, 1000);
    hostExpect(host, TOLD_AWAY);
    hostExpectProblem(host, NULL);
}


/* The daemon dies with the VF kept from QEMU; libvirt says later that the guest runs. */
static void
testArriveUnseen(Host *host,
                 gconstpointer opaque)
{
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRestart(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 250);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);

    /* It says so of one that is to go on to yet another host. */
    hostArrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    hostWait(host, 250);
    g_assert_cmpuint(host->plugged, ==, 2);
}


/* libvirt gives a VF the MAC, and what the kernel says of it is lost. */
static void
testArriveUntold(Host *host,
                 gconstpointer opaque)
{
    hostHook(host, "migrate", arrivingXml);
    hostSetVfMac(host, MAC);
    virTeamingFakeLoseNotifications(host->kernel);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    hostExpect(host, "VfSetMac eth1 0 00:00:00:00:00:00\n");
    hostHook(host, "stopped", arrivingXml);
}


/* A guest that found no MAC on its VF never pairs: it gets the VF once more. */
static void
testArriveWithoutMac(Host *host,
                     gconstpointer opaque)
{
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, "00:00:00:00:00:00");
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_cmpuint(host->plugged, ==, 1);
    /* That the VF has its MAC by now is of no use to that guest. */
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "not now");
    hostWait(host, 6000);
    g_assert_cmpuint(host->plugged, ==, 2);
}


/* The daemon died as it took the MAC from a VF, and the next one does not know which VF that was
 * before libvirt says so. By then the NIC has the MAC that the guest has drawn. */
static void
testArriveWithMacDrawn(Host *host,
                       gconstpointer opaque)
{
    hostHook(host, "migrate", arrivingXml);
    hostRestart(host);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "RESUME", NULL);
    /* That is asked at once. */
    g_assert_true(virTeamingDriverIsGroping(host->driver, UUID));
    hostSetVfMac(host, "0a:00:00:00:00:99");
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 0);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 250);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_false(virTeamingDriverIsGroping(host->driver, UUID));
}


/* libvirtd is restarted while it plugs: it does, but does not live to say so. */
static void
testPlugUnheard(Host *host,
                gconstpointer opaque)
{
    hostLand(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostSetVfMac(host, MAC);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "end of file");
    hostExpectProblem(host, "end of file");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostGuest(host, TRUE, 3);
    hostExpectProblem(host, NULL);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
}


/* Between a VF's going and its coming anew libvirt knows of none: a migration that began then
 * would carry a domain without it. One that begins before that waits for nothing. */
static void
testPlugAsItLeaves(Host *host,
                   gconstpointer opaque)
{
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "RESUME", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"failed\"}");
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);

    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_assert_cmpuint(host->aborted, ==, 1);
    hostExpectProblem(host, "migration given up: it began while the VF hostdev0 was being plugged, "
                            "and would have left it behind: try again when the pair is whole");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostPlugged(host);
    hostRead(host);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* Plugged from a pool, a VF need not be the one that the guest had, and that one can be somebody
 * else's by the time libvirt says so: it is not touched. */
static void
testPlugTakesAnother(Host *host,
                     gconstpointer opaque)
{
    virTeamingVf vf = { .index = 1, .mac = host->mac, .trust = -1 };
    g_auto(GStrv) parts = g_strsplit(domainXml, "function='0x0'", 2);
    g_autofree char *xml = g_strjoinv("function='0x2'", parts);

    hostLand(host);
    hostSetVfMac(host, "52:54:00:65:43:21");
    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &vf.address));
    hostAddPci(host, "0000:01:10.2", "vfio-pci", "0000:01:00.0", "");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    g_free(virTeamingFakeTakeLog(host->kernel));

    /* It has the MAC, and libvirt may take its time to say which it is. */
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostSpin(host);
    hostWait(host, 100);
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    host->vf = vf.address;
    hostRead(host);
    hostExpect(host,
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n"
               "LinkSetLearning vnet0 on\n");
}


/* A guest with two pairs, which found both VFs without their MACs: they are plugged anew. */
static void
hostTwoPairs(Host *host)
{
    static const char xml[] = DOMAIN
        "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
        "<target dev='vnet0'/><model type='virtio'/><teaming type='persistent'/>"
        "<alias name='ua-net0'/></interface>"
        "<interface type='hostdev' managed='yes'><mac address='" MAC "'/>"
        "<source><address type='pci' domain='0' bus='1' slot='16' function='0'/></source>"
        "<teaming type='transient' persistent='ua-net0'/><alias name='hostdev0'/></interface>"
        "<interface type='bridge'><mac address='52:54:00:12:34:57'/><source bridge='br0'/>"
        "<target dev='vnet1'/><model type='virtio'/><teaming type='persistent'/>"
        "<alias name='ua-net1'/></interface>"
        "<interface type='hostdev' managed='yes'><mac address='52:54:00:12:34:57'/>"
        "<source><address type='pci' domain='0' bus='1' slot='16' function='2'/></source>"
        "<teaming type='transient' persistent='ua-net1'/><alias name='hostdev1'/></interface>"
        "</devices></domain>";
    virTeamingVf vf = { .index = 1, .trust = -1 };

    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &vf.address));
    hostAddPci(host, "0000:01:10.2", "vfio-pci", "0000:01:00.0", "");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostAddLink(host, "vnet1", "tun", "br0", "");
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    virTeamingFakeSetPciState(host->kernel, &vf.address, TRUE, 3);
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
}


/* At once, the pairs of a domain would take each other's VFs: one is plugged after the other. */
static void
testPlugOneByOne(Host *host,
                 gconstpointer opaque)
{
    hostTwoPairs(host);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);

    virTeamingDriverTellPlug(host->driver, UUID, &host->plugging, "not now");
    g_assert_cmpuint(host->plugged, ==, 2);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 2);
    virTeamingDriverTellPlug(host->driver, UUID, &host->plugging, NULL);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 3);
}


/* While QEMU opens the next VF, a guest that looks at the one before stands still: that one is
 * waited for. Nor is libvirt asked meanwhile. @opaque: whether the guest has a driver for it. */
static void
testPlugWhenRead(Host *host,
                 gconstpointer opaque)
{
    const gboolean driven = GPOINTER_TO_INT(opaque);
    virTeamingPciAddress second;

    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &second));
    hostTwoPairs(host);
    hostWait(host, 10);
    g_assert_cmpuint(host->plugged, ==, 1);

    hostCountAsked(host);
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    virTeamingFakeSetPciState(host->kernel, &second, FALSE, 0);
    virTeamingDriverTellPlug(host->driver, UUID, &host->plugging, NULL);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_cmpuint(host->asked, ==, 0);
    /* It drives it, but does not read from it yet. */
    if (driven) {
        virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 0);
        virTeamingFakeSetPciState(host->kernel, &second, TRUE, 0);
        hostWait(host, 100);
        g_assert_cmpuint(host->plugged, ==, 1);
        virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
        virTeamingFakeSetPciState(host->kernel, &second, TRUE, 3);
        hostWait(host, 100);
    } else {
        hostWait(host, 2500);
    }
    g_assert_cmpuint(host->plugged, ==, 2);
    g_assert_cmpuint(host->asked, ==, 0);
    virTeamingDriverTellPlug(host->driver, UUID, &host->plugging, NULL);
    g_assert_cmpuint(host->asked, ==, 1);
}


/* The guest has gone before libvirt says how plugging its VF went: so has its pair, then. */
static void
testPlugTooLate(Host *host,
                gconstpointer opaque)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);

    hostTwoPairs(host);
    hostWait(host, 10);
    hostCountAsked(host);
    for (guint i = 0; i < pairs->len; i++)
        ((virTeamingPairObj *)pairs->pdata[i])->guest = VIR_TEAMING_GUEST_GONE;
    virTeamingDriverTellPlug(host->driver, UUID, &host->plugging, NULL);
    hostWait(host, 10);
    g_assert_cmpuint(pairs->len, ==, 0);
    g_assert_cmpuint(host->asked, ==, 0);
}


/* The guest has gone and been started again before libvirt says how plugging its VF went, or asking
 * for it: of the new one that says nothing. */
static void
testPlugOfFormer(Host *host,
                 gconstpointer opaque)
{
    hostTwoPairs(host);
    hostWait(host, 10);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "domain is not running");
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, "domain is not running");
    hostExpectProblem(host, NULL);
    hostWait(host, 10 * 1000);
    g_assert_true(hostPair(host)->hasVf);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* libvirt calls the migrate hook also for a guest that can't arrive: it is here. */
static void
testMigrateToSelf(Host *host,
                  gconstpointer opaque)
{
    hostDrive(host);
    hostHook(host, "migrate", arrivingXml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostExpect(host, "");
}


/* A guest comes back while its QEMU here is still being ended. @opaque: how far libvirt has got with
 * that when it calls the migrate hook. */
static void
testComeBackSoon(Host *host,
                 gconstpointer opaque)
{
    const guint before = GPOINTER_TO_UINT(opaque);
    g_autoptr(GError) error = NULL;
    g_autofree char *print = NULL;

    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    /* Not before it has gone: it may go on here. */
    hostHook(host, "migrate", arrivingXml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    for (guint i = 0; i < 4; i++) {
        if (i == before)
            hostHook(host, "migrate", arrivingXml);
        if (i == 0)
            virTeamingFakeRemoveLink(host->kernel, "vnet0");
        if (i == 1)
            hostHook(host, "stopped", domainXml);
        if (i == 2)
            g_assert_true(virTeamingDriverTellHook(host->driver, "release", "end migrated",
                                                   domainXml, &print, &error));
    }
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, FALSE);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostSetVfMac(host, MAC);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    hostExpect(host, "VfSetMac eth1 0 00:00:00:00:00:00\n");
    hostHook(host, "start", domainXml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_assert_cmpint(hostPair(host)->holdFd, >=, 0);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostPlugged(host);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* On a NIC that does not copy, the VF waits in an unused VLAN, and leaves it again. */
static void
testParkInVlan(Host *host,
               gconstpointer opaque)
{
    virTeamingVf vf = { .index = 0, .address = host->vf, .mac = host->mac, .trust = -1,
                        .vlan = 100, .qos = 5, .serviceVlan = GPOINTER_TO_INT(opaque) };
    virTeamingVf after;

    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    hostHook(host, "start", domainXml);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &after, NULL));
    g_assert_cmpuint(after.vlan, ==, VIR_TEAMING_PARK_VLAN);

    hostGuest(host, TRUE, 3);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &after, NULL));
    g_assert_cmpuint(after.vlan, ==, 100);
    g_assert_cmpuint(after.qos, ==, 5);
    g_assert_cmpint(after.serviceVlan, ==, vf.serviceVlan);

    hostGuest(host, FALSE, 0);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &after, NULL));
    g_assert_cmpuint(after.vlan, ==, VIR_TEAMING_PARK_VLAN);
    g_assert_false(after.serviceVlan);
    hostRestart(host);
    hostHook(host, "release", domainXml);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &after, NULL));
    g_assert_cmpuint(after.vlan, ==, 100);
    g_assert_cmpint(after.serviceVlan, ==, vf.serviceVlan);
    hostExpectClean(host);
}


/* The VF is detached for good: the standby carries, and nothing waits for the VF. */
static void
testDetach(Host *host,
           gconstpointer opaque)
{
    hostDrive(host);
    hostGuest(host, FALSE, 0);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
    /* libvirt takes the MAC away before it gives the VF back, and before it says so. */
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostSetVfMac(host, "00:00:00:00:00:00");
    hostSpin(host);
    hostExpect(host, "");
    virTeamingFakeSetDriver(host->kernel, &host->vf, "igbvf");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    hostExpect(host, "");

    /* And attached again. */
    virTeamingFakeSetDriver(host->kernel, &host->vf, "vfio-pci");
    hostSetVfMac(host, MAC);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostRead(host);
}


static void
hostMove(Host *host,
         gboolean toVf)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(virTeamingDriverMove(host->driver, "guest", NULL, toVf, &error));
    g_assert_no_error(error);
}


static void
hostRefuseMove(Host *host,
               const char *domain,
               const char *standby,
               gboolean toVf,
               const char *why)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(virTeamingDriverMove(host->driver, domain, standby, toVf, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, why));
}


/* The VF leaves the guest for good; libvirt gives it back to the host. */
static void
hostEject(Host *host)
{
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostSetVfMac(host, "00:00:00:00:00:00");
    virTeamingFakeSetDriver(host->kernel, &host->vf, "igbvf");
    hostSpin(host);
}


/* The same, and libvirt has told of it. */
static void
hostDriveKnown(Host *host)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 50);
    g_free(virTeamingFakeTakeLog(host->kernel));
}


/* To the standby, where the pair stays whatever happens to the daemon, and back. */
static void
testMove(Host *host,
         gconstpointer opaque)
{
    hostDriveKnown(host);
    hostMove(host, TRUE);
    g_assert_cmpuint(host->plugged, ==, 0);
    hostExpect(host, "");

    hostMove(host, FALSE);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel eth1 " MAC " master\n");
    g_assert_cmpuint(host->unplugged, ==, 1);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    hostRefuseMove(host, "guest", "ua-net0", TRUE, "it is being moved");
    hostMove(host, FALSE);
    g_assert_cmpuint(host->unplugged, ==, 1);

    hostGuest(host, TRUE, 0);
    hostExpect(host,
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "LinkSetLearning vnet0 on\n");
    hostEject(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpect(host, "");
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    hostWait(host, 60 * 1000);
    hostRestart(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 60 * 1000);
    hostMove(host, FALSE);
    hostWait(host, 60 * 1000);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_assert_cmpuint(host->unplugged, ==, 1);
    g_assert_cmpuint(host->plugged, ==, 0);
    hostExpectProblem(host, NULL);

    hostMove(host, TRUE);
    hostMove(host, TRUE);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_nonnull(strstr(host->plugXml, "sriov0"));
    hostRefuseMove(host, "guest", NULL, FALSE, "libvirt is plugging");
    hostPlugged(host);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* Who moved it to its standby may plug a VF by other means, too. */
static void
testMoveAndAttach(Host *host,
                  gconstpointer opaque)
{
    hostDriveKnown(host);
    hostMove(host, FALSE);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    /* The event that it has gone is lost; libvirt's word is as good. */
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    virTeamingFakeSetDriver(host->kernel, &host->vf, "vfio-pci");
    hostSetVfMac(host, MAC);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostGuest(host, TRUE, 3);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_NONE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SETTLING);

    /* And one that was detached by hand is plugged on request. */
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpuint(host->plugged, ==, 0);
    hostMove(host, TRUE);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* A VF that can't be plugged is tried for no longer. */
static void
testMoveWithoutVf(Host *host,
                  gconstpointer opaque)
{
    hostLand(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "no VF is free");
    hostMove(host, FALSE);
    g_assert_cmpuint(host->unplugged, ==, 1);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    hostExpectProblem(host, NULL);
}


static void
testMoveRefused(Host *host,
                gconstpointer opaque)
{
    hostRefuseMove(host, "guest", NULL, FALSE, "has no failover pair on this host");
    hostDrive(host);
    hostRefuseMove(host, "nobody", NULL, FALSE, "'nobody' has no failover pair on this host");
    hostRefuseMove(host, "guest", "ua-net1", TRUE, "no failover pair 'ua-net1'");
    hostRefuseMove(host, UUID, "ua-net0", FALSE, "has not told how");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostRefuseMove(host, "guest", NULL, FALSE, "is migrating");
    hostRefuseMove(host, "guest", NULL, TRUE, "is migrating");
    g_assert_cmpuint(host->unplugged, ==, 0);
}


/* A guest that does not let go, or a libvirt that does not ask it: as if nothing had been. */
static void
testMoveTakenBack(Host *host,
                  gconstpointer opaque)
{
    hostDriveKnown(host);
    hostMove(host, FALSE);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    hostWait(host, 27 * 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostWait(host, 2 * 1000);
    hostWait(host, 2 * 1000);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_NONE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostExpectProblem(host, "move to the standby given up: the guest did not let its VF hostdev0 "
                      "go within 30 s; does it handle PCI hot-unplug? unplugTimeout in the "
                      "domain's policy sets the time");
    g_assert_cmpuint(host->aborted, ==, 0);

    hostMove(host, FALSE);
    hostExpectProblem(host, NULL);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, "no");
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostExpectProblem(host, "move to the standby given up: no");

    /* What was asked of it can't be taken back: it gets again what it gives now. */
    hostEject(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostPlugged(host);
    hostRead(host);
}


/* The guest is not asked for its VF before its standby has a path; the daemon that was to
 * ask dies. */
static void
testMoveHindered(Host *host,
                 gconstpointer opaque)
{
    hostDriveKnown(host);
    virTeamingFakeFail(host->kernel, "FdbAdd", 1, EPERM);
    hostMove(host, FALSE);
    g_assert_cmpuint(host->unplugged, ==, 0);
    hostRestart(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_cmpuint(host->unplugged, ==, 1);
    /* The guest has its time from then on. */
    hostRestart(host);
    virTeamingDriverRun(host->driver, g_get_monotonic_time() + 1000 * 1000);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_OUT);
    /* Of what QEMU has been asked for it would refuse to be asked again. */
    g_assert_cmpuint(host->unplugged, ==, 1);
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* The domain without its VF, with what it carries along as libvirt puts it in: each element in our
 * namespace. */
static char *
hostCarry(Host *host)
{
    g_auto(GStrv) parts = g_strsplit(standbyXml, "<devices>", 2);
    g_auto(GStrv) elements = g_strsplit(host->note, "<", -1);
    g_autofree char *opened = g_strjoinv("<v:", elements);
    g_auto(GStrv) closing = g_strsplit(opened, "<v:/", -1);
    g_autofree char *note = g_strjoinv("</v:", closing);

    g_assert_true(g_str_has_prefix(note, "<v:moved>"));
    return g_strconcat(parts[0], "<metadata><v:moved xmlns:v='" VIR_TEAMING_MOVED_XMLNS "'>",
                       note + strlen("<v:moved>"), "</metadata><devices>", parts[1], NULL);
}


/* A guest that is on its standby migrates with a note of what its VF was: where it arrives,
 * it is looked after, stays there, and can be moved to a VF. */
static void
testMoveAndMigrate(Host *host,
                   gconstpointer opaque)
{
    g_autofree char *xml = NULL;

    hostDriveKnown(host);
    hostMove(host, FALSE);
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    g_assert_null(host->note);
    hostEject(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_nonnull(host->note);
    /* libvirt has no time for it, nor when the daemon is started again. */
    g_clear_pointer(&host->note, g_free);
    virTeamingDriverTellNote(host->driver, UUID, NULL);
    hostExpectProblem(host, NULL);
    virTeamingDriverTellNote(host->driver, UUID, "another job");
    hostExpectProblem(host, "another job");
    virTeamingDriverRun(host->driver, g_get_monotonic_time() + 4 * G_USEC_PER_SEC);
    g_assert_null(host->note);
    hostWait(host, 5000);
    g_assert_nonnull(host->note);
    g_clear_pointer(&host->note, g_free);
    virTeamingDriverTellNote(host->driver, UUID, "another job");
    hostRestart(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_nonnull(host->note);
    g_assert_null(strstr(host->note, "<interface"));
    g_assert_nonnull(strstr(host->note, "plug='no'"));
    xml = hostCarry(host);

    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "STOP", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostStop(host);
    hostExpectClean(host);
    g_free(virTeamingFakeTakeLog(host->kernel));

    hostHook(host, "migrate", xml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_assert_false(hostPair(host)->defer);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", xml);
    hostSpin(host);
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " master static sticky\n");
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    hostEvent(host, "RESUME", NULL);
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostRestart(host);
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 60 * 1000);
    hostExpect(host, TOLD_BACK);
    hostExpectProblem(host, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_cmpuint(host->plugged, ==, 0);

    hostMove(host, TRUE);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_true(host->absent);
    g_assert_nonnull(strstr(host->plugXml, "<source network=\"sriov0\"/>"));
    g_assert_nonnull(strstr(host->note, "plug='yes'"));
    hostRestart(host);
    hostWait(host, 0);
    g_assert_cmpuint(host->plugged, ==, 2);
    hostPlugged(host);
    g_assert_null(host->note);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* The host takes the guest's VF away, and has no other. */
static void
hostTakeAway(Host *host)
{
    hostDriveKnown(host);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_null(host->note);
    virTeamingFakeRemovePci(host->kernel, &host->vf);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_true(host->absent);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "there is no VF");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
}


/* Where there is no VF for it a guest does not stay; it gets one where it arrives. @opaque: it
 * arrives at the second attempt. */
static void
testEvacuate(Host *host,
             gconstpointer opaque)
{
    g_autofree char *xml = NULL;

    hostTakeAway(host);
    g_assert_nonnull(strstr(host->note, "plug='yes'"));
    xml = hostCarry(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostWait(host, 6000);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostEvent(host, "STOP", NULL);
    hostStop(host);
    hostExpectClean(host);

    hostAddPci(host, "0000:01:10.0", "vfio-pci", "0000:01:00.0", "");
    if (opaque)
        hostHook(host, "migrate", xml);
    hostHook(host, "migrate", xml);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", xml);
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    hostRestart(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
    g_assert_cmpuint(host->plugged, ==, 2);
    g_assert_true(host->absent);
    g_assert_nonnull(strstr(host->plugXml, "<source network=\"sriov0\"/>"));
    hostPlugged(host);
    g_assert_null(host->note);
    hostRead(host);
    hostExpectProblem(host, NULL);
    hostStop(host);
    hostExpectClean(host);
}


/* Nobody was there when it arrived; or that it may have a VF could not be put into the domain, and
 * the daemon is started anew. */
static void
testEvacuateUnseen(Host *host,
                   gconstpointer opaque)
{
    g_autofree char *xml = NULL;

    hostTakeAway(host);
    xml = hostCarry(host);
    virTeamingDriverTellNote(host->driver, UUID, "another job");
    hostRestart(host);
    g_clear_pointer(&host->note, g_free);
    hostWait(host, 1000);
    g_assert_nonnull(strstr(host->note, "plug='yes'"));
    hostStop(host);
    hostExpectClean(host);

    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_cmpuint(host->plugged, ==, 3);
}


/* libvirt knows of no VF, and who is to have none is asked for none: by its name it may be that of
 * another pair. Nor is it to get one elsewhere. */
static void
testMoveAbsent(Host *host,
               gconstpointer opaque)
{
    hostTakeAway(host);
    hostMove(host, FALSE);
    g_assert_cmpuint(host->unplugged, ==, 0);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_nonnull(strstr(host->note, "plug='no'"));
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostWait(host, 60 * 1000);
    g_assert_false(hostPair(host)->unplugged);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* A migration begins while libvirt has not plugged the VF yet: there is none to leave behind, and
 * where the guest arrives it is known that it should have one. */
static void
testPlugNothingAsItLeaves(Host *host,
                          gconstpointer opaque)
{
    hostTakeAway(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_PREPARING, FALSE);
    hostWait(host, 6000);
    g_assert_cmpuint(host->plugged, ==, 2);
    /* libvirt has said that it is busy, and is left alone for a while. */
    virTeamingDriverTellBusy(host->driver, UUID, &host->mac);
    hostExpectProblem(host, "there is no VF");
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 2);
    hostWait(host, 5000);
    g_assert_cmpuint(host->plugged, ==, 3);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    /* What the domain does not carry along would stay behind. */
    virTeamingDriverTellNote(host->driver, UUID, "another job");
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* The owner plugs a VF where libvirt could not: it is his, and not taken out to be plugged anew. */
static void
testPlugByOwner(Host *host,
                gconstpointer opaque)
{
    hostLand(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_false(host->absent);
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "no VF is free");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpectProblem(host, "no VF is free");
    hostWait(host, 4500);

    virTeamingFakeSetDriver(host->kernel, &host->vf, "vfio-pci");
    hostSetVfMac(host, MAC);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostExpectProblem(host, NULL);
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostRead(host);
    g_assert_null(host->note);
}


typedef struct {
    gboolean done;
    char *out;
    char *err;
} Command;


static void
commandEnded(GObject *source,
             GAsyncResult *result,
             gpointer opaque)
{
    Command *command = opaque;
    g_autoptr(GError) error = NULL;

    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &command->out,
                                         &command->err, &error);
    g_assert_no_error(error);
    command->done = TRUE;
}


/* Runs 'virt-teaming move' with the words of @line against the driver; while it waits,
 * @meanwhile happens, once. It ends with @status and says @out and @err. */
static void
hostCommand(Host *host,
            const char *line,
            void (*meanwhile)(Host *host),
            int status,
            const char *out,
            const char *err)
{
    g_autofree char *words = g_strdup_printf("%s move --state-dir %s %s",
                                             g_getenv("VIR_TEAMING_TEST_PROGRAM"),
                                             host->statedir, line);
    g_auto(GStrv) argv = g_strsplit(words, " ", -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        (const char *const *)argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
        &error);
    const guint asked = host->plugged + host->unplugged;
    Command command = { FALSE };

    g_assert_no_error(error);
    g_subprocess_communicate_utf8_async(process, NULL, NULL, commandEnded, &command);
    while (!command.done) {
        g_main_context_iteration(NULL, TRUE);
        if (meanwhile && host->plugged + host->unplugged > asked) {
            meanwhile(host);
            meanwhile = NULL;
        }
    }
    g_test_message("%s: %s%s", line, command.out, command.err);
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, status);
    g_assert_nonnull(strstr(command.out, out));
    g_assert_nonnull(strstr(command.err, err));
    g_free(command.out);
    g_free(command.err);
}


static void
hostLetGo(Host *host)
{
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    hostEject(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
}


static void
hostKeep(Host *host)
{
    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, "no");
}


static void
hostTakeUp(Host *host)
{
    hostPlugged(host);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
}


static void
hostCannotPlug(Host *host)
{
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "no VF is free");
}


/* What a person sees of it, over the daemon's own socket. */
static void
testMoveCommand(Host *host,
                gconstpointer opaque)
{
    g_autofree char *socket = g_build_filename(host->statedir, VIR_TEAMING_BUS_SOCKET, NULL);
    g_autoptr(GError) error = NULL;
    virTeamingBus *bus = virTeamingBusNew(socket, host->driver, &error);

    g_assert_no_error(error);
    hostDriveKnown(host);
    hostCommand(host, "guest", NULL, 2, "", "move needs --to standby or --to vf");
    hostCommand(host, "--to vf", NULL, 2, "", "move takes one DOMAIN");
    hostCommand(host, "nobody --to vf", NULL, 2, "",
                "error: domain 'nobody' has no failover pair on this host\n");
    hostCommand(host, "guest --to standby --pair ua-x", NULL, 2, "", "no failover pair 'ua-x'");
    hostCommand(host, "guest --to standby", hostKeep, 1,
                "guest: ua-net0 is not on its standby: move to the standby given up: no\n", "");
    hostCommand(host, "guest --to standby --timeout 0", NULL, 1,
                "ua-net0 is not on its standby yet", "virtteamingd goes on");
    hostLetGo(host);
    hostCommand(host, UUID " --to standby", NULL, 0, "guest: ua-net0 is on its standby\n", "");
    hostCommand(host, "guest --to vf --timeout 0", NULL, 1, "ua-net0 is not on its VF yet: ", "");
    hostCannotPlug(host);
    hostCommand(host, "guest --to vf --timeout 0 --format json", NULL, 1, "\"no VF is free\"", "");
    hostWait(host, 6000);
    g_assert_cmpuint(host->plugged, ==, 2);
    hostTakeUp(host);
    hostCommand(host, "guest --to vf", NULL, 0, "guest: ua-net0 is on its VF 0000:01:10.0\n", "");
    hostCommand(host, "guest --to standby --format json", hostLetGo, 0, "\"done\" : true", "");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostCommand(host, "guest --to vf", NULL, 2, "", "the guest is migrating");
    virTeamingBusFree(bus);
}


/* @xml with another standby, which never had a VF. */
static void
hostTellBesideAlone(Host *host,
                    const char *xml)
{
    g_auto(GStrv) parts = g_strsplit(xml, "</devices>", 2);
    g_autofree char *both = g_strconcat(
        parts[0], "<interface type='bridge'><mac address='52:54:00:00:00:09'/>"
        "<source bridge='br0'/><target dev='vnet1'/><model type='virtio'/>"
        "<teaming type='persistent'/><alias name='ua-net9'/></interface></devices>", parts[1],
        NULL);

    hostTellXml(host, both, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 2);
}


static gboolean
hostLetGoBesideAlone(gpointer opaque)
{
    Host *host = opaque;

    virTeamingDriverTellUnplug(host->driver, UUID, &host->mac, NULL);
    hostEject(host);
    hostTellBesideAlone(host, standbyXml);
    return G_SOURCE_REMOVE;
}


/* The command has looked once by then. */
static void
hostLetGoLater(Host *host)
{
    g_timeout_add(500, hostLetGoBesideAlone, host);
}


static void
hostTakeUpBesideAlone(Host *host)
{
    hostPlugged(host);
    hostTellBesideAlone(host, domainXml);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
}


/* What never had a VF is on its standby, and is not waited for on the way back; a long wait is
 * no short one. */
static void
testMoveCommandBesideAlone(Host *host,
                           gconstpointer opaque)
{
    g_autofree char *socket = g_build_filename(host->statedir, VIR_TEAMING_BUS_SOCKET, NULL);
    g_autoptr(GError) error = NULL;
    virTeamingBus *bus = virTeamingBusNew(socket, host->driver, &error);

    g_assert_no_error(error);
    hostDriveKnown(host);
    hostTellBesideAlone(host, domainXml);
    hostCommand(host, "guest --to standby --pair ua-net9", NULL, 0,
                "guest: ua-net9 is on its standby\n", "");
    hostCommand(host, "guest --to standby --timeout 3000", hostLetGoLater, 0,
                "guest: ua-net9 is on its standby\n", "");
    hostCommand(host, "guest --to vf --timeout 20", hostTakeUpBesideAlone, 0,
                "guest: ua-net9 stays on its standby: it has had no VF here\n", "");
    virTeamingBusFree(bus);
}


/* QEMU has handed the guest over, and libvirt resumes it here. */
static void
hostComeBack(Host *host)
{
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"device\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostUpgrade(host);
    hostEvent(host, "RESUME", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
}


static void
testHidden(Host *host,
           gconstpointer opaque)
{
    hostComeBack(host);
    hostRefuseMove(host, "guest", NULL, FALSE, "QEMU keeps its VF back");
    g_assert_cmpuint(host->unhidden, ==, 0);
    hostWait(host, 1100);
    g_assert_cmpuint(host->unhidden, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"failed\"}");
    virTeamingDriverTellUnhide(host->driver, UUID, "No space left on device");
    hostExpectProblem(host, NULL);
    hostGuest(host, TRUE, 3);
    hostWait(host, 60 * 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_assert_cmpuint(host->unhidden, ==, 1);
    hostStop(host);
    hostExpectClean(host);
}


/* QEMU shows all that it keeps from a guest at once, and is made to do so once. */
static void
testHiddenBoth(Host *host,
               gconstpointer opaque)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);

    hostTwoPairs(host);
    hostGuest(host, FALSE, 0);
    for (guint i = 0; i < 2; i++) {
        virTeamingPairObj *pair = g_ptr_array_index(pairs, i);

        virTeamingFakeSetPciState(host->kernel, &pair->vf, FALSE, 0);
        pair->unplugged = pair->nameless = FALSE;
    }
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostEvent(host, "RESUME", NULL);
    for (guint i = 0; i < 2; i++)
        g_assert_true(((virTeamingPairObj *)pairs->pdata[i])->hidden);
    hostWait(host, 1100);
    g_assert_cmpuint(host->unhidden, ==, 1);
    /* Nor while that waits for libvirt. */
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->unhidden, ==, 1);
    virTeamingDriverTellUnhide(host->driver, UUID, "not today");
    hostWait(host, 30 * 1000);
    g_assert_cmpuint(host->unhidden, ==, 2);
}


/* It can't be had: tried a few times, then said. A migration elsewhere is another way. */
static void
testHiddenForGood(Host *host,
                  gconstpointer opaque)
{
    hostComeBack(host);
    hostRestart(host);
    for (guint i = 0; i < 10; i++) {
        hostWait(host, 30 * 1000);
        virTeamingDriverTellUnhide(host->driver, UUID, "not today");
    }
    g_assert_cmpuint(host->unhidden, ==, 5);
    hostExpectProblem(host, "QEMU keeps the VF hostdev0 from the guest, which was taken back after "
                      "its migration had completed, and could not be made to show it again (not "
                      "today); it lives on its standby until it is shut down and started, or "
                      "migrated");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelled\"}");
    hostExpectProblem(host, NULL);
}


/* Nobody heard how the migration ended, only that the guest runs here. */
static void
testHiddenUnheard(Host *host,
                  gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "STOP", NULL);
    hostRestart(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 1100);
    g_assert_cmpuint(host->unhidden, ==, 1);
    /* It had failed, and QEMU has shown the VF long since. */
    hostGuest(host, TRUE, 3);
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->unhidden, ==, 1);
}


static void
testNeverLetsGo(Host *host,
                gconstpointer opaque)
{
    g_autofree char *problem = NULL;

    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostWait(host, 27 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 2 * 1000);
    hostWait(host, 2 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    problem = virTeamingPairObjGetProblem(virTeamingDriverPairs(host->driver)->pdata[0]);
    g_assert_nonnull(strstr(problem, "30 s"));
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostWait(host, 2 * 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
}


/* A guest that lets its VF go when the migration is off already gets it back. */
static void
testLetsGoLate(Host *host,
               gconstpointer opaque)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelled\"}");
    g_assert_cmpuint(host->plugged, ==, 0);
    /* Or, if libvirtd was restarted, only libvirt's word tells. */
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_nonnull(strstr(host->plugXml, "sriov0"));

    /* But one that was detached by its owner does not. */
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, NULL);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 1);
}


static void
testWaitsIfTold(Host *host,
                gconstpointer opaque)
{
    host->policy.onUnplugTimeout = VIR_TEAMING_ON_UNPLUG_TIMEOUT_WAIT;
    hostRestart(host);
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostWait(host, 3600 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
}


/* QEMU copies memory although the guest still has its VF: no event tells, the bit does. */
static void
testCopiesWithLiveVf(Host *host,
                     gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    g_assert_cmpuint(host->aborted, ==, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* The connection to libvirt is lost while memory is copied, and the guest drives its VF again. */
static void
hostLoseLibvirt(Host *host)
{
    hostCopy(host);
    virTeamingDriverTellLibvirt(host->driver, "closed the connection");
    hostGuest(host, TRUE, 3);
}


/* libvirtd is restarted while memory is copied, and cancels the migration: the guest has its VF
 * again, and nobody has told why. */
static void
testCancelUnheard(Host *host,
                  gconstpointer opaque)
{
    hostLoseLibvirt(host);
    hostWait(host, 1000);
    virTeamingDriverTellLibvirt(host->driver, NULL);
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostExpectProblem(host, NULL);
}


/* The same, but it does go on. */
static void
testCopiesWithLiveVfUnheard(Host *host,
                            gconstpointer opaque)
{
    hostLoseLibvirt(host);
    virTeamingDriverTellLibvirt(host->driver, NULL);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, TRUE);
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* Tried again at once, it is given up again, although QEMU asks for nothing this time. */
static void
testRefusedTwice(Host *host,
                 gconstpointer opaque)
{
    hostDrive(host);
    for (guint i = 1; i <= 2; i++) {
        hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
        g_assert_cmpuint(host->aborted, ==, 1);
        hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
        hostWait(host, 1000);
    }
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostWait(host, 5000);
    g_assert_cmpuint(host->aborted, ==, 2);
}


/* QEMU plugs what it was refused to unplug: the guest loses it for good, and gets it back. */
static void
testRefusedAndLost(Host *host,
                   gconstpointer opaque)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelled\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* Reset while its memory is copied, the guest finds its VF again: given up, and that is all. */
static void
testResetWhileCopied(Host *host,
                     gconstpointer opaque)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "RESET", NULL);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostGuest(host, TRUE, 0);
    hostGuest(host, TRUE, 0);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostRead(host);
    /* A detach by its owner, later. */
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* Its owner's detach keeps the slot busy: QEMU is refused, says nothing, and waits for that. */
static void
testRefusedAndWaits(Host *host,
                    gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"wait-unplug\"}");
    hostWait(host, 27 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 4 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostWait(host, 31 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* The guest takes its VF up just before it is stopped: there is still time to give up. */
static void
testStopsWithLiveVf(Host *host,
                    gconstpointer opaque)
{
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_assert_cmpuint(host->aborted, ==, 0);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostEvent(host, "STOP", NULL);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* A guest in its firmware does not drive its VF, and never ejects it. */
static void
testFirmwareNeverLetsGo(Host *host,
                        gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "RESET", NULL);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostWait(host, 27 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 4 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* Suspended while QEMU waits for its VF: it is not going anywhere, and will not. */
static void
testSuspendedWhileAskedOut(Host *host,
                           gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "STOP", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostExpect(host, "");
    hostWait(host, 31 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
}


/* libvirt stops a guest that it saves, and one that it migrates without --live, before that begins:
 * it can't let its VF go, and is not left standing for longer than need be. */
static void
testStoppedBeforeAskedOut(Host *host,
                          gconstpointer opaque)
{
    hostDrive(host);
    /* It goes on before it is asked: all as ever. */
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "RESUME", NULL);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostWait(host, 20 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    host->ahead = 0;

    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"wait-unplug\"}");
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostExpectProblem(host, "migration given up: the guest is stopped and cannot let its VF hostdev0 "
                      "go; migrate it with --live, or move it to its standby first ('virt-teaming "
                      "move')");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostEvent(host, "RESUME", NULL);

    /* That it goes on may not be heard, while libvirtd is restarted. */
    hostEvent(host, "STOP", NULL);
    virTeamingDriverTellLibvirt(host->driver, "gone");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* Suspended while its memory is copied, it is left alone until it is resumed. */
static void
testSuspendedWhileCopied(Host *host,
                         gconstpointer opaque)
{
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "RESUME", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    g_assert_cmpuint(host->aborted, ==, 0);
}


/* A guest that let its VF go while the migration was being cancelled has it back; what its
 * owner takes away later stays away. */
static void
testDetachAfterCancel(Host *host,
                      gconstpointer opaque)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelling\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"cancelled\"}");
    hostGuest(host, TRUE, 3);
    hostWait(host, 2000);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* A daemon that starts while QEMU waits for the VF, or libvirt for the other host, which it can't
 * tell apart, neither gives up at once nor never. */
static void
testLateWhileAskedOut(Host *host,
                      gconstpointer opaque)
{
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostWait(host, (5 * 60 + 29) * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 2 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* The other host could not be prepared: QEMU has not heard of a migration, and says nothing. */
static void
testNeverAskedOut(Host *host,
                  gconstpointer opaque)
{
    hostDriveKnown(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostCountAsked(host);
    hostWait(host, 5000);
    g_assert_cmpuint(host->asked, ==, 1);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    /* And the guest, which was asked for nothing, owes nothing. */
    g_assert_false(hostPair(host)->ejectLate);
    hostGuest(host, FALSE, 0);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_false(hostPair(host)->hidden);
    hostGuest(host, TRUE, 3);

    /* Or disks are copied first, which takes as long as it takes. */
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_PREPARING, FALSE);
    hostWait(host, 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostWait(host, 3600 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostExpectProblem(host, NULL);

    /* What was heard is so, though. */
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_PREPARING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostWait(host, 31 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    /* But no memory is copied. */
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, TRUE);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_PREPARING, FALSE);
    g_assert_false(hostPair(host)->migrating);
}


/* While the kernel does not answer, it is not asked all the time. */
static void
testBlind(Host *host,
          gconstpointer opaque)
{
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostGuest(host, TRUE, 1);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostGuest(host, TRUE, 3);
    g_assert_nonnull(hostPair(host)->problem);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    hostWait(host, 20);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostWait(host, 50);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SETTLING);
    hostExpectProblem(host, NULL);
}


/* All that libvirt says while a migration is under way can be said at any time; that there is none
 * cannot. */
static void
testEndUnheard(Host *host,
               gconstpointer opaque)
{
    hostDriveKnown(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_UNPLUGGING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_false(hostPair(host)->migrating);
    hostRead(host);
    g_assert_cmpuint(host->aborted, ==, 0);
}


/* A timeout is as long as one may set it. */
static void
testLongTimeout(Host *host,
                gconstpointer opaque)
{
    host->policy.unplugTimeout = 86400;
    hostRestart(host);
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    for (guint i = 0; i < 86; i++)
        hostWait(host, 1000 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 401 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* An owner who knows that his guests pair without a MAC: none finds its VF taken away for that. */
static void
testParkedWithoutMac(Host *host,
                     gconstpointer opaque)
{
    host->policy.parking = VIR_TEAMING_PARKING_ZERO;
    hostRestart(host);
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               "VfSetMac eth1 0 00:00:00:00:00:00\n");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostGuest(host, TRUE, 1);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostGuest(host, TRUE, 3);
    hostWait(host, 10 * 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* For @ms, without the test's own clock, a bridge tells of somebody else's entries all the time. */
static void
hostHearStrangers(Host *host,
                  guint ms)
{
    const gint64 end = g_get_monotonic_time() + ms * 1000;
    static virTeamingMac stranger = { { 0x52, 0x54, 0, 0x99, 0, 0 } };

    while (g_get_monotonic_time() < end) {
        stranger.addr[5]++;
        virTeamingFakeReceive(host->kernel, "eth1", &stranger, 0);
        while (g_main_context_iteration(NULL, FALSE))
            ;
        g_usleep(50 * 1000);
    }
}


/* What becomes of the VF, of which nobody tells, is noticed all the same. */
static void
testBusyBridge(Host *host,
               gconstpointer opaque)
{
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    /* Of its own steps the driver hears, too, and looks once more for that. */
    hostHearStrangers(host, 2500);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostHearStrangers(host, 2500);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
}


/* In another bridge somebody sends from the guest's MAC, by two ports in turn. */
static void
testFlap(Host *host,
         gconstpointer opaque)
{
    hostBoot(host);
    hostAddLink(host, "br1", "bridge", "", "");
    hostAddLink(host, "tap8", "tun", "br1", "");
    hostAddLink(host, "tap9", "tun", "br1", "");
    /* No echo of its own steps. */
    hostHearStrangers(host, 2500);
    g_free(virTeamingFakeTakeLog(host->kernel));

    virTeamingFakeFail(host->kernel, "FdbList", 10, EIO);
    for (guint i = 0; i < 20; i++) {
        virTeamingFakeReceive(host->kernel, i % 2 ? "tap8" : "tap9", &host->mac, 0);
        while (g_main_context_iteration(NULL, FALSE))
            ;
        hostExpectProblem(host, NULL);
    }
    virTeamingFakeFail(host->kernel, "FdbList", 0, 0);
    hostExpect(host, "");
}


/* A guest writes its feature word over and over, and QEMU tells each time. What libvirt was asked
 * before is not asked again for that. */
static void
testNegotiateForEver(Host *host,
                     gconstpointer opaque)
{
    guint serial;
    gint64 openAt;

    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    serial = virTeamingDriverSerial(host->driver, UUID);
    openAt = hostPair(host)->openAt;
    g_usleep(1000);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    g_assert_cmpuint(virTeamingDriverSerial(host->driver, UUID), ==, serial);
    /* Each time QEMU may be about to open the VF. */
    g_assert_cmpint(hostPair(host)->openAt, >, openAt);
    hostEvent(host, "RESET", NULL);
    g_assert_cmpuint(virTeamingDriverSerial(host->driver, UUID), !=, serial);
}


/* libvirt was away when a guest began to arrive, and when its memory had. */
static void
testArriveDeaf(Host *host,
               gconstpointer opaque)
{
    hostArrive(host);
    virTeamingDriverTellLibvirt(host->driver, "closed the connection");
    virTeamingDriverTellLibvirt(host->driver, NULL);
    hostResume(host);
    hostPlugged(host);
    hostGuest(host, TRUE, 3);
    hostWait(host, 2000);
    /* That the guest does not let its VF go is noticed. */
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostWait(host, 31 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostStop(host);

    hostArrive(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"postcopy-active\"}");
    hostResume(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    virTeamingDriverTellLibvirt(host->driver, "closed the connection");
    virTeamingDriverTellLibvirt(host->driver, NULL);
    host->postcopy = TRUE;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
    host->postcopy = FALSE;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 2);
}


/* The daemon dies while memory follows a guest that has arrived. @opaque: before it has heard of
 * that. */
static void
testPostcopyRestart(Host *host,
                    gconstpointer opaque)
{
    hostArrive(host);
    if (!opaque) {
        hostEvent(host, "MIGRATION", "{\"status\":\"postcopy-active\"}");
        hostResume(host);
    }
    hostRestart(host);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
    host->postcopy = TRUE;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
    g_assert_nonnull(strstr(virTeamingPairObjExplain(hostPair(host)), "when all of the guest's"));

    /* QEMU has told of the end before libvirt knew, which says so later. */
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 1000);
    host->postcopy = FALSE;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 1);
}


/* QEMU waited for a VF that its owner's detach had taken; the guest came back without one. */
static void
testWaitedAndBack(Host *host,
                  gconstpointer opaque)
{
    hostDriveKnown(host);
    hostEvent(host, "MIGRATION", "{\"status\":\"wait-unplug\"}");
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    /* Of what it does not have nothing is waited for. */
    hostEvent(host, "MIGRATION", "{\"status\":\"wait-unplug\"}");
    hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
}


/* The guest went while nobody looked: what it had here is not touched again. */
static void
testGoneMeanwhile(Host *host,
                  gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostSetVfMac(host, "00:00:00:00:00:00");
    virTeamingFakeSetDriver(host->kernel, &host->vf, "igbvf");
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostRestart(host);
    hostExpect(host, "FdbDel eth1 " MAC " self\n");
    hostExpectClean(host);
}


static void
testArriveInVain(Host *host,
                 gconstpointer opaque)
{
    hostArrive(host);
    hostStop(host);
    hostExpectClean(host);
}


/* A migrate hook with nothing behind it is forgotten in the end. */
static void
testNeverArrives(Host *host,
                 gconstpointer opaque)
{
    hostHook(host, "migrate", arrivingXml);
    hostWait(host, 10 * 60 * 1000);
    hostExpectClean(host);
}


/* Events lost, the daemon started late: the VF's bits and libvirt's word are enough. */
static void
testLate(Host *host,
         gconstpointer opaque)
{
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostGuest(host, FALSE, 0);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_INACTIVE, FALSE);
    hostExpectClean(host);
}


/* The whole way out and a way in, with a new daemon after each thing that happens. */
static void
testRestartAnywhere(Host *host,
                    gconstpointer opaque)
{
    hostBoot(host);
    hostRestart(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRestart(host);
    hostGuest(host, TRUE, 3);
    hostRestart(host);
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostRestart(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostRestart(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostGuest(host, FALSE, 0);
    hostRestart(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostEvent(host, "STOP", NULL);
    hostUpgrade(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostStop(host);
    hostRestart(host);
    hostExpectClean(host);

    hostHook(host, "migrate", arrivingXml);
    hostRestart(host);
    hostSetVfMac(host, MAC);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", domainXml);
    hostRestart(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostUpgrade(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LANDING);
    hostEvent(host, "RESUME", NULL);
    hostRestart(host);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* While a guest is stopped nothing is journalled. Of a daemon that dies then nobody knows what it
 * was told, but what it may have done was foretold; and libvirt knows how the guest fared. */
static void
testRestartStopped(Host *host,
                   gconstpointer opaque)
{
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    hostRestart(host);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_DEPARTING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostStop(host);
    hostExpectClean(host);

    /* It comes back from there after it had completed. */
    hostCopy(host);
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostRestart(host);
    hostEvent(host, "RESUME", NULL);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_true(hostPair(host)->hidden);
    hostStop(host);
    hostExpectClean(host);

    /* It comes here, and QEMU was not let at its VF, which nobody kept from it. */
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, FALSE);
    host->policy.plug = VIR_TEAMING_PLUG_STOCK;
    hostRestart(host);
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRestart(host);
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 3000);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostStop(host);
    hostExpectClean(host);

    /* It has landed, and does not come after all: the filter entry is taken away. */
    hostArrive(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRestart(host);
    hostStop(host);
    hostExpectClean(host);
}


/* Each call to the kernel fails once, at each place: a second look mends it. */
static void
testRefusals(Host *host,
             gconstpointer opaque)
{
    static const char *const ops[] = {
        "LinkGet", "LinkSetLearning", "LinkSetFlooding", "VfGet", "VfSetMac", "FdbList",
        "FdbAdd", "FdbDel", "FrameSend", "FrameListen"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ops); i++) {
        for (guint nth = 1; nth < 8; nth++) {
            g_test_message("%s fails at call %u", ops[i], nth);
            hostBoot(host);
            virTeamingFakeFail(host->kernel, ops[i], nth, EBUSY);
            hostGuest(host, TRUE, 3);
            hostWait(host, 2000);
            hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
            hostGuest(host, FALSE, 0);
            hostEvent(host, "STOP", NULL);
            hostWait(host, 2000);
            g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
            hostStop(host);
            virTeamingFakeFail(host->kernel, ops[i], 0, 0);
            hostWait(host, 2000);
            hostExpectClean(host);
        }
    }
}


/* A hook's call that makes no sense is passed over, and changes nothing. */
static void
testHookNonsense(Host *host,
                 gconstpointer opaque)
{
    static const char *const texts[] = { "", "<", "<teaming", "<domain/>", "<network/>" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *print = NULL;

        g_assert_true(virTeamingDriverTellHook(host->driver, "start", "begin", texts[i],
                                               &print, &error));
        g_assert_no_error(error);
        g_assert_null(print);
    }
    hostExpect(host, "");
    hostExpectClean(host);
}


/* A domain that libvirt runs, and whose XML is more than we read, is let through. */
static void
testHookUnread(Host *host,
               gconstpointer opaque)
{
    g_autoptr(GString) tag = g_string_new("<metadata><m:many xmlns:m='urn:many'");
    g_auto(GStrv) parts = g_strsplit(arrivingXml, "<os>", 2);
    g_autoptr(GError) error = NULL;
    g_autofree char *print = NULL;
    g_autofree char *xml = NULL;

    for (guint i = 0; i < 200; i++)
        g_string_append_printf(tag, " a%u='%u'", i, i);
    g_string_append(tag, "/></metadata><os>");
    xml = g_strjoinv(tag->str, parts);
    g_assert_true(virTeamingDriverTellHook(host->driver, "migrate", "begin", xml, &print, &error));
    g_assert_no_error(error);
    g_assert_null(print);
}


/*
 * Walks: everything that can happen to a pair, in every order, with what goes wrong.
 *
 * World is the truth: what libvirt, QEMU and the guest do, as they really may. The daemon is
 * told of it, but may miss any event, and may die and start again at any moment. Whenever it
 * is then given libvirt's word and some time, what must hold of a quiet host holds:
 *
 *  1. a guest that runs here and reads its VF gets its frames there: the VF has its MAC, in
 *     no VLAN of ours, and the bridge does not send them to the standby;
 *  2. one that runs here and does not read its VF gets them on its standby: the uplink's
 *     filter takes them, and the bridge sends them there;
 *  3. of a guest that is not here yet, or any more, this host takes no frames: no MAC on the
 *     VF, no filter, no entry that leads to the standby;
 *  4. of a guest that has gone, nothing of ours is left;
 *  5. a VF that has left its guest is away because somebody wants it so, or is about to be
 *     plugged; one that QEMU keeps back, QEMU has been made to show again; one that it was not
 *     let at is about to be plugged.
 */
typedef enum {
    WORLD_OFF,                      /* not here */
    WORLD_EXPECTED,                 /* the migrate hook was called */
    WORLD_INCOMING,                 /* QEMU waits for its memory */
    WORLD_LANDED,                   /* and has it */
    WORLD_HERE,
    WORLD_UNPLUG,                   /* QEMU has asked the guest for its VF */
    WORLD_COPY,
    WORLD_STOPPED,                  /* it is stopped, to go on elsewhere */
} World;

typedef struct {
    Host host;
    World world;
    gboolean busMaster;
    guint vectors;
    gboolean lose;                  /* the next event is lost */
    gboolean twice;                 /* or comes twice */
    gboolean delay;                 /* or after the one that follows it */
    char *late[2];                  /* one that has yet to come: its name and details */
    gboolean paused;                /* its owner has suspended it */
    gboolean dead;                  /* the daemon died in the middle of something */
    GHashTable *journal;            /* what it left then: contents by name of file */
    guint answered;                 /* requests to plug that libvirt has answered */
    gboolean vfOut;                 /* the domain has no VF any more */
    guint ejected;                  /* requests to unplug that the guest has answered */
    gboolean heard;                 /* a daemon has, of the migration that is under way */
    gboolean hidden;                /* QEMU keeps the VF back */
    guint unhidden;                 /* how often it had been made to show it, before */
    gboolean negotiated;            /* QEMU has opened the VF, or has tried to */
    gboolean refused;               /* it was not let, and the daemon could know */
    GString *path;                  /* what has happened, for who reads a failure */
} Walk;


/* What is late comes now. */
static void
walkCatchUp(Walk *walk)
{
    g_autofree char *name = g_steal_pointer(&walk->late[0]);
    g_autofree char *details = g_steal_pointer(&walk->late[1]);

    if (name)
        hostEvent(&walk->host, name, details);
}


static void
walkEvent(Walk *walk,
          const char *name,
          const char *details)
{
    const gboolean now = !walk->lose && !walk->delay;

    if (now)
        hostEvent(&walk->host, name, details);
    if (now && walk->twice)
        hostEvent(&walk->host, name, details);
    walkCatchUp(walk);
    if (walk->delay) {
        walk->late[0] = g_strdup(name);
        walk->late[1] = g_strdup(details);
    }
    walk->lose = walk->twice = walk->delay = FALSE;
}


/* The daemon dies while it gives orders: what its journal says at that moment is all that
 * another one will know. */
static void
walkDied(gpointer opaque)
{
    Walk *walk = opaque;
    g_autoptr(GDir) dir = g_dir_open(walk->host.statedir, 0, NULL);
    const char *name;

    walk->dead = TRUE;
    g_hash_table_remove_all(walk->journal);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(walk->host.statedir, name, NULL);
        char *text = NULL;

        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_hash_table_insert(walk->journal, g_strdup(name), text);
    }
}


static void
walkDieAt(Walk *walk,
          guint nth,
          gboolean late)
{
    virTeamingFakeDie(walk->host.kernel, nth, late, walkDied, walk);
}


/* Another daemon starts, where the last one has died. */
static void
walkRevive(Walk *walk)
{
    g_autoptr(GDir) dir = NULL;
    GHashTableIter iter;
    gpointer key, value;
    const char *name;

    if (!walk->dead)
        return;
    walk->dead = FALSE;
    walk->refused = FALSE;          /* what it was told while it died is nowhere */
    walkDieAt(walk, 0, FALSE);
    dir = g_dir_open(walk->host.statedir, 0, NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(walk->host.statedir, name, NULL);

        g_unlink(path);
    }
    g_hash_table_iter_init(&iter, walk->journal);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_autofree char *path = g_build_filename(walk->host.statedir, key, NULL);

        g_assert_true(g_file_set_contents(path, value, -1, NULL));
    }
    hostRestart(&walk->host);
}


static void
walkGuest(Walk *walk,
          gboolean busMaster,
          guint vectors)
{
    walk->busMaster = busMaster;
    walk->vectors = vectors;
    hostGuest(&walk->host, busMaster, vectors);
}


/* libvirt ends the domain, and gives the VF back to the host. */
static void
walkStop(Walk *walk)
{
    virTeamingFakeSetPciState(walk->host.kernel, &walk->host.vf, FALSE, 0);
    virTeamingFakeRemoveLink(walk->host.kernel, "vnet0");
    virTeamingFakeSetDriver(walk->host.kernel, &walk->host.vf, "igbvf");
    hostSetVfMac(&walk->host, "00:00:00:00:00:00");
    walk->busMaster = FALSE;
    walk->vectors = 0;
    walk->paused = FALSE;
    walk->world = WORLD_OFF;
    walk->vfOut = FALSE;
    walk->hidden = FALSE;
    walk->negotiated = FALSE;
    walk->refused = FALSE;
    walk->ejected = walk->host.unplugged;
    hostHook(&walk->host, "release", domainXml);
}


/* libvirt takes the VF, makes the tap, and is about to run QEMU. */
static void
walkStart(Walk *walk,
          World world)
{
    virTeamingFakeSetDriver(walk->host.kernel, &walk->host.vf, "vfio-pci");
    hostSetVfMac(&walk->host, MAC);
    hostAddLink(&walk->host, "vnet0", "tun", "br0", "");
    walk->world = world;
    hostHook(&walk->host, "start", domainXml);
}


/* The guest is one that may have a VF: QEMU opens it, if it is @let. */
static void
walkNegotiate(Walk *walk,
              gboolean let)
{
    const GPtrArray *pairs = virTeamingDriverPairs(walk->host.driver);
    const gboolean held = !walk->dead && pairs->len &&
        ((virTeamingPairObj *)pairs->pdata[0])->holdFd >= 0;

    if (let && !held && !walk->negotiated && !walk->vfOut)
        virTeamingFakeSetPciOpen(walk->host.kernel, &walk->host.vf, TRUE);
    walk->refused = !let && !walk->dead && !walk->lose && pairs->len > 0;
    walk->negotiated = TRUE;
    if (walk->world == WORLD_INCOMING)
        walk->world = WORLD_LANDED;
    walkEvent(walk, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
}


/* Things that can happen, in the order of walkTake(). */
static const char *const walkNames[] = {
    "start", "migrate-hook", "stop", "negotiated", "resume", "bit", "vectors",
    "no-vectors", "no-bit", "unplug", "active", "guest-stops", "cancel", "lost-event",
    "daemon-dies", "uplink-learns", "libvirt-plugs", "doubled-event", "late-event",
    "suspended", "resumed", "move-to-standby", "move-to-vf", "guest-ejects",
    "handed-over-and-back", "qemu-shows", "negotiated-but-refused",
    "stopped-elsewhere", "runs-elsewhere",
    "dies-before-1st-order", "dies-after-1st", "dies-before-2nd", "dies-after-2nd",
    "dies-before-3rd", "dies-after-3rd", NULL
};


#define WALK_ACTIONS 29
/* And death in the middle of something, which is tried in all places in testDeaths(). */
#define WALK_ALL_ACTIONS 35


/* Does one of them; returns whether it can happen, in the world as it is. */
static gboolean
walkTry(Walk *walk,
        guint action)
{
    const World world = walk->world;
    const gboolean here = world >= WORLD_HERE && world <= WORLD_COPY;
    const gboolean runs = here && !walk->paused;
    const gboolean odd = walk->lose || walk->twice || walk->delay;

    switch (action) {
    case 0:
        if (world != WORLD_OFF && world != WORLD_EXPECTED)
            return FALSE;
        walkStart(walk, world == WORLD_OFF ? WORLD_HERE : WORLD_INCOMING);
        return TRUE;
    case 1:
        if (world != WORLD_OFF)
            return FALSE;
        walk->world = WORLD_EXPECTED;
        hostHook(&walk->host, "migrate", arrivingXml);
        return TRUE;
    case 2:
        if (world == WORLD_OFF)
            return FALSE;
        walkStop(walk);
        return TRUE;
    case 3:
        if (world != WORLD_INCOMING && (world != WORLD_LANDED || walk->negotiated) && !runs)
            return FALSE;
        walkNegotiate(walk, TRUE);
        return TRUE;
    case 4:
        if (world != WORLD_LANDED || !walk->negotiated)
            return FALSE;
        walk->world = WORLD_HERE;
        walkEvent(walk, "RESUME", NULL);
        return TRUE;
    case 5:
        if (!runs || world == WORLD_COPY || walk->busMaster || walk->vfOut || walk->hidden ||
            walk->refused ||
            !virTeamingDriverPairs(walk->host.driver)->len ||
            ((virTeamingPairObj *)virTeamingDriverPairs(walk->host.driver)->pdata[0])->unplugged)
            return FALSE;
        walk->negotiated = TRUE;
        walkGuest(walk, TRUE, 0);
        return TRUE;
    case 6:
        if (!walk->busMaster || walk->vectors || world == WORLD_UNPLUG || walk->paused)
            return FALSE;
        walkGuest(walk, TRUE, 3);
        return TRUE;
    case 7:
        if (!walk->vectors || walk->paused)
            return FALSE;
        walkGuest(walk, TRUE, 0);
        return TRUE;
    case 8:
        if (!walk->busMaster || walk->paused)
            return FALSE;
        walkGuest(walk, FALSE, 0);
        return TRUE;
    case 9:
        if (world != WORLD_HERE || walk->vfOut || walk->hidden)
            return FALSE;
        walk->world = WORLD_UNPLUG;
        /* The guest is asked once; QEMU takes the VF then for the migration. */
        walk->ejected = walk->host.unplugged;
        walkEvent(walk, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
        walk->heard = !walk->dead;
        return TRUE;
    case 10:
        if ((world != WORLD_UNPLUG || walk->busMaster) &&
            (world != WORLD_HERE || !(walk->vfOut || walk->hidden)))
            return FALSE;
        walk->world = WORLD_COPY;
        walk->heard &= world == WORLD_UNPLUG;
        walkEvent(walk, "MIGRATION", "{\"status\":\"active\"}");
        walk->heard |= !walk->dead;
        return TRUE;
    case 11:
        if (world != WORLD_COPY)
            return FALSE;
        walk->world = WORLD_STOPPED;
        if (!walk->paused)
            walkEvent(walk, "STOP", NULL);
        return TRUE;
    case 12:
        if (world != WORLD_UNPLUG && world != WORLD_COPY && world != WORLD_STOPPED)
            return FALSE;
        walk->world = WORLD_HERE;
        walk->hidden = FALSE;
        walkEvent(walk, "MIGRATION", "{\"status\":\"failed\"}");
        return TRUE;
    case 13:
        if (odd)
            return FALSE;
        walk->lose = TRUE;
        return TRUE;
    case 14:
        if (walk->dead)
            walkRevive(walk);
        else
            hostRestart(&walk->host);
        return TRUE;
    case 15:
        virTeamingFakeReceive(walk->host.kernel, "eth1", &walk->host.mac, 0);
        hostSpin(&walk->host);
        return TRUE;
    case 16:
        if (walk->dead || walk->answered == walk->host.plugged || world != WORLD_HERE)
            return FALSE;
        walk->answered = walk->host.plugged;
        walk->vfOut = FALSE;
        walk->hidden = FALSE;
        walk->refused = FALSE;
        walk->negotiated = TRUE;
        walk->ejected = walk->host.unplugged;
        hostPlugged(&walk->host);
        return TRUE;
    case 17:
        if (odd)
            return FALSE;
        walk->twice = TRUE;
        return TRUE;
    case 18:
        if (odd || walk->late[0])
            return FALSE;
        walk->delay = TRUE;
        return TRUE;
    case 19:
        if (!runs)
            return FALSE;
        walk->paused = TRUE;
        walkEvent(walk, "STOP", NULL);
        return TRUE;
    case 20:
        if (!here || !walk->paused)
            return FALSE;
        walk->paused = FALSE;
        walkEvent(walk, "RESUME", NULL);
        return TRUE;
    case 21:
    case 22:
        return !walk->dead &&
            virTeamingDriverMove(walk->host.driver, "guest", NULL, action == 22, NULL);
    case 23:
        if (walk->dead || world != WORLD_HERE || walk->paused || walk->vfOut || walk->hidden ||
            walk->ejected == walk->host.unplugged)
            return FALSE;
        walk->ejected = walk->host.unplugged;
        virTeamingDriverTellUnplug(walk->host.driver, UUID, &walk->host.mac, NULL);
        walkGuest(walk, FALSE, 0);
        walk->vfOut = TRUE;
        walkEvent(walk, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
        hostSetVfMac(&walk->host, "00:00:00:00:00:00");
        virTeamingFakeSetDriver(walk->host.kernel, &walk->host.vf, "igbvf");
        return TRUE;
    case 24:
        if (world != WORLD_STOPPED || walk->paused)
            return FALSE;
        walk->world = WORLD_HERE;
        walk->hidden = !walk->vfOut;
        walk->unhidden = walk->host.unhidden;
        walkEvent(walk, "MIGRATION", "{\"status\":\"completed\"}");
        walkEvent(walk, "RESUME", NULL);
        return TRUE;
    case 25:
        if (walk->dead || world != WORLD_HERE || !walk->hidden ||
            walk->unhidden == walk->host.unhidden)
            return FALSE;
        walk->hidden = FALSE;
        walkEvent(walk, "MIGRATION", "{\"status\":\"failed\"}");
        virTeamingDriverTellUnhide(walk->host.driver, UUID, "as it should");
        return TRUE;
    case 26:
        if ((world != WORLD_INCOMING && world != WORLD_HERE) || walk->paused || walk->vfOut ||
            walk->negotiated)
            return FALSE;
        walkNegotiate(walk, FALSE);
        return TRUE;
    case 27:
    case 28:
        if (world != (action == 27 ? WORLD_INCOMING : WORLD_LANDED) || walk->negotiated)
            return FALSE;
        walk->world = action == 27 ? WORLD_LANDED : WORLD_INCOMING;
        hostNotice(&walk->host, UUID, action == 28);
        return TRUE;
    default:
        if (walk->dead)
            return FALSE;
        walkDieAt(walk, (action - WALK_ACTIONS) / 2 + 1, (action - WALK_ACTIONS) % 2);
        return TRUE;
    }
}

/* Of the walk that is under way, for who reads that it failed. */
static GString *walkPath;


static void
walkAborted(int sig)
{
    g_printerr("Walked:%s\n", walkPath->str);
}


static gboolean
walkTake(Walk *walk,
         guint action)
{
    const gsize before = walk->path->len;

    g_string_append_printf(walk->path, " %s", walkNames[action]);
    if (walkTry(walk, action))
        return TRUE;
    g_string_truncate(walk->path, before);
    return FALSE;
}


/* Returns: what does not hold of the guest's frames; NULL if all does. */
static const char *
walkFault(Walk *walk)
{
    Host *host = &walk->host;
    const gboolean reads = walk->busMaster && walk->vectors >= 2;
    g_autoptr(GArray) bridged = virTeamingKernelFdbList(host->kernel, "br0", &host->mac, NULL);
    g_autoptr(GArray) own = virTeamingKernelFdbList(host->kernel, "eth1", &host->mac, NULL);
    gboolean toStandby = FALSE;
    gboolean self = FALSE;
    virTeamingVf vf;

    for (guint i = 0; bridged && i < bridged->len; i++)
        toStandby |= g_str_equal(g_array_index(bridged, virTeamingFdbEntry, i).dev, "vnet0");
    for (guint i = 0; own && i < own->len; i++)
        self |= !!(g_array_index(own, virTeamingFdbEntry, i).flags & VIR_TEAMING_FDB_SELF);
    if (!bridged || !own || !virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL))
        return "the kernel says nothing";

    if (walk->paused && walk->world > WORLD_HERE)
        return NULL;                /* it may be about to go; either way nothing reads */
    if (walk->world >= WORLD_HERE && walk->world <= WORLD_COPY) {
        if (reads && !virTeamingMacEqual(&vf.mac, &host->mac))
            return "the guest reads a VF without its MAC";
        if (reads && vf.vlan == VIR_TEAMING_PARK_VLAN)
            return "the guest reads a VF in a VLAN of ours";
        if (reads && toStandby)
            return "the guest reads its VF, and its frames go to the standby";
        if (!walk->busMaster && !toStandby)
            return "the guest's frames don't go to its standby";
        if (!walk->busMaster && !self)
            return "the uplink does not take the guest's frames";
    } else if (walk->world != WORLD_LANDED) {
        if (!virTeamingMacIsZero(&vf.mac))
            return "a VF takes the frames of a guest that is elsewhere";
        if (toStandby)
            return "the standby takes the frames of a guest that is elsewhere";
        if (self)
            return "the uplink takes the frames of a guest that is elsewhere";
    }
    return NULL;
}


/* libvirt's word and some time, and then what must hold. */
static void
walkCheck(Walk *walk)
{
    static const virTeamingActivity activities[] = {
        [WORLD_INCOMING] = VIR_TEAMING_ACTIVITY_INCOMING,
        [WORLD_LANDED] = VIR_TEAMING_ACTIVITY_INCOMING,
        [WORLD_HERE] = VIR_TEAMING_ACTIVITY_RUNNING,
        [WORLD_UNPLUG] = VIR_TEAMING_ACTIVITY_UNPLUGGING,
        [WORLD_COPY] = VIR_TEAMING_ACTIVITY_OUTGOING,
        [WORLD_STOPPED] = VIR_TEAMING_ACTIVITY_DEPARTING,
    };
    Host *host = &walk->host;

    walkRevive(walk);
    walkDieAt(walk, 0, FALSE);
    walkCatchUp(walk);
    walk->lose = walk->twice = walk->delay = FALSE;
    if (walk->world == WORLD_EXPECTED)
        return;
    if (walk->world == WORLD_OFF)
        hostSnapshot(host, VIR_TEAMING_ACTIVITY_INACTIVE, TRUE);
    else
        hostTellXml(host, walk->vfOut ? standbyXml : domainXml, activities[walk->world], TRUE);
    hostSpin(host);
    hostWait(host, 2000);
    hostSpin(host);
    hostWait(host, 2000);

    if (walk->world == WORLD_OFF) {
        /* What the bridge has learnt by itself is its own. */
        virTeamingFdbEntry learnt = { .dev = "eth1", .mac = host->mac,
                                      .flags = VIR_TEAMING_FDB_MASTER };
        g_autoptr(GArray) left = virTeamingKernelFdbList(host->kernel, "br0", &host->mac, NULL);

        if (left->len == 1 && !(g_array_index(left, virTeamingFdbEntry, 0).flags &
                                VIR_TEAMING_FDB_STATIC))
            virTeamingKernelFdbDel(host->kernel, &learnt, NULL);
        hostExpectClean(host);
        return;
    }

    if (walk->world == WORLD_HERE && walk->vfOut) {
        const virTeamingPairObj *pair = hostPair(host);

        g_assert_true(pair->move == VIR_TEAMING_MOVE_STANDBY || pair->unplugged);
    }
    /* Of a migration of which no daemon has heard anything, none can know that it was one. */
    if (walk->world == WORLD_HERE && walk->hidden && walk->heard && !hostPair(host)->unplugged)
        g_assert_cmpuint(host->unhidden, >, walk->unhidden);
    if (walk->world == WORLD_HERE && walk->refused && !walk->vfOut && !walk->hidden)
        g_assert_true(hostPair(host)->unplugged || hostPair(host)->plugging);
    g_assert_cmpstr(walkFault(walk), ==, NULL);
}


static void
walkBegin(Walk *walk)
{
    hostSetUp(&walk->host, NULL);
    walkPath = walk->path = g_string_new(NULL);
    walk->journal = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}


static void
walkEnd(Walk *walk)
{
    walkDieAt(walk, 0, FALSE);
    hostTearDown(&walk->host, NULL);
    g_string_free(walk->path, TRUE);
    g_hash_table_unref(walk->journal);
    g_free(walk->late[0]);
    g_free(walk->late[1]);
}


static GLogWriterOutput
walkLog(GLogLevelFlags level,
        const GLogField *fields,
        gsize nfields,
        gpointer opaque)
{
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ?
        g_log_writer_default(level, fields, nfields, opaque) : G_LOG_WRITER_HANDLED;
}


/* Thousands of messages: not at all. */
static void
walkSetUp(void)
{
    static gboolean done;

    if (done)
        return;
    done = TRUE;
    g_log_set_writer_func(walkLog, NULL, NULL);
    signal(SIGABRT, walkAborted);
}


/* Every sequence of so many things that can happen; most can't, in that order. */
static void
testAllOrders(void)
{
    const guint depth = g_test_slow() ? 6 : 5;
    guint64 nleaves = 0;
    guint64 total = 1;

    walkSetUp();
    for (guint i = 0; i < depth; i++)
        total *= WALK_ACTIONS;
    for (guint64 n = 0; n < total;) {
        Walk walk = { 0 };
        guint64 weight = total;
        guint64 rest = n;
        gboolean possible = TRUE;

        walkBegin(&walk);
        for (guint i = 0; i < depth && possible; i++) {
            weight /= WALK_ACTIONS;
            possible = walkTake(&walk, rest / weight);
            rest %= weight;
        }
        if (possible) {
            walkCheck(&walk);
            nleaves++;
        }
        /* What can't happen first need not be tried with all that could follow. */
        n = (n / weight + 1) * weight;
        walkEnd(&walk);
    }
    g_test_message("%" G_GUINT64_FORMAT " orders of %u things", nleaves, depth);
    g_assert_cmpuint(nleaves, >, 1000);
}


/* The usual lives, in words of walkNames. */
static const char *const walkLives[] = {
    "start negotiated bit vectors unplug no-vectors no-bit active guest-stops stop",
    "migrate-hook start negotiated resume libvirt-plugs bit vectors stop",
    "start negotiated bit vectors unplug no-vectors no-bit active cancel bit vectors",
    "start negotiated bit vectors unplug no-vectors no-bit active guest-stops cancel bit vectors",
    "migrate-hook start stop",
};


static guint
walkFind(const char *name)
{
    for (guint i = 0; walkNames[i]; i++) {
        if (g_str_equal(walkNames[i], name))
            return i;
    }
    g_assert_not_reached();
}


/* The daemon dies at every order that it gives, before and after it is carried out, and
 * another one starts: at once, with or without libvirt's word, or when all is over. */
static void
testDeaths(void)
{
    enum { AT_ONCE, AT_ONCE_AND_TOLD, AT_THE_END, MODES };
    guint deaths = 0;

    walkSetUp();
    for (guint i = 0; i < G_N_ELEMENTS(walkLives) * MODES * 2; i++) {
        g_auto(GStrv) life = g_strsplit(walkLives[i / MODES / 2], " ", 0);
        const guint mode = i / 2 % MODES;
        gboolean died = TRUE;

        for (guint nth = 1; died; nth++) {
            Walk walk = { 0 };

            g_test_message("%s; dies %s order %u, mode %u", walkLives[i / MODES / 2],
                           i % 2 ? "after" : "before", nth, mode);
            walkBegin(&walk);
            walkDieAt(&walk, nth, i % 2);
            died = FALSE;
            for (char **name = life; *name; name++) {
                walkTake(&walk, walkFind(*name));
                hostWait(&walk.host, 2000);
                died |= walk.dead;
                if (walk.dead && mode == AT_ONCE_AND_TOLD)
                    walkCheck(&walk);
                else if (mode != AT_THE_END)
                    walkRevive(&walk);
            }
            walkCheck(&walk);
            walkEnd(&walk);
            deaths += died;
        }
    }
    g_test_message("%u deaths", deaths);
    g_assert_cmpuint(deaths, >, 100);
}


/* Whatever the kernel refuses, with whatever reason, from any moment of a life on: if what
 * must hold does not, there is a reason to read, and once it refuses no more, it holds. */
static void
testLastingRefusals(void)
{
    static const char *const ops[] = {
        "LinkGet", "LinkList", "LinkSetLearning", "VfList", "VfGet", "VfSetMac", "VfSetVlan",
        "VfLocate", "FdbList", "FdbAdd", "FdbDel", "PciGetState", "PciGetDevice", "PciHold",
        "LinkSetFlooding", "FrameSend", "FrameListen"
    };
    static const int errs[] = { EPERM, EBUSY, ENODEV, EOPNOTSUPP, EINVAL };
    static const char *const drivers[] = { "igb", "unheard-of" };
    guint refusals = 0;

    walkSetUp();
    for (guint i = 0; i < G_N_ELEMENTS(walkLives) * G_N_ELEMENTS(ops) * G_N_ELEMENTS(errs) *
         G_N_ELEMENTS(drivers); i++) {
        const char *op = ops[i % G_N_ELEMENTS(ops)];
        const int err = errs[i / G_N_ELEMENTS(ops) % G_N_ELEMENTS(errs)];
        const guint rest = i / G_N_ELEMENTS(ops) / G_N_ELEMENTS(errs);
        g_auto(GStrv) life = g_strsplit(walkLives[rest / G_N_ELEMENTS(drivers)], " ", 0);

        /* That means that it is not there; see the tests of such upheavals. */
        if (err == ENODEV && g_str_has_prefix(op, "Link"))
            continue;
        for (guint from = 0; life[from]; from++) {
            Walk walk = { 0 };

            g_test_message("%s; %s fails with %s from thing %u on, NIC %s",
                           walkLives[rest / G_N_ELEMENTS(drivers)], op, g_strerror(err), from,
                           drivers[rest % G_N_ELEMENTS(drivers)]);
            walkBegin(&walk);
            hostAddPci(&walk.host, "0000:01:00.0", drivers[rest % G_N_ELEMENTS(drivers)], "",
                       "eth1");
            for (guint n = 0; life[n]; n++) {
                const GPtrArray *pairs = virTeamingDriverPairs(walk.host.driver);
                const char *fault;

                if (n == from)
                    virTeamingFakeFail(walk.host.kernel, op, 0, err);
                walkTake(&walk, walkFind(life[n]));
                hostWait(&walk.host, 2000);
                hostWait(&walk.host, 2000);
                if (n < from || !pairs->len || walk.world < WORLD_HERE)
                    continue;
                virTeamingFakeFail(walk.host.kernel, op, 0, 0);
                fault = walkFault(&walk);
                virTeamingFakeFail(walk.host.kernel, op, 0, err);
                if (fault && !((virTeamingPairObj *)pairs->pdata[0])->problem)
                    g_error("%s, and nobody says so", fault);
            }
            virTeamingFakeFail(walk.host.kernel, op, 0, 0);
            walkCheck(&walk);
            walkEnd(&walk);
            refusals++;
        }
    }
    g_test_message("%u refusals", refusals);
}


/* Long lives, by chance, looked at again and again; the seed is printed by the framework. */
static void
testLongLives(void)
{
    const guint lives = g_test_slow() ? 20000 : 400;
    guint64 nsteps = 0;

    walkSetUp();
    for (guint i = 0; i < lives; i++) {
        Walk walk = { 0 };

        walkBegin(&walk);
        for (guint step = 0; step < 200; step++) {
            if (walkTake(&walk, g_test_rand_int_range(0, WALK_ALL_ACTIONS)))
                nsteps++;
            if (g_test_rand_int_range(0, 4) == 0)
                walkCheck(&walk);
        }
        walkRevive(&walk);
        if (walk.world != WORLD_OFF)
            walkStop(&walk);
        walkCheck(&walk);
        walkEnd(&walk);
    }
    g_test_message("%" G_GUINT64_FORMAT " things in %u lives", nsteps, lives);
}


/* libvirt tells of its only network, the pool, whose VFs are those of @pf. */
static void
hostTellNetwork(Host *host,
                const char *vfs,
                gboolean active)
{
    g_autofree char *xml = g_strdup_printf("<network><name>sriov0</name><forward mode='hostdev'>"
                                           "%s</forward></network>", vfs);
    g_auto(virTeamingHost) facts = { NULL };
    g_autoptr(GError) error = NULL;
    virTeamingNetwork *network = virTeamingNetworkParse(xml, -1, "sriov0", &error);

    g_assert_no_error(error);
    virTeamingHostInit(&facts);
    virTeamingHostAddNetwork(&facts, network, active);
    virTeamingDriverTellNetworks(host->driver, g_steal_pointer(&facts.networks));
}


static void
hostTellPool(Host *host,
             const char *pf,
             gboolean active)
{
    g_autofree char *vfs = g_strdup_printf("<pf dev='%s'/>", pf);

    hostTellNetwork(host, vfs, active);
}


static void
hostExpectRefused(Host *host,
                  const char *why)
{
    guint asked = host->networksAsked;
    g_autofree char *print = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(virTeamingDriverTellHook(host->driver, "migrate", "begin", arrivingXml,
                                            &print, &error));
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, why);
    g_assert_null(print);
    g_assert_cmpuint(host->networksAsked, ==, asked + 1);
    /* Nothing was begun that would have to be given up. */
    hostExpectClean(host);
    hostExpect(host, "");
}


/* A guest that can't run here stays where it is; once mended, or if libvirt has not told
 * or does not tell any more, it comes. */
static void
testRefuseMigration(Host *host,
                    gconstpointer opaque)
{
    g_auto(virTeamingHost) none = { NULL };

    virTeamingHostInit(&none);
    virTeamingDriverTellNetworks(host->driver, g_steal_pointer(&none.networks));
    hostExpectRefused(host, "this host has no network 'sriov0' [network-missing]; define the "
                      "network on this host, with the same name as on the others");
    hostTellPool(host, "eth1", FALSE);
    hostExpectRefused(host, "network 'sriov0' is not started on this host [network-inactive]; "
                      "virsh net-start NETWORK; virsh net-autostart NETWORK");
    hostTellPool(host, "eth7", TRUE);
    hostExpectRefused(host, "this host has no interface 'eth7', which network 'sriov0' takes its "
                      "VFs from [network-pf-missing]; correct <pf dev='…'/> in the network, or "
                      "find out why the NIC's driver is not there");
    /* Nor does it when its VFs have gone with the PF. */
    hostTellNetwork(host, "<pf dev='eth7'/><address type='pci' domain='0' bus='7' slot='16' "
                    "function='0'/>", TRUE);
    hostExpectRefused(host, "this host has no interface 'eth7', which network 'sriov0' takes its "
                      "VFs from [network-pf-missing]; correct <pf dev='…'/> in the network, or "
                      "find out why the NIC's driver is not there");
    virTeamingDriverTellNetworks(host->driver, NULL);
    hostHook(host, "migrate", arrivingXml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostHook(host, "release", arrivingXml);

    /* The PF was renamed; a pool that was started goes on. */
    hostTellNetwork(host, "<pf dev='eth7'/><address type='pci' domain='0' bus='1' slot='16' "
                    "function='0'/>", TRUE);
    hostHook(host, "migrate", arrivingXml);
    hostHook(host, "release", arrivingXml);

    hostTellPool(host, "eth1", TRUE);
    hostHook(host, "migrate", arrivingXml);
    hostExpectProblem(host, NULL);
}


/* What only moves its definition here is neither changed, nor refused, nor expected; on a host
 * that can't tell, it may be a guest. */
static void
testHookOffline(Host *host,
                gconstpointer opaque)
{
    static const struct {
        const char *mark;
        gboolean cgroups;
        gboolean arrives;
    } cases[] = {
        { "", TRUE, FALSE },
        { "<resource><fibrechannel appid='x'/></resource>", TRUE, FALSE },
        { "<resource><partition>/machine</partition></resource>", TRUE, TRUE },
        { "<seclabel type='dynamic' model='apparmor' relabel='yes'/>", TRUE, TRUE },
        { "", FALSE, TRUE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) parts = g_strsplit(arrivingXml, "<os>", 2);
        g_autofree char *begin = g_strconcat(cases[i].mark, "<os>", NULL);
        g_autofree char *xml = g_strjoinv(begin, parts);
        g_autofree char *print = NULL;
        g_autofree char *print2 = NULL;
        g_autoptr(GError) error = NULL;

        virTeamingDriverSetCgroups(host->driver, cases[i].cgroups);
        g_assert_true(virTeamingDriverTellHook(host->driver, "migrate", "begin", xml, &print,
                                               &error));
        g_assert_no_error(error);
        g_assert_cmpint(print != NULL, ==, cases[i].arrives);
        g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, cases[i].arrives);
        hostHook(host, "release", xml);

        hostTellPool(host, "eth7", TRUE);
        g_assert_cmpint(virTeamingDriverTellHook(host->driver, "migrate", "begin", xml, &print2,
                                                 &error), !=, cases[i].arrives);
        g_assert_cmpint(error != NULL, ==, cases[i].arrives);
        virTeamingDriverTellNetworks(host->driver, NULL);
    }
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostExpectClean(host);
}


/* What is wrong with the domain itself is no reason to refuse one that runs elsewhere. */
static void
testAdmitOddDomain(Host *host,
                   gconstpointer opaque)
{
    g_auto(GStrv) parts = g_strsplit(arrivingXml, "q35", 2);
    g_autofree char *arriving = g_strjoinv("pc", parts);
    g_auto(GStrv) startParts = g_strsplit(domainXml, "q35", 2);
    g_autofree char *starting = g_strjoinv("pc", startParts);

    hostTellPool(host, "eth1", TRUE);
    hostHook(host, "migrate", arriving);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    hostHook(host, "start", starting);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostExpectProblem(host, "machine 'pc' (x86_64) has no PCI Express [machine-without-pcie]");

    /* Another daemon finds it out again, once libvirt has told it of the domain. */
    hostRestart(host);
    hostExpectProblem(host, NULL);
    hostTellXml(host, starting, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    hostExpectProblem(host, "machine 'pc' (x86_64) has no PCI Express [machine-without-pcie]");
}


/* 'virt-teaming probe' has found that no guest is reached by a VF of this NIC. */
static void
testUnfitNic(Host *host,
             gconstpointer opaque)
{
    g_autofree char *dir = g_dir_make_tmp("virt-teaming-XXXXXX", NULL);
    g_autofree char *path = NULL;
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autoptr(GError) error = NULL;
    virTeamingNicIdentity identity;
    static const char why[] =
        "a VF of NIC 'eth1' can't be in a pair: frames for the MAC that the PF has set do not "
        "reach the VF, so a guest that switches to it loses its network [nic-unfit]; use another "
        "NIC; after an update of driver or firmware, run 'virt-teaming probe' again";

    g_assert_true(virTeamingNicIdentityRead(host->kernel, "eth1", &identity, &error));
    verdict = virTeamingNicVerdictNew(&identity);
    verdict->answers[VIR_TEAMING_TRAIT_STEERS] = VIR_TEAMING_ANSWER_NO;
    g_assert_true(virTeamingNicVerdictSave(verdict, dir, &error));
    g_assert_no_error(error);
    virTeamingDriverSetVerdicts(host->driver, dir);

    hostTellPool(host, "eth1", TRUE);
    hostExpectRefused(host, why);
    /* A libvirtd that was restarted no longer tells the pool's PF. */
    hostTellNetwork(host, "<address type='pci' domain='0' bus='1' slot='0x10' function='0'/>",
                    TRUE);
    hostExpectRefused(host, why);

    /* A start is not ours to refuse. It is said, and known without libvirt's networks. */
    virTeamingDriverTellNetworks(host->driver, NULL);
    hostBoot(host);
    hostExpectProblem(host, "a VF of NIC 'eth1' can't be in a pair: frames for the MAC that the "
                      "PF has set do not reach the VF, so a guest that switches to it loses its "
                      "network [nic-unfit]");

    path = virTeamingNicVerdictPath(&identity, dir);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}


/* The other host is gone: nothing more is sent. Slow is no reason. */
static void
testOtherHostGone(Host *host,
                  gconstpointer opaque)
{
    virTeamingPairObj *pair;

    hostDrive(host);
    pair = virTeamingDriverPairs(host->driver)->pdata[0];
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostCountAsked(host);
    for (guint i = 0; i < 12; i++)
        hostWait(host, 1000);
    g_assert_cmpuint(host->asked, >=, 2);
    g_assert_cmpuint(host->asked, <=, 3);
    for (host->copied = 1; host->copied < 4; host->copied++) {
        hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, FALSE);
        pair->copiedAt -= 29 * G_USEC_PER_SEC;
    }
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, FALSE);
    pair->copiedAt -= 29 * G_USEC_PER_SEC;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, FALSE);
    g_assert_cmpuint(host->aborted, ==, 0);
    pair->copiedAt -= 1 * G_USEC_PER_SEC;
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_OUTGOING, FALSE);
    g_assert_cmpuint(host->aborted, ==, 1);
    hostExpectProblem(host, "migration given up: nothing could be sent for 30 s; is the other "
                      "host there?");
}


/* ---- upheavals of the host, under a pair that drives its VF ---- */

/* A notification of a link that is none of a pair's is looked into at leisure. */
static void
hostLook(Host *host)
{
    hostSpin(host);
    hostWait(host, 2000);
}


static void
hostSetTap(Host *host,
           const char *name,
           const char *master)
{
    virTeamingLink link = { .up = TRUE, .running = TRUE, .learning = TRUE, .flooding = TRUE,
                            .mac = host->mac };

    g_strlcpy(link.name, name, sizeof(link.name));
    g_strlcpy(link.kind, "tun", sizeof(link.kind));
    g_strlcpy(link.master, master, sizeof(link.master));
    link.mac.addr[0] = 0xfe;
    virTeamingFakeSetLink(host->kernel, &link);
}


/* The PF leaves the bridge, or the bridge goes altogether; and comes back. */
static void
testBridgeLost(Host *host,
               gconstpointer opaque)
{
    const gboolean all = GPOINTER_TO_INT(opaque);

    hostDrive(host);
    for (guint reads = 2; reads-- > 0;) {
        hostGuest(host, reads, reads ? 3 : 0);
        hostWait(host, 2000);
        if (all)
            virTeamingFakeRemoveLink(host->kernel, "br0");
        hostAddLink(host, "eth1", "", "", "0000:01:00.0");
        if (all)
            hostSetTap(host, "vnet0", "");
        hostLook(host);
        hostExpectProblem(host, all ?
                          "the standby's tap 'vnet0' is in no bridge: the guest has no path but "
                          "its VF" :
                          "bridge 'br0' has no uplink of eth1's NIC: what comes from the wire does "
                          "not reach the guest's standby");
        if (all) {
            hostAddLink(host, "br0", "bridge", "", "");
            hostSetTap(host, "vnet0", "br0");
        }
        hostAddLink(host, "eth1", "", "br0", "0000:01:00.0");
        hostLook(host);
        hostExpectProblem(host, NULL);
        g_assert_cmpint(hostPhase(host), ==, reads ? VIR_TEAMING_PHASE_DRIVING :
                        VIR_TEAMING_PHASE_SHOWN);
        g_free(virTeamingFakeTakeLog(host->kernel));
        hostGuest(host, !reads, reads ? 0 : 3);
        hostExpect(host, reads ?
                   "FdbAdd eth1 " MAC " self\n"
                   "FdbAdd vnet0 " MAC " master static sticky\n" :
                   "LinkSetLearning vnet0 off\n"
                   "FdbDel vnet0 " MAC " master\n");
    }
    hostStop(host);
    hostExpectClean(host);
}


static void
testUplinkDown(Host *host,
               gconstpointer opaque)
{
    virTeamingLink link;

    hostDrive(host);
    g_assert_true(virTeamingKernelLinkGet(host->kernel, "eth1", &link, NULL));
    link.running = FALSE;
    virTeamingFakeSetLink(host->kernel, &link);
    hostLook(host);
    hostExpectProblem(host, "uplink 'eth1' of bridge 'br0' has no carrier");
    link.up = FALSE;
    virTeamingFakeSetLink(host->kernel, &link);
    hostLook(host);
    hostExpectProblem(host, "uplink 'eth1' of bridge 'br0' is down");
    link.up = link.running = TRUE;
    virTeamingFakeSetLink(host->kernel, &link);
    hostLook(host);
    hostExpectProblem(host, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
}


/* A guest that ends takes its tap along, which is no problem; one that goes on without is. */
static void
testTapGone(Host *host,
            gconstpointer opaque)
{
    virTeamingPairObj *pair;

    hostDrive(host);
    pair = virTeamingDriverPairs(host->driver)->pdata[0];
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostLook(host);
    hostExpectProblem(host, NULL);
    pair->tapGoneAt -= 5 * G_USEC_PER_SEC;
    hostWait(host, 2000);
    hostExpectProblem(host, "the standby's tap 'vnet0' is not there: the guest has no path but "
                      "its VF");
    hostSetTap(host, "vnet0", "br0");
    hostLook(host);
    hostExpectProblem(host, NULL);
}


/* Tap and PF get other names; a new daemon knows the tap by its MAC, the PF by its VF. */
static void
testLinksRenamed(Host *host,
                 gconstpointer opaque)
{
    enum { HERE, AWAY, DETACHED } how = GPOINTER_TO_INT(opaque);
    const virTeamingPairObj *pair;

    hostDrive(host);
    if (how == DETACHED) {
        virTeamingFakeSetDriver(host->kernel, &host->vf, "igbvf");
        hostWait(host, 1000);
    }
    hostSetTap(host, "vnet0", "br0");
    hostLook(host);
    virTeamingFakeRenameLink(host->kernel, "vnet0", "guest-net");
    hostAddPci(host, "0000:01:00.0", "igb", "", "uplink7");
    virTeamingFakeRenameLink(host->kernel, "eth1", "uplink7");
    if (how == AWAY)
        hostRestart(host);
    hostLook(host);
    hostExpectProblem(host, NULL);
    pair = virTeamingDriverPairs(host->driver)->pdata[0];
    g_assert_cmpstr(pair->uplink, ==, "uplink7");
    g_assert_cmpstr(pair->tap, ==, "guest-net");
    if (how == DETACHED)
        return;
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostGuest(host, FALSE, 0);
    hostExpect(host,
               "FdbAdd uplink7 " MAC " self\n"
               "FdbAdd guest-net " MAC " master static sticky\n");
}


/* The host takes all VFs away: vfio asks QEMU for the guest's, and it vanishes. Once there
 * is one again, the guest gets it. One that virsh detached is not plugged behind its back. */
static void
testVfTakenAway(Host *host,
                gconstpointer opaque)
{
    const gboolean vanishes = GPOINTER_TO_INT(opaque);

    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    g_assert_cmpuint(host->plugged, ==, 0);
    if (vanishes)
        virTeamingFakeRemovePci(host->kernel, &host->vf);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, vanishes);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    if (!vanishes)
        return;

    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, "there is no VF");
    hostExpectProblem(host, "there is no VF");
    hostWait(host, 6000);
    g_assert_cmpuint(host->plugged, ==, 2);
    hostAddPci(host, "0000:01:10.0", "vfio-pci", "0000:01:00.0", "");
    hostPlugged(host);
    hostRead(host);
    hostExpectProblem(host, NULL);
}


/* What virsh detached may be taken away by the host later: its owner does not want it back. */
static void
testDetachedAndTakenAway(Host *host,
                         gconstpointer opaque)
{
    hostDrive(host);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    for (guint i = 0; i < 5; i++)
        hostWait(host, 1000);
    virTeamingFakeRemovePci(host->kernel, &host->vf);
    hostWait(host, 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
}


/* The bridge can't be told of the VF's path: the standby's is not closed. */
static void
testHalfDone(Host *host,
             gconstpointer opaque)
{
    hostBoot(host);
    hostGuest(host, TRUE, 3);
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "FdbAdd", 0, EBUSY);
    hostWait(host, 2000);
    hostExpect(host, "LinkSetLearning vnet0 on\n");
    virTeamingFakeFail(host->kernel, "FdbAdd", 0, 0);
    hostWait(host, 2000);
    hostExpect(host,
               "FdbAdd eth1 " MAC " master static sticky\n"
               "FdbDel eth1 " MAC " self\n");
}


/* The daemon can open no more files for a while. The guest goes on reading its VF; and what it does
 * with it then is known later. */
static void
testVfUnreadable(Host *host,
                 gconstpointer opaque)
{
    hostDrive(host);
    virTeamingFakeFail(host->kernel, "PciHandleRead", 0, EMFILE);
    virTeamingFakeFail(host->kernel, "PciGetState", 0, EMFILE);
    hostWait(host, 1000);
    hostExpect(host, "");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostExpectProblem(host, "whether the guest reads its VF is not known: cannot look at PCI "
                      "function 0000:01:10.0: Too many open files");
    hostGuest(host, FALSE, 0);
    hostExpect(host, "");
    virTeamingFakeFail(host->kernel, "PciGetState", 0, 0);
    hostWait(host, 1000);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
    hostExpectProblem(host, NULL);
    hostGuest(host, TRUE, 3);
    hostWait(host, 2000);
    g_free(virTeamingFakeTakeLog(host->kernel));

    /* One that does not answer, nobody reads. */
    virTeamingFakeFail(host->kernel, "PciGetState", 0, EIO);
    hostWait(host, 1000);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
}


/* Of a VF that has the MAC of a guest that comes, and that can't be looked at, it is not known that
 * it is not another's who reads from it. */
static void
testMacOfUnreadable(Host *host,
                    gconstpointer opaque)
{
    hostSetVfMac(host, MAC);
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    virTeamingFakeFail(host->kernel, "PciGetState", 0, EMFILE);
    hostHook(host, "migrate", arrivingXml);
    hostSpin(host);
    hostExpect(host, "");
    virTeamingFakeFail(host->kernel, "PciGetState", 0, 0);
    hostHook(host, "stopped", arrivingXml);
}


/* The PF is not found at first. */
static void
testVfSought(Host *host,
             gconstpointer opaque)
{
    virTeamingFakeFail(host->kernel, "VfLocate", 0, ENOENT);
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostExpectProblem(host, "nothing is done about the guest's VF: cannot find the PF of PCI "
                      "function 0000:01:10.0: No such file or directory");
    virTeamingFakeFail(host->kernel, "VfLocate", 0, 0);
    hostWait(host, 2000);
    hostExpectProblem(host, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
}


/* libvirt's word for a guest that is stopped for a migration, with or without knowing any
 * more which way. */
static void
testWhichWay(Host *host,
             gconstpointer opaque)
{
    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "STOP", NULL);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);

    /* This one has gone meanwhile, and comes back. */
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostEvent(host, "RESUME", NULL);
    hostRead(host);
}


/* The guest ends while its VF is no more: there is nothing to undo, and no reason to stay. */
static void
testVfGoneForGood(Host *host,
                  gconstpointer opaque)
{
    hostArrive(host);
    hostSpin(host);
    virTeamingFakeRemovePci(host->kernel, &host->vf);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostHook(host, "release", domainXml);
    hostExpectClean(host);
}


/* A pair's file is not what it was; what it said is found on the host. */
static void
testJournalDamaged(Host *host,
                   gconstpointer opaque)
{
    static const char *const texts[] = { "", "{", "{}", "\1\2\3", "[ 1 ]",
        "{ \"version\": 99, \"uuid\": \"" UUID "\", \"domain\": \"guest\", \"mac\": \""
        MAC "\", \"guest\": 2 }", NULL };
    const gboolean here = GPOINTER_TO_INT(opaque);
    g_autofree char *path = g_build_filename(host->statedir, UUID "-" MAC ".pair", NULL);
    g_autofree char *aside = g_strconcat(path, ".bad", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        hostDrive(host);
        hostSetTap(host, "vnet0", "br0");
        /* On its standby, which is more to undo. */
        hostGuest(host, FALSE, 0);
        if (!here) {
            virTeamingFakeRemoveLink(host->kernel, "vnet0");
            hostSetVfMac(host, "00:00:00:00:00:00");
        }
        g_assert_cmpint(g_unlink(path), ==, 0);
        /* Not even a file. */
        if (texts[i])
            g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
        else
            g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        g_free(virTeamingFakeTakeLog(host->kernel));
        hostRestart(host);
        g_assert_cmpint(g_remove(aside), ==, 0);
        if (here) {
            g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
            hostExpect(host, "");
            hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
            hostExpectProblem(host, NULL);
            hostRead(host);
            hostStop(host);
        }
        hostExpectClean(host);
    }
}


/* The VF is parked in our VLAN, and what the journal said of its own is lost. */
static void
testJournalOfVlan(Host *host,
                  gconstpointer opaque)
{
    const gboolean damaged = GPOINTER_TO_INT(opaque);
    g_autofree char *path = g_build_filename(host->statedir, UUID "-" MAC ".pair", NULL);
    g_autofree char *aside = g_strconcat(path, ".bad", NULL);
    g_autoptr(GString) xml = g_string_new(domainXml);
    virTeamingVf vf = { .index = 0, .address = host->vf, .mac = host->mac, .vlan = 100 };

    g_string_replace(xml, "<teaming type='transient'",
                     "<vlan><tag id='100'/></vlan><teaming type='transient'", 1);
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostSetTap(host, "vnet0", "br0");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    hostHook(host, "start", xml->str);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_cmpuint(vf.vlan, ==, VIR_TEAMING_PARK_VLAN);

    g_assert_cmpint(g_unlink(path), ==, 0);
    if (damaged)
        g_assert_true(g_file_set_contents(path, "{", -1, NULL));
    hostRestart(host);
    g_assert_cmpint(g_unlink(aside), ==, damaged ? 0 : -1);
    hostTellXml(host, xml->str, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostGuest(host, TRUE, 3);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_cmpuint(vf.vlan, ==, 100);
    hostStop(host);
}


/* A journal that can't be written is a problem, but the guest gets its path. */
static void
testJournalRefused(Host *host,
                   gconstpointer opaque)
{
    g_autofree char *path = g_build_filename(host->statedir, UUID "-" MAC ".pair", NULL);
    g_autofree char *problem = NULL;

    hostDrive(host);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    hostGuest(host, FALSE, 0);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
    problem = virTeamingPairObjGetProblem(virTeamingDriverPairs(host->driver)->pdata[0]);
    g_assert_nonnull(strstr(problem, "cannot journal"));
    g_assert_cmpint(g_rmdir(path), ==, 0);
    hostWait(host, 2000);
    hostExpectProblem(host, NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}


/* Times are counted from a restart on: whatever is under way goes on, and ends. */
static void
testRestartLate(Host *host,
                gconstpointer opaque)
{
    hostHook(host, "migrate", arrivingXml);
    hostSetVfMac(host, MAC);
    hostSpin(host);
    virTeamingFakeFail(host->kernel, "FdbList", 1, EBUSY);
    hostRestart(host);
    hostSetVfMac(host, "00:00:00:00:00:00");
    /* That its host is up for long is no reason to forget a guest. */
    virTeamingDriverRun(host->driver, g_get_monotonic_time());
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostHook(host, "release", arrivingXml);

    hostDrive(host);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostRestart(host);
    host->ahead = 0;
    hostWait(host, 29 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostWait(host, 3 * 1000);
    g_assert_cmpuint(host->aborted, ==, 1);
}


/* A look at the host takes time that the guest may be stopped for: there is none for what is told
 * of another pair, nor, at once, for what the kernel tells of the driver's own steps. */
static void
testLookSparingly(Host *host,
                  gconstpointer opaque)
{
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net7\"}");
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev7\"}");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpectProblem(host, NULL);

    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostGuest(host, TRUE, 0);
    hostExpect(host, "LinkSetLearning vnet0 off\nFdbDel vnet0 " MAC " master\n");
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    hostExpectProblem(host, NULL);
    g_assert_cmpint(virTeamingDriverNextRun(host->driver, g_get_monotonic_time()), <=,
                    VIR_TEAMING_PAIR_ECHO_MS * 1000);
    virTeamingDriverRun(host->driver, g_get_monotonic_time() + VIR_TEAMING_PAIR_ECHO_MS * 1000);
    g_assert_nonnull(hostPair(host)->problem);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    hostWait(host, 2000);
    hostExpectProblem(host, NULL);

    /* Nor for what libvirt does while it plugs a VF. */
    hostGuest(host, FALSE, 0);
    hostStop(host);
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, FALSE);
    hostLand(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostPair(host)->steppedAt = 0;
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostSetVfMac(host, "00:00:00:00:00:00");
    hostSetVfMac(host, MAC);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    hostExpectProblem(host, NULL);
    hostWait(host, VIR_TEAMING_PAIR_ECHO_MS);
    g_assert_nonnull(hostPair(host)->problem);
}


/* What a guest that is stopped waits for is done from what the host was, and looked at later; if it
 * was not so, the host is looked at in the middle. */
static void
testHurry(Host *host,
          gconstpointer opaque)
{
    hostCopy(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostLeave(host);
    hostExpectProblem(host, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DEPARTED);
    hostWait(host, VIR_TEAMING_PAIR_ECHO_MS);
    hostExpectProblem(host, "cannot look at network interface 'vnet0': Device or resource busy");
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    hostStop(host);
    hostExpectClean(host);

    virTeamingFakeSetPciOpen(host->kernel, &host->vf, FALSE);
    hostArrive(host);
    hostSpin(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "RESUME", NULL);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    hostExpectProblem(host, NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    hostWait(host, 250);
    g_assert_cmpuint(host->plugged, ==, 1);
    hostPlugged(host);
    hostGuest(host, TRUE, 3);
    hostWait(host, 2000);

    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    hostGuest(host, FALSE, 0);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_free(virTeamingFakeTakeLog(host->kernel));
    virTeamingFakeFail(host->kernel, "FdbDel", 1, EBUSY);
    hostEvent(host, "STOP", NULL);
    hostExpectProblem(host, NULL);
    hostStop(host);
    hostExpectClean(host);
}


/* domainXml with @to for @from, as libvirt's answer to a question that is nothing new otherwise. */
static void
hostTellInstead(Host *host,
                const char *from,
                const char *to)
{
    g_auto(GStrv) parts = g_strsplit(domainXml, from, 2);
    g_autofree char *xml = g_strjoinv(to, parts);

    hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
}


/* That libvirt names another VF, or another tap, is reason enough for a look at the host. */
static void
testLookAtAnother(Host *host,
                  gconstpointer opaque)
{
    virTeamingVf vf = { .index = 1, .mac = host->mac, .trust = -1, .spoofchk = 1 };

    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostAddLink(host, "vnet7", "tun", "br0", "");
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostTellInstead(host, "vnet0", "vnet7");
    hostExpectProblem(host, "cannot look at network interface 'vnet7': Device or resource busy");
    virTeamingFakeFail(host->kernel, "LinkGet", 0, 0);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpectProblem(host, NULL);

    hostSetVfMac(host, "52:54:00:65:43:21");
    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &vf.address));
    hostAddPci(host, "0000:01:10.2", "vfio-pci", "0000:01:00.0", "");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    virTeamingFakeFail(host->kernel, "LinkGet", 0, EBUSY);
    hostTellInstead(host, "function='0x0'", "function='0x2'");
    hostExpectProblem(host, "cannot look at network interface 'vnet0': Device or resource busy");
}


/* The daemon was away when the migrate hook was called: the start hook looks like any start,
 * until libvirt tells. */
static void
testStartedLate(Host *host,
                gconstpointer opaque)
{
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostSetVfMac(host, MAC);
    hostCountAsked(host);
    hostHook(host, "start", domainXml);
    g_assert_cmpuint(host->resynced, ==, 1);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_INCOMING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "RESUME", NULL);
    hostRead(host);
}


/* As testArrive() until the guest's tap is there, but its owner has taken the VF out beforehand:
 * what comes is a standby. */
static void
hostArriveAlone(Host *host)
{
    static const char xml[] = DOMAIN
        "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
        "<model type='virtio'/><teaming type='persistent'/><alias name='ua-net0'/></interface>"
        "</devices></domain>";

    hostHook(host, "migrate", xml);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    hostExpect(host, "");
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", standbyXml);
}


/* The same until it has run for a while. */
static void
hostRunAlone(Host *host)
{
    hostArriveAlone(host);
    hostEvent(host, "RESUME", NULL);
    hostWait(host, 1000);
    g_free(virTeamingFakeTakeLog(host->kernel));
}


static void
testArriveAlone(Host *host,
                gconstpointer opaque)
{
    hostArriveAlone(host);
    hostExpect(host,
               "LinkSetFlooding vnet0 off\n"
               "FdbAdd eth1 " MAC " master static sticky\n");
    /* A VF with its MAC is somebody else's. */
    hostSetVfMac(host, MAC);
    hostSpin(host);
    hostExpect(host, "");
    hostSetVfMac(host, "00:00:00:00:00:00");

    hostNotice(host, UUID, FALSE);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n"
               TOLD_HERE
               "LinkSetFlooding vnet0 on\n");
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostEvent(host, "RESUME", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
    hostExpect(host, "");

    /* Its owner plugs one, and takes it out before the guest has read it, as he likes. */
    hostSetVfMac(host, MAC);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_SHOWN);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostWait(host, 10 * 1000);
    g_assert_cmpuint(host->plugged, ==, 0);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);

    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostRead(host);
    hostStop(host);
    hostExpectClean(host);
}


/* It leaves as it came: stopped here, the other host is told. */
static void
testLeaveAlone(Host *host,
               gconstpointer opaque)
{
    hostArriveAlone(host);
    hostEvent(host, "RESUME", NULL);
    hostRestart(host);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "STOP", NULL);
    hostExpect(host,
               TOLD_AWAY
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    hostStop(host);
    hostExpectClean(host);
}


/* It was stopped before its migration began: when all of it is there, it is to go on there. */
static void
testLeaveStopped(Host *host,
                 gconstpointer opaque)
{
    hostArriveAlone(host);
    hostEvent(host, "RESUME", NULL);
    hostEvent(host, "STOP", NULL);
    hostEvent(host, "MIGRATION", "{\"status\":\"setup\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostExpect(host,
               TOLD_AWAY
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    /* Or here, if the other host can't. */
    hostEvent(host, "RESUME", NULL);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_STANDBY);
    hostEvent(host, "MIGRATION", "{\"status\":\"active\"}");
    hostEvent(host, "MIGRATION", "{\"status\":\"completed\"}");
    hostStop(host);
    hostExpectClean(host);
}


/* A guest whose VF another guest has can't come, and libvirt will say so: that one keeps it. */
static void
testVfOfAnother(Host *host,
                gconstpointer opaque)
{
    hostSetVfMac(host, "52:54:00:99:99:99");
    virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostHook(host, "migrate", domainXml);
    hostSpin(host);
    hostExpect(host, "FdbAdd eth1 " MAC " master static sticky\n");
    hostHook(host, "stopped", domainXml);
    hostHook(host, "release", domainXml);
    hostExpectClean(host);
}


/* Two guests with one MAC, in two networks: the VF that is driven, or that a QEMU at least has open,
 * is not the one that libvirt has just given the MAC. */
static void
testMacOfAnother(Host *host,
                 gconstpointer opaque)
{
    virTeamingVf vf = { .index = 1, .trust = -1, .spoofchk = 1, .vlan = 20 };

    hostAddPci(host, "0000:01:10.2", "vfio-pci", "0000:01:00.0", "");
    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &vf.address));
    vf.mac = host->mac;
    hostSetVfMac(host, MAC);
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, TRUE);
    if (GPOINTER_TO_INT(opaque))
        virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, 3);
    hostHook(host, "migrate", arrivingXml);
    hostSpin(host);
    hostExpect(host, "");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    hostSpin(host);
    hostExpect(host,
               "VfSetMac eth1 1 00:00:00:00:00:00\n"
               "FdbAdd eth1 " MAC " master static sticky\n");
    hostHook(host, "stopped", arrivingXml);
}


/* The standby has no alias that its owner chose: libvirt counts, here and there. */
static void
testArriveByPosition(Host *host,
                     gconstpointer opaque)
{
    g_auto(GStrv) parts = g_strsplit(arrivingXml, "<alias name='ua-net0'/>", -1);
    g_autofree char *text = g_strjoinv("", parts);
    g_auto(GStrv) more = g_strsplit(text, "persistent='ua-net0'", -1);
    g_autofree char *xml = g_strjoinv("persistent='net0'", more);
    g_auto(GStrv) names = g_strsplit(domainXml, "ua-net0", -1);
    g_autofree char *live = g_strjoinv("net0", names);

    hostHook(host, "migrate", xml);
    hostSetVfMac(host, MAC);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", live);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"net0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LANDING);
    hostResume(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_assert_nonnull(strstr(host->plugXml, "sriov0"));
}


/* libvirt gives VF 0 the MAC, and then puts it into @vlan, by a request of its own. */
static void
hostGiveInVlan(Host *host,
               guint vlan)
{
    virTeamingVf vf = { .index = 0, .address = host->vf, .trust = -1, .spoofchk = 1 };

    for (guint i = 0; i < 2; i++) {
        vf.mac = host->mac;
        vf.vlan = i ? vlan : 0;
        virTeamingFakeSetVf(host->kernel, "eth1", &vf);
        while (g_main_context_iteration(NULL, FALSE))
            ;
        hostExpect(host, "");
    }
    hostWait(host, 12);
}


/* Where the NIC does not copy, a VF that libvirt has just given the MAC is parked until its guest
 * drives it, whoever has it plugged. */
static void
testCatch(Host *host,
          gconstpointer opaque)
{
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostArrive(host);
    hostSpin(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostResume(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_free(virTeamingFakeTakeLog(host->kernel));

    hostGiveInVlan(host, 100);
    hostExpect(host, "VfSetVlan eth1 0 4094\n");
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, NULL);
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpect(host, "");
    hostGuest(host, TRUE, 3);
    hostExpect(host,
               "VfSetVlan eth1 0 100\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);

    /* Its owner takes it out, and plugs one. */
    hostGuest(host, FALSE, 0);
    hostEvent(host, "DEVICE_DELETED", "{\"device\":\"hostdev0\",\"path\":\"/x\"}");
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostSetVfMac(host, "00:00:00:00:00:00");
    hostSpin(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostGiveInVlan(host, 0);
    hostExpect(host, "VfSetVlan eth1 0 4094\n");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpect(host, "");
    hostGuest(host, TRUE, 3);
    hostExpect(host,
               "VfSetVlan eth1 0 0\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    hostWait(host, 2000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostStop(host);
    hostExpectClean(host);
}


/* What was caught and is not said to be the guest's, is another's. It is let go, once for all. */
static void
testCatchOfAnother(Host *host,
                   gconstpointer opaque)
{
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostRunAlone(host);
    /* News of other links are none. */
    virTeamingFakeFail(host->kernel, "VfList", 0, EIO);
    hostAddLink(host, "vnet9", "tun", "br0", "");
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpint(hostPair(host)->catchAt, ==, 0);
    virTeamingFakeFail(host->kernel, "VfList", 0, 0);

    /* What was lost may be. */
    virTeamingFakeLoseNotifications(host->kernel);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpint(hostPair(host)->catchAt, !=, 0);
    hostWait(host, 20);

    hostGiveInVlan(host, 7);
    hostExpect(host, "VfSetVlan eth1 0 4094\n");
    hostWait(host, 9 * 1000);
    hostExpect(host, "");
    hostWait(host, 2 * 1000);
    hostExpect(host, "VfSetVlan eth1 0 7\n");
    g_assert_false(virTeamingDriverIsGroping(host->driver, UUID));
    hostSpin(host);
    hostWait(host, 20);
    hostExpect(host, "");
}


/* VF 0, in VLAN 20, is of another guest with the same MAC, and VF 1 is the guest's. */
static void
hostAddNamesake(Host *host,
                gboolean drives)
{
    virTeamingVf vf = { .index = 0, .mac = host->mac, .vlan = 20, .serviceVlan = TRUE,
                        .trust = -1, .spoofchk = 1 };

    hostAddPci(host, "0000:01:10.2", "vfio-pci", "0000:01:00.0", "");
    g_assert_true(virTeamingPciAddressParse("0000:01:10.2", &vf.address));
    virTeamingFakeSetPciState(host->kernel, &vf.address, drives, drives ? 3 : 0);
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    vf = (virTeamingVf) { .index = 1, .address = host->vf, .mac = host->mac, .vlan = 10,
                          .qos = 1, .trust = -1, .spoofchk = 1 };
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}


/* The guest reads its VF, which is back in its own VLAN. */
static void
hostDriveBesideNamesake(Host *host)
{
    hostGuest(host, TRUE, 3);
    hostExpect(host,
               "VfSetVlan eth1 1 10 qos 1\n"
               "LinkSetLearning vnet0 off\n"
               "FdbDel vnet0 " MAC " master\n"
               "FdbDel eth1 " MAC " self\n");
    hostStop(host);
    hostExpectClean(host);
}


/* In another network another guest has the same MAC, and a VF of the same PF, which it drives. That
 * is not taken for the one that libvirt has plugged, nor is its VLAN. */
static void
testCatchBesideNamesake(Host *host,
                        gconstpointer opaque)
{
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostLand(host);
    g_assert_cmpuint(host->plugged, ==, 1);
    g_free(virTeamingFakeTakeLog(host->kernel));
    hostAddNamesake(host, TRUE);
    hostWait(host, 12);
    hostExpect(host, "VfSetVlan eth1 1 4094\n");
    virTeamingDriverTellPlug(host->driver, UUID, &host->mac, NULL);
    g_assert_true(virTeamingPciAddressEqual(&hostPair(host)->vf, &host->vf));
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpect(host, "");
    hostDriveBesideNamesake(host);
}


/* It does not drive its VF at that moment, which is caught in place of the guest's: each comes back
 * to its own VLAN, also if a daemon dies meanwhile. */
static void
testCatchOfNamesake(Host *host,
                    gconstpointer opaque)
{
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostRunAlone(host);
    hostAddNamesake(host, FALSE);
    hostWait(host, 12);
    hostExpect(host, "VfSetVlan eth1 0 4094\n");
    hostSnapshot(host, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostExpect(host, "VfSetVlan eth1 1 4094\n");
    virTeamingFakeSetPciOpen(host->kernel, &host->vf, TRUE);
    hostRestart(host);
    hostWait(host, 11 * 1000);
    hostExpect(host, "VfSetVlan eth1 0 20 802.1ad\n");
    hostDriveBesideNamesake(host);
}


/* A guest that is being taken from knows nothing of what it has no name for. */
static void
testAloneUntouched(Host *host,
                   gconstpointer opaque)
{
    hostCountAsked(host);
    hostArriveAlone(host);
    hostEvent(host, "RESUME", NULL);
    hostEvent(host, "DEVICE_DELETED", "{\"path\":\"/x\"}");
    hostWait(host, 1000);
    g_assert_false(hostPair(host)->unplugged);

    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_UNPLUGGING, TRUE);
    for (guint i = 0; i < 12; i++)
        hostWait(host, 60 * 1000);
    g_assert_cmpuint(host->aborted, ==, 0);
    hostTellXml(host, standbyXml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
    hostMove(host, FALSE);
    hostRefuseMove(host, "guest", NULL, TRUE, "it is not known here which VF it had");
}


/* One standby of two never had a VF: the other is moved all the same. */
static void
testMoveBesideAlone(Host *host,
                    gconstpointer opaque)
{
    hostDriveKnown(host);
    hostTellBesideAlone(host, domainXml);
    hostMove(host, FALSE);
    g_assert_cmpuint(host->unplugged, ==, 1);
    g_assert_true(virTeamingMacEqual(&host->plugging, &host->mac));
}


/* A standby that was moved, and has no alias of its own: in the hook's XML it has none at all. */
static void
testArriveMovedByPosition(Host *host,
                          gconstpointer opaque)
{
    static const char xml[] = "<domain type='kvm'><name>guest</name><uuid>" UUID "</uuid>"
        "<metadata><m:moved xmlns:m='https://virt-teaming.org/xmlns/moved/1.0'>"
        "<m:pair standby='net0' primary='hostdev0'>&lt;interface/&gt;</m:pair></m:moved>"
        "</metadata><os><type arch='x86_64' machine='q35'>hvm</type></os>"
        "<features><acpi/></features><devices>"
        "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
        "<model type='virtio'/><teaming type='persistent'/></interface></devices></domain>";

    hostHook(host, "migrate", xml);
    g_assert_cmpint(hostPair(host)->move, ==, VIR_TEAMING_MOVE_STANDBY);
    g_assert_cmpstr(hostPair(host)->plugXml, ==, "<interface/>");
}


/* Nobody tells when an owner begins to take the VF out; it is seen all the same, and soon. */
static void
testTakenOut(Host *host,
             gconstpointer opaque)
{
    hostBoot(host);
    hostGuest(host, TRUE, 3);
    hostWait(host, 60 * 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    g_free(virTeamingFakeTakeLog(host->kernel));
    g_assert_cmpint(virTeamingDriverNextRun(host->driver, g_get_monotonic_time() + host->ahead),
                    <=, 50 * 1000);
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostWait(host, 50);
    hostExpect(host,
               "FdbAdd eth1 " MAC " self\n"
               "FdbAdd vnet0 " MAC " master static sticky\n");
}


/* How many steps were taken. */
static guint
hostTakeLines(Host *host)
{
    g_autofree char *log = virTeamingFakeTakeLog(host->kernel);
    guint lines = 0;

    for (const char *p = log; (p = strchr(p, '\n')); p++)
        lines++;
    return lines;
}


/* A guest that plays with its VF does not keep the host busy; when it has done, all is as ever. */
static void
testRestless(Host *host,
             gconstpointer opaque)
{
    guint lines;

    hostBoot(host);
    g_free(virTeamingFakeTakeLog(host->kernel));
    for (guint i = 0; i < 30 * 1000 / 50; i++) {
        virTeamingFakeSetPciState(host->kernel, &host->vf, i % 2 == 0, i % 2 ? 0 : 3);
        hostWait(host, 50);
    }
    lines = hostTakeLines(host);
    g_assert_cmpuint(lines, >, 10);
    g_assert_cmpuint(lines, <, 600);

    /* One that was asked for its VF is looked at more closely. */
    hostGuest(host, TRUE, 3);
    hostWait(host, 1000);
    hostEvent(host, "UNPLUG_PRIMARY", "{\"device-id\":\"hostdev0\"}");
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_LEAVING);
    hostGuest(host, FALSE, 0);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_RELEASED);
    g_free(virTeamingFakeTakeLog(host->kernel));
    for (guint i = 0; i < 10 * 1000 / 2; i++) {
        virTeamingFakeSetPciState(host->kernel, &host->vf, TRUE, i % 2 ? 0 : 3);
        hostWait(host, 2);
    }
    g_assert_cmpuint(hostTakeLines(host), <, 1000);
    hostEvent(host, "MIGRATION", "{\"status\":\"failed\"}");
    hostWait(host, 11 * 1000);
    hostGuest(host, TRUE, 3);
    hostWait(host, 1000);
    hostWait(host, 1000);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_DRIVING);
    hostStop(host);
    hostExpectClean(host);
}


/* The package is removed. */
static gboolean
hostRelease(Host *host)
{
    g_autoptr(GError) error = NULL;
    gboolean released;

    g_clear_pointer(&host->driver, virTeamingDriverFree);
    g_free(virTeamingFakeTakeLog(host->kernel));
    released = virTeamingPairsRelease(host->kernel, host->statedir, &error);
    g_assert_true(released == !error);
    return released;
}


/* What @expected says was taken back, and the guest's VF is as libvirt has made it. */
static void
hostExpectReleased(Host *host,
                   guint vlan,
                   const char *expected)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];
    virTeamingLink tap;
    virTeamingVf vf;

    hostExpect(host, expected);
    g_assert_true(virTeamingKernelLinkGet(host->kernel, "vnet0", &tap, NULL));
    g_assert_true(tap.learning && tap.flooding);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_cmpstr(virTeamingMacFormat(&vf.mac, buf), ==, MAC);
    g_assert_cmpuint(vf.vlan, ==, vlan);
    hostRestart(host);
    hostExpectClean(host);
}


/* Guests that run have what they would have without a daemon, and what has gone is undone. */
static void
testRelease(Host *host,
            gconstpointer opaque)
{
    virTeamingVf vf = { .index = 0, .address = host->vf, .mac = host->mac, .trust = -1,
                        .vlan = 100, .qos = 5 };

    g_assert_true(hostRelease(host));
    hostExpect(host, "");
    hostRestart(host);

    hostDrive(host);
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 0, "FdbDel eth1 " MAC " master\n");

    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostBoot(host);
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 0, "FdbDel vnet0 " MAC " master\nFdbDel eth1 " MAC " self\n");

    /* In the middle of a change. */
    hostBoot(host);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostGuest(host, TRUE, 3);
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 0, "FdbDel eth1 " MAC " self\nLinkSetLearning vnet0 on\n");

    /* It is yet to come. */
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostSetVfMac(host, "00:00:00:00:00:00");
    hostArrive(host);
    hostSpin(host);
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 0, "VfSetMac eth1 0 " MAC "\nFdbDel eth1 " MAC " master\n"
                       "FdbDel eth1 " MAC " self\nLinkSetFlooding vnet0 on\n");

    /* It has gone, and the VF may be another guest's. */
    hostDrive(host);
    g_clear_pointer(&host->driver, virTeamingDriverFree);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostSetVfMac(host, "52:54:00:65:43:21");
    g_assert_true(hostRelease(host));
    hostExpect(host, "FdbDel eth1 " MAC " master\n");
    hostRestart(host);
    hostExpectClean(host);

    /* So it may be if another guest has a tap of that name. */
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostArrive(host);
    hostSpin(host);
    g_clear_pointer(&host->driver, virTeamingDriverFree);
    hostSetVfMac(host, "52:54:00:65:43:21");
    g_assert_true(hostRelease(host));
    hostExpect(host, "FdbDel eth1 " MAC " master\nFdbDel eth1 " MAC " self\n"
               "LinkSetFlooding vnet0 on\n");
    hostRestart(host);
    hostExpectClean(host);

    /* What the kernel refuses is kept for another try. */
    hostDrive(host);
    virTeamingFakeFail(host->kernel, "FdbDel", 1, EBUSY);
    g_assert_false(hostRelease(host));
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 0, "FdbDel eth1 " MAC " master\n");

    /* On a NIC that does not copy, nobody reads the VF. */
    virTeamingFakeSetPciState(host->kernel, &host->vf, FALSE, 0);
    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    virTeamingFakeSetVf(host->kernel, "eth1", &vf);
    hostHook(host, "start", domainXml);
    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_cmpuint(vf.vlan, ==, VIR_TEAMING_PARK_VLAN);
    g_assert_true(hostRelease(host));
    hostExpectReleased(host, 100, "VfSetVlan eth1 0 100 qos 5\n"
                       "FdbDel vnet0 " MAC " master\nFdbDel eth1 " MAC " self\n");
}


/* A macvtap gets back what libvirt and Linux have given it, on NICs that copy and others. */
static void
testReleaseMacvtap(Host *host,
                   gconstpointer opaque)
{
    const gboolean copies = GPOINTER_TO_INT(opaque);
    virTeamingLink link = { .name = "vnet0", .kind = "macvtap", .lower = "eth1", .mtu = 1500,
                            .mode = VIR_TEAMING_MACVTAP_BRIDGE, .up = TRUE, .running = TRUE,
                            .learning = TRUE, .flooding = TRUE };

    if (!copies)
        hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostAddLink(host, "eth1", "", "", "0000:01:00.0");
    virTeamingFakeSetLink(host->kernel, &link);
    hostSetVfMac(host, MAC);
    hostHook(host, "start", domainXml);
    hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
    hostRead(host);
    g_assert_true(virTeamingKernelLinkGet(host->kernel, "vnet0", &link, NULL));
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_VEPA);
    g_assert_true(hostRelease(host));
    hostExpect(host, copies ? "LinkSetMode vnet0 bridge\n" :
               "FdbAdd eth1 " MAC " self\nLinkSetMode vnet0 bridge\n");
    g_assert_true(virTeamingKernelLinkGet(host->kernel, "vnet0", &link, NULL));
    g_assert_cmpint(link.mode, ==, VIR_TEAMING_MACVTAP_BRIDGE);
    hostRestart(host);
}


static void
hostExpectVfMac(Host *host,
                const char *mac)
{
    char buf[VIR_TEAMING_MAC_STRING_LEN];
    virTeamingVf vf;

    g_assert_true(virTeamingKernelVfGet(host->kernel, "eth1", 0, &vf, NULL));
    g_assert_cmpstr(virTeamingMacFormat(&vf.mac, buf), ==, mac);
}


/* Before it is known whose it is that was caught, the daemon dies, or its guest ends, or nobody is
 * to look after it any more: it does not stay in our VLAN. */
static void
testCatchInVain(Host *host,
                gconstpointer opaque)
{
    enum { DIED, ENDED, RELEASED } how = GPOINTER_TO_INT(opaque);

    hostAddPci(host, "0000:01:00.0", "unheard-of", "", "eth1");
    hostRunAlone(host);
    hostGiveInVlan(host, 7);
    hostExpect(host, "VfSetVlan eth1 0 4094\n");

    if (how == DIED) {
        hostRestart(host);
        hostWait(host, 8 * 1000);
        hostExpect(host, "");
        hostWait(host, 2 * 1000);
        hostExpect(host, "VfSetVlan eth1 0 7\n");
        /* Once for all: by now it may be another pair's, and parked for that. */
        g_assert_true(virTeamingKernelVfSetVlan(host->kernel, "eth1", 0, VIR_TEAMING_PARK_VLAN, 0,
                                                FALSE, NULL));
        g_free(virTeamingFakeTakeLog(host->kernel));
        hostRestart(host);
        hostWait(host, 11 * 1000);
        hostExpect(host, "");
    } else if (how == ENDED) {
        virTeamingFakeRemoveLink(host->kernel, "vnet0");
        hostHook(host, "release", standbyXml);
        hostExpect(host, "FdbDel eth1 " MAC " self\nVfSetVlan eth1 0 7\n");
        hostExpectClean(host);
    } else {
        g_assert_true(hostRelease(host));
        hostExpect(host,
                   "VfSetVlan eth1 0 7\n"
                   "FdbDel vnet0 " MAC " master\n"
                   "FdbDel eth1 " MAC " self\n");
        hostRestart(host);
        hostExpectClean(host);
    }
}


/* A host with @n pairs more on the same PF and bridge, each of which reads its VF. */
static void
hostAddPairs(Host *host,
             guint n)
{
    g_autoptr(GString) xml = g_string_new(DOMAIN);

    for (guint i = 1; i <= n; i++) {
        g_autofree char *tap = g_strdup_printf("tap%u", i);
        g_autofree char *mac = g_strdup_printf("52:54:00:77:%02x:%02x", i >> 8, i & 0xff);
        g_autofree char *pci = g_strdup_printf("0000:%02x:%02x.0", 2 + i / 32, i % 32);
        virTeamingVf vf = { .index = i, .trust = -1, .spoofchk = 1 };

        hostAddPci(host, pci, "vfio-pci", "0000:01:00.0", "");
        hostAddLink(host, tap, "tun", "br0", "");
        g_assert_true(virTeamingPciAddressParse(pci, &vf.address));
        g_assert_true(virTeamingMacParse(mac, &vf.mac));
        virTeamingFakeSetVf(host->kernel, "eth1", &vf);
        virTeamingFakeSetPciState(host->kernel, &vf.address, TRUE, 3);
        g_string_append_printf(xml,
            "<interface type='bridge'><mac address='%s'/><source bridge='br0'/><target dev='%s'/>"
            "<model type='virtio'/><teaming type='persistent'/><alias name='ua-net%u'/>"
            "</interface><interface type='hostdev'><mac address='%s'/><source>"
            "<address type='pci' domain='0' bus='%u' slot='%u' function='0'/></source>"
            "<teaming type='transient' persistent='ua-net%u'/><alias name='hostdev%u'/>"
            "</interface>", mac, tap, i, mac, 2 + i / 32, i % 32, i, i);
    }
    g_string_append(xml, "</devices></domain>");
    hostTellXml(host, xml->str, VIR_TEAMING_ACTIVITY_RUNNING, TRUE);
    hostWait(host, 2000);
    hostWait(host, 2000);
}


/* What there is a list of is not asked for by each of many pairs that are looked at in one turn. */
static void
testManyPairs(Host *host,
              gconstpointer opaque)
{
    const GPtrArray *pairs = virTeamingDriverPairs(host->driver);

    hostAddPairs(host, 20);
    g_assert_cmpuint(pairs->len, ==, 20);
    hostSpin(host);
    for (guint i = 0; i < pairs->len; i++) {
        virTeamingPairObj *pair = pairs->pdata[i];

        g_assert_cmpint(pair->phase, ==, VIR_TEAMING_PHASE_DRIVING);
        pair->lookAt = 1;
    }
    virTeamingFakeFail(host->kernel, "VfGet", 4, EIO);
    virTeamingFakeFail(host->kernel, "VfList", 2, EIO);
    virTeamingFakeFail(host->kernel, "FdbList", 5, EIO);
    hostWait(host, 10);
    for (guint i = 0; i < pairs->len; i++)
        g_assert_null(((virTeamingPairObj *)pairs->pdata[i])->problem);

    /* The bridge has lost its uplink. */
    hostAddLink(host, "eth1", "", "", "0000:01:00.0");
    hostSpin(host);
    virTeamingFakeFail(host->kernel, "LinkList", 5, EIO);
    hostWait(host, 2000);
    for (guint i = 0; i < pairs->len; i++) {
        const char *problem = ((virTeamingPairObj *)pairs->pdata[i])->problem;

        g_assert_nonnull(strstr(problem, "has no uplink"));
    }
}


/* Of a domain that is active no more nothing is kept; and what libvirt was asked before it ended is
 * no news after. @opaque: whether libvirt was away when it ended. */
static void
testForget(Host *host,
           gconstpointer opaque)
{
    static const char *const none[] = { NULL };
    const gboolean away = GPOINTER_TO_INT(opaque);
    virTeamingSnapshot late = { .uuid = (char *)UUID, .xml = (char *)domainXml, .copied = -1,
                                .serial = virTeamingDriverSerial(host->driver, UUID) };

    hostDrive(host);
    g_assert_cmpuint(g_hash_table_size(host->driver->serials), ==, 1);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostHook(host, "release", domainXml);
    hostExpectClean(host);
    if (away)
        virTeamingDriverTellInventory(host->driver, none,
                                      virTeamingDriverSerial(host->driver, NULL));
    else
        hostSnapshot(host, VIR_TEAMING_ACTIVITY_INACTIVE, FALSE);
    g_assert_cmpuint(g_hash_table_size(host->driver->serials), ==, 0);

    hostCountAsked(host);
    virTeamingDriverTellSnapshot(host->driver, &late);
    g_assert_cmpuint(host->asked, ==, 1);
    hostExpectClean(host);
}


/* A guest that libvirt began to start for another host after it had been asked which domains there
 * are is not gone; the next answer says whether it is. */
static void
testInventoryLate(Host *host,
                  gconstpointer opaque)
{
    static const char *const none[] = { NULL };
    const guint before = virTeamingDriverSerial(host->driver, NULL);

    hostArrive(host);
    hostCountAsked(host);
    virTeamingDriverTellInventory(host->driver, none, before);
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 1);
    g_assert_cmpint(hostPhase(host), ==, VIR_TEAMING_PHASE_ARRIVING);
    g_assert_cmpuint(host->resynced, ==, 1);
    virTeamingDriverTellInventory(host->driver, none, virTeamingDriverSerial(host->driver, NULL));
    g_assert_cmpuint(virTeamingDriverPairs(host->driver)->len, ==, 0);
}


/* The VF of a plain <hostdev> has the MAC that it had, when the guest has gone: nobody but us
 * gives it another. */
static void
testPlainHostdev(Host *host,
                 gconstpointer opaque)
{
    static const char own[] = "52:54:00:65:43:21";
    static const char xml[] = DOMAIN
        "<interface type='bridge'><mac address='" MAC "'/><source bridge='br0'/>"
        "<target dev='vnet0'/><model type='virtio'/><teaming type='persistent'/>"
        "<alias name='ua-net0'/></interface>"
        "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>"
        "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
        "<teaming type='transient' persistent='ua-net0'/><alias name='hostdev0'/></hostdev>"
        "</devices></domain>";

    /* With a daemon that dies, when the guest runs, and when it has gone. */
    for (guint i = 0; i < 3; i++) {
        hostSetVfMac(host, own);
        hostAddLink(host, "vnet0", "tun", "br0", "");
        hostHook(host, "start", xml);
        if (i == 1)
            hostRestart(host);
        hostTellXml(host, xml, VIR_TEAMING_ACTIVITY_RUNNING, FALSE);
        hostEvent(host, "FAILOVER_NEGOTIATED", "{\"device-id\":\"ua-net0\"}");
        hostRead(host);
        hostExpectVfMac(host, MAC);
        hostGuest(host, FALSE, 0);
        virTeamingFakeRemoveLink(host->kernel, "vnet0");
        if (i == 2)
            hostRestart(host);
        else
            hostHook(host, "stopped", xml);
        hostExpectVfMac(host, own);
        hostExpectClean(host);
    }

    /* It was to come, and does not; its owner had set the MAC himself. */
    hostSetVfMac(host, MAC);
    hostHook(host, "migrate", xml);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", xml);
    hostExpectVfMac(host, "00:00:00:00:00:00");
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostHook(host, "release", xml);
    hostExpectVfMac(host, MAC);
    hostExpectClean(host);

    /* Somebody else has it by then. */
    hostSetVfMac(host, own);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", xml);
    hostExpectVfMac(host, MAC);
    hostSetVfMac(host, "52:54:00:65:43:22");
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    hostHook(host, "stopped", xml);
    hostExpectVfMac(host, "52:54:00:65:43:22");
    hostExpectClean(host);

    /* There is to be no daemon. */
    hostSetVfMac(host, own);
    hostAddLink(host, "vnet0", "tun", "br0", "");
    hostHook(host, "start", xml);
    g_clear_pointer(&host->driver, virTeamingDriverFree);
    virTeamingFakeRemoveLink(host->kernel, "vnet0");
    g_assert_true(hostRelease(host));
    hostExpectVfMac(host, own);
    hostRestart(host);
    hostExpectClean(host);
}


int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Host *host, gconstpointer opaque);
        int opaque;
    } tests[] = {
        { "/driver/boot", testBoot },
        { "/driver/leave", testLeave },
        { "/driver/cancel", testCancel },
        { "/driver/fail-after-stop", testFailAfterStop },
        { "/driver/stop-after-fail", testStopAfterFail },
        { "/driver/arrive", testArrive },
        { "/driver/arrive-with-mac-drawn", testArriveWithMacDrawn },
        { "/driver/vf-refused-to-qemu", testRefused },
        { "/driver/vf-not-refused-to-qemu", testNotRefused },
        { "/driver/vf-refused-to-qemu-meanwhile", testRefusedMeanwhile },
        { "/driver/vf-refused-to-qemu-arriving", testRefusedArriving },
        { "/driver/arrive-deferred", testArriveDeferred },
        { "/driver/arrive-alone", testArriveAlone },
        { "/driver/arrive-by-position", testArriveByPosition },
        { "/driver/leave-alone", testLeaveAlone },
        { "/driver/leave-stopped", testLeaveStopped },
        { "/driver/vf-of-another", testVfOfAnother },
        { "/driver/mac-of-another", testMacOfAnother, TRUE },
        { "/driver/mac-of-another-that-is-idle", testMacOfAnother, FALSE },
        { "/driver/arrive-moved-by-position", testArriveMovedByPosition },
        { "/driver/alone-untouched", testAloneUntouched },
        { "/driver/move-beside-alone", testMoveBesideAlone },
        { "/driver/vf-caught", testCatch },
        { "/driver/vf-caught-of-another", testCatchOfAnother },
        { "/driver/vf-caught-beside-namesake", testCatchBesideNamesake },
        { "/driver/vf-caught-of-namesake", testCatchOfNamesake },
        { "/driver/vf-caught-and-daemon-dies", testCatchInVain, 0 },
        { "/driver/vf-caught-and-guest-ends", testCatchInVain, 1 },
        { "/driver/vf-caught-and-released", testCatchInVain, 2 },
        { "/driver/vf-taken-out", testTakenOut },
        { "/driver/restless", testRestless },
        { "/driver/handed-over", testHandedOver },
        { "/driver/handed-over-in-vain", testHandedOverInVain },
        { "/driver/handed-over-and-recalled", testHandedOverAndRecalled },
        { "/driver/handed-over-to-dead", testHandedOverToDead },
        { "/driver/handed-over-and-shouted", testHandedOverAndShouted },
        { "/driver/handed-over-unheard", testHandedOverUnheard },
        { "/driver/arrive-unseen", testArriveUnseen },
        { "/driver/arrive-untold", testArriveUntold },
        { "/driver/look-sparingly", testLookSparingly },
        { "/driver/look-at-another", testLookAtAnother },
        { "/driver/hurry", testHurry },
        { "/driver/arrive-without-mac", testArriveWithoutMac },
        { "/driver/plug-unheard", testPlugUnheard },
        { "/driver/plug-as-it-leaves", testPlugAsItLeaves },
        { "/driver/plug-takes-another", testPlugTakesAnother },
        { "/driver/plug-nothing-as-it-leaves", testPlugNothingAsItLeaves },
        { "/driver/plug-by-owner", testPlugByOwner },
        { "/driver/evacuate", testEvacuate, FALSE },
        { "/driver/evacuate-again", testEvacuate, TRUE },
        { "/driver/evacuate-unseen", testEvacuateUnseen },
        { "/driver/move-absent", testMoveAbsent },
        { "/driver/plug-one-by-one", testPlugOneByOne },
        { "/driver/plug-when-the-one-before-is-read", testPlugWhenRead, TRUE },
        { "/driver/plug-when-the-one-before-is-not-read", testPlugWhenRead },
        { "/driver/plug-too-late", testPlugTooLate },
        { "/driver/plug-of-former", testPlugOfFormer },
        { "/driver/arrive-in-vain", testArriveInVain },
        { "/driver/migrate-to-self", testMigrateToSelf },
        { "/driver/come-back-while-it-ends", testComeBackSoon, 0 },
        { "/driver/come-back-when-it-has-ended", testComeBackSoon, 1 },
        { "/driver/come-back-when-that-is-told", testComeBackSoon, 2 },
        { "/driver/come-back-when-all-is-over", testComeBackSoon, 3 },
        { "/driver/park-in-vlan", testParkInVlan, FALSE },
        { "/driver/park-in-service-vlan", testParkInVlan, TRUE },
        { "/driver/detach", testDetach },
        { "/driver/move", testMove },
        { "/driver/move-and-attach", testMoveAndAttach },
        { "/driver/move-and-migrate", testMoveAndMigrate },
        { "/driver/move-command", testMoveCommand },
        { "/driver/move-command-beside-alone", testMoveCommandBesideAlone },
        { "/driver/move-without-vf", testMoveWithoutVf },
        { "/driver/move-refused", testMoveRefused },
        { "/driver/move-taken-back", testMoveTakenBack },
        { "/driver/move-hindered", testMoveHindered },
        { "/driver/hidden", testHidden },
        { "/driver/hidden-both", testHiddenBoth },
        { "/driver/hidden-for-good", testHiddenForGood },
        { "/driver/hidden-unheard", testHiddenUnheard },
        { "/driver/never-lets-go", testNeverLetsGo },
        { "/driver/lets-go-late", testLetsGoLate },
        { "/driver/waits-if-told", testWaitsIfTold },
        { "/driver/copies-with-live-vf", testCopiesWithLiveVf },
        { "/driver/cancel-unheard", testCancelUnheard },
        { "/driver/copies-with-live-vf-unheard", testCopiesWithLiveVfUnheard },
        { "/driver/refused-twice", testRefusedTwice },
        { "/driver/refused-and-lost", testRefusedAndLost },
        { "/driver/reset-while-copied", testResetWhileCopied },
        { "/driver/refused-and-waits", testRefusedAndWaits },
        { "/driver/stops-with-live-vf", testStopsWithLiveVf },
        { "/driver/firmware-never-lets-go", testFirmwareNeverLetsGo },
        { "/driver/suspended-while-asked-out", testSuspendedWhileAskedOut },
        { "/driver/stopped-before-asked-out", testStoppedBeforeAskedOut },
        { "/driver/suspended-while-copied", testSuspendedWhileCopied },
        { "/driver/detach-after-cancel", testDetachAfterCancel },
        { "/driver/late-while-asked-out", testLateWhileAskedOut },
        { "/driver/never-asked-out", testNeverAskedOut },
        { "/driver/end-unheard", testEndUnheard },
        { "/driver/blind", testBlind },
        { "/driver/long-timeout", testLongTimeout },
        { "/driver/parked-without-mac", testParkedWithoutMac },
        { "/driver/busy-bridge", testBusyBridge },
        { "/driver/flap", testFlap },
        { "/driver/negotiate-for-ever", testNegotiateForEver },
        { "/driver/arrive-deaf", testArriveDeaf },
        { "/driver/postcopy-restart", testPostcopyRestart },
        { "/driver/postcopy-restart-unheard", testPostcopyRestart, TRUE },
        { "/driver/waited-and-back", testWaitedAndBack },
        { "/driver/gone-meanwhile", testGoneMeanwhile },
        { "/driver/never-arrives", testNeverArrives },
        { "/driver/late", testLate },
        { "/driver/restart-anywhere", testRestartAnywhere },
        { "/driver/restart-stopped", testRestartStopped },
        { "/driver/refusals", testRefusals },
        { "/driver/hook-nonsense", testHookNonsense },
        { "/driver/refuse-migration", testRefuseMigration },
        { "/driver/admit-odd-domain", testAdmitOddDomain },
        { "/driver/unfit-nic", testUnfitNic },
        { "/driver/other-host-gone", testOtherHostGone },
        { "/driver/uplink-lost", testBridgeLost, FALSE },
        { "/driver/bridge-lost", testBridgeLost, TRUE },
        { "/driver/uplink-down", testUplinkDown },
        { "/driver/tap-gone", testTapGone },
        { "/driver/links-renamed", testLinksRenamed, 0 },
        { "/driver/links-renamed-meanwhile", testLinksRenamed, 1 },
        { "/driver/links-renamed-without-vf", testLinksRenamed, 2 },
        { "/driver/vf-detached", testVfTakenAway, FALSE },
        { "/driver/vf-taken-away", testVfTakenAway, TRUE },
        { "/driver/vf-detached-and-taken-away", testDetachedAndTakenAway },
        { "/driver/half-done", testHalfDone },
        { "/driver/vf-unreadable", testVfUnreadable },
        { "/driver/mac-of-unreadable", testMacOfUnreadable },
        { "/driver/vf-sought", testVfSought },
        { "/driver/which-way", testWhichWay },
        { "/driver/vf-gone-for-good", testVfGoneForGood },
        { "/driver/journal-damaged", testJournalDamaged, TRUE },
        { "/driver/journal-damaged-and-guest-gone", testJournalDamaged, FALSE },
        { "/driver/journal-of-vlan-lost", testJournalOfVlan, FALSE },
        { "/driver/journal-of-vlan-damaged", testJournalOfVlan, TRUE },
        { "/driver/journal-refused", testJournalRefused },
        { "/driver/restart-late", testRestartLate },
        { "/driver/started-late", testStartedLate },
        { "/driver/hook-unread", testHookUnread },
        { "/driver/hook-offline", testHookOffline },
        { "/driver/many-pairs", testManyPairs },
        { "/driver/forget", testForget, FALSE },
        { "/driver/forget-unheard", testForget, TRUE },
        { "/driver/inventory-late", testInventoryLate },
        { "/driver/plain-hostdev", testPlainHostdev },
        { "/driver/release", testRelease },
        { "/driver/release-macvtap", testReleaseMacvtap, TRUE },
        { "/driver/release-macvtap-without-copies", testReleaseMacvtap, FALSE },
    };

    /* Thousands of journals: not to a disk. GLib looks at this once. */
    if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR))
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    /* Refusals are warned of; that is no failure of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Host, GINT_TO_POINTER(tests[i].opaque), hostSetUp,
                   tests[i].test, hostTearDown);
    g_test_add_func("/driver/all-orders", testAllOrders);
    g_test_add_func("/driver/deaths", testDeaths);
    g_test_add_func("/driver/lasting-refusals", testLastingRefusals);
    g_test_add_func("/driver/long-lives", testLongLives);
    return g_test_run();
}
