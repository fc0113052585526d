"""What the frame around all pages asks for."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse

from console.badges import counts
from inference.pool_events import on_every_change
from inference.streaming import event_stream


def badges(request: HttpRequest) -> StreamingHttpResponse:
    """Send the numbers in the sidebar, now and whenever the pool changes, as server-sent events."""
    return event_stream(on_every_change(sync_to_async(counts)))
