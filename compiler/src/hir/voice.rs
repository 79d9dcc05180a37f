//! `voice.vel` and its like, in what is given to a parameter of an instrument.

use super::Name;
use super::resolve::{Context, EVENTS, Resolver, YOUNGER_EVENTS};
use crate::codes;
use mam_grammar::Problem;
use mam_grammar::ast::{ExprId, Ident};
use mam_runtime::NoteSignal;

/// What is known of a voice where something is given to a parameter of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceSignal {
    /// An event of the voice, by its name in the instrument: `trig`, `gate`, `freq`, `note`, `vel`, `slur`, `fresh`.
    Event(&'static str),
    /// A signal of its note.
    Note(NoteSignal),
    /// A number in [0, 1), drawn at each of its notes: the same wherever it is mentioned.
    Random,
}

impl VoiceSignal {
    /// The one that a field of `voice` means.
    pub fn named(field: &str) -> Option<VoiceSignal> {
        let events = EVENTS.into_iter().chain(YOUNGER_EVENTS);
        let event = events.into_iter().find(|event| *event == field).map(VoiceSignal::Event);
        let random = || (field == "random").then_some(VoiceSignal::Random);
        event.or_else(|| NoteSignal::named(field).map(VoiceSignal::Note)).or_else(random)
    }

    /// Whether an instrument has a name of this spelling that means the same in its own body.
    pub fn is_plain(field: &str) -> bool {
        matches!(VoiceSignal::named(field), Some(VoiceSignal::Event(_)))
    }

    /// The names of all of them.
    pub fn names() -> Vec<&'static str> {
        let events = EVENTS.into_iter().chain(YOUNGER_EVENTS);
        events.chain(NoteSignal::ALL.map(NoteSignal::name)).chain(["random"]).collect()
    }
}
impl Resolver<'_> {
    /// Whether a name is the word `voice`: names of the song and of definitions are meant before it.
    pub(super) fn is_voice(&self, context: Context, name: &Ident) -> bool {
        &*name.name == "voice"
            && self.hir.find(context.scope, &name.name).is_none()
            && self.files.find(self.file, &name.name).is_none()
            && !self.files.is_broken(self.file, &name.name)
    }

    /// The expression `voice.field`, of which `of` is the word.
    pub(super) fn voice_field(&mut self, context: Context, (expr, of): (ExprId, ExprId), field: &Ident) {
        let known = VoiceSignal::named(&field.name).is_some();
        if known && context.has_voice() {
            return self.hir.set_name(of, Name::Voice);
        }
        let problem = if context.has_voice() {
            let message = format!("a voice has no signal `{field}`");
            let problem = Problem::new(&codes::UNKNOWN_FIELD, field.span, message);
            problem.nearest(&field.name, "signals of a voice", &VoiceSignal::names())
        } else {
            let span = self.ast.span(expr);
            let message =
                format!("`voice.{field}` is known only in what is given to a parameter of an instrument");
            let help = match known {
                true if self.has_events(context) && VoiceSignal::is_plain(&field.name) => {
                    format!("in an instrument the name alone means that of its voice: `{field}`")
                }
                _ => "give it to the instrument, as in `pluck(decay: 300ms * voice.vel)`; an instrument of the song \
                      has events, `bd.vel`"
                    .to_owned(),
            };
            Problem::new(&codes::UNKNOWN_NAME, span, message).help(help)
        };
        self.problem(context, problem);
        self.hir.set_name(of, Name::Broken);
        self.hir.set_name(expr, Name::Broken);
    }
}
