"""How loud a clip is made: the same for all, so that nobody reaches for the volume.

The whole programme is measured first (ITU-R BT.1770, by ffmpeg's ebur128) and one gain is given
to all of it, with a limiter for the peaks: what is quiet in it stays quieter than what is loud.
The limiter takes from the loudness what it cuts off, so the result is measured too.
"""

import math
from pathlib import Path

from videos.media import ffmpeg
from videos.media.ladder import AUDIO_RATE
from videos.media.probe import Probe

TARGET = -14.0  # LUFS
CLOSE_ENOUGH = 0.5  # LU
# What is quieter than that as a whole is a room, not a programme; very short clips measure -70.
SILENCE = -50.0
MOST_GAIN = 40.0  # dB
MEASUREMENTS_MAX = 4
SHAPE = f"aformat=sample_rates={AUDIO_RATE}:channel_layouts=stereo"
# -1.5 dB: the encoder overshoots a little.
LIMITER = "alimiter=limit=0.84:level=false:attack=5:release=50"


def leveling(source: Path, found: Probe) -> str:
    """Return the audio filters that bring a clip to -14 LUFS; they leave silence alone.

    Raises:
        FfmpegError: the sound cannot be read.
    """
    if found.audio_stream is None:
        return ""
    loudness = measure(source, found.audio_stream, SHAPE)
    if loudness < SILENCE or abs(TARGET - loudness) < CLOSE_ENOUGH:
        return SHAPE
    gain = 0.0
    chain = SHAPE
    for _ in range(MEASUREMENTS_MAX - 1):
        gain = min(gain + TARGET - loudness, MOST_GAIN)
        chain = f"{SHAPE},volume={gain:.2f}dB,{LIMITER}"
        loudness = measure(source, found.audio_stream, chain)
        if abs(TARGET - loudness) < CLOSE_ENOUGH:
            break
    return chain


def measure(source: Path, stream: int, filters: str) -> float:
    """Return the loudness in LUFS of an audio stream after some filters; -70 at the least."""
    meter = "ebur128=metadata=1,ametadata=print:key=lavfi.r128.I:file=-"
    facts = ffmpeg.run(
        ["-i", str(source), "-map", f"0:{stream}", "-af", f"{filters},{meter}", "-f", "null", "-"]
    )
    loudness = float(facts.get("lavfi.r128.I", "-70"))
    return loudness if math.isfinite(loudness) else -70.0
