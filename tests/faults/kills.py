"""Random SIGKILLs of workers under load: `python -m tests.faults.kills [--count 100]`."""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.faults.rig import BYSTANDER, VICTIM, Rig, Stream

CLIENTS = 8


async def run(rig: Rig, count: int, seed: int) -> list[Stream]:
    """Kill `count` workers while clients ask both models; return what all requests came to."""
    source = random.Random(seed)
    is_over = asyncio.Event()
    streams: list[Stream] = []

    async def client(number: int) -> None:
        while not is_over.is_set():
            model = (VICTIM, BYSTANDER)[number % 2]
            # A title, an answer, and everything in between.
            stream = await asyncio.wait_for(rig.ask(model, number // 2, max_tokens=source.choice((2, 30, 120))), 60)
            streams.append(stream)
            if stream.error:
                await asyncio.sleep(0.05)

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    killed = 0
    while killed < count:
        await asyncio.sleep(source.uniform(0.1, 0.6))
        workers = list((await asyncio.to_thread(rig.workers)).values())
        with suppress(ProcessLookupError):
            if workers:
                os.kill(source.choice(workers), signal.SIGKILL)
                killed += 1
    is_over.set()
    await asyncio.gather(*clients)
    return streams


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        try:
            streams = asyncio.run(run(rig, options.count, options.seed))
            is_alive = rig.server.process.poll() is None
        finally:
            rig.server.stop()
    kinds = Counter("lost" if each.is_lost else "error" if each.error else "answered" for each in streams)
    print(f"{options.count} kills (seed {options.seed}), {len(streams)} requests: {dict(kinds)}")
    print("the server is alive" if is_alive else "the server is dead")
    return 0 if is_alive and not kinds["lost"] else 1


if __name__ == "__main__":
    sys.exit(main())
