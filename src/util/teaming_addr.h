/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_addr.h: MAC and PCI addresses
 */

#pragma once

#include <glib.h>

#define VIR_TEAMING_MAC_STRING_LEN 18
#define VIR_TEAMING_PCI_STRING_LEN 18

typedef struct {
    guint8 addr[6];
} virTeamingMac;

typedef struct {
    guint32 domain;
    guint8 bus;
    guint8 slot;
    guint8 function;
} virTeamingPciAddress;

gboolean virTeamingMacParse(const char *str,
                            virTeamingMac *ret);
const char *virTeamingMacFormat(const virTeamingMac *mac,
                                char buf[VIR_TEAMING_MAC_STRING_LEN]);
gboolean virTeamingMacEqual(const virTeamingMac *a,
                            const virTeamingMac *b);
gboolean virTeamingMacIsZero(const virTeamingMac *mac);
gboolean virTeamingMacIsMulticast(const virTeamingMac *mac);

gboolean virTeamingPciAddressParse(const char *str,
                                   virTeamingPciAddress *ret);
const char *virTeamingPciAddressFormat(const virTeamingPciAddress *addr,
                                       char buf[VIR_TEAMING_PCI_STRING_LEN]);
gboolean virTeamingPciAddressEqual(const virTeamingPciAddress *a,
                                   const virTeamingPciAddress *b);
gboolean virTeamingPciClassIsEthernet(guint64 classCode);
