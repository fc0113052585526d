"""The short form of `python -m tests.faults.kills`."""

from tests.faults.kills import run
from tests.faults.rig import VICTIM, Rig


async def test_random_kills_lose_no_request(tmp_path):
    rig = Rig(tmp_path)
    try:
        streams = await run(rig, count=8, seed=1)
        assert rig.server.process.poll() is None
        assert not [stream for stream in streams if stream.is_lost]
        assert any(stream.is_done and not stream.error for stream in streams)
        assert any("SIGKILL" in stream.error for stream in streams)
        rig.order("load", VICTIM)
        assert (await rig.ask(VICTIM)).is_done
    finally:
        rig.server.stop()
