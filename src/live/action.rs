//! What a hand can ask for while a song plays, whichever hand it is: keys, MIDI, OSC.

/// One wish.
#[cfg_attr(not(any(feature = "osc", feature = "midi")), expect(dead_code, reason = "keys ask for some only"))]
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Go on.
    Play,
    /// Fade out and wait.
    Stop,
    /// Go on, or wait.
    Toggle,
    /// Play from the beginning.
    Top,
    /// Go to the beginning of a bar so many bars later, or earlier.
    Bars(i64),
    /// Go to a place in quarter notes from the beginning.
    Beat(f64),
    /// The tempo at the start of the song, in quarter notes a minute.
    Tempo(f64),
    /// A node is not heard, or heard again; the other of the two where it is not said.
    Mute(String, Option<bool>),
    /// An instrument is heard alone, or not.
    Solo(String, Option<bool>),
    /// A parameter or knob goes to a value in base units, in so many seconds.
    Set(String, f64, f64),
    /// The same, to a place in its range: 0 to 1.
    Turn(String, f64),
    /// A note of an instrument begins: MIDI number, velocity (1 is nominal).
    Press(String, f64, f64),
    /// It ends.
    Release(String, f64),
    /// An instrument is hit: a plain note of its own pitch, of a quarter of a second.
    Hit(String, f64),
    /// All notes that a hand holds end.
    Silence,
    /// Stop and quit.
    Quit,
}
