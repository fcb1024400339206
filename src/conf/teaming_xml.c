/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * teaming_xml.c: XML text to a tree, from people who may mean harm
 */

#include "teaming_xml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "teaming_error.h"

/*
 * Theory of operation
 *
 * libxml2 builds the tree; this file keeps it from doing anything else. What libvirt
 * never writes is refused before it can cost anything: a document type (and with it
 * every entity, internal or external), text that is not UTF-8, more text than
 * libvirt can transport, tags with hundreds of attributes (libxml2 compares each
 * with each), and more elements, levels or namespaces than any domain has. Nothing is
 * ever fetched, neither from the network nor from files.
 *
 * The line of each element is kept beside it (in the node's _private member),
 * because the tree's own line numbers end at 65535. It is the line on which the
 * start tag ends, which for nearly all XML is the line on which it begins.
 */

#define VIR_TEAMING_XML_ATTRIBUTES_MAX 128      /* per tag */
#define VIR_TEAMING_XML_DEPTH_MAX 250           /* libxml2, and so libvirt, ends at 256 */
#define VIR_TEAMING_XML_ELEMENTS_MAX 500000
#define VIR_TEAMING_XML_NAMESPACES_MAX 1000

typedef struct {
    guint elements;
    guint namespaces;
    const char *refused;        /* our own reason to stop, or NULL */
    int line;                   /* of the first complaint */
    char *message;              /* libxml2's first complaint */
} virTeamingXmlReader;


static void
virTeamingXmlRefuse(xmlParserCtxt *ctxt,
                    const char *why)
{
    virTeamingXmlReader *reader = ctxt->_private;

    if (!reader->refused) {
        reader->refused = why;
        reader->line = xmlSAX2GetLineNumber(ctxt);
    }
    xmlStopParser(ctxt);
}


static void
virTeamingXmlStartElement(void *opaque,
                          const xmlChar *localname,
                          const xmlChar *prefix,
                          const xmlChar *uri,
                          int nnamespaces,
                          const xmlChar **namespaces,
                          int nattributes,
                          int ndefaulted,
                          const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = opaque;
    virTeamingXmlReader *reader = ctxt->_private;

    reader->namespaces += nnamespaces;
    if (++reader->elements > VIR_TEAMING_XML_ELEMENTS_MAX ||
        reader->namespaces > VIR_TEAMING_XML_NAMESPACES_MAX) {
        virTeamingXmlRefuse(ctxt, "more elements or namespaces than any domain has");
        return;
    }

    if (ctxt->nodeNr >= VIR_TEAMING_XML_DEPTH_MAX) {
        virTeamingXmlRefuse(ctxt, "elements nested deeper than any domain's");
        return;
    }

    xmlSAX2StartElementNs(ctxt, localname, prefix, uri, nnamespaces, namespaces,
                          nattributes, ndefaulted, attributes);
    if (ctxt->node)
        ctxt->node->_private = GINT_TO_POINTER(xmlSAX2GetLineNumber(ctxt));
}


static void
virTeamingXmlDoctype(void *opaque,
                     const xmlChar *name,
                     const xmlChar *externalId,
                     const xmlChar *systemId)
{
    virTeamingXmlRefuse(opaque, "it has a DOCTYPE, which libvirt never writes; "
                        "entities are not read");
}


#if LIBXML_VERSION >= 21200
static void
virTeamingXmlComplain(void *opaque,
                      const xmlError *complaint)
#else
static void
virTeamingXmlComplain(void *opaque,
                      xmlErrorPtr complaint)
#endif
{
    xmlParserCtxt *ctxt = opaque;
    virTeamingXmlReader *reader = ctxt->_private;

    /* The first one names the cause; those that follow are its consequences. */
    if (reader->message || reader->refused || complaint->level < XML_ERR_ERROR)
        return;
    reader->message = g_utf8_make_valid(complaint->message ? complaint->message : "", -1);
    g_strdelimit(reader->message, "\r\n\t", ' ');
    g_strstrip(reader->message);
    reader->line = complaint->line;
}


/* Where the comment, CDATA section or processing instruction at @p ends; NULL: it does not. */
static const char *
virTeamingXmlSkip(const char *p,
                  const char *end,
                  const char *stop)
{
    const char *last = g_strstr_len(p, end - p, stop);

    return last ? last + strlen(stop) : NULL;
}


/*
 * Finds a tag with more attributes than VIR_TEAMING_XML_ATTRIBUTES_MAX, before libxml2
 * spends time that grows with their square. Only has to be right for well-formed
 * text; what it misreads, libxml2 refuses.
 *
 * Returns: the line of such a tag, or 0.
 */
static int
virTeamingXmlFindWideTag(const char *xml,
                         gsize len)
{
    const char *end = xml + len;
    const char *p = xml;

    while (p && (p = memchr(p, '<', end - p))) {
        guint attributes = 0;
        char quote = 0;

        if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
            p = virTeamingXmlSkip(p, end, "-->");
            continue;
        }
        if (end - p >= 9 && memcmp(p, "<![CDATA[", 9) == 0) {
            p = virTeamingXmlSkip(p, end, "]]>");
            continue;
        }
        if (end - p >= 2 && p[1] == '?') {
            p = virTeamingXmlSkip(p, end, "?>");
            continue;
        }
        for (; p < end && (quote || *p != '>'); p++) {
            if (*p == quote)
                quote = 0;
            else if (!quote && (*p == '"' || *p == '\''))
                quote = *p;
            else if (!quote && *p == '=')
                attributes++;
        }
        if (attributes > VIR_TEAMING_XML_ATTRIBUTES_MAX) {
            int line = 1;

            for (const char *q = xml; q < p; q++)
                line += *q == '\n';
            return line;
        }
    }
    return 0;
}


/**
 * virTeamingXmlParse:
 * @xml: the text
 * @len: its length in bytes, or -1 if it ends with a NUL
 * @file: name for messages
 * @root: name that the root element must have, or NULL
 * @error: set to VIR_TEAMING_ERROR_INVALID, in one line that begins with @file
 *
 * Returns: (transfer full): the tree, or NULL.
 */
xmlDoc *
virTeamingXmlParse(const char *xml,
                   gssize len,
                   const char *file,
                   const char *root,
                   GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    virTeamingXmlReader reader = { 0 };
    xmlParserCtxt *ctxt = NULL;
    gsize size = len < 0 ? strlen(xml) : (gsize)len;
    const char *bad;
    int wide;

    if (size > VIR_TEAMING_XML_SIZE_MAX) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s: longer than %d MiB, which is more than libvirt can transport",
                    file, VIR_TEAMING_XML_SIZE_MAX >> 20);
        return NULL;
    }
    /* Also refuses a NUL: libvirt's XML is a C string. */
    if (!g_utf8_validate_len(xml, size, &bad)) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s: not XML: byte %zu is not UTF-8 text", file, (gsize)(bad - xml) + 1);
        return NULL;
    }
    if ((wide = virTeamingXmlFindWideTag(xml, size))) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s:%d: a tag with more than %d attributes", file, wide,
                    VIR_TEAMING_XML_ATTRIBUTES_MAX);
        return NULL;
    }

    ctxt = xmlNewParserCtxt();
    if (!ctxt) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_SYSTEM,
                    "%s: libxml2 can't make a parser", file);
        return NULL;
    }
    ctxt->_private = &reader;
    ctxt->sax->startElementNs = virTeamingXmlStartElement;
    ctxt->sax->internalSubset = virTeamingXmlDoctype;
    ctxt->sax->serror = virTeamingXmlComplain;
    doc = xmlCtxtReadMemory(ctxt, xml, size, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOBLANKS |
                            XML_PARSE_COMPACT);
    if (doc && !ctxt->wellFormed)
        g_clear_pointer(&doc, xmlFreeDoc);
    xmlFreeParserCtxt(ctxt);

    if (reader.refused || !doc) {
        if (reader.refused)
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "%s:%d: refused: %s", file, reader.line, reader.refused);
        else
            g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                        "%s:%d: not well-formed XML: %s", file, reader.line,
                        reader.message && *reader.message ? reader.message : "unreadable");
        g_free(reader.message);
        return NULL;
    }
    g_free(reader.message);

    if (root && !virTeamingXmlIs(xmlDocGetRootElement(doc), root)) {
        const xmlNode *other = xmlDocGetRootElement(doc);

        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s:%d: the root element is <%s>%s, not <%s>", file,
                    virTeamingXmlGetLine(other), (const char *)other->name,
                    other->ns ? " of some namespace" : "", root);
        return NULL;
    }
    return g_steal_pointer(&doc);
}


/**
 * virTeamingXmlReadFile:
 * @path: a file, or "-" for standard input
 * @ret: filled with the length in bytes
 * @error: set to VIR_TEAMING_ERROR_NOT_FOUND, _ACCESS, _SYSTEM or, for more than
 *         VIR_TEAMING_XML_SIZE_MAX, _INVALID
 *
 * Reads no more than is allowed, however large the file.
 *
 * Returns: (transfer full): the content, or NULL.
 */
char *
virTeamingXmlReadFile(const char *path,
                      gsize *ret,
                      GError **error)
{
    gboolean standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    g_autoptr(GByteArray) content = g_byte_array_new();
    guint8 chunk[16 * 1024];
    gssize got = -1;
    int saved = errno;

    if (fd >= 0) {
        while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                break;
            g_byte_array_append(content, chunk, got);
            if (content->len > VIR_TEAMING_XML_SIZE_MAX)
                break;
        }
        saved = errno;
        if (!standard)
            close(fd);
    }

    if (got < 0) {
        virTeamingErrorCode code = VIR_TEAMING_ERROR_SYSTEM;

        if (saved == ENOENT || saved == ENOTDIR)
            code = VIR_TEAMING_ERROR_NOT_FOUND;
        else if (saved == EACCES || saved == EPERM)
            code = VIR_TEAMING_ERROR_ACCESS;
        g_set_error(error, VIR_TEAMING_ERROR, code, "%s: can't read it: %s",
                    path, g_strerror(saved));
        return NULL;
    }
    if (content->len > VIR_TEAMING_XML_SIZE_MAX) {
        g_set_error(error, VIR_TEAMING_ERROR, VIR_TEAMING_ERROR_INVALID,
                    "%s: longer than %d MiB, which is more than libvirt can transport",
                    path, VIR_TEAMING_XML_SIZE_MAX >> 20);
        return NULL;
    }

    *ret = content->len;
    g_byte_array_append(content, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&content), FALSE);
}


/**
 * virTeamingXmlGetLine:
 * @node: an element of a tree that virTeamingXmlParse made
 *
 * Returns: the line that it is on, from 1.
 */
int
virTeamingXmlGetLine(const xmlNode *node)
{
    return GPOINTER_TO_INT(node->_private);
}


/* Whether @node is an element of that name, in libvirt's (that is, in no) namespace. */
gboolean
virTeamingXmlIs(const xmlNode *node,
                const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && !node->ns &&
        *(const char *)node->name == *name && strcmp((const char *)node->name, name) == 0;
}


/* The first child element of that name, or NULL. */
xmlNode *
virTeamingXmlGetChild(const xmlNode *node,
                      const char *name)
{
    for (xmlNode *child = node ? node->children : NULL; child; child = child->next) {
        if (virTeamingXmlIs(child, name))
            return child;
    }
    return NULL;
}


/* The text of an attribute, owned by the tree, or NULL. Without entities it is one node. */
const char *
virTeamingXmlPeekProp(const xmlNode *node,
                      const char *name)
{
    /* Of a short text, libxml2 keeps the letters where an element has its attributes. */
    if (!node || node->type != XML_ELEMENT_NODE)
        return NULL;
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!attr->ns && strcmp((const char *)attr->name, name) == 0)
            return attr->children ? (const char *)attr->children->content : "";
    }
    return NULL;
}


/* All text inside an element, to be freed, as XPath's string() has it: comments, which people
 * write, are not of it; "" if none. */
char *
virTeamingXmlGetText(const xmlNode *node)
{
    xmlChar *content = node ? xmlNodeGetContent(node) : NULL;
    char *text = g_strdup(content ? (const char *)content : "");

    xmlFree(content);
    return text;
}


/**
 * virTeamingXmlParseNumber:
 * @str: the text of an attribute or an element
 * @base: 10; or 0: decimal, 0x… or 0…
 * @max: the most that is taken
 * @ret: filled on success only
 *
 * Source: libvirt 9.0 and 11.3, virStrToLong_uip() in src/util/virstring.c: as strtoul() takes
 * it, so with blanks and a '+' before it, but without a '-' and with nothing behind it.
 *
 * Returns: whether libvirt takes @str for a number up to @max.
 */
gboolean
virTeamingXmlParseNumber(const char *str,
                         guint base,
                         guint64 max,
                         guint64 *ret)
{
    char *end = NULL;
    guint64 value;

    if (strchr(str, '-'))
        return FALSE;
    errno = 0;
    value = g_ascii_strtoull(str, &end, base);
    if (errno || end == str || *end || value > max)
        return FALSE;
    *ret = value;
    return TRUE;
}


/**
 * virTeamingXmlParseAddress:
 * @node: an <address>
 * @least: how many of domain, bus, slot and function must be written; the others are 0
 * @ret: filled on success only
 *
 * Returns: whether @node has the PCI address of a function.
 */
gboolean
virTeamingXmlParseAddress(const xmlNode *node,
                          guint least,
                          virTeamingPciAddress *ret)
{
    static const struct {
        const char *name;
        guint64 max;
    } parts[] = {
        { "domain", G_MAXUINT32 }, { "bus", 0xff }, { "slot", 0x1f }, { "function", 7 },
    };
    guint64 values[G_N_ELEMENTS(parts)] = { 0 };
    guint written = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *text = virTeamingXmlPeekProp(node, parts[i].name);

        if (!text)
            continue;
        if (!virTeamingXmlParseNumber(text, 0, parts[i].max, &values[i]))
            return FALSE;
        written++;
    }
    if (written < least)
        return FALSE;

    ret->domain = values[0];
    ret->bus = values[1];
    ret->slot = values[2];
    ret->function = values[3];
    return TRUE;
}


/**
 * virTeamingXmlAppendEscaped:
 * @out: grows by @text
 * @text: becomes the value of an attribute in single quotes, or the text of an element
 */
void
virTeamingXmlAppendEscaped(GString *out,
                           const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '\'':
            g_string_append(out, "&apos;");
            break;
        case '\t':
        case '\n':
        case '\r':
            /* As such they would come back as blanks. */
            g_string_append_printf(out, "&#%d;", *text);
            break;
        default:
            g_string_append_c(out, *text);
        }
    }
}
