"""Shared parts of the measured programs: timing and peak memory as in Rust, variants of loaders."""

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
    """Number of trainable values."""
    return sum(tensor.numel() for tensor in tensors)


def resident_memory(field: str) -> int | None:
    """A field of /proc/self/status in bytes: VmHWM is the peak, VmRSS the current size."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


# Ways in which a user may write each work of loaders.py: files through Pillow or into tensors, arrays
# image by image or a batch at once.
FILES, ARRAYS = ["Pillow", "tensors"], ["images", "batches"]
LOADER_VARIANTS = {
    "mnist": ARRAYS,
    "omniglot": FILES,
    "omniglot-memory": ARRAYS,
    "folder": FILES,
    # Image by image, a chunk is decompressed again for every image of a batch in it.
    "shapes3d-streamed": ["batches"],
    "shapes3d": ARRAYS,
    "dsprites": ARRAYS,
    "celeba": FILES,
    "celeba-copy": ARRAYS,
}
