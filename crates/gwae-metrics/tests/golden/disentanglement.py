"""Writes disentanglement.json, the reference numbers of tests/disentanglement.rs.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    OMP_NUM_THREADS=2 python disentanglement.py

The codes are small multiples of 2^-24, which double precision holds exactly. Each metric is computed
from its definition with the library's predictors and estimators. Where a predictor draws random numbers,
the file holds the mean and the standard deviation over seeds.
"""

import json
import pathlib

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import ensemble, feature_selection, linear_model, metrics, model_selection, svm

SEEDS = 10


def noisy(generator):
    """Five codes that mix three factors; one hardly varies."""
    sizes = [3, 4, 5]
    factors = numpy.stack([generator.integers(size, size=450) for size in sizes], 1)
    centred = (factors - factors.mean(0)) / factors.std(0)
    mix = numpy.array([[1, 0, 0.2, 0, 0], [0, 1, 0, 0.5, 0], [0, 0.3, 1, 0.5, 0]])
    codes = centred @ mix + 0.4 * generator.normal(size=(450, 5)) * [1, 1, 1, 1, 0.02]
    return codes, factors


def unequal(generator):
    """Three codes of factors with rare values; one code is a bent copy.

    Each value occurs more than twice as often as there are neighbours. In rarer ones scikit-learn finds
    neighbours by rounded squares, and may count the last one itself.
    """
    first = generator.choice(4, p=[0.5, 0.3, 0.11, 0.09], size=360)
    second = generator.choice(2, p=[0.8, 0.2], size=360)
    factors = numpy.stack([first, second], 1)
    codes = numpy.stack([first - 1.5, (first - 1.5) ** 2 + second, 3.0 * second], 1)
    return codes + 0.5 * generator.normal(size=codes.shape), factors


def split(items, numerator, denominator):
    return -(-items * numerator // denominator)


def relative_entropy(rows):
    return stats.entropy(rows.T + 1e-11, base=rows.shape[1])


def disentanglement(importance):
    """`importance`: [codes, factors]."""
    weights = importance.sum(1) / importance.sum()
    return float((weights * (1 - relative_entropy(importance))).sum())


def dci_gbt(codes, factors):
    train = split(len(codes), 2, 3)
    runs = []
    for seed in range(SEEDS):
        importance, accuracy = [], []
        for factor in factors.T:
            model = ensemble.GradientBoostingClassifier(random_state=seed)
            model.fit(codes[:train], factor[:train])
            importance.append(model.feature_importances_)
            accuracy.append(numpy.mean(model.predict(codes[train:]) == factor[train:]))
        runs.append((numpy.array(importance).T, numpy.mean(accuracy)))
    importance = numpy.mean([run[0] for run in runs], 0)
    return {
        "importance": importance.tolist(),
        "importance_deviation": float(numpy.std([run[0] for run in runs], 0).max()),
        "disentanglement": float(numpy.mean([disentanglement(run[0]) for run in runs])),
        "completeness": float(numpy.mean([disentanglement(run[0].T) for run in runs])),
        "informativeness": float(numpy.mean([run[1] for run in runs])),
        "informativeness_deviation": float(numpy.std([run[1] for run in runs])),
    }


def standard(values, of=None):
    of = values if of is None else of
    return (values - of.mean(0)) / of.std(0)


def info_mec(codes, factors):
    information = numpy.stack([
        feature_selection.mutual_info_classif(
            standard(codes), factor, discrete_features=False, n_neighbors=10, random_state=0
        ) / metrics.mutual_info_score(factor, factor)
        for factor in factors.T
    ], 1)
    ranges = codes.max(0) - codes.min(0)
    active = ranges > ranges.max() / 20
    used = information[active]

    def share(rows):
        even = 1 / rows.shape[1]
        return float(((rows.max(1) / rows.sum(1)).mean() - even) / (1 - even))

    explicitness = []
    for factor in factors.T:
        model = linear_model.LogisticRegression(C=numpy.inf, class_weight="balanced")
        model.fit(standard(codes), factor)
        loss = metrics.log_loss(factor, model.predict_proba(standard(codes)))
        explicitness.append(1 - loss / numpy.log(len(numpy.unique(factor))))
    return {
        "mutual_information": information.tolist(),
        "active": active.tolist(),
        "modularity": share(used),
        "compactness": share(used.T),
        "explicitness": float(numpy.mean(explicitness)),
    }


def case(codes, factors):
    codes = numpy.round(codes * 2**24) / 2**24
    return {
        "codes": codes.tolist(),
        "factors": factors.tolist(),
        "dci_gbt": dci_gbt(codes, factors),
        "info_mec": info_mec(codes, factors),
    }


def main():
    generator = numpy.random.default_rng(20261)
    result = {
        "versions": {
            "numpy": numpy.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "cases": [case(*make(generator)) for make in (noisy, unequal)],
    }
    path = pathlib.Path(__file__).with_name("disentanglement.json")
    path.write_text(json.dumps(result) + "\n")


main()
