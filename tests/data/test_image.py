import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.loader import DataLoader

from pyg_vision.data import fold_batch, grid_pos, image_graph, image_to_patches, patches_to_image

DTYPES = [
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.uint8,
    torch.int64,
    torch.bool,
]
small = st.integers(1, 4)
pairs = st.tuples(small, small)


def random_image(shape, dtype=torch.float):
    image = torch.randint(0, 256, shape)
    return image.to(dtype) if not dtype.is_floating_point else (image / 256).to(dtype)


def graphs(count, size=(4, 6), patch=2):
    return [image_graph(torch.rand(3, *size), patch) for _ in range(count)]


def test_features_are_ordered_channel_row_column_and_nodes_row_major():
    image = torch.arange(2 * 4 * 6).view(2, 4, 6)
    x = image_to_patches(image, (2, 3))
    assert x.tolist() == [
        [0, 1, 2, 6, 7, 8, 24, 25, 26, 30, 31, 32],
        [3, 4, 5, 9, 10, 11, 27, 28, 29, 33, 34, 35],
        [12, 13, 14, 18, 19, 20, 36, 37, 38, 42, 43, 44],
        [15, 16, 17, 21, 22, 23, 39, 40, 41, 45, 46, 47],
    ]


def test_patches_are_those_of_unfold():
    image = torch.rand(2, 3, 8, 12)
    expected = torch.nn.functional.unfold(image, (4, 2), stride=(4, 2)).mT
    assert torch.equal(image_to_patches(image, (4, 2)), expected)


@given(channels=small, grid=pairs, patch=pairs, batch=st.lists(small, max_size=1), data=st.data())
def test_cutting_and_folding_lose_nothing(channels, grid, patch, batch, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    size = (grid[0] * patch[0], grid[1] * patch[1])
    image = random_image((*batch, channels, *size), dtype)
    x = image_to_patches(image, patch)
    assert x.shape == (*batch, grid[0] * grid[1], channels * patch[0] * patch[1])
    assert x.dtype == dtype
    assert x.is_contiguous()
    back = patches_to_image(x, grid, patch)
    assert back.is_contiguous()
    assert back.dtype == dtype
    assert torch.equal(back, image)
    assert torch.equal(image_to_patches(back, patch), x)


@given(layout=st.sampled_from(["transposed", "channels_last", "strided"]))
def test_memory_layout_does_not_matter(layout):
    if layout == "transposed":
        image = torch.rand(2, 3, 6, 4).mT
    elif layout == "channels_last":
        image = torch.rand(2, 3, 4, 6).to(memory_format=torch.channels_last)
    else:
        image = torch.rand(4, 3, 8, 6)[::2, :, ::2]
    expected = image_to_patches(image.contiguous(), 2)
    assert torch.equal(image_to_patches(image, 2), expected)
    assert torch.equal(patches_to_image(image_to_patches(image, 2), (2, 3), 2), image)


def test_a_batch_is_its_images_one_by_one():
    images = torch.rand(3, 2, 4, 6)
    x = image_to_patches(images, 2)
    assert torch.equal(x, torch.stack([image_to_patches(image, 2) for image in images]))
    assert torch.equal(patches_to_image(x, (2, 3), 2)[1], images[1])


def test_an_empty_batch_of_patches_folds_to_an_empty_batch():
    assert patches_to_image(torch.zeros(0, 6, 12), (2, 3), 2).shape == (0, 3, 4, 6)


def test_gradients_are_folded_as_the_values():
    image = torch.rand(2, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: image_to_patches(v, 2), image)
    x = torch.rand(4, 8, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: patches_to_image(v, (2, 2), 2), x)


def test_compiled_without_graph_break_for_any_size():
    def roundtrip(image):
        grid = (image.size(-2) // 4, image.size(-1) // 4)
        return patches_to_image(image_to_patches(image, 4), grid, 4)

    compiled = torch.compile(roundtrip, backend="eager", fullgraph=True, dynamic=True)
    for size in ((8, 12), (16, 4)):
        image = torch.rand(2, 3, *size)
        assert torch.equal(compiled(image), image)


@pytest.mark.parametrize("shape", [(4, 4), (1, 1, 3, 4, 4), (3, 0, 4)])
def test_image_shapes_are_checked(shape):
    with pytest.raises(ValueError, match="'image' must be"):
        image_to_patches(torch.zeros(shape), 2)


def test_images_must_divide_into_patches():
    with pytest.raises(ValueError, match=r"9×8 pixels .* nearest size that does is 8×8"):
        image_to_patches(torch.zeros(3, 9, 8), 4)


def test_only_tensors_are_cut_and_folded():
    with pytest.raises(TypeError, match="'image' must be a tensor"):
        image_to_patches([[1.0]], 1)
    with pytest.raises(TypeError, match="'x' must be a tensor"):
        patches_to_image([[1.0]], (1, 1), 1)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 12), r"2×3 patches has 6 nodes \(got 5 nodes"),
        ((6, 10), r"2×2 pixels have a multiple of 4 features \(got 10\)"),
        ((6, 0), r"multiple of 4 features \(got 0\)"),
        ((6,), r"got shape \[6\]"),
    ],
)
def test_patches_must_fit_the_grid(shape, message):
    with pytest.raises(ValueError, match=message):
        patches_to_image(torch.zeros(shape), (2, 3), 2)


@pytest.mark.parametrize("dtype", [torch.float, torch.double, torch.uint8])
def test_image_graph(dtype):
    image = random_image((3, 4, 6), dtype)
    data = image_graph(image, (2, 3))
    assert sorted(data.keys()) == ["grid_size", "patch_size", "pos", "x"]
    assert data.validate()
    assert data.num_nodes == 4
    assert torch.equal(data.x, image_to_patches(image, (2, 3)))
    assert torch.equal(data.pos, grid_pos((2, 2), (2, 3)))
    assert (data.grid_size, data.patch_size) == ((2, 2), (2, 3))
    for size in (data.grid_size, data.patch_size):
        assert isinstance(size, tuple)
        assert all(type(v) is int for v in size)


def test_image_graph_takes_one_image():
    with pytest.raises(ValueError, match=r"\[channels, height, width\] \(got shape \[1, 3, 4, 4\]"):
        image_graph(torch.zeros(1, 3, 4, 4), 2)


@given(channels=small, grid=pairs, patch=pairs, count=small, data=st.data())
def test_folding_a_batch_gives_the_images(channels, grid, patch, count, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    size = (grid[0] * patch[0], grid[1] * patch[1])
    images = random_image((count, channels, *size), dtype)
    batch = Batch.from_data_list([image_graph(image, patch) for image in images])
    for b in (batch, batch.clone(), batch.to("cpu")):
        assert torch.equal(fold_batch(b), images)
    assert torch.equal(fold_batch(batch.get_example(count - 1)), images[-1:])
    assert torch.equal(torch.cat([fold_batch(d) for d in batch.to_data_list()]), images)


def test_folding_one_graph_is_a_batch_of_one():
    image = torch.rand(3, 4, 6)
    data = image_graph(image, 2)
    assert torch.equal(fold_batch(data), image.unsqueeze(0))
    assert torch.equal(fold_batch(data.to("cpu")), image.unsqueeze(0))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_folding_what_a_loader_returns(num_workers):
    data_list = graphs(5)
    loader = DataLoader(data_list, batch_size=2, num_workers=num_workers)
    folded = [fold_batch(batch) for batch in loader]
    assert [f.size(0) for f in folded] == [2, 2, 1]
    expected = torch.cat([fold_batch(data) for data in data_list])
    assert torch.equal(torch.cat(folded), expected)


def test_folding_a_subclass_of_data():
    class Picture(Data):
        pass

    pictures = [Picture(**data.to_dict()) for data in graphs(2)]
    assert fold_batch(Batch.from_data_list(pictures)).shape == (2, 3, 4, 6)


def test_folding_reads_no_values():
    # A tensor on the meta device has none: .item(), .tolist() or bool() of one would raise.
    batch = Batch.from_data_list(graphs(3)).to("meta")
    assert batch.ptr.device.type == "meta"
    assert fold_batch(batch).shape == (3, 3, 4, 6)


@pytest.mark.cuda
def test_folding_does_not_wait_for_the_gpu():
    data_list = graphs(3)
    batch = Batch.from_data_list(data_list).to("cuda")
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        folded = fold_batch(batch)
    finally:
        torch.cuda.set_sync_debug_mode(mode)
    assert torch.equal(folded.cpu(), torch.cat([fold_batch(data) for data in data_list]))


def test_folding_passes_gradients():
    batch = Batch.from_data_list(graphs(2))
    batch.x.requires_grad_()
    weight = torch.rand(2, 3, 4, 6)
    (fold_batch(batch) * weight).sum().backward()
    assert torch.equal(batch.x.grad, image_to_patches(weight, 2).flatten(0, 1))


def test_folding_needs_metadata():
    batch = Batch.from_data_list(graphs(2), exclude_keys=["grid_size"])
    with pytest.raises(ValueError, match="the graph has no 'grid_size'"):
        fold_batch(batch)
    with pytest.raises(ValueError, match="the graph has no 'patch_size'"):
        fold_batch(Data(x=torch.zeros(4, 3), grid_size=(2, 2)))


def test_folding_names_different_sizes():
    batch = Batch.from_data_list([*graphs(2), *graphs(1, (8, 8))])
    with pytest.raises(ValueError, match=r"'grid_size' of 2×3 \(2 of them\), 4×4 \(1 of them\)"):
        fold_batch(batch)
    batch = Batch.from_data_list([*graphs(1), *graphs(1, (2, 12), (1, 4))])
    with pytest.raises(ValueError, match=r"'patch_size' of 2×2 \(1 of them\), 1×4"):
        fold_batch(batch)


def test_folding_counts_nodes():
    data = graphs(1)[0]
    with pytest.raises(ValueError, match=r"2×3 patches have 6 nodes \(got 5\); were nodes"):
        fold_batch(data.subgraph(torch.arange(5)))


def test_folding_counts_the_nodes_of_each_graph():
    batch = Batch.from_data_list(graphs(2))
    batch.ptr = torch.tensor([0, 5, 12])
    with pytest.raises(ValueError, match=r"each graph must have 6 nodes .* \(got \[5, 7\]\)"):
        fold_batch(batch)


def test_folding_checks_that_the_metadata_agree():
    batch = Batch.from_data_list(graphs(2))
    batch.patch_size = batch.patch_size[:1]
    with pytest.raises(ValueError, match=r"same graphs \(got 2 and 1 of them\)"):
        fold_batch(batch)


def test_folding_needs_features():
    with pytest.raises(ValueError, match=r"needs node features 'x' .* \(got 'NoneType'\)"):
        fold_batch(Data(num_nodes=4, grid_size=(2, 2), patch_size=(1, 1)))
    with pytest.raises(ValueError, match=r"needs node features 'x' .* \(got shape \[4\]\)"):
        fold_batch(Data(x=torch.zeros(4), grid_size=(2, 2), patch_size=(1, 1)))


@pytest.mark.parametrize("batch", [torch.zeros(1, 3, 4, 4), HeteroData(), None])
def test_folding_takes_homogeneous_graphs(batch):
    with pytest.raises(TypeError, match="'batch' must be a torch_geometric"):
        fold_batch(batch)
