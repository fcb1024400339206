# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moved to the standby and back without a migration; put back where QEMU does not."""

import json
import time

from labcase import (GPE, NOISE_FRAMES, expect, expect_handover, expect_whole, policy, scenario,
                     wait_phase)
from labkit import DAEMON_LOG, Meter, vantage


def move(lab, host, to, *words, status=0):
    """virt-teaming move; returns what it reports."""
    done = lab.run(host, " ".join(["virt-teaming", "move", "guest", "--to", to, *words,
                                   "--format", "json"]), check=False, timeout=90)
    expect(done.returncode == status,
           f"move --to {to} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return json.loads(done.stdout) if done.stdout.startswith("{") else {"reason": done.stderr}


def gaps_between(loss, begin, end):
    """Lengths, frames and vantages of what began to be lost on the way to the guest in a time."""
    return [(round(gap["end_ms"] - gap["start_ms"]), gap["lost"], seen["name"])
            for seen in loss["vantages"] for gap in seen["to_guest"]["gaps"]
            if begin <= gap["start_ms"] < end]


@scenario(always=False)
def moved_to_the_standby_and_back(lab):
    """virt-teaming move: lost is only what the guest's kernel can't take, none on the way back."""
    lab.watch_guest()
    meter = Meter(duration=100)
    time.sleep(1.5)
    meter.say("zero")
    zero = time.monotonic()
    move(lab, "a", "standby")
    time.sleep(1.5)
    there = (time.monotonic() - zero) * 1000
    pair = lab.status("a")[0]
    expect(pair["move"] == "on-standby" and pair["path"] == "standby" and not pair["problem"],
           f"status says: {pair}")
    move(lab, "a", "standby")       # it is: nothing to do
    move(lab, "a", "vf")
    time.sleep(2)
    back = (time.monotonic() - zero) * 1000
    loss = meter.finish()
    gaps = gaps_between(loss, 0, there)
    expect_handover(lab, max((gap for gap, *_ in gaps), default=0), "gap on the way to the standby")
    gaps = gaps_between(loss, there, back)
    for seen in loss["vantages"]:
        expect(sum(lost for _, lost, name in gaps if name == seen["name"]) <= NOISE_FRAMES,
               f"lost on the way back: {gaps}")
    expect_whole(lab, "a")


@scenario(always=False)
def moved_and_the_daemon_killed(lab):
    """A pair on its standby stays there: nobody mends it, also not a daemon that was killed."""
    move(lab, "a", "standby")
    lab.stop_daemon("a", "KILL")
    lab.start_daemon("a")
    time.sleep(12)                  # it would have been plugged by now
    pair = lab.status("a")[0]
    expect(pair["move"] == "on-standby" and pair["vf-index"] == -1, f"status says: {pair}")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    move(lab, "a", "vf")
    expect_whole(lab, "a")


@scenario(always=False)
def moved_and_migrated(lab):
    """A guest that is on its standby migrates, stays there, and is moved to a VF over there."""
    move(lab, "a", "standby")
    result = lab.migrate("a", pairs=0)
    lost = vantage(result, "outside")["frames_lost"]
    expect(lost < 200, f"{lost} frames lost")
    pair = lab.status("b")[0]
    expect(pair["move"] == "on-standby" and pair["phase"] == "standby" and not pair["problem"],
           f"status says: {pair}")
    left = lab.leftovers("a")
    expect(not left, f"left on a: {', '.join(left)}")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    move(lab, "b", "vf")
    expect_whole(lab, "b")
    expect("vtmoved" not in lab.virsh("b", "dumpxml", "guest").stdout, "the domain still says so")


@scenario(always=False)
def move_of_a_guest_that_keeps_its_vf(lab):
    """A guest that ignores the request: the move is taken back, with the reason."""
    with policy(lab, "a", "unplugTimeout=4"):
        lab.guest(f"echo disable > {GPE}")
        reason = move(lab, "a", "standby", status=1)["reason"]
        expect("did not let its VF" in reason, f"it says: {reason}")
        lab.wait_settled("a")
        expect(lab.lost_at_rest() == 0, "frames lost after the move was taken back")


def lose_at_the_last_step(lab):
    """Lets QEMU's migration from a complete, and then takes its destination away: libvirt's
    daemon on b is frozen meanwhile, and finds that its QEMU is dead when it is to finish."""
    wait_phase(lab, "a", "released")
    lab.run("b", "kill -STOP $(pidof libvirtd)")
    try:
        lab.wait_for(lambda: "completed" in lab.run(
            "a", f"grep MIGRATION {DAEMON_LOG} | tail -n 1").stdout,
            "QEMU's migration to complete", 60)
        lab.run("b", "pidof qemu-system-x86_64 | xargs -r kill -KILL")
    finally:
        lab.run("b", "kill -CONT $(pidof libvirtd)")


@scenario(keeps=True)
def source_resumed_after_it_had_completed(lab):
    """The destination's last step fails: QEMU does not put the VF back; the daemon does."""
    result = lab.migrate("a", silent=True, bandwidth=8, during=lose_at_the_last_step,
                         expect_success=False)
    # The guest says nothing; where it is, its host tells the network, which knows otherwise.
    ends = [gap["end_ms"] for gap in vantage(result, "outside")["gaps"]]
    expect(max(ends) < result["returned_ms"] + 500,
           f"gaps until {ends} ms; virsh was back at {result['returned_ms']:.0f}")
    expect_whole(lab, "a")


@scenario(always=False)
def dumped_while_it_runs(lab):
    """virsh dump --live takes the VF as a migration does, and completes: it is given back."""
    lab.virsh("a", "dump", "--live", "guest", "/tmp/guest.dump")
    lab.run("a", "rm /tmp/guest.dump")
    expect_whole(lab, "a")

    # So slow that libvirt is asked what it is at: a dump is under way until it ends.
    said = lab.run("a", """
        virsh -q dump --live --bypass-cache guest /tmp/guest.dump &
        until writer=$(pidof libvirt_iohelper); do sleep 0.02; done
        kill -STOP $writer
        sleep 12
        virt-teaming status --format json
        kill -CONT $writer
        wait
        rm /tmp/guest.dump""", check=False, timeout=100).stdout
    phase = json.loads(said)["pairs"][0]["phase"]
    expect(phase == "released", f"in the middle of the dump, the pair's phase is '{phase}'")
    expect_whole(lab, "a")


@scenario(libvirt="9.0", always=False, vf="hostdev")
def moved_and_taken_back_on_libvirt_9(lab):
    """A VF by address, libvirt 9.0 and QEMU 7.2: moved and back; then taken back too late."""
    move(lab, "a", "standby")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    move(lab, "a", "vf")
    expect_whole(lab, "a")
    lab.migrate("a", bandwidth=8, during=lose_at_the_last_step, expect_success=False)
    expect_whole(lab, "a")


@scenario(always=False)
def taken_back_and_hidden_for_good(lab):
    """QEMU can't be made to show the VF: status says what to do, and a migration does it."""
    lab.run("a", "mv /dev/full /dev/full.away")
    try:
        lab.migrate("a", pairs=0, bandwidth=8, during=lose_at_the_last_step,
                    expect_success=False)
        lab.wait_for(lambda: "QEMU keeps the VF" in lab.status("a")[0]["problem"],
                     "status to say that QEMU keeps the VF", 20)
        expect(lab.lost_at_rest() == 0, "frames lost on the standby")
        lab.migrate("a")
        expect_whole(lab, "b")
    finally:
        lab.run("a", "mv /dev/full.away /dev/full")
