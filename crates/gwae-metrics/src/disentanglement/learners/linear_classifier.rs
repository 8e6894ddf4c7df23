//! Linear support vector classification of one feature.

/// Largest number of Newton's steps.
const STEPS: usize = 200;
/// The slope at the end as a share of the slope at the start.
const TOLERANCE: f64 = 1e-10;

/// A classifier of one feature as scikit-learn's `LinearSVC` with balanced classes: squared hinge loss,
/// and a penalty on the intercept too. With more than two classes each has a line that separates it from
/// the others, and only the class's own items are weighted for balance, as in LIBLINEAR.
pub(in crate::disentanglement) struct LinearClassifier {
    /// Slope and intercept of each class; a single pair for two classes.
    lines: Vec<[f64; 2]>,
}

impl LinearClassifier {
    /// Minimises `(w² + b²)/2 + C Σ cᵢ max(0, 1 − yᵢ(w xᵢ + b))²` for each class. `classes`:
    /// `0..class_count`, each of which occurs; at least two.
    pub fn fit(feature: &[f64], classes: &[usize], class_count: usize, cost: f64) -> Self {
        let mut counts = vec![0.0; class_count];
        classes.iter().for_each(|&class| counts[class] += 1.0);
        let share = classes.len() as f64 / class_count as f64;
        let weights: Vec<f64> = counts.iter().map(|count| cost * share / count).collect();
        let lines = if class_count == 2 {
            vec![separate(feature, classes, 1, [weights[1], weights[0]])]
        } else {
            let of_class = |class| separate(feature, classes, class, [weights[class], cost]);
            (0..class_count).map(of_class).collect()
        };
        Self { lines }
    }

    /// The class with the largest decision value. Of equal ones, the first.
    pub fn predict(&self, value: f64) -> usize {
        let decision = |[slope, intercept]: &[f64; 2]| slope * value + intercept;
        if let [line] = &self.lines[..] {
            return usize::from(decision(line) > 0.0);
        }
        let mut best = 0;
        for (class, line) in self.lines.iter().enumerate() {
            if decision(line) > decision(&self.lines[best]) {
                best = class;
            }
        }
        best
    }
}

/// The line between one class and the others. `weights`: those of an item of the class and of another.
fn separate(feature: &[f64], classes: &[usize], positive: usize, weights: [f64; 2]) -> [f64; 2] {
    let evaluate = |[slope, intercept]: [f64; 2]| {
        let mut value = (slope * slope + intercept * intercept) / 2.0;
        let (mut gradient, mut curvature) = ([slope, intercept], [1.0, 0.0, 1.0]);
        for (&x, &class) in feature.iter().zip(classes) {
            let (sign, weight) = if class == positive {
                (1.0, weights[0])
            } else {
                (-1.0, weights[1])
            };
            let gap = 1.0 - sign * (slope * x + intercept);
            if gap > 0.0 {
                value += weight * gap * gap;
                gradient[0] -= 2.0 * weight * gap * sign * x;
                gradient[1] -= 2.0 * weight * gap * sign;
                curvature[0] += 2.0 * weight * x * x;
                curvature[1] += 2.0 * weight * x;
                curvature[2] += 2.0 * weight;
            }
        }
        (value, gradient, curvature)
    };
    let size = |gradient: [f64; 2]| gradient[0].hypot(gradient[1]);
    let mut line = [0.0, 0.0];
    let (mut value, mut gradient, mut curvature) = evaluate(line);
    let first = size(gradient);
    for _ in 0..STEPS {
        if size(gradient) <= TOLERANCE * first {
            break;
        }
        let [xx, xy, yy] = curvature;
        let determinant = xx * yy - xy * xy;
        let step = [
            (yy * gradient[0] - xy * gradient[1]) / determinant,
            (xx * gradient[1] - xy * gradient[0]) / determinant,
        ];
        let mut share = 1.0;
        let next = loop {
            let candidate = [line[0] - share * step[0], line[1] - share * step[1]];
            let next = evaluate(candidate);
            if next.0 < value {
                break Some((candidate, next));
            }
            share /= 2.0;
            if share < 1e-10 {
                break None;
            }
        };
        // No step lowers the value any more.
        let Some((candidate, next)) = next else {
            break;
        };
        line = candidate;
        (value, gradient, curvature) = next;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_symmetric_items_have_a_closed_form() {
        // w = 2·2C(1 − w)·1 with b = 0 and C = 0.25 (both classes have weight 1): w = 1 − w.
        let model = LinearClassifier::fit(&[-1.0, 1.0], &[0, 1], 2, 0.25);
        assert!((model.lines[0][0] - 0.5).abs() < 1e-12);
        assert!(model.lines[0][1].abs() < 1e-12);
        assert_eq!((model.predict(-0.1), model.predict(0.1)), (0, 1));
    }

    #[test]
    fn outer_classes_are_found_and_a_constant_feature_gives_one_class() {
        let feature = [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0];
        let classes = [0, 0, 1, 1, 2, 2];
        let model = LinearClassifier::fit(&feature, &classes, 3, 1.0);
        assert_eq!((model.predict(-2.0), model.predict(2.0)), (0, 2));
        let constant = LinearClassifier::fit(&[0.0; 6], &classes, 3, 1.0);
        assert_eq!(constant.predict(0.0), 0);
    }
}
