//! What hands turned while a song played, saved as a preset: `song.presets.mam` beside `song.mam`, written whole or not at all.
//!
//! The song itself is never written. `use "song.presets.mam"` brings the presets in, and a line `preset "take1 take2" over 2 beats`
//! plays them. Each press of the key adds one, and none replaces another.

use super::figures::Infos;
use crate::failure::Failure;
use crate::input;
use crate::output::{Inputs, write_text};
use mam_compiler::library::ParamInfo;
use mam_grammar::ast::{Ast, ItemKind};
use mam_grammar::{Limits, Sources, syntax};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Bytes of a file of presets, so that it can be used.
const MOST_BYTES: usize = 256 << 10;

/// The values that hands have given parameters since the song began to play.
#[derive(Debug, Default)]
pub(super) struct Turned(BTreeMap<String, f64>);

impl Turned {
    /// A parameter was set to a value in base units.
    pub(super) fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    /// Adds a preset of what was turned to the file beside `song`. Returns the file and the preset's name.
    ///
    /// # Errors
    /// When nothing was turned, or the file is not one of presets or cannot be written.
    pub(super) fn save(&self, song: &Path, infos: &Infos) -> Result<(PathBuf, String), Failure> {
        let settings: Vec<String> = self
            .0
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}: {}", written(infos.get(name)?, *value))))
            .collect();
        if settings.is_empty() {
            return Err(Failure::Usage("nothing has been turned yet that a preset could keep".into()));
        }
        let path = beside(song);
        let before = if path.exists() { input::text(&path)? } else { String::new() };
        let name = free_name(&read(&path, &before)?);
        let after =
            format!("{}preset \"{name}\" {{ {} }}\n", head(song, &path, &before), settings.join(", "));
        if after.len() > MOST_BYTES {
            return Err(Failure::Io(format!(
                "`{}` is full: take presets out that are not used",
                path.display()
            )));
        }
        // What is there is read and written again with one preset more.
        write_text(&path, &after, &Inputs::new([song]))?;
        Ok((path, name))
    }
}

/// The file of presets of a song: `song.presets.mam` beside it.
fn beside(song: &Path) -> PathBuf {
    song.with_extension("presets.mam")
}

/// The text before the new preset: what there is, or what the file is for.
fn head(song: &Path, path: &Path, before: &str) -> String {
    if !before.is_empty() {
        let newline = if before.ends_with('\n') { "" } else { "\n" };
        return format!("{before}{newline}");
    }
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!(
        "// Presets of {}, as it was turned while it played. It has them by `use \"{}\"`.\n\n",
        name(song).replace(['\n', '\r'], " "),
        name(path).replace(['\n', '\r'], " "),
    )
}

/// The presets that a file has. One that cannot be read, or that holds anything else, is left as it is.
fn read(path: &Path, text: &str) -> Result<Ast, Failure> {
    let mut sources = Sources::default();
    let id = sources.add(path.display().to_string(), text);
    let (ast, problems) = syntax::parse(&sources, id, &Limits::default());
    let only_presets = ast.items.iter().all(|item| matches!(item.kind, ItemKind::Preset { .. }));
    if problems.has_errors() || !only_presets {
        let why = "it holds more than presets, or has errors, and is left as it is";
        return Err(Failure::Io(format!("cannot add a preset to `{}`: {why}", path.display())));
    }
    Ok(ast)
}

/// `take1`, or the first of `take2`, `take3` … that is not taken.
fn free_name(ast: &Ast) -> String {
    let taken = |name: &str| {
        ast.items
            .iter()
            .any(|item| matches!(&item.kind, ItemKind::Preset { name: own, .. } if &*own.text == name))
    };
    (1..).map(|n| format!("take{n}")).find(|name| !taken(name)).unwrap_or_default()
}

/// A value as a preset says it; a word as its number.
fn written(info: &ParamInfo, value: f64) -> String {
    if info.words.is_empty() { info.show(value) } else { format!("{}", value.round()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{HowArgs, SongArgs};
    use crate::console::Console;
    use crate::live::edit::Source;

    const SONG: &str = "use \"song.presets.mam\"\nknob bright = 800Hz in 100Hz..8kHz curve exp\nbass = acid()\nplay {\n  bass \"c2*4\"\n  preset \"take1 take2\" over 1/2 bar\n}\nout = bass |> lowpass(bright)\n";

    fn compiled(song: &Path) -> (bool, String, Infos) {
        let how = HowArgs { interp: true, ..HowArgs::default() };
        let source = Source::new(SongArgs { input: song.into(), how }, Console::default()).unwrap();
        let outcome = source.compile(48_000);
        (outcome.program.is_some(), outcome.report.clone(), outcome.infos)
    }

    #[test]
    fn what_was_turned_is_added_as_presets_that_the_song_can_play() {
        let folder = tempfile::tempdir().unwrap();
        let song = folder.path().join("song.mam");
        std::fs::write(
            &song,
            SONG.replace("  preset \"take1 take2\" over 1/2 bar\n", "")
                .replace("use \"song.presets.mam\"\n", ""),
        )
        .unwrap();
        let (_, report, infos) = compiled(&song);
        let mut turned = Turned::default();
        assert!(turned.save(&song, &infos).is_err(), "nothing was turned: {report}");
        assert!(!beside(&song).exists());
        turned.set("bright", 1200.0);
        turned.set("bass.decay", 0.35);
        assert_eq!(turned.save(&song, &infos).unwrap(), (beside(&song), "take1".to_owned()));
        turned.set("bright", 300.0);
        assert_eq!(turned.save(&song, &infos).unwrap().1, "take2");
        let text = std::fs::read_to_string(beside(&song)).unwrap();
        let presets: Vec<&str> = text.lines().filter(|line| line.starts_with("preset")).collect();
        assert_eq!(
            presets,
            [
                "preset \"take1\" { bass.decay: 350ms, bright: 1200Hz }",
                "preset \"take2\" { bass.decay: 350ms, bright: 300Hz }"
            ]
        );
        std::fs::write(&song, SONG).unwrap();
        let (plays, report, _) = compiled(&song);
        assert!(plays && report.is_empty(), "{report}");
    }

    #[test]
    fn a_file_that_holds_anything_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let song = folder.path().join("song.mam");
        std::fs::write(&song, SONG).unwrap();
        for other in ["out = sine(220Hz)\n", "preset \"take1\" { bright: \n"] {
            std::fs::write(beside(&song), other).unwrap();
            let infos = compiled(&song).2;
            let mut turned = Turned::default();
            turned.set("bright", 500.0);
            assert!(infos.is_empty() || turned.save(&song, &infos).is_err());
            assert_eq!(std::fs::read_to_string(beside(&song)).unwrap(), other);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
