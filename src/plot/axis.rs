//! Axes: their range, where ticks stand, and what is written at them.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their ratios: frequencies.
    Log,
    /// Evenly, in semitones that are written as notes.
    Notes,
}

/// An axis with its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is measured, with its unit: `level in dB`.
    pub label: String,
    /// The value at the left or lower end.
    pub from: f64,
    /// The value at the other end, greater than `from`.
    pub to: f64,
    /// How values are spread.
    pub scale: Scale,
    /// The ticks, where they have names; else round numbers.
    pub named: Vec<(f64, String)>,
}

/// The label of an axis of seconds.
const TIME: &str = "time in s";

impl Axis {
    /// An even axis. A range without extent is widened, so that every value has a place.
    pub fn linear(label: &str, from: f64, to: f64) -> Axis {
        let (from, to) = if to > from { (from, to) } else { (from - 0.5, from + 0.5) };
        Axis { label: label.into(), from, to, scale: Scale::Linear, named: vec![] }
    }

    /// Frequencies, by ratios, in Hz.
    pub fn frequency(from: f64, to: f64) -> Axis {
        Axis {
            label: "frequency in Hz".into(),
            from,
            to: to.max(from * 2.0),
            scale: Scale::Log,
            named: vec![],
        }
    }

    /// An axis of seconds from 0.
    pub fn seconds(to: f64) -> Axis {
        Axis::linear(TIME, 0.0, to.max(1e-6))
    }

    /// Whether it is one of seconds.
    pub fn is_time(&self) -> bool {
        self.label == TIME
    }

    /// Where a value lies: 0 at `from`, 1 at `to`; beyond for what is outside.
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Log => (value.max(1e-9) / self.from).ln() / (self.to / self.from).ln(),
            Scale::Linear | Scale::Notes => (value - self.from) / (self.to - self.from),
        }
    }

    /// The value at a place from 0 to 1.
    pub fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Log => self.from * (self.to / self.from).powf(place),
            Scale::Linear | Scale::Notes => self.from + place * (self.to - self.from),
        }
    }

    /// The ticks within the range, about `most` of them, each with what is written at it.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if !self.named.is_empty() {
            return self.named.clone();
        }
        match self.scale {
            Scale::Log => self.decades(),
            Scale::Linear => self.steps(step(self.to - self.from, most)),
            Scale::Notes => {
                let octave = if (self.to - self.from) as usize > 12 * most { 24.0 } else { 12.0 };
                let first = (self.from / octave).ceil() as i64;
                let notes = (first..).map(|n| n as f64 * octave).take_while(|note| *note <= self.to);
                notes.map(|note| (note, format!("c{}", (note / 12.0) as i64 - 1))).collect()
            }
        }
    }

    fn steps(&self, step: f64) -> Vec<(f64, String)> {
        let first = (self.from / step - 1e-9).ceil() as i64;
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let ticks = (first..).map(|n| n as f64 * step).take_while(|tick| *tick <= self.to + step * 1e-9);
        ticks.map(|tick| (tick, format!("{:.digits$}", if tick == 0.0 { 0.0 } else { tick }))).collect()
    }

    /// 1, 2 and 5 of each decade.
    fn decades(&self) -> Vec<(f64, String)> {
        let first = self.from.log10().floor() as i32;
        let last = self.to.log10().ceil() as i32;
        let all = (first..=last).flat_map(|decade| [1.0, 2.0, 5.0].map(|x| x * 10_f64.powi(decade)));
        let inside = all.filter(|x| *x >= self.from * 0.999_999 && *x <= self.to * 1.000_001);
        inside.map(|x| (x, if x >= 1000.0 { format!("{}k", x / 1000.0) } else { format!("{x}") })).collect()
    }
}

/// 1, 2 or 5 times a power of ten, so that a range has at most so many steps.
fn step(range: f64, most: usize) -> f64 {
    let raw = range / most.max(1) as f64;
    let power = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|x| x * power).find(|x| *x >= raw * 0.999_999).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(axis: &Axis) -> Vec<String> {
        axis.ticks(6).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(written(&Axis::linear("", 0.0, 3.0)), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]);
        assert_eq!(written(&Axis::linear("", -60.0, 0.0)), ["-60", "-50", "-40", "-30", "-20", "-10", "0"]);
        assert_eq!(written(&Axis::frequency(20.0, 2000.0)), ["20", "50", "100", "200", "500", "1k", "2k"]);
        let notes = Axis { label: String::new(), from: 50.0, to: 75.0, scale: Scale::Notes, named: vec![] };
        assert_eq!(written(&notes), ["c4", "c5"]);
        assert!(Axis::linear("", 1.0, 1.0).place(1.0).is_finite());
    }

    #[test]
    fn a_place_and_its_value_are_inverse() {
        for axis in [Axis::linear("", -3.0, 5.0), Axis::frequency(20.0, 20_000.0)] {
            for place in [0.0, 0.25, 1.0] {
                assert!((axis.place(axis.value(place)) - place).abs() < 1e-9);
            }
        }
    }
}
