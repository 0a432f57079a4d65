//! Files changed so that a power cut leaves the old or the new bytes, never half of them.
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
};

use camino::{Utf8Path, Utf8PathBuf};

/// Replaces `path` by `bytes` in one rename, keeping the file's permissions; a new file is its owner's alone.
pub(super) fn replace(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let scratch = scratch_of(path);
    write_scratch(&scratch, bytes, true)?;
    if let Ok(found) = fs::metadata(path) {
        fs::set_permissions(&scratch, found.permissions())?;
    }
    fs::rename(&scratch, path)?;
    sync_folder(folder_of(path))
}

/// Creates `path` with `bytes`; fails with `AlreadyExists` rather than touch a file that is there.
pub(super) fn create_new(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let scratch = scratch_of(path);
    write_scratch(&scratch, bytes, false)?;
    // A link takes a name only if it is free; where the disk knows no links, the look before has to do.
    let linked = match fs::hard_link(&scratch, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) => fs::remove_file(&scratch),
        Err(_) if path.exists() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(&scratch, path),
    };
    if linked.is_err() {
        let _ = fs::remove_file(&scratch);
    }
    linked?;
    sync_folder(folder_of(path))
}

/// Removes what a run that was killed while it wrote `path` may have left beside it.
pub(super) fn sweep(path: &Utf8Path) {
    let _ = fs::remove_file(scratch_of(path));
}

/// The bytes of `path`; `None` when it is not there.
pub(super) fn read(path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes `folder` with all above it; gives back the ones that were not there, outermost first.
pub(super) fn make_folders(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let missing: Vec<Utf8PathBuf> =
        folder.ancestors().take_while(|f| !f.as_str().is_empty() && !f.exists()).map(Utf8Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    missing.iter().try_for_each(|made| sync_folder(folder_of(made)))?;
    Ok(missing.into_iter().rev().collect())
}

/// Waits until the names in `folder` are on disk.
pub(super) fn sync_folder(folder: &Utf8Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

/// Options that make a file which its owner alone may read, where the system knows such a thing.
pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

// A leftover of a killed run, or a link that someone laid there, is no place to write to.
fn write_scratch(scratch: &Utf8Path, bytes: &[u8], owner_only_file: bool) -> io::Result<()> {
    let mut options = if owner_only_file { owner_only() } else { OpenOptions::new() };
    match fs::remove_file(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.create_new(true).write(true).open(scratch)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn scratch_of(path: &Utf8Path) -> Utf8PathBuf {
    folder_of(path).join(format!(".{}.carve-scratch", path.file_name().unwrap_or("file")))
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(folder) if !folder.as_str().is_empty() => folder,
        _ => Utf8Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(keep.path().join("a")).unwrap();
        create_new(&path, b"one").unwrap();
        assert_eq!(create_new(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(keep.path()).unwrap().count(), 1, "no scratch file stays");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(keep.path().join("run.sh")).unwrap();
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o751);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
