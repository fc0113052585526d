"""What the playground's script says, in the language of the page."""

from django.utils.translation import gettext as _


def page_texts() -> dict[str, str]:
    """Return the texts by their names; {0} stands for a value."""
    return {
        "you": _("You"),
        "model": _("Model"),
        "toolResult": _("Result of {0}"),
        "sendResults": _("Send results"),
        "edit": _("Edit"),
        "thinking": _("Reasoning"),
        "call": _("Calls {0}"),
        "waiting": _("Waiting for the model…"),
        "stopped": _("Stopped."),
        "cutOff": _("Ended by the length limit."),
        "answered": _("The answer is complete."),
        "speed": _("{0} tokens/s"),
        "firstToken": _("first token after {0} ms"),
        "promptTokens": _("{0} prompt tokens"),
        "cachedTokens": _("{0} of them cached"),
        "completionTokens": _("{0} tokens generated"),
        "reasoningTokens": _("{0} of them reasoning"),
        "copied": _("Copied"),
        "copyFailed": _("Your browser does not let this page copy. Select the text and copy it."),
        "toolsNoJson": _("Tools: this is no JSON ({0})."),
        "toolsNoList": _("Tools: a JSON list of tools is expected."),
        "schemaNoJson": _("JSON schema: this is no JSON ({0})."),
        "schemaNoObject": _("JSON schema: a JSON object is expected."),
        "notANumber": _("{0}: a number is expected."),
        "notReached": _("The server could not be reached ({0}). Is it still running?"),
        "badStatus": _("The server answered with the status {0}. Reload the page and try again."),
        "cutStream": _("The connection ended before the answer did."),
        "default": _("default: {0}"),
        "random": _("random"),
        "noLimit": _("no limit"),
    }
