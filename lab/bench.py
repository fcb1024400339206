# SPDX-License-Identifier: LGPL-2.1-or-later
"""How near a pair comes to a guest without a VF: ratios of medians, in one run.

For each size of guest and number of pairs, migrates a plain virtio guest and a pair under
virt-teaming there and back, and prints the longest gap, the frames lost beside it, and the
guest's stalls. Status 2 if it could not measure.
"""

import argparse
import json
import statistics
import sys

from labkit import Lab, LabError, OTHER, Progress, gap_in


def longest(result, phase=None):
    return max((gap["end_ms"] - gap["start_ms"] for v in result["vantages"]
                for gap in v["gaps"] if phase in (None, gap["phase"])), default=0)


def lost_beside(result):
    """Frames lost outside the longest gap, at the worst vantage."""
    return max(v["frames_lost"] - max((g["lost"] for g in v["gaps"]), default=0)
               for v in result["vantages"])


def stall(result):
    """The longest silence of the guest itself, seen at the worst vantage."""
    return max(v["from_guest"]["longest_gap_ms"] for v in result["vantages"])


def measure(machine, progress, what, rounds, **guest):
    pairs = guest["pairs"]
    machine.start("a", **guest)
    where = "a"
    results = []
    for i in range(rounds):
        progress(f"{what}: {i + 1} of {rounds}")
        results.append(machine.migrate(where, pairs=pairs))
        where = OTHER[where]
    machine.destroy()
    return results


def row(name, results):
    def median(function):
        return statistics.median(function(r) for r in results)
    return {"case": name, "longest_gap_ms": median(longest),
            "switchover_ms": median(lambda r: gap_in(r, "switchover")),
            "unplug_ms": median(lambda r: gap_in(r, "unplug")),
            "early_ms": median(lambda r: gap_in(r, "prepare", ["destination-peer"])),
            "lost_beside": median(lost_beside), "stall_ms": median(stall),
            "downtime_ms": median(lambda r: r["marks"]["resume"] - r["marks"]["stop"]),
            "vf_back_ms": median(lambda r: r["marks"]["replug"] - r["marks"]["resume"])
                          if "replug" in results[0]["marks"] else None}


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n\n",
                                                                            maxsplit=1)[0])
    parser.add_argument("--stage", default="build/stage")
    parser.add_argument("--output", default="build/bench.json")
    parser.add_argument("--libvirt", default="11.3", choices=["11.3", "9.0"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, nargs="*", default=[192, 512, 1024])
    parser.add_argument("--pairs", type=int, nargs="*", default=[1])
    args = parser.parse_args()
    progress = Progress()
    rows = []
    try:
        with Lab(args.libvirt, stage=args.stage) as machine:
            for memory in args.memory:
                machine.set_daemons(False)
                plain = row(f"virtio only, {memory} MiB",
                            measure(machine, progress, f"virtio only, {memory} MiB",
                                    args.rounds, pairs=0, memory=memory))
                rows.append(plain)
                machine.set_daemons(True)
                for pairs in args.pairs:
                    name = f"{pairs} pair{'s' * (pairs > 1)}, {memory} MiB"
                    ours = row(name, measure(machine, progress, name, args.rounds,
                                             pairs=pairs, memory=memory))
                    ours["ratio"] = round(ours["longest_gap_ms"] / plain["longest_gap_ms"], 2)
                    rows.append(ours)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    finally:
        progress.done()
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
        head = ("medians of %d" % args.rounds, "longest gap", "ratio", "at unplug", "STOP-RESUME",
                "lost beside", "stall", "early", "VF back after")
        print("%-24s %12s %6s %10s %12s %12s %9s %7s %14s" % head)
        for r in rows:
            back = f"{r['vf_back_ms']:.0f} ms" if r["vf_back_ms"] is not None else "-"
            print("%-24s %9.0f ms %6s %7.0f ms %9.0f ms %12.0f %6.0f ms %4.0f ms %14s" % (
                r["case"], r["longest_gap_ms"], r.get("ratio", ""), r["unplug_ms"],
                r["downtime_ms"], r["lost_beside"], r["stall_ms"], r["early_ms"], back))
    return 0


if __name__ == "__main__":
    sys.exit(main())
