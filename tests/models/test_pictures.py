"""Networks that read pictures."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from unrolled.errors import ConfigError, MissingDependencyError
from unrolled.models.backbones import Backbone
from unrolled.models.config import NetworkConfig
from unrolled.models.decoder import Decoder
from unrolled.models.frames import FrameInput, PictureEncoder, RowInput, Scaled
from unrolled.models.one_to_many import ClassPerception, OneToMany, PicturePerception, VectorPerception

GREY = Scaled([100.0], [50.0])
COLOUR = Scaled([100.0, 90.0, 80.0], [50.0, 50.0, 50.0])


def bytes_of(*shape):
    return torch.randint(0, 256, shape)


def test_rows_are_steps():
    rows = RowInput(6, COLOUR)
    pixels = bytes_of(2, 4, 6, 3)
    steps = rows({"pixels": pixels})
    assert steps.shape == (2, 4, rows.size) == (2, 4, 18)
    torch.testing.assert_close(steps[0, 1, :3], (pixels[0, 1, 0] - COLOUR.mean) / 50)


@pytest.mark.parametrize(("height", "width", "regions"), [(28, 28, 49), (8, 8, 4), (64, 48, 48), (3, 5, 2)])
def test_pictures_of_any_size_become_regions_and_a_vector(height, width, regions):
    encoder = PictureEncoder(height, width, COLOUR, size=10)
    found, vector = encoder(bytes_of(2, height, width, 3))
    assert found.shape == (2, regions, encoder.region_size)
    assert vector.shape == (2, 10)


def test_frames_are_read_one_by_one():
    frames = FrameInput(PictureEncoder(8, 8, GREY, size=5))
    pixels = bytes_of(2, 3, 8, 8, 1)
    vectors = frames({"pixels": pixels})
    assert vectors.shape == (2, 3, 5)
    torch.testing.assert_close(frames({"pixels": pixels[1:, 2:]})[0, 0], vectors[1, 2])


def decoder(memory_size):
    network = NetworkConfig(cell="gru", hidden_size=6)
    return Decoder(10, 4, network, memory_size=memory_size, attention="additive")


def test_an_image_alone_can_be_trained_on():
    perception = PicturePerception(PictureEncoder(8, 8, GREY, size=5))
    model = OneToMany(perception, decoder(perception.region_size)).train()
    inputs = {"pixels": bytes_of(1, 8, 8, 1), "previous": torch.zeros(1, 3, dtype=torch.int64)}
    model(inputs)[0].sum().backward()
    assert perception.encoder.output.weight.grad is not None


def test_padding_beyond_the_regions_does_not_count():
    model = OneToMany(VectorPerception(4, size=5), decoder(4)).eval()
    previous = torch.zeros(2, 3, dtype=torch.int64)
    values = torch.randn(2, 3, 4)
    values[1, 1:] = 0
    together, _ = model({"values": values, "previous": previous}, torch.tensor([3, 1]))
    alone, _ = model({"values": values[1:, :1], "previous": previous[1:]}, torch.tensor([1]))
    torch.testing.assert_close(together[1:], alone)


def test_classes_and_numbers_are_regions():
    perception = ClassPerception(3, 2, size=7)
    seen = perception({"classes": torch.tensor([[2], [0]]), "numbers": torch.randn(2, 2)})
    assert seen.regions.shape == (2, 3, 7)
    torch.testing.assert_close(seen.vector, seen.regions.sum(1))


class _Network(nn.Module):
    """As those that timm makes with `features_only`."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.body = nn.Conv2d(4, 6, 3, stride=2)

    def forward(self, images):
        stem = self.stem(images)
        return [stem, self.body(stem)]


@pytest.fixture
def timm(monkeypatch):
    """Stands in for timm, which brings another torch with it; says what it was asked for."""
    asked = []

    def create_model(name, pretrained, features_only):
        asked.append((name, pretrained, features_only))
        if name == "nothing":
            raise RuntimeError("Unknown model (nothing)")
        return _Network()

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    return asked


def test_a_backbone_of_timm(timm):
    backbone = Backbone("timm:small", 16, 16, GREY, 5, trained=True)
    assert timm == [("small", True, True)]
    regions, vector = backbone(bytes_of(2, 16, 16, 1))
    assert regions.shape == (2, 9, 6)
    assert vector.shape == (2, 5)


def test_a_backbone_of_torchvision(monkeypatch):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Linear(4, 2))
    models = SimpleNamespace(get_model=lambda name, weights: network)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    assert Backbone("torchvision:resnet", 8, 8, COLOUR, 5, trained=False).region_size == 4


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("resnet18", 16, "expected timm:NAME or torchvision:NAME, got 'resnet18'"),
        ("keras:resnet18", 16, "expected timm:NAME or torchvision:NAME"),
        ("timm:nothing", 16, "timm could not make 'nothing': Unknown model"),
        ("timm:small", 4, "timm:small cannot read images of 4 × 4 pixels; raise image_size"),
    ],
)
def test_what_is_no_backbone(timm, name, size, message):
    with pytest.raises(ConfigError, match=message):
        Backbone(name, size, size, GREY, 5, trained=False)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match=r"unrolled\[backbones\]"):
        Backbone("timm:small", 16, 16, GREY, 5, trained=False)
