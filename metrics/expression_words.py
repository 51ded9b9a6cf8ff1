"""The words of an expression: each is on our list or refused in its place; then sqlglot reads them.

A SQL parser accepts far more than we can translate and drops some of it silently, so words are
checked before it sees them, and names reach it as names only, whatever they mean in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import Token, TokenType

LANGUAGE = (
    "columns, literals, = <> < <= > >=, and, or, not, in, between, like, is null, case, + - * /, coalesce, "
    "lower, trim, minutes_between, hours_between, days_between, workdays_between"
)
FUNCTIONS = (
    "coalesce",
    "lower",
    "trim",
    "minutes_between",
    "hours_between",
    "days_between",
    "workdays_between",
)
LONGEST_TEXT = 20_000
MOST_WORDS = 1_500
DEEPEST_NESTING = 16

_OPERATORS = ("=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "(", ")", ",")
_KEYWORDS = {
    TokenType.AND,
    TokenType.OR,
    TokenType.NOT,
    TokenType.IN,
    TokenType.BETWEEN,
    TokenType.LIKE,
    TokenType.IS,
    TokenType.NULL,
    TokenType.TRUE,
    TokenType.FALSE,
    TokenType.CASE,
    TokenType.WHEN,
    TokenType.THEN,
    TokenType.ELSE,
    TokenType.END,
}
_UNCOUNTED = {TokenType.STRING, TokenType.NUMBER, TokenType.COMMA}
_PREFIXES = {TokenType.NOT, TokenType.DASH, TokenType.PLUS}
_OPENING = {TokenType.L_PAREN, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.END}
_STRAY_COMMAS = {
    (TokenType.L_PAREN, TokenType.COMMA),
    (TokenType.COMMA, TokenType.COMMA),
    (TokenType.COMMA, TokenType.R_PAREN),
}
_QUOTED = re.compile(r"'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\"")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_SPECIAL = {
    ";": ("There is a second statement", "Give one expression, without a semicolon."),
    "?": ("`?` is a placeholder", "Write the value itself."),
    ":": ("`:` begins a placeholder", "Write the value itself."),
    "@": ("`@` begins a placeholder", "Write the value itself."),
    "::": ("`::` changes a type, which the language does not do", "Leave it out; columns have their type."),
    ".": ("A name has no table before it and no part after it", "Write the column's name alone."),
    "==": ("`==` is not a comparison", "Write =."),
    "||": ("Texts cannot be joined", "Compare each column by itself."),
    "select": ("A query cannot stand inside an expression", "Use the columns of this source."),
    "over": ("A window cannot stand inside an expression", "Use the columns of this source."),
    "distinct": ("`distinct` is not part of the language", "Compare with = or <>, and with is null."),
    "escape": ("`like` has no escape", "Only % and _ are special in a pattern."),
    "ilike": ("`ilike` is not part of the language", "Write lower(column) like 'pattern'."),
    "cast": ("Types cannot be changed", "Leave cast out; columns have their type."),
}


class ExpressionError(ValueError):
    """An expression that cannot be used: `what` is wrong, where, and the `fix`.

    position is (line, column), both counted from 1; None where the text as a whole is meant.
    """

    def __init__(self, what: str, fix: str, position: tuple[int, int] | None = None) -> None:
        where = f" (line {position[0]}, column {position[1]})" if position else ""
        super().__init__(f"{what}{where}. {fix}")
        self.what = what
        self.fix = fix
        self.position = position


def read(text: str, names: Collection[str]) -> exp.Expr:
    """sqlglot's tree of `text`, every word of which is on our list and every name in `names`.

    Raises ExpressionError; RecursionError where the caller's own stack is nearly used up. The tree is
    no deeper than DEEPEST_NESTING brackets and cases, but chains of operators make long left branches.
    """
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(
            f"The expression has {len(text)} characters", _shorter(LONGEST_TEXT, "characters")
        )
    tokens = _tokens(text)
    _check_size(text, tokens)
    _check_neighbours(text, tokens)
    admitted = [
        _admit(text, token, after, names) for token, after in pairwise([*tokens, None]) if token is not None
    ]
    try:
        trees = Dialect().parser().parse(admitted, text)
    except ParseError as error:
        raise _unreadable(text, error) from None
    tree = trees[0] if len(trees) == 1 else None
    if tree is None:
        raise ExpressionError("The expression cannot be read", f"The language has {LANGUAGE}.")
    return tree


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def suggestion(word: str, known: Collection[str], otherwise: str) -> str:
    """`Did you mean …?` with the nearest known word; the other sentence where none is near."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), folded, n=1)
    return f"Did you mean `{folded[near[0]]}`?" if near else otherwise


def _tokens(text: str) -> list[Token]:
    try:
        tokens = Dialect().tokenize(text)
    except TokenError:
        blank = _QUOTED.sub(lambda match: " " * len(match[0]), text)
        offset = next((match.start() for match in re.finditer(r"['\"]|/\*", blank)), 0)
        what = f"`{blank[offset : offset + 2].strip()}` opens something that never ends"
        raise ExpressionError(
            what, "Close it; write a quote inside a text twice.", place(text, offset)
        ) from None
    if not tokens:
        raise ExpressionError("The expression is empty", "Write a test, or leave the whole line out.")
    return tokens


def _check_size(text: str, tokens: Sequence[Token]) -> None:
    """Refuses what would be too deep or too long for a parser's stack, ours or an engine's."""
    words = [token for token in tokens if token.token_type not in _UNCOUNTED]
    if len(words) > MOST_WORDS:
        raise ExpressionError(f"The expression has {len(words)} words", _shorter(MOST_WORDS, "words"))
    for token, depth in _depths(tokens):
        if depth > DEEPEST_NESTING:
            raise ExpressionError("The expression is nested too deeply", _flatter(), place(text, token.start))


def _depths(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the brackets and cases open around it and the nots and signs right before it."""
    opened = signs = 0
    for token in tokens:
        signs = signs + 1 if token.token_type in _PREFIXES else 0
        opened += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        yield token, opened + signs


def _check_neighbours(text: str, tokens: Sequence[Token]) -> None:
    """Refuses what the parser would let pass: stray commas, `when` without `then`, comments."""
    for token, after in pairwise(tokens):
        if (token.token_type, after.token_type) in _STRAY_COMMAS:
            fix = "Give it, or leave the comma out."
            raise ExpressionError("A value is missing beside the comma", fix, place(text, after.start))
    for token in tokens:
        if token.comments:
            fix = "Write it outside, after a # of the file."
            raise ExpressionError("There is a comment in the expression", fix, place(text, token.start))
    choices = [token for token in tokens if token.token_type in (TokenType.WHEN, TokenType.THEN)]
    if len(choices) != 2 * sum(token.token_type == TokenType.THEN for token in choices):
        fix = "Write: case when test then value else value end."
        raise ExpressionError("A `when` has no `then`", fix, place(text, choices[0].start))


def _admit(text: str, token: Token, after: Token | None, names: Collection[str]) -> Token:
    """The token as the parser may see it; ExpressionError when it is not part of the language."""
    kind, word = token.token_type, token.text
    if kind == TokenType.STRING or kind in _KEYWORDS:
        return token
    if kind == TokenType.NUMBER:
        return _admit_number(text, token)
    if kind != TokenType.IDENTIFIER:
        if word in _OPERATORS:
            return token
        if after is not None and after.token_type == TokenType.L_PAREN:
            return _admit_function(text, token)
    if word in names:
        return Token(TokenType.IDENTIFIER, word, token.line, token.col, token.start, token.end)
    raise _unknown_word(text, token, names)


def _admit_number(text: str, token: Token) -> Token:
    if _NUMBER.fullmatch(token.text):
        return token
    what = f"`{token.text}` is not a number of the language"
    raise ExpressionError(what, "Write digits and a point, such as 1500 or 0.25.", place(text, token.start))


def _admit_function(text: str, token: Token) -> Token:
    name = token.text.lower()
    if name in FUNCTIONS:
        return Token(TokenType.VAR, name, token.line, token.col, token.start, token.end)
    if name in _SPECIAL:
        raise ExpressionError(*_SPECIAL[name], place(text, token.start))
    fix = suggestion(name, FUNCTIONS, f"The functions are {', '.join(FUNCTIONS)}.")
    raise ExpressionError(f"`{token.text}` is not a function of the language", fix, place(text, token.start))


def _unknown_word(text: str, token: Token, names: Collection[str]) -> ExpressionError:
    word, position = token.text, place(text, token.start)
    if token.token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
        special = _SPECIAL.get(word.lower())
        if special:
            return ExpressionError(*special, position)
        if not word.isidentifier():
            return ExpressionError(f"`{word}` is not part of the language", f"It has {LANGUAGE}.", position)
    if word.lower() in FUNCTIONS:
        return ExpressionError(
            f"`{word}` is a function", f"Write {word.lower()}(…) with its columns.", position
        )
    fix = suggestion(word, names, f"The columns are {', '.join(sorted(names))}.")
    return ExpressionError(f"`{word}` is not a column of this source", fix, position)


def _unreadable(text: str, error: ParseError) -> ExpressionError:
    fix = "Something is missing or out of place there, perhaps a bracket or an operator."
    if not error.errors:
        return ExpressionError("The expression cannot be read", fix)
    first = error.errors[0]
    word = str(first["highlight"])
    line_start = sum(len(line) + 1 for line in text.split("\n")[: first["line"] - 1])
    column = max(1, first["col"] - len(word) + 1)
    return ExpressionError(
        f"The expression cannot be read at `{word}`", fix, place(text, line_start + column - 1)
    )


def _shorter(most: int, what: str) -> str:
    return f"At most {most} {what} can be read; prepare the column where the records come in."


def _flatter() -> str:
    return (
        f"At most {DEEPEST_NESTING} brackets, cases and nots may stand inside each other; write it flatter."
    )
