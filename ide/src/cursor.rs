//! What stands round a place of a text, from its tokens alone: for texts that are being written, and have no tree there.

use mam_grammar::syntax::{Token, TokenKind, Tokens, tokens};

/// What can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// Free text: a comment, a title, the path of a file.
    Free,
    /// The beginning of an item of the file or of a body: the first word of the block around it, empty for the file itself.
    Item(String),
    /// The pattern of a line of the score, which plays or sets this.
    Pattern(String),
    /// A modifier of a pattern, after its point.
    Modifier,
    /// The arguments of a modifier.
    ModifierArgument(String),
    /// Something of what these words name, after a point: `bd.`.
    Field(Vec<String>),
    /// The unit of a number that touches the place.
    Unit,
    /// A section, in an arrangement.
    Section,
    /// An expression.
    Expression,
}

/// A call around a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenCall {
    /// The name that is called.
    pub(crate) callee: String,
    /// The byte at which that name begins.
    pub(crate) start: usize,
    /// How many arguments stand before the place.
    pub(crate) index: usize,
    /// The name of the argument that the place is in, where it is given by name.
    pub(crate) named: Option<String>,
    /// The names by which arguments are given.
    pub(crate) given: Vec<String>,
    /// True where something is piped into the call.
    pub(crate) piped: bool,
}

/// A place of a text, with the tokens before it.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    byte: usize,
    tokens: Tokens,
    /// How many tokens end before the word at the place begins.
    before: usize,
    /// The brackets that are open there, from the outside.
    open: Vec<Bracket>,
    /// The first token of the item around the place.
    item: usize,
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Bracket {
    /// Its token.
    token: usize,
    /// The first token of the item that it stands in.
    item: usize,
    /// True for `{`.
    brace: bool,
}

impl<'t> Cursor<'t> {
    /// Looks around a byte of a text.
    pub(crate) fn new(text: &'t str, byte: usize) -> Cursor<'t> {
        let byte = (0..=byte.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let mut cursor = Cursor { text, byte, tokens: tokens(text), before: 0, open: vec![], item: 0 };
        let word = cursor.word_start();
        cursor.before = cursor.tokens.tokens.partition_point(|token| token.end <= word && token.start < word);
        cursor.walk();
        cursor
    }

    /// Where the word begins that ends at the place, or the place itself.
    pub(crate) fn word_start(&self) -> usize {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'#' || byte == b'\'';
        let bytes = &self.text.as_bytes()[..self.byte];
        let start = bytes.len() - bytes.iter().rev().take_while(|&&byte| letter(byte)).count();
        let digit = bytes.get(start).is_some_and(u8::is_ascii_digit);
        // `440Hz`: the unit is the word.
        let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digit { start + digits } else { start }
    }

    fn walk(&mut self) {
        for index in 0..self.before {
            let token = self.tokens.tokens[index];
            let in_block = self.open.last().is_none_or(|bracket| bracket.brace);
            match token.kind {
                TokenKind::Newline | TokenKind::Symbol(";") if in_block => self.item = index + 1,
                TokenKind::Symbol(mark @ ("(" | "[" | "{")) => {
                    self.open.push(Bracket { token: index, item: self.item, brace: mark == "{" });
                    if mark == "{" {
                        self.item = index + 1;
                    }
                }
                TokenKind::Symbol(")" | "]" | "}") => {
                    if let Some(bracket) = self.open.pop() {
                        self.item = bracket.item;
                    }
                }
                _ => {}
            }
        }
    }

    fn token(&self, index: usize) -> Option<Token> {
        self.tokens.tokens.get(index).copied()
    }

    fn word(&self, index: usize) -> &'t str {
        match self.token(index) {
            Some(token) if token.kind == TokenKind::Word => token.text(self.text),
            _ => "",
        }
    }

    fn is(&self, index: usize, symbol: &str) -> bool {
        self.token(index).is_some_and(|token| token.is(symbol))
    }

    /// The token that the place is within: a text or a tab that has begun before it and ends behind it.
    fn inside(&self) -> Option<Token> {
        let quoted = |token: &&Token| {
            matches!(token.kind, TokenKind::Text | TokenKind::Tab)
                && token.start < self.byte
                && (self.byte < token.end || self.tokens.unclosed.contains(&token.start))
        };
        self.tokens.tokens.iter().find(quoted).copied()
    }

    fn in_comment(&self) -> bool {
        let docs = self.tokens.docs.iter().map(|&(start, end, _)| (start, end));
        let mut all = self.tokens.comments.iter().copied().chain(docs);
        all.any(|(start, end)| start < self.byte && self.byte <= end)
    }

    /// What can be written here.
    pub(crate) fn context(&self) -> Context {
        if self.in_comment() {
            return Context::Free;
        }
        if let Some(quoted) = self.inside() {
            return self.quoted(quoted);
        }
        let word = self.word_start();
        let digit = |at: usize| self.text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let number = |token: Token| token.kind == TokenKind::Number && token.end >= self.byte;
        let near = [self.before.checked_sub(1), Some(self.before)].into_iter().flatten();
        let mut near = near.filter_map(|index| self.token(index)).filter(|token| token.start < word);
        if word > 0 && digit(word - 1) && near.any(number) {
            return Context::Unit;
        }
        if let Some(modifier) = self.modifier() {
            return modifier;
        }
        if self.before > 0 && self.is(self.before - 1, ".") {
            return Context::Field(self.path());
        }
        if self.item >= self.before {
            return Context::Item(self.block().to_owned());
        }
        let first = self.word(self.item);
        if first == "play" && self.open.len() == self.depth_of_item() {
            return Context::Section;
        }
        Context::Expression
    }

    /// How many brackets are open where the item begins.
    fn depth_of_item(&self) -> usize {
        self.open.iter().filter(|bracket| bracket.token < self.item).count()
    }

    /// The first word of the item in whose braces the place is.
    fn block(&self) -> &'t str {
        let brace = self.open.iter().rev().find(|bracket| bracket.brace);
        brace.map_or("", |brace| self.word(brace.item))
    }

    fn quoted(&self, quoted: Token) -> Context {
        match self.word(self.item) {
            "use" | "title" => Context::Free,
            first if quoted.kind == TokenKind::Text => Context::Pattern(first.to_owned()),
            _ => Context::Free,
        }
    }

    /// Within what follows the pattern of a line.
    fn modifier(&self) -> Option<Context> {
        let pattern = |token: &Token| matches!(token.kind, TokenKind::Text | TokenKind::Tab);
        let played = self.tokens.tokens.get(self.item..self.before)?.iter().position(pattern)?;
        let innermost = self.open.last().filter(|bracket| bracket.token > self.item + played);
        if self.is(self.before.checked_sub(1)?, ".") {
            return Some(Context::Modifier);
        }
        let innermost = innermost?;
        Some(Context::ModifierArgument(self.word(innermost.token.checked_sub(1)?).to_owned()))
    }

    /// The name that ends before a token, with the points in it: `bd.gain` of a kit's argument.
    fn dotted(&self, end: usize) -> String {
        let name = self.word(end - 1);
        let mut path = self.path_before(end - 1);
        path.push(name.to_owned());
        path.join(".")
    }

    /// The words before the point at the place, from the left.
    fn path(&self) -> Vec<String> {
        self.path_before(self.before)
    }

    fn path_before(&self, end: usize) -> Vec<String> {
        let (mut words, mut at) = (vec![], end);
        while at >= 2 && self.is(at - 1, ".") {
            let word = self.word(at - 2);
            if word.is_empty() {
                // Something in brackets has the field.
                return vec![];
            }
            words.insert(0, word.to_owned());
            at -= 2;
        }
        words
    }

    /// The innermost call that the place is in the parentheses of.
    pub(crate) fn call(&self) -> Option<OpenCall> {
        let bracket = self.open.iter().rev().find(|bracket| {
            self.is(bracket.token, "(") && bracket.token > 0 && !self.word(bracket.token - 1).is_empty()
        })?;
        let callee = self.token(bracket.token - 1)?;
        let mut call = OpenCall {
            callee: callee.text(self.text).to_owned(),
            start: callee.start,
            index: 0,
            named: None,
            given: vec![],
            piped: bracket.token > 1 && self.is(bracket.token - 2, "|>"),
        };
        let mut depth = 0_usize;
        for index in bracket.token + 1..self.before {
            match self.token(index)?.kind {
                TokenKind::Symbol("(" | "[" | "{") => depth += 1,
                TokenKind::Symbol(")" | "]" | "}") => depth = depth.saturating_sub(1),
                TokenKind::Symbol(",") if depth == 0 => {
                    call.index += 1;
                    call.named = None;
                }
                TokenKind::Symbol(":") if depth == 0 => {
                    let name = self.dotted(index);
                    call.given.push(name.clone());
                    call.named = Some(name);
                }
                _ => {}
            }
        }
        Some(call)
    }

    /// True where an argument begins: after `(` or `,`.
    pub(crate) fn at_argument(&self) -> bool {
        self.before > 0 && (self.is(self.before - 1, "(") || self.is(self.before - 1, ","))
    }
}
