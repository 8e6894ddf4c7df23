//! Activations of one number, and what they pass on to a gradient.

/// `x·σ(x)`.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    x / (1.0 + exp_neg(x))
}

/// `gradient·silu'(x)` with `silu'(x) = s + x·s·(1 − s)`, `s = σ(x)`.
#[inline(always)]
pub(super) fn silu_gradient(gradient: f32, x: f32) -> f32 {
    let s = logistic(x);
    flush(gradient * (s + x * s * (1.0 - s)))
}

/// `gradient·σ'(x)` from `s = σ(x)`.
#[inline(always)]
pub(super) fn logistic_gradient(gradient: f32, s: f32) -> f32 {
    flush(gradient * (s * (1.0 - s)))
}

/// Takes tiny values for 0.
///
/// A saturated activation passes on gradients of any smallness, whose products are subnormal
/// numbers sooner or later, and processors compute with those a hundred times slower. Next to the
/// gradients of other samples, or to an optimiser's ε, they are nothing. NaN stays NaN.
#[inline(always)]
fn flush(gradient: f32) -> f32 {
    /// Far above the least normal number, 1.2e-38, to leave room for products.
    const LEAST: f32 = 1e-25;
    if gradient.abs() < LEAST {
        0.0
    } else {
        gradient
    }
}

/// `1/(1 + e⁻ˣ)`.
#[inline(always)]
pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp_neg(x))
}

/// `e⁻ˣ` to 2 units in the last place, with `|x|` limited to 87 so that neither overflow nor a
/// subnormal number occurs. NaN stays NaN.
///
/// Cephes' method: `e^y = 2ⁿ·e^r` with `|r| ≤ ½ ln 2` and a polynomial for `e^r`. Plain
/// arithmetic without branches, which the compiler turns into vector instructions.
#[inline(always)]
fn exp_neg(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5·2²³ rounds to an integer, which is then the low bits.
    const ROUND: f32 = 12_582_912.0;
    let y = (-x).clamp(-87.0, 87.0);
    let shifted = y * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = y - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
    ] {
        p = p * r + coefficient;
    }
    let fraction = p * (r * r) + r + 1.0;
    // The low bits of `shifted` hold n; those above are shifted out.
    let exponent = shifted.to_bits().wrapping_add(127) << 23;
    fraction * f32::from_bits(exponent)
}
