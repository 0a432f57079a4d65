use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// Text that is no name of the kind asked for.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no {what}: use 1 to 63 lower-case letters, digits and hyphens, a letter first")]
pub struct BadName {
    what: &'static str,
    text: String,
}

fn is_slug(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Any text as a slug: other characters become single hyphens; `x` leads where no letter does.
fn slug_of(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    if !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
        slug.insert(0, 'x');
    }
    slug.truncate(63);
    slug.trim_end_matches('-').to_owned()
}

macro_rules! slug_name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name that `text` suggests: what no name may hold becomes a hyphen.
            pub fn suggested_by(text: &str) -> Self {
                $name(slug_of(text).into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match is_slug(text) {
                    true => Ok($name(text.into())),
                    false => Err(BadName { what: $what, text: text.to_owned() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}

slug_name!(
    /// The name of a data service, as it stands in its address: `orders`.
    ServiceName,
    "service name"
);

slug_name!(
    /// The name of one endpoint of a data service; `default` always exists.
    Endpoint,
    "endpoint name"
);

impl Default for Endpoint {
    fn default() -> Self {
        Endpoint("default".into())
    }
}

/// The name of a job of the estate, unique in it: a declared name, or the file's path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct JobId(Arc<str>);

impl From<String> for JobId {
    fn from(name: String) -> Self {
        JobId(name.into())
    }
}

impl From<JobId> for String {
    fn from(job: JobId) -> Self {
        job.0.as_ref().to_owned()
    }
}

impl JobId {
    /// The job called `name`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        JobId(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_is_always_a_name() {
        for text in ["Order API / v2", "123", "", "--", "änderung", &"a".repeat(99)] {
            let name = ServiceName::suggested_by(text);
            assert!(name.as_str().parse::<ServiceName>().is_ok(), "{text} → {name}");
        }
        assert_eq!(ServiceName::suggested_by("Order API / v2").as_str(), "order-api-v2");
    }

    #[test]
    fn upper_case_and_paths_are_no_names() {
        for text in ["Orders", "a/b", "..", "", "-a", "a-"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
