"""The secret key file."""

import stat

from llmsite.secret_key import read_or_create_secret_key


def test_a_key_is_made_once_and_only_the_owner_can_read_it(tmp_path):
    path = tmp_path / ".secret_key"
    key = read_or_create_secret_key(path)
    assert len(key) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create_secret_key(path) == key
