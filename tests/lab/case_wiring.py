# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other ways to wire a standby to the wire, and other NICs than the lab's seems to be."""

import contextlib
import json
import os
import tempfile

from labcase import (expect, expect_handover, expect_whole, lost_of_blackout, scenario,
                     wait_phase)
from labkit import INTERVAL_MS, MAC_PREFIX, OTHER, lab as run_lab, vantage

VERDICT = "/var/lib/virt-teaming/nics/0000:01:00.0.json"
PEER_MAC = {"a": "02:73:00:00:00:02", "b": "02:73:00:00:00:03"}
# The host's own netdev of the last VF, which no guest of these scenarios gets.
SPARE_VF = "spare=$(ls /sys/class/net/pf0/device/virtfn3/net)"


@contextlib.contextmanager
def wired(lab, up, down):
    """Both hypervisors as the script @up makes them, and afterwards as they were."""
    try:
        for host in "ab":
            lab.run(host, "set -e; " + up.format(peer=PEER_MAC[host], number=PEER_MAC[host][-1]))
        yield
    finally:
        lab.destroy()
        # Half of it may not be there, and why is worth more than that.
        for host in "ab":
            lab.run(host, down.format(peer=PEER_MAC[host]), check=False)


def start(lab, host, edit=lambda xml: xml):
    """Starts the lab's guest, with its XML as @edit makes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(edit(run_lab("domain", "guest").stdout))
        file.flush()
        run_lab("virsh", host, "define", file.name)
    lab.virsh(host, "start", "guest")
    lab.wait_guest(1)
    lab.wait_settled(host, 1)


def there_and_back(lab, vantages=("outside", "peer-a", "peer-b"), during=None, kept=True):
    """Slowly there, at full speed back. Without a path while memory is copied, all frames of
    that time would be lost; with one, those of the blackout unless they are @kept, while the
    guest's own kernel reads neither NIC, and what a busy machine loses."""
    lab.watch_guest()
    for where, options in (("a", {"bandwidth": 6, "during": during}), ("b", {})):
        result = lab.migrate(where, **options)
        copied = result["marks"]["stop"] - result["marks"]["unplug"]
        lost = sum(gap["lost"] for gap in vantage(result, "outside")["gaps"]
                   if gap["phase"] in ("prepare", "unplug")) * INTERVAL_MS
        expect_handover(lab, lost - copied / 10,
                        f"from {where}, beside a tenth of {copied:.0f} ms of copying")
        part = lost_of_blackout(result)
        expect(not kept or part < 0.5, f"from {where}: of the blackout was lost {part:.2f}")
        expect_whole(lab, OTHER[where])
        # A busy machine loses frames, but not for ever.
        lost = lab.lost_at_rest(vantages, tries=10)
        expect(not lost, f"{lost} frames lost after it was over")


def wiring(lab, host):
    return lab.status(host)[0]["wiring"]


def entries(lab, host):
    """What a hypervisor's bridge has for the guest: port and VLAN of what does not age."""
    fdb = json.loads(lab.run(host, "bridge -j fdb show br br0").stdout)
    return sorted((e["ifname"], e.get("vlan", 0)) for e in fdb
                  if e["mac"].startswith(MAC_PREFIX) and "sticky" in e.get("flags", []))


@scenario(start=False)
def vlan_aware_bridge(lab):
    """br0 filters VLANs, the uplink is a trunk: entries are in the guest's VLANs alone."""
    up = ("ip link set br0 type bridge vlan_filtering 1 vlan_default_pvid 100; "
          "bridge vlan add dev pf0 vid 200-600")
    down = ("bridge vlan del dev pf0 vid 200-600; "
            "ip link set br0 type bridge vlan_filtering 0 vlan_default_pvid 1")
    with wired(lab, up, down):
        start(lab, "a")
        expect(entries(lab, "a") == [("pf0", 100)], f"entries: {entries(lab, 'a')}")
        lab.run("a", "tap=$(virsh -q domiflist guest | awk '$2 == \"bridge\" { print $1 }'); "
                     "bridge vlan add dev $tap vid 300-301; bridge vlan add dev $tap vid 999")
        wanted = [("pf0", 100), ("pf0", 300), ("pf0", 301)]
        lab.wait_for(lambda: entries(lab, "a") == wanted, f"entries to be {wanted}", 10)
        expect("VLAN 100, 300, 301" in wiring(lab, "a"), f"status says: {wiring(lab, 'a')}")
        there_and_back(lab)


@contextlib.contextmanager
def client_beside(lab, access=""):
    """The machine outside knows no VLANs: its client comes in by another port of a's bridge, and
    only what goes between the hypervisors is tagged. @access: what is done with that port."""
    try:
        run_lab("ns", "lab", "sh", "-c",
                "ip link add side type bridge stp_state 0 forward_delay 0 mcast_snooping 0; "
                "ip link set dev side up; ip link set dev far-a master side; "
                "ip link set dev wire-client master side")
        lab.run("a", "ip link set dev wire0 master br0 up; " + access.format("wire0") +
                "bridge fdb add 02:73:00:00:00:01 dev pf0 self")
        yield
    finally:
        lab.destroy()
        lab.run("a", "bridge fdb del 02:73:00:00:00:01 dev pf0 self; "
                     "ip link set dev wire0 nomaster down")
        run_lab("ns", "lab", "sh", "-c", "ip link set dev wire-client master wire; "
                "ip link set dev far-a master wire; ip link del dev side")


def in_vlan(*sources):
    """Puts the NICs with these <source> elements in VLAN 100."""
    def edit(xml):
        for source in sources:
            xml = xml.replace(source, f"{source}<vlan><tag id='100'/></vlan>")
        return xml
    return edit


@scenario(always=False, start=False)
def tagged_on_the_wire(lab):
    """libvirt puts both NICs in VLAN 100; on the wire the guest's frames are tagged."""
    access = "bridge vlan add dev {0} vid 100 pvid untagged; bridge vlan del dev {0} vid 1; "
    up = ("ip link set br0 type bridge vlan_filtering 1; bridge vlan add dev pf0 vid 100; " +
          access.format("peer0"))
    down = ("bridge vlan del dev pf0 vid 100; bridge vlan del dev peer0 vid 100; "
            "bridge vlan add dev peer0 vid 1 pvid untagged; "
            "ip link set br0 type bridge vlan_filtering 0")
    with wired(lab, up, down), client_beside(lab, access):
        start(lab, "a", in_vlan("<source bridge='br0'/>", "<source network='sriov0'/>"))
        expect(entries(lab, "a") == [("pf0", 100)], f"entries: {entries(lab, 'a')}")
        there_and_back(lab)


@scenario(start=False)
def vlan_on_the_pf(lab):
    """The bridge's uplink is the PF's VLAN 100, and the VF is in it: there and back."""
    up = ("ip link add link pf0 name pf0.100 type vlan id 100; ip link set dev pf0 nomaster; "
          "ip link set dev pf0.100 master br0 up; bridge link set dev pf0.100 learning off")
    down = ("ip link del dev pf0.100; ip link set dev pf0 master br0; "
            "bridge link set dev pf0 learning off")
    with wired(lab, up, down), client_beside(lab):
        start(lab, "a", in_vlan("<source network='sriov0'/>"))
        expect(wiring(lab, "a") == "bridge br0, uplink pf0.100 over pf0", wiring(lab, "a"))
        expect(("pf0.100", 0) in entries(lab, "a"), f"entries: {entries(lab, 'a')}")
        there_and_back(lab)
        lab.destroy()
        # A VF that was forgotten to be put there is told of.
        lab.define("a")
        lab.virsh("a", "start", "guest")
        lab.wait_for(lambda: "the VF is in no VLAN" in lab.status("a")[0]["problem"],
                     "status to say that the VF is in no VLAN", 30)


def activate(port):
    """A bond takes no port that has not been up for a while."""
    return (f"for i in $(seq 50); do ip link set dev bond0 type bond active_slave {port} "
            "2> /dev/null && break; sleep 0.2; done")


@contextlib.contextmanager
def bonded(lab, active):
    """The uplink is a bond of the PF and of another NIC."""
    up = ("ip link set dev pf0 nomaster; bridge fdb del {peer} dev pf0 self; "
          "ip link set dev pf0 down; ip link set dev wire0 down; "
          "modprobe bonding max_bonds=0; ip link add bond0 type bond mode active-backup miimon 100; "
          "ip link set dev pf0 master bond0; ip link set dev wire0 master bond0; "
          "ip link set dev bond0 master br0 up; " + activate(active) + "; "
          "bridge link set dev bond0 learning off; bridge fdb add {peer} dev bond0 self")
    down = ("ip link del dev bond0; ip link set dev wire0 down; ip link set dev pf0 master br0 up; "
            "bridge link set dev pf0 learning off; bridge fdb add {peer} dev pf0 self")
    with wired(lab, up, down):
        yield


@scenario(always=False, start=False)
def bond_of_two_nics(lab):
    """The uplink is a bond: with the VF's NIC for its active port, and then with the other."""
    with bonded(lab, "pf0"):
        start(lab, "a")
        expect(wiring(lab, "a") == "bridge br0, uplink bond0 over pf0", wiring(lab, "a"))
        there_and_back(lab)
        for host in "ab":
            lab.run(host, activate("wire0"))
        lab.wait_for(lambda: "now, not the NIC" in wiring(lab, "a"), "the change to be seen", 10)
        there_and_back(lab)
    # To be put into a bond, the PF had to go down, and its VFs with it.
    lab.crippled = True


@scenario(always=False, start=False)
def standby_by_another_nic(lab):
    """The PF is for VFs alone, and the bridge has a NIC of its own: there and back."""
    # The lab's peers come by a NIC, too, which nobody can tell from one that leads to the wire.
    up = ("ip link set dev pf0 nomaster; bridge fdb del {peer} dev pf0 self; "
          "ip link set dev peer0 nomaster; ip link set dev wire0 master br0 up")
    down = ("ip link set dev wire0 nomaster down; ip link set dev peer0 master br0; "
            "ip link set dev pf0 master br0; "
            "bridge link set dev pf0 learning off; bridge fdb add {peer} dev pf0 self")
    with wired(lab, up, down):
        start(lab, "a")
        expect(wiring(lab, "a") == "bridge br0, uplink wire0 (always, not the NIC of the VF)",
               wiring(lab, "a"))
        there_and_back(lab, ["outside"])


@scenario(always=False, start=False)
def vf_as_uplink(lab):
    """A spare VF is in br0, and the PF is not: there and back, as with the PF."""
    up = (f"{SPARE_VF}; ip link set dev pf0 nomaster; bridge fdb del {{peer}} dev pf0 self; "
          "ip link set dev pf0 vf 3 spoofchk off trust on; "
          "ip link set dev $spare master br0 up; bridge link set dev $spare learning off; "
          "bridge fdb add {peer} dev $spare self")
    down = (f"{SPARE_VF}; bridge fdb del {{peer}} dev $spare self; "
            "ip link set dev $spare nomaster down; "
            "ip link set dev pf0 vf 3 spoofchk on trust off; ip link set dev pf0 master br0; "
            "bridge link set dev pf0 learning off; bridge fdb add {peer} dev pf0 self")
    with wired(lab, up, down):
        start(lab, "a")
        spare = lab.run("a", f"{SPARE_VF}; echo $spare").stdout.strip()
        expect(wiring(lab, "a").startswith(f"bridge br0, uplink {spare} "), wiring(lab, "a"))
        there_and_back(lab)


@scenario(always=False, start=False)
def macvtap_on_the_pf(lab):
    """The standby is a macvtap on the PF, without a bridge: there and back."""
    def direct(xml):
        return xml.replace("<interface type='bridge'>", "<interface type='direct'>").replace(
            "<source bridge='br0'/>", "<source dev='pf0' mode='bridge'/>")
    # This host's peers have to be on macvtaps, or macvlans, too.
    up = ("ip link set dev pf0 nomaster; bridge fdb del {peer} dev pf0 self; "
          "ip netns add mv; ip link add mv0 link pf0 netns mv address {peer} type macvlan "
          "mode bridge; ip -n mv addr add 10.70.0.{number}/16 dev mv0; "
          "ip -n mv link set dev mv0 up; "
          "ip -n mv neigh add 10.70.1.1 dev mv0 lladdr 02:72:00:00:01:00 nud permanent")
    down = ("ip netns del mv; ip link set dev pf0 master br0; "
            "bridge link set dev pf0 learning off; bridge fdb add {peer} dev pf0 self")

    def expect_peers(lab):
        for host in "ab":
            lost = lab.run(host, "lost=0; for i in $(seq 20); do ip netns exec mv busybox ping "
                                 "-c 1 -W 1 10.70.1.1 > /dev/null || lost=$((lost + 1)); done; "
                                 "echo $lost").stdout.strip()
            expect(lost == "0", f"{lost} of 20 echoes of a macvlan on {host} are lost")

    def copying(lab):
        wait_phase(lab, "a", "released")
        expect_peers(lab)
    with wired(lab, up, down):
        start(lab, "a", direct)
        expect(wiring(lab, "a") == "macvtap on pf0", wiring(lab, "a"))
        expect_peers(lab)
        # A macvtap is down until its guest runs, and keeps nothing.
        there_and_back(lab, ["outside"], during=copying, kept=False)
        expect_peers(lab)


@contextlib.contextmanager
def judged(lab, **answers):
    """The NICs of both as probed, but for these answers; no guest is there yet."""
    edit = " | ".join(f".answers.{name} = {json.dumps(value)}" for name, value in answers.items())
    try:
        for host in "ab":
            done = lab.run(host, "ip link set dev wire0 up; "
                                 "virt-teaming probe pf0 --peer wire0; code=$?; "
                                 "ip link set dev wire0 down; exit $code",
                           check=False, timeout=120)
            expect(done.returncode == 0, f"probe ended with {done.returncode}: {done.stderr}")
            lab.run(host, f"jq '{edit}' {VERDICT} > /tmp/verdict && cp /tmp/verdict {VERDICT}")
        yield
    finally:
        lab.destroy()
        for host in "ab":
            lab.run(host, f"rm -f {VERDICT}")


@scenario(always=False, start=False)
def nic_that_does_not_copy(lab):
    """With a verdict that says so, the VF waits in a VLAN, and paths change at once."""
    with judged(lab, copies=False):
        start(lab, "a")
        there_and_back(lab)
        taken = [steps for _, _, steps in lab.status("a")[0]["history"]]
        expect(any("vf-vlan-park" in steps for steps in taken), f"it did: {taken}")


@scenario(always=False, start=False)
def nic_that_is_not_safe(lab):
    """A verdict that speaks against the NIC: check says so, and no guest migrates to it."""
    with judged(lab, steers=False):
        with tempfile.TemporaryFile("w+") as file:
            file.write(run_lab("domain", "guest").stdout)
            file.seek(0)
            run_lab("run", "a", "cat > /tmp/guest.xml", stdin=file)
        done = lab.run("a", "virt-teaming check /tmp/guest.xml --connect qemu:///system "
                            "--format json", check=False)
        found = [f["rule"] for f in json.loads(done.stdout)["findings"]
                 if f["severity"] == "error"]
        expect(found == ["nic-unfit"], f"check says: {done.stdout or done.stderr}")
        lab.run("a", f"rm {VERDICT}")
        start(lab, "a")
        result = lab.migrate("a", expect_success=False)
        expect("nic-unfit" in result["virsh"], f"virsh says: {result['virsh']}")
        expect(vantage(result, "outside")["frames_lost"] == 0, "frames lost all the same")
        expect_whole(lab, "a")


@scenario(start=False)
def contract_of_the_kernel(lab):
    """tests/kerneltest under Debian's kernel, with a real PF, and bridges that know VLANs."""
    program = os.path.join(os.path.dirname(os.path.abspath(lab.stage)), "tests", "kerneltest")
    with open(program, "rb") as file:
        run_lab("run", "b", "cat > /tmp/kerneltest; chmod 755 /tmp/kerneltest", stdin=file)
    done = lab.run("b", "VIR_TEAMING_TEST_PF=pf0 /tmp/kerneltest", check=False, timeout=120)
    expect(done.returncode == 0 and "not ok" not in done.stdout and "# SKIP" not in done.stdout,
           done.stdout[-2000:] + done.stderr[-500:])
