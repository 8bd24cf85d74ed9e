"""Everything that is made of a file, without a database; and what must not be in it."""

from pathlib import Path

import av
from PIL import Image

from videos.media import ffmpeg, sound, stills
from videos.media.ladder import ladder_command, rungs
from videos.media.measuring import measure
from videos.media.probe import Probe, probe

# How containers and pictures say where something was filmed, with what, and by whom.
TELLTALES = [
    b"loci", b"\xa9xyz", b"com.apple", b"location", b"Exif", b"EXIF", b"xmpmeta", b"XMP ",
    b"ICCP",
]  # fmt: skip


def make_outputs(
    source: Path, folder: Path, *, all_rungs: bool = False
) -> tuple[Probe, list[Path]]:
    """Make the smallest rendition (or all), poster, preview and sprite of a file."""
    found = probe(source)
    wanted = rungs(found.width, found.height)
    smallest = folder / f"{wanted[0].side}.mp4"
    leveling = sound.leveling(source, found)
    ffmpeg.run(ladder_command(source, found, wanted[:1], folder, poster=True, leveling=leveling))
    made = [smallest]
    if all_rungs and wanted[1:]:
        ffmpeg.run(ladder_command(source, found, wanted[1:], folder, sound_of=smallest))
        made += [folder / f"{rung.side}.mp4" for rung in wanted[1:]]
    stills.make_poster(folder / "poster.png", folder / "poster.webp")
    facts = measure(smallest)
    stills.make_moving(stills.Clip(smallest, facts.width, facts.height, facts.duration), folder)
    return found, [*made, *(folder / f"{name}.webp" for name in ("poster", "preview", "sprite"))]


def check_bare(path: Path, *secrets: bytes) -> None:
    """Neither the bytes of a file nor its parsed metadata tell more than its content."""
    content = path.read_bytes()
    for telltale in (*TELLTALES, *secrets):
        assert telltale not in content, (path.name, telltale)
    if path.suffix == ".webp":
        with Image.open(path) as image:
            assert not image.getexif(), path.name
            assert set(image.info) <= {"loop", "background", "timestamp", "duration"}, path.name
        return
    with av.open(str(path)) as container:
        told = dict(container.metadata)
        for stream in container.streams:
            told |= stream.metadata
        assert set(told) <= {
            "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id",
            "language", "encoder",
        }, path.name  # fmt: skip
        assert not container.chapters()
        assert {stream.type for stream in container.streams} <= {"video", "audio"}
