import pytest

from registry.job_progress import JobProgress, Stopped


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_speed_is_that_of_the_last_seconds():
    clock = Clock()
    progress = JobProgress(None, clock=clock)
    progress.start(500, 2000)
    assert (progress.speed, progress.total) == (None, 2000)
    for now in (1, 2, 3, 4, 5):
        clock.now = now
        progress.advance(100)
    assert (progress.done, progress.speed) == (1000, 100)
    progress.stop()
    assert progress.speed is None


def test_files_are_counted_together():
    progress = JobProgress(3000, num_files=2)
    progress.begin_file(0, 0)
    progress.start(0, 1000)
    progress.advance(1000)
    progress.begin_file(1000, 50)
    assert (progress.done, progress.total) == (1050, 3000)
    progress.start(50, 2000)
    progress.advance(10)
    assert (progress.done, progress.total) == (1060, 3000)


@pytest.mark.parametrize(
    "call", [lambda p: p.advance(1), lambda p: p.check(), lambda p: p.wait(60), lambda p: p.start(0, 1)]
)
def test_every_sign_of_life_ends_one_that_was_stopped(call):
    progress = JobProgress(1)
    progress.end()
    with pytest.raises(Stopped):
        call(progress)
