/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_bus_names.h: where and how the daemon is found, for it and its clients
 */

#pragma once

#define VIR_TEAMING_BUS_NAME "org.virtteaming"
#define VIR_TEAMING_BUS_PATH "/org/virtteaming"
#define VIR_TEAMING_BUS_INTERFACE "org.virtteaming.Host1"

/* Under the daemon's state directory. */
#define VIR_TEAMING_BUS_SOCKET "bus"
#define VIR_TEAMING_HOOK_SOCKET "hook"
/* There since the hook was heard, for later daemons, too: until the host is booted. */
#define VIR_TEAMING_HOOK_HEARD "hook-heard"

/* Whether a property's changes are told, as in the D-Bus specification, "Introspection Data
 * Format": without it, clients take them to be, and keep what they once got. */
#define VIR_TEAMING_BUS_PROPERTY(name, type, emits) \
    "<property name='" name "' type='" type "' access='read'>" \
    "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='" emits "'/>" \
    "</property>"

/* See docs/virtteamingd.rst. */
#define VIR_TEAMING_BUS_ERROR VIR_TEAMING_BUS_NAME ".Error"
#define VIR_TEAMING_BUS_XML \
    "<node>" \
    "<interface name='" VIR_TEAMING_BUS_INTERFACE "'>" \
    "<method name='GetPairs'><arg name='pairs' type='aa{sv}' direction='out'/></method>" \
    "<method name='Move'>" \
    "<arg name='domain' type='s' direction='in'/>" \
    "<arg name='standby' type='s' direction='in'/>" \
    "<arg name='to' type='s' direction='in'/>" \
    "</method>" \
    "<signal name='PairsChanged'/>" \
    VIR_TEAMING_BUS_PROPERTY("Version", "s", "const") \
    VIR_TEAMING_BUS_PROPERTY("HookHeard", "b", "true") \
    VIR_TEAMING_BUS_PROPERTY("LibvirtProblem", "s", "true") \
    "</interface>" \
    "</node>"
