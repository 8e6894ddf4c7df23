//! Activations of one number, and their gradients.

use super::elementwise::Function;

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

/// Replaces tiny values by 0.
///
/// A saturated activation can pass on arbitrarily small gradients. Their products soon become
/// subnormal numbers, which slow processors down a hundred times. Next to the gradients of other
/// samples, or to an optimiser's ε, such small gradients do not matter. NaN stays NaN.
#[inline(always)]
fn flush(gradient: f32) -> f32 {
    /// Far above the least normal number, 1.2e-38, so that products stay normal too.
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

/// `ln x − ln(1 − x)`, with x first limited to two bounds. NaN stays NaN.
#[derive(Clone, Copy)]
pub(super) struct Logit {
    pub(super) least: f32,
    pub(super) most: f32,
}

impl Function for Logit {
    #[inline(always)]
    fn of(self, x: f32) -> f32 {
        let x = x.clamp(self.least, self.most);
        ln(x / (1.0 - x).clamp(self.least, self.most))
    }
}

/// The natural logarithm of a normal positive number, to 1 unit in the last place. NaN stays NaN.
///
/// Cephes' method: `ln x = n·ln 2 + ln(1 + r)` with `√½ ≤ 1 + r < √2` and a polynomial for
/// `ln(1 + r)`.
#[inline(always)]
fn ln(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const MANTISSA_BITS: u32 = 23;
    let bits = x.to_bits() as i32;
    // An arithmetic shift: negative exponents stay negative.
    let exponent = (bits - std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32) >> MANTISSA_BITS;
    let r = f32::from_bits((bits - (exponent << MANTISSA_BITS)) as u32) - 1.0;
    let n = exponent as f32;
    let mut p = 7.037_684e-2;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        p = p * r + coefficient;
    }
    let square = r * r;
    let fraction = p * r * square + n * LN_2_LOW - 0.5 * square + r;
    // The last term adds 0 to every number and keeps NaN, whose bits the steps above read as a
    // number.
    fraction + n * LN_2_HIGH + 0.0 * x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_a_unit_in_the_last_place() {
        let mut x = 1e-8f32;
        while x < 1e8 {
            let (found, expected) = (f64::from(ln(x)), f64::from(x).ln());
            let unit = f64::from(f32::EPSILON) * expected.abs().max(0.1);
            assert!(
                (found - expected).abs() < unit,
                "ln {x}: {found} instead of {expected}"
            );
            x *= 1.0 + 3e-4;
        }
        assert_eq!(ln(1.0), 0.0);
        assert!(ln(f32::NAN).is_nan());
    }
}
