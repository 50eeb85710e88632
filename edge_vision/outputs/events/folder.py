"""Where the log of events is."""

from pathlib import Path

from edge_vision.config_events import EventsConfig
from edge_vision.profile import profile_file


def events_folder(config: EventsConfig) -> Path:
    """The configured folder, else `events` in the state folder (see profile.py)."""
    if config.folder is not None:
        return Path(config.folder).expanduser().absolute()
    return profile_file().parent / "events"
