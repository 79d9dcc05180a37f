//! What was read of a text, for its next version: an item that is written as before says the same, wherever it stands.

use super::build::Docs;
use crate::ast::moved::Piece;
use crate::ast::{Ast, Item};
use crate::memo::Memo;
use crate::source::SourceId;
use std::ops::Range;

/// The items of texts that have been read without a mistake, by what is written.
#[derive(Debug, Default)]
pub struct Pieces {
    known: Memo<str, Known>,
    /// The key of the item that was asked for.
    key: String,
}

#[derive(Debug)]
struct Known {
    piece: Piece,
    /// Where documentation inside it was taken from, from its first byte on.
    docs: Vec<usize>,
}

impl Pieces {
    /// Begins with the next version of what is read; forgets what has long been gone.
    pub fn next_version(&mut self) {
        self.known.next_version();
    }

    /// The item that is written in `bytes` of a text and was read as `work`, put into a tree; none where it is not known.
    pub(super) fn find(
        &mut self,
        (text, work): (&str, &str),
        bytes: &Range<usize>,
        docs: &mut Docs,
        source: SourceId,
        ast: &mut Ast,
    ) -> Option<Item> {
        let (written, read) = (&text[bytes.clone()], &work[bytes.clone()]);
        self.key.clear();
        match written == read {
            true => self.key.extend(["=", written]),
            false => self.key.extend(["/", written, "\n", read]),
        }
        let (known, _) = self.known.find(self.key.as_str())?;
        for at in &known.docs {
            docs.remove(&(bytes.start + at));
        }
        Some(known.piece.paste(ast, source, bytes.start))
    }

    /// Keeps the item that was just asked for and was not known, and is written from byte `start` on: its expressions are those
    /// of the tree from `first` on. `docs` are those inside it that have been taken.
    pub(super) fn keep(&mut self, ast: &Ast, first: usize, start: usize, item: &Item, docs: Vec<usize>) {
        self.known.keep(self.key.as_str(), Known { piece: Piece::cut(ast, first, start, item), docs });
    }
}
