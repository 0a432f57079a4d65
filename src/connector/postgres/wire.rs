//! Rows out of binary COPY: one message mostly holds one row, but nothing here depends on it.
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

/// What a binary copy begins with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The signature, the flags and the length of an extension.
const HEADER: usize = SIGNATURE.len() + 8;

/// A stream that is no binary copy, or ends in the middle of a row.
#[derive(Debug, thiserror::Error)]
#[error("the server's answer is no binary copy: {0}")]
pub(super) struct BadCopy(&'static str);

/// Takes messages, gives rows.
pub(super) struct Rows {
    waiting: Bytes,
    columns: usize,
    begun: bool,
    ended: bool,
    fields: Vec<Option<Range<usize>>>,
}

/// One row: where each field lies in its bytes; `None` is NULL.
pub(super) struct RawRow<'r> {
    bytes: Bytes,
    fields: &'r [Option<Range<usize>>],
}

impl RawRow<'_> {
    /// The field's bytes.
    pub(super) fn field(&self, at: usize) -> Option<&[u8]> {
        self.fields.get(at).cloned().flatten().map(|range| &self.bytes[range])
    }
}

impl Rows {
    /// A stream of rows of so many columns.
    pub(super) fn of(columns: usize) -> Self {
        Rows { waiting: Bytes::new(), columns, begun: false, ended: false, fields: Vec::with_capacity(columns) }
    }

    /// Takes the next message; it is copied only where a row began before it.
    pub(super) fn take(&mut self, message: Bytes) {
        if self.waiting.is_empty() {
            self.waiting = message;
            return;
        }
        let mut both = BytesMut::from(std::mem::take(&mut self.waiting));
        both.extend_from_slice(&message);
        self.waiting = both.freeze();
    }

    /// The next row that is there whole.
    pub(super) fn next(&mut self) -> Result<Option<RawRow<'_>>, BadCopy> {
        if !self.begun && !self.begin()? {
            return Ok(None);
        }
        let bytes = &self.waiting[..];
        let Some(count) = number::<2>(bytes, 0).map(i16::from_be_bytes) else { return Ok(None) };
        if count == -1 {
            self.ended = true;
            return Ok(None);
        }
        if usize::try_from(count) != Ok(self.columns) {
            return Err(BadCopy("a row has another number of columns than was asked for"));
        }
        self.fields.clear();
        let mut at = 2;
        for _ in 0..self.columns {
            let Some(length) = number::<4>(bytes, at).map(i32::from_be_bytes) else { return Ok(None) };
            at += 4;
            match usize::try_from(length) {
                Ok(length) => {
                    self.fields.push(Some(at..at + length));
                    at += length;
                }
                Err(_) if length == -1 => self.fields.push(None),
                Err(_) => return Err(BadCopy("a value has a length below nought")),
            }
        }
        if bytes.len() < at {
            return Ok(None);
        }
        Ok(Some(RawRow { bytes: self.waiting.split_to(at), fields: &self.fields }))
    }

    /// Whether the stream came to its proper end.
    pub(super) fn end(&self) -> Result<(), BadCopy> {
        match self.ended {
            true => Ok(()),
            false => Err(BadCopy("it ends in the middle")),
        }
    }

    fn begin(&mut self) -> Result<bool, BadCopy> {
        let Some(extension) = number::<4>(&self.waiting, HEADER - 4).map(u32::from_be_bytes) else { return Ok(false) };
        if !self.waiting.starts_with(SIGNATURE) {
            return Err(BadCopy("its signature is another"));
        }
        let whole = HEADER + extension as usize;
        if self.waiting.len() < whole {
            return Ok(false);
        }
        self.waiting.advance(whole);
        self.begun = true;
        Ok(true)
    }
}

/// The `N` bytes at `at`.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows: (1, NULL) and ('ab', '').
    fn copy() -> Vec<u8> {
        let mut bytes = [SIGNATURE, &[0; 8]].concat();
        bytes.extend([0, 2, 0, 0, 0, 1, 1, 255, 255, 255, 255]);
        bytes.extend([0, 2, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0]);
        bytes.extend([255, 255]);
        bytes
    }

    #[test]
    fn rows_come_whole_however_the_bytes_are_cut() {
        for size in 1..copy().len() + 1 {
            let mut rows = Rows::of(2);
            let mut found = Vec::new();
            for message in copy().chunks(size) {
                rows.take(Bytes::copy_from_slice(message));
                while let Some(row) = rows.next().unwrap() {
                    found.push([row.field(0).map(<[u8]>::to_vec), row.field(1).map(<[u8]>::to_vec)]);
                }
            }
            rows.end().unwrap();
            assert_eq!(found, [[Some(vec![1]), None], [Some(b"ab".to_vec()), Some(Vec::new())]], "{size}");
        }
    }

    #[test]
    fn what_ends_in_the_middle_is_told() {
        let mut rows = Rows::of(2);
        rows.take(Bytes::from(copy()).slice(..30));
        assert!(rows.next().unwrap().is_some());
        assert!(rows.next().unwrap().is_none() && rows.end().is_err());
        let mut rows = Rows::of(3);
        rows.take(Bytes::from(copy()));
        assert!(rows.next().is_err());
    }
}
