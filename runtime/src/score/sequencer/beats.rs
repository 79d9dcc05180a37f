//! An instrument that triggers itself at every beat of its own: `bpm` and `loop`.

use crate::score::rational::{Overflow, Rational};

/// Beat k falls at round(k·60·rate/bpm), counted from where the loop was turned on. A change of the tempo keeps the
/// beat position of that moment.
#[derive(Clone, Debug)]
pub(super) struct Beats {
    rate: u32,
    on: bool,
    bpm: Rational,
    /// The frame at which `beat` was reached.
    frame: u64,
    beat: Rational,
    /// The next beat to be played.
    next: i64,
}

impl Beats {
    /// From the parameters' values at frame 0.
    pub(super) fn new(rate: u32, bpm: f64, looped: f64) -> Beats {
        let zero = Rational::ZERO;
        let mut beats = Beats { rate, on: false, bpm: zero, frame: 0, beat: zero, next: 0 };
        beats.set_bpm(0, bpm);
        beats.set_loop(0, looped);
        beats
    }

    /// True while it plays.
    pub(super) fn is_on(&self) -> bool {
        self.on && self.bpm.sign() > 0
    }

    /// The tempo is set at `frame`.
    pub(super) fn set_bpm(&mut self, frame: u64, bpm: f64) {
        self.beat = self.position(frame);
        self.frame = frame;
        self.bpm = Rational::from_f64(bpm.max(0.0)).unwrap_or(Rational::ZERO);
    }

    /// The loop is turned on or off at `frame`. Turned on, it begins with beat 0 there.
    pub(super) fn set_loop(&mut self, frame: u64, value: f64) {
        let on = value != 0.0;
        if on && !self.on {
            (self.frame, self.beat, self.next) = (frame, Rational::ZERO, 0);
        }
        self.on = on;
    }

    /// The frame of the next beat.
    pub(super) fn next_frame(&self) -> Option<u64> {
        let ahead = || {
            let beats = (Rational::whole(self.next) - self.beat)?;
            let frames = ((beats * Rational::whole(60 * i64::from(self.rate)))? / self.bpm)?;
            Rational::new(self.frame.into(), 1)? + frames
        };
        self.is_on().then(|| match ahead() {
            Ok(frame) => u64::try_from(frame.round()).unwrap_or(0).max(self.frame),
            Err(Overflow) => u64::MAX,
        })
    }

    /// The next beat was played.
    pub(super) fn played(&mut self) {
        self.next += 1;
    }

    /// Leaves out the beats that are long over at `frame`: those of the last two seconds are not.
    pub(super) fn skip_towards(&mut self, frame: u64) {
        let from = frame.saturating_sub(2 * u64::from(self.rate));
        if self.is_on() && from > self.frame {
            self.next = self.next.max(i64::try_from(self.position(from).floor()).unwrap_or(i64::MAX));
        }
    }

    /// The same, when what was at one frame is at another.
    pub(super) fn moved(&self, from: u64, to: u64) -> Beats {
        Beats { beat: self.position(from), frame: to, ..self.clone() }
    }

    fn position(&self, frame: u64) -> Rational {
        if !self.is_on() {
            return self.beat;
        }
        let exact = || {
            let frames = Rational::new(i128::from(frame) - i128::from(self.frame), 1)?;
            self.beat + ((frames * self.bpm)? / Rational::whole(60 * i64::from(self.rate)))?
        };
        // Many changes of odd tempos can outgrow a fraction; then a fine grid is exact enough for half a frame.
        exact().unwrap_or_else(|_| {
            let frames = (frame - self.frame) as f64;
            let beat = self.beat.to_f64() + frames * self.bpm.to_f64() / (60.0 * f64::from(self.rate));
            Rational::new((beat * f64::from(1 << 30)).round() as i128, 1 << 30).unwrap_or(Rational::ZERO)
        })
    }
}
