/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_migrate.h: the XML of a domain that arrives: what to change, what to keep
 */

#pragma once

#include <glib.h>

char *virTeamingDomainPreallocate(const char *xml,
                                  GError **error);
char *virTeamingDomainDumpTransient(const char *xml,
                                    const char *persistent,
                                    GError **error);
