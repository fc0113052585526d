"""Numbers as people read them, in templates."""

from django import template

from registry.formatting import human_bytes

register = template.Library()
register.filter(human_bytes)
