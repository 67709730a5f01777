"""The training itself: plain CTC steps over batches of like width, that a kill interrupts and nothing else.

kraken's own trainer pads every batch to 2,560 pixels and compiles the network, which no CPU bears; its networks, codecs
and formats are used as they are. Batch normalisation stays as it was learnt from many pages.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from archive_pipeline.errors import ArchiveError
from archive_pipeline.training.free_memory import give_free_memory_back
from archive_pipeline.training.recognition.augmentation import augmented
from archive_pipeline.training.recognition.batches import batch_at, parts, usual_batch
from archive_pipeline.training.recognition.checkpoint import State, Tensors
from archive_pipeline.training.recognition.lines import CutLine
from archive_pipeline.training.recognition.network import TrainableNetwork
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.recognition.rates import LINES_READ, share, usual_rate
from archive_pipeline.training.recognition.reading import character_error_rate, read_lines
from archive_pipeline.training.recognition.recipe import Limits, Plan, Recipe
from archive_pipeline.training.recognition.tensors import batch_tensor

CHECKPOINT = "checkpoint.safetensors"
OUT_OF_TIME = "its time was over; started again, it goes on"
_CHECKPOINT_SECONDS = 30.0
_MEASURED = 6  # batches by which the speed is measured
_GIVEN_BACK = 10  # batches after which freed memory goes back to the kernel
_APART = 1000.0  # of a loss: that of a network that knows nothing is below ten
_WORSE, _WORSE_POINTS = 1.5, 5.0  # than at its best, in percent of CER, is no noise
_PART = 3200  # pixels of lines that are on their way through the network at once, on a CPU: what takes the memory
_PART_GPU = 16 * _PART  # a card has room for more, but not for sixty-four of the widest lines


class TrainingEnded(ArchiveError):
    """A training that went beyond what it may take; its checkpoint is kept."""

    default_remedy = (
        "Give it more (ARCHIVE_TRAINING_MEMORY_MB, in containers ARCHIVE_RUN_MEMORY); it then goes on where it stopped."
    )


class CameApart(ArchiveError):
    """A training whose steps were too large: it forgets what it knew, or its loss grew beyond all measure."""

    default_remedy = "Look at the ground truth (ground-truth check), or begin with another base."


class Learning:
    """One training of a network.

    Args:
        network: Its characters are learnt already.
        train, validate: Lines to learn from, and to see by how well it does on the way; the latter may be none.

    Attributes:
        batch: Lines in a batch.
        device: What it is done on.
    """

    def __init__(
        self, network: TrainableNetwork, train: Sequence[CutLine], validate: Sequence[CutLine], recipe: Recipe
    ) -> None:
        self._network, self._train, self._validate, self._recipe = network, train, validate, recipe
        self.device = _device()
        torch.set_num_threads(recipe.threads)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        self._module = network.module.to(self.device)
        self._widths = [line.strip.shape[1] for line in train]
        self._labels = [network.labels(line.text) for line in train]
        self.batch = recipe.batch or usual_batch(self._widths, network.height)
        self._half = trains_in_halves()
        self._loss = nn.CTCLoss(blank=0, zero_infinity=True)

    def usual_rate(self) -> float:
        """The learning rate for these lines."""
        lines = self._train[:: max(1, len(self._train) // LINES_READ)]
        read = read_lines(self._network, lines, self.device)
        return usual_rate(character_error_rate((line.text for line in lines), read))

    def steps_within(self, minutes: float) -> int:
        """How many batches fit into that time, by a few of them."""
        started = 0.0
        for step in range(_MEASURED + 1):
            if step == 1:  # the first one is slower than all others
                started = time.monotonic()
            self._learn_from(step * 7)
        self._module.zero_grad()
        each = (time.monotonic() - started) / _MEASURED
        # What is left goes to evaluations and checkpoints.
        return max(1, int(minutes * 60 * 0.9 / each))

    def run(self, plan: Plan, key: str, limits: Limits, folder: Path, told: Callable[[Progress], None]) -> State:
        """Train, from the checkpoint in the folder if it is of this very training.

        Args:
            key: Digest of all that the result depends on.
            folder: For the checkpoint.

        The network then has the best weights, by the pages for validation, or else the last.

        Raises:
            TrainingEnded: It takes more memory than it may.
            CameApart: Its steps are too large for these lines, and it has no weights yet that are worth keeping.
            StorageError: The checkpoint cannot be read or written.
        """
        recipe, steps = self._recipe, plan.steps
        optimiser = self._optimiser()
        tensors = Tensors(self._module, optimiser, average=recipe.average > 0)
        state = tensors.load(folder / CHECKPOINT, key) or State(key)
        every = max(1, steps // recipe.evaluations)
        if state.ended == OUT_OF_TIME:
            state.ended = ""
        started = saved = time.monotonic()
        began = started - state.seconds
        while state.step < steps and not state.ended:
            try:
                self._step(state, plan, optimiser, tensors)
            except CameApart as error:
                if not tensors.best or _is_early(state, steps):
                    raise
                state.ended = f"{error.what}; the weights are its best ones before that"
                break
            state.seconds = time.monotonic() - began
            out_of_time = time.monotonic() - started > limits.minutes * 60
            if state.step % every == 0 or state.step == steps or out_of_time:
                self._evaluate(state, steps, tensors, told, last=out_of_time)
                saved = 0.0
                if recipe.patience and state.waited >= recipe.patience:
                    state.ended = f"no better for {state.waited} evaluations"
                elif out_of_time:
                    state.ended = OUT_OF_TIME
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                tensors.save(folder / CHECKPOINT, state)
                saved = time.monotonic()
                _watch_memory(limits.memory_mb)
        tensors.save(folder / CHECKPOINT, state)
        tensors.exchange(tensors.best or tensors.mean)
        return state

    def _step(self, state: State, plan: Plan, optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
        recipe = self._recipe
        rate = plan.learning_rate * share(state.step, plan.steps, recipe.warm_up)
        for group in optimiser.param_groups:
            group["lr"] = rate
        self._module.train()
        optimiser.zero_grad()
        loss = self._learn_from(state.step)
        nn.utils.clip_grad_norm_(self._module.parameters(), recipe.clip)
        optimiser.step()
        state.step += 1
        if state.step % _GIVEN_BACK == 0:
            give_free_memory_back()
        if recipe.average:
            tensors.follow(min(recipe.average, (1 + state.step) / (10 + state.step)))
        if not loss < _APART:  # nor is it where it is no number
            raise CameApart(f"the training has come apart at step {state.step}: its loss is {loss:.0f} a character")
        state.losses = (state.losses[0] + loss, state.losses[1] + 1)

    def _learn_from(self, step: int) -> float:
        """Add the gradients of the batch of a step, and give its loss; all that is drawn is drawn by the step."""
        recipe = self._recipe
        torch.manual_seed((recipe.seed << 32) + step)  # dropout
        epoch, chosen = batch_at(self._widths, self.batch, recipe.seed, step)
        most = _PART if self.device.type == "cpu" else _PART_GPU
        total = 0.0
        for part in parts(chosen, self._widths, most):
            loss = self._loss_of(part, epoch) * (len(part) / len(chosen))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def _loss_of(self, chosen: Sequence[int], epoch: int) -> torch.Tensor:
        """The mean loss of some lines, for each character."""
        recipe = self._recipe
        strips = [
            augmented(self._train[index].strip, recipe.augmentation, np.random.default_rng([recipe.seed, epoch, index]))
            for index in chosen
        ]
        batch, widths = batch_tensor(strips, self._network.channels)
        batch = batch.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            logits, lengths = self._module(batch, widths.to(self.device))
        labels = [self._labels[index] for index in chosen]
        loss: torch.Tensor = self._loss(
            logits.float().squeeze(2).permute(2, 0, 1).log_softmax(2),
            torch.tensor([label for line in labels for label in line], device=self.device),
            lengths,
            torch.tensor([len(line) for line in labels], device=self.device),
        )
        return loss

    def _evaluate(
        self, state: State, steps: int, tensors: Tensors, told: Callable[[Progress], None], *, last: bool
    ) -> None:
        cer = None
        if self._validate:
            tensors.exchange(tensors.mean)
            read = read_lines(self._network, self._validate, self.device)
            tensors.exchange(tensors.mean)
            cer = character_error_rate((line.text for line in self._validate), read)
            best = state.best_cer
            far_worse = best is not None and cer > max(best * _WORSE, best + _WORSE_POINTS)
            if far_worse and _is_early(state, steps) and not last:
                worse = f"it reads with a CER of {cer:.1f} % what it read with {best:.1f} %"
                raise CameApart(f"the training has come apart at step {state.step}: {worse}")
            if best is None or cer < best:
                state.best_cer, state.best_step, state.waited = cer, state.step, 0
                tensors.keep_best()
            else:
                state.waited += 1
        loss = state.losses[0] / max(state.losses[1], 1)
        state.losses = (0.0, 0)
        state.curve.append({"step": state.step, "loss": loss, "cer": cer, "seconds": round(state.seconds, 1)})
        epoch, _ = batch_at(self._widths, self.batch, self._recipe.seed, state.step)
        told(Progress(state.step, steps, epoch, loss, cer, state.seconds))

    def _optimiser(self) -> torch.optim.AdamW:
        weights = [each for each in self._module.parameters() if each.requires_grad]
        groups = [
            {"params": [each for each in weights if each.ndim > 1], "weight_decay": self._recipe.weight_decay},
            {"params": [each for each in weights if each.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups)  # the rate is set at each step


def _is_early(state: State, steps: int) -> bool:
    """Whether another beginning is worth more than the best weights so far."""
    return state.step <= steps / 2


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def trains_in_halves() -> bool:
    """Whether the processor multiplies bfloat16 faster than float32; others only make it worse."""
    if _device().type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_amx_tile_supported())


def _watch_memory(most_mb: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if used > most_mb:
        raise TrainingEnded(f"the training takes {used:,} MB of memory, and may take {most_mb:,}")
