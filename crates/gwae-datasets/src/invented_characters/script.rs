//! Inventing characters: which strokes they have, and where those meet.

use super::digits::looks_like_a_digit;
use super::stroke::Stroke;
use crate::draws::Draws;
use crate::pen::{Point, bounds};

/// Most tries for a character that is accepted. One in four is, so this many do not fail.
const TRIES: usize = 300;

/// Probabilities of 1, 2, 3 and 4 strokes, before some characters are refused.
const STROKES: [f64; 4] = [0.10, 0.34, 0.34, 0.22];
/// Shorter side of a character, least, in its longer sides.
const SHORTER_SIDE: f64 = 0.45;
/// Length of all strokes together, least and most, in longer sides. For Omniglot's characters it
/// is about 3.
const LENGTH: [f64; 2] = [2.0, 5.5];

/// A character as its inventor has it in mind: its strokes in a box whose longer side is 1 and
/// whose middle is the origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Character {
    pub(super) strokes: Vec<Stroke>,
}

impl Character {
    /// The character with that number; the same seed and number always invent the same.
    pub(super) fn invent(seed: u64, number: u64) -> Self {
        let mut draws = Draws::new("invented character", seed, number);
        let mut strokes = compose(&mut draws);
        for _ in 1..TRIES {
            if is_accepted(&lines(&strokes)) {
                break;
            }
            strokes = compose(&mut draws);
        }
        let [low, high] = bounds(lines(&strokes).iter().flatten());
        let side = (high[0] - low[0]).max(high[1] - low[1]);
        let middle = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
        for stroke in &mut strokes {
            stroke.map(|point| [0, 1].map(|axis| (point[axis] - middle[axis]) / side));
        }
        Self { strokes }
    }
}

fn lines(strokes: &[Stroke]) -> Vec<Vec<Point>> {
    strokes.iter().map(Stroke::line).collect()
}

/// Whether it is neither flat, nor too little or too much of a character, nor like a digit.
fn is_accepted(lines: &[Vec<Point>]) -> bool {
    let [low, high] = bounds(lines.iter().flatten());
    let sides = [high[0] - low[0], high[1] - low[1]];
    let longer = sides[0].max(sides[1]);
    let length: f64 = lines
        .iter()
        .flat_map(|line| line.windows(2))
        .map(|ends| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]))
        .sum();
    sides[0].min(sides[1]) >= SHORTER_SIDE * longer
        && (LENGTH[0]..=LENGTH[1]).contains(&(length / longer))
        && !looks_like_a_digit(lines)
}

/// Strokes that touch, cross or stand beside one another, of any size.
fn compose(draws: &mut Draws) -> Vec<Stroke> {
    let count = count(draws);
    if count == 1 {
        return vec![long_stroke(draws)];
    }
    let mut strokes = vec![main_stroke(draws)];
    while strokes.len() < count {
        let size = draws.between(0.4, 0.95);
        let known = &strokes[draws.below(strokes.len())];
        let last = strokes.len() + 1 == count;
        let stroke = if last && draws.chance(0.15) {
            beside(known, Stroke::dot(), draws)
        } else if known.is_straight() && draws.chance(0.3) {
            // The same again beside it, as the bars of a script often are.
            beside(known, known.clone(), draws)
        } else if draws.chance(0.12) {
            let mut stroke = any_stroke(draws);
            stroke.map(|point| point.map(|place| place * size * 0.6));
            beside(known, stroke, draws)
        } else {
            let mut stroke = any_stroke(draws);
            stroke.map(|point| point.map(|place| place * size));
            touching(known, stroke, draws)
        };
        strokes.push(stroke);
    }
    strokes
}

fn count(draws: &mut Draws) -> usize {
    let mut rest = draws.unit();
    for (place, probability) in STROKES.iter().enumerate() {
        if rest < *probability {
            return place + 1;
        }
        rest -= probability;
    }
    STROKES.len()
}

/// A stroke that is a character by itself.
fn long_stroke(draws: &mut Draws) -> Stroke {
    match draws.below(4) {
        0 => Stroke::wave(draws, 4),
        1 => Stroke::zigzag(draws, 4),
        _ => Stroke::wandering(draws, 9),
    }
}

/// The stroke that others lean on.
fn main_stroke(draws: &mut Draws) -> Stroke {
    match draws.below(8) {
        0..=2 => Stroke::straight(draws),
        3 => Stroke::corner(draws),
        4 => Stroke::arc(draws),
        5 => Stroke::hook(draws),
        6 => Stroke::lasso(draws),
        _ => Stroke::wandering(draws, 5),
    }
}

fn any_stroke(draws: &mut Draws) -> Stroke {
    match draws.below(12) {
        0..=3 => Stroke::straight(draws),
        4 => Stroke::corner(draws),
        5 | 6 => Stroke::arc(draws),
        7 => Stroke::hook(draws),
        8 => Stroke::lasso(draws),
        9 => Stroke::ring(draws),
        10 => Stroke::wave(draws, 2),
        _ => Stroke::wandering(draws, 4),
    }
}

/// Moves `stroke` so that it touches `known`, or crosses it: a place of the one on a place of the
/// other, ends and middles above all.
fn touching(known: &Stroke, mut stroke: Stroke, draws: &mut Draws) -> Stroke {
    let place = |draws: &mut Draws| match draws.below(5) {
        0 => 0.0,
        1 => 1.0,
        2 | 3 => 0.5,
        _ => draws.between(0.15, 0.85),
    };
    let there = known.at(place(draws));
    let here = stroke.at(place(draws));
    stroke.map(|point| [0, 1].map(|axis| point[axis] - here[axis] + there[axis]));
    stroke
}

/// Moves `stroke` beside `known`: a step to the right, to the left, up or down that leaves a gap.
fn beside(known: &Stroke, mut stroke: Stroke, draws: &mut Draws) -> Stroke {
    let [low, high] = bounds(&known.line());
    let [own_low, own_high] = bounds(&stroke.line());
    // Across the longer side, so that what is beside does not lie far out.
    let axis = usize::from(high[0] - low[0] > high[1] - low[1]);
    let gap = draws.between(0.16, 0.3);
    let backwards = draws.chance(0.5);
    let shift = |a: usize| {
        if a != axis {
            (low[a] + high[a] - own_low[a] - own_high[a]) / 2.0
        } else if backwards {
            low[a] - gap - own_high[a]
        } else {
            high[a] + gap - own_low[a]
        }
    };
    let mut shift = [shift(0), shift(1)];
    shift[1 - axis] += draws.bell(0.12);
    stroke.map(|point| [point[0] + shift[0], point[1] + shift[1]]);
    stroke
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_fill_their_box_and_are_no_digits() {
        let mut counts = [0; 4];
        for number in 0..300 {
            let character = Character::invent(7, number);
            counts[character.strokes.len() - 1] += 1;
            let lines = lines(&character.strokes);
            assert!(is_accepted(&lines), "{number}");
            let [low, high] = bounds(lines.iter().flatten());
            let side = (high[0] - low[0]).max(high[1] - low[1]);
            assert!((side - 1.0).abs() < 1e-9);
            for axis in 0..2 {
                assert!((low[axis] + high[axis]).abs() < 1e-9);
                assert!(high[axis] - low[axis] >= SHORTER_SIDE - 1e-9);
            }
        }
        assert!(counts.iter().all(|&count| count >= 10), "{counts:?}");
    }

    #[test]
    fn one_draft_in_six_or_more_is_accepted() {
        let mut draws = Draws::new("test", 1, 0);
        let accepted = (0..600)
            .filter(|_| is_accepted(&lines(&compose(&mut draws))))
            .count();
        assert!(accepted > 100, "{accepted}");
    }

    #[test]
    fn numbers_and_seeds_invent_different_characters() {
        assert_eq!(Character::invent(1, 5), Character::invent(1, 5));
        assert_ne!(Character::invent(1, 5), Character::invent(1, 6));
        assert_ne!(Character::invent(1, 5), Character::invent(2, 5));
    }
}
