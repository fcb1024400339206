# SPDX-License-Identifier: LGPL-2.1-or-later
"""A picture of migrations: one lane each, one scale for all."""

from xml.sax.saxutils import escape

LEFT, RIGHT, TOP = 190, 30, 64
STRIP, STRIP_GAP, LANE_GAP = 16, 6, 58
WIDTH = 1080
CAME, LOST, MARK, TEXT, FAINT = "#2f9e5f", "#d6283b", "#30405a", "#1c2430", "#8a94a3"
MARK_WORDS = {"unplug": "unplug", "stop": "stop", "resume": "resume", "replug": "VF back"}


def _text(x, y, words, size=12, colour=TEXT, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')


def _step(span):
    """A round number of milliseconds between two ticks of the scale."""
    for step in (100, 200, 500, 1000, 2000, 5000, 10000):
        if span / step <= 12:
            return step
    return 20000


def svg(title, lanes):
    """@lanes: list of (name, result of Lab.migrate); returns the picture as text."""
    ends = [max([m for m in r["marks"].values() if m] +
                [g["end_ms"] for v in r["vantages"] for g in v["gaps"]] + [1000])
            for _, r in lanes]
    end = max(ends) + 700
    scale = (WIDTH - LEFT - RIGHT) / end
    rows = [len(r["vantages"]) for _, r in lanes]
    height = TOP + sum(n * (STRIP + STRIP_GAP) + LANE_GAP for n in rows) + 30

    def at(ms):
        return LEFT + max(0, ms) * scale

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
           f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           _text(20, 28, title, 17, weight="bold"),
           f'<rect x="{WIDTH - 330}" y="17" width="14" height="12" fill="{CAME}"/>',
           _text(WIDTH - 311, 28, "frames came"),
           f'<rect x="{WIDTH - 220}" y="17" width="14" height="12" fill="{LOST}"/>',
           _text(WIDTH - 201, 28, "frames went missing")]
    y = TOP
    for (name, result), n in zip(lanes, rows):
        bottom = y + 22 + n * (STRIP + STRIP_GAP)
        lost = max(v["frames_lost"] for v in result["vantages"])
        out.append(_text(20, y + 12, name, 14, weight="bold"))
        out.append(_text(LEFT - 190 + 20, bottom + 14, f"up to {lost} frames lost", 11, FAINT))
        strip = y + 22
        for v in result["vantages"]:
            out.append(_text(LEFT - 10, strip + 12, v["name"], 11, TEXT, "end"))
            out.append(f'<rect x="{LEFT}" y="{strip}" width="{end * scale:.1f}" '
                       f'height="{STRIP}" fill="{CAME}" opacity="0.85"/>')
            for gap in v["gaps"]:
                if gap["end_ms"] > 0:
                    width = max(1.2, at(gap["end_ms"]) - at(gap["start_ms"]))
                    out.append(f'<rect x="{at(gap["start_ms"]):.1f}" y="{strip}" '
                               f'width="{width:.1f}" height="{STRIP}" fill="{LOST}"/>')
            strip += STRIP + STRIP_GAP
        marks = sorted((ms, MARK_WORDS[key]) for key, ms in result["marks"].items() if ms)
        last = -1000
        for ms, word in marks:
            x = at(ms)
            out.append(f'<line x1="{x:.1f}" y1="{y + 17}" x2="{x:.1f}" y2="{bottom - 2}" '
                       f'stroke="{MARK}" stroke-width="1.3" stroke-dasharray="3 2"/>')
            shift = 11 if x - last < 52 else 0
            out.append(_text(x, y + 14 - shift, word, 10.5, MARK, "middle"))
            last = x if not shift else last
        y = bottom + LANE_GAP - 22
    step = _step(end)
    out.append(f'<line x1="{LEFT}" y1="{y - 18}" x2="{WIDTH - RIGHT}" y2="{y - 18}" '
               f'stroke="{FAINT}"/>')
    for tick in range(0, int(end) + 1, step):
        x = at(tick)
        out.append(f'<line x1="{x:.1f}" y1="{y - 18}" x2="{x:.1f}" y2="{y - 13}" '
                   f'stroke="{FAINT}"/>')
        out.append(_text(x, y, f"{tick / 1000:g} s", 11, FAINT, "middle"))
    out.append(_text(20, y, "since virsh migrate", 11, FAINT))
    out.append("</svg>")
    return "\n".join(out) + "\n"
