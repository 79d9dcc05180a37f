//! The kinds of problems that a score can have.

mam_grammar::codes! {
    PATTERN_VALUE Error "pattern-value" {
        "The values of a pattern are notes (`c4`, `eb3`, `60`), hits (`x`) or numbers with units (`800Hz`, `40%`), as fits what the line plays. An instrument without a pitch takes any word as a hit."
        fails "lead = pluck()\nplay { lead \"c4 cheese\" }\nout = lead\n"
        passes "lead = pluck()\nplay { lead \"c4 e4\" }\nout = lead\n"
    }
    PATTERN_NUMBER Error "pattern-number" {
        "An operator of the notation is given a number that it cannot work with: weights and repetitions are positive (repetitions whole), factors are numbers, a rhythm `(k,n)` has whole numbers with n at least 1 and k at most n."
        fails "bd = kick()\nplay { bd \"x(5,3)\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x(3,5)\" }\nout = bd\n"
    }
    RHYTHM_EMPTY Note "rhythm-empty" {
        "A rhythm `(0,0)` spreads no onsets over no steps: it is silent, as in Tidal."
        fails "bd = kick()\nplay { bd \"x x(0,0)\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x ~\" }\nout = bd\n"
    }
    PATTERN_TOO_MUCH Error "pattern-too-much" {
        "One cycle of a pattern may hold 16384 events and take a bounded amount of work. A factor or a repetition is probably far larger than was meant."
        fails "bd = kick()\nplay { bd \"x*1000000000\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x*16\" }\nout = bd\n"
    }
    PATTERN_TOO_FINE Error "pattern-too-fine" {
        "Musical time is computed in exact fractions of 128-bit numbers. This pattern divides time so often, by numbers with so little in common, that the fractions no longer fit."
        fails "bd = kick()\nplay { bd \"x*1.000000000000007*1.000000000000009*1.00000000000003\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x*1.5\" }\nout = bd\n"
    }
    TAB_HOLD Error "tab-hold" {
        "`_` in a drum tab holds the note before it; here no note comes before."
        fails "bd = kick()\nplay { bd |_..x| }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x_..| }\nout = bd\n"
    }
    TAB_LENGTH Warning "tab-length" {
        "The steps of a bar of a drum tab share the bar equally. A number of steps that does not go with the meter's beats is usually a step too few or too many. `by 1/16` fixes the step instead, so that a pattern of another length runs against the bar."
        fails "bd = kick()\nplay { bd |x...x...x...x..| }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x...x...x...x...| }\nout = bd\n"
    }
    UNKNOWN_TARGET Error "unknown-target" {
        "A line of a score begins with the name of an instrument (`bd`) or of one of its parameters (`bd.gain`), or of a knob."
        fails "bd = kick()\nplay { db |x...| }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x...| }\nout = bd\n"
    }
    NOT_PLAYABLE Error "not-playable" {
        "Only instruments, their parameters and knobs can be played: a name whose value is a plain signal has no notes. A name is an instrument if following the left ends of pipes from it reaches exactly one instrument call."
        fails "bd = kick()\nlevel = 0.5\nplay { level |x...| }\nout = bd * level\n"
        passes "bd = kick()\nlevel = 0.5\nplay { bd |x...| }\nout = bd * level\n"
    }
    SILENT_LINE Warning "silent-line" {
        "This line never sounds: it is a tab of rests, or what stands behind its pattern leaves none of its steps. Rests alone in quotes, `\"~\"`, are silent on purpose."
        fails "bd = kick()\nplay { bd |....| }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x...| }\nout = bd\n"
    }
    LINES_FIGHT Warning "lines-fight" {
        "Two lines, or the parts of one line that sound together, set the same parameter at the same instant to different values. The later one wins there."
        fails "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"0.5\"\n  bd.gain \"1 0.2\"\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"0.5 0.2\"\n}\nout = bd\n"
    }
    TAB_CUT Warning "tab-cut" {
        "A drum tab has more bars than the section, or the song, in which it stands: its last bars are never heard."
        fails "bd = kick()\nsection a 1 bar { bd |x...|x.x.| }\nplay a\nout = bd\n"
        passes "bd = kick()\nsection a 2 bars { bd |x...|x.x.| }\nplay a\nout = bd\n"
    }
    RAMP_CUT Warning "ramp-cut" {
        "A pattern is one bar long and comes again in each bar, whatever `over` says: here the next value begins before the ramp to the one before it is over, so that it never arrives. `.slow(4)` lets a pattern take four bars."
        fails "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1 0\" over 2 bars\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1 0\".slow(4) over 2 bars\n}\nout = bd\n"
    }
    DRIVEN_PARAMETER Warning "driven-parameter" {
        "The parameter is given a signal in the song, which it follows: what else sets it changes nothing. So does `--set` where a line of the score sets the parameter as the song starts. What is to be set by hand, by a line or by `--set` is given a number."
        fails "bd = kick()\nwet = bd |> echo(feedback: 0.3 + 0.2 * lfo(1Hz))\nplay {\n  bd |x...|\n  wet.feedback \"20%\"\n}\nout = wet\n"
        passes "bd = kick()\nwet = bd |> echo(feedback: 0.3)\nplay {\n  bd |x...|\n  wet.feedback \"20%\"\n}\nout = wet\n"
    }
    LEFT_OVER Warning "left-over" {
        "What a line sets stays set, also when the song starts over. This parameter is not set where a pass begins, so that every pass but the first begins with what the one before has left."
        fails "knob fade = 1 in 0..1\nbd = kick()\nsection a 1 bar { bd |x...| }\nsection end 1 bar {\n  bd |x...|\n  fade \"0\" over 1 bar\n}\nplay a end\nout = bd * fade\n"
        passes "knob fade = 1 in 0..1\nbd = kick()\nsection a 1 bar {\n  bd |x...|\n  fade \"1\"\n}\nsection end 1 bar {\n  bd |x...|\n  fade \"0\" over 1 bar\n}\nplay a end\nout = bd * fade\n"
    }
    WORD_IS_A_HIT Warning "word-is-a-hit" {
        "An instrument without a pitch takes every word of a pattern as a hit of its own: the names of other sounds do not play these. Each instrument has its own line."
        fails "bd = kick()\nsd = snare()\nplay {\n  bd \"bd sd\"\n  sd |..x.|\n}\nout = bd + sd\n"
        passes "bd = kick()\nsd = snare()\nplay {\n  bd \"bd ~\"\n  sd |..x.|\n}\nout = bd + sd\n"
    }
    VALUE_CLAMPED Warning "value-clamped" {
        "A value of a parameter outside its range is moved to the nearer end of the range; so is a note that is moved further in time than 250 ms."
        fails "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"7\"\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n  bd.gain \"1.2\"\n}\nout = bd\n"
    }
    PITCH_UNCHANGED Warning "pitch-unchanged" {
        "What stands behind a pattern would change the pitch of its notes, and changes nothing: the instrument does not read the pitch of its notes, or there are no degrees where a scale gives degrees their notes, or no notes where those of a chord are put in order."
        fails "lead = pluck(voices: 4)\nplay { lead \"c4 e4\".scale(d, major) }\nout = lead\n"
        passes "lead = pluck(voices: 4)\nplay { lead \"0 2\".scale(d, major) }\nout = lead\n"
    }
    NOTE_VELOCITY Warning "note-velocity" {
        "The velocity of a note is from 0 to 1, and a little more for an accent. A number far above is mostly one of MIDI's 127, or the number of a sample."
        fails "bd = kick()\nplay { bd \"x x:100\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x x:0.79\" }\nout = bd\n"
    }
    NOTE_LENGTH Warning "note-length" {
        "A note is held for a share of its event, mostly 1 or less, and a few for notes that overlap. A number far above is mostly meant in percent: `50%` is half of it."
        fails "lead = pluck(voices: 8)\nplay { lead \"c4 e4\".legato(50) }\nout = lead\n"
        passes "lead = pluck(voices: 8)\nplay { lead \"c4 e4\".legato(50%) }\nout = lead\n"
    }
    NOTE_PITCH Warning "note-pitch" {
        "A note is so low or so high that it cannot be heard. Plain numbers in a pattern are keys of MIDI, of which 60 is c4; degrees of a scale need the scale, `.scale(c, minor)`."
        fails "lead = pluck()\nplay { lead \"0 2 4\" }\nout = lead\n"
        passes "lead = pluck()\nplay { lead \"0 2 4\".scale(c, minor) }\nout = lead\n"
    }
    NO_SUCH_PIECE Warning "no-such-piece" {
        "A sampler cuts its sound into pieces that are numbered from 0: eight of them are 0 to 7. Another number plays nothing, or the whole sound so low or so high that it is not heard; so does a piece that ends before it begins."
        fails "instrument piece {\n  param begin = 0 in 0..1\n  param end = 1 in 0..1\n  env = decay(trig, 100ms)\n  out = sine(freq * (1 + end - begin)) * env\n  until env < 0.0001\n}\nb = piece()\nplay { b \"c4*2\".slice(8, \"7 8\") }\nout = b\n"
        passes "instrument piece {\n  param begin = 0 in 0..1\n  param end = 1 in 0..1\n  env = decay(trig, 100ms)\n  out = sine(freq * (1 + end - begin)) * env\n  until env < 0.0001\n}\nb = piece()\nplay { b \"c4*2\".slice(8, \"6 7\") }\nout = b\n"
    }
    NO_BEAT Warning "no-beat" {
        "An instrument triggers itself where its `loop` is 1, at each beat of its `bpm`. One of the two alone changes nothing. The tempo of a song is `tempo 140`; what goes round in a sound is `repeat` of a `sampler`, and `loop` of `playback`."
        fails "bd = kick(loop: 1)\nplay { bd |x...| }\nout = bd\n"
        passes "bd = kick(loop: 1, bpm: 120)\nplay { bd |x...| }\nout = bd\n"
    }
    REST_IS_A_HIT Warning "rest-is-a-hit" {
        "An instrument without a pitch takes every word of a pattern as a hit, also `0`, `f` and `false`. A rest is `~`; only in `.struct`, `.mask` and `.when` does 0 stand for it."
        fails "bd = kick()\nplay { bd \"1 0 1 0\" }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"1 ~ 1 ~\" }\nout = bd\n"
    }
    STEP_LENGTH Warning "step-length" {
        "The step of a drum tab (`by 1/16`) and that of swing (`of 1/8`) are parts of a whole note, which is a bar of 4/4. A step longer than a bar is mostly the number of steps in a whole note."
        fails "bd = kick()\nplay { bd |x.x.| by 16 }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x.x.| by 1/16 }\nout = bd\n"
    }
    POLYPHONY Warning "polyphony" {
        "More notes sound at once than the instrument has voices, so that new notes cut off old ones. Give it more with `voices:`, let held notes wait and return with `priority: last`, or let the notes not overlap."
        fails "pad = bell()\nplay { pad \"[c4,e4,g4]\" }\nout = pad\n"
        passes "pad = bell(voices: 3)\nplay { pad \"[c4,e4,g4]\" }\nout = pad\n"
    }
    UNUSED_SECTION Warning "unused-section" {
        "A section sounds where an arrangement names it (`play intro verse*2`); this one is never played."
        fails "bd = kick()\nsection a 1 bar { bd |x...| }\nsection b 1 bar { bd |x.x.| }\nplay a\nout = bd\n"
        passes "bd = kick()\nsection a 1 bar { bd |x...| }\nsection b 1 bar { bd |x.x.| }\nplay a b\nout = bd\n"
    }
    TUNING Error "tuning-file" {
        "`tuning \"scale.scl\"` reads a scale of Scala: a description, the number of its notes, and a pitch a line, in cents with a point (`701.955`) or as a ratio (`3/2`). A second file is a keyboard mapping (`.kbm`). `tuning edo 19` needs no file: an octave of 1 to 1200 equal steps."
        fails "tuning edo 0\nlead = pluck()\nplay { lead \"c4 e4\" }\nout = lead\n"
        passes "tuning edo 19\nlead = pluck()\nplay { lead \"c4 e4\" }\nout = lead\n"
    }
    SECTION_VARIATION Error "section-variation" {
        "`section verse2 = verse { … }` is a section like another, of which some lines are other ones: a line takes the place of those of the same target, and `hh ~` leaves the lines of `hh` out. There has to be something to leave out, and a section to be like, which is not a variation of this one."
        fails "bd = kick()\nhh = closed_hat()\nsection a 1 bar { bd |x...| }\nsection b = a { hh ~ }\nplay a b\nout = bd + hh\n"
        passes "bd = kick()\nhh = closed_hat()\nsection a 1 bar {\n  bd |x...|\n  hh |x.x.|\n}\nsection b = a { hh ~ }\nplay a b\nout = bd + hh\n"
    }
    UNKNOWN_SECTION Error "unknown-section" {
        "An arrangement names sections that stand in the same block or around it."
        fails "bd = kick()\nsection verse 1 bar { bd |x...| }\nplay vers\nout = bd\n"
        passes "bd = kick()\nsection verse 1 bar { bd |x...| }\nplay verse\nout = bd\n"
    }
    SCORE_TWICE Error "score-twice" {
        "A level of a score has at most one `play { }` and one arrangement, a song one meter, swing, length and seed, and one tempo at each bar; section names stand once."
        fails "bd = kick()\nmeter 4/4\nmeter 4/4\nplay { bd |x...| }\nout = bd\n"
        passes "bd = kick()\nmeter 4/4\nplay { bd |x...| }\nout = bd\n"
    }
    SECTION_NESTING Error "section-nesting" {
        "A section may arrange sections within it, but never itself."
        fails "bd = kick()\nsection a 1 bar { play a }\nplay a\nout = bd\n"
        passes "bd = kick()\nsection a 1 bar { bd |x...| }\nplay a\nout = bd\n"
    }
    SECTION_LENGTH Warning "section-length" {
        "The sections arranged within a section are longer than it is; what lies beyond its end is not heard."
        fails "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 2 bars { play b }\nplay a\nout = bd\n"
        passes "bd = kick()\nsection b 4 bars { bd |x...| }\nsection a 4 bars { play b }\nplay a\nout = bd\n"
    }
    SCORE_NUMBER Error "score-number" {
        "A number of the score's own statements is not what it has to be: tempos are positive beats per minute, bars count from 1, lengths and meters are positive, swing lies between 0% and 100%, repetitions are whole numbers."
        fails "bd = kick()\ntempo 0\nplay { bd |x...| }\nout = bd\n"
        passes "bd = kick()\ntempo 120\nplay { bd |x...| }\nout = bd\n"
    }
    SCORE_UNREACHED Warning "score-unreached" {
        "A statement about the song's time has no effect: a tempo change beyond its end, a `length` where an arrangement already says how long the song is, or an arrangement that plays each of its sections no time."
        fails "bd = kick()\ntempo 120\ntempo 140 at bar 9\nlength 4 bars\nplay { bd |x...| }\nout = bd\n"
        passes "bd = kick()\ntempo 120\ntempo 140 at bar 3\nlength 4 bars\nplay { bd |x...| }\nout = bd\n"
    }
    SIGNAL_WITHOUT_STEPS Error "signal-without-steps" {
        "`sine saw tri perlin rand` have a value at every instant. What plays notes, sets a parameter or is a modifier's number needs steps: `.segment(8)` takes eight values a cycle, and `.struct(\"x ~ x x\")` takes them in a rhythm."
        fails "bd = kick()\nplay {\n  bd |x...|\n  bd.gain saw.range(0.2, 1)\n}\nout = bd\n"
        passes "bd = kick()\nplay {\n  bd |x...|\n  bd.gain saw.range(0.2, 1).segment(8)\n}\nout = bd\n"
    }
    PATTERN_FRACTION Warning "pattern-fraction" {
        "In quotes `1/4` is not a fraction: it is 1, four times as slow. A number in quotes has its decimals, `0.25`; outside of quotes `1/4` is a quarter."
        fails "bd = kick()\nplay { bd \"x*4\".shift(\"<0 1/4>\") }\nout = bd\n"
        passes "bd = kick()\nplay { bd \"x*4\".shift(\"<0 0.25>\") }\nout = bd\n"
    }
    MODIFIER Error "pattern-modifier" {
        "After a pattern stand modifiers, such as `.fast(2) .every(4, rev) .off(1/8, transpose(7st)) .scale(c, minor)`; `mamc list` shows all of them, and `mamc doc every` one."
        fails "bd = kick()\nplay { bd |x...|.fats(2) }\nout = bd\n"
        passes "bd = kick()\nplay { bd |x...|.fast(2) }\nout = bd\n"
    }
}
