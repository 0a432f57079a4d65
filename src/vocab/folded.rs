//! How long texts may grow that carve puts together from a file's own words.
use std::cell::Cell;

/// Bytes that a text put together from strings and variables may have: ten lines that double a string would
/// otherwise fill the memory. Beyond it the text counts as known only at run time. Strings written out in one piece may
/// be longer.
pub const MAX_FOLDED_BYTES: usize = 256 * 1024;

/// Bytes that all such texts of one script may have together.
const MAX_TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// What one script may still put together: thousands of texts within [`MAX_FOLDED_BYTES`] each fill the memory too.
#[derive(Clone, Debug)]
pub struct FoldBudget(Cell<usize>);

impl FoldBudget {
    /// For so many bytes of text.
    pub fn of(bytes: usize) -> Self {
        FoldBudget(Cell::new(bytes))
    }

    /// Takes `bytes` off what is left; `false`, and nothing taken, where that is too little.
    pub fn takes(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(self.0.get()));
        left.is_some()
    }
}

impl Default for FoldBudget {
    /// For the texts of one script.
    fn default() -> Self {
        FoldBudget::of(MAX_TOTAL_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone_and_what_is_too_much_takes_nothing() {
        let budget = FoldBudget::of(10);
        assert_eq!([7, 4, 3, 1, 0].map(|bytes| budget.takes(bytes)), [true, false, true, false, true]);
    }
}
