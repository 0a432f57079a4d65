//! Differences in words: what a person needs to find the row and to see what is wrong with it.
use super::{Cell, Difference};
use crate::{
    service::to_text,
    vocab::{Row, Schema, Value},
};

/// Characters of a value that are shown.
const ROOM: usize = 60;

/// One difference as a line.
pub(super) fn line(difference: &Difference, schema: &Schema, left: &str, right: &str) -> String {
    match difference {
        Difference::OnlyLeft(row, times) => format!("only in {left}{}: {}", often(*times), whole(schema, row)),
        Difference::OnlyRight(row, times) => format!("only in {right}{}: {}", often(*times), whole(schema, row)),
        Difference::Changed { left: l, right: r, cells } => {
            let told = cells.iter().map(|cell| {
                let name = &schema.columns[cell.at].name;
                let [a, b] = pair(&l[cell.at], &r[cell.at]);
                let how = cell.how.as_ref().map(|how| format!(" ({how})")).unwrap_or_default();
                format!("`{name}` is {a} in {left} and {b} in {right}{how}")
            });
            format!("{}: {}", key_of(schema, l), told.collect::<Vec<_>>().join("; "))
        }
    }
}

impl Difference {
    /// The key of its rows as text; the whole row where there is no key.
    pub fn key(&self, schema: &Schema) -> String {
        match self {
            Difference::Changed { left: row, .. } | Difference::OnlyLeft(row, _) | Difference::OnlyRight(row, _) => {
                key_of(schema, row)
            }
        }
    }

    /// A line a cell of a table: key, column, left, right, what it is about.
    pub fn cells(&self, schema: &Schema) -> Vec<[String; 5]> {
        let text = str::to_owned;
        let lone = |row: &Row, times: u64| match schema.key.is_empty() {
            true => format!("{times} more"),
            false => format!("{}{}", whole(schema, row), often(times)),
        };
        match self {
            Difference::OnlyLeft(row, times) => {
                vec![[key_of(schema, row), text("-"), lone(row, *times), text("no such row"), text("only on the left")]]
            }
            Difference::OnlyRight(row, times) => {
                vec![[
                    key_of(schema, row),
                    text("-"),
                    text("no such row"),
                    lone(row, *times),
                    text("only on the right"),
                ]]
            }
            Difference::Changed { left, right, cells } => {
                let one = |cell: &Cell| {
                    let [a, b] = pair(&left[cell.at], &right[cell.at]);
                    let column = schema.columns[cell.at].name.clone();
                    [key_of(schema, left), column, a, b, cell.how.clone().unwrap_or_default()]
                };
                cells.iter().map(one).collect()
            }
        }
    }
}

fn often(times: u64) -> String {
    if times > 1 { format!(", {times} times") } else { String::new() }
}

/// The key's values as text; the whole row where there is no key.
pub fn key_of(schema: &Schema, row: &Row) -> String {
    let place = |name: &String| schema.columns.iter().position(|column| column.name == *name);
    let places: Vec<usize> = schema.key.iter().filter_map(place).collect();
    match places.is_empty() {
        true => whole(schema, row),
        false => places.iter().map(|at| cell(schema, row, *at)).collect::<Vec<_>>().join(", "),
    }
}

fn whole(schema: &Schema, row: &Row) -> String {
    (0..schema.columns.len().min(row.len())).map(|at| cell(schema, row, at)).collect::<Vec<_>>().join(", ")
}

fn cell(schema: &Schema, row: &Row, at: usize) -> String {
    format!("{}={}", schema.columns[at].name, row.get(at).map_or("nothing".to_owned(), shown))
}

/// A value as a person reads it in a message: text in quotes, long ones cut.
pub fn shown(value: &Value) -> String {
    cut(&full(value), 0)
}

/// Two values that differ, cut so that the first difference is seen.
fn pair(left: &Value, right: &Value) -> [String; 2] {
    let [left, right] = [full(left), full(right)];
    let same = left.chars().zip(right.chars()).take_while(|(a, b)| a == b).count();
    let from = if same + 10 > ROOM { same.saturating_sub(10) } else { 0 };
    [cut(&left, from), cut(&right, from)]
}

fn full(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("{} bytes {}", bytes.len(), to_text(value).unwrap_or_default()),
        value => to_text(value).unwrap_or_default().into_owned(),
    }
}

fn cut(text: &str, from: usize) -> String {
    let before = if from > 0 { "…" } else { "" };
    let mut rest = text.chars().skip(from);
    let room: String = rest.by_ref().take(ROOM).collect();
    let after = if rest.next().is_some() { "…" } else { "" };
    format!("{before}{room}{after}")
}

/// The cells of `columns`, with what can be said of each in a few words.
pub(super) fn cells(left: &Row, right: &Row, columns: &[usize]) -> Vec<Cell> {
    let swapped = match columns {
        [a, b] => left.get(*a) == right.get(*b) && left.get(*b) == right.get(*a),
        _ => false,
    };
    let how = |at: usize| match swapped {
        true => Some("the two are swapped".to_owned()),
        false => left.get(at).zip(right.get(at)).and_then(|(l, r)| how(l, r)),
    };
    columns.iter().map(|at| Cell { at: *at, how: how(*at) }).collect()
}

fn how(left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Null, Value::Text(text)) | (Value::Text(text), Value::Null) if text.is_empty() => {
            Some("NULL against empty text".to_owned())
        }
        (Value::Text(l), Value::Text(r)) => text_how(l, r),
        (Value::InstantMicros(l), Value::InstantMicros(r))
        | (Value::TimestampMicros(l), Value::TimestampMicros(r))
        | (Value::TimeMicros(l), Value::TimeMicros(r)) => later(i128::from(*r) - i128::from(*l), "µs"),
        (Value::DateDays(l), Value::DateDays(r)) => later(i128::from(*r) - i128::from(*l), "days"),
        (Value::Integer(l), Value::Integer(r)) => Some(format!("{:+}", i128::from(*r) - i128::from(*l))),
        (l, r) if std::mem::discriminant(l) != std::mem::discriminant(r) && *l != Value::Null && *r != Value::Null => {
            Some("values of different types".to_owned())
        }
        _ => None,
    }
}

fn later(difference: i128, unit: &str) -> Option<String> {
    Some(format!("{} {unit} {}", difference.unsigned_abs(), if difference > 0 { "later" } else { "earlier" }))
}

fn text_how(left: &str, right: &str) -> Option<String> {
    let trimmed = |text: &str| text.trim().to_owned();
    if left.trim_end() == right.trim_end() {
        Some("white space at the end".to_owned())
    } else if trimmed(left) == trimmed(right) {
        Some("white space around it".to_owned())
    } else if left.to_lowercase() == right.to_lowercase() {
        Some("upper and lower case".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn small_differences_are_named() {
        let said = |l: Value, r: Value| how(&l, &r).unwrap_or_default();
        assert_eq!(said(Value::Null, text("")), "NULL against empty text");
        assert_eq!(said(text("a"), text("a ")), "white space at the end");
        assert_eq!(said(Value::InstantMicros(5), Value::InstantMicros(6)), "1 µs later");
        assert_eq!(said(Value::Integer(9), Value::Integer(7)), "-2");
        assert_eq!(said(Value::Integer(1), text("1")), "values of different types");
        assert_eq!(said(text("a"), text("b")), "");
    }

    #[test]
    fn two_columns_that_changed_places_are_called_swapped() {
        let cells = cells(&vec![text("a"), text("b")], &vec![text("b"), text("a")], &[0, 1]);
        assert!(cells.iter().all(|cell| cell.how.as_deref() == Some("the two are swapped")));
    }

    #[test]
    fn a_difference_far_into_a_long_text_is_seen() {
        let long = "x".repeat(500);
        let [left, right] = pair(&text(&format!("{long}left")), &text(&format!("{long}right")));
        assert!(left.contains("left") && right.contains("right"), "{left} {right}");
        assert!(left.chars().count() <= ROOM + 2, "{left}");
    }
}
