//! Convolutions by Winograd's algorithm over blocks of the batch.
//!
//! The points of a block of samples (`points.rs`) form a matrix, packed into panels of 32 columns. It has
//! one row per channel, or per channel and phase, and one column per tile. With the points of the weight as
//! the other factor, the convolution, its transpose and the gradient of the weight are nine products each.
//! The matrices of a block are small enough to stay in cache, and blocks run on different cores. The number
//! of blocks depends only on the shapes. So sums are always added up in the same order, and results do not
//! depend on the number of cores.

use rayon::prelude::*;

use super::packing::{
    Columns, FeatureColumns, FeatureRows, FeaturesOfColumns, ImageColumns, ImageRows,
    ImagesOfColumns, PlaneWork, on_planes,
};
use super::points::{PHASES, POINTS};
use super::product::{COLUMNS, ROWS, multiply, panels};
use super::{scratch, sum_in_order, weight_points};
use crate::PaddingMode;

/// Number of values in a block's matrices on both sides: 1 MB.
const BLOCK_VALUES: usize = 1 << 18;
/// Least number of tiles per block, if the batch has enough: each block reads the whole weight.
const BLOCK_TILES: usize = 64;
/// Least number of blocks in a batch that has enough samples.
const LEAST_BLOCKS: usize = 2;
/// Largest number of partial sums of the weight's gradient.
const PARTIAL_SUMS: usize = 8;
/// Least number of tiles per partial sum.
const PARTIAL_TILES: usize = 128;

/// Sizes of one convolution. Its small side is the feature map, its large side the image. The convolution
/// methods need an even height and width.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    /// Channels of the small side.
    pub(super) m: usize,
    /// Channels of the large side.
    pub(super) n: usize,
    /// Height and width of the small side.
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) padding: PaddingMode,
}

impl Geometry {
    /// Number of values in one sample on the small side.
    fn small(&self) -> usize {
        self.m * self.height * self.width
    }

    /// Number of values in one sample on the large side.
    fn large(&self) -> usize {
        self.n * self.height * self.width * 4
    }

    /// Number of tiles in one sample.
    pub(super) fn tiles(&self) -> usize {
        self.height * self.width / 4
    }

    fn on_planes(&self, work: impl PlaneWork) {
        on_planes(self.height, self.width, work);
    }

    /// Number of samples per block.
    fn block(&self, batch: usize) -> usize {
        let columns = BLOCK_VALUES / (POINTS * (self.m + PHASES * self.n));
        let samples = columns.max(BLOCK_TILES) / self.tiles();
        samples.min(batch.div_ceil(LEAST_BLOCKS)).max(1)
    }

    /// See `Kernels::strided_conv`, with the bias.
    pub(super) fn strided_conv(
        &self,
        images: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Vec<f32> {
        let batch = images.len() / self.large();
        let block = self.block(batch);
        let weight = weight_points::to_small(weight, self.m, self.n);
        let mut output = vec![0.0; batch * self.small()];
        let blocks = output
            .par_chunks_mut(block * self.small())
            .zip(images.par_chunks(block * self.large()));
        blocks.for_each(|(output, images)| {
            let columns = Columns::new(images.len() / self.large() * self.tiles());
            let (rows, lines) = (self.n * PHASES, panels(self.m, ROWS) * ROWS);
            let lengths = [columns.values(rows), columns.values(lines)];
            scratch::with(lengths, |[points, products]| {
                self.on_planes(ImageColumns {
                    images,
                    channels: self.n,
                    padding: self.padding,
                    columns,
                    points,
                });
                multiply_columns(&weight, rows, columns, points, products);
                self.on_planes(FeaturesOfColumns {
                    products,
                    rows: lines,
                    channels: self.m,
                    columns,
                    bias,
                    features: output,
                });
            });
        });
        output
    }

    /// See `Kernels::strided_conv_transpose`, with the bias.
    pub(super) fn strided_conv_transpose(
        &self,
        features: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Vec<f32> {
        let batch = features.len() / self.small();
        let block = self.block(batch);
        let weight = weight_points::to_large(weight, self.m, self.n);
        let mut output = vec![0.0; batch * self.large()];
        let blocks = output
            .par_chunks_mut(block * self.large())
            .zip(features.par_chunks(block * self.small()));
        blocks.for_each(|(output, features)| {
            let columns = Columns::new(features.len() / self.small() * self.tiles());
            let lines = panels(self.n * PHASES, ROWS) * ROWS;
            let lengths = [columns.values(self.m), columns.values(lines)];
            scratch::with(lengths, |[points, products]| {
                self.on_planes(FeatureColumns {
                    features,
                    channels: self.m,
                    columns,
                    points,
                });
                multiply_columns(&weight, self.m, columns, points, products);
                self.on_planes(ImagesOfColumns {
                    products,
                    rows: lines,
                    channels: self.n,
                    padding: self.padding,
                    columns,
                    bias,
                    images: output,
                });
            });
        });
        output
    }

    /// See `Kernels::weight_gradient`.
    pub(super) fn weight_gradient(&self, images: &[f32], features: &[f32]) -> Vec<f32> {
        let batch = images.len() / self.large();
        let block = self.block(batch);
        // Whole blocks per partial sum.
        let parts = (batch * self.tiles() / PARTIAL_TILES).clamp(1, PARTIAL_SUMS);
        let part = batch.div_ceil(block).div_ceil(parts).max(1) * block;
        let alone = part >= batch;
        let parts = images
            .par_chunks(part * self.large())
            .zip(features.par_chunks(part * self.small()));
        let partial: Vec<Vec<f32>> = parts
            .map(|(images, features)| self.partial_weight_gradient(images, features, block, alone))
            .collect();
        sum_in_order(partial, self.m * self.n * weight_points::TAPS)
    }

    fn partial_weight_gradient(
        &self,
        images: &[f32],
        features: &[f32],
        block: usize,
        alone: bool,
    ) -> Vec<f32> {
        let row_panels = panels(self.m, ROWS);
        let column_panels = panels(self.n * PHASES, COLUMNS);
        let size = column_panels * row_panels * ROWS * COLUMNS;
        let most = block * self.tiles();
        let lengths = [
            POINTS * column_panels * COLUMNS * most,
            POINTS * row_panels * ROWS * most,
            POINTS * size,
        ];
        scratch::with(lengths, |[image_points, feature_points, gradient]| {
            let blocks = images
                .chunks(block * self.large())
                .zip(features.chunks(block * self.small()));
            for (number, (images, features)) in blocks.enumerate() {
                let tiles = images.len() / self.large() * self.tiles();
                let left = &mut feature_points[..POINTS * row_panels * ROWS * tiles];
                let right = &mut image_points[..POINTS * column_panels * COLUMNS * tiles];
                self.on_planes(FeatureRows {
                    features,
                    channels: self.m,
                    tiles,
                    points: left,
                });
                self.on_planes(ImageRows {
                    images,
                    channels: self.n,
                    padding: self.padding,
                    tiles,
                    points: right,
                });
                let (left, right) = (&*left, &*right);
                let add = |(point, sums): (usize, &mut [f32])| {
                    let length = row_panels * ROWS * tiles;
                    let left = &left[point * length..][..length];
                    let right = &right[point * column_panels * COLUMNS * tiles..];
                    let panels = sums.chunks_exact_mut(row_panels * ROWS * COLUMNS);
                    for (sums, right) in panels.zip(right.chunks_exact(COLUMNS * tiles)) {
                        multiply(left, tiles * ROWS, right, sums, number > 0);
                    }
                };
                // A batch with few tiles is a single part, so the cores share its points.
                if alone {
                    gradient.par_chunks_mut(size).enumerate().for_each(add);
                } else {
                    gradient.chunks_mut(size).enumerate().for_each(add);
                }
            }
            weight_points::gradient(gradient, self.m, self.n)
        })
    }
}

/// The nine products of a weight's points, `[rows/8][9][inner][8]`, with the points of a block,
/// `[9][panels][inner][32]`. The output is `[9][panels][rows][32]`.
fn multiply_columns(
    weight: &[f32],
    inner: usize,
    columns: Columns,
    points: &[f32],
    products: &mut [f32],
) {
    let stride = POINTS * inner * ROWS;
    let points = points.chunks_exact(points.len() / POINTS);
    let products = products.chunks_exact_mut(products.len() / POINTS);
    for (point, (points, products)) in points.zip(products).enumerate() {
        let weight = &weight[point * inner * ROWS..];
        let size = products.len() / columns.panels();
        let panels = points
            .chunks_exact(inner * COLUMNS)
            .zip(products.chunks_exact_mut(size));
        for (points, products) in panels {
            multiply(weight, stride, points, products, false);
        }
    }
}
