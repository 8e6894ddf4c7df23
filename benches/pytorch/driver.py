"""Building and running the two sides of a comparison, and printing its table."""

import json
import os
import subprocess
import sys
from functools import cache
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
    """The environment without what chooses, on some machines, a kernel unfit for the processor."""
    hidden = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def measure(command: list[str]) -> list[dict]:
    """Runs a benchmark in a process of its own; each of its lines is JSON."""
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=fitting_environment()
    )
    return [json.loads(line) for line in output.stdout.splitlines()]


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
