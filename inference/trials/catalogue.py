"""Which trials a run consists of, in their order: the cheap ones first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inference.trials.asker import Asker
from inference.trials.greeting import greet
from inference.trials.json_answer import answer_in_json
from inference.trials.long_context import remember_long
from inference.trials.outcome import Outcome
from inference.trials.parallel import answer_many
from inference.trials.russian import speak_russian
from inference.trials.speed import measure_speed
from inference.trials.stopping import stop_counting
from inference.trials.tool_call import call_tool


@dataclass(frozen=True)
class Trial:
    """name: as it is stored. run: raises APIError if the model cannot be asked."""

    name: str
    label: str | Promise
    run: Callable[[Asker], Awaitable[Outcome]]


TRIALS = (
    Trial("greeting", _("Greeting"), greet),
    Trial("stop", _("Stop string"), stop_counting),
    Trial("json", _("JSON schema"), answer_in_json),
    Trial("tools", _("Tool call"), call_tool),
    Trial("russian", _("Russian"), speak_russian),
    Trial("speed", _("Speed"), measure_speed),
    Trial("parallel", _("8 in parallel"), answer_many),
    Trial("long_context", _("Long context"), remember_long),
)
LABELS = {trial.name: trial.label for trial in TRIALS}
