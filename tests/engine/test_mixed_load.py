"""Many requests at once, of every sort, against the answer that each one gets alone."""

import random
from dataclasses import replace

import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.disk_store import DiskStore
from inference.engine.disk_tier import DiskTier
from inference.engine.drafts import LookupDrafts
from inference.engine.llama import Llama
from inference.engine.messages import Constraint, GenerateRequest, Output, SamplingParams
from inference.engine.prefix_index import MIN_REUSE
from inference.engine.row_padding import RowPadding, Trial
from inference.engine.speculator import Speculator
from tests.engine.executors import SameThread
from tests.live_server import DEMO
from tests.tiny_models import KINDS

NUM_REQUESTS = 64
WORDS = ["time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]
GRAMMAR = Constraint(r'start: "{" /[a-z]{1,8}/ ":" /[0-9]{1,6}/ "}"', "grammar")
# What is computed together may differ in the last digits, and the likeliest two tokens of random weights may be nearly
# equal: here nothing may depend on that.
EXACT = {"kv_type_k": "f32", "kv_type_v": "f32", "flash_attention": "off"}


class EagerDrafts(LookupDrafts):
    """Guesses in every step, right or wrong."""

    def propose(self, sequences, mosts):
        return [
            (each.tokens[-4:] * 2)[: min(5, max(each.max_draft, 0))] if number % 2 else guess
            for number, (each, guess) in enumerate(zip(sequences, super().propose(sequences, mosts), strict=True))
        ]


def mixed_requests() -> list[GenerateRequest]:
    """Return requests of many lengths: new ones, such with a shared beginning, continued ones, and with a grammar."""
    generator = random.Random(5)
    system = " ".join(generator.choices(WORDS, k=120))
    prompt, requests = "", []
    for number in range(NUM_REQUESTS):
        own = " ".join(generator.choices(WORDS, k=generator.choice([5, 30, 80, 200])))
        kind = generator.choice(["new", "shared", "shared", "continued"])
        prompt = {"new": own, "shared": f"{system} {own}", "continued": f"{prompt[:3000]} and {own}"}[kind]
        sampling = SamplingParams(temperature=0, max_tokens=generator.choice([1, 8, 30]), ignore_eos=number % 8 != 0)
        requests.append(GenerateRequest(str(number), prompt, sampling, GRAMMAR if number % 8 == 0 else None))
    return requests


class CountingStore(DiskStore):
    num_read = 0

    def read(self, *arguments):
        self.num_read += 1
        return super().read(*arguments)


class Answers:
    """Collects what an engine says."""

    def __init__(self, core: EngineCore) -> None:
        self.texts: dict[str, str] = {}
        self.num_cached = 0
        self._core = core

    def take(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert output.failure is None, output.failure
            self.texts[output.request_id] = self.texts.get(output.request_id, "") + output.text
            self.num_cached += output.usage.cached_tokens if output.usage else 0

    def run(self, requests: list[GenerateRequest], aborted: tuple[str, ...] = ()) -> None:
        """Answer the requests, a few of which arrive in each step; abort some of them after their first text."""
        generator = random.Random(7)
        waiting = list(requests)
        while waiting or self._core.has_work:
            for _ in range(generator.choice([0, 0, 1, 3])):
                if waiting:
                    self._core.add_request(waiting.pop(0))
            self.take(self._core.step())
            for name in aborted:
                if name in self.texts:
                    self._core.abort_request(name)


def exact_config(path: str, **settings: int) -> EngineConfig:
    return EngineConfig(path, n_ctx=1024, n_batch=256, host_cache_bytes=3 * 2**20, **EXACT, **settings)


@pytest.fixture(scope="module", params=[*KINDS, "demo"])
def path(request, tiny_model):
    return str(DEMO if request.param == "demo" else tiny_model(request.param))


@pytest.fixture(scope="module")
def alone(path):
    """What each request is answered by an engine that does nothing else and remembers nothing."""
    llama = Llama(exact_config(path, n_seq_max=1))
    texts = {}
    for request in mixed_requests():
        if request.constraint:
            llama.compile(request.constraint).result()
        llama.truncate(0, 0)
        answers = Answers(EngineCore(llama.config, llama))
        answers.run([request])
        texts |= answers.texts
    llama.close()
    return texts


@pytest.mark.parametrize("kv_unified", [False, True], ids=["partitioned", "unified"])
def test_together_as_alone(path, alone, kv_unified):
    """With a small cache beside the slots, so that some conversations come back and some do not."""
    settings = {"kv_unified": True, "kv_cells": 2048} if kv_unified else {}
    llama = Llama(exact_config(path, n_seq_max=4, **settings))
    llama.compile(GRAMMAR).result()
    speculator = Speculator(EagerDrafts(), draft_max=8, n_batch=256) if llama.can_undo else None
    answers = Answers(EngineCore(llama.config, llama, speculator))
    aborted = [GenerateRequest(f"abort {request.id}", *_parts(request)) for request in mixed_requests()[::9]]
    answers.run([*aborted[:4], *mixed_requests(), *aborted[4:]], aborted=tuple(each.id for each in aborted))
    llama.close()
    assert {name: answers.texts[name] for name in alone} == alone
    assert len(set(alone.values())) > NUM_REQUESTS / 2, "the answers must differ to tell anything"
    assert answers.num_cached > 5000


@pytest.mark.parametrize("kv_unified", [False, True], ids=["partitioned", "unified"])
def test_rows_that_nobody_needs_change_nothing(path, alone, kv_unified, monkeypatch):
    """Three sequences at a time, so that there is a slot for one more row, and a row more whenever that is possible."""
    monkeypatch.setattr(Trial, "choose", lambda trial: True)
    settings = {"kv_unified": True, "kv_cells": 2048} if kv_unified else {}
    llama = Llama(exact_config(path, n_seq_max=5, **settings))
    llama.compile(GRAMMAR).result()
    spares = []
    pad = RowPadding.pad
    monkeypatch.setattr(RowPadding, "pad", lambda padding, chunks: spares.append(pad(padding, chunks)) or spares[-1])
    answers = Answers(EngineCore(replace(llama.config, n_seq_max=3), llama))
    answers.run(mixed_requests())
    llama.close()
    assert answers.texts == alone
    assert (len(list(filter(None, spares))) > 100) == llama.can_rewind


def test_what_went_to_disk_and_came_back_is_as_before(path, alone, tmp_path):
    """With hardly any memory beside the slots; then the engine starts anew, and nearly everything is on disk."""
    config = replace(exact_config(path, n_seq_max=3), host_cache_bytes=2**17)
    llama = Llama(config)
    llama.compile(GRAMMAR).result()
    for _ in range(2):
        for slot in range(3):
            llama.truncate(slot, 0)
        store = CountingStore(tmp_path, llama.fingerprint(), 2**40, warn=pytest.fail)
        disk = DiskTier(store, config.n_ctx, warn=pytest.fail, min_tokens=MIN_REUSE, new_thread=SameThread)
        core = EngineCore(llama.config, llama, disk=disk)
        answers = Answers(core)
        answers.run(mixed_requests())
        core.close(seconds=60)
        assert answers.texts == alone
    llama.close()
    assert store.num_read > NUM_REQUESTS / 4


def _parts(request: GenerateRequest) -> tuple[object, ...]:
    return request.prompt, SamplingParams(temperature=0, max_tokens=200, ignore_eos=True)
