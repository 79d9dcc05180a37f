//! Object files of every system that this build makes code for, read as a linker reads them.

use object::read::{Object, ObjectSection, ObjectSymbol};
use object::{Architecture, BinaryFormat, RelocationKind, SectionKind, SymbolKind};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A song with an instrument, parameters, tables, a delay and f64 in setup.
const SONG: &str = "a = pluck(voices: 2)\nknob tone = 900Hz in 100Hz..5kHz curve exp\n\
    play { a \"c4 e4 g4\" }\nout = a |> lowpass(tone) |> echo()\n";

/// A system, what its objects are, and what its symbols begin with.
const SYSTEMS: [(&str, Architecture, BinaryFormat, &str); 6] = [
    ("x86_64-linux", Architecture::X86_64, BinaryFormat::Elf, ""),
    ("x86_64-macos", Architecture::X86_64, BinaryFormat::MachO, "_"),
    ("x86_64-windows", Architecture::X86_64, BinaryFormat::Coff, ""),
    ("aarch64-linux", Architecture::Aarch64, BinaryFormat::Elf, ""),
    ("aarch64-macos", Architecture::Aarch64, BinaryFormat::MachO, "_"),
    ("aarch64-windows", Architecture::Aarch64, BinaryFormat::Coff, ""),
];

/// The functions of a header: what stands before a `(` and begins with `mam_song_`.
fn declared(header: &str) -> BTreeSet<String> {
    let words = header.lines().filter(|line| line.ends_with(");")).filter_map(|line| line.split('(').next());
    let names = words.filter_map(|line| line.split([' ', '*']).next_back());
    names.filter(|name| name.starts_with("mam_song_")).map(str::to_string).collect()
}

/// Builds the song for a system; the message where this build has no code generator for it.
fn build(folder: &Path, system: &str) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mamc"));
    let args = ["build", "song.mam", "-o", "song.o", "--rate", "48000", "--target", system];
    let done = command.args(args).current_dir(folder).output().expect("mamc");
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn check(bytes: &[u8], header: &str, of: (&str, Architecture, BinaryFormat, &str)) {
    let (system, architecture, format, mark) = of;
    let file = object::File::parse(bytes).expect(system);
    assert_eq!((file.architecture(), file.format()), (architecture, format), "{system}");
    assert!(file.is_little_endian(), "{system}");
    let plain = |symbol: &object::read::Symbol<'_, '_>| {
        let name = symbol.name().expect(system);
        name.strip_prefix(mark).unwrap_or_else(|| panic!("{system}: {name} has no `{mark}`")).to_string()
    };
    let named = |symbol: &object::read::Symbol<'_, '_>| {
        !matches!(symbol.kind(), SymbolKind::Section | SymbolKind::File)
            && symbol.name().is_ok_and(|n| !n.is_empty())
    };
    let all: Vec<_> = file.symbols().filter(named).collect();
    let defined: BTreeSet<String> =
        all.iter().filter(|symbol| symbol.is_global() && symbol.is_definition()).map(plain).collect();
    let functions = declared(header);
    assert_eq!(functions.len(), 7, "{functions:?}");
    assert!(functions.is_subset(&defined), "{system}: {defined:?}");
    assert!(defined.contains("mam_song_params") && defined.contains("mam_song_instruments"), "{system}");
    assert!(defined.iter().all(|name| name.starts_with("mam_song_")), "{system}: {defined:?}");
    // Nothing of a C library: the engine's functions alone.
    let wanted: BTreeSet<String> = all.iter().filter(|symbol| symbol.is_undefined()).map(plain).collect();
    let engine: BTreeSet<String> =
        functions.iter().map(|name| name.replace("mam_song_", "mam_engine_")).collect();
    assert_eq!(wanted, engine, "{system}");
    let is_code = |section: &object::read::Section<'_, '_>| section.kind() == SectionKind::Text;
    let code: usize = file.sections().filter(is_code).map(|section| section.size() as usize).sum();
    assert!(code > 1000, "{system}: {code} bytes of code");
    // Addresses of 64 bits in code would have to be written when a program is loaded, which linkers of shared libraries refuse.
    for section in file.sections().filter(is_code).filter(|_| !system.ends_with("windows")) {
        for (at, relocation) in section.relocations() {
            let is_absolute = relocation.kind() == RelocationKind::Absolute && relocation.size() == 64;
            assert!(!is_absolute, "{system}: an absolute address at {at:#x}");
        }
    }
}

#[test]
fn objects_are_what_the_linker_of_their_system_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("song.mam"), SONG).expect("written");
    let mut built = 0;
    for of in SYSTEMS {
        match build(folder.path(), of.0) {
            Ok(()) => {
                let read = |name: &str| fs::read(folder.path().join(name)).expect("written");
                check(&read("song.o"), &String::from_utf8(read("song.h")).expect("text"), of);
                built += 1;
            }
            Err(said) => assert!(said.contains("--features all-targets"), "{}: {said}", of.0),
        }
    }
    assert!(built >= 3, "this machine's processor has three systems");
    assert!(!cfg!(feature = "all-targets") || built == SYSTEMS.len());
}
