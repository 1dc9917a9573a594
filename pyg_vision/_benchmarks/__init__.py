r"""Dense against sparse: run as :obj:`pyg-vision benchmark`, or :obj:`python -m benchmarks`."""

import os

# The profiler's library writes a log line for every measurement otherwise.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
