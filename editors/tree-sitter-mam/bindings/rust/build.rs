//! Compiles the parser that `tree-sitter generate` made of `grammar.js`, and the scanner beside it.

fn main() {
    let files = ["src/parser.c", "src/scanner.c"];
    cc::Build::new().std("c11").include("src").files(files).warnings(false).compile("tree-sitter-mam");
    files.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
}
