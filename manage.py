#!/usr/bin/env python
"""Django's command line for llmsite: `python manage.py help` lists the commands."""

import os
import sys

from llmsite.yaml_file import ConfigError


def main() -> None:
    """Run the command; a bad configuration ends it with the reason, without a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmsite.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ConfigError as error:
        sys.exit(f"Configuration error: {error}")


if __name__ == "__main__":
    main()
