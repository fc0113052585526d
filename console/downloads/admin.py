"""The admin's list of downloads."""

import re
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from console.add_model.views import configure_url
from console.downloads.status import ACTIONS, MOST_SHOWN, events, status_of
from inference.streaming import event_stream
from registry.download_jobs import Download, State
from registry.download_runner import runner
from registry.download_work import discard
from registry.formatting import human_bytes
from registry.models import RegisteredModel
from registry.queries import without_connection

BUTTONS = {"pause": _("Pause"), "resume": _("Resume"), "cancel": _("Cancel")}


@admin.register(Download)
class DownloadAdmin(ModelAdmin):
    """Shows how far downloads are, and lets them be paused, resumed and cancelled."""

    change_list_template = "console/downloads/change_list.html"
    list_display = ["file", "progress", "buttons", "started_by", "created_at"]
    list_filter = ["state"]
    search_fields = ["target"]
    list_select_related = ["started_by"]
    list_per_page = MOST_SHOWN
    show_full_result_count = False
    fields = [
        *("shown_source", "target", "state", "files", "shown_size", "error"),
        *("started_by", "created_at", "started_at", "finished_at"),
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Remember who asks: the buttons depend on it."""
        self._may_change = self.has_change_permission(request)
        self._may_register = request.user.has_perm("registry.add_registeredmodel")
        self._registered = None
        return super().get_queryset(request)

    def has_delete_permission(self, request: HttpRequest, obj: Download | None = None) -> bool:
        """Let only those go that nobody works on any more; the others have to be cancelled first."""
        is_at_rest = obj is None or obj.state in (State.DONE, State.FAILED, State.CANCELLED)
        return is_at_rest and super().has_delete_permission(request, obj)

    @admin.display(description=_("file"), ordering="target")
    def file(self, job: Download) -> str:
        """Return where it goes, and below where it comes from."""
        return format_html(
            '<span class="download-file">{}<br><small>{}</small></span>', job.target, short_source(job.shown_source)
        )

    @admin.display(description=_("source"), ordering="source")
    def shown_source(self, job: Download) -> str:
        """Return where it comes from, without what may be secret."""
        return job.shown_source

    @admin.display(description=_("size"))
    def shown_size(self, job: Download) -> str:
        """Return the bytes of all files, for people."""
        return human_bytes(job.total_bytes)

    @admin.display(description=_("files"))
    def files(self, job: Download) -> str:
        """Return name, size and sha256 of each file."""
        rows = ((part["name"], human_bytes(part.get("size")), part.get("sha256") or "") for part in job.parts)
        return format_html_join("", "<div>{} {} <code>{}</code></div>", rows)

    @admin.display(description=_("progress"))
    def progress(self, job: Download) -> str:
        """Return the bar, which the page's script moves."""
        return render_to_string("console/downloads/progress.html", {"job": job, "status": status_of(job)})

    @admin.display(description=_("actions"))
    def buttons(self, job: Download) -> str:
        """Return the buttons for what may be done now; the page's script shows and hides them."""
        buttons = [(name, label, self._url(name, job)) for name, label in BUTTONS.items()] if self._may_change else []
        context = {"job": job, "buttons": buttons, "allowed": ACTIONS[job.state], "register_url": ""}
        if self._may_register and job.target not in self._registered_paths():
            context["register_url"] = configure_url(job.target)
        return render_to_string("console/downloads/buttons.html", context)

    def _registered_paths(self) -> set[str]:
        if self._registered is None:
            targets = Download.objects.values("target")
            self._registered = set(RegisteredModel.objects.filter(path__in=targets).values_list("path", flat=True))
        return self._registered

    def _url(self, name: str, job: Download) -> str:
        return reverse(f"admin:registry_download_{name}", args=[job.pk])

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead to the page that begins downloads."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("add_model:choose"))

    def get_urls(self) -> list:
        """Add the events, and what the buttons do."""
        wrap = self.admin_site.admin_view
        return [
            path("live/", wrap(self.live), name="registry_download_live"),
            *(
                path(f"<int:pk>/{name}/", wrap(self.act), {"action": name}, name=f"registry_download_{name}")
                for name in BUTTONS
            ),
            *super().get_urls(),
        ]

    def live(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send how far the downloads are as server-sent events."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return event_stream(without_connection(events(get_language())))

    def act(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Pause, resume or cancel a download."""
        if not self.has_change_permission(request) or request.method != "POST":
            raise PermissionDenied
        job = get_object_or_404(Download, pk=pk)
        try:
            with transaction.atomic():
                is_done = getattr(self, f"_{action}")(job)
        except IntegrityError:
            self.message_user(request, _("Another download has this file."), messages.ERROR)
            is_done = True
        if not is_done:
            state = job.get_state_display()
            self.message_user(
                request, _("Nothing to do: the download is %(state)s.") % {"state": state}, messages.WARNING
            )
        runner.wake()
        self.log_change(request, job, [{"changed": {"name": str(_("download")), "fields": [action]}}])
        return HttpResponseRedirect(reverse("admin:registry_download_changelist"))

    def _pause(self, job: Download) -> bool:
        return runner.stop(job.pk, State.PAUSED) or self._one(job).settle(State.PAUSED, State.QUEUED, State.RUNNING) > 0

    def _resume(self, job: Download) -> bool:
        return self._one(job).requeue(State.PAUSED, State.FAILED) > 0

    def _cancel(self, job: Download) -> bool:
        if runner.stop(job.pk, State.CANCELLED):
            return True
        states = (State.QUEUED, State.RUNNING, State.PAUSED, State.FAILED)
        if not self._one(job).settle(State.CANCELLED, *states, finished_at=timezone.now()):
            return False
        discard(job)
        return True

    def _one(self, job: Download) -> Any:
        return Download.objects.filter(pk=job.pk)


def short_source(source: str) -> str:
    """Return a source without most of the digits of a revision."""
    return re.sub(r"@([0-9a-f]{7})[0-9a-f]{33}/", r"@\1/", source)
