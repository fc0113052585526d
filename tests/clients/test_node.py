"""The JavaScript clients: every script beside this file runs against a real server, under the pinned Node.js."""

import os
import subprocess

import pytest

from tests.clients.conftest import SCRIPTS

NODE = SCRIPTS / "node_modules" / ".bin" / "node"


@pytest.mark.parametrize("script", ["openai.mjs", "langchain.mjs"])
def test_the_scripts_own_tests_pass(pooling_server, script):
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", script],
        cwd=SCRIPTS,
        env={**os.environ, "BASE_URL": pooling_server.base_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
