"""Training step, GW loss, scaling and inference, and PyTorch's: the works and their tables."""

import os
import sys

from comparison import PEAK, Comparison, Side, run, store, table
from driver import HERE, built

PIXELS = 12_288  # of an image of 64×64×3
FORMULAS = {
    "broadcast": "broadcast formula",
    "cdist": "`cdist`, direct",
    "cdist_gram": "`cdist` by Gram matrix",
}
# Above this size, a run of the direct formula takes minutes.
LARGEST_DIRECT = 1024


def python(script: str) -> list[str]:
    return [sys.executable, str(HERE / script)]


def step(name: str, options, threads=None, batch=64, size=64) -> Comparison:
    """The full training step."""
    settings = ["--threads", str(threads or options.threads), "--steps", str(options.repeats)]
    settings += ["--batch-size", str(batch), "--image-size", str(size)]
    ours = [built("training_step"), "--json", "--parts", "0", *settings]
    theirs = python("training_step.py") + settings
    return Comparison(
        name, Side(f"{name}, gwae", ours), Side(f"{name}, PyTorch", theirs), items=batch
    )


def losses(sizes: list[int], options) -> list[Comparison]:
    """The GW loss of every batch size, compared with every formula that is possible here."""
    comparisons = []
    for batch in sizes:
        # A run of a large batch takes seconds, so a first untimed run makes no difference.
        repeats, warm_up = (options.repeats, 1) if batch < 1024 else (1, 0)
        settings = ["--batch-size", str(batch), "--repeats", str(repeats)]
        settings += ["--warm-up", str(warm_up)]
        settings += ["--threads", str(options.threads)]
        ours = Side(f"GW loss, batch {batch}, gwae", [built("gw_loss"), "--json", *settings])
        for formula, name in FORMULAS.items():
            command = python("gw_loss.py") + ["--formula", formula, *settings]
            theirs = Side(f"GW loss, batch {batch}, {formula}", command)
            reason = left_out(formula, batch, options)
            row = f"{batch:,}, {name}"
            comparisons.append(Comparison(row, ours, None if reason else theirs, reason))
    return comparisons


def left_out(formula: str, batch: int, options) -> str:
    """Why a formula is not measured; empty if it is."""
    # The differences, their gradient, and a temporary copy.
    needed = 3 * 4 * batch * batch * PIXELS
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if formula == "broadcast" and needed > 0.8 * memory:
        return f"needs {needed / 1e9:,.0f} GB"
    if formula == "cdist" and batch > LARGEST_DIRECT and not options.slow:
        return "minutes a run"
    return ""


def training(options) -> None:
    """The official training step, and the GW loss at its batch size."""
    full = [step("full training step, batch 64", options)]
    parts = losses([64], options)
    run(full + parts, options.rounds)
    table("work", full)
    table("GW loss, batch size", parts)
    store(options, full + parts)


def gw_loss(options) -> None:
    """The GW loss, forward and backward, from small batches to large ones."""
    comparisons = losses(options.batch_size or [64, 256, 1024, 2048, 4096, 8192], options)
    run(comparisons, options.rounds)
    memory = {**PEAK, "above inputs": "peak_bytes_above_start"}
    table("GW loss, batch size", comparisons, memory)
    store(options, comparisons)


def scaling(options) -> None:
    """The training step over threads, batch sizes and image sizes."""
    threads = [2**n for n in range(options.threads.bit_length()) if 2**n <= options.threads]
    by_threads = [
        step(f"{count} thread{'s' * (count > 1)}", options, threads=count) for count in threads
    ]
    base = by_threads[-1] if threads[-1] == options.threads else None
    by_batch = [
        base if base and batch == 64 else step(f"batch {batch}", options, batch=batch)
        for batch in options.batch_size or [16, 32, 64, 128, 256]
    ]
    by_size = [
        base if base and size == 64 else step(f"{size}×{size}", options, size=size)
        for size in [32, 64, 128]
    ]
    everything = [*by_threads, *by_batch, *by_size]
    run(everything, options.rounds)
    rate = "images/s"
    table("training step, batch 64, 64×64", by_threads, rate=rate)
    named = f"training step, {options.threads} threads, 64×64"
    table(named, renamed(by_batch, base, "batch 64"), rate=rate)
    named = f"training step, {options.threads} threads, batch 64"
    table(named, renamed(by_size, base, "64×64"), rate=rate)
    store(options, everything)


def renamed(comparisons: list[Comparison], base: Comparison | None, name: str) -> list[Comparison]:
    """The comparisons with `base`, which several tables share, under its name in this table."""
    return [
        Comparison(name, each.ours, each.theirs, items=each.items) if each is base else each
        for each in comparisons
    ]


def inference(options) -> None:
    """Encoding and decoding without gradients."""
    comparisons = []
    for work in ("encode", "decode"):
        for batch in options.batch_size or [1, 64, 256]:
            repeats = min(max(1024 // batch, 10), 200)
            settings = ["--work", work, "--batch-size", str(batch), "--repeats", str(repeats)]
            settings += ["--threads", str(options.threads)]
            name = f"{work}, batch {batch}"
            ours = Side(f"{name}, gwae", [built("inference"), "--json", *settings])
            theirs = Side(f"{name}, PyTorch", python("inference.py") + settings)
            comparisons.append(Comparison(name, ours, theirs, items=batch))
    run(comparisons, options.rounds)
    table("64×64×3, without gradients", comparisons, rate="images/s")
    store(options, comparisons)
