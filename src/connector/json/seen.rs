//! Which type a column of JSON values has: the one that holds all of them.
use super::values::{Number, number};
use crate::vocab::LogicalType;

/// Which kinds of values a column holds, and the line where each was first seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    boolean: Option<u64>,
    integer: Option<u64>,
    /// Numbers that a double is, exactly as written.
    double: Option<u64>,
    /// Numbers that only digits are.
    decimal: Option<u64>,
    /// Integers that no double is exactly.
    long: bool,
    text: Option<u64>,
    nested: Option<u64>,
}

impl Seen {
    /// Takes in one value as it is written, found at the line or item `line`.
    pub(super) fn add(&mut self, text: &str, line: u64) {
        let slot = match text.as_bytes().first() {
            Some(b'n') | None => return,
            Some(b't' | b'f') => &mut self.boolean,
            Some(b'"') => &mut self.text,
            Some(b'{' | b'[') => &mut self.nested,
            Some(_) => match number(text) {
                Number::Integer(whole) => {
                    self.long |= whole.unsigned_abs() > 1 << 53;
                    &mut self.integer
                }
                Number::Double(_) => &mut self.double,
                Number::Decimal => &mut self.decimal,
            },
        };
        slot.get_or_insert(line);
    }

    /// Says which two kinds do not go together, and where each is.
    pub(super) fn check(&self, name: &str, unit: &str) -> Result<(), String> {
        let number = [self.integer, self.double, self.decimal].into_iter().flatten().min();
        let kinds = [
            ("true or false", self.boolean),
            ("a number", number),
            ("text", self.text),
            ("an object or array", self.nested),
        ];
        let mut there: Vec<(u64, &str)> = kinds.iter().filter_map(|(word, line)| Some(((*line)?, *word))).collect();
        there.sort_unstable();
        match there[..] {
            [(first, one), (_, other), ..] => Err(format!(
                "`{name}` is {other} here and {one} in {unit} {first}: make all its values one kind, or take it out"
            )),
            _ => Ok(()),
        }
    }

    /// The type that holds all of them.
    pub(super) fn logical(&self) -> LogicalType {
        match self {
            Seen { boolean: Some(_), .. } => LogicalType::Boolean,
            Seen { decimal: Some(_), .. } | Seen { double: Some(_), long: true, .. } => LogicalType::Decimal,
            Seen { double: Some(_), .. } => LogicalType::Double,
            Seen { integer: Some(_), .. } => LogicalType::Integer,
            _ => LogicalType::Text,
        }
    }

    /// What a contract calls it.
    pub(super) fn physical(&self) -> &'static str {
        match self {
            Seen { boolean: Some(_), .. } => "boolean",
            Seen { nested: Some(_), .. } => "json text",
            Seen { text: Some(_), .. } => "text",
            Seen { integer: None, double: None, decimal: None, .. } => "",
            _ => "json number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(values: &[&str]) -> Result<LogicalType, String> {
        let mut seen = Seen::default();
        for (line, value) in (1..).zip(values) {
            seen.add(value, line);
            seen.check("c", "line")?;
        }
        Ok(seen.logical())
    }

    #[test]
    fn a_column_gets_the_type_that_holds_all_its_values() {
        assert_eq!(kinds(&["1", "null", "9223372036854775807"]), Ok(LogicalType::Integer));
        assert_eq!(kinds(&["1", "2.5", "1e3"]), Ok(LogicalType::Double));
        assert_eq!(kinds(&["1", "0.1234567890123456789"]), Ok(LogicalType::Decimal));
        assert_eq!(kinds(&["2.5", "9007199254740993"]), Ok(LogicalType::Decimal));
        assert_eq!(kinds(&["9223372036854775808"]), Ok(LogicalType::Decimal));
        assert_eq!(kinds(&["true", "null"]), Ok(LogicalType::Boolean));
        assert_eq!(kinds(&["null"]), Ok(LogicalType::Text));
    }

    #[test]
    fn mixed_kinds_are_told_with_both_lines() {
        let why = kinds(&["null", "1", "\"x\""]).unwrap_err();
        assert!(why.contains("text here") && why.contains("a number in line 2"), "{why}");
    }
}
