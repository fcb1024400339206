/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_kernel_real.c: virTeamingKernel by way of sysfs and rtnetlink
 */

/*
 * Theory of operation
 *
 * PCI functions are read in sysfs, whose root is a parameter so that tests can build a
 * tree of their own. Everything else is rtnetlink: one socket for questions and orders,
 * open all the time, and, while somebody watches, a second one for notifications.
 *
 * libnl builds, sends, receives and takes apart the messages. Its objects (rtnl_link_*,
 * rtnl_link_vf_*, rtnl_neigh_*) are not used, for three reasons:
 * - they know no request for one FDB entry, none for the FDB of one link, and cannot ask
 *   for VFs without their statistics, for which many drivers query the card's firmware;
 *   all this is done every few milliseconds while a guest migrates;
 * - they drop the kernel's own words about an error (extended ACK) and fold many errnos
 *   into one;
 * - an order must say exactly what is meant. Of a VF, rtnl_link_change() sends only what was
 *   set (looked up in 3.7), but to the link it adds an IFLA_AF_SPEC of its own.
 *
 * Each order is one attribute: IFLA_VF_MAC alone leaves VLAN, trust and spoof checking
 * as they are, since the kernel calls one driver function for each attribute in the
 * message (do_setvfinfo() in net/core/rtnetlink.c).
 *
 * Notifications come before all else in the main loop, since who waits for one wants to be quick.
 * But GLib dispatches nothing of lower priority in an iteration in which something of higher is
 * ready (g_main_context_check()), and anybody who sends frames by a bridge, a guest with ever new
 * MACs, can have one ready always. So as long as they don't end they are one among others.
 */

#include "teaming_kernel_priv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_bonding.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "teaming_error.h"

/* linux/if.h has it, but does not go together with net/if.h everywhere. */
#define VIR_TEAMING_IFF_LOWER_UP 0x10000

/* PCI Local Bus Specification: the command register, and Bus Master Enable in it. */
#define VIR_TEAMING_PCI_COMMAND 4
#define VIR_TEAMING_PCI_COMMAND_MASTER 0x4

/* Some ten thousand notifications, as many as hundreds of guests may cause when they start. A look
 * at all there is, which each loss asks for, costs more. */
#define VIR_TEAMING_WATCH_BUFFER (8 * 1024 * 1024)
/* For as long everything else may have to wait for notifications. */
#define VIR_TEAMING_WATCH_STORM_US (5 * 1000)
/* To be told that something was lost means to look at everything: not more often than so. */
#define VIR_TEAMING_WATCH_LOST_US (100 * 1000)
/* Links whose names are kept while a batch of notifications is read. */
#define VIR_TEAMING_WATCH_NAMES 8

typedef struct {
    virTeamingKernel parent;
    char *sysfs;
    struct nl_sock *sock;
    int sender;                     /* a packet socket that hears nothing; -1: not open */
    struct nl_sock *watchSock;
    GSource *watchSource;
    GSource *watchTurn;             /* has its turn when all others have theirs */
    gint64 watchBusy;               /* when that began to wait; 0: it does not */
    gboolean watchStorm;            /* @watchSource is one among others */
    gboolean watchHeard;            /* something, since @watchTurn had its turn */
    gboolean watchLost;             /* something, and that has not been told yet */
    gint64 watchLostAt;             /* when it was told last */
    GSource *watchLoss;             /* due when it may be told again */
} virTeamingKernelReal;

/* What links are called, for the moment. */
typedef struct {
    struct {
        guint ifindex;
        char name[IF_NAMESIZE];     /* "": there is no such link any more */
    } names[VIR_TEAMING_WATCH_NAMES];
    guint n;
} virTeamingNlNames;

typedef struct {
    virTeamingPciHandle parent;
    int dir;
    int config;
} virTeamingPciHandleReal;


/* ---- sysfs ---- */

/* Last component of where the link @name in @dir points to, or "". */
static void
virTeamingSysfsReadLink(int dir,
                        const char *name,
                        char *ret,
                        gsize size)
{
    char target[PATH_MAX];
    const char *base;
    ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

    target[MAX(len, 0)] = '\0';
    base = strrchr(target, '/');
    g_strlcpy(ret, base ? base + 1 : target, size);
}


/* The number in the file @name of @dir, or @fallback. */
static gint64
virTeamingSysfsReadNumber(int dir,
                          const char *name,
                          gint64 fallback)
{
    char text[32];
    char *end;
    ssize_t len;
    gint64 value;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fallback;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0)
        return fallback;
    text[len] = '\0';
    value = g_ascii_strtoll(text, &end, 0);
    return end == text ? fallback : value;
}


static int
virTeamingSysfsCompareNames(gconstpointer a,
                            gconstpointer b)
{
    return strcmp(*(char * const *)a, *(char * const *)b);
}


/*
 * Names in the directory @name of @dir, in ascending order. A directory that is not
 * there is empty: sysfs shows no net/ and no msi_irqs/ where there would be nothing in it.
 */
static GPtrArray *
virTeamingSysfsReadDir(int dir,
                       const char *name)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!stream) {
        if (fd >= 0)
            close(fd);
        return names;
    }
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] != '.')
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    closedir(stream);
    g_ptr_array_sort(names, virTeamingSysfsCompareNames);
    return names;
}


/* Opens the directory of a PCI function, just to look things up in it. Returns: 0, or an errno. */
static int
virTeamingPciOpenDir(virTeamingKernel *kernel,
                     const virTeamingPciAddress *address,
                     int *dir)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    g_autofree char *path = g_strdup_printf("%s/bus/pci/devices/%s", real->sysfs,
                                            virTeamingPciAddressFormat(address, buf));

    *dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *dir >= 0 ? 0 : errno == ENOENT ? ENODEV : errno;
}


/* The text of the file net/@netdev/@name of @dir, "" if there is none: of most drivers, reading
 * what tells of a switch gives EOPNOTSUPP. Returns: whether there is. */
static gboolean
virTeamingSysfsReadNetdev(int dir,
                          const char *netdev,
                          const char *name,
                          char *ret,
                          gsize size)
{
    g_autofree char *path = g_strdup_printf("net/%s/%s", netdev, name);
    ssize_t len = 0;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        len = read(fd, ret, size - 1);
        close(fd);
    }
    ret[MAX(len, 0)] = '\0';
    g_strchomp(ret);
    return ret[0] != '\0';
}


/*
 * Is the netdev of a VF's or SF's representor, that is of a port of the switch in the
 * NIC, and not of the function itself? All of them appear under the PF. Kernel's
 * Documentation/networking/switchdev.rst: physical ports are called p<port> or
 * p<port>s<subport>, representors pf<PF>vf<VF> and the like.
 */
static gboolean
virTeamingPciNetdevIsRepresentor(int dir,
                                 const char *netdev)
{
    char name[32];

    return virTeamingSysfsReadNetdev(dir, netdev, "phys_port_name", name, sizeof(name)) &&
        (name[0] != 'p' || strspn(name + 1, "0123456789s") != strlen(name + 1));
}


/* The netdev of the function itself, or "" if there is none in this network namespace. */
static void
virTeamingPciReadNetdev(int dir,
                        char ret[IF_NAMESIZE])
{
    g_autoptr(GPtrArray) names = virTeamingSysfsReadDir(dir, "net");

    ret[0] = '\0';
    for (guint i = 0; i < names->len && !ret[0]; i++) {
        if (!virTeamingPciNetdevIsRepresentor(dir, names->pdata[i]))
            g_strlcpy(ret, names->pdata[i], IF_NAMESIZE);
    }
}


static void
virTeamingPciHandleRealFree(virTeamingPciHandle *handle)
{
    virTeamingPciHandleReal *real = (virTeamingPciHandleReal *)handle;

    if (real->config >= 0)
        close(real->config);
    if (real->dir >= 0)
        close(real->dir);
    g_free(real);
}


static int
virTeamingKernelRealPciOpen(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            virTeamingPciHandle **ret)
{
    virTeamingPciHandleReal *handle = g_new0(virTeamingPciHandleReal, 1);
    int err;

    handle->config = -1;
    err = virTeamingPciOpenDir(kernel, address, &handle->dir);
    if (!err && (handle->config = openat(handle->dir, "config", O_RDONLY | O_CLOEXEC)) < 0)
        err = errno;
    if (err)
        virTeamingPciHandleRealFree(&handle->parent);
    else
        *ret = &handle->parent;
    return err;
}


/*
 * Four system calls while vectors are in use, else one, and no memory: this is what runs
 * in a watch. The directory msi_irqs comes and goes with the vectors, so it cannot be
 * kept open.
 */
static guint
virTeamingPciCountVectors(int dir)
{
    char buf[2048] __attribute__((aligned(8)));
    guint count = 0;
    ssize_t len;
    int fd = openat(dir, "msi_irqs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    while ((len = getdents64(fd, buf, sizeof(buf))) > 0) {
        for (ssize_t pos = 0; pos < len;) {
            struct dirent64 *entry = (struct dirent64 *)(buf + pos);

            if (entry->d_name[0] != '.')
                count++;
            pos += entry->d_reclen;
        }
    }
    close(fd);
    return count;
}


static int
virTeamingPciHandleRealRead(virTeamingPciHandle *handle,
                            gboolean *busMaster,
                            guint *vectors)
{
    virTeamingPciHandleReal *real = (virTeamingPciHandleReal *)handle;
    guint8 command[2];
    ssize_t len = pread(real->config, command, sizeof(command), VIR_TEAMING_PCI_COMMAND);

    if (len != sizeof(command))
        return len < 0 ? errno : ENODATA;
    /* Reserved bits read as 0: this is what a bus returns when no device answers. */
    if (command[0] == 0xff && command[1] == 0xff) {
        virTeamingKernelKeepWords(handle->kernel,
                                  "the device does not answer; is it being reset?");
        return EIO;
    }
    *busMaster = (command[0] & VIR_TEAMING_PCI_COMMAND_MASTER) != 0;
    *vectors = virTeamingPciCountVectors(real->dir);
    return 0;
}


static int
virTeamingKernelRealPciGetState(virTeamingKernel *kernel,
                                const virTeamingPciAddress *address,
                                virTeamingPciState *ret)
{
    g_autoptr(virTeamingPciHandle) handle = NULL;
    int err;

    if ((err = virTeamingKernelRealPciOpen(kernel, address, &handle)))
        return err;
    handle->kernel = kernel;
    if ((err = virTeamingPciHandleRealRead(handle, &ret->busMaster, &ret->vectors)))
        return err;
    virTeamingSysfsReadLink(((virTeamingPciHandleReal *)handle)->dir, "driver",
                            ret->driver, sizeof(ret->driver));
    ret->enabled = virTeamingSysfsReadNumber(((virTeamingPciHandleReal *)handle)->dir, "enable",
                                             0) > 0;
    return 0;
}


static int
virTeamingKernelRealPciGetDevice(virTeamingKernel *kernel,
                                 const virTeamingPciAddress *address,
                                 virTeamingPciDevice *ret)
{
    char group[16];
    int dir;
    int err = virTeamingPciOpenDir(kernel, address, &dir);

    if (err)
        return err;
    virTeamingSysfsReadLink(dir, "iommu_group", group, sizeof(group));
    ret->address = *address;
    ret->classCode = virTeamingSysfsReadNumber(dir, "class", 0);
    ret->iommuGroup = group[0] ? (gint)g_ascii_strtoll(group, NULL, 10) : -1;
    virTeamingSysfsReadLink(dir, "driver", ret->driver, sizeof(ret->driver));
    virTeamingSysfsReadLink(dir, "physfn", ret->physfn, sizeof(ret->physfn));
    virTeamingPciReadNetdev(dir, ret->netdev);
    ret->vfsEnabled = virTeamingSysfsReadNumber(dir, "sriov_numvfs", 0);
    ret->vfsTotal = virTeamingSysfsReadNumber(dir, "sriov_totalvfs", 0);
    ret->noDriver = !virTeamingSysfsReadNumber(dir, "physfn/sriov_drivers_autoprobe", 1);
    close(dir);
    return 0;
}


static int
virTeamingKernelRealPciListGroup(virTeamingKernel *kernel,
                                 const virTeamingPciAddress *address,
                                 GArray *list)
{
    g_autoptr(GPtrArray) names = NULL;
    int dir;
    int err = virTeamingPciOpenDir(kernel, address, &dir);

    if (err)
        return err;
    names = virTeamingSysfsReadDir(dir, "iommu_group/devices");
    close(dir);
    for (guint i = 0; i < names->len; i++) {
        virTeamingPciAddress member;

        /* A group may also hold what is on no PCI bus. */
        if (virTeamingPciAddressParse(names->pdata[i], &member))
            g_array_append_val(list, member);
    }
    return 0;
}


static int
virTeamingKernelRealPciHold(virTeamingKernel *kernel,
                            const virTeamingPciAddress *address,
                            int *fd)
{
    g_autofree char *path = NULL;
    virTeamingPciDevice device;
    int err = virTeamingKernelRealPciGetDevice(kernel, address, &device);

    if (err)
        return err;
    path = g_strdup_printf("/dev/vfio/%d", device.iommuGroup);
    if ((*fd = open(path, O_RDWR | O_CLOEXEC)) >= 0)
        return 0;
    err = errno == ENOENT ? ENODEV : errno;
    virTeamingKernelKeepWords(kernel, path);
    return err;
}


/* Among all netdevs, since not every driver shows representors under the PF; of one switch is
 * what has the same ID. */
static gboolean
virTeamingKernelRealPfHasRepresentors(virTeamingKernel *kernel,
                                      const char *pf)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    g_autofree char *path = g_build_filename(real->sysfs, "class", NULL);
    g_autoptr(GPtrArray) names = NULL;
    char own[80];                   /* 32 bytes in hexadecimal, MAX_PHYS_ITEM_ID_LEN in Linux */
    char other[sizeof(own)];
    gboolean found = FALSE;
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return FALSE;
    if (virTeamingSysfsReadNetdev(dir, pf, "phys_switch_id", own, sizeof(own))) {
        names = virTeamingSysfsReadDir(dir, "net");
        for (guint i = 0; i < names->len && !found; i++)
            found = virTeamingPciNetdevIsRepresentor(dir, names->pdata[i]) &&
                virTeamingSysfsReadNetdev(dir, names->pdata[i], "phys_switch_id", other,
                                          sizeof(other)) &&
                strcmp(own, other) == 0;
    }
    close(dir);
    return found;
}


static int
virTeamingKernelRealVfLocate(virTeamingKernel *kernel,
                             const virTeamingPciAddress *address,
                             char pf[IF_NAMESIZE],
                             guint *index)
{
    char buf[VIR_TEAMING_PCI_STRING_LEN];
    char target[VIR_TEAMING_PCI_STRING_LEN];
    char netdev[IF_NAMESIZE];
    const char *why = NULL;
    guint i;
    int physfn;
    int dir;
    int err = virTeamingPciOpenDir(kernel, address, &dir);

    if (err)
        return err;
    physfn = openat(dir, "physfn", O_PATH | O_DIRECTORY | O_CLOEXEC);
    close(dir);
    if (physfn < 0) {
        why = "it is not a VF";
    } else {
        virTeamingPciAddressFormat(address, buf);
        for (i = 0; ; i++) {
            g_autofree char *name = g_strdup_printf("virtfn%u", i);

            virTeamingSysfsReadLink(physfn, name, target, sizeof(target));
            if (!target[0] || strcmp(target, buf) == 0)
                break;
        }
        virTeamingPciReadNetdev(physfn, netdev);
        close(physfn);
        if (!target[0])
            why = "its PF does not list it";
        else if (!netdev[0])
            why = "its PF has no network interface in this network namespace";
    }
    if (why) {
        virTeamingKernelKeepWords(kernel, why);
        return ENOENT;
    }
    g_strlcpy(pf, netdev, IF_NAMESIZE);
    *index = i;
    return 0;
}


/* ---- netlink ---- */

typedef void (*virTeamingNlHandler)(struct nlmsghdr *nlh,
                                    gpointer opaque);

/*
 * A request of @type with the header @header. What is put into it afterwards is a few
 * dozen bytes and always fits, so the results of nla_put*() are not looked at.
 */
static struct nl_msg *
virTeamingNlRequest(int type,
                    int flags,
                    const void *header,
                    gsize size)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

    if (!msg || nlmsg_append(msg, (void *)header, size, NLMSG_ALIGNTO) < 0)
        g_error("out of memory");
    return msg;
}


/* Keeps what the kernel says about an error in plain words (extended ACK). */
static void
virTeamingNlKeepWords(virTeamingKernel *kernel,
                      struct nlmsghdr *nlh)
{
    struct nlmsgerr *ack = nlmsg_data(nlh);
    int offset = sizeof(*ack);
    struct nlattr *attr;

    if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
        return;
    if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
        offset += NLMSG_ALIGN(ack->msg.nlmsg_len) - NLMSG_HDRLEN;
    attr = nlmsg_find_attr(nlh, offset, NLMSGERR_ATTR_MSG);
    if (attr && nla_len(attr) > 0) {
        g_autofree char *words = g_strndup(nla_data(attr), nla_len(attr));

        virTeamingKernelKeepWords(kernel, words);
    }
}


/*
 * Sends @msg and hands every answer to @handler (NULL: none is expected). The kernel
 * answers before it returns from the system call, so this never waits.
 *
 * Returns: 0, or an errno; EAGAIN if a list changed while it was written.
 */
static int
virTeamingNlTalk(virTeamingKernel *kernel,
                 struct nl_msg *msg,
                 virTeamingNlHandler handler,
                 gpointer opaque)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    struct nlmsghdr *request = nlmsg_hdr(msg);
    gboolean single = !(request->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP));
    gboolean interrupted = FALSE;
    gboolean done = FALSE;
    int err = 0;

    virTeamingKernelKeepWords(kernel, NULL);
    request->nlmsg_seq = NL_AUTO_SEQ;
    if (nl_send_auto(real->sock, msg) < 0)
        return EIO;

    while (!done) {
        struct sockaddr_nl from;
        unsigned char *buf = NULL;
        int len = nl_recv(real->sock, &from, &buf, NULL);
        struct nlmsghdr *nlh = (struct nlmsghdr *)buf;

        if (len <= 0)
            return EIO;
        for (; !done && nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
            if (nlh->nlmsg_seq != request->nlmsg_seq)
                continue;
            if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
                interrupted = TRUE;
            if (nlh->nlmsg_type == NLMSG_ERROR) {
                err = -((struct nlmsgerr *)nlmsg_data(nlh))->error;
                if (err)
                    virTeamingNlKeepWords(kernel, nlh);
                done = TRUE;
            } else if (nlh->nlmsg_type == NLMSG_DONE) {
                if (nlmsg_datalen(nlh) >= (int)sizeof(int))
                    err = -*(int *)nlmsg_data(nlh);
                done = TRUE;
            } else {
                if (handler)
                    handler(nlh, opaque);
                done = single;
            }
        }
        free(buf);
    }
    return err ? err : interrupted ? EAGAIN : 0;
}


/* As virTeamingNlTalk(), for a list that @handler collects in @list. Frees @msg. */
static int
virTeamingNlDump(virTeamingKernel *kernel,
                 struct nl_msg *msg,
                 virTeamingNlHandler handler,
                 gpointer opaque,
                 GArray *list)
{
    int err = EAGAIN;

    for (guint try = 0; err == EAGAIN && try < 5; try++) {
        g_array_set_size(list, 0);
        err = virTeamingNlTalk(kernel, msg, handler, opaque);
    }
    nlmsg_free(msg);
    return err;
}


/* As virTeamingNlTalk(), for an order or for one answer. Frees @msg. */
static int
virTeamingNlCall(virTeamingKernel *kernel,
                 struct nl_msg *msg,
                 virTeamingNlHandler handler,
                 gpointer opaque)
{
    int err = virTeamingNlTalk(kernel, msg, handler, opaque);

    nlmsg_free(msg);
    return err;
}


/* ---- links ---- */

typedef struct {
    virTeamingLink link;
    int master;                     /* ifindex, or 0 */
    int lower;                      /* the same */
    int active;                     /* the same */
} virTeamingNlLink;


static gboolean
virTeamingNlHasFlag(const struct nlattr *attr)
{
    return attr && nla_get_u8(attr) != 0;
}


static void
virTeamingNlParseBond(struct nlattr *attr,
                      virTeamingNlLink *ret)
{
    struct nlattr *bond[IFLA_BOND_MAX + 1];

    if (nla_parse_nested(bond, IFLA_BOND_MAX, attr, NULL) < 0 || !bond[IFLA_BOND_MODE])
        return;
    ret->link.spreads = nla_get_u8(bond[IFLA_BOND_MODE]) != BOND_MODE_ACTIVEBACKUP;
    if (!ret->link.spreads && bond[IFLA_BOND_ACTIVE_SLAVE])
        ret->active = nla_get_u32(bond[IFLA_BOND_ACTIVE_SLAVE]);
}


static void
virTeamingNlParseLinkinfo(struct nlattr *attr,
                          virTeamingNlLink *ret)
{
    virTeamingLink *link = &ret->link;
    struct nlattr *info[IFLA_INFO_MAX + 1];
    struct nlattr *port[IFLA_BRPORT_MAX + 1];
    struct nlattr *bridge[IFLA_BR_MAX + 1];
    struct nlattr *macvlan[IFLA_MACVLAN_MAX + 1];
    struct nlattr *vlan[IFLA_VLAN_MAX + 1];

    if (nla_parse_nested(info, IFLA_INFO_MAX, attr, NULL) < 0)
        return;
    if (info[IFLA_INFO_KIND])
        nla_strlcpy(link->kind, info[IFLA_INFO_KIND], sizeof(link->kind));
    if (strcmp(link->kind, "bridge") == 0 && info[IFLA_INFO_DATA] &&
        nla_parse_nested(bridge, IFLA_BR_MAX, info[IFLA_INFO_DATA], NULL) == 0 &&
        bridge[IFLA_BR_VLAN_FILTERING])
        link->vlanFiltering = nla_get_u8(bridge[IFLA_BR_VLAN_FILTERING]) != 0;
    if (strcmp(link->kind, "macvtap") == 0 && info[IFLA_INFO_DATA] &&
        nla_parse_nested(macvlan, IFLA_MACVLAN_MAX, info[IFLA_INFO_DATA], NULL) == 0 &&
        macvlan[IFLA_MACVLAN_MODE]) {
        const guint32 mode = nla_get_u32(macvlan[IFLA_MACVLAN_MODE]);

        link->mode = mode == MACVLAN_MODE_VEPA ? VIR_TEAMING_MACVTAP_VEPA :
            mode == MACVLAN_MODE_BRIDGE ? VIR_TEAMING_MACVTAP_BRIDGE : VIR_TEAMING_MACVTAP_OTHER;
    }
    if (strcmp(link->kind, "vlan") == 0 && info[IFLA_INFO_DATA] &&
        nla_parse_nested(vlan, IFLA_VLAN_MAX, info[IFLA_INFO_DATA], NULL) == 0 &&
        vlan[IFLA_VLAN_ID])
        link->vlan = nla_get_u16(vlan[IFLA_VLAN_ID]);
    if (strcmp(link->kind, "bond") == 0 && info[IFLA_INFO_DATA])
        virTeamingNlParseBond(info[IFLA_INFO_DATA], ret);
    if (info[IFLA_INFO_SLAVE_KIND] && info[IFLA_INFO_SLAVE_DATA] &&
        nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "bridge") == 0 &&
        nla_parse_nested(port, IFLA_BRPORT_MAX, info[IFLA_INFO_SLAVE_DATA], NULL) == 0) {
        link->learning = virTeamingNlHasFlag(port[IFLA_BRPORT_LEARNING]);
        link->flooding = virTeamingNlHasFlag(port[IFLA_BRPORT_BCAST_FLOOD]) &&
            virTeamingNlHasFlag(port[IFLA_BRPORT_MCAST_FLOOD]);
    }
}


static gboolean
virTeamingNlParseLink(struct nlmsghdr *nlh,
                      virTeamingNlLink *ret)
{
    struct ifinfomsg *ifi = nlmsg_data(nlh);
    struct nlattr *attrs[IFLA_MAX + 1];

    if (nlh->nlmsg_type != RTM_NEWLINK ||
        nlmsg_parse(nlh, sizeof(*ifi), attrs, IFLA_MAX, NULL) < 0 || !attrs[IFLA_IFNAME])
        return FALSE;

    memset(ret, 0, sizeof(*ret));
    ret->link.ifindex = ifi->ifi_index;
    ret->link.up = (ifi->ifi_flags & IFF_UP) != 0;
    ret->link.running = (ifi->ifi_flags & VIR_TEAMING_IFF_LOWER_UP) != 0;
    nla_strlcpy(ret->link.name, attrs[IFLA_IFNAME], sizeof(ret->link.name));
    if (attrs[IFLA_ADDRESS] && nla_len(attrs[IFLA_ADDRESS]) == sizeof(ret->link.mac.addr))
        memcpy(ret->link.mac.addr, nla_data(attrs[IFLA_ADDRESS]), sizeof(ret->link.mac.addr));
    if (attrs[IFLA_MTU])
        ret->link.mtu = nla_get_u32(attrs[IFLA_MTU]);
    if (attrs[IFLA_MASTER])
        ret->master = nla_get_u32(attrs[IFLA_MASTER]);
    /* With it, the number is one of another network namespace. */
    if (attrs[IFLA_LINK] && !attrs[IFLA_LINK_NETNSID])
        ret->lower = nla_get_u32(attrs[IFLA_LINK]);
    if (attrs[IFLA_LINKINFO])
        virTeamingNlParseLinkinfo(attrs[IFLA_LINKINFO], ret);
    return TRUE;
}


/* The PCI function behind the link @ifname, or "". */
static void
virTeamingLinkReadPci(virTeamingKernelReal *real,
                      const char *ifname,
                      char ret[VIR_TEAMING_PCI_STRING_LEN])
{
    g_autofree char *path = g_strdup_printf("%s/class/net/%s/device", real->sysfs, ifname);
    char name[64];
    virTeamingPciAddress address;

    virTeamingSysfsReadLink(AT_FDCWD, path, name, sizeof(name));
    ret[0] = '\0';
    if (virTeamingPciAddressParse(name, &address))
        virTeamingPciAddressFormat(&address, ret);
}


/* Asks for the link @ifname, with what @mask (RTEXT_FILTER_*) adds. */
static struct nl_msg *
virTeamingNlRequestLink(const char *ifname,
                        guint32 mask)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
    struct nl_msg *msg = virTeamingNlRequest(RTM_GETLINK, 0, &ifi, sizeof(ifi));

    nla_put_string(msg, IFLA_IFNAME, ifname);
    nla_put_u32(msg, IFLA_EXT_MASK, mask);
    return msg;
}


static void
virTeamingNlHandleLink(struct nlmsghdr *nlh,
                       gpointer opaque)
{
    virTeamingNlParseLink(nlh, opaque);
}


static int
virTeamingKernelRealLinkGet(virTeamingKernel *kernel,
                            const char *ifname,
                            virTeamingLink *ret)
{
    virTeamingNlLink found = { .link = { .name = "" } };
    int err = virTeamingNlCall(kernel, virTeamingNlRequestLink(ifname, RTEXT_FILTER_SKIP_STATS),
                               virTeamingNlHandleLink, &found);

    if (err || !found.link.name[0])
        return err ? err : ENODATA;
    if (found.master)
        if_indextoname(found.master, found.link.master);
    if (found.lower)
        if_indextoname(found.lower, found.link.lower);
    if (found.active)
        if_indextoname(found.active, found.link.active);
    virTeamingLinkReadPci((virTeamingKernelReal *)kernel, found.link.name, found.link.pci);
    *ret = found.link;
    return 0;
}


static void
virTeamingNlHandleLinks(struct nlmsghdr *nlh,
                        gpointer opaque)
{
    virTeamingNlLink found;

    if (virTeamingNlParseLink(nlh, &found))
        g_array_append_val((GArray *)opaque, found);
}


static int
virTeamingKernelRealLinkList(virTeamingKernel *kernel,
                             GArray *list)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
    struct nl_msg *msg = virTeamingNlRequest(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(virTeamingNlLink));
    int err;

    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if ((err = virTeamingNlDump(kernel, msg, virTeamingNlHandleLinks, found, found)))
        return err;

    for (guint i = 0; i < found->len; i++) {
        virTeamingNlLink *one = &g_array_index(found, virTeamingNlLink, i);

        for (guint j = 0; (one->master || one->lower || one->active) && j < found->len; j++) {
            virTeamingLink *other = &g_array_index(found, virTeamingNlLink, j).link;

            if (other->ifindex == one->master)
                g_strlcpy(one->link.master, other->name, sizeof(one->link.master));
            if (other->ifindex == one->lower)
                g_strlcpy(one->link.lower, other->name, sizeof(one->link.lower));
            if (other->ifindex == one->active)
                g_strlcpy(one->link.active, other->name, sizeof(one->link.active));
        }
        virTeamingLinkReadPci((virTeamingKernelReal *)kernel, one->link.name, one->link.pci);
        g_array_append_val(list, one->link);
    }
    return 0;
}


static int
virTeamingKernelRealLinkSetPort(virTeamingKernel *kernel,
                                const char *port,
                                virTeamingKernelSwitch what,
                                gboolean on)
{
    static const int flags[][2] = {
        [VIR_TEAMING_KERNEL_LEARNING] = { IFLA_BRPORT_LEARNING },
        [VIR_TEAMING_KERNEL_FLOODING] = { IFLA_BRPORT_BCAST_FLOOD, IFLA_BRPORT_MCAST_FLOOD },
    };
    struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = if_nametoindex(port) };
    struct nl_msg *msg;
    struct nlattr *info;

    if (!ifi.ifi_index)
        return ENODEV;
    msg = virTeamingNlRequest(RTM_SETLINK, NLM_F_ACK, &ifi, sizeof(ifi));
    /* Without the flag the bridge takes it for a port state, in an old format. */
    info = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
    for (guint i = 0; i < G_N_ELEMENTS(flags[what]) && flags[what][i]; i++)
        nla_put_u8(msg, flags[what][i], on);
    nla_nest_end(msg, info);
    return virTeamingNlCall(kernel, msg, NULL, NULL);
}


static int
virTeamingKernelRealLinkSetMode(virTeamingKernel *kernel,
                                const char *macvtap,
                                virTeamingMacvtapMode mode)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = if_nametoindex(macvtap) };
    struct nl_msg *msg;
    struct nlattr *info;
    struct nlattr *data;

    if (!ifi.ifi_index)
        return ENODEV;
    /* RTM_SETLINK knows nothing of what is particular to a kind of link. */
    msg = virTeamingNlRequest(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));
    info = nla_nest_start(msg, IFLA_LINKINFO | NLA_F_NESTED);
    nla_put_string(msg, IFLA_INFO_KIND, "macvtap");
    data = nla_nest_start(msg, IFLA_INFO_DATA | NLA_F_NESTED);
    nla_put_u32(msg, IFLA_MACVLAN_MODE, mode == VIR_TEAMING_MACVTAP_VEPA ?
                MACVLAN_MODE_VEPA : MACVLAN_MODE_BRIDGE);
    nla_nest_end(msg, data);
    nla_nest_end(msg, info);
    return virTeamingNlCall(kernel, msg, NULL, NULL);
}


static char *
virTeamingKernelRealLinkFindAddress(virTeamingKernel *kernel,
                                    const char *ifname)
{
    struct ifaddrs *addresses = NULL;
    char *found = NULL;

    if (getifaddrs(&addresses) < 0)
        return NULL;
    for (struct ifaddrs *i = addresses; i && !found; i = i->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        const void *address;

        if (strcmp(i->ifa_name, ifname) != 0 || !i->ifa_addr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            address = &((struct sockaddr_in *)i->ifa_addr)->sin_addr;
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            address = &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
            /* Every interface that is up has one of these. */
            if (IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)address))
                continue;
        } else {
            continue;
        }
        found = g_strdup(inet_ntop(i->ifa_addr->sa_family, address, text, sizeof(text)));
    }
    freeifaddrs(addresses);
    return found;
}


static void
virTeamingNlHandleVlans(struct nlmsghdr *nlh,
                        gpointer opaque)
{
    GArray *list = opaque;
    struct nlattr *one;
    int rest;

    if (nlh->nlmsg_type != RTM_NEWVLAN)
        return;
    nlmsg_for_each_attr(one, nlh, sizeof(struct br_vlan_msg), rest) {
        struct nlattr *attrs[BRIDGE_VLANDB_ENTRY_MAX + 1];
        struct bridge_vlan_info *info;
        guint16 last;

        if (nla_type(one) != BRIDGE_VLANDB_ENTRY ||
            nla_parse_nested(attrs, BRIDGE_VLANDB_ENTRY_MAX, one, NULL) < 0 ||
            !attrs[BRIDGE_VLANDB_ENTRY_INFO] ||
            nla_len(attrs[BRIDGE_VLANDB_ENTRY_INFO]) < (int)sizeof(*info))
            continue;
        info = nla_data(attrs[BRIDGE_VLANDB_ENTRY_INFO]);
        last = attrs[BRIDGE_VLANDB_ENTRY_RANGE] ?
            nla_get_u16(attrs[BRIDGE_VLANDB_ENTRY_RANGE]) : info->vid;
        for (guint16 id = info->vid; id <= last; id++) {
            const virTeamingPortVlan vlan = {
                .id = id,
                .tag = info->flags & BRIDGE_VLAN_INFO_UNTAGGED ? 0 : id,
            };

            g_array_append_val(list, vlan);
        }
    }
}


static int
virTeamingKernelRealVlanList(virTeamingKernel *kernel,
                             const char *port,
                             GArray *list)
{
    struct br_vlan_msg bvm = { .family = AF_BRIDGE, .ifindex = if_nametoindex(port) };
    int err = ENODEV;

    if (bvm.ifindex)
        err = virTeamingNlDump(kernel, virTeamingNlRequest(RTM_GETVLAN, NLM_F_DUMP, &bvm,
                                                           sizeof(bvm)),
                               virTeamingNlHandleVlans, list, list);
    /* It calls a link that is no port an invalid one. */
    return err == EINVAL ? EOPNOTSUPP : err;
}


/* ---- VFs ---- */

/* Is @list, of a VF's VLANs, one of 802.1ad? Drivers keep no more than one. */
static gboolean
virTeamingNlIsServiceVlan(struct nlattr *list)
{
    struct nlattr *one;
    int rest;

    nla_for_each_nested(one, list, rest) {
        const struct ifla_vf_vlan_info *info = nla_data(one);

        if (nla_type(one) == IFLA_VF_VLAN_INFO && nla_len(one) >= (int)sizeof(*info) &&
            info->vlan_proto == htons(ETH_P_8021AD))
            return TRUE;
    }
    return FALSE;
}


static gboolean
virTeamingNlParseVf(struct nlattr *attr,
                    virTeamingVf *ret)
{
    struct nlattr *attrs[IFLA_VF_MAX + 1];
    struct ifla_vf_mac *mac;

    if (nla_parse_nested(attrs, IFLA_VF_MAX, attr, NULL) < 0 || !attrs[IFLA_VF_MAC] ||
        nla_len(attrs[IFLA_VF_MAC]) < (int)sizeof(*mac))
        return FALSE;

    memset(ret, 0, sizeof(*ret));
    mac = nla_data(attrs[IFLA_VF_MAC]);
    ret->index = mac->vf;
    memcpy(ret->mac.addr, mac->mac, sizeof(ret->mac.addr));
    ret->trust = -1;
    ret->spoofchk = -1;
    if (attrs[IFLA_VF_VLAN] &&
        nla_len(attrs[IFLA_VF_VLAN]) >= (int)sizeof(struct ifla_vf_vlan)) {
        struct ifla_vf_vlan *vlan = nla_data(attrs[IFLA_VF_VLAN]);

        ret->vlan = vlan->vlan;
        ret->qos = vlan->qos;
    }
    ret->serviceVlan = attrs[IFLA_VF_VLAN_LIST] &&
        virTeamingNlIsServiceVlan(attrs[IFLA_VF_VLAN_LIST]);
    /* Drivers that cannot say leave both at what the kernel preset: all ones. */
    if (attrs[IFLA_VF_TRUST] &&
        nla_len(attrs[IFLA_VF_TRUST]) >= (int)sizeof(struct ifla_vf_trust)) {
        struct ifla_vf_trust *trust = nla_data(attrs[IFLA_VF_TRUST]);

        ret->trust = trust->setting == G_MAXUINT32 ? -1 : trust->setting != 0;
    }
    if (attrs[IFLA_VF_SPOOFCHK] &&
        nla_len(attrs[IFLA_VF_SPOOFCHK]) >= (int)sizeof(struct ifla_vf_spoofchk)) {
        struct ifla_vf_spoofchk *spoofchk = nla_data(attrs[IFLA_VF_SPOOFCHK]);

        ret->spoofchk = spoofchk->setting == G_MAXUINT32 ? -1 : spoofchk->setting != 0;
    }
    return TRUE;
}


static void
virTeamingNlHandleVfs(struct nlmsghdr *nlh,
                      gpointer opaque)
{
    GArray *list = opaque;
    struct nlattr *attr = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_VFINFO_LIST);
    struct nlattr *one;
    int rest;

    if (!attr)
        return;
    nla_for_each_nested(one, attr, rest) {
        virTeamingVf vf;

        if (virTeamingNlParseVf(one, &vf))
            g_array_append_val(list, vf);
    }
}


static int
virTeamingKernelRealVfList(virTeamingKernel *kernel,
                           const char *pf,
                           const virTeamingMac *mac,
                           gint only,
                           GArray *list)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    struct nl_msg *msg = virTeamingNlRequestLink(pf, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
    int err = virTeamingNlCall(kernel, msg, virTeamingNlHandleVfs, list);

    for (guint i = 0; !err && i < list->len;) {
        virTeamingVf *vf = &g_array_index(list, virTeamingVf, i);
        g_autofree char *path = NULL;
        char target[VIR_TEAMING_PCI_STRING_LEN];

        if ((only >= 0 && vf->index != only) || (mac && !virTeamingMacEqual(mac, &vf->mac))) {
            g_array_remove_index_fast(list, i);
            continue;
        }
        path = g_strdup_printf("%s/class/net/%s/device/virtfn%u", real->sysfs, pf, vf->index);
        virTeamingSysfsReadLink(AT_FDCWD, path, target, sizeof(target));
        if (!virTeamingPciAddressParse(target, &vf->address)) {
            virTeamingKernelKeepWords(kernel, path);
            err = ENOENT;
        }
        i++;
    }
    return err;
}


/* Sends the one attribute of one VF that is to change, and nothing else. */
static int
virTeamingNlSetVf(virTeamingKernel *kernel,
                  const char *pf,
                  int type,
                  const void *data,
                  gsize size)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
    struct nl_msg *msg = virTeamingNlRequest(RTM_SETLINK, NLM_F_ACK, &ifi, sizeof(ifi));
    struct nlattr *list;
    struct nlattr *info;

    nla_put_string(msg, IFLA_IFNAME, pf);
    list = nla_nest_start(msg, IFLA_VFINFO_LIST | NLA_F_NESTED);
    info = nla_nest_start(msg, IFLA_VF_INFO | NLA_F_NESTED);
    nla_put(msg, type, size, data);
    nla_nest_end(msg, info);
    nla_nest_end(msg, list);
    return virTeamingNlCall(kernel, msg, NULL, NULL);
}


static int
virTeamingKernelRealVfSetMac(virTeamingKernel *kernel,
                             const char *pf,
                             guint index,
                             const virTeamingMac *mac)
{
    struct ifla_vf_mac data = { .vf = index };

    memcpy(data.mac, mac->addr, sizeof(mac->addr));
    return virTeamingNlSetVf(kernel, pf, IFLA_VF_MAC, &data, sizeof(data));
}


static int
virTeamingKernelRealVfSetVlan(virTeamingKernel *kernel,
                              const char *pf,
                              guint index,
                              guint vlan,
                              guint qos,
                              gboolean service)
{
    const struct ifla_vf_vlan data = { .vf = index, .vlan = vlan, .qos = qos };
    /* A list of one; more the kernel does not take (MAX_VLAN_LIST_LEN). */
    const struct {
        struct nlattr attr;
        struct ifla_vf_vlan_info info;
    } list = {
        { NLA_HDRLEN + sizeof(list.info), IFLA_VF_VLAN_INFO },
        { .vf = index, .vlan = vlan, .qos = qos, .vlan_proto = htons(ETH_P_8021AD) },
    };

    if (service)
        return virTeamingNlSetVf(kernel, pf, IFLA_VF_VLAN_LIST | NLA_F_NESTED, &list,
                                 sizeof(list));
    return virTeamingNlSetVf(kernel, pf, IFLA_VF_VLAN, &data, sizeof(data));
}


/* ---- FDB ---- */

typedef struct {
    GArray *list;                   /* of virTeamingFdbEntry */
    const virTeamingMac *mac;       /* NULL: all */
    int ifindex;                    /* of the name below: entries come port by port */
    char ifname[IF_NAMESIZE];
} virTeamingNlFdbContext;


static void
virTeamingNlHandleFdb(struct nlmsghdr *nlh,
                      gpointer opaque)
{
    virTeamingNlFdbContext *context = opaque;
    struct ndmsg *ndm = nlmsg_data(nlh);
    struct nlattr *attrs[NDA_MAX + 1];
    virTeamingFdbEntry entry = { .vlan = 0 };

    if (nlh->nlmsg_type != RTM_NEWNEIGH ||
        nlmsg_parse(nlh, sizeof(*ndm), attrs, NDA_MAX, NULL) < 0 ||
        ndm->ndm_family != AF_BRIDGE ||
        !attrs[NDA_LLADDR] || nla_len(attrs[NDA_LLADDR]) != sizeof(entry.mac.addr))
        return;
    memcpy(entry.mac.addr, nla_data(attrs[NDA_LLADDR]), sizeof(entry.mac.addr));
    if (context->mac && !virTeamingMacEqual(context->mac, &entry.mac))
        return;

    if (context->ifindex != ndm->ndm_ifindex) {
        context->ifindex = ndm->ndm_ifindex;
        if (!if_indextoname(ndm->ndm_ifindex, context->ifname))
            context->ifname[0] = '\0';
    }
    if (!context->ifname[0])
        return;                 /* went away meanwhile, and the entry with it */
    g_strlcpy(entry.dev, context->ifname, sizeof(entry.dev));
    if (attrs[NDA_VLAN])
        entry.vlan = nla_get_u16(attrs[NDA_VLAN]);
    entry.flags = ndm->ndm_flags & NTF_SELF ? VIR_TEAMING_FDB_SELF : VIR_TEAMING_FDB_MASTER;
    if (ndm->ndm_state & NUD_NOARP)
        entry.flags |= VIR_TEAMING_FDB_STATIC;
    if (ndm->ndm_state & NUD_PERMANENT)
        entry.flags |= VIR_TEAMING_FDB_LOCAL;
    if (ndm->ndm_flags & NTF_STICKY)
        entry.flags |= VIR_TEAMING_FDB_STICKY;
    g_array_append_val(context->list, entry);
}


static int
virTeamingKernelRealFdbList(virTeamingKernel *kernel,
                            const char *dev,
                            const virTeamingMac *mac,
                            GArray *list)
{
    /* The form of before 5.0, which newer kernels take too. */
    struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE };
    virTeamingNlFdbContext context = { .list = list, .mac = mac };
    gboolean isBridge;
    virTeamingLink link;
    struct nl_msg *msg;
    int err = virTeamingKernelRealLinkGet(kernel, dev, &link);

    if (err)
        return err;
    isBridge = strcmp(link.kind, "bridge") == 0;
    if (!isBridge)
        ifi.ifi_index = link.ifindex;
    msg = virTeamingNlRequest(RTM_GETNEIGH, NLM_F_DUMP, &ifi, sizeof(ifi));
    if (isBridge)
        nla_put_u32(msg, IFLA_MASTER, link.ifindex);
    return virTeamingNlDump(kernel, msg, virTeamingNlHandleFdb, &context, list);
}


static int
virTeamingKernelRealFdbGet(virTeamingKernel *kernel,
                           const char *dev,
                           const virTeamingMac *mac,
                           guint vlan,
                           virTeamingFdbEntry *ret)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(virTeamingFdbEntry));
    virTeamingNlFdbContext context = { .list = list, .mac = mac };
    int ifindex = if_nametoindex(dev);
    int err = ifindex ? 0 : ENODEV;

    /* First as a port; the kernel calls a bridge an invalid one, and is asked again. */
    for (guint asBridge = 0; ifindex && asBridge <= 1; asBridge++) {
        struct ndmsg ndm = {
            .ndm_family = AF_BRIDGE,
            .ndm_ifindex = asBridge ? 0 : ifindex,
            .ndm_flags = asBridge ? 0 : NTF_MASTER,
        };
        struct nl_msg *msg = virTeamingNlRequest(RTM_GETNEIGH, 0, &ndm, sizeof(ndm));

        nla_put(msg, NDA_LLADDR, sizeof(mac->addr), mac->addr);
        if (vlan)
            nla_put_u16(msg, NDA_VLAN, vlan);
        if (asBridge)
            nla_put_u32(msg, NDA_MASTER, ifindex);
        err = virTeamingNlCall(kernel, msg, virTeamingNlHandleFdb, &context);
        if (err != EINVAL)
            break;
    }
    if (err || list->len == 0)
        return err ? err : ENODATA;
    *ret = g_array_index(list, virTeamingFdbEntry, 0);
    return 0;
}


/* Adds or deletes @entry, as @type says. @state: of an entry of a link's own filter. */
static int
virTeamingNlSetFdb(virTeamingKernel *kernel,
                   const virTeamingFdbEntry *entry,
                   int type,
                   int flags,
                   guint16 state)
{
    struct ndmsg ndm = {
        .ndm_family = AF_BRIDGE,
        .ndm_ifindex = if_nametoindex(entry->dev),
        .ndm_state = NUD_REACHABLE,
    };
    struct nl_msg *msg;

    if (!ndm.ndm_ifindex)
        return ENODEV;
    if (entry->flags & VIR_TEAMING_FDB_SELF) {
        ndm.ndm_flags = NTF_SELF;
        ndm.ndm_state = state;
    } else {
        ndm.ndm_flags = NTF_MASTER;
        if (entry->flags & VIR_TEAMING_FDB_STICKY)
            ndm.ndm_flags |= NTF_STICKY;
        if (entry->flags & VIR_TEAMING_FDB_STATIC)
            ndm.ndm_state = NUD_NOARP;
        if (entry->flags & VIR_TEAMING_FDB_LOCAL)
            ndm.ndm_state = NUD_PERMANENT;
    }
    msg = virTeamingNlRequest(type, NLM_F_ACK | flags, &ndm, sizeof(ndm));
    nla_put(msg, NDA_LLADDR, sizeof(entry->mac.addr), entry->mac.addr);
    if (entry->vlan)
        nla_put_u16(msg, NDA_VLAN, entry->vlan);
    return virTeamingNlCall(kernel, msg, NULL, NULL);
}


static int
virTeamingKernelRealFdbAdd(virTeamingKernel *kernel,
                           const virTeamingFdbEntry *entry)
{
    int err = virTeamingNlSetFdb(kernel, entry, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
                                 NUD_PERMANENT);

    return err == EEXIST ? 0 : err;
}


/* Deletes what is left of @port's entries in a VLAN that it is no longer in. */
static int
virTeamingNlFlushFdb(virTeamingKernel *kernel,
                     const char *port,
                     guint16 vlan)
{
    struct ndmsg ndm = {
        .ndm_family = AF_BRIDGE,
        .ndm_ifindex = if_nametoindex(port),
        .ndm_flags = NTF_MASTER,
    };
    struct nl_msg *msg = virTeamingNlRequest(RTM_DELNEIGH, NLM_F_ACK | NLM_F_BULK, &ndm,
                                             sizeof(ndm));

    nla_put_u16(msg, NDA_VLAN, vlan);
    return virTeamingNlCall(kernel, msg, NULL, NULL);
}


static int
virTeamingKernelRealFdbDel(virTeamingKernel *kernel,
                           const virTeamingFdbEntry *entry)
{
    int err = virTeamingNlSetFdb(kernel, entry, RTM_DELNEIGH, 0, NUD_PERMANENT);

    /* A link's own filter takes nothing else, even to delete (ndo_dflt_fdb_del() in
     * net/core/rtnetlink.c); but ice takes all but that (ice_fdb_del() in
     * drivers/net/ethernet/intel/ice/ice_main.c). */
    if (err == EINVAL && entry->flags & VIR_TEAMING_FDB_SELF)
        err = virTeamingNlSetFdb(kernel, entry, RTM_DELNEIGH, 0, NUD_REACHABLE);
    /* The port is not in that VLAN, so an entry there is of no use to anybody. */
    if (err == EINVAL && entry->flags & VIR_TEAMING_FDB_MASTER && entry->vlan)
        err = virTeamingNlFlushFdb(kernel, entry->dev, entry->vlan);
    return err == ENOENT ? 0 : err;
}


/* ---- notifications ---- */

/* The name of a link, or "". To ask the kernel takes a socket each time. */
static const char *
virTeamingNlGetName(virTeamingNlNames *names,
                    guint ifindex)
{
    char *name;

    for (guint i = 0; i < names->n; i++) {
        if (names->names[i].ifindex == ifindex)
            return names->names[i].name;
    }
    if (names->n == VIR_TEAMING_WATCH_NAMES)
        names->n = 0;
    names->names[names->n].ifindex = ifindex;
    name = names->names[names->n++].name;
    if (!if_indextoname(ifindex, name))
        *name = '\0';
    return name;
}


static void
virTeamingNlKeepChange(virTeamingKernel *kernel,
                       struct nlmsghdr *nlh,
                       virTeamingNlNames *names)
{
    struct nlattr *attr;

    if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK) {
        char ifname[IF_NAMESIZE];

        names->n = 0;
        attr = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_IFNAME);
        if (attr) {
            nla_strlcpy(ifname, attr, sizeof(ifname));
            virTeamingKernelChanged(kernel, ifname, NULL);
        }
    } else if (nlh->nlmsg_type == RTM_NEWNEIGH || nlh->nlmsg_type == RTM_DELNEIGH) {
        struct ndmsg *ndm = nlmsg_data(nlh);
        const char *ifname;
        virTeamingMac mac;

        attr = nlmsg_find_attr(nlh, sizeof(*ndm), NDA_LLADDR);
        /* A link that has no name any more has told of that itself. */
        if (ndm->ndm_family == AF_BRIDGE && attr && nla_len(attr) == sizeof(mac.addr) &&
            *(ifname = virTeamingNlGetName(names, ndm->ndm_ifindex))) {
            memcpy(mac.addr, nla_data(attr), sizeof(mac.addr));
            virTeamingKernelChanged(kernel, ifname, &mac);
        }
    }
}


/* Something was heard: for how long have all others waited by now? */
static void
virTeamingNlHeard(virTeamingKernelReal *real)
{
    const gint64 now = g_get_monotonic_time();

    real->watchHeard = TRUE;
    if (!real->watchBusy) {
        real->watchBusy = now;
        g_source_set_ready_time(real->watchTurn, 0);
    } else if (!real->watchStorm && now - real->watchBusy > VIR_TEAMING_WATCH_STORM_US) {
        real->watchStorm = TRUE;
        g_source_set_priority(real->watchSource, G_PRIORITY_DEFAULT);
    }
}


/* All others have their turn. Notifications come first again when one such turn is without. */
static gboolean
virTeamingNlHandleTurn(gpointer opaque)
{
    virTeamingKernelReal *real = opaque;

    if (real->watchStorm && real->watchHeard) {
        real->watchHeard = FALSE;
        return G_SOURCE_CONTINUE;
    }
    if (real->watchStorm)
        g_source_set_priority(real->watchSource, G_PRIORITY_HIGH);
    real->watchStorm = FALSE;
    real->watchBusy = 0;
    g_source_set_ready_time(real->watchTurn, -1);
    return G_SOURCE_CONTINUE;
}


/* Tells that something was lost, if it was, and if that was not told a moment ago. */
static gboolean
virTeamingNlHandleLoss(gpointer opaque)
{
    virTeamingKernelReal *real = opaque;
    const gint64 now = g_get_monotonic_time();
    const gint64 due = real->watchLostAt + VIR_TEAMING_WATCH_LOST_US;

    /* A source that was ready is dispatched even if that is over: see g_main_context_check(). */
    if (real->watchLost && now < due) {
        g_source_set_ready_time(real->watchLoss, due);
        return G_SOURCE_CONTINUE;
    }
    g_source_set_ready_time(real->watchLoss, -1);
    if (real->watchLost) {
        real->watchLost = FALSE;
        real->watchLostAt = now;
        virTeamingKernelChanged(&real->parent, NULL, NULL);
        virTeamingKernelDeliver(&real->parent);
    }
    return G_SOURCE_CONTINUE;
}


/*
 * Takes in what has come, up to a limit so that a storm does not starve the rest of the
 * main loop. If the socket's buffer ran over, the kernel says so once, with ENOBUFS, and
 * goes on.
 */
static gboolean
virTeamingNlHandleWatch(gint fd,
                        GIOCondition condition,
                        gpointer opaque)
{
    virTeamingKernel *kernel = opaque;
    virTeamingKernelReal *real = opaque;
    char buf[32 * 1024] __attribute__((aligned(NLMSG_ALIGNTO)));
    virTeamingNlNames names = { .n = 0 };

    for (guint i = 0; i < 128; i++) {
        ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
        int len = MIN(n, (ssize_t)sizeof(buf));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n <= 0 || n > (ssize_t)sizeof(buf))
            real->watchLost = TRUE;
        for (struct nlmsghdr *nlh = (struct nlmsghdr *)buf; nlmsg_ok(nlh, len);
             nlh = nlmsg_next(nlh, &len))
            virTeamingNlKeepChange(kernel, nlh, &names);
    }
    virTeamingNlHeard(real);
    /* Too many to keep are lost, too. */
    real->watchLost |= kernel->changesLost;
    kernel->changesLost = FALSE;
    virTeamingNlHandleLoss(real);
    virTeamingKernelDeliver(kernel);
    return G_SOURCE_CONTINUE;
}


static gboolean
virTeamingNlDispatch(GSource *source,
                     GSourceFunc callback,
                     gpointer opaque)
{
    return callback(opaque);
}


/* A source that is ready when it was told to be. */
static GSource *
virTeamingNlAddTimer(virTeamingKernelReal *real,
                     GSourceFunc callback)
{
    static GSourceFuncs funcs = { .dispatch = virTeamingNlDispatch };
    GSource *source = g_source_new(&funcs, sizeof(GSource));

    g_source_set_callback(source, callback, real, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}


static int
virTeamingKernelRealWatch(virTeamingKernel *kernel)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    struct nl_sock *sock = nl_socket_alloc();
    const int size = VIR_TEAMING_WATCH_BUFFER;
    int err = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

    if (err >= 0)
        err = nl_socket_add_memberships(sock, RTNLGRP_LINK, RTNLGRP_NEIGH, 0);
    if (err < 0) {
        nl_socket_free(sock);
        virTeamingKernelKeepWords(kernel, nl_geterror(err));
        return EIO;
    }
    /* Whoever may not have that gets what net.core.rmem_max admits. */
    if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        nl_socket_set_buffer_size(sock, size, 0);

    real->watchSock = sock;
    real->watchSource = g_unix_fd_source_new(nl_socket_get_fd(sock), G_IO_IN | G_IO_ERR);
    real->watchTurn = virTeamingNlAddTimer(real, virTeamingNlHandleTurn);
    real->watchLoss = virTeamingNlAddTimer(real, virTeamingNlHandleLoss);
    g_source_set_priority(real->watchSource, G_PRIORITY_HIGH);
    g_source_set_callback(real->watchSource, (GSourceFunc)(void (*)(void))virTeamingNlHandleWatch,
                          kernel, NULL);
    g_source_attach(real->watchSource, g_main_context_get_thread_default());
    return 0;
}


/* ---- frames ---- */

static int
virTeamingKernelRealFrameSend(virTeamingKernel *kernel,
                              const char *ifname,
                              const guint8 *frame,
                              gsize size)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_ifindex = if_nametoindex(ifname),
        .sll_halen = ETH_ALEN,
    };

    /* Of protocol 0: nothing that is received passes by it. */
    if (real->sender < 0 &&
        (real->sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return errno;
    if (!address.sll_ifindex)
        return ENODEV;
    return sendto(real->sender, frame, size, 0, (const struct sockaddr *)&address,
                  sizeof(address)) == (ssize_t)size ? 0 : errno;
}


/* Taken before the bridge has the frame, which keeps what comes in on its ports from those that
 * ask for one protocol (__netif_receive_skb_core() in net/core/dev.c); so it asks for all. What is
 * sent is not looked at, which would cost a copy of each frame. */
static int
virTeamingKernelRealFrameListen(virTeamingKernel *kernel,
                                const char *ifname,
                                const virTeamingMac *source,
                                guint16 type,
                                int *ret)
{
    const guint8 *mac = source->addr;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, G_STRUCT_OFFSET(struct ethhdr, h_proto)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, G_STRUCT_OFFSET(struct ethhdr, h_source)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                 (guint32)mac[0] << 24 | mac[1] << 16 | mac[2] << 8 | mac[3], 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, G_STRUCT_OFFSET(struct ethhdr, h_source) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mac[4] << 8 | mac[5], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog filter = { G_N_ELEMENTS(code), code };
    const int on = 1;
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = if_nametoindex(ifname),
    };
    int err;
    /* Of protocol 0: nothing is received before it is bound. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    if (address.sll_ifindex &&
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0 &&
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        *ret = fd;
        return 0;
    }
    err = address.sll_ifindex ? errno : ENODEV;
    close(fd);
    return err;
}


/* ---- the whole ---- */

static void
virTeamingSourceClear(GSource **source)
{
    if (*source)
        g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}


static void
virTeamingKernelRealFree(virTeamingKernel *kernel)
{
    virTeamingKernelReal *real = (virTeamingKernelReal *)kernel;

    virTeamingSourceClear(&real->watchSource);
    virTeamingSourceClear(&real->watchTurn);
    virTeamingSourceClear(&real->watchLoss);
    if (real->watchSock)
        nl_socket_free(real->watchSock);
    if (real->sock)
        nl_socket_free(real->sock);
    if (real->sender >= 0)
        close(real->sender);
    g_free(real->sysfs);
    g_free(real);
}


static const virTeamingKernelOps virTeamingKernelRealOps = {
    .free = virTeamingKernelRealFree,
    .pciGetState = virTeamingKernelRealPciGetState,
    .pciGetDevice = virTeamingKernelRealPciGetDevice,
    .pciListGroup = virTeamingKernelRealPciListGroup,
    .pciHold = virTeamingKernelRealPciHold,
    .pciOpen = virTeamingKernelRealPciOpen,
    .pciHandleRead = virTeamingPciHandleRealRead,
    .pciHandleFree = virTeamingPciHandleRealFree,
    .linkGet = virTeamingKernelRealLinkGet,
    .linkList = virTeamingKernelRealLinkList,
    .linkSetPort = virTeamingKernelRealLinkSetPort,
    .linkSetMode = virTeamingKernelRealLinkSetMode,
    .linkFindAddress = virTeamingKernelRealLinkFindAddress,
    .vlanList = virTeamingKernelRealVlanList,
    .vfList = virTeamingKernelRealVfList,
    .vfSetMac = virTeamingKernelRealVfSetMac,
    .vfSetVlan = virTeamingKernelRealVfSetVlan,
    .vfLocate = virTeamingKernelRealVfLocate,
    .pfHasRepresentors = virTeamingKernelRealPfHasRepresentors,
    .fdbList = virTeamingKernelRealFdbList,
    .fdbGet = virTeamingKernelRealFdbGet,
    .fdbAdd = virTeamingKernelRealFdbAdd,
    .fdbDel = virTeamingKernelRealFdbDel,
    .frameSend = virTeamingKernelRealFrameSend,
    .frameListen = virTeamingKernelRealFrameListen,
    .watch = virTeamingKernelRealWatch,
};


/**
 * virTeamingKernelNew:
 * @sysfs: where sysfs is, or NULL: /sys
 *
 * Links are those of the network namespace that the thread is in now.
 *
 * Returns: the kernel of this host, or NULL if it can't be talked to. Free with
 * virTeamingKernelFree().
 */
virTeamingKernel *
virTeamingKernelNew(const char *sysfs,
                    GError **error)
{
    g_autoptr(virTeamingKernel) kernel = NULL;
    virTeamingKernelReal *real = g_new0(virTeamingKernelReal, 1);
    int on = 1;
    int err;

    kernel = &real->parent;
    virTeamingKernelInit(kernel, &virTeamingKernelRealOps);
    real->sysfs = g_strdup(sysfs ? sysfs : "/sys");
    real->sender = -1;
    real->sock = nl_socket_alloc();
    err = real->sock ? nl_connect(real->sock, NETLINK_ROUTE) : -NLE_NOMEM;
    if (err < 0) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "cannot talk to the kernel about network interfaces: %s", nl_geterror(err));
        return NULL;
    }
    nl_socket_disable_auto_ack(real->sock);
    /* Without it (before 4.12) errors merely lack the kernel's words. */
    setsockopt(nl_socket_get_fd(real->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    return g_steal_pointer(&kernel);
}
