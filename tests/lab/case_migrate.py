# SPDX-License-Identifier: LGPL-2.1-or-later
"""Migrations, cancelled ones, and those in which somebody dies."""

import json
import sys
import time

from labcase import (GPE, expect, expect_handover, expect_none_lost, expect_soon, expect_whole,
                     lost_of_blackout, policy, scenario, wait_phase)
from labkit import DAEMON_LOG, OTHER, gap_in, lab as lab_command, vantage

# 1000 broadcasts, of a type that nobody knows, within some seconds: a tap keeps 500.
SHOUT = """
import socket, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
for _ in range(1000):
    out.send(b"\\xff" * 6 + out.getsockname()[4] + b"\\x88\\xb6" + bytes(46))
    time.sleep(0.003)
"""


@scenario()
def migrates_with_little_loss(lab):
    """There, back while the guest says nothing, and there again among frames for all, more than a
    tap keeps: the gap at the unplug is short, what comes in the blackout is kept, and nothing
    stays on the source."""
    def move(where, **how):
        result = lab.migrate(where, **how)
        outside = vantage(result, "outside")
        expect_handover(lab, gap_in(result, "unplug"), "gap at the unplug")
        expect(gap_in(result, "prepare") <= 30,
               f"a gap of {gap_in(result, 'prepare'):.0f} ms before the unplug")
        expect(outside["frames_lost"] < 200, f"{outside['frames_lost']} frames lost")
        expect_whole(lab, OTHER[where])
        return lost_of_blackout(result)

    def shout(machine):
        wait_phase(machine, "a", "released")
        lab_command("ns", "client", sys.executable, "-c", SHOUT)
        wait_phase(machine, "a", "released")

    lab.watch_guest()
    for where, how in (("a", {}), ("b", {"silent": True, "bandwidth": 8})):
        parts = [move(where, **how)]
        if where == "a":
            # The hook's doing: vfio would have all of the memory made when the VF is plugged.
            expect("<allocation mode='immediate'/>" in lab.virsh("b", "dumpxml", "guest").stdout,
                   "the guest's memory was not allocated before it arrived")
        if parts[0] >= 0.5:         # a busy machine may be to blame, but not twice
            move(OTHER[where])
            parts.append(move(where, **how))
        expect(min(parts) < 0.5, f"of the blackouts from {where} was lost: {parts}")

    result = lab.migrate("a", bandwidth=6, during=shout)
    part = lost_of_blackout(result)
    expect(part < 0.5, f"of the blackout among broadcasts was lost: {part:.2f}")
    expect_whole(lab, "b")
    ports = json.loads(lab.run("b", "bridge -j -d link show").stdout)
    for port in ports:
        expect(port.get("mcast_flood", True) and port.get("bcast_flood", True),
               f"{port['ifname']} is left out")


def there_and_back(lab):
    lab.watch_guest()
    for where in "ab":
        result = lab.migrate(where)
        expect_handover(lab, gap_in(result, "unplug"), "gap at the unplug")
        expect_whole(lab, OTHER[where])


@scenario(libvirt="9.0", vf="hostdev")
def named_vf_on_libvirt_9(lab):
    """A VF by address, libvirt 9.0 and QEMU 7.2: there and back."""
    there_and_back(lab)


@scenario(libvirt="newest", always=False)
def there_and_back_on_the_newest(lab):
    """libvirt, QEMU and Linux as the backports of Debian 13 have them: there and back."""
    there_and_back(lab)


@scenario(always=False)
def daemon_killed_on_the_source_while_the_vf_leaves(lab):
    """KILL between the unplug and the switchover; started again, it cleans up."""
    def kill(machine):
        wait_phase(machine, "a", "released")
        machine.stop_daemon("a", "KILL")
        time.sleep(1)
        machine.start_daemon("a")
    lab.migrate("a", bandwidth=8, during=kill)
    expect_whole(lab, "b")


@scenario()
def daemon_killed_on_the_source_and_late(lab):
    """KILL during the copy; started again only when the guest has gone."""
    def kill(machine):
        wait_phase(machine, "a", "released")
        machine.stop_daemon("a", "KILL")
    lab.migrate("a", bandwidth=8, during=kill)
    lab.start_daemon("a")
    lab.wait_for(lambda: not lab.leftovers("a"), "the source to be clean", 15)
    expect_whole(lab, "b")


@scenario(always=False)
def daemon_killed_on_the_destination_during_the_copy(lab):
    """KILL while the VF is kept from QEMU; started again before the guest arrives."""
    def kill(machine):
        wait_phase(machine, "b", "arriving")
        wait_phase(machine, "a", "released")
        machine.stop_daemon("b", "KILL")
        machine.start_daemon("b")
    lab.migrate("a", bandwidth=8, during=kill)
    expect_whole(lab, "b")


@scenario()
def daemon_away_on_the_destination_when_the_guest_arrives(lab):
    """KILL during the copy; started again when the guest runs with a parked VF."""
    def kill(machine):
        wait_phase(machine, "b", "arriving")
        wait_phase(machine, "a", "released")
        machine.stop_daemon("b", "KILL")
    lab.daemons = False     # the pair can't be settled before it is started again
    try:
        lab.migrate("a", pairs=0, bandwidth=8, during=kill)
    finally:
        lab.daemons = True
    time.sleep(3)
    lab.start_daemon("b")
    expect_whole(lab, "b")


@scenario()
def libvirtd_restarted_on_both(lab):
    """libvirtd restarts under a quiet pair: nothing is lost, and the pair migrates."""
    for host in "ab":
        lab.restart_libvirtd(host)
    time.sleep(3)
    expect(lab.lost_at_rest() == 0, "frames lost after libvirtd was restarted")
    lab.migrate("a")
    expect_whole(lab, "b")


@scenario(keeps=True)
def destination_qemu_dies_during_the_copy(lab):
    """The destination's QEMU is killed: the pair is whole on the source."""
    def kill(machine):
        wait_phase(machine, "a", "released")
        time.sleep(1)
        machine.run("b", "pidof qemu-system-x86_64 | xargs -r kill -KILL")
    lab.migrate("a", bandwidth=4, during=kill, expect_success=False)
    expect_whole(lab, "a")


@scenario(keeps=True)
def vf_driver_reloaded_in_the_guest(lab):
    """The guest unloads its VF driver and loads it again: what works carries."""
    lab.guest("rmmod igbvf")
    wait_phase(lab, "a", "shown")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    lab.guest("modprobe igbvf || insmod /lib/modules/igbvf.ko")
    expect_whole(lab, "a")


@scenario()
def guest_never_lets_its_vf_go(lab):
    """A guest that ignores the unplug: given up after the policy's time, with the reason."""
    with policy(lab, "a", "unplugTimeout=4"):
        lab.guest(f"echo disable > {GPE}")
        lab.migrate("a", pairs=0, expect_success=False)
        problem = lab.status("a")[0]["problem"]
        expect("did not let its VF" in problem, f"status says: {problem or 'nothing'}")
        expect(lab.lost_at_rest() == 0, "frames lost after the migration was given up")


@scenario(always=False)
def vf_detached_and_attached_by_virsh(lab):
    """virsh detach-device leaves the guest on its standby, attach-device makes it whole."""
    xml = lab.take_vf("a")
    expect(lab.lost_at_rest() == 0, "frames lost without the VF")
    lab.attach_vf("a", xml)
    expect_whole(lab, "a")


@scenario()
def guest_reboots(lab):
    """A guest that reboots is on its standby until its driver reads from the VF again."""
    lab.virsh("a", "reset", "guest")
    wait_phase(lab, "a", "shown")
    expect_whole(lab, "a")
    lab.migrate("a")
    expect_whole(lab, "b")


@scenario(always=False)
def save_does_not_hang(lab):
    """virsh save and dump stop the guest first, which can't let its VF go then: given up."""
    for command in ("save", "dump"):
        done = lab.virsh("a", command, "guest", "/tmp/guest.file", check=False, timeout=100)
        expect(done.returncode not in (0, 124), f"virsh {command} ended with {done.returncode}")
        expect("cannot let its VF" in lab.status("a")[0]["problem"], "status gives no reason")
        lab.virsh("a", "resume", "guest", check=False)
        lab.wait_guest(1)
        lab.wait_settled("a")
        expect(lab.lost_at_rest() == 0, "frames lost after it was given up")


@scenario(always=False)
def suspended_and_resumed(lab):
    """virsh suspend and resume change nothing."""
    lab.virsh("a", "suspend", "guest")
    time.sleep(2)
    lab.virsh("a", "resume", "guest")
    expect_whole(lab, "a")


@scenario(always=False, pairs=4)
def four_pairs_in_one_guest(lab):
    """Four pairs on one PF migrate, and all come back."""
    lab.migrate("a", pairs=4)
    expect_whole(lab, "b", pairs=4)


@scenario(keeps=True)
def running_domain_is_checked(lab):
    """virt-teaming check of a running pair finds what QEMU was given, and no error."""
    done = lab.run("a", "virt-teaming check guest --connect qemu:///system --format json",
                   check=False)
    expect(done.returncode in (0, 1), f"check ended with {done.returncode}: {done.stderr}")
    report = json.loads(done.stdout)
    found = [f["rule"] for f in report["findings"] if f["severity"] == "error"]
    expect(not found, f"errors: {', '.join(found)}")
    pool = json.loads(lab.run("a", "virt-teaming pool sriov0 --connect qemu:///system "
                                   "--format json", check=False).stdout)
    expect("ua-primary0" in json.dumps(pool), "the pool does not know whose its VF is")


@scenario(keeps=True)
def migration_to_a_host_without_the_pool_is_refused(lab):
    """The hook refuses, with the rule, before any memory is copied, of a libvirtd that is new."""
    heard = f"grep -c 'listening to libvirt' {DAEMON_LOG}"
    before = lab.run("b", heard).stdout
    lab.restart_libvirtd("b")
    lab.wait_for(lambda: lab.run("b", heard).stdout != before, "b to listen to libvirt again", 30)
    lab.virsh("b", "net-destroy", "sriov0")
    time.sleep(3)                   # until the daemon has heard of it
    try:
        result = lab.migrate("a", expect_success=False)
        # libvirt would refuse as well, in other words.
        expect("[network-inactive]" in result["virsh"], f"virsh says: {result['virsh']}")
        expect_none_lost(result)
        expect_whole(lab, "a")
    finally:
        lab.virsh("b", "net-start", "sriov0")


@scenario()
def hook_alone_does_no_harm(lab):
    """Without a daemon the hook lets libvirt go on, as stock."""
    lab.set_daemons(False)
    lab.migrate("a")
    lab.wait_guest(1)
    lab.set_daemons(True)
    lab.wait_settled("b")


@scenario(always=False, start=False)
def vf_by_address_gets_its_mac_back(lab):
    """A VF has the MAC that it had before when the guest was not to come, has left, or has ended:
    that of <interface> by libvirt, that of a plain <hostdev> by us."""
    own = {"a": "02:75:00:00:00:0a", "b": "02:75:00:00:00:0b"}

    def macs(host):
        pf = json.loads(lab.run(host, "ip -j link show dev pf0").stdout)[0]
        return [vf.get("address") or vf.get("mac") for vf in pf["vfinfo_list"] if vf["vf"] == 0]

    def expect_own(host, words):
        expect_soon(lab, lambda: macs(host), lambda found: found == [own[host]],
                    f"{words}, its VF on {host} has")

    def abort(machine):
        wait_phase(machine, "a", "released")
        machine.virsh("a", "domjobabort", "guest")
    try:
        for host, mac in own.items():
            lab.run(host, f"ip link set dev pf0 vf 0 mac {mac}")
        for vf in ("plain", "hostdev"):
            lab.start("a", vf=vf)
            lab.migrate("a", bandwidth=4, during=abort, expect_success=False)
            expect_own("b", f"{vf}: the guest did not come")
            lab.migrate("a")
            expect_whole(lab, "b")
            expect_own("a", f"{vf}: the guest has left")
            lab.destroy()
            expect_own("b", f"{vf}: the guest has ended")
    finally:
        for host in own:
            lab.run(host, "ip link set dev pf0 vf 0 mac 00:00:00:00:00:00", check=False)
