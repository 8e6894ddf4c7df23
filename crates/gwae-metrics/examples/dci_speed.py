"""Computes dci/gbt with scikit-learn and with this crate on the same codes, and prints both times.

    pip install numpy scikit-learn
    cargo build --release -p gwae-metrics --example dci_speed
    python crates/gwae-metrics/examples/dci_speed.py target/release/examples/dci_speed

15,000 codes of 10 dimensions and the factors of 3D Shapes, 57 values together: 10,000 train 100 stages
for each value, 5,000 test. scikit-learn takes minutes.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from sklearn.ensemble import GradientBoostingClassifier

ITEMS, TRAIN, SIZES = 15_000, 10_000, [10, 10, 10, 8, 4, 15]


def inputs():
    generator = numpy.random.default_rng(7)
    factors = numpy.stack([generator.integers(size, size=ITEMS) for size in SIZES], 1).astype("<f8")
    mix = generator.normal(size=(6, 10)) * (generator.random((6, 10)) < 0.3)
    codes = (factors - factors.mean(0)) / factors.std(0) @ mix
    codes += 0.3 * generator.normal(size=codes.shape)
    codes[:, 9] *= 1e-3
    return codes.astype("<f8"), factors


def reference(codes, factors):
    start = time.perf_counter()
    importance, accuracy = [], []
    for factor in factors.T:
        model = GradientBoostingClassifier(random_state=0).fit(codes[:TRAIN], factor[:TRAIN])
        importance.append(model.feature_importances_)
        accuracy.append(numpy.mean(model.predict(codes[TRAIN:]) == factor[TRAIN:]))
    return time.perf_counter() - start, numpy.array(importance).T, numpy.mean(accuracy)


def main():
    codes, factors = inputs()
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, name) for name in ("codes", "factors")]
        codes.tofile(paths[0])
        factors.tofile(paths[1])
        command = [sys.argv[1], *map(str, paths), "10", "6"]
        ours = json.loads(subprocess.check_output(command))
    seconds, importance, accuracy = reference(codes, factors)
    print(f"scikit-learn {seconds:.1f} s, this crate {ours['seconds']:.1f} s")
    print(f"ratio {seconds / ours['seconds']:.1f}")
    difference = numpy.abs(numpy.array(ours["dci"]["importance"]) - importance).max()
    print(f"largest difference of an importance {difference:.4f}")
    print(f"accuracy {accuracy:.4f} and {ours['dci']['informativeness']:.4f}")


main()
