# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job, shown: one guest, migrated with virtio only, as a stock pair, and as a
pair under virt-teaming, in one run, on both generations of libvirt.

Leaves result.json and a timeline per comparison; ends with a table, and with a list of
what must hold. Exit status 0: all of it held; 1: some did not; 2: could not measure.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

from bench import EXPLAIN, HOST_MEMORY, Bench
from labkit import Lab, LabError, OTHER, Progress, end_on_signals, gap_in, table, vantage
from timeline import svg

SPEEDS = {"full": None, "6MiB": 6}
TITLES = {"virtio-only": "virtio only", "stock": "stock pair", "virt-teaming": "virt-teaming"}


class Demo:
    def __init__(self, args):
        self.args = args
        self.cases = []
        self.checks = []
        self.progress = Progress()
        self.bench = None

    def case(self, machine, name, speed, vf, source, silent=False, round_=0):
        """One metered migration; returns where the guest is then."""
        self.progress(f"libvirt {machine.libvirt}, {vf or 'no VF'}: {TITLES[name]}, "
                      f"{'silent guest, ' if silent else ''}"
                      f"{'full speed' if speed == 'full' else speed + '/s'}, "
                      f"{source} to {OTHER[source]}"
                      + (f" ({round_ + 1} of {self.args.rounds})" if self.args.rounds > 1 else ""))
        result = machine.migrate(source, pairs=0 if name == "virtio-only" else 1,
                                 bandwidth=SPEEDS[speed], silent=silent)
        result.update(name=name, speed=speed, libvirt=machine.libvirt, vf=vf, silent=silent)
        if name == "virt-teaming":
            result["left_on_source"] = machine.leftovers(source)
        self.cases.append(result)
        return OTHER[source]

    def guest(self, machine, name, vf):
        """One guest, all speeds, there and back."""
        machine.set_daemons(name == "virt-teaming")
        self.progress(f"libvirt {machine.libvirt}: starting the guest ({TITLES[name]})")
        machine.start("a", pairs=0 if name == "virtio-only" else 1, **({"vf": vf} if vf else {}))
        where = "a"
        for speed in SPEEDS:
            for round_ in range(self.args.rounds):
                where = self.case(machine, name, speed, vf, where, round_=round_)
        if name == "virt-teaming":
            where = self.case(machine, name, "full", vf, where, silent=True)
            if vf == "network":
                self.many(machine, where)
        machine.destroy()

    def many(self, machine, where):
        """Ten in a row, without a meter."""
        whole = 0
        for i in range(self.args.row):
            self.progress(f"libvirt {machine.libvirt}: {i + 1} of {self.args.row} in a row")
            machine.virsh(where, "migrate", "--live", "guest",
                          f"qemu+tcp://{OTHER[where]}/system", timeout=180)
            where = OTHER[where]
            try:
                machine.wait_guest(1)
                machine.wait_settled(where)
                whole += not machine.leftovers(OTHER[where])
            except LabError:
                pass
        self.check(f"libvirt {machine.libvirt}: {self.args.row} migrations in a row, "
                   f"the pair whole and the source clean each time: {whole}",
                   whole == self.args.row)

    def check(self, words, holds):
        self.checks.append((words, bool(holds)))

    def find(self, **want):
        return [c for c in self.cases if all(c[k] == v for k, v in want.items())]

    def judge(self):
        """What the demo must show, from what was measured."""
        for libvirt in sorted({c["libvirt"] for c in self.cases}, reverse=True):
            plain = {s: self.find(libvirt=libvirt, name="virtio-only", speed=s) for s in SPEEDS}
            for vf in self.args.vf:
                ours = self.find(libvirt=libvirt, vf=vf, name="virt-teaming")
                # Measured last, the silent one at the very end: without it there is no verdict.
                if not any(c["silent"] for c in ours):
                    continue
                where = f"libvirt {libvirt}, {vf}"
                for c in ours:
                    blackout = min(gap_in(p, "switchover") for p in plain[c["speed"]])
                    unplug = gap_in(c, "unplug")
                    self.check(f"{where}, {c['speed']}{', silent guest' if c['silent'] else ''}: "
                               f"gap at the unplug {unplug:.0f} ms, shorter than virtio's "
                               f"blackout of {blackout:.0f} ms", unplug < blackout)
                early = max(gap_in(c, "prepare", ["destination-peer"]) for c in ours)
                self.check(f"{where}: peers on the destination lose the guest before the "
                           f"switchover for {early:.0f} ms", early == 0)
                full = [vantage(c, "outside")["frames_lost"] for c in ours if c["speed"] == "full"]
                slow = [vantage(c, "outside")["frames_lost"] for c in ours if c["speed"] != "full"]
                stock = [vantage(c, "outside")["frames_lost"]
                         for c in self.find(libvirt=libvirt, vf=vf, name="stock", speed="full")]
                bound = min(stock) / 3
                self.check(f"{where}: {max(full)} frames lost from outside at full speed, at most "
                           f"a third of stock's {min(stock)}", max(full) <= bound)
                self.check(f"{where}: {max(slow)} with the copy held to 6 MiB/s, "
                           "no more than that either", max(slow) <= bound)
                left = [item for c in ours for item in c["left_on_source"]]
                self.check(f"{where}: left on the source: {', '.join(left) or 'nothing'}",
                           not left)

    def save(self):
        os.makedirs(self.args.output, exist_ok=True)
        path = os.path.join(self.args.output, "result.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"cases": self.cases, "checks": [
                {"check": words, "holds": holds} for words, holds in self.checks]}, file, indent=1)
        pictures = []
        if self.bench:
            pictures.append(os.path.join(self.args.output, "bench.json"))
            with open(pictures[0], "w", encoding="utf-8") as file:
                json.dump(self.bench.to_json(), file, indent=1)
        for libvirt in sorted({c["libvirt"] for c in self.cases}):
            for vf in self.args.vf:
                for speed in SPEEDS:
                    lanes = [(TITLES[name], found[0]) for name, found in (
                        ("virtio-only", self.find(libvirt=libvirt, name="virtio-only",
                                                  speed=speed)),
                        ("stock", self.find(libvirt=libvirt, vf=vf, name="stock", speed=speed)),
                        ("virt-teaming", self.find(libvirt=libvirt, vf=vf, name="virt-teaming",
                                                   speed=speed, silent=False))) if found]
                    if len(lanes) == 3:
                        pictures.append(self.picture(libvirt, vf, speed, lanes))
        return [path] + pictures

    def picture(self, libvirt, vf, speed, lanes):
        base = os.path.join(self.args.output, f"timeline-{libvirt}-{vf}-{speed}")
        words = "full speed" if speed == "full" else "copy held to 6 MiB/s"
        with open(base + ".svg", "w", encoding="utf-8") as file:
            file.write(svg(f"A live migration, libvirt {libvirt}, VF by {vf}, {words}", lanes))
        if shutil.which("rsvg-convert"):
            subprocess.run(["rsvg-convert", "-o", base + ".png", base + ".svg"], check=False)
        return base + ".svg"

    def table(self):
        head = ("libvirt", "VF", "copy", "case", "frames lost", "longest gap", "at unplug",
                "dest. peer, early", "blackout")
        rows = []
        for c in self.cases:
            out = vantage(c, "outside")
            name = TITLES[c["name"]] + (" (silent)" if c["silent"] else "")
            rows.append((c["libvirt"], c["vf"] or "-", c["speed"], name,
                         str(out["frames_lost"]), f"{out['longest_gap_ms']:.0f} ms",
                         f"{gap_in(c, 'unplug'):.0f} ms" if c["vf"] else "-",
                         f"{gap_in(c, 'prepare', ['destination-peer']):.0f} ms",
                         f"{gap_in(c, 'switchover'):.0f} ms"))
        return table(head, rows, left=4)

    def run(self):
        ended = False
        try:
            self.measure()
            ended = True
        finally:
            # What was measured in the best part of an hour is shown whatever came after it.
            if ended or self.cases:
                self.report(ended)
        return 0 if all(holds for _, holds in self.checks) else 1

    def measure(self):
        for generation in self.args.libvirt:
            self.progress(f"bringing two hypervisors up, libvirt {generation}")
            with Lab(generation, stage=self.args.stage,
                     options=["--memory", HOST_MEMORY]) as machine:
                self.guest(machine, "virtio-only", None)
                for vf in self.args.vf:
                    self.guest(machine, "stock", vf)
                    self.guest(machine, "virt-teaming", vf)
                if self.args.bench and not self.bench:
                    self.bench = Bench(5, self.progress)
                    self.bench.run(machine, sizes=[192, 512, 1024], pairs=[2, 4],
                                   reaction=self.args.reaction)

    def report(self, ended):
        self.judge()
        if self.bench:
            self.checks += [(c["check"], c["holds"]) for c in self.bench.checks]
        files = self.save()         # before anything is printed: the terminal may be gone
        self.progress.done()
        if not ended:
            print("\nNot all was measured. What was:")
        print("\nFrames sent every 10 ms to one guest while it is migrated with an unmodified\n"
              "virsh migrate --live. Lost and longest gap: from outside; the other gaps: the\n"
              "worst of three vantages. A gap that the stock pair has at the unplug lasts\n"
              "until the guest runs on the other host.\n")
        print(self.table())
        if self.bench:
            print(f"\nAgainst a guest without a VF, five migrations each:\n\n"
                  f"{self.bench.table()}\n\n{EXPLAIN}")
        print("\nWhat must hold:")
        for words, holds in self.checks:
            print(f"  {'yes' if holds else 'NO '}  {words}")
        print("\nFiles:", *files, sep="\n  ")


def main():
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--stage", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--output", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="libvirt 11.3 and a pool only, three in a row, no benchmark")
    parser.add_argument("--libvirt", action="append", choices=["11.3", "9.0", "newest"])
    parser.add_argument("--vf", action="append", choices=["network", "hostdev"])
    parser.add_argument("--rounds", type=int, default=1, help="migrations per case")
    parser.add_argument("--row", type=int, help="migrations in a row at the end (10)")
    parser.add_argument("--reaction", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.bench = not args.quick
    args.libvirt = args.libvirt or (["11.3"] if args.quick else ["11.3", "9.0"])
    args.vf = args.vf or (["network"] if args.quick else ["network", "hostdev"])
    args.row = args.row if args.row is not None else (3 if args.quick else 10)
    end_on_signals()
    try:
        return Demo(args).run()
    except (LabError, subprocess.TimeoutExpired) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
