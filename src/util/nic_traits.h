/*
 * nic_traits.h: what a NIC does with its filters, which no kernel interface tells
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/**
 * virTeamingNicTraits:
 * @copies: a MAC that PF and VF both hold reaches both, a copy to each
 */
typedef struct {
    gboolean copies;
} virTeamingNicTraits;

virTeamingNicTraits virTeamingNicTraitsFind(const char *driver);
