"""Budget: what all models may take."""

import pytest

from inference.memory import Limit
from inference.pool.budget import Budget, GPUs, available_memory


def test_a_given_budget_is_the_limit():
    assert Budget(10, (5,)).limit(99) == Limit(10, (5,))


def test_an_automatic_one_is_a_share_of_what_is_free_and_what_the_models_have():
    assert Budget(available=lambda: 70).limit(30) == Limit(90)


def test_without_knowledge_there_is_no_limit():
    assert Budget(available=lambda: None).limit(30) == Limit(None)


@pytest.fixture
def machine(tmp_path):
    def machine(available_kib: int | None, container: tuple[str, str, str] | None = None) -> int | None:
        meminfo = tmp_path / "meminfo"
        if available_kib is not None:
            meminfo.write_text(f"MemTotal: 99 kB\nMemAvailable:   {available_kib} kB\n")
        for name, text in zip(("memory.max", "memory.current", "memory.stat"), container or (), strict=False):
            (tmp_path / name).write_text(text)
        return available_memory(meminfo, tmp_path)

    return machine


def test_the_machine_says_what_is_available(machine):
    assert machine(2) == 2048


def test_a_container_may_have_less(machine):
    assert machine(2, ("1000", "700", "anon 1\nactive_file 100\ninactive_file 50\n")) == 450


def test_a_container_without_a_limit_has_what_the_machine_has(machine):
    assert machine(2, ("max", "700", "anon 1\n")) == 2048


def test_a_full_container_has_nothing(machine):
    assert machine(2, ("1000", "1200", "anon 1\n")) == 0


def test_other_systems_have_what_is_built_in(machine):
    assert machine(None) > 2**20


def test_this_machine_has_some():
    assert available_memory() > 2**20


def test_gpus_that_are_not_listed_have_a_share_of_what_is_there():
    assert Budget(10, (5,)).limit(0, (100, 200)) == Limit(10, (5, 180))
    assert Budget(10).limit(0, (100,)) == Limit(10, (90,))


class Driver:
    """Tells what is free on each GPU; None if it cannot."""

    def __init__(self, *answers: tuple[int, ...] | None) -> None:
        self.answers = list(answers)

    async def __call__(self) -> tuple[int, ...] | None:
        return self.answers.pop(0)


async def test_what_the_models_have_of_a_gpu_counts_as_free():
    gpus = GPUs(Budget(free_devices=Driver((70, 100))))
    await gpus.look(taken=(30,))
    assert gpus.found == (100, 100)


async def test_a_machine_without_gpus_is_asked_once():
    driver = Driver((), (1,))
    gpus = GPUs(Budget(free_devices=driver))
    await gpus.look(())
    await gpus.look(())
    assert gpus.found == () and len(driver.answers) == 1


async def test_gpus_that_have_limits_are_not_asked_again():
    driver = Driver((1, 2), (3, 4))
    gpus = GPUs(Budget(devices=(5, 5), free_devices=driver))
    await gpus.look(())
    await gpus.look(())
    assert len(driver.answers) == 1


async def test_what_is_known_of_gpus_stays_if_nobody_can_say():
    gpus = GPUs(Budget(free_devices=Driver((70,), None)))
    await gpus.look(())
    await gpus.look(())
    assert gpus.found == (70,)
