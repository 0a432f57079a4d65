use camino::Utf8Path;

use crate::cli::demo_data::{DemoDataError, embedded::FILES};

/// Values that the shop's scheduler fills into templates when it runs the jobs for the last day of the
/// data; a job's own `params` win.
pub const RUN_VALUES: &[(&str, &str)] = &[
    ("ds", "2026-03-31"),
    ("ds_nodash", "20260331"),
    ("prev_ds", "2026-03-30"),
    ("env", "prod"),
    ("full_refresh", ""),
    ("lookback_days", "3"),
    ("schema_modelled", "modelled"),
];

/// A `carve.yaml` for the demo: where lake and bucket are, and what the scheduler fills in. Planning
/// works without it; applying needs the addresses.
pub const SETTINGS: &str = "\
# Written by `carve demo`. Every path counts from this folder.
lake: { url: \"sqlite:lake\", dialect: sqlite }
bucket: { url: \"file:bucket\" }
dialect: sqlite
vars:
  ds: \"2026-03-31\"
  ds_nodash: \"20260331\"
  prev_ds: \"2026-03-30\"
  env: prod
  full_refresh: \"\"
  lookback_days: \"3\"
  schema_modelled: modelled
";

/// Every file of the shop's estate: its path and its bytes, in the order of paths.
pub fn estate_files() -> &'static [(&'static str, &'static [u8])] {
    FILES
}

/// Writes the shop's estate below `target`, which is created where it is not there. Files of the same
/// name are replaced; nothing else is touched. Scripts are executable.
pub fn write_estate(target: &Utf8Path) -> Result<(), DemoDataError> {
    for (path, bytes) in FILES {
        let path = target.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(DemoDataError::file("create folder", folder))?;
        }
        std::fs::write(&path, bytes).map_err(DemoDataError::file("write", &path))?;
        make_executable(&path)?;
    }
    Ok(())
}

/// Whether version control keeps this file as a program.
pub(super) fn is_script(path: &str) -> bool {
    path.ends_with(".sh")
}

#[cfg(unix)]
fn make_executable(path: &Utf8Path) -> Result<(), DemoDataError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if is_script(path.as_str()) { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(DemoDataError::file("mark", path))
}

#[cfg(not(unix))]
fn make_executable(_: &Utf8Path) -> Result<(), DemoDataError> {
    Ok(())
}
