//! Which dialect each script is in: declared, else told by its own signs, else that of the files around it.
use std::collections::BTreeMap;

use camino::Utf8Path;
use rayon::prelude::*;

use super::{dialect::dialect_named, dialect_signs::DialectSigns, model::DialectBy};
use crate::estate::{Estate, Script};

/// What a script with a declared dialect says about its folder; one with signs of its own says 1.
const DECLARED_VOTES: u64 = 3;
/// A folder with fewer votes for its dialect leaves the choice to the folder around it.
const ENOUGH_VOTES: u64 = 3;
/// How many times the votes for all other dialects a folder's own has where the folder is of one mind.
const ONE_MIND: u64 = 4;
/// What a file's signs must weigh above those for the dialect of a folder of one mind.
const MARGIN: u32 = 4;

/// Chooses a dialect for every script of a job or exposure that declares none, and counts how each is known.
pub(super) fn choose(estate: &mut Estate) {
    let whole = estate.settings.dialect.as_deref().and_then(dialect_named);
    let of_jobs: Vec<&Script> = estate.jobs.iter().flat_map(|job| &job.scripts).collect();
    let of_exposures: Vec<&Script> = estate.exposures.iter().flat_map(|exposure| &exposure.scripts).collect();
    let told = |scripts: &[&Script]| -> Vec<Told> { scripts.par_iter().map(|one| Told::by(one, whole)).collect() };
    let (by_jobs, by_exposures) = (told(&of_jobs), told(&of_exposures));
    // A BI tool may ask other databases than the lake: its queries follow the jobs and do not lead them.
    let votes = Votes::of(of_jobs.iter().zip(&by_jobs).map(|(script, told)| (script.at.file.as_path(), told)));
    let jobs = of_jobs.iter().zip(&by_jobs).map(|(script, told)| votes.choose(&script.at.file, told, false));
    let shown = of_exposures.iter().zip(&by_exposures).map(|(script, told)| votes.choose(&script.at.file, told, true));
    let chosen: Vec<_> = jobs.chain(shown).collect();
    let places = of_jobs.iter().chain(&of_exposures).map(|script| (script.at.file.clone(), script.at.start));
    for ((file, start), (dialect, by)) in places.collect::<Vec<_>>().into_iter().zip(chosen) {
        *estate.dialects.entry((by, dialect.unwrap_or("generic").to_owned())).or_default() += 1;
        if let (Some(dialect), false) = (dialect, by == DialectBy::Declared) {
            estate.chosen.entry(file).or_default().insert(start, dialect);
        }
    }
}

impl Estate {
    /// The dialect that `script`, which is one of this estate's, is read in; `None` where nothing says which.
    pub fn dialect_of(&self, script: &Script) -> Option<&'static str> {
        let declared = [&script.dialect, &self.settings.dialect].into_iter().flatten();
        let declared = declared.map(String::as_str).find_map(dialect_named);
        declared.or_else(|| self.chosen.get(&script.at.file)?.get(&script.at.start).copied())
    }
}

/// What one script says of its dialect by itself.
enum Told {
    Declared(&'static str),
    Signs(DialectSigns),
}

impl Told {
    fn by(script: &Script, whole: Option<&'static str>) -> Self {
        match script.dialect.as_deref().and_then(dialect_named).or(whole) {
            Some(dialect) => Told::Declared(dialect),
            None => Told::Signs(DialectSigns::of(&script.text)),
        }
    }

    fn vote(&self) -> Option<(&'static str, u64)> {
        match self {
            Told::Declared(dialect) => Some((dialect, DECLARED_VOTES)),
            Told::Signs(signs) => signs.best().map(|(dialect, _)| (dialect, 1)),
        }
    }
}

/// What the scripts below each folder speak.
struct Votes<'e>(BTreeMap<&'e Utf8Path, BTreeMap<&'static str, u64>>);

/// The dialect of a folder.
struct Dominant {
    dialect: &'static str,
    one_mind: bool,
    whole_estate: bool,
}

impl<'e> Votes<'e> {
    fn of<'t>(told: impl Iterator<Item = (&'e Utf8Path, &'t Told)>) -> Self {
        let mut votes: BTreeMap<&Utf8Path, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (file, told) in told {
            let Some((dialect, count)) = told.vote() else { continue };
            for folder in file.ancestors().skip(1) {
                *votes.entry(folder).or_default().entry(dialect).or_default() += count;
            }
        }
        Votes(votes)
    }

    /// What the nearest folder around `file` speaks whose scripts say enough, two thirds of them one dialect.
    fn around(&self, file: &Utf8Path) -> Option<Dominant> {
        file.ancestors().skip(1).find_map(|folder| {
            let votes = self.0.get(folder)?;
            let all: u64 = votes.values().sum();
            let whole_estate = folder.as_str().is_empty();
            let (dialect, own) = votes.iter().max_by_key(|(_, count)| **count)?;
            let enough = *own >= ENOUGH_VOTES || whole_estate;
            (enough && own * 3 >= all * 2).then_some(Dominant {
                dialect,
                one_mind: *own >= ENOUGH_VOTES && *own >= ONE_MIND * (all - own),
                whole_estate,
            })
        })
    }

    /// The dialect of a script of `file`. One that `follows` asks the lake: few signs of its own do not outweigh those
    /// of the jobs that fill it.
    fn choose(&self, file: &Utf8Path, told: &Told, follows: bool) -> (Option<&'static str>, DialectBy) {
        let signs = match told {
            Told::Declared(dialect) => return (Some(dialect), DialectBy::Declared),
            Told::Signs(signs) => signs,
        };
        let around = self.around(file);
        let follow = |found: Dominant| {
            let by = if found.whole_estate { DialectBy::Estate } else { DialectBy::Folder };
            (Some(found.dialect), by)
        };
        match (signs.best(), around) {
            (Some((own, weight)), Some(found)) if own != found.dialect && (found.one_mind || follows) => {
                match weight >= signs.weight_of(found.dialect) + MARGIN {
                    true => (Some(own), DialectBy::Signs),
                    false => follow(found),
                }
            }
            (Some((own, _)), _) => (Some(own), DialectBy::Signs),
            (None, Some(found)) => follow(found),
            (None, None) => (None, DialectBy::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        estate::text_file::TextFile,
        estate::{EstateSettings, sql_file},
    };

    const BIGQUERY: &str = "select safe_cast(a as int64) from t";
    const SNOWFLAKE: &str = "select a from t, lateral flatten(b)";
    /// Two engines know QUALIFY.
    const WEAK: &str = "select a from t qualify row_number() over (order by a) = 1";
    const PLAIN: &str = "select a from t";

    fn chosen(files: &[(&str, &str)]) -> Vec<(String, DialectBy)> {
        let files: Vec<TextFile> =
            files.iter().map(|(path, text)| TextFile::inside((*path).into(), (*text).to_owned())).collect();
        let mut jobs: Vec<_> = files
            .iter()
            .flat_map(|file| {
                let none = Default::default();
                sql_file::jobs(std::iter::once(file), &EstateSettings::default(), &none, &Default::default())
            })
            .collect();
        for job in jobs.iter_mut().filter(|job| job.at.file.as_str().contains("declared")) {
            job.scripts[0].dialect = Some("mysql".to_owned());
        }
        let mut estate = Estate { jobs, ..Estate::default() };
        choose(&mut estate);
        let dialects = estate.jobs.iter().map(|job| estate.dialect_of(&job.scripts[0]).unwrap_or_default().to_owned());
        let told: BTreeMap<String, Vec<DialectBy>> =
            estate.dialects.keys().fold(BTreeMap::new(), |mut all, (by, name)| {
                all.entry(name.clone()).or_insert_with(Vec::new).push(*by);
                all
            });
        dialects.map(|name| (name.clone(), told.get(&name).map_or(DialectBy::Nothing, |by| by[by.len() - 1]))).collect()
    }

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        chosen(files).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_file_without_signs_speaks_as_its_folder_does_else_as_the_estate() {
        let files = [
            ("a/1.sql", BIGQUERY),
            ("a/2.sql", BIGQUERY),
            ("a/3.sql", BIGQUERY),
            ("a/deep/4.sql", PLAIN),
            ("b/1.sql", SNOWFLAKE),
            ("b/2.sql", SNOWFLAKE),
            ("b/3.sql", SNOWFLAKE),
            ("b/4.sql", PLAIN),
            ("c/1.sql", BIGQUERY),
            ("c/2.sql", PLAIN),
            // Two thirds of the estate.
            ("d/1.sql", BIGQUERY),
            ("e/1.sql", BIGQUERY),
        ];
        let expected = ["bigquery"; 4].into_iter().chain(["snowflake"; 4]).chain(["bigquery"; 4]);
        assert_eq!(names(&files), expected.collect::<Vec<_>>());
    }

    #[test]
    fn weak_signs_give_way_to_a_folder_of_one_mind_and_strong_ones_do_not() {
        let of = |text| {
            let many: Vec<String> = (0..8).map(|n| format!("a/{n}.sql")).collect();
            let mut files: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), BIGQUERY)).collect();
            files.push(("a/odd.sql", text));
            names(&files).pop().unwrap()
        };
        assert_eq!(of(WEAK), "bigquery");
        assert_eq!(of(SNOWFLAKE), "snowflake");
        assert_eq!(names(&[("a/odd.sql", WEAK)]), ["snowflake"]);
    }

    #[test]
    fn what_is_declared_beside_a_file_leads_it() {
        assert_eq!(
            names(&[("a/declared.sql", BIGQUERY), ("a/x.sql", PLAIN), ("b/y.sql", BIGQUERY)]),
            ["mysql", "mysql", "bigquery"]
        );
    }

    #[test]
    fn nothing_is_chosen_where_nobody_says_anything_or_all_differ() {
        assert_eq!(chosen(&[("a.sql", PLAIN)]), [(String::new(), DialectBy::Nothing)]);
        let apart = [("a.sql", BIGQUERY), ("b.sql", SNOWFLAKE), ("c.sql", PLAIN)];
        assert_eq!(names(&apart), ["bigquery", "snowflake", ""]);
    }
}
