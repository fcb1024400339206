/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_migrate.c: the XML of a domain that arrives: what to change, what to keep
 */

/*
 * Theory of operation
 *
 * vfio pins all of a guest's memory when its VF is plugged, and every page that does not
 * exist yet is made then: under QEMU's big lock, with the guest stopped or stalled. On a
 * host that a guest migrates to, none of its pages exist. libvirt's
 * <memoryBacking><allocation mode='immediate'/> has QEMU make them before the migration
 * begins. It is not part of what the guest sees, so libvirt's migrate hook may add it for
 * the destination (libvirt, docs/hooks.rst and docs/formatdomain.rst), and since
 * the pinning takes all the memory anyway, it costs none.
 *
 * A VF that is plugged only when the guest runs is plugged with the very element that
 * the domain brought along. Live XML no longer tells which pool it was taken from.
 */

#include "teaming_migrate.h"

#include <string.h>

#include "teaming_error.h"
#include "teaming_xml.h"


static xmlNode *
virTeamingXmlNeedChild(xmlNode *parent,
                       const char *name)
{
    xmlNode *child = virTeamingXmlGetChild(parent, name);

    return child ? child : xmlNewChild(parent, NULL, BAD_CAST name, NULL);
}


/* @node of @doc as text. */
static char *
virTeamingXmlDump(xmlDoc *doc,
                  xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    xmlNodeDump(buffer, doc, node, 0, 0);
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}


/**
 * virTeamingDomainPreallocate:
 * @xml: a domain
 * @error: set to VIR_TEAMING_ERROR_INVALID if @xml is none
 *
 * A domain that says how it wants its memory allocated is left as it is.
 *
 * Returns: (transfer full): @xml with <allocation mode='immediate'/> added; NULL without
 *          @error if nothing is to be changed.
 */
char *
virTeamingDomainPreallocate(const char *xml,
                            GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, -1, "hook", "domain", error);
    xmlNode *allocation;
    xmlChar *text = NULL;
    char *changed = NULL;
    int len = 0;

    if (!doc)
        return NULL;
    allocation = virTeamingXmlNeedChild(
        virTeamingXmlNeedChild(xmlDocGetRootElement(doc), "memoryBacking"), "allocation");
    if (xmlHasProp(allocation, BAD_CAST "mode"))
        return NULL;
    xmlSetProp(allocation, BAD_CAST "mode", BAD_CAST "immediate");

    xmlDocDumpMemory(doc, &text, &len);
    changed = g_strndup((const char *)text, len);
    xmlFree(text);
    return changed;
}


/**
 * virTeamingDomainDumpTransient:
 * @xml: a domain
 * @persistent: alias of a persistent NIC
 * @error: set to VIR_TEAMING_ERROR_INVALID if @xml is no domain,
 *         VIR_TEAMING_ERROR_NOT_FOUND if no NIC in it names @persistent
 *
 * Returns: (transfer full): the <interface> or <hostdev> that is the transient NIC of
 *          @persistent, as text; NULL on error.
 */
char *
virTeamingDomainDumpTransient(const char *xml,
                              const char *persistent,
                              GError **error)
{
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(xml, -1, "hook", "domain", error);
    xmlNode *devices;

    if (!doc)
        return NULL;
    devices = virTeamingXmlGetChild(xmlDocGetRootElement(doc), "devices");
    for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
        xmlNode *teaming = virTeamingXmlGetChild(node, "teaming");

        /* A standby names nobody. */
        if (!teaming || !persistent ||
            g_strcmp0(virTeamingXmlPeekProp(teaming, "type"), "transient") != 0 ||
            g_strcmp0(virTeamingXmlPeekProp(teaming, "persistent"), persistent) != 0)
            continue;
        return virTeamingXmlDump(doc, node);
    }
    g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_NOT_FOUND,
                "no transient NIC of the domain names '%s'", persistent ? persistent : "");
    return NULL;
}


/**
 * virTeamingDeviceUnplace:
 * @xml: an <interface> or <hostdev>
 * @error: set to VIR_TEAMING_ERROR_INVALID if @xml is none
 *
 * Returns: (transfer full): @xml without the PCI address that it has in the guest; NULL without
 *          @error if it has none. That in the host, in <source>, stays.
 */
char *
virTeamingDeviceUnplace(const char *xml,
                        GError **error)
{
    g_autofree char *devices = g_strdup_printf("<devices>%s</devices>", xml);
    g_autoptr(xmlDoc) doc = virTeamingXmlParse(devices, -1, "device", "devices", error);
    xmlNode *device = doc ? xmlDocGetRootElement(doc)->children : NULL;
    xmlNode *address = virTeamingXmlGetChild(device, "address");

    if (!address)
        return NULL;
    xmlUnlinkNode(address);
    xmlFreeNode(address);
    return virTeamingXmlDump(doc, device);
}


virTeamingMovedPair *
virTeamingMovedPairNew(const char *standby,
                       const char *primary,
                       const char *device,
                       gboolean plug)
{
    virTeamingMovedPair *moved = g_new0(virTeamingMovedPair, 1);

    moved->standby = g_strdup(standby);
    moved->primary = g_strdup(primary);
    moved->device = g_strdup(device);
    moved->plug = plug;
    return moved;
}


void
virTeamingMovedPairFree(virTeamingMovedPair *moved)
{
    g_free(moved->standby);
    g_free(moved->primary);
    g_free(moved->device);
    g_free(moved);
}


/**
 * virTeamingMovedPairsFormat:
 * @pairs: of virTeamingMovedPair
 *
 * The VF's element is put in as text: in a domain's metadata libvirt gives every element
 * our namespace, and it would be none of libvirt's any more. A daemon that does not know the
 * mark of a pair that is to have a VF leaves it on its standby, from where it can be moved.
 *
 * Returns: (transfer full): the element that the domain is to carry along, without its
 *          namespace, which libvirt adds; NULL if @pairs is empty.
 */
char *
virTeamingMovedPairsFormat(const GPtrArray *pairs)
{
    GString *out;

    if (pairs->len == 0)
        return NULL;
    out = g_string_new("<moved>");
    for (guint i = 0; i < pairs->len; i++) {
        const virTeamingMovedPair *moved = g_ptr_array_index(pairs, i);
        g_autofree char *text = g_markup_printf_escaped(
            "<pair standby='%s' primary='%s' plug='%s'>%s</pair>", moved->standby,
            moved->primary, moved->plug ? "yes" : "no", moved->device);

        g_string_append(out, text);
    }
    g_string_append(out, "</moved>");
    return g_string_free(out, FALSE);
}
