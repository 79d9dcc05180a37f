//! What controllers ask for, done or refused in words.

use super::Player;
use crate::failure::too_far;
use crate::live::action::Action;
use mam_grammar::problem::nearest;
use mam_runtime::control::{Position, Sync};
use mam_runtime::ids::ParamId;
use mam_runtime::score::LAST_FRAME;
use mam_runtime::{Miss, Program};
use std::time::{Duration, Instant};

impl Player {
    /// Does it, or says why not.
    pub(super) fn act(&mut self, action: Action) {
        if let Err(why) = self.try_to(action) {
            self.refuse(&why);
        }
    }

    /// Says what cannot be done; the same refusal is said once.
    pub(super) fn refuse(&mut self, why: &str) {
        const MOST_A_SECOND: u32 = 20;
        if self.refused == why {
            return;
        }
        if self.refusals.0.elapsed() >= Duration::from_secs(1) {
            self.refusals = (Instant::now(), 0);
        }
        self.refusals.1 += 1;
        // A sender of nonsense without end does not fill the terminal, or the file that it goes to.
        match self.refusals.1 {
            ..MOST_A_SECOND => self.ui.say(&format!("{why}\n")),
            MOST_A_SECOND => self.ui.say("more was refused, and is not reported\n"),
            _ => {}
        }
        self.refused = why.into();
    }

    fn try_to(&mut self, action: Action) -> Result<(), String> {
        action.check()?;
        match action {
            Action::Play => self.play(true),
            Action::Stop => self.play(false),
            Action::Toggle => self.play(!self.playing),
            Action::Top => {
                self.seek(0)?;
                self.heading = Position::at_frame(self.control.program(), 0);
                self.play(true);
            }
            Action::Bars(bars) => self.go_by_bars(bars)?,
            Action::Beat(beat) => {
                if let Some(here) = self.place() {
                    self.go(Position { pass: 0, bar: beat.max(0.0) / here.beats_per_bar, ..here })?;
                }
            }
            Action::Tempo(bpm) => {
                if self.place().is_none() {
                    return Err("the song has no tempo".into());
                }
                self.new_tempo = Some(bpm);
            }
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
            Action::Press(key, vel, signals) => {
                if !self.voices.press(&mut self.control, &key, vel, &signals) {
                    self.named_instrument(&key.instrument)?;
                }
            }
            Action::Release(key) => self.voices.release(&mut self.control, &key),
            Action::Touch(touch) => self.voices.touch(&mut self.control, &touch),
            Action::Hit(name, vel) => {
                if !self.voices.hit(&mut self.control, &name, vel, Instant::now()) {
                    self.named_instrument(&name)?;
                }
            }
            Action::Silence => self.voices.silence(&mut self.control),
            Action::Undo => self.undo()?,
            Action::Save => self.save_turned()?,
            Action::Quit => self.over = true,
        }
        Ok(())
    }

    fn play(&mut self, playing: bool) {
        (self.playing, self.waits) = (playing, false);
        if playing { self.control.play() } else { self.control.stop() }
    }

    /// Where it is, or is about to be.
    fn place(&self) -> Option<Position> {
        self.heading.or_else(|| Position::at_frame(self.control.program(), self.control.song_frame()))
    }

    fn go_by_bars(&mut self, bars: i64) -> Result<(), String> {
        match self.place() {
            Some(place) => self.go(place.bar_line(bars)),
            // Without bars, a step is two seconds: a bar at 120.
            None => {
                let step = i128::from(bars) * 2 * i128::from(self.control.rate());
                let from = self.jump.unwrap_or_else(|| self.control.song_frame());
                self.seek(u64::try_from((i128::from(from) + step).max(0)).unwrap_or(u64::MAX))
            }
        }
    }

    fn go(&mut self, place: Position) -> Result<(), String> {
        let Some(frame) = place.frame(self.control.program()) else { return Ok(()) };
        self.seek(frame.unwrap_or(u64::MAX))?;
        self.heading = Some(place);
        Ok(())
    }

    /// Asks for a jump to a frame of the song.
    fn seek(&mut self, frame: u64) -> Result<(), String> {
        if frame > LAST_FRAME {
            return Err(too_far("this place", self.control.rate()));
        }
        self.jump = Some(frame);
        Ok(())
    }

    /// Does what was asked for last of what takes a new program: a jump, a tempo. One at a time, however many are asked
    /// for meanwhile.
    pub(super) fn change(&mut self) {
        if self.control.is_changing() {
            return;
        }
        if let Some(frame) = self.jump.take() {
            // The frame was checked when it was asked for.
            let _ = self.control.seek(frame);
        } else if let Some(bpm) = self.new_tempo.take() {
            self.set_tempo(bpm);
        } else {
            self.heading = None;
        }
    }

    fn set_tempo(&mut self, bpm: f64) {
        // Where the tempo changes on the way, it is set for the start in the same relation.
        let Some((first, now)) = self.place().and_then(|here| here.tempos(self.control.program())) else {
            return;
        };
        self.tempo = Some(bpm * first / now);
        let program = self.at_its_tempo();
        self.control.edit(program, Sync::Now);
    }

    fn set(&mut self, name: &str, value: f64, seconds: f64) -> Result<(), String> {
        let ramp = (seconds.max(0.0) * f64::from(self.control.rate())).round() as u32;
        if !self.control.set(name, value, ramp) {
            return self.param(name).map(|_| ());
        }
        if let Ok(param) = self.control.program().param(name) {
            let slot = &self.control.program().params[param];
            self.turned.set(&slot.name, value.clamp(slot.min, slot.max));
        }
        Ok(())
    }

    /// Saves what hands have turned as a preset, and says where.
    fn save_turned(&mut self) -> Result<(), String> {
        if !self.source.can_change() {
            return Err("a song that is not a file has no place for presets beside it".into());
        }
        let saved = self.turned.save(&self.source.song.input, &self.infos);
        let (path, name) = saved.map_err(|failure| failure.to_string())?;
        self.ui.say(&format!("preset `{name}` in {}\n", path.display()));
        // The next refusal is new, whatever was refused before.
        self.refused.clear();
        Ok(())
    }

    /// The parameter that a name means, or why there is none.
    fn param(&self, name: &str) -> Result<ParamId, String> {
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
        let params = self.control.program().params.values().filter(|slot| slot.follows.is_none());
        params.map(|slot| slot.name.to_string()).collect()
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
