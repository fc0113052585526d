"""Texts of django-unfold, django-simple-history and django-axes that come without a Russian translation.

Named here, as the libraries write them, so that `make messages` keeps them in our catalogue.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

LISTS = (
    _("Type to search"),
    _("Select all %(total_count)s %(module_name)s"),
    _("Expand row"),
    _("No results found"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Reset filters"),
    _("Apply Filters"),
    _("Select all rows"),
    _("Select record"),
    _("Select action"),
    _("Select action to run"),
    _("Run"),
    _("Sorting priority: %(priority_number)s"),
    _("%(full_result_count)s total"),
    _("Not enough data."),
    _("No data"),
    _("Previous"),
    _("Next"),
    _("True"),
    _("False"),
    ngettext_lazy("%(counter)s result", "%(counter)s results", "counter"),
)
FORMS = (
    _("Select value"),
    _("Choose file to upload"),
    _("Click to download"),
    _("Image preview"),
    _("Toggle password visibility"),
    _("This item will be deleted."),
    _("Click to cancel"),
    _("General"),
    _("Submit"),
    _("Value"),
    _("Date"),
    _("To"),
    _("Date from"),
    _("Date to"),
)
FRAME = (
    _("Light"),
    _("Dark"),
    _("System"),
    _("Search apps and models..."),
    _("All applications"),
    _("Recent searches"),
    _("No recent searches"),
    _("No results matching your query"),
    _("Loading more results..."),
    _("More actions"),
    _("Go back"),
    _("Return to site"),
    _("Welcome back to"),
    _("Record picture"),
    _("Models in the %(name)s application"),
)
ACCOUNTS = (
    _("access attempt expiration"),
    _(
        "You are authenticated as %(username)s, but are not authorized to access this page. "
        "Would you like to login to a different account?"
    ),
    _("Forgotten your password or username?"),
    _("You have been successfully logged out from the administration"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _("Enter a new password for the user <strong>%(username)s</strong>."),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the "
        'password using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
)
DELETION = (
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would result in deleting related objects, but your account "
        "doesn't have permission to delete the following types of objects:"
    ),
    _(
        "Deleting the %(object_name)s '%(escaped_object)s' would require deleting the following protected related "
        "objects:"
    ),
    _(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the following related items '
        "will be deleted:"
    ),
    _(
        "Deleting the selected %(objects_name)s would result in deleting related objects, but your account doesn't "
        "have permission to delete the following types of objects:"
    ),
    _("Deleting the selected %(objects_name)s would require deleting the following protected related objects:"),
    _(
        "Are you sure you want to delete the selected %(objects_name)s? All of the following objects and their related "
        "items will be deleted:"
    ),
)
HISTORY = (
    _("Change history: %s"),
    _("View history: %s"),
    _("View %s"),
    _("Revert %s"),
    _("Revert"),
    _("Change History"),
    _("Object"),
    _("Comment"),
    _("Changed by"),
    _("Change reason"),
    _("Changes"),
    _("Changed"),
    _("Created"),
    _("Deleted"),
    _("Deleted %(type_name)s"),
    _("None"),
    _("Choose a date from the list below to revert to a previous version of this object"),
    _("This object doesn't have a change history."),
    _("Press the 'Revert' button below to revert to this version of the object."),
    _('The %(name)s "%(obj)s" was changed successfully.'),
    _("You may edit it again below"),
    ngettext_lazy("entry", "entries", "counter"),
)
