/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nicvalues.h: what can be written into the NICs of a pair, and what libvirt says of it
 */

#pragma once

/*
 * teamingconftest holds our check against this table, qemudifftest libvirt itself: both
 * refuse the same, and neither refuses the rest.
 */

#define NIC_VALUES_DOMAIN(nics) \
    "<domain type='kvm'><name>nic-values</name><memory>1048576</memory>" \
    "<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features><devices>" \
    "<emulator>/usr/bin/qemu-system-x86_64</emulator>" \
    "<controller type='pci' index='0' model='pcie-root'/>" \
    "<controller type='pci' index='1' model='pcie-root-port'/>" \
    "<controller type='pci' index='2' model='pcie-root-port'/>" nics "</devices></domain>"
#define NIC_VALUES_STANDBY(content) \
    "<interface type='bridge'><mac address='52:54:00:6d:90:01'/><source bridge='br0'/>" \
    "<model type='virtio'/><teaming type='persistent'/><alias name='ua-net'/>" content \
    "</interface>"
#define NIC_VALUES_VF(type, content) \
    "<interface type='" type "'><mac address='52:54:00:6d:90:01'/>" \
    "<teaming type='transient' persistent='ua-net'/><alias name='ua-vf'/>" content "</interface>"
#define NIC_VALUES_PLAIN(content) \
    "<hostdev mode='subsystem' type='pci'><teaming type='transient' persistent='ua-net'/>" \
    "<alias name='ua-vf'/>" content "</hostdev>"

#define STANDBY_OF(type, content) \
    NIC_VALUES_DOMAIN("<interface type='" type "'><mac address='52:54:00:6d:90:01'/>" \
                      "<model type='virtio'/><teaming type='persistent'/>" \
                      "<alias name='ua-net'/>" content "</interface>" \
                      NIC_VALUES_VF("network", "<source network='vfpool'/><model type='virtio'/>"))
#define STANDBY(content) \
    NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY(content) \
                      NIC_VALUES_VF("network", "<source network='vfpool'/><model type='virtio'/>"))
#define POOLED(content) \
    NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("") \
                      NIC_VALUES_VF("network", "<source network='vfpool'/>" content))
#define NAMED(content) NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("") NIC_VALUES_VF("hostdev", content))
#define PLAIN(content) NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("") NIC_VALUES_PLAIN(content))
#define ADDRESS(type, attributes) "<address" type " " attributes "/>"
#define SOURCE "<source><address type='pci' domain='0' bus='0x81' slot='1' function='0'/></source>"
#define PLAIN_SOURCE "<source><address domain='0' bus='0x81' slot='1' function='0'/></source>"

static const struct {
    const char *xml;
    gboolean refused;
} nicValues[] = {
    /* Numbers */
    { STANDBY("<driver queues='4'/>"), FALSE }, { STANDBY("<driver queues=' 4'/>"), FALSE },
    { STANDBY("<driver queues='+4'/>"), FALSE }, { STANDBY("<driver queues='04'/>"), FALSE },
    { STANDBY("<driver queues='0'/>"), FALSE }, { STANDBY("<driver queues='4 '/>"), TRUE },
    { STANDBY("<driver queues='-4'/>"), TRUE }, { STANDBY("<driver queues='- 4'/>"), TRUE },
    { STANDBY("<driver queues='0x4'/>"), TRUE }, { STANDBY("<driver queues=''/>"), TRUE },
    { STANDBY("<driver queues='4294967296'/>"), TRUE },
    { STANDBY("<driver queues='18446744073709551620'/>"), TRUE },
    { STANDBY("<tune><sndbuf> 5</sndbuf></tune>"), FALSE },
    { STANDBY("<tune><sndbuf>-5</sndbuf></tune>"), TRUE },
    { STANDBY("<mtu size='+1500'/>"), FALSE }, { STANDBY("<mtu size='0'/>"), FALSE },
    { STANDBY("<driver rx_queue_size='256' tx_queue_size='0'/>"), FALSE },
    { STANDBY("<driver rx_queue_size='100'/>"), TRUE },
    { STANDBY("<driver tx_queue_size='3'/>"), TRUE },
    { STANDBY("<boot order='+1'/>"), FALSE }, { STANDBY("<boot order='0'/>"), TRUE },
    { STANDBY("<boot order='1 '/>"), TRUE }, { STANDBY("<boot/>"), TRUE },
    { STANDBY("<acpi index='+1'/>"), FALSE }, { STANDBY("<acpi index='0'/>"), TRUE },
    { POOLED("<boot order='0'/>"), TRUE }, { POOLED("<boot/>"), TRUE },
    { STANDBY("<acpi/>"), FALSE }, { PLAIN(PLAIN_SOURCE "<boot order='0'/>"), TRUE },

    /* Words */
    { STANDBY("<driver ioeventfd='on' packed='off'/>"), FALSE },
    { STANDBY("<driver ioeventfd='default'/>"), TRUE },
    { STANDBY("<driver packed='yes'/>"), TRUE },
    { STANDBY("<rom enabled='default'/>"), TRUE }, { STANDBY("<link state='default'/>"), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "multifunction='default'")), TRUE },
    { STANDBY("<port isolated='yes'/>"), FALSE }, { STANDBY("<port isolated='x'/>"), TRUE },
    { STANDBY("<driver txmode='timer'/>"), FALSE },
    { STANDBY("<driver txmode='iothread'/>"), FALSE },
    { STANDBY("<driver txmode='default'/>"), TRUE }, { STANDBY("<driver txmode='x'/>"), TRUE },
    { STANDBY("<driver name='vhost'/>"), FALSE }, { STANDBY("<driver name='qemu'/>"), FALSE },
    { STANDBY("<driver name='vfio'/>"), TRUE }, { STANDBY("<driver name='x'/>"), TRUE },
    { POOLED("<model type='virtio'/><driver name='vfio'/>"), TRUE },
    { POOLED("<model type='virtio'/><driver name='vhost'/>"), FALSE },
    { POOLED("<model type='e1000e'/><driver name='vfio'/>"), FALSE },
    { NAMED(SOURCE "<model type='virtio'/><driver name='vfio'/>"), FALSE },
    { POOLED("<driver iommu='on'/>"), TRUE }, { POOLED("<driver ats='on'/>"), TRUE },
    { POOLED("<driver packed='off'/>"), TRUE }, { POOLED("<driver page_per_vq='on'/>"), TRUE },
    { POOLED("<driver ioeventfd='on'/>"), FALSE },
    { POOLED("<model type='e1000e'/><driver iommu='on'/>"), TRUE },
    { POOLED("<model type='virtio'/><driver iommu='on'/>"), FALSE },
    { NAMED(SOURCE "<driver name='vfio' iommu='on'/>"), TRUE },
    { NAMED(SOURCE "<model type='virtio'/><driver name='vfio' iommu='on'/>"), FALSE },
    { PLAIN(PLAIN_SOURCE "<driver name='vfio' iommu='on'/>"), FALSE },
    { STANDBY("<virtualport type='openvswitch'/>"), FALSE },
    { STANDBY("<virtualport type='midonet'><parameters interfaceid="
              "'0b2d64da-3d0e-431e-afdd-804415d6ebbb'/></virtualport>"), FALSE },
    { STANDBY("<virtualport type='802.1Qbx'/>"), TRUE },
    { STANDBY("<virtualport type='none'/>"), TRUE }, { STANDBY("<virtualport/>"), TRUE },
    { NAMED(SOURCE "<virtualport/>"), TRUE }, { POOLED("<virtualport/>"), FALSE },
    { STANDBY_OF("direct", "<source dev='eth0'/><virtualport/>"), TRUE },
    { STANDBY_OF("ethernet", "<virtualport type='openvswitch'/>"), TRUE },
    { STANDBY_OF("vdpa", "<source dev='/x'/><virtualport/>"), TRUE },

    /* VLANs */
    { STANDBY("<vlan><tag id='5'/></vlan>"), FALSE }, { STANDBY("<vlan/>"), TRUE },
    { STANDBY("<vlan><tag id=' 5'/></vlan>"), FALSE }, { STANDBY("<vlan><tag/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='+5'/></vlan>"), FALSE },
    { STANDBY("<vlan><tag id='0x5'/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='4096'/></vlan>"), TRUE },
    { STANDBY("<vlan trunk='yes'><tag id='5'/></vlan>"), FALSE },
    { STANDBY("<vlan trunk='no'><tag id='5'/></vlan>"), FALSE },
    { STANDBY("<vlan trunk='NO'><tag id='5'/></vlan>"), FALSE },
    { STANDBY("<vlan trunk='maybe'><tag id='5'/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='5'/><tag id='6'/></vlan>"), FALSE },
    { STANDBY("<vlan trunk='no'><tag id='5'/><tag id='6'/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='5' nativeMode='untagged'/></vlan>"), FALSE },
    { STANDBY("<vlan><tag id='5' nativeMode='tagged'/></vlan>"), FALSE },
    { STANDBY("<vlan><tag id='5' nativeMode='default'/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='5' nativeMode='x'/></vlan>"), TRUE },
    { STANDBY("<vlan trunk='no'><tag id='5' nativeMode='tagged'/></vlan>"), TRUE },
    { STANDBY("<vlan><tag id='5' nativeMode='tagged'/>"
              "<tag id='6' nativeMode='tagged'/></vlan>"),
      TRUE },

    /* ROMs */
    { STANDBY("<rom enabled='no'/>"), FALSE }, { STANDBY("<rom bar='off' file='/x'/>"), FALSE },
    { STANDBY("<rom enabled='no' file='/x'/>"), TRUE },
    { STANDBY("<rom enabled='no' bar='on'/>"), TRUE },
    { PLAIN(PLAIN_SOURCE "<rom enabled='no' file='/x'/>"), TRUE },

    /* Where they sit in the guest */
    { STANDBY(ADDRESS(" type='pci'", "bus='1'")), FALSE },
    { STANDBY(ADDRESS(" type='pci'", "")), FALSE },
    { STANDBY(ADDRESS(" type='pci'", "bus='+1' slot=' 0'")), FALSE },
    { STANDBY(ADDRESS("", "bus='1'")), TRUE }, { STANDBY(ADDRESS(" type='x'", "")), TRUE },
    { STANDBY(ADDRESS(" type='unassigned'", "")), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "bus='1' slot='0x20'")), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "bus='1' slot='1'")), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "bus='1' function='8'")), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "bus='0x100'")), TRUE },
    { STANDBY(ADDRESS(" type='pci'", "domain='1' bus='1'")), TRUE },
    { POOLED(ADDRESS(" type='pci'", "bus='2' slot='0x20'")), TRUE },
    { POOLED(ADDRESS(" type='pci'", "bus='2' slot='1'")), TRUE },
    { POOLED(ADDRESS("", "bus='2'")), TRUE },

    /* Where the standbys are connected */
    { STANDBY_OF("bridge", ""), TRUE }, { STANDBY_OF("bridge", "<source/>"), TRUE },
    { STANDBY_OF("direct", "<source mode='bridge'/>"), TRUE },
    { STANDBY_OF("direct", "<source dev='eth0'/>"), FALSE },
    { STANDBY_OF("vdpa", ""), TRUE }, { STANDBY_OF("vdpa", "<source dev='/x'/>"), FALSE },
    { STANDBY_OF("network", ""), TRUE }, { STANDBY_OF("ethernet", ""), FALSE },

    /* Where the VFs are on the host */
    { NAMED(SOURCE), FALSE }, { NAMED(""), TRUE }, { NAMED("<source/>"), TRUE },
    { NAMED("<source><address domain='0' bus='0x81' slot='1' function='0'/></source>"), TRUE },
    { NAMED("<source><address type='pci' bus='0x81' slot='0x20'/></source>"), TRUE },
    { PLAIN(PLAIN_SOURCE), FALSE }, { PLAIN(""), TRUE },
    { PLAIN(PLAIN_SOURCE "<virtualport/>"), FALSE },
    { PLAIN("<source><address bus='0x81' slot='0x20'/></source>"), TRUE },
    { NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("") NIC_VALUES_VF("network", "")), TRUE },
    { NIC_VALUES_DOMAIN(NIC_VALUES_STANDBY("") NIC_VALUES_VF("network", "<source/>")), TRUE },
};
