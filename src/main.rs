//! The `mamc` command. Everything it does is in the library beside it.

/// Compiling is many small allocations on several threads: with the system's allocator here it takes an eighth longer.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mamc::main()
}
