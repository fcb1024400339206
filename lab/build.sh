# SPDX-License-Identifier: LGPL-2.1-or-later
# Building: packages, kernel, root file systems, guest. Sourced by lab.

# On the machine itself. QEMU is added by cmd_install: igb needs >= 8.
lab_packages=(gcc libc6-dev mmdebstrap busybox-static e2fsprogs cpio gzip
              xz-utils zstd kmod iproute2 util-linux libvirt-clients jq)

# Inside a hypervisor, whatever the generation.
hypervisor_packages=(busybox-static kmod iproute2 util-linux procps strace
                     tcpdump ethtool pciutils socat jq xmlstarlet
                     libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
                     qemu-system-x86 ipxe-qemu libglib2.0-0 libglib2.0-bin libvirt0
                     libvirt-glib-1.0-0 libnl-3-200 libxml2 libjson-glib-1.0-0
                     apparmor)

kernel_modules=(igb igbvf virtio_net virtio_blk virtio_pci ext4 bridge bonding 8021q tun
                vhost_net kvm_amd kvm_intel vfio_pci vfio_iommu_type1 macvtap
                af_packet failover net_failover)

# The mirror that this machine's apt uses for Debian's main archive.
debian_mirror()
{
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' \
        'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" && $3 !~ /-/ && !n++ { print $4 }'
}

# A line for sources.list: the suite from that mirror, with the key that
# Debian's own archive is trusted by.
debian_source()
{
    local key=/usr/share/keyrings/debian-archive-keyring.gpg uri

    uri=$(debian_mirror)
    [[ -n $uri ]] ||
        die "found no Debian main archive in this machine's apt configuration:" \
            "look at /etc/apt/sources.list and /etc/apt/sources.list.d"
    [[ -r $key ]] && key="[signed-by=$key] " || key=
    echo "deb $key$uri $1 main"
}

# A private apt configuration for $suite and its backports, so that the machine's own one is not
# changed.
apt_prepare()
{
    local at=$dir/apt-$suite

    mkdir -p "$at/lists/partial"
    # Which archive is whose, apt knows only once it has the lists.
    [[ -n $(debian_mirror) ]] || apt-get -qq update
    {
        debian_source "$suite"
        debian_source "$suite-backports"
    } > "$at/sources.new"
    apt=(-o "Dir::Etc::SourceList=$at/sources.list"
         -o "Dir::Etc::SourceParts=/dev/null"
         -o "Dir::State::Lists=$at/lists"
         -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
         -o "APT::Sandbox::User=root" -o "Dpkg::Use-Pty=0" -qq)
    if ! cmp -s "$at/sources.new" "$at/sources.list" ||
       [[ -z $(find "$at/updated" -mmin -1440 2>/dev/null) ]]; then
        mv "$at/sources.new" "$at/sources.list"
        if apt-get "${apt[@]}" update; then
            touch "$at/updated"
        elif [[ -e $kernel/vmlinux.inputs ]]; then
            say "no new package lists: going on with what was built before"
        else
            die "could not read the package lists of $suite and its backports" \
                "from the mirror that apt uses here: see apt's message above"
        fi
    fi
}

qemu_major()
{
    qemu-system-x86_64 --version 2>/dev/null |
        sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p'
}

cmd_install()
{
    local missing=() p

    need_root install
    for p in "${lab_packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null |
            grep -qx installed || missing+=("$p")
    done
    export DEBIAN_FRONTEND=noninteractive
    if [[ ${#missing[@]} -gt 0 ]]; then
        say "installing ${missing[*]}"
        [[ -n $(debian_mirror) ]] || apt-get -qq update
        apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null || {
            # Lists that are too old name versions that are gone.
            apt-get -qq update
            apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
        } || die "apt-get could not install ${missing[*]}: see its message above"
    fi
    if [[ $(qemu_major) -lt 8 ]]; then
        say "installing QEMU from backports"
        if [[ $(. /etc/os-release; echo "${VERSION_ID:-}") = 12 ]]; then
            generation_at 11.3
            apt_prepare
            apt-get "${apt[@]}" install -y --no-install-recommends \
                -t bookworm-backports qemu-system-x86 >/dev/null
        else
            apt-get -qq install -y --no-install-recommends qemu-system-x86 >/dev/null
        fi || die "apt-get could not install qemu-system-x86: see its message above"
        [[ $(qemu_major) -ge 8 ]] ||
            die "QEMU here is older than 8 and has no 'igb' device: install a newer one"
    fi
}

# fresh TARGET INPUT...: is TARGET there and made from just these inputs?
fresh()
{
    local target=$1 sum
    shift
    sum=$(printf '%s\n' "$@" | while IFS= read -r i; do
              if [[ -f $i ]]; then sha256sum < "$i"; else echo "$i"; fi
          done | sha256sum)
    stamp=$sum
    [[ -e $target && -e $target.inputs && $(< "$target.inputs") = "$sum" ]]
}

made()
{
    echo "$stamp" > "$1.inputs"
}

# Static, so that they run in the guest's busybox and in any hypervisor.
build_programs()
{
    local p

    mkdir -p "$dir/bin"
    for p in agent meter; do
        fresh "$dir/bin/$p" "$src/$p.c" && continue
        cc -std=gnu11 -O2 -Wall -Wextra -static -o "$dir/bin/$p" "$src/$p.c" ||
            die "could not compile $src/$p.c: see the compiler's message above"
        made "$dir/bin/$p"
    done
}

# The uncompressed kernel inside a bzImage: it boots through PVH at once,
# where a bzImage would first be decompressed by an emulated processor.
extract_vmlinux()
{
    local image=$1 setup offset length magic unpack

    setup=$(od -An -tu1 -j $((0x1f1)) -N1 "$image")
    offset=$(od -An -tu4 -j $((0x248)) -N4 "$image")
    length=$(od -An -tu4 -j $((0x24c)) -N4 "$image")
    offset=$(((setup + 1) * 512 + offset))
    magic=$(od -An -tx1 -j $offset -N2 "$image" | tr -d ' ')
    case $magic in
        fd37) unpack="xz -dc --single-stream" ;;
        28b5) unpack="zstd -dcq" ;;
        1f8b) unpack="gzip -dcq" ;;
        *) die "kernel $image is compressed in a way not known here (magic $magic)" ;;
    esac
    # The payload ends in its length, which the unpackers take for rubbish.
    dd if="$image" bs=64K iflag=skip_bytes,count_bytes skip=$offset \
        count=$((length - 4)) status=none | $unpack
}

build_kernel()
{
    local pkg parts all=$kernel/all version m f

    apt_prepare
    pkg=$(apt-cache "${apt[@]}" show linux-image-amd64 |
          awk -v backports="bpo$debian" '/^Package:/ { v = "" } /^Version:/ { v = $2 }
               /^Depends:/ && v ~ backports && match($0, /linux-image-[^ ,]+/) {
                   print substr($0, RSTART, RLENGTH)
                   exit
               }')
    [[ $pkg = linux-image-* ]] ||
        die "found no kernel for linux-image-amd64 in $suite-backports"
    fresh "$kernel/vmlinux" "$pkg" "${kernel_modules[*]}" && return
    say "unpacking kernel $pkg"
    rm -rf "$kernel"
    mkdir -p "$all"
    # Newer ones come in parts.
    mapfile -t parts < <(apt-cache "${apt[@]}" show "$pkg" |
        grep '^Depends:' | grep -oF -e "linux-base-${pkg#linux-image-}" \
            -e "linux-binary-${pkg#linux-image-}" -e "linux-modules-${pkg#linux-image-}" | sort -u)
    (cd "$kernel" && apt-get "${apt[@]}" download "$pkg" "${parts[@]}") ||
        die "could not download $pkg"
    for f in "$kernel"/*.deb; do
        dpkg-deb --fsys-tarfile "$f" |
            tar -C "$all" -x --wildcards './boot/vmlinuz-*' './lib/modules/*' \
                './usr/lib/modules/*' 2>/dev/null || true
        rm "$f"
    done

    # Keep only the modules that are used, and what they depend on.
    [[ -d $all/lib/modules ]] || { mkdir -p "$all/lib"; mv "$all/usr/lib/modules" "$all/lib/"; }
    version=$(ls "$all/lib/modules")
    depmod -b "$all" "$version"
    for m in "${kernel_modules[@]}"; do
        modprobe -d "$all" -S "$version" -D --ignore-install "$m" |
            awk '$1 == "insmod" { print $2 }'
    done | sort -u > "$kernel/list"
    while read -r f; do
        f=${f#"$all"}
        mkdir -p "$kernel/root$(dirname "$f")"
        cp "$all$f" "$kernel/root$f"
        # Unpacked here once instead of at every start by an emulated processor.
        [[ $f = *.xz ]] && xz -d "$kernel/root$f"
    done < "$kernel/list"
    cp "$all/lib/modules/$version"/modules.{builtin,order,builtin.modinfo} \
        "$kernel/root/lib/modules/$version/"
    depmod -b "$kernel/root" "$version"
    for f in "$all/boot/vmlinuz-$version" "$all/lib/modules/$version/vmlinuz"; do
        [[ ! -f $f ]] || extract_vmlinux "$f" > "$kernel/vmlinux.new"
    done
    mv "$kernel/vmlinux.new" "$kernel/vmlinux"
    rm -r "$all"
    fresh "$kernel/vmlinux" "$pkg" "${kernel_modules[*]}" || true
    made "$kernel/vmlinux"
}

build_guest()
{
    local root=$guest/root m

    fresh "$guest/initramfs" "$(< "$kernel/vmlinux.inputs")" \
        "$src/guest-init" "$dir/bin/meter" && return
    say "building the guest"
    rm -rf "$guest"
    mkdir -p "$root"/{bin,proc,sys,dev,run,tmp,etc,lib/modules}
    cp "$(command -v busybox)" "$root/bin/busybox"
    cp "$dir/bin/meter" "$root/bin/meter"
    install -m 755 "$src/guest-init" "$root/init"
    ln -s busybox "$root/bin/sh"
    for m in failover net_failover virtio virtio_ring virtio_pci_modern_dev \
             virtio_pci_legacy_dev virtio_pci virtio_net igbvf af_packet; do
        find "$kernel/root" -name "$m.ko" -exec cp {} "$root/lib/modules/" \;
    done
    (cd "$root" && find . | cpio --quiet -o -H newc) > "$guest/initramfs"
    rm -r "$root"
    made "$guest/initramfs"
}

# What it takes a hypervisor to find its disk.
build_boot()
{
    local root=$boot/root m

    fresh "$boot/initramfs" "$(< "$kernel/vmlinux.inputs")" "$src/boot-init" && return
    rm -rf "$boot"
    mkdir -p "$root"/{bin,proc,dev,root,lib/modules}
    cp "$(command -v busybox)" "$root/bin/busybox"
    install -m 755 "$src/boot-init" "$root/init"
    for m in virtio_blk ext4; do
        modprobe -d "$kernel/root" -S "$(ls "$kernel/root/lib/modules")" \
            -D --ignore-install "$m"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r m; do
            cp "$m" "$root/lib/modules/"
            echo "${m##*/}"
        done > "$root/lib/modules/order"
    (cd "$root" && find . | cpio --quiet -o -H newc) > "$boot/initramfs"
    rm -r "$root"
    made "$boot/initramfs"
}

# build_root 11.3|9.0|newest
build_root()
{
    local generation=$1 image=$dir/root-$1.ext4 root=$dir/root-$1 size
    local sources options=() packages version=

    packages=("${hypervisor_packages[@]}")
    sources=("$(debian_source "$suite")")
    if [[ $generation != 9.0 ]]; then
        sources+=("$(debian_source "$suite-backports")")
        packages+=(libvirt-daemon-driver-network)
        # Everything that exists in backports comes from there.
        options+=(--aptopt="APT::Default-Release \"$suite-backports\"")
    fi
    # Only there does it go on.
    [[ $generation != newest ]] ||
        version=$(apt-cache "${apt[@]}" madison libvirt-daemon-driver-qemu |
                  awk -F ' *[|] *' 'NR == 1 { print $2 }')
    fresh "$dir/root-$generation.base" "${packages[*]}" "${sources[*]}" "${options[*]}" \
            "$version" || {
        say "building the root file system with libvirt $generation"
        rm -rf "$root" "$dir/root-$generation.base"
        mmdebstrap --quiet --mode=root --variant=minbase \
            --include="$(IFS=,; echo "${packages[*]}")" \
            --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/locale/*' \
            "${options[@]}" --skip=cleanup/apt/lists \
            "$suite" "$root" "${sources[@]}" 2> "$dir/root-$generation.log" || {
            cat "$dir/root-$generation.log" >&2
            die "mmdebstrap could not build the root file system $root"
        }
        rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
        fresh "$dir/root-$generation.base" "${packages[*]}" "${sources[*]}" "${options[*]}" \
            "$version" || true
        touch "$dir/root-$generation.base"
        made "$dir/root-$generation.base"
    }
    fresh "$image" "$(< "$dir/root-$generation.base.inputs")" \
        "$(< "$kernel/vmlinux.inputs")" "$guest/initramfs" \
        "$src/hypervisor-init" "$src/hypervisor.sh" "$dir/bin/agent" && return
    say "writing $image"
    chroot "$root" /bin/sh -eu < "$src/hypervisor.sh" ||
        die "could not configure libvirt in $root: see the message above"
    mkdir -p "$root/lab" "$root/usr/lib/modules"
    install -m 755 "$src/hypervisor-init" "$root/lab/init"
    install -m 755 "$dir/bin/agent" "$root/lab/agent"
    cp "$kernel/vmlinux" "$guest/initramfs" "$root/lab/"
    cp -r "$kernel/root/lib/modules/." "$root/lib/modules/"
    size=$(($(du -sm "$root" | cut -f1) * 5 / 4 + 512))
    rm -f "$image.new"
    mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$image.new" "${size}M" > /dev/null
    mv "$image.new" "$image"
    fresh "$image" "$(< "$dir/root-$generation.base.inputs")" \
        "$(< "$kernel/vmlinux.inputs")" "$guest/initramfs" \
        "$src/hypervisor-init" "$src/hypervisor.sh" "$dir/bin/agent" || true
    made "$image"
}

# generation_at 11.3|9.0|newest: sets of which Debian it is made, and where its parts are.
generation_at()
{
    case $1 in
        11.3 | 9.0) suite=bookworm debian=12 ;;
        newest) suite=trixie debian=13 ;;
        *) die "no libvirt '$1' here: there are 11.3, 9.0 and newest" ;;
    esac
    kernel=$dir/kernel-$suite
    guest=$dir/guest-$suite
    boot=$dir/boot-$suite
}

cmd_build()
{
    local generations=11.3 generation

    while [[ $# -gt 0 ]]; do
        case $1 in
            --libvirt) generations=${2:-}; shift 2 ;;
            *) die "build: unknown option '$1'" ;;
        esac
    done
    need_root build
    mkdir -p "$dir"
    build_programs
    [[ $generations != all ]] || generations="11.3 9.0 newest"
    for generation in $generations; do
        generation_at "$generation"
        build_kernel
        build_guest
        build_boot
        build_root "$generation"
    done
}
