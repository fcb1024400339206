# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many guests at once."""

import concurrent.futures
import subprocess
import time

from labcase import expect, scenario
from labkit import LAB, OTHER

EACH = 4                            # guests that begin on each host
VFS = 7                             # of an 82576


@scenario(always=False, start=False, options=("--vfs", str(VFS), "--memory", "2560"))
def eight_guests_cross(lab):
    """Four each way at once, too few VFs for all; one cancelled, one loses its QEMU there."""
    home = {f"guest{n}": "a" if n <= EACH else "b" for n in range(1, 2 * EACH + 1)}
    number = {name: n for n, name in enumerate(home, 1)}

    def start(name):
        lab.define(home[name], name, number=number[name], memory=128)
        lab.virsh(home[name], "start", name, timeout=240)
        lab.wait_guest(1, number[name], timeout=300)

    def move(name):
        with lab.begin_migration(home[name], name, "--bandwidth", "8") as virsh:
            output, _ = virsh.communicate(timeout=240)
        return virsh.returncode, output.strip()

    try:
        with concurrent.futures.ThreadPoolExecutor(2 * EACH) as pool:
            list(pool.map(start, home))
            moves = {name: pool.submit(move, name) for name in home}
            time.sleep(4)
            lab.run("a", "for i in $(seq 100); do virsh -q domjobabort guest1 && exit 0; "
                         "sleep 0.1; done", check=False)
            lab.run("a", "pid=$(cat /run/libvirt/qemu/guest5.pid) && kill -KILL $pid",
                    check=False)
            results = {name: one.result() for name, one in moves.items()}
        for name, (status, output) in results.items():
            expect(status != 124, f"the migration of {name} did not end")
            if status == 0:
                home[name] = OTHER[home[name]]
            print(f"#   {name}: {'moved' if status == 0 else output}")
        expect(any(status == 0 for status, _ in results.values()), "none moved")
        expect(results["guest1"][0] != 0 or results["guest5"][0] != 0, "nothing failed")
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
