"""All suites, by name, in the order in which they run."""

from benchmarks.core import Suite
from benchmarks.suites.grapher import SUITE as GRAPHER
from benchmarks.suites.knn import SUITE as KNN
from benchmarks.suites.max_relative import SUITE as MAX_RELATIVE
from benchmarks.suites.ragged import SUITE as RAGGED
from benchmarks.suites.spatial_conv import SUITE as SPATIAL_CONV
from benchmarks.suites.stgcn import SUITE as STGCN
from benchmarks.suites.vig import SUITE as VIG

SUITES: dict[str, Suite] = {
    suite.name: suite for suite in (KNN, MAX_RELATIVE, GRAPHER, VIG, SPATIAL_CONV, STGCN, RAGGED)
}
