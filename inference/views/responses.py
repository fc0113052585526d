"""`/v1/responses`."""

from adrf.views import APIView
from rest_framework.request import Request

from inference.exceptions import InvalidRequest


class ResponsesView(APIView):
    schema = None

    async def post(self, request: Request) -> None:
        """Refuse, in words that a user of a chat front end understands."""
        raise InvalidRequest(
            "This server has no Responses API. Use /v1/chat/completions; in LibreChat, switch off "
            '"Use Responses API" and "Web search".'
        )
