//! Decodes PNG, JPEG and WebP into planar 8-bit images.
//!
//! * The content decides the format, not the name.
//! * Grey stays one channel; colour becomes three; a palette counts as colour.
//! * Transparent pixels are blended with white.
//! * 16 bits per value become 8 by rounding.
//! * The EXIF tag of cameras is obeyed: images stand upright. Colour profiles are ignored, as in
//!   torchvision.
//! * An animation gives its first image.
//! * A file that ends too early is an error.
//!
//! Common JPEG files go through this crate's own decoder (`jpeg.rs`). It makes only the requested
//! part of the image, and its pixels equal those of libjpeg. Progressive files and those of several
//! scans go through `jpeg-decoder`, whose colour smoothing differs by a few levels of 255. Colours
//! of four inks (CMYK, YCCK) become red, green and blue as in Pillow. `jpeg_survey.rs` refuses the
//! kinds of file that `jpeg-decoder` does not read rightly, and names the kind.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use jpeg_decoder::Decoder as JpegDecoder;

use crate::images::error::{ImageFileError, ImageFileProblem};
use crate::images::jpeg;
use crate::images::jpeg::failure::Failure;
use crate::images::jpeg_survey::Survey;
use crate::images::limits::MAX_IMAGE_PIXELS;
use crate::images::orientation::upright;
use crate::images::png_chunks;
use crate::item::Image;
use crate::resize::Window;
use gwae_formats::one_line::{folded, one_line};

/// Decodes the content of an image file. Errors call it `file`.
///
/// # Errors
/// [`ImageFileError`] if the content is not PNG, JPEG or WebP, is damaged or cut short, declares
/// dimensions beyond [`MAX_IMAGE_PIXELS`] or beyond what the bytes can hold, or is a JPEG file of a
/// rare kind, such as one with arithmetic coding.
pub fn decode_image(file: &str, bytes: &[u8]) -> Result<Image, ImageFileError> {
    decode_centre(file, bytes, None)
}

/// Like [`decode_image`]. With `crop`, it may return only the square of that side in the image's
/// centre, if this is faster.
pub(crate) fn decode_centre(
    file: &str,
    bytes: &[u8],
    crop: Option<usize>,
) -> Result<Image, ImageFileError> {
    decode(bytes, crop).map_err(|problem| ImageFileError {
        file: file.to_owned(),
        problem,
    })
}

fn decode(bytes: &[u8], crop: Option<usize>) -> Result<Image, ImageFileProblem> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        decode_png(bytes)
    } else if bytes.starts_with(&[0xff, 0xd8]) {
        decode_jpeg(bytes, crop)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        decode_webp(bytes)
    } else {
        Err(ImageFileProblem::UnknownFormat {
            found: bytes[..bytes.len().min(4)].to_vec(),
        })
    }
}

/// The dimensions, if the image is neither empty nor too large, and `bytes` bytes can hold it at
/// `pixels_per_byte`.
fn check_dimensions(
    width: usize,
    height: usize,
    bytes: usize,
    pixels_per_byte: usize,
) -> Result<(), ImageFileProblem> {
    // Large images only slow a fuzzer down.
    let most = if cfg!(fuzzing) {
        1 << 18
    } else {
        MAX_IMAGE_PIXELS
    };
    let limit = bytes.saturating_mul(pixels_per_byte).min(most);
    match width.checked_mul(height) {
        Some(pixels) if (1..=limit).contains(&pixels) => Ok(()),
        _ => Err(ImageFileProblem::Dimensions {
            width,
            height,
            bytes,
        }),
    }
}

fn decode_png(bytes: &[u8]) -> Result<Image, ImageFileProblem> {
    let Some((width, height)) = png_chunks::dimensions(bytes) else {
        return Err(ImageFileProblem::Truncated {
            format: "PNG",
            bytes: bytes.len(),
        });
    };
    // Deflate expands by a factor of at most 1032, and a pixel takes at least one bit.
    check_dimensions(width, height, bytes.len(), 1032 * 8)?;
    let bytes = png_chunks::without_metadata(bytes)?;
    decode_general(&bytes, ImageFormat::Png, "PNG", width * height)
}

fn decode_webp(bytes: &[u8]) -> Result<Image, ImageFileProblem> {
    let reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::WebP);
    let dimensions = reader.into_dimensions();
    let (width, height) = dimensions.map_err(|error| damaged("WebP", &error))?;
    let (width, height) = (width as usize, height as usize);
    // A WebP file of one colour has no minimum size that depends on the area.
    check_dimensions(width, height, bytes.len(), usize::MAX)?;
    decode_general(bytes, ImageFormat::WebP, "WebP", width * height)
}

fn damaged(format: &'static str, error: &image::ImageError) -> ImageFileProblem {
    ImageFileProblem::Damaged {
        format,
        message: folded(error),
    }
}

/// `pixels`: of the declared dimensions.
fn decode_general(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    pixels: usize,
) -> Result<Image, ImageFileProblem> {
    /// The decoders' tables and buffers of lines.
    const BUFFERS: u64 = 1 << 24;
    let damaged = |error: image::ImageError| damaged(name, &error);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(12 * pixels as u64 + BUFFERS);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    // A broken EXIF block says nothing about the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok(upright(planar(decoded), orientation))
}

/// Splits the pixels into planes of 8 bits and removes the transparency.
fn planar(decoded: DynamicImage) -> Image {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let colours = decoded.color();
    let channels = if colours.has_color() { 3 } else { 1 };
    let pixels = match (colours.has_color(), colours.has_alpha()) {
        (false, false) => decoded.into_luma8().into_raw(),
        (false, true) => on_white::<2>(decoded.into_luma_alpha8().into_raw()),
        (true, false) => separate(&decoded.into_rgb8().into_raw()),
        (true, true) => separate(&on_white::<4>(decoded.into_rgba8().into_raw())),
    };
    Image {
        channels,
        height,
        width,
        pixels,
    }
}

/// Blends pixels of `N` values with white. The last value is the opacity.
fn on_white<const N: usize>(pixels: Vec<u8>) -> Vec<u8> {
    let (whole, _) = pixels.as_chunks::<N>();
    whole
        .iter()
        .flat_map(|pixel| {
            let (&opacity, colours) = pixel.split_last().unwrap_or((&255, &[]));
            let opacity = u32::from(opacity);
            colours.iter().map(move |&colour| {
                ((u32::from(colour) * opacity + 255 * (255 - opacity) + 127) / 255) as u8
            })
        })
        .collect()
}

/// `[H, W, 3]` to `[3, H, W]`.
fn separate(pixels: &[u8]) -> Vec<u8> {
    let (whole, _) = pixels.as_chunks::<3>();
    let mut planes = vec![0; 3 * whole.len()];
    let (red, rest) = planes.split_at_mut(whole.len());
    let (green, blue) = rest.split_at_mut(whole.len());
    for (((pixel, red), green), blue) in whole.iter().zip(red).zip(green).zip(blue) {
        [*red, *green, *blue] = *pixel;
    }
    planes
}

fn decode_jpeg(bytes: &[u8], crop: Option<usize>) -> Result<Image, ImageFileProblem> {
    let Some(survey) = Survey::of(bytes) else {
        return Err(ImageFileProblem::Truncated {
            format: "JPEG",
            bytes: bytes.len(),
        });
    };
    // The part in the centre of an image that is turned may be another one by a pixel.
    let crop = crop.filter(|_| survey.orientation == Orientation::NoTransforms);
    let image = if survey.has_tables {
        decode_own_jpeg(bytes, crop).unwrap_or_else(|| decode_surveyed(bytes, &survey))
    } else {
        decode_surveyed(&with_usual_tables(bytes), &survey)
    };
    Ok(upright(image?, survey.orientation))
}

/// The file with the Huffman tables of ITU-T T.81, annex K.3, after its start marker. The frames of
/// Motion JPEG leave these tables out.
fn with_usual_tables(bytes: &[u8]) -> Vec<u8> {
    const TABLES: &[u8] = include_bytes!("usual_huffman_tables.bin");
    let (start, rest) = bytes.split_at(2);
    [start, TABLES, rest].concat()
}

/// Common files; `None` for all others.
pub(crate) fn decode_own_jpeg(
    bytes: &[u8],
    crop: Option<usize>,
) -> Option<Result<Image, ImageFileProblem>> {
    let window = |width, height| {
        check_jpeg_dimensions(width, height, bytes).ok()?;
        Window::centre(height, width, crop).or(Window::centre(height, width, None))
    };
    Some(match jpeg::decode(bytes, window) {
        Ok(image) => Ok(image),
        Err(Failure::Other) => return None,
        Err(Failure::Damaged(message)) => Err(ImageFileProblem::Damaged {
            format: "JPEG",
            message: message.to_owned(),
        }),
        Err(Failure::Dimensions(width, height)) => Err(ImageFileProblem::Dimensions {
            width,
            height,
            bytes: bytes.len(),
        }),
    })
}

/// Each block of 8×8 pixels takes at least one bit.
fn check_jpeg_dimensions(
    width: usize,
    height: usize,
    bytes: &[u8],
) -> Result<(), ImageFileProblem> {
    check_dimensions(width, height, bytes.len(), 8 * 64)
}

/// Progressive files, files of several scans, unusual sampling, and all other kinds.
#[cfg(fuzzing)]
pub(crate) fn decode_any_jpeg(bytes: &[u8]) -> Result<Image, ImageFileProblem> {
    let survey = Survey::of(bytes).ok_or(ImageFileProblem::Truncated {
        format: "JPEG",
        bytes: bytes.len(),
    })?;
    decode_surveyed(bytes, &survey)
}

/// Decodes a file of which `survey` says what it is. Kinds that the decoder cannot read are
/// refused by name.
fn decode_surveyed(bytes: &[u8], survey: &Survey) -> Result<Image, ImageFileProblem> {
    survey.check()?;
    let (width, height) = (survey.width, survey.height);
    check_jpeg_dimensions(width, height, bytes)?;
    let mut decoder = JpegDecoder::new(bytes);
    decoder.set_color_transform(survey.colours());
    decoder.set_max_decoding_buffer_size(4 * MAX_IMAGE_PIXELS);
    let pixels = decoder
        .decode()
        .map_err(|error| ImageFileProblem::Damaged {
            format: "JPEG",
            message: one_line(&error),
        })?;
    let (channels, pixels) = match pixels.len() / (width * height) {
        1 => (1, pixels),
        3 => (3, separate(&pixels)),
        _ => (3, separate(&rgb_of_cmyk(&pixels))),
    };
    Ok(Image {
        channels,
        height,
        width,
        pixels,
    })
}

/// Four inks to red, green and blue, as Pillow converts them. Files store inverted inks, by
/// Adobe's convention, and the decoder inverts them back.
fn rgb_of_cmyk(inks: &[u8]) -> Vec<u8> {
    let (whole, _) = inks.as_chunks::<4>();
    whole
        .iter()
        .flat_map(|inks| {
            let [colours @ .., black] = inks.map(u32::from);
            let light = 255 - black;
            // Division by 255 with rounding.
            colours.map(|ink| {
                let product = ink * light + 128;
                (light - ((product + (product >> 8)) >> 8)) as u8
            })
        })
        .collect()
}
