"""Which tests stay together when two processes share them."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadFileScheduling

# Its pages take most of the fuller suite's time; each language has a service of its own.
GALLERY = "test_gallery.py"


class TogetherScheduling(LoadFileScheduling):
    """The tests of a file stay in one process, and so do the browser's, which share a service."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        path = PurePosixPath(file)
        if path.parent.name != "e2e":
            return file
        if path.name == GALLERY:
            return f"{file} {name.rpartition('-')[2]}"
        return str(path.parent)
