# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the demo, the lab's tests and the benchmarks share: the lab from Python.

A Lab is two hypervisors that are up. migrate() moves a guest while the meter runs and
gives back what was lost, when, and what happened meanwhile. All times are in milliseconds
since virsh migrate was called, by the clock of the machine outside: the hypervisors' own
clocks drift.
"""

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAB = os.path.join(TOP, "lab", "lab")
DAEMON_LOG = "/var/log/virtteamingd.log"
OTHER = {"a": "b", "b": "a"}
CLAIMED = {}                    # directories of labs that are ours: see claim_lab()
MAC_PREFIX = "02:72:"           # of all guests of the lab
INTERVAL_MS = 10                # between the meter's frames, unless one says otherwise
EVENTS = "^(UNPLUG_PRIMARY|FAILOVER_NEGOTIATED|STOP|RESUME|MIGRATION)$"


class LabError(Exception):
    """Something in the lab did not work; not a finding about the product."""


def lab(*args, check=True, timeout=300, stdin=subprocess.DEVNULL):
    """Runs lab/lab; returns the finished process with its text output."""
    with subprocess.Popen([LAB, *args], stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            # Told so, "up" takes away what it has begun, and what it waits for ends with it.
            end_session(process)
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check and done.returncode != 0:
        raise LabError(f"lab {' '.join(args[:4])}…: {(done.stderr or done.stdout).strip()}")
    return done


def end_session(process, seconds=30):
    for sig in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def end_on_signals():
    """SIGTERM and SIGHUP end the program as Ctrl-C does, which takes the lab down."""
    def end(number, _):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:      # nohup
            signal.signal(number, end)


def claim_lab():
    """One program at a time has the lab, until it ends; whoever comes second is told who."""
    directory = os.environ.get("VIRT_TEAMING_LAB_DIR") or os.path.join(TOP, "build", "lab")
    if directory in CLAIMED:
        return
    try:
        os.makedirs(directory, exist_ok=True)
        # Not inherited by what it starts, so it is let go whichever way it ends.
        file = open(os.path.join(directory, "lock"), "a+", encoding="utf-8")
    except OSError as error:
        raise LabError(f"the lab can't be had: {error}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise LabError(f"the lab in {directory} is in use by process {holder or 'unknown'}: wait "
                       "for it, or name another directory in VIRT_TEAMING_LAB_DIR") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    CLAIMED[directory] = file


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
                self.events.append((time.time_ns(), found[1], found[2], found[3]))

    def close(self):
        end_session(self.process)
        self.thread.join(5)

    def first(self, name, domain, zero_ns):
        for stamp, event, owner, _ in self.events:
            if (event, owner) == (name, domain):
                return round((stamp - zero_ns) / 1e6, 1)
        return None


class VfWatch:
    """Notes when the guest's driver reads its VFs on a hypervisor: two vectors or more each, of
    VFs that are the guest's and had none before. It runs beside what is measured, on the only
    CPU there: a process that it started would be felt."""

    def __init__(self, host, pairs):
        self.when_ns = None
        self.process = subprocess.Popen(
            [LAB, "run", "--no-input", "--timeout", "240", host, "bash", "-c", f"""
            cd /sys/class/net/pf0/device || exit 1
            shopt -s nullglob
            mkfifo /run/never.$$ && exec {{never}}<> /run/never.$$ && rm /run/never.$$ || exit 1
            declare -A idle
            for ((i = 0; i < 1500; i++)); do
                reads=0
                for vf in virtfn*; do
                    [[ $vf/driver -ef /sys/bus/pci/drivers/vfio-pci ]] || continue
                    irqs=($vf/msi_irqs/*)
                    ((${{#irqs[@]}})) || idle[$vf]=yes
                    [[ ${{idle[$vf]}} ]] && ((${{#irqs[@]}} >= 2)) && reads=$((reads + 1))
                done
                ((reads < {pairs})) || exit 0
                read -t 0.1 -u $never
            done
            exit 1"""], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.thread.start()

    def _wait(self):
        if self.process.wait() == 0:
            self.when_ns = time.time_ns()

    def wait(self, zero_ns, seconds=120):
        """Milliseconds since @zero_ns."""
        self.thread.join(seconds)
        if not self.when_ns:
            raise LabError(f"the guest's driver did not read its VFs within {seconds} s")
        return round((self.when_ns - zero_ns) / 1e6, 1)

    def close(self):
        end_session(self.process)
        self.thread.join(5)


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

    def __init__(self, libvirt="11.3", stage=None, options=(), debug=False):
        self.generation = libvirt
        self.debug = debug              # the daemons log what they hear, which takes time
        self.stage = stage
        self.options = list(options)
        self.daemons = False
        self.crippled = False           # a hypervisor was killed: the next one wants a new lab

    def __enter__(self):
        claim_lab()
        try:
            lab("down")         # what a program left behind that was killed
            lab("up", "--libvirt", self.generation, *self.options, timeout=900)
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
        """virtteamingd, as the systemd unit starts it: with its priority and capabilities."""
        unit = self.run(host, "cat /lib/systemd/system/virtteamingd.service").stdout
        named = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)[1].split()
        bounds = ["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in named)]
        lab("run", "--detach", DAEMON_LOG, host, "chrt", "-r", "1", "setpriv",
            "--no-new-privs", "--bounding-set", ",".join(bounds),
            *(["env", "G_MESSAGES_DEBUG=virt-teaming"] if self.debug else []), "virtteamingd")
        self.wait_for(lambda: self.run(host, "virt-teaming status --format json",
                                       check=False).returncode in (0, 1),
                      f"virtteamingd on {host} to answer", 20)

    def stop_daemon(self, host, sig="TERM"):
        self.run(host, f"pidof virtteamingd | xargs -r kill -{sig}; "
                       "while pidof virtteamingd > /dev/null; do sleep 0.05; done")

    @staticmethod
    def save_logs(directory):
        """What is to be known of both hypervisors when something has failed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            lab("logs", directory, check=False, timeout=120)

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

    def start(self, host, name="guest", pairs=1, nics=1, **options):
        """Defines and starts a guest, and waits until it is paired. Without @pairs it has @nics
        of virtio."""
        self.define(host, name, **({"pairs": pairs} if pairs else {"vf": "none", "pairs": nics}),
                    **options)
        self.virsh(host, "start", name)
        self.wait_guest(pairs, options.get("number", 1))
        self.wait_settled(host, pairs)

    def wait_guest(self, pairs=1, number=1, timeout=90):
        lab("wait-guest", "--number", str(number), "--paired", str(pairs),
            "--timeout", str(timeout), timeout=timeout + 30)

    def guest(self, command, number=1, check=True):
        """Runs a command in the guest, over the network that is under test."""
        return lab("guest", "--number", str(number), command, check=check, timeout=60)

    def wait_settled(self, host, pairs=1, name=None):
        if self.daemons and pairs:
            self.wait_for(lambda: sum(p["phase"] == "driving" and name in (None, p["domain"])
                                      for p in self.status(host)) >= pairs,
                          f"{pairs} pair(s) to be carried by their VFs on {host}", 60)

    @staticmethod
    def lost_at_rest(vantages=("outside",), tries=4):
        """Frames lost on the way to a guest with which nothing goes on. A machine that is short
        of breath loses some now and then, and a path that is wrong loses them each time: so the
        least of some tries."""
        for _ in range(tries):
            meter = Meter(duration=10)
            time.sleep(0.5)
            meter.say("zero")
            time.sleep(1.2)
            lost = sum(gap["lost"] for v in meter.finish()["vantages"] if v["name"] in vantages
                       for gap in v["to_guest"]["gaps"] if gap["end_ms"] > 0)
            if not lost:
                break
        return lost

    def take_vf(self, host):
        """Detaches the guest's VF, as its owner would. Returns the element to attach again."""
        xml = self.vf_xml(host)
        self.virsh(host, "detach-device-alias", "guest", "ua-primary0", "--live")
        self.wait_for(lambda: "ua-primary0" not in self.virsh(host, "dumpxml", "guest").stdout,
                      "the VF to go", 30)
        return xml

    def vf_xml(self, host):
        return self.run(host, "virsh dumpxml --migratable guest | sed -n "
                              "'/<interface type=.network.>/,/<.interface>/p'").stdout

    def attach_vf(self, host, xml):
        self.run(host, f"printf %s {shlex.quote(xml)} > /tmp/vf.xml; "
                       "virsh -q attach-device guest /tmp/vf.xml --live")

    def destroy(self, name="guest", hosts="ab"):
        """Ends a guest, wherever it is. The switch between the hosts forgets it: the lab's
        guests say nothing of their own accord, so it would not learn where the next one is."""
        for host in hosts:
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

    @staticmethod
    def begin_migration(source, name="guest", *options, timeout=180):
        """An unmodified virsh migrate --live to the other hypervisor, under way."""
        return subprocess.Popen(
            [LAB, "run", "--no-input", "--timeout", str(timeout), source, "virsh", "migrate",
             "--live", *options, name, f"qemu+tcp://{OTHER[source]}/system"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def migrate(self, source, name="guest", pairs=1, nics=1, number=1, bandwidth=None,
                silent=False, interval=None, options=(), during=None, expect_success=True,
                metered=True):
        """Moves a guest from @source to the other hypervisor with an unmodified virsh migrate
        --live and meters it (if @metered). @during is called with the lab 0.5 s after the call,
        beside it.

        Returns a dict: ok, virsh (what it said), marks, returned_ms, downtime_ms, elapsed_ms,
        vantages (to the first pair), pairs (to each pair after that, likewise; @nics if it has
        none)."""
        guest = {"name": name, "number": number, "pairs": pairs, "nics": nics, "source": source}
        return self.migrate_at_once([guest], bandwidth=bandwidth, silent=silent,
                                    interval=interval, options=options, during=during,
                                    expect_success=expect_success, metered=metered)[0]

    def migrate_at_once(self, guests, bandwidth=None, silent=False, interval=None, options=(),
                        during=None, expect_success=True, metered=True):
        """As migrate(), for several guests (dicts: name, number, pairs, source) that set out at
        the same moment. Returns a list."""
        logs = {host: EventLog(host) for host in "ab"}
        pace = ["--interval", str(interval)] if interval else []
        # All vantages see the first pair; frames to the others only come from outside, for a
        # hypervisor that is busy with metering shows nothing else.
        meters = [[Meter(silent=silent, extra=["--number", str(g["number"]), "--pair", str(pair),
                                               *(["--outside-only"] if pair else []), *pace])
                   for pair in range(max(g["pairs"], g.get("nics", 1)) if metered else 0)]
                  for g in guests]
        speed = ["--bandwidth", str(bandwidth)] if bandwidth else []
        calls = []
        watches = []
        results = [{"marks": {}} for _ in guests]
        losses = None
        try:
            time.sleep(1.5)
            for meter in sum(meters, []):
                meter.say("zero")
            zero_ns = time.time_ns()
            for g in guests:
                calls.append(self.begin_migration(g["source"], g["name"], *speed, *options))
                # Beside a guest that has none it is there too: a burden that all bear.
                if expect_success:
                    watches.append(VfWatch(OTHER[g["source"]], max(g["pairs"], 1)))
            if during:
                time.sleep(0.5)
                during(self)
            for g, call, result in zip(guests, calls, results):
                output, _ = call.communicate(timeout=240)
                result["returned_ms"] = round((time.time_ns() - zero_ns) / 1e6, 1)
                result["ok"] = call.returncode == 0
                result["virsh"] = output.strip()
                if result["ok"] != expect_success:
                    raise LabError(f"virsh migrate {'failed' if expect_success else 'worked'}: "
                                   f"{output.strip()}")
            for g, watch, result in zip(guests, watches, results):
                if g["pairs"]:
                    result["marks"]["replug"] = watch.wait(zero_ns)
            for g, result in zip(guests, results):
                if g["pairs"]:
                    home = OTHER[g["source"]] if result["ok"] else g["source"]
                    self.wait_guest(g["pairs"], g["number"])
                    self.wait_settled(home, g["pairs"], g["name"])
            time.sleep(2.5)
        finally:
            for call in calls:
                if call.poll() is None:
                    call.kill()
            for beside in [*watches, *logs.values()]:
                beside.close()
            try:
                losses = [[meter.finish() for meter in some] for some in meters]
            finally:
                for meter in sum(meters, []):
                    if meter.process.poll() is None:
                        meter.process.kill()

        for g, result, some in zip(guests, results, losses):
            source, marks = logs[g["source"]], result["marks"]
            result["source"] = g["source"]
            target = OTHER[g["source"]]
            marks["unplug"] = source.first("UNPLUG_PRIMARY", g["name"], zero_ns)
            marks["stop"] = source.first("STOP", g["name"], zero_ns)
            marks["resume"] = logs[target].first("RESUME", g["name"], zero_ns)
            if result["ok"]:
                result.update(self.job_times(target, g["name"]))
            views = [[self.vantage(v, g["source"], marks) for v in loss["vantages"]]
                     for loss in some]
            if metered:
                result["vantages"], result["pairs"] = views[0], views[1:]
        return results

    def job_times(self, host, name):
        """What libvirt says of a migration that arrived on @host; None and why, if it does not."""
        done = self.run(host, f"virsh domjobinfo {name} --completed", check=False)
        found = dict(re.findall(r"^([A-Z][\w /]*?): +(\d+)", done.stdout, re.M))
        times = {"downtime_ms": found.get("Total downtime", found.get("Downtime")),
                 "elapsed_ms": found.get("Time elapsed")}
        times = {key: None if value is None else int(value) for key, value in times.items()}
        if None in times.values():
            times["job_error"] = (done.stderr or done.stdout).strip() or "domjobinfo said nothing"
            print(f"labkit: no times of the migration to {host}: {times['job_error']}",
                  file=sys.stderr)
        return times

    @staticmethod
    def vantage(raw, source, marks):
        there = raw["to_guest"]
        back = raw.get("from_guest") or {"lost": 0, "longest_gap_ms": 0, "gaps": []}  # silent
        name = raw["name"]
        if name.startswith("peer-"):
            name = "source-peer" if name[-1] == source else "destination-peer"

        def gaps(way):
            return [{"start_ms": gap["start_ms"], "end_ms": gap["end_ms"], "lost": gap["lost"],
                     "phase": phase_of(gap["start_ms"], marks)} for gap in way["gaps"]]
        return {
            "name": name,
            "frames_sent": there["sent"],
            "frames_lost": there["lost"],
            "longest_gap_ms": there["longest_gap_ms"],
            "gaps": gaps(there),
            "from_guest": {"frames_lost": back["lost"], "gaps": gaps(back),
                           "longest_gap_ms": back["longest_gap_ms"]},
        }

    # --- what the guest's own kernel says

    def watch_guest(self, number=1):
        """Has the guest's kernel note when its VF's rings go off and when the standby is read
        again, and when the standby is left and the rings are on."""
        self.guest("mkdir -p /run/trace; mount -t tracefs trace /run/trace 2>/dev/null; "
                   "cd /run/trace; echo 0 > events/kprobes/enable 2>/dev/null; "
                   "echo 'p:vf_off igbvf:igbvf_down' > kprobe_events; "
                   "echo 'r:standby_read net_failover:net_failover_slave_unregister' "
                   ">> kprobe_events; echo > trace; echo 1 > events/kprobes/enable", number)

    def handovers_ms(self, number=1):
        """For how long the guest's kernel read neither its VF nor its standby, each time that its
        VF left since watch_guest()."""
        text = self.guest("cat /run/trace/trace; echo > /run/trace/trace", number).stdout
        times = []
        off = None
        for stamp, what in re.findall(r"\s(\d+\.\d+): (vf_off|standby_read):", text):
            if what == "vf_off":
                off = off or float(stamp)
            elif off:
                times.append(round((float(stamp) - off) * 1000, 1))
                off = None
        return times

    def blind_ms(self, number=1):
        """The same, of the first time; None if the VF did not leave."""
        return next(iter(self.handovers_ms(number)), None)


def vantage(result, name):
    return next(v for v in result["vantages"] if v["name"] == name)


def gap_in(result, phase, names=None):
    """The longest gap that began in a phase, over the vantages named (all by default)."""
    return max((gap["end_ms"] - gap["start_ms"]
                for v in result["vantages"] if not names or v["name"] in names
                for gap in v["gaps"] if gap["phase"] == phase), default=0)


def table(head, rows, left=1):
    """In columns, of which the first @left are flush left, and the others right."""
    cells = [head, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(w) if i < left else cell.rjust(w)
                       for i, (cell, w) in enumerate(zip(row, widths))).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
