//! `mamc lsp`: the language server, over standard input and output.
//!
//! * [`server`]: messages in, messages out;
//! * [`workspace`]: which texts are open, which songs they belong to, what is known of each;
//! * [`answers`]: the answers of [`mam_ide`] in the protocol's form;
//! * [`uri`]: paths as addresses.

mod answers;
mod server;
mod uri;
mod workspace;

use crate::console::Console;
use crate::failure::Failure;
use clap::Args;
use lsp_server::Connection;

pub use server::{Server, serve};

/// Serve an editor by the Language Server Protocol, over standard input and output
///
/// Problems while typing, fixes, hover, completion, signatures, definitions, references, new names, outline, folding,
/// colours, formatting, inlay hints. docs/editors.md says how editors are set up.
#[derive(Args, Debug)]
pub struct Lsp {
    /// Use standard input and output, which is all there is: editors pass it
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    /// Serves until the editor says that it exits, or closes standard input.
    ///
    /// # Errors
    /// When a message is not one of the protocol, or the editor ends without saying so.
    pub fn run(self, _console: Console) -> Result<(), Failure> {
        let (connection, threads) = Connection::stdio();
        let served = serve(connection);
        let closed = threads.join().map_err(|e| Failure::Io(format!("the editor's connection broke: {e}")));
        served.map_err(|words| Failure::Io(format!("the editor's connection broke: {words}"))).and(closed)
    }
}
