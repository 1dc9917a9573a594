r"""What the training of images and of skeletons has in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn import Module
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel
from torch_geometric.data import Data

from pyg_vision.nn import find_builder
from pyg_vision.training._evaluation import SCORES, Predictions, classification_loss, summarise
from pyg_vision.training._seeding import seeded, set_seed
from pyg_vision.training.schedule import Kind, Schedule

OPTIMIZERS = ("adamw", "sgd")
# Losses that wait on the device before they are added up.
UNREAD = 50


class Classifier(LightningModule):
    r"""Trains a model that classifies.

    It is the base of :class:`ImageClassifier` and :class:`SkeletonClassifier`. The loss is
    cross-entropy; of data whose samples have any number of labels, binary cross-entropy, the mean
    over samples and classes. All random numbers of a step (dropout, drop path, mixup) follow from
    the seed, the epoch and the number of the batch, so that a training which is resumed goes on
    exactly as if it had not stopped.

    Args:
        model (str): A name of :func:`~pyg_vision.nn.list_models`, or the path of any function
            that makes a model, such as :obj:`"torchvision.models.resnet18"`.
        options (dict, optional): The arguments of the model, but for :obj:`num_classes`.
            (default: none)
        num_classes (int, optional): The number of classes, if not that of the data.
            (default: :obj:`None`)
        optimizer (str, optional): :obj:`"adamw"` or :obj:`"sgd"`. (default: :obj:`"adamw"`)
        lr (float, optional): The largest learning rate. (default: :obj:`2e-3`)
        lr_batch (int, optional): The global batch that :obj:`lr` is for; the rate is in proportion
            to the batch. If :obj:`None`, it is as given. (default: :obj:`None`)
        weight_decay (float, optional): The weight decay. (default: :obj:`0.05`)
        decay_all (bool, optional): Whether biases and norms decay, too. (default: :obj:`False`)
        momentum (float, optional): The Nesterov momentum of :obj:`"sgd"`. (default: :obj:`0.9`)
        schedule (str, optional): :obj:`"cosine"`, :obj:`"steps"` or :obj:`"constant"`, see
            :class:`Schedule`. (default: :obj:`"cosine"`)
        warm_up (float, optional): The epochs of the warm-up. (default: :obj:`0.0`)
        warm_up_lr (float, optional): The learning rate that it begins with. (default: :obj:`1e-6`)
        min_lr (float, optional): The learning rate that the cosine ends with.
            (default: :obj:`0.0`)
        milestones (list of int, optional): After how many epochs the rate steps down.
            (default: none)
        factor (float, optional): By which. (default: :obj:`0.1`)
        timm_schedule (bool, optional): Whether the cosine is that of timm: from epoch 0 on beneath
            the warm-up, and in steps of an epoch. (default: :obj:`False`)
        ema (float, optional): The decay of an exponential moving average of the weights, with
            which is evaluated. (default: :obj:`None`)
        label_smoothing (float, optional): The label smoothing. (default: :obj:`0.0`)
        seed (int, optional): The seed of weights and steps. (default: :obj:`0`)

    Raises:
        ValueError: If there is no such model, optimiser or schedule.

    Example:
        >>> from pyg_vision.training import Classifier
        >>> class TensorClassifier(Classifier):
        ...     def run(self, model, batch):
        ...         x, labels, index = batch
        ...         return model(x), labels, index
        >>> module = TensorClassifier("torchvision.models.resnet18", optimizer="sgd", lr=0.1)
        >>> module.build(["cat", "dog"])
        >>> module.trained.fc.out_features
        2
    """

    unit = "samples"

    def __init__(
        self,
        model: str,
        options: dict[str, Any] | None = None,
        num_classes: int | None = None,
        optimizer: Literal["adamw", "sgd"] = "adamw",
        lr: float = 2e-3,
        lr_batch: int | None = None,
        weight_decay: float = 0.05,
        decay_all: bool = False,
        momentum: float = 0.9,
        schedule: Kind = "cosine",
        warm_up: float = 0.0,
        warm_up_lr: float = 1e-6,
        min_lr: float = 0.0,
        milestones: Sequence[int] = (),
        factor: float = 0.1,
        timm_schedule: bool = False,
        ema: float | None = None,
        label_smoothing: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"'optimizer' must be 'adamw' or 'sgd' (got {optimizer!r})")
        if ema is not None and not 0.0 < ema < 1.0:
            raise ValueError(f"'ema' must be between 0 and 1 (got {ema})")
        check_rates(lr=lr, min_lr=min_lr, warm_up_lr=warm_up_lr)
        for name, value in (("weight_decay", weight_decay), ("warm_up", warm_up)):
            if not value >= 0:
                raise ValueError(f"'{name}' must not be negative (got {value})")
        for name, value in (("momentum", momentum), ("label_smoothing", label_smoothing)):
            if not 0.0 <= value < 1.0:
                raise ValueError(f"'{name}' must be from 0 to below 1 (got {value})")
        if not 0.0 < factor <= 1.0:
            raise ValueError(f"'factor' must be above 0 and at most 1 (got {factor})")
        if lr_batch is not None and lr_batch < 1:
            raise ValueError(f"'lr_batch' must be at least 1 (got {lr_batch})")
        find_builder(model)
        self.save_hyperparameters()
        self.model: Module | None = None
        self.ema: AveragedModel | None = None
        # The sum of the losses of an epoch, and of how many samples; of this process alone.
        self.loss_sums = [0.0, 0.0]
        self.unread: list[Tensor] = []
        self.predictions = Predictions()
        self.classes: list[str] = []
        self.multi_label = False
        self.options: dict[str, Any] = {}
        self.results: dict[str, Any] = {}
        self.mean_loss = math.nan

    def setup(self, stage: str) -> None:
        r"""Makes the model, with as many classes as the data has.

        Args:
            stage (str): What the trainer is about to do.
        """
        if self.model is not None:
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        self.build(data.classes, data.model_options(), data.multi_label)

    def build(
        self,
        classes: Sequence[str],
        options: Mapping[str, Any] | None = None,
        multi_label: bool = False,
    ) -> None:
        r"""Makes the model.

        Args:
            classes (list of str): The names of the classes.
            options (dict, optional): Arguments of the model where :obj:`options` of this class
                has none, such as the data tell. (default: none)
            multi_label (bool, optional): Whether a sample has any number of labels, zeros and ones
                :math:`(K)`, in place of one class. (default: :obj:`False`)

        Raises:
            ValueError: If another number of classes was given.
        """
        if multi_label and not classes:
            raise ValueError("there must be at least one label")
        if not multi_label and len(classes) < 2:
            raise ValueError(
                f"there must be two classes or more (got {list(classes)}); is the folder of the "
                f"data the one that holds the folders of the classes?"
            )
        wanted = self.hparams["num_classes"]
        if wanted is not None and wanted != len(classes):
            raise ValueError(f"the model has {wanted} classes, but the data {len(classes)}")
        self.classes, self.multi_label = list(classes), multi_label
        build = find_builder(self.hparams["model"])
        self.options = {**(options or {}), **(self.hparams["options"] or {})}
        with seeded(self.hparams["seed"], "weights"):
            self.model = build(num_classes=len(classes), **self.options)
        if self.hparams["ema"] is not None:
            average = partial(_move_averages, decay=self.hparams["ema"])
            self.ema = AveragedModel(self.model, multi_avg_fn=average, use_buffers=True)
            self.ema.requires_grad_(False)

    @property
    def trained(self) -> Module:
        r"""The model that is trained."""
        if self.model is None:
            raise RuntimeError("there is no model yet; call build() first")
        return self.model

    @property
    def evaluated(self) -> Module:
        r"""The model that is evaluated: the average of the weights where there is one."""
        return self.trained if self.ema is None else self.ema.module

    def run(self, model: Module, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        r"""Returns logits, labels and the numbers of the samples of a batch.

        Args:
            model (torch.nn.Module): The model.
            batch: What the data module makes.
        """
        raise NotImplementedError

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        r"""Casts the features of graphs where the model is in double precision: Lightning casts
        tensors alone.
        """
        dtype = next(self.trained.parameters()).dtype
        for graph in batch if isinstance(batch, list) else [batch]:
            if isinstance(graph, Data) and dtype == torch.float64:
                graph.x = graph.x.to(dtype)
        return batch

    def mix(self, batch: Any) -> Any:
        r"""Returns what the model is trained on instead of a batch.

        Args:
            batch: What the data module makes.
        """
        return batch

    def training_loss(self, batch: Any) -> tuple[Tensor, int]:
        r"""Returns the mean loss over the samples of a batch, and their number.

        Args:
            batch: What :meth:`mix` returned.
        """
        logits, labels, _ = self.run(self.trained, batch)
        return self.label_loss(logits, labels), logits.size(0)

    def label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        r"""Returns the loss of logits.

        Args:
            logits (torch.Tensor): The logits.
            labels (torch.Tensor): The labels.
        """
        smoothing = self.hparams["label_smoothing"]
        return classification_loss(logits, labels, self.multi_label, smoothing)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        r"""Returns the loss of a batch."""
        set_seed(self.hparams["seed"], "step", self.current_epoch, batch_idx, self.global_rank)
        loss, size = self.training_loss(self.mix(batch))
        own = loss.new_tensor(float(size))
        self.unread.append(torch.stack((loss.detach() * size, own)))
        if len(self.unread) >= UNREAD:
            self._read()
        if self.trainer.world_size > 1:
            # Gradients are averaged over processes, one of which may have a sample less.
            total = self.trainer.strategy.reduce(own.clone(), reduce_op="sum")
            loss = loss * (own * self.trainer.world_size / total)
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        r"""Takes a step, and the average of the weights with it."""
        super().optimizer_step(*args, **kwargs)
        if self.ema is not None:
            self.ema.update_parameters(self.trained)

    def on_train_epoch_start(self) -> None:
        r"""Forgets the evaluation of the epoch before."""
        self.results = {}

    def on_train_epoch_end(self) -> None:
        r"""Reports the mean loss of an epoch."""
        total, count = self._all_sums()
        self.mean_loss = total / count
        self.log("train/loss", self.mean_loss)
        self.loss_sums = [0.0, 0.0]

    def _read(self) -> None:
        r"""Adds up what is on the device, of which each number would be waited for."""
        for pair in torch.stack(self.unread).double().cpu().tolist() if self.unread else []:
            self.loss_sums = [total + one for total, one in zip(self.loss_sums, pair, strict=True)]
        self.unread = []

    def _all_sums(self) -> tuple[float, float]:
        r"""Returns the sums over all processes."""
        self._read()
        sums = torch.tensor(self.loss_sums, dtype=torch.float64, device=self.device)
        if self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums, reduce_op="sum")
        total, count = sums.tolist()
        return total, count

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        r"""Adds the losses of the epoch so far, of all processes."""
        checkpoint["losses"] = list(self._all_sums())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        r"""Takes them, in one process."""
        self.loss_sums = [0.0, 0.0]
        if self.global_rank == 0 and "losses" in checkpoint:
            self.loss_sums = list(checkpoint["losses"])

    def _evaluate(self, batch: Any) -> None:
        self.predictions.update(*self.run(self.evaluated, batch))

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        r"""Evaluates a batch."""
        self._evaluate(batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        r"""Evaluates a batch."""
        self._evaluate(batch)

    def _report(self, what: str) -> None:
        found = self.predictions.compute()
        self.predictions.reset()
        self.results = summarise(found["logits"], found["labels"])
        self.results["predictions"] = found
        for name in ("loss", *SCORES):
            if name in self.results:
                self.log(f"{what}/{name}", self.results[name])

    def on_validation_epoch_end(self) -> None:
        r"""Reports loss and scores."""
        self._report("val")

    def on_test_epoch_end(self) -> None:
        r"""Reports loss and scores."""
        self._report("test")

    def configure_optimizers(self) -> Any:
        r"""Makes the optimiser and its schedule."""
        rate = self.hparams["lr"]
        if self.hparams["lr_batch"] is not None:
            rate = rate * self._global_batch / self.hparams["lr_batch"]
        optimizer = self._optimizer(rate)
        schedule = self.make_schedule(self.trainer.max_epochs, rate)
        self.trainer.fit_loop.setup_data()
        steps = math.ceil(self.trainer.num_training_batches / self.trainer.accumulate_grad_batches)
        scheduler = LambdaLR(optimizer, lambda step: schedule(step / steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def make_schedule(self, epochs: int | None, rate: float | None = None) -> Schedule:
        r"""Returns the schedule of a training.

        Args:
            epochs (int): The number of epochs.
            rate (float, optional): The largest learning rate. (default: :obj:`lr`)

        Raises:
            ValueError: If the epochs are fewer than those of the warm-up.
        """
        given = self.hparams
        rate = given["lr"] if rate is None else rate
        if epochs is None or epochs < 1:
            raise ValueError(f"'trainer.max_epochs' must be at least 1 (got {epochs})")
        return Schedule(
            given["schedule"],
            epochs,
            warm_up=given["warm_up"],
            warm_up_from=given["warm_up_lr"] / rate,
            lowest=given["min_lr"] / rate,
            milestones=given["milestones"],
            factor=given["factor"],
            from_start=given["timm_schedule"],
            by_epoch=given["timm_schedule"],
        )

    @property
    def _global_batch(self) -> int:
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        batch: int = data.batch_size * self.trainer.world_size
        return batch * self.trainer.accumulate_grad_batches

    def _optimizer(self, rate: float) -> Optimizer:
        given = self.hparams
        whole: list[Any] = []
        rest: list[Any] = []
        for name, parameter in self.trained.named_parameters():
            spared = parameter.dim() <= 1 or name.endswith("bias")
            (rest if spared and not given["decay_all"] else whole).append(parameter)
        groups = [
            {"params": whole, "weight_decay": given["weight_decay"]},
            {"params": rest, "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        if given["optimizer"] == "adamw":
            return AdamW(groups, lr=rate)
        return SGD(groups, lr=rate, momentum=given["momentum"], nesterov=given["momentum"] > 0)


@torch.no_grad()
def _move_averages(
    averages: list[Tensor], values: list[Tensor], num_averaged: Tensor, decay: float
) -> None:
    r"""Moves averages towards values of one data type. What is not floating-point, such as the
    graph of a model, is taken as it is: torch's own average of integers truncates them.
    """
    if averages[0].is_floating_point():
        torch._foreach_lerp_(averages, values, 1.0 - decay)
    else:
        torch._foreach_copy_(averages, values)


def check_fit(module: Classifier, data: Any) -> None:
    r"""Runs the model on a test sample, which shows whether it takes the data.

    Args:
        module (Classifier): The module, whose model is built.
        data (KeyedDataModule): The data, which is read.

    Raises:
        ValueError: If the model raises, or returns something else than a logit for each class, or
            the labels are of another kind than the data say.
    """
    batch = data.example()
    model = module.trained.eval()
    try:
        with torch.no_grad():
            logits, labels = module.run(model, batch)[:2]
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of whatever the model does
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"the model does not take the data: {reason}") from error
    finally:
        model.train()
    expected = (1, len(module.classes))
    if not isinstance(logits, Tensor) or tuple(logits.shape) != expected:
        found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(
            f"the model must return a logit for each of {expected[1]} classes (got {found})"
        )
    wanted = expected if module.multi_label else expected[:1]
    if tuple(labels.shape) != wanted:
        kind = f"{expected[1]} zeros and ones" if module.multi_label else "one class"
        raise ValueError(f"the labels of a sample must be {kind} (got shape {[*labels.shape[1:]]})")


def check_rates(lr: float, min_lr: float, warm_up_lr: float) -> None:
    r"""Refuses learning rates that are not positive or not in order.

    Args:
        lr (float): The largest one.
        min_lr (float): That of the end.
        warm_up_lr (float): That of the beginning.

    Raises:
        ValueError: If one is negative or larger than the largest.
    """
    if not 0.0 < lr < math.inf:
        raise ValueError(f"'lr' must be positive (got {lr})")
    for name, value in (("min_lr", min_lr), ("warm_up_lr", warm_up_lr)):
        if not 0.0 <= value <= lr and not (name == "warm_up_lr" and value <= 1e-6):
            raise ValueError(f"'{name}' must be from 0 to 'lr' = {lr} (got {value})")
