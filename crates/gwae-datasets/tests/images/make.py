"""Makes the pictures in this folder that the tests cannot make themselves.

    pip install pillow==13.0.0 torch torchvision
    python make.py

colours.jpg      60x70, baseline, chroma at half resolution (4:2:0), quality 90
progressive.jpg  the same picture, progressive
expected.bin     colours.jpg through torchvision: CenterCrop(48), Resize(16); u8, [3, 16, 16]
cmyk.jpg         8x8 in CMYK
"""

import math
import pathlib

import numpy
from PIL import Image
from torchvision import transforms

here = pathlib.Path(__file__).parent
y, x = numpy.mgrid[0:70, 0:60].astype(numpy.float64)
picture = numpy.stack(
    [
        127 + 120 * numpy.sin(x / 7) * numpy.cos(y / 11),
        127 + 120 * numpy.sin((x + y) / 13 + math.pi / 3),
        40 + 3 * y * (numpy.hypot(x - 30, y - 35) < 20),
    ],
    axis=-1,
)
picture = Image.fromarray(picture.clip(0, 255).astype(numpy.uint8))
picture.save(here / "colours.jpg", quality=90, subsampling="4:2:0")
picture.save(here / "progressive.jpg", quality=90, subsampling="4:2:0", progressive=True)
official = transforms.Compose([transforms.CenterCrop(48), transforms.Resize(16)])
expected = numpy.asarray(official(Image.open(here / "colours.jpg")))
(here / "expected.bin").write_bytes(expected.transpose(2, 0, 1).tobytes())
Image.new("CMYK", (8, 8), (10, 200, 30, 40)).save(here / "cmyk.jpg", optimize=True)
