"""llama-cpp-python's low-level bindings as `lib`, without the package around them.

Importing the package itself also loads its high-level API, its cache and, through those, whatever web framework is
installed: 26 MB and 0.15 s for every worker, none of it used.
"""

import importlib.util
import os
import sys
import types

from inference.engine.spinning import choose_spinning

choose_spinning(os.environ)

if "llama_cpp" not in sys.modules:
    _spec = importlib.util.find_spec("llama_cpp")
    if _spec is None:
        raise ImportError("llama-cpp-python is not installed; `make install` does it")
    _package = types.ModuleType("llama_cpp")
    _package.__path__ = list(_spec.submodule_search_locations)
    sys.modules["llama_cpp"] = _package

import llama_cpp.llama_cpp as lib  # noqa: E402

__all__ = ["lib"]
