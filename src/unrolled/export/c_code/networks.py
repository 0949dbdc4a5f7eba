"""One step of each kind of network in C, from the modules of the trained one.

Legend: ``H`` units of the top layer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.export.c_code.program import write_layers
from unrolled.export.c_code.source import Function, Source
from unrolled.models.band_convolution import BandConvolutionInput
from unrolled.models.base import SequenceModel
from unrolled.models.convolution import ConvolutionInput
from unrolled.models.crf import TransitionScores
from unrolled.models.forecaster import ForecastNetwork
from unrolled.models.inputs import InputLayer, TokenInput, ValueInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.models.many_to_one import ManyToOne
from unrolled.models.one_to_one import BinaryVectorModel, LanguageModel
from unrolled.models.pooling import AttentionStep
from unrolled.models.spectrogram import SpectrogramInput


def write_network(source: Source, model: SequenceModel, of: str) -> tuple[str, int]:
    """A step of a network.

    Args:
        source: is written to.
        model: in evaluation.
        of: the vector that it reads; of tokens one number, the token.

    Returns:
        The vector with its outputs, and how many there are.

    Raises:
        ConfigError: it needs the whole sequence before it can say anything, or reads what C cannot be given.
    """
    for kind, write in _WRITERS.items():
        if isinstance(model, kind):
            return write(source, model, of)
    raise ConfigError(
        f"{type(model).__name__} cannot become C: expected a network that takes a step at a time and gives "
        "an output for it (forecasters, taggers, classifiers, generators); --to onnx takes every one."
    )


def inputs_of(model: SequenceModel) -> int:
    """How many numbers a network reads at a step."""
    if isinstance(model, LanguageModel):
        return 1
    if isinstance(model, ForecastNetwork | BinaryVectorModel):
        return model.recurrent.input_size
    layer = getattr(model, "inputs", None)
    return 1 if isinstance(layer, TokenInput) else getattr(layer, "size", 0)


def _write_inputs(source: Source, layer: InputLayer, of: str) -> str:
    if isinstance(layer, ValueInput | SpectrogramInput):
        return of
    if isinstance(layer, TokenInput):
        return _write_embedding(source, layer.embedding.table, of)
    if isinstance(layer, ConvolutionInput | BandConvolutionInput):
        raise ConfigError(
            "convolutions cannot become C: expected a network without (train with --filters 0), got some; "
            "--to onnx takes them."
        )
    raise ConfigError(
        f"{type(layer).__name__} cannot become C: expected a network that reads numbers, sound or single "
        "tokens at a step; --to onnx takes every one."
    )


def _write_embedding(source: Source, table: nn.Embedding, of: str) -> str:
    weight = _numbers(table.weight)
    name, size = source.array("embedding", weight), weight.shape[1]
    vector = source.room("embedded", size)
    source.each(size, f"{vector}[j] = {name}[(size_t){of}[0] * {size} + (size_t)j];")
    return vector


def _write_linear(source: Source, name: str, of: str, layer: nn.Linear) -> str:
    bias = None if layer.bias is None else _numbers(layer.bias)
    return source.linear(name, of, _numbers(layer.weight), bias)


def _one_way(recurrent: nn.Module) -> None:
    if getattr(recurrent, "bidirectional", False):
        raise ConfigError(
            "a bidirectional layer reads from the sequence's end, which a step has not seen: expected "
            "bidirectional=False (train with --no-bidirectional), got True; --to onnx takes it."
        )


def _many_to_many(source: Source, model: ManyToMany, of: str) -> tuple[str, int]:
    _one_way(model.recurrent)
    top = write_layers(source, model.recurrent, _write_inputs(source, model.inputs, of))
    scores = _write_linear(source, "scores", top, model.output)
    if model.transitions is not None:
        scores = _best_paths(source, model.transitions, scores)
    return scores, model.output.out_features


def _best_paths(source: Source, transitions: TransitionScores, emissions: str) -> str:
    """A step of Viterbi's algorithm: of each tag the best path that ends in it, and where that came from."""
    tags, name, most = len(transitions.start), source.name, source.limits["PATH"]
    start, end = (source.array(at, _numbers(getattr(transitions, at))) for at in ("start", "end"))
    pairs = source.array("transition", _numbers(transitions.transition))
    best, further = source.carry("best", tags), source.room("further", tags)
    known, place = source.count("known"), source.count("place")
    origins = source.numbers("origin", most * tags, tags)
    source.say("the best path to each tag, and the tag before on it; how good it is beside the best of all")
    source.write(
        "{",
        "    float highest = -INFINITY;",
        "    int i;",
        f"    for (j = 0; j < {tags}; j++) {{",
        f"        float found = {start}[j];",
        "        int origin = 0;",
        f"        if ({known}) {{",
        f"            found = {best}[0] + {pairs}[j];",
        f"            for (i = 1; i < {tags}; i++) {{",
        f"                const float other = {best}[i] + {pairs}[i * {tags} + j];",
        "                if (other > found) {",
        "                    found = other;",
        "                    origin = i;",
        "                }",
        "            }",
        "        }",
        f"        {further}[j] = found + {emissions}[j];",
        f"        if ({further}[j] > highest) highest = {further}[j];",
        f"        {origins}[{place} * {tags} + (uint32_t)j] = ({source.bytes['origin'][0]})origin;",
        "    }",
        f"    for (j = 0; j < {tags}; j++) {best}[j] = {further}[j] - highest;",
        f"    {place} = ({place} + 1) % {most};",
        f"    if ({known} < {most}) {known}++;",
        "}",
    )
    source.functions.append(
        Function(
            "The tags of the best path through all steps, the oldest first: those of the latest "
            f"{name.upper()}_PATH steps at most. How many they are.",
            f"int {name}_path(const {name}_state *state, int *tags)",
            (
                f"const int count = (int){known};",
                "int j, best = 0;",
                f"uint32_t place = {place};",
                f"for (j = 1; j < {tags}; j++)",
                f"    if ({best}[j] + {end}[j] > {best}[best] + {end}[best]) best = j;",
                "for (j = count - 1; j >= 0; j--) {",
                "    tags[j] = best;",
                f"    place = (place + {most - 1}) % {most};",
                f"    best = {origins}[place * {tags} + (uint32_t)best];",
                "}",
                "return count;",
            ),
        )
    )
    return best


def _many_to_one(source: Source, model: ManyToOne, of: str) -> tuple[str, int]:
    _one_way(model.recurrent)
    if model.direct is not None:
        raise ConfigError(
            "a direct connection cannot become C: expected a network without (train with --no-direct), got "
            "one; --to onnx takes it."
        )
    read = _write_inputs(source, model.inputs, of)
    top = write_layers(source, model.recurrent, read)
    width, size = model.output.in_features, model.inputs.size
    if model.skip:
        joined = source.room("joined", width)
        source.copy(joined, top, width - size)
        source.each(size, f"{joined}[{width - size} + j] = {read}[j];")
        top = joined
    pooled = _POOLINGS[model.pooling](source, model, top, width)
    return _write_linear(source, "scores", pooled, model.output), model.output.out_features


def _last(source: Source, model: ManyToOne, of: str, width: int) -> str:
    return of


def _mean(source: Source, model: ManyToOne, of: str, width: int) -> str:
    count, total, mean = source.count("steps"), source.carry("total", width), source.room("mean", width)
    source.write(f"{count}++;")
    source.each(width, f"{total}[j] += {of}[j];", f"{mean}[j] = {total}[j] / (float){count};")
    return mean


def _max(source: Source, model: ManyToOne, of: str, width: int) -> str:
    largest = source.carry("largest", width, np.full(width, -np.inf))
    source.each(width, f"{largest}[j] = larger({of}[j], {largest}[j]);")
    return largest


def _attention(source: Source, model: ManyToOne, of: str, width: int) -> str:
    """The weights of a softmax as they come: the largest score so far is taken from all."""
    attention = model.attention
    assert isinstance(attention, AttentionStep)
    seen = _write_linear(source, "seen", of, attention.projection)
    source.each(width, f"{seen}[j] = hyperbolic({seen}[j]);")
    score = _write_linear(source, "score", seen, attention.context)
    highest = source.carry("highest", 1, np.full(1, -np.inf))
    share, weighted = source.carry("share", 1), source.carry("weighted", width)
    pooled = source.room("pooled", width)
    source.write(
        "{",
        f"    const float before = {highest}[0];",
        f"    const float now = larger({score}[0], before);",
        "    const float kept = expf(before - now);",
        f"    const float added = expf({score}[0] - now);",
        f"    {highest}[0] = now;",
        f"    {share}[0] = kept * {share}[0] + added;",
        f"    for (j = 0; j < {width}; j++) {{",
        f"        {weighted}[j] = kept * {weighted}[j] + added * {of}[j];",
        f"        {pooled}[j] = {weighted}[j] / {share}[0];",
        "    }",
        "}",
    )
    return pooled


_POOLINGS: dict[str, Callable[[Source, ManyToOne, str, int], str]] = {
    "last": _last,
    "mean": _mean,
    "max": _max,
    "attention": _attention,
}


def _language(source: Source, model: LanguageModel, of: str) -> tuple[str, int]:
    top = write_layers(source, model.recurrent, _write_embedding(source, model.embedding, of))
    if isinstance(model.bridge, nn.Linear):
        top = _write_linear(source, "bridge", top, model.bridge)
    weight = model.embedding.weight if model.output_weight is None else model.output_weight
    scores = source.linear("scores", top, _numbers(weight), _numbers(model.output_bias))
    return scores, len(model.output_bias)


def _binary(source: Source, model: BinaryVectorModel, of: str) -> tuple[str, int]:
    top = write_layers(source, model.recurrent, of)
    return _write_linear(source, "scores", top, model.output), model.output.out_features


def _forecaster(source: Source, model: ForecastNetwork, of: str) -> tuple[str, int]:
    """The recurrent layers' forecast of the change, and the direct connection's, from the newest number."""
    size, horizon, lags = model.recurrent.input_size, model.horizon, model.lags
    read = source.room("read", size)
    source.copy(read, of, size)
    recent = source.carry("recent", lags - 1, np.full(lags - 1, np.nan)) if lags > 1 else None
    if model.relative:
        source.say("the number as its distance from the mean of the last ones known")
        source.write("{", f"    float level = {of}[0];", "    int known = 1;")
        if recent is not None:
            source.write(
                f"    for (j = 0; j < {lags - 1}; j++)",
                f"        if ({recent}[j] == {recent}[j]) {{ level += {recent}[j]; known++; }}",
            )
        source.write(f"    {read}[0] = {of}[0] - level / (float)known;", "}")
    top = write_layers(source, model.recurrent, read)
    raw = _write_linear(source, "raw", top, model.output)
    direct = source.room("seen", size + lags - 1)
    source.copy(direct, read, size)
    spread = source.array("spread", _numbers(model.spread))
    if recent is not None:
        source.say("the last changes, the newest first; one from an unknown number is none")
        source.write(
            f"for (j = 0; j < {lags - 1}; j++) {{",
            f"    const float later = j ? {recent}[{lags - 1} - j] : {of}[0];",
            f"    const float change = later - {recent}[{lags - 2} - j];",
            f"    {direct}[{size} + j] = change == change ? change / {spread}[0] : 0.0f;",
            "}",
            f"for (j = 0; j + 1 < {lags - 1}; j++) {recent}[j] = {recent}[j + 1];",
            f"{recent}[{lags - 2}] = {of}[0];",
        )
    change = _write_linear(source, "change", direct, model.direct)
    each = model.output.out_features // horizon
    made = source.room("forecast", horizon * each)
    source.say("the point, and quantiles that never cross: all but the lowest are given by positive gaps")
    source.write(
        f"for (j = 0; j < {horizon}; j++) {{",
        f"    const float base = {of}[0] + {spread}[j] * {change}[j];",
        f"    {made}[j * {each}] = base + {spread}[j] * {raw}[j * {each}];",
    )
    if each > 1:
        source.write(
            "    {",
            f"        float level = {raw}[j * {each} + 1];",
            "        int k;",
            f"        {made}[j * {each} + 1] = base + {spread}[j] * level;",
            f"        for (k = 2; k < {each}; k++) {{",
            f"            level += softplus({raw}[j * {each} + k]);",
            f"            {made}[j * {each} + k] = base + {spread}[j] * level;",
            "        }",
            "    }",
        )
        widening = source.array("widening", _numbers(model.widening))
        raising = source.array("raising", _numbers(model.raising))
        source.write(
            "    {",
            f"        float *each = {made} + j * {each};",
            f"        const float middle = (each[1] + each[{each - 1}]) / 2.0f;",
            "        int k;",
            f"        for (k = 1; k < {each}; k++)",
            f"            each[k] = middle + {widening}[j] * (each[k] - middle) + {raising}[j];",
            "    }",
        )
    source.write("}")
    return made, horizon * each


_WRITERS: dict[type[SequenceModel], Callable[..., tuple[str, int]]] = {
    ManyToMany: _many_to_many,
    ManyToOne: _many_to_one,
    LanguageModel: _language,
    BinaryVectorModel: _binary,
    ForecastNetwork: _forecaster,
}


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
