//! How long a text may grow that carve puts together from a file's own words.

/// Bytes that a text put together from strings and variables may have: ten lines that double a string would
/// otherwise fill the memory. Beyond it the text counts as known only at run time. Strings written out in one piece may
/// be longer.
pub const MAX_FOLDED_BYTES: usize = 256 * 1024;
