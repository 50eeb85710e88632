"""The user this process runs as, and the command that lets him at devices."""

import os
import pwd


def join_groups(groups: str) -> str:
    """What to do so that this process's own user is in `groups` (names with commas between)."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without a name, as in containers
        user = "$USER"
    return f"sudo usermod -aG {groups} {user}, then log in again (a service: restart it)"
