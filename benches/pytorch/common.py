"""Repeated timing and peak memory, as the Rust benchmarks measure them."""

import statistics
import time


def timing(run, warm_up: int, repeats: int) -> tuple[float, float]:
    """Best and median seconds of `repeats` calls after `warm_up` untimed ones."""
    for _ in range(warm_up):
        run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds), statistics.median(seconds)


def resident_memory(field: str) -> int | None:
    """A field of /proc/self/status in bytes: VmHWM is the peak, VmRSS the present size."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024
