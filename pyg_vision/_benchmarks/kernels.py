"""What the GPU kernels take: registers and spills, read from their machine code without a GPU."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pyg_vision.ops.kernel_variants import KernelVariant

HEADERS = ("kernel", "dtype", "GPU", "registers", "spilled bytes", "shared bytes", "code bytes")
# The compute capability that triton begins with.
OLDEST = 80
WIDTHS = (44, 6, 6, 9, 13, 12, 10)


class Machine(NamedTuple):
    """A kernel in machine code, and what a thread of it takes."""

    cubin: bytes
    registers: int
    spilled: int
    shared: int


def compile_for(variant: KernelVariant, arch: int) -> Machine:
    """Compiles a kernel for a GPU of that compute capability, which need not be there."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    source = ASTSource(variant.kernel, variant.signature, constexprs=variant.constants)
    options = {"num_warps": variant.num_warps}
    compiled = triton.compile(source, target=GPUTarget("cuda", arch, 32), options=options)
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    target = re.search(r"^\.target (\w+)", compiled.asm["ptx"], re.MULTILINE)
    if target is None:
        raise RuntimeError(f"triton named no target in the code of '{variant.name}'")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.ptx"
        path.write_text(compiled.asm["ptx"])
        command = [str(tools / "ptxas"), "-v", f"--gpu-name={target[1]}", str(path)]
        found = subprocess.run(
            [*command, "-o", f"{path}.cubin"], capture_output=True, text=True, check=True
        )
    return Machine(compiled.asm["cubin"], *read_resources(found.stderr))


def read_resources(text: str) -> tuple[int, int, int]:
    """Returns registers, spilled bytes and bytes of shared memory from what ``ptxas -v`` says."""
    registers = re.search(r"Used (\d+) registers", text)
    spills = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", text)
    shared = re.search(r"(\d+) bytes smem", text)
    if registers is None or spills is None:
        raise ValueError(f"ptxas said nothing of registers and spills (got {text!r})")
    spilled = int(spills[1]) + int(spills[2])
    return int(registers[1]), spilled, int(shared[1]) if shared else 0


def add_parser(commands: Any) -> None:
    """Adds ``kernels`` to the commands of a parser."""
    text = "compile the GPU kernels, without a GPU, and print the registers that they take"
    parser = commands.add_parser("kernels", help=text, description=text)
    parser.add_argument(
        "--arch",
        nargs="+",
        type=int,
        default=[80, 90],
        metavar="CC",
        help="compute capabilities, such as 80 for A100 and 90 for H100 (default: 80 90)",
    )
    parser.add_argument(
        "--all", action="store_true", help="with all settings of their flags, which takes minutes"
    )
    parser.set_defaults(run=print_kernels, parser=parser)


def print_kernels(values: argparse.Namespace) -> int:
    """Prints a line for each kernel and GPU; returns the exit status."""
    if find_spec("triton") is None:
        values.parser.error("the kernels need triton, which comes with torch for CUDA")
    if min(values.arch) < OLDEST:
        values.parser.error(f"--arch: the oldest GPU is {OLDEST} (got {min(values.arch)})")
    from pyg_vision.ops.kernel_variants import all_variants, usual_variants

    line = "  ".join(f"{{:<{width}}}" for width in WIDTHS)
    sys.stdout.write(line.format(*HEADERS) + "\n")
    for variant in all_variants() if values.all else usual_variants():
        for arch in values.arch:
            machine = compile_for(variant, arch)
            size = len(machine.cubin)
            cells = (f"sm_{arch}", machine.registers, machine.spilled, machine.shared, size)
            sys.stdout.write(line.format(variant.name, variant.dtype, *cells) + "\n")
            sys.stdout.flush()
    return 0
