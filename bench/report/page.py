"""`results/README.md` and its plots, from the result files that there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.report import store, tables
from bench.report.plot import Plot
from bench.report.store import Spread
from bench.report.tables import SERVERS, by_scenario, spreads, table

_OURS: Final = (SERVERS["native"], SERVERS["python"], "rooms")
#: What it costs to decode is another world; its bar is cut off.
_CUT_US: Final = 120.0
_BEGIN: Final = "<!-- capacity: python -m bench --report -->"
_END: Final = "<!-- end of capacity -->"
_HEADS: Final = ("", "packets a second", "of a core", "load kept", "runs", "load average before")


def write(folder: Path = store.FOLDER) -> None:
    """Tables and plots of what is in the folder. What was not measured is left out."""
    text = ["# Results\n", "Written by `python -m bench --report` from the JSON beside it."]
    text.append(
        "[What each figure is, and how to get it](../README.md). The median of the runs, in brackets the"
    )
    text.append("least and the most.\n")
    for name, section in (
        ("forward", _forward),
        ("join", _join),
        ("memory", _memory),
        ("capacity", _capacity),
        ("loss", _loss),
        ("crowd", _crowd),
        ("rest", _rest),
        ("chat", _chat),
    ):
        if found := store.read(folder / f"{name}.json"):
            text += section(found, folder)
    (folder / "README.md").write_text("\n".join(text))


def write_capacity(document: Path, folder: Path = store.FOLDER) -> None:
    """The table between the document's two markers, from the results."""
    if found := store.read(folder / "capacity.json"):
        before, _, rest = document.read_text().partition(_BEGIN)
        after = rest.partition(_END)[2]
        lines = [_BEGIN, f"{tables.machine(found['machine'])}:\n", *_capacities(found), _END]
        document.write_text(before + "\n".join(lines) + after)


def _plot(folder: Path, name: str, plot: Plot) -> str:
    (folder / f"{name}.svg").write_text(plot.svg())
    return f"![{plot.title}]({name}.svg)\n"


def _named(row: Mapping[str, Spread]) -> dict[str, Spread]:
    return {SERVERS[server]: spread for server, spread in row.items()}


def _forward(found: Mapping[str, Any], folder: Path) -> list[str]:
    scenarios = found["scenarios"]
    costs = {
        name: _named(spreads(scenario["runs"], lambda run: run["cpu_us"]))
        for name, scenario in scenarios.items()
    }
    last = list(scenarios.values())[-1]
    plot = Plot("CPU a forwarded packet, µs", "µs", costs, _OURS, cut=_CUT_US)
    return [
        "## Forwarding\n",
        f"{tables.machine(last['machine'])}. {_versions(found)}\n",
        _plot(folder, "forward", plot),
        "CPU a forwarded packet, µs, of the whole server process; 120 octets, AEAD_AES_128_GCM:\n",
        by_scenario(scenarios, "cpu_us", digits=1, against="janus"),
        "How much of what should have come did. Below 1 the server does not manage it on this machine:\n",
        by_scenario(scenarios, "reached", digits=3),
        "From the speaker, before encryption, to the listener's kernel, ms (p50, and p99 below):\n",
        by_scenario(scenarios, "delay_p50_ms", digits=2),
        by_scenario(scenarios, "delay_p99_ms", digits=2),
        "What our worker did, in C:\n",
        table(_HEADS, [_work(name, scenario) for name, scenario in scenarios.items()]),
    ]


def _work(name: str, scenario: Mapping[str, Any]) -> list[str]:
    """A line of our worker's."""
    runs = scenario["runs"].get("native", [])
    if not runs:
        return [name, *[""] * (len(_HEADS) - 1)]

    def median(key: str) -> float:
        return Spread.of(run[key] for run in runs).median

    rate, share, kept = median("rate"), median("cpu_share"), median("sent_share")
    load = scenario["machine"]["load_before"]
    return [name, f"{rate:,.0f}", f"{share:.1%}", f"{kept:.0%}", str(len(runs)), f"{load:.1f}"]


def _versions(found: Mapping[str, Any]) -> str:
    """What ran beside ours, and what did not."""
    versions: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for part in found.get("scenarios", {"": found}).values():
        versions |= part["versions"]
        left_out |= part["left_out"]
    said = ", ".join(version for name, version in versions.items() if name not in ("native", "python"))
    out = "; ".join(f"{SERVERS[name]} is left out: {why}" for name, why in left_out.items())
    return f"{said}.{' ' + out + '.' if out else ''}"


def _join(found: Mapping[str, Any], folder: Path) -> list[str]:
    p50 = spreads(found["runs"], lambda run: run["p50_ms"])
    p95 = spreads(found["runs"], lambda run: run["p95_ms"])
    plot = Plot("From the offer to the first packet, ms (p50)", "ms", {"join": _named(p50)}, _OURS)
    return [
        "## Joining\n",
        f"{tables.machine(found['machine'])}. {_versions(found)}\n",
        _plot(folder, "join", plot),
        f"From the offer to the first packet of voice, ms, {found['joins']} joins a run:\n",
        table(
            ["", *(SERVERS[each] for each in p50)],
            [
                ["p50", *(each.text(1) for each in p50.values())],
                ["p95", *(each.text(1) for each in p95.values())],
            ],
        ),
    ]


def _memory(found: Mapping[str, Any], folder: Path) -> list[str]:
    sizes = spreads(found["runs"], lambda run: run)
    plot = Plot(
        "Memory a participant in a room of 10, MiB", "MiB", {"memory": _named(sizes)}, _OURS, digits=2
    )
    return [
        "## Memory\n",
        f"{tables.machine(found['machine'])}. {_versions(found)}\n",
        _plot(folder, "memory", plot),
        "MiB a participant in a room of 10:\n",
        table([SERVERS[each] for each in sizes], [[each.text(2) for each in sizes.values()]]),
    ]


def _capacity(found: Mapping[str, Any], _: Path) -> list[str]:
    return ["## Capacity\n", f"{tables.machine(found['machine'])}. One worker:\n", *_capacities(found)]


def _capacities(found: Mapping[str, Any]) -> list[str]:
    heads = ["people", "speaking", "packets a second", "of a core, in C", "in Python"]
    heads += ["memory of the worker", "delay p99, in C", "of what should come came"]
    rows = []
    for step in found["steps"]:
        row = [f"{step['people']}", f"{step['speaking']}"]
        for server, key, form in (
            ("native", "rate", "{:,.0f}"),
            ("native", "cpu_share", "{:.0%}"),
            ("python", "cpu_share", "{:.0%}"),
            ("native", "resident_mib", "{:.0f} MiB"),
            ("native", "delay_p99_ms", "{:.1f} ms"),
            ("native", "reached", "{:.1%}"),
        ):
            runs = step["runs"].get(server, ())
            row.append(form.format(Spread.of(run[key] for run in runs).median) if runs else "")
        rows.append(row)
    return [table(heads, rows)]


def _loss(found: Mapping[str, Any], _: Path) -> list[str]:
    names = ("scenario", "lost_on_the_way", "residual_150ms", "residual_300ms", "residual")
    rows = [
        [str(each["scenario"]), *(f"{each[name]:.2%}" for name in names[1:])] for each in found["results"]
    ]
    heads = ["", "lost on the way", "missing after 150 ms", "after 300 ms", "ever"]
    return ["## Loss\n", f"{tables.machine(found['machine'])}.\n", table(heads, rows)]


def _crowd(found: Mapping[str, Any], _: Path) -> list[str]:
    rows = [
        [
            str(each["people"]),
            str(each["words"]),
            f"{each['heard_whole']:.2%}",
            str(each["gaps"]),
            f"{each['first_p50_ms']:.0f}",
            f"{each['worker_cpu']:.0%}",
        ]
        for each in found["results"]
    ]
    heads = ["people", "words", "heard whole", "gaps", "first packet p50, ms", "of a core"]
    return ["## Crowds\n", f"{tables.machine(found['machine'])}.\n", table(heads, rows)]


def _rest(found: Mapping[str, Any], folder: Path) -> list[str]:
    rows = [
        [
            each["name"],
            *(
                Spread.of(each["runs"][key]).text(digits)
                for key, digits in (
                    ("alone_p50_ms", 2),
                    ("alone_p99_ms", 2),
                    ("per_second", 0),
                    ("per_cpu_second", 0),
                )
            ),
        ]
        for each in found["routes"]
    ]
    costs = {"answers": {each["name"]: Spread.of(each["runs"]["per_cpu_second"]) for each in found["routes"]}}
    plot = Plot(
        "REST: answers a CPU-second, of all servers together", "", costs, list(costs["answers"]), digits=0
    )
    heads = ["", "alone p50, ms", "p99, ms", "loaded, answers a second", "answers a CPU-second"]
    return [
        "## REST\n",
        f"{tables.machine(found['machine'])}.\n",
        _plot(folder, "rest", plot),
        table(heads, rows),
    ]


def _chat(found: Mapping[str, Any], folder: Path) -> list[str]:
    groups: dict[str, dict[str, Spread]] = {}
    for each in found["fanout"]:
        name = f"{each['clients']:,} clients, {each['in_flight']} in flight"
        groups.setdefault(name, {})[each["server"]] = Spread.of(each["runs"])
    servers = list(dict.fromkeys(server for group in groups.values() for server in group))
    rows = [
        [name, *(group[each].text(0) if each in group else "" for each in servers)]
        for name, group in groups.items()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    plot = Plot("Chat: deliveries a CPU-second", "", groups, _OURS, digits=0)
    return [
        "## Chat\n",
        f"{tables.machine(found['machine'])}. {versions or 'Without Node.js ours ran alone'}.\n",
        _plot(folder, "chat", plot),
        "Deliveries a CPU-second:\n",
        table(["", *servers], rows),
    ]
