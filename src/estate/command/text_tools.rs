//! What a shell makes of text that is known: `${name##*/}` and its like, and `echo … | cut … | tr …`.

/// Texts longer than this are left alone: names and paths are short.
const LONGEST: usize = 1_000;

/// `value` as `${name…}` gives it, where `operation` is what stands behind the name; `None` where that is not known.
pub(super) fn operated(value: &str, operation: &str) -> Option<String> {
    if value.len() > LONGEST || operation.len() > LONGEST {
        return None;
    }
    let cut = |mark: &str| operation.strip_prefix(mark).map(|pattern| pattern.replace(['"', '\''], ""));
    if let Some(pattern) = cut("##") {
        return prefixes(value).rev().find_map(|(head, rest)| matches(&pattern, head).then(|| rest.to_owned()));
    }
    if let Some(pattern) = cut("#") {
        return prefixes(value).find_map(|(head, rest)| matches(&pattern, head).then(|| rest.to_owned()));
    }
    if let Some(pattern) = cut("%%") {
        return prefixes(value).find_map(|(head, rest)| matches(&pattern, rest).then(|| head.to_owned()));
    }
    if let Some(pattern) = cut("%") {
        return prefixes(value).rev().find_map(|(head, rest)| matches(&pattern, rest).then(|| head.to_owned()));
    }
    // What stands for a value that nobody knows keeps its spelling.
    if value.contains("${") {
        return None;
    }
    match operation {
        "^^" => Some(value.to_uppercase()),
        ",," => Some(value.to_lowercase()),
        _ => match operation.strip_prefix('/') {
            Some(rest) => exchanged(value, rest),
            None => part(value, operation.strip_prefix(':')?),
        },
    }
}

/// Every way to cut `value` in two, the shortest head first.
fn prefixes(value: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let ends = value.char_indices().map(|(at, _)| at).chain([value.len()]);
    ends.map(move |at| value.split_at(at))
}

/// Whether `pattern`, of `*`, `?` and plain letters, is all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern.contains(['[', '$', '`', '\\']) || pattern.len() > 100 {
        return false;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[here] => (at, here) = (at + 1, here + 1),
            _ => match star {
                Some((before, from)) => {
                    (at, here) = (before + 1, from + 1);
                    star = Some((before, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// `${name/old/new}` and `${name//old/new}`; `rest` is what stands behind the first slash.
fn exchanged(value: &str, rest: &str) -> Option<String> {
    let (all, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
    let (old, new) = rest.split_once('/').unwrap_or((rest, ""));
    let plain =
        !old.is_empty() && !old.contains(['*', '?', '[', '\\', '$', '#', '%']) && !new.contains(['$', '\\', '`']);
    let times = if all { usize::MAX } else { 1 };
    plain.then(|| value.replacen(old, new, times))
}

/// `${name:from}` and `${name:from:length}`; from the end where `from` is below zero.
fn part(value: &str, rest: &str) -> Option<String> {
    let (from, length) = rest.split_once(':').map_or((rest, None), |(from, length)| (from, Some(length)));
    let all: Vec<char> = value.chars().collect();
    let from: i64 = from.trim().trim_matches(['(', ')']).parse().ok()?;
    let start = usize::try_from(from).unwrap_or_else(|_| all.len().saturating_sub(from.unsigned_abs() as usize));
    let length = length.map_or(Some(all.len()), |length| length.trim().parse().ok())?;
    Some(all.into_iter().skip(start).take(length).collect())
}

/// What `text` becomes in a pipe of `programs`, each the words of one; `None` where one does what is not known here.
pub(super) fn piped(text: String, programs: &[Vec<String>]) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    // A name that nobody knows stays itself in another case, and is lost in anything else.
    if text.contains("${") {
        return programs.iter().all(|program| changes_case(program)).then_some(text);
    }
    programs.iter().try_fold(text, |text, program| {
        let (name, args) = program.split_first()?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match name.as_str() {
            "rev" => Some(text.chars().rev().collect()),
            "cut" => cut(&text, &args),
            "tr" => translated(&text, &args),
            "sed" => edited(&text, &args),
            "awk" | "gawk" => word_of(&text, &args),
            "head" | "tail" | "xargs" | "cat" if args.iter().all(|arg| arg.starts_with('-')) => Some(text),
            _ => None,
        }
    })
}

fn changes_case(program: &[String]) -> bool {
    let [name, from, into] = program else { return false };
    let of = |set: &str| matches!(set, "A-Z" | "a-z" | "[A-Z]" | "[a-z]" | "[:upper:]" | "[:lower:]");
    name == "tr" && of(from) && of(into)
}

/// The value of option `name`, apart from it or behind it.
fn option<'a>(args: &[&'a str], name: &str) -> Option<&'a str> {
    let at = args.iter().position(|arg| arg.starts_with(name))?;
    match &args[at][name.len()..] {
        "" => args.get(at + 1).copied(),
        value => Some(value),
    }
}

/// `cut -d. -f2-` and `cut -c1-3`.
fn cut(text: &str, args: &[&str]) -> Option<String> {
    if let Some(wanted) = option(args, "-c") {
        let all: Vec<char> = text.chars().collect();
        return Some(chosen(&all, wanted)?.into_iter().collect());
    }
    let mark = option(args, "-d").unwrap_or("\t");
    let wanted = option(args, "-f")?;
    if mark.is_empty() || !text.contains(mark) {
        return (!mark.is_empty()).then(|| text.to_owned());
    }
    let all: Vec<&str> = text.split(mark).collect();
    Some(chosen(&all, wanted)?.join(mark))
}

/// Those of `all` that a list such as `1,3-5,7-` counts, from 1.
fn chosen<T: Copy>(all: &[T], wanted: &str) -> Option<Vec<T>> {
    let mut ranges = Vec::new();
    for one in wanted.split(',') {
        let (from, to) = one.split_once('-').unwrap_or((one, one));
        let from: usize = if from.is_empty() { 1 } else { from.parse().ok()? };
        let to: usize = if to.is_empty() { all.len() } else { to.parse().ok()? };
        ranges.push(from..=to);
    }
    let counted = all.iter().enumerate().filter(|(at, _)| ranges.iter().any(|range| range.contains(&(at + 1))));
    Some(counted.map(|(_, one)| *one).collect())
}

/// `tr a-z A-Z`, `tr - _`, `tr -d .`.
fn translated(text: &str, args: &[&str]) -> Option<String> {
    match args {
        ["-d", gone] => {
            let gone = letters(gone);
            Some(text.chars().filter(|c| !gone.contains(c)).collect())
        }
        [from, into] if from.len() == 1 || !from.starts_with('-') => {
            let (from, into) = (letters(from), letters(into));
            let last = into.last().copied()?;
            let other =
                |c: char| from.iter().position(|one| *one == c).map_or(c, |at| into.get(at).copied().unwrap_or(last));
            Some(text.chars().map(other).collect())
        }
        _ => None,
    }
}

/// The letters of a set of `tr`.
fn letters(set: &str) -> Vec<char> {
    let set = set.replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z");
    let all: Vec<char> = set.chars().collect();
    let mut letters = Vec::new();
    let mut at = 0;
    while at < all.len() {
        match all.get(at + 1..at + 3) {
            Some(['-', end]) if *end >= all[at] => {
                letters.extend(all[at]..=*end);
                at += 3;
            }
            _ => {
                letters.push(all[at]);
                at += 1;
            }
        }
    }
    letters
}

/// `sed 's/old/new/g'` where `old` is plain text, perhaps at the beginning or the end.
fn edited(text: &str, args: &[&str]) -> Option<String> {
    let mut scripts = args.iter().filter(|arg| !matches!(**arg, "-e" | "-E" | "-r"));
    scripts.try_fold(text.to_owned(), |text, script| {
        let mark = script.strip_prefix('s')?.chars().next()?;
        let parts: Vec<&str> = script[1 + mark.len_utf8()..].split(mark).collect();
        let [old, new, flags] = parts[..] else { return None };
        let (old, new) = (old.replace("\\.", "\u{1}"), new.replace("\\.", "."));
        let (at_start, old) = old.strip_prefix('^').map_or((false, old.as_str()), |old| (true, old));
        let (at_end, old) = old.strip_suffix('$').map_or((false, old), |old| (true, old));
        if old.is_empty()
            || old.contains(['.', '*', '[', '\\', '(', '+', '?', '{', '|', '^'])
            || new.contains(['\\', '&'])
        {
            return None;
        }
        let old = old.replace('\u{1}', ".");
        Some(match (at_start, at_end, flags) {
            (true, true, _) => {
                if text == old {
                    new
                } else {
                    text
                }
            }
            (true, false, _) => text.strip_prefix(&old).map_or(text.clone(), |rest| format!("{new}{rest}")),
            (false, true, _) => text.strip_suffix(&old).map_or(text.clone(), |rest| format!("{rest}{new}")),
            (false, false, "g") => text.replace(&old, &new),
            (false, false, "") => text.replacen(&old, &new, 1),
            _ => return None,
        })
    })
}

/// `awk -F. '{print $1}'`.
fn word_of(text: &str, args: &[&str]) -> Option<String> {
    let mark = option(args, "-F");
    let wanted = args.last()?.trim().strip_prefix('{')?.strip_suffix('}')?.trim().strip_prefix("print")?.trim();
    let words: Vec<&str> = match mark {
        Some(mark) if mark.chars().count() == 1 => text.split(mark).collect(),
        Some(_) => return None,
        None => text.split_whitespace().collect(),
    };
    match wanted.strip_prefix('$')? {
        "NF" => words.last().map(|word| (*word).to_owned()),
        number => {
            Some(words.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied().unwrap_or_default().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe(text: &str, programs: &[&[&str]]) -> Option<String> {
        let words = |program: &&[&str]| -> Vec<String> { program.iter().map(|word| (*word).to_owned()).collect() };
        piped(text.to_owned(), &programs.iter().map(words).collect::<Vec<_>>())
    }

    #[test]
    fn a_variable_loses_what_its_pattern_takes_from_either_end() {
        let cases = [
            ("##*/", "age.tar.sql"),
            ("#*/", "b/age.tar.sql"),
            ("%.sql", "a/b/age.tar"),
            ("%%.*", "a/b/age"),
            ("%/*", "a/b"),
            ("#x", "a/b/age.tar.sql"),
            ("/age/old", "a/b/old.tar.sql"),
            ("//a/A", "A/b/Age.tAr.sql"),
            (": -4", ".sql"),
            (":0:3", "a/b"),
            ("^^", "A/B/AGE.TAR.SQL"),
        ];
        for (operation, expected) in cases {
            let made = operated("a/b/age.tar.sql", operation).unwrap_or_else(|| "a/b/age.tar.sql".to_owned());
            assert_eq!(made, expected, "{operation}");
        }
        assert_eq!(operated("a", "[0]"), None);
        assert_eq!(operated("é", ":5:9").as_deref(), Some(""));
    }

    #[test]
    fn a_pipe_of_known_programs_is_followed() {
        let stem: &[&[&str]] = &[&["rev"], &["cut", "-d.", "-f2-"], &["rev"]];
        assert_eq!(pipe("age.v2.sql", stem).as_deref(), Some("age.v2"));
        assert_eq!(pipe("a/b/age", &[&["rev"], &["cut", "-d", "/", "-f", "1"], &["rev"]]).as_deref(), Some("age"));
        assert_eq!(pipe("Orders-EU", &[&["tr", "A-Z", "a-z"], &["tr", "-", "_"]]).as_deref(), Some("orders_eu"));
        assert_eq!(pipe("load.orders.sql", &[&["sed", "s/\\.sql$//"], &["sed", "s,load.,,"]]), None);
        assert_eq!(pipe("load_a.sql", &[&["sed", "s/\\.sql$//;s/a/b/"]]), None);
        assert_eq!(pipe("load_a.sql", &[&["sed", "-e", "s/\\.sql$//", "-e", "s/^load_//"]]).as_deref(), Some("a"));
        assert_eq!(pipe("x.y.z", &[&["awk", "-F.", "{print $NF}"], &["cut", "-c1"]]).as_deref(), Some("z"));
        assert_eq!(pipe("x", &[&["jq", "-r", ".a"]]), None);
    }

    #[test]
    fn a_name_that_nobody_knows_only_survives_a_change_of_case() {
        assert_eq!(pipe("${env}_a", &[&["tr", "[:upper:]", "[:lower:]"]]).as_deref(), Some("${env}_a"));
        assert_eq!(pipe("${env}_a", &[&["cut", "-d_", "-f1"]]), None);
        assert_eq!(operated("${env}/a.sql", "##*/").as_deref(), Some("a.sql"));
        assert_eq!(operated("${env}", "^^"), None);
    }
}
