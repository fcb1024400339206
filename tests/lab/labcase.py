# SPDX-License-Identifier: LGPL-2.1-or-later
"""What scenarios are made of: how one is marked, and what it can expect of the lab."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lab"))

from labkit import INTERVAL_MS, LabError, OTHER, lab as lab_command, vantage  # noqa: E402

SCENARIOS = []
NOISE_FRAMES = 2                # a busy machine loses as many without our help
HANDOVER_MS = 500               # for the daemon to see that the guest left its VF, and to act
# By which PCI hotplug reaches the guest. "mask" and "unmask" are told it, for "enable" clears
# what came while it was disabled (ACPICA, acpi_enable_gpe).
GPE = "/sys/firmware/acpi/interrupts/gpe01"


class Failed(Exception):
    """The product does not do what it should."""


def scenario(libvirt="11.3", always=True, options=(), start=True, keeps=False, **guest):
    """Marks a function that is handed a lab with a guest that runs on a, paired.

    @always: runs also without --all. @options: of "lab up". @start: whether there is a guest;
    what else is given says which (see Lab.start). @keeps: it is there, whole and as it was, when
    the scenario has passed, and the next one need not start its own."""
    def wrap(function):
        SCENARIOS.append({"name": function.__name__.replace("_", "-"), "run": function,
                          "what": function.__doc__.splitlines()[0], "libvirt": libvirt,
                          "always": always, "options": tuple(options),
                          "start": start, "keeps": keeps, "guest": guest})
        return function
    return wrap


def expect(holds, words):
    if not holds:
        raise Failed(words)


def expect_soon(lab, look, holds, words, seconds=20):
    """What @look sees @holds within some seconds; if not, what it has seen is put behind @words."""
    seen = []

    def looked():
        seen[:] = [look()]
        return holds(seen[0])
    try:
        lab.wait_for(looked, "", seconds)
    except LabError:
        raise Failed(f"{words}: {seen[0]}") from None


def expect_clean(lab, hosts="ab"):
    """Nothing is left of a guest that has gone, and libvirt answers."""
    for host in hosts:
        expect_soon(lab, lambda h=host: lab.leftovers(h), lambda left: not left, f"left on {host}")
        lab.virsh(host, "list", timeout=20)


def expect_whole(lab, host, pairs=1):
    """The VF carries on @host, with the pair's MAC, and nothing of ours is on the other."""
    lab.wait_guest(pairs)
    lab.wait_settled(host, pairs)
    for pair in lab.status(host):
        expect(not pair["problem"], f"{pair['standby']}: {pair['problem']}")
    left = lab.leftovers(OTHER[host])
    expect(not left, f"left on {OTHER[host]}: {', '.join(left)}")
    lost = lab.lost_at_rest()
    expect(lost == 0, f"{lost} of some 120 frames lost after it was over")


def expect_handover(lab, lost_ms, words, number=1):
    """Little more was lost than while the guest's own kernel read neither NIC, which can be long
    on a busy machine. lab.watch_guest() came before."""
    blind = lab.blind_ms(number)
    expect(blind is not None, f"{words}: the guest did not change from its VF to the standby")
    expect(lost_ms <= blind + HANDOVER_MS,
           f"{words}: {lost_ms:.0f} ms, of which the guest itself was blind for {blind:.0f}")


def lost_of_blackout(result):
    """Which part of what comes from outside while the guest is stopped it never gets."""
    lost = sum(gap["lost"] for gap in vantage(result, "outside")["gaps"]
               if gap["phase"] == "switchover")
    stop, resume = result["marks"]["stop"], result["marks"]["resume"]
    if stop is None or resume is None or resume <= stop:
        raise LabError(f"no blackout was seen: stopped at {stop} ms, resumed at {resume} ms")
    return lost * INTERVAL_MS / (resume - stop)


def expect_none_lost(result, words="frames lost all the same"):
    """Nothing from outside was lost since the migration was asked for."""
    gaps = [gap for gap in vantage(result, "outside")["gaps"] if gap["start_ms"] >= 0]
    lost = sum(gap["lost"] for gap in gaps)
    expect(lost <= NOISE_FRAMES, f"{lost} {words}: {gaps}")


def wait_phase(lab, host, phase, seconds=120):
    lab.wait_for(lambda: any(p["phase"] == phase for p in lab.status(host)),
                 f"a pair on {host} to be {phase}", seconds)


@contextlib.contextmanager
def policy(lab, host, text):
    """The daemon of @host with another policy for all domains."""
    conf = "/etc/virt-teaming/virt-teaming.conf"

    def apply(command):
        lab.stop_daemon(host)
        lab.run(host, command)
        lab.start_daemon(host)
    apply(f"mkdir -p $(dirname {conf}); printf '[policy]\\n{text}\\n' > {conf}")
    try:
        lab.wait_settled(host)
        yield
    finally:
        apply(f"rm -f {conf}")


@contextlib.contextmanager
def cut_wire():
    """The management network of b is unplugged."""
    lab_command("ns", "lab", "ip", "link", "set", "dev", "mgmt-b", "down")
    try:
        yield
    finally:
        lab_command("ns", "lab", "ip", "link", "set", "dev", "mgmt-b", "up")
