"""The course of training told to a service that shows it: TensorBoard, MLflow, Weights & Biases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unrolled.errors import ConfigError, MissingDependencyError
from unrolled.training.callback import Callback

if TYPE_CHECKING:
    from unrolled.models.base import SequenceModel
    from unrolled.training.trainer import Trainer


class Logger(Callback):
    """Tells a service the options, the loss of updates, and the losses and scores of epochs.

    Of several processes the first one tells.

    Args:
        folder: where the service keeps its files, if it keeps any, and what the run is called.

    Raises:
        MissingDependencyError: the service's package is not installed.
    """

    service: ClassVar[str]
    package: ClassVar[str]
    """What is imported for it, and the extra that brings it."""

    def __init__(self, folder: str | Path) -> None:
        if find_spec(self.package) is None:
            raise MissingDependencyError.of(self.service, extra=self.package)
        self.folder = Path(folder)

    @abstractmethod
    def begin(self, options: Mapping[str, Any]) -> None:
        """Open the run."""

    @abstractmethod
    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Tell numbers by name, after so many updates."""

    @abstractmethod
    def end(self, *, failed: bool) -> None:
        """Close the run."""

    def on_fit_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """Open the run, and tell its options."""
        if trainer.is_global_zero:
            options = trainer.config.model_dump(mode="json")
            self.begin({name: value for name, value in options.items() if value is not None})

    def on_train_batch_end(
        self, trainer: Trainer, model: SequenceModel, outputs: None, batch: Any, batch_idx: int
    ) -> None:
        """Tell of the updates that the history keeps: two thousand at most."""
        updates = trainer.history.updates
        if trainer.is_global_zero and updates and updates[-1].update == trainer.global_step:
            latest = updates[-1]
            self.tell(
                {"update/loss": latest.loss, "update/gradient_norm": latest.gradient_norm}, latest.update
            )

    def on_train_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """Tell of the epoch."""
        if trainer.is_global_zero:
            self.tell({"epoch": trainer.current_epoch, **trainer.callback_metrics}, trainer.global_step)

    def on_fit_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """Close the run."""
        if trainer.is_global_zero:
            self.end(failed=False)

    def on_exception(self, trainer: Trainer, model: SequenceModel, exception: BaseException) -> None:
        """Close the run, as failed."""
        if trainer.is_global_zero:
            self.end(failed=True)


class TensorBoardLogger(Logger):
    """Writes event files into a folder that ``tensorboard --logdir`` shows."""

    service, package = "TensorBoard", "tensorboard"

    def begin(self, options: Mapping[str, Any]) -> None:
        """Open the file."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder))
        self._writer.add_text(
            "options", "\n".join(f"    {name} = {value}" for name, value in options.items())
        )

    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def end(self, *, failed: bool) -> None:
        """Close the file."""
        self._writer.close()


class MLflowLogger(Logger):
    """A run of MLflow, where ``MLFLOW_TRACKING_URI`` says; named as the folder."""

    service, package = "MLflow", "mlflow"

    def begin(self, options: Mapping[str, Any]) -> None:
        """Open the run."""
        import mlflow  # type: ignore[import-not-found]

        self._mlflow = mlflow
        mlflow.start_run(run_name=self.folder.name)
        mlflow.log_params(options)

    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Log metrics; MLflow allows fewer characters in a name than scores have."""
        named = {_plain_name(name): value for name, value in values.items()}
        self._mlflow.log_metrics(named, step=step)

    def end(self, *, failed: bool) -> None:
        """Close the run."""
        self._mlflow.end_run("FAILED" if failed else "FINISHED")


class WandbLogger(Logger):
    """A run of Weights & Biases, which its own environment variables set up; named as the folder."""

    service, package = "Weights & Biases", "wandb"

    def begin(self, options: Mapping[str, Any]) -> None:
        """Open the run."""
        import wandb  # type: ignore[import-not-found]

        self._run = wandb.init(project="unrolled", name=self.folder.name, config=dict(options))

    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Log numbers."""
        self._run.log(dict(values), step=step)

    def end(self, *, failed: bool) -> None:
        """Close the run."""
        self._run.finish(exit_code=int(failed))


_LOGGERS: Mapping[str, type[Logger]] = {
    "tensorboard": TensorBoardLogger,
    "mlflow": MLflowLogger,
    "wandb": WandbLogger,
}


def logger(service: str, folder: str | Path) -> Logger:
    """The logger of a service.

    Raises:
        ConfigError: there is no such service.
        MissingDependencyError: its package is not installed.

    Example:
        >>> logger("paper", "runs")
        Traceback (most recent call last):
        unrolled.errors.ConfigError: log: expected one of tensorboard, mlflow, wandb, got 'paper'
    """
    if service not in _LOGGERS:
        raise ConfigError(f"log: expected one of {', '.join(_LOGGERS)}, got {service!r}")
    return _LOGGERS[service](folder)


def _plain_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "_-./ :" else "_" for character in name)
