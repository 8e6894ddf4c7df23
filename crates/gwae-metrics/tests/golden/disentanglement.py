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


def equal_factors(importance):
    """Completeness with equal weights of the factors."""
    return float((1 - relative_entropy(importance.T)).mean())


def over_seeds(run):
    """Mean and deviation over seeds of disentanglement, completeness and informativeness."""
    runs = numpy.array([run(seed) for seed in range(SEEDS)])
    return {"mean": runs.mean(0).tolist(), "deviation": runs.std(0, ddof=1).tolist()}


def unit(factors):
    return (factors - factors.min(0)) / (factors.max(0) - factors.min(0))


def dci_rf_regression(codes, factors, seed):
    train, test, train_factors, test_factors = model_selection.train_test_split(
        codes, unit(factors), test_size=0.33, random_state=seed
    )

    def error(depth):
        model = ensemble.RandomForestRegressor(10, max_depth=depth, random_state=seed)
        scores = [
            model_selection.cross_val_score(model, train, factor, scoring="neg_mean_squared_error", cv=5)
            for factor in train_factors.T
        ]
        return -numpy.mean(scores)

    depth = min([2, 4, 8, 12], key=error)
    importance, score = [], []
    for factor, held_out in zip(train_factors.T, test_factors.T):
        model = ensemble.RandomForestRegressor(10, max_depth=depth, random_state=seed)
        model.fit(train, factor)
        score.append(max(0, 1 - 6 * metrics.mean_squared_error(held_out, model.predict(test))))
        importance.append(model.feature_importances_)
    importance = numpy.array(importance).T
    return disentanglement(importance), equal_factors(importance), numpy.mean(score)


def dci_rf_classification(codes, factors, seed):
    train, test, train_factors, test_factors = model_selection.train_test_split(
        codes, factors, test_size=0.1, random_state=seed
    )
    importance, score = [], []
    for factor, held_out in zip(train_factors.T, test_factors.T):
        model = ensemble.RandomForestClassifier(
            100, criterion="entropy", max_depth=10, random_state=seed
        )
        model.fit(train, factor)
        score.append(model.score(test, held_out))
        importance.append(model.feature_importances_)
    importance = numpy.array(importance).T
    return disentanglement(importance), disentanglement(importance.T), numpy.mean(score)


def dci_lasso(codes, factors):
    train, test = len(codes) * 8 // 10, len(codes) - len(codes) // 10
    codes = standard(codes, codes[:train])
    factors = standard(factors, factors[:train])
    importance, score = [], []
    for factor in factors.T:
        model = linear_model.Lasso(alpha=0.02, tol=1e-14, max_iter=100_000)
        model.fit(codes[:train], factor[:train])
        error = metrics.mean_squared_error(factor[test:], model.predict(codes[test:])) ** 0.5
        score.append(max(0, 1 - error / factor[test:].std()))
        importance.append(numpy.abs(model.coef_))
    importance = numpy.array(importance).T
    return {
        "importance": importance.tolist(),
        "disentanglement": disentanglement(importance),
        "completeness": equal_factors(importance),
        "informativeness": float(numpy.mean(score)),
    }


def gap(scores):
    ordered = numpy.sort(scores, 0)
    return float((ordered[-1] - ordered[-2]).mean())


def sap(codes, factors):
    train = split(len(codes), 2, 3)
    accuracy = numpy.zeros((codes.shape[1], factors.shape[1]))
    square = numpy.zeros_like(accuracy)
    for i, code in enumerate(codes.T):
        for j, factor in enumerate(factors.T):
            model = svm.LinearSVC(C=0.01, class_weight="balanced", tol=1e-10, max_iter=100_000)
            model.fit(code[:train, None], factor[:train])
            accuracy[i, j] = model.score(code[train:, None], factor[train:])
            square[i, j] = numpy.corrcoef(code, factor)[0, 1] ** 2
    return {"accuracy": accuracy.tolist(), "score": gap(accuracy), "continuous": gap(square)}


def explicitness(codes, factors):
    train = split(len(codes), 2, 3)
    codes = standard(codes, codes[:train])
    areas = []
    for factor in factors.T:
        model = linear_model.LogisticRegression(tol=1e-8, max_iter=1000)
        model.fit(codes[:train], factor[:train])
        probabilities = model.predict_proba(codes[train:])
        areas.append(numpy.mean([
            metrics.roc_auc_score(factor[train:] == value, probabilities[:, place])
            for place, value in enumerate(model.classes_)
        ]))
    return float(numpy.mean(areas))


def robustness(codes, factors):
    largest = numpy.abs(codes - codes.mean(0)).max(0)
    deviations = numpy.zeros((codes.shape[1], factors.shape[1]))
    for j, factor in enumerate(factors.T):
        groups = [codes[factor == value] for value in numpy.unique(factor)]
        deviations[:, j] = numpy.mean(
            [numpy.percentile(numpy.abs(group - group.mean(0)), 99, axis=0) for group in groups], 0
        )
    scores = (1 - deviations / largest[:, None]).max(1)
    return float(numpy.average(scores, weights=largest))


def bins(code):
    return numpy.digitize(code, numpy.histogram(code, 20)[1][:-1])


def binned(codes, factors):
    information = numpy.array([
        [metrics.mutual_info_score(factor, bins(code)) for factor in factors.T] for code in codes.T
    ])
    entropy = numpy.array([metrics.mutual_info_score(factor, factor) for factor in factors.T])
    squares = information**2
    most = squares.max(1)
    between = numpy.array([
        [metrics.mutual_info_score(bins(a), bins(b)) for a in codes.T] for b in codes.T
    ])
    numpy.fill_diagonal(between, 0)
    count = codes.shape[1]
    return {
        "mig": gap(information / entropy),
        "mig_sup": gap((information / entropy).T),
        "modularity": float((1 - (squares.sum(1) - most) / most / (len(entropy) - 1)).mean()),
        "between_codes": float(between.sum() / (count * (count - 1))),
    }


def gaussian(codes):
    covariance = numpy.cov(codes.T)
    variances = numpy.diag(covariance)
    root = scipy.linalg.sqrtm(covariance * variances[:, None])
    wasserstein = 2 * variances.sum() - 2 * numpy.trace(root).real
    total = (numpy.log(variances).sum() - numpy.linalg.slogdet(covariance)[1]) / 2
    return {
        "total_correlation": float(total),
        "wasserstein": float(wasserstein),
        "relative_wasserstein": float(wasserstein / variances.sum()),
    }


def other_model(codes):
    """The codes of another model: sums of the first three."""
    a, b, c = codes.T[:3]
    return numpy.stack([a + b, b - c / 2, c], 1)


def ranking(codes):
    """UDR scores of a pair of models, in both directions."""
    first, second = codes[:, :3], other_model(codes)

    def strength(relation):
        return ((relation.max(0) ** 2 / relation.sum(0)).mean()
                + (relation.max(1) ** 2 / relation.sum(1)).mean()) / 2

    def lasso(source, target):
        model = linear_model.Lasso(alpha=0.1, tol=1e-14, max_iter=100_000)
        return numpy.abs(model.fit(standard(source), standard(target)).coef_).T

    def spearman(source, target):
        return numpy.abs([[stats.spearmanr(a, b).statistic for b in target.T] for a in source.T])

    return {
        name: [float(strength(relate(*pair))) for pair in ((first, second), (second, first))]
        for name, relate in (("lasso", lasso), ("spearman", spearman))
    }


def case(codes, factors):
    codes = numpy.round(codes * 2**24) / 2**24
    return {
        "codes": codes.tolist(),
        "factors": factors.tolist(),
        "dci_gbt": dci_gbt(codes, factors),
        "info_mec": info_mec(codes, factors),
        "dci_rf_regression": over_seeds(lambda seed: dci_rf_regression(codes, factors, seed)),
        "dci_rf_classification": over_seeds(lambda seed: dci_rf_classification(codes, factors, seed)),
        "dci_lasso": dci_lasso(codes, factors),
        "sap": sap(codes, factors),
        "explicitness": explicitness(codes, factors),
        "robustness": robustness(codes, factors),
        "binned": binned(codes, factors),
        "gaussian": gaussian(codes),
        "udr": ranking(codes),
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
