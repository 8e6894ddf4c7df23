"""Builds and runs the two sides of a comparison, and prints its table."""

import datetime
import json
import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@cache
def built(benchmark: str, *package: str) -> str:
    """Builds one of our benchmarks and returns the path of its program."""
    return executable(["bench", *package, "--bench", benchmark, "--no-run"], benchmark)


@cache
def program(name: str, package: str) -> str:
    """Builds one of our programs and returns its path."""
    return executable(["build", "--release", "-p", package, "--bin", name], name)


def executable(arguments: list[str], name: str) -> str:
    command = ["cargo", *arguments, "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in output.stdout.splitlines():
        message = json.loads(line)
        target = message.get("target", {})
        if message.get("executable") and target.get("name") == name:
            return message["executable"]
    sys.exit(f"cargo did not say where it put {name}")


def fitting_environment() -> dict[str, str]:
    """The environment without variables that select an unfit kernel on some machines."""
    hidden = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def measure(command: list[str]) -> list[dict]:
    """Runs a benchmark in a separate process; each of its output lines is JSON."""
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=fitting_environment()
    )
    return [json.loads(line) for line in output.stdout.splitlines()]


def conditions() -> str:
    """The place and date of a measurement, as a line for its table."""

    def output(*command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return ", ".join(
        [
            f"{datetime.date.today()}",
            f"{os.cpu_count()} cores of {processor}",
            f"gwae {output('git', 'describe', '--always', '--dirty')}",
            f"PyTorch {version('torch')}",
            output("rustc", "--version"),
        ]
    )


def megabytes(size: int | None) -> str:
    return f"{size / 1e6:,.0f} MB" if size else "-"


def print_table(rows: list[list[str]]) -> None:
    """Markdown; the first row is the header, and all columns but the first are numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [rows[0], rule, *rows[1:]]:
        first, *others = row
        cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:]))]
        print("| " + " | ".join(cells) + " |")
