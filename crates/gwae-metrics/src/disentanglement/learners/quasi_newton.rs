//! Minimises smooth convex functions.

/// Pairs of steps and changes of the gradient that are kept, as in SciPy.
const MEMORY: usize = 10;
/// Least decrease of a step as a share of what the slope promises.
const DECREASE: f64 = 1e-3;
/// Largest slope after a step as a share of the slope before.
const FLATTENING: f64 = 0.9;
/// Evaluations in one line search.
const LINE_EVALUATIONS: usize = 50;
/// The search ends if a step improves the value by less than this share of it, as in scikit-learn.
const LEAST_IMPROVEMENT: f64 = 64.0 * f64::EPSILON;

/// Limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.5) with a line search for Wolfe's
/// conditions. Ends when no part of the gradient exceeds `tolerance`, or after `iterations`.
///
/// `evaluate` gives the value and writes the gradient.
pub(in crate::disentanglement) fn minimise(
    mut point: Vec<f64>,
    tolerance: f64,
    iterations: usize,
    evaluate: impl Fn(&[f64], &mut [f64]) -> f64,
) -> Vec<f64> {
    let mut gradient = vec![0.0; point.len()];
    let mut value = evaluate(&point, &mut gradient);
    let mut memory: Vec<Pair> = Vec::new();
    for iteration in 0..iterations {
        if gradient.iter().all(|part| part.abs() <= tolerance) {
            break;
        }
        let mut direction = descent(&gradient, &memory);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Only rounding makes the direction point upwards.
            memory.clear();
            direction = gradient.iter().map(|part| -part).collect();
            slope = dot(&direction, &gradient);
        }
        let first = if iteration == 0 {
            (1.0 / dot(&direction, &direction).sqrt()).min(1.0)
        } else {
            1.0
        };
        let start = Start {
            point: &point,
            direction: &direction,
            value,
            slope,
        };
        let Some(next) = line_search(&start, first, &evaluate) else {
            break;
        };
        let step: Vec<f64> = next.point.iter().zip(&point).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next
            .gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        let product = dot(&step, &change);
        if product > f64::EPSILON * dot(&change, &change) {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push(Pair {
                step,
                change,
                product,
            });
        }
        let improvement = value - next.value;
        let size = value.abs().max(next.value.abs()).max(1.0);
        (point, gradient, value) = (next.point, next.gradient, next.value);
        if improvement <= LEAST_IMPROVEMENT * size {
            break;
        }
    }
    point
}

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

struct Start<'a> {
    point: &'a [f64],
    direction: &'a [f64],
    value: f64,
    slope: f64,
}

struct Reached {
    point: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
}

/// The downhill direction: the gradient times the estimated inverse of the second derivative.
fn descent(gradient: &[f64], memory: &[Pair]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|part| -part).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = dot(&pair.step, &direction) / pair.product;
        add(&mut direction, -share, &pair.change);
        shares.push(share);
    }
    if let Some(last) = memory.last() {
        let scale = last.product / dot(&last.change, &last.change);
        direction.iter_mut().for_each(|part| *part *= scale);
    }
    for (pair, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(&pair.change, &direction) / pair.product;
        add(&mut direction, share - back, &pair.step);
    }
    direction
}

/// Halves or doubles an interval of steps until a step meets Wolfe's conditions. The last step that
/// lowers the value is taken if none does, and None is given if no step lowers it.
fn line_search(
    start: &Start,
    first: f64,
    evaluate: &impl Fn(&[f64], &mut [f64]) -> f64,
) -> Option<Reached> {
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut step = first;
    let mut lower = None;
    for _ in 0..LINE_EVALUATIONS {
        let mut point = start.point.to_vec();
        add(&mut point, step, start.direction);
        let mut gradient = vec![0.0; point.len()];
        let value = evaluate(&point, &mut gradient);
        let slope = dot(&gradient, start.direction);
        // NaN counts as too high.
        let decreases = value <= start.value + DECREASE * step * start.slope;
        if !decreases {
            high = step;
        } else {
            let flat = slope >= FLATTENING * start.slope;
            lower = Some(Reached {
                point,
                gradient,
                value,
            });
            if flat {
                break;
            }
            low = step;
        }
        step = if high.is_finite() {
            (low + high) / 2.0
        } else {
            2.0 * step
        };
    }
    lower
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], factor: f64, other: &[f64]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += factor * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_bowl_is_minimised() {
        // Σ aᵢ (xᵢ − i)² with a from 1 to 10⁴.
        let weight = |place: usize| 10f64.powi(place as i32);
        let found = minimise(vec![0.0; 5], 1e-10, 200, |point, gradient| {
            let mut value = 0.0;
            for (place, (x, slope)) in point.iter().zip(gradient).enumerate() {
                let distance = x - place as f64;
                value += weight(place) * distance * distance;
                *slope = 2.0 * weight(place) * distance;
            }
            value
        });
        for (place, x) in found.iter().enumerate() {
            assert!((x - place as f64).abs() < 1e-8, "{found:?}");
        }
    }

    #[test]
    fn a_function_without_slope_is_left_alone() {
        let found = minimise(vec![2.0], 1e-4, 10, |_, gradient| {
            gradient.fill(0.0);
            3.0
        });
        assert_eq!(found, [2.0]);
    }
}
