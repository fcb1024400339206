# SPDX-License-Identifier: LGPL-2.1-or-later
"""Does a test fail for each rule of the sequencer that is broken?

Breaks one thing of src/qemu/qemu_failover.c at a time (a value of the table, a condition, a
step of the plan, its order), builds the sequencer's and the driver's tests with it, and runs
them until one fails. What survives is printed. By hand: some ten minutes. Exit status 0:
nothing survived.

  tests/mutate.py [--build build] [--list] [PART-OF-LINE...]
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = "src/qemu/qemu_failover.c"
FUNCTIONS = ("Reads", "Phase", "Idle", "Away", "Desire", "FdbHolds", "Plan", "NextLook")
VALUES = {
    "vf": ["VIR_TEAMING_VF_KEEP", "VIR_TEAMING_VF_PAIR", "VIR_TEAMING_VF_ZERO"],
    "fdb": ["VIR_TEAMING_FDB_FORGET", "VIR_TEAMING_FDB_STANDBY", "VIR_TEAMING_FDB_UPLINK",
            "VIR_TEAMING_FDB_BOTH"],
}


def bodies(text):
    """(name, first line, lines) of each function that holds rules."""
    for name in FUNCTIONS:
        found = re.search(rf"^virTeamingFailover{name}\(.*?^}}", text, re.M | re.S)
        yield name, text.count("\n", 0, found.start()), found[0].split("\n")


def conditions(line):
    """@line with each of its conditions taken for true, for false, or left out."""
    found = re.search(r"\bif \((.*)\)( \{)?$", line)
    if found:
        for word in ("TRUE", "FALSE"):
            yield line[:found.start(1)] + word + line[found.end(1):]
    for operator, other in (("&&", "||"), ("||", "&&"), ("==", "!="), ("!=", "=="),
                            (">=", "<"), (" < ", " >= ")):
        for at in re.finditer(re.escape(operator), line):
            yield line[:at.start()] + other + line[at.end():]


def mutants(text):
    """(words, mutated text)"""
    lines = text.split("\n")

    def changed(number, new):
        return "\n".join(lines[:number] + new + lines[number + 1:])

    for function, first, body in bodies(text):
        for offset, line in enumerate(body):
            number = first + offset
            bare = line.strip()
            options = []
            found = re.match(r"\s*want\.(\w+) = (.*);", line)
            if found and found[1] in VALUES:
                options = [f"want.{found[1]} = {value};" for value in VALUES[found[1]]
                           if value != found[2]]
            elif found:
                options = [f"want.{found[1]} = !({found[2]});"]
            elif bare.startswith("plan[n++]"):
                options = ["(void)0;"]
            elif bare.startswith("return "):
                inside = bare[len("return "):-1]
                if re.fullmatch(r"VIR_TEAMING_PHASE_\w+", inside):
                    options = [f"return VIR_TEAMING_PHASE_{other};" for other in
                               ("STANDBY", "DRIVING", "RELEASED")
                               if not inside.endswith("_" + other)]
                elif re.fullmatch(r"-?\d", inside):
                    options = ["return 0;" if inside == "-1" else "return -1;"]
            elif bare == "break;" and function == "Desire" and \
                    "want.self" not in "".join(body[max(0, offset - 6):offset]):
                options = ["want.self = TRUE; break;"]
            for option in options:
                yield f"{function}:{number + 1}: {bare} -> {option}", changed(number, [option])
            if not found and not bare.startswith(("/*", "*", "case", "plan")):
                for option in conditions(line):
                    yield f"{function}:{number + 1}: {bare} -> {option.strip()}", changed(number, [option])
    # Two neighbours in the plan's order.
    steps = re.findall(r"^    if \([^{]*?\)\n        plan\[n\+\+\] = \w+;\n", text, re.M)
    for one, other in zip(steps, steps[1:]):
        if one + other in text:
            names = [re.search(r"STEP_(\w+)", step)[1] for step in (one, other)]
            yield f"Plan: {' before '.join(names)} -> the other way round", \
                text.replace(one + other, other + one)


class Builder:
    """Compiles and links as ninja would, with one object changed."""

    def __init__(self, build, work):
        self.build = build
        self.work = work
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            self.compile = next(c for c in json.load(file) if c["file"].endswith(SOURCE))
        self.links = [self.link_command(test) for test in ("failovertest", "drivertest")]

    def link_command(self, test):
        done = subprocess.run(["ninja", "-C", self.build, "-t", "commands", f"tests/{test}"],
                              capture_output=True, text=True, check=True)
        return shlex.split(done.stdout.strip().splitlines()[-1])

    def fails(self, text):
        """The test that fails with @text for a sequencer, "compiler" if none can be built, or
        None."""
        source, thing = (os.path.join(self.work, name) for name in ("mutant.c", "mutant.o"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        words = shlex.split(self.compile["command"])
        command = [word for word in words if word not in ("-Werror",)]
        for option, value in (("-o", thing), ("-c", source)):
            command[command.index(option) + 1] = value
        command += ["-w", "-I", os.path.join(TOP, "src", "qemu")]
        if subprocess.run(command, cwd=self.compile["directory"], capture_output=True,
                          check=False).returncode:
            return "compiler"
        for link in self.links:
            out = os.path.join(self.work, "mutant")
            command = list(link)
            name = os.path.basename(command[command.index("-o") + 1])
            command[command.index("-o") + 1] = out
            command.insert(command.index("-o") + 2, thing)
            subprocess.run(command, cwd=self.build, capture_output=True, check=True)
            try:
                status = subprocess.run(
                    [out], capture_output=True, timeout=300, check=False,
                    env=os.environ | {"VIR_TEAMING_TEST_PROGRAM": os.path.join(
                        self.build, "tools", "virt-teaming")}).returncode
            except subprocess.TimeoutExpired:
                status = 1
            if status:
                return name
        return None


def main():
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__.split("\n\n",
                                                                             maxsplit=1)[0])
    parser.add_argument("--build", default=os.path.join(TOP, "build"))
    parser.add_argument("--list", action="store_true", help="only say what would be broken")
    parser.add_argument("part", nargs="*", help="only what has this in its description")
    args = parser.parse_args()
    with open(os.path.join(TOP, SOURCE), encoding="utf-8") as file:
        text = file.read()
    chosen = [(words, mutant) for words, mutant in mutants(text)
              if not args.part or any(part in words for part in args.part)]
    if args.list:
        print("\n".join(words for words, _ in chosen))
        return 0
    survived = []
    counts = {}
    with tempfile.TemporaryDirectory() as work:
        builder = Builder(os.path.abspath(args.build), work)
        if builder.fails(text):
            print("mutate: the tests fail as it is", file=sys.stderr)
            return 2
        for i, (words, mutant) in enumerate(chosen):
            killer = builder.fails(mutant)
            counts[killer] = counts.get(killer, 0) + 1
            if not killer:
                survived.append(words)
            print(f"[{i + 1}/{len(chosen)}] {killer or 'SURVIVED'}: {words}", flush=True)
    print(", ".join(f"{name or 'none'}: {n}" for name, n in counts.items()))
    print(f"{len(chosen) - len(survived)} passed, {len(survived)} failed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
