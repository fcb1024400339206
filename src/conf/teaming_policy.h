/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_policy.h: how one domain wants its pairs treated
 */

#pragma once

#include <glib.h>

/* Namespace of <policy> in a domain's <metadata>. */
#define VIR_TEAMING_XMLNS "https://virt-teaming.org/xmlns/teaming/1.0"

/* Defaults for one host: a GKeyFile, group [policy], keys as the attributes of <policy>. */
#define VIR_TEAMING_POLICY_FILE VIR_TEAMING_SYSCONFDIR "/virt-teaming/virt-teaming.conf"
#define VIR_TEAMING_POLICY_GROUP "policy"

typedef enum {
    VIR_TEAMING_ON_UNPLUG_TIMEOUT_ABORT = 0,    /* give the migration up */
    VIR_TEAMING_ON_UNPLUG_TIMEOUT_WAIT,         /* as stock libvirt: for ever */
} virTeamingOnUnplugTimeout;

typedef enum {
    VIR_TEAMING_PARKING_AUTO = 0,               /* what the NIC is known to take */
    VIR_TEAMING_PARKING_ZERO,                   /* admin MAC all zero */
    VIR_TEAMING_PARKING_VLAN,                   /* the pair's MAC in an unused VLAN */
} virTeamingParking;

typedef enum {
    VIR_TEAMING_PLUG_AUTO = 0,
    VIR_TEAMING_PLUG_DEFERRED,                  /* VF plugged after the guest resumed */
    VIR_TEAMING_PLUG_STOCK,                     /* by QEMU, inside the blackout */
} virTeamingPlug;

typedef enum {
    VIR_TEAMING_POSTCOPY_REFUSE = 0,
    VIR_TEAMING_POSTCOPY_ALLOW,
} virTeamingPostcopy;

/**
 * virTeamingPolicy:
 * @set: bit n: setting n (in the order below) was written, not defaulted
 * @unplugTimeout: seconds that a guest gets to let its VF go
 * @onUnplugTimeout: what to do when they are over
 * @parking: how the NIC is kept from steering frames to a VF that nobody drives
 * @plug: when the VF is plugged on the destination
 * @prealloc: have the destination touch guest memory before it is needed
 * @postcopy: whether it is meant to be migrated with post-copy: check warns, no more
 */
typedef struct {
    guint set;
    guint unplugTimeout;
    virTeamingOnUnplugTimeout onUnplugTimeout;
    virTeamingParking parking;
    virTeamingPlug plug;
    gboolean prealloc;
    virTeamingPostcopy postcopy;
} virTeamingPolicy;

void virTeamingPolicyInit(virTeamingPolicy *policy);
gboolean virTeamingPolicySet(virTeamingPolicy *policy,
                             const char *name,
                             const char *value,
                             char **hint,
                             GError **error);
void virTeamingPolicyMerge(virTeamingPolicy *policy,
                           const virTeamingPolicy *over);
gboolean virTeamingPolicyLoad(virTeamingPolicy *policy,
                              const char *path,
                              GError **error);
void virTeamingPolicyFormat(const virTeamingPolicy *policy,
                            GString *out);
