//! How locks and commands name parameters and give them values.

use super::codes;
use super::fields::{Fields, Object};
use super::value::{At, Decimal, Text, Value};
use crate::float;
use crate::problem::Problem;
use crate::source::Span;

/// A value for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A number, in the parameter's own unit.
    Number(Decimal),
    /// `true` or `false`, for switches.
    Bool(bool),
    /// An expression of the language: the parameter of a node follows it.
    Written(std::sync::Arc<str>),
}

/// How a lock or a command names its parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamName {
    /// By name, in the field `param`.
    Name(Text),
    /// By number from 1, in the field `paramId`.
    Id(At<i64>),
}

impl ParamName {
    /// The bytes that it takes up.
    pub fn span(&self) -> Span {
        match self {
            ParamName::Name(name) => name.span,
            ParamName::Id(id) => id.span,
        }
    }
}

/// A number, `true` or `false`.
pub(super) fn scalar(f: &mut Fields<'_>, value: &At<Value>) -> Option<At<Scalar>> {
    match &value.value {
        Value::Bool(b) => Some(At::new(Scalar::Bool(*b), value.span)),
        _ => f.number(value).map(|n| At::new(Scalar::Number(n.value), value.span)),
    }
}

/// The same, or an expression of the language, which version 2 of the format has.
pub(super) fn followed(f: &mut Fields<'_>, value: &At<Value>) -> Option<At<Scalar>> {
    match &value.value {
        Value::Text(text) if f.version >= 2 && float::parse(text.trim()).is_none() => {
            Some(At::new(Scalar::Written(text.clone()), value.span))
        }
        _ => scalar(f, value),
    }
}

/// `rampMs`: 0 when absent.
pub(super) fn ramp(f: &mut Fields<'_>, object: &Object<'_>) -> At<Decimal> {
    let most = f.limits.json.ramp_ms;
    let read = object.get("rampMs").and_then(|v| f.exact(v, "`rampMs`, in milliseconds,", true, most));
    read.unwrap_or_else(|| At::new(Decimal::whole_number(0), object.head()))
}

/// `param` or `paramId`, exactly one of them.
pub(super) fn param_name(f: &mut Fields<'_>, object: &Object<'_>) -> Option<ParamName> {
    let name = f.optional(object, "param", Fields::text);
    let id = f.optional(object, "paramId", |f, v| f.whole(v, "`paramId`", 0..=i64::from(u16::MAX)));
    match (object.key_span("param"), object.key_span("paramId")) {
        // In the first mam 0 stands for no number.
        (Some(_), Some(second)) if id.as_ref().is_some_and(|id| id.value == 0) => {
            let message = "`paramId` 0 is not a parameter: the one that `param` names is meant";
            let place = f.member_span(object, "paramId").unwrap_or(second);
            f.assumed(second, message, place, "");
            name.map(ParamName::Name)
        }
        (Some(first), Some(second)) => {
            let message = format!("{} names its parameter twice", object.what);
            let problem = Problem::new(&codes::PARAMETER_NAME, second, message);
            f.problems.add(problem.label(first, "and here").help("keep one of the two"));
            None
        }
        (None, None) => {
            let message = format!("{} needs a field `param` or `paramId`", object.what);
            f.report(&codes::PARAMETER_NAME, object.head(), message);
            None
        }
        _ => name.map(ParamName::Name).or(id.map(ParamName::Id)),
    }
}
