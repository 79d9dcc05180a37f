//! The compiler and what an editor asks, as functions that the page's worker calls. The engine's functions are in the same
//! module: the worklet has an instance of its own, and what both need is sent once.
//!
//! A question is JSON in memory that [`alloc`](mam_studio_engine::alloc) gave, an answer is JSON in the crate's own: [`ask`] returns its length. What is
//! compiled does not fit JSON: it is left in memory, see [`part_address`].

mod files;

use files::PageFiles;
use mam_compiler::emit::wasm::{Subnormals, emit};
use mam_compiler::target::Target;
use mam_compiler::{CompilationCache, Options, Stage, compile_again};
use mam_grammar::Sources;
use mam_runtime::image;
use mam_studio_answers::Answers;
use mam_studio_engine as _;
use serde_json::{Value, json};
use std::cell::RefCell;

thread_local! {
    static STUDIO: RefCell<Studio> = RefCell::default();
}

/// What the worker keeps from question to question.
#[derive(Default)]
struct Studio {
    cache: CompilationCache,
    answers: Answers,
    files: PageFiles,
    /// See [`part_address`].
    parts: [Vec<u8>; 3],
}

impl Studio {
    fn part(&self, part: usize) -> &[u8] {
        self.parts.get(part).map_or(&[], |part| part)
    }

    /// Answers a question; the result is the answer's length.
    fn ask(&mut self, question: &[u8]) -> usize {
        let answer = match serde_json::from_slice::<Value>(question) {
            Ok(question) if question["ask"] == "compile" => self.compile(&question),
            Ok(question) if question["ask"] == "forget" => {
                self.files.forget(question["file"].as_str().unwrap_or_default());
                Value::Null
            }
            Ok(question) => self.answers.answer(&question, &self.files).unwrap_or(Value::Null),
            Err(error) => json!({ "error": error.to_string() }),
        };
        self.parts[0] = answer.to_string().into_bytes();
        self.parts[0].len()
    }

    /// Compiles a text: its problems; and where there are no errors the program, of which the kernels are a module.
    fn compile(&mut self, question: &Value) -> Value {
        let word = |name: &str| question[name].as_str().unwrap_or_default();
        let text = word("text");
        let mut sources = Sources::default();
        let song = sources.add(word("name"), text);
        let rate = question["rate"].as_u64().unwrap_or_default() as u32;
        let options = Options { target: Target::portable(), until: Stage::Plan, rate, ..Options::default() };
        let mut made = compile_again(&mut sources, song, &self.files, &options, &mut self.cache);
        let found = std::mem::take(&mut made.problems).into_sorted();
        let mut answer = self.answers.compiled(text, song, &found, &made);
        let Some(program) = &made.program else { return answer };
        let exact = question["exact"].as_bool() == Some(true);
        let subnormals = if exact { Subnormals::FlushAll } else { Subnormals::FlushStored };
        match emit(&made.stages.optimised, subnormals) {
            Ok(binary) => {
                self.parts[1] = image::to_bytes(program);
                self.parts[2] = binary.bytes;
                answer["code"] = json!({ "data": binary.data_bytes, "functions": binary.functions });
            }
            // A bug of ours: optimised for a portable target, every op has an encoding.
            Err(error) => (answer["ok"], answer["error"]) = (json!(false), json!(error)),
        }
        answer
    }
}

/// Answers a question. The result is the length of the answer.
///
/// # Safety
/// `at` is what [`alloc`](mam_studio_engine::alloc) returned for `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ask(at: *mut u8, bytes: usize) -> usize {
    // SAFETY: the caller's promise.
    let question = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, bytes)) };
    STUDIO.with_borrow_mut(|studio| studio.ask(&question))
}

/// Takes a file that songs may use, with its name in UTF-8. One of that name is replaced; `{"ask": "forget", "file": NAME}` takes one out.
///
/// # Safety
/// `name` and `at` are what [`alloc`](mam_studio_engine::alloc) returned for `name_bytes` and `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn put_file(name: *mut u8, name_bytes: usize, at: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    let [name, bytes] = [(name, name_bytes), (at, bytes)]
        .map(|(at, bytes)| unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, bytes)) });
    let name = String::from_utf8_lossy(&name).into_owned();
    STUDIO.with_borrow_mut(|studio| studio.files.put(name, bytes.into_vec()));
}

/// Where a part of the last answer is: 0 the answer itself; of a compilation 1 the program's binary form, 2 the module of
/// its kernels.
#[unsafe(no_mangle)]
pub extern "C" fn part_address(part: usize) -> *const u8 {
    STUDIO.with_borrow(|studio| studio.part(part).as_ptr())
}

/// How many bytes a part has.
#[unsafe(no_mangle)]
pub extern "C" fn part_bytes(part: usize) -> usize {
    STUDIO.with_borrow(|studio| studio.part(part).len())
}
