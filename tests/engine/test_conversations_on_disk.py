"""Conversations that come back from disk, on the real llama.cpp, with every kind of memory."""

from pathlib import Path

import pytest

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.disk_store import DiskStore
from inference.engine.disk_tier import DiskTier
from inference.engine.llama import Llama
from inference.engine.messages import GenerateRequest, SamplingParams
from tests.engine.executors import SameThread
from tests.engine.fake_llama import run
from tests.live_server import DEMO

# What is computed in chunks of other lengths may differ in the last digits: here nothing may depend on that.
EXACT = {"kv_type_k": "f32", "kv_type_v": "f32", "flash_attention": "off"}
UNIFIED = {"kv_unified": True, "kv_cells": 2048}
PROMPT = [(7 * index) % 1000 for index in range(300)]
TURNS = [[11, 12, 13], [21, 22, 23, 24], [31, 32]]


class Restartable:
    """One loaded model, and engines that start with nothing in its cells."""

    def __init__(self, path: Path, directory: Path, **settings: object) -> None:
        self.llama = Llama(EngineConfig(str(path), **{"n_ctx": 1024, "n_batch": 64, **EXACT, **settings}))
        self.directory = directory
        self.log: list[str] = []

    def start(self, with_disk: bool = True) -> EngineCore:
        for slot in range(self.llama.num_slots):
            self.llama.truncate(slot, 0)
        return EngineCore(self.llama.config, self.llama, disk=self._disk() if with_disk else None)

    def _disk(self) -> DiskTier:
        store = DiskStore(self.directory, self.llama.fingerprint(), 2**40, self.log.append)
        return DiskTier(store, self.llama.config.n_ctx, warn=self.log.append, new_thread=SameThread)


def ask(core: EngineCore, tokens: list[int]) -> tuple[list[int], int]:
    """Return the tokens with the answer, and how many of them were cached."""
    sampling = SamplingParams(temperature=0, max_tokens=20, ignore_eos=True)
    assert core.add_request(GenerateRequest("r", tuple(tokens), sampling)) is None
    [sequence] = core._sequences.values()
    outputs = run(core)
    return list(sequence.tokens), outputs[-1].usage.cached_tokens


def talk(core: EngineCore, tokens: list[int], turns: list[list[int]]) -> list[int]:
    for turn in turns:
        tokens, _ = ask(core, [*tokens, *turn])
    return tokens


@pytest.fixture(params=["attention", "window", "recurrent", "hybrid", "moe", "demo"])
def path(request, tiny_model):
    return DEMO if request.param == "demo" else tiny_model(request.param)


@pytest.mark.parametrize("layout", [{}, UNIFIED], ids=["partitioned", "unified"])
def test_the_third_turn_after_a_restart_is_as_if_there_had_been_none(path, layout, tmp_path):
    model = Restartable(path, tmp_path, **layout)
    undisturbed = talk(model.start(with_disk=False), PROMPT, TURNS)
    core = model.start()
    tokens = talk(core, PROMPT, TURNS[:2])
    core.close(seconds=60)
    answered, num_cached = ask(model.start(), [*tokens, *TURNS[2]])
    assert num_cached == len(tokens) - 1  # the last token of an answer was never computed
    assert answered == undisturbed
    # A conversation that departs from what was answered: cut back, where that can be done to a checkpoint only.
    edited = [*PROMPT, *TURNS[0], 99, 98]
    answered, num_cached = ask(model.start(), edited)
    assert num_cached > 250
    assert answered == ask(model.start(with_disk=False), edited)[0]
    assert model.log == []
    model.llama.close()


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    model = Restartable(tiny_model("attention"), tmp_path_factory.mktemp("unused"))
    yield model
    model.llama.close()


def flip(position: int):
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[position] ^= 16
        path.write_bytes(content)

    return damage


def cut(length: int):
    return lambda path: path.write_bytes(path.read_bytes()[:length])


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def move_to_another_model(path: Path) -> None:
    folder = path.parent.rename(path.parent.with_name("0" * 32))
    path.parent.mkdir()
    (folder / path.name).rename(path.parent / ("0" * 32 + ".kv"))


DAMAGES = {
    "magic": flip(0),
    "version": flip(8),
    "header size": flip(12),
    "header": flip(30),
    "tokens": flip(60),
    "state": flip(-1000),
    "empty": cut(0),
    "cut in the header": cut(100),
    "cut in the tokens": cut(500),
    "cut in the state": cut(-1),
    "foreign": lambda path: path.write_bytes(b"GGUF" * 1000),
    "another name": move_to_another_model,
    "folder": replace_by_folder,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("when", ["before the start", "after the start"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_never_used(model, tmp_path, damage, when):
    model.directory = tmp_path
    model.log.clear()
    core = model.start()
    tokens = talk(core, PROMPT, TURNS[:1])
    core.close(seconds=60)
    [path] = tmp_path.glob("*/*.kv")
    if when == "before the start":
        damage(path)
        core = model.start()
    else:
        core = model.start()
        damage(path)
    answered, num_cached = ask(core, [*tokens, *TURNS[1]])
    assert num_cached == 0
    assert answered == ask(model.start(with_disk=False), [*tokens, *TURNS[1]])[0]
    assert len(model.log) == len(set(model.log)) <= 2
    core.close(seconds=60)
    assert ask(model.start(), [*answered, 5])[1] > 300, "it has been written again"


def test_a_state_of_another_layout_is_refused_by_llama_and_computed(tiny_model, tmp_path):
    """As if the fingerprint had failed to tell them apart."""
    first = Restartable(tiny_model("attention"), tmp_path)
    core = first.start()
    tokens = talk(core, PROMPT, TURNS[:1])
    core.close(seconds=60)
    other = Restartable(tiny_model("attention"), tmp_path, kv_type_v="f16")
    fingerprint = first.llama.fingerprint()
    other.llama.fingerprint = lambda: fingerprint
    answered, num_cached = ask(other.start(), [*tokens, 5])
    assert num_cached == 0
    assert answered == ask(other.start(with_disk=False), [*tokens, 5])[0]
    assert "refused" in other.log[0]
    assert not list(tmp_path.glob("*/*.kv"))
    first.llama.close()
    other.llama.close()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (UNIFIED, {"kv_unified": True, "kv_cells": 1024, "n_seq_max": 2, "n_ctx": 512, "n_threads": 1, "n_batch": 128}),
        ({"n_seq_max": 1}, UNIFIED),
        ({"n_seq_max": 3}, {"n_seq_max": 3, "n_ctx": 512, "host_cache_bytes": 0}),
    ],
    ids=["unified", "a single partition and unified", "partitioned"],
)
@pytest.mark.parametrize("kind", ["attention", "window", "recurrent", "hybrid"])
def test_engines_of_one_fingerprint_read_each_others_states(tiny_model, tmp_path, kind, ours, theirs):
    first = Restartable(tiny_model(kind), tmp_path, **ours)
    core = first.start()
    tokens = talk(core, PROMPT, TURNS[:2])
    core.close(seconds=60)
    other = Restartable(tiny_model(kind), tmp_path, **theirs)
    assert first.llama.fingerprint() == other.llama.fingerprint()
    answered, num_cached = ask(other.start(), [*tokens, *TURNS[2]])
    assert num_cached == len(tokens) - 1
    assert answered == ask(other.start(with_disk=False), [*tokens, *TURNS[2]])[0]
    first.llama.close()
    other.llama.close()
