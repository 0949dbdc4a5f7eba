"""The training loop, in small steps that a subclass may replace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor

from unrolled.data.batches import Batch, Loader
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.saving.folder import Contents, content_fits, read_folder, write_folder
from unrolled.saving.run import has_checkpoint
from unrolled.saving.schema import shown
from unrolled.saving.weights import require_alike
from unrolled.training.bptt import BPTT, Carry, FullBPTT, TruncatedBPTT, Update, add_gradient
from unrolled.training.callback import Callback
from unrolled.training.checkpoint import (
    flatten_optimizer,
    process_tensors,
    restore_processes,
    unflatten_optimizer,
)
from unrolled.training.clipping import Clipped, build_clipping
from unrolled.training.config import TrainingConfig
from unrolled.training.divergence import diverged
from unrolled.training.history import EpochRecord, History
from unrolled.training.interruption import Interruption, interruptible
from unrolled.training.live import LiveDiagnosis, told
from unrolled.training.loss import Loss
from unrolled.training.optimisation import Schedule, WeightAverage, build_optimizer
from unrolled.training.optimizer_state import entries_of, knowledge, take_up
from unrolled.training.position import Position
from unrolled.training.processes import (
    add_up,
    add_up_gradients,
    build_accelerator,
    dividing_work,
    gathered,
    share_objects,
    share_weights,
)
from unrolled.training.progress import ProgressBar
from unrolled.training.regularisation import Regularisation
from unrolled.training.saved_run import SavedRun, require_carried, require_optimizer, require_weights_or_none
from unrolled.training.seeding import deterministic, seed_everything

Score = Callable[[], Mapping[str, float]]

_BEST_OPTIMIZER = "best-optimizer.safetensors"

# These may differ when a run goes on: they do not change the updates made so far.
_FREE_OPTIONS = {"epochs", "patience", "save_every", "diagnose", "process_timeout", "meeting_timeout"}


class Trainer:
    """Trains a model.

    Args:
        model: the network; it is moved to the device, and after `fit` holds the best weights.
        loss: what is minimised.
        config: the options; those of a subclass of `TrainingConfig` are kept in the checkpoint too.
        run_folder: `run_folder/checkpoint` is where checkpoints go; None: there are none.
        resume: go on from the checkpoint in `run_folder`; where there is none yet, begin.
        progress: show a bar on standard error.
        callbacks: called in the course of training, in this order.
        known: what an earlier run's optimiser knew of the weights, as `optimizer_state` gives it.

    Attributes:
        optimizer_state: what the optimiser knew of the weights that are kept.

    Raises:
        ConfigError: this machine cannot compute in the precision.
    """

    def __init__(
        self,
        model: SequenceModel,
        loss: Loss,
        config: TrainingConfig,
        *,
        run_folder: Path | None = None,
        resume: bool = False,
        progress: bool = False,
        callbacks: Sequence[Callback] = (),
        known: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.accelerator = build_accelerator(config)
        self.model = model.to(self.accelerator.device)
        self.loss = loss
        self.config = config
        self.checkpoint = None if run_folder is None else Path(run_folder) / "checkpoint"
        self.resume = resume
        self.progress = progress and self.accelerator.is_main_process
        self.bptt = self.build_bptt()
        self.clipping = build_clipping(model, config)
        self.optimizer = self.accelerator.prepare_optimizer(build_optimizer(model, config))
        self.known = known
        self.optimizer_state: dict[str, Tensor] = {}
        self.average = WeightAverage()
        self.position = Position()
        self.carry = Carry()
        self.best: dict[str, Tensor] = {}
        self.diagnosis: LiveDiagnosis | None = None
        self.callbacks = tuple(callbacks)
        self.should_stop = False
        self.keep: Callable[[History], None] | None = None
        self.last = config.epochs
        self.monitor = "loss"
        self.mode: Literal["min", "max"] = "min"

    def build_bptt(self) -> BPTT:
        """Truncated BPTT when there is a window, else full."""
        if self.config.window is not None:
            return TruncatedBPTT(self.config.window, self.config.reach)
        return FullBPTT(self.config.checkpoint_every)

    def fit(
        self,
        loader: Loader,
        score: Score | None = None,
        monitor: str = "loss",
        mode: Literal["min", "max"] = "min",
        *,
        keep: Callable[[History], None] | None = None,
        last: int | None = None,
    ) -> History:
        """Train until the epochs are done or the dev score stops getting better.

        Args:
            loader: the training batches; in several processes each has its own share of the rows.
            score: scores of the model's present weights on the dev data. Without it the last weights are
                kept, and the schedule watches the training loss.
            monitor: the score that decides.
            mode: whether less or more of it is better.
            keep: called after each epoch that is the best so far, in the first process, while the model holds
                the weights that were scored.
            last: the epoch after which training ends, on the schedule of all of them.

        Raises:
            ConfigError: the model, the loss, the batches and the options do not fit together, or the
                checkpoint is of a run with other options.
            DivergedError: the loss or a gradient became NaN or infinite.
            StorageError: a checkpoint could not be written; the one before is untouched.
            KeyboardInterrupt: Ctrl-C was pressed; its message says how to go on.
        """
        self.schedule = Schedule(self.config, self.config.epochs * len(loader))
        self.monitor, self.mode, self.batches = monitor, mode, len(loader)
        self.keep, self.last = keep, min(last or self.config.epochs, self.config.epochs)
        self.bar = ProgressBar(self.progress, self.last, len(loader))
        with (
            deterministic(self.accelerator.device),
            interruptible() as interruption,
            self.bar.live(),
            self.observing(),
        ):
            self.begin()
            self.saved_at = time.monotonic()
            try:
                self.call("on_fit_start")
                while not self.finished():
                    self.train_epoch(loader, interruption)
                    self.end_epoch(score)
                if not self.best:
                    self.optimizer_state = knowledge(self.model, self.optimizer)
                self.restore_best()
                self.call("on_fit_end")
            except BaseException as error:
                self.call("on_exception", error)
                raise
        return self.history

    def call(self, moment: str, *given: Any) -> None:
        """Tell the callbacks of a moment."""
        for callback in self.callbacks:
            getattr(callback, moment)(self, self.model, *given)

    @property
    def current_epoch(self) -> int:
        """The epoch at work, counted from 0."""
        return self.position.epoch

    @property
    def global_step(self) -> int:
        """The updates so far."""
        return self.position.updates

    @property
    def is_global_zero(self) -> bool:
        """Whether this is the only process, or the first of those that train together."""
        return self.accelerator.is_main_process

    @property
    def callback_metrics(self) -> dict[str, float]:
        """The latest epoch's loss, gradient norm, learning rate and scores, by name."""
        if not self.history.epochs:
            return {}
        latest = self.history.epochs[-1]
        numbers = {"loss": latest.loss, "gradient_norm": latest.gradient_norm}
        return numbers | {"learning_rate": latest.learning_rate} | latest.scores

    @property
    def history(self) -> History:
        """The course of the run so far."""
        return self.position.history

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Stand around the model's recurrences inside the `with`, as far as options ask for it."""
        with ExitStack() as stack:
            self.regularisation = stack.enter_context(closing(Regularisation(self.model, self.config)))
            if self.config.diagnose:
                watching = LiveDiagnosis(self.model, self.loss, self.config)
                self.diagnosis = stack.enter_context(closing(watching))
            yield

    def begin(self) -> None:
        """Seed the run, or go on from its checkpoint."""
        share_weights(self.accelerator, self.model)
        # Each process draws its own dropout masks.
        seed_everything(self.config.seed + self.accelerator.process_index)
        self.position = Position(history=History(monitor=self.monitor, mode=self.mode))
        self.carry = Carry()
        self.best = {}
        self.begin_averaging()
        if self.known is not None and not take_up(
            self.model, self.optimizer, self.known, entries_of(self.config)
        ):
            self.bar.say("the optimiser begins anew: nothing is kept of one that fits")
        if self.resume and self.checkpoint is not None:
            if has_checkpoint(self.checkpoint.parent):
                self.load_checkpoint()
            else:
                self.bar.say(f"no checkpoint in {self.checkpoint} yet: training begins from the start")

    def finished(self) -> bool:
        """Whether training is done; an earlier run that did all its epochs may be given more."""
        more = self.position.epoch < self.last
        if (self.history.stopped == "epochs" and more) or (
            self.history.stopped == "callback" and not self.should_stop
        ):
            self.history.stopped = None
        return self.history.stopped is not None

    def train_epoch(self, loader: Loader, interruption: Interruption) -> None:
        """Train on the batches of the epoch that are left."""
        self.model.train()
        self.bar.begin(self.position.epoch, self.position.batch)
        self.call("on_train_epoch_start")
        for batch in loader.batches(self.position.epoch, self.position.batch):
            place = self.position.batch
            self.call("on_train_batch_start", batch, place)
            started = time.perf_counter()
            self.train_batch(batch.to(self.accelerator.device))
            self.position.batch += 1
            self.position.seconds += time.perf_counter() - started
            self.call("on_train_batch_end", None, batch, place)
            self.save_or_stop(interruption)
            if self.told_to_stop():
                break

    def told_to_stop(self) -> bool:
        """Whether a callback, in any process, has asked training to end."""
        if self.callbacks:
            (asking,) = add_up(self.accelerator, self.should_stop)
            self.should_stop = bool(asking)
        return self.should_stop

    def train_batch(self, batch: Batch) -> None:
        """Make the updates of a batch."""
        rate = self.schedule.learning_rate(self.position.epoch * self.batches + self.position.batch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.diagnosis is not None:
            self.diagnosis.before(batch)
        steps = 0
        for update in self.bptt.updates(self.model, self.loss, batch, self.carry, self.accelerator):
            self.regularise()
            clipped = self.step(update)
            self.record(update, clipped)
            self.diagnose(update)
            self.carry = update.carry
            steps += update.steps
        position, processes = self.position, self.accelerator.num_processes
        self.bar.batch(
            loss=position.total / max(1, position.count),
            norm=position.norms / max(1, position.made),
            clipped=position.clipped / max(1, position.made),
            # What is written for no sequence is read without a step.
            amount=steps if batch.targets_per_step and steps else batch.size * processes,
            unit="steps" if batch.targets_per_step and steps else "sequences",
        )

    def regularise(self) -> None:
        """Add the gradient of the terms that hold the size of the error on its way back."""
        term = self.regularisation.term()
        if term is not None:
            add_gradient(term, self.accelerator)

    def diagnose(self, update: Update) -> None:
        """Say when the verdict on the network changes."""
        if self.diagnosis is None:
            return
        verdict = self.diagnosis.after(self.position.updates, update.loss, self.history)
        if verdict is not None:
            self.bar.say(told(verdict, f"update {self.position.updates}"))

    def step(self, update: Update) -> Clipped:
        """Clip the gradient and change the weights by it."""
        self.require_finite(update.loss, "loss")
        add_up_gradients(self.accelerator, self.model.parameters())
        self.accelerator.unscale_gradients(self.optimizer)
        clipped = self.clipping(self.model.parameters())
        # With float16 an infinite gradient only means that the loss scale was too high; the scaler skips it.
        if self.accelerator.scaler is None:
            self.require_finite(clipped.norm, "gradient norm")
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.position.averaging:
            self.average.update(self.model)
        return clipped

    def record(self, update: Update, clipped: Clipped) -> None:
        """Add an update to the sums of the epoch and to the history."""
        position = self.position
        position.updates += 1
        position.made += 1
        position.total += update.loss * update.count
        position.count += update.count
        position.steps += update.steps
        position.norms += clipped.norm
        position.clipped += clipped.clipped
        self.history.record(
            position.updates, loss=update.loss, gradient_norm=clipped.norm, clipped=clipped.clipped
        )

    def require_finite(self, value: float, name: str) -> None:
        """Stop training when a value is NaN or infinite.

        Raises:
            DivergedError: it is; names the update and the likely remedy.
        """
        if isfinite(value):
            return
        self.restore_best()
        raise diverged(value, name, self.position, self.config, self.checkpoint)

    def save_or_stop(self, interruption: Interruption) -> None:
        """Between two batches: save when it is time, and end when Ctrl-C was pressed."""
        # Only the first process's clock counts, so that all save together.
        due = self.accelerator.is_main_process and time.monotonic() - self.saved_at >= self.config.save_every
        due_anywhere, stop = add_up(self.accelerator, due, interruption.requested)
        if due_anywhere or stop:
            self.save_checkpoint()
        if stop:
            where = f"epoch {self.position.epoch + 1}, after update {self.position.updates}"
            done = f"Training was interrupted in {where}"
            if self.checkpoint is None:
                raise KeyboardInterrupt(f"{done}; nothing was saved, because no run folder was given.")
            if self.keep is not None and self.history.best_epoch is not None:
                done = f"{done}; the best model so far is in {self.checkpoint.parent}"
            raise KeyboardInterrupt(
                f"{done}; the checkpoint is in {self.checkpoint}. Give the same command with --resume "
                "(in Python: fit(..., resume=True)) to go on from there."
            )

    def end_epoch(self, score: Score | None) -> None:
        """Score the weights, keep them if they are the best, note the epoch and save."""
        position = self.position
        if score is not None:
            self.call("on_validation_start")
        scores = {} if score is None else self.evaluate(score)
        loss = position.total / max(1, position.count)
        if score is not None and self.monitor not in scores:
            raise ConfigError(f"monitor: expected one of {sorted(scores)}, got {self.monitor!r}.")
        value = scores[self.monitor] if scores else loss
        # Of equally good epochs the last: on little dev data the score is coarse, and its first maximum luck.
        better = self.gain(value, position.best) >= 0
        position.best = value if better else position.best
        # Patience measures from its own mark: many small steps add up to one that counts.
        counts = self.gain(value, position.mark) > self.config.min_improvement
        position.mark, position.waited = (value, 0) if counts else (position.mark, position.waited + 1)
        self.history.epochs.append(
            EpochRecord(
                epoch=position.epoch + 1,
                loss=loss,
                gradient_norm=position.norms / max(1, position.made),
                clipped=position.clipped / max(1, position.made),
                learning_rate=self.optimizer.param_groups[0]["lr"],
                updates=position.made,
                steps=position.steps,
                seconds=position.seconds,
                scores=dict(scores),
            )
        )
        if self.diagnosis is not None:
            self.history.measure(self.diagnosis.measured(position.epoch + 1))
        if score is not None and better:
            self.keep_best()
        self.schedule.end_epoch(counts)
        self.begin_averaging()
        self.bar.end(position.epoch, loss, scores, self.monitor, position.seconds)
        if score is not None:
            self.call("on_validation_end")
        self.call("on_train_epoch_end")
        self.call("on_epoch_end")
        position.begin_epoch()
        if self.told_to_stop():
            self.history.stopped = "callback"
        elif position.epoch >= self.last:
            self.history.stopped = "epochs"
        elif (
            score is not None and self.config.patience is not None and position.waited >= self.config.patience
        ):
            self.history.stopped = "patience"
        self.carry = Carry()
        self.save_checkpoint()

    def gain(self, value: float, before: float | None) -> float:
        """How much better a value of the monitored score is than the one before."""
        if not isfinite(value):
            return -inf
        if before is None:
            return inf
        return before - value if self.mode == "min" else value - before

    def evaluate(self, score: Score) -> dict[str, float]:
        """Scores on the dev data, of the averaged weights once there are any; all processes compute some."""
        self.model.eval()
        with torch.no_grad(), self.average.applied(self.model), dividing_work(self.accelerator):
            scores = {name: float(value) for name, value in score().items()}
        self.model.train()
        if self.accelerator.num_processes > 1:
            shared: list[Any] = [scores]
            share_objects(shared)
            scores = shared[0]
        return scores

    def keep_best(self) -> None:
        """Keep a copy of the weights that were just scored."""
        with self.average.applied(self.model):
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
            self.optimizer_state = knowledge(self.model, self.optimizer)
            self.history.best_epoch = self.position.epoch + 1
            if self.keep is not None and self.accelerator.is_main_process:
                self.keep(self.history)

    def restore_best(self) -> None:
        """Give the model its best weights; without a dev score, the averaged ones where there are any."""
        if self.best:
            self.model.load_state_dict(self.best)
        else:
            self.average.assign(self.model)

    def begin_averaging(self) -> None:
        """Let averaged SGD begin to average once the score stands still."""
        position, config = self.position, self.config
        if (
            config.optimizer == "asgd"
            and not position.averaging
            and position.waited >= config.average_patience
        ):
            position.averaging = True
            # The averaged weights are given their own patience.
            position.waited = 0

    def save_checkpoint(self) -> None:
        """Write a checkpoint, where there is a folder for it; the first process writes."""
        if self.checkpoint is None:
            return
        # A finite gradient can still have thrown the weights too far; the checkpoint before stays then.
        weights = torch.nn.utils.get_total_norm([weight.detach() for weight in self.model.parameters()])
        self.require_finite(float(weights), "norm of the weights")
        process = safetensors.torch.save(
            {
                name: tensor.to("cpu", copy=True).contiguous()
                for name, tensor in process_tensors(self.carry).items()
            }
        )
        processes = gathered(self.accelerator, process)
        if self.accelerator.is_main_process:
            tensors, values = flatten_optimizer(self.optimizer.state_dict())
            write_folder(
                self.checkpoint,
                {
                    "run.json": {
                        "position": json.loads(self.position.model_dump_json()),
                        "options": self.config.model_dump(mode="json"),
                        "batches": self.batches,
                        "processes": len(processes),
                        "optimizer": values,
                        "schedule": self.schedule.state(),
                        "clipping": self.clipping.state(),
                        "averaged": self.average.count,
                        "scaler": None
                        if self.accelerator.scaler is None
                        else self.accelerator.scaler.state_dict(),
                    }
                },
                {
                    "model.safetensors": self.model.state_dict(),
                    "optimizer.safetensors": tensors,
                    "best.safetensors": self.best,
                    _BEST_OPTIMIZER: self.optimizer_state,
                    "average.safetensors": self.average.mean,
                    **{
                        f"process-{index}.safetensors": safetensors.torch.load(content)
                        for index, content in enumerate(processes)
                    },
                },
                kind="checkpoint",
            )
        self.saved_at = time.monotonic()

    def load_checkpoint(self) -> None:
        """Put everything back as it was when the checkpoint was written.

        Raises:
            ModelFolderError: the checkpoint is truncated or corrupt, or its content does not fit.
            ConfigError: it is of a run with other options, data or processes.
        """
        assert self.checkpoint is not None
        contents = read_folder(self.checkpoint, kind="checkpoint")
        run = contents.conforming("run.json", SavedRun)
        self.require_same_run(contents, run)
        with content_fits(self.checkpoint):
            self.restore(contents, run)

    def restore(self, contents: Contents, run: SavedRun) -> None:
        """Take up the content of a checkpoint."""
        device, weights = self.accelerator.device, self.model.state_dict()
        require_alike(contents.tensors["model.safetensors"], weights)
        self.model.load_state_dict(contents.tensors["model.safetensors"])
        known = unflatten_optimizer(contents.tensors["optimizer.safetensors"], run["optimizer"])
        require_optimizer(known, self.optimizer, entries_of(self.config), run["optimizer"])
        self.optimizer.load_state_dict(known)
        require_weights_or_none(contents.tensors["best.safetensors"], weights)
        self.best = {name: tensor.to(device) for name, tensor in contents.tensors["best.safetensors"].items()}
        if _BEST_OPTIMIZER in contents.tensors:
            self.optimizer_state = dict(contents.tensors[_BEST_OPTIMIZER])
        require_weights_or_none(contents.tensors["average.safetensors"], dict(self.model.named_parameters()))
        self.average.restore(
            run["averaged"],
            {name: tensor.to(device) for name, tensor in contents.tensors["average.safetensors"].items()},
        )
        self.schedule.restore(run["schedule"])
        self.clipping.restore(run["clipping"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(run["scaler"] or {})
        self.position = Position.model_validate(run["position"])
        saved = [contents.tensors[f"process-{index}.safetensors"] for index in range(run["processes"])]
        self.carry = restore_processes(
            saved, self.accelerator.process_index, self.accelerator.num_processes, device
        )
        require_carried(self.carry, self.model)

    def require_same_run(self, contents: Contents, run: SavedRun) -> None:
        """Refuse a checkpoint of another run."""
        now: dict[str, Any] = {
            **self.config.model_dump(mode="json"),
            "batches per epoch": self.batches,
        }
        saved = {**run["options"], "batches per epoch": run["batches"]}
        # Another number of processes shares the same rows.
        rows = "rows of a batch (batch_size in each process)"
        for options, processes in ((now, self.accelerator.num_processes), (saved, run["processes"])):
            each = options.pop("batch_size", None)
            options[rows] = each * processes if isinstance(each, int) else each
        for name in sorted(saved.keys() | now.keys()):
            if name not in _FREE_OPTIONS and saved.get(name) != now.get(name):
                told = name if name in now else ascii(name)
                raise ConfigError(
                    f"resume: expected {told} = {shown(ascii(saved.get(name)))} as in the checkpoint "
                    f"{contents.path}, got {now.get(name)!r}; give the same options and data, or train anew "
                    "without resume."
                )
