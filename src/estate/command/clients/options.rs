//! A program's arguments as options and the rest.
use super::super::run::Arg;

/// Options in the order in which they stand, each with its value, and what is no option.
pub(super) struct Options {
    pub(super) given: Vec<(String, Arg)>,
    pub(super) rest: Vec<Arg>,
}

impl Options {
    /// Sorts `args`. `with_value` says of an option whether the next argument is its value.
    pub(super) fn of(args: &[Arg], with_value: impl Fn(&str) -> bool) -> Options {
        let mut options = Options { given: Vec::new(), rest: Vec::new() };
        let mut waiting = args.iter();
        while let Some(arg) = waiting.next() {
            let text = arg.text.as_str();
            if !text.starts_with('-')
                || text.len() < 2
                || text.contains(char::is_whitespace) && !text.contains('=') && text.starts_with("- ")
            {
                options.rest.push(arg.clone());
            } else if let Some((name, value)) = text.split_once('=').filter(|(name, _)| name.starts_with("--")) {
                options.given.push((name.to_owned(), behind(arg, value)));
            } else if with_value(text) {
                if let Some(value) = waiting.next() {
                    options.given.push((text.to_owned(), value.clone()));
                }
            } else if let Some((name, value)) = attached(text).filter(|(name, _)| with_value(name)) {
                options.given.push((name.to_owned(), behind(arg, value)));
            } else {
                options.given.push((text.to_owned(), behind(arg, "")));
            }
        }
        options
    }

    /// The values of the options `names`, in order.
    pub(super) fn all<'o>(&'o self, names: &'o [&str]) -> impl Iterator<Item = &'o Arg> {
        self.given.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value)
    }

    /// The last value of the options `names`.
    pub(super) fn last<'o>(&'o self, names: &'o [&str]) -> Option<&'o Arg> {
        self.all(names).last()
    }
}

/// `-ffile` as `-f` and `file`.
fn attached(text: &str) -> Option<(&str, &str)> {
    let second = text.chars().nth(1).filter(|c| *c != '-')?;
    let split = 1 + second.len_utf8();
    (text.len() > split).then(|| text.split_at(split))
}

/// The part `value` at the end of `arg`.
fn behind(arg: &Arg, value: &str) -> Arg {
    let mut at = arg.at.clone();
    // `--command="…"` keeps the place of the whole word; without quotes its end is exact.
    let verbatim = arg.verbatim.as_ref().filter(|raw| raw.ends_with(value) && !value.is_empty()).map(|raw| {
        at.start += raw.len() - value.len();
        at.column += raw[..raw.len() - value.len()].chars().count() as u32;
        value.to_owned()
    });
    Arg { text: value.to_owned(), at, verbatim, file: arg.file.clone() }
}
