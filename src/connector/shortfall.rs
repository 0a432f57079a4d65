//! What an import is without of the table whose place it takes, in words that are the same for every engine.
use crate::vocab::DatasetId;

/// Names told of one kind.
const TOLD: usize = 5;

/// A column as far as its readers could notice that it is another.
pub(super) struct Seen {
    pub(super) name: String,
    /// The type as its engine writes it.
    pub(super) of: String,
    pub(super) not_null: bool,
}

/// The note that preflight tells: none where nothing is `gone`.
pub(super) fn note(live: &DatasetId, gone: &[String]) -> Vec<String> {
    let told = || {
        format!(
            "the import that takes the place of `{live}` holds its rows, key and indexes, but not {}",
            gone.join(", ")
        )
    };
    if gone.is_empty() { Vec::new() } else { vec![told()] }
}

/// The first of `names`, and how many more there are.
pub(super) fn some_of(names: &[String]) -> String {
    let mut told: Vec<String> = names.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
    if names.len() > TOLD {
        told.push(format!("{} more", names.len() - TOLD));
    }
    told.join(", ")
}

/// The key of the columns `was`, where the new table's key `is` another.
pub(super) fn lost_key(was: &[String], is: &[String]) -> Option<String> {
    (!was.is_empty() && was != is).then(|| format!("its primary key ({})", was.join(", ")))
}

/// What the columns `old` have and those of the same names in `new` have not; `alike` says whether two types are as good.
pub(super) fn of_columns(old: &[Seen], new: &[Seen], alike: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let place = |name: &str| new.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    let pairs: Vec<(&Seen, usize)> = old.iter().filter_map(|was| Some((was, place(&was.name)?))).collect();
    let loose = pairs.iter().filter(|(was, at)| was.not_null && !new[*at].not_null);
    let other = pairs.iter().filter(|(was, at)| !alike(&was.of, &new[*at].of));
    let loose: Vec<String> = loose.map(|(was, _)| was.name.clone()).collect();
    let other: Vec<String> = other.map(|(was, at)| format!("{} {}, now {}", was.name, was.of, new[*at].of)).collect();
    let mut gone = Vec::new();
    if !loose.is_empty() {
        gone.push(format!("NOT NULL of {}", some_of(&loose)));
    }
    if !other.is_empty() {
        gone.push(format!("the types of its columns ({})", some_of(&other)));
    }
    if !pairs.is_sorted_by_key(|(_, at)| *at) {
        gone.push("the order of its columns (that of the origin it has)".to_owned());
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, of: &str, not_null: bool) -> Seen {
        Seen { name: name.to_owned(), of: of.to_owned(), not_null }
    }

    #[test]
    fn of_columns_that_both_have_type_not_null_and_order_are_told() {
        let old = [seen("a", "int", true), seen("B", "text", false), seen("gone", "int", true)];
        assert_eq!(
            of_columns(&old, &[seen("a", "int", true), seen("b", "text", true)], |a, b| a == b),
            Vec::<String>::new()
        );
        assert_eq!(
            of_columns(&old, &[seen("b", "blob", false), seen("a", "int", false)], |a, b| a == b),
            [
                "NOT NULL of `a`",
                "the types of its columns (`B text, now blob`)",
                "the order of its columns (that of the origin it has)"
            ]
        );
    }

    #[test]
    fn a_key_is_lost_where_there_was_one_and_another_or_none_is() {
        let (a, b) = (["a".to_owned()], ["b".to_owned()]);
        assert_eq!(lost_key(&a, &b).as_deref(), Some("its primary key (a)"));
        assert_eq!(lost_key(&a, &[]).as_deref(), Some("its primary key (a)"));
        assert!(lost_key(&a, &a).is_none() && lost_key(&[], &b).is_none());
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = (0..7).map(|n| format!("c{n}")).collect();
        assert_eq!(some_of(&names), "`c0`, `c1`, `c2`, `c3`, `c4`, 2 more");
    }
}
