//! A folder as a bucket: for one machine, for tests, for a shared disk.
//!
//! An object comes into being by a hard link from a finished temporary file: the link fails when the name is taken, and
//! a crash leaves either no object or a whole one. Against a power cut objects are flushed many at a time, when asked;
//! one that was not may be cut, so nothing names it before.
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use tokio::task::JoinSet;

use super::address::Address;
use super::batches::blocking;
use super::key::{check_key, check_prefix};
use super::system::failed;
use crate::connector::{Bucket, ConnectorError, ObjectInfo, PutOutcome};
use crate::vocab::Digest;

/// Where unfinished files lie: keys never start with a dot, so no listing shows them.
const UNFINISHED: &str = ".carve-unfinished";
/// Age from which an unfinished file is one that a crash left.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// Objects that are flushed at once.
const FLUSHED_AT_ONCE: usize = 4;

/// A folder in which every object is a file. The folder itself must be there.
#[derive(Clone, Debug)]
pub struct FolderBucket {
    root: Utf8PathBuf,
    shown: String,
    /// Folders whose own names are known to last through a power cut.
    lasting: Arc<Mutex<BTreeSet<Utf8PathBuf>>>,
    /// Objects that are not known to.
    unsettled: Arc<Mutex<Vec<Utf8PathBuf>>>,
    /// Held while objects are flushed: who waits for all of them waits for those too.
    settling: Arc<tokio::sync::Mutex<()>>,
}

impl FolderBucket {
    pub(super) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        address.only(&[])?;
        Ok(FolderBucket {
            root: address.path(base),
            shown: address.shown.clone(),
            lasting: Arc::default(),
            unsettled: Arc::default(),
            settling: Arc::default(),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&FolderBucket, &str) -> Result<T, ConnectorError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        check_key(key)?;
        let (bucket, key) = (self.clone(), key.to_owned());
        blocking(move || work(&bucket, &key)).await
    }

    fn path(&self, key: &str) -> Utf8PathBuf {
        self.root.join(key)
    }

    /// A folder that is not there is no empty bucket: nothing is known of what it held.
    fn there(&self) -> Result<(), ConnectorError> {
        if self.root.is_dir() {
            return Ok(());
        }
        let why = "there is no such folder: make it first, so that a misspelt path publishes nothing";
        let doing = format!("open the bucket `{}`", self.shown);
        Err(ConnectorError::Refused { doing, source: why.into() })
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ConnectorError> {
        self.there()?;
        match fs::read(self.path(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) || self.path(key).is_dir() => Ok(None),
            Err(error) => Err(failed(format!("read the object `{key}`"), error)),
        }
    }

    fn info(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError> {
        Ok(self.read(key)?.map(|bytes| ObjectInfo {
            key: key.to_owned(),
            bytes: bytes.len() as u64,
            etag: etag(&bytes),
        }))
    }

    /// A finished file that is no object yet, flushed where it is to last at once.
    fn unfinished(&self, bytes: &[u8], lasts: Lasts) -> io::Result<Unfinished> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        if !self.root.is_dir() {
            return Err(io::Error::new(ErrorKind::NotFound, "the bucket's folder is not there"));
        }
        let folder = self.root.join(UNFINISHED);
        fs::create_dir_all(&folder)?;
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{number}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                // Another machine on a shared disk may have a process of this number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
                Ok(mut file) => {
                    let unfinished = Unfinished(path);
                    file.write_all(bytes)?;
                    if lasts == Lasts::AtOnce {
                        file.sync_all()?;
                    }
                    return Ok(unfinished);
                }
            }
        }
    }

    /// Gives `bytes` the name `key`, unless it is taken.
    fn create(&self, key: &str, bytes: &[u8], lasts: Lasts) -> Result<bool, ConnectorError> {
        let make = || -> io::Result<bool> {
            let unfinished = self.unfinished(bytes, lasts)?;
            let path = self.path(key);
            self.make_folder(&path)?;
            let linked = match fs::hard_link(&unfinished.0, &path) {
                Ok(()) => true,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                Err(error) if has_no_links(&error) => self.rename_if_free(&unfinished.0, &path)?,
                Err(error) => return Err(error),
            };
            match lasts {
                Lasts::AtOnce => self.flush_folders(&path)?,
                Lasts::OnceSettled => self.unsettled().push(path),
            }
            Ok(linked)
        };
        make().map_err(|error| failed(format!("store the object `{key}`"), error))
    }

    /// For file systems without hard links: carve's own processes take turns.
    fn rename_if_free(&self, from: &Utf8Path, to: &Utf8Path) -> io::Result<bool> {
        let _turn = self.turn()?;
        match to.try_exists()? {
            true => Ok(false),
            false => fs::rename(from, to).map(|()| true),
        }
    }

    /// Waits for this process's turn to look and then change; ends when the file is dropped.
    fn turn(&self) -> io::Result<File> {
        let folder = self.root.join(UNFINISHED);
        fs::create_dir_all(&folder)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("turn.lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Makes new names last through a power cut: in the object's folder, and once in those above it, because each
    /// flush takes milliseconds and a publication has thousands of parts.
    fn flush_folders(&self, path: &Utf8Path) -> io::Result<()> {
        let lasting = || self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lasting().contains(parent(path));
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
            File::open(folder)?.sync_all()?;
            if known {
                return Ok(());
            }
        }
        lasting().insert(parent(path).to_owned());
        Ok(())
    }

    fn unsettled(&self) -> MutexGuard<'_, Vec<Utf8PathBuf>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes an object. One that cannot be is taken away, because the next try to flush it might succeed though its
    /// bytes are lost; one that was deleted meanwhile need not last.
    fn flush(path: &Utf8Path) -> io::Result<()> {
        match File::open(path).and_then(|file| file.sync_all()) {
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => {
                let _ = fs::remove_file(path);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Makes the folder of `path`; one that has to be made is not known to last.
    fn make_folder(&self, path: &Utf8Path) -> io::Result<()> {
        if !parent(path).is_dir() {
            self.lasting.lock().unwrap_or_else(PoisonError::into_inner).remove(parent(path));
            fs::create_dir_all(parent(path))?;
        }
        Ok(())
    }

    fn put_new_now(&self, key: &str, bytes: &[u8]) -> Result<PutOutcome, ConnectorError> {
        // Deleted between the two looks: then it is free again.
        loop {
            if self.create(key, bytes, Lasts::OnceSettled)? {
                return Ok(PutOutcome::Created);
            }
            match self.read(key)? {
                Some(found) if found == bytes => {
                    // Whoever stored it may have come to no end.
                    self.unsettled().push(self.path(key));
                    return Ok(PutOutcome::SameBytes);
                }
                Some(_) => return Err(ConnectorError::Taken { key: key.to_owned() }),
                None if self.path(key).is_dir() => {
                    return Err(ConnectorError::Taken { key: key.to_owned() });
                }
                None => continue,
            }
        }
    }

    fn replace_now(&self, key: &str, bytes: &[u8], expected: &str) -> Result<bool, ConnectorError> {
        let doing = |error| failed(format!("replace the object `{key}`"), error);
        self.there()?;
        let _turn = self.turn().map_err(doing)?;
        if self.info(key)?.is_none_or(|info| info.etag != expected) {
            return Ok(false);
        }
        let change = || -> io::Result<()> {
            let unfinished = self.unfinished(bytes, Lasts::AtOnce)?;
            let path = self.path(key);
            fs::rename(&unfinished.0, &path)?;
            self.flush_folders(&path)
        };
        change().map_err(doing)?;
        Ok(true)
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, ConnectorError> {
        self.there()?;
        let (folder, _) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let mut keys = Vec::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            let entries = match self.root.join(&folder).read_dir_utf8() {
                Ok(entries) => entries,
                Err(error) if is_absent(&error) && !folder.is_empty() => continue,
                Err(error) => return Err(failed(format!("list `{}`", self.shown), error)),
            };
            for entry in entries {
                let entry = entry.map_err(|error| failed(format!("list `{}`", self.shown), error))?;
                let key = match folder.as_str() {
                    "" => entry.file_name().to_owned(),
                    folder => format!("{folder}/{}", entry.file_name()),
                };
                // Names that are no keys belong to someone else: the file system, or carve's own folder.
                if check_key(&key).is_err() {
                    continue;
                }
                let below = key.starts_with(prefix) || prefix.starts_with(&format!("{key}/"));
                match entry.path().is_dir() {
                    true if below => waiting.push(key),
                    false if key.starts_with(prefix) => keys.push(key),
                    _ => {}
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// Removes unfinished files that a crash left long ago.
    fn tidy(&self) {
        let Ok(entries) = self.root.join(UNFINISHED).read_dir_utf8() else { return };
        for entry in entries.flatten() {
            let age =
                entry.metadata().and_then(|m| m.modified()).ok().and_then(|m| SystemTime::now().duration_since(m).ok());
            if age.is_some_and(|age| age > LEFT_BEHIND) && entry.file_name() != "turn.lock" {
                // One that cannot be removed does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[async_trait]
impl Bucket for FolderBucket {
    fn kind(&self) -> &'static str {
        "folder"
    }

    fn shown(&self) -> String {
        self.shown.clone()
    }

    async fn probe(&self) -> Result<Vec<String>, ConnectorError> {
        let bucket = self.clone();
        blocking(move || {
            bucket.there()?;
            bucket.tidy();
            bucket
                .unfinished(b"probe", Lasts::AtOnce)
                .map_err(|error| failed(format!("write to the bucket `{}`", bucket.shown), error))?;
            bucket.turn().map_err(|error| failed(format!("lock the bucket `{}`", bucket.shown), error))?;
            Ok(Vec::new())
        })
        .await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError> {
        let digest = *digest;
        self.run(key, move |bucket, key| {
            super::key::check_digest(key, &bytes, &digest)?;
            bucket.put_new_now(key, &bytes)
        })
        .await
    }

    async fn settle(&self) -> Result<(), ConnectorError> {
        let _turn = self.settling.lock().await;
        let paths = std::mem::take(&mut *self.unsettled());
        let mut flushing = JoinSet::new();
        for share in paths.chunks(paths.len().div_ceil(FLUSHED_AT_ONCE).max(1)) {
            let (bucket, share) = (self.clone(), share.to_vec());
            flushing.spawn(blocking(move || {
                let doing = |error| failed(format!("keep what was stored in `{}`", bucket.shown), error);
                share.iter().try_for_each(|path| FolderBucket::flush(path)).map_err(doing)?;
                // All of a share lie in few folders.
                let folders: BTreeMap<&Utf8Path, &Utf8PathBuf> =
                    share.iter().map(|path| (parent(path), path)).collect();
                folders.into_values().try_for_each(|path| bucket.flush_folders(path)).map_err(doing)
            }));
        }
        while let Some(flushed) = flushing.join_next().await {
            let doing = || format!("keep what was stored in `{}`", self.shown);
            flushed.map_err(|error| ConnectorError::Engine { doing: doing(), source: error.into() })??;
        }
        Ok(())
    }

    async fn replace(&self, key: &str, bytes: Vec<u8>, etag: Option<&str>) -> Result<bool, ConnectorError> {
        let etag = etag.map(str::to_owned);
        self.run(key, move |bucket, key| match etag {
            None => bucket.create(key, &bytes, Lasts::AtOnce),
            Some(etag) => bucket.replace_now(key, &bytes, &etag),
        })
        .await
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError> {
        self.run(key, |bucket, key| bucket.read(key)?.ok_or_else(|| ConnectorError::NoSuchObject(key.to_owned()))).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError> {
        self.run(key, |bucket, key| bucket.info(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ConnectorError> {
        check_prefix(prefix)?;
        let (bucket, prefix) = (self.clone(), prefix.to_owned());
        blocking(move || {
            let mut objects = Vec::new();
            for key in bucket.keys(&prefix)? {
                // One deleted since it was seen is not there.
                objects.extend(bucket.info(&key)?);
            }
            Ok(objects)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), ConnectorError> {
        self.run(key, |bucket, key| {
            bucket.there()?;
            let doing = |error| failed(format!("delete the object `{key}`"), error);
            let _turn = bucket.turn().map_err(doing)?;
            match fs::remove_file(bucket.path(key)) {
                Ok(()) => File::open(parent(&bucket.path(key))).and_then(|folder| folder.sync_all()).map_err(doing),
                Err(error) if is_absent(&error) || bucket.path(key).is_dir() => Ok(()),
                Err(error) => Err(doing(error)),
            }
        })
        .await
    }
}

/// When what is stored outlasts a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasts {
    AtOnce,
    OnceSettled,
}

/// A file that is no object; gone when dropped, unless it was renamed.
struct Unfinished(Utf8PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; else a left file does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

fn etag(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()
}

fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(path)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied | ErrorKind::CrossesDevices)
}
