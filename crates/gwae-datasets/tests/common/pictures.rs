//! Image files that the tests write themselves, with real encoders.

use std::io::{Cursor, Write};
use std::path::Path;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A colour picture that differs everywhere and for every `seed`.
pub fn colours(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let value = |a: u32, b: u32| ((a * x + b * y + 40 * seed) % 256) as u8;
        image::Rgb([value(3, 1), value(1, 2), value(2, 5)])
    })
}

/// A grey picture that differs everywhere and for every `seed`.
pub fn greys(width: u32, height: u32, seed: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        image::Luma([((7 * x + 3 * y + 29 * seed) % 256) as u8])
    })
}

pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn jpeg(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    picture.into().write_with_encoder(encoder).unwrap();
    bytes
}

/// A grey PNG of one bit per pixel, as in Omniglot; true is white.
pub fn one_bit_png(width: u32, height: u32, white: impl Fn(u32, u32) -> bool) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        for first in (0..width).step_by(8) {
            let bit = |x: u32| u8::from(first + x < width && white(first + x, y)) << (7 - x);
            rows.push((0..8).map(bit).sum());
        }
    }
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&rows).unwrap();
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[1, 0, 0, 0, 0],
    ]
    .concat();
    png_of(&header, &deflated.finish().unwrap())
}

/// A PNG file with this header and data.
pub fn png_of(header: &[u8], data: &[u8]) -> Vec<u8> {
    png_of_chunks(&[(b"IHDR", header), (b"IDAT", data), (b"IEND", &[])])
}

/// A PNG file with these chunks.
pub fn png_of_chunks(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for &(name, content) in chunks {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(content);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(name);
        file.extend(content);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Writes a zip archive with these files.
pub fn write_zip(path: &Path, files: &[(String, Vec<u8>)], method: CompressionMethod) {
    let mut archive = ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in files {
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}
