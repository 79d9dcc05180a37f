//! MIDI messages from bytes, as they come from a port: whole, in a row, with running status, with clocks in between.

/// A message that means something here. Channels are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A key goes down: number and velocity, 1 to 127.
    On(u8, u8),
    /// A key goes up.
    Off(u8),
    /// A controller has a value.
    Control(u8, u8),
    /// Where to go on, in sixteenths from the beginning.
    Position(u16),
    /// One of 24 ticks of a quarter note.
    Tick,
    /// Play from the beginning.
    Start,
    /// Play from where it is.
    Continue,
    /// Stop.
    Stop,
}

/// Reads messages; what it does not know it leaves out.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The status that holds for what follows; 0 where none does.
    status: u8,
    data: [u8; 2],
    count: usize,
}

impl Reader {
    /// Takes bytes, and gives the messages that are whole with them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Message> {
        bytes.iter().filter_map(|&byte| self.byte(byte)).collect()
    }

    fn byte(&mut self, byte: u8) -> Option<Message> {
        match byte {
            // These may stand anywhere, also within another message.
            0xF8 => Some(Message::Tick),
            0xFA => Some(Message::Start),
            0xFB => Some(Message::Continue),
            0xFC => Some(Message::Stop),
            0xF9 | 0xFD.. => None,
            0x80.. => {
                (self.status, self.count) = (byte, 0);
                None
            }
            _ => self.data(byte),
        }
    }

    fn data(&mut self, byte: u8) -> Option<Message> {
        let wanted = match self.status {
            0x80..=0xBF | 0xE0..=0xEF | 0xF2 => 2,
            0xC0..=0xDF | 0xF1 | 0xF3 => 1,
            // Within a message of the maker's own, or before any.
            _ => return None,
        };
        self.data[self.count] = byte;
        self.count += 1;
        if self.count < wanted {
            return None;
        }
        self.count = 0;
        let [first, second] = self.data;
        let message = match self.status {
            0x90..=0x9F if second > 0 => Message::On(first, second),
            0x80..=0x9F => Message::Off(first),
            0xB0..=0xBF => Message::Control(first, second),
            0xF2 => Message::Position(u16::from(first) | u16::from(second) << 7),
            _ => return None,
        };
        if self.status >= 0xF0 {
            self.status = 0;
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_whole_in_a_row_and_with_clocks_in_between() {
        use Message::*;
        let mut reader = Reader::default();
        assert_eq!(reader.read(&[0x90, 60, 100, 0x85, 60, 0]), [On(60, 100), Off(60)]);
        assert_eq!(
            reader.read(&[0x90, 60, 0xF8, 100, 64, 0]),
            [Tick, On(60, 100), Off(64)],
            "running status"
        );
        assert_eq!(reader.read(&[0xB3, 74]), []);
        assert_eq!(reader.read(&[127, 1, 2]), [Control(74, 127), Control(1, 2)], "in pieces");
        assert_eq!(
            reader.read(&[0xF2, 0x10, 0x01, 0xFA, 0xFB, 0xFC]),
            [Position(144), Start, Continue, Stop]
        );
        assert_eq!(reader.read(&[1, 2, 3]), [], "a position has no running status");
        assert_eq!(reader.read(&[0xF0, 0x7E, 1, 2, 3, 0xF7, 4, 0xC0, 5, 6, 0xD0, 7, 0xE0, 1, 2]), []);
        assert_eq!(reader.read(&[0x90, 1, 2]), [On(1, 2)]);
    }

    #[test]
    fn all_bytes_can_come_in_any_order() {
        let mut reader = Reader::default();
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(reader.read(&bytes).len() > 100);
    }
}
