//! The prelude: the definitions that are there without asking, written in mam, one topic a file.

macro_rules! prelude {
    ($($file:literal)*) => {
        /// Name and text of each file. Every file of `compiler/prelude` is listed here.
        pub static PRELUDE: &[(&str, &str)] = &[
            $((concat!("prelude/", $file, ".mam"), include_str!(concat!("../prelude/", $file, ".mam")))),*
        ];
    };
}

prelude! {
    "drums"
    "dynamics"
    "effects"
    "envelopes"
    "filters"
    "noise"
    "oscillators"
    "shapes"
    "space"
    "synths"
}
