"""Run the emulator in the foreground, for trying the product by hand."""

import argparse
import signal
from pathlib import Path

from tests.cloudinary import Emulator

ENDS = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloudinary", description=__doc__)
    parser.add_argument("--port", type=int, default=9500)
    parser.add_argument("--folder", type=Path, help="where assets go (default: a temporary folder)")
    parser.add_argument("--fake", action="store_true", help="copy instead of transcoding")
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    with Emulator(port=options.port, folder=options.folder, fake=options.fake) as emulator:
        print(f"CLOUDINARY_URL={emulator.url}", flush=True)  # noqa: T201 - the command's output
        signal.sigwait(ENDS)  # leaving the block stops it and removes its temporary folder


if __name__ == "__main__":
    main()
