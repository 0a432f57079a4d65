//! Rows on their way. An engine may hand them on as it sent them: they are decoded where their values are wanted, by
//! whichever thread that is, and held until then in as many bytes as they came in.
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::ConnectorError;
use crate::vocab::{Row, Value};

/// Rows in reading order, a bounded channel of batches; an error ends it.
pub type RowStream = mpsc::Receiver<Result<RowBatch, ConnectorError>>;

/// Some rows of a stream, in reading order.
pub struct RowBatch(Rows);

#[cfg_attr(not(any(feature = "postgres", test)), expect(dead_code, reason = "only PostgreSQL's rows are decoded late"))]
enum Rows {
    Values(Vec<Row>),
    Sent { sent: Arc<dyn Sent>, range: Range<usize> },
}

/// Rows in the form in which an engine sent them.
pub(super) trait Sent: Send + Sync {
    /// Bytes of the rows in `range`.
    fn bytes(&self, range: &Range<usize>) -> usize;
    /// Decodes the row `at`. `row` may hold another row, whose room is used again.
    fn decode(&self, at: usize, row: &mut Row) -> Result<(), ConnectorError>;
}

impl RowBatch {
    /// The first `rows` of `sent`: all of them.
    #[cfg(any(feature = "postgres", test))]
    pub(super) fn sent(sent: Arc<dyn Sent>, rows: usize) -> RowBatch {
        RowBatch(Rows::Sent { sent, range: 0..rows })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match &self.0 {
            Rows::Values(rows) => rows.len(),
            Rows::Sent { range, .. } => range.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that the rows hold on to, about: of texts and the like, or of what the engine sent.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Rows::Values(rows) => rows.iter().flatten().map(Value::heap_bytes).sum(),
            Rows::Sent { sent, range } => sent.bytes(range),
        }
    }

    /// Keeps the first `at` rows and gives the others; none where there are no more than `at`.
    pub fn split_off(&mut self, at: usize) -> RowBatch {
        match &mut self.0 {
            Rows::Values(rows) => RowBatch(Rows::Values(rows.split_off(at.min(rows.len())))),
            Rows::Sent { sent, range } => {
                let middle = (range.start + at).min(range.end);
                let rest = Rows::Sent { sent: sent.clone(), range: middle..range.end };
                range.end = middle;
                RowBatch(rest)
            }
        }
    }

    /// Hands every row to `take`, which may take its values away.
    ///
    /// # Errors
    /// [`ConnectorError::Inexact`] for a value that cannot be kept exactly; the first error of `take`.
    pub fn each<E: From<ConnectorError>>(self, mut take: impl FnMut(&mut Row) -> Result<(), E>) -> Result<(), E> {
        match self.0 {
            Rows::Values(mut rows) => rows.iter_mut().try_for_each(take),
            Rows::Sent { sent, range } => {
                let (mut row, last) = (Row::new(), range.end.saturating_sub(1));
                for at in range.start..last {
                    sent.decode(at, &mut row)?;
                    take(&mut row)?;
                }
                if !range.is_empty() {
                    sent.decode(last, &mut row)?;
                    // A long row is the last of its batch: it need not be held twice.
                    drop(sent);
                    take(&mut row)?;
                }
                Ok(())
            }
        }
    }

    /// All rows with their values.
    ///
    /// # Errors
    /// As [`RowBatch::each`].
    pub fn into_rows(self) -> Result<Vec<Row>, ConnectorError> {
        match self.0 {
            Rows::Values(rows) => Ok(rows),
            Rows::Sent { .. } => {
                let mut rows = Vec::with_capacity(self.len());
                self.each(|row| {
                    rows.push(std::mem::take(row));
                    Ok::<_, ConnectorError>(())
                })?;
                Ok(rows)
            }
        }
    }
}

impl From<Vec<Row>> for RowBatch {
    fn from(rows: Vec<Row>) -> RowBatch {
        RowBatch(Rows::Values(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that are their own numbers.
    struct Numbers;

    impl Sent for Numbers {
        fn bytes(&self, range: &Range<usize>) -> usize {
            10 * range.len()
        }

        fn decode(&self, at: usize, row: &mut Row) -> Result<(), ConnectorError> {
            row.clear();
            row.push(Value::Integer(at as i64));
            Ok(())
        }
    }

    #[test]
    fn what_is_split_off_comes_after_what_stays() {
        let numbers = |range: Range<i64>| range.map(|n| vec![Value::Integer(n)]).collect::<Vec<Row>>();
        for mut batch in [RowBatch::from(numbers(0..5)), RowBatch::sent(Arc::new(Numbers), 5)] {
            let mut rest = batch.split_off(2);
            let last = rest.split_off(9);
            assert_eq!((batch.len(), rest.len(), last.len()), (2, 3, 0));
            assert!(last.is_empty());
            assert_eq!(batch.into_rows().unwrap(), numbers(0..2));
            let mut seen = Vec::new();
            rest.each(|row| {
                seen.push(std::mem::take(row));
                Ok::<_, ConnectorError>(())
            })
            .unwrap();
            assert_eq!(seen, numbers(2..5));
        }
        let held = Arc::new(Numbers);
        let mut at = 0;
        let batch = RowBatch::sent(held.clone(), 3);
        let counted = batch.each(|_| {
            at += 1;
            assert_eq!(Arc::strong_count(&held), if at == 3 { 1 } else { 2 }, "what was sent goes before its last row");
            Ok::<_, ConnectorError>(())
        });
        counted.unwrap();
        assert_eq!(at, 3);
        let mut sent = RowBatch::sent(Arc::new(Numbers), 5);
        assert_eq!((sent.split_off(4).bytes(), sent.bytes()), (10, 40));
    }
}
