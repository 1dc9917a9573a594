"""Where the names of other packages are documented: builds have no network to ask."""

import builtins
import inspect
import re

PYTHON = "https://docs.python.org/3/library"
TORCH = "https://docs.pytorch.org/docs/stable"
PYG = "https://pytorch-geometric.readthedocs.io/en/latest"

# The first pattern that matches a whole name counts; {0} is the name, {1} its first group.
RULES = (
    (r"torch\.(?:Tensor|LongTensor)", f"{TORCH}/tensors.html#torch.Tensor"),
    (r"torch\.(?:dtype|device|layout)", f"{TORCH}/tensor_attributes.html#{{0}}"),
    (r"torch\.(?:long|double|float16|bfloat16|uint8)", f"{TORCH}/tensor_attributes.html"),
    (r"torch\.sparse", f"{TORCH}/sparse.html"),
    (r"torch\.hub(?:\..*)?", f"{TORCH}/hub.html"),
    (r"torch\.func", f"{TORCH}/func.html"),
    (r"torch\.(?:export|onnx|jit|compiler)(?:\..*)?", f"{TORCH}/{{0}}.html"),
    (r"torch\.optim\.lr_scheduler", f"{TORCH}/optim.html"),
    (r"torch\.utils\.data\.\w+", f"{TORCH}/data.html#{{0}}"),
    (r"torch\.nn\.SyncBatchNorm\.\w+", f"{TORCH}/generated/torch.nn.SyncBatchNorm.html"),
    (r"torch\.Tensor\.\w+", f"{TORCH}/generated/{{0}}.html"),
    (r"torch\.nn\.modules\.\w+\.(\w+)", f"{TORCH}/generated/torch.nn.{{1}}.html"),
    (r"torch\.\w+(?:\.\w+)*", f"{TORCH}/generated/{{0}}.html"),
    (r"torch_geometric\.nn\.(?:\w+\.)*(\w+)",
     f"{PYG}/generated/torch_geometric.nn.conv.{{1}}.html"),
    (r"torch_geometric\.(loader)\.\w+", f"{PYG}/modules/{{1}}.html#{{0}}"),
    (r"torch_geometric\.(\w+)\.(?:[a-z]\w*\.)*([A-Z]\w+)(?:\.\w+)?",
     f"{PYG}/generated/torch_geometric.{{1}}.{{2}}.html"),
    (r"torch_geometric\.(\w+)\.\w+(?:\.\w+)*", f"{PYG}/modules/{{1}}.html"),
    (r"torchvision\.datasets\.folder\.\w+", "https://docs.pytorch.org/vision/stable/datasets.html"),
    (r"torchvision\.\w+(?:\.\w+)*", "https://docs.pytorch.org/vision/stable/generated/{0}.html"),
    (r"lightning\.\w+(?:\.\w+)*", "https://lightning.ai/docs/pytorch/stable/api_references.html"),
    (r"matplotlib\.figure\.Figure(?:\.\w+)?",
     "https://matplotlib.org/stable/api/figure_api.html#matplotlib.figure.Figure"),
    (r"matplotlib\.pyplot", "https://matplotlib.org/stable/api/pyplot_summary.html"),
    (r"matplotlib", "https://matplotlib.org/stable/"),
    (r"matplotlib(?:\.\w+)*", "https://matplotlib.org/stable/api/_as_gen/{0}.html"),
    (r"PIL\.Image\.Image(?:\.\w+)?", "https://pillow.readthedocs.io/en/stable/reference/Image.html#{0}"),
    (r"numpy\.\w+(?:\.\w+)*", "https://numpy.org/doc/stable/reference/generated/{0}.html"),
    (r"sklearn\.\w+\.\w+", "https://scikit-learn.org/stable/modules/generated/{0}.html"),
    (r"collections\.abc\.\w+", f"{PYTHON}/collections.abc.html#{{0}}"),
    (r"(argparse|enum|fnmatch|json|logging|os|pathlib|re|typing)(?:\.\w+)*",
     f"{PYTHON}/{{1}}.html#{{0}}"),
)  # fmt: skip


def find(name: str) -> str | None:
    """The address of the documentation of a name, None if no rule knows it."""
    for pattern, address in RULES:
        match = re.fullmatch(pattern, name)
        if match:
            return address.format(name, *match.groups())
    value = getattr(builtins, name, None)
    if inspect.isclass(value):
        if issubclass(value, BaseException):
            return f"{PYTHON}/exceptions.html#{name}"
        return f"{PYTHON}/functions.html#{'func-' if name in BUILT_IN else ''}{name}"
    return None


# Types whose constructors Python documents among the functions.
BUILT_IN = ("dict", "frozenset", "list", "set", "str", "tuple")
