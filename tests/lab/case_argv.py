# SPDX-License-Identifier: LGPL-2.1-or-later
"""What we say of libvirt, held against another one than the tests find installed."""

import os
import shutil
import tempfile

from labcase import expect, scenario
from labkit import TOP, lab as lab_command


@scenario(libvirt="newest", always=False, start=False)
def what_is_said_of_libvirt_holds(lab):
    """qemudifftest in a hypervisor: QEMU's arguments, what the rules say, and values."""
    with tempfile.TemporaryDirectory() as stage:
        shutil.copytree(os.path.join(TOP, "tests"), f"{stage}/root/tests",
                        ignore=shutil.ignore_patterns("*.c", "lab", "__pycache__"))
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(lab.stage)), "tests",
                                 "qemudifftest"), f"{stage}/root/tests")
        lab_command("push", "a", stage)
    # libvirt asks only whether it is there, and Debian's kernels have no iommufd.
    done = lab.run("a", "touch /dev/iommu; cd /root/tests; "
                        "G_TEST_SRCDIR=. G_TEST_BUILDDIR=. ./qemudifftest --tap 2>&1; "
                        "code=$?; rm /dev/iommu; exit $code", check=False, timeout=600)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("not ok", "Bail"))]
    expect(done.returncode == 0 and not wrong, f"{wrong or done.stdout[-500:]}")
