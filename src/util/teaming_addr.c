/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_addr.c: MAC and PCI addresses
 */

#include "teaming_addr.h"

#include <string.h>

/* Reads exactly @ndigits hexadecimal digits at *@str and moves past them. */
static gboolean
virTeamingHexTake(const char **str,
                  guint ndigits,
                  guint32 *ret)
{
    guint32 value = 0;

    for (guint i = 0; i < ndigits; i++) {
        int digit = g_ascii_xdigit_value(**str);

        if (digit < 0)
            return FALSE;
        value = value << 4 | (guint32)digit;
        (*str)++;
    }
    *ret = value;
    return TRUE;
}


/**
 * virTeamingMacParse:
 * @str: six pairs of hexadecimal digits, separated by ':' or all by '-'
 * @ret: filled on success only
 *
 * Returns: whether @str is a MAC address and nothing else.
 */
gboolean
virTeamingMacParse(const char *str,
                   virTeamingMac *ret)
{
    virTeamingMac mac;
    char separator = 0;

    for (guint i = 0; i < sizeof(mac.addr); i++) {
        guint32 byte;

        if (i == 1)
            separator = *str;
        if (i > 0 && ((separator != ':' && separator != '-') || *str++ != separator))
            return FALSE;
        if (!virTeamingHexTake(&str, 2, &byte))
            return FALSE;
        mac.addr[i] = byte;
    }
    if (*str)
        return FALSE;
    *ret = mac;
    return TRUE;
}


/**
 * virTeamingMacFormat:
 * @mac: the address
 * @buf: room for the text
 *
 * Returns: @buf, which holds @mac in lower case with colons, as libvirt writes it.
 */
const char *
virTeamingMacFormat(const virTeamingMac *mac,
                    char buf[VIR_TEAMING_MAC_STRING_LEN])
{
    g_snprintf(buf, VIR_TEAMING_MAC_STRING_LEN, "%02x:%02x:%02x:%02x:%02x:%02x",
               mac->addr[0], mac->addr[1], mac->addr[2],
               mac->addr[3], mac->addr[4], mac->addr[5]);
    return buf;
}


gboolean
virTeamingMacEqual(const virTeamingMac *a,
                   const virTeamingMac *b)
{
    return memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}


gboolean
virTeamingMacIsZero(const virTeamingMac *mac)
{
    static const virTeamingMac zero;

    return virTeamingMacEqual(mac, &zero);
}


gboolean
virTeamingMacIsMulticast(const virTeamingMac *mac)
{
    return mac->addr[0] & 1;
}


/**
 * virTeamingPciAddressParse:
 * @str: DDDD:BB:SS.F in hexadecimal, as sysfs names devices (a domain may have
 *       up to eight digits)
 * @ret: filled on success only
 *
 * Returns: whether @str is a PCI address and nothing else.
 */
gboolean
virTeamingPciAddressParse(const char *str,
                          virTeamingPciAddress *ret)
{
    const char *colon = strchr(str, ':');
    guint32 domain;
    guint32 bus;
    guint32 slot;
    guint32 function;

    if (!colon || colon - str < 4 || colon - str > 8 ||
        !virTeamingHexTake(&str, colon - str, &domain) || *str++ != ':' ||
        !virTeamingHexTake(&str, 2, &bus) || *str++ != ':' ||
        !virTeamingHexTake(&str, 2, &slot) || *str++ != '.' ||
        !virTeamingHexTake(&str, 1, &function) || *str ||
        slot > 0x1f || function > 7)
        return FALSE;

    ret->domain = domain;
    ret->bus = bus;
    ret->slot = slot;
    ret->function = function;
    return TRUE;
}


/**
 * virTeamingPciAddressFormat:
 * @addr: the address
 * @buf: room for the text
 *
 * Returns: @buf, which holds @addr as sysfs names the device.
 */
const char *
virTeamingPciAddressFormat(const virTeamingPciAddress *addr,
                           char buf[VIR_TEAMING_PCI_STRING_LEN])
{
    g_snprintf(buf, VIR_TEAMING_PCI_STRING_LEN, "%04x:%02x:%02x.%x",
               addr->domain, addr->bus, addr->slot & 0x1f, addr->function & 7);
    return buf;
}


gboolean
virTeamingPciAddressEqual(const virTeamingPciAddress *a,
                          const virTeamingPciAddress *b)
{
    return a->domain == b->domain && a->bus == b->bus &&
        a->slot == b->slot && a->function == b->function;
}


/**
 * virTeamingPciClassIsEthernet:
 * @classCode: of a PCI function, 24 bits: class, subclass and programming interface
 *
 * Returns: whether it is an Ethernet controller (0x0200: PCI Code and ID Assignment). QEMU takes
 *          no other for a primary: pci_qdev_realize() in hw/pci/pci.c.
 */
gboolean
virTeamingPciClassIsEthernet(guint64 classCode)
{
    return classCode >> 8 == 0x0200;
}
