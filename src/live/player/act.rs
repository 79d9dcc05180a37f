//! What hands ask for, done or refused in words.

use super::{Player, at_tempo};
use crate::live::action::Action;
use mam_grammar::problem::nearest;
use mam_runtime::control::{Place, Sync};
use mam_runtime::{Miss, Program};
use std::time::Instant;

/// Tempos that a hand can set.
const TEMPOS: std::ops::RangeInclusive<f64> = 1.0..=1000.0;

impl Player {
    /// Does it, or says why not.
    pub(super) fn act(&mut self, action: Action) {
        if let Err(why) = self.try_to(action) {
            self.refuse(&why);
        }
    }

    /// Says what cannot be done; a hand that asks for the same again is told once.
    pub(super) fn refuse(&mut self, why: &str) {
        if self.refused != why {
            self.front.say(&format!("{why}\n"));
            self.refused = why.into();
        }
    }

    fn try_to(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Play => self.play(true),
            Action::Stop => self.play(false),
            Action::Toggle => self.play(!self.playing),
            Action::Top => {
                self.control.seek(0);
                self.play(true);
            }
            Action::Bars(bars) => self.go_by_bars(bars),
            Action::Beat(beat) => {
                if let Some(here) = self.place() {
                    self.go(Place { pass: 0, bar: beat.max(0.0) / here.beats_per_bar, ..here });
                }
            }
            Action::Tempo(bpm) => self.set_tempo(bpm)?,
            Action::Mute(name, on) => {
                self.named_node(&name)?;
                let on = on.unwrap_or(!self.control.muted().contains(&name));
                self.control.mute(&name, on);
            }
            Action::Solo(name, on) => {
                self.named_instrument(&name)?;
                let on = on.unwrap_or(!self.control.soloed().contains(&name));
                self.control.solo(&name, on);
            }
            Action::Set(name, value, seconds) => self.set(&name, value, seconds)?,
            Action::Turn(name, place) => {
                let value = self.value_at(&name, place)?;
                self.set(&name, value, 0.0)?;
            }
            Action::Press(name, note, vel) => {
                if !self.hands.press(&mut self.control, &name, note, vel) {
                    self.named_instrument(&name)?;
                }
            }
            Action::Release(name, note) => self.hands.release(&mut self.control, &name, note),
            Action::Hit(name, vel) => {
                if !self.hands.hit(&mut self.control, &name, vel, Instant::now()) {
                    self.named_instrument(&name)?;
                }
            }
            Action::Silence => self.hands.silence(&mut self.control),
            Action::Quit => self.over = true,
        }
        Ok(())
    }

    fn play(&mut self, playing: bool) {
        (self.playing, self.waits) = (playing, false);
        if playing { self.control.play() } else { self.control.stop() }
    }

    /// Where it is, or is about to be.
    fn place(&self) -> Option<Place> {
        self.heading.or_else(|| Place::of(self.control.program(), self.control.song_frame()))
    }

    fn go_by_bars(&mut self, bars: i64) {
        match self.place() {
            Some(place) => self.go(place.bar_line(bars)),
            // Without bars, a step is two seconds: a bar at 120.
            None => {
                let step = bars * 2 * i64::from(self.control.rate());
                self.control.seek(self.control.song_frame().saturating_add_signed(step));
            }
        }
    }

    fn go(&mut self, place: Place) {
        if let Some(frame) = place.frame(self.control.program()) {
            self.control.seek(frame);
            self.heading = Some(place);
        }
    }

    fn set_tempo(&mut self, bpm: f64) -> Result<(), String> {
        if !TEMPOS.contains(&bpm) {
            return Err(format!(
                "{bpm} is no tempo: {} to {} quarter notes a minute",
                TEMPOS.start(),
                TEMPOS.end()
            ));
        }
        let Some(here) = self.place() else { return Err("the song has no tempo".into()) };
        // Where the tempo changes on the way, it is set for the start in the same relation.
        let Some((first, now)) = here.tempos(self.control.program()) else { return Ok(()) };
        self.tempo = Some(bpm * first / now);
        let program = at_tempo(&self.score, self.tempo);
        self.control.edit(program, Sync::Now);
        Ok(())
    }

    fn set(&mut self, name: &str, value: f64, seconds: f64) -> Result<(), String> {
        if !value.is_finite() {
            return Err(format!("`{name}` cannot be set to {value}"));
        }
        let ramp = (seconds.max(0.0) * f64::from(self.control.rate())).round() as u32;
        if self.control.set(name, value, ramp) { Ok(()) } else { self.param(name).map(|_| ()) }
    }

    /// The parameter that a name means, or why there is none.
    fn param(&self, name: &str) -> Result<usize, String> {
        self.control.program().param(name).map_err(|miss| match miss {
            Miss::Unknown => unknown("parameter", name, self.params()),
            Miss::Several(names) => format!("`{name}` could be any of {}", names.join(", ")),
        })
    }

    /// The value at a place in a parameter's range: evenly, or in equal ratios where its curve is.
    fn value_at(&self, name: &str, place: f64) -> Result<f64, String> {
        let slot = &self.control.program().params[self.param(name)?];
        let (min, max, place) = (slot.min, slot.max, place.clamp(0.0, 1.0));
        if !min.is_finite() || !max.is_finite() {
            return Err(format!("`{name}` has no range to turn it in; write `in 0..1` behind it"));
        }
        let by_ratio = slot.curve == mam_runtime::Curve::Exp && min > 0.0;
        Ok(if by_ratio { min * (max / min).powf(place) } else { min + (max - min) * place })
    }

    fn params(&self) -> Vec<String> {
        self.control.program().params.iter().map(|slot| slot.name.to_string()).collect()
    }

    fn named_instrument(&self, name: &str) -> Result<(), String> {
        named_instrument(self.control.program(), name)
    }

    fn named_node(&self, name: &str) -> Result<(), String> {
        let program = self.control.program();
        let nodes = program.steps.iter().map(|step| step.name.split('#').next().unwrap_or_default());
        let targets = program.targets.iter().map(|target| &*target.name);
        let names: Vec<String> = nodes.chain(targets).map(String::from).collect();
        if names.iter().any(|n| n == name) { Ok(()) } else { Err(unknown("node", name, names)) }
    }
}

/// Says so when a program has no such instrument.
pub(super) fn named_instrument(program: &Program, name: &str) -> Result<(), String> {
    let names: Vec<String> = program.targets.iter().map(|target| target.name.to_string()).collect();
    if names.iter().any(|n| n == name) { Ok(()) } else { Err(unknown("instrument", name, names)) }
}

fn unknown(what: &str, name: &str, names: Vec<String>) -> String {
    let hint = match nearest(name, &names) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => listed(names),
    };
    format!("there is no {what} `{name}`{hint}")
}

/// What there is, if it fits a line.
fn listed(mut names: Vec<String>) -> String {
    const MOST: usize = 12;
    names.dedup();
    match names.len() {
        0 => String::new(),
        1..=MOST => format!("; there are: {}", names.join(", ")),
        _ => format!("; there are: {} …", names[..MOST].join(", ")),
    }
}
