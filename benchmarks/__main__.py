import sys

from pyg_vision.cli import main

sys.exit(main(["benchmark", *sys.argv[1:]]))
