//! What a declared type means: SQLite's five affinities, and the logical type that follows.
use crate::vocab::{Column, LogicalType};

/// What SQLite does to a value on its way into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Numbers that are whole become integers; text that looks like a number becomes one.
    Integer,
    /// Numbers become text.
    Text,
    /// Nothing changes.
    None,
    /// Integers become doubles; text that looks like a number becomes one.
    Real,
    /// As [`Affinity::Integer`].
    Numeric,
}

/// The affinity of a declared type, by the five rules of SQLite's documentation, in their order.
pub(super) fn affinity(declared: &str) -> Affinity {
    let upper = declared.to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || upper.trim().is_empty() {
        Affinity::None
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// What a column of this declared type holds; `None` where only its values can tell.
pub(super) fn logical(declared: &str) -> Option<LogicalType> {
    let upper = declared.to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    match affinity(declared) {
        Affinity::Integer => Some(LogicalType::Integer),
        Affinity::Text => Some(LogicalType::Text),
        Affinity::Real => Some(LogicalType::Double),
        Affinity::None => has("BLOB").then_some(LogicalType::Bytes),
        // SQLite has no truth values and no times: the first are stored as 0 and 1, the second mostly as text.
        Affinity::Numeric if has("BOOL") => Some(LogicalType::Integer),
        Affinity::Numeric if has("DATE") || has("TIME") => Some(LogicalType::Text),
        // CREATE TABLE AS writes NUM for dates and truth values too: only the values tell.
        Affinity::Numeric if upper.trim() == "NUM" => None,
        Affinity::Numeric if has("NUM") || has("DEC") => Some(LogicalType::Number),
        Affinity::Numeric => None,
    }
}

/// The declared type of a column that takes `column`'s values and gives them back unchanged: its own
/// where it is one of SQLite's, so that comparisons in SQL go on as before; else one that changes nothing.
pub(super) fn staging_type(column: &Column) -> &str {
    let kept = affinity(&column.physical);
    let own = match column.logical {
        LogicalType::Integer => matches!(kept, Affinity::Integer | Affinity::Numeric | Affinity::None),
        LogicalType::Double => matches!(kept, Affinity::Real | Affinity::None),
        LogicalType::Number => matches!(kept, Affinity::Integer | Affinity::Numeric | Affinity::None),
        LogicalType::Text => match kept {
            Affinity::Text | Affinity::None => true,
            // A date as text never looks like a number; any other text may.
            Affinity::Numeric => logical(&column.physical) == Some(LogicalType::Text),
            Affinity::Integer | Affinity::Real => false,
        },
        LogicalType::Bytes => true,
        LogicalType::Boolean => matches!(kept, Affinity::Integer | Affinity::Numeric),
        LogicalType::Decimal
        | LogicalType::Date
        | LogicalType::Time
        | LogicalType::Timestamp
        | LogicalType::TimestampTz => kept == Affinity::Text,
    };
    match own && is_type_name(&column.physical) {
        true => &column.physical,
        false => mapped(column.logical),
    }
}

fn mapped(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "BOOLEAN",
        LogicalType::Integer => "INTEGER",
        // REAL would turn -0.0 into 0.0, NUMERIC 1.0 into 1: a column without a type changes nothing.
        LogicalType::Double | LogicalType::Number => "",
        LogicalType::Bytes => "BLOB",
        LogicalType::Text
        | LogicalType::Decimal
        | LogicalType::Date
        | LogicalType::Time
        | LogicalType::Timestamp
        | LogicalType::TimestampTz => "TEXT",
    }
}

/// Whether `text` can stand as a type in CREATE TABLE: words, then perhaps `(10)` or `(10,2)`.
fn is_type_name(text: &str) -> bool {
    const ENDS_A_TYPE: [&str; 12] = [
        "CONSTRAINT",
        "PRIMARY",
        "NOT",
        "NULL",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "GENERATED",
        "AS",
        "ON",
    ];
    let (words, size) = match text.trim_end().strip_suffix(')') {
        Some(inner) => match inner.split_once('(') {
            Some((words, size)) => (words, Some(size)),
            None => return false,
        },
        None => (text, None),
    };
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !ENDS_A_TYPE.contains(&word.to_ascii_uppercase().as_str())
    };
    let number = |number: &str| !number.trim().is_empty() && number.trim().bytes().all(|b| b.is_ascii_digit());
    let sized = size.is_none_or(|size| size.split(',').count() <= 2 && size.split(',').all(number));
    words.split_ascii_whitespace().all(word) && sized && (size.is_none() || !words.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(physical: &str, logical: LogicalType) -> Column {
        Column { name: "c".into(), logical, physical: physical.into(), nullable: true, description: None }
    }

    #[test]
    fn declared_types_follow_the_rules_of_sqlite() {
        // The examples of https://sqlite.org/datatype3.html, section 3.1.1.
        let cases = [
            ("UNSIGNED BIG INT", Affinity::Integer),
            ("NATIVE CHARACTER(70)", Affinity::Text),
            ("CLOB", Affinity::Text),
            ("BLOB", Affinity::None),
            ("", Affinity::None),
            ("DOUBLE PRECISION", Affinity::Real),
            ("DECIMAL(10,5)", Affinity::Numeric),
            ("DATETIME", Affinity::Numeric),
            ("STRING", Affinity::Numeric),
            ("FLOATING POINT", Affinity::Integer),
        ];
        for (declared, expected) in cases {
            assert_eq!(affinity(declared), expected, "{declared}");
        }
        assert_eq!(logical("DATETIME"), Some(LogicalType::Text));
        assert_eq!((logical("STRING"), logical("")), (None, None));
    }

    #[test]
    fn a_staging_column_keeps_the_declared_type_where_that_is_safe() {
        assert_eq!(staging_type(&column("varchar(20)", LogicalType::Text)), "varchar(20)");
        assert_eq!(staging_type(&column("DATETIME", LogicalType::Text)), "DATETIME");
        assert_eq!(staging_type(&column("Utf8", LogicalType::Decimal)), "TEXT");
        assert_eq!(staging_type(&column("REAL", LogicalType::Integer)), "INTEGER");
        assert_eq!(staging_type(&column("arrow:Float64", LogicalType::Double)), "");
    }

    #[test]
    fn a_declared_type_cannot_smuggle_sql() {
        for physical in ["TEXT DEFAULT 1", "TEXT, x", "TEXT)", "T(1;2)", "TEXT--", "a PRIMARY KEY", "T(,)", "(1)"] {
            assert_eq!(staging_type(&column(physical, LogicalType::Text)), "TEXT", "{physical}");
        }
    }
}
