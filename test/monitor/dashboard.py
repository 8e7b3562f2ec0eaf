#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks packaging/monitoring: every metric and label value is one that src/monitor has, every metric is on the dashboard, and rules, queries and alerts
are what promtool takes. Exits with 77 without promtool, after what can be checked without."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging/monitoring/twat-mp-rules.yml"
DASHBOARD = ROOT / "packaging/monitoring/twat-mp-dashboard.json"
ALERTS = ROOT / "test/monitor/alerts.test.yml"


def served():
    """The names of the series that the library has, and by metric the values of its labels."""
    source = (ROOT / "src/monitor/metrics.cpp").read_text(encoding="utf-8")
    series, values = set(), {}
    for part in source.split("w.metric(")[1:]:
        name, kind = re.match(r'\s*"(\w+)",\s*"(\w+)"', part).groups()
        series |= {name + suffix for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
        values[name] = set(re.findall(r'(\w+)=\\"(\w+)\\"', part))
    assert len(values) > 5, "the source is not what this test takes it for"
    return series, values


def metrics_in(text):
    return set(re.findall(r"\btwat_mp_\w+", text))


def check_names(series, values, file, text):
    unknown = metrics_in(text) - series
    assert not unknown, f"{file.name}: the library has no {sorted(unknown)}"
    for metric, selector in re.findall(r"\b(twat_mp_\w+)\{([^}]*)\}", text):
        for label, wanted in re.findall(r'(outcome|state|direction|mode)(?:=~|!=|=)"([^"]*)"', selector):
            for value in wanted.split("|"):
                assert (label, value) in values[metric], f"{file.name}: {metric} has no {label} {value}"


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    print(done.stdout.strip())
    assert done.returncode == 0, f"promtool {arguments[:2]}"


def main():
    series, values = served()
    rules = RULES.read_text(encoding="utf-8")
    check_names(series, values, RULES, rules)
    check_names(series, values, ALERTS, ALERTS.read_text(encoding="utf-8"))
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for query in queries + [v["definition"] for v in dashboard["templating"]["list"] if v["type"] == "query"]:
        check_names(series, values, DASHBOARD, query)
    shown = metrics_in("\n".join(queries))
    missing = {name for name in values if not any(s == name or s.startswith(name + "_") for s in shown)}
    assert not missing, f"the dashboard does not show {sorted(missing)}"
    tested = set(re.findall(r'alertname="(\w+)"', ALERTS.read_text(encoding="utf-8")))
    assert tested == set(re.findall(r"alert: (\w+)", rules)), "each alert has its line in alerts.test.yml"

    if not shutil.which("promtool"):
        print("SKIP: no promtool, so only the names were checked")
        return 77
    promtool("check", "rules", RULES)
    promtool("test", "rules", ALERTS)
    with tempfile.TemporaryDirectory(prefix="twat-mp-") as folder:
        file = pathlib.Path(folder) / "queries.yml" # JSON is YAML
        plain = [query.replace("$__rate_interval", "5m") for query in queries]
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{i}", "expr": query} for i, query in enumerate(plain)]}]}),
                        encoding="utf-8")
        promtool("check", "rules", file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
