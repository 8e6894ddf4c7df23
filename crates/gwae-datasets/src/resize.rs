//! Resizing by a triangle filter that widens where pixels are many: antialiased bilinear.

/// The input pixels that make each output pixel along one axis.
struct Filter {
    /// First input pixel of every output pixel.
    firsts: Vec<usize>,
    /// `taps` weights per output pixel, from its first input pixel on; unused ones are left out
    /// at the end by `lengths`.
    weights: Vec<f32>,
    lengths: Vec<usize>,
    taps: usize,
}

impl Filter {
    fn new(input: usize, output: usize) -> Self {
        let ratio = input as f64 / output as f64;
        // Shrinking, the triangle widens to cover every input pixel; enlarging, it spans two.
        let support = ratio.max(1.0);
        let taps = 2 * support.ceil() as usize + 1;
        let mut filter = Self {
            firsts: Vec::with_capacity(output),
            weights: vec![0.0; output * taps],
            lengths: Vec::with_capacity(output),
            taps,
        };
        let mut exact = vec![0.0; taps];
        for (place, weights) in filter.weights.chunks_exact_mut(taps).enumerate() {
            let centre = (place as f64 + 0.5) * ratio;
            let first = (centre - support).floor().max(0.0) as usize;
            let end = ((centre + support).ceil() as usize).min(input);
            for (weight, pixel) in exact.iter_mut().zip(first..end) {
                *weight = (1.0 - ((pixel as f64 + 0.5 - centre) / support).abs()).max(0.0);
            }
            let exact = &exact[..end - first];
            let sum: f64 = exact.iter().sum();
            for (weight, exact) in weights.iter_mut().zip(exact) {
                *weight = (exact / sum) as f32;
            }
            filter.firsts.push(first);
            filter.lengths.push(end - first);
        }
        filter
    }

    /// For every output pixel its first input pixel and its weights.
    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.weights
            .chunks_exact(self.taps)
            .zip(&self.firsts)
            .zip(&self.lengths)
            .map(|((weights, &first), &length)| (first, &weights[..length]))
    }
}

/// `[C, height, width]` to `[C, size, size]`, values in `[0, 1]`.
pub(crate) fn resize(planes: &[f32], height: usize, width: usize, size: usize) -> Vec<f32> {
    let columns = Filter::new(width, size);
    let rows = Filter::new(height, size);
    let mut output = vec![0.0; planes.len() / (height * width) * size * size];
    let mut between = vec![0.0; size * height.max(width)];
    for (plane, output) in planes
        .chunks_exact(height * width)
        .zip(output.chunks_exact_mut(size * size))
    {
        // The step that leaves fewer values goes first.
        if height > size {
            let between = &mut between[..size * width];
            resize_rows(plane, width, &rows, between);
            resize_columns(between, width, &columns, output);
        } else {
            let between = &mut between[..height * size];
            resize_columns(plane, width, &columns, between);
            resize_rows(between, size, &rows, output);
        }
        // Rounded weights may sum to a little more than one.
        for value in output {
            *value = value.clamp(0.0, 1.0);
        }
    }
    output
}

/// Every row of `width` values to as many as `filter` gives.
fn resize_columns(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    let rows = output.chunks_exact_mut(filter.firsts.len());
    for (row, output) in input.chunks_exact(width).zip(rows) {
        for ((first, weights), output) in filter.iter().zip(output) {
            *output = weights.iter().zip(&row[first..]).map(|(w, v)| w * v).sum();
        }
    }
}

/// Rows of `width` values to as many rows as `filter` gives.
fn resize_rows(input: &[f32], width: usize, filter: &Filter, output: &mut [f32]) {
    for ((first, weights), output) in filter.iter().zip(output.chunks_exact_mut(width)) {
        output.fill(0.0);
        let rows = input[first * width..].chunks_exact(width);
        for (weight, row) in weights.iter().zip(rows) {
            for (sum, value) in output.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
}
