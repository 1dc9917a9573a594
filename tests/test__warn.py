import warnings

import torch

from pyg_vision._warn import warn
from pyg_vision.nn import ViG


def test_a_warning_names_the_line_of_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn("a")
        model = ViG(8, 1, image_size=32, patch_size=8, num_classes=2, k=16)
        model.eval()(torch.rand(1, 3, 16, 16))
    assert [w.filename for w in caught] == [__file__] * 2
    assert caught[0].lineno == 12
    assert "too small for k=16" in str(caught[1].message)
