from inference.engine.machine import available_memory


def test_the_limit_of_a_container_counts(tmp_path):
    limited, unlimited = tmp_path / "limited", tmp_path / "unlimited"
    limited.write_text("1000000\n")
    unlimited.write_text("max\n")
    assert available_memory((limited, unlimited)) == 1_000_000
    assert available_memory((unlimited, tmp_path / "missing")) == available_memory(()) > 2**20
