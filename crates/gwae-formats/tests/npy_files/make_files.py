"""Writes the files of this directory: `python make_files.py` (needs numpy).

`arrays.zip` holds arrays with headers that `numpy.load` reads, though `numpy.save` may write others.
`expected.txt` holds what `numpy.load` makes of each: name, shape and values. Written with NumPy 2.4 on a
little-endian machine.
"""

import io
import warnings
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NUMBERS = np.array([[0, 1, 2], [3, 100, 7]])


def dictionary(descr="'<f8'", fortran="False", shape="(2, 3)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


CASES = {}


def case(name, text, body, version=1):
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    CASES[name] = b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + body


doubles = NUMBERS.astype("<f8").tobytes()

# Sizes of Python 2.
case("long_sizes", dictionary(shape="(2L, 3L)") + "      \n", doubles)
case("long_size", dictionary(shape="(6L,)") + "\n", doubles)
case("long_size_version_2", dictionary(shape="(6L,)") + "\n", doubles, version=2)
case("long_sizes_apart", dictionary(shape="( 2 L ,3 L )") + "\n", doubles)

# The same dictionary in other words.
case("version_2", dictionary() + "\n", doubles, version=2)
case("version_3", dictionary() + "\n", doubles, version=3)
case("no_line_feed", dictionary(), doubles)
case("no_line_feed_but_spaces", dictionary() + "   ", doubles)
case("padded_with_tabs_and_lines", dictionary() + "\t\n\r\n\f  \n\n", doubles)
case("starts_with_space", " \t" + dictionary() + "\n", doubles)
case("other_order", "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8'}\n", doubles)
case("double_quotes", dictionary().replace("'", '"') + "\n", doubles)
case("mixed_quotes", "{'descr': \"<f8\", \"fortran_order\": False, 'shape': (2, 3)}\n", doubles)
case("texts_of_python_2", "{u'descr': u'<f8', u'fortran_order': False, u'shape': (2L, 3L)}\n", doubles)
case("no_space", "{'descr':'<f8','fortran_order':False,'shape':(2,3)}", doubles)
case("much_space", "{ 'descr' : '<f8' ,\n 'fortran_order'\t: False ,\r\n 'shape' : ( 2 , 3 , ) , }\n", doubles)

# Every type of elements in every spelling.
for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]:
    for order, word in [("<", "little"), (">", "big"), ("=", "machine"), ("|", "bar"), ("", "none")]:
        if order in "=|" and name not in ("f4", "u1", "i8"):
            continue
        kind = np.dtype((order if order in "<>=" else "=") + name)
        case(f"{name}_{word}", dictionary(f"'{order}{name}'") + "\n", NUMBERS.astype(kind).tobytes())
for name in ["float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8",
             "uint16", "uint32", "uint64", "half", "single", "double", "float", "?", "b", "B", "h", "H",
             "i", "I", "q", "Q", "e", "f", "d"]:
    word = {"?": "question_mark", "B": "capital_b", "H": "capital_h", "I": "capital_i", "Q": "capital_q"}
    case(f"type_{word.get(name, name)}", dictionary(f"'{name}'") + "\n", NUMBERS.astype(name).tobytes())

# Orders and shapes.
columns = NUMBERS.astype("<i2").tobytes("F")
case("fortran", dictionary("'<i2'", "True") + "\n", columns)
case("fortran_of_one_axis", dictionary("'<i2'", "True", "(6,)") + "\n", columns)
case("fortran_of_three_axes", dictionary("'<i2'", "True", "(3, 1, 2)") + "\n", columns)
case("no_axes", dictionary(shape="()") + "\n", doubles[40:])
case("no_axes_in_fortran_order", dictionary(fortran="True", shape="()") + "\n", doubles[40:])
case("empty", dictionary(shape="(0,)") + "\n", b"")
case("empty_of_two_axes", dictionary(shape="(3, 0)") + "\n", b"")
case("empty_in_fortran_order", dictionary("'|b1'", "True", "(0L, 4L)") + "\n", b"")

lines = []
with zipfile.ZipFile(HERE / "arrays.zip", "w") as archive:
    for name, content in CASES.items():
        archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content)
        with warnings.catch_warnings():
            # NumPy warns of headers by Python 2.
            warnings.simplefilter("ignore", UserWarning)
            array = np.load(io.BytesIO(content))
        values = " ".join(str(float(value)) for value in array.reshape(-1))
        lines.append(f"{name}; {' '.join(map(str, array.shape))}; {values}")
(HERE / "expected.txt").write_text("\n".join(lines) + "\n")
