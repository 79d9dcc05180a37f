//! `mamc completions`: generated from the command line's own description.

use crate::console::Console;
use crate::failure::Failure;
use clap::{Args, Command};
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
bash: mamc completions bash > ~/.local/share/bash-completion/completions/mamc
zsh:  mamc completions zsh > ~/.zfunc/_mamc
fish: mamc completions fish > ~/.config/fish/completions/mamc.fish")]
pub struct Completions {
    /// The shell to print completions for
    shell: Shell,
}

impl Completions {
    /// Prints the completions of `command`, which is the whole command line.
    ///
    /// # Errors
    /// When the input has errors, the flags contradict each other, or something cannot be read or written.
    pub fn run(self, mut command: Command, console: Console) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "mamc", &mut text);
        console.bytes(&text)
    }
}
