"""An epoch's batches, the same whatever the number of processes that make or share them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from StrokePredictLib.errors import StrokeError

from ..recipes.schema import Recipe
from .augment import augment
from .batch import IGNORE, Batch
from .entry import Entry
from .samples import WHOLE, Sample, generator_of, read_x, read_y, samples_of, told

#: Batches that are made ahead of the network.
_AHEAD = 3


def label_limit(entries: Sequence[Entry], recipe: Recipe) -> float | None:
    """Return the core volume in mL above which a core is large: the median of the training entries.

    None for a recipe that draws maps.

    Raises
    ------
    StrokeError
        If the volumes do not differ, so that there is one class only.
    """
    if recipe.task != "classification":
        return None
    volumes = [entry.lesion_ml for entry in entries]
    limit = float(np.median(volumes)) if volumes else 0.0
    if not any(volume > limit for volume in volumes):
        raise StrokeError(
            f"the {len(volumes)} training patients have one class only: cores from {min(volumes, default=0):.1f} to "
            f"{max(volumes, default=0):.1f} mL, median {limit:.1f} mL; smaller and larger ones are needed."
        )
    return limit


def build_batches(
    entries: Sequence[Entry],
    recipe: Recipe,
    *,
    part: str = "train",
    seed: int = 0,
    fold: int = 0,
    epoch: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    label_above: float | None = None,
    prefetch: bool = True,
    first: int = 0,
) -> Batches:
    """Return an epoch's batches.

    Everything random follows from seed, fold, epoch and the sample itself: the batches do not depend on ``workers``,
    and the shares of all ranks together are the batches of a single process.

    Parameters
    ----------
    entries : sequence of Entry
        Of the part.
    recipe : Recipe
        What is shown and how it is changed.
    part : {"train", "validation"}
        Validation is in order and unchanged.
    seed, fold, epoch : int
        See above.
    rank, world : int
        This process and how many share every batch of ``recipe.training.batch`` samples.
    workers : int
        Processes that make batches; 0: a thread of this one.
    label_above : float, optional
        Of a classifier (`label_limit`).
    prefetch : bool
        False: batches are made when they are asked for.
    first : int
        Batches of the epoch to leave out.

    Raises
    ------
    StrokeError
        If there is nothing to show, or a classifier is not given its limit.
    """
    training = part == "train"
    if recipe.task == "classification" and label_above is None:
        raise StrokeError("a classifier's batches need label_above (label_limit of the training entries).")
    samples = samples_of(entries, recipe, training=training, seed=seed, fold=fold, epoch=epoch)
    maker = _Maker(list(entries), recipe, training, seed, fold, epoch, rank, world, label_above)
    size = recipe.training.batch
    chunks = [samples[start : start + size] for start in range(0, len(samples), size)]
    return Batches(maker, chunks[first:], workers, prefetch)


@dataclass(frozen=True)
class Batches(Iterable[Batch]):
    """The batches of an epoch; can be gone through again.

    Attributes
    ----------
    maker : _Maker
        Makes one.
    chunks : list of list of Sample
        Of all ranks.
    workers : int
        See `build_batches`.
    prefetch : bool
        See `build_batches`.
    """

    maker: _Maker
    chunks: list[list[Sample]]
    workers: int
    prefetch: bool

    def __len__(self) -> int:
        return len(self.chunks)

    def __getitem__(self, number: int) -> Batch:
        """Return one batch, made now."""
        return self.maker(self.chunks[number])

    def __iter__(self) -> Iterator[Batch]:
        if self.workers:
            return iter(self._loader())
        return _ahead(map(self.maker, self.chunks)) if self.prefetch else map(self.maker, self.chunks)

    def _loader(self) -> Iterable[Batch]:
        from torch.utils.data import DataLoader

        return DataLoader(self, batch_size=None, shuffle=False, num_workers=self.workers, collate_fn=_as_it_is)


@dataclass(frozen=True)
class _Maker:
    """Makes a batch of samples; small enough to send to a worker."""

    entries: list[Entry]
    recipe: Recipe
    training: bool
    seed: int
    fold: int
    epoch: int
    rank: int
    world: int
    label_above: float | None

    def __call__(self, chunk: list[Sample]) -> Batch:
        """Return this rank's share of a batch."""
        import torch

        start, stop = (len(chunk) * n // self.world for n in (self.rank, self.rank + 1))
        mine = chunk[start:stop]
        share = len(mine) * self.world / len(chunk)
        mine = mine or chunk[:1]
        chosen = [(self.entries[number], section) for number, section in mine]
        x, y = self._arrays(chosen, chunk)
        named = {"x": torch.from_numpy(x)}
        if self.recipe.view.arrangement == "sequence":
            lengths = np.array([entry.sections for entry, _ in chosen])
            named["present"] = torch.from_numpy(np.arange(x.shape[1]) < lengths[:, None])
        if self.recipe.condition is not None:
            named["told"] = torch.tensor([self._told(entry, section) for entry, section in chosen])
        ids, sections = [entry.id for entry, _ in chosen], [section for _, section in chosen]
        return Batch(named, torch.from_numpy(y), ids, sections, share)

    def _arrays(self, chosen: list[tuple[Entry, int]], chunk: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
        view, size = self.recipe.view, self.recipe.matrix[::-1]
        if self.recipe.task == "classification":
            return self._series(chosen, chunk)
        if view.arrangement == "sequence":
            # Of the whole batch, so that every process works as long.
            sections = max(self.entries[number].sections for number, _ in chunk)
            x = np.empty((len(chosen), sections, len(self.recipe.channels), *size), dtype=np.float32)
            y = np.full((len(chosen), sections, *size), IGNORE, dtype=np.uint8)
        else:
            x = np.empty((len(chosen), view.context * len(self.recipe.channels), *size), dtype=np.float32)
            y = np.empty((len(chosen), *size), dtype=np.uint8)
        for n, (entry, section) in enumerate(chosen):
            read_x(entry, section, view.context, x[n])
            read_y(entry, section, y[n])
            if self._augments:
                # Of an unequal stack only what is there.
                there = slice(0, entry.sections) if section == WHOLE else slice(None)
                x[n, there], y[n, there] = augment(
                    x[n, there], y[n, there], self.recipe.augmentation, self._generator(entry, section),
                    len(self.recipe.channels),
                )  # fmt: skip
        return x, y

    def _series(self, chosen: list[tuple[Entry, int]], chunk: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
        x = np.empty((len(chosen), *chosen[0][0].shape), dtype=np.float32)
        by_batch = self.training and self.recipe.sampling.normalise_by == "batch"
        everyone = [self.entries[number] for number, _ in chunk]
        for n, (entry, section) in enumerate(chosen):
            read_x(entry, section, 1, x[n])
            mean, deviation = _moments(everyone if by_batch else [entry])
            x[n] = (x[n] - np.float32(mean)) / np.float32(deviation)
            if self._augments:
                x[n], _ = augment(x[n], None, self.recipe.augmentation, self._generator(entry, section))
        large = [[entry.lesion_ml > self.label_above] for entry, _ in chosen]
        return x, np.array(large, dtype=np.float32)

    @property
    def _augments(self) -> bool:
        return self.training and self.recipe.augmentation.enabled

    def _generator(self, entry: Entry, section: int) -> np.random.Generator:
        return generator_of(self.seed, self.fold, self.epoch, entry, section)

    def _told(self, entry: Entry, section: int) -> list[float]:
        generator = self._generator(entry, section).spawn(1)[0] if self.training else None
        return told(entry, self.recipe.condition, generator)


def _moments(entries: Sequence[Entry]) -> tuple[float, float]:
    """Return mean and standard deviation of several series of one size, without reading them."""
    means = np.array([entry.mean for entry in entries])
    squares = np.array([entry.deviation for entry in entries]) ** 2 + means**2
    return float(means.mean()), float(np.sqrt(squares.mean() - means.mean() ** 2))


def _as_it_is(batch: Batch) -> Batch:
    return batch


def _ahead(source: Iterator[Batch]) -> Iterator[Batch]:
    """Yield what a thread makes a few batches ahead; its error is raised here, and it ends when nobody listens."""
    ready: queue.Queue = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: tuple[bool, object]) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for batch in source:
                if not put((True, batch)):
                    return
            put((False, None))
        except BaseException as error:  # handed over to the thread that listens
            put((False, error))

    thread = threading.Thread(target=work, daemon=True, name="batches")
    thread.start()
    try:
        while True:
            there, item = ready.get()
            if there:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        stopped.set()
        thread.join()
