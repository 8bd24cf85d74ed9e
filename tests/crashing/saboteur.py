"""Kill this process, as the kernel would for want of memory, at a point that a test names.

LOOPY_KILL_AT is `module:function:before` or `…:after`, where `module` is the one in which the
function is looked up. It happens once: LOOPY_KILLED is a file that says that it did.
"""

import functools
import importlib
import os
import signal
from pathlib import Path
from typing import Any


def arm() -> None:
    """Put the trap where the environment says."""
    point = os.environ.get("LOOPY_KILL_AT")
    if not point:
        return
    module_name, name, when = point.split(":")
    owner: Any = importlib.import_module(module_name)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real = getattr(owner, last)

    @functools.wraps(real)
    def trapped(*args: Any, **options: Any) -> Any:
        if when == "before":
            _kill()
        answer = real(*args, **options)
        _kill()
        return answer

    setattr(owner, last, trapped)


def _kill() -> None:
    mark = Path(os.environ["LOOPY_KILLED"])
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
