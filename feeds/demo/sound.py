"""A little music for each theme, synthesized: chords, an arpeggio, and weather from noise."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]

RATE = 44_100
TAU = float(2 * np.pi)


@dataclass(frozen=True)
class Mood:
    """How a theme sounds: a chord progression in semitones above `root` (Hz)."""

    root: float
    chords: tuple[tuple[int, ...], ...]
    beat: float  # seconds a note of the arpeggio
    noise: float  # loudness of wind, rain or sea
    bright: int  # harmonics of a note


MOODS = {
    "ocean": Mood(130.8, ((0, 7, 12, 16), (-3, 4, 9, 12)), 0.5, 0.10, 2),
    "city": Mood(146.8, ((0, 3, 7, 10), (-4, 3, 8, 12)), 0.25, 0.03, 4),
    "geometry": Mood(196.0, ((0, 4, 7, 11), (5, 9, 12, 16)), 0.2, 0.0, 3),
    "nature": Mood(164.8, ((0, 4, 7, 14), (-5, 2, 7, 11)), 0.4, 0.06, 2),
    "space": Mood(98.0, ((0, 7, 14, 19), (-2, 5, 12, 17)), 0.6, 0.04, 2),
    "retro": Mood(110.0, ((0, 12, 7, 12), (-4, 8, 3, 8)), 0.125, 0.0, 7),
}


def compose(theme: str, seconds: float, seed: int) -> Wave:
    """Return a stereo track of shape (samples, 2), from -1 to 1, that fades at both ends."""
    mood = MOODS[theme]
    random = np.random.default_rng(seed)
    samples = int(seconds * RATE)
    track = np.zeros(samples, np.float32)
    half = samples // len(mood.chords)
    for number, chord in enumerate(mood.chords):
        _pad(track[number * half : (number + 1) * half], mood, chord)
        _arpeggio(track[number * half : (number + 1) * half], mood, chord, random)
    track += mood.noise * _surf(samples, random)
    track *= _fade(samples, 0.4)
    echo = np.roll(track, int(0.013 * RATE))
    stereo = np.stack([track, 0.7 * track + 0.3 * echo], axis=1)
    return np.asarray(0.7 * stereo / max(float(np.abs(stereo).max()), 1e-6), np.float32)


def bounces(seconds: float, lanes: int, fewest: int) -> Wave:
    """Notes of dots that bounce: `fewest` times in the lowest lane, once more in each above."""
    track = np.zeros(int(seconds * RATE), np.float32)
    time = np.arange(int(0.9 * RATE), dtype=np.float32) / RATE
    pentatonic = (0, 2, 4, 7, 9)
    for lane in range(lanes):
        pitch = 196 * 2 ** ((12 * (lane // 5) + pentatonic[lane % 5]) / 12)
        note = np.sin(TAU * pitch * time) + 0.3 * np.sin(TAU * 3 * pitch * time) * np.exp(-time * 9)
        note *= np.exp(-time * 4.5) * np.clip(time * 400, 0, 1) * 0.2
        for hit in range(fewest + lane):
            start = int(hit / (fewest + lane) * len(track))
            # What rings on over the end is heard at the beginning: the loop has no seam.
            np.add.at(track, np.arange(start, start + len(note)) % len(track), note)
    stereo = np.stack([track, np.roll(track, int(0.011 * RATE))], axis=1)
    return np.asarray(0.7 * stereo / max(float(np.abs(stereo).max()), 1e-6), np.float32)


def write_wav(track: Wave, path: Path) -> None:
    """Save a stereo track with 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((track * 32_767).astype("<i2").tobytes())


def _pitch(mood: Mood, semitones: int) -> float:
    return float(mood.root * 2 ** (semitones / 12))


def _pad(out: Wave, mood: Mood, chord: tuple[int, ...]) -> None:
    time = np.arange(len(out), dtype=np.float32) / RATE
    for semitones in chord:
        slow = 1 + 0.002 * np.sin(TAU * 0.4 * time)
        out += 0.12 * np.sin(TAU * _pitch(mood, semitones) * time * slow) * _fade(len(out), 0.5)


def _arpeggio(out: Wave, mood: Mood, chord: tuple[int, ...], random: np.random.Generator) -> None:
    length = int(mood.beat * RATE)
    time = np.arange(length * 2, dtype=np.float32) / RATE
    decay = np.exp(-time * 5 / mood.beat / 2).astype(np.float32)
    for start in range(0, len(out) - length, length):
        pitch = _pitch(mood, int(random.choice(chord)) + 12)
        note = sum(np.sin(TAU * pitch * k * time) / k for k in range(1, 2 * mood.bright, 2))
        end = min(start + len(time), len(out))
        out[start:end] += (0.2 * note * decay)[: end - start]


def _surf(samples: int, random: np.random.Generator) -> Wave:
    """Noise without its highs, that comes and goes."""
    noise = np.convolve(random.normal(0, 1, samples), np.ones(24) / 24, "same")
    swell = 0.6 + 0.4 * np.sin(TAU * np.arange(samples) / RATE / 4)
    return np.asarray(noise * swell, np.float32)


def _fade(samples: int, seconds: float) -> Wave:
    edge = min(int(seconds * RATE), samples // 2)
    shape = np.ones(samples, np.float32)
    shape[:edge] = np.linspace(0, 1, edge)
    shape[samples - edge :] = np.linspace(1, 0, edge)
    return shape
