"""LastUsed: when each key was used last."""

from access.last_used import LastUsed


def test_a_key_in_use_is_written_once_a_minute():
    written: list[int] = []
    moments = iter([0.0, 59.9, 60.0, 61.0])
    last_used = LastUsed(written.append, lambda: next(moments))
    for _ in range(4):
        last_used.note(1)
    last_used.flush()
    assert written == [1, 1]


def test_each_key_has_its_own_minute():
    written: list[int] = []
    last_used = LastUsed(written.append, lambda: 5.0)
    for key_id in (1, 2, 1, 2):
        last_used.note(key_id)
    last_used.flush()
    assert written == [1, 2]
