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
            Rows::Sent { sent, mut range } => {
                let mut row = Row::new();
                range.try_for_each(|at| {
                    sent.decode(at, &mut row)?;
                    take(&mut row)
                })
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
