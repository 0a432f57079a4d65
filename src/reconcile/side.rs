use std::ops::ControlFlow;

use async_trait::async_trait;

use crate::vocab::Row;

/// Rows that can be read again and again, in any order, and are the same each time.
#[async_trait]
pub trait Side: Send + Sync {
    /// Why rows could not be read.
    type Error: Send;

    /// Reads all rows in batches, columns in the order of the compared schema, until `take` breaks.
    async fn each(&self, take: &mut (dyn FnMut(Vec<Row>) -> ControlFlow<()> + Send)) -> Result<(), Self::Error>;
}
