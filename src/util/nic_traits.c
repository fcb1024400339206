/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_traits.c: what a NIC does with its filters, which no kernel interface tells
 */

#include "nic_traits.h"

#include <string.h>

#include "nic_verdict.h"
#include "teaming_error.h"

static const struct {
    const char *driver;
    virTeamingNicTraits traits;
} known[] = {
    /* Intel 82576: the receive address registers carry a pool mask, and frames go to
     * every pool whose entry matches (82576 Datasheet, 7.10.3 "Packet Switching");
     * measured on QEMU's model of it. Since commit 584af82154f5 igb_set_vf_mac_filter() refuses a
     * VF's request to clear its list, taking the address in it, which is none, for a bad one. */
    { "igb", { .copies = TRUE, .keepsVfMacs = TRUE } },
};


/**
 * virTeamingNicTraitsFind:
 * @kernel: the kernel
 * @pf: name of the PF
 * @dir: directory of verdicts, or NULL for VIR_TEAMING_NIC_VERDICT_DIR
 * @ret: filled with what was measured on this NIC by 'virt-teaming probe', else with what
 *       is known of its driver, else with what is safe to assume of any
 *
 * Returns: FALSE if @pf can't be looked at now, or is not a PCI function.
 */
gboolean
virTeamingNicTraitsFind(virTeamingKernel *kernel,
                        const char *pf,
                        const char *dir,
                        virTeamingNicTraits *ret)
{
    virTeamingNicTraits traits = { 0 };
    virTeamingNicIdentity identity;
    g_autoptr(virTeamingNicVerdict) verdict = NULL;
    g_autoptr(GError) error = NULL;

    if (!virTeamingNicIdentityRead(kernel, pf, &identity, NULL))
        return FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(known[i].driver, identity.driver))
            traits = known[i].traits;
    }

    verdict = virTeamingNicVerdictLoad(&identity, dir, &error);
    if (verdict) {
        memcpy(traits.answers, verdict->answers, sizeof(traits.answers));
        if (traits.answers[VIR_TEAMING_TRAIT_COPIES] != VIR_TEAMING_ANSWER_UNKNOWN)
            traits.copies = traits.answers[VIR_TEAMING_TRAIT_COPIES] == VIR_TEAMING_ANSWER_YES;
    } else if (!g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
        g_warning("%s", error->message);
    }
    *ret = traits;
    return TRUE;
}
