/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_validate.h: what is wrong with a domain's teaming
 */

#pragma once

#include <net/if.h>

#include "network_conf.h"
#include "teaming_conf.h"
#include "teaming_rules.h"

/**
 * virTeamingSeverity:
 * @VIR_TEAMING_SEVERITY_ERROR: it cannot work
 * @VIR_TEAMING_SEVERITY_WARNING: it will hurt
 * @VIR_TEAMING_SEVERITY_NOTE: good to know
 */
typedef enum {
    VIR_TEAMING_SEVERITY_ERROR,
    VIR_TEAMING_SEVERITY_WARNING,
    VIR_TEAMING_SEVERITY_NOTE,
} virTeamingSeverity;

typedef enum {
#define RULE(symbol, id, severity, summary, why, hint) VIR_TEAMING_RULE_ ## symbol,
    VIR_TEAMING_RULES
#undef RULE
    VIR_TEAMING_RULE_LAST
} virTeamingRuleId;

typedef struct {
    const char *id;
    virTeamingSeverity severity;
    const char *summary;
    const char *why;
    const char *hint;
} virTeamingRule;

/**
 * virTeamingFinding: one thing that is wrong
 * @rule: which rule says so
 * @line: of @element, in the XML that was parsed
 * @element: an XPath
 * @message: what is wrong here
 * @hint: how to mend it
 */
typedef struct {
    virTeamingRuleId rule;
    int line;
    char *element;
    char *message;
    char *hint;
} virTeamingFinding;

/* A network of the host, and whether it is started. */
typedef struct {
    virTeamingNetwork *conf;
    gboolean active;
} virTeamingHostNetwork;

/* A PCI function of the host. */
typedef struct {
    virTeamingPciAddress address;
    gboolean vf;
    gboolean nic;
    char pf[IF_NAMESIZE];           /* of a VF; "" if it is not known */
} virTeamingHostDevice;

/* A network interface that has, or should have, VFs. */
typedef struct {
    gboolean present;
    gboolean switchdev;             /* its VFs are ports of a switch, by representors */
    char *unfit;                    /* why its VFs can't be in a pair, or NULL */
} virTeamingHostPf;

/**
 * virTeamingHost: what is known of the host that the domain is to run on
 * @networks: by name, or NULL if they are not known
 * @devices: by address as text, or NULL. One that is not in there is not known
 * @pfs: by name, or NULL. One that is not in there is not known
 */
typedef struct {
    GHashTable *networks;
    GHashTable *devices;
    GHashTable *pfs;
} virTeamingHost;

void virTeamingHostInit(virTeamingHost *host);
void virTeamingHostClear(virTeamingHost *host);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virTeamingHost, virTeamingHostClear)
void virTeamingHostAddNetwork(virTeamingHost *host,
                              virTeamingNetwork *network,
                              gboolean active);
void virTeamingHostAddDevice(virTeamingHost *host,
                             const virTeamingHostDevice *device);
void virTeamingHostAddPf(virTeamingHost *host,
                         const char *name,
                         const virTeamingHostPf *pf);

const virTeamingRule *virTeamingRuleGet(virTeamingRuleId id);
gboolean virTeamingRuleIsOfHost(virTeamingRuleId id);
const char *virTeamingSeverityToString(virTeamingSeverity severity);
char *virTeamingRulesFormat(void);

GPtrArray *virTeamingDomainValidate(const virTeamingDomain *domain,
                                    const virTeamingHost *host,
                                    const virTeamingPolicy *defaults);
void virTeamingFindingFree(virTeamingFinding *finding);
virTeamingFinding *virTeamingFindingNew(virTeamingRuleId rule,
                                        int line,
                                        char *element,
                                        const char *format,
                                        ...) G_GNUC_PRINTF(4, 5);
