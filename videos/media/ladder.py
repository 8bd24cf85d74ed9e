"""Which renditions a clip gets, and the one ffmpeg call that makes several. Pure.

Decoding happens once; each rung is scaled from the next larger one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from videos.media.probe import Probe

T = TypeVar("T")
SHORT_SIDES = (360, 540, 720, 1080)
LONGEST_SIDE = 3840
SMALLEST_SIDE = 16
MAX_FPS = 30
# Frames later than that after the declared end are left out. Gaps are filled with frames, so one
# damaged time would otherwise cost gigabytes and a quarter of an hour.
OVERTIME_SECONDS = 5
KEYFRAME_SECONDS = 2
AUDIO_RATE = 48_000
POSTER_SIDE = 540
# Bits a second that a rung may reach, by short side; quality decides below that.
MAX_RATES = ((360, 800_000), (540, 1_800_000), (720, 3_000_000), (1080, 5_500_000))
# The larger rungs cost most of the time: with the look-ahead of `veryfast` and the search of
# `superfast` a quarter less of it, for files a twentieth larger.
PRESETS = (
    (540, "-preset veryfast"),
    (1080, "-preset superfast -mbtree 1 -rc-lookahead 10"),
)
# Frames keep the tags of the source unless told; the encoder's options do not overrule them.
TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=limited"
# Nothing of the source's metadata survives, the place where it was filmed least of all.
BARE = ["-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
CONTAINER = [*BARE, "-movflags", "+faststart", "-f", "mp4"]
# Nominal peak of 203 nits is the reference white of ITU-R BT.2408.
TONE_MAP = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"
)


@dataclass(frozen=True)
class Rung:
    """A rendition to make: `side` is its short side, which names it."""

    side: int
    width: int
    height: int

    @property
    def max_rate(self) -> int:
        """Bits a second that it may reach."""
        return self._of(MAX_RATES)

    @property
    def preset(self) -> str:
        """How hard x264 tries: ffmpeg's options."""
        return self._of(PRESETS)

    def _of(self, table: Sequence[tuple[int, T]]) -> T:
        """Look up what holds up to a short side; the last row holds for all above."""
        return next((value for side, value in table if self.side <= side), table[-1][1])


def rungs(width: int, height: int) -> list[Rung]:
    """Return the rungs for a displayed size, small to large, never larger than the source.

    A source below the lowest rung gets one at its own size. Sizes are even.
    """
    short = min(width, height)
    sides = [side for side in SHORT_SIDES if side <= short] or [_even(short)]
    return [_rung(side, width, height) for side in sides]


def frame_rate(source: Fraction) -> Fraction:
    """Return the steady rate of the renditions: at most 30, and half of 50 and 60 exactly."""
    if source <= 0:
        return Fraction(MAX_FPS)
    if source <= MAX_FPS:
        return source
    half = source / 2
    return half if 23 <= half <= MAX_FPS else Fraction(MAX_FPS)


def still_size(width: int, height: int) -> Rung:
    """Return the size of the poster for a displayed size."""
    return _rung(min(POSTER_SIDE, _even(min(width, height))), width, height)


def ladder_command(
    source: Path,
    probe: Probe,
    wanted: list[Rung],
    folder: Path,
    *,
    poster: bool = False,
    leveling: str = "",
    sound_of: Path | None = None,
) -> list[str]:
    """Return ffmpeg's arguments (without the program) that make `<folder>/<side>.mp4` of each rung.

    Args:
        source: the original, only read.
        wanted: the rungs to make, at least one.
        poster: also make `<folder>/poster.png`, the most typical of the first frames.
        leveling: filters for the sound, see `sound.leveling`.
        sound_of: a rendition of this clip whose sound is taken as it is, in place of encoding
            the source's again.
    """
    arguments = ["-i", str(source), *(["-i", str(sound_of)] if sound_of else [])]
    arguments += ["-filter_complex", _graph(probe, wanted, poster)]
    if sound_of:
        sound = ["-map", "1:a?", "-c:a", "copy"]
    elif probe.audio_stream is None:
        sound = ["-an"]
    else:
        sound = ["-map", f"0:{probe.audio_stream}", "-c:a", "aac", "-b:a", "128k", "-ac", "2"]
        sound += ["-ar", str(AUDIO_RATE), *(["-af", leveling] if leveling else [])]
    for rung in wanted:
        arguments += [*_picture(rung), *sound, *CONTAINER, str(folder / f"{rung.side}.mp4")]
    if poster:
        arguments += ["-map", "[poster]", "-frames:v", "1", "-update", "1", "-c:v", "png"]
        arguments += ["-f", "image2", str(folder / "poster.png")]
    return arguments


def still_command(source: Path, at: str, width: int, height: int, folder: Path) -> list[str]:
    """Return ffmpeg's arguments that make `<folder>/poster.png` of the frame at a second."""
    size = _rung(min(POSTER_SIDE, width, height), width, height)
    arguments = ["-ss", at, "-i", str(source), "-vf", f"{_scale(size)},format=rgb24"]
    arguments += ["-frames:v", "1", "-update", "1", "-c:v", "png", "-f", "image2"]
    return [*arguments, str(folder / "poster.png")]


def _graph(probe: Probe, wanted: list[Rung], poster: bool) -> str:
    """Scale to the largest size needed, map tones there, then go down rung by rung."""
    largest = max(wanted, key=lambda rung: rung.side)
    still = still_size(probe.width, probe.height)
    top = _rung(max(largest.side, still.side), probe.width, probe.height) if poster else largest
    chains = [f"[0:{probe.stream}]{_head(probe, top)}[top]"]
    source = "top"
    if poster:
        chains.append("[top]split=2[still][moving]")
        chains.append(f"[still]fps=5,{_scale(still)},thumbnail=n=25,format=rgb24[poster]")
        source = "moving"
    descending = sorted(wanted, key=lambda rung: rung.side, reverse=True)
    for rung in descending[:-1]:
        chains.append(f"[{source}]{_scale(rung)},split=2[v{rung.side}][below{rung.side}]")
        source = f"below{rung.side}"
    chains.append(f"[{source}]{_scale(descending[-1])}[v{descending[-1].side}]")
    return ";".join(chains)


def _head(probe: Probe, top: Rung) -> str:
    """Frame rate, size and colors that all outputs share. Rotation was applied by ffmpeg."""
    end = f"{probe.duration + OVERTIME_SECONDS:.3f}"
    rate = f"select='not(gte(t,{end}))',fps={frame_rate(probe.fps)},trim=end={end}"
    if probe.hdr:
        # The container may lie about colors; the decoded frame was asked.
        colors = (
            f"setparams=color_primaries=bt2020:color_trc={probe.hdr}"
            ":colorspace=bt2020nc:range=limited"
        )
        return f"{rate},{colors},{_resize(top)},{TONE_MAP},format=yuv420p"
    # Untagged small pictures are BT.601 by custom, larger ones BT.709.
    guess = "bt709" if probe.short_side >= 720 else "smpte170m"
    matrix = "" if probe.matrix_known else f":in_color_matrix={guess}"
    colors = f"{matrix}:out_color_matrix=bt709:out_range=tv,format=yuv420p,{TAGS}"
    return f"{rate},{_resize(top)}{colors}"


def _resize(rung: Rung) -> str:
    return f"scale={rung.width}:{rung.height}:flags=bicubic"


def _scale(rung: Rung) -> str:
    return f"{_resize(rung)},setsar=1"


def _picture(rung: Rung) -> list[str]:
    options = f"-map [v{rung.side}] -c:v libx264 {rung.preset} -crf 23 -profile:v high"
    options += f" -maxrate {rung.max_rate} -bufsize {rung.max_rate * 2} -pix_fmt yuv420p"
    options += f" -force_key_frames expr:gte(t,n_forced*{KEYFRAME_SECONDS})"
    options += " -color_primaries bt709 -color_trc bt709 -colorspace bt709 -color_range tv"
    return options.split()


def _rung(side: int, width: int, height: int) -> Rung:
    """Scale to a short side, less where the long side would become absurd."""
    scale = min(side / min(width, height), LONGEST_SIDE / max(width, height))
    return Rung(side, _even(width * scale), _even(height * scale))


def _even(length: float) -> int:
    return max(SMALLEST_SIDE, round(length / 2) * 2)
