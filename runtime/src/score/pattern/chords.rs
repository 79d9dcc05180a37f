//! Notes that last from and to the same instants: a chord, whose notes are put into another order or other octaves.

use super::{PatternEvent, Pitch, TimeSpan, Value, value::Note};
use crate::score::rational::{Overflow, Rational};

/// What is done to each chord.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum ChordLaw {
    /// Its notes after one another, in its time.
    Arp(ArpOrder),
    /// Its lowest notes, so many, an octave higher; its highest an octave lower where negative.
    Invert(i32),
    /// Each note in the octave that is nearest to this MIDI note: within half an octave of it.
    Around(f64),
}

/// In which order the notes of a chord follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "image", derive(serde::Serialize, serde::Deserialize))]
pub enum ArpOrder {
    /// From the lowest to the highest.
    Up,
    /// From the highest to the lowest.
    Down,
    /// Up, and down again, the ends once.
    UpDown,
    /// Down, and up again, the ends once.
    DownUp,
    /// The lowest, the highest, the second lowest, and so on inwards.
    Converge,
    /// From the middle outwards.
    Diverge,
    /// Inwards, and outwards again.
    DisConverge,
    /// The highest after each of the others.
    PinkyUp,
    /// The lowest before each of the others.
    ThumbUp,
    /// As `PinkyUp`, and back again, the ends once.
    PinkyUpDown,
    /// As `ThumbUp`, and back again, the ends once.
    ThumbUpDown,
}

impl ArpOrder {
    /// Every order with its name.
    pub const ALL: [(&'static str, ArpOrder); 11] = [
        ("up", ArpOrder::Up),
        ("down", ArpOrder::Down),
        ("updown", ArpOrder::UpDown),
        ("downup", ArpOrder::DownUp),
        ("converge", ArpOrder::Converge),
        ("diverge", ArpOrder::Diverge),
        ("disconverge", ArpOrder::DisConverge),
        ("pinkyup", ArpOrder::PinkyUp),
        ("thumbup", ArpOrder::ThumbUp),
        ("pinkyupdown", ArpOrder::PinkyUpDown),
        ("thumbupdown", ArpOrder::ThumbUpDown),
    ];

    /// Which notes follow one another, of `n` in the order of their height.
    fn indices(self, n: usize) -> Vec<usize> {
        let inwards: Vec<usize> = (0..n).map(|i| if i % 2 == 0 { i / 2 } else { n - 1 - i / 2 }).collect();
        let there_and_back = |there: Vec<usize>| {
            let back = there.iter().rev().skip(1).take(there.len().saturating_sub(2)).copied().collect();
            [there, back].concat()
        };
        let backwards = |order: &[usize]| order.iter().rev().copied().collect::<Vec<_>>();
        match self {
            ArpOrder::Up => (0..n).collect(),
            ArpOrder::Down => (0..n).rev().collect(),
            ArpOrder::UpDown => there_and_back((0..n).collect()),
            ArpOrder::DownUp => there_and_back((0..n).rev().collect()),
            ArpOrder::Converge => inwards,
            ArpOrder::Diverge => backwards(&inwards),
            ArpOrder::DisConverge => [inwards.clone(), backwards(&inwards).split_off(n.min(1))].concat(),
            ArpOrder::PinkyUp if n > 1 => (0..n - 1).flat_map(|i| [i, n - 1]).collect(),
            ArpOrder::ThumbUp if n > 1 => (1..n).flat_map(|i| [0, i]).collect(),
            ArpOrder::PinkyUp | ArpOrder::ThumbUp => (0..n).collect(),
            ArpOrder::PinkyUpDown => there_and_back(ArpOrder::PinkyUp.indices(n)),
            ArpOrder::ThumbUpDown => there_and_back(ArpOrder::ThumbUp.indices(n)),
        }
    }
}

impl ChordLaw {
    /// The events of one chord after the change; they have one whole, and stand in the order of their height.
    pub(super) fn apply(self, chord: &[PatternEvent]) -> Result<Vec<PatternEvent>, Overflow> {
        match self {
            ChordLaw::Arp(order) => arpeggio(order, chord),
            ChordLaw::Invert(n) => Ok(inverted(n, chord)),
            ChordLaw::Around(middle) => Ok(chord.iter().map(|event| around(middle, event)).collect()),
        }
    }
}

fn arpeggio(order: ArpOrder, chord: &[PatternEvent]) -> Result<Vec<PatternEvent>, Overflow> {
    let Some(whole) = chord.first().map(|event| event.whole) else { return Ok(vec![]) };
    let indices = order.indices(chord.len());
    let step = ((whole.end - whole.begin)? / Rational::whole(indices.len() as i64))?;
    let mut events = Vec::with_capacity(indices.len());
    for (i, index) in indices.into_iter().enumerate() {
        let begin = (whole.begin + (step * Rational::whole(i as i64))?)?;
        let slot = TimeSpan::new(begin, (begin + step)?);
        if let Some(part) = slot.meet(chord[index].part) {
            events.push(PatternEvent { whole: slot, part, ..chord[index].clone() });
        }
    }
    Ok(events)
}

fn inverted(n: i32, chord: &[PatternEvent]) -> Vec<PatternEvent> {
    let count = chord.len() as i32;
    let octaves = |i: i32| match count {
        0 => 0,
        // The i-th lowest of `count` goes up in turn i, i + count, …; from above likewise.
        _ if n >= 0 => (n - i + count - 1).div_euclid(count),
        _ => -((-n - (count - 1 - i) + count - 1).div_euclid(count)),
    };
    let moved = |(i, event): (usize, &PatternEvent)| raised(event, 12.0 * f64::from(octaves(i as i32)));
    chord.iter().enumerate().map(moved).collect()
}

fn around(middle: f64, event: &PatternEvent) -> PatternEvent {
    let height = height(&event.value);
    raised(event, 12.0 * ((middle - height) / 12.0).round())
}

fn raised(event: &PatternEvent, semitones: f64) -> PatternEvent {
    let value = match &event.value {
        Value::Number(x) => Value::Number(x + semitones),
        value => super::Joint::Transpose.apply(value, semitones),
    };
    PatternEvent { value, ..event.clone() }
}

/// How high a value is among others: the number of its note or degree.
pub(super) fn height(value: &Value) -> f64 {
    let Note { pitch, .. } = value.to_note();
    match pitch {
        Pitch::Plain(above) => 60.0 + above,
        Pitch::Note(note) => note,
        Pitch::Degree(degree, above) => degree + above / 12.0,
    }
}
