"""Mutants of what a team writes. In reading order: mutant, trees, operators (expressions, statements, queries, ids), functions, tables, reactions, machines, index; then hunt and store."""
