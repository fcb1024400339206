/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_traits.h: what a NIC does with its filters, which no kernel interface tells
 */

#pragma once

#include <glib.h>

/* As in teaming_kernel.h, which the sequencer must not see. */
typedef struct _virTeamingKernel virTeamingKernel;

/**
 * virTeamingNicTrait: what 'virt-teaming probe' asks of a NIC and its driver
 * @VIR_TEAMING_TRAIT_STEERS: does a VF that is up get the frames for the MAC that the PF set
 * @VIR_TEAMING_TRAIT_KEEPS_MAC: does the VF's driver take that MAC when it loads
 * @VIR_TEAMING_TRAIT_ACCEPTS_ZERO: does the zero MAC empty a VF
 * @VIR_TEAMING_TRAIT_STEERS_EARLY: are frames taken from the PF as soon as a VF has their
 *                                MAC, though nobody drives the VF
 * @VIR_TEAMING_TRAIT_COPIES: do PF and VF both get a frame for a MAC that both hold
 * @VIR_TEAMING_TRAIT_VLAN_PARKS: does a VF with its MAC in an unused VLAN get no frame from
 *                              the wire, and the PF get it instead
 * @VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL: do frames that the PF sends leave by the wire then
 */
typedef enum {
    VIR_TEAMING_TRAIT_STEERS,
    VIR_TEAMING_TRAIT_KEEPS_MAC,
    VIR_TEAMING_TRAIT_ACCEPTS_ZERO,
    VIR_TEAMING_TRAIT_STEERS_EARLY,
    VIR_TEAMING_TRAIT_COPIES,
    VIR_TEAMING_TRAIT_VLAN_PARKS,
    VIR_TEAMING_TRAIT_VLAN_PARKS_LOCAL,
    VIR_TEAMING_TRAIT_LAST
} virTeamingNicTrait;

typedef enum {
    VIR_TEAMING_ANSWER_UNKNOWN,
    VIR_TEAMING_ANSWER_YES,
    VIR_TEAMING_ANSWER_NO,
} virTeamingNicAnswer;

/**
 * virTeamingNicTraits: what to rely on; all zero is safe on any NIC
 * @copies: a MAC that PF and VF both hold reaches both, a copy to each
 * @keepsVfMacs: what a VF's driver has added to the VF's list of MACs, it can't take away
 * @answers: what was measured on this very NIC
 */
typedef struct {
    gboolean copies;
    gboolean keepsVfMacs;
    virTeamingNicAnswer answers[VIR_TEAMING_TRAIT_LAST];
} virTeamingNicTraits;

gboolean virTeamingNicTraitsFind(virTeamingKernel *kernel,
                                 const char *pf,
                                 const char *dir,
                                 virTeamingNicTraits *ret);
