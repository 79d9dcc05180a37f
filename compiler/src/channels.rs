//! The channels of a song: `channels 4`.

use mam_grammar::Span;
use mam_grammar::ast::{Ast, Expr, ExprId, ItemKind};
use mam_runtime::ChannelLayout;
use mam_runtime::control::MOST_CHANNELS;

/// Channels of a song that does not say how many.
pub const DEFAULT_CHANNELS: usize = 2;

/// What is said of the channels of a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// How many `out` has, at least 1; `None` where what is written is not such a number.
    pub count: Option<usize>,
    /// Whether they are speakers or the components of a sound field.
    pub layout: ChannelLayout,
    /// Who says so: the song, or whoever compiles it.
    pub said: Said,
}

/// Who says how many channels a song has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The song's text, by what it says or does not say.
    Song,
    /// A JSON song, in this place.
    Json(Span),
    /// Whoever compiles it: [`crate::Options::channels`].
    Options,
}

impl Channels {
    /// So many, which whoever compiles a song asks for instead of those that it has.
    pub(crate) fn asked(count: usize, own: Option<Channels>) -> Channels {
        let layout = own.map_or(ChannelLayout::Speakers, |own| own.layout);
        Channels { count: Some(count), layout, said: Said::Options }
    }

    /// One channel, which a JSON song asks for. Channels beyond those of its mix are silent, so that more can always be had.
    pub(crate) fn mono(at: Span) -> Channels {
        Channels { count: Some(1), layout: ChannelLayout::Speakers, said: Said::Json(at) }
    }

    /// Those of a song's tree.
    pub fn read(ast: &Ast) -> Channels {
        let said = ast.items.iter().find_map(|item| match item.kind {
            ItemKind::Channels { count, is_ambisonic } => Some((count, layout(is_ambisonic))),
            _ => None,
        });
        let Some((count, layout)) = said else {
            let layout = ChannelLayout::Speakers;
            return Channels { count: Some(DEFAULT_CHANNELS), layout, said: Said::Song };
        };
        let count = number(ast, count).filter(|count| counts(layout).contains(count));
        Channels { count, layout, said: Said::Song }
    }
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
