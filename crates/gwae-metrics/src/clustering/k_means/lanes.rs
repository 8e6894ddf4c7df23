//! Distances from one point to several at once.

/// Centres in a layout in which each of a processor's vector lanes holds one centre: blocks of
/// `LANES` centres, coordinate by coordinate within a block. The last block is filled up with
/// centres at infinity.
pub(super) struct Lanes<const LANES: usize> {
    blocks: Vec<[f32; LANES]>,
    dimensions: usize,
}

impl<const LANES: usize> Lanes<LANES> {
    /// `centres`: row-major `[any, dimensions]`, `dimensions ≥ 1`.
    pub fn new(centres: &[f32], dimensions: usize) -> Self {
        let count = centres.len() / dimensions;
        let mut blocks = vec![[f32::INFINITY; LANES]; count.div_ceil(LANES) * dimensions];
        for (number, centre) in centres.chunks_exact(dimensions).enumerate() {
            let block = &mut blocks[number / LANES * dimensions..][..dimensions];
            for (lanes, &value) in block.iter_mut().zip(centre) {
                lanes[number % LANES] = value;
            }
        }
        Self { blocks, dimensions }
    }

    /// Squared distances from a row to the centres of a block.
    pub fn distances(&self, block: usize, row: &[f32]) -> [f32; LANES] {
        let block = &self.blocks[block * self.dimensions..][..self.dimensions];
        let mut sums = [0.0; LANES];
        for (&value, centres) in row.iter().zip(block) {
            for (sum, centre) in sums.iter_mut().zip(centres) {
                let difference = value - centre;
                *sum += difference * difference;
            }
        }
        sums
    }

    /// The index of the nearest centre, and its squared distance. Of equally near centres, the
    /// lowest index.
    pub fn nearest(&self, row: &[f32]) -> (usize, f32) {
        let mut nearest = (0, f32::INFINITY);
        for block in 0..self.blocks.len() / self.dimensions {
            for (lane, distance) in self.distances(block, row).into_iter().enumerate() {
                if distance < nearest.1 {
                    nearest = (block * LANES + lane, distance);
                }
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_each_centre() {
        let centres: Vec<f32> = (0..5).flat_map(|k| [k as f32, 2.0 * k as f32]).collect();
        let lanes = Lanes::<4>::new(&centres, 2);
        assert_eq!(lanes.distances(0, &[1.0, 0.0]), [1.0, 4.0, 17.0, 40.0]);
        assert_eq!(lanes.distances(1, &[1.0, 0.0])[0], 73.0);
        assert_eq!(lanes.distances(1, &[1.0, 0.0])[1..], [f32::INFINITY; 3]);
        assert_eq!(lanes.nearest(&[4.0, 7.5]), (4, 0.25));
        // Halfway between the centres 1 and 2.
        assert_eq!(lanes.nearest(&[1.5, 3.0]).0, 1);
    }
}
