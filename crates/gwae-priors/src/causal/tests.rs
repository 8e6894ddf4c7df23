//! The causal prior against its formula, written as loops in f64.

use super::*;
use crate::testing::*;

const L: usize = 4;
const BATCH: usize = 6;

struct Draw {
    epsilon: Vec<f64>,
    order: Vec<f64>,
    edges: Vec<f64>,
}

impl Draw {
    fn of(tape: &Tape) -> Self {
        let expected = [
            (Kind::Normal, BATCH * L),
            (Kind::Uniform, L),
            (Kind::Uniform, L * L * 2),
        ];
        assert_eq!(tape.shapes(), expected);
        let [epsilon, order, edges] = [0, 1, 2].map(|draw| tape.read(draw));
        Self {
            epsilon,
            order,
            edges,
        }
    }
}

fn gumbel(u: f64) -> f64 {
    -(-u.ln()).ln()
}

/// Soft order P, row-major.
fn soft_order(scores: &[f64], draw: &Draw) -> Vec<f64> {
    let s: Vec<f64> = (0..L).map(|i| scores[i] + gumbel(draw.order[i])).collect();
    let mut order = vec![0.0; L * L];
    for j in 0..L {
        for i in 0..L {
            let mut logit = s[i] * (L as f64 - 1.0 - 2.0 * j as f64);
            for k in 0..L {
                logit -= (s[i] - s[k]).abs();
            }
            order[j * L + i] = logit.exp();
        }
        let total: f64 = order[j * L..][..L].iter().sum();
        order[j * L..][..L].iter_mut().for_each(|x| *x /= total);
    }
    order
}

/// Soft edges R, row-major.
fn soft_edges(scores: &[f64], draw: &Draw) -> Vec<f64> {
    (0..L * L)
        .map(|index| {
            let first = (scores[index] + gumbel(draw.edges[2 * index])).exp();
            let second = (-scores[index] + gumbel(draw.edges[2 * index + 1])).exp();
            second / (first + second)
        })
        .collect()
}

/// P and R rounded: 1 at [argmax_i of row j, j], and 1 for an edge that is more likely than not.
fn hardened(order: &[f64], edges: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut hard = vec![0.0; L * L];
    for j in 0..L {
        let row = &order[j * L..][..L];
        let largest = (0..L).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        hard[largest * L + j] = 1.0;
    }
    let edge = |r: &f64| f64::from(u8::from(*r > 0.5));
    (hard, edges.iter().map(edge).collect())
}

fn adjacency(order: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut adjacency = vec![0.0; L * L];
    for a in 0..L {
        for b in 0..L {
            for i in 0..L {
                for k in i + 1..L {
                    adjacency[a * L + b] += edges[a * L + b] * order[a * L + i] * order[b * L + k];
                }
            }
        }
    }
    adjacency
}

/// The codes for `parameters` in the order of [`parameters`].
///
/// In evaluation mode the graph is hard(anchor) + soft(parameters) − soft(anchor). The derivative
/// of this at the anchor is the straight-through gradient.
fn codes(
    prior: &CausalPrior,
    mode: Mode,
    parameters: &[Vec<f64>],
    anchor: &[Vec<f64>],
    draw: &Draw,
    statistics: &(Vec<f64>, Vec<f64>),
) -> Vec<f64> {
    let mut order = soft_order(&parameters[0], draw);
    let mut edges = soft_edges(&parameters[1], draw);
    if mode == Mode::Evaluate {
        let base = (soft_order(&anchor[0], draw), soft_edges(&anchor[1], draw));
        let hard = hardened(&base.0, &base.1);
        for index in 0..L * L {
            order[index] += hard.0[index] - base.0[index];
            edges[index] += hard.1[index] - base.1[index];
        }
    }
    let adjacency = adjacency(&order, &edges);
    let mut output = Vec::new();
    for epsilon in draw.epsilon.chunks(L) {
        let mut hidden = epsilon.to_vec();
        for map in 0..MAPS {
            let (weight, bias) = (&parameters[2 + 2 * map], &parameters[3 + 2 * map]);
            let input = match prior.form {
                Form::Corrected => hidden.clone(),
                Form::Official => epsilon.to_vec(),
            };
            for j in 0..L {
                hidden[j] = input[j] + bias[j];
                for i in 0..L {
                    hidden[j] += input[i] * weight[i * L + j] * adjacency[j * L + i];
                }
            }
        }
        output.extend(hidden);
    }
    let normalised = match mode {
        Mode::Train => naive_batch_norm(&output, L),
        Mode::Evaluate => naive_normalise(&output, statistics),
    };
    let (gamma, beta) = (&parameters[2 + 2 * MAPS], &parameters[3 + 2 * MAPS]);
    let affine = |(i, x): (usize, &f64)| x * gamma[i % L] + beta[i % L];
    normalised.iter().enumerate().map(affine).collect()
}

fn parameters(prior: &CausalPrior) -> Vec<Vec<f64>> {
    let mut parameters = vec![
        values(prior.dag.permutation_score.val()),
        values(prior.dag.edge_score.val()),
    ];
    for map in &prior.maps {
        parameters.extend([values(map.weight.val()), values(map.bias.val())]);
    }
    let norm = &prior.batch_norm;
    for parameter in [&norm.gamma, &norm.beta] {
        parameters.push(values(parameter.as_ref().unwrap().val()));
    }
    parameters
}

fn gradients(prior: &CausalPrior, codes: Tensor<2>) -> Vec<Option<Vec<f64>>> {
    let gradients = weighted_sum(codes).backward();
    let mut all = vec![
        gradient(&prior.dag.permutation_score, &gradients),
        gradient(&prior.dag.edge_score, &gradients),
    ];
    for map in &prior.maps {
        all.push(gradient(&map.weight, &gradients));
        all.push(gradient(&map.bias, &gradients));
    }
    let norm = &prior.batch_norm;
    for parameter in [&norm.gamma, &norm.beta] {
        all.push(gradient(parameter.as_ref().unwrap(), &gradients));
    }
    all
}

#[test]
fn both_forms_and_modes_equal_the_loops_and_their_gradient() {
    let device = Device::flex().autodiff();
    for form in [Form::Corrected, Form::Official] {
        let mut tape = Tape::new(20);
        let mut prior = CausalConfig { form }.init(L, &mut tape, &device).unwrap();
        prior.batch_norm.gamma = Some(normal_parameter([L], &mut tape, &device));
        prior.batch_norm.beta = Some(normal_parameter([L], &mut tape, &device));
        let anchor = parameters(&prior);
        for mode in [Mode::Train, Mode::Evaluate] {
            tape.draws.clear();
            let sample = prior.sample(BATCH, mode, &mut tape, &device);
            let statistics = running_statistics(&prior.batch_norm);
            let draw = Draw::of(&tape);
            let forward = |p: &[Vec<f64>]| codes(&prior, mode, p, &anchor, &draw, &statistics);
            assert_close(&values(sample.clone()), &forward(&anchor), 1e-4);

            let gradients = gradients(&prior, sample);
            for (index, gradient) in gradients.iter().enumerate() {
                let idle = form == Form::Official && (2..2 * MAPS).contains(&index);
                assert_eq!(gradient.is_none(), idle, "{form:?}, parameter {index}");
            }
            let gradients: Vec<_> = gradients
                .into_iter()
                .zip(&anchor)
                .map(|(gradient, values)| gradient.unwrap_or(vec![0.0; values.len()]))
                .collect();
            assert!(gradients[0].iter().any(|x| x.abs() > 1e-4));
            check_gradients(&anchor, &gradients, |p| naive_weighted_sum(&forward(p)));
        }
    }
}

#[test]
fn evaluation_draws_acyclic_graphs_of_zeros_and_ones() {
    let device = Device::flex();
    let mut noise = Tape::new(21);
    let graph = RandomGraph::init(5, &mut noise, &device);
    let mut edges = 0.0;
    for _ in 0..20 {
        let adjacency = graph.adjacency(Mode::Evaluate, &mut noise, &device);
        let entries = values(adjacency.clone());
        assert!(entries.iter().all(|&a| a == 0.0 || a == 1.0));
        edges += entries.iter().sum::<f64>();
        // A graph is acyclic exactly if its adjacency matrix is nilpotent.
        let power = (1..5).fold(adjacency.clone(), |power, _| {
            power.matmul(adjacency.clone())
        });
        assert!(values(power).iter().all(|&a| a == 0.0));
    }
    assert!(edges > 20.0, "only {edges} edges in 20 graphs");
}

#[test]
fn extreme_uniforms_give_finite_codes_and_gradients() {
    let device = Device::flex().autodiff();
    let prior = CausalConfig {
        form: Form::Corrected,
    }
    .init(L, &mut Tape::new(22), &device)
    .unwrap();
    let ends = |count: usize, period: usize| -> Vec<f32> {
        let end = |i: usize| {
            if (i / period).is_multiple_of(2) {
                1e-7
            } else {
                1.0 - 1e-7
            }
        };
        (0..count).map(end).collect()
    };
    for (order, edges) in [(1, 1), (2, 3), (L, 1), (1, 2 * L * L)] {
        for mode in [Mode::Train, Mode::Evaluate] {
            let epsilon = (0..BATCH * L).map(|i| (i as f32).cos()).collect();
            let mut noise = Replay::new([epsilon, ends(L, order), ends(L * L * 2, edges)]);
            let codes = prior.sample(BATCH, mode, &mut noise, &device);
            assert!(values(codes.clone()).iter().all(|x| x.is_finite()));
            let gradients = gradients(&prior, codes);
            assert!(gradients.iter().flatten().flatten().all(|x| x.is_finite()));
        }
    }
}
