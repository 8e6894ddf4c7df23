"""Writes JPEG files of every kind, and libjpeg's pixels of each, for `tests/jpeg_kinds.rs`.

    pip install pillow numpy
    apt-get install libjpeg-turbo-progs
    python sweep.py DIRECTORY          # all kinds: some thousands of files
"""

import io
import itertools
import pathlib
import random
import subprocess
import sys

import numpy
from PIL import Image

directory = pathlib.Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)

def picture(width, height):
    """Smooth gradients with an edge and some noise."""
    y, x = numpy.mgrid[0:height, 0:width].astype(float)
    planes = [
        127 + 120 * numpy.sin(x / 7) * numpy.cos(y / 11),
        127 + 120 * numpy.sin((x + y) / 13 + 1),
        40 + 3 * y * (x > y),
    ]
    noise = numpy.random.default_rng(width * 1000 + height).normal(0, 12, (height, width, 3))
    return (numpy.stack(planes, axis=-1) + noise).clip(0, 255).astype(numpy.uint8)

def pnm(pixels):
    height, width = pixels.shape[:2]
    kind = "P6" if pixels.ndim == 3 else "P5"
    return f"{kind} {width} {height} 255\n".encode() + pixels.tobytes()

def cjpeg(pixels, *options, scans=None):
    options = list(options)
    if scans:
        path = directory / "scans.txt"
        path.write_text(scans)
        options += ["-scans", str(path)]
    done = subprocess.run(["cjpeg", "-quality", "85", *options], input=pnm(pixels), capture_output=True)
    return done.stdout if done.returncode == 0 else None

SEQUENTIAL = {
    "together": "0 1 2;",
    "apart": "0; 1; 2;",
    "chroma_first": "2; 1; 0;",
    "pair_first": "0 1; 2;",
    "pair_last": "0; 1 2;",
    "outer_pair": "1; 0 2;",
}
PROGRESSIVE = {
    "default": None,
    "dc_apart": "0: 0-0, 0, 0; 1: 0-0, 0, 0; 2: 0-0, 0, 0; 0: 1-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    "refined": "0 1 2: 0-0, 0, 2; 2: 1-63, 0, 2; 1: 1-63, 0, 1; 0: 1-9, 0, 1; 0: 10-63, 0, 3; 0: 10-63, 3, 2; 0: 10-63, 2, 1; 0 1 2: 0-0, 2, 1; 0: 1-63, 1, 0; 2: 1-63, 2, 1; 1: 1-63, 1, 0; 2: 1-63, 1, 0; 0 1 2: 0-0, 1, 0;",
    "chroma_first": "2: 0-0, 0, 1; 0 1: 0-0, 0, 1; 1: 1-63, 0, 0; 2: 1-63, 0, 0; 2: 0-0, 1, 0; 0: 1-63, 0, 0; 0 1: 0-0, 1, 0;",
    "no_ac": "0 1 2: 0-0, 0, 0;",
    "not_refined": "0 1 2: 0-0, 0, 0; 0: 1-63, 0, 1;",
}
SAMPLINGS = ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "2x4", "3x1", "1x3", "3x2", "2x3", "3x3", "4x4",
    "1x1,2x2,2x2", "1x1,2x1,1x1", "1x1,1x2,1x1", "2x1,2x2,2x2", "1x2,2x2,1x1", "2x2,2x1,1x2", "2x2,2x2,1x1",
    "2x2,1x1,2x2", "4x2,1x1,2x1", "1x1,4x1,2x1", "2x2,2x2,2x2", "4x1,2x1,1x1", "3x1,1x1,3x1", "1x1,3x1,3x1",
    "1x1,1x3,1x3", "2x1,4x1,1x1", "1x2,1x4,1x1", "3x1,2x1,1x1", "2x1,3x1,1x1", "1x3,1x2,1x1"]
SIZES = [(64, 64), (47, 35), (33, 17), (9, 70), (70, 7), (3, 3), (1, 1), (5, 2), (17, 16), (16, 33)]
RESTARTS = [[], ["-restart", "1"], ["-restart", "3B"], ["-restart", "1B"]]

names = set()
def save(name, data):
    if data is None:
        return
    assert name not in names, name
    names.add(name)
    (directory / f"{name}.jpg").write_bytes(data)
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        image = image if image.mode in ("L", "RGB") else image.convert("RGB")
        image.save(directory / f"{name}.png", compress_level=1)
    except Exception as error:
        (directory / f"{name}.refused").write_text(str(error))

def marked(data, transform, keep_jfif=False):
    """The file with an Adobe segment after the start, and without JFIF unless kept."""
    out, rest = data[:2], data[2:]
    if transform is not None:
        out += b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    if not keep_jfif and rest[:2] == b"\xff\xe0":
        rest = rest[2 + int.from_bytes(rest[2:4], "big"):]
    return out + rest

def without(data, marker):
    """The file without the segments of this marker before the first scan."""
    out, place = data[:2], 2
    while data[place + 1] != 0xDA:
        length = 2 + int.from_bytes(data[place + 2:place + 4], "big")
        if data[place + 1] != marker:
            out += data[place:place + length]
        place += length
    return out + data[place:]

def segments(data):
    """Offsets of the segments up to the first scan."""
    place = 2
    while True:
        yield place
        if data[place + 1] == 0xDA:
            return
        place += 2 + int.from_bytes(data[place + 2:place + 4], "big")

def renamed(data, ids):
    """The file with other component identifiers (three or four components)."""
    data = bytearray(data)
    count = len(ids)
    place = 2
    while place < len(data) - 1:
        if data[place] == 0xFF and data[place + 1] in (0xC0, 0xC1, 0xC2):
            old = [data[place + 10 + 3 * i] for i in range(count)]
            for i in range(count):
                data[place + 10 + 3 * i] = ids[i]
        if data[place] == 0xFF and data[place + 1] == 0xDA:
            for i in range(data[place + 4]):
                data[place + 5 + 2 * i] = ids[old.index(data[place + 5 + 2 * i])]
        place += 1
    return bytes(data)

for sampling, size in itertools.product(SAMPLINGS, SIZES):
    pixels = picture(*size)
    title = f"{sampling.replace(',', '-')}_{size[0]}x{size[1]}"
    for r, restart in enumerate(RESTARTS):
        if r and size not in SIZES[1:4]:
            continue
        for kind, scans in SEQUENTIAL.items():
            save(f"sequential_{kind}_{title}_r{r}", cjpeg(pixels, "-sample", sampling, *restart, scans=scans))
        for kind, scans in PROGRESSIVE.items():
            save(f"progressive_{kind}_{title}_r{r}", cjpeg(pixels, "-progressive", "-sample", sampling, *restart, scans=scans))
    if size == (47, 35):
        save(f"arithmetic_{title}", cjpeg(pixels, "-arithmetic", "-sample", sampling))
        save(f"arithmetic_progressive_{title}", cjpeg(pixels, "-arithmetic", "-progressive", "-sample", sampling))
        save(f"rgb_{title}", cjpeg(pixels, "-rgb", "-sample", sampling))
        save(f"rgb_apart_{title}", cjpeg(pixels, "-rgb", "-sample", sampling, scans="0;1;2;"))
        save(f"optimized_{title}", cjpeg(pixels, "-optimize", "-sample", sampling))

for size, r in itertools.product(SIZES, range(len(RESTARTS))):
    grey = picture(*size)[..., 0].copy()
    title = f"{size[0]}x{size[1]}_r{r}"
    for sampling in ["1x1", "2x2", "3x1"]:
        save(f"grey_{sampling}_{title}", cjpeg(grey, "-grayscale", "-sample", sampling, *RESTARTS[r]))
        save(f"grey_progressive_{sampling}_{title}", cjpeg(grey, "-grayscale", "-progressive", "-sample", sampling, *RESTARTS[r]))

# Colour spaces and marks.
for (size, sampling) in itertools.product([(47, 35), (64, 64), (5, 2)], ["1x1", "2x2", "2x1"]):
    pixels = picture(*size)
    title = f"{sampling}_{size[0]}x{size[1]}"
    plain = cjpeg(pixels, "-sample", sampling)
    for transform in [None, 0, 1, 2, 7]:
        for jfif in (False, True):
            for ids, kind in [((1, 2, 3), "123"), (b"RGB", "RGB"), ((0, 1, 2), "012"), (b"YCc", "YCc")]:
                save(f"marks_{transform}_{jfif}_{kind}_{title}", renamed(marked(plain, transform, jfif), ids))
    for progressive in (False, True):
        four = Image.fromarray(pixels).convert("CMYK")
        black = Image.fromarray((pixels[..., 1] // 2).astype(numpy.uint8))
        four = Image.merge("CMYK", [*four.split()[:3], black])
        buffer = io.BytesIO()
        four.save(buffer, "JPEG", quality=88, progressive=progressive)
        data = buffer.getvalue()
        adobe = without(data, 0xEE)
        for transform in [None, 0, 1, 2]:
            save(f"four_{transform}_{progressive}_{title}", marked(adobe, transform))

# Unusual, but readable.
for sampling in ["1x1", "2x2"]:
    plain = cjpeg(picture(47, 35), "-sample", sampling)
    save(f"no_huffman_tables_{sampling}", without(plain, 0xC4))
    save(f"no_huffman_tables_apart_{sampling}", without(cjpeg(picture(47, 35), "-sample", sampling, scans="0;1;2;"), 0xC4))
    for junk, kind in [(b"\x00", "zero"), (b"\x00\x01\x02abc", "letters"), (b"\xff\xff\xff", "fill"), (b"\x00\xff\x00\x05", "escaped")]:
        for number, place in enumerate(segments(plain)):
            save(f"stray_{kind}_{number}_{sampling}", plain[:place] + junk + plain[place:])
        save(f"stray_{kind}_end_{sampling}", plain[:-2] + junk + plain[-2:])
    save(f"after_end_{sampling}", plain + b"behind the end")
    save(f"junk_after_scan_{sampling}", cjpeg(picture(47, 35), "-sample", sampling, scans="0;1;2;").replace(b"\xff\xda", b"\x00\x17\xff\xda"))
    save(f"quality1_{sampling}", cjpeg(picture(47, 35), "-quality", "1", "-sample", sampling))
    save(f"quality1_baseline_{sampling}", cjpeg(picture(47, 35), "-quality", "1", "-baseline", "-sample", sampling))
    save(f"quality100_{sampling}", cjpeg(picture(47, 35), "-quality", "100", "-sample", sampling))
print(len(names), "files")
