import io

from rich.console import Console

from registry.download_progress import BarProgress, LineProgress, progress_for


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_and_a_file_lines():
    assert isinstance(progress_for(Terminal()), BarProgress)
    assert isinstance(progress_for(io.StringIO()), LineProgress)


def test_the_bar_shows_bytes():
    output = io.StringIO()
    bar = BarProgress(Console(file=output, force_terminal=True, width=100))
    bar.start(1024, 4096)
    bar.say("trying [again]")
    bar.advance(3072)
    bar.stop()
    assert "trying [again]" in output.getvalue()
    assert "4.0/4.0 KiB" in output.getvalue()


def test_lines_come_every_few_seconds():
    lines, seconds = [], iter([0.0, 1.0, 6.0, 6.0, 6.0, 7.0, 10.0])
    progress = LineProgress(lines.append, clock=lambda: next(seconds))
    progress.start(1000, 4000)
    progress.advance(500)
    progress.advance(500)
    progress.advance(500)
    progress.stop()
    assert lines == ["50 % of 3.9 KiB: 2.0 KiB, 167 B/s, 12 s left\n", "62 % of 3.9 KiB: 2.4 KiB, 150 B/s, 10 s left\n"]


def test_lines_without_a_total_tell_only_what_came():
    lines, seconds = [], iter([0.0, 1.0, 2.0])
    progress = LineProgress(lines.append, clock=lambda: next(seconds))
    progress.start(0, None)
    progress.advance(2048)
    progress.stop()
    assert lines == ["2.0 KiB, 1.0 KiB/s\n"]


def test_the_last_line_says_nothing_of_the_time_left():
    lines, seconds = [], iter([0.0, 1.0, 2.0])
    progress = LineProgress(lines.append, clock=lambda: next(seconds))
    progress.start(0, 2048)
    progress.advance(2048)
    progress.stop()
    assert lines == ["100 % of 2.0 KiB: 2.0 KiB, 1.0 KiB/s\n"]
