//! What can be wrong with a program once it has been read: the table of the compiler's diagnostics.

use mam_grammar::problem::Row;

/// Every row of every table, in the order of the line: syntax, notation, JSON, names and signals, score.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let grammar = mam_grammar::syntax::codes::ALL.iter().chain(mam_grammar::mini::codes::ALL);
    let json = mam_grammar::json::codes::ALL.iter().chain(crate::json::codes::ALL);
    grammar.chain(json).chain(ALL).chain(crate::score::codes::ALL)
}

mam_grammar::codes! {
    UNKNOWN_NAME Error "unknown-name" {
        "A name stands for nothing: no equation, parameter or argument that can be seen from here has it. Names are \
         defined by equations (`name = …`) in the same braces or around them."
        fails "osc = sine(110Hz)\nout = ocs * 0.5\n"
        passes "osc = sine(110Hz)\nout = osc * 0.5\n"
    }
    UNKNOWN_DEFINITION Error "unknown-definition" {
        "Something is called that is not defined: no `def`, `instrument` or `effect` in this file, in a file that \
         it uses, or in the prelude has this name. `mamc list` shows what there is."
        fails "out = sinus(110Hz)\n"
        passes "out = sine(110Hz)\n"
    }
    NOT_A_VALUE Error "not-a-value" {
        "A definition is named where a signal is wanted. A definition is called, with parentheses, even where it needs \
         no arguments."
        fails "bd = kick\nout = bd\n"
        passes "bd = kick()\nout = bd\n"
    }
    DUPLICATE_NAME Error "duplicate-name" {
        "Two equations, parameters or definitions of one place have the same name. Each name is one signal, defined \
         once; later lines do not overwrite earlier ones."
        fails "a = sine(110Hz)\na = sine(220Hz)\nout = a\n"
        passes "a = sine(110Hz)\nb = sine(220Hz)\nout = a + b\n"
    }
    UNKNOWN_ARGUMENT Error "unknown-argument" {
        "A call gives an argument that the definition does not have."
        fails "out = kick(pitch: 50Hz)\n"
        passes "out = kick(f0: 50Hz)\n"
    }
    TOO_MANY_ARGUMENTS Error "too-many-arguments" {
        "A call gives more arguments than the definition has."
        fails "out = softclip(sine(110Hz), 2)\n"
        passes "out = softclip(2 * sine(110Hz))\n"
    }
    MISSING_ARGUMENT Error "missing-argument" {
        "A call leaves out an argument that has no default."
        fails "out = onepole(noise())\n"
        passes "out = onepole(noise(), 800Hz)\n"
    }
    MISPLACED_ARGUMENT Error "misplaced-argument" {
        "A number stands in the place of a signal, though another argument of the same call wants a number of its \
         dimension: two arguments are in the wrong order, or the first is missing."
        fails "out = lowpass(500Hz, noise())\n"
        passes "out = lowpass(noise(), 500Hz)\n"
    }
    ARGUMENT_ORDER Error "argument-order" {
        "A value without a name follows one that is given by name. Which argument it is would have to be counted from \
         the start, over those that are named. In numbers the decimal sign is a point: `0.5`."
        fails "bd = kick(gain: 0.5, 80Hz)\nplay { bd |x...| }\nout = bd\n"
        passes "bd = kick(80Hz, gain: 0.5)\nplay { bd |x...| }\nout = bd\n"
    }
    NUMBER_COMMA Error "number-comma" {
        "A comma stands within a number. Numbers have no separators of thousands, and their decimal sign is a point."
        fails "out = sine(1,000Hz)\n"
        passes "out = sine(1000Hz)\n"
    }
    UNIT_ASSUMED Note "unit-assumed" {
        "A number without a unit stands where a time is wanted, and is read in seconds, where others read milliseconds. Where \
         the default of an argument is written in `ms`, a number is read in these, and nothing is said unless it is less than one."
        fails "out = noise() * decay(every(2), 300ms)\n"
        passes "out = noise() * decay(every(2s), 300ms)\n"
    }
    SOUND_AS_NUMBER Warning "sound-as-number" {
        "The sound of an instrument stands in the place of a knob: a threshold, a time, a cutoff would follow its wave, \
         thousands of times a second. What an effect listens to is given by its name; how loud a sound is, is `follow(x)`."
        fails "bd = kick()\npad = saw(110Hz) * 20% |> duck(bd)\nplay { bd |x...| }\nout = bd + pad\n"
        passes "bd = kick()\npad = saw(110Hz) * 20% |> duck(key: bd)\nplay { bd |x...| }\nout = bd + pad\n"
    }
    STEADY_EVENT Warning "steady-event" {
        "An argument that is an event, `gate`, `trig` or `reset`, is given a number that never changes: an envelope would begin \
         once, with the song, and an oscillator stands still. A number by its place where the event stands also moves all that follow it."
        fails "out = noise() * adsr(0.1, 0.1, 0.5, 0.1)\n"
        passes "out = noise() * adsr(hold(every(1s), 500ms), 0.1, 0.5, 0.1)\n"
    }
    MATRIX_DESTINATION Error "matrix-destination" {
        "A line of a matrix moves a parameter of an instrument or effect that the song names, or a knob. It is named as in a \
         line of the score: `bass.cutoff`, `wet.echo.time`. What decides when notes begin, and what is sent to machines \
         outside, follows no signal."
        fails "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutof: 2 octaves\n}\nplay { bass \"c2*4\" }\nout = bass\n"
        passes "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff: 2 octaves\n}\nplay { bass \"c2*4\" }\nout = bass\n"
    }
    PRESET_SETTING Error "preset-setting" {
        "A preset of the song sets parameters by the names that a line of the score gives them, `bass.cutoff`, `wet.echo.time`, \
         and knobs by theirs. There is no such parameter."
        fails "bass = acid()\npreset \"deep\" { bass.cutof: 300Hz }\nplay { bass \"c2*4\" }\nout = bass\n"
        passes "bass = acid()\npreset \"deep\" { bass.cutoff: 300Hz }\nplay { bass \"c2*4\" }\nout = bass\n"
    }
    MATRIX_DEPTH Error "matrix-depth" {
        "The depth of a line of a matrix does not go with its scale. A depth in Hz or in a unit of time is added to the parameter. \
         One in octaves, semitones, cents or decibels is a ratio, above 0, by which the parameter is multiplied. A plain number \
         is what the parameter's own curve says, or what `curve exp` or `curve linear` says."
        fails "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff: 300Hz curve exp\n}\nplay { bass \"c2*4\" }\nout = bass\n"
        passes "wobble = lfo(2Hz)\nbass = acid()\nmatrix {\n  wobble -> bass.cutoff: 300Hz\n}\nplay { bass \"c2*4\" }\nout = bass\n"
    }
    OUT_MEASURES Warning "out-measures" {
        "What is heard is a wave, a plain number around 0. `out` is a frequency, a time or something else that measures, \
         which is taken as that many hertz or seconds: mostly a number with a unit stands where a plain one was meant."
        fails "out = noise() * 0.5s\n"
        passes "out = noise() * 0.5\n"
    }
    LEVEL_ADDED Warning "level-added" {
        "Decibels, semitones and cents are ways to write ratios: `3dB` is 1.41 and `7st` 1.5. Something is made louder \
         or higher by multiplying; to add the ratio is to add 1.41 to every sample, or 1.5 Hz to a frequency."
        fails "bd = kick()\nplay { bd |x...| }\nout = bd + 3dB\n"
        passes "bd = kick()\nplay { bd |x...| }\nout = bd * 3dB\n"
    }
    NEVER_HEARD Warning "never-heard" {
        "The score plays an instrument of which nothing reaches `out`, by its sound or by its events (`bd.trig`)."
        fails "bd = kick()\nsd = snare()\nplay {\n  bd |x...|\n  sd |..x.|\n}\nout = bd\n"
        passes "bd = kick()\nsd = snare()\nplay {\n  bd |x...|\n  sd |..x.|\n}\nout = bd + sd\n"
    }
    NEVER_PLAYED Note "never-played" {
        "An instrument is part of what is heard, and no line of the score plays it, though others are played: it is \
         silent, unless it is played by MIDI or OSC. A song that plays nothing strikes every instrument once."
        fails "bd = kick()\nsd = snare()\nplay { bd |x...| }\nout = bd + sd\n"
        passes "bd = kick()\nsd = snare()\nplay {\n  bd |x...|\n  sd |..x.|\n}\nout = bd + sd\n"
    }
    NEVER_SLEEPS Note "never-sleeps" {
        "An instrument does not say by `until` when a voice has fallen silent, so that its voices are computed for as \
         long as the song lasts, whether they sound or not."
        fails "instrument i { out = sine(freq) * decay(trig, 100ms) }\nx = i()\nplay { x \"c4\" }\nout = x\n"
        passes "instrument i {\n  env = decay(trig, 100ms)\n  out = sine(freq) * env\n  until env < 0.0001\n}\nx = i()\nplay { x \"c4\" }\nout = x\n"
    }
    DUPLICATE_ARGUMENT Error "duplicate-argument" {
        "A call gives one argument twice, by place and by name or twice by name."
        fails "out = onepole(noise(), 800Hz, cutoff: 900Hz)\n"
        passes "out = onepole(noise(), cutoff: 900Hz)\n"
    }
    UNKNOWN_FIELD Error "unknown-field" {
        "A value is asked for a part that it does not have. Stereo signals have `.left` and `.right`, records the \
         fields they were made with, instruments their events: `.trig .gate .freq .note .vel`."
        fails "out = svf(noise(), 800Hz).lo\n"
        passes "out = svf(noise(), 800Hz).low\n"
    }
    NOT_A_SIGNAL Error "not-a-signal" {
        "A record, a list or a text stands where one signal is wanted. A record's fields are read with a point, a list's \
         elements by their number: `xs[0]`."
        fails "out = svf(noise(), 800Hz)\n"
        passes "out = svf(noise(), 800Hz).low\n"
    }
    LATENCY_IN_CYCLE Warning "latency-in-cycle" {
        "A body that declares a latency is part of a feedback cycle. Elsewhere what meets a late signal is delayed by as much; \
         in a cycle that would make the signal later with each turn. So the latency stays there: what goes round comes so much \
         later than it is written."
        fails "def ahead(x) {\n  latency 1ms\n  out = tap(x, 1ms, max: 1ms)\n}\nhit = every(1s)\nline = hit + 0.5 * ahead(tap(line, 100ms, max: 100ms))\nout = line\n"
        passes "def ahead(x) {\n  latency 1ms\n  out = tap(x, 1ms, max: 1ms)\n}\nhit = every(1s)\nline = hit + 0.5 * tap(line, 100ms, max: 100ms)\nout = ahead(line)\n"
    }
    NOT_A_LIST Error "not-a-list" {
        "A signal or a record stands where a list is wanted: in `xs[0]`, `len(xs)`, `xs ++ ys`, `sum x in xs { … }`. A list is \
         written `[a, b, c]` or `list i in 0..7 { … }`."
        fails "tone = sine(220Hz)\nout = tone[0]\n"
        passes "tone = [sine(220Hz)]\nout = tone[0]\n"
    }
    UNKNOWN_WORD Error "unknown-word" {
        "A place takes one of a few words, and this is none of them: `order:` of `tap` takes `whole`, `linear`, `cubic`, \
         `allpass` or `sinc`, and behind the factor of `oversample` may stand `linear`."
        fails "out = tap(noise(), 5ms, max: 5ms, order: cubik)\n"
        passes "out = tap(noise(), 5ms, max: 5ms, order: cubic)\n"
    }
    BAD_FACTOR Error "bad-factor" {
        "A region is computed at 2, 4, 8 or 16 times the sample rate."
        fails "out = oversample(3) { tanh(sine(1kHz)) }\n"
        passes "out = oversample(4) { tanh(sine(1kHz)) }\n"
    }
    NO_ELEMENT Error "no-element" {
        "A list is asked for an element that it does not have. Elements are numbered from 0, so that the last one of four is 3."
        fails "tones = [sine(220Hz), sine(330Hz)]\nout = tones[2]\n"
        passes "tones = [sine(220Hz), sine(330Hz)]\nout = tones[1]\n"
    }
    INSTANTANEOUS_CYCLE Error "instantaneous-cycle" {
        "Equations need each other's value of the same sample, in a loop, so that none can be computed first. \
         Somewhere on the way the value of the sample before must be meant: `prev(x)`, or a longer delay, `tap`."
        fails "a = sine(110Hz) + 0.5 * b\nb = a * 0.9\nout = b\n"
        passes "a = sine(110Hz) + 0.5 * prev(b)\nb = a * 0.9\nout = b\n"
    }
    MISPLACED_BLOCK Error "misplaced-block" {
        "A convolution, a spectral region or a stretched sound works on whole blocks of samples. So it cannot stand where single samples have to be \
         known before the next one can be computed, in a loop through its own result, nor in a region at another sample rate."
        fails "x = noise() + 0.5 * prev(y)\ny = convolve(x, [0, 0.5])\nout = y\n"
        passes "x = noise() + 0.5 * prev(x)\ny = convolve(x, [0, 0.5])\nout = y\n"
    }
    MISPLACED_RECORDING Error "misplaced-recording" {
        "A recording is written at the rate of the song, all the time. So it is neither recorded nor played in an oversampled region; \
         what voices play that another voice has recorded, which may be asleep, is recorded as an equation of the song; and nothing \
         plays a recording by 65536 samples later than it is made."
        fails "take = record(in, 1, max: 1s)\nout = oversample(2) { tanh(playback(take, every(1s))) }\n"
        passes "take = record(in, 1, max: 1s)\nloop = playback(take, every(1s))\nout = oversample(2) { tanh(loop) }\n"
    }
    BAD_SPECTRUM Error "bad-spectrum" {
        "A spectral region has a `size` that is a power of two from 256 to 32768, an `overlap` of 2, 4 or 8, hops of at least 64 \
         samples, and braces that say the `mag` and the `phase` of each bin. Nothing in it goes on from sample to sample: what does \
         stands outside, and is seen once in each hop."
        fails "out = spectral(noise(), size: 1000) { { mag: if bin < 40 then mag else 0, phase: phase } } * 10%\n"
        passes "out = spectral(noise(), size: 1024) { { mag: if bin < 40 then mag else 0, phase: phase } } * 10%\n"
    }
    RECURSIVE_DEFINITION Error "recursive-definition" {
        "A definition uses itself. Programs have a fixed size, so definitions cannot recurse; `chain` and `sum` repeat \
         something a fixed number of times."
        fails "def twice(x) = twice(x) + x\nout = twice(sine(110Hz))\n"
        passes "def twice(x) = x + x\nout = twice(sine(110Hz))\n"
    }
    DIMENSION Error "dimension" {
        "A time stands where a frequency is wanted, or the other way round; or two values of different dimensions are \
         added or compared. Plain numbers go anywhere and are read in the place's own unit."
        fails "out = kick(f0: 50ms)\n"
        passes "out = kick(f0: 50Hz)\n"
    }
    CHANNELS Error "channels" {
        "A stereo signal stands where a mono one is needed. `x.left` and `x.right` take it apart; `(l, r)` puts two \
         mono signals together."
        fails "a = (sine(110Hz), sine(220Hz))\nout = (a, sine(330Hz))\n"
        passes "a = (sine(110Hz), sine(220Hz))\nout = (a.left, sine(330Hz))\n"
    }
    KIT_FILE Warning "kit-file" {
        "A sound file of a folder that is a kit cannot be a part of it: its name has letters that a name in mam cannot have, or \
         another file is the part of this name. It is left out."
        fails "" passes "bd = kick()\nout = bd\n"
    }
    MOVED_SOUND Warning "moved-sound" {
        "A sound file is not where `sample` says, but the one with its hash lies elsewhere in the folder of the song, and is \
         taken."
        fails "" passes "out = noise()\n"
    }
    CHANGED_SOUND Warning "changed-sound" {
        "A sound file has another hash than `sample` says, and no file in the folder of the song has that one. The file is taken \
         as it is."
        fails "" passes "out = noise()\n"
    }
    OUT_CHANNELS Error "out-channels" {
        "The song's `out` has other channels than the song. It is a mono signal, which all channels play, a stereo one in a song \
         of two channels, or a list of as many mono signals as `channels` says, 2 where nothing is said. A sound field, \
         `channels 4 ambisonic`, is always a list: W, Y, Z, X."
        fails "out = [sine(110Hz), sine(220Hz), sine(330Hz)]\n"
        passes "channels 3\nout = [sine(110Hz), sine(220Hz), sine(330Hz)]\n"
    }
    NOT_CONSTANT Error "not-constant" {
        "A value must be known before the song starts: the bounds of `sum` and `chain`, the greatest delay of a `tap`, \
         the start value of a `prev`, the numbers of a `table`, `voices`, the range of a parameter, and the arguments in the \
         head of an instrument or effect."
        fails "out = sum i in 1..lfo(1Hz) { sine(i * 110Hz) }\n"
        passes "out = sum i in 1..4 { sine(i * 110Hz) / i }\n"
    }
    OUT_OF_RANGE Warning "out-of-range" {
        "A value lies outside its parameter's range. It is clamped to the nearest value in the range."
        fails "out = kick(f0: 900Hz)\n"
        passes "out = kick(f0: 190Hz)\n"
    }
    UNBOUNDED_TAP Error "unbounded-tap" {
        "A `tap` does not say how long its delay can become. The memory of a program is fixed before it starts, so \
         every delay line needs a greatest time: `max: 2s`."
        fails "out = tap(noise(), 300ms)\n"
        passes "out = tap(noise(), 300ms, max: 1s)\n"
    }
    NO_OUT Error "no-out" {
        "A song, an instrument, an effect or a body in braces does not say what it sounds like: it has no equation \
         `out = …`."
        fails "bd = kick()\nplay { bd |x...| }\n"
        passes "bd = kick()\nplay { bd |x...| }\nout = bd\n"
    }
    INSTRUMENT_INSIDE Error "instrument-inside" {
        "An instrument is called inside a definition. Instruments are played by the score, which knows the instances \
         of the song itself: call it there and hand its signal in."
        fails "def loud(x) = kick() * x\nout = loud(2)\n"
        passes "def loud(x, by) = x * by\nbd = kick()\nout = loud(bd, 2)\n"
    }
    NO_INPUT Error "no-input" {
        "A signal flows into something that has no input, or an effect is called without one. Effects take their \
         input from the left of `|>`."
        fails "out = noise() |> kick()\n"
        passes "out = noise() |> echo()\n"
    }
    NOT_EVENTS Error "not-events" {
        "The events `.trig .gate .freq .note .vel` belong to instruments: to a name whose equation is an instrument \
         call, or a pipe that begins with one."
        fails "x = noise()\nout = decay(x.trig, 100ms)\n"
        passes "x = kick()\nout = decay(x.trig, 100ms)\n"
    }
    NOTHING_TO_SEND Error "nothing-to-send" {
        "`midi_send` and `osc_send` send the notes of the instrument in whose body they stand, and here is none. The prelude has \
         `midi_out` and `osc_out`, which are such instruments; a song may define its own."
        fails "out = midi_send(\"Minitaur\")\n"
        passes "bass = midi_out(\"Minitaur\")\nplay { bass \"c2\" }\nout = bass\n"
    }
    SILENT_MACHINE Warning "silent-machine" {
        "A machine outside is heard there, and its signal in the song is silence: what is made of it, by an effect or a level, is \
         silence too. Lines play its controllers: `bass.cc74 \"20 110\"`."
        fails "bass = midi_out(\"Minitaur\")\nplay { bass \"c2\" }\nout = bass |> lowpass(800Hz)\n"
        passes "bass = midi_out(\"Minitaur\")\nplay { bass \"c2\" ; bass.cc74 \"20 110\" }\nout = bass\n"
    }
    BAD_ADDRESS Error "bad-address" {
        "Messages of OSC go to a host and a port, with a path that begins with a slash."
        fails "d = osc_out(\"127.0.0.1\")\nplay { d \"c4\" }\nout = d\n"
        passes "d = osc_out(\"127.0.0.1:57120\")\nplay { d \"c4\" }\nout = d\n"
    }
    NOT_A_TEXT Error "not-a-text" {
        "What names something outside, a MIDI port or an address, is a text in quotes."
        fails "bass = midi_out(2)\nplay { bass \"c2\" }\nout = bass\n"
        passes "bass = midi_out(\"Minitaur\", channel: 2)\nplay { bass \"c2\" }\nout = bass\n"
    }
    BAD_BOUNDS Error "bad-bounds" {
        "The bounds of a `sum` or `chain` are not whole numbers, or what a definition counts with."
        fails "out = sum i in 1..2.5 { sine(i * 110Hz) }\n"
        passes "out = sum i in 1..2 { sine(i * 110Hz) }\n"
    }
    ROUNDED Warning "rounded" {
        "An argument that its definition rounds is given a number that is not whole."
        fails "out = noise() |> butterworth_low(800Hz, 3.5)\n"
        passes "out = noise() |> butterworth_low(800Hz, 4)\n"
    }
    UNUSED_SETTING Warning "unused-setting" {
        "An equation has the name of a setting, such as `tempo`, and nothing uses it. Settings are written without `=`."
        fails "tempo = 174\nout = noise()\n"
        passes "tempo 174\nout = noise()\n"
    }
    DEFINED_TWICE Warning "defined-twice" {
        "Two files that are used define what is called, each in its own way: that of the first one is meant."
        fails "" passes "out = noise()\n"
    }
    UNUSED_PARAMETER Warning "unused-parameter" {
        "Nothing reads a parameter or a knob, so that whatever it is set to, the song sounds the same."
        fails "instrument lead {\n  param bright = 1kHz in 100Hz..8kHz\n  env = perc(trig, 1ms, 200ms)\n  until env < 0.0001\n  out = env * saw(freq)\n}\nx = lead()\nplay { x \"c4\" }\nout = x\n"
        passes "instrument lead {\n  param bright = 1kHz in 100Hz..8kHz\n  env = perc(trig, 1ms, 200ms)\n  until env < 0.0001\n  out = env * saw(freq) |> lowpass(bright)\n}\nx = lead()\nplay { x \"c4\" }\nout = x\n"
    }
    OUT_OF_BOUNDS Error "out-of-bounds" {
        "A number names something that does not exist: MIDI controllers, keys and programs go from 0 to 127, \
         a predelay from 0 to 10 seconds."
        fails "knob k = 0.5 in 0..1 cc 740\nout = noise() * k\n"
        passes "knob k = 0.5 in 0..1 cc 74\nout = noise() * k\n"
    }
    NOT_FINITE Error "not-finite" {
        "A constant is not a finite number: something was divided by zero, or grew beyond every bound."
        fails "out = sine(110Hz / 0)\n"
        passes "out = sine(110Hz / 2)\n"
    }
    UNKNOWN_MEASURE Error "unknown-measure" {
        "An `expect` takes a measure that there is not. What it measures stands in the parentheses behind the measure's \
         name; `mamc list measure` shows all measures."
        fails "out = sine(110Hz)\nexpect loudness(out) in -16..-9\n"
        passes "out = sine(110Hz)\nexpect lufs(out) in -16..-9\n"
    }
    EXPECT_BOUND Error "expect-bound" {
        "An `expect` does not say what its measure is to be: `< 0dB`, `> 20ms`, `in -16..-9`, `within 5% of 2s`. A measure \
         that holds or does not hold, as `silent`, stands alone."
        fails "out = sine(110Hz)\nexpect peak(out)\n"
        passes "out = sine(110Hz)\nexpect peak(out) < 6dB\n"
    }
    CANNOT_USE Error "cannot-use" {
        "A file that `use` or `sample` names could not be read, is not what it should be, or uses itself."
        fails "use \"no such file.mam\"\nout = noise()\n"
        passes "out = noise()\n"
    }
    STILL Note "still" {
        "What is heard is a number that never changes: silence, but for a click where it begins."
        fails "out = sin(440)\n"
        passes "out = sine(440Hz)\n"
    }
    TOO_LARGE Error "too-large" {
        "The program is over one of the limits that keep every program's size, memory and compile time bounded. The \
         limits can be raised on the command line."
        fails "out = sum i in 1..1000000 { sine(i * 1Hz) }\n"
        passes "out = sum i in 1..16 { sine(i * 110Hz) / i }\n"
    }
    SLOW Warning "slower-than-real-time" {
        "While every instrument plays one note, the song takes longer to compute than it sounds, by an estimate of what a \
         processor does in a second. It can be rendered, as that takes as long as it takes; where it is played, the sound \
         breaks up. Hundreds of reverbs one behind the other need more than a core."
        fails "" passes "out = noise()\n"
    }
    UNKNOWN_SET Error "unknown-set" {
        "A parameter or knob that is to be set from outside does not exist. `mamc list params song.mam` shows what can be set. With `bd = kick()`, `--set bd.gian=0.5` fails and `--set bd.gain=0.5` passes."
        fails "" passes "out = noise()\n"
    }
    BAD_SET Error "bad-set" {
        "The value that a parameter is to be set to is not a number with the unit of the parameter. With `bd = kick()`, `--set bd.gain=loud` fails, `--set bd.gain=50%` and `--set bd.f0=50Hz` pass."
        fails "" passes "out = noise()\n"
    }
    BAD_NOTE Error "bad-note" {
        "A note is neither a name such as `c2`, `eb3` or `f#4` nor a MIDI number from 0 to 127."
        fails "instrument x { default note h2\n out = sine(freq) }\nout = x()\n"
        passes "instrument x { default note b2\n out = sine(freq) }\nout = x()\n"
    }
}
