"""Start a child process that ends with its parent and, under root, runs as another user.

PostgreSQL refuses to run as root. Dropping the uid alone is not enough: the binaries or the data
folder may lie below a folder that only root may search (a home folder with mode 0700), and opening
that folder to everybody is not ours to do. So on Linux the child keeps one capability, to search
and read, as an ambient capability that survives exec. See capabilities(7) and prctl(2).
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def is_root() -> bool:
    """Whether this process runs as root, which PostgreSQL does not accept."""
    return os.geteuid() == 0


def service_uid(folder: Path) -> int:
    """The uid that services run as: ours, or under root the owner of `folder` or nobody.

    PostgreSQL insists on a uid that has a name.
    """
    if not is_root():
        return os.geteuid()
    owner = folder.stat().st_uid
    return owner if owner and _has_name(owner) else NOBODY


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return False


def give(folder: Path, uid: int) -> None:
    """Make `folder` (0700) and all below it belong to `uid`; does nothing when it already does."""
    folder.chmod(0o700)
    if not is_root():
        return
    for path in (folder, *folder.rglob("*")):
        if path.lstat().st_uid != uid:
            os.chown(path, uid, uid, follow_symlinks=False)


def spare_capability(executable: Path) -> int | None:
    """The weakest capability, of those we have, that lets the child reach `executable` and data.

    None where there is nothing to pass on: not root, not Linux, or a container that dropped both.
    Execution of a file that is closed to others needs the stronger of the two.
    """
    if not is_root() or sys.platform != "linux":
        return None
    wanted = [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE]
    if not executable.stat().st_mode & 0o001:
        wanted.remove(CAP_DAC_READ_SEARCH)
    permitted = _permitted_capabilities()
    return next((capability for capability in wanted if permitted >> capability & 1), None)


def _permitted_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def child_setup(uid: int, executable: Path, death_signal: int) -> Callable[[], None]:
    """What the child does between fork and exec (`preexec_fn`).

    Args:
        uid: whom to become; our own uid means no change.
        executable: what will be executed, to choose the capability that it needs.
        death_signal: sent to the child by Linux when the thread that started it ends, so that
            services never outlive us, not even after kill -9. Elsewhere there is no such thing.
    """
    capability = spare_capability(executable) if uid != os.geteuid() else None
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def setup() -> None:
        if uid != os.geteuid():
            _become(uid, capability, libc)
        if libc is not None:
            # After the change of uid, which clears it.
            libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return setup


def _become(uid: int, capability: int | None, libc: ctypes.CDLL | None) -> None:
    if capability is None or libc is None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        return
    # access(2), by which initdb looks for its companions, ignores capabilities without this.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    bit = 1 << capability
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)(_CapabilityData(bit, bit, bit), _CapabilityData(0, 0, 0))
    if libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0:
        # Kernels before 4.3, or a policy against it: go on without, it is rarely needed.
        return
