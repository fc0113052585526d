"""Tests of models in the admin's list and form: what they have shown, and the action that tests them."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from inference.badges import render_badges
from inference.pool import pool
from inference.trials.runner import runner
from registry.model_tests import newest_capabilities
from registry.models import RegisteredModel


class ModelTestsMixin:
    """For the ModelAdmin of registrations: adds `abilities` to show, `tests` for its form, and the action `test`."""

    class Media:
        css = {"all": ["inference/badges.css"]}

    tests_fieldset = (_("Tests"), {"fields": ["tests"]})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Read what the newest test of each model has shown along with the models."""
        return super().get_queryset(request).annotate(newest_capabilities=newest_capabilities())

    @display(description=_("has shown"))
    def abilities(self, model: RegisteredModel) -> str:
        """Return badges, none for a model that was never tested."""
        return render_badges(model.newest_capabilities)

    @display(description=_("has shown"))
    def tests(self, model: RegisteredModel) -> str:
        """Return badges, and links to the page of the tests and to the playground."""
        urls = (
            (reverse("console:model_test", args=[model.pk]), _("Test model")),
            (f"{reverse('console:playground')}?{urlencode({'model': model.name})}", _("Try it in the playground")),
        )
        links = format_html_join(" · ", '<a href="{}">{}</a>', urls if model.enabled else urls[:1])
        return format_html("{}<p>{}</p>", self.abilities(model), links)

    @action(description=_("Test selected models"), permissions=["load"])
    def test(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Begin tests in the background; that of a single model is shown."""
        if not pool.is_running:
            self.message_user(request, _("Models can only be tested in the running server."), messages.ERROR)
            return None
        keys = list(queryset.values_list("pk", flat=True))
        count = runner.start_all(RegisteredModel.objects.filter(pk__in=keys))
        if skipped := len(keys) - count:
            text = ngettext(
                "%d model was skipped: only enabled chat models can be tested.",
                "%d models were skipped: only enabled chat models can be tested.",
                skipped,
            )
            self.message_user(request, text % skipped, messages.WARNING)
        if count == len(keys) == 1:
            return HttpResponseRedirect(reverse("console:model_test", args=keys))
        text = ngettext("%d model is being tested.", "%d models are being tested, one after the other.", count)
        self.message_user(request, text % count, messages.SUCCESS)
        return None
