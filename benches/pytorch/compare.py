"""Runs our benchmarks and the same work in PyTorch in turns, and prints the ratios.

    pip install -r benches/pytorch/requirements.txt
    python benches/pytorch/compare.py

Each measurement is a process of its own, so that its peak memory belongs to it; the two sides
alternate, so that a machine that slows down slows both. Of the rounds the best of each side
counts. Leave the machine alone meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def built(benchmark: str) -> str:
    """Builds one of our benchmarks and returns the path of its program."""
    command = ["cargo", "bench", "--bench", benchmark, "--no-run", "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in output.stdout.splitlines():
        message = json.loads(line)
        target = message.get("target", {})
        if message.get("executable") and target.get("name") == benchmark:
            return message["executable"]
    sys.exit(f"cargo did not say where it put {benchmark}")


def measure(command: list[str]) -> dict:
    # On some machines these choose a kernel that does not fit the processor.
    hidden = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(output.stdout)


def megabytes(size: int | None) -> str:
    return f"{size / 1e6:.0f} MB" if size else "-"


class Comparison:
    """The same work on both sides: our command and PyTorch's."""

    def __init__(self, name: str, ours: list[str], theirs: list[str]):
        self.name, self.commands = name, {"gwae": ours, "PyTorch": theirs}
        self.results = {side: [] for side in self.commands}

    def round(self) -> None:
        for side, command in self.commands.items():
            result = measure(command)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    options = parser.parse_args()
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

    header = ["", "gwae", "peak", "PyTorch", "peak", "ratio"]
    rows = [header, *(comparison.row() for comparison in comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    for row in rows:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths))
        print("  ".join([first, *(cell.strip().rjust(w) for cell, w in zip(others, widths[1:]))]))


if __name__ == "__main__":
    main()
