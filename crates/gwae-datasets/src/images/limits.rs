//! Size limits of images and buffers.

/// Maximum number of pixels of an image: 64 Mi, 8192×8192. Decoders need up to 12 bytes of memory
/// for each.
pub const MAX_IMAGE_PIXELS: usize = 1 << 26;

/// Maximum size in bytes of a buffer that a thread keeps for its next image.
pub(crate) const KEPT_BUFFER: usize = 1 << 20;
