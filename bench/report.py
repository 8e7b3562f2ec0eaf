# SPDX-License-Identifier: BSL-1.0
"""What a run found, as text and as tables of doc/performance.md."""
import pathlib
import statistics


def add_statistics(found):
    """Gives each row `spread` and, beside its baseline, `ratio`: min, median and max over the rounds."""
    for workload in found["workloads"]:
        by_name = {row["row"]: row for row in workload["rows"]}
        for row in workload["rows"]:
            row["spread"] = spread([value for value in row["values"] if value is not None])
            baseline = by_name.get(row["baseline"])
            if baseline:
                row["ratio"] = spread([value / base for value, base in zip(row["values"], baseline["values"])
                                       if value is not None and base])
            row["met"] = met(row, workload["less_is_better"])


def spread(values):
    if not values:
        return None
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def met(row, less_is_better):
    """Whether the median meets the goal; None without a goal or a value."""
    judged = row.get("ratio") if row["baseline"] else row["spread"]
    if not row["goal"] or not judged:
        return None
    return judged["median"] <= row["goal"] if less_is_better else judged["median"] >= row["goal"]


def number(x):
    """Three significant digits, without an exponent."""
    if x == 0:
        return "0"
    digits = 0
    while digits < 5 and abs(x) * 10 ** digits < 100:
        digits += 1
    text = f"{x:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def range_of(values):
    return "" if values["min"] == values["max"] else f"{number(values['min'])} to {number(values['max'])}"


def goal_of(row, less_is_better):
    if not row["goal"]:
        return ""
    sign = ("<=" if less_is_better else ">=") + f" {number(row['goal'])}"
    return f"{sign} of {row['baseline']}" if row["baseline"] else sign


VERDICT = {True: "yes", False: "no", None: ""}


def cells(workload):
    """The lines of a table: name, role, median, range, ratio, range of ratios, goal, met."""
    for row in workload["rows"]:
        if not row["spread"]:
            yield [row["row"], row["role"], "failed", "", "", "", "", ""]
            continue
        ratio = row.get("ratio")
        yield [row["row"], row["role"], number(row["spread"]["median"]), range_of(row["spread"]),
               number(ratio["median"]) if ratio else "", range_of(ratio) if ratio else "",
               goal_of(row, workload["less_is_better"]), VERDICT[row["met"]]]


HEAD = ["", "", "median", "min to max", "ratio", "min to max", "goal", "met"]


def as_text(found):
    lines = [summary(found)]
    for workload in found["workloads"]:
        lines += ["", f"{workload['workload'].upper()}  {workload['title']} ({workload['unit']})"]
        table = [HEAD] + list(cells(workload))
        widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    return "\n".join(lines)


def reasons():
    """Why a workload is short of its goals, by its id: the sections of shortfalls.md."""
    text = (pathlib.Path(__file__).parent / "shortfalls.md").read_text(encoding="utf-8")
    sections = (section.partition("\n") for section in text.split("\n## ")[1:])
    return {name.strip(): words.strip() for name, _, words in sections}


UNITS = {"efficiency": "Efficiency: the part of two processors that does the user's work", "times the ideal": "As multiples of the ideal time",
         "us, p99": "In us, the 99th percentile"}


def as_markdown(found):
    lines, why = [summary(found)], reasons()
    for workload in found["workloads"]:
        key = workload["workload"]
        better = "less" if workload["less_is_better"] else "more"
        lines += ["", f"### {workload['title'][0].upper()}{workload['title'][1:]} ({key.upper()})", "", f"{UNITS.get(workload['unit']) or 'In ' + workload['unit']}; {better} is better.", "",
                  "| what ran | | median | min to max | ratio | min to max | goal | met |", "|---|---|---|---|---|---|---|---|"]
        for line in cells(workload):
            name = f"**{line[0]}**" if line[1] == "ours" else line[0]
            lines.append("| " + " | ".join([name] + line[1:]) + " |")
        if any(row["met"] is False for row in workload["rows"]):
            told = why.get(key) or why.get(key.split("-")[0]) or "The reason is not known."
            lines += ["", f"**Short of the goal.** {told}"]
    return "\n".join(lines)


def summary(found):
    noise = found["others"]
    quiet = "The machine was quiet" if noise < 0.05 else "The machine was NOISY"
    return (f"{found['date']}, {found['commit']}, {found['machine']}: {found['rounds']} rounds in {found['minutes']} minutes"
            f"{', quick' if found['quick'] else ''}. {quiet}: other programs used {100 * noise:.0f} % of its processors.")


def feeding_table(found):
    """W11 as advice: how many workers one host thread can feed with tasks of a given length."""
    for workload in found["workloads"]:
        if workload["workload"] != "w11":
            continue
        lines = ["| workers | us of host CPU a task | feeds, tasks of 1 ms | of 10 ms | of 100 ms |", "|---|---|---|---|---|"]
        for row in workload["rows"]:
            if row["spread"]:
                cost = row["spread"]["median"]
                feeds = [f"{int(length / cost):,}" for length in (1e3, 1e4, 1e5)]
                lines.append("| " + " | ".join([row["row"].rsplit(" ", 1)[1], number(cost)] + feeds) + " |")
        return "\n".join(lines)
    return ""


def fill(path, found):
    """Replaces what stands between the markers `<!-- NAME -->` and `<!-- end of NAME -->`."""
    text = path.read_text()
    for name, content in (("results", as_markdown(found)), ("feeding", feeding_table(found)), ("budget", found["budget"])):
        if not content:
            continue
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin, 1)
        _, after = rest.split(end, 1)
        text = before + begin + content + "\n" + end + after
    path.write_text(text)
