//! Walks the commands of a script with the shell's variables, and gathers what they do with data.
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    clients,
    printed::Printed,
    syntax::{Simple, Step, steps},
    text_tools::operated,
    words::{Piece, Word},
};
use crate::{
    diagnostics::{Code, CodeEntry, Diagnostic},
    estate::{
        found::Found,
        given_sql::{How, shown},
        paths::folder_of,
        reader::{Around, Sought},
        text_file::TextFile,
    },
    vocab::{FoldBudget, MAX_FOLDED_BYTES, Span},
};

/// Commands one text may run, loops and nested scripts included.
const FUEL: usize = 20_000;
/// Scripts that call scripts.
const MAX_DEPTH: usize = 12;

/// Where a text of commands stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file it is written in.
    pub(crate) file: TextFile,
    /// Byte of the file's text at which the commands begin, where they stand there as they are.
    pub(crate) base: Option<usize>,
    /// The place of all of it.
    pub(crate) whole: Span,
}

impl Place {
    /// The whole of `file`.
    pub(crate) fn of_file(file: &TextFile) -> Self {
        Place { file: file.clone(), base: Some(0), whole: file.whole() }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        match self.base {
            Some(base) => self.file.span(base + start, base + end),
            None => self.whole.clone(),
        }
    }
}

/// Reads the commands of `text`, which run in `folder` with `vars` set.
pub(crate) fn run(
    text: &str,
    place: &Place,
    folder: &Utf8Path,
    vars: BTreeMap<String, String>,
    around: &Around<'_>,
) -> Found {
    let mut shared = Shared { around, ran: Found::default(), fuel: FUEL, open: Vec::new() };
    shared.open.push(place.file.path.clone());
    Shell::new(place.clone(), folder, vars).all(text, &mut shared);
    shared.ran
}

/// What all scripts of one run share.
pub(super) struct Shared<'a> {
    pub(super) around: &'a Around<'a>,
    pub(super) ran: Found,
    fuel: usize,
    /// Scripts being read: none is read within itself.
    open: Vec<Utf8PathBuf>,
}

/// One script being read.
pub(super) struct Shell {
    pub(super) place: Place,
    pub(super) folder: Utf8PathBuf,
    pub(super) vars: BTreeMap<String, String>,
    /// `name=(a b)`: the items.
    arrays: BTreeMap<String, Vec<Arg>>,
    functions: BTreeMap<String, Function>,
    called: BTreeSet<String>,
    /// A tap whose stream the next command of the pipe takes.
    pub(super) tap: Option<clients::Tap>,
    /// Words of commands that may name a function that another program calls: `trap done EXIT`, `retry load`.
    named: BTreeSet<String>,
    /// Whether a command's own name is only known when it runs: it may be any function.
    dispatches: bool,
    /// What `$1` and its like are, where that is known.
    given: Option<Vec<Arg>>,
    /// How much may still be put together, by the scripts that it runs as well.
    made: Rc<FoldBudget>,
}

/// A function, and the text its words stand in: it may be called from another file.
#[derive(Clone, Debug)]
struct Function {
    body: Vec<Step>,
    place: Place,
}

/// A word with its variables filled.
#[derive(Clone, Debug)]
pub(super) struct Arg {
    pub(super) text: String,
    /// Where it stands.
    pub(super) at: Span,
    /// The bytes there, where they are the text but for `${…}` that templates fill.
    pub(super) verbatim: Option<String>,
    /// The file whose content it is.
    pub(super) file: Option<Utf8PathBuf>,
}

/// What a command is given on its input.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Text(Arg),
    File(Arg),
}

impl Shell {
    fn new(place: Place, folder: &Utf8Path, vars: BTreeMap<String, String>) -> Self {
        Shell {
            place,
            folder: folder.to_owned(),
            vars,
            arrays: BTreeMap::new(),
            functions: BTreeMap::new(),
            called: BTreeSet::new(),
            named: BTreeSet::new(),
            dispatches: false,
            given: None,
            tap: None,
            made: Rc::default(),
        }
    }

    fn all(mut self, text: &str, shared: &mut Shared<'_>) {
        let steps = steps(text);
        self.steps(&steps, shared, 0);
        self.waiting(&BTreeSet::new(), shared, 1);
    }

    /// Runs the functions that nothing calls by name but that a command may call, those of `known` left aside.
    fn waiting(&mut self, known: &BTreeSet<String>, shared: &mut Shared<'_>, depth: usize) {
        let may_run = |shell: &Self, name: &String| {
            !shell.called.contains(name) && !known.contains(name) && (shell.dispatches || shell.named.contains(name))
        };
        while let Some(name) = self.functions.keys().find(|name| may_run(self, name)).cloned() {
            self.call(&name, None, shared, depth);
        }
    }

    fn steps(&mut self, steps: &[Step], shared: &mut Shared<'_>, depth: usize) {
        for step in steps {
            match step {
                Step::Function { name, body } => {
                    let function = Function { body: body.clone(), place: self.place.clone() };
                    self.functions.insert(name.clone(), function);
                }
                Step::For { name, items, body } => {
                    let items: Vec<String> =
                        items.iter().flat_map(|word| self.args(word, shared.around)).map(|arg| arg.text).collect();
                    let items = if items.is_empty() { vec![format!("${{{name}}}")] } else { items };
                    for item in items {
                        self.vars.insert(name.clone(), item);
                        self.steps(body, shared, depth);
                    }
                }
                Step::Pipe(commands) => self.pipe(commands, shared, depth),
            }
        }
    }

    fn pipe(&mut self, commands: &[Simple], shared: &mut Shared<'_>, depth: usize) {
        let mut input: Option<Input> = None;
        self.tap = None;
        for command in commands {
            if shared.fuel == 0 {
                return;
            }
            shared.fuel -= 1;
            let own = match (&command.input_text, &command.input_file) {
                (Some(word), _) => Some(Input::Text(self.arg(word))),
                (None, Some(word)) => Some(Input::File(self.arg(word))),
                (None, None) => input.take(),
            };
            for (name, goes_on, items) in &command.arrays {
                let items: Vec<Arg> = items.iter().flat_map(|word| self.args(word, shared.around)).collect();
                let known = self.arrays.entry(name.clone()).or_default();
                if !goes_on {
                    known.clear();
                }
                known.extend(items);
            }
            let assigns: Vec<(String, String)> =
                command.assigns.iter().map(|(name, word)| (name.clone(), self.arg(word).text)).collect();
            let args: Vec<Arg> = match command.words.split_first() {
                // What a glob finds are arguments, never the program.
                Some((first, rest)) if first.literal().is_some() => {
                    let rest = rest.iter().flat_map(|word| self.args(word, shared.around));
                    std::iter::once(self.arg(first)).chain(rest).collect()
                }
                _ => command.words.iter().flat_map(|word| self.args(word, shared.around)).collect(),
            };
            if args.is_empty() {
                self.vars.extend(assigns);
                continue;
            }
            // `X=1 command` sets X for the command alone.
            let kept: Vec<(String, Option<String>)> =
                assigns.into_iter().map(|(name, value)| (name.clone(), self.vars.insert(name, value))).collect();
            input = self.command(args, own, shared, depth);
            for (name, before) in kept.into_iter().rev() {
                match before {
                    Some(value) => drop(self.vars.insert(name, value)),
                    None => drop(self.vars.remove(&name)),
                }
            }
        }
    }

    /// Runs one command; gives what it hands to the next of the pipe.
    pub(super) fn command(
        &mut self,
        args: Vec<Arg>,
        input: Option<Input>,
        shared: &mut Shared<'_>,
        depth: usize,
    ) -> Option<Input> {
        self.note_names(&args);
        let args = clients::unwrapped(args);
        let (program, rest) = args.split_first()?;
        // A recipe of make may begin with `@` or `-`.
        let name = program.text.rsplit('/').next().unwrap_or_default().trim_start_matches(['@', '-']).to_owned();
        match name.as_str() {
            "cd" | "pushd" => {
                self.change_folder(rest.first());
                None
            }
            "export" | "readonly" | "declare" | "local" | "typeset" | "set" | "setenv" => {
                for arg in rest {
                    if let Some((name, value)) = arg.text.split_once('=') {
                        self.vars.insert(name.to_owned(), value.to_owned());
                    }
                }
                None
            }
            "shift" => {
                let by = rest.first().map_or(Some(1), |by| by.text.parse().ok()).unwrap_or(1);
                let left: Option<Vec<Arg>> = self.given.as_ref().map(|all| all.iter().skip(by).cloned().collect());
                if let Some(left) = left {
                    self.bind(Some(&left));
                }
                None
            }
            "echo" | "printf" => {
                let text = rest.iter().find(|arg| !arg.text.starts_with('-') && arg.text.len() > 2)?;
                Some(Input::Text(text.clone()))
            }
            "cat" | "sed" | "envsubst" | "zcat" | "gunzip" | "awk" | "perl" | "j2" | "iconv" => {
                let file = rest.iter().rev().find(|arg| !arg.text.starts_with('-') && is_sql_path(&arg.text));
                file.map(|file| Input::File(file.clone())).or(input)
            }
            "tee" | "tr" | "head" | "tail" | "grep" => input,
            _ if self.functions.contains_key(&name) && depth < MAX_DEPTH => {
                self.call(&name, Some(rest), shared, depth);
                None
            }
            _ => {
                clients::run(&name, &args, input.as_ref(), self, shared, depth);
                None
            }
        }
    }

    /// The values of what the templates in `args` may name: the settings', and the shell's own before them.
    pub(super) fn known(&self, args: &[Arg], shared: &Shared<'_>) -> BTreeMap<String, String> {
        let names = args.iter().filter(|arg| arg.text.contains('{')).flat_map(|arg| names_in(&arg.text));
        let value = |name| self.vars.get_key_value(name).or_else(|| shared.around.vars.get_key_value(name));
        names.filter_map(value).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn change_folder(&mut self, to: Option<&Arg>) {
        let Some(to) = to.filter(|to| to.text != "-") else { return };
        // A folder that is only known when it runs is most often the script's own.
        let known = to.text.rsplit('}').next().unwrap_or_default().trim_start_matches('/');
        let from =
            if to.text.contains("${") { folder_of(&self.place.file.path).to_owned() } else { self.folder.clone() };
        if let Some(folder) = crate::estate::paths::beside(&from, known) {
            self.folder = folder;
        }
    }

    /// Notes what may be a function's name among `args`, and whether the program's own name is unknown.
    fn note_names(&mut self, args: &[Arg]) {
        let Some((program, rest)) = args.split_first() else { return };
        match program.text.as_str() {
            "echo" | "printf" => {}
            "trap" | "eval" => {
                let words = rest.iter().flat_map(|arg| arg.text.split(|c: char| c.is_whitespace() || c == ';'));
                self.named.extend(words.map(str::to_owned));
            }
            _ => self.named.extend(rest.iter().map(|arg| arg.text.clone())),
        }
        // `$1` and `$@` of the script itself; a client in a variable is no function.
        let unknown = |arg: &Arg| arg.text.contains("${arg") || arg.text.contains("${_}");
        self.dispatches |= unknown(program) || (program.text == "eval" && rest.iter().any(unknown));
    }

    /// Calls the function `name`; with `None` its arguments are not known.
    fn call(&mut self, name: &str, args: Option<&[Arg]>, shared: &mut Shared<'_>, depth: usize) {
        self.called.insert(name.to_owned());
        let Some(function) = self.functions.get(name).cloned() else { return };
        let kept = self.given.clone();
        self.bind(args);
        let here = std::mem::replace(&mut self.place, function.place);
        self.steps(&function.body, shared, depth + 1);
        self.place = here;
        self.bind(kept.as_deref());
    }

    /// Sets `$1` and its like, and forgets those that were.
    fn bind(&mut self, args: Option<&[Arg]>) {
        for at in 1..=self.given.as_ref().map_or(0, Vec::len) {
            self.vars.remove(&at.to_string());
        }
        for name in ["@", "*", "#"] {
            self.vars.remove(name);
        }
        self.given = args.map(<[Arg]>::to_vec);
        let Some(args) = args else { return };
        let all = args.iter().map(|arg| arg.text.clone()).collect::<Vec<_>>().join(" ");
        let numbered = args.iter().enumerate().map(|(at, arg)| ((at + 1).to_string(), arg.text.clone()));
        self.vars.extend(numbered.chain([("@".to_owned(), all.clone()), ("*".to_owned(), all)]));
    }

    /// Reads the commands `text` that stand at `arg`, as `bash -c` does.
    pub(super) fn nested_text(&mut self, arg: &Arg, shared: &mut Shared<'_>, depth: usize) {
        if depth >= MAX_DEPTH {
            return;
        }
        let steps = steps(&arg.text);
        let place = Place { file: self.place.file.clone(), base: None, whole: arg.at.clone() };
        let kept = std::mem::replace(&mut self.place, place);
        self.steps(&steps, shared, depth + 1);
        self.place = kept;
    }

    /// Reads the script `path`, run with `args`; `sourced` where it runs in this very shell.
    pub(super) fn script(&mut self, path: &Arg, args: &[Arg], sourced: bool, shared: &mut Shared<'_>, depth: usize) {
        let Sought::File(file) = self.seek(path, shared) else { return };
        if depth >= MAX_DEPTH || shared.open.contains(&file.path) {
            return;
        }
        shared.ran.claimed.insert(file.path.clone());
        shared.open.push(file.path.clone());
        let text = file.text.clone();
        let mut inner = Shell::new(Place::of_file(&file), &self.folder, self.vars.clone());
        inner.functions = self.functions.clone();
        inner.arrays = self.arrays.clone();
        inner.given = self.given.clone();
        inner.made = Rc::clone(&self.made);
        if !(sourced && args.is_empty()) {
            inner.bind(Some(args));
        }
        let steps = steps(&text);
        inner.steps(&steps, shared, depth + 1);
        if sourced {
            inner.bind(self.given.as_deref());
            self.vars.extend(inner.vars);
            self.arrays.extend(inner.arrays);
            self.functions.extend(inner.functions);
            self.called.extend(inner.called);
            self.named.extend(inner.named);
            self.dispatches |= inner.dispatches;
        } else {
            let known = self.functions.keys().cloned().collect();
            inner.waiting(&known, shared, depth + 1);
        }
        shared.open.pop();
    }

    /// Looks for the file that `arg` names.
    pub(super) fn seek(&self, arg: &Arg, shared: &Shared<'_>) -> Sought {
        let own = folder_of(&self.place.file.path);
        shared.around.find(&[&self.folder, own, Utf8Path::new("")], &arg.text)
    }

    /// The words that `word` becomes: globs are looked up, unquoted variables split.
    fn args(&self, word: &Word, around: &Around<'_>) -> Vec<Arg> {
        if let Some(all) = self.all_given(word) {
            return all;
        }
        let arg = self.arg(word);
        let varies = word.literal().is_none();
        if (word.bare || word.glob)
            && arg.text.contains(['*', '?'])
            && !arg.text.contains("${")
            && !arg.text.contains("://")
        {
            let own = folder_of(&self.place.file.path);
            let found = [self.folder.as_path(), own].into_iter().map(|folder| around.glob(folder, &arg.text));
            if let Some(found) = found.into_iter().find(|found| !found.is_empty()) {
                // Paths from the estate's root stay findable from anywhere.
                let of = |path: &Utf8PathBuf| Arg { text: path.to_string(), ..arg.clone() };
                return found.iter().map(of).collect();
            }
        }
        if word.bare && varies && arg.file.is_none() && arg.text.contains(char::is_whitespace) {
            return arg
                .text
                .split_whitespace()
                .map(|part| Arg { text: part.to_owned(), verbatim: None, ..arg.clone() })
                .collect();
        }
        vec![arg]
    }

    /// The arguments that `"$@"`, `$*` and `"${@:2}"` stand for, each a word of its own.
    fn all_given(&self, word: &Word) -> Option<Vec<Arg>> {
        let [Piece::Variable { name, .. }] = word.pieces.as_slice() else { return None };
        let from: usize = match name.as_str() {
            "@" => 1,
            "*" if word.bare => 1,
            list if list.ends_with("[@]") || list.ends_with("[*]") => {
                return self.arrays.get(&list[..list.len() - 3]).cloned();
            }
            _ => name.strip_prefix("@:")?.parse().ok()?,
        };
        let given = self.given.as_ref()?;
        Some(given.iter().skip(from.saturating_sub(1)).cloned().collect())
    }

    pub(super) fn arg(&self, word: &Word) -> Arg {
        let at = self.place.span(word.start, word.end);
        let mut text = String::new();
        let mut file = None;
        let mut templated = true;
        for piece in &word.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable { name, default, braced, then } => {
                    let value =
                        self.vars.get(name).cloned().or_else(|| default.as_deref().map(|text| self.text_of(text)));
                    let changed = |value: String| match then {
                        Some(then) => operated(&value, then).unwrap_or(value),
                        None => value,
                    };
                    let value = value.map(changed);
                    templated &= *braced && default.is_none();
                    let fits =
                        |value: &String| text.len() + value.len() <= MAX_FOLDED_BYTES && self.made.takes(value.len());
                    let value = value.filter(fits).unwrap_or_else(|| unknown(name));
                    text.push_str(&value);
                }
                Piece::Output(command) => {
                    templated = false;
                    match self.printed(command) {
                        Printed::File(path) => file = Some(path),
                        Printed::Text(out) if text.len() + out.len() <= MAX_FOLDED_BYTES => text.push_str(&out),
                        Printed::Text(_) => text.push_str(&unknown("output")),
                    }
                }
            }
        }
        let raw = self.place.base.filter(|_| word.exact && templated && self.place.file.editable);
        let verbatim =
            raw.and_then(|base| self.place.file.text.get(base + word.start..base + word.end)).map(str::to_owned);
        Arg { text, at, verbatim, file }
    }

    fn text_of(&self, text: &str) -> String {
        let tokens = super::words::tokens(text);
        match tokens.as_slice() {
            [super::words::Token::Word(word)] if text.len() < 1_000 => self.arg(word).text,
            _ => text.to_owned(),
        }
    }

    /// Tells a fault at `arg`.
    pub(super) fn fault(&self, code: Code, arg: &Arg, here: String, shared: &mut Shared<'_>) {
        shared.ran.faults.push(Diagnostic::new(code, arg.at.clone(), here));
    }

    /// Takes the SQL files that `arg` names, and those they include.
    pub(super) fn sql_file(&mut self, arg: &Arg, how: &How, shared: &mut Shared<'_>) -> bool {
        match self.seek(arg, shared) {
            Sought::File(file) => {
                let mut claimed = std::mem::take(&mut shared.ran.claimed);
                for (file, faults) in super::included(&file, &self.folder, shared.around, &mut claimed) {
                    let params = self.params(how, &file.text);
                    shared.ran.scripts.push(How { params, ..how.clone() }.script(
                        file.whole(),
                        file.text.clone(),
                        file.editable,
                        shared.around,
                    ));
                    shared.ran.faults.extend(faults);
                }
                shared.ran.claimed = claimed;
                true
            }
            Sought::Missing(path) => {
                self.fault(CodeEntry::E010, arg, format!("there is no readable file `{path}`"), shared);
                false
            }
            Sought::Outside => {
                self.fault(CodeEntry::E023, arg, format!("`{}` leads outside the estate", arg.text), shared);
                false
            }
            Sought::Computed => {
                self.fault(CodeEntry::E027, arg, format!("which file `{}` is", shown(&arg.text)), shared);
                false
            }
        }
    }

    /// Takes the SQL that `arg` is.
    pub(super) fn sql_text(&mut self, arg: &Arg, how: &How, shared: &mut Shared<'_>) -> bool {
        if let Some(file) = &arg.file {
            let named = Arg { text: file.to_string(), file: None, ..arg.clone() };
            return self.sql_file(&named, how, shared);
        }
        let only_unknown =
            arg.text.trim().starts_with("${") && arg.text.trim().find('}') == Some(arg.text.trim().len() - 1);
        if arg.text.trim().is_empty() || only_unknown {
            self.fault(CodeEntry::E027, arg, format!("what `{}` says", shown(&arg.text)), shared);
            return false;
        }
        let (text, is_verbatim) = match &arg.verbatim {
            Some(raw) => (raw.clone(), true),
            None => (arg.text.clone(), false),
        };
        let params = self.params(how, &text);
        shared.ran.scripts.push(How { params, ..how.clone() }.script(
            arg.at.clone(),
            text.into(),
            is_verbatim,
            shared.around,
        ));
        true
    }

    /// Values for `${…}`: the shell's own that `text` names, and those given to the client.
    fn params(&self, how: &How, text: &str) -> BTreeMap<String, String> {
        let settled = |(name, value): &(&String, &String)| name.len() > 1 && !value.contains("${");
        let mut params: BTreeMap<String, String> =
            named_in(text, &self.vars).filter(settled).map(|(name, value)| (name.clone(), value.clone())).collect();
        params.extend(how.params.clone());
        params
    }
}

/// What a template in `text` may name: words, paths of them, and what stands in quotes.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(move |c| !word(c));
    let paths = text.split(move |c| !(word(c) || matches!(c, '.' | '-' | ':')));
    words.chain(paths).chain(text.split(['\'', '"']))
}

/// Those of `vars` that `text` names as `${name}`; names are looked up, since a script may set thousands.
fn named_in<'v>(text: &str, vars: &'v BTreeMap<String, String>) -> impl Iterator<Item = (&'v String, &'v String)> {
    text.split("${").skip(1).filter_map(|rest| vars.get_key_value(rest.split_once('}')?.0))
}

/// What stands for the value of a variable nobody knows: templates fill it.
pub(super) fn unknown(name: &str) -> String {
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    match word.starts_with(|c: char| c.is_ascii_digit()) || word.is_empty() {
        true => format!("${{arg{word}}}"),
        false => format!("${{{word}}}"),
    }
}

/// Whether `path` looks like a file of SQL.
pub(super) fn is_sql_path(path: &str) -> bool {
    crate::estate::sql_file::stem(path.as_ref()).is_some()
}
