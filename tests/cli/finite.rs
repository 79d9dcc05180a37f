//! What a render and a player say of equations that are not finite.

use super::*;

const SONG: &str = "tempo 120\nshift = sine(2Hz)\nbroken = 0.1 / (if prev(clock) > 30000 then 0 else 1) * shift\n\
                    clock = prev(clock) + 1\nout = 0.1 * sine(220Hz) + broken\n";

/// The file is whole and finite; the equations and the place in the music are named, and the exit code is 1.
#[test]
fn a_render_that_is_not_finite_fails_and_says_which_equations_and_where() {
    let folder = Folder::new("finite").with("song.mam", SONG);
    for more in [&[][..], &["--interp"], &["-t", "1"], &["-b", "24"]] {
        let run = folder.run(&[&["render", "song.mam", "-o", "x.wav", "-d", "2s"], more].concat()).exits(1);
        // 30001 frames are 1.25 beats; the quantum that they lie in begins at frame 29952.
        assert!(
            run.err.contains("`broken`") && run.err.contains("bar 1, beat 2.24 (0.624 s)"),
            "{}",
            run.err
        );
        let sound = wav(folder.0.join("x.wav")).1;
        assert!(sound.len() == 2 * 96_000 && sound.iter().all(|x| x.is_finite()));
        assert!(
            sound[1_000..50_000].iter().any(|x| x.abs() > 0.1)
                && sound[2 * 29_952..].iter().all(|&x| x == 0.0)
        );
    }
    folder.run(&["render", "song.mam", "-o", "x.wav", "-d", "500ms"]).exits(0);
}

#[test]
fn a_player_says_what_is_not_finite_and_when_it_was_too_loud() {
    let folder = Folder::new("loud").with("song.mam", SONG).with("loud.mam", "out = 9 * sine(100Hz)\n");
    let play = |song: &str, more: &[&str]| {
        folder
            .run(&[&["play", song, "--backend", "null", "--plain", "--quit-after", "1s"], more].concat())
            .exits(0)
            .err
    };
    let told = play("song.mam", &["--log", "t.mamlog"]);
    // Its log says so as well when it is rendered.
    let again = folder.run(&["render", "t.mamlog", "-o", "again.wav"]).exits(1).err;
    assert!(again.contains("`broken`") && again.contains("bar 1, beat 2.24 (0.624 s)"), "{again}");
    assert!(told.contains("`broken`") && told.contains("until its next note or an edit"), "{told}");
    let told = play("loud.mam", &["--record", "r.wav"]);
    assert!(
        told.contains("louder than +12 dBFS from 0.001 s of the song on (frame 35)")
            && told.contains("limited sample"),
        "{told}"
    );
    let recorded = wav(folder.0.join("r.wav")).1;
    assert!(recorded.iter().all(|x| x.abs() < 3.982) && recorded.iter().any(|x| x.abs() > 3.98));
    assert!(!play("loud.mam", &["--no-limit"]).contains("+12 dBFS"));
}
