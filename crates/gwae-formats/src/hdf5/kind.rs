//! The kinds of object header messages that the reader uses.

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const OLD_FILL_VALUE: u16 = 0x04;
pub(super) const FILL_VALUE: u16 = 0x05;
pub(super) const EXTERNAL_FILES: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0b;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const LINK: u16 = 0x06;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
