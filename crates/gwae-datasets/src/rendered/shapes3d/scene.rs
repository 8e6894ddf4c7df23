//! Room, camera and light, and the colour that a ray from the camera sees.
//!
//! Units are metres. In the middle orientation, x points to the right and y to the back; z points
//! up. The origin is the middle of the floor. All numbers were fitted to published images.

use super::solid::{Solid, Vector, dot};
use super::texture::brightness;

/// The walls are at ± this distance in x and y.
const WALL: f32 = 3.5;
/// Height of the walls.
const WALL_HEIGHT: f32 = 2.0;
/// The camera is at this distance from the vertical axis and looks at it horizontally.
const CAMERA_DISTANCE: f32 = 2.5;
/// Height of the camera.
const CAMERA_HEIGHT: f32 = 0.75;
/// Tangent of half the angle of view, which is 50° in both directions.
const HALF_VIEW: f32 = 0.466_307_66;

/// Colour above the walls.
pub(super) const SKY: [f32; 3] = [153.0 / 255.0, 226.0 / 255.0, 249.0 / 255.0];

/// Position of the lamp. It shines straight down.
const LAMP: Vector = [-1.49, 0.467, 7.52];
/// Half the side of the lamp, a horizontal square. Its size gives shadows soft edges.
const LAMP_HALF_SIDE: f32 = 0.05;

/// How strongly a material reflects each light.
struct Material {
    /// Light from all directions.
    ambient: f32,
    /// Light from the camera's direction, not its position, so it is even over a flat surface.
    headlight: f32,
    /// Light of the lamp.
    lamp: f32,
}

const ROOM: Material = Material {
    ambient: 0.3455,
    headlight: 0.589,
    lamp: 0.9555,
};
const OBJECT: Material = Material {
    ambient: 0.34,
    headlight: 0.609,
    lamp: 1.0205,
};
/// White that is added to the object where the lamp's light reaches it.
const OBJECT_GLOSS: f32 = 0.1437;

/// The content of one image.
pub(super) struct Scene {
    solid: Solid,
    /// Distance from the origin beyond which the floor is not in shadow.
    shadow_reach: f32,
    floor: [f32; 3],
    wall: [f32; 3],
    object: [f32; 3],
}

impl Scene {
    /// An object in the room. The colours are red, green and blue in `[0, 1]`.
    pub(super) fn new(solid: Solid, floor: [f32; 3], wall: [f32; 3], object: [f32; 3]) -> Self {
        // The highest point has the farthest shadow: away from the lamp, and enlarged.
        let enlarged = LAMP[2] / (LAMP[2] - solid.top());
        let away = (LAMP[0] * LAMP[0] + LAMP[1] * LAMP[1]).sqrt() + 2.0 * LAMP_HALF_SIDE;
        Self {
            solid,
            shadow_reach: enlarged * solid.reach() + (enlarged - 1.0) * away,
            floor,
            wall,
            object,
        }
    }
}

/// The view of one column of samples, at any height.
struct Column {
    /// Tangent of the angle to the viewing axis.
    right: f32,
    /// Horizontal direction of its rays, with length 1 along the camera's axis.
    direction: [f32; 2],
    /// Distance of the wall, in multiples of the direction.
    wall_distance: f32,
    /// The point at that distance.
    wall: [f32; 2],
    /// Vector from the wall into the room.
    normal: [f32; 2],
    /// Position along the wall, to the right as seen from the room.
    along: f32,
}

/// The empty room at one sample: colour, light and texture.
#[derive(Clone, Copy)]
enum Background {
    Sky,
    Floor(f32),
    Wall(f32),
}

/// Views with up to this many samples per side (128 pixels) store the empty room, which is the same
/// in all images of an orientation. Larger views would need over 18 MB, so they compute it for
/// every image.
const REMEMBERED_SAMPLES: usize = 3 * 128;

/// The room seen from one orientation, at one number of samples.
pub(super) struct View {
    camera: Vector,
    /// Unit vector from the scene to the camera.
    back: [f32; 2],
    columns: Vec<Column>,
    /// One entry per sample, in row order; empty if there are too many samples.
    remembered: Vec<Background>,
}

impl View {
    /// The view from `orientation` degrees, with `samples` columns and rows of rays.
    pub(super) fn new(orientation: f64, samples: usize) -> Self {
        // Double precision, so that libraries that round sines differently give the same result.
        let (sin, cos) = orientation.to_radians().sin_cos();
        let (sin, cos) = (sin as f32, cos as f32);
        let camera = [CAMERA_DISTANCE * sin, -CAMERA_DISTANCE * cos, CAMERA_HEIGHT];
        let columns: Vec<Column> = (0..samples)
            .map(|column| {
                let right = lens(column, samples);
                let direction = [right * cos - sin, right * sin + cos];
                Column::new(right, [camera[0], camera[1]], direction)
            })
            .collect();
        let mut view = Self {
            camera,
            back: [sin, -cos],
            columns,
            remembered: Vec::new(),
        };
        if samples <= REMEMBERED_SAMPLES {
            view.remembered = (0..samples)
                .flat_map(|row| (0..samples).map(move |column| (column, row)))
                .map(|(column, row)| view.background(column, row))
                .collect();
        }
        view
    }

    /// Fills sample row `row`, counted from the top. `values` has three planes of `plane` values in
    /// `[0, 1]`; only the first values of each plane are written.
    pub(super) fn fill_row(&self, scene: &Scene, row: usize, plane: usize, values: &mut [f32]) {
        let samples = self.columns.len();
        let up = -lens(row, samples);
        // Half the width of the object in this row of the image; none above and below the object.
        let reach = scene.solid.reach();
        let nearest = CAMERA_DISTANCE - reach;
        let farthest = CAMERA_DISTANCE + reach;
        let above = scene.solid.top() - CAMERA_HEIGHT;
        let highest = above / if above > 0.0 { nearest } else { farthest };
        let half_width = if up * nearest < -CAMERA_HEIGHT || up > highest {
            -1.0
        } else {
            reach / (CAMERA_DISTANCE * CAMERA_DISTANCE - reach * reach).sqrt()
        };
        let floor_distance = floor_distance(row, samples);
        let (red, rest) = values.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        for (x, column) in self.columns.iter().enumerate() {
            let object = if column.right.abs() <= half_width {
                self.object(scene, [column.direction[0], column.direction[1], up])
            } else {
                None
            };
            let colour = object.unwrap_or_else(|| self.room(scene, x, row, floor_distance));
            (red[x], green[x], blue[x]) = (colour[0], colour[1], colour[2]);
        }
    }

    /// The sample in `column` and `row` if the object does not cover it.
    fn room(&self, scene: &Scene, column: usize, row: usize, floor_distance: f32) -> [f32; 3] {
        let samples = self.columns.len();
        let background = match self.remembered.get(row * samples + column) {
            Some(&background) => background,
            None => self.background(column, row),
        };
        match background {
            Background::Sky => SKY,
            Background::Wall(light) => painted(scene.wall, light),
            Background::Floor(light) => {
                let point = self.floor(column, floor_distance);
                let reach = scene.shadow_reach;
                let near = point[0] * point[0] + point[1] * point[1] < reach * reach;
                let light = if near && shadowed(&scene.solid, point, column, row) {
                    ROOM.ambient * self.floor_texture(point, floor_distance)
                } else {
                    light
                };
                painted(scene.floor, light)
            }
        }
    }

    /// The point of the floor's plane that a column of samples sees at a distance.
    fn floor(&self, column: usize, distance: f32) -> Vector {
        let [x, y] = self.columns[column].direction;
        [
            self.camera[0] + distance * x,
            self.camera[1] + distance * y,
            0.0,
        ]
    }

    fn floor_texture(&self, point: Vector, distance: f32) -> f32 {
        brightness(
            -point[1],
            point[0],
            self.step() * distance * distance / CAMERA_HEIGHT,
        )
    }

    /// Distance of neighbouring samples as a tangent.
    fn step(&self) -> f32 {
        2.0 * HALF_VIEW / self.columns.len() as f32
    }

    /// The empty room at the sample in `column` and `row`.
    fn background(&self, column: usize, row: usize) -> Background {
        let wall = &self.columns[column];
        let down = lens(row, self.columns.len());
        let height = CAMERA_HEIGHT - wall.wall_distance * down;
        if height > WALL_HEIGHT {
            Background::Sky
        } else if height < 0.0 {
            let distance = floor_distance(row, self.columns.len());
            let point = self.floor(column, distance);
            let (lamp, _) = lamp(point, [0.0, 0.0, 1.0]);
            let light = ROOM.ambient + ROOM.lamp * lamp;
            Background::Floor(light * self.floor_texture(point, distance))
        } else {
            let normal = [wall.normal[0], wall.normal[1], 0.0];
            let (lamp, _) = lamp([wall.wall[0], wall.wall[1], height], normal);
            let light = ROOM.ambient + ROOM.headlight * self.headlight(normal) + ROOM.lamp * lamp;
            let footprint = self.step() * wall.wall_distance;
            Background::Wall(light * brightness(wall.along, height - 1.0, footprint))
        }
    }

    fn object(&self, scene: &Scene, direction: Vector) -> Option<[f32; 3]> {
        let hit = scene.solid.hit(self.camera, direction)?;
        let point = [0, 1, 2].map(|i| self.camera[i] + hit.distance * direction[i]);
        let (lamp, beam) = lamp(point, hit.normal);
        let light =
            OBJECT.ambient + OBJECT.headlight * self.headlight(hit.normal) + OBJECT.lamp * lamp;
        let gloss = if lamp > 0.0 { OBJECT_GLOSS * beam } else { 0.0 };
        Some(scene.object.map(|share| (share * light + gloss).min(1.0)))
    }

    /// Share of the light from the camera's direction that a surface receives.
    fn headlight(&self, normal: Vector) -> f32 {
        (normal[0] * self.back[0] + normal[1] * self.back[1]).max(0.0)
    }
}

impl Column {
    fn new(right: f32, camera: [f32; 2], direction: [f32; 2]) -> Self {
        let mut column = Self {
            right,
            direction,
            wall_distance: f32::INFINITY,
            wall: [0.0; 2],
            normal: [0.0; 2],
            along: 0.0,
        };
        for axis in 0..2 {
            let sign = if direction[axis] < 0.0 { -1.0 } else { 1.0 };
            let distance = (sign * WALL - camera[axis]) / direction[axis];
            if distance < column.wall_distance {
                let wall = [0, 1].map(|i| camera[i] + distance * direction[i]);
                column.wall_distance = distance;
                column.wall = wall;
                column.normal = [0.0; 2];
                column.normal[axis] = -sign;
                // Back wall: x. Right wall: −y. Left wall: y. The wall behind the camera is not
                // visible.
                column.along = if axis == 1 {
                    sign * wall[0]
                } else {
                    -sign * wall[1]
                };
            }
        }
        column
    }
}

/// Position of a sample's middle relative to the viewing axis, to the right or down, as a tangent.
fn lens(sample: usize, samples: usize) -> f32 {
    ((2 * sample + 1) as f32 / samples as f32 - 1.0) * HALF_VIEW
}

/// Distance of the floor's plane in a row of samples, if the row is below the horizon.
fn floor_distance(row: usize, samples: usize) -> f32 {
    CAMERA_HEIGHT / lens(row, samples)
}

/// The share of the lamp's light that a surface receives without obstacles, and the strength of the
/// beam in this direction: the tenth power of the cosine of the angle to straight down.
fn lamp(point: Vector, normal: Vector) -> (f32, f32) {
    let to = [0, 1, 2].map(|i| LAMP[i] - point[i]);
    let inverse = 1.0 / dot(to, to).sqrt();
    let cosine = to[2] * inverse;
    let squared = cosine * cosine;
    let fourth = squared * squared;
    let beam = fourth * fourth * squared;
    let facing = dot(to, normal) * inverse;
    (facing.max(0.0) * beam, beam)
}

/// Whether the solid hides one point of the lamp from a point of the floor. The sample determines
/// the point of the lamp: the nine samples of a pixel use nine points.
fn shadowed(solid: &Solid, point: Vector, column: usize, row: usize) -> bool {
    let offset = |sample: usize| LAMP_HALF_SIDE * (sample % 3) as f32 - LAMP_HALF_SIDE;
    let to = [
        LAMP[0] + offset(column) - point[0],
        LAMP[1] + offset(row) - point[1],
        LAMP[2] - point[2],
    ];
    solid.hit(point, to).is_some_and(|hit| hit.distance < 1.0)
}

/// A surface of a pure colour under some light, limited to the values of an image.
fn painted(colour: [f32; 3], light: f32) -> [f32; 3] {
    colour.map(|share| (share * light).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_do_not_depend_on_what_views_remember() {
        let scene = Scene::new(
            Solid::new(3, 1.25),
            [1.0, 0.6, 0.0],
            [0.0, 0.4, 1.0],
            [0.2; 3],
        );
        let mut view = View::new(-12.0, 48);
        let row = |view: &View, row| {
            let mut values = vec![0.0; 3 * 48];
            view.fill_row(&scene, row, 48, &mut values);
            values
        };
        let remembered: Vec<_> = (0..48).map(|y| row(&view, y)).collect();
        assert_eq!(view.remembered.len(), 48 * 48);
        view.remembered.clear();
        let anew: Vec<_> = (0..48).map(|y| row(&view, y)).collect();
        assert_eq!(remembered, anew);
        assert!(View::new(0.0, REMEMBERED_SAMPLES + 1).remembered.is_empty());
    }

    #[test]
    fn no_floor_beyond_the_shadows_reach_is_in_shadow() {
        for (shape, scale) in (0..4).flat_map(|shape| [(shape, 0.75), (shape, 1.25)]) {
            let scene = Scene::new(Solid::new(shape, scale), [1.0; 3], [1.0; 3], [1.0; 3]);
            let mut farthest = 0.0_f32;
            for i in 0..200 * 200 {
                let (x, y) = ((i % 200) as f32 / 50.0 - 2.0, (i / 200) as f32 / 50.0 - 2.0);
                if shadowed(&scene.solid, [x, y, 0.0], i % 3, i / 3) {
                    farthest = farthest.max((x * x + y * y).sqrt());
                }
            }
            assert!(farthest < scene.shadow_reach, "{shape} {scale}");
            assert!(farthest > 0.5 * scene.shadow_reach, "{shape} {scale}");
        }
    }
}
