import torch

from pyg_vision.weights.key_rules import KeyRules, flatten_1x1, rename_by


def test_the_first_pattern_that_matches_renames():
    rename = rename_by(((r"^a\.(\d+)\.", r"b.\1."), (r"^a\.", "c."), (r"^keep$", "keep")))
    names = ["a.3.weight", "a.x", "keep", "keeps", "za.3."]
    assert [rename(name) for name in names] == ["b.3.weight", "c.x", "keep", None, None]


def test_1x1_convolutions_become_linear_maps():
    linear, conv = torch.zeros(4, 3), torch.randn(4, 3, 1, 1)
    assert torch.equal(flatten_1x1("w", conv, linear), conv[:, :, 0, 0])
    assert flatten_1x1("w", conv, conv) is conv
    assert flatten_1x1("w", torch.zeros(4, 3, 3, 1), linear) is None
    assert flatten_1x1("w", torch.zeros(4, 2), linear) is None


def test_what_is_not_said_changes_nothing():
    rules = KeyRules(lambda name: name)
    assert rules.resampled("w", torch.zeros(1), torch.zeros(2)) is None
    assert rules.constants(torch.nn.Identity()) == {}
