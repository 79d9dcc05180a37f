; Colours. A name that is called is a function; which names are instruments only the compiler knows (semantic tokens).
(comment) @comment
(doc_comment) @comment.documentation
(number) @number
(unit) @type
(string) @string
(tab) @string.special
(method) @function.method
(call function: (identifier) @function)
(argument name: (property) @variable.parameter)
(definition name: (identifier) @function)
(instrument name: (identifier) @type)
(effect name: (identifier) @type)
(section name: (identifier) @label)
(part (identifier) @label)
(param name: (identifier) @variable.parameter)
(knob name: (identifier) @variable.parameter)
(formal name: (identifier) @variable.parameter)
(access (property) @property)
(target (property) @property)
(equation name: (identifier) @variable)
[
  "def" "instrument" "effect" "play" "section" "param" "knob" "input" "until" "latency" "kit" "choke" "preset" "matrix" "fixed" "default" "note" "midi" "drum" "program"
  "use" "title" "tempo" "meter" "swing" "length" "seed" "channels" "ambisonic" "over" "bars" "at" "bar" "of" "by" "curve" "exp" "linear" "step" "smooth" "cc" "expect" "within"
] @keyword
["if" "then" "else"] @keyword.conditional
["sum" "chain" "prev" "tap" "in" "out"] @keyword
(reduce ["product" "max" "min" "list" "table"] @keyword)
(oversample "oversample" @keyword)
(spectral "spectral" @keyword)
["and" "or" "not" "mod"] @keyword.operator
["|>" "->" "=" "==" "!=" "<" "<=" ">" ">=" "+" "++" "-" "*" "/" "^" ".."] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," ";" ":" "."] @punctuation.delimiter
