"""The short form of `make soak`."""

from tests.soak import Soak, start_server


async def test_many_clients_of_every_kind(tmp_path):
    server = start_server(tmp_path)
    try:
        soak = Soak(server, seed=1)
        await soak.run(num_clients=20, seconds=10)
    finally:
        status = server.stop()
    assert soak.outcome.problems == []
    assert {kind for kind, _ in soak.outcome.counts} == set(soak.kinds)
    assert server.log.count("unloading") > 0
    assert status == 0
