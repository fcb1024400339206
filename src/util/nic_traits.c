/*
 * nic_traits.c: what a NIC does with its filters, which no kernel interface tells
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "nic_traits.h"

static const struct {
    const char *driver;
    virTeamingNicTraits traits;
} known[] = {
    /* Intel 82576: the receive address registers carry a pool mask, and frames go to
     * every pool whose entry matches (82576 Datasheet, 7.10.3 "Packet Switching");
     * measured on QEMU's model of it. */
    { "igb", { .copies = TRUE } },
};


/**
 * virTeamingNicTraitsFind:
 * @driver: name of the PF's driver
 *
 * Returns: what is known; for an unknown NIC, what is safe to assume of any.
 */
virTeamingNicTraits
virTeamingNicTraitsFind(const char *driver)
{
    static const virTeamingNicTraits safe;

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(known[i].driver, driver))
            return known[i].traits;
    }
    return safe;
}
