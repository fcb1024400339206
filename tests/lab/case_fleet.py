# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many guests at once."""

import concurrent.futures
import subprocess
import time

from labcase import expect, scenario
from labkit import LAB, OTHER

EACH = 4                            # guests that begin on each host
VFS = 7                             # of an 82576
VICTIMS = ("guest1", "guest5")      # is cancelled; loses its QEMU there


@scenario(always=False, start=False, options=("--vfs", str(VFS), "--memory", "2560"))
def eight_guests_cross(lab):
    """Four each way at once, too few VFs for all; one cancelled, one loses its QEMU there."""
    home = {f"guest{n}": "a" if n <= EACH else "b" for n in range(1, 2 * EACH + 1)}
    number = {name: n for n, name in enumerate(home, 1)}

    def start(name):
        lab.define(home[name], name, number=number[name], memory=128)
        lab.virsh(home[name], "start", name, timeout=240)
        lab.wait_guest(1, number[name], timeout=300)

    def move(name, speed="8"):
        with lab.begin_migration(home[name], name, "--bandwidth", speed) as virsh:
            output, _ = virsh.communicate(timeout=240)
        return virsh.returncode, output.strip()

    def arriving(name):
        """The other host's QEMU is there, and with it the VF that the guest is to have."""
        return lab.run(OTHER[home[name]], f"test -s /run/libvirt/qemu/{name}.pid && "
                       f"virsh -q domstate {name} --reason | grep -q migrating",
                       check=False).returncode == 0

    try:
        with concurrent.futures.ThreadPoolExecutor(2 * EACH) as pool:
            list(pool.map(start, home))
            # Who comes last finds no VF, and is refused: that must not be one of the two that are
            # to fail by other means. So they begin first, and are slow.
            moves = {name: pool.submit(move, name, "2") for name in VICTIMS}
            for name in VICTIMS:
                lab.wait_for(lambda n=name: arriving(n), f"{name} to be on its way", 60)
            moves |= {name: pool.submit(move, name) for name in home if name not in VICTIMS}
            time.sleep(4)
            aborted = lab.run("a", "for i in $(seq 100); do virsh -q domjobabort guest1 && "
                                   "exit 0; sleep 0.1; done; exit 1", check=False)
            killed = lab.run("a", "virsh -q domstate guest5 --reason | grep -q migrating && "
                                  "kill -KILL $(cat /run/libvirt/qemu/guest5.pid)", check=False)
            results = {name: one.result() for name, one in moves.items()}
        for name, (status, output) in results.items():
            expect(status != 124, f"the migration of {name} did not end")
            if status == 0:
                home[name] = OTHER[home[name]]
            print(f"#   {name}: {'moved' if status == 0 else output}")
        expect(any(status == 0 for status, _ in results.values()), "none moved")
        expect(aborted.returncode == 0, f"guest1 could not be cancelled: {aborted.stderr.strip()}")
        expect(killed.returncode == 0, "guest5 was not on its way any more")
        said = {name: results[name][1] for name in VICTIMS}
        expect(results["guest1"][0] != 0 and "canceled by client" in said["guest1"],
               f"guest1, which was cancelled: {said['guest1'] or 'moved'}")
        # What libvirt says of a QEMU that has died depends on who notices first.
        expect(results["guest5"][0] != 0 and "canceled by client" not in said["guest5"],
               f"guest5, whose QEMU was killed: {said['guest5'] or 'moved'}")
        for name, where in home.items():
            lab.wait_guest(0, number[name])
        for host in "ab":
            names = [name for name, where in home.items() if where == host]
            with_vf = min(len(names), VFS)
            lab.wait_for(lambda h=host, n=with_vf:
                         sum(p["phase"] == "driving" for p in lab.status(h)) >= n,
                         f"{with_vf} of {len(names)} VFs on {host} to carry", 90)
            expect(sorted({p["domain"] for p in lab.status(host)}) == names,
                   f"{host} looks after {[p['domain'] for p in lab.status(host)]}, has {names}")
            for name in names:
                lab.virsh(host, "destroy", name)
            lab.wait_for(lambda h=host: not lab.leftovers(h), f"{host} to be clean", 20)
    finally:
        for name in home:
            for host in "ab":
                subprocess.run([LAB, "run", "--no-input", host, "virsh", "-q", "destroy", name],
                               check=False, capture_output=True)
