//! The song's `out`: a signal, or a list with a mono signal for each channel of the song.

use super::Checker;
use super::value::{Signal, Value};
use crate::channels::{Channels, Said};
use crate::codes;
use crate::text::number;
use mam_grammar::problem::count;
use mam_grammar::{Problem, Span};
use mam_runtime::ChannelLayout;
use mam_runtime::control::MOST_CHANNELS;

impl Checker<'_> {
    /// Reports what is wrong with the value of `out`; false where it cannot be heard.
    pub(super) fn check_out(&mut self, value: Value, span: Span) -> bool {
        let Value::List(elements) = value else {
            let Some(signal) = self.signal(value, span) else { return false };
            self.warn_of_unit(&signal, span);
            self.note_stillness(&signal, span);
            return match (self.input.channels, signal.channels().len()) {
                (Some(Channels { count: Some(wanted), layout, said }), has)
                    if has > 1 && has != wanted || has == 1 && layout == ChannelLayout::Ambisonic =>
                {
                    self.wrong_signal(has, (wanted, said), span)
                }
                _ => true,
            };
        };
        for (index, element) in elements.iter().enumerate() {
            let Some(signal) = self.signal(element.clone(), span) else { return false };
            if signal.stereo {
                let message = format!("element {index} of `out` is stereo, but each is one channel");
                let problem = Problem::new(&codes::OUT_CHANNELS, span, message);
                self.problem(problem.help("take one side of it, `.left` or `.right`"));
                return false;
            }
            self.warn_of_unit(&signal, span);
        }
        let has = elements.len();
        match self.input.channels {
            Some(Channels { count: Some(wanted), said, .. }) if has != wanted => {
                self.wrong_list(has, (wanted, said), span)
            }
            _ => true,
        }
    }

    /// Says so where the song is a number that never changes.
    fn note_stillness(&mut self, signal: &Signal, span: Span) {
        let values: Option<Vec<f64>> = signal.channels().iter().map(|channel| channel.constant()).collect();
        let Some(x) = values.and_then(|values| values.into_iter().find(|x| *x != 0.0)) else { return };
        if self.input.is_measured || self.input.is_json {
            return;
        }
        let message = format!("`out` is always {}, and what does not move is not heard", number(x));
        let help = "a tone is `sine(440Hz)`; `sin` is the sine of an angle";
        self.problems.add(Problem::new(&codes::STILL, span, message).help(help));
    }

    /// A signal that is not what the song's channels are made of.
    fn wrong_signal(&mut self, has: usize, (wanted, said): (usize, Said), span: Span) -> bool {
        let what = if has == 1 { "mono" } else { "stereo" };
        let message = format!("`out` is {what}, but {}", there_are(wanted, said));
        let (span, is_json) = match said {
            Said::Json(at) => (at, true),
            Said::Song | Said::Options => (span, self.input.is_json),
        };
        let help = match (has, wanted) {
            _ if is_json => {
                "leave the channels out, which are 2 then; one channel holds what has no `pan` and no width"
                    .into()
            }
            (1, _) => {
                "a sound field is a list, `[w, y, z, x]`; what comes from everywhere is `[x, 0, 0, 0]`".into()
            }
            (_, 1) => "take one side, `.left` or `.right`, or half of their sum".into(),
            _ => {
                let rest = ", 0".repeat(wanted - 2);
                format!("write a list of {wanted} signals: with `x` for it, `[x.left, x.right{rest}]`")
            }
        };
        self.problem(Problem::new(&codes::OUT_CHANNELS, span, message).help(help));
        false
    }

    /// A list that is longer or shorter than the song has channels.
    fn wrong_list(&mut self, has: usize, (wanted, said): (usize, Said), span: Span) -> bool {
        let message = format!("`out` is a list of {has}, but {}", there_are(wanted, said));
        let sum = "to hear all of them everywhere, add them: with `xs` for the list, `sum x in xs { x }`";
        let help = match has {
            _ if said == Said::Options => format!("leave the {wanted} away: the song has {has}"),
            1..=MOST_CHANNELS => format!("`channels {has}` gives each its own; {sum}"),
            _ => format!("a song has at most {MOST_CHANNELS} channels; {sum}"),
        };
        self.problem(Problem::new(&codes::OUT_CHANNELS, span, message).help(help));
        false
    }
}

/// How many channels there are, in words.
fn there_are(wanted: usize, said: Said) -> String {
    let channels = count(wanted, "channel");
    match said {
        Said::Options if wanted == 1 => format!("{channels} is asked for"),
        Said::Options => format!("{channels} are asked for"),
        Said::Song | Said::Json(_) => format!("the song has {channels}"),
    }
}
