//! Hands the arguments to carve's command line and returns its exit code.
fn main() -> std::process::ExitCode {
    carve::cli::run(std::env::args_os())
}
