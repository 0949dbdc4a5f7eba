"""``unrolled predict MODEL [DATA]``: predictions for a file, or for standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.input import Piped
from unrolled.cli.music import is_music, save_music
from unrolled.cli.options import options_of
from unrolled.cli.output import AsJson, answer, finite, note, notes_shown, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.cli.prediction_rows import ROW_FILES, flat_lines, row_file, rows, separated
from unrolled.data.outside import reading_outside
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator


Made = TypeVar("Made")


def predict_command() -> Any:
    """The command, with flags made of the tasks' options of prediction: asked for only when it runs."""
    from unrolled.cli.options import command, flags_of_tasks
    from unrolled.tasks.registry import options_classes

    return command("predict", predict, flags_of_tasks(options_classes()))


def predict(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[
        str | None,
        typer.Argument(help="A path, the name of built-in data, or - .", show_default="standard input"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file instead: rows of id, input, prediction and probability to .csv, .tsv, "
            ".jsonl or .parquet, tags to .conllu or .conll, music to .mid, .abc or .wav, else a line each.",
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="What to write on after; what follows is shown as it is made.")
    ] = None,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            help="Write how the music sounds beside the output, as .wav.",
        ),
    ] = False,
    attention: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Draw into this folder what each symbol was written from, a picture for each source.",
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Show the probability of every class, in rows.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="Show so many of the most probable classes, in rows.")
    ] = None,
    read_outside: ReadOutside = False,
    as_json: Annotated[bool, AsJson] = False,
    **options: Any,
) -> None:
    """Predict for a file, or for standard input: a file as a whole, or each line as it comes."""
    with exit_codes(as_json=as_json), reading_outside(read_outside), notes_shown():
        from unrolled.tasks.registry import load

        require_model(model)
        data = None if data == "-" else data
        if prompt is None:
            require_data(data)
        if preview and (output is None or as_json):
            raise ConfigError("--preview: expected --output with it, the file beside which the sound goes")
        estimator = load(model)
        chosen = options_of(estimator, estimator.Options, options)
        if prompt is not None:
            _predict_from_prompt(
                estimator, model, prompt, data, output, chosen, as_json=as_json, preview=preview
            )
            return
        in_rows = probabilities or top is not None
        if attention is not None:
            predictions: Iterable[Any] = _aligned(estimator, data, attention, chosen)
        elif in_rows or (output is not None and output.suffix.lower() in ROW_FILES):
            answers = _asked(estimator, lambda given: estimator.answers(given, **chosen), data)
            predictions = rows(answers, probabilities=probabilities, top=top)
            if output is not None and not as_json:
                _write(output, predictions, estimator)
                return
        else:
            predictions = _predictions(estimator, data, chosen)
        if as_json:
            _print_json(estimator, model, predictions)
        elif output is not None and (preview or is_music(output)):
            save_music(estimator, output, predictions, chosen, preview=preview)
        elif output is not None:
            _save(output, predictions, estimator.between)
        else:
            between = estimator.between
            for line in flat_lines(predictions, between) if in_rows else _lines(predictions, between):
                answer(line)


def _predict_from_prompt(
    estimator: Estimator,
    model: Path,
    prompt: str,
    data: str | None,
    output: Path | None,
    options: Mapping[str, Any],
    *,
    as_json: bool,
    preview: bool,
) -> None:
    if data is not None:
        raise ConfigError(f"expected DATA or --prompt, got both: {data} and {prompt!r}")
    pieces = estimator.write_on(prompt, **options)
    if as_json:
        _print_json(estimator, model, [_joined(pieces)])
    elif output is not None and (preview or is_music(output)):
        made = _joined(pieces)
        # A tune's header may be in the prompt.
        whole = prompt + made if isinstance(made, str) else made
        save_music(estimator, output, [whole], options, preview=preview)
    elif output is not None and output.suffix.lower() in ROW_FILES:
        _write(output, [{"id": 1, "input": prompt, "prediction": _joined(pieces)}], estimator)
    elif output is not None:
        _save(output, [_joined(pieces)], estimator.between)
    else:
        text = estimator.input_schema().kind == "text"
        for piece in chain([prompt], pieces, ["\n"]) if text else pieces:
            answer(piece if text else json.dumps(piece), end="" if text else "\n")


def _joined(pieces: Iterable[Any]) -> Any:
    made = list(pieces)
    return "".join(made) if all(isinstance(piece, str) for piece in made) else made


def _predictions(estimator: Estimator, data: str | None, options: Mapping[str, Any]) -> Iterable[Any]:
    made = _asked(estimator, lambda given: estimator.predictions(given, **options), data)
    return (each.value for each in made)


def _asked(estimator: Estimator, ask: Callable[[Any], Iterable[Made]], data: str | None) -> Iterable[Made]:
    """What a model says of the data, or of standard input: as a whole, or of each line as it comes."""
    if data is not None:
        return ask(data)
    piped = Piped(estimator.file_ending)
    if piped.ending is not None:
        with piped.file() as path:
            return ask(path)
    if estimator.predicts_alone:
        return ask(None)
    if sys.stdin.isatty():
        note("Reading standard input, one line at a time; Ctrl-D ends it.")
    inputs = estimator.input_schema().lines(piped.lines())
    return chain.from_iterable(ask([each]) for each in inputs)


def _write(path: Path, made: Iterable[Mapping[str, Any]], estimator: Estimator) -> None:
    """Write rows, those of lines of standard input numbered as they came."""
    from unrolled.saving.files import write_file

    write_file(path, row_file(path, made, estimator))


def _aligned(
    estimator: Estimator, data: str | None, folder: Path, options: Mapping[str, Any]
) -> Iterator[str]:
    """The predictions of a translator, each drawn on the way."""
    from unrolled.inspection.alignment import save_alignment

    align = estimator.align
    piped = None if data is not None else Piped(estimator.file_ending)
    if piped is not None and piped.ending is not None:
        with piped.file() as path:
            found = iter(list(align(path, **options)))
    else:
        lines = piped.lines() if piped is not None else ()
        sources = [data] if data is not None else ([line.rstrip("\r\n")] for line in lines)
        found = chain.from_iterable(align(source, **options) for source in sources)
    for number, alignment in enumerate(found, start=1):
        save_alignment(alignment, folder / f"{number}.png")
        yield alignment.text


def _lines(predictions: Iterable[Any], between: str) -> Iterator[str]:
    """A line for each prediction, its parts with something between them.

    Rows make a table of comma-separated values, header first.
    """
    for number, prediction in enumerate(predictions):
        if isinstance(prediction, Mapping):
            if number == 0:
                yield separated(prediction.keys())
            yield separated(prediction.values())
        elif isinstance(prediction, list) and all(isinstance(part, str) for part in prediction):
            yield between.join(prediction)
        else:
            yield prediction if isinstance(prediction, str) else json.dumps(finite(prediction))


def _save(path: Path, predictions: Iterable[Any], between: str) -> None:
    from unrolled.saving.files import write_file

    write_file(path, "".join(f"{line}\n" for line in _lines(predictions, between)))


def _print_json(estimator: Estimator, model: Path, predictions: Iterable[Any]) -> None:
    value = {
        "task": estimator.task,
        "model": str(model),
        "predictions": [finite(each) for each in predictions],
    }
    result("", value, as_json=True)
