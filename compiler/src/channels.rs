//! The channels of a song: `channels 4`.

use crate::files::NoFiles;
use crate::{Options, Stage, compile};
use mam_grammar::Sources;
use mam_grammar::ast::{Ast, Expr, ExprId, ItemKind};
use mam_runtime::ChannelLayout;
use mam_runtime::control::MOST_CHANNELS;

/// Channels of a song that does not say how many.
pub const DEFAULT_CHANNELS: usize = 2;

/// What a song in mam says of its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// How many `out` has, at least 1; `None` where what is written is not such a number.
    pub count: Option<usize>,
    /// What they are.
    pub layout: ChannelLayout,
}

impl Channels {
    /// Those of a song's tree.
    pub fn of(ast: &Ast) -> Channels {
        let said = ast.items.iter().find_map(|item| match item.kind {
            ItemKind::Channels { count, is_ambisonic } => Some((count, layout(is_ambisonic))),
            _ => None,
        });
        let Some((count, layout)) = said else {
            return Channels { count: Some(DEFAULT_CHANNELS), layout: ChannelLayout::Speakers };
        };
        Channels { count: number(ast, count).filter(|count| counts(layout).contains(count)), layout }
    }
}

/// How many channels a song has of which nothing but its text is known: a device is opened before the song is compiled for it.
pub fn of_text(name: &str, text: &str) -> usize {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let options = Options { until: Stage::Parse, ..Options::default() };
    compile(&mut sources, id, &NoFiles, &options).stages.channels.max(1)
}

/// What `channels 4 ambisonic` and `channels 4` mean.
pub(crate) fn layout(is_ambisonic: bool) -> ChannelLayout {
    if is_ambisonic { ChannelLayout::Ambisonic } else { ChannelLayout::Speakers }
}

/// How many channels there can be: a sound field of first order has four.
pub(crate) fn counts(layout: ChannelLayout) -> std::ops::RangeInclusive<usize> {
    match layout {
        ChannelLayout::Speakers => 1..=MOST_CHANNELS,
        ChannelLayout::Ambisonic => 4..=4,
    }
}

fn number(ast: &Ast, expr: ExprId) -> Option<usize> {
    match &ast.exprs[expr] {
        Expr::Number(n) => Some(n.value() as usize),
        _ => None,
    }
}
