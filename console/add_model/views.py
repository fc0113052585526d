"""Choosing a file, deciding how it runs, and the estimate that both this and the model's own page show."""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from console.add_model.candidate import examine
from console.add_model.estimates import LatestOnly, Superseded, describe
from console.add_model.forms import EstimateForm, PathForm, RegisterForm, RepositoryForm, UrlForm, suggested_name
from console.permissions import ADD_DOWNLOAD, ADD_MODEL, CHANGE_MODEL, VIEW_DOWNLOAD, guarded
from inference.specs import model_spec
from registry import download_tokens
from registry.download_orders import order_model, order_url
from registry.download_runner import runner
from registry.download_sources import DownloadError
from registry.download_work import address_guard
from registry.folder_scan import Use, scan
from registry.hub import HubModel, list_models, use_guarded_client
from registry.model_folders import model_folders
from registry.models import Download, RegisteredModel
from registry.registration import portable_path

estimates = LatestOnly()


@guarded(ADD_MODEL, ADD_DOWNLOAD)
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """Show the ways to a model."""
    return _chooser(request)


@guarded(ADD_DOWNLOAD)
@require_POST
@sensitive_post_parameters("token")
def repository(request: HttpRequest) -> HttpResponse:
    """List the models of a repository, or begin to download the one that was chosen."""
    form = RepositoryForm(request.POST)
    if not form.is_valid():
        return _chooser(request, repository_form=form)
    if form.cleaned_data["token"]:
        download_tokens.remember(request.user, form.cleaned_data["token"])
    try:
        found = _listed(request, form.cleaned_data["repo"])
        if "file" in request.POST:
            return _ordered(request, order_model(_chosen(found, request.POST["file"]), request.user))
    except DownloadError as error:
        form.add_error("repo", str(error))
        found = []
    return _chooser(request, repository_form=form, hub_models=found)


@guarded(ADD_DOWNLOAD)
@require_POST
def url(request: HttpRequest) -> HttpResponse:
    """Begin to download the file under a URL."""
    form = UrlForm(request.POST)
    if form.is_valid():
        try:
            return _ordered(request, order_url(form.cleaned_data["url"], form.cleaned_data["sha256"], request.user))
        except DownloadError as error:
            form.add_error("url", str(error))
    return _chooser(request, url_form=form)


@guarded(ADD_MODEL)
def configure(request: HttpRequest) -> HttpResponse:
    """Show what a file is and ask how it is to run; register it when that is sent."""
    path = (request.POST if request.method == "POST" else request.GET).get("path", "").strip()
    try:
        candidate = examine(path)
    except ValidationError as error:
        form = PathForm({"path": path})
        form.add_error("path" if path else None, error.messages)
        return _chooser(request, path_form=form)
    if request.method == "POST":
        form = RegisterForm(request.POST)
        if form.is_valid():
            return _registered(request, form)
    else:
        form = RegisterForm(initial={"name": suggested_name(path), "path": path})
    return _page(request, "configure", _("Add a model"), form=form, candidate=candidate)


@guarded(ADD_MODEL, CHANGE_MODEL)
@require_POST
def estimate(request: HttpRequest) -> HttpResponse:
    """Say what the model takes with the settings that were sent; 409 if the same user has asked again meanwhile."""
    form = EstimateForm(request.POST, instance=_model_of(request))
    if not form.is_valid():
        problems = [f"{form.fields[name].label}: {text}" for name, texts in form.errors.items() for text in texts]
        return JsonResponse({"level": "error", "text": " ".join(problems)})
    config = model_spec(form.instance).config
    try:
        return JsonResponse(async_to_sync(estimates.answer)(request.user.pk, lambda: describe(config)))
    except Superseded:
        return JsonResponse({}, status=409)


def _model_of(request: HttpRequest) -> RegisteredModel:
    """Return the model whose page asks, or one that is not saved; the number 0 has no adapters and no observation."""
    key = request.POST.get("model", "")
    if not key:
        return RegisteredModel(pk=0)
    if not request.user.has_perm(CHANGE_MODEL):
        raise PermissionDenied
    return get_object_or_404(RegisteredModel, pk=key if key.isdigit() else 0)


def _listed(request: HttpRequest, repo: str) -> list[HubModel]:
    use_guarded_client(address_guard())
    return list_models(repo, download_tokens.token_of(request.user.pk))


def _chosen(found: list[HubModel], name: str) -> HubModel:
    for model in found:
        if model.name == name:
            return model
    raise DownloadError(f"{name!r} is not allowed, expected one of the files of the list.")


def _ordered(request: HttpRequest, job: Download) -> HttpResponse:
    runner.wake()
    messages.success(request, _("The download of %(file)s has been queued.") % {"file": job.target})
    can_see = request.user.has_perm(VIEW_DOWNLOAD)
    return HttpResponseRedirect(reverse("admin:registry_download_changelist" if can_see else "add_model:choose"))


def _registered(request: HttpRequest, form: RegisterForm) -> HttpResponse:
    with transaction.atomic():
        model = form.save()
        model_admin = admin.site.get_model_admin(RegisteredModel)
        model_admin.log_addition(request, model, [{"added": {}}])
    messages.success(request, _("The model “%(name)s” has been registered.") % {"name": model.name})
    can_see = model_admin.has_view_or_change_permission(request)
    page = reverse("admin:registry_registeredmodel_change", args=[model.pk]) if can_see else reverse("add_model:choose")
    return HttpResponseRedirect(page)


def _chooser(request: HttpRequest, hub_models: list[HubModel] | None = None, **forms: Form) -> HttpResponse:
    """Show the page on which a model is chosen, with the forms that were filled in wrongly."""
    can_add, can_download = request.user.has_perm(ADD_MODEL), request.user.has_perm(ADD_DOWNLOAD)
    found = scan(model.resolved_path for model in RegisteredModel.objects.only("path")) if can_add else None
    context = {
        "scan": found,
        "found": [file for file in found.files if file.use == Use.MODEL] if found else [],
        "others": [file for file in found.files if file.use != Use.MODEL] if found else [],
        "folders": [portable_path(folder) for folder in model_folders()],
        "can_add": can_add,
        "can_download": can_download,
        "has_token": download_tokens.token_of(request.user.pk) is not None,
        "hub_models": hub_models,
        "repository_form": RepositoryForm(),
        "url_form": UrlForm(),
        "path_form": PathForm(),
        **forms,
    }
    return _page(request, "choose", _("Add a model"), **context)


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    frame = {**admin.site.each_context(request), "title": title, "opts": None}
    return render(request, f"console/add_model/{template}.html", {**frame, **context})


def configure_url(path: str) -> str:
    """Return the address of the page on which a file is registered."""
    return f"{reverse('add_model:configure')}?{urlencode({'path': path})}"
