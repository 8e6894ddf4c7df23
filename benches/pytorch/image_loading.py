"""CelebA's JPEG files to batches of 64x64x3 with torchvision and DataLoader: images per second.

    pip install torchvision
    python benches/pytorch/image_loading.py DIRECTORY [--workers 2] [--batches 60]

The counterpart of `cargo bench -p gwae-datasets --bench image_loading -- DIRECTORY`.
"""

import argparse
import pathlib
import resource
import time

import torch
from PIL import Image
from torchvision import transforms


class Celeba(torch.utils.data.Dataset):
    """The training part, as torchvision's own CelebA reads it (without its checksum of 1.4 GB)."""

    def __init__(self, directory):
        self.images = pathlib.Path(directory) / "img_align_celeba"
        partition = (pathlib.Path(directory) / "list_eval_partition.txt").read_text().split("\n")
        rows = [line.split() for line in partition if line]
        self.names = [name for name, part in rows if part == "0"]
        self.transform = transforms.Compose(
            [transforms.CenterCrop(144), transforms.Resize((64, 64)), transforms.ToTensor()]
        )

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.transform(Image.open(self.images / self.names[index]).convert("RGB"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batches", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    loader = torch.utils.data.DataLoader(
        Celeba(arguments.directory),
        batch_size=64,
        shuffle=True,
        drop_last=True,
        num_workers=arguments.workers,
        persistent_workers=arguments.workers > 0,
        prefetch_factor=2 if arguments.workers else None,
    )
    # The first epoch starts the workers; the second one is timed.
    iterator = iter(loader)
    for _ in iterator:
        pass
    start = time.perf_counter()
    images = 0
    for number, batch in enumerate(loader):
        if number == arguments.batches:
            break
        images += batch.shape[0]
    seconds = time.perf_counter() - start
    print(f"{images} images in {seconds:.3f} s: {images / seconds:.0f} images/s")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    del iterator, loader
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {own:.0f} MiB, largest worker {worker:.0f} MiB")
