//! More rows: forms of other tools and languages, and of those who write from memory.

use super::{In, Row};

pub(super) const ROWS: &[Row] = rows! {
    // Heads of loops as other languages write them.
    Song "out = sum(i in 1..4) { sine(i * 100Hz) / 4 }" => "statement-form" "sum(i in 1..4) " "`sum i in 1..4 { … }`";
    Song "out = sum (i in 1..4) { sine(i * 100Hz) / 4 }" => "statement-form" "sum (i in 1..4) " "`sum i in 1..4 { … }`";
    Song "out = sum i = 1..4 { sine(i * 100Hz) / 4 }" => "statement-form" "sum i = 1..4 " "`sum i in 1..4 { … }`";
    Song "out = sum i from 1 to 4 { sine(i * 100Hz) / 4 }" => "statement-form" "sum i from 1 to 4 " "`sum i in 1..4 { … }`";
    Song "out = sum i in 1 to 4 { sine(i * 100Hz) / 4 }" => "statement-form" "sum i in 1 to 4 " "`sum i in 1..4 { … }`";
    Song "out = sum i in range(4) { sine((i + 1) * 100Hz) / 4 }" => "statement-form" "sum i in range(4) " "`sum i in 0..3 { … }`";
    Song "out = sum i in range(1, 5) { sine(i * 100Hz) / 4 }" => "statement-form" "sum i in range(1, 5) " "`sum i in 1..4 { … }`";
    Song "out = sum i in 1...4 { sine(i * 100Hz) / 4 }" => "statement-form" "sum i in 1...4 " "`sum i in 1..4 { … }`";
    Song "out = sum i in 1..4: sine(i * 100Hz) / 4" => "statement-form" "sum i in 1..4: sine(i * 100Hz) / 4" "`sum i in 1..4 { … }`";
    Song "out = sum for i in 1..4 { sine(i * 100Hz) / 4 }" => "statement-form" "sum for i in 1..4 " "`sum i in 1..4 { … }`";
    Song "out = sum(i, 4, sine((i + 1) * 100Hz) / 4)" => "statement-form" "sum(i, 4, sine((i + 1) * 100Hz) / 4)" "`sum i in 0..3 { … }`";
    Song "xs = list i in 1...4 { i * 100Hz }\nout = sine(xs[0])" => "statement-form" "list i in 1...4 " "`list i in 1..4 { … }`";
    // Methods of values and of numbers, classes.
    Value "x.range(0, 1)" => "call-of-field" ".range" "`map`" "map(x, -1, 1, 0, 1)";
    Value "x.lag(0.1)" => "call-of-field" ".lag" "`slew`";
    Value "x.clip2(0.5)" => "call-of-field" ".clip2" "`clip2(x, …)`" "clamp(x, -0.5, 0.5)";
    Value "x.tanh" => "unknown-field" "tanh" "`tanh(x)`" "tanh(x)";
    Value "x.softclip" => "unknown-field" "softclip" "`softclip(x)`" "softclip(x)";
    Value "sine(60.midicps)" => "call-of-field" "60.midicps" "`hz(60)`";
    Song "bd = kick()\n4.times do\nplay { bd |x...| }\nout = bd" => "call-of-field" "4.times" "repeats by itself" "bd = kick()\nplay { bd |x...| }\nout = bd";
    Value "Env.perc(0.01, 1) * x" => "foreign-word" "Env.perc" "`perc`" "perc(every(500ms), 10ms, 1s) * x";
    Song "~lead = pluck()\nplay { ~lead \"c4\" }\nout = ~lead" => "stray-character stray-character stray-character" "~" "`lead`";
    Value "no.noise * 0.1" => "unknown-name" "no.noise" "`noise(…)`" "noise() * 0.1";
    Value "x |> compressor(threshold: -20dB, ratio: 4:1)" => "foreign-operator" "4:1" "`4`";
    Value "x |> pan(left)" => "unknown-name" "left" "-1 on the left";
    Value "select2(x > 0, x, -x)" => "unknown-definition" "select2" "`if`" "if x > 0 then x else -x";
    // Items of other tools.
    Song "{ SinOsc.ar(440) }.play" => "leading-mark" "{" "`out = SinOsc.ar(440)`";
    Song "d1 $ s \"bd sn\" # speed 2\nout = noise()" => "foreign-word" "d1" "`play { bd \"x*4\" }`" "out = noise()";
    Song "$: s(\"bd*4\")\nout = noise()" => "foreign-word" "$:" "`play { bd \"x*4\" }`" "out = noise()";
    Song "Pbind(\\instrument, \\kick, \\dur, 0.25).play\nout = noise()" => "foreign-word" "Pbind" "`play { bd \"x*4\" }`" "out = noise()";
    Song "volume 50%\nout = noise()" => "foreign-word" "volume" "`out = 50% * bd`" "out = 50% * noise()";
    Song "play 60\nout = noise()" => "statement-form" "60" "`play { lead \"60\" }`" "lead = pluck()\nplay { lead \"60\" }\nout = lead";
    Song "play :c4\nout = noise()" => "statement-form" ":" "`play { lead \"c4\" }`" "lead = pluck()\nplay { lead \"c4\" }\nout = lead";
    Song "a1 oscili 0.5, 440\nout = a1" => "missing-equals" "" "`a1 = oscili(0.5, 440)`" "a1 = 0.5 * sine(440Hz)\nout = a1";
    Song "#include \"x\"\nout = noise()" => "foreign-word" "#include \"x\"" "take the line away";
    Song "#define N 3\nout = noise() / N" => "foreign-word unknown-name" "#define N 3" "`N = 3`";
    Song "; a comment of Csound\nout = noise()" => "foreign-comment" "; a comment of Csound" "`//`";
    Song "bd = kick()\nintro = section { bd |x| }\nplay intro\nout = bd" => "statement-form" "intro = section" "`section intro 4 bars { … }`";
    Song "foo = instrument { out = sine(freq) * gate }\np = foo()\nplay { p \"c4\" }\nout = p" => "statement-form" "foo = instrument" "`instrument foo { … }`";
    Song "bd = kick()\nsection intro 4 bars { bd |x| }\nplay intro x4\nout = bd" => "unknown-section" "x4" "`play intro*4`" "bd = kick()\nsection intro 4 bars { bd |x| }\nplay intro*4\nout = bd";
    Song "bd = kick()\nsection intro 4 bars { bd |x| }\nplay intro, intro\nout = bd" => "statement-form" "," "without a mark";
    Song "bd = kick()\nsection intro 4 bars { bd |x| }\narrange intro intro\nout = bd" => "foreign-word" "arrange" "`section`" "bd = kick()\nsection intro 4 bars { bd |x| }\nplay intro intro\nout = bd";
    Song "out = noise()\nout = out * 0.5" => "duplicate-name" "out" "`out1`" "out1 = noise()\nout = out1 * 0.5";
    // Changes and effects joined to a pattern.
    Line "lead \"0 .. 7\" # scale \"c:minor\"" => "foreign-operator" "#" "`.scale(\"c:minor\")`";
    Line "bd \"x*4\" # fast 2" => "foreign-operator" "#" "`.fast(2)`";
    Line "bd \"x*4\" # room 0.5" => "foreign-operator" "#" "follow the signal" "bd \"x*4\"";
    // Words in a pattern.
    Song "bd = kick()\nplay { bd \"x...x...\" }\nout = bd" => "word-is-a-hit" "x...x..." "`bd |x...x...|`";
    Song "bd = kick()\nplay { bd \"x.x. xx..\" }\nout = bd" => "word-is-a-hit" "x.x." "`bd |x.x.|xx..|`";
    Song "bd = kick()\nplay { bd \"808bd*4\" }\nout = bd" => "word-is-a-hit" "808bd" "`bd = kick808()`" "bd = kick808()\nplay { bd \"x*4\" }\nout = bd";
    Song "bd = kick()\nplay { bd \"sn hh27\" }\nout = bd" => "word-is-a-hit" "hh27" "write its hits as `x`" "bd = kick()\nplay { bd \"x x\" }\nout = bd";
    Line "lead \"x...x...\"" => "pattern-value" "x...x..." "`lead |x...x...|`" "lead |x...x...|";
    Line "lead \"do re mi\"" => "pattern-value pattern-value pattern-value" "do" "`c4`";
    Line "lead \"808bd\"" => "pattern-value" "808bd" "`bd = kick808()`" "bd \"x\"";
    Line "lead \"(c4 e4 g4)\"" => "pattern-syntax" "(c4 e4 g4)" "`[c4,e4,g4]`" "lead \"[c4,e4,g4]\"";
    Line "lead \"c4/e4\"" => "pattern-number" "e4" "`[c4,e4,g4]`" "lead \"[c4,e4]\"";
    // Numbers that have to be whole.
    Value "x |> butterworth_low(800Hz, 4.5)" => "rounded" "4.5" "`5`";
    Value "perlin(2Hz, 2.5)" => "bad-bounds" "2.5" "`3`";
    Value "fm6(220Hz, 2.5)" => "bad-bounds" "2.5" "`3`";
    Song "def voices(n = 3 in 1..8) = sum i in 1..n { sine(i * 110Hz) / n }\nout = voices(2.5)" => "bad-bounds" "2.5" "`3`";
    Song "def steps_of(x, n = 3 in 1..8) = floor(x * round(n)) / round(n)\nout = steps_of(noise(), 2.2)" => "rounded" "2.2" "`2`";
    // A number that never changes.
    Song "out = sin(440)" => "still" "out" "`sine(440Hz)`" "out = sine(440Hz)";
    Song "p = pluck() \"c3 e3\"\nout = p" => "missing-operator" "\"c3 e3\"" "`play { p \"c3 e3\" }`";
    Song "freq = 440\nout = sine(freq Hz)" => "unit-apart" "Hz" "`freq * 1Hz`";
    Song "double = fn(x) { x * 2 }\nout = double(noise())" => "foreign-operator" "double = fn" "`def double(x) { … }`";
    Song "lead = pluck()\nlead |> echo()\nplay { lead \"c3\" }" => "missing-equals" "" "`out = lead |> echo()`";
    Song "bd = kick()\nsection a 1 bar { bd |x| }\nplay a + a\nout = bd" => "statement-form" "+" "without a mark";
    Song "out.left = sine(220Hz)\nout.right = sine(330Hz)" => "equation-form equation-form" "out.left" "`out = (l, r)`" "out = (sine(220Hz), sine(330Hz))";
    Song "knob c = 800Hz [100Hz, 8kHz]\nout = noise() |> lowpass(c)" => "statement-form" "[" "in 100Hz..8kHz";
    Value "abs noise()" => "missing-operator" "noise" "`abs(noise())`";
    Value "stereo(x, noise())" => "unknown-definition" "stereo" "`(x, noise())`" "(x, noise())";
    Line "bd [1,0,0,0,1,0,0,0]" => "line-form" "[1,0,0,0,1,0,0,0]" "`bd \"1 0 0 0 1 0 0 0\"`";
    Line "bd |x...x...| vel 0.8" => "line-form" "vel" "modifiers";
    Line "lead \"c3 e3\" + 12" => "line-form" "+" "`.add(2)`";
    Line "lead \"c3 rest e3\"" => "pattern-value" "rest" "`~`";
    Line "lead \"h3 c4\"" => "pattern-value" "h3" "`b3`";
    Line "lead \"c3 . e3 .\"" => "pattern-syntax" "." "a rest is `~`" "lead \"c3 ~ e3 ~\"";
    Line "lead \"c3 e3\".transpose(+1)" => "number-form" "+" "take the `+` away";
    Line "lead \"c3 e3\".octave(1)" => "pattern-modifier" "octave" "`lead \"c4 e4\".transpose(12st)`" "lead \"c3 e3\".transpose(12st)";
    Song "bd = kick()\nplay { bd \"1000 1010\" }\nout = bd" => "word-is-a-hit" "1000" "`bd |x...|x.x.|`";
    // Notes between bar lines, curves, clauses and marks where another tool has them.
    Line "lead |c4 e4|" => "tab-character" "c" "quotes: `\"c4 e4\"`";
    Line "lead |c4 . e4 -|g4 _ ~ b3|" => "tab-character" "c" "`\"<[c4 ~ e4 ~] [g4 _ ~ b3]>\"`";
    Line "lead |0 1 2 3|.scale(c, minor)" => "tab-character" "0" "`\"0 1 2 3\"`; as hits";
    Line "bd |1 0 1 0|" => "tab-character" "0" "`|1 . 1 .|`";
    Line "bd.gain \"+0.5 1\"" => "pattern-syntax" "+" "take the `+` away";
    Line "bd \"x*4 // fill\"" => "pattern-syntax" "//" "behind the quotes";
    Line "bd.gain \"0.5 1\" over 1 beat curve linear" => "line-form" "curve" "take `curve linear` away";
    Line "bd.gain \"0.5 1\" over 1 beat curve log" => "line-form" "curve" "`curve exp`";
    Song "knob k = 800Hz in 100Hz..8kHz curve log\nout = sine(k) * 10%" => "statement-form" "curve" "`curve exp`";
    Song "knob k = 800Hz in 100Hz..8kHz curve lin\nout = sine(k) * 10%" => "statement-form" "curve" "take `curve lin` away";
    Line "bd.gain \"0.5 1\".over(1 beat)" => "line-form" "over" "`over 1 beat`";
    Line "bd |x..|.by(1/16).fast(2)" => "line-form" "by" "`by 1/16`";
    Song "tuning 19edo\nlead = pluck()\nplay { lead \"c4\" }\nout = lead" => "statement-form" "19edo" "`tuning edo 19`";
    Song "bd = kick()\nsection verse 1 bar { bd |x...| }\nplay verse!2\nout = bd" => "statement-form" "!" "`verse*2`";
    Song "title \"a \\\"b\\\" c\"\nout = noise()" => "stray-character" "\\" "`\"a 'b' c\"`";
    Line "lead isaw.segment(4).scale(c, minor)" => "line-form" "isaw.segment(4).scale(c, minor)" "`lead saw.range(1, 0).segment(4).scale(c, minor)`";
    Line "lead run(4)" => "line-form" "run(4)" "`lead \"0 .. 7\".scale(c, minor)`" "lead \"0 .. 3\".scale(c, minor)";
    Line "lead irand(8)" => "line-form" "irand(8)" "`lead rand.range(0, 7).segment(8).scale(c, minor)`" "lead rand.range(0, 7).segment(8).scale(c, minor)";
    Line "lead \"0 1\".scale(c4, \"<minor major>\")" => "pattern-modifier" "\"<minor major>\"" "`.scale(\"<c4:minor c4:major>\")`";
    // What is silent on purpose, and what is not.
    Song "bd = kick()\nplay { bd |....| }\nout = bd" => "silent-line" "bd" "`\"~\"` where it is to be silent" "bd = kick()\nplay { bd \"~\" }\nout = bd";
    Song "bd = kick()\nplay { bd \"x*4\".mask(\"0\") }\nout = bd" => "silent-line" "bd" "leaves none of its steps" "bd = kick()\nplay { bd \"~ ~\" }\nout = bd";
    Song "bd = kick()\nsection a 4 bars { bd ~ }\nplay a\nplay { bd \"x\" }\nout = bd" => "section-variation" "bd ~" "stands in the others";
    // Values that follow the tempo, and knobs for what a `def` is given.
    Line "lead \"c e\".set(decay: 1/8 bar)" => "pattern-modifier" "1/8 bar" "at `tempo 120`, 1/8 bar is `250ms`";
    Line "bd \"x*4\".nudge(1/16 beat)" => "pattern-modifier" "1/16 beat" "`31.25ms`";
    Line "lead.decay \"1 beat\"" => "pattern-value" "beat" "a beat is `500ms`" "lead.decay \"500ms\"";
    Song "l = pluck() |> lowpass(800Hz)\nplay { l \"c\" ; l.cutoff \"400Hz 2kHz\" }\nout = l" => "unknown-target" "l.cutoff" "`knob cutoff = 800Hz in 100Hz..8kHz`" "knob cutoff = 800Hz in 100Hz..8kHz\nl = pluck() |> lowpass(cutoff)\nplay { l \"c\" ; cutoff \"400Hz 2kHz\" over 1 beat }\nout = l";
    Line "lead \"c\".lpf(800)" => "pattern-modifier" "lpf" "`cutoff \"400Hz 2kHz\" over 1 beat`" "lead \"c\"";
    Line "bd \"x*4\".fadeIn(4)" => "pattern-modifier" "fadeIn" "`bd \"x*4\".vel(saw.range(0.1, 1).slow(4))`" "bd \"x*4\".vel(saw.range(0.1, 1).slow(4))";
    Song "Bd = kick()\nplay { bd \"x*4\" }\nout = Bd" => "unknown-target" "bd" "Bd";
    // Words of Tidal and Strudel that were only called unknown.
    Line "lead \"c\".penv(12)" => "pattern-modifier" "penv" "`instrument` of your own" "lead \"c\".set(decay: 80ms)";
    Line "lead \"c\".tune(\"19edo\")" => "pattern-modifier" "tune" "in a line of its own: `tuning edo 19`" "lead \"c\"";
    Song "tuning edo 0\nlead = pluck()\nplay { lead \"c4\" }\nout = lead" => "tuning-file" "0" "write `1`";
    Song "bd = kick()\nsection a 1 bar { bd |x...| }\nlength 4 bars\nplay a\nout = bd" => "score-unreached" "length 4 bars" "take the `length` out";
    Song "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 2 bars { play b }\nplay a\nout = bd" => "section-length" "play b" "4 bars long" "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 4 bars { play b }\nplay a\nout = bd";
};
