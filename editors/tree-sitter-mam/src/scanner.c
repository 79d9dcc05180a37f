// Decides which newlines end an item: those at which an item may end, and whose next line does not carry it on.
#include "tree_sitter/parser.h"

enum Token { END, BLANK, NEVER };

void *tree_sitter_mam_external_scanner_create(void) { return 0; }
void tree_sitter_mam_external_scanner_destroy(void *state) { (void)state; }
unsigned tree_sitter_mam_external_scanner_serialize(void *state, char *buffer) {
  (void)state, (void)buffer;
  return 0;
}
void tree_sitter_mam_external_scanner_deserialize(void *state, const char *buffer, unsigned length) {
  (void)state, (void)buffer, (void)length;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xa0; }

static bool is_letter(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// True where what comes next, after the blanks, belongs to the item before: `|>`, a closing bracket, `.name`, or one of the
// words that join.
static bool carries_on(TSLexer *lexer) {
  switch (lexer->lookahead) {
    case ')': case ']': case '}':
      return true;
    case '|':
      lexer->advance(lexer, false);
      return lexer->lookahead == '>';
    case '.':
      lexer->advance(lexer, false);
      return is_letter(lexer->lookahead);
    default:
      break;
  }
  char word[8];
  unsigned length = 0;
  while (is_letter(lexer->lookahead)) {
    if (length < sizeof word - 1) word[length] = (char)lexer->lookahead;
    length++;
    lexer->advance(lexer, false);
  }
  if (length == 0 || length >= sizeof word) return false;
  word[length] = 0;
  static const char *const words[] = {"then", "else", "and", "or"};
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
    const char *a = words[i], *b = word;
    while (*a && *a == *b) a++, b++;
    if (*a == *b) return true;
  }
  return false;
}

bool tree_sitter_mam_external_scanner_scan(void *state, TSLexer *lexer, const bool *valid) {
  (void)state;
  // All are valid where the parser recovers from a mistake.
  if (valid[NEVER]) return false;
  while (is_blank(lexer->lookahead) && lexer->lookahead != '\n') lexer->advance(lexer, true);
  if (lexer->lookahead != '\n') return false;
  lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  if (!valid[END]) {
    lexer->result_symbol = BLANK;
    return valid[BLANK];
  }
  // Over blanks and comments to what comes next.
  for (;;) {
    while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
    if (lexer->lookahead != '/') break;
    lexer->advance(lexer, false);
    if (lexer->lookahead != '/') break;
    while (lexer->lookahead != '\n' && !lexer->eof(lexer)) lexer->advance(lexer, false);
  }
  lexer->result_symbol = carries_on(lexer) ? BLANK : END;
  return true;
}
