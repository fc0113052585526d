"""last_words: the reason out of a dead worker's log."""

import pytest

from inference.last_words import last_words

ERROR = "E llama_model_load: error loading model: tensor 'output.weight' not found"
ASSERTION = "/tmp/build/ggml/src/ggml-backend.cpp:2527: GGML_ASSERT(buffer != NULL) failed"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([], ""),
        (["I loading", "W slow"], ""),
        (["I loading", ERROR, "E llama_load: failed to load model"], ERROR[2:]),
        (["E first", "E second"], "second"),
        (["E key 'x' has the type 99", "E gguf_init: failed to read key-value pairs"], "key 'x' has the type 99"),
        (["E bad magic", "E llama_model_loader: failed to load model from /x.gguf"], "bad magic"),
        ([ERROR, ASSERTION], "ggml-backend.cpp:2527: GGML_ASSERT(buffer != NULL) failed"),
        ([r"C:\ggml\ggml.c:12: fatal error"], "ggml.c:12: fatal error"),
        (["terminate called after throwing an instance of 'std::out_of_range'", "  what():  map::at"], "map::at"),
        (["Traceback (most recent call last):", "KeyError: 'x'", "Fatal Python error: lock"], "KeyError: 'x'"),
        (["MemoryError"], "MemoryError"),
    ],
)
def test_it_finds_the_reason(log, expected):
    assert last_words(log) == expected


def test_an_old_error_is_not_the_reason_of_a_crash():
    assert last_words([ERROR], is_crash=True) == ""
    assert last_words([ERROR, ASSERTION, "I more"], is_crash=True).endswith("GGML_ASSERT(buffer != NULL) failed")
