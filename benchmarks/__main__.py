import sys
import warnings

# torch_geometric uses it when it is imported.
warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=FutureWarning)

from benchmarks.cli import main  # noqa: E402

sys.exit(main())
