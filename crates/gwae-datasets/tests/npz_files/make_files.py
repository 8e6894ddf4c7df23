"""Writes the files of this directory: `python make_files.py` (needs numpy).

They have the arrays of the published dSprites file, small enough to be committed. The tests
compute the same values by the same formulas. Written with NumPy 2.4.
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
GRID = (3, 6, 40, 32, 32)


def images(count, height=9, width=7):
    n, y, x = np.ogrid[:count, :height, :width]
    return ((3 * n + 5 * y + x * x) % 7 < 3).astype(np.uint8)


def classes(count):
    """Classes of the grid's items 0, 50021, 100042, … (modulo 737,280), after the colour."""
    items = np.arange(count) * 50021 % 737280
    places = np.unravel_index(items, GRID)
    return np.stack([np.zeros(count, np.int64), *places], axis=1).astype(np.int64)


def write(name, compressed=True, count=14, **arrays):
    arrays = {
        "metadata": np.array({"title": "a pickled dictionary"}, dtype=object),
        "imgs": images(count),
        "latents_values": np.zeros((count, 6)),
        "latents_classes": classes(count),
    } | arrays
    arrays = {key: array for key, array in arrays.items() if array is not None}
    (np.savez_compressed if compressed else np.savez)(HERE / f"{name}.npz", **arrays)


write("compressed")
write("stored", compressed=False)
write("no_images", imgs=None)
write("no_classes", latents_classes=None)
write("fortran_order", imgs=np.asfortranarray(images(14)))
write("wide_classes", latents_classes=classes(14).astype(np.int32))
write("big_endian_classes", latents_classes=classes(14).astype(">i2"))
write("byte_classes", latents_classes=classes(14).astype(np.uint8))
write("float_classes", latents_classes=classes(14).astype(np.float64))
write("boolean_images", imgs=images(14).astype(bool))
write("signed_images", imgs=images(14).astype(np.int8))
write("flat_images", imgs=images(14).reshape(14, 63))
write("too_few_classes", latents_classes=classes(13))
grey = images(14)
grey[11, 4, 3] = 255
write("grey_image", imgs=grey)
foreign = classes(14)
foreign[6, 3] = 40
write("foreign_class", latents_classes=foreign)
colour = classes(14)
colour[2, 0] = 1
write("colour", latents_classes=colour)
