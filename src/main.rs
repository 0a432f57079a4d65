//! Hands the arguments to carve's command line and returns its exit code.
fn main() {}
