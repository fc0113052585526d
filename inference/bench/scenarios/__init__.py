"""The ways to load a server, each in a module of its own."""

from inference.bench.scenarios.base import Scenario
from inference.bench.scenarios.conversations import Conversations
from inference.bench.scenarios.intruder import Intruder
from inference.bench.scenarios.shared_prefix import SharedPrefix
from inference.bench.scenarios.speculative import Speculative
from inference.bench.scenarios.structured import Structured
from inference.bench.scenarios.throughput import Throughput

_ALL = (Throughput(), SharedPrefix(), Intruder(), Conversations(), Speculative(), Structured())
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
