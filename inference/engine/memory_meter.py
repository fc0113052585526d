"""What loading a model took, where nobody outside the process can see it."""

from dataclasses import replace

from inference.engine.devices import free_gpu_memory
from inference.engine.messages import EngineInfo
from inference.engine.placement import EMBEDDING
from inference.engine.size_log import SizeLog
from inference.engine.tensor_sizes import tensor_sizes


class MemoryMeter:
    """To be made before a model is loaded. `log` must get every line of llama.cpp's log from then on."""

    def __init__(self) -> None:
        self.log = SizeLog()
        self._free = free_gpu_memory()

    def measured(self, info: EngineInfo, model_path: str) -> EngineInfo:
        """Return the report of what was loaded with what it takes of mapped files, and of the GPUs.

        What others have taken of a GPU meanwhile counts, too.
        """
        taken = tuple(max(before - now, 0) for before, now in zip(self._free, free_gpu_memory(), strict=True))
        return replace(info, mapped_bytes=self._mapped_bytes(model_path), device_bytes=taken)

    def _mapped_bytes(self, model_path: str) -> int:
        """Return what of the mapped file is in use.

        llama.cpp maps from the first tensor to the last, and what was repacked lies between them. An embedding that is
        the output, too, is needed in both forms.
        """
        repacked = self.log.repacked_bytes()
        if EMBEDDING in self.log.repacked and self.log.tensors[EMBEDDING] > 1:
            repacked -= tensor_sizes(model_path)[EMBEDDING]
        return max(self.log.mapped_bytes() - repacked, 0)
