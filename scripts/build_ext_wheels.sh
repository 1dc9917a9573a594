#!/usr/bin/env bash
# Builds the wheels of the extra `ext` (torch-cluster, torch-scatter) once for every torch and
# Python, and installs them into a directory of their own, so that the environment of `make test`
# stays free of them.
#
# usage: scripts/build_ext_wheels.sh PYTHON SITE_DIR
#
# The wheels are kept in ${PYG_VISION_WHEELS:-~/.cache/pyg_vision/wheels}.
set -euo pipefail

python=$1
site=$2

tag=$("$python" - <<'EOF'
import sys
import torch

cuda = ""
if torch.cuda.is_available():
    from torch.utils.cpp_extension import CUDA_HOME

    cuda = "-cuda" if CUDA_HOME is not None else ""
print(f"torch-{torch.__version__}-cp{sys.version_info[0]}{sys.version_info[1]}{cuda}")
EOF
)
requirements=$("$python" - <<'EOF'
import configparser

config = configparser.ConfigParser()
config.read("setup.cfg")
print(config["options.extras_require"]["ext"])
EOF
)

wheels=${PYG_VISION_WHEELS:-$HOME/.cache/pyg_vision/wheels}/$tag
mkdir -p "$wheels"
case $tag in
  *-cuda) ;;
  *) export FORCE_ONLY_CPU=1 ;;
esac
export MAX_JOBS=${MAX_JOBS:-$(nproc)}

# A build happens in a folder of its own and is moved when it is whole: an interrupted one leaves
# no broken wheel behind.
build=$(mktemp -d "$wheels/.build.XXXXXX")
trap 'rm -rf "$build"' EXIT

files=()
for requirement in $requirements; do
  name=${requirement%%==*}
  pattern="${name//-/_}-${requirement##*==}-*.whl"
  if ! compgen -G "$wheels/$pattern" > /dev/null; then
    echo "building $requirement for $tag: minutes, but only once"
    # pip's own cache does not know which torch a wheel was built against.
    PATH="$(dirname "$python"):$PATH" "$python" -m pip wheel --no-build-isolation --no-deps \
      --no-cache-dir --no-binary :all: --wheel-dir "$build" "$requirement"
    mv "$build"/$pattern "$wheels/"
  fi
  files+=("$wheels"/$pattern)
done

installed="$tag $requirements"
if [ "$(cat "$site/.installed" 2> /dev/null)" != "$installed" ]; then
  rm -rf "$site"
  "$python" -m pip install --quiet --no-deps --no-index --target "$site" "${files[@]}"
  echo "$installed" > "$site/.installed"
fi
