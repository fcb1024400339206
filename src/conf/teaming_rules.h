/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_rules.h: every rule of what a domain's teaming must be
 */

#pragma once

/*
 * One row a rule: RULE(symbol, identifier, severity, what is wrong, why, how to mend it).
 *
 * The identifier is stable: people write it into their scripts. The symbols make an enum,
 * the rest makes the table that findings, docs/rules.rst and the tests are made from.
 *
 * Where "why" tells what libvirt, QEMU or Linux do, it was read in libvirt 9.0.0 and 11.3.0
 * and QEMU 10.0.2, or seen there.
 */
#define VIR_TEAMING_RULES \
    RULE(MALFORMED_VALUE, "malformed-value", ERROR, \
         "a setting has a value that it can't have", \
         "libvirt refuses the XML, or takes the setting for not written.", \
         "write one of the values that libvirt's documentation gives") \
    RULE(DOMAIN_TYPE, "domain-type", ERROR, \
         "teaming in a domain that is not QEMU's", \
         "Only libvirt's QEMU driver acts on <teaming>. Others drop it without a word.", \
         "use <domain type='kvm'>, or take <teaming> out") \
    RULE(TEAMING_TYPE_UNKNOWN, "teaming-type-unknown", ERROR, \
         "a teaming type that does not exist", \
         "libvirt refuses the domain: it knows 'persistent' and 'transient'. A <teaming> that says " \
         "neither a type nor a partner it drops without a word.", \
         "write type='persistent' on the virtio NIC and type='transient' on the VF") \
    RULE(TRANSIENT_NAMES_NOBODY, "transient-names-nobody", ERROR, \
         "a transient interface without persistent='…'", \
         "libvirt refuses the domain.", \
         "add persistent='ALIAS' with the alias of the virtio NIC") \
    RULE(PERSISTENT_NAMES_SOMEBODY, "persistent-names-somebody", ERROR, \
         "a persistent interface with persistent='…'", \
         "libvirt refuses the domain: only the transient one names its partner.", \
         "take the attribute 'persistent' out here and write it on the transient NIC") \
    RULE(HOSTDEV_NOT_TRANSIENT, "hostdev-not-transient", ERROR, \
         "a plain host device that is not transient", \
         "libvirt refuses the domain: a host device can only be the one that goes.", \
         "write <teaming type='transient' persistent='ALIAS'/>") \
    RULE(HOSTDEV_NAMES_NOBODY, "hostdev-names-nobody", ERROR, \
         "a plain host device with <teaming> but without persistent='…'", \
         "libvirt refuses the domain.", \
         "add persistent='ALIAS' with the alias of the virtio NIC") \
    RULE(HOSTDEV_NOT_PCI, "hostdev-not-pci", ERROR, \
         "teaming on a host device that is not PCI", \
         "libvirt refuses the domain: QEMU hides and shows only vfio-pci devices.", \
         "use <hostdev mode='subsystem' type='pci'> with the address of a VF") \
    RULE(PERSISTENT_NOT_VIRTIO, "persistent-not-virtio", ERROR, \
         "a persistent NIC that is not virtio", \
         "libvirt refuses the domain: only virtio-net can be a standby.", \
         "write <model type='virtio'/>") \
    RULE(TRANSIENT_NOT_HOSTDEV, "transient-not-hostdev", ERROR, \
         "a transient NIC that is no device of the host", \
         "libvirt refuses the domain: only a passed-through device can be a primary.", \
         "use type='network' with a hostdev network, or type='hostdev'") \
    RULE(TRANSIENT_NOT_PCI, "transient-not-pci", ERROR, \
         "a transient interface whose source is not a PCI device", \
         "QEMU hides and shows only vfio-pci devices.", \
         "give <source> the PCI address of a VF") \
    RULE(TRANSIENT_NOT_VFIO, "transient-not-vfio", ERROR, \
         "a transient device that is assigned by another driver than vfio", \
         "failover_pair_id is a property of vfio-pci alone. libvirt accepts the domain and does " \
         "not start it.", \
         "write <driver name='vfio'/>, or no <driver> at all") \
    RULE(ALIAS_DUPLICATE, "alias-duplicate", ERROR, \
         "an alias that another device has", \
         "libvirt refuses the domain: aliases are QEMU's ids and must be unique.", \
         "give each device an alias of its own") \
    RULE(ALIAS_MISSING, "alias-missing", ERROR, \
         "a persistent NIC without an alias", \
         "A transient NIC finds its partner by alias; this one has none to be found by.", \
         "add <alias name='ua-NAME'/>; the name must begin with 'ua-'") \
    RULE(ALIAS_NOT_KEPT, "alias-not-kept", ERROR, \
         "an alias that libvirt will not keep", \
         "When a domain is defined, libvirt drops every alias that does not begin with 'ua-' " \
         "or has other characters than letters, digits, '_' and '-'. The reference then " \
         "names nobody.", \
         "let the alias begin with 'ua-', here and in persistent='…'") \
    RULE(REFERENCE_BY_POSITION, "reference-by-position", WARNING, \
         "a reference to a name that libvirt will give by counting", \
         "netN is the Nth NIC without an alias of its own. Adding or removing a NIC moves the " \
         "reference to another.", \
         "give the persistent NIC <alias name='ua-NAME'/> and refer to that") \
    RULE(TRANSIENT_COUNTED, "transient-counted", WARNING, \
         "a transient NIC without an alias of its own, beside another device of the host", \
         "libvirt calls it hostdevN, by counting, and when it plugs it again, by the highest " \
         "number in use and one more. QEMU remembers a primary by the old name, and refuses one " \
         "with another for as long as it runs: 'Cannot attach more than one primary device'.", \
         "give the transient NIC <alias name='ua-NAME'/>; it is used from the next start on") \
    RULE(REFERENCE_DANGLING, "reference-dangling", ERROR, \
         "a transient NIC names a partner that does not exist", \
         "libvirt accepts it; QEMU waits for ever for a standby of that name and the VF never " \
         "appears in the guest.", \
         "let persistent='…' be the alias of the virtio NIC") \
    RULE(REFERENCE_SELF, "reference-self", ERROR, \
         "a transient NIC names itself", \
         "libvirt accepts it; the VF never appears in the guest.", \
         "let persistent='…' be the alias of the virtio NIC") \
    RULE(REFERENCE_NOT_PERSISTENT, "reference-not-persistent", ERROR, \
         "a transient NIC names a NIC that is not persistent", \
         "libvirt accepts it; that NIC does not offer failover to the guest, so the VF never " \
         "appears.", \
         "add <teaming type='persistent'/> to the NIC that is named") \
    RULE(SEVERAL_TRANSIENTS, "several-transients", ERROR, \
         "several transient NICs name the same partner", \
         "libvirt accepts it; QEMU attaches one primary to a standby and refuses the second.", \
         "give each VF a virtio NIC of its own") \
    RULE(PERSISTENT_ALONE, "persistent-alone", WARNING, \
         "a persistent NIC that no transient one names", \
         "The guest gets a failover device without a VF, and stays on it until one is plugged, as oVirt does after a migration.", \
         "add the VF with persistent='…', or take <teaming> out") \
    RULE(MAC_MISSING, "mac-missing", ERROR, \
         "a NIC of a pair without a MAC", \
         "libvirt makes one up for each NIC that has none (or 00:00:00:00:00:00). The two then " \
         "differ, and guests pair NICs by MAC.", \
         "write the same <mac address='…'/> on both NICs") \
    RULE(MAC_UNEQUAL, "mac-unequal", ERROR, \
         "the two NICs of a pair have different MACs", \
         "libvirt accepts it; guests pair NICs by MAC, so these never join.", \
         "write the same <mac address='…'/> on both NICs") \
    RULE(MAC_MULTICAST, "mac-multicast", ERROR, \
         "a multicast MAC", \
         "libvirt refuses the domain: the first byte of a NIC's address must be even.", \
         "use an address like 52:54:00:xx:xx:xx") \
    RULE(MAC_SHARED, "mac-shared", ERROR, \
         "the same MAC outside of the pair", \
         "Guest, bridge and NIC tell NICs apart by MAC; the wrong two are joined, or frames go " \
         "astray.", \
         "give each pair, and each NIC in no pair, a MAC of its own") \
    RULE(MAC_OF_HOSTDEV, "mac-of-hostdev", NOTE, \
         "nobody sets the MAC of a plain host device", \
         "A <hostdev> has no <mac>, so libvirt does not program the VF. virtteamingd does; " \
         "without it the VF has whatever address the host gave it, and guests pair NICs by MAC.", \
         "use <interface type='hostdev'>, or have virtteamingd running") \
    RULE(PERSISTENT_TYPE, "persistent-type", ERROR, \
         "a persistent NIC that can't reach the VF's segment", \
         "While the VF is out, frames for the guest must arrive at the standby. This type of " \
         "NIC is not on any bridge or wire that they come by.", \
         "use type='bridge', 'network' or 'direct' on the network that the PF is in") \
    RULE(STANDBY_LINK_DOWN, "standby-link-down", ERROR, \
         "the standby's link is down", \
         "When the VF goes for a migration, the guest has no path at all. Nothing can raise the " \
         "link then, for libvirt changes no device while it migrates the domain, and the state " \
         "migrates with the guest.", \
         "take <link state='down'/> out; of a running domain: virsh domif-setlink DOMAIN TAP up") \
    RULE(MACHINE_WITHOUT_PCIE, "machine-without-pcie", ERROR, \
         "a machine that has no PCI Express", \
         "libvirt accepts it; QEMU shows a primary on PCI Express only, and the VF never appears " \
         "in the guest.", \
         "use machine 'q35' (x86) or 'virt' (ARM, RISC-V)") \
    RULE(GUEST_WITHOUT_ACPI, "guest-without-acpi", ERROR, \
         "an x86 guest without ACPI", \
         "libvirt accepts it; QEMU shows a primary by ACPI's events, in ports of PCI Express, too, and " \
         "makes no tables for them. The VF never appears. SeaBIOS then has tables of an older machine: " \
         "by these, Linux was seen to take the event for one that removes what sits on the root " \
         "complex.", \
         "write <features><acpi/></features>") \
    RULE(GUEST_BUS_CONVENTIONAL, "guest-bus-conventional", ERROR, \
         "the VF sits on a conventional PCI bus of the guest", \
         "libvirt accepts it; QEMU shows a primary on PCI Express only, and the VF never appears " \
         "in the guest.", \
         "take <address> and <model> out, once the VF's network is defined, or name the bus of a " \
         "pcie-root-port") \
    RULE(GUEST_MODEL_CONVENTIONAL, "guest-model-conventional", ERROR, \
         "the VF of a network has the model of a conventional NIC", \
         "libvirt chooses the slot by the model, though a VF has none: with this one it sits on a " \
         "conventional PCI bus, where QEMU never shows it. libvirt itself writes rtl8139 if it " \
         "does not know the network when the domain is defined.", \
         "write <model type='virtio'/>") \
    RULE(IOMMU_NOT_CACHING, "iommu-not-caching", ERROR, \
         "an Intel IOMMU without caching_mode='on', or an SMMUv3", \
         "libvirt and QEMU accept it; but QEMU is not told what the guest maps, and so plugs no VF " \
         "while it runs, which is when it shows a primary: the VF never appears in the guest.", \
         "write <driver caching_mode='on'/> into an Intel <iommu>; take an SMMUv3 out, or use " \
         "model='virtio'") \
    RULE(GUEST_BUS_ROOT_COMPLEX, "guest-bus-root-complex", ERROR, \
         "the VF sits on the root complex of the guest", \
         "libvirt accepts it; devices on pcie.0 can't be plugged and unplugged, and QEMU stops " \
         "as soon as it starts.", \
         "take <address> out, or name the bus of a pcie-root-port") \
    RULE(GUEST_BUS_NO_HOTPLUG, "guest-bus-no-hotplug", ERROR, \
         "the VF sits in a port that has hotplug off", \
         "libvirt accepts it; the VF must come and go while the guest runs, and QEMU stops as " \
         "soon as it starts.", \
         "take <target hotplug='off'/> from that port, or use another one") \
    RULE(GUEST_PORT_CHOSEN, "guest-port-chosen", WARNING, \
         "libvirt is to choose the VF's port, and one with hotplug off is free", \
         "libvirt accepts it, takes that port like any other, and adds one only when all are " \
         "taken. QEMU stops as soon as it starts if the VF sits there.", \
         "give the VF the <address> of another port, or take <target hotplug='off'/> out") \
    RULE(GUEST_FUNCTION, "guest-function", ERROR, \
         "the VF is not function 0 of its slot in the guest", \
         "libvirt accepts it; QEMU refuses a primary with another function, and the VF never " \
         "appears in the guest.", \
         "write function='0x0', or take <address> out") \
    RULE(GUEST_MULTIFUNCTION, "guest-multifunction", ERROR, \
         "the VF is one of several functions of a slot", \
         "libvirt accepts it; QEMU refuses a primary in a multifunction slot, and the VF never " \
         "appears in the guest.", \
         "take multifunction='on' out, or take <address> out") \
    RULE(GUEST_SLOT_SHARED, "guest-slot-shared", ERROR, \
         "the VF shares its slot in the guest with another device", \
         "A slot is plugged and unplugged as a whole: the other device would go with the VF. " \
         "QEMU refuses it.", \
         "give the VF a slot of its own, or take <address> out") \
    RULE(GUEST_UNASSIGNED, "guest-unassigned", ERROR, \
         "a VF that is kept out of the guest", \
         "With <address type='unassigned'/> libvirt accepts the domain, and keeps the VF from " \
         "others, but QEMU is given none.", \
         "take <address> out") \
    RULE(TRANSIENT_NAMED, "transient-named", NOTE, \
         "the VF is named by its address on the host", \
         "On the destination libvirt takes the VF with the same address, whoever uses it, unless the migration names another (virsh migrate --xml).", \
         "use type='network' with a hostdev network, and each host picks a free VF") \
    RULE(TRANSIENT_UNMANAGED, "transient-unmanaged", NOTE, \
         "libvirt does not bind the VF to vfio-pci", \
         "With managed='no' somebody else must bind it on each host before the guest starts or " \
         "arrives.", \
         "write managed='yes'") \
    RULE(VF_SETTING_REFUSED, "vf-setting-refused", ERROR, \
         "a setting that a VF can't have", \
         "libvirt accepts the domain and refuses to start it. What it limits, filters, isolates and " \
         "gives queues is a tap. A VF is in one VLAN; or it has a virtual port, which must be 802.1Qbh, " \
         "and no VLAN.", \
         "take it out of the transient NIC") \
    RULE(STANDBY_SETTING_REFUSED, "standby-setting-refused", ERROR, \
         "a setting that a standby can't have where it is connected", \
         "libvirt refuses to start the domain, 12.9 to define it. Of taps it puts only ports of a " \
         "bridge into a VLAN, of macvtaps only those of mode 'passthrough'; and it filters no " \
         "macvtap, nor what has a virtual port.", \
         "take it out, or connect the standby in another way") \
    RULE(STANDBY_VLAN_NEW, "standby-vlan-new", WARNING, \
         "a VLAN on a standby in a Linux bridge", \
         "libvirt before 11.0 starts no such domain, nor takes it in a migration.", \
         "have libvirt 11.0 or newer on all hosts; or take <vlan> out, and let the bridge be in " \
         "that VLAN as a whole") \
    RULE(STANDBY_OPENVSWITCH, "standby-openvswitch", WARNING, \
         "a standby in Open vSwitch", \
         "virtteamingd knows the forwarding entries of Linux bridges, not those of Open vSwitch: " \
         "there it moves the VF's filter only. When the guest changes paths, the switch may send " \
         "its frames the old way until it has seen one of its own come the new way.", \
         "put the standby into a Linux bridge, or expect to lose frames with every migration") \
    RULE(MTU_REFUSED, "mtu-refused", ERROR, \
         "an MTU on an interface of a type that takes none", \
         "libvirt refuses the domain: it sets the MTU of taps.", \
         "take <mtu> out; set that of the host's NIC there, and the guest's in the guest") \
    RULE(VLAN_DIFFERS, "vlan-differs", WARNING, \
         "the two NICs of a pair are in different VLANs", \
         "With every change between VF and standby the guest moves to another segment.", \
         "write the same <vlan>, of one tag, on both NICs or on their networks; or on the VF's " \
         "only, and let the standby's bridge be in that VLAN") \
    RULE(VLAN_ON_VF_ONLY, "vlan-on-vf-only", NOTE, \
         "only the VF says which VLAN it is in", \
         "That is right if the standby's bridge is in that VLAN as a whole; nothing here says " \
         "so.", \
         "see that the standby's bridge is in the VF's VLAN") \
    RULE(MTU_DIFFERS, "mtu-differs", WARNING, \
         "the two NICs of a pair have different MTUs", \
         "libvirt sets the MTU of a tap, not of a VF. The guest gives both NICs the same, and " \
         "what does not fit through the VF's PF is lost.", \
         "write <mtu> on the standby only, and give the PF the same MTU on each host") \
    RULE(BANDWIDTH_ONE_SIDED, "bandwidth-one-sided", WARNING, \
         "a bandwidth limit that the standby has and the VF can't have", \
         "libvirt limits taps, not VFs: while the VF carries there is no limit.", \
         "limit the VF by its PF's own means (ip link set PF vf N max_tx_rate), or neither") \
    RULE(FILTER_ONE_SIDED, "filter-one-sided", WARNING, \
         "a network filter, or an isolation, that the standby has and the VF can't have", \
         "libvirt filters and isolates taps, not VFs: while the VF carries, nothing is.", \
         "do not count on <filterref> or <port isolated='yes'/>; use the VF's spoofchk and VLAN, or " \
         "filter elsewhere") \
    RULE(VF_FEATURE_LOST, "vf-feature-lost", WARNING, \
         "the VF has a feature that the standby has not", \
         "The guest comes to rely on it and loses it with every migration.", \
         "give the standby the same, or take it from the VF") \
    RULE(BOOT_ON_VF, "boot-on-vf", WARNING, \
         "the guest is to boot from the VF", \
         "QEMU shows the VF only after the guest's driver has asked for failover; firmware " \
         "never sees it.", \
         "move <boot order='…'/> to the persistent NIC") \
    RULE(MEMORY_LIMIT_TOO_LOW, "memory-limit-too-low", ERROR, \
         "the memory limit is below the guest's memory", \
         "vfio pins all of the guest's memory, and libvirt takes <hard_limit> for the limit on " \
         "pinned memory: the VF can't be attached.", \
         "take <hard_limit> out; or let it be the guest's memory and at least 1 GiB more") \
    RULE(MEMORY_LIMIT_TIGHT, "memory-limit-tight", WARNING, \
         "the memory limit leaves little beyond the guest's memory", \
         "vfio pins all of the guest's memory and the device's own, and QEMU needs some: the VF " \
         "may be refused, or QEMU be killed.", \
         "take <hard_limit> out; or let it be the guest's memory and at least 1 GiB more") \
    RULE(POSTCOPY, "postcopy", WARNING, \
         "post-copy is allowed for a domain with a VF", \
         "vfio pins all of the guest's memory at once when the VF is plugged, which waits for " \
         "every page that post-copy has not brought yet. virtteamingd plugs it only when all have " \
         "come; until then the guest is on its standby.", \
         "set postcopy='refuse' in <policy>, and migrate without --postcopy") \
    RULE(UNMIGRATABLE, "unmigratable", WARNING, \
         "something else keeps the domain from being migrated", \
         "The pair is for migrating, and libvirt or QEMU will refuse to.", \
         "take it out of the domain") \
    RULE(POLICY_UNKNOWN, "policy-unknown", ERROR, \
         "a setting of ours that does not exist, or can't be so", \
         "It would be ignored, and the domain treated otherwise than its owner meant.", \
         "see the list of settings in the documentation") \
    RULE(NETWORK_MISSING, "network-missing", ERROR, \
         "a network that this host does not have", \
         "The domain can't start here, nor arrive in a migration.", \
         "define the network on this host, with the same name as on the others") \
    RULE(NETWORK_INACTIVE, "network-inactive", ERROR, \
         "a network that is not started on this host", \
         "The domain can't start here, nor arrive in a migration.", \
         "virsh net-start NETWORK; virsh net-autostart NETWORK") \
    RULE(NETWORK_NOT_POOL, "network-not-pool", ERROR, \
         "a transient NIC on a network that has no VFs to give", \
         "libvirt accepts the domain and refuses to start it: the network is no hostdev " \
         "network.", \
         "name a network with <forward mode='hostdev'>") \
    RULE(NETWORK_POOL_EMPTY, "network-pool-empty", ERROR, \
         "a hostdev network that names neither PF nor VFs", \
         "There is nothing to take a VF from.", \
         "add <pf dev='…'/> to the network's <forward>") \
    RULE(NETWORK_POOL_EXHAUSTED, "network-pool-exhausted", WARNING, \
         "a hostdev network with fewer free VFs than the domain needs", \
         "Started now, or arriving now in a migration, the domain is refused: 'requires " \
         "exclusive access to interfaces, but none are available'.", \
         "see 'virt-teaming pool' for who uses them; make more VFs, or wait for one") \
    RULE(NETWORK_PF_MISSING, "network-pf-missing", ERROR, \
         "a hostdev network that takes its VFs from a NIC which is not there", \
         "The domain can't start here, nor arrive in a migration.", \
         "correct <pf dev='…'/> in the network, or find out why the NIC's driver is not there") \
    RULE(NETWORK_POOL_FOR_STANDBY, "network-pool-for-standby", ERROR, \
         "a persistent NIC on a network of VFs", \
         "It would become a device of the host, and such a one can't be the standby.", \
         "put the persistent NIC on a network with a bridge") \
    RULE(NETWORK_OTHER_SEGMENT, "network-other-segment", WARNING, \
         "the standby's network is not the VF's segment", \
         "With NAT, routing or no forwarding, frames from outside for the pair's MAC do not " \
         "reach the standby.", \
         "use a network with <forward mode='bridge'/> and the bridge that the PF is in") \
    RULE(NIC_UNFIT, "nic-unfit", ERROR, \
         "a NIC whose VFs can't be in a pair", \
         "'virt-teaming probe' has tried what the NIC, its driver and its firmware do with the " \
         "frames of a guest that changes paths: they would be lost.", \
         "use another NIC; after an update of driver or firmware, run 'virt-teaming probe' again") \
    RULE(PF_SWITCHDEV, "pf-switchdev", WARNING, \
         "a NIC in switchdev mode", \
         "There the frames of a VF go by the rules and the bridge that its representor is in; the " \
         "MAC that libvirt and virtteamingd give the VF steers none, so that moving it moves " \
         "nothing, and the guest may be cut off. Not tried: it is what Linux's documentation says.", \
         "devlink dev eswitch set pci/ADDRESS mode legacy; or use another NIC") \
    RULE(TRANSIENT_NOT_VF, "transient-not-vf", ERROR, \
         "a host device that is not the VF of a NIC", \
         "Only a VF has an admin MAC to be given and taken; only an Ethernet NIC can be a " \
         "primary, and QEMU never shows another.", \
         "name a VF: see 'virt-teaming pool', or virtfn* in /sys/class/net/PF/device") \
    RULE(LIVE_DIFFERS, "live-differs", ERROR, \
         "the running QEMU has something else than the XML says", \
         "What counts is what QEMU was given when the guest started or the NIC was plugged.", \
         "shut the guest down and start it, or plug the NIC again") \
    RULE(LIVE_HIDDEN, "live-hidden", NOTE, \
         "the running QEMU does not show the VF to its guest", \
         "So it is before the guest's driver has asked for failover, and while a migration is " \
         "under way; otherwise the guest is on the standby for good.", \
         "see 'virt-teaming status', and the domain's log for QEMU's warning")
