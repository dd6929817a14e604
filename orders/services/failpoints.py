"""Places where a test may kill the process, to prove that nothing is done twice or by halves.

Inert unless the setting ``FAILPOINT`` names the place; production settings never set it.
"""

import os
import signal

from django.conf import settings


def pass_failpoint(name: str) -> None:
    """End this process with SIGKILL when ``name`` is the place the settings ask for.

    A name has the form ``phase.place``; the setting may name the place alone for every phase.
    """
    wanted = settings.FAILPOINT
    if wanted and wanted in (name, name.partition(".")[2]):
        os.kill(os.getpid(), signal.SIGKILL)
