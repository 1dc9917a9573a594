"""Every kernel becomes machine code for GPUs that are not there."""

import importlib.util

import pytest

from pyg_vision._benchmarks.kernels import compile_for

if importlib.util.find_spec("triton") is None:  # torch brings it along on Linux
    pytest.skip("needs triton", allow_module_level=True)

from pyg_vision.ops import _knn_triton, _neighbor_max_triton
from pyg_vision.ops.kernel_variants import DTYPES, SEARCH_DTYPES, all_variants, usual_variants

ARCHS = (80, 90)
USUAL = list(usual_variants())
USUAL_NAMES = {variant.name for variant in USUAL}


def title(variant):
    return f"{variant.name}, {variant.dtype}"


def check(variant, arch):
    machine = compile_for(variant, arch)
    assert machine.cubin.startswith(b"\x7fELF")
    assert 0 < machine.registers <= 255
    return machine


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("variant", USUAL, ids=title)
def test_usual_kernels_keep_to_their_registers(variant, arch):
    assert check(variant, arch).spilled == 0


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("variant", list(all_variants()), ids=title)
def test_all_flags(variant, arch):
    machine = check(variant, arch)
    assert machine.spilled <= 64, "a search of 128 may spill a little"


def test_no_kernel_is_left_out():
    ours = {
        id(value)
        for module in (_knn_triton, _neighbor_max_triton)
        for name, value in vars(module).items()
        if name.endswith("_kernel")
    }
    assert len(ours) == 4
    assert {id(variant.kernel) for variant in USUAL} == ours
    assert {variant.dtype for variant in USUAL} == set(DTYPES)
    searched = {variant.dtype for variant in USUAL if "search" in variant.name}
    assert searched == set(SEARCH_DTYPES)
    for variant in all_variants():
        assert set(variant.kernel.arg_names) == set(variant.signature)
        constants = {name for name, kind in variant.signature.items() if kind == "constexpr"}
        assert constants == set(variant.constants)
    assert USUAL_NAMES <= {variant.name for variant in all_variants()}
    flagged = [tuple(sorted(variant.constants.items(), key=str)) for variant in all_variants()]
    assert len(set(zip(flagged, map(title, all_variants()), strict=True))) == len(
        {title(variant) for variant in all_variants()}
    )
