"""Compilers, exported programs and ONNX files compute what the models compute."""

import re
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.export import Dim
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import STGCN, Stage, TwoStream, ViG
from pyg_vision.ops import knn

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")
FRAMES = {0: Dim("batch"), 2: Dim("frames", min=5)}


# Four blocks with both strides compile in a third of the time.
STAGES = (Stage(64, 1), Stage(128, 2, 2), Stage(256, 1, 2))


@pytest.fixture(autouse=True)
def forget():
    yield
    torch._dynamo.reset()


def vig():
    torch.manual_seed(0)
    options = {"channels": 16, "depth": 2, "k": 4, "num_classes": 5, "image_size": 64}
    return ViG(**options).eval()


def stgcn(two_stream=False):
    torch.manual_seed(0)
    model = STGCN(2, 5, layout="coco", stages=STAGES)
    return (TwoStream(model) if two_stream else model).eval()


def batch(*shapes):
    torch.manual_seed(len(shapes))
    return Batch.from_data_list(
        [skeleton_sequence(torch.randn(m, t, 17, 2), "coco", y=0) for m, t in shapes]
    )


BATCHES = [
    [(1, 12)],
    [(1, 30), (1, 17), (1, 5)],
    [(2, 30), (1, 17)],
    [(2, 20), (2, 20)],
    [(1, 9), (3, 2), (1, 150)],
    [(2, 9)],
]


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("dynamic", "training", "two_stream"),
    [(None, False, False), (True, True, False), (True, False, True)],
)
def test_one_compiled_stgcn_takes_every_batch(order, dynamic, training, two_stream):
    model, compiled = (stgcn(two_stream=two_stream).train(training) for _ in range(2))
    counter = CompileCounter()
    compiled = torch.compile(compiled, fullgraph=True, dynamic=dynamic, backend=counter)
    counts = []
    for shapes in BATCHES[::order]:
        torch.testing.assert_close(compiled(batch(*shapes)), model(batch(*shapes)))
        counts.append(counter.frame_count)
    # With dynamic=True, torch begins again once when it meets the momentum of a norm.
    assert counts == counts[:1] * len(BATCHES)
    assert counts[0] <= 2


@pytest.mark.slow
def test_gradients_of_a_compiled_stgcn():
    model, compiled = stgcn().double().train(), stgcn().double().train()
    data = batch((1, 12), (2, 9))
    data.x = data.x.double()
    torch.compile(compiled, fullgraph=True, backend="aot_eager")(data).square().sum().backward()
    model(data).square().sum().backward()
    for one, other in zip(model.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    for one, other in zip(model.buffers(), compiled.buffers(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.slow
def test_a_single_frame_is_compiled_for_itself():
    model = stgcn()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for shapes in ([(1, 1)], [(1, 4)], [(2, 9)], [(1, 2), (1, 1)]):
        torch.testing.assert_close(compiled(batch(*shapes)), model(batch(*shapes)))


def test_wrong_input_of_a_compiled_stgcn_is_named():
    compiled = torch.compile(stgcn(), fullgraph=True, backend="eager")
    data = batch((1, 12))
    data.x[3, 1] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        compiled(data)


class Part(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return 2 * self.model(x)


def test_stgcn_within_a_compiled_model():
    model = Part(stgcn())
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for shapes in BATCHES[:2]:
        torch.testing.assert_close(compiled(batch(*shapes)), model(batch(*shapes)))


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("two_stream", [False, True])
def test_export_of_stgcn_takes_any_number_and_length(strict, two_stream):
    model = stgcn(two_stream=two_stream)
    example = (torch.randn(2, 2, 31, 17, 2),)
    program = torch.export.export(model, example, dynamic_shapes=(FRAMES,), strict=strict)
    for num, frames in ((2, 31), (1, 5), (5, 64), (3, 30)):
        x = torch.randn(num, 2, frames, 17, 2)
        torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.parametrize("strict", [False, True])
def test_export_of_vig_takes_any_number(strict):
    model, example = vig(), (torch.randn(2, 3, 64, 64),)
    shapes = ({0: Dim("batch")},)
    program = torch.export.export(model, example, dynamic_shapes=shapes, strict=strict)
    for num in (2, 1, 5):
        x = torch.randn(num, 3, 64, 64)
        torch.testing.assert_close(program.module()(x), model(x))


def in_onnx(model, x, shapes, path):
    torch.onnx.export(model, (x,), dynamo=True, dynamic_shapes=shapes, verbose=False).save(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda value: torch.from_numpy(session.run(None, {name: value.numpy()})[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_onnx_of_vig(tmp_path):
    model, shapes = vig(), ({0: Dim("batch")},)
    run = in_onnx(model, torch.randn(2, 3, 64, 64), shapes, tmp_path / "vig.onnx")
    for num in (2, 1, 5):
        x = torch.randn(num, 3, 64, 64)
        torch.testing.assert_close(run(x), model(x), rtol=1e-4, atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_onnx_of_stgcn(tmp_path):
    model = stgcn()
    run = in_onnx(model, torch.randn(2, 2, 31, 17, 2), (FRAMES,), tmp_path / "stgcn.onnx")
    for num, frames in ((2, 31), (1, 5), (5, 64)):
        x = torch.randn(num, 2, frames, 17, 2)
        torch.testing.assert_close(run(x), model(x), rtol=1e-4, atol=1e-4)


class Neighbours(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        return knn(x, 3, **self.options).index


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "options", [{}, {"loop": True}, {"metric": "cosine", "loop": True}, {"dilation": 2}]
)
def test_neighbours_in_onnx(options, tmp_path):
    torch.manual_seed(0)
    model = Neighbours(**options)
    far = torch.rand(2, 30, 4) * 1e-3 + 100
    run = in_onnx(model, far, ({0: Dim("batch")},), tmp_path / "knn.onnx")
    equal = torch.randint(0, 5, (1, 30, 4)).float()
    for x in (far, torch.randn(3, 30, 4), equal):
        assert torch.equal(run(x), model(x))


@pytest.mark.filterwarnings("ignore")
def test_traced_models():
    for model, shape in ((vig(), (1, 3, 64, 64)), (stgcn(), (1, 2, 20, 17, 2))):
        traced = torch.jit.trace(model, torch.randn(shape))
        x = torch.randn(shape)
        torch.testing.assert_close(traced(x), model(x))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 6
    names: dict = {}
    for example in examples:
        exec(example, names)
    assert names["logits"].shape == (2, 10)
