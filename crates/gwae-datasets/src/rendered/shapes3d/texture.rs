//! The faint pattern of hexagonal bumps on floor and walls, with one stain on every tile.

/// Side of the square tile that repeats.
const TILE: f32 = 2.0;
/// Distance of two bumps in one row, and of two rows with the same alignment. Every other row is
/// shifted by half of it.
const BUMP_PERIOD: [f32; 2] = [0.4, 0.25];
/// Relative brightness increase at a bump's middle.
const BUMP: f32 = 0.021;
/// The bumps within the tile that the stain covers.
const STAIN: [[f32; 2]; 5] = [
    [0.0, 0.25],
    [0.0, 0.0],
    [0.2, 0.125],
    [0.2, -0.125],
    [0.4, -0.25],
];
/// Radius of the stain around each of these bumps.
const STAIN_RADIUS: f32 = 0.185;
/// Relative darkness of the stain.
const STAIN_DEPTH: f32 = 0.079;

/// Brightness of the surface at `u`, `v` (in metres along it), close to 1. `footprint` is the size
/// of one sample in metres. Bumps that repeat faster than that fade out instead of flickering.
pub(super) fn brightness(u: f32, v: f32, footprint: f32) -> f32 {
    let fade = (1.0 - footprint / BUMP_PERIOD[1]).max(0.0);
    let bumps = wave(u / BUMP_PERIOD[0]) * wave(v / BUMP_PERIOD[1]);
    (1.0 + BUMP * fade * bumps) * (1.0 - STAIN_DEPTH * stain(u, v))
}

/// 0 outside the stain, up to 1 inside.
fn stain(u: f32, v: f32) -> f32 {
    let (u, v) = (TILE * centred(u / TILE), TILE * centred(v / TILE));
    if !(-0.2..0.6).contains(&u) || !(-0.45..0.45).contains(&v) {
        return 0.0;
    }
    let mut cover = 0.0;
    for [x, y] in STAIN {
        let (x, y) = (u - x, v - y);
        let inside = (1.0 - (x * x + y * y) / (STAIN_RADIUS * STAIN_RADIUS)).max(0.0);
        cover += inside * inside;
    }
    cover.min(1.0)
}

/// Approximately the cosine of `turns` full turns, with arithmetic that rounds equally on all
/// machines.
fn wave(turns: f32) -> f32 {
    let triangle = 1.0 - 4.0 * centred(turns).abs();
    triangle * (1.5 - 0.5 * triangle * triangle)
}

/// The part of `turns` beyond the nearest whole number, −0.5 to 0.5.
fn centred(turns: f32) -> f32 {
    // The coordinates of the room are far below the limits of this cast, and casts are faster than
    // rounding on processors without a rounding instruction.
    let shifted = turns + 1024.5;
    shifted - (shifted as i32) as f32 - 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wave_is_close_to_a_cosine() {
        for i in -400..400 {
            let turns = i as f32 / 37.0;
            let cosine = (f64::from(turns) * std::f64::consts::TAU).cos();
            assert!((f64::from(wave(turns)) - cosine).abs() < 0.021, "{turns}");
        }
    }

    #[test]
    fn repeats_with_the_tile_and_stays_close_to_one() {
        for i in 0..500 {
            let (u, v) = ((i % 23) as f32 / 7.0 - 1.5, (i % 29) as f32 / 9.0 - 1.5);
            let here = brightness(u, v, 0.0);
            assert!((0.89..1.03).contains(&here));
            assert!((brightness(u + TILE, v - TILE, 0.0) - here).abs() < 2e-4);
        }
        assert!(brightness(0.2, 0.125, 1.0) < 0.93, "inside the stain");
        assert_eq!(
            brightness(-0.6, 0.6, 1.0),
            1.0,
            "bumps are gone at this distance"
        );
    }
}
