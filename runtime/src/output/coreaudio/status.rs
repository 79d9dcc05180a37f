//! What CoreAudio's numbers mean, in words.

use super::ca;
use crate::output::error::OutputError;

/// Known refusals. The codes are Apple's, from `AUComponent.h`, `AudioHardwareBase.h` and `MacTypes.h`.
const WORDS: [(i32, &str); 16] = [
    (-10879, "the unit does not know the property"),
    (-10878, "the unit does not know the parameter"),
    (-10877, "the unit has no such element"),
    (-10875, "the unit could not be initialised"),
    (-10874, "more frames than the unit can process were asked for"),
    (-10868, "the format is not supported"),
    (-10867, "the unit is not initialised"),
    (-10866, "the scope is wrong"),
    (-10865, "the property cannot be written"),
    (-10863, "it cannot be done now"),
    (-10851, "the value is not possible"),
    (-10849, "the unit is initialised already"),
    (-50, "a parameter is wrong"),
    (0x7374_6F70, "the hardware is not running"),
    (0x216F_626A, "the device is gone"),
    (0x6E6F_7065, "the operation is not possible"),
];

/// `Ok` for 0, else what was tried and why it failed.
pub(super) fn check(call: &'static str, status: ca::OSStatus) -> Result<(), OutputError> {
    match status {
        0 => Ok(()),
        status => Err(OutputError::System { call, why: words(status) }),
    }
}

/// The meaning of a status; its four letters or its number where it is not known.
pub(super) fn words(status: ca::OSStatus) -> String {
    if let Some((_, words)) = WORDS.iter().find(|(code, _)| *code == status) {
        return format!("{words} ({status})");
    }
    let letters = status.to_be_bytes();
    match letters.iter().all(|letter| (b' '..=b'~').contains(letter)) {
        true => format!("status '{}'", String::from_utf8_lossy(&letters)),
        false => format!("status {status}"),
    }
}
