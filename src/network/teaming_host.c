/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_host.c: what the rules need to know of this very host
 */

/*
 * Theory of operation
 *
 * Which networks a host has, libvirt says; what stands behind their names, the kernel. The
 * rules take both from a virTeamingHost and ask nobody. Whoever talks to libvirt puts the
 * networks in; this file adds the kernel's part, for one domain and no more: libvirt waits
 * while its hook is answered. What the kernel does not say stays unknown, and is not judged.
 */

#include "teaming_host.h"

#include "nic_verdict.h"
#include "teaming_error.h"


static void
virTeamingHostLookPf(virTeamingHost *host,
                     const char *name,
                     virTeamingKernel *kernel,
                     const char *verdicts)
{
    virTeamingHostPf pf = { .present = TRUE };
    g_autoptr(GError) error = NULL;
    virTeamingLink link;

    if (virTeamingKernelLinkGet(kernel, name, &link, &error)) {
        /* @name may be an alternative one, which sysfs does not know. */
        pf.switchdev = virTeamingKernelPfHasRepresentors(kernel, link.name);
        pf.unfit = virTeamingNicVerdictFindObjection(kernel, link.name, verdicts);
    } else if (g_error_matches(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND)) {
        pf.present = FALSE;
    } else {
        return;
    }
    virTeamingHostAddPf(host, name, &pf);
    g_free(pf.unfit);
}


/* Returns: whether it is a VF, and its PF is known. */
static gboolean
virTeamingHostLookDevice(virTeamingHost *host,
                         const virTeamingPciAddress *address,
                         virTeamingKernel *kernel,
                         const char *verdicts)
{
    virTeamingHostDevice device = { .address = *address };
    virTeamingPciDevice pci;
    guint index;

    if (!virTeamingKernelPciGetDevice(kernel, address, &pci, NULL))
        return FALSE;
    device.nic = virTeamingPciClassIsEthernet(pci.classCode);
    device.vf = pci.physfn[0] != '\0';
    if (device.vf && virTeamingKernelVfLocate(kernel, address, device.pf, &index, NULL))
        virTeamingHostLookPf(host, device.pf, kernel, verdicts);
    virTeamingHostAddDevice(host, &device);
    return device.pf[0] != '\0';
}


/* Where @network takes VFs from. libvirt lists the VFs of a pool that is started, and takes one of
 * these; the name of their PF it looks up no more, so that may have changed. After its restart it
 * says only which VFs there are. */
static void
virTeamingHostLookPool(virTeamingHost *host,
                       const virTeamingNetwork *network,
                       virTeamingKernel *kernel,
                       const char *verdicts)
{
    gboolean found = FALSE;

    /* Of a pool that names its PF, one VF says as much as all. */
    for (guint i = 0; i < network->vfs->len && !(found && network->pfs->len > 0); i++)
        found |= virTeamingHostLookDevice(host, &g_array_index(network->vfs,
                                                               virTeamingPciAddress, i),
                                          kernel, verdicts);
    for (guint i = 0; i < network->pfs->len && !found; i++)
        virTeamingHostLookPf(host, network->pfs->pdata[i], kernel, verdicts);
}


/**
 * virTeamingHostLook:
 * @host: knows the networks, if anybody does; grows by PFs and devices
 * @domain: whose transient NICs say what to look at
 * @kernel: of the host
 * @verdicts: (nullable): directory of verdicts on NICs, NULL for the usual one
 */
void
virTeamingHostLook(virTeamingHost *host,
                   const virTeamingDomain *domain,
                   virTeamingKernel *kernel,
                   const char *verdicts)
{
    for (guint i = 0; i < domain->nics->len; i++) {
        const virTeamingNic *nic = domain->nics->pdata[i];
        const virTeamingHostNetwork *network = NULL;

        if (nic->role != VIR_TEAMING_ROLE_TRANSIENT)
            continue;
        if (nic->hasSource)
            virTeamingHostLookDevice(host, &nic->source, kernel, verdicts);
        if (host->networks && nic->network)
            network = g_hash_table_lookup(host->networks, nic->network);
        if (network)
            virTeamingHostLookPool(host, network->conf, kernel, verdicts);
    }
}
