import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.datasets import SyntheticMotion
from pyg_vision.training import SkeletonClassifier


def make(model="stgcn", **options):
    module = SkeletonClassifier(model, options={"in_channels": 3, "stages": [(4, 1, 1)], **options})
    module.build([str(i) for i in range(7)])
    return module


def batch(number):
    graphs = [SyntheticMotion(7, seed=number)[i] for i in (0, 1)]
    for i, graph in enumerate(graphs):
        graph.sample_number = torch.tensor([i])
    return Batch.from_data_list(graphs)


def test_several_clips_have_the_mean_of_their_probabilities():
    module = make()
    model = module.evaluated.eval()
    clips = [batch(0), batch(1)]
    logits, labels, numbers = module.run(model, clips)
    single = [model(clip).softmax(-1) for clip in clips]
    torch.testing.assert_close(logits.exp(), (single[0] + single[1]) / 2)
    assert labels.tolist() == clips[0].y.tolist()
    assert numbers.tolist() == [0, 1]


def test_the_dense_model_gets_dense_arrays():
    sparse, dense = make(), make("pyg_vision.nn.DenseSTGCN", layout="openpose")
    dense.trained.load_state_dict(sparse.trained.state_dict())
    data = SyntheticMotion(7, num_frames=20)[0]
    data.sample_number = torch.tensor([0])
    one = Batch.from_data_list([data])
    for module in (sparse, dense):
        module.trained.eval()
    a, b = (module.run(module.trained, one)[0] for module in (sparse, dense))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_wrong_number_of_classes_is_named():
    with pytest.raises(ValueError, match="has 3 classes, but the data 2"):
        SkeletonClassifier("stgcn", num_classes=3).build(["a", "b"])


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_the_average_of_the_weights_has_the_graph_of_the_model(decay):
    """torch's own average of integers truncates them, 7 * 0.9 + 7 * 0.1 to 6."""
    module = SkeletonClassifier("stgcn", options={"in_channels": 3}, ema=decay)
    module.build([str(i) for i in range(7)])
    weight = module.trained.fcn.weight
    expected = weight.detach().clone()
    for i in range(5):
        with torch.no_grad():
            weight += 1.0
        module.trained.data_bn.num_batches_tracked += 3
        module.ema.update_parameters(module.trained)
        expected = weight if i == 0 else torch.lerp(expected, weight, 1 - decay)
        expected = expected.detach().clone()
    average = module.evaluated
    torch.testing.assert_close(average.fcn.weight, expected)
    assert average.data_bn.num_batches_tracked == 15
    buffers = dict(module.trained.named_buffers())
    assert any(not value.is_floating_point() for value in buffers.values())
    for name, value in average.named_buffers():
        if name not in module.trained.state_dict():
            assert torch.equal(value, buffers[name]), name
