# SPDX-License-Identifier: LGPL-2.1-or-later
# Running: namespaces, hypervisors, guests, the meter. Sourced by lab.
#
# Everything runs below one supervisor, process 1 of a PID namespace with
# network and mount namespaces of its own. When it dies, however it dies, the
# kernel takes all the rest away: processes, taps, bridges, mounts.

state=$dir/run
agent_port=7

# The address and number of a hypervisor.
host_number()
{
    case $1 in
        a) echo 1 ;;
        b) echo 2 ;;
        *) die "no hypervisor '$1': there are a and b" ;;
    esac
}

# Prints the supervisor's process id if it runs. Its start time is compared
# too, for the number may be another process's by now.
supervisor()
{
    local pid start now

    [[ -r $state/pid ]] || return 1
    read -r pid start < "$state/pid" || return 1
    now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20) || return 1
    [[ -n $now && $now = "$start" ]] || return 1
    echo "$pid"
}

need_lab()
{
    lab_pid=$(supervisor) || die "$1: the lab is not up: run 'lab up' first"
}

# inside [client|peer-a|peer-b|lab] CMD...: in the lab's mount and network namespaces
inside()
{
    local where=$1
    shift
    [[ $where = lab ]] || set -- ip netns exec "$where" "$@"
    nsenter -t "$lab_pid" -m -n -- sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

# Does KVM run a hypervisor here, with KVM inside it? Only booting one tells:
# there are machines whose /dev/kvm runs no unmodified kernel.
probe_kvm()
{
    local out

    [[ -w /dev/kvm ]] && grep -qE '^flags.* (svm|vmx)' /proc/cpuinfo || return 1
    out=$(timeout 10 qemu-system-x86_64 -nodefaults -machine q35 -accel kvm -cpu host \
              -m 512 -display none -no-reboot -serial stdio \
              -kernel "$kernel/vmlinux" -initrd "$guest/initramfs" \
              -append "console=ttyS0 lab.probe panic=-1" 2>/dev/null </dev/null) || return 1
    [[ $out = *"lab: nested"* ]]
}

cmd_up()
{
    local generation=11.3 accel=auto memory=2048 cpus=1 vfs=4 learning=off confined=off
    local pid n=0 h

    while [[ $# -gt 0 ]]; do
        case $1 in
            --libvirt) generation=${2:-}; shift 2 ;;
            --accel) accel=${2:-}; shift 2 ;;
            --memory) memory=${2:-}; shift 2 ;;
            --cpus) cpus=${2:-}; shift 2 ;;
            --vfs) vfs=${2:-}; shift 2 ;;
            --uplink-learning) learning=${2:-}; shift 2 ;;
            --confined) confined=${2:-}; shift 2 ;;
            *) die "up: unknown option '$1'" ;;
        esac
    done
    need_root up
    [[ $memory =~ ^[0-9]+$ && $cpus =~ ^[1-8]$ && $vfs =~ ^[1-7]$ && $learning =~ ^(on|off)$ &&
       $confined =~ ^(on|off)$ && $accel =~ ^(auto|kvm|tcg)$ ]] ||
        die "up: --memory wants MiB, --cpus 1 to 8, --vfs 1 to 7, --uplink-learning on or off," \
            "--confined on or off, --accel auto, kvm or tcg"
    pid=$(supervisor) &&
        die "up: the lab is up already (process $pid): 'lab down' ends it"
    cmd_build --libvirt "$generation"
    [[ $accel != auto ]] || { probe_kvm && accel=kvm || accel=tcg; }

    rm -rf "$state"
    mkdir -p "$state"
    # Its child dies with unshare itself, also before its number is on file.
    trap 'kill -KILL $! 2>/dev/null; cmd_down; exit 2' EXIT INT TERM HUP
    setsid unshare --fork --pid --kill-child=KILL --mount --net \
        "$self" supervise "$generation" "$accel" "$memory" "$cpus" "$vfs" "$learning" \
        "$confined" < /dev/null > "$state/supervise.log" 2>&1 &
    until [[ -e $state/started ]]; do
        n=$((n + 1))
        [[ $n -lt 300 ]] && kill -0 $! 2>/dev/null || {
            cat "$state/supervise.log" >&2
            die "up: could not start the hypervisors: see the messages above"
        }
        sleep 0.05
    done
    for h in a b; do
        agent_run "-n -w 90 -t 90" $h sh -c \
            'until [ -s /run/lab-ready ]; do sleep 0.1; done; cat /run/lab-libvirtd.log >&2; exit $(cat /run/lab-ready)' || {
            tail -n 20 "$state/console-$h" >&2
            die "up: hypervisor $h did not become ready: its console's end is above"
        }
    done
    trap - EXIT INT TERM HUP
    say "up: libvirt $generation, $accel"
}

# Runs as process 1 of the lab's own namespaces.
cmd_supervise()
{
    local generation=$1 accel=$2 memory=$3 cpus=$4 vfs=$5 learning=$6 confined=$7
    local h id n p g pid cpu rest no_ipv6

    generation_at "$generation"
    # /proc is still the outer one: what it shows as self is the outer number.
    read -r pid rest < /proc/self/stat
    rest=${rest##*) }
    set -- $rest
    echo "$pid ${20}" > "$state/pid"

    mount -t tmpfs tmpfs /run
    mkdir -p /run/netns
    printf '127.0.0.1 localhost\n10.69.0.1 lab\n10.69.0.11 a\n10.69.0.12 b\n' > /run/hosts
    mount --bind /run/hosts /etc/hosts
    ip link set dev lo up
    # Nothing but what is meant to be on the wire.
    no_ipv6='echo 1 | tee /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6 > /dev/null'
    bash -c "$no_ipv6"
    ip link add mgmt type bridge stp_state 0 forward_delay 0
    ip addr add 10.69.0.1/24 dev mgmt
    ip link add wire type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip link set dev mgmt up
    ip link set dev wire up
    for n in client peer-a peer-b; do
        ip netns add $n
        ip netns exec $n bash -c "$no_ipv6"
        ip -n $n link set dev lo up
    done
    ip link add wire-client type veth peer name eth0 netns client
    ip link set dev wire-client master wire up

    case $accel in
        kvm) cpu=host ;;
        # 5-level paging only makes emulated page walks longer.
        tcg) accel=tcg,thread=multi,tb-size=1024 cpu=max,la57=off ;;
    esac
    for h in a b; do
        id=$(host_number $h)
        for n in mgmt pf peer far; do
            ip tuntap add dev $n-$h mode tap
            ip link set dev $n-$h up
        done
        ip link set dev mgmt-$h master mgmt
        ip link set dev pf-$h master wire
        ip link set dev far-$h master wire
        # What else the machine does must not show in what is measured.
        nice -n -10 qemu-system-x86_64 -name "lab-$h" -nodefaults -daemonize -display none \
            -machine q35,kernel-irqchip=split -accel "$accel" -cpu "$cpu" \
            -smp "$cpus" -m "$memory" -kernel "$kernel/vmlinux" \
            -initrd "$boot/initramfs" -append "console=ttyS0 quiet panic=-1 ipv6.disable=1 \
intel_iommu=on iommu=pt mitigations=off tsc=reliable no_timer_check net.ifnames=0 \
lab.name=$h lab.id=$id lab.vfs=$vfs lab.learning=$learning lab.confined=$confined" \
            -no-reboot -serial "file:$state/console-$h" \
            -monitor "unix:$state/monitor-$h,server=on,wait=off" \
            -pidfile "$state/qemu-$h.pid" \
            -device intel-iommu,intremap=on,device-iotlb=on \
            -drive "file=$dir/root-$generation.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe" \
            -netdev tap,id=mgmt,ifname=mgmt-$h,script=no,downscript=no \
            -device virtio-net-pci,netdev=mgmt,mac=02:69:00:00:00:0$id,romfile= \
            -netdev tap,id=peer,ifname=peer-$h,script=no,downscript=no \
            -device virtio-net-pci,netdev=peer,mac=02:71:00:00:00:0$id,romfile= \
            -netdev tap,id=far,ifname=far-$h,script=no,downscript=no \
            -device virtio-net-pci,netdev=far,mac=02:74:00:00:00:0$id,romfile= \
            -device pcie-root-port,id=rp1,bus=pcie.0,addr=0x10,chassis=1,slot=1 \
            -netdev tap,id=pf,ifname=pf-$h,script=no,downscript=no \
            -device igb,bus=rp1,netdev=pf,mac=02:70:00:00:00:0$id,romfile=
        # Where sessions have a niceness of their own, that of a process counts only within its one
        # (sched(7), "The autogroup feature").
        unshare --mount sh -c 'mount -t proc proc /proc && echo -10 > "/proc/$(cat "$1")/autogroup"' \
            sh "$state/qemu-$h.pid" 2> /dev/null || true
        ip link set dev peer-$h netns peer-$h
        ip -n peer-$h link set dev peer-$h name eth0
    done

    # A vantage has an address in the network of each pair, and knows all guests.
    n=0
    for h in client peer-a peer-b; do
        n=$((n + 1))
        ip -n $h link set dev eth0 address 02:73:00:00:00:0$n
        ip -n $h link set dev eth0 up
        for p in 0 1 2 3; do
            ip -n $h addr add 10.$((70 + p)).0.$n/16 dev eth0
            for g in 1 2 3 4 5 6 7 8; do
                ip -n $h neigh add 10.$((70 + p)).1.$g dev eth0 nud permanent \
                    lladdr "$(printf '02:72:00:00:%02x:%02x' $g $p)"
            done
        done
    done
    touch "$state/started"
    # It must not end, and has children to wait for: whom QEMU leaves behind.
    while :; do
        sleep 1000000 &
        wait $! || true
    done
}

cmd_down()
{
    local pid

    trap - EXIT INT TERM HUP
    pid=$(supervisor) || return 0
    kill -KILL "$pid"
    while supervisor > /dev/null; do
        sleep 0.05
    done
    rm -f "$state/pid" "$state/started"
}

cmd_kill()
{
    [[ $# -eq 1 ]] || die "kill: want a hypervisor (a or b)"
    host_number "$1" > /dev/null
    need_lab kill
    # Its number is one of the supervisor's own namespace.
    nsenter -t "$lab_pid" -m -p -- sh -c 'kill -KILL "$(cat "$1")"' sh "$state/qemu-$1.pid"
}

# agent_run "OPTIONS" a|b CMD...
agent_run()
{
    local options=$1 id

    id=$(host_number "$2") || exit 2
    shift 2
    lab_pid=$(supervisor) || die "the lab is not up: run 'lab up' first"
    # shellcheck disable=SC2086 # options are words
    nsenter -t "$lab_pid" -n "$dir/bin/agent" run $options "10.69.0.1$id" $agent_port "$@"
}

cmd_run()
{
    local options= log=

    while [[ $# -gt 0 ]]; do
        case $1 in
            --timeout) options+=" -t ${2:-}"; shift 2 ;;
            --detach) log=${2:-}; shift 2 ;;
            --no-input) options+=" -n"; shift ;;
            -*) die "run: unknown option '$1'" ;;
            *) break ;;
        esac
    done
    [[ $# -ge 2 ]] || die "run: want a hypervisor (a or b) and a command"
    [[ -t 0 ]] && options+=" -n"
    local host=$1
    shift
    if [[ -n $log ]]; then
        agent_run "-n" "$host" sh -c \
            'log=$1; shift; setsid "$@" < /dev/null > "$log" 2>&1 & echo $!' sh "$log" "$@"
    elif [[ $# -eq 1 ]]; then
        agent_run "$options" "$host" sh -c "$1"
    else
        agent_run "$options" "$host" "$@"
    fi
}

cmd_push()
{
    [[ $# -eq 2 && -d $2 ]] || die "push: want a hypervisor (a or b) and a directory"
    # /lib and the like are links there, and stay so.
    tar -C "$2" -c . |
        agent_run "" "$1" tar -C / -xm --no-same-owner --keep-directory-symlink
}

cmd_restart_libvirtd()
{
    [[ $# -eq 1 ]] || die "restart-libvirtd: want a hypervisor (a or b)"
    agent_run "-n -t 60" "$1" /lab/restart-libvirtd
}

cmd_virsh()
{
    [[ $# -ge 2 ]] || die "virsh: want a hypervisor (a or b) and virsh's arguments"
    local host=$1
    host_number "$host" > /dev/null
    shift
    need_lab virsh
    inside lab virsh -c "qemu+tcp://$host/system" "$@"
}

cmd_ns()
{
    [[ $# -ge 2 ]] || die "ns: want lab, client, peer-a or peer-b, and a command"
    need_lab ns
    inside "$@"
}

cmd_status()
{
    local pid h

    pid=$(supervisor) || { echo "down"; return 1; }
    echo "up: process $pid, files in $dir"
    for h in a b; do
        agent_run "-n -t 20" $h sh -c \
            'echo "$(hostname): $(libvirtd --version), up $(cut -d. -f1 /proc/uptime) s"; virsh -q list --all' || true
    done
}

cmd_logs()
{
    local h

    [[ $# -eq 1 ]] || die "logs: want a directory"
    mkdir -p "$1"
    for h in a b; do
        mkdir -p "$1/$h"
        cp "$state/console-$h" "$1/$h/console" 2>/dev/null || true
        agent_run "-n -t 60" $h sh -c \
            'dmesg > /run/dmesg; ip -d link > /run/links; bridge fdb > /run/fdb; virt-teaming status > /run/status 2>&1; cd / && tar -c --ignore-failed-read run/dmesg run/links run/fdb run/status var/log run/libvirt/qemu run/virt-teaming 2>/dev/null' |
            tar -C "$1/$h" -x 2>/dev/null || true
    done
    cp "$state/supervise.log" "$1/" 2>/dev/null || true
}

cmd_domain()
{
    local name= vf=network pairs=1 memory=192 number=1 first=0 cmdline= backing= p mac
    local boot= rom="<rom enabled='no'/>" schema= arguments= at= element=

    while [[ $# -gt 0 ]]; do
        case $1 in
            --vf) vf=${2:-}; shift 2 ;;
            --pairs) pairs=${2:-}; shift 2 ;;
            --memory) memory=${2:-}; shift 2 ;;
            --number) number=${2:-}; shift 2 ;;
            --first-vf) first=${2:-}; shift 2 ;;
            --cmdline) cmdline=${2:-}; shift 2 ;;
            --preallocate)
                backing="<memoryBacking><allocation mode='immediate'/></memoryBacking>"
                shift ;;
            --pxe)
                boot="<boot dev='network'/>" rom=
                shift ;;
            --native-hotplug)
                # libvirt has no element for it.
                schema=" xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
                arguments="<qemu:commandline><qemu:arg value='-global'/><qemu:arg \
value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/></qemu:commandline>"
                shift ;;
            -*) die "domain: unknown option '$1'" ;;
            *) name=$1; shift ;;
        esac
    done
    [[ -n $name && $vf =~ ^(network|hostdev|plain|none)$ && $pairs =~ ^[1-4]$ &&
       $number =~ ^[1-8]$ && $memory =~ ^[0-9]+$ && $first =~ ^[0-6]$ ]] ||
        die "domain: want a name, --vf network, hostdev, plain or none, --pairs 1 to 4," \
            "--number 1 to 8, --memory MiB, --first-vf 0 to 6"

    [[ -n $boot ]] || boot="<kernel>/lab/vmlinux</kernel>
    <initrd>/lab/initramfs</initrd>
    <cmdline>console=ttyS0 quiet mitigations=off tsc=reliable ipv6.disable=1 net.ifnames=0 \
lab.guest=$number $cmdline</cmdline>"

    cat <<XML
<domain type='kvm'$schema>
  <name>$name</name>
  <uuid>6d1f6f5e-0000-4000-8000-00000000000$number</uuid>
  <memory unit='MiB'>$memory</memory>
  <vcpu>1</vcpu>
  $backing
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    $boot
  </os>
  <features><acpi/><apic/></features>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
XML
    for ((p = 0; p < 2 * pairs; p++)); do
        cat <<XML
    <controller type='pci' index='$((p + 1))' model='pcie-root-port'>
      <target chassis='$((p + 1))' port='0x$((p + 10))'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x0$((p + 2))' function='0x0'/>
    </controller>
XML
    done
    for ((p = 0; p < pairs; p++)); do
        mac=$(printf '02:72:00:00:%02x:%02x' "$number" $p)
        cat <<XML
    <interface type='bridge'>
      <mac address='$mac'/>
      <source bridge='br0'/>
      <model type='virtio'/>
XML
        [[ $vf = none ]] || echo "      <teaming type='persistent'/>"
        cat <<XML
      <alias name='ua-standby$p'/>
      $rom
      <address type='pci' domain='0x0000' bus='0x0$((2 * p + 1))' slot='0x00' function='0x0'/>
    </interface>
XML
        # VF n of the 82576 is function 2n after an offset of 128.
        at="<source><address type='pci' domain='0x0000' bus='0x01' slot='0x1$(((first + p) / 4))' \
function='0x$((2 * ((first + p) % 4)))'/></source>"
        element=interface
        case $vf in
            none) continue ;;
            network)
                echo "    <interface type='network'>"
                echo "      <source network='sriov0'/>" ;;
            hostdev)
                echo "    <interface type='hostdev' managed='yes'>"
                echo "      $at" ;;
            plain)
                element=hostdev
                echo "    <hostdev mode='subsystem' type='pci' managed='yes'>"
                echo "      $at" ;;
        esac
        [[ $vf = plain ]] || echo "      <mac address='$mac'/>"
        cat <<XML
      <teaming type='transient' persistent='ua-standby$p'/>
      <alias name='ua-primary$p'/>
      <rom enabled='no'/>
      <address type='pci' domain='0x0000' bus='0x0$((2 * p + 2))' slot='0x00' function='0x0'/>
    </$element>
XML
    done
    cat <<XML
    <serial type='pty'>
      <log file='/var/log/libvirt/qemu/$name-console.log' append='on'/>
      <target port='0'/>
    </serial>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
  $arguments
</domain>
XML
}

# meter_at GUEST PAIR [outside]: the arguments of the meter for a pair of a guest, seen from
# everywhere or only from outside, in "meter_target".
meter_at()
{
    need_lab "guest and meter"
    local ns=/proc/$lab_pid/root/run/netns
    meter_target=(--guest "10.$((70 + $2)).1.$1:7000" --vantage "outside=$ns/client")
    [[ ${3:-} = outside ]] ||
        meter_target+=(--vantage "peer-a=$ns/peer-a" --vantage "peer-b=$ns/peer-b")
}

cmd_meter()
{
    local pair=0 number=1 from=

    while [[ $# -gt 0 ]]; do
        case $1 in
            --pair) pair=${2:-}; shift 2 ;;
            --number) number=${2:-}; shift 2 ;;
            --outside-only) from=outside; shift ;;
            *) break ;;
        esac
    done
    meter_at "$number" "$pair" "$from"
    exec "$dir/bin/meter" "${meter_target[@]}" "$@"
}

cmd_guest()
{
    local number=1 timeout=10

    while [[ $# -gt 0 ]]; do
        case $1 in
            --number) number=${2:-}; shift 2 ;;
            --timeout) timeout=${2:-}; shift 2 ;;
            *) break ;;
        esac
    done
    [[ $# -gt 0 ]] || die "guest: want a command"
    meter_at "$number" 0
    "$dir/bin/meter" command "${meter_target[@]}" --timeout "$timeout" "$*"
}

# Paired: the VF's driver runs below a failover master, with carrier.
cmd_wait_guest()
{
    local number=1 timeout=60 paired=0 end n=

    while [[ $# -gt 0 ]]; do
        case $1 in
            --number) number=${2:-}; shift 2 ;;
            --timeout) timeout=${2:-}; shift 2 ;;
            --paired) paired=${2:-}; shift 2 ;;
            *) die "wait-guest: unknown option '$1'" ;;
        esac
    done
    need_lab wait-guest
    end=$((SECONDS + timeout))
    while [[ $SECONDS -lt $end ]]; do
        n=$(cmd_guest --number "$number" --timeout 2 \
                'cat /sys/bus/pci/drivers/igbvf/*/net/*/carrier 2>/dev/null | grep -c 1; true' \
                2>/dev/null) || continue
        [[ $n -lt $paired ]] || return 0
        sleep 0.3
    done
    [[ -n $n ]] ||
        die "wait-guest: guest $number did not answer within $timeout s: is it running?"
    die "wait-guest: guest $number has $n of $paired VFs with carrier after $timeout s"
}
