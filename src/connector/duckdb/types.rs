//! What DuckDB's types mean, how each is asked for, and which column takes a value back unchanged.
use crate::vocab::{Column, LogicalType};

/// What carve puts before the name of a type that another engine has not, or means otherwise.
const OWN: &str = "duckdb:";

/// What the values of the type `of` are where nobody declares them otherwise. What carve has no type for is text:
/// the text that DuckDB itself reads back as the same value.
pub(super) fn logical(of: &str) -> LogicalType {
    match of {
        "BOOLEAN" => LogicalType::Boolean,
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "UTINYINT" | "USMALLINT" | "UINTEGER" => LogicalType::Integer,
        "UBIGINT" | "HUGEINT" | "UHUGEINT" | "BIGNUM" => LogicalType::Decimal,
        "FLOAT" | "DOUBLE" => LogicalType::Double,
        "BLOB" => LogicalType::Bytes,
        "DATE" => LogicalType::Date,
        "TIME" => LogicalType::Time,
        "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" => LogicalType::Timestamp,
        "TIMESTAMP WITH TIME ZONE" => LogicalType::TimestampTz,
        _ if size(of).is_some() => LogicalType::Decimal,
        _ => LogicalType::Text,
    }
}

/// The type as carve notes it: DuckDB's own name, marked where another engine means something else by it.
pub(super) fn spelled(of: &str) -> String {
    match of {
        "SMALLINT" => "int2".to_owned(),
        "INTEGER" => "int4".to_owned(),
        "FLOAT" => "float4".to_owned(),
        "BOOLEAN"
        | "BIGINT"
        | "DOUBLE"
        | "VARCHAR"
        | "BLOB"
        | "DATE"
        | "TIME"
        | "TIMESTAMP"
        | "UUID"
        | "JSON"
        | "TIMESTAMP WITH TIME ZONE" => of.to_owned(),
        _ if size(of).is_some() => of.to_owned(),
        _ => format!("{OWN}{of}"),
    }
}

/// Digits and scale of `DECIMAL(10,2)` or `numeric(10, 2)`.
fn size(of: &str) -> Option<(u8, u8)> {
    let (word, rest) = of.split_once('(')?;
    let known = ["decimal", "numeric"].contains(&word.trim().to_ascii_lowercase().as_str());
    let (digits, scale) = rest.strip_suffix(')').filter(|_| known)?.split_once(',')?;
    let (digits, scale) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
    ((1..=38).contains(&digits) && scale <= digits).then_some((digits, scale))
}

/// SQL that gives a column's value in a form that carve reads.
pub(super) struct Asked {
    /// The value.
    pub(super) value: String,
    /// Whether the value is exact; `None` where it always is.
    pub(super) exact: Option<String>,
}

/// How a value of the type `of` is asked for when it shall be a `wanted`; `column` is SQL.
pub(super) fn ask(of: &str, column: &str, wanted: LogicalType) -> Asked {
    use LogicalType as L;
    let own = logical(of);
    let value = match wanted {
        // As engines without truth values store them.
        L::Integer if own == L::Integer || own == L::Boolean => format!("CAST({column} AS BIGINT)"),
        L::Number if own == L::Integer => format!("CAST({column} AS BIGINT)"),
        L::Double | L::Number if own == L::Double => format!("CAST({column} AS DOUBLE)"),
        // Nanoseconds come as text, so that none is cut off.
        L::Timestamp if own == L::Timestamp && of != "TIMESTAMP_NS" => format!("CAST({column} AS TIMESTAMP)"),
        L::Boolean | L::Bytes | L::Date | L::Time | L::TimestampTz if own == wanted => column.to_owned(),
        _ => format!("CAST({column} AS VARCHAR)"),
    };
    let as_text = wanted == L::Text && !matches!(of, "VARCHAR" | "JSON");
    Asked { exact: as_text.then(|| comes_back(of, column)), value }
}

/// SQL for whether DuckDB reads the text of `column` as the value it was.
fn comes_back(of: &str, column: &str) -> String {
    match of {
        // It holds the type of each value too, which its text does not tell.
        "VARIANT" => format!("{column} IS NULL"),
        // NULL as a text is a NULL within a union, which is another value.
        _ => format!("({column} IS NULL OR TRY_CAST(CAST({column} AS VARCHAR) AS {of}) IS NOT DISTINCT FROM {column})"),
    }
}

/// Terms that order equal values of `column` equally wherever they lie, and unequal ones always.
pub(super) fn order(of: &str, column: &str) -> Vec<String> {
    let by_text = format!("CAST({column} AS VARCHAR) COLLATE \"C\"");
    match logical(of) {
        LogicalType::Text => vec![by_text],
        // 0.0 and -0.0 are equal to DuckDB: their texts tell them apart.
        LogicalType::Double => vec![column.to_owned(), by_text],
        _ => vec![column.to_owned()],
    }
}

/// The type that carve hands values of `logical` over in.
pub(super) fn handed(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "BOOLEAN",
        LogicalType::Integer => "BIGINT",
        LogicalType::Double | LogicalType::Number => "DOUBLE",
        LogicalType::Decimal | LogicalType::Text => "VARCHAR",
        LogicalType::Bytes => "BLOB",
        LogicalType::Date => "DATE",
        LogicalType::Time => "TIME",
        LogicalType::Timestamp | LogicalType::TimestampTz => "TIMESTAMP",
    }
}

/// The type of a column that takes `column`'s values and gives them back unchanged: its own where it is one of
/// DuckDB's, so that views and comparisons go on as before; else one that holds every value.
pub(super) fn staged(column: &Column) -> String {
    let physical = column.physical.as_str();
    let own = match physical {
        "int2" => "SMALLINT".to_owned(),
        "int4" => "INTEGER".to_owned(),
        "float4" => "FLOAT".to_owned(),
        "UUID" | "JSON" => physical.to_owned(),
        _ => match (size(physical), physical.strip_prefix(OWN)) {
            (Some((digits, scale)), _) => format!("DECIMAL({digits},{scale})"),
            (None, Some(own)) if is_type(own) => own.to_owned(),
            _ => return mapped(column.logical).to_owned(),
        },
    };
    match logical(&own) == column.logical {
        true => own,
        false => mapped(column.logical).to_owned(),
    }
}

fn mapped(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::TimestampTz => "TIMESTAMP WITH TIME ZONE",
        other => handed(other),
    }
}

/// Whether `text` can stand as a type in CREATE TABLE and nothing else: words, sizes, quoted names and texts, and
/// parentheses that close what they open.
fn is_type(text: &str) -> bool {
    let (mut depth, mut quote) = (0_i32, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => return false,
            (None, c) if c.is_alphanumeric() || matches!(c, '_' | ' ' | ',') => {}
            _ => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    let starts = text.starts_with(|c: char| c.is_ascii_uppercase());
    // `DEFAULT`, `CHECK` and their like would follow a type; of DuckDB's own only one has several words at its top.
    let one_word =
        !top_level(text).contains(' ') || text == "TIMESTAMP WITH TIME ZONE" || text == "TIME WITH TIME ZONE";
    starts && one_word && depth == 0 && quote.is_none()
}

/// `text` without what stands in parentheses.
fn top_level(text: &str) -> String {
    let mut depth = 0;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(physical: &str, logical: LogicalType) -> Column {
        Column { name: "c".into(), logical, physical: physical.into(), nullable: true, description: None }
    }

    #[test]
    fn a_staging_column_keeps_its_own_type_and_no_other_engines() {
        use LogicalType as L;
        for (physical, logical, expected) in [
            ("int4", L::Integer, "INTEGER"),
            // SQLite's, which has 64 bits; and its REAL, which is a double.
            ("INTEGER", L::Integer, "BIGINT"),
            ("REAL", L::Double, "DOUBLE"),
            ("DECIMAL(10,2)", L::Decimal, "DECIMAL(10,2)"),
            ("numeric(38, 0)", L::Decimal, "DECIMAL(38,0)"),
            ("DECIMAL(10,2)", L::Number, "DOUBLE"),
            // Without a scale, or with more digits than DuckDB has, only text holds all values.
            ("numeric", L::Decimal, "VARCHAR"),
            ("numeric(60,2)", L::Decimal, "VARCHAR"),
            ("duckdb:HUGEINT", L::Decimal, "HUGEINT"),
            ("duckdb:ENUM('a', 'b,)')", L::Text, "ENUM('a', 'b,)')"),
            ("duckdb:STRUCT(a INTEGER, \"b c\" VARCHAR)[]", L::Text, "STRUCT(a INTEGER, \"b c\" VARCHAR)[]"),
            ("duckdb:TIMESTAMP_NS", L::Text, "VARCHAR"),
            ("interval", L::Text, "VARCHAR"),
            ("", L::TimestampTz, "TIMESTAMP WITH TIME ZONE"),
        ] {
            assert_eq!(staged(&column(physical, logical)), expected, "{physical}");
        }
    }

    #[test]
    fn a_noted_type_cannot_smuggle_sql() {
        for own in [
            "INTERVAL DEFAULT 1",
            "INTERVAL, x",
            "BIT); DROP TABLE t; --",
            "BIT--",
            "ENUM('a",
            "BIT)(",
            "INTERVAL/**/",
            "bit",
        ] {
            assert_eq!(staged(&column(&format!("duckdb:{own}"), LogicalType::Text)), "VARCHAR", "{own}");
        }
    }

    #[test]
    fn every_type_is_found_again_under_the_name_it_is_noted_by() {
        for of in
            ["TINYINT", "INTEGER", "UBIGINT", "FLOAT", "DECIMAL(4,1)", "TIMESTAMP_NS", "TIME_NS", "UUID", "JSON", "BIT"]
        {
            assert_eq!(staged(&column(&spelled(of), logical(of))), of);
        }
    }
}
