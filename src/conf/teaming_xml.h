/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_xml.h: XML text to a tree, from people who may mean harm
 */

#pragma once

#include <glib.h>
#include <libxml/tree.h>

#include "teaming_addr.h"

/*
 * The longest text that is read. libvirt itself hands no longer string than this
 * from one process to another, so no domain or network XML of its can be longer.
 */
#define VIR_TEAMING_XML_SIZE_MAX (4 * 1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

xmlDoc *virTeamingXmlParse(const char *xml,
                           gssize len,
                           const char *file,
                           const char *root,
                           GError **error);
char *virTeamingXmlReadFile(const char *path,
                            gsize *ret,
                            GError **error);

int virTeamingXmlGetLine(const xmlNode *node);
gboolean virTeamingXmlIs(const xmlNode *node,
                         const char *name);
xmlNode *virTeamingXmlGetChild(const xmlNode *node,
                               const char *name);
const char *virTeamingXmlPeekProp(const xmlNode *node,
                                  const char *name);
char *virTeamingXmlGetText(const xmlNode *node);
gboolean virTeamingXmlParseNumber(const char *str,
                                  guint base,
                                  guint64 max,
                                  guint64 *ret);
gboolean virTeamingXmlParseAddress(const xmlNode *node,
                                   guint least,
                                   virTeamingPciAddress *ret);
void virTeamingXmlAppendEscaped(GString *out,
                                const char *text);
