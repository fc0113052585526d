"""The base class of the API's views."""

from inspect import isawaitable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework import views


class APIView(views.APIView):
    """REST framework's class for handlers that are coroutines.

    All that comes before the handler is done in the event loop, without a thread: nothing there waits, since keys are
    checked before Django sees the request.
    """

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the method's handler; what it raises becomes a response."""
        self.args, self.kwargs = args, kwargs
        self.request = request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(request, *args, **kwargs)
            response = self._handler(request.method)(request, *args, **kwargs)
            if isawaitable(response):  # REST framework's own `options` is none
                response = await response
        except Exception as error:
            response = self.handle_exception(error)
        finally:
            # It refers to the request and to this view, which refers to the request: a body of megabytes would stay
            # until the garbage collector finds the circle.
            request.parser_context = None
        return self.finalize_response(request, response, *args, **kwargs)

    def _handler(self, method: str) -> Any:
        name = method.lower() if method.lower() in self.http_method_names else "http_method_not_allowed"
        return getattr(self, name, self.http_method_not_allowed)
