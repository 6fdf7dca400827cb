"""Watches the program with Prometheus: `watch.py RULES STAGE PROGRAM`.

The stage (tests/sim/src/bin/sim-watched.rs) runs the program and brings it into trouble when it is told
to. Every query of docs/monitoring/grafana-dashboard.json must have an answer then, and each alert of
RULES must fire when its cause is there and end when it is over. Prints both as tables. Needs the
programs prometheus and promtool.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

RULES, STAGE, PROGRAM = sys.argv[1:]
DASHBOARD = json.loads(Path("docs/monitoring/grafana-dashboard.json").read_text())
# Longer than anything takes, on a slow machine, too.
PATIENCE = 120
# What Grafana puts in: all instances, and a range of some scrapes.
VARIABLES = {"$instance": ".*", "$__rate_interval": "10s"}
# Each cause, how it ends, and the alerts that must fire because of it.
CAUSES = [
    ("trouble", "no trouble", ["DnsNamesMissing", "DnsDeletesHeld"]),
    ("down", "up", ["DnsNotKept"]),
    ("stop", "start", ["DnsNotKept"]),
]
TROUBLE = " * ".join(
    f"rancher_route53_{name}"
    for name in ["record_sets_in_conflict", "record_sets_quarantined", "deletion_guard_holding"]
) + " > 0"
CONFIGURATION = """
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%s]
scrape_configs:
  - job_name: rancher-route53
    file_sd_configs: [{ files: [%s] }]
"""


def until(what, condition):
    """The first answer of `condition` that isn't empty."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"prometheus: in vain: {what}")


class Stage:
    def __init__(self, folder):
        self.targets = folder / "targets.json"
        self.process = subprocess.Popen(
            [STAGE, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.await_line("metrics")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.await_line(line)

    def await_line(self, awaited):
        """Reads up to this line, and where Prometheus finds the metrics, if that is said."""
        for line in self.process.stdout:
            word, _, address = line.strip().partition(" ")
            if word == "metrics":
                self.address = address
                self.targets.write_text(json.dumps([{"targets": [address]}]))
            if awaited in (word, line.strip()):
                return
        sys.exit(f"prometheus: the stage has ended before {awaited!r}")


class Prometheus:
    def __init__(self, folder, stage):
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION % (RULES, stage.targets))
        self.log = folder / "prometheus.log"
        arguments = {
            "config.file": configuration,
            "storage.tsdb.path": folder / "data",
            "web.listen-address": "127.0.0.1:0",
        }
        self.process = subprocess.Popen(
            ["prometheus", *(f"--{name}={value}" for name, value in arguments.items())],
            stderr=self.log.open("w"),
        )
        listening = re.compile(r'msg="Listening on" address=(\S+)')
        self.address = until("Prometheus listens", lambda: listening.search(self.log.read_text()))[1]
        until("Prometheus is ready", lambda: "ready to receive" in self.log.read_text())

    def ask(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["data"]

    def values(self, expression):
        """What Grafana would draw: series by their labels, without those that aren't numbers."""
        answer = self.ask("query", query=expression)["result"]
        return [s for s in answer if s["value"][1] != "NaN"]

    def alerts(self):
        """The names of the alerts that fire."""
        alerts = self.ask("alerts")["alerts"]
        return {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}


def queries(part, title):
    """Every query below this part of the dashboard, with the title that it stands under."""
    children = part if isinstance(part, list) else []
    if isinstance(part, dict):
        title = part.get("title") or part.get("name") or title
        if "expr" in part:
            yield title, part["expr"]
        children = part.values()
    for child in children:
        yield from queries(child, title)


def described(series):
    """One series with its value, and how many more there are."""
    most = max(series, key=lambda s: abs(float(s["value"][1])))
    labels = {k: v for k, v in most["metric"].items() if k not in ("__name__", "instance", "job")}
    named = ", ".join(f"{k}={v}" for k, v in labels.items())
    more = f", and {len(series) - 1} more" if len(series) > 1 else ""
    return f"{float(most['value'][1]):.6g}{f' ({named})' if named else ''}{more}"


def check_metrics(address):
    """Has Prometheus's own tool look at the metrics, with something in all of them."""
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        metrics = answer.read()
    subprocess.run(["promtool", "check", "metrics"], input=metrics, check=True)
    samples = sum(not line.startswith(b"#") for line in metrics.splitlines())
    print(f"metrics: {samples} samples, fine with promtool")


def check_queries(prometheus):
    print(f"\n{'panel':<32} value\n" + "-" * 100)
    count = 0
    for title, query in queries(DASHBOARD, ""):
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        series = until(f"{title}: {query}", lambda: prometheus.values(query))
        print(f"{title:<32} {described(series)}\n{'':<32}   {query}")
        count += 1
    shown = [p["title"] for p in DASHBOARD["panels"]]
    assert count > len(shown), f"{count} queries of {len(shown)} panels"
    print(f"{count} queries of {len(shown)} panels and the annotations, all with an answer")


def main():
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        prometheus = Prometheus(Path(folder), stage)
        try:
            watch(stage, prometheus)
        finally:
            stage.process.stdin.close()
            prometheus.process.terminate()
            stage.process.wait()
            prometheus.process.wait()


def watch(stage, prometheus):
    until("the metrics are there", lambda: prometheus.values("rancher_route53_build_info"))
    # Before that there were none, which is one of the causes.
    until("no alert fires", lambda: not prometheus.alerts())
    rows = []
    for cause, end, names in CAUSES:
        since = time.monotonic()
        stage.tell(cause)
        if cause == "trouble":
            until("all of the trouble is seen", lambda: prometheus.values(TROUBLE))
            check_metrics(stage.address)
            check_queries(prometheus)
        fired = await_alerts(prometheus, names, True, since)
        others = prometheus.alerts() - set(names)
        assert not others, f"{cause}: {others} fire too"
        since = time.monotonic()
        stage.tell(end)
        ended = await_alerts(prometheus, names, False, since)
        for name in names:
            rows.append(f"{name:<16} {cause:<8} {fired[name]:>8.1f} s {ended[name]:>8.1f} s")
    print(f"\n{'alert':<16} {'cause':<8} {'fired':>10} {'ended':>10}\n" + "-" * 47)
    print("\n".join(rows))


def await_alerts(prometheus, names, fire, since):
    """By name how long after `since` each of these alerts fires, or no longer does."""
    times = {}

    def all_are_so():
        firing = prometheus.alerts()
        for name in names:
            if (name in firing) == fire:
                times.setdefault(name, time.monotonic() - since)
        return len(times) == len(names)

    until(f"{names} {'fire' if fire else 'end'}", all_are_so)
    return times


if __name__ == "__main__":
    main()
