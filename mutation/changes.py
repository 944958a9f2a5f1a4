"""What is changed: cosmic-ray's operators, and ours for SQL and for whole statements.

The statements of the storage are texts; a tool for Python would leave out the half of the queue
that the databases run.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import parso
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    break_continue,
    comparison_operator_replacement,
    exception_replacer,
    number_replacer,
    unary_operator_replacement,
    zero_iteration_for_loop,
)
from cosmic_ray.operators.operator import Operator

Position = tuple[tuple[int, int], tuple[int, int]]

_COMPARISONS: Final = (
    "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is Lt_GtE Gt_LtE"
)
_BINARY: Final = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul BitOr_BitAnd BitAnd_BitOr"
_STATES: Final = ("Pending", "Running", "Completed", "Failed", "Cancelled")
_OPERAND: Final = r"(?:[\w.]+|[$?]\d*|'\w*')"
_IS_SQL: Final = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|AND|OR|NOT|ORDER BY|CASE|JOIN|SET|LIMIT|UNION)\b"
)
# Each with what is put in its place. Spacing is that of the statements.
_IN_SQL: Final = [
    *((rf"'{state}'", f"'{_STATES[n - 1]}'") for n, state in enumerate(_STATES)),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (rf"\b(WHERE|AND|ON|OR|WHEN) ({_OPERAND}) = ", r"\1 \2 <> "),
    (r" <> ", " = "),
    (r"\bAND\b", "OR"),
    (r"\bOR\b(?! IGNORE| REPLACE)", "AND"),
    (rf"\bAND (?:NOT )?{_OPERAND}(?: (?:=|<>|<=?|>=?) {_OPERAND}| IS (?:NOT )?NULL)?(?=[\s)])", ""),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"(?<!IS )\bNOT (?!NULL|MATERIALIZED)", ""),
    (r"(?<!NOT )\bEXISTS \(", "NOT EXISTS ("),
    (r"\bORDER BY ([\w.]+)", r"ORDER BY \1 DESC"),
    (r" DESC\b", ""),
    (r"\bDISTINCT ", ""),
    (r"\bUNION ALL\b", "UNION"),
    (r"\bLIMIT [\w$?.]+", ""),
    (r"\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b(?: OF \w+)?(?: SKIP LOCKED)?", ""),
    (r" SKIP LOCKED", ""),
    (r"\bmax\(", "min("),
    (r"\bmin\(", "max("),
    (r"\bgreatest\(", "least("),
    (r"\bleast\(", "greatest("),
    (r"\bcoalesce\(([^(),]+), ([^(),]+)\)", r"\1"),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"\b\w+ = NULL,", ""),
    (r"\bTHEN 0 ELSE 1\b", "THEN 1 ELSE 0"),
    (r"\bLEFT JOIN\b", "JOIN"),
]


class SqlReplacer(Operator):  # type: ignore[misc]
    """Changes one thing in the text of a statement."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield where it changes a node."""
        for change in _changes(node):
            row, column = node.start_pos
            lines = node.value[: change.start].split("\n")
            at = (row + len(lines) - 1, len(lines[-1]) + (column if len(lines) == 1 else 0))
            yield at, at

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with a change."""
        change = _changes(node)[index]
        node.value = node.value[: change.start] + change.text + node.value[change.end :]
        return node

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return none: they would be for the tests of cosmic-ray."""
        return ()


class _Change:
    def __init__(self, matched: re.Match[str], text: str) -> None:
        self.start, self.end = matched.span()
        self.text = matched.expand(text)


def _changes(node: Any) -> list[_Change]:
    if node.type not in ("string", "fstring_string") or not _IS_SQL.search(node.value):
        return []
    return [
        _Change(matched, text)
        for pattern, text in _IN_SQL
        for matched in re.finditer(pattern, node.value)
    ]


class StatementRemover(Operator):  # type: ignore[misc]
    """Leaves out a call, or an assignment to a part of something."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield where it changes a node."""
        if node.type == "simple_stmt" and _has_effect(node.children[0]):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with a change."""
        statement = node.children[0]
        prefix = statement.get_first_leaf().prefix
        node.children[0] = parso.parse(f"{prefix}pass").children[0]
        return node

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return none: they would be for the tests of cosmic-ray."""
        return ()


def _has_effect(statement: Any) -> bool:
    if statement.type == "expr_stmt":
        return bool(statement.children[0].type == "atom_expr")
    return bool(statement.type == "atom_expr")


class ConditionNegator(Operator):  # type: ignore[misc]
    """Negates the condition of a comprehension, and what `in` says."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield where it changes a node."""
        if node.type == "comp_if":
            yield node.children[1].start_pos, node.children[1].end_pos
        elif node.type == "comparison" and node.children[1].get_code().split() in _IN:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with a change."""
        if node.type == "comp_if":
            node.children[1] = parso.parse(f" not ({node.children[1].get_code().strip()})")
        else:
            negated = " in" if "not" in node.children[1].get_code() else " not in"
            node.children[1] = parso.parse(negated)
        return node

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return none: they would be for the tests of cosmic-ray."""
        return ()


_IN: Final = (["in"], ["not", "in"])


def all_operators() -> dict[str, Operator]:
    """Return every operator by its name."""
    binary = {f"ReplaceBinaryOperator_{name}" for name in _BINARY.split()}
    compared = {f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS.split()}
    chosen = [
        *(each for each in binary_operator_replacement.operators() if each.__name__ in binary),
        *(
            each
            for each in comparison_operator_replacement.operators()
            if each.__name__ in compared
        ),
        *(each for each in unary_operator_replacement.operators() if "Delete" in each.__name__),
        boolean_replacer.ReplaceTrueWithFalse,
        boolean_replacer.ReplaceFalseWithTrue,
        boolean_replacer.ReplaceAndWithOr,
        boolean_replacer.ReplaceOrWithAnd,
        boolean_replacer.AddNot,
        break_continue.ReplaceBreakWithContinue,
        break_continue.ReplaceContinueWithBreak,
        exception_replacer.ExceptionReplacer,
        number_replacer.NumberReplacer,
        zero_iteration_for_loop.ZeroIterationForLoop,
        SqlReplacer,
        StatementRemover,
        ConditionNegator,
    ]
    return {each.__name__: each() for each in chosen}
