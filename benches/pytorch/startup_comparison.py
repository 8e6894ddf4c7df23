"""Starting, and sampling a trained model, compared with PyTorch: times of whole processes."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from comparison import Comparison, Side, duration, run, store
from driver import HERE, print_table, program, fitting_environment

# The official model after one step; the content of its samples does not matter here.
CONFIGURATION = """
[training]
steps = 1
batch_size = 16
critic_steps = 1
[data]
dataset = "shapes3d"
limit = 64
"""


class Process(Side):
    """A command that is timed from outside."""

    def round(self) -> None:
        start = time.perf_counter()
        subprocess.run(
            self.command, check=True, stdout=subprocess.DEVNULL, env=fitting_environment()
        )
        seconds = time.perf_counter() - start
        print(f"  {self.name}: {seconds:.3f} s", file=sys.stderr)
        self.results.append({"seconds": [seconds]})


def compare(options) -> None:
    """Times processes in turns. Prints a table, and JSON if requested."""
    gwae = str(options.gwae or program("gwae", "gwae-cli"))
    with tempfile.TemporaryDirectory() as scratch:
        trained, weights = Path(scratch, "run"), Path(scratch, "model.pt")
        configuration = Path(scratch, "official.toml")
        configuration.write_text(CONFIGURATION)
        prepare([gwae, "train", str(configuration), "--out", str(trained)])
        sample = [sys.executable, str(HERE / "sample.py")]
        prepare([*sample, "--save", str(weights)])
        picture = ["--out", str(Path(scratch, "samples.png"))]

        def drawing(count: int) -> Comparison:
            ours = [gwae, "sample", str(trained), "-n", str(count), *picture]
            theirs = [*sample, "--load", str(weights), "-n", str(count), *picture]
            name = f"{count:,} sample{'s' * (count > 1)} of the official model to one PNG"
            return comparison(name, ours, theirs)

        quick = [
            comparison(
                "start: `gwae --version`; `python -c \"import torch\"`",
                [gwae, "--version"],
                [sys.executable, "-c", "import torch"],
            ),
            drawing(1),
        ]
        slow = [drawing(10_000)]
        run(quick, options.rounds)
        run(slow, max(1, options.rounds // 2))
    rows = [["process", "gwae median", "best", "PyTorch median", "best", "runs", "PyTorch ÷ gwae"]]
    for each in quick + slow:
        cells = [each.name]
        for side in each.sides():
            cells += [duration(side.median()), duration(min(side.seconds()))]
        ratio = each.theirs.median() / each.ours.median()
        rows.append([*cells, str(len(each.ours.seconds())), f"{ratio:.1f}"])
    print_table(rows)
    store(options, quick + slow)


def comparison(name: str, ours: list[str], theirs: list[str]) -> Comparison:
    return Comparison(name, Process(f"{name}, gwae", ours), Process(f"{name}, PyTorch", theirs))


def prepare(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=fitting_environment())
