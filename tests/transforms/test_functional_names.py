import pytest
import torch
from torch.utils.data import IterDataPipe
from torch_geometric.data.datapipes import DatasetAdapter
from torch_geometric.transforms import BaseTransform

from pyg_vision import transforms
from pyg_vision.transforms import KNNEdges, ToPatchNodes

NAMES = {
    "KNNEdges": "knn_edges",
    "ToGridGraph": "to_grid_graph",
    "ToPatchNodes": "to_patch_nodes",
    "ToPixelNodes": "to_pixel_nodes",
    "SkeletonEdges": "skeleton_edges",
    "JointToBone": "joint_to_bone",
    "JointToMotion": "joint_to_motion",
    "SkeletonStream": "skeleton_stream",
    "CenterSkeleton": "center_skeleton",
    "CenterByScore": "center_by_score",
    "ScaleSkeleton": "scale_skeleton",
    "SampleFrames": "sample_frames",
    "AlignSkeleton": "align_skeleton",
    "NormalizePixels": "normalize_pixels",
    "KeepCoordinates": "keep_coordinates",
    "CropResizeFrames": "crop_resize_frames",
    "FirstPersons": "first_persons",
    "UniformSampleFrames": "uniform_sample_frames",
    "RandomChooseFrames": "random_choose_frames",
    "RandomShiftFrames": "random_shift_frames",
    "PadFrames": "pad_frames",
    "RandomRotateSkeleton": "random_rotate_skeleton",
    "RandomScaleSkeleton": "random_scale_skeleton",
    "RandomFlipSkeleton": "random_flip_skeleton",
    "RandomMoveSkeleton": "random_move_skeleton",
    "ToLayout": "to_layout",
    "InterpolateJoints": "interpolate_joints",
    "SmoothJoints": "smooth_joints",
    "TopPersons": "top_persons",
    "TrackPersons": "track_persons",
}


def test_every_transform_has_a_name():
    kinds = {
        name
        for name in transforms.__all__
        if isinstance(kind := getattr(transforms, name), type) and issubclass(kind, BaseTransform)
    }
    assert set(NAMES) == kinds


@pytest.mark.parametrize("cls", NAMES)
def test_every_transform_documents_the_name_it_is_registered_under(cls):
    first = " ".join(getattr(transforms, cls).__doc__.split("\n\n")[0].split())
    assert first.endswith(f"(functional name: :obj:`{NAMES[cls]}`).")
    assert NAMES[cls] in IterDataPipe.functions


def test_names_work_on_data_pipes():
    images = torch.rand(3, 1, 4, 4)
    pipe = DatasetAdapter(list(images)).to_patch_nodes(2).knn_edges(k=2)
    for data, image in zip(pipe, images, strict=True):
        expected = KNNEdges(2)(ToPatchNodes(2)(image))
        assert torch.equal(data.x, expected.x)
        assert torch.equal(data.edge_index, expected.edge_index)
