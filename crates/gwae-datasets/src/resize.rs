//! Resizing by a triangle filter that widens where pixels are many: antialiased bilinear.

/// A value of a plane: a byte, or a number in `[0, 1]` already.
pub(crate) trait Sample: Copy {
    /// What a [`Sample::level`] is multiplied with to lie in `[0, 1]`.
    const UNIT: f32;
    /// The value as a number.
    fn level(self) -> f32;
    /// The value in `[0, 1]`.
    fn unit(self) -> f32;
}

impl Sample for u8 {
    const UNIT: f32 = 1.0 / 255.0;
    fn level(self) -> f32 {
        f32::from(self)
    }
    fn unit(self) -> f32 {
        f32::from(self) / 255.0
    }
}

impl Sample for f32 {
    const UNIT: f32 = 1.0;
    fn level(self) -> f32 {
        self
    }
    fn unit(self) -> f32 {
        self
    }
}

/// Part of a plane: what a resized plane is made from.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Window {
    /// All of an image, or with `crop` the square of that side in its centre; `None` where the
    /// image is smaller.
    pub(crate) fn centre(height: usize, width: usize, crop: Option<usize>) -> Option<Self> {
        let Some(side) = crop else {
            return Some(Self {
                top: 0,
                left: 0,
                height,
                width,
            });
        };
        Some(Self {
            top: half_to_even(height.checked_sub(side)?),
            left: half_to_even(width.checked_sub(side)?),
            height: side,
            width: side,
        })
    }
}

/// `number / 2`, a half rounded to the even neighbour.
fn half_to_even(number: usize) -> usize {
    let half = number / 2;
    half + (number % 2) * (half % 2)
}

/// Makes a window of a plane `size`×`size`.
pub(crate) struct Resizer {
    window: Window,
    size: usize,
    columns: Filter,
    rows: Filter,
}

impl Resizer {
    pub(crate) fn new(window: Window, size: usize) -> Self {
        if (window.height, window.width) == (size, size) {
            return Self {
                window,
                size,
                columns: Filter::default(),
                rows: Filter::default(),
            };
        }
        let columns = Filter::new(window.width, size);
        let rows = if window.height == window.width {
            columns.clone()
        } else {
            Filter::new(window.height, size)
        };
        Self {
            window,
            size,
            columns,
            rows,
        }
    }

    /// Appends the window of a plane whose rows have `stride` values, resized, its values in
    /// `[0, 1]`. A window that has the size already is only converted.
    pub(crate) fn append<T: Sample>(&self, plane: &[T], stride: usize, output: &mut Vec<f32>) {
        let Self { window, size, .. } = *self;
        let plane = &plane[window.top * stride + window.left..];
        if (window.height, window.width) == (size, size) {
            append_unit_values(plane, stride, window, output);
            return;
        }
        let start = output.len();
        output.resize(start + size * size, 0.0);
        let output = &mut output[start..];
        pulp::Arch::new().dispatch(Run {
            resizer: self,
            plane,
            stride,
            output,
        });
    }
}

/// What is compiled for several instruction sets, the best of which is taken. Operations and their
/// order are the same in all of them, so results are too.
struct Run<'a, T> {
    resizer: &'a Resizer,
    /// From the window's first pixel on.
    plane: &'a [T],
    stride: usize,
    output: &'a mut [f32],
}

impl<T: Sample> pulp::WithSimd for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self {
            resizer,
            plane,
            stride,
            output,
        } = self;
        let Resizer { window, size, .. } = *resizer;
        // The step that leaves fewer values goes first; there, values are scaled when they are few.
        let scale = if window.height > size {
            let mut between = vec![0.0; size * window.width];
            resize_rows(plane, stride, &resizer.rows, window.width, &mut between);
            resize_columns(&between, window.width, &resizer.columns, output);
            T::UNIT
        } else {
            let mut between = vec![0.0; window.height * size];
            let values = unit_values(plane, stride, window);
            resize_columns(&values, window.width, &resizer.columns, &mut between);
            resize_rows(&between, size, &resizer.rows, size, output);
            1.0
        };
        for value in output {
            // Rounded weights may sum to a little more than one.
            *value = (*value * scale).clamp(0.0, 1.0);
        }
    }
}

/// The window's values in `[0, 1]`; `plane` starts with its first one.
#[inline(always)]
fn unit_values<T: Sample>(plane: &[T], stride: usize, window: Window) -> Vec<f32> {
    let mut values = Vec::with_capacity(window.height * window.width);
    append_unit_values(plane, stride, window, &mut values);
    values
}

#[inline(always)]
fn append_unit_values<T: Sample>(
    plane: &[T],
    stride: usize,
    window: Window,
    output: &mut Vec<f32>,
) {
    for row in plane.chunks(stride).take(window.height) {
        output.extend(row[..window.width].iter().map(|value| value.unit()));
    }
}

/// The input pixels that make each output pixel along one axis.
#[derive(Clone, Default)]
struct Filter {
    /// First input pixel of every output pixel.
    firsts: Vec<usize>,
    /// `taps` weights per output pixel, from its first input pixel on.
    weights: Vec<f32>,
    /// Same for all, so that loops over them unroll; what a pixel does not need weighs 0.
    taps: usize,
}

impl Filter {
    fn new(input: usize, output: usize) -> Self {
        let ratio = input as f64 / output as f64;
        // Shrinking, the triangle widens to cover every input pixel; enlarging, it spans two.
        let support = ratio.max(1.0);
        let reach = |place: usize| {
            let centre = (place as f64 + 0.5) * ratio;
            let first = (centre - support).floor().max(0.0) as usize;
            let end = ((centre + support).ceil() as usize).min(input);
            (centre, first, end)
        };
        let lengths = (0..output).map(|place| {
            let (_, first, end) = reach(place);
            end - first
        });
        let taps = lengths.max().unwrap_or(0);
        let mut filter = Self {
            firsts: Vec::with_capacity(output),
            weights: Vec::with_capacity(output * taps),
            taps,
        };
        let mut exact = vec![0.0; taps];
        for place in 0..output {
            let (centre, first, end) = reach(place);
            // Near the end the window moves back to stay inside.
            let start = first.min(input - taps);
            for (weight, pixel) in exact.iter_mut().zip(start..) {
                *weight = if (first..end).contains(&pixel) {
                    (1.0 - ((pixel as f64 + 0.5 - centre) / support).abs()).max(0.0)
                } else {
                    0.0
                };
            }
            let sum: f64 = exact.iter().sum();
            let weights = exact.iter().map(|weight| (weight / sum) as f32);
            filter.weights.extend(weights);
            filter.firsts.push(start);
        }
        filter
    }
}

/// Every row of `width` values to as many as `filter` gives.
#[inline(always)]
fn resize_columns(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    // A constant number of taps, where they are few, unrolls the innermost loop.
    match filter.taps {
        2 => columns_of::<2>(input, width, filter, output),
        3 => columns_of::<3>(input, width, filter, output),
        4 => columns_of::<4>(input, width, filter, output),
        5 => columns_of::<5>(input, width, filter, output),
        6 => columns_of::<6>(input, width, filter, output),
        7 => columns_of::<7>(input, width, filter, output),
        _ => columns_of_any(input, width, filter, output),
    }
}

#[inline(always)]
fn columns_of<const TAPS: usize>(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    let (weights, _) = filter.weights.as_chunks::<TAPS>();
    let rows = output.chunks_exact_mut(filter.firsts.len());
    for (row, output) in input.chunks_exact(width).zip(rows) {
        for ((weights, &first), output) in weights.iter().zip(&filter.firsts).zip(output) {
            if let Some(pixels) = row[first..].first_chunk::<TAPS>() {
                *output = dot(weights, pixels);
            }
        }
    }
}

fn columns_of_any(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    let rows = output.chunks_exact_mut(filter.firsts.len());
    for (row, output) in input.chunks_exact(width).zip(rows) {
        let weights = filter.weights.chunks_exact(filter.taps);
        for ((weights, &first), output) in weights.zip(&filter.firsts).zip(output) {
            *output = dot(weights, &row[first..first + filter.taps]);
        }
    }
}

#[inline(always)]
fn dot(weights: &[f32], pixels: &[f32]) -> f32 {
    weights.iter().zip(pixels).map(|(w, v)| w * v).sum()
}

/// The first `width` values of rows that are `stride` apart, to as many rows as `filter` gives.
#[inline(always)]
fn resize_rows<T: Sample>(
    input: &[T],
    stride: usize,
    filter: &Filter,
    width: usize,
    output: &mut [f32],
) {
    let weights = filter.weights.chunks_exact(filter.taps);
    let outputs = output.chunks_exact_mut(width);
    for ((weights, &first), output) in weights.zip(&filter.firsts).zip(outputs) {
        // The last row may end with the window, not with the stride.
        for (&weight, row) in weights.iter().zip(input[first * stride..].chunks(stride)) {
            for (sum, &value) in output.iter_mut().zip(row) {
                *sum += weight * value.level();
            }
        }
    }
}
