"""Links in folders of data, and names in tables of files: what lies outside is not read unasked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import unrolled
from unrolled.data.loading import load_captions, load_documents, load_labelled, load_tagged
from unrolled.data.outside import files_below, reading_outside, require_within
from unrolled.data.parts import parts_of
from unrolled.data.roll_files import read_rolls
from unrolled.errors import DataError

DRAWS = 150


@dataclass
class Node:
    """A file, a folder, or a link, in a tree that is drawn; the truth of where links lead is kept here."""

    path: Path
    parent: Node | None
    inside: dict[str, Node] | None = None
    target: Node | None = None
    missing: bool = False

    def end(self) -> Node:
        return self if self.target is None else self.target.end()

    def lies_in(self, folder: Node) -> bool:
        return self is folder or (self.parent is not None and self.parent.lies_in(folder))


class CircleError(Exception):
    pass


@dataclass
class Drawn:
    """A folder of data, with another beside it."""

    data: Node
    links: list[Node] = field(default_factory=list)

    def files(
        self, folder: Node | None = None, path: Path | None = None, open_: tuple[Node, ...] = ()
    ) -> Iterator[Path]:
        """The paths of the files below the data, those that links lead to as well."""
        folder, path = (folder or self.data).end(), path or self.data.path
        if folder in open_:
            raise CircleError
        assert folder.inside is not None
        for name, node in folder.inside.items():
            if name.startswith("."):
                continue
            if node.target is not None:
                self.links.append(node)
            if node.end().inside is not None:
                yield from self.files(node, path / name, (*open_, folder))
            else:
                yield path / name


def drawn(home: Path, draws: random.Random) -> Drawn:
    top = Node(home, None, {})
    data, other = (Node(home / name, top, {}) for name in ("data", "data-other"))
    folders, nodes = [data, data, other], [data, other]
    for node in (data, other):
        node.path.mkdir(parents=True)
    for number in range(draws.randint(2, 9)):
        parent = draws.choice(folders)
        assert parent.inside is not None
        name = draws.choice(("", "", "", ".")) + f"n{number}"
        kind = draws.choice(("file", "folder", "link", "link", "broken" if draws.random() < 0.2 else "file"))
        node = Node(parent.path / name, parent)
        if kind == "file":
            node.path.write_text("x")
        elif kind == "folder":
            node.path.mkdir()
            node.inside = {}
            folders.append(node)
        else:
            node.target = draws.choice(nodes)
            if kind == "broken":
                node.target = Node(draws.choice((data, other)).path / "none", None, missing=True)
                node.target.parent = data if node.target.path.parent == data.path else other
            to = node.target.path
            node.path.symlink_to(to if draws.random() < 0.5 else _relative(to, node.path.parent))
        parent.inside[name] = node
        nodes.append(node)
    return Drawn(data)


def _relative(path: Path, start: Path) -> Path:
    from os.path import relpath

    return Path(relpath(path, start))


@pytest.mark.parametrize("allowed", [False, True])
def test_drawn_links_are_followed_within_and_refused_without(tmp_path, allowed):
    draws, seen = random.Random(24), {"read": 0, "refused": 0}
    for number in range(DRAWS):
        tree = drawn(tmp_path / str(number), draws)
        try:
            expected = sorted(tree.files())
            bad = [
                link
                for link in tree.links
                if link.end().missing or not (allowed or link.end().lies_in(tree.data))
            ]
        except CircleError:
            expected, bad = [], [None]
        with reading_outside(allowed):
            if bad:
                with pytest.raises(DataError) as refused:
                    require_within(tree.data.path)
                named = Path(refused.value.path)
                assert any(each.is_symlink() for each in (named, *named.parents))
                seen["refused"] += 1
            else:
                require_within(tree.data.path)
                assert files_below(tree.data.path) == expected
                seen["read"] += 1
    assert min(seen.values()) > DRAWS / 10


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return path


def text(path: Path, content: str = "a fine film\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def _classes(make, ending):
    def layout(data: Path, other: Path) -> Path:
        make(data / "a" / f"1.{ending}")
        make(data / "b" / f"1.{ending}")
        (data / "b" / f"2.{ending}").symlink_to(make(other / f"2.{ending}"))
        return data

    return layout


def _alone(make, ending):
    def layout(data: Path, other: Path) -> Path:
        make(data / f"1.{ending}")
        (data / f"2.{ending}").symlink_to(make(other / f"2.{ending}"))
        return data

    return layout


def _class_is_link(data: Path, other: Path) -> Path:
    picture(data / "a" / "1.png")
    picture(other / "b" / "1.png")
    (data / "b").symlink_to(other / "b")
    return data


def _part_is_link(data: Path, other: Path) -> Path:
    text(data / "train.csv", "text,label\na b,x\nc d,y\n")
    (data / "test.csv").symlink_to(text(other / "test.csv", "text,label\na b,x\n"))
    return data


def _metadata(data: Path, other: Path) -> Path:
    picture(data / "1.png")
    (data / "2.png").symlink_to(picture(other / "2.png"))
    text(data / "metadata.csv", "file_name,label\n1.png,a\n2.png,b\n")
    return data


def _named_above(data: Path, other: Path) -> Path:
    picture(data / "1.png")
    picture(other / "2.png")
    return text(data / "which.csv", f"file_name,label\n1.png,a\n../{other.name}/2.png,b\n")


def _named_whole(data: Path, other: Path) -> Path:
    picture(data / "1.png")
    return text(data / "which.csv", f"file_name,label\n1.png,a\n{picture(other / '2.png')},b\n")


def _named_by_link(data: Path, other: Path) -> Path:
    picture(data / "1.png")
    picture(other / "2.png")
    (data / "more").symlink_to(other)
    return text(data / "which.csv", "file_name,label\n1.png,a\nmore/2.png,b\n")


def wave(path: Path) -> Path:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, [0.0] * 800, 8000)
    return path


def numbers(path: Path) -> Path:
    return text(path, "1,2\n3,4\n5,6\n")


def tune(path: Path) -> Path:
    return text(path, "X:1\nK:C\nCDE|\n")


def steps(path: Path) -> Path:
    return text(path, "x,tag\n1,a\n2,b\n")


def midi(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    track = bytes([0, 0x90, 60, 64, 96, 0x80, 60, 64, 0, 0xFF, 0x2F, 0])
    path.write_bytes(
        b"MThd"
        + (6).to_bytes(4, "big")
        + bytes([0, 0, 0, 1, 0, 96])
        + b"MTrk"
        + len(track).to_bytes(4, "big")
        + track
    )
    return path


def documents(path):
    return ["".join(each) for each in load_documents(path)]


def parts(path):
    return parts_of(path) and load_labelled(parts_of(path).test)


LAYOUTS = {
    "pictures by class": (_classes(picture, "png"), load_labelled),
    "a class": (_class_is_link, load_labelled),
    "texts by class": (_classes(text, "txt"), load_labelled),
    "recordings by class": (_classes(wave, "wav"), load_labelled),
    "numbers by class": (_classes(numbers, "csv"), load_labelled),
    "pictures to caption": (_metadata, lambda path: load_captions(path, text="label")),
    "pictures with metadata": (_metadata, load_labelled),
    "a name above the table": (_named_above, load_labelled),
    "a whole name in a table": (_named_whole, load_labelled),
    "a name by way of a link": (_named_by_link, load_labelled),
    "a name above, to caption": (_named_above, lambda path: load_captions(path, text="label")),
    "recordings alone": (_alone(wave, "wav"), lambda path: load_labelled(path, labelled=False)),
    "running text": (_alone(text, "txt"), documents),
    "tunes": (_alone(tune, "abc"), documents),
    "tables of steps": (_alone(steps, "csv"), load_tagged),
    "music": (_alone(midi, "mid"), read_rolls),
    "a part": (_part_is_link, parts),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_reader_of_a_folder_refuses_what_leads_out_of_it(tmp_path, name):
    make, read = LAYOUTS[name]
    data = make(tmp_path / "data", tmp_path / "data2")
    with pytest.raises(DataError, match="--read-outside"):
        read(data)
    with unrolled.reading_outside():
        assert read(data)


@pytest.mark.parametrize(
    "name", ["pictures with metadata", "a name by way of a link", "running text", "music"]
)
def test_links_within_the_folder_that_is_named_are_followed(tmp_path, name):
    make, read = LAYOUTS[name]
    assert read(make(tmp_path / "data", tmp_path / "data" / "shared"))


def test_a_folder_that_is_a_link_is_the_users_own(tmp_path):
    text(tmp_path / "real" / "a" / "1.txt"), text(tmp_path / "real" / "b" / "1.txt")
    (tmp_path / "data").symlink_to("real")
    assert len(load_labelled(tmp_path / "data")) == 2


def test_parts_share_their_folder(tmp_path):
    shared = text(tmp_path / "data" / "shared" / "1.txt")
    for part in ("train", "test"):
        for label in "ab":
            place = tmp_path / "data" / part / label
            place.mkdir(parents=True)
            (place / "1.txt").symlink_to(shared)
    found = parts_of(tmp_path / "data")
    assert found is not None
    assert found.train is not None
    assert len(load_labelled(found.train)) == 2


def _cache(home: Path) -> Path:
    """A data set as the Hub's cache keeps it."""
    entry = home / "datasets--who--what"
    snapshot = entry / "snapshots" / "0123"
    for number, label in enumerate("ab"):
        blob = picture(entry / "blobs" / f"{number:040}.png").rename(entry / "blobs" / f"{number:040}")
        (snapshot / "train" / label).mkdir(parents=True)
        (snapshot / "train" / label / "1.png").symlink_to(_relative(blob, snapshot / "train" / label))
    return snapshot


def test_a_cache_of_the_hub_is_read_as_it_is(tmp_path):
    snapshot = _cache(tmp_path)
    assert len(load_labelled(snapshot / "train")) == 2
    (tmp_path / "data").symlink_to(snapshot)
    assert len(load_labelled(tmp_path / "data" / "train")) == 2


def test_what_only_looks_like_a_cache_opens_nothing(tmp_path):
    snapshot = _cache(tmp_path)
    picture(tmp_path / "elsewhere" / "2.png")
    (snapshot / "train" / "a" / "2.png").symlink_to(tmp_path / "elsewhere" / "2.png")
    with pytest.raises(DataError, match="leads out of it"):
        load_labelled(snapshot / "train")
    entry = tmp_path / "fake"
    (entry / "snapshots" / "1" / "a").mkdir(parents=True)
    (entry / "blobs").symlink_to(tmp_path / "elsewhere")
    (entry / "snapshots" / "1" / "a" / "2.png").symlink_to(tmp_path / "elsewhere" / "2.png")
    with pytest.raises(DataError, match="leads out of it"):
        load_labelled(entry / "snapshots" / "1")


def test_names_in_a_frame_are_the_users_own(tmp_path):
    files = [str(picture(tmp_path / name / "1.png")) for name in "ab"]
    assert len(load_labelled(pd.DataFrame({"file_name": files, "label": ["a", "b"]}))) == 2


def test_links_that_multiply_are_refused(tmp_path):
    folder = tmp_path / "data"
    text(folder / "30" / "1.txt")
    for level in range(30):
        (folder / f"{level:02}").mkdir(exist_ok=True)
        for name in "xy":
            (folder / f"{level:02}" / name).symlink_to(f"../{level + 1:02}")
    with pytest.raises(DataError, match="100 times and more"):
        require_within(folder)


def test_folders_nested_too_deep_are_refused(tmp_path):
    deep = tmp_path.joinpath("data", *["a"] * 300)
    deep.mkdir(parents=True)
    with pytest.raises(DataError, match="200 deep"):
        require_within(tmp_path / "data")


@pytest.mark.parametrize("allowed", [False, True])
def test_a_circle_is_refused_whatever_is_allowed(tmp_path, allowed):
    text(tmp_path / "a" / "1.txt")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    with reading_outside() if allowed else nullcontext(), pytest.raises(DataError, match="circle"):
        load_labelled(tmp_path)


def test_the_flag_on_the_command_line(tmp_path):
    from typer.testing import CliRunner

    from unrolled.cli.main import app

    data = LAYOUTS["texts by class"][0](tmp_path / "data", tmp_path / "other")
    words = ["train", "classify", str(data), "--dry-run"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "--read-outside" in refused.stderr
    assert CliRunner().invoke(app, [*words, "--read-outside"]).exit_code == 0
