//! `mamc completions`: generated from the command line's own description.

use crate::args::Cli;
use crate::console::Console;
use crate::failure::Failure;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print completions for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
bash: mamc completions bash > ~/.local/share/bash-completion/completions/mamc
zsh:  mamc completions zsh > ~/.zfunc/_mamc
fish: mamc completions fish > ~/.config/fish/completions/mamc.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self, console: Console) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "mamc", &mut text);
        console.bytes(&text)
    }
}
