"""The project's settings on a configuration of the tests' own, whatever config/config.yml says."""

import os
from pathlib import Path

os.environ["CONFIG_PATH"] = str(Path(__file__).parent / "config.yml")

from llmsite.settings import *  # noqa: F403

# Hashing as slow as it should be would take most of the tests' time.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
