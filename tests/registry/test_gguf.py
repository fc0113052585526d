import os
import shutil
import socket
import sys
from datetime import datetime, timezone

import pytest

from registry.gguf import GGUFError, modified_at, read_metadata
from registry.gguf_refusals import UNSERVABLE_ARCHITECTURES
from tests.adapted_models import write_split_demo
from tests.gguf_files import CHAT_TEMPLATE, write_gguf, write_split_gguf
from tests.live_server import DEMO


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.gguf"


def refusal(path):
    with pytest.raises(GGUFError) as caught:
        read_metadata(path)
    return str(caught.value)


def test_it_reads_what_a_registration_keeps(gguf):
    metadata = read_metadata(gguf)
    assert (metadata.architecture, metadata.display_name) == ("llama", "Tiny")
    assert (metadata.parameter_count, metadata.quantization) == (256, "Q8_0")
    assert (metadata.trained_context, metadata.layer_count) == (512, 2)
    assert (metadata.bos_token, metadata.eos_token) == ("<s>", "</s>")
    assert metadata.chat_template == CHAT_TEMPLATE
    assert metadata.size_bytes == gguf.stat().st_size
    assert metadata.file_mtime == datetime.fromtimestamp(gguf.stat().st_mtime, tz=timezone.utc)


@pytest.mark.parametrize(
    ("file_type", "name"), [(0, "F32"), (1, "F16"), (15, "Q4_K_M"), (1024 + 7, "Q8_0"), (999, "F32"), (None, "F32")]
)
def test_the_quantization_has_a_short_name(path, file_type, name):
    def fill(writer):
        del writer.kv_data[0]["general.file_type"]
        if file_type is not None:
            writer.add_uint32("general.file_type", file_type)

    assert read_metadata(write_gguf(path, fill=fill)).quantization == name


def test_what_the_file_does_not_say_is_none_or_empty(path):
    def fill(writer):
        for key in ("general.name", "llama.context_length", "llama.block_count", "tokenizer.chat_template"):
            del writer.kv_data[0][key]
        writer.kv_data[0]["tokenizer.ggml.bos_token_id"].value = 99
        del writer.kv_data[0]["tokenizer.ggml.eos_token_id"]

    metadata = read_metadata(write_gguf(path, fill=fill))
    assert (metadata.display_name, metadata.chat_template) == ("model", "")
    assert (metadata.bos_token, metadata.eos_token) == ("", "")
    assert (metadata.trained_context, metadata.layer_count) == (None, None)


def test_a_nul_character_does_not_reach_the_database(path):
    assert read_metadata(write_gguf(path, tokens=("<\0s>", "e", "f"))).bos_token == "<s>"


def test_a_missing_file_is_refused(path):
    assert refusal(path) == f"There is no file {path}."


def test_a_directory_is_refused(tmp_path):
    assert "is a directory" in refusal(tmp_path)


def test_an_empty_file_is_refused(path):
    path.touch()
    assert "is empty (0 bytes)" in refusal(path)


def test_what_is_no_regular_file_is_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as unix_socket:
        unix_socket.bind(str(tmp_path / "s.gguf"))
        assert "is not a regular file" in refusal(tmp_path / "s.gguf")


def test_a_path_with_a_nul_character_is_refused(tmp_path):
    assert "is not a path" in refusal(tmp_path / "a\0b.gguf")


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(gguf):
    gguf.chmod(0)
    assert refusal(gguf) == f"{gguf} cannot be read: Permission denied."


def test_a_path_that_the_system_refuses_is_refused(tmp_path):
    assert "cannot be read: File name too long" in refusal(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("start", "looks_like"),
    [
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\xef\xbb\xbf\n <HTML>", "an HTML page"),
        (b"<?xml version", "an XML document"),
        (b'{"error":"Repository not found"}', "a JSON document"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"\x80\x02}q", "a Python pickle"),
        (b"\x20\0\0\0\0\0\0\0" + b'{"__metadata__"', "a safetensors file"),
        (b"tjgg\3\0\0\0", "a model in the old GGJT format"),
        (b"\0" * 64, "zeros"),
        (b"MZ\x90\0\3\0\0\0", "something else (it starts with 4d 5a 90 00 03 00 00 00)"),
    ],
)
def test_another_format_is_refused_by_its_name(path, start, looks_like):
    path.write_bytes(start)
    assert f"is not a GGUF file; it looks like {looks_like}" in refusal(path)


def test_a_truncated_file_is_refused_with_both_sizes(gguf):
    size = gguf.stat().st_size
    os.truncate(gguf, size - 100)
    assert f"is truncated: its tensors need {size:,} bytes but it has {size - 100:,}" in refusal(gguf)


def test_a_file_without_tensors_is_refused(path):
    assert "holds no tensors" in refusal(write_gguf(path, num_tensors=0))


@pytest.mark.parametrize("architecture", UNSERVABLE_ARCHITECTURES)
def test_an_architecture_that_cannot_be_served_is_refused(path, architecture):
    message = refusal(write_gguf(path, architecture))
    assert message.startswith(f"This file (architecture {architecture}) cannot be served: it ")


def test_a_projector_points_to_the_language_model(path):
    assert "register the language model" in refusal(write_gguf(path, "clip"))


@pytest.mark.parametrize(
    ("kind", "reason"), [("adapter", "LoRA adapter"), ("mmproj", "projector"), ("imatrix", "matrix")]
)
def test_files_that_are_no_models_are_refused(path, kind, reason):
    assert reason in refusal(write_gguf(path, fill=lambda writer: writer.add_type(kind)))


@pytest.mark.parametrize("architecture", ["", "a b", "x" * 65])
def test_a_file_must_say_its_architecture(path, architecture):
    assert "does not say which architecture" in refusal(write_gguf(path, architecture))


def test_a_number_that_is_none_is_refused(path):
    def fill(writer):
        del writer.kv_data[0]["llama.context_length"]
        writer.add_string("llama.context_length", "many")

    assert "llama.context_length is 'many', expected an integer" in refusal(write_gguf(path, fill=fill))


def test_true_is_no_number(path):
    def fill(writer):
        del writer.kv_data[0]["llama.context_length"]
        writer.add_bool("llama.context_length", True)

    assert "llama.context_length is True, expected an integer" in refusal(write_gguf(path, fill=fill))


def test_a_chat_template_of_which_jinja_could_choke_is_refused(path):
    def fill(writer):
        writer.kv_data[0]["tokenizer.chat_template"].value = "é" * 70_000

    assert refusal(write_gguf(path, fill=fill)) == (
        "The chat template in the file has 140,000 bytes, more than the 131,072 that are allowed."
    )


def test_a_text_that_is_none_is_refused(path):
    def fill(writer):
        del writer.kv_data[0]["general.name"]
        writer.add_uint32("general.name", 7)

    assert "general.name is not a text" in refusal(write_gguf(path, fill=fill))


def test_a_split_model_is_the_sum_of_its_parts(tmp_path):
    paths = write_split_gguf(tmp_path, count=3)
    metadata = read_metadata(paths[0])
    assert metadata.size_bytes == sum(path.stat().st_size for path in paths)
    assert metadata.parameter_count == 256


def test_missing_parts_are_named(tmp_path):
    paths = write_split_gguf(tmp_path, count=4)
    paths[1].unlink()
    paths[3].unlink()
    assert "missing: tiny-00002-of-00004.gguf, tiny-00004-of-00004.gguf." in refusal(paths[0])


def test_of_many_missing_parts_some_are_named(tmp_path):
    paths = write_split_gguf(tmp_path, count=30)
    for path in paths[1:]:
        path.unlink()
    assert "tiny-00011-of-00030.gguf and 19 more." in refusal(paths[0])


def test_a_part_number_that_is_none_is_refused(path):
    assert "split.no is 'x'" in refusal(write_gguf(path, fill=lambda writer: writer.add_string("split.no", "x")))


def test_a_later_part_is_refused_with_the_name_of_the_first(tmp_path):
    paths = write_split_gguf(tmp_path)
    assert f"register the first part, {paths[0]}." in refusal(paths[2])


def test_a_renamed_part_is_refused(tmp_path):
    renamed = write_split_gguf(tmp_path)[0].rename(tmp_path / "model.gguf")
    assert "does not end in -00001-of-00003.gguf" in refusal(renamed)


def test_a_truncated_part_is_refused_by_its_name(tmp_path):
    paths = write_split_gguf(tmp_path)
    os.truncate(paths[1], paths[1].stat().st_size - 64)
    assert refusal(paths[0]).startswith(f"{paths[1]} is truncated")


def test_the_parts_of_a_real_model_are_read_as_one(tmp_path):
    paths, whole = write_split_demo(tmp_path), read_metadata(DEMO)
    metadata = read_metadata(paths[0])
    assert metadata.size_bytes == sum(path.stat().st_size for path in paths)
    assert (metadata.parameter_count, metadata.quantization) == (whole.parameter_count, whole.quantization)
    assert metadata.chat_template == whole.chat_template


def test_parts_in_another_order_are_refused(tmp_path):
    paths = write_split_demo(tmp_path)
    shutil.copy(paths[2], paths[1])
    assert refusal(paths[0]) == f"{paths[1]} is part 2 of a split model by its name, 3 by its metadata."


def test_a_part_of_another_model_is_refused(tmp_path):
    paths = write_split_demo(tmp_path)
    (tmp_path / "other").mkdir()
    shutil.copy(write_split_gguf(tmp_path / "other")[1], paths[1])
    assert "they are parts of different files" in refusal(paths[0])


def test_it_tells_when_a_file_was_changed(gguf, path):
    assert modified_at(gguf) == read_metadata(gguf).file_mtime
    assert modified_at(path) is None
    assert modified_at(path.with_name("a\0b")) is None
