//! Cuts the ranges of a table into parts. The ranges are read side by side, yet the parts are those that one stream
//! would give: where one range ends and the next begins within a part, its pieces are put together.
use std::collections::BTreeMap;

use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    apply::error::StepError,
    connector::{ConnectorError, RowBatch, RowRange},
    vocab::DatasetId,
};

/// Pieces that may wait for whoever takes the parts.
const WAITING: usize = 2;

/// The rows of one part.
pub(super) struct Chunk {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) rows: Vec<RowBatch>,
}

impl Chunk {
    /// How many rows it has.
    pub(super) fn len(&self) -> u64 {
        count(&self.rows)
    }
}

fn count(rows: &[RowBatch]) -> u64 {
    rows.iter().map(|batch| batch.len() as u64).sum()
}

/// What one range gives of one part.
struct Piece {
    /// Which range.
    range: usize,
    chunk: Chunk,
}

/// Why a range gives no more.
enum Stop {
    Broken(ConnectorError),
    /// It was counted and read with so many rows.
    Torn {
        counted: u64,
        read: u64,
    },
}

/// Parts, as the ranges give them.
pub(super) struct Cutter {
    pieces: mpsc::Receiver<Result<Piece, Stop>>,
    /// Parts that lack the piece of another range, with the pieces there are by range.
    unfinished: BTreeMap<u64, BTreeMap<usize, Vec<RowBatch>>>,
    table: DatasetId,
    rows: u64,
    per_part: u64,
    empty: bool,
    /// They end with this.
    _readers: JoinSet<()>,
}

impl Cutter {
    /// Begins to read `ranges` of `table`, all of them at once.
    pub(super) fn of(table: &DatasetId, ranges: Vec<RowRange>, per_part: u64) -> Cutter {
        let (sender, pieces) = mpsc::channel(WAITING);
        let (mut readers, mut rows) = (JoinSet::new(), 0);
        for (at, range) in ranges.into_iter().enumerate() {
            let reader = Reader { range: at, first: rows, per_part, sender: sender.clone() };
            rows += range.rows;
            readers.spawn(reader.run(range));
        }
        let (unfinished, empty) = (BTreeMap::new(), rows == 0);
        Cutter { pieces, unfinished, table: table.clone(), rows, per_part, empty, _readers: readers }
    }

    /// All rows of all ranges.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next part that is whole; `None` when all were given. A table without rows has one part without rows.
    pub(super) async fn next(&mut self) -> Result<Option<Chunk>, StepError> {
        while let Some(piece) = self.pieces.recv().await {
            let Piece { range, chunk } = piece.map_err(|stop| self.told(stop))?;
            if let Some(whole) = self.joined(range, chunk) {
                return Ok(Some(whole));
            }
        }
        let empty = std::mem::take(&mut self.empty);
        Ok(empty.then(|| Chunk { number: 1, rows: Vec::new() }))
    }

    /// The part of `chunk`, if no other range has a piece of it that is still to come.
    fn joined(&mut self, range: usize, chunk: Chunk) -> Option<Chunk> {
        let wanted = self.per_part.min(self.rows - (chunk.number - 1) * self.per_part);
        if chunk.len() == wanted {
            return Some(chunk);
        }
        let pieces = self.unfinished.entry(chunk.number).or_default();
        pieces.insert(range, chunk.rows);
        if pieces.values().map(|rows| count(rows)).sum::<u64>() < wanted {
            return None;
        }
        let pieces = self.unfinished.remove(&chunk.number)?;
        Some(Chunk { number: chunk.number, rows: pieces.into_values().flatten().collect() })
    }

    fn told(&self, stop: Stop) -> StepError {
        match stop {
            Stop::Broken(error) => error.into(),
            Stop::Torn { counted, read } => {
                let what = format!(
                    "`{}` was counted with {counted} rows and read with {read} in one snapshot: it was written to meanwhile",
                    self.table
                );
                StepError::Passing { what, source: None }
            }
        }
    }
}

/// Reads one range.
struct Reader {
    range: usize,
    /// Rows before it.
    first: u64,
    per_part: u64,
    sender: mpsc::Sender<Result<Piece, Stop>>,
}

impl Reader {
    async fn run(self, range: RowRange) {
        if let Err(Some(stop)) = self.pieces(range).await {
            // Whoever has gone needs no reason.
            let _ = self.sender.send(Err(stop)).await;
        }
    }

    /// Sends every piece; an error without a reason when nobody takes them any more.
    async fn pieces(&self, mut range: RowRange) -> Result<(), Option<Stop>> {
        let (mut read, mut given, mut waiting) = (0, 0, Vec::new());
        while let Some(batch) = range.stream.recv().await {
            let mut batch = batch.map_err(|error| Some(Stop::Broken(error)))?;
            read += batch.len() as u64;
            if read > range.rows {
                // Only their number matters now.
                waiting = Vec::new();
                continue;
            }
            loop {
                let room = self.room(given) - count(&waiting);
                if (batch.len() as u64) < room {
                    break;
                }
                let rest = batch.split_off(usize::try_from(room).unwrap_or(usize::MAX));
                waiting.push(std::mem::replace(&mut batch, rest));
                given += self.send(given, &mut waiting).await?;
            }
            if !batch.is_empty() {
                waiting.push(batch);
            }
        }
        if read != range.rows {
            return Err(Some(Stop::Torn { counted: range.rows, read }));
        }
        if !waiting.is_empty() {
            self.send(given, &mut waiting).await?;
        }
        Ok(())
    }

    /// Rows that the part takes in which the range's row `given` lies, from there on.
    fn room(&self, given: u64) -> u64 {
        self.per_part - (self.first + given) % self.per_part
    }

    /// Sends all that wait as a piece of their part; gives their number.
    async fn send(&self, given: u64, waiting: &mut Vec<RowBatch>) -> Result<u64, Option<Stop>> {
        let chunk = Chunk { number: (self.first + given) / self.per_part + 1, rows: std::mem::take(waiting) };
        let rows = chunk.len();
        self.sender.send(Ok(Piece { range: self.range, chunk })).await.map_err(|_| None)?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::{Row, Value};

    /// Ranges of so many rows each; rows are numbered through, batches have `batch` rows.
    fn ranges(sizes: &[u64], batch: usize) -> Vec<RowRange> {
        let mut first = 0;
        let mut all = Vec::new();
        for rows in sizes {
            let numbers: Vec<Row> = (first..first + rows).map(|n| vec![Value::Integer(n as i64)]).collect();
            first += rows;
            all.push(RowRange { rows: *rows, stream: stream(numbers, batch) });
        }
        all
    }

    fn stream(rows: Vec<Row>, batch: usize) -> crate::connector::RowStream {
        let (sender, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            for batch in rows.chunks(batch) {
                sender.send(Ok(batch.to_vec().into())).await.unwrap();
            }
        });
        stream
    }

    async fn parts(sizes: &[u64], per_part: u64, batch: usize) -> BTreeMap<u64, Vec<Row>> {
        let mut cutter = Cutter::of(&"t".parse().unwrap(), ranges(sizes, batch), per_part);
        let mut parts = BTreeMap::new();
        while let Some(chunk) = cutter.next().await.unwrap() {
            let rows = chunk.rows.into_iter().flat_map(|batch| batch.into_rows().unwrap()).collect();
            assert!(parts.insert(chunk.number, rows).is_none());
        }
        parts
    }

    #[tokio::test]
    async fn parts_are_the_same_however_the_rows_are_ranged() {
        for per_part in [1, 3, 4, 10, 100] {
            let one = parts(&[17], per_part, 5).await;
            assert_eq!(one.len() as u64, 17_u64.div_ceil(per_part));
            for sizes in [vec![4, 4, 4, 5], vec![1, 1, 1, 14], vec![0, 17, 0], vec![16, 0, 0, 1], vec![5, 12]] {
                assert_eq!(parts(&sizes, per_part, 3).await, one, "{sizes:?} in {per_part}");
            }
        }
        assert_eq!(parts(&[0], 10, 1).await, [(1, Vec::new())].into());
    }

    #[tokio::test]
    async fn a_range_with_other_rows_than_were_counted_is_told() {
        for (counted, read) in [(7, 5), (3, 5)] {
            let mut ranges = ranges(&[4, 5], 2);
            ranges[1].rows = counted;
            let mut cutter = Cutter::of(&"t".parse().unwrap(), ranges, 3);
            let error = loop {
                match cutter.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("nothing was told"),
                    Err(error) => break error.to_string(),
                }
            };
            let told = format!(
                "`t` was counted with {counted} rows and read with {read} in one snapshot: it was written to meanwhile"
            );
            assert_eq!(error, told);
        }
    }
}
