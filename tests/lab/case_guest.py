# SPDX-License-Identifier: LGPL-2.1-or-later
"""What guests and those who command them do at a bad moment: a migration cancelled at any point,
a slot that is busy, a guest that declines, reboots, crashes, is destroyed, suspended or saved.

A moment is aimed at by what the daemon says: see at()."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from labcase import (GPE, HANDOVER_MS, Failed, cut_wire, expect, expect_clean, expect_whole,
                     policy, scenario, wait_phase)
from labkit import DAEMON_LOG, INTERVAL_MS, LAB, OTHER, EventLog, LabError, Meter

SUSPEND = "virsh -q suspend guest && virsh -q domstate guest"


# --- moments

def mark(lab, host):
    """Where the daemon's log ends now."""
    return int(lab.run(host, f"wc -l < {DAEMON_LOG}").stdout)


def at(lab, host, since, words, command="true", seconds=60):
    """Runs a command on @host as soon as the daemon's log, behind @since, has @words."""
    done = lab.run(host, f"timeout {seconds} tail -n +{since + 1} -f {DAEMON_LOG} | "
                         f"grep -q -m1 -e '{words}' || exit 9; {command}",
                   check=False, timeout=seconds + 60)
    if done.returncode == 9:
        raise LabError(f"virtteamingd on {host} did not say '{words}' within {seconds} s")
    return done


@contextlib.contextmanager
def migrating(lab, source, *options, name="guest", ends=None):
    """A migration beside what is done meanwhile. @ends: whether it shall work; None: either.
    Yields a dict, in which "worked" and "virsh" are when it is over."""
    result = {}
    with lab.begin_migration(source, name, *options) as virsh:
        try:
            yield result
        except BaseException:
            # It may wait for what is not going to be done now.
            lab.virsh(source, "domjobabort", name, check=False)
            raise
        finally:
            result["virsh"], _ = virsh.communicate(timeout=240)
            result["worked"] = virsh.returncode == 0
    expect(virsh.returncode != 124, "virsh migrate did not end")
    if ends is not None:
        expect(result["worked"] == ends,
               f"virsh migrate {'failed' if ends else 'worked'}: {result['virsh'].strip()}")


# --- what must hold

def expect_one_mac(lab, number=1):
    """Failover master, standby and VF have the pair's MAC, and the guest drew none of its own."""
    found = lab.guest("for d in /sys/class/net/*; do echo $(cat $d/address) "
                      "$(test -e $d/master && echo below); done", number).stdout.split("\n")
    ours = sorted(line.strip() for line in found if line and not line.startswith("00:00:00:00"))
    mac = f"02:72:00:00:{number:02x}:00"
    expect(ours == [mac, f"{mac} below", f"{mac} below"],
           f"the guest's interfaces are {', '.join(ours)}")


def boot_id(lab):
    return lab.guest("cat /proc/sys/kernel/random/boot_id").stdout.strip()


def expect_reset(lab, before):
    """The guest's kernel is another one than @before."""
    expect(boot_id(lab) != before, "the guest was not reset")


def problem(lab, host):
    return "; ".join(pair["problem"] or "" for pair in lab.status(host))


def expect_reason(lab, host, words):
    expect(words in problem(lab, host), f"status says: {problem(lab, host) or 'nothing'}")
    log = lab.run(host, f"grep -c -e '{words}' {DAEMON_LOG}", check=False).stdout.strip()
    expect(log not in ("", "0"), f"the journal does not say: {words}")


def expect_carried(lab, host, pairs=1):
    """The VF carries on @host, whatever status still has to say of what was before."""
    lab.wait_guest(pairs)
    lab.wait_settled(host, pairs)
    lost = lab.lost_at_rest()
    expect(lost == 0, f"{lost} frames lost after it was over")
    expect_clean(lab, OTHER[host])


# --- 1. cancelled

@scenario(keeps=True)
def cancelled_at_any_point(lab):
    """virsh domjobabort as early as it can be, in wait-unplug, after the release, at the end."""
    abort = "virsh -q domjobabort guest"

    with migrating(lab, "a", ends=False):
        done = lab.run("a", f"for i in $(seq 400); do {abort} 2>/dev/null && exit 0; done; exit 1",
                       check=False, timeout=60)
        expect(done.returncode == 0, "the job could not be aborted")
    expect_whole(lab, "a")
    expect_one_mac(lab)

    # The guest hears of the unplug only when the job has been aborted.
    lab.guest(f"echo mask > {GPE}")
    since = mark(lab, "a")
    with migrating(lab, "a", ends=False):
        at(lab, "a", since, "-> leaving", "sleep 0.5")
        with subprocess.Popen([LAB, "run", "--no-input", "a", abort]) as aborting:
            at(lab, "a", since, '"cancelling"')
            lab.guest(f"echo unmask > {GPE}")
            aborting.wait(60)
    expect_whole(lab, "a")
    expect_one_mac(lab)

    since = mark(lab, "a")
    with migrating(lab, "a", "--bandwidth", "8", ends=False):
        at(lab, "a", since, "-> released", abort)
    expect_whole(lab, "a")
    expect_one_mac(lab)

    # From here on it may be too late.
    for moment in ('"pre-switchover"', "-> departed"):
        since = mark(lab, "a")
        with migrating(lab, "a") as result:
            at(lab, "a", since, moment, abort)
        where = "b" if result["worked"] else "a"
        expect_whole(lab, where)
        expect_one_mac(lab)
        if where == "b":
            with migrating(lab, "b", ends=True):
                pass
            expect_whole(lab, "a")


@scenario(always=False)
def lets_its_vf_go_after_it_was_cancelled(lab):
    """The guest ejects when QEMU has given up waiting: QEMU deletes the VF, we plug it again."""
    lab.guest(f"echo mask > {GPE}")
    since = mark(lab, "a")
    with migrating(lab, "a", ends=False):
        at(lab, "a", since, "-> leaving", "virsh -q domjobabort guest")
    lab.guest(f"echo unmask > {GPE}")
    at(lab, "a", since, "DEVICE_DELETED")
    expect_whole(lab, "a")
    expect_one_mac(lab)
    # What its owner takes away then stays away.
    lab.take_vf("a")
    time.sleep(8)
    expect(lab.status("a")[0]["phase"] == "standby", "the VF was plugged again")
    expect(lab.lost_at_rest() == 0, "frames lost without the VF")


# --- 4. never lets its VF go

@scenario(always=False)
def waits_for_the_vf_if_told(lab):
    """onUnplugTimeout=wait: the migration waits, and goes on when the guest lets its VF go."""
    with policy(lab, "a", "unplugTimeout=2\\nonUnplugTimeout=wait"):
        lab.guest(f"echo mask > {GPE}")
        since = mark(lab, "a")
        with migrating(lab, "a", ends=True):
            at(lab, "a", since, "-> leaving")
            time.sleep(6)
            expect(lab.status("a")[0]["phase"] == "leaving", "it did not wait")
            expect(lab.lost_at_rest() == 0, "frames lost while it waited")
            lab.guest(f"echo unmask > {GPE}")
        expect_whole(lab, "b")


@scenario(always=False)
def daemon_starts_while_qemu_waits_for_the_vf(lab):
    """A daemon that starts in wait-unplug does not take memory to be copied: it waits its time."""
    lab.guest(f"echo mask > {GPE}")
    since = mark(lab, "a")
    with migrating(lab, "a", ends=True):
        at(lab, "a", since, "-> leaving")
        lab.stop_daemon("a", "KILL")
        lab.start_daemon("a")
        time.sleep(3)
        expect(not problem(lab, "a"), f"status says: {problem(lab, 'a')}")
        lab.guest(f"echo unmask > {GPE}")
    expect_whole(lab, "b")


# --- 5. the slot is busy

@scenario(native_hotplug=True)
def busy_slot_is_never_switched_over(lab):
    """QEMU's unplug request refused, and it copies with a live VF: noticed, aborted in time."""
    def blink(on):
        """The slot's power indicator, in the PCI Express capability's Slot Control."""
        lab.guest("c=/sys/bus/pci/devices/0000:00:03.0/config; "
                  "byte() { hexdump -v -s $1 -n 1 -e '1/1 \"%u\"' $c; }; p=$(byte 52); "
                  "while [ $(byte $p) != 16 ]; do p=$(byte $((p + 1))); done; "
                  f"printf '\\{2 if on else 1:03o}' | "
                  "dd of=$c bs=1 seek=$((p + 25)) conv=notrunc")

    blink(True)
    since = mark(lab, "a")
    with migrating(lab, "a", ends=False):
        pass
    refused = lab.run("a", "grep -c 'unplug primary device' /var/log/libvirt/qemu/guest.log",
                      check=False).stdout.strip()
    expect(refused not in ("", "0"), "QEMU did not refuse: the slot was not busy")
    expect_reason(lab, "a", "still could write to it")
    expect(" STOP " not in lab.run("a", f"tail -n +{since + 1} {DAEMON_LOG}").stdout,
           "the guest had been stopped already")
    expect_carried(lab, "a")
    expect_one_mac(lab)
    blink(False)
    with migrating(lab, "a", ends=True):
        pass
    expect_whole(lab, "b")


@scenario(always=False, native_hotplug=True)
def migrates_with_native_hotplug(lab):
    """There and back with pciehp's five seconds; and right after a hotplug, come what may."""
    for where in "ab":
        with migrating(lab, where, ends=True):
            pass
        expect_whole(lab, OTHER[where])
    # The slot blinks for five seconds after its owner has taken the VF away, which is live.
    xml = lab.vf_xml("a")
    lab.virsh("a", "detach-device-alias", "guest", "ua-primary0", "--live")
    with migrating(lab, "a") as result:
        pass
    where = "b" if result["worked"] else "a"
    expect_carried(lab, where, 1 if result["worked"] else 0)
    if result["worked"]:
        return
    # The slot blinks until the guest's driver has probed.
    lab.attach_vf("a", xml)
    with migrating(lab, "a") as result:
        pass
    expect_carried(lab, "b" if result["worked"] else "a")
    expect_one_mac(lab)


# --- 6. guests that decline

@scenario(always=False, start=False)
def guest_without_a_vf_driver(lab):
    """STANDBY negotiated, and no driver for the VF: the standby carries, and migrates as well."""
    lab.define("a", cmdline="lab.novf")
    lab.virsh("a", "start", "guest")
    lab.wait_guest(0)
    wait_phase(lab, "a", "shown")
    for where in "ab":
        expect(lab.lost_at_rest() == 0, f"frames lost on {where}")
        with migrating(lab, where, ends=True):
            pass
        wait_phase(lab, OTHER[where], "shown", 60)
        expect_clean(lab, where)


@scenario(always=False)
def reboots_into_a_system_that_declines(lab):
    """One that has no driver for the VF, or none for virtio: the path that works carries."""
    def reboot_into(word):
        lab.guest("printf '\\120' | dd of=/dev/port bs=1 seek=112; "
                  f"printf '{word}' | dd of=/dev/port bs=1 seek=113")
        lab.virsh("a", "reset", "guest")
        time.sleep(2)

    reboot_into("v")
    wait_phase(lab, "a", "shown")
    lab.wait_guest(0)
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    with migrating(lab, "a", ends=True):
        pass
    wait_phase(lab, "b", "shown", 60)
    expect(lab.lost_at_rest() == 0, "frames lost on the standby after a migration")
    with migrating(lab, "b", ends=True):
        pass
    wait_phase(lab, "a", "shown", 60)
    reboot_into("s")
    lab.wait_guest(1)
    lab.wait_settled("a")
    expect(lab.lost_at_rest() == 0, "frames lost on the VF alone")
    reboot_into("\\0")
    expect_whole(lab, "a")
    expect_one_mac(lab)


@contextlib.contextmanager
def pxe_server():
    """Yields a function that tells how many files the firmware has fetched so far."""
    served = []
    with subprocess.Popen([LAB, "ns", "client", sys.executable,
                           os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                        "pxeserver.py"), "10.70.0.1", "10.70.1.1"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as server:
        thread = threading.Thread(target=lambda: served.extend(server.stdout), daemon=True)
        thread.start()
        try:
            yield lambda: len(served)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            thread.join(10)


@scenario(always=False, start=False)
def firmware_needs_the_network(lab):
    """A guest in its PXE stage has its network on the standby, migrates, is saved and restored."""
    def expect_fetches(where):
        # A firmware waits busily, and its hypervisor has one processor.
        lab.run(where, "renice -n 19 -p $(ls /proc/$(pidof qemu-system-x86_64)/task)")
        before = fetched()
        lab.wait_for(lambda: fetched() >= before + 3, f"the firmware on {where} to fetch", 60)

    lab.define("a", pxe=True)
    with pxe_server() as fetched:
        lab.virsh("a", "start", "guest")
        expect_fetches("a")
        for where in "ab":
            with migrating(lab, where, ends=True):
                pass
            expect_fetches(OTHER[where])
            expect_clean(lab, where)
        # QEMU has not shown it the VF, so there is none to wait for.
        lab.virsh("a", "save", "guest", "/tmp/guest.save")
        expect_clean(lab, "a")
        lab.virsh("a", "restore", "/tmp/guest.save")
        expect_fetches("a")
        expect(lab.status("a")[0]["phase"] in ("standby", "shown"), "it is on no standby")
        # The VF was plugged meanwhile, and QEMU keeps it for a system that wants it.
        since = mark(lab, "a")
        lab.virsh("a", "destroy", "guest")
        at(lab, "a", since, "-> gone")
        expect_clean(lab)


# --- 7. reset, crashed, destroyed, suspended, saved; post-copy

def sysrq(lab, key):
    """At once, without a word to any driver. (libvirt resets no guest that is migrating.)"""
    lab.guest(f"(sleep 0.2; echo {key} > /proc/sysrq-trigger) > /dev/null 2>&1 &", check=False)


def reboot_while_it_leaves(lab, key):
    """In wait-unplug, and while its memory is copied. Returns where it is then."""
    where = "a"
    for words in ("-> leaving", "-> released"):
        lab.guest("echo 1 > /proc/sys/kernel/panic")
        if words == "-> leaving":
            lab.guest(f"echo mask > {GPE}")
        before = boot_id(lab)
        since = mark(lab, where)
        with migrating(lab, where, "--bandwidth", "8") as result:
            at(lab, where, since, words)
            sysrq(lab, key)
        where = OTHER[where] if result["worked"] else where
        expect_carried(lab, where)
        expect_reset(lab, before)
        expect_one_mac(lab)
    return where


@scenario(always=False)
def reset_during_a_migration(lab):
    """A reset in wait-unplug, during the copy, and when it has just arrived: whole at the end."""
    where = reboot_while_it_leaves(lab, "b")
    before = boot_id(lab)
    since = mark(lab, OTHER[where])
    with migrating(lab, where, ends=True):
        pass
    where = OTHER[where]
    done = at(lab, where, since, "-> settling", "virsh -q reset guest")
    expect(done.returncode == 0, f"virsh reset says: {done.stderr.strip()}")
    time.sleep(1)                   # or the one of before still answers
    expect_carried(lab, where)
    expect_reset(lab, before)
    expect_one_mac(lab)


@scenario(always=False)
def panics_during_a_migration(lab):
    """A kernel that panics and reboots, in wait-unplug and during the copy: whole at the end."""
    reboot_while_it_leaves(lab, "c")
    # One that panics for good keeps its VF until it is ended.
    sysrq(lab, "c")
    time.sleep(3)
    expect(lab.guest("true", check=False).returncode != 0, "the guest did not panic")
    lab.destroy()
    expect_clean(lab)


def expect_ended(lab, words, command, blind=False):
    """A guest that runs on a is ended by @command, on a, when the daemon there says @words."""
    if blind:
        lab.guest(f"echo mask > {GPE}")
    since = mark(lab, "a")
    with migrating(lab, "a", "--bandwidth", "8", ends=False):
        at(lab, "a", since, words, command)
    expect_clean(lab)
    lab.destroy()
    lab.start("a")


@scenario(always=False)
def destroyed_in_every_phase(lab):
    """virsh destroy: driving, in wait-unplug, during the copy on either side, just arrived."""
    destroy = "virsh -q destroy guest"
    since = mark(lab, "a")
    with migrating(lab, "a", "--bandwidth", "8", ends=False):
        at(lab, "a", since, "-> released")
        lab.run("b", destroy)
    expect_whole(lab, "a")
    expect_one_mac(lab)
    expect_ended(lab, "-> leaving", destroy, blind=True)
    expect_ended(lab, "-> released", destroy)
    since = mark(lab, "b")
    with migrating(lab, "a", ends=True):
        pass
    at(lab, "b", since, "-> settling", destroy)
    expect_clean(lab)
    lab.destroy()
    lab.start("a")
    lab.run("a", destroy)
    expect_clean(lab)


@scenario(always=False)
def killed_in_every_phase(lab):
    """kill -KILL of the source's QEMU: in wait-unplug, during the copy, driving."""
    kill = "pidof qemu-system-x86_64 | xargs kill -KILL"
    expect_ended(lab, "-> leaving", kill, blind=True)
    expect_ended(lab, "-> released", kill)
    lab.run("a", kill)
    expect_clean(lab)


def expect_suspended(done):
    """That is how at() ended with SUSPEND."""
    expect(done.returncode == 0 and "paused" in done.stdout,
           f"virsh suspend left the guest '{done.stdout.strip()}': {done.stderr.strip()}")


@scenario(always=False)
def suspended_during_a_migration(lab):
    """virsh suspend in wait-unplug: given up. During the copy: goes on, and is whole there."""
    with policy(lab, "a", "unplugTimeout=3"):
        lab.guest(f"echo mask > {GPE}")
        since = mark(lab, "a")
        with migrating(lab, "a", ends=False):
            expect_suspended(at(lab, "a", since, "-> leaving", SUSPEND))
        expect_reason(lab, "a", "did not let its VF")
        lab.virsh("a", "resume", "guest", check=False)
        lab.guest(f"echo unmask > {GPE}")
        expect_carried(lab, "a")
        expect_one_mac(lab)

        since = mark(lab, "a")
        with migrating(lab, "a", "--bandwidth", "8", ends=True):
            # libvirt lets nobody resume a guest that migrates, or has resumed it by then.
            expect_suspended(at(lab, "a", since, '"active"',
                                f"{SUSPEND} || exit 1; sleep 2; virsh -q resume guest; true"))
        expect_whole(lab, "b")

    since = mark(lab, "b")
    with migrating(lab, "b", "--bandwidth", "8", ends=True):
        expect_suspended(at(lab, "b", since, '"active"', SUSPEND))
    time.sleep(3)
    expect_clean(lab, "b")
    # libvirt may have resumed it there by itself.
    lab.virsh("a", "resume", "guest", check=False)
    expect_whole(lab, "a")
    expect_one_mac(lab)


@scenario(always=False)
def saved_without_its_vf(lab):
    """A guest on its standby is saved and restored; its VF, plugged again, makes it whole."""
    xml = lab.take_vf("a")
    lab.virsh("a", "save", "guest", "/tmp/guest.save")
    expect_clean(lab)
    lab.virsh("a", "restore", "/tmp/guest.save")
    lab.wait_guest(0)
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    lab.attach_vf("a", xml)
    expect_whole(lab, "a")
    expect_one_mac(lab)


@scenario(always=False)
def postcopy(lab):
    """Switched to post-copy half-way: the VF is plugged when all memory is there, and carries."""
    since = mark(lab, "a")
    there = mark(lab, "b")
    with migrating(lab, "a", "--postcopy", "--bandwidth", "4", ends=True):
        at(lab, "a", since, "-> released", "sleep 1; virsh -q migrate-postcopy guest")
        at(lab, "b", there, "postcopy-active")
    expect_whole(lab, "b")
    expect_one_mac(lab)


@contextlib.contextmanager
def impatient_tcp(lab):
    """What is sent to a host that is not there is given up within seconds."""
    for host in "ab":
        lab.run(host, "sysctl -n net.ipv4.tcp_retries2 > /run/retries; "
                      "sysctl -q -w net.ipv4.tcp_retries2=3")
    try:
        yield
    finally:
        for host in "ab":
            lab.run(host, "sysctl -q -w net.ipv4.tcp_retries2=$(cat /run/retries)", check=False)


def lose_postcopy(lab):
    """Cuts the wire when the guest runs on b, and most of its memory is on a, until a has
    noticed. Then a new daemon, of a new libvirtd, has to know on either host that the guest runs
    on b, and waits there for its memory."""
    # 30 MB or so of what is not zero.
    lab.guest("for i in $(seq 10); do cat /bin/busybox /bin/meter; done > /tmp/fill")
    since, there = mark(lab, "a"), mark(lab, "b")
    with impatient_tcp(lab), \
            migrating(lab, "a", "--postcopy", "--bandwidth", "4", "--postcopy-bandwidth", "1",
                      ends=False):
        at(lab, "a", since, "-> released", "sleep 1; virsh -q migrate-postcopy guest")
        at(lab, "b", there, " RESUME ")
        # Its QEMU answers nobody while it waits for a page itself, as when the guest acknowledges
        # that it was told to announce itself.
        lab.wait_guest(0)
        # And it notices nothing before it asks for a page.
        lab.guest("(sleep 0.5; cat /tmp/fill) > /dev/null 2>&1 &")
        with cut_wire():
            at(lab, "a", since, "postcopy-paused")
        at(lab, "b", there, "postcopy-paused")
    expect_lost(lab)
    for host in "ab":
        lab.stop_daemon(host, "KILL")
        lab.restart_libvirtd(host)
        lab.start_daemon(host)
    expect_lost(lab)


def expect_lost(lab):
    time.sleep(8)                   # it would have been taken to be here, or plugged, by now
    # libvirt itself does not answer: it keeps the migration's job until that is resumed.
    expect("ua-primary0" in lab.run("b", "cat /run/libvirt/qemu/guest.xml").stdout,
           "b has had the VF taken out to plug it anew, though vfio waits for all memory")
    phases = {host: [pair["phase"] for pair in lab.status(host)] for host in "ab"}
    expect(phases == {"a": ["departed"], "b": ["standby"]}, f"the pair is {phases}")
    expect(not problem(lab, "b"), f"status on b says: {problem(lab, 'b')}")


@scenario(always=False)
def postcopy_fails_and_the_guest_is_destroyed(lab):
    """As nobody has all of its memory, it is ended on both: nothing is left."""
    lose_postcopy(lab)
    lab.destroy(hosts="ba")
    expect_clean(lab)
    lab.start("a")
    expect_whole(lab, "a")


@scenario(libvirt="newest", always=False)
def postcopy_fails_and_is_resumed(lab):
    """The rest of its memory comes later: the VF is plugged then. (On libvirt 11.2 and 11.3 the
    destination's libvirtd dies of that, says its NEWS of 11.4.0.)"""
    lose_postcopy(lab)
    with migrating(lab, "a", "--postcopy", "--postcopy-resume", ends=True):
        pass
    expect_whole(lab, "b")
    expect_one_mac(lab)


# --- 8. comes back

def arrivals(lab, host):
    """How often the daemon expected a guest that was not here."""
    return int(lab.run(host, f"grep -c ': arriving$' {DAEMON_LOG}", check=False).stdout)


def blackouts_ms(logs):
    """For how long a guest was stopped in all, by the events of both hosts."""
    total, stopped = 0, None
    for stamp, name, *_ in sorted(event for log in logs for event in log.events):
        if name == "STOP":
            stopped = stamp
        elif name == "RESUME" and stopped:
            total += (stamp - stopped) / 1e6
            stopped = None
    return total


@scenario(always=False)
def migrates_back_at_once(lab):
    """There and back three times, each as soon as virsh is back: lost is no more than while the
    guest's kernel read neither NIC and half of when it was stopped; and it is whole."""
    def migrate(source):
        for _ in range(10):
            with migrating(lab, source) as result:
                pass
            if result["worked"]:
                return
            # The VF that was being plugged would have been left behind.
            expect("while the VF" in problem(lab, source), f"virsh says: {result['virsh']}")
            time.sleep(1)
        raise Failed(f"no migration from {source} in ten: {problem(lab, source)}")

    lab.watch_guest()
    logs = [EventLog(host) for host in "ab"]
    meter = Meter(duration=500)
    try:
        time.sleep(1.5)
        meter.say("zero")
        for _ in range(3):
            migrate("a")
            migrate("b")
        expect_whole(lab, "a")
    finally:
        for log in logs:
            log.close()
        loss = meter.finish()
    for host in "ab":
        expect(arrivals(lab, host) >= 3, f"it was expected {arrivals(lab, host)} times on {host}")
    outside = next(v for v in loss["vantages"] if v["name"] == "outside")["to_guest"]
    lost = sum(gap["lost"] for gap in outside["gaps"] if gap["end_ms"] > 0) * INTERVAL_MS
    blind = lab.handovers_ms()
    limit = sum(blind) + HANDOVER_MS * len(blind) + blackouts_ms(logs) / 2
    expect(blind and lost <= limit,
           f"{lost} ms lost of {limit:.0f}: blind for {blind}, stopped for {blackouts_ms(logs)}")


@scenario(always=False)
def comes_back_while_its_qemu_ends(lab):
    """libvirt calls the hook for a guest that comes back when what was left of it has not ended: it
    is expected, and the VF kept from QEMU."""
    # If libvirt is done with the hook before that has ended, it refuses the guest.
    slow = "/etc/libvirt/hooks/qemu.d/virt-teaming-slow"
    lab.run("a", f"""cat > {slow} <<'SH'
#!/bin/sh
[ "$2" = migrate ] || exit 0
while pidof qemu-system-x86_64 > /dev/null; do sleep 0.2; done
sleep 1
SH
chmod 755 {slow}""")
    since, there = mark(lab, "a"), mark(lab, "b")
    try:
        with migrating(lab, "a", "--bandwidth", "8", ends=True):
            wait_phase(lab, "a", "released")
            # libvirt on b is kept from resuming the guest until QEMU on a can't end.
            lab.run("b", "kill -STOP $(pidof libvirtd)")
            try:
                at(lab, "a", since, '"completed"',
                   "sleep 1; kill -STOP $(pidof qemu-system-x86_64)")
            finally:
                lab.run("b", "kill -CONT $(pidof libvirtd)")
            # libvirt kills it after 10 s (virProcessKillPainfullyDelay() in
            # src/util/virprocess.c).
            at(lab, "b", there, "-> settling")
            back = mark(lab, "a")
            with migrating(lab, "b", ends=True):
                at(lab, "a", back, ": arriving$", seconds=20)
                expect(lab.run("a", "pidof qemu-system-x86_64", check=False).returncode == 0,
                       "its QEMU had ended: what is this scenario for?")
    finally:
        lab.run("a", f"rm {slow}", check=False)
    expect_whole(lab, "a")
    expect("Device or resource busy" in lab.run(
        "a", "cat /var/log/libvirt/qemu/guest.log").stdout, "QEMU was let at the VF")
