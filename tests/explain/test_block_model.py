import pytest
import torch
from torch_geometric.explain import Explainer, GNNExplainer

from pyg_vision.explain import BlockModel
from pyg_vision.nn import AdaptViG, GreedyViG, MobileViG, PyramidViG, ViG

CONFIG = {"mode": "multiclass_classification", "task_level": "graph", "return_type": "raw"}
MODELS = {
    "vig": lambda: ViG(channels=8, depth=3, k=4, num_classes=3, image_size=64, patch_size=8),
    "pyramid": lambda: PyramidViG(
        channels=(8, 16), depths=(1, 2), reduce_ratios=(2, 1), num_classes=3, image_size=64
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("block", [0, 1, -1])
def test_gives_the_logits_of_the_model(name, block):
    model, image = MODELS[name]().eval(), torch.rand(3, 64, 64)
    found = BlockModel(model, image, block)
    with torch.no_grad():
        torch.testing.assert_close(found(found.x, found.edge_index), model(image[None]))
    assert found.x.size(0) == found.grid_size[0] * found.grid_size[1]
    sources = found.source_grid_size[0] * found.source_grid_size[1]
    assert int(found.edge_index[0].max()) < sources


def test_the_graph_matters_and_the_model_stays_as_it_is():
    model, image = MODELS["vig"]().train(), torch.rand(3, 64, 64)
    found = BlockModel(model, image)
    few = found.edge_index[:, ::4]
    with torch.no_grad():
        assert not torch.allclose(found(found.x, few), found(found.x, found.edge_index))
    assert model.training
    assert all(getattr(m, "explain", None) is not False for m in model.blocks[1].modules()
               if hasattr(m, "propagate"))  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_an_explainer_of_pyg_finds_the_edges(name):
    block = BlockModel(MODELS[name](), torch.rand(3, 64, 64), 1)
    algorithm = GNNExplainer(epochs=3)
    explainer = Explainer(block, algorithm, "model", edge_mask_type="object", model_config=CONFIG)
    mask = explainer(block.x, block.edge_index).edge_mask
    assert mask.shape == (block.edge_index.size(1),)
    assert float(mask.std()) > 0


def test_blocks_before_it_are_not_run_again():
    block = BlockModel(MODELS["vig"](), torch.rand(3, 64, 64), -1)
    convs = [m for m in block.modules() if hasattr(m, "propagate")]
    assert convs == [block.conv.conv]


def test_wrong_blocks():
    with pytest.raises(ValueError, match="'block' must be one of 3 blocks"):
        BlockModel(MODELS["vig"](), torch.rand(3, 64, 64), 3)


RULES = {"channels": (8, 12), "blocks": ((1, 1), (1, 2)), "steps": (2, 1), "num_classes": 4}


@pytest.mark.parametrize("cls", [MobileViG, GreedyViG, AdaptViG])
@pytest.mark.parametrize("block", [0, 1])
def test_models_whose_graphs_are_rules(cls, block):
    torch.manual_seed(0)
    options = RULES | ({"blocks": ((1, 1), (1, 1), (1, 1)), "channels": (8, 12, 12),
                        "steps": (2, 1, 1)} if cls is AdaptViG else {})  # fmt: skip
    model = cls(**options).eval()
    image = torch.rand(3, 64, 48)
    part = BlockModel(model, image, block)
    torch.testing.assert_close(part(part.x, part.edge_index), model(image[None]))
    if cls is AdaptViG:  # it tells its edges apart by their place
        with pytest.raises(ValueError, match="'edge_index' must be the block's own"):
            part(part.x, part.edge_index[:, ::2])
    else:
        assert not torch.equal(part(part.x, part.edge_index[:, ::2]), model(image[None]))


def test_attention_passes_no_messages():
    model = AdaptViG(**RULES)
    with pytest.raises(ValueError, match="block 2 attends to all patches and passes no messages"):
        BlockModel(model, torch.rand(3, 64, 48), -1)
