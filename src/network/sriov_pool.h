/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sriov_pool.h: the VFs of a hostdev network: free, used by whom, unusable and why
 */

#pragma once

#include "network_conf.h"
#include "teaming_kernel.h"

/* A domain that runs and has a PCI function of the host. */
typedef struct {
    char *domain;
    char *alias;                    /* of the device in the domain; NULL: none told */
    virTeamingPciAddress address;
} virTeamingPoolUser;

/**
 * virTeamingPoolVfState:
 * @VIR_TEAMING_POOL_VF_FREE: a domain may have it
 * @VIR_TEAMING_POOL_VF_USED: a domain has it
 * @VIR_TEAMING_POOL_VF_UNUSABLE: no domain has it and none should; libvirt, which
 *                                looks at less, may hand it out all the same
 */
typedef enum {
    VIR_TEAMING_POOL_VF_FREE,
    VIR_TEAMING_POOL_VF_USED,
    VIR_TEAMING_POOL_VF_UNUSABLE,
} virTeamingPoolVfState;

typedef struct {
    char name[IF_NAMESIZE];
    gboolean present;               /* otherwise only the name is known */
    char pci[VIR_TEAMING_PCI_STRING_LEN];   /* "" if none */
    char driver[32];
    virTeamingMac mac;
    gboolean up;
    gboolean running;
    guint mtu;
    char master[IF_NAMESIZE];       /* bridge (or bond, …) it is a port of, or "" */
    guint vfsEnabled;
    guint vfsTotal;
} virTeamingPoolPf;

typedef struct {
    char pf[IF_NAMESIZE];           /* "" if it has none here; then index, mac and vlan */
    guint index;                    /* are not known either */
    virTeamingMac mac;              /* all zero: none */
    guint vlan;                     /* 0: none */
    virTeamingPciAddress address;
    char driver[32];                /* the host's; "" if none */
    gint iommuGroup;                /* -1: none */
    char netdev[IF_NAMESIZE];       /* on the host, or "" */
    virTeamingPoolVfState state;
    char *domain;                   /* of a used one */
    char *alias;                    /* of a used one, or NULL */
    char *why;                      /* of an unusable one */
} virTeamingPoolVf;

typedef struct {
    char *network;
    GPtrArray *pfs;                 /* of virTeamingPoolPf */
    GPtrArray *vfs;                 /* of virTeamingPoolVf */
    GPtrArray *notes;               /* of char *: what is wrong beyond single VFs, and the cure */
} virTeamingPool;

virTeamingPool *virTeamingPoolNew(const virTeamingNetwork *network,
                                  virTeamingKernel *kernel,
                                  const GPtrArray *users,
                                  GError **error);
void virTeamingPoolFree(virTeamingPool *pool);
guint virTeamingPoolCount(const virTeamingPool *pool,
                          virTeamingPoolVfState state);
const char *virTeamingPoolVfStateToString(virTeamingPoolVfState state);

GPtrArray *virTeamingPoolUsersNew(void);
gboolean virTeamingPoolUsersParse(GPtrArray *users,
                                  const char *xml,
                                  gssize len,
                                  const char *file,
                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingPool, virTeamingPoolFree)
