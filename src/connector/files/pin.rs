//! One file held at the state it was first seen in.
use std::fs::{File, Metadata};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::connector::{ConnectorError, json::Lines, system::failed};
use crate::vocab::Digest;

/// File systems write times down no finer than this.
const CLOCK_GRAIN: Duration = Duration::from_secs(2);

/// An open file, and what it was when it was opened.
///
/// A file that is replaced by another of its name stays as it was for whoever has it open; one that is
/// written to is noticed by its size, its time, and, where the time cannot tell, its digest.
pub(super) struct Pin {
    path: Utf8PathBuf,
    file: File,
    bytes: u64,
    modified: Option<SystemTime>,
    opened: SystemTime,
    digest: Digest,
}

impl Pin {
    /// Opens `path` and takes its digest.
    pub(super) fn of(path: &Utf8Path) -> Result<Self, ConnectorError> {
        let opened = SystemTime::now();
        let pinned = (|| -> std::io::Result<Pin> {
            let file = File::open(path)?;
            let Facts { bytes, modified } = Facts::of(&file.metadata()?);
            let digest = Digest::of_reader(BufReader::new(file.try_clone()?))?;
            Ok(Pin { path: path.to_owned(), file, bytes, modified, opened, digest })
        })();
        let pin = pinned.map_err(|e| failed(format!("read the file `{}`", name(path)), e))?;
        pin.check()?;
        Ok(pin)
    }

    /// A reader from the file's first byte.
    ///
    /// All readers of one pin share a position: only one may be read at a time.
    pub(super) fn reader(&self) -> Result<File, ConnectorError> {
        let rewound = || -> std::io::Result<File> {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        rewound().map_err(|e| failed(format!("read the file `{}`", self.name()), e))
    }

    /// The file's name without its folder.
    pub(super) fn name(&self) -> &str {
        name(&self.path)
    }

    /// Whether it still is what it was.
    ///
    /// # Errors
    /// That it changed; what was read of it cannot be used.
    pub(super) fn check(&self) -> Result<(), ConnectorError> {
        let doing = || format!("read the file `{}` at one state", self.name());
        let now = Facts::of(&self.file.metadata().map_err(|e| failed(doing(), e))?);
        let same = now.bytes == self.bytes && now.modified == self.modified;
        match same && (self.is_old() || self.digest_now()? == self.digest) {
            true => Ok(()),
            false => {
                let why = "it was written to while it was read: run carve again when the file is finished";
                Err(ConnectorError::Engine { doing: doing(), source: why.into() })
            }
        }
    }

    /// Whether its time is so far back that any later write would show in it.
    fn is_old(&self) -> bool {
        let age = self.modified.and_then(|modified| self.opened.duration_since(modified).ok());
        age.is_some_and(|age| age > CLOCK_GRAIN)
    }

    fn digest_now(&self) -> Result<Digest, ConnectorError> {
        let digest = Digest::of_reader(BufReader::new(self.reader()?.take(u64::MAX)));
        digest.map_err(|e| failed(format!("read the file `{}`", self.name()), e))
    }
}

impl Lines for Pin {
    fn reader(&self) -> Result<File, ConnectorError> {
        Pin::reader(self)
    }

    fn named(&self) -> String {
        format!("the file `{}`", self.name())
    }

    fn unit(&self) -> &'static str {
        "line"
    }
}

struct Facts {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Facts {
    fn of(metadata: &Metadata) -> Self {
        Facts { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

fn name(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or_default()
}

/// The error that a file holds something at a line that cannot be read as what it should be.
pub(super) fn malformed(file: &str, line: u64, why: String) -> ConnectorError {
    ConnectorError::Refused { doing: format!("read the file `{file}`"), source: format!("line {line}: {why}").into() }
}
