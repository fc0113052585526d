"""Actions that somebody may not run are refused aloud."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse


class StrictActionsMixin:
    """For a ModelAdmin: a 403 for an action that the user may not run. Django would show the list again."""

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list, or run an action on what is selected."""
        action = request.POST.get("action")
        if action in (*self.actions, "delete_selected") and action not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)
