//! What the functions promise to C.

use super::*;
use std::path::Path;

/// What a song gives in blocks of these sizes, with this input on both channels.
fn rendered(song: *mut Song, blocks: &[usize], heard: &[f32]) -> Vec<[f32; 2]> {
    let mut all = vec![];
    for &frames in blocks {
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        let input = heard[all.len()..][..frames].as_ptr();
        let output = [left.as_mut_ptr(), right.as_mut_ptr()];
        // SAFETY: the song is not null, and the channels have that many frames.
        unsafe { run(song, frames as c_int, [input, input].as_ptr(), output.as_ptr()) };
        all.extend(left.into_iter().zip(right).map(|(l, r)| [l, r]));
    }
    // SAFETY: made by `Box::into_raw`, and not used again.
    drop(unsafe { Box::from_raw(song) });
    all
}

fn song(text: &str) -> *mut Song {
    Box::into_raw(Box::new(Song::compiled("test.mam", text.into(), 48000).expect("the song has no errors")))
}

#[test]
fn our_songs_compile_and_sound() {
    let songs = Path::new(env!("CARGO_MANIFEST_DIR")).join("songs");
    for number in 1..=3 {
        assert!(songs.join(format!("w{number}.mam")).exists());
        let song = new(number, 48000);
        assert!(!song.is_null(), "w{number}");
        let sound = rendered(song, &[4800], &[0.0; 4800]);
        assert!(sound.iter().flatten().any(|x| x.abs() > 0.01), "w{number}");
        assert!(sound.iter().flatten().all(|x| x.abs() < 2.0), "w{number}");
    }
}

#[test]
fn any_block_size_gives_the_same() {
    let heard: Vec<f32> = (0..3000).map(|i| (i as f32 * 0.01).sin()).collect();
    let text = "bd = kick()\nout = 0.5 * in + 0.25 * tap(in, 7ms, max: 10ms) + bd\n";
    let whole = rendered(song(text), &[3000], &heard);
    let pieces = rendered(song(text), &[1, 2, 3, 64, 65, 1000, 0, 61, 1804], &heard);
    assert!(whole.iter().any(|frame| frame[0] != 0.0));
    // Where a song hears its input, a block ends a stretch of its kernels: another rounding, no more.
    let off =
        whole.iter().flatten().zip(pieces.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-6, "{off}");
}

/// What a song gives in blocks of 128 frames, at addresses so many samples beside those that vectors like.
fn rendered_beside(song: *mut Song, beside: usize) -> Vec<f32> {
    #[repr(align(64))]
    struct Channel([f32; 160]);
    let [mut left, mut right] = [Channel([9.0; 160]), Channel([9.0; 160])];
    let heard: [f32; 128] = std::array::from_fn(|i| (i as f32 * 0.37).sin());
    let mut all = vec![];
    for _ in 0..40 {
        let output = [&mut left, &mut right].map(|channel| channel.0[beside..].as_mut_ptr());
        // SAFETY: the song is not null, and the channels have that many frames.
        unsafe { run(song, 128, [heard.as_ptr(); 2].as_ptr(), output.as_ptr()) };
        all.extend([&left, &right].iter().flat_map(|channel| &channel.0[beside..beside + 128]));
    }
    // SAFETY: made by `Box::into_raw`, and not used again.
    drop(unsafe { Box::from_raw(song) });
    all
}

#[test]
fn a_quantum_that_is_rendered_where_it_is_asked_for_is_the_same() {
    let songs = [
        "out = 0.5 * sine(440Hz)\n",
        "out = (sine(440Hz), sine(441Hz))\n",
        "a = in.left * 2\nout = (a, 0.5 * a + in.right)\n",
        "bd = kick()\nplay { bd |x..x| }\nout = (bd, in.left)\n",
        "bd = kick()\nplay { bd |x...| }\nout = bd |> echo()\n",
    ];
    for text in songs {
        let [direct, copied] = [0, 1].map(|beside| rendered_beside(song(text), beside));
        assert!(direct.iter().any(|x| *x != 0.0) && !direct.contains(&9.0), "{text}");
        assert!(direct == copied, "{text}");
    }
}

#[test]
fn the_input_is_heard_at_once() {
    let heard: Vec<f32> = (0..640).map(|i| (i as f32 * 0.01).sin()).collect();
    let sound = rendered(song("out = 0.5 * in\n"), &[64, 128, 64, 384], &heard);
    assert!(sound.iter().zip(&heard).all(|(frame, x)| *frame == [0.5 * x; 2]));
}

#[test]
fn a_song_that_is_not_there_is_null() {
    assert!(new(9, 48000).is_null());
    assert!(new(1, -1).is_null());
}

#[test]
fn a_song_with_errors_is_none() {
    assert!(Song::compiled("test.mam", "out = nowhere\n".into(), 48000).is_none());
}
