"""Writes scikit_learn.json, the reference numbers of tests/scikit_learn.rs.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    OMP_NUM_THREADS=1 python scikit_learn.py

All inputs are small multiples of powers of two, written in full, so that single and double precision
hold them exactly.
"""

import json
import pathlib

import numpy
import scipy
import sklearn
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

generator = numpy.random.default_rng(20260)


def detection(inside, outside):
    truth = numpy.r_[numpy.zeros(len(inside)), numpy.ones(len(outside))]
    scores = numpy.r_[inside, outside]
    fpr, tpr, thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    return {
        "in_distribution": list(inside),
        "out_of_distribution": list(outside),
        "auroc": metrics.roc_auc_score(truth, scores),
        "average_precision": metrics.average_precision_score(truth, scores),
        "fpr_at_95_tpr": fpr[numpy.argmax(tpr >= 0.95)],
        "fpr": list(fpr),
        "tpr": list(tpr),
        "thresholds": list(thresholds[1:]),
    }


def agreement(classes, clusters):
    return {
        "classes": [int(label) for label in classes],
        "clusters": [int(label) for label in clusters],
        "mutual_information": metrics.mutual_info_score(classes, clusters),
        "normalised_mutual_information": metrics.normalized_mutual_info_score(classes, clusters),
        "adjusted_rand_index": metrics.adjusted_rand_score(classes, clusters),
    }


def division(points, clusters):
    points = numpy.asarray(points)
    found = KMeans(clusters, n_init=2000, random_state=0, tol=0).fit(points)
    pca = PCA(2, svd_solver="full").fit(points)
    return {
        "points": [list(row) for row in points],
        "clusters": clusters,
        "inertia": found.inertia_,
        "labels": [int(label) for label in found.labels_],
        "calinski_harabasz": metrics.calinski_harabasz_score(points, found.labels_),
        "variances": list(pca.explained_variance_),
        "variance_shares": list(pca.explained_variance_ratio_),
        "absolute_coordinates": [list(row) for row in numpy.abs(pca.transform(points))],
    }


def grid(values, step):
    """Rounded to multiples of `step`, so that values repeat and are exact."""
    return numpy.round(numpy.asarray(values) / step) * step


def blobs(count, dimensions, clusters, spread):
    centres = generator.normal(0, 4, (clusters, dimensions))
    points = centres[numpy.arange(count) % clusters]
    return grid(points + spread * generator.normal(0, 1, points.shape), 1 / 64)


normal = generator.normal
labels = generator.integers
classes = labels(0, 5, 60)
print_to = pathlib.Path(__file__).with_name("scikit_learn.json")
print_to.write_text(
    json.dumps(
        {
            "versions": {
                "numpy": numpy.__version__,
                "scipy": scipy.__version__,
                "scikit-learn": sklearn.__version__,
            },
            "detection": [
                detection(grid(normal(0, 1, 40), 1 / 1024), grid(normal(1, 1, 25), 1 / 1024)),
                detection(grid(normal(0, 1, 50), 0.5), grid(normal(0.5, 2, 40), 0.5)),
                detection(grid(normal(2, 1, 20), 0.25), grid(normal(0, 1, 30), 0.25)),
                detection(numpy.zeros(3), numpy.zeros(4)),
            ],
            "agreement": [
                agreement(classes, numpy.where(labels(0, 3, 60) == 0, labels(0, 4, 60), classes)),
                agreement(labels(0, 3, 40), labels(0, 7, 40)),
                agreement(labels(0, 3, 12), numpy.zeros(12)),
                agreement(numpy.zeros(6), numpy.zeros(6)),
                agreement(numpy.arange(6), numpy.zeros(6)),
                agreement(numpy.arange(6), numpy.arange(6)[::-1]),
                agreement([0, 0, 1, 1], [0, 1, 0, 1]),
            ],
            "division": [
                division(blobs(45, 3, 4, 0.8), 4),
                division(blobs(30, 2, 3, 2.0), 3),
                division(grid(normal(0, 1, (24, 5)), 1 / 64), 6),
            ],
        },
        indent=None,
    ).replace('"detection"', '\n"detection"').replace('"agreement"', '\n"agreement"').replace('"division"', '\n"division"')
    + "\n"
)
