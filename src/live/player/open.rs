//! What a performance is shown on and recorded by, from its beginning.

use crate::console::Console;
use crate::failure::Failure;
use crate::live::PlayOptions;
use crate::live::recorder::Recorder;
use crate::live::ui::Ui;
use mam_runtime::Control;
use mam_runtime::output::Format;

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

/// The recording, if one is wanted.
pub(super) fn open_recorder(
    options: &PlayOptions,
    title: Option<String>,
    format: &Format,
    control: &mut Control,
) -> Result<Option<Recorder>, Failure> {
    let Some(path) = &options.record else { return Ok(None) };
    let latency = control.program().latency;
    Recorder::new(path, title, format, control.record(), latency).map(Some)
}
