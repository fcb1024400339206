# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong on a host: its daemons die, its NIC, its bridge or its wire are taken away.

However it comes, it ends with the pair whole, or with the guest on its standby, a reason in
status and a daemon that goes on trying. Once the host is put right, the pair is whole without
anybody's help.
"""

import contextlib
import time

from labcase import (cut_wire, expect, expect_clean, expect_none_lost, expect_soon, expect_whole,
                     lost_of_blackout, scenario, wait_phase)
from labkit import DAEMON_LOG, OTHER, EventLog, lab as lab_command, vantage

PF = "/sys/class/net/pf0/device"
# Names of one thing, for C libraries that call it differently.
RENAMES = "rename,renameat,renameat2"


def migrate(lab, source, during=None, bandwidth=8, timeout=240):
    """An unmodified virsh migrate --live beside which @during is called. Returns whether it
    worked, and what virsh said."""
    speed = ["--bandwidth", str(bandwidth)] if bandwidth else []
    with lab.begin_migration(source, "guest", *speed, timeout=timeout) as virsh:
        try:
            if during:
                during()
        finally:
            output, _ = virsh.communicate(timeout=timeout + 20)
    expect(virsh.returncode != 124, f"the migration did not end within {timeout} s")
    return virsh.returncode == 0, output.strip()


def expect_problem(lab, host, words, seconds=20):
    """status names what is wrong, in @words."""
    expect_soon(lab, lambda: [pair["problem"] for pair in lab.status(host)],
                lambda said: any(words in one for one in said),
                f"status on {host} does not say '{words}', but", seconds)


def expect_no_problem(lab, host, seconds=20):
    """What was wrong has been mended, which is noticed within a second or so."""
    lab.wait_for(lambda: not any(pair["problem"] for pair in lab.status(host)),
                 f"the problem on {host} to go", seconds)


def expect_ended(lab, ok, source):
    """The migration has ended, one way or the other: the pair is whole where the guest is."""
    home = OTHER[source] if ok else source
    lab.wait_guest(1)
    lab.wait_settled(home)
    expect_clean(lab, OTHER[home])
    expect_whole(lab, home)


def guest_to_standby(lab):
    """The guest's VF driver goes: what is left is the standby."""
    lab.guest("rmmod igbvf")
    wait_phase(lab, "a", "shown")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")


def guest_to_vf(lab):
    lab.guest("modprobe igbvf || insmod /lib/modules/igbvf.ko")


# --- case 11: the daemon, libvirtd, the journal

def start_doomed(lab, host, calls, inject, until="", options=""):
    """A daemon in whose system calls @calls strace does @inject; when the shell's @until has
    ended and it is dead, another one is started a moment later. With --seccomp-bpf among its
    @options strace is quicker, and sends no signals."""
    lab.stop_daemon(host)
    lab_command("run", "--detach", DAEMON_LOG, host, "sh", "-c", f"""
        rm -f /run/doomed
        export G_MESSAGES_DEBUG=virt-teaming
        chrt -r 1 strace -f -qq {options} -o /dev/null -e trace={calls} \
            -e inject={calls}:{inject} virtteamingd &
        {until}
        wait $!
        [ $? = 137 ] || exit 0
        touch /run/doomed
        sleep 0.3
        exec chrt -r 1 virtteamingd""")
    lab.wait_for(lambda: lab.run(host, "virt-teaming status --format json",
                                 check=False).returncode in (0, 1),
                 f"virtteamingd on {host} to answer", 30)


def was_killed(lab, host):
    return lab.run(host, "test -e /run/doomed", check=False).returncode == 0


def killed_in_the_middle(lab, source, host, said, where, delay_us=0):
    """Migrates from @source, and kills the daemon on @host as soon as one of the files @where says
    @said once more. Each write of its journal takes @delay_us longer."""
    print(f"#   from {source}, on {host}: {said}", flush=True)
    start_doomed(lab, host, RENAMES, f"delay_exit={delay_us}", f"""
        heard() {{ cat {where} 2> /dev/null | grep -cE '{said}'; }}
        before=$(heard)
        until [ $(heard) -gt $before ]; do
            pidof virtteamingd > /dev/null || break
            sleep 0.02
        done
        kill -KILL $(pidof virtteamingd)""", "--seccomp-bpf")
    lab.wait_settled(source)
    ok, output = migrate(lab, source, bandwidth=None)
    expect(ok, output)
    expect_ended(lab, ok, source)
    expect(was_killed(lab, host), "it was not killed")


def expect_confined(lab, host):
    """QEMU is what Debian would have it be."""
    said = lab.run(host, "p=$(pidof qemu-system-x86_64); cat /proc/$p/attr/current; "
                         "awk '/^Uid/ { print $2 }' /proc/$p/status").stdout.split()
    expect(said[0].startswith("libvirt-") and said[1:] == ["(enforce)", "64055"],
           f"QEMU on {host} runs as {' '.join(said)}")


@scenario(options=("--confined", "on"))
def confined_by_apparmor(lab):
    """libvirt lets QEMU at no VF from a pool when it starts a guest: whole all the same."""
    expect_confined(lab, "a")
    expect_whole(lab, "a")
    expect("having libvirt plug it" in lab.run("a", f"cat {DAEMON_LOG}").stdout,
           "QEMU was let at the VF: what is this scenario for?")
    result = lab.migrate("a")
    lost = vantage(result, "outside")["frames_lost"]
    expect(lost < 200, f"{lost} frames lost")
    expect_confined(lab, "b")
    expect_whole(lab, "b")
    for host in "ab":
        denied = lab.run(host, "dmesg | grep DENIED | grep -v 'name=\"/dev/vfio/'",
                         check=False).stdout
        expect(not denied, f"AppArmor on {host}: {denied}")


@scenario()
def daemon_killed_at_the_switchover(lab):
    """KILL when its log says that the guest has stopped, or lands, and the journal does not yet; and
    when that says that the VF kept from QEMU is to be plugged, and nothing was done about it."""
    killed_in_the_middle(lab, "a", "a", "-> departed", DAEMON_LOG)
    killed_in_the_middle(lab, "b", "a", "-> landing", DAEMON_LOG)
    # Each write of the journal is drawn out.
    killed_in_the_middle(lab, "a", "b", '"unplugged" : true', "/run/virt-teaming/*.pair", 400000)


def sweep(lab, side, call, numbers):
    """Migrates to and fro, with the daemon on @side killed at each of @numbers in turn, until
    it is not killed any more. Returns at how many it was."""
    source = "a"
    killed = 0
    for nth in numbers:
        host = source if side == "source" else OTHER[source]
        start_doomed(lab, host, call, f"signal=KILL:when={nth}")
        lab.wait_settled(source)
        ok, output = migrate(lab, source, bandwidth=None)
        expect(ok, f"{side}, {call} {nth}: {output}")
        try:
            expect_ended(lab, ok, source)
        except Exception as error:
            raise type(error)(f"{side}, {call} {nth}: {error}") from None
        doomed = was_killed(lab, host)
        print(f"#   {side}, {call} {nth}: {'killed' if doomed else 'lived'}", flush=True)
        lab.stop_daemon(host)
        lab.start_daemon(host)
        source = OTHER[source]
        if not doomed:
            break
        killed += 1
    return killed


@scenario(always=False)
def daemon_killed_at_each_step_of_the_journal_on_the_source(lab):
    """KILL instead of each write of the journal, on the source: whole and clean."""
    killed = sweep(lab, "source", RENAMES, range(1, 60))
    expect(4 <= killed < 59, f"it was killed {killed} times")


@scenario(always=False)
def daemon_killed_at_each_step_of_the_journal_on_the_destination(lab):
    """KILL instead of each write of the journal, on the destination: whole and clean."""
    killed = sweep(lab, "destination", RENAMES, range(1, 60))
    expect(4 <= killed < 59, f"it was killed {killed} times")


@scenario(always=False)
def daemon_killed_at_requests_to_the_kernel_on_the_source(lab):
    """KILL at every ninth request to the kernel, on the source: whole and clean."""
    killed = sweep(lab, "source", "sendmsg", range(20, 400, 9))
    expect(4 <= killed, f"it was killed {killed} times")


@scenario(always=False)
def daemon_killed_at_requests_to_the_kernel_on_the_destination(lab):
    """KILL at every ninth request to the kernel, on the destination: whole and clean."""
    killed = sweep(lab, "destination", "sendmsg", range(20, 400, 9))
    expect(4 <= killed, f"it was killed {killed} times")


@scenario(always=False)
def daemons_upgraded_during_the_copy(lab):
    """Both daemons are stopped and started anew while memory is copied: whole, clean."""
    def upgrade():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        for host in "ab":
            lab.stop_daemon(host)
        for host in "ab":
            lab.start_daemon(host)
    ok, output = migrate(lab, "a", upgrade)
    expect(ok, output)
    expect_ended(lab, ok, "a")


@scenario(always=False)
def daemons_started_during_the_copy(lab):
    """A migration is under way already when the daemons are started, without a journal."""
    for host in "ab":
        lab.stop_daemon(host)
        lab.run(host, "rm -f /run/virt-teaming/*.pair")

    def start():
        lab.wait_for(lambda: lab.run("b", "virsh -q list | grep -q guest",
                                     check=False).returncode == 0, "the guest to come", 30)
        time.sleep(2)
        for host in "ab":
            lab.start_daemon(host)
    ok, output = migrate(lab, "a", start)
    expect(ok, output)
    expect_ended(lab, ok, "a")


def libvirtd_restarted(lab, host, phase, where):
    """Restarts libvirtd on @host as soon as a pair on @where is in @phase."""
    def restart():
        wait_phase(lab, where, phase)
        lab.restart_libvirtd(host)
    ok, _ = migrate(lab, "a", restart)
    expect_ended(lab, ok, "a")


@scenario(always=False)
def libvirtd_restarted_on_the_source_during_the_copy(lab):
    """libvirt cancels the migration when it is back: whole on the source."""
    libvirtd_restarted(lab, "a", "released", "a")


@scenario(always=False)
def libvirtd_restarted_on_the_destination_during_the_copy(lab):
    """libvirt gives the guest that was coming up: whole on the source, clean there."""
    libvirtd_restarted(lab, "b", "arriving", "b")


@scenario(always=False)
def libvirtd_restarted_on_the_destination_as_the_guest_lands(lab):
    """With the guest's state there, or its VF being plugged: whole where it ends."""
    def restart():
        lab.wait_for(lambda: any(p["phase"] in ("landing", "standby", "shown")
                                 for p in lab.status("b")), "the guest to land", 60)
        lab.restart_libvirtd("b")
    ok, _ = migrate(lab, "a", restart)
    # A libvirtd that dies when it has resumed the guest, and has not told the source yet, keeps
    # it when it is back (libvirt, src/qemu/qemu_process.c, qemuProcessRecoverMigrationIn); the
    # source resumes it, too. libvirt leaves it to a person to end the one that should not be.
    if not ok and lab.virsh("b", "domstate", "guest", check=False).stdout.strip() == "running":
        print("#   libvirt left the guest running on both", flush=True)
        lab.destroy(hosts="b")
    expect_ended(lab, ok, "a")


@scenario(always=False)
def libvirtd_restarted_on_the_destination_while_the_pair_settles(lab):
    """The guest's driver has just begun to read: whole."""
    def restart():
        lab.wait_for(lambda: any(p["phase"] in ("settling", "driving")
                                 for p in lab.status("b")), "the VF to be read", 60)
        lab.restart_libvirtd("b")
    ok, output = migrate(lab, "a", restart)
    expect(ok, output)
    expect_ended(lab, ok, "a")


@scenario(always=False)
def journal_is_damaged(lab):
    """Truncated, garbage, of another version, not a file: the daemon starts and says so, and
    the pair is whole. With a guest that has gone meanwhile, the host is clean."""
    ways = {
        "truncated": 'truncate -s 100 "$f"',
        "garbage": 'head -c 300 /dev/urandom > "$f"',
        "of another version": """sed -i 's/"version" *: *1/"version" : 99/' "$f" """,
        "a directory": 'rm "$f"; mkdir "$f"',
    }
    for way, command in ways.items():
        lab.stop_daemon("a", "KILL")
        lab.run("a", f'for f in /run/virt-teaming/*.pair; do {command}; done')
        lab.start_daemon("a")
        said = lab.run("a", "grep -c 'is damaged or of another version' "
                            f"{DAEMON_LOG}", check=False).stdout.strip()
        expect(said == "1", f"{way}: the daemon says it {said or 0} times")
        expect_whole(lab, "a")
        lab.run("a", "rm -r /run/virt-teaming/*.bad")

    # With its filter in the uplink, and an entry that leads to a tap which is no more.
    guest_to_standby(lab)
    lab.stop_daemon("a", "KILL")
    lab.virsh("a", "destroy", "guest")
    lab.run("a", 'for f in /run/virt-teaming/*.pair; do truncate -s 100 "$f"; done')
    left = lab.leftovers("a")
    expect(any("fdb" in what for what in left), f"nothing to clean: {left}")
    lab.start_daemon("a")
    expect_clean(lab, "a")


# --- case 9: links, bridges, the NIC

@scenario(keeps=True)
def bridge_loses_its_uplink(lab):
    """The PF leaves the bridge and comes back, with the pair on its VF and on its standby:
    status names it, and the pair is whole afterwards."""
    lab.run("a", "ip link set dev pf0 nomaster")
    expect_problem(lab, "a", "bridge 'br0' has no uplink of pf0's NIC")
    expect(lab.lost_at_rest() == 0, "frames lost although the VF needs no bridge")
    lab.run("a", "ip link set dev pf0 master br0 && bridge link set dev pf0 learning off")
    expect_no_problem(lab, "a")
    expect_whole(lab, "a")

    guest_to_standby(lab)
    lab.run("a", "ip link set dev pf0 nomaster")
    expect_problem(lab, "a", "bridge 'br0' has no uplink of pf0's NIC")
    lab.run("a", "ip link set dev pf0 master br0 && bridge link set dev pf0 learning off")
    expect_no_problem(lab, "a")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    guest_to_vf(lab)
    expect_whole(lab, "a")


@scenario(always=False)
def bridge_deleted_and_made_again(lab):
    """br0 goes, with the pair on its VF and on its standby, and is made again."""
    delete = "ip link del dev br0"
    make = """ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
        for port in pf0 peer0 $(ip -br link show type tun | cut -d' ' -f1); do
            ip link set dev $port master br0
        done
        ip link set dev br0 up; bridge link set dev pf0 learning off"""
    lab.run("a", delete)
    expect_problem(lab, "a", "is in no bridge")
    expect(lab.lost_at_rest() == 0, "frames lost although the VF needs no bridge")
    lab.run("a", make)
    expect_no_problem(lab, "a")
    expect_whole(lab, "a")

    guest_to_standby(lab)
    lab.run("a", delete)
    expect_problem(lab, "a", "is in no bridge")
    lab.run("a", make)
    expect_no_problem(lab, "a")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    guest_to_vf(lab)
    expect_whole(lab, "a")


@scenario(always=False)
def links_renamed(lab):
    """The standby's tap and the PF get other names, and the guest migrates all the same."""
    tap = lab.status("a")[0]["tap"]
    lab.run("a", f"ip link set dev {tap} down && ip link set dev {tap} name tap-of-guest && "
                 "ip link set dev tap-of-guest up")
    lab.run("a", "ip link set dev pf0 down && ip link set dev pf0 name uplink7 && "
                 "ip link set dev uplink7 up")
    try:
        lab.wait_for(lambda: [(p["tap"], p["uplink"], p["pf"], p["problem"])
                              for p in lab.status("a")] ==
                     [("tap-of-guest", "uplink7", "uplink7", "")], "the names to be known", 20)
        guest_to_standby(lab)
        guest_to_vf(lab)
        lab.wait_settled("a")
        ok, output = migrate(lab, "a", bandwidth=None)
        expect(ok, output)
    finally:
        lab.run("a", "ip link set dev uplink7 down && ip link set dev uplink7 name pf0 && "
                     "ip link set dev pf0 up", check=False)
    expect_ended(lab, ok, "a")


@scenario(always=False)
def pf_goes_down_and_up(lab):
    """The PF's link goes down and comes up, with the pair on its VF and on its standby."""
    for on_vf in (True, False):
        if not on_vf:
            guest_to_standby(lab)
        lab.run("a", "ip link set dev pf0 down")
        expect_problem(lab, "a", "uplink 'pf0' of bridge 'br0' is down")
        lab.run("a", "ip link set dev pf0 up")
        expect_no_problem(lab, "a")
        lab.wait_guest(1 if on_vf else 0)
        lab.wait_for(lambda: lab.lost_at_rest() == 0, "frames to arrive again", 30)
    guest_to_vf(lab)
    expect_whole(lab, "a")


def remake_pf(lab, host):
    """What hypervisor-init does with it: its name, its VFs, its place in the bridge."""
    number = 2 if host == "a" else 3
    lab.run(host, f"""for dev in /sys/bus/pci/devices/0000:01:00.0/net/*; do
            [ "${{dev##*/}}" = pf0 ] || ip link set dev "${{dev##*/}}" name pf0
        done
        ip link set dev pf0 up
        echo 4 > {PF}/sriov_numvfs
        ip link set dev pf0 master br0
        bridge link set dev pf0 learning off
        bridge fdb add 02:73:00:00:00:0{number} dev pf0 self; true""")


@scenario(always=False)
def vfs_taken_away_and_made_again(lab):
    """sriov_numvfs is rewritten under a pair: vfio asks the guest for its VF, the standby
    carries, and the pair is whole once there is a VF again. Another number than 0 is refused."""
    done = lab.run("a", f"echo 3 > {PF}/sriov_numvfs", check=False)
    expect(done.returncode != 0, "the kernel took another number of VFs")
    expect_whole(lab, "a")
    lab.run("a", f"echo 0 > {PF}/sriov_numvfs", timeout=60)
    wait_phase(lab, "a", "standby")
    expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    expect_problem(lab, "a", "cannot plug")
    remake_pf(lab, "a")
    expect_whole(lab, "a")


@scenario(always=False)
def pf_driver_unbound_and_bound(lab):
    """The PF's driver lets the NIC go and takes it again; whoever had configured the PF does
    so again; the pair is whole."""
    lab.run("a", "echo 0000:01:00.0 > /sys/bus/pci/drivers/igb/unbind", timeout=60)
    expect_problem(lab, "a", "has no uplink of")
    lab.run("a", "echo 0000:01:00.0 > /sys/bus/pci/drivers/igb/bind", timeout=60)
    remake_pf(lab, "a")
    expect_whole(lab, "a")
    ok, output = migrate(lab, "a", bandwidth=None)
    expect(ok, output)
    expect_ended(lab, ok, "a")


@scenario(always=False)
def moved_away_from_a_host_without_vfs(lab):
    """Its VFs were taken away, then its whole NIC: a guest that lives on its standby gets a VF
    where it goes, without anybody's help."""
    def expect_marked(host):
        lab.wait_for(lambda: 'plug="yes"' in lab.virsh(host, "dumpxml", "guest").stdout,
                     "the domain to carry along that it wants a VF", 30)
    lab.run("a", f"echo 0 > {PF}/sriov_numvfs", timeout=60)
    wait_phase(lab, "a", "standby")
    expect_marked("a")
    result = lab.migrate("a")
    part = lost_of_blackout(result)
    expect(part < 0.5, f"of what came while the guest was stopped was lost: {part:.2f}")
    remake_pf(lab, "a")
    expect_whole(lab, "b")
    expect("vtmoved" not in lab.virsh("b", "dumpxml", "guest").stdout, "the domain still says so")

    # Now there is no way to the guest until it is back.
    lab.run("b", "echo 0000:01:00.0 > /sys/bus/pci/drivers/igb/unbind", timeout=60)
    wait_phase(lab, "b", "standby")
    expect_marked("b")
    ok, output = migrate(lab, "b", bandwidth=None)
    expect(ok, output)
    lab.run("b", "echo 0000:01:00.0 > /sys/bus/pci/drivers/igb/bind", timeout=60)
    remake_pf(lab, "b")
    expect_ended(lab, ok, "b")


# --- case 2: the other host, and the wire to it

@scenario(always=False)
def destination_libvirtd_dies_during_the_copy(lab):
    """KILL, and started again: whole on the source, clean on the destination."""
    def kill():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        lab.run("b", "kill -KILL $(cat /run/libvirtd.pid)")
        time.sleep(3)
        lab.restart_libvirtd("b")
    ok, _ = migrate(lab, "a", kill, bandwidth=4)
    expect(not ok, "the migration worked")
    expect_ended(lab, ok, "a")


@scenario(always=False)
def destination_host_dies_during_the_copy(lab):
    """The power fails: whole on the source. What was on the other host went with it."""
    def kill():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        time.sleep(1)
        lab.kill("b")
    ok, _ = migrate(lab, "a", kill, bandwidth=4)
    expect(not ok, "the migration worked")
    lab.wait_guest(1)
    lab.wait_settled("a")
    expect(lab.lost_at_rest() == 0, "frames lost after it was over")


def wire_cut(lab, wait, bandwidth):
    """Cuts the wire after @wait until the migration has ended."""
    with contextlib.ExitStack() as stack:
        def cut():
            wait()
            stack.enter_context(cut_wire())
        ok, _ = migrate(lab, "a", cut, bandwidth=bandwidth)
    # The source knows only its own side; libvirt gives the other up when it hears nothing.
    home = "b" if lab.run("b", "virsh -q list | grep -q running",
                          check=False).returncode == 0 else "a"
    expect(home == "b" or not ok, "virsh says that it worked, and the guest is not there")
    lab.wait_guest(1)
    lab.wait_settled(home)
    expect_clean(lab, OTHER[home])
    # Why a migration was given up stays in status until the next one.
    for pair in lab.status(home):
        expect(not pair["problem"] or "nothing could be sent" in pair["problem"],
               f"{pair['standby']}: {pair['problem']}")
    expect(lab.lost_at_rest() == 0, "frames lost after it was over")


@scenario(always=False)
def wire_between_the_hosts_cut_during_the_copy(lab):
    """No packet passes until the migration has ended: whole on the source."""
    def wait():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        time.sleep(1)
    wire_cut(lab, wait, 4)


@scenario(always=False)
def wire_between_the_hosts_cut_at_the_switchover(lab):
    """No packet passes from when the source has stopped the guest: it runs on one host, and
    the pair is whole there."""
    # QEMU writes the last of it with its lock held, so nobody can cancel; TCP must give it up.
    retries = lab.run("a", "sysctl -n net.ipv4.tcp_retries2; "
                           "sysctl -q -w net.ipv4.tcp_retries2=8").stdout.strip()
    log = EventLog("a")

    def wait():
        end = time.monotonic() + 60
        while not any(name == "STOP" for _, name, *_ in log.events):
            expect(time.monotonic() < end, "the guest was not stopped within 60 s")
            time.sleep(0.005)
    try:
        time.sleep(1)
        wire_cut(lab, wait, 16)
    finally:
        log.close()
        lab.run("a", f"sysctl -q -w net.ipv4.tcp_retries2={retries}", check=False)


# --- case 8: no VF

@scenario(always=False, options=("--vfs", "1"))
def no_free_vf_on_the_destination(lab):
    """Another guest has the only VF there: libvirt refuses it, and nothing is lost."""
    lab.start("b", "guest2", number=2)
    result = lab.migrate("a", expect_success=False)
    # libvirt's words: to the hook an exhausted pool is but a warning, for a VF may come free.
    expect("'sriov0' requires exclusive access" in result["virsh"],
           f"virsh says: {result['virsh']}")
    expect_none_lost(result)
    lab.wait_settled("a")
    mine = [pair for pair in lab.status("b") if pair["domain"] == "guest"]
    expect(not mine, f"b still expects the guest: {mine}")
    lab.virsh("b", "destroy", "guest2")
    expect_clean(lab, "b")
    ok, output = migrate(lab, "a", bandwidth=None)
    expect(ok, output)
    expect_ended(lab, ok, "a")


@scenario(always=False, options=("--vfs", "1"))
def vf_taken_by_somebody_else_when_it_is_to_be_plugged(lab):
    """Between the hold's end and the plug another process opens the VF's group: the guest
    lives on its standby and status says why; let go, the pair is whole by itself."""
    lab.run("b", """cat > /run/thief <<'SH'
#!/bin/sh
# Opens each vfio group that can be opened, and keeps it. A VF that goes to the host's driver
# and back is in a new one.
until [ -e /run/enough ]; do
    for group in /dev/vfio/[0-9]*; do
        [ -c "$group" ] || continue
        (exec 3<> "$group" && touch /run/stolen
         until [ -e /run/enough ]; do sleep 0.1; done) 2> /dev/null &
    done
    sleep 0.005
done
SH
chmod 755 /run/thief""")

    def steal():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        lab_command("run", "--detach", "/dev/null", "b", "/run/thief")
    ok, output = migrate(lab, "a", steal)
    expect(ok, output)
    try:
        expect_problem(lab, "b", "cannot plug", 40)
        expect(lab.run("b", "test -e /run/stolen", check=False).returncode == 0,
               "nobody took the VF")
        expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    finally:
        lab.run("b", "touch /run/enough")
    expect_ended(lab, ok, "a")


@scenario(always=False)
def pool_stopped_when_the_vf_is_to_be_plugged(lab):
    """libvirt refuses to plug from a network that is not active: the same, until it is."""
    def stop():
        wait_phase(lab, "b", "arriving")
        wait_phase(lab, "a", "released")
        lab.virsh("b", "net-destroy", "sriov0")
    ok, output = migrate(lab, "a", stop)
    try:
        expect(ok, output)
        expect_problem(lab, "b", "sriov0", 40)
        expect(lab.lost_at_rest() == 0, "frames lost on the standby")
    finally:
        lab.virsh("b", "net-start", "sriov0")
    expect_ended(lab, ok, "a")
