//! Seeded pseudo-random numbers (splitmix64): the same on every machine, for ever.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream that `seed` and `name` stand for; each table has its own, so that one more row in
    /// one table changes no other.
    pub(super) fn named(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Random(mixed)
    }

    /// The stream of row `row` of `name`, for values that two tables must agree on.
    pub(super) fn of_row(seed: u64, name: &str, row: i64) -> Self {
        let mut stream = Random::named(seed, name);
        stream.0 ^= (row as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
        stream
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 when `bound` is not positive.
    pub(super) fn below(&mut self, bound: i64) -> i64 {
        match u64::try_from(bound) {
            Ok(bound) if bound > 0 => (self.bits() % bound) as i64,
            _ => 0,
        }
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// True `per_mille` times of a thousand.
    pub(super) fn chance(&mut self, per_mille: i64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`, which has at least one.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as i64) as usize]
    }

    /// One of `items`, the first ones far more often.
    pub(super) fn favour<T: Copy>(&mut self, items: &[T]) -> T {
        let (a, b) = (self.below(items.len() as i64), self.below(items.len() as i64));
        items[a.min(b) as usize]
    }

    /// `digits` lower-case hexadecimal digits, 16 at most.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        format!("{:016x}", self.bits())[..digits.min(16)].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        let mut random = Random(0);
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf, "the first of splitmix64 from 0, as published");
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn a_bound_of_nothing_gives_zero() {
        assert_eq!(Random(1).below(0), 0);
        assert_eq!(Random(1).below(-5), 0);
    }
}
