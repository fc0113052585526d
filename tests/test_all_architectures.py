"""The check of a folder of models, on a folder with one of each outcome that a sound server has."""

import subprocess
import sys

from tests import pooling_models
from tests.gguf_files import write_gguf
from tests.live_server import ROOT


def test_a_folder_is_served_and_reported(tmp_path, tiny_model):
    (tmp_path / "hybrid.gguf").symlink_to(tiny_model("hybrid"))
    (tmp_path / "diffusion.gguf").symlink_to(tiny_model("diffusion"))
    pooling_models.write_bert(tmp_path / "bert.gguf")
    write_gguf(tmp_path / "t5.gguf", "t5")
    report = tmp_path / "report.md"
    command = [sys.executable, "-m", "tests.all_architectures", str(tmp_path), "--report", str(report)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "3 exact, 0 tie, 1 refused, 0 wrong, 0 crashed of 4" in finished.stdout
    lines = report.read_text().splitlines()
    assert "| hybrid | 1 | 0 | 0 | 0 | 0 |" in lines
    assert "| none | 1 | 0 | 0 | 0 | 0 |" in lines
    assert any(line.startswith("| t5 |") and "encoder-decoder" in line for line in lines)
