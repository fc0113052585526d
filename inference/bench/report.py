"""Tables for people, JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from inference.bench.figures import Column, Figures, medians
from inference.bench.measurement import Measurement
from inference.bench.memory import ProcessMemory
from inference.bench.scenarios.base import Scenario, Server

NOISE = 0.2  # cores that others may use before figures are doubtful
RATIO = Column("", "", "×")
MEMORY_EXPLANATION = (
    "Memory after the scenario. RSS counts the model's file where it is mapped, PSS only a share of what several "
    "processes map; “own” is neither file nor shared: KV cache, buffers, and all that the process has asked for."
)


@dataclass(frozen=True)
class ServerMemory:
    """What the processes of one server used after a scenario."""

    scenario: str
    server: str
    processes: list[ProcessMemory]


@dataclass(frozen=True)
class Report:
    """Everything that a run found out; `about` says on what and with what."""

    about: dict[str, Any]
    servers: Sequence[Server]
    measurements: list[Measurement]
    memory: list[ServerMemory]

    def as_json(self) -> dict[str, Any]:
        servers = [
            {"label": server.label, "url": server.address.base_url, "model": server.address.model}
            for server in self.servers
        ]
        return {
            **self.about,
            "servers": servers,
            "measurements": [_measurement_json(measurement) for measurement in self.measurements],
            "memory": [asdict(memory) for memory in self.memory],
        }

    def print(self, console: Console) -> None:
        """Print a table for each scenario, and one of the memory if there are processes to look at."""
        for scenario, measurements in groupby(self.measurements, attrgetter("scenario")):
            console.print(f"\n[bold]{scenario.name}[/bold]: {scenario.explanation}")
            of_scenario = list(measurements)
            console.print(scenario_table(scenario, of_scenario))
            for line in noise_lines(of_scenario):
                console.print(line)
        if any(memory.processes for memory in self.memory):
            console.print(f"\n[bold]memory[/bold]: {MEMORY_EXPLANATION}")
            console.print(memory_table(self.memory))


def scenario_table(scenario: Scenario, measurements: list[Measurement]) -> Table:
    """Return a row for each case and server, the median of all rounds, and one for each comparison."""
    table = Table()
    table.add_column("clients" if all(not each.case.kind for each in measurements) else "case", no_wrap=True)
    table.add_column("server", no_wrap=True)
    for column in scenario.columns:
        table.add_column(column.title, justify="right")
    for measurement in measurements:
        for number, label in enumerate(measurement.rounds):
            figures = measurement.median(label)
            case = "" if number else measurement.case.label
            table.add_row(case, escape(label), *(column.text(figures[column.key]) for column in scenario.columns))
        for other in measurement.others:
            table.add_row(
                "", escape(f"÷ {other}"), *_ratio_texts(scenario, medians(measurement.ratios(other))), style="italic"
            )
        table.add_section()
    return table


def noise_lines(measurements: list[Measurement]) -> list[str]:
    """Return a warning for each case beside which other processes kept the machine busy."""
    lines = []
    for measurement in measurements:
        cores = measurement.neighbours
        if any(each is not None and each > NOISE for each in cores):
            rounds = ", ".join("–" if each is None else f"{each:.1f}" for each in cores)
            lines.append(
                f"{measurement.case.label}: the machine was not quiet; "
                f"other processes took, round by round, {rounds} cores."
            )
    return lines


def _ratio_texts(scenario: Scenario, figures: Figures) -> list[str]:
    return [RATIO.text(figures[column.key]) for column in scenario.columns]


def memory_table(memories: list[ServerMemory]) -> Table:
    table = Table()
    for title in ("after", "server", "process"):
        table.add_column(title)
    for title in ("RSS", "PSS", "own"):
        table.add_column(title, justify="right")
    for memory in memories:
        for process in memory.processes:
            sizes = (f"{size / 2**20:.0f} MiB" for size in (process.rss, process.pss, process.anonymous))
            table.add_row(memory.scenario, escape(memory.server), process.process, *sizes)
    return table


def _measurement_json(measurement: Measurement) -> dict[str, Any]:
    labels = list(measurement.rounds)
    return {
        "scenario": measurement.scenario.name,
        "case": measurement.case.label,
        "clients": measurement.case.clients,
        "units": {column.key: column.unit for column in measurement.scenario.columns},
        "figures": {
            label: {"rounds": measurement.rounds[label], "median": measurement.median(label)} for label in labels
        },
        "neighbour_cores": measurement.neighbours,
        "ratios": {
            f"{labels[0]} ÷ {other}": {
                "rounds": measurement.ratios(other),
                "median": medians(measurement.ratios(other)),
            }
            for other in measurement.others
        },
    }
