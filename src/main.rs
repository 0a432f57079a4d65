//! Hands the arguments to carve's command line and returns its exit code.
/// Reading SQL makes and drops millions of small values on every thread, which this allocator does sooner.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    carve::cli::run(std::env::args_os())
}
