//! Packs the points of a block of samples for the products, and unpacks them.
//!
//! Panels are always full, so some rows and columns belong to no channel or tile. Their values are
//! arbitrary, and the results computed from them are never read.
//!
//! A block's matrices have a row per channel, or per channel and phase, and a column per tile, in
//! panels of 32 columns; for the gradient of the weight they have the tiles as the inner dimension.

use pulp::{Arch, Simd, WithSimd};

use super::points::{PHASES, POINTS, Plane};
use super::product::{COLUMNS, ROWS, panels};
use crate::PaddingMode;

/// Work on planes of any size.
pub(super) trait PlaneWork {
    /// Does the work. All functions that it calls have to be inlined: only code within
    /// [`WithSimd::with_simd`] is compiled for the best instruction set.
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>);
}

/// Does the work on planes of this height and width. Common sizes are known to the compiler, so
/// that loops over short lines become a few instructions.
pub(super) fn on_planes(height: usize, width: usize, work: impl PlaneWork) {
    struct OnPlanes<W> {
        height: usize,
        width: usize,
        work: W,
    }
    impl<W: PlaneWork> WithSimd for OnPlanes<W> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let (height, width) = (self.height, self.width);
            match (height, width) {
                (2, 2) => self.work.on(Plane::<2>::new(height, width)),
                (4, 4) => self.work.on(Plane::<4>::new(height, width)),
                (8, 8) => self.work.on(Plane::<8>::new(height, width)),
                (16, 16) => self.work.on(Plane::<16>::new(height, width)),
                (32, 32) => self.work.on(Plane::<32>::new(height, width)),
                _ => self.work.on(Plane::<0>::new(height, width)),
            }
        }
    }
    Arch::new().dispatch(OnPlanes {
        height,
        width,
        work,
    });
}

/// Puts the points of images into `points`, `[9][panels][4·channels][32]`.
pub(super) struct ImageColumns<'a> {
    pub(super) images: &'a [f32],
    pub(super) channels: usize,
    pub(super) padding: PaddingMode,
    pub(super) columns: Columns,
    pub(super) points: &'a mut [f32],
}

impl PlaneWork for ImageColumns<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let (tiles, piece) = (plane.tiles(), plane.piece());
        let rows = self.channels * PHASES;
        let mut work = vec![0.0; plane.working_space()];
        let mut lines = vec![0.0; POINTS * PHASES * tiles];
        for (number, image) in self.images.chunks_exact(16 * tiles).enumerate() {
            let (sample, channel) = (number / self.channels, number % self.channels);
            plane.image_to_points(image, self.padding, &mut work, &mut lines);
            for (number, line) in lines.chunks_exact(tiles).enumerate() {
                let row = Row {
                    point: number / PHASES,
                    rows,
                    row: channel * PHASES + number % PHASES,
                };
                self.columns
                    .store(line, piece, row, sample * tiles, self.points);
            }
        }
    }
}

/// Puts the points of features into `points`, `[9][panels][channels][32]`.
pub(super) struct FeatureColumns<'a> {
    pub(super) features: &'a [f32],
    pub(super) channels: usize,
    pub(super) columns: Columns,
    pub(super) points: &'a mut [f32],
}

impl PlaneWork for FeatureColumns<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let (tiles, piece) = (plane.tiles(), plane.piece());
        let mut lines = vec![0.0; POINTS * tiles];
        for (number, feature) in self.features.chunks_exact(4 * tiles).enumerate() {
            let (sample, channel) = (number / self.channels, number % self.channels);
            plane.feature_to_points(feature, &mut lines, tiles);
            for (point, line) in lines.chunks_exact(tiles).enumerate() {
                let row = Row {
                    point,
                    rows: self.channels,
                    row: channel,
                };
                self.columns
                    .store(line, piece, row, sample * tiles, self.points);
            }
        }
    }
}

/// Makes features, plus a bias per channel, of products `[9][panels][rows][32]`.
pub(super) struct FeaturesOfColumns<'a> {
    pub(super) products: &'a [f32],
    pub(super) rows: usize,
    pub(super) channels: usize,
    pub(super) columns: Columns,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) features: &'a mut [f32],
}

impl PlaneWork for FeaturesOfColumns<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let (tiles, piece) = (plane.tiles(), plane.piece());
        let mut lines = vec![0.0; POINTS * tiles];
        for (number, feature) in self.features.chunks_exact_mut(4 * tiles).enumerate() {
            let (sample, channel) = (number / self.channels, number % self.channels);
            for (point, line) in lines.chunks_exact_mut(tiles).enumerate() {
                let row = Row {
                    point,
                    rows: self.rows,
                    row: channel,
                };
                self.columns
                    .load(line, piece, row, sample * tiles, self.products);
            }
            let bias = self.bias.map_or(0.0, |bias| bias[channel]);
            plane.points_to_feature(&lines, bias, feature);
        }
    }
}

/// Makes images, plus a bias per channel, of products `[9][panels][rows][32]`.
pub(super) struct ImagesOfColumns<'a> {
    pub(super) products: &'a [f32],
    pub(super) rows: usize,
    pub(super) channels: usize,
    pub(super) padding: PaddingMode,
    pub(super) columns: Columns,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) images: &'a mut [f32],
}

impl PlaneWork for ImagesOfColumns<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let (tiles, piece) = (plane.tiles(), plane.piece());
        let mut work = vec![0.0; plane.working_space()];
        let mut lines = vec![0.0; POINTS * PHASES * tiles];
        for (number, image) in self.images.chunks_exact_mut(16 * tiles).enumerate() {
            let (sample, channel) = (number / self.channels, number % self.channels);
            for (number, line) in lines.chunks_exact_mut(tiles).enumerate() {
                let row = Row {
                    point: number / PHASES,
                    rows: self.rows,
                    row: channel * PHASES + number % PHASES,
                };
                self.columns
                    .load(line, piece, row, sample * tiles, self.products);
            }
            let bias = self.bias.map_or(0.0, |bias| bias[channel]);
            plane.points_to_image(&lines, self.padding, bias, &mut work, image);
        }
    }
}

/// Puts the transposed points of images into `points`, `[9][4·channels/32][tiles][32]`.
pub(super) struct ImageRows<'a> {
    pub(super) images: &'a [f32],
    pub(super) channels: usize,
    pub(super) padding: PaddingMode,
    /// Tiles of all images.
    pub(super) tiles: usize,
    pub(super) points: &'a mut [f32],
}

impl PlaneWork for ImageRows<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let tiles = plane.tiles();
        let rows = self.channels * PHASES;
        let mut work = vec![0.0; plane.working_space()];
        let mut lines = vec![0.0; POINTS * PHASES * tiles];
        for (number, image) in self.images.chunks_exact(16 * tiles).enumerate() {
            let (sample, row) = (number / self.channels, number % self.channels * PHASES);
            plane.image_to_points(image, self.padding, &mut work, &mut lines);
            for (point, lines) in lines.chunks_exact(PHASES * tiles).enumerate() {
                let panel = point * panels(rows, COLUMNS) + row / COLUMNS;
                let start = (panel * self.tiles + sample * tiles) * COLUMNS;
                let panel = &mut self.points[start..][..tiles * COLUMNS];
                transpose::<PHASES, COLUMNS>(lines, panel, row % COLUMNS);
            }
        }
    }
}

/// Puts the transposed points of features into `points`, `[9][channels/8][tiles][8]`.
pub(super) struct FeatureRows<'a> {
    pub(super) features: &'a [f32],
    pub(super) channels: usize,
    /// Tiles of all features.
    pub(super) tiles: usize,
    pub(super) points: &'a mut [f32],
}

impl PlaneWork for FeatureRows<'_> {
    #[inline(always)]
    fn on<const SIZE: usize>(self, plane: Plane<SIZE>) {
        let tiles = plane.tiles();
        let pixels = 4 * tiles;
        let mut lines = vec![0.0; ROWS * POINTS * tiles];
        let samples = self.features.chunks_exact(self.channels * pixels);
        for (sample, features) in samples.enumerate() {
            for (number, features) in features.chunks(ROWS * pixels).enumerate() {
                // [9][8][tiles]
                for (row, feature) in features.chunks_exact(pixels).enumerate() {
                    plane.feature_to_points(feature, &mut lines[row * tiles..], ROWS * tiles);
                }
                for (point, lines) in lines.chunks_exact(ROWS * tiles).enumerate() {
                    let panel = point * panels(self.channels, ROWS) + number;
                    let start = (panel * self.tiles + sample * tiles) * ROWS;
                    let panel = &mut self.points[start..][..tiles * ROWS];
                    transpose::<ROWS, ROWS>(lines, panel, 0);
                }
            }
        }
    }
}

/// Puts `LINES` lines into a matrix of `WIDTH` columns, as columns from `first` on.
#[inline(always)]
fn transpose<const LINES: usize, const WIDTH: usize>(
    lines: &[f32],
    matrix: &mut [f32],
    first: usize,
) {
    let length = lines.len() / LINES;
    for (t, row) in matrix.chunks_exact_mut(WIDTH).take(length).enumerate() {
        let row = &mut row[first..first + LINES];
        for (number, value) in row.iter_mut().enumerate() {
            *value = lines[number * length + t];
        }
    }
}

/// The columns of a block's nine matrices.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    panels: usize,
}

impl Columns {
    /// Matrices with `count` columns.
    pub(super) fn new(count: usize) -> Self {
        Self {
            panels: panels(count, COLUMNS),
        }
    }

    /// Panels of a matrix.
    pub(super) fn panels(self) -> usize {
        self.panels
    }

    /// Number of values in nine matrices with `rows` rows.
    pub(super) fn values(self, rows: usize) -> usize {
        POINTS * self.panels * rows * COLUMNS
    }

    /// Puts the tiles of one sample into a row, the first tile at column `start`.
    #[inline(always)]
    fn store(self, line: &[f32], piece: usize, row: Row, start: usize, matrices: &mut [f32]) {
        for (number, values) in line.chunks_exact(piece).enumerate() {
            let at = self.position(row, start + number * piece);
            matrices[at..][..piece].copy_from_slice(values);
        }
    }

    /// The reverse of [`Columns::store`].
    #[inline(always)]
    fn load(self, line: &mut [f32], piece: usize, row: Row, start: usize, matrices: &[f32]) {
        for (number, values) in line.chunks_exact_mut(piece).enumerate() {
            let at = self.position(row, start + number * piece);
            values.copy_from_slice(&matrices[at..][..piece]);
        }
    }

    #[inline(always)]
    fn position(self, row: Row, column: usize) -> usize {
        let panel = row.point * self.panels + column / COLUMNS;
        (panel * row.rows + row.row) * COLUMNS + column % COLUMNS
    }
}

/// A row of one of nine matrices of `rows` rows.
#[derive(Clone, Copy)]
struct Row {
    point: usize,
    rows: usize,
    row: usize,
}
