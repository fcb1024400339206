/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nic_verdict.h: what 'virt-teaming probe' has found out of a NIC, on file
 */

#pragma once

#include <json-glib/json-glib.h>

#include "nic_traits.h"
#include "teaming_kernel.h"

/* Where verdicts are, unless told otherwise: <PCI address of the PF>.json each. */
#define VIR_TEAMING_NIC_VERDICT_DIR "/var/lib/virt-teaming/nics"

/* Which NIC it is, and what in it decides how it behaves. Strings; "": not known. */
typedef struct {
    char pci[VIR_TEAMING_PCI_STRING_LEN];   /* of the PF */
    char driver[32];                /* of the PF */
    char device[10];                /* vendor:device, as in "8086:10c9" */
    char subsystem[10];             /* the same of who built the card */
    char firmware[32];
} virTeamingNicIdentity;

typedef struct {
    virTeamingNicIdentity identity;
    char *vf;                       /* PCI address of the VF it was tried on */
    char *vfDriver;                 /* of that VF while it was tried */
    char *peer;                     /* interface that sent from the wire; NULL: none did */
    char *kernel;                   /* release; with it the drivers' version */
    char *date;                     /* ISO 8601, UTC */
    virTeamingNicAnswer answers[VIR_TEAMING_TRAIT_LAST];
    gint64 changeUs;                /* MAC set until frames are steered, median; -1: unknown */
    gint64 changeMaxUs;             /* the longest */
} virTeamingNicVerdict;

/**
 * virTeamingNicTraitInfo: what people and programs read of a question
 * @id: in JSON
 * @question: a question for yes or no
 * @bad: the answer that stands out; UNKNOWN: neither does
 * @meaning: by answer, what it means for a pair
 */
typedef struct {
    const char *id;
    const char *question;
    virTeamingNicAnswer bad;
    const char *meaning[3];
} virTeamingNicTraitInfo;

const virTeamingNicTraitInfo *virTeamingNicTraitGet(virTeamingNicTrait question);
const char *virTeamingNicAnswerToString(virTeamingNicAnswer answer);

gboolean virTeamingNicIdentityRead(virTeamingKernel *kernel,
                                   const char *pf,
                                   virTeamingNicIdentity *ret,
                                   GError **error);

virTeamingNicVerdict *virTeamingNicVerdictNew(const virTeamingNicIdentity *identity);
void virTeamingNicVerdictFree(virTeamingNicVerdict *verdict);
void virTeamingNicVerdictInherit(virTeamingNicVerdict *verdict,
                                 const virTeamingNicVerdict *older);
char *virTeamingNicVerdictObject(const virTeamingNicVerdict *verdict);
JsonNode *virTeamingNicVerdictFormat(const virTeamingNicVerdict *verdict);
char *virTeamingNicVerdictPath(const virTeamingNicIdentity *identity,
                               const char *dir);
gboolean virTeamingNicVerdictSave(const virTeamingNicVerdict *verdict,
                                  const char *dir,
                                  GError **error);
virTeamingNicVerdict *virTeamingNicVerdictLoad(const virTeamingNicIdentity *identity,
                                               const char *dir,
                                               GError **error);
char *virTeamingNicVerdictFindObjection(virTeamingKernel *kernel,
                                        const char *pf,
                                        const char *dir);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virTeamingNicVerdict, virTeamingNicVerdictFree)
