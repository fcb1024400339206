/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * failovertest.c: the sequencer, row by row, and what must hold of all rows
 */

#include <string.h>

#include "qemu_failover.h"

/* Short names, so that a row of the table fits a line. */
#define GONE VIR_TEAMING_GUEST_GONE
#define INCOMING VIR_TEAMING_GUEST_INCOMING
#define HERE VIR_TEAMING_GUEST_HERE
#define DEPARTING VIR_TEAMING_GUEST_DEPARTING

#define PHASE(name) VIR_TEAMING_PHASE_ ## name
#define VF(name) VIR_TEAMING_VF_ ## name
#define FDB(name) VIR_TEAMING_FDB_ ## name
#define WIRE(name) VIR_TEAMING_WIRE_ ## name

typedef struct {
    const char *name;
    virTeamingObserved seen;
    virTeamingPhase phase;
    /* What should be, on a NIC that copies. */
    virTeamingVfFilter vf;
    gboolean self;
    virTeamingFdbPath fdb;
    gboolean learning;
    /* What the VF holds on a NIC that does not, and whether the uplink takes the MAC. */
    virTeamingVfFilter vfAlone;
    gboolean selfAlone;
} virTeamingRow;

static const virTeamingRow rows[] = {
    { "gone", { GONE, .hasVf = TRUE },
      PHASE(GONE), VF(FORGET), FALSE, FDB(FORGET), TRUE, VF(FORGET), FALSE },
    { "gone-with-the-bit-set", { GONE, .hasVf = TRUE, .busMaster = TRUE, .vectors = 3 },
      PHASE(GONE), VF(FORGET), FALSE, FDB(FORGET), TRUE, VF(FORGET), FALSE },
    { "arriving-vf-unknown", { INCOMING },
      PHASE(ARRIVING), VF(KEEP), FALSE, FDB(UPLINK), TRUE, VF(KEEP), FALSE },
    { "arriving", { INCOMING, .hasVf = TRUE },
      PHASE(ARRIVING), VF(ZERO), FALSE, FDB(UPLINK), TRUE, VF(ZERO), FALSE },
    { "handed-over", { INCOMING, .hasVf = TRUE, .handedOver = TRUE, .defer = TRUE },
      PHASE(LANDING), VF(ZERO), TRUE, FDB(STANDBY), TRUE, VF(ZERO), TRUE },
    { "handed-over-vf-unknown", { INCOMING, .handedOver = TRUE },
      PHASE(LANDING), VF(KEEP), TRUE, FDB(STANDBY), TRUE, VF(KEEP), TRUE },
    { "landing", { INCOMING, .hasVf = TRUE, .negotiated = TRUE },
      PHASE(LANDING), VF(PAIR), TRUE, FDB(STANDBY), TRUE, VF(VLAN), TRUE },
    { "landing-deferred", { INCOMING, .hasVf = TRUE, .negotiated = TRUE, .defer = TRUE },
      PHASE(LANDING), VF(ZERO), TRUE, FDB(STANDBY), TRUE, VF(ZERO), TRUE },
    { "booting", { HERE, .hasVf = TRUE },
      PHASE(STANDBY), VF(PAIR), TRUE, FDB(STANDBY), TRUE, VF(VLAN), TRUE },
    { "no-vf", { HERE, .negotiated = TRUE },
      PHASE(STANDBY), VF(KEEP), TRUE, FDB(STANDBY), TRUE, VF(KEEP), TRUE },
    { "vf-kept-from-qemu", { HERE, .hasVf = TRUE, .negotiated = TRUE, .unplugged = TRUE },
      PHASE(STANDBY), VF(KEEP), TRUE, FDB(STANDBY), TRUE, VF(KEEP), TRUE },
    { "shown", { HERE, .hasVf = TRUE, .negotiated = TRUE },
      PHASE(SHOWN), VF(PAIR), TRUE, FDB(STANDBY), TRUE, VF(VLAN), TRUE },
    { "bit-set-no-vectors",
      { HERE, .hasVf = TRUE, .negotiated = TRUE, .busMaster = TRUE, .masterMs = 30 },
      PHASE(SHOWN), VF(PAIR), TRUE, FDB(BOTH), FALSE, VF(VLAN), TRUE },
    { "bit-and-vectors",
      { HERE, .hasVf = TRUE, .negotiated = TRUE, .busMaster = TRUE, .vectors = 2, .masterMs = 1 },
      PHASE(SETTLING), VF(PAIR), TRUE, FDB(BOTH), FALSE, VF(PAIR), FALSE },
    { "driving",
      { HERE, .hasVf = TRUE, .negotiated = TRUE, .busMaster = TRUE, .vectors = 2,
        .masterMs = 9999, .readyMs = VIR_TEAMING_FAILOVER_LINGER_MS },
      PHASE(DRIVING), VF(PAIR), FALSE, FDB(UPLINK), TRUE, VF(PAIR), FALSE },
    { "driving-event-missed",
      { HERE, .hasVf = TRUE, .busMaster = TRUE, .vectors = 2, .masterMs = 9999,
        .readyMs = VIR_TEAMING_FAILOVER_LINGER_MS },
      PHASE(DRIVING), VF(PAIR), FALSE, FDB(UPLINK), TRUE, VF(PAIR), FALSE },
    { "asked-out",
      { HERE, .hasVf = TRUE, .negotiated = TRUE, .askedOut = TRUE, .busMaster = TRUE,
        .vectors = 3, .masterMs = 9999, .readyMs = 9999 },
      PHASE(LEAVING), VF(PAIR), TRUE, FDB(BOTH), FALSE, VF(PAIR), FALSE },
    { "vectors-gone-bit-set",
      { HERE, .hasVf = TRUE, .negotiated = TRUE, .askedOut = TRUE, .busMaster = TRUE,
        .masterMs = 9999 },
      PHASE(RELEASED), VF(PAIR), TRUE, FDB(STANDBY), TRUE, VF(PAIR), TRUE },
    { "released", { HERE, .hasVf = TRUE, .negotiated = TRUE, .askedOut = TRUE },
      PHASE(RELEASED), VF(PAIR), TRUE, FDB(STANDBY), TRUE, VF(VLAN), TRUE },
    { "departed",
      { DEPARTING, .hasVf = TRUE, .negotiated = TRUE, .askedOut = TRUE },
      PHASE(DEPARTED), VF(ZERO), FALSE, FDB(FORGET), TRUE, VF(ZERO), FALSE },
};


static void
testRow(gconstpointer opaque)
{
    const virTeamingRow *row = opaque;

    for (int copies = 0; copies < 2; copies++) {
        virTeamingObserved seen = row->seen;
        virTeamingDatapath want;

        seen.traits.copies = copies;
        g_assert_cmpint(virTeamingFailoverPhase(&seen), ==, row->phase);
        want = virTeamingFailoverDesire(row->phase, &seen);
        g_assert_cmpint(want.vf, ==, copies ? row->vf : row->vfAlone);
        g_assert_cmpint(want.self, ==, copies ? row->self : row->selfAlone);
        g_assert_cmpint(want.fdb, ==, row->fdb);
        g_assert_cmpint(want.learning, ==, row->learning);
    }
}


/* A driver with one vector: perhaps it reads, perhaps it is stuck. Where the NIC copies,
 * both paths are served; elsewhere it is given time, and then believed. */
static void
testOneVector(void)
{
    virTeamingObserved seen = {
        HERE, .hasVf = TRUE, .negotiated = TRUE, .busMaster = TRUE, .vectors = 1,
        .masterMs = 500, .traits.copies = TRUE,
    };
    virTeamingDatapath want;

    g_assert_cmpint(virTeamingFailoverPhase(&seen), ==, PHASE(SHOWN));
    want = virTeamingFailoverDesire(PHASE(SHOWN), &seen);
    g_assert_true(want.vf == VF(PAIR) && want.self && want.fdb == FDB(BOTH));

    seen.traits.copies = FALSE;
    g_assert_cmpint(virTeamingFailoverPhase(&seen), ==, PHASE(SETTLING));
    seen.masterMs = 499;
    g_assert_cmpint(virTeamingFailoverPhase(&seen), ==, PHASE(SHOWN));
}


/* Answers of a NIC that rule something out if they are "no". */
static const virTeamingNicTrait measured[] = {
    VIR_TEAMING_TRAIT_ACCEPTS_ZERO, VIR_TEAMING_TRAIT_STEERS_EARLY, VIR_TEAMING_TRAIT_VLAN_PARKS,
};


/* Calls @check for everything that can be observed of a pair. */
static guint
testForAllObserved(void (*check)(const virTeamingObserved *seen))
{
    static const gint64 masterMs[] = { 0, 30, 500 };
    static const gint64 readyMs[] = { 0, VIR_TEAMING_FAILOVER_LINGER_MS - 1,
                                      VIR_TEAMING_FAILOVER_LINGER_MS };
    guint n = 0;

    for (guint bits = 0; bits < 3 << 12; bits++) {
        for (guint guest = GONE; guest <= DEPARTING; guest++) {
            for (guint vectors = 0; vectors <= 2; vectors++) {
                for (guint times = 0; times < 9; times++) {
                    virTeamingObserved seen = {
                        .guest = guest,
                        .negotiated = !!(bits & 1),
                        .askedOut = !!(bits & 2),
                        .hasVf = !!(bits & 4),
                        .busMaster = !!(bits & 8),
                        .defer = !!(bits & 16),
                        .unplugged = !!(bits & 32),
                        .traits.copies = !!(bits & 64),
                        .handedOver = !!(bits & 1024),
                        .apart = !!(bits & 2048),
                        .parking = bits >> 12,
                        .vectors = vectors,
                        .masterMs = masterMs[times % 3],
                        .readyMs = readyMs[times / 3],
                    };

                    for (guint i = 0; i < G_N_ELEMENTS(measured); i++) {
                        if (bits & 128 << i)
                            seen.traits.answers[measured[i]] = VIR_TEAMING_ANSWER_NO;
                    }
                    check(&seen);
                    n++;
                }
            }
        }
    }
    return n;
}


/* The bridge and the NIC, as far as the sequencer's steps change them. */
static void
testTake(virTeamingDatapath *actual,
         virTeamingStep step)
{
    switch (step) {
    case VIR_TEAMING_STEP_HAND_OVER: actual->wire = WIRE(AWAY); return;
    case VIR_TEAMING_STEP_ANNOUNCE: actual->wire = WIRE(HERE); return;
    case VIR_TEAMING_STEP_ANNOUNCE_VF: actual->wire = WIRE(VF); return;
    case VIR_TEAMING_STEP_LISTEN: actual->listen = TRUE; return;
    case VIR_TEAMING_STEP_UNLISTEN: actual->listen = FALSE; return;
    case VIR_TEAMING_STEP_HOLD: actual->hold = TRUE; return;
    case VIR_TEAMING_STEP_UNHOLD: actual->hold = FALSE; return;
    case VIR_TEAMING_STEP_VF_PAIR: actual->vf = VF(PAIR); return;
    case VIR_TEAMING_STEP_VF_ZERO: actual->vf = VF(ZERO); return;
    case VIR_TEAMING_STEP_VF_VLAN: actual->vf = VF(VLAN); return;
    case VIR_TEAMING_STEP_VF_FORGET: actual->vf = VF(FORGET); return;
    case VIR_TEAMING_STEP_SELF_ADD: actual->self = TRUE; return;
    case VIR_TEAMING_STEP_SELF_DEL: actual->self = FALSE; return;
    case VIR_TEAMING_STEP_LEARNING_OFF: actual->learning = FALSE; return;
    case VIR_TEAMING_STEP_LEARNING_ON: actual->learning = TRUE; return;
    case VIR_TEAMING_STEP_FLOODING_OFF: actual->flooding = FALSE; return;
    case VIR_TEAMING_STEP_FLOODING_ON: actual->flooding = TRUE; return;
    case VIR_TEAMING_STEP_FDB_STANDBY: actual->fdb = FDB(STANDBY); return;
    case VIR_TEAMING_STEP_FDB_UPLINK: actual->fdb = FDB(UPLINK); return;
    case VIR_TEAMING_STEP_FDB_BOTH: actual->fdb = FDB(BOTH); return;
    case VIR_TEAMING_STEP_FDB_FORGET: actual->fdb = FDB(BOTH); return;
    case VIR_TEAMING_STEP_LAST: break;
    }
    g_assert_not_reached();
}


static virTeamingDatapath
testDatapath(guint n)
{
    virTeamingDatapath datapath = {
        .vf = n % (VF(OTHER) + 1),
        .fdb = n / (VF(OTHER) + 1) % (FDB(ELSEWHERE) + 1),
    };

    n /= (VF(OTHER) + 1) * (FDB(ELSEWHERE) + 1);
    datapath.self = n & 1;
    datapath.learning = n >> 1 & 1;
    datapath.hold = n >> 2 & 1;
    datapath.listen = datapath.hold;
    datapath.flooding = datapath.learning;
    datapath.wire = WIRE(HERE) + (n >> 3);
    return datapath;
}

#define TEST_DATAPATHS ((VF(OTHER) + 1) * (FDB(ELSEWHERE) + 1) * 8 * 3)


/* From whatever is, a plan leads to what should be, and then there is nothing to do. Few things
 * are wanted, of very many observations. */
static void
testReachesFrom(const virTeamingObserved *seen)
{
    static virTeamingDatapath known[128];
    static guint nknown;
    const virTeamingDatapath want =
        virTeamingFailoverDesire(virTeamingFailoverPhase(seen), seen);

    for (guint i = 0; i < nknown; i++) {
        if (memcmp(&known[i], &want, sizeof(want)) == 0)
            return;
    }
    g_assert_cmpuint(nknown, <, G_N_ELEMENTS(known));
    known[nknown++] = want;
    for (guint i = 0; i < TEST_DATAPATHS; i++) {
        virTeamingDatapath actual = testDatapath(i);
        virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
        guint nsteps = virTeamingFailoverPlan(&actual, &want, plan);

        g_assert_cmpuint(nsteps, <=, VIR_TEAMING_PLAN_MAX);
        for (guint j = 0; j < nsteps; j++)
            testTake(&actual, plan[j]);
        g_assert_cmpuint(virTeamingFailoverPlan(&actual, &want, plan), ==, 0);
    }
}


static void
testReaches(void)
{
    g_test_message("%u observations", testForAllObserved(testReachesFrom));
}


/* What the guest's kernel reads gets its frames: from the wire, and from the bridge. */
static void
testCarriesFor(const virTeamingObserved *seen)
{
    const virTeamingPhase phase = virTeamingFailoverPhase(seen);
    const virTeamingDatapath want = virTeamingFailoverDesire(phase, seen);
    const gboolean drives = virTeamingFailoverReads(seen);

    if (seen->guest != HERE) {
        /* This host's peers must find the guest where it is. */
        if (phase != PHASE(LANDING))
            g_assert_true(want.fdb != FDB(STANDBY) && !want.self && want.wire != WIRE(HERE) &&
                          want.wire != WIRE(VF));
        g_assert_cmpint(want.listen, ==, seen->guest == INCOMING);
        /* Nobody reads what a tap keeps of that. */
        g_assert_cmpint(want.flooding, ==, phase != PHASE(ARRIVING));
        return;
    }
    g_assert_true(want.flooding);
    g_assert_false(want.listen);
    /* The network sends to the path that is read, if it has to know which. */
    g_assert_cmpint(want.wire, ==, seen->apart && drives &&
                    !(seen->askedOut && seen->vectors == 0) ? WIRE(VF) : WIRE(HERE));
    if (drives && !(seen->askedOut && seen->vectors == 0)) {
        g_assert_cmpint(want.vf, ==, VF(PAIR));
        g_assert_cmpint(want.fdb, !=, FDB(STANDBY));
    } else {
        g_assert_true(want.fdb == FDB(STANDBY) || want.fdb == FDB(BOTH));
        g_assert_true(want.self);
        /* A driver that probes finds its MAC, unless its owner wants it otherwise. */
        if (seen->parking != VIR_TEAMING_PARK_ZERO)
            g_assert_cmpint(want.vf, !=, VF(ZERO));
    }
    /* Nothing may be parked under a driver that could still register its MAC. */
    if (seen->askedOut && seen->hasVf && seen->busMaster)
        g_assert_cmpint(want.vf, ==, VF(PAIR));
    g_assert_false(want.hold);
}


static void
testCarries(void)
{
    g_test_message("%u observations", testForAllObserved(testCarriesFor));
}


/* A VF is parked only in a way that holds on its NIC, and is parked if it need be. */
static void
testParksFor(const virTeamingObserved *seen)
{
    const virTeamingNicAnswer *answers = seen->traits.answers;
    const gboolean zero = answers[VIR_TEAMING_TRAIT_ACCEPTS_ZERO] != VIR_TEAMING_ANSWER_NO;
    const gboolean vlan = answers[VIR_TEAMING_TRAIT_VLAN_PARKS] != VIR_TEAMING_ANSWER_NO;
    const gboolean early = answers[VIR_TEAMING_TRAIT_STEERS_EARLY] != VIR_TEAMING_ANSWER_NO;
    const virTeamingPhase phase = virTeamingFailoverPhase(seen);
    const virTeamingDatapath want = virTeamingFailoverDesire(phase, seen);

    if (zero || vlan || !early) {
        g_assert_false(want.vf == VF(ZERO) && !zero);
        g_assert_false(want.vf == VF(VLAN) && !vlan);
    }
    if (!seen->hasVf)
        g_assert_cmpint(want.vf, ==, VF(KEEP));
    else if (phase == PHASE(ARRIVING) || phase == PHASE(DEPARTED))
        g_assert_true(want.vf != VF(PAIR) || (!zero && !early));
    else if (want.vf == VF(PAIR) && seen->guest == HERE && !seen->busMaster)
        g_assert_true(seen->traits.copies || !early || !vlan);

    /* Who says how is heard, where that holds. */
    if ((phase == PHASE(SHOWN) || phase == PHASE(RELEASED)) && seen->hasVf && !seen->busMaster) {
        if (seen->parking == VIR_TEAMING_PARK_ZERO && zero)
            g_assert_cmpint(want.vf, ==, VF(ZERO));
        if (seen->parking == VIR_TEAMING_PARK_VLAN && vlan)
            g_assert_cmpint(want.vf, ==, VF(VLAN));
    }
}


static void
testParks(void)
{
    g_test_message("%u observations", testForAllObserved(testParksFor));
}


/* What a bridge has learnt of a guest that is not here need not be undone, unless it leads to
 * the standby. */
static void
testFdbHolds(void)
{
    for (virTeamingFdbPath actual = FDB(FORGET); actual <= FDB(ELSEWHERE); actual++) {
        for (virTeamingFdbPath want = FDB(FORGET); want <= FDB(BOTH); want++)
            g_assert_cmpint(virTeamingFailoverFdbHolds(actual, want), ==,
                            actual == want ||
                            (want == FDB(FORGET) &&
                             (actual == FDB(BOTH) || actual == FDB(LEARNT_UPLINK) ||
                              actual == FDB(ELSEWHERE))));
    }
}


/* The network is told of a guest once it has a path here, and the other host before anything is
 * done that takes time; each of them once. */
static void
testTells(void)
{
    const virTeamingObserved handed = { INCOMING, .hasVf = TRUE, .handedOver = TRUE };
    virTeamingObserved seen = { INCOMING, .hasVf = TRUE };
    virTeamingDatapath actual = virTeamingFailoverDesire(PHASE(ARRIVING), &seen);
    virTeamingDatapath want = virTeamingFailoverDesire(virTeamingFailoverPhase(&handed), &handed);
    virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
    guint nsteps;

    g_assert_true(actual.listen && actual.wire == WIRE(KEEP));
    actual.wire = WIRE(AWAY);
    nsteps = virTeamingFailoverPlan(&actual, &want, plan);
    g_assert_cmpuint(nsteps, >=, 3);
    g_assert_cmpint(plan[0], ==, VIR_TEAMING_STEP_SELF_ADD);
    g_assert_cmpint(plan[1], ==, VIR_TEAMING_STEP_FDB_STANDBY);
    g_assert_cmpint(plan[2], ==, VIR_TEAMING_STEP_ANNOUNCE);

    /* Back to where it came from, which tells the network itself. */
    actual = want;
    want = virTeamingFailoverDesire(PHASE(ARRIVING), &seen);
    nsteps = virTeamingFailoverPlan(&actual, &want, plan);
    for (guint i = 0; i < nsteps; i++)
        g_assert_true(plan[i] != VIR_TEAMING_STEP_HAND_OVER &&
                      plan[i] != VIR_TEAMING_STEP_ANNOUNCE);

    seen.guest = DEPARTING;
    seen.askedOut = TRUE;
    actual = virTeamingFailoverDesire(PHASE(RELEASED), &seen);
    want = virTeamingFailoverDesire(PHASE(DEPARTED), &seen);
    g_assert_cmpuint(virTeamingFailoverPlan(&actual, &want, plan), >, 1);
    g_assert_cmpint(plan[0], ==, VIR_TEAMING_STEP_HAND_OVER);
    actual.wire = WIRE(AWAY);
    g_assert_cmpuint(virTeamingFailoverPlan(&actual, &want, plan), >, 0);
    g_assert_cmpint(plan[0], !=, VIR_TEAMING_STEP_HAND_OVER);
}


/* Between any two steps of a plan, a guest that runs here has the path it had before or
 * the one it shall have: no step closes a path before the other is open. */
static void
testMakesBeforeItBreaks(void)
{
    for (guint from = PHASE(STANDBY); from <= PHASE(RELEASED); from++) {
        for (guint to = PHASE(STANDBY); to <= PHASE(RELEASED); to++) {
            const virTeamingObserved seen = { HERE, .hasVf = TRUE, .traits.copies = TRUE };
            virTeamingDatapath actual = virTeamingFailoverDesire(from, &seen);
            const virTeamingDatapath want = virTeamingFailoverDesire(to, &seen);
            virTeamingStep plan[VIR_TEAMING_PLAN_MAX];
            guint nsteps = virTeamingFailoverPlan(&actual, &want, plan);

            for (guint i = 0; i < nsteps; i++) {
                testTake(&actual, plan[i]);
                /* From the wire: the VF's filter, or the uplink's, takes the frame. */
                g_assert_true(actual.vf == VF(PAIR) || actual.self);
                /* To the standby through the uplink: only with its filter set. */
                if (actual.fdb == FDB(STANDBY))
                    g_assert_true(actual.self);
            }
        }
    }
}


/* How closely the VF is watched: as one can where the frames follow it alone, and nowhere for
 * longer than a driver takes from the bit to reading. */
static void
testLooks(void)
{
    virTeamingObserved seen = { HERE, .hasVf = TRUE };

    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(SHOWN), &seen), ==, 0);
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(LEAVING), &seen), ==, 0);
    seen.traits.copies = TRUE;
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(SHOWN), &seen), ==,
                    VIR_TEAMING_FAILOVER_NEAR_MS);
    seen.busMaster = TRUE;
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(SHOWN), &seen), ==,
                    VIR_TEAMING_FAILOVER_EASY_MS);
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(LEAVING), &seen), ==,
                    VIR_TEAMING_FAILOVER_EASY_MS);
    g_assert_cmpint(VIR_TEAMING_FAILOVER_NEAR_MS, <, VIR_TEAMING_FAILOVER_EASY_MS);
    g_assert_cmpint(VIR_TEAMING_FAILOVER_EASY_MS, <, 40);
    seen.readyMs = 100;
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(SETTLING), &seen), ==,
                    VIR_TEAMING_FAILOVER_LINGER_MS - 100);
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(DRIVING), &seen), ==,
                    VIR_TEAMING_FAILOVER_CALM_MS);
    /* QEMU, which has yet to open the VF, has not had the guest's state yet. */
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(LANDING), &seen), ==, -1);
    seen.negotiated = TRUE;
    g_assert_cmpint(virTeamingFailoverNextLook(PHASE(LANDING), &seen), ==, 0);
}


static void
testTexts(void)
{
    for (guint phase = 0; phase < PHASE(LAST); phase++) {
        g_assert_nonnull(virTeamingPhaseToString(phase));
        g_assert_nonnull(virTeamingPhaseExplain(phase));
        g_assert_nonnull(virTeamingPhasePath(phase));
    }
    for (guint step = 0; step < VIR_TEAMING_STEP_LAST; step++)
        g_assert_nonnull(virTeamingStepToString(step));
}


int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/failover/row/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], testRow);
    }
    g_test_add_func("/failover/one-vector", testOneVector);
    g_test_add_func("/failover/reaches-what-it-wants", testReaches);
    g_test_add_func("/failover/carries-to-who-reads", testCarries);
    g_test_add_func("/failover/parks-where-it-holds", testParks);
    g_test_add_func("/failover/what-a-bridge-learns", testFdbHolds);
    g_test_add_func("/failover/tells", testTells);
    g_test_add_func("/failover/makes-before-it-breaks", testMakesBeforeItBreaks);
    g_test_add_func("/failover/looks", testLooks);
    g_test_add_func("/failover/texts", testTexts);
    return g_test_run();
}
