//! From keys to actions: a key that acts at once, or `m` and `s` followed by an instrument's number.

use super::action::Action;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::{Duration, Instant};

/// How long a number may wait for its next digit.
const PATIENCE: Duration = Duration::from_millis(800);

/// What the keys do, for people.
pub(super) const HELP: &str =
    "space stop/go · r top · ←/→ bar · m1 mute · s1 solo · u undo · w save · q quit";

/// Reads keys, and remembers a key that waits for a number.
#[derive(Debug, Default)]
pub(super) struct Keys {
    begun: Option<Begun>,
}

/// A command that waits for its number.
#[derive(Debug)]
struct Begun {
    letter: char,
    number: usize,
    since: Instant,
}

impl Keys {
    /// What has been typed of a command that waits for its number.
    pub(super) fn typed(&self) -> Option<String> {
        let begun = self.begun.as_ref()?;
        Some(if begun.number > 0 { format!("{}{}", begun.letter, begun.number) } else { begun.letter.into() })
    }

    /// Takes a key; `names` are the instruments, which are counted from 1.
    pub(super) fn press(&mut self, key: KeyEvent, names: &[&str], now: Instant) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return (key.code == KeyCode::Char('c')).then_some(Action::Quit);
        }
        if let Some(begun) = self.begun.take() {
            match key.code {
                KeyCode::Char(digit @ '0'..='9') => return self.digit(begun, digit, names, now),
                KeyCode::Enter => return begun.action(names),
                KeyCode::Esc | KeyCode::Backspace => return None,
                // Anything else is a command of its own.
                _ => {}
            }
        }
        match key.code {
            KeyCode::Char(' ') => Some(Action::Toggle),
            KeyCode::Char('r') => Some(Action::Top),
            KeyCode::Left => Some(Action::Bars(-1)),
            KeyCode::Right => Some(Action::Bars(1)),
            KeyCode::Char('u') => Some(Action::Undo),
            KeyCode::Char('w') => Some(Action::Save),
            KeyCode::Char('q') => Some(Action::Quit),
            KeyCode::Char(letter @ ('m' | 's')) => {
                self.begun = Some(Begun { letter, number: 0, since: now });
                None
            }
            _ => None,
        }
    }

    /// A number that has waited long enough is the whole number.
    pub(super) fn wait(&mut self, names: &[&str], now: Instant) -> Option<Action> {
        let late = |begun: &mut Begun| begun.number > 0 && now.duration_since(begun.since) >= PATIENCE;
        self.begun.take_if(late)?.action(names)
    }

    /// One more digit. The number is whole when no longer one can be an instrument's.
    fn digit(&mut self, begun: Begun, digit: char, names: &[&str], now: Instant) -> Option<Action> {
        let number = begun.number * 10 + digit.to_digit(10)? as usize;
        let begun = Begun { number, since: now, ..begun };
        if number > 0 && number * 10 <= names.len() {
            self.begun = Some(begun);
            return None;
        }
        begun.action(names)
    }
}

impl Begun {
    fn action(&self, names: &[&str]) -> Option<Action> {
        let name = (*names.get(self.number.checked_sub(1)?)?).to_string();
        Some(if self.letter == 'm' { Action::Mute(name, None) } else { Action::Solo(name, None) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a row of keys does; `<` and `>` are the arrows, `!` is Enter, `.` waits.
    fn typed(keys: &str, names: &[&str]) -> Vec<Action> {
        let (mut state, mut now, mut actions) = (Keys::default(), Instant::now(), vec![]);
        for key in keys.chars() {
            let code = match key {
                '<' => KeyCode::Left,
                '>' => KeyCode::Right,
                '!' => KeyCode::Enter,
                '.' => {
                    now += PATIENCE;
                    actions.extend(state.wait(names, now));
                    continue;
                }
                other => KeyCode::Char(other),
            };
            actions.extend(state.press(KeyEvent::new(code, KeyModifiers::NONE), names, now));
        }
        actions
    }

    #[test]
    fn plain_keys_act_at_once() {
        use Action::{Bars, Quit, Save, Toggle, Top, Undo};
        assert_eq!(typed(" r<>uwq", &[]), [Toggle, Top, Bars(-1), Bars(1), Undo, Save, Quit]);
        assert_eq!(typed("xyz\t", &["bd"]), []);
    }

    #[test]
    fn a_letter_and_a_number_name_an_instrument() {
        let mute = |name: &str| Action::Mute(name.into(), None);
        let solo = |name: &str| Action::Solo(name.into(), None);
        assert_eq!(typed("m1s2", &["bd", "sd"]), [mute("bd"), solo("sd")]);
        assert_eq!(typed("m3m0m", &["bd", "sd"]), [], "there is no third, and none before the first");
        assert_eq!(typed("mr", &["bd"]), [Action::Top], "another key is a command of its own");
    }

    #[test]
    fn numbers_of_two_digits_wait_for_the_second() {
        let names: Vec<String> = (1..=12).map(|i| format!("i{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mute = |name: &str| Action::Mute(name.into(), None);
        assert_eq!(typed("m2", &names), [mute("i2")], "there is no twentieth");
        assert_eq!(typed("m1", &names), []);
        assert_eq!(typed("m1!", &names), [mute("i1")]);
        assert_eq!(typed("m1.", &names), [mute("i1")]);
        assert_eq!(typed("m12m1.", &names), [mute("i12"), mute("i1")]);
    }

    #[test]
    fn control_c_quits_and_a_released_key_does_nothing() {
        let mut keys = Keys::default();
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(keys.press(control_c, &[], Instant::now()), Some(Action::Quit));
        let up =
            KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE) };
        assert_eq!(keys.press(up, &[], Instant::now()), None);
    }
}
