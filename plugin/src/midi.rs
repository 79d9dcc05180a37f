//! Channel messages of MIDI, as hosts send them in three bytes.

/// The controller of the pedal.
const PEDAL: u8 = 64;
/// From this value on a pedal is down.
const DOWN: u8 = 64;
/// The controllers that end all notes of a channel.
const ALL_OFF: [u8; 2] = [120, 123];
/// The velocity of MIDI that is nominal, as in MIDI files and for `mamc play --midi`.
pub(crate) const NOMINAL: f64 = 100.0;
/// The controller of a third dimension of the touch, as in MPE.
const TIMBRE: u8 = 74;
/// Semitones of a full bend, as instruments take it that were not told otherwise.
const BEND_RANGE: f64 = 2.0;

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Message {
    /// A key goes down: its number, and the velocity as CLAP counts it, 0 to 1.
    On(i16, f64),
    /// A key goes up, and how quickly, 0 to 1, where the message says so.
    Off(i16, Option<f64>),
    /// A key is pressed so hard, 0 to 1; all keys of the channel without one.
    Pressure(Option<i16>, f64),
    /// The third dimension of the touch of all notes of the channel, 0 to 1.
    Timbre(f64),
    /// The pedal goes down, or up.
    Pedal(bool),
    /// All notes of the channel end.
    AllOff,
    /// All notes of the channel are bent by so many semitones.
    Bend(f64),
}

impl Message {
    /// The channel of a message, 0 to 15, and what it asks for; `None` for what plug-ins have no use for.
    pub(crate) fn read([status, first, second]: [u8; 3]) -> Option<(i16, Message)> {
        let (first, second) = (first & 0x7f, second & 0x7f);
        let share = |value: u8| f64::from(value) / 127.0;
        let message = match (status & 0xf0, first) {
            (0x90, key) if second > 0 => Message::On(key.into(), share(second)),
            (0x90, key) => Message::Off(key.into(), None),
            (0x80, key) => Message::Off(key.into(), Some(share(second))),
            (0xa0, key) => Message::Pressure(Some(key.into()), share(second)),
            (0xd0, value) => Message::Pressure(None, share(value)),
            (0xb0, TIMBRE) => Message::Timbre(share(second)),
            (0xb0, PEDAL) => Message::Pedal(second >= DOWN),
            (0xb0, number) if ALL_OFF.contains(&number) => Message::AllOff,
            (0xe0, _) => {
                let place = f64::from(u16::from(second) << 7 | u16::from(first)) - 8192.0;
                Message::Bend(place / 8192.0 * BEND_RANGE)
            }
            _ => return None,
        };
        Some(((status & 0x0f).into(), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_and_all_others_passed_over() {
        let read = Message::read;
        assert_eq!(read([0x93, 60, 127]), Some((3, Message::On(60, 1.0))));
        assert_eq!(read([0x90, 60, 0]), Some((0, Message::Off(60, None))));
        assert_eq!(read([0x8f, 60, 127]), Some((15, Message::Off(60, Some(1.0)))));
        assert_eq!(read([0xa1, 60, 0]), Some((1, Message::Pressure(Some(60), 0.0))));
        assert_eq!(read([0xd1, 127, 0]), Some((1, Message::Pressure(None, 1.0))));
        assert_eq!(read([0xb1, 74, 127]), Some((1, Message::Timbre(1.0))));
        assert_eq!(
            [read([0xb0, 64, 64]), read([0xb0, 64, 63])].map(|m| m.unwrap().1),
            [Message::Pedal(true), Message::Pedal(false)]
        );
        assert_eq!(read([0xb0, 123, 0]), Some((0, Message::AllOff)));
        assert_eq!(
            [[0xe0, 0, 0], [0xe0, 0, 64]].map(|m| read(m).unwrap().1),
            [Message::Bend(-2.0), Message::Bend(0.0)]
        );
        for status in 0..=255 {
            let known = matches!(status & 0xf0, 0x80 | 0x90 | 0xa0 | 0xd0 | 0xe0);
            assert_eq!(read([status, 1, 1]).is_some(), known, "{status:#x}");
        }
    }
}
