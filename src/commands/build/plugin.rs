//! `mamc build -o Song.clap`: a plug-in for hosts of CLAP.

use super::Build;
use crate::compiling::{compile_without_code, compiled_by};
use crate::console::Console;
use crate::failure::Failure;
use crate::output::Inputs;
use crate::packing::{Identity, pack, shell, write_plugin};
use clap::Args;
use mam_package::{Manifest, Settings};
use std::path::Path;

/// What is said of a plug-in.
#[derive(Args, Debug, Default)]
pub(super) struct PluginArgs {
    /// Let the song's score follow the host's transport (.clap)
    #[arg(long)]
    pub play: bool,
    /// Id by which hosts know the plug-in (.clap) [default: `mam.` and the song's title or file name]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

impl PluginArgs {
    /// Refuses the flags for what is not a plug-in.
    ///
    /// # Errors
    /// When one was given.
    pub(super) fn refuse(&self, what: &str) -> Result<(), Failure> {
        let given = [("--play", self.play), ("--id", self.id.is_some())];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                Err(Failure::Usage(format!("{flag} is for plug-ins, not for {what}: leave it out")))
            }
            None => Ok(()),
        }
    }
}

/// Builds the plug-in.
pub(super) fn build(build: Build, console: Console) -> Result<(), Failure> {
    let Build { song: args, output, plugin, .. } = build;
    if args.how.rate.is_some() {
        return Err(Failure::Usage(
            "the host says how many frames a second there are: leave out --rate".into(),
        ));
    }
    if plugin.id.as_deref().is_some_and(|id| id.is_empty() || id.chars().any(char::is_whitespace)) {
        return Err(Failure::Usage("an id has no spaces, such as `org.me.song`".into()));
    }
    let shell = shell()?;
    let mut read = None;
    let compiled = compiled_by(&args, console, |song| {
        read = Some(song.clone());
        compile_without_code(song, &args.how)
    })?;
    let song = read.ok_or(Failure::Input)?;
    let stem = args.input.file_stem().map_or("song".into(), |stem| stem.to_string_lossy());
    let name = compiled.title().unwrap_or(if stem == "-" { "song" } else { &stem }).to_string();
    let how = &args.how;
    let settings = Settings {
        seed: how.seed,
        sets: how.options(&song.prefix).sets,
        limits: how.limits.iter().map(|change| (change.name.to_string(), change.value)).collect(),
        portable: how.portable,
    };
    let identity = Identity { id: plugin.id, name, plays: plugin.play };
    let package = pack(&song, how.allow_outside, settings, identity)?;
    let inputs = Inputs::new(compiled.read_from(&args.input).chain([shell.as_path()]));
    write_plugin(&output, &shell, &package, &inputs)?;
    console.say(&summary(&output, &package.manifest));
    Ok(())
}

/// What was built, in a line.
fn summary(output: &Path, manifest: &Manifest) -> String {
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "{}: `{}` ({}), {}, {}\n",
        output.display(),
        manifest.name,
        manifest.id,
        count(manifest.params.len(), "parameter", "parameters"),
        count(manifest.note_ports.len(), "instrument", "instruments"),
    )
}
