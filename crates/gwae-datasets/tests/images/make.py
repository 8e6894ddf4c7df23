"""Makes the images in this folder: JPEG files of every kind, and the pixels of the reference decoders.

    pip install pillow==13.0.0 torch torchvision
    python make.py

NAME.jpg, NAME.png  a JPEG and its pixels by libjpeg-turbo 3.2.0 (in Pillow)
progressive.jpg     the picture of colours.jpg, progressive
expected.bin        colours.jpg through torchvision: CenterCrop(48), Resize(16); u8, [3, 16, 16]
cmyk.jpg            8x8 in CMYK
"""

import math
import pathlib

import numpy
from PIL import Image
from torchvision import transforms

here = pathlib.Path(__file__).parent


def smooth(width, height):
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
    planes = [
        127 + 120 * numpy.sin(x / 7) * numpy.cos(y / 11),
        127 + 120 * numpy.sin((x + y) / 13 + math.pi / 3),
        40 + 3 * y * (numpy.hypot(x - 30, y - 35) < 20),
    ]
    return numpy.stack(planes, axis=-1).clip(0, 255).astype(numpy.uint8)


def noise(width, height):
    """Edges and noise of full contrast, which drive the decoder out of 0 to 255."""
    picture = numpy.random.default_rng(1).integers(0, 2, (height, width, 3)) * 255
    picture[height // 3 : 2 * height // 3] = smooth(width, height)[height // 3 : 2 * height // 3]
    return picture.astype(numpy.uint8)


def save(name, picture, **options):
    Image.fromarray(picture).save(here / f"{name}.jpg", **options)
    Image.open(here / f"{name}.jpg").save(here / f"{name}.png", optimize=True)


save("colours", smooth(60, 70), quality=90, subsampling="4:2:0")
save("halves", noise(47, 35), quality=85, subsampling="4:2:0", restart_marker_blocks=2)
save("half_width", noise(39, 21), quality=90, subsampling="4:2:2", restart_marker_rows=1)
save("full", noise(33, 17), quality=75, subsampling="4:4:4", optimize=True)
save("coarse", smooth(50, 34), quality=10, subsampling="4:2:0")
save("grey", noise(21, 26)[..., 0], quality=95)

Image.fromarray(smooth(60, 70)).save(
    here / "progressive.jpg", quality=90, subsampling="4:2:0", progressive=True
)
official = transforms.Compose([transforms.CenterCrop(48), transforms.Resize(16)])
expected = numpy.asarray(official(Image.open(here / "colours.jpg")))
(here / "expected.bin").write_bytes(expected.transpose(2, 0, 1).tobytes())
Image.new("CMYK", (8, 8), (10, 200, 30, 40)).save(here / "cmyk.jpg", optimize=True)
