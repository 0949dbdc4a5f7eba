"""Images and clips from folders, metadata and tables."""

import io
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unrolled.data.example import Source
from unrolled.data.images import PictureForm, read_images
from unrolled.data.labelled import read_labelled
from unrolled.data.media import MediaForms
from unrolled.errors import DataError, MissingDependencyError


def save(path, size=(4, 6), mode="L", value=100):
    """An image ``size = (height, width)`` of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size[::-1], value).save(path)
    return path


def content(value):
    buffer = io.BytesIO()
    Image.new("L", (6, 4), value).save(buffer, "png")
    return buffer.getvalue()


def form(**options):
    return MediaForms(PictureForm(**options))


@pytest.fixture
def classes(tmp_path):
    """Two images of each of two classes."""
    for label, value in (("dark", 10), ("light", 200)):
        for number in (1, 2):
            save(tmp_path / "data" / label / f"{number}.png", value=value)
    return tmp_path / "data"


def test_a_folder_for_every_class(classes):
    (classes / ".hidden").mkdir()
    (classes / "dark" / "notes.txt").write_text("not an image")
    examples = read_labelled(classes)
    assert [item.target for item in examples] == ["dark", "dark", "light", "light"]
    assert [item.inputs.shape for item in examples] == [(4, 6, 1)] * 4
    assert examples[0].inputs.dtype == np.uint8
    assert examples[3].inputs.ravel().tolist() == [200] * 24
    assert examples[3].source.path == classes / "light" / "2.png"
    assert examples.notes == ()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_metadata_beside_the_files(tmp_path, kind):
    names = [save(tmp_path / "images" / f"{value}.png", value=value).name for value in (7, 9)]
    frame = pd.DataFrame({"file_name": [f"images/{name}" for name in names], "label": ["x", "y"], "more": 1})
    metadata = tmp_path / f"metadata.{kind}"
    frame.to_csv(metadata, index=False) if kind == "csv" else frame.to_json(
        metadata, orient="records", lines=True
    )
    for path in (tmp_path, metadata):
        examples = read_labelled(path)
        assert [(int(item.inputs[0, 0, 0]), item.target) for item in examples] == [(7, "x"), (9, "y")]
        assert (examples[1].source.path, examples[1].source.column) == (metadata, "label")
    assert read_labelled(tmp_path, label="more")[0].target == "1"
    assert read_labelled(tmp_path, labelled=False)[0].target is None


def test_a_table_that_holds_the_images(tmp_path):
    cells = [{"bytes": content(value), "path": f"{value}.png"} for value in (7, 9)]
    pd.DataFrame({"image": cells, "label": [0, 1]}).to_parquet(tmp_path / "t.parquet")
    examples = read_labelled(tmp_path / "t.parquet")
    assert [(int(item.inputs[0, 0, 0]), item.target) for item in examples] == [(7, "0"), (9, "1")]


def test_images_of_different_sizes_and_colours_are_brought_to_one_form(tmp_path):
    for number in range(3):
        save(tmp_path / "a" / f"{number}.png", size=(20, 30))
    save(tmp_path / "a" / "wide.jpg", size=(10, 90), mode="RGB", value=(1, 2, 3))
    examples = read_labelled(tmp_path)
    assert {item.inputs.shape for item in examples} == {(20, 30, 3)}
    assert examples.notes == (
        "Pictures of 10 × 90 to 20 × 30 pixels (height × width) are resized to 20 × 30.",
    )
    grey = read_labelled(tmp_path, forms=form(size=(8, 9), colour=False))
    assert {item.inputs.shape for item in grey} == {(8, 9, 1)}
    assert grey.notes == ()


def test_large_images_are_made_smaller(tmp_path):
    path = save(tmp_path / "big.png", size=(256, 128))
    examples = read_labelled(path, labelled=False)
    assert examples[0].inputs.shape == (64, 32, 1)
    assert "resized to 64 × 32" in examples.notes[0]


def test_what_is_transparent_is_white_and_16_bits_become_8(tmp_path):
    save(tmp_path / "a.png", mode="RGBA", value=(0, 0, 0, 0))
    assert read_labelled(tmp_path / "a.png", labelled=False)[0].inputs.min() == 255
    Image.fromarray(np.full((4, 6), 0x8000, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert np.unique(read_labelled(tmp_path / "deep.png", labelled=False)[0].inputs).tolist() == [128]


def test_folders_of_frames_are_clips(tmp_path):
    for label, shift in (("up", 1), ("down", 2)):
        for number in (1, 2, 10):
            save(tmp_path / label / "clip" / f"frame{number}.png", value=number * shift)
    examples = read_labelled(tmp_path)
    assert [(item.target, item.inputs[:, 0, 0, 0].tolist()) for item in examples] == [
        ("down", [2, 4, 20]),
        ("up", [1, 2, 10]),
    ]
    assert examples[0].source.path == tmp_path / "down" / "clip"
    fewer = read_labelled(tmp_path, forms=form(frames=2))
    assert fewer[1].inputs[:, 0, 0, 0].tolist() == [1, 10]


def test_gif_files_are_clips(tmp_path):
    (tmp_path / "a").mkdir()
    frames = [Image.new("L", (6, 4), value) for value in (0, 100, 200)]
    frames[0].save(tmp_path / "a" / "x.gif", save_all=True, append_images=frames[1:])
    (example,) = read_labelled(tmp_path, forms=form(colour=False))
    assert example.inputs[:, 0, 0, 0].tolist() == [0, 100, 200]


@pytest.fixture
def video(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "clips" / "a" / "x.mp4"
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for value in (0, 80, 160, 240):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), value, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_video_files_are_clips_and_their_frames_are_kept(video, tmp_path):
    (example,) = read_labelled(video.parents[1], forms=form(frames=2))
    assert example.inputs.shape == (2, 16, 32, 3)
    assert np.abs(example.inputs.mean(axis=(1, 2, 3)) - [0, 240]).max() < 8
    assert list((tmp_path / "cache").rglob("*.npy"))
    (again,) = read_labelled(video.parents[1], forms=form(frames=2))
    assert np.array_equal(again.inputs, example.inputs)


def test_a_broken_video_is_named(video):
    video.write_bytes(b"not a video at all")
    with pytest.raises(DataError, match=r"x\.mp4: expected a video that can be decoded, but PyAV says"):
        read_labelled(video.parents[1])


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.mp4").write_bytes(b"0")
    with pytest.raises(MissingDependencyError, match=r"unrolled\[video\]"):
        read_labelled(tmp_path)


def test_an_image_that_cannot_be_decoded_is_named(classes):
    (classes / "light" / "2.png").write_bytes(b"not an image")
    with pytest.raises(
        DataError, match=r"2\.png: expected an image that can be decoded, but it is of no known"
    ):
        read_labelled(classes)


def test_an_image_cut_short_is_named(classes):
    path = classes / "dark" / "1.png"
    noise = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(
        DataError, match=r"dark.1\.png: expected an image that can be decoded, but Pillow says"
    ):
        read_labelled(classes)


def test_an_image_in_a_table_is_named_by_its_row(tmp_path):
    cells = [{"bytes": content(1), "path": None}, {"bytes": b"nothing", "path": None}]
    pd.DataFrame({"image": cells, "label": [0, 1]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet, row 2, column 'image': expected an image"):
        read_labelled(tmp_path / "t.parquet")


def test_metadata_that_names_a_missing_file(tmp_path):
    save(tmp_path / "there.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\nthere.png,a\ngone.png,b\n")
    with pytest.raises(DataError, match=r"metadata\.csv, row 3, column 'file_name': .*gone\.png, found none"):
        read_labelled(tmp_path)


def test_a_clip_without_frames_is_named(tmp_path):
    save(tmp_path / "up" / "good" / "1.png")
    (tmp_path / "up" / "empty").mkdir()
    with pytest.raises(DataError, match=r"up.empty: expected a clip of one frame at least, found none"):
        read_labelled(tmp_path)


def test_splits_are_not_classes(classes, tmp_path):
    classes.rename(tmp_path / "train")
    root = tmp_path / "whole"
    root.mkdir()
    (tmp_path / "train").rename(root / "train")
    with pytest.raises(DataError, match=r"found those of splits: train; name one of them, such as .*train"):
        read_labelled(root)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected a folder of images, clips or recordings for every class"):
        read_labelled(tmp_path)
    save(tmp_path / "a" / "1.png")
    save(tmp_path / "b" / "clip" / "1.png")
    with pytest.raises(DataError, match="expected files of one kind, found 1 of image, 1 of frames"):
        read_labelled(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "tiff"])
def test_photos_are_seen_as_they_are_shown(orientation, kind, tmp_path):
    shown = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    # EXIF says where the stored row 0 and column 0 lie in what is shown.
    stored = {
        1: shown,
        2: shown[:, ::-1],
        3: shown[::-1, ::-1],
        4: shown[::-1],
        5: shown.T,
        6: shown[:, ::-1].T,
        7: shown[::-1, ::-1].T,
        8: shown[::-1].T,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{kind}"
    options = {"quality": 100} if kind == "jpg" else {}
    # A JPEG keeps even squares best.
    square = np.kron(stored, np.ones((8, 8), dtype=np.uint8))
    Image.fromarray(square).save(path, exif=exif, **options)
    (read,) = read_images([path], [Source(path)], PictureForm(size=(32, 48), colour=False)).arrays
    np.testing.assert_allclose(read[4::8, 4::8, 0], shown, atol=2)
    (found,) = read_images([path], [Source(path)], PictureForm()).arrays
    assert found.shape == (32, 48, 1)


GREY = np.random.default_rng(1).integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = np.random.default_rng(2).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def stored_as(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def palette_of(grey):
    image = Image.fromarray(grey, "L").convert("L")
    paletted = Image.new("P", image.size)
    paletted.putpalette([value for step in range(256) for value in (255 - step,) * 3])
    paletted.putdata((255 - grey).ravel().tolist())
    return paletted


DEPTHS = {
    "grey": (stored_as(Image.fromarray(GREY), "png"), GREY),
    "black and white": (stored_as(Image.fromarray(GREY > 127), "png"), (GREY > 127) * 255),
    "16 bits, png": (stored_as(Image.fromarray(GREY.astype(np.uint16) * 257), "png"), GREY),
    "16 bits, tiff": (stored_as(Image.fromarray(GREY.astype(np.uint16) * 257), "tiff"), GREY),
    "16 bits, dark": (stored_as(Image.fromarray(GREY.astype(np.uint16)), "png"), GREY * 0),
    "16 bits, pgm": (b"P5 7 5 65535\n" + (GREY.astype(">u2") * 257).tobytes(), GREY),
    "32 bits of bytes": (stored_as(Image.fromarray(GREY.astype(np.int32)), "tiff"), GREY),
    "32 bits of 16": (stored_as(Image.fromarray(GREY.astype(np.int32) * 257), "tiff"), GREY),
    "fractions": (stored_as(Image.fromarray(GREY.astype(np.float32) / 255), "tiff"), GREY),
    "fractions of bytes": (stored_as(Image.fromarray(GREY.astype(np.float32)), "tiff"), GREY),
    "opaque": (stored_as(Image.fromarray(np.dstack([GREY, GREY * 0 + 255]), "LA"), "png"), GREY),
    "half transparent": (
        stored_as(Image.fromarray(np.dstack([GREY * 0, GREY]), "LA"), "png"),
        255 - GREY,
    ),
    "colour": (stored_as(Image.fromarray(COLOUR), "png"), COLOUR),
    "colour, opaque": (stored_as(Image.fromarray(COLOUR).convert("RGBA"), "png"), COLOUR),
    "colour, bmp": (stored_as(Image.fromarray(COLOUR), "bmp"), COLOUR),
    "palette": (stored_as(palette_of(GREY), "png"), np.dstack([GREY] * 3)),
    "one shade transparent": (
        stored_as(Image.fromarray(GREY), "png", transparency=int(GREY[0, 0])),
        np.where(GREY[0, 0] == GREY, 255, GREY),
    ),
}


@pytest.mark.parametrize("name", DEPTHS)
def test_images_of_every_depth_and_mode(name):
    content, true = DEPTHS[name]
    (read,) = read_images([content], [Source("a", 1)], PictureForm()).arrays
    true = true if true.ndim == 3 else true[:, :, None]
    assert read.shape == true.shape
    np.testing.assert_allclose(read.astype(int), true.astype(int), atol=1)


def test_the_class_is_the_first_folder_and_that_is_said(tmp_path):
    for place in ("cat/1.png", "cat/indoors/2.png", "dog/big/old/3.png", "dog/big/4.png", "dog/5.png"):
        save(tmp_path / place)
    read = read_labelled(tmp_path)
    assert [each.target for each in read] == ["cat", "cat", "dog", "dog", "dog"]
    assert any("class is the first folder's name, also of the 3 files" in note for note in read.notes)


def test_folders_of_images_are_clips_and_that_is_said(tmp_path):
    for place in ("up/1/1.png", "up/1/2.png", "down/1/1.png", "down/1/2.png"):
        save(tmp_path / place)
    read = read_labelled(tmp_path)
    assert [each.inputs.shape[0] for each in read] == [2, 2]
    assert any("is read as a clip" in note for note in read.notes)
