//! The channels of a song: `channels 4`.

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
    /// Whether they are speakers or the components of a sound field.
    pub layout: ChannelLayout,
}

impl Channels {
    /// Those of a song's tree.
    pub fn read(ast: &Ast) -> Channels {
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
