#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Does the spec's %files name all that is installed? rpmbuild ends at a file that it does not.

usage: spectest.py SPEC BUILD
"""

import fnmatch
import json
import os
import re
import sys

# As on the hosts that the spec is for; the build's own directory of units may be another.
MACROS = {
    "name": "virt-teaming",
    "_bindir": "/usr/bin",
    "_sbindir": "/usr/sbin",
    "_datadir": "/usr/share",
    "_docdir": "/usr/share/doc",
    "_mandir": "/usr/share/man",
    "_sysconfdir": "/etc",
    "_unitdir": "*/systemd/system",
}


def patterns(spec):
    """What %files names, as patterns of paths; a directory stands for all that is in it."""
    with open(spec, encoding="utf-8") as file:
        files = file.read().split("\n%files\n")[1]
    for line in files.splitlines():
        path = re.sub(r"%\{(\w+)\}", lambda macro: MACROS[macro[1]], line.split()[-1])
        if not line.startswith("%dir ") and "/" in path:
            yield path + "*" if path.endswith("/") else path


def main():
    spec, build = sys.argv[1:]
    with open(os.path.join(build, "meson-info", "intro-installed.json"), encoding="utf-8") as file:
        installed = json.load(file).values()
    if "/usr/bin/virt-teaming" not in installed:
        return 77               # another prefix than a package's
    named = list(patterns(spec))
    left_out = [path for path in installed
                if not any(fnmatch.fnmatch(path, pattern) for pattern in named)]
    for path in left_out:
        print(f"{spec}: %files does not name {path}")
    return 1 if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
