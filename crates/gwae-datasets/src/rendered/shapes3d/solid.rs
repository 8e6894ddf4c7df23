//! The four objects, and their intersections with rays.

/// A point or direction: x, y, and z upwards.
pub(super) type Vector = [f32; 3];

/// An object on the floor, centred over the origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Solid {
    Cube { half_side: f32 },
    Cylinder { radius: f32, height: f32 },
    Sphere { radius: f32 },
    Capsule { radius: f32, straight: f32 },
}

/// The point where a ray enters a solid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    /// Distance from the ray's origin, in multiples of its direction.
    pub distance: f32,
    /// The outward normal, of length 1.
    pub normal: Vector,
}

/// Smaller distances are the ray's own starting point.
const NEAR: f32 = 1e-5;

/// The parts of a solid overlap by this share of its radius. So a ray that misses one part because
/// of rounding meets the other.
const SEAM: f32 = 1e-5;

impl Solid {
    /// The object of a `shape` (0 cube, 1 cylinder, 2 sphere, 3 capsule) at a `scale`. The sizes at
    /// scale 1 were measured in the published images.
    pub(super) fn new(shape: u32, scale: f32) -> Self {
        match shape {
            0 => Self::Cube {
                half_side: 0.35 * scale,
            },
            1 => Self::Cylinder {
                radius: 0.375 * scale,
                height: 0.75 * scale,
            },
            2 => Self::Sphere {
                radius: 0.425 * scale,
            },
            _ => Self::Capsule {
                radius: 0.325 * scale,
                straight: 0.65 * scale,
            },
        }
    }

    /// Largest distance of its points from the vertical axis.
    pub(super) fn reach(&self) -> f32 {
        match *self {
            Self::Cube { half_side } => half_side * std::f32::consts::SQRT_2,
            Self::Cylinder { radius, .. }
            | Self::Sphere { radius }
            | Self::Capsule { radius, .. } => radius,
        }
    }

    /// Height of its highest point.
    pub(super) fn top(&self) -> f32 {
        match *self {
            Self::Cube { half_side } => 2.0 * half_side,
            Self::Cylinder { height, .. } => height,
            Self::Sphere { radius } => 2.0 * radius,
            Self::Capsule { radius, straight } => 2.0 * radius + straight,
        }
    }

    /// The point where the ray from `origin`, outside the solid, along `direction` enters it;
    /// `None` if it misses.
    pub(super) fn hit(&self, origin: Vector, direction: Vector) -> Option<Hit> {
        match *self {
            Self::Cube { half_side } => cube(half_side, origin, direction),
            Self::Cylinder { radius, height } => side(radius, 0.0, height, origin, direction)
                .or_else(|| lid(radius, height, origin, direction)),
            Self::Sphere { radius } => ball(radius, radius, origin, direction),
            Self::Capsule { radius, straight } => {
                let (low, high) = (radius, radius + straight);
                // A ray that enters the hull of the two balls enters one of the three parts there.
                side(radius, low, high, origin, direction)
                    .or_else(|| {
                        ball(radius, high, origin, direction).filter(|hit| hit.normal[2] >= -SEAM)
                    })
                    .or_else(|| {
                        ball(radius, low, origin, direction).filter(|hit| hit.normal[2] <= SEAM)
                    })
            }
        }
    }
}

fn cube(half_side: f32, origin: Vector, direction: Vector) -> Option<Hit> {
    let low = [-half_side, -half_side, 0.0];
    let high = [half_side, half_side, 2.0 * half_side];
    let (mut enter, mut leave, mut axis) = (f32::NEG_INFINITY, f32::INFINITY, 0);
    for i in 0..3 {
        if direction[i] == 0.0 {
            if origin[i] < low[i] || origin[i] > high[i] {
                return None;
            }
            continue;
        }
        let inverse = 1.0 / direction[i];
        let (a, b) = (
            (low[i] - origin[i]) * inverse,
            (high[i] - origin[i]) * inverse,
        );
        let (near, far) = if a < b { (a, b) } else { (b, a) };
        if near > enter {
            (enter, axis) = (near, i);
        }
        if far < leave {
            leave = far;
        }
    }
    if enter > leave || enter < NEAR {
        return None;
    }
    let mut normal = [0.0; 3];
    normal[axis] = if direction[axis] > 0.0 { -1.0 } else { 1.0 };
    Some(Hit {
        distance: enter,
        normal,
    })
}

/// The curved side of an upright cylinder between two heights, hit from outside.
fn side(radius: f32, low: f32, high: f32, origin: Vector, direction: Vector) -> Option<Hit> {
    let a = direction[0] * direction[0] + direction[1] * direction[1];
    let b = origin[0] * direction[0] + origin[1] * direction[1];
    let c = origin[0] * origin[0] + origin[1] * origin[1] - radius * radius;
    let root = b * b - a * c;
    if root <= 0.0 || a == 0.0 {
        return None;
    }
    let distance = (-b - root.sqrt()) / a;
    let height = origin[2] + distance * direction[2];
    if distance < NEAR || height < low || height > high {
        return None;
    }
    let inverse = 1.0 / radius;
    let normal = [
        (origin[0] + distance * direction[0]) * inverse,
        (origin[1] + distance * direction[1]) * inverse,
        0.0,
    ];
    Some(Hit { distance, normal })
}

/// The disc on top of a cylinder.
fn lid(radius: f32, height: f32, origin: Vector, direction: Vector) -> Option<Hit> {
    if direction[2] >= 0.0 {
        return None;
    }
    let distance = (height - origin[2]) / direction[2];
    let x = origin[0] + distance * direction[0];
    let y = origin[1] + distance * direction[1];
    let rim = (1.0 + SEAM) * radius;
    (distance >= NEAR && x * x + y * y <= rim * rim).then_some(Hit {
        distance,
        normal: [0.0, 0.0, 1.0],
    })
}

/// A ball whose centre is at `height` above the origin.
fn ball(radius: f32, height: f32, origin: Vector, direction: Vector) -> Option<Hit> {
    let from = [origin[0], origin[1], origin[2] - height];
    let a = dot(direction, direction);
    let b = dot(from, direction);
    let c = dot(from, from) - radius * radius;
    let root = b * b - a * c;
    if root <= 0.0 {
        return None;
    }
    let distance = (-b - root.sqrt()) / a;
    let inverse = 1.0 / radius;
    let normal = [0, 1, 2].map(|i| (from[i] + distance * direction[i]) * inverse);
    (distance >= NEAR).then_some(Hit { distance, normal })
}

pub(super) fn dot(a: Vector, b: Vector) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a point is in the solid, computed from the solid's definition.
    fn contains(solid: &Solid, [x, y, z]: Vector) -> bool {
        let across = x * x + y * y;
        match *solid {
            Solid::Cube { half_side } => {
                x.abs() <= half_side && y.abs() <= half_side && (0.0..=2.0 * half_side).contains(&z)
            }
            Solid::Cylinder { radius, height } => {
                across <= radius * radius && (0.0..=height).contains(&z)
            }
            Solid::Sphere { radius } => across + (z - radius).powi(2) <= radius * radius,
            Solid::Capsule { radius, straight } => {
                let nearest = z.clamp(radius, radius + straight);
                across + (z - nearest).powi(2) <= radius * radius
            }
        }
    }

    /// Whether the ray only grazes the surface near `inside`, a point in the solid, so that
    /// rounding decides between a hit and a miss.
    fn grazes(solid: &Solid, origin: Vector, direction: Vector, inside: Vector) -> bool {
        let (radius, centre) = match *solid {
            Solid::Cube { .. } => return false,
            Solid::Cylinder { radius, .. } => (radius, None),
            Solid::Sphere { radius } => (radius, Some(radius)),
            Solid::Capsule { radius, straight } => {
                let nearest = inside[2].clamp(radius, radius + straight);
                (radius, (nearest != inside[2]).then_some(nearest))
            }
        };
        // The side of a cylinder is treated like a ball, without the vertical coordinate.
        let upwards = centre.map_or([0.0; 2], |centre| {
            [
                f64::from(origin[2]) - f64::from(centre),
                direction[2].into(),
            ]
        });
        let from = [origin[0].into(), origin[1].into(), upwards[0]];
        let along = [direction[0].into(), direction[1].into(), upwards[1]];
        let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let squared = dot(from, along).powi(2);
        let root = squared - dot(along, along) * (dot(from, from) - f64::from(radius).powi(2));
        root.abs() < 8.0 * f64::from(f32::EPSILON) * squared
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Walks in small steps along rays from outside to points near the solid.
        #[test]
        fn rays_enter_where_walking_along_them_does(
            shape in 0_u32..4,
            scale in 0.75_f32..1.25,
            angle in 0.0_f32..std::f32::consts::TAU,
            height in 0.0_f32..4.0,
            target in prop::array::uniform3(-0.5_f32..0.5),
        ) {
            const STEPS: usize = 8_000;
            let solid = Solid::new(shape, scale);
            let origin = [3.0 * angle.cos(), 3.0 * angle.sin(), height];
            let target = [target[0], target[1], 0.8 + target[2]];
            let direction = [0, 1, 2].map(|i| 2.0 * (target[i] - origin[i]));
            let at = |t: f32| [0, 1, 2].map(|i| origin[i] + t * direction[i]);
            let step = 1.0 / STEPS as f32;
            let walked = (0..STEPS).map(|i| i as f32 * step).find(|&t| contains(&solid, at(t)));
            match solid.hit(origin, direction) {
                Some(hit) if hit.distance < 1.0 - step => {
                    let beyond = hit.distance + 1e-3;
                    // A ray may graze the solid between two steps.
                    if contains(&solid, at(beyond)) {
                        let walked = walked.expect("the ray passes through");
                        prop_assert!((hit.distance - walked).abs() < 2.0 * step);
                    }
                    // Rounding error of b² - ac, where b is up to twenty times the radius.
                    prop_assert!((dot(hit.normal, hit.normal) - 1.0).abs() < 5e-4);
                    prop_assert!(dot(hit.normal, direction) <= 0.0);
                    let out = [0, 1, 2].map(|i| at(hit.distance)[i] + 1e-3 * hit.normal[i]);
                    let into = [0, 1, 2].map(|i| at(hit.distance)[i] - 1e-3 * hit.normal[i]);
                    prop_assert!(!contains(&solid, out));
                    prop_assert!(contains(&solid, into) || shape < 2, "sharp edges aside");
                }
                _ => prop_assert!(
                    walked.is_none_or(|t| {
                        t >= 1.0 - 2.0 * step || grazes(&solid, origin, direction, at(t))
                    }),
                    "missed"
                ),
            }
        }
    }

    /// The test above found this ray. In single precision, it hits the side above the rim, and the
    /// lid next to it.
    #[test]
    fn no_ray_slips_between_side_and_lid() {
        let solid = Solid::new(1, 0.974_820_2);
        let angle = 1.308_727_f32;
        let origin = [3.0 * angle.cos(), 3.0 * angle.sin(), 1.684_642_8];
        let target = [0.190_355_78, -0.356_353_76, 0.8 - 0.273_033_08];
        let direction = [0, 1, 2].map(|i| 2.0 * (target[i] - origin[i]));
        let hit = solid
            .hit(origin, direction)
            .expect("the ray passes through");
        assert!((hit.distance - 0.411_828_5).abs() < 1e-5, "{hit:?}");
    }

    #[test]
    fn stands_on_the_floor_and_reaches_as_far_as_it_says() {
        for shape in 0..4 {
            let solid = Solid::new(shape, 1.1);
            let top = solid.hit([0.0, 0.0, 5.0], [0.0, 0.0, -1.0]).unwrap();
            assert!((5.0 - top.distance - solid.top()).abs() < 1e-5);
            assert!((top.normal[2] - 1.0).abs() < 1e-5);
            let reach = solid.reach();
            let height = 0.5 * solid.top();
            // The cube's edges are its farthest points, along the diagonal.
            let diagonal = std::f32::consts::FRAC_1_SQRT_2;
            let from = |share: f32| [share * reach * diagonal, share * reach * diagonal, height];
            assert!(contains(&solid, from(0.999)) && !contains(&solid, from(1.001)));
        }
    }
}
