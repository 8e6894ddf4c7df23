//! Named streams of numbers. Reference files need not store numbers that come from a stream.

use gwae_core::random::{RandomSource, UNIFORM_MARGIN};

/// The first `count` uniform values of the stream `name`: SplitMix64, seeded with the FNV-1a hash
/// of the name; the upper 24 bits are the fraction.
pub fn uniform(name: &str, count: usize) -> Vec<f32> {
    raw(name, count).map(|value| value as f32).collect()
}

/// The first `count` normal values of `name`, by the Box-Muller transform of two uniform streams.
pub fn normal(name: &str, count: usize) -> Vec<f32> {
    let radius = raw(&format!("{name}#1"), count).map(|u| (-2.0 * (1.0 - u).ln()).sqrt());
    let angle = raw(&format!("{name}#2"), count).map(|u| (std::f64::consts::TAU * u).cos());
    radius.zip(angle).map(|(r, c)| (r * c) as f32).collect()
}

fn raw(name: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let seed = fnv1a(name.as_bytes());
    (1..=count as u64).map(move |k| {
        let mut s = seed.wrapping_add(k.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        s = (s ^ (s >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        s = (s ^ (s >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        s ^= s >> 31;
        (s >> 40) as f64 / f64::from(1u32 << 24)
    })
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The draws of a reference computation: request number NNN reads `<prefix>.drawNNN.normal` or
/// `.uniform`.
#[derive(Clone, Debug)]
pub struct NamedNoise {
    prefix: String,
    names: Vec<String>,
}

impl NamedNoise {
    /// The draws of `prefix`, starting with the first.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            names: Vec::new(),
        }
    }

    /// The names of all draws so far, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn next(&mut self, kind: &str) -> String {
        let name = format!("{}.draw{:03}.{kind}", self.prefix, self.names.len());
        self.names.push(name.clone());
        name
    }
}

impl RandomSource for NamedNoise {
    fn standard_normal(&mut self, count: usize) -> Vec<f32> {
        normal(&self.next("normal"), count)
    }

    fn uniform(&mut self, count: usize) -> Vec<f32> {
        let values = uniform(&self.next("uniform"), count);
        let clamp = |value: f32| value.clamp(UNIFORM_MARGIN, 1.0 - UNIFORM_MARGIN);
        values.into_iter().map(clamp).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published test vectors of FNV-1a (64 bit).
    #[test]
    fn hashes_are_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn draws_count_up_and_have_the_right_moments() {
        let mut noise = NamedNoise::new("x");
        let first = noise.standard_normal(4);
        assert_eq!(first, normal("x.draw000.normal", 4));
        assert_eq!(noise.uniform(2), uniform("x.draw001.uniform", 2));
        assert_eq!(noise.names(), ["x.draw000.normal", "x.draw001.uniform"]);
        let values = normal("moments", 100_000);
        let mean = |f: fn(f64) -> f64| {
            values.iter().map(|&v| f(f64::from(v))).sum::<f64>() / values.len() as f64
        };
        assert!(mean(|v| v).abs() < 0.02 && (mean(|v| v * v) - 1.0).abs() < 0.02);
    }
}
