"""Writes the files of this directory: `python make_files.py` (needs h5py and numpy).

They hold images and labels in every layout that h5py produces, small enough to be committed.
The tests compute the same values by the same formulas. Written with h5py 3.16 (HDF5 2.0).
"""

import os
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
# One file names another one without its directory.
os.chdir(HERE)
GRID = (10, 10, 10, 8, 4, 15)
VALUES = [
    np.linspace(0.0, 0.9, 10),
    np.linspace(0.0, 0.9, 10),
    np.linspace(0.0, 0.9, 10),
    np.linspace(0.75, 1.25, 8),
    np.linspace(0.0, 3.0, 4),
    np.linspace(-30.0, 30.0, 15),
]


def images(count, height=6, width=5, channels=3):
    n, y, x, c = np.ogrid[:count, :height, :width, :channels]
    return (7 * n + 5 * y + 3 * x + 11 * c + n * y * x % 13).astype(np.uint8)


def labels(count):
    """Labels of the grid's items 0, 40009, 80018, … (modulo 480,000)."""
    items = np.arange(count) * 40009 % 480000
    places = np.unravel_index(items, GRID)
    return np.stack([values[place] for values, place in zip(VALUES, places)], axis=1)


def write(name, count=12, libver="earliest", label_options=None, **options):
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver) as file:
        file.create_dataset("images", data=images(count), **options)
        file.create_dataset("labels", data=labels(count), **(label_options or {}))


pieces = {"chunks": (5, 4, 3, 2)}
write("contiguous")
write("chunked", **pieces)
write("gzip", **pieces, compression="gzip")
write("gzip_shuffle", **pieces, compression="gzip", shuffle=True,
      label_options={"chunks": (5, 4), "compression": "gzip", "shuffle": True})
write("fletcher32", **pieces, compression="gzip", shuffle=True, fletcher32=True,
      label_options={"chunks": (5, 6), "fletcher32": True})
write("automatic", chunks=True, compression="gzip", compression_opts=9)
write("resizable", maxshape=(None, None, 5, 3), **pieces)
write("two_levels", count=70, chunks=(1, 6, 5, 3))
protected = {"chunks": (5, 4), "compression": "gzip"}
write("latest_contiguous", libver="latest")
write("latest_single", libver="latest", chunks=(12, 6, 5, 3))
write("latest_single_gzip", libver="latest", chunks=(12, 6, 5, 3), compression="gzip",
      label_options={"chunks": (12, 6), "compression": "gzip"})
write("latest_fixed_array", libver="latest", **pieces, maxshape=(30, 6, 9, 3))
write("latest_gzip", libver="latest", **pieces, compression="gzip", shuffle=True, fletcher32=True,
      label_options=protected)
write("v110_gzip", libver=("v110", "v110"), **pieces, compression="gzip", label_options=protected)

# A fixed array of more than 1024 entries is divided into pages; these are 1,400 pixels.
with h5py.File(HERE / "latest_paged.h5", "w", libver="latest") as file:
    file.create_dataset("images", data=images(1400, 1, 1, 1), chunks=(1, 1, 1, 1))

# Chunks without an index: space is allocated before the data is written.
with h5py.File(HERE / "latest_implicit.h5", "w", libver="latest") as file:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(pieces["chunks"])
    properties.set_obj_track_times(False)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((12, 6, 5, 3))
    h5py.h5d.create(file.id, b"images", h5py.h5t.STD_U8LE, space, properties)
    file["images"][...] = images(12)
    file.create_dataset("labels", data=labels(12).astype(np.float32))

# A text before the superblock, as MATLAB writes it.
for name, libver, size in [("user_block", "earliest", 512), ("latest_user_block", "latest", 4096)]:
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver, userblock_size=size) as file:
        file.create_dataset("images", data=images(12), **pieces, compression="gzip")
        file.create_dataset("labels", data=labels(12))
    with open(HERE / f"{name}.h5", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(size))

# The datasets are elsewhere.
for name, libver in [("links", "earliest"), ("latest_links", "latest")]:
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver) as file:
        group = file.create_group("data/whole")
        group.create_dataset("pictures", data=images(12))
        file.create_dataset("data/values", data=labels(12))
        file["images"] = h5py.SoftLink("/data/pictures")
        file["data/pictures"] = h5py.SoftLink("whole/./again")
        file["data/whole/again"] = h5py.SoftLink("pictures")
        file["here"] = h5py.SoftLink("data")
        file["labels"] = h5py.SoftLink("here/values")

# Parts that were never written. The group `read` holds what h5py reads from each dataset.
for name, libver in [("unwritten", "earliest"), ("latest_unwritten", "latest")]:
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver) as file:
        def unwritten(name, shape, dtype, fill, rows, **options):
            dataset = file.create_dataset(name, shape, dtype, fillvalue=fill, **options)
            for row in rows:
                dataset[row] = images(row + 1, *(shape[1:] + (1,) * 3)[:3])[row].reshape(shape[1:])
            file.create_dataset(f"read/{name}", data=dataset[...])

        unwritten("whole", (4, 3), "u1", None, [])
        unwritten("whole_filled", (4, 3), "<f8", 1.5, [])
        unwritten("no_chunk", (5, 6, 5, 3), "u1", 9, [], chunks=(2, 4, 5, 2))
        unwritten("some_rows", (9, 6, 5, 3), "u1", None, [3, 8], chunks=(2, 4, 5, 2))
        unwritten("some_rows_filled", (9, 6, 5, 3), "u1", 200, [0, 5], chunks=(2, 4, 5, 2),
                  compression="gzip", shuffle=True)
        unwritten("some_labels", (9, 6), "<f8", -2.25, [4], chunks=(2, 6))
        unwritten("sparse", (300, 2), "u1", 7, [299], chunks=(1, 2), compression="gzip")

# HDF5 files that are not 3D Shapes.
with h5py.File(HERE / "not_shapes.h5", "w") as file:
    file.create_dataset("images", data=images(12)[..., 0])
    file.create_dataset("labels", data=labels(12))
with h5py.File(HERE / "too_few_labels.h5", "w") as file:
    file.create_dataset("images", data=images(12))
    file.create_dataset("labels", data=labels(11))
with h5py.File(HERE / "foreign_label.h5", "w") as file:
    file.create_dataset("images", data=images(12))
    foreign = labels(12)
    foreign[7, 3] = 0.8
    file.create_dataset("labels", data=foreign)
with h5py.File(HERE / "label_bytes.h5", "w") as file:
    file.create_dataset("images", data=images(12))
    file.create_dataset("labels", data=np.zeros((12, 6), np.uint8))

# Files that the reader refuses.
with h5py.File(HERE / "refused.h5", "w") as file:
    file.create_dataset("big_endian", data=labels(2).astype(">f8"))
    file.create_dataset("signed", data=np.zeros((2, 2), np.int8))
    file.create_dataset("integers", data=np.zeros((2, 2), np.int64))
    file.create_dataset("texts", data=["a", "b"])
    file.create_dataset("lzf", data=images(2), compression="lzf")
    file.create_dataset("scalar", data=np.uint8(3))
    file.create_dataset("empty", shape=(0, 3), dtype=np.uint8)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)
    space = h5py.h5s.create_simple((4, 3))
    h5py.h5d.create(file.id, b"never_filled", h5py.h5t.STD_U8LE, space, properties)
    # More than a file of this size can hold.
    file.create_dataset("boundless", shape=(1 << 40, 3), dtype=np.uint8, chunks=(1, 3))
    file.create_dataset("scale_offset", data=images(2), chunks=(1, 6, 5, 3), scaleoffset=0)
    file.create_dataset("external", data=images(2), external=[("external.bin", 0, 180)])
    file.create_group("group")
    file["link"] = h5py.SoftLink("/lzf")
    file["dead_end"] = h5py.SoftLink("/group/images")
    file["circle"] = h5py.SoftLink("/group/circle")
    file["group/circle"] = h5py.SoftLink("/circle")
Path("external.bin").unlink()
with h5py.File(HERE / "refused_latest.h5", "w", libver="latest") as file:
    file.create_dataset("extensible", data=images(2), maxshape=(None, 6, 5, 3))
    file.create_dataset("two_unlimited", data=images(2), maxshape=(None, None, 5, 3))
    file["link"] = h5py.SoftLink("/extensible")
    file["other_file"] = h5py.ExternalLink("other.h5", "/images")
    layout = h5py.VirtualLayout(shape=(2, 6, 5, 3), dtype=np.uint8)
    layout[:] = h5py.VirtualSource("other.h5", "images", shape=(2, 6, 5, 3))
    file.create_virtual_dataset("virtual", layout)
with h5py.File(HERE / "refused_many_links.h5", "w", libver="latest") as file:
    for number in range(20):
        file.create_dataset(f"dataset_{number}", data=images(1, 1, 1))
