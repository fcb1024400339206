/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * utiltest.c: MAC and PCI addresses, frames
 */

#include <string.h>

#include "teaming_frame.h"

static void
testMac(void)
{
    static const struct {
        const char *text;
        const char *expected;       /* NULL: not a MAC */
    } cases[] = {
        { "52:54:00:ab:CD:0f", "52:54:00:ab:cd:0f" },
        { "52-54-00-ab-cd-0f", "52:54:00:ab:cd:0f" },
        { "00:00:00:00:00:00", "00:00:00:00:00:00" },
        { "", NULL },
        { "52", NULL },
        { "52:54:00:ab:cd", NULL },
        { "52:54:00:ab:cd:", NULL },
        { "52:54:00:ab:cd:0f:", NULL },
        { "52:54:00:ab:cd:0f:11", NULL },
        { "52:54-00:ab:cd:0f", NULL },
        { "525400abcd0f", NULL },
        { "52:54:00:ab:cd:f", NULL },
        { "52:54:00:ab:cd:0g", NULL },
        { " 52:54:00:ab:cd:0f", NULL },
        { "52:54:00:ab:cd:0f ", NULL },
        { "5 :54:00:ab:cd:0f", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        virTeamingMac mac = { .addr = { 1, 2, 3, 4, 5, 6 } };
        char buf[VIR_TEAMING_MAC_STRING_LEN];

        g_test_message("'%s'", cases[i].text);
        g_assert_cmpint(virTeamingMacParse(cases[i].text, &mac), ==, cases[i].expected != NULL);
        g_assert_cmpstr(virTeamingMacFormat(&mac, buf), ==,
                        cases[i].expected ? cases[i].expected : "01:02:03:04:05:06");
    }
}


static void
testMacKinds(void)
{
    static const virTeamingMac zero;
    static const virTeamingMac guest = { .addr = { 0x52, 0x54, 0, 0, 0, 1 } };
    static const virTeamingMac group = { .addr = { 0x33, 0x33, 0, 0, 0, 1 } };

    g_assert_true(virTeamingMacIsZero(&zero));
    g_assert_false(virTeamingMacIsZero(&guest));
    g_assert_true(virTeamingMacIsMulticast(&group));
    g_assert_false(virTeamingMacIsMulticast(&guest));
    g_assert_true(virTeamingMacEqual(&guest, &guest));
    g_assert_false(virTeamingMacEqual(&guest, &group));
}


static void
testPci(void)
{
    static const struct {
        const char *text;
        const char *expected;       /* NULL: not a PCI address */
    } cases[] = {
        { "0000:01:10.7", "0000:01:10.7" },
        { "0000:FF:1f.0", "0000:ff:1f.0" },
        { "10000:00:00.0", "10000:00:00.0" },
        { "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
        { "", NULL },
        { "virtio0", NULL },
        { "01:10.7", NULL },
        { "000:01:10.7", NULL },
        { "100000000:01:10.7", NULL },
        { "0000:01:20.0", NULL },
        { "0000:01:10.8", NULL },
        { "0000:01:10", NULL },
        { "0000:01:10.", NULL },
        { "0000:01:10.00", NULL },
        { "0000:1:10.0", NULL },
        { "0000.01.10.0", NULL },
        { "0x00:01:10.0", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        virTeamingPciAddress address = { .bus = 9 };
        char buf[VIR_TEAMING_PCI_STRING_LEN];

        g_test_message("'%s'", cases[i].text);
        g_assert_cmpint(virTeamingPciAddressParse(cases[i].text, &address), ==,
                        cases[i].expected != NULL);
        g_assert_cmpstr(virTeamingPciAddressFormat(&address, buf), ==,
                        cases[i].expected ? cases[i].expected : "0000:09:00.0");
    }
}


static void
testPciEqual(void)
{
    static const char * const texts[] = {
        "0000:01:10.2", "0001:01:10.2", "0000:02:10.2", "0000:01:11.2", "0000:01:10.3",
    };
    virTeamingPciAddress first;
    virTeamingPciAddress other;

    g_assert_true(virTeamingPciAddressParse(texts[0], &first));
    g_assert_true(virTeamingPciAddressEqual(&first, &first));
    for (gsize i = 1; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(virTeamingPciAddressParse(texts[i], &other));
        g_assert_false(virTeamingPciAddressEqual(&first, &other));
    }
}


/* As QEMU announces a NIC. */
static void
testAnnounce(void)
{
    static const guint8 expected[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
        0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3,
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0, 0, 0, 0,
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0, 0, 0, 0,
    };
    static const guint8 padding[18];
    guint8 frame[VIR_TEAMING_FRAME_MAX];
    guint8 tagged[VIR_TEAMING_FRAME_MAX];
    virTeamingMac mac;

    g_assert_true(virTeamingMacParse("52:54:00:12:34:56", &mac));
    g_assert_cmpuint(virTeamingFrameAnnounce(&mac, 0, frame), ==, 60);
    g_assert_cmpmem(frame, sizeof(expected), expected, sizeof(expected));
    g_assert_cmpmem(frame + sizeof(expected), sizeof(padding), padding, sizeof(padding));

    g_assert_cmpuint(virTeamingFrameAnnounce(&mac, 0x123, tagged), ==, 60);
    g_assert_cmpmem(tagged, 12, frame, 12);
    g_assert_cmpmem(tagged + 12, 4, "\x81\x00\x01\x23", 4);
    g_assert_cmpmem(tagged + 16, 44, frame + 12, 44);
}


static void
testNotice(void)
{
    static const char * const wrong[] = {
        "", "virt-teaming", "virt-teaming 1 ", "virt-teaming 1 runs",
        "virt-teaming 1 runs c7a5fdbd-edaf-9455-926a-d65c16db180",
        "virt-teaming 1 runs c7a5fdbd-edaf-9455-926a-d65c16db1809 x",
        "virt-teaming 1 jumps c7a5fdbd-edaf-9455-926a-d65c16db1809",
        "virt-teaming 2 runs c7a5fdbd-edaf-9455-926a-d65c16db1809",
        "virt-teaming 1  runs c7a5fdbd-edaf-9455-926a-d65c16db1809",
        "virt-teaming 1 runs c7a5fdbd-edaf-9455-926a-d65c16db1809c7a5fdbd-edaf-9455-926a-d65c16",
    };
    virTeamingNotice notice = { .uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809" };
    virTeamingNotice found;
    guint8 frame[2 * VIR_TEAMING_FRAME_MAX];    /* others may send more than we do */
    gsize size;

    g_assert_true(virTeamingMacParse("52:54:00:12:34:56", &notice.mac));
    for (int runs = FALSE; runs <= TRUE; runs++) {
        notice.runs = runs;
        size = virTeamingFrameNotice(&notice, 0, frame);
        g_assert_cmpuint(size, >=, 60);
        g_assert_true(virTeamingFrameParseNotice(frame, size, &found));
        g_assert_true(virTeamingMacEqual(&found.mac, &notice.mac));
        g_assert_cmpstr(found.uuid, ==, notice.uuid);
        g_assert_cmpint(found.runs, ==, runs);
        /* A NIC may have padded it, or have cut it off. */
        frame[size] = '\0';
        g_assert_true(virTeamingFrameParseNotice(frame, size + 1, &found));
        for (gsize less = 0; less < size; less++)
            g_assert_false(virTeamingFrameParseNotice(frame, less, &found));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_test_message("'%s'", wrong[i]);
        memset(frame + 14, 0, sizeof(frame) - 14);
        g_assert_cmpuint(strlen(wrong[i]), <, sizeof(frame) - 14);
        memcpy(frame + 14, wrong[i], strlen(wrong[i]));
        g_assert_false(virTeamingFrameParseNotice(frame, sizeof(frame), &found));
    }
    size = virTeamingFrameAnnounce(&notice.mac, 0, frame);
    g_assert_false(virTeamingFrameParseNotice(frame, size, &found));

    /* Whatever comes, it ends within what it is. */
    for (guint i = 0; i < 100000; i++) {
        g_autofree guint8 *broken = NULL;

        size = virTeamingFrameNotice(&notice, 0, frame);
        for (guint n = g_test_rand_int_range(0, 4); n > 0; n--)
            frame[g_test_rand_int_range(12, size)] = g_test_rand_int_range(0, 256);
        broken = g_memdup2(frame, size);
        if (virTeamingFrameParseNotice(broken, g_test_rand_int_range(0, size + 1), &found))
            g_assert_true(g_uuid_string_is_valid(found.uuid));
    }
}


int
main(int argc,
     char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/addr/mac", testMac);
    g_test_add_func("/addr/mac-kinds", testMacKinds);
    g_test_add_func("/addr/pci", testPci);
    g_test_add_func("/addr/pci-equal", testPciEqual);
    g_test_add_func("/frame/announce", testAnnounce);
    g_test_add_func("/frame/notice", testNotice);
    return g_test_run();
}
