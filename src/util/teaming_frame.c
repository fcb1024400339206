/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_frame.c: the frames by which the network is told where a MAC is
 */

/*
 * Theory of operation
 *
 * Switches send to a MAC where they saw it last. A host that is to have a guest's frames
 * before the guest itself can speak sends a frame in its name: a RARP request, as QEMU does
 * for each NIC when a guest has arrived (announce_self_create() in net/announce.c).
 *
 * A notice goes from one host to the others, in the guest's own network, so that it gets to
 * wherever the guest can go. Its source is the guest's MAC: who may send it is who may use that
 * MAC, and whatever keeps a MAC from being forged keeps notices from it, too. Its payload is a
 * line of text, for those that look at the wire:
 *
 *     virt-teaming 1 stopped c7a5fdbd-edaf-9455-926a-d65c16db1809
 */

#include "teaming_frame.h"

#include <string.h>

#define VIR_TEAMING_FRAME_8021Q 0x8100
#define VIR_TEAMING_FRAME_RARP 0x8035
/* Destination, source, type. */
#define VIR_TEAMING_FRAME_HEADER 14
/* The least that Ethernet carries, without the checksum. */
#define VIR_TEAMING_FRAME_MIN 60

#define VIR_TEAMING_FRAME_PREFIX "virt-teaming 1 "


static guint8 *
virTeamingFramePut16(guint8 *at,
                     guint16 value)
{
    at[0] = value >> 8;
    at[1] = value & 0xff;
    return at + 2;
}


/* The header of a frame to all, which need not be padded then. Returns: where it ends. */
static guint8 *
virTeamingFrameBegin(const virTeamingMac *mac,
                     guint vlan,
                     guint16 type,
                     guint8 *ret)
{
    guint8 *at = ret + 2 * sizeof(mac->addr);

    memset(ret, 0, VIR_TEAMING_FRAME_MAX);
    memset(ret, 0xff, sizeof(mac->addr));
    memcpy(ret + sizeof(mac->addr), mac->addr, sizeof(mac->addr));
    if (vlan)
        at = virTeamingFramePut16(virTeamingFramePut16(at, VIR_TEAMING_FRAME_8021Q), vlan);
    return virTeamingFramePut16(at, type);
}


/**
 * virTeamingFrameAnnounce:
 * @mac: a guest's MAC
 * @vlan: the VLAN that the frame is tagged with, 0: none
 * @ret: filled with a RARP request (RFC 903) of @mac for itself, to all
 *
 * Returns: its size.
 */
gsize
virTeamingFrameAnnounce(const virTeamingMac *mac,
                        guint vlan,
                        guint8 ret[VIR_TEAMING_FRAME_MAX])
{
    static const guint8 request[] = {
        0, 1,                       /* Ethernet */
        8, 0,                       /* IPv4 */
        sizeof(mac->addr), 4,
        0, 3,                       /* request reverse */
    };
    guint8 *at = virTeamingFrameBegin(mac, vlan, VIR_TEAMING_FRAME_RARP, ret);

    memcpy(at, request, sizeof(request));
    at += sizeof(request);
    memcpy(at, mac->addr, sizeof(mac->addr));
    at += sizeof(mac->addr) + 4;
    memcpy(at, mac->addr, sizeof(mac->addr));
    return VIR_TEAMING_FRAME_MIN;
}


/**
 * virTeamingFrameNotice:
 * @notice: what is to be said
 * @vlan: the VLAN that the frame is tagged with, 0: none
 * @ret: filled with the frame
 *
 * Returns: its size.
 */
gsize
virTeamingFrameNotice(const virTeamingNotice *notice,
                      guint vlan,
                      guint8 ret[VIR_TEAMING_FRAME_MAX])
{
    guint8 *at = virTeamingFrameBegin(&notice->mac, vlan, VIR_TEAMING_FRAME_ETHERTYPE, ret);
    const gsize room = ret + VIR_TEAMING_FRAME_MAX - at;
    const int len = g_snprintf((char *)at, room, VIR_TEAMING_FRAME_PREFIX "%s %s",
                               notice->runs ? "runs" : "stopped", notice->uuid);

    g_assert(len > 0 && (gsize)len < room);
    return MAX(at + len - ret, VIR_TEAMING_FRAME_MIN);
}


/**
 * virTeamingFrameParseNotice:
 * @frame: a frame without a VLAN tag, as it came from the wire
 * @size: of @frame
 * @ret: filled with what it says
 *
 * Returns: FALSE if it is no notice.
 */
gboolean
virTeamingFrameParseNotice(const guint8 *frame,
                           gsize size,
                           virTeamingNotice *ret)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (size <= VIR_TEAMING_FRAME_HEADER ||
        frame[12] != VIR_TEAMING_FRAME_ETHERTYPE >> 8 ||
        frame[13] != (VIR_TEAMING_FRAME_ETHERTYPE & 0xff))
        return FALSE;
    text = g_strndup((const char *)frame + VIR_TEAMING_FRAME_HEADER,
                     size - VIR_TEAMING_FRAME_HEADER);
    if (!g_str_has_prefix(text, VIR_TEAMING_FRAME_PREFIX))
        return FALSE;
    words = g_strsplit(text + strlen(VIR_TEAMING_FRAME_PREFIX), " ", 0);
    if (g_strv_length(words) != 2 || !g_uuid_string_is_valid(words[1]) ||
        (!g_str_equal(words[0], "runs") && !g_str_equal(words[0], "stopped")))
        return FALSE;
    memcpy(ret->mac.addr, frame + sizeof(ret->mac.addr), sizeof(ret->mac.addr));
    g_strlcpy(ret->uuid, words[1], sizeof(ret->uuid));
    ret->runs = g_str_equal(words[0], "runs");
    return TRUE;
}
