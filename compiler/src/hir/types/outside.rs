//! Instruments that are machines outside: `midi_send` and `osc_send`.

use super::value::{Number, Value};
use super::{At, Checker};
use crate::codes;
use crate::graph::Given;
use crate::text::number;
use mam_grammar::ast::{Expr, ExprId};
use mam_grammar::{Code, Problem, Span};
use mam_runtime::Outside;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Semitones that machines bend up and down which are not told otherwise.
const USUAL_BEND: u8 = 2;

impl Checker<'_> {
    /// The text that is given to an argument in the head of an instrument.
    pub(super) fn text_of(&self, given: Given) -> Option<Arc<str>> {
        let Given::Number(expr) = given else { return None };
        match &self.files().file(self.input.song).ast.exprs[expr] {
            Expr::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// `midi_send(port, channel, key, bend)`
    pub(super) fn midi_send(&mut self, at: &At, args: &[Option<ExprId>]) -> Value {
        let arg = |i: usize| args.get(i).copied().flatten();
        let Some(first) = arg(0) else { return Value::Broken };
        let port = self.text(at, first, "the name of a MIDI port");
        let channel = arg(1).map_or(Some(1), |channel| self.number_of(at, channel, "a MIDI channel", 1..=16));
        // What is not said is said by a number that is not a key.
        let key = arg(2).map_or(Some(-1), |key| self.number_of(at, key, "a MIDI key", -1..=127));
        let bend = arg(3).map_or(Some(USUAL_BEND), |bend| self.bend_of(at, bend));
        let (Some(port), Some(channel), Some(key), Some(bend)) = (port, channel, key, bend) else {
            return Value::Broken;
        };
        let key = u8::try_from(key).ok();
        self.sends(at, first, || Outside::Midi { port, channel: channel as u8 - 1, key, bend })
    }

    /// How far a machine bends, in whole semitones: an interval that is known before the song starts.
    fn bend_of(&mut self, at: &At, expr: ExprId) -> Option<u8> {
        const MOST: f64 = 96.0;
        let (value, span) = (self.eval(at, expr), self.span(at, expr));
        let signal = self.signal(value, span)?;
        if self.is_generic {
            return Some(USUAL_BEND);
        }
        let x = signal.channels()[0].constant();
        let semitones = x.map(|ratio| 12.0 * ratio.log2());
        let is_whole = |semitones: &f64| (semitones - semitones.round()).abs() < 1e-6;
        let whole = semitones.filter(is_whole).map(f64::round).filter(|st| (1.0..=MOST).contains(st));
        if whole.is_none() {
            let shown = x.map_or("what is not known before the song starts".into(), number);
            let (place, message) = (self.place_of(at, expr), format!("the range of bends cannot be {shown}"));
            let help = "it is an interval of whole semitones, from 1st to 96st: `bend: 12st`";
            self.refused(&codes::OUT_OF_BOUNDS, place, message, help);
        }
        whole.map(|semitones| semitones as u8)
    }

    /// `osc_send(address, path, sound)`
    pub(super) fn osc_send(&mut self, at: &At, args: &[Option<ExprId>]) -> Value {
        let arg = |i: usize| args.get(i).copied().flatten();
        let (Some(first), Some(second)) = (arg(0), arg(1)) else { return Value::Broken };
        let address = self.text(at, first, "a host with its port");
        let path = self.text(at, second, "the path of messages");
        let sound = arg(2).map_or(Some("".into()), |sound| self.text(at, sound, "the name of a sound"));
        let (Some(address), Some(path), Some(sound)) = (address, path, sound) else { return Value::Broken };
        if self.is_generic {
            return Value::plain(Number::real(0.0));
        }
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        if !address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && is_port(port)) {
            let message = format!("`{address}` is not a host and a port");
            let place = self.place_of(at, first);
            return self.refused(&codes::BAD_ADDRESS, place, message, "write both: `\"127.0.0.1:57120\"`");
        }
        if !path.starts_with('/') || !path.is_ascii() {
            let message = format!("`{path}` is not the path of an OSC message");
            let place = self.place_of(at, second);
            return self.refused(
                &codes::BAD_ADDRESS,
                place,
                message,
                "a path begins with a slash: `\"/dirt/play\"`",
            );
        }
        let sound = Some(sound).filter(|sound| !sound.is_empty());
        self.sends(at, first, || Outside::Osc { address, path, sound })
    }

    /// Where people look for what is wrong with a machine: its call, where it is called.
    fn place_of(&self, at: &At, expr: ExprId) -> Span {
        self.instrument.map_or_else(|| self.span(at, expr), |node| self.input.graph.nodes[node].span)
    }

    fn refused(&mut self, code: &'static Code, place: Span, message: String, help: &str) -> Value {
        self.problem(Problem::new(code, place, message).help(help))
    }

    /// The notes of the instrument that is evaluated go outside.
    fn sends(&mut self, at: &At, expr: ExprId, outside: impl FnOnce() -> Outside) -> Value {
        match self.instrument {
            Some(node) => _ = self.checked.outside.insert(node, outside()),
            None if self.is_generic => {}
            None => {
                let (place, message) =
                    (self.span(at, expr), "there are no notes here that could be sent".into());
                let help = "give the machine a name, and let lines play it: `bass = midi_out(\"Minitaur\")`";
                return self.refused(&codes::NOTHING_TO_SEND, place, message, help);
            }
        }
        Value::plain(Number::real(0.0))
    }

    /// A text: one that is written, or that was given to the instrument; that of a definition by itself may be any.
    fn text(&mut self, at: &At, expr: ExprId, what: &str) -> Option<Arc<str>> {
        if let Expr::Text(text) = &self.ast(at).exprs[expr] {
            return Some(text.clone());
        }
        match self.eval(at, expr) {
            Value::Text(text) => Some(text),
            Value::Broken => None,
            Value::Unknown(_) => Some("".into()),
            _ => {
                let (place, message) = (self.place_of(at, expr), format!("{what} is a text"));
                self.refused(
                    &codes::NOT_A_TEXT,
                    place,
                    message,
                    "write it in quotes: `midi_out(\"Minitaur\")`",
                );
                None
            }
        }
    }

    /// A whole number that is known before the song starts.
    fn number_of(&mut self, at: &At, expr: ExprId, what: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let (value, span) = (self.eval(at, expr), self.span(at, expr));
        let signal = self.signal(value, span)?;
        if self.is_generic {
            return Some(*range.end());
        }
        let x = signal.channels()[0].constant();
        let whole = x.filter(|x| x.fract() == 0.0).map(|x| x as i64).filter(|x| range.contains(x));
        if whole.is_none() {
            let shown = x.map_or("what is not known before the song starts".into(), |x| x.to_string());
            let (place, message) = (self.place_of(at, expr), format!("{what} cannot be {shown}"));
            let help = format!("it is a whole number from {} to {}", (*range.start()).max(0), range.end());
            self.refused(&codes::OUT_OF_BOUNDS, place, message, &help);
        }
        whole
    }
}
