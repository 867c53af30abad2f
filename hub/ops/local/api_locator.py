"""Finds an api process of the running hub."""

from hub.ops.local.data_dir_lock import find_run
from hub.ops.local.services import base_url
from hub.settings import Settings


def located_api(settings: Settings) -> str:
    """Return the address of the first api process of the run on DATA_DIR; without a run, that of HOST and PORT."""
    run = find_run(settings.data_dir)
    return run.urls[0] if run and run.urls else base_url(settings.host, settings.port)
