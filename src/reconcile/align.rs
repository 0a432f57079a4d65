//! Which columns two tables share, under which types they are compared, and what is on one side only.
use super::meet::{Meeting, common};
use crate::vocab::{Column, LogicalType, Schema, nearest};

/// What a person asks to be compared.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The columns of the key; empty: the tables' own, if one is on both sides.
    pub key: Vec<String>,
    /// Only these columns, and the key; empty: all.
    pub columns: Vec<String>,
    /// Not these.
    pub except: Vec<String>,
}

/// Two tables as they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aligned {
    /// The columns both have, in the left one's order, in the type they are compared in; and the key.
    pub schema: Schema,
    /// The same columns as the left side has them.
    pub left: Schema,
    /// As the right side has them.
    pub right: Schema,
    /// Columns of which only one side knows, or that have no type in common, a sentence each: these are differences.
    pub unlike: Vec<String>,
    /// How values of different types meet, and what the key is, a sentence each.
    pub notes: Vec<String>,
    pub(super) meetings: Vec<Meeting>,
}

/// Why two tables cannot be compared as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlignError {
    /// A column was asked for that is not on both sides.
    #[error("{what} `{column}` is not a column of both tables{near}")]
    NoColumn {
        /// `the key`, `the column`.
        what: &'static str,
        /// As typed.
        column: String,
        /// What it may have meant.
        near: String,
    },
    /// No column is on both sides.
    #[error("the two tables have no column in common")]
    Nothing,
}

/// Pairs the columns of two tables by name; upper and lower case are the same where nothing fits better.
///
/// # Errors
/// A column that was asked for and is not on both sides, or no common column at all.
pub fn align(left: &Schema, right: &Schema, wanted: &Wanted) -> Result<Aligned, AlignError> {
    let mut aligned = Aligned {
        schema: Schema::default(),
        left: Schema::default(),
        right: Schema::default(),
        unlike: Vec::new(),
        notes: Vec::new(),
        meetings: Vec::new(),
    };
    let asked = |name: &str| {
        let listed = |names: &[String]| names.iter().any(|its| its.eq_ignore_ascii_case(name));
        let all = wanted.columns.is_empty() || listed(&wanted.columns) || listed(&wanted.key);
        all && !listed(&wanted.except)
    };
    for column in left.columns.iter().filter(|column| asked(&column.name)) {
        match find(right, &column.name) {
            Some(other) => aligned.pair(column, other),
            None => aligned.unlike.push(format!("column `{}` is only on the left", column.name)),
        }
    }
    let only_right = right.columns.iter().filter(|column| asked(&column.name) && find(left, &column.name).is_none());
    aligned.unlike.extend(only_right.map(|column| format!("column `{}` is only on the right", column.name)));
    for (what, names) in [("the key", &wanted.key), ("the column", &wanted.columns)] {
        for name in names {
            let known = || [left, right].into_iter().flat_map(|schema| &schema.columns).map(|its| its.name.as_str());
            if find(&aligned.schema, name).is_none()
                && !(known().any(|its| its.eq_ignore_ascii_case(name)) && what != "the key")
            {
                let known: Vec<&str> = known().collect();
                let near = nearest(name, &known).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
                return Err(AlignError::NoColumn { what, column: name.clone(), near });
            }
        }
    }
    if aligned.schema.columns.is_empty() {
        return Err(AlignError::Nothing);
    }
    aligned.choose_key([left, right], &wanted.key);
    Ok(aligned)
}

impl Aligned {
    fn pair(&mut self, left: &Column, right: &Column) {
        let Some(logical) = common(left.logical, right.logical) else {
            let (l, r) = (type_of(left), type_of(right));
            self.unlike.push(format!("column `{}` is {l} on the left and {r} on the right", left.name));
            return;
        };
        if left.logical != right.logical {
            let how = match (left.logical, right.logical) {
                (LogicalType::Timestamp | LogicalType::Date, LogicalType::TimestampTz)
                | (LogicalType::TimestampTz, LogicalType::Timestamp | LogicalType::Date) => {
                    ", times without a zone as UTC"
                }
                _ => "",
            };
            let (l, r, word) = (type_of(left), type_of(right), word(logical));
            self.notes
                .push(format!("`{}`: {l} on the left and {r} on the right are compared as {word}{how}", left.name));
        }
        let column = Column { logical, nullable: true, description: None, ..left.clone() };
        // Where both sides declare one scale, another number of digits is a difference.
        let alike = left.logical == right.logical && left.physical.eq_ignore_ascii_case(&right.physical);
        self.meetings.push(Meeting { column: column.clone(), by_value: !alike });
        self.schema.columns.push(column);
        self.left.columns.push(Column { nullable: true, ..left.clone() });
        self.right.columns.push(Column { nullable: true, ..right.clone() });
    }

    fn choose_key(&mut self, sides: [&Schema; 2], asked: &[String]) {
        let own = |names: &[String]| -> Option<Vec<String>> {
            let found = names.iter().map(|name| find(&self.schema, name).map(|column| column.name.clone()));
            found.collect::<Option<Vec<_>>>().filter(|key| !key.is_empty())
        };
        let key = own(asked).or_else(|| sides.into_iter().find_map(|side| own(&side.key)));
        match key {
            Some(key) => self.schema.key = key,
            None => self.notes.push(
                "no key: whole rows are compared, duplicates counted; `--key` pairs rows and tells columns".to_owned(),
            ),
        }
    }
}

fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Column> {
    let exact = schema.columns.iter().find(|column| column.name == name);
    exact.or_else(|| schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

fn type_of(column: &Column) -> String {
    match column.physical.is_empty() {
        true => word(column.logical).to_owned(),
        false => format!("`{}`", column.physical),
    }
}

fn word(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "booleans",
        LogicalType::Integer => "whole numbers",
        LogicalType::Decimal => "decimals",
        LogicalType::Double => "doubles",
        LogicalType::Number => "numbers",
        LogicalType::Text => "text",
        LogicalType::Bytes => "bytes",
        LogicalType::Date => "dates",
        LogicalType::Time => "times",
        LogicalType::Timestamp => "times without a zone",
        LogicalType::TimestampTz => "instants",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(columns: &[(&str, LogicalType)], key: &[&str]) -> Schema {
        let column = |(name, logical): &(&str, LogicalType)| Column {
            name: (*name).to_owned(),
            logical: *logical,
            physical: String::new(),
            nullable: false,
            description: None,
        };
        let key = key.iter().map(|name| (*name).to_owned()).collect();
        Schema { columns: columns.iter().map(column).collect(), key }
    }

    fn names(schema: &Schema) -> Vec<&str> {
        schema.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn columns_pair_by_name_and_the_rest_is_told() {
        let left =
            schema(&[("id", LogicalType::Integer), ("Note", LogicalType::Text), ("x", LogicalType::Date)], &["id"]);
        let right = schema(&[("note", LogicalType::Text), ("ID", LogicalType::Integer), ("y", LogicalType::Date)], &[]);
        let aligned = align(&left, &right, &Wanted::default()).unwrap();
        assert_eq!((names(&aligned.schema), names(&aligned.right)), (vec!["id", "Note"], vec!["ID", "note"]));
        assert_eq!(aligned.schema.key, ["id"]);
        assert_eq!(aligned.unlike, ["column `x` is only on the left", "column `y` is only on the right"]);
    }

    #[test]
    fn types_that_never_meet_are_a_difference() {
        let left = schema(&[("id", LogicalType::Integer), ("b", LogicalType::Bytes)], &[]);
        let right = schema(&[("id", LogicalType::Integer), ("b", LogicalType::Integer)], &[]);
        let aligned = align(&left, &right, &Wanted::default()).unwrap();
        assert_eq!(aligned.unlike, ["column `b` is bytes on the left and whole numbers on the right"]);
    }

    #[test]
    fn only_what_is_asked_for_is_compared() {
        let both = schema(&[("id", LogicalType::Integer), ("a", LogicalType::Text), ("b", LogicalType::Text)], &[]);
        let wanted = |key: &[&str], columns: &[&str], except: &[&str]| {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Wanted { key: own(key), columns: own(columns), except: own(except) }
        };
        let picked = align(&both, &both, &wanted(&["id"], &["b"], &[])).unwrap();
        assert_eq!(names(&picked.schema), ["id", "b"]);
        assert_eq!(names(&align(&both, &both, &wanted(&[], &[], &["a"])).unwrap().schema), ["id", "b"]);
        let error = align(&both, &both, &wanted(&["idd"], &[], &[])).unwrap_err().to_string();
        assert_eq!(error, "the key `idd` is not a column of both tables: did you mean `id`?");
    }
}
