/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz-network.c: any bytes as a network or a node device: no crash, no hang
 */

#include <stdint.h>

#include "fuzz.h"
#include "nodedev_conf.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data,
                       size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    virTeamingNetwork *network = virTeamingNetworkParse((const char *)data, size, "fuzz", NULL);
    virTeamingHostDevice device;

    if (network) {
        virTeamingNetworkIsPool(network);
        virTeamingNetworkGetVlan(network, NULL);
        virTeamingNetworkGetVlan(network, "red");
        virTeamingNetworkGetVirtualport(network, NULL);
    }
    virTeamingNetworkFree(network);
    virTeamingNodeDeviceParse(text, "fuzz", &device, NULL);
    return 0;
}
