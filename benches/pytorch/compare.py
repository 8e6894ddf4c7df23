"""Runs our benchmarks and the same work in PyTorch in turns, and prints tables.

    pip install -r benches/pytorch/requirements.txt
    python benches/pytorch/compare.py training      # the official training step
    python benches/pytorch/compare.py gw-loss       # batches of 64 to 8,192 images
    python benches/pytorch/compare.py scaling       # threads, batch sizes, image sizes
    python benches/pytorch/compare.py inference     # encoding and decoding
    python benches/pytorch/compare.py startup       # starting, sampling
    python benches/pytorch/make_loader_data.py DIRECTORY      # once
    python benches/pytorch/compare.py loaders --data DIRECTORY

Each measurement is a separate process with its own peak memory. The two sides alternate, so a machine
that slows down slows both. Ratios are of the medians over all timed runs of all rounds (for the
loaders: of the best round). Do not use the machine for anything else meanwhile.
"""

import argparse
import os
from pathlib import Path

import loader_comparison
import model_comparison
import startup_comparison
from driver import conditions

# The comparisons and their numbers of rounds.
SUBJECTS = {
    "training": (model_comparison.training, 5),
    "gw-loss": (model_comparison.gw_loss, 5),
    "scaling": (model_comparison.scaling, 5),
    "inference": (model_comparison.inference, 5),
    "startup": (startup_comparison.compare, 10),
    "loaders": (loader_comparison.compare, 3),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="training", choices=SUBJECTS)
    defaults = ", ".join(f"{name} {rounds}" for name, (_, rounds) in SUBJECTS.items())
    parser.add_argument("--rounds", type=int, help=f"turns of each side (default: {defaults})")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs per turn (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--json", type=Path, help="file for all figures of all rounds")
    sizes = parser.add_argument_group("gw-loss, scaling, inference")
    sizes.add_argument("--batch-size", type=int, nargs="+", help="these instead of the usual ones")
    sizes.add_argument("--slow", action="store_true", help="the direct cdist at every size")
    startup = parser.add_argument_group("startup")
    startup.add_argument("--gwae", type=Path, help="the program, if it is built already")
    loaders = parser.add_argument_group("loaders")
    loaders.add_argument("--data", type=Path, help="what make_loader_data.py has filled")
    loaders.add_argument("--seconds", type=float, default=2, help="of a measurement (default 2)")
    loaders.add_argument("--keep-copies", action="store_true", help="do not make them anew")
    options = parser.parse_args()
    compare, rounds = SUBJECTS[options.what]
    options.rounds = options.rounds or rounds
    print(f"{conditions()}, {options.rounds} rounds\n", flush=True)
    compare(options)


if __name__ == "__main__":
    main()
