# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests whose VF is taken out and plugged by who manages them, and not by QEMU."""

import time

from labcase import (HANDOVER_MS, expect, expect_handover, expect_whole, lost_of_blackout,
                     scenario, wait_phase)
from labkit import INTERVAL_MS, Meter, vantage

DUMP = ("virsh dumpxml --migratable guest | "
        "sed -n '/<interface type=.network.>/,/<.interface>/p'")


def lost_during(action):
    """Milliseconds of frames from outside that the guest does not get while @action goes on, and
    2 s longer."""
    meter = Meter(duration=60)
    time.sleep(1.5)
    meter.say("zero")
    action()
    time.sleep(2)
    outside = next(v for v in meter.finish()["vantages"] if v["name"] == "outside")
    return sum(gap["lost"] for gap in outside["to_guest"]["gaps"]
               if gap["end_ms"] > 0) * INTERVAL_MS


@scenario()
def vf_detached_migrated_and_attached(lab):
    """As oVirt does it: the VF is detached before, and another one attached after a migration."""
    xml = lab.run("a", DUMP).stdout
    lab.run("b", f"cat > /tmp/vf.xml <<'XML'\n{xml}XML\n")

    def detach():
        lab.virsh("a", "detach-device-alias", "guest", "ua-primary0", "--live")
        wait_phase(lab, "a", "standby", 20)

    def attach():
        lab.virsh("b", "attach-device", "guest", "/tmp/vf.xml", "--live")
        lab.wait_guest(1)
        lab.wait_settled("b")
    lab.watch_guest()
    expect_handover(lab, lost_during(detach), "lost while the VF is detached")
    result = lab.migrate("a", pairs=0)
    part = lost_of_blackout(result)
    expect(part < 0.5, f"of what came while the guest was stopped was lost: {part:.2f}")
    lost = sum(gap["lost"] for gap in vantage(result, "outside")["gaps"]
               if gap["phase"] != "switchover") * INTERVAL_MS
    expect(lost <= HANDOVER_MS, f"{lost} ms lost beside the blackout of a guest on its standby")
    expect([p["phase"] for p in lab.status("b")] == ["standby"], f"on b: {lab.status('b')}")
    lost = lost_during(attach)
    expect(lost <= HANDOVER_MS, f"{lost} ms lost while a VF is attached")
    expect_whole(lab, "b")


@scenario(always=False)
def package_removed_and_installed_again(lab):
    """virtteamingd --release leaves a guest to stock libvirt; a new daemon takes it up again."""
    for host in "ab":
        done = lab.run(host, "virtteamingd --release", check=False)
        expect(done.returncode == 2 and "stop it first" in done.stderr,
               f"beside a daemon it ended with {done.returncode}: {done.stderr}")
    lab.set_daemons(False)
    for host in "ab":
        lab.run(host, "virtteamingd --release")
        left = [line for line in lab.run(host, "bridge fdb").stdout.splitlines()
                if "sticky" in line] + \
            lab.run(host, "ls /run/virt-teaming/*.pair 2> /dev/null; true").stdout.split()
        expect(not left, f"left on {host}: {left}")
    expect(lab.lost_at_rest() == 0, "frames lost without us")
    lab.set_daemons(True)
    lab.wait_settled("a")
    lab.migrate("a")
    expect_whole(lab, "b")
