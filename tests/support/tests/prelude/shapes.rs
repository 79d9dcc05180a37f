//! Shapers and panning: their curves.

use crate::{stereo, through};
use std::f64::consts::FRAC_PI_4;

fn ramp() -> Vec<f32> {
    (-2_000..=2_000).map(|i| i as f32 / 250.0).collect()
}

/// A shape's curve from −8 to 8.
fn curve(shape: &str, expected: impl Fn(f64) -> f64) {
    let x = through(&format!("out = {shape}\n"), &[&ramp()]).0;
    crate::close(&x, |n| expected(f64::from(ramp()[n])), 2e-6);
}

#[test]
fn shapes_are_their_formulas() {
    curve("softclip(in)", f64::tanh);
    curve("hardclip(in)", |x| x.clamp(-1.0, 1.0));
    curve("fold(in)", |x| (x * std::f64::consts::FRAC_PI_2).sin().asin() / std::f64::consts::FRAC_PI_2);
}

#[test]
fn crush_rounds_to_its_levels() {
    for (bits, steps) in [(1, 1.0), (3, 4.0), (8, 128.0), (16, 32_768.0)] {
        let x = through(&format!("out = crush(in, {bits})\n"), &[&ramp()]).0;
        for (n, &v) in x.iter().enumerate() {
            let is = f64::from(v) * steps;
            assert_eq!(is, is.round(), "{bits} bits");
            assert!((is - f64::from(ramp()[n]) * steps).abs() <= 0.501);
        }
    }
    let (default, eight) =
        (through("out = crush(in)\n", &[&ramp()]), through("out = crush(in, 8)\n", &[&ramp()]));
    assert_eq!(default, eight);
}

#[test]
fn pan_has_equal_power() {
    for position in [-1.0, -0.5, 0.0, 0.25, 1.0, 7.0] {
        let (left, right) = stereo(&format!("out = pan(1, {position})\n"), 64);
        let angle = FRAC_PI_4 * (f64::min(position, 1.0) + 1.0);
        crate::close(&left, |_| angle.cos(), 1e-6);
        crate::close(&right, |_| angle.sin(), 1e-6);
    }
    let (left, right) = stereo("out = pan((0.5, 1), sine(100Hz))\n", 4_800);
    let power = |n: usize| (f64::from(left[n]) / 0.5).powi(2) + f64::from(right[n]).powi(2);
    assert!((0..4_800).all(|n| (power(n) - 1.0).abs() < 1e-5));
}

#[test]
fn width_scales_the_difference() {
    for (amount, left, right) in [(0.0, 0.4, 0.4), (1.0, 0.6, 0.2), (2.0, 0.8, 0.0)] {
        let (l, r) = stereo(&format!("out = width((0.6, 0.2), {amount})\n"), 64);
        crate::close(&l, |_| left, 1e-6);
        crate::close(&r, |_| right, 1e-6);
    }
    let (l, r) = stereo("out = width(0.3, 2)\n", 64);
    assert_eq!(l, r);
}
