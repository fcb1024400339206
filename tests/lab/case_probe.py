# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-teaming probe on a NIC with real VFs."""

import json
import time

from labcase import expect, scenario

PROBE = "virt-teaming probe pf0 --peer wire0 --format json"


def network(lab):
    """What a probe may touch, without counters and without interface indices."""
    links = json.loads(lab.run("a", "ip -j link show").stdout)
    return ([(link["ifname"], link["address"], link.get("master"), "UP" in link["flags"],
              link.get("vfinfo_list")) for link in links],
            lab.run("a", "bridge fdb show | grep -v ' br0 *$' | grep -e self -e static | sort; "
                         "ls /run/virt-teaming/nic-probe.json 2>/dev/null; true").stdout)


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
        expect(network(lab) == before, "the host is not as it was before the probe")

        # Interrupted in its midst, by a signal that it can handle, and by one that it can't.
        for sig in ("INT", "KILL"):
            lab.run("a", f"{PROBE} > /dev/null 2>&1 & sleep 2.5; kill -{sig} $!; wait $!; true",
                    timeout=60)
            if sig == "KILL":
                lab.run("a", PROBE, check=False, timeout=120)
            expect(network(lab) == before, f"the host is not as it was after SIG{sig}")
    finally:
        lab.run("a", "ip link set dev wire0 down; rm -rf /var/lib/virt-teaming")
