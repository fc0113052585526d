"""The bodies of `/v1/tokenize` and `/v1/detokenize`."""

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import StrictBooleanField, StrictCharField, TextField, TokensField


class TokenizeRequestSerializer(RequestSerializer):
    """A text to make tokens of."""

    model = StrictCharField(help_text="The name of a registered model.")
    content = TextField(allow_blank=True, help_text="The text.")
    add_special = StrictBooleanField(
        required=False, default=False, help_text="Add the tokens with which the model wants a text to begin or end."
    )
    parse_special = StrictBooleanField(
        required=False, default=True, help_text="Recognise special tokens in the text, such as `<|im_end|>`."
    )
    with_pieces = StrictBooleanField(required=False, default=False, help_text="Give each token with its text.")


class DetokenizeRequestSerializer(RequestSerializer):
    """Tokens to make a text of."""

    model = StrictCharField(help_text="The name of a registered model.")
    tokens = TokensField(help_text="Token ids.")
