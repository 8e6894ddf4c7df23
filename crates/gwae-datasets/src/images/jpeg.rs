//! A decoder for common JPEG files. It makes only the requested part of the image.
//!
//! It reads baseline files (Huffman codes, 8 bits, one scan) with one grey component, or with luma
//! and two colour differences at full, half horizontal (4:2:2) or half (4:2:0) resolution. Datasets
//! consist of such files. All other files give [`Failure::Other`] and go to the general decoder.
//!
//! Coded data must be read from its start, but blocks outside of the window are not transformed,
//! and data below the window is not read. The pixels equal those of libjpeg and libjpeg-turbo with
//! their defaults (accurate integer transform, smooth upsampling) to the last bit.

mod colour;
pub(super) mod failure;
mod header;
mod huffman;
mod inverse;
mod plane;
mod zigzag;

use std::cell::RefCell;
use std::ops::Range;

use crate::images::limits::KEPT_BUFFER;
use crate::item::Image;
use crate::resize::Window;
use failure::Failure;
use header::{Component, Header};
use huffman::Bits;
use plane::Plane;
use zigzag::ZIGZAG;

/// Decodes a file that begins with a start marker. `accept` gets the width and height and says
/// whether to continue, and which part of the image to make.
pub(crate) fn decode(
    bytes: &[u8],
    accept: impl FnOnce(usize, usize) -> Option<Window>,
) -> Result<Image, Failure> {
    let header = Header::read(bytes)?;
    let (width, height) = (header.width, header.height);
    if width == 0 || height == 0 {
        // The height may come after the first scan.
        return Err(Failure::Other);
    }
    // The reference does not smooth very narrow images; the general decoder handles them.
    if header.across * header.down > 1 && (width <= 4 || height <= 4) {
        return Err(Failure::Other);
    }
    let window = accept(width, height).ok_or(Failure::Dimensions(width, height))?;
    thread_local! {
        /// The coded data of an image. The buffer is kept for the next image.
        static CODED: RefCell<(Vec<u8>, Vec<usize>)> = const { RefCell::new((Vec::new(), Vec::new())) };
    }
    CODED.with_borrow_mut(|(data, ends)| {
        unstuff(&bytes[header.scan..], data, ends);
        let result = pulp::Arch::new().dispatch(Decode {
            header: &header,
            window,
            data,
            ends,
        });
        if data.capacity() > KEPT_BUFFER {
            *data = Vec::new();
        }
        result
    })
}

/// This code is compiled for several instruction sets, and the best one is used. The functions it
/// calls often must be inlined, and it must not contain closures.
struct Decode<'a> {
    header: &'a Header,
    window: Window,
    data: &'a [u8],
    ends: &'a [usize],
}

impl pulp::WithSimd for Decode<'_> {
    type Output = Result<Image, Failure>;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        let planes = decode_planes(self.header, self.window, self.data, self.ends)?;
        Ok(colour::image(&planes, self.window))
    }
}

/// The coded data up to the first marker that is not a restart marker, without the zeros that
/// escape 0xff, and the end of each stretch between restart markers.
fn unstuff(coded: &[u8], data: &mut Vec<u8>, ends: &mut Vec<usize>) {
    data.clear();
    ends.clear();
    let mut rest = coded;
    while let Some(length) = rest.iter().position(|&byte| byte == 0xff) {
        data.extend_from_slice(&rest[..length]);
        match rest.get(length + 1) {
            Some(0) => data.push(0xff),
            Some(0xd0..=0xd7) => ends.push(data.len()),
            // A fill byte before a marker.
            Some(0xff) => {
                rest = &rest[length + 1..];
                continue;
            }
            _ => {
                rest = &[];
                break;
            }
        }
        rest = &rest[length + 2..];
    }
    data.extend_from_slice(rest);
    ends.push(data.len());
}

/// The units along one axis that contain the window and its neighbouring pixels.
fn units(start: usize, length: usize, unit: usize, count: usize) -> Range<usize> {
    // Smooth upsampling needs one more colour pixel, that is two more pixels.
    let first = start.saturating_sub(2) / unit;
    let end = (start + length + 2).div_ceil(unit);
    first..end.min(count)
}

#[inline(always)]
fn decode_planes(
    header: &Header,
    window: Window,
    data: &[u8],
    ends: &[usize],
) -> Result<Vec<Plane>, Failure> {
    let (unit_width, unit_height) = (8 * header.across, 8 * header.down);
    let units_across = header.width.div_ceil(unit_width);
    let units_down = header.height.div_ceil(unit_height);
    let columns = units(window.left, window.width, unit_width, units_across);
    let rows = units(window.top, window.height, unit_height, units_down);
    let mut planes: Vec<Plane> = (0..header.components.len())
        .map(|component| {
            let (across, down) = match component {
                0 => (header.across, header.down),
                _ => (1, 1),
            };
            let stride = columns.len() * 8 * across;
            Plane {
                across,
                down,
                top: rows.start * 8 * down,
                left: columns.start * 8 * across,
                stride,
                width: (header.width * across).div_ceil(header.across),
                height: (header.height * down).div_ceil(header.down),
                pixels: vec![0; stride * rows.len() * 8 * down],
            }
        })
        .collect();

    let mut previous = [0; 3];
    let mut stretches = ends.iter().scan(0, |start, &end| {
        let stretch = &data[*start..end];
        *start = end;
        Some(stretch)
    });
    let mut bits = Bits::new(stretches.next().unwrap_or_default());
    let mut block = [0; 64];
    let mut units_left = header.restart_interval;
    for row in 0..rows.end {
        for column in 0..units_across {
            if header.restart_interval > 0 {
                if units_left == 0 {
                    let stretch = stretches.next();
                    bits = Bits::new(stretch.ok_or(Failure::Damaged("a restart mark is missing"))?);
                    previous = [0; 3];
                    units_left = header.restart_interval;
                }
                units_left -= 1;
            }
            let wanted = rows.contains(&row) && columns.contains(&column);
            let place = (
                row.wrapping_sub(rows.start),
                column.wrapping_sub(columns.start),
            );
            for ((component, plane), previous) in
                header.components.iter().zip(&mut planes).zip(&mut previous)
            {
                for number in 0..plane.across * plane.down {
                    let last = bits.block(&component.dc, &component.ac, previous, &mut block)?;
                    if wanted {
                        store(component, plane, place, number, &block, last);
                    }
                    block = [0; 64];
                }
            }
            if bits.overrun() {
                return Err(Failure::Damaged("the coded data ends too early"));
            }
        }
    }
    Ok(planes)
}

/// Number of coefficients of a row that may differ from zero if `last` is the last one in zigzag
/// order.
const COLUMNS: [u8; 64] = {
    let mut columns = [0; 64];
    let mut most = 0;
    let mut place = 0;
    while place < 64 {
        let column = ZIGZAG[place] % 8 + 1;
        if column > most {
            most = column;
        }
        columns[place] = most;
        place += 1;
    }
    columns
};

/// Transforms block `number` of the unit at row and column `place` of the decoded units.
#[inline(always)]
fn store(
    component: &Component,
    plane: &mut Plane,
    place: (usize, usize),
    number: usize,
    block: &[i16; 64],
    last: usize,
) {
    let row = 8 * (place.0 * plane.down + number / plane.across);
    let column = 8 * (place.1 * plane.across + number % plane.across);
    let rows = plane.pixels[row * plane.stride..].chunks_exact_mut(plane.stride);
    let targets = rows.filter_map(|row| row[column..].first_chunk_mut::<8>());
    if last == 0 {
        let value = inverse::flat(block[0], component.steps[0]);
        for target in targets.take(8) {
            *target = [value; 8];
        }
    } else {
        let columns = COLUMNS[last & 63].into();
        let pixels = inverse::block(block, &component.steps, columns);
        for (target, pixels) in targets.zip(pixels) {
            *target = pixels;
        }
    }
}
