/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sriovpooltest.c: what a hostdev network makes of a host
 */

/*
 * Each test furnishes a fake host, writes down a network and compares the inventory, as
 * text, with what an operator should read.
 */

#include <errno.h>
#include <string.h>

#include "sriov_pool.h"
#include "teaming_error.h"
#include "teaming_host.h"
#include "teaming_kernel_fake.h"

#define NETWORK(attributes, content) \
    "<network><name>vfs</name><forward mode='hostdev'" attributes ">" content "</forward></network>"
#define POOL_OF_ETH1 NETWORK(" managed='yes'", "<pf dev='eth1'/>")

static virTeamingPciAddress
pciAddress(const char *text)
{
    virTeamingPciAddress address;

    g_assert_true(virTeamingPciAddressParse(text, &address));
    return address;
}


static void
addPci(virTeamingKernel *kernel,
       const char *address,
       const char *driver,
       gint iommuGroup,
       const char *physfn,
       const char *netdev)
{
    virTeamingPciDevice device = {
        .address = pciAddress(address), .classCode = 0x020000, .iommuGroup = iommuGroup,
    };

    g_strlcpy(device.driver, driver, sizeof(device.driver));
    g_strlcpy(device.physfn, physfn, sizeof(device.physfn));
    g_strlcpy(device.netdev, netdev, sizeof(device.netdev));
    virTeamingFakeSetPci(kernel, &device);
}


static void
addVf(virTeamingKernel *kernel,
      guint index,
      const char *address,
      const char *driver,
      gint iommuGroup,
      const char *netdev)
{
    virTeamingVf vf = {
        .index = index, .address = pciAddress(address),
        .mac = { .addr = { 0x52, 0x54, 0, 0, 1, index } },
    };

    addPci(kernel, address, driver, iommuGroup, "0000:01:00.0", netdev);
    virTeamingFakeSetVf(kernel, "eth1", &vf);
}


/* The PF eth1, up, a port of br0, with room for seven VFs. */
static void
addPf(virTeamingKernel *kernel,
      guint vfsEnabled)
{
    virTeamingLink pf = {
        .name = "eth1", .master = "br0", .up = TRUE, .running = TRUE, .mtu = 1500,
        .mac = { .addr = { 0x52, 0x54, 0, 0, 0, 1 } }, .pci = "0000:01:00.0",
    };
    virTeamingPciDevice device = {
        .address = pciAddress("0000:01:00.0"), .classCode = 0x020000, .iommuGroup = 10,
        .driver = "igb", .netdev = "eth1", .vfsEnabled = vfsEnabled, .vfsTotal = 7,
    };

    virTeamingFakeSetLink(kernel, &pf);
    virTeamingFakeSetPci(kernel, &device);
}


/* That PF, with one VF for guests and one with its driver of the host. */
static virTeamingKernel *
newHost(void)
{
    virTeamingKernel *kernel = virTeamingKernelNewFake();
    virTeamingLink netdev = { .name = "eth1v1", .mtu = 1500 };

    addPf(kernel, 2);
    addVf(kernel, 0, "0000:01:10.0", "vfio-pci", 11, "");
    addVf(kernel, 1, "0000:01:10.2", "igbvf", 12, "eth1v1");
    virTeamingFakeSetLink(kernel, &netdev);
    return kernel;
}


static char *
showPool(const virTeamingPool *pool)
{
    GString *text = g_string_new(NULL);
    char pci[VIR_TEAMING_PCI_STRING_LEN];
    char mac[VIR_TEAMING_MAC_STRING_LEN];

    for (guint i = 0; i < pool->pfs->len; i++) {
        const virTeamingPoolPf *pf = pool->pfs->pdata[i];

        if (!pf->present) {
            g_string_append_printf(text, "pf %s missing\n", pf->name);
            continue;
        }
        g_string_append_printf(text, "pf %s %s %s %s %s%s mtu %u in %s, VFs %u of %u\n", pf->name,
                               pf->pci, pf->driver, virTeamingMacFormat(&pf->mac, mac),
                               pf->up ? "up" : "down", pf->running ? "" : " no-carrier", pf->mtu,
                               pf->master[0] ? pf->master : "none", pf->vfsEnabled, pf->vfsTotal);
    }
    for (guint i = 0; i < pool->vfs->len; i++) {
        const virTeamingPoolVf *vf = pool->vfs->pdata[i];

        g_string_append_printf(text, "vf %s %u %s %s group %d %s %s vlan %u %s",
                               vf->pf[0] ? vf->pf : "-", vf->index,
                               virTeamingPciAddressFormat(&vf->address, pci),
                               vf->driver[0] ? vf->driver : "-", vf->iommuGroup,
                               vf->netdev[0] ? vf->netdev : "-",
                               virTeamingMacFormat(&vf->mac, mac), vf->vlan,
                               virTeamingPoolVfStateToString(vf->state));
        if (vf->domain)
            g_string_append_printf(text, " by %s as %s", vf->domain, vf->alias ? vf->alias : "-");
        if (vf->why)
            g_string_append_printf(text, ": %s", vf->why);
        g_string_append_c(text, '\n');
    }
    for (guint i = 0; i < pool->notes->len; i++)
        g_string_append_printf(text, "note %s\n", (const char *)pool->notes->pdata[i]);
    return g_string_free(text, FALSE);
}


static void
assertPool(virTeamingKernel *kernel,
           const char *xml,
           const GPtrArray *users,
           const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingNetwork) network = virTeamingNetworkParse(xml, -1, "net.xml", &error);
    g_autoptr(virTeamingPool) pool = NULL;
    g_autofree char *shown = NULL;

    g_assert_no_error(error);
    pool = virTeamingPoolNew(network, kernel, users, &error);
    g_assert_no_error(error);
    shown = showPool(pool);
    g_assert_cmpstr(shown, ==, expected);
}


#define PF_LINE \
    "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 up mtu 1500 in br0, VFs 2 of 7\n"
#define VF0_LINE "vf eth1 0 0000:01:10.0 vfio-pci group 11 - 52:54:00:00:01:00 vlan 0 "
#define VF1_LINE "vf eth1 1 0000:01:10.2 igbvf group 12 eth1v1 52:54:00:00:01:01 vlan 0 "


static void
testFree(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();

    assertPool(kernel, POOL_OF_ETH1, NULL, PF_LINE VF0_LINE "free\n" VF1_LINE "free\n");
}


static void
testUsed(void)
{
    static const char live[] =
        "<domain type='kvm' id='1'><name>web</name><devices>"
        "<interface type='hostdev' managed='yes'>"
        "<source><address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x2'/></source>"
        "<alias name='ua-vf'/></interface>"
        "<interface type='bridge'><source bridge='br0'/><alias name='ua-nic'/></interface>"
        "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='16'/></source></hostdev>"
        "</devices></domain>";
    static const char plain[] =
        "<domain type='kvm' id='2'><name>db</name><devices>"
        "<hostdev mode='subsystem' type='pci' managed='yes'>"
        "<source><address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
        "<alias name='hostdev0'/></hostdev></devices></domain>";
    g_autoptr(virTeamingKernel) kernel = newHost();
    g_autoptr(GPtrArray) users = virTeamingPoolUsersNew();
    g_autoptr(GError) error = NULL;

    g_assert_true(virTeamingPoolUsersParse(users, live, -1, "web", &error));
    g_assert_true(virTeamingPoolUsersParse(users, plain, -1, "db", &error));
    g_assert_no_error(error);
    g_assert_cmpuint(users->len, ==, 2);
    assertPool(kernel, POOL_OF_ETH1, users,
               PF_LINE VF0_LINE "used by db as hostdev0\n" VF1_LINE "used by web as ua-vf\n");

    g_assert_false(virTeamingPoolUsersParse(users, "<network/>", -1, "net.xml", &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
}


/* A domain that has a VF has it, whatever one may think of that VF. */
static void
testUsedThoughUnusable(void)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNewFake();
    g_autoptr(GPtrArray) users = virTeamingPoolUsersNew();
    virTeamingPoolUser *user = g_new0(virTeamingPoolUser, 1);

    user->domain = g_strdup("web");
    user->address = pciAddress("0000:01:10.0");
    g_ptr_array_add(users, user);
    addPf(kernel, 1);
    addVf(kernel, 0, "0000:01:10.0", "igbvf", 10, "");
    assertPool(kernel, NETWORK("", "<pf dev='eth1'/>"), users,
               "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 up mtu 1500 in br0, VFs 1 of 7\n"
               "vf eth1 0 0000:01:10.0 igbvf group 10 - 52:54:00:00:01:00 vlan 0 used by web as -\n");
}


static void
testNotManaged(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();
    virTeamingPciAddress address = pciAddress("0000:01:10.2");

    assertPool(kernel, NETWORK("", "<pf dev='eth1'/>"), NULL,
               PF_LINE VF0_LINE "free\n" VF1_LINE "unusable: igbvf is bound to it; vfio-pci must "
               "be, since the network does not say managed='yes'\n");
    virTeamingFakeSetDriver(kernel, &address, "mlx5_vfio_pci");
    assertPool(kernel, NETWORK("", "<pf dev='eth1'/>"), NULL,
               PF_LINE VF0_LINE "free\n"
               "vf eth1 1 0000:01:10.2 mlx5_vfio_pci group 12 eth1v1 52:54:00:00:01:01 vlan 0 free\n");
    virTeamingFakeSetDriver(kernel, &address, "");
    assertPool(kernel, NETWORK("", "<pf dev='eth1'/>"), NULL,
               PF_LINE VF0_LINE "free\n"
               "vf eth1 1 0000:01:10.2 - group 12 eth1v1 52:54:00:00:01:01 vlan 0 unusable: "
               "no driver is bound to it; vfio-pci must be, since the network does not say "
               "managed='yes'\n");
}


static void
testUsedByTheHost(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();
    virTeamingLink netdev = { .name = "eth1v1", .mtu = 1500, .up = TRUE };
    virTeamingLink vlan = { .name = "eth1v1.7", .kind = "vlan", .lower = "eth1v1" };

    /* Nobody uses what is merely up. */
    virTeamingFakeSetLink(kernel, &netdev);
    assertPool(kernel, POOL_OF_ETH1, NULL, PF_LINE VF0_LINE "free\n" VF1_LINE "free\n");
    virTeamingFakeSetAddress(kernel, "eth1v1", "192.0.2.1");
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE VF0_LINE "free\n"
               VF1_LINE "unusable: the host itself uses 'eth1v1': it has the address 192.0.2.1; "
               "ip addr flush dev eth1v1\n");
    virTeamingFakeSetAddress(kernel, "eth1v1", NULL);
    virTeamingFakeSetLink(kernel, &vlan);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE VF0_LINE "free\n"
               VF1_LINE "unusable: the host itself uses 'eth1v1': 'eth1v1.7' is on top of it; "
               "take that away\n");
    virTeamingFakeRemoveLink(kernel, "eth1v1.7");
    g_strlcpy(netdev.master, "br0", sizeof(netdev.master));
    virTeamingFakeSetLink(kernel, &netdev);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE VF0_LINE "free\n"
               VF1_LINE "unusable: the host itself uses 'eth1v1': it is a port of 'br0'; "
               "ip link set dev eth1v1 nomaster\n");
}


/* DPDK's driver makes no interface, and a container's is not seen; its VF would be torn out. */
static void
testUsedUnseen(void)
{
    static const char * const drivers[] = { "igb_uio", "igbvf" };

    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++) {
        g_autoptr(virTeamingKernel) kernel = newHost();
        g_autofree char *expected = g_strdup_printf(
            PF_LINE VF0_LINE "free\nvf eth1 1 0000:01:10.2 %s group 12 - 52:54:00:00:01:01 vlan 0 "
            "unusable: a program or a container may have it (driver %s, and no network interface "
            "here); if none does: echo 0000:01:10.2 > /sys/bus/pci/drivers/%s/unbind\n",
            drivers[i], drivers[i], drivers[i]);

        addVf(kernel, 1, "0000:01:10.2", drivers[i], 12, "");
        assertPool(kernel, POOL_OF_ETH1, NULL, expected);
    }
}


/* sysfs names an interface that has gone when netlink is asked: only that VF is in motion. */
static void
testGoesMeanwhile(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();

    virTeamingFakeRemoveLink(kernel, "eth1v1");
    assertPool(kernel, POOL_OF_ETH1, NULL, PF_LINE VF0_LINE "free\n" VF1_LINE "free\n");
}


static void
testSharedGroup(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();
    virTeamingPciDevice bridge = {
        .address = pciAddress("0000:00:01.0"), .classCode = 0x060400, .iommuGroup = 11,
        .driver = "pcieport",
    };

    virTeamingFakeSetPci(kernel, &bridge);
    assertPool(kernel, POOL_OF_ETH1, NULL, PF_LINE VF0_LINE "free\n" VF1_LINE "free\n");

    addPci(kernel, "0000:02:00.0", "nvme", 11, "", "");
    addPci(kernel, "0000:02:00.1", "", 11, "", "");
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE VF0_LINE "unusable: IOMMU group 11 holds 0000:02:00.0, 0000:02:00.1, too, "
               "and can only be given away whole\n" VF1_LINE "free\n");
}


static void
testNoIommu(void)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNewFake();

    addPf(kernel, 2);
    addVf(kernel, 0, "0000:01:10.0", "vfio-pci", -1, "");
    addVf(kernel, 1, "0000:01:10.2", "vfio-pci", 12, "");
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE
               "vf eth1 0 0000:01:10.0 vfio-pci group -1 - 52:54:00:00:01:00 vlan 0 "
               "unusable: it is in no IOMMU group\n"
               "vf eth1 1 0000:01:10.2 vfio-pci group 12 - 52:54:00:00:01:01 vlan 0 free\n");

    addVf(kernel, 1, "0000:01:10.2", "vfio-pci", -1, "");
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE
               "vf eth1 0 0000:01:10.0 vfio-pci group -1 - 52:54:00:00:01:00 vlan 0 "
               "unusable: it is in no IOMMU group\n"
               "vf eth1 1 0000:01:10.2 vfio-pci group -1 - 52:54:00:00:01:01 vlan 0 "
               "unusable: it is in no IOMMU group\n"
               "note the IOMMU is off: switch it on in the firmware (VT-d, AMD-Vi), and on Intel "
               "boot with intel_iommu=on\n");
}


static void
testPfTroubles(void)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNewFake();
    virTeamingLink pf;
    virTeamingPciDevice device;
    virTeamingPciAddress address = pciAddress("0000:01:00.0");

    assertPool(kernel, POOL_OF_ETH1, NULL,
               "pf eth1 missing\n"
               "note there is no network interface 'eth1' on this host: correct <pf> in the "
               "network, or find out why its driver is not there\n");
    addPf(kernel, 0);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 up mtu 1500 in br0, VFs 0 of 7\n"
               "note 'eth1' has no VFs now, but could have 7: write how many into "
               "/sys/class/net/eth1/device/sriov_numvfs\n");

    addPf(kernel, 1);
    addVf(kernel, 0, "0000:01:10.0", "vfio-pci", 11, "");
    g_assert_true(virTeamingKernelLinkGet(kernel, "eth1", &pf, NULL));
    pf.running = FALSE;
    virTeamingFakeSetLink(kernel, &pf);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 up no-carrier mtu 1500 in br0, VFs 1 of 7\n"
               VF0_LINE "free\n"
               "note 'eth1' has no carrier: is the cable plugged in?\n");
    pf.up = FALSE;
    virTeamingFakeSetLink(kernel, &pf);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 down no-carrier mtu 1500 in br0, VFs 1 of 7\n"
               VF0_LINE "free\n"
               "note 'eth1' is down, and with it the link of its VFs: 'ip link set dev eth1 up'\n");

    g_assert_true(virTeamingKernelPciGetDevice(kernel, &address, &device, NULL));
    device.vfsEnabled = device.vfsTotal = 0;
    virTeamingFakeSetPci(kernel, &device);
    assertPool(kernel, POOL_OF_ETH1, NULL,
               "pf eth1 0000:01:00.0 igb 52:54:00:00:00:01 down no-carrier mtu 1500 in br0, VFs 0 of 0\n"
               "note 'eth1' has no SR-IOV: it is not a PF, or SR-IOV is switched off in the "
               "firmware\n");
}


/* Both the inventory of a pool and what the rules are told. */
static void
testSwitchdev(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingDomain) domain =
        virTeamingDomainParse("<domain><devices><interface type='network'>"
                              "<source network='vfs'/><teaming type='transient'/></interface>"
                              "</devices></domain>", -1, "domain", &error);

    for (int on = 0; on < 2; on++) {
        g_auto(virTeamingHost) host = { NULL };
        const virTeamingHostPf *pf;

        if (on)
            virTeamingFakeSetSwitchdev(kernel, "eth1");
        virTeamingHostInit(&host);
        virTeamingHostAddNetwork(&host, virTeamingNetworkParse(POOL_OF_ETH1, -1, "net", NULL),
                                 TRUE);
        virTeamingHostLook(&host, domain, kernel, "/nonexistent");
        pf = g_hash_table_lookup(host.pfs, "eth1");
        g_assert_cmpint(pf->switchdev, ==, on);
    }
    assertPool(kernel, POOL_OF_ETH1, NULL,
               PF_LINE VF0_LINE "free\n" VF1_LINE "free\n"
               "note 'eth1' is in switchdev mode, where a VF's MAC steers no frames: "
               "devlink dev eswitch set pci/0000:01:00.0 mode legacy\n");
}


/* What the rules are told of a VF that has a place: is it one that a guest can have in a pair? */
static void
testInfiniband(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();
    g_autoptr(virTeamingDomain) domain =
        virTeamingDomainParse("<domain><devices><interface type='hostdev'><source>"
                              "<address type='pci' bus='1' slot='0x10'/></source>"
                              "<teaming type='transient'/></interface></devices></domain>", -1,
                              "domain", NULL);

    for (int on = 0; on < 2; on++) {
        virTeamingPciAddress address = pciAddress("0000:01:10.0");
        g_auto(virTeamingHost) host = { NULL };
        const virTeamingHostDevice *device;
        virTeamingPciDevice pci;

        g_assert_true(virTeamingKernelPciGetDevice(kernel, &address, &pci, NULL));
        pci.classCode = on ? 0x020700 : 0x020000;
        virTeamingFakeSetPci(kernel, &pci);
        virTeamingHostInit(&host);
        virTeamingHostLook(&host, domain, kernel, "/nonexistent");
        device = g_hash_table_lookup(host.devices, "0000:01:10.0");
        g_assert_true(device->vf);
        g_assert_cmpint(device->nic, ==, !on);
    }
}


#define ADDRESS(slot, function) \
    "<address type='pci' domain='0x0000' bus='0x01' slot='" slot "' function='" function "'/>"

static void
testAddresses(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();

    assertPool(kernel, NETWORK(" managed='yes'", ADDRESS("0x10", "0x2") ADDRESS("0x10", "0x0")
                               ADDRESS("0x00", "0x0") ADDRESS("0x11", "0x0")), NULL,
               PF_LINE VF1_LINE "free\n" VF0_LINE "free\n"
               "vf - 0 0000:01:00.0 igb group 10 eth1 00:00:00:00:00:00 vlan 0 unusable: "
               "it is not a VF, and libvirt takes only VFs for an <interface>\n"
               "vf - 0 0000:01:11.0 - group -1 - 00:00:00:00:00:00 vlan 0 unusable: "
               "there is nothing at this PCI address; are the VFs switched on?\n");
}


/* libvirt's live XML lists the PF and, of its own accord, the VFs as well. */
static void
testPfAndAddresses(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();

    assertPool(kernel, NETWORK(" managed='yes'", "<pf dev='eth1'/>" ADDRESS("0x10", "0x0")
                               ADDRESS("0x10", "0x2")), NULL,
               PF_LINE VF0_LINE "free\n" VF1_LINE "free\n");
}


static void
testNothingNamed(void)
{
    g_autoptr(virTeamingKernel) kernel = newHost();

    assertPool(kernel, NETWORK("", ""), NULL,
               "note the network names neither a <pf> nor an <address>\n");
}


static void
testNoPool(void)
{
    g_autoptr(virTeamingKernel) kernel = virTeamingKernelNewFake();
    g_autoptr(GError) error = NULL;
    g_autoptr(virTeamingNetwork) network =
        virTeamingNetworkParse("<network><name>default</name><forward/></network>", -1,
                               "net.xml", &error);

    g_assert_no_error(error);
    g_assert_null(virTeamingPoolNew(network, kernel, NULL, &error));
    g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID);
}


/* What can't be looked at is no finding: each question fails once, and so does the whole. */
static void
testUnreadable(void)
{
    static const char * const ops[] = {
        "LinkGet", "VfList", "VfLocate", "VfGet", "PciGetDevice", "PciListGroup",
    };
    /* One VF by way of its PF, and one by its address. */
    static const char xml[] = NETWORK(" managed='yes'", "<pf dev='eth1'/>" ADDRESS("0x10", "0x4"));
    g_autoptr(virTeamingKernel) kernel = newHost();
    g_autoptr(virTeamingNetwork) network = virTeamingNetworkParse(xml, -1, "net.xml", NULL);
    virTeamingLink pf2 = { .name = "eth2" };
    virTeamingVf vf2 = { .address = pciAddress("0000:01:10.4") };

    virTeamingFakeSetLink(kernel, &pf2);
    virTeamingFakeSetVf(kernel, "eth2", &vf2);
    addPci(kernel, "0000:01:10.4", "vfio-pci", 13, "0000:01:00.1", "");

    for (guint i = 0; i < G_N_ELEMENTS(ops); i++) {
        guint nth = 0;

        for (;;) {
            g_autoptr(GError) error = NULL;
            g_autoptr(virTeamingPool) pool = NULL;

            virTeamingFakeFail(kernel, ops[i], ++nth, EACCES);
            pool = virTeamingPoolNew(network, kernel, NULL, &error);
            virTeamingFakeFail(kernel, ops[i], 0, 0);
            if (pool)
                break;
            g_assert_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_ACCESS);
        }
        g_assert_cmpuint(nth, >, 1);
    }
}


int
main(int argc,
     char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/free", testFree);
    g_test_add_func("/pool/used", testUsed);
    g_test_add_func("/pool/used-though-unusable", testUsedThoughUnusable);
    g_test_add_func("/pool/not-managed", testNotManaged);
    g_test_add_func("/pool/used-by-the-host", testUsedByTheHost);
    g_test_add_func("/pool/used-unseen", testUsedUnseen);
    g_test_add_func("/pool/goes-meanwhile", testGoesMeanwhile);
    g_test_add_func("/pool/shared-iommu-group", testSharedGroup);
    g_test_add_func("/pool/no-iommu", testNoIommu);
    g_test_add_func("/pool/pf-troubles", testPfTroubles);
    g_test_add_func("/pool/switchdev", testSwitchdev);
    g_test_add_func("/host/infiniband", testInfiniband);
    g_test_add_func("/pool/addresses", testAddresses);
    g_test_add_func("/pool/pf-and-addresses", testPfAndAddresses);
    g_test_add_func("/pool/nothing-named", testNothingNamed);
    g_test_add_func("/pool/no-pool", testNoPool);
    g_test_add_func("/pool/unreadable", testUnreadable);
    return g_test_run();
}
