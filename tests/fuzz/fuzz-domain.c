/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz-domain.c: any bytes as a domain: no crash, no hang, and what is read is kept
 */

#include <stdint.h>

#include "fuzz.h"
#include "qemu_command.h"
#include "teaming_validate.h"

/* Whatever can be read can be judged, told to QEMU or not, written, and read again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data,
                       size_t size)
{
    g_autoptr(virTeamingDomain) domain =
        virTeamingDomainParse((const char *)data, size, "fuzz", NULL);
    g_autoptr(virTeamingDomain) again = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    g_autoptr(GPtrArray) args = NULL;
    g_autofree char *text = NULL;
    g_autofree char *same = NULL;

    if (!domain)
        return 0;

    findings = virTeamingDomainValidate(domain, NULL, NULL);
    args = virTeamingQemuCommandBuild(domain, NULL);
    for (guint i = 0; args && i < args->len; i++)
        g_free(virTeamingQemuArgFormat(args->pdata[i]));

    text = virTeamingDomainFormat(domain);
    again = virTeamingDomainParse(text, -1, "again", NULL);
    g_assert_nonnull(again);
    same = virTeamingDomainFormat(again);
    g_assert_cmpstr(text, ==, same);
    return 0;
}
