//! The items of one reading on disk, one a line, in an order that does not depend on how the API gave them.
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::scalar;
use super::settings::Key;
use super::trouble::{Trouble, refused};
use crate::connector::json::{Lines, canonical, members, quoted};
use crate::connector::{ConnectorError, system::failed};
use crate::service::{Fingerprint, RowHash, row_hash};
use crate::vocab::{Column, LogicalType, Schema, Value};

/// Items being written down.
pub(super) struct Writer {
    file: BufWriter<Scratch>,
    key: Key,
    schema: Schema,
    entries: Vec<Entry>,
    at: u64,
    /// What messages call the table.
    named: String,
}

/// Where an item is, and what it is ordered by.
struct Entry {
    key: Box<[Part]>,
    hash: RowHash,
    at: u64,
    bytes: u64,
    page: u32,
}

/// One member of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Integer(i64),
    Text(String),
}

/// All items of one reading.
pub(super) struct Spool {
    file: Scratch,
    /// The members that tell its items apart; empty where nothing does.
    pub(super) key: Vec<String>,
    /// The same for the same items in any order.
    pub(super) fingerprint: Fingerprint,
    named: String,
}

impl Writer {
    /// Nothing yet; messages call the items those of `named`.
    pub(super) fn new(key: &Key, named: String) -> Result<Self, ConnectorError> {
        let text = Column {
            name: "item".to_owned(),
            logical: LogicalType::Text,
            physical: String::new(),
            nullable: false,
            description: None,
        };
        let schema = Schema { columns: vec![text], key: Vec::new() };
        let file = BufWriter::with_capacity(1 << 16, Scratch::new()?);
        Ok(Writer { file, key: key.clone(), schema, entries: Vec::new(), at: 0, named })
    }

    /// Takes in the items of the page number `page`; what comes back is a hash of them all and the key of the last one.
    pub(super) fn add(&mut self, items: &[&str], page: u32) -> Result<(u128, Option<String>), Trouble> {
        let (mut all, mut last_key) = (Fingerprint::default(), None);
        for item in items {
            let (number, named) = (self.entries.len() + 1, self.named.clone());
            let wrong = |why: String| refused(format!("read item {number} of {named}"), why);
            let members = members(item).map_err(wrong)?;
            let spelled = members.iter().map(|(name, value)| spelled(name, value));
            let spelled = spelled.collect::<Result<Vec<String>, String>>().map_err(wrong)?;
            let entry = self.entry(&members, &spelled, page).map_err(wrong)?;
            all.add_hash(entry.hash);
            last_key = match &*entry.key {
                [Part::Text(text)] => Some(text.clone()),
                [Part::Integer(number)] => Some(number.to_string()),
                _ => None,
            };
            self.write(&spelled, entry)?;
        }
        Ok((all.sum, last_key))
    }

    /// Puts what was taken in into order.
    ///
    /// # Errors
    /// [`Trouble::Drift`] where pages overlap: an item moved from one to another meanwhile.
    pub(super) fn finish(mut self) -> Result<Spool, Trouble> {
        if self.key != Key::None {
            self.entries.sort_by(|one, other| (&one.key, one.at).cmp(&(&other.key, other.at)));
            self.check_key()?;
        }
        let mut fingerprint = Fingerprint::default();
        self.entries.iter().for_each(|entry| fingerprint.add_hash(entry.hash));
        let key = match self.key {
            Key::None => {
                self.entries.sort_by_key(|entry| (entry.hash, entry.at));
                Vec::new()
            }
            Key::Guess => vec![GUESS.to_owned()],
            Key::Members(names) => names,
        };
        let file = self.file.into_inner().map_err(|error| spooling(error.into_error()))?;
        let file = file.ordered(&self.entries).map_err(spooling)?;
        Ok(Spool { file, key, fingerprint, named: self.named })
    }

    fn entry(&mut self, members: &[(String, &str)], spelled: &[String], page: u32) -> Result<Entry, String> {
        let key = match &self.key {
            Key::None => Vec::new(),
            Key::Members(names) => parts(members, names)?,
            Key::Guess => parts(members, &[GUESS.to_owned()]).unwrap_or_default(),
        };
        if key.is_empty() && self.key == Key::Guess {
            // Not every item has one: it is no key.
            self.key = Key::None;
        }
        let mut sorted = spelled.to_vec();
        sorted.sort_unstable();
        let hash = row_hash(&self.schema, &[Value::Text(sorted.join(","))]).map_err(|error| error.to_string())?;
        Ok(Entry { key: key.into(), hash, at: self.at, bytes: 0, page })
    }

    /// Writes an item as one line, its members in the order in which they came.
    fn write(&mut self, spelled: &[String], mut entry: Entry) -> Result<(), Trouble> {
        let line = format!("{{{}}}\n", spelled.join(","));
        self.file.write_all(line.as_bytes()).map_err(spooling)?;
        entry.bytes = line.len() as u64;
        self.at += entry.bytes;
        self.entries.push(entry);
        Ok(())
    }

    /// Whether the key, by which the items are sorted, tells them apart.
    fn check_key(&mut self) -> Result<(), Trouble> {
        let twins = self.entries.windows(2).filter(|two| two[0].key == two[1].key);
        let twins: Vec<&[Entry]> = twins.take(1_000).collect();
        let same_page = twins.iter().find(|two| two[0].page == two[1].page);
        match (&self.key, same_page, twins.first()) {
            (_, _, None) => Ok(()),
            (Key::Guess, Some(_), _) => {
                self.key = Key::None;
                Ok(())
            }
            (Key::Members(names), Some(two), _) => Err(Trouble::Final(refused(
                format!("read {}", self.named),
                format!(
                    "two items of one page have the same `{}` ({}): name members that tell items apart with `key=A,B`, or \
                     say `key=none`",
                    names.join("`, `"),
                    shown(&two[0].key)
                ),
            ))),
            (_, None, Some(two)) => Err(Trouble::Drift(format!(
                "an item ({}) came on two pages, so others may have come on none; where the same is no sign of that, name \
                 what tells items apart with `key=A,B`, or say `key=none`",
                shown(&two[0].key)
            ))),
            (Key::None, Some(_), _) => Ok(()),
        }
    }
}

impl Lines for Spool {
    fn reader(&self) -> Result<File, ConnectorError> {
        self.file.reader().map_err(spooling)
    }

    fn named(&self) -> String {
        self.named.clone()
    }

    fn unit(&self) -> &'static str {
        "row"
    }
}

/// The member that is the key where every item has one of its own.
const GUESS: &str = "id";

/// A member in one spelling.
fn spelled(name: &str, value: &str) -> Result<String, String> {
    Ok(format!("{}:{}", quoted(name)?, canonical(value).map_err(|why| format!("`{name}`: {why}"))?))
}

fn parts(members: &[(String, &str)], names: &[String]) -> Result<Vec<Part>, String> {
    let part = |name: &String| {
        let value = members.iter().find(|(member, _)| member == name).map(|(_, value)| *value);
        let part = value.and_then(|text| match text.starts_with('"') {
            true => scalar(text).map(Part::Text),
            false => text.parse().ok().map(Part::Integer),
        });
        part.ok_or_else(|| format!("its key `{name}` is neither text nor a whole number: correct `key` in the address"))
    };
    names.iter().map(part).collect()
}

fn shown(key: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Integer(number) => number.to_string(),
        Part::Text(text) => text.chars().take(40).flat_map(char::escape_debug).collect(),
    };
    key.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn spooling(error: std::io::Error) -> ConnectorError {
    failed("keep what an API gave in the folder for temporary files".to_owned(), error)
}

/// A file without a name for as long as it is open, where the system knows such; removed at the end at the latest.
struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, ConnectorError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("carve-{}-{number}.jsonl", std::process::id()));
            match options.open(&path) {
                Ok(file) => {
                    // Whatever becomes of this process, the data does not stay.
                    #[cfg(unix)]
                    let _ = std::fs::remove_file(&path);
                    return Ok(Scratch { file, path });
                }
                // Left by a process of the same number.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(spooling(error)),
            }
        }
    }

    /// A reader from the first byte; all of them share a position.
    fn reader(&self) -> std::io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The lines of `entries`, in their order.
    fn ordered(mut self, entries: &[Entry]) -> std::io::Result<Scratch> {
        if entries.is_sorted_by_key(|entry| entry.at) {
            return Ok(self);
        }
        let copy = Scratch::new().map_err(std::io::Error::other)?;
        let mut out = BufWriter::with_capacity(1 << 16, copy);
        let mut line = Vec::new();
        for entry in entries {
            line.resize(usize::try_from(entry.bytes).map_err(std::io::Error::other)?, 0);
            self.file.seek(SeekFrom::Start(entry.at))?;
            self.file.read_exact(&mut line)?;
            out.write_all(&line)?;
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if cfg!(not(unix)) {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(key: Key, pages: &[&[&str]]) -> Result<(String, Vec<String>, Fingerprint), Trouble> {
        let mut writer = Writer::new(&key, "`shop:orders`".to_owned()).unwrap();
        for (number, items) in pages.iter().enumerate() {
            writer.add(items, number as u32)?;
        }
        let spool = writer.finish()?;
        let mut text = String::new();
        spool.reader().unwrap().read_to_string(&mut text).unwrap();
        Ok((text, spool.key.clone(), spool.fingerprint))
    }

    fn why(trouble: Trouble) -> String {
        match trouble {
            Trouble::Drift(why) => format!("drift: {why}"),
            Trouble::Final(error) => format!("{error}: {}", std::error::Error::source(&error).unwrap()),
        }
    }

    #[test]
    fn the_same_items_make_the_same_lines_whatever_their_order_and_pages() {
        let one: &[&[&str]] = &[&[r#"{"id":10,"b":{"y":1,"x":2}}"#], &[r#"{"id":9,"b":null}"#]];
        let other: &[&[&str]] = &[&[r#"{ "id":9, "b": null}"#, r#"{"id":10,"b":{"x":2, "y":1}}"#]];
        let expected = "{\"id\":9,\"b\":null}\n{\"id\":10,\"b\":{\"x\":2,\"y\":1}}\n";
        let one = spool(Key::Guess, one).unwrap();
        assert_eq!((one.0.as_str(), one.1.as_slice()), (expected, ["id".to_owned()].as_slice()));
        assert_eq!(spool(Key::Guess, other).unwrap(), one);
        let (a, b) = (r#"{"x":1,"y":2}"#, r#"{"x":2,"y":1}"#);
        let (there, back) = (spool(Key::None, &[&[a, b, a]]).unwrap(), spool(Key::None, &[&[a, a], &[b]]).unwrap());
        assert_eq!((&there, there.2.rows), (&back, 3));
        let reordered = spool(Key::None, &[&[r#"{"y":2,"x":1}"#, b, a]]).unwrap();
        assert_eq!(reordered.2, there.2);
    }

    #[test]
    fn an_id_that_does_not_tell_items_apart_is_no_key() {
        for items in
            [[r#"{"id":1,"a":1}"#, r#"{"id":1,"a":2}"#], [r#"{"id":1}"#, r#"{"a":2}"#], [r#"{"id":null}"#, "{}"]]
        {
            assert_eq!(spool(Key::Guess, &[&items]).unwrap().1, [""; 0], "{items:?}");
        }
    }

    #[test]
    fn a_key_on_two_pages_is_drift_and_on_one_page_no_key() {
        let two = [r#"{"id":"a","n":1}"#, r#"{"id":"a","n":2}"#];
        for key in [Key::Guess, Key::Members(vec!["id".to_owned()])] {
            let told = why(spool(key, &[&two[..1], &two[1..]]).unwrap_err());
            assert!(told.starts_with("drift: an item (a) came on two pages"), "{told}");
        }
        let told = why(spool(Key::Members(vec!["id".to_owned()]), &[&two]).unwrap_err());
        assert!(told.contains("same `id` (a)") && told.contains("key=none"), "{told}");
        let both = Key::Members(vec!["id".to_owned(), "n".to_owned()]);
        assert_eq!(spool(both, &[&two[..1], &two[1..]]).unwrap().1, ["id", "n"]);
        let told = why(spool(Key::Members(vec!["no".to_owned()]), &[&two]).unwrap_err());
        assert!(told.contains("item 1 of `shop:orders`") && told.contains("`no`"), "{told}");
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        let told = why(spool(Key::Guess, &[&[r#"{"id":1}"#, "7"]]).unwrap_err());
        assert!(told.contains("item 2") && told.contains("object"), "{told}");
        let told = why(spool(Key::Guess, &[&[r#"{"id":1,"id":2}"#]]).unwrap_err());
        assert!(told.contains("`id` occurs twice"), "{told}");
    }
}
