/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nodedev_conf.c: a libvirt node <device>, as far as it tells a VF from other devices
 */

#include "nodedev_conf.h"

#include "teaming_error.h"
#include "teaming_xml.h"


/**
 * virTeamingNodeDeviceParse:
 * @xml: a <device> with <capability type='pci'>
 * @file: name for messages
 * @ret: filled on success only
 * @error: set to VIR_TEAMING_ERROR_INVALID
 *
 * A device whose XML does not give its class (libvirt < 5.1) is taken for a NIC.
 *
 * Returns: whether @xml describes a PCI function.
 */
gboolean
virTeamingNodeDeviceParse(const char *xml,
                          const char *file,
                          virTeamingHostDevice *ret,
                          GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, -1, file, "device", error);
    static const char *const names[] = { "domain", "bus", "slot", "function" };
    virTeamingHostDevice device = { .nic = TRUE };
    guint64 parts[G_N_ELEMENTS(names)];
    const xmlNode *pci;
    const xmlNode *class;

    if (!doc)
        return FALSE;

    pci = virTeamingXmlGetChild(xmlDocGetRootElement(doc), "capability");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = virTeamingXmlGetText(virTeamingXmlGetChild(pci, names[i]));

        if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &parts[i], NULL)) {
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "%s: not a PCI device", file);
            return FALSE;
        }
    }
    device.address.domain = parts[0];
    device.address.bus = parts[1];
    device.address.slot = parts[2];
    device.address.function = parts[3];

    if ((class = virTeamingXmlGetChild(pci, "class"))) {
        g_autofree char *text = virTeamingXmlGetText(class);

        device.nic = virTeamingPciClassIsEthernet(g_ascii_strtoull(text, NULL, 16));
    }
    for (const xmlNode *node = pci->children; node; node = node->next) {
        if (virTeamingXmlIs(node, "capability") &&
            g_strcmp0(virTeamingXmlPeekProp(node, "type"), "phys_function") == 0)
            device.vf = TRUE;
    }
    *ret = device;
    return TRUE;
}
