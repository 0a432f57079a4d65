//! How much memory a process of a benchmark held.

/// The most memory that was resident at once, in MiB (`VmHWM` of /proc/self/status); 0 elsewhere than on Linux.
pub(crate) fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib / 1024.0)
}
