r"""What the processor can do, and what is faster on it: the one place where a backend is chosen.

Each rule depends on the instruction set alone, so that a machine chooses the same in every run.
The figures beside a rule are GFLOP/s in float32, of one thread unless they say otherwise, on an AMD
EPYC of Zen 4, with and without AVX-512 (:obj:`ATEN_CPU_CAPABILITY=avx2` and
:obj:`ONEDNN_MAX_CPU_ISA=AVX2`).
"""

from __future__ import annotations

import functools
import os
import sys

import numpy as np
import torch

# Values of ONEDNN_MAX_CPU_ISA without AVX-512.
SHORT_VECTORS = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2")
NARROW = 64  # channels, see convolves_narrow_products


@functools.cache
def has_avx512() -> bool:
    r"""Whether both torch and oneDNN use AVX-512."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return (
        torch.backends.cpu.get_cpu_capability() == "AVX512" and limit.upper() not in SHORT_VECTORS
    )


@functools.cache
def convolves_products() -> bool:
    r"""Whether a linear map is faster as a 1x1 convolution, by oneDNN, than as a product, by MKL.

    =======================  =======  ===========  =======  ===========
    1568 rows, 192 to 768    AVX-512               AVX2
    -----------------------  --------------------  --------------------
    \                        product  convolution  product  convolution
    =======================  =======  ===========  =======  ===========
    forward                  97       105          96       99
    gradient of the input    94       107          95       105
    gradient of the weight   98       93           97       39
    forward, 2 threads       210      220          208      218
    weight, 2 threads        202      218          203      80
    =======================  =======  ===========  =======  ===========

    With full AVX-512 units (another EPYC) the convolution reached 260 where the product reached
    100; on Zen 3, which has AVX2, 74 and 78 forward, and 32 and 59 with the gradients.
    """
    return has_avx512() and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


@functools.cache
def convolves_narrow_products() -> bool:
    r"""Whether a linear map of few input channels is faster as a 1x1 convolution where no gradient
    is needed: MKL's product has no fast kernel for so short sums, with any instruction set.

    ======================  =======  ===========  =======  ===========
    channels                AVX-512               AVX2
    ----------------------  --------------------  --------------------
    \                       product  convolution  product  convolution
    ======================  =======  ===========  =======  ===========
    25088 rows, 42 to 168   31       84           33       92
    6272 rows, 84 to 336    97       103          95       103
    1568 rows, 176 to 704   102      105          98       106
    ======================  =======  ===========  =======  ===========
    """
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


@functools.cache
def multiplies_shifted() -> bool:
    r"""Whether the gradient of the weight of a temporal convolution is faster as a product for each
    of its shifts than as oneDNN computes it.

    =========================  ===========  ========  ===========  ========
    four tracks of 18 joints   AVX-512                AVX2
    -------------------------  ---------------------  ---------------------
    \                          convolution  products  convolution  products
    =========================  ===========  ========  ===========  ========
    150 frames, 64 channels    72           78        68           79
    75 frames, 128 channels    79           83        73           84
    38 frames, 256 channels    79           89        75           93
    =========================  ===========  ========  ===========  ========
    """
    return not has_avx512()


@functools.cache
def sorts_vectorised() -> bool:
    r"""Whether numpy was built with, and runs on, a vectorised sort of 64-bit numbers.

    See :mod:`pyg_vision.ops._rank` for what it gains over :func:`torch.topk`.
    """
    found = np.show_config(mode="dicts") or {}
    simd = set(found.get("SIMD Extensions", {}).get("found", ()))
    fast = {"AVX512_SKX", "X86_V4"}
    if int(np.__version__.partition(".")[0]) >= 2:
        fast |= {"AVX2", "X86_V3"}
    return sys.byteorder == "little" and bool(simd & fast)
