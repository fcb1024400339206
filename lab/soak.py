# SPDX-License-Identifier: LGPL-2.1-or-later
"""One guest migrated there and back, again and again, with a failure by chance in each third time.

Half of what is cancelled and of the daemons that are killed is meant to be so within 0.4 s of the
guest's stop: most is under way then, and chance alone would hardly ever meet it. What came too
late to happen is not counted.

After each: is the guest whole, with its MAC; is the other host clean; do frames get through?
What does not hold is written down with the logs, and the soak goes on in a fresh lab. The
report is written anew after each migration, as reStructuredText, so that one that is ended
early has one as well. The same --seed does the same things, at the same moments as far as
a machine can.

Exit status 0: all held; 1: some did not; 2: could not run.
"""

import argparse
import os
import random
import shlex
import statistics
import subprocess
import sys
import time

from labkit import DAEMON_LOG, MAC_PREFIX, OTHER, Lab, LabError, Progress, end_on_signals

MAC = f"{MAC_PREFIX}00:00:01:00"
QEMU = "qemu-system-x86_64"
SWITCHOVER_S = 30                       # until there is one, if there is any


class Broken(Exception):
    """Something did not hold."""


# --- what goes wrong: each is handed the soak and its chance, and returns what it did, in words,
# and whether that happened: what comes too late is no failure

def cancel(soak, chance):
    """the migration is cancelled"""
    done, when = soak.sometime(chance, 6, soak.home, "virsh -q domjobabort guest")
    return f"cancelled{when}", done.returncode == 0


def kill_daemon(soak, chance):
    """the daemon is killed, and started again"""
    host = chance.choice("ab")
    done, when = soak.sometime(chance, 7, host, "kill -KILL $(pidof virtteamingd)")
    time.sleep(chance.uniform(0, 3))
    soak.lab.start_daemon(host)
    return f"daemon on {soak.side(host)} killed{when}", done.returncode == 0


def kill_destination(soak, chance):
    """the destination's QEMU is killed"""
    host = OTHER[soak.home]
    soak.later(chance.uniform(1, 5))
    # Once the guest runs there, that would be another story.
    done = soak.lab.run(host, f"virsh -q domstate guest --reason | grep -q migrating && "
                              f"kill -KILL $(pidof {QEMU})", check=False)
    return "destination's QEMU killed", done.returncode == 0


def restart_libvirtd(soak, chance):
    """libvirtd is restarted"""
    host = chance.choice("ab")
    soak.later(chance.uniform(0, 7))
    soak.lab.restart_libvirtd(host)
    return f"libvirtd on {soak.side(host)} restarted", True


def reload_driver(soak, chance):
    """the guest unloads its VF driver and loads it again"""
    soak.later(chance.uniform(0, 7))
    done = soak.lab.guest("(rmmod igbvf; sleep 1; insmod /lib/modules/igbvf.ko) "
                          "> /dev/null 2>&1 &", check=False)
    return "VF driver reloaded", done.returncode == 0


def reset(soak, chance):
    """the guest is reset"""
    soak.later(chance.uniform(0, 6))
    # By itself: libvirt resets no guest that is migrating.
    done = soak.lab.guest("(sleep 0.2; echo b > /proc/sysrq-trigger) > /dev/null 2>&1 &",
                          check=False)
    return "guest reset", done.returncode == 0


def suspend(soak, chance):
    """the guest is suspended for a second"""
    soak.later(chance.uniform(0, 6))
    # libvirt may have resumed it by then, or let nobody do so while it migrates: see move().
    done = soak.lab.run(soak.home, "virsh -q suspend guest || exit 1; sleep 1; "
                                   "virsh -q resume guest; exit 0", check=False)
    return "suspended, resumed", done.returncode == 0


def detach(soak, chance):
    """the VF is detached before the migration, and attached after it"""
    return "VF detached and attached", True


FAILURES = (cancel, kill_daemon, kill_destination, restart_libvirtd, reload_driver, reset,
            suspend, detach)


class Soak:
    def __init__(self, args):
        self.args = args
        self.chance = random.Random(args.seed)
        self.rows = []
        self.lab = None
        self.home = "a"
        self.began = 0
        self.progress = Progress()

    def side(self, host):
        return "the source" if host == self.home else "the destination"

    def later(self, seconds):
        time.sleep(max(0, self.began + seconds - time.monotonic()))

    def sometime(self, chance, latest, host, command):
        """Runs @command on @host, up to @latest seconds from the migration's begin or, as often,
        at the switchover. Returns how it ended, and words for when."""
        if chance.random() < 0.5:
            self.later(chance.uniform(0, latest))
            return self.lab.run(host, command, check=False), ""
        script = (f"timeout {SWITCHOVER_S} tail -n 0 -f {DAEMON_LOG} | "
                  "grep -q -m 1 -E -e '-> (departed|landing)' && echo seen; "
                  f"sleep {chance.uniform(0, 0.4):.3f}; {command}")
        done = self.lab.run(host, script, check=False, timeout=SWITCHOVER_S + 60)
        return done, " at the switchover" if done.stdout.startswith("seen") else ""

    # --- the lab

    def open(self):
        if not self.lab:
            self.progress("a fresh lab")
            self.home = "a"
            self.lab = Lab(self.args.libvirt, stage=self.args.stage, debug=True).__enter__()
            self.lab.set_daemons(True)
            self.lab.start("a")

    def close(self):
        if self.lab:
            self.lab.__exit__()
            self.lab = None

    # --- one migration

    def move(self, fail, chance, row):
        """Notes what happened, and whether the guest has moved."""
        xml = None
        if fail is detach:
            xml = self.lab.take_vf(self.home)
        self.began = time.monotonic()
        with self.lab.begin_migration(self.home, "guest", *self.speed()) as virsh:
            try:
                if fail:
                    row["what"], row["happened"] = fail(self, chance)
            finally:
                output, _ = virsh.communicate(timeout=240)
        if virsh.returncode == 124:
            raise Broken("virsh migrate did not end")
        row["moved"] = virsh.returncode == 0
        if row["moved"]:
            self.home = OTHER[self.home]
        elif not row["happened"]:
            raise Broken(f"virsh migrate failed: {output.strip()}")
        if fail is suspend:
            # It may have arrived as it was.
            self.lab.virsh(self.home, "resume", "guest", check=False)
        if xml:
            self.lab.attach_vf(self.home, xml)

    def speed(self):
        return ["--bandwidth", str(self.args.bandwidth)] if self.args.bandwidth else []

    # --- what must hold

    def check(self):
        """Returns how long it took until all held."""
        began = time.monotonic()
        self.lab.wait_guest(1, timeout=120)
        self.lab.wait_settled(self.home)
        took = time.monotonic() - began
        self.lab.wait_for(lambda: not self.lab.leftovers(OTHER[self.home]),
                          "the other host to be clean", 20)
        found = self.lab.guest("for d in /sys/class/net/*; do cat $d/address; done").stdout.split()
        strange = sorted(set(found) - {MAC, "00:00:00:00:00:00"})
        if strange or found.count(MAC) != 3:
            raise Broken(f"the guest's MACs are {', '.join(found)}")
        for host in "ab":
            self.lab.virsh(host, "list", timeout=20)
        lost = self.lab.lost_at_rest(("outside", "peer-a", "peer-b"))
        if lost:
            raise Broken(f"{lost} frames lost after it was over")
        return took

    # --- all of them

    def run(self):
        # What fails when is drawn first: a failure of ours must not change the rest.
        plan = []
        while len(plan) < self.args.count:
            third = [None, None, None]
            third[self.chance.randrange(3)] = self.chance.choice(FAILURES)
            plan += [(fail, self.chance.getrandbits(32)) for fail in third]
        for number, (fail, seed) in enumerate(plan[:self.args.count], 1):
            row = {"number": number, "fail": fail.__name__ if fail else "", "what": "",
                   "happened": bool(fail), "moved": False, "took": None, "broken": ""}
            self.rows.append(row)
            try:
                self.open()
                row["from"] = self.home
                self.progress(f"{number} of {self.args.count}, from {self.home}"
                              f"{': ' + fail.__doc__ if fail else ''}")
                self.move(fail, random.Random(seed), row)
                row["took"] = self.check()
            except (Broken, LabError, subprocess.TimeoutExpired) as error:
                row["broken"] = str(error)
                if self.lab:
                    self.lab.save_logs(os.path.join(self.args.logs, str(number)))
                self.close()
            self.write()
        self.close()
        self.progress.done()
        return 1 if any(row["broken"] for row in self.rows) else 0

    # --- the report

    def write(self):
        took = [row["took"] for row in self.rows if row["took"] is not None]
        failed = [row for row in self.rows if row["happened"]]
        late = sum(bool(row["fail"]) for row in self.rows) - len(failed)
        sharp = sum("switchover" in row["what"] for row in failed)
        broken = [row for row in self.rows if row["broken"]]
        lines = [
            ".. SPDX-License-Identifier: LGPL-2.1-or-later", "",
            "====", "Soak", "====", "",
            f"{len(self.rows)} migrations of one guest in the emulated lab (libvirt "
            f"{self.args.libvirt}), there and back,",
            f"{len(failed)} of them with something that went wrong, {sharp} of these within 0.4 s "
            "of the guest's stop.",
            f"{late} more were to have something that came too late, and count as those without. "
            "After each,",
            "the pair had to be whole on the host that the guest was on then, with its MAC and no "
            "other,",
            "the other host clean, and no frame lost from any vantage.", "",
            "Made by::", "",
            f"  /usr/bin/python3 lab/soak.py {' '.join(map(shlex.quote, sys.argv[1:]))}", "",
            f"Did not hold: {len(broken)} of {len(self.rows)}.",
        ]
        if took:
            lines += ["Seconds until whole after virsh had returned: median "
                      f"{statistics.median(took):.1f}, longest {max(took):.1f}."]
        lines += ["", "By what went wrong:", ""]
        lines += table(("what", "times", "guest moved", "did not hold"), [
            (doc, len(rows), sum(r["moved"] for r in rows), sum(bool(r["broken"]) for r in rows))
            for doc, rows in [("nothing", [r for r in self.rows if not r["happened"]])] +
            [(f.__doc__, [r for r in failed if r["fail"] == f.__name__]) for f in FAILURES]])
        lines += ["", "All of them:", ""]
        lines += table(("nr", "from", "what went wrong", "guest", "whole after"), [
            (row["number"], row.get("from", "-"),
             (row["what"] or row["fail"]) if row["happened"] else "-",
             "moved" if row["moved"] else "stayed",
             row["broken"].replace("\n", " ") or f"{row['took']:.1f} s") for row in self.rows])
        with open(self.args.output, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def table(head, rows):
    """A simple table of reStructuredText."""
    cells = [tuple(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = "  ".join("=" * width for width in widths)
    text = ["  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip()
            for row in cells]
    return [rule, text[0], rule, *text[1:], rule]


def main():
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--stage", default="build/stage", help="what meson install laid out")
    parser.add_argument("--count", type=int, default=100, help="migrations")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn")
    parser.add_argument("--libvirt", default="11.3", choices=("11.3", "9.0", "newest"))
    parser.add_argument("--bandwidth", type=int, help="MiB/s of the copy")
    parser.add_argument("--output", default="build/soak.rst", help="the report")
    parser.add_argument("--logs", default="build/soak", help="where logs of failures go")
    soak = Soak(parser.parse_args())
    end_on_signals()
    try:
        return soak.run()
    except (LabError, subprocess.TimeoutExpired) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        soak.close()


if __name__ == "__main__":
    sys.exit(main())
