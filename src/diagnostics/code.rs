use std::fmt;

use serde::Serialize;

/// How much a fault weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing was lost.
    Note,
    /// Something was not understood: it lowers confidence and raises cost.
    Warning,
    /// This piece of input was left out.
    Error,
}

/// One entry of the list of faults.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeEntry {
    /// `E014`: fixed for ever once released.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The summary, the same wherever the fault stands.
    pub summary: &'static str,
    /// What to do about it, where nothing better is known at the place.
    pub help: &'static str,
}

/// Which fault it is: an entry of [`CODES`].
pub type Code = &'static CodeEntry;

macro_rules! codes {
    ($($name:ident $severity:ident $summary:literal $help:literal)+) => {
        impl CodeEntry {
            $(
                #[doc = $summary]
                pub const $name: Code = &CodeEntry {
                    code: stringify!($name), severity: Severity::$severity, summary: $summary, help: $help,
                };
            )+
        }

        /// Every fault there is, in the order of `docs/DIAGNOSTICS.md`.
        pub static CODES: &[Code] = &[$(CodeEntry::$name),+];
    };
}

codes! {
    E001 Error "Unreadable file" "check the file's permissions, or leave it out with `exclude` in carve.yaml"
    E002 Warning "Not text" "the file is binary or not UTF-8: leave it out with `exclude` in carve.yaml, or save it as UTF-8"
    E003 Warning "File too large to read" "raise `limits.file_bytes` in carve.yaml if this file holds jobs"
    E004 Error "Malformed YAML" "mend the file at the place shown"
    E005 Error "Unknown key" "check the spelling against docs/JOBS.md"
    E006 Error "Duplicate key" "keep one of them"
    E007 Error "Malformed JSON" "mend the file at the place shown"
    E008 Error "Malformed CSV" "mend the row at the place shown"
    E009 Error "Malformed archive" "export it again"
    E010 Error "File named by a job is missing" "correct the path, which counts from the file that names it, or add the file"
    E011 Error "Two jobs have one name" "rename one of them"
    E012 Error "Unknown source system" "declare it under `sources`"
    E013 Error "Not a name" "use the form shown"
    E014 Error "Unknown dialect" "use one of the dialects listed"
    E015 Error "Value out of range" "use a value within the range shown"
    E016 Error "YAML aliases nest too deeply" "write the values out"
    E017 Warning "Symbolic link leads outside the estate" "add its target as a folder of its own: `carve plan A B`"
    E018 Note "Folder has no git history" "run carve in a full clone to learn how often each piece changes"
    E019 Note "Git history is shallow" "fetch the full history: `git fetch --unshallow`"
    E020 Warning "dbt manifest is older than the models" "run `dbt parse`; until then the project's files are read instead"
    E021 Error "Unknown job kind" "use `import`, `transform` or `export`"
    E022 Warning "Schedule not understood" "use five cron fields, `@daily` and its like, or `every: 15m`"
    E023 Error "Path leads outside the estate" "keep the path within the estate's folders"
    E024 Warning "Python not understood" "carve read what stands around this piece"
    E025 Error "Malformed XML" "mend the file at the place shown"
    E026 Warning "Task not understood" "declare what it reads and writes in a job file, with `reads` and `writes`"
    E027 Warning "Value known only at run time" "declare it under `vars` in carve.yaml, or write it out"
    E028 Warning "Piece of a config not understood" "check the spelling, or declare the job in a job file"
    E029 Warning "Config not understood" "carve cannot tell whether it holds jobs: mend it, or leave it out with `exclude` in carve.yaml"
    E030 Warning "Statement not understood" "its tables were taken from a token scan and are marked inferred"
    E031 Warning "Template not rendered" "what nothing gives a value for was left blank; declare the missing names under `vars`"
    E032 Warning "Dynamic SQL" "its tables are only known when it runs: declare them with `reads` and `writes`"
    E033 Warning "Query without a target" "name what it writes with `target` in a job, or by the file's place `<schema>/<table>.sql`"
    E034 Note "Star not expanded" "the table's columns are unknown: add its DDL or a schema file"
    E035 Note "Ambiguous column" "qualify the column with its table"
    E036 Warning "SQL nests too deeply" "split the statement"
    E037 Warning "Source or target not named" "declare what the statement reads and writes with `reads` and `writes`"
    E038 Warning "Names differ in their letters' case alone" "carve reads such tables as one: name them apart, or take this into account"
    E040 Warning "Cycle of jobs" "the jobs of the cycle travel together; break it, or leave it"
    E041 Note "Table is read but nothing writes it" "declare its source system under `sources`, or add the job that writes it"
    E042 Note "Table is written but nothing reads it" "retire it, or add the logs of who reads it"
    E050 Error "Malformed usage log" "give the columns user, time and sql or table"
    E051 Error "Malformed BI export" "export it again"
    E052 Warning "Dashboard reads a table no job writes" "check the name, or add the job"
    E053 Warning "BI source not understood" "what it reads is not known: look at it by hand before its tables move"
}

impl fmt::Display for CodeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Serialize for CodeEntry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
