//! Invents characters: chooses their strokes, and where these meet.

use super::digits::looks_like_a_digit;
use super::stroke::Stroke;
use crate::drawn::pen::{Point, bounds};
use crate::draws::Draws;

/// Maximum number of attempts for a character. One in four is accepted, so this number is enough.
const TRIES: usize = 300;

/// Probabilities of 1, 2, 3 and 4 strokes, before some characters are rejected.
const STROKES: [f64; 4] = [0.10, 0.34, 0.34, 0.22];
/// Minimum shorter side of a character, relative to its longer side.
const SHORTER_SIDE: f64 = 0.45;
/// Minimum and maximum length of all strokes together, relative to the longer side. It is about 3
/// for Omniglot's characters.
const LENGTH: [f64; 2] = [2.0, 5.5];

/// An ideal character: its strokes in a box centred at the origin whose longer side is 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Character {
    pub(super) strokes: Vec<Stroke>,
}

impl Character {
    /// The character with this number. The same seed and number always give the same character.
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

/// Whether it is neither flat nor similar to a digit, and its strokes are neither too short nor too
/// long.
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

/// Strokes that touch, cross or are next to each other, of any size.
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
            // The same stroke again beside it, like the bars of many scripts.
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

/// The main stroke, which others touch.
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

/// Moves `stroke` so that it touches or crosses `known`: a point of one is moved to a point of the
/// other, mostly ends and middles.
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

/// Moves `stroke` beside `known`: to the right, to the left, up or down, with a gap.
fn beside(known: &Stroke, mut stroke: Stroke, draws: &mut Draws) -> Stroke {
    let [low, high] = bounds(&known.line());
    let [own_low, own_high] = bounds(&stroke.line());
    // Across the longer side, so that the stroke does not lie far away.
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
