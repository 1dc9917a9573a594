r"""Training, by Lightning; it needs the extra :obj:`train`."""

from pyg_vision.training._checkpoint_io import AtomicCheckpointIO
from pyg_vision.training._classifier import Classifier
from pyg_vision.training._data_module import KeyedDataModule, ResumableLoader
from pyg_vision.training._keeper import Keeper, NonFiniteLossError
from pyg_vision.training._progress import Progress
from pyg_vision.training._run_folder import RunError, RunFolder
from pyg_vision.training.augment import RandAugmentIncreasing
from pyg_vision.training.command import fit
from pyg_vision.training.folders import check_same_classes, share_of_classes, split_folders
from pyg_vision.training.graph_data import DigitsData, NumberedGraphs
from pyg_vision.training.image_classifier import ImageClassifier
from pyg_vision.training.image_data import (
    ColorImages,
    ImageData,
    ImageFolderData,
    NumberedImages,
    TorchvisionData,
)
from pyg_vision.training.report import count_macs, write_report
from pyg_vision.training.sampling import (
    DataError,
    IndexedDataset,
    KeyedBatches,
    KeyedDataset,
    SampleKey,
    Share,
)
from pyg_vision.training.schedule import Schedule
from pyg_vision.training.shard_data import FirstSamples, ShardData, ShardStream, find_shards
from pyg_vision.training.skeleton_classifier import SkeletonClassifier
from pyg_vision.training.skeleton_data import (
    SkeletonArraysData,
    SkeletonData,
    SkeletonFolderData,
    SkeletonSplits,
)
from pyg_vision.training.sync_norm import (
    AnyBatchNorm,
    ProcessBatchNorm,
    ProcessSum,
    SyncNorms,
)
from pyg_vision.training.table_data import ImageTableData, TableImages, TableRow

__all__ = [
    "AnyBatchNorm",
    "AtomicCheckpointIO",
    "Classifier",
    "ColorImages",
    "DataError",
    "DigitsData",
    "FirstSamples",
    "ImageClassifier",
    "ImageData",
    "ImageFolderData",
    "ImageTableData",
    "IndexedDataset",
    "Keeper",
    "KeyedBatches",
    "KeyedDataModule",
    "KeyedDataset",
    "NonFiniteLossError",
    "NumberedGraphs",
    "NumberedImages",
    "ProcessBatchNorm",
    "ProcessSum",
    "Progress",
    "RandAugmentIncreasing",
    "ResumableLoader",
    "RunError",
    "RunFolder",
    "SampleKey",
    "Schedule",
    "ShardData",
    "ShardStream",
    "Share",
    "SkeletonArraysData",
    "SkeletonClassifier",
    "SkeletonData",
    "SkeletonFolderData",
    "SkeletonSplits",
    "SyncNorms",
    "TableImages",
    "TableRow",
    "TorchvisionData",
    "check_same_classes",
    "count_macs",
    "find_shards",
    "fit",
    "share_of_classes",
    "split_folders",
    "write_report",
]
