"""The loaders of every dataset and PyTorch's: which work, in which ways, and the table."""

import json
import sys

from common import LOADER_VARIANTS
from driver import HERE, built, measure, megabytes, print_table

# Name in the table and in both programs. None in place of the second: PyTorch has no such loader.
WORKS = [
    ("MNIST family: IDX, 28×28", "mnist", "mnist"),
    ("Omniglot, first pass: zip archives, PNG 105×105", "omniglot", "omniglot"),
    ("Omniglot, later passes: from memory", "omniglot-memory", "omniglot-memory"),
    ("3D Shapes straight from 3dshapes.h5", "shapes3d-streamed", "shapes3d-streamed"),
    ("3D Shapes from our copy; h5py from the file", "shapes3d", "shapes3d-streamed"),
    ("3D Shapes from our copy; NumPy, all in memory", "shapes3d", "shapes3d"),
    ("dSprites from our copy; NumPy, all in memory", "dsprites", "dsprites"),
    ("CelebA: JPEG 178×218, crop 144", "celeba", "celeba"),
    ("CelebA, later passes: from our resized copy; JPEG", "celeba-copy", "celeba"),
    ("CelebA from our resized copy; NumPy map of it", "celeba-copy", "celeba-copy"),
    ("image folder: PNG 128×128", "folder", "folder"),
    ("3D Shapes, rendered", "shapes3d-rendered", None),
    ("dSprites, rendered", "dsprites-rendered", None),
]
COPIES = [
    ("3dshapes.h5, uncompressed", "copy-shapes3d"),
    ("dSprites' archive, one bit per pixel", "copy-dsprites"),
    ("CelebA, cropped and resized", "copy-celeba"),
]
# A batch takes seconds, so only one batch per thread is measured.
STREAMED = "shapes3d-streamed"
# These are measured only in the first round. For the last one, PyTorch first reads the whole file.
SLOW = [("gwae", STREAMED), ("PyTorch", STREAMED), ("PyTorch", "shapes3d")]
# PyTorch first reads these completely into memory, which takes long. One process does it for all ways.
READ_ONCE = ["omniglot-memory", "shapes3d", "dsprites"]


class Side:
    """One work of one side: a command for each way to do it. The fastest way is repeated."""

    def __init__(self, name: str, commands: list[list[str]]):
        self.name, self.commands, self.results = name, commands, []

    def round(self) -> None:
        for command in self.commands:
            for result in measure(command):
                self.results.append({**result, "command": command})
                where = f"{self.name}, {way(result)}"
                print(f"  {where}: {rate(speed(result))} images/s", file=sys.stderr)
        self.commands = [self.best()["command"]]

    def best(self) -> dict:
        return max(self.results, key=speed)


def way(result: dict) -> str:
    if "threads" in result:
        return f"{result['threads']} threads"
    return f"{result['variant']}, {result['workers']} workers"


def speed(result: dict) -> float:
    return result["images"] / result["seconds"]


def per_core(result: dict) -> float:
    """Images per second of processor time."""
    return result["images"] / max(result["cpu_seconds"], 0.01)


def rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 20 else f"{number:.1f}"


def figures(result: dict) -> list[str]:
    rates = [rate(speed(result)), rate(per_core(result))]
    return [*rates, megabytes(result["peak_bytes"])]


def our_side(program: str, work: str, options) -> Side:
    command = [program, work, str(options.data), "--threads", str(options.threads)]
    return Side(f"{work}, gwae", [command + length(work, options.threads, options)])


def their_side(work: str, options) -> Side:
    def command(variants: list[str], workers: list[int]) -> list[str]:
        ways = ["--variant", *variants, "--workers", *map(str, workers)]
        script = [sys.executable, str(HERE / "loaders.py"), work, str(options.data)]
        return script + ways + length(work, max(workers), options)

    variants, workers = LOADER_VARIANTS[work], [0, options.threads]
    if work in READ_ONCE:
        commands = [command(variants, workers)]
    else:
        commands = [command([variant], [count]) for variant in variants for count in workers]
    return Side(f"{work}, PyTorch", commands)


def length(work: str, workers: int, options) -> list[str]:
    """The length of the measurements."""
    if work == STREAMED:
        return ["--seconds", "600", "--batches", str(max(workers, 1))]
    return ["--seconds", str(options.seconds)]


def compare(options) -> None:
    """Measures every work on both sides in turns. Prints tables, and JSON if requested."""
    if options.data is None:
        sys.exit("give --data, the directory that make_loader_data.py has filled")
    program = built("loaders", "-p", "gwae-datasets")
    copies = make_copies(program, options)
    sides = {}
    for _, work, other in WORKS:
        sides.setdefault(("gwae", work), our_side(program, work, options))
        if other:
            sides.setdefault(("PyTorch", other), their_side(other, options))
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        for key, side in sides.items():
            if number == 0 or key not in SLOW:
                side.round()
    print_table(table(sides))
    if copies:
        print()
        print_table(copies_table(copies))
    if options.json:
        everything = [*copies.values(), *(r for side in sides.values() for r in side.results)]
        options.json.write_text(json.dumps(everything, indent=1) + "\n")


def make_copies(program: str, options) -> dict[str, dict]:
    """Makes copies for fast reads in random order. Returns the figures of the new ones."""
    copies = {}
    for name, work in COPIES:
        place = options.data / "copies" / work.removeprefix("copy-")
        if not (options.keep_copies and place.exists()):
            print(f"making a copy: {name}", file=sys.stderr)
            (copies[name],) = measure([program, work, str(options.data)])
    return copies


def table(sides: dict[tuple[str, str], Side]) -> list[list[str]]:
    header = ["to batches of 64×64×3", "gwae images/s", "per core", "peak"]
    header += ["PyTorch images/s", "per core", "peak", "ratio", "ratio per core", "fastest way"]
    rows = [header]
    for name, work, other in WORKS:
        ours = sides["gwae", work].best()
        row = [name, *figures(ours)]
        if other:
            theirs = sides["PyTorch", other].best()
            ratios = [rate(ratio(ours) / ratio(theirs)) for ratio in (speed, per_core)]
            row += [*figures(theirs), *ratios, way(theirs)]
        rows.append(row + ["-"] * (len(header) - len(row)))
    return rows


def copies_table(copies: dict[str, dict]) -> list[list[str]]:
    rows = [["copy, made once", "images", "time", "processor time", "peak"]]
    for name, copy in copies.items():
        times = [f"{copy[key]:.0f} s" for key in ("seconds", "cpu_seconds")]
        rows.append([name, f"{copy['images']:,}", *times, megabytes(copy["peak_bytes"])])
    return rows
