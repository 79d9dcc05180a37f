//! Quanta in a row are as those that are rendered one by one, whatever happens in them.

use super::*;

/// A low-pass with a sum that grows in each frame that hears more than 100, of which only what is below 1 is heard, and a decay from
/// the last note on; as machine code, so that quanta go by the call list.
struct Smooth;

unsafe extern "sysv64" fn smooth(call: *const Call) {
    // SAFETY: the program below has these tables.
    unsafe {
        let call = &*call;
        let sum = call.state.add(ENVELOPE).cast::<f32>();
        let level = call.state.add(ENVELOPE + 4).cast::<f32>();
        let held = call.state.add(ENVELOPE + 8).cast::<f32>();
        for i in 0..call.frames as usize {
            let heard = *(*call.inputs).add(i);
            let late = *held;
            *held = 0.1 * heard + 0.9 * late;
            *sum = if heard > 100.0 { *sum * 1e9 + 1.0 } else { 0.0 };
            *level = if (*call.ports).trig != 0 && i == 0 { 1.0 } else { *level * DECAY };
            *(*call.outputs).add(i) = heard + 0.25 * late + (*sum).min(1.0) + *level;
        }
        *call.state.add(UNTIL + 8).cast::<u32>() = u32::from(*level < QUIET);
    }
}

impl Code for Smooth {
    unsafe fn call(&self, _: u32, form: Form, call: &Call) {
        if form != Form::Setup {
            // SAFETY: the caller's promise.
            unsafe { smooth(call) }
        }
    }

    fn function(&self, _: u32, _: Form) -> Option<KernelFn> {
        Some(smooth)
    }
}

/// Three of them in a chain; the one in the middle is a voice that sleeps.
fn chain() -> Arc<Program> {
    let step = |index: usize| Step {
        state: 32 * index,
        state_bytes: 32,
        inputs: vec![SignalId::new(index)],
        outputs: vec![SignalId::new(index + 1)],
        ports: vec![PortId::new(index)],
        singles: std::iter::once(ENVELOPE..ENVELOPE + 12).collect(),
        voices: match index {
            1 => vec![StepVoice {
                port: 0,
                until: UNTIL + 8,
                bytes: std::iter::once(16..32).collect(),
                delays: 0..0,
            }],
            _ => vec![],
        },
        parts: vec![StepPart { outputs: 0..1, ..StepPart::default() }],
        computes: vec![Arc::from(format!("smooth {index}"))].into(),
        ..Step::default()
    };
    Arc::new(Program {
        code: Arc::new(Smooth),
        steps: (0..3).map(step).collect(),
        state: vec![0; 96].into(),
        delays: IdMap::default(),
        buffers: (0..4).map(BufferId::new).collect(),
        inputs: vec![SignalId::new(0)],
        outputs: vec![SignalId::new(3)],
        params: IdMap::default(),
        ports: 3,
        ..(*program(Curve::Linear, 0).0).clone()
    })
}

/// A buffer that is aligned as a kernel needs it.
#[repr(align(64))]
struct Block([f32; 16 * QUANTUM]);

/// What is heard of an input in blocks of so many frames, and what was not finite.
fn heard(input: &[f32], events: &[Event], block: usize) -> (Vec<u32>, Vec<NotFinite>, usize) {
    let mut engine = Engine::new(chain());
    events.iter().for_each(|event| engine.schedule(*event));
    let mut out = vec![];
    let mut room = Block([f32::NAN; 16 * QUANTUM]);
    for input in input.chunks(block) {
        let to = &mut room.0[..input.len()];
        engine.process_block(&[input], &mut [&mut *to]);
        out.extend(to.iter().map(|x| x.to_bits()));
    }
    (out, engine.not_finite(), engine.awake())
}

/// A tone, with 200 from each of the given frames on, for so many frames.
fn input(bursts: &[(usize, usize)]) -> Vec<f32> {
    let is_burst = |i: usize| bursts.iter().any(|&(start, frames)| (start..start + frames).contains(&i));
    (0..64 * QUANTUM).map(|i| if is_burst(i) { 200.0 } else { (i as f32 * 0.1).sin() * 0.4 }).collect()
}

fn port_event(frame: u64, kind: fn(PortId) -> EventKind) -> Event {
    Event { frame, kind: kind(PortId::new(1)) }
}

#[test]
fn blocks_of_any_quanta_have_the_same_bits_where_a_voice_falls_asleep() {
    let note = |port| EventKind::On { port, note: 60.0, vel: 1.0 };
    let events = [
        port_event(100, note),
        port_event(150, |port| EventKind::Off { port }),
        port_event(1700, note),
        port_event(1701, |port| EventKind::Off { port }),
    ];
    let one_by_one = heard(&input(&[]), &events, QUANTUM);
    assert_eq!((one_by_one.1.len(), one_by_one.2), (0, 0));
    for quanta in [2, 3, 8, 16] {
        assert!(heard(&input(&[]), &events, quanta * QUANTUM) == one_by_one, "{quanta}");
    }
}

#[test]
fn blocks_of_any_quanta_have_the_same_bits_where_something_is_not_finite() {
    let events = [port_event(0, |port| EventKind::On { port, note: 60.0, vel: 1.0 })];
    // The sum is infinite in the sixth frame; examined is what it is at a quantum's end.
    let end = 13 * QUANTUM;
    let cases = [
        (&[(end - 8, 8)][..], true),
        (&[(end - 5, 5)], false),
        (&[(700, 8)], false),
        (&[(700, 30), (end - 9, 9)], true),
    ];
    for (bursts, fails) in cases {
        let one_by_one = heard(&input(bursts), &events, QUANTUM);
        assert_eq!(!one_by_one.1.is_empty(), fails, "{bursts:?}");
        for quanta in [2, 3, 8, 16] {
            assert!(heard(&input(bursts), &events, quanta * QUANTUM) == one_by_one, "{bursts:?} {quanta}");
        }
    }
}

#[test]
fn what_was_fed_is_heard_once_however_many_quanta_are_rendered_in_a_row() {
    let burst = input(&[(700, 8)]);
    let fed = |block: usize| {
        let mut engine = Engine::new(chain());
        engine.feed(&[&burst]);
        let mut out = vec![0.0; burst.len()];
        out.chunks_mut(block).for_each(|out| engine.process(&mut [out]));
        out
    };
    let one_by_one = fed(QUANTUM);
    assert!(fed(16 * QUANTUM) == one_by_one && fed(5 * QUANTUM) == one_by_one && fed(100) == one_by_one);
}

#[test]
fn what_is_heard_where_it_is_sounds_as_what_is_copied() {
    let events = [port_event(0, |port| EventKind::On { port, note: 60.0, vel: 1.0 })];
    let odd = [0.0, -0.0, f32::NAN, f32::NEG_INFINITY, f32::from_bits(1), -f32::MIN_POSITIVE.next_down()];
    let mut sound = Block(std::array::from_fn(|i| 0.3 * (i as f32 * 0.1).cos()));
    let at = |sound: &[f32], block: usize| {
        // In the very places where kernels read vectors, and beside them: from there all is copied.
        let mut beside = vec![0.0; sound.len() + 4];
        let start = 1 + beside.as_ptr().align_offset(16);
        beside[start..start + sound.len()].copy_from_slice(sound);
        let [heard, copied] = [sound, &beside[start..start + sound.len()]].map(|x| heard(x, &events, block));
        assert!(heard == copied);
        heard
    };
    for (index, x) in odd.into_iter().enumerate() {
        let one_by_one = at(&sound.0, QUANTUM);
        assert!([2, 5, 16].iter().all(|quanta| at(&sound.0, quanta * QUANTUM) == one_by_one));
        sound.0[150 * index + 70] = x;
    }
    assert!(at(&sound.0, QUANTUM).1.is_empty());
}
