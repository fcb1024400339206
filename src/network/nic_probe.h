/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_probe.h: find out, without any guest, whether a NIC can carry a failover pair
 */

#pragma once

#include <signal.h>

#include "nic_verdict.h"
#include "nic_wire.h"

/**
 * virTeamingNicProbe: what a probe needs
 * @kernel: the kernel
 * @wire: frames and VFs' drivers
 * @pf: name of the PF
 * @peer: name of the interface at the other end of the wire; NULL: there is none
 * @rundir: directory of the journal
 * @stop: set to nonzero, by a signal, to put all back and end; NULL: cannot be stopped
 * @progress: told in words what is done; NULL: nobody wants to know
 * @notice: told in words what is not put back, and why; NULL: nobody wants to know
 */
typedef struct {
    virTeamingKernel *kernel;
    virTeamingNicWire *wire;
    const char *pf;
    const char *peer;
    const char *rundir;
    const volatile sig_atomic_t *stop;
    void (*progress)(const char *words);
    void (*notice)(const char *words);
} virTeamingNicProbe;

gboolean virTeamingNicProbeRecover(const virTeamingNicProbe *probe,
                                   GError **error);
virTeamingNicVerdict *virTeamingNicProbeRun(const virTeamingNicProbe *probe,
                                            GError **error);
