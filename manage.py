#!/usr/bin/env python
"""Django's command line for Chat Workbench: `help` lists the commands, `serve` starts the server."""

import os
import sys

from django.core.management import execute_from_command_line

from workbench.environment import EnvironmentInvalid


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workbench.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        sys.exit(f"Chat Workbench can't start with this environment:\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell expects of a command ended by Ctrl-C


if __name__ == "__main__":
    main()
