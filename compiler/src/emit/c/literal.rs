//! Constants and types as C.

use crate::ir::{Imm, Scalar, Type};
use std::fmt::Write;

/// The C type of a value. A scalar bool is 0 or 1; one in lanes has all bits of its lane, or none.
pub(super) fn ctype(ty: Type) -> &'static str {
    match (ty.scalar, ty.lanes) {
        (Scalar::F32, 1) => "f32",
        (Scalar::F32, _) => "f32x4",
        (Scalar::F64, _) => "f64",
        (Scalar::I32 | Scalar::Bool, 1) => "i32",
        (Scalar::I32 | Scalar::Bool, _) => "i32x4",
    }
}

/// A constant in as many lanes as its type has.
pub(super) fn constant(imm: Imm, lanes: u8) -> String {
    match (imm, lanes) {
        (_, 1) => scalar(imm),
        (Imm::F32(_), _) => format!("splat_f32x4({})", scalar(imm)),
        (Imm::Bool(x), _) => format!("splat_i32x4({})", -i32::from(x)),
        (Imm::I32(_) | Imm::F64(_), _) => format!("splat_i32x4({})", scalar(imm)),
    }
}

/// A constant in one lane; a negative one stands in parentheses.
pub(super) fn scalar(imm: Imm) -> String {
    match imm {
        Imm::F32(x) if !x.is_finite() => format!("f32_of(0x{:08x}u)", x.to_bits()),
        Imm::F64(x) if !x.is_finite() => format!("f64_of(0x{:016x}u)", x.to_bits()),
        Imm::F32(x) => parenthesised(hexadecimal(f64::from(x)) + "f"),
        Imm::F64(x) => parenthesised(hexadecimal(x)),
        Imm::I32(i32::MIN) => "(-2147483647 - 1)".into(),
        Imm::I32(x) => parenthesised(x.to_string()),
        Imm::Bool(x) => i32::from(x).to_string(),
    }
}

fn parenthesised(number: String) -> String {
    if number.starts_with('-') { format!("({number})") } else { number }
}

/// A finite number in hexadecimal digits, which are exact.
pub(super) fn hexadecimal(x: f64) -> String {
    let bits = x.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let sign = if x.is_sign_negative() { "-" } else { "" };
    let digits = format!("{fraction:013x}");
    let digits = match digits.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    };
    match exponent {
        0 if fraction == 0 => format!("{sign}0x0p0"),
        0 => format!("{sign}0x0{digits}p-1022"),
        _ => format!("{sign}0x1{digits}p{}", exponent - 1023),
    }
}

/// A constant array.
pub(super) fn array(name: &str, table: &[f32]) -> String {
    let mut text = format!("static f32 const {name}[{}] = {{", table.len());
    for (i, x) in table.iter().enumerate() {
        text += if i % 8 == 0 { "\n    " } else { " " };
        let _ = match x.is_finite() {
            true => write!(text, "{}f,", hexadecimal(f64::from(*x))),
            false => write!(text, "{},", scalar(Imm::F32(0.0))),
        };
    }
    text + "\n};\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_exact() {
        for (x, text) in [
            (0.0, "0x0p0"),
            (-1.0, "-0x1p0"),
            (0.1, "0x1.999999999999ap-4"),
            (1.5, "0x1.8p0"),
            (-0.0, "-0x0p0"),
        ] {
            assert_eq!(hexadecimal(x), text);
        }
    }
}
