"""Fixtures of every suite that starts daemons."""
import pytest

from .daemon import Daemon, Directory
from .subject import NO_ORIGINAL, ORIGINAL


@pytest.fixture
def new_daemon():
    """Makes daemons, each in a directory of its own, and leaves nothing of them behind."""
    made, directories = [], []

    def make(subject=None, directory=None, **configuration):
        if directory is None:
            directories.append(Directory())
            directory = directories[-1].path
        daemon = Daemon(directory, subject)
        made.append(daemon)
        if configuration:
            daemon.configure(**configuration)
        return daemon

    yield make
    for daemon in made:
        daemon.discard()
    for directory in directories:
        directory.remove()


@pytest.fixture
def original():
    if ORIGINAL is None:
        pytest.skip(NO_ORIGINAL)
    return ORIGINAL
