"""Asks the converted model the held-out cases, greedily, through llama.cpp.

python -m demo.evaluate demo/demo.gguf [--failures]
"""

import argparse
import itertools
from collections import Counter
from pathlib import Path

import llama_cpp

from demo.cases import Case
from demo.heldout import all_cases
from demo.render import render


class Model:
    """The GGUF file, answering greedily."""

    def __init__(self, path: Path, context: int = 2048) -> None:
        self.llama = llama_cpp.Llama(str(path), n_ctx=context, n_threads=1, verbose=False)

    def answer(self, case: Case, most: int = 200) -> str:
        """Return the text generated for the case, up to the end of the turn."""
        prompt = render(case.messages, case.tools).encode()
        tokens = self.llama.tokenize(prompt, add_bos=False, special=True)
        stop = {self.llama.token_eos()}
        found: list[int] = []
        for token in itertools.islice(self.llama.generate(tokens, temp=0.0, repeat_penalty=1.0), most):
            if token in stop:
                break
            found.append(token)
        return self.llama.detokenize(found, special=True).decode(errors="replace")


def report(passed: Counter[str], asked: Counter[str]) -> str:
    """Return a Markdown table of the categories."""
    rows = [f"| {name} | {passed[name]} | {count} |" for name, count in asked.items()]
    total = f"| **all** | **{passed.total()}** | **{asked.total()}** |"
    return "\n".join(["| category | passed | asked |", "|---|---|---|", *rows, total])


def main() -> None:
    """Print the table and, if wished, each failure."""
    parser = argparse.ArgumentParser(prog="demo.evaluate", description="Evaluate a demo model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--failures", action="store_true", help="print each failed case")
    wanted = parser.parse_args()
    model, passed, asked = Model(wanted.model), Counter[str](), Counter[str]()
    for case in all_cases():
        answer = model.answer(case)
        good = case.check(answer)
        asked[case.category] += 1
        passed[case.category] += good
        if wanted.failures and not good:
            print(f"[{case.category}] {case.messages[-1]['content'][-120:]!r}\n    -> {answer!r}", flush=True)
    print(report(passed, asked))


if __name__ == "__main__":
    main()
