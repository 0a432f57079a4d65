use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A publication's version `X.Y.Z`: X breaks readers, Y adds, Z is a new publication of one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SchemaVersion {
    /// Breaks readers: a column removed, a type narrowed, a meaning changed.
    pub breaking: u32,
    /// Adds something readers may ignore.
    pub additive: u32,
    /// Counts the publications of one schema.
    pub publication: u32,
}

/// How far the next version is from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// The same schema, new rows.
    Publication,
    /// Readers of the old schema still work.
    Additive,
    /// Readers of the old schema may fail.
    Breaking,
}

/// Text that is no version.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no version: expected three numbers, as in `1.0.0`")]
pub struct BadSchemaVersion(String);

impl SchemaVersion {
    /// The first version of every service.
    pub const FIRST: SchemaVersion = SchemaVersion { breaking: 1, additive: 0, publication: 0 };

    /// The version that follows this one after a change of the kind `bump`.
    pub fn next(self, bump: Bump) -> Self {
        match bump {
            Bump::Breaking => SchemaVersion { breaking: self.breaking + 1, additive: 0, publication: 0 },
            Bump::Additive => SchemaVersion { additive: self.additive + 1, publication: 0, ..self },
            Bump::Publication => SchemaVersion { publication: self.publication + 1, ..self },
        }
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.breaking, self.additive, self.publication)
    }
}

impl FromStr for SchemaVersion {
    type Err = BadSchemaVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadSchemaVersion(text.to_owned());
        let numbers: Vec<u32> = text
            .split('.')
            .map(|part| match part.bytes().all(|b| b.is_ascii_digit()) {
                true => part.parse().map_err(|_| bad()),
                false => Err(bad()),
            })
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [breaking, additive, publication] => Ok(SchemaVersion { breaking, additive, publication }),
            _ => Err(bad()),
        }
    }
}

impl From<SchemaVersion> for String {
    fn from(version: SchemaVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for SchemaVersion {
    type Error = BadSchemaVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bump_resets_what_is_below_it() {
        let version: SchemaVersion = "1.2.3".parse().unwrap();
        assert_eq!(version.next(Bump::Breaking).to_string(), "2.0.0");
        assert_eq!(version.next(Bump::Additive).to_string(), "1.3.0");
        assert_eq!(version.next(Bump::Publication).to_string(), "1.2.4");
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!("1.10.0".parse::<SchemaVersion>().unwrap() > "1.9.9".parse().unwrap());
        assert!("1.0".parse::<SchemaVersion>().is_err() && "1.+1.0".parse::<SchemaVersion>().is_err());
    }
}
