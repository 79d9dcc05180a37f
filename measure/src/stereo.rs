//! What both sides have to do with each other.

use super::{Heard, Value};

fn sides(x: &Heard) -> Result<(&[f64], &[f64]), String> {
    match x.channels.as_slice() {
        [left, right] => Ok((left, right)),
        [both] => Ok((both, both)),
        _ => Err("it does not have two sides".into()),
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The correlation of both sides.
pub(super) fn correlation(x: &Heard) -> Value {
    let (left, right) = sides(x)?;
    let scale = (dot(left, left) * dot(right, right)).sqrt();
    if scale > 0.0 { Ok(dot(left, right) / scale) } else { Err("a side is silent".into()) }
}

/// The RMS of the mean of both sides over that of the sides.
pub(super) fn mono_loss(x: &Heard) -> Value {
    let (left, right) = sides(x)?;
    let middle: Vec<f64> = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)).collect();
    let whole = 0.5 * (dot(left, left) + dot(right, right));
    if whole > 0.0 { Ok((dot(&middle, &middle) / whole).sqrt()) } else { Err("it is silent".into()) }
}
