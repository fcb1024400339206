# SPDX-License-Identifier: LGPL-2.1-or-later
"""How near a migrating pair comes to a guest without a VF: ratios of medians, in one run.

Migrates a plain virtio guest, a stock pair and a pair under virt-teaming there and back: for
each size of guest, for several pairs in one guest, for two guests that cross, and at the
highest rate the lab sustains. Ends with a table and with what must hold. Exit status 0: all
of it held; 1: some did not; 2: could not measure.
"""

import argparse
import json
import statistics
import sys
import time

from labkit import Lab, LabError, Meter, OTHER, Progress, gap_in, vantage

INTERVAL_MS = 10
SLACK_MS = 20               # what may be lost beside what the guest's kernel can't take
VANTAGES = ("outside", "source-peer", "destination-peer")
# The emulated hypervisor's firmware moves the VFs' registers above 4 GiB with more, and there
# its guest's VF driver can't reach them.
HOST_MEMORY = "2800"


def median(results, function):
    values = [function(r) for r in results]
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def longest(way):
    return max((g["end_ms"] - g["start_ms"] for g in way["gaps"]), default=0)


def beside(way):
    """Frames lost outside the longest gap."""
    worst = max(way["gaps"], key=lambda g: g["end_ms"] - g["start_ms"], default={"lost": 0})
    return sum(g["lost"] for g in way["gaps"]) - worst["lost"]


def stall(result):
    """The longest silence of the guest after it has resumed: its VF is plugged meanwhile."""
    return max((g["end_ms"] - g["start_ms"] for v in result["vantages"]
                for g in v["from_guest"]["gaps"] if g["phase"] == "replug"), default=0)


def lost_at_replug(result):
    views = [result["vantages"], *result["pairs"]]
    return max(g["lost"] for v in sum(views, []) for g in [*v["gaps"], {"lost": 0,
               "phase": "replug"}] if g["phase"] == "replug")


def since_stop(result):
    """From the guest's stop to its driver reading from the VF."""
    marks = result["marks"]
    return marks["replug"] - marks["stop"] if "replug" in marks else None


class Case:
    """Some migrations of one kind, and their medians."""

    def __init__(self, name, kind, results, memory, pairs=1):
        self.name = name
        self.kind = kind
        self.memory = memory
        self.pairs = pairs
        self.results = results
        self.there = {v: median(results, lambda r, v=v: longest(vantage(r, v)))
                      for v in VANTAGES}
        self.back = {v: median(results, lambda r, v=v: longest(vantage(r, v)["from_guest"]))
                     for v in VANTAGES}
        self.lost = {v: median(results, lambda r, v=v: beside(vantage(r, v))) for v in VANTAGES}
        self.lost_back = {v: median(results, lambda r, v=v: beside(vantage(r, v)["from_guest"]))
                          for v in VANTAGES}
        # To the pairs after the first: the worst of them.
        self.others = median(results, lambda r: max(
            (longest(vantage({"vantages": p}, "outside")) for p in r["pairs"]), default=None))
        self.others_lost = median(results, lambda r: max(
            (beside(vantage({"vantages": p}, "outside")) for p in r["pairs"]), default=None))
        self.unplug = median(results, lambda r: gap_in(r, "unplug"))
        self.early = median(results, lambda r: gap_in(r, "prepare", ["destination-peer"]))
        self.downtime = median(results, lambda r: r["downtime_ms"])
        self.blind = median(results, lambda r: r.get("blind_ms"))
        self.stall = median(results, stall)
        self.replug_lost = median(results, lost_at_replug)
        self.vf_back = median(results, since_stop)

    def to_json(self):
        return {key: value for key, value in vars(self).items() if key != "results"} | {
            "migrations": self.results}


class Bench:
    def __init__(self, rounds, progress):
        self.rounds = rounds
        self.progress = progress
        self.cases = []
        self.checks = []

    def prepare(self, machine, kind):
        machine.set_daemons(kind == "ours")

    def measure(self, machine, kind, memory, pairs=1, interval=None, rounds=None):
        """One guest, there and back again."""
        words = {"virtio": "virtio only", "stock": "stock pair", "ours": "virt-teaming"}[kind]
        name = f"{words}, {memory} MiB" + (f", {pairs} pairs" if pairs > 1 else "") + \
            (f", every {interval:g} ms" if interval else "")
        pairs = 0 if kind == "virtio" else pairs
        self.progress(f"{name}: starting")
        self.prepare(machine, kind)
        machine.start("a", pairs=pairs, memory=memory)
        if pairs:
            machine.watch_guest()
        where, results = "a", []
        for i in range(rounds or self.rounds):
            self.progress(f"{name}: {i + 1} of {rounds or self.rounds}")
            result = machine.migrate(where, pairs=pairs, interval=interval)
            if pairs:
                result["blind_ms"] = machine.blind_ms()
            results.append(result)
            where = OTHER[where]
        machine.destroy()
        self.cases.append(Case(name, kind, results, memory, max(pairs, 1)))
        return self.cases[-1]

    def cross(self, machine, kind, memory):
        """Two guests, each on its way to where the other is."""
        words = {"virtio": "virtio only", "ours": "virt-teaming"}[kind]
        name = f"{words}, {memory} MiB, two crossing"
        pairs = 0 if kind == "virtio" else 1
        self.progress(f"{name}: starting")
        self.prepare(machine, kind)
        guests = [{"name": "guest", "number": 1, "pairs": pairs, "source": "a"},
                  {"name": "other", "number": 2, "pairs": pairs, "source": "b"}]
        for g in guests:
            machine.start(g["source"], name=g["name"], number=g["number"], pairs=pairs,
                          memory=memory)
            if pairs:
                machine.watch_guest(g["number"])
        results = []
        for i in range(self.rounds):
            self.progress(f"{name}: {i + 1} of {self.rounds}")
            for g, result in zip(guests, machine.migrate_at_once(guests)):
                if pairs:
                    result["blind_ms"] = machine.blind_ms(g["number"])
                results.append(result)
                g["source"] = OTHER[g["source"]]
        for g in guests:
            machine.destroy(g["name"])
        self.cases.append(Case(name, kind, results, memory))
        return self.cases[-1]

    def highest_rate(self, machine, memory):
        """The shortest interval at which a pair that does not move loses nothing, twice."""
        self.prepare(machine, "ours")
        machine.start("a", memory=memory)
        best = float(INTERVAL_MS)
        for interval in (5, 3, 2, 1.5, 1, 0.7, 0.5):
            self.progress(f"the highest rate: every {interval} ms")
            for _ in range(2):
                meter = Meter(duration=20, extra=["--interval", str(interval)])
                meter.say("zero")
                time.sleep(3)
                lost = max(v["to_guest"]["lost"] for v in meter.finish()["vantages"])
                if lost:
                    break
            if lost:
                break
            best = float(interval)
        machine.destroy()
        return best

    # --- what must hold

    def check(self, words, holds):
        self.checks.append({"check": words, "holds": bool(holds)})

    def judge(self, ours, plain):
        """A pair against virtio only, of the same size, in the same run."""
        blind = ours.blind or 0
        for way, mine, theirs in (("to", ours.there, plain.there),
                                  ("from", ours.back, plain.back)):
            for v in VANTAGES:
                ratio = mine[v] / theirs[v] if theirs[v] else 0
                self.check(f"{ours.name}: longest gap {way} the guest, {v}: {mine[v]:.0f} ms, "
                           f"{ratio:.2f} of virtio's {theirs[v]:.0f} ms (at most 1.10)",
                           ratio <= 1.10)
        for way, lost in (("to", ours.lost), ("from", ours.lost_back)):
            worst = max(lost.values()) * INTERVAL_MS
            self.check(f"{ours.name}: lost beside it, {way} the guest: {worst:.0f} ms of frames, "
                       f"the guest's kernel took none for {blind:.0f} ms (at most {SLACK_MS} ms "
                       "more)", worst <= blind + SLACK_MS)
        if ours.others is not None:
            worst = max(plain.there.values())
            self.check(f"{ours.name}: the other pairs' longest gap {ours.others:.0f} ms, "
                       f"{ours.others / worst:.2f} of virtio's {worst:.0f} ms (at most 1.10)",
                       ours.others <= 1.10 * worst)
            self.check(f"{ours.name}: lost beside it: {ours.others_lost * INTERVAL_MS:.0f} ms of "
                       f"frames (at most {blind + SLACK_MS:.0f} ms for each that leaves before it)",
                       ours.others_lost * INTERVAL_MS <= blind * ours.pairs + SLACK_MS)
        self.check(f"{ours.name}: peers on the destination lose the guest before the switchover "
                   f"for {ours.early:.0f} ms", ours.early == 0)
        bound = max(plain.back.values())
        self.check(f"{ours.name}: the guest stalls for {ours.stall:.0f} ms when its VF is plugged "
                   f"back (at most virtio's gap of {bound:.0f} ms)", ours.stall <= bound)

    def judge_stock(self, ours, stock):
        self.check(f"{ours.name}: its VF carries {ours.vf_back:.0f} ms after the stop, stock's "
                   f"{stock.vf_back:.0f} ms", ours.vf_back <= stock.vf_back)
        self.check(f"{ours.name}: the guest stalls for {ours.stall:.0f} ms, stock's is stopped "
                   f"for {stock.downtime:.0f} ms", ours.stall <= stock.downtime)

    def judge_growth(self, ours, plain):
        """Downtime as QEMU reports it, over the sizes."""
        if len(ours) < 2:
            return
        mine = ours[-1].downtime - ours[0].downtime
        theirs = plain[-1].downtime - plain[0].downtime
        self.check(f"from {ours[0].memory} to {ours[-1].memory} MiB the downtime grows by "
                   f"{mine:.0f} ms ({', '.join(f'{c.downtime:.0f}' for c in ours)}), virtio's by "
                   f"{theirs:.0f} ms ({', '.join(f'{c.downtime:.0f}' for c in plain)})",
                   mine <= max(theirs, 0.1 * plain[0].downtime))

    def run(self, machine, sizes, pairs, crossing=True, rate=True, stock=3):
        plain, ours = {}, {}
        for memory in sizes:
            plain[memory] = self.measure(machine, "virtio", memory)
            other = self.measure(machine, "stock", memory, rounds=stock) if stock else None
            ours[memory] = self.measure(machine, "ours", memory)
            self.judge(ours[memory], plain[memory])
            if other:
                self.judge_stock(ours[memory], other)
        self.judge_growth(list(ours.values()), list(plain.values()))
        small = sizes[0]
        for n in pairs:
            self.judge(self.measure(machine, "ours", small, pairs=n), plain[small])
        if crossing:
            alone = self.cross(machine, "virtio", small)
            self.judge(self.cross(machine, "ours", small), alone)
        if rate:
            interval = self.highest_rate(machine, small)
            fast = self.measure(machine, "ours", small, interval=interval)
            self.check(f"{fast.name}, the highest rate sustained at rest: {fast.replug_lost:.0f} "
                       "frames lost when the VF is plugged back", fast.replug_lost == 0)

    def table(self):
        head = ("medians", "to guest", "from guest", "lost beside", "blind", "downtime",
                "stall", "VF carries")
        rows = [(c.name, f"{c.there['outside']:.0f} ms", f"{c.back['outside']:.0f} ms",
                 f"{max(c.lost.values()):.0f}", f"{c.blind:.0f} ms" if c.blind else "-",
                 f"{c.downtime:.0f} ms", f"{c.stall:.0f} ms",
                 f"{c.vf_back:.0f} ms" if c.vf_back is not None else "-") for c in self.cases]
        widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                           for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
                 for row in [head, *rows]]
        return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])

    def verdicts(self):
        return "\n".join(f"  {'yes' if c['holds'] else 'NO '}  {c['check']}" for c in self.checks)

    def to_json(self):
        return {"cases": [c.to_json() for c in self.cases], "checks": self.checks}


EXPLAIN = """To and from guest: the longest gap, outside. Lost beside: frames lost outside the
longest gap, at the worst vantage, one every 10 ms. Blind: how long the guest's kernel read
neither NIC while the VF left. Stall: the guest's longest silence while its VF is plugged
back. VF carries: since the guest was stopped."""


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n\n",
                                                                            maxsplit=1)[0])
    parser.add_argument("--stage", default="build/stage")
    parser.add_argument("--output", default="build/bench.json")
    parser.add_argument("--libvirt", default="11.3", choices=["11.3", "9.0"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, nargs="*", default=[192, 512, 1024])
    parser.add_argument("--pairs", type=int, nargs="*", default=[2, 4],
                        help="beside one pair, with the smallest memory")
    parser.add_argument("--stock", type=int, default=3, help="rounds of the stock pair; 0: none")
    parser.add_argument("--no-crossing", action="store_true")
    parser.add_argument("--no-rate", action="store_true")
    args = parser.parse_args()
    progress = Progress()
    bench = Bench(args.rounds, progress)
    try:
        with Lab(args.libvirt, stage=args.stage, options=["--memory", HOST_MEMORY]) as machine:
            bench.run(machine, args.memory, args.pairs, not args.no_crossing, not args.no_rate,
                      args.stock)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(bench.to_json(), file, indent=1)
        if bench.cases:
            print(f"{bench.table()}\n\n{EXPLAIN}\n\nWhat must hold:\n{bench.verdicts()}")
    return 0 if all(c["holds"] for c in bench.checks) else 1


if __name__ == "__main__":
    sys.exit(main())
