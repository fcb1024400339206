# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-teaming probe on a NIC with real VFs."""

import json
import time

from labcase import expect, scenario

PROBE = "virt-teaming probe pf0 --peer wire0 --format json"
RECOVERY = "/run/virt-teaming/nic-probe.json"       # there while the VF is not as it was


def network(lab):
    """What a probe may touch, without counters and without interface indices."""
    links = json.loads(lab.run("a", "ip -j link show").stdout)
    seen = [f"{link['ifname']} {link['address']} {link.get('master')} {'UP' in link['flags']}"
            for link in links]
    seen += [f"{link['ifname']} {vf}" for link in links for vf in link.get("vfinfo_list", [])]
    return set(seen + lab.run("a", f"bridge fdb show; ls {RECOVERY} 2>/dev/null; "
                                   "true").stdout.splitlines())


def expect_as(lab, before, when):
    changed = network(lab) ^ before
    expect(not changed, f"the host is not as it was {when}: {'; '.join(sorted(changed))}")


@scenario(start=False)
def nic_is_probed_and_left_as_it_was(lab):
    """The emulated 82576 is found to steer early and to copy; nothing of the probe stays."""
    lab.run("a", "ip link set dev wire0 up; rm -rf /var/lib/virt-teaming")
    time.sleep(1)
    try:
        before = network(lab)
        done = lab.run("a", PROBE, check=False, timeout=120)
        expect(done.returncode == 0, f"probe ended with {done.returncode}: {done.stderr}")
        verdict = json.loads(done.stdout)
        expect(verdict["safe"] is True, f"not safe: {verdict['reason']}")
        for question, answer in (("steers", True), ("keepsMac", True), ("acceptsZero", True),
                                 ("steersEarly", True), ("copies", True), ("vlanParks", True),
                                 ("vlanParksLocal", False)):
            expect(verdict["answers"][question] is answer,
                   f"{question} is {verdict['answers'][question]}, QEMU's igb does otherwise")
        expect_as(lab, before, "before the probe")

        # Ended in its midst, by a signal that it can handle, and by one that it can't. (INT a job in
        # the background ignores.)
        for sig in ("TERM", "KILL"):
            ended = lab.run("a", f"""
                {PROBE} > /dev/null 2>&1 &
                n=0
                until test -e {RECOVERY} || [ $n = 100 ]; do n=$((n + 1)); sleep 0.1; done
                sleep 1
                test -e {RECOVERY} || {{ wait $!; exit 99; }}
                kill -{sig} $!
                wait $!""", check=False, timeout=60)
            expect(ended.returncode != 99, "the probe was not in its midst")
            expect(ended.returncode != 0, f"SIG{sig} did not end it")
            if sig == "KILL":
                expect(lab.run("a", f"test -e {RECOVERY}", check=False).returncode == 0,
                       "how to put the VF back is not on file")
                again = lab.run("a", PROBE, check=False, timeout=120)
                expect(again.returncode == 0,
                       f"the next one ended with {again.returncode}: {again.stderr}")
            expect_as(lab, before, f"before one that SIG{sig} ended")
    finally:
        lab.run("a", "ip link set dev wire0 down; rm -rf /var/lib/virt-teaming")
