"""The results as a picture: for each case, requests a second over the number of clients beside its reference, and below
that its latencies. SVG by hand, so that a benchmark needs no library for drawing."""

import math

PANEL_W, PANEL_H, GAP, LEFT, TOP = 250, 150, 66, 64, 70
ABOVE, BELOW = -7, 15  # a number beside its point
INK, GRID, CASE, REFERENCE, P99 = "#222", "#ddd", "#0b6e99", "#c2571a", "#8a4f9e"


def plot(cases, clients, result):
    """`result(name, clients)` is a row of results.json."""
    width = LEFT + len(cases) * (PANEL_W + GAP)
    height = TOP + 2 * (PANEL_H + GAP)
    parts = [_legend()]
    for n, case in enumerate(cases):
        mine = [result(case.name, each) for each in clients]
        theirs = [result(case.reference, each) for each in clients]
        x = LEFT + n * (PANEL_W + GAP)
        parts.append(_text(x + PANEL_W / 2, TOP - 14, case.what, size=13, anchor="middle", weight="bold"))
        parts.append(_panel(x, TOP, clients, "requests a second", [
            (CASE, [each["per_second"] for each in mine], ABOVE),
            (REFERENCE, [each["per_second"] for each in theirs], None)], note=f"dashed: {case.reference}"))
        parts.append(_panel(x, TOP + PANEL_H + GAP, clients, "milliseconds", [
            (CASE, [each["p50_ms"] for each in mine], BELOW),
            (P99, [each["p99_ms"] for each in mine], ABOVE)]))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" fill="{INK}"><rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def _legend():
    entries = [(CASE, "Holdfast: requests a second, p50"), (P99, "p99"), (REFERENCE, "the reference of the same round")]
    parts, x = [], LEFT
    for colour, text in entries:
        parts.append(f'<circle cx="{x}" cy="22" r="5" fill="{colour}"/>' + _text(x + 11, 27, text, size=13))
        x += 50 + 7.2 * len(text)
    return "".join(parts)


def _panel(x, y, clients, unit, lines, note=None):
    """Lines over the clients, which stand at even distances; the height is logarithmic, a grid line for each decade.

    A line is (colour, values, where its numbers stand); one without numbers is dashed.
    """
    values = [value for _, line, _ in lines for value in line]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def at(n, value):
        return (x + (n + 0.5) * PANEL_W / len(clients), y + PANEL_H * (high - math.log10(value)) / (high - low))

    parts = [_text(x, y - 3, unit, size=10)]
    for decade in range(low, high + 1):
        _, line_y = at(0, 10 ** decade)
        parts.append(f'<line x1="{x}" x2="{x + PANEL_W}" y1="{line_y:.1f}" y2="{line_y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(x - 6, line_y + 4, f"{10 ** decade:,g}", size=10, anchor="end"))
    for n, each in enumerate(clients):
        parts.append(_text(at(n, 1)[0], y + PANEL_H + 15, f"{each}", size=11, anchor="middle"))
    parts.append(_text(x + PANEL_W / 2, y + PANEL_H + 30, "clients", size=10, anchor="middle"))
    for colour, line, numbers in lines:
        points = [at(n, value) for n, value in enumerate(line)]
        dash = "" if numbers else ' stroke-dasharray="5 4"'
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for (px, py), value in zip(points, line):
            parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>')
            if numbers:
                parts.append(_text(px, py + numbers, _short(value), size=9, anchor="middle", colour=colour))
    if note:
        parts.append(_text(x + PANEL_W, y - 3, note, size=10, anchor="end", colour=REFERENCE))
    return "\n".join(parts)


def _short(value):
    if value >= 10_000:
        return f"{value / 1000:,.0f}k"
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    return f"{value:.3g}"


def _text(x, y, text, size, anchor="start", weight="normal", colour=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}" paint-order="stroke" stroke="white" stroke-width="3">{text}</text>')
