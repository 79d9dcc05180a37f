//! Floating-point numbers in decimal digits.

use lexical_parse_float::FromLexical;

/// The f64 nearest to a text of decimal digits, with a point and an exponent if wanted; what `str::parse` gives, but without its
/// table of ten kilobytes, which the page would load.
pub fn parse(text: &str) -> Option<f64> {
    f64::from_lexical(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_read_as_the_standard_library_reads_it(
            bits in any::<u64>(),
            digits in "[-+]?[0-9]{0,30}(\\.[0-9]{0,30})?(e[-+]?[0-9]{1,3})?",
            word in "[-+.0-9a-zA-Z]{0,6}",
        ) {
            let number = f64::from_bits(bits);
            // Half-way between two numbers, where all digits count.
            let between = format!("{:.1075}", (f64::from_bits(bits >> 2 | 1) + f64::MIN_POSITIVE) / 3.0);
            for text in [format!("{number:e}"), format!("{number}"), digits, word, between] {
                let expected = text.parse::<f64>().ok();
                prop_assert_eq!(super::parse(&text).map(f64::to_bits), expected.map(f64::to_bits), "{}", text);
            }
        }
    }
}
