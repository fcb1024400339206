/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_frame.h: the frames by which the network is told where a MAC is
 */

#pragma once

#include "teaming_addr.h"

/* IEEE Std 802, "Local Experimental Ethertypes"; not in linux/if_ether.h. */
#define VIR_TEAMING_FRAME_ETHERTYPE 0x88b5

#define VIR_TEAMING_FRAME_MAX 96
#define VIR_TEAMING_FRAME_UUID_LEN 36

/**
 * virTeamingNotice: what a host says of a guest
 * @mac: one of the guest's MACs
 * @uuid: the domain's, in lower case
 * @runs: the guest runs on the host that says so; else it was stopped there to run elsewhere
 */
typedef struct {
    virTeamingMac mac;
    char uuid[VIR_TEAMING_FRAME_UUID_LEN + 1];
    gboolean runs;
} virTeamingNotice;

gsize virTeamingFrameAnnounce(const virTeamingMac *mac,
                              guint vlan,
                              guint8 ret[VIR_TEAMING_FRAME_MAX]);
gsize virTeamingFrameNotice(const virTeamingNotice *notice,
                            guint vlan,
                            guint8 ret[VIR_TEAMING_FRAME_MAX]);
gboolean virTeamingFrameParseNotice(const guint8 *frame,
                                    gsize size,
                                    virTeamingNotice *ret);
