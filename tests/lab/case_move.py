# SPDX-License-Identifier: LGPL-2.1-or-later
"""Put back where QEMU does not."""

from labcase import expect_whole, scenario, wait_phase


def lose_at_the_last_step(lab):
    """Lets QEMU's migration from a complete, and then takes its destination away: libvirt's
    daemon on b is frozen meanwhile, and finds that its QEMU is dead when it is to finish."""
    wait_phase(lab, "a", "released")
    lab.run("b", "kill -STOP $(pidof libvirtd)")
    try:
        lab.wait_for(lambda: "completed" in lab.run(
            "a", "grep MIGRATION /var/log/virtteamingd.log | tail -n 1").stdout,
            "QEMU's migration to complete", 60)
        lab.run("b", "pidof qemu-system-x86_64 | xargs -r kill -KILL")
    finally:
        lab.run("b", "kill -CONT $(pidof libvirtd)")


@scenario()
def source_resumed_after_it_had_completed(lab):
    """The destination's last step fails: QEMU does not put the VF back; the daemon does."""
    lab.migrate("a", bandwidth=8, during=lose_at_the_last_step, expect_success=False)
    expect_whole(lab, "a")


@scenario(always=False)
def dumped_while_it_runs(lab):
    """virsh dump --live takes the VF as a migration does, and completes: it is given back."""
    lab.virsh("a", "dump", "--live", "guest", "/tmp/guest.dump")
    lab.run("a", "rm /tmp/guest.dump")
    expect_whole(lab, "a")
