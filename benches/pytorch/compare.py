"""Runs our benchmarks and the same work in PyTorch in turns, and prints the ratios.

    pip install -r benches/pytorch/requirements.txt
    python benches/pytorch/compare.py                         # training step and GW loss
    python benches/pytorch/make_loader_data.py DIRECTORY      # once
    python benches/pytorch/compare.py loaders --data DIRECTORY

Each measurement is a process of its own, so that its peak memory belongs to it; the two sides
alternate, so that a machine that slows down slows both. Of the rounds the best of each side
counts. Leave the machine alone meanwhile.
"""

import argparse
import os
import sys
from pathlib import Path

import loader_comparison
from driver import HERE, built, measure, megabytes, print_table


class Comparison:
    """The same work on both sides: our command and PyTorch's."""

    def __init__(self, name: str, ours: list[str], theirs: list[str]):
        self.name, self.commands = name, {"gwae": ours, "PyTorch": theirs}
        self.results = {side: [] for side in self.commands}

    def round(self) -> None:
        for side, command in self.commands.items():
            (result,) = measure(command)
            self.results[side].append(result)
            print(f"  {self.name}, {side}: {result['seconds_best']:.4f} s", file=sys.stderr)

    def row(self) -> list[str]:
        best = {
            side: min(result["seconds_best"] for result in results)
            for side, results in self.results.items()
        }
        peak = {side: results[-1]["peak_bytes"] for side, results in self.results.items()}
        cells = [self.name]
        for side in self.commands:
            cells += [f"{best[side]:.4f} s", megabytes(peak[side])]
        return cells + [f"{best['PyTorch'] / best['gwae']:.1f}×"]


def training(options) -> None:
    threads = ["--threads", str(options.threads)]

    step, loss = built("training_step"), built("gw_loss")
    python = [sys.executable]
    torch_step = python + [str(HERE / "training_step.py"), *threads]
    torch_loss = python + [str(HERE / "gw_loss.py"), *threads]
    comparisons = [
        Comparison(
            "full training step, batch 64",
            [step, "--json", "--parts", "0", *threads],
            torch_step,
        )
    ]
    # The broadcast formula holds a [batch, batch, 12288] tensor: 3.2 GB each at 256.
    for batch, formula in [
        (64, "broadcast"),
        (64, "cdist"),
        (64, "cdist_gram"),
        (256, "cdist_gram"),
        (1024, "cdist_gram"),
        (2048, "cdist_gram"),
    ]:
        size = ["--batch-size", str(batch), *threads]
        comparisons.append(
            Comparison(
                f"GW loss, batch {batch}, {formula}",
                [loss, "--json", *size],
                torch_loss + ["--formula", formula, *size],
            )
        )
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        for comparison in comparisons:
            comparison.round()

    header = ["work", "gwae", "peak", "PyTorch", "peak", "ratio"]
    print_table([header, *(comparison.row() for comparison in comparisons)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="training", choices=["training", "loaders"])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    loaders = parser.add_argument_group("loaders")
    loaders.add_argument("--data", type=Path, help="what make_loader_data.py has filled")
    loaders.add_argument("--seconds", type=float, default=2, help="of a measurement (default 2)")
    loaders.add_argument("--keep-copies", action="store_true", help="do not make them anew")
    loaders.add_argument("--json", type=Path, help="file for all figures of all rounds")
    options = parser.parse_args()
    if options.what == "training":
        training(options)
    else:
        loader_comparison.compare(options)


if __name__ == "__main__":
    main()
