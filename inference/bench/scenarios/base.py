"""What all scenarios have in common."""

from dataclasses import dataclass
from typing import Protocol

from inference.bench.client import Address
from inference.bench.figures import Column, Figures
from inference.bench.load import Load, Workload, run_load


@dataclass(frozen=True)
class Options:
    """The sizes of all scenarios. clients None leaves each scenario its own numbers."""

    clients: tuple[int, ...] | None = None
    requests: int = 2
    prompt_words: int = 80
    max_tokens: int = 64
    system_words: int = 700
    intruder_words: int = 1800
    stream_tokens: int = 1500
    conversations: int = 24
    turns: int = 4

    def clients_or(self, *default: int) -> tuple[int, ...]:
        return self.clients or default

    def workload(self, seed: int) -> Workload:
        return Workload(self.prompt_words, self.max_tokens, seed)


@dataclass(frozen=True)
class Case:
    """One line of a scenario's table: what is done, by how many clients at once."""

    clients: int
    kind: str = ""

    @property
    def label(self) -> str:
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"{self.kind}, {clients}" if self.kind else clients


class Engine(Protocol):
    """What can answer the requests of a workload: a server, or the bare engine."""

    label: str

    def run(self, workload: Workload, clients: int, requests: int) -> Load:
        """Answer `requests` prompts of the workload, `clients` at a time. Raises BenchError."""


@dataclass(frozen=True)
class Server:
    """A server of the OpenAI API; `pid` is that of its first process, None if it was not started here."""

    label: str
    address: Address
    pid: int | None = None

    def run(self, workload: Workload, clients: int, requests: int) -> Load:
        return run_load(self.address, workload.bodies(requests), clients)


class Scenario(Protocol):
    """A way to load a server, and what to look at meanwhile.

    explanation is printed above the table. has_engine tells that only `Engine.run` is used, so that the bare engine
    can be measured as well.
    """

    name: str
    explanation: str
    columns: tuple[Column, ...]
    has_engine: bool

    def cases(self, options: Options) -> list[Case]:
        """Return the lines of the table."""

    def measure(self, server: Engine, case: Case, options: Options, seed: int) -> Figures:
        """Load the server once; equal seeds give equal requests, and no two seeds share a prompt. Raises BenchError."""
