use std::ops::ControlFlow;

use async_trait::async_trait;

use super::Within;
use crate::vocab::Row;

/// Rows that can be read again and again, in any order, and are the same each time.
#[async_trait]
pub trait Side: Send + Sync {
    /// Why rows could not be read.
    type Error: Send;

    /// Reads all rows, columns in the order of the compared schema; or at least those that lie `within`. A side that can
    /// be read at several places at once has a taker from `make` for each place; gives them all. A taker that breaks
    /// ends the reading.
    async fn each<T: Taker>(
        &self,
        within: Option<&Within>,
        make: &(dyn Fn() -> T + Sync),
    ) -> Result<Vec<T>, Self::Error>;
}

/// Takes rows one by one.
pub trait Taker: Send + 'static {
    /// Takes one row; its values may be taken away.
    fn take(&mut self, row: &mut Row) -> ControlFlow<()>;
}
