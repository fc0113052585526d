"""How much memory the GPUs have left."""

import asyncio
import json
import logging
import sys

from inference.worker_environment import worker_environment

logger = logging.getLogger("inference.pool")

TIME_LIMIT = 60.0  # seconds; the first use of a driver may take a few


async def free_gpu_memory(
    command: tuple[str, ...] = (sys.executable, "-m", "inference.engine.gpu_memory"), time_limit: float = TIME_LIMIT
) -> tuple[int, ...] | None:
    """Return the bytes that each GPU has left, in llama.cpp's order; None, with a line in the log, if none says so."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=worker_environment()
    )
    try:
        answer, log = await asyncio.wait_for(process.communicate(), time_limit)
        return tuple(json.loads(answer))
    except asyncio.TimeoutError:
        logger.warning("the memory of the GPUs could not be read within %g s", time_limit)
    except ValueError:
        reason = log.decode(errors="replace").strip() or f"exit status {process.returncode}"
        logger.warning("the memory of the GPUs could not be read: %s", reason)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None
