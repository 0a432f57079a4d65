//! What a text says of the dialect it is written in: cheap signs, each with a weight.
use std::sync::LazyLock;

use super::dialect::DIALECTS;
use crate::vocab::WordFinder;

/// `dialect weight sign`, one a line: text that speaks for a dialect, lower case.
const SIGNS: &str = include_str!("dialect_signs.txt");

/// Signs that weigh less say nothing.
const ENOUGH: u32 = 2;

/// How much a text speaks for each dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DialectSigns(Vec<u32>);

impl DialectSigns {
    /// The signs in `text`.
    pub(crate) fn of(text: &str) -> Self {
        let mut points = vec![0; DIALECTS.len()];
        let mut add = |name: &str, weight: u32| {
            if let Some(at) = DIALECTS.iter().position(|known| *known == name) {
                points[at] += weight;
            }
        };
        for (name, weight) in SIGN_FINDER.1.found_in(text).map(|at| SIGN_FINDER.0[at]) {
            add(name, weight);
        }
        // Two engines know `#` comments; the other one has louder signs of its own.
        if text.lines().any(|line| line.starts_with('#')) {
            add("bigquery", 2);
        }
        DialectSigns(points)
    }

    /// The dialect whose signs weigh most, with their weight; `None` where there are hardly any.
    ///
    /// The first of equals wins, so that the choice follows the order of names.
    pub(crate) fn best(&self) -> Option<(&'static str, u32)> {
        let all = self.0.iter().zip(DIALECTS).rev();
        let best = all.max_by_key(|(weight, _)| **weight).filter(|(weight, _)| **weight >= ENOUGH);
        best.map(|(weight, name)| (*name, *weight))
    }

    /// What speaks for `dialect`.
    pub(crate) fn weight_of(&self, dialect: &str) -> u32 {
        self.0.iter().zip(DIALECTS).find(|(_, name)| **name == dialect).map_or(0, |(weight, _)| *weight)
    }
}

/// Looking for the signs one by one was a seventh of planning.
static SIGN_FINDER: LazyLock<(Vec<(&str, u32)>, WordFinder)> = LazyLock::new(|| {
    let finder =
        WordFinder::new(signs().map(|(_, _, sign)| sign)).expect("a few hundred short words fit any automaton");
    (signs().map(|(name, weight, _)| (name, weight)).collect(), finder)
});

fn signs() -> impl Iterator<Item = (&'static str, u32, &'static str)> {
    SIGNS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.splitn(3, ' ');
        Some((fields.next()?, fields.next()?.parse().ok()?, fields.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_speaks_for_a_known_dialect() {
        let lines = SIGNS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(signs().count(), lines);
        assert!(signs().all(|(name, _, sign)| DIALECTS.contains(&name) && sign == sign.to_lowercase()));
    }

    #[test]
    fn signs_add_up_and_few_say_nothing() {
        let signs = DialectSigns::of("select safe_cast(a as int64), nvl(b, 1) from t");
        assert_eq!(signs.best(), Some(("bigquery", 5)));
        assert_eq!(signs.weight_of("oracle"), 3);
        assert_eq!(DialectSigns::of("select a from b join `c` using (x)").best(), None);
    }
}
