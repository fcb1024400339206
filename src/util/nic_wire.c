/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_wire.c: raw frames into and out of a NIC, and VFs that come and go
 */

/*
 * Theory of operation
 *
 * Frames are of Ethertype 0x88b5, which IEEE 802 sets aside for local experiments, and
 * carry a number drawn at random, so that nothing else is taken for them. Each end is
 * one packet socket. It listens to all protocols and filters for ours, because frames
 * that come in on a bridge port never get to a socket that asks for one protocol
 * (__netif_receive_skb_core() in net/core/dev.c: taps, then the bridge, then the rest).
 * PF and peer are promiscuous while the socket is open; a VF is not, for what its
 * filter admits is the question.
 *
 * The VF that is tried is moved to a network namespace that nobody else knows, so that
 * nothing configures it or speaks through it. The namespace has no name: it goes with
 * this process, however that ends, and Linux then moves the VF's netdev back to where it
 * came from. The thread is in it only while it opens a socket there.
 *
 * The netdev is put back by binding the driver once more, which makes a new one. It is
 * given the old name, MAC, MTU and state; what else was set on the old one is gone.
 */

#include "nic_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "teaming_error.h"
#include "teaming_frame.h"

/* How long a driver may take to show a netdev after it was bound; milliseconds. */
#define VIR_TEAMING_NIC_NETDEV_MS 5000

typedef struct {
    guint8 to[6];
    guint8 from[6];
    guint16 type;                   /* big endian */
    guint8 nonce[8];
    guint8 tag[4];                  /* a number, of the host's byte order */
    guint8 padding[34];             /* to 60 octets, the least that Ethernet carries */
} virTeamingNicFrame;

G_STATIC_ASSERT(sizeof(virTeamingNicFrame) == 60);

typedef struct {
    virTeamingNicWire parent;
    virTeamingKernel *kernel;
    int ends[VIR_TEAMING_NIC_END_LAST];     /* packet sockets; -1: no such end */
    guint8 nonce[8];
    int hostNs;
    int ownNs;                      /* -1: not made yet */
    int control;                    /* a socket of ownNs, for ioctl; -1: no VF taken */
    char vf[IF_NAMESIZE];           /* name in ownNs */
} virTeamingNicWireReal;


/* Sets @error from errno. */
static void G_GNUC_PRINTF(2, 3)
virTeamingNicWireSetError(GError **error,
                          const char *format,
                          ...)
{
    int err = errno;
    g_autofree char *what = NULL;
    gboolean access = err == EPERM || err == EACCES;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, VIR_TEAMING_ERROR,
                access ? VIR_TEAMING_ERROR_ACCESS : VIR_TEAMING_ERROR_SYSTEM,
                "cannot %s: %s%s", what, g_strerror(err), access ? "; run it as root" : "");
}


/* ---- drivers ---- */

/* Writes the address of @vf into a file of sysfs. */
static gboolean
virTeamingNicWireOrder(const virTeamingPciAddress *vf,
                       const char *path,
                       const char *what,
                       GError **error)
{
    char address[VIR_TEAMING_PCI_STRING_LEN];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    gboolean good;

    virTeamingPciAddressFormat(vf, address);
    good = fd >= 0 && write(fd, address, strlen(address)) == (ssize_t)strlen(address);
    if (!good)
        virTeamingNicWireSetError(error, "%s VF %s (%s)", what, address, path);
    if (fd >= 0)
        close(fd);
    return good;
}


static gboolean
virTeamingNicWireRealUnbind(virTeamingNicWire *wire,
                            const virTeamingPciAddress *vf,
                            GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    virTeamingPciDevice device;
    g_autofree char *path = NULL;
    char address[VIR_TEAMING_PCI_STRING_LEN];

    if (!virTeamingKernelPciGetDevice(real->kernel, vf, &device, error))
        return FALSE;
    if (!device.driver[0])
        return TRUE;
    if (virTeamingPciDriverIsVfio(device.driver)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_BUSY,
                    "cannot take the driver from VF %s: a guest may have it (driver %s)",
                    virTeamingPciAddressFormat(vf, address), device.driver);
        return FALSE;
    }
    path = g_build_filename("/sys/bus/pci/drivers", device.driver, "unbind", NULL);
    return virTeamingNicWireOrder(vf, path, "take the driver from", error);
}


/**
 * virTeamingNicWireMayBind:
 * @vf: a VF
 * @error: set to UNSUPPORTED
 *
 * Linux refuses that with ENODEV, also to whoever asks for it by "bind" (pci_device_can_probe()
 * in drivers/pci/pci-driver.c).
 *
 * Returns: whether a driver can be bound to @vf.
 */
gboolean
virTeamingNicWireMayBind(const virTeamingPciDevice *vf,
                         GError **error)
{
    char address[VIR_TEAMING_PCI_STRING_LEN];

    if (!vf->noDriver)
        return TRUE;
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                "cannot give a driver to VF %s: its PF is set to let none take its VFs; for the "
                "time of the probe: echo 1 > /sys/bus/pci/devices/%s/sriov_drivers_autoprobe",
                virTeamingPciAddressFormat(&vf->address, address), vf->physfn);
    return FALSE;
}


static gboolean
virTeamingNicWireRealBind(virTeamingNicWire *wire,
                          const virTeamingPciAddress *vf,
                          const char *driver,
                          GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    virTeamingPciDevice device;
    g_autofree char *path = driver ?
        g_build_filename("/sys/bus/pci/drivers", driver, "bind", NULL) :
        g_strdup("/sys/bus/pci/drivers_probe");
    char address[VIR_TEAMING_PCI_STRING_LEN];

    if (!virTeamingKernelPciGetDevice(real->kernel, vf, &device, error))
        return FALSE;
    if (device.driver[0])
        return TRUE;
    if (!virTeamingNicWireMayBind(&device, error) ||
        !virTeamingNicWireOrder(vf, path, "give a driver to", error) ||
        !virTeamingKernelPciGetDevice(real->kernel, vf, &device, error))
        return FALSE;
    if (!device.driver[0]) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                    "no driver takes VF %s; load the driver of this NIC's VFs with modprobe",
                    virTeamingPciAddressFormat(vf, address));
        return FALSE;
    }
    return TRUE;
}


/* ---- links ---- */

/* The netdev of @vf, which may still be on its way. */
static gboolean
virTeamingNicWireAwaitNetdev(virTeamingNicWireReal *real,
                             const virTeamingPciAddress *vf,
                             virTeamingLink *ret,
                             GError **error)
{
    char address[VIR_TEAMING_PCI_STRING_LEN];

    for (guint waited = 0; waited < VIR_TEAMING_NIC_NETDEV_MS; waited += 20) {
        virTeamingPciDevice device;

        if (!virTeamingKernelPciGetDevice(real->kernel, vf, &device, error))
            return FALSE;
        /* It may be renamed between the two questions. */
        if (device.netdev[0] && virTeamingKernelLinkGet(real->kernel, device.netdev, ret, NULL))
            return TRUE;
        g_usleep(20 * 1000);
    }
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                "the driver of VF %s shows no network interface",
                virTeamingPciAddressFormat(vf, address));
    return FALSE;
}


static gboolean
virTeamingNicWireSetUp(int control,
                       const char *ifname,
                       gboolean up,
                       GError **error)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    if (ioctl(control, SIOCGIFFLAGS, &request) == 0) {
        if (up)
            request.ifr_flags |= IFF_UP;
        else
            request.ifr_flags &= ~IFF_UP;
        if (ioctl(control, SIOCSIFFLAGS, &request) == 0)
            return TRUE;
    }
    virTeamingNicWireSetError(error, "switch '%s' %s", ifname, up ? "on" : "off");
    return FALSE;
}


static gboolean
virTeamingNicWireSetName(int control,
                         const char *ifname,
                         const char *name,
                         GError **error)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    g_strlcpy(request.ifr_newname, name, sizeof(request.ifr_newname));
    if (ioctl(control, SIOCSIFNAME, &request) == 0)
        return TRUE;
    virTeamingNicWireSetError(error, "give '%s' its name '%s' back", ifname, name);
    return FALSE;
}


static void
virTeamingNicWireSetMac(int control,
                        const char *ifname,
                        const virTeamingMac *mac)
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    memcpy(request.ifr_hwaddr.sa_data, mac->addr, sizeof(mac->addr));
    /* A driver refuses what is not as the PF has it; the PF is right then. */
    if (ioctl(control, SIOCSIFHWADDR, &request) < 0)
        g_debug("'%s' keeps its MAC: %s", ifname, g_strerror(errno));
}


static void
virTeamingNicWireSetMtu(int control,
                        const char *ifname,
                        guint mtu)
{
    struct ifreq request = { .ifr_mtu = mtu };

    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    /* A driver takes none above the PF's, which may be another by now. */
    if (ioctl(control, SIOCSIFMTU, &request) < 0)
        g_debug("'%s' keeps its MTU: %s", ifname, g_strerror(errno));
}


/* ---- ends ---- */

/* A packet socket of @ifname in the thread's namespace, or -1. */
static int
virTeamingNicWireOpenEnd(const char *ifname,
                         gboolean promiscuous,
                         GError **error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, G_STRUCT_OFFSET(virTeamingNicFrame, type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VIR_TEAMING_FRAME_ETHERTYPE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog filter = { G_N_ELEMENTS(code), code };
    const int on = 1;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = if_nametoindex(ifname),
    };
    struct packet_mreq membership = {
        .mr_ifindex = address.sll_ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };
    /* Protocol 0: nothing is received before it is bound. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && address.sll_ifindex &&
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0 &&
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0 &&
        (!promiscuous || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership,
                                    sizeof(membership)) == 0) &&
        bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;

    virTeamingNicWireSetError(error, "send and receive frames on '%s'", ifname);
    if (fd >= 0)
        close(fd);
    return -1;
}


/* Moves the thread between the host's and our own network namespace. */
static void
virTeamingNicWireEnterNs(int ns)
{
    /* To go on in the wrong one would change the wrong things. */
    if (setns(ns, CLONE_NEWNET) < 0)
        g_error("cannot change the network namespace: %s", g_strerror(errno));
}


static gboolean
virTeamingNicWireMakeNs(virTeamingNicWireReal *real,
                        GError **error)
{
    if (real->ownNs >= 0)
        return TRUE;
    if (unshare(CLONE_NEWNET) < 0) {
        virTeamingNicWireSetError(error, "make a network namespace");
        return FALSE;
    }
    if ((real->ownNs = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
        virTeamingNicWireSetError(error, "open the new network namespace");
    /* The VF shall be silent. Without IPv6 in the kernel, it is. */
    if (g_file_test("/proc/sys/net/ipv6/conf/default", G_FILE_TEST_IS_DIR)) {
        int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "1", 1) != 1)
            g_debug("cannot switch IPv6 off: %s", g_strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    virTeamingNicWireEnterNs(real->hostNs);
    return real->ownNs >= 0;
}


/* Moves @link into our namespace, where it has the name that it has in @link: udev, which gives a
 * VF another one as soon as it is bound, may have done so since. */
static gboolean
virTeamingNicWireMove(virTeamingNicWireReal *real,
                      const virTeamingLink *link,
                      GError **error)
{
    struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = link->ifindex };
    struct nl_sock *sock = nl_socket_alloc();
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
    int rc = -NLE_NOMEM;

    if (sock && msg && (rc = nl_connect(sock, NETLINK_ROUTE)) == 0 &&
        (rc = nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO)) == 0 &&
        (rc = nla_put_u32(msg, IFLA_NET_NS_FD, real->ownNs)) == 0 &&
        (rc = nla_put_string(msg, IFLA_IFNAME, link->name)) == 0 &&
        (rc = nl_send_auto(sock, msg)) >= 0)
        rc = nl_wait_for_ack(sock);
    if (rc < 0)
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot move '%s' to a network namespace: %s", link->name,
                    nl_geterror(rc));
    nlmsg_free(msg);
    nl_socket_free(sock);
    return rc >= 0;
}


static void
virTeamingNicWireRealDrop(virTeamingNicWire *wire)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    int *fds[] = { &real->ends[VIR_TEAMING_NIC_END_VF], &real->control };

    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}


static gboolean
virTeamingNicWireRealTake(virTeamingNicWire *wire,
                          const virTeamingPciAddress *vf,
                          virTeamingMac *mac,
                          GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    virTeamingLink link;
    gboolean good;

    if (!virTeamingNicWireMakeNs(real, error) ||
        !virTeamingNicWireAwaitNetdev(real, vf, &link, error) ||
        !virTeamingNicWireMove(real, &link, error))
        return FALSE;

    g_strlcpy(real->vf, link.name, sizeof(real->vf));
    *mac = link.mac;
    virTeamingNicWireEnterNs(real->ownNs);
    real->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    good = virTeamingNicWireSetUp(real->control, real->vf, TRUE, error) &&
        (real->ends[VIR_TEAMING_NIC_END_VF] =
         virTeamingNicWireOpenEnd(real->vf, FALSE, error)) >= 0;
    virTeamingNicWireEnterNs(real->hostNs);
    if (!good)
        virTeamingNicWireRealDrop(wire);
    return good;
}


static gboolean
virTeamingNicWireRealReady(virTeamingNicWire *wire)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, real->vf, sizeof(request.ifr_name));
    return ioctl(real->control, SIOCGIFFLAGS, &request) == 0 &&
        (request.ifr_flags & IFF_RUNNING);
}


static gboolean
virTeamingNicWireRealSettle(virTeamingNicWire *wire,
                            const virTeamingPciAddress *vf,
                            const char *name,
                            const virTeamingMac *mac,
                            guint mtu,
                            gboolean up,
                            GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_autoptr(GError) reason = NULL;
    virTeamingLink link;
    gboolean named = FALSE;

    /* udev, which renames too, may be faster; then it is named at the second look. */
    for (guint i = 0; i < 3 && !named; i++) {
        g_clear_error(&reason);
        if (!virTeamingNicWireAwaitNetdev(real, vf, &link, &reason))
            break;
        named = strcmp(link.name, name) == 0 ||
            (virTeamingNicWireSetUp(control, link.name, FALSE, &reason) &&
             virTeamingNicWireSetName(control, link.name, name, &reason));
    }
    if (named && !virTeamingMacEqual(&link.mac, mac))
        virTeamingNicWireSetMac(control, name, mac);
    if (named && mtu && link.mtu != mtu)
        virTeamingNicWireSetMtu(control, name, mtu);
    /* Whatever @link says: to be renamed it was switched off. */
    if (named)
        named = virTeamingNicWireSetUp(control, name, up, &reason);
    if (control >= 0)
        close(control);
    if (!named)
        g_propagate_error(error, g_steal_pointer(&reason));
    return named;
}


/* ---- frames ---- */

static gint64
virTeamingNicWireRealNow(virTeamingNicWire *wire)
{
    return g_get_monotonic_time();
}


static gboolean
virTeamingNicWireRealSend(virTeamingNicWire *wire,
                          virTeamingNicEnd from,
                          const virTeamingMac *to,
                          guint tag,
                          GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    /* A sender's own address, so that a switch on the way never sees one move. */
    virTeamingNicFrame frame = {
        .from = { 0x02, 0x88, 0xb5, real->nonce[0], real->nonce[1], from },
        .type = htons(VIR_TEAMING_FRAME_ETHERTYPE),
    };
    const guint32 number = tag;

    memcpy(frame.tag, &number, sizeof(frame.tag));
    memcpy(frame.to, to->addr, sizeof(frame.to));
    memcpy(frame.nonce, real->nonce, sizeof(frame.nonce));
    /* A full queue is a frame lost; the wire loses some as well. */
    if (send(real->ends[from], &frame, sizeof(frame), 0) < 0 && errno != ENOBUFS &&
        errno != EAGAIN) {
        virTeamingNicWireSetError(error, "send a frame");
        return FALSE;
    }
    return TRUE;
}


/* Appends to @arrivals what has come in at @end. */
static gboolean
virTeamingNicWireDrain(virTeamingNicWireReal *real,
                       virTeamingNicEnd end,
                       GArray *arrivals,
                       GError **error)
{
    virTeamingNicFrame frame;
    ssize_t len;

    while ((len = recv(real->ends[end], &frame, sizeof(frame), MSG_TRUNC)) >= 0) {
        virTeamingNicArrival arrival = { .end = end };
        guint32 number;

        memcpy(&number, frame.tag, sizeof(number));
        arrival.tag = number;
        if (len >= sizeof(frame) &&
            memcmp(frame.nonce, real->nonce, sizeof(frame.nonce)) == 0)
            g_array_append_val(arrivals, arrival);
    }
    if (errno == EAGAIN || errno == EINTR)
        return TRUE;
    virTeamingNicWireSetError(error, "receive frames");
    return FALSE;
}


static gboolean
virTeamingNicWireRealReceive(virTeamingNicWire *wire,
                             guint ms,
                             GArray *arrivals,
                             GError **error)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;
    gint64 end = g_get_monotonic_time() + ms * G_GINT64_CONSTANT(1000);
    gint64 left;

    while ((left = end - g_get_monotonic_time()) > 0) {
        struct timespec timeout = { left / G_USEC_PER_SEC, left % G_USEC_PER_SEC * 1000 };
        struct pollfd polled[VIR_TEAMING_NIC_END_LAST];

        /* A negative one is passed over. */
        for (virTeamingNicEnd i = 0; i < VIR_TEAMING_NIC_END_LAST; i++)
            polled[i] = (struct pollfd){ real->ends[i], POLLIN, 0 };
        if (ppoll(polled, G_N_ELEMENTS(polled), &timeout, NULL) < 0 && errno != EINTR) {
            virTeamingNicWireSetError(error, "wait for frames");
            return FALSE;
        }
        for (virTeamingNicEnd i = 0; i < VIR_TEAMING_NIC_END_LAST; i++) {
            if (real->ends[i] >= 0 && !virTeamingNicWireDrain(real, i, arrivals, error))
                return FALSE;
        }
    }
    return TRUE;
}


static void
virTeamingNicWireRealFree(virTeamingNicWire *wire)
{
    virTeamingNicWireReal *real = (virTeamingNicWireReal *)wire;

    virTeamingNicWireRealDrop(wire);
    for (virTeamingNicEnd i = 0; i < VIR_TEAMING_NIC_END_LAST; i++) {
        if (real->ends[i] >= 0)
            close(real->ends[i]);
    }
    if (real->hostNs >= 0)
        close(real->hostNs);
    if (real->ownNs >= 0)
        close(real->ownNs);
    g_free(real);
}


static const virTeamingNicWireOps virTeamingNicWireRealOps = {
    .free = virTeamingNicWireRealFree,
    .now = virTeamingNicWireRealNow,
    .unbind = virTeamingNicWireRealUnbind,
    .bind = virTeamingNicWireRealBind,
    .take = virTeamingNicWireRealTake,
    .ready = virTeamingNicWireRealReady,
    .drop = virTeamingNicWireRealDrop,
    .settle = virTeamingNicWireRealSettle,
    .send = virTeamingNicWireRealSend,
    .receive = virTeamingNicWireRealReceive,
};


/**
 * virTeamingNicWireNew:
 * @kernel: the kernel; must live longer
 * @pf: name of the PF
 * @peer: name of the interface that is the other end of the wire, or NULL
 * @error: set to ACCESS or SYSTEM if no frames can be sent there
 *
 * Changes nothing yet, except that both are promiscuous from now on. It belongs to the
 * thread that made it.
 *
 * Returns: (transfer full): a wire, or NULL.
 */
virTeamingNicWire *
virTeamingNicWireNew(virTeamingKernel *kernel,
                     const char *pf,
                     const char *peer,
                     GError **error)
{
    virTeamingNicWireReal *real = g_new0(virTeamingNicWireReal, 1);
    g_autoptr(virTeamingNicWire) wire = &real->parent;

    real->parent.ops = &virTeamingNicWireRealOps;
    real->kernel = kernel;
    real->hostNs = real->ownNs = real->control = -1;
    for (virTeamingNicEnd i = 0; i < VIR_TEAMING_NIC_END_LAST; i++)
        real->ends[i] = -1;
    for (gsize i = 0; i < sizeof(real->nonce); i++)
        real->nonce[i] = g_random_int_range(0, 256);

    if ((real->hostNs = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) < 0) {
        virTeamingNicWireSetError(error, "find the network namespace");
        return NULL;
    }
    if ((real->ends[VIR_TEAMING_NIC_END_PF] = virTeamingNicWireOpenEnd(pf, TRUE, error)) < 0)
        return NULL;
    if (peer && (real->ends[VIR_TEAMING_NIC_END_PEER] =
                 virTeamingNicWireOpenEnd(peer, TRUE, error)) < 0)
        return NULL;
    return g_steal_pointer(&wire);
}


void
virTeamingNicWireFree(virTeamingNicWire *wire)
{
    if (wire)
        wire->ops->free(wire);
}
