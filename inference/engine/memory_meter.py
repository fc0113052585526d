"""What loading a model took, where nobody outside the process can see it."""

from dataclasses import replace

from inference.engine.devices import free_gpu_memory
from inference.engine.messages import EngineInfo
from inference.engine.size_log import SizeLog


class MemoryMeter:
    """To be made before a model is loaded. `log` must get every line of llama.cpp's log from then on."""

    def __init__(self) -> None:
        self.log = SizeLog()
        self._free = free_gpu_memory()

    def measured(self, info: EngineInfo) -> EngineInfo:
        """Return the report of what was loaded with what it takes of mapped files, and of the GPUs.

        What others have taken of a GPU meanwhile counts, too.
        """
        taken = tuple(max(before - now, 0) for before, now in zip(self._free, free_gpu_memory(), strict=True))
        # llama.cpp maps from the first tensor to the last; what was repacked for the CPU lies between them.
        mapped = max(self.log.mapped_bytes() - self.log.repacked_bytes(), 0)
        return replace(info, mapped_bytes=mapped, device_bytes=taken)
