"""Runtime settings through a running server: from an option to what a model answers."""

import httpx

from tests.adapted_models import write_lora, write_split_demo
from tests.live_server import DEMO

MESSAGES = [{"role": "user", "content": "What is the capital of Italy?"}]


def ask(server, name: str) -> str:
    body = {"model": name, "messages": MESSAGES, "temperature": 0, "max_tokens": 30}
    response = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["message"]["content"]


def test_two_registrations_of_one_file_have_adapters_of_their_own(server, register, tmp_path):
    lora = write_lora(tmp_path / "lora.gguf")
    plain = ask(server, "demo")
    strong, silent = register("strong", DEMO, f"--lora={lora}=2"), register("silent", DEMO, f"--lora={lora}=0")
    assert ask(server, strong) != plain
    assert ask(server, silent) == plain == ask(server, "demo")
    assert {"strong", "silent", "demo"} <= {model["name"] for model in server.health()["models"]}


def test_a_changed_adapter_reloads_the_model(server, register, tmp_path):
    lora = write_lora(tmp_path / "lora.gguf")
    before = ask(server, register("changing", DEMO, f"--lora={lora}=2"))
    assert ask(server, register("changing", DEMO, f"--lora={lora}=0")) == ask(server, "demo") != before


def test_a_model_in_parts_with_a_shared_and_quantized_cache_answers(server, register, tmp_path):
    options = ("--kv-layout=unified", "--kv-cells=2048", "--kv-type-k=q8_0", "--kv-type-v=q8_0", "--use-mmap=false")
    name = register("parts", write_split_demo(tmp_path)[0], *options)
    assert "Rome" in ask(server, name)
