//! JSON lines: one object a line. Types are found in a first pass over all values, exactly or not at all.
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use serde::de::IgnoredAny;

use super::pin::{Pin, malformed};
use crate::connector::{ConnectorError, batches::Batches, system::failed};
use crate::vocab::{Column, DatasetId, LogicalType, Row, Schema, Value};

/// The columns in the order in which their names first occur, each of the type that holds all its values.
pub(super) fn schema(pin: &Pin) -> Result<Schema, ConnectorError> {
    let mut seen: Vec<(String, Seen)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    each_line(pin, |line, members| {
        for (name, text) in members {
            let at = *places.entry(name.clone()).or_insert_with(|| {
                seen.push((name.clone(), Seen::default()));
                seen.len() - 1
            });
            let kinds = &mut seen[at].1;
            kinds.add(text, line);
            kinds.check(&name).map_err(|why| malformed(pin.name(), line, why))?;
        }
        Ok(true)
    })?;
    let columns = seen.into_iter().map(|(name, kinds)| Column {
        name,
        logical: kinds.logical(),
        physical: kinds.physical().to_owned(),
        nullable: true,
        description: None,
    });
    Ok(Schema { columns: columns.collect(), key: Vec::new() })
}

/// How many objects there are.
pub(super) fn count(pin: &Pin) -> Result<u64, ConnectorError> {
    let mut count = 0;
    each_line(pin, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}

/// Sends the columns of `schema` of every object, in the file's order; what an object lacks is NULL.
pub(super) fn send(pin: &Pin, id: &DatasetId, schema: &Schema, batches: &mut Batches) -> Result<(), ConnectorError> {
    let places: BTreeMap<&str, usize> =
        schema.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
    let mut at = 0;
    each_line(pin, |_, members| {
        at += 1;
        let mut row: Row = vec![Value::Null; schema.columns.len()];
        for (name, text) in members {
            if let Some(&place) = places.get(name.as_str()) {
                let column = &schema.columns[place];
                row[place] = value(text, column.logical).ok_or_else(|| ConnectorError::Inexact {
                    table: id.clone(),
                    column: column.name.clone(),
                    row: at,
                    reason: misfit(text, column.logical),
                })?;
            }
        }
        Ok(batches.push(row).is_ok())
    })
}

/// Which kinds of values a column holds, and the line where each was first seen.
#[derive(Debug, Default)]
struct Seen {
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
    fn add(&mut self, text: &str, line: u64) {
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
    fn check(&self, name: &str) -> Result<(), String> {
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
                "`{name}` is {other} here and {one} in line {first}: make all its values one kind, or take it out"
            )),
            _ => Ok(()),
        }
    }

    fn logical(&self) -> LogicalType {
        match self {
            Seen { boolean: Some(_), .. } => LogicalType::Boolean,
            Seen { decimal: Some(_), .. } | Seen { double: Some(_), long: true, .. } => LogicalType::Decimal,
            Seen { double: Some(_), .. } => LogicalType::Double,
            Seen { integer: Some(_), .. } => LogicalType::Integer,
            _ => LogicalType::Text,
        }
    }

    fn physical(&self) -> &'static str {
        match self {
            Seen { boolean: Some(_), .. } => "boolean",
            Seen { nested: Some(_), .. } => "json text",
            Seen { text: Some(_), .. } => "text",
            Seen { integer: None, double: None, decimal: None, .. } => "",
            _ => "json number",
        }
    }
}

/// What the digits of a JSON number can be, without a change.
enum Number {
    Integer(i64),
    Double(f64),
    Decimal,
}

fn number(text: &str) -> Number {
    let whole = !text.contains(['.', 'e', 'E']) && text != "-0";
    match (whole, text.parse::<i64>(), text.parse::<f64>()) {
        (true, Ok(integer), _) => Number::Integer(integer),
        (true, Err(_), _) => Number::Decimal,
        (false, _, Ok(double)) if double.is_finite() && same_number(text, double) => Number::Double(double),
        _ => Number::Decimal,
    }
}

/// Whether the shortest digits of `double` are the digits written, but for zeros at either end. Where two
/// strings of digits are equally short and near, writers differ in which they take: both of them count.
fn same_number(text: &str, double: f64) -> bool {
    let written = digits(text);
    let spellings = [Some(format!("{double:e}")), serde_json::to_string(&double).ok()];
    written.is_some() && spellings.into_iter().flatten().any(|spelling| digits(&spelling) == written)
}

/// Sign, significant digits, and the power of ten of the last of them.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut power = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let mut digits = format!("{whole}{fraction}");
    while digits.ends_with('0') {
        digits.pop();
        power += 1;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    let power = if digits.is_empty() { 0 } else { power };
    Some((negative, digits, power))
}

/// The value that `text` is in a column of the type `logical`; `None` where it is none.
fn value(text: &str, logical: LogicalType) -> Option<Value> {
    let first = *text.as_bytes().first()?;
    match (first, logical) {
        (b'n', _) => Some(Value::Null),
        (b't' | b'f', LogicalType::Boolean) => Some(Value::Boolean(first == b't')),
        (b'"', LogicalType::Text) => serde_json::from_str(text).ok().map(Value::Text),
        (b'{' | b'[', LogicalType::Text) => Some(Value::Text(text.to_owned())),
        (b't' | b'f' | b'"' | b'{' | b'[', _) => None,
        (_, LogicalType::Decimal) => plain(text).map(Value::Decimal),
        (_, LogicalType::Integer) => match number(text) {
            Number::Integer(whole) => Some(Value::Integer(whole)),
            _ => None,
        },
        (_, LogicalType::Double | LogicalType::Number) => match number(text) {
            Number::Integer(whole) if whole.unsigned_abs() <= 1 << 53 => Some(Value::Double(whole as f64)),
            Number::Double(double) => Some(Value::Double(double)),
            _ => None,
        },
        _ => None,
    }
}

/// A JSON number without its exponent; `None` where that would be absurdly long.
fn plain(text: &str) -> Option<String> {
    if !text.contains(['e', 'E']) {
        return Some(text.to_owned());
    }
    let (negative, digits, power) = digits(text)?;
    let sign = if negative { "-" } else { "" };
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    if power.unsigned_abs() > 400 {
        return None;
    }
    let places = usize::try_from(power.unsigned_abs()).ok()?;
    Some(match power {
        0.. => format!("{sign}{digits}{}", "0".repeat(places)),
        _ if digits.len() > places => {
            let (whole, fraction) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
        _ => format!("{sign}0.{digits:0>places$}"),
    })
}

fn misfit(text: &str, logical: LogicalType) -> String {
    let shown: String = text.chars().take(40).collect();
    format!(
        "holds `{shown}`, which is no {logical:?}: the file changed since it was described, or the column was given \
         another type under `wraps.<service>.columns` in carve.yaml"
    )
}

/// Calls `work` with the number and the members of every line, until it says no.
fn each_line(
    pin: &Pin,
    mut work: impl FnMut(u64, Vec<(String, &str)>) -> Result<bool, ConnectorError>,
) -> Result<(), ConnectorError> {
    let mut reader = BufReader::with_capacity(1 << 16, pin.reader()?);
    let (mut text, mut line) = (String::new(), 0);
    loop {
        text.clear();
        line += 1;
        let read = reader.read_line(&mut text);
        let bytes = read.map_err(|e| failed(format!("read line {line} of the file `{}`", pin.name()), e))?;
        if bytes == 0 {
            return Ok(());
        }
        let object = text.trim_start_matches('\u{feff}').trim_matches([' ', '\t', '\r', '\n']);
        if object.is_empty() {
            continue;
        }
        if !work(line, members(object).map_err(|why| malformed(pin.name(), line, why))?)? {
            return Ok(());
        }
    }
}

/// The members of a JSON object, each value as it is written: a parser would round long numbers.
fn members(object: &str) -> Result<Vec<(String, &str)>, String> {
    serde_json::from_str::<IgnoredAny>(object).map_err(|e| format!("no JSON: {e}"))?;
    let mut rest = object.strip_prefix('{').ok_or("no JSON object: each line holds one, in braces")?.trim_start();
    let mut members: Vec<(String, &str)> = Vec::new();
    // What follows relies on the line being JSON, which was just checked.
    while let Some(length) = rest.starts_with('"').then(|| value_length(rest)) {
        let (name, after) = rest.split_at(length);
        let name: String = serde_json::from_str(name).map_err(|e| format!("no name: {e}"))?;
        let after = after.trim_start().trim_start_matches(':').trim_start();
        let (value, after) = after.split_at(value_length(after));
        if members.iter().any(|(other, _)| *other == name) {
            return Err(format!("the name `{name}` occurs twice in one object"));
        }
        members.push((name, value));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(members)
}

/// Bytes of the JSON value that `text` begins with.
fn value_length(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => continue,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => continue,
        }
        // A string, an object or an array ends with its own last byte.
        if depth == 0 && !quoted && !escaped && matches!(byte, b'"' | b'}' | b']') {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(values: &[&str]) -> Result<LogicalType, String> {
        let mut seen = Seen::default();
        for (line, value) in (1..).zip(values) {
            seen.add(value, line);
            seen.check("c")?;
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

    #[test]
    fn members_stand_as_they_are_written() {
        let members = members(r#"{ "a" : 1.10 , "b\"c":{"x":["}",1]},"d":"\\", "e":null}"#).unwrap();
        let texts: Vec<&str> = members.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, ["1.10", r#"{"x":["}",1]}"#, r#""\\""#, "null"]);
        assert_eq!(members[1].0, "b\"c");
        assert!(super::members(r#"{"a":1,"a":2}"#).is_err() && super::members("[1]").is_err());
        assert!(super::members("{}").unwrap().is_empty());
    }

    #[test]
    fn exponents_become_plain_digits() {
        for (text, expected) in
            [("1.5e3", "1500"), ("1.50e-3", "0.0015"), ("-12e-1", "-1.2"), ("1e2", "100"), ("0e9", "0")]
        {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(plain("1e999999999"), None);
    }

    #[test]
    fn either_of_two_equally_short_spellings_is_the_double() {
        // Doubles near 2e15 lie a quarter apart: .2 and .3 are as short as each other and both mean .25.
        let double = 7_909_464_236_545_317_f64 / 4.0;
        for text in ["1977366059136329.2", "1977366059136329.3"] {
            assert_eq!(value(text, LogicalType::Double), Some(Value::Double(double)), "{text}");
        }
        assert_eq!(value("9007199254740993.0", LogicalType::Double), None);
    }

    proptest! {
        #[test]
        fn doubles_come_back(double in any::<f64>().prop_filter("finite", |d| d.is_finite())) {
            let text = serde_json::to_string(&double).unwrap();
            prop_assert_eq!(value(&text, LogicalType::Double), Some(Value::Double(double)));
        }

        #[test]
        fn any_line_is_read_or_refused(line in "[{}\\[\\]\":,a1. \\\\-]{0,30}") {
            let _ = members(&line);
        }
    }
}
