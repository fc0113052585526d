"""Rounds: each case on every server in turn, so that noise of the machine hits all of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from inference.bench.figures import Figures, medians, ratios
from inference.bench.scenarios.base import Case, Engine, Options, Scenario

SEEDS_OF_A_MEASUREMENT = 1_000_000


def seeds_from(first: int) -> Iterator[int]:
    """Yield the seeds of a whole run; each measurement may use the numbers up to the next one as well."""
    return count(first, SEEDS_OF_A_MEASUREMENT)


@dataclass
class Measurement:
    """One case: each server's figures of all rounds, by its label; the one that others are compared with comes first.

    neighbours has the cores that other processes kept busy, round by round; None where that cannot be told.
    """

    scenario: Scenario
    case: Case
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    neighbours: list[float | None] = field(default_factory=list)

    def median(self, label: str) -> Figures:
        return medians(self.rounds[label])

    @property
    def others(self) -> list[str]:
        """The labels of the servers that the first one is compared with."""
        return list(self.rounds)[1:]

    def ratios(self, other: str) -> list[Figures]:
        """Return the first server's figures ÷ those of another one, round by round."""
        return ratios(next(iter(self.rounds.values())), self.rounds[other])


def measure(
    scenario: Scenario,
    servers: Sequence[Engine],
    options: Options,
    rounds: int,
    seeds: Iterator[int],
    progress: Callable[[str], object],
    neighbours: Callable[[], float | None],
) -> list[Measurement]:
    """Measure all cases of a scenario `rounds` times; every round has prompts of its own. Raises BenchError.

    progress: gets the figures as they come, so that a run which is ended early was not for nothing.
    neighbours: tells how many cores other processes have kept busy since it was called last.
    """
    measurements = [
        Measurement(scenario, case, {server.label: [] for server in servers}) for case in scenario.cases(options)
    ]
    for number in range(rounds):
        # Who comes first in one round comes last in the next: what the one leaves behind must not favour the other.
        order = servers if number % 2 == 0 else servers[::-1]
        for measurement in measurements:
            seed = next(seeds)
            neighbours()
            for server in order:
                figures = scenario.measure(server, measurement.case, options, seed)
                measurement.rounds[server.label].append(figures)
                of_round = f"round {number + 1} of {rounds}, {server.label}"
                progress(f"{scenario.name}, {measurement.case.label}, {of_round}: {_texts(scenario, figures)}")
            measurement.neighbours.append(neighbours())
    return measurements


def _texts(scenario: Scenario, figures: Figures) -> str:
    return ", ".join(f"{column.title} {column.text(figures[column.key])}" for column in scenario.columns)
