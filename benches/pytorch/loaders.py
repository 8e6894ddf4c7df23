"""Images per second from files to batches of 64x64x3 with DataLoader, torchvision and h5py.

    python benches/pytorch/loaders.py WORK DIRECTORY [--workers 0 2] [--variant NAME …]

The counterpart of `cargo bench -p gwae-datasets --bench loaders`, on the same files. Prints a line of
JSON for each variant and number of workers. Variants are ways in which a careful user may write the
same work; see LOADER_VARIANTS. The peak memory is that of the main process plus the private memory of
each worker.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler
from torchvision import io as image_io
from torchvision import transforms
from torchvision.transforms import v2

from common import FILES, LOADER_VARIANTS, resident_memory

SIZE, BATCH_SIZE = 64, 64
# Number of batches before the measured ones: more than the loader prepares ahead.
WARM_UP = 8


def unit(images: torch.Tensor) -> torch.Tensor:
    """8-bit values as numbers in [0, 1]."""
    return images.to(torch.float32).div_(255)


def three_channels(images: torch.Tensor) -> torch.Tensor:
    return images.repeat(1, 3, 1, 1) if images.dim() == 4 else images.repeat(3, 1, 1)


class Files(Dataset):
    """Image files, decoded at each use: by Pillow, or by torchvision into tensors."""

    def __init__(self, files, variant: str, mode: str = "RGB", crop: int | None = None):
        self.files, self.variant, self.mode = files, variant, mode
        tensors = variant == "tensors"
        steps = []
        if crop:
            steps.append(v2.CenterCrop(crop) if tensors else transforms.CenterCrop(crop))
        if tensors:
            steps.append(v2.Resize((SIZE, SIZE), antialias=True))
            steps.append(v2.ToDtype(torch.float32, scale=True))
            self.transform = v2.Compose(steps)
        else:
            steps += [transforms.Resize((SIZE, SIZE)), transforms.ToTensor()]
            self.transform = transforms.Compose(steps)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path = self.files[index]
        if self.variant == "tensors":
            mode = {"RGB": image_io.ImageReadMode.RGB, "L": image_io.ImageReadMode.GRAY}
            image = image_io.decode_image(image_io.read_file(path), mode[self.mode])
        else:
            image = Image.open(path).convert(self.mode)
        image = self.transform(image)
        return image if self.mode == "RGB" else three_channels(image)


class Memory(Dataset):
    """An array of 8-bit images, in memory or mapped; image by image, or a batch at once."""

    def __init__(self, images: np.ndarray, channels_last: bool = False):
        self.images, self.channels_last = images, channels_last

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        # An array in memory needs no sorting. Copying makes a read-only map writable.
        images = torch.from_numpy(np.array(self.images[index]))
        if images.dim() in (2, 3) and self.images.ndim == 3:
            images = images.unsqueeze(-3)
        if self.channels_last:
            images = images.movedim(-1, -3).contiguous()
        images = unit(images)
        if images.shape[-1] != SIZE:
            batch = images if images.dim() == 4 else images.unsqueeze(0)
            batch = torch.nn.functional.interpolate(
                batch, (SIZE, SIZE), mode="bilinear", antialias=True
            )
            images = batch if images.dim() == 4 else batch.squeeze(0)
        return images if images.shape[-3] == 3 else three_channels(images)


class Hdf5(Dataset):
    """Images straight from an HDF5 file; image by image, or a batch of ascending indices at once."""

    def __init__(self, path: Path):
        import h5py

        self.path, self.images = path, None
        with h5py.File(path) as file:
            self.length = len(file["images"])

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        import h5py

        if self.images is None:
            # Opened in the worker, because an open file does not survive a fork.
            self.images = h5py.File(self.path)["images"]
        # h5py needs ascending indices; the order within a batch does not matter.
        images = self.images[np.sort(index) if isinstance(index, list) else index]
        return unit(torch.from_numpy(images).movedim(-1, -3).contiguous())


def idx(path: Path) -> np.ndarray:
    content = gzip.decompress(path.read_bytes())
    sizes = [int.from_bytes(content[4 * n : 4 * n + 4], "big") for n in (1, 2, 3)]
    return np.frombuffer(content, np.uint8, offset=16).reshape(sizes)


def celeba_names(directory: Path) -> list[str]:
    """The training part."""
    lines = (directory / "list_eval_partition.txt").read_text().splitlines()
    rows = [line.split() for line in lines]
    return [str(directory / "img_align_celeba" / name) for name, part in rows if part == "0"]


def celeba_copy(directory: Path) -> np.ndarray:
    """Our own resized copy: a header of 40 bytes, then pixels and 164 other bytes per image."""
    (path,) = (directory / "copies" / "celeba").glob("*.images")
    pixels = 3 * SIZE * SIZE
    records = np.memmap(path, np.uint8, "r", offset=40)
    images = records.reshape(-1, pixels + 164)[:, :pixels]
    return images.reshape(-1, 3, SIZE, SIZE)


def omniglot(directory: Path) -> list[str]:
    """The training part, unpacked, as in torchvision's Omniglot."""
    place = directory / "omniglot" / "unpacked" / "images_background"
    return sorted(map(str, place.rglob("*.png")))


def resized(files: list[str]) -> np.ndarray:
    """Resized images: a user may decode a small dataset once and keep these."""
    images = np.empty((len(files), SIZE, SIZE), np.uint8)
    for image, path in zip(images, files):
        image[:] = Image.open(path).convert("L").resize((SIZE, SIZE), Image.BILINEAR)
    return images


def dsprites(directory: Path) -> np.ndarray:
    path = directory / "dsprites" / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    images = np.load(path, allow_pickle=True)["imgs"]
    images *= 255
    return images


def shapes3d(directory: Path) -> np.ndarray:
    import h5py

    with h5py.File(directory / "shapes3d" / "3dshapes.h5") as file:
        images = file["images"]
        array = np.empty(images.shape, np.uint8)
        # The number of images in a chunk of the file, so that no chunk is decompressed twice.
        step = images.chunks[0]
        for start in range(0, len(images), step):
            array[start : start + step] = images[start : start + step]
    return array


def dataset(work: str, directory: Path, variant: str) -> Dataset:
    match work:
        case "mnist":
            return Memory(idx(directory / "mnist" / "train-images-idx3-ubyte.gz"))
        case "omniglot":
            return Files(omniglot(directory), variant, "L")
        case "omniglot-memory":
            return Memory(resized(omniglot(directory)))
        case "folder":
            files = sorted(map(str, (directory / "folder").rglob("*.png")))
            return Files(files, variant)
        case "shapes3d-streamed":
            return Hdf5(directory / "shapes3d" / "3dshapes.h5")
        case "shapes3d":
            return Memory(shapes3d(directory), channels_last=True)
        case "dsprites":
            return Memory(dsprites(directory))
        case "celeba":
            return Files(celeba_names(directory / "celeba"), variant, crop=144)
        case "celeba-copy":
            return Memory(celeba_copy(directory))
    raise SystemExit(f"there is no work {work}")


def loader(data: Dataset, variant: str, workers: int) -> DataLoader:
    settings = {"num_workers": workers, "persistent_workers": workers > 0}
    if variant == "batches":
        order = BatchSampler(RandomSampler(data), BATCH_SIZE, drop_last=True)
        return DataLoader(data, sampler=order, batch_size=None, **settings)
    return DataLoader(data, batch_size=BATCH_SIZE, shuffle=True, drop_last=True, **settings)


def endless(batches: DataLoader):
    while True:
        yield from batches


def cpu_seconds() -> float:
    """The sum over this process and its running workers."""
    ticks = os.sysconf("SC_CLK_TCK")
    seconds = time.process_time()
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / ticks
    return seconds


def peak_memory() -> int | None:
    peak = resident_memory("VmHWM")
    for worker in multiprocessing.active_children():
        lines = Path(f"/proc/{worker.pid}/smaps_rollup").read_text().splitlines()
        own = (line.split() for line in lines if line.startswith("Private_"))
        peak += sum(1024 * int(fields[1]) for fields in own)
    return peak


def measured(data: Dataset, variant: str, workers: int, options) -> dict:
    batches = endless(loader(data, variant, workers))
    # A batch straight from the file takes seconds.
    for _ in range(0 if options.work == "shapes3d-streamed" else WARM_UP):
        next(batches)
    start, cpu = time.perf_counter(), cpu_seconds()
    images = count = 0
    while time.perf_counter() - start < options.seconds and count != options.batches:
        batch = next(batches)
        assert batch.shape == (BATCH_SIZE, 3, SIZE, SIZE) and batch.dtype == torch.float32
        images += len(batch)
        count += 1
    seconds = time.perf_counter() - start
    return {
        "images": images,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - cpu,
        "peak_bytes": peak_memory(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", choices=LOADER_VARIANTS)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--variant", nargs="*", help="default: all that there are")
    parser.add_argument("--workers", nargs="*", type=int, default=[2])
    parser.add_argument("--seconds", type=float, default=2, help="the measurement ends after")
    parser.add_argument("--batches", type=int, help="or with so many batches")
    options = parser.parse_args()
    data = None
    for variant in options.variant or LOADER_VARIANTS[options.work]:
        start = time.perf_counter()
        # All variants use the same array, and reading it may take long.
        if data is None or variant in FILES:
            data = dataset(options.work, options.directory, variant)
        opened = time.perf_counter() - start
        for workers in options.workers:
            figures = {
                "implementation": "pytorch",
                "work": options.work,
                "variant": variant,
                "workers": workers,
                **measured(data, variant, workers, options),
                "opening_seconds": opened,
            }
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
