# SPDX-License-Identifier: BSL-1.0
"""Draws what a run found: one line a workload, each contestant beside the floor, on a logarithmic scale."""
import math
from xml.sax.saxutils import escape

LEFT, RIGHT, TOP, LINE = 400, 30, 92, 48
WIDTH = 1000
TICKS = [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000]

# What the names of peers are cut to, where they stand beside their marks.
PEERS = {"asio::thread_pool, post": "Asio, post", "asio::thread_pool, co_await": "Asio, co_await", "asio::thread_pool": "Asio", "oneTBB task_group": "TBB task_group",
         "oneTBB": "oneTBB", "Python multiprocessing": "Python Pool", "Python ProcessPool": "Python Executor", "pigz": "pigz"}

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 17px; font-weight: 600; }
  .small { font-size: 12px; fill: #57606a; } .name { font-size: 10.5px; fill: #9a4f00; }
  .grid { stroke: #d0d7de; } .reference { stroke: #57606a; stroke-width: 1.5; }
  .floor { fill: #8c959f; stroke: #8c959f; } .peer { fill: #d4740c; stroke: #d4740c; }
  .processes { fill: #0969da; stroke: #0969da; } .threads { fill: #1a7f37; stroke: #1a7f37; }
  .span { stroke-width: 3; stroke-opacity: 0.45; } .mark { stroke: none; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; }
    text { fill: #e6edf3; } .small { fill: #9198a1; } .name { fill: #f0883e; }
    .grid { stroke: #30363d; } .reference { stroke: #9198a1; }
    .floor { fill: #9198a1; stroke: #9198a1; } .peer { fill: #f0883e; stroke: #f0883e; }
    .processes { fill: #58a6ff; stroke: #58a6ff; } .threads { fill: #3fb950; stroke: #3fb950; }
  }
"""


def group_of(row):
    if row["role"] != "ours":
        return row["role"]
    return "threads" if "thread" in row["row"] else "processes"


def costs(workload):
    """For each row, min, median and max as a multiple of the reference: above 1 is slower, whatever the unit."""
    reference = workload["reference"]
    if reference == "1":
        base = 1.0
    else:
        base = next((row["spread"]["median"] for row in workload["rows"] if row["row"] == reference and row["spread"]), None)
    if not base:
        return
    for row in workload["rows"]:
        if not row["spread"]:
            continue
        values = [row["spread"][key] for key in ("min", "median", "max")]
        if min(values) <= 0:
            continue
        yield row, sorted(value / base if workload["less_is_better"] else base / value for value in values)


def mark(group, x, y, tip):
    shapes = {
        "floor": f'<rect x="{x - 1.5:.1f}" y="{y - 8:.1f}" width="3" height="16"',
        "peer": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"',
        "processes": f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"',
        "threads": f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"',
    }
    return f'{shapes[group]} class="mark {group}"><title>{escape(tip)}</title></{shapes[group].split(" ")[0][1:]}>'


def peer_name(row):
    return next((short for name, short in PEERS.items() if row.startswith(name)), row)


def name_peers(rows, at, y):
    """The name of each peer below or above its mark; all of them in a row to the right where they lie too close together for that."""
    peers = sorted((middle, peer_name(row["row"])) for row, (_, middle, _) in rows if row["role"] == "peer")
    placed = []
    for middle, name in peers:
        half = 3 * len(name)
        x = min(max(at(middle), LEFT + half - 20), WIDTH - half - 4)
        line = next((line for line in (19, -12) if all(line != other or abs(x - there) > half + width + 4 for other, there, width, _ in placed)), None)
        if line is None:
            right = max(at(value) for _, values in rows for value in values) + 14
            yield f'<text class="name" x="{right:.1f}" y="{y + 4:.1f}">{escape("from the left: " + ", ".join(name for _, name in peers))}</text>'
            return
        placed.append((line, x, half, name))
    for line, x, _, name in placed:
        yield f'<text class="name" text-anchor="middle" x="{x:.1f}" y="{y + line:.1f}">{escape(name)}</text>'


def draw(found):
    lines = [(workload, list(costs(workload))) for workload in found["workloads"] if workload["reference"]]
    lines = [(workload, rows) for workload, rows in lines if rows]
    every = [value for _, rows in lines for _, values in rows for value in values] or [1.0]
    low, high = math.log10(min(0.8, max(0.02, min(every) / 1.2))), math.log10(max(10.0, max(every) * 1.2))

    def at(value):
        part = (math.log10(value) - low) / (high - low)
        return LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT)

    bottom = TOP + LINE * len(lines)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" role="img">',
           f"<title>twat-mp beside floors and peers, {found['date']}</title>", f"<style>{STYLE}</style>",
           '<text class="title" x="16" y="28">How many times what the floor takes</text>',
           '<text class="small" x="16" y="48">Left is faster. 1 is the same work with bare means of the system, or the ideal. '
           "Bars span all rounds.</text>"]
    x = 16
    for group, label in (("floor", "floor"), ("peer", "another library, named"), ("processes", "twat-mp, processes"),
                         ("threads", "twat-mp, threads")):
        out += [mark(group, x + 7, 68, label), f'<text class="small" x="{x + 20}" y="72">{label}</text>']
        x += 40 + 7 * len(label)
    for tick in TICKS:
        if low <= math.log10(tick) <= high:
            kind = "reference" if tick == 1 else "grid"
            out += [f'<line class="{kind}" x1="{at(tick):.1f}" y1="{TOP - 8}" x2="{at(tick):.1f}" y2="{bottom}"/>',
                    f'<text class="small" text-anchor="middle" x="{at(tick):.1f}" y="{bottom + 18}">{tick:g}</text>']
    for index, (workload, rows) in enumerate(lines):
        y = TOP + LINE * (index + 0.5)
        title = f"{workload['title']} ({workload['workload'].upper()})"
        out += [f'<text x="16" y="{y - 2:.1f}">{escape(first_half(title))}</text>',
                f'<text x="16" y="{y + 14:.1f}">{escape(second_half(title))}</text>']
        for row, (least, middle, most) in rows:
            group = group_of(row)
            out.append(f'<line class="span {group}" x1="{at(least):.1f}" y1="{y:.1f}" x2="{at(most):.1f}" y2="{y:.1f}"/>')
        for group in ("floor", "peer", "threads", "processes"):  # ours on top
            for row, (_, middle, _) in rows:
                if group_of(row) == group:
                    out.append(mark(group, at(middle), y, f"{row['row']}: {middle:.3g}"))
        out += name_peers(rows, at, y)
    out.append("</svg>\n")
    return "\n".join(out)


def split_point(title, limit=46):
    return len(title) if len(title) <= limit else title.rfind(" ", 0, limit)


def first_half(title):
    return title[:split_point(title)]


def second_half(title):
    return title[split_point(title):].strip()
