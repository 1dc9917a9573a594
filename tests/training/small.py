"""Small trainings for tests."""

from lightning.pytorch import Trainer

from pyg_vision.training import (
    AtomicCheckpointIO,
    ImageClassifier,
    ImageFolderData,
    Keeper,
    SkeletonClassifier,
    SkeletonData,
)


def skeletons(**options):
    """A module and its data: dropout and random views."""
    data = SkeletonData(
        "SyntheticMotion",
        batch_size=4,
        options={"num_sequences": 14},
        train_transforms=[
            {"CenterSkeleton": {"joint": "neck"}},
            {"RandomRotateSkeleton": {"degrees": 10}},
        ],
        test_transforms=[{"CenterSkeleton": {"joint": "neck"}}],
    )
    model = {"in_channels": 3, "stages": [(4, 1, 1), (8, 1, 2)], "dropout": 0.2}
    module = SkeletonClassifier("stgcn", options=model, lr=1e-2, **{"ema": 0.9, **options})
    return module, data


def images(root, num_workers=0, **options):
    """A module and its data: dropout, drop path, mixup, cutmix, RandAugment, erasing, repeats."""
    data = ImageFolderData(
        str(root),
        image_size=16,
        batch_size=4,
        rand_augment="m9-mstd0.5-inc1",
        erasing=0.5,
        repeats=2,
        num_workers=num_workers,
    )
    model = {
        "channels": 16, "depth": 2, "k": 3, "image_size": 16, "patch_size": 4,
        "drop_path": 0.2, "dropout": 0.1, "use_dilation": False,
    }  # fmt: skip
    given = {"mixup": 0.8, "cutmix": 1.0, "ema": 0.9, "label_smoothing": 0.1, **options}
    return ImageClassifier("pyg_vision.nn.ViG", options=model, lr=1e-2, **given), data


def trainer(folder, keeper=None, **options):
    given = {
        "max_epochs": 3,
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "callbacks": [Keeper(folder, every_n_steps=1) if keeper is None else keeper],
        "plugins": [AtomicCheckpointIO()],
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
        "default_root_dir": folder,
        **options,
    }
    return Trainer(**given)
