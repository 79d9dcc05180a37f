//! Frames as exact places in bars, and places in bars as words of the mini-notation.

use super::play::Command;
use super::score;
use mam_grammar::json::Transport;
use mam_runtime::score::{Overflow, Rational, Swing, Tempo, TempoMap};

/// What begins where in a bar: a position in [0, 1) and a word; None for a rest.
pub(super) type Beat = (Rational, Option<String>);

/// The bars of one pass of a song.
pub(super) struct Bars {
    tempo: TempoMap,
    rate: u32,
    count: u32,
    /// The frame at which each bar starts, not rounded, and the one at which the last ends.
    starts: Vec<Rational>,
}

/// A trigger is held for at most this long, in seconds: a quarter.
const HELD: (i64, u32) = (1, 4);
/// Songs of more bars than this are not laid out bar by bar.
const MOST_BARS: u32 = 4096;

impl Bars {
    /// The bars of a transport; without one, as many at 120 beats a minute as the commands need.
    pub(super) fn new(transport: Option<&Transport>, rate: u32, commands: &[&Command]) -> Bars {
        let tempo = transport.map_or_else(TempoMap::default, score::tempo_map);
        let last = commands.iter().map(|c| c.frame.value).max().unwrap_or(0);
        let count = match transport {
            Some(transport) => transport.length_bars,
            None => u32::try_from(last / (u64::from(rate) * 2) + 1).unwrap_or(MOST_BARS),
        };
        let mut bars = Bars { tempo, rate, count: count.min(MOST_BARS), starts: vec![Rational::ZERO] };
        for bar in 0..bars.count {
            let start = bars.starts[bar as usize];
            match bars.length(bar).and_then(|length| start + length) {
                Ok(end) => bars.starts.push(end),
                Err(Overflow) => break,
            }
        }
        bars
    }

    /// True when the frame lies in one of them.
    pub(super) fn contains(&self, frame: u64) -> bool {
        let frame = Rational::whole(frame as i64);
        self.starts.last().is_some_and(|end| frame < *end)
    }

    /// Frames of a bar.
    fn length(&self, bar: u32) -> Result<Rational, Overflow> {
        let bar = Rational::whole(bar.into());
        let bpm = self.tempo.changes.iter().rev().find(|c| c.bar <= bar).map(|c| match c.tempo {
            Tempo::Steady(bpm) => bpm,
            Tempo::Ramp { from, .. } => from,
        });
        // Four beats of 60 seconds a bar.
        Rational::whole(240 * i64::from(self.rate)) / bpm.unwrap_or(Rational::whole(120))
    }

    /// The bar of a frame, and where in it that is as the notation counts, before swing.
    fn place(&self, frame: Rational) -> Result<(usize, Rational), Overflow> {
        let bar = self.starts.partition_point(|start| *start <= frame).clamp(1, self.starts.len()) - 1;
        let passed = ((frame - self.starts[bar])? / self.length(bar as u32)?)?;
        Ok((bar, straight(passed, self.tempo.swing)?))
    }

    /// A line that says `values`, which are in order of their frames, at their frames: a bar a cycle. `short` words
    /// are held no longer than a trigger is. None when a position does not fit.
    pub(super) fn notation(&self, values: &[(u64, String)], short: bool) -> Option<String> {
        let mut bars: Vec<Vec<Beat>> = vec![vec![]; self.count as usize];
        let held = (Rational::ratio(HELD.0, HELD.1) * Rational::whole(self.rate.into())).ok()?.round() as u64;
        for (i, (frame, word)) in values.iter().enumerate() {
            let next = values.get(i + 1).map(|v| v.0);
            if next == Some(*frame) {
                continue; // The later one of two at a frame holds.
            }
            self.put(&mut bars, *frame, Some(word.clone()))?;
            let end = frame + held;
            if short && next.is_none_or(|next| end < next) && self.contains(end) {
                self.put(&mut bars, end, None)?;
            }
        }
        let words: Option<Vec<String>> = bars.iter().map(|beats| sequence(beats)).collect();
        Some(alternatives(&words?))
    }

    fn put(&self, bars: &mut [Vec<Beat>], frame: u64, word: Option<String>) -> Option<()> {
        let (bar, at) = self.place(Rational::whole(frame as i64)).ok()?;
        bars.get_mut(bar)?.push((at, word));
        Some(())
    }
}

/// Undoes swing: where in a bar something must be written to be heard at `heard`.
fn straight(heard: Rational, swing: Option<Swing>) -> Result<Rational, Overflow> {
    let Some(Swing { amount, step }) = swing else { return Ok(heard) };
    let pair = (step + step)?;
    let first = (Rational::whole((heard / pair)?.floor() as i64) * pair)?;
    if (first + pair)? > Rational::ONE {
        return Ok(heard); // A step without a partner.
    }
    let within = (heard - first)?;
    let knee = (step * (Rational::ONE + (amount / Rational::whole(2))?)?)?;
    let written = match within < knee {
        true => ((within * step)? / knee)?,
        false => (step + (((within - knee)? * step)? / (pair - knee)?)?)?,
    };
    first + written
}

/// One bar in words: equal slots where they are few, else words with their weights. None when it does not fit.
pub(super) fn sequence(beats: &[Beat]) -> Option<String> {
    const FEW: i128 = 16;
    let slots = beats.iter().try_fold(1_i128, |all, beat| {
        let den = beat.0.den();
        (all / num_integer::gcd(all, den)).checked_mul(den)
    })?;
    let slot = |at: Rational| slots / at.den() * at.num();
    let mut words: Vec<(String, i128)> = vec![];
    let mut push = |word: &Option<String>, length: i128| {
        let word = word.clone().unwrap_or_else(|| "~".to_owned());
        if length > 0 && slots <= FEW && word != "~" {
            words.extend([(word, 1), ("~".to_owned(), length - 1)]);
        } else {
            words.push((word, length));
        }
    };
    push(&None, beats.first().map_or(slots, |beat| slot(beat.0)));
    for (i, (at, word)) in beats.iter().enumerate() {
        let next = beats.get(i + 1).map_or(slots, |beat| slot(beat.0));
        push(word, next - slot(*at));
    }
    let words = words.into_iter().filter(|(_, length)| *length > 0);
    let word = |(word, length): (String, i128)| match length {
        1 => word,
        n if slots <= FEW => vec![word; n as usize].join(" "),
        n => format!("{word}@{n}"),
    };
    Some(words.map(word).collect::<Vec<_>>().join(" "))
}

/// A word a cycle: `<[x ~] ~ ~ ~>`.
fn alternatives(bars: &[String]) -> String {
    let [only] = bars else {
        let mut words: Vec<(String, usize)> = vec![];
        for bar in bars {
            let word = if bar.contains(' ') { format!("[{bar}]") } else { bar.clone() };
            match words.last_mut().filter(|last| last.0 == word) {
                Some(last) => last.1 += 1,
                None => words.push((word, 1)),
            }
        }
        let word = |(word, times): (String, usize)| if times > 1 { format!("{word}!{times}") } else { word };
        return format!("<{}>", words.into_iter().map(word).collect::<Vec<_>>().join(" "));
    };
    only.clone()
}
