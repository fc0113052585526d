"""Tokens per second out of counters."""

from console.speed import SpeedMeter


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_speed_is_what_was_added_in_the_time_between_two_readings():
    clock = Clock()
    meter = SpeedMeter(clock)
    assert meter.read({1: 500, 2: 7}) == {1: 0.0, 2: 0.0}
    clock.now += 2
    assert meter.read({1: 530, 2: 7}) == {1: 15.0, 2: 0.0}


def test_an_engine_that_has_just_come_has_no_speed_yet():
    clock = Clock()
    meter = SpeedMeter(clock)
    meter.read({1: 500})
    clock.now += 1
    assert meter.read({2: 40}) == {2: 0.0}


def test_a_counter_that_begins_anew_has_no_speed():
    clock = Clock()
    meter = SpeedMeter(clock)
    meter.read({1: 500})
    clock.now += 1
    assert meter.read({1: 3}) == {1: 0.0}


def test_two_readings_at_the_same_time_are_no_speed():
    meter = SpeedMeter(Clock())
    meter.read({1: 1})
    assert meter.read({1: 2}) == {1: 0.0}
