//! MIDI messages from bytes, as they come from a port: whole, in a row, with running status, with clocks in between.

use midly::MidiMessage;
use midly::live::{LiveEvent, SystemCommon, SystemRealtime};
use midly::stream::MidiStream;

/// A message that means something here. Channels count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A key goes down: channel, number and velocity, 1 to 127.
    On(u8, u8, u8),
    /// A key goes up: channel, number, and velocity, where it has one.
    Off(u8, u8, Option<u8>),
    /// A controller of a channel has a value.
    Control(u8, u8, u8),
    /// The wheel of a channel stands so far from the middle, −8192 to 8191.
    Bend(u8, i16),
    /// The keys of a channel are pressed.
    Pressure(u8, u8),
    /// A key of a channel is pressed.
    KeyPressure(u8, u8, u8),
    /// Where to go on, in sixteenths from the beginning.
    Position(u16),
    /// One of 24 ticks of a quarter note.
    Tick,
    /// Play from the beginning.
    Start,
    /// Play from where it is.
    Continue,
    /// Stop, and stay where it is.
    Stop,
}

/// Reads messages; what it does not know it leaves out.
#[derive(Debug, Default)]
pub(super) struct Reader {
    stream: MidiStream,
}

impl Reader {
    /// Takes bytes, and gives the messages that are whole with them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = vec![];
        let mut hear = |event: LiveEvent| messages.extend(message(event));
        for piece in pieces(bytes) {
            self.stream.feed(piece, &mut hear);
            // A place is not followed by running status; it need not wait for the next message to be known as whole.
            if let &[POSITION, _, _, ..] = piece {
                self.stream.flush(&mut hear);
            }
        }
        messages
    }
}

/// The status of a place in the song.
const POSITION: u8 = 0xF2;

/// Bytes in pieces, each of which begins with a status byte, except for the first, which goes on.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunk_by(|_, next| *next < 0x80)
}

fn message(event: LiveEvent) -> Option<Message> {
    match event {
        LiveEvent::Midi { channel, message } => of_channel(channel.as_int(), message),
        LiveEvent::Common(SystemCommon::SongPosition(sixteenths)) => {
            Some(Message::Position(sixteenths.as_int()))
        }
        LiveEvent::Common(_) => None,
        LiveEvent::Realtime(what) => match what {
            SystemRealtime::TimingClock => Some(Message::Tick),
            SystemRealtime::Start => Some(Message::Start),
            SystemRealtime::Continue => Some(Message::Continue),
            SystemRealtime::Stop => Some(Message::Stop),
            _ => None,
        },
    }
}

fn of_channel(channel: u8, message: MidiMessage) -> Option<Message> {
    Some(match message {
        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
            Message::On(channel, key.as_int(), vel.as_int())
        }
        MidiMessage::NoteOn { key, .. } => Message::Off(channel, key.as_int(), None),
        MidiMessage::NoteOff { key, vel } => Message::Off(channel, key.as_int(), Some(vel.as_int())),
        MidiMessage::Controller { controller, value } => {
            Message::Control(channel, controller.as_int(), value.as_int())
        }
        MidiMessage::PitchBend { bend } => Message::Bend(channel, bend.as_int()),
        MidiMessage::ChannelAftertouch { vel } => Message::Pressure(channel, vel.as_int()),
        MidiMessage::Aftertouch { key, vel } => Message::KeyPressure(channel, key.as_int(), vel.as_int()),
        MidiMessage::ProgramChange { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_whole_in_a_row_and_with_clocks_in_between() {
        use Message::*;
        let mut reader = Reader::default();
        assert_eq!(reader.read(&[0x90, 60, 100, 0x85, 60, 0]), [On(0, 60, 100), Off(5, 60, Some(0))]);
        assert_eq!(
            reader.read(&[0x90, 60, 0xF8, 100, 64, 0]),
            [Tick, On(0, 60, 100), Off(0, 64, None)],
            "running status"
        );
        assert_eq!(reader.read(&[0xB3, 74]), []);
        assert_eq!(reader.read(&[127, 1, 2]), [Control(3, 74, 127), Control(3, 1, 2)], "in pieces");
        assert_eq!(
            reader.read(&[0xF2, 0x10, 0x01, 0xFA, 0xFB, 0xFC]),
            [Position(144), Start, Continue, Stop]
        );
        assert_eq!(reader.read(&[1, 2, 3]), [], "a position has no running status");
        assert_eq!(
            reader.read(&[0xF0, 0x7E, 1, 2, 3, 0xF7, 4, 0xC0, 5, 6, 0xD0, 7, 0xE1, 0, 0x40, 0xA2, 60, 9]),
            [Pressure(0, 7), Bend(1, 0), KeyPressure(2, 60, 9)]
        );
        assert_eq!(reader.read(&[0x90, 1, 2]), [On(0, 1, 2)]);
    }

    #[test]
    fn all_bytes_can_come_in_any_order() {
        let mut reader = Reader::default();
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(reader.read(&bytes).len() > 100);
    }
}
