# SPDX-License-Identifier: LGPL-2.1-or-later
"""How near a migrating pair comes to a guest without a VF: ratios of medians, in one run.

Migrates a plain virtio guest, a stock pair and a pair under virt-teaming there and back: for
each size of guest, for several pairs in one guest, for two guests that cross, and at the
highest rate the lab sustains. Ends with a table and with what must hold. Exit status 0: all
of it held; 1: some did not; 2: could not measure.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from labkit import (INTERVAL_MS, Lab, LabError, Meter, OTHER, Progress, end_on_signals, gap_in,
                    lab, table, vantage)

CROSSING_MS = 20            # of each of two guests
SLACK_MS = 20               # what may be lost beside what the guest's kernel can't take
RATES_MS = (INTERVAL_MS, 5, 3, 2, 1.5, 1, 0.7, 0.5)
VANTAGES = ("outside", "source-peer", "destination-peer")
# The emulated hypervisor's firmware moves the VFs' registers above 4 GiB with more, and there
# its guest's VF driver can't reach them.
HOST_MEMORY = "2800"
# One emulated CPU, that of a guest with four NICs, sustains no higher rate.
MANY_PAIRS = 4
MANY_MS = 20


def median(results, function):
    values = [function(r) for r in results]
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def downtime(results):
    """As QEMU reports it. What passes between the hosts libvirt takes by their clocks, which
    differ: too much in one direction is too little in the other. So the mean of both."""
    ways = [median([r for r in results if r["source"] == host], lambda r: r["downtime_ms"])
            for host in "ab"]
    ways = [way for way in ways if way is not None]
    return statistics.mean(ways) if ways else None


def ms(value):
    return "unknown" if value is None else f"{value:.0f} ms"


def at_most(value, bound):
    """What is not known does not hold, nor does what is measured against nothing."""
    return value is not None and bool(bound) and value <= bound


def of(value, whole):
    """As a ratio, in words."""
    return f"{value / whole:.2f} of" if whole else "against"


def longest(way):
    return max((g["end_ms"] - g["start_ms"] for g in way["gaps"]), default=0)


def beside(way, interval):
    """What is lost outside the longest gap: milliseconds of frames."""
    worst = max(way["gaps"], key=lambda g: g["end_ms"] - g["start_ms"], default={"lost": 0})
    return (sum(g["lost"] for g in way["gaps"]) - worst["lost"]) * interval


def early(result):
    """For how long the destination's peers, and nobody else, lose the guest before it comes: of
    a gap that others have as well, what comes before theirs begins."""
    others = vantage(result, "outside")["gaps"]
    total = 0
    for g in vantage(result, "destination-peer")["gaps"]:
        if g["phase"] in ("prepare", "unplug"):
            end = min((o["start_ms"] for o in others if o["start_ms"] <= g["end_ms"] and
                       g["start_ms"] <= o["end_ms"]), default=g["end_ms"])
            total += max(end - g["start_ms"], 0)
    return total


def stall(result):
    """The longest silence of the guest after it has resumed: its VF is plugged meanwhile."""
    return max((g["end_ms"] - g["start_ms"] for v in result["vantages"]
                for g in v["from_guest"]["gaps"] if g["phase"] == "replug"), default=0)


def lost_at_replug(result):
    views = [result["vantages"], *result["pairs"]]
    return max(g["lost"] for v in sum(views, []) for g in [*v["gaps"], {"lost": 0,
               "phase": "replug"}] if g["phase"] == "replug")


def since_stop(result):
    """From the guest's stop to its driver reading from the VF. Of a migration without a meter:
    under stock a guest hears nothing until then, and one that is kept busy by frames is slower."""
    replug, stop = result["marks"].get("replug"), result["marks"].get("stop")
    return None if replug is None or stop is None else replug - stop


class Case:
    """Some migrations of one kind, and their medians."""

    def __init__(self, name, kind, results, memory, pairs=1, interval=INTERVAL_MS, bare=()):
        self.interval = interval
        self.name = name
        self.kind = kind
        self.memory = memory
        self.pairs = pairs
        self.results = results
        self.there = {v: median(results, lambda r, v=v: longest(vantage(r, v)))
                      for v in VANTAGES}
        self.back = {v: median(results, lambda r, v=v: longest(vantage(r, v)["from_guest"]))
                     for v in VANTAGES}
        self.lost = {v: median(results, lambda r, v=v: beside(vantage(r, v), interval))
                     for v in VANTAGES}
        self.lost_back = {v: median(results, lambda r, v=v: beside(vantage(r, v)["from_guest"],
                                                                   interval)) for v in VANTAGES}
        # To the pairs after the first: the worst of them.
        self.others = median(results, lambda r: max(
            (longest(vantage({"vantages": p}, "outside")) for p in r["pairs"]), default=None))
        self.others_lost = median(results, lambda r: max(
            (beside(vantage({"vantages": p}, "outside"), interval) for p in r["pairs"]),
            default=None))
        self.unplug = median(results, lambda r: gap_in(r, "unplug"))
        self.early = median(results, early)
        self.downtime = downtime(results)
        self.blind = median(results, lambda r: r.get("blind_ms"))
        self.stall = median(results, stall)
        self.replug_lost = median(results, lost_at_replug)
        self.vf_back = median(bare, since_stop)
        self.bare = list(bare)

    def to_json(self):
        return {key: value for key, value in vars(self).items() if key != "results"} | {
            "migrations": self.results}


class Bench:
    def __init__(self, rounds, progress, bare=3, no_host_driver=False):
        self.rounds = rounds
        self.no_host_driver = no_host_driver
        self.bare = bare                # rounds without a meter
        self.progress = progress
        self.cases = []
        self.checks = []
        self.reaction = None

    def prepare(self, machine, kind):
        machine.set_daemons(kind == "ours")

    def measure(self, machine, kind, memory, pairs=1, interval=None, rounds=None, bare=0):
        """One guest, there and back again; @bare more times without a meter."""
        words = {"virtio": "virtio only", "stock": "stock pair", "ours": "virt-teaming"}[kind]
        name = f"{words}, {memory} MiB" + (
            f", {pairs} {'NICs' if kind == 'virtio' else 'pairs'}" if pairs > 1 else "") + (
            f", every {interval:g} ms" if interval else "")
        nics, pairs = pairs, 0 if kind == "virtio" else pairs
        self.progress(f"{name}: starting")
        self.prepare(machine, kind)
        machine.start("a", pairs=pairs, nics=nics, memory=memory)
        if pairs:
            machine.watch_guest()
        where, results = "a", []
        for i in range(rounds or self.rounds):
            self.progress(f"{name}: {i + 1} of {rounds or self.rounds}")
            result = machine.migrate(where, pairs=pairs, nics=nics, interval=interval)
            if pairs:
                result["blind_ms"] = machine.blind_ms()
            results.append(result)
            where = OTHER[where]
        unmetered = []
        for i in range(bare):
            self.progress(f"{name}: {i + 1} of {bare} without a meter")
            unmetered.append(machine.migrate(where, pairs=pairs, nics=nics, metered=False))
            where = OTHER[where]
        machine.destroy()
        self.cases.append(Case(name, kind, results, memory, nics, interval or INTERVAL_MS,
                               unmetered))
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
        rounds = (self.rounds + 1) // 2         # two migrations in each
        for i in range(rounds):
            self.progress(f"{name}: {i + 1} of {rounds}")
            for g, result in zip(guests, machine.migrate_at_once(guests, interval=CROSSING_MS)):
                if pairs:
                    result["blind_ms"] = machine.blind_ms(g["number"])
                results.append(result)
                g["source"] = OTHER[g["source"]]
        for g in guests:
            machine.destroy(g["name"])
        self.cases.append(Case(name, kind, results, memory, interval=CROSSING_MS))
        return self.cases[-1]

    def highest_rate(self, machine, memory):
        """The shortest interval at which a pair that does not move loses nothing, in two of three
        tries."""
        self.prepare(machine, "ours")
        machine.start("a", memory=memory)
        best = RATES_MS[0]
        for interval in RATES_MS[1:]:
            self.progress(f"the highest rate: every {interval} ms")
            clean = 0
            for _ in range(3):
                meter = Meter(duration=20, extra=["--interval", str(interval)])
                meter.say("zero")
                time.sleep(3)
                clean += not any(v["to_guest"]["lost"] for v in meter.finish()["vantages"])
            if clean < 2:
                break
            best = interval
        machine.destroy()
        return best

    def rate(self, machine, memory):
        """Is anything lost when the VF is plugged back, at the highest rate that the lab sustains
        when nothing moves? A guest that this leaves no time at all falls behind in any migration,
        without a VF, too; then at the next rate at which it does not."""
        rest = self.highest_rate(machine, memory)
        for interval in (i for i in reversed(RATES_MS) if i >= rest):
            plain = self.measure(machine, "virtio", memory, interval=interval, rounds=3)
            if not plain.replug_lost:
                break
        else:
            raise LabError("virtio only loses frames after a migration at every rate down to one "
                           f"every {RATES_MS[0]} ms: this machine is too slow or busy")
        fast = self.measure(machine, "ours", memory, interval=interval)
        self.check(f"{fast.name}, the highest rate that virtio only stands a migration at (at rest "
                   f"a guest stands one every {rest:g} ms): a median of {fast.replug_lost:.0f} "
                   "frames lost when the VF is plugged back", fast.replug_lost == 0)

    def react(self, machine, program):
        """From the edge of a VF's Bus Master bit to the filters moved, in a hypervisor."""
        self.progress("reaction: edges of a VF's Bus Master bit")
        self.prepare(machine, "virtio")
        with tempfile.TemporaryDirectory() as stage:
            os.makedirs(f"{stage}/usr/local/bin")
            shutil.copy(program, f"{stage}/usr/local/bin/reaction-bench")
            lab("push", "a", stage)
        done = machine.run("a", """
            vf=$(basename "$(readlink -f /sys/class/net/pf0/device/virtfn3)")
            echo vfio-pci > /sys/bus/pci/devices/$vf/driver_override
            echo $vf > /sys/bus/pci/devices/$vf/driver/unbind
            echo $vf > /sys/bus/pci/drivers_probe
            ip tuntap add dev bench0 mode tap
            ip link set dev bench0 master br0 up
            chrt -r 1 reaction-bench $vf bench0 150
            code=$?
            ip link del dev bench0
            echo > /sys/bus/pci/devices/$vf/driver_override
            echo $vf > /sys/bus/pci/devices/$vf/driver/unbind
            echo $vf > /sys/bus/pci/drivers_probe
            exit $code""", check=False, timeout=120)
        if done.returncode != 0:
            raise LabError(f"reaction-bench ended with {done.returncode}: {done.stderr.strip()}")
        self.reaction = json.loads(done.stdout)

    # --- what must hold

    def check(self, words, holds):
        self.checks.append({"check": words, "holds": bool(holds)})

    def judge(self, ours, plain):
        """A pair against virtio only, of the same size, in the same run."""
        blind = ours.blind or 0
        for way, mine, theirs in (("to", ours.there, plain.there),
                                  ("from", ours.back, plain.back)):
            for v in VANTAGES:
                # A bridge that floods lets frames wait in the tap of the guest that arrives while
                # there is room: virtio has no gap there then, and counts as what it is elsewhere.
                gap = theirs[v] or max(theirs.values())
                self.check(f"{ours.name}: median of the longest gaps {way} the guest, {v}: "
                           f"{ms(mine[v])}, {of(mine[v], gap)} virtio's {ms(gap)}"
                           f"{'' if theirs[v] else ' elsewhere, and none here'} (at most 1.10)",
                           at_most(mine[v], gap and 1.10 * gap))
        for way, lost in (("to", ours.lost), ("from", ours.lost_back)):
            worst = max(lost.values())
            self.check(f"{ours.name}: lost beside it, {way} the guest: a median of {ms(worst)} of "
                       f"frames, the guest's kernel took none for {ms(blind)} (at most "
                       f"{SLACK_MS} ms more)", worst <= blind + SLACK_MS)
        if ours.others is not None:
            worst = max(*plain.there.values(), plain.others or 0)
            self.check(f"{ours.name}: median of the other pairs' longest gaps {ms(ours.others)}, "
                       f"{of(ours.others, worst)} virtio's {ms(worst)} (at most 1.10)",
                       at_most(ours.others, worst and 1.10 * worst))
            self.check(f"{ours.name}: lost beside it: a median of {ms(ours.others_lost)} of "
                       f"frames (at most {ms(blind + SLACK_MS)})",
                       ours.others_lost <= blind + SLACK_MS)
        self.check(f"{ours.name}: peers on the destination lose the guest before the switchover "
                   f"for a median of {ms(ours.early)}", ours.early == 0)
        bound = max(plain.back.values())
        self.check(f"{ours.name}: the guest stalls for a median of {ms(ours.stall)} when its VF "
                   f"is plugged back (at most virtio's gap of {ms(bound)})", ours.stall <= bound)

    def judge_stock(self, ours, stock):
        if self.bare:
            self.check(f"{ours.name}: its VF carries a median of {ms(ours.vf_back)} after the "
                       f"stop, stock's {ms(stock.vf_back)}", at_most(ours.vf_back, stock.vf_back))
        self.check(f"{ours.name}: the guest stalls for a median of {ms(ours.stall)}, stock's is "
                   f"stopped for {ms(stock.downtime)}", at_most(ours.stall, stock.downtime))

    def judge_growth(self, ours, plain):
        """Downtime as QEMU reports it, over the sizes."""
        if len(ours) < 2:
            return
        if any(c.downtime is None for c in ours + plain):
            self.check("how the downtime grows with the memory: unknown", False)
            return
        mine = ours[-1].downtime - ours[0].downtime
        theirs = plain[-1].downtime - plain[0].downtime
        self.check(f"from {ours[0].memory} to {ours[-1].memory} MiB the median downtime grows by "
                   f"{mine:.0f} ms ({', '.join(f'{c.downtime:.0f}' for c in ours)}), virtio's by "
                   f"{theirs:.0f} ms ({', '.join(f'{c.downtime:.0f}' for c in plain)})",
                   mine <= max(theirs, 0.1 * plain[0].downtime))

    def compare(self, machine, memory, pairs, interval, stock):
        """A guest with virtio only, with stock pairs (@stock rounds), with ours."""
        plain = self.measure(machine, "virtio", memory, pairs, interval)
        other = self.measure(machine, "stock", memory, pairs, interval, stock,
                             self.bare) if stock else None
        ours = self.measure(machine, "ours", memory, pairs, interval, bare=self.bare)
        self.judge(ours, plain)
        if other:
            self.judge_stock(ours, other)
        return plain, ours

    def run(self, machine, sizes, pairs, crossing=True, rate=True, stock=2, reaction=None):
        plain, ours = {}, {}
        if reaction:
            self.react(machine, reaction)
        for host in "ab" if self.no_host_driver else "":
            machine.run(host, "echo 0 > /sys/class/net/pf0/device/sriov_drivers_autoprobe")
        for memory in sizes:
            plain[memory], ours[memory] = self.compare(machine, memory, 1, None, stock)
        if not sizes:
            return
        self.judge_growth(list(ours.values()), list(plain.values()))
        small = sizes[0]
        for n in pairs:
            self.compare(machine, small, n, MANY_MS if n >= MANY_PAIRS else None, stock)
        if crossing:
            alone = self.cross(machine, "virtio", small)
            self.judge(self.cross(machine, "ours", small), alone)
        if rate:
            self.rate(machine, small)

    def table(self):
        head = ("medians", "to guest", "from guest", "lost beside", "blind", "downtime",
                "stall", "VF carries")
        rows = [(c.name, f"{c.there['outside']:.0f} ms", f"{c.back['outside']:.0f} ms",
                 f"{max(c.lost.values()):.0f} ms", f"{c.blind:.0f} ms" if c.blind else "-",
                 ms(c.downtime), ms(c.stall),
                 ms(c.vf_back) if c.vf_back is not None else "-") for c in self.cases]
        text = table(head, rows)
        if self.reaction:
            total, netlink = self.reaction["total_us"], self.reaction["netlink_us"]
            text += ("\n\nFrom the edge of the Bus Master bit to the filters moved, "
                     f"{self.reaction['seen']} edges: median {total['median'] / 1000:.1f} ms "
                     f"({self.reaction['noticed_us']['median'] / 1000:.1f} until it acts, "
                     f"{netlink['median'] / 1000:.1f} in netlink), 90 % within "
                     f"{total['p90'] / 1000:.1f}, 99 % within {total['p99'] / 1000:.1f}.")
        return text

    def verdicts(self):
        return "\n".join(f"  {'yes' if c['holds'] else 'NO '}  {c['check']}" for c in self.checks)

    def to_json(self):
        return {"cases": [c.to_json() for c in self.cases], "checks": self.checks,
                "reaction": self.reaction}


EXPLAIN = """To and from guest: the longest gap, outside. Lost beside: frames lost outside the
longest gap, at the worst vantage, as time. Blind: how long the guest's kernel read
neither NIC while the VF left. Stall: the guest's longest silence while its VF is plugged
back. VF carries: since the guest was stopped, in migrations without a meter."""


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n\n",
                                                                            maxsplit=1)[0])
    parser.add_argument("--stage", default="build/stage")
    parser.add_argument("--output", default="build/bench.json")
    parser.add_argument("--libvirt", default="11.3", choices=["11.3", "9.0", "newest"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpus", type=int, default=1,
                        help="of a hypervisor; with two, as any real host has, what plugs a VF "
                             "need not wait for the guest, nor the guest for it")
    parser.add_argument("--memory", type=int, nargs="*", default=[192, 512, 1024],
                        help="without one: none but the reaction")
    parser.add_argument("--pairs", type=int, nargs="*", default=[2, 4],
                        help="beside one pair, with the smallest memory")
    parser.add_argument("--stock", type=int, default=2, help="rounds of the stock pair; 0: none")
    parser.add_argument("--bare", type=int, default=3, help="rounds of pairs without a meter")
    parser.add_argument("--no-host-driver", action="store_true",
                        help="sriov_drivers_autoprobe is off, where VFs are for guests only")
    parser.add_argument("--no-crossing", action="store_true")
    parser.add_argument("--no-rate", action="store_true")
    parser.add_argument("--reaction", default="build/tests/reaction-bench", metavar="PROGRAM",
                        help="built from tests/bench/reaction-bench.c; '' for none")
    args = parser.parse_args()
    progress = Progress()
    bench = Bench(args.rounds, progress, args.bare, args.no_host_driver)
    end_on_signals()
    try:
        with Lab(args.libvirt, stage=args.stage,
                 options=["--memory", HOST_MEMORY, "--cpus", str(args.cpus)]) as machine:
            bench.run(machine, args.memory, args.pairs, not args.no_crossing, not args.no_rate,
                      args.stock, args.reaction)
    except (LabError, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        progress.done()
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(bench.to_json(), file, indent=1)
        if bench.cases or bench.reaction:
            print(f"{bench.table()}\n\n{EXPLAIN}\n\nWhat must hold:\n{bench.verdicts()}")
    return 0 if all(c["holds"] for c in bench.checks) else 1


if __name__ == "__main__":
    sys.exit(main())
