"""What the measured programs share: timing and peak memory as in Rust, variants of loaders."""

import statistics
import time


def timing(run, warm_up: int, repeats: int) -> dict:
    """Best, median and all seconds of `repeats` calls after `warm_up` untimed ones."""
    for _ in range(warm_up):
        run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return {
        "seconds_best": min(seconds),
        "seconds_median": statistics.median(seconds),
        "seconds": sorted(seconds),
    }


def parameters(*tensors) -> int:
    """Numbers that are learned."""
    return sum(tensor.numel() for tensor in tensors)


def resident_memory(field: str) -> int | None:
    """A field of /proc/self/status in bytes: VmHWM is the peak, VmRSS the present size."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


# Ways in which a user may write each of the works of loaders.py: files by Pillow or into tensors,
# arrays by image or a batch at once.
FILES, ARRAYS = ["Pillow", "tensors"], ["images", "batches"]
LOADER_VARIANTS = {
    "mnist": ARRAYS,
    "omniglot": FILES,
    "omniglot-memory": ARRAYS,
    "folder": FILES,
    # By image, a chunk is decompressed for every image of a batch that lies in it.
    "shapes3d-streamed": ["batches"],
    "shapes3d": ARRAYS,
    "dsprites": ARRAYS,
    "celeba": FILES,
    "celeba-copy": ARRAYS,
}
