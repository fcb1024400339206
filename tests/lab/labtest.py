# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests between hosts: real VFs, real libvirt daemons, real guests, in the emulated lab.

Each scenario is named after what it shows and says how it ends: the pair whole again, or the
guest on its standby with a reason. Prints TAP. A scenario that can't be had fails. They are
in the files case_*.py beside this one.
"""

import argparse
import glob
import importlib
import os
import sys
import time
import traceback

from labcase import SCENARIOS, Failed
from labkit import Lab, LabError, Progress, claim_lab, end_on_signals

for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                          "case_*.py"))):
    importlib.import_module(os.path.basename(path)[:-3])


def choose(args):
    """The scenarios to run; a word that names none is an error."""
    for word in args.scenario:
        if not any(word in s["name"] for s in SCENARIOS):
            print(f"labtest: no scenario has '{word}' in its name; there are:",
                  *sorted(s["name"] for s in SCENARIOS), sep="\n  ", file=sys.stderr)
            sys.exit(2)
    return [s for s in SCENARIOS
            if (args.all or s["always"] or args.scenario) and
            (not args.scenario or any(word in s["name"] for word in args.scenario))]


def run(args, chosen):
    left_out = [s["name"] for s in SCENARIOS if s not in chosen]
    progress = Progress()
    failed = 0
    number = 0
    machine = None
    print(f"1..{len(chosen)}", flush=True)
    try:
        for libvirt, options in dict.fromkeys((s["libvirt"], s["options"]) for s in chosen):
            for one in (s for s in chosen if (s["libvirt"], s["options"]) == (libvirt, options)):
                number += 1
                began = time.monotonic()
                progress(f"{one['name']} (libvirt {libvirt})")
                try:
                    if not machine:
                        machine = Lab(libvirt, stage=args.stage, options=options,
                                      debug=True).__enter__()
                        machine.set_daemons(True)
                        kept = None         # the guest that the scenario before has left
                    if not one["start"] or one["guest"] != kept:
                        machine.destroy()
                        if one["start"]:
                            machine.start("a", **one["guest"])
                    one["run"](machine)
                    kept = one["guest"] if one["keeps"] else None
                    verdict, why = "ok", ""
                    if machine.crippled:
                        machine.__exit__()
                        machine = None
                except Exception as error:     # whatever it is, the next scenario shall run
                    verdict = "not ok"
                    why = f"{error}" if isinstance(error, (Failed, LabError)) else \
                        traceback.format_exc()
                    failed += 1
                    if machine:
                        machine.save_logs(os.path.join(args.logs, one["name"]))
                        machine.__exit__()
                        machine = None
                progress.done()
                print(f"{verdict} {number} - lab/{one['name']}  "
                      f"# {time.monotonic() - began:.0f} s")
                where = f"logs: {os.path.join(args.logs, one['name'])}" if why else ""
                for line in f"{one['what']}\n{why}\n{where}".strip().splitlines():
                    print(f"#   {line}")
                sys.stdout.flush()
            if machine:
                machine.__exit__()
                machine = None
    finally:
        if machine:
            machine.__exit__()
    print(f"# ran: {', '.join(s['name'] for s in chosen)}")
    print(f"# did not run: {', '.join(left_out) or 'none'}")
    print(f"# {number - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(prog="labtest", description=__doc__.split("\n\n")[0])
    parser.add_argument("--stage", required=True, help="what meson install laid out")
    parser.add_argument("--logs", default="build/labtest", help="where logs of failures go")
    parser.add_argument("--all", action="store_true", help="also those that take long")
    parser.add_argument("scenario", nargs="*", help="part of a name; all without one")
    args = parser.parse_args()
    chosen = choose(args)
    end_on_signals()
    try:
        claim_lab()
    except LabError as error:
        print(f"labtest: {error}", file=sys.stderr)
        return 2
    return run(args, chosen)


if __name__ == "__main__":
    sys.exit(main())
