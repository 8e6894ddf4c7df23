"""Makes stand-ins for the published datasets, in their layouts and at their official sizes.

    pip install -r benches/pytorch/requirements.txt
    python benches/pytorch/make_loader_data.py DIRECTORY

The work of loaders depends on sizes, formats and compression, not on the content of pictures. These
pictures compress about as well as the published ones. Takes minutes and about 2 GB. Existing parts are
kept; `--only NAME` makes one part.
"""

import argparse
import colorsys
import gzip
import io
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image, ImageDraw

DIGITS = Path(__file__).resolve().parents[2] / "crates" / "gwae-datasets" / "datasets" / "mnist10k"


def mnist(directory: Path, options) -> None:
    """60,000 + 10,000 images: the repository's ten thousand digits, repeated."""
    for part, count in [("train", 60_000), ("t10k", 10_000)]:
        for kind, header in [("images-idx3", 16), ("labels-idx1", 8)]:
            name = f"{part}-{kind}-ubyte.gz"
            content = gzip.decompress((DIGITS / name).read_bytes())
            have = int.from_bytes(content[4:8], "big")
            size = (len(content) - header) // have
            body = (content[header:] * (count // have + 1))[: count * size]
            head = content[:4] + count.to_bytes(4, "big") + content[8:header]
            (directory / name).write_bytes(gzip.compress(head + body, 6))


def omniglot(directory: Path, options) -> None:
    """1,623 characters of fifty alphabets by twenty drawers, as zip archives and unpacked."""
    generator = np.random.default_rng(1)
    for part, alphabets, characters in [("background", 30, 964), ("evaluation", 20, 659)]:
        archive = directory / f"images_{part}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for character in range(characters):
                alphabet, place = character % alphabets, character // alphabets + 1
                folder = f"images_{part}/{part}_{alphabet:02}/character{place:02}"
                strokes = generator.uniform(15, 90, (generator.integers(2, 5), 5, 2))
                for drawer in range(1, 21):
                    image = Image.new("1", (105, 105), 1)
                    draw = ImageDraw.Draw(image)
                    for stroke in strokes + generator.normal(0, 3, strokes.shape):
                        draw.line([tuple(point) for point in stroke], 0, 3, "curve")
                    content = io.BytesIO()
                    image.save(content, "png")
                    name = f"{folder}/{character + 1:04}_{drawer:02}.png"
                    file.writestr(name, content.getvalue())
        with zipfile.ZipFile(archive) as file:
            file.extractall(directory / "unpacked")


def shapes3d(directory: Path, options) -> None:
    """Every combination of the six factors, 64x64x3, in chunks and compressed, as h5py does it."""
    sizes = (10, 10, 10, 8, 4, 15)
    values = [np.linspace(0, 0.9, 10)] * 3
    values += [np.linspace(0.75, 1.25, 8), np.linspace(0, 3, 4), np.linspace(-30, 30, 15)]
    hues = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in values[0]], np.float32)
    # A scene without colours: the surface and the brightness of each pixel.
    y, x = np.mgrid[0:64, 0:64].astype(np.float32)
    surfaces, lights = [], []
    for scale in values[3]:
        for shape in range(4):
            for turn in values[5]:
                radius, centre = 11 * scale, 32 + turn / 8
                across, up = (x - centre) / radius, (y - 40) / radius
                inside = [
                    (abs(across) < 0.9) & (abs(up) < 0.9),
                    (abs(across) < 0.8) & (abs(up) < 1),
                    across**2 + up**2 < 1,
                    (across / 0.7) ** 2 + (up / 1.3) ** 2 < 1,
                ][shape]
                corner = 32 + turn
                bumps = 0.02 * np.sin(0.7 * x + turn / 9) * np.sin(1.1 * y)
                wall = np.where(x < corner, 0.7 + x / 300, 0.95 - x / 400) + bumps
                floor = 0.6 + y / 180 + bumps
                shadow = ((across - 0.3) / 1.4) ** 2 + ((up - 1) / 0.4) ** 2 < 1
                light = np.where(y > 42, floor * np.where(shadow, 0.6, 1), wall)
                gloss = np.clip(1.1 - ((across + 0.4) ** 2 + (up + 0.4) ** 2) / 4, 0.3, 1)
                surface = np.where(y > 42, 0, 1)
                surface = np.where(y < 9, 3, np.where(inside, 2, surface))
                surfaces.append(surface)
                lights.append(np.where(y < 9, 1, np.where(inside, gloss, light)))
    surfaces, lights = np.stack(surfaces), np.stack(lights).astype(np.float32)[..., None]
    count = min(options.shapes3d_images, int(np.prod(sizes)))
    places = np.stack(np.unravel_index(np.arange(count), sizes), 1)
    sky = np.array([[0.6, 0.89, 0.98]], np.float32)
    with h5py.File(directory / "3dshapes.h5", "w") as file:
        # The chunk size that h5py chooses for 480,000 images.
        chunks = (min(15_000, count), 4, 4, 1)
        shape = (count, 64, 64, 3)
        images = file.create_dataset("images", shape, "u1", chunks=chunks, compression="gzip")
        labels = np.stack([value[place] for value, place in zip(values, places.T)], 1)
        file.create_dataset("labels", data=labels)
        pending, start = [], 0
        for colours in np.ndindex(sizes[:3]):
            palette = np.concatenate([hues[list(colours)], sky])
            scenes = np.clip(palette[surfaces] * lights, 0, 1) * 255
            pending.append(scenes.astype(np.uint8))
            # Each write fills whole chunks.
            if len(pending) == 125 or start + 480 * len(pending) >= count:
                block = np.concatenate(pending)[: count - start]
                images[start : start + len(block)] = block
                pending, start = [], start + len(block)
            if start >= count:
                break


def dsprites(directory: Path, options) -> None:
    """Three shapes, six scales, forty orientations and 32x32 positions, one deflate stream."""
    sizes = (1, 3, 6, 40, 32, 32)
    count = min(options.dsprites_images, int(np.prod(sizes)))
    y, x = np.mgrid[0:64, 0:64]
    down, right = np.divmod(np.arange(1024), 32)
    rows = (y - (right - 16)[:, None, None]) % 64
    columns = (x - (down - 16)[:, None, None]) % 64

    def member(archive, name, dtype, shape, pieces):
        with archive.open(name, "w", force_zip64=True) as file:
            header = {"descr": dtype, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, dtype).tobytes())

    def pictures():
        for scene in range(-(-count // 1024)):
            shape, scale, orientation = np.unravel_index(scene, sizes[1:4])
            radius, angle = 5 + scale, 2 * np.pi * orientation / 39
            across = (x - 32) * np.cos(angle) + (y - 32) * np.sin(angle)
            up = (y - 32) * np.cos(angle) - (x - 32) * np.sin(angle)
            inside = [
                (abs(across) < radius) & (abs(up) < radius),
                (across / 1.5) ** 2 + up**2 < radius**2,
                (abs(across) < radius) & (up < radius - abs(across)) & (up > -radius),
            ][shape].astype(np.uint8)
            yield inside[rows, columns][: count - 1024 * scene]

    places = np.stack(np.unravel_index(np.arange(count), sizes), 1)
    path = directory / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        member(archive, "imgs.npy", "|u1", (count, 64, 64), pictures())
        member(archive, "latents_classes.npy", "<i8", (count, 6), [places])
        member(archive, "latents_values.npy", "<f8", (count, 6), [places])


def photographs(generator, width: int, height: int):
    """An endless series of smooth colour fields with edges and a little grain."""
    while True:
        image = np.zeros((height, width, 3), np.float32)
        for cells, strength in [(3, 70), (9, 35), (28, 14), (60, 6)]:
            noise = generator.integers(0, 256, (cells, cells, 3), np.uint8)
            field = Image.fromarray(noise).resize((width, height), Image.BICUBIC)
            image += (np.asarray(field, np.float32) - 128) * (strength / 74)
        picture = Image.fromarray(np.clip(image + 128, 0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        for _ in range(6):
            left, top = generator.uniform(0, width), generator.uniform(0, height)
            size = generator.uniform(0.05, 0.3, 2) * (width, height)
            colour = tuple(int(value) for value in generator.integers(0, 256, 3))
            draw.ellipse((left, top, left + size[0], top + size[1]), colour)
        yield picture


def celeba(directory: Path, options) -> None:
    """JPEG files of 178x218 and the two lists. Repeated pictures are hard links to one file."""
    images = directory / "img_align_celeba"
    images.mkdir()
    generator = np.random.default_rng(2)
    distinct = min(options.celeba_pictures, options.celeba_images)
    pictures = photographs(generator, 178, 218)
    for number, picture in zip(range(1, distinct + 1), pictures):
        picture.save(images / f"{number:06}.jpg", quality=80)
    for number in range(distinct + 1, options.celeba_images + 1):
        source = images / f"{(number - 1) % distinct + 1:06}.jpg"
        target = images / f"{number:06}.jpg"
        try:
            os.link(source, target)
        except OSError:
            # File systems limit the number of hard links, or have no hard links.
            shutil.copyfile(source, target)
    names = [f"{number:06}.jpg" for number in range(1, options.celeba_images + 1)]
    attributes = np.where(generator.random((len(names), 40)) < 0.5, "-1", " 1")
    with open(directory / "list_attr_celeba.txt", "w") as file:
        file.write(f"{len(names)}\n" + " ".join(f"attribute_{n}" for n in range(40)) + " \n")
        file.writelines(f"{name} {' '.join(row)}\n" for name, row in zip(names, attributes))
    # The official sizes of the training, validation and test part.
    ends = np.array([162_770, 182_637]) / 202_599 * len(names)
    with open(directory / "list_eval_partition.txt", "w") as file:
        parts = np.searchsorted(ends, np.arange(len(names)), side="right")
        file.writelines(f"{name} {part}\n" for name, part in zip(names, parts))


def folder(directory: Path, options) -> None:
    """PNG files of 128x128 in ten classes."""
    generator = np.random.default_rng(3)
    pictures = photographs(generator, 128, 128)
    for number, picture in zip(range(options.folder_images), pictures):
        place = directory / f"class{number % 10}"
        place.mkdir(exist_ok=True)
        picture.save(place / f"{number:06}.png")


PARTS = [mnist, omniglot, shapes3d, dsprites, celeba, folder]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS])
    parser.add_argument("--shapes3d-images", type=int, default=480_000)
    parser.add_argument("--dsprites-images", type=int, default=737_280)
    parser.add_argument("--celeba-images", type=int, default=202_599)
    parser.add_argument("--celeba-pictures", type=int, default=10_000, help="different ones")
    parser.add_argument("--folder-images", type=int, default=10_000)
    options = parser.parse_args()
    for part in PARTS:
        name = part.__name__
        target = options.directory / name
        if target.exists() or options.only not in (None, name):
            continue
        start = time.perf_counter()
        # The directory has another name until it is complete.
        partial = options.directory / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        part(partial, options)
        partial.rename(target)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
