//! `mamc man`: manual pages, generated from the command line's own description.

use crate::console::Console;
use crate::failure::Failure;
use crate::output::{Inputs, create_folder, write_text};
use clap::{Args, Command};
use clap_mangen::Man as Page;
use std::path::PathBuf;

/// Print the manual page, or write all of them into a folder
#[derive(Args, Debug)]
pub struct Man {
    /// Write mamc.1, mamc-render.1 and so on into this folder
    folder: Option<PathBuf>,
}

impl Man {
    /// Prints the manual page of `command`, which is the whole command line, or writes a page for each subcommand.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, mut command: Command, console: Console) -> Result<(), Failure> {
        command.build();
        let Some(folder) = self.folder else {
            return console.result(&page(command)?);
        };
        create_folder(&folder)?;
        let pages = command.get_subcommands().filter(|c| c.get_name() != "help").cloned();
        for command in pages.chain([command.clone()]) {
            let name = command.get_display_name().unwrap_or(command.get_name()).to_string();
            write_text(&folder.join(format!("{name}.1")), &page(command)?, &Inputs::default())?;
        }
        Ok(())
    }
}

fn page(command: Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    Page::new(command).render(&mut text).map_err(|e| Failure::stdout(&e))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
