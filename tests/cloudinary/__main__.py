"""Run the emulator in the foreground, for trying the product by hand."""

import argparse
import time
from pathlib import Path

from tests.cloudinary import Emulator


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloudinary", description=__doc__)
    parser.add_argument("--port", type=int, default=9500)
    parser.add_argument("--folder", type=Path, help="where assets go (default: a temporary folder)")
    parser.add_argument("--fake", action="store_true", help="copy instead of transcoding")
    options = parser.parse_args()
    with Emulator(port=options.port, folder=options.folder, fake=options.fake) as emulator:
        print(f"CLOUDINARY_URL={emulator.url}", flush=True)  # noqa: T201 - the command's output
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
