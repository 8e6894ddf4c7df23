"""Two programs with the same work: measured in turns, pooled over the rounds, printed as a table."""

import json
import statistics
import subprocess
import sys

from driver import measure, megabytes, print_table


class Side:
    """A command that does some work, and its measurements of all rounds."""

    def __init__(self, name: str, command: list[str]):
        self.name, self.command = name, command
        self.results, self.failed = [], False

    def round(self) -> None:
        if self.failed:
            return
        try:
            (result,) = measure(self.command)
        except subprocess.CalledProcessError as error:
            # The figures of the other measurements, hours of work, must not be lost.
            print(f"  {self.name}: failed, {error}", file=sys.stderr)
            self.failed = True
            return
        self.results.append(result)
        print(f"  {self.name}: {result['seconds_median']:.4f} s", file=sys.stderr)

    def seconds(self) -> list[float]:
        return [second for result in self.results for second in result["seconds"]]

    def median(self) -> float:
        return statistics.median(self.seconds())

    def largest(self, field: str) -> int | None:
        return max((result.get(field) or 0 for result in self.results), default=None)


class Comparison:
    """The same work on both sides. If PyTorch's is missing, `reason` says why."""

    def __init__(
        self, name: str, ours: Side, theirs: Side | None, reason: str = "", items: int = 1
    ):
        self.name, self.ours, self.theirs, self.reason = name, ours, theirs, reason
        self.items = items

    def sides(self) -> list[Side]:
        return [self.ours, *([self.theirs] if self.theirs else [])]

    def check(self) -> None:
        """Both sides must have the same model."""
        sizes = {r.get("parameters") for side in self.sides() for r in side.results}
        if len(sizes) > 1:
            sys.exit(f"{self.name}: models of different sizes, {sizes}")

    def row(self, memory: dict[str, str], rate: str | None) -> list[str]:
        cells = [self.name]
        for side in (self.ours, self.theirs):
            if side is None or side.failed or not side.results:
                reason = self.reason if side is None else "failed"
                cells += [reason or "-"] + ["-"] * (2 + len(memory) + bool(rate))
                continue
            if rate:
                cells.append(f"{self.items / side.median():,.0f}")
            cells += [duration(side.median()), duration(min(side.seconds()))]
            cells += [megabytes(side.largest(field)) for field in memory.values()]
            cells.append(str(len(side.seconds())))
        done = [side for side in self.sides() if side.results and not side.failed]
        ratio = f"{self.theirs.median() / self.ours.median():.2f}" if len(done) == 2 else "-"
        return [*cells, ratio]


def duration(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1e3:.2f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"


def run(comparisons: list[Comparison], rounds: int) -> None:
    """Measures all sides in turns, once per round; a side in several comparisons counts once."""
    sides = list(dict.fromkeys(side for each in comparisons for side in each.sides()))
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for side in sides:
            side.round()
        for each in comparisons:
            each.check()


PEAK = {"peak": "peak_bytes"}


def table(
    work: str,
    comparisons: list[Comparison],
    memory: dict[str, str] = PEAK,
    rate: str | None = None,
) -> None:
    """Prints medians over all runs of all rounds, the best, memory, and the ratio of medians.

    `memory` names columns and their fields, `rate` the unit of a column of items per second.
    """
    header = [work]
    for side in ("gwae", "PyTorch"):
        header += [f"{side} {rate}", "median"] if rate else [f"{side} median"]
        header += ["best", *memory, "runs"]
    header.append("PyTorch ÷ gwae")
    print_table([header, *(each.row(memory, rate) for each in comparisons)])
    print()


def store(options, comparisons: list[Comparison]) -> None:
    """Writes all figures of all rounds as JSON, if requested."""
    if options.json is None:
        return
    sides = dict.fromkeys(side for each in comparisons for side in each.sides())
    figures = [{"work": side.name, **result} for side in sides for result in side.results]
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
