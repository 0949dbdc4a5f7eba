"""Image networks of other libraries, timm and torchvision, as what a captioner reads images with."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, MissingDependencyError
from unrolled.models.frames import Scaled


class Backbone(nn.Module):
    """A network of timm or torchvision without its head: regions of an image, and one vector for the whole.

    The regions are its last map of features; the vector is a linear map of their mean. An image of one
    channel is given to all three that such networks have.

    Args:
        name: ``timm:resnet18``, ``torchvision:resnet18`` and so on.
        height: of the images.
        width: of the images.
        scaled: brings the bytes to a common scale.
        size: of the vector.
        trained: begin with the weights that the library has of it and downloads, rather than random ones.

    Attributes:
        region_size: the size of a region's vector.

    Raises:
        ConfigError: the library has no such network, or no weights of it, or the images are too small for it.
        MissingDependencyError: the library is not installed.
    """

    def __init__(
        self, name: str, height: int, width: int, scaled: Scaled, size: int, *, trained: bool
    ) -> None:
        super().__init__()
        library, _, model = name.partition(":")
        if library not in _LIBRARIES or not model:
            raise ConfigError(f"backbone: expected timm:NAME or torchvision:NAME, got {name!r}")
        try:
            self.features = _LIBRARIES[library](model, trained)
        except ModuleNotFoundError as error:
            raise MissingDependencyError.of(f"the backbone {name}", extra="backbones") from error
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(f"backbone: {library} could not make {model!r}: {error}") from error
        self.scaled = scaled
        self.size = size
        self.region_size = self._region_size(name, height, width)
        self.output = nn.Linear(self.region_size, size)

    def _region_size(self, name: str, height: int, width: int) -> int:
        training = self.features.training
        try:
            with torch.no_grad():
                maps = self.features.eval()(torch.zeros(1, 3, height, width))
        except RuntimeError as error:
            raise ConfigError(
                f"backbone: {name} cannot read images of {height} × {width} pixels; raise image_size"
            ) from error
        self.features.train(training)
        if maps.dim() != 4:
            raise ConfigError(f"backbone: expected a network with maps of features, {name} has none")
        return maps.shape[1]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """From bytes ``(batch, height, width, channel)``; see `unrolled.models.frames.PictureEncoder`."""
        images = self.scaled(pixels).movedim(3, 1)
        maps = self.features(images.expand(-1, 3, -1, -1))
        regions = maps.flatten(2).transpose(1, 2)
        return regions, self.output(regions.mean(1))


class _LastMap(nn.Module):
    """The last of the maps of features that a network of timm returns."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)[-1]


def _of_timm(name: str, trained: bool) -> nn.Module:
    timm = import_module("timm")
    return _LastMap(timm.create_model(name, pretrained=trained, features_only=True))


def _of_torchvision(name: str, trained: bool) -> nn.Module:
    network = import_module("torchvision.models").get_model(name, weights="DEFAULT" if trained else None)
    if hasattr(network, "features"):
        return network.features
    # Residual networks have no part of that name: all but the pooling and the classes.
    return nn.Sequential(*list(network.children())[:-2])


_LIBRARIES: dict[str, Callable[[str, bool], nn.Module]] = {
    "timm": _of_timm,
    "torchvision": _of_torchvision,
}
