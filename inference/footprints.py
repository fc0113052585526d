"""What a model will take of the memory."""

import asyncio
import sys

from inference.client import LOG_TAIL, EngineLoadError
from inference.engine import framing
from inference.engine.config import EngineConfig
from inference.engine.footprint import Footprint
from inference.engine.messages import LoadFailed
from inference.last_words import ending, last_words
from inference.worker_environment import worker_environment

TIME_LIMIT = 60.0  # seconds; a vocabulary of 150,000 tokens takes less than one, reading a slow disk the rest


async def estimate(config: EngineConfig, time_limit: float = TIME_LIMIT) -> Footprint:
    """Return what a configuration would take, from a process of its own that loads neither weights nor cells.

    Raises EngineLoadError with the reason for which loading would fail, too, or if it takes longer than `time_limit`.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "inference.engine.estimate"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=worker_environment(),
    )
    try:
        return await asyncio.wait_for(_ask(process, config), time_limit)
    except asyncio.TimeoutError:
        raise EngineLoadError(
            f"the memory that {config.model_path} takes could not be estimated within {time_limit:g} s"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ask(process: asyncio.subprocess.Process, config: EngineConfig) -> Footprint:
    process.stdin.write(framing.pack(config))  # it stays open: its end would tell that nobody waits any more
    frame, log, code = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
    lines = log.decode(errors="replace").splitlines()
    if len(frame) < framing.HEADER.size:
        message = _with_reason(f"the process that estimates the memory {ending(code)}", lines)
        raise EngineLoadError(message, tuple(lines[-LOG_TAIL:]))
    answer = framing.unpack(frame[framing.HEADER.size :])
    if isinstance(answer, LoadFailed):
        raise EngineLoadError(_with_reason(answer.message or "it gave no reason", lines), tuple(lines[-LOG_TAIL:]))
    return answer


def _with_reason(message: str, log_lines: list[str]) -> str:
    reason = last_words(log_lines)
    return f"{message}: {reason}" if reason else message
