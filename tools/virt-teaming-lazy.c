/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-teaming-lazy.c: libvirt, loaded when it is first asked something
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "virt-teaming.h"

/*
 * Theory of operation
 *
 * Loading libvirt and the forty libraries behind it takes three quarters of the time in
 * which a file is checked, and checking a file needs none of them. So virt-teaming is not
 * linked with libvirt. Each function that it calls is defined here, in one row, as one
 * that looks the real one up at its first call. The others call them as always; whoever
 * calls a new one hears of it from the linker, and adds a row.
 */

static void *
virTeamingLazyLookup(const char *library,
                     const char *name)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    void *symbol = handle ? dlsym(handle, name) : NULL;

    if (!symbol) {
        g_autoptr(GError) error = g_error_new(VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_UNSUPPORTED,
                                              "can't load libvirt: %s", dlerror());

        exit(virTeamingCmdFail(error));
    }
    return symbol;
}


#define LAZY_FROM(library, type, name, parameters, arguments) \
    type \
    name parameters \
    { \
        static type (*real) parameters; \
        \
        if (!real) \
            real = virTeamingLazyLookup(library, #name); \
        return real arguments; \
    }

#define LAZY(type, name, parameters, arguments) \
    LAZY_FROM("libvirt.so.0", type, name, parameters, arguments)

LAZY(virConnectPtr, virConnectOpenAuth,
     (const char *uri, virConnectAuthPtr auth, unsigned int flags), (uri, auth, flags))
LAZY(int, virConnectClose, (virConnectPtr conn), (conn))
LAZY(char *, virConnectGetURI, (virConnectPtr conn), (conn))
LAZY(int, virConnectListAllDomains,
     (virConnectPtr conn, virDomainPtr **domains, unsigned int flags), (conn, domains, flags))
LAZY(int, virConnectListAllNetworks,
     (virConnectPtr conn, virNetworkPtr **nets, unsigned int flags), (conn, nets, flags))
LAZY(int, virDomainFree, (virDomainPtr domain), (domain))
LAZY(const char *, virDomainGetName, (virDomainPtr domain), (domain))
LAZY(int, virDomainGetUUIDString, (virDomainPtr domain, char *buf), (domain, buf))
LAZY(char *, virDomainGetXMLDesc, (virDomainPtr domain, unsigned int flags), (domain, flags))
LAZY(virDomainPtr, virDomainLookupByID, (virConnectPtr conn, int id), (conn, id))
LAZY(virDomainPtr, virDomainLookupByName, (virConnectPtr conn, const char *name), (conn, name))
LAZY(virDomainPtr, virDomainLookupByUUIDString,
     (virConnectPtr conn, const char *uuid), (conn, uuid))
LAZY(int, virGetLastErrorCode, (void), ())
LAZY(const char *, virGetLastErrorMessage, (void), ())
LAZY(void, virSetErrorFunc, (void *opaque, virErrorFunc handler), (opaque, handler))
LAZY(int, virNetworkFree, (virNetworkPtr network), (network))
LAZY(const char *, virNetworkGetName, (virNetworkPtr network), (network))
LAZY(char *, virNetworkGetXMLDesc, (virNetworkPtr network, unsigned int flags), (network, flags))
LAZY(int, virNetworkIsActive, (virNetworkPtr network), (network))
LAZY(virNetworkPtr, virNetworkLookupByName, (virConnectPtr conn, const char *name), (conn, name))
LAZY(virNetworkPtr, virNetworkLookupByUUIDString,
     (virConnectPtr conn, const char *uuid), (conn, uuid))
LAZY(int, virNodeDeviceFree, (virNodeDevicePtr dev), (dev))
LAZY(char *, virNodeDeviceGetXMLDesc, (virNodeDevicePtr dev, unsigned int flags), (dev, flags))
LAZY(virNodeDevicePtr, virNodeDeviceLookupByName,
     (virConnectPtr conn, const char *name), (conn, name))
LAZY_FROM("libvirt-qemu.so.0", int, virDomainQemuMonitorCommand,
          (virDomainPtr domain, const char *command, char **result, unsigned int flags),
          (domain, command, result, flags))
