//! Rows on their way from a blocking thread to whoever reads them: in batches, with bounded memory.
use tokio::sync::mpsc;

use crate::connector::{ConnectorError, RowBatch, RowStream};
use crate::vocab::{Row, Value};

/// Rows a batch holds at most.
pub(super) const BATCH_ROWS: usize = 1_000;
/// Bytes of text and blobs after which a batch is sent early.
pub(super) const BATCH_BYTES: usize = 4 << 20;
/// Batches that may wait unread.
const WAITING_BATCHES: usize = 4;

/// The writing end of a [`RowStream`]: `push` and `finish` for blocking threads, `give` and `end` for tasks.
pub(super) struct Batches {
    sender: mpsc::Sender<Result<RowBatch, ConnectorError>>,
    batch: Vec<Row>,
    bytes: usize,
}

/// The reader has gone: there is no need to read on.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the rows any more")]
pub(super) struct ReaderGone;

impl Batches {
    /// Both ends of a stream.
    pub(super) fn stream() -> (Batches, RowStream) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        (Batches { sender, batch: Vec::new(), bytes: 0 }, receiver)
    }

    /// Takes one row; waits while too many batches are unread.
    pub(super) fn push(&mut self, row: Row) -> Result<(), ReaderGone> {
        match self.is_full_with(row) {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// As [`Batches::push`], within a task.
    #[cfg(feature = "mysql")]
    pub(super) async fn give(&mut self, row: Row) -> Result<(), ReaderGone> {
        if !self.is_full_with(row) {
            return Ok(());
        }
        let batch = self.taken();
        self.give_batch(batch.into()).await
    }

    /// Hands on rows that are a batch already.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(super) async fn give_batch(&self, batch: RowBatch) -> Result<(), ReaderGone> {
        self.sender.send(Ok(batch)).await.map_err(|_| ReaderGone)
    }

    /// As [`Batches::finish`], within a task.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(super) async fn end(mut self, outcome: Result<(), ConnectorError>) {
        let batch = self.taken();
        // A reader that has gone needs neither rows nor an error.
        if !batch.is_empty() && self.give_batch(batch.into()).await.is_err() {
            return;
        }
        if let Err(error) = outcome {
            let _ = self.sender.send(Err(error)).await;
        }
    }

    fn is_full_with(&mut self, row: Row) -> bool {
        self.bytes += row.iter().map(Value::heap_bytes).sum::<usize>();
        self.batch.push(row);
        self.batch.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn taken(&mut self) -> Vec<Row> {
        self.bytes = 0;
        std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_ROWS))
    }

    /// Ends the stream: with the rows still held, then with the error if there was one.
    pub(super) fn finish(mut self, outcome: Result<(), ConnectorError>) {
        let flushed = self.flush();
        if let (Ok(()), Err(error)) = (flushed, outcome) {
            // A reader that has gone needs no error either.
            let _ = self.sender.blocking_send(Err(error));
        }
    }

    fn flush(&mut self) -> Result<(), ReaderGone> {
        let batch = self.taken();
        if batch.is_empty() {
            return Ok(());
        }
        self.sender.blocking_send(Ok(batch.into())).map_err(|_| ReaderGone)
    }
}

/// Runs blocking work on a thread made for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            Err(ConnectorError::Engine { doing: "finish work on a blocking thread".to_owned(), source: error.into() })
        }
    }
}
