# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the demo, the lab's tests and the benchmarks share: the lab from Python.

A Lab is two hypervisors that are up. migrate() moves a guest while the meter runs and
gives back what was lost, when, and what happened meanwhile. All times are in milliseconds
since virsh migrate was called, by the clock of the machine outside: the hypervisors' own
clocks drift.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAB = os.path.join(TOP, "lab", "lab")
OTHER = {"a": "b", "b": "a"}
MAC_PREFIX = "02:72:"           # of all guests of the lab
EVENTS = "^(UNPLUG_PRIMARY|FAILOVER_NEGOTIATED|STOP|RESUME|MIGRATION)$"


class LabError(Exception):
    """Something in the lab did not work; not a finding about the product."""


def lab(*args, check=True, timeout=300, stdin=subprocess.DEVNULL):
    """Runs lab/lab; returns the finished process with its text output."""
    done = subprocess.run([LAB, *args], stdin=stdin, capture_output=True, text=True,
                          timeout=timeout)
    if check and done.returncode != 0:
        raise LabError(f"lab {' '.join(args[:4])}…: {(done.stderr or done.stdout).strip()}")
    return done


class Progress:
    """One line on a terminal that is written over; plain lines elsewhere."""

    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.tty = stream.isatty()
        self.began = time.monotonic()

    def __call__(self, text):
        clock = time.monotonic() - self.began
        line = f"[{int(clock) // 60:2d}:{int(clock) % 60:02d}] {text}"
        self.stream.write(f"\r\033[K{line}" if self.tty else f"{line}\n")
        self.stream.flush()

    def done(self):
        if self.tty:
            self.stream.write("\r\033[K")
            self.stream.flush()


class EventLog:
    """QMP events of one hypervisor, stamped as they arrive here."""

    def __init__(self, host):
        self.events = []
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", LAB, "virsh", host, "qemu-monitor-event", "--loop",
             "--regex", "--event", EVENTS],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            found = re.match(r"event (\S+) (?:at \S+ )?for domain '?([^':]+)'?: ?(.*)", line)
            if found:
                self.events.append((time.time_ns(), found[1], found[3]))

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        self.thread.join(5)

    def first(self, name, zero_ns, details=""):
        for stamp, event, text in self.events:
            if event == name and details in text:
                return round((stamp - zero_ns) / 1e6, 1)
        return None


class Meter:
    """The loss meter, from before the migration to after it."""

    def __init__(self, silent=False, duration=150, extra=()):
        self.output = tempfile.NamedTemporaryFile(suffix=".json")
        args = [LAB, "meter", *extra, "--duration", str(duration),
                "--output", self.output.name]
        if silent:
            args.append("--silent")
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)

    def say(self, word):
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise LabError(f"the meter ended: {self.process.stderr.read().strip()}") from None

    def finish(self):
        self.say("stop")
        _, err = self.process.communicate(timeout=60)
        if self.process.returncode != 0:
            raise LabError(f"the meter failed: {err.strip()}")
        with open(self.output.name, encoding="utf-8") as file:
            return json.load(file)


def phase_of(start, marks):
    """Which part of a migration a gap began in."""
    unplug, stop, resume = marks.get("unplug"), marks.get("stop"), marks.get("resume")
    if resume is not None and start > resume + 50:
        return "replug"
    if stop is not None and start > stop - 100:
        return "switchover"
    if unplug is not None and start > unplug - 50:
        return "unplug"
    return "prepare"


class Lab:
    """Two hypervisors that are up; a context manager."""

    def __init__(self, libvirt="11.3", stage=None, options=()):
        self.generation = libvirt
        self.stage = stage
        self.options = list(options)
        self.daemons = False
        self.crippled = False           # a hypervisor was killed: the next one wants a new lab

    def __enter__(self):
        lab("down")
        lab("up", "--libvirt", self.generation, *self.options, timeout=900)
        try:
            if self.stage:
                for host in "ab":
                    lab("push", host, self.stage)
                    self.restart_libvirtd(host)
            version = self.run("a", "libvirtd --version").stdout
            self.libvirt = re.search(r"\d+\.\d+\.\d+", version)[0]
        except BaseException:
            lab("down", check=False)
            raise
        return self

    def __exit__(self, *exc):
        lab("down", check=False)

    # --- hypervisors

    def run(self, host, script, check=True, timeout=60):
        return lab("run", "--no-input", "--timeout", str(timeout), host, script,
                   check=check, timeout=timeout + 30)

    def virsh(self, host, *args, check=True, timeout=120):
        return self.run(host, "virsh -q " + " ".join(args), check=check, timeout=timeout)

    def restart_libvirtd(self, host):
        lab("restart-libvirtd", host)

    def start_daemon(self, host):
        """virtteamingd, as the systemd unit starts it."""
        lab("run", "--detach", "/var/log/virtteamingd.log", host,
            "chrt", "-r", "1", "env", "G_MESSAGES_DEBUG=virt-teaming", "virtteamingd")
        self.wait_for(lambda: self.run(host, "virt-teaming status --format json",
                                       check=False).returncode in (0, 1),
                      f"virtteamingd on {host} to answer", 20)

    def stop_daemon(self, host, sig="TERM"):
        self.run(host, f"pidof virtteamingd | xargs -r kill -{sig}; "
                       "while pidof virtteamingd > /dev/null; do sleep 0.05; done")

    def kill(self, host):
        """Ends a hypervisor, as when its power fails."""
        self.crippled = True
        lab("kill", host)

    def set_daemons(self, on):
        if on != self.daemons:
            for host in "ab":
                (self.start_daemon if on else self.stop_daemon)(host)
            self.daemons = on

    def status(self, host):
        done = self.run(host, "virt-teaming status --format json", check=False)
        return json.loads(done.stdout)["pairs"] if done.returncode in (0, 1) else []

    @staticmethod
    def wait_for(condition, what, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise LabError(f"waited {seconds} s in vain for {what}")
            time.sleep(0.2)

    # --- guests

    def define(self, host, name="guest", **options):
        words = [name]
        for key, value in options.items():
            words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])
        xml = lab("domain", *words).stdout
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(xml)
            file.flush()
            lab("virsh", host, "define", file.name)

    def start(self, host, name="guest", pairs=1, **options):
        """Defines and starts a guest, and waits until it is paired."""
        self.define(host, name, **({"pairs": pairs} if pairs else {"vf": "none"}), **options)
        self.virsh(host, "start", name)
        self.wait_guest(pairs, options.get("number", 1))
        self.wait_settled(host, pairs)

    def wait_guest(self, pairs=1, number=1, timeout=90):
        lab("wait-guest", "--number", str(number), "--paired", str(pairs),
            "--timeout", str(timeout), timeout=timeout + 30)

    def guest(self, command, number=1, check=True):
        """Runs a command in the guest, over the network that is under test."""
        return lab("guest", "--number", str(number), command, check=check, timeout=60)

    def wait_settled(self, host, pairs=1):
        if self.daemons and pairs:
            self.wait_for(lambda: sum(p["phase"] == "driving" for p in self.status(host)) >= pairs,
                          f"{pairs} pair(s) to be carried by their VFs on {host}", 60)

    def destroy(self, name="guest"):
        """Ends a guest, wherever it is. The switch between the hosts forgets it: the lab's
        guests say nothing of their own accord, so it would not learn where the next one is."""
        for host in "ab":
            self.virsh(host, "destroy", name, check=False)
        lab("ns", "lab", "ip", "link", "set", "dev", "wire", "type", "bridge", "fdb_flush")

    # --- what is left on a hypervisor

    def leftovers(self, host):
        """What reminds of a guest on a hypervisor: static FDB entries, filters, VFs with its
        MAC or a VLAN, journals. A learnt FDB entry is the bridge's own affair."""
        found = []
        for entry in json.loads(self.run(host, "bridge -j fdb show").stdout):
            learnt = entry.get("state", "") == "" and "self" not in entry.get("flags", [])
            if entry["mac"].startswith(MAC_PREFIX) and not learnt:
                found.append(f"fdb {entry['mac']} on {entry.get('ifname')}")
        for link in json.loads(self.run(host, "ip -j link show").stdout):
            for vf in link.get("vfinfo_list", []):
                if vf["address" if "address" in vf else "mac"].startswith(MAC_PREFIX):
                    found.append(f"VF {vf['vf']} has {vf.get('address') or vf.get('mac')}")
                if any(vlan.get("vlan") for vlan in vf.get("vlan_list", [])):
                    found.append(f"VF {vf['vf']} is in a VLAN")
        ports = json.loads(self.run(host, "bridge -j -d link show dev pf0").stdout)
        if ports and "--uplink-learning" not in self.options and ports[0].get("learning"):
            found.append("pf0 learns")
        journal = self.run(host, "ls /run/virt-teaming/*.pair 2>/dev/null; true").stdout
        return found + journal.split()

    # --- migrations

    def migrate(self, source, name="guest", pairs=1, bandwidth=None, silent=False,
                during=None, expect_success=True, number=1):
        """Moves a guest from @source to the other hypervisor with an unmodified virsh migrate
        --live and meters it. @during is called with the lab 0.5 s after the call, beside it.

        Returns a dict: marks, downtime_ms, elapsed_ms, vantages, ok, virsh."""
        target = OTHER[source]
        logs = {host: EventLog(host) for host in "ab"}
        meter = Meter(silent=silent, extra=("--number", str(number)))
        result = {"marks": {}}
        try:
            time.sleep(1.5)
            speed = ["--bandwidth", str(bandwidth)] if bandwidth else []
            meter.say("zero")
            zero_ns = time.time_ns()
            with subprocess.Popen(
                    [LAB, "run", "--no-input", "--timeout", "180", source, "virsh", "migrate",
                     "--live", *speed, name, f"qemu+tcp://{target}/system"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True) as virsh:
                if during:
                    time.sleep(0.5)
                    during(self)
                output, _ = virsh.communicate(timeout=240)
            returned_ms = (time.time_ns() - zero_ns) / 1e6
            result["ok"] = virsh.returncode == 0
            result["virsh"] = output.strip()
            if result["ok"] != expect_success:
                raise LabError(f"virsh migrate {'failed' if expect_success else 'worked'}: "
                               f"{output.strip()}")
            home = target if result["ok"] else source
            if pairs:
                result["marks"]["replug"] = self.wait_vf(home, pairs, zero_ns)
                self.wait_guest(pairs, number)
                self.wait_settled(home, pairs)
            time.sleep(2.5)
        finally:
            for log in logs.values():
                log.close()
            try:
                loss = meter.finish()
            except (LabError, subprocess.TimeoutExpired):
                meter.process.kill()
                raise

        marks = result["marks"]
        marks["unplug"] = logs[source].first("UNPLUG_PRIMARY", zero_ns)
        marks["stop"] = logs[source].first("STOP", zero_ns)
        marks["resume"] = logs[target].first("RESUME", zero_ns)
        result["returned_ms"] = round(returned_ms, 1)
        if result["ok"]:
            result.update(self.job_times(target, name))
        result["vantages"] = [self.vantage(v, source, marks) for v in loss["vantages"]]
        return result

    def wait_vf(self, host, pairs, zero_ns):
        """When the guest's driver reads its VFs: two vectors or more each."""
        self.run(host, f"""for i in $(seq 600); do
            n=0
            for vf in /sys/bus/pci/drivers/vfio-pci/*:*; do
                [ "$(ls "$vf/msi_irqs" 2>/dev/null | wc -l)" -ge 2 ] && n=$((n + 1))
            done
            [ $n -ge {pairs} ] && exit 0
            sleep 0.05
        done; exit 1""", timeout=60)
        return round((time.time_ns() - zero_ns) / 1e6, 1)

    def job_times(self, host, name):
        text = self.run(host, f"virsh domjobinfo {name} --completed", check=False).stdout
        times = dict(re.findall(r"^([A-Z][\w /]*?): +(\d+)", text, re.M))
        return {"downtime_ms": int(times.get("Total downtime", times.get("Downtime", 0))),
                "elapsed_ms": int(times.get("Time elapsed", 0))}

    @staticmethod
    def vantage(raw, source, marks):
        there = raw["to_guest"]
        back = raw.get("from_guest") or {"lost": 0, "longest_gap_ms": 0}   # it was silent
        name = raw["name"]
        if name.startswith("peer-"):
            name = "source-peer" if name[-1] == source else "destination-peer"
        return {
            "name": name,
            "frames_sent": there["sent"],
            "frames_lost": there["lost"],
            "longest_gap_ms": there["longest_gap_ms"],
            "gaps": [{"start_ms": gap["start_ms"], "end_ms": gap["end_ms"],
                      "lost": gap["lost"], "phase": phase_of(gap["start_ms"], marks)}
                     for gap in there["gaps"]],
            "from_guest": {"frames_lost": back["lost"],
                           "longest_gap_ms": back["longest_gap_ms"]},
        }


def vantage(result, name):
    return next(v for v in result["vantages"] if v["name"] == name)


def gap_in(result, phase, names=None):
    """The longest gap that began in a phase, over the vantages named (all by default)."""
    return max((gap["end_ms"] - gap["start_ms"]
                for v in result["vantages"] if not names or v["name"] in names
                for gap in v["gaps"] if gap["phase"] == phase), default=0)
