#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast 'virt-teaming check' is, against virt-xml-validate and virsh define.

All three get the same 1,000 generated domains, in one run. Each is used as fast as it goes:
virt-teaming and virsh take all files in one process, virt-xml-validate takes one file a call
(it is timed on the first 100, and its calls all cost the same). A second table has one process
per file for each, where starting a process is most of the time.

Then one domain with more and more interfaces: time per interface must stay the same.

Ends with status 1 if virt-teaming is not 20 and 5 times as fast, or not linear.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

FILES = 1000
LEAST_VALIDATE = 20
LEAST_DEFINE = 5


def interface_pair(number, pair, bus):
    mac = f"52:54:00:{number >> 8:02x}:{number & 255:02x}:{pair & 255:02x}"
    standby = f"""    <interface type='bridge'>
      <mac address='{mac}'/>
      <source bridge='br0'/>
      <model type='virtio'/>
      <teaming type='persistent'/>
      <alias name='ua-net{pair}'/>
      <address type='pci' domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/>
    </interface>
"""
    vf = f"""    <interface type='network'>
      <mac address='{mac}'/>
      <source network='vfpool'/>
      <teaming type='transient' persistent='ua-net{pair}'/>
      <alias name='ua-vf{pair}'/>
      <address type='pci' domain='0x0000' bus='0x{bus + 1:02x}' slot='0x00' function='0x0'/>
    </interface>
"""
    return standby + vf


def domain(rand, number):
    pairs = rand.randint(1, 4)
    devices = "    <controller type='pci' index='0' model='pcie-root'/>\n"
    for bus in range(1, 2 * pairs + 1):
        devices += f"    <controller type='pci' index='{bus}' model='pcie-root-port'/>\n"
    for disk in range(rand.randint(1, 6)):
        devices += f"""    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/{number}-{disk}.qcow2'/>
      <target dev='vd{chr(ord('a') + disk)}' bus='virtio'/>
    </disk>
"""
    for pair in range(pairs):
        devices += interface_pair(number, pair, 2 * pair + 1)
    return f"""<domain type='kvm'>
  <name>guest{number}</name>
  <uuid>{uuid.UUID(int=rand.getrandbits(128), version=4)}</uuid>
  <memory unit='MiB'>{rand.choice([512, 1024, 4096])}</memory>
  <vcpu>{rand.randint(1, 8)}</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features><acpi/></features>
  <devices>
{devices}  </devices>
</domain>
"""


def seconds(command, least_status=0):
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    took = time.perf_counter() - start
    if done.returncode > least_status:
        sys.exit(f"{command[0]} failed: {done.stderr.decode()[:200]}")
    return took


def best(function, rounds=3):
    return min(function() for _ in range(rounds))


def report(name, per_file, ours=None):
    ratio = "" if ours is None else f"{per_file / ours:8.1f} x"
    print(f"  {name:<34}{1 / per_file:12,.0f} files/s  {per_file * 1e6:10,.0f} us  {ratio}")


def corpus(tool, directory):
    rand = random.Random(3)
    files = []
    for number in range(FILES):
        path = os.path.join(directory, f"{number}.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(domain(rand, number))
        files.append(path)

    virsh = ["virsh", "-q", "-c", "test:///default"]
    define = ";".join("define " + path for path in files)
    few = files[:100]
    ours = best(lambda: seconds([tool, "check", *files])) / FILES
    theirs = best(lambda: seconds([*virsh, define])) / FILES
    validate = best(lambda: sum(seconds(["virt-xml-validate", path, "domain"])
                                for path in few)) / len(few)
    print(f"{FILES} domains, each tool as fast as it goes:")
    report("virt-teaming check", ours)
    report("virsh define (test driver)", theirs, ours)
    report("virt-xml-validate", validate, ours)

    one = best(lambda: sum(seconds([tool, "check", path]) for path in few)) / len(few)
    one_define = best(lambda: sum(seconds([*virsh, "define " + path]) for path in few)) / len(few)
    print("one process per file:")
    report("virt-teaming check", one)
    report("virsh define (test driver)", one_define, one)
    report("virt-xml-validate", validate, one)
    return validate / ours >= LEAST_VALIDATE and theirs / ours >= LEAST_DEFINE


def linear(tool, directory):
    """Time per interface, of many copies so that starting the program does not count."""
    per_interface = []
    print("one domain, more and more interfaces:")
    for count in (10, 100, 1000):
        path = os.path.join(directory, f"nics{count}.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<domain type='kvm'><name>x</name><os><type machine='q35'>hvm</type></os>"
                       "<features><acpi/></features><devices>\n")
            for pair in range(count // 2):
                text = interface_pair(pair, 0, 1).replace("ua-net0", f"ua-net{pair}")
                text = text.replace("ua-vf0", f"ua-vf{pair}")
                file.writelines(line for line in text.splitlines(True) if "<address" not in line)
            file.write("</devices></domain>\n")
        empty = best(lambda: seconds([tool, "--version"]))
        copies = 4000 // count
        took = best(lambda: seconds([tool, "check"] + [path] * copies)) - empty
        per_interface.append(took / copies / count)
        print(f"  {count:5} interfaces{took / copies * 1e3:12.3f} ms  "
              f"{per_interface[-1] * 1e6:8.2f} us each")
    return per_interface[2] < 2 * per_interface[1]


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} VIRT-TEAMING")
    for program in ("virsh", "virt-xml-validate"):
        if not shutil.which(program):
            sys.exit(f"{program} is needed to compare with")
    with tempfile.TemporaryDirectory() as directory:
        good = corpus(sys.argv[1], directory)
        good = linear(sys.argv[1], directory) and good
    print(f"at least {LEAST_VALIDATE} and {LEAST_DEFINE} times as fast, and linear: "
          f"{'yes' if good else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
