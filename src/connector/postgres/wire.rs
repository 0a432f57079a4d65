//! Rows out of binary COPY: one message mostly holds one row, but nothing here depends on it.
use std::ops::Range;

use bytes::Bytes;

/// What a binary copy begins with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The signature, the flags and the length of an extension.
const HEADER: usize = SIGNATURE.len() + 8;

/// Bytes at most that are kept ready for rows to come.
const ROOM: usize = 4 << 20;
/// Bytes from which a message is handed on as it is, without a copy of it beside others.
const LONG: usize = 1 << 20;

/// A stream that is no binary copy, or ends in the middle of a row.
#[derive(Debug, thiserror::Error)]
#[error("the server's answer is no binary copy: {0}")]
pub(super) struct BadCopy(&'static str);

/// Takes messages, gives whole rows as they came, many at once.
pub(super) struct Packer {
    columns: usize,
    begun: bool,
    ended: bool,
    /// What came and was not given, and where each whole row of it ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Whole rows as they came.
pub(super) struct Pack {
    /// They, and nothing after them.
    pub(super) bytes: Bytes,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Pack {
    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of the rows in `range`.
    pub(super) fn size(&self, range: &Range<usize>) -> usize {
        self.start(range.end) - self.start(range.start)
    }

    /// The fields of the row `at`, in order; `None` is NULL.
    pub(super) fn fields(&self, at: usize) -> Fields<'_> {
        // The number of columns was checked when the row was packed.
        Fields(&self.bytes[self.start(at) + 2..self.start(at + 1)])
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

/// What is left of a row.
pub(super) struct Fields<'p>(&'p [u8]);

impl<'p> Iterator for Fields<'p> {
    type Item = Option<&'p [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = number::<4>(self.0, 0).map(i32::from_be_bytes)?;
        let (field, rest) = self.0[4..].split_at_checked(usize::try_from(length).unwrap_or(0))?;
        self.0 = rest;
        Some((length >= 0).then_some(field))
    }
}

impl Packer {
    /// For rows of so many columns.
    pub(super) fn of(columns: usize) -> Self {
        Packer { columns, begun: false, ended: false, bytes: Vec::new(), ends: Vec::new() }
    }

    /// Takes the next message.
    pub(super) fn take(&mut self, message: &[u8]) -> Result<(), BadCopy> {
        self.bytes.extend_from_slice(message);
        if !self.begun && !self.begin()? {
            return Ok(());
        }
        while let Some(end) = self.row_end()? {
            self.ends.push(end);
        }
        Ok(())
    }

    /// The rows of a long `message`, if no other is cut in the middle before them or by them: what waits comes first.
    pub(super) fn alone(&self, message: &Bytes) -> Result<Option<Pack>, BadCopy> {
        if message.len() < LONG || !self.begun || self.ends.last().copied().unwrap_or(0) != self.bytes.len() {
            return Ok(None);
        }
        let mut ends = Vec::new();
        while let Some(Next::Row(end)) = next(message, ends.last().copied().unwrap_or(0), self.columns)? {
            ends.push(end);
        }
        let whole = ends.last() == Some(&message.len());
        Ok(whole.then(|| Pack { bytes: message.clone(), ends }))
    }

    /// Whole rows that wait, and the bytes of all that waits.
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.ends.len(), self.bytes.len())
    }

    /// The whole rows that wait; `None` where there is none.
    pub(super) fn pack(&mut self) -> Option<Pack> {
        let rest = self.bytes.split_off(*self.ends.last()?);
        let room = self.bytes.len();
        let bytes = Bytes::from(std::mem::replace(&mut self.bytes, rest));
        // The next rows are mostly as many and as long.
        self.bytes.reserve(room.min(ROOM));
        let ends = Vec::with_capacity(self.ends.len());
        Some(Pack { bytes, ends: std::mem::replace(&mut self.ends, ends) })
    }

    /// Whether the stream came to its proper end.
    pub(super) fn end(&self) -> Result<(), BadCopy> {
        match self.ended {
            true => Ok(()),
            false => Err(BadCopy("it ends in the middle")),
        }
    }

    /// Where the first row ends that was not looked at, if it is there whole.
    fn row_end(&mut self) -> Result<Option<usize>, BadCopy> {
        Ok(match next(&self.bytes, self.ends.last().copied().unwrap_or(0), self.columns)? {
            Some(Next::Row(end)) => Some(end),
            Some(Next::End) => {
                self.ended = true;
                None
            }
            None => None,
        })
    }

    fn begin(&mut self) -> Result<bool, BadCopy> {
        let Some(extension) = number::<4>(&self.bytes, HEADER - 4).map(u32::from_be_bytes) else { return Ok(false) };
        if !self.bytes.starts_with(SIGNATURE) {
            return Err(BadCopy("its signature is another"));
        }
        let whole = HEADER + extension as usize;
        if self.bytes.len() < whole {
            return Ok(false);
        }
        self.bytes.drain(..whole);
        self.begun = true;
        Ok(true)
    }
}

/// What stands in a copy after a row.
enum Next {
    /// A row up to there.
    Row(usize),
    /// Its end.
    End,
}

/// What stands at `at` in a copy of so many columns, if it is there whole.
fn next(bytes: &[u8], mut at: usize, columns: usize) -> Result<Option<Next>, BadCopy> {
    let Some(count) = number::<2>(bytes, at).map(i16::from_be_bytes) else { return Ok(None) };
    if count == -1 {
        return Ok(Some(Next::End));
    }
    if usize::try_from(count) != Ok(columns) {
        return Err(BadCopy("a row has another number of columns than was asked for"));
    }
    at += 2;
    for _ in 0..columns {
        let Some(length) = number::<4>(bytes, at).map(i32::from_be_bytes) else { return Ok(None) };
        at += 4;
        match usize::try_from(length) {
            Ok(length) => at += length,
            Err(_) if length == -1 => {}
            Err(_) => return Err(BadCopy("a value has a length below nought")),
        }
    }
    Ok((at <= bytes.len()).then_some(Next::Row(at)))
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

    fn rows(pack: &Pack) -> Vec<Vec<Option<Vec<u8>>>> {
        (0..pack.rows()).map(|at| pack.fields(at).map(|field| field.map(<[u8]>::to_vec)).collect()).collect()
    }

    #[test]
    fn rows_come_whole_however_the_bytes_are_cut_and_packed() {
        let whole = [[Some(vec![1]), None], [Some(b"ab".to_vec()), Some(Vec::new())]];
        for size in 1..copy().len() + 1 {
            for packed in [1, 2] {
                let mut packer = Packer::of(2);
                let mut found = Vec::new();
                for message in copy().chunks(size) {
                    packer.take(message).unwrap();
                    if packer.waiting().0 >= packed {
                        found.extend(rows(&packer.pack().unwrap()));
                    }
                }
                packer.end().unwrap();
                assert!(packer.pack().is_none());
                assert_eq!(found, whole, "{size} {packed}");
            }
        }
    }

    #[test]
    fn a_long_row_between_others_is_handed_on_as_it_came() {
        let row = |length: usize| [&[0, 1][..], &(length as i32).to_be_bytes(), &vec![b'x'; length]].concat();
        let long = Bytes::from(row(LONG));
        let mut packer = Packer::of(1);
        assert!(packer.alone(&long).unwrap().is_none(), "the signature comes first");
        packer.take(&[SIGNATURE, &[0; 8], &row(3)].concat()).unwrap();
        let pack = packer.alone(&long).unwrap().unwrap();
        assert_eq!((pack.bytes.as_ptr(), pack.rows()), (long.as_ptr(), 1));
        assert_eq!(packer.waiting().0, 1, "what waits stays");
        assert!(packer.alone(&long.slice(..long.len() - 1)).unwrap().is_none(), "its end is missing");
        assert!(packer.alone(&Bytes::from(row(3))).unwrap().is_none(), "it is short");
        packer.take(&row(3)[..4]).unwrap();
        assert!(packer.alone(&long).unwrap().is_none(), "a row before it is cut");
    }

    #[test]
    fn a_pack_knows_the_bytes_of_its_rows() {
        let mut packer = Packer::of(2);
        packer.take(&copy()).unwrap();
        let pack = packer.pack().unwrap();
        assert_eq!([0..1, 1..2, 0..2, 1..1].map(|range| pack.size(&range)), [11, 12, 23, 0]);
    }

    #[test]
    fn what_ends_in_the_middle_is_told() {
        let mut packer = Packer::of(2);
        packer.take(&copy()[..32]).unwrap();
        assert!(packer.waiting().0 == 1 && packer.end().is_err());
        assert!(Packer::of(3).take(&copy()).is_err());
    }
}
