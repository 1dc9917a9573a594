"""All suites, by name, in the order in which they run."""

from pyg_vision._benchmarks.core import Suite
from pyg_vision._benchmarks.suites.grapher import SUITE as GRAPHER
from pyg_vision._benchmarks.suites.knn import SUITE as KNN
from pyg_vision._benchmarks.suites.max_relative import SUITE as MAX_RELATIVE
from pyg_vision._benchmarks.suites.pyramid_vig import RESOLUTION
from pyg_vision._benchmarks.suites.pyramid_vig import SUITE as PYRAMID_VIG
from pyg_vision._benchmarks.suites.ragged import SUITE as RAGGED
from pyg_vision._benchmarks.suites.skeleton_families import PACKED as RAGGED_FAMILIES
from pyg_vision._benchmarks.suites.skeleton_families import SUITE as SKELETON_FAMILIES
from pyg_vision._benchmarks.suites.spatial_conv import SUITE as SPATIAL_CONV
from pyg_vision._benchmarks.suites.stgcn import SUITE as STGCN
from pyg_vision._benchmarks.suites.vig import SUITE as VIG
from pyg_vision._benchmarks.suites.vision_families import SUITE as VISION_FAMILIES

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        KNN,
        MAX_RELATIVE,
        GRAPHER,
        VIG,
        PYRAMID_VIG,
        RESOLUTION,
        VISION_FAMILIES,
        SPATIAL_CONV,
        STGCN,
        RAGGED,
        SKELETON_FAMILIES,
        RAGGED_FAMILIES,
    )
}
