use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    time::Duration,
};

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{apply::error::StepError, vocab::Digest};

/// How long an edit of the estate's files waits for that of another run, and how often it looks.
const EDIT_WAIT: Duration = Duration::from_secs(60);
const EDIT_LOOK: Duration = Duration::from_millis(50);

/// Who holds a lock, as the loser reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::apply) struct Holder {
    pub(in crate::apply) pid: u32,
    pub(in crate::apply) host: String,
    pub(in crate::apply) since: String,
    pub(in crate::apply) doing: String,
}

impl Holder {
    fn new(doing: &str, now: Timestamp) -> Self {
        let since = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Holder { pid: std::process::id(), host: host(), since, doing: doing.to_owned() }
    }

    pub(in crate::apply) fn told(&self) -> String {
        format!("process {} on `{}` holds it since {}: {}", self.pid, self.host, self.since, self.doing)
    }
}

/// The lock on one of carve's folders: a service's own while a run works on it, or the folder of all while files of the
/// estate are edited. The system gives it back when the process ends, however it ends.
pub(in crate::apply) struct LocalLock {
    file: File,
    pub(in crate::apply) holder: Holder,
    /// Names this folder on this machine, the same in every run: the lease on the bucket knows its owner by it.
    pub(in crate::apply) owner: Digest,
}

impl LocalLock {
    /// Takes the lock of the folder `state`, waiting up to [`EDIT_WAIT`] for others to end: an edit takes moments.
    pub(in crate::apply) async fn wait(state: &Utf8Path, doing: &str, now: Timestamp) -> Result<Self, StepError> {
        let begun = std::time::Instant::now();
        loop {
            match LocalLock::take(state, doing, now) {
                Err(StepError::LeaseLost(_)) if begun.elapsed() < EDIT_WAIT => tokio::time::sleep(EDIT_LOOK).await,
                ended => return ended,
            }
        }
    }

    /// Takes the lock of the folder `state`, or says who holds it.
    pub(in crate::apply) fn take(state: &Utf8Path, doing: &str, now: Timestamp) -> Result<Self, StepError> {
        let failed = |source: std::io::Error| StepError::io("lock carve's folder")(source);
        fs::create_dir_all(state).map_err(failed)?;
        let path = state.join("lock");
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StepError::LeaseLost(named(&mut file))),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let holder = Holder::new(doing, now);
        write(&mut file, &holder).map_err(failed)?;
        let owner = owner(state, &file).map_err(failed)?;
        Ok(LocalLock { file, holder, owner })
    }
}

/// Who works in the folder `state` now; `None` when nobody does. Holding nothing, it holds nobody up.
pub(in crate::apply) fn at_work(state: &Utf8Path) -> Option<Holder> {
    let mut file = File::open(state.join("lock")).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let holder: Holder = serde_json::from_str(&text).ok()?;
    let gone =
        holder.host == host() && cfg!(target_os = "linux") && !fs::exists(format!("/proc/{}", holder.pid)).ok()?;
    // A dead process leaves its name behind, and another may have its number now: only the lock itself tells.
    (!gone && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))).then_some(holder)
}

impl Drop for LocalLock {
    fn drop(&mut self) {
        // Emptied first, so that nobody reads the name of one who has gone.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder).expect("four fields of text"))?;
    file.sync_data()
}

/// The holder, from the file; it may be between taking the lock and writing its name.
fn named(file: &mut File) -> String {
    for _ in 0..20 {
        let mut text = String::new();
        if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_ok()
            && let Ok(holder) = serde_json::from_str::<Holder>(&text)
        {
            return holder.told();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    "another carve holds it".to_owned()
}

/// Machine, folder and lock file together: a copy of the folder elsewhere is another owner.
fn owner(state: &Utf8Path, file: &File) -> std::io::Result<Digest> {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let folder = state.canonicalize_utf8()?;
    Ok(Digest::of(format!("{}\n{machine}\n{folder}\n{}", host(), identity(file)?)))
}

#[cfg(unix)]
fn identity(file: &File) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    Ok(format!("{}:{}", found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &File) -> std::io::Result<String> {
    Ok(String::new())
}

fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "this host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loser_hears_who_holds_the_lock() {
        let keep = tempfile::tempdir().unwrap();
        let state = Utf8Path::from_path(keep.path()).unwrap();
        let held = LocalLock::take(state, "apply of `orders`", Timestamp::UNIX_EPOCH).unwrap();
        let Err(StepError::LeaseLost(holder)) = LocalLock::take(state, "x", Timestamp::UNIX_EPOCH) else {
            panic!("two held one lock");
        };
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
        assert!(holder.ends_with("since 1970-01-01T00:00:00Z: apply of `orders`"), "{holder}");
        assert_eq!(at_work(state).unwrap().doing, "apply of `orders`");
        let left = fs::read(state.join("lock")).unwrap();
        drop(held);
        assert_eq!(at_work(state), None);
        // Killed: the name stays, the lock does not.
        fs::write(state.join("lock"), left).unwrap();
        assert_eq!(at_work(state), None);
        assert!(LocalLock::take(state, "x", Timestamp::UNIX_EPOCH).is_ok());
    }
}
