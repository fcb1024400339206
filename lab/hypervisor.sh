# SPDX-License-Identifier: LGPL-2.1-or-later
# Run by build.sh in a hypervisor's root file system: configures libvirt and QEMU.

id libvirt-qemu >/dev/null 2>&1 || {
    # libvirt looks this user up whatever qemu.conf says.
    groupadd -f -g 64055 libvirt-qemu
    groupadd -f kvm
    useradd -M -K UID_MAX=65000 -u 64055 -g libvirt-qemu -d /var/lib/libvirt -s /usr/sbin/nologin libvirt-qemu
}
mkdir -p /etc/libvirt/hooks/qemu.d /etc/libvirt/qemu/networks/autostart /lab \
    /var/log/libvirt/qemu /var/lib/libvirt/qemu /etc/virt-teaming

cat > /etc/libvirt/qemu.conf <<'CONF'
# What only systemd, AppArmor or virtlogd would offer is off, but see "up --confined".
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
migration_host = "@HOST@"
CONF
# The log filters keep hooks, VF handling and monitor events readable.
cat > /etc/libvirt/libvirtd.conf <<'CONF'
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "@UUID@"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
CONF

cat > /etc/libvirt/qemu/networks/sriov0.xml <<'XML'
<network>
  <name>sriov0</name>
  <uuid>5f0a6f5e-2d3b-4a3f-9a52-c0ffee000001</uuid>
  <forward mode='hostdev' managed='yes'>
    <pf dev='pf0'/>
  </forward>
</network>
XML
ln -sf ../sriov0.xml /etc/libvirt/qemu/networks/autostart/sriov0.xml

cat > /lab/restart-libvirtd <<'SH'
#!/bin/sh
# Starts libvirtd, ending the one that runs; returns when it answers.
pid=$(cat /run/libvirtd.pid 2>/dev/null)
if [ -n "$pid" ] && kill "$pid" 2>/dev/null; then
    while [ -d "/proc/$pid" ]; do sleep 0.05; done
fi
rm -f /run/libvirt/libvirt-sock
/usr/sbin/libvirtd --listen --daemon --pid-file /run/libvirtd.pid || exit 1
n=0
until [ -S /run/libvirt/libvirt-sock ]; do
    n=$((n + 1))
    [ $n -lt 600 ] || { echo "libvirtd did not open its socket" >&2; exit 1; }
    sleep 0.05
done
SH
chmod 755 /lab/restart-libvirtd
