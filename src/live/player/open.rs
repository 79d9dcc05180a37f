//! What a performance is shown on and recorded by, from its beginning.

use crate::console::Console;
use crate::failure::Failure;
use crate::live::PlayOptions;
use crate::live::recorder::Recorder;
use crate::live::ui::Ui;
use mam_grammar::problem::count;
use mam_runtime::output::Format;
use mam_runtime::{Control, Program};

/// The display, or the first lines of text, with the report on the song.
pub(super) fn open_ui(console: Console, display: bool, title: &str, report: &str) -> Ui {
    let mut ui = Ui::new(console, display);
    title.clone_into(&mut ui.title);
    if !ui.is_display() {
        ui.say(&format!("{title}; Ctrl-C stops\n"));
    }
    ui.styled(report);
    ui
}

/// A failure to start: what is wrong with the song is reported first.
pub(super) fn with_report(failure: Failure, report: &str, console: Console) -> Failure {
    if matches!(failure, Failure::Input) {
        console.styled(report);
    }
    failure
}

/// What is said of channels of the song that the device does not have.
pub(super) fn unheard_channels(program: &Program, format: &Format) -> Option<String> {
    let (has, wants) = (format.channels, program.outputs.len());
    let first = has + 1;
    let which =
        if first == wants { format!("channel {wants}") } else { format!("channels {first} to {wants}") };
    (has < wants).then(|| {
        let device = &format.device;
        format!("`{device}` has {}: {which} of the song cannot be heard\n", count(has, "channel"))
    })
}

/// The same, which is said.
pub(super) fn tell_of_channels(program: &Program, format: &Format, console: Console) -> Option<String> {
    let missing = unheard_channels(program, format);
    missing.iter().for_each(|missing| console.say(missing));
    missing
}

/// The recording, if one is wanted.
pub(super) fn open_recorder(
    options: &PlayOptions,
    title: Option<String>,
    format: &Format,
    control: &mut Control,
) -> Result<Option<Recorder>, Failure> {
    let Some(path) = &options.record else { return Ok(None) };
    let ring = control.record();
    Recorder::new(path, title, format, ring, control.program()).map(Some)
}
