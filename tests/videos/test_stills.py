"""The preview that moves, the sprite, and that no picture tells where it was filmed."""

from pathlib import Path

import pytest
from django.core.management import call_command
from PIL import Image

from accounts.models import User
from tests.videos.clips import clip, ffmpeg
from tests.videos.outputs import check_bare, make_outputs
from tiktok_clone.common.storage import local_store
from videos.media import stills
from videos.media.measuring import measure
from videos.models import Video
from videos.services.publishing import create_video, delete_video

PLACE = b"+52.5200+013.4050/"


def pictures(path: Path, folder: Path) -> tuple[Image.Image, Image.Image]:
    """The preview and the sprite of a clip of our own making."""
    facts = measure(path)
    stills.make_moving(stills.Clip(path, facts.width, facts.height, facts.duration), folder)
    return Image.open(folder / "preview.webp"), Image.open(folder / "sprite.webp")


def test_a_preview_shows_three_seconds_small_and_moving(tmp_path: Path) -> None:
    preview, _ = pictures(clip("360x640", 5.0), tmp_path)
    assert (preview.format, preview.size) == ("WEBP", (270, 480))
    assert 28 <= preview.n_frames <= 31  # type: ignore[attr-defined]
    assert preview.info["loop"] == 0
    assert (tmp_path / "preview.webp").stat().st_size < stills.PREVIEW_BYTES


def test_each_tile_of_the_sprite_is_the_middle_of_its_tenth(tmp_path: Path) -> None:
    path = tmp_path / "gray.mp4"
    # The frame's number is its brightness, within what a video may hold.
    gray = "nullsrc=s=90x160:r=30:d=5,geq=lum='16+N':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", gray, "-crf", "5", "-pix_fmt", "yuv420p", str(path))
    _, sprite = pictures(path, tmp_path)
    assert sprite.size == (900, 160)
    levels = sprite.convert("L")
    shown = [int(levels.getpixel((90 * tile + 45, 80))) / 1.164 for tile in range(10)]  # type: ignore[arg-type]
    assert shown == pytest.approx([15 * tile + 7 for tile in range(10)], abs=3)


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0])
def test_a_very_short_clip_has_all_tiles(seconds: float, tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    ffmpeg("-f", "lavfi", "-i", f"color=white:s=64x64:r=10:d={seconds}", str(path))
    preview, sprite = pictures(path, tmp_path)
    assert preview.size == (64, 64)  # nothing is scaled up
    assert sprite.size == (640, 64)
    assert min(sprite.convert("L").crop((0, 0, 640, 64)).tobytes()) > 240


@pytest.mark.parametrize(("noise", "expected"), [(0, "fine"), (14, "coarser"), (120, "coarsest")])
def test_a_busy_poster_is_made_coarser(noise: int, expected: str, tmp_path: Path) -> None:
    picture = Image.effect_noise((135, 240), noise).convert("RGB").resize((540, 960))
    picture.save(tmp_path / "poster.png")
    sizes = []
    for quality in stills.POSTER_QUALITIES:
        picture.save(tmp_path / "one.webp", quality=quality, method=4)
        sizes.append((tmp_path / "one.webp").stat().st_size)
    stills.make_poster(tmp_path / "poster.png", tmp_path / "poster.webp")
    size = (tmp_path / "poster.webp").stat().st_size
    assert {
        "fine": size == sizes[0] <= stills.POSTER_BYTES,
        "coarser": size <= stills.POSTER_BYTES < sizes[0],
        "coarsest": size == sizes[-1] > stills.POSTER_BYTES,
    }[expected], (size, sizes)


def test_the_preview_of_a_restless_clip_is_made_coarser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(clip("180x320", 2.0), tmp_path)
    fine = (tmp_path / "preview.webp").stat().st_size
    monkeypatch.setattr(stills, "PREVIEW_BYTES", fine - 1)
    pictures(clip("180x320", 2.0), tmp_path)
    assert (tmp_path / "preview.webp").stat().st_size < fine


@pytest.mark.parametrize("kind", ["mp4", "mov"])
def test_no_output_tells_where_it_was_filmed(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"holiday.{kind}"
    tags = [f"location={PLACE.decode()}", "title=At home", "com.apple.quicktime.make=Phone"]
    options = [word for tag in tags for word in ("-metadata", tag)]
    options += ["-metadata:s:v", "title=At home", "-movflags", "use_metadata_tags"]
    ffmpeg("-i", str(clip("540x960", 1.0)), "-c", "copy", *options, str(path))
    assert PLACE in path.read_bytes()
    folder = tmp_path / "made"
    folder.mkdir()
    _, made = make_outputs(path, folder, all_rungs=True)
    assert len(made) == 5
    for output in made:
        check_bare(output, PLACE, b"52.52", b"At home", b"Phone")


@pytest.mark.django_db(transaction=True)
def test_clips_of_before_get_their_pictures(
    user: User, run_jobs: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their original is gone; the smallest rendition is enough."""
    for _ in range(2):
        create_video(user, clip())
    run_jobs()  # type: ignore[operator]
    Video.objects.update(preview="", sprite="")
    call_command("make_stills")
    assert "2 of 2 clips" in capsys.readouterr().out
    for video in Video.objects.all():
        assert local_store().exists(video.preview)
        assert local_store().exists(video.sprite)
    call_command("make_stills")
    assert "0 of 0 clips" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_a_clip_deleted_meanwhile_gets_no_pictures(
    user: User, run_jobs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from videos.media import pictures as making

    create_video(user, clip())
    run_jobs()  # type: ignore[operator]
    Video.objects.update(preview="", sprite="")
    video = Video.objects.get()
    make = stills.make_moving

    def deleted_then_made(*args: object) -> None:
        delete_video(user, video.pk)
        make(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stills, "make_moving", deleted_then_made)
    assert not making.make_moving(video.pk)
    run_jobs()  # type: ignore[operator]
    assert list(local_store().names(video.folder)) == []
