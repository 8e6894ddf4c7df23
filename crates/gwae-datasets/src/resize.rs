//! Antialiased bilinear resizing: a triangle filter that widens when it shrinks an image.

/// A value of a plane: a byte, or a number in `[0, 1]`.
pub(crate) trait Sample: Copy {
    /// The factor that scales [`Sample::level`] to `[0, 1]`.
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

/// The part of a plane that is resized.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Window {
    /// The whole image, or with `crop` the square of that side in its centre; `None` if the image
    /// is smaller than the square.
    pub(crate) fn centre(height: usize, width: usize, crop: Option<usize>) -> Option<Self> {
        let whole = Self {
            top: 0,
            left: 0,
            height,
            width,
        };
        match crop {
            Some(side) if side > height.min(width) => None,
            Some(side) => Some(whole.centre_of(side, side)),
            None => Some(whole),
        }
    }

    /// The part of this size in the centre of the window, which is at least as large.
    pub(crate) fn centre_of(self, height: usize, width: usize) -> Self {
        Self {
            top: self.top + half_to_even(self.height - height),
            left: self.left + half_to_even(self.width - width),
            height,
            width,
        }
    }
}

/// `number / 2`, with halves rounded to the even neighbour.
fn half_to_even(number: usize) -> usize {
    let half = number / 2;
    half + (number % 2) * (half % 2)
}

/// Resizes a window of a plane to `height`×`width`.
pub(crate) struct Resizer {
    window: Window,
    height: usize,
    width: usize,
    columns: Filter,
    rows: Filter,
}

impl Resizer {
    pub(crate) fn new(window: Window, height: usize, width: usize) -> Self {
        if (window.height, window.width) == (height, width) {
            return Self {
                window,
                height,
                width,
                columns: Filter::default(),
                rows: Filter::default(),
            };
        }
        let columns = Filter::new(window.width, width);
        let rows = if (window.height, height) == (window.width, width) {
            columns.clone()
        } else {
            Filter::new(window.height, height)
        };
        Self {
            window,
            height,
            width,
            columns,
            rows,
        }
    }

    /// Resizes the window of a plane whose rows have `stride` values, and appends the result with
    /// values in `[0, 1]`. If the window already has the size, its values are only converted.
    pub(crate) fn append<T: Sample>(&self, plane: &[T], stride: usize, output: &mut Vec<f32>) {
        let Self {
            window,
            height,
            width,
            ..
        } = *self;
        let plane = &plane[window.top * stride + window.left..];
        if (window.height, window.width) == (height, width) {
            append_unit_values(plane, stride, window, output);
            return;
        }
        let start = output.len();
        output.resize(start + height * width, 0.0);
        let output = &mut output[start..];
        pulp::Arch::new().dispatch(Run {
            resizer: self,
            plane,
            stride,
            output,
        });
    }
}

/// This code is compiled for several instruction sets, and the best one is used. All versions have
/// the same operations in the same order, so the results are equal.
struct Run<'a, T> {
    resizer: &'a Resizer,
    /// The plane, from the window's first pixel on.
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
        let Resizer {
            window,
            height,
            width,
            ..
        } = *resizer;
        // The step that leaves fewer values goes first. Values are scaled at the point where there
        // are fewest.
        let scale = if window.height > height {
            let mut between = vec![0.0; height * window.width];
            resize_rows(plane, stride, &resizer.rows, window.width, &mut between);
            resize_columns(&between, window.width, &resizer.columns, output);
            T::UNIT
        } else {
            let mut between = vec![0.0; window.height * width];
            let values = unit_values(plane, stride, window);
            resize_columns(&values, window.width, &resizer.columns, &mut between);
            resize_rows(&between, width, &resizer.rows, width, output);
            1.0
        };
        for value in output {
            // The sum of rounded weights may be slightly more than one.
            *value = (*value * scale).clamp(0.0, 1.0);
        }
    }
}

/// The window's values in `[0, 1]`; `plane` starts with the window's first value.
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

/// The input pixels and weights of each output pixel along one axis.
#[derive(Clone, Default)]
struct Filter {
    /// First input pixel of every output pixel.
    firsts: Vec<usize>,
    /// `taps` weights per output pixel, starting with its first input pixel.
    weights: Vec<f32>,
    /// Equal for all output pixels, so that loops unroll. Unneeded pixels have weight 0.
    taps: usize,
}

impl Filter {
    fn new(input: usize, output: usize) -> Self {
        let ratio = input as f64 / output as f64;
        // The triangle covers every input pixel when shrinking, and spans two pixels when
        // enlarging.
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
            // Near the end, the window moves back to stay inside.
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

/// Resizes every row of `width` values with `filter`.
#[inline(always)]
fn resize_columns(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    // A small constant number of taps unrolls the innermost loop.
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

/// Resizes along the columns with `filter`: uses the first `width` values of rows that are `stride`
/// apart.
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
        // The last row may end with the window, before the stride ends.
        for (&weight, row) in weights.iter().zip(input[first * stride..].chunks(stride)) {
            for (sum, &value) in output.iter_mut().zip(row) {
                *sum += weight * value.level();
            }
        }
    }
}
